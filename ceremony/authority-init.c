/*
 * Making an authority.  Every act is preceded by what tells, after a cut at
 * any moment, how far it came; `init` run again goes on from there.
 */
#include <dirent.h>
#include <limits.h>
#include <string.h>

#include <openssl/rand.h>

#include "base/date.h"
#include "base/error.h"
#include "base/file.h"
#include "base/lock.h"
#include "base/text.h"
#include "ceremony/authority-private.h"
#include "ceremony/enrol.h"
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
	enum login_kind login;
	struct quorum_set *proposal; /* as the set file has it */
	struct quorum_set *set;      /* as it was founded */
	struct operators operators;  /* of that set */
	struct secret secret;        /* until the PINs are derived */
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
	operators_clear(&init->operators);
	if (init->proposal != NULL)
		quorum_set_free(init->proposal);
	if (init->set != NULL)
		quorum_set_free(init->set);
	secret_clear(&init->secret);
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
check_quorum_options(const struct authority_options *o)
{
	const char *alphabet;
	enum login_kind kind = LOGIN_DERIVED;

	if (o->set == NULL)
		return ca_error(CA_R_USAGE,
		    "--operators is missing; name the set file, which says who "
		    "the operators are and how many of them must agree (their "
		    "keys are made with 'ca-tool operator new')");
	if (o->login != NULL && login_kind_by_name(o->login, &kind) < 0)
		return ca_error(CA_R_USAGE,
		    "--login '%s' is none; there are 'derived', 'adopted', "
		    "'prompt' and 'protected-path'",
		    o->login);
	if ((kind == LOGIN_ADOPTED || kind == LOGIN_PROTECTED_PATH) &&
	    o->module == NULL)
		return ca_error(CA_R_USAGE,
		    "--login '%s' is for a token that exists; name its module "
		    "with --module",
		    o->login);
	if (!login_has_shares(kind) &&
	    (o->pin_format != NULL || o->pin_length != 0 || o->allow_short_pin))
		return ca_error(CA_R_USAGE,
		    "--pin-format, --pin-length and --allow-short-pin are for "
		    "PINs that are derived, and with --login '%s' none is",
		    o->login);
	if (o->pin_format != NULL && pin_alphabet(o->pin_format, &alphabet) < 0)
		return -1;
	for (size_t i = 0; o->unattended != NULL && o->unattended[i] != NULL;
	     i++)
		if (!may_run_unattended(o->unattended[i]))
			return ca_error(CA_R_USAGE,
			    "--unattended '%s': steps of this kind never run "
			    "without confirmation; 'crl' may",
			    o->unattended[i]);
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
	return check_quorum_options(o);
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

/* "pin:" where something of it was asked for, else "". */
static char *
pin_text(const struct authority_options *o)
{
	AUTO_CHARS(format) = line("format", o->pin_format);
	AUTO_CHARS(number) = o->pin_length == 0
	    ? text_copy("")
	    : text_printf("  length: '%u'\n", o->pin_length);

	if (format == NULL || number == NULL)
		return NULL;
	if (*format == '\0' && *number == '\0' && !o->allow_short_pin)
		return text_copy("");
	return text_printf("pin:\n%s%s%s", format, number,
	    o->allow_short_pin ? "  allow-short-pin: 'true'\n" : "");
}

static char *
unattended_text(const struct authority_options *o)
{
	char *text = text_copy(o->unattended == NULL || *o->unattended == NULL
		? ""
		: "unattended:\n");

	for (size_t i = 0;
	     text != NULL && o->unattended != NULL && o->unattended[i] != NULL;
	     i++) {
		AUTO_CHARS(before) = text;

		text = text_printf("%s  - '%s'\n", before, o->unattended[i]);
	}
	return text;
}

static char *
config_text(const struct authority_options *o)
{
	AUTO_CHARS(pin) = pin_text(o);
	AUTO_CHARS(unattended) = unattended_text(o);
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
	    issuers == NULL || ocsp == NULL || pin == NULL ||
	    unattended == NULL)
		return NULL;
	return text_printf(
	    "# This authority. Its SHA-256 is recorded in the journal: a "
	    "changed file is refused.\n"
	    "format: ca-tool-authority-1\n"
	    "id: '%s'\n"
	    "title: %s\n"
	    "token:\n%s%s"
	    "# where the token's PINs come from\n"
	    "login: %s\n"
	    "%s%s"
	    "%s%s%s%s"
	    "# threads that sign, each with a session of its own\n"
	    "jobs: '1'\n",
	    o->id, title, module, token,
	    o->login == NULL ? "derived" : o->login, pin, unattended,
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
		{ "quorum", 0700 },
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
	unsigned char octets[NONCE_LEN];
	char nonce[2 * NONCE_LEN + 1];

	/* So that no two first entries are the same. */
	if (RAND_bytes(octets, sizeof(octets)) != 1)
		return ca_error(CA_R_INTERNAL, "no random octets");
	text_hex_into(octets, sizeof(octets), nonce);
	return journal_append(init->authority->journal, ENTRY_GENESIS,
	    json_pack("{s:s, s:s, s:{s:s}, s:{s:s, s:s}, s:{s:s, s:s}, s:s}",
		"authority", config->id, "format", "ca-tool-journal-1", "token",
		"label", config->token.label, "tool", "version",
		init->room->tool_version, "sha256", init->room->tool_sha256,
		"quorum", "set", init->set->id, "sha256", init->set->sha256,
		"nonce", nonce),
	    "the authority was founded", NULL);
}

/* What an earlier try journalled, if it came so far. */
static int
look_at_journal(struct init *init)
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
	return size == 0 ? 0 : journal_authority(a->journal, &init->row);
}

