#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/lock.h"
#include "base/text.h"
#include "ceremony/authority-private.h"
#include "ceremony/journal/note.h"
#include "ceremony/journal/reindex.h"
#include "ceremony/operators.h"
#include "ceremony/vouch.h"
#include "pkcs11/sign.h"
#include "profiles/lint/blocklist.h"
#include "profiles/lint/lint.h"

enum {
	CONFIG_MAX_BYTES = 64 * 1024,
	JOBS_MAX = 64,
	UNATTENDED_MAX = 8,
	RECEIPT_MAX_BYTES = 1 << 20,
};

/* ---- authority.yaml --------------------------------------------------- */

#define TOKEN_T __typeof__(((struct authority_config *)0)->token)
#define PUBLICATION_T __typeof__(((struct authority_config *)0)->publication)
#define PIN_T __typeof__(((struct authority_config *)0)->pin)

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

static const cyaml_schema_field_t pin_fields[] = {
	YAML_OPTIONAL("format", PIN_T, format),
	YAML_OPTIONAL("alphabet", PIN_T, alphabet),
	YAML_OPTIONAL("length", PIN_T, length),
	YAML_OPTIONAL("allow-short-pin", PIN_T, allow_short),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t step_kind_name = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, YAML_MAX_TEXT),
};

static const cyaml_schema_field_t linter_fields[] = {
	YAML_NEEDED("name", struct linter_config, name),
	YAML_NEEDED("path", struct linter_config, path),
	YAML_NEEDED("sha256", struct linter_config, sha256),
	YAML_OPTIONAL("timeout", struct linter_config, timeout),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t linter_schema = {
	CYAML_VALUE_MAPPING(
	    CYAML_FLAG_DEFAULT, struct linter_config, linter_fields),
};

static const cyaml_schema_field_t blocklist_fields[] = {
	YAML_NEEDED("path", struct blocklist_config, path),
	YAML_NEEDED("sha256", struct blocklist_config, sha256),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t config_fields[] = {
	YAML_NEEDED("format", struct authority_config, format),
	YAML_NEEDED("id", struct authority_config, id),
	YAML_NEEDED("title", struct authority_config, title),
	CYAML_FIELD_MAPPING("token", CYAML_FLAG_DEFAULT,
	    struct authority_config, token, token_fields),
	YAML_NEEDED("login", struct authority_config, login),
	CYAML_FIELD_MAPPING("pin", CYAML_FLAG_DEFAULT | CYAML_FLAG_OPTIONAL,
	    struct authority_config, pin, pin_fields),
	CYAML_FIELD_SEQUENCE("unattended",
	    CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct authority_config,
	    unattended, &step_kind_name, 0, UNATTENDED_MAX),
	CYAML_FIELD_MAPPING("publication",
	    CYAML_FLAG_DEFAULT | CYAML_FLAG_OPTIONAL, struct authority_config,
	    publication, publication_fields),
	YAML_OPTIONAL("jobs", struct authority_config, jobs),
	CYAML_FIELD_SEQUENCE("linters",
	    CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct authority_config,
	    linters, &linter_schema, 0, LINTERS_MAX),
	CYAML_FIELD_MAPPING("blocklist",
	    CYAML_FLAG_DEFAULT | CYAML_FLAG_OPTIONAL, struct authority_config,
	    blocklist, blocklist_fields),
	CYAML_FIELD_END,
};

const cyaml_schema_value_t authority_schema = {
	CYAML_VALUE_MAPPING(
	    CYAML_FLAG_POINTER, struct authority_config, config_fields),
};

static const char *const login_names[] = {
	[LOGIN_DERIVED] = "derived",
	[LOGIN_ADOPTED] = "adopted",
	[LOGIN_PROMPT] = "prompt",
	[LOGIN_PROTECTED_PATH] = "protected-path",
};

int
login_kind_by_name(const char *name, enum login_kind *ret_kind)
{
	for (size_t i = 0; i < sizeof(login_names) / sizeof(login_names[0]);
	     i++)
		if (strcmp(login_names[i], name) == 0) {
			*ret_kind = (enum login_kind)i;
			return 0;
		}
	return -1;
}

bool
login_has_shares(enum login_kind kind)
{
	return kind == LOGIN_DERIVED || kind == LOGIN_ADOPTED;
}

const char *
login_warning(enum login_kind kind)
{
	switch (kind) {
	case LOGIN_DERIVED:
		return NULL;
	case LOGIN_ADOPTED:
		return "whoever holds the security officer's PIN of the token "
		       "can bypass the operators";
	case LOGIN_PROMPT:
	case LOGIN_PROTECTED_PATH:
		break;
	}
	return "the token's PIN is not derived from the operators' shares: "
	       "whoever knows it can bypass them";
}

/*
 * What recurs, and is signed with an issuing CA's key over content that the
 * journal alone decides.
 */
bool
may_run_unattended(const char *kind)
{
	static const char *const kinds[] = { "crl" };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i], kind) == 0)
			return true;
	return false;
}

