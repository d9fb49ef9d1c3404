/*
 * The walk over CRLs larger than its window, made and signed by OpenSSL: it
 * agrees with what was made, finds one changed bit, and keeps its limits.
 */
#include <string.h>
#include <unistd.h>

#include "base/date.h"
#include "base/error.h"
#include "profiles/der/time.h"
#include "profiles/lint/crl-private.h"
#include "support.h"

enum { MANY = 60000, ISSUED = 1793577600 /* 2026-11-02 */ };

static EVP_PKEY *key;
static unsigned char *issuer;
static size_t issuer_len;

static X509_NAME *
new_name(void)
{
	X509_NAME *name = X509_NAME_new();

	assert_non_null(name);
	assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
			     (const unsigned char *)"Walk CA", -1, -1, 0),
	    1);
	return name;
}

static void
set_time(int (*set)(X509_CRL *, const ASN1_TIME *), X509_CRL *crl, time_t when)
{
	AUTO(ASN1_TIME) *date = ASN1_TIME_set(NULL, when);

	assert_int_equal(set(crl, date), 1);
}

static int
make_issuer(void **state)
{
	AUTO(X509) *cert = X509_new();
	AUTO(X509_NAME) *name = new_name();
	int len;

	(void)state;
	key = EVP_EC_gen("P-256");
	assert_non_null(key);
	assert_int_equal(X509_set_version(cert, X509_VERSION_3), 1);
	assert_int_equal(X509_set_subject_name(cert, name), 1);
	assert_int_equal(X509_set_issuer_name(cert, name), 1);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(cert), 77), 1);
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(cert), 0));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(cert), 86400));
	assert_int_equal(X509_set_pubkey(cert, key), 1);
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	len = i2d_X509(cert, &issuer);
	assert_true(len > 0);
	issuer_len = (size_t)len;
	return 0;
}

static int
free_issuer(void **state)
{
	(void)state;
	EVP_PKEY_free(key);
	OPENSSL_free(issuer);
	issuer = NULL;
	return 0;
}

static void
add_entry(X509_CRL *crl, long serial)
{
	X509_REVOKED *row = X509_REVOKED_new();
	AUTO(ASN1_INTEGER) *number = ASN1_INTEGER_new();
	AUTO(ASN1_TIME) *date = ASN1_TIME_set(NULL, ISSUED - 1000);

	assert_int_equal(ASN1_INTEGER_set(number, serial), 1);
	assert_int_equal(X509_REVOKED_set_serialNumber(row, number), 1);
	assert_int_equal(X509_REVOKED_set_revocationDate(row, date), 1);
	assert_int_equal(X509_CRL_add0_revoked(crl, row), 1);
}

/* `count` entries, serials from 1 on, or in steps of `step` around. */
static struct der
make_crl(long count, long step)
{
	AUTO(X509_CRL) *crl = X509_CRL_new();
	AUTO(X509_NAME) *name = new_name();
	unsigned char *der = NULL;
	int len;

	assert_int_equal(X509_CRL_set_version(crl, X509_CRL_VERSION_2), 1);
	assert_int_equal(X509_CRL_set_issuer_name(crl, name), 1);
	set_time(X509_CRL_set1_lastUpdate, crl, ISSUED);
	set_time(X509_CRL_set1_nextUpdate, crl, ISSUED + 86400);
	for (long i = 0; i < count; i++)
		add_entry(crl, step == 1 ? i + 1 : i * step % count + 1);
	assert_true(X509_CRL_sign(crl, key, EVP_sha256()) > 0);
	len = i2d_X509_CRL(crl, &der);
	assert_true(len > 0);
	return (struct der){ der, (size_t)len };
}

static unsigned char *
octets_of(struct der der)
{
	unsigned char *copy = malloc(der.len);

	assert_non_null(copy);
	memcpy(copy, der.p, der.len);
	return copy;
}

static void
free_der(struct der *der)
{
	unsigned char *p;

	memcpy(&p, &der->p, sizeof p);
	OPENSSL_free(p);
}
#define AUTO_MADE(name) __attribute__((cleanup(free_der))) struct der name

static size_t
count_of(const struct findings *findings, const char *id)
{
	size_t count = 0;

	for (size_t i = 0; i < findings->count; i++)
		if (strcmp(findings->rows[i].id, id) == 0)
			count++;
	return count;
}

