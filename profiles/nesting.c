#include "profiles/nesting.h"

#include <string.h>

#include <openssl/err.h>

#include "base/error.h"
#include "profiles/general-name.h"
#include "profiles/issuer.h"
#include "profiles/private.h"

/* What the checks share. */
struct nesting {
	const struct certificate_request *request;
	const struct issuer *issuer;
	struct findings *findings;
};

/* "BEFORE 'NAME'AFTER" */
static void
refuse(const struct nesting *n, const char *id, const char *source,
    const char *before, const char *name, const char *after)
{
	findings_add(n->findings, FINDING_ERROR, id, n->request->place, source,
	    "%s '%s'%s", before, name, after);
}

static void
check_issuer_is_ca(const struct nesting *n)
{
	const struct certificate_facts *facts = &n->issuer->facts;

	if (!facts->is_ca)
		refuse(n, "ISSUER-CA", "RFC 5280, section 4.2.1.9",
		    "the issuer", facts->subject, " is not a CA");
	else if (!facts->signs_certificates)
		refuse(n, "ISSUER-CA", "RFC 5280, section 4.2.1.3",
		    "the issuer", facts->subject,
		    " may not sign certificates (keyCertSign)");
}

/*
 * RFC 5280, section 6.1.4 (l), (m).  Validators ignore a child's path length
 * that is not below its issuer's; to ask for it is a mistake.
 */
static void
check_path_length(const struct nesting *n)
{
	const struct profile *profile = n->request->profile;
	int left = n->issuer->facts.path_length;

	if (!profile_is_ca(profile) || left == PATH_LENGTH_NONE)
		return;
	if (left == 0)
		refuse(n, "SUB-PATHLEN", "RFC 5280, section 4.2.1.9",
		    "the issuer", n->issuer->facts.subject,
		    " has path length 0: it may not issue CAs");
	else if (profile->path_length == PATH_LENGTH_NONE ||
	    profile->path_length >= left)
		refuse(n, "SUB-PATHLEN", "RFC 5280, section 4.2.1.9",
		    "the path length must be below that of the issuer",
		    n->issuer->facts.subject, "");
}

/*
 * A responder's OCSPSigning is not measured: a CA never carries it
 * (SUB-NO-OCSPSIGNING), and RFC 6960, section 4.2.2.2, authorises by direct
 * issuance.
 */
static void
check_purposes(const struct nesting *n)
{
	const struct profile *profile = n->request->profile;

	if (profile->kind == PROFILE_OCSP_RESPONDER ||
	    n->issuer->purposes == NULL)
		return;
	if (!profile->has[EXT_EXTENDED_KEY_USAGE])
		refuse(n, "SUB-EKU-NESTED", "RFC 5280, section 4.2.1.12",
		    "the issuer", n->issuer->facts.subject,
		    " is limited to some purposes, and the certificate would "
		    "not be");
	for (size_t i = 0; i < profile->purposes.count; i++) {
		char name[128];

		if (issuer_allows_purpose(
			n->issuer, profile->purposes.objects[i]))
			continue;
		(void)OBJ_obj2txt(
		    name, sizeof name, profile->purposes.objects[i], 0);
		refuse(n, "SUB-EKU-NESTED", "RFC 5280, section 4.2.1.12",
		    "the purpose", name, " is none of the issuer's");
	}
}

static void
check_own_key(const struct nesting *n)
{
	const struct certificate_facts *facts = &n->issuer->facts;

	if (facts->spki_len == n->request->spki_len &&
	    memcmp(facts->spki, n->request->spki, facts->spki_len) == 0)
		refuse(n, "KEY-NOT-A-CA-KEY", "",
		    "the subject's key is the key of the issuer",
		    facts->subject, " itself");
}

