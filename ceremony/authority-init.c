/*
 * Making an authority.  Every act is preceded by what tells, after a cut at
 * any moment, how far it came; `init` run again goes on from there.
 */
#include <dirent.h>
#include <limits.h>
#include <string.h>

#include <openssl/rand.h>

#include "base/error.h"
#include "base/file.h"
#include "base/lock.h"
#include "base/text.h"
#include "ceremony/init-private.h"

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
	return init_write_config(init, dir);
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
	if (init_is_embedded(init)) {
		if (softhsm_library() == NULL)
			return ca_error(CA_R_MODULE,
			    "SoftHSM is not installed; install the package "
			    "softhsm2, or name a module with --module");
		return init_ask_pins(init);
	}
	if (module_open(init->options->module, &a->module) < 0)
		return -1;
	if (init_is_given(init))
		return init_find_promised(init);
	if (init_refuse_taken_label(init) < 0 ||
	    token_find_blank(
		a->module, init->options->token_serial, &a->token) < 0)
		return -1;
	return init_ask_pins(init);
}

static int
run_init(struct init *init, const char *dir)
{
	const struct room *room = init->room;
	AUTO_CHARS(note) = NULL;
	bool begun = false;

	if (prepare(init, dir, &begun) < 0 || init_check_pin_format(init) < 0 ||
	    open_directory(init, dir) < 0 ||
	    authority_load_config(init->authority, init->findings) < 0 ||
	    make_directories(init) < 0 || init_write_profiles(init) < 0 ||
	    look_at_journal(init) < 0 || refuse_finished(init, dir) < 0)
		return -1;
	if (begun && init_ask_pins(init) < 0)
		return -1;
	if (init_enrol(init) < 0 || begin_journal(init) < 0)
		return -1;
	room->show(room->ctx, ROOM_PHASE,
	    init_is_given(init) ? "Taking over the token"
				: "Initialising the token");
	if (init_open_token(init) < 0)
		return -1;
	room->show(room->ctx, ROOM_PHASE, "Making the journal's key");
	if (init_make_journal_key(init) < 0 || journal_config(init) < 0)
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

	if (init_check_options(options) < 0)
		return -1;
	if (options->login != NULL &&
	    login_kind_by_name(options->login, &init.login) < 0)
		return -1;
	if (enrol_read_set(options->set, login_has_shares(init.login), findings,
		&init.proposal) < 0 ||
	    init_read_profiles(&init) < 0)
		return -1;
	init.authority = authority_new();
	return init.authority == NULL ? -1 : run_init(&init, dir);
}
