#include "people-support.h"

#include "base/secret.h"
#include "ceremony/quorum/sharing.h"

const char *const cast_names[PEOPLE] = { "alice", "bob", "carol", "dave",
	"wendy", "mallory" };

/* ---- texts and evidence ----------------------------------------------- */

/* What the forger makes of it; malloc'd. */
static char *
edited(struct cast *c, const char *what, const char *text)
{
	char *other = c->edit_text == NULL
	    ? NULL
	    : c->edit_text(c, what, c->texts++, text);

	if (other == NULL)
		other = text_copy(text);
	assert_non_null(other);
	return other;
}

static const char *
kept_hex(const unsigned char digest[HASH_LEN])
{
	static char texts[16][HASH_HEX_SIZE];
	static unsigned next;
	char *text = texts[next++ % 16];

	text_hex_into(digest, HASH_LEN, text);
	return text;
}

const char *
cast_evidence(struct cast *c, const void *bytes, size_t len)
{
	unsigned char digest[HASH_LEN];

	assert_ok(journal_evidence_put(c->journal, bytes, len, digest));
	return kept_hex(digest);
}

static const char *
text_evidence(struct cast *c, const char *text)
{
	return cast_evidence(c, text, strlen(text));
}

static const char *
hash_of(const void *bytes, size_t len)
{
	unsigned char digest[HASH_LEN];

	assert_ok(sha256(bytes, len, digest));
	return kept_hex(digest);
}

static char *
pem_of(X509 *certificate)
{
	AUTO(BIO) *bio = BIO_new(BIO_s_mem());
	char *data = NULL, *text;
	long len;

	assert_int_equal(PEM_write_bio_X509(bio, certificate), 1);
	len = BIO_get_mem_data(bio, &data);
	text = text_printf("%.*s", (int)len, data);
	assert_non_null(text);
	return text;
}

/* ---- people ----------------------------------------------------------- */

static X509 *
certificate_for(EVP_PKEY *key, const char *name, const char *usage)
{
	const struct certificate_order order = {
		.key = key, .name = name, .key_usage = usage
	};

	return new_certificate(&order);
}

const char *
cast_sign(struct cast *c, enum signature_purpose purpose, enum who who,
    const void *content, size_t len)
{
	enum who by = who;
	AUTO_BYTES(der) = NULL;
	size_t der_len = 0;

	if (c->forged.on && c->forged.purpose == purpose &&
	    c->forged.who == who) {
		by = c->forged.by;
		purpose = c->forged.as;
	}
	assert_ok(signature_make(purpose, content, len, c->sign[by],
	    c->sign_cert[by], &der, &der_len));
	return cast_evidence(c, der, der_len);
}

static enum who
who_is(const char *name)
{
	for (unsigned i = 0; i < PEOPLE; i++)
		if (strcmp(cast_names[i], name) == 0)
			return (enum who)i;
	fail_msg("nobody is called '%s'", name);
	return PEOPLE;
}

int
cast_setup(void **state)
{
	struct cast *c = calloc(1, sizeof(*c));

	if (c == NULL || process_harden() != 0)
		return -1;
	for (unsigned i = 0; i < PEOPLE; i++) {
		const char *name = cast_names[i == MALLORY ? ALICE : i];

		c->sign[i] = new_key("p-256");
		c->decrypt[i] = new_key("p-256");
		c->sign_cert[i] =
		    certificate_for(c->sign[i], name, "digitalSignature");
		c->decrypt_cert[i] =
		    certificate_for(c->decrypt[i], name, "keyAgreement");
	}
	c->journal_key = new_key("p-256");
	(void)snprintf(c->path, sizeof(c->path), "test-people-XXXXXX");
	*state = c;
	return mkdtemp(c->path) == NULL ? -1 : 0;
}

static void
clear(struct cast *c)
{
	char path[128];

	if (c->journal != NULL) {
		journal_rollback(c->journal);
		journal_free(c->journal);
		c->journal = NULL;
	}
	if (c->set != NULL)
		quorum_set_free(c->set);
	c->set = NULL;
	json_decref(c->openers);
	c->openers = NULL;
	findings_clear(&c->found);
	(void)snprintf(path, sizeof(path), "%s/journal.db", c->path);
	(void)unlink(path);
}

