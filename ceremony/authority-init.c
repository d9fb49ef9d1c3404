/*
 * Making an authority.  Every act is preceded by what tells, after a cut at
 * any moment, how far it came; `init` run again goes on from there.
 */
#include <dirent.h>
#include <limits.h>
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/file.h"
#include "base/lock.h"
#include "base/text.h"
#include "ceremony/authority-private.h"
#include "profiles/profile.h"

enum { PROFILE_MAX_BYTES = 256 * 1024, PROFILES_MAX = 256 };

/* An embedded token can be copied and guessed at, a thousand PINs a second. */
enum { EMBEDDED_PIN_MIN = 8 };

struct profile_file {
	char *name; /* "root.yaml" */
	unsigned char *data;
	size_t len;
};

struct init {
	const struct authority_options *options;
	const struct room *room;
	struct findings *findings;
	struct authority *authority;
	struct profile_file *profiles;
	size_t profile_count;
	struct secret so_pin, user_pin;
	struct authority_row row;
};

static void
init_clear(struct init *init)
{
	for (size_t i = 0; i < init->profile_count; i++) {
		free(init->profiles[i].name);
		free(init->profiles[i].data);
	}
	free(init->profiles);
	secret_clear(&init->so_pin);
	secret_clear(&init->user_pin);
	authority_row_clear(&init->row);
	if (init->authority != NULL)
		authority_free(init->authority);
}
CLEANUP_DEFINE_STRUCT(init);

/* ---- options ---------------------------------------------------------- */

/*
 * The id names the journal for ever: the origin of its checkpoints, and the
 * name of their key (C2SP signed-note: no blank, no '+').
 */
static bool
is_id(const char *id)
{
	size_t len = strlen(id);

	if (len == 0 || len > 128 || id[0] == '/' || id[len - 1] == '/')
		return false;
	return strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789.-/") == len &&
	    strstr(id, "//") == NULL;
}

