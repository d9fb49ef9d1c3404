#include "profiles/lint/subscriber.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <openssl/err.h>

#include "base/error.h"

/* ---- names and text ---------------------------------------------------- */

struct der
san_names(const struct lint_extensions *extensions)
{
	const struct lint_extension *san =
	    lint_extension(extensions, NID_subject_alt_name);
	struct der names = { NULL, 0 }, in;

	if (san == NULL)
		return names;
	in = san->value;
	(void)der_take(&in, DER_SEQUENCE, &names, NULL);
	return names;
}

bool
general_name_next(struct der *names, struct general_name *ret_name)
{
	struct general_name name;

	if (names->len == 0 ||
	    !der_take_any(names, &name.content, &name.element))
		return false;
	name.tag = name.element.p[0];
	*ret_name = name;
	return true;
}

const char *
general_name_type(unsigned tag)
{
	static const struct {
		unsigned tag;
		const char *name;
	} types[] = {
		{ GENERAL_OTHER, "otherName" },
		{ GENERAL_MAIL, "rfc822Name" },
		{ GENERAL_DNS, "dNSName" },
		{ GENERAL_X400, "x400Address" },
		{ GENERAL_DIRECTORY, "directoryName" },
		{ GENERAL_EDI, "ediPartyName" },
		{ GENERAL_URI, "uniformResourceIdentifier" },
		{ GENERAL_IP, "iPAddress" },
		{ GENERAL_ID, "registeredID" },
	};

	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (types[i].tag == tag)
			return types[i].name;
	return "unknown name";
}

const char *
shown(struct der octets, char buf[static SHOWN_SIZE])
{
	static const char more[] = "...", nul[] = "<NUL>";
	size_t n = 0;

	for (size_t i = 0; i < octets.len; i++) {
		if (n + sizeof nul + sizeof more > SHOWN_SIZE) {
			memcpy(buf + n, more, sizeof more - 1);
			n += sizeof more - 1;
			break;
		}
		if (octets.p[i] != '\0') {
			buf[n++] = (char)octets.p[i];
			continue;
		}
		memcpy(buf + n, nul, sizeof nul - 1);
		n += sizeof nul - 1;
	}
	buf[n] = '\0';
	return buf;
}

const char *
oid_text(const ASN1_OBJECT *object, char buf[static OID_TEXT_SIZE])
{
	int len = OBJ_obj2txt(buf, OID_TEXT_SIZE, object, 1);

	if (len <= 0 || len >= OID_TEXT_SIZE)
		buf[0] = '\0';
	return buf;
}

struct der
where_is(const struct lint_run *run, int nid)
{
	const struct lint_extension *extension =
	    lint_extension(run->extensions, nid);

	return extension != NULL ? extension->element : (struct der){ NULL, 0 };
}

/* ---- validity ---------------------------------------------------------- */

int64_t
validity_seconds(const struct lint_certificate *certificate)
{
	const struct lint_time *from = &certificate->not_before,
			       *until = &certificate->not_after;

	if (!from->valid || !until->valid || until->seconds < from->seconds)
		return 0;
	return until->seconds - from->seconds + 1;
}

int64_t
validity_days(const struct lint_certificate *certificate)
{
	return (validity_seconds(certificate) + DAY - 1) / DAY;
}

/* ---- the subject ------------------------------------------------------- */

const struct lint_attribute *
attribute_of(const struct lint_name *name, int nid)
{
	for (size_t i = 0; i < name->count; i++)
		if (name->parts[i].nid == nid)
			return &name->parts[i];
	return NULL;
}

static enum attribute_use
use_of(const struct attribute_table *table, int nid)
{
	for (size_t i = 0; i < table->count; i++)
		if (table->rows[i].nid == nid)
			return table->rows[i].use;
	return table->others;
}

/* "organizationName", or the dotted form of what has no name. */
static const char *
attribute_name(
    const struct lint_attribute *attribute, char buf[static OID_TEXT_SIZE])
{
	const unsigned char *p = attribute->element.p;
	AUTO(ASN1_OBJECT) *object = NULL;
	struct der in = attribute->element, body, oid;

	if (attribute->nid != NID_undef)
		return OBJ_nid2ln(attribute->nid);
	buf[0] = '\0';
	(void)ERR_set_mark();
	if (der_take(&in, DER_SEQUENCE, &body, NULL) &&
	    der_take(&body, DER_OID, NULL, &oid)) {
		p = oid.p;
		object = d2i_ASN1_OBJECT(NULL, &p, (long)oid.len);
	}
	if (object != NULL)
		(void)oid_text(object, buf);
	(void)ERR_pop_to_mark();
	return buf[0] != '\0' ? buf : "an unnamed attribute";
}

