/* OCSP responses: lists, intents, results, each as it should be and forged. */
#include "base/date.h"
#include "base/file.h"
#include "ceremony/journal/tree.h"
#include "objects-support.h"
#include "profiles/ocsp.h"
#include "tests/unit/profiles/support.h"

#define OTHER_SERIAL "4a4b4c4d4e4f50515253"

/* What is wrong with the batch; all zero: nothing is. */
struct forgery {
	/* what the list says, the intent, the result */
	json_t *listed, *intended, *answered;
	const char *status; /* of the line: another one */
	const char *serial; /* of the line: another certificate's */
	bool revoke;        /* the certificate is, before */
	bool revoke_late;   /* and the response says that it is good */
	bool revoke_responder;
	int64_t shift;      /* thisUpdate, seconds */
	bool other_profile; /* the response is valid for another time */
	const char *lines;  /* instead of those of the intent */
	bool answer_other;  /* another response than was intended */
	bool foreign;       /* signed by another key */
	bool without;       /* the responder's certificate */
	const char *answer; /* instead of the lines of the result */
	bool wrong_hash;    /* in the line of the result */
	bool unsigned_;     /* the line says that it was not */
	bool no_list;       /* the list has no such batch */
	/* lines of the list around the one that is intended, and their count */
	const char *before, *after;
	int others;
	const char *items; /* instead of the lines under the list's root */
	bool no_items;     /* which are nowhere */
	bool only_intent;
	bool twice;           /* a second window with the same, before */
	bool again;           /* the same, behind the result */
	const char *ca_state; /* the root has come into it before */
};

struct batch {
	struct world *w;
	const struct forgery *f;
	X509 *responder;
	X509 *child;
	char *serial;
	int64_t now, until;
	struct tbs tbs;
	unsigned char *der;
	size_t len;
};

static void
make_responder(struct batch *b)
{
	struct world *w = b->w;
	const struct making making = {
		.run = RUN_A,
		.name = "ocsp-g1",
		.kind = "ocsp-responder",
		.profile = "ocsp-responder",
		.subject = w->keys[KEY_OCSP],
		.signer = w->keys[KEY_ROOT],
		.subject_key = "ocsp-key",
		.issuer = w->root,
		.issuer_name = "root-g1",
		.object = 2,
	};

	b->responder = make_certificate(w, &making);
}

/* ResponseData about the sub CA. */
static void
build(struct batch *b, const struct ocsp_entry *entry, int64_t validity,
    struct tbs *ret_tbs)
{
	AUTO_PTR(profile) *profile = load("ocsp-response", NULL, NULL);
	AUTO_STRUCT(findings) findings = { 0 };
	const struct ocsp_response_request req = {
		.profile = profile,
		.issuer = b->w->root,
		.responder = b->responder,
		.entries = entry,
		.entry_count = 1,
		.now = b->now,
		.validity = validity,
		.place = "test",
	};

	b->until = b->now +
	    (validity != 0 ? validity : profile_validity_default(profile)) - 1;
	assert_ok(ocsp_response_check(&req, &findings));
	assert_clean(&findings);
	assert_ok(ocsp_response_build(&req, ret_tbs));
}

static void
respond(struct batch *b, const struct tbs *tbs)
{
	AUTO_BYTES(sig) = NULL;
	AUTO_DER(cert) = NULL;
	int cert_len = i2d_X509(b->responder, &cert);
	size_t sig_len;

	sig = raw_signature(tbs->alg, tbs,
	    b->w->keys[b->f->foreign ? KEY_JOURNAL : KEY_OCSP], &sig_len);
	assert_ok(ocsp_assemble(tbs, sig, sig_len, b->f->without ? NULL : cert,
	    b->f->without ? 0 : (size_t)cert_len, &b->der, &b->len));
}

static void
revoke_now(struct world *w, const char *serial)
{
	char text[DATE_TEXT_SIZE];

	date_format(date_now(), text);
	world_add(w, ENTRY_REVOKED,
	    with(data_revoked(RUN_A, w->root_dn, serial), "date",
		json_string(text)));
}

