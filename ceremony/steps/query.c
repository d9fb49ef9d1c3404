#include "ceremony/steps/query.h"

#include <string.h>
#include <strings.h>

#include <openssl/x509v3.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "profiles/general-name.h"

/* ---- conditions ------------------------------------------------------------- */

/* What a query demands, taken apart. */
struct conditions {
	const struct query_params *params;
	int64_t from, until;
	char *subject; /* as normal_name() has it */
	char *name;    /* as general_name_text() has it */
	enum alt_type type;
};

static void
conditions_clear(struct conditions *conditions)
{
	free(conditions->subject);
	free(conditions->name);
}
CLEANUP_DEFINE_STRUCT(conditions);

static enum alt_type
type_of(const char *name)
{
	AUTO(ASN1_OCTET_STRING) *address = a2i_IPADDRESS(name);

	if (address != NULL)
		return ALT_IP;
	ca_error_clear();
	return strchr(name, '@') != NULL ? ALT_EMAIL : ALT_DNS;
}

/* The name as a certificate's would be shown; NULL where it is malformed. */
static char *
normal_alt_name(const char *text)
{
	const struct alt_name name = { type_of(text), text };
	AUTO(GENERAL_NAME) *general = NULL;
	enum alt_type type;
	char *normal = NULL;

	/* a wildcard is a name that certificates have */
	if (name.type == ALT_DNS)
		return is_host_name(
			   strncmp(text, "*.", 2) == 0 ? text + 2 : text,
			   strlen(text) - (strncmp(text, "*.", 2) == 0 ? 2 : 0))
		    ? text_copy(text)
		    : NULL;
	if (alt_name_fault(&name) != NULL)
		return NULL;
	general = general_name_new(&name);
	if (general == NULL || general_name_text(general, &type, &normal) < 0)
		return NULL;
	return normal;
}

/* RFC 4514 without the blanks that people put behind commas. */
static char *
normal_name(const char *text)
{
	char *normal = malloc(strlen(text) + 1);
	size_t n = 0;
	bool escaped = false, start = true;

	if (normal == NULL)
		return NULL;
	for (; *text != '\0'; text++) {
		if (start && *text == ' ')
			continue;
		start = !escaped && (*text == ',' || *text == '+');
		/* and before a plus sign */
		while (start && n > 0 && normal[n - 1] == ' ' &&
		    (n < 2 || normal[n - 2] != '\\'))
			n--;
		escaped = !escaped && *text == '\\';
		normal[n++] = *text;
	}
	normal[n] = '\0';
	return normal;
}

/* ---- checking ----------------------------------------------------------------- */

static bool
is_empty(const struct query_params *q)
{
	return q->profile == NULL && q->spki == NULL && q->subject == NULL &&
	    q->name == NULL && q->under == NULL && q->from == NULL &&
	    q->until == NULL && q->plan == NULL;
}

static int
check_date(struct build *build, const struct step *step, const char *member,
    const char *text, int64_t *ret_date)
{
	if (text == NULL || date_parse(text, ret_date) == 0)
		return 0;
	return build_error_to_finding(build, step, member, "DATE");
}

static int
check_names(
    struct build *build, const struct step *step, const struct query_params *q)
{
	AUTO_CHARS(name) = NULL;

	if (q->under != NULL && !is_host_name(q->under, strlen(q->under)))
		step_finding(build, step, "query.under", "QUERY-NAME", NULL,
		    "'%s' is no domain; write it as certificates have it, with "
		    "A-labels (xn--...), without a dot in front or at the end",
		    q->under);
	if (q->name == NULL)
		return 0;
	name = normal_alt_name(q->name);
	if (name == NULL) {
		ca_error_clear();
		step_finding(build, step, "query.name", "QUERY-NAME", NULL,
		    "'%s' is no host name, IP address or e-mail address",
		    q->name);
	}
	return 0;
}

/* A plan that never ran is a mistake, not an empty result. */
static int
check_plan(
    struct build *build, const struct step *step, const struct query_params *q)
{
	AUTO_STRUCT(run_row) run = { 0 };
	bool found = false;

	if (q->plan == NULL)
		return 0;
	if (journal_run_of_plan(build->journal, q->plan, &found, &run) < 0)
		return -1;
	if (!found)
		step_finding(build, step, "query.plan", "QUERY-PLAN", NULL,
		    "the journal knows no plan '%s'", q->plan);
	return 0;
}

int
revoke_query_check(
    struct build *build, const struct step *step, const struct query_params *q)
{
	int64_t from = 0, until = 0;

