#include "profiles/subject.h"

#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "profiles/asn1.h"
#include "profiles/csr.h"
#include "profiles/general-name.h"
#include "profiles/private.h"

/* The profile's slots with the values that were given for them. */
struct subject {
	struct name_part parts[PROFILE_LIST_MAX];
	size_t count;
};

static void
refuse(const struct certificate_request *request, struct findings *findings,
    enum severity severity, const char *id, const char *text, const char *name)
{
	const struct rule *rule = rule_by_id(id);

	findings_add(findings, severity, id, request->place,
	    rule != NULL ? rule->source : "", "%s '%s'", text, name);
}

/* ---- the subject ------------------------------------------------------ */

/* The `nth` value of the attribute among these, or NULL. */
static const char *
nth_of(const struct name_value *names, size_t count, const char *attribute,
    size_t nth)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i].attribute, attribute) == 0 && nth-- == 0)
			return names[i].value;
	return NULL;
}

/* How many of the profile's first `count` slots are for this attribute. */
static size_t
slots_for(const struct profile *profile, size_t count, const char *attribute)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		n +=
		    strcmp(profile->subject[i].attribute->name, attribute) == 0;
	return n;
}

/* Of those before slot `i`, how many take from where this one takes? */
static size_t
taken_before(const struct profile *profile, size_t i)
{
	const struct subject_slot *slot = &profile->subject[i];
	size_t n = 0;

	for (size_t j = 0; j < i; j++)
		n += profile->subject[j].attribute == slot->attribute &&
		    profile->subject[j].from_csr == slot->from_csr;
	return n;
}

/* What slot `i` is filled with, or NULL. */
static const char *
slot_value(const struct certificate_request *request, size_t i)
{
	const struct profile *profile = request->profile;
	const struct subject_slot *slot = &profile->subject[i];
	const char *name = slot->attribute->name;
	size_t nth = taken_before(profile, i);

	if (!slot->from_csr)
		return nth_of(
		    request->subject, request->subject_count, name, nth);
	return request->csr == NULL
	    ? NULL
	    : nth_of(request->csr->names, request->csr->name_count, name, nth);
}

/* Required ones that are missing are told by subject_check(). */
static void
fill(const struct certificate_request *request, struct subject *subject)
{
	const struct profile *profile = request->profile;

	subject->count = 0;
	for (size_t i = 0; i < profile->subject_count; i++) {
		const struct subject_slot *slot = &profile->subject[i];
		const char *value = slot_value(request, i);

		if (value != NULL)
			subject->parts[subject->count++] =
			    (struct name_part){ slot->attribute, slot->encoding,
				    value };
	}
}

static void
check_required(
    const struct certificate_request *request, struct findings *findings)
{
	const struct profile *profile = request->profile;

	for (size_t i = 0; i < profile->subject_count; i++) {
		const struct subject_slot *slot = &profile->subject[i];

		if (slot->required && slot_value(request, i) == NULL)
			findings_add(findings, FINDING_ERROR, "PROFILE-SUBJECT",
			    request->place, "",
			    "profile '%s' needs the attribute %s in the "
			    "subject%s",
			    profile->id, slot->attribute->name,
			    slot->from_csr ? ", from the request" : "");
	}
}

/* Slots of the attribute that are the plan's. */
static size_t
plan_slots(const struct profile *profile, const char *attribute)
{
	size_t n = 0;

	for (size_t i = 0; i < profile->subject_count; i++)
		n += !profile->subject[i].from_csr &&
		    strcmp(profile->subject[i].attribute->name, attribute) == 0;
	return n;
}

static void
check_known(
    const struct certificate_request *request, struct findings *findings)
{
	const struct profile *profile = request->profile;

	for (size_t i = 0; i < request->subject_count; i++) {
		const char *name = request->subject[i].attribute;
		size_t slots = plan_slots(profile, name), given = 0;

		for (size_t j = 0; j <= i; j++)
			given +=
			    strcmp(request->subject[j].attribute, name) == 0;
		if (slots == 0)
			findings_add(findings, FINDING_ERROR, "PROFILE-SUBJECT",
			    request->place, "",
			    slots_for(profile, profile->subject_count, name) > 0
				? "profile '%s' takes the attribute '%s' from "
				  "the request"
				: "profile '%s' has no attribute '%s' in the "
				  "subject",
			    profile->id, name);
		else if (given > slots)
			findings_add(findings, FINDING_ERROR, "NAM-NO-DUP",
			    request->place, "TLS BR, section 7.1.4.1",
			    "attribute '%s' is given %zu times, and may be "
			    "given %zu",
			    name, given, slots);
	}
}

