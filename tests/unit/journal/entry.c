#include "ceremony/journal/entry.h"

#include "base/date.h"
#include "ceremony/journal/store.h"
#include "support.h"

/* Good data for a kind; RUN_A, names and numbers as they come. */
static json_t *
good_data(enum entry_kind kind)
{
	switch (kind) {
	case ENTRY_GENESIS:
		return data_genesis();
	case ENTRY_TOKEN_INTENT:
		return json_pack(
		    "{s:s,s:b}", "label", "example-token", "embedded", 1);
	case ENTRY_TOKEN:
		return data_token();
	case ENTRY_CONFIG:
		return json_pack("{s:s}", "sha256", hex64(2));
	case ENTRY_PROFILE:
		return json_pack(
		    "{s:s,s:s}", "profile", "root", "sha256", hex64(3));
	case ENTRY_ENROLMENT:
		return data_enrolment(SET_A, "alice", hex64(12));
	case ENTRY_QUORUM:
		return data_quorum(SET_A, "active", hex64(13), NULL, "init");
	case ENTRY_ANCHOR:
		return data_anchor(SET_A, "alice", hex64(14));
	case ENTRY_PIN_CHANGE:
		return data_pin_change(RUN_A, SET_A, "so", "intent");
	case ENTRY_APPROVAL:
		return data_approval(RUN_A, "alice", SET_A, hex64(15));
	case ENTRY_CONFIRMATION:
		return data_confirmation(RUN_A, 0, "alice", SET_A, hex64(16));
	case ENTRY_CLOCK:
		return data_clock(RUN_A, DATE_A);
	case ENTRY_LOGIN:
		return json_pack("{s:s,s:s,s:i,s:s,s:{s:s,s:s}}", "run", "init",
		    "serial", "0001", "flags", 1, "module_sha256", hex64(4),
		    "tool", "version", "0.1.0", "sha256", hex64(5));
	case ENTRY_KEY_INTENT:
		return data_key_intent(RUN_A, "k", "0a0b");
	case ENTRY_KEY:
		return data_key(RUN_A, "k", "0a0b", "3000");
	case ENTRY_KEY_DESTROYED:
		return data_key_destroyed(RUN_A, "k", "0a0b");
	case ENTRY_PLAN:
		return data_plan(RUN_A, "p");
	case ENTRY_LIST:
		return data_list(RUN_A, 0);
	case ENTRY_INTENT:
		return data_certificate(
		    RUN_A, 0, 0, "c", hex64(6), "01", hex64(7));
	case ENTRY_RESULT:
		return data_result(RUN_A, 0, 0, "c", hex64(8));
	case ENTRY_FAILED:
		return data_failed(RUN_A, 0, 0, "c");
	case ENTRY_REVOKED:
		return data_revoked(RUN_A, hex64(6), "01");
	case ENTRY_REVOCATIONS:
		return data_revocations(RUN_A, hex64(6), 1, hex64(19));
	case ENTRY_REVOCATION_UPGRADED:
		return data_upgraded(
		    RUN_A, hex64(6), "01", "superseded", "keyCompromise");
	case ENTRY_ISSUED:
		return data_issued(RUN_A, hex64(6), 1, hex64(19));
	case ENTRY_OCSP_INTENT:
		return data_ocsp_intent(RUN_A, 0, 0, 1, hex64(19));
	case ENTRY_OCSP_RESULT:
		return data_ocsp_result(RUN_A, 0, 0, 1, hex64(19));
	case ENTRY_OCSP_FAILED:
		return data_ocsp_failed(RUN_A, 0, 0);
	case ENTRY_ADOPTED:
		return data_adopted(
		    RUN_A, "a", hex64(6), "02", hex64(9), hex64(10));
	case ENTRY_REFUSED:
		return data_refused(RUN_A);
	case ENTRY_RESUMED:
		return data_resumed(RUN_A);
	case ENTRY_STATE:
		return data_ready();
	case ENTRY_EVENT:
		return data_event("note");
	case ENTRY_HEAD:
		return data_head("example.org/test", 0, 1, hex64(17));
	case ENTRY_EPOCH:
		return data_epoch(RUN_A, 1, 1, hex64(18));
	case ENTRY_CLOSE:
		return data_close(RUN_A, "done");
	case ENTRY_CHECKPOINT:
		return json_pack(
		    "{s:i,s:s,s:s}", "size", 1, "root", hex64(11), "note", "x");
	case ENTRY_KINDS:
		break;
	}
	return NULL;
}

