/*
 * The step that makes OCSP responses in advance: one for each certificate of an
 * issuer, or for those that are listed.
 */
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "ceremony/steps/ocsp-private.h"
#include "profiles/ocsp.h"

static int
inputs(const struct step *step, const struct input_visitor *visitor)
{
	const struct ocsp_responses_params *p = step->params;

	return visitor->need(visitor->ctx, INPUT_PROFILE, p->profile,
	    step_place(step, "profile"));
}

/* ---- check ------------------------------------------------------------- */

struct name_search {
	const char *name;
	bool found;
};

static int
same_window_name(void *ctx, const struct ocsp_window_row *row)
{
	struct name_search *search = ctx;

	search->found = search->found || strcmp(row->name, search->name) == 0;
	return 0;
}

/* Windows of earlier runs: their responses may not be in public/ any more. */
static int
check_name(struct build *build, const struct step *step, const char *name)
{
	struct name_search search = { name, false };
	size_t errors = build->findings->errors;

	if (build_check_name(build, step, name) < 0)
		return -1;
	if (build->resumed || build->findings->errors > errors)
		return 0;
	if (journal_each_ocsp_window(
		build->journal, NULL, same_window_name, &search) < 0)
		return -1;
	if (search.found)
		step_finding(build, step, "name", "NAME-TAKEN", NULL,
		    "this authority has OCSP responses '%s' already; choose "
		    "another name",
		    name);
	return 0;
}

static int
check_serials(struct build *build, const struct step *step)
{
	const struct ocsp_responses_params *p = step->params;

	for (unsigned i = 0; i < p->serials_count; i++) {
		AUTO_CHARS(member) = text_printf("serials[%u]", i);
		struct serial serial;

		if (member == NULL)
			return -1;
		if (serial_from_hex(
			p->serials[i], strlen(p->serials[i]), &serial) < 0 &&
		    build_error_to_finding(build, step, member, "SERIAL-FORM") <
			0)
			return -1;
	}
	return 0;
}

static int
check(struct build *build, const struct step *step)
{
	const struct ocsp_responses_params *p = step->params;
	const struct profile *profile = NULL;
	int64_t validity;

	build_duration(build, step, "validity", p->validity, &validity);
	if (build_profile(
		build, step, p->profile, PROFILE_OCSP_RESPONSE, &profile) < 0 ||
	    check_serials(build, step) < 0)
		return -1;
	return check_name(build, step, p->name);
}

static int
describe(const struct step *step, char **ret_text)
{
	const struct ocsp_responses_params *p = step->params;
	AUTO_CHARS(about) = p->serials_count == 0
	    ? text_copy("every current certificate")
	    : text_printf("%u listed certificate%s", p->serials_count,
		  p->serials_count == 1 ? "" : "s");

	if (about == NULL)
		return -1;
	if (p->responder == NULL)
		return step_text(ret_text,
		    "make OCSP responses '%s' about %s of '%s', signed with "
		    "its own key, profile '%s'",
		    p->name, about, p->issuer, p->profile);
	return step_text(ret_text,
	    "make OCSP responses '%s' about %s of '%s', signed with the key "
	    "of responder '%s', profile '%s'",
	    p->name, about, p->issuer, p->responder, p->profile);
}

/* ---- which certificates ------------------------------------------------ */

void
ocsp_making_clear(struct ocsp_making *making)
{
	issuer_view_clear(&making->issuer);
	ocsp_responder_clear(&making->responder);
	ocsp_maker_free(making->maker);
	ocsp_items_clear(&making->items);
	for (size_t i = 0; i < making->count; i++)
		free(making->chosen[i].tbs);
	free(making->chosen);
	*making = (struct ocsp_making){ 0 };
}

/* OCS-NO-EE-FROM-ROOT: each profile has its own limits. */
static bool
is_covered(const struct profile *profile, const struct ocsp_item *item)
{
	return profile_covers(profile) == COVERS_CA
	    ? item->subject == SUBJECT_CA
	    : item->subject == SUBJECT_USER || item->subject == SUBJECT_UNKNOWN;
}

/* Can there be a response about it, and how long is it valid? */
static enum ocsp_why_not
judge(const struct ocsp_making *m, const struct ocsp_item *item,
    int64_t *ret_validity)
{
	if (item->subject == SUBJECT_ROOT)
		return OCSP_NOT_ROOT;
	if (item->subject == SUBJECT_RESPONDER)
		return OCSP_NOT_RESPONDER;
	if (!is_covered(m->profile, item))
		return OCSP_NOT_COVERED;
	if (item->expires == 0)
		return OCSP_NOT_ENDING;
	if (item->expires < m->build->now)
		return OCSP_NOT_CURRENT;
	*ret_validity = ocsp_maker_validity(m->maker, item->expires);
	return *ret_validity == 0 ? OCSP_NOT_LONG : OCSP_WANTED;
}

