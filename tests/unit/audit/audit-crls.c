/* CRLs, revocations, and what is possibly signed. */
#include "base/date.h"
#include "objects-support.h"
#include "tests/unit/profiles/support.h"

#define SERIAL_A "4a4b4c4d4e4f50515253"
#define SERIAL_B "5a4b4c4d4e4f50515253"
#define DATE_LONG_AGO "2020-01-01T00:00:00Z"

static void
audit(struct world *w)
{
	world_audit(w, &audit_objects, -1);
}

/* An intent of the root that came to nothing: its serial can be revoked. */
static void
lose(struct world *w, int object, const char *serial)
{
	char name[24], text[DATE_TEXT_SIZE];

	date_format(date_now(), text);
	(void)snprintf(name, sizeof name, "lost-%d", object);
	world_add(w, ENTRY_INTENT,
	    with(with(data_certificate(RUN_A, 0, object, name, w->root_dn,
			  serial, hex64(50 + (unsigned)object)),
		     "not_before", json_string(text)),
		"key", json_string(world_spki(w->keys[KEY_ROOT]))));
	world_add(w, ENTRY_FAILED, data_failed(RUN_A, 0, object, name));
}

static void
lose_and_revoke(
    struct world *w, int object, const char *serial, struct crl_entry *entry)
{
	lose(w, object, serial);
	revoke_serial(w, serial, entry);
}

static void
crl_of(struct world *w, int object, uint64_t number,
    const struct crl_entry *entries, size_t count)
{
	char name[16];

	(void)snprintf(name, sizeof name, "crl-%d", object);
	make_crl(w,
	    &(struct crl_making){ .name = name,
		.object = object,
		.number = number,
		.entries = entries,
		.count = count });
}

static void
test_clean(void **state)
{
	struct world *w = *state;
	struct crl_entry entries[2];

	make_root(w);
	crl_of(w, 10, 1, NULL, 0);
	lose_and_revoke(w, 11, SERIAL_A, &entries[0]);
	crl_of(w, 12, 2, entries, 1);
	lose_and_revoke(w, 13, SERIAL_B, &entries[1]);
	crl_of(w, 14, 7, entries, 2);
	audit(w);
	assert_no_findings(w);
}

/* ---- scopes ------------------------------------------------------------ */

/* As request() of the certificates here. */
#define URL_R "http://c.example/r.crl"

/* The sub CA, revoked; and a CRL of a scope with these entries. */
static void
scoped(struct world *w, const char *profile, const char *url, bool listed,
    json_t *over)
{
	struct crl_entry entry;
	AUTO_STRUCT(certificate_facts) facts = { 0 };
	AUTO_CHARS(serial) = NULL;

	make_root(w);
	make_sub(w);
	assert_ok(certificate_facts(w->sub, &facts));
	serial = text_hex(facts.serial, facts.serial_len);
	revoke_serial(w, serial, &entry);
	make_crl(w,
	    &(struct crl_making){ .name = "crl-10",
		.profile = profile,
		.url = url,
		.object = 10,
		.number = 1,
		.entries = &entry,
		.count = listed ? 1 : 0,
		.over = over });
	audit(w);
}

static void
test_scope_holds(void **state)
{
	scoped(*state, "crl-ca-only", URL_R, true, NULL);
	assert_no_findings(*state);
}

static void
test_scope_lacks_kind(void **state)
{
	scoped(*state, "crl-partition", URL_R, false, NULL);
	assert_no_findings(*state);
}

static void
test_scope_lacks_url(void **state)
{
	scoped(*state, "crl-ca-only", "http://c.example/s.crl", false, NULL);
	assert_no_findings(*state);
}

static void
test_scope_missing(void **state)
{
	scoped(*state, "crl-ca-only", URL_R, false, NULL);
	assert_only(*state, "AUDIT-CRL-MISSING");
}

static void
test_scope_stranger(void **state)
{
	scoped(*state, "crl-partition", URL_R, true, NULL);
	assert_only(*state, "AUDIT-CRL-ENTRY");
	assert_found(*state, "AUDIT-CRL-ENTRY", "is not in its scope");
}

static void
test_scope_other_url(void **state)
{
	scoped(*state, "crl-ca-only", "http://c.example/s.crl", true, NULL);
	assert_only(*state, "AUDIT-CRL-ENTRY");
}

/* What the list and the journal say of its URL. */
static void
test_scope_url_fact(void **state)
{
	scoped(*state, "crl-ca-only", URL_R, true,
	    json_pack("{s:s}", "distribution_url", "http://c.example/s.crl"));
	assert_only(*state, "AUDIT-FACTS");
}

/* A full CRL that is said to be a partition. */
static void
test_full_with_url_fact(void **state)
{
	scoped(*state, "ca-crl", NULL, true,
	    json_pack("{s:s}", "distribution_url", URL_R));
	assert_only(*state, "AUDIT-FACTS");
}

/* Each scope has a series of its own: what is on one may leave another. */
static void
test_scope_series(void **state)
{
	struct world *w = *state;
	struct crl_entry entry;

	make_root(w);
	lose_and_revoke(w, 11, SERIAL_A, &entry);
	for (int i = 0; i < 2; i++)
		make_crl(w,
		    &(struct crl_making){ .name = i == 0 ? "a" : "b",
			.profile = i == 0 ? "crl-ca-only" : "crl-partition",
			.url = URL_R,
			.object = 12 + i,
			.number = 1 + (uint64_t)i,
			.entries = &entry,
			.count = i == 0 ? 1 : 0 });
	audit(w);
	assert_no_findings(w);
}

/* ---- whom it is about -------------------------------------------------- */

