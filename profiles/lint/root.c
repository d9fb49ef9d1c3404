/* Root CA certificates: rules.md 3. */
#include "base/date.h"
#include "profiles/lint/ca-private.h"

enum {
	LIFE_MIN_DAYS = 2922, /* TLS BR, section 7.1.2.1.1 */
	LIFE_MAX_DAYS = 9132,
};

/* ---- itself ------------------------------------------------------------ */

static void
self_name(struct lint_run *run)
{
	if (!ca_same_octets(run->certificate->issuer.element,
		run->certificate->subject.element))
		lint_found(run, run->certificate->issuer.element,
		    "issuer and subject are not the same octets");
}

static void
self_signed(struct lint_run *run)
{
	if (!ca_is_signed_by(run->certificate, run->key))
		lint_found(run, run->certificate->signature,
		    "the signature does not verify with the certificate's own "
		    "key");
}

static void
life_min(struct lint_run *run)
{
	int64_t life;

	if (ca_validity(run->certificate, &life) &&
	    life < (int64_t)LIFE_MIN_DAYS * DAY_SECONDS)
		lint_found(run, run->certificate->not_after.element,
		    "it is valid for %lld days, and a root must be for %d at "
		    "least",
		    (long long)(life / DAY_SECONDS), LIFE_MIN_DAYS);
}

static void
life_max(struct lint_run *run)
{
	const struct lint_certificate *c = run->certificate;
	const int64_t max = (int64_t)LIFE_MAX_DAYS * DAY_SECONDS;
	int64_t life;

	if (ca_validity(c, &life) && life > max)
		lint_found(run, c->not_after.element,
		    "notAfter is %s, more than %d days from notBefore: it may "
		    "be %s",
		    ca_time(c->not_after.seconds).text, LIFE_MAX_DAYS,
		    ca_time(c->not_before.seconds + max - 1).text);
}

/* ---- extensions -------------------------------------------------------- */

static void
basic_constraints(struct lint_run *run)
{
	if (ca_want_value(run, NID_basic_constraints, CA_CRITICAL,
		run->values->basic_constraints) &&
	    !lint_is_ca(run->values))
		lint_found(run, ca_where(run, NID_basic_constraints),
		    "basicConstraints does not say cA TRUE");
}

static void
no_path_length(struct lint_run *run)
{
	const BASIC_CONSTRAINTS *value = run->values->basic_constraints;

	if (value != NULL && value->pathlen != NULL)
		lint_found(run, ca_where(run, NID_basic_constraints),
		    "basicConstraints has a pathLenConstraint, and a root "
		    "should have none");
}

static void
key_usage(struct lint_run *run)
{
	ca_check_key_usage(
	    run, CA_CERT_SIGN | CA_CRL_SIGN, CA_DIGITAL_SIGNATURE);
}

static void
subject_key_id(struct lint_run *run)
{
	(void)ca_want_value(
	    run, NID_subject_key_identifier, CA_NOT_CRITICAL, run->values->ski);
}

static void
authority_key_id(struct lint_run *run)
{
	if (ca_want_value(run, NID_authority_key_identifier, CA_NOT_CRITICAL,
		run->values->aki))
		ca_check_aki(run, run->values->ski, "its own", true);
}

static void
no_eku(struct lint_run *run)
{
	ca_unwanted(run, NID_ext_key_usage);
}

static void
no_policies(struct lint_run *run)
{
	ca_unwanted(run, NID_certificate_policies);
}

static void
no_crl_points(struct lint_run *run)
{
	ca_unwanted(run, NID_crl_distribution_points);
}

/* Those that a root has, those with a lint of their own, and the SCT list. */
static void
no_others(struct lint_run *run)
{
	static const int known[] = { NID_basic_constraints, NID_key_usage,
		NID_subject_key_identifier, NID_authority_key_identifier,
		NID_ext_key_usage, NID_certificate_policies,
		NID_crl_distribution_points, NID_ct_precert_scts, 0 };

	ca_no_others(run, known);
}

/* ---- one purpose ------------------------------------------------------- */

/* TLS, S/MIME, code signing: what the root says of itself, as bits. */
static unsigned
claimed_families(const struct lint_values *values)
{
	static const struct {
		int nid;
		unsigned families;
	} purposes[] = {
		{ NID_server_auth, CA_POLICY_TLS },
		{ NID_email_protect, CA_POLICY_SMIME },
		{ NID_code_sign, CA_POLICY_CS },
		{ NID_time_stamp, CA_POLICY_CS },
		{ NID_anyExtendedKeyUsage, CA_POLICY_RESERVED },
	};
	unsigned families = 0;

	for (size_t i = 0; i < sizeof purposes / sizeof *purposes; i++)
		if (lint_has_purpose(values, purposes[i].nid))
			families |= purposes[i].families;
	for (int i = 0; i < sk_POLICYINFO_num(values->policies); i++)
		families |= ca_policy_family(
		    sk_POLICYINFO_value(values->policies, i)->policyid);
	return families & CA_POLICY_RESERVED;
}

/*
 * A root as it should be says nothing of its purpose: that it has one, and its
 * children the same, is for the profiles (their purpose).
 */
static void
dedicated(struct lint_run *run)
{
	const unsigned families = claimed_families(run->values);

	if ((families & (families - 1)) != 0)
		lint_found(run, run->certificate->subject.element,
		    "its purposes and policies are of several families (%s%s%s "
		    "), and a root has one",
		    (families & CA_POLICY_TLS) != 0 ? " TLS" : "",
		    (families & CA_POLICY_SMIME) != 0 ? " S/MIME" : "",
		    (families & CA_POLICY_CS) != 0 ? " code-signing" : "");
}

static void
not_before(struct lint_run *run)
{
	ca_check_not_before(run);
}

static const struct lint rows[] = {
	{ .id = "ROOT-SELF-NAME", .check = self_name },
	{ .id = "ROOT-SELF-SIGNED",
	    .check = self_signed,
	    .needs = NEEDS_SIGNATURE },
	{ .id = "ROOT-NOTBEFORE", .check = not_before, .needs = NEEDS_TIME },
	{ .id = "ROOT-LIFE-MIN", .check = life_min },
	{ .id = "ROOT-LIFE-MAX", .check = life_max },
	{ .id = "ROOT-BC", .check = basic_constraints },
	{ .id = "ROOT-NO-PATHLEN", .check = no_path_length },
	{ .id = "ROOT-KU", .check = key_usage },
	{ .id = "ROOT-SKI", .check = subject_key_id },
	{ .id = "ROOT-AKI", .check = authority_key_id },
	{ .id = "ROOT-NO-EKU", .check = no_eku },
	{ .id = "ROOT-NO-CP", .check = no_policies },
	{ .id = "ROOT-NO-CRLDP", .check = no_crl_points },
	{ .id = "ROOT-NO-OTHER", .check = no_others },
	{ .id = "ROOT-DEDICATED", .check = dedicated },
};

const struct lint_table lint_root = LINT_TABLE(rows);
