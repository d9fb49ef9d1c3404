/* Keys: what was attested of them, and what they are used for. */
#include <openssl/rsa.h>

#include "objects-support.h"
#include "tests/unit/profiles/support.h"

static void
audit(struct world *w)
{
	world_audit(w, &audit_keys, -1);
}

/* A key of run A with an edit of intent and data. */
static void
add_edited(struct world *w, const char *type, EVP_PKEY *pkey, json_t *over)
{
	world_add_key(w, RUN_A, "other-key", pkey, type, "ca", over);
	audit(w);
}

static void
test_clean(void **state)
{
	struct world *w = *state;

	make_root(w);
	make_sub(w);
	world_add_key(
	    w, RUN_A, "rsa-key", key("rsa-2048", 0), "rsa-2048", "ca", NULL);
	audit(w);
	assert_no_findings(w);
}

/* The good attributes with one that is another. */
static json_t *
attributes_with(const char *name, json_t *value)
{
	json_t *all = json_pack("{s:b,s:b,s:b,s:b,s:b,s:b,s:b,s:b,s:b}",
	    "CKA_TOKEN", 1, "CKA_PRIVATE", 1, "CKA_SENSITIVE", 1,
	    "CKA_EXTRACTABLE", 0, "CKA_LOCAL", 1, "CKA_ALWAYS_SENSITIVE", 1,
	    "CKA_NEVER_EXTRACTABLE", 1, "CKA_SIGN", 1, "CKA_DECRYPT", 0);

	if (value == NULL)
		json_object_del(all, name);
	else
		json_object_set_new(all, name, value);
	return json_pack("{s:o}", "attributes", all);
}

static const struct {
	const char *name;
	bool wrong;
	bool required;
} attributes[] = {
	{ "CKA_TOKEN", false, true },
	{ "CKA_PRIVATE", false, true },
	{ "CKA_SENSITIVE", false, true },
	{ "CKA_EXTRACTABLE", true, true },
	{ "CKA_LOCAL", false, true },
	{ "CKA_ALWAYS_SENSITIVE", false, true },
	{ "CKA_NEVER_EXTRACTABLE", false, true },
	{ "CKA_SIGN", false, true },
	{ "CKA_DECRYPT", true, true },
	{ "CKA_UNWRAP", true, false },
	{ "CKA_DERIVE", true, false },
	{ "CKA_SIGN_RECOVER", true, false },
	{ "CKA_MODIFIABLE", true, false },
	{ "CKA_COPYABLE", true, false },
	{ "CKA_ALWAYS_AUTHENTICATE", true, false },
};

/* One key whose attribute is `value`; what comes of it. */
static void
check_attribute(size_t i, json_t *value)
{
	bool null = json_is_null(value);
	bool missing = value == NULL;
	void *state = NULL;
	struct world *w;

	assert_int_equal(world_setup(&state), 0);
	w = state;
	add_edited(w, "p-384", w->keys[KEY_FOREIGN],
	    attributes_with(attributes[i].name, value));
	if ((null || missing) && !attributes[i].required) {
		assert_no_findings(w);
	} else {
		assert_only(w, "AUDIT-KEY");
		assert_found(w, "AUDIT-KEY", attributes[i].name);
		assert_int_equal(w->found.errors, null ? 0 : 1);
	}
	assert_int_equal(world_teardown(&state), 0);
}

/* Each attribute once: wrong, null, of another type, not there. */
static void
test_attributes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof attributes / sizeof attributes[0]; i++) {
		check_attribute(i, json_boolean(attributes[i].wrong));
		check_attribute(i, json_string("true"));
		check_attribute(i, json_null());
		check_attribute(i, NULL);
	}
}

static void
test_mechanism(void **state)
{
	struct world *w = *state;

	add_edited(w, "p-384", w->keys[KEY_FOREIGN],
	    json_pack("{s:i}", "generation_mechanism", 0));
	assert_only(w, "AUDIT-KEY");
	assert_found(w, "AUDIT-KEY", "mechanism");
}

static void
test_no_mechanism(void **state)
{
	struct world *w = *state;

	add_edited(w, "p-384", w->keys[KEY_FOREIGN],
	    json_pack("{s:n}", "generation_mechanism"));
	assert_only(w, "AUDIT-KEY");
}

static void
test_type(void **state)
{
	struct world *w = *state;

	add_edited(w, "p-256", w->keys[KEY_FOREIGN], NULL);
	assert_only(w, "AUDIT-KEY");
	assert_found(w, "AUDIT-KEY", "p-384");
}

/* An RSA key of 1024 bits, and what is no key at all. */
static void
test_weak(void **state)
{
	struct world *w = *state;
	AUTO(EVP_PKEY) *weak = EVP_RSA_gen(1024);

	add_edited(w, "rsa-2048", weak, NULL);
	assert_only(w, "AUDIT-KEY");
}

static void
test_no_key(void **state)
{
	struct world *w = *state;

	add_edited(w, "p-384", w->keys[KEY_FOREIGN],
	    json_pack("{s:s}", "spki", "3003020100"));
	assert_only(w, "AUDIT-KEY");
}

