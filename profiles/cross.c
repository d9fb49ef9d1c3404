#include "profiles/cross.h"

#include <string.h>

#include <openssl/err.h>

#include "base/error.h"
#include "profiles/general-name.h"
#include "profiles/issuer.h"
#include "profiles/private.h"

#define EV_POLICY "2.23.140.1.1"

/* What the checks share. */
struct cross {
	const struct certificate_request *request;
	struct issuer old; /* the existing certificate */
	struct findings *findings;
};

static void
report(const struct cross *c, enum severity severity, const char *id,
    const char *text)
{
	const struct rule *rule = rule_by_id(id);

	findings_add(c->findings, severity, id, c->request->place,
	    rule != NULL ? rule->source : "", "%s ('%s')", text,
	    c->old.facts.subject);
}

static void
refuse(const struct cross *c, const char *id, const char *text)
{
	report(c, FINDING_ERROR, id, text);
}

/* A MUST where the rule belongs to the profile's rulesets; advice elsewhere. */
static void
object_to(const struct cross *c, const char *id, const char *text)
{
	const struct rule *rule = rule_by_id(id);
	const bool binds = rule != NULL &&
	    (rule->rulesets & profile_rulesets(c->request->profile)) != 0;

	report(c, binds ? FINDING_ERROR : FINDING_WARNING, id, text);
}

static void
check_key(const struct cross *c)
{
	const struct certificate_request *request = c->request;

	if (c->old.facts.spki_len != request->spki_len ||
	    memcmp(c->old.facts.spki, request->spki, request->spki_len) != 0)
		refuse(c, "CROSS-SPKI-BYTES",
		    "the key is not that of the existing certificate");
	if (!c->old.facts.is_ca || !c->old.facts.signs_certificates)
		refuse(c, "CROSS-PRECHECK",
		    "the existing certificate is not that of a CA that signs "
		    "certificates");
	if (c->old.ski != NULL &&
	    ASN1_STRING_length(c->old.ski) > CROSS_SKI_MAX)
		refuse(c, "CROSS-SKI-BYTES",
		    "the existing certificate's subject key identifier is "
		    "longer than 64 octets");
	if (c->old.facts.subject_len <= 2)
		refuse(c, "NAM-CA-NONEMPTY",
		    "the existing certificate has an empty subject");
	if (request->now > c->old.facts.not_after)
		report(c, FINDING_WARNING, "CROSS-PRECHECK",
		    "the existing certificate has expired");
}

