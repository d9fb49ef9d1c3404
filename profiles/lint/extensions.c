#include "profiles/lint/extensions.h"

#include <stdio.h>
#include <string.h>

#include <openssl/objects.h>

#include "profiles/lint/dns.h"
#include "profiles/lint/uri.h"

const char *
lint_general_name_text(unsigned tag)
{
	switch (tag) {
	case GENERAL_OTHER:
		return "otherName";
	case GENERAL_RFC822:
		return "rfc822Name";
	case GENERAL_DNS:
		return "dNSName";
	case GENERAL_X400:
		return "x400Address";
	case GENERAL_DIRECTORY:
		return "directoryName";
	case GENERAL_EDI_PARTY:
		return "ediPartyName";
	case GENERAL_URI:
		return "uniformResourceIdentifier";
	case GENERAL_IP:
		return "iPAddress";
	case GENERAL_REGISTERED_ID:
		return "registeredID";
	default:
		return "GeneralName of an unknown kind";
	}
}

/* ---- OBJECT IDENTIFIERs ------------------------------------------------- */

/* One subidentifier off the front; false: none, cut off, or beyond 64 bits. */
static bool
take_arc(struct der *oid, uint64_t *ret_arc)
{
	enum { BITS = 7, MORE = 0x80 };
	uint64_t arc = 0;

	for (size_t i = 0; i < oid->len; i++) {
		if (arc > UINT64_MAX >> BITS)
			return false;
		arc = arc << BITS | (oid->p[i] & (MORE - 1u));
		if ((oid->p[i] & MORE) == 0) {
			oid->p += i + 1;
			oid->len -= i + 1;
			*ret_arc = arc;
			return true;
		}
	}
	return false;
}

/* X.690, 8.19.4: the first two arcs are in one subidentifier. */
static int
first_arcs(uint64_t both, char *text, size_t size)
{
	enum { SECOND_ARCS = 40, LAST_ROOT = 2 };
	uint64_t root = both / SECOND_ARCS;

	if (root > LAST_ROOT)
		root = LAST_ROOT;
	return snprintf(text, size, "%llu.%llu", (unsigned long long)root,
	    (unsigned long long)(both - SECOND_ARCS * root));
}

static bool
write_oid(struct der oid, char text[static LINT_OID_TEXT])
{
	uint64_t arc = 0;
	int len;

	if (!take_arc(&oid, &arc))
		return false;
	len = first_arcs(arc, text, LINT_OID_TEXT);
	while (oid.len > 0) {
		if (!take_arc(&oid, &arc))
			return false;
		len += snprintf(text + len, LINT_OID_TEXT - (size_t)len,
		    ".%llu", (unsigned long long)arc);
		if (len >= LINT_OID_TEXT)
			return false;
	}
	return true;
}

const char *
lint_oid_text(struct der oid, char text[static LINT_OID_TEXT])
{
	if (!write_oid(oid, text))
		(void)snprintf(text, LINT_OID_TEXT, "?");
	return text;
}

bool
lint_oid_is(struct der oid, const char *dotted)
{
	char text[LINT_OID_TEXT];

	return strcmp(lint_oid_text(oid, text), dotted) == 0;
}

/* ---- shared checks ------------------------------------------------------ */

void
lint_criticality(
    const struct lint_run *run, int nid, const char *name, bool critical)
{
	const struct lint_extension *row = lint_extension(run->extensions, nid);

	if (row != NULL && row->critical != critical)
		lint_found(run, row->element,
		    critical ? "%s is not critical: mark it critical"
			     : "%s is critical: mark it non-critical",
		    name);
}

bool
lint_extension_sequence(const struct lint_extensions *extensions, int nid,
    const struct lint_extension **ret_extension, struct der *ret_contents)
{
	const struct lint_extension *row = lint_extension(extensions, nid);
	struct der in, contents;

	if (row == NULL)
		return false;
	in = row->value;
	if (!der_take(&in, DER_SEQUENCE, &contents, NULL) || in.len != 0)
		return false;
	if (ret_extension != NULL)
		*ret_extension = row;
	*ret_contents = contents;
	return true;
}