int
cast_teardown(void **state)
{
	struct cast *c = *state;
	int rc;

	clear(c);
	rc = rmdir(c->path);
	for (unsigned i = 0; i < PEOPLE; i++) {
		EVP_PKEY_free(c->sign[i]);
		EVP_PKEY_free(c->decrypt[i]);
		X509_free(c->sign_cert[i]);
		X509_free(c->decrypt_cert[i]);
	}
	EVP_PKEY_free(c->journal_key);
	free(c);
	return rc;
}

void
cast_reset(struct cast *c)
{
	clear(c);
	memset(c->seen, 0, sizeof(c->seen));
	memset(&c->forged, 0, sizeof(c->forged));
	c->edit = NULL;
	c->edit_text = NULL;
	c->text = NULL;
	c->texts = 0;
	c->config = "";
	c->linted = false;
	c->threshold = 2;
	c->people = "alice bob";
	assert_ok(journal_create(c->path, &c->journal));
	assert_ok(journal_set_person(c->journal, "root", "system user"));
	assert_ok(journal_begin(c->journal));
}

void
cast_add(struct cast *c, enum entry_kind kind, json_t *data)
{
	assert_non_null(data);
	if (c->edit != NULL)
		data = c->edit(c, kind, c->seen[kind], data);
	c->seen[kind]++;
	if (data != NULL)
		assert_ok(journal_append(c->journal, kind, data,
		    c->text == NULL ? "a test did it" : c->text, NULL));
}

/* ---- sets ------------------------------------------------------------- */

static int
read_file(
    void *ctx, const char *given, unsigned char **ret_data, size_t *ret_len)
{
	struct cast *c = ctx;
	AUTO_CHARS(name) = text_printf("%.*s", (int)strcspn(given, "."), given);
	enum who who = who_is(name);

	*ret_data = (unsigned char *)pem_of(strstr(given, ".sign.") != NULL
		? c->sign_cert[who]
		: c->decrypt_cert[who]);
	*ret_len = strlen((char *)*ret_data);
	return 0;
}

/* As people write it. */
static char *
set_file(
    const enum who *people, size_t count, size_t operators, unsigned threshold)
{
	char *text = text_printf("format: ca-tool-set-1\nthreshold: %u\n%s%s",
	    threshold, threshold == 1 ? "allow-single-control: true\n" : "",
	    threshold == operators ? "allow-no-spare: true\n" : "");

	for (size_t i = 0; i < count; i++) {
		const char *name = cast_names[people[i]];
		AUTO_CHARS(before) = text;

		text = text_printf("%s%s  - name: %s\n    sign: %s.sign.crt\n",
		    before,
		    i == 0               ? "operators:\n"
			: i == operators ? "witnesses:\n"
					 : "",
		    name, name);
		if (i < operators) {
			AUTO_CHARS(so_far) = text;

			text = text_printf(
			    "%s    decrypt: %s.decrypt.crt\n", so_far, name);
		}
	}
	assert_non_null(text);
	return text;
}

json_t *
cast_set_inputs(struct cast *c, const enum who *people, size_t count,
    size_t operators, unsigned threshold)
{
	AUTO_CHARS(text) = set_file(people, count, operators, threshold);
	json_t *inputs = json_pack("{s:s}", "set.yaml", text);

	for (size_t i = 0; i < count; i++) {
		const char *name = cast_names[people[i]];
		AUTO_CHARS(sign) = text_printf("%s.sign.crt", name);
		AUTO_CHARS(decrypt) = text_printf("%s.decrypt.crt", name);
		AUTO_CHARS(sign_pem) = pem_of(c->sign_cert[people[i]]);
		AUTO_CHARS(decrypt_pem) = pem_of(c->decrypt_cert[people[i]]);

		json_object_set_new(inputs, sign, json_string(sign_pem));
		if (i < operators)
			json_object_set_new(
			    inputs, decrypt, json_string(decrypt_pem));
	}
	return inputs;
}

static void
commit_to(unsigned threshold, unsigned operators, struct commitments *ret)
{
	struct secret secret = { 0 }, shares[SHARERS_MAX] = { { 0 } };

	assert_ok(sharing_new_secret(NULL, 0, &secret));
	assert_ok(sharing_split(&secret, threshold, operators, ret, shares));
	secret_clear(&secret);
	for (unsigned i = 0; i < operators; i++)
		secret_clear(&shares[i]);
}

