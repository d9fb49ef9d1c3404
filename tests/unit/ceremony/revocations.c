/*
 * Serial numbers, lists, and what may be wrong with them: CSV, index.txt, CRLs
 * and certificates, each with what it must be refused for.
 */
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "base/date.h"
#include "base/text.h"
#include "ceremony/steps/import.h"
#include "journal-support.h"

enum { NOW = 1800000000 }; /* 2027-01-15T08:00:00Z */

/* ---- serial numbers ---------------------------------------------------- */

static void
assert_serial(int rc, const struct serial *serial, const char *wanted)
{
	char hex[SERIAL_HEX_SIZE];

	assert_ok(rc);
	serial_hex(serial, hex);
	assert_string_equal(hex, wanted);
}

static void
test_hex(void **state)
{
	static const struct {
		const char *text, *wanted;
	} good[] = {
		{ "1", "01" },
		{ "01", "01" },
		{ "00000000000000000000000000000000000000000000000001", "01" },
		{ "7f", "7f" },
		{ "80", "0080" },
		{ "0080", "0080" },
		{ "ABC", "0abc" },
		{ "7fffffffffffffffffffffffffffffffffffffff",
		    "7fffffffffffffffffffffffffffffffffffffff" },
		{ "ffffffffffffffffffffffffffffffffffffff",
		    "00ffffffffffffffffffffffffffffffffffffff" },
	};
	static const char *const bad[] = { "", "0", "0000", "xyz", "0x0a",
		"a:b", " 0a", "0a ", "-0a", "é",
		"8000000000000000000000000000000000000000",
		"ffffffffffffffffffffffffffffffffffffffff",
		"10000000000000000000000000000000000000000" };
	struct serial serial = { .len = 99 };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_serial(serial_from_hex(
				  good[i].text, strlen(good[i].text), &serial),
		    &serial, good[i].wanted);
	serial.len = 99;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_refused(CA_R_INPUT,
		    serial_from_hex(bad[i], strlen(bad[i]), &serial));
	/* An octet that is no text ends nothing. */
	assert_refused(CA_R_INPUT, serial_from_hex("0a\0b", 4, &serial));
	assert_int_equal(serial.len, 99);
}