/* KEY-USE-ROOT: a root's key signs CAs and responders, no subscribers. */
static void
check_root_key(const struct nesting *n)
{
	const struct profile *profile = n->request->profile;
	const struct rule *rule = rule_by_id("KEY-USE-ROOT");

	if (profile->kind == PROFILE_END_ENTITY && n->issuer->facts.self_issued)
		findings_add(n->findings,
		    profile->ruleset > RULESET_PRIVATE ? FINDING_ERROR
						       : FINDING_WARNING,
		    "KEY-USE-ROOT", n->request->place,
		    rule != NULL ? rule->source : "",
		    "the issuer '%s' is a root, whose key should sign CAs and "
		    "responders only",
		    n->issuer->facts.subject);
}

/* RFC 5280, section 6.1.4 (b): below it, a mapped policy has its other name. */
static bool
is_mapped_away(const struct issuer *issuer, const ASN1_OBJECT *policy)
{
	for (int i = 0; i < sk_POLICY_MAPPING_num(issuer->mappings); i++)
		if (OBJ_cmp(sk_POLICY_MAPPING_value(issuer->mappings, i)
				->issuerDomainPolicy,
			policy) == 0)
			return true;
	return false;
}

static bool
is_mapped_to(const struct issuer *issuer, const ASN1_OBJECT *policy)
{
	for (int i = 0; i < sk_POLICY_MAPPING_num(issuer->mappings); i++)
		if (OBJ_cmp(sk_POLICY_MAPPING_value(issuer->mappings, i)
				->subjectDomainPolicy,
			policy) == 0)
			return true;
	return false;
}

/* With inhibitAnyPolicy 0, what is below may not have it either. */
static bool
any_is_inhibited(const struct issuer *issuer)
{
	return issuer->inhibit_any != NULL &&
	    ASN1_INTEGER_get(issuer->inhibit_any) == 0;
}

static bool
policy_survives(const struct issuer *issuer, const ASN1_OBJECT *policy)
{
	const bool any = OBJ_obj2nid(policy) == NID_any_policy;

	if (any && any_is_inhibited(issuer))
		return false;
	for (int i = 0; i < sk_POLICYINFO_num(issuer->policies); i++) {
		const ASN1_OBJECT *given =
		    sk_POLICYINFO_value(issuer->policies, i)->policyid;

		if (OBJ_obj2nid(given) == NID_any_policy ||
		    (OBJ_cmp(given, policy) == 0 &&
			!is_mapped_away(issuer, policy)))
			return true;
	}
	return is_mapped_to(issuer, policy);
}

/*
 * POL-CHAIN: RFC 5280, section 6.1.3.  A root without policies is the trust
 * anchor, and limits nothing.
 */
static void
check_policies(const struct nesting *n)
{
	const struct object_list *list = &n->request->profile->policies;

	if (n->issuer->policies == NULL && n->issuer->facts.self_issued)
		return;
	for (size_t i = 0; i < list->count; i++) {
		char name[128];

		if (policy_survives(n->issuer, list->objects[i]))
			continue;
		(void)OBJ_obj2txt(name, sizeof name, list->objects[i], 0);
		refuse(n, "POL-CHAIN", "RFC 5280, section 6.1.3", "the policy",
		    name, " is none of the issuer's");
	}
}

/* "the name 'dns:x' is outside of what the issuer permits" */
static int
bar(const struct nesting *n, const GENERAL_NAME *name, const char *id,
    const char *what)
{
	const char *why = name_is_barred(n->issuer->constraints, name);
	AUTO_CHARS(text) = NULL;

	if (why == NULL)
		return 0;
	text = general_name_describe(name);
	if (text == NULL)
		return -1;
	findings_add(n->findings, FINDING_ERROR, id, n->request->place,
	    "RFC 5280, section 4.2.1.10", "%s '%s' %s", what, text, why);
	return 0;
}

