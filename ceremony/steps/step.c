#include "ceremony/steps/step.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/steps/build.h"

/* In the order in which documentation and messages list them. */
static const struct step_kind *const step_table[] = {
	&step_generate_key,
	&step_csr,
	&step_root,
	&step_subordinate,
	&step_cross,
	&step_ocsp_responder,
	&step_end_entity,
	&step_certificates,
	&step_adopt_certificate,
	&step_adopt_ca,
	&step_revoke,
	&step_upgrade_revocation,
	&step_import_revocations,
	&step_import_issued,
	&step_crl,
	&step_ocsp_responses,
	&step_ca_state,
	&step_destroy_key,
	&step_reshare,
	&step_abandon,
	&step_adopt_config,
	&step_adopt_token,
	&step_correct_clock,
	&step_recover_journal,
};

enum { STEP_KINDS = sizeof(step_table) / sizeof(step_table[0]) };

static const char *const certificate_endings[] = { ".pem", ".der", NULL };
static const char *const crl_endings[] = { ".crl", ".pem", NULL };
static const char *const csr_endings[] = { ".csr", NULL };
/* A directory of responses: profiles/ocsp.h says under which names. */
static const char *const ocsp_endings[] = { "", NULL };

static const struct output output_table[] = {
	{ "certificate", "certs", certificate_endings },
	{ "crl", "crls", crl_endings },
	{ "csr", "csrs", csr_endings },
	{ "ocsp", "ocsp", ocsp_endings },
};

const struct output *
output_at(size_t i)
{
	return i < sizeof(output_table) / sizeof(output_table[0])
	    ? &output_table[i]
	    : NULL;
}

const struct output *
output_by_kind(const char *kind)
{
	const struct output *output;

	for (size_t i = 0; (output = output_at(i)) != NULL; i++)
		if (strcmp(output->kind, kind) == 0)
			return output;
	return NULL;
}

const struct step_kind *
step_kind_at(size_t i)
{
	return i < STEP_KINDS ? step_table[i] : NULL;
}

bool
step_publishes(const struct step *step, const char *name)
{
	const struct certificates_params *p = step->params;
	size_t len;

	if (step->kind->publish != NULL)
		return strcmp(step->kind->publish(step), name) == 0;
	if (step->kind != &step_certificates)
		return false;
	len = strlen(p->name);
	return strncmp(name, p->name, len) == 0 && name[len] == '-' &&
	    name[len + 1] != '\0';
}

/* The parameters of this kind in a step of the plan; NULL if not given. */
static const void *
params_of(const struct step_params *params, const struct step_kind *kind)
{
	const void *const *member =
	    (const void *)((const char *)params + kind->params_offset);

	return *member;
}

/* Find the kind of step `i`; a step of none or of two kinds is a finding. */
static void
step_make(const struct plan_params *plan, size_t i, struct yaml *doc,
    struct findings *findings, struct step *step)
{
	const struct step_params *params = &plan->steps[i];

	*step = (struct step){ .index = i, .plan = plan, .doc = doc };
	for (size_t k = 0; k < STEP_KINDS; k++) {
		const void *found = params_of(params, step_table[k]);

		if (found == NULL)
			continue;
		if (step->kind != NULL) {
			findings_add(findings, FINDING_ERROR, "STEP-KIND",
			    yaml_place(
				doc, "steps[%zu].%s", i, step_table[k]->name),
			    NULL,
			    "step %zu has two kinds, '%s' and '%s'; make two "
			    "steps of it",
			    i + 1, step->kind->name, step_table[k]->name);
			continue;
		}
		step->kind = step_table[k];
		step->params = found;
	}
	if (step->kind == NULL)
		findings_add(findings, FINDING_ERROR, "STEP-KIND",
		    yaml_place(doc, "steps[%zu]", i), NULL,
		    "step %zu has no kind; give it one of those that "
		    "ca-tool-plan(5) lists",
		    i + 1);
}

int
steps_make(const struct plan_params *plan, struct yaml *doc,
    struct findings *findings, struct step **ret_steps)
{
	struct step *steps = calloc(plan->steps_count, sizeof(*steps));
	size_t errors = findings->errors;

	if (steps == NULL)
		return ca_error(CA_R_MEMORY, "no memory for steps");
	for (size_t i = 0; i < plan->steps_count; i++)
		step_make(plan, i, doc, findings, &steps[i]);
	if (findings->errors > errors) {
		free(steps);
		return ca_error(CA_R_INPUT, "the plan has malformed steps");
	}
	*ret_steps = steps;
	return 0;
}

const char *
step_place(const struct step *step, const char *key)
{
	if (key == NULL)
		return yaml_place(
		    step->doc, "steps[%zu].%s", step->index, step->kind->name);
	return yaml_place(
	    step->doc, "steps[%zu].%s.%s", step->index, step->kind->name, key);
}

void
step_finding(struct build *build, const struct step *step, const char *key,
    const char *id, const char *source, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	findings_add(build->findings, FINDING_ERROR, id, step_place(step, key),
	    source, "%s", text);
}

int
step_text(char **ret_text, const char *fmt, ...)
{
	AUTO_CHARS(text) = NULL;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len < 0) {
		text = NULL;
		return ca_error(CA_R_MEMORY, "no memory for a sentence");
	}
	*ret_text = text_escape(text, (size_t)len);
	return *ret_text == NULL ? -1 : 0;
}

void
step_alone(struct build *build, const struct step *step)
{
	if (step->plan->steps_count == 1)
		return;
	step_finding(build, step, NULL, "STEP-ALONE", NULL,
	    "'%s' changes the authority itself, and must be the only step of "
	    "its plan; put the other steps into another plan",
	    step->kind->name);
}

void
step_check_why(struct build *build, const struct step *step, const char *why)
{
	if (strlen(why) <= WHY_MAX && strspn(why, " \t\r\n") != strlen(why))
		return;
	step_finding(build, step, "why", "WHY", NULL,
	    "say in 1 to %d octets why this is done: it is journalled, and "
	    "read by those who come a year later",
	    WHY_MAX);
}

void
step_name_finding(struct build *build, const struct step *step,
    const char *member, const char *name, unsigned max)
{
	step_finding(build, step, member, "NAME-FORM", NULL,
	    "'%s' is not a name; use 1 to %u of a-z 0-9 . _ - and begin and "
	    "end with a letter or digit",
	    name, max);
}
