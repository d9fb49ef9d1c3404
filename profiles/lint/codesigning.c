/* CS-: code signing and time-stamping certificates, CSBR 7.1.2.3, 7.1.4.2. */
#include <string.h>
#include <time.h>

#include "base/date.h"
#include "profiles/lint/subscriber.h"

#define POLICY_EV_CS "2.23.140.1.3"

/* A certificate of a time-stamping authority: by its purpose. */
static bool
is_time_stamping(const struct lint_run *run)
{
	return lint_has_purpose(run->values, NID_time_stamp) &&
	    !lint_has_purpose(run->values, NID_code_sign);
}

/* ---- validity ---------------------------------------------------------- */

/* The same day and time so many months later, or the last day of the month. */
static int64_t
add_months(int64_t date, int months)
{
	time_t seconds = (time_t)date;
	struct tm tm, moved;
	int day;

	if (gmtime_r(&seconds, &tm) == NULL)
		return date;
	day = tm.tm_mday;
	do {
		moved = tm;
		moved.tm_mon += months;
		moved.tm_mday = day--;
		seconds = timegm(&moved);
	} while (moved.tm_mday != day + 1);
	return (int64_t)seconds;
}

/* Both ends are counted: notAfter itself lies within. */
static void
check_months(const struct lint_run *run, int months, const char *kind)
{
	const struct lint_certificate *c = run->certificate;
	int64_t end = add_months(c->not_before.seconds, months);
	char last[DATE_TEXT_SIZE];

	date_format(end - 1, last);
	if (c->not_after.seconds >= end)
		lint_found(run, c->not_after.element,
		    "a %s certificate is valid for more than %d months; "
		    "notAfter may be %s at the latest",
		    kind, months, last);
}

static void
check_life(struct lint_run *run)
{
	const int64_t days_460 = 1772323200; /* 2026-03-01 */
	int64_t days = validity_days(run->certificate);

	if (validity_seconds(run->certificate) == 0)
		return; /* FLD-TIME-ORDER, FLD-TIME-FORM */
	if (is_time_stamping(run))
		check_months(run, 135, "time-stamping");
	else if (run->date < days_460)
		check_months(run, 39, "code signing");
	else if (days > 460)
		lint_found(run, run->certificate->not_after.element,
		    "a code signing certificate is valid for %lld days (both "
		    "ends counted); the most is 460",
		    (long long)days);
}

/* ---- purposes and usage ------------------------------------------------ */

/* Lifetime signing, e-mail and document signing may stand beside it. */
static bool
is_beside(const char *text)
{
	static const char *const purposes[] = { "1.3.6.1.4.1.311.10.3.13",
		"1.3.6.1.4.1.311.10.3.12", "1.3.6.1.5.5.7.3.4" };

	for (size_t i = 0; i < sizeof purposes / sizeof *purposes; i++)
		if (strcmp(text, purposes[i]) == 0)
			return true;
	return false;
}

static void
check_purpose(const struct lint_run *run, const ASN1_OBJECT *purpose)
{
	struct der where = where_is(run, NID_ext_key_usage);
	bool stamping = is_time_stamping(run);
	char buf[OID_TEXT_SIZE];
	const char *text = oid_text(purpose, buf);
	int nid = OBJ_obj2nid(purpose);

	if (nid == (stamping ? NID_time_stamp : NID_code_sign))
		return;
	if (nid == NID_server_auth || nid == NID_anyExtendedKeyUsage)
		lint_found(run, where,
		    "extKeyUsage has %s, which a code signing or time-stamping "
		    "certificate must not have",
		    text);
	else if (stamping)
		lint_found(run, where,
		    "extKeyUsage has %s beside timeStamping, which must be "
		    "alone (RFC 3161, section 2.3)",
		    text);
	else if (nid == NID_time_stamp || !is_beside(text))
		lint_discouraged(run, where,
		    "extKeyUsage has %s, which is not recommended beside "
		    "codeSigning",
		    text);
}

