/*
 * What a plan says of itself.
 */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/plan-private.h"
#include "ceremony/run-private.h"

const char *
plan_id(const struct plan *plan)
{
	return plan->params->id;
}

const char *
plan_title(const struct plan *plan)
{
	return plan->params->title;
}

void
plan_window(const struct plan *plan, int64_t *ret_from, int64_t *ret_until)
{
	*ret_from = plan->from;
	*ret_until = plan->until;
}

const char *
plan_directory(const struct plan *plan)
{
	return plan->kept ? plan->directory : NULL;
}

const char *
plan_manifest_sha256(const struct plan *plan)
{
	return plan->kept ? plan->manifest_sha256 : NULL;
}

bool
plan_unattended(const struct plan *plan)
{
	return plan->params->unattended != NULL &&
	    strcmp(plan->params->unattended, "true") == 0;
}

size_t
plan_step_count(const struct plan *plan)
{
	return plan->params->steps_count;
}

int
plan_describe(const struct plan *plan,
    void (*line)(void *ctx, size_t step, const char *kind, const char *text),
    void *ctx)
{
	for (size_t i = 0; i < plan->params->steps_count; i++) {
		const struct step *step = &plan->steps[i];
		AUTO_CHARS(text) = NULL;

		if (step->kind->describe(step, &text) < 0)
			return -1;
		line(ctx, i + 1, step->kind->name, text);
	}
	return 0;
}

static bool
ends_line(const char *text)
{
	size_t len = strlen(text);

	return len == 0 || text[len - 1] == '\n';
}

int
plan_acknowledged(const struct plan *plan,
    int (*line)(void *ctx, const char *text), void *ctx)
{
	const struct build *build = &plan->preview;

	for (size_t i = 0; i < build->profile_count; i++) {
		const char *id = NULL, *reason = NULL;

		for (size_t n = 0; build->profiles[i] != NULL &&
		     profile_acknowledgement(
			 build->profiles[i], n, &id, &reason);
		     n++) {
			AUTO_CHARS(text) = NULL;

			if (step_text(&text,
				"profile '%s' lets what %s finds be signed: "
				"%s",
				build->profile_names[i], id, reason) < 0 ||
			    line(ctx, text) < 0)
				return -1;
		}
	}
	return 0;
}

int
plan_preview(const struct plan *plan,
    void (*object)(
	void *ctx, const char *kind, const char *name, const char *text),
    void *ctx)
{
	for (size_t i = 0; i < plan->preview.object_count; i++) {
		const struct built_object *o = &plan->preview.objects[i];
		AUTO_CHARS(lint) = NULL;
		AUTO_CHARS(text) = NULL;

		if (built_lint_text(o->lint, &lint) < 0)
			return -1;
		text = lint[0] == '\0'
		    ? text_copy(o->details)
		    : text_printf("%s%slinter:\n%s", o->details,
			  ends_line(o->details) ? "" : "\n", lint);
		if (text == NULL)
			return -1;
		object(ctx, object_kind_name(o->kind), o->name, text);
	}
	for (size_t i = 0; i < plan->preview.act_count; i++) {
		const struct built_act *a = &plan->preview.acts[i];

		AUTO_CHARS(text) = text_printf("%s%s%s", a->summary,
		    a->details == NULL ? "" : "\n",
		    a->details == NULL ? "" : a->details);

		if (text == NULL)
			return -1;
		object(ctx, a->kind, a->name == NULL ? "" : a->name, text);
	}
	return 0;
}