struct quorum_set *
cast_make_set(struct cast *c, const enum who *people, size_t count,
    size_t operators, unsigned threshold)
{
	AUTO_CHARS(text) = set_file(people, count, operators, threshold);
	AUTO_STRUCT(findings) findings = { 0 };
	const struct set_files files = { c, read_file };
	struct commitments commitments;
	struct quorum_set *set = NULL;

	assert_ok(set_read("set.yaml", (unsigned char *)text, strlen(text),
	    true, date_now(), &files, &findings, &set));
	commit_to(threshold, (unsigned)operators, &commitments);
	assert_ok(set_found(set, "example", &commitments));
	return set;
}

static const char *
certificate_evidence(struct cast *c, X509 *certificate)
{
	AUTO_CHARS(pem) = pem_of(certificate);
	AUTO_CHARS(text) = edited(c, "certificate", pem);

	return text_evidence(c, text);
}

static json_t *
optional(const char *text)
{
	return text == NULL ? json_null() : json_string(text);
}

static void
enrol(struct cast *c, const struct quorum_set *set, const struct person *p)
{
	enum who who = who_is(p->name);
	const char *share =
	    p->witness ? NULL : hash_of(p->name, strlen(p->name));
	const struct set_enrolment enrolment = { set->authority, set->id,
		set->sha256, set->commitments, p->name, share };
	const char *statement = NULL, *decrypt = NULL;

	if (!p->witness) {
		AUTO_CHARS(text) = NULL;
		AUTO_CHARS(other) = NULL;

		assert_ok(set_enrolment_compose(&enrolment, &text));
		other = edited(c, "enrolment", text);
		statement =
		    cast_sign(c, SIGNATURE_ENROL, who, other, strlen(other));
		decrypt = certificate_evidence(c, p->decrypt);
	}
	cast_add(c, ENTRY_ENROLMENT,
	    json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:s, s:o}", "set",
		set->id, "name", p->name, "role",
		p->witness ? "witness" : "operator", "sign", p->sign_spki,
		"decrypt", optional(p->decrypt_spki), "share", optional(share),
		"statement", optional(statement), "certificate",
		certificate_evidence(c, p->sign), "decrypt_certificate",
		optional(decrypt)));
}

void
cast_quorum(struct cast *c, const struct quorum_set *set, const char *state,
    const char *replaces, const char *run)
{
	AUTO_CHARS(text) = edited(c, "set.yaml", set->text);

	cast_add(c, ENTRY_QUORUM,
	    json_pack("{s:s, s:s, s:s, s:I, s:I, s:o, s:o, s:s}", "set",
		set->id, "state", state, "sha256", text_evidence(c, text),
		"threshold", (json_int_t)set->threshold, "operators",
		(json_int_t)set->operators, "commitments",
		optional(set->commitments), "replaces", optional(replaces),
		"run", run));
}

void
cast_enrol(struct cast *c, const struct quorum_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		enrol(c, set, &set->people[i]);
}

void
cast_anchor(struct cast *c, const struct quorum_set *set, enum who who)
{
	AUTO_STRUCT(authority_row) row = { 0 };
	AUTO_DER(spki) = NULL;
	AUTO_CHARS(text) = NULL;
	AUTO_CHARS(other) = NULL;
	char genesis[HASH_HEX_SIZE];
	int len = i2d_PUBKEY(c->journal_key, &spki);

	assert_ok(journal_authority(c->journal, &row));
	text_hex_into(row.genesis, HASH_LEN, genesis);
	text = text_printf("ca-tool anchor 1\nauthority: %s\ngenesis: %s\n"
			   "journal-key: %s\nset: %s\n",
	    row.id, genesis, hash_of(spki, (size_t)len), set->id);
	other = edited(c, "anchor", text);
	cast_add(c, ENTRY_ANCHOR,
	    json_pack("{s:s, s:s, s:s, s:s}", "set", set->id, "name",
		cast_names[who], "statement",
		cast_sign(c, SIGNATURE_ANCHOR, who, other, strlen(other)),
		"text", text_evidence(c, other)));
}

/* ---- init ------------------------------------------------------------- */

static char *
config_text(const struct cast *c)
{
	return text_printf("format: ca-tool-authority-1\n"
			   "id: example\n"
			   "title: Example\n"
			   "token:\n"
			   "  module: embedded\n"
			   "  label: example-token\n"
			   "login: derived\n"
			   "%s",
	    c->config);
}

