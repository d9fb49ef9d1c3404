/*
 * The step that makes a CRL: of everything that an issuer has revoked, or of
 * what is in the scope that the profile and a URL give it.
 */
#include "profiles/crl.h"

#include <inttypes.h>
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "ceremony/steps/build.h"
#include "ceremony/steps/scope.h"

static int
inputs(const struct step *step, const struct input_visitor *visitor)
{
	const struct crl_params *p = step->params;

	return visitor->need(visitor->ctx, INPUT_PROFILE, p->profile,
	    step_place(step, "profile"));
}

static int
check(struct build *build, const struct step *step)
{
	const struct crl_params *p = step->params;
	const struct profile *profile = NULL;
	int64_t validity;

	build_duration(build, step, "validity", p->validity, &validity);
	if (build_profile(build, step, p->profile, PROFILE_CRL, &profile) < 0)
		return -1;
	return build_check_name(build, step, p->name);
}

static int
describe(const struct step *step, char **ret_text)
{
	const struct crl_params *p = step->params;

	if (p->url != NULL)
		return step_text(ret_text,
		    "make CRL '%s' of what '%s' has revoked of the "
		    "certificates that refer to %s, profile '%s'",
		    p->name, p->issuer, p->url, p->profile);
	return step_text(ret_text,
	    "make CRL '%s' of everything that '%s' has revoked, profile '%s'",
	    p->name, p->issuer, p->profile);
}

/* ---- the entries ------------------------------------------------------ */

struct entries {
	struct crl_entry *rows;
	unsigned char **serials; /* what the rows point to */
	size_t count;
};

/* What is revoked, and which of it is in scope. */
struct collecting {
	struct build *build;
	const struct step *step;
	const struct crl_scope *scope;
	const char *issuer_dn;
	struct entries *entries;
	size_t nowhere; /* revoked, and in no partition */
};

static void
entries_clear(struct entries *entries)
{
	for (size_t i = 0; i < entries->count; i++)
		free(entries->serials[i]);
	free(entries->serials);
	free(entries->rows);
	*entries = (struct entries){ 0 };
}

