/* keyUsage, basicConstraints and extKeyUsage: RFC 5280, 4.2.1.3, .9, .12. */
#include <string.h>

#include <openssl/objects.h>

#include "profiles/lint/extensions.h"
#include "profiles/lint/octets.h"

/* keyUsage as lint_key_usage() gives it. */
enum {
	USE_DIGITAL_SIGNATURE = 1 << 0,
	USE_NON_REPUDIATION = 1 << 1,
	USE_KEY_ENCIPHERMENT = 1 << 2,
	USE_DATA_ENCIPHERMENT = 1 << 3,
	USE_KEY_AGREEMENT = 1 << 4,
	USE_CERT_SIGN = 1 << 5,
};

static const struct der nowhere = { NULL, 0 };

/* ---- keyUsage ------------------------------------------------------------- */

/* X.690, 11.2.2: a named bit list ends with a bit that is set. */
static const char *
named_bits_fault(struct der bits)
{
	enum { OCTETS_MAX = 2, UNUSED_MAX = 7, DECIPHER_ONLY = 0x80 };
	unsigned last, unused;

	if (bits.len < 2)
		return "has no bit set";
	if (bits.len > 1 + OCTETS_MAX)
		return "has more than two octets of bits";
	unused = bits.p[0];
	last = bits.p[bits.len - 1];
	if (last == 0 && bits.p[1] == 0)
		return "has no bit set";
	if (last == 0)
		return "ends with an octet of zero bits";
	if (unused > UNUSED_MAX || (last & ((1u << unused) - 1)) != 0)
		return "counts its unused bits wrongly";
	if ((last & 1u << unused) == 0)
		return "ends with zero bits: count them as unused";
	if (bits.len > 2 && last != DECIPHER_ONLY)
		return "has a bit set that RFC 5280 does not define";
	return NULL;
}

static void
ku_nonzero(struct lint_run *run)
{
	const struct lint_extension *row =
	    lint_extension(run->extensions, NID_key_usage);
	struct der in, bits;
	const char *fault;

	if (row == NULL)
		return;
	in = row->value;
	if (!der_take(&in, DER_BIT_STRING, &bits, NULL) || in.len != 0)
		fault = "is no BIT STRING in DER";
	else
		fault = named_bits_fault(bits);
	if (fault != NULL)
		lint_found(run, row->value, "keyUsage %s", fault);
}

static void
ku_critical(struct lint_run *run)
{
	lint_criticality(run, NID_key_usage, "keyUsage", true);
}

/* RFC 5280, 6.1.4 (k) and (n): v1 and v2 have no extensions to tell it. */
static bool
may_sign_certificates(const struct lint_certificate *c)
{
	static const unsigned char v3[] = { 0xa0, 0x03, 0x02, 0x01, 0x02 };

	if (!der_equal(c->version, v3, sizeof v3))
		return true;
	return lint_is_ca(&c->values) &&
	    (lint_extension(&c->extensions, NID_key_usage) == NULL ||
		(lint_key_usage(&c->values) & USE_CERT_SIGN) != 0);
}

static void
ku_certsign_ca(struct lint_run *run)
{
	if (run->issuer != NULL && !lint_is(run, FOR_ROOT) &&
	    !may_sign_certificates(run->issuer))
		lint_found(run, nowhere,
		    "its issuer may sign no certificates: the issuer's "
		    "certificate lacks basicConstraints with cA TRUE, or "
		    "keyCertSign in its keyUsage");
	if ((lint_key_usage(run->values) & USE_CERT_SIGN) != 0 &&
	    !lint_is_ca(run->values))
		lint_found(run,
		    lint_extension(run->extensions, NID_key_usage)->value,
		    "keyUsage has keyCertSign, but basicConstraints does not "
		    "say cA TRUE");
}