static void
add_token(struct cast *c)
{
	static const char zeros[] = "00000000000000000000000000000000"
				    "00000000000000000000000000000000";

	cast_add(c, ENTRY_TOKEN,
	    json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:i,"
		      "s:{s:s,s:s,s:s,s:s,s:s,s:s}}",
		"label", "example-token", "serial", "0001", "manufacturer", "m",
		"model", "x", "hardware", "1.0", "firmware", "1.0", "flags",
		1069, "module", "path", "/x.so", "sha256", zeros,
		"manufacturer", "m", "description", "d", "version", "2.6",
		"cryptoki", "2.40"));
}

static void
add_key(struct cast *c, const char *run, const char *name, EVP_PKEY *key,
    const char *type, const char *purpose)
{
	static unsigned ids;
	AUTO_DER(spki) = NULL;
	int len = i2d_PUBKEY(key, &spki);
	AUTO_CHARS(hex) = text_hex(spki, (size_t)len);
	AUTO_CHARS(id) = text_printf("%032x", ++ids);

	assert_non_null(hex);
	cast_add(c, ENTRY_KEY_INTENT,
	    json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "run", run, "name", name,
		"id", id, "type", type, "purpose", purpose, "backup", "none"));
	cast_add(c, ENTRY_KEY,
	    json_pack("{s:s,s:s,s:s,s:s,s:{},s:i}", "run", run, "name", name,
		"id", id, "spki", hex, "attributes", "generation_mechanism",
		0x1040));
}

void
cast_key(struct cast *c, const char *run, const char *name)
{
	AUTO(EVP_PKEY) *key = new_key("p-384");

	add_key(c, run, name, key, "p-384", "ca");
}

/* Those who give their shares are the people of what follows. */
void
cast_login(struct cast *c, const char *run)
{
	static const char zeros[] = "00000000000000000000000000000000"
				    "00000000000000000000000000000000";
	AUTO_CHARS(names) = text_copy(c->people);
	char *at = names, *name;
	json_t *people = json_array();

	while ((name = strsep(&at, " ")) != NULL)
		json_array_append_new(people,
		    json_pack("{s:s, s:s}", "name", name, "role", "operator"));
	if (strcmp(run, "init") != 0)
		assert_ok(journal_set_people(c->journal, people));
	json_decref(c->openers);
	c->openers = people;
	cast_add(c, ENTRY_LOGIN,
	    json_pack("{s:s, s:s, s:i, s:s, s:{s:s, s:s}}", "run", run,
		"serial", "0001", "flags", 1, "module_sha256", zeros, "tool",
		"version", "0", "sha256", zeros));
}

static void
add_config(struct cast *c)
{
	static const char *const profiles[] = { "root", "ca-crl" };
	AUTO_CHARS(text) = config_text(c);
	AUTO_CHARS(other) = edited(c, "config", text);

	cast_add(c, ENTRY_CONFIG,
	    json_pack("{s:s}", "sha256", text_evidence(c, other)));
	for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++)
		cast_add(c, ENTRY_PROFILE,
		    json_pack("{s:s, s:s}", "profile", profiles[i], "sha256",
			text_evidence(c, profiles[i])));
}

void
cast_init(struct cast *c)
{
	static const enum who people[] = { ALICE, BOB, CAROL, WENDY };

	cast_add(c, ENTRY_GENESIS,
	    json_pack("{s:s,s:i,s:{s:s},s:s}", "authority", "example", "format",
		1, "token", "label", "example-token", "tool", "0"));
	c->set = cast_make_set(c, people, 4, 3, c->threshold);
	cast_enrol(c, c->set);
	cast_quorum(c, c->set, "active", NULL, "init");
	add_token(c);
	cast_login(c, "init");
	add_key(c, "init", "journal", c->journal_key, "p-256", "journal");
	add_config(c);
	cast_anchor(c, c->set, ALICE);
	cast_anchor(c, c->set, BOB);
	cast_anchor(c, c->set, CAROL);
	cast_add(c, ENTRY_STATE,
	    json_pack("{s:s,s:s}", "subject", "authority", "state", "ready"));
}

/* ---- runs ------------------------------------------------------------- */

static void
add_input(struct cast *c, json_t *inputs, const char *role, const char *given,
    const char *text)
{
	json_array_append_new(inputs,
	    json_pack("{s:s, s:s, s:s, s:s}", "role", role, "given", given,
		"file", given, "sha256", text_evidence(c, text)));
}