static void
lint_attribute_use(const struct lint_run *run,
    const struct attribute_table *table, const struct lint_attribute *attribute)
{
	char buf[OID_TEXT_SIZE];
	enum attribute_use use = use_of(table, attribute->nid);

	if (use == ATTRIBUTE_FORBIDDEN)
		lint_found(run, attribute->element,
		    "the subject has %s, which %s must not have",
		    attribute_name(attribute, buf), table->kind);
	if (use == ATTRIBUTE_DISCOURAGED)
		lint_discouraged(run, attribute->element,
		    "the subject has %s, which is not recommended in %s",
		    attribute_name(attribute, buf), table->kind);
}

void
lint_attributes(const struct lint_run *run, const struct attribute_table *table)
{
	for (size_t i = 0; i < run->subject->count; i++)
		lint_attribute_use(run, table, &run->subject->parts[i]);
	for (size_t i = 0; i < table->count; i++)
		if (table->rows[i].use == ATTRIBUTE_REQUIRED &&
		    attribute_of(run->subject, table->rows[i].nid) == NULL)
			lint_found(run, run->subject->element,
			    "the subject has no %s, which %s must have",
			    OBJ_nid2ln(table->rows[i].nid), table->kind);
}

void
lint_place(const struct lint_run *run, const char *kind)
{
	if (attribute_of(run->subject, NID_stateOrProvinceName) == NULL &&
	    attribute_of(run->subject, NID_localityName) == NULL)
		lint_found(run, run->subject->element,
		    "the subject has neither stateOrProvinceName nor "
		    "localityName; %s must have one",
		    kind);
}

int
attribute_text(const struct lint_attribute *attribute, unsigned char **ret_text,
    size_t *ret_len)
{
	ASN1_STRING *string = NULL;
	unsigned char *text = NULL, *copy;
	int len = -1;

	string = ASN1_STRING_type_new((int)attribute->tag);
	if (string != NULL && attribute->value.len <= INT32_MAX &&
	    ASN1_STRING_set(
		string, attribute->value.p, (int)attribute->value.len) == 1)
		len = ASN1_STRING_to_UTF8(&text, string);
	ASN1_STRING_free(string);
	if (len < 0)
		return ca_error(
		    CA_R_INPUT, "an attribute is no character string");
	copy = malloc((size_t)len + 1);
	if (copy == NULL) {
		OPENSSL_free(text);
		return ca_error(CA_R_MEMORY, "no memory for an attribute");
	}
	memcpy(copy, text, (size_t)len);
	copy[len] = '\0';
	OPENSSL_free(text);
	*ret_text = copy;
	*ret_len = (size_t)len;
	return 0;
}

/* Words that mean that there is nothing, and that nothing is called by. */
static bool
says_nothing(const char *text)
{
	static const char *const words[] = { "n/a", "n.a.", "not applicable",
		"not available", "not provided", "not specified", "undefined",
		"unspecified" };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcasecmp(text, words[i]) == 0)
			return true;
	return false;
}

static bool
is_metadata(const struct lint_attribute *attribute)
{
	AUTO_BYTES(text) = NULL;
	size_t len;
	bool tells = false;

	if (attribute_text(attribute, &text, &len) != 0) {
		ca_error_clear();
		return false;
	}
	for (size_t i = 0; i < len; i++)
		tells = tells || text[i] > 0x7f || is_ascii_alnum(text[i]);
	return !tells || says_nothing((const char *)text);
}

void
lint_metadata(const struct lint_run *run)
{
	const struct lint_name *subject = run->subject;
	char buf[SHOWN_SIZE];

	for (size_t i = 0; i < subject->count; i++)
		if (is_metadata(&subject->parts[i]))
			lint_found(run, subject->parts[i].element,
			    "the value '%s' of a subject attribute only says "
			    "that there is none; leave the attribute out",
			    shown(subject->parts[i].value, buf));
}

static const char *const business_categories[4] = {
	"Private Organization",
	"Government Entity",
	"Business Entity",
	"Non-Commercial Entity",
};

void
lint_business_category(const struct lint_run *run)
{
	const struct lint_attribute *category =
	    attribute_of(run->subject, NID_businessCategory);
	char buf[SHOWN_SIZE];

	if (category == NULL)
		return;
	for (size_t i = 0; i < 4; i++)
		if (der_equal(category->value,
			(const unsigned char *)business_categories[i],
			strlen(business_categories[i])))
			return;
	lint_found(run, category->element,
	    "businessCategory is '%s'; it must be Private Organization, "
	    "Government Entity, Business Entity or Non-Commercial Entity",
	    shown(category->value, buf));
}

