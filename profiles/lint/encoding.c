#include "profiles/lint/encoding.h"

#include <string.h>

#include <openssl/err.h>

#include "base/error.h"
#include "profiles/der/grammar.h"
#include "profiles/lint/extensions.h"
#include "profiles/lint/signed.h"

void
lint_check_element(struct lint_run *run, struct der element, const char *what)
{
	struct der_fault fault;

	if (element.len == 0 || der_check(element.p, element.len, &fault))
		return;
	lint_found(run,
	    lint_where(run,
		(struct der){
		    fault.at, element.len - (size_t)(fault.at - element.p) }),
	    "%s is not DER: %s", what, fault.text);
}

/* NULL: the same octets; else what is wrong. */
static const char *
reencode_fault(const struct lint_extension *row)
{
	const X509V3_EXT_METHOD *method =
	    row->nid != NID_undef ? X509V3_EXT_get_nid(row->nid) : NULL;
	const unsigned char *p = row->value.p;
	AUTO_DER(again) = NULL;
	ASN1_VALUE *value;
	int len;

	if (method == NULL || method->it == NULL)
		return NULL;
	value = ASN1_item_d2i(
	    NULL, &p, (long)row->value.len, ASN1_ITEM_ptr(method->it));
	if (value == NULL)
		return "it cannot be decoded";
	len = ASN1_item_i2d(value, &again, ASN1_ITEM_ptr(method->it));
	ASN1_item_free(value, ASN1_ITEM_ptr(method->it));
	if (len < 0 || !der_equal(row->value, again, (size_t)len))
		return "it does not encode back to the same octets";
	return NULL;
}

static void
check_extension(struct lint_run *run, const struct lint_extension *row)
{
	char oid[LINT_OID_TEXT];
	struct der_fault fault;
	const char *text;

	if (row->critical_encoded && !row->critical)
		lint_found(run, lint_where(run, row->element),
		    "extension %s encodes critical FALSE, which is its DEFAULT "
		    "and must be absent",
		    lint_oid_text(row->oid, oid));
	if (!der_extension_check(row->oid, row->value, &fault)) {
		lint_found(run, lint_where(run, (struct der){ fault.at, 1 }),
		    "the value of extension %s is not DER of its type: %s",
		    lint_oid_text(row->oid, oid), fault.text);
		return;
	}
	(void)ERR_set_mark();
	text = reencode_fault(row);
	(void)ERR_pop_to_mark();
	if (text != NULL)
		lint_found(run, lint_where(run, row->value),
		    "the value of extension %s is malformed: %s",
		    lint_oid_text(row->oid, oid), text);
}

void
lint_check_extensions(
    struct lint_run *run, const struct lint_extensions *extensions)
{
	for (size_t i = 0; i < extensions->count; i++)
		check_extension(run, &extensions->rows[i]);
}

const struct lint_extension *
lint_repeated(const struct lint_extensions *extensions)
{
	for (size_t i = 1; i < extensions->count; i++)
		for (size_t k = 0; k < i; k++)
			if (der_equal(extensions->rows[i].oid,
				extensions->rows[k].oid.p,
				extensions->rows[k].oid.len))
				return &extensions->rows[i];
	return NULL;
}