/* `pin:` as struct pin_format has it. */
static int
pin_format_of(
    const struct authority_config *config, struct pin_format *ret_format)
{
	struct pin_format format = { .alphabet = config->pin.alphabet };
	uint64_t length = 0;

	if (config->pin.format != NULL &&
	    pin_alphabet(config->pin.format, &format.alphabet) < 0)
		return -1;
	if (config->pin.format != NULL && config->pin.alphabet != NULL)
		return ca_error(CA_R_INPUT,
		    "a PIN has either a format or an alphabet, not both");
	if (config->pin.length != NULL &&
	    (text_number(config->pin.length, PIN_HEX_LEN, &length) < 0 ||
		length == 0))
		return ca_error(CA_R_INPUT,
		    "'%s' is no length of a PIN from 1 to %d",
		    config->pin.length, PIN_HEX_LEN);
	format.length = (size_t)length;
	*ret_format = format;
	return 0;
}

static bool
allows_short(const struct authority_config *config)
{
	return config->pin.allow_short != NULL &&
	    strcmp(config->pin.allow_short, "true") == 0;
}

/* As far as it can be judged without the token. */
static void
check_pin_config(const struct authority_config *config, struct yaml *doc,
    struct findings *findings)
{
	struct pin_format format;
	size_t length = 0;

	if (pin_format_of(config, &format) < 0 ||
	    pin_length(&format, 0, PIN_HEX_LEN, allows_short(config), &length) <
		0)
		findings_take_error(
		    findings, "CONFIG-PIN", yaml_place(doc, "pin"));
	if (config->pin.allow_short != NULL &&
	    strcmp(config->pin.allow_short, "true") != 0)
		findings_add(findings, FINDING_ERROR, "CONFIG-PIN",
		    yaml_place(doc, "pin.allow-short-pin"), NULL,
		    "'%s' is not 'true'; leave it out where short PINs are not "
		    "allowed",
		    config->pin.allow_short);
}

static void
check_unattended_config(const struct authority_config *config, struct yaml *doc,
    struct findings *findings)
{
	for (unsigned i = 0; i < config->unattended_count; i++)
		if (!may_run_unattended(config->unattended[i]))
			findings_add(findings, FINDING_ERROR,
			    "CONFIG-UNATTENDED",
			    yaml_place(doc, "unattended[%u]", i), NULL,
			    "steps of kind '%s' never run without "
			    "confirmation; 'crl' may",
			    config->unattended[i]);
}