static int
check_url(const char *option, const char *url)
{
	if (url == NULL)
		return 0;
	if (strncmp(url, "http://", 7) != 0 ||
	    strspn(url + 7,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789-._~:/?#[]@!$&()*,;=%{}") != strlen(url + 7) ||
	    url[7] == '\0')
		return ca_error(CA_R_USAGE,
		    "%s '%s' is not a plain http:// URL (RFC 5280, section "
		    "4.2.2.1; https is a loop for those who check a "
		    "certificate)",
		    option, url);
	return 0;
}

static int
check_options(const struct authority_options *o)
{
	if (o->id == NULL || !is_id(o->id))
		return ca_error(CA_R_USAGE,
		    "--id '%s' cannot name an authority; use something like "
		    "'example.org/root-ca-1': 1 to 128 of a-z 0-9 . - /",
		    o->id == NULL ? "" : o->id);
	if (o->module != NULL && o->module[0] != '/')
		return ca_error(CA_R_USAGE,
		    "--module '%s' is not an absolute path", o->module);
	if (o->token_label != NULL &&
	    (strlen(o->token_label) == 0 || strlen(o->token_label) > 32 ||
		strspn(o->token_label,
		    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		    "0123456789 ._-") != strlen(o->token_label)))
		return ca_error(CA_R_USAGE,
		    "--token '%s' cannot be a token's label; use 1 to 32 "
		    "letters, digits, blanks, . _ -",
		    o->token_label);
	if (check_url("--crl-url", o->crl_url) < 0 ||
	    check_url("--ca-issuers-url", o->ca_issuers_url) < 0 ||
	    check_url("--ocsp-url", o->ocsp_url) < 0)
		return -1;
	return 0;
}

/* ---- profiles --------------------------------------------------------- */

/* What a profile asks for and cannot be given later is told now. */
static int
warn_about_urls(struct init *init, const struct profile *profile)
{
	const struct authority_options *o = init->options;
	const struct {
		const char *option, *value;
	} table[] = {
		[URL_CRL] = { "--crl-url", o->crl_url },
		[URL_CA_ISSUERS] = { "--ca-issuers-url", o->ca_issuers_url },
		[URL_OCSP] = { "--ocsp-url", o->ocsp_url },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		AUTO_CHARS(text) = NULL;

		if (table[i].value != NULL ||
		    !profile_needs_url(profile, (enum profile_url)i))
			continue;
		text = text_printf("profile '%s' needs %s, which cannot be "
				   "given later; without it the profile cannot "
				   "be used",
		    profile_id(profile), table[i].option);
		if (text == NULL)
			return -1;
		init->room->show(init->room->ctx, ROOM_WARNING, text);
	}
	return 0;
}

/* Read one profile; a malformed one is named in the findings. */
static int
read_profile(struct init *init, int fd, const char *name)
{
	AUTO_BYTES(data) = NULL;
	AUTO_PTR(profile) *profile = NULL;
	AUTO_CHARS(copy) = text_copy(name);
	struct profile_file *rows;
	size_t len = 0;

	if (copy == NULL ||
	    file_read_at(fd, name, PROFILE_MAX_BYTES, &data, &len) < 0)
		return -1;
	if (profile_load(name, data, len, init->findings, &profile) < 0 ||
	    warn_about_urls(init, profile) < 0)
		return -1;
	rows =
	    realloc(init->profiles, (init->profile_count + 1) * sizeof(*rows));
	if (rows == NULL)
		return ca_error(CA_R_MEMORY, "no memory for profiles");
	init->profiles = rows;
	rows[init->profile_count].name = TAKE(copy);
	rows[init->profile_count].data = TAKE(data);
	rows[init->profile_count++].len = len;
	return 0;
}

static int
is_profile_name(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return entry->d_name[0] != '.' && dot != NULL &&
	    strcmp(dot, ".yaml") == 0;
}

static int
read_profiles(struct init *init)
{
	const char *path = init->options->profiles;
	struct dirent **names = NULL;
	AUTO_FD(fd) = -1;
	int count, rc = 0;

	if (dir_open(path, &fd) < 0)
		return -1;
	count = scandirat(fd, ".", &names, is_profile_name, alphasort);
	if (count < 0)
		return ca_error_errno(CA_R_IO, "cannot list '%s'", path);
	if (count > PROFILES_MAX)
		rc = ca_error(CA_R_INPUT,
		    "there are %d profiles in '%s'; an authority has at most "
		    "%d",
		    count, path, PROFILES_MAX);
	for (int i = 0; i < count; i++) {
		if (rc == 0)
			rc = read_profile(init, fd, names[i]->d_name);
		free(names[i]);
	}
	free(names);
	if (rc == 0 && init->profile_count == 0)
		return ca_error(CA_R_MISSING,
		    "there is no profile (*.yaml) in '%s'; name a directory "
		    "that has some with --profiles",
		    path);
	return rc;
}

/* ---- the directory ---------------------------------------------------- */

/* What an init leaves that was cut off before authority.yaml stood. */
static bool
is_remnant(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
	    strcmp(name, "lock") == 0 ||
	    strncmp(name, ".authority.yaml.tmp-", 20) == 0 ||
	    strncmp(name, ".lock.tmp-", 10) == 0;
}

/* May an authority be made here, or gone on with?  Nothing is touched. */
static int
look_at_directory(const char *dir, bool *ret_begun)
{
	struct dirent **names = NULL;
	AUTO_FD(fd) = -1;
	int count, others = 0;

	*ret_begun = false;
	if (access(dir, F_OK) != 0)
		return 0;
	if (dir_open(dir, &fd) < 0)
		return -1;
	*ret_begun = file_exists_at(fd, "authority.yaml") == 1;
	if (*ret_begun)
		return 0;
	count = scandirat(fd, ".", &names, NULL, NULL);
	if (count < 0)
		return ca_error_errno(CA_R_IO, "cannot list '%s'", dir);
	for (int i = 0; i < count; i++) {
		others += !is_remnant(names[i]->d_name);
		free(names[i]);
	}
	free(names);
	if (others > 0)
		return ca_error(CA_R_EXISTS,
		    "'%s' is not empty and no authority; name a directory that "
		    "is empty or does not exist",
		    dir);
	return 0;
}

/* `text` as a YAML string in single quotes. */
static char *
quote(const char *text)
{
	char *out = malloc(2 * strlen(text) + 3);
	size_t n = 0;

	if (out == NULL)
		return NULL;
	out[n++] = '\'';
	for (; *text != '\0'; text++) {
		if (*text == '\'')
			out[n++] = '\'';
		out[n++] = *text;
	}
	out[n++] = '\'';
	out[n] = '\0';
	return out;
}

/* "  key: 'value'\n", or nothing where there is no value. */
static char *
line(const char *key, const char *value)
{
	AUTO_CHARS(quoted) = NULL;

	if (value == NULL)
		return text_copy("");
	quoted = quote(value);
	return quoted == NULL ? NULL : text_printf("  %s: %s\n", key, quoted);
}

/* The label from the id: its last 32 characters, '/' made '-'. */
static char *
default_label(const char *id)
{
	size_t len = strlen(id);
	char *label = text_copy(len > 32 ? id + len - 32 : id);

	for (char *c = label; c != NULL && *c != '\0'; c++)
		if (*c == '/')
			*c = '-';
	return label;
}

static char *
config_text(const struct authority_options *o)
{
	AUTO_CHARS(title) = quote(o->title != NULL ? o->title : o->id);
	AUTO_CHARS(label) = o->token_label != NULL ? text_copy(o->token_label)
						   : default_label(o->id);
	AUTO_CHARS(module) =
	    line("module", o->module != NULL ? o->module : "embedded");
	AUTO_CHARS(token) = label == NULL ? NULL : line("label", label);
	AUTO_CHARS(crl) = line("crl", o->crl_url);
	AUTO_CHARS(issuers) = line("ca-issuers", o->ca_issuers_url);
	AUTO_CHARS(ocsp) = line("ocsp", o->ocsp_url);

	if (title == NULL || module == NULL || token == NULL || crl == NULL ||
	    issuers == NULL || ocsp == NULL)
		return NULL;
	return text_printf(
	    "# This authority. Its SHA-256 is recorded in the journal: a "
	    "changed file is refused.\n"
	    "format: ca-tool-authority-1\n"
	    "id: '%s'\n"
	    "title: %s\n"
	    "token:\n%s%s"
	    "login: prompt\n"
	    "%s%s%s%s"
	    "# threads that sign, each with a session of its own\n"
	    "jobs: '1'\n",
	    o->id, title, module, token,
	    *crl == '\0' && *issuers == '\0' && *ocsp == '\0'
		? ""
		: "# {issuer} becomes the name of the issuer's certificate\n"
		  "publication:\n",
	    crl, issuers, ocsp);
}

/*
 * authority.yaml, which makes the directory an authority: new, or what the
 * cut-off init with the same options wrote.
 */
static int
write_config(struct init *init, const char *dir)
{
	AUTO_CHARS(text) = config_text(init->options);

	if (text == NULL)
		return -1;
	if (file_write_at(init->authority->fd, "authority.yaml", text,
		strlen(text), 0644, FILE_SAME) == 0)
		return 0;
	if (ca_error_reason() != CA_R_EXISTS)
		return -1;
	return ca_error(CA_R_EXISTS,
	    "'%s' is an authority already, made with other options", dir);
}

static int
write_profiles(struct init *init)
{
	AUTO_FD(fd) = -1;

	if (dir_make_at(init->authority->fd, "profiles", 0755, &fd) < 0 ||
	    dir_sweep(fd) < 0)
		return -1;
	for (size_t i = 0; i < init->profile_count; i++) {
		const struct profile_file *p = &init->profiles[i];

		if (file_write_at(
			fd, p->name, p->data, p->len, 0644, FILE_SAME) < 0)
			return -1;
	}
	return 0;
}

static int
make_directories(struct init *init)
{
	static const struct {
		const char *name;
		mode_t mode;
	} table[] = {
		{ "token", 0700 },
		{ "ceremonies", 0700 },
		{ "public", 0755 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		AUTO_FD(fd) = -1;

		if (dir_make_at(init->authority->fd, table[i].name,
			table[i].mode, &fd) < 0)
			return -1;
	}
	return 0;
}

/* ---- the journal ------------------------------------------------------ */

static int
append_genesis(struct init *init)
{
	const struct authority_config *config = init->authority->config;

	return journal_append(init->authority->journal, ENTRY_GENESIS,
	    json_pack("{s:s, s:s, s:{s:s}, s:{s:s, s:s}}", "authority",
		config->id, "format", "ca-tool-journal-1", "token", "label",
		config->token.label, "tool", "version",
		init->room->tool_version, "sha256", init->room->tool_sha256),
	    "the authority was founded", NULL);
}

/* journal.db: made anew as long as it has no entry. */
static int
open_journal(struct init *init)
{
	struct authority *a = init->authority;
	uint64_t size = 0;
	unsigned char root[HASH_LEN];

	if (journal_create(a->path, &a->journal) < 0) {
		if (ca_error_reason() != CA_R_EXISTS)
			return -1;
		ca_error_clear();
		if (journal_open(a->path, JOURNAL_WRITE, &a->journal) < 0)
			return -1;
	}
	if (authority_set_person(a) < 0 ||
	    journal_head(a->journal, &size, root) < 0)
		return -1;
	if (size == 0 && append_genesis(init) < 0)
		return -1;
	return journal_authority(a->journal, &init->row);
}

/* ---- the token -------------------------------------------------------- */

static bool
is_embedded(const struct init *init)
{
	return init->options->module == NULL;
}

/* Long enough for what can be guessed at, and of a length the token takes. */
static int
check_pin(const struct init *init, const struct secret *pin, const char *what)
{
	const struct token_facts *facts = init->authority->token == NULL
	    ? NULL
	    : token_facts(init->authority->token);

	if (is_embedded(init) && pin->len < EMBEDDED_PIN_MIN)
		return ca_error(CA_R_PIN,
		    "the %s has %zu characters; an embedded token can be "
		    "copied and guessed at without limit, so it needs at least "
		    "%d",
		    what, pin->len, EMBEDDED_PIN_MIN);
	if (facts != NULL &&
	    (pin->len < facts->pin_min || pin->len > facts->pin_max))
		return ca_error(CA_R_PIN,
		    "the %s has %zu characters; this token takes %lu to %lu",
		    what, pin->len, facts->pin_min, facts->pin_max);
	return 0;
}

static int
ask_pins(struct init *init)
{
	const struct room *room = init->room;

	if (room->ask_secret(room->ctx, ROOM_NEW_SO_PIN,
		"new security officer (SO) PIN of the token",
		&init->so_pin) < 0 ||
	    check_pin(init, &init->so_pin, "SO PIN") < 0 ||
	    room->ask_secret(room->ctx, ROOM_NEW_USER_PIN,
		"new user PIN of the token", &init->user_pin) < 0 ||
	    check_pin(init, &init->user_pin, "user PIN") < 0)
		return -1;
	if (init->so_pin.len == init->user_pin.len &&
	    CRYPTO_memcmp(init->so_pin.bytes, init->user_pin.bytes,
		init->so_pin.len) == 0)
		return ca_error(CA_R_PIN,
		    "the SO PIN and the user PIN are the same; choose two");
	return 0;
}

static int
append_token_intent(struct init *init)
{
	return journal_append(init->authority->journal, ENTRY_TOKEN_INTENT,
	    json_pack("{s:s, s:b}", "label",
		init->authority->config->token.label, "embedded",
		is_embedded(init) ? 1 : 0),
	    "the token is about to be initialised", NULL);
}

static int
append_token(struct init *init)
{
	const struct token_facts *t = token_facts(init->authority->token);
	const struct module_facts *m = module_facts(init->authority->module);
	json_t *module = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "path",
	    m->path, "sha256", m->sha256, "manufacturer", m->manufacturer,
	    "description", m->description, "version", m->version, "cryptoki",
	    m->cryptoki);

	return journal_append(init->authority->journal, ENTRY_TOKEN,
	    json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:o}", "label",
		t->label, "serial", t->serial, "manufacturer", t->manufacturer,
		"model", t->model, "hardware", t->hardware, "firmware",
		t->firmware, "flags", (json_int_t)t->flags, "module", module),
	    "the token was initialised", NULL);
}

