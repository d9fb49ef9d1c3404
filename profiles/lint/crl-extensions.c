/* The extensions of a CRL: rules.md 8.2. */
#include <string.h>

#include <openssl/err.h>

#include "profiles/lint/crl-private.h"

enum {
	NUMBER_MAX = 20, /* octets: below 2^159 */
	URIS_SHOWN = 10,
	OID_TEXT = 80,
	TAG_POINT = 0xa0,
	TAG_FULL_NAME = 0xa0,
	TAG_USER = 0x81,
	TAG_CA = 0x82,
	TAG_REASONS = 0x83,
	TAG_INDIRECT = 0x84,
	TAG_ATTRIBUTE = 0x85,
	TAG_URI = 0x86,
};

static const unsigned cabf = RULESET_BIT(RULESET_CABF_TLS) |
    RULESET_BIT(RULESET_CABF_SMIME) | RULESET_BIT(RULESET_CABF_CS);

/* ---- reading ------------------------------------------------------------ */

static bool
take_flag(struct der *in, unsigned tag, enum lint_crl_flag *ret_flag)
{
	struct der content;

	if (!der_take(in, tag, &content, NULL))
		return true;
	if (content.len != 1)
		return false;
	*ret_flag = content.p[0] != 0 ? CRL_FLAG_TRUE : CRL_FLAG_FALSE;
	return true;
}

/* DistributionPointName: fullName [0], or nameRelativeToCRLIssuer [1]. */
static bool
take_point(struct der *in, struct lint_crl_idp *idp)
{
	struct der choice, other;

	if (!der_take(in, TAG_POINT, &choice, NULL))
		return true;
	idp->point = true;
	idp->full_name = der_take(&choice, TAG_FULL_NAME, &idp->names, NULL);
	return (idp->full_name || der_take(&choice, 0xa1, &other, NULL)) &&
	    choice.len == 0;
}

static bool
read_idp(struct der value, struct lint_crl_idp *idp)
{
	struct der in;

	if (!der_take(&value, DER_SEQUENCE, &in, NULL) || value.len != 0)
		return false;
	if (!take_point(&in, idp) || !take_flag(&in, TAG_USER, &idp->user) ||
	    !take_flag(&in, TAG_CA, &idp->ca))
		return false;
	(void)der_take(&in, TAG_REASONS, NULL, &idp->reasons);
	return take_flag(&in, TAG_INDIRECT, &idp->indirect) &&
	    take_flag(&in, TAG_ATTRIBUTE, &idp->attribute) && in.len == 0;
}

static AUTHORITY_KEYID *
read_aki(const struct lint_extension *row)
{
	const unsigned char *p = row->value.p;
	AUTHORITY_KEYID *aki;

	(void)ERR_set_mark();
	aki = d2i_AUTHORITY_KEYID(NULL, &p, (long)row->value.len);
	if (aki != NULL && p != row->value.p + row->value.len) {
		AUTHORITY_KEYID_free(aki);
		aki = NULL;
	}
	(void)ERR_pop_to_mark();
	return aki;
}

void
lint_crl_extensions_read(struct lint_crl_state *s)
{
	const struct lint_extension *aki =
	    lint_extension(&s->extensions, NID_authority_key_identifier);
	struct der in;

	if (aki != NULL)
		s->aki = read_aki(aki);
	s->number_row = lint_extension(&s->extensions, NID_crl_number);
	if (s->number_row != NULL) {
		in = s->number_row->value;
		if (!der_take(&in, DER_INTEGER, &s->number, NULL) ||
		    in.len != 0)
			s->number = (struct der){ NULL, 0 };
	}
	s->idp.row =
	    lint_extension(&s->extensions, NID_issuing_distribution_point);
	if (s->idp.row != NULL)
		s->idp.malformed = !read_idp(s->idp.row->value, &s->idp);
}

/* ---- AKI and number ----------------------------------------------------- */

static const struct der nowhere = { NULL, 0 };

