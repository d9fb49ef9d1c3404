#include "profiles/csr-names.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "profiles/general-name.h"
#include "profiles/input.h"
#include "profiles/name.h"

CLEANUP_DEFINE(ASN1_BIT_STRING, ASN1_BIT_STRING_free);
CLEANUP_DEFINE(EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free);

/* A request with more is made to hurt. */
enum { NAMES_MAX = 64, ALT_NAMES_MAX = 4096, SHOWN_MAX = 8 };

void
csr_names_clear(struct csr *csr)
{
	for (size_t i = 0; i < csr->owned_count; i++)
		free(csr->owned[i]);
	free(csr->owned);
	free(csr->names);
	free(csr->alt_names);
	free(csr->alternative);
}

/* Keep a malloc'd text, or NULL where there was no memory for it. */
static const char *
keep(struct csr *csr, char *text)
{
	char **list;

	if (text == NULL)
		return NULL;
	list = realloc(csr->owned, (csr->owned_count + 1) * sizeof *list);
	if (list == NULL) {
		free(text);
		(void)ca_error(CA_R_MEMORY, "no memory for a name");
		return NULL;
	}
	csr->owned = list;
	return list[csr->owned_count++] = text;
}

/* ---- the subject ------------------------------------------------------ */

/* Its name in profiles, or its OID; malloc'd. */
static char *
attribute_text(const ASN1_OBJECT *object)
{
	const struct attribute *row = attribute_by_nid(OBJ_obj2nid(object));
	char oid[128];

	if (row != NULL)
		return text_copy(row->name);
	(void)OBJ_obj2txt(oid, sizeof oid, object, 1);
	return text_copy(oid);
}

/* UTF-8 without NUL; malloc'd. */
static char *
value_text(const ASN1_STRING *string)
{
	AUTO_DER(utf8) = NULL;
	int len = ASN1_STRING_to_UTF8(&utf8, string);

	if (len >= 0 && text_is_utf8((const char *)utf8, (size_t)len) &&
	    memchr(utf8, '\0', (size_t)len) == NULL)
		return text_printf("%.*s", len, (const char *)utf8);
	(void)ca_error(CA_R_INPUT,
	    "the subject has a value that is not text of the string type that "
	    "it claims");
	return NULL;
}

static int
read_entry(const X509_NAME_ENTRY *entry, struct csr *csr)
{
	struct name_value *row = &csr->names[csr->name_count];

	row->attribute =
	    keep(csr, attribute_text(X509_NAME_ENTRY_get_object(entry)));
	row->value = keep(csr, value_text(X509_NAME_ENTRY_get_data(entry)));
	if (row->attribute == NULL || row->value == NULL)
		return -1;
	csr->name_count++;
	return 0;
}

