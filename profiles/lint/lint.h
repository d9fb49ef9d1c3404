/*
 * The linter: certificates, CRLs, OCSP responses and requests against the
 * table of lints.  A lint's id is its rule's (profiles/rules/rule.h).
 *
 * Any input is fine: what cannot be read is a finding, never a crash, and no
 * input takes more than time linear in its length.  Whatever a check could not
 * decide (memory, a library's failure) is the error LINT-FAIL-CLOSED, so that
 * a linter that is unsure refuses.
 */
#ifndef CA_LINT_LINT_H
#define CA_LINT_LINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/findings.h"
#include "profiles/der/der.h"
#include "profiles/profile.h"
#include "profiles/rules/rule.h"

struct blocklist;
struct der_source;
struct lint_known;

enum lint_object_kind {
	LINT_UNKNOWN, /* none of the four */
	LINT_CERTIFICATE,
	LINT_CRL,
	LINT_OCSP, /* OCSPResponse, RFC 6960, section 4.2.1 */
	LINT_CSR,
};

/* What is known beside the object.  All zero: nothing. */
struct lint_context {
	/*
	 * Bits of the rulesets to hold it to; rfc5280 is always among them.  0:
	 * rfc5280, and the CA/Browser Forum's that its policies claim.
	 */
	unsigned rulesets;
	/* enum rule_subject of the object; 0: found out from the object. */
	unsigned subjects;
	/*
	 * The time of signing, to hold the dates against that which only a
	 * signer knows (notBefore no earlier than a day before it); 0: unknown.
	 */
	int64_t at;
	/* A constant stands for the signature: it is not verified. */
	bool constant;
	/*
	 * About to be signed, or just signed: TOOL rules are errors, and what a
	 * SHOULD rule finds is one too unless the profile acknowledges it.
	 * Otherwise both are warnings.
	 */
	bool signing;
	/* DER of the issuer's certificate; empty: not known. */
	struct der issuer;
	/*
	 * DER of an OCSP responder's certificate whose signature the caller has
	 * seen to: it is not verified again for each response that it stands
	 * beside.  Empty: none.
	 */
	struct der responder;
	/*
	 * `issuer` and `responder`, opened once for many objects: to open them
	 * takes longer than to lint a response.  NULL: they are opened here.
	 */
	const struct lint_known *known;
	/*
	 * DER of the certificate that a cross certificate stands beside; of a
	 * TLS certificate, its precertificate, and the reverse (PRE-MATCH).
	 */
	struct der existing;
	/* The CRL before this one, same issuer and scope; NULL: not known. */
	const struct der_source *previous;
	/* Its allow-lint rows acknowledge findings; may be NULL. */
	const struct profile *profile;
	/* Keys known to be compromised; may be NULL. */
	const struct blocklist *blocklist;
};

/*
 * Certificates that stand beside many objects, either may be empty.  CA_R_INPUT
 * where one cannot be read.  Threads may share it.
 */
int lint_known_open(struct der issuer, struct der responder,
    struct lint_known **ret_known) MUST_USE;
/* Are they these, octet by octet? */
bool lint_known_are(
    const struct lint_known *known, struct der issuer, struct der responder);
void lint_known_free(struct lint_known *known);

/* What kind of object begins like this?  Looks only at its first elements. */
enum lint_object_kind lint_sniff(struct der object);
const char *lint_object_kind_name(enum lint_object_kind kind);

/*
 * All findings of one object in DER.  `place` names it ("file 'x.pem'"); each
 * finding's place is it with the octet at which the trouble is.  -1 only where
 * nothing could be said at all (CA_R_MEMORY, CA_R_INTERNAL).
 */
int lint_object(const char *place, struct der object,
    const struct lint_context *context, struct findings *findings) MUST_USE;

/* The same for a CRL of any size, in flat memory (profiles/der/stream.h). */
int lint_crl(const char *place, const struct der_source *source,
    const struct lint_context *context, struct findings *findings) MUST_USE;

/* A lint as `lint --list` shows it; row `i`, or NULL behind the end. */
struct lint;
const struct lint *lint_at(size_t i);
const struct rule *lint_rule(const struct lint *lint);

/*
 * What decides beside the program itself, for reports and the journal:
 * the public suffix list's and libidn2's version, the number of lints and the
 * SHA-256 of the table.  One line of text, free().
 */
int lint_version(char **ret_text) MUST_USE;

#endif
