#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ca-tool/command.h"
#include "ca-tool/lint-beside.h"
#include "ca-tool/lint-input.h"
#include "ca-tool/lint-pool.h"
#include "ca-tool/lint-walk.h"
#include "ca-tool/print.h"
#include "ca-tool/room.h"
#include "ca-tool/session.h"
#include "profiles/lint/lint.h"

/* How often a rule was found. */
struct tally {
	char *id;
	enum severity severity;
	size_t count;
};

struct lint_job {
	struct session *session;
	struct people *people;
	const struct lint_input *input;
	json_t *objects, *skipped; /* NULL: no JSON is wanted */
	struct tally *tallies;
	size_t tally_count;
	size_t object_count, bad, skipped_count;
	size_t by_severity[FINDING_NOTICE + 1];
	bool lost;
};

static void
lint_job_clear(struct lint_job *job)
{
	for (size_t i = 0; i < job->tally_count; i++)
		free(job->tallies[i].id);
	free(job->tallies);
	json_decref(job->objects);
	json_decref(job->skipped);
}
CLEANUP_DEFINE_STRUCT(lint_job);

/* ---- counting --------------------------------------------------------- */

static struct tally *
find_tally(struct lint_job *job, const struct finding *row)
{
	for (size_t i = 0; i < job->tally_count; i++)
		if (job->tallies[i].severity == row->severity &&
		    strcmp(job->tallies[i].id, row->id) == 0)
			return &job->tallies[i];
	return NULL;
}

static int
count_finding(struct lint_job *job, const struct finding *row)
{
	struct tally *tally = find_tally(job, row);
	size_t n = job->tally_count;

	job->by_severity[row->severity]++;
	if (tally != NULL) {
		tally->count++;
		return 0;
	}
	tally = realloc(job->tallies, (n + 1) * sizeof(*tally));
	if (tally == NULL)
		return ca_error(CA_R_MEMORY, "no memory for the summary");
	job->tallies = tally;
	tally[n] = (struct tally){ text_copy(row->id), row->severity, 1 };
	if (tally[n].id == NULL)
		return -1;
	job->tally_count++;
	return 0;
}

/* Errors first; then what was found most often. */
static int
compare_tallies(const void *a, const void *b)
{
	const struct tally *x = a, *y = b;

	if (x->severity != y->severity)
		return (int)x->severity - (int)y->severity;
	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return strcmp(x->id, y->id);
}

/* ---- for programs ----------------------------------------------------- */

/* A file's name need not be UTF-8. */
static json_t *
name_json(const char *name)
{
	AUTO_CHARS(safe) = text_is_utf8(name, strlen(name))
	    ? NULL
	    : text_escape(name, strlen(name));

	return json_string(safe != NULL ? safe : name);
}

/* The octet stands behind the place, as lint.h says. */
static json_t *
offset_json(const char *place)
{
	static const char mark[] = ", octet ";
	const char *found = NULL;
	uint64_t offset;

	for (const char *p = place; (p = strstr(p, mark)) != NULL; p++)
		found = p;
	if (found == NULL ||
	    text_number(found + strlen(mark), INT64_MAX, &offset) != 0) {
		ca_error_clear();
		return NULL;
	}
	return json_integer((json_int_t)offset);
}

static json_t *
finding_json(const struct finding *row)
{
	return json_pack("{s:s, s:s, s:s, s:o*, s:s, s:s}", "id", row->id,
	    "severity", severity_name(row->severity), "place", row->place,
	    "offset", offset_json(row->place), "text", row->text, "source",
	    row->source);
}

static json_t *
findings_json(const struct findings *findings)
{
	json_t *array = json_array();

	for (size_t i = 0; i < findings->count; i++)
		(void)json_array_append_new(
		    array, finding_json(&findings->rows[i]));
	return array;
}

/* The names of the bits that are set. */
static json_t *
subjects_json(unsigned subjects)
{
	json_t *array = json_array();

	for (unsigned bit = 1; bit != 0 && bit <= subjects; bit <<= 1)
		if ((subjects & bit) != 0)
			(void)json_array_append_new(
			    array, json_string(rule_subject_name(bit)));
	return array;
}

static json_t *
rulesets_json(unsigned rulesets)
{
	json_t *array = json_array();

	for (int i = 0; i < RULESET_COUNT; i++)
		if ((rulesets & RULESET_BIT((enum ruleset)i)) != 0)
			(void)json_array_append_new(
			    array, json_string(ruleset_name((enum ruleset)i)));
	return array;
}

