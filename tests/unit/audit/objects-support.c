#include "objects-support.h"

#include <ftw.h>

#include "base/date.h"
#include "ceremony/journal/store.h"
#include "profiles/der/der.h"
#include "profiles/tbs.h"
#include "tests/unit/profiles/support.h"

/* ---- a journal -------------------------------------------------------- */

void
world_add(struct world *w, enum entry_kind kind, json_t *data)
{
	assert_non_null(data);
	assert_ok(append_(w->journal, kind, data));
}

static const char *
kept_hex(const unsigned char digest[HASH_LEN])
{
	static char texts[8][HASH_HEX_SIZE];
	static unsigned next;
	char *text = texts[next++ % 8];

	text_hex_into(digest, HASH_LEN, text);
	return text;
}

const char *
world_evidence(struct world *w, const void *bytes, size_t len)
{
	unsigned char digest[HASH_LEN];

	assert_ok(journal_evidence_put(w->journal, bytes, len, digest));
	return kept_hex(digest);
}

const char *
world_spki(EVP_PKEY *pkey)
{
	unsigned char digest[HASH_LEN];
	size_t len;
	AUTO_BYTES(spki) = spki_of(pkey, &len);

	assert_ok(sha256(spki, len, digest));
	return kept_hex(digest);
}

static json_t *
good_attributes(void)
{
	return json_pack(
	    "{s:b,s:b,s:b,s:b,s:b,s:b,s:b,s:b,s:b,s:b,s:b,s:n,s:b,s:n,s:b}",
	    "CKA_TOKEN", 1, "CKA_PRIVATE", 1, "CKA_SENSITIVE", 1,
	    "CKA_EXTRACTABLE", 0, "CKA_LOCAL", 1, "CKA_ALWAYS_SENSITIVE", 1,
	    "CKA_NEVER_EXTRACTABLE", 1, "CKA_SIGN", 1, "CKA_DECRYPT", 0,
	    "CKA_UNWRAP", 0, "CKA_DERIVE", 0, "CKA_SIGN_RECOVER",
	    "CKA_MODIFIABLE", 0, "CKA_COPYABLE", "CKA_ALWAYS_AUTHENTICATE", 0);
}

/* `over` is put over both: the intent's and the key's data. */
void
world_add_key(struct world *w, const char *run, const char *name,
    EVP_PKEY *pkey, const char *type, const char *purpose, json_t *over)
{
	static unsigned ids;
	char id[33];
	size_t len;
	AUTO_BYTES(spki) = spki_of(pkey, &len);
	AUTO_CHARS(hex) = text_hex(spki, len);
	json_t *intent, *key_data;

	(void)snprintf(id, sizeof id, "%032x", ++ids);
	intent = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "run", run, "name",
	    name, "id", id, "type", type, "purpose", purpose, "backup", "none");
	key_data = json_pack("{s:s,s:s,s:s,s:s,s:o,s:i}", "run", run, "name",
	    name, "id", id, "spki", hex, "attributes", good_attributes(),
	    "generation_mechanism", strncmp(type, "rsa", 3) == 0 ? 0 : 0x1040);
	if (over != NULL) {
		assert_int_equal(json_object_update_existing(intent, over), 0);
		assert_int_equal(
		    json_object_update_existing(key_data, over), 0);
		json_decref(over);
	}
	world_add(w, ENTRY_KEY_INTENT, intent);
	world_add(w, ENTRY_KEY, key_data);
}

void
world_add_profile(struct world *w, const char *name, const char *text)
{
	world_add(w, ENTRY_PROFILE,
	    data_profile(NULL, name, world_evidence(w, text, strlen(text))));
}

void
world_open_run(struct world *w, const char *run, const char *plan)
{
	world_add(w, ENTRY_PLAN, data_plan(run, plan));
	world_add(w, ENTRY_LIST, data_list(run, 0));
}

