/* Reports of linters in an audit: of a list, of what was signed, of refusals. */
#include "ordinary-run.h"

static void
linted(struct cast *c)
{
	c->config = cast_linters;
	c->linted = true;
	ordinary(c);
}

/* ---- of a list -------------------------------------------------------- */

EDIT_TEXT(no_json, "lint", "{", "[")
EDIT_TEXT(format, "lint", "ca-tool-lint-1", "ca-tool-lint-2")
EDIT_TEXT(no_version, "lint", "9 lints", "")
EDIT_TEXT(other_blocklist, "lint", "\"sha256\":\"2222", "\"sha256\":\"3333")
EDIT_TEXT(no_blocklist, "lint", "\"blocklist\":{", "\"another\":{")
EDIT_TEXT(no_objects, "lint", "\"objects\":", "\"others\":")
EDIT_TEXT(object_number, "lint", "\"object\":1", "\"object\":0")
EDIT_TEXT(object_name, "lint", "\"name\":\"crl-1\"", "\"name\":\"crl-2\"")
EDIT_TEXT(object_kind, "lint", "\"kind\":\"crl\"", "\"kind\":\"csr\"")
EDIT_TEXT(object_tbs, "lint", "\"tbs\":\"", "\"tbs\":\"0")
EDIT_TEXT(finding_text, "lint", "acknowledged", "all is well")
EDIT_TEXT(finding_gone, "lint", "\"findings\":[{", "\"findings\":[],\"was\":[{")
EDIT_TEXT(finding_broken, "lint", "\"place\"", "\"plaice\"")
EDIT_TEXT(no_findings, "lint", "\"findings\"", "\"fundings\"")
EDIT_TEXT(linter_gone, "lint", "\"linters\":[{", "\"linters\":[],\"was\":[{")
EDIT_TEXT(no_linters, "lint", "\"linters\"", "\"lenders\"")
EDIT_TEXT(linter_name, "lint", "\"name\":\"other\"", "\"name\":\"another\"")
EDIT_TEXT(linter_path, "lint", "/opt/other", "/opt/another")
EDIT_TEXT(linter_sha256, "lint", "\"sha256\":\"1111", "\"sha256\":\"3333")
EDIT_TEXT(linter_killed, "lint", "\"exited\"", "\"killed\"")
EDIT_TEXT(linter_status, "lint", "\"status\":0", "\"status\":1")
EDIT_TEXT(linter_broken, "lint", "\"output\"", "\"outcome\"")
/* An error on both sides: somebody signed over it. */
static char *
error_both(struct cast *c, const char *what, unsigned nth, const char *text)
{
	(void)c;
	(void)nth;
	return strcmp(what, "lint") == 0 || strcmp(what, "list") == 0
	    ? replaced(
		  text, "\"severity\":\"notice\"", "\"severity\":\"error\"")
	    : NULL;
}

static char *
an_object_less(struct cast *c, const char *what, unsigned nth, const char *text)
{
	json_t *report;
	char *other;

	(void)c;
	(void)nth;
	if (strcmp(what, "lint") != 0)
		return NULL;
	report = json_loads(text, 0, NULL);
	assert_ok(json_array_remove(json_object_get(report, "objects"), 1));
	other = json_dumps(report, JSON_COMPACT);
	json_decref(report);
	return other;
}

EDIT(list_of_another, ENTRY_LIST, 0,
    with(data, "lint",
	json_string(cast_evidence(c, "{\"format\":\"ca-tool-lint-1\"}", 27))))

static json_t *
list_without(struct cast *c, enum entry_kind kind, unsigned nth, json_t *data)
{
	(void)c;
	(void)nth;
	if (kind == ENTRY_LIST)
		json_object_del(data, "lint");
	return data;
}

EDIT_TEXT(header_other, "list", "\"lint\":\"", "\"lint\":\"0")
EDIT_TEXT(header_silent, "list", "\"lint\":\"", "\"last\":\"")

