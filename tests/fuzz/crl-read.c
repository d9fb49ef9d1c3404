/*
 * CRLs read in flat memory: refused, or every part and every entry is what
 * OpenSSL reads there; octet by octet the same as whole.
 */
#include <string.h>
#include <time.h>

#include "base/algorithm.h"
#include "base/error.h"
#include "few.h"
#include "fuzz.h"
#include "profiles/crl-reader.h"

enum { SERIAL_MAX = 20 };

CLEANUP_DEFINE(ASN1_ENUMERATED, ASN1_ENUMERATED_free);
CLEANUP_DEFINE(ASN1_GENERALIZEDTIME, ASN1_GENERALIZEDTIME_free);

/* ---- as OpenSSL has it ------------------------------------------------ */

static int64_t
seconds_of(const ASN1_TIME *time)
{
	struct tm tm;

	HOLDS(time != NULL && ASN1_TIME_to_tm(time, &tm) == 1);
	return timegm(&tm);
}

static int
reason_of(const X509_REVOKED *entry)
{
	int critical;
	AUTO(ASN1_ENUMERATED) *reason =
	    X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, &critical, NULL);

	HOLDS(reason != NULL || critical == -1);
	return reason == NULL ? 0 : (int)ASN1_ENUMERATED_get(reason);
}

static int64_t
invalidity_of(const X509_REVOKED *entry)
{
	int critical;
	AUTO(ASN1_GENERALIZEDTIME) *date = X509_REVOKED_get_ext_d2i(
	    entry, NID_invalidity_date, &critical, NULL);

	HOLDS(date != NULL || critical == -1);
	return date == NULL ? 0 : seconds_of(date);
}

static bool
same_serial(const X509_REVOKED *entry, const struct crl_entry *read)
{
	enum { HEADER = 2 }; /* of at most 127 octets */
	AUTO_DER(der) = NULL;
	int len = i2d_ASN1_INTEGER(X509_REVOKED_get0_serialNumber(entry), &der);

	HOLDS(read->serial_len <= SERIAL_MAX);
	return len == (int)read->serial_len + HEADER &&
	    memcmp(der + HEADER, read->serial, read->serial_len) == 0;
}

static bool
same_entry(const X509_REVOKED *entry, const struct crl_entry *read)
{
	return same_serial(entry, read) &&
	    read->date == seconds_of(X509_REVOKED_get0_revocationDate(entry)) &&
	    (int)read->reason == reason_of(entry) &&
	    read->invalidity == invalidity_of(entry);
}

/* Nothing in it would change what the entry means. */
static void
check_extensions(const X509_REVOKED *entry)
{
	for (int i = 0; i < X509_REVOKED_get_ext_count(entry); i++) {
		X509_EXTENSION *extension = X509_REVOKED_get_ext(entry, i);
		int nid = OBJ_obj2nid(X509_EXTENSION_get_object(extension));

		/* RFC 5280, section 5.3.3: it would be of another issuer. */
		HOLDS(nid != NID_certificate_issuer);
		HOLDS(nid == NID_crl_reason || nid == NID_invalidity_date ||
		    X509_EXTENSION_get_critical(extension) == 0);
	}
}

static void
check_number(const X509_CRL *crl, const struct crl_head *head)
{
	int critical;
	AUTO(ASN1_INTEGER) *number =
	    X509_CRL_get_ext_d2i(crl, NID_crl_number, &critical, NULL);
	uint64_t value;

	HOLDS(number != NULL);
	HOLDS(ASN1_INTEGER_get_uint64(&value, number) == 1);
	HOLDS(head->number == value);
}

static void
check_digest(struct der octets, const struct crl_head *head)
{
	unsigned char digest[DIGEST_MAX];
	struct signed_object object;
	AUTO(EVP_MD) *md = EVP_MD_fetch(NULL, head->alg->digest, NULL);
	unsigned len = 0;

	HOLDS(der_signed_object(octets.p, octets.len, &object));
	HOLDS(md != NULL);
	HOLDS(EVP_Digest(
		  object.tbs.p, object.tbs.len, digest, &len, md, NULL) == 1);
	HOLDS(memcmp(digest, head->digest, len) == 0);
	HOLDS(head->signature_len == object.signature.len);
	HOLDS(memcmp(head->signature, object.signature.p,
		  object.signature.len) == 0);
}