static void
found_world(struct world *w)
{
	static const char *const profiles[] = { "root", "issuing-ca",
		"ocsp-responder", "ca-crl", "tls-server", "crl-partition",
		"cross", "crl-ca-only", "ca-crl-public", "crl-user-public" };

	world_add(w, ENTRY_GENESIS, data_genesis());
	world_add(w, ENTRY_TOKEN, data_token());
	world_add_key(w, "init", "journal", w->keys[KEY_JOURNAL], "p-256",
	    "journal", NULL);
	put_set(w->journal);
	for (size_t i = 0; i < sizeof profiles / sizeof profiles[0]; i++) {
		AUTO_CHARS(text) = profile_text(profiles[i]);

		world_add_profile(w, profiles[i], text);
	}
	world_add(w, ENTRY_STATE, data_ready());
	world_open_run(w, RUN_A, "plan-a");
	world_add_key(
	    w, RUN_A, "root-key", w->keys[KEY_ROOT], "p-384", "ca", NULL);
	world_add_key(
	    w, RUN_A, "sub-key", w->keys[KEY_SUB], "p-384", "ca", NULL);
	world_add_key(
	    w, RUN_A, "ocsp-key", w->keys[KEY_OCSP], "p-256", "ocsp", NULL);
}

int
world_setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);

	if (w == NULL)
		return -1;
	*state = w;
	(void)snprintf(w->path, sizeof w->path, "test-audit-XXXXXX");
	if (mkdtemp(w->path) == NULL)
		return -1;
	ca_error_clear();
	w->keys[KEY_ROOT] = key("p-384", 0);
	w->keys[KEY_SUB] = key("p-384", 1);
	w->keys[KEY_OCSP] = key("p-256", 0);
	w->keys[KEY_JOURNAL] = key("p-256", 1);
	w->keys[KEY_FOREIGN] = key("p-384", 2);
	assert_ok(journal_create(w->path, &w->journal));
	found_world(w);
	return 0;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