/* The root issued this elsewhere (a line of the list), and a CRL follows. */
static void
covering(struct world *w, const char *issued, const char *profile)
{
	AUTO_CHARS(list) = text_printf("ca-tool-issued-1\n%s\n", issued);

	assert_non_null(list);
	make_root(w);
	world_add(w, ENTRY_ISSUED,
	    json_pack("{s:s, s:s, s:s, s:i, s:s, s:s}", "run", RUN_A, "issuer",
		"root-g1", "issuer_dn", w->root_dn, "count", 1, "list",
		world_evidence(w, list, strlen(list)), "source", "csv"));
	make_crl(w,
	    &(struct crl_making){ .name = "crl-10",
		.profile = profile,
		.object = 10,
		.number = 1 });
	audit(w);
}

static void
test_covers_user(void **state)
{
	covering(*state, SERIAL_A " - ee -", "ca-crl-public");
	assert_only(*state, "AUDIT-CRL-COVERS");
}

static void
test_covers_good(void **state)
{
	covering(*state, SERIAL_A " - ee -", "crl-user-public");
	assert_no_findings(*state);
}

/* Nobody but public trust has a limit. */
static void
test_covers_private(void **state)
{
	covering(*state, SERIAL_A " - ee -", "ca-crl");
	assert_no_findings(*state);
}

static void
test_covers_expired(void **state)
{
	covering(
	    *state, SERIAL_A " 2020-01-01T00:00:00Z ee -", "ca-crl-public");
	assert_no_findings(*state);
}

/* What a root issued is a CA, where nobody says otherwise. */
static void
test_covers_ca(void **state)
{
	covering(*state, SERIAL_A " - - -", "ca-crl-public");
	assert_no_findings(*state);
}

/* ---- the series ------------------------------------------------------- */

static void
test_number(void **state)
{
	struct world *w = *state;

	make_root(w);
	crl_of(w, 10, 5, NULL, 0);
	crl_of(w, 11, 3, NULL, 0);
	audit(w);
	assert_only(w, "AUDIT-CRL-NUMBER");
	assert_found(w, "AUDIT-CRL-NUMBER", "(intent)");
	assert_found(w, "AUDIT-CRL-NUMBER", "(result)");
}

/* A number that was burnt is not used again, nor one below it. */
static void
test_burnt_number(void **state)
{
	struct world *w = *state;

	make_root(w);
	world_add(w, ENTRY_INTENT,
	    with(with(data_crl(RUN_A, 0, 10, "burnt", w->root_dn, "9"), "key",
		     json_string(world_spki(w->keys[KEY_ROOT]))),
		"this_update", json_string(DATE_A)));
	world_add(w, ENTRY_FAILED, data_failed(RUN_A, 0, 10, "burnt"));
	crl_of(w, 11, 8, NULL, 0);
	audit(w);
	assert_found(w, "AUDIT-CRL-NUMBER", "not above 9");
}

static void
crls_back_in_time(struct world *w, bool clock)
{
	make_root(w);
	make_crl(w,
	    &(struct crl_making){ .name = "later",
		.object = 10,
		.number = 1,
		.now = date_now() + 3600 });
	if (clock)
		world_add(w, ENTRY_CLOCK, data_clock(RUN_A, DATE_A));
	crl_of(w, 11, 2, NULL, 0);
	audit(w);
	assert_only(w, "AUDIT-CRL-TIME");
	assert_int_equal(w->found.errors, clock ? 0 : 1);
}

static void
test_time(void **state)
{
	crls_back_in_time(*state, false);
}

static void
test_time_corrected(void **state)
{
	crls_back_in_time(*state, true);
}

/* ---- entries ---------------------------------------------------------- */

static void
test_missing(void **state)
{
	struct world *w = *state;
	struct crl_entry entries[2];

	make_root(w);
	lose_and_revoke(w, 11, SERIAL_A, &entries[0]);
	lose_and_revoke(w, 12, SERIAL_B, &entries[1]);
	crl_of(w, 13, 1, entries, 1);
	audit(w);
	assert_only(w, "AUDIT-CRL-MISSING");
	assert_found(w, "AUDIT-CRL-MISSING", SERIAL_B);
	assert_int_equal(w->found.errors, 1);
}

static void
test_dropped(void **state)
{
	struct world *w = *state;
	struct crl_entry entries[2];

	make_root(w);
	lose_and_revoke(w, 11, SERIAL_A, &entries[0]);
	lose_and_revoke(w, 12, SERIAL_B, &entries[1]);
	crl_of(w, 13, 1, entries, 2);
	crl_of(w, 14, 2, entries + 1, 1);
	audit(w);
	assert_found(w, "AUDIT-CRL-DROPPED", SERIAL_A);
	assert_found(w, "AUDIT-CRL-MISSING", SERIAL_A);
	assert_int_equal(w->found.errors, 2);
}

/* Without `revoked`: on the first, dropped from the second. */
static void
test_dropped_stranger(void **state)
{
	static const unsigned char serial[] = { 0x12, 0x34, 0x56 };
	struct world *w = *state;
	const struct crl_entry entry = { .serial = serial,
		.serial_len = sizeof serial,
		.date = date_now(),
		.reason = REASON_SUPERSEDED };

	make_root(w);
	crl_of(w, 13, 1, &entry, 1);
	audit(w);
	assert_only(w, "AUDIT-CRL-ENTRY");
	assert_found(w, "AUDIT-CRL-ENTRY", "123456");
	crl_of(w, 14, 2, NULL, 0);
	audit(w);
	assert_found(w, "AUDIT-CRL-DROPPED", "123456");
}