static int
add_json(struct lint_job *job, const struct lint_result *result)
{
	const struct lint_item *item = &result->item;
	json_t *row = json_pack("{s:o, s:I, s:s, s:o, s:o, s:o, s:b}", "file",
	    name_json(item->file), "index", (json_int_t)item->index, "kind",
	    lint_object_kind_name(result->kind), "subjects",
	    subjects_json(result->subjects), "rulesets",
	    rulesets_json(result->rulesets), "findings",
	    findings_json(&item->findings), "complete", !item->findings.lost);

	return json_array_append_new(job->objects, row) == 0
	    ? 0
	    : ca_error(CA_R_MEMORY, "no memory for the report");
}

static void
report_json(struct lint_job *job, const char *version)
{
	json_t *summary = json_array();

	for (size_t i = 0; i < job->tally_count; i++)
		(void)json_array_append_new(summary,
		    json_pack("{s:s, s:s, s:I}", "id", job->tallies[i].id,
			"severity", severity_name(job->tallies[i].severity),
			"count", (json_int_t)job->tallies[i].count));
	(void)session_report(job->session, "objects", TAKE(job->objects));
	(void)session_report(job->session, "skipped", TAKE(job->skipped));
	(void)session_report(job->session, "summary", summary);
	(void)session_report(job->session, "version", json_string(version));
}

/* ---- for people ------------------------------------------------------- */

static void
print_finding(const struct finding *row)
{
	printf("%s: %s: %s [%s%s%s]\n", row->place,
	    severity_name(row->severity), row->text, row->id,
	    row->source[0] != '\0' ? "; " : "", row->source);
}

static int
print_skipped(const struct lint_job *job, const struct lint_item *item)
{
	AUTO_CHARS(safe) = text_escape(item->file, strlen(item->file));

	if (safe == NULL)
		return -1;
	if (job->session->options.given[OPT_VERBOSE])
		printf("%s: no object in it\n", safe);
	return 0;
}

/* With -v: what it is taken for. */
static int
print_object(const struct lint_job *job, const struct lint_result *result)
{
	AUTO_CHARS(safe) = NULL;

	if (!job->session->options.given[OPT_VERBOSE])
		return 0;
	safe = text_escape(result->item.place, strlen(result->item.place));
	if (safe == NULL)
		return -1;
	printf("%s: %s", safe, lint_object_kind_name(result->kind));
	for (unsigned bit = 1; bit != 0 && bit <= result->subjects; bit <<= 1)
		if ((result->subjects & bit) != 0)
			printf(" %s", rule_subject_name(bit));
	fputs(", held to", stdout);
	for (int i = 0; i < RULESET_COUNT; i++)
		if ((result->rulesets & RULESET_BIT((enum ruleset)i)) != 0)
			printf(" %s", ruleset_name((enum ruleset)i));
	fputs("\n", stdout);
	return 0;
}

static void
print_summary(const struct lint_job *job, const char *version)
{
	const size_t *n = job->by_severity;

	if (job->tally_count > 0)
		fputs("\n", stdout);
	for (size_t i = 0; i < job->tally_count; i++)
		printf("  %7zu  %-7s  %s\n", job->tallies[i].count,
		    severity_name(job->tallies[i].severity),
		    job->tallies[i].id);
	printf("%s%zu object%s: %zu error%s, %zu warning%s, %zu notice%s%s\n",
	    job->tally_count > 0 ? "\n" : "", job->object_count,
	    plural(job->object_count), n[FINDING_ERROR],
	    plural(n[FINDING_ERROR]), n[FINDING_WARNING],
	    plural(n[FINDING_WARNING]), n[FINDING_NOTICE],
	    plural(n[FINDING_NOTICE]),
	    job->lost ? ", and more that did not fit" : "");
	if (job->skipped_count > 0)
		printf("%zu file%s without an object passed over\n",
		    job->skipped_count, plural(job->skipped_count));
	if (job->session->options.given[OPT_VERBOSE])
		print_wrapped(stdout, 0, 0, version);
}

/* ---- running ---------------------------------------------------------- */

static int
tell_skipped(struct lint_job *job, const struct lint_item *item)
{
	job->skipped_count++;
	if (job->skipped == NULL)
		return print_skipped(job, item);
	return json_array_append_new(job->skipped, name_json(item->file)) == 0
	    ? 0
	    : ca_error(CA_R_MEMORY, "no memory for the report");
}

