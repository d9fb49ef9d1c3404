/*
 * Linting in a run: the program's own lints come with the build (steps/lint.c);
 * here are the outside linters, what is signed, and the report for the journal.
 */
#include "profiles/lint/lint.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/linters.h"
#include "ceremony/run-private.h"

CLEANUP_DEFINE(json_t, json_decref);

#define REPORT_FORMAT "ca-tool-lint-1"

int
lint_open(struct run *run)
{
	const struct authority_config *config =
	    authority_config(run->authority);

	return run->linters != NULL ? 0
				    : linters_open(config->linters,
					  config->linters_count, &run->linters);
}

static int
run_outside(struct run *run, const struct built_object *o, struct der der,
    struct findings *findings, json_t **ret_record)
{
	AUTO_CHARS(place) =
	    text_printf("%s '%s'", object_kind_name(o->kind), o->name);
	const struct linter_object object = {
		.kind = o->kind,
		.der = der.p,
		.len = der.len,
		.issuer = o->issuer_der,
		.issuer_len = o->issuer_len,
		.place = place,
	};

	return place == NULL
	    ? -1
	    : linters_run(run->linters, &object, findings, ret_record);
}

/* ---- before signing ---------------------------------------------------- */

static int
report_object(json_t *objects, const struct built_object *o, size_t number,
    json_t *record)
{
	char tbs[HASH_HEX_SIZE];

	text_hex_into(o->tbs.sha256, HASH_LEN, tbs);
	if (json_array_append_new(objects,
		json_pack("{s:I, s:s, s:s, s:s, s:O, s:O}", "object",
		    (json_int_t)number, "kind", object_kind_name(o->kind),
		    "name", o->name, "tbs", tbs, "findings", o->lint, "linters",
		    record)) != 0)
		return ca_error(CA_R_MEMORY, "no memory for a lint report");
	return 0;
}

/* What the room sees beside the object has the outside linters' rows, too. */
static int
keep_found(struct built_object *o, const struct findings *findings, size_t from)
{
	AUTO(json_t) *rows = findings_to_json(findings, from);

	if (rows == NULL)
		return -1;
	return json_array_extend(o->lint, rows) == 0
	    ? 0
	    : ca_error(CA_R_MEMORY, "no memory for findings");
}

/* So many octets were printed: within what a list may have. */
static int
count_output(const json_t *record, size_t *total)
{
	const json_t *row;
	size_t i;

	json_array_foreach(record, i, row)
	{
		*total += json_string_length(json_object_get(row, "output"));
	}
	if (*total > LIST_MAX_BYTES)
		return ca_error(CA_R_POLICY,
		    "what the linters print comes to more than %d MiB; split "
		    "the plan into several",
		    LIST_MAX_BYTES >> 20);
	return 0;
}

/* A linter that does not do its work is not asked a thousand times. */
static bool
has_failed(const struct findings *findings, size_t from)
{
	for (size_t i = from; i < findings->count; i++)
		if (strcmp(findings->rows[i].id, LINT_FAIL_CLOSED) == 0)
			return true;
	return false;
}

static int
lint_one(struct run *run, size_t number, json_t *objects, size_t *total,
    bool *ret_failed)
{
	struct built_object *o = &run->build.objects[number];
	const size_t before = run->findings->count;
	AUTO(json_t) *record = NULL;
	AUTO_BYTES(der) = NULL;
	size_t len = 0;

	if (object_with_constant(&o->tbs, &der, &len) < 0 ||
	    run_outside(
		run, o, (struct der){ der, len }, run->findings, &record) < 0 ||
	    keep_found(o, run->findings, before) < 0 ||
	    count_output(record, total) < 0)
		return -1;
	*ret_failed = has_failed(run->findings, before);
	return report_object(objects, o, number, record);
}

