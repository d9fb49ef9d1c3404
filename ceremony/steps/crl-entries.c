/*
 * What is on a CRL: the journal's sorted index and what the plan revokes, side
 * by side with the CRL before it, in one pass and flat memory.
 */
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/steps/crl-private.h"
#include "profiles/rules/rule.h"

enum {
	SHOWN = 10,        /* serials of each kind of change, for people */
	FAULTS_SHOWN = 20, /* findings of one kind */
	SERIAL_TEXT = 2 * SERIAL_LEN + 1,
};

void
crl_change_clear(struct crl_change *change)
{
	free(change->added_text);
	free(change->gone_text);
	free(change->upgraded_text);
	*change = (struct crl_change){ 0 };
}

/* ---- what the plan revokes --------------------------------------------- */

static struct crl_entry
entry_of(const struct planned_revocation *row)
{
	return (struct crl_entry){
		.serial = row->serial,
		.serial_len = row->serial_len,
		.date = row->date,
		.reason = (enum revocation_reason)row->reason,
		.invalidity = row->invalidity,
	};
}

/* Equal serials: an upgrade is behind what it upgrades. */
static int
compare_planned(const void *a, const void *b)
{
	const struct crl_planned *x = a, *y = b;
	struct crl_entry p = entry_of(&x->row), q = entry_of(&y->row);
	int order = crl_entry_compare(&p, &q);

	return order != 0 ? order : (int)x->upgrade - (int)y->upgrade;
}

/* Whatever cannot be placed refuses: it would be on no CRL (CRL-UNION). */
static int
is_in_scope(
    struct crl_making *m, const struct planned_revocation *row, bool *ret_in)
{
	enum scope_verdict verdict = SCOPE_UNKNOWN;
	char serial[SERIAL_TEXT + 2];

	*ret_in = false;
	text_hex_into(row->serial, row->serial_len, serial);
	if (crl_scope_judge(m->build->journal, &m->scope, m->issuer.dn, serial,
		&verdict) < 0)
		return -1;
	*ret_in = verdict == SCOPE_HOLDS;
	if (verdict == SCOPE_NOWHERE)
		m->nowhere++;
	if (verdict == SCOPE_UNKNOWN)
		step_finding(m->build, m->step, "url", "CRL-UNION", "BR 4.9.7",
		    "serial %s is revoked, and the journal does not know the "
		    "certificate: nobody can say whether it is in the scope of "
		    "this CRL; make a full one",
		    serial);
	return 0;
}

static int
add_act(struct crl_making *m, const struct built_act *act)
{
	size_t room = m->planned_count + act->revoked_count;
	struct crl_planned *rows = realloc(m->planned, room * sizeof(*rows));

	if (rows == NULL)
		return ca_error(CA_R_MEMORY, "no memory for revocations");
	m->planned = rows;
	for (size_t i = 0; i < act->revoked_count; i++) {
		bool in = true;

		if (m->scope.url != NULL &&
		    is_in_scope(m, &act->revoked[i], &in) < 0)
			return -1;
		if (in)
			rows[m->planned_count++] = (struct crl_planned){
				act->revoked[i],
				act->entry == ENTRY_REVOCATION_UPGRADED,
			};
	}
	return 0;
}

/* Of two with one serial the upgrade counts; two revocations are an error. */
static void
settle_planned(struct crl_making *m)
{
	size_t kept = 0;

	for (size_t i = 0; i < m->planned_count; i++) {
		struct crl_planned *last =
		    kept > 0 ? &m->planned[kept - 1] : NULL;
		char serial[SERIAL_TEXT + 2];

		if (last == NULL ||
		    last->row.serial_len != m->planned[i].row.serial_len ||
		    memcmp(last->row.serial, m->planned[i].row.serial,
			last->row.serial_len) != 0) {
			m->planned[kept++] = m->planned[i];
			continue;
		}
		if (m->planned[i].upgrade) {
			last->row = m->planned[i].row;
			continue;
		}
		text_hex_into(last->row.serial, last->row.serial_len, serial);
		step_finding(m->build, m->step, NULL, "CRL-NO-DUP-SERIAL",
		    "RFC 5280, section 5.1.2.6",
		    "the plan revokes serial %s twice", serial);
	}
	m->planned_count = kept;
}

int
crl_find_planned(struct crl_making *m)
{
	for (size_t i = 0; i < m->build->act_count; i++) {
		const struct built_act *act = &m->build->acts[i];
		const char *dn =
		    json_string_value(json_object_get(act->data, "issuer_dn"));

		if (act->revoked_count > 0 && dn != NULL &&
		    strcmp(dn, m->issuer.dn) == 0 && add_act(m, act) < 0)
			return -1;
	}
	if (m->planned_count > 1)
		qsort(m->planned, m->planned_count, sizeof(m->planned[0]),
		    compare_planned);
	settle_planned(m);
	crl_warn_nowhere(m, m->nowhere);
	return 0;
}