static struct ocsp_entry
entry_of(const struct certificate_facts *facts, const struct forgery *f)
{
	struct ocsp_entry entry = {
		.serial = facts->serial,
		.serial_len = facts->serial_len,
		.not_after = facts->not_after,
	};

	if (!f->revoke)
		return entry;
	entry.status = STATUS_REVOKED;
	entry.date = date_now();
	entry.reason = REASON_KEY_COMPROMISE;
	return entry;
}

static void
put_over(json_t *data, json_t *over)
{
	if (over == NULL)
		return;
	assert_int_equal(json_object_update(data, over), 0);
	json_decref(over);
}

/* The root of a tree over one line, or of nothing. */
static const char *
tree_of(const void *leaf, size_t len, size_t count, char hex[HASH_HEX_SIZE])
{
	struct tree_range range = { .size = 0 };
	unsigned char hash[HASH_LEN];

	for (size_t i = 0; i < count; i++) {
		assert_ok(tree_leaf(leaf, len, hash));
		assert_ok(tree_range_add(&range, hash, NULL, NULL));
	}
	assert_ok(tree_range_root(&range, hash));
	text_hex_into(hash, HASH_LEN, hex);
	return hex;
}

static json_t *
facts_json(const struct batch *b)
{
	char from[DATE_TEXT_SIZE], until[DATE_TEXT_SIZE];

	date_format(b->now, from);
	date_format(b->until, until);
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "issuer", "root-g1",
	    "issuer_dn", b->w->root_dn, "responder", "ocsp-g1", "profile",
	    "ocsp-response", "this_update", from, "next_update", until);
}

/* The root over lines that each end with a newline. */
static void
root_of_lines(const char *text, char ret_hex[HASH_HEX_SIZE])
{
	struct tree_range range = { .size = 0 };
	unsigned char hash[HASH_LEN];

	while (*text != '\0') {
		size_t len = strcspn(text, "\n");

		assert_ok(tree_leaf(text, len, hash));
		assert_ok(tree_range_add(&range, hash, NULL, NULL));
		text += len + 1;
	}
	assert_ok(tree_range_root(&range, hash));
	text_hex_into(hash, HASH_LEN, ret_hex);
}

static void
add_list(struct batch *b, const char *intended, const char *algorithm)
{
	const struct forgery *f = b->f;
	AUTO_CHARS(lines) =
	    text_printf("%s%s\n%s", f->before == NULL ? "" : f->before,
		intended, f->after == NULL ? "" : f->after);
	const char *items = f->items != NULL ? f->items : lines;
	char root[HASH_HEX_SIZE];
	AUTO_CHARS(text) = NULL;
	AUTO_CHARS(whole) = NULL;
	json_t *line;

	root_of_lines(lines, root);
	line = json_pack("{s:i,s:s,s:s,s:s,s:s,s:i,s:s,s:s,s:o}", "batch", 0,
	    "kind", "ocsp", "name", "status", "key",
	    world_spki(b->w->keys[KEY_OCSP]), "algorithm", algorithm, "count",
	    1 + f->others, "root", root, "items",
	    f->no_items ? hex64(9) : world_evidence(b->w, items, strlen(items)),
	    "facts", facts_json(b));

	put_over(line, b->f->listed);
	text = json_dumps(line, JSON_COMPACT);
	json_decref(line);
	whole = text_printf("{}\n%s\n", b->f->no_list ? "{}" : text);
	world_add(b->w, ENTRY_LIST,
	    with(with(data_list(RUN_A, 1), "sha256",
		     json_string(world_evidence(b->w, whole, strlen(whole)))),
		"batches", json_integer(1)));
}

static void
add_intent(struct batch *b, int window, const char *line, const char *root,
    const char *algorithm)
{
	AUTO_CHARS(text) = b->f->lines != NULL ? text_copy(b->f->lines)
					       : text_printf("%s\n", line);
	json_t *data = json_pack("{s:s,s:i,s:i,s:i,s:i,s:s,s:s,s:s,s:s,s:s}",
	    "run", RUN_A, "list", 1, "window", window, "first", 0, "count", 1,
	    "name", "status", "key", world_spki(b->w->keys[KEY_OCSP]),
	    "algorithm", algorithm, "root", root, "items",
	    world_evidence(b->w, text, strlen(text)));

	assert_int_equal(json_object_update_new(data, facts_json(b)), 0);
	put_over(data, json_incref(b->f->intended));
	world_add(b->w, ENTRY_OCSP_INTENT, data);
}

