/*
 * Revocations one by one and by lists, certificates issued elsewhere, what
 * stands on a CRL; evidence in flat memory.
 */
#include "base/date.h"
#include "base/text.h"
#include "ceremony/journal/lists.h"
#include "ceremony/journal/reindex.h"
#include "fixture.h"

#define DN hex64(6)
#define DATE_C "2027-01-01T00:00:00Z"
#define DATE_D "2050-01-01T00:00:00Z"

/* Text as evidence; its SHA-256 in hex. */
static const char *
put_text(struct fixture *f, const char *text)
{
	static char hex[4][HASH_HEX_SIZE];
	static unsigned next;
	char *kept = hex[next++ % 4];
	unsigned char digest[HASH_LEN];

	assert_ok(journal_evidence_put(f->journal, text, strlen(text), digest));
	text_hex_into(digest, HASH_LEN, kept);
	return kept;
}

#define REVOCATIONS LIST_REVOCATIONS "\n"
#define ISSUED LIST_ISSUED "\n"

static void
revoke_list(struct fixture *f, int count, const char *lines)
{
	AUTO_CHARS(text) = text_printf(REVOCATIONS "%s", lines);

	add(f, ENTRY_REVOCATIONS,
	    data_revocations(RUN_A, DN, count, put_text(f, text)));
}

static void
refuse_list(struct fixture *f, enum ca_reason reason, int count,
    const char *text, const char *part)
{
	json_t *data = data_revocations(RUN_A, DN, count, put_text(f, text));

	assert_refused_naming(
	    reason, part, append_(f->journal, ENTRY_REVOCATIONS, data));
	assert_false(journal_in_transaction(f->journal));
}

static int
see_row(void *ctx, const struct revocation_row *row)
{
	char *text = ctx;

	(void)sprintf(text + strlen(text), "%s %s %d %d|", row->serial,
	    row->reason, row->invalidity != 0, row->expires != 0);
	return 0;
}

static void
assert_revoked(struct fixture *f, const char *expected)
{
	char text[1024] = "";

	assert_ok(journal_each_revocation(f->journal, DN, see_row, text));
	assert_string_equal(text, expected);
}

/* The tables are the same when they are made anew from entries and lists. */
static void
assert_remade(struct fixture *f)
{
	unsigned char before[HASH_LEN], after[HASH_LEN];

	digest_derived(f->journal, before);
	assert_ok(journal_rebuild(f->journal));
	digest_derived(f->journal, after);
	assert_memory_equal(before, after, HASH_LEN);
}

/* ---- lists ------------------------------------------------------------ */

static void
test_list(void **state)
{
	struct fixture *f = *state;
	AUTO_STRUCT(revocation_row) row = { 0 };
	bool found = false;
	int64_t date;
	uint64_t count;

	open_run(f, RUN_A, "p");
	revoke_list(f, 3,
	    "05 " DATE_A " keyCompromise - -\n"
	    "0080 " DATE_A " unspecified " DATE_A " " DATE_B "\n"
	    "7fff " DATE_C " superseded - " DATE_B "\n");
	assert_revoked(f,
	    "05 keyCompromise 0 0|0080 unspecified 1 1|7fff superseded 0 1|");
	assert_ok(journal_revocation_row(f->journal, DN, "7fff", &found, &row));
	assert_true(found);
	assert_ok(date_parse(DATE_C, &date));
	assert_true(row.date == date);
	assert_true(row.invalidity == 0 && row.seq > 0);
	assert_ok(journal_revocation_count(f->journal, DN, &count));
	assert_int_equal(count, 3);
	assert_ok(journal_revocation(f->journal, DN, "0080", &found));
	assert_true(found);
	assert_ok(journal_revocation_row(f->journal, DN, "80", &found, &row));
	assert_false(found);
	assert_remade(f);
}

