#include "profiles/der/grammar.h"

#include <string.h>

enum form {
	FORM_CONTENT,  /* a primitive type: der_content_fault(number) */
	FORM_BITS,     /* a named bit list */
	FORM_SEQUENCE, /* the members in their order */
	FORM_LIST,     /* SEQUENCE OF one of the members */
	FORM_FILLED,   /* the same, SIZE (1..MAX), or a SEQUENCE not empty */
	FORM_SET,      /* SET OF one of the members, SIZE (1..MAX) */
	FORM_WRAP,     /* EXPLICIT, or a CHOICE within: exactly one of them */
	FORM_ANY,      /* DER of any type: exactly one element */
};

enum need {
	REQUIRED,
	OPTIONAL,
	DEFAULT_FALSE, /* 00 is not encoded */
	DEFAULT_ZERO,
	PICK,          /* one of this row and those like it around it */
	PICK_OPTIONAL, /* or none */
};

struct type;

struct member {
	unsigned tag; /* identifier octet; 0: any */
	enum need need;
	const struct type *type;
};

struct type {
	enum form form;
	unsigned number; /* FORM_CONTENT */
	const struct member *members;
	size_t count;
};

#define MEMBERS(rows) (rows), sizeof(rows) / sizeof *(rows)
#define TYPE(name, form, rows) \
	static const struct type name = { (form), 0, MEMBERS(rows) }
#define PRIMITIVE(name, number) \
	static const struct type name = { FORM_CONTENT, (number), NULL, 0 }

PRIMITIVE(t_boolean, DER_BOOLEAN);
PRIMITIVE(t_integer, DER_INTEGER);
PRIMITIVE(t_octets, DER_OCTET_STRING);
PRIMITIVE(t_null, DER_NULL);
PRIMITIVE(t_oid, DER_OID);
PRIMITIVE(t_utf8, DER_UTF8_STRING);
PRIMITIVE(t_printable, DER_PRINTABLE_STRING);
PRIMITIVE(t_ia5, DER_IA5_STRING);
PRIMITIVE(t_visible, DER_VISIBLE_STRING);
PRIMITIVE(t_bmp, DER_BMP_STRING);
PRIMITIVE(t_universal, DER_UNIVERSAL_STRING);
PRIMITIVE(t_time, DER_GENERALIZED_TIME);
static const struct type t_bits = { FORM_BITS, 0, NULL, 0 };
static const struct type t_any = { FORM_ANY, 0, NULL, 0 };

static const struct member m_any[] = { { 0, REQUIRED, &t_any } };
TYPE(t_explicit_any, FORM_WRAP, m_any);

/* RFC 5280, appendix A.1: names. */
static const struct member m_atv[] = {
	{ DER_OID, REQUIRED, &t_oid },
	{ 0, REQUIRED, &t_any },
};
TYPE(t_atv, FORM_SEQUENCE, m_atv);
static const struct member m_rdn[] = { { DER_SEQUENCE, REQUIRED, &t_atv } };
TYPE(t_rdn, FORM_SET, m_rdn);
static const struct member m_name[] = { { DER_SET, REQUIRED, &t_rdn } };
TYPE(t_name, FORM_LIST, m_name);

static const struct member m_directory_string[] = {
	{ DER_UTF8_STRING, REQUIRED, &t_utf8 },
	{ DER_PRINTABLE_STRING, REQUIRED, &t_printable },
	{ DER_T61_STRING, REQUIRED, &t_octets },
	{ DER_BMP_STRING, REQUIRED, &t_bmp },
	{ DER_UNIVERSAL_STRING, REQUIRED, &t_universal },
};
TYPE(t_directory_string, FORM_WRAP, m_directory_string);

