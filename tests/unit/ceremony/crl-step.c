/*
 * The crl step: what is on a CRL, how it follows the one before it, partitions,
 * the last one; and everything that it refuses.
 */

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/date.h"
#include "ceremony/steps/scope.h"
#include "profiles/crl-reader.h"
#include "profiles/der/der.h"
#include "world.h"

enum { NOW = 1800000000, DAY = 86400, WORLD_STEPS = 4 };

static const char world[] =
    KEY("root", "ca") KEY("sub", "ca") CERTIFICATE("root", "root", "", "root")
	CERTIFICATE("subordinate", "sub", "issuer: root,", "issuing-ca");

#define CRL(name, more) \
	"  - crl: {name: " name ", issuer: sub, profile: " more "}\n"
#define FULL CRL("c", "ca-crl")
#define PART(name, n) \
	CRL(name, "crl-partition, url: \"http://c.example/sub/" n ".crl\"")
#define URL(n) "http://c.example/sub/" n ".crl"

static void
add_file(
    struct fixture *f, const char *name, const unsigned char *der, size_t len)
{
	unsigned char *copy = malloc(len + 1);

	assert_non_null(copy);
	memcpy(copy, der, len);
	assert_ok(inputs_add(&f->inputs, INPUT_BULK, name, NULL, copy, len));
}

static int
setup(void **state)
{
	static const char *const profiles[] = { "root", "issuing-ca", "ca-crl",
		"crl-partition", "crl-ca-only", "crl-user", "ca-crl-public",
		"crl-user-public" };
	struct fixture *f = world_new("crl-step");

	f->now = NOW;
	for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++)
		add_profile(f, profiles[i], NULL, NULL);
	for (size_t i = 0; i < 2; i++)
		f->key[i] = EVP_EC_gen("P-256");
	*state = f;
	put_set(f->journal, SOME_SET, "a set");
	put_run(f->journal, RUN_1, "old", SOME_SET, NULL);
	put_list(f->journal, RUN_1, 0);
	return 0;
}

static int
teardown(void **state)
{
	world_free(*state);
	return 0;
}

static void
no_errors(const struct fixture *f)
{
	for (size_t i = 0; i < f->findings.count; i++)
		if (f->findings.rows[i].severity == FINDING_ERROR)
			fail_msg("%s: %s: %s", f->findings.rows[i].place,
			    f->findings.rows[i].id, f->findings.rows[i].text);
}

static void
set_key(struct fixture *f, const char *name, EVP_PKEY *key)
{
	AUTO_DER(der) = NULL;
	int len = i2d_PUBKEY(key, &der);

	assert_true(len > 0);
	assert_ok(build_set_key(&f->build, name, der, (size_t)len));
}

/* The world, and these steps behind it, which are not built yet. */
static void
load(struct fixture *f, const char *steps)
{
	void *value = NULL;
	int len =
	    snprintf(f->text, sizeof(f->text), "%s%s%s", head, world, steps);

	assert_in_range(len, 1, TEXT_MAX - 1);
	unload(f);
	f->counter = 0;
	assert_ok(yaml_load("plan.yaml", (const unsigned char *)f->text,
	    (size_t)len, &plan_schema, &f->findings, &f->doc, &value));
	f->params = value;
	f->build = (struct build){
		.mode = BUILD_RUN,
		.run = RUN_2,
		.journal = f->journal,
		.inputs = &f->inputs,
		.public_fd = -1,
		.scratch_fd = f->scratch,
		.now = NOW,
		.random = counted,
		.random_ctx = f,
		.findings = &f->findings,
		.urls = {
			[URL_CRL] = "http://c.example/{issuer}.crl",
			[URL_CA_ISSUERS] = "http://c.example/{issuer}.der",
		},
	};
	assert_ok(steps_make(f->params, f->doc, &f->findings, &f->steps));
	assert_ok(
	    build_collect_keys(&f->build, f->steps, f->params->steps_count));
	set_key(f, "root", f->key[0]);
	set_key(f, "sub", f->key[1]);
	assert_ok(build_plan(&f->build, f->steps, WORLD_STEPS));
	no_errors(f);
	f->build.now = f->now;
	{
		X509 *sub = f->build.objects[1].certificate;
		const unsigned char *der;
		AUTO_CHARS(dn) = NULL;
		size_t n;

		assert_int_equal(
		    X509_NAME_get0_der(X509_get_subject_name(sub), &der, &n),
		    1);
		dn = sha256_hex(der, n);
		(void)snprintf(f->dn, sizeof(f->dn), "%s", dn);
	}
}

/* Now those steps. */
static void
go(struct fixture *f)
{
	for (size_t i = WORLD_STEPS; i < f->params->steps_count; i++) {
		const size_t errors = f->findings.errors;
		struct step *step = &f->steps[i];

		assert_ptr_equal(step->kind, &step_crl);
		assert_ok(step->kind->check(&f->build, step));
		if (f->findings.errors == errors)
			assert_ok(step->kind->build(&f->build, step));
	}
}

static void
make(struct fixture *f, const char *steps)
{
	load(f, steps);
	go(f);
}

static const struct built_object *
object_of(const struct fixture *f, const char *name)
{
	for (size_t i = 0; i < f->build.object_count; i++)
		if (strcmp(f->build.objects[i].name, name) == 0)
			return &f->build.objects[i];
	for (size_t i = 0; i < f->findings.count; i++)
		print_message("[%s] %s\n", f->findings.rows[i].id,
		    f->findings.rows[i].text);
	fail_msg("there is no '%s'", name);
	return NULL;
}

static void
refused(struct fixture *f, const char *steps, const char *id)
{
	make(f, steps);
	for (size_t i = 0; i < f->findings.count; i++)
		if (count_findings(&f->findings, id, NULL) == 0)
			print_message("[%s] %s\n", f->findings.rows[i].id,
			    f->findings.rows[i].text);
	assert_true(count_findings(&f->findings, id, NULL) > 0);
	assert_true(f->findings.errors > 0);
}