	if (is_empty(q))
		step_finding(build, step, "query", "QUERY-EMPTY", NULL,
		    "a query without a condition would find every certificate "
		    "of the issuer; give at least one");
	if (q->spki != NULL &&
	    (strlen(q->spki) != 64 ||
		strspn(q->spki, "0123456789abcdefABCDEF") != 64))
		step_finding(build, step, "query.spki", "QUERY-SPKI", NULL,
		    "'%s' is not the SHA-256 of a public key: 64 hex digits",
		    q->spki);
	if (check_date(build, step, "query.from", q->from, &from) < 0 ||
	    check_date(build, step, "query.until", q->until, &until) < 0)
		return -1;
	if (from != 0 && until != 0 && until < from)
		step_finding(build, step, "query.until", "DATE", NULL,
		    "'until' is before 'from'");
	if (check_names(build, step, q) < 0)
		return -1;
	return check_plan(build, step, q);
}

char *
revoke_query_text(const struct query_params *q)
{
	const struct {
		const char *name, *value;
	} parts[] = {
		{ "profile", q->profile },
		{ "public key", q->spki },
		{ "subject", q->subject },
		{ "name", q->name },
		{ "under", q->under },
		{ "valid from", q->from },
		{ "valid from until", q->until },
		{ "of plan", q->plan },
	};
	AUTO_CHARS(text) = text_copy("");

	for (size_t i = 0; text != NULL && i < sizeof(parts) / sizeof(parts[0]);
	     i++) {
		AUTO_CHARS(longer) = NULL;

		if (parts[i].value == NULL)
			continue;
		longer = text_printf("%s%s%s %s", text,
		    text[0] == '\0' ? "" : ", ", parts[i].name, parts[i].value);
		free(text);
		text = TAKE(longer);
	}
	return text == NULL ? NULL : text_escape(text, strlen(text));
}

/* ---- matching ------------------------------------------------------------------- */

/* Is it the domain, or below it?  "*.example.com" is below example.com. */
static bool
is_under(const char *domain, const char *name, size_t len)
{
	size_t n = strlen(domain);

	return len >= n && strncasecmp(name + len - n, domain, n) == 0 &&
	    (len == n || name[len - n - 1] == '.');
}

/* The host part of a URL: without scheme, user, port and path. */
static const char *
host_of(const char *url, size_t *ret_len)
{
	const char *start = strstr(url, "://");
	const char *at;
	size_t len;

	start = start == NULL ? url : start + 3;
	len = strcspn(start, "/?#");
	at = memchr(start, '@', len);
	if (at != NULL) {
		len -= (size_t)(at + 1 - start);
		start = at + 1;
	}
	*ret_len = strcspn(start, ":/?#") < len ? strcspn(start, ":/?#") : len;
	return start;
}

static bool
alt_is_under(enum alt_type type, const char *name, const char *domain)
{
	const char *host = name;
	size_t len = strlen(name);

	if (type == ALT_IP)
		return false;
	if (type == ALT_URI)
		host = host_of(name, &len);
	if (type == ALT_EMAIL && strrchr(name, '@') != NULL) {
		host = strrchr(name, '@') + 1;
		len = strlen(host);
	}
	return is_under(domain, host, len);
}

/* The local part of an address is as it is; domains have no case. */
static bool
alt_is(enum alt_type type, const char *a, const char *b)
{
	const char *at = type == ALT_EMAIL ? strrchr(a, '@') : NULL;

	if (type == ALT_IP || type == ALT_URI)
		return strcmp(a, b) == 0;
	return (at == NULL || strncmp(a, b, (size_t)(at - a)) == 0) &&
	    strcasecmp(a, b) == 0;
}

/* `text` has `len` octets, and no NUL behind them. */
static bool
common_name_is(
    enum alt_type type, const char *name, const char *text, size_t len)
{
	AUTO_CHARS(copy) = strndup(text, len);

	return copy != NULL && strlen(copy) == len && alt_is(type, name, copy);
}

/* Which of the conditions about names a certificate fulfils. */
struct name_match {
	const struct conditions *conditions;
	bool name, under;
};

static int
match_alt_name(struct name_match *match, const GENERAL_NAME *general)
{
	const struct conditions *c = match->conditions;
	AUTO_CHARS(text) = NULL;
	enum alt_type type;

	if (general_name_text(general, &type, &text) < 0) {
		if (ca_error_exit_status() != CA_EXIT_REFUSED)
			return -1;
		ca_error_clear();
		return 0; /* of another kind than can be asked for */
	}
	if (c->name != NULL && type == c->type && alt_is(type, c->name, text))
		match->name = true;
	if (c->params->under != NULL &&
	    alt_is_under(type, text, c->params->under))
		match->under = true;
	return 0;
}

