#include "profiles/der/der.h"

#include <string.h>

#include "base/text.h"

enum {
	CLASS_MASK = 0xc0,
	CONSTRUCTED = 0x20,
	NUMBER_MASK = 0x1f,
	TAG_SEQUENCE = 16,
	TAG_SET = 17,
	UNICODE_MAX = 0x10ffff,
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
bool
der_take_any(struct der *in, struct der *ret_content, struct der *ret_element)
{
	size_t header, len;

	if (!read_length(in, &header, &len) || len > in->len - header)
		return false;
	if (ret_content != NULL)
		*ret_content = (struct der){ in->p + header, len };
	if (ret_element != NULL)
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
	return der_next_is(in, tag) &&
	    der_take_any(in, ret_content, ret_element);
}

bool
der_equal(struct der a, const unsigned char *p, size_t len)
{
	return a.len == len && (len == 0 || memcmp(a.p, p, len) == 0);
}

/* ---- contents of primitive types -------------------------------------- */

static const char *
boolean_fault(struct der v)
{
	if (v.len != 1)
		return "a BOOLEAN is not one octet";
	return v.p[0] == 0x00 || v.p[0] == 0xff
	    ? NULL
	    : "a BOOLEAN is neither 00 nor FF";
}

static const char *
integer_fault(struct der v)
{
	if (v.len == 0)
		return "an INTEGER has no octets";
	if (v.len > 1 &&
	    ((v.p[0] == 0x00 && v.p[1] < 0x80) ||
		(v.p[0] == 0xff && v.p[1] >= 0x80)))
		return "an INTEGER is not in its shortest form";
	return NULL;
}

static const char *
bit_string_fault(struct der v)
{
	if (v.len == 0)
		return "a BIT STRING has no octets";
	if (v.p[0] > 7 || (v.len == 1 && v.p[0] != 0))
		return "a BIT STRING has more unused bits than bits";
	if (v.len > 1 && (v.p[v.len - 1] & ((1U << v.p[0]) - 1)) != 0)
		return "unused bits of a BIT STRING are set";
	return NULL;
}

static const char *
null_fault(struct der v)
{
	return v.len == 0 ? NULL : "a NULL has contents";
}

/* No subidentifier begins with 0x80, and the last one ends. */
static const char *
oid_fault(struct der v)
{
	bool first = true;

	for (size_t i = 0; i < v.len; i++) {
		if (first && v.p[i] == 0x80)
			return "an OBJECT IDENTIFIER has a padded number";
		first = v.p[i] < 0x80;
	}
	if (v.len == 0)
		return "an OBJECT IDENTIFIER has no octets";
	return first ? NULL : "an OBJECT IDENTIFIER is cut off";
}

/* FLD-TIME-FORM */
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

static const char *
utc_time_fault(struct der v)
{
	return time_is_strict(v, strlen("YYMMDDHHMMSSZ"))
	    ? NULL
	    : "a UTCTime is not of the form YYMMDDHHMMSSZ";
}

static const char *
generalized_time_fault(struct der v)
{
	return time_is_strict(v, strlen("YYYYMMDDHHMMSSZ"))
	    ? NULL
	    : "a GeneralizedTime is not of the form YYYYMMDDHHMMSSZ";
}

static const char *
utf8_fault(struct der v)
{
	return v.len == 0 || text_is_utf8((const char *)v.p, v.len)
	    ? NULL
	    : "a UTF8String is not UTF-8";
}

/* X.680, 41.4 */
static bool
is_printable(unsigned char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	    (c >= '0' && c <= '9') ||
	    (c != 0 && strchr(" '()+,-./:=?", c) != NULL);
}

static const char *
printable_fault(struct der v)
{
	for (size_t i = 0; i < v.len; i++)
		if (!is_printable(v.p[i]))
			return "a PrintableString holds what is not in its "
			       "alphabet";
	return NULL;
}

static const char *
numeric_fault(struct der v)
{
	for (size_t i = 0; i < v.len; i++)
		if (v.p[i] != ' ' && (v.p[i] < '0' || v.p[i] > '9'))
			return "a NumericString holds more than digits and "
			       "blanks";
	return NULL;
}

static const char *
ia5_fault(struct der v)
{
	for (size_t i = 0; i < v.len; i++)
		if (v.p[i] >= 0x80)
			return "an IA5String holds an octet above 7F";
	return NULL;
}

static const char *
visible_fault(struct der v)
{
	for (size_t i = 0; i < v.len; i++)
		if (v.p[i] < 0x20 || v.p[i] > 0x7e)
			return "a VisibleString holds what is not visible";
	return NULL;
}

static bool
is_surrogate(unsigned long c)
{
	return c >= 0xd800 && c <= 0xdfff;
}

static const char *
bmp_fault(struct der v)
{
	if (v.len % 2 != 0)
		return "a BMPString has an odd number of octets";
	for (size_t i = 0; i < v.len; i += 2)
		if (is_surrogate((unsigned long)v.p[i] << 8 | v.p[i + 1]))
			return "a BMPString holds half a character";
	return NULL;
}

static const char *
universal_fault(struct der v)
{
	if (v.len % 4 != 0)
		return "a UniversalString is not a multiple of four octets";
	for (size_t i = 0; i < v.len; i += 4) {
		unsigned long c = (unsigned long)v.p[i] << 24 |
		    (unsigned long)v.p[i + 1] << 16 |
		    (unsigned long)v.p[i + 2] << 8 | v.p[i + 3];

		if (c > UNICODE_MAX || is_surrogate(c))
			return "a UniversalString holds what is no character";
	}
	return NULL;
}

static const struct {
	unsigned number;
	const char *(*fault)(struct der v);
} primitives[] = {
	{ DER_BOOLEAN, boolean_fault },
	{ DER_INTEGER, integer_fault },
	{ DER_BIT_STRING, bit_string_fault },
	{ DER_NULL, null_fault },
	{ DER_OID, oid_fault },
	{ DER_ENUMERATED, integer_fault },
	{ DER_UTF8_STRING, utf8_fault },
	{ DER_NUMERIC_STRING, numeric_fault },
	{ DER_PRINTABLE_STRING, printable_fault },
	{ DER_IA5_STRING, ia5_fault },
	{ DER_UTC_TIME, utc_time_fault },
	{ DER_GENERALIZED_TIME, generalized_time_fault },
	{ DER_VISIBLE_STRING, visible_fault },
	{ DER_UNIVERSAL_STRING, universal_fault },
	{ DER_BMP_STRING, bmp_fault },
};

const char *
der_content_fault(unsigned number, struct der content)
{
	for (size_t i = 0; i < sizeof primitives / sizeof primitives[0]; i++)
		if (primitives[i].number == number)
			return primitives[i].fault(content);
	return NULL;
}

/* ---- the walk --------------------------------------------------------- */

/* X.690, 11.6: the shorter one is padded with zeros behind it. */
bool
der_set_order(struct der a, struct der b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int c = memcmp(a.p, b.p, n);

	return c < 0 || (c == 0 && a.len <= b.len);
}

static const char *
identifier_fault(unsigned tag)
{
	unsigned number = tag & NUMBER_MASK;
	bool constructed = (tag & CONSTRUCTED) != 0;

	if (number == NUMBER_MASK)
		return "a tag is of the long form, which nothing here has";
	if ((tag & CLASS_MASK) != 0)
		return NULL;
	if (number == 0)
		return "an end-of-contents mark stands where DER has none";
	if (number == TAG_SEQUENCE || number == TAG_SET)
		return constructed ? NULL : "a SEQUENCE or SET is primitive";
	return constructed ? "a primitive type is constructed" : NULL;
}

/* Why der_take_any() refused. */
static const char *
header_fault(const struct der *in)
{
	size_t octets;

	if (in->len < 2)
		return "an element is cut off";
	octets = in->p[1] & 0x7f;
	if (in->p[1] == 0x80)
		return "a length is indefinite";
	if (in->p[1] < 0x80 || in->len < 2 + octets)
		return "an element is cut off";
	if (in->p[2] == 0 || (octets == 1 && in->p[2] < 0x80))
		return "a length is not in its shortest form";
	if (octets > 4)
		return "a length is beyond 4 GiB";
	return "an element is cut off";
}

static const char *walk(struct der in, unsigned parent, unsigned depth,
    const unsigned char **ret_bad);

static const char *
element_fault(struct der element, struct der content, unsigned depth,
    const unsigned char **ret_bad)
{
	unsigned tag = element.p[0];

	if ((tag & CONSTRUCTED) != 0)
		return walk(content, tag, depth + 1, ret_bad);
	return (tag & CLASS_MASK) == 0 ? der_content_fault(tag, content) : NULL;
}

static const char *
walk(struct der in, unsigned parent, unsigned depth,
    const unsigned char **ret_bad)
{
	struct der content, element, last = { NULL, 0 };
	const char *fault = NULL;

	if (depth > DER_MAX_DEPTH)
		return "elements are nested too deep";
	while (in.len > 0 && fault == NULL) {
		*ret_bad = in.p;
		fault = identifier_fault(in.p[0]);
		if (fault == NULL && !der_take_any(&in, &content, &element))
			fault = header_fault(&in);
		if (fault != NULL)
			break;
		if (parent == DER_SET && last.p != NULL &&
		    !der_set_order(last, element))
			return "a SET is not in ascending order";
		fault = element_fault(element, content, depth, ret_bad);
		last = element;
	}
	return fault;
}

bool
der_check(const unsigned char *der, size_t len, struct der_fault *ret_fault)
{
	struct der in = { der, len }, content, element;
	const unsigned char *bad = der;
	const char *fault;

	if (len == 0)
		fault = "there is nothing";
	else if (!der_take_any(&in, &content, &element))
		fault = header_fault(&in);
	else if (in.len != 0) {
		bad = in.p;
		fault = "something follows";
	} else
		fault = walk(element, 0, 0, &bad);
	if (fault == NULL)
		return true;
	*ret_fault = (struct der_fault){ bad, fault };
	return false;
}

bool
der_is_strict(const unsigned char *der, size_t len, size_t *ret_offset)
{
	struct der_fault fault;

	if (der_check(der, len, &fault))
		return true;
	*ret_offset = (size_t)(fault.at - der);
	return false;
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