/* An error says so. */
static void
found(const struct fixture *f, const char *text)
{
	for (size_t i = 0; i < f->findings.count; i++)
		if (f->findings.rows[i].severity == FINDING_ERROR &&
		    strstr(f->findings.rows[i].text, text) != NULL)
			return;
	fail_msg("no error says '%s'", text);
}

static void
says(const struct fixture *f, const char *name, const char *text)
{
	const char *details = object_of(f, name)->details;

	if (strstr(details, text) == NULL)
		fail_msg("no '%s' in: %s", text, details);
}

/* ---- the journal -------------------------------------------------------- */

static void
issue(struct fixture *f, const char *serial, bool ca, const char *url,
    int64_t until)
{
	char to[DATE_TEXT_SIZE], name[32];
	int object = f->objects++;

	if (f->dn[0] == '\0')
		load(f, FULL);
	date_format(until, to);
	(void)snprintf(name, sizeof(name), "c%d", object);
	put_entry(f->journal, ENTRY_INTENT,
	    json_pack("{s:s, s:i, s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, "
		      "s:s, s:s, s:s, s:s, s:s, s:b, s:s, s:n, s:s*}",
		"run", RUN_1, "list", 0, "object", object, "kind",
		"certificate", "name", name, "key", DIGEST_A, "algorithm", "30",
		"tbs", DIGEST_C, "issuer", "sub", "issuer_dn", f->dn, "profile",
		"p", "serial", serial, "subject_dn", DIGEST_B, "spki", DIGEST_B,
		"not_before", "2026-01-01T00:00:00Z", "not_after", to, "ca",
		ca ? 1 : 0, "certificate_kind",
		ca ? "subordinate" : "end-entity", "subject_key", "crl_url",
		url));
	put_result(f->journal, RUN_1, object, name);
}

static void
put_revoked(
    struct fixture *f, const char *serial, int64_t date, const char *reason)
{
	char text[DATE_TEXT_SIZE];

	if (f->dn[0] == '\0')
		load(f, FULL);
	date_format(date, text);
	put_entry(f->journal, ENTRY_REVOKED,
	    json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "run", RUN_1,
		"issuer", "sub", "issuer_dn", f->dn, "serial", serial, "date",
		text, "reason", reason, "cause", "a test"));
}

/* Issued elsewhere: lines of ENTRY_ISSUED's list. */
static void
put_issued(struct fixture *f, const char *lines, int count)
{
	AUTO_CHARS(text) = text_printf("ca-tool-issued-1\n%s", lines);
	char hex[65];

	if (f->dn[0] == '\0')
		load(f, FULL);
	assert_non_null(text);
	put_evidence(f->journal, text, hex);
	put_entry(f->journal, ENTRY_ISSUED,
	    json_pack("{s:s, s:s, s:s, s:i, s:s, s:s}", "run", RUN_1, "issuer",
		"sub", "issuer_dn", f->dn, "count", count, "list", hex,
		"source", "csv"));
}

/* As an earlier step of the plan does. */
static void
plan_revocation(struct fixture *f, enum entry_kind kind, const char *dn,
    const char *serial, int64_t date, int reason)
{
	world_revoke(f, kind, dn, serial,
	    (struct listed){
		.date = date, .reason = (enum revocation_reason)reason });
}

/* ---- signed CRLs -------------------------------------------------------- */