void
lint_http_location(const struct lint_run *run, struct der where, unsigned tag,
    struct der value, const char *what)
{
	struct uri uri;
	const char *fault;
	enum dns_fault host;

	if (tag != GENERAL_URI) {
		lint_found(run, where,
		    "%s is a %s instead of a URI with scheme "
		    "http",
		    what, lint_general_name_text(tag));
		return;
	}
	if (!uri_parse_http(value, false, &uri, &fault)) {
		lint_found(run, where, "%s, '%.*s', %s", what,
		    LINT_SHOWN(value), fault);
		return;
	}
	host = dns_check(uri.host, DNS_PUBLIC_HOST);
	if (host == DNS_UNDECIDED)
		lint_unsure(run, "the public suffix list could not be asked");
	else if (host != DNS_FINE)
		lint_found(run, where,
		    "%s, '%.*s', is not on a public host: '%.*s' %s", what,
		    LINT_SHOWN(value), LINT_SHOWN(uri.host),
		    dns_fault_text(host));
}

/* ---- extensions that no profile has ------------------------------------- */

void
ext_no_freshest_crl(struct lint_run *run)
{
	const struct lint_extension *row =
	    lint_extension(run->extensions, NID_freshest_crl);

	if (row != NULL)
		lint_found(run, row->element,
		    "freshestCRL is there, but no delta CRLs are issued: leave "
		    "it out");
}

void
ext_no_subject_info(struct lint_run *run)
{
	const struct lint_extension *access =
	    lint_extension(run->extensions, NID_sinfo_access);
	const struct lint_extension *attributes =
	    lint_extension(run->extensions, NID_subject_directory_attributes);

	if (access != NULL)
		lint_found(run, access->element,
		    "subjectInfoAccess is there: leave it out");
	if (attributes != NULL)
		lint_found(run, attributes->element,
		    "subjectDirectoryAttributes is there: leave it out");
}

/*
 * Extensions with a known reason, and where they have it.  The matrix of
 * rules.md, section 0.4, and what other rules speak of; where one of them is
 * forbidden or malformed, those rules say so.
 */
static const struct {
	const char *oid;
	unsigned subjects;
} known[] = {
	{ "2.5.29.19", FOR_CERTIFICATE },         /* basicConstraints */
	{ "2.5.29.15", FOR_CERTIFICATE },         /* keyUsage */
	{ "2.5.29.14", FOR_CERTIFICATE },         /* SKI */
	{ "2.5.29.35", FOR_CERTIFICATE },         /* AKI */
	{ "2.5.29.37", FOR_CERTIFICATE },         /* extKeyUsage */
	{ "2.5.29.32", FOR_CERTIFICATE },         /* policies */
	{ "2.5.29.30", FOR_CERTIFICATE },         /* nameConstraints */
	{ "2.5.29.31", FOR_CERTIFICATE },         /* CRLDP */
	{ "1.3.6.1.5.5.7.1.1", FOR_CERTIFICATE }, /* AIA */
	{ "2.5.29.17", FOR_CERTIFICATE },         /* SAN */
	{ "1.3.6.1.5.5.7.48.1.5",
	    FOR_CA | FOR_OCSPCERT }, /* ocsp-nocheck: SUB-NO-NOCHECK */
	{ "1.3.6.1.4.1.11129.2.4.2", FOR_CERTIFICATE }, /* SCT list */
	{ "1.3.6.1.4.1.11129.2.4.3", FOR_PRECERT },     /* poison */
	{ "2.5.29.18", FOR_CERTIFICATE },               /* NAM-IAN-ABSENT */
	{ "2.5.29.46", FOR_CERTIFICATE },               /* FRESHEST-ABSENT */
	{ "1.3.6.1.5.5.7.1.11", FOR_CERTIFICATE },      /* SIA-ABSENT */
	{ "2.5.29.9", FOR_CERTIFICATE },  /* SIA-ABSENT, SM-OTHEREXT */
	{ "2.5.29.33", FOR_CA },          /* policyMappings: SUB-NO-OTHER */
	{ "2.5.29.36", FOR_CA },          /* policyConstraints */
	{ "2.5.29.54", FOR_CA },          /* inhibitAnyPolicy */
	{ "2.5.29.56", FOR_CERTIFICATE }, /* noRevAvail: SUB-NO-NOREVAVAIL */
	{ "1.3.6.1.5.5.7.1.24",
	    FOR_LEAF | FOR_SUB }, /* TLS feature, RFC 7633 */
	{ "2.23.140.3.1",
	    FOR_LEAF }, /* cabfOrganizationIdentifier, EVG 9.8.2 */
	{ "1.3.6.1.4.1.44363.44", FOR_LEAF }, /* DelegationUsage, RFC 9345 */
	{ "1.3.6.1.5.5.7.1.3", FOR_LEAF | FOR_SMIME }, /* qcStatements */
	{ "0.4.0.194121.2.1", FOR_LEAF | FOR_SMIME },  /* EN 319 412-1, 5.2 */
	{ "1.2.840.113549.1.9.15",
	    FOR_SMIME }, /* SMIMECapabilities, RFC 4262 */
	{ "1.2.840.113583.1.1.9.1", FOR_SMIME }, /* Adobe: SM-OTHEREXT */
	{ "1.2.840.113583.1.1.9.2", FOR_SMIME },
	{ "1.3.6.1.4.1.52266.1", FOR_SMIME }, /* LEI: SM-OTHEREXT */
	{ "1.3.6.1.4.1.52266.2", FOR_SMIME },
};