static void
test_list_refused(void **state)
{
	static const struct {
		const char *text, *part;
		enum ca_reason reason;
		int count;
	} lists[] = {
		{ "", "does not begin", CA_R_CORRUPT, 0 },
		{ "05 " DATE_A " keyCompromise - -\n", "does not begin",
		    CA_R_CORRUPT, 1 },
		{ ISSUED "05 - - -\n", "does not begin", CA_R_CORRUPT, 1 },
		{ REVOCATIONS, "as many lines", CA_R_INTERNAL, 0 },
		{ REVOCATIONS "05 " DATE_A " keyCompromise - -\n",
		    "as many lines", CA_R_INTERNAL, 2 },
		{ REVOCATIONS "05 " DATE_A " keyCompromise - -", "does not end",
		    CA_R_CORRUPT, 1 },
		{ REVOCATIONS "05 " DATE_A " keyCompromise -\n", "line 2",
		    CA_R_CORRUPT, 1 },
		{ REVOCATIONS "05  " DATE_A " keyCompromise - -\n", "line 2",
		    CA_R_CORRUPT, 1 },
		{ REVOCATIONS "05 " DATE_A " keyCompromise - - \n", "line 2",
		    CA_R_CORRUPT, 1 },
		{ REVOCATIONS "05 " DATE_A " keyCompromise - -\r\n", "line 2",
		    CA_R_CORRUPT, 1 },
		{ REVOCATIONS "\n", "line 2", CA_R_CORRUPT, 1 },
		{ REVOCATIONS "0A " DATE_A " keyCompromise - -\n", "no serial",
		    CA_R_CORRUPT, 1 },
		{ REVOCATIONS "5 " DATE_A " keyCompromise - -\n", "no serial",
		    CA_R_CORRUPT, 1 },
		{ REVOCATIONS "80 " DATE_A " keyCompromise - -\n", "no serial",
		    CA_R_CORRUPT, 1 },
		{ REVOCATIONS "0005 " DATE_A " keyCompromise - -\n",
		    "no serial", CA_R_CORRUPT, 1 },
		{ REVOCATIONS "05 - keyCompromise - -\n", "no time",
		    CA_R_CORRUPT, 1 },
		{ REVOCATIONS "05 2026-02-30T00:00:00Z keyCompromise - -\n",
		    "line 2", CA_R_CORRUPT, 1 },
		{ REVOCATIONS "05 " DATE_A " keycompromise - -\n", "no reason",
		    CA_R_CORRUPT, 1 },
		{ REVOCATIONS "05 " DATE_A " - - -\n", "no reason",
		    CA_R_CORRUPT, 1 },
		{ REVOCATIONS "05 " DATE_A " superseded - -\n04 " DATE_A
			      " superseded - -\n",
		    "line 3", CA_R_CORRUPT, 2 },
		{ REVOCATIONS "05 " DATE_A " superseded - -\n05 " DATE_A
			      " superseded - -\n",
		    "line 3", CA_R_CORRUPT, 2 },
		{ REVOCATIONS "0100 " DATE_A " superseded - -\n7f " DATE_A
			      " superseded - -\n",
		    "line 3", CA_R_CORRUPT, 2 },
	};
	struct fixture *f = *state;
	uint64_t count;

	open_run(f, RUN_A, "p");
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
		refuse_list(f, lists[i].reason, lists[i].count, lists[i].text,
		    lists[i].part);
	refuse(f, CA_R_INTERNAL, ENTRY_REVOCATIONS,
	    data_revocations(RUN_A, DN, 1, hex64(99)));
	refuse(f, CA_R_INTERNAL, ENTRY_REVOCATIONS,
	    data_revocations(RUN_B, DN, 1,
		put_text(f, REVOCATIONS "05 " DATE_A " superseded - -\n")));
	assert_ok(journal_revocation_count(f->journal, DN, &count));
	assert_int_equal(count, 0);
}

/* One of a list is revoked already: none of it is. */
static void
test_list_twice(void **state)
{
	struct fixture *f = *state;

	open_run(f, RUN_A, "p");
	add(f, ENTRY_REVOKED, data_revoked(RUN_A, DN, "06"));
	refuse_list(f, CA_R_EXISTS, 3,
	    REVOCATIONS "05 " DATE_A " superseded - -\n06 " DATE_A
			" superseded - -\n07 " DATE_A " superseded - -\n",
	    "06");
	assert_revoked(f, "06 keyCompromise 0 0|");
	revoke_list(f, 1, "05 " DATE_A " superseded - -\n");
	refuse(f, CA_R_EXISTS, ENTRY_REVOKED, data_revoked(RUN_A, DN, "05"));
}