static int
choose(struct ocsp_making *m, const struct ocsp_item *item, int64_t validity)
{
	if (m->chosen == NULL) {
		m->chosen = calloc(m->items.count, sizeof(*m->chosen));
		if (m->chosen == NULL)
			return ca_error(
			    CA_R_MEMORY, "no memory for OCSP responses");
	}
	m->chosen[m->count++] = (struct ocsp_chosen){
		.item = item,
		.validity = validity,
	};
	if (item->revoked)
		m->revoked++;
	if (validity < ocsp_maker_validity(m->maker, INT64_MAX))
		m->shorter++;
	return 0;
}

static int
choose_all(struct ocsp_making *m)
{
	for (size_t i = 0; i < m->items.count; i++) {
		int64_t validity = 0;
		enum ocsp_why_not why = judge(m, &m->items.rows[i], &validity);

		m->left_out[why]++;
		if (why == OCSP_WANTED &&
		    choose(m, &m->items.rows[i], validity) < 0)
			return -1;
	}
	return 0;
}

static const struct {
	const char *id, *source;
	const char *text; /* of one that is listed */
	const char *many; /* of those that are left out; NULL: not told */
} why_not[] = {
	[OCSP_NOT_ROOT] = { "OCS-ROOT-STATUS", NULL,
	    "this is the root itself, and a root says nothing about its own "
	    "certificate",
	    NULL },
	[OCSP_NOT_RESPONDER] = { "OCS-NO-EE-FROM-ROOT",
	    "RFC 6960, section 4.2.2.2.1",
	    "this is an OCSP responder's certificate: it has ocsp-nocheck, and "
	    "clients do not ask about it",
	    NULL },
	[OCSP_NOT_COVERED] = { "PROFILE-COVERS", "BR 4.9.9",
	    "the certificate is not of the kind that the profile covers; CAs "
	    "and end entities need a profile each, with limits of their own",
	    "are not of the kind that the profile covers; make a step with "
	    "another profile for them" },
	[OCSP_NOT_ENDING] = { "OCS-NEXTUPDATE-TARGET",
	    "RFC 6960, section 4.4.4",
	    "nobody knows when the certificate ends, and a response may not "
	    "outlive it; import it with its end (import-issued)",
	    "have an end that nobody knows; import them with it "
	    "(import-issued)" },
	[OCSP_NOT_CURRENT] = { "OCS-NEXTUPDATE-TARGET",
	    "RFC 6960, section 4.4.4",
	    "the certificate has expired, and there are no responses about it "
	    "any more",
	    NULL },
	[OCSP_NOT_LONG] = { "OCS-NEXTUPDATE-TARGET", "RFC 6960, section 4.4.4",
	    "the certificate ends so soon that a response could not be valid "
	    "for as long as the profile demands",
	    "end so soon that a response could not be valid for as long as "
	    "the profile demands" },
};

static void
tell_left_out(const struct ocsp_making *m)
{
	for (size_t i = 0; i < OCSP_WHYS; i++)
		if (m->left_out[i] > 0 && why_not[i].many != NULL)
			findings_add(m->build->findings, FINDING_WARNING,
			    "OCSP-LEFT-OUT", step_place(m->step, NULL),
			    why_not[i].source,
			    "no response is made about %zu certificates: they "
			    "%s",
			    m->left_out[i], why_not[i].many);
}

static int
choose_listed(struct ocsp_making *m, unsigned i)
{
	AUTO_CHARS(member) = text_printf("serials[%u]", i);
	const char *text = m->params->serials[i];
	const struct ocsp_item *item;
	enum ocsp_why_not why;
	struct serial serial;
	int64_t validity = 0;

	if (member == NULL || serial_from_hex(text, strlen(text), &serial) < 0)
		return -1; /* check() has had it pass */
	item = ocsp_items_find(&m->items, &serial);
	if (item == NULL) {
		step_finding(m->build, m->step, member, "OCS-GOOD-ASSIGNED",
		    "BR 4.9.9",
		    "no certificate of '%s' with the serial number %s is "
		    "known: neither issued here nor imported, so nothing is "
		    "said about it",
		    m->params->issuer, text);
		return 0;
	}
	why = judge(m, item, &validity);
	if (why == OCSP_WANTED)
		return choose(m, item, validity);
	step_finding(m->build, m->step, member, why_not[why].id,
	    why_not[why].source, "serial %s: %s", text, why_not[why].text);
	return 0;
}

