/* Single responses: rules.md 9.2. */
#include <inttypes.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/sha.h>

#include "base/date.h"
#include "profiles/lint/crl-private.h"
#include "profiles/lint/ocsp-private.h"

enum {
	MIN_EE = 8 * 3600,
	MAX_EE = 10 * DAY_SECONDS - 1,
	MAX_CA = 365 * DAY_SECONDS - 1,
	FOUND_MAX = 10, /* of one rule; more say nothing new */
};

static const struct der nowhere = { NULL, 0 };

/* ---- what the statuses are about ---------------------------------------- */

static bool
is_self_issued(const struct lint_certificate *c)
{
	return der_equal(
	    c->issuer.element, c->subject.element.p, c->subject.element.len);
}

static bool
may_issue_cas(const struct lint_certificate *c)
{
	const BASIC_CONSTRAINTS *bc = c->values.basic_constraints;

	return bc == NULL || bc->pathlen == NULL ||
	    ASN1_INTEGER_get(bc->pathlen) != 0;
}

enum {
	ABOUT_CA = FOR_CA | FOR_OCSPCERT | FOR_CRL_CA,
	ABOUT_EE = FOR_LEAF | FOR_PRECERT | FOR_SMIME | FOR_CS | FOR_CRL_EE
};

/* As told; else a root signs for nobody but CAs (BR 6.1.7). */
bool
lint_ocsp_about_ca(const struct lint_run *run)
{
	const unsigned told = run->context->subjects & (ABOUT_CA | ABOUT_EE);

	if (told != 0)
		return (told & ABOUT_CA) != 0;
	return run->issuer != NULL && is_self_issued(run->issuer);
}

/* As told; else a CA below which there is no CA signs for subscribers. */
bool
lint_ocsp_about_ee(const struct lint_run *run)
{
	const unsigned told = run->context->subjects & (ABOUT_CA | ABOUT_EE);

	if (told != 0)
		return (told & ABOUT_EE) != 0;
	return run->issuer != NULL && !is_self_issued(run->issuer) &&
	    !may_issue_cas(run->issuer);
}

/* ---- CertID ------------------------------------------------------------- */

static bool
has_digest(struct der octets, struct der wanted)
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	size_t len = 0;

	return EVP_Q_digest(NULL, "SHA256", NULL, octets.p, octets.len, digest,
		   &len) == 1 &&
	    der_equal(wanted, digest, len);
}

static bool
check_sha256(const struct lint_run *run, const struct lint_ocsp_single *single)
{
	const struct lint_certificate *ca = run->issuer;

	if (single->name_hash.len != SHA256_DIGEST_LENGTH ||
	    single->key_hash.len != SHA256_DIGEST_LENGTH) {
		lint_found(run, single->cert_id,
		    "a hash in the CertID has not the 32 octets of SHA-256");
		return false;
	}
	if (ca == NULL)
		return true;
	if (!has_digest(ca->subject.element, single->name_hash)) {
		lint_found(run, single->name_hash,
		    "issuerNameHash is not SHA-256 over the issuer's name");
		return false;
	}
	if (!has_digest(ca->key.bits, single->key_hash)) {
		lint_found(run, single->key_hash,
		    "issuerKeyHash is not SHA-256 over the issuer's public key "
		    "bits");
		return false;
	}
	return true;
}

static bool
check_serial(const struct lint_run *run, const struct lint_ocsp_single *single)
{
	enum { SERIAL_MAX = 20 };
	const struct der v = single->serial;

	if (v.len > 0 && v.len <= SERIAL_MAX && v.p[0] < 0x80 &&
	    !(v.len == 1 && v.p[0] == 0) &&
	    !(v.len > 1 && v.p[0] == 0 && v.p[1] < 0x80))
		return true;
	lint_found(run, single->cert_id,
	    "the CertID's serialNumber is no certificate's: it must be "
	    "positive, minimal and of at most %d octets",
	    SERIAL_MAX);
	return false;
}

void
lint_ocsp_certid(struct lint_run *run)
{
	const struct lint_ocsp_state *s = run->ocsp;
	unsigned found = 0;
	bool has_sha256 = false;

	for (size_t i = 0; i < s->count && found < FOUND_MAX; i++) {
		if (!check_serial(run, &s->singles[i]))
			found++;
		if (s->singles[i].hash_nid != NID_sha256)
			continue;
		has_sha256 = true;
		if (!check_sha256(run, &s->singles[i]))
			found++;
	}
	if (s->count > 0 && !has_sha256 && found == 0)
		lint_found(
		    run, s->singles[0].hash_alg, "no CertID uses SHA-256");
}