/* What the journal knows of a certificate is better than what a list says. */
static void
test_known(void **state)
{
	struct fixture *f = *state;
	AUTO_STRUCT(revocation_row) row = { 0 };
	int64_t until;
	bool found;

	open_run(f, RUN_A, "p");
	add(f, ENTRY_INTENT,
	    data_certificate(RUN_A, 0, 0, "c", DN, "05", hex64(7)));
	revoke_list(f, 1, "05 " DATE_A " superseded - " DATE_C "\n");
	assert_ok(journal_revocation_row(f->journal, DN, "05", &found, &row));
	assert_ok(date_parse(DATE_B, &until));
	assert_true(found && row.expires == until);
	/* and what becomes known later is taken over */
	revocation_row_clear(&row);
	revoke_list(f, 1, "06 " DATE_A " superseded - -\n");
	add(f, ENTRY_ISSUED,
	    data_issued(
		RUN_A, DN, 1, put_text(f, ISSUED "06 " DATE_C " ee -\n")));
	assert_ok(journal_revocation_row(f->journal, DN, "06", &found, &row));
	assert_ok(date_parse(DATE_C, &until));
	assert_true(found && row.expires == until);
	/* but never changed: its entry would leave the CRL at another time */
	revoke_list(f, 1, "08 " DATE_A " superseded - " DATE_C "\n");
	refuse(f, CA_R_INTERNAL, ENTRY_ISSUED,
	    data_issued(
		RUN_A, DN, 1, put_text(f, ISSUED "08 " DATE_B " ee -\n")));
	add(f, ENTRY_ISSUED,
	    data_issued(RUN_A, DN, 1, put_text(f, ISSUED "08 - ee -\n")));
	revocation_row_clear(&row);
	assert_ok(journal_revocation_row(f->journal, DN, "08", &found, &row));
	assert_true(found && row.expires == until);
	assert_remade(f);
}

/* ---- the one change ---------------------------------------------------- */

static json_t *
upgrade(const char *serial, const char *was, const char *reason)
{
	return data_upgraded(RUN_A, DN, serial, was, reason);
}

static void
test_upgrade(void **state)
{
	struct fixture *f = *state;
	AUTO_STRUCT(revocation_row) row = { 0 };
	int64_t date;
	bool found;

	open_run(f, RUN_A, "p");
	revoke_list(f, 2,
	    "05 " DATE_C " superseded - -\n06 " DATE_A " keyCompromise - -\n");
	refuse(f, CA_R_INTERNAL, ENTRY_REVOCATION_UPGRADED,
	    upgrade("07", "superseded", "keyCompromise"));
	/* not what it was: another date, another reason */
	refuse(f, CA_R_INTERNAL, ENTRY_REVOCATION_UPGRADED,
	    upgrade("05", "superseded", "keyCompromise"));
	refuse(f, CA_R_INTERNAL, ENTRY_REVOCATION_UPGRADED,
	    with(upgrade("05", "cessationOfOperation", "keyCompromise"), "was",
		json_pack("{s:s,s:s}", "date", DATE_C, "reason",
		    "cessationOfOperation")));
	/* to another reason; later; a second time */
	refuse(f, CA_R_INTERNAL, ENTRY_REVOCATION_UPGRADED,
	    with(upgrade("05", "superseded", "privilegeWithdrawn"), "was",
		json_pack(
		    "{s:s,s:s}", "date", DATE_C, "reason", "superseded")));
	refuse(f, CA_R_INTERNAL, ENTRY_REVOCATION_UPGRADED,
	    with(with(upgrade("05", "superseded", "keyCompromise"), "was",
		     json_pack(
			 "{s:s,s:s}", "date", DATE_C, "reason", "superseded")),
		"date", json_string(DATE_B)));
	refuse(f, CA_R_EXISTS, ENTRY_REVOCATION_UPGRADED,
	    upgrade("06", "keyCompromise", "keyCompromise"));
	add(f, ENTRY_REVOCATION_UPGRADED,
	    with(with(upgrade("05", "superseded", "keyCompromise"), "was",
		     json_pack(
			 "{s:s,s:s}", "date", DATE_C, "reason", "superseded")),
		"invalidity", json_string(DATE_A)));
	assert_revoked(f, "05 keyCompromise 1 0|06 keyCompromise 0 0|");
	assert_ok(journal_revocation_row(f->journal, DN, "05", &found, &row));
	assert_ok(date_parse(DATE_A, &date));
	assert_true(found && row.date == date);
	assert_remade(f);
}

/* ---- issued elsewhere -------------------------------------------------- */

static int
see_issued(void *ctx, const struct issued_row *row)
{
	char *text = ctx;

	(void)sprintf(text + strlen(text), "%s %d %d %d|", row->serial,
	    row->expires != 0, row->ca, row->sha256 != NULL);
	return 0;
}