/* RFC 5280, section 4.2.1.6 */
static const struct member m_other_name[] = {
	{ DER_OID, REQUIRED, &t_oid },
	{ 0xa0, REQUIRED, &t_explicit_any },
};
TYPE(t_other_name, FORM_SEQUENCE, m_other_name);
static const struct member m_edi_party[] = {
	{ 0xa0, OPTIONAL, &t_directory_string },
	{ 0xa1, REQUIRED, &t_directory_string },
};
TYPE(t_edi_party, FORM_SEQUENCE, m_edi_party);
static const struct member m_explicit_name[] = {
	{ DER_SEQUENCE, REQUIRED, &t_name },
};
TYPE(t_explicit_name, FORM_WRAP, m_explicit_name);
static const struct member m_x400[] = { { 0, REQUIRED, &t_any } };
TYPE(t_x400, FORM_LIST, m_x400);
#define GENERAL_NAME                                                      \
	{ 0xa0, REQUIRED, &t_other_name }, { 0x81, REQUIRED, &t_ia5 },    \
	    { 0x82, REQUIRED, &t_ia5 }, { 0xa3, REQUIRED, &t_x400 },      \
	    { 0xa4, REQUIRED, &t_explicit_name },                         \
	    { 0xa5, REQUIRED, &t_edi_party }, { 0x86, REQUIRED, &t_ia5 }, \
	    { 0x87, REQUIRED, &t_octets },                                \
	{                                                                 \
		0x88, REQUIRED, &t_oid                                    \
	}
static const struct member m_general_names[] = { GENERAL_NAME };
TYPE(t_general_names, FORM_FILLED, m_general_names);

/* RFC 5280, section 4.2.1.1 */
static const struct member m_aki[] = {
	{ 0x80, OPTIONAL, &t_octets },
	{ 0xa1, OPTIONAL, &t_general_names },
	{ 0x82, OPTIONAL, &t_integer },
};
TYPE(t_aki, FORM_SEQUENCE, m_aki);

/* RFC 5280, section 4.2.1.4 */
static const struct member m_integers[] = {
	{ DER_INTEGER, REQUIRED, &t_integer },
};
TYPE(t_integers, FORM_LIST, m_integers);
/* DisplayText is a CHOICE: a row for each of its types. */
static const struct member m_notice_reference[] = {
	{ DER_IA5_STRING, PICK, &t_ia5 },
	{ DER_VISIBLE_STRING, PICK, &t_visible },
	{ DER_BMP_STRING, PICK, &t_bmp },
	{ DER_UTF8_STRING, PICK, &t_utf8 },
	{ DER_SEQUENCE, REQUIRED, &t_integers },
};
TYPE(t_notice_reference, FORM_SEQUENCE, m_notice_reference);
static const struct member m_user_notice[] = {
	{ DER_SEQUENCE, OPTIONAL, &t_notice_reference },
	{ DER_IA5_STRING, PICK_OPTIONAL, &t_ia5 },
	{ DER_VISIBLE_STRING, PICK_OPTIONAL, &t_visible },
	{ DER_BMP_STRING, PICK_OPTIONAL, &t_bmp },
	{ DER_UTF8_STRING, PICK_OPTIONAL, &t_utf8 },
};
TYPE(t_user_notice, FORM_SEQUENCE, m_user_notice);
static const struct member m_qualifier[] = {
	{ DER_OID, REQUIRED, &t_oid },
	{ DER_IA5_STRING, PICK, &t_ia5 },
	{ DER_SEQUENCE, PICK, &t_user_notice },
};
TYPE(t_qualifier, FORM_SEQUENCE, m_qualifier);
static const struct member m_qualifiers[] = {
	{ DER_SEQUENCE, REQUIRED, &t_qualifier },
};
TYPE(t_qualifiers, FORM_FILLED, m_qualifiers);
static const struct member m_policy[] = {
	{ DER_OID, REQUIRED, &t_oid },
	{ DER_SEQUENCE, OPTIONAL, &t_qualifiers },
};
TYPE(t_policy, FORM_SEQUENCE, m_policy);
static const struct member m_policies[] = {
	{ DER_SEQUENCE, REQUIRED, &t_policy },
};
TYPE(t_policies, FORM_FILLED, m_policies);