int
world_teardown(void **state)
{
	struct world *w = *state;
	int rc;

	journal_free(w->journal);
	X509_free(w->root);
	X509_free(w->sub);
	free(w->root_dn);
	findings_clear(&w->found);
	rc = nftw(w->path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(w);
	return rc;
}

/* ---- certificates ----------------------------------------------------- */

/* `issuer` where the certificate signs itself. */
static json_t *
certificate_json(const struct making *m, const struct tbs *tbs, X509 *cert)
{
	AUTO_STRUCT(certificate_facts) facts = { 0 };
	AUTO_CHARS(algorithm) = text_hex(tbs->alg->der, tbs->alg->der_len);
	char from[DATE_TEXT_SIZE], until[DATE_TEXT_SIZE];
	AUTO_CHARS(issuer_dn) = NULL;
	AUTO_CHARS(subject_dn) = NULL;
	AUTO_CHARS(serial) = NULL;
	AUTO_CHARS(spki) = NULL;

	assert_ok(certificate_facts(cert, &facts));
	date_format(facts.not_before, from);
	date_format(facts.not_after, until);
	issuer_dn = sha256_hex(facts.issuer_der, facts.issuer_len);
	subject_dn = sha256_hex(facts.subject_der, facts.subject_len);
	spki = sha256_hex(facts.spki, facts.spki_len);
	serial = text_hex(facts.serial, facts.serial_len);
	return json_pack("{s:s,s:i,s:i,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,"
			 "s:s,s:s,s:s,s:b,s:s,s:s?}",
	    "run", m->run, "list", m->list, "object", m->object, "kind",
	    "certificate", "name", m->name, "key", world_spki(m->signer),
	    "algorithm", algorithm, "tbs", kept_hex(tbs->sha256), "issuer",
	    m->issuer == NULL ? m->name : m->issuer_name, "issuer_dn",
	    issuer_dn, "profile", m->profile, "serial", serial, "subject_dn",
	    subject_dn, "spki", spki, "not_before", from, "not_after", until,
	    "ca", facts.is_ca ? 1 : 0, "certificate_kind", m->kind,
	    "subject_key", m->subject_key);
}

static void
build_certificate(const struct making *m, struct tbs *ret_tbs)
{
	const struct name_value subject[] = {
		{ "country", "DE" },
		{ "organization", "Example GmbH" },
		{ "common-name",
		    m->common_name != NULL ? m->common_name : m->name },
	};
	AUTO_PTR(profile) *profile = load(m->profile, m->from, m->to);
	size_t len;
	AUTO_BYTES(spki) = spki_of(m->subject, &len);
	unsigned char random[SERIAL_LEN];
	const struct alt_name name = { ALT_DNS, m->dns };
	struct certificate_request req = request(profile, m->issuer, spki, len);

	req.subject = subject;
	if (m->existing != NULL) {
		req.existing = m->existing;
		req.subject_count = 0;
	}
	req.alt_names = &name;
	req.alt_count = m->dns != NULL ? 1 : 0;
	req.now = m->now != 0 ? m->now : date_now();
	req.validity = m->validity;
	serial_random(random);
	if (m->serial != NULL)
		memcpy(random, m->serial, SERIAL_LEN);
	assert_ok(certificate_build(&req, random, ret_tbs));
}

static void
put_over(json_t *data, json_t *over)
{
	if (over == NULL)
		return;
	assert_int_equal(json_object_update(data, over), 0);
	json_decref(over);
}

static void
add_result(struct world *w, const char *run, int list, int object,
    const char *name, const unsigned char *der, size_t len)
{
	world_add(w, ENTRY_RESULT,
	    data_result(run, list, object, name, world_evidence(w, der, len)));
}

/* By an administrator with code of their own, and the token's key. */
static void
forge(const struct making *m, struct tbs *tbs, unsigned char **der, size_t *len)
{
	AUTO(X509) *cert = NULL;
	AUTO_DER(again) = NULL;
	struct signed_object parts;
	int again_len;

	if (m->forge == NULL)
		return;
	assert_ok(certificate_read("made", *der, *len, &cert));
	m->forge(cert);
	assert_true(X509_sign(cert, m->signer, EVP_sha384()) > 0);
	again_len = i2d_X509(cert, &again);
	assert_true(again_len > 0);
	free(*der);
	*len = (size_t)again_len;
	*der = malloc(*len);
	memcpy(*der, again, *len);
	assert_true(der_signed_object(*der, *len, &parts));
	assert_ok(sha256(parts.tbs.p, parts.tbs.len, tbs->sha256));
}

X509 *
make_certificate(struct world *w, const struct making *m)
{
	AUTO_STRUCT(tbs) tbs = { 0 };
	AUTO_BYTES(der) = NULL;
	AUTO(X509) *cert = NULL;
	json_t *data;
	size_t len;

	build_certificate(m, &tbs);
	der = sign(
	    &tbs, m->break_signature ? w->keys[KEY_FOREIGN] : m->signer, &len);
	forge(m, &tbs, &der, &len);
	assert_ok(certificate_read("made", der, len, &cert));
	data = certificate_json(m, &tbs, cert);
	put_over(data, m->over);
	world_add(w, ENTRY_INTENT, data);
	if (m->only_intent)
		return TAKE(cert);
	add_result(w, m->run, m->list, m->object, m->name,
	    m->other != NULL ? m->other : der,
	    m->other != NULL ? m->other_len : len);
	return TAKE(cert);
}

void
make_root(struct world *w)
{
	const struct making root = {
		.run = RUN_A,
		.name = "root-g1",
		.kind = "root",
		.profile = "root",
		.subject = w->keys[KEY_ROOT],
		.signer = w->keys[KEY_ROOT],
		.subject_key = "root-key",
	};
	AUTO_STRUCT(certificate_facts) facts = { 0 };

	w->root = make_certificate(w, &root);
	assert_ok(certificate_facts(w->root, &facts));
	w->root_dn = sha256_hex(facts.subject_der, facts.subject_len);
}

void
make_sub(struct world *w)
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
	};

	w->sub = make_certificate(w, &sub);
}

/* ---- CRLs ------------------------------------------------------------- */

static json_t *
crl_json(struct world *w, const struct crl_making *m, const struct tbs *tbs,
    const struct crl_request *req)
{
	AUTO_CHARS(algorithm) = text_hex(tbs->alg->der, tbs->alg->der_len);
	AUTO_STRUCT(certificate_facts) issuer = { 0 };
	AUTO_CHARS(dn) = NULL;
	char from[DATE_TEXT_SIZE], until[DATE_TEXT_SIZE], number[24];

	assert_ok(certificate_facts(req->issuer, &issuer));
	dn = sha256_hex(issuer.subject_der, issuer.subject_len);
	date_format(req->now, from);
	date_format(req->now + req->validity - 1, until);
	(void)snprintf(
	    number, sizeof number, "%llu", (unsigned long long)req->number);
	return json_pack("{s:s,s:i,s:i,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,"
			 "s:s,s:i,s:s*}",
	    "run", m->run == NULL ? RUN_A : m->run, "list", m->list, "object",
	    m->object, "kind", "crl", "name", m->name, "key",
	    world_spki(m->signer != NULL ? m->signer : w->keys[KEY_ROOT]),
	    "algorithm", algorithm, "tbs", kept_hex(tbs->sha256), "issuer",
	    m->issuer_name != NULL ? m->issuer_name : "root-g1", "issuer_dn",
	    dn, "profile", m->profile != NULL ? m->profile : "ca-crl", "number",
	    number, "this_update", from, "next_update", until, "entries",
	    (int)m->count, "distribution_url", m->url);
}