static void
check_eku(struct lint_run *run)
{
	const struct lint_extension *extension =
	    lint_extension(run->extensions, NID_ext_key_usage);
	const EXTENDED_KEY_USAGE *purposes = run->values->purposes;

	if (extension == NULL || purposes == NULL ||
	    (!lint_has_purpose(run->values, NID_code_sign) &&
		!lint_has_purpose(run->values, NID_time_stamp))) {
		lint_found(run, where_is(run, NID_ext_key_usage),
		    "extKeyUsage has neither codeSigning nor timeStamping");
		return;
	}
	if (is_time_stamping(run) && !extension->critical)
		lint_found(run, extension->element,
		    "extKeyUsage of a time-stamping certificate is not "
		    "critical");
	for (int i = 0; i < sk_ASN1_OBJECT_num(purposes); i++)
		check_purpose(run, sk_ASN1_OBJECT_value(purposes, i));
}

static void
check_usage(struct lint_run *run)
{
	const unsigned forbidden = USE_CERT_SIGN | USE_CRL_SIGN;
	const struct lint_extension *extension =
	    lint_extension(run->extensions, NID_key_usage);
	unsigned usage = lint_key_usage(run->values);

	if (extension == NULL || run->values->key_usage == NULL) {
		lint_found(run, where_is(run, NID_key_usage),
		    "there is no keyUsage that can be read");
		return;
	}
	if (!extension->critical)
		lint_found(run, extension->element, "keyUsage is not critical");
	if ((usage & USE_SIGN) == 0)
		lint_found(run, extension->element,
		    "keyUsage does not have digitalSignature");
	lint_usage_bits(
	    run, ~forbidden, "a code signing or time-stamping certificate");
	if ((usage & ~forbidden & ~(unsigned)USE_SIGN) != 0)
		lint_discouraged(run, extension->element,
		    "keyUsage has other bits than digitalSignature, which is "
		    "not recommended");
}

/* ---- pointers ---------------------------------------------------------- */

static void
check_access(const struct lint_run *run)
{
	const struct lint_extension *access =
	    lint_extension(run->extensions, NID_info_access);
	struct der where = where_is(run, NID_info_access);

	if (access == NULL) {
		lint_found(run, where, "there is no authorityInfoAccess");
		return;
	}
	if (access->critical)
		lint_found(run, where, "authorityInfoAccess is critical");
	if (access_http_count(run->values, NID_ad_ca_issuers) == 0)
		lint_found(run, where,
		    "authorityInfoAccess has no http URL for caIssuers");
	if (access_count(run->values, NID_ad_OCSP) > 0 &&
	    access_http_count(run->values, NID_ad_OCSP) == 0)
		lint_found(run, where,
		    "authorityInfoAccess has an OCSP responder whose URL is "
		    "not http");
}

static void
check_pointers(struct lint_run *run)
{
	const struct lint_extension *points =
	    lint_extension(run->extensions, NID_crl_distribution_points);
	struct der where = where_is(run, NID_crl_distribution_points);
	int http;

	check_access(run);
	(void)crl_uri_count(run->values, &http);
	if (points == NULL) {
		lint_found(run, where, "there is no cRLDistributionPoints");
		return;
	}
	if (points->critical)
		lint_found(run, where, "cRLDistributionPoints is critical");
	if (http == 0)
		lint_found(run, where,
		    "cRLDistributionPoints has no http URL of a CRL");
}

/* ---- the subject ------------------------------------------------------- */

static const struct attribute_row subject_rows[] = {
	{ NID_commonName, ATTRIBUTE_REQUIRED },
	{ NID_organizationName, ATTRIBUTE_REQUIRED },
	{ NID_countryName, ATTRIBUTE_REQUIRED },
	{ NID_organizationalUnitName, ATTRIBUTE_FORBIDDEN },
	{ NID_domainComponent, ATTRIBUTE_FORBIDDEN },
};
static const struct attribute_table subject_table = {
	"a code signing certificate", subject_rows,
	sizeof subject_rows / sizeof *subject_rows, ATTRIBUTE_ALLOWED
};

static const struct attribute_row ev_rows[] = {
	{ NID_businessCategory, ATTRIBUTE_REQUIRED },
	{ NID_jurisdictionCountryName, ATTRIBUTE_REQUIRED },
	{ NID_serialNumber, ATTRIBUTE_REQUIRED },
};
static const struct attribute_table ev_table = {
	"an EV code signing certificate", ev_rows,
	sizeof ev_rows / sizeof *ev_rows, ATTRIBUTE_ALLOWED
};