static unsigned char *
signature_of(
    const unsigned char *tbs, size_t len, EVP_PKEY *key, size_t *ret_len)
{
	AUTO(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();
	unsigned char *sig = malloc(256);

	*ret_len = 256;
	assert_int_equal(
	    EVP_DigestSignInit_ex(ctx, NULL, "SHA256", NULL, NULL, key, NULL),
	    1);
	assert_int_equal(EVP_DigestSign(ctx, sig, ret_len, tbs, len), 1);
	return sig;
}

static unsigned char *
signed_crl(const struct tbs *tbs, EVP_PKEY *key, size_t *ret_len)
{
	struct tbs_reader reader;
	struct der_source source;
	AUTO_BYTES(octets) = malloc(tbs->len + 1);
	struct tbs memory = *tbs;
	AUTO_BYTES(sig) = NULL;
	size_t n = 0, sig_len = 0;
	unsigned char *der = NULL;

	assert_non_null(octets);
	assert_ok(tbs_source(tbs, &reader, &source));
	for (size_t at = 0; at < tbs->len; at += n)
		assert_ok(source.read(
		    source.ctx, at, octets + at, tbs->len - at, &n));
	memory.file = NULL;
	memory.der = octets;
	sig = signature_of(octets, tbs->len, key, &sig_len);
	assert_ok(object_assemble(&memory, sig, sig_len, &der, ret_len));
	return der;
}

static void
put_crl_bytes(struct fixture *f, const char *name, uint64_t number,
    int64_t from, int64_t until, const char *url, const unsigned char *der,
    size_t len)
{
	char a[DATE_TEXT_SIZE], b[DATE_TEXT_SIZE], hex[65], text[32];
	unsigned char digest[HASH_LEN];
	int object = f->objects++;

	date_format(from, a);
	date_format(until, b);
	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
	put_entry(f->journal, ENTRY_INTENT,
	    json_pack("{s:s, s:i, s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, "
		      "s:s, s:s, s:s, s:i, s:s*}",
		"run", RUN_1, "list", 0, "object", object, "kind", "crl",
		"name", name, "key", DIGEST_A, "algorithm", "30", "tbs",
		DIGEST_C, "issuer", "sub", "issuer_dn", f->dn, "profile", "p",
		"number", text, "this_update", a, "next_update", b, "entries",
		1, "distribution_url", url));
	assert_ok(journal_evidence_put(f->journal, der, len, digest));
	text_hex_into(digest, HASH_LEN, hex);
	put_entry(f->journal, ENTRY_RESULT,
	    json_pack("{s:s, s:i, s:i, s:s, s:s}", "run", RUN_1, "list", 0,
		"object", object, "name", name, "sha256", hex));
}

/* Sign what was built, and let the journal have it. */
static void
sign_built(struct fixture *f, const char *name)
{
	const struct built_object *o = object_of(f, name);
	size_t len = 0;
	AUTO_BYTES(der) = signed_crl(&o->tbs, f->key[1], &len);
	struct der octets = { der, len };
	struct der_source source = der_source_memory(&octets);
	AUTO_STRUCT(crl_head) crl = { 0 };
	char unique[40];

	assert_ok(crl_head_read(name, &source, &crl));
	(void)snprintf(unique, sizeof(unique), "old-%d", f->objects);
	put_crl_bytes(f, unique, crl.number, crl.this_update, crl.next_update,
	    json_string_value(json_object_get(o->facts, "distribution_url")),
	    der, len);
}

/* A CRL that OpenSSL makes, of whatever is given; signed. */
struct foreign {
	const char *issuer; /* a name of its own; NULL: sub's */
	EVP_PKEY *key;
	int64_t now;
	long number;
	const char *idp; /* of openssl.cnf; or NULL */
	struct {
		int serial;
		int64_t date;
		int reason;
	} rows[4];
	size_t count;
};

static unsigned char *
foreign_crl(struct fixture *f, const struct foreign *foreign, size_t *ret_len)
{
	AUTO(X509_CRL) *crl = X509_CRL_new();
	X509_NAME *name =
	    X509_get_subject_name(f->build.objects[1].certificate);
	AUTO(X509_NAME) *own = X509_NAME_new();
	AUTO(ASN1_TIME) *from = ASN1_TIME_set(NULL, foreign->now);
	AUTO(ASN1_TIME) *to = ASN1_TIME_set(NULL, foreign->now + 5 * DAY);
	AUTO(ASN1_INTEGER) *number = ASN1_INTEGER_new();
	unsigned char *der = NULL, *copy;
	int len;

	assert_int_equal(ASN1_INTEGER_set(number, foreign->number), 1);
	assert_int_equal(X509_NAME_add_entry_by_txt(own, "CN", MBSTRING_UTF8,
			     (const unsigned char *)(foreign->issuer == NULL
				     ? "x"
				     : foreign->issuer),
			     -1, -1, 0),
	    1);
	assert_int_equal(X509_CRL_set_version(crl, X509_CRL_VERSION_2), 1);
	assert_int_equal(
	    X509_CRL_set_issuer_name(crl, foreign->issuer == NULL ? name : own),
	    1);
	assert_int_equal(X509_CRL_set1_lastUpdate(crl, from), 1);
	assert_int_equal(X509_CRL_set1_nextUpdate(crl, to), 1);
	assert_int_equal(
	    X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0, 0), 1);
	if (foreign->idp != NULL) {
		X509_EXTENSION *idp = X509V3_EXT_conf_nid(
		    NULL, NULL, NID_issuing_distribution_point, foreign->idp);

		assert_non_null(idp);
		assert_int_equal(X509_CRL_add_ext(crl, idp, -1), 1);
		X509_EXTENSION_free(idp);
	}
	for (size_t i = 0; i < foreign->count; i++) {
		X509_REVOKED *row = X509_REVOKED_new();
		AUTO(ASN1_INTEGER) *serial = ASN1_INTEGER_new();
		AUTO(ASN1_TIME) *date =
		    ASN1_TIME_set(NULL, foreign->rows[i].date);
		ASN1_ENUMERATED *reason = ASN1_ENUMERATED_new();

		assert_int_equal(
		    ASN1_INTEGER_set(serial, foreign->rows[i].serial), 1);
		assert_int_equal(
		    ASN1_ENUMERATED_set(reason, foreign->rows[i].reason), 1);
		assert_int_equal(X509_REVOKED_set_serialNumber(row, serial), 1);
		assert_int_equal(X509_REVOKED_set_revocationDate(row, date), 1);
		if (foreign->rows[i].reason != 0)
			assert_int_equal(X509_REVOKED_add1_ext_i2d(
					     row, NID_crl_reason, reason, 0, 0),
			    1);
		assert_int_equal(X509_CRL_add0_revoked(crl, row), 1);
		ASN1_ENUMERATED_free(reason);
	}
	assert_true(X509_CRL_sign(crl, foreign->key, EVP_sha256()) > 0);
	len = i2d_X509_CRL(crl, &der);
	assert_true(len > 0);
	copy = malloc((size_t)len);
	memcpy(copy, der, (size_t)len);
	OPENSSL_free(der);
	*ret_len = (size_t)len;
	return copy;
}

/* "01,03": the serials that a built CRL lists, with date and reason checked. */
static const char *
lists(const struct fixture *f, const char *name)
{
	static char text[512];
	size_t len = 0, at = 0;
	AUTO_BYTES(der) = signed_crl(&object_of(f, name)->tbs, f->key[1], &len);
	const unsigned char *p = der;
	AUTO(X509_CRL) *crl = d2i_X509_CRL(NULL, &p, (long)len);
	STACK_OF(X509_REVOKED) *rows;

	assert_non_null(crl);
	assert_int_equal(X509_CRL_verify(crl, f->key[1]), 1);
	rows = X509_CRL_get_REVOKED(crl);
	text[0] = '\0';
	for (int i = 0; i < sk_X509_REVOKED_num(rows); i++) {
		const X509_REVOKED *row = sk_X509_REVOKED_value(rows, i);
		const ASN1_INTEGER *serial =
		    X509_REVOKED_get0_serialNumber(row);
		AUTO_CHARS(hex) = text_hex(ASN1_STRING_get0_data(serial),
		    (size_t)ASN1_STRING_length(serial));

		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s",
		    i == 0 ? "" : ",", hex);
	}
	return text;
}

static uint64_t
number_of(const struct fixture *f, const char *name)
{
	return strtoull(json_string_value(json_object_get(
			    object_of(f, name)->facts, "number")),
	    NULL, 10);
}

/* ---- what is on it ------------------------------------------------------ */