void
lint_ocsp_certid_params(struct lint_run *run)
{
	const struct lint_ocsp_state *s = run->ocsp;
	struct der in, body, null;
	unsigned found = 0;

	for (size_t i = 0; i < s->count && found < FOUND_MAX; i++) {
		in = s->singles[i].hash_alg;
		if (der_take(&in, DER_SEQUENCE, &body, NULL) &&
		    der_take(&body, DER_OID, NULL, NULL) &&
		    der_take(&body, DER_NULL, &null, NULL) && null.len == 0 &&
		    body.len == 0)
			continue;
		found++;
		lint_found(run, s->singles[i].hash_alg,
		    "the CertID's hashAlgorithm has not the parameters NULL "
		    "that clients send");
	}
}

static bool
same_serial(const struct lint_ocsp_single *a, const struct lint_ocsp_single *b)
{
	return der_equal(a->serial, b->serial.p, b->serial.len);
}

/* Two answers about one certificate: an error whatever the rule's level. */
static void
check_agreement(const struct lint_run *run)
{
	const struct lint_ocsp_state *s = run->ocsp;

	for (size_t i = 1; i < s->count; i++)
		if (same_serial(&s->singles[0], &s->singles[i]) &&
		    !der_equal(s->singles[0].status_element,
			s->singles[i].status_element.p,
			s->singles[i].status_element.len)) {
			lint_binding(run, s->singles[i].status_element,
			    "two single responses about one serial number "
			    "tell a different status");
			return;
		}
}

void
lint_ocsp_one(struct lint_run *run)
{
	const struct lint_ocsp_state *s = run->ocsp;

	if (!s->is_basic)
		return;
	if (s->count == 0) {
		lint_found(run, nowhere, "there is no single response");
		return;
	}
	if (s->count > 2)
		lint_found(run, s->singles[2].element,
		    "there are %zu single responses; one or two, for one "
		    "certificate, are enough",
		    s->count);
	if (s->count == 1)
		return;
	check_agreement(run);
	if (!same_serial(&s->singles[0], &s->singles[1]))
		lint_found(run, s->singles[1].element,
		    "the response is about more than one certificate");
	else if (der_equal(s->singles[0].cert_id, s->singles[1].cert_id.p,
		     s->singles[1].cert_id.len))
		lint_found(run, s->singles[1].element,
		    "two single responses have the same CertID");
}

/* ---- times -------------------------------------------------------------- */

static bool
interval(const struct lint_ocsp_single *single, int64_t *ret_seconds)
{
	if (!single->has_next_update || !single->next_update.valid ||
	    !single->this_update.valid)
		return false;
	*ret_seconds =
	    single->next_update.seconds - single->this_update.seconds;
	return true;
}

/* RFC 6960 lets nextUpdate be absent; RFC 9919, and Mozilla, do not. */
void
lint_ocsp_next_update(struct lint_run *run)
{
	const struct lint_ocsp_state *s = run->ocsp;
	unsigned found = 0;
	int64_t seconds;

	for (size_t i = 0; i < s->count && found < FOUND_MAX; i++) {
		if (!s->singles[i].has_next_update &&
		    lint_held_to(run, RULESET_PRIVATE)) {
			lint_found(run, s->singles[i].element,
			    "there is no nextUpdate");
			found++;
		} else if (interval(&s->singles[i], &seconds) && seconds <= 0) {
			lint_found(run, s->singles[i].next_update.element,
			    "nextUpdate is not later than thisUpdate");
			found++;
		}
	}
}

static void
check_interval(
    const struct lint_run *run, int64_t min, int64_t max, const char *what)
{
	const struct lint_ocsp_state *s = run->ocsp;
	unsigned found = 0;
	int64_t seconds;

	for (size_t i = 0; i < s->count && found < FOUND_MAX; i++) {
		if (!interval(&s->singles[i], &seconds) || seconds <= 0 ||
		    (seconds >= min && seconds <= max))
			continue;
		found++;
		lint_found(run, s->singles[i].next_update.element,
		    "nextUpdate is %" PRId64
		    " seconds later than thisUpdate; %s want %" PRId64
		    " to %" PRId64,
		    seconds, what, min, max);
	}
}

void
lint_ocsp_interval_ee(struct lint_run *run)
{
	if (lint_ocsp_about_ee(run))
		check_interval(run, MIN_EE, MAX_EE, "subscriber certificates");
}

/* The longest that any status may be good for. */
void
lint_ocsp_interval_ca(struct lint_run *run)
{
	if (!lint_ocsp_about_ee(run))
		check_interval(run, 1, MAX_CA, "CA certificates");
}

/* ---- status ------------------------------------------------------------- */

void
lint_ocsp_reason_ca(struct lint_run *run)
{
	const struct lint_ocsp_state *s = run->ocsp;

	if (!lint_ocsp_about_ca(run))
		return;
	for (size_t i = 0; i < s->count; i++)
		if (s->singles[i].status == OCSP_REVOKED &&
		    s->singles[i].reason.len == 0) {
			lint_found(run, s->singles[i].status_element,
			    "a CA certificate is revoked without "
			    "revocationReason");
			return;
		}
}