static void
test_stranger_between(void **state)
{
	static const unsigned char serial[] = { 0x50, 0x4b, 0x4c, 0x4d, 0x4e,
		0x4f, 0x50, 0x51, 0x52, 0x53 };
	struct world *w = *state;
	struct crl_entry entries[3];

	make_root(w);
	lose_and_revoke(w, 11, SERIAL_A, &entries[0]);
	lose_and_revoke(w, 12, SERIAL_B, &entries[2]);
	entries[1] = entries[0];
	entries[1].serial = serial;
	crl_of(w, 13, 1, entries, 3);
	audit(w);
	assert_only(w, "AUDIT-CRL-ENTRY");
	assert_found(w, "AUDIT-CRL-ENTRY", "504b4c");
	assert_int_equal(w->found.errors, 1);
}

static void
test_date(void **state)
{
	struct world *w = *state;
	struct crl_entry entry;

	make_root(w);
	lose_and_revoke(w, 11, SERIAL_A, &entry);
	entry.date -= 60;
	crl_of(w, 12, 1, &entry, 1);
	audit(w);
	assert_only(w, "AUDIT-CRL-ENTRY");
	assert_found(w, "AUDIT-CRL-ENTRY", "date");
}

static void
test_reason(void **state)
{
	struct world *w = *state;
	struct crl_entry entry;

	make_root(w);
	lose_and_revoke(w, 11, SERIAL_A, &entry);
	entry.reason = REASON_NONE;
	crl_of(w, 12, 1, &entry, 1);
	audit(w);
	assert_only(w, "AUDIT-CRL-ENTRY");
	assert_found(w, "AUDIT-CRL-ENTRY", "reason");
}

/*
 * A certificate that ends before the first CRL (`until`: seconds from now) may
 * go from the second.
 */
static void
expired(struct world *w, int64_t until)
{
	AUTO_STRUCT(certificate_facts) facts = { 0 };
	AUTO_CHARS(serial) = NULL;
	struct making making = {
		.run = RUN_A,
		.name = "short",
		.kind = "subordinate",
		.profile = "issuing-ca",
		.subject = w->keys[KEY_SUB],
		.signer = w->keys[KEY_ROOT],
		.subject_key = "sub-key",
		.issuer_name = "root-g1",
		.object = 1,
		.validity = until,
	};
	struct crl_entry entry;

	make_root(w);
	making.issuer = w->root;
	w->sub = make_certificate(w, &making);
	assert_ok(certificate_facts(w->sub, &facts));
	serial = text_hex(facts.serial, facts.serial_len);
	revoke_serial(w, serial, &entry);
	make_crl(w,
	    &(struct crl_making){ .name = "with",
		.object = 10,
		.number = 1,
		.now = date_now() + 3600,
		.entries = &entry,
		.count = 1 });
	make_crl(w,
	    &(struct crl_making){ .name = "without",
		.object = 11,
		.number = 2,
		.now = date_now() + 7200 });
	audit(w);
}

static void
test_expired(void **state)
{
	struct world *w = *state;

	expired(w, 1800);
	assert_no_findings(w);
}

static void
test_not_expired(void **state)
{
	struct world *w = *state;

	expired(w, 5400);
	assert_found(w, "AUDIT-CRL-DROPPED", "was on the CRL before");
	assert_found(w, "AUDIT-CRL-MISSING", "was revoked before");
}

/* ---- facts, issuer, profile ------------------------------------------- */

static void
check_fact(const char *member, json_t *value)
{
	void *state = NULL;
	struct world *w;

	assert_int_equal(world_setup(&state), 0);
	w = state;
	make_root(w);
	make_crl(w,
	    &(struct crl_making){ .name = "crl",
		.object = 1,
		.number = 4,
		.over = json_pack("{s:o}", member, value) });
	audit(w);
	assert_only(w, "AUDIT-FACTS");
	assert_int_equal(w->found.errors, 1);
	assert_int_equal(world_teardown(&state), 0);
}

static void
test_facts(void **state)
{
	char date[DATE_TEXT_SIZE];

	(void)state;
	date_format(date_now() + 100, date);
	check_fact("number", json_string("5"));
	check_fact("this_update", json_string(date));
	check_fact("next_update", json_string(date));
	check_fact("entries", json_integer(1));
	check_fact("issuer_dn", json_string(hex64(80)));
}

static void
test_signature(void **state)
{
	struct world *w = *state;

	make_root(w);
	make_crl(w,
	    &(struct crl_making){ .name = "crl",
		.object = 1,
		.number = 1,
		.signer = w->keys[KEY_FOREIGN],
		.over =
		    json_pack("{s:s}", "key", world_spki(w->keys[KEY_ROOT])) });
	audit(w);
	assert_only(w, "AUDIT-SIGNATURE");
}

/* Of a certificate that another authority has: a second, forged root. */
static void
test_second_ca(void **state)
{
	struct world *w = *state;
	AUTO(X509) *other = root_of(w->keys[KEY_FOREIGN]);

	make_root(w);
	make_crl(w,
	    &(struct crl_making){ .name = "crl",
		.object = 1,
		.number = 1,
		.issuer = other,
		.now = date_now() + 3600,
		.signer = w->keys[KEY_FOREIGN] });
	audit(w);
	assert_found(w, "AUDIT-SIGNATURE", "none of the token's");
	assert_found(w, "AUDIT-ISSUER", "not signed with the key");
	assert_found(w, "AUDIT-ISSUER", "another name");
}

static void
test_issuer_key(void **state)
{
	struct world *w = *state;

	make_root(w);
	make_sub(w);
	make_crl(w,
	    &(struct crl_making){ .name = "crl",
		.object = 5,
		.number = 1,
		.over = json_pack("{s:s}", "issuer", "sub-g1") });
	audit(w);
	assert_found(w, "AUDIT-ISSUER", "not signed with the key");
	assert_found(w, "AUDIT-ISSUER", "another name");
	assert_found(w, "AUDIT-ISSUER", "authority key identifier");
	assert_found(w, "AUDIT-PROFILE", "PROFILE-OCTETS");
}