static void
test_first(void **state)
{
	struct fixture *f = *state;

	make(f, FULL);
	no_errors(f);
	assert_string_equal(lists(f, "c"), "");
	says(f, "c", "before it: no CRL of this scope");
	issue(f, "03", false, NULL, NOW + DAY);
	put_revoked(f, "03", NOW - DAY, "superseded");
	put_revoked(f, "01", NOW - 2 * DAY, "keyCompromise");
	put_revoked(f, "0100", NOW - 2 * DAY, "unspecified");
	make(f, FULL);
	no_errors(f);
	assert_string_equal(lists(f, "c"), "01,03,0100");
	says(f, "c", "entries: 3");
	assert_int_equal(object_of(f, "c")->previous->fd, -1);
}

static void
test_following(void **state)
{
	struct fixture *f = *state;
	uint64_t number;

	put_revoked(f, "01", NOW - DAY, "superseded");
	make(f, FULL);
	number = number_of(f, "c");
	sign_built(f, "c");
	put_revoked(f, "02", NOW - DAY, "keyCompromise");
	f->now += DAY;
	make(f, FULL);
	no_errors(f);
	assert_string_equal(lists(f, "c"), "01,02");
	assert_true(number_of(f, "c") > number);
	says(f, "c", "1 entry, of which 1 is kept as it is");
	says(f, "c", "1 is new\nnew: 02");
	assert_true(object_of(f, "c")->previous->fd >= 0);
	/* The clock may not go back. */
	f->now -= 2 * DAY;
	refused(f, FULL, "CRL-THISUPDATE");
}

/* RFC 5280, section 3.3: gone after one CRL beyond the certificate's end. */
static void
test_complete(void **state)
{
	struct fixture *f = *state;

	issue(f, "01", false, NULL, NOW + 10 * DAY);
	put_revoked(f, "01", NOW - DAY, "superseded");
	put_revoked(
	    f, "02", NOW - DAY, "superseded"); /* nobody knows its end */
	make(f, FULL);
	sign_built(f, "c");
	/* It has ended, and no CRL behind its end has had it. */
	f->now = NOW + 11 * DAY;
	make(f, FULL);
	no_errors(f);
	assert_string_equal(lists(f, "c"), "01,02");
	sign_built(f, "c");
	/* Now one has; what is revoked after that CRL stays for another. */
	issue(f, "03", false, NULL, NOW + 5 * DAY);
	put_revoked(f, "03", NOW + 11 * DAY, "superseded");
	f->now = NOW + 12 * DAY;
	make(f, FULL);
	no_errors(f);
	assert_string_equal(lists(f, "c"), "02,03");
	says(f, "c", "1 left out after their certificates' end");
	says(f, "c", "left out: 01");
	sign_built(f, "c");
	f->now = NOW + 13 * DAY;
	make(f, FULL);
	assert_string_equal(lists(f, "c"), "02");
}

static void
test_planned(void **state)
{
	struct fixture *f = *state;

	put_revoked(f, "05", NOW - DAY, "superseded");
	load(f, FULL);
	plan_revocation(f, ENTRY_REVOKED, f->dn, "07", NOW, 1);
	plan_revocation(f, ENTRY_REVOKED, f->dn, "02", NOW, 4);
	plan_revocation(f, ENTRY_REVOKED, DIGEST_A, "03", NOW, 4);
	plan_revocation(
	    f, ENTRY_REVOCATION_UPGRADED, f->dn, "05", NOW - 2 * DAY, 1);
	plan_revocation(
	    f, ENTRY_REVOCATION_UPGRADED, f->dn, "02", NOW - DAY, 1);
	go(f);
	no_errors(f);
	assert_string_equal(lists(f, "c"), "02,05,07");
}

static void
refused_planned(struct fixture *f, const char *serial, int64_t date, int reason,
    const char *id)
{
	load(f, FULL);
	plan_revocation(f, ENTRY_REVOKED, f->dn, serial, date, reason);
	go(f);
	assert_true(count_findings(&f->findings, id, NULL) > 0);
	assert_true(f->findings.errors > 0);
	assert_int_equal(f->build.object_count, 2);
}

static void
test_planned_refused(void **state)
{
	struct fixture *f = *state;

	put_revoked(f, "05", NOW - DAY, "superseded");
	refused_planned(f, "05", NOW, 1, "CRL-NO-DUP-SERIAL");
	refused_planned(f, "06", NOW + 1, 1, "CRL-ENTRY-DATE");
	refused_planned(f, "06", 800000000, 1, "CRL-ENTRY-DATE");
	refused_planned(f, "06", NOW, 6, "CRL-REASON-SET");
	refused_planned(f, "06", NOW, 8, "CRL-REASON-SET");
	refused_planned(f, "06", NOW, 10, "CRL-REASON-SET");
	load(f, FULL);
	plan_revocation(f, ENTRY_REVOKED, f->dn, "07", NOW, 1);
	plan_revocation(f, ENTRY_REVOKED, f->dn, "07", NOW, 4);
	go(f);
	assert_int_equal(
	    count_findings(&f->findings, "CRL-NO-DUP-SERIAL", NULL), 1);
}

/* A date in the future that is in the journal, too. */
static void
test_future(void **state)
{
	struct fixture *f = *state;

	put_revoked(f, "05", NOW + DAY, "superseded");
	refused(f, FULL, "CRL-ENTRY-DATE");
}

static void
test_reason_of_ca(void **state)
{
	struct fixture *f = *state;

	issue(f, "05", true, NULL, NOW + DAY);
	put_revoked(f, "05", NOW - DAY, "unspecified");
	refused(f, FULL, "CRL-REASON-CA");
}

static void
test_limits(void **state)
{
	struct fixture *f = *state;

	refused(f, CRL("c", "ca-crl, validity: 400d"), "PROFILE-VALIDITY");
	refused(f, PART("c", "1, validity: 11d"), "CRL-IDP-URI");
	refused(f,
	    CRL("c",
		"crl-partition, validity: 11d, url: "
		"\"http://c.example/sub.crl\""),
	    "PROFILE-VALIDITY");
	/* Beyond the issuer's certificate. */
	load(f, CRL("c", "ca-crl, validity: 300d"));
	f->build.now = NOW + 3600LL * DAY;
	go(f);
	assert_int_equal(
	    count_findings(&f->findings, "FLD-TIME-NESTED", NULL), 1);
}

