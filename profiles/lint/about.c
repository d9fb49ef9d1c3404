#include "profiles/lint/about.h"

#include "base/error.h"
#include "profiles/lint/lint-private.h"

/* The existing certificate, where there is one that can be read. */
static int
open_existing(const struct lint_context *context,
    struct lint_certificate **ret_certificate)
{
	if (context->existing.len == 0 ||
	    lint_certificate_open(context->existing, ret_certificate) == 0)
		return 0;
	if (ca_error_reason() == CA_R_MEMORY)
		return -1;
	ca_error_clear();
	return 0;
}

static int
about_certificate(struct der object, const struct lint_context *context,
    unsigned *ret_subjects, unsigned *ret_rulesets)
{
	AUTO_PTR(lint_certificate) *c = NULL;
	AUTO_PTR(lint_certificate) *existing = NULL;

	if (lint_certificate_open(object, &c) != 0) {
		if (ca_error_reason() == CA_R_MEMORY)
			return -1;
		ca_error_clear();
		return 0;
	}
	if (open_existing(context, &existing) != 0)
		return -1;
	*ret_subjects = lint_subjects(context, c, existing);
	*ret_rulesets = lint_rulesets(context, &c->values);
	return 0;
}

int
lint_about(struct der object, const struct lint_context *context,
    unsigned *ret_subjects, unsigned *ret_rulesets)
{
	static const unsigned subjects[] = {
		[LINT_UNKNOWN] = 0,
		[LINT_CERTIFICATE] = 0,
		[LINT_CRL] = FOR_CRL,
		[LINT_OCSP] = FOR_OCSP,
		[LINT_CSR] = FOR_CSR,
	};
	const enum lint_object_kind kind = lint_sniff(object);

	*ret_subjects = subjects[kind];
	*ret_rulesets = lint_rulesets(context, NULL);
	if (kind == LINT_CRL)
		*ret_subjects |= context->subjects & (FOR_CRL_EE | FOR_CRL_CA);
	return kind == LINT_CERTIFICATE
	    ? about_certificate(object, context, ret_subjects, ret_rulesets)
	    : 0;
}
