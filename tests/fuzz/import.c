/*
 * Lists from elsewhere, in each format and for both steps: faults, or a list
 * that ascends, holds nothing that may not be, and comes back from the journal's
 * text of it as it was.  What a CRL lists is what OpenSSL reads there.
 *
 * The first octet says how the rest is read.  DER is signed anew with the
 * issuer's key, so that changes of it come behind the signature.
 */
#include "ceremony/steps/import.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>

#include <openssl/pem.h>

#include "base/algorithm.h"
#include "base/error.h"
#include "base/text.h"
#include "ceremony/journal/lists.h"
#include "ceremony/journal/store.h"
#include "profiles/der/stream.h"
#include "scratch.h"

CLEANUP_DEFINE(ASN1_ENUMERATED, ASN1_ENUMERATED_free);

enum {
	NOW = 1795000000, /* 2026-11-18 */
	ISSUED = 0x10,    /* of the first octet: import-issued */
	REASON = 0x20,    /* the step gives a reason */
	SIGN_ANEW = 0x40,
};

static const char *const formats[] = { "csv", "index.txt", "crl",
	"certificates" };

static struct journal *journal;
static EVP_PKEY *key;
static X509 *issuer;
static struct issuer_view view;

static void
clear_all(void)
{
	journal_free(journal);
	EVP_PKEY_free(key);
	X509_free(issuer);
	certificate_facts_clear(&view.facts);
	free(view.dn);
}

static BIO *
open_data(const char *name)
{
	char path[4096];
	BIO *bio;

	(void)snprintf(path, sizeof(path), "%s/%s", PLAN_DATA, name);
	bio = BIO_new_file(path, "r");
	HOLDS(bio != NULL);
	return bio;
}

static void
setup(void)
{
	AUTO(BIO) *pem_key = open_data("issuer.key");
	AUTO(BIO) *pem = open_data("issuer.pem");

	scratch_make();
	HOLDS(atexit(clear_all) == 0);
	key = PEM_read_bio_PrivateKey(pem_key, NULL, NULL, NULL);
	issuer = PEM_read_bio_X509(pem, NULL, NULL, NULL);
	HOLDS(key != NULL && issuer != NULL);
	HOLDS(certificate_facts(issuer, &view.facts) == 0);
	view.dn = sha256_hex(view.facts.subject_der, view.facts.subject_len);
	HOLDS(view.dn != NULL);
	view.found = view.adopted = true;
	view.certificate = issuer;
	HOLDS(journal_create(scratch, &journal) == 0);
	HOLDS(journal_append(journal, ENTRY_GENESIS,
		  json_pack("{s:s, s:i, s:{s:s}, s:s}", "authority", "example",
		      "format", 1, "token", "label", "x", "tool", "0"),
		  "a test", NULL) == 0);
}

/* ---- signed anew ------------------------------------------------------ */

static size_t
put(unsigned char *at, unsigned tag, size_t len)
{
	unsigned char header[DER_HEADER_MAX];
	size_t octets = der_header_write(tag, len, header);

	if (at != NULL)
		memcpy(at, header, octets);
	return octets;
}

/* SEQUENCE { tbs, AlgorithmIdentifier, BIT STRING }; malloc'd. */
static unsigned char *
assemble(struct der tbs, const struct sigalg *alg, const unsigned char *sig,
    size_t sig_len, size_t *ret_len)
{
	size_t bits = put(NULL, DER_BIT_STRING, sig_len + 1);
	size_t body = tbs.len + alg->der_len + bits + 1 + sig_len;
	size_t header = put(NULL, DER_SEQUENCE, body);
	unsigned char *out = malloc(header + body), *p = out;

	HOLDS(out != NULL);
	p += put(p, DER_SEQUENCE, body);
	memcpy(p, tbs.p, tbs.len);
	p += tbs.len;
	memcpy(p, alg->der, alg->der_len);
	p += alg->der_len;
	p += put(p, DER_BIT_STRING, sig_len + 1);
	*p++ = 0;
	memcpy(p, sig, sig_len);
	*ret_len = header + body;
	return out;
}