/* ---- against the one before it ------------------------------------------ */

/* Evidence in the journal that says more, or otherwise, than its entries. */
static void
before(struct fixture *f, struct foreign foreign)
{
	size_t len = 0;
	AUTO_BYTES(der) = NULL;

	load(f, FULL);
	foreign.key = f->key[1];
	foreign.now = NOW - DAY;
	foreign.number = 5;
	der = foreign_crl(f, &foreign, &len);
	put_crl_bytes(f, "before", 5, NOW - DAY, NOW + 4 * DAY, NULL, der, len);
}

static void
test_dropped(void **state)
{
	struct fixture *f = *state;

	before(f,
	    (struct foreign){
		.rows = { { 1, NOW - 2 * DAY, 4 }, { 2, NOW - 2 * DAY, 4 } },
		.count = 2 });
	put_revoked(f, "02", NOW - 2 * DAY, "superseded");
	refused(f, FULL, "CRL-DROPPED");
	found(f, "serial 01");
	assert_int_equal(f->build.object_count, 2);
}

static void
test_changed_date(void **state)
{
	struct fixture *f = *state;

	before(f,
	    (struct foreign){
		.rows = { { 1, NOW - 2 * DAY, 4 } }, .count = 1 });
	put_revoked(f, "01", NOW - 3 * DAY, "superseded");
	refused(f, FULL, "CRL-CHANGED");
}

static void
test_changed_reason(void **state)
{
	struct fixture *f = *state;

	before(f,
	    (struct foreign){
		.rows = { { 1, NOW - 2 * DAY, 1 } }, .count = 1 });
	put_revoked(f, "01", NOW - 2 * DAY, "superseded");
	refused(f, FULL, "CRL-CHANGED");
}

static void
test_later_date(void **state)
{
	struct fixture *f = *state;

	before(f,
	    (struct foreign){
		.rows = { { 1, NOW - 2 * DAY, 4 } }, .count = 1 });
	put_revoked(f, "01", NOW - DAY, "keyCompromise");
	refused(f, FULL, "CRL-CHANGED");
}

static void
test_upgraded(void **state)
{
	struct fixture *f = *state;

	before(f,
	    (struct foreign){
		.rows = { { 1, NOW - 2 * DAY, 4 } }, .count = 1 });
	put_revoked(f, "01", NOW - 3 * DAY, "keyCompromise");
	make(f, FULL);
	no_errors(f);
	says(f, "c", "1 changed to keyCompromise");
	says(f, "c", "changed: 01");
}

#define GIVEN CRL("c", "ca-crl, previous: old.crl")

static void
give(struct fixture *f, struct foreign foreign, bool pem)
{
	size_t len = 0;
	AUTO_BYTES(der) = NULL;
	AUTO_CHARS(text) = NULL;

	load(f, GIVEN);
	inputs_clear(&f->inputs);
	f->inputs = (struct inputs){ 0 };
	add_profile(f, "root", NULL, NULL);
	add_profile(f, "issuing-ca", NULL, NULL);
	add_profile(f, "ca-crl", NULL, NULL);
	if (foreign.key == NULL)
		foreign.key = f->key[1];
	if (foreign.now == 0)
		foreign.now = NOW - DAY;
	der = foreign_crl(f, &foreign, &len);
	if (!pem) {
		add_file(f, "old.crl", der, len);
		return;
	}
	assert_ok(object_pem(OBJECT_CRL, der, len, &text));
	add_file(f, "old.crl", (unsigned char *)text, strlen(text));
}

static void
test_given(void **state)
{
	struct fixture *f = *state;
	const struct foreign good = { .number = 700,
		.rows = { { 3, NOW - 2 * DAY, 4 }, { 1, NOW - 2 * DAY, 1 } },
		.count = 2 };

	put_revoked(f, "01", NOW - 2 * DAY, "keyCompromise");
	put_revoked(f, "03", NOW - 2 * DAY, "superseded");
	for (int pem = 0; pem < 2; pem++) {
		give(f, good, pem == 1);
		make(f, GIVEN);
		no_errors(f);
		/* Its entries do not ascend, which RFC 5280 does not ask. */
		says(f, "c", "number 700, 2 entries, of which 2 are kept");
		assert_int_equal(number_of(f, "c"), 701);
	}
	/* What is on it and unknown here would be lost. */
	give(f,
	    (struct foreign){ .number = 700,
		.rows = { { 9, NOW - 2 * DAY, 4 } },
		.count = 1 },
	    false);
	refused(f, GIVEN, "CRL-DROPPED");
}

static void
test_given_refused(void **state)
{
	struct fixture *f = *state;
	struct foreign foreign = { .number = 7 };
	size_t len = 0;
	AUTO_BYTES(der) = NULL;

	/* Forged: signed by another key. */
	foreign.key = f->key[0];
	give(f, foreign, false);
	refused(f, GIVEN, "CRL-PREVIOUS");
	found(f, "not signed");
	/* Of another issuer. */
	foreign.key = f->key[1];
	foreign.issuer = "Another";
	give(f, foreign, false);
	refused(f, GIVEN, "CRL-PREVIOUS");
	found(f, "of this issuer");
	/* Of another scope. */
	foreign.issuer = NULL;
	foreign.idp = "critical,fullname:URI:http://c.example/sub.crl";
	give(f, foreign, false);
	refused(f, GIVEN, "CRL-PREVIOUS");
	found(f, "another scope");
	/* Of the future. */
	foreign.idp = NULL;
	foreign.now = NOW + DAY;
	give(f, foreign, false);
	refused(f, GIVEN, "CRL-THISUPDATE");
	/* Cut off, and no CRL at all. */
	foreign.now = 0;
	der = foreign_crl(
	    f, &(struct foreign){ .key = f->key[1], .now = NOW }, &len);
	inputs_clear(&f->inputs);
	f->inputs = (struct inputs){ 0 };
	add_profile(f, "root", NULL, NULL);
	add_profile(f, "issuing-ca", NULL, NULL);
	add_profile(f, "ca-crl", NULL, NULL);
	add_file(f, "old.crl", der, len - 1);
	refused(f, GIVEN, "CRL-PREVIOUS");
}

