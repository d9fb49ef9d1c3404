/* `ca-tool crl diff`: what changed from one CRL to another, in full. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ca-tool/command.h"
#include "ca-tool/session.h"
#include "ceremony/steps/scope.h"
#include "profiles/certificate.h"
#include "profiles/crl-reader.h"
#include "profiles/input.h"

enum { SERIAL_TEXT = 2 * SERIAL_LEN + 1 };

struct side {
	unsigned char *der;
	struct der octets;
	struct der_source source;
	struct crl_head head;
	struct crl_scope scope;
	struct crl_cursor cursor;
	struct crl_entry entry;
	bool there;
};

struct diff {
	struct session *session;
	struct side old, new;
	uint64_t kept, added, gone, changed;
	json_t *rows; /* --json */
};

static void
side_clear(struct side *side)
{
	free(side->der);
	crl_head_clear(&side->head);
	crl_scope_clear(&side->scope);
	crl_cursor_clear(&side->cursor);
}

static void
diff_clear(struct diff *diff)
{
	side_clear(&diff->old);
	side_clear(&diff->new);
	json_decref(diff->rows);
}
CLEANUP_DEFINE_STRUCT(diff);

static int
side_next(struct side *side)
{
	return crl_cursor_next(&side->cursor, &side->entry, &side->there);
}

static int
side_open(const char *path, struct side *side)
{
	AUTO_BYTES(data) = NULL;
	size_t len = 0;

	if (file_read_at(AT_FDCWD, path, CRL_MAX_BYTES, &data, &len) < 0 ||
	    input_read(path, "CRL", "X509 CRL", CRL_MAX_BYTES, data, len,
		&side->der, &side->octets.len) < 0)
		return -1;
	side->octets.p = side->der;
	side->source = der_source_memory(&side->octets);
	if (crl_head_read(path, &side->source, &side->head) < 0 ||
	    crl_scope_of(side->head.extensions, &side->scope) < 0 ||
	    crl_cursor_open(&side->source, &side->head, &side->cursor) < 0)
		return -1;
	return side_next(side);
}

static int
check_sides(const struct diff *diff)
{
	const struct crl_head *a = &diff->old.head, *b = &diff->new.head;

	if (a->issuer_len != b->issuer_len ||
	    memcmp(a->issuer_der, b->issuer_der, a->issuer_len) != 0)
		return ca_error(
		    CA_R_INPUT, "the two CRLs are of different issuers");
	if (!crl_scope_equal(&diff->old.scope, &diff->new.scope))
		return ca_error(CA_R_INPUT,
		    "the two CRLs are about different certificates: their "
		    "issuing distribution points are not the same");
	return 0;
}

/* "2026-11-20T12:00:00Z superseded", of a number where it has no name here. */
static char *
entry_text(const struct crl_entry *entry)
{
	char date[DATE_TEXT_SIZE], invalid[DATE_TEXT_SIZE] = "";
	const char *name = reason_name(entry->reason);

	date_format(entry->date, date);
	if (entry->invalidity != 0)
		date_format(entry->invalidity, invalid);
	return text_printf("%s %s%s%s", date, name,
	    entry->invalidity != 0 ? ", invalid from " : "", invalid);
}

static int
show(struct diff *diff, const char *what, const struct crl_entry *old,
    const struct crl_entry *new)
{
	const struct crl_entry *any = old != NULL ? old : new;
	AUTO_CHARS(was) = old == NULL ? NULL : entry_text(old);
	AUTO_CHARS(is) = new == NULL ? NULL : entry_text(new);
	char serial[SERIAL_TEXT];

	if ((old != NULL && was == NULL) || (new != NULL &&is == NULL))
		return -1;
	text_hex_into(any->serial, any->serial_len, serial);
	if (diff->rows == NULL) {
		printf("%s %s %s%s%s\n", what, serial, was == NULL ? "" : was,
		    was != NULL && is != NULL ? ", now " : "",
		    is == NULL ? "" : is);
		return 0;
	}
	return json_array_append_new(diff->rows,
		   json_pack("{s:s, s:s, s:s?, s:s?}", "change", what, "serial",
		       serial, "old", was, "new", is)) == 0
	    ? 0
	    : ca_error(CA_R_MEMORY, "no memory for a report");
}

static bool
is_same(const struct crl_entry *a, const struct crl_entry *b)
{
	return a->date == b->date && a->reason == b->reason &&
	    a->invalidity == b->invalidity;
}

/* The next serial number of either. */
static int
step(struct diff *diff)
{
	struct side *old = &diff->old, *new = &diff->new;
	int order = !old->there ? 1
	    : !new->there       ? -1
				: crl_entry_compare(&old->entry, &new->entry);

	if (order < 0) {
		diff->gone++;
		return show(diff, "gone", &old->entry, NULL) < 0
		    ? -1
		    : side_next(old);
	}
	if (order > 0) {
		diff->added++;
		return show(diff, "new", NULL, &new->entry) < 0
		    ? -1
		    : side_next(new);
	}
	if (is_same(&old->entry, &new->entry))
		diff->kept++;
	else if (diff->changed++,
	    show(diff, "changed", &old->entry, &new->entry) < 0)
		return -1;
	return side_next(old) < 0 ? -1 : side_next(new);
}

static int
report(struct diff *diff)
{
	const struct crl_head *old = &diff->old.head, *new = &diff->new.head;

	if (diff->rows == NULL) {
		printf("from number %" PRIu64 ", %" PRIu64
		       " entries, to number %" PRIu64 ", %" PRIu64
		       " entries: %" PRIu64 " kept, %" PRIu64 " new, %" PRIu64
		       " changed, %" PRIu64 " gone\n",
		    old->number, old->entries, new->number, new->entries,
		    diff->kept, diff->added, diff->changed, diff->gone);
		return 0;
	}
	return session_report(diff->session, "diff",
		   json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:O}",
		       "old_number", (json_int_t)old->number, "new_number",
		       (json_int_t) new->number, "kept", (json_int_t)diff->kept,
		       "new", (json_int_t)diff->added, "changed",
		       (json_int_t)diff->changed, "gone",
		       (json_int_t)diff->gone, "changes", diff->rows)) == NULL
	    ? -1
	    : 0;
}

int
cmd_crl_diff(struct session *session)
{
	AUTO_STRUCT(diff) diff = { .session = session };
	char **args = session->options.args;

	if (side_open(args[0], &diff.old) < 0 ||
	    side_open(args[1], &diff.new) < 0 || check_sides(&diff) < 0)
		return -1;
	if (session_json(session)) {
		diff.rows = json_array();
		if (diff.rows == NULL)
			return ca_error(CA_R_MEMORY, "no memory for a report");
	}
	while (diff.old.there || diff.new.there)
		if (step(&diff) < 0)
			return -1;
	return report(&diff);
}