static void
check_head(const X509_CRL *crl, struct der octets, const struct crl_head *head)
{
	const unsigned char *name;
	size_t len;

	HOLDS(X509_CRL_get_version(crl) == 1);
	HOLDS(X509_NAME_get0_der(X509_CRL_get_issuer(crl), &name, &len) == 1);
	HOLDS(len == head->issuer_len &&
	    memcmp(name, head->issuer_der, len) == 0);
	HOLDS(head->this_update == seconds_of(X509_CRL_get0_lastUpdate(crl)));
	HOLDS(head->next_update == seconds_of(X509_CRL_get0_nextUpdate(crl)));
	HOLDS(sk_X509_EXTENSION_num(head->extensions) ==
	    X509_CRL_get_ext_count(crl));
	check_number(crl, head);
	check_digest(octets, head);
}

/* Take out the first that is as it was read. */
static void
take_same(STACK_OF(X509_REVOKED) *left, const struct crl_entry *read)
{
	for (int i = 0; i < sk_X509_REVOKED_num(left); i++) {
		X509_REVOKED *entry = sk_X509_REVOKED_value(left, i);

		if (!same_entry(entry, read))
			continue;
		check_extensions(entry);
		(void)sk_X509_REVOKED_delete(left, i);
		return;
	}
	fprintf(stderr, "OpenSSL reads no such entry\n");
	abort();
}

/* The cursor gives them by serial, whatever their order on the CRL. */
static void
walk(struct crl_cursor *cursor, bool ascending, STACK_OF(X509_REVOKED) *left)
{
	unsigned char serial[SERIAL_MAX];
	struct crl_entry entry = { 0 }, last = { .serial = serial };
	bool there = true;

	for (;;) {
		HOLDS(crl_cursor_next(cursor, &entry, &there) == 0);
		if (!there)
			break;
		HOLDS(last.serial_len == 0 ||
		    crl_entry_compare(&last, &entry) < (ascending ? 0 : 1));
		HOLDS(!ascending ||
		    same_entry(sk_X509_REVOKED_value(left, 0), &entry));
		take_same(left, &entry);
		memcpy(serial, entry.serial, entry.serial_len);
		last.serial_len = entry.serial_len;
	}
	HOLDS(sk_X509_REVOKED_num(left) == 0);
	HOLDS(crl_cursor_next(cursor, &entry, &there) == 0 && !there);
}

static void
check_entries(
    X509_CRL *crl, const struct der_source *source, const struct crl_head *head)
{
	AUTO_STRUCT(crl_cursor) cursor = { .next = 0 };
	STACK_OF(X509_REVOKED) *entries = X509_CRL_get_REVOKED(crl);
	STACK_OF(X509_REVOKED) *left = entries == NULL
	    ? sk_X509_REVOKED_new_null()
	    : sk_X509_REVOKED_dup(entries);

	HOLDS(left != NULL);
	HOLDS(head->entries == (uint64_t)sk_X509_REVOKED_num(left));
	HOLDS(crl_cursor_open(source, head, &cursor) == 0);
	walk(&cursor, head->ascending, left);
	sk_X509_REVOKED_free(left);
}

/* ---- whole, and a few octets at a time -------------------------------- */

static void
check_read(struct der octets, const struct der_source *source,
    const struct crl_head *head)
{
	const unsigned char *p = octets.p;
	AUTO(X509_CRL) *crl = d2i_X509_CRL(NULL, &p, (long)octets.len);

	HOLDS(crl != NULL && p == octets.p + octets.len);
	HOLDS(ca_error_reason() == 0);
	check_head(crl, octets, head);
	check_entries(crl, source, head);
}

/* What was refused, in whose words; NULL: it was taken. */
static char *
read_once(struct der octets, const struct der_source *source)
{
	AUTO_STRUCT(crl_head) head = { 0 };

	if (crl_head_read("x", source, &head) != 0) {
		HOLDS(ca_error_reason() == CA_R_INPUT);
		HOLDS(head.alg == NULL && head.issuer_der == NULL);
		return ca_error_take();
	}
	HOLDS(ca_error_reason() == 0);
	check_read(octets, source, &head);
	return NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct der octets = { data, size };
	const struct der_source whole = der_source_memory(&octets);
	const struct der_source few = few_at_a_time(&octets);
	AUTO_CHARS(one) = read_once(octets, &whole);
	AUTO_CHARS(two) = read_once(octets, &few);

	HOLDS((one == NULL) == (two == NULL));
	HOLDS(one == NULL || strcmp(one, two) == 0);
	ca_error_clear();
	return 0;
}