/* The journal knows better. */
static void
test_given_and_journal(void **state)
{
	struct fixture *f = *state;
	size_t len = 0;
	AUTO_BYTES(der) = NULL;
	struct foreign five = { .number = 5, .now = NOW - 3 * DAY };

	load(f, FULL);
	five.key = f->key[1];
	der = foreign_crl(f, &five, &len);
	put_crl_bytes(f, "five", 5, five.now, NOW, NULL, der, len);
	/* Two CRLs with one number. */
	five.now = NOW - 2 * DAY;
	give(f, five, false);
	refused(f, GIVEN, "CRL-NUMBER-STRICT");
	found(f, "have one number");
	/* An older one than the journal's. */
	five.number = 4;
	give(f, five, false);
	refused(f, GIVEN, "CRL-PREVIOUS");
	found(f, "higher number");
	/* A newer one may have been made elsewhere. */
	five.number = 9;
	give(f, five, false);
	make(f, GIVEN);
	no_errors(f);
	assert_int_equal(number_of(f, "c"), 10);
}

/* ---- partitions --------------------------------------------------------- */

static void
revoked_of(struct fixture *f, const char *serial, const char *url)
{
	issue(f, serial, false, url, NOW + 100 * DAY);
	put_revoked(f, serial, NOW - DAY, "superseded");
}

static void
test_partitions(void **state)
{
	struct fixture *f = *state;

	revoked_of(f, "01", URL("1"));
	revoked_of(f, "02", URL("2"));
	revoked_of(f, "03", URL("1"));
	make(f, PART("one", "1") PART("two", "2"));
	no_errors(f);
	assert_string_equal(lists(f, "one"), "01,03");
	assert_string_equal(lists(f, "two"), "02");
	says(f, "one", "about: end entities with " URL("1"));
	/* One alone leaves another's out, until that is in force. */
	refused(f, PART("one", "1"), "PARTITION-INCOMPLETE");
	found(f, "serial 02");
	make(f, PART("one", "1") PART("two", "2"));
	sign_built(f, "one");
	sign_built(f, "two");
	f->now += DAY;
	make(f, PART("one", "1"));
	no_errors(f);
	says(f, "one", "2 entries, of which 2 are kept as they are");
	/* Beside a full one nothing is left over. */
	f->now = NOW + 20 * DAY;
	refused(f, PART("one", "1"), "PARTITION-INCOMPLETE");
	make(f, PART("one", "1") FULL);
	no_errors(f);
	assert_string_equal(lists(f, "c"), "01,02,03");
}

static void
test_partitions_refused(void **state)
{
	struct fixture *f = *state;

	revoked_of(f, "01", URL("1"));
	refused(f, PART("one", "1") PART("again", "1"), "PARTITION-OVERLAP");
	/* A URL that no certificate has. */
	refused(f, CRL("c", "crl-partition, url: \"http://c.example/x/1.crl\""),
	    "CRL-IDP-URI");
	refused(f,
	    CRL("c", "crl-partition, url: \"http://c.example/sub/0.crl\""),
	    "CRL-IDP-URI");
	/* A revocation of which nobody knows the certificate. */
	put_revoked(f, "09", NOW - DAY, "superseded");
	refused(f, PART("one", "1"), "CRL-UNION");
	found(f, "serial 09");
}

/* One that the plan revokes goes to its own, and to no other. */
static void
test_partitions_planned(void **state)
{
	struct fixture *f = *state;

	issue(f, "01", false, URL("1"), NOW + DAY);
	issue(f, "02", false, URL("2"), NOW + DAY);
	load(f, PART("one", "1") PART("two", "2"));
	plan_revocation(f, ENTRY_REVOKED, f->dn, "02", NOW, 4);
	go(f);
	no_errors(f);
	assert_string_equal(lists(f, "one"), "");
	assert_string_equal(lists(f, "two"), "02");
	load(f, PART("one", "1"));
	plan_revocation(f, ENTRY_REVOKED, f->dn, "0a", NOW, 4);
	go(f);
	assert_int_equal(count_findings(&f->findings, "CRL-UNION", NULL), 1);
}

/* What is in force does not have what was revoked since. */
static void
test_partitions_since(void **state)
{
	struct fixture *f = *state;

	revoked_of(f, "01", URL("1"));
	revoked_of(f, "02", URL("2"));
	issue(f, "03", false, URL("2"), NOW + 100 * DAY);
	issue(f, "04", false, URL("2"), NOW + 100 * DAY);
	make(f, PART("one", "1") PART("two", "2"));
	sign_built(f, "one");
	sign_built(f, "two");
	f->now += DAY;
	make(f, PART("one", "1"));
	no_errors(f);
	/* In the plan, and then in the journal. */
	load(f, PART("one", "1"));
	plan_revocation(f, ENTRY_REVOKED, f->dn, "03", NOW, 4);
	go(f);
	assert_int_equal(
	    count_findings(&f->findings, "PARTITION-INCOMPLETE", NULL), 1);
	found(f, "serial 03");
	put_revoked(f, "03", NOW, "superseded");
	refused(f, PART("one", "1"), "PARTITION-INCOMPLETE");
	assert_int_equal(
	    count_findings(&f->findings, "PARTITION-INCOMPLETE", NULL), 1);
	found(f, "serial 03");
	/* A full one has it, until another is revoked. */
	make(f, FULL);
	sign_built(f, "c");
	make(f, PART("one", "1"));
	no_errors(f);
	put_revoked(f, "04", NOW, "superseded");
	refused(f, PART("one", "1"), "PARTITION-INCOMPLETE");
	assert_int_equal(
	    count_findings(&f->findings, "PARTITION-INCOMPLETE", NULL), 1);
	found(f, "serial 04");
	make(f, PART("two", "2"));
	no_errors(f);
}

