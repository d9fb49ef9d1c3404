/* Certificates: what is asked for, the checks against the issuer, encoding. */
#ifndef CA_PROFILES_CERTIFICATE_H
#define CA_PROFILES_CERTIFICATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/findings.h"
#include "profiles/profile.h"
#include "profiles/tbs.h"

enum { SERIAL_LEN = 20 };

/*
 * A subject attribute as a plan gives it.  `attribute` is the name used in
 * profiles ("country", "organization", "common-name", ...); order and string
 * type come from the profile.
 */
struct name_value {
	const char *attribute;
	const char *value; /* UTF-8 */
};

/* An alternative name; SAN-NO-DUP: the same one is not given twice. */
struct alt_name {
	enum alt_type type;
	const char *value; /* as enum alt_type says */
};

struct csr;

struct certificate_request {
	const struct profile *profile;
	/* Of slots that are the plan's; a cross certificate has none. */
	const struct name_value *subject;
	size_t subject_count;
	const struct alt_name *alt_names; /* where the profile allows them */
	size_t alt_count;
	const unsigned char *spki; /* of the subject's key, copied as it is */
	size_t spki_len;
	/*
	 * The request that brought the key, or NULL: where the profile takes
	 * names from it, and to report what it asks for and does not get
	 * (CSR-IGNORE, CSR-NO-CA).
	 */
	const struct csr *csr;
	/*
	 * PROFILE_CROSS alone: the certificate that the new one stands beside.
	 * Subject and subject key identifier are copied from it, octet for
	 * octet; `spki` must be its key.
	 */
	const X509 *existing;
	const X509
	    *issuer; /* NULL for a root; may carry a constant signature */
	const char *signature; /* sigalg name, or NULL: the key's default */
	int64_t now;           /* signing time */
	int64_t validity;      /* seconds, or 0: the profile's default */
	const char *url[3];    /* by enum profile_url; NULL where not needed */
	const char *place;     /* for findings: "plan.yaml:12:5" */
};

/*
 * All that can be known without signing: profile against request (subject,
 * alternative names, key type, validity, URLs), subject key quality, and the
 * nesting in the issuer's certificate, whatever the profile says: it is a CA
 * with keyCertSign, valid now, not outlived, path length left, EKU, policies
 * and name constraints nested, names within its name constraints, not the
 * subject's own name, not the subject's own key.  A cross certificate: against
 * the existing certificate (rules.md, section 5).
 * Adds findings; -1 only for failures of the machine.
 */
int certificate_check(const struct certificate_request *request,
    struct findings *findings) MUST_USE;

/*
 * Encode.  `random` becomes the serial number, see serial_from_random().
 * notBefore is request->now, notAfter = notBefore + validity - 1.
 * The caller has had certificate_check() pass; a request that does not is
 * refused again (CA_R_POLICY).
 */
int certificate_build(const struct certificate_request *request,
    const unsigned char random[SERIAL_LEN], struct tbs *ret_tbs) MUST_USE;

/*
 * The serial number that `random` becomes (FLD-SERIAL-*): 159 random bits,
 * the top bit of 20 octets cleared, as the content octets of a minimal DER
 * INTEGER: leading zero octets go unless the next has its top bit set.
 * *ret_len is 20 but for one draw in 256.  CA_R_INTERNAL for a draw below
 * 2^64, which no working generator makes.
 */
int serial_from_random(const unsigned char random[SERIAL_LEN],
    unsigned char ret_serial[SERIAL_LEN], size_t *ret_len) MUST_USE;

/*
 * Read one certificate, DER or PEM (exactly one, nothing behind it), strictly:
 * it must encode back to the same octets.  CA_R_INPUT with a text that says
 * what is wrong; `name` names the file.
 */
int certificate_read(const char *name, const unsigned char *data, size_t len,
    X509 **ret_cert) MUST_USE;

/*
 * Is `child` issued by `issuer`: names chain byte for byte, AKI matches SKI,
 * issuer is a CA, the signature verifies?  For adopted certificates; findings.
 */
int certificate_check_issued(const X509 *child, const X509 *issuer,
    const char *place, struct findings *findings) MUST_USE;

/*
 * Is the path from `cert` over chain[0] (its issuer) to chain[count - 1], a
 * self-signed root, valid at `now`: every date, path length, name constraint
 * and signature (RFC 5280, section 6.1)?  By OpenSSL's own verifier, with
 * SHA-1 and keys below 112 bits of strength refused; findings.
 */
int certificate_check_path(X509 *cert, X509 *const *chain, size_t count,
    int64_t now, const char *place, struct findings *findings) MUST_USE;

/* Facts of a certificate for journal and summaries. */
struct certificate_facts {
	unsigned char serial[SERIAL_LEN];
	size_t serial_len;
	unsigned char *subject_der, *issuer_der; /* Name, DER */
	size_t subject_len, issuer_len;
	char *subject, *issuer; /* RFC 2253-like, escaped */
	int64_t not_before, not_after;
	unsigned char *spki;
	size_t spki_len;
	bool is_ca, self_issued;
	bool signs_certificates, signs_crls, signs_ocsp;
	int path_length; /* -1: none */
};
int certificate_facts(
    const X509 *cert, struct certificate_facts *ret_facts) MUST_USE;
void certificate_facts_clear(struct certificate_facts *facts);
CLEANUP_DEFINE_STRUCT(certificate_facts);

#endif
