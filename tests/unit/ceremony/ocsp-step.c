/*
 * The ocsp-responses step: which certificates it answers for, with what, and
 * what it refuses.
 */
#include <time.h>

#include <openssl/evp.h>
#include <openssl/ocsp.h>

#include "base/date.h"
#include "people.h"
#include "profiles/lint/lint.h"
#include "profiles/ocsp.h"
#include "world.h"

CLEANUP_DEFINE(OCSP_BASICRESP, OCSP_BASICRESP_free);
CLEANUP_DEFINE(OCSP_RESPONSE, OCSP_RESPONSE_free);
CLEANUP_DEFINE(OCSP_CERTID, OCSP_CERTID_free);

enum { NOW = 1800000000, HOUR = 3600, DAY = 24 * HOUR };

/* A root, a CA below it, and a responder of the root. */
static const char world[] = KEY("root", "ca") KEY("sub", "ca")
    KEY("resp", "ocsp") CERTIFICATE("root", "root", "", "root")
	CERTIFICATE("subordinate", "sub", "issuer: root,", "issuing-ca")
	    CERTIFICATE(
		"ocsp-responder", "resp", "issuer: root,", "ocsp-responder");

enum { WORLD_STEPS = 6 };

static void
add_profiles(struct fixture *f)
{
	inputs_clear(&f->inputs);
	f->inputs = (struct inputs){ 0 };
	add_profile(f, "root", "usages: [key-cert-sign",
	    "usages: [digital-signature, key-cert-sign");
	add_profile(f, "issuing-ca", NULL, NULL);
	add_profile(f, "ocsp-responder", NULL, NULL);
	add_profile(f, "ca-crl", NULL, NULL);
	add_profile(f, "ocsp-response", NULL, NULL);
	add_profile(f, "ocsp-response-user", NULL, NULL);
}

