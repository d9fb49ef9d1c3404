/*
 * Confirming in the room: operators' signatures over the list of what is about
 * to be signed and done.
 */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/approve.h"
#include "ceremony/run-private.h"

void
confirmation_of(const unsigned char *list, size_t len, const char *prefix,
    struct statement_kind *ret_kind)
{
	*ret_kind = (struct statement_kind){
		.purpose = SIGNATURE_CONFIRM,
		.folder = "confirmations",
		.prefix = prefix,
		.content = list,
		.len = len,
	};
}

static int
show_listed(void *ctx, size_t item)
{
	return spool_show_item(ctx, item);
}

/* Has this one's confirmation of this list an entry? */
struct confirmed_search {
	const char *name;
	int list;
	bool found;
};

static int
match_confirmed(void *ctx, const struct statement_row *row)
{
	struct confirmed_search *search = ctx;

	if (row->list == search->list && strcmp(row->name, search->name) == 0)
		search->found = true;
	return 0;
}

static int
journal_one(struct run *run, const struct statement *row, const char *sha256)
{
	struct journal *journal = journal_of_run(run);
	struct confirmed_search search = {
		.name = row->person->name,
		.list = (int)run->lists - 1,
	};
	unsigned char digest[HASH_LEN];
	char statement[HASH_HEX_SIZE];
	AUTO_CHARS(text) = text_printf(
	    "'%s' confirmed list %u", row->person->name, run->lists - 1);

	if (text == NULL ||
	    journal_each_statement(
		journal, run->nonce, match_confirmed, &search) < 0)
		return -1;
	if (search.found)
		return 0;
	if (journal_evidence_put(journal, row->der, row->len, digest) < 0)
		return -1;
	text_hex_into(digest, HASH_LEN, statement);
	return journal_append(journal, ENTRY_CONFIRMATION,
	    json_pack("{s:s, s:i, s:s, s:s, s:s, s:s}", "run", run->nonce,
		"list", (int)run->lists - 1, "sha256", sha256, "set",
		run->set->id, "name", row->person->name, "statement",
		statement),
	    text, NULL);
}

/* All of them, or none. */
static int
journal_confirmations(struct run *run, const struct statements *confirmations)
{
	struct journal *journal = journal_of_run(run);
	AUTO_CHARS(sha256) = sha256_hex(run->list, run->list_len);

	if (sha256 == NULL || journal_begin(journal) < 0)
		return -1;
	for (size_t i = 0; i < confirmations->count; i++)
		if (journal_one(run, &confirmations->rows[i], sha256) < 0) {
			journal_rollback(journal);
			return -1;
		}
	return journal_commit(journal);
}

/* What people can do where not enough are in the room. */
static int
too_few(struct run *run, const struct statements *confirmations)
{
	AUTO_CHARS(why) = ca_error_take();
	AUTO_CHARS(names) = NULL;

	if (why == NULL || statements_names(confirmations, &names) < 0)
		return -1;
	return ca_error(CA_R_QUORUM,
	    "%u operators must confirm the list, and %zu did (%s); nothing was "
	    "signed, and the run stays open: go on with 'ca-tool plan run "
	    "--resume' when more are there, or take ceremonies/%s and "
	    "quorum/%s to another machine and run 'ca-tool plan confirm' "
	    "there: %s",
	    run->set->threshold, confirmations->count, names,
	    run->plan->directory, run->set->id, why);
}

static int
ask(struct run *run, const struct statement_kind *kind,
    struct statements *confirmations, bool *ret_no)
{
	struct statement_ask ask = {
		.operators = &run->operators,
		.why = "to confirm the list",
		.question = "Is every line of this list right?",
		.items = spool_items(run),
		.show = show_listed,
		.ctx = run,
	};

	if (statements_ask(
		run->fd, kind, &ask, run->set->threshold, confirmations) == 0)
		return 0;
	if (ca_error_reason() == CA_R_POLICY && ask.refused_by != NULL) {
		*ret_no = true;
		ca_error_clear();
		return ca_error(CA_R_POLICY, "'%s' did not confirm the list",
		    ask.refused_by->name);
	}
	return ca_error_reason() == CA_R_QUORUM ? too_few(run, confirmations)
						: -1;
}

static int
show_confirmed(struct run *run, const struct statements *confirmations)
{
	AUTO_CHARS(names) = NULL;
	AUTO_CHARS(text) = NULL;

	if (statements_names(confirmations, &names) < 0)
		return -1;
	text = text_printf("Confirmed by %s.", names);
	if (text == NULL)
		return -1;
	run->room->show(run->room->ctx, ROOM_TEXT, text);
	return 0;
}

int
confirm_list(struct run *run, bool *ret_no)
{
	AUTO_CHARS(prefix) = text_printf("%u-", run->lists - 1);
	AUTO_CHARS(sha256) = sha256_hex(run->list, run->list_len);
	AUTO_STRUCT(statements) confirmations = { 0 };
	struct statement_kind kind;

	if (prefix == NULL || sha256 == NULL || spool_show(run) < 0 ||
	    room_digest(run->room, "This list, SHA-256:", sha256) < 0)
		return -1;
	if (plan_unattended(run->plan)) {
		run->room->show(run->room->ctx, ROOM_WARNING,
		    "this plan was approved to run unattended: nobody is asked "
		    "to confirm the list");
		return 0;
	}
	confirmation_of(run->list, run->list_len, prefix, &kind);
	if (statements_load(
		run->fd, &kind, run->set, run->findings, &confirmations) < 0)
		return -1;
	if (confirmations.count < run->set->threshold &&
	    ask(run, &kind, &confirmations, ret_no) < 0)
		return -1;
	if (show_confirmed(run, &confirmations) < 0)
		return -1;
	return journal_confirmations(run, &confirmations);
}