static void
lint_octets(struct der octets, const struct der_source *previous,
    struct findings *findings)
{
	const struct der_source source = der_source_memory(&octets);
	const struct lint_context context = { .issuer = { issuer, issuer_len },
		.previous = previous,
		.rulesets = RULESET_BIT(RULESET_CABF_TLS) };

	assert_int_equal(lint_crl("crl", &source, &context, findings), 0);
}

/* ---- a walk ------------------------------------------------------------- */

static void
test_many(void **state)
{
	AUTO_MADE(der) = make_crl(MANY, 1);
	AUTO_STRUCT(findings) findings = { NULL, 0, 0, false };
	const struct der_source source = der_source_memory(&der);
	AUTO_PTR(lint_crl_state) *s = NULL;

	(void)state;
	assert_true(der.len > DER_WINDOW_MAX);
	assert_int_equal(lint_crl_open(&source, &s), 0);
	assert_true(s->entries == MANY);
	assert_true(s->by_serial);
	assert_int_equal(s->digest_len, 32);
	assert_true(s->this_update.seconds == ISSUED);
	assert_true(lint_crl_offset(s, s->alg_outer.p) > DER_WINDOW_MAX);
	assert_memory_equal(der.p + lint_crl_offset(s, s->alg_outer.p),
	    s->alg_outer.p, s->alg_outer.len);
	lint_octets(der, NULL, &findings);
	assert_int_equal(count_of(&findings, "CRL-RECHECK"), 0);
	assert_int_equal(count_of(&findings, "CRL-NO-DUP-SERIAL"), 0);
	assert_int_equal(count_of(&findings, "CRL-ORDER"), 0);
}

/* From a file it is the same. */
static void
test_file(void **state)
{
	AUTO_MADE(der) = make_crl(MANY, 1);
	AUTO_STRUCT(findings) findings = { NULL, 0, 0, false };
	char name[] = "crl-walk-XXXXXX";
	AUTO_FD(fd) = mkstemp(name);
	struct der_file file = { fd, name };
	const struct lint_context context = { .issuer = {
						  issuer, issuer_len } };
	struct der_source source;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(unlink(name), 0);
	assert_int_equal(write(fd, der.p, der.len), (ssize_t)der.len);
	assert_int_equal(der_source_file(&file, &source), 0);
	assert_int_equal(lint_crl("crl", &source, &context, &findings), 0);
	assert_int_equal(count_of(&findings, "CRL-RECHECK"), 0);
	findings_clear(&findings);
	/* Cut short while it is read: refused, and no signal. */
	assert_int_equal(ftruncate(fd, (off_t)der.len / 2), 0);
	assert_int_equal(lint_crl("crl", &source, &context, &findings), 0);
	assert_int_equal(count_of(&findings, "LINT-FAIL-CLOSED"), 1);
	assert_int_equal(findings.errors, 1);
}

/* One bit of one date, a megabyte inside. */
static void
test_tampered(void **state)
{
	AUTO_MADE(der) = make_crl(MANY, 1);
	AUTO_BYTES(octets) = octets_of(der);
	AUTO_STRUCT(findings) findings = { NULL, 0, 0, false };
	size_t at = der.len * 3 / 4;

	(void)state;
	while (memcmp(octets + at, "Z\x30", 2) != 0)
		at++;
	octets[at - 1] ^= 1; /* the last digit of the seconds */
	lint_octets((struct der){ octets, der.len }, NULL, &findings);
	assert_int_equal(count_of(&findings, "CRL-RECHECK"), 1);
}

/* Out of order: sorted by hash, no duplicates; then two of them. */
static void
test_unordered(void **state)
{
	AUTO_MADE(der) = make_crl(4001, 1009);
	AUTO_BYTES(octets) = octets_of(der);
	AUTO_STRUCT(findings) findings = { NULL, 0, 0, false };
	struct der in = der;
	unsigned char *first, *last;

	(void)state;
	lint_octets(in, NULL, &findings);
	assert_int_equal(count_of(&findings, "CRL-NO-DUP-SERIAL"), 0);
	assert_int_equal(count_of(&findings, "CRL-ORDER"), 1);
	findings_clear(&findings);
	/* Serials of two octets: INTEGER, 2, then the number. */
	first = memmem(octets, der.len, "\x02\x02", 2);
	last = memmem(octets + der.len * 3 / 4, der.len / 4, "\x02\x02", 2);
	assert_non_null(first);
	assert_non_null(last);
	memcpy(last, first, 4);
	lint_octets((struct der){ octets, der.len }, NULL, &findings);
	assert_int_equal(count_of(&findings, "CRL-NO-DUP-SERIAL"), 1);
}

