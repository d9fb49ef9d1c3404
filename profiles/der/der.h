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
	DER_OCTET_STRING = 0x04,
	DER_NULL = 0x05,
	DER_OID = 0x06,
	DER_ENUMERATED = 0x0a,
	DER_UTF8_STRING = 0x0c,
	DER_NUMERIC_STRING = 0x12,
	DER_PRINTABLE_STRING = 0x13,
	DER_T61_STRING = 0x14,
	DER_IA5_STRING = 0x16,
	DER_UTC_TIME = 0x17,
	DER_GENERALIZED_TIME = 0x18,
	DER_VISIBLE_STRING = 0x1a,
	DER_UNIVERSAL_STRING = 0x1c,
	DER_BMP_STRING = 0x1e,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
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

/* The same for an element with any tag, which is element's first octet. */
bool der_take_any(
    struct der *in, struct der *ret_content, struct der *ret_element);

/* Is the next element's identifier octet `tag`? */
bool der_next_is(const struct der *in, unsigned tag);

bool der_equal(struct der a, const unsigned char *p, size_t len);

/* Where an encoding goes wrong, and how. */
struct der_fault {
	const unsigned char *at;
	const char *text; /* "a length is not in its shortest form", static */
};

/*
 * Is this exactly one element, in DER all through?  Minimal definite lengths,
 * minimal INTEGERs, TRUE as FF, no unused bits set, SETs ascending, times with
 * seconds and Z, strings of their own alphabet, tags below 31 in one octet,
 * constructed where and only where it must be, at most DER_MAX_DEPTH deep.
 * What stands under an IMPLICIT primitive tag or in an OCTET STRING is not
 * looked into: see grammar.h.  Time is linear in `len`.
 */
bool der_check(
    const unsigned char *der, size_t len, struct der_fault *ret_fault);

/* The same, where only the offset of the fault matters. */
bool der_is_strict(const unsigned char *der, size_t len, size_t *ret_offset);

/*
 * What is wrong with the contents of a primitive type with this universal
 * number (DER_BOOLEAN, ...); NULL: nothing, or no type that is checked.
 */
const char *der_content_fault(unsigned number, struct der content);

/* X.690, 11.6: may element `b` stand behind `a` in a SET OF? */
bool der_set_order(struct der a, struct der b);

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