/* id-ecPublicKey, or one of RFC 5480's that restrict it. */
static bool
is_ec_key(const struct lint_key *key)
{
	static const char *const algs[] = { "1.2.840.10045.2.1", "1.3.132.1.12",
		"1.3.132.1.13" };
	struct der alg = key->alg, body, oid;

	if (!der_take(&alg, DER_SEQUENCE, &body, NULL) ||
	    !der_take(&body, DER_OID, &oid, NULL))
		return false;
	for (size_t i = 0; i < sizeof algs / sizeof *algs; i++)
		if (lint_oid_is(oid, algs[i]))
			return true;
	return false;
}

static void
ku_ec_noenc(struct lint_run *run)
{
	const unsigned usage = lint_key_usage(run->values);
	struct der where;

	if ((usage & (USE_KEY_ENCIPHERMENT | USE_DATA_ENCIPHERMENT)) == 0 ||
	    !is_ec_key(run->key))
		return;
	where = lint_extension(run->extensions, NID_key_usage)->value;
	if ((usage & USE_KEY_ENCIPHERMENT) != 0)
		lint_found(
		    run, where, "keyUsage of an EC key has keyEncipherment");
	if ((usage & USE_DATA_ENCIPHERMENT) != 0)
		lint_found(
		    run, where, "keyUsage of an EC key has dataEncipherment");
}

/* RFC 5280, section 4.2.1.12: one of these bits is enough for the purpose. */
static const struct {
	const char *purpose;
	unsigned usage;
} consistent[] = {
	{ "1.3.6.1.5.5.7.3.1", /* serverAuth */
	    USE_DIGITAL_SIGNATURE | USE_KEY_ENCIPHERMENT | USE_KEY_AGREEMENT },
	{ "1.3.6.1.5.5.7.3.2", /* clientAuth */
	    USE_DIGITAL_SIGNATURE | USE_KEY_AGREEMENT },
	{ "1.3.6.1.5.5.7.3.3", /* codeSigning */
	    USE_DIGITAL_SIGNATURE },
	{ "1.3.6.1.5.5.7.3.4", /* emailProtection */
	    USE_DIGITAL_SIGNATURE | USE_NON_REPUDIATION | USE_KEY_ENCIPHERMENT |
		USE_KEY_AGREEMENT },
	{ "1.3.6.1.5.5.7.3.8", /* timeStamping */
	    USE_DIGITAL_SIGNATURE | USE_NON_REPUDIATION },
	{ "1.3.6.1.5.5.7.3.9", /* OCSPSigning */
	    USE_DIGITAL_SIGNATURE | USE_NON_REPUDIATION },
};

/* A purpose that RFC 5280 does not speak of is consistent with any bit. */
static bool
is_consistent(struct der purpose, unsigned usage)
{
	for (size_t i = 0; i < sizeof consistent / sizeof *consistent; i++)
		if (lint_oid_is(purpose, consistent[i].purpose))
			return (usage & consistent[i].usage) != 0;
	return true;
}

/*
 * Not for CA certificates: there extKeyUsage bounds what is issued below, and
 * keyUsage says what the CA's own key does.
 */
static void
ku_eku_consistent(struct lint_run *run)
{
	const struct lint_extension *row;
	struct der in, purpose;

	if (lint_is(run, FOR_CA) || run->values->key_usage == NULL ||
	    !lint_extension_sequence(
		run->extensions, NID_ext_key_usage, &row, &in) ||
	    in.len == 0)
		return;
	while (der_take(&in, DER_OID, &purpose, NULL))
		if (is_consistent(purpose, lint_key_usage(run->values)))
			return;
	lint_found(run, row->value,
	    "no purpose of extKeyUsage can be served with the bits of "
	    "keyUsage");
}

/* ---- basicConstraints ------------------------------------------------------ */

static void
bc_ca_crit(struct lint_run *run)
{
	lint_criticality(run, NID_basic_constraints, "basicConstraints", true);
}