static void
test_no_issuer(void **state)
{
	struct world *w = *state;

	make_root(w);
	make_crl(w,
	    &(struct crl_making){ .name = "crl",
		.object = 5,
		.number = 1,
		.over = json_pack("{s:s}", "issuer", "nobody") });
	audit(w);
	assert_only(w, "AUDIT-ISSUER");
}

/* Longer than the profile that is pinned allows. */
static void
test_next_update(void **state)
{
	struct world *w = *state;

	make_root(w);
	make_crl(w,
	    &(struct crl_making){ .name = "crl",
		.object = 5,
		.number = 1,
		.from = "ruleset: private\n\nsignatures: [ecdsa-sha256, "
			"ecdsa-sha384, ecdsa-sha512,\n  rsa-sha256, "
			"rsa-sha384, rsa-sha512,\n  rsa-pss-sha256, "
			"rsa-pss-sha384, rsa-pss-sha512]\n\n# From thisUpdate "
			"to nextUpdate.  Half a year, so that one missed "
			"session does\n# no harm; a year of 365 days is the "
			"most that any reading of the rules "
			"allows.\nvalidity:\n  default: 182d\n  max: 365d",
		.to = "ruleset: rfc5280\nsignatures: [ecdsa-sha384]\n"
		      "validity:\n  default: 400d\n  max: 400d" });
	audit(w);
	assert_only(w, "AUDIT-PROFILE");
	assert_found(w, "AUDIT-PROFILE", "PROFILE-VALIDITY");
}

static void
test_profile_kind(void **state)
{
	struct world *w = *state;

	make_root(w);
	make_crl(w,
	    &(struct crl_making){ .name = "crl",
		.object = 5,
		.number = 1,
		.over = json_pack("{s:s}", "profile", "root") });
	audit(w);
	assert_only(w, "AUDIT-PROFILE");
}

static void
test_other_time(void **state)
{
	struct world *w = *state;

	make_root(w);
	make_crl(w,
	    &(struct crl_making){ .name = "crl",
		.object = 5,
		.number = 1,
		.now = date_now() + 13 * 3600 });
	audit(w);
	assert_only(w, "AUDIT-BACKDATED");
	assert_int_equal(w->found.errors, 0);
}

/* ---- possibly signed -------------------------------------------------- */

static void
test_possibly_signed(void **state)
{
	struct world *w = *state;

	make_root(w);
	lose(w, 11, SERIAL_A);
	audit(w);
	assert_no_findings(w); /* the run is open */
	world_close(w, RUN_A, NULL);
	audit(w);
	assert_only(w, "AUDIT-REVOKED-MISSING");
	assert_found(w, "AUDIT-REVOKED-MISSING", SERIAL_A);
	assert_found(w, "AUDIT-REVOKED-MISSING", "(close)");
}

static void
test_possibly_signed_revoked(void **state)
{
	struct world *w = *state;
	struct crl_entry entry;

	make_root(w);
	lose_and_revoke(w, 11, SERIAL_A, &entry);
	world_close(w, RUN_A, NULL);
	audit(w);
	assert_no_findings(w);
}

/* `between`: an entry of this kind stands before the failure. */
static void
lose_without(struct world *w, int object, const char *serial,
    enum entry_kind between, bool possibly)
{
	char text[DATE_TEXT_SIZE];

	date_format(date_now(), text);
	world_add(w, ENTRY_INTENT,
	    with(with(data_certificate(RUN_A, 0, object, "lost", w->root_dn,
			  serial, hex64(50 + (unsigned)object)),
		     "not_before", json_string(text)),
		"key", json_string(world_spki(w->keys[KEY_ROOT]))));
	if (between == ENTRY_LOGIN)
		world_add(w, ENTRY_LOGIN,
		    json_pack("{s:s,s:s,s:i,s:s,s:{s:s,s:s}}", "run", RUN_A,
			"serial", "0001", "flags", 0, "module_sha256", hex64(1),
			"tool", "version", "1", "sha256", hex64(2)));
	if (between == ENTRY_RESUMED)
		world_add(w, ENTRY_RESUMED, data_resumed(RUN_A));
	world_add(w, ENTRY_FAILED,
	    with(data_failed(RUN_A, 0, object, "lost"), "possibly_signed",
		json_boolean(possibly)));
}

static void
test_not_begun(void **state)
{
	struct world *w = *state;

	make_root(w);
	lose_without(w, 11, SERIAL_A, ENTRY_KINDS, false);
	world_close(w, RUN_A, NULL);
	audit(w);
	assert_no_findings(w);
}

/* Only the session that meant to sign knows that it had not begun. */
static void
test_not_begun_later(void **state)
{
	static const struct {
		enum entry_kind kind;
		const char *name;
	} kinds[] = { { ENTRY_LOGIN, "login" }, { ENTRY_RESUMED, "resumed" } };
	struct world *w = *state;

	make_root(w);
	for (int i = 0; i < 2; i++) {
		lose_without(w, 11 + i, i == 0 ? SERIAL_A : SERIAL_B,
		    kinds[i].kind, false);
		audit(w);
		assert_int_equal(count_found(w, "AUDIT-FAILED"), i + 1);
		assert_int_equal(w->found.errors, i + 1);
	}
}

/* A login between two windows says nothing of the second. */
static void
test_not_begun_before(void **state)
{
	struct world *w = *state;

	make_root(w);
	world_add(w, ENTRY_RESUMED, data_resumed(RUN_A));
	lose_without(w, 11, SERIAL_A, ENTRY_KINDS, false);
	audit(w);
	assert_no_findings(w);
}