/* Those that go into the certificate, wherever they come from. */
static const struct alt_name *
names_of(const struct certificate_request *request, size_t *ret_count)
{
	if (!request->profile->alt_from_csr) {
		*ret_count = request->alt_count;
		return request->alt_names;
	}
	*ret_count = request->csr != NULL ? request->csr->alt_count : 0;
	return request->csr != NULL ? request->csr->alt_names : NULL;
}

/* The common name of a server is one of its names, character for character. */
static void
check_common_name(const struct certificate_request *request,
    const struct subject *subject, struct findings *findings)
{
	const struct alt_name *names;
	size_t count;

	if (request->profile->ruleset != RULESET_CABF_TLS ||
	    profile_subjects(request->profile) != FOR_LEAF)
		return;
	names = names_of(request, &count);
	for (size_t i = 0; i < subject->count; i++) {
		bool found = false;

		if (subject->parts[i].attribute->nid != NID_commonName)
			continue;
		for (size_t j = 0; j < count; j++)
			found |= strcmp(names[j].value,
				     subject->parts[i].value) == 0;
		if (!found)
			refuse(request, findings, FINDING_ERROR, "LEAF-CN-SAN",
			    "no alternative name is the common name",
			    subject->parts[i].value);
	}
}

static bool
subject_has(const struct subject *subject, const struct name_value *name)
{
	for (size_t i = 0; i < subject->count; i++)
		if (strcmp(subject->parts[i].attribute->name,
			name->attribute) == 0 &&
		    strcmp(subject->parts[i].value, name->value) == 0)
			return true;
	return false;
}

static bool
same_name(const struct alt_name *a, const struct alt_name *b)
{
	return a->type == b->type &&
	    (a->type == ALT_DNS ? strcasecmp(a->value, b->value)
				: strcmp(a->value, b->value)) == 0;
}

static bool
names_have(
    const struct alt_name *names, size_t count, const struct alt_name *name)
{
	for (size_t i = 0; i < count; i++)
		if (same_name(&names[i], name))
			return true;
	return false;
}

/* CSR-IGNORE: a name that differs is reported, never merged. */
static void
report_request(const struct certificate_request *request,
    const struct subject *subject, struct findings *findings)
{
	const struct csr *csr = request->csr;

	for (size_t i = 0; i < csr->name_count; i++)
		if (!subject_has(subject, &csr->names[i]))
			refuse(request, findings, FINDING_NOTICE, "CSR-IGNORE",
			    "the certificate will not have what the request "
			    "has in its subject:",
			    csr->names[i].value);
	for (size_t i = 0;
	     !request->profile->alt_from_csr && i < csr->alt_count; i++)
		if (!names_have(request->alt_names, request->alt_count,
			&csr->alt_names[i]))
			refuse(request, findings, FINDING_NOTICE, "CSR-IGNORE",
			    "the certificate will not have the request's "
			    "alternative name",
			    csr->alt_names[i].value);
}

/* CSR-NO-CA */
static void
report_asks(
    const struct certificate_request *request, struct findings *findings)
{
	static const struct {
		enum csr_asks ask;
		const char *name;
	} asks[] = {
		{ CSR_ASKS_CA, "basicConstraints, cA" },
		{ CSR_ASKS_CERT_SIGN, "keyCertSign or cRLSign" },
		{ CSR_ASKS_OCSP_SIGNING, "OCSPSigning or anyExtendedKeyUsage" },
	};

	if (request->csr == NULL ||
	    request->profile->kind != PROFILE_END_ENTITY)
		return;
	for (size_t i = 0; i < sizeof asks / sizeof asks[0]; i++)
		if ((request->csr->asks & asks[i].ask) != 0)
			refuse(request, findings, FINDING_WARNING, "CSR-NO-CA",
			    "the request asks for what no end entity gets:",
			    asks[i].name);
}

int
subject_check(
    const struct certificate_request *request, struct findings *findings)
{
	struct subject subject;

	check_required(request, findings);
	check_known(request, findings);
	fill(request, &subject);
	if (subject.count == 0 &&
	    request->profile->kind != PROFILE_END_ENTITY &&
	    request->profile->kind != PROFILE_CROSS)
		findings_add(findings, FINDING_ERROR, "NAM-CA-NONEMPTY",
		    request->place, "RFC 5280, section 4.1.2.6",
		    "the subject is empty");
	check_common_name(request, &subject, findings);
	if (request->csr != NULL)
		report_request(request, &subject, findings);
	report_asks(request, findings);
	for (size_t i = 0; i < subject.count; i++)
		if (name_check(&subject.parts[i], request->place, findings) !=
		    0)
			return -1;
	return 0;
}