static int
setup(void **state)
{
	struct fixture *f = world_new("ocsp-step");

	add_profiles(f);
	*state = f;
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

/* The world, and this step behind it, which is not built yet. */
static void
load(struct fixture *f, const char *step)
{
	void *value = NULL;
	int len = snprintf(f->text, sizeof(f->text),
	    "%s%s  - ocsp-responses: "
	    "{%s}\n",
	    head, world, step);

	assert_in_range(len, 1, TEXT_MAX - 1);
	unload(f);
	f->counter = 0;
	assert_ok(yaml_load("plan.yaml", (const unsigned char *)f->text,
	    (size_t)len, &plan_schema, &f->findings, &f->doc, &value));
	f->params = value;
	f->build = (struct build){
		.mode = BUILD_CHECK,
		.journal = f->journal,
		.inputs = &f->inputs,
		.public_fd = -1,
		.scratch_fd = -1,
		.now = NOW,
		.random = counted,
		.random_ctx = f,
		.findings = &f->findings,
		.urls = {
			[URL_CRL] = "http://c.example/{issuer}.crl",
			[URL_CA_ISSUERS] = "http://c.example/{issuer}.der",
			[URL_OCSP] = "http://o.example/",
		},
	};
	assert_ok(steps_make(f->params, f->doc, &f->findings, &f->steps));
	assert_ok(build_plan(&f->build, f->steps, WORLD_STEPS));
	no_errors(f);
}

/* Now the step itself. */
static void
answer(struct fixture *f)
{
	struct step *step = &f->steps[WORLD_STEPS];

	assert_ptr_equal(step->kind, &step_ocsp_responses);
	assert_ok(step->kind->check(&f->build, step));
	if (f->findings.errors == 0)
		assert_ok(step->kind->build(&f->build, step));
}

static const struct built_batch *
batch_of(struct fixture *f)
{
	no_errors(f);
	assert_int_equal(f->build.batch_count, 1);
	return &f->build.batches[0];
}

static void
refused(struct fixture *f, const char *id, const char *at)
{
	assert_int_equal(f->build.batch_count, 0);
	assert_true(f->findings.errors > 0);
	assert_int_equal(count_findings(&f->findings, id,
			     at == NULL ? NULL : place_in(f->text, at)),
	    1);
}

static const struct built_object *
object_of(const struct fixture *f, const char *name)
{
	for (size_t i = 0; i < f->build.object_count; i++)
		if (strcmp(f->build.objects[i].name, name) == 0)
			return &f->build.objects[i];
	fail_msg("there is no '%s'", name);
	return NULL;
}

static const char *
fact(const struct fixture *f, const char *name, const char *member)
{
	const char *text = json_string_value(
	    json_object_get(object_of(f, name)->facts, member));

	assert_non_null(text);
	return text;
}

static void
root_dn(const struct fixture *f, char ret_dn[65])
{
	(void)snprintf(ret_dn, 65, "%s", fact(f, "sub", "issuer_dn"));
}

/* Certificates of the root that were issued elsewhere, as an earlier step's. */
static void
import(struct fixture *f, const char *lines)
{
	struct built_act act = { .entry = ENTRY_ISSUED };
	char dn[65];

	root_dn(f, dn);
	act.kind = strdup("import-issued");
	act.data = json_pack("{s:s}", "issuer_dn", dn);
	act.summary = strdup("a test");
	act.list.data =
	    (unsigned char *)text_printf("ca-tool-issued-1\n%s", lines);
	act.list.len = strlen((const char *)act.list.data);
	assert_ok(build_add_act(&f->build, &act));
}

static void
plan_revocation(struct fixture *f, const char *serial, int64_t date, int reason,
    int64_t expires)
{
	char dn[65];

	root_dn(f, dn);
	world_revoke(f, ENTRY_REVOKED, dn, serial,
	    (struct listed){ .date = date,
		.reason = (enum revocation_reason)reason,
		.expires = expires });
}

/* ---- what OpenSSL reads in a response ---------------------------------- */

struct said {
	int status, reason;
	int64_t date, this_update, next_update;
};

static unsigned char *
whole(const struct built_batch *batch, size_t i, size_t *ret_len)
{
	const struct tbs tbs = {
		.kind = OBJECT_OCSP,
		.alg = batch->alg,
		.der = batch->tbs + batch->offsets[i],
		.len = batch->offsets[i + 1] - batch->offsets[i],
	};
	static const unsigned char signature[] = { 0x30, 0x06, 0x02, 0x01, 0x01,
		0x02, 0x01, 0x01 };
	unsigned char *der = NULL;

	assert_ok(ocsp_assemble(&tbs, signature, sizeof(signature),
	    batch->responder_der, batch->responder_len, &der, ret_len));
	return der;
}

static int64_t
seconds(const ASN1_GENERALIZEDTIME *time)
{
	struct tm tm;

	assert_int_equal(ASN1_TIME_to_tm(time, &tm), 1);
	return timegm(&tm);
}

static void
read_response(const struct fixture *f, const struct built_batch *batch,
    size_t i, const EVP_MD *md, struct said *ret_said)
{
	size_t len = 0;
	AUTO_BYTES(der) = whole(batch, i, &len);
	const unsigned char *p = der;
	AUTO(OCSP_RESPONSE) *response = d2i_OCSP_RESPONSE(NULL, &p, (long)len);
	AUTO(OCSP_BASICRESP) *basic = OCSP_response_get1_basic(response);
	const X509 *root = object_of(f, "root")->certificate;
	AUTO_BYTES(octets) = NULL;
	AUTO(ASN1_INTEGER) *serial = ASN1_INTEGER_new();
	AUTO(OCSP_CERTID) *id = NULL;
	ASN1_GENERALIZEDTIME *date = NULL, *from = NULL, *until = NULL;
	size_t serial_len = 0;

	ret_said->reason = -1; /* stays so, where there is none */
	assert_non_null(basic);
	assert_ok(text_unhex(batch->items[i].serial, &octets, &serial_len));
	assert_int_equal(ASN1_STRING_set(serial, octets, (int)serial_len), 1);
	id = OCSP_cert_id_new(md, X509_get_subject_name(root),
	    X509_get0_pubkey_bitstr(root), serial);
	assert_int_equal(OCSP_resp_find_status(basic, id, &ret_said->status,
			     &ret_said->reason, &date, &from, &until),
	    1);
	ret_said->date = date == NULL ? 0 : seconds(date);
	ret_said->this_update = seconds(from);
	ret_said->next_update = seconds(until);
}

static size_t
index_of(const struct built_batch *batch, const char *serial)
{
	for (size_t i = 0; i < batch->count; i++)
		if (strcmp(batch->items[i].serial, serial) == 0)
			return i;
	fail_msg("there is no response about %s", serial);
	return 0;
}

static void
assert_said(const struct fixture *f, const char *serial, int status, int reason,
    int64_t date, int64_t until)
{
	const struct built_batch *batch = &f->build.batches[0];
	size_t i = index_of(batch, serial);

	for (size_t hash = 0; hash < 2; hash++) {
		struct said said;

		read_response(
		    f, batch, i, hash == 0 ? EVP_sha256() : EVP_sha1(), &said);
		assert_int_equal(said.status, status);
		assert_int_equal(said.reason, reason);
		assert_int_equal(said.date, date);
		assert_int_equal(said.this_update, NOW);
		assert_int_equal(said.next_update, until);
	}
	assert_int_equal(
	    batch->items[i].revoked, status == V_OCSP_CERTSTATUS_REVOKED);
}

/* ---- what is made ------------------------------------------------------ */

#define BY_RESPONDER \
	"name: o, issuer: root, profile: ocsp-response, responder: resp"
#define BY_ISSUER "name: o, issuer: root, profile: ocsp-response"

static const int64_t usual = NOW + 182LL * DAY - 1;

/* The CA below the root; not the root, and not the responder. */
static void
test_all(void **state)
{
	struct fixture *f = *state;
	const struct built_batch *batch;

	for (size_t i = 0; i < 2; i++) {
		load(f, i == 0 ? BY_RESPONDER : BY_ISSUER);
		answer(f);
		batch = batch_of(f);
		assert_int_equal(batch->count, 1);
		assert_string_equal(
		    batch->items[0].serial, fact(f, "sub", "serial"));
		assert_said(f, batch->items[0].serial, V_OCSP_CERTSTATUS_GOOD,
		    -1, 0, usual);
		assert_string_equal(batch->name, "o");
		assert_string_equal(batch->issuer, "root");
		assert_string_equal(batch->key, i == 0 ? "resp" : "root");
		assert_int_equal(batch->stage, STAGE_OCSP);
		assert_int_equal(batch->from, BUILT_NOW);
		assert_int_equal(batch->built, NOW);
		assert_int_equal(batch->offsets[1], batch->tbs_len);
		assert_int_equal(batch->signed_count, 0);
		assert_int_equal(batch->responder_der != NULL, i == 0);
		assert_string_equal(json_string_value(json_object_get(
					batch->facts, "next_update")),
		    "2027-07-16T07:59:59Z");
		if (i == 0)
			assert_string_equal(batch->responder, "resp");
		else
			assert_true(json_is_null(
			    json_object_get(batch->facts, "responder")));
	}
}

/* What others issued, what is revoked, what ends sooner, what is left out. */
static void
test_sources(void **state)
{
	struct fixture *f = *state;
	const struct built_batch *batch;

	load(f, BY_RESPONDER);
	import(f,
	    "0100 2027-01-16T08:00:00Z ca -\n"   /* in a day */
	    "0200 2028-01-15T08:00:00Z ca -\n"   /* revoked */
	    "0300 - ca -\n"                      /* no end known */
	    "0400 2028-01-15T08:00:00Z ee -\n"   /* not covered */
	    "0500 2028-01-15T08:00:00Z - -\n"    /* who knows */
	    "0600 2027-01-15T07:59:59Z ca -\n"   /* expired */
	    "0700 2027-01-15T08:00:00Z ca -\n"); /* this second */
	plan_revocation(f, "0200", NOW - 5, REASON_KEY_COMPROMISE, 0);
	plan_revocation(
	    f, "0200", NOW - 9, REASON_SUPERSEDED, 0); /* an upgrade */
	/* Not imported: nobody knows what it is. */
	plan_revocation(f, "0800", NOW - 5, REASON_NONE, NOW + 400LL * DAY);
	plan_revocation(f, fact(f, "sub", "serial"), NOW, REASON_CESSATION, 0);
	answer(f);
	batch = batch_of(f);
	assert_int_equal(batch->count, 3);
	assert_said(f, "0100", V_OCSP_CERTSTATUS_GOOD, -1, 0, NOW + DAY);
	assert_said(f, "0200", V_OCSP_CERTSTATUS_REVOKED, REASON_SUPERSEDED,
	    NOW - 9, usual);
	assert_said(f, fact(f, "sub", "serial"), V_OCSP_CERTSTATUS_REVOKED,
	    REASON_CESSATION, NOW, usual);
	/* Ascending by value. */
	assert_string_equal(batch->items[0].serial, "0100");
	assert_string_equal(batch->items[1].serial, "0200");
	assert_int_equal(
	    count_findings(&f->findings, "OCSP-LEFT-OUT", NULL), 3);
	assert_non_null(strstr(batch->details, "3 certificates, 1 good"));
	assert_non_null(strstr(batch->details, "ending sooner"));
	assert_non_null(strstr(batch->details, "left out: 3"));
	assert_non_null(strstr(batch->summary, "3 OCSP responses"));
}

/* End entities have a profile of their own, with a week. */
static void
test_users(void **state)
{
	struct fixture *f = *state;

	load(f,
	    "name: o, issuer: root, profile: ocsp-response-user, responder: "
	    "resp, validity: 2d");
	import(f,
	    "0400 2028-01-15T08:00:00Z ee -\n"
	    "0500 2028-01-15T08:00:00Z - -\n"
	    "0600 2027-01-15T16:00:00Z ee -\n" /* in eight hours */
	    "0700 2027-01-15T20:00:00Z ee -\n");
	answer(f);
	assert_int_equal(batch_of(f)->count, 3);
	assert_said(
	    f, "0400", V_OCSP_CERTSTATUS_GOOD, -1, 0, NOW + 2 * DAY - 1);
	assert_said(
	    f, "0500", V_OCSP_CERTSTATUS_GOOD, -1, 0, NOW + 2 * DAY - 1);
	assert_said(f, "0700", V_OCSP_CERTSTATUS_GOOD, -1, 0, NOW + 12 * HOUR);
}

/* One that a cut left possibly signed: object `object` of a run's list. */
static void
put_possible(
    struct fixture *f, int object, const char *serial, const char *kind)
{
	char dn[65], from[DATE_TEXT_SIZE], until[DATE_TEXT_SIZE];

	root_dn(f, dn);
	date_format(NOW - DAY, from);
	date_format(NOW + 100LL * DAY, until);
	put_entry(f->journal, ENTRY_INTENT,
	    json_pack("{s:s, s:i, s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, "
		      "s:s, s:s, s:s, s:s, s:s, s:b, s:s, s:n}",
		"run", RUN_1, "list", 0, "object", object, "kind",
		"certificate", "name", serial, "key", DIGEST_A, "algorithm",
		"30", "tbs", DIGEST_C, "issuer", "root", "issuer_dn", dn,
		"profile", "p", "serial", serial, "subject_dn", DIGEST_B,
		"spki", DIGEST_C, "not_before", from, "not_after", until, "ca",
		0, "certificate_kind", kind, "subject_key"));
	put_failed(f->journal, RUN_1, object, serial, true);
}

/*
 * Whoever is possibly signed is never said to be good; revoked, it is what its
 * intent says, and a responder is not asked about.
 */
static void
test_possibly_signed(void **state)
{
	struct fixture *f = *state;

	put_set(f->journal, SOME_SET, "a set");
	put_run(f->journal, RUN_1, "a", SOME_SET, NULL);
	put_list(f->journal, RUN_1, 0);
	load(f,
	    "name: o, issuer: root, profile: ocsp-response-user, responder: "
	    "resp, validity: 2d");
	put_possible(f, 0, "0100", "ocsp-responder");
	put_possible(f, 1, "0200", "end-entity");
	put_possible(f, 2, "0300", "end-entity");
	plan_revocation(f, "0100", NOW - 5, REASON_SUPERSEDED, 0);
	plan_revocation(f, "0200", NOW - 5, REASON_SUPERSEDED, 0);
	answer(f);
	assert_int_equal(batch_of(f)->count, 1);
	assert_said(f, "0200", V_OCSP_CERTSTATUS_REVOKED, REASON_SUPERSEDED,
	    NOW - 5, NOW + 2 * DAY - 1);
}

static void
test_listed(void **state)
{
	struct fixture *f = *state;

	/* As people write them, in any order. */
	load(f, BY_RESPONDER ", serials: ['0200', '100']");
	import(f,
	    "0100 2028-01-15T08:00:00Z ca -\n"
	    "0200 2028-01-15T08:00:00Z ca -\n"
	    "0300 2028-01-15T08:00:00Z ca -\n");
	answer(f);
	assert_int_equal(batch_of(f)->count, 2);
	assert_string_equal(f->build.batches[0].items[0].serial, "0100");
	assert_string_equal(f->build.batches[0].items[1].serial, "0200");
	assert_int_equal(
	    count_findings(&f->findings, "OCSP-LEFT-OUT", NULL), 0);
}

/* Each response passes the linter, with the certificate beside it. */
static void
test_lint(void **state)
{
	struct fixture *f = *state;
	AUTO_STRUCT(findings) findings = { 0 };
	const struct built_batch *batch;
	AUTO_BYTES(der) = NULL;
	size_t len = 0;

	load(f, BY_RESPONDER);
	answer(f);
	batch = batch_of(f);
	der = whole(batch, 0, &len);
	assert_ok(built_batch_lint(
	    batch, (struct der){ der, len }, true, NOW, &findings));
	assert_int_equal(findings.errors, 0);
	/* The same where its certificates are opened for each. */
	lint_known_free(f->build.batches[0].known);
	f->build.batches[0].known = NULL;
	assert_ok(built_batch_lint(
	    batch, (struct der){ der, len }, true, NOW, &findings));
	assert_int_equal(findings.errors, 0);
	assert_ok(built_batch_prepare(&f->build.batches[0]));
	assert_non_null(batch->known);
	/* The constant is no signature. */
	assert_ok(built_batch_lint(
	    batch, (struct der){ der, len }, false, NOW, &findings));
	assert_true(findings.errors > 0);
	findings_clear(&findings);
	findings = (struct findings){ 0 };
	/* Another certificate beside it is looked at: here the constant. */
	f->build.batches[0]
	    .responder_der[f->build.batches[0].responder_len - 1] ^= 1;
	assert_ok(built_batch_lint(
	    batch, (struct der){ der, len }, true, NOW, &findings));
	assert_int_equal(count_findings(&findings, "OCS-SIGNER", NULL), 1);
}

/* ---- what is refused --------------------------------------------------- */

static void
test_refused_serials(void **state)
{
	static const struct {
		const char *serial, *id;
	} cases[] = {
		{ "'0900'", "OCS-GOOD-ASSIGNED" }, /* never issued */
		{ "'0300'", "OCS-NEXTUPDATE-TARGET" },
		{ "'0400'", "PROFILE-COVERS" },
		{ "'0500'", "PROFILE-COVERS" },
		{ "'0600'", "OCS-NEXTUPDATE-TARGET" },
		{ "'0700'", "OCS-NEXTUPDATE-TARGET" },
		{ "'0x01'", "SERIAL-FORM" },
		{ "'0'", "SERIAL-FORM" },
	};
	struct fixture *f = *state;
	char step[256];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)snprintf(step, sizeof(step),
		    BY_RESPONDER ", serials: ['0100', %s]", cases[i].serial);
		load(f, step);
		import(f,
		    "0100 2028-01-15T08:00:00Z ca -\n"
		    "0300 - ca -\n"
		    "0400 2028-01-15T08:00:00Z ee -\n"
		    "0500 2028-01-15T08:00:00Z - -\n"
		    "0600 2027-01-15T07:59:59Z ca -\n"
		    "0700 2027-01-15T08:00:00Z ca -\n");
		answer(f);
		refused(f, cases[i].id, cases[i].serial);
		assert_int_equal(f->findings.errors, 1);
	}
	load(f, BY_RESPONDER ", serials: ['0100', '100']");
	import(f, "0100 2028-01-15T08:00:00Z ca -\n");
	answer(f);
	refused(f, "SERIAL-TWICE", NULL);
}