/* ---- what was confirmed ------------------------------------------------ */

static json_t *
facts_of(const json_t *intent)
{
	static const char *const places[] = { "run", "list", "object", "kind",
		"name", "key", "algorithm", "tbs" };
	json_t *facts = json_copy((json_t *)(uintptr_t)intent);

	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
		json_object_del(facts, places[i]);
	return facts;
}

/* The list of a run, with a line for this intent; takes `facts`. */
static void
list_line(struct world *w, int list, int object, json_t *facts)
{
	json_t *line =
	    json_pack("{s:i,s:o*}", "object", object, "facts", facts);
	AUTO_CHARS(text) = json_dumps(line, JSON_COMPACT);
	AUTO_CHARS(whole) = text_printf("{\"format\":\"\"}\n%s\n", text);

	json_decref(line);
	world_add(w, ENTRY_LIST,
	    with(data_list(RUN_A, list), "sha256",
		json_string(world_evidence(w, whole, strlen(whole)))));
}

/* Of the root, with times as of now. */
static json_t *
intent_now(struct world *w, bool crl)
{
	char text[DATE_TEXT_SIZE];
	json_t *data = crl ? data_crl(RUN_A, 1, 11, "lost", w->root_dn, "7")
			   : data_certificate(RUN_A, 1, 11, "lost", w->root_dn,
				 SERIAL_A, hex64(50));

	date_format(date_now(), text);
	return with(
	    with(data, crl ? "this_update" : "not_before", json_string(text)),
	    "key", json_string(world_spki(w->keys[KEY_ROOT])));
}

static void
lose_listed(struct world *w, json_t *data)
{
	world_add(w, ENTRY_INTENT, data);
	world_add(w, ENTRY_FAILED, data_failed(RUN_A, 1, 11, "lost"));
	audit(w);
}

static void
test_listed(void **state)
{
	struct world *w = *state;

	for (int crl = 0; crl < 2; crl++) {
		json_t *data;

		if (crl == 0)
			make_root(w);
		data = crl ? with(intent_now(w, true), "list", json_integer(2))
			   : intent_now(w, false);
		list_line(w, 1 + crl, 11, facts_of(data));
		world_add(w, ENTRY_INTENT, data);
		world_add(
		    w, ENTRY_FAILED, data_failed(RUN_A, 1 + crl, 11, "lost"));
		audit(w);
		assert_no_findings(w);
	}
}

/* The serial that is spent, and revoked, is not the one that was confirmed. */
static void
test_listed_serial(void **state)
{
	struct world *w = *state;
	json_t *data;

	make_root(w);
	data = intent_now(w, false);
	list_line(w, 1, 11, facts_of(data));
	lose_listed(w, with(data, "serial", json_string(SERIAL_B)));
	assert_only(w, "AUDIT-FACTS");
	assert_found(w, "AUDIT-FACTS", "'serial' of 'lost'");
}

static void
test_listed_date(void **state)
{
	struct world *w = *state;
	json_t *data;

	make_root(w);
	data = intent_now(w, false);
	list_line(w, 1, 11, facts_of(data));
	lose_listed(w, with(data, "not_after", json_string(DATE_LONG_AGO)));
	assert_only(w, "AUDIT-FACTS");
	assert_found(w, "AUDIT-FACTS", "'not_after' of 'lost'");
}

static void
test_listed_number(void **state)
{
	struct world *w = *state;
	json_t *data;

	make_root(w);
	data = intent_now(w, true);
	list_line(w, 1, 11, facts_of(data));
	lose_listed(w, with(data, "number", json_string("8")));
	assert_only(w, "AUDIT-FACTS");
	assert_found(w, "AUDIT-FACTS", "'number' of 'lost'");
}

/* A list that binds nothing, or something else besides. */
static void
test_listed_not(void **state)
{
	struct world *w = *state;

	make_root(w);
	list_line(w, 1, 11, NULL);
	lose_listed(w, intent_now(w, false));
	assert_only(w, "AUDIT-FACTS");
	assert_found(w, "AUDIT-FACTS", "does not say what 'lost' is");
}

static void
test_listed_more(void **state)
{
	struct world *w = *state;
	json_t *data;

	make_root(w);
	data = intent_now(w, false);
	list_line(w, 1, 11,
	    with(facts_of(data), "subject", json_string("CN=another")));
	lose_listed(w, data);
	assert_only(w, "AUDIT-FACTS");
	assert_found(w, "AUDIT-FACTS", "'subject' of 'lost'");
}

/* ---- revocations ------------------------------------------------------ */

static void
revoke_over(struct world *w, const char *serial, json_t *over)
{
	char text[DATE_TEXT_SIZE];
	json_t *data;

	date_format(date_now(), text);
	data = with(
	    data_revoked(RUN_A, w->root_dn, serial), "date", json_string(text));
	json_object_update(data, over);
	json_decref(over);
	world_add(w, ENTRY_REVOKED, data);
	audit(w);
}

static void
test_revoked_unknown(void **state)
{
	struct world *w = *state;

	make_root(w);
	revoke_over(w, SERIAL_A, json_object());
	assert_only(w, "AUDIT-REVOKED");
	assert_found(w, "AUDIT-REVOKED", SERIAL_A);
}

static void
test_revoked_root(void **state)
{
	struct world *w = *state;
	AUTO_STRUCT(certificate_facts) facts = { 0 };
	AUTO_CHARS(serial) = NULL;

	make_root(w);
	assert_ok(certificate_facts(w->root, &facts));
	serial = text_hex(facts.serial, facts.serial_len);
	revoke_over(w, serial, json_object());
	assert_only(w, "AUDIT-REVOKED");
	assert_found(w, "AUDIT-REVOKED", "root");
}