/* What the schema cannot say. */
static void
check_config(const struct authority_config *config, struct yaml *doc,
    struct findings *findings)
{
	enum login_kind kind;
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
	if (login_kind_by_name(config->login, &kind) < 0)
		findings_add(findings, FINDING_ERROR, "CONFIG-LOGIN",
		    yaml_place(doc, "login"), NULL,
		    "'%s' is no kind of login; there are 'derived', 'adopted', "
		    "'prompt' and 'protected-path'",
		    config->login);
	check_pin_config(config, doc, findings);
	check_unattended_config(config, doc, findings);
	linters_check_config(
	    config->linters, config->linters_count, doc, findings);
	blocklist_check_config(&config->blocklist, doc, findings);
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
	return 0;
}

int
authority_check_config(const struct authority *authority)
{
	AUTO_STRUCT(authority_row) row = { 0 };

	if (journal_authority(authority->journal, &row) < 0)
		return -1;
	if (row.config_sha256 == NULL ||
	    strcmp(row.config_sha256, authority->config_sha256) != 0)
		return ca_error(CA_R_POLICY,
		    "authority.yaml is not the file that the journal has "
		    "recorded (SHA-256 %s); put that one back, or let the "
		    "operators adopt the change with a plan that has the step "
		    "'adopt-config'",
		    row.config_sha256 == NULL ? "none" : row.config_sha256);
	return 0;
}

enum login_kind
authority_login_kind(const struct authority *authority)
{
	enum login_kind kind = LOGIN_PROMPT;

	if (login_kind_by_name(authority->config->login, &kind) < 0)
		return LOGIN_PROMPT; /* check_config() has had it pass */
	return kind;
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
	if (journal_open(authority->path,
		mode == AUTHORITY_WRITE ? JOURNAL_WRITE : JOURNAL_READ,
		&authority->journal) < 0)
		return -1;
	return mode == AUTHORITY_WRITE ? journal_check(authority->journal) : 0;
}

struct authority *
authority_new(void)
{
	struct authority *authority = calloc(1, sizeof(*authority));

	if (authority == NULL) {
		(void)ca_error(CA_R_MEMORY, "no memory for an authority");
		return NULL;
	}
	authority->fd = authority->lock = authority->quorum_fd = -1;
	return authority;
}

int
authority_open(const char *dir, enum authority_mode mode,
    struct findings *findings, struct authority **ret_authority)
{
	AUTO_PTR(authority) *authority = authority_new();

	if (authority == NULL)
		return -1;
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
	blocklist_free(authority->blocklist);
	if (authority->journal != NULL)
		journal_free(authority->journal);
	yaml_value_free(&authority_schema, authority->config);
	free(authority->config_sha256);
	free(authority->config_bytes);
	free(authority->path);
	authority_forget_quorum(authority);
	cleanup_fd(&authority->quorum_fd);
	cleanup_fd(&authority->lock);
	cleanup_fd(&authority->fd);
	free(authority);
}

int
authority_blocklist(
    struct authority *authority, const struct blocklist **ret_list)
{
	const struct blocklist_config *config = &authority->config->blocklist;

	if (authority->blocklist == NULL && config->path != NULL &&
	    blocklist_open(config, &authority->blocklist) < 0)
		return -1;
	*ret_list = authority->blocklist;
	return 0;
}

/* ---- the quorum ------------------------------------------------------- */

/* Whoever may write removes what a crash left of a set that was being made. */
int
authority_quorum_fd(struct authority *authority, int *ret_fd)
{
	bool writes = authority->lock >= 0;

	if (authority->quorum_fd < 0 &&
	    (writes ? dir_make_at(
			  authority->fd, "quorum", 0700, &authority->quorum_fd)
		    : dir_open_at(
			  authority->fd, "quorum", &authority->quorum_fd)) < 0)
		return -1;
	if (writes && !authority->quorum_swept &&
	    set_sweep(authority->quorum_fd) < 0)
		return -1;
	authority->quorum_swept = true;
	*ret_fd = authority->quorum_fd;
	return 0;
}

