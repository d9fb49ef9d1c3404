/* OCSP responses, a window at a time: as apply.c, which see. */
#include "base/error.h"
#include "ceremony/journal/store.h"

int
apply_ocsp_intent(struct journal *journal, const struct entry *entry)
{
	const char *name = entry_text(entry, "name");
	int64_t from, until;

	if (entry_check_list(journal, entry) != 0 ||
	    entry_check_evidence(journal, entry, "items") != 0 ||
	    entry_date(entry, "this_update", &from) != 0 ||
	    entry_date(entry, "next_update", &until) != 0)
		return -1;
	if (entry_number(entry, "count") == 0)
		return entry_contradiction(
		    entry, name, "has a window without responses");
	if (sql_run(journal, name,
		"INSERT INTO ocsp_windows (seq, run, list, number, name, first,"
		" count, issuer, issuer_dn, key, responder, valid_from,"
		" valid_until, intended) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7,"
		" ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
		SQL_VALUES(sql_int((int64_t)entry->seq),
		    sql_text(entry_text(entry, "run")),
		    sql_int(entry_number(entry, "list")),
		    sql_int(entry_number(entry, "window")), sql_text(name),
		    sql_int(entry_number(entry, "first")),
		    sql_int(entry_number(entry, "count")),
		    sql_text(entry_text(entry, "issuer")),
		    sql_text(entry_text(entry, "issuer_dn")),
		    sql_text(entry_text(entry, "key")),
		    sql_text(entry_text(entry, "responder")), sql_int(from),
		    sql_int(until), sql_text(entry_text(entry, "items")))) != 0)
		return -1;
	return entry_set_acted(journal, entry);
}

/* The intent that a result or failure answers: it must be unanswered. */
static int
check_unanswered(struct journal *journal, const struct entry *entry,
    int64_t *ret_seq, int64_t *ret_count)
{
	const char *name = entry_text(entry, "name");
	AUTO_STRUCT(query) query = { 0 };
	bool found;

	if (query_start(journal,
		"SELECT seq, state, count FROM ocsp_windows WHERE run = ?1"
		" AND list = ?2 AND name = ?3 AND number = ?4",
		SQL_VALUES(sql_text(entry_text(entry, "run")),
		    sql_int(entry_number(entry, "list")), sql_text(name),
		    sql_int(entry_number(entry, "window"))),
		&query) != 0 ||
	    query_step(&query, &found) != 0)
		return -1;
	if (!found)
		return entry_contradiction(
		    entry, name, "has no intent for this window");
	if (sqlite3_column_int64(query.stmt, 1) != OBJECT_INTENDED)
		return entry_repetition(entry, name,
		    "has the result or failure of this window already");
	*ret_seq = sqlite3_column_int64(query.stmt, 0);
	*ret_count = sqlite3_column_int64(query.stmt, 2);
	return 0;
}

int
apply_ocsp_result(struct journal *journal, const struct entry *entry)
{
	int64_t seq = 0, count = 0;

	if (entry_check_run(journal, entry) != 0 ||
	    check_unanswered(journal, entry, &seq, &count) != 0 ||
	    entry_check_evidence(journal, entry, "items") != 0)
		return -1;
	if (entry_number(entry, "count") != count)
		return entry_contradiction(entry, entry_text(entry, "name"),
		    "has another number of responses than were intended");
	return sql_run(journal, entry_text(entry, "name"),
	    "UPDATE ocsp_windows SET state = 1, items = ?2 WHERE seq = ?1",
	    SQL_VALUES(sql_int(seq), sql_text(entry_text(entry, "items"))));
}

int
apply_ocsp_failed(struct journal *journal, const struct entry *entry)
{
	int64_t seq = 0, count = 0;

	if (entry_settle_run(journal, entry, NULL) != 0 ||
	    check_unanswered(journal, entry, &seq, &count) != 0)
		return -1;
	return sql_run(journal, entry_text(entry, "name"),
	    "UPDATE ocsp_windows SET state = 2 WHERE seq = ?1",
	    SQL_VALUES(sql_int(seq)));
}