void
make_crl(struct world *w, const struct crl_making *m)
{
	AUTO_PTR(profile) *profile =
	    load(m->profile != NULL ? m->profile : "ca-crl", m->from, m->to);
	struct crl_request req = {
		.profile = profile,
		.issuer = m->issuer != NULL ? m->issuer : w->root,
		.number = m->number,
		.now = m->now != 0 ? m->now : date_now(),
		.validity = profile_validity_default(profile),
		.entries = m->entries,
		.entry_count = m->count,
		.distribution_url = m->url,
		.place = "test",
	};
	AUTO_STRUCT(tbs) tbs = { 0 };
	AUTO_BYTES(der) = NULL;
	json_t *data;
	size_t len;

	assert_ok(crl_build(&req, &tbs));
	der =
	    sign(&tbs, m->signer != NULL ? m->signer : w->keys[KEY_ROOT], &len);
	data = crl_json(w, m, &tbs, &req);
	put_over(data, m->over);
	world_add(w, ENTRY_INTENT, data);
	add_result(w, m->run == NULL ? RUN_A : m->run, m->list, m->object,
	    m->name, der, len);
}

void
revoke_serial(struct world *w, const char *serial, struct crl_entry *ret_entry)
{
	static unsigned char octets[16][SERIAL_LEN];
	static unsigned next;
	unsigned char *kept = octets[next++ % 16];
	int64_t date = date_now();
	char text[DATE_TEXT_SIZE];
	AUTO_BYTES(bytes) = NULL;
	size_t len;

	date_format(date, text);
	world_add(w, ENTRY_REVOKED,
	    with(data_revoked(RUN_A, w->root_dn, serial), "date",
		json_string(text)));
	assert_ok(text_unhex(serial, &bytes, &len));
	memcpy(kept, bytes, len);
	*ret_entry = (struct crl_entry){ .serial = kept,
		.serial_len = len,
		.date = date,
		.reason = REASON_KEY_COMPROMISE };
}

/* ---- closing ---------------------------------------------------------- */

static void
add_file(json_t *files, const char *path, const void *bytes, size_t len)
{
	AUTO_CHARS(sha) = sha256_hex(bytes, len);

	assert_int_equal(
	    json_array_append_new(
		files, json_pack("{s:s,s:s}", "path", path, "sha256", sha)),
	    0);
}

struct closing {
	struct world *w;
	json_t *files;
};

static int
list_object(void *ctx, const struct object_row *row)
{
	static const char *const endings[3][2] = { { "pem", "der" },
		{ "pem", "crl" }, { "csr", NULL } };
	struct closing *closing = ctx;
	AUTO_BYTES(der) = NULL;
	AUTO_CHARS(pem) = NULL;
	enum object_kind kind;
	size_t len;

	if (row->state != OBJECT_SIGNED)
		return 0;
	assert_ok(object_kind_by_name(row->kind, &kind));
	assert_ok(journal_object_bytes(closing->w->journal, row, &der, &len));
	assert_ok(object_pem(kind, der, len, &pem));
	for (size_t i = 0; i < 2 && endings[kind][i] != NULL; i++) {
		static const char *const dirs[] = { "certs", "crls", "csrs" };
		AUTO_CHARS(path) = text_printf(
		    "public/%s/%s.%s", dirs[kind], row->name, endings[kind][i]);

		if (i == 0)
			add_file(closing->files, path, pem, strlen(pem));
		else
			add_file(closing->files, path, der, len);
	}
	return 0;
}

/* What stands in `over` as "files" is the list, else that of the run. */
void
world_close(struct world *w, const char *run, json_t *over)
{
	struct closing closing = { w, json_array() };
	json_t *data = data_close(run, "done");
	json_t *files = json_object_get(over, "files");
	AUTO_CHARS(text) = NULL;

	assert_ok(
	    journal_each_object(w->journal, run, NULL, list_object, &closing));
	if (files != NULL) {
		json_decref(closing.files);
		closing.files = json_incref(files);
	}
	text = json_dumps(closing.files, JSON_COMPACT);
	json_object_set_new(data, "published",
	    json_integer((json_int_t)json_array_size(closing.files)));
	if (over != NULL)
		assert_int_equal(json_object_update(data, over), 0);
	json_object_set_new(
	    data, "files", json_string(world_evidence(w, text, strlen(text))));
	json_decref(over);
	json_decref(closing.files);
	world_add(w, ENTRY_CLOSE, data);
}