static void
test_decimal(void **state)
{
	static const char *const bad[] = { "", "0", "00", "1a", "-1", "+1",
		" 1", "0x1",
		"730750818665451459101842416358141509827966271488", /* 2^159 */
		"99999999999999999999999999999999999999999999999999999999" };
	struct serial serial = { .len = 99 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_refused(CA_R_INPUT,
		    serial_from_decimal(bad[i], strlen(bad[i]), &serial));
	assert_int_equal(serial.len, 99);
	assert_serial(serial_from_decimal("128", 3, &serial), &serial, "0080");
	assert_serial(serial_from_decimal("0255", 4, &serial), &serial, "00ff");
	assert_serial(serial_from_decimal(
			  "730750818665451459101842416358141509827966271487",
			  48, &serial),
	    &serial, "7fffffffffffffffffffffffffffffffffffffff");
	for (int i = 0; i < 200; i++) {
		unsigned char octets[SERIAL_LEN];
		AUTO(BIGNUM) *number = NULL;
		struct serial from_octets;
		char *decimal;
		size_t len = 1 + (size_t)i % SERIAL_LEN;

		assert_int_equal(RAND_bytes(octets, (int)len), 1);
		octets[0] = (octets[0] & 0x7f) | 1;
		number = BN_bin2bn(octets, (int)len, NULL);
		decimal = BN_bn2dec(number);
		assert_non_null(decimal);
		assert_ok(serial_from_octets(octets, len, &from_octets));
		assert_ok(
		    serial_from_decimal(decimal, strlen(decimal), &serial));
		assert_int_equal(serial_compare(&serial, &from_octets), 0);
		OPENSSL_free(decimal);
	}
}

static void
test_octets(void **state)
{
	static const unsigned char large[21] = { 0, 0x80 };
	struct serial a, b;

	(void)state;
	assert_refused(CA_R_INPUT,
	    serial_from_octets((const unsigned char *)"\xff", 1, &a));
	assert_refused(
	    CA_R_INPUT, serial_from_octets((const unsigned char *)"\0", 1, &a));
	assert_refused(
	    CA_R_INPUT, serial_from_octets((const unsigned char *)"", 0, &a));
	assert_refused(CA_R_INPUT, serial_from_octets(large, 21, &a));
	/* The longer is the larger, whatever its octets are. */
	assert_ok(serial_from_hex("ff", 2, &a));
	assert_ok(serial_from_hex("0100", 4, &b));
	assert_true(serial_compare(&a, &b) < 0);
	assert_ok(serial_from_hex("010000", 6, &a));
	assert_true(serial_compare(&a, &b) > 0);
}

static void
test_dates(void **state)
{
	static const char *const bad[] = { "", "2611201200Z", "261120120000",
		"261120120000z", "26112012000aZ", "261320120000Z",
		"260230120000Z", "261120126000Z", "261120120060Z",
		"20261120120000", "00001120120000Z", "26-120120000Z" };
	int64_t date = 5;
	char text[DATE_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_refused(
		    CA_R_INPUT, asn1_date_parse(bad[i], strlen(bad[i]), &date));
	assert_int_equal(date, 5);
	assert_ok(asn1_date_parse("491231235959Z", 13, &date));
	date_format(date, text);
	assert_string_equal(text, "2049-12-31T23:59:59Z");
	assert_ok(asn1_date_parse("990101000000Z", 13, &date));
	assert_int_equal(date, REVOCATION_OLDEST);
	assert_ok(asn1_date_parse("20500101000000Z", 15, &date));
	date_format(date, text);
	assert_string_equal(text, "2050-01-01T00:00:00Z");
}

/* ---- lists -------------------------------------------------------------- */

static void
put(struct listing *listing, const char *hex, size_t line)
{
	struct listed row = {
		.date = NOW,
		.reason = REASON_SUPERSEDED,
		.ca = -1,
		.line = line,
	};

	assert_ok(serial_from_hex(hex, strlen(hex), &row.serial));
	assert_ok(listing_add(listing, &row));
}

static void
test_listing(void **state)
{
	AUTO_STRUCT(listing) listing = { 0 };
	struct serial serial;

	(void)state;
	assert_ok(listing_sort(&listing));
	assert_ok(serial_from_hex("0100", 4, &serial));
	assert_null(listing_find(&listing, &serial));
	put(&listing, "0100", 1);
	put(&listing, "ff", 2);
	put(&listing, "7f", 3);
	put(&listing, "ff", 4);
	assert_ok(listing_sort(&listing));
	assert_int_equal(listing.rows[0].line, 3);
	assert_int_equal(listing.rows[1].line, 2);
	assert_int_equal(listing.rows[2].line, 4);
	assert_int_equal(listing.rows[3].line, 1);
	assert_ptr_equal(listing_find(&listing, &serial), &listing.rows[3]);
	listing.rows[1].drop = true;
	assert_int_equal(listing_drop(&listing), 1);
	assert_int_equal(listing.count, 3);
	assert_ok(serial_from_hex("ee", 2, &serial));
	assert_null(listing_find(&listing, &serial));
}

static void
assert_text(const struct spilled *text, const char *wanted)
{
	assert_int_equal(text->len, strlen(wanted));
	assert_string_equal((const char *)text->data, wanted);
}

static int
keep_listed(void *ctx, const struct listed *row)
{
	return listing_add(ctx, row);
}

/* Sorted in place, and stable: every row is there once, where it belongs. */
static void
test_sort_many(void **state)
{
	enum { ROWS = 5000, SERIALS = 1000 };
	AUTO_STRUCT(listing) listing = { 0 };
	bool seen[ROWS + 1] = { false };
	char hex[16];

	(void)state;
	for (unsigned i = 1; i <= ROWS; i++) {
		(void)snprintf(
		    hex, sizeof(hex), "%x", i * 2654435761u % SERIALS + 1);
		put(&listing, hex, i);
		listing.rows[i - 1].expires = i;
	}
	assert_ok(listing_sort(&listing));
	assert_int_equal(listing.count, ROWS);
	for (size_t i = 0; i < ROWS; i++) {
		const struct listed *row = &listing.rows[i];
		int order =
		    i == 0 ? -1 : serial_compare(&row[-1].serial, &row->serial);

		assert_true(
		    order < 0 || (order == 0 && row[-1].line < row->line));
		assert_int_equal(row->expires, row->line);
		assert_false(seen[row->line]);
		seen[row->line] = true;
	}
}

static void
test_texts(void **state)
{
	AUTO_STRUCT(listing) listing = { 0 };
	AUTO_STRUCT(listing) back = { 0 };
	AUTO_STRUCT(spilled) text = { .fd = -1 };
	AUTO_STRUCT(spilled) issued = { .fd = -1 };

	(void)state;
	put(&listing, "7f", 1);
	put(&listing, "80", 2);
	listing.rows[0].reason = REASON_NONE;
	listing.rows[1].invalidity = NOW - 1;
	listing.rows[1].expires = NOW + 1;
	assert_ok(listing_revocations_text(&listing, AT_FDCWD, &text));
	assert_text(&text,
	    "ca-tool-revocations-1\n"
	    "7f 2027-01-15T08:00:00Z unspecified - -\n"
	    "0080 2027-01-15T08:00:00Z superseded 2027-01-15T07:59:59Z "
	    "2027-01-15T08:00:01Z\n");
	listing.rows[0].ca = 0;
	listing.rows[1].ca = 1;
	listing.rows[1].has_sha256 = true;
	memset(listing.rows[1].sha256, 0xaa, 32);
	put(&listing, "81", 3);
	assert_ok(listing_issued_text(&listing, AT_FDCWD, &issued));
	assert_ok(issued_text_each(&issued, keep_listed, &back));
	assert_int_equal(back.count, 3);
	assert_int_equal(back.rows[0].ca, 0);
	assert_int_equal(back.rows[1].ca, 1);
	assert_int_equal(back.rows[2].ca, -1);
	assert_int_equal(back.rows[1].expires, NOW + 1);
	assert_true(back.rows[1].has_sha256);
	assert_memory_equal(back.rows[1].sha256, listing.rows[1].sha256, 32);
	assert_false(back.rows[2].has_sha256);
	assert_text(&issued,
	    "ca-tool-issued-1\n"
	    "7f - ee -\n"
	    "0080 2027-01-15T08:00:01Z ca " DIGEST_A "\n"
	    "0081 - - -\n");
}

static void
test_texts_broken(void **state)
{
	static const char *const bad[] = { "", "ca-tool-issued-2\n",
		"ca-tool-issued-1\n7f - ee -", "ca-tool-issued-1\n7f - ee\n",
		"ca-tool-issued-1\nxx - ee -\n",
		"ca-tool-issued-1\n7f yesterday ee -\n",
		"ca-tool-issued-1\n7f - ee 00\n",
		"ca-tool-issued-1\n7f - ee - -\n" };
	struct serial serial;
	struct listed row;
	bool found = false;

	(void)state;
	assert_ok(serial_from_hex("7f", 2, &serial));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		AUTO_STRUCT(listing) listing = { 0 };
		AUTO_CHARS(copy) = text_copy(bad[i]);
		const struct spilled text = { .data = (unsigned char *)copy,
			.len = strlen(bad[i]) };

		assert_refused(CA_R_CORRUPT,
		    issued_text_each(&text, keep_listed, &listing));
		assert_int_equal(listing.count, 0);
		assert_refused(CA_R_CORRUPT,
		    issued_text_find(&text, &serial, &found, &row));
		assert_false(found);
	}
}

/* Every row of a list that is partly in a file, and none that is not there. */
static void
test_text_find(void **state)
{
	enum { ROWS = 20000, STEP = 7 };
	AUTO_STRUCT(listing) listing = { 0 };
	AUTO_STRUCT(spilled) text = { .fd = -1 };
	struct listed row;
	char hex[16];
	bool found;

	(void)state;
	for (unsigned i = 1; i <= ROWS; i++) {
		(void)snprintf(hex, sizeof(hex), "%x", i * STEP);
		put(&listing, hex, i);
		if (i % 3 != 0)
			listing.rows[i - 1].expires = NOW + i;
	}
	assert_ok(listing_issued_text(&listing, AT_FDCWD, &text));
	assert_true(text.mapped);
	for (unsigned i = 1; i < (ROWS + 1) * STEP; i++) {
		struct serial serial;

		(void)snprintf(hex, sizeof(hex), "%x", i);
		assert_ok(serial_from_hex(hex, strlen(hex), &serial));
		assert_ok(issued_text_find(&text, &serial, &found, &row));
		assert_int_equal(found, i % STEP == 0);
		if (found)
			assert_int_equal(row.expires,
			    i / STEP % 3 == 0 ? 0 : NOW + i / STEP);
	}
}

/* ---- a CA beside ---------------------------------------------------------- */

struct ca {
	EVP_PKEY *key;
	X509 *certificate;
};

static void
add_extension(X509 *certificate, int nid, const char *value)
{
	X509V3_CTX ctx;
	AUTO(X509_EXTENSION) *extension = NULL;

	X509V3_set_ctx(&ctx, certificate, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert_non_null(extension);
	assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
}

static X509 *
make_certificate(const struct ca *ca, EVP_PKEY *key, const char *name,
    uint64_t serial, bool is_ca)
{
	X509 *certificate = X509_new();
	X509_NAME *subject;

	assert_non_null(certificate);
	assert_int_equal(X509_set_version(certificate, 2), 1);
	assert_int_equal(
	    ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial),
	    1);
	subject = X509_get_subject_name(certificate);
	assert_int_equal(
	    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
		(const unsigned char *)name, -1, -1, 0),
	    1);
	assert_int_equal(X509_set_issuer_name(certificate,
			     ca->certificate == NULL
				 ? subject
				 : X509_get_subject_name(ca->certificate)),
	    1);
	assert_non_null(X509_time_adj_ex(
	    X509_getm_notBefore(certificate), 0, 0, &(time_t){ NOW - 86400 }));
	assert_non_null(X509_time_adj_ex(
	    X509_getm_notAfter(certificate), 300, 0, &(time_t){ NOW }));
	assert_int_equal(X509_set_pubkey(certificate, key), 1);
	add_extension(certificate, NID_basic_constraints,
	    is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
	if (is_ca)
		add_extension(
		    certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
	add_extension(certificate, NID_subject_key_identifier, "hash");
	assert_true(X509_sign(certificate, ca->key, EVP_sha256()) > 0);
	return certificate;
}

static void
make_ca(struct ca *ca, const char *name)
{
	ca->certificate = NULL;
	ca->key = EVP_EC_gen("P-256");
	assert_non_null(ca->key);
	ca->certificate = make_certificate(ca, ca->key, name, 77, true);
}

static void
free_ca(struct ca *ca)
{
	EVP_PKEY_free(ca->key);
	X509_free(ca->certificate);
}

/* ---- a build over an empty journal, and an issuer --------------------------- */

struct fixture {
	char dir[40];
	struct journal *journal;
	struct findings findings;
	struct ca ca;
	struct issuer_view issuer;
	struct build build;
	struct step step;
	struct import_params params;
	struct input input;
	struct import import;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return -1;
	ca_error_clear();
	(void)snprintf(f->dir, sizeof(f->dir), "test-revocations-XXXXXX");
	if (mkdtemp(f->dir) == NULL || journal_create(f->dir, &f->journal) < 0)
		return -1;
	make_ca(&f->ca, "CA");
	f->issuer.found = f->issuer.adopted = true;
	f->issuer.certificate = f->ca.certificate;
	if (certificate_facts(f->ca.certificate, &f->issuer.facts) < 0)
		return -1;
	f->issuer.dn = sha256_hex(
	    f->issuer.facts.subject_der, f->issuer.facts.subject_len);
	f->build = (struct build){ .journal = f->journal,
		.scratch_fd = AT_FDCWD,
		.public_fd = -1,
		.now = NOW,
		.findings = &f->findings };
	f->step.kind = &step_import_revocations;
	f->step.params = &f->params;
	*state = f;
	return journal_append(f->journal, ENTRY_GENESIS,
	    json_pack("{s:s, s:i, s:{s:s}, s:s}", "authority", "example",
		"format", 1, "token", "label", "x", "tool", "0"),
	    "a test", NULL);
}

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	import_clear(&f->import);
	build_clear(&f->build);
	findings_clear(&f->findings);
	certificate_facts_clear(&f->issuer.facts);
	free(f->issuer.dn);
	free_ca(&f->ca);
	journal_free(f->journal);
	(void)nftw(f->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(f);
	return 0;
}

/* What the CA issued may be anything: a revocation needs no reason. */
static void
below_root(struct fixture *f)
{
	f->issuer.facts.self_issued = false;
}

/* Read, and hold against the journal. */
static void
import_octets(struct fixture *f, const char *format, bool issued,
    const unsigned char *data, size_t len)
{
	union {
		const unsigned char *from;
		unsigned char *to;
	} octets = { data };

	import_clear(&f->import);
	findings_clear(&f->findings);
	f->params = (struct import_params){ .issuer = (char[]){ "ca" },
		.format = NULL,
		.file = (char[]){ "list" } };
	f->input = (struct input){ .role = INPUT_BULK,
		.given = f->params.file,
		.data = octets.to,
		.len = len };
	f->import = (struct import){ .build = &f->build,
		.step = &f->step,
		.params = &f->params,
		.format = import_format_by_name(format),
		.issuer = &f->issuer,
		.input = &f->input,
		.issued = issued,
		.faults = { .findings = &f->findings } };
	assert_ok(f->import.format->read(&f->import));
	if (f->import.faults.count > 0)
		return;
	assert_ok(listing_sort(&f->import.listing));
	assert_ok(import_check(&f->import));
}

static void
import_text(
    struct fixture *f, const char *format, bool issued, const char *text)
{
	import_octets(
	    f, format, issued, (const unsigned char *)text, strlen(text));
}

/* ---- CSV -------------------------------------------------------------------- */

#define CSV_HEAD "serial,date,reason,expires\n"
#define CSV_GOOD "0a,2026-01-01T00:00:00Z,superseded,2028-01-01T00:00:00Z\n"

static void
test_csv(void **state)
{
	struct fixture *f = *state;
	const struct listed *row;

	below_root(f);
	import_text(f, "csv", false,
	    "\xef\xbb\xbfreason,\"serial\",date,invalidity\r\n"
	    "keyCompromise,\"0B\",2026-01-01T00:00:00Z,-\r\n"
	    "\r\n"
	    ",0a,2026-01-02T00:00:00Z,2026-01-01T00:00:00Z");
	assert_quiet(&f->findings);
	assert_int_equal(f->import.listing.count, 2);
	row = f->import.listing.rows;
	assert_int_equal(row[0].serial.octets[0], 0x0a);
	assert_int_equal(row[0].reason, REASON_NONE);
	assert_int_equal(row[0].line, 4);
	assert_int_equal(row[0].date - row[0].invalidity, 86400);
	assert_int_equal(row[1].reason, REASON_KEY_COMPROMISE);
	assert_int_equal(row[1].line, 2);
	import_text(f, "csv", true,
	    "serial-decimal,expires,ca,sha256\n"
	    "255,,ee," DIGEST_A "\n"
	    "16,2028-01-01T00:00:00Z,ca,-\n");
	assert_quiet(&f->findings);
	row = f->import.listing.rows;
	assert_int_equal(row[0].serial.octets[0], 16);
	assert_int_equal(row[0].ca, 1);
	assert_int_equal(row[1].serial.octets[1], 255);
	assert_int_equal(row[1].expires, 0);
	assert_true(row[1].has_sha256);
}

static void
test_csv_refused(void **state)
{
	static const struct {
		const char *text, *id, *place;
	} bad[] = {
		{ "", "IMPORT-CSV", "list" },
		{ "serial,date,colour\n", "IMPORT-CSV", "list, line 1" },
		{ "serial,date,ca\n", "IMPORT-CSV", "list, line 1" },
		{ "serial,date,date\n", "IMPORT-CSV", "list, line 1" },
		{ "serial,serial-hex,date\n", "IMPORT-CSV", "list, line 1" },
		{ "serial,reason\n", "IMPORT-CSV", "list, line 1" },
		{ "date\n", "IMPORT-CSV", "list, line 1" },
		{ CSV_GOOD, "IMPORT-CSV", "list, line 1" },
		{ CSV_HEAD "0a,2026-01-01T00:00:00Z,superseded\n", "IMPORT-CSV",
		    "list, line 2" },
		{ CSV_HEAD CSV_GOOD "0b,2026-01-01T00:00:00Z,superseded,,\n",
		    "IMPORT-CSV", "list, line 3" },
		{ CSV_HEAD "0\"a,2026-01-01T00:00:00Z,superseded,\n",
		    "IMPORT-CSV", "list, line 2" },
		{ CSV_HEAD "0x0a,2026-01-01T00:00:00Z,superseded,\n",
		    "SERIAL-FORM", "list, line 2" },
		{ CSV_HEAD ",2026-01-01T00:00:00Z,superseded,\n", "SERIAL-FORM",
		    "list, line 2" },
		{ CSV_HEAD "0a,yesterday,superseded,\n", "DATE",
		    "list, line 2" },
		{ CSV_HEAD "0a,,superseded,\n", "DATE", "list, line 2" },
		{ CSV_HEAD "0a,2026-01-01,superseded,\n", "DATE",
		    "list, line 2" },
		{ CSV_HEAD "0a,2026-01-01T00:00:00Z,superseded,never\n", "DATE",
		    "list, line 2" },
		{ CSV_HEAD "0a,2027-01-15T08:00:01Z,superseded,\n",
		    "CRL-ENTRY-DATE", "list, line 2" },
		{ CSV_HEAD "0a,1998-12-31T23:59:59Z,superseded,\n",
		    "CRL-ENTRY-DATE", "list, line 2" },
		{ CSV_HEAD "0a,2026-01-01T00:00:00Z,certificateHold,\n",
		    "CRL-REASON-SET", "list, line 2" },
		{ CSV_HEAD "0a,2026-01-01T00:00:00Z,removeFromCRL,\n",
		    "CRL-REASON-SET", "list, line 2" },
		{ CSV_HEAD "0a,2026-01-01T00:00:00Z,1,\n", "CRL-REASON-SET",
		    "list, line 2" },
		{ "serial,date,invalidity\n"
		  "0a,2026-01-01T00:00:00Z,2026-01-01T00:00:01Z\n",
		    "CRL-INVALIDITY", "list, line 2" },
		{ "serial,date,invalidity\n"
		  "0a,2026-01-01T00:00:00Z,1998-12-31T23:59:59Z\n",
		    "CRL-INVALIDITY", "list, line 2" },
		{ CSV_HEAD CSV_GOOD CSV_GOOD, "CRL-NO-DUP-SERIAL",
		    "list, line 3" },
		{ CSV_HEAD CSV_GOOD "00000A,2026-01-01T00:00:00Z,superseded,\n",
		    "CRL-NO-DUP-SERIAL", "list, line 3" },
		{ CSV_HEAD "0a\x01\xff,2026-01-01T00:00:00Z,superseded,\n",
		    "IMPORT-LINE", "list, line 2" },
		/* the issuer's own */
		{ "serial-hex,date\n4d,2026-01-01T00:00:00Z\n", "REVOKE-ROOT",
		    "list, line 2" },
		/* decimal or hex? */
		{ "serial,date\n10,2026-01-01T00:00:00Z\n"
		  "11,2026-01-01T00:00:00Z\n",
		    "SERIAL-RADIX", "list, line 1" },
		{ CSV_HEAD CSV_GOOD "123456789012345678901234567890123456,"
				    "2026-01-01T00:00:00Z,superseded,\n",
		    "SERIAL-RADIX", "list, line 3" },
		{ "serial-decimal,date\n1a,2026-01-01T00:00:00Z\n",
		    "SERIAL-FORM", "list, line 2" },
		{ "serial-hex,date\n"
		  "123456789012345678901234567890123456789012345678,"
		  "2026-01-01T00:00:00Z\n",
		    "SERIAL-FORM", "list, line 2" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		import_text(f, "csv", false, bad[i].text);
		assert_only(&f->findings, bad[i].id, bad[i].place);
	}
	/* A NUL octet ends no line. */
	import_octets(f, "csv", false,
	    (const unsigned char *)"serial,date\n0a\0,2026-01-01T00:00:00Z\n",
	    36);
	assert_only(&f->findings, "IMPORT-LINE", "list, line 2");
}

static void
test_csv_issued_refused(void **state)
{
	static const struct {
		const char *text, *id;
	} bad[] = {
		{ "serial,date\n", "IMPORT-CSV" },
		{ "serial-hex,ca\n0a,yes\n", "IMPORT-LINE" },
		{ "serial-hex,sha256\n0a,abcd\n", "IMPORT-LINE" },
		{ "serial-hex,sha256\n0a," DIGEST_A "a\n", "IMPORT-LINE" },
		{ "serial-hex,expires\n0a,261120120000Z\n", "DATE" },
		{ "serial-hex\n0a\n0A\n", "CRL-NO-DUP-SERIAL" },
		{ "serial\n10\n", "SERIAL-RADIX" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		import_text(f, "csv", true, bad[i].text);
		assert_only(&f->findings, bad[i].id, NULL);
	}
}

/* Of an issuer whose certificates are all made here, nothing else is known. */
static void
test_unknown(void **state)
{
	struct fixture *f = *state;

	f->issuer.adopted = false;
	import_text(f, "csv", false, CSV_HEAD CSV_GOOD);
	assert_only(&f->findings, "SERIAL-UNKNOWN", "list, line 2");
}

/* A hundred faults are told, and that there are more. */
static void
test_many_faults(void **state)
{
	struct fixture *f = *state;
	AUTO(BIO) *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	long len;

	assert_true(BIO_puts(bio, CSV_HEAD) > 0);
	for (int i = 0; i < 5000; i++)
		assert_true(BIO_printf(bio, "%d,never,x,\n", i + 1) > 0);
	len = BIO_get_mem_data(bio, &text);
	import_octets(
	    f, "csv", false, (const unsigned char *)text, (size_t)len);
	assert_int_equal(f->findings.count, 101);
	assert_int_equal(
	    count_findings(&f->findings, "IMPORT-FAULTS", NULL), 1);
	assert_int_equal(f->import.faults.count, 10000);
}

/* ---- a million -------------------------------------------------------------- */

enum { MILLION = 1000000 };

static double
seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* In no order: the serials are spread. */
static char *
million_lines(size_t broken, size_t *ret_len)
{
	char *text = malloc((size_t)MILLION * 100);
	size_t len = 0;

	assert_non_null(text);
	len += (size_t)sprintf(text, CSV_HEAD);
	for (size_t i = 0; i < MILLION; i++)
		len += (size_t)sprintf(text + len,
		    "%016zx%016zx,2026-01-01T00:00:00Z,%s,\n",
		    (((i + 1) * 0x9e3779b97f4a7c15U) >> 1), i,
		    i == broken ? "certificateHold" : "superseded");
	*ret_len = len;
	return text;
}

static void
test_million(void **state)
{
	struct fixture *f = *state;
	struct revocations_act act = { .kind = "import-revocations",
		.issuer = "ca",
		.issuer_dn = f->issuer.dn,
		.source = "csv",
		.summary = "revoke" };
	size_t len = 0;
	AUTO_CHARS(text) = million_lines(SIZE_MAX, &len);
	double start = seconds();
	bool revoked = false;

	import_octets(f, "csv", false, (const unsigned char *)text, len);
	assert_quiet(&f->findings);
	assert_int_equal(f->import.listing.count, MILLION);
	assert_ok(
	    revocations_add_act(&f->build, &f->step, &act, &f->import.listing));
	print_message("%.1f s for a million lines\n", seconds() - start);
	assert_int_equal(f->build.acts[0].revoked_count, MILLION);
	assert_true(f->build.acts[0].list.len > (size_t)MILLION * 60);
	assert_true(strlen(f->build.acts[0].text) < 1000);
	assert_true(strlen(f->build.acts[0].details) < 4000);
	assert_ok(build_is_revoked(
	    &f->build, f->issuer.dn, "1", &revoked)); /* its low half */
	assert_false(revoked);
	assert_ok(build_is_revoked(&f->build, f->issuer.dn,
	    "4f1bbcdcbfa53e0a0000000000000000", &revoked));
	assert_true(revoked);
	assert_ok(build_is_revoked(
	    &f->build, DIGEST_A, "4f1bbcdcbfa53e0a0000000000000000", &revoked));
	assert_false(revoked);
	/* The same once more in the plan: every line, a hundred told. */
	import_octets(f, "csv", false, (const unsigned char *)text, len);
	assert_int_equal(f->import.faults.count, MILLION);
	assert_int_equal(f->findings.count, 101);
	assert_int_equal(
	    count_findings(&f->findings, "REVOKED-ALREADY", NULL), 100);
}

/*
 * Thousands of steps that revoke one certificate each, behind one that takes in
 * a long list: each looks at the list and at all steps before.
 */
static void
test_many_steps(void **state)
{
	enum { ROWS = 100000, STEPS = 5000, SECONDS = 10 };
	struct fixture *f = *state;
	AUTO_STRUCT(listing) listing = { 0 };
	struct revocations_act act = { .kind = "import-issued",
		.issuer = "ca",
		.issuer_dn = f->issuer.dn,
		.source = "csv",
		.summary = "take in" };
	double start;
	char hex[16];

	for (unsigned i = 0; i < ROWS; i++) {
		(void)snprintf(hex, sizeof(hex), "4%07x", 2 * i);
		put(&listing, hex, i);
		listing.rows[i].expires = NOW + i;
	}
	assert_ok(issued_add_act(&f->build, &f->step, &act, &listing));
	start = seconds();
	for (unsigned i = 0; i < STEPS; i++) {
		struct built_act one = { .entry = ENTRY_REVOKED };
		struct listed row = { .ca = -1 }, known;
		bool found = false;

		(void)snprintf(hex, sizeof(hex), "4%07x", i);
		assert_ok(serial_from_hex(hex, strlen(hex), &row.serial));
		assert_null(
		    planned_revocation(&f->build, f->issuer.dn, &row.serial));
		assert_ok(planned_issued(
		    &f->build, f->issuer.dn, &row.serial, &found, &known));
		assert_int_equal(found, i % 2 == 0);
		if (found)
			assert_int_equal(known.expires, NOW + i / 2);
		assert_ok(planned_issued(
		    &f->build, DIGEST_A, &row.serial, &found, &known));
		assert_false(found);
		one.kind = strdup("revoke");
		one.summary = strdup("a test");
		one.data = json_pack("{s:s}", "issuer_dn", f->issuer.dn);
		assert_ok(listed_plan(&row, &one));
		assert_ok(build_add_act(&f->build, &one));
		assert_non_null(
		    planned_revocation(&f->build, f->issuer.dn, &row.serial));
		assert_null(
		    planned_revocation(&f->build, DIGEST_A, &row.serial));
	}
	print_message("%.2f s for %d steps\n", seconds() - start, STEPS);
	assert_true(seconds() - start < SECONDS);
}

static void
test_million_one_bad(void **state)
{
	struct fixture *f = *state;
	size_t len = 0;
	AUTO_CHARS(text) = million_lines(654321, &len);

	import_octets(f, "csv", false, (const unsigned char *)text, len);
	assert_only(&f->findings, "CRL-REASON-SET", "list, line 654323");
}

/* ---- index.txt ---------------------------------------------------------------- */

#define INDEX_V "V\t280101000000Z\t\t0A\tunknown\t/CN=a\n"
#define INDEX_R \
	"R\t280101000000Z\t260101000000Z,superseded\t0B\tunknown\t/CN=b\n"
#define INDEX_E "E\t20200101000000Z\t\t0C\tunknown\t/CN=c\\\td\n"

static void
test_index(void **state)
{
	struct fixture *f = *state;
	const struct listed *row;

	below_root(f);
	import_text(f, "index.txt", false,
	    "# made by hand\n" INDEX_V INDEX_R INDEX_E
	    "R\t280101000000Z\t260101000000Z\t10\tunknown\t/CN=d\n"
	    "R\t280101000000Z\t260101000000Z,keyTime,20251231000000Z\t11\t"
	    "unknown\t/CN=e");
	assert_quiet(&f->findings);
	assert_int_equal(f->import.listing.count, 3);
	assert_int_equal(f->import.passed_over, 2);
	row = f->import.listing.rows;
	assert_int_equal(row[0].reason, REASON_SUPERSEDED);
	assert_int_equal(row[0].line, 3);
	assert_int_equal(row[1].serial.octets[0], 0x10); /* hex, always */
	assert_int_equal(row[1].reason, REASON_NONE);
	assert_int_equal(row[2].reason, REASON_KEY_COMPROMISE);
	assert_int_equal(row[2].date - row[2].invalidity, 86400);
	import_text(f, "index.txt", true, INDEX_V INDEX_R INDEX_E);
	assert_quiet(&f->findings);
	assert_int_equal(f->import.listing.count, 3);
	assert_int_equal(f->import.listing.rows[0].ca, -1);
}

/* Under a root it may be a CA: then a reason is needed (CRL-REASON-CA). */
static void
test_root_reason(void **state)
{
	struct fixture *f = *state;
	static const struct {
		signed char ca;
		enum revocation_reason reason;
		bool root, lacks;
	} cases[] = {
		{ 1, REASON_NONE, true, true },
		{ 1, REASON_NONE, false, true },
		{ -1, REASON_NONE, true, true },
		{ -1, REASON_NONE, false, false },
		{ 0, REASON_NONE, true, false },
		{ 1, REASON_SUPERSEDED, true, false },
		{ -1, REASON_SUPERSEDED, true, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct listed row = { .ca = cases[i].ca,
			.reason = cases[i].reason };

		f->issuer.facts.self_issued = cases[i].root;
		assert_int_equal(
		    revocation_lacks_reason(&f->issuer, &row), cases[i].lacks);
	}
	f->issuer.facts.self_issued = true;
	import_text(f, "csv", false, CSV_HEAD "0a,2026-01-01T00:00:00Z,,\n");
	assert_only(&f->findings, "CRL-REASON-CA", "list, line 2");
}

static void
test_index_refused(void **state)
{
	static const struct {
		const char *text, *id;
	} bad[] = {
		{ "V\t280101000000Z\t\t0A\tunknown\n", "IMPORT-INDEX" },
		{ "V\t280101000000Z\t\t0A\tunknown\t/CN=a\t\n",
		    "IMPORT-INDEX" },
		{ "V 280101000000Z  0A unknown /CN=a\n", "IMPORT-INDEX" },
		{ "X\t280101000000Z\t\t0A\tunknown\t/CN=a\n", "IMPORT-INDEX" },
		{ "\t280101000000Z\t\t0A\tunknown\t/CN=a\n", "IMPORT-INDEX" },
		{ "V\t280101000000Z\t260101000000Z\t0A\tunknown\t/CN=a\n",
		    "IMPORT-INDEX" },
		{ "R\t280101000000Z\t\t0A\tunknown\t/CN=a\n", "IMPORT-INDEX" },
		{ "R\t\t260101000000Z\t0A\tunknown\t/CN=a\n", "DATE" },
		{ "R\t280101000000Z\t2601010000Z\t0A\tunknown\t/CN=a\n",
		    "DATE" },
		{ "R\t280101000000Z\t280101000000Z\t0A\tunknown\t/CN=a\n",
		    "CRL-ENTRY-DATE" },
		{ "R\t280101000000Z\t260101000000Z\t\tunknown\t/CN=a\n",
		    "SERIAL-FORM" },
		{ "R\t280101000000Z\t260101000000Z\t-0A\tunknown\t/CN=a\n",
		    "SERIAL-FORM" },
		{ "R\t280101000000Z\t260101000000Z,holdInstruction,"
		  "holdInstructionCallIssuer\t0A\tunknown\t/CN=a\n",
		    "CRL-REASON-NOHOLD" },
		{ "R\t280101000000Z\t260101000000Z,certificateHold\t0A\t"
		  "unknown\t/CN=a\n",
		    "CRL-REASON-SET" },
		{ "R\t280101000000Z\t260101000000Z,CAkeyTime,20251231000000Z"
		  "\t0A\tunknown\t/CN=a\n",
		    "CRL-REASON-SET" },
		{ "R\t280101000000Z\t260101000000Z,keyTime,\t0A\tunknown\t"
		  "/CN=a\n",
		    "DATE" },
		{ "R\t280101000000Z\t260101000000Z,superseded,x\t0A\tunknown\t"
		  "/CN=a\n",
		    "IMPORT-INDEX" },
		{ INDEX_R INDEX_R, "CRL-NO-DUP-SERIAL" },
		{ INDEX_R "garbage\n", "IMPORT-INDEX" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		import_text(f, "index.txt", false, bad[i].text);
		assert_only(&f->findings, bad[i].id, NULL);
		assert_non_null(
		    strstr(f->findings.rows[0].place, "list, line"));
	}
}

/* ---- what an earlier step took in ---------------------------------------------- */

static void
test_planned_issued(void **state)
{
	struct fixture *f = *state;
	AUTO_STRUCT(listing) taken = { 0 };
	struct revocations_act act = { .kind = "import-issued",
		.issuer = "ca",
		.issuer_dn = f->issuer.dn,
		.source = "index.txt",
		.summary = "take in" };

	below_root(f);
	f->issuer.adopted = false;
	put(&taken, "0a", 1);
	put(&taken, "0b", 2);
	taken.rows[0].expires = NOW + 5;
	taken.rows[1].ca = 1;
	assert_ok(issued_add_act(&f->build, &f->step, &act, &taken));
	import_text(f, "csv", false, "serial,date\n0a,2026-01-01T00:00:00Z\n");
	assert_quiet(&f->findings);
	assert_int_equal(f->import.listing.rows[0].expires, NOW + 5);
	import_text(f, "csv", false,
	    "serial,date,expires\n"
	    "0a,2026-01-01T00:00:00Z,2029-01-01T00:00:00Z\n");
	assert_only(&f->findings, "IMPORT-EXPIRES", "list, line 2");
	import_text(f, "csv", false, "serial,date\n0b,2026-01-01T00:00:00Z\n");
	assert_only(&f->findings, "CRL-REASON-CA", "list, line 2");
	import_text(f, "csv", true, "serial\n0c\n0b\n");
	assert_only(&f->findings, "ISSUED-ALREADY", "list, line 3");
}

/* ---- ends that a CRL goes by ---------------------------------------------------- */

/* What is revoked leaves its CRL by its end: no list may bring that forward. */
static void
test_issued_ends(void **state)
{
	struct fixture *f = *state;
	struct revocations_act act = { .kind = "import-revocations",
		.issuer = "ca",
		.issuer_dn = f->issuer.dn,
		.source = "csv",
		.summary = "revoke" };
	AUTO_STRUCT(listing) revoked = { 0 };
	char list[65];

	put_set(f->journal, SOME_SET, "a set");
	put_run(f->journal, RUN_1, "p", SOME_SET, NULL);
	(void)put_evidence(f->journal,
	    "ca-tool-revocations-1\n"
	    "0a 2026-01-01T00:00:00Z superseded - 2030-01-01T00:00:00Z\n"
	    "0b 2026-01-01T00:00:00Z superseded - -\n",
	    list);
	put_entry(f->journal, ENTRY_REVOCATIONS,
	    json_pack("{s:s, s:s, s:s, s:i, s:s, s:s, s:s}", "run", RUN_1,
		"issuer", "ca", "issuer_dn", f->issuer.dn, "count", 2, "list",
		list, "source", "csv", "cause", "plan"));
	import_text(
	    f, "csv", true, "serial-hex,expires\n0a,2026-06-01T00:00:00Z\n");
	assert_only(&f->findings, "ISSUED-DIFFERS", "list, line 2");
	import_text(
	    f, "csv", true, "serial-hex,expires\n0a,2030-01-01T00:00:00Z\n");
	assert_quiet(&f->findings);
	/* Not known before: said, for it cannot be undone. */
	import_text(
	    f, "csv", true, "serial-hex,expires\n0b,2026-06-01T00:00:00Z\n");
	assert_int_equal(f->findings.errors, 0);
	assert_int_equal(f->findings.count, 1);
	assert_string_equal(f->findings.rows[0].id, "ISSUED-LEAVING");
	import_text(
	    f, "csv", true, "serial-hex,expires\n0b,2030-01-01T00:00:00Z\n");
	assert_quiet(&f->findings);
	/* Nor may what this plan revokes be given another end. */
	put(&revoked, "0c", 1);
	revoked.rows[0].date = NOW;
	revoked.rows[0].expires = NOW + 5;
	assert_ok(revocations_add_act(&f->build, &f->step, &act, &revoked));
	import_text(
	    f, "csv", true, "serial-hex,expires\n0c,2030-01-01T00:00:00Z\n");
	assert_only(&f->findings, "ISSUED-DIFFERS", "list, line 2");
}

/* ---- CRLs ---------------------------------------------------------------------- */

/* What is odd about a CRL that a test makes. */
struct crl_shape {
	const struct ca *signer; /* NULL: the issuer */
	const char *issuer;      /* its name; NULL: the issuer's */
	int reason;              /* of entry 2; -1: none */
	time_t date;             /* of entry 2; 0: good */
	time_t made;             /* 0: good */
	bool twice, delta, indirect, critical, of_other, negative, damaged;
	time_t invalidity; /* of entry 2; 0: none */
	bool two_reasons, two_invalidities;
};

static void
add_invalidity(X509_REVOKED *revoked, time_t date)
{
	ASN1_GENERALIZEDTIME *time = ASN1_GENERALIZEDTIME_set(NULL, date);

	assert_non_null(time);
	assert_int_equal(X509_REVOKED_add1_ext_i2d(revoked, NID_invalidity_date,
			     time, 0, X509V3_ADD_APPEND),
	    1);
	ASN1_GENERALIZEDTIME_free(time);
}

static void
add_entry(X509_CRL *crl, long serial, const struct crl_shape *shape, bool odd)
{
	X509_REVOKED *revoked = X509_REVOKED_new();
	AUTO(ASN1_INTEGER) *number = ASN1_INTEGER_new();
	AUTO(ASN1_TIME) *date = ASN1_TIME_set(
	    NULL, odd && shape->date != 0 ? shape->date : NOW - 1000);

	assert_non_null(revoked);
	assert_int_equal(ASN1_INTEGER_set(number, serial), 1);
	assert_int_equal(X509_REVOKED_set_serialNumber(revoked, number), 1);
	assert_int_equal(X509_REVOKED_set_revocationDate(revoked, date), 1);
	if (odd && shape->reason >= 0) {
		ASN1_ENUMERATED *code = ASN1_ENUMERATED_new();

		assert_int_equal(ASN1_ENUMERATED_set(code, shape->reason), 1);
		assert_int_equal(X509_REVOKED_add1_ext_i2d(
				     revoked, NID_crl_reason, code, 0, 0),
		    1);
		if (shape->two_reasons)
			assert_int_equal(
			    X509_REVOKED_add1_ext_i2d(revoked, NID_crl_reason,
				code, 0, X509V3_ADD_APPEND),
			    1);
		ASN1_ENUMERATED_free(code);
	}
	if (odd && shape->invalidity != 0)
		add_invalidity(revoked, shape->invalidity);
	if (odd && shape->two_invalidities)
		add_invalidity(revoked, shape->invalidity);
	if (odd && shape->of_other) {
		GENERAL_NAMES *names = GENERAL_NAMES_new();
		GENERAL_NAME *name = a2i_GENERAL_NAME(
		    NULL, NULL, NULL, GEN_DNS, "other.example", 0);

		assert_true(sk_GENERAL_NAME_push(names, name) > 0);
		assert_int_equal(X509_REVOKED_add1_ext_i2d(revoked,
				     NID_certificate_issuer, names, 1, 0),
		    1);
		GENERAL_NAMES_free(names);
	}
	assert_int_equal(X509_CRL_add0_revoked(crl, revoked), 1);
}

static void
add_oddities(X509_CRL *crl, const struct crl_shape *shape)
{
	AUTO(ASN1_INTEGER) *number = ASN1_INTEGER_new();

	assert_int_equal(ASN1_INTEGER_set(number, 5), 1);
	assert_int_equal(
	    X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0, 0), 1);
	if (shape->delta)
		assert_int_equal(
		    X509_CRL_add1_ext_i2d(crl, NID_delta_crl, number, 1, 0), 1);
	if (shape->indirect) {
		ISSUING_DIST_POINT *idp = ISSUING_DIST_POINT_new();

		idp->indirectCRL = 0xff;
		assert_int_equal(X509_CRL_add1_ext_i2d(crl,
				     NID_issuing_distribution_point, idp, 1, 0),
		    1);
		ISSUING_DIST_POINT_free(idp);
	}
	if (shape->critical)
		assert_int_equal(X509_CRL_add1_ext_i2d(
				     crl, NID_inhibit_any_policy, number, 1, 0),
		    1);
}

static void
make_crl(struct fixture *f, const struct crl_shape *shape,
    unsigned char **ret_der, size_t *ret_len)
{
	AUTO(X509_CRL) *crl = X509_CRL_new();
	AUTO(X509_NAME) *other = X509_NAME_new();
	AUTO(ASN1_TIME) *from =
	    ASN1_TIME_set(NULL, shape->made != 0 ? shape->made : NOW - 500);
	AUTO(ASN1_TIME) *until = ASN1_TIME_set(NULL, NOW + 500);
	int len;

	assert_int_equal(X509_CRL_set_version(crl, 1), 1);
	if (shape->issuer != NULL)
		assert_int_equal(
		    X509_NAME_add_entry_by_txt(other, "CN", MBSTRING_UTF8,
			(const unsigned char *)shape->issuer, -1, -1, 0),
		    1);
	assert_int_equal(X509_CRL_set_issuer_name(crl,
			     shape->issuer != NULL
				 ? other
				 : X509_get_subject_name(f->ca.certificate)),
	    1);
	assert_int_equal(X509_CRL_set1_lastUpdate(crl, from), 1);
	assert_int_equal(X509_CRL_set1_nextUpdate(crl, until), 1);
	add_entry(crl, 300, shape, false);
	add_entry(crl, shape->negative ? -5 : 20, shape, true);
	if (shape->twice)
		add_entry(crl, 300, shape, false);
	add_oddities(crl, shape);
	assert_true(X509_CRL_sign(crl,
			shape->signer != NULL ? shape->signer->key : f->ca.key,
			EVP_sha256()) > 0);
	*ret_der = NULL;
	len = i2d_X509_CRL(crl, ret_der);
	assert_true(len > 0);
	*ret_len = (size_t)len;
}

static void
import_shape(struct fixture *f, const struct crl_shape *shape)
{
	unsigned char *der = NULL;
	size_t len = 0;

	make_crl(f, shape, &der, &len);
	if (shape->damaged)
		der[len / 2] ^= 1;
	import_octets(f, "crl", false, der, len);
	OPENSSL_free(der);
}

static void
test_crl(void **state)
{
	struct fixture *f = *state;
	const struct crl_shape plain = { .reason = -1 };
	const struct crl_shape reason = { .reason = 1 };
	/* Behind the revocation, as others' CRLs have it: it stays so. */
	const struct crl_shape dated = { .reason = 1, .invalidity = NOW - 900 };
	const struct listed *row;

	below_root(f);
	import_shape(f, &reason);
	assert_quiet(&f->findings);
	assert_int_equal(f->import.listing.count, 2);
	row = f->import.listing.rows;
	assert_int_equal(row[0].serial.octets[0], 20);
	assert_int_equal(row[0].reason, REASON_KEY_COMPROMISE);
	assert_int_equal(row[0].date, NOW - 1000);
	assert_int_equal(row[1].serial.octets[1], 44);
	assert_int_equal(row[1].reason, REASON_NONE);
	assert_int_equal(row[1].line, 1);
	import_shape(f, &plain);
	assert_quiet(&f->findings);
	import_shape(f, &dated);
	assert_quiet(&f->findings);
	assert_int_equal(f->import.listing.rows[0].invalidity, NOW - 900);
}

static void
test_crl_refused(void **state)
{
	struct fixture *f = *state;
	struct ca other;
	const struct {
		const char *id, *place;
		struct crl_shape shape;
	} bad[] = {
		{ "CRL-ISSUER-BYTES", "list",
		    { .reason = -1, .issuer = "Another CA" } },
		{ "CRL-ISSUER-BYTES", "list",
		    { .reason = -1, .issuer = "ca" } },
		{ "CRL-SIGNATURE", "list", { .reason = -1, .signer = &other } },
		{ "CRL-NO-DELTA", "list", { .reason = -1, .delta = true } },
		{ "CRL-NO-INDIRECT", "list",
		    { .reason = -1, .indirect = true } },
		{ "IMPORT-CRL", "list", { .reason = -1, .critical = true } },
		{ "CRL-THISUPDATE", "list", { .reason = -1, .made = NOW + 1 } },
		{ "CRL-NO-DUP-SERIAL", "list, entry 3",
		    { .reason = -1, .twice = true } },
		{ "CRL-NO-INDIRECT", "list, entry 2",
		    { .reason = -1, .of_other = true } },
		{ "SERIAL-FORM", "list, entry 2",
		    { .reason = -1, .negative = true } },
		{ "CRL-REASON-NOHOLD", "list, entry 2", { .reason = 6 } },
		{ "CRL-NO-DELTA", "list, entry 2", { .reason = 8 } },
		{ "CRL-REASON-SET", "list, entry 2", { .reason = 2 } },
		{ "CRL-REASON-SET", "list, entry 2", { .reason = 7 } },
		{ "CRL-ENTRY-DATE", "list, entry 2",
		    { .reason = -1, .date = NOW + 1 } },
		{ "CRL-ENTRY-DATE", "list, entry 2",
		    { .reason = -1, .date = 900000000 } },
		/* What no CRL of ours could say, and what is said twice. */
		{ "CRL-INVALIDITY", "list, entry 2",
		    { .reason = -1, .invalidity = 900000000 } },
		{ "CRL-INVALIDITY", "list, entry 2",
		    { .reason = -1, .invalidity = NOW + 1 } },
		{ "IMPORT-CRL", "list, entry 2",
		    { .reason = 1, .two_reasons = true } },
		{ "IMPORT-CRL", "list, entry 2",
		    { .reason = -1,
			.invalidity = NOW - 5000,
			.two_invalidities = true } },
	};

	make_ca(&other, "CA");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		import_shape(f, &bad[i].shape);
		assert_only(&f->findings, bad[i].id, bad[i].place);
		assert_int_equal(f->import.listing.count, 0);
	}
	free_ca(&other);
}

/* Each octet turned over: it is never imported. */
static void
test_crl_damaged(void **state)
{
	struct fixture *f = *state;
	const struct crl_shape shape = { .reason = 1 };
	unsigned char *der = NULL;
	size_t len = 0;

	make_crl(f, &shape, &der, &len);
	for (size_t i = 0; i < len; i++) {
		der[i] ^= 0x41;
		import_octets(f, "crl", false, der, len);
		assert_true(f->findings.errors > 0);
		assert_int_equal(f->import.listing.count, 0);
		der[i] ^= 0x41;
	}
	import_octets(f, "crl", false, der, len - 1);
	assert_only(&f->findings, "IMPORT-CRL", "list");
	import_octets(f, "crl", false, der, 0);
	assert_only(&f->findings, "IMPORT-CRL", "list");
	OPENSSL_free(der);
}

/* ---- certificates --------------------------------------------------------------- */

static void
put_pem(BIO *bio, const X509 *certificate)
{
	assert_int_equal(PEM_write_bio_X509(bio, certificate), 1);
}

static void
import_bio(struct fixture *f, BIO *bio, bool issued)
{
	char *text = NULL;
	long len = BIO_get_mem_data(bio, &text);

	import_octets(f, "certificates", issued, (const unsigned char *)text,
	    (size_t)len);
}

static void
test_certificates(void **state)
{
	struct fixture *f = *state;
	AUTO(EVP_PKEY) *key = EVP_EC_gen("P-256");
	AUTO(X509) *ee = make_certificate(&f->ca, key, "ee", 500, false);
	AUTO(X509) *sub = make_certificate(&f->ca, key, "sub", 400, true);
	AUTO(BIO) *two = BIO_new(BIO_s_mem());
	AUTO(BIO) *bundle = BIO_new(BIO_s_mem());
	AUTO_DER(der) = NULL;
	int len = i2d_X509(ee, &der);
	const struct listed *row;

	put_pem(two, ee);
	put_pem(two, sub);
	import_bio(f, two, true);
	assert_quiet(&f->findings);
	row = f->import.listing.rows;
	assert_int_equal(f->import.listing.count, 2);
	assert_int_equal(row[0].ca, 1);
	assert_int_equal(row[1].ca, 0);
	assert_int_equal(row[1].expires, NOW + 300 * 86400);
	assert_true(row[1].has_sha256);
	assert_true(
	    BIO_printf(bundle, "ca-tool-bundle-1\nee.der %d\n", len) > 0);
	assert_int_equal(BIO_write(bundle, der, len), len);
	assert_true(BIO_puts(bundle, "\n") > 0);
	import_bio(f, bundle, false);
	assert_quiet(&f->findings);
	assert_int_equal(f->import.listing.count, 1);
	assert_int_equal(f->import.listing.rows[0].date, NOW);
	/* of a CA, and no reason */
	import_bio(f, two, false);
	assert_only(&f->findings, "CRL-REASON-CA", NULL);
}

static void
test_certificates_refused(void **state)
{
	struct fixture *f = *state;
	struct ca same_name, other;
	AUTO(EVP_PKEY) *key = EVP_EC_gen("P-256");
	AUTO(X509) *ee = make_certificate(&f->ca, key, "ee", 500, false);
	AUTO(X509) *forged = NULL;
	AUTO(X509) *foreign = NULL;
	AUTO(BIO) *bio = BIO_new(BIO_s_mem());

	make_ca(&same_name, "CA");
	make_ca(&other, "Other CA");
	forged = make_certificate(&same_name, key, "ee", 501, false);
	foreign = make_certificate(&other, key, "ee", 502, false);
	put_pem(bio, ee);
	put_pem(bio, foreign);
	import_bio(f, bio, false);
	assert_only(&f->findings, "CERTIFICATE-ISSUER", "list, certificate 2");
	assert_int_equal(BIO_reset(bio), 1);
	put_pem(bio, forged);
	import_bio(f, bio, false);
	assert_only(&f->findings, "CERTIFICATE-ISSUER", "list, certificate 1");
	assert_int_equal(BIO_reset(bio), 1);
	put_pem(bio, ee);
	put_pem(bio, ee);
	import_bio(f, bio, false);
	assert_only(&f->findings, "CRL-NO-DUP-SERIAL", "list, certificate 2");
	import_text(f, "certificates", false, "nothing of that kind");
	assert_only(&f->findings, "CERTIFICATE", "list, certificate 1");
	assert_int_equal(BIO_reset(bio), 1);
	put_pem(bio, ee);
	assert_true(BIO_puts(bio, "and more") > 0);
	import_bio(f, bio, false);
	assert_only(&f->findings, "CERTIFICATE", "list, certificate 2");
	import_text(f, "certificates", false, "ca-tool-bundle-1\na 99\nx\n");
	assert_only(&f->findings, "IMPORT-BUNDLE", "list");
	free_ca(&same_name);
	free_ca(&other);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hex),
		cmocka_unit_test(test_decimal),
		cmocka_unit_test(test_octets),
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_listing),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_texts_broken),
		cmocka_unit_test(test_text_find),
		cmocka_unit_test(test_sort_many),
		TEST(test_csv),
		TEST(test_csv_refused),
		TEST(test_csv_issued_refused),
		TEST(test_unknown),
		TEST(test_many_faults),
		TEST(test_million),
		TEST(test_many_steps),
		TEST(test_million_one_bad),
		TEST(test_index),
		TEST(test_root_reason),
		TEST(test_index_refused),
		TEST(test_planned_issued),
		TEST(test_issued_ends),
		TEST(test_crl),
		TEST(test_crl_refused),
		TEST(test_crl_damaged),
		TEST(test_certificates),
		TEST(test_certificates_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