int
authority_quorum(struct authority *authority, const struct quorum_set **ret_set)
{
	AUTO_STRUCT(quorum_row) row = { 0 };
	bool found = false;
	int fd;

	if (authority->set == NULL) {
		if (journal_quorum(authority->journal, &found, &row) < 0)
			return -1;
		if (!found)
			return ca_error(CA_R_STATE,
			    "the authority has no quorum set: its init was cut "
			    "off; run 'ca-tool init' again");
		if (authority_quorum_fd(authority, &fd) < 0 ||
		    set_load(fd, row.set, row.sha256, &authority->set) < 0)
			return -1;
	}
	*ret_set = authority->set;
	return 0;
}

void
authority_forget_quorum(struct authority *authority)
{
	if (authority->set != NULL)
		quorum_set_free(authority->set);
	authority->set = NULL;
}

int
authority_warnings(struct authority *authority, char **ret_text)
{
	const struct quorum_set *set;
	AUTO_CHARS(text) = NULL;
	const char *control, *officer;

	if (authority_quorum(authority, &set) < 0)
		return -1;
	control = set_warning(set);
	officer = login_warning(authority_login_kind(authority));
	if (control == NULL && officer == NULL) {
		*ret_text = NULL;
		return 0;
	}
	text = text_printf("%s%s%s", control == NULL ? "" : control,
	    control != NULL && officer != NULL ? "\n" : "",
	    officer == NULL ? "" : officer);
	if (text == NULL)
		return -1;
	*ret_text = TAKE(text);
	return 0;
}

/* The share of the set in force, or of another one that is in quorum/. */
static int
load_set(struct authority *authority, const char *id,
    struct quorum_set **ret_other, const struct quorum_set **ret_set)
{
	AUTO_STRUCT(quorum_row) row = { 0 };
	bool found = false;
	int fd;

	if (id == NULL)
		return authority_quorum(authority, ret_set);
	if (journal_quorum_by_set(authority->journal, id, &found, &row) < 0)
		return -1;
	if (!found)
		return ca_error(
		    CA_R_MISSING, "the journal knows no quorum set '%s'", id);
	if (authority_quorum_fd(authority, &fd) < 0 ||
	    set_load(fd, id, row.sha256, ret_other) < 0)
		return -1;
	*ret_set = *ret_other;
	return 0;
}

int
authority_check_share(struct authority *authority, const struct room *room,
    const char *name, const char *id)
{
	AUTO_PTR(quorum_set) *other = NULL;
	AUTO_STRUCT(operators) operators = { 0 };
	AUTO_STRUCT(share) share = { 0 };
	const struct quorum_set *set = NULL;
	const struct person *person;
	int fd;

	if (load_set(authority, id, &other, &set) < 0 ||
	    operators_open(room, set, &operators) < 0)
		return -1;
	person = set_person(set, name);
	if (person == NULL)
		return ca_error(CA_R_QUORUM,
		    "nobody called '%s' is in the quorum set", name);
	if (!set->shares)
		return ca_error(CA_R_STATE,
		    "this authority has no shares: its PIN is not derived from "
		    "any");
	if (authority_quorum_fd(authority, &fd) < 0)
		return -1;
	return operators_open_share(&operators, fd, person, &share);
}

/* ---- receipts --------------------------------------------------------- */

static int
compare_receipt(struct authority *authority, const char *path,
    const struct checkpoint *receipt)
{
	unsigned char root[HASH_LEN];

	if (journal_root_at(authority->journal, receipt->size, root) < 0) {
		if (ca_error_reason() != CA_R_VERIFY)
			return -1;
		ca_error_clear();
	} else if (memcmp(root, receipt->root, HASH_LEN) == 0) {
		return 0;
	}
	return ca_error(CA_R_VERIFY,
	    "the journal does not go on from receipt '%s': it was rolled back "
	    "or is another one; sign nothing, and find out who put it there",
	    path);
}

int
authority_check_receipt(
    struct authority *authority, const char *path, uint64_t *ret_size)
{
	AUTO_STRUCT(checkpoint) receipt = { 0 };
	AUTO_BYTES(note) = NULL;
	uint64_t epoch = 0;
	size_t len = 0;