/* The first entries, all or nothing: the founding, and by whom. */
static int
append_first(struct init *init)
{
	if (append_genesis(init) < 0 ||
	    enrol_journal(init->authority, init->set) < 0)
		return -1;
	return enrol_quorum_entry(init->authority, init->set, "active", NULL,
	    "init", "the set of operators is in force");
}

static int
begin_journal(struct init *init)
{
	struct authority *a = init->authority;
	int fd;

	if (init->row.id == NULL) {
		if (journal_begin(a->journal) < 0)
			return -1;
		if (append_first(init) < 0) {
			journal_rollback(a->journal);
			return -1;
		}
		if (journal_commit(a->journal) < 0 ||
		    journal_authority(a->journal, &init->row) < 0)
			return -1;
	}
	return authority_quorum_fd(a, &fd) < 0
	    ? -1
	    : set_make_current(fd, init->set->id);
}

/* ---- the quorum ------------------------------------------------------- */

static int
is_set_directory(const struct dirent *entry)
{
	return strlen(entry->d_name) == SET_ID_HEX_SIZE - 1 &&
	    strspn(entry->d_name, "0123456789abcdef") == SET_ID_HEX_SIZE - 1;
}

/* Once the journal knows it, it must be what the journal knows. */
static int
load_founded(struct init *init, int quorum_fd, const char *id)
{
	AUTO_STRUCT(quorum_row) row = { 0 };
	bool found = false;

	if (init->row.id == NULL)
		return set_load(quorum_fd, id, NULL, &init->set);
	if (journal_quorum(init->authority->journal, &found, &row) < 0)
		return -1;
	if (!found)
		return ca_error(
		    CA_R_CORRUPT, "the journal was begun without a quorum set");
	return set_load(quorum_fd, row.set, row.sha256, &init->set);
}

/* The set that an earlier try founded: the only one in quorum/. */
static int
find_founded(struct init *init, int quorum_fd)
{
	struct dirent **names = NULL;
	int count = scandirat(quorum_fd, ".", &names, is_set_directory, NULL);
	int rc = 0;

	if (count < 0)
		return ca_error_errno(CA_R_IO, "cannot list 'quorum'");
	if (count > 1)
		rc = ca_error(CA_R_STATE,
		    "there are %d sets in 'quorum', and an init makes one; "
		    "remove the directory of this authority and begin again",
		    count);
	else if (count == 1)
		rc = load_founded(init, quorum_fd, names[0]->d_name);
	else if (init->row.id != NULL)
		rc = ca_error(CA_R_MISSING,
		    "the set that the journal was begun with is not in "
		    "'quorum'; put it back");
	for (int i = 0; i < count; i++)
		free(names[i]);
	free(names);
	return rc;
}

/* What becomes of a set that is not taken up, in words. */
static int
show_dropped(struct init *init, unsigned enrolled, const char *names)
{
	AUTO_CHARS(text) = text_printf(
	    "quorum set %s of an init that was cut off is not used: %u enrolled "
	    "in it, and before %u have, nothing shows that it was not written "
	    "by somebody else; a new set is made, and everybody enrols in "
	    "that%s%s",
	    init->set->id, enrolled, init->set->threshold,
	    enrolled == 0 ? "" : ", also ", names);

	if (text == NULL)
		return -1;
	init->room->show(init->room->ctx, ROOM_WARNING, text);
	return 0;
}