static int
entries_add(struct entries *entries, const char *serial, int64_t date,
    const char *reason)
{
	struct crl_entry row = { .date = date };
	AUTO_BYTES(octets) = NULL;
	size_t n = entries->count + 1;
	struct crl_entry *rows;
	unsigned char **serials;

	if (text_unhex(serial, &octets, &row.serial_len) < 0 ||
	    reason_by_name(reason, &row.reason) < 0)
		return -1;
	rows = realloc(entries->rows, n * sizeof(*rows));
	if (rows != NULL)
		entries->rows = rows;
	serials = realloc(entries->serials, n * sizeof(*serials));
	if (serials != NULL)
		entries->serials = serials;
	if (rows == NULL || serials == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a CRL");
	row.serial = octets;
	rows[n - 1] = row;
	serials[n - 1] = TAKE(octets);
	entries->count = n;
	return 0;
}

/* Whatever cannot be placed refuses: it would be on no CRL (CRL-UNION). */
static int
add_in_scope(
    struct collecting *c, const char *serial, int64_t date, const char *reason)
{
	enum scope_verdict verdict = SCOPE_UNKNOWN;

	if (crl_scope_judge(c->build->journal, c->scope, c->issuer_dn, serial,
		&verdict) < 0)
		return -1;
	switch (verdict) {
	case SCOPE_HOLDS:
		return entries_add(c->entries, serial, date, reason);
	case SCOPE_LACKS:
		return 0;
	case SCOPE_NOWHERE:
		c->nowhere++;
		return 0;
	case SCOPE_UNKNOWN:
		break;
	}
	step_finding(c->build, c->step, "url", "CRL-UNION", "BR 4.9.7",
	    "serial %s is revoked, and the journal does not know the "
	    "certificate: nobody can say whether it is in the scope of this "
	    "CRL; make a full one",
	    serial);
	return 0;
}

static int
visit_revocation(void *ctx, const struct revocation_row *row)
{
	return add_in_scope(ctx, row->serial, row->date, row->reason);
}

/* What this plan revokes of the issuer before this step. */
static int
add_planned(struct collecting *c)
{
	const struct build *build = c->build;

	for (size_t i = 0; i < build->act_count; i++) {
		json_t *data = build->acts[i].data;
		const char *dn, *serial, *date, *reason;
		int64_t when;

		if (build->acts[i].entry != ENTRY_REVOKED)
			continue;
		if (json_unpack(data, "{s:s, s:s, s:s, s:s}", "issuer_dn", &dn,
			"serial", &serial, "date", &date, "reason",
			&reason) != 0)
			return ca_error(
			    CA_R_INTERNAL, "a revocation is incomplete");
		if (strcmp(dn, c->issuer_dn) != 0)
			continue;
		if (date_parse(date, &when) < 0 ||
		    add_in_scope(c, serial, when, reason) < 0)
			return -1;
	}
	return 0;
}

/* Serials are minimal and positive: the longer is the larger. */
static int
compare_entries(const void *a, const void *b)
{
	const struct crl_entry *x = a, *y = b;

	if (x->serial_len != y->serial_len)
		return x->serial_len < y->serial_len ? -1 : 1;
	return memcmp(x->serial, y->serial, x->serial_len);
}

static void
warn_nowhere(const struct collecting *c)
{
	if (c->nowhere > 0)
		findings_add(c->build->findings, FINDING_WARNING, "CRL-UNION",
		    step_place(c->step, "url"), "BR 4.9.7",
		    "%zu certificates that are revoked name no CRL, so they "
		    "are in no partition: only a full CRL has them",
		    c->nowhere);
}

static int
collect_entries(struct collecting *c)
{
	if (journal_each_revocation(
		c->build->journal, c->issuer_dn, visit_revocation, c) < 0 ||
	    add_planned(c) < 0)
		return -1;
	if (c->entries->count > 1)
		qsort(c->entries->rows, c->entries->count,
		    sizeof(c->entries->rows[0]), compare_entries);
	warn_nowhere(c);
	return 0;
}

/* ---- number ----------------------------------------------------------- */

/*
 * CRL-NUMBER-STRICT: above all that the journal or this plan has given to the
 * issuer, signed or not.
 */
static int
next_number(
    const struct build *build, const char *issuer_dn, uint64_t *ret_number)
{
	uint64_t number = 0;

	if (journal_crl_next_number(build->journal, issuer_dn, &number) < 0)
		return -1;
	for (size_t i = 0; i < build->object_count; i++) {
		const json_t *facts = build->objects[i].facts;
		const char *dn =
		    json_string_value(json_object_get(facts, "issuer_dn"));
		const char *text =
		    json_string_value(json_object_get(facts, "number"));
		uint64_t other;

		if (dn == NULL || text == NULL || strcmp(dn, issuer_dn) != 0)
			continue;
		if (text_number(text, UINT64_MAX, &other) < 0)
			return -1;
		if (other >= number)
			number = other + 1;
	}
	*ret_number = number;
	return 0;
}

/* ---- building --------------------------------------------------------- */

struct making {
	struct build *build;
	const struct step *step;
	const struct crl_params *params;
	const struct profile *profile;
	struct issuer_view issuer;
	struct crl_scope scope;
	struct entries entries;
	uint64_t number;
};

static void
making_clear(struct making *making)
{
	issuer_view_clear(&making->issuer);
	crl_scope_clear(&making->scope);
	entries_clear(&making->entries);
}
CLEANUP_DEFINE_STRUCT(making);

/* What a CRL says of itself, from its bytes. */
struct crl_facts {
	uint64_t number;
	int64_t from, until;
	size_t entries;
};

static int
read_facts(const char *name, const unsigned char *der, size_t len,
    struct crl_facts *ret_facts)
{
	AUTO(X509_CRL) *crl = NULL;
	AUTO(ASN1_INTEGER) *number = NULL;
	struct crl_facts facts = { 0 };
	STACK_OF(X509_REVOKED) *revoked;
	int critical = 0;

	if (crl_read(name, der, len, &crl) < 0)
		return -1;
	number = X509_CRL_get_ext_d2i(crl, NID_crl_number, &critical, NULL);
	if (number == NULL ||
	    ASN1_INTEGER_get_uint64(&facts.number, number) != 1 ||
	    date_from_asn1(X509_CRL_get0_lastUpdate(crl), &facts.from) < 0 ||
	    date_from_asn1(X509_CRL_get0_nextUpdate(crl), &facts.until) < 0)
		return ca_error(
		    CA_R_CORRUPT, "CRL '%s' has no number or dates", name);
	revoked = X509_CRL_get_REVOKED(crl);
	facts.entries =
	    revoked == NULL ? 0 : (size_t)sk_X509_REVOKED_num(revoked);
	*ret_facts = facts;
	return 0;
}

/* The facts of what is there already, signed or only to be signed. */
static int
earlier_facts(const struct making *m, const struct earlier_object *earlier,
    struct crl_facts *ret_facts)
{
	AUTO_STRUCT(tbs) tbs = { 0 };
	AUTO_BYTES(der) = NULL;
	size_t len = 0;

	if (earlier->state == EARLIER_SIGNED)
		return read_facts(
		    m->params->name, earlier->der, earlier->len, ret_facts);
	if (earlier_tbs(earlier, OBJECT_CRL, &tbs) < 0 ||
	    object_with_constant(&tbs, &der, &len) < 0)
		return -1;
	return read_facts(m->params->name, der, len, ret_facts);
}

static void
make_request(const struct making *m, struct crl_request *ret_request)
{
	*ret_request = (struct crl_request){
		.profile = m->profile,
		.issuer = m->issuer.certificate,
		.number = m->number,
		.now = m->build->now,
		.entries = m->entries.rows,
		.entry_count = m->entries.count,
		.distribution_url = m->params->url,
		.place = step_place(m->step, NULL),
	};
	build_duration(m->build, m->step, "validity", m->params->validity,
	    &ret_request->validity);
}

/*
 * May a CRL that was spooled be signed as it is?  Its number must still be
 * above all others, and with its number and time what is revoked now must give
 * the same octets again.
 */
static int
still_right(const struct making *m, const struct earlier_object *earlier,
    bool *ret_right)
{
	struct crl_request request;
	struct crl_facts facts = { 0 };
	AUTO_STRUCT(tbs) again = { 0 };

	if (earlier_facts(m, earlier, &facts) < 0)
		return -1;
	make_request(m, &request);
	request.number = facts.number;
	request.now = facts.from;
	if (crl_build(&request, &again) < 0) {
		if (ca_error_exit_status() != CA_EXIT_REFUSED)
			return -1;
		ca_error_clear();
		*ret_right = false;
		return 0;
	}
	*ret_right = facts.number >= m->number && again.len == earlier->len &&
	    memcmp(again.der, earlier->der, again.len) == 0;
	return 0;
}

static int
pick_earlier(const struct making *m, const struct earlier_object **ret_earlier)
{
	const struct earlier_object *earlier =
	    build_earlier(m->build, m->issuer.fresh);
	bool right = true;

	if (earlier->state == EARLIER_SPOOLED &&
	    still_right(m, earlier, &right) < 0)
		return -1;
	/* As if its issuer were new: nothing that may be used. */
	*ret_earlier = right ? earlier : build_earlier(m->build, true);
	return 0;
}

static json_t *
make_json(const struct making *m, const struct crl_facts *facts)
{
	char from[DATE_TEXT_SIZE], until[DATE_TEXT_SIZE];
	AUTO_CHARS(number) = text_printf("%" PRIu64, facts->number);

	if (number == NULL)
		return NULL;
	date_format(facts->from, from);
	date_format(facts->until, until);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:s*}", "issuer",
	    m->params->issuer, "issuer_dn", m->issuer.dn, "profile",
	    m->params->profile, "number", number, "this_update", from,
	    "next_update", until, "entries", (json_int_t)facts->entries,
	    "distribution_url", m->scope.url);
}