/* A common name that is a host name is one of its names: clients read it so. */
static void
match_common_name(struct name_match *match, const X509 *certificate)
{
	const struct conditions *c = match->conditions;
	const X509_NAME *subject = X509_get_subject_name(certificate);
	int at = -1;

	while ((at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >=
	    0) {
		const ASN1_STRING *value =
		    X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
		const char *text = (const char *)ASN1_STRING_get0_data(value);
		size_t len = (size_t)ASN1_STRING_length(value);

		if (memchr(text, ' ', len) != NULL)
			continue;
		if (c->params->under != NULL &&
		    is_under(c->params->under, text, len))
			match->under = true;
		if (c->name != NULL && strlen(c->name) == len &&
		    common_name_is(c->type, c->name, text, len))
			match->name = true;
	}
}

static int
match_names(
    const struct conditions *c, const X509 *certificate, bool *ret_match)
{
	struct name_match match = { .conditions = c };
	AUTO(GENERAL_NAMES) *names = NULL;
	int critical;

	names = X509_get_ext_d2i(
	    certificate, NID_subject_alt_name, &critical, NULL);
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
		if (match_alt_name(&match, sk_GENERAL_NAME_value(names, i)) < 0)
			return -1;
	match_common_name(&match, certificate);
	*ret_match = (c->name == NULL || match.name) &&
	    (c->params->under == NULL || match.under);
	return 0;
}

static int
match_subject(
    const struct conditions *c, const X509 *certificate, bool *ret_match)
{
	static const unsigned long flags = ASN1_STRFLGS_ESC_2253 |
	    ASN1_STRFLGS_UTF8_CONVERT | ASN1_STRFLGS_DUMP_UNKNOWN |
	    ASN1_STRFLGS_DUMP_DER | XN_FLAG_SEP_COMMA_PLUS | XN_FLAG_DN_REV |
	    XN_FLAG_FN_SN;
	AUTO(BIO) *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	long len;

	if (bio == NULL ||
	    X509_NAME_print_ex(
		bio, X509_get_subject_name(certificate), 0, flags) < 0)
		return ca_error(CA_R_MEMORY, "no memory for a name");
	len = BIO_get_mem_data(bio, &text);
	*ret_match = strlen(c->subject) == (size_t)len &&
	    memcmp(c->subject, text, (size_t)len) == 0;
	return 0;
}

/* What only the certificate's own octets say. */
static int
match_octets(struct build *build, const struct conditions *c,
    const struct object_row *row, bool *ret_match)
{
	AUTO(X509) *certificate = NULL;
	AUTO_BYTES(der) = NULL;
	const unsigned char *p;
	size_t len = 0;

	if (c->subject == NULL && c->name == NULL && c->params->under == NULL) {
		*ret_match = true;
		return 0;
	}
	if (journal_object_bytes(build->journal, row, &der, &len) < 0)
		return -1;
	p = der;
	certificate = d2i_X509(NULL, &p, (long)len);
	if (certificate == NULL)
		return ca_error(CA_R_CORRUPT,
		    "the journal's certificate '%s' is malformed", row->name);
	*ret_match = true;
	if (c->subject != NULL && match_subject(c, certificate, ret_match) < 0)
		return -1;
	return *ret_match ? match_names(c, certificate, ret_match) : 0;
}

/* ---- running --------------------------------------------------------------------- */

struct querying {
	struct build *build;
	const struct step *step;
	const struct issuer_view *issuer;
	const struct conditions *conditions;
	struct query_counts counts;
	struct listing listing;
	struct listing except; /* sorted; drop: it was found */
	size_t others;         /* of other issuers, not revoked */
	char *other;           /* one of those; or NULL */
};

static void
querying_clear(struct querying *querying)
{
	listing_clear(&querying->listing);
	listing_clear(&querying->except);
	free(querying->other);
}
CLEANUP_DEFINE_STRUCT(querying);

/* Is it one to revoke?  Else it is counted as what it is. */
static int
is_wanted(struct querying *q, const struct object_row *row,
    const struct serial *serial, bool *ret_wanted)
{
	struct listed *except = listing_find(&q->except, serial);
	bool revoked = false;

	q->counts.found++;
	if (except != NULL)
		except->drop = true;
	if (build_is_revoked(q->build, q->issuer->dn, row->serial, &revoked) <
	    0)
		return -1;
	*ret_wanted = false;
	if (revoked)
		q->counts.revoked++;
	else if (row->until < q->build->now)
		q->counts.expired++;
	else if (except != NULL)
		q->counts.excepted++;
	else
		*ret_wanted = true;
	return 0;
}

static int
visit(void *ctx, const struct object_row *row)
{
	struct querying *q = ctx;
	struct listed listed = {
		.ca = (signed char)(row->ca ? 1 : 0),
		.expires = row->until,
		.known = true,
	};
	bool wanted = false;

	if (match_octets(q->build, q->conditions, row, &wanted) < 0)
		return -1;
	if (!wanted)
		return 0;
	if (serial_from_hex(row->serial, strlen(row->serial), &listed.serial) <
	    0)
		return -1;
	if (serial_is_root(q->issuer, &listed.serial) ||
	    (row->certificate_kind != NULL &&
		strcmp(row->certificate_kind, "root") == 0)) {
		q->counts.roots++;
		return 0;
	}
	if (is_wanted(q, row, &listed.serial, &wanted) < 0)
		return -1;
	listed.date = row->from; /* for the check of the date */
	return wanted ? listing_add(&q->listing, &listed) : 0;
}

static int
read_except(struct querying *q, const struct revoke_params *p)
{
	for (unsigned i = 0; i < p->except_count; i++) {
		struct listed row = { .line = i };

		if (serial_from_hex(
			p->except[i], strlen(p->except[i]), &row.serial) < 0) {
			if (build_error_to_finding(
				q->build, q->step, "except", "SERIAL-FORM") < 0)
				return -1;
		} else if (listing_add(&q->except, &row) < 0)
			return -1;
	}
	return listing_sort(&q->except);
}

/*
 * What was issued elsewhere is a serial here: no condition can be held against
 * it, and the room must not believe that the query has looked at it.
 */
static int
count_one(struct querying *q, const char *serial, int64_t expires)
{
	bool revoked = false;

	if (expires != 0 && expires < q->build->now)
		return 0;
	if (build_is_revoked(q->build, q->issuer->dn, serial, &revoked) < 0)
		return -1;
	q->counts.elsewhere += !revoked;
	return 0;
}

static int
visit_elsewhere(void *ctx, const struct issued_row *row)
{
	return count_one(ctx, row->serial, row->expires);
}

static int
count_listed(void *ctx, const struct listed *row)
{
	char serial[SERIAL_HEX_SIZE];

	serial_hex(&row->serial, serial);
	return count_one(ctx, serial, row->expires);
}

/* What an earlier step of this plan takes in. */
static int
count_planned(struct querying *q, const struct built_act *act)
{
	const char *dn =
	    json_string_value(json_object_get(act->data, "issuer_dn"));

	if (act->entry != ENTRY_ISSUED || dn == NULL ||
	    strcmp(dn, q->issuer->dn) != 0)
		return 0;
	return issued_text_each(&act->list, count_listed, q);
}

static int
count_elsewhere(struct querying *q)
{
	const struct build *build = q->build;

	if (journal_each_issued(
		build->journal, q->issuer->dn, visit_elsewhere, q) < 0)
		return -1;
	for (size_t i = 0; i < build->act_count; i++)
		if (count_planned(q, &build->acts[i]) < 0)
			return -1;
	if (q->counts.elsewhere == 0)
		return 0;
	findings_add(build->findings, FINDING_WARNING, "QUERY-ELSEWHERE",
	    step_place(q->step, "query"), NULL,
	    "%zu certificate%s in force %s issued elsewhere: the journal has "
	    "no more than the serial number%s, and the query cannot look at "
	    "%s; look there too",
	    q->counts.elsewhere, q->counts.elsewhere == 1 ? "" : "s",
	    q->counts.elsewhere == 1 ? "was" : "were",
	    q->counts.elsewhere == 1 ? "" : "s",
	    q->counts.elsewhere == 1 ? "it" : "them");
	return 0;
}

/* ---- other issuers -------------------------------------------------------- */

/* Has this plan a query for that issuer as well? */
static bool
is_queried(const struct querying *q, const char *issuer)
{
	const struct step *first = q->step - q->step->index;

	for (size_t i = 0; i < q->step->plan->steps_count; i++) {
		const struct revoke_params *p = first[i].params;

		if (first[i].kind == &step_revoke && p->query != NULL &&
		    issuer != NULL && strcmp(p->issuer, issuer) == 0)
			return true;
	}
	return false;
}

static int
visit_other(void *ctx, const struct object_row *row)
{
	struct querying *q = ctx;
	bool match = false, revoked = false;

	if (row->issuer_dn == NULL || row->serial == NULL ||
	    strcmp(row->issuer_dn, q->issuer->dn) == 0 ||
	    (row->subject_dn != NULL &&
		strcmp(row->issuer_dn, row->subject_dn) == 0) ||
	    is_queried(q, row->issuer))
		return 0;
	if (match_octets(q->build, q->conditions, row, &match) < 0 ||
	    (match &&
		build_is_revoked(
		    q->build, row->issuer_dn, row->serial, &revoked) < 0))
		return -1;
	if (!match || revoked)
		return 0;
	q->others++;
	if (q->other == NULL && row->issuer != NULL)
		q->other = text_copy(row->issuer);
	return 0;
}

/* A domain does not end with an issuer; least of all behind a rollover. */
static int
warn_others(struct querying *q, const struct certificate_filter *own)
{
	const struct query_params *p = q->conditions->params;
	struct certificate_filter filter = *own;

	/* A time alone says nothing of what the certificates have in common. */
	if (p->profile == NULL && p->spki == NULL && p->subject == NULL &&
	    p->name == NULL && p->under == NULL && p->plan == NULL)
		return 0;
	filter.issuer_dn = NULL;
	filter.alive = q->build->now;
	filter.current = true;
	if (journal_each_certificate(
		q->build->journal, &filter, visit_other, q) < 0)
		return -1;
	if (q->others == 0)
		return 0;
	findings_add(q->build->findings, FINDING_WARNING, "QUERY-OTHER-ISSUER",
	    step_place(q->step, "query"), NULL,
	    "the query is one of this issuer alone; %zu certificate%s of "
	    "others%s%s%s fulfil%s it too, and stay%s in force: give a revoke "
	    "step for each issuer",
	    q->others, q->others == 1 ? "" : "s", q->other == NULL ? "" : " ('",
	    q->other == NULL ? "" : q->other,
	    q->other == NULL     ? ""
		: q->others == 1 ? "')"
				 : "', say)",
	    q->others == 1 ? "s" : "", q->others == 1 ? "s" : "");
	return 0;
}

/* What is excepted and was not found is a mistake. */
static void
check_except(struct querying *q, const struct revoke_params *p)
{
	for (size_t i = 0; i < q->except.count; i++)
		if (!q->except.rows[i].drop)
			step_finding(q->build, q->step, "except",
			    "QUERY-EXCEPT", NULL,
			    "serial %s is excepted, and the query does not "
			    "find it",
			    p->except[q->except.rows[i].line]);
}

static int
set_conditions(const struct query_params *q, struct conditions *c)
{
	c->params = q;
	if ((q->from != NULL && date_parse(q->from, &c->from) < 0) ||
	    (q->until != NULL && date_parse(q->until, &c->until) < 0))
		return -1; /* revoke_query_check() has had them pass */
	if (q->subject != NULL &&
	    (c->subject = normal_name(q->subject)) == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a name");
	if (q->name == NULL)
		return 0;
	c->type = type_of(q->name);
	c->name = normal_alt_name(q->name);
	return c->name == NULL ? -1 : 0;
}

/* As the journal has it: lower case. */
static char *
lower(const char *hex)
{
	char *copy = hex == NULL ? NULL : text_copy(hex);

	for (char *p = copy; p != NULL && *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'F')
			*p = (char)(*p - 'A' + 'a');
	return copy;
}

int
revoke_query_run(struct build *build, const struct step *step,
    const struct issuer_view *issuer, struct query_counts *ret_counts,
    struct listing *ret_listing)
{
	const struct revoke_params *p = step->params;
	AUTO_STRUCT(conditions) conditions = { 0 };
	AUTO_STRUCT(querying)
	q = { .build = build,
		.step = step,
		.issuer = issuer,
		.conditions = &conditions };
	AUTO_CHARS(spki) = lower(p->query->spki);
	struct certificate_filter filter = {
		.issuer_dn = issuer->dn,
		.profile = p->query->profile,
		.spki = spki,
		.plan = p->query->plan,
	};

	if (p->query->spki != NULL && spki == NULL)
		return -1;
	if (set_conditions(p->query, &conditions) < 0 || read_except(&q, p) < 0)
		return -1;
	filter.from = conditions.from;
	filter.until = conditions.until;
	if (journal_each_certificate(build->journal, &filter, visit, &q) < 0 ||
	    count_elsewhere(&q) < 0 || warn_others(&q, &filter) < 0)
		return -1;
	check_except(&q, p);
	*ret_counts = q.counts;
	*ret_listing = q.listing;
	q.listing = (struct listing){ 0 }; /* moved out */
	return 0;
}
