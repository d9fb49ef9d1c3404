/*
 * Intents: the issuer is there and may issue, serials and CRL numbers were not
 * spent before, times are those of the run.
 */
#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "ceremony/audit/objects-private.h"

enum { SERIAL_BITS_MIN = 64 };

static unsigned
bits_of(const unsigned char *octets, size_t len)
{
	size_t skip = 0;
	unsigned bits;

	while (skip < len && octets[skip] == 0)
		skip++;
	if (skip == len)
		return 0;
	bits = (unsigned)(len - skip) * 8;
	for (unsigned char first = octets[skip]; (first & 0x80) == 0;
	     first = (unsigned char)(first << 1))
		bits--;
	return bits;
}

/* FLD-SERIAL-ENTROPY */
static int
check_serial_size(struct audit *audit, const struct audit_entry *entry)
{
	const char *serial = audit_text(entry, "serial");
	AUTO_BYTES(octets) = NULL;
	size_t len;

	if (text_unhex(serial, &octets, &len) != 0)
		return -1;
	if (bits_of(octets, len) < SERIAL_BITS_MIN || len > SERIAL_LEN ||
	    (octets[0] & 0x80) != 0)
		audit_error(audit, entry, "AUDIT-SERIAL",
		    "serial %s is no positive number of 64 bits or more, and "
		    "of 20 octets at most",
		    serial);
	return 0;
}

/*
 * FLD-SERIAL-UNIQUE, by the key: its name can be spelled in several ways.
 * Whatever became of the intent, the serial is spent.
 */
static int
check_serial_unique(struct audit *audit, const struct audit_entry *entry)
{
	const char *key = audit_text(entry, "key");
	const char *serial = audit_text(entry, "serial");
	int64_t seq;
	bool found;

	if (sql_number(audit->journal,
		"SELECT seq FROM audit_serials WHERE key = ?1 AND serial = ?2",
		SQL_VALUES(sql_text(key), sql_text(serial)), &found, &seq) != 0)
		return -1;
	if (found) {
		audit_error(audit, entry, "AUDIT-SERIAL",
		    "the key that signs has used serial %s before (entry "
		    "%lld)",
		    serial, (long long)seq);
		return 0;
	}
	return sql_run(audit->journal, serial,
	    "INSERT INTO audit_serials (key, serial, seq) VALUES (?1, ?2, ?3)",
	    SQL_VALUES(
		sql_text(key), sql_text(serial), sql_int((int64_t)entry->seq)));
}

/* It is built when it is listed, or up to 12 hours before. */
static int
check_backdating(struct audit *audit, const struct audit_objects_state *state,
    const struct audit_entry *entry, const char *member)
{
	int64_t from, listed = entry->time;
	char text[DATE_TEXT_SIZE];

	if (date_parse(audit_text(entry, member), &from) != 0)
		return -1;
	for (size_t i = 0; i < state->list_count; i++)
		if (state->lists[i].list == audit_number(entry, "list"))
			listed = state->lists[i].time;
	if (from >= listed - AUDIT_BACKDATE_MAX &&
	    from <= listed + AUDIT_BACKDATE_MAX)
		return 0;
	date_format(listed, text);
	audit_warning(audit, entry, "AUDIT-BACKDATED",
	    "'%s' begins at %s, and was listed at %s: it says another time "
	    "than that of its making",
	    audit_text(entry, "name"), audit_text(entry, member), text);
	return 0;
}

/* ISSUER-REVOKED: a revoked CA issues nothing but its CRLs. */
static int
check_issuer_revoked(struct audit *audit, const struct audit_entry *entry,
    const struct object_row *issuer)
{
	bool revoked = false;

	if (journal_revocation(audit->journal, issuer->issuer_dn,
		issuer->serial, &revoked) != 0)
		return -1;
	if (revoked)
		audit_error(audit, entry, "AUDIT-ISSUER",
		    "the certificate '%s' that issues '%s' was revoked before",
		    issuer->name, audit_text(entry, "name"));
	return 0;
}

/* Its certificate is there before anything is signed for it. */
static int
check_issuer_signed(struct audit *audit, const struct audit_entry *entry)
{
	const char *name = audit_text(entry, "issuer");
	bool certificate =
	    strcmp(audit_text(entry, "kind"), "certificate") == 0;
	AUTO_STRUCT(object_row) row = { 0 };
	bool found = false;

	if (certificate && strcmp(name, audit_text(entry, "name")) == 0)
		return 0; /* a root: audit_certificate() sees to it */
	if (journal_object(audit->journal, "certificate", name, &found, &row) !=
	    0)
		return -1;
	if (!found) {
		audit_error(audit, entry, "AUDIT-ISSUER",
		    "the certificate '%s' that issues '%s' was not signed, or "
		    "taken in, before",
		    name, audit_text(entry, "name"));
		return 0;
	}
	if (row.spki == NULL || strcmp(row.spki, audit_text(entry, "key")) != 0)
		audit_error(audit, entry, "AUDIT-ISSUER",
		    "'%s' is not signed with the key of its issuer '%s'",
		    audit_text(entry, "name"), name);
	return certificate ? check_issuer_revoked(audit, entry, &row) : 0;
}

