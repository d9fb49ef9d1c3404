#include "profiles/issuer.h"

#include "base/date.h"
#include "base/error.h"
#include "profiles/private.h"

int
extension_decode(const X509 *cert, int nid, void **ret_value)
{
	int critical;
	void *value = X509_get_ext_d2i(cert, nid, &critical, NULL);

	if (value == NULL && critical != -1)
		return ca_error(CA_R_INPUT,
		    "a certificate's extension %s is malformed or there twice",
		    OBJ_nid2sn(nid));
	*ret_value = value;
	return 0;
}

void
issuer_clear(struct issuer *issuer)
{
	certificate_facts_clear(&issuer->facts);
	ASN1_OCTET_STRING_free(issuer->ski);
	EXTENDED_KEY_USAGE_free(issuer->purposes);
	NAME_CONSTRAINTS_free(issuer->constraints);
	CERTIFICATEPOLICIES_free(issuer->policies);
	sk_POLICY_MAPPING_pop_free(issuer->mappings, POLICY_MAPPING_free);
	ASN1_INTEGER_free(issuer->inhibit_any);
	*issuer = (struct issuer){ 0 };
}

int
issuer_read(const X509 *cert, struct issuer *ret_issuer)
{
	static const int nids[] = { NID_subject_key_identifier,
		NID_ext_key_usage, NID_name_constraints,
		NID_certificate_policies, NID_policy_mappings,
		NID_inhibit_any_policy };
	enum { COUNT = sizeof nids / sizeof nids[0] };
	AUTO_STRUCT(issuer) issuer = { 0 };
	void *values[COUNT] = { NULL };
	int result;

	if (certificate_facts(cert, &issuer.facts) != 0)
		return -1;
	result = 0;
	for (size_t i = 0; i < COUNT && result == 0; i++)
		result = extension_decode(cert, nids[i], &values[i]);
	issuer.ski = values[0];
	issuer.purposes = values[1];
	issuer.constraints = values[2];
	issuer.policies = values[3];
	issuer.mappings = values[4];
	issuer.inhibit_any = values[5];
	if (result != 0)
		return -1;
	*ret_issuer = issuer;
	issuer = (struct issuer){ 0 }; /* moved out */
	return 0;
}

bool
issuer_allows_purpose(const struct issuer *issuer, const ASN1_OBJECT *purpose)
{
	for (int i = 0; i < sk_ASN1_OBJECT_num(issuer->purposes); i++) {
		const ASN1_OBJECT *allowed =
		    sk_ASN1_OBJECT_value(issuer->purposes, i);

		if (OBJ_cmp(allowed, purpose) == 0 ||
		    OBJ_obj2nid(allowed) == NID_anyExtendedKeyUsage)
			return true;
	}
	return issuer->purposes == NULL;
}

static void
check_dates(const struct issuer *issuer, int64_t now, const char *place,
    struct findings *findings)
{
	char text[DATE_TEXT_SIZE];

	if (now < issuer->facts.not_before) {
		date_format(issuer->facts.not_before, text);
		findings_add(findings, FINDING_ERROR, "ISSUER-VALID", place,
		    "RFC 5280, section 4.1.2.5",
		    "the issuer '%s' is not valid before %s",
		    issuer->facts.subject, text);
	}
	if (now > issuer->facts.not_after) {
		date_format(issuer->facts.not_after, text);
		findings_add(findings, FINDING_ERROR, "ISSUER-VALID", place,
		    "RFC 5280, section 4.1.2.5",
		    "the issuer '%s' expired at %s", issuer->facts.subject,
		    text);
	}
}

void
issuer_check(const struct issuer *issuer, int64_t now, const char *place,
    struct findings *findings)
{
	/* An empty Name is a SEQUENCE of nothing: two octets. */
	if (issuer->facts.subject_len <= 2)
		findings_add(findings, FINDING_ERROR, "FLD-ISSUER-NONEMPTY",
		    place, "RFC 5280, section 4.1.2.4",
		    "the issuer's certificate has an empty subject");
	if (issuer->ski == NULL || ASN1_STRING_length(issuer->ski) == 0)
		findings_add(findings, FINDING_ERROR, "AKI-KEYID-ONLY", place,
		    "RFC 5280, section 4.2.1.1",
		    "the issuer '%s' has no subject key identifier to refer to",
		    issuer->facts.subject);
	check_dates(issuer, now, place, findings);
}

void
issuer_check_nesting(const struct issuer *issuer, int64_t last,
    const char *what, const char *place, struct findings *findings)
{
	char text[DATE_TEXT_SIZE];

	if (last <= issuer->facts.not_after)
		return;
	date_format(issuer->facts.not_after, text);
	findings_add(findings, FINDING_ERROR, "FLD-TIME-NESTED", place,
	    "RFC 5280, section 4.1.2.5",
	    "the %s would outlive its issuer '%s', which ends at %s", what,
	    issuer->facts.subject, text);
}

static void
check_fit(const struct sigalg *alg, const struct key_type *type,
    const char *place, struct findings *findings)
{
	if (alg->family != type->family)
		findings_add(findings, FINDING_ERROR, "ALG-SIG-ISSUER-MATCH",
		    place, "RFC 5280, section 4.1.1.2",
		    "a %s key cannot sign with %s", type->name, alg->name);
	else if (!sigalg_fits(alg, type))
		findings_add(findings, FINDING_ERROR, "ALG-SIG-CURVE-HASH",
		    place, "TLS BR, section 7.1.3.2.2",
		    "a %s key does not sign with %s", type->name, alg->name);
}

const struct sigalg *
issuer_algorithm(const struct profile *profile, const unsigned char *spki,
    size_t spki_len, const char *name, const char *place,
    struct findings *findings)
{
	const struct key_type *type = key_type_of_spki(spki, spki_len);
	const struct sigalg *alg;
	size_t before = findings->errors;

	if (type == NULL) {
		findings_add(findings, FINDING_ERROR, "ALG-SIG-ISSUER-MATCH",
		    place, "TLS BR, section 7.1.3.2",
		    "the signing key is of no type that this program signs "
		    "with");
		return NULL;
	}
	alg = name != NULL ? sigalg_by_name(name) : sigalg_default(type);
	if (alg == NULL) {
		findings_add(findings, FINDING_ERROR, "ALG-SIG-EXACT", place,
		    "TLS BR, section 7.1.3.2",
		    "signature algorithm '%s' is unknown or not allowed",
		    name != NULL ? name : type->name);
		return NULL;
	}
	check_fit(alg, type, place, findings);
	if (!profile_allows_signature(profile, alg))
		findings_add(findings, FINDING_ERROR, "PROFILE-SIGNATURES",
		    place, "", "profile '%s' does not allow signatures with %s",
		    profile->id, alg->name);
	return findings->errors == before ? alg : NULL;
}

int
findings_refuse(const struct findings *findings, const char *what)
{
	for (size_t i = 0; i < findings->count; i++)
		if (findings->rows[i].severity == FINDING_ERROR)
			return ca_error(CA_R_POLICY, "%s is refused: %s (%s)",
			    what, findings->rows[i].text, findings->rows[i].id);
	return ca_error(CA_R_MEMORY, "%s is refused, and memory ran out", what);
}