static void
test_issued(void **state)
{
	struct fixture *f = *state;
	AUTO_STRUCT(issued_row) row = { 0 };
	AUTO_CHARS(list) = text_printf(ISSUED "7f - - -\n0100 " DATE_B
					      " ca %s\n0101 " DATE_B " ee -\n",
	    hex64(50));
	char text[256] = "";
	bool found, used;

	open_run(f, RUN_A, "p");
	add(f, ENTRY_ISSUED, data_issued(RUN_A, DN, 3, put_text(f, list)));
	assert_ok(journal_each_issued(f->journal, DN, see_issued, text));
	assert_string_equal(text, "7f 0 -1 0|0100 1 1 1|0101 1 0 0|");
	assert_ok(journal_issued(f->journal, DN, "0100", &found, &row));
	assert_true(found);
	assert_string_equal(row.sha256, hex64(50));
	issued_row_clear(&row);
	assert_ok(journal_issued(f->journal, DN, "0102", &found, &row));
	assert_false(found);
	assert_ok(journal_serial_used(f->journal, DN, "0101", &used));
	assert_true(used);
	assert_ok(journal_serial_used(f->journal, hex64(7), "0101", &used));
	assert_false(used);
	refuse(f, CA_R_EXISTS, ENTRY_ISSUED,
	    data_issued(RUN_A, DN, 1, put_text(f, ISSUED "0101 - - -\n")));
	refuse(f, CA_R_CORRUPT, ENTRY_ISSUED,
	    data_issued(RUN_A, DN, 1, put_text(f, ISSUED "02 - both -\n")));
	refuse(f, CA_R_CORRUPT, ENTRY_ISSUED,
	    data_issued(RUN_A, DN, 1, put_text(f, ISSUED "02 - ee 00\n")));
	refuse(f, CA_R_INTERNAL, ENTRY_ISSUED,
	    data_issued(RUN_A, DN, 2, put_text(f, ISSUED "02 - ee -\n")));
	/* nor can one be ours */
	add(f, ENTRY_INTENT,
	    data_certificate(RUN_A, 0, 0, "c", DN, "05", hex64(7)));
	refuse(f, CA_R_INTERNAL, ENTRY_ISSUED,
	    data_issued(RUN_A, DN, 1, put_text(f, ISSUED "05 - ee -\n")));
	assert_remade(f);
}

/* ---- what stands on a CRL ---------------------------------------------- */

static int
see_crl_row(void *ctx, const struct crl_row *row)
{
	char *text = ctx;
	AUTO_CHARS(serial) = text_hex(row->serial, row->serial_len);

	(void)sprintf(text + strlen(text), "%s %d %d|", serial, row->reason,
	    row->invalidity != 0);
	return 0;
}

static void
assert_on_crl(struct fixture *f, const struct crl_selection *selection,
    const char *expected)
{
	struct crl_totals totals = { .entries = 99 };
	char text[1024] = "";
	size_t count = 0;

	assert_ok(
	    journal_each_crl_row(f->journal, selection, see_crl_row, text));
	assert_string_equal(text, expected);
	for (const char *p = text; *p != '\0'; p++)
		count += *p == '|';
	assert_ok(journal_crl_totals(f->journal, selection, &totals));
	assert_int_equal(totals.entries, count);
}

static json_t *
certificate_of(int object, const char *serial, const char *url, bool ca)
{
	char name[16];

	(void)snprintf(name, sizeof name, "c-%d", object);
	return with(
	    with(data_certificate(RUN_A, 0, object, name, DN, serial,
		     hex64(70 + (unsigned)object)),
		"crl_url", url == NULL ? json_null() : json_string(url)),
	    "ca", json_boolean(ca));
}

static void
test_selection(void **state)
{
	struct fixture *f = *state;

	open_run(f, RUN_A, "p");
	add(f, ENTRY_INTENT, certificate_of(0, "01", "http://a/1", true));
	add(f, ENTRY_INTENT, certificate_of(1, "02", "http://a/1", false));
	add(f, ENTRY_INTENT, certificate_of(2, "03", "http://a/2", false));
	add(f, ENTRY_INTENT, certificate_of(3, "04", NULL, false));
	revoke_list(f, 5,
	    "01 " DATE_A " keyCompromise - -\n"
	    "02 " DATE_A " unspecified " DATE_A " -\n"
	    "03 " DATE_D " superseded - -\n"
	    "04 " DATE_A " superseded - -\n"
	    "0080 " DATE_A " superseded - -\n");
	assert_on_crl(f, &(struct crl_selection){ .issuer_dn = DN },
	    "01 1 0|02 0 1|03 4 0|04 4 0|0080 4 0|");
	assert_on_crl(f, &(struct crl_selection){ .issuer_dn = hex64(7) }, "");
	assert_on_crl(f,
	    &(struct crl_selection){ .issuer_dn = DN, .url = "http://a/1" },
	    "01 1 0|02 0 1|");
	assert_on_crl(f,
	    &(struct crl_selection){ .issuer_dn = DN, .url = "http://a/3" },
	    "");
	assert_on_crl(f,
	    &(struct crl_selection){ .issuer_dn = DN, .only_ca = true },
	    "01 1 0|");
	assert_on_crl(f,
	    &(struct crl_selection){ .issuer_dn = DN, .only_user = true },
	    "02 0 1|03 4 0|04 4 0|");
	assert_on_crl(f,
	    &(struct crl_selection){
		.issuer_dn = DN, .url = "http://a/1", .only_user = true },
	    "02 0 1|");
}