static void
test_names(void **state)
{
	enum entry_kind kind = ENTRY_KINDS;

	(void)state;
	for (unsigned i = 0; i < ENTRY_KINDS; i++) {
		assert_non_null(entry_kind_name((enum entry_kind)i));
		assert_ok(entry_kind_by_name(
		    entry_kind_name((enum entry_kind)i), &kind));
		assert_int_equal(kind, i);
	}
	assert_refused(CA_R_CORRUPT, entry_kind_by_name("Genesis", &kind));
	assert_refused(CA_R_CORRUPT, entry_kind_by_name("", &kind));
	assert_int_equal(kind, ENTRY_KINDS - 1);
	assert_string_equal(entry_kind_name(ENTRY_KINDS), "unknown");
}

/* Each member of `whole` (its data: `object`) in turn is removed, or real. */
static void
spoil_each(enum entry_kind kind, json_t *whole, json_t *object)
{
	AUTO(json_t) *copy = json_copy(object);
	const char *name;
	json_t *value;

	json_object_foreach(copy, name, value)
	{
		assert_int_equal(json_object_del(object, name), 0);
		assert_refused_naming(
		    CA_R_INTERNAL, name, entry_check(kind, whole));
		json_object_set_new(object, name, json_real(0.5));
		assert_refused_naming(
		    CA_R_INTERNAL, name, entry_check(kind, whole));
		json_object_set(object, name, value);
		assert_ok(entry_check(kind, whole));
	}
}

/* Each kind, each member: missing, of a type that no member has. */
static void
test_members(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ENTRY_KINDS; i++) {
		enum entry_kind kind = (enum entry_kind)i;
		AUTO(json_t) *data = good_data(kind);
		const char *name;
		json_t *value;
		void *next;

		assert_non_null(data);
		assert_ok(entry_check(kind, data));
		spoil_each(kind, data, data);
		json_object_foreach_safe(data, next, name, value)
		{
			if (json_is_array(value))
				spoil_each(
				    kind, data, json_array_get(value, 0));
			else if (json_is_object(value) &&
			    strcmp(name, "attributes") != 0)
				spoil_each(kind, data, value);
		}
	}
}

/* The members of a state by its subject; of a CRL that is taken over. */
static void
test_variants(void **state)
{
	AUTO(json_t) *ca = data_ca_state(RUN_A, "k", "retiring", "l");
	AUTO(json_t) *taken = data_revocations(RUN_A, hex64(6), 1, hex64(19));

	(void)state;
	assert_ok(entry_check(ENTRY_STATE, ca));
	spoil_each(ENTRY_STATE, ca, ca);
	json_object_set_new(taken, "crl",
	    json_pack("{s:s,s:s,s:s,s:s,s:s,s:i}", "name", "old", "sha256",
		hex64(20), "number", "7", "this_update", DATE_A, "next_update",
		DATE_B, "entries", 1));
	assert_ok(entry_check(ENTRY_REVOCATIONS, taken));
	spoil_each(ENTRY_REVOCATIONS, taken, json_object_get(taken, "crl"));
	json_object_set_new(taken, "crl", json_null());
	assert_refused_naming(
	    CA_R_INTERNAL, "crl", entry_check(ENTRY_REVOCATIONS, taken));
}

static void
test_intent_kinds(void **state)
{
	AUTO(json_t) *crl = data_crl(RUN_A, 0, 0, "c", hex64(1), "1");
	AUTO(json_t) *csr = data_csr(RUN_A, 0, 0, "c");
	AUTO(json_t) *other = data_csr(RUN_A, 0, 0, "c");

	(void)state;
	assert_ok(entry_check(ENTRY_INTENT, crl));
	spoil_each(ENTRY_INTENT, crl, crl);
	assert_ok(entry_check(ENTRY_INTENT, csr));
	spoil_each(ENTRY_INTENT, csr, csr);
	json_object_set_new(csr, "issuer", json_string("root-g1"));
	assert_refused_naming(
	    CA_R_INTERNAL, "issuer", entry_check(ENTRY_INTENT, csr));
	json_object_set_new(other, "kind", json_string("ocsp"));
	assert_refused_naming(
	    CA_R_INTERNAL, "kind", entry_check(ENTRY_INTENT, other));
}

