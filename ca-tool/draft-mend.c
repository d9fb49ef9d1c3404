/* Plans that change the authority itself, and the ways out. */
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ca-tool/draft.h"
#include "ceremony/steps/special.h"

/* `why` is for those who come a year later. */
static void
put_why(struct draft *draft)
{
	draft_say(draft, STEP_INDENT,
	    "For those who come a year later, in a sentence.");
	draft_blank(draft, STEP_INDENT, "why", "why");
}

static void
begin(struct draft *draft, const char *kind, const char *what)
{
	draft_gap(draft);
	draft_say(draft, 2, "%s", what);
	draft_step(draft, kind);
}

/* ---- reshare ---------------------------------------------------------- */

struct backups {
	struct draft *draft;
	size_t count;
};

static int
put_backup(void *ctx, const char *serial, const char *text)
{
	struct backups *backups = ctx;
	struct draft *draft = backups->draft;
	AUTO_CHARS(safe) = text_escape(
	    text != NULL ? text : "", text != NULL ? strlen(text) : 0);

	if (safe == NULL)
		return -1;
	if (backups->count++ == 0) {
		draft_say(draft, STEP_INDENT,
		    "The token's backups that the journal knows. The old "
		    "shares go on to open them: destroyed, remade or kept?");
		fprintf(draft->out, "%*sbackups:\n", STEP_INDENT, "");
	}
	draft_say(draft, STEP_INDENT + 2, "%s", safe);
	fprintf(draft->out, "%*s-\n", STEP_INDENT + 2, "");
	draft_put(draft, STEP_INDENT + 4, "serial", serial);
	draft_blank(
	    draft, STEP_INDENT + 4, "fate", "destroyed or remade or kept");
	draft_blank(draft, STEP_INDENT + 4, "note", "by whom and when");
	return 0;
}

int
draft_reshare(struct draft *draft)
{
	struct backups backups = { draft, 0 };
	const struct quorum_set *set = NULL;

	if (authority_quorum(draft->authority, &set) < 0 ||
	    draft_head(draft, "New set of operators") < 0)
		return -1;
	begin(draft, "reshare",
	    "A new set takes the place of the one in force, with a new secret "
	    "and new PINs. It is the only step of its plan.");
	draft_say(draft, STEP_INDENT,
	    "In force: %u of %u operators must agree. The new set file is "
	    "relative to this plan.",
	    set->threshold, set->operators);
	draft_blank(draft, STEP_INDENT, "set", "new set file");
	return reshare_each_backup(draft->journal, put_backup, &backups);
}

/* ---- destroy-key ------------------------------------------------------ */

struct key_choice {
	struct draft *draft;
	char *only;
	size_t count;
};

/* The keys that nothing rests on any more: of retired CAs. */
static int
take_retired(void *ctx, const struct key_row *row)
{
	struct key_choice *choice = ctx;

	if (row->state != KEY_LIVE || strcmp(row->purpose, "ca") != 0 ||
	    row->ca_state != CA_RETIRED)
		return 0;
	choice->count++;
	free(choice->only);
	choice->only = text_copy(row->name);
	return choice->only != NULL ? 0 : -1;
}

static int
find_key(struct draft *draft, char **ret_key)
{
	AUTO_STRUCT(key_row) row = { 0 };
	struct key_choice choice = { .draft = draft };
	bool found = false;

	if (draft->name != NULL) {
		if (journal_key(draft->journal, draft->name, &found, &row) < 0)
			return -1;
		if (!found || row.state != KEY_LIVE)
			return ca_error(CA_R_MISSING,
			    "there is no key '%s' on the token; 'ca-tool key "
			    "list' lists those there are",
			    draft->name);
		*ret_key = text_copy(draft->name);
		return *ret_key != NULL ? 0 : -1;
	}
	if (journal_each_key(draft->journal, NULL, take_retired, &choice) < 0 ||
	    choice.count != 1) {
		free(choice.only);
		return choice.count == 1 ? -1 : 0;
	}
	*ret_key = choice.only;
	return 0;
}

int
draft_destroy_key(struct draft *draft)
{
	AUTO_CHARS(key) = NULL;
	AUTO_CHARS(title) = NULL;

	if (find_key(draft, &key) < 0)
		return -1;
	title = text_printf("Destroy %s%s", key != NULL ? "key " : "a key",
	    key != NULL ? key : "");
	if (title == NULL || draft_head(draft, title) < 0)
		return -1;
	begin(draft, "destroy-key",
	    "The key is destroyed on the token, last of all in the run, and "
	    "cannot be had back. Backups of the token still hold it.");
	draft_put_or_blank(draft, STEP_INDENT, "key", key, "name of the key");
	put_why(draft);
	return 0;
}

/* ---- ways out --------------------------------------------------------- */