static void
test_totals(void **state)
{
	struct fixture *f = *state;
	struct crl_totals totals;

	open_run(f, RUN_A, "p");
	revoke_list(f, 3,
	    "05 " DATE_A " keyCompromise " DATE_A " -\n"
	    "06 " DATE_D " unspecified - -\n"
	    "0080 2049-12-31T23:59:59Z superseded - -\n");
	assert_ok(journal_crl_totals(
	    f->journal, &(struct crl_selection){ .issuer_dn = DN }, &totals));
	assert_int_equal(totals.entries, 3);
	assert_int_equal(totals.serial_octets, 4);
	assert_int_equal(totals.reasons, 2);
	assert_int_equal(totals.invalidities, 1);
	assert_int_equal(totals.generalized, 1);
	assert_ok(journal_crl_totals(f->journal,
	    &(struct crl_selection){ .issuer_dn = hex64(7) }, &totals));
	assert_int_equal(totals.entries + totals.serial_octets +
		totals.reasons + totals.generalized,
	    0);
}

/* CRL-COMPLETE: an end that is known and past, and a CRL behind it. */
static void
test_gone(void **state)
{
	struct fixture *f = *state;
	struct crl_selection selection = { .issuer_dn = DN };
	AUTO_STRUCT(revocation_row) row = { 0 };
	bool found;

	open_run(f, RUN_A, "p");
	revoke_list(f, 2,
	    "05 " DATE_A " superseded - " DATE_C "\n"
	    "06 " DATE_A " superseded - -\n");
	assert_ok(journal_revocation_row(f->journal, DN, "05", &found, &row));
	assert_ok(date_parse(DATE_C, &selection.gone_before));
	selection.gone_seq = row.seq + 1;
	assert_on_crl(f, &selection, "05 4 0|06 4 0|"); /* not before */
	selection.gone_before++;
	assert_on_crl(f, &selection, "06 4 0|");
	selection.gone_seq = row.seq; /* no CRL has had it */
	assert_on_crl(f, &selection, "05 4 0|06 4 0|");
	selection.gone_seq++;
	selection.gone_before = 0;
	assert_on_crl(f, &selection, "05 4 0|06 4 0|");
}

/* ---- by the CRL that has them ------------------------------------------ */

static uint64_t
since(struct fixture *f, const char *url, int ca, uint64_t seq)
{
	AUTO_STRUCT(revoked_part) part = { .ca = ca };
	uint64_t count = 99;

	if (url != NULL)
		assert_non_null(part.url = text_copy(url));

	assert_ok(journal_revoked_since(f->journal, DN, &part, seq, &count));
	return count;
}

static void
test_since(void **state)
{
	struct fixture *f = *state;
	AUTO_STRUCT(revocation_row) row = { 0 };
	bool found;

	open_run(f, RUN_A, "p");
	add(f, ENTRY_INTENT, certificate_of(0, "0100", "http://a/1", false));
	add(f, ENTRY_INTENT, certificate_of(1, "7f", "http://a/2", false));
	add(f, ENTRY_INTENT, certificate_of(2, "01", "http://a/2", true));
	revoke_list(f, 2,
	    "7f " DATE_A " superseded - -\n0100 " DATE_A " superseded - -\n");
	assert_ok(journal_revocation_row(f->journal, DN, "7f", &found, &row));
	add(f, ENTRY_REVOKED, data_revoked(RUN_A, DN, "01"));
	add(f, ENTRY_REVOKED, data_revoked(RUN_A, DN, "09"));
	assert_int_equal(since(f, "http://a/1", 0, 0), 1);
	assert_int_equal(since(f, "http://a/2", 0, 0), 1);
	assert_int_equal(since(f, "http://a/2", 1, 0), 1);
	assert_int_equal(since(f, "http://a/1", 1, 0), 0);
	assert_int_equal(since(f, "http://a/3", 0, 0), 0);
	assert_int_equal(since(f, NULL, -1, 0), 1);
	/* Behind an entry, and not of it. */
	assert_int_equal(since(f, "http://a/2", 0, row.seq - 1), 1);
	assert_int_equal(since(f, "http://a/2", 0, row.seq), 0);
	assert_int_equal(since(f, "http://a/2", 1, row.seq), 1);
}