static char *
answer_line(const struct batch *b)
{
	AUTO_CHARS(base64) = malloc(2 * b->len + 8);
	AUTO_CHARS(hex) = sha256_hex(b->der, b->len);

	if (b->f->answer != NULL)
		return text_copy(b->f->answer);
	if (b->f->unsigned_)
		return text_printf("%s -\n", b->serial);
	(void)EVP_EncodeBlock((unsigned char *)base64, b->der, (int)b->len);
	return text_printf(
	    "%s %s %s\n", b->serial, b->f->wrong_hash ? hex64(5) : hex, base64);
}

static void
add_result(struct batch *b)
{
	AUTO_CHARS(text) = answer_line(b);
	char root[HASH_HEX_SIZE];
	json_t *data;

	tree_of(b->der, b->len, b->f->unsigned_ ? 0 : 1, root);
	data = json_pack("{s:s,s:i,s:i,s:s,s:i,s:s,s:s}", "run", RUN_A, "list",
	    1, "window", 0, "name", "status", "count", 1, "root", root, "items",
	    world_evidence(b->w, text, strlen(text)));
	put_over(data, b->f->answered);
	world_add(b->w, ENTRY_OCSP_RESULT, data);
}

static char *
intent_line(struct batch *b)
{
	char hex[HASH_HEX_SIZE];

	text_hex_into(b->tbs.sha256, HASH_LEN, hex);
	return text_printf("%s %s %s",
	    b->f->serial != NULL ? b->f->serial : b->serial,
	    b->f->status != NULL ? b->f->status
		: b->f->revoke   ? "revoked"
				 : "good",
	    hex);
}

static void
prepare(struct batch *b)
{
	AUTO_STRUCT(certificate_facts) facts = { 0 };
	struct ocsp_entry entry;

	make_root(b->w);
	make_sub(b->w);
	make_responder(b);
	assert_ok(certificate_facts(b->w->sub, &facts));
	b->serial = text_hex(facts.serial, facts.serial_len);
	b->now = date_now() + b->f->shift;
	entry = entry_of(&facts, b->f);
	if (b->f->revoke)
		revoke_now(b->w, b->serial);
	build(b, &entry, 0, &b->tbs);
	if (b->f->other_profile) {
		int64_t until = b->until;

		tbs_clear(&b->tbs);
		build(b, &entry, 30 * (int64_t)DAY_SECONDS, &b->tbs);
		b->until = until;
	}
}

static void
end_parts(struct batch *b)
{
	AUTO_STRUCT(certificate_facts) facts = { 0 };
	AUTO_CHARS(serial) = NULL;

	if (b->f->revoke_late)
		revoke_now(b->w, b->serial);
	if (b->f->revoke_responder) {
		assert_ok(certificate_facts(b->responder, &facts));
		serial = text_hex(facts.serial, facts.serial_len);
		revoke_now(b->w, serial);
	}
	if (b->f->ca_state != NULL)
		world_add(b->w, ENTRY_STATE,
		    data_ca_state(RUN_A, "root-key", b->f->ca_state, NULL));
}

/* The response that is given for the one that was intended. */
static void
make_answer(struct batch *b)
{
	AUTO_STRUCT(certificate_facts) facts = { 0 };
	AUTO_STRUCT(tbs) other = { 0 };
	struct ocsp_entry entry;
	int64_t until = b->until;

	if (!b->f->answer_other) {
		respond(b, &b->tbs);
		return;
	}
	assert_ok(certificate_facts(b->w->sub, &facts));
	entry = entry_of(&facts, b->f);
	build(b, &entry, 31 * (int64_t)DAY_SECONDS, &other);
	b->until = until;
	respond(b, &other);
}