/* RFC 5280, sections 4.2.1.5 and 4.2.1.11 */
static const struct member m_mapping[] = {
	{ DER_OID, REQUIRED, &t_oid },
	{ DER_OID, REQUIRED, &t_oid },
};
TYPE(t_mapping, FORM_SEQUENCE, m_mapping);
static const struct member m_mappings[] = {
	{ DER_SEQUENCE, REQUIRED, &t_mapping },
};
TYPE(t_mappings, FORM_FILLED, m_mappings);
static const struct member m_skip_certs[] = {
	{ 0x80, OPTIONAL, &t_integer },
	{ 0x81, OPTIONAL, &t_integer },
};
TYPE(t_policy_constraints, FORM_SEQUENCE, m_skip_certs);

/* RFC 5280, sections 4.2.1.8 and 4.2.1.9 */
static const struct member m_attributes[] = { { DER_SEQUENCE, REQUIRED,
    &t_x400 } };
TYPE(t_attributes, FORM_FILLED, m_attributes);
static const struct member m_basic_constraints[] = {
	{ DER_BOOLEAN, DEFAULT_FALSE, &t_boolean },
	{ DER_INTEGER, OPTIONAL, &t_integer },
};
TYPE(t_basic_constraints, FORM_SEQUENCE, m_basic_constraints);

/* RFC 5280, section 4.2.1.10: the base is a CHOICE, one row for each. */
#define BASE(tag, type)              \
	{                            \
		(tag), PICK, &(type) \
	}
static const struct member m_subtree[] = {
	BASE(0xa0, t_other_name),
	BASE(0x81, t_ia5),
	BASE(0x82, t_ia5),
	BASE(0xa3, t_x400),
	BASE(0xa4, t_explicit_name),
	BASE(0xa5, t_edi_party),
	BASE(0x86, t_ia5),
	BASE(0x87, t_octets),
	BASE(0x88, t_oid),
	{ 0x80, DEFAULT_ZERO, &t_integer },
	{ 0x81, OPTIONAL, &t_integer },
};
TYPE(t_subtree, FORM_SEQUENCE, m_subtree);
static const struct member m_subtrees[] = {
	{ DER_SEQUENCE, REQUIRED, &t_subtree },
};
TYPE(t_subtrees, FORM_FILLED, m_subtrees);
static const struct member m_name_constraints[] = {
	{ 0xa0, OPTIONAL, &t_subtrees },
	{ 0xa1, OPTIONAL, &t_subtrees },
};
TYPE(t_name_constraints, FORM_SEQUENCE, m_name_constraints);

/* RFC 5280, section 4.2.1.12, and RFC 6960, section 4.4.3 */
static const struct member m_oids[] = { { DER_OID, REQUIRED, &t_oid } };
TYPE(t_oids, FORM_FILLED, m_oids);

/* RFC 5280, sections 4.2.1.13 and 5.2.5 */
static const struct member m_point_name[] = {
	{ 0xa0, REQUIRED, &t_general_names },
	{ 0xa1, REQUIRED, &t_rdn },
};
TYPE(t_point_name, FORM_WRAP, m_point_name);
static const struct member m_point[] = {
	{ 0xa0, OPTIONAL, &t_point_name },
	{ 0x81, OPTIONAL, &t_bits },
	{ 0xa2, OPTIONAL, &t_general_names },
};
TYPE(t_point, FORM_SEQUENCE, m_point);
static const struct member m_points[] = {
	{ DER_SEQUENCE, REQUIRED, &t_point },
};
TYPE(t_points, FORM_FILLED, m_points);
static const struct member m_idp[] = {
	{ 0xa0, OPTIONAL, &t_point_name },
	{ 0x81, DEFAULT_FALSE, &t_boolean },
	{ 0x82, DEFAULT_FALSE, &t_boolean },
	{ 0x83, OPTIONAL, &t_bits },
	{ 0x84, DEFAULT_FALSE, &t_boolean },
	{ 0x85, DEFAULT_FALSE, &t_boolean },
};
TYPE(t_idp, FORM_SEQUENCE, m_idp);

