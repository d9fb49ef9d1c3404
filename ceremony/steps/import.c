/*
 * The steps that take in lists from elsewhere: import-revocations, and
 * import-issued.  They sign nothing: each is one act.
 */
#include "ceremony/steps/import.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/steps/revoke-after.h"

static const struct import_format formats[] = {
	{ "csv", true, true, import_csv, "line" },
	{ "index.txt", true, true, import_index, "line" },
	{ "crl", true, false, import_crl, "entry" },
	{ "certificates", true, true, import_certificates, "certificate" },
};

const struct import_format *
import_format_by_name(const char *name)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	return NULL;
}

void
import_clear(struct import *import)
{
	listing_clear(&import->listing);
}

static bool
is_issued(const struct step *step)
{
	return step->kind == &step_import_issued;
}

static int
inputs(const struct step *step, const struct input_visitor *visitor)
{
	const struct import_params *p = step->params;

	return visitor->need_bulk(
	    visitor->ctx, p->file, step_place(step, "file"));
}

static int
check(struct build *build, const struct step *step)
{
	const struct import_params *p = step->params;
	const struct import_format *format = import_format_by_name(p->format);
	enum revocation_reason reason;

	if (format == NULL ||
	    (is_issued(step) ? !format->issued : !format->revocations))
		step_finding(build, step, "format", "IMPORT-FORMAT", NULL,
		    "'%s' is no format that this step reads; write csv, "
		    "index.txt%s or certificates",
		    p->format, is_issued(step) ? "" : ", crl");
	if (p->reason != NULL && reason_by_name(p->reason, &reason) < 0)
		return build_error_to_finding(
		    build, step, "reason", "CRL-REASON-SET");
	return 0;
}

static int
describe_revocations(const struct step *step, char **ret_text)
{
	const struct import_params *p = step->params;

	return step_text(ret_text,
	    "revoke what '%s' (%s) lists of the certificates of '%s'; this "
	    "cannot be undone",
	    p->file, p->format, p->issuer);
}

static int
describe_issued(const struct step *step, char **ret_text)
{
	const struct import_params *p = step->params;

	return step_text(ret_text,
	    "take in what '%s' (%s) lists of certificates of '%s' that were "
	    "issued elsewhere; nothing is signed",
	    p->file, p->format, p->issuer);
}

static int
add_act(struct import *import, size_t known)
{
	const struct import_params *p = import->params;
	AUTO_CHARS(given) = text_printf("%s what '%s' (%s) lists",
	    import->issued ? "take in" : "revoke", p->file, p->format);
	AUTO_CHARS(summary) =
	    given == NULL ? NULL : text_escape(given, strlen(given));
	AUTO_CHARS(details) = text_printf("on the list and known already: "
					  "%zu%s",
	    known, import->passed_over > 0 ? "\nnot revoked there: " : "");
	AUTO_CHARS(all) = details == NULL || import->passed_over == 0
	    ? NULL
	    : text_printf("%s%zu", details, import->passed_over);
	const struct revocations_act act = {
		.kind = import->step->kind->name,
		.issuer = p->issuer,
		.issuer_dn = import->issuer->dn,
		.source = import->format->name,
		.summary = summary,
		.details = all != NULL ? all : details,
	};

	if (summary == NULL || act.details == NULL)
		return -1;
	return import->issued ? issued_add_act(import->build, import->step,
				    &act, &import->listing)
			      : revocations_add_act(import->build, import->step,
				    &act, &import->listing);
}

static int
check_after(const struct import *import)
{
	return import->issued
	    ? 0
	    : revoke_check_after(&(struct revoke_after){
		  .build = import->build,
		  .step = import->step,
		  .member = import->params->reason != NULL ? "reason" : "file",
		  .issuer = import->params->issuer,
		  .view = import->issuer,
		  .listing = &import->listing,
	      });
}

/* A run that is resumed has perhaps done it: then everything is known. */
static int
finish(struct import *import)
{
	size_t known = listing_drop(&import->listing);
	const size_t errors = import->build->findings->errors;

	if (import->listing.count > 0 && check_after(import) < 0)
		return -1;
	if (import->build->findings->errors > errors)
		return 0;
	if (import->listing.count > 0)
		return add_act(import, known);
	if (!import->build->resumed)
		findings_add(import->build->findings, FINDING_WARNING,
		    "IMPORT-NOTHING", step_place(import->step, "file"), NULL,
		    "there is nothing new in '%s': %zu certificates on the "
		    "list are known already",
		    import->params->file, known);
	return 0;
}

/* Only certificates come in a file each. */
static bool
is_directory(const struct import *import)
{
	if (import->format->read == import_certificates ||
	    !input_is_bundle(import->input))
		return false;
	step_finding(import->build, import->step, "file", "IMPORT-FORMAT", NULL,
	    "'%s' is a directory, and format '%s' is read from one file; name "
	    "that, or write format: certificates",
	    import->params->file, import->format->name);
	return true;
}

static int
read_list(struct import *import)
{
	if (is_directory(import))
		return 0;
	if (import->params->reason != NULL &&
	    reason_by_name(import->params->reason, &import->reason) < 0)
		return -1; /* check() has had it pass */
	if (import->format->read(import) < 0)
		return -1;
	if (listing_sort(&import->listing) < 0 || import_check(import) < 0)
		return -1;
	return import->faults.count > 0 ? 0 : finish(import);
}

static int
build(struct build *build, const struct step *step)
{
	const struct import_params *p = step->params;
	AUTO_STRUCT(issuer_view) issuer = { 0 };
	AUTO_STRUCT(import)
	import = {
		.build = build,
		.step = step,
		.params = p,
		.format = import_format_by_name(p->format),
		.issued = is_issued(step),
		.faults = { .findings = build->findings },
	};
	size_t errors = build->findings->errors;

	if (build_issuer(
		build, step, "issuer", p->issuer, ISSUER_RECORD, &issuer) < 0)
		return -1;
	import.input = inputs_find(build->inputs, INPUT_BULK, p->file);
	if (!issuer.found || import.input == NULL)
		return 0; /* that gave a finding */
	import.issuer = &issuer;
	if (!import.issued)
		revocations_check_order(build, step, issuer.dn);
	return build->findings->errors > errors ? 0 : read_list(&import);
}

const struct step_kind step_import_revocations = {
	.name = "import-revocations",
	.params_offset = offsetof(struct step_params, import_revocations),
	.inputs = inputs,
	.check = check,
	.describe = describe_revocations,
	.build = build,
};

const struct step_kind step_import_issued = {
	.name = "import-issued",
	.params_offset = offsetof(struct step_params, import_issued),
	.inputs = inputs,
	.check = check,
	.describe = describe_issued,
	.build = build,
};