static int
tell(void *ctx, struct lint_result *result)
{
	struct lint_job *job = ctx;
	const struct lint_item *item = &result->item;
	const struct findings *findings = &item->findings;
	const struct room *room = &job->people->room;

	if (item->state == LINT_ITEM_SKIPPED)
		return tell_skipped(job, item);
	job->object_count++;
	job->bad += findings->errors > 0;
	job->lost |= findings->lost;
	for (size_t i = 0; i < findings->count; i++)
		if (count_finding(job, &findings->rows[i]) != 0)
			return -1;
	if (job->objects != NULL)
		return add_json(job, result);
	if (findings->count > 0)
		people_pause(job->people);
	if (print_object(job, result) != 0)
		return -1;
	for (size_t i = 0; i < findings->count; i++)
		print_finding(&findings->rows[i]);
	if (job->input->next < job->input->paths->count)
		room->progress(room->ctx, "files", job->input->next,
		    job->input->paths->count);
	return 0;
}

/* Exit status 3, so that a script need not read what is printed. */
static int
verdict(const struct lint_job *job)
{
	if (job->object_count == 0)
		return ca_error(CA_R_INPUT,
		    "there is no object in what was given: nothing was linted");
	if (job->bad == 0)
		return 0;
	return ca_error(CA_R_INPUT, "%zu of %zu object%s %s wrong", job->bad,
	    job->object_count, plural(job->object_count),
	    job->bad == 1 ? "is" : "are");
}

static int
finish(struct lint_job *job)
{
	AUTO_CHARS(version) = NULL;

	if (lint_version(&version) != 0)
		return -1;
	if (job->tally_count > 0)
		qsort(job->tallies, job->tally_count, sizeof(*job->tallies),
		    compare_tallies);
	if (job->objects != NULL)
		report_json(job, version);
	else
		print_summary(job, version);
	return verdict(job);
}

static int
run(struct session *session, const struct lint_beside *beside)
{
	AUTO_STRUCT(lint_paths) paths = { 0 };
	AUTO_STRUCT(lint_input) input = { .paths = &paths };
	AUTO_STRUCT(people) people = { 0 };
	AUTO_STRUCT(lint_job)
	job = { .session = session, .people = &people, .input = &input };
	int ret;

	if (session_json(session)) {
		job.objects = json_array();
		job.skipped = json_array();
	}
	if (lint_walk(session->options.args, &paths) != 0 ||
	    people_open(session, 0, &people) != 0)
		return -1;
	ret = lint_pool_run(&input, beside, tell, &job);
	people_leave(&people);
	return ret == 0 ? finish(&job) : -1;
}

/* ---- --list ----------------------------------------------------------- */

/* A rule may have several rows, such as for different dates: list it once. */
static bool
is_listed_before(const struct rule *rule, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (lint_rule(lint_at(k)) == rule)
			return true;
	return false;
}

static void
print_rule(const struct rule *rule)
{
	printf("%s  %s  (%s)\n", rule->id, rule_level_name(rule->level),
	    rule->source);
	print_lines(stdout, 4, rule->requirement);
}

static json_t *
rule_json(const struct rule *rule)
{
	return json_pack("{s:s, s:s, s:o, s:o, s:s, s:s, s:s}", "id", rule->id,
	    "level", rule_level_name(rule->level), "subjects",
	    subjects_json(rule->subjects), "rulesets",
	    rulesets_json(rule->rulesets), "requirement", rule->requirement,
	    "source", rule->source, "others", rule->others);
}

static int
list(struct session *session)
{
	json_t *array = session_json(session)
	    ? session_report(session, "lints", json_array())
	    : NULL;
	AUTO_CHARS(version) = NULL;
	const struct lint *lint;

	if (session->options.arg_count > 0)
		return ca_error(CA_R_USAGE, "'--list' takes no files");
	if (lint_version(&version) != 0)
		return -1;
	for (size_t i = 0; (lint = lint_at(i)) != NULL; i++) {
		const struct rule *rule = lint_rule(lint);

		if (rule == NULL)
			return ca_error(
			    CA_R_INTERNAL, "lint %zu is no rule", i);
		if (is_listed_before(rule, i))
			continue;
		if (!session_json(session))
			print_rule(rule);
		else if (json_array_append_new(array, rule_json(rule)) != 0)
			return ca_error(CA_R_MEMORY, "no memory for the list");
	}
	if (session_json(session))
		(void)session_report(session, "version", json_string(version));
	else
		printf("\n%s\n", version);
	return 0;
}

int
cmd_lint(struct session *session)
{
	AUTO_STRUCT(lint_beside)
	beside = { .existing = { .fd = -1 }, .previous = { .fd = -1 } };

	if (session->options.given[OPT_LIST])
		return list(session);
	if (session->options.arg_count == 0)
		return ca_error(CA_R_USAGE,
		    "a file is missing: name files or directories, '-' for "
		    "standard input, or give --list");
	if (lint_beside_open(&session->options, &beside) != 0)
		return -1;
	return run(session, &beside);
}