/*
 * After a cut, another module's token may have been initialised: then one with
 * our label is there.  Ours cannot have a user PIN yet, which is set only after
 * its serial was recorded; one that has is somebody else's, and not even a
 * login is tried on it.
 */
static int
find_half_made(struct init *init, bool *ret_found)
{
	struct authority *a = init->authority;
	const char *label = a->config->token.label;

	*ret_found = false;
	if (token_find(
		a->module, label, init->options->token_serial, &a->token) < 0) {
		if (ca_error_reason() != CA_R_TOKEN)
			return -1;
		ca_error_clear();
		return 0;
	}
	if (token_facts(a->token)->user_pin_set)
		return ca_error(CA_R_TOKEN,
		    "token '%s' has a user PIN already: it is not the one that "
		    "this init was making; begin again in a new directory, "
		    "with another label",
		    label);
	*ret_found = true;
	return 0;
}

/* C_InitToken.  An embedded token is made anew until its facts are recorded. */
static int
initialise_token(struct init *init)
{
	struct authority *a = init->authority;
	AUTO_CHARS(dir) = text_printf("%s/token", a->path);
	bool half_made = false;

	if (dir == NULL)
		return -1;
	if (is_embedded(init) && init->row.token_intended &&
	    softhsm_wipe(dir) < 0)
		return -1;
	if (authority_open_module(a) < 0)
		return -1;
	if (init->row.token_intended && !is_embedded(init) &&
	    find_half_made(init, &half_made) < 0)
		return -1;
	if (half_made)
		return append_token(init);
	if (a->token == NULL &&
	    token_find_blank(
		a->module, init->options->token_serial, &a->token) < 0)
		return -1;
	if (!init->row.token_intended && append_token_intent(init) < 0)
		return -1;
	if (token_initialise(a->token, a->config->token.label, &init->so_pin) <
	    0)
		return -1;
	return append_token(init);
}