/*
 * Nothing pins a set before the journal does: whoever can write to quorum/
 * could have founded it, with a secret of their own and shares for the
 * operators' public certificates.  It is taken up only if as many operators as
 * are needed for anything have signed exactly this set, else made anew.
 */
static int
drop_unproven(struct init *init, int quorum_fd)
{
	AUTO_CHARS(names) = NULL;
	unsigned enrolled = 0;

	if (init->row.id != NULL)
		return 0;
	if (enrol_count(init->authority, init->set, &enrolled, &names) < 0)
		return -1;
	if (enrolled >= init->set->threshold)
		return 0;
	if (show_dropped(init, enrolled, names) < 0 ||
	    set_remove(quorum_fd, init->set->id) < 0)
		return -1;
	quorum_set_free(TAKE(init->set));
	return 0;
}

/* Found the set, or go on with the one that an earlier try founded. */
static int
establish_set(struct init *init)
{
	struct authority *a = init->authority;
	int fd;

	if (authority_quorum_fd(a, &fd) < 0 || set_sweep(fd) < 0 ||
	    find_founded(init, fd) < 0)
		return -1;
	if (init->set != NULL && !set_is_proposal_of(init->proposal, init->set))
		return ca_error(CA_R_STATE,
		    "'quorum/%s' was made from another set file; give that "
		    "one, or remove the directory '%s' and begin again",
		    init->set->id, a->path);
	if (init->set != NULL && drop_unproven(init, fd) < 0)
		return -1;
	if (init->set == NULL) {
		if (enrol_found(a, init->proposal, NULL, 0, &init->secret) < 0)
			return -1;
		init->set = TAKE(init->proposal);
	}
	if (operators_open(init->room, init->set, &init->operators) < 0)
		return -1;
	init->operators.in_use = a->module;
	return 0;
}

static int
show_set(struct init *init)
{
	const struct room *room = init->room;
	const char *const warnings[] = { set_warning(init->set),
		login_warning(init->login) };
	AUTO_CHARS(line) = text_printf("quorum set %s: %u of %u operators",
	    init->set->id, init->set->threshold, init->set->operators);

	if (line == NULL)
		return -1;
	room->show(room->ctx, ROOM_PHASE, "Enrolling the operators");
	room->show(room->ctx, ROOM_TEXT, line);
	for (size_t i = 0; i < sizeof(warnings) / sizeof(warnings[0]); i++)
		if (warnings[i] != NULL)
			room->show(room->ctx, ROOM_WARNING, warnings[i]);
	return 0;
}

static int
enrol_set(struct init *init)
{
	if (establish_set(init) < 0 || show_set(init) < 0)
		return -1;
	if (init->row.id != NULL)
		return 0; /* journalled, so all have enrolled */
	return enrol_people(init->authority, &init->operators, false);
}

/* Both PINs from the secret; it is taken from M shares where it is not here. */
static int
derive_pins(struct init *init)
{
	struct authority *a = init->authority;
	json_t *people = NULL;
	int fd;

	if (!login_has_shares(init->login) || init->user_pin.len > 0)
		return 0;
	init->operators.in_use = a->module;
	if (authority_quorum_fd(a, &fd) < 0)
		return -1;
	if (init->secret.len == 0) {
		if (operators_take_secret(
			&init->operators, fd, &init->secret, &people) < 0)
			return -1;
		json_decref(people);
	}
	if (authority_derive_pin(
		a, init->set, &init->secret, PIN_USER, &init->user_pin) < 0 ||
	    authority_derive_pin(
		a, init->set, &init->secret, PIN_SO, &init->so_pin) < 0)
		return -1;
	secret_clear(&init->secret);
	return 0;
}

/* ---- the token -------------------------------------------------------- */

static bool
is_embedded(const struct init *init)
{
	return init->options->module == NULL;
}