/* RFC 5280, section 4.2.2.1 */
static const struct member m_access[] = {
	{ DER_OID, REQUIRED, &t_oid },
	{ 0xa0, PICK, &t_other_name },
	{ 0x81, PICK, &t_ia5 },
	{ 0x82, PICK, &t_ia5 },
	{ 0xa3, PICK, &t_x400 },
	{ 0xa4, PICK, &t_explicit_name },
	{ 0xa5, PICK, &t_edi_party },
	{ 0x86, PICK, &t_ia5 },
	{ 0x87, PICK, &t_octets },
	{ 0x88, PICK, &t_oid },
};
TYPE(t_access, FORM_SEQUENCE, m_access);
static const struct member m_info_access[] = {
	{ DER_SEQUENCE, REQUIRED, &t_access },
};
TYPE(t_info_access, FORM_FILLED, m_info_access);

/* RFC 3280, section 4.2.1.4: privateKeyUsagePeriod */
static const struct member m_period[] = {
	{ 0x80, OPTIONAL, &t_time },
	{ 0x81, OPTIONAL, &t_time },
};
TYPE(t_period, FORM_SEQUENCE, m_period);

/* RFC 7633 */
TYPE(t_features, FORM_LIST, m_integers);

/* EVG, section 9.8.2: cabfOrganizationIdentifier; SBR, section 7.1.2.3 */
static const struct member m_organization[] = {
	{ DER_PRINTABLE_STRING, REQUIRED, &t_printable },
	{ DER_PRINTABLE_STRING, REQUIRED, &t_printable },
	{ 0x80, OPTIONAL, &t_printable },
	{ DER_UTF8_STRING, REQUIRED, &t_utf8 },
};
TYPE(t_organization, FORM_SEQUENCE, m_organization);

/* RFC 6960, sections 4.4.2 and 4.4.6 */
static const struct member m_explicit_ia5[] = {
	{ DER_IA5_STRING, REQUIRED, &t_ia5 },
};
TYPE(t_explicit_ia5, FORM_WRAP, m_explicit_ia5);
TYPE(t_explicit_integer, FORM_WRAP, m_integers);
static const struct member m_explicit_time[] = {
	{ DER_GENERALIZED_TIME, REQUIRED, &t_time },
};
TYPE(t_explicit_time, FORM_WRAP, m_explicit_time);
static const struct member m_crl_id[] = {
	{ 0xa0, OPTIONAL, &t_explicit_ia5 },
	{ 0xa1, OPTIONAL, &t_explicit_integer },
	{ 0xa2, OPTIONAL, &t_explicit_time },
};
TYPE(t_crl_id, FORM_SEQUENCE, m_crl_id);
static const struct member m_locator[] = {
	{ DER_SEQUENCE, REQUIRED, &t_name },
	{ DER_SEQUENCE, OPTIONAL, &t_info_access },
};
TYPE(t_locator, FORM_SEQUENCE, m_locator);

#define CE(n)                 \
	3,                    \
	{                     \
		0x55, 0x1d, n \
	}
#define PE(n)                                               \
	8,                                                  \
	{                                                   \
		0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, n \
	}
#define OCSP_EXT(n)                                               \
	9,                                                        \
	{                                                         \
		0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, n \
	}
#define CT(n)                                                           \
	10,                                                             \
	{                                                               \
		0x2b, 0x06, 0x01, 0x04, 0x01, 0xd6, 0x79, 0x02, 0x04, n \
	}

