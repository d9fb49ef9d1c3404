/* Cross-certified CAs: rules.md 5. */
#include "base/date.h"
#include "profiles/lint/ca-private.h"

/* CCADB policy, section 6.3 */
#define D_CCADB_DEDICATED ((int64_t)1749945600) /* 2025-06-15 */

/* ---- copies of the existing certificate -------------------------------- */

static void
subject_bytes(struct lint_run *run)
{
	if (!ca_same_octets(
		run->subject->element, run->existing->subject.element))
		lint_found(run, run->subject->element,
		    "the subject is not, octet for octet, that of the existing "
		    "certificate");
}

static void
spki_bytes(struct lint_run *run)
{
	if (!ca_same_octets(run->key->element, run->existing->key.element))
		lint_found(run, run->key->element,
		    "the subjectPublicKeyInfo is not, octet for octet, that of "
		    "the existing certificate");
}

static void
ski_bytes(struct lint_run *run)
{
	const ASN1_OCTET_STRING *own = run->values->ski;
	const ASN1_OCTET_STRING *known = run->existing->values.ski;

	if (known != NULL &&
	    (own == NULL || ASN1_OCTET_STRING_cmp(own, known) != 0))
		lint_found(run, ca_where(run, NID_subject_key_identifier),
		    "the subjectKeyIdentifier is not that of the existing "
		    "certificate, to which its children's "
		    "authorityKeyIdentifier points");
}

/* ---- times ------------------------------------------------------------- */

/* The earlier of a day before the signing, and the existing notBefore. */
static void
not_before(struct lint_run *run)
{
	const struct lint_time *known = &run->existing->not_before;
	const struct lint_time *own = &run->certificate->not_before;
	const int64_t at = run->context->at;
	int64_t earliest = at - DAY_SECONDS;

	if (!own->valid)
		return;
	if (known->valid && known->seconds < earliest)
		earliest = known->seconds;
	if (own->seconds > at)
		lint_found(run, own->element,
		    "notBefore is %s, after the signing at %s",
		    ca_time(own->seconds).text, ca_time(at).text);
	if (own->seconds < earliest)
		lint_found(run, own->element,
		    "notBefore is %s, and may be no earlier than %s",
		    ca_time(own->seconds).text, ca_time(earliest).text);
}

static void
not_after(struct lint_run *run)
{
	const struct lint_time *own = &run->certificate->not_after;
	const struct lint_time *above =
	    run->issuer != NULL ? &run->issuer->not_after : NULL;

	if (run->context->at != 0)
		ca_check_not_after(run);
	if (own->valid && above != NULL && above->valid &&
	    own->seconds > above->seconds)
		lint_found(run, own->element,
		    "notAfter is %s, after the issuer's %s",
		    ca_time(own->seconds).text, ca_time(above->seconds).text);
}

/* ---- extensions -------------------------------------------------------- */

/* TLS BR, section 7.1.2.2.3; authorityInfoAccess is SUB-AIA's. */
static void
extensions(struct lint_run *run)
{
	const struct lint_values *v = run->values;

	(void)ca_want_value(
	    run, NID_authority_key_identifier, CA_EITHER, v->aki);
	(void)ca_want_value(
	    run, NID_basic_constraints, CA_CRITICAL, v->basic_constraints);
	(void)ca_want_value(
	    run, NID_certificate_policies, CA_EITHER, v->policies);
	(void)ca_want_value(
	    run, NID_crl_distribution_points, CA_EITHER, v->crl_points);
	(void)ca_want_value(run, NID_key_usage, CA_CRITICAL, v->key_usage);
	(void)ca_want_value(run, NID_subject_key_identifier, CA_EITHER, v->ski);
}

/* ---- purposes ---------------------------------------------------------- */

static bool
has_any(const struct lint_run *run)
{
	return lint_has_purpose(run->values, NID_anyExtendedKeyUsage);
}

static bool
has_eku(const struct lint_run *run)
{
	return lint_extension(run->extensions, NID_ext_key_usage) != NULL;
}

static void
eku_affiliated(struct lint_run *run)
{
	const struct der where = ca_where(run, NID_ext_key_usage);

	if (has_any(run) && ca_purpose_count(run->values) > 1)
		lint_found(
		    run, where, "anyExtendedKeyUsage is not the only purpose");
	if ((has_any(run) || !has_eku(run)) &&
	    !ca_same_organization(run->certificate))
		lint_found(run, where,
		    "the purposes are not restricted, and issuer and subject "
		    "name different organizations");
}

/* Unrestricted among affiliates is what CROSS-EKU-AFFILIATED allows. */
static bool
may_be_unrestricted(const struct lint_run *run)
{
	return ca_same_organization(run->certificate) &&
	    (!has_eku(run) ||
		(has_any(run) && ca_purpose_count(run->values) == 1));
}

