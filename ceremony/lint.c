/*
 * Linting in a run: the program's own lints come with the build (steps/lint.c);
 * here are the outside linters, what is signed, and the report for the journal.
 */
#include "profiles/lint/lint.h"

#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/batch.h"
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

static bool
has_linters(const struct run *run)
{
	return authority_config(run->authority)->linters_count > 0;
}

static int
run_outside(struct run *run, enum object_kind kind, const char *name,
    struct der der, struct der issuer, struct findings *findings,
    json_t **ret_record)
{
	AUTO_CHARS(place) =
	    text_printf("%s '%s'", object_kind_name(kind), name);
	const struct linter_object object = {
		.kind = kind,
		.der = der.p,
		.len = der.len,
		.issuer = issuer.p,
		.issuer_len = issuer.len,
		.place = place,
	};

	return place == NULL
	    ? -1
	    : linters_run(run->linters, &object, findings, ret_record);
}

static struct der
issuer_of(const struct built_object *o)
{
	return (struct der){ o->issuer_der, o->issuer_len };
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
keep_found(json_t *lint, const struct findings *findings, size_t from)
{
	AUTO(json_t) *rows = findings_to_json(findings, from);

	if (rows == NULL)
		return -1;
	return json_array_extend(lint, rows) == 0
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

	/* A CRL may be too large to be held; only outside linters want it. */
	if (!has_linters(run))
		record = json_array();
	else if (built_with_constant(&o->tbs, &der, &len) < 0 ||
	    run_outside(run, o->kind, o->name, (struct der){ der, len },
		issuer_of(o), run->findings, &record) < 0)
		return -1;
	if (record == NULL || keep_found(o->lint, run->findings, before) < 0 ||
	    count_output(record, total) < 0)
		return -1;
	*ret_failed = has_failed(run->findings, before);
	return report_object(objects, o, number, record);
}

/*
 * A batch has one row, with what outside linters said of each response; they
 * see one only where there are some, for there may be a million.
 */
static int
lint_responses(struct run *run, struct built_batch *batch, json_t *record,
    size_t *total, bool *ret_failed)
{
	const struct der issuer = { batch->issuer_der, batch->issuer_len };
	const size_t before = run->findings->count;

	for (size_t i = 0; i < batch->count && !*ret_failed; i++) {
		const struct der der = batch_item_der(batch, i);
		const struct tbs tbs = { .kind = OBJECT_OCSP,
			.alg = batch->alg,
			.der = batch->tbs + batch->offsets[i],
			.len = der.len };
		AUTO(json_t) *one = NULL;
		AUTO_BYTES(response) = NULL;
		size_t len = 0;

		if (batch->items[i].is_signed)
			continue;
		if (run_look(run, "linted", i, batch->count) < 0)
			return -1;
		if (object_with_constant(&tbs, &response, &len) < 0 ||
		    run_outside(run, OBJECT_OCSP, batch->name,
			(struct der){ response, len }, issuer, run->findings,
			&one) < 0 ||
		    count_output(one, total) < 0)
			return -1;
		if (json_array_extend(record, one) != 0)
			return ca_error(
			    CA_R_MEMORY, "no memory for a lint report");
		*ret_failed = has_failed(run->findings, before);
	}
	return keep_found(batch->lint, run->findings, before);
}

static int
lint_batch(struct run *run, struct built_batch *batch, json_t *batches,
    size_t *total, bool *ret_failed)
{
	json_t *record = json_array();

	if (record == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a lint report");
	if (has_linters(run) &&
	    lint_responses(run, batch, record, total, ret_failed) < 0) {
		json_decref(record);
		return -1;
	}
	return json_array_append_new(batches,
		   json_pack("{s:s, s:I, s:O, s:o}", "name", batch->name,
		       "count", (json_int_t)batch->count, "findings",
		       batch->lint, "linters", record)) == 0
	    ? 0
	    : ca_error(CA_R_MEMORY, "no memory for a lint report");
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

static int
keep_report(struct run *run, json_t *objects, json_t *batches)
{
	AUTO_CHARS(version) = NULL;
	json_t *report;

	if (lint_version(&version) < 0)
		return -1;
	report = json_pack("{s:s, s:s, s:o, s:O, s:O*, s:O*}", "format",
	    REPORT_FORMAT, "version", version, "blocklist", blocklist_json(run),
	    "objects", objects, "batches",
	    json_array_size(batches) > 0 ? batches : NULL, "left_out",
	    run->build.left_out);
	free(run->lint_report);
	run->lint_report = report == NULL
	    ? NULL
	    : json_dumps(report, JSON_COMPACT | JSON_ENSURE_ASCII);
	json_decref(report);
	if (run->lint_report == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a lint report");
	return 0;
}

static int
lint_all(struct run *run, json_t *objects, json_t *batches)
{
	bool failed = false;
	size_t total = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && !failed && i < run->build.object_count;
	     i++) {
		rc = run_look(run, "linted", i, run->build.object_count);
		if (rc == 0 && run->build.objects[i].from != BUILT_AND_SIGNED)
			rc = lint_one(run, i, objects, &total, &failed);
	}
	for (size_t i = 0; rc == 0 && !failed && i < run->build.batch_count;
	     i++)
		if (run->build.batches[i].from != BUILT_AND_SIGNED)
			rc = lint_batch(run, &run->build.batches[i], batches,
			    &total, &failed);
	return rc;
}

int
lint_before(struct run *run)
{
	AUTO(json_t) *objects = json_array();
	AUTO(json_t) *batches = json_array();

	if (objects == NULL || batches == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a lint report");
	if (lint_open(run) < 0 || lint_all(run, objects, batches) < 0)
		return -1;
	return keep_report(run, objects, batches);
}

/* ---- after signing ----------------------------------------------------- */

static int
refused(
    enum object_kind kind, const char *name, const struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++)
		if (findings->rows[i].severity == FINDING_ERROR)
			return ca_error(CA_R_VERIFY,
			    "the linter refuses the signed %s '%s': %s: %s; it "
			    "is withheld, and the run stops",
			    object_kind_name(kind), name, findings->rows[i].id,
			    findings->rows[i].text);
	return ca_error(CA_R_VERIFY,
	    "the linter refuses the signed %s '%s'; it is withheld, and the run "
	    "stops",
	    object_kind_name(kind), name);
}

static bool
is_refused(const struct findings *findings)
{
	return findings->errors > 0;
}

/* As a to-be-signed object: for its octets, wherever they are. */
static struct tbs
octets_of(const struct lint_signed *object)
{
	struct tbs octets = { .len = object->der.len };

	if (object->file != NULL)
		octets.len = (size_t)object->len;
	return octets;
}

static int
source_of(const struct lint_signed *object, struct tbs *octets,
    struct tbs_file *file, struct tbs_reader *reader,
    struct der_source *ret_source)
{
	*octets = octets_of(object);
	*file = *object->file;
	octets->file = file;
	return tbs_source(octets, reader, ret_source);
}

static int
hash_of(const struct lint_signed *object, char **ret_hex)
{
	struct tbs octets = octets_of(object);
	char hex[HASH_HEX_SIZE];
	struct tbs_file file;

	if (object->file == NULL) {
		*ret_hex = sha256_hex(object->der.p, object->der.len);
		return *ret_hex == NULL ? -1 : 0;
	}
	file = *object->file;
	octets.file = &file;
	octets.alg = sigalg_by_name("ecdsa-sha256"); /* SHA-256 once */
	if (tbs_file_digest(&octets) < 0)
		return -1;
	text_hex_into(octets.sha256, HASH_LEN, hex);
	*ret_hex = text_copy(hex);
	return *ret_hex == NULL ? -1 : 0;
}

/*
 * Evidence where there is something that the list's report lacks: the words of
 * outside linters, or why the object is withheld.
 */
static int
keep_result(const struct built_object *o, const struct lint_signed *object,
    const struct findings *findings, json_t *record, char **ret_report)
{
	AUTO_CHARS(hash) = NULL;
	AUTO(json_t) *rows = NULL;
	AUTO(json_t) *report = NULL;

	if (json_array_size(record) == 0 && !is_refused(findings))
		return 0;
	rows = findings_to_json(findings, 0);
	if (rows == NULL || hash_of(object, &hash) < 0)
		return -1;
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

/* Read whole: an outside linter is given it in a file of its own. */
static int
read_whole(const struct lint_signed *object, unsigned char **ret_der)
{
	AUTO_BYTES(der) = malloc((size_t)object->len + 1);
	size_t done = 0;

	if (der == NULL)
		return ca_error(CA_R_MEMORY, "no memory for an object");
	while (done < object->len) {
		ssize_t n = pread(object->file->fd, der + done,
		    (size_t)object->len - done,
		    (off_t)(object->file->offset + done));

		if (n <= 0)
			return ca_error_errno(
			    CA_R_IO, "a signed object cannot be read back");
		done += (size_t)n;
	}
	*ret_der = TAKE(der);
	return 0;
}

static int
outside_after(struct run *run, const struct built_object *o,
    const struct lint_signed *object, struct findings *findings,
    json_t **ret_record)
{
	AUTO_BYTES(whole) = NULL;
	struct der der = object->der;

	if (!has_linters(run)) {
		*ret_record = json_array();
		return *ret_record == NULL ? -1 : 0;
	}
	if (object->file != NULL) {
		if (read_whole(object, &whole) < 0)
			return -1;
		der = (struct der){ whole, (size_t)object->len };
	}
	return run_outside(
	    run, o->kind, o->name, der, issuer_of(o), findings, ret_record);
}

static int
own_after(const struct built_object *o, const struct lint_signed *object,
    struct findings *findings)
{
	struct tbs octets;
	struct tbs_file file;
	struct tbs_reader reader;
	struct der_source source;

	if (object->file == NULL)
		return built_lint(o, object->der, false, o->built, findings);
	if (source_of(object, &octets, &file, &reader, &source) < 0)
		return -1;
	return built_lint_source(o, &source, false, o->built, findings);
}

int
lint_after(struct run *run, const struct built_object *o,
    const struct lint_signed *object, char **ret_report)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO(json_t) *record = NULL;

	if ((object->own && own_after(o, object, &findings) < 0) ||
	    outside_after(run, o, object, &findings, &record) < 0 ||
	    keep_result(o, object, &findings, record, ret_report) < 0)
		return -1;
	return is_refused(&findings) ? refused(o->kind, o->name, &findings) : 0;
}

int
lint_response(struct run *run, const struct built_batch *batch, struct der der,
    bool first)
{
	const struct der issuer = { batch->issuer_der, batch->issuer_len };
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO(json_t) *record = NULL;

	if ((first &&
		built_batch_lint(batch, der, false, batch->built, &findings) <
		    0) ||
	    (has_linters(run) &&
		run_outside(run, OBJECT_OCSP, batch->name, der, issuer,
		    &findings, &record) < 0))
		return -1;
	return is_refused(&findings)
	    ? refused(OBJECT_OCSP, batch->name, &findings)
	    : 0;
}