/* Those of one product or of the past, to name them; a dot at the end: an arc. */
static const struct {
	const char *oid, *name;
} private[] = {
	{ "2.16.840.1.113730.1.", "of Netscape, long dead" },
	{ "1.2.840.113533.7.65.0", "entrustVersInfo, of one product" },
	{ "1.3.6.1.4.1.311.", "of Microsoft's own certificate services" },
	{ "2.5.29.16", "privateKeyUsagePeriod, gone since RFC 5280" },
	{ "2.5.29.1", "an obsolete form of authorityKeyIdentifier" },
	{ "2.5.29.10", "an obsolete form of basicConstraints" },
	{ "2.23.140.1.31",
	    "TorServiceDescriptor, of version 2 of onion names" },
	{ "1.3.6.1.5.5.7.1.31", "acmeIdentifier, for validation only" },
	{ "1.2.840.113635.", "of Apple's own" },
	{ "1.3.6.1.4.1.11129.2.4.3", "the poison of a precertificate" },
	{ "1.3.6.1.5.5.7.48.1.5", "ocsp-nocheck, for OCSP responders only" },
};

static bool
is_known(const struct lint_run *run, const char *oid)
{
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strcmp(known[i].oid, oid) == 0)
			return lint_is(run, known[i].subjects);
	return false;
}

static const char *
private_name(const char *oid)
{
	for (size_t i = 0; i < sizeof private / sizeof *private; i++) {
		size_t len = strlen(private[i].oid);

		if (strncmp(private[i].oid, oid, len) == 0 &&
		    (oid[len] == '\0' || private[i].oid[len - 1] == '.'))
			return private[i].name;
	}
	return "for which no reason is known";
}

/*
 * BR 7.1.2.11.5, SBR 7.1.2.4.  Whether an own arc is one's own, nobody can tell
 * from the certificate: so what is not known is refused.
 */
void
ext_other_public(struct lint_run *run)
{
	for (size_t i = 0; i < run->extensions->count; i++) {
		const struct lint_extension *row = &run->extensions->rows[i];
		char oid[LINT_OID_TEXT];
		size_t offset = 0;

		if (!is_known(run, lint_oid_text(row->oid, oid)))
			lint_found(run, row->element,
			    "extension %s, %s, is there: leave it out", oid,
			    private_name(oid));
		if (!der_is_strict(row->value.p, row->value.len, &offset))
			lint_found(run, row->value,
			    "the value of extension %s is not one element in "
			    "DER",
			    oid);
	}
}
