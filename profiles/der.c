#include "profiles/der.h"

#include <string.h>

enum {
	CLASS_MASK = 0xc0,
	CONSTRUCTED = 0x20,
	NUMBER_MASK = 0x1f,
	TAG_NULL = 5,
	TAG_OID = 6,
	TAG_ENUMERATED = 10,
	TAG_SEQUENCE = 16,
	TAG_SET = 17,
	TAG_UTC_TIME = 23,
	TAG_GENERALIZED_TIME = 24,
};

/* Lengths of up to four octets: 4 GiB is more than any object here. */
static bool
read_length(const struct der *in, size_t *ret_header, size_t *ret_len)
{
	size_t len, octets;

	if (in->len < 2)
		return false;
	if (in->p[1] < 0x80) {
		*ret_header = 2;
		*ret_len = in->p[1];
		return true;
	}
	octets = in->p[1] & 0x7f;
	if (octets == 0 || octets > 4 || in->len < 2 + octets || in->p[2] == 0)
		return false;
	len = 0;
	for (size_t i = 0; i < octets; i++)
		len = len << 8 | in->p[2 + i];
	if (len < 0x80)
		return false;
	*ret_header = 2 + octets;
	*ret_len = len;
	return true;
}

/* One element off the front, whatever its tag. */
static bool
take_any(struct der *in, struct der *ret_content, struct der *ret_element)
{
	size_t header, len;

	if (!read_length(in, &header, &len) || len > in->len - header)
		return false;
	*ret_content = (struct der){ in->p + header, len };
	*ret_element = (struct der){ in->p, header + len };
	in->p += header + len;
	in->len -= header + len;
	return true;
}

bool
der_next_is(const struct der *in, unsigned tag)
{
	return in->len > 0 && in->p[0] == tag;
}

bool
der_take(struct der *in, unsigned tag, struct der *ret_content,
    struct der *ret_element)
{
	struct der content, element;

	if (!der_next_is(in, tag) || !take_any(in, &content, &element))
		return false;
	if (ret_content != NULL)
		*ret_content = content;
	if (ret_element != NULL)
		*ret_element = element;
	return true;
}

bool
der_equal(struct der a, const unsigned char *p, size_t len)
{
	return a.len == len && (len == 0 || memcmp(a.p, p, len) == 0);
}

static bool
boolean_is_strict(struct der v)
{
	return v.len == 1 && (v.p[0] == 0x00 || v.p[0] == 0xff);
}

static bool
integer_is_strict(struct der v)
{
	if (v.len == 0)
		return false;
	if (v.len == 1)
		return true;
	return !(v.p[0] == 0x00 && v.p[1] < 0x80) &&
	    !(v.p[0] == 0xff && v.p[1] >= 0x80);
}

static bool
bit_string_is_strict(struct der v)
{
	if (v.len == 0 || v.p[0] > 7)
		return false;
	if (v.len == 1)
		return v.p[0] == 0;
	return (v.p[v.len - 1] & ((1U << v.p[0]) - 1)) == 0;
}

static bool
null_is_strict(struct der v)
{
	return v.len == 0;
}

/* No subidentifier begins with 0x80, and the last one ends. */
static bool
oid_is_strict(struct der v)
{
	bool first = true;

	for (size_t i = 0; i < v.len; i++) {
		if (first && v.p[i] == 0x80)
			return false;
		first = v.p[i] < 0x80;
	}
	return v.len > 0 && first;
}

static bool
time_is_strict(struct der v, size_t len)
{
	if (v.len != len || v.p[len - 1] != 'Z')
		return false;
	for (size_t i = 0; i < len - 1; i++)
		if (v.p[i] < '0' || v.p[i] > '9')
			return false;
	return true;
}

/* FLD-TIME-FORM */
static bool
utc_time_is_strict(struct der v)
{
	return time_is_strict(v, strlen("YYMMDDHHMMSSZ"));
}

static bool
generalized_time_is_strict(struct der v)
{
	return time_is_strict(v, strlen("YYYYMMDDHHMMSSZ"));
}