/* ---- organizationIdentifier -------------------------------------------- */

static bool
is_upper(struct der text, size_t len)
{
	if (text.len != len)
		return false;
	for (size_t i = 0; i < len; i++)
		if (text.p[i] < 'A' || text.p[i] > 'Z')
			return false;
	return true;
}

static bool
is_alnum_text(struct der text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!is_ascii_alnum(text.p[i]))
			return false;
	return true;
}

bool
organization_id_parse(struct der text, struct organization_id *ret_id)
{
	enum { SCHEME = 3, COUNTRY = 2, SUBDIVISION_MAX = 3 };
	const unsigned char *hyphen =
	    text.len > 0 ? memchr(text.p, '-', text.len) : NULL;
	struct organization_id id = { .reference = { NULL, 0 } };
	size_t head = hyphen != NULL ? (size_t)(hyphen - text.p) : text.len;

	if (head < SCHEME + COUNTRY)
		return false;
	id.scheme = (struct der){ text.p, SCHEME };
	id.country = (struct der){ text.p + SCHEME, COUNTRY };
	id.subdivision =
	    (struct der){ text.p + SCHEME + COUNTRY, head - SCHEME - COUNTRY };
	if (hyphen != NULL)
		id.reference = (struct der){ hyphen + 1, text.len - head - 1 };
	if (!is_upper(id.scheme, SCHEME) || !is_upper(id.country, COUNTRY) ||
	    (hyphen != NULL && id.reference.len == 0))
		return false;
	if (id.subdivision.len > 0) {
		if (id.subdivision.p[0] != '+' || id.subdivision.len < 2 ||
		    id.subdivision.len > SUBDIVISION_MAX + 1)
			return false;
		id.subdivision.p++;
		id.subdivision.len--;
	}
	*ret_id = id;
	return is_alnum_text(id.subdivision);
}

/* ---- pointers ---------------------------------------------------------- */

static bool
is_http(const GENERAL_NAME *name)
{
	static const char http[] = "http://";
	const ASN1_STRING *uri;

	if (name->type != GEN_URI)
		return false;
	uri = name->d.uniformResourceIdentifier;
	return (size_t)ASN1_STRING_length(uri) > strlen(http) &&
	    strncasecmp((const char *)ASN1_STRING_get0_data(uri), http,
		strlen(http)) == 0;
}

static int
count_access(const struct lint_values *values, int method, bool http)
{
	int rows = values->info_access != NULL
	    ? sk_ACCESS_DESCRIPTION_num(values->info_access)
	    : 0;
	int count = 0;

	for (int i = 0; i < rows; i++) {
		const ACCESS_DESCRIPTION *row =
		    sk_ACCESS_DESCRIPTION_value(values->info_access, i);

		if (OBJ_obj2nid(row->method) == method &&
		    (!http || is_http(row->location)))
			count++;
	}
	return count;
}

int
access_count(const struct lint_values *values, int method)
{
	return count_access(values, method, false);
}

int
access_http_count(const struct lint_values *values, int method)
{
	return count_access(values, method, true);
}

static int
count_names(const GENERAL_NAMES *names, int *http)
{
	int count = sk_GENERAL_NAME_num(names);

	for (int i = 0; i < count; i++)
		if (is_http(sk_GENERAL_NAME_value(names, i)))
			(*http)++;
	return count;
}

int
crl_uri_count(const struct lint_values *values, int *ret_http)
{
	int points = values->crl_points != NULL
	    ? sk_DIST_POINT_num(values->crl_points)
	    : 0;
	int count = 0;

	*ret_http = 0;
	for (int i = 0; i < points; i++) {
		const DIST_POINT *point =
		    sk_DIST_POINT_value(values->crl_points, i);

		if (point->distpoint != NULL && point->distpoint->type == 0)
			count += count_names(
			    point->distpoint->name.fullname, ret_http);
	}
	return count;
}

/* ---- key usage --------------------------------------------------------- */

void
lint_usage_bits(const struct lint_run *run, unsigned allowed, const char *kind)
{
	static const char *const names[] = { "digitalSignature",
		"nonRepudiation", "keyEncipherment", "dataEncipherment",
		"keyAgreement", "keyCertSign", "cRLSign", "encipherOnly",
		"decipherOnly" };
	unsigned usage = lint_key_usage(run->values);

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if ((usage & ~allowed & 1u << i) != 0)
			lint_found(run, where_is(run, NID_key_usage),
			    "keyUsage has %s, which %s must not have", names[i],
			    kind);
}