/* Extensions whose value is one element with this identifier octet. */
static const struct {
	size_t len;
	unsigned char oid[12];
	struct member value;
	bool filled; /* a SEQUENCE of OPTIONAL members that may not be empty */
} extensions[] = {
	{ CE(9), { DER_SEQUENCE, REQUIRED, &t_attributes }, false },
	{ CE(14), { DER_OCTET_STRING, REQUIRED, &t_octets }, false },
	{ CE(15), { DER_BIT_STRING, REQUIRED, &t_bits }, false },
	{ CE(16), { DER_SEQUENCE, REQUIRED, &t_period }, true },
	{ CE(17), { DER_SEQUENCE, REQUIRED, &t_general_names }, true },
	{ CE(18), { DER_SEQUENCE, REQUIRED, &t_general_names }, true },
	{ CE(19), { DER_SEQUENCE, REQUIRED, &t_basic_constraints }, false },
	{ CE(20), { DER_INTEGER, REQUIRED, &t_integer }, false },
	{ CE(21), { DER_ENUMERATED, REQUIRED, &t_integer }, false },
	{ CE(23), { DER_OID, REQUIRED, &t_oid }, false },
	{ CE(24), { DER_GENERALIZED_TIME, REQUIRED, &t_time }, false },
	{ CE(27), { DER_INTEGER, REQUIRED, &t_integer }, false },
	{ CE(28), { DER_SEQUENCE, REQUIRED, &t_idp }, false },
	{ CE(29), { DER_SEQUENCE, REQUIRED, &t_general_names }, true },
	{ CE(30), { DER_SEQUENCE, REQUIRED, &t_name_constraints }, true },
	{ CE(31), { DER_SEQUENCE, REQUIRED, &t_points }, true },
	{ CE(32), { DER_SEQUENCE, REQUIRED, &t_policies }, true },
	{ CE(33), { DER_SEQUENCE, REQUIRED, &t_mappings }, true },
	{ CE(35), { DER_SEQUENCE, REQUIRED, &t_aki }, false },
	{ CE(36), { DER_SEQUENCE, REQUIRED, &t_policy_constraints }, true },
	{ CE(37), { DER_SEQUENCE, REQUIRED, &t_oids }, true },
	{ CE(46), { DER_SEQUENCE, REQUIRED, &t_points }, true },
	{ CE(54), { DER_INTEGER, REQUIRED, &t_integer }, false },
	{ CE(56), { DER_NULL, REQUIRED, &t_null }, false },
	{ CE(60), { DER_GENERALIZED_TIME, REQUIRED, &t_time }, false },
	{ PE(1), { DER_SEQUENCE, REQUIRED, &t_info_access }, true },
	{ PE(11), { DER_SEQUENCE, REQUIRED, &t_info_access }, true },
	{ PE(24), { DER_SEQUENCE, REQUIRED, &t_features }, true },
	{ OCSP_EXT(3), { DER_SEQUENCE, REQUIRED, &t_crl_id }, false },
	{ OCSP_EXT(4), { DER_SEQUENCE, REQUIRED, &t_oids }, true },
	{ OCSP_EXT(5), { DER_NULL, REQUIRED, &t_null }, false },
	{ OCSP_EXT(6), { DER_GENERALIZED_TIME, REQUIRED, &t_time }, false },
	{ OCSP_EXT(7), { DER_SEQUENCE, REQUIRED, &t_locator }, false },
	{ OCSP_EXT(9), { DER_NULL, REQUIRED, &t_null }, false },
	{ OCSP_EXT(2), { DER_OCTET_STRING, REQUIRED, &t_octets }, false },
	{ CT(2), { DER_OCTET_STRING, REQUIRED, &t_octets }, false },
	{ CT(3), { DER_NULL, REQUIRED, &t_null }, false },
	{ CT(5), { DER_OCTET_STRING, REQUIRED, &t_octets }, false },
	{ 5, { 0x67, 0x81, 0x0c, 0x03, 0x01 },
	    { DER_SEQUENCE, REQUIRED, &t_organization }, false },
};
enum { EXTENSION_COUNT = sizeof extensions / sizeof *extensions };

/* Where the first list without an element stands, beside the first fault. */
struct walk {
	struct der_fault fault, empty;
};

static bool
fail(struct walk *walk, const unsigned char *at, const char *text)
{
	walk->fault = (struct der_fault){ at, text };
	return false;
}

static bool check_type(const struct type *type, struct der element,
    struct der content, struct walk *walk);