int
draft_abandon(struct draft *draft)
{
	AUTO_STRUCT(run_row) run = { 0 };
	bool found = false;
	AUTO_CHARS(title) = NULL;

	if (journal_open_run(draft->journal, &found, &run) < 0)
		return -1;
	if (!found)
		return ca_error(CA_R_STATE,
		    "no run is open, so there is nothing to abandon");
	title = text_printf("Close the cut-off run of %s", run.plan);
	if (title == NULL || draft_head(draft, title) < 0)
		return -1;
	begin(draft, "abandon",
	    "'ca-tool plan run --resume' goes on with the run instead. "
	    "Abandoned, what it signed is published, what it perhaps signed is "
	    "revoked, and its unused keys are destroyed.");
	draft_put(draft, STEP_INDENT, "plan", run.plan);
	put_why(draft);
	return 0;
}

/* What differs from the journal's record. */
struct changes {
	struct draft *draft;
	size_t count;
};

static int
say_change(void *ctx, const char *profile, const char *sha256)
{
	struct changes *changes = ctx;
	AUTO_CHARS(path) = text_printf("profiles/%s.yaml", profile);
	unsigned char digest[HASH_LEN];
	char hex[HASH_HEX_SIZE];

	if (path == NULL)
		return -1;
	if (file_sha256_at(
		authority_fd(changes->draft->authority), path, digest) < 0) {
		ca_error_clear();
		draft_say(changes->draft, 2, "- gone: %s", path);
		changes->count++;
		return 0;
	}
	text_hex_into(digest, sizeof(digest), hex);
	if (strcmp(hex, sha256) == 0)
		return 0;
	draft_say(
	    changes->draft, 2, "- changed: %s, SHA-256 now %s", path, hex);
	changes->count++;
	return 0;
}

int
draft_adopt_config(struct draft *draft)
{
	AUTO_STRUCT(authority_row) row = { 0 };
	struct changes changes = { draft, 0 };
	const char *now = authority_config_sha256(draft->authority);

	if (journal_authority(draft->journal, &row) < 0 ||
	    draft_head(draft, "Take in authority.yaml and profiles") < 0)
		return -1;
	draft_gap(draft);
	draft_say(draft, 2,
	    "Records authority.yaml and profiles/ as they are now. What "
	    "differs from the journal, beside profiles that are new:");
	if (row.config_sha256 == NULL || strcmp(row.config_sha256, now) != 0) {
		draft_say(
		    draft, 2, "- changed: authority.yaml, SHA-256 now %s", now);
		changes.count++;
	}
	if (journal_each_profile(draft->journal, say_change, &changes) < 0)
		return -1;
	if (changes.count == 0)
		draft_say(draft, 2, "- nothing");
	draft_step(draft, "adopt-config");
	put_why(draft);
	return 0;
}

int
draft_adopt_token(struct draft *draft)
{
	AUTO_STRUCT(authority_row) row = { 0 };

	if (journal_authority(draft->journal, &row) < 0 ||
	    draft_head(draft, "Another token takes over") < 0)
		return -1;
	begin(draft, "adopt-token",
	    "For a clone, a replacement or a restored copy, with the same "
	    "keys. The old token must not be used again.");
	draft_say(draft, STEP_INDENT,
	    "The journal has the token '%s' with serial number %s.",
	    row.token_label != NULL ? row.token_label : "?",
	    row.token_serial != NULL ? row.token_serial : "?");
	draft_blank(
	    draft, STEP_INDENT, "serial", "serial number of the new token");
	draft_say(draft, STEP_INDENT,
	    "Where its label is another one: 'label: LABEL'.");
	put_why(draft);
	return 0;
}

int
draft_correct_clock(struct draft *draft)
{
	char now[DATE_TEXT_SIZE], last[DATE_TEXT_SIZE];
	int64_t time = 0;

	if (journal_last_time(draft->journal, &time) < 0 ||
	    draft_head(draft, "The clock was wrong") < 0)
		return -1;
	date_format(draft->now, now);
	date_format(time, last);
	begin(draft, "correct-clock",
	    "Takes the clock of today for right, though a run gave a later "
	    "time.");
	draft_say(draft, STEP_INDENT,
	    "The journal's last run was at %s; this clock says %s, which is "
	    "%s.",
	    last, now,
	    draft->now < time ? "before that"
			      : "not before that, so this plan is not needed "
				"and will be refused");
	put_why(draft);
	return 0;
}

int
draft_recover_journal(struct draft *draft)
{
	if (draft_head(draft, "Go on with an older journal") < 0)
		return -1;
	begin(draft, "recover-journal",
	    "Only where the newest journal is lost for good: what it knew is "
	    "not known any more. Put the newest journal.db back if there is "
	    "any.");
	put_why(draft);
	draft_say(draft, STEP_INDENT,
	    "Checkpoints that operators took home, relative to this plan; "
	    "where there are none, leave out both lines.");
	fprintf(draft->out, "%*sreceipts:\n%*s- <file with a receipt>\n",
	    STEP_INDENT, "", STEP_INDENT + 2, "");
	draft->blanks++;
	return 0;
}
