#include "profiles/crl.h"

#include <inttypes.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "profiles/asn1.h"
#include "profiles/general-name.h"
#include "profiles/input.h"
#include "profiles/issuer.h"
#include "profiles/private.h"
#include "profiles/reencode.h"

CLEANUP_DEFINE(X509_REVOKED, X509_REVOKED_free);
CLEANUP_DEFINE(ASN1_ENUMERATED, ASN1_ENUMERATED_free);
CLEANUP_DEFINE(ASN1_GENERALIZEDTIME, ASN1_GENERALIZEDTIME_free);

enum { VERSION_2 = 1 };

/* 1999-01-01T00:00:00Z: nothing here is older. */
static const int64_t oldest_revocation = 915148800;

/* 9999-12-31T23:59:59Z */
static const int64_t last_date = 253402300799;

static const struct {
	const char *name;
	enum revocation_reason reason;
} reasons[] = {
	{ "unspecified", REASON_NONE },
	{ "keyCompromise", REASON_KEY_COMPROMISE },
	{ "affiliationChanged", REASON_AFFILIATION_CHANGED },
	{ "superseded", REASON_SUPERSEDED },
	{ "cessationOfOperation", REASON_CESSATION },
	{ "privilegeWithdrawn", REASON_PRIVILEGE_WITHDRAWN },
};

enum { REASONS = sizeof reasons / sizeof reasons[0] };

const char *
reason_name(enum revocation_reason reason)
{
	for (size_t i = 0; i < REASONS; i++)
		if (reasons[i].reason == reason)
			return reasons[i].name;
	return "unknown";
}

int
reason_by_name(const char *name, enum revocation_reason *ret_reason)
{
	for (size_t i = 0; i < REASONS; i++) {
		if (strcmp(reasons[i].name, name) == 0) {
			*ret_reason = reasons[i].reason;
			return 0;
		}
	}
	return ca_error(CA_R_INPUT,
	    "reason '%s' may not be used; use keyCompromise, "
	    "affiliationChanged, superseded, cessationOfOperation, "
	    "privilegeWithdrawn, or unspecified, which leaves it out",
	    name);
}

int
crl_entry_compare(const struct crl_entry *a, const struct crl_entry *b)
{
	if (a->serial_len != b->serial_len)
		return a->serial_len < b->serial_len ? -1 : 1;
	return memcmp(a->serial, b->serial, a->serial_len);
}

static int64_t
validity_of(const struct crl_request *request)
{
	return request->validity != 0 ? request->validity
				      : request->profile->validity_default;
}

static void
refuse(const struct crl_request *request, struct findings *findings,
    const char *id, const char *source, const char *text)
{
	findings_add(
	    findings, FINDING_ERROR, id, request->place, source, "%s", text);
}

/* True where nextUpdate can be computed. */
static bool
check_validity(const struct crl_request *request, struct findings *findings)
{
	const struct profile *profile = request->profile;
	int64_t validity = validity_of(request);

	if (request->now < 0 || request->now > last_date || validity <= 1)
		refuse(request, findings, "CRL-NEXTUPDATE-PRESENT",
		    "RFC 5280, section 5.1.2.5",
		    "the CRL would end before it begins");
	else if (validity > profile->validity_max)
		refuse(request, findings, "PROFILE-VALIDITY", "",
		    "the CRL would be valid longer than its profile allows");
	else if (validity < profile->validity_min)
		refuse(request, findings, "PROFILE-VALIDITY", "",
		    "the CRL would be valid shorter than its profile allows");
	else if (request->now + validity - 1 > last_date)
		refuse(request, findings, "FLD-TIME-NO9999",
		    "RFC 5280, section 5.1.2.5", "the CRL would end too late");
	else
		return true;
	return false;
}

bool
serial_is_good(const unsigned char *serial, size_t len)
{
	if (len == 0 || len > SERIAL_LEN || (serial[0] & 0x80) != 0)
		return false;
	if (serial[0] != 0)
		return true;
	return len > 1 && (serial[1] & 0x80) != 0;
}

static void
refuse_entry(const struct crl_request *request, uint64_t i,
    struct findings *findings, const char *id, const char *source,
    const char *text)
{
	findings_add(findings, FINDING_ERROR, id, request->place, source,
	    "entry %" PRIu64 ": %s", i + 1, text);
}

bool
profile_allows_reason(
    const struct profile *profile, enum revocation_reason reason)
{
	return (unsigned)reason < REASON_COUNT && profile->reasons[reason];
}

/* Whoever has to mend it looks for the certificate. */
static void
refuse_reason(const struct crl_request *request, uint64_t i,
    const struct crl_entry *entry, struct findings *findings)
{
	enum { OCTETS = 20 };
	char serial[2 * OCTETS + 1], text[256];

	text_hex_into(entry->serial,
	    entry->serial_len < OCTETS ? entry->serial_len : OCTETS, serial);
	(void)snprintf(text, sizeof(text),
	    "serial %s: the reason '%s' is none that the profile allows",
	    serial, reason_name(entry->reason));
	refuse_entry(request, i, findings, "CRL-REASON-SET",
	    "TLS BR, section 7.2.2", text);
}