/* The lost certificate was to be a CA's. */
static void
test_revoked_without_reason(void **state)
{
	struct world *w = *state;

	make_root(w);
	lose(w, 11, SERIAL_A);
	revoke_over(w, SERIAL_A, json_pack("{s:s}", "reason", "unspecified"));
	assert_only(w, "AUDIT-REVOKED");
	assert_found(w, "AUDIT-REVOKED", "without a reason");
}

static void
test_revoked_on_hold(void **state)
{
	struct world *w = *state;

	make_root(w);
	lose(w, 11, SERIAL_A);
	revoke_over(
	    w, SERIAL_A, json_pack("{s:s}", "reason", "certificateHold"));
	assert_only(w, "AUDIT-REVOKED");
}

static void
test_revoked_by_nobody(void **state)
{
	struct world *w = *state;

	make_root(w);
	lose(w, 11, SERIAL_A);
	revoke_over(w, SERIAL_A, json_pack("{s:s}", "issuer", "nobody"));
	assert_only(w, "AUDIT-REVOKED");
}

static void
test_revoked_long_ago(void **state)
{
	struct world *w = *state;

	make_root(w);
	lose(w, 11, SERIAL_A);
	revoke_over(w, SERIAL_A, json_pack("{s:s}", "date", DATE_LONG_AGO));
	assert_only(w, "AUDIT-BACKDATED");
	assert_int_equal(w->found.errors, 0);
}

/* ---- lists ------------------------------------------------------------ */

/* Revocations by a list of these lines, of which there are `count`. */
static void
revoke_lines(struct world *w, const char *source, int count, const char *lines)
{
	AUTO_CHARS(text) = text_printf("ca-tool-revocations-1\n%s", lines);

	world_add(w, ENTRY_REVOCATIONS,
	    with(data_revocations(RUN_A, w->root_dn, count,
		     world_evidence(w, text, strlen(text))),
		"source", json_string(source)));
}

static struct crl_entry
entry_of(const unsigned char *serial, size_t len, const char *date,
    enum revocation_reason reason, const char *invalidity)
{
	struct crl_entry entry = {
		.serial = serial, .serial_len = len, .reason = reason
	};

	assert_ok(date_parse(date, &entry.date));
	if (invalidity != NULL)
		assert_ok(date_parse(invalidity, &entry.invalidity));
	return entry;
}

static const unsigned char octets_a[] = { 0x12, 0x34 },
			   octets_b[] = { 0x12, 0x35 };

#define LIST_A "1234 2026-01-01T00:00:00Z superseded - -\n"
#define LIST_B                                                          \
	"1235 2026-01-02T00:00:00Z keyCompromise 2025-12-31T00:00:00Z " \
	"2027-01-01T00:00:00Z\n"
#define ENTRY_A                                                     \
	entry_of(octets_a, sizeof octets_a, "2026-01-01T00:00:00Z", \
	    REASON_SUPERSEDED, NULL)
#define ENTRY_B                                                     \
	entry_of(octets_b, sizeof octets_b, "2026-01-02T00:00:00Z", \
	    REASON_KEY_COMPROMISE, "2025-12-31T00:00:00Z")

/* What was imported stands on CRLs as what was revoked one by one does. */
static void
test_list(void **state)
{
	struct world *w = *state;
	struct crl_entry entries[2] = { ENTRY_A, ENTRY_B };

	make_root(w);
	revoke_lines(w, "csv", 2, LIST_A LIST_B);
	crl_of(w, 12, 1, entries, 2);
	audit(w);
	assert_no_findings(w);
}

static void
test_list_missing(void **state)
{
	struct world *w = *state;
	struct crl_entry entries[2] = { ENTRY_A, ENTRY_B };

	make_root(w);
	revoke_lines(w, "csv", 2, LIST_A LIST_B);
	crl_of(w, 12, 1, entries + 1, 1);
	audit(w);
	assert_only(w, "AUDIT-CRL-MISSING");
	assert_found(w, "AUDIT-CRL-MISSING", "1234");
}

static void
test_list_invalidity(void **state)
{
	struct world *w = *state;
	struct crl_entry entries[2] = { ENTRY_A, ENTRY_B };

	make_root(w);
	revoke_lines(w, "csv", 2, LIST_A LIST_B);
	entries[1].invalidity += 1;
	crl_of(w, 12, 1, entries, 2);
	audit(w);
	assert_only(w, "AUDIT-CRL-ENTRY");
	assert_found(w, "AUDIT-CRL-ENTRY", "invalidity");
}

/* Its end is known from the list: it goes when a CRL after that had it. */
static void
list_gone(struct world *w, int64_t first, int64_t second, bool before)
{
	struct crl_entry entry = ENTRY_B;
	int64_t end;

	assert_ok(date_parse("2027-01-01T00:00:00Z", &end));
	make_root(w);
	if (before)
		revoke_lines(w, "csv", 1, LIST_B);
	make_crl(w,
	    &(struct crl_making){ .name = "with",
		.object = 12,
		.number = 1,
		.now = end + first,
		.entries = &entry,
		.count = before ? 1 : 0 });
	if (!before)
		revoke_lines(w, "csv", 1, LIST_B);
	make_crl(w,
	    &(struct crl_making){ .name = "without",
		.object = 13,
		.number = 2,
		.now = end + second });
	audit(w);
}

static void
test_list_gone(void **state)
{
	struct world *w = *state;

	list_gone(w, 60, 120, true);
	assert_int_equal(count_found(w, "AUDIT-CRL-MISSING"), 0);
	assert_int_equal(count_found(w, "AUDIT-CRL-DROPPED"), 0);
}