/* A full one that is older than all of it is no better than none. */
static void
test_partitions_old_full(void **state)
{
	struct fixture *f = *state;

	issue(f, "01", false, URL("1"), NOW + 100 * DAY);
	make(f, FULL);
	sign_built(f, "c");
	put_revoked(f, "01", NOW, "superseded");
	refused(f, PART("two", "2"), "PARTITION-INCOMPLETE");
	found(f, "serial 01");
	make(f, PART("one", "1"));
	no_errors(f);
}

/* ---- whom it is about --------------------------------------------------- */

static size_t
warned(const struct fixture *f)
{
	no_errors(f);
	return count_findings(&f->findings, "CRL-COVERS", NULL);
}

static void
test_covers(void **state)
{
	struct fixture *f = *state;

	/* CAs, and what has expired, may stand for a year. */
	issue(f, "01", true, NULL, NOW + 100 * DAY);
	issue(f, "02", false, NULL, NOW - DAY);
	put_issued(f, "0b - ca -\n", 1);
	make(f, FULL CRL("d", "ca-crl-public"));
	assert_int_equal(warned(f), 0);
	issue(f, "03", false, NULL, NOW + 100 * DAY);
	make(f, FULL);
	assert_int_equal(warned(f), 1);
	refused(f, CRL("d", "ca-crl-public"), "CRL-COVERS");
	found(f, "as in crl-user-public");
	make(f, CRL("d", "crl-user") CRL("e", "crl-user-public"));
	assert_int_equal(warned(f), 0);
	/* Not where its scope has none of them. */
	make(f, CRL("d", "crl-ca-only, url: \"http://c.example/sub.crl\""));
	assert_int_equal(warned(f), 0);
	/* Revoked or not: it is on the CRL then. */
	put_revoked(f, "03", NOW - DAY, "superseded");
	refused(f, CRL("d", "ca-crl-public"), "CRL-COVERS");
}

/* Of what was issued elsewhere, and of which nobody knows the kind. */
static void
test_covers_unknown(void **state)
{
	struct fixture *f = *state;

	put_issued(f, "0b - - -\n", 1);
	refused(f, CRL("d", "ca-crl-public"), "CRL-COVERS");
	make(f, CRL("d", "crl-user-public"));
	assert_int_equal(warned(f), 0);
}

/* A full one of end entities has CAs too, and those have a reason. */
static void
test_covers_reason_of_ca(void **state)
{
	struct fixture *f = *state;

	issue(f, "01", true, NULL, NOW + DAY);
	issue(f, "02", false, NULL, NOW + DAY);
	put_revoked(f, "02", NOW - DAY, "unspecified");
	make(f, CRL("c", "crl-user-public"));
	no_errors(f);
	assert_string_equal(lists(f, "c"), "02");
	put_revoked(f, "01", NOW - DAY, "unspecified");
	refused(f, CRL("c", "crl-user-public"), "CRL-REASON-CA");
}

/* Fixed by the serial, and even. */
static void
test_partition_urls(void **state)
{
	enum { PARTS = 16, SERIALS = 16000 };
	unsigned counts[PARTS + 1] = { 0 };
	unsigned char serial[32];
	bool is = false;

	(void)state;
	for (unsigned i = 0; i < SERIALS; i++) {
		AUTO_CHARS(url) = NULL;
		AUTO_CHARS(again) = NULL;
		unsigned number;

		assert_ok(sha256(&i, sizeof(i), serial));
		url = crl_partition_url(
		    "http://c.example/sub.crl", PARTS, serial, 20);
		again = crl_partition_url(
		    "http://c.example/sub.crl", PARTS, serial, 20);
		assert_string_equal(url, again);
		assert_int_equal(
		    sscanf(url, "http://c.example/sub/%u.crl", &number), 1);
		assert_in_range(number, 1, PARTS);
		counts[number]++;
		assert_ok(
		    crl_is_partition_of("http://c.example/sub.crl", url, &is));
		assert_true(is);
		assert_ok(
		    crl_is_partition_of("http://c.example/sub2.crl", url, &is));
		assert_false(is);
	}
	for (unsigned i = 1; i <= PARTS; i++)
		assert_in_range(counts[i], SERIALS / PARTS * 8 / 10,
		    SERIALS / PARTS * 12 / 10);
	{
		AUTO_CHARS(whole) =
		    crl_partition_url("http://c.example/x", 0, serial, 20);
		AUTO_CHARS(bare) =
		    crl_partition_url_at("http://c.example/x", 3);

		assert_string_equal(whole, "http://c.example/x");
		assert_string_equal(bare, "http://c.example/x/3");
	}
}

/* ---- the last one ------------------------------------------------------- */

static void
test_last(void **state)
{
	struct fixture *f = *state;

	refused(f, CRL("c", "ca-crl, last: maybe"), "CRL-LAST");
	refused(f, CRL("c", "ca-crl, last: true, validity: 3d"), "CRL-LAST");
	issue(f, "01", false, NULL, NOW + DAY);
	issue(f, "02", false, NULL, NOW - DAY);
	issue(f, "03", false, NULL, NOW + DAY);
	put_revoked(f, "03", NOW - DAY, "superseded");
	refused(f, CRL("c", "ca-crl, last: true"), "CRL-LAST");
	found(f, "1 certificate of this CA is neither expired");
	/* One whose end nobody knows may be alive. */
	put_revoked(f, "01", NOW - DAY, "superseded");
	put_issued(f, "0b - - -\n", 1);
	refused(f, CRL("c", "ca-crl, last: true"), "CRL-LAST");
	found(f, "1 certificate of this CA is neither expired");
	put_revoked(f, "0b", NOW - DAY, "superseded");
	make(f, CRL("c", "ca-crl, last: true"));
	no_errors(f);
	/* The profile allows a year at most. */
	assert_int_equal(count_findings(&f->findings, "CRL-LAST", NULL), 1);
	/* Near the end both are well. */
	load(f, CRL("c", "ca-crl, last: true"));
	{
		AUTO_STRUCT(certificate_facts) facts = { 0 };
		char until[DATE_TEXT_SIZE];

		assert_ok(
		    certificate_facts(f->build.objects[1].certificate, &facts));
		f->build.now = facts.not_after - 30 * DAY;
		go(f);
		no_errors(f);
		assert_int_equal(
		    count_findings(&f->findings, "CRL-LAST", NULL), 0);
		date_format(facts.not_after, until);
		says(f, "c", until);
		says(f, "c", "every certificate of this CA has expired");
	}
}