static json_t *
inputs_of(struct cast *c, const struct order *order, const char *plan)
{
	AUTO_CHARS(config) = config_text(c);
	AUTO_CHARS(kept) = edited(c, "config", config);
	json_t *inputs = json_array(), *text;
	const char *given;

	add_input(c, inputs, "plan", "plan", plan);
	add_input(c, inputs, "authority", "authority.yaml", kept);
	add_input(c, inputs, "profile", "root", "root");
	add_input(c, inputs, "profile", "ca-crl", "ca-crl");
	json_object_foreach(order->inputs, given, text)
	{
		add_input(c, inputs, "file", given, json_string_value(text));
	}
	return inputs;
}

static char *
plan_text(const struct order *order)
{
	return text_printf("format: ca-tool-plan-1\n"
			   "id: %s\n"
			   "title: A plan\n"
			   "window:\n"
			   "  from: 2000-01-01T00:00:00Z\n"
			   "  until: 2099-01-01T00:00:00Z\n"
			   "%s"
			   "steps:\n%s",
	    order->plan, order->unattended ? "unattended: 'true'\n" : "",
	    order->steps);
}

/* The journal as it is: size and root. */
static json_t *
head_json(struct cast *c)
{
	unsigned char root[HASH_LEN];
	char hex[HASH_HEX_SIZE];
	uint64_t size = 0;

	assert_ok(journal_head(c->journal, &size, root));
	text_hex_into(root, HASH_LEN, hex);
	return json_pack("{s:s, s:I, s:s}", "origin", "example", "size",
	    (json_int_t)size, "root", hex);
}

static char *
manifest_text(struct cast *c, const struct order *order)
{
	AUTO_STRUCT(authority_row) row = { 0 };
	AUTO_CHARS(plan) = plan_text(order);
	AUTO_CHARS(kept) = edited(c, "plan", plan);
	char genesis[HASH_HEX_SIZE], *text;
	json_t *manifest;

	assert_ok(journal_authority(c->journal, &row));
	text_hex_into(row.genesis, HASH_LEN, genesis);
	manifest = json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:b, s:s, s:s, "
			     "s:o, s:o}",
	    "format", "ca-tool-manifest-1", "authority", row.id, "genesis",
	    genesis, "set", c->set->id, "set_sha256", c->set->sha256,
	    "threshold", (int)c->set->threshold, "unattended",
	    order->unattended ? 1 : 0, "plan", order->plan, "title", "A plan",
	    "journal", head_json(c), "inputs", inputs_of(c, order, kept));
	assert_non_null(manifest);
	text = json_dumps(manifest, JSON_INDENT(1));
	json_decref(manifest);
	return text;
}

static void
approve(struct cast *c, const struct order *order, enum who who,
    const char *manifest)
{
	cast_add(c, ENTRY_APPROVAL,
	    json_pack("{s:s, s:s, s:s, s:s, s:s}", "run", order->run, "name",
		cast_names[who], "set", c->set->id, "manifest", order->manifest,
		"statement",
		cast_sign(
		    c, SIGNATURE_APPROVE, who, manifest, strlen(manifest))));
}

void
cast_open(struct cast *c, struct order *order)
{
	AUTO_CHARS(text) = NULL;
	AUTO_CHARS(manifest) = NULL;
	AUTO_CHARS(directory) = NULL;
	json_t *data;

	text = manifest_text(c, order);
	manifest = edited(c, "manifest", text);
	(void)snprintf(order->manifest, sizeof(order->manifest), "%s",
	    text_evidence(c, manifest));
	directory = text_printf("%s-%.8s", order->plan, order->manifest);
	cast_login(c, order->run);
	data = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b}", "run",
	    order->run, "plan", order->plan, "title", "A plan", "manifest",
	    order->manifest, "directory", directory, "set", c->set->id,
	    "unattended", order->unattended ? 1 : 0);
	if (order->abandons != NULL)
		json_object_set_new(
		    data, "abandons", json_string(order->abandons));
	cast_add(c, ENTRY_PLAN, data);
	approve(c, order, ALICE, manifest);
	approve(c, order, BOB, manifest);
	json_decref(order->inputs);
	order->inputs = NULL;
}

/* ---- lists ------------------------------------------------------------ */