static void
sign_batch(struct world *w, const struct forgery *f)
{
	struct batch b = { .w = w, .f = f };
	AUTO_CHARS(algorithm) = NULL;
	AUTO_CHARS(line) = NULL;
	char root[HASH_HEX_SIZE];

	prepare(&b);
	end_parts(&b);
	algorithm = text_hex(b.tbs.alg->der, b.tbs.alg->der_len);
	line = intent_line(&b);
	tree_of(line, strlen(line), 1, root);
	add_list(&b, line, algorithm);
	add_intent(&b, 0, line, root, algorithm);
	if (f->twice)
		add_intent(&b, 1, line, root, algorithm);
	if (!f->only_intent) {
		make_answer(&b);
		add_result(&b);
	}
	if (f->again)
		add_intent(&b, 1, line, root, algorithm);
	json_decref(f->intended);
	X509_free(b.responder);
	tbs_clear(&b.tbs);
	free(b.serial);
	free(b.der);
}

static int
setup(void **state)
{
	AUTO_CHARS(text) = profile_text("ocsp-response");
	struct world *w;

	/* Profiles are taken in by init: this is a run's. */
	if (world_setup(state) != 0)
		return -1;
	w = *state;
	world_add(w, ENTRY_PROFILE,
	    data_profile(
		RUN_A, "ocsp-response", world_evidence(w, text, strlen(text))));
	return 0;
}

static void
audit(struct world *w)
{
	world_audit(w, &audit_ocsp, -1);
}

/* Everything is as it should be. */
static void
test_clean(void **state)
{
	struct world *w = *state;

	sign_batch(w, &(struct forgery){ 0 });
	audit(w);
	assert_no_findings(w);
	world_close(w, RUN_A, NULL);
	audit(w);
	assert_no_findings(w);
}

static void
test_clean_revoked(void **state)
{
	sign_batch(*state, &(struct forgery){ .revoke = true });
	audit(*state);
	assert_no_findings(*state);
}

/* Not signed: said so, and no leaf. */
static void
test_clean_unsigned(void **state)
{
	sign_batch(*state, &(struct forgery){ .unsigned_ = true });
	audit(*state);
	assert_no_findings(*state);
}

/* What was not signed is intended once more, and only that. */
static void
test_clean_again(void **state)
{
	sign_batch(
	    *state, &(struct forgery){ .unsigned_ = true, .again = true });
	audit(*state);
	assert_no_findings(*state);
}

static void
test_clean_retiring(void **state)
{
	sign_batch(*state, &(struct forgery){ .ca_state = "retiring" });
	audit(*state);
	assert_no_findings(*state);
}

/* A response that comes before every other, and one that comes behind. */
#define LOW        \
	"01 good " \
	"0101010101010101010101010101010101010101010101010101010101010101\n"
#define HIGH                                             \
	"7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f good " \
	"0202020202020202020202020202020202020202020202020202020202020202\n"

/* The run ended before all that was listed was intended. */
static void
test_clean_cut(void **state)
{
	struct world *w = *state;

	sign_batch(w,
	    &(struct forgery){ .before = LOW,
		.after = HIGH,
		.others = 2,
		.intended = json_pack("{s:i}", "first", 1) });
	audit(w);
	assert_no_findings(w);
	assert_int_equal(w->found.count, 0);
	world_close(w, RUN_A, NULL);
	audit(w);
	assert_int_equal(w->found.count, 0);
}

struct wrong {
	struct forgery f;
	const char *id, *part;
};

static void
check_wrong(const struct wrong *wrong)
{
	void *state = NULL;

	assert_int_equal(setup(&state), 0);
	sign_batch(state, &wrong->f);
	audit(state);
	assert_found(state, wrong->id, wrong->part);
	assert_int_equal(world_teardown(&state), 0);
}