static char *
make_summary(const struct making *m, const struct crl_facts *facts)
{
	return text_printf("CRL number %" PRIu64 " of %s, %zu entries",
	    facts->number, m->issuer.facts.subject, facts->entries);
}

static char *
make_details(const struct making *m, const struct crl_facts *facts)
{
	AUTO_CHARS(scope) = crl_scope_text(&m->scope);
	char from[DATE_TEXT_SIZE], until[DATE_TEXT_SIZE];

	if (scope == NULL)
		return NULL;

	date_format(facts->from, from);
	date_format(facts->until, until);
	return text_printf("issuer: %s\n"
			   "number: %" PRIu64 "\n"
			   "valid: %s to %s\n"
			   "about: %s\n"
			   "entries: %zu\n"
			   "profile: %s",
	    m->issuer.facts.subject, facts->number, from, until, scope,
	    facts->entries, m->params->profile);
}

static int
finish_object(const struct making *m, const struct crl_facts *facts,
    struct built_object *object)
{
	object->kind = OBJECT_CRL;
	object->step = m->step;
	object->name = text_copy(m->params->name);
	object->key = text_copy(m->issuer.key);
	object->issuer = text_copy(m->params->issuer);
	object->facts = make_json(m, facts);
	object->summary = make_summary(m, facts);
	object->details = make_details(m, facts);
	object->stage = STAGE_CRL;
	object->signer = bytes_copy(m->issuer.spki, m->issuer.spki_len);
	object->signer_len = m->issuer.spki_len;
	object->profile = m->profile;
	if (object->signer == NULL || object->issuer == NULL)
		return -1;
	return built_issuer(object, m->issuer.certificate);
}

