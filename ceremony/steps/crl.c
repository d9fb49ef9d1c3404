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
#include "ceremony/steps/crl-private.h"

static int
inputs(const struct step *step, const struct input_visitor *visitor)
{
	const struct crl_params *p = step->params;

	if (visitor->need(visitor->ctx, INPUT_PROFILE, p->profile,
		step_place(step, "profile")) < 0)
		return -1;
	return p->previous == NULL
	    ? 0
	    : visitor->need_bulk(
		  visitor->ctx, p->previous, step_place(step, "previous"));
}

/* `last: true` is the one thing that can be said. */
static void
check_last(struct build *build, const struct step *step)
{
	const struct crl_params *p = step->params;

	if (p->last == NULL)
		return;
	if (strcmp(p->last, "true") != 0)
		step_finding(build, step, "last", "CRL-LAST", NULL,
		    "'%s' is not 'true'; leave it out where the CA goes on",
		    p->last);
	if (p->validity != NULL)
		step_finding(build, step, "validity", "CRL-LAST", NULL,
		    "a last CRL ends with the certificate of its CA; leave out "
		    "'validity'");
}

static int
check(struct build *build, const struct step *step)
{
	const struct crl_params *p = step->params;
	const struct profile *profile = NULL;
	int64_t validity;

	build_duration(build, step, "validity", p->validity, &validity);
	check_last(build, step);
	if (build_profile(build, step, p->profile, PROFILE_CRL, &profile) < 0)
		return -1;
	return build_check_name(build, step, p->name);
}

static int
describe(const struct step *step, char **ret_text)
{
	const struct crl_params *p = step->params;

	const char *last = p->last == NULL ? "" : "last ";

	if (p->url != NULL)
		return step_text(ret_text,
		    "make %sCRL '%s' of what '%s' has revoked of the "
		    "certificates that refer to %s, profile '%s'",
		    last, p->name, p->issuer, p->url, p->profile);
	return step_text(ret_text,
	    "make %sCRL '%s' of everything that '%s' has revoked, profile '%s'",
	    last, p->name, p->issuer, p->profile);
}

/* ---- number ----------------------------------------------------------- */

/*
 * CRL-NUMBER-STRICT: above all that the journal, this plan or the CRL before has
 * given to the issuer, signed or not.
 */
static int
next_number(const struct crl_making *m, uint64_t *ret_number)
{
	const struct build *build = m->build;
	const char *issuer_dn = m->issuer.dn;
	uint64_t number = 0;

	if (journal_crl_next_number(build->journal, issuer_dn, &number) < 0)
		return -1;
	if (m->previous.found && m->previous.head.number >= number)
		number = m->previous.head.number + 1;
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

void
crl_making_clear(struct crl_making *m)
{
	issuer_view_clear(&m->issuer);
	crl_scope_clear(&m->scope);
	crl_previous_clear(&m->previous);
	free(m->planned);
}

/* What a CRL says of itself. */
struct facts {
	uint64_t number;
	int64_t from, until;
	uint64_t entries;
	bool compared; /* with the one before it */
	struct crl_change change;
};

static void
facts_clear(struct facts *facts)
{
	crl_change_clear(&facts->change);
}
CLEANUP_DEFINE_STRUCT(facts);

/* The head of what is only to be signed. */
static int
tbs_head(const struct crl_making *m, const struct tbs *tbs,
    struct crl_head *ret_head)
{
	struct tbs_constant constant;
	struct der_source source;

	if (tbs_constant_source(tbs, &constant, &source) < 0)
		return -1;
	return crl_head_read(m->params->name, &source, ret_head);
}

/* The head of what is there already, signed or only to be signed. */
static int
earlier_head(const struct crl_making *m, const struct earlier_object *earlier,
    struct crl_head *ret_head)
{
	struct tbs_reader reader;
	struct der_source source;

	if (earlier->state != EARLIER_SIGNED)
		return tbs_head(m, &earlier->octets, ret_head);
	if (tbs_source(&earlier->octets, &reader, &source) < 0)
		return -1;
	return crl_head_read(m->params->name, &source, ret_head);
}

static int
earlier_facts(const struct crl_making *m, const struct earlier_object *earlier,
    struct facts *ret_facts)
{
	AUTO_STRUCT(crl_head) head = { 0 };

	if (earlier_head(m, earlier, &head) < 0)
		return -1;
	*ret_facts = (struct facts){
		.number = head.number,
		.from = head.this_update,
		.until = head.next_update,
		.entries = head.entries,
	};
	return 0;
}

static void
make_request(const struct crl_making *m, struct crl_request *ret_request)
{
	*ret_request = (struct crl_request){
		.profile = m->profile,
		.issuer = m->issuer.certificate,
		.number = m->number,
		.now = m->build->now,
		.validity = m->validity,
		.distribution_url = m->params->url,
		.place = step_place(m->step, NULL),
	};
}

/* Encode a new CRL; findings where it may not be. */
static int
make_new(struct crl_making *m, const struct crl_request *request,
    struct findings *findings, struct tbs *ret_tbs, struct facts *ret_facts,
    bool *ret_made)
{
	AUTO_STRUCT(facts)
	facts = { .number = request->number,
		.from = request->now,
		.until = crl_next_update(request),
		.compared = true };
	const size_t errors = findings->errors;

	if (crl_check(request, findings) < 0)
		return build_error_to_finding(m->build, m->step, NULL, "CRL");
	if (findings->errors > errors)
		return 0;
	if (crl_write(m, request, findings, ret_tbs, &facts.change,
		&facts.entries, ret_made) < 0)
		return -1;
	*ret_facts = facts;
	facts = (struct facts){ 0 }; /* moved out */
	return 0;
}

/*
 * May a CRL that was spooled be signed as it is?  Its number must still be
 * above all others, and with its number and time what is revoked now must give
 * the same octets again.
 */
static int
still_right(struct crl_making *m, const struct earlier_object *earlier,
    struct facts *ret_facts, bool *ret_right)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(facts) was = { 0 };
	AUTO_STRUCT(tbs) again = { 0 };
	struct crl_request request;
	bool made = false;

	if (earlier_facts(m, earlier, &was) < 0)
		return -1;
	make_request(m, &request);
	request.number = was.number;
	request.now = was.from;
	if (m->last)
		request.validity = was.until - was.from + 1;
	if (make_new(m, &request, &findings, &again, ret_facts, &made) < 0)
		return -1;
	*ret_right = made && was.number >= m->number &&
	    again.len == earlier->octets.len &&
	    memcmp(again.sha256, earlier->octets.sha256,
		sizeof(again.sha256)) == 0;
	return 0;
}