void
crl_check_entry(const struct crl_request *request, uint64_t i,
    const struct crl_entry *entry, struct findings *findings)
{
	if (!serial_is_good(entry->serial, entry->serial_len))
		refuse_entry(request, i, findings, "CRL-ENTRY-SERIAL",
		    "RFC 5280, section 4.1.2.2",
		    "the serial number is not that of a certificate");
	if (entry->date < oldest_revocation || entry->date > request->now)
		refuse_entry(request, i, findings, "CRL-ENTRY-DATE",
		    "TLS BR, section 7.2.2",
		    "the revocation date lies before 1999 or in the future");
	if (!profile_allows_reason(request->profile, entry->reason))
		refuse_reason(request, i, entry, findings);
	if (entry->invalidity != 0 &&
	    (entry->invalidity < oldest_revocation ||
		entry->invalidity > request->now))
		refuse_entry(request, i, findings, "CRL-INVALIDITY",
		    "RFC 5280, section 5.3.2",
		    "the invalidity date lies before 1999 or in the future");
}

void
crl_check_order(const struct crl_request *request, uint64_t i,
    const struct crl_entry *before, const struct crl_entry *entry,
    struct findings *findings)
{
	int order = crl_entry_compare(before, entry);

	if (order == 0)
		refuse_entry(request, i, findings, "CRL-NO-DUP-SERIAL",
		    "RFC 5280, section 5.1.2.6",
		    "the serial number is there twice");
	if (order > 0)
		refuse_entry(request, i, findings, "CRL-ORDER", "",
		    "the serial numbers do not ascend");
}

static void
check_entries(const struct crl_request *request, struct findings *findings)
{
	for (size_t i = 0; i < request->entry_count; i++) {
		crl_check_entry(request, i, &request->entries[i], findings);
		if (i > 0)
			crl_check_order(request, i, &request->entries[i - 1],
			    &request->entries[i], findings);
	}
}

int64_t
crl_next_update(const struct crl_request *request)
{
	return request->now + validity_of(request) - 1;
}

/* CRL-IDP-URI: the URL of the certificates in scope, where the CRL has one. */
static void
check_distribution_url(
    const struct crl_request *request, struct findings *findings)
{
	const char *url = request->distribution_url, *why;

	if (profile_needs_distribution_url(request->profile) != (url != NULL)) {
		refuse(request, findings, "CRL-IDP-URI",
		    "RFC 5280, section 5.2.5",
		    url == NULL
			? "the profile needs the URL that is in the "
			  "certificates of this CRL's scope"
			: "the CRL's profile has no issuing distribution "
			  "point, and so no URL");
		return;
	}
	why = url != NULL ? http_url_fault(url) : NULL;
	if (why != NULL)
		findings_add(findings, FINDING_ERROR, "CRL-IDP-URI",
		    request->place, "RFC 5280, section 5.2.5",
		    "the URL '%s' %s", url, why);
}

static void
check_issuer(const struct crl_request *request, const struct issuer *issuer,
    struct findings *findings)
{
	issuer_check(issuer, request->now, request->place, findings);
	if (!issuer->facts.is_ca || !issuer->facts.signs_crls)
		findings_add(findings, FINDING_ERROR, "CRL-SIGNER-KU",
		    request->place, "RFC 5280, section 4.2.1.3",
		    "'%s' is not a CA that may sign CRLs (cRLSign)",
		    issuer->facts.subject);
	(void)issuer_algorithm(request->profile, issuer->facts.spki,
	    issuer->facts.spki_len, request->signature, request->place,
	    findings);
}

static int
check(const struct crl_request *request, const struct issuer *issuer,
    struct findings *findings)
{
	if (request->profile->kind != PROFILE_CRL) {
		refuse(request, findings, "PROFILE-KIND", "",
		    "the profile is not one for CRLs");
		return 0;
	}
	check_issuer(request, issuer, findings);
	if (check_validity(request, findings))
		issuer_check_nesting(issuer, crl_next_update(request), "CRL",
		    request->place, findings);
	check_distribution_url(request, findings);
	check_entries(request, findings);
	return 0;
}

int
crl_check(const struct crl_request *request, struct findings *findings)
{
	AUTO_STRUCT(issuer) issuer = { 0 };

	if (issuer_read(request->issuer, &issuer) != 0)
		return -1;
	return check(request, &issuer, findings);
}

/* CRL-REASON-FORM; CRL-REASON-UNSPEC: 0 is said by leaving it out. */
static int
put_reason(X509_REVOKED *revoked, enum revocation_reason reason)
{
	AUTO(ASN1_ENUMERATED) *code = ASN1_ENUMERATED_new();

	if (reason == REASON_NONE)
		return 0;
	if (code == NULL || ASN1_ENUMERATED_set(code, (long)reason) != 1 ||
	    X509_REVOKED_add1_ext_i2d(revoked, NID_crl_reason, code, 0, 0) != 1)
		return ca_error(CA_R_MEMORY, "no memory for a CRL entry");
	return 0;
}