/* Encode a new CRL; findings where it may not be. */
static int
make_new(const struct making *m, struct tbs *ret_tbs, bool *ret_made)
{
	struct build *build = m->build;
	size_t errors = build->findings->errors;
	struct crl_request request;

	make_request(m, &request);
	if (crl_check(&request, build->findings) < 0)
		return build_error_to_finding(build, m->step, NULL, "CRL");
	if (build->findings->errors > errors)
		return 0;
	if (crl_build(&request, ret_tbs) < 0)
		return -1;
	*ret_made = true;
	return 0;
}

/* What a CRL that was just encoded says. */
static int
new_facts(
    const struct making *m, const struct tbs *tbs, struct crl_facts *ret_facts)
{
	const struct earlier_object now = {
		.state = EARLIER_SPOOLED,
		.alg = tbs->alg,
		.der = tbs->der,
		.len = tbs->len,
	};

	return earlier_facts(m, &now, ret_facts);
}

/* Bytes of the object: new, spooled, or signed; and what they say. */
static int
make_object(const struct making *m, const struct earlier_object *earlier,
    struct built_object *object, struct crl_facts *ret_facts, bool *ret_made)
{
	if (earlier->state == EARLIER_NOTHING) {
		object->from = BUILT_NOW;
		object->built = m->build->now;
		if (make_new(m, &object->tbs, ret_made) < 0)
			return -1;
		return *ret_made ? new_facts(m, &object->tbs, ret_facts) : 0;
	}
	*ret_made = true;
	object->built = earlier->built;
	object->from =
	    earlier->state == EARLIER_SIGNED ? BUILT_AND_SIGNED : BUILT_BEFORE;
	if (object->from == BUILT_BEFORE &&
	    earlier_tbs(earlier, OBJECT_CRL, &object->tbs) < 0)
		return -1;
	return earlier_facts(m, earlier, ret_facts);
}

/* What was signed by an earlier part of the run, or one without entries. */
static int
sample(const struct making *m, unsigned char **ret_der, size_t *ret_len)
{
	const struct earlier_object *earlier =
	    build_earlier(m->build, m->issuer.fresh);
	AUTO_STRUCT(tbs) empty = { 0 };
	bool made = false;

	if (earlier->state == EARLIER_SIGNED) {
		*ret_der = bytes_copy(earlier->der, earlier->len);
		*ret_len = earlier->len;
		return *ret_der == NULL ? -1 : 0;
	}
	if (make_new(m, &empty, &made) < 0)
		return -1;
	return made ? object_with_constant(&empty, ret_der, ret_len) : 0;
}

