/* What a CRL revokes, element by element: millions of entries are no trees. */
#include <stdarg.h>
#include <string.h>

#include <openssl/objects.h>

#include "base/algorithm.h"
#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "ceremony/steps/import.h"
#include "profiles/der/der.h"
#include "profiles/input.h"

struct crl_reading {
	struct faults *faults;
	const char *place;
	int64_t now;
	enum revocation_reason reason; /* of entries without one */
	size_t entry;                  /* the one that is read, from 1 */
	struct listing *listing;
};

static int crl_fault(const struct crl_reading *r, const char *id,
    const char *source, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* At the entry that is read, or at the CRL as a whole. */
static int
crl_fault(const struct crl_reading *r, const char *id, const char *source,
    const char *fmt, ...)
{
	AUTO_CHARS(place) = r->entry == 0
	    ? text_copy(r->place)
	    : text_printf("%s, entry %zu", r->place, r->entry);
	char text[512];
	va_list ap;

	if (place == NULL)
		return -1;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fault_add(r->faults, place, id, source, "%s", text);
	return 0;
}

static int
malformed(const struct crl_reading *r, const char *what)
{
	return crl_fault(
	    r, "IMPORT-CRL", "RFC 5280, section 5.1", "%s is malformed", what);
}

/* ---- extensions ----------------------------------------------------------- */

struct crl_extension {
	int nid;
	bool critical;
	struct der value; /* what stands in the OCTET STRING */
};

static int
oid_nid(struct der content)
{
	AUTO(ASN1_OBJECT) *object = NULL;
	unsigned char der[64] = { DER_OID };
	const unsigned char *p = der;

	if (content.len > sizeof(der) - 2)
		return NID_undef;
	der[1] = (unsigned char)content.len;
	memcpy(der + 2, content.p, content.len);
	object = d2i_ASN1_OBJECT(NULL, &p, (long)content.len + 2);
	return object == NULL ? NID_undef : OBJ_obj2nid(object);
}

/* False where there is none, or it is malformed: see *in, which then stays. */
static bool
take_extension(struct der *in, struct crl_extension *ret_extension)
{
	struct der content, oid, critical, value, rest = *in;

	if (!der_take(&rest, DER_SEQUENCE, &content, NULL) ||
	    !der_take(&content, DER_OID, &oid, NULL))
		return false;
	ret_extension->critical =
	    der_take(&content, DER_BOOLEAN, &critical, NULL);
	if (!der_take(&content, DER_OCTET_STRING, &value, NULL) ||
	    content.len != 0)
		return false;
	ret_extension->nid = oid_nid(oid);
	ret_extension->value = value;
	*in = rest;
	return true;
}

/* ---- entries -------------------------------------------------------------- */

static bool
take_time(struct der *in, int64_t *ret_date)
{
	struct der content;

	if (!der_take(in, DER_UTC_TIME, &content, NULL) &&
	    !der_take(in, DER_GENERALIZED_TIME, &content, NULL))
		return false;
	if (asn1_date_parse((const char *)content.p, content.len, ret_date) ==
	    0)
		return true;
	ca_error_clear();
	return false;
}

static int
read_reason(const struct crl_reading *r, struct der value, struct listed *row)
{
	struct der code;

	if (!der_take(&value, DER_ENUMERATED, &code, NULL) || code.len != 1 ||
	    value.len != 0)
		return malformed(r, "a reason");
	row->given_reason = true;
	switch (code.p[0]) {
	case 0:
	case REASON_KEY_COMPROMISE:
	case REASON_AFFILIATION_CHANGED:
	case REASON_SUPERSEDED:
	case REASON_CESSATION:
	case REASON_PRIVILEGE_WITHDRAWN:
		row->reason = (enum revocation_reason)code.p[0];
		return 0;
	case CRL_REASON_CERTIFICATE_HOLD:
		return crl_fault(r, "CRL-REASON-NOHOLD", "BR 7.2.2",
		    "the certificate is on hold; there is no suspension here, "
		    "revoke it or leave it out");
	case CRL_REASON_REMOVE_FROM_CRL:
		return crl_fault(r, "CRL-NO-DELTA", "RFC 5280, section 5.3.1",
		    "removeFromCRL is for delta CRLs; a revocation is not "
		    "taken back");
	default:
		return crl_fault(r, "CRL-REASON-SET", "BR 7.2.2",
		    "reason %d may not be used; take the certificate over by a "
		    "CSV list, with a reason that may",
		    code.p[0]);
	}
}

static int
read_invalidity(
    const struct crl_reading *r, struct der value, struct listed *row)
{
	if (!take_time(&value, &row->invalidity) || value.len != 0)
		return malformed(r, "an invalidity date");
	return 0;
}

/* What is there already, so that one cannot say it twice (section 4.2). */
struct entry_seen {
	bool reason, invalidity;
};

static int
read_entry_extension(const struct crl_reading *r,
    const struct crl_extension *extension, struct entry_seen *seen,
    struct listed *row)
{
	switch (extension->nid) {
	case NID_crl_reason:
		if (seen->reason)
			return malformed(r, "an entry with two reasons");
		seen->reason = true;
		return read_reason(r, extension->value, row);
	case NID_invalidity_date:
		if (seen->invalidity)
			return malformed(
			    r, "an entry with two invalidity dates");
		seen->invalidity = true;
		return read_invalidity(r, extension->value, row);
	case NID_certificate_issuer:
		return crl_fault(r, "CRL-NO-INDIRECT",
		    "RFC 5280, section 5.3.3",
		    "the entry is of another issuer's certificate; indirect "
		    "CRLs are not taken");
	default:
		return extension->critical
		    ? crl_fault(r, "IMPORT-CRL", "RFC 5280, section 5.3",
			  "the entry has a critical extension that is not "
			  "known")
		    : 0;
	}
}

static int
read_entry_extensions(
    const struct crl_reading *r, struct der content, struct listed *row)
{
	struct entry_seen seen = { 0 };
	struct crl_extension extension;
	struct der in;

	if (content.len == 0)
		return 0;
	if (!der_take(&content, DER_SEQUENCE, &in, NULL) || content.len != 0)
		return malformed(r, "the entry");
	while (in.len > 0) {
		if (!take_extension(&in, &extension))
			return malformed(r, "an extension of the entry");
		if (read_entry_extension(r, &extension, &seen, row) < 0)
			return -1;
	}
	return 0;
}

static int
check_entry(const struct crl_reading *r, const struct listed *row)
{
	char date[DATE_TEXT_SIZE];

	date_format(row->date, date);
	if (row->date > r->now)
		return crl_fault(r, "CRL-ENTRY-DATE",
		    "RFC 5280, section 5.1.2.6",
		    "the date %s of the revocation is in the future", date);
	if (row->date < REVOCATION_OLDEST)
		return crl_fault(r, "CRL-ENTRY-DATE",
		    "RFC 5280, section 5.1.2.6",
		    "the date %s of the revocation is before 1999", date);
	/* No CRL could say it (crl_check_entry()), and it could not be mended. */
	if (row->invalidity != 0 &&
	    (row->invalidity < REVOCATION_OLDEST || row->invalidity > r->now))
		return crl_fault(r, "CRL-INVALIDITY", "RFC 5280, section 5.3.2",
		    "the invalidity date is before 1999 or in the future");
	return 0;
}

static int
read_entry(const struct crl_reading *r, struct der content)
{
	struct listed row = {
		.ca = -1,
		.given_date = true,
		.reason = r->reason,
		.given_reason = r->reason == REASON_NONE,
		.line = r->entry,
	};
	struct der serial;
	size_t faults = r->faults->count;

	if (!der_take(&content, DER_INTEGER, &serial, NULL) ||
	    !take_time(&content, &row.date))
		return malformed(r, "the entry");
	if (serial_from_octets(serial.p, serial.len, &row.serial) < 0) {
		AUTO_CHARS(text) = ca_error_take();

		return crl_fault(r, "SERIAL-FORM", NULL, "%s",
		    text == NULL ? "the serial is refused" : text);
	}
	if (read_entry_extensions(r, content, &row) < 0 ||
	    check_entry(r, &row) < 0)
		return -1;
	return r->faults->count > faults ? 0 : listing_add(r->listing, &row);
}

static int
read_entries(struct crl_reading *r, struct der in)
{
	struct der content;
	int rc = 0;

	while (rc == 0 && in.len > 0) {
		r->entry++;
		if (!der_take(&in, DER_SEQUENCE, &content, NULL))
			return malformed(r, "the entry");
		rc = read_entry(r, content);
	}
	r->entry = 0;
	return rc;
}

/* ---- the CRL -------------------------------------------------------------- */

/* The parts of TBSCertList that matter here; RFC 5280, section 5.1. */
struct crl_parts {
	struct der alg, issuer, revoked, extensions;
	int64_t from, until; /* until: 0 where it is not there */
};

static bool
take_parts(struct der tbs, struct crl_parts *parts)
{
	struct der content, version, explicit;

	if (!der_take(&tbs, DER_SEQUENCE, &content, NULL) || tbs.len != 0)
		return false;
	(void)der_take(&content, DER_INTEGER, &version, NULL);
	if (!der_take(&content, DER_SEQUENCE, NULL, &parts->alg) ||
	    !der_take(&content, DER_SEQUENCE, NULL, &parts->issuer) ||
	    !take_time(&content, &parts->from))
		return false;
	(void)take_time(&content, &parts->until);
	(void)der_take(&content, DER_SEQUENCE, &parts->revoked, NULL);
	if (der_take(&content, DER_CONTEXT_0, &explicit, NULL) &&
	    (!der_take(&explicit, DER_SEQUENCE, &parts->extensions, NULL) ||
		explicit.len != 0))
		return false;
	return content.len == 0;
}

/* Is [4] indirectCRL TRUE there? */
static bool
is_indirect(struct der value)
{
	struct der content, element, flag;

	if (!der_take(&value, DER_SEQUENCE, &content, NULL))
		return true;
	while (der_take_any(&content, &flag, &element))
		if (element.p[0] == 0x84 && flag.len == 1 && flag.p[0] != 0)
			return true;
	return content.len != 0;
}

static int
check_extension(
    const struct crl_reading *r, const struct crl_extension *extension)
{
	switch (extension->nid) {
	case NID_delta_crl:
		return crl_fault(r, "CRL-NO-DELTA", "RFC 5280, section 5.2.4",
		    "it is a delta CRL, which has not all; take the full one");
	case NID_issuing_distribution_point:
		return is_indirect(extension->value)
		    ? crl_fault(r, "CRL-NO-INDIRECT", "RFC 5280, section 5.2.5",
			  "it is an indirect CRL; its entries may be of other "
			  "issuers")
		    : 0;
	case NID_authority_key_identifier:
	case NID_crl_number:
		return 0;
	default:
		return extension->critical
		    ? crl_fault(r, "IMPORT-CRL", "RFC 5280, section 5.2",
			  "it has a critical extension that is not known")
		    : 0;
	}
}

static int
check_extensions(const struct crl_reading *r, struct der in)
{
	struct crl_extension extension;

	while (in.len > 0) {
		if (!take_extension(&in, &extension))
			return malformed(r, "an extension");
		if (check_extension(r, &extension) < 0)
			return -1;
	}
	return 0;
}

static int
check_issuer(const struct crl_reading *r, const struct crl_parts *parts,
    const X509 *issuer)
{
	const unsigned char *name;
	size_t len;

	if (X509_NAME_get0_der(X509_get_subject_name(issuer), &name, &len) != 1)
		return ca_error(CA_R_INTERNAL, "cannot encode a name");
	if (der_equal(parts->issuer, name, len))
		return 0;
	return crl_fault(r, "CRL-ISSUER-BYTES", "RFC 5280, section 5.1.2.3",
	    "it is another issuer's: its name is not, octet for octet, that of "
	    "the certificate");
}

static int
check_signature(const struct crl_reading *r, const struct crl_parts *parts,
    const struct signed_object *object, const X509 *issuer)
{
	const struct sigalg *alg =
	    sigalg_by_der(object->alg.p, object->alg.len);
	AUTO_DER(spki) = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(issuer), &spki);

	if (len <= 0)
		return ca_error(CA_R_INTERNAL, "cannot encode a public key");
	if (alg == NULL ||
	    !der_equal(parts->alg, object->alg.p, object->alg.len))
		return crl_fault(r, "CRL-SIGALG", "RFC 5280, section 5.1.1.2",
		    "it is signed with an algorithm that is not used here, or "
		    "says two different ones");
	if (sigalg_verify(alg, spki, (size_t)len, object->tbs.p,
		object->tbs.len, object->signature.p,
		object->signature.len) == 0)
		return 0;
	if (ca_error_reason() != CA_R_VERIFY)
		return -1;
	ca_error_clear();
	return crl_fault(r, "CRL-SIGNATURE", "RFC 5280, section 6.3.3",
	    "its signature does not verify with the issuer's key");
}