/* The CRL that had it is from before its end. */
static void
test_list_gone_early(void **state)
{
	struct world *w = *state;

	list_gone(w, -60, 120, true);
	assert_int_equal(count_found(w, "AUDIT-CRL-MISSING"), 1);
	assert_int_equal(count_found(w, "AUDIT-CRL-DROPPED"), 1);
}

/* It was revoked when its end was past: no CRL has ever had it. */
static void
test_list_gone_never_listed(void **state)
{
	struct world *w = *state;

	list_gone(w, 60, 120, false);
	assert_int_equal(count_found(w, "AUDIT-CRL-MISSING"), 1);
}

/* Each is wrong in one way. */
static void
test_list_wrong(void **state)
{
	static const struct {
		const char *source, *line, *part;
	} lists[] = {
		{ "csv", "1234 2026-01-01T00:00:00Z certificateHold - -\n",
		    "CRL-REASON-SET" },
		{ "csv", "1234 2026-01-01T00:00:00Z removeFromCRL - -\n",
		    "CRL-REASON-SET" },
		{ "csv", "1234 2099-01-01T00:00:00Z superseded - -\n",
		    "still to come" },
		{ "query", "1234 2026-01-01T00:00:00Z superseded - -\n",
		    "by a query" },
		{ "query", SERIAL_A " 2026-01-01T00:00:00Z unspecified - -\n",
		    "without a reason" },
		{ "query",
		    SERIAL_A " 2026-01-01T00:00:00Z superseded - "
			     "2099-01-01T00:00:00Z\n",
		    "another end" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		void *fresh = NULL;
		struct world *w;

		assert_int_equal(world_setup(&fresh), 0);
		w = fresh;
		make_root(w);
		lose(w, 11, SERIAL_A);
		revoke_lines(w, lists[i].source, 1, lists[i].line);
		audit(w);
		assert_only(w, "AUDIT-REVOKED");
		assert_found(w, "AUDIT-REVOKED", lists[i].part);
		assert_int_equal(world_teardown(&fresh), 0);
	}
}

static void
test_list_of_root(void **state)
{
	struct world *w = *state;
	AUTO_STRUCT(certificate_facts) facts = { 0 };
	AUTO_CHARS(serial) = NULL;
	AUTO_CHARS(line) = NULL;

	make_root(w);
	assert_ok(certificate_facts(w->root, &facts));
	serial = text_hex(facts.serial, facts.serial_len);
	line = text_printf("%s 2026-01-01T00:00:00Z superseded - -\n", serial);
	revoke_lines(w, "csv", 1, line);
	audit(w);
	assert_only(w, "AUDIT-REVOKED");
	assert_found(w, "AUDIT-REVOKED", "root's own");
}

static void
test_list_of_nobody(void **state)
{
	static const char text[] = "ca-tool-issued-1\n1234 - - -\n";
	struct world *w = *state;

	make_root(w);
	world_add(w, ENTRY_ISSUED,
	    data_issued(
		RUN_A, hex64(77), 1, world_evidence(w, text, sizeof text - 1)));
	audit(w);
	assert_only(w, "AUDIT-REVOKED");
}

/* ---- the one change ---------------------------------------------------- */

static void
upgraded(struct world *w, bool old_reason, bool old_date)
{
	struct crl_entry entry = ENTRY_A;

	make_root(w);
	revoke_lines(w, "csv", 1, LIST_A);
	crl_of(w, 12, 1, &entry, 1);
	world_add(w, ENTRY_REVOCATION_UPGRADED,
	    with(with(data_upgraded(RUN_A, w->root_dn, "1234", "superseded",
			  "keyCompromise"),
		     "was",
		     json_pack("{s:s,s:s}", "date", "2026-01-01T00:00:00Z",
			 "reason", "superseded")),
		"date", json_string("2025-12-01T00:00:00Z")));
	if (!old_reason)
		entry.reason = REASON_KEY_COMPROMISE;
	if (!old_date)
		assert_ok(date_parse("2025-12-01T00:00:00Z", &entry.date));
	crl_of(w, 13, 2, &entry, 1);
	audit(w);
}

static void
test_upgraded(void **state)
{
	upgraded(*state, false, false);
	assert_no_findings(*state);
}

static void
test_upgraded_reason(void **state)
{
	upgraded(*state, true, false);
	assert_only(*state, "AUDIT-CRL-ENTRY");
	assert_found(*state, "AUDIT-CRL-ENTRY", "reason");
}

static void
test_upgraded_date(void **state)
{
	upgraded(*state, false, true);
	assert_only(*state, "AUDIT-CRL-ENTRY");
	assert_found(*state, "AUDIT-CRL-ENTRY", "date");
}

/* ---- a CRL that is taken over ------------------------------------------ */

struct taking {
	const struct crl_entry *entries;
	size_t count;
	EVP_PKEY *signer;
	const char *lines, *number;
	int listed;
};

static void
take_crl(struct world *w, const struct taking *t)
{
	AUTO_PTR(profile) *profile = load("ca-crl", NULL, NULL);
	struct crl_request req = {
		.profile = profile,
		.issuer = w->root,
		.number = 41,
		.now = date_now(),
		.validity = profile_validity_default(profile),
		.entries = t->entries,
		.entry_count = t->count,
		.place = "test",
	};
	AUTO_CHARS(text) = text_printf("ca-tool-revocations-1\n%s", t->lines);
	char from[DATE_TEXT_SIZE], until[DATE_TEXT_SIZE];
	AUTO_STRUCT(tbs) tbs = { 0 };
	AUTO_BYTES(der) = NULL;
	size_t len;

	assert_ok(crl_build(&req, &tbs));
	der =
	    sign(&tbs, t->signer != NULL ? t->signer : w->keys[KEY_ROOT], &len);
	date_format(req.now, from);
	date_format(req.now + req.validity - 1, until);
	world_add(w, ENTRY_REVOCATIONS,
	    with(with(data_revocations(RUN_A, w->root_dn, t->listed,
			  world_evidence(w, text, strlen(text))),
		     "source", json_string("adopted")),
		"crl",
		json_pack("{s:s,s:s,s:s,s:s,s:s,s:i}", "name", "old", "sha256",
		    world_evidence(w, der, len), "number",
		    t->number != NULL ? t->number : "41", "this_update", from,
		    "next_update", until, "entries", (int)t->count)));
}

static void
test_taken(void **state)
{
	struct world *w = *state;
	struct crl_entry entry = ENTRY_A;

	make_root(w);
	take_crl(w, &(struct taking){ &entry, 1, NULL, LIST_A, NULL, 1 });
	crl_of(w, 12, 42, &entry, 1);
	audit(w);
	assert_no_findings(w);
	crl_of(w, 13, 43, NULL, 0);
	audit(w);
	assert_int_equal(count_found(w, "AUDIT-CRL-DROPPED"), 1);
}

static void
test_taken_empty(void **state)
{
	struct world *w = *state;

	make_root(w);
	take_crl(w, &(struct taking){ NULL, 0, NULL, "", NULL, 0 });
	crl_of(w, 12, 42, NULL, 0);
	audit(w);
	assert_no_findings(w);
}

/* Revoked on it, and not taken over; and the reverse. */
static void
test_taken_in_part(void **state)
{
	struct world *w = *state;
	struct crl_entry entries[2] = { ENTRY_A, ENTRY_B };

	make_root(w);
	take_crl(w, &(struct taking){ entries, 2, NULL, LIST_A, NULL, 1 });
	audit(w);
	assert_only(w, "AUDIT-CRL-ENTRY");
	assert_found(w, "AUDIT-CRL-ENTRY", "1235");
}

static void
test_taken_too_much(void **state)
{
	struct world *w = *state;
	struct crl_entry entry = ENTRY_A;

	make_root(w);
	take_crl(
	    w, &(struct taking){ &entry, 1, NULL, LIST_A LIST_B, NULL, 2 });
	audit(w);
	assert_only(w, "AUDIT-CRL-MISSING");
}

static void
test_taken_signature(void **state)
{
	struct world *w = *state;
	struct crl_entry entry = ENTRY_A;

	make_root(w);
	take_crl(w,
	    &(struct taking){
		&entry, 1, w->keys[KEY_FOREIGN], LIST_A, NULL, 1 });
	audit(w);
	assert_only(w, "AUDIT-SIGNATURE");
}

static void
test_taken_number(void **state)
{
	struct world *w = *state;
	struct crl_entry entry = ENTRY_A;

	make_root(w);
	take_crl(w, &(struct taking){ &entry, 1, NULL, LIST_A, "40", 1 });
	audit(w);
	assert_only(w, "AUDIT-FACTS");
	assert_found(w, "AUDIT-FACTS", "number");
}

static int
free_keys(void **state)
{
	(void)state;
	keys_free();
	return 0;
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_clean),
		TEST(test_scope_holds),
		TEST(test_scope_lacks_kind),
		TEST(test_scope_lacks_url),
		TEST(test_scope_missing),
		TEST(test_scope_stranger),
		TEST(test_scope_other_url),
		TEST(test_scope_url_fact),
		TEST(test_full_with_url_fact),
		TEST(test_scope_series),
		TEST(test_covers_user),
		TEST(test_covers_good),
		TEST(test_covers_private),
		TEST(test_covers_expired),
		TEST(test_covers_ca),
		TEST(test_number),
		TEST(test_burnt_number),
		TEST(test_time),
		TEST(test_time_corrected),
		TEST(test_missing),
		TEST(test_dropped),
		TEST(test_dropped_stranger),
		TEST(test_stranger_between),
		TEST(test_date),
		TEST(test_reason),
		TEST(test_expired),
		TEST(test_not_expired),
		cmocka_unit_test(test_facts),
		TEST(test_signature),
		TEST(test_second_ca),
		TEST(test_issuer_key),
		TEST(test_no_issuer),
		TEST(test_next_update),
		TEST(test_profile_kind),
		TEST(test_other_time),
		TEST(test_possibly_signed),
		TEST(test_possibly_signed_revoked),
		TEST(test_not_begun_later),
		TEST(test_not_begun_before),
		TEST(test_listed),
		TEST(test_listed_serial),
		TEST(test_listed_date),
		TEST(test_listed_number),
		TEST(test_listed_not),
		TEST(test_listed_more),
		TEST(test_not_begun),
		TEST(test_revoked_unknown),
		TEST(test_revoked_root),
		TEST(test_revoked_without_reason),
		TEST(test_revoked_on_hold),
		TEST(test_revoked_by_nobody),
		TEST(test_revoked_long_ago),
		TEST(test_list),
		TEST(test_list_missing),
		TEST(test_list_invalidity),
		TEST(test_list_gone),
		TEST(test_list_gone_early),
		TEST(test_list_gone_never_listed),
		TEST(test_list_of_root),
		TEST(test_list_of_nobody),
		TEST(test_upgraded),
		TEST(test_upgraded_reason),
		TEST(test_upgraded_date),
		TEST(test_taken),
		TEST(test_taken_empty),
		TEST(test_taken_in_part),
		TEST(test_taken_too_much),
		TEST(test_taken_signature),
		TEST(test_taken_number),
		cmocka_unit_test(test_list_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, free_keys);
}