/* NULL where the octets are no SEQUENCE that begins with one. */
static unsigned char *
sign_anew(const uint8_t *data, size_t size, size_t *ret_len)
{
	struct der in = { data, size }, body, tbs;
	const struct sigalg *alg = sigalg_by_name("ecdsa-sha256");
	unsigned char sig[128];
	size_t len = sizeof(sig);
	AUTO(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();

	if (!der_take(&in, DER_SEQUENCE, &body, NULL) ||
	    !der_take(&body, DER_SEQUENCE, NULL, &tbs))
		return NULL;
	HOLDS(ctx != NULL && alg != NULL);
	HOLDS(EVP_DigestSignInit_ex(
		  ctx, NULL, "SHA256", NULL, NULL, key, NULL) == 1);
	HOLDS(EVP_DigestSign(ctx, sig, &len, tbs.p, tbs.len) == 1);
	return assemble(tbs, alg, sig, len, ret_len);
}

/* ---- what was read ---------------------------------------------------- */

static void
check_row(const struct import *import, const struct listed *row)
{
	struct serial again;

	HOLDS(serial_from_octets(row->serial.octets, row->serial.len, &again) ==
	    0);
	HOLDS(serial_compare(&again, &row->serial) == 0);
	HOLDS(row->ca >= -1 && row->ca <= 1);
	HOLDS(row->expires >= 0);
	if (import->issued)
		return; /* it has a SHA-256 in place of the dates */
	HOLDS(row->invalidity >= 0);
	HOLDS(reason_name(row->reason) != NULL);
	HOLDS(row->date >= REVOCATION_OLDEST && row->date <= NOW);
}

static int
see_revocation(void *ctx, const struct listed_revocation *read)
{
	const struct listed **next = ctx;
	const struct listed *row = (*next)++;

	HOLDS(read->serial_len == row->serial.len);
	HOLDS(memcmp(read->serial, row->serial.octets, read->serial_len) == 0);
	HOLDS(read->date == row->date && read->reason == (int)row->reason);
	HOLDS(read->invalidity == row->invalidity);
	HOLDS(read->expires == row->expires);
	return 0;
}

static int
see_certificate(void *ctx, const struct listed_certificate *read)
{
	const struct listed **next = ctx;
	const struct listed *row = (*next)++;

	HOLDS(read->serial_len == row->serial.len);
	HOLDS(memcmp(read->serial, row->serial.octets, read->serial_len) == 0);
	HOLDS(read->expires == row->expires && read->ca == row->ca);
	HOLDS(read->has_sha256 == row->has_sha256);
	HOLDS(!row->has_sha256 || memcmp(read->sha256, row->sha256, 32) == 0);
	return 0;
}

/* As evidence, read back by those who make revocations of it. */
static void
check_text(const struct import *import)
{
	const struct listing *listing = &import->listing;
	const struct listed *next = listing->rows;
	AUTO_STRUCT(spilled) text = { .fd = -1 };
	AUTO_CHARS(hex) = NULL;
	unsigned char digest[HASH_LEN];
	bool own = false;

	HOLDS((import->issued ? listing_issued_text(listing, AT_FDCWD, &text)
			      : listing_revocations_text(
				    listing, AT_FDCWD, &text)) == 0);
	HOLDS(journal_act_begin(journal, &own) == 0 && own);
	HOLDS(journal_evidence_put(journal, text.data, text.len, digest) == 0);
	hex = text_hex(digest, sizeof(digest));
	HOLDS(hex != NULL);
	HOLDS((import->issued ? list_each_certificate(
				    journal, hex, see_certificate, &next)
			      : list_each_revocation(
				    journal, hex, see_revocation, &next)) == 0);
	HOLDS(next == listing->rows + listing->count);
	HOLDS(journal_act_end(journal, own, -1) == -1);
}

static void
check_listing(const struct import *import)
{
	const struct listing *listing = &import->listing;

	for (size_t i = 0; i < listing->count; i++) {
		check_row(import, &listing->rows[i]);
		HOLDS(i == 0 ||
		    serial_compare(&listing->rows[i - 1].serial,
			&listing->rows[i].serial) < 0);
	}
	if (listing->count > 0)
		check_text(import);
}

/* ---- CRLs: as OpenSSL reads them -------------------------------------- */

static void
check_revoked(const struct import *import, const X509_REVOKED *entry)
{
	const ASN1_INTEGER *number = X509_REVOKED_get0_serialNumber(entry);
	struct serial serial;
	const struct listed *row;
	AUTO_DER(der) = NULL;
	int len = i2d_ASN1_INTEGER(number, &der), critical;
	AUTO(ASN1_ENUMERATED) *reason =
	    X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, &critical, NULL);
	struct tm tm;

	HOLDS(len > 2);
	HOLDS(serial_from_octets(der + 2, (size_t)len - 2, &serial) == 0);
	row = listing_find(&import->listing, &serial);
	HOLDS(row != NULL);
	HOLDS(
	    ASN1_TIME_to_tm(X509_REVOKED_get0_revocationDate(entry), &tm) == 1);
	HOLDS(timegm(&tm) == row->date);
	HOLDS(reason != NULL || critical == -1);
	HOLDS(reason == NULL
		? row->reason == import->reason
		: (int)row->reason == (int)ASN1_ENUMERATED_get(reason));
	HOLDS(
	    X509_REVOKED_get_ext_by_NID(entry, NID_certificate_issuer, -1) < 0);
}