static void
eku_restricted(struct lint_run *run)
{
	static const int with_tls[] = { NID_email_protect, NID_code_sign,
		NID_time_stamp, NID_anyExtendedKeyUsage, 0 };
	static const int without_tls[] = { NID_anyExtendedKeyUsage, 0 };

	if (may_be_unrestricted(run) ||
	    !ca_want_value(
		run, NID_ext_key_usage, CA_NOT_CRITICAL, run->values->purposes))
		return;
	ca_forbid_purposes(run,
	    lint_has_purpose(run->values, NID_server_auth) ? with_tls
							   : without_tls);
}

/* Is the existing certificate of this key that of a root? */
static bool
is_roots_key(const struct lint_run *run)
{
	return run->existing != NULL &&
	    lint_classify(run->existing) == FOR_ROOT &&
	    ca_same_octets(run->key->element, run->existing->key.element);
}

/* CCADB policy, section 6.3: a purpose, and what may stand beside it. */
static bool
is_dedicated(const struct lint_values *values)
{
	static const int sets[][2] = { { NID_server_auth, 0 },
		{ NID_client_auth, 0 }, { NID_server_auth, NID_client_auth },
		{ NID_email_protect, 0 },
		{ NID_email_protect, NID_client_auth }, { NID_code_sign, 0 },
		{ NID_time_stamp, 0 } };

	for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
		if (ca_purpose_count(values) == (sets[i][1] != 0 ? 2 : 1) &&
		    lint_has_purpose(values, sets[i][0]) &&
		    (sets[i][1] == 0 || lint_has_purpose(values, sets[i][1])))
			return true;
	return false;
}

/* Whether a root is dedicated its certificate does not say: all count. */
static void
eku_dedicated(struct lint_run *run)
{
	if (!is_roots_key(run))
		return;
	if (!has_eku(run))
		lint_found(run, ca_where(run, NID_ext_key_usage),
		    "extendedKeyUsage is missing, and a root's key needs it");
	else if (!is_dedicated(run->values))
		lint_found(run, ca_where(run, NID_ext_key_usage),
		    "extendedKeyUsage is none of the sets for a dedicated "
		    "root: serverAuth, clientAuth, both, emailProtection with "
		    "or without clientAuth, codeSigning, timeStamping");
}

static void
eku_mozilla(struct lint_run *run)
{
	const struct der where = ca_where(run, NID_ext_key_usage);

	if (has_any(run))
		lint_found(
		    run, where, "extendedKeyUsage has anyExtendedKeyUsage");
	if (!has_eku(run) && !is_roots_key(run))
		lint_found(run, where,
		    "extendedKeyUsage is missing, and only a key that an "
		    "existing root has may be without");
}

/* ---- policies ---------------------------------------------------------- */

/* Of the subscriber types that its purposes let it issue for. */
static unsigned
wanted_families(const struct lint_values *values)
{
	unsigned families = 0;

	if (lint_has_purpose(values, NID_server_auth))
		families |= CA_POLICY_TLS;
	if (lint_has_purpose(values, NID_email_protect))
		families |= CA_POLICY_SMIME;
	if (lint_has_purpose(values, NID_code_sign) ||
	    lint_has_purpose(values, NID_time_stamp))
		families |= CA_POLICY_CS;
	return families != 0 ? families : CA_POLICY_RESERVED;
}

static void
check_reserved(const struct lint_run *run)
{
	const CERTIFICATEPOLICIES *policies = run->values->policies;
	const BASIC_CONSTRAINTS *bc = run->values->basic_constraints;
	const struct der where = ca_where(run, NID_certificate_policies);
	const int count = ca_policy_count(run->values, CA_POLICY_RESERVED);

	if (ca_policy_count(run->values, wanted_families(run->values)) == 0) {
		lint_found(run, where,
		    "certificatePolicies has no policy reserved for what the "
		    "CA may issue");
		return;
	}
	if (ca_policy_family(sk_POLICYINFO_value(policies, 0)->policyid) ==
	    CA_POLICY_OWN)
		lint_found(run, where,
		    "the first policy is none of the reserved ones");
	if (bc != NULL && bc->pathlen != NULL &&
	    ASN1_INTEGER_get(bc->pathlen) == 0 && count > 1)
		lint_found(run, where,
		    "certificatePolicies has %d reserved policies, and a CA "
		    "that issues to subscribers must have one",
		    count);
}