/* ---- what the journal knows -------------------------------------------- */

/*
 * CRL-COMPLETE: an entry goes only after a CRL that was issued behind its
 * certificate's end has had it.  Code signing keeps them (CSBR 7.2): what was
 * signed outlives its certificate.
 */
struct crl_selection
crl_select(const struct crl_making *m)
{
	const bool keeps =
	    (profile_rulesets(m->profile) & RULESET_BIT(RULESET_CABF_CS)) != 0;
	struct crl_selection selection = {
		.issuer_dn = m->issuer.dn,
		.url = m->scope.url,
		.only_ca = m->scope.only_ca,
		.only_user = m->scope.only_user,
	};

	if (m->previous.found && !m->previous.given && !keeps) {
		selection.gone_before = m->previous.head.this_update;
		selection.gone_seq = m->previous.seq;
	}
	return selection;
}

/* ---- the CRL before ----------------------------------------------------- */

struct before {
	struct crl_cursor cursor;
	struct crl_entry now;
	bool there;
};

static int
before_next(struct before *before)
{
	return crl_cursor_next(&before->cursor, &before->now, &before->there);
}

static int
before_open(struct crl_making *m, struct before *before)
{
	if (!m->previous.found)
		return 0;
	if (crl_cursor_open(
		&m->previous.source, &m->previous.head, &before->cursor) < 0)
		return -1;
	return before_next(before);
}

/* ---- side by side ------------------------------------------------------- */

struct writing {
	struct crl_making *m;
	struct crl_writer *writer;
	struct findings *findings;
	struct crl_selection selection;
	struct before before;
	size_t planned; /* the next one */
	struct crl_change change;
};

static void
writing_clear(struct writing *w)
{
	if (w->writer != NULL)
		crl_writer_free(w->writer);
	crl_cursor_clear(&w->before.cursor);
	crl_change_clear(&w->change);
}
CLEANUP_DEFINE_STRUCT(writing);

/* The first serials of a change, for the room. */
static int
note(char **text, uint64_t count, const struct crl_entry *entry)
{
	char serial[SERIAL_TEXT + 2];
	char *longer;

	if (count >= SHOWN)
		return 0;
	text_hex_into(entry->serial, entry->serial_len, serial);
	longer = text_printf("%s%s%s", *text == NULL ? "" : *text,
	    *text == NULL ? "" : ", ", serial);
	if (longer == NULL)
		return -1;
	free(*text);
	*text = longer;
	return 0;
}

static void
fault(struct writing *w, const char *id, const char *source,
    const struct crl_entry *entry, const char *why)
{
	char serial[SERIAL_TEXT + 2];

	if (w->change.faults++ >= FAULTS_SHOWN)
		return;
	text_hex_into(entry->serial, entry->serial_len, serial);
	findings_add(w->findings, FINDING_ERROR, id,
	    step_place(w->m->step, NULL), source,
	    "serial %s is on CRL number %" PRIu64 ", the one before, and %s",
	    serial, w->m->previous.head.number, why);
}

/* It is left out: may it be? */
static int
note_gone(struct writing *w, const struct crl_entry *entry)
{
	AUTO_STRUCT(revocation_row) row = { 0 };
	char serial[SERIAL_TEXT + 2];
	bool found = false;

	text_hex_into(entry->serial, entry->serial_len, serial);
	if (journal_revocation_row(w->m->build->journal, w->m->issuer.dn,
		serial, &found, &row) < 0)
		return -1;
	if (!found) {
		fault(w, "CRL-DROPPED", "RFC 5280, section 3.3", entry,
		    "the journal does not revoke it: take it over by an "
		    "import-revocations step");
		return 0;
	}
	if (w->selection.gone_before == 0 || row.expires == 0 ||
	    row.expires >= w->selection.gone_before ||
	    row.seq >= w->selection.gone_seq) {
		fault(w, "CRL-DROPPED", "RFC 5280, section 3.3", entry,
		    "would not be on this one, though nothing shows that a CRL "
		    "behind its certificate's end has had it");
		return 0;
	}
	if (note(&w->change.gone_text, w->change.gone, entry) < 0)
		return -1;
	w->change.gone++;
	return 0;
}