/* CROSS-SUBJECT-BYTES */
static int
copy_subject(const X509 *existing, unsigned char **ret_der, size_t *ret_len)
{
	const unsigned char *der;
	size_t len;

	if (X509_NAME_get0_der(X509_get_subject_name(existing), &der, &len) !=
	    1)
		return ca_error(CA_R_MEMORY, "cannot encode a name");
	if (asn1_copy(der, len, ret_der) != 0)
		return -1;
	*ret_len = len;
	return 0;
}

int
subject_encode(const struct certificate_request *request,
    unsigned char **ret_der, size_t *ret_len)
{
	struct subject subject;

	if (request->profile->kind == PROFILE_CROSS &&
	    request->existing != NULL)
		return copy_subject(request->existing, ret_der, ret_len);
	fill(request, &subject);
	return name_encode(subject.parts, subject.count, ret_der, ret_len);
}

/* ---- alternative names ------------------------------------------------ */

static void
check_name(const struct certificate_request *request,
    const struct alt_name *name, struct findings *findings)
{
	const struct name_fault *fault = alt_name_fault(name);
	const struct rule *rule;

	if ((request->profile->alt_types & ALT_BIT(name->type)) == 0) {
		findings_add(findings, FINDING_ERROR, "PROFILE-SAN",
		    request->place, "",
		    "profile '%s' does not allow alternative names of type %s "
		    "('%s')",
		    request->profile->id, alt_type_name(name->type),
		    name->value);
		return;
	}
	if (fault == NULL)
		return;
	rule = rule_by_id(fault->id);
	findings_add(findings, FINDING_ERROR, fault->id, request->place,
	    rule != NULL ? rule->source : "", "the alternative name '%s' %s",
	    name->value, fault->text);
}

/* Sorted, so that thousands of names take no quadratic time. */
static int
compare(const void *a, const void *b)
{
	const struct alt_name *x = *(const struct alt_name *const *)a;
	const struct alt_name *y = *(const struct alt_name *const *)b;

	if (x->type != y->type)
		return x->type < y->type ? -1 : 1;
	return x->type == ALT_DNS ? strcasecmp(x->value, y->value)
				  : strcmp(x->value, y->value);
}

/* SAN-NO-DUP */
static void
check_duplicates(const struct certificate_request *request,
    const struct alt_name *names, size_t count, struct findings *findings)
{
	const struct alt_name **sorted;

	if (count < 2)
		return;
	sorted = calloc(count, sizeof *sorted);
	if (sorted == NULL) {
		findings->lost = true;
		findings->errors++;
		return;
	}
	for (size_t i = 0; i < count; i++)
		sorted[i] = &names[i];
	qsort(sorted, count, sizeof *sorted, compare);
	for (size_t i = 1; i < count; i++)
		if (same_name(sorted[i - 1], sorted[i]))
			refuse(request, findings, FINDING_ERROR, "SAN-NO-DUP",
			    "an alternative name is there twice:",
			    sorted[i]->value);
	free(sorted);
}

void
alt_names_check(
    const struct certificate_request *request, struct findings *findings)
{
	const struct profile *profile = request->profile;
	struct subject subject;
	size_t count;
	const struct alt_name *names = names_of(request, &count);

	if (profile->alt_from_csr && request->alt_count > 0)
		findings_add(findings, FINDING_ERROR, "PROFILE-SAN",
		    request->place, "",
		    "profile '%s' takes alternative names from the request",
		    profile->id);
	if (profile->alt_from_csr && request->csr != NULL &&
	    request->csr->alt_others > 0)
		findings_add(findings, FINDING_ERROR, "PROFILE-SAN",
		    request->place, "",
		    "the request has alternative names that are none of dns, "
		    "ip, email and uri");
	for (size_t i = 0; i < count; i++)
		check_name(request, &names[i], findings);
	check_duplicates(request, names, count, findings);
	fill(request, &subject);
	if (count > 0 || profile->kind != PROFILE_END_ENTITY)
		return;
	if (profile->alt_required || subject.count == 0)
		findings_add(findings, FINDING_ERROR, "PROFILE-SAN",
		    request->place, "",
		    "profile '%s' needs an alternative name%s", profile->id,
		    profile->alt_from_csr ? ", from the request" : "");
}

int
alt_names_encode(
    const struct certificate_request *request, GENERAL_NAMES **ret_names)
{
	size_t count;
	const struct alt_name *names = names_of(request, &count);

	return general_names_new(names, count, ret_names);
}
