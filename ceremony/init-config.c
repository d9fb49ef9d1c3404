/*
 * What a new authority is asked to be: options, profiles, authority.yaml.
 */
#include <dirent.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ceremony/init-private.h"

enum { PROFILE_MAX_BYTES = 256 * 1024, PROFILES_MAX = 256 };

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

int
init_check_options(const struct authority_options *o)
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

int
init_read_profiles(struct init *init)
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

/* ---- authority.yaml ---------------------------------------------------- */

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
char *
init_default_label(const char *id)
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
						   : init_default_label(o->id);
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
int
init_write_config(struct init *init, const char *dir)
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

int
init_write_profiles(struct init *init)
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