static const struct forgery of_lists[] = {
	{ "no JSON", NULL, NULL, no_json, "AUDIT-LINT", "list", "is none" },
	{ "format", NULL, NULL, format, "AUDIT-LINT", "list", "is none" },
	{ "version", NULL, NULL, no_version, "AUDIT-LINT", "list",
	    "which lints" },
	{ "blocklist", NULL, NULL, other_blocklist, "AUDIT-LINT", "list",
	    "blocklist that authority.yaml did not name" },
	{ "no blocklist", NULL, NULL, no_blocklist, "AUDIT-LINT", "list",
	    "which blocklist" },
	{ "no objects", NULL, NULL, no_objects, "AUDIT-LINT", "list",
	    "has no objects" },
	{ "... so none", NULL, NULL, no_objects, "AUDIT-LINT", "list",
	    "0 objects, and the list 2" },
	{ "an object less", NULL, NULL, an_object_less, "AUDIT-LINT", "list",
	    "1 objects, and the list 2" },
	{ "an object's number", NULL, NULL, object_number, "AUDIT-LINT", "list",
	    "'crl-1' that the list" },
	{ "an object's name", NULL, NULL, object_name, "AUDIT-LINT", "list",
	    "'crl-2' that the list" },
	{ "an object's kind", NULL, NULL, object_kind, "AUDIT-LINT", "list",
	    "'crl-1' that the list" },
	{ "an object's octets", NULL, NULL, object_tbs, "AUDIT-LINT", "list",
	    "'root-g1' that the list" },
	{ "another finding", NULL, NULL, finding_text, "AUDIT-LINT", "list",
	    "'root-g1' that the list" },
	{ "a finding less", NULL, NULL, finding_gone, "AUDIT-LINT", "list",
	    "'root-g1' that the list" },
	{ "a malformed finding", NULL, NULL, finding_broken, "AUDIT-LINT",
	    "list", "malformed finding for 'root-g1'" },
	{ "no findings", NULL, NULL, no_findings, "AUDIT-LINT", "list",
	    "no findings for 'root-g1'" },
	{ "an error", NULL, NULL, error_both, "AUDIT-LINT", "list",
	    "the error A-RULE for 'root-g1'" },
	{ "a linter less", NULL, NULL, linter_gone, "AUDIT-LINT", "list",
	    "0 outside linters for 'root-g1'" },
	{ "no linters", NULL, NULL, no_linters, "AUDIT-LINT", "list",
	    "0 outside linters for 'root-g1'" },
	{ "another linter", NULL, NULL, linter_name, "AUDIT-LINT", "list",
	    "the linter 'another'" },
	{ "from elsewhere", NULL, NULL, linter_path, "AUDIT-LINT", "list",
	    "'/opt/another'" },
	{ "other octets", NULL, NULL, linter_sha256, "AUDIT-LINT", "list",
	    "another SHA-256" },
	{ "crashed", NULL, NULL, linter_killed, "AUDIT-LINT", "list",
	    "did not find 'root-g1' clean: killed" },
	{ "errors", NULL, NULL, linter_status, "AUDIT-LINT", "list",
	    "did not find 'root-g1' clean: exited, 1" },
	{ "a malformed linter", NULL, NULL, linter_broken, "AUDIT-LINT", "list",
	    "malformed linter for 'root-g1'" },
	{ "of another list", NULL, list_of_another, NULL, "AUDIT-LINT", "list",
	    "not the one that the list names" },
	{ "left out of the entry", NULL, list_without, NULL, "AUDIT-LINT",
	    "list", "not the one that the list names" },
	{ "another in the list", NULL, NULL, header_other, "AUDIT-LINT", "list",
	    "not the one that the list names" },
	{ "left out of the list", NULL, NULL, header_silent, "AUDIT-LINT",
	    "list", "not the one that the list names" },
};

static void
test_lists(void **state)
{
	struct cast *c = *state;

	cast_reset(c);
	linted(c);
	cast_audit(c);
	cast_assert_clean(c);
	TRY_ALL(c, of_lists, linted);
}

/* ---- of what was signed ----------------------------------------------- */

EDIT_TEXT(result_no_json, "result-lint", "{", "[")
EDIT_TEXT(result_name, "result-lint", "\"certificate\",\"name\":\"",
    "\"certificate\",\"name\":\"not-")
EDIT_TEXT(result_sha256, "result-lint", "\"sha256\":\"", "\"sha256\":\"0")
EDIT_TEXT(result_error, "result-lint", "\"severity\":\"notice\"",
    "\"severity\":\"error\"")
EDIT_TEXT(
    result_linter, "result-lint", "\"linters\":[{", "\"linters\":[],\"was\":[{")