/* Ten are named, the others are counted. */
static void
test_capped(void **state)
{
	AUTO_MADE(der) = make_crl(1000, 1);
	AUTO_BYTES(octets) = octets_of(der);
	AUTO_STRUCT(findings) findings = { NULL, 0, 0, false };
	unsigned char *p = octets, *end = octets + der.len;
	int changed = 0;

	(void)state;
	/* Revoked in 1998. */
	while ((p = memmem(p, (size_t)(end - p),
		    "\x17\x0d"
		    "26",
		    4)) != NULL) {
		if (changed++ > 1) /* not thisUpdate and nextUpdate */
			memcpy(p + 2, "98", 2);
		p += 4;
	}
	assert_int_equal(changed, 1002);
	lint_octets((struct der){ octets, der.len }, NULL, &findings);
	assert_int_equal(
	    count_of(&findings, "CRL-ENTRY-DATE"), CRL_NOTES_KEPT + 1);
	for (size_t i = 0; i < findings.count; i++)
		if (strcmp(findings.rows[i].text, "990 more like these") == 0)
			return;
	fail_msg("the others were not counted");
}

/* ---- against the CRL before --------------------------------------------- */

static void
compare(
    long count, long step, long before_count, long before_step, size_t wanted)
{
	AUTO_MADE(der) = make_crl(count, step);
	AUTO_MADE(before) = make_crl(before_count, before_step);
	const struct der_source previous = der_source_memory(&before);
	AUTO_STRUCT(findings) findings = { NULL, 0, 0, false };

	lint_octets(der, &previous, &findings);
	assert_int_equal(count_of(&findings, "CRL-COMPLETE"), wanted);
	assert_int_equal(count_of(&findings, "CRL-RECHECK"), 0);
}

static void
test_previous(void **state)
{
	(void)state;
	compare(3001, 1, 3001, 1, 0);
	compare(3001, 1, 3000, 1, 0);
	compare(3000, 1, 3001, 1, 1);
	compare(3001, 1009, 3001, 1, 0);
	compare(3001, 1, 3001, 1009, 0);
	compare(2999, 1009, 3001, 1, 1);
	compare(2999, 1, 3001, 1009, 1);
	compare(0, 1, 5, 1, 1);
	compare(5, 1, 0, 1, 0);
}

/* ---- hostile ------------------------------------------------------------ */

static void
test_cut(void **state)
{
	AUTO_MADE(der) = make_crl(5, 1);

	(void)state;
	for (size_t len = 0; len < der.len; len++) {
		AUTO_STRUCT(findings) findings = { NULL, 0, 0, false };

		lint_octets((struct der){ der.p, len }, NULL, &findings);
		assert_int_equal(findings.count, 1);
		assert_string_equal(findings.rows[0].id, "FLD-DER-STRICT");
	}
}

static void
test_behind(void **state)
{
	AUTO_MADE(der) = make_crl(5, 1);
	AUTO_BYTES(octets) = malloc(der.len + 1);
	AUTO_STRUCT(findings) findings = { NULL, 0, 0, false };

	(void)state;
	memcpy(octets, der.p, der.len);
	octets[der.len] = 0;
	lint_octets((struct der){ octets, der.len + 1 }, NULL, &findings);
	assert_int_equal(findings.count, 1);
	assert_non_null(strstr(findings.rows[0].text, "1 octets follow"));
}

/* Each octet changed in turn: it cannot be read, or does not verify. */
static void
test_changed(void **state)
{
	AUTO_MADE(der) = make_crl(3, 1);
	AUTO_BYTES(octets) = octets_of(der);
	const unsigned char changes[] = { 0x01, 0x80, 0xff };

	(void)state;
	for (size_t i = 0; i < der.len * sizeof changes; i++) {
		AUTO_STRUCT(findings) findings = { NULL, 0, 0, false };
		const unsigned char change = changes[i / der.len];

		octets[i % der.len] ^= change;
		lint_octets((struct der){ octets, der.len }, NULL, &findings);
		assert_true(count_of(&findings, "FLD-DER-STRICT") +
			count_of(&findings, "CRL-RECHECK") >
		    0);
		octets[i % der.len] ^= change;
	}
}

