/*
 * Strict DER: a check of whole encodings, and a cursor over elements.
 * OpenSSL's decoder accepts BER and keeps what it read, so that its encoder
 * gives the same octets back; only a walk over the octets tells (FLD-DER-STRICT).
 */
#ifndef CA_PROFILES_DER_H
#define CA_PROFILES_DER_H

#include <stdbool.h>
#include <stddef.h>

enum {
	DER_BOOLEAN = 0x01,
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_SEQUENCE = 0x30,
	DER_CONTEXT_0 = 0xa0,
	DER_MAX_DEPTH = 32,
};

/* Octets that somebody else owns. */
struct der {
	const unsigned char *p;
	size_t len;
};

/*
 * Take one element with identifier octet `tag` off the front of `in`: its
 * contents in *ret_content, the whole element in *ret_element (either may be
 * NULL).  False, with `in` untouched, where it is not there.
 */
bool der_take(struct der *in, unsigned tag, struct der *ret_content,
    struct der *ret_element);

/* Is the next element's identifier octet `tag`? */
bool der_next_is(const struct der *in, unsigned tag);

bool der_equal(struct der a, const unsigned char *p, size_t len);

/*
 * Is this exactly one element, in DER all through?  Minimal definite lengths,
 * minimal INTEGERs, TRUE as FF, no unused bits set, SETs ascending, times with
 * seconds and Z, constructed where and only where it must be.  What stands
 * under an IMPLICIT primitive tag or in an OCTET STRING is not looked into.
 * *ret_offset is where it goes wrong.
 */
bool der_is_strict(const unsigned char *der, size_t len, size_t *ret_offset);

/* The three parts of SEQUENCE { tbs, alg, BIT STRING }, nothing behind. */
struct signed_object {
	struct der tbs, alg, signature;
};
bool der_signed_object(
    const unsigned char *der, size_t len, struct signed_object *ret_object);

/* SubjectPublicKeyInfo: its AlgorithmIdentifier, and the key's octets. */
bool der_spki(const unsigned char *spki, size_t len, struct der *ret_alg,
    struct der *ret_key);

#endif
