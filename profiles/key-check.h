/*
 * Key quality, rules.md 1.1 and 1.2: one table of checks, for requests and keys
 * that a plan names (spki_check) and for the linter.
 */
#ifndef CA_PROFILES_KEY_CHECK_H
#define CA_PROFILES_KEY_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/algorithm.h"
#include "base/cleanup.h"
#include "profiles/der/der.h"

enum {
	KEY_TEXT_MAX = 256,
	RSA_MIN_BITS = 2048,
	RSA_MAX_BITS = 8192, /* KEY-RSA-MAX */
	/*
	 * Above it nothing is computed: time grows with the cube of the length
	 * (8192 bits: a tenth of a second, 16384: a whole one).
	 */
	RSA_COMPUTED_MAX_BITS = RSA_MAX_BITS,
};

/* A SubjectPublicKeyInfo taken apart. */
struct key_facts {
	struct der alg;  /* AlgorithmIdentifier, element */
	struct der bits; /* the BIT STRING's octets without the first */
	unsigned unused; /* unused bits of it */
	/* By the AlgorithmIdentifier alone: for RSA of any size; or NULL. */
	const struct key_type *type;
	/* RSA whose RSAPublicKey is as ALG-SPKI-RSA-STRUCT wants it; or NULL. */
	BIGNUM *n, *e;
	BN_CTX *ctx;
};

/* False where these octets are no SubjectPublicKeyInfo; CA_R_MEMORY: -1. */
int key_facts_read(const unsigned char *spki, size_t len,
    struct key_facts *ret_facts) MUST_USE;
void key_facts_clear(struct key_facts *facts);
CLEANUP_DEFINE_STRUCT(key_facts);

enum key_verdict {
	KEY_FINE, /* or the check does not concern this kind of key */
	KEY_BROKEN,
	KEY_UNSURE, /* no memory, or beyond what is computed */
};

struct key_check {
	const char *id, *source;
	/* What is wrong, of KEY_TEXT_MAX octets, where it is not KEY_FINE. */
	enum key_verdict (*check)(const struct key_facts *facts, char *text);
	/* Only the sort of key that somebody asks a certificate for. */
	bool requests_only;
};

/* Row `i`, or NULL behind the end.  Each rule stands alone and once. */
const struct key_check *key_check_at(size_t i);
const struct key_check *key_check_by_id(const char *id);

/* The first row with this AlgorithmIdentifier: for RSA of any size; or NULL. */
const struct key_type *key_type_by_alg(struct der alg);

/* KEY-RSA-NO-SMALL, ROCA, FERMAT, ...: key-rsa.c. */
enum key_verdict key_rsa_small(const struct key_facts *facts, char *text);
enum key_verdict key_rsa_power(const struct key_facts *facts, char *text);
enum key_verdict key_rsa_roca(const struct key_facts *facts, char *text);
enum key_verdict key_rsa_fermat(const struct key_facts *facts, char *text);

/* Write the text; for rows. */
enum key_verdict key_broken(char *text, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
enum key_verdict key_unsure(char *text, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