	if (file_read_at(AT_FDCWD, path, RECEIPT_MAX_BYTES, &note, &len) < 0)
		return -1;
	if (head_receipt(authority->journal, (const char *)note, len, &receipt,
		&epoch) < 0) {
		AUTO_CHARS(why) = ca_error_take();

		return ca_error(CA_R_VERIFY,
		    "'%s' is no receipt of this authority: %s", path,
		    why == NULL ? "it does not verify" : why);
	}
	if (compare_receipt(authority, path, &receipt) < 0)
		return -1;
	*ret_size = receipt.size;
	return 0;
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
	AUTO_CHARS(lints) = NULL;

	if (lint_version(&lints) < 0)
		return -1;
	return journal_append(authority->journal, ENTRY_LOGIN,
	    json_pack("{s:s, s:s, s:I, s:s, s:{s:s, s:s}, s:{s:s, s:s, s:s, "
		      "s:s, s:s}, s:{s:s, s:s, s:s}, "
		      "s:{s:s, s:s, s:s, s:s}}",
		"run", run, "serial", facts->serial, "flags",
		(json_int_t)facts->flags, "module_sha256", module->sha256,
		"tool", "version", room->tool_version, "sha256",
		room->tool_sha256, "token", "label", facts->label,
		"manufacturer", facts->manufacturer, "model", facts->model,
		"hardware", facts->hardware, "firmware", facts->firmware,
		"module", "path", module->path, "description",
		module->description, "version", module->version,
		/* It is part of the program. */
		"linter", "name", "ca-tool", "version", room->tool_version,
		"sha256", room->tool_sha256, "lints", lints),
	    "logged in to the token", NULL);
}

int
authority_login_with(struct authority *authority, const struct secret *pin,
    const struct room *room, const char *run)
{
	bool fits = authority->head_rule == HEAD_MUST_FIT, found = false;
	AUTO_STRUCT(head) head = { 0 };

	if (token_login(authority->token, pin) < 0)
		return -1;
	(void)snprintf(authority->run, sizeof(authority->run), "%s", run);
	if (head_check(authority, authority->head_rule, &found, &head) < 0 ||
	    vouch_tail(authority, found && fits ? head.size : 0) < 0 ||
	    journal_login(authority, room, run) < 0)
		return -1;
	return authority->head_rule == HEAD_MUST_FIT ? head_write(authority)
						     : 0;
}

int
authority_derive_pin(const struct authority *authority,
    const struct quorum_set *set, const struct secret *secret,
    enum pin_role role, struct secret *ret_pin)
{
	const struct token_facts *facts = token_facts(authority->token);
	struct pin_format format;
	size_t length = 0;

	if (pin_format_of(authority->config, &format) < 0 ||
	    pin_length(&format, facts->pin_min, facts->pin_max,
		allows_short(authority->config), &length) < 0)
		return -1;
	return pin_derive(
	    secret, set->id_octets, role, format.alphabet, length, ret_pin);
}

static int
ask_pin(struct authority *authority, const struct room *room,
    struct secret *ret_pin)
{
	AUTO_CHARS(prompt) = text_printf("user PIN of token '%s' (serial %s)",
	    token_facts(authority->token)->label,
	    token_facts(authority->token)->serial);

	return prompt == NULL
	    ? -1
	    : room->ask_secret(room->ctx, ROOM_USER_PIN, NULL, prompt, ret_pin);
}

/* The PIN that M shares give; from here on they are the entries' people. */
static int
combine_pin(struct authority *authority, struct operators *operators,
    struct secret *ret_pin)
{
	AUTO_STRUCT(secret) secret = { 0 };
	json_t *people = NULL;
	int fd, rc;