/* Made-up hashes of an object, that differ by its name. */
static const char *
tbs_of(const char *name)
{
	return hash_of(name, strlen(name));
}

#define SIGNER "signer"
#define ALGORITHM "300a06082a8648ce3d040303"

json_t *
cast_object(int number, const char *kind, const char *name)
{
	return json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:s, s:s}",
	    "object", number, "kind", kind, "name", name, "key", tbs_of(SIGNER),
	    "algorithm", ALGORITHM, "tbs", tbs_of(name), "offset", 0, "length",
	    1, "built", "2026-11-20T12:00:00Z", "summary", name);
}

json_t *
cast_act(int number, const char *kind, json_t *data)
{
	AUTO_CHARS(text) =
	    json_dumps(data, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);

	json_decref(data);
	assert_non_null(text);
	return json_pack("{s:i, s:s, s:s, s:s, s:s}", "act", number, "kind",
	    kind, "sha256", hash_of(text, strlen(text)), "text", text,
	    "summary", kind);
}

#define DIGEST_1                           \
	"11111111111111111111111111111111" \
	"11111111111111111111111111111111"
#define DIGEST_2                           \
	"22222222222222222222222222222222" \
	"22222222222222222222222222222222"

const char cast_linters[] =
    "linters:\n  - name: other\n    path: /opt/other\n"
    "    sha256: '" DIGEST_1 "'\n"
    "blocklist:\n  path: /srv/keys\n  sha256: '" DIGEST_2 "'\n";

static json_t *
findings_of(void)
{
	return json_pack("[{s:s, s:s, s:s, s:s, s:s}]", "severity", "notice",
	    "id", "A-RULE", "place", "here", "text", "acknowledged", "source",
	    "RFC 5280");
}

static json_t *
linters_of(void)
{
	return json_pack("[{s:s, s:s, s:s, s:s, s:i, s:s}]", "name", "other",
	    "path", "/opt/other", "sha256", DIGEST_1, "end", "exited", "status",
	    0, "output", "");
}

static const char *
lint_evidence(struct cast *c, const char *what, json_t *report)
{
	AUTO_CHARS(text) = json_dumps(report, JSON_COMPACT);
	AUTO_CHARS(other) = edited(c, what, text);

	json_decref(report);
	return text_evidence(c, other);
}

/* Each object gets its findings, as the list has them. */
static const char *
list_lint(struct cast *c, json_t *lines)
{
	json_t *objects = json_array(), *line;
	size_t i;

	json_array_foreach(lines, i, line)
	{
		json_t *row;

		if (json_object_get(line, "object") == NULL)
			continue;
		json_object_set_new(line, "lint", findings_of());
		row = json_pack("{s:O, s:O, s:O, s:O, s:o, s:o}", "object",
		    json_object_get(line, "object"), "kind",
		    json_object_get(line, "kind"), "name",
		    json_object_get(line, "name"), "tbs",
		    json_object_get(line, "tbs"), "findings", findings_of(),
		    "linters", linters_of());
		assert_int_equal(json_array_append_new(objects, row), 0);
	}
	return lint_evidence(c, "lint",
	    json_pack("{s:s, s:s, s:{s:s, s:i, s:i}, s:o}", "format",
		"ca-tool-lint-1", "version", "9 lints", "blocklist", "sha256",
		DIGEST_2, "keys", 1, "moduli", 0, "objects", objects));
}

static json_t *
header_of(struct cast *c, const struct order *order, int list)
{
	return json_pack(
	    "{s:s, s:s, s:i, s:s, s:s, s:s, s:i, s:o, s:s, s:b, s:b}", "format",
	    "ca-tool-list-1", "run", order->run, "list", list, "manifest",
	    order->manifest, "set", c->set->id, "set_sha256", c->set->sha256,
	    "threshold", (int)c->set->threshold, "journal", head_json(c),
	    "built", "2026-11-20T12:00:00Z", "unattended",
	    order->unattended ? 1 : 0, "rehearsal", 0);
}

static char *
append_line(char *text, const json_t *row)
{
	AUTO_CHARS(before) = text;
	AUTO_CHARS(line) = json_dumps(row, JSON_COMPACT);

	return text_printf("%s%s\n", before, line);
}