void
lint_crl_aki(struct lint_run *run)
{
	const struct lint_crl_state *s = run->crl;
	const struct lint_extension *row =
	    lint_extension(&s->extensions, NID_authority_key_identifier);
	const ASN1_OCTET_STRING *ski =
	    run->issuer != NULL ? run->issuer->values.ski : NULL;

	if (row == NULL) {
		lint_found(run, nowhere,
		    "there is no authorityKeyIdentifier; it must hold the "
		    "issuer's subjectKeyIdentifier");
		return;
	}
	if (row->critical)
		lint_found(run, row->element,
		    "authorityKeyIdentifier is critical and must not be");
	if (s->aki == NULL || s->aki->keyid == NULL) {
		lint_found(run, row->element, "authorityKeyIdentifier %s",
		    s->aki == NULL ? "cannot be read" : "has no keyIdentifier");
		return;
	}
	if ((s->aki->issuer != NULL || s->aki->serial != NULL) &&
	    (run->rulesets & cabf) != 0)
		lint_found(run, row->element,
		    "authorityKeyIdentifier has more than its keyIdentifier: "
		    "authorityCertIssuer and authorityCertSerialNumber must be "
		    "absent");
	if (ski != NULL && ASN1_OCTET_STRING_cmp(ski, s->aki->keyid) != 0)
		lint_found(run, row->element,
		    "authorityKeyIdentifier is not the issuer's "
		    "subjectKeyIdentifier");
}

void
lint_crl_number(struct lint_run *run)
{
	const struct lint_crl_state *s = run->crl;
	const struct der n = s->number;

	if (s->number_row == NULL) {
		lint_found(run, nowhere, "there is no cRLNumber");
		return;
	}
	if (s->number_row->critical)
		lint_found(run, s->number_row->element,
		    "cRLNumber is critical and must not be");
	if (n.len == 0)
		lint_found(run, s->number_row->element,
		    "cRLNumber is not one INTEGER");
	else if (n.p[0] >= 0x80)
		lint_found(run, n, "cRLNumber is negative");
	else if (n.len > NUMBER_MAX)
		lint_found(run, n,
		    "cRLNumber has %zu octets; it must be below 2^159, which "
		    "are at most %d",
		    n.len, NUMBER_MAX);
}

/* ---- indirect and delta CRLs -------------------------------------------- */

void
lint_crl_no_indirect(struct lint_run *run)
{
	const struct lint_crl_idp *idp = &run->crl->idp;

	if (idp->indirect == CRL_FLAG_TRUE)
		lint_found(run, idp->row->element,
		    "this is an indirect CRL (indirectCRL in its "
		    "issuingDistributionPoint)");
	lint_crl_report(run, CRL_NOTE_INDIRECT);
}

void
lint_crl_no_delta(struct lint_run *run)
{
	static const struct {
		int nid;
		const char *name;
	} rows[] = {
		{ NID_delta_crl, "deltaCRLIndicator" },
		{ NID_freshest_crl, "freshestCRL" },
	};
	const struct lint_extension *row;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		row = lint_extension(&run->crl->extensions, rows[i].nid);
		if (row != NULL)
			lint_found(run, row->element,
			    "there is a %s: delta CRLs are not used",
			    rows[i].name);
	}
	lint_crl_report(run, CRL_NOTE_DELTA);
}

/* ---- issuingDistributionPoint ------------------------------------------- */

void
lint_crl_idp_critical(struct lint_run *run)
{
	const struct lint_extension *row = run->crl->idp.row;

	if (row != NULL && !row->critical)
		lint_found(run, row->element,
		    "issuingDistributionPoint is not critical and must be");
}

/* Neither a partition nor one kind of certificate, as far as it says. */
void
lint_crl_idp_full(struct lint_run *run)
{
	const struct lint_crl_idp *idp = &run->crl->idp;

	if (idp->row != NULL && !idp->malformed && !idp->point &&
	    idp->user != CRL_FLAG_TRUE && idp->ca != CRL_FLAG_TRUE &&
	    idp->attribute != CRL_FLAG_TRUE && idp->reasons.len == 0)
		lint_found(run, idp->row->element,
		    "the issuingDistributionPoint limits nothing: a full and "
		    "complete CRL has none");
}