static void
bc_pathlen_cond(struct lint_run *run)
{
	const BASIC_CONSTRAINTS *bc = run->values->basic_constraints;
	const struct lint_extension *row =
	    lint_extension(run->extensions, NID_basic_constraints);

	if (row != NULL && bc == NULL)
		lint_found(run, row->value,
		    "basicConstraints is not the SEQUENCE of RFC 5280, section "
		    "4.2.1.9");
	if (bc == NULL || bc->pathlen == NULL)
		return;
	if (bc->ca == 0)
		lint_found(run, row->value,
		    "basicConstraints holds pathLenConstraint without cA TRUE");
	if ((lint_key_usage(run->values) & USE_CERT_SIGN) == 0)
		lint_found(run, row->value,
		    "basicConstraints holds pathLenConstraint, but keyUsage "
		    "does not have keyCertSign");
}

static void
bc_ee_bytes(struct lint_run *run)
{
	static const unsigned char empty[] = { DER_SEQUENCE, 0 };
	const struct lint_extension *row =
	    lint_extension(run->extensions, NID_basic_constraints);

	if (row != NULL && !der_equal(row->value, empty, sizeof empty))
		lint_found(run, row->value,
		    "basicConstraints of an end entity is not the empty "
		    "SEQUENCE, 3000");
}

/* ---- extKeyUsage ----------------------------------------------------------- */

/* RFC 3161, section 2.3: a time stamping unit's is critical, and alone. */
static bool
is_time_stamping(const struct lint_run *run)
{
	return lint_is(run, FOR_CS) &&
	    lint_has_purpose(run->values, NID_time_stamp);
}

static void
eku_noncrit(struct lint_run *run)
{
	if (is_time_stamping(run))
		lint_criticality(run, NID_ext_key_usage,
		    "extKeyUsage of a time-stamping certificate", true);
	else
		lint_criticality(run, NID_ext_key_usage, "extKeyUsage", false);
}

static void
eku_no_dup(struct lint_run *run)
{
	AUTO_STRUCT(octets_list) purposes = { .rows = NULL };
	const struct lint_extension *row =
	    lint_extension(run->extensions, NID_ext_key_usage);
	char text[LINT_OID_TEXT];
	struct der in = { NULL, 0 }, purpose;
	bool sequence = lint_extension_sequence(
	    run->extensions, NID_ext_key_usage, NULL, &in);

	while (der_take(&in, DER_OID, &purpose, NULL))
		if (octets_add(&purposes, purpose) != 0) {
			lint_unsure(run, "out of memory");
			return;
		}
	if (row != NULL && (!sequence || in.len != 0))
		lint_found(run, row->value,
		    "extKeyUsage is not a SEQUENCE of OBJECT IDENTIFIERs");
	if (octets_duplicate(&purposes, &purpose))
		lint_found(run, purpose, "extKeyUsage holds %s twice",
		    lint_oid_text(purpose, text));
}

static void
eku_ee_present(struct lint_run *run)
{
	const struct lint_extension *row =
	    lint_extension(run->extensions, NID_ext_key_usage);

	if (row == NULL)
		lint_found(run, nowhere, "there is no extKeyUsage");
	else if (lint_has_purpose(run->values, NID_anyExtendedKeyUsage))
		lint_found(
		    run, row->value, "extKeyUsage holds anyExtendedKeyUsage");
}

static const struct lint rows[] = {
	{ .id = "KU-NONZERO", .check = ku_nonzero },
	/* RFC 5280 says SHOULD. */
	{ .id = "KU-CRITICAL",
	    .check = ku_critical,
	    .rulesets = RULESET_BIT(RULESET_CABF_TLS) },
	{ .id = "KU-CERTSIGN-CA", .check = ku_certsign_ca },
	{ .id = "KU-EC-NOENC", .check = ku_ec_noenc },
	{ .id = "KU-EKU-CONSISTENT", .check = ku_eku_consistent },
	{ .id = "BC-CA-CRIT", .check = bc_ca_crit },
	{ .id = "BC-PATHLEN-COND", .check = bc_pathlen_cond },
	{ .id = "BC-EE-BYTES", .check = bc_ee_bytes },
	{ .id = "EKU-NONCRIT", .check = eku_noncrit },
	{ .id = "EKU-NO-DUP", .check = eku_no_dup },
	{ .id = "EKU-EE-PRESENT", .check = eku_ee_present },
};
const struct lint_table lint_usage = LINT_TABLE(rows);