	if (authority_quorum_fd(authority, &fd) < 0 ||
	    operators_take_secret(operators, fd, &secret, &people) < 0)
		return -1;
	rc = journal_set_people(authority->journal, people);
	json_decref(people);
	return rc < 0 ? -1
		      : authority_derive_pin(authority, operators->set, &secret,
			    PIN_USER, ret_pin);
}

/* The token first: what is not there, or locked, needs no shares. */
static int
open_own_token(struct authority *authority, struct operators *operators)
{
	AUTO_STRUCT(authority_row) row = { 0 };

	if (journal_authority(authority->journal, &row) < 0 ||
	    authority_open_module(authority) < 0)
		return -1;
	operators->in_use = authority->module;
	if (authority->token != NULL)
		return 0;
	return token_find(authority->module, authority->config->token.label,
	    row.token_serial, &authority->token);
}

int
authority_may_try(struct authority *authority, const struct room *room)
{
	const struct token_facts *facts = token_facts(authority->token);
	AUTO_CHARS(question) = NULL;

	if (token_refresh(authority->token) < 0)
		return -1;
	if (facts->pin_locked)
		return ca_error(CA_R_PIN,
		    "the user PIN of token '%s' is locked; no login was tried; "
		    "the token's own tools unlock it",
		    facts->label);
	if (!facts->pin_final_try)
		return 0;
	question = text_printf("This is the last try for the user PIN of token "
			       "'%s'; a wrong one locks it. Go on?",
	    facts->label);
	if (question == NULL)
		return -1;
	/* again(), because no --yes answers it. */
	return room->again(room->ctx, question) == 0
	    ? 0
	    : ca_error(CA_R_PIN,
		  "the last try for the user PIN of token '%s' was not made",
		  facts->label);
}

int
authority_login(struct authority *authority, const struct room *room,
    struct operators *operators, const char *run)
{
	AUTO_STRUCT(secret) pin = { 0 };

	if (open_own_token(authority, operators) < 0 ||
	    authority_may_try(authority, room) < 0)
		return -1;
	switch (authority_login_kind(authority)) {
	case LOGIN_DERIVED:
	case LOGIN_ADOPTED:
		if (combine_pin(authority, operators, &pin) < 0)
			return -1;
		break;
	case LOGIN_PROMPT:
		if (ask_pin(authority, room, &pin) < 0)
			return -1;
		break;
	case LOGIN_PROTECTED_PATH:
		room->show(room->ctx, ROOM_TEXT,
		    "Now open the token on its own PIN pad or with its cards.");
		return authority_login_with(authority, NULL, room, run);
	}
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
sign_note(struct authority *authority, const char *origin, const char *text,
    char **ret_note)
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
	if (note_compose(text, origin, spki, spki_len, job.signature,
		job.signature_len, &note) < 0 ||
	    checkpoint_verify(
		note, strlen(note), origin, spki, spki_len, &checkpoint) < 0)
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
authority_checkpoint(struct authority *authority, int receipt_fd,
    int (*also)(void *ctx, const char *note), void *ctx, char **ret_note)
{
	AUTO_STRUCT(authority_row) row = { 0 };
	unsigned char root[HASH_LEN];
	AUTO_CHARS(text) = NULL;
	AUTO_CHARS(note) = NULL;
	uint64_t size = 0;

	/* What the checkpoint closes cannot be cut off any more. */
	if (head_write(authority) < 0 ||
	    journal_authority(authority->journal, &row) < 0 ||
	    journal_head(authority->journal, &size, root) < 0 ||
	    checkpoint_text(row.origin, size, root, &text) < 0 ||
	    sign_note(authority, row.origin, text, &note) < 0 ||
	    write_checkpoint(authority, note) < 0)
		return -1;
	if (receipt_fd >= 0 &&
	    file_write_at(receipt_fd, "receipt", note, strlen(note), 0600,
		FILE_REPLACE) < 0)
		return -1;
	if ((also != NULL && also(ctx, note) < 0) ||
	    append_checkpoint(authority, size, root, note) < 0 ||
	    head_write(authority) < 0)
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
