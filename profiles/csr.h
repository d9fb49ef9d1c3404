/* Certification requests (PKCS#10, RFC 2986): reading and making them. */
#ifndef CA_PROFILES_CSR_H
#define CA_PROFILES_CSR_H

#include <stddef.h>

#include "base/algorithm.h"
#include "base/cleanup.h"
#include "base/findings.h"
#include "profiles/certificate.h"
#include "profiles/tbs.h"

enum { CSR_MAX_BYTES = 1 << 20 };

/* What a request's extensions ask for that no end entity gets (CSR-NO-CA). */
enum csr_asks {
	CSR_ASKS_CA = 1,           /* basicConstraints with cA */
	CSR_ASKS_CERT_SIGN = 2,    /* keyUsage with keyCertSign or cRLSign */
	CSR_ASKS_OCSP_SIGNING = 4, /* extKeyUsage with OCSPSigning or any */
	CSR_ASKS_MORE = 8,         /* an extension that is none of these and
	                              not subjectAltName */
};

/*
 * What is taken from a request: its public key, and what it asks for.  Names
 * go into a certificate only where the profile says so, slot by slot.
 */
struct csr {
	unsigned char *spki;
	size_t spki_len;
	char *subject; /* escaped, for people */
	/* Its attributes, named as in profiles; OIDs where they have no name. */
	struct name_value *names;
	size_t name_count;
	/* Its subjectAltName: of the four types; others are counted only. */
	struct alt_name *alt_names;
	size_t alt_count, alt_others;
	char *alternative; /* escaped, for people: "dns:a.example"; "": none */
	unsigned asks;     /* enum csr_asks */
	char **owned;      /* what names and alt_names point to */
	size_t owned_count;
	unsigned char sha256[32]; /* of the DER */
};
void csr_clear(struct csr *csr);
CLEANUP_DEFINE_STRUCT(csr);

/*
 * Read a request, DER or PEM (exactly one, nothing behind it), strictly:
 * CSR-DER (its names and extensions too), CSR-POP (the self-signature verifies
 * with a SHA-2 algorithm), CSR-KEY (spki_check).  Findings and CA_R_INPUT where
 * refused; `place` names the file.
 */
int csr_read(const char *place, const unsigned char *data, size_t len,
    struct findings *findings, struct csr *ret_csr) MUST_USE;

/* A request for a key on the token; the subject's strings are UTF8String. */
int csr_build(const struct name_value *subject, size_t subject_count,
    const unsigned char *spki, size_t spki_len, struct tbs *ret_tbs) MUST_USE;

/* Check that the subject can be encoded: known attributes, lengths.  */
int csr_check(const struct name_value *subject, size_t subject_count,
    const char *place, struct findings *findings) MUST_USE;

/*
 * Key quality (rules.md 1.2): algorithm exactly as in rules.md 1.1, sizes,
 * exponent, small factors; EC point on its curve.  Findings.
 */
int spki_check(const unsigned char *spki, size_t len, const char *place,
    struct findings *findings) MUST_USE;

#endif