/* CRL-REASON-UPGRADE is the one change that there is. */
static int
note_kept(struct writing *w, const struct crl_entry *was,
    const struct crl_entry *entry)
{
	if (was->date == entry->date && was->reason == entry->reason &&
	    was->invalidity == entry->invalidity) {
		w->change.kept++;
		return 0;
	}
	if (entry->reason != REASON_KEY_COMPROMISE || entry->date > was->date) {
		fault(w, "CRL-CHANGED", "BR 7.2.2", entry,
		    "has another date or reason on this one: only a change to "
		    "keyCompromise, with no later date, may be made");
		return 0;
	}
	if (note(&w->change.upgraded_text, w->change.upgraded, entry) < 0)
		return -1;
	w->change.upgraded++;
	return 0;
}

static int
compare_before(struct writing *w, const struct crl_entry *entry)
{
	struct before *before = &w->before;
	int order = -1;

	while (before->there &&
	    (order = crl_entry_compare(&before->now, entry)) < 0)
		if (note_gone(w, &before->now) < 0 || before_next(before) < 0)
			return -1;
	if (before->there && order == 0) {
		if (note_kept(w, &before->now, entry) < 0)
			return -1;
		return before_next(before);
	}
	if (note(&w->change.added_text, w->change.added, entry) < 0)
		return -1;
	w->change.added++;
	return 0;
}

static int
emit(struct writing *w, const struct crl_entry *entry)
{
	if (compare_before(w, entry) < 0)
		return -1;
	return crl_writer_add(w->writer, entry);
}

static int
emit_planned(struct writing *w)
{
	struct crl_entry entry = entry_of(&w->m->planned[w->planned].row);

	w->planned++;
	return emit(w, &entry);
}

/* Those of the plan that come before a row of the journal; or it is changed. */
static int
visit_row(void *ctx, const struct crl_row *row)
{
	struct writing *w = ctx;
	const struct crl_entry entry = {
		.serial = row->serial,
		.serial_len = row->serial_len,
		.date = row->date,
		.reason = (enum revocation_reason)row->reason,
		.invalidity = row->invalidity,
	};

	while (w->planned < w->m->planned_count) {
		const struct crl_planned *next = &w->m->planned[w->planned];
		struct crl_entry other = entry_of(&next->row);
		int order = crl_entry_compare(&other, &entry);

		if (order > 0)
			break;
		if (order == 0 && next->upgrade)
			return emit_planned(w);
		if (order == 0)
			break; /* the writer finds it twice */
		if (emit_planned(w) < 0)
			return -1;
	}
	return emit(w, &entry);
}

static int
write_rows(struct writing *w)
{
	if (journal_each_crl_row(
		w->m->build->journal, &w->selection, visit_row, w) < 0)
		return -1;
	while (w->planned < w->m->planned_count)
		if (emit_planned(w) < 0)
			return -1;
	while (w->before.there)
		if (note_gone(w, &w->before.now) < 0 ||
		    before_next(&w->before) < 0)
			return -1;
	if (w->change.faults > FAULTS_SHOWN)
		findings_add(w->findings, FINDING_ERROR, "CRL-PREVIOUS",
		    step_place(w->m->step, NULL), NULL,
		    "%" PRIu64 " entries of the CRL before are lost or "
		    "changed; the first %d are named",
		    w->change.faults, FAULTS_SHOWN);
	return 0;
}

/* A CRL that findings refuse is no failure of the machine. */
static int
finish(struct writing *w, struct tbs *ret_tbs, bool *ret_made)
{
	if (crl_writer_finish(w->writer, ret_tbs) == 0) {
		*ret_made = true;
		return 0;
	}
	if (ca_error_exit_status() != CA_EXIT_REFUSED)
		return -1;
	ca_error_clear();
	return 0;
}

int
crl_write(struct crl_making *m, const struct crl_request *request,
    struct findings *findings, struct tbs *ret_tbs,
    struct crl_change *ret_change, uint64_t *ret_entries, bool *ret_made)
{
	AUTO_STRUCT(writing)
	w = { .m = m, .findings = findings, .selection = crl_select(m) };
	const size_t errors = findings->errors;
	AUTO_STRUCT(tbs) tbs = { 0 };
	bool made = false;

	if (crl_writer_open(
		request, m->build->scratch_fd, findings, &w.writer) < 0 ||
	    before_open(m, &w.before) < 0 || write_rows(&w) < 0 ||
	    finish(&w, &tbs, &made) < 0)
		return -1;
	*ret_made = made && findings->errors == errors;
	if (!*ret_made)
		return 0;
	*ret_tbs = tbs;
	tbs = (struct tbs){ 0 }; /* moved out */
	*ret_change = w.change;
	w.change = (struct crl_change){ 0 };
	*ret_entries = crl_writer_entries(w.writer);
	return 0;
}