static bool
has_users(struct fixture *f, const char *url, const char *at, bool unknown)
{
	struct users_filter filter = {
		.issuer_dn = DN, .url = url, .unknown = unknown
	};
	bool found = false;

	assert_ok(date_parse(at, &filter.at));
	assert_ok(journal_has_users(f->journal, &filter, &found));
	return found;
}

static json_t *
user_of(int object, const char *serial, const char *url, const char *kind)
{
	json_t *data = certificate_of(object, serial, url, false);

	return with(data, "certificate_kind", json_string(kind));
}

/* Their certificates end at DATE_B. */
static void
test_users(void **state)
{
	struct fixture *f = *state;
	const char *after = "2090-01-01T00:00:00Z";

	open_run(f, RUN_A, "p");
	add(f, ENTRY_INTENT, certificate_of(0, "01", NULL, true));
	add(f, ENTRY_INTENT, user_of(1, "02", NULL, "ocsp-responder"));
	assert_false(has_users(f, NULL, DATE_A, true));
	add(f, ENTRY_INTENT, user_of(2, "03", "http://a/1", "end-entity"));
	assert_true(has_users(f, NULL, DATE_B, false));
	assert_false(has_users(f, NULL, after, true));
	assert_true(has_users(f, "http://a/1", DATE_A, false));
	assert_false(has_users(f, "http://a/2", DATE_A, false));
}

static void
test_users_elsewhere(void **state)
{
	struct fixture *f = *state;

	open_run(f, RUN_A, "p");
	add(f, ENTRY_ISSUED,
	    data_issued(RUN_A, DN, 1, put_text(f, ISSUED "06 - ca -\n")));
	assert_false(has_users(f, NULL, DATE_A, true));
	add(f, ENTRY_ISSUED,
	    data_issued(RUN_A, DN, 1, put_text(f, ISSUED "07 - - -\n")));
	assert_true(has_users(f, NULL, DATE_A, true));
	assert_false(has_users(f, NULL, DATE_A, false));
	add(f, ENTRY_ISSUED,
	    data_issued(
		RUN_A, DN, 1, put_text(f, ISSUED "08 " DATE_B " ee -\n")));
	assert_true(has_users(f, NULL, DATE_B, false));
	assert_false(has_users(f, "http://a/1", DATE_B, false));
	assert_false(has_users(f, NULL, "2090-01-01T00:00:00Z", false));
}

/* ---- certificates ------------------------------------------------------ */

static int
see_name(void *ctx, const struct object_row *row)
{
	char *text = ctx;

	(void)sprintf(text + strlen(text), "%s ", row->name);
	return 0;
}

static void
assert_certificates(struct fixture *f, const struct certificate_filter *filter,
    const char *expected)
{
	char text[256] = "";

	assert_ok(journal_each_certificate(f->journal, filter, see_name, text));
	assert_string_equal(text, expected);
}

static void
test_certificates(void **state)
{
	struct fixture *f = *state;
	AUTO_STRUCT(object_row) row = { 0 };
	char sha[HASH_HEX_SIZE];
	int64_t from, until;
	bool found;

	open_run(f, RUN_A, "p");
	put_evidence(f->journal, 1, sha);
	add(f, ENTRY_INTENT, certificate_of(0, "0100", "http://a/1", true));
	add(f, ENTRY_INTENT, certificate_of(1, "7f", NULL, false));
	add(f, ENTRY_INTENT, certificate_of(2, "01", NULL, false));
	add(f, ENTRY_RESULT, data_result(RUN_A, 0, 0, "c-0", sha));
	add(f, ENTRY_RESULT, data_result(RUN_A, 0, 1, "c-1", sha));
	assert_ok(date_parse(DATE_A, &from));
	assert_ok(date_parse(DATE_B, &until));
	assert_certificates(f, &(struct certificate_filter){ 0 }, "c-1 c-0 ");
	assert_certificates(
	    f, &(struct certificate_filter){ .issuer_dn = DN }, "c-1 c-0 ");
	assert_certificates(
	    f, &(struct certificate_filter){ .issuer_dn = hex64(7) }, "");
	assert_certificates(
	    f, &(struct certificate_filter){ .spki = hex64(70) }, "c-0 ");
	assert_certificates(f,
	    &(struct certificate_filter){ .profile = "issuing-ca" },
	    "c-1 c-0 ");
	assert_certificates(
	    f, &(struct certificate_filter){ .profile = "other" }, "");
	assert_certificates(
	    f, &(struct certificate_filter){ .plan = "p" }, "c-1 c-0 ");
	assert_certificates(f, &(struct certificate_filter){ .plan = "q" }, "");
	assert_certificates(f,
	    &(struct certificate_filter){ .from = from, .until = from },
	    "c-1 c-0 ");
	assert_certificates(
	    f, &(struct certificate_filter){ .from = from + 1 }, "");
	assert_certificates(
	    f, &(struct certificate_filter){ .until = from - 1 }, "");
	assert_certificates(
	    f, &(struct certificate_filter){ .alive = until }, "c-1 c-0 ");
	assert_certificates(
	    f, &(struct certificate_filter){ .alive = until + 1 }, "");
	add(f, ENTRY_REVOKED, data_revoked(RUN_A, DN, "7f"));
	assert_certificates(
	    f, &(struct certificate_filter){ .current = true }, "c-0 ");
	assert_ok(
	    journal_object(f->journal, "certificate", "c-0", &found, &row));
	assert_true(found);
	assert_string_equal(row.crl_url, "http://a/1");
	assert_true(row.seq > 0 && row.seq < row.result);
}