/* X.690, 11.2.2: no zero bits at the end. */
static bool
check_bits(struct der element, struct der content, struct walk *walk)
{
	const char *fault = der_content_fault(DER_BIT_STRING, content);
	size_t last = content.len - 1;

	if (fault != NULL)
		return fail(walk, element.p, fault);
	if (content.len > 1 && (content.p[last] >> content.p[0] & 1) == 0)
		return fail(walk, element.p,
		    "a named bit list has zero bits at its end");
	return true;
}

static bool
check_default(const struct member *member, struct der element,
    struct der content, struct walk *walk)
{
	if ((member->need == DEFAULT_FALSE || member->need == DEFAULT_ZERO) &&
	    content.len == 1 && content.p[0] == 0)
		return fail(walk, element.p,
		    member->need == DEFAULT_FALSE
			? "the DEFAULT value FALSE is encoded"
			: "the DEFAULT value 0 is encoded");
	return true;
}

/* The element in front, which must be this member. */
static bool
take_member(const struct member *member, struct der *in, struct walk *walk)
{
	struct der content, element, rest = *in;
	struct der_fault fault;

	if (!der_take_any(&rest, &content, &element)) {
		(void)der_check(in->p, in->len, &fault);
		return fail(walk, in->p, fault.text);
	}
	*in = rest;
	return check_default(member, element, content, walk) &&
	    check_type(member->type, element, content, walk);
}

static bool
fits(const struct member *member, const struct der *in)
{
	return in->len > 0 && (member->tag == 0 || member->tag == in->p[0]);
}

static bool
missing(struct der element, struct der in, struct walk *walk)
{
	return fail(walk, in.len > 0 ? in.p : element.p,
	    "a part is missing, or of another type than the standard's");
}

/* The rows of a CHOICE, from *i on, which is set to the last of them. */
static bool
check_pick(const struct type *type, size_t *i, struct der element,
    struct der *in, struct walk *walk)
{
	enum need need = type->members[*i].need;
	size_t end = *i, picked;

	while (end < type->count && type->members[end].need == need)
		end++;
	for (picked = *i; picked < end; picked++)
		if (fits(&type->members[picked], in))
			break;
	*i = end - 1;
	if (picked < end)
		return take_member(&type->members[picked], in, walk);
	return need == PICK_OPTIONAL || missing(element, *in, walk);
}

static bool
check_members(const struct type *type, struct der element, struct der in,
    struct walk *walk)
{
	for (size_t i = 0; i < type->count; i++) {
		const struct member *member = &type->members[i];

		if (member->need == PICK || member->need == PICK_OPTIONAL) {
			if (!check_pick(type, &i, element, &in, walk))
				return false;
		} else if (fits(member, &in)) {
			if (!take_member(member, &in, walk))
				return false;
		} else if (member->need == REQUIRED)
			return missing(element, in, walk);
	}
	return in.len == 0 ||
	    fail(walk, in.p, "a part is of no type that may stand here");
}

/* The first member that fits, whatever follows. */
static bool
take_choice(const struct type *type, struct der *in, struct walk *walk)
{
	for (size_t i = 0; i < type->count; i++)
		if (fits(&type->members[i], in))
			return take_member(&type->members[i], in, walk);
	return fail(walk, in->p, "a part is of no type that may stand here");
}

static bool
check_wrapped(const struct type *type, struct der element, struct der in,
    struct walk *walk)
{
	if (in.len == 0)
		return fail(walk, element.p, "an EXPLICIT tag holds nothing");
	if (!take_choice(type, &in, walk))
		return false;
	return in.len == 0 ||
	    fail(walk, in.p, "an EXPLICIT tag holds more than one element");
}

static bool
check_list(const struct type *type, struct der element, struct der in,
    struct walk *walk)
{
	struct der last = { NULL, 0 };