static int
open_token(struct init *init)
{
	struct authority *a = init->authority;

	if (init->row.token_serial == NULL)
		return initialise_token(init);
	if (authority_open_module(a) < 0)
		return -1;
	return token_find(a->module, a->config->token.label,
	    init->row.token_serial, &a->token);
}

/* User PIN, login, and the journal's own key. */
static int
make_journal_key(struct init *init)
{
	struct authority *a = init->authority;
	AUTO_STRUCT(key_row) key = { 0 };
	bool found = false;

	if (journal_key(a->journal, JOURNAL_KEY, &found, &key) < 0)
		return -1;
	found = found && key.state == KEY_LIVE;
	if (!found &&
	    token_set_user_pin(a->token, &init->so_pin, &init->user_pin) < 0)
		return -1;
	if (authority_login_with(a, &init->user_pin, init->room, "init") < 0)
		return -1;
	if (found)
		return 0;
	return authority_make_key(
	    a, "init", JOURNAL_KEY, "p-256", "journal", "none");
}

/* ---- ready ------------------------------------------------------------ */

static int
append_profiles(struct init *init)
{
	for (size_t i = 0; i < init->profile_count; i++) {
		const struct profile_file *p = &init->profiles[i];
		unsigned char digest[32];
		char hex[65];
		AUTO_CHARS(name) =
		    text_printf("%.*s", (int)strlen(p->name) - 5, p->name);
		AUTO_CHARS(text) = name == NULL
		    ? NULL
		    : text_printf("profile '%s' may be used", name);

		if (text == NULL || name == NULL ||
		    sha256(p->data, p->len, digest) < 0)
			return -1;
		text_hex_into(digest, sizeof(digest), hex);
		if (journal_append(init->authority->journal, ENTRY_PROFILE,
			json_pack("{s:s, s:s}", "profile", name, "sha256", hex),
			text, NULL) < 0)
			return -1;
	}
	return 0;
}

