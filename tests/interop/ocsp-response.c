/*
 * An OCSP response as a profile makes it, signed with a software key, for other
 * implementations to judge:
 *
 *     ocsp-response PROFILE ISSUER CERTIFICATE RESPONDER KEY good|REASON > DER
 *
 * REASON: as in a CRL, "superseded" say.  RESPONDER is "-" where the issuer
 * signs itself.
 */
#include <fcntl.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/error.h"
#include "base/file.h"
#include "profiles/certificate.h"
#include "profiles/ocsp.h"

enum { FILE_MAX = 1 << 20 };

struct file {
	unsigned char *data;
	size_t len;
};

static void
file_clear(struct file *file)
{
	free(file->data);
}
CLEANUP_DEFINE_STRUCT(file);

static int
load(const char *name, struct file *file)
{
	return file_read_at(AT_FDCWD, name, FILE_MAX, &file->data, &file->len);
}

static int
load_certificate(const char *name, X509 **ret_certificate)
{
	AUTO_STRUCT(file) file = { 0 };

	if (load(name, &file) < 0)
		return -1;
	return certificate_read(name, file.data, file.len, ret_certificate);
}

static int
load_profile(const char *name, struct profile **ret_profile)
{
	AUTO_STRUCT(file) file = { 0 };
	AUTO_STRUCT(findings) findings = { 0 };

	if (load(name, &file) < 0)
		return -1;
	return profile_load(name, file.data, file.len, &findings, ret_profile);
}

static int
load_key(const char *name, EVP_PKEY **ret_key)
{
	AUTO(BIO) *in = BIO_new_file(name, "r");

	if (in == NULL)
		return ca_error(CA_R_INPUT, "cannot open '%s'", name);
	*ret_key = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
	return *ret_key == NULL ? ca_error(CA_R_INPUT, "no key in '%s'", name)
				: 0;
}

static int
sign(const struct tbs *tbs, EVP_PKEY *key, unsigned char **ret_sig,
    size_t *ret_len)
{
	AUTO(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();
	unsigned char *sig;
	size_t len = 0;

	if (ctx == NULL ||
	    EVP_DigestSignInit_ex(
		ctx, NULL, tbs->alg->digest, NULL, NULL, key, NULL) != 1 ||
	    EVP_DigestSign(ctx, NULL, &len, tbs->der, tbs->len) != 1)
		return ca_error(CA_R_INTERNAL, "cannot sign");
	sig = malloc(len);
	if (sig == NULL ||
	    EVP_DigestSign(ctx, sig, &len, tbs->der, tbs->len) != 1) {
		free(sig);
		return ca_error(CA_R_INTERNAL, "cannot sign");
	}
	*ret_sig = sig;
	*ret_len = len;
	return 0;
}

/* What is said of the certificate. */
static int
make_entry(const struct certificate_facts *facts, const char *status,
    int64_t now, struct ocsp_entry *entry)
{
	*entry = (struct ocsp_entry){
		.serial = facts->serial,
		.serial_len = facts->serial_len,
		.not_after = facts->not_after,
		.status = STATUS_GOOD,
	};
	if (strcmp(status, "good") == 0)
		return 0;
	entry->status = STATUS_REVOKED;
	entry->date = now - 60;
	return reason_by_name(status, &entry->reason);
}

static int
check_and_build(
    const struct ocsp_response_request *request, struct tbs *ret_tbs)
{
	AUTO_STRUCT(findings) findings = { 0 };

	if (ocsp_response_check(request, &findings) < 0)
		return -1;
	for (size_t i = 0; i < findings.count; i++)
		fprintf(stderr, "%s: %s\n", findings.rows[i].id,
		    findings.rows[i].text);
	return findings.errors > 0
	    ? ca_error(CA_R_POLICY, "the response is refused")
	    : ocsp_response_build(request, ret_tbs);
}

static int
respond(char **argv, int64_t now)
{
	AUTO_PTR(profile) *profile = NULL;
	AUTO(X509) *issuer = NULL;
	AUTO(X509) *certificate = NULL;
	AUTO(X509) *responder = NULL;
	AUTO(EVP_PKEY) *key = NULL;
	AUTO_STRUCT(certificate_facts) facts = { 0 };
	AUTO_STRUCT(tbs) tbs = { 0 };
	AUTO_DER(responder_der) = NULL;
	AUTO_BYTES(sig) = NULL;
	AUTO_BYTES(der) = NULL;
	struct ocsp_response_request request = { .entry_count = 1,
		.now = now,
		.validity = (int64_t)7 * 86400,
		.place = "" };
	struct ocsp_entry entry;
	size_t sig_len = 0, len = 0;
	int responder_len = 0;

	if (load_profile(argv[1], &profile) < 0 ||
	    load_certificate(argv[2], &issuer) < 0 ||
	    load_certificate(argv[3], &certificate) < 0 ||
	    (strcmp(argv[4], "-") != 0 &&
		load_certificate(argv[4], &responder) < 0) ||
	    load_key(argv[5], &key) < 0 ||
	    certificate_facts(certificate, &facts) < 0 ||
	    make_entry(&facts, argv[6], now, &entry) < 0)
		return -1;
	request.profile = profile;
	request.issuer = issuer;
	request.responder = responder;
	request.entries = &entry;
	if (check_and_build(&request, &tbs) < 0 ||
	    sign(&tbs, key, &sig, &sig_len) < 0)
		return -1;
	if (responder != NULL)
		responder_len = i2d_X509(responder, &responder_der);
	if (ocsp_assemble(&tbs, sig, sig_len, responder_der,
		(size_t)responder_len, &der, &len) < 0)
		return -1;
	return fwrite(der, 1, len, stdout) == len && fflush(stdout) == 0
	    ? 0
	    : ca_error(CA_R_IO, "cannot write the response");
}

int
main(int argc, char **argv)
{
	if (argc != 7) {
		fprintf(stderr,
		    "usage: ocsp-response PROFILE ISSUER CERTIFICATE "
		    "RESPONDER|- KEY good|REASON\n");
		return 2;
	}
	if (respond(argv, (int64_t)time(NULL)) == 0)
		return 0;
	ERR_print_errors_fp(stderr);
	return 1;
}