/* ---- the walk --------------------------------------------------------- */

static void
show_entry(struct audit *audit, const struct audit_pass *pass, void *state,
    uint64_t seq, const char *line, size_t len)
{
	AUTO(json_t) *json = NULL;
	struct entry entry;
	struct audit_entry shown;
	unsigned char leaf[HASH_LEN];

	assert_ok(entry_parse(line, len, &json, &entry));
	assert_ok(tree_leaf(line, len, leaf));
	entry.leaf = leaf;
	assert_ok(entry_apply(audit->journal, &entry));
	shown = (struct audit_entry){ seq, entry.time, entry.kind, json,
		entry.data, line, len, true };
	assert_ok(pass->entry(audit, state, &shown));
}

void
world_audit(struct world *w, const struct audit_pass *pass, int public_fd)
{
	static const struct audit_options options;
	struct audit audit = { .options = &options,
		.journal = w->journal,
		.public_fd = public_fd,
		.findings = &w->found };
	void *state = NULL;
	uint64_t size;
	unsigned char root[HASH_LEN];

	findings_clear(&w->found);
	assert_ok(journal_begin(w->journal));
	assert_ok(schema_clear_derived(w->journal));
	if (pass->begin != NULL)
		assert_ok(pass->begin(&audit, &state));
	assert_ok(journal_head(w->journal, &size, root));
	for (uint64_t seq = 0; seq < size; seq++) {
		AUTO_STRUCT(query) query = { 0 };
		AUTO_BYTES(line) = NULL;
		size_t len;
		bool row;

		assert_ok(query_start(w->journal,
		    "SELECT body FROM entries WHERE seq = ?1",
		    SQL_VALUES(sql_int((int64_t)seq)), &query));
		assert_ok(query_step(&query, &row));
		assert_true(row);
		assert_ok(query_blob(&query, 0, &line, &len));
		show_entry(&audit, pass, state, seq, (char *)line, len);
	}
	if (pass->end != NULL)
		assert_ok(pass->end(&audit, state, true));
	assert_ok(journal_commit(w->journal));
	assert_ok(sql_script(w->journal,
	    "DROP TABLE IF EXISTS temp.audit_serials;"
	    "DROP TABLE IF EXISTS temp.audit_crls;"
	    "DROP TABLE IF EXISTS temp.audit_possibly;"
	    "DROP TABLE IF EXISTS temp.audit_facts;"
	    "DROP TABLE IF EXISTS temp.audit_certificates;"
	    "DROP TABLE IF EXISTS temp.audit_files;"
	    "DROP TABLE IF EXISTS temp.audit_anchors;"
	    "DROP TABLE IF EXISTS temp.audit_batches;"
	    "DROP TABLE IF EXISTS temp.audit_unsigned"));
	assert_int_equal(ca_error_reason(), 0);
}

/* ---- findings --------------------------------------------------------- */

static void
print_findings(const struct world *w)
{
	for (size_t i = 0; i < w->found.count; i++)
		print_message("%s: %s %s: %s\n", w->found.rows[i].place,
		    severity_name(w->found.rows[i].severity),
		    w->found.rows[i].id, w->found.rows[i].text);
}

void
assert_no_findings(const struct world *w)
{
	if (w->found.count == 0)
		return;
	print_findings(w);
	fail_msg("%zu findings", w->found.count);
}

size_t
count_found(const struct world *w, const char *id)
{
	size_t n = 0;

	for (size_t i = 0; i < w->found.count; i++)
		n += strcmp(w->found.rows[i].id, id) == 0;
	return n;
}

void
assert_only(const struct world *w, const char *id)
{
	size_t n = count_found(w, id);

	if (n > 0 && n == w->found.count)
		return;
	print_findings(w);
	fail_msg("not %s alone", id);
}

void
assert_found(const struct world *w, const char *id, const char *part)
{
	for (size_t i = 0; i < w->found.count; i++)
		if (strcmp(w->found.rows[i].id, id) == 0 &&
		    (strstr(w->found.rows[i].text, part) != NULL ||
			strstr(w->found.rows[i].place, part) != NULL))
			return;
	print_findings(w);
	fail_msg("no %s with '%s'", id, part);
}