/* Configuration, profiles and the state, all or nothing. */
static int
make_ready(struct init *init)
{
	struct journal *journal = init->authority->journal;

	if (init->row.ready)
		return 0;
	if (journal_begin(journal) < 0)
		return -1;
	if (journal_append(journal, ENTRY_CONFIG,
		json_pack("{s:s}", "sha256", init->authority->config_sha256),
		"authority.yaml was recorded", NULL) < 0 ||
	    append_profiles(init) < 0 ||
	    journal_append(journal, ENTRY_STATE,
		json_pack(
		    "{s:s, s:s}", "subject", "authority", "state", "ready"),
		"the authority is ready", NULL) < 0) {
		journal_rollback(journal);
		return -1;
	}
	return journal_commit(journal);
}

/* An authority that has its first checkpoint is finished. */
static int
refuse_finished(struct init *init, const char *dir)
{
	AUTO_CHARS(note) = NULL;
	bool found = false;

	if (!init->row.ready)
		return 0;
	if (journal_last_checkpoint(init->authority->journal, &found, &note) <
	    0)
		return -1;
	if (found)
		return ca_error(CA_R_EXISTS,
		    "'%s' is an authority already; nothing was changed", dir);
	return 0;
}

static int
open_directory(struct init *init, const char *dir)
{
	struct authority *a = init->authority;
	char path[PATH_MAX];
	bool empty = false;

	if (dir_make(dir, 0700, &a->fd, &empty) < 0)
		return -1;
	if (realpath(dir, path) == NULL)
		return ca_error_errno(
		    CA_R_IO, "cannot find the path of '%s'", dir);
	a->path = text_copy(path);
	if (a->path == NULL || lock_take(a->fd, "lock", &a->lock) < 0 ||
	    dir_sweep(a->fd) < 0)
		return -1;
	return write_config(init, dir);
}