/* CRL-NUMBER-STRICT: above every number that the issuer spent, or lost. */
static int
check_number(struct audit *audit, const struct audit_entry *entry)
{
	uint64_t number;
	int64_t last;
	bool found;

	if (text_number(audit_text(entry, "number"), INT64_MAX, &number) != 0 ||
	    sql_number(audit->journal,
		"SELECT MAX(ifnull(MAX(number), 0),"
		" ifnull(MAX(number) FILTER (WHERE objects.seq < epoch_seq), 0)"
		" + lost)"
		" FROM authority LEFT JOIN objects ON issuer_dn = ?1"
		" AND number IS NOT NULL AND objects.seq < ?2",
		SQL_VALUES(sql_text(audit_text(entry, "issuer_dn")),
		    sql_int((int64_t)entry->seq)),
		&found, &last) != 0)
		return -1;
	if (found && number <= (uint64_t)last)
		audit_error(audit, entry, "AUDIT-CRL-NUMBER",
		    "CRL '%s' has number %" PRIu64 ", which is not above %lld, "
		    "which its issuer has spent before",
		    audit_text(entry, "name"), number, (long long)last);
	return 0;
}

/* ---- what was confirmed ------------------------------------------------ */

static bool
has_list(const struct audit_objects_state *state, int64_t number)
{
	for (size_t i = 0; i < state->list_count; i++)
		if (state->lists[i].list == number)
			return state->lists[i].read;
	return false;
}

/* The members of an intent that are not the facts of its object. */
static bool
is_place(const char *member)
{
	static const char *const places[] = { "run", "list", "object", "kind",
		"name", "key", "algorithm", "tbs" };

	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
		if (strcmp(places[i], member) == 0)
			return true;
	return false;
}

/* The first member in which they differ; NULL: none. */
static const char *
difference(const json_t *intent, json_t *facts)
{
	const char *member;
	json_t *value;

	json_object_foreach(audit_read_only(intent), member, value)
	{
		if (!is_place(member) &&
		    !json_equal(value, json_object_get(facts, member)))
			return member;
	}
	json_object_foreach(facts, member, value)
	{
		if (is_place(member) || json_object_get(intent, member) == NULL)
			return member;
	}
	return NULL;
}

static void
compare_facts(
    struct audit *audit, const struct audit_entry *entry, const char *text)
{
	AUTO(json_t) *facts = text == NULL
	    ? NULL
	    : json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	const char *member =
	    facts == NULL ? NULL : difference(entry->data, facts);

	if (facts == NULL)
		audit_error(audit, entry, "AUDIT-FACTS",
		    "the list that was confirmed does not say what '%s' is",
		    audit_text(entry, "name"));
	else if (member != NULL)
		audit_error(audit, entry, "AUDIT-FACTS",
		    "'%s' of '%s' is not as in the list that was confirmed",
		    member, audit_text(entry, "name"));
}

/*
 * Also of what is never signed, as far as anybody knows: then nothing else says
 * which serial or number is spent.
 */
static int
check_listed_facts(struct audit *audit, const struct audit_objects_state *state,
    const struct audit_entry *entry)
{
	AUTO_STRUCT(query) query = { 0 };
	AUTO_CHARS(text) = NULL;
	bool row;

	if (!has_list(state, audit_number(entry, "list")))
		return 0; /* the list's evidence has a finding */
	if (query_start(audit->journal,
		"SELECT facts FROM audit_facts WHERE run = ?1 AND list = ?2"
		" AND object = ?3",
		SQL_VALUES(sql_text(audit_text(entry, "run")),
		    sql_int(audit_number(entry, "list")),
		    sql_int(audit_number(entry, "object"))),
		&query) != 0 ||
	    query_step(&query, &row) != 0)
		return -1;
	if (row && query_text(&query, 0, &text) != 0)
		return -1;
	compare_facts(audit, entry, text);
	return 0;
}

int
audit_intent(struct audit *audit, const struct audit_objects_state *state,
    const struct audit_entry *entry)
{
	const char *kind = audit_text(entry, "kind");

	if (check_listed_facts(audit, state, entry) != 0)
		return -1;
	if (strcmp(kind, "csr") == 0)
		return 0;
	if (check_issuer_signed(audit, entry) != 0)
		return -1;
	if (strcmp(kind, "crl") == 0)
		return check_number(audit, entry) != 0
		    ? -1
		    : check_backdating(audit, state, entry, "this_update");
	return check_serial_size(audit, entry) != 0 ||
		check_serial_unique(audit, entry) != 0
	    ? -1
	    : check_backdating(audit, state, entry, "not_before");
}

/* ---- lists ------------------------------------------------------------ */

/* A line that is no object, or malformed, is none of this file's. */
static int
keep_facts(
    struct audit *audit, const struct audit_entry *entry, const json_t *row)
{
	const json_t *object = json_object_get(row, "object");
	const json_t *facts = json_object_get(row, "facts");
	AUTO_CHARS(text) = NULL;

	if (!json_is_integer(object) || !json_is_object(facts))
		return 0;
	text = json_dumps(facts, JSON_COMPACT);
	if (text == NULL)
		return ca_error(CA_R_MEMORY, "no memory for an audit");
	return sql_run(audit->journal, text,
	    "INSERT OR REPLACE INTO audit_facts (run, list, object, facts)"
	    " VALUES (?1, ?2, ?3, ?4)",
	    SQL_VALUES(sql_text(audit_text(entry, "run")),
		sql_int(audit_number(entry, "list")),
		sql_int(json_integer_value(object)), sql_text(text)));
}

int
audit_list(struct audit *audit, struct audit_objects_state *state,
    const struct audit_entry *entry)
{
	struct audit_list *lists;
	bool read = false;

	if (audit_each_listed(audit, entry, keep_facts, &read) != 0)
		return -1;
	if (audit_number(entry, "list") == 0)
		state->list_count = 0;
	lists = realloc(
	    state->lists, (state->list_count + 1) * sizeof(*state->lists));
	if (lists == NULL)
		return ca_error(CA_R_MEMORY, "no memory for an audit");
	state->lists = lists;
	lists[state->list_count++] =
	    (struct audit_list){ audit_number(entry, "list"), entry->time,
		    read };
	return 0;
}