/* {kind, member, a value of the right type but not of its format} */
static const struct {
	enum entry_kind kind;
	const char *member;
	const char *value;
} misshapen[] = {
	{ ENTRY_CONFIG, "sha256", "00" },
	{ ENTRY_CONFIG, "sha256", "" },
	{ ENTRY_CONFIG, "sha256",
	    "0A00000000000000000000000000000000000000000000000000000000000000" },
	{ ENTRY_ENROLMENT, "set", "xyz" },
	{ ENTRY_ENROLMENT, "sign", "00" },
	{ ENTRY_ENROLMENT, "decrypt", "00" },
	{ ENTRY_ENROLMENT, "share", "" },
	{ ENTRY_ENROLMENT, "statement", "alice.cms" },
	{ ENTRY_QUORUM, "set", "" },
	{ ENTRY_QUORUM, "sha256", "00" },
	{ ENTRY_QUORUM, "threshold", "2" },
	{ ENTRY_QUORUM, "operators", "3" },
	{ ENTRY_QUORUM, "commitments", "00" },
	{ ENTRY_QUORUM, "replaces", "none" },
	{ ENTRY_ANCHOR, "statement", "00" },
	{ ENTRY_ANCHOR, "text", "an anchor" },
	{ ENTRY_APPROVAL, "manifest", "00" },
	{ ENTRY_APPROVAL, "statement", "00" },
	{ ENTRY_CONFIRMATION, "sha256", "00" },
	{ ENTRY_CONFIRMATION, "statement", "00" },
	{ ENTRY_CONFIRMATION, "list", "0" },
	{ ENTRY_CLOCK, "was", "yesterday" },
	{ ENTRY_CLOCK, "now", "2026-11-20" },
	{ ENTRY_PLAN, "set", "current" },
	{ ENTRY_PLAN, "unattended", "no" },
	{ ENTRY_PROFILE, "removed", "yes" },
	{ ENTRY_KEY_INTENT, "id", "" },
	{ ENTRY_KEY_INTENT, "id", "abc" },
	{ ENTRY_KEY_INTENT, "id", "0x01" },
	{ ENTRY_KEY_INTENT, "id", "AB" },
	{ ENTRY_INTENT, "serial", "1" },
	{ ENTRY_INTENT, "not_before", "2026-11-20" },
	{ ENTRY_INTENT, "not_after", "2026-11-31T00:00:00Z" },
	{ ENTRY_REVOKED, "date", "20261120120000Z" },
};

static void
test_formats(void **state)
{
	AUTO(json_t) *crl = data_crl(RUN_A, 0, 0, "c", hex64(1), "01");
	AUTO(json_t) *nul = data_event("x");
	AUTO(json_t) *negative = data_list(RUN_A, -1);

	(void)state;
	for (size_t i = 0; i < sizeof misshapen / sizeof misshapen[0]; i++) {
		AUTO(json_t) *data = good_data(misshapen[i].kind);

		json_object_set_new(
		    data, misshapen[i].member, json_string(misshapen[i].value));
		assert_refused_naming(CA_R_INTERNAL, misshapen[i].member,
		    entry_check(misshapen[i].kind, data));
	}
	assert_refused_naming(
	    CA_R_INTERNAL, "number", entry_check(ENTRY_INTENT, crl));
	json_object_set_new(nul, "event", json_stringn("a\0b", 3));
	assert_refused_naming(
	    CA_R_INTERNAL, "event", entry_check(ENTRY_EVENT, nul));
	assert_refused_naming(
	    CA_R_INTERNAL, "list", entry_check(ENTRY_LIST, negative));
	assert_refused(CA_R_INTERNAL, entry_check(ENTRY_EVENT, NULL));
	assert_refused(CA_R_INTERNAL, entry_check(ENTRY_KINDS, nul));
}