/* A token with the label that ours would have is not ours. */
static int
refuse_taken_label(struct init *init)
{
	AUTO_PTR(token) *other = NULL;
	AUTO_CHARS(label) = init->options->token_label != NULL
	    ? text_copy(init->options->token_label)
	    : default_label(init->options->id);

	if (label == NULL)
		return -1;
	if (token_find(init->authority->module, label, NULL, &other) == 0)
		return ca_error(CA_R_TOKEN,
		    "there is a token '%s' already; choose another label with "
		    "--token",
		    label);
	if (ca_error_reason() != CA_R_TOKEN)
		return -1;
	ca_error_clear();
	return 0;
}

/*
 * Everything that can be refused before anything is made: module, token, PINs.
 */
static int
prepare(struct init *init, const char *dir, bool *ret_begun)
{
	struct authority *a = init->authority;

	if (look_at_directory(dir, ret_begun) < 0)
		return -1;
	if (*ret_begun)
		return 0;
	if (is_embedded(init)) {
		if (softhsm_library() == NULL)
			return ca_error(CA_R_MODULE,
			    "SoftHSM is not installed; install the package "
			    "softhsm2, or name a module with --module");
		return ask_pins(init);
	}
	if (module_open(init->options->module, &a->module) < 0 ||
	    refuse_taken_label(init) < 0 ||
	    token_find_blank(
		a->module, init->options->token_serial, &a->token) < 0)
		return -1;
	return ask_pins(init);
}

static int
run_init(struct init *init, const char *dir)
{
	const struct room *room = init->room;
	AUTO_CHARS(note) = NULL;
	bool begun = false;

	if (prepare(init, dir, &begun) < 0 || open_directory(init, dir) < 0 ||
	    authority_load_config(init->authority, init->findings) < 0 ||
	    make_directories(init) < 0 || write_profiles(init) < 0 ||
	    open_journal(init) < 0 || refuse_finished(init, dir) < 0)
		return -1;
	if (begun && ask_pins(init) < 0)
		return -1;
	room->show(room->ctx, ROOM_PHASE, "Initialising the token");
	if (open_token(init) < 0)
		return -1;
	room->show(room->ctx, ROOM_PHASE, "Making the journal's key");
	if (make_journal_key(init) < 0 || make_ready(init) < 0)
		return -1;
	return authority_checkpoint(init->authority, -1, &note);
}

int
authority_init(const char *dir, const struct authority_options *options,
    const struct room *room, struct findings *findings)
{
	AUTO_STRUCT(init)
	init = {
		.options = options,
		.room = room,
		.findings = findings,
	};

	if (check_options(options) < 0 || read_profiles(&init) < 0)
		return -1;
	init.authority = calloc(1, sizeof(*init.authority));
	if (init.authority == NULL)
		return ca_error(CA_R_MEMORY, "no memory for an authority");
	init.authority->fd = init.authority->lock = -1;
	return run_init(&init, dir);
}
