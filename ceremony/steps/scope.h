/*
 * The scope of a CRL: which of its issuer's certificates it is about.
 *
 * A CRL without an issuingDistributionPoint is about all of them.  One with it
 * is about those whose cRLDistributionPoints have its URL, and perhaps only the
 * CAs or only the others among them (RFC 5280, section 5.2.5).
 */
#ifndef CA_STEPS_SCOPE_H
#define CA_STEPS_SCOPE_H

#include <stdbool.h>

#include <openssl/x509v3.h>

#include "base/cleanup.h"
#include "ceremony/journal/journal.h"
#include "profiles/profile.h"

struct crl_scope {
	char *url; /* NULL: the CRL is full */
	bool only_ca, only_user;
};

/*
 * What the CRL says of itself.  CA_R_INPUT where its issuingDistributionPoint
 * is malformed, or has no URL or several.
 */
int crl_scope_read(const X509_CRL *crl, struct crl_scope *ret_scope) MUST_USE;
int crl_scope_of(const STACK_OF(X509_EXTENSION) *extensions,
    struct crl_scope *ret_scope) MUST_USE;
void crl_scope_clear(struct crl_scope *scope);
CLEANUP_DEFINE_STRUCT(crl_scope);

bool crl_scope_equal(const struct crl_scope *a, const struct crl_scope *b);

/* Can a certificate be in both? */
bool crl_scope_overlap(const struct crl_scope *a, const struct crl_scope *b);

/* "end entities with http://...", for people; malloc'd, safe to print. */
char *crl_scope_text(const struct crl_scope *scope);

enum scope_verdict {
	SCOPE_HOLDS,
	SCOPE_LACKS,   /* it is in another */
	SCOPE_NOWHERE, /* it names no CRL, so it is in a full one alone */
	SCOPE_UNKNOWN, /* the journal does not know the certificate */
};

/*
 * Is the certificate of this serial in scope, by what the journal knows of it?
 * One that is possibly signed has no bytes: where its intent does not say its
 * URL either, its entry is in every partition of its kind.
 */
int crl_scope_judge(struct journal *journal, const struct crl_scope *scope,
    const char *issuer_dn, const char *serial,
    enum scope_verdict *ret_verdict) MUST_USE;

/*
 * CRL-UNION: the URL of the CRL that a certificate is on is fixed when it is
 * issued.  `url` is that of the issuer's CRL, with the name put in
 * ("http://c.example/x.crl"); of `partitions` (0: there are none) the serial
 * number, which is random, decides: "http://c.example/x/7.crl", from 1 on.
 * malloc'd.
 */
char *crl_partition_url(const char *url, unsigned partitions,
    const unsigned char *serial, size_t len);

/* The same for number `number`. */
char *crl_partition_url_at(const char *url, unsigned number);

/* Is `partition` what these make of `url`, for any number? */
int crl_is_partition_of(
    const char *url, const char *partition, bool *ret_is) MUST_USE;

/*
 * Has a certificate of this issuer that was signed here, or taken in, the URL
 * of the scope?
 */
int crl_scope_is_used(struct journal *journal, const struct crl_scope *scope,
    const char *issuer_dn, bool *ret_used) MUST_USE;

/* ---- crl-covers.c: the step that makes a CRL and its audit judge alike ---- */

/* Is the profile for CAs, and can its CRL be about end entities too? */
bool crl_may_hold_users(
    const struct profile *profile, const struct crl_scope *scope);

/* Is it held to the rules of public trust? */
bool crl_is_public(const struct profile *profile);

/* Are end entities in scope that have not expired at `at`? */
int crl_has_users(struct journal *journal, const struct crl_scope *scope,
    const X509 *issuer, const char *issuer_dn, int64_t at,
    bool *ret_found) MUST_USE;

#endif