static void
confirm(struct cast *c, const struct order *order, int list, enum who who,
    const char *text)
{
	cast_add(c, ENTRY_CONFIRMATION,
	    json_pack("{s:s, s:i, s:s, s:s, s:s, s:s}", "run", order->run,
		"list", list, "name", cast_names[who], "set", c->set->id,
		"sha256", hash_of(text, strlen(text)), "statement",
		cast_sign(c, SIGNATURE_CONFIRM, who, text, strlen(text))));
}

static char *
add_list(struct cast *c, const struct order *order, int list, json_t *lines)
{
	const char *lint = c->linted ? list_lint(c, lines) : NULL;
	json_t *header = header_of(c, order, list), *line;
	char *text, *other;
	int objects = 0, acts = 0;
	size_t i;

	if (lint != NULL)
		json_object_set_new(header, "lint", json_string(lint));
	text = append_line(text_copy(""), header);
	json_decref(header);
	json_array_foreach(lines, i, line)
	{
		objects += json_object_get(line, "object") != NULL;
		acts += json_object_get(line, "act") != NULL;
		text = append_line(text, line);
	}
	json_decref(lines);
	other = edited(c, "list", text);
	free(text);
	cast_add(c, ENTRY_LIST,
	    json_pack("{s:s, s:i, s:s, s:i, s:i, s:b, s:s*}", "run", order->run,
		"list", list, "sha256", text_evidence(c, other), "objects",
		objects, "acts", acts, "unattended", order->unattended ? 1 : 0,
		"lint", lint));
	return other;
}

void
cast_list_only(
    struct cast *c, const struct order *order, int list, json_t *lines)
{
	free(add_list(c, order, list, lines));
}

void
cast_list(struct cast *c, const struct order *order, int list, json_t *lines)
{
	AUTO_CHARS(text) = add_list(c, order, list, lines);

	confirm(c, order, list, ALICE, text);
	confirm(c, order, list, BOB, text);
}

static json_t *
certificate_facts_of(const char *name)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:s, "
			 "s:s}",
	    "issuer", name, "issuer_dn", tbs_of("dn"), "profile", "root",
	    "serial", "00aabbccddeeff00112233", "subject_dn", tbs_of("dn"),
	    "spki", tbs_of(SIGNER), "not_before", "2026-11-20T12:00:00Z",
	    "not_after", "2036-11-20T12:00:00Z", "ca", 1, "certificate_kind",
	    "root", "subject_key", "root");
}

static json_t *
crl_facts_of(void)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:i}", "issuer",
	    "root-g1", "issuer_dn", tbs_of("dn"), "profile", "ca-crl", "number",
	    "1", "this_update", "2026-11-20T12:00:00Z", "next_update",
	    "2027-11-20T12:00:00Z", "entries", 1);
}

static void
add_intent(struct cast *c, const char *run, int list, int number,
    const char *kind, const char *name)
{
	json_t *data = json_pack("{s:s, s:i, s:i, s:s, s:s, s:s, s:s, s:s}",
	    "run", run, "list", list, "object", number, "kind", kind, "name",
	    name, "key", tbs_of(SIGNER), "algorithm", ALGORITHM, "tbs",
	    tbs_of(name));
	json_t *facts = strcmp(kind, "crl") == 0 ? crl_facts_of()
						 : certificate_facts_of(name);

	json_object_update(data, facts);
	json_decref(facts);
	cast_add(c, ENTRY_INTENT, data);
}

void
cast_result(
    struct cast *c, const char *run, int list, int number, const char *name)
{
	const char *sha256 = text_evidence(c, name);
	const char *lint = !c->linted
	    ? NULL
	    : lint_evidence(c, "result-lint",
		  json_pack("{s:s, s:s, s:s, s:s, s:o, s:o}", "format",
		      "ca-tool-lint-1", "kind", "certificate", "name", name,
		      "sha256", sha256, "findings", findings_of(), "linters",
		      linters_of()));

	cast_add(c, ENTRY_RESULT,
	    json_pack("{s:s, s:i, s:i, s:s, s:s, s:s*}", "run", run, "list",
		list, "object", number, "name", name, "sha256", sha256, "lint",
		lint));
}

void
cast_intent(struct cast *c, const char *run, int list, int number,
    const char *kind, const char *name)
{
	add_intent(c, run, list, number, kind, name);
	cast_result(c, run, list, number, name);
}