/* The list, and what is intended beside it. */
static void
test_listed(void **state)
{
	const struct wrong wrong[] = {
		{ { .no_list = true }, "AUDIT-OCSP-LIST", "does not have" },
		{ { .listed = json_pack("{s:s}", "name", "other") },
		    "AUDIT-OCSP-LIST", "does not have" },
		{ { .listed = json_pack("{s:s}", "key", hex64(3)) },
		    "AUDIT-OCSP-LIST", "does not have" },
		{ { .listed = json_pack("{s:s}", "algorithm", "300a") },
		    "AUDIT-OCSP-LIST", "does not have" },
		{ { .listed = json_pack("{s:{}}", "facts") }, "AUDIT-FACTS",
		    "this_update" },
		{ { .twice = true }, "AUDIT-OCSP-LIST", "intended before" },
		{ { .again = true }, "AUDIT-OCSP-LIST", "intended before" },
		{ { .unsigned_ = true, .twice = true, .again = false },
		    "AUDIT-OCSP-LIST", "intended before" },
		{ { .intended = json_pack("{s:i}", "first", 1) },
		    "AUDIT-OCSP-LIST", "are more than" },
		{ { .intended = json_pack("{s:s}", "root", hex64(4)) },
		    "AUDIT-OCSP", "root" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		check_wrong(&wrong[i]);
}

/* Who signs. */
static void
test_signer(void **state)
{
	const struct wrong wrong[] = {
		{ { .revoke_responder = true }, "AUDIT-ISSUER",
		    "revoked before" },
		{ { .ca_state = "retired" }, "AUDIT-CA-STATE", "retired" },
		{ { .intended = json_pack("{s:s}", "responder", "sub-g1"),
		      .only_intent = true },
		    "AUDIT-ISSUER", "no responder" },
		{ { .intended = json_pack("{s:s}", "responder", "nobody"),
		      .only_intent = true },
		    "AUDIT-ISSUER", "nobody" },
		{ { .intended = json_pack("{s:n}", "responder"),
		      .only_intent = true },
		    "AUDIT-ISSUER", "another key" },
		{ { .intended = json_pack("{s:s}", "issuer", "sub-g1"),
		      .only_intent = true },
		    "AUDIT-ISSUER", "another name" },
		{ { .intended = json_pack("{s:s}", "profile", "ca-crl"),
		      .only_intent = true },
		    "AUDIT-PROFILE", "ca-crl" },
		{ { .intended = json_pack("{s:s}", "profile", "none"),
		      .only_intent = true },
		    "AUDIT-PROFILE", "none" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		check_wrong(&wrong[i]);
}

/* What is said of the certificate. */
static void
test_status(void **state)
{
	const struct wrong wrong[] = {
		{ { .status = "revoked" }, "AUDIT-OCSP-STATUS",
		    "no entry of the journal revokes it" },
		{ { .revoke_late = true }, "AUDIT-OCSP-STATUS",
		    "was revoked before" },
		{ { .revoke = true, .status = "good" }, "AUDIT-OCSP-STATUS",
		    "was revoked before" },
		{ { .serial = OTHER_SERIAL }, "AUDIT-OCSP-STATUS",
		    "no such certificate" },
		{ { .other_profile = true }, "AUDIT-OCSP", "other octets" },
		{ { .shift = DAY_SECONDS }, "AUDIT-BACKDATED", "another time" },
		{ { .lines = "nonsense\n" }, "AUDIT-OCSP", "malformed" },
		{ { .lines = "" }, "AUDIT-OCSP", "items" },
		{ { .lines = "05 good" }, "AUDIT-OCSP", "last line" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		check_wrong(&wrong[i]);
}

/* What came of it. */
static void
test_answers(void **state)
{
	const struct wrong wrong[] = {
		{ { .answer_other = true }, "AUDIT-SIGNATURE",
		    "not the one that was intended" },
		{ { .foreign = true }, "AUDIT-SIGNATURE", "status" },
		{ { .without = true }, "AUDIT-SIGNATURE",
		    "another certificate" },
		{ { .wrong_hash = true }, "AUDIT-OCSP", "SHA-256" },
		{ { .answer = "nonsense\n" }, "AUDIT-OCSP", "fields" },
		{ { .answer = OTHER_SERIAL " -\n" }, "AUDIT-OCSP",
		    "another serial" },
		{ { .answer = "" }, "AUDIT-OCSP", "items" },
		{ { .answered = json_pack("{s:s}", "root", hex64(4)) },
		    "AUDIT-OCSP", "root" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		check_wrong(&wrong[i]);
}

/* A list whose root is over other lines than were intended. */
static void
test_confirmed_root(void **state)
{
	struct world *w = *state;

	sign_batch(w,
	    &(struct forgery){
		.listed = json_pack("{s:s}", "root", hex64(4)) });
	world_close(w, RUN_A, NULL);
	audit(w);
	assert_only(w, "AUDIT-OCSP-LIST");
	assert_found(w, "AUDIT-OCSP-LIST", "root over the items");
}

/* The lines under the root that was confirmed, of a batch that was cut off. */
static void
test_items(void **state)
{
	const struct wrong wrong[] = {
		{ { .items = LOW }, "AUDIT-OCSP-LIST", "root over the items" },
		{ { .after = HIGH, .others = 1, .items = LOW HIGH },
		    "AUDIT-OCSP-LIST", "root over the items" },
		{ { .after = HIGH }, "AUDIT-OCSP-LIST",
		    "are 2, and its entry" },
		{ { .others = 1 }, "AUDIT-OCSP-LIST", "are 1, and its entry" },
		{ { .after = LOW, .others = 1 }, "AUDIT-OCSP-LIST",
		    "not above that of the line before it" },
		{ { .after = "nonsense\n", .others = 1 }, "AUDIT-OCSP-LIST",
		    "malformed" },
		{ { .items = "05 good" }, "AUDIT-OCSP-LIST", "last line" },
		{ { .listed = json_pack("{s:s}", "items", "nonsense") },
		    "AUDIT-OCSP-LIST", "does not have" },
		/* Not what the list has in this place. */
		{ { .before = LOW, .others = 1 }, "AUDIT-OCSP-LIST",
		    "responses 0 to 0 of 'status' are not those" },
		{ { .after = HIGH,
		      .others = 1,
		      .intended = json_pack("{s:i}", "first", 1) },
		    "AUDIT-OCSP-LIST",
		    "responses 1 to 1 of 'status' are not those" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		check_wrong(&wrong[i]);
}

/* The same when the run is closed, at the entry that intended them. */
static void
test_place_closed(void **state)
{
	struct world *w = *state;

	sign_batch(w, &(struct forgery){ .before = LOW, .others = 1 });
	world_close(w, RUN_A, NULL);
	audit(w);
	assert_only(w, "AUDIT-OCSP-LIST");
	assert_int_equal(count_found(w, "AUDIT-OCSP-LIST"), 1);
	assert_found(w, "AUDIT-OCSP-LIST", "ocsp-intent");
}

static void
test_items_missing(void **state)
{
	struct world *w = *state;

	sign_batch(w, &(struct forgery){ .no_items = true });
	world_audit(w, &audit_evidence, -1);
	assert_found(w, "AUDIT-EVIDENCE", "which a batch of its list names");
}

static void
test_items_unnamed(void **state)
{
	struct world *w = *state;

	sign_batch(
	    w, &(struct forgery){ .listed = json_pack("{s:n}", "items") });
	world_audit(w, &audit_evidence, -1);
	assert_found(w, "AUDIT-EVIDENCE",
	    "a batch of its list names something without a SHA-256");
}

/* The key and its purpose. */
static void
test_key(void **state)
{
	struct world *w = *state;

	sign_batch(w,
	    &(struct forgery){ .intended = json_pack("{s:n}", "responder"),
		.only_intent = true });
	world_audit(w, &audit_keys, -1);
	assert_only(w, "AUDIT-KEY-PURPOSE");
}

static void
test_key_unknown(void **state)
{
	struct world *w = *state;

	sign_batch(w,
	    &(struct forgery){ .intended = json_pack("{s:s}", "key", hex64(3)),
		.only_intent = true });
	world_audit(w, &audit_keys, -1);
	assert_only(w, "AUDIT-KEY-STATE");
}

/* No head of the token counts the intent. */
static void
test_head(void **state)
{
	struct world *w = *state;

	sign_batch(w, &(struct forgery){ 0 });
	world_audit(w, &audit_heads, -1);
	assert_found(w, "AUDIT-HEAD", "OCSP responses 'status'");
}

/* ---- files ------------------------------------------------------------ */

enum damage { WHOLE, ALTERED, REMOVED, STRAY, OTHER_BATCH };

/* The responses' files, one of which is damaged; *count is how many. */
static void
write_files(struct world *w, enum damage damage, size_t *ret_count)
{
	AUTO_STRUCT(query) query = { 0 };
	AUTO_STRUCT(ocsp_get_names) names = { .count = 0 };
	AUTO_BYTES(der) = NULL;
	AUTO_CHARS(items) = NULL;
	AUTO_BYTES(digest) = NULL;
	AUTO_BYTES(text) = NULL;
	const char *base64;
	size_t len, pad = 0;
	bool row;
	int n;

	assert_ok(query_start(
	    w->journal, "SELECT items FROM ocsp_windows", NULL, &query));
	assert_ok(query_step(&query, &row));
	assert_ok(query_text(&query, 0, &items));
	assert_ok(text_unhex(items, &digest, &len));
	assert_ok(journal_evidence_get(w->journal, digest, &text, &len));
	base64 = strrchr((const char *)text, ' ') + 1;
	n = (int)strcspn(base64, "\n");
	while (base64[n - 1 - (int)pad] == '=')
		pad++;
	der = malloc((size_t)n);
	n = EVP_DecodeBlock(der, (const unsigned char *)base64, n);
	assert_ok(ocsp_response_names("test", der, (size_t)n - pad, &names));
	for (size_t i = 0; i < names.count; i++) {
		AUTO_CHARS(path) = text_printf("%s/public/ocsp/%s/%s%s",
		    w->path, damage == OTHER_BATCH && i == 0 ? "x" : "status",
		    names.names[i], damage == STRAY && i == 0 ? "x" : "");
		AUTO(FILE) *file = NULL;

		if (damage == REMOVED && i == 0)
			continue;
		file = fopen(path, "w");
		assert_non_null(file);
		assert_int_equal(
		    fwrite(der, 1, (size_t)n - pad, file), (size_t)n - pad);
		if (damage == ALTERED && i == 0)
			assert_int_equal(fwrite("x", 1, 1, file), 1);
	}
	*ret_count = names.count;
}

static void
check_files(enum damage damage, const char *id)
{
	static const char *const dirs[] = { "", "/ocsp", "/ocsp/status",
		"/ocsp/x" };
	AUTO_CHARS(public) = NULL;
	AUTO_FD(fd) = -1;
	void *state = NULL;
	struct world *w;
	size_t count = 0;

	assert_int_equal(setup(&state), 0);
	w = state;
	sign_batch(w, &(struct forgery){ 0 });
	world_close(w, RUN_A, NULL);
	public = text_printf("%s/public", w->path);
	for (size_t i = 0; i < (damage == OTHER_BATCH ? 4 : 3); i++) {
		AUTO_CHARS(path) = text_printf("%s%s", public, dirs[i]);

		assert_int_equal(mkdir(path, 0755), 0);
	}
	write_files(w, damage, &count);
	assert_true(count >= 2); /* by SHA-256, and by SHA-1 */
	assert_ok(dir_open(public, &fd));
	world_audit(w, &audit_published, fd);
	/* certs/ and anchor/ are not there: not what this is about */
	for (size_t i = 0; i < w->found.count; i++)
		if (strstr(w->found.rows[i].place, "public/ocsp") != NULL) {
			assert_non_null(id);
			assert_true(strcmp(w->found.rows[i].id, id) == 0 ||
			    strcmp(w->found.rows[i].id,
				"AUDIT-PUBLIC-MISSING") == 0);
		}
	if (id != NULL)
		assert_found(w, id, "public/ocsp");
	assert_int_equal(world_teardown(&state), 0);
}

static void
test_files(void **state)
{
	(void)state;
	check_files(WHOLE, NULL);
	check_files(ALTERED, "AUDIT-PUBLIC-ALTERED");
	check_files(REMOVED, "AUDIT-PUBLIC-MISSING");
	check_files(STRAY, "AUDIT-PUBLIC-STRAY");
	check_files(OTHER_BATCH, "AUDIT-PUBLIC-STRAY");
}

static int
free_keys(void **state)
{
	(void)state;
	keys_free();
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_clean),
		TEST(test_clean_revoked),
		TEST(test_clean_unsigned),
		TEST(test_clean_again),
		TEST(test_clean_retiring),
		cmocka_unit_test(test_listed),
		cmocka_unit_test(test_signer),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_answers),
		TEST(test_confirmed_root),
		TEST(test_clean_cut),
		cmocka_unit_test(test_items),
		TEST(test_place_closed),
		TEST(test_items_missing),
		TEST(test_items_unnamed),
		TEST(test_key),
		TEST(test_key_unknown),
		TEST(test_head),
		cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests(tests, NULL, free_keys);
}