static const struct {
	unsigned number;
	bool (*is_strict)(struct der v);
} primitives[] = {
	{ DER_BOOLEAN, boolean_is_strict },
	{ DER_INTEGER, integer_is_strict },
	{ DER_BIT_STRING, bit_string_is_strict },
	{ TAG_NULL, null_is_strict },
	{ TAG_OID, oid_is_strict },
	{ TAG_ENUMERATED, integer_is_strict },
	{ TAG_UTC_TIME, utc_time_is_strict },
	{ TAG_GENERALIZED_TIME, generalized_time_is_strict },
};

static bool
primitive_is_strict(unsigned number, struct der v)
{
	for (size_t i = 0; i < sizeof primitives / sizeof primitives[0]; i++)
		if (primitives[i].number == number)
			return primitives[i].is_strict(v);
	return true;
}

/* X.690, 11.6: the shorter one is padded with zeros behind it. */
static bool
set_order(struct der a, struct der b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int c = memcmp(a.p, b.p, n);

	return c < 0 || (c == 0 && a.len <= b.len);
}

static bool
identifier_is_strict(unsigned tag)
{
	unsigned number = tag & NUMBER_MASK;
	bool nests = number == TAG_SEQUENCE || number == TAG_SET;

	if (number == NUMBER_MASK)
		return false;
	if ((tag & CLASS_MASK) != 0)
		return true;
	return number != 0 && nests == ((tag & CONSTRUCTED) != 0);
}

static bool walk(struct der in, unsigned parent, unsigned depth,
    const unsigned char **ret_bad);

static bool
element_is_strict(struct der element, struct der content, unsigned depth,
    const unsigned char **ret_bad)
{
	unsigned tag = element.p[0];

	if ((tag & CONSTRUCTED) != 0)
		return walk(content, tag, depth + 1, ret_bad);
	return (tag & CLASS_MASK) != 0 || primitive_is_strict(tag, content);
}

static bool
walk(struct der in, unsigned parent, unsigned depth,
    const unsigned char **ret_bad)
{
	struct der content, element, last = { NULL, 0 };

	if (depth > DER_MAX_DEPTH)
		return false;
	while (in.len > 0) {
		*ret_bad = in.p;
		if (!identifier_is_strict(in.p[0]) ||
		    !take_any(&in, &content, &element) ||
		    !element_is_strict(element, content, depth, ret_bad))
			return false;
		if (parent == (TAG_SET | CONSTRUCTED) && last.p != NULL &&
		    !set_order(last, element))
			return false;
		last = element;
	}
	return true;
}

bool
der_is_strict(const unsigned char *der, size_t len, size_t *ret_offset)
{
	struct der in = { der, len }, content, element;
	const unsigned char *bad = der;

	if (len == 0 || !take_any(&in, &content, &element)) {
		*ret_offset = 0;
		return false;
	}
	if (in.len != 0) {
		*ret_offset = element.len;
		return false;
	}
	if (!walk((struct der){ der, len }, 0, 0, &bad)) {
		*ret_offset = (size_t)(bad - der);
		return false;
	}
	return true;
}

/* A BIT STRING without unused bits; its octets. */
static bool
take_octet_bits(struct der *in, struct der *ret_octets)
{
	struct der bits;

	if (!der_take(in, DER_BIT_STRING, &bits, NULL) || bits.len < 1 ||
	    bits.p[0] != 0)
		return false;
	*ret_octets = (struct der){ bits.p + 1, bits.len - 1 };
	return true;
}

bool
der_signed_object(
    const unsigned char *der, size_t len, struct signed_object *ret_object)
{
	struct der in = { der, len }, body;
	struct signed_object object;

	if (!der_take(&in, DER_SEQUENCE, &body, NULL) || in.len != 0 ||
	    !der_take(&body, DER_SEQUENCE, NULL, &object.tbs) ||
	    !der_take(&body, DER_SEQUENCE, NULL, &object.alg) ||
	    !take_octet_bits(&body, &object.signature) || body.len != 0)
		return false;
	*ret_object = object;
	return true;
}

bool
der_spki(const unsigned char *spki, size_t len, struct der *ret_alg,
    struct der *ret_key)
{
	struct der in = { spki, len }, body, alg, key;

	if (!der_take(&in, DER_SEQUENCE, &body, NULL) || in.len != 0 ||
	    !der_take(&body, DER_SEQUENCE, NULL, &alg) ||
	    !take_octet_bits(&body, &key) || body.len != 0)
		return false;
	*ret_alg = alg;
	*ret_key = key;
	return true;
}