static int
pick_earlier(struct crl_making *m, struct facts *ret_facts,
    const struct earlier_object **ret_earlier)
{
	const struct earlier_object *earlier =
	    build_earlier(m->build, m->issuer.fresh);
	AUTO_STRUCT(facts) facts = { 0 };
	bool right = true;

	if (earlier->state == EARLIER_SIGNED &&
	    earlier_facts(m, earlier, &facts) < 0)
		return -1;
	if (earlier->state == EARLIER_SPOOLED &&
	    still_right(m, earlier, &facts, &right) < 0)
		return -1;
	/* As if its issuer were new: nothing that may be used. */
	*ret_earlier = right ? earlier : build_earlier(m->build, true);
	if (right) {
		*ret_facts = facts;
		facts = (struct facts){ 0 }; /* moved out */
	}
	return 0;
}

/* ---- what is said of it ------------------------------------------------ */

static json_t *
make_json(const struct crl_making *m, const struct facts *facts)
{
	char from[DATE_TEXT_SIZE], until[DATE_TEXT_SIZE];
	AUTO_CHARS(number) = text_printf("%" PRIu64, facts->number);
	const char *only = m->scope.only_ca ? "ca"
	    : m->scope.only_user            ? "user"
					    : NULL;

	if (number == NULL)
		return NULL;
	date_format(facts->from, from);
	date_format(facts->until, until);
	return json_pack(
	    "{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:s*, s:s*, s:o*}", "issuer",
	    m->params->issuer, "issuer_dn", m->issuer.dn, "profile",
	    m->params->profile, "number", number, "this_update", from,
	    "next_update", until, "entries", (json_int_t)facts->entries,
	    "distribution_url", m->scope.url, "only", only, "last",
	    m->last ? json_true() : NULL);
}

static char *
make_summary(const struct crl_making *m, const struct facts *facts)
{
	return text_printf("%sCRL number %" PRIu64 " of %s, %" PRIu64 " %s",
	    m->last ? "last " : "", facts->number, m->issuer.facts.subject,
	    facts->entries, facts->entries == 1 ? "entry" : "entries");
}

static char *
kind_of_change(const char *what, uint64_t count, const char *serials)
{
	const char *more = count > 10 ? ", ..." : "";

	if (count == 0)
		return text_copy("");
	return text_printf(
	    "\n%s: %s%s", what, serials == NULL ? "" : serials, more);
}