static const struct attribute_row stamping_rows[] = {
	{ NID_organizationName, ATTRIBUTE_REQUIRED },
	{ NID_countryName, ATTRIBUTE_REQUIRED },
	{ NID_organizationalUnitName, ATTRIBUTE_FORBIDDEN },
};
static const struct attribute_table stamping_table = {
	"a time-stamping certificate", stamping_rows,
	sizeof stamping_rows / sizeof *stamping_rows, ATTRIBUTE_ALLOWED
};

static void
check_subject(struct lint_run *run)
{
	bool stamping = is_time_stamping(run);

	lint_metadata(run);
	lint_attributes(run, stamping ? &stamping_table : &subject_table);
	lint_place(run, stamping ? stamping_table.kind : subject_table.kind);
	if (!lint_has_policy(run->values, POLICY_EV_CS))
		return;
	lint_attributes(run, &ev_table);
	lint_business_category(run);
}

/* ---- algorithms -------------------------------------------------------- */

/* The tables know the exact encodings of RSA, PSS and ECDSA with SHA-2. */
static bool
is_allowed_signature(const X509_ALGOR *alg, struct der der)
{
	static const int nids[] = { NID_sha256WithRSAEncryption,
		NID_sha384WithRSAEncryption, NID_sha512WithRSAEncryption,
		NID_ecdsa_with_SHA256, NID_ecdsa_with_SHA384,
		NID_ecdsa_with_SHA512, NID_dsa_with_SHA256 };
	const ASN1_OBJECT *object;
	int nid;

	if (sigalg_by_der(der.p, der.len) != NULL)
		return true;
	X509_ALGOR_get0(&object, NULL, NULL, alg);
	nid = OBJ_obj2nid(object);
	for (size_t i = 0; i < sizeof nids / sizeof *nids; i++)
		if (nids[i] == nid)
			return true;
	return false;
}

/* Whatever is id-ecPublicKey, also where the curve cannot be read. */
static void
check_curve(const struct lint_run *run)
{
	static const unsigned char ec_public_key[] = { 0x2a, 0x86, 0x48, 0xce,
		0x3d, 0x02, 0x01 };
	static const char *const curves[] = { "1.2.840.10045.3.1.7",
		"1.3.132.0.34", "1.3.132.0.35" };
	struct der in = run->key->alg, body, oid, curve;
	AUTO(ASN1_OBJECT) *object = NULL;
	char buf[OID_TEXT_SIZE] = "";

	if (!der_take(&in, DER_SEQUENCE, &body, NULL) ||
	    !der_take(&body, DER_OID, &oid, NULL) ||
	    !der_equal(oid, ec_public_key, sizeof ec_public_key))
		return;
	if (der_take(&body, DER_OID, NULL, &curve) && body.len == 0) {
		const unsigned char *p = curve.p;

		object = d2i_ASN1_OBJECT(NULL, &p, (long)curve.len);
	}
	if (object != NULL)
		(void)oid_text(object, buf);
	for (size_t i = 0; i < sizeof curves / sizeof *curves; i++)
		if (strcmp(buf, curves[i]) == 0)
			return;
	lint_found(run, run->key->alg,
	    "the key is on the curve '%s'; it must be P-256, P-384 or P-521, "
	    "by name",
	    buf);
}

static void
check_algorithms(struct lint_run *run)
{
	const struct lint_certificate *c = run->certificate;
	AUTO(X509) *x509 = lint_certificate_decode(c);
	const X509_ALGOR *alg =
	    x509 != NULL ? X509_get0_tbs_sigalg(x509) : NULL;

	if (alg == NULL)
		lint_unsure(run, "the certificate cannot be read");
	else if (!is_allowed_signature(alg, c->alg))
		lint_found(run, c->alg,
		    "the signature's algorithm is none of RSA, RSASSA-PSS, "
		    "ECDSA or DSA with SHA-2");
	check_curve(run);
}

static const struct lint rows[] = {
	{ .id = "CS-LIFE", .check = check_life },
	{ .id = "CS-EKU", .check = check_eku },
	{ .id = "CS-KU", .check = check_usage },
	{ .id = "CS-AIA-CDP", .check = check_pointers },
	{ .id = "CS-SUBJECT", .check = check_subject },
	{ .id = "CS-ALG", .check = check_algorithms },
};

const struct lint_table lint_codesigning = LINT_TABLE(rows);
