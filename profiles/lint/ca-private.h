/*
 * What the lints of CA and responder certificates share: extensions wanted and
 * unwanted, sets of purposes, policies, names.  For profiles/lint alone.
 */
#ifndef CA_LINT_CA_PRIVATE_H
#define CA_LINT_CA_PRIVATE_H

#include "base/date.h"
#include "profiles/lint/lint-private.h"

enum ca_critical {
	CA_EITHER,
	CA_CRITICAL,
	CA_NOT_CRITICAL,
};

/* Bits of keyUsage, RFC 5280, section 4.2.1.3. */
enum {
	CA_DIGITAL_SIGNATURE = 1 << 0,
	CA_CERT_SIGN = 1 << 5,
	CA_CRL_SIGN = 1 << 6,
};

enum { CA_OID_TEXT_SIZE = 128 };

/* ---- extensions -------------------------------------------------------- */

/*
 * The extension that must be there; NULL, told, where it is not.  That it is
 * critical where it must not be, or not where it must, is told as well.
 */
const struct lint_extension *ca_want(
    const struct lint_run *run, int nid, enum ca_critical critical);

/*
 * The same for one whose value is needed: `value` is what it was decoded to,
 * and NULL with an extension that is there tells that it cannot be read.
 */
bool ca_want_value(const struct lint_run *run, int nid,
    enum ca_critical critical, const void *value);

/* Tells where it is there. */
void ca_unwanted(const struct lint_run *run, int nid);

/* Tells of each extension that is none of `nids`, which a 0 ends. */
void ca_no_others(const struct lint_run *run, const int *nids);

/* The extension's element, or nothing: for where a fault is. */
struct der ca_where(const struct lint_run *run, int nid);

/* Its value by this template; NULL: absent or malformed.  The caller's. */
void *ca_decode(const struct lint_run *run, int nid, const ASN1_ITEM *item);

/* ---- what stands in them ----------------------------------------------- */

/* keyUsage there, critical, with these bits and of others only `may`. */
void ca_check_key_usage(
    const struct lint_run *run, unsigned must, unsigned may);

/*
 * authorityKeyIdentifier with a keyIdentifier, equal to `ski` where that is
 * known; nothing beside it if `alone`.  `whose` names the owner of `ski`.
 */
void ca_check_aki(const struct lint_run *run, const ASN1_OCTET_STRING *ski,
    const char *whose, bool alone);

/* An accessLocation with this method that is a URI of scheme http? */
bool ca_has_http_access(const struct lint_values *values, int method);

/* ---- purposes ---------------------------------------------------------- */

int ca_purpose_count(const struct lint_values *values);

/* Tells of each of `nids`, which a 0 ends, that extKeyUsage has. */
void ca_forbid_purposes(const struct lint_run *run, const int *nids);

/* Tells of each purpose of extKeyUsage that is none of `nids`. */
void ca_allow_purposes(const struct lint_run *run, const int *nids);

/* Tells where extKeyUsage, if it is there, lacks this one. */
void ca_want_purpose(const struct lint_run *run, int nid);

/* ---- policies ---------------------------------------------------------- */

/* Families of the CA/Browser Forum's reserved policies, and anyPolicy. */
enum ca_policy {
	CA_POLICY_OWN = 0,
	CA_POLICY_ANY = 1 << 0,
	CA_POLICY_TLS = 1 << 1,
	CA_POLICY_SMIME = 1 << 2,
	CA_POLICY_CS = 1 << 3,

	CA_POLICY_RESERVED = CA_POLICY_TLS | CA_POLICY_SMIME | CA_POLICY_CS,
};
enum ca_policy ca_policy_family(const ASN1_OBJECT *policy);

/* How many policies belong to one of these families. */
int ca_policy_count(const struct lint_values *values, unsigned families);

/* Tells of anyPolicy beside others, or for another organization. */
void ca_check_any_policy(const struct lint_run *run);

/* ---- names and keys ---------------------------------------------------- */

enum ca_names {
	CA_NAMES_DIFFER,
	CA_NAMES_MATCH, /* by RFC 5280, section 7.1, but not octet for octet */
	CA_NAMES_SAME,  /* octet for octet */
	CA_NAMES_UNREADABLE,
};
enum ca_names ca_compare_names(
    const struct lint_name *a, const struct lint_name *b);

/* The first attribute of this type, or NULL. */
const struct lint_attribute *ca_name_part(
    const struct lint_name *name, int nid);

/*
 * The value in UTF-8 with a NUL behind it; free with OPENSSL_free().  -1 where
 * it is not of the string type that it claims, or of none.
 */
int ca_name_value(const struct lint_attribute *attribute, char **ret_text,
    size_t *ret_len) MUST_USE;

/* Tells of each of `nids`, which a 0 ends, that the subject lacks. */
void ca_want_attributes(const struct lint_run *run, const int *nids);

/*
 * Do issuer and subject name the same organization?  Whether two that are named
 * otherwise are affiliated no certificate tells: they count as strangers.
 */
bool ca_same_organization(const struct lint_certificate *certificate);

bool ca_same_octets(struct der a, struct der b);

/*
 * A cross certificate whose subject is, octet for octet, that of the existing
 * certificate: no naming rule can ask for another (CROSS-SUBJECT-BYTES).
 */
bool ca_subject_is_copied(const struct lint_run *run);

/* Is this certificate issued under its own name, and by its own key? */
bool ca_is_self_signed(const struct lint_certificate *certificate);

/* Does the signature of `certificate` verify with `key`? */
bool ca_is_signed_by(
    const struct lint_certificate *certificate, const struct lint_key *key);

/* ---- times ------------------------------------------------------------- */

/* notBefore no earlier than a day before context->at, and not after it. */
void ca_check_not_before(const struct lint_run *run);

/* notAfter not before context->at. */
void ca_check_not_after(const struct lint_run *run);

/*
 * How long it lasts, in seconds, both ends counted (RFC 5280, section 4.1.2.5);
 * false where a date cannot be read or the end is before the beginning.
 */
bool ca_validity(const struct lint_certificate *certificate, int64_t *ret);

/* For messages: ca_time(seconds).text. */
struct ca_time_text {
	char text[DATE_TEXT_SIZE];
};
struct ca_time_text ca_time(int64_t seconds);

#endif