/* CRL-RECHECK: how it differs from the one before it. */
static char *
change_text(const struct crl_making *m, const struct facts *facts)
{
	const struct crl_change *c = &facts->change;
	AUTO_CHARS(added) = kind_of_change("new", c->added, c->added_text);
	AUTO_CHARS(gone) = kind_of_change("left out", c->gone, c->gone_text);
	AUTO_CHARS(upgraded) =
	    kind_of_change("changed", c->upgraded, c->upgraded_text);

	if (!facts->compared)
		return text_copy("");
	if (!m->previous.found)
		return text_copy("\nbefore it: no CRL of this scope");
	if (added == NULL || gone == NULL || upgraded == NULL)
		return NULL;
	return text_printf(
	    "\nbefore it: number %" PRIu64 ", %" PRIu64 " %s, of which %" PRIu64
	    " %s, %" PRIu64 " changed to keyCompromise, %" PRIu64
	    " left out after their certificates' end; %" PRIu64 " %s new%s%s%s",
	    m->previous.head.number, m->previous.head.entries,
	    m->previous.head.entries == 1 ? "entry" : "entries", c->kept,
	    c->kept == 1 ? "is kept as it is" : "are kept as they are",
	    c->upgraded, c->gone, c->added, c->added == 1 ? "is" : "are", added,
	    upgraded, gone);
}

static char *
make_details(const struct crl_making *m, const struct facts *facts)
{
	AUTO_CHARS(scope) = crl_scope_text(&m->scope);
	AUTO_CHARS(change) = change_text(m, facts);
	const char *last = m->last ? "\nlast: every certificate of this CA has "
				     "expired or is revoked"
				   : "";
	char from[DATE_TEXT_SIZE], until[DATE_TEXT_SIZE];

	if (scope == NULL || change == NULL)
		return NULL;
	date_format(facts->from, from);
	date_format(facts->until, until);
	return text_printf("issuer: %s\n"
			   "number: %" PRIu64 "\n"
			   "valid: %s to %s\n"
			   "about: %s\n"
			   "entries: %" PRIu64 "\n"
			   "profile: %s%s%s",
	    m->issuer.facts.subject, facts->number, from, until, scope,
	    facts->entries, m->params->profile, change, last);
}

static int
finish_object(struct crl_making *m, const struct facts *facts,
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
	if (object->from != BUILT_AND_SIGNED &&
	    crl_previous_file(m, &object->previous) < 0)
		return -1;
	return built_issuer(object, m->issuer.certificate);
}

/* Bytes of the object: new, spooled, or signed; and what they say. */
static int
make_object(struct crl_making *m, struct built_object *object,
    struct facts *ret_facts, bool *ret_made)
{
	const struct earlier_object *earlier = NULL;
	struct crl_request request;

	if (pick_earlier(m, ret_facts, &earlier) < 0)
		return -1;
	if (earlier->state == EARLIER_NOTHING) {
		object->from = BUILT_NOW;
		object->built = m->build->now;
		make_request(m, &request);
		return make_new(m, &request, m->build->findings, &object->tbs,
		    ret_facts, ret_made);
	}
	*ret_made = true;
	object->built = earlier->built;
	object->from =
	    earlier->state == EARLIER_SIGNED ? BUILT_AND_SIGNED : BUILT_BEFORE;
	return object->from == BUILT_BEFORE
	    ? tbs_copy(&earlier->octets, &object->tbs)
	    : 0;
}

/* ---- scope ------------------------------------------------------------- */

/* One without entries, to see what the profile makes of the URL. */
static int
sample_scope(struct crl_making *m, bool *ret_found)
{
	AUTO_STRUCT(tbs) empty = { 0 };
	AUTO_STRUCT(crl_head) head = { 0 };
	const size_t errors = m->build->findings->errors;
	struct crl_request request;

	make_request(m, &request);
	if (crl_check(&request, m->build->findings) < 0)
		return build_error_to_finding(m->build, m->step, NULL, "CRL");
	if (m->build->findings->errors > errors)
		return 0;
	if (crl_build(&request, &empty) < 0)
		return -1;
	if (tbs_head(m, &empty, &head) < 0 ||
	    crl_scope_of(head.extensions, &m->scope) < 0)
		return -1;
	*ret_found = true;
	return 0;
}

/* The scope is what the CRL says of itself. */
static int
find_scope(struct crl_making *m, bool *ret_found)
{
	const struct earlier_object *earlier =
	    build_earlier(m->build, m->issuer.fresh);
	AUTO_STRUCT(crl_head) head = { 0 };

	if (m->params->url == NULL &&
	    !profile_needs_distribution_url(m->profile)) {
		*ret_found = true; /* a full one */
		return 0;
	}
	if (earlier->state != EARLIER_SIGNED)
		return sample_scope(m, ret_found);
	if (earlier_head(m, earlier, &head) < 0 ||
	    crl_scope_of(head.extensions, &m->scope) < 0)
		return -1;
	*ret_found = true;
	return 0;
}

/*
 * CRL-IDP-URI: a URL that no certificate refers to makes a CRL for nobody.  That
 * of authority.yaml is in those that are issued from now on.
 */
static int
check_url(const struct crl_making *m)
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
		if (!used && crl_is_partition_of(ours, m->scope.url, &used) < 0)
			return -1;
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