/* NC-NESTED, SAN-IN-NC: each kind of name against the issuer's limits. */
static int
check_names(const struct nesting *n, const GENERAL_NAMES *names)
{
	const NAME_CONSTRAINTS *own = n->request->profile->constraints;
	const STACK_OF(GENERAL_SUBTREE) *permitted =
	    own != NULL ? own->permittedSubtrees : NULL;

	if (n->issuer->constraints == NULL)
		return 0;
	for (int i = 0; i < sk_GENERAL_SUBTREE_num(permitted); i++)
		if (bar(n, sk_GENERAL_SUBTREE_value(permitted, i)->base,
			"NC-NESTED", "the permitted subtree") != 0)
			return -1;
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
		if (bar(n, sk_GENERAL_NAME_value(names, i), "SAN-IN-NC",
			"the alternative name") != 0)
			return -1;
	return 0;
}

/*
 * With names of type dns among the alternative names, nobody looks for another
 * in the common name.
 */
static bool
has_dns_name(const GENERAL_NAMES *names)
{
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
		if (sk_GENERAL_NAME_value(names, i)->type == GEN_DNS)
			return true;
	return false;
}

static int
check_constraints(
    const struct nesting *n, X509_NAME *name, const GENERAL_NAMES *names)
{
	AUTO(X509) *probe = NULL;
	int verdict;

	if (n->issuer->constraints == NULL)
		return 0;
	probe = X509_new();
	if (probe == NULL || X509_set_subject_name(probe, name) != 1)
		return ca_error(CA_R_MEMORY, "no memory for a name");
	(void)ERR_set_mark();
	verdict = NAME_CONSTRAINTS_check(probe, n->issuer->constraints);
	if (verdict == X509_V_OK && !profile_is_ca(n->request->profile) &&
	    !has_dns_name(names))
		verdict =
		    NAME_CONSTRAINTS_check_CN(probe, n->issuer->constraints);
	(void)ERR_pop_to_mark();
	if (verdict != X509_V_OK)
		refuse(n, "NC-NESTED", "RFC 5280, section 4.2.1.10",
		    "the subject is outside of the names that the issuer",
		    n->issuer->facts.subject, " may issue for");
	return 0;
}

/* RFC 5280, section 7.1: "Example" and "EXAMPLE " are one name. */
static int
check_name(const struct nesting *n, const unsigned char *subject,
    size_t subject_len, const GENERAL_NAMES *names)
{
	const unsigned char *p = subject, *q = n->issuer->facts.subject_der;
	AUTO(X509_NAME) *name = d2i_X509_NAME(NULL, &p, (long)subject_len);
	AUTO(X509_NAME) *issuer =
	    d2i_X509_NAME(NULL, &q, (long)n->issuer->facts.subject_len);

	if (name == NULL || issuer == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a name");
	/* CROSS-NOT-SELF: the old key may sign the new one of the same name. */
	if (n->request->profile->kind != PROFILE_CROSS &&
	    X509_NAME_cmp(name, issuer) == 0)
		refuse(n, "NAM-NEWKEY-NEWNAME", "RFC 5280, section 7.1",
		    "the subject's name is that of the issuer",
		    n->issuer->facts.subject, "");
	return check_constraints(n, name, names);
}

int
nesting_check(const struct certificate_request *request, int64_t not_after,
    const unsigned char *subject, size_t subject_len,
    const GENERAL_NAMES *names, struct findings *findings)
{
	AUTO_STRUCT(issuer) issuer = { 0 };
	struct nesting n = { request, &issuer, findings };

	if (issuer_read(request->issuer, &issuer) != 0)
		return -1;
	issuer_check(&issuer, request->now, request->place, findings);
	check_issuer_is_ca(&n);
	issuer_check_nesting(
	    &issuer, not_after, "certificate", request->place, findings);
	check_path_length(&n);
	check_purposes(&n);
	check_policies(&n);
	check_root_key(&n);
	check_own_key(&n);
	if (check_names(&n, names) != 0)
		return -1;
	(void)issuer_algorithm(request->profile, issuer.facts.spki,
	    issuer.facts.spki_len, request->signature, request->place,
	    findings);
	return subject != NULL ? check_name(&n, subject, subject_len, names)
			       : 0;
}