void
cast_close(struct cast *c, const char *run, const char *outcome)
{
	cast_add(c, ENTRY_CLOSE,
	    json_pack("{s:s, s:s, s:i, s:s, s:s}", "run", run, "outcome",
		outcome, "published", 0, "files", text_evidence(c, "[]"),
		"transcript", tbs_of("transcript")));
}

/* ---- what comes of it ------------------------------------------------- */

void
cast_audit(struct cast *c)
{
	const struct audit_options options = { .path = c->path, .work = "." };
	AUTO_STRUCT(audit_report) report = { 0 };

	assert_ok(journal_commit(c->journal));
	journal_free(c->journal);
	c->journal = NULL;
	findings_clear(&c->found);
	assert_ok(audit_run(&options, &c->found, &report));
	assert_ok(journal_open(c->path, JOURNAL_WRITE, &c->journal));
	assert_ok(journal_set_people(c->journal, c->openers));
	assert_ok(journal_begin(c->journal));
}

static bool
is_ours(const char *id)
{
	static const char *const ids[] = { "AUDIT-ACT", "AUDIT-LINT",
		"AUDIT-ANCHOR-SIGNATURE", "AUDIT-APPROVAL",
		"AUDIT-APPROVALS-MISSING", "AUDIT-CONFIG", "AUDIT-CONFIRMATION",
		"AUDIT-CONFIRMATIONS-MISSING", "AUDIT-ENROLMENT", "AUDIT-EVENT",
		"AUDIT-INTENT", "AUDIT-KEY-INTENT", "AUDIT-LIST", "AUDIT-LOGIN",
		"AUDIT-PEOPLE", "AUDIT-PLAN", "AUDIT-RUN", "AUDIT-SET",
		"AUDIT-WAY", "AUDIT-STATE" };

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		if (strcmp(ids[i], id) == 0)
			return true;
	return false;
}

static void
show_findings(const struct cast *c)
{
	for (size_t i = 0; i < c->found.count; i++)
		if (is_ours(c->found.rows[i].id))
			print_message("%s %s: %s\n", c->found.rows[i].id,
			    c->found.rows[i].place, c->found.rows[i].text);
}

void
cast_assert_clean(struct cast *c)
{
	for (size_t i = 0; i < c->found.count; i++)
		if (is_ours(c->found.rows[i].id)) {
			show_findings(c);
			fail_msg("%s is found", c->found.rows[i].id);
		}
}

static bool
is_it(
    const struct finding *f, const char *id, const char *kind, const char *part)
{
	AUTO_CHARS(place) = text_printf("(%s)", kind);

	return strcmp(f->id, id) == 0 && strstr(f->place, place) != NULL &&
	    strstr(f->text, part) != NULL;
}

void
cast_assert_found(
    struct cast *c, const char *id, const char *kind, const char *part)
{
	for (size_t i = 0; i < c->found.count; i++)
		if (c->found.rows[i].severity == FINDING_ERROR &&
		    is_it(&c->found.rows[i], id, kind, part))
			return;
	show_findings(c);
	fail_msg("%s at %s with '%s' is not found", id, kind, part);
}

void
cast_assert_only(
    struct cast *c, const char *id, const char *kind, const char *part)
{
	cast_assert_found(c, id, kind, part);
	for (size_t i = 0; i < c->found.count; i++)
		if (is_ours(c->found.rows[i].id) &&
		    strcmp(c->found.rows[i].id, id) != 0) {
			show_findings(c);
			fail_msg("%s is found, too", c->found.rows[i].id);
		}
}

/* ---- forgeries -------------------------------------------------------- */

void
cast_try(struct cast *c, const struct forgery *forgeries, size_t count,
    void (*make)(struct cast *c))
{
	for (size_t i = 0; i < count; i++) {
		const struct forgery *f = &forgeries[i];

		print_message("%s\n", f->name);
		cast_reset(c);
		c->edit = f->edit;
		c->edit_text = f->edit_text;
		if (f->prepare != NULL)
			f->prepare(c);
		make(c);
		cast_audit(c);
		cast_assert_found(c, f->id, f->kind, f->part);
	}
}

json_t *
with(json_t *data, const char *member, json_t *value)
{
	assert_int_equal(json_object_set_new(data, member, value), 0);
	return data;
}

json_t *
without(json_t *data)
{
	json_decref(data);
	return NULL;
}

char *
replaced(const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);

	assert_non_null(at);
	return text_printf(
	    "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}