/* ---- evidence ---------------------------------------------------------- */

enum { LARGE = 1000000 };

struct taken {
	size_t len, pieces;
	unsigned char *data;
};

static int
take(void *ctx, const unsigned char *data, size_t len)
{
	struct taken *taken = ctx;

	assert_true(taken->len + len <= LARGE);
	memcpy(taken->data + taken->len, data, len);
	taken->len += len;
	taken->pieces++;
	return 0;
}

static int
take_none(void *ctx, const unsigned char *data, size_t len)
{
	bool *called = ctx;

	(void)data;
	(void)len;
	*called = true;
	return 0;
}

static int
stop(void *ctx, const unsigned char *data, size_t len)
{
	(void)ctx;
	(void)data;
	(void)len;
	return ca_error(CA_R_INTERRUPTED, "x");
}

/* A file that begins with three octets of something else. */
static int
large_file(unsigned char *data)
{
	char path[] = "test-large-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(unlink(path), 0);
	for (size_t i = 0; i < LARGE; i++)
		data[i] = (unsigned char)(i * 7 + i / 251);
	assert_int_equal(write(fd, "abc", 3), 3);
	assert_int_equal(write(fd, data, LARGE), LARGE);
	return fd;
}

static void
test_large_evidence(void **state)
{
	struct fixture *f = *state;
	AUTO_BYTES(data) = malloc(LARGE);
	AUTO_BYTES(back) = malloc(LARGE);
	AUTO_BYTES(whole) = NULL;
	AUTO_FD(fd) = large_file(data);
	struct taken taken = { .data = back };
	unsigned char digest[HASH_LEN], wanted[HASH_LEN], same[HASH_LEN];
	size_t len;
	bool called = false;

	assert_ok(sha256(data, LARGE, wanted));
	assert_ok(journal_evidence_put_file(f->journal, fd, 3, LARGE, digest));
	assert_memory_equal(digest, wanted, HASH_LEN);
	/* twice is once; and the same as from memory */
	assert_ok(journal_evidence_put_file(f->journal, fd, 3, LARGE, same));
	assert_ok(journal_evidence_put(f->journal, data, LARGE, same));
	assert_memory_equal(digest, same, HASH_LEN);
	assert_ok(journal_evidence_read(f->journal, digest, take, &taken));
	assert_int_equal(taken.len, LARGE);
	assert_true(taken.pieces > 1);
	assert_memory_equal(back, data, LARGE);
	assert_ok(journal_evidence_get(f->journal, digest, &whole, &len));
	assert_int_equal(len, LARGE);
	assert_refused(CA_R_INTERRUPTED,
	    journal_evidence_read(f->journal, digest, stop, NULL));
	/* a file that is shorter, evidence that is not there */
	assert_refused(
	    CA_R_IO, journal_evidence_put_file(f->journal, fd, 4, LARGE, same));
	assert_refused(CA_R_INPUT,
	    journal_evidence_put_file(
		f->journal, fd, 0, (uint64_t)JOURNAL_EVIDENCE_MAX + 1, same));
	same[0] ^= 1;
	assert_refused(CA_R_MISSING,
	    journal_evidence_read(f->journal, same, take_none, &called));
	assert_false(called);
}