/* Possession is shown by the existing self-signature (CSR-POP). */
static int
check_signature(const struct cross *c)
{
	AUTO(X509) *copy = X509_dup(c->request->existing);
	int verdict;

	if (copy == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a certificate");
	(void)ERR_set_mark();
	verdict = X509_check_issued(copy, copy) == X509_V_OK
	    ? X509_verify(copy, X509_get0_pubkey(copy))
	    : 1;
	(void)ERR_pop_to_mark();
	if (verdict != 1)
		refuse(c, "CROSS-PRECHECK",
		    "the existing certificate's own signature does not "
		    "verify");
	return 0;
}

static void
check_path_length(const struct cross *c)
{
	int old = c->old.facts.path_length;
	int new = c->request->profile->path_length;

	if (old != PATH_LENGTH_NONE && (new == PATH_LENGTH_NONE || new > old))
		refuse(c, "SUB-PATHLEN",
		    "the path length would be longer than that of the existing "
		    "certificate");
}

/* rules.md, section 5 and the sets of 4.2 */
static void
check_purposes(const struct cross *c)
{
	const struct profile *p = c->request->profile;

	if (p->purposes.count == 0 && c->old.purposes != NULL)
		refuse(c, "CROSS-EKU-RESTRICTED",
		    "the existing certificate is limited to some purposes, and "
		    "the new one would not be");
	for (size_t i = 0; i < p->purposes.count; i++)
		if (!issuer_allows_purpose(&c->old, p->purposes.objects[i]))
			refuse(c, "CROSS-EKU-RESTRICTED",
			    "a purpose is none of the existing "
			    "certificate's");
	if (p->purposes.count == 0 && c->old.facts.self_issued)
		object_to(c, "CROSS-EKU-DEDICATED",
		    "a root's cross certificate is limited to a purpose");
}

/* The first O of the name, or NULL. */
static const ASN1_STRING *
organization(const X509_NAME *name)
{
	int at = X509_NAME_get_index_by_NID(name, NID_organizationName, -1);

	return at < 0 ? NULL
		      : X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
}

/* Unrestricted only within one organization. */
static void
check_affiliation(const struct cross *c)
{
	const ASN1_STRING *ours, *theirs;

	if (c->request->profile->purposes.count != 0 ||
	    c->request->issuer == NULL)
		return;
	ours = organization(X509_get_subject_name(c->request->issuer));
	theirs = organization(X509_get_subject_name(c->request->existing));
	if (ours == NULL || theirs == NULL ||
	    ASN1_STRING_length(ours) != ASN1_STRING_length(theirs) ||
	    memcmp(ASN1_STRING_get0_data(ours), ASN1_STRING_get0_data(theirs),
		(size_t)ASN1_STRING_length(ours)) != 0)
		object_to(c, "CROSS-EKU-AFFILIATED",
		    "without purposes, issuer and subject must be of one "
		    "organization");
}

/* CROSS-CP-EV */
static void
check_policies(const struct cross *c)
{
	const struct profile *p = c->request->profile;
	bool ev = false;

	for (int i = 0; i < sk_POLICYINFO_num(c->old.policies); i++) {
		char text[64];

		(void)OBJ_obj2txt(text, sizeof text,
		    sk_POLICYINFO_value(c->old.policies, i)->policyid, 1);
		ev |= strcmp(text, EV_POLICY) == 0;
	}
	if (ev && !object_list_has_oid(&p->policies, EV_POLICY) &&
	    !object_list_has(&p->policies, NID_any_policy))
		object_to(c, "CROSS-CP-EV",
		    "the existing certificate has the policy for extended "
		    "validation, and the new one would not have it");
}

/* Does the list hold a subtree of the same type as this base? */
static bool
limits(const STACK_OF(GENERAL_SUBTREE) *list, const GENERAL_NAME *base)
{
	for (int i = 0; i < sk_GENERAL_SUBTREE_num(list); i++)
		if (sk_GENERAL_SUBTREE_value(list, i)->base->type == base->type)
			return true;
	return false;
}

/*
 * Is what the old certificate excludes out of the new one's reach?  Excluded
 * there too, or of a type that is limited to subtrees beside it: those within
 * it are barred, and those around it are looked for here.
 */
static bool
stays_excluded(const NAME_CONSTRAINTS *new, const GENERAL_NAME *base)
{
	const STACK_OF(GENERAL_SUBTREE) *list =
	    new != NULL ? new->excludedSubtrees : NULL;

	for (int i = 0; i < sk_GENERAL_SUBTREE_num(list); i++)
		if (name_is_within(
			sk_GENERAL_SUBTREE_value(list, i)->base, base))
			return true;
	list = new != NULL ? new->permittedSubtrees : NULL;
	for (int i = 0; i < sk_GENERAL_SUBTREE_num(list); i++)
		if (name_is_within(
			sk_GENERAL_SUBTREE_value(list, i)->base, base))
			return false;
	return limits(list, base);
}

/* Each limit of the old certificate is a limit of the new one. */
static void
check_constraints(const struct cross *c)
{
	const NAME_CONSTRAINTS *old = c->old.constraints;
	const NAME_CONSTRAINTS *new = c->request->profile->constraints;
	const STACK_OF(GENERAL_SUBTREE) *given =
	    new != NULL ? new->permittedSubtrees : NULL;
	bool open = false;

	if (old == NULL)
		return;
	for (int i = 0; i < sk_GENERAL_SUBTREE_num(old->permittedSubtrees); i++)
		open |= !limits(given,
		    sk_GENERAL_SUBTREE_value(old->permittedSubtrees, i)->base);
	for (int i = 0; i < sk_GENERAL_SUBTREE_num(given); i++)
		open |= name_is_barred(old,
			    sk_GENERAL_SUBTREE_value(given, i)->base) != NULL;
	for (int i = 0; i < sk_GENERAL_SUBTREE_num(old->excludedSubtrees); i++)
		open |= !stays_excluded(new,
		    sk_GENERAL_SUBTREE_value(old->excludedSubtrees, i)->base);
	if (open)
		refuse(c, "NC-NESTED",
		    "the name constraints would allow what those of the "
		    "existing certificate do not");
}

static int
check(struct cross *c)
{
	check_key(c);
	check_path_length(c);
	check_purposes(c);
	check_affiliation(c);
	check_policies(c);
	check_constraints(c);
	return check_signature(c);
}

int
cross_check(
    const struct certificate_request *request, struct findings *findings)
{
	struct cross c = { .request = request, .findings = findings };
	const bool cross = request->profile->kind == PROFILE_CROSS;
	int result;

	if (cross != (request->existing != NULL)) {
		findings_add(findings, FINDING_ERROR, "PROFILE-KIND",
		    request->place, "",
		    cross ? "profile '%s' is for cross certificates, which "
			    "need the existing certificate"
			  : "profile '%s' is not for cross certificates",
		    request->profile->id);
		return 0;
	}
	if (!cross)
		return 0;
	if (issuer_read(request->existing, &c.old) != 0)
		return -1;
	result = check(&c);
	issuer_clear(&c.old);
	return result;
}

int
cross_key_identifier(const X509 *existing, ASN1_OCTET_STRING **ret_ski)
{
	void *ski;

	if (extension_decode(existing, NID_subject_key_identifier, &ski) != 0)
		return -1;
	*ret_ski = ski;
	return 0;
}
