#include "ceremony/head.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/authority-private.h"
#include "pkcs11/data.h"

/* ---- reading ---------------------------------------------------------- */

struct reading {
	bool found;
	struct head head;
};

static void
reading_clear(struct reading *reading)
{
	head_clear(&reading->head);
}
CLEANUP_DEFINE_STRUCT(reading);

static bool
is_newer(const struct head *a, const struct head *b)
{
	return a->epoch != b->epoch ? a->epoch > b->epoch : a->size > b->size;
}

/* The newest that is whole: the other is what a cut write left. */
static int
take_newest(void *ctx, const unsigned char *bytes, size_t len)
{
	struct reading *reading = ctx;
	AUTO_STRUCT(head) head = { 0 };

	if (head_parse(bytes, len, &head) < 0) {
		ca_error_clear();
		return 0;
	}
	if (reading->found && !is_newer(&head, &reading->head))
		return 0;
	head_clear(&reading->head);
	reading->head = head;
	reading->found = true;
	head.origin = NULL;
	return 0;
}

/* ---- what a refusal says ---------------------------------------------- */

#define STOP_AND_LOOK                                                       \
	" Nothing was signed. Stop, keep journal.db and the token as they " \
	"are, and find out who had them and when"

static const struct {
	enum head_relation relation;
	bool may_lag, may_clash; /* rules beside HEAD_FITS that take it */
	const char *what, *way_out;
} relations[] = {
	{ HEAD_ABSENT, true, false,
	    "the token holds no head of this journal, though one was written: "
	    "it was emptied, or is a replacement",
	    "; where it was replaced on purpose, run a plan with the step "
	    "'adopt-token'" },
	{ HEAD_OLDER, true, false,
	    "the token's head is older than the one that was written last: "
	    "the token was restored from a copy",
	    "; where it was restored on purpose, run a plan with the step "
	    "'adopt-token'" },
	{ HEAD_SHORTER, false, true,
	    "the journal is shorter than the token's head says: the disk was "
	    "restored from an older copy, and something may have been signed "
	    "that this journal does not know",
	    "; put the newest journal.db back, or, where it is lost for good, "
	    "run a plan with the step 'recover-journal'" },
	{ HEAD_FORKED, false, true,
	    "the journal is another one than that whose head the token holds: "
	    "it was forked, and something may have been signed that this "
	    "journal does not know",
	    "; put the right journal.db back, or, where it is lost for good, "
	    "run a plan with the step 'recover-journal'" },
	{ HEAD_FOREIGN, false, false,
	    "the token holds the head of another authority's journal",
	    "; put the token of this authority in" },
};

/* What the three sizes are, for whoever looks into it. */
static int
refuse(struct journal *journal, const struct reading *reading, const char *what,
    const char *way_out)
{
	AUTO_STRUCT(authority_row) row = { 0 };
	unsigned char root[HASH_LEN];
	uint64_t size = 0;
	AUTO_CHARS(held) = NULL;

	if (journal_authority(journal, &row) < 0 ||
	    journal_head(journal, &size, root) < 0)
		return -1;
	held = reading->found ? text_printf("%" PRIu64 " of '%s'",
				    reading->head.size, reading->head.origin)
			      : text_copy("none");
	if (held == NULL)
		return -1;
	return ca_error(CA_R_VERIFY,
	    "%s (entries: journal %" PRIu64 " of '%s', token %s, recorded "
	    "%" PRIu64 ")." STOP_AND_LOOK "%s",
	    what, size, row.origin, held, row.has_head ? row.head_size : 0,
	    way_out);
}

static int
judge(struct journal *journal, enum head_rule rule,
    const struct reading *reading, enum head_relation relation)
{
	if (relation == HEAD_FITS && rule == HEAD_MUST_CLASH)
		return ca_error(CA_R_STATE,
		    "the journal goes on from the token's head: there is "
		    "nothing to recover");
	for (size_t i = 0; i < sizeof(relations) / sizeof(relations[0]); i++) {
		if (relations[i].relation != relation)
			continue;
		if ((rule == HEAD_MAY_LAG && relations[i].may_lag) ||
		    ((rule == HEAD_MUST_CLASH || rule == HEAD_MAY_CLASH) &&
			relations[i].may_clash))
			return 0;
		return refuse(
		    journal, reading, relations[i].what, relations[i].way_out);
	}
	return 0;
}

int
head_check(struct authority *authority, enum head_rule rule, bool *ret_found,
    struct head *ret_head)
{
	struct journal *journal = authority_journal(authority);
	AUTO_STRUCT(reading) reading = { 0 };
	enum head_relation relation = HEAD_FOREIGN;

	if (data_each(authority_token(authority), HEAD_LABEL, take_newest,
		&reading) < 0 ||
	    head_compare(
		journal, reading.found ? &reading.head : NULL, &relation) < 0 ||
	    judge(journal, rule, &reading, relation) < 0)
		return -1;
	if (ret_head != NULL) {
		*ret_found = reading.found;
		*ret_head = reading.head;
		reading.head.origin = NULL;
	}
	return 0;
}

/* ---- writing ---------------------------------------------------------- */

static int
journal_it(struct authority *authority, const struct head *head)
{
	char root[HASH_HEX_SIZE];

	text_hex_into(head->root, HASH_LEN, root);
	return journal_append(authority->journal, ENTRY_HEAD,
	    json_pack("{s:s, s:s, s:s, s:I, s:I, s:s}", "run",
		authority->run[0] == '\0' ? "init" : authority->run, "serial",
		token_facts(authority->token)->serial, "origin", head->origin,
		"epoch", (json_int_t)head->epoch, "size",
		(json_int_t)head->size, "root", root),
	    HEAD_ENTRY_TEXT, NULL);
}

int
head_write(struct authority *authority)
{
	AUTO_STRUCT(authority_row) row = { 0 };
	AUTO_STRUCT(head) head = { 0 };
	AUTO_CHARS(text) = NULL;

	if (journal_authority(authority->journal, &row) < 0 ||
	    journal_head(authority->journal, &head.size, head.root) < 0)
		return -1;
	head.epoch = row.epoch;
	head.origin = TAKE(row.origin);
	if (head_compose(&head, &text) < 0 ||
	    data_write(authority->token, HEAD_LABEL, text, strlen(text)) < 0 ||
	    data_keep_only(authority->token, HEAD_LABEL, text, strlen(text)) <
		0)
		return -1;
	return journal_it(authority, &head);
}