static void
check_crl(const struct import *import)
{
	const struct input *input = import->input;
	const unsigned char *p = input->data;
	AUTO(X509_CRL) *crl = d2i_X509_CRL(NULL, &p, (long)input->len);
	STACK_OF(X509_REVOKED) *entries;
	int count;

	if (crl == NULL) { /* then it is PEM */
		AUTO(BIO) *bio = BIO_new_mem_buf(input->data, (int)input->len);

		ca_error_clear();
		crl = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL);
	}
	HOLDS(crl != NULL);
	HOLDS(X509_CRL_verify(crl, key) == 1);
	HOLDS(X509_NAME_cmp(X509_CRL_get_issuer(crl),
		  X509_get_subject_name(issuer)) == 0);
	entries = X509_CRL_get_REVOKED(crl);
	count = entries == NULL ? 0 : sk_X509_REVOKED_num(entries);
	HOLDS(import->listing.count == (size_t)count);
	for (int i = 0; i < count; i++)
		check_revoked(import, sk_X509_REVOKED_value(entries, i));
	ca_error_clear();
}

/* ---- reading ---------------------------------------------------------- */

static void
check_faults(const struct import *import)
{
	const struct findings *findings = import->faults.findings;

	HOLDS(findings->errors > 0);
	for (size_t i = 0; i < findings->count; i++)
		HOLDS(findings->rows[i].text[0] != '\0' &&
		    findings->rows[i].place[0] != '\0');
}

static void
read_list(struct import *import)
{
	HOLDS(import->format->read(import) == 0);
	HOLDS(ca_error_reason() == 0);
	if (import->faults.count == 0)
		HOLDS(listing_sort(&import->listing) == 0);
	if (import->faults.count == 0 && import->format->read == import_crl)
		check_crl(import);
	if (import->faults.count == 0)
		HOLDS(import_check(import) == 0);
	if (import->faults.count > 0)
		check_faults(import);
	else
		check_listing(import);
	HOLDS(ca_error_reason() == 0);
}

static void
import_octets(uint8_t how, unsigned char *octets, size_t len)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(import) import = { 0 };
	struct step step = { .kind = &step_import_revocations };
	struct build build = {
		.journal = journal,
		.public_fd = -1,
		.scratch_fd = AT_FDCWD,
		.now = NOW,
		.findings = &findings,
	};
	struct import_params params = {
		.issuer = (char[]){ "ca" },
		.file = (char[]){ "list" },
	};
	struct input input = {
		.role = INPUT_BULK,
		.given = params.file,
		.data = octets,
		.len = len,
	};

	import.build = &build;
	import.step = &step;
	import.params = &params;
	import.format = import_format_by_name(formats[how % 4]);
	import.issuer = &view;
	import.input = &input;
	import.issued = (how & ISSUED) != 0 && import.format->issued;
	import.reason = (how & REASON) != 0 ? REASON_SUPERSEDED : REASON_NONE;
	import.faults.findings = &findings;
	read_list(&import);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_BYTES(octets) = NULL;
	size_t len = 0;
	uint8_t how;

	if (journal == NULL)
		setup();
	if (size == 0)
		return 0;
	how = *data++;
	size--;
	if ((how & SIGN_ANEW) != 0)
		octets = sign_anew(data, size, &len);
	if (octets == NULL) {
		octets = malloc(size + (size == 0));
		HOLDS(octets != NULL);
		memcpy(octets, data, size);
		len = size;
	}
	import_octets(how, octets, len);
	return 0;
}