/* {kind, member that may be left out, a value that is good} */
static void
test_optional(void **state)
{
	static const struct {
		enum entry_kind kind;
		const char *member;
		bool flag;
	} members[] = {
		{ ENTRY_TOKEN, "run", false },
		{ ENTRY_CONFIG, "run", false },
		{ ENTRY_PROFILE, "run", false },
		{ ENTRY_PROFILE, "removed", true },
		{ ENTRY_PLAN, "abandons", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
		AUTO(json_t) *data = good_data(members[i].kind);
		const char *name = members[i].member;

		assert_null(json_object_get(data, name));
		assert_ok(entry_check(members[i].kind, data));
		json_object_set_new(data, name,
		    members[i].flag ? json_true() : json_string(RUN_A));
		assert_ok(entry_check(members[i].kind, data));
		json_object_set_new(data, name,
		    members[i].flag ? json_string(RUN_A) : json_true());
		assert_refused_naming(
		    CA_R_INTERNAL, name, entry_check(members[i].kind, data));
		json_object_set_new(data, name, json_null());
		assert_refused_naming(
		    CA_R_INTERNAL, name, entry_check(members[i].kind, data));
	}
}

/* Each member that may be null, and no other. */
static void
test_null(void **state)
{
	AUTO(json_t) *witness = data_enrolment(SET_A, "wendy", NULL);
	AUTO(json_t) *quorum =
	    data_quorum(SET_A, "active", hex64(1), NULL, "init");

	(void)state;
	assert_true(json_is_null(json_object_get(witness, "decrypt")));
	assert_true(json_is_null(json_object_get(witness, "share")));
	assert_true(json_is_null(json_object_get(witness, "statement")));
	assert_ok(entry_check(ENTRY_ENROLMENT, witness));
	json_object_set_new(witness, "sign", json_null());
	assert_refused_naming(
	    CA_R_INTERNAL, "sign", entry_check(ENTRY_ENROLMENT, witness));
	assert_true(json_is_null(json_object_get(quorum, "replaces")));
	json_object_set_new(quorum, "commitments", json_null());
	assert_ok(entry_check(ENTRY_QUORUM, quorum));
	json_object_set_new(quorum, "sha256", json_null());
	assert_refused_naming(
	    CA_R_INTERNAL, "sha256", entry_check(ENTRY_QUORUM, quorum));
}

static size_t
line_of(const char *person, const char *text, json_t *data, char *out)
{
	struct entry entry = { .seq = 12, .kind = ENTRY_EVENT, .data = data };
	AUTO(json_t) *people = person == NULL
	    ? NULL
	    : json_pack("[{s:s,s:s}]", "name", person, "role", "user");
	size_t len = 0;

	assert_ok(date_parse(DATE_A, &entry.time));
	assert_ok(entry_line(&entry, people, text, out, &len));
	return len;
}

/* Final bytes: an entry of years ago must still come out like this. */
static void
test_line(void **state)
{
	static char line[ENTRY_MAX_BYTES];
	AUTO(json_t) *data =
	    json_pack("{s:s,s:[i,b,n],s:{}}", "event", "e", "b", 1, 1, "a");
	size_t len = line_of("alice", "done", data, line);
	static const char expected[] =
	    "{\"v\":1,\"seq\":12,\"time\":\"2026-11-20T12:00:00Z\","
	    "\"kind\":\"event\",\"people\":[{\"name\":\"alice\",\"role\":"
	    "\"user\"}],\"text\":\"done\",\"data\":{\"event\":\"e\","
	    "\"b\":[1,true,null],\"a\":{}}}";

	(void)state;
	assert_int_equal(len, sizeof expected - 1);
	assert_memory_equal(line, expected, len);
	len = line_of(NULL, "done", data, line);
	line[len] = '\0';
	assert_non_null(strstr(line, "\"people\":[],\"text\":\"done\""));
}

static void
test_escaping(void **state)
{
	static char line[ENTRY_MAX_BYTES];
	AUTO(json_t) *data = data_event("\x01\x1b[31m\x7f\n\"\\");
	size_t len = line_of("Zo\xc3\xab",
	    "\xf0\x9f\x94\x91 \xc2\x9b \xe2\x80\xae \t", data, line);

	(void)state;
	for (size_t i = 0; i < len; i++)
		assert_in_range((unsigned char)line[i], 0x20, 0x7e);
	line[len] = '\0';
	assert_non_null(strstr(line, "\"Zo\\u00EB\""));
	assert_non_null(strstr(line, "\\uD83D\\uDD11 \\u009B \\u202E \\t"));
	assert_non_null(strstr(line, "\\u0001\\u001B[31m\\u007F\\n\\\"\\\\"));
}

/* What is written reads back as what was given. */
static void
test_parse(void **state)
{
	static char line[ENTRY_MAX_BYTES];
	AUTO(json_t) *data = data_event("\x7f\xc3\xab");
	AUTO(json_t) *json = NULL;
	size_t len = line_of("alice", "done", data, line);
	struct entry entry = { 0 };

	(void)state;
	assert_ok(entry_parse(line, len, &json, &entry));
	assert_int_equal(entry.seq, 12);
	assert_int_equal(entry.kind, ENTRY_EVENT);
	assert_true(entry.time == 1795176000);
	assert_true(json_equal(entry.data, data));
	for (size_t n = 0; n < len; n++) {
		json_t *none = NULL;

		ca_error_clear();
		assert_int_equal(entry_parse(line, n, &none, &entry), -1);
		assert_null(none);
	}
	ca_error_clear();
}

static void
test_longest(void **state)
{
	static char line[ENTRY_MAX_BYTES];
	AUTO_CHARS(event) = calloc(1, ENTRY_MAX_BYTES + 2);
	struct entry entry = { .kind = ENTRY_EVENT };
	AUTO(json_t) *empty = data_event("");
	AUTO(json_t) *full = NULL;
	AUTO(json_t) *over = NULL;
	size_t overhead, len;

	(void)state;
	entry.data = empty;
	assert_ok(entry_line(&entry, NULL, "", line, &overhead));
	memset(event, 'x', ENTRY_MAX_BYTES - overhead);
	entry.data = full = data_event(event);
	assert_ok(entry_line(&entry, NULL, "", line, &len));
	assert_int_equal(len, ENTRY_MAX_BYTES);
	event[ENTRY_MAX_BYTES - overhead] = 'x';
	entry.data = over = data_event(event);
	assert_refused_naming(
	    CA_R_INTERNAL, "65535", entry_line(&entry, NULL, "", line, &len));
}

/* The sentence for people is cut: what is in it may come from anywhere. */
static void
test_text_is_cut(void **state)
{
	static char line[ENTRY_MAX_BYTES];
	char text[ENTRY_TEXT_MAX + 3];
	AUTO(json_t) *data = data_event("x");
	struct entry entry = { .kind = ENTRY_EVENT, .data = data };
	size_t short_len, long_len;

	(void)state;
	memset(text, 'x', ENTRY_TEXT_MAX);
	text[ENTRY_TEXT_MAX] = '\0';
	assert_ok(entry_line(&entry, NULL, text, line, &short_len));
	/* Not in the middle of a character. */
	(void)strcpy(text + ENTRY_TEXT_MAX - 1, "\xc3\xa4");
	assert_ok(entry_line(&entry, NULL, text, line, &long_len));
	assert_int_equal(long_len, short_len - 1);
}

static void
test_not_utf8(void **state)
{
	static char line[ENTRY_MAX_BYTES];
	AUTO(json_t) *data = data_event("x");
	struct entry entry = { .kind = ENTRY_EVENT, .data = data };
	size_t len;

	(void)state;
	assert_refused(
	    CA_R_INTERNAL, entry_line(&entry, NULL, "\xff", line, &len));
	assert_refused(
	    CA_R_INTERNAL, entry_line(&entry, NULL, NULL, line, &len));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_variants),
		cmocka_unit_test(test_intent_kinds),
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_optional),
		cmocka_unit_test(test_null),
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_escaping),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_text_is_cut),
		cmocka_unit_test(test_not_utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