/* CRL-TIME-FORM: always a GeneralizedTime. */
static int
put_invalidity(X509_REVOKED *revoked, int64_t invalidity)
{
	AUTO(ASN1_GENERALIZEDTIME) *date = NULL;

	if (invalidity == 0)
		return 0;
	date = ASN1_GENERALIZEDTIME_set(NULL, (time_t)invalidity);
	if (date == NULL ||
	    X509_REVOKED_add1_ext_i2d(
		revoked, NID_invalidity_date, date, 0, 0) != 1)
		return ca_error(CA_R_MEMORY, "no memory for a CRL entry");
	return 0;
}

static int
put_entry(struct tbs_cert_list *tbs, const struct crl_entry *entry)
{
	AUTO(X509_REVOKED) *revoked = X509_REVOKED_new();
	AUTO(ASN1_INTEGER) *serial = ASN1_INTEGER_new();
	AUTO(ASN1_TIME) *date = NULL;

	if (revoked == NULL || serial == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a CRL entry");
	if (asn1_set_octets(serial, entry->serial, entry->serial_len) != 0 ||
	    date_to_asn1(entry->date, &date) != 0 ||
	    put_reason(revoked, entry->reason) != 0 ||
	    put_invalidity(revoked, entry->invalidity) != 0)
		return -1;
	if (X509_REVOKED_set_serialNumber(revoked, serial) != 1 ||
	    X509_REVOKED_set_revocationDate(revoked, date) != 1 ||
	    sk_X509_REVOKED_push(tbs->revoked, revoked) <= 0)
		return ca_error(CA_R_MEMORY, "no memory for a CRL entry");
	(void)TAKE(revoked); /* the list has it */
	return 0;
}

static int
put_entries(struct tbs_cert_list *tbs, const struct crl_request *request)
{
	/* CRL-EMPTY-ABSENT */
	if (request->entry_count == 0)
		return 0;
	tbs->revoked = sk_X509_REVOKED_new_null();
	if (tbs->revoked == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a CRL");
	for (size_t i = 0; i < request->entry_count; i++)
		if (put_entry(tbs, &request->entries[i]) != 0)
			return -1;
	return 0;
}

static int
encode(const struct crl_request *request, const struct issuer *issuer,
    const struct sigalg *alg, struct tbs *ret_tbs)
{
	AUTO_PTR(tbs_cert_list) *tbs = tbs_cert_list_new();
	struct extension_values values = {
		.aki = ASN1_STRING_get0_data(issuer->ski),
		.aki_len = (size_t)ASN1_STRING_length(issuer->ski),
		.crl_number = request->number,
		.distribution_url = request->distribution_url,
	};

	if (tbs == NULL || asn1_set_number(tbs->version, VERSION_2) != 0 ||
	    asn1_set_der(tbs->signature, alg->der, alg->der_len) != 0 ||
	    asn1_set_der(tbs->issuer, issuer->facts.subject_der,
		issuer->facts.subject_len) != 0 ||
	    asn1_set_time(&tbs->this_update, request->now) != 0 ||
	    asn1_set_time(&tbs->next_update, crl_next_update(request)) != 0 ||
	    put_entries(tbs, request) != 0 ||
	    extensions_build(request->profile, &values, &tbs->extensions) != 0)
		return -1;
	return tbs_finish(
	    OBJECT_CRL, alg, tbs, ASN1_ITEM_rptr(TBS_CERT_LIST), ret_tbs);
}

int
crl_build(const struct crl_request *request, struct tbs *ret_tbs)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(issuer) issuer = { 0 };
	const struct sigalg *alg;

	if (issuer_read(request->issuer, &issuer) != 0 ||
	    check(request, &issuer, &findings) != 0)
		return -1;
	if (findings.errors > 0)
		return findings_refuse(&findings, "the CRL");
	alg = issuer_algorithm(request->profile, issuer.facts.spki,
	    issuer.facts.spki_len, request->signature, request->place,
	    &findings);
	if (alg == NULL)
		return findings_refuse(&findings, "the CRL");
	return encode(request, &issuer, alg, ret_tbs);
}

int
crl_read(
    const char *name, const unsigned char *data, size_t len, X509_CRL **ret_crl)
{
	AUTO_BYTES(der) = NULL;
	const unsigned char *p;
	size_t der_len;
	X509_CRL *crl;

	if (input_read(name, "CRL", "X509 CRL", CRL_MAX_BYTES, data, len, &der,
		&der_len) != 0 ||
	    reencode_crl(name, der, der_len) != 0)
		return -1;
	p = der;
	crl = d2i_X509_CRL(NULL, &p, (long)der_len);
	if (crl == NULL)
		return ca_error(CA_R_MEMORY, "no memory for '%s'", name);
	*ret_crl = crl;
	return 0;
}