/* RFC 6960 allows every value of CRLReason; the BR, section 7.2.2, five. */
static bool
held_to_br(const struct lint_run *run)
{
	return lint_held_to(run, RULESET_CABF_TLS) ||
	    lint_held_to(run, RULESET_CABF_SMIME) ||
	    lint_held_to(run, RULESET_CABF_CS);
}

static bool
check_reason(const struct lint_run *run, const struct lint_ocsp_single *single)
{
	const struct der v = single->reason;
	const char *name;

	if (v.len == 0)
		return true;
	if (v.len != 1 || v.p[0] > 0x7f ||
	    (name = lint_crl_reason_name(v.p[0])) == NULL) {
		lint_found(run, v, "revocationReason is no value of CRLReason");
		return false;
	}
	if (lint_crl_reason_allowed(v.p[0]) || !held_to_br(run))
		return true;
	lint_found(run, v, "revocationReason is %s (%d)%s", name, v.p[0],
	    v.p[0] == 0 ? ", which must be left out" : "");
	return false;
}

static bool
check_epoch(const struct lint_run *run, const struct lint_ocsp_single *single)
{
	if (!single->revoked_at.valid || single->revoked_at.seconds != 0 ||
	    !held_to_br(run))
		return true;
	lint_found(run, single->revoked_at.element,
	    "revocationTime is 1970-01-01, which stands for a certificate that "
	    "was never issued; this mode is not used");
	return false;
}

void
lint_ocsp_reason_set(struct lint_run *run)
{
	static const char extended_revoked[] = "1.3.6.1.5.5.7.48.1.9";
	const struct lint_ocsp_state *s = run->ocsp;
	const struct lint_extension *row =
	    lint_extension_by_oid(&s->extensions, extended_revoked);
	unsigned found = 0;

	if (row != NULL && held_to_br(run))
		lint_found(run, row->element,
		    "the response has the extended-revoked extension: "
		    "certificates never issued are not answered for so");
	for (size_t i = 0; i < s->count && found < FOUND_MAX; i++) {
		if (s->singles[i].status != OCSP_REVOKED)
			continue;
		if (!check_reason(run, &s->singles[i]))
			found++;
		if (!check_epoch(run, &s->singles[i]))
			found++;
	}
}

/* reasonCode is forbidden; whatever else there is, a warning. */
static bool
check_single_ext(
    const struct lint_run *run, const struct lint_ocsp_single *single)
{
	static const unsigned char reason[] = { 0x55, 0x1d, 0x15 };
	struct der in = single->extensions, outer, list, body, oid;

	if (in.len == 0)
		return true;
	if (!der_take(&in, 0xa1, &outer, NULL) ||
	    !der_take(&outer, DER_SEQUENCE, &list, NULL) || outer.len != 0) {
		lint_found(
		    run, single->extensions, "singleExtensions cannot be read");
		return false;
	}
	while (der_take(&list, DER_SEQUENCE, &body, NULL) &&
	    der_take(&body, DER_OID, &oid, NULL))
		if (der_equal(oid, reason, sizeof reason)) {
			lint_found(run, single->extensions,
			    "singleExtensions contain reasonCode, and must "
			    "not: revocationReason says it");
			return false;
		}
	findings_add(run->findings, FINDING_WARNING, run->rule->id, run->place,
	    run->rule->source,
	    "there are singleExtensions at octet %zu; by default there are "
	    "none",
	    (size_t)(single->extensions.p - run->base));
	return false;
}

void
lint_ocsp_single_ext(struct lint_run *run)
{
	const struct lint_ocsp_state *s = run->ocsp;
	unsigned found = 0;

	for (size_t i = 0; i < s->count && found < FOUND_MAX; i++)
		if (!check_single_ext(run, &s->singles[i]))
			found++;
}

void
lint_ocsp_unknown(struct lint_run *run)
{
	const struct lint_ocsp_state *s = run->ocsp;

	for (size_t i = 0; i < s->count; i++)
		if (s->singles[i].status == OCSP_UNKNOWN) {
			lint_found(run, s->singles[i].status_element,
			    "the status is a signed \"unknown\": unsigned "
			    "unauthorized (6) is the answer to that");
			return;
		}
}

/* ---- about whom --------------------------------------------------------- */

void
lint_ocsp_root_status(struct lint_run *run)
{
	const struct lint_ocsp_state *s = run->ocsp;
	const struct der own = run->issuer->serial;

	if (!is_self_issued(run->issuer))
		return;
	for (size_t i = 0; i < s->count; i++)
		if (der_equal(s->singles[i].serial, own.p, own.len)) {
			lint_found(run, s->singles[i].cert_id,
			    "the response is about the root itself");
			return;
		}
}

void
lint_ocsp_no_ee(struct lint_run *run)
{
	if (is_self_issued(run->issuer) && lint_ocsp_about_ee(run))
		lint_found(run, nowhere,
		    "a root's response is about a subscriber certificate; it "
		    "answers for CAs and responders only");
}