/* null where authority.yaml names none. */
static json_t *
blocklist_json(struct run *run)
{
	const struct blocklist *list = run->build.blocklist;
	char hex[HASH_HEX_SIZE];

	if (list == NULL)
		return json_null();
	text_hex_into(blocklist_sha256(list), HASH_LEN, hex);
	return json_pack("{s:s, s:I, s:I}", "sha256", hex, "keys",
	    (json_int_t)blocklist_count(list), "moduli",
	    (json_int_t)blocklist_modulus_count(list));
}

/* Takes the reference to `objects`. */
static int
keep_report(struct run *run, json_t *objects)
{
	AUTO_CHARS(version) = NULL;
	json_t *report;

	if (lint_version(&version) < 0) {
		json_decref(objects);
		return -1;
	}
	report = json_pack("{s:s, s:s, s:o, s:o}", "format", REPORT_FORMAT,
	    "version", version, "blocklist", blocklist_json(run), "objects",
	    objects);
	free(run->lint_report);
	run->lint_report = report == NULL
	    ? NULL
	    : json_dumps(report, JSON_COMPACT | JSON_ENSURE_ASCII);
	json_decref(report);
	if (run->lint_report == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a lint report");
	return 0;
}

int
lint_before(struct run *run)
{
	json_t *objects = json_array();
	bool failed = false;
	size_t total = 0;
	int rc = objects == NULL
	    ? ca_error(CA_R_MEMORY, "no memory for a lint report")
	    : lint_open(run);

	for (size_t i = 0; rc == 0 && !failed && i < run->build.object_count;
	     i++)
		if (run->build.objects[i].from != BUILT_AND_SIGNED)
			rc = lint_one(run, i, objects, &total, &failed);
	if (rc != 0) {
		json_decref(objects);
		return -1;
	}
	return keep_report(run, objects);
}

/* ---- after signing ----------------------------------------------------- */

static int
refused(const struct built_object *o, const struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++)
		if (findings->rows[i].severity == FINDING_ERROR)
			return ca_error(CA_R_VERIFY,
			    "the linter refuses the signed %s '%s': %s: %s; it "
			    "is withheld, and the run stops",
			    object_kind_name(o->kind), o->name,
			    findings->rows[i].id, findings->rows[i].text);
	return ca_error(CA_R_VERIFY,
	    "the linter refuses the signed %s '%s'; it is withheld, and the run "
	    "stops",
	    object_kind_name(o->kind), o->name);
}

static bool
is_refused(const struct findings *findings)
{
	return findings->errors > 0;
}

/*
 * Evidence where there is something that the list's report lacks: the words of
 * outside linters, or why the object is withheld.
 */
static int
keep_result(const struct built_object *o, struct der der,
    const struct findings *findings, json_t *record, char **ret_report)
{
	AUTO_CHARS(hash) = sha256_hex(der.p, der.len);
	AUTO(json_t) *rows = findings_to_json(findings, 0);
	AUTO(json_t) *report = NULL;

	if (hash == NULL || rows == NULL)
		return -1;
	if (json_array_size(record) == 0 && !is_refused(findings))
		return 0;
	report = json_pack("{s:s, s:s, s:s, s:s, s:O, s:O}", "format",
	    REPORT_FORMAT, "kind", object_kind_name(o->kind), "name", o->name,
	    "sha256", hash, "findings", rows, "linters", record);
	if (report != NULL)
		*ret_report =
		    json_dumps(report, JSON_COMPACT | JSON_ENSURE_ASCII);
	return *ret_report == NULL
	    ? ca_error(CA_R_MEMORY, "no memory for a lint report")
	    : 0;
}

int
lint_after(struct run *run, const struct built_object *o, struct der der,
    char **ret_report)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO(json_t) *record = NULL;

	if (lint_open(run) < 0 ||
	    built_lint(o, der, false, o->built, &findings) < 0 ||
	    run_outside(run, o, der, &findings, &record) < 0 ||
	    keep_result(o, der, &findings, record, ret_report) < 0)
		return -1;
	return is_refused(&findings) ? refused(o, &findings) : 0;
}