EDIT_TEXT(result_killed, "result-lint", "\"exited\"", "\"killed\"")

static json_t *
result_without(struct cast *c, enum entry_kind kind, unsigned nth, json_t *data)
{
	(void)c;
	if (kind == ENTRY_RESULT && nth == 0)
		json_object_del(data, "lint");
	return data;
}

static const struct forgery of_results[] = {
	{ "no JSON", NULL, NULL, result_no_json, "AUDIT-LINT", "result",
	    "is none" },
	{ "another object", NULL, NULL, result_name, "AUDIT-LINT", "result",
	    "another object than 'root-g1'" },
	{ "other octets", NULL, NULL, result_sha256, "AUDIT-LINT", "result",
	    "another object than 'root-g1'" },
	{ "an error", NULL, NULL, result_error, "AUDIT-LINT", "result",
	    "the error A-RULE" },
	{ "a linter less", NULL, NULL, result_linter, "AUDIT-LINT", "result",
	    "0 outside linters" },
	{ "crashed", NULL, NULL, result_killed, "AUDIT-LINT", "result",
	    "did not find 'root-g1' clean" },
	{ "left out", NULL, result_without, NULL, "AUDIT-LINT", "result",
	    "over the signed 'root-g1' is missing" },
};

static void
test_results(void **state)
{
	TRY_ALL(*state, of_results, linted);
}

/* ---- of refusals ------------------------------------------------------ */

EDIT(no_result, ENTRY_RESULT, 0, without(data))

/* The report over an object that is called so. */
static void
failed(struct cast *c, const char *name)
{
	struct order order = ordinary_order();
	AUTO_CHARS(report) = text_printf(
	    "{\"format\":\"ca-tool-lint-1\",\"name\":\"%s\",\"findings\":"
	    "[{\"severity\":\"error\",\"id\":\"other:e\",\"place\":\"\","
	    "\"text\":\"no\",\"source\":\"\"}],\"linters\":[]}",
	    name);

	cast_reset(c);
	c->edit = no_result;
	cast_init(c);
	cast_open(c, &order);
	cast_key(c, RUN_1, "root");
	cast_list(c, &order, 0, ordinary_lines());
	cast_intent(c, RUN_1, 0, 0, "certificate", "root-g1");
	cast_add(c, ENTRY_FAILED,
	    json_pack("{s:s, s:i, s:i, s:s, s:s, s:b, s:s}", "run", RUN_1,
		"list", 0, "object", 0, "name", "root-g1", "why", "refused",
		"possibly_signed", 1, "lint",
		cast_evidence(c, report, strlen(report))));
	cast_audit(c);
}

/* What refuses an object is no fault of the journal; another object is. */
static void
test_failed(void **state)
{
	struct cast *c = *state;

	failed(c, "root-g1");
	cast_assert_clean(c);
	failed(c, "crl-1");
	cast_assert_only(c, "AUDIT-LINT", "failed", "another object");
}

static void
refused(struct cast *c, const char *report)
{
	cast_add(c, ENTRY_REFUSED,
	    json_pack("{s:s, s:i, s:s, s:s, s:s}", "run", RUN_1, "findings", 0,
		"report", cast_evidence(c, "[]", 2), "why", "no", "lint",
		cast_evidence(c, report, strlen(report))));
}

static void
test_refused(void **state)
{
	struct cast *c = *state;
	struct order order = ordinary_order();

	cast_reset(c);
	cast_init(c);
	cast_open(c, &order);
	refused(c,
	    "{\"format\":\"ca-tool-lint-1\",\"version\":\"9\","
	    "\"blocklist\":null,\"objects\":[{\"object\":0,\"name\":\"x\","
	    "\"findings\":[{\"severity\":\"error\",\"id\":\"e\","
	    "\"place\":\"\",\"text\":\"no\",\"source\":\"\"}],"
	    "\"linters\":[]}]}");
	cast_audit(c);
	for (size_t i = 0; i < c->found.count; i++)
		assert_string_not_equal(c->found.rows[i].id, "AUDIT-LINT");
	refused(c, "{\"format\":\"ca-tool-lint-1\"}");
	cast_audit(c);
	cast_assert_found(c, "AUDIT-LINT", "refused", "has no objects");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_results),
		cmocka_unit_test(test_failed),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, cast_setup, cast_teardown);
}