void
lint_crl_idp_root(struct lint_run *run)
{
	const struct lint_crl_idp *idp = &run->crl->idp;
	const struct lint_certificate *issuer = run->issuer;

	if (idp->ca == CRL_FLAG_TRUE &&
	    der_equal(issuer->issuer.element, issuer->subject.element.p,
		issuer->subject.element.len))
		lint_found(run, idp->row->element,
		    "onlyContainsCACerts on a root's CRL leaves its OCSP "
		    "responders' certificates out of scope: a full CRL without "
		    "issuingDistributionPoint covers them");
}

/* Text of URIs is put out escaped by findings_add(). */
static int
shown(struct der uri)
{
	enum { MAX = 100 };

	return uri.len < MAX ? (int)uri.len : MAX;
}

/* RFC 3986: scheme, "://", and something behind. */
static bool
is_absolute(struct der uri)
{
	const unsigned char *colon = memchr(uri.p, ':', uri.len);
	size_t left;

	if (colon == NULL || colon == uri.p)
		return false;
	left = uri.len - (size_t)(colon - uri.p);
	return left > strlen("://") && memcmp(colon, "://", 3) == 0;
}

static bool
is_ascii(struct der uri)
{
	for (size_t i = 0; i < uri.len; i++)
		if (uri.p[i] <= ' ' || uri.p[i] > '~')
			return false;
	return true;
}

static bool
check_uri(const struct lint_run *run, struct der uri)
{
	static const char http[] = "http://";

	if (uri.len == 0 || !is_ascii(uri) || !is_absolute(uri)) {
		lint_found(run, uri,
		    "'%.*s' in the issuingDistributionPoint is not an absolute "
		    "URI",
		    shown(uri), (const char *)uri.p);
		return false;
	}
	if (uri.len < strlen(http) ||
	    strncasecmp((const char *)uri.p, http, strlen(http)) != 0) {
		lint_found(run, uri,
		    "'%.*s' in the issuingDistributionPoint is not an http "
		    "URI, so that it can stand in no certificate's "
		    "cRLDistributionPoints",
		    shown(uri), (const char *)uri.p);
		return false;
	}
	return true;
}

void
lint_crl_idp_uri(struct lint_run *run)
{
	const struct lint_crl_idp *idp = &run->crl->idp;
	struct der names = idp->names, content, element;
	unsigned faults = 0;

	if (idp->row == NULL || idp->malformed)
		return;
	if (!idp->point || !idp->full_name || names.len == 0) {
		lint_found(run, idp->row->element,
		    "the issuingDistributionPoint %s; it must have a "
		    "distributionPoint with URIs as its fullName",
		    !idp->point           ? "has no distributionPoint"
			: !idp->full_name ? "has nameRelativeToCRLIssuer"
					  : "has no name");
		return;
	}
	while (names.len > 0 && faults < URIS_SHOWN) {
		if (!der_take_any(&names, &content, &element)) {
			lint_found(run, names,
			    "a name in the issuingDistributionPoint is "
			    "malformed");
			return;
		}
		if (element.p[0] != TAG_URI) {
			lint_found(run, element,
			    "a name in the issuingDistributionPoint is not a "
			    "URI");
			faults++;
		} else if (!check_uri(run, content)) {
			faults++;
		}
	}
}

static void
check_flag(const struct lint_run *run, enum lint_crl_flag flag,
    const char *name, bool forbidden)
{
	const struct lint_extension *row = run->crl->idp.row;

	if (flag == CRL_FLAG_FALSE)
		lint_found(run, row->element,
		    "%s is encoded as FALSE, which is its default and must be "
		    "absent",
		    name);
	if (flag == CRL_FLAG_TRUE && forbidden)
		lint_found(run, row->element, "%s must not be set", name);
}