/* ---- what earlier parts of the run left --------------------------------- */

static void
test_spooled(void **state)
{
	struct fixture *f = *state;
	struct earlier_object earlier[3] = { { .state = EARLIER_NOTHING } };
	AUTO_BYTES(der) = NULL;
	size_t len;
	uint64_t number;

	put_revoked(f, "01", NOW - DAY, "superseded");
	make(f, FULL);
	number = number_of(f, "c");
	len = object_of(f, "c")->tbs.len;
	der = malloc(len);
	memcpy(der, object_of(f, "c")->tbs.der, len);
	earlier[2] = (struct earlier_object){ .state = EARLIER_SPOOLED,
		.built = NOW,
		.octets = { .kind = OBJECT_CRL,
		    .alg = object_of(f, "c")->tbs.alg,
		    .der = der,
		    .len = len } };
	memcpy(
	    earlier[2].octets.sha256, object_of(f, "c")->tbs.sha256, HASH_LEN);
	/* The world's keys are new to each build, so say that they are not. */
	load(f, FULL);
	for (size_t i = 0; i < f->build.object_count; i++)
		f->build.objects[i].from = BUILT_BEFORE;
	f->build.earlier = earlier;
	f->build.earlier_count = 3;
	f->build.now = NOW + 3600;
	go(f);
	no_errors(f);
	assert_int_equal(object_of(f, "c")->from, BUILT_BEFORE);
	assert_int_equal(number_of(f, "c"), number);
	/* Something is revoked meanwhile: it is built anew. */
	put_revoked(f, "02", NOW - DAY, "superseded");
	load(f, FULL);
	for (size_t i = 0; i < f->build.object_count; i++)
		f->build.objects[i].from = BUILT_BEFORE;
	f->build.earlier = earlier;
	f->build.earlier_count = 3;
	f->build.now = NOW + 3600;
	go(f);
	no_errors(f);
	assert_int_equal(object_of(f, "c")->from, BUILT_NOW);
	assert_string_equal(lists(f, "c"), "01,02");
}

/* ---- many --------------------------------------------------------------- */

/* More than memory should hold: in a file, as OpenSSL would have encoded it. */
static void
test_large(void **state)
{
	enum { COUNT = 30000 };
	struct fixture *f = *state;
	AUTO_STRUCT(crl_head) crl = { 0 };
	AUTO_BYTES(der) = NULL;
	AUTO_STRUCT(spilled) text = { .fd = -1 };
	AUTO_CHARS(hash) = NULL;
	struct listing listing = { 0 };
	struct der_source source;
	struct der octets;
	size_t len = 0;

	load(f, FULL);
	for (unsigned i = 0; i < COUNT; i++) {
		struct listed row = {
			.serial = { { 0x40, (unsigned char)(i >> 16),
					(unsigned char)(i >> 8),
					(unsigned char)i },
			    4 },
			.date = NOW - DAY - (int64_t)i,
			.reason = i % 3 == 0 ? REASON_NONE : REASON_SUPERSEDED
		};

		assert_ok(listing_add(&listing, &row));
	}
	assert_ok(listing_revocations_text(&listing, AT_FDCWD, &text));
	listing_clear(&listing);
	{
		unsigned char digest[HASH_LEN];

		assert_ok(journal_evidence_put(
		    f->journal, text.data, text.len, digest));
		hash = text_hex(digest, HASH_LEN);
	}
	put_entry(f->journal, ENTRY_REVOCATIONS,
	    json_pack("{s:s, s:s, s:s, s:i, s:s, s:s, s:s}", "run", RUN_1,
		"issuer", "sub", "issuer_dn", f->dn, "count", COUNT, "list",
		hash, "source", "csv", "cause", "a test"));
	make(f, FULL);
	no_errors(f);
	assert_non_null(object_of(f, "c")->tbs.file);
	assert_null(object_of(f, "c")->tbs.der);
	der = signed_crl(&object_of(f, "c")->tbs, f->key[1], &len);
	octets = (struct der){ der, len };
	source = der_source_memory(&octets);
	assert_ok(crl_head_read("c", &source, &crl));
	assert_int_equal(crl.entries, COUNT);
	assert_true(crl.ascending);
	/* And the next one, beside it. */
	sign_built(f, "c");
	f->now += DAY;
	make(f, FULL);
	no_errors(f);
	says(f, "c", "30000 entries, of which 30000 are kept as they are");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_first),
		TEST(test_following),
		TEST(test_complete),
		TEST(test_planned),
		TEST(test_planned_refused),
		TEST(test_future),
		TEST(test_reason_of_ca),
		TEST(test_limits),
		TEST(test_dropped),
		TEST(test_changed_date),
		TEST(test_changed_reason),
		TEST(test_later_date),
		TEST(test_upgraded),
		TEST(test_given),
		TEST(test_given_refused),
		TEST(test_given_and_journal),
		TEST(test_partitions),
		TEST(test_partitions_refused),
		TEST(test_partitions_planned),
		TEST(test_partitions_since),
		TEST(test_partitions_old_full),
		TEST(test_covers),
		TEST(test_covers_unknown),
		TEST(test_covers_reason_of_ca),
		TEST(test_partition_urls),
		TEST(test_last),
		TEST(test_spooled),
		TEST(test_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