/* Nothing is given out of what is not what it was. */
static void
test_altered_evidence(void **state)
{
	struct fixture *f = *state;
	AUTO_STRUCT(evidence_file) file = { 0 };
	AUTO_BYTES(data) = malloc(LARGE);
	AUTO_FD(fd) = large_file(data);
	unsigned char digest[HASH_LEN], octets[8];
	size_t len;
	bool called = false;

	assert_ok(journal_evidence_put_file(f->journal, fd, 3, LARGE, digest));
	assert_ok(evidence_file_open(f->journal, digest, &file));
	assert_int_equal(file.len, LARGE);
	assert_ok(
	    evidence_file_read(&file, LARGE - 3, octets, sizeof octets, &len));
	assert_int_equal(len, 3);
	assert_memory_equal(octets, data + LARGE - 3, 3);
	assert_ok(
	    evidence_file_read(&file, LARGE, octets, sizeof octets, &len));
	assert_int_equal(len, 0);
	evidence_file_clear(&file);
	assert_ok(sql_script(f->journal,
	    "UPDATE evidence SET bytes ="
	    " CAST(substr(bytes, 1, 999999) || x'00' AS BLOB)"
	    " WHERE size = 1000000"));
	assert_refused(CA_R_CORRUPT,
	    journal_evidence_read(f->journal, digest, take_none, &called));
	assert_refused(
	    CA_R_CORRUPT, evidence_file_open(f->journal, digest, &file));
	assert_refused(CA_R_CORRUPT,
	    journal_evidence_put_file(f->journal, fd, 3, LARGE, digest));
	assert_false(called);
}

/* A list that was altered is not taken in again. */
static void
test_reindex_altered_list(void **state)
{
	struct fixture *f = *state;

	open_run(f, RUN_A, "p");
	revoke_list(f, 1, "05 " DATE_A " superseded - -\n");
	assert_ok(sql_script(f->journal,
	    "UPDATE evidence SET bytes = CAST(replace(CAST(bytes AS TEXT),"
	    " '05 ', '04 ') AS BLOB) WHERE CAST(bytes AS TEXT) LIKE"
	    " 'ca-tool-rev%'"));
	assert_refused(CA_R_CORRUPT, journal_rebuild(f->journal));
	assert_revoked(f, "05 superseded 0 0|");
}

/* ---- a million --------------------------------------------------------- */

enum { MANY = 1000000 };

static char *
many_lines(size_t *ret_len)
{
	char *text = malloc(sizeof REVOCATIONS + (size_t)MANY * 96), *at = text;

	assert_non_null(text);
	at += sprintf(at, REVOCATIONS);
	for (unsigned i = 0; i < MANY; i++)
		at += sprintf(at, "4%07x%024x " DATE_A " superseded - -\n", i,
		    i * 2654435761U);
	*ret_len = (size_t)(at - text);
	return text;
}

static int
count_row(void *ctx, const struct crl_row *row)
{
	uint64_t *octets = ctx;

	*octets += row->serial_len;
	return 0;
}

static double
seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void
test_million(void **state)
{
	struct fixture *f = *state;
	unsigned char digest[HASH_LEN];
	char hex[HASH_HEX_SIZE];
	struct crl_totals totals;
	AUTO_CHARS(text) = NULL;
	uint64_t octets = 0;
	size_t len;
	double begin, put, total, walk;

	open_run(f, RUN_A, "p");
	text = many_lines(&len);
	begin = seconds();
	assert_ok(journal_evidence_put(f->journal, text, len, digest));
	text_hex_into(digest, HASH_LEN, hex);
	add(f, ENTRY_REVOCATIONS, data_revocations(RUN_A, DN, MANY, hex));
	put = seconds();
	assert_ok(journal_crl_totals(
	    f->journal, &(struct crl_selection){ .issuer_dn = DN }, &totals));
	total = seconds();
	assert_ok(journal_each_crl_row(f->journal,
	    &(struct crl_selection){ .issuer_dn = DN }, count_row, &octets));
	walk = seconds();
	print_message("a million revocations: in %.2f s, totals %.2f s, rows "
		      "%.2f s\n",
	    put - begin, total - put, walk - total);
	assert_int_equal(totals.entries, MANY);
	assert_int_equal(totals.serial_octets, octets);
	assert_int_equal(octets, (uint64_t)MANY * 16);
}

#define TEST(f) \
	cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_list),
		TEST(test_list_refused),
		TEST(test_list_twice),
		TEST(test_known),
		TEST(test_upgrade),
		TEST(test_issued),
		TEST(test_selection),
		TEST(test_totals),
		TEST(test_gone),
		TEST(test_since),
		TEST(test_users),
		TEST(test_users_elsewhere),
		TEST(test_certificates),
		TEST(test_large_evidence),
		TEST(test_altered_evidence),
		TEST(test_reindex_altered_list),
		TEST(test_million),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
