/*
 * What lints of extensions share: walks over their octets as they stand, so
 * that a finding names the place, and a malformed tail hides nothing before it.
 * For profiles/lint alone.
 */
#ifndef CA_LINT_EXTENSIONS_H
#define CA_LINT_EXTENSIONS_H

#include "profiles/lint/lint-private.h"

enum {
	LINT_OID_TEXT = 80,
	LINT_SHOWN_MAX = 100, /* octets of a value that a finding shows */
};

/* Identifier octets of GeneralName, RFC 5280, section 4.2.1.6. */
enum lint_general_name {
	GENERAL_OTHER = 0xa0,
	GENERAL_RFC822 = 0x81,
	GENERAL_DNS = 0x82,
	GENERAL_X400 = 0xa3,
	GENERAL_DIRECTORY = 0xa4,
	GENERAL_EDI_PARTY = 0xa5,
	GENERAL_URI = 0x86,
	GENERAL_IP = 0x87,
	GENERAL_REGISTERED_ID = 0x88,
};

/* "iPAddress"; "GeneralName of an unknown kind". */
const char *lint_general_name_text(unsigned tag);

/* For "%.*s": the beginning of octets. */
#define LINT_SHOWN(octets)                                                    \
	(int)((octets).len < LINT_SHOWN_MAX ? (octets).len : LINT_SHOWN_MAX), \
	    (octets).p == NULL ? "" : (const char *)(octets).p

/* Dotted decimal of an OBJECT IDENTIFIER's contents; "?" where too long. */
const char *lint_oid_text(struct der oid, char text[static LINT_OID_TEXT]);
bool lint_oid_is(struct der oid, const char *dotted);

/* The extension is there, with the other criticality: found. */
void lint_criticality(
    const struct lint_run *run, int nid, const char *name, bool critical);

/*
 * Contents of the one SEQUENCE that is the extension's value.  False where the
 * extension is absent, or its value is something else.
 */
bool lint_extension_sequence(const struct lint_extensions *extensions, int nid,
    const struct lint_extension **ret_extension, struct der *ret_contents);

/*
 * Is this location a URI, http, with a public host?  If not, found; `what` as
 * in "the location of caIssuers".
 */
void lint_http_location(const struct lint_run *run, struct der where,
    unsigned tag, struct der value, const char *what);

/* Checks for the table of urls.c. */
lint_check ext_other_public, ext_no_freshest_crl, ext_no_subject_info;

#endif