/* Was the token initialised by somebody else, before this authority was? */
static bool
is_given(const struct init *init)
{
	return init->login == LOGIN_ADOPTED ||
	    init->login == LOGIN_PROTECTED_PATH;
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

	if (init->login != LOGIN_PROMPT)
		return 0;
	if (room->ask_secret(room->ctx, ROOM_NEW_SO_PIN, NULL,
		"new security officer (SO) PIN of the token",
		&init->so_pin) < 0 ||
	    check_pin(init, &init->so_pin, "SO PIN") < 0 ||
	    room->ask_secret(room->ctx, ROOM_NEW_USER_PIN, NULL,
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
	    is_given(init)
		? "the user PIN of the token is about to be changed to the "
		  "derived one"
		: "the token is about to be initialised",
	    NULL);
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
	    is_given(init) ? "the token, which was initialised before, is the "
			     "authority's"
			   : "the token was initialised",
	    NULL);
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
		return derive_pins(init) < 0 ? -1 : append_token(init);
	if (a->token == NULL &&
	    token_find_blank(
		a->module, init->options->token_serial, &a->token) < 0)
		return -1;
	if (derive_pins(init) < 0 ||
	    (!init->row.token_intended && append_token_intent(init) < 0))
		return -1;
	if (token_initialise(a->token, a->config->token.label, &init->so_pin) <
	    0)
		return -1;
	return append_token(init);
}

/* ---- a token that a vendor's tool initialised ------------------------- */

static int
find_given(struct init *init)
{
	struct authority *a = init->authority;

	if (authority_open_module(a) < 0)
		return -1;
	if (a->token == NULL &&
	    token_find(a->module, a->config->token.label,
		init->options->token_serial, &a->token) < 0)
		return -1;
	if (!token_facts(a->token)->user_pin_set)
		return ca_error(CA_R_TOKEN,
		    "token '%s' has no user PIN; set one with its maker's tool "
		    "first",
		    a->config->token.label);
	if (init->login == LOGIN_PROTECTED_PATH &&
	    !token_facts(a->token)->protected_path)
		return ca_error(CA_R_TOKEN,
		    "token '%s' has no PIN pad or cards of its own "
		    "(CKF_PROTECTED_AUTHENTICATION_PATH)",
		    a->config->token.label);
	return 0;
}

/* After a cut the derived PIN may be the token's already: it is tried once. */
static int
is_changed(struct init *init, bool *ret_changed)
{
	struct token *token = init->authority->token;

	*ret_changed = false;
	if (!init->row.token_intended)
		return 0;
	if (authority_may_try(init->authority, init->room) < 0)
		return -1;
	if (token_login(token, &init->user_pin) == 0) {
		token_logout(token);
		*ret_changed = true;
		return 0;
	}
	if (ca_error_reason() != CA_R_PIN)
		return -1;
	ca_error_clear();
	return 0;
}

/* The user PIN that the vendor's tool set becomes the derived one. */
static int
take_over_pin(struct init *init)
{
	const struct room *room = init->room;
	struct token *token = init->authority->token;
	AUTO_STRUCT(secret) pin = { 0 };
	AUTO_CHARS(prompt) = text_printf(
	    "present user PIN of token '%s'", token_facts(token)->label);
	bool changed = false;

	if (prompt == NULL || derive_pins(init) < 0 ||
	    is_changed(init, &changed) < 0)
		return -1;
	if (changed)
		return 0;
	if (!init->row.token_intended && append_token_intent(init) < 0)
		return -1;
	if (authority_may_try(init->authority, room) < 0 ||
	    room->ask_secret(room->ctx, ROOM_USER_PIN, NULL, prompt, &pin) < 0)
		return -1;
	return token_change_user_pin(token, &pin, &init->user_pin);
}

static int
take_over_token(struct init *init)
{
	if (find_given(init) < 0 ||
	    (init->login == LOGIN_ADOPTED && take_over_pin(init) < 0))
		return -1;
	return append_token(init);
}

static int
open_token(struct init *init)
{
	struct authority *a = init->authority;

	if (init->row.token_serial == NULL)
		return is_given(init) ? take_over_token(init)
				      : initialise_token(init);
	if (authority_open_module(a) < 0)
		return -1;
	if (a->token == NULL &&
	    token_find(a->module, a->config->token.label,
		init->row.token_serial, &a->token) < 0)
		return -1;
	return derive_pins(init);
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
	if (!found && !is_given(init) &&
	    token_set_user_pin(a->token, &init->so_pin, &init->user_pin) < 0)
		return -1;
	if (authority_login_with(a,
		init->login == LOGIN_PROTECTED_PATH ? NULL : &init->user_pin,
		init->room, "init") < 0)
		return -1;
	secret_clear(&init->so_pin);
	secret_clear(&init->user_pin);
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
		if (journal_evidence_put(init->authority->journal, p->data,
			p->len, digest) < 0 ||
		    journal_append(init->authority->journal, ENTRY_PROFILE,
			json_pack("{s:s, s:s}", "profile", name, "sha256", hex),
			text, NULL) < 0)
			return -1;
	}
	return 0;
}