static void
test_backup(void **state)
{
	struct world *w = *state;

	add_edited(w, "p-384", w->keys[KEY_FOREIGN],
	    json_pack("{s:s}", "backup", "wrap"));
	assert_only(w, "AUDIT-KEY");
	assert_found(w, "AUDIT-KEY", "wrap");
}

static void
test_purposes(void **state)
{
	static const char *const wrong[] = { "tls", "journal" };
	struct world *w = *state;

	for (size_t i = 0; i < 2; i++) {
		AUTO(EVP_PKEY) *pkey = EVP_EC_gen("P-256");
		char name[16];

		(void)snprintf(name, sizeof name, "other-%zu", i);
		world_add_key(w, RUN_A, name, pkey, "p-256", wrong[i], NULL);
		audit(w);
		assert_only(w, "AUDIT-KEY-PURPOSE");
		assert_int_equal(count_found(w, "AUDIT-KEY-PURPOSE"), i + 1);
	}
}

/* ---- use -------------------------------------------------------------- */

/* A certificate by this key; the pass looks at the intent alone. */
static void
sign_with(struct world *w, json_t *over)
{
	const struct making sub = {
		.run = RUN_A,
		.name = "sub-g1",
		.kind = "subordinate",
		.profile = "issuing-ca",
		.subject = w->keys[KEY_SUB],
		.signer = w->keys[KEY_ROOT],
		.subject_key = "sub-key",
		.issuer = w->root,
		.issuer_name = "root-g1",
		.object = 1,
		.over = over,
		.only_intent = true,
	};

	X509_free(make_certificate(w, &sub));
	audit(w);
}

static void
test_signer(void **state)
{
	struct world *w = *state;

	make_root(w);
	sign_with(w, json_pack("{s:s}", "key", world_spki(w->keys[KEY_OCSP])));
	assert_only(w, "AUDIT-KEY-PURPOSE");
	assert_found(w, "AUDIT-KEY-PURPOSE", "ocsp-key");
}

static void
give_state(struct world *w, const char *name)
{
	world_add(w, ENTRY_STATE,
	    json_pack("{s:s, s:s, s:s, s:s, s:s, s:n}", "run", RUN_A, "subject",
		"ca", "state", name, "key", "root-key", "why", "a test",
		"successor"));
}

/* A retiring CA issues nothing but what OCSP needs. */
static void
test_retiring(void **state)
{
	struct world *w = *state;

	make_root(w);
	give_state(w, "retiring");
	sign_with(w, NULL);
	assert_only(w, "AUDIT-CA-STATE");
	assert_found(w, "AUDIT-CA-STATE", "retiring");
}

static void
test_retired(void **state)
{
	struct world *w = *state;

	make_root(w);
	give_state(w, "retired");
	world_add(w, ENTRY_INTENT,
	    with(data_csr(RUN_A, 0, 1, "a"), "key",
		json_string(world_spki(w->keys[KEY_ROOT]))));
	audit(w);
	assert_only(w, "AUDIT-CA-STATE");
	assert_found(w, "AUDIT-CA-STATE", "retired");
}

/* A retiring one may ask for a longer life. */
static void
test_retiring_asks(void **state)
{
	struct world *w = *state;

	make_root(w);
	give_state(w, "retiring");
	world_add(w, ENTRY_INTENT,
	    with(data_csr(RUN_A, 0, 1, "a"), "key",
		json_string(world_spki(w->keys[KEY_ROOT]))));
	audit(w);
	assert_no_findings(w);
}

static void
test_journal_signs(void **state)
{
	struct world *w = *state;

	make_root(w);
	sign_with(
	    w, json_pack("{s:s}", "key", world_spki(w->keys[KEY_JOURNAL])));
	assert_only(w, "AUDIT-KEY-PURPOSE");
	assert_found(w, "AUDIT-KEY-PURPOSE", "'journal'");
}

/* Requests: by `ocsp` too, and never by the journal's key. */
static void
test_requests(void **state)
{
	struct world *w = *state;

	world_add(w, ENTRY_INTENT,
	    with(data_csr(RUN_A, 0, 0, "a"), "key",
		json_string(world_spki(w->keys[KEY_OCSP]))));
	audit(w);
	assert_no_findings(w);
	world_add(w, ENTRY_INTENT,
	    with(data_csr(RUN_A, 0, 1, "b"), "key",
		json_string(world_spki(w->keys[KEY_JOURNAL]))));
	audit(w);
	assert_only(w, "AUDIT-KEY-PURPOSE");
}

static void
test_unknown_signer(void **state)
{
	struct world *w = *state;

	make_root(w);
	sign_with(
	    w, json_pack("{s:s}", "key", world_spki(w->keys[KEY_FOREIGN])));
	assert_only(w, "AUDIT-KEY-STATE");
}

