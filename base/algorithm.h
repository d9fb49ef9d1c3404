/*
 * Key types and signature algorithms: the two tables that every floor reads.
 * rules.md 1.1: an AlgorithmIdentifier is compared byte for byte.
 */
#ifndef CA_BASE_ALGORITHM_H
#define CA_BASE_ALGORITHM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

enum key_family {
	KEY_RSA,
	KEY_EC,
};

/* A kind of key that this program makes or certifies. */
struct key_type {
	const char *name; /* "rsa-3072", "p-384" */
	enum key_family family;
	unsigned bits;          /* modulus, or field, in bits */
	int curve_nid;          /* EC: NID; RSA: 0 */
	unsigned char spki[24]; /* the SPKI's AlgorithmIdentifier, DER */
	size_t spki_len;
	unsigned char params[16]; /* EC: CKA_EC_PARAMS, DER; RSA: nothing */
	size_t params_len;
};

/* A signature algorithm. */
struct sigalg {
	const char *name; /* "ecdsa-sha384", "rsa-sha256", "rsa-pss-sha256" */
	enum key_family family;
	int curve_nid;      /* EC: the only curve it goes with; RSA: 0 */
	const char *digest; /* "SHA256", for EVP_MD_fetch */
	size_t digest_len;  /* octets */
	bool pss;
	unsigned char der[72]; /* the AlgorithmIdentifier */
	size_t der_len;
};

enum { DIGEST_MAX = 64, SIGNATURE_MAX = 1024 };

/* The row called `name`, or NULL. */
const struct key_type *key_type_by_name(const char *name);
const struct sigalg *sigalg_by_name(const char *name);

/* Row `i` of the table, or NULL behind its end. */
const struct key_type *key_type_at(size_t i);
const struct sigalg *sigalg_at(size_t i);

/* The row whose AlgorithmIdentifier is exactly these octets, or NULL. */
const struct sigalg *sigalg_by_der(const unsigned char *der, size_t len);

/*
 * The type of a SubjectPublicKeyInfo.  Strict: AlgorithmIdentifier as in the
 * table, no trailing octets, EC point uncompressed and on the curve, RSA
 * modulus of exactly a size in the table (2048 to 8192 for keys of others:
 * see spki_check in profiles/).  NULL where it is none of the table's; nothing
 * is raised.
 */
const struct key_type *key_type_of_spki(const unsigned char *spki, size_t len);

/*
 * The algorithm with which a key of this type signs by default: its curve
 * fixes an EC key's (ALG-SIG-CURVE-HASH); RSA: rsa-sha256 up to 3072 bits,
 * rsa-sha384 above.
 */
const struct sigalg *sigalg_default(const struct key_type *type);

/* True if `alg` may be used with a key of `type`. */
bool sigalg_fits(const struct sigalg *alg, const struct key_type *type);

/*
 * Verify `sig` (ECDSA: DER ECDSA-Sig-Value) over `tbs` with the key whose
 * SubjectPublicKeyInfo is `spki`.  CA_R_VERIFY when it does not verify.
 */
int sigalg_verify(const struct sigalg *alg, const unsigned char *spki,
    size_t spki_len, const unsigned char *tbs, size_t tbs_len,
    const unsigned char *sig, size_t sig_len) MUST_USE;

/* The same for a digest of alg->digest_len octets, made on the way. */
int sigalg_verify_digest(const struct sigalg *alg, const unsigned char *spki,
    size_t spki_len, const unsigned char *digest, const unsigned char *sig,
    size_t sig_len) MUST_USE;

/*
 * The public key, decoded once for many signatures: the key that
 * sigalg_verify() would make of `spki`.  Threads may share it.  CA_R_VERIFY
 * where it is malformed or of a type that does not suit the algorithm.
 */
int sigalg_key(const struct sigalg *alg, const unsigned char *spki,
    size_t spki_len, EVP_PKEY **ret_key) MUST_USE;
/* sigalg_verify() with it. */
int sigalg_verify_with(const struct sigalg *alg, EVP_PKEY *key,
    const unsigned char *tbs, size_t tbs_len, const unsigned char *sig,
    size_t sig_len) MUST_USE;

/* Digest `data` with the algorithm's hash; writes alg->digest_len octets. */
int sigalg_digest(const struct sigalg *alg, const unsigned char *data,
    size_t len, unsigned char ret_digest[DIGEST_MAX]) MUST_USE;

#endif