static int
compare_chosen(const void *a, const void *b)
{
	const struct ocsp_chosen *x = a, *y = b;

	return x->item < y->item ? -1 : x->item > y->item;
}

static int
choose_serials(struct ocsp_making *m)
{
	size_t errors = m->build->findings->errors;

	for (unsigned i = 0; i < m->params->serials_count; i++)
		if (choose_listed(m, i) < 0)
			return -1;
	if (m->build->findings->errors > errors)
		return 0;
	qsort(m->chosen, m->count, sizeof(*m->chosen), compare_chosen);
	for (size_t i = 1; i < m->count; i++) {
		char hex[SERIAL_HEX_SIZE];

		if (m->chosen[i].item != m->chosen[i - 1].item)
			continue;
		serial_hex(&m->chosen[i].item->serial, hex);
		step_finding(m->build, m->step, "serials", "SERIAL-TWICE", NULL,
		    "serial %s is listed twice", hex);
	}
	return 0;
}

static int
choose_items(struct ocsp_making *m)
{
	size_t errors = m->build->findings->errors;

	if (m->params->serials_count > 0)
		return choose_serials(m);
	if (choose_all(m) < 0)
		return -1;
	tell_left_out(m);
	/* What could not be built has its own findings. */
	if (m->count == 0 && m->build->broken_count == 0 &&
	    m->build->findings->errors == errors)
		step_finding(m->build, m->step, "issuer", "OCSP-NONE", NULL,
		    "no current certificate of '%s' is known that a response "
		    "could be about",
		    m->params->issuer);
	return 0;
}

/* ---- building ---------------------------------------------------------- */

static int
open_maker(struct ocsp_making *m)
{
	m->request = (struct ocsp_response_request){
		.profile = m->profile,
		.issuer = m->issuer.certificate,
		.responder = m->responder.certificate,
		.now = m->now,
		.place = step_place(m->step, NULL),
	};
	build_duration(m->build, m->step, "validity", m->params->validity,
	    &m->request.validity);
	if (ocsp_maker_open(&m->request, m->build->findings, &m->maker) < 0)
		return build_error_to_finding(m->build, m->step, NULL, "OCSP");
	return 0;
}

static int
make_batch(struct ocsp_making *m)
{
	struct built_batch batch = { .step = m->step };
	size_t errors = m->build->findings->errors;

	if (ocsp_take_signed(m) < 0 || ocsp_fill_batch(m, &batch) < 0) {
		built_batch_clear(&batch);
		return -1;
	}
	if (m->build->findings->errors > errors) {
		built_batch_clear(&batch);
		return 0;
	}
	return build_add_batch(m->build, &batch);
}

/* Who is asked about, and who answers; findings where one is not there. */
static int
find_parties(struct ocsp_making *m, bool *ret_found)
{
	const struct ocsp_responses_params *p = m->params;

	if (build_issuer(m->build, m->step, "issuer", p->issuer, ISSUER_STATUS,
		&m->issuer) < 0 ||
	    build_profile(m->build, m->step, p->profile, PROFILE_OCSP_RESPONSE,
		&m->profile) < 0)
		return -1;
	if (!m->issuer.found || m->profile == NULL)
		return 0;
	if (p->responder != NULL && ocsp_find_responder(m) < 0)
		return -1;
	*ret_found = p->responder == NULL || m->responder.certificate != NULL;
	return 0;
}

static int
build(struct build *build, const struct step *step)
{
	AUTO_STRUCT(ocsp_making)
	m = {
		.build = build,
		.step = step,
		.params = step->params,
	};
	const size_t errors = build->findings->errors;
	bool found = false;

	if (find_parties(&m, &found) < 0)
		return -1;
	if (!found)
		return 0;
	/* A list may name what has expired, and is told so. */
	if (ocsp_items_collect(build, &m.issuer,
		m.params->serials_count == 0 ? build->now : 0, &m.items) < 0 ||
	    ocsp_find_time(&m) < 0 || open_maker(&m) < 0)
		return -1;
	if (m.maker == NULL)
		return 0;
	if (choose_items(&m) < 0)
		return -1;
	return build->findings->errors > errors || m.count == 0
	    ? 0
	    : make_batch(&m);
}

static const char *
publish(const struct step *step)
{
	const struct ocsp_responses_params *p = step->params;

	return p->name;
}

const struct step_kind step_ocsp_responses = {
	.name = "ocsp-responses",
	.params_offset = offsetof(struct step_params, ocsp_responses),
	.output = "ocsp",
	.inputs = inputs,
	.check = check,
	.describe = describe,
	.build = build,
	.publish = publish,
};
