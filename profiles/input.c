#include "profiles/input.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/error.h"
#include "base/text.h"
#include "profiles/asn1.h"
#include "profiles/der/der.h"
#include "profiles/der/grammar.h"

static bool
is_blank(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct der
trim(struct der text)
{
	while (text.len > 0 && is_blank(text.p[0])) {
		text.p++;
		text.len--;
	}
	while (text.len > 0 && is_blank(text.p[text.len - 1]))
		text.len--;
	return text;
}

static bool
starts_with(struct der text, const char *prefix)
{
	size_t len = strlen(prefix);

	return text.len >= len && memcmp(text.p, prefix, len) == 0;
}

/* One block, from its first line to its last: found once, nothing outside. */
static int
check_frame(
    const char *name, const char *what, const char *label, struct der text)
{
	AUTO_CHARS(begin) = text_printf("-----BEGIN %s-----", label);
	AUTO_CHARS(end) = text_printf("-----END %s-----", label);
	const unsigned char *first;

	if (begin == NULL || end == NULL)
		return -1;
	if (!starts_with(text, begin))
		return ca_error(CA_R_INPUT,
		    "'%s' is not a %s: it begins neither with DER nor with "
		    "'%s'",
		    name, what, begin);
	first = memmem(text.p, text.len, end, strlen(end));
	if (first == NULL)
		return ca_error(
		    CA_R_INPUT, "'%s' is cut off: '%s' is missing", name, end);
	if (first + strlen(end) != text.p + text.len)
		return ca_error(CA_R_INPUT,
		    "'%s' holds something behind its %s; give one only", name,
		    what);
	return 0;
}

static int
read_pem(const char *name, const char *what, struct der text,
    unsigned char **ret_der, size_t *ret_len)
{
	AUTO(BIO) *bio = BIO_new_mem_buf(text.p, (int)text.len);
	char *label = NULL, *header = NULL;
	unsigned char *data = NULL;
	long len = 0;
	int result = -1;

	if (bio == NULL)
		return ca_error(CA_R_MEMORY, "no memory for '%s'", name);
	(void)ERR_set_mark();
	if (PEM_read_bio(bio, &label, &header, &data, &len) != 1 || len <= 0 ||
	    header[0] != '\0') {
		(void)ERR_pop_to_mark();
		(void)ca_error(CA_R_INPUT,
		    "'%s' is not a %s: its PEM text is damaged", name, what);
	} else {
		(void)ERR_pop_to_mark();
		result = asn1_copy(data, (size_t)len, ret_der);
		*ret_len = result == 0 ? (size_t)len : *ret_len;
	}
	OPENSSL_free(label);
	OPENSSL_free(header);
	OPENSSL_free(data);
	return result;
}

static int
decode(const char *name, const char *what, const char *label, struct der in,
    unsigned char **ret_der, size_t *ret_len)
{
	struct der text = trim(in);

	if (der_next_is(&in, DER_SEQUENCE)) {
		if (asn1_copy(in.p, in.len, ret_der) != 0)
			return -1;
		*ret_len = in.len;
		return 0;
	}
	if (check_frame(name, what, label, text) != 0)
		return -1;
	return read_pem(name, what, text, ret_der, ret_len);
}

int
input_read(const char *name, const char *what, const char *label, size_t max,
    const unsigned char *data, size_t len, unsigned char **ret_der,
    size_t *ret_len)
{
	AUTO_BYTES(der) = NULL;
	size_t der_len = 0, offset;

	if (len == 0)
		return ca_error(CA_R_INPUT, "'%s' is empty", name);
	if (len > max)
		return ca_error(CA_R_INPUT,
		    "'%s' is not a %s: %zu bytes, and at most %zu are read",
		    name, what, len, max);
	if (decode(name, what, label, (struct der){ data, len }, &der,
		&der_len) != 0)
		return -1;
	if (!der_is_strict(der, der_len, &offset))
		return ca_error(CA_R_INPUT,
		    "'%s' is not a %s in DER: wrong from octet %zu on", name,
		    what, offset);
	*ret_der = TAKE(der);
	*ret_len = der_len;
	return 0;
}

/* critical is DEFAULT FALSE: the octets say FALSE by leaving it out. */
static int
check_default(const char *name, X509_EXTENSION *extension)
{
	AUTO(X509_EXTENSION) *again = X509_EXTENSION_dup(extension);
	AUTO_DER(given) = NULL;
	AUTO_DER(wanted) = NULL;
	int critical = X509_EXTENSION_get_critical(extension);
	int len = i2d_X509_EXTENSION(extension, &given), wanted_len;

	if (again == NULL || len <= 0 ||
	    X509_EXTENSION_set_critical(again, critical) != 1)
		return ca_error(CA_R_MEMORY, "no memory for an extension");
	wanted_len = i2d_X509_EXTENSION(again, &wanted);
	if (wanted_len != len || memcmp(given, wanted, (size_t)len) != 0)
		return ca_error(CA_R_INPUT,
		    "'%s' has an extension that says 'not critical' in so many "
		    "octets, which DER leaves out (X.690, 11.5)",
		    name);
	return 0;
}

static int
check_extension(const char *name, X509_EXTENSION *extension)
{
	const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(extension);
	const ASN1_OBJECT *object = X509_EXTENSION_get_object(extension);
	const struct der oid = { OBJ_get0_data(object), OBJ_length(object) };
	const struct der octets = { ASN1_STRING_get0_data(value),
		(size_t)ASN1_STRING_length(value) };
	struct der_fault fault;

	if (!der_extension_check(oid, octets, &fault))
		return ca_error(CA_R_INPUT,
		    "'%s' has an extension whose value is not DER: %s", name,
		    fault.text);
	return check_default(name, extension);
}

int
input_check_extensions(
    const char *name, const STACK_OF(X509_EXTENSION) *extensions)
{
	int count = extensions != NULL ? sk_X509_EXTENSION_num(extensions) : 0;

	for (int i = 0; i < count; i++) {
		X509_EXTENSION *extension =
		    sk_X509_EXTENSION_value(extensions, i);

		if (X509v3_get_ext_by_OBJ(extensions,
			X509_EXTENSION_get_object(extension), i) >= 0)
			return ca_error(CA_R_INPUT,
			    "'%s' has an extension twice (RFC 5280, section "
			    "4.2)",
			    name);
		if (check_extension(name, extension) != 0)
			return -1;
	}
	return 0;
}
