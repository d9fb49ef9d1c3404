#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ca-tool/command.h"
#include "ca-tool/interrupt.h"
#include "ca-tool/session.h"
#include "ceremony/journal/journal.h"

struct show {
	bool json;
	uint64_t skip; /* entries that --last leaves out */
};

/* jansson's strings are UTF-8; what they hold is still escaped. */
static int
print_member(const json_t *entry, const char *name, int width)
{
	const char *value = json_string_value(json_object_get(entry, name));
	AUTO_CHARS(safe) =
	    value != NULL ? text_escape(value, strlen(value)) : NULL;

	if (value == NULL)
		return ca_error(
		    CA_R_CORRUPT, "a journal entry has no '%s'", name);
	if (safe == NULL)
		return -1;
	printf("  %-*s", width, safe);
	return 0;
}

static int
print_entry(uint64_t seq, const char *line, size_t len)
{
	json_t *entry = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	int ret;

	if (entry == NULL)
		return ca_error(CA_R_CORRUPT, "journal entry %llu is not JSON",
		    (unsigned long long)seq);
	printf("%5llu", (unsigned long long)seq);
	ret = print_member(entry, "time", 0) != 0 ||
		print_member(entry, "kind", 13) != 0 ||
		print_member(entry, "text", 0) != 0
	    ? -1
	    : 0;
	printf("\n");
	json_decref(entry);
	return ret;
}

static int
show_entry(void *ctx, uint64_t seq, const char *line, size_t len)
{
	struct show *show = ctx;

	if (interrupt_pending())
		return ca_error(CA_R_INTERRUPTED, "interrupted by a signal");
	if (show->skip > 0) {
		show->skip--;
		return 0;
	}
	if (!show->json)
		return print_entry(seq, line, len);
	printf("%.*s\n", (int)len, line);
	return 0;
}

static int
count_entry(void *ctx, uint64_t seq, const char *line, size_t len)
{
	uint64_t *count = ctx;

	(void)seq;
	(void)line;
	(void)len;
	(*count)++;
	return 0;
}

static int
read_kind(const struct session *session, enum entry_kind *ret_kind)
{
	const char *name = session->options.value[OPT_KIND];

	*ret_kind = ENTRY_KINDS;
	if (name == NULL || entry_kind_by_name(name, ret_kind) == 0)
		return 0;
	ca_error_clear();
	return ca_error(CA_R_USAGE,
	    "option '--kind': there is no kind of entry '%s'; 'ca-tool "
	    "journal show' shows the kinds in its third column",
	    name);
}

/* --last counts what --kind and --from leave. */
static int
find_skip(struct session *session, struct journal *journal, uint64_t from,
    enum entry_kind kind, uint64_t *ret_skip)
{
	unsigned long long last;
	uint64_t count = 0;

	*ret_skip = 0;
	if (!session->options.given[OPT_LAST])
		return 0;
	if (options_number(&session->options, OPT_LAST, INT64_MAX, 0, &last) !=
		0 ||
	    journal_each_entry(journal, from, kind, count_entry, &count) != 0)
		return -1;
	*ret_skip = count > last ? count - last : 0;
	return 0;
}

/* Needs the journal alone: an authority that is damaged can still be read. */
int
cmd_journal_show(struct session *session)
{
	struct show show = { .json = session_json(session) };
	AUTO_PTR(journal) *journal = NULL;
	unsigned long long from;
	enum entry_kind kind;

	if (read_kind(session, &kind) != 0 ||
	    options_number(&session->options, OPT_FROM, INT64_MAX, 0, &from) !=
		0 ||
	    journal_open(session_authority(session), JOURNAL_READ, &journal) !=
		0 ||
	    find_skip(session, journal, from, kind, &show.skip) != 0)
		return -1;
	session->json_written = show.json;
	return journal_each_entry(journal, from, kind, show_entry, &show);
}