static int
check_times(const struct crl_reading *r, const struct crl_parts *parts)
{
	char date[DATE_TEXT_SIZE];

	date_format(parts->from, date);
	if (parts->from > r->now)
		return crl_fault(r, "CRL-THISUPDATE",
		    "RFC 5280, section 5.1.2.4",
		    "it was made at %s, which is in the future", date);
	if (parts->until != 0 && parts->until < r->now)
		findings_add(r->faults->findings, FINDING_WARNING,
		    "IMPORT-CRL-OLD", r->place, NULL,
		    "it is of %s and has run out: what was revoked since is "
		    "not on it",
		    date);
	return 0;
}

static int
check_crl(const struct crl_reading *r, const struct crl_parts *parts,
    const struct signed_object *object, const X509 *issuer)
{
	if (check_issuer(r, parts, issuer) < 0)
		return -1;
	if (r->faults->count > 0)
		return 0;
	if (check_signature(r, parts, object, issuer) < 0 ||
	    check_times(r, parts) < 0)
		return -1;
	return check_extensions(r, parts->extensions);
}

/* A serial stands twice, once the list is sorted. */
static int
check_twice(struct crl_reading *r)
{
	char hex[SERIAL_HEX_SIZE];

	for (size_t i = 1; i < r->listing->count; i++) {
		const struct listed *row = &r->listing->rows[i];

		if (serial_compare(&row[-1].serial, &row->serial) != 0)
			continue;
		serial_hex(&row->serial, hex);
		r->entry = row->line;
		if (crl_fault(r, "CRL-NO-DUP-SERIAL",
			"RFC 5280, section 5.1.2.6",
			"serial %s is there already, in entry %zu", hex,
			row[-1].line) < 0)
			return -1;
	}
	r->entry = 0;
	return 0;
}