/* An entry of more than 64 KiB; `len` octets of extension value. */
static void
test_large_entry(void **state)
{
	enum { VALUE = 70000 };
	AUTO_BYTES(octets) = calloc(1, VALUE + 200);
	AUTO_STRUCT(findings) findings = { NULL, 0, 0, false };
	static const unsigned char head[] = {
		0x30, 0x83, 0x01, 0x11, 0xd5,       /* CertificateList */
		0x30, 0x83, 0x01, 0x11, 0xa8,       /* TBSCertList */
		0x02, 0x01, 0x01, 0x30, 0x0a, 0x06, /* v2, ecdsa-sha256 */
		0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02, 0x30,
		0x00, 0x17, 0x0d, '2', '6', '1', '1', '0', '2', '0', '0', '0',
		'0', '0', '0', 'Z', 0x30, 0x83, 0x01, 0x11,
		0x83,                        /* revokedCertificates */
		0x30, 0x83, 0x01, 0x11, 0x7e /* the entry */
	};

	(void)state;
	memcpy(octets, head, sizeof head);
	lint_octets((struct der){ octets, 5 + 0x0111d5 }, NULL, &findings);
	assert_int_equal(findings.count, 1);
	assert_non_null(strstr(findings.rows[0].text, "entry"));
	assert_non_null(strstr(findings.rows[0].text, "at most 65536"));
}

/* ---- times -------------------------------------------------------------- */

static void
test_seconds(void **state)
{
	static const struct {
		unsigned tag;
		const char *text, *date; /* NULL: there is no such date */
	} rows[] = {
		{ DER_UTC_TIME, "700101000000Z", "1970-01-01T00:00:00Z" },
		{ DER_UTC_TIME, "491231235959Z", "2049-12-31T23:59:59Z" },
		{ DER_UTC_TIME, "000229120000Z", "2000-02-29T12:00:00Z" },
		{ DER_UTC_TIME, "240301000000Z", "2024-03-01T00:00:00Z" },
		{ DER_GENERALIZED_TIME, "20500101000000Z",
		    "2050-01-01T00:00:00Z" },
		{ DER_GENERALIZED_TIME, "21000228235959Z",
		    "2100-02-28T23:59:59Z" },
		{ DER_GENERALIZED_TIME, "99991231235959Z",
		    "9999-12-31T23:59:59Z" },
		{ DER_GENERALIZED_TIME, "21000229000000Z", NULL },
		{ DER_UTC_TIME, "230229000000Z", NULL },
		{ DER_UTC_TIME, "230431000000Z", NULL },
		{ DER_UTC_TIME, "231301000000Z", NULL },
		{ DER_UTC_TIME, "230001000000Z", NULL },
		{ DER_UTC_TIME, "230100000000Z", NULL },
		{ DER_UTC_TIME, "230101240000Z", NULL },
		{ DER_UTC_TIME, "230101006000Z", NULL },
		{ DER_UTC_TIME, "230101000060Z", NULL },
		{ DER_UTC_TIME, "2301010000Z", NULL },
		{ DER_UTC_TIME, "2301010000000", NULL },
		{ DER_UTC_TIME, "23010100000/Z", NULL },
		{ DER_GENERALIZED_TIME, "230101000000Z", NULL },
		{ DER_GENERALIZED_TIME, "00000101000000Z", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct der value = { (const unsigned char *)rows[i].text,
			strlen(rows[i].text) };
		int64_t got = -1, want = -2;

		assert_int_equal(der_time_read(rows[i].tag, value, &got),
		    rows[i].date != NULL);
		if (rows[i].date == NULL)
			continue;
		assert_int_equal(date_parse(rows[i].date, &want), 0);
		assert_true(got == want);
	}
	assert_true(der_time_read(DER_UTC_TIME,
	    (struct der){ (const unsigned char *)"500101000000Z", 13 },
	    &(int64_t){ 0 }));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_tampered),
		cmocka_unit_test(test_unordered),
		cmocka_unit_test(test_capped),
		cmocka_unit_test(test_previous),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_behind),
		cmocka_unit_test(test_changed),
		cmocka_unit_test(test_large_entry),
		cmocka_unit_test(test_seconds),
	};

	return cmocka_run_group_tests(tests, make_issuer, free_issuer);
}