static int
read_subject(const X509_REQ *req, struct csr *csr)
{
	const X509_NAME *name = X509_REQ_get_subject_name(req);
	int count = X509_NAME_entry_count(name);

	if (count > NAMES_MAX)
		return ca_error(
		    CA_R_INPUT, "the subject has %d attributes", count);
	csr->names = calloc((size_t)count + 1, sizeof *csr->names);
	if (csr->names == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a name");
	for (int i = 0; i < count; i++)
		if (read_entry(X509_NAME_get_entry(name, i), csr) != 0)
			return -1;
	return 0;
}

/* ---- alternative names ------------------------------------------------ */

static bool
is_of_four(const GENERAL_NAME *name)
{
	int type;

	(void)GENERAL_NAME_get0_value(name, &type);
	return type == GEN_DNS || type == GEN_IPADD || type == GEN_EMAIL ||
	    type == GEN_URI;
}

static int
read_alt_name(const GENERAL_NAME *name, struct csr *csr)
{
	struct alt_name *row = &csr->alt_names[csr->alt_count];
	char *text = NULL;

	if (!is_of_four(name)) {
		csr->alt_others++;
		return 0;
	}
	if (general_name_text(name, &row->type, &text) != 0)
		return -1;
	row->value = keep(csr, text);
	if (row->value == NULL)
		return -1;
	csr->alt_count++;
	return 0;
}

/* For people: the first few, and how many more there are. */
static int
describe(const GENERAL_NAMES *names, struct csr *csr)
{
	AUTO_CHARS(text) = text_copy("");
	int count = sk_GENERAL_NAME_num(names);

	for (int i = 0; text != NULL && i < count && i < SHOWN_MAX; i++) {
		AUTO_CHARS(one) =
		    general_name_describe(sk_GENERAL_NAME_value(names, i));
		char *longer = one == NULL
		    ? NULL
		    : text_printf("%s%s%s", text, i > 0 ? ", " : "", one);

		free(text);
		text = longer;
	}
	if (text != NULL && count > SHOWN_MAX) {
		char *longer =
		    text_printf("%s, and %d more", text, count - SHOWN_MAX);

		free(text);
		text = longer;
	}
	csr->alternative = TAKE(text);
	return csr->alternative != NULL ? 0 : -1;
}

static int
read_alt_names(const STACK_OF(X509_EXTENSION) *extensions, struct csr *csr)
{
	int critical;
	AUTO(GENERAL_NAMES) *names =
	    X509V3_get_d2i(extensions, NID_subject_alt_name, &critical, NULL);
	int count = names != NULL ? sk_GENERAL_NAME_num(names) : 0;

	if (names == NULL && critical != -1)
		return ca_error(CA_R_INPUT, "its subjectAltName is malformed");
	if (count > ALT_NAMES_MAX)
		return ca_error(
		    CA_R_INPUT, "it asks for %d alternative names", count);
	csr->alt_names = calloc((size_t)count + 1, sizeof *csr->alt_names);
	if (csr->alt_names == NULL)
		return ca_error(CA_R_MEMORY, "no memory for names");
	for (int i = 0; i < count; i++)
		if (read_alt_name(sk_GENERAL_NAME_value(names, i), csr) != 0)
			return -1;
	return describe(names, csr);
}

/* ---- what it asks for ------------------------------------------------- */

/* NULL in *ret_value where it is absent. */
static int
decode(const STACK_OF(X509_EXTENSION) *extensions, int nid, void **ret_value)
{
	int critical;

	*ret_value = X509V3_get_d2i(extensions, nid, &critical, NULL);
	if (*ret_value == NULL && critical != -1)
		return ca_error(CA_R_INPUT,
		    "it asks for an extension %s that is malformed",
		    OBJ_nid2sn(nid));
	return 0;
}

static int
read_ca(const STACK_OF(X509_EXTENSION) *extensions, struct csr *csr)
{
	AUTO(BASIC_CONSTRAINTS) *bc = NULL;
	void *value;

	if (decode(extensions, NID_basic_constraints, &value) != 0)
		return -1;
	bc = value;
	if (bc != NULL && bc->ca != 0)
		csr->asks |= CSR_ASKS_CA;
	return 0;
}

static int
read_usage(const STACK_OF(X509_EXTENSION) *extensions, struct csr *csr)
{
	enum { KEY_CERT_SIGN = 5, CRL_SIGN = 6 };
	AUTO(ASN1_BIT_STRING) *usage = NULL;
	void *value;

	if (decode(extensions, NID_key_usage, &value) != 0)
		return -1;
	usage = value;
	if (usage != NULL &&
	    (ASN1_BIT_STRING_get_bit(usage, KEY_CERT_SIGN) == 1 ||
		ASN1_BIT_STRING_get_bit(usage, CRL_SIGN) == 1))
		csr->asks |= CSR_ASKS_CERT_SIGN;
	return 0;
}

static int
read_purposes(const STACK_OF(X509_EXTENSION) *extensions, struct csr *csr)
{
	AUTO(EXTENDED_KEY_USAGE) *purposes = NULL;
	void *value;

	if (decode(extensions, NID_ext_key_usage, &value) != 0)
		return -1;
	purposes = value;
	for (int i = 0; i < sk_ASN1_OBJECT_num(purposes); i++) {
		int nid = OBJ_obj2nid(sk_ASN1_OBJECT_value(purposes, i));

		if (nid == NID_OCSP_sign || nid == NID_anyExtendedKeyUsage)
			csr->asks |= CSR_ASKS_OCSP_SIGNING;
	}
	return 0;
}

static void
read_others(const STACK_OF(X509_EXTENSION) *extensions, struct csr *csr)
{
	static const int known[] = { NID_basic_constraints, NID_key_usage,
		NID_ext_key_usage, NID_subject_alt_name };

	for (int i = 0; i < sk_X509_EXTENSION_num(extensions); i++) {
		int nid = OBJ_obj2nid(X509_EXTENSION_get_object(
		    sk_X509_EXTENSION_value(extensions, i)));
		bool found = false;

		for (size_t j = 0; j < sizeof known / sizeof known[0]; j++)
			found |= nid == known[j];
		if (!found)
			csr->asks |= CSR_ASKS_MORE;
	}
}

static int
read_extensions(const STACK_OF(X509_EXTENSION) *extensions, struct csr *csr)
{
	if (input_check_extensions("the request", extensions) != 0 ||
	    read_alt_names(extensions, csr) != 0 ||
	    read_ca(extensions, csr) != 0 || read_usage(extensions, csr) != 0 ||
	    read_purposes(extensions, csr) != 0)
		return -1;
	read_others(extensions, csr);
	return 0;
}

/*
 * Values of extensionRequest, in all its attributes; RFC 2985, section 5.4.2:
 * it has one.  OpenSSL reads the first and says nothing of others.
 */
static int
requests_for_extensions(const X509_REQ *req)
{
	int count = 0;

	for (int i = 0; i < X509_REQ_get_attr_count(req); i++) {
		X509_ATTRIBUTE *attribute = X509_REQ_get_attr(req, i);
		int nid = OBJ_obj2nid(X509_ATTRIBUTE_get0_object(attribute));

		int values = X509_ATTRIBUTE_count(attribute);

		if (nid == NID_ext_req || nid == NID_ms_ext_req)
			count += values > 0 ? values : 1; /* malformed */
	}
	return count;
}

int
csr_read_names(X509_REQ *req, struct csr *csr)
{
	const int count = requests_for_extensions(req);
	STACK_OF(X509_EXTENSION) *extensions;
	int result;

	if (read_subject(req, csr) != 0)
		return -1;
	if (count > 1)
		return ca_error(CA_R_INPUT,
		    "it asks for extensions %d times: which are meant cannot "
		    "be told",
		    count);
	extensions = X509_REQ_get_extensions(req);
	if (extensions == NULL && count > 0)
		return ca_error(
		    CA_R_INPUT, "its extensionRequest is malformed");
	result = read_extensions(extensions, csr);
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
	return result;
}