/* Configuration and profiles, all or nothing. */
static int
journal_config(struct init *init)
{
	struct journal *journal = init->authority->journal;
	unsigned char digest[HASH_LEN];

	if (init->row.config_sha256 != NULL)
		return 0;
	if (journal_begin(journal) < 0)
		return -1;
	/* What is changed later is held against these bytes. */
	if (journal_evidence_put(journal, init->authority->config_bytes,
		init->authority->config_len, digest) < 0 ||
	    journal_append(journal, ENTRY_CONFIG,
		json_pack("{s:s}", "sha256", init->authority->config_sha256),
		"authority.yaml was recorded", NULL) < 0 ||
	    append_profiles(init) < 0) {
		journal_rollback(journal);
		return -1;
	}
	return journal_commit(journal);
}

static int
make_ready(struct init *init)
{
	if (init->row.ready)
		return 0;
	return journal_append(init->authority->journal, ENTRY_STATE,
	    json_pack("{s:s, s:s}", "subject", "authority", "state", "ready"),
	    "the authority is ready", NULL);
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

/* The token that is to be taken over is there; authority.yaml is not yet. */
static int
find_promised(struct init *init)
{
	AUTO_CHARS(label) = init->options->token_label != NULL
	    ? text_copy(init->options->token_label)
	    : default_label(init->options->id);

	return label == NULL
	    ? -1
	    : token_find(init->authority->module, label,
		  init->options->token_serial, &init->authority->token);
}

/* A PIN in the format that is asked for, as long as this token wants it. */
static int
check_pin_format(struct init *init)
{
	const struct authority_options *o = init->options;
	const struct token_facts *facts = init->authority->token == NULL
	    ? NULL
	    : token_facts(init->authority->token);
	struct pin_format format = { .length = o->pin_length };
	size_t length = 0;

	if (!login_has_shares(init->login))
		return 0;
	if (o->pin_format != NULL &&
	    pin_alphabet(o->pin_format, &format.alphabet) < 0)
		return -1;
	return pin_length(&format, facts == NULL ? 0 : facts->pin_min,
	    facts == NULL ? PIN_HEX_LEN : facts->pin_max, o->allow_short_pin,
	    &length);
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
	if (module_open(init->options->module, &a->module) < 0)
		return -1;
	if (is_given(init))
		return find_promised(init);
	if (refuse_taken_label(init) < 0 ||
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

	if (prepare(init, dir, &begun) < 0 || check_pin_format(init) < 0 ||
	    open_directory(init, dir) < 0 ||
	    authority_load_config(init->authority, init->findings) < 0 ||
	    make_directories(init) < 0 || write_profiles(init) < 0 ||
	    look_at_journal(init) < 0 || refuse_finished(init, dir) < 0)
		return -1;
	if (begun && ask_pins(init) < 0)
		return -1;
	if (enrol_set(init) < 0 || begin_journal(init) < 0)
		return -1;
	room->show(room->ctx, ROOM_PHASE,
	    is_given(init) ? "Taking over the token"
			   : "Initialising the token");
	if (open_token(init) < 0)
		return -1;
	room->show(room->ctx, ROOM_PHASE, "Making the journal's key");
	if (make_journal_key(init) < 0 || journal_config(init) < 0)
		return -1;
	room->show(room->ctx, ROOM_PHASE, "Signing the anchor");
	init->operators.in_use = init->authority->module;
	if (authority_anchor(init->authority, &init->operators) < 0 ||
	    make_ready(init) < 0)
		return -1;
	return authority_checkpoint(init->authority, -1, NULL, NULL, &note);
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
		.login = LOGIN_DERIVED,
	};

	if (check_options(options) < 0)
		return -1;
	if (options->login != NULL &&
	    login_kind_by_name(options->login, &init.login) < 0)
		return -1;
	if (enrol_read_set(options->set, login_has_shares(init.login), findings,
		&init.proposal) < 0 ||
	    read_profiles(&init) < 0)
		return -1;
	init.authority = authority_new();
	return init.authority == NULL ? -1 : run_init(&init, dir);
}