static int
read_crl(struct crl_reading *r, const unsigned char *der, size_t len,
    const X509 *issuer)
{
	struct crl_parts parts = { 0 };
	struct signed_object object;
	size_t faults = r->faults->count;

	if (!der_signed_object(der, len, &object) ||
	    !take_parts(object.tbs, &parts))
		return malformed(r, "the CRL");
	if (check_crl(r, &parts, &object, issuer) < 0)
		return -1;
	if (r->faults->count > faults)
		return 0;
	if (read_entries(r, parts.revoked) < 0 || listing_sort(r->listing) < 0)
		return -1;
	return check_twice(r);
}

int
revocations_from_crl(struct build *build, const char *place, const char *file,
    const unsigned char *data, size_t len, const X509 *issuer,
    enum revocation_reason reason, bool *ret_good, struct listing *ret_listing)
{
	struct faults faults = { .findings = build->findings };
	AUTO_STRUCT(listing) listing = { 0 };
	AUTO_BYTES(der) = NULL;
	size_t der_len = 0;
	struct crl_reading r = {
		.faults = &faults,
		.place = place,
		.now = build->now,
		.reason = reason,
		.listing = &listing,
	};

	if (input_read(file, "CRL", "X509 CRL", CRL_MAX_BYTES, data, len, &der,
		&der_len) < 0) {
		if (fault_take_error(&faults, place, "IMPORT-CRL") < 0)
			return -1;
	} else if (read_crl(&r, der, der_len, issuer) < 0)
		return -1;
	*ret_good = faults.count == 0;
	if (faults.count > 0)
		return 0;
	*ret_listing = listing;
	listing = (struct listing){ 0 }; /* moved out */
	return 0;
}

int
import_crl(struct import *import)
{
	bool good = false;

	if (revocations_from_crl(import->build, import->params->file,
		import->params->file, import->input->data, import->input->len,
		import->issuer->certificate, import->reason, &good,
		&import->listing) < 0)
		return -1;
	if (!good)
		import->faults.count++;
	return 0;
}
