#include <limits.h>
#include <pwd.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/lock.h"
#include "base/text.h"
#include "ceremony/authority-private.h"
#include "ceremony/journal/note.h"
#include "pkcs11/sign.h"

enum { CONFIG_MAX_BYTES = 64 * 1024, JOBS_MAX = 64 };

/* ---- authority.yaml --------------------------------------------------- */

#define TOKEN_T __typeof__(((struct authority_config *)0)->token)
#define PUBLICATION_T __typeof__(((struct authority_config *)0)->publication)

static const cyaml_schema_field_t token_fields[] = {
	YAML_NEEDED("module", TOKEN_T, module),
	YAML_NEEDED("label", TOKEN_T, label),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t publication_fields[] = {
	YAML_OPTIONAL("crl", PUBLICATION_T, crl),
	YAML_OPTIONAL("ca-issuers", PUBLICATION_T, ca_issuers),
	YAML_OPTIONAL("ocsp", PUBLICATION_T, ocsp),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t config_fields[] = {
	YAML_NEEDED("format", struct authority_config, format),
	YAML_NEEDED("id", struct authority_config, id),
	YAML_NEEDED("title", struct authority_config, title),
	CYAML_FIELD_MAPPING("token", CYAML_FLAG_DEFAULT,
	    struct authority_config, token, token_fields),
	YAML_NEEDED("login", struct authority_config, login),
	CYAML_FIELD_MAPPING("publication",
	    CYAML_FLAG_DEFAULT | CYAML_FLAG_OPTIONAL, struct authority_config,
	    publication, publication_fields),
	YAML_OPTIONAL("jobs", struct authority_config, jobs),
	CYAML_FIELD_END,
};

const cyaml_schema_value_t authority_schema = {
	CYAML_VALUE_MAPPING(
	    CYAML_FLAG_POINTER, struct authority_config, config_fields),
};

/* What the schema cannot say. */
static void
check_config(const struct authority_config *config, struct yaml *doc,
    struct findings *findings)
{
	uint64_t jobs = 1;

	if (strcmp(config->format, "ca-tool-authority-1") != 0)
		findings_add(findings, FINDING_ERROR, "CONFIG-FORMAT",
		    yaml_place(doc, "format"), NULL,
		    "format '%s' is not known to this version; it reads "
		    "'ca-tool-authority-1'",
		    config->format);
	if (strcmp(config->token.module, "embedded") != 0 &&
	    config->token.module[0] != '/')
		findings_add(findings, FINDING_ERROR, "CONFIG-MODULE",
		    yaml_place(doc, "token.module"), NULL,
		    "'%s' is neither 'embedded' nor an absolute path",
		    config->token.module);
	if (strcmp(config->login, "prompt") != 0)
		findings_add(findings, FINDING_ERROR, "CONFIG-LOGIN",
		    yaml_place(doc, "login"), NULL,
		    "'%s' is no kind of login; this version knows 'prompt'",
		    config->login);
	if (config->jobs != NULL &&
	    (text_number(config->jobs, JOBS_MAX, &jobs) < 0 || jobs == 0)) {
		ca_error_clear();
		findings_add(findings, FINDING_ERROR, "CONFIG-JOBS",
		    yaml_place(doc, "jobs"), NULL,
		    "'%s' is no number of threads from 1 to %d", config->jobs,
		    JOBS_MAX);
	}
}

int
authority_load_config(struct authority *authority, struct findings *findings)
{
	AUTO_BYTES(data) = NULL;
	AUTO_PTR(yaml) *doc = NULL;
	unsigned char digest[32];
	void *value = NULL;
	size_t len = 0, errors = findings->errors;

	if (file_read_at(authority->fd, "authority.yaml", CONFIG_MAX_BYTES,
		&data, &len) < 0)
		return -1;
	if (yaml_load("authority.yaml", data, len, &authority_schema, findings,
		&doc, &value) < 0)
		return -1;
	yaml_value_free(&authority_schema, authority->config);
	authority->config = value;
	check_config(authority->config, doc, findings);
	if (findings->errors > errors)
		return ca_error(CA_R_INPUT,
		    "authority.yaml is not valid; put back the file that the "
		    "authority was made with");
	if (sha256(data, len, digest) < 0)
		return -1;
	free(authority->config_sha256);
	authority->config_sha256 = text_hex(digest, sizeof(digest));
	free(authority->config_bytes);
	authority->config_bytes = TAKE(data);
	authority->config_len = len;
	return authority->config_sha256 == NULL ? -1 : 0;
}

/* ---- opening ---------------------------------------------------------- */

int
authority_set_person(struct authority *authority)
{
	struct passwd row, *found = NULL;
	char buffer[4096];

	if (getpwuid_r(getuid(), &row, buffer, sizeof(buffer), &found) != 0 ||
	    found == NULL)
		return journal_set_person(
		    authority->journal, "unknown", "system user");
	return journal_set_person(
	    authority->journal, found->pw_name, "system user");
}

/* The journal and the file must speak of the same authority. */
static int
check_against_journal(const struct authority *authority)
{
	AUTO_STRUCT(authority_row) row = { 0 };

	if (journal_authority(authority->journal, &row) < 0)
		return -1;
	if (!row.ready)
		return ca_error(CA_R_STATE,
		    "the authority in '%s' is not finished: its init was cut "
		    "off; run 'ca-tool init' again with the same options",
		    authority->path);
	if (strcmp(row.id, authority->config->id) != 0)
		return ca_error(CA_R_CORRUPT,
		    "authority.yaml is of '%s', but the journal of '%s'; put "
		    "the right file back",
		    authority->config->id, row.id);
	if (row.config_sha256 == NULL ||
	    strcmp(row.config_sha256, authority->config_sha256) != 0)
		return ca_error(CA_R_POLICY,
		    "authority.yaml is not the file that the journal has "
		    "recorded (SHA-256 %s); put that one back",
		    row.config_sha256 == NULL ? "none" : row.config_sha256);
	return 0;
}

static int
open_parts(struct authority *authority, const char *dir,
    enum authority_mode mode, struct findings *findings)
{
	char path[PATH_MAX];

	if (dir_open(dir, &authority->fd) < 0)
		return -1;
	if (realpath(dir, path) == NULL)
		return ca_error_errno(
		    CA_R_IO, "cannot find the path of '%s'", dir);
	authority->path = text_copy(path);
	if (authority->path == NULL)
		return -1;
	if (file_exists_at(authority->fd, "authority.yaml") != 1)
		return ca_error(CA_R_MISSING,
		    "'%s' is not an authority: it has no authority.yaml; name "
		    "one with --authority, or make one with 'ca-tool init'",
		    dir);
	if (mode == AUTHORITY_WRITE &&
	    lock_take(authority->fd, "lock", &authority->lock) < 0)
		return -1;
	if (authority_load_config(authority, findings) < 0)
		return -1;
	return journal_open(authority->path,
	    mode == AUTHORITY_WRITE ? JOURNAL_WRITE : JOURNAL_READ,
	    &authority->journal);
}

int
authority_open(const char *dir, enum authority_mode mode,
    struct findings *findings, struct authority **ret_authority)
{
	AUTO_PTR(authority) *authority = calloc(1, sizeof(*authority));

	if (authority == NULL)
		return ca_error(CA_R_MEMORY, "no memory for an authority");
	authority->fd = authority->lock = -1;
	if (open_parts(authority, dir, mode, findings) < 0 ||
	    authority_set_person(authority) < 0 ||
	    check_against_journal(authority) < 0)
		return -1;
	*ret_authority = TAKE(authority);
	return 0;
}

void
authority_free(struct authority *authority)
{
	authority_logout(authority);
	if (authority->journal != NULL)
		journal_free(authority->journal);
	yaml_value_free(&authority_schema, authority->config);
	free(authority->config_sha256);
	free(authority->config_bytes);
	free(authority->path);
	cleanup_fd(&authority->lock);
	cleanup_fd(&authority->fd);
	free(authority);
}

/* ---- the token -------------------------------------------------------- */

int
authority_open_module(struct authority *authority)
{
	AUTO_CHARS(dir) = NULL;
	bool restored = false;

	if (authority->module != NULL)
		return 0;
	if (strcmp(authority->config->token.module, "embedded") != 0)
		return module_open(
		    authority->config->token.module, &authority->module);
	dir = text_printf("%s/token", authority->path);
	if (dir == NULL ||
	    module_open_embedded(dir, &authority->module, &restored) < 0)
		return -1;
	if (!restored)
		return 0;
	return journal_append(authority->journal, ENTRY_EVENT,
	    json_pack("{s:s}", "event", "token-restored"),
	    "the embedded token's file was damaged, as by a login that was "
	    "cut off, and was restored from its guard copy",
	    NULL);
}

static int
journal_login(
    struct authority *authority, const struct room *room, const char *run)
{
	const struct token_facts *facts = token_facts(authority->token);
	const struct module_facts *module = module_facts(authority->module);

	return journal_append(authority->journal, ENTRY_LOGIN,
	    json_pack("{s:s, s:s, s:I, s:s, s:{s:s, s:s}}", "run", run,
		"serial", facts->serial, "flags", (json_int_t)facts->flags,
		"module_sha256", module->sha256, "tool", "version",
		room->tool_version, "sha256", room->tool_sha256),
	    "logged in to the token", NULL);
}

int
authority_login_with(struct authority *authority, const struct secret *pin,
    const struct room *room, const char *run)
{
	if (token_login(authority->token, pin) < 0)
		return -1;
	return journal_login(authority, room, run);
}

int
authority_login(
    struct authority *authority, const struct room *room, const char *run)
{
	AUTO_STRUCT(secret) pin = { 0 };
	AUTO_STRUCT(authority_row) row = { 0 };
	AUTO_CHARS(prompt) = NULL;

	if (journal_authority(authority->journal, &row) < 0)
		return -1;
	if (authority_open_module(authority) < 0)
		return -1;
	if (token_find(authority->module, authority->config->token.label,
		row.token_serial, &authority->token) < 0)
		return -1;
	prompt = text_printf("user PIN of token '%s' (serial %s)",
	    token_facts(authority->token)->label,
	    token_facts(authority->token)->serial);
	if (prompt == NULL ||
	    room->ask_secret(room->ctx, ROOM_USER_PIN, prompt, &pin) < 0)
		return -1;
	return authority_login_with(authority, &pin, room, run);
}

void
authority_logout(struct authority *authority)
{
	for (size_t i = 0; i < authority->key_count; i++) {
		key_free(authority->keys[i].key);
		free(authority->keys[i].name);
	}
	free(authority->keys);
	authority->keys = NULL;
	authority->key_count = 0;
	if (authority->token != NULL) {
		token_logout(authority->token);
		token_free(authority->token);
		authority->token = NULL;
	}
	if (authority->module != NULL) {
		module_free(authority->module);
		authority->module = NULL;
	}
}

/* ---- checkpoints ------------------------------------------------------ */

static int
sign_note(struct authority *authority, const char *text, char **ret_note)
{
	const struct key *key = NULL;
	struct sign_job job = { .alg = sigalg_by_name("ecdsa-sha256") };
	const unsigned char *spki;
	AUTO_CHARS(note) = NULL;
	AUTO_STRUCT(checkpoint) checkpoint = { 0 };
	size_t spki_len;

	if (authority_key(authority, JOURNAL_KEY, &key) < 0)
		return -1;
	job.key = key;
	if (sigalg_digest(job.alg, (const unsigned char *)text, strlen(text),
		job.digest) < 0 ||
	    token_sign(authority->token, &job, 1, 1, NULL, NULL) < 0)
		return -1;
	key_spki(key, &spki, &spki_len);
	if (note_compose(text, authority->config->id, spki, spki_len,
		job.signature, job.signature_len, &note) < 0 ||
	    checkpoint_verify(note, strlen(note), authority->config->id, spki,
		spki_len, &checkpoint) < 0)
		return -1;
	*ret_note = TAKE(note);
	return 0;
}

static int
append_checkpoint(struct authority *authority, uint64_t size,
    const unsigned char root[HASH_LEN], const char *note)
{
	char hex[HASH_HEX_SIZE];

	text_hex_into(root, HASH_LEN, hex);
	return journal_append(authority->journal, ENTRY_CHECKPOINT,
	    json_pack("{s:I, s:s, s:s}", "size", (json_int_t)size, "root", hex,
		"note", note),
	    "the journal's key signed a checkpoint", NULL);
}

static int
write_checkpoint(struct authority *authority, const char *note)
{
	AUTO_FD(public_fd) = -1;
	AUTO_FD(journal_fd) = -1;

	if (dir_make_at(authority->fd, "public", 0755, &public_fd) < 0 ||
	    dir_make_at(public_fd, "journal", 0755, &journal_fd) < 0 ||
	    dir_sweep(journal_fd) < 0)
		return -1;
	return file_write_at(
	    journal_fd, "checkpoint", note, strlen(note), 0644, FILE_REPLACE);
}

int
authority_checkpoint(
    struct authority *authority, int receipt_fd, char **ret_note)
{
	unsigned char root[HASH_LEN];
	AUTO_CHARS(text) = NULL;
	AUTO_CHARS(note) = NULL;
	uint64_t size = 0;

	if (journal_head(authority->journal, &size, root) < 0 ||
	    checkpoint_text(authority->config->id, size, root, &text) < 0 ||
	    sign_note(authority, text, &note) < 0 ||
	    write_checkpoint(authority, note) < 0)
		return -1;
	if (receipt_fd >= 0 &&
	    file_write_at(receipt_fd, "receipt", note, strlen(note), 0600,
		FILE_REPLACE) < 0)
		return -1;
	if (append_checkpoint(authority, size, root, note) < 0)
		return -1;
	*ret_note = TAKE(note);
	return 0;
}

const unsigned char *
authority_config_bytes(const struct authority *authority, size_t *ret_len)
{
	*ret_len = authority->config_len;
	return authority->config_bytes;
}

/* ---- parts ------------------------------------------------------------ */

const struct authority_config *
authority_config(const struct authority *authority)
{
	return authority->config;
}

const char *
authority_path(const struct authority *authority)
{
	return authority->path;
}

int
authority_fd(const struct authority *authority)
{
	return authority->fd;
}

struct journal *
authority_journal(const struct authority *authority)
{
	return authority->journal;
}

struct token *
authority_token(const struct authority *authority)
{
	return authority->token;
}

const struct module *
authority_module(const struct authority *authority)
{
	return authority->module;
}

const char *
authority_config_sha256(const struct authority *authority)
{
	return authority->config_sha256;
}

unsigned
authority_jobs(const struct authority *authority)
{
	uint64_t jobs = 1;

	if (authority->config->jobs != NULL &&
	    text_number(authority->config->jobs, JOBS_MAX, &jobs) < 0)
		return 1; /* check_config() has had it pass */
	return (unsigned)jobs;
}