void
lint_crl_idp_flags(struct lint_run *run)
{
	const struct lint_crl_idp *idp = &run->crl->idp;
	const bool strict = (run->rulesets & cabf) != 0;
	struct der value;

	if (idp->row == NULL)
		return;
	if (idp->malformed) {
		lint_found(run, idp->row->element,
		    "issuingDistributionPoint cannot be read");
		return;
	}
	value = idp->row->value;
	if (der_equal(value, (const unsigned char *)"\x30\x00", 2))
		lint_found(run, idp->row->element,
		    "issuingDistributionPoint is empty");
	check_flag(run, idp->user, "onlyContainsUserCerts", false);
	check_flag(run, idp->ca, "onlyContainsCACerts", false);
	check_flag(run, idp->indirect, "indirectCRL", strict);
	check_flag(run, idp->attribute, "onlyContainsAttributeCerts", strict);
	if ((idp->user == CRL_FLAG_TRUE) + (idp->ca == CRL_FLAG_TRUE) +
		(idp->attribute == CRL_FLAG_TRUE) >
	    1)
		lint_found(run, idp->row->element,
		    "more than one of onlyContainsUserCerts, "
		    "onlyContainsCACerts and onlyContainsAttributeCerts is "
		    "set");
	if (lint_is(run, FOR_CRL_CA) && idp->user == CRL_FLAG_TRUE)
		lint_found(run, idp->row->element,
		    "onlyContainsUserCerts is set on a CRL for CA "
		    "certificates");
	if (lint_is(run, FOR_CRL_EE) && idp->ca == CRL_FLAG_TRUE)
		lint_found(run, idp->row->element,
		    "onlyContainsCACerts is set on a CRL for subscriber "
		    "certificates");
}

void
lint_crl_idp_reasons(struct lint_run *run)
{
	if (run->crl->idp.reasons.len > 0)
		lint_found(run, run->crl->idp.reasons,
		    "onlySomeReasons must not limit the CRL to some reasons");
}

/* ---- others ------------------------------------------------------------- */

static void
oid_text(struct der oid, char ret_text[OID_TEXT])
{
	enum { HEADER = 2, SHORT_MAX = 0x7f };
	unsigned char element[HEADER + SHORT_MAX] = { DER_OID };
	const unsigned char *p = element;
	AUTO(ASN1_OBJECT) *object = NULL;

	(void)snprintf(ret_text, OID_TEXT, "of an OID that cannot be shown");
	if (oid.len > SHORT_MAX)
		return;
	element[1] = (unsigned char)oid.len;
	memcpy(element + HEADER, oid.p, oid.len);
	(void)ERR_set_mark();
	object = d2i_ASN1_OBJECT(NULL, &p, (long)(HEADER + oid.len));
	if (object != NULL)
		(void)OBJ_obj2txt(ret_text, OID_TEXT, object, 1);
	(void)ERR_pop_to_mark();
}

static bool
is_expected(int nid)
{
	return nid == NID_authority_key_identifier || nid == NID_crl_number ||
	    nid == NID_issuing_distribution_point || nid == NID_delta_crl ||
	    nid == NID_freshest_crl; /* CRL-NO-DELTA */
}

void
lint_crl_ext_other(struct lint_run *run)
{
	const struct lint_extensions *e = &run->crl->extensions;
	char text[OID_TEXT];

	for (size_t i = 0; i < e->count; i++) {
		if (is_expected(e->rows[i].nid))
			continue;
		oid_text(e->rows[i].oid, text);
		lint_found(run, e->rows[i].element,
		    "there is a%s extension %s; a CRL has only "
		    "authorityKeyIdentifier, cRLNumber and, where its scope is "
		    "limited, issuingDistributionPoint",
		    e->rows[i].critical ? " critical" : "n", text);
	}
}

void
lint_crl_ext_unique(struct lint_run *run)
{
	const struct lint_extensions *e = &run->crl->extensions;

	for (size_t i = 1; i < e->count; i++)
		for (size_t j = 0; j < i; j++)
			if (der_equal(e->rows[i].oid, e->rows[j].oid.p,
				e->rows[j].oid.len)) {
				lint_found(run, e->rows[i].element,
				    "an extension stands twice");
				break;
			}
	lint_crl_report(run, CRL_NOTE_EXT_UNIQUE);
}