/* The scope is what the CRL says of itself. */
static int
find_scope(struct making *m, bool *ret_found)
{
	AUTO(X509_CRL) *crl = NULL;
	AUTO_BYTES(der) = NULL;
	size_t len = 0;

	if (m->params->url == NULL &&
	    !profile_needs_distribution_url(m->profile)) {
		*ret_found = true; /* a full one */
		return 0;
	}
	if (sample(m, &der, &len) < 0)
		return -1;
	if (der == NULL)
		return 0; /* findings say why */
	if (crl_read(m->params->name, der, len, &crl) < 0 ||
	    crl_scope_read(crl, &m->scope) < 0)
		return -1;
	*ret_found = true;
	return 0;
}

/*
 * CRL-IDP-URI: a URL that no certificate refers to makes a CRL for nobody.  That
 * of authority.yaml is in those that are issued from now on.
 */
static int
check_url(const struct making *m)
{
	AUTO_CHARS(ours) = NULL;
	bool used = false;

	if (m->scope.url == NULL)
		return 0;
	if (m->build->urls[URL_CRL] != NULL) {
		ours = step_url(m->build->urls[URL_CRL], m->params->issuer);
		if (ours == NULL)
			return -1;
		used = strcmp(ours, m->scope.url) == 0;
	}
	if (!used &&
	    crl_scope_is_used(
		m->build->journal, &m->scope, m->issuer.dn, &used) < 0)
		return -1;
	if (!used)
		step_finding(m->build, m->step, "url", "CRL-IDP-URI",
		    "RFC 5280, section 5.2.5",
		    "no certificate that '%s' issued refers to the URL '%s', "
		    "and authority.yaml does not either: nobody would look for "
		    "this CRL",
		    m->params->issuer, m->scope.url);
	return 0;
}

/* What the CRL is about, and all of that which is revoked. */
static int
find_entries(struct making *m, bool *ret_found)
{
	size_t errors = m->build->findings->errors;
	struct collecting c = { .build = m->build,
		.step = m->step,
		.scope = &m->scope,
		.issuer_dn = m->issuer.dn,
		.entries = &m->entries };
	bool found = false;

	if (find_scope(m, &found) < 0)
		return -1;
	if (!found)
		return 0;
	if (check_url(m) < 0 || collect_entries(&c) < 0)
		return -1;
	*ret_found = m->build->findings->errors == errors;
	return 0;
}

static int
make_crl(struct making *m)
{
	struct built_object object = { 0 };
	const struct earlier_object *earlier = NULL;
	struct crl_facts facts = { 0 };
	bool made = false, found = false;

	if (next_number(m->build, m->issuer.dn, &m->number) < 0 ||
	    find_entries(m, &found) < 0)
		return -1;
	if (!found)
		return 0;
	if (pick_earlier(m, &earlier) < 0)
		return -1;
	if (make_object(m, earlier, &object, &facts, &made) < 0 ||
	    (made && finish_object(m, &facts, &object) < 0)) {
		built_object_clear(&object);
		return -1;
	}
	return made ? build_add_object(m->build, &object) : 0;
}

static int
build(struct build *build, const struct step *step)
{
	AUTO_STRUCT(making) m = { .build = build, .step = step };

	m.params = step->params;
	if (build_profile(
		build, step, m.params->profile, PROFILE_CRL, &m.profile) < 0 ||
	    build_issuer(build, step, "issuer", m.params->issuer, &m.issuer) <
		0)
		return -1;
	if (m.profile == NULL || !m.issuer.found)
		return 0;
	return make_crl(&m);
}

static const char *
publish(const struct step *step)
{
	const struct crl_params *p = step->params;

	return p->name;
}

const struct step_kind step_crl = {
	.name = "crl",
	.params_offset = offsetof(struct step_params, crl),
	.output = "crl",
	.inputs = inputs,
	.check = check,
	.describe = describe,
	.build = build,
	.publish = publish,
};