static int
destroy_root_key(void *ctx, const struct key_row *row)
{
	struct world *w = ctx;
	AUTO_CHARS(id) = text_hex(row->id, row->id_len);

	if (strcmp(row->name, "root-key") == 0)
		world_add(w, ENTRY_KEY_DESTROYED,
		    data_key_destroyed(RUN_A, row->name, id));
	return 0;
}

static void
test_destroyed_signer(void **state)
{
	struct world *w = *state;

	make_root(w);
	assert_ok(journal_each_key(w->journal, NULL, destroy_root_key, w));
	sign_with(w, NULL);
	assert_only(w, "AUDIT-KEY-STATE");
	assert_found(w, "AUDIT-KEY-STATE", "destroyed");
}

/* ---- subjects --------------------------------------------------------- */

static void
test_subject_not_named(void **state)
{
	struct world *w = *state;

	make_root(w);
	sign_with(w, json_pack("{s:n}", "subject_key"));
	assert_only(w, "AUDIT-KEY-STATE");
}

static void
test_subject_of_others(void **state)
{
	struct world *w = *state;

	make_root(w);
	sign_with(
	    w, json_pack("{s:s}", "spki", world_spki(w->keys[KEY_FOREIGN])));
	assert_only(w, "AUDIT-KEY-STATE");
}

static void
test_subject_purpose(void **state)
{
	struct world *w = *state;

	make_root(w);
	sign_with(w, json_pack("{s:s}", "certificate_kind", "ocsp-responder"));
	assert_only(w, "AUDIT-KEY-PURPOSE");
}

static void
test_certified_twice(void **state)
{
	struct world *w = *state;

	make_root(w);
	sign_with(w,
	    json_pack("{s:s,s:s}", "spki", world_spki(w->keys[KEY_ROOT]),
		"subject_key", "root-key"));
	assert_only(w, "AUDIT-KEY-PURPOSE");
	assert_found(w, "AUDIT-KEY-PURPOSE", "another certificate");
}

/* An end entity has no key of ours, whatever the intent names. */
static void
test_end_entity_key(void **state)
{
	struct world *w = *state;

	make_root(w);
	sign_with(w, json_pack("{s:s}", "certificate_kind", "end-entity"));
	assert_only(w, "AUDIT-KEY-PURPOSE");
}

/* A CA of our own is crossed where its key is named, and not otherwise. */
static void
test_cross_of_own(void **state)
{
	struct world *w = *state;

	make_root(w);
	sign_with(w,
	    json_pack("{s:s,s:s,s:s}", "certificate_kind", "cross", "spki",
		world_spki(w->keys[KEY_ROOT]), "subject_key", "root-key"));
	assert_no_findings(w);
}

static void
test_cross_of_own_unnamed(void **state)
{
	struct world *w = *state;

	make_root(w);
	sign_with(w,
	    json_pack("{s:s,s:s,s:n}", "certificate_kind", "cross", "spki",
		world_spki(w->keys[KEY_ROOT]), "subject_key"));
	assert_found(w, "AUDIT-KEY-STATE", "does not name");
	assert_found(w, "AUDIT-KEY-PURPOSE", "another certificate");
}

/* ---- adopted ---------------------------------------------------------- */

static void
adopt(struct world *w, const char *name, EVP_PKEY *pkey)
{
	const char *sha = world_evidence(w, "x", 1);

	world_add(w, ENTRY_ADOPTED,
	    with(data_adopted(
		     RUN_A, "taken", hex64(70), "4711", world_spki(pkey), sha),
		"key", json_string(name)));
	audit(w);
}

static void
test_adopted(void **state)
{
	struct world *w = *state;

	adopt(w, "sub-key", w->keys[KEY_SUB]);
	assert_no_findings(w);
}

static void
test_adopted_other_key(void **state)
{
	struct world *w = *state;

	adopt(w, "sub-key", w->keys[KEY_FOREIGN]);
	assert_only(w, "AUDIT-KEY-STATE");
}

static void
test_adopted_purpose(void **state)
{
	struct world *w = *state;

	adopt(w, "ocsp-key", w->keys[KEY_OCSP]);
	assert_only(w, "AUDIT-KEY-PURPOSE");
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
		cmocka_unit_test(test_attributes),
		TEST(test_mechanism),
		TEST(test_no_mechanism),
		TEST(test_type),
		TEST(test_weak),
		TEST(test_no_key),
		TEST(test_backup),
		TEST(test_purposes),
		TEST(test_signer),
		TEST(test_retiring),
		TEST(test_retired),
		TEST(test_retiring_asks),
		TEST(test_journal_signs),
		TEST(test_requests),
		TEST(test_unknown_signer),
		TEST(test_destroyed_signer),
		TEST(test_subject_not_named),
		TEST(test_subject_of_others),
		TEST(test_subject_purpose),
		TEST(test_certified_twice),
		TEST(test_end_entity_key),
		TEST(test_cross_of_own),
		TEST(test_cross_of_own_unnamed),
		TEST(test_adopted),
		TEST(test_adopted_other_key),
		TEST(test_adopted_purpose),
	};

	return cmocka_run_group_tests(tests, NULL, free_keys);
}
