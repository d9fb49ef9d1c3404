/* Subject names: attributes, what their values may be, encoding. */
#ifndef CA_PROFILES_NAME_H
#define CA_PROFILES_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/x509.h>

#include "base/cleanup.h"
#include "base/findings.h"
#include "profiles/certificate.h"

/* String types, as bits. */
enum name_encoding {
	NAME_PRINTABLE = 1,
	NAME_UTF8 = 2,
	NAME_IA5 = 4,
};

struct attribute {
	const char *name;   /* in profiles and plans */
	int nid;            /* OpenSSL's number for its OID */
	unsigned rank;      /* place in NAM-ORDER, or 0: anywhere */
	size_t max;         /* characters (NAM-LEN), or 0: no limit */
	unsigned encodings; /* enum name_encoding, those that are allowed */
	bool repeats;       /* NAM-NO-DUP: may stand there several times */
	const char *enc_id; /* the rule that fixes its string types */
};

/* The row called `name`, or that with this NID; NULL. */
const struct attribute *attribute_by_name(const char *name);
const struct attribute *attribute_by_nid(int nid);

/* "printable", "utf8", "ia5"; 0 for anything else. */
enum name_encoding name_encoding_by_name(const char *name);

/* One attribute with its value, ready to be encoded. */
struct name_part {
	const struct attribute *attribute;
	enum name_encoding encoding;
	const char *value;
};

/*
 * Length, alphabet and sense of a value (NAM-LEN, NAM-PRINTABLE-ALPHABET,
 * NAM-CLEAN, NAM-COUNTRY-ISO).
 */
int name_check(const struct name_part *part, const char *place,
    struct findings *findings) MUST_USE;

/*
 * What is wrong with a value of `len` octets and a NUL behind them (NAM-CLEAN):
 * a clause with its own verb, "is empty"; NULL: nothing.
 */
const char *name_unclean(const char *value, size_t len);

/*
 * One AttributeTypeAndValue per RDN (NAM-RDN-SINGLE), in the order given.
 */
int name_encode(const struct name_part *parts, size_t count,
    unsigned char **ret_der, size_t *ret_len) MUST_USE;

/* For people: RFC 2253's order, quoted where needed, escaped; free(). */
int name_text(const X509_NAME *name, char **ret_text) MUST_USE;

/* True for an ISO 3166-1 alpha-2 code that is assigned to a country. */
bool country_is_assigned(const char *code);

#endif