	if (in.len == 0 && type->form != FORM_LIST && walk->empty.at == NULL)
		walk->empty = (struct der_fault){ element.p,
			"a list that must have an element has none" };
	while (in.len > 0) {
		struct der start = in, now;

		if (!take_choice(type, &in, walk))
			return false;
		now = (struct der){ start.p, start.len - in.len };
		if (type->form == FORM_SET && last.p != NULL &&
		    !der_set_order(last, now))
			return fail(
			    walk, now.p, "a SET is not in ascending order");
		last = now;
	}
	return true;
}

static bool
check_type(const struct type *type, struct der element, struct der content,
    struct walk *walk)
{
	const char *fault;

	switch (type->form) {
	case FORM_CONTENT:
		fault = der_content_fault(type->number, content);
		return fault == NULL || fail(walk, element.p, fault);
	case FORM_BITS:
		return check_bits(element, content, walk);
	case FORM_SEQUENCE:
		return check_members(type, element, content, walk);
	case FORM_LIST:
	case FORM_FILLED:
	case FORM_SET:
		return check_list(type, element, content, walk);
	case FORM_WRAP:
		return check_wrapped(type, element, content, walk);
	case FORM_ANY:
		return der_check(element.p, element.len, &walk->fault);
	}
	return false;
}

/* The row of this extension; EXTENSION_COUNT: none. */
static size_t
row_of(struct der oid)
{
	size_t i = 0;

	while (i < EXTENSION_COUNT &&
	    !der_equal(oid, extensions[i].oid, extensions[i].len))
		i++;
	return i;
}

static bool
check_row(size_t row, struct der value, struct walk *walk)
{
	const struct member *member = &extensions[row].value;
	struct der in = value, content;

	if (!fits(member, &in))
		return fail(walk, value.p,
		    "the value is of another type than the standard's");
	if (der_take_any(&in, &content, NULL) && content.len == 0 &&
	    extensions[row].filled)
		walk->empty = (struct der_fault){ value.p,
			"the value is an empty SEQUENCE" };
	in = value;
	return take_member(member, &in, walk);
}

bool
der_extension_check(
    struct der oid, struct der value, struct der_fault *ret_fault)
{
	struct walk walk = { { NULL, NULL }, { NULL, NULL } };
	size_t row = row_of(oid);

	if (!der_check(value.p, value.len, ret_fault))
		return false;
	if (row == EXTENSION_COUNT || check_row(row, value, &walk))
		return true;
	*ret_fault = walk.fault;
	return false;
}

bool
der_extension_is_filled(
    struct der oid, struct der value, struct der_fault *ret_fault)
{
	struct walk walk = { { NULL, NULL }, { NULL, NULL } };
	size_t row = row_of(oid);

	if (row == EXTENSION_COUNT)
		return true;
	(void)check_row(row, value, &walk);
	if (walk.empty.at == NULL)
		return true;
	*ret_fault = walk.empty;
	return false;
}

static bool
extension_check(struct der element, struct der in, struct der_fault *ret_fault)
{
	struct der oid, value, critical, whole;

	if (!der_take(&in, DER_OID, &oid, NULL)) {
		*ret_fault = (struct der_fault){ element.p,
			"an extension has no OBJECT IDENTIFIER" };
		return false;
	}
	if (der_take(&in, DER_BOOLEAN, &critical, &whole) &&
	    critical.len == 1 && critical.p[0] == 0) {
		*ret_fault = (struct der_fault){ whole.p,
			"an extension's critical FALSE is encoded, which is "
			"its DEFAULT" };
		return false;
	}
	if (!der_take(&in, DER_OCTET_STRING, &value, NULL) || in.len != 0) {
		*ret_fault = (struct der_fault){ element.p,
			"an extension has no value, or more than one" };
		return false;
	}
	return der_extension_check(oid, value, ret_fault);
}

bool
der_extensions_check(struct der in, struct der_fault *ret_fault)
{
	struct der content, element;

	while (in.len > 0) {
		if (!der_take(&in, DER_SEQUENCE, &content, &element)) {
			*ret_fault = (struct der_fault){ in.p,
				"an extension is no SEQUENCE" };
			return false;
		}
		if (!extension_check(element, content, ret_fault))
			return false;
	}
	return true;
}