/* ---- the last CRL ------------------------------------------------------ */

struct counting {
	const struct crl_making *m;
	uint64_t count;
};

static int
count_certificate(void *ctx, const struct object_row *row)
{
	struct counting *c = ctx;
	bool revoked = false;

	/* A root is not on its own CRL. */
	if (row->subject_dn != NULL &&
	    strcmp(row->subject_dn, row->issuer_dn) == 0)
		return 0;
	if (build_is_revoked(
		c->m->build, c->m->issuer.dn, row->serial, &revoked) < 0)
		return -1;
	c->count += !revoked;
	return 0;
}

/* Of which nobody knows the end may be alive. */
static int
count_issued(void *ctx, const struct issued_row *row)
{
	struct counting *c = ctx;
	bool revoked = false;

	if (row->expires != 0 && row->expires < c->m->build->now)
		return 0;
	if (build_is_revoked(
		c->m->build, c->m->issuer.dn, row->serial, &revoked) < 0)
		return -1;
	c->count += !revoked;
	return 0;
}

/* CRL-STOP: whoever is not revoked by now never will be. */
static int
count_alive(struct crl_making *m)
{
	const struct certificate_filter filter = {
		.issuer_dn = m->issuer.dn,
		.alive = m->build->now,
	};
	struct counting c = { .m = m };

	if (journal_each_certificate(
		m->build->journal, &filter, count_certificate, &c) < 0 ||
	    journal_each_issued(
		m->build->journal, m->issuer.dn, count_issued, &c) < 0)
		return -1;
	if (c.count > 0)
		step_finding(m->build, m->step, "last", "CRL-LAST", "BR 4.9.7",
		    "%" PRIu64 " certificate%s of this CA %s neither expired "
		    "nor revoked, and could not be revoked after its last "
		    "CRL; revoke all before it ('revoke' with a query), or "
		    "leave out 'last'",
		    c.count, c.count == 1 ? "" : "s",
		    c.count == 1 ? "is" : "are");
	return 0;
}

/* It is in force as long as the CA's certificate is, where it may be. */
static int
find_validity(struct crl_making *m)
{
	const int64_t life = m->issuer.facts.not_after - m->build->now + 1;
	const int64_t max = profile_validity_max(m->profile);

	build_duration(
	    m->build, m->step, "validity", m->params->validity, &m->validity);
	m->last = m->params->last != NULL;
	if (!m->last)
		return 0;
	m->validity = life < max ? life : max;
	if (life > max)
		findings_add(m->build->findings, FINDING_WARNING, "CRL-LAST",
		    step_place(m->step, "last"), "BR 7.2",
		    "the profile lets no CRL be in force as long as the CA's "
		    "certificate: this one ends %" PRId64 " days before it; "
		    "have the CA above revoke that certificate before then",
		    (life - max) / DAY_SECONDS);
	return count_alive(m);
}

/* ---- all of it --------------------------------------------------------- */

/*
 * What the CRL is about, the one before it, and what is revoked.  What was
 * signed by an earlier part of the run is what it is.
 */
static int
find_all(struct crl_making *m, bool *ret_found)
{
	const size_t errors = m->build->findings->errors;
	const bool is_signed =
	    build_earlier(m->build, m->issuer.fresh)->state == EARLIER_SIGNED;
	bool found = false;

	if (find_validity(m) < 0 || find_scope(m, &found) < 0)
		return -1;
	if (!found)
		return 0;
	if (!is_signed &&
	    (check_url(m) < 0 || crl_check_covers(m) < 0 ||
		crl_find_previous(m) < 0 || crl_find_planned(m) < 0 ||
		crl_check_reasons(m) < 0))
		return -1;
	if (next_number(m, &m->number) < 0)
		return -1;
	*ret_found = m->build->findings->errors == errors;
	return 0;
}

static int
make_crl(struct crl_making *m)
{
	struct built_object object = { 0 };
	AUTO_STRUCT(facts) facts = { 0 };
	bool made = false, found = false;

	if (find_all(m, &found) < 0)
		return -1;
	if (!found)
		return 0;
	if (make_object(m, &object, &facts, &made) < 0 ||
	    (made && finish_object(m, &facts, &object) < 0)) {
		built_object_clear(&object);
		return -1;
	}
	if (!made)
		return 0;
	if (build_add_object(m->build, &object) < 0)
		return -1;
	return crl_check_partitions(m);
}

static int
build(struct build *build, const struct step *step)
{
	AUTO_STRUCT(crl_making) m = { .build = build, .step = step };

	m.params = step->params;
	if (build_profile(
		build, step, m.params->profile, PROFILE_CRL, &m.profile) < 0 ||
	    build_issuer(build, step, "issuer", m.params->issuer, ISSUER_STATUS,
		&m.issuer) < 0)
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