/* TLS BR, section 7.1.2.2.6 */
static void
policies(struct lint_run *run)
{
	if (!ca_want_value(run, NID_certificate_policies, CA_EITHER,
		run->values->policies))
		return;
	if (ca_policy_count(run->values, CA_POLICY_ANY) != 0)
		ca_check_any_policy(run);
	else
		check_reserved(run);
}

/* Who does EV says so in the certificates that are given. */
static void
policies_ev(struct lint_run *run)
{
	static const char ev[] = "2.23.140.1.1";

	if (lint_has_policy(&run->issuer->values, ev) &&
	    lint_has_policy(&run->existing->values, ev) &&
	    !lint_has_policy(run->values, ev))
		lint_found(run, ca_where(run, NID_certificate_policies),
		    "issuer and existing certificate have the EV policy, and "
		    "this one lacks %s",
		    ev);
}

/* ---- paths ------------------------------------------------------------- */

static bool
is_own_key(const struct lint_run *run)
{
	const struct lint_values *v = run->values;

	if (run->issuer != NULL)
		return ca_same_octets(
		    run->key->element, run->issuer->key.element);
	return v->aki != NULL && v->aki->keyid != NULL && v->ski != NULL &&
	    ASN1_OCTET_STRING_cmp(v->aki->keyid, v->ski) == 0;
}

/*
 * RFC 5280, sections 4.2.1.9 and 4.2.1.10: what is issued under its issuer's
 * own name is free of the issuer's path length and name constraints, so that
 * it needs its own.
 */
static void
not_self(struct lint_run *run)
{
	const struct lint_values *above =
	    run->issuer != NULL ? &run->issuer->values : NULL;
	const BASIC_CONSTRAINTS *own = run->values->basic_constraints;

	if (!ca_same_octets(
		run->subject->element, run->certificate->issuer.element))
		return;
	if (is_own_key(run)) {
		lint_found(run, run->subject->element,
		    "it is issued under its own name by its own key: this is a "
		    "root, and no cross certificate");
		return;
	}
	if (above == NULL)
		return;
	if (above->basic_constraints != NULL &&
	    above->basic_constraints->pathlen != NULL &&
	    (own == NULL || own->pathlen == NULL))
		lint_found(run, ca_where(run, NID_basic_constraints),
		    "it has its issuer's name, so that the issuer's path "
		    "length does not bind it: it needs one of its own");
	if (above->name_constraints != NULL &&
	    run->values->name_constraints == NULL)
		lint_found(run, ca_where(run, NID_name_constraints),
		    "it has its issuer's name, so that the issuer's name "
		    "constraints do not bind it: it needs its own");
}

/*
 * A path around a parent that is revoked or was removed needs its CRL, which
 * is not known here.
 */
static void
loop(struct lint_run *run)
{
	if (ca_same_octets(
		run->issuer->issuer.element, run->subject->element) &&
	    !ca_same_octets(run->key->element, run->issuer->key.element) &&
	    ca_is_signed_by(run->issuer, run->key))
		lint_found(run, run->certificate->issuer.element,
		    "the subject's key signed the issuer's certificate: each "
		    "of the two would be above the other");
}

static const struct lint rows[] = {
	{ .id = "CROSS-SUBJECT-BYTES",
	    .check = subject_bytes,
	    .needs = NEEDS_EXISTING },
	{ .id = "CROSS-SPKI-BYTES",
	    .check = spki_bytes,
	    .needs = NEEDS_EXISTING },
	{ .id = "CROSS-SKI-BYTES",
	    .check = ski_bytes,
	    .needs = NEEDS_EXISTING },
	{ .id = "CROSS-NOTBEFORE",
	    .check = not_before,
	    .needs = NEEDS_EXISTING | NEEDS_TIME },
	{ .id = "CROSS-NOTAFTER", .check = not_after },
	{ .id = "CROSS-EXT", .check = extensions },
	{ .id = "CROSS-EKU-AFFILIATED", .check = eku_affiliated },
	{ .id = "CROSS-EKU-RESTRICTED", .check = eku_restricted },
	{ .id = "CROSS-EKU-DEDICATED",
	    .check = eku_dedicated,
	    .needs = NEEDS_EXISTING,
	    .from = D_CCADB_DEDICATED },
	{ .id = "CROSS-EKU-MOZ", .check = eku_mozilla },
	{ .id = "CROSS-CP", .check = policies },
	{ .id = "CROSS-CP-EV",
	    .check = policies_ev,
	    .needs = NEEDS_ISSUER | NEEDS_EXISTING },
	{ .id = "CROSS-NOT-SELF", .check = not_self },
	{ .id = "CROSS-LOOP", .check = loop, .needs = NEEDS_ISSUER },
};

const struct lint_table lint_cross = LINT_TABLE(rows);