/* A list that names the root, or the responder. */
static void
test_refused_own(void **state)
{
	struct fixture *f = *state;
	char step[256], root[64], responder[64];

	load(f, BY_RESPONDER);
	(void)snprintf(root, sizeof(root), "%s", fact(f, "root", "serial"));
	(void)snprintf(
	    responder, sizeof(responder), "%s", fact(f, "resp", "serial"));
	(void)snprintf(
	    step, sizeof(step), BY_RESPONDER ", serials: ['%s']", root);
	load(f, step);
	answer(f);
	refused(f, "OCS-ROOT-STATUS", NULL);
	(void)snprintf(
	    step, sizeof(step), BY_RESPONDER ", serials: ['%s']", responder);
	load(f, step);
	answer(f);
	refused(f, "OCS-NO-EE-FROM-ROOT", NULL);
}

static void
test_refused_signers(void **state)
{
	static const struct {
		const char *step, *id;
	} cases[] = {
		{ "name: o, issuer: root, profile: ocsp-response, responder: "
		  "nobody",
		    "RESPONDER-MISSING" },
		/* A CA's key, which keeps its one purpose. */
		{ "name: o, issuer: root, profile: ocsp-response, responder: "
		  "sub",
		    "KEY-PURPOSE" },
		/* The root's responder, about what another CA has issued. */
		{ "name: o, issuer: sub, profile: ocsp-response, responder: "
		  "resp",
		    "OCR-ISSUER" },
		/* The issuing CA has no digitalSignature. */
		{ "name: o, issuer: sub, profile: ocsp-response",
		    "OCS-SIGNER" },
		{ "name: o, issuer: nobody, profile: ocsp-response",
		    "ISSUER-MISSING" },
		{ "name: o, issuer: root, profile: ca-crl", "PROFILE-KIND" },
		{ BY_RESPONDER ", validity: 366d", "PROFILE-VALIDITY" },
		{ BY_RESPONDER ", validity: soon", "DURATION" },
		{ "name: O, issuer: root, profile: ocsp-response",
		    "NAME-FORM" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		load(f, cases[i].step);
		answer(f);
		refused(f, cases[i].id, NULL);
	}
	/* OCS-NEXTUPDATE-CERTS: the responder ends in a year. */
	load(f, BY_RESPONDER ", validity: 365d");
	f->build.now = NOW + 10 * DAY;
	answer(f);
	refused(f, "OCS-NEXTUPDATE-CERTS", NULL);
	/* A responder that is revoked. */
	load(f, BY_RESPONDER);
	plan_revocation(
	    f, fact(f, "resp", "serial"), NOW, REASON_SUPERSEDED, 0);
	answer(f);
	refused(f, "RESPONDER-REVOKED", NULL);
}

/* Dates and reasons as on CRLs: one that is not allowed stops everything. */
static void
test_refused_status(void **state)
{
	struct fixture *f = *state;

	load(f, BY_RESPONDER);
	plan_revocation(
	    f, fact(f, "sub", "serial"), NOW + 1, REASON_SUPERSEDED, 0);
	answer(f);
	refused(f, "OCS-REVOKED", NULL);
	load(f, BY_RESPONDER);
	plan_revocation(
	    f, fact(f, "sub", "serial"), NOW, 6 /* certificateHold */, 0);
	answer(f);
	refused(f, "OCS-REASON-SET", NULL);
}

/* Errors of twenty responses are told, and that there may be more. */
static void
test_refused_many(void **state)
{
	struct fixture *f = *state;
	char lines[4096], *p = lines;

	load(f, BY_RESPONDER);
	for (int i = 0; i < 30; i++)
		p += sprintf(p, "01%02x 2028-01-15T08:00:00Z ca -\n", i);
	import(f, lines);
	for (int i = 0; i < 30; i++) {
		char serial[8];

		(void)snprintf(serial, sizeof(serial), "01%02x", i);
		plan_revocation(f, serial, NOW + 1, REASON_SUPERSEDED, 0);
	}
	answer(f);
	assert_int_equal(f->build.batch_count, 0);
	assert_int_equal(count_findings(&f->findings, "OCS-REVOKED", NULL), 20);
	assert_int_equal(count_findings(&f->findings, "OCSP-MORE", NULL), 1);
}

static void
test_refused_none(void **state)
{
	struct fixture *f = *state;

	load(f,
	    "name: o, issuer: root, profile: ocsp-response-user, responder: "
	    "resp");
	answer(f);
	refused(f, "OCSP-NONE", NULL);
}

/* ---- a run that was cut off -------------------------------------------- */

/* The evidence of a window's result, from a batch; item `skip` is not in it. */
static char *
result_of(const struct built_batch *batch, size_t skip)
{
	char *text = strdup("");

	for (size_t i = 0; i < batch->count; i++) {
		size_t len = 0;
		AUTO_BYTES(der) = whole(batch, i, &len);
		AUTO_CHARS(hash) = sha256_hex(der, len);
		AUTO_BYTES(base64) = calloc(1, 2 * len + 4);
		char *next;

		assert_non_null(base64);
		(void)EVP_EncodeBlock(base64, der, (int)len);
		next = i == skip
		    ? text_printf("%s%s -\n", text, batch->items[i].serial)
		    : text_printf("%s%s %s %s\n", text, batch->items[i].serial,
			  hash, (const char *)base64);
		assert_non_null(next);
		free(text);
		text = next;
	}
	return text;
}

static void
put_window(struct fixture *f, const struct built_batch *batch, const char *name,
    const char *result)
{
	char intended[65], items[65], from[DATE_TEXT_SIZE];
	const char *until =
	    json_string_value(json_object_get(batch->facts, "next_update"));

	date_format(NOW, from);
	put_entry(f->journal, ENTRY_OCSP_INTENT,
	    json_pack("{s:s, s:i, s:i, s:i, s:i, s:s, s:s, s:s, s:s, s:s, s:s, "
		      "s:s, s:s, s:s, s:s, s:s}",
		"run", RUN_1, "list", 0, "window", 0, "first", 0, "count",
		(int)batch->count, "name", name, "key", DIGEST_A, "algorithm",
		"30", "issuer", "root", "issuer_dn", DIGEST_A, "responder",
		"resp", "profile", "ocsp-response", "this_update", from,
		"next_update", until, "root", DIGEST_B, "items",
		put_evidence(f->journal, "intended", intended)));
	put_entry(f->journal, ENTRY_OCSP_RESULT,
	    json_pack("{s:s, s:i, s:i, s:s, s:i, s:s, s:s}", "run", RUN_1,
		"list", 0, "window", 0, "name", name, "count",
		(int)batch->count, "root", DIGEST_B, "items",
		put_evidence(f->journal, result, items)));
}

static const char three[] = "0100 2028-01-15T08:00:00Z ca -\n"
			    "0200 2028-01-15T08:00:00Z ca -\n"
			    "0300 2027-01-16T08:00:00Z ca -\n";

/* A run that signed the first of them (all but one) an hour ago. */
static void
resume(struct fixture *f, const char *name, size_t skip)
{
	AUTO_CHARS(result) = NULL;

	load(f, BY_RESPONDER);
	import(f, three);
	answer(f);
	result = result_of(batch_of(f), skip);
	put_set(f->journal, SOME_SET, "a set");
	put_run(f->journal, RUN_1, "a", SOME_SET, NULL);
	put_list(f->journal, RUN_1, 0);
	put_window(f, batch_of(f), name, result);
	load(f, BY_RESPONDER);
	import(f, three);
	f->build.now = NOW + HOUR;
	f->build.run = RUN_1;
	f->build.resumed = true;
}

static void
test_resumed(void **state)
{
	struct fixture *f = *state;
	const struct built_batch *batch;
	size_t skipped = 1;

	resume(f, "o", skipped);
	answer(f);
	batch = batch_of(f);
	assert_int_equal(batch->count, 4);
	assert_int_equal(batch->signed_count, 3);
	assert_int_equal(batch->from, BUILT_NOW);
	for (size_t i = 0; i < batch->count; i++) {
		struct said said;

		read_response(f, batch, i, EVP_sha256(), &said);
		assert_int_equal(batch->items[i].is_signed, i != skipped);
		/* As it was confirmed. */
		assert_int_equal(said.this_update, NOW);
	}
	assert_int_equal(batch->built, NOW);
}

/* When the one that is missing is made anew, and with which time. */
static void
assert_anew(struct fixture *f, size_t skipped, int64_t time)
{
	const struct built_batch *batch;
	struct said said;

	f->build.now = time;
	answer(f);
	batch = batch_of(f);
	assert_int_equal(batch->signed_count, 3);
	assert_int_equal(batch->built, time);
	read_response(f, batch, skipped, EVP_sha256(), &said);
	assert_int_equal(said.this_update, time);
}

/* Twelve hours, to the second. */
static void
test_resumed_old(void **state)
{
	struct fixture *f = *state;

	resume(f, "o", 1);
	f->build.now = NOW + 12 * HOUR;
	answer(f);
	assert_int_equal(batch_of(f)->built, NOW);
	load(f, BY_RESPONDER);
	import(f, three);
	f->build.run = RUN_1;
	f->build.resumed = true;
	assert_anew(f, 1, NOW + 12 * HOUR + 1);
}

/* A window that is possibly signed: its responses are built anew. */
static void
test_resumed_possibly(void **state)
{
	struct fixture *f = *state;
	char items[65];

	resume(f, "o", 1);
	put_entry(f->journal, ENTRY_OCSP_INTENT,
	    json_pack("{s:s, s:i, s:i, s:i, s:i, s:s, s:s, s:s, s:s, s:s, s:n, "
		      "s:s, s:s, s:s, s:s, s:s}",
		"run", RUN_1, "list", 0, "window", 1, "first", 1, "count", 1,
		"name", "o", "key", DIGEST_A, "algorithm", "30", "issuer",
		"root", "issuer_dn", DIGEST_A, "responder", "profile",
		"ocsp-response", "this_update", "2027-01-15T08:00:00Z",
		"next_update", "2027-07-16T07:59:59Z", "root", DIGEST_B,
		"items", put_evidence(f->journal, "intended", items)));
	assert_anew(f, 1, NOW + HOUR);
}

static void
test_resumed_whole(void **state)
{
	struct fixture *f = *state;

	resume(f, "o", SIZE_MAX);
	answer(f);
	assert_int_equal(batch_of(f)->signed_count, 4);
	assert_int_equal(batch_of(f)->from, BUILT_AND_SIGNED);
}

/* OCS-CRL-AGREE: a "good" that is not so any more is not kept. */
static void
test_resumed_revoked(void **state)
{
	struct fixture *f = *state;
	const struct built_batch *batch;
	struct said said;

	resume(f, "o", SIZE_MAX);
	plan_revocation(f, "0200", NOW + 1, REASON_SUPERSEDED, 0);
	answer(f);
	batch = batch_of(f);
	assert_int_equal(batch->signed_count, 3);
	assert_false(batch->items[index_of(batch, "0200")].is_signed);
	read_response(f, batch, index_of(batch, "0200"), EVP_sha256(), &said);
	assert_int_equal(said.status, V_OCSP_CERTSTATUS_REVOKED);
	assert_int_equal(said.this_update, NOW + HOUR);
}

/* One that has ended since is of no use. */
static void
test_resumed_late(void **state)
{
	struct fixture *f = *state;

	resume(f, "o", SIZE_MAX);
	f->build.now = NOW + DAY; /* the end of 0300 */
	answer(f);
	assert_int_equal(batch_of(f)->count, 3);
	assert_int_equal(f->build.batches[0].signed_count, 3);
}

static void
test_resumed_other(void **state)
{
	struct fixture *f = *state;

	resume(f, "another", SIZE_MAX);
	answer(f);
	assert_int_equal(batch_of(f)->signed_count, 0);
}

/* Evidence that is no list, or has no response in it. */
static void
test_resumed_forged(void **state)
{
	static const char *const bad[] = { "nonsense\n",
		"0100 " DIGEST_A " !!!!\n", "0100 " DIGEST_A " AAAA\n",
		"xx " DIGEST_A " AAAA\n" };
	struct fixture *f = *state;
	char items[65];

	resume(f, "other", SIZE_MAX);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char intended[65];
		struct step *step = &f->steps[WORLD_STEPS];

		put_entry(f->journal, ENTRY_OCSP_INTENT,
		    json_pack("{s:s, s:i, s:i, s:i, s:i, s:s, s:s, s:s, s:s, "
			      "s:s, s:n, s:s, s:s, s:s, s:s, s:s}",
			"run", RUN_1, "list", 0, "window", (int)i + 1, "first",
			0, "count", 1, "name", "o", "key", DIGEST_A,
			"algorithm", "30", "issuer", "root", "issuer_dn",
			DIGEST_A, "responder", "profile", "ocsp-response",
			"this_update", "2027-01-15T08:00:00Z", "next_update",
			"2027-07-16T07:59:59Z", "root", DIGEST_B, "items",
			put_evidence(f->journal, "intended", intended)));
		put_entry(f->journal, ENTRY_OCSP_RESULT,
		    json_pack("{s:s, s:i, s:i, s:s, s:i, s:s, s:s}", "run",
			RUN_1, "list", 0, "window", (int)i + 1, "name", "o",
			"count", 1, "root", DIGEST_B, "items",
			put_evidence(f->journal, bad[i], items)));
		assert_int_equal(step->kind->build(&f->build, step), -1);
		assert_int_equal(f->build.batch_count, 0);
		ca_error_clear();
	}
}

/* A name that an earlier run's responses have. */
static void
test_name_taken(void **state)
{
	struct fixture *f = *state;

	resume(f, "o", SIZE_MAX);
	f->build.resumed = false;
	answer(f);
	refused(f, "NAME-TAKEN", NULL);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_all),
		TEST(test_sources),
		TEST(test_users),
		TEST(test_possibly_signed),
		TEST(test_listed),
		TEST(test_lint),
		TEST(test_refused_serials),
		TEST(test_refused_own),
		TEST(test_refused_signers),
		TEST(test_refused_status),
		TEST(test_refused_many),
		TEST(test_refused_none),
		TEST(test_resumed),
		TEST(test_resumed_old),
		TEST(test_resumed_possibly),
		TEST(test_resumed_whole),
		TEST(test_resumed_revoked),
		TEST(test_resumed_late),
		TEST(test_resumed_other),
		TEST(test_resumed_forged),
		TEST(test_name_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
