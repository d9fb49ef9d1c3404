#include "base/findings.h"

#include "support.h"

static void
test_add(void **state)
{
	AUTO_STRUCT(findings) findings = { 0 };
	const struct finding *row;

	(void)state;
	findings_add(&findings, FINDING_ERROR, "SUB-PATHLEN", "p\x1b.yaml:1:2",
	    "RFC 5280, section 4.2.1.9", "too %s\n", "long");
	findings_add(&findings, FINDING_WARNING, "W", NULL, NULL, "careful");
	findings_add(&findings, FINDING_NOTICE, "N", "", "", "%s", "");
	assert_int_equal(findings.count, 3);
	assert_int_equal(findings.errors, 1);
	assert_false(findings.lost);
	row = &findings.rows[0];
	assert_int_equal(row->severity, FINDING_ERROR);
	assert_string_equal(row->id, "SUB-PATHLEN");
	assert_string_equal(row->place, "p\\x1b.yaml:1:2");
	assert_string_equal(row->text, "too long\\x0a");
	assert_string_equal(row->source, "RFC 5280, section 4.2.1.9");
	assert_string_equal(findings.rows[1].place, "");
	assert_string_equal(findings.rows[1].source, "");
	assert_string_equal(findings.rows[2].text, "");
	findings_clear(&findings);
	assert_null(findings.rows);
	assert_int_equal(findings.count + findings.errors, 0);
}

static void
test_long_text_is_cut(void **state)
{
	AUTO_STRUCT(findings) findings = { 0 };
	static char text[100000];

	(void)state;
	memset(text, 'x', sizeof text - 1);
	findings_add(&findings, FINDING_ERROR, "X", text, NULL, "%s", text);
	assert_int_equal(strlen(findings.rows[0].text), 2000);
	assert_int_equal(strlen(findings.rows[0].place), 2000);
}

static void
test_merge(void **state)
{
	AUTO_STRUCT(findings) a = { 0 };
	AUTO_STRUCT(findings) b = { 0 };

	(void)state;
	findings_add(&a, FINDING_ERROR, "A", "here", "src", "back\\slash");
	findings_add(&a, FINDING_NOTICE, "B", NULL, NULL, "b");
	findings_add(&b, FINDING_ERROR, "C", NULL, NULL, "c");
	findings_merge(&b, &a);
	assert_int_equal(b.count, 3);
	assert_int_equal(b.errors, 2);
	assert_false(b.lost);
	/* Escaped once, not twice. */
	assert_string_equal(b.rows[1].text, "back\\\\slash");
	assert_string_equal(b.rows[1].place, "here");
	assert_string_equal(b.rows[1].source, "src");
	assert_int_equal(b.rows[2].severity, FINDING_NOTICE);
	/* Copies, not shared. */
	assert_ptr_not_equal(b.rows[1].text, a.rows[0].text);
}

static void
test_pass(void **state)
{
	AUTO_STRUCT(findings) a = { 0 };
	AUTO_STRUCT(findings) b = { 0 };

	(void)state;
	findings_add(&a, FINDING_ERROR, "A", "here", "src", "a\nb");
	findings_pass(&b, &a.rows[0], FINDING_WARNING, "x\ny", "left out: ");
	assert_int_equal(b.count, 1);
	assert_int_equal(b.errors, 0);
	assert_int_equal(b.rows[0].severity, FINDING_WARNING);
	assert_string_equal(b.rows[0].id, "A");
	assert_string_equal(b.rows[0].source, "src");
	assert_string_equal(b.rows[0].place, "x\\x0ay");
	/* Escaped once, not twice. */
	assert_string_equal(b.rows[0].text, "left out: a\\x0ab");
	findings_pass(&b, &a.rows[0], FINDING_ERROR, "", "");
	assert_int_equal(b.errors, 1);
}

static void
add(struct findings *findings, enum severity severity, const char *place,
    const char *text)
{
	findings_add(findings, severity, "ID", place, "src", "%s", text);
}

/* Read again from a copy; what is new, and every error, stays. */
static void
test_said(void **state)
{
	AUTO_STRUCT(findings) f = { 0 };

	(void)state;
	add(&f, FINDING_WARNING, "/tmp/my.yaml:14:7", "w");
	add(&f, FINDING_NOTICE, "csr 'x'", "n");
	add(&f, FINDING_ERROR, "my.yaml:1:1", "e");
	add(&f, FINDING_WARNING, "plan.yaml:14:7", "w");  /* said */
	add(&f, FINDING_WARNING, "plan.yaml:14:8", "w");  /* elsewhere */
	add(&f, FINDING_WARNING, "plan.yaml:114:7", "w"); /* elsewhere */
	add(&f, FINDING_WARNING, "plan.yaml:14:7", "v");  /* other words */
	add(&f, FINDING_NOTICE, "plan.yaml:14:7", "w");   /* no warning */
	add(&f, FINDING_NOTICE, "csr 'x'", "n");          /* said */
	add(&f, FINDING_NOTICE, "csr 'y'", "n");          /* another */
	add(&f, FINDING_ERROR, "my.yaml:1:1", "e");       /* refuses */
	findings_drop_said(&f, 3);
	assert_int_equal(f.count, 9);
	assert_int_equal(f.errors, 2);
	assert_string_equal(f.rows[3].place, "plan.yaml:14:8");
	assert_string_equal(f.rows[4].place, "plan.yaml:114:7");
	assert_string_equal(f.rows[5].text, "v");
	assert_int_equal(f.rows[6].severity, FINDING_NOTICE);
	assert_string_equal(f.rows[7].place, "csr 'y'");
	assert_int_equal(f.rows[8].severity, FINDING_ERROR);
	/* It goes on to grow. */
	for (int i = 0; i < 100; i++)
		add(&f, FINDING_NOTICE, "", "more");
	assert_int_equal(f.count, 109);
	findings_drop_said(&f, 0);
	assert_int_equal(f.count, 109);
}

static void
test_too_many_still_refuse(void **state)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(findings) other = { 0 };

	(void)state;
	for (int i = 0; i < 10000; i++)
		findings_add(&findings, FINDING_NOTICE, "N", "", "", "n");
	assert_int_equal(findings.count, 10000);
	assert_false(findings.lost);
	assert_int_equal(findings.errors, 0);
	findings_add(&findings, FINDING_NOTICE, "N", "", "", "n");
	assert_int_equal(findings.count, 10000);
	assert_true(findings.lost);
	/* What is no error does not become one where there is no room. */
	findings_add(&findings, FINDING_WARNING, "W", "", "", "w");
	assert_int_equal(findings.errors, 0);
	findings_merge(&other, &findings);
	assert_true(other.lost);
	assert_int_equal(other.errors, 0);
	findings_add(&findings, FINDING_ERROR, "E", "", "", "e");
	assert_int_equal(findings.count, 10000);
	assert_int_equal(findings.errors, 1);
	findings_clear(&other);
	findings_merge(&other, &findings);
	assert_true(other.lost);
	assert_int_equal(other.errors, 1);
}

static void
test_severity_names(void **state)
{
	(void)state;
	assert_string_equal(severity_name(FINDING_ERROR), "error");
	assert_string_equal(severity_name(FINDING_WARNING), "warning");
	assert_string_equal(severity_name(FINDING_NOTICE), "notice");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_long_text_is_cut),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_pass),
		cmocka_unit_test(test_said),
		cmocka_unit_test(test_too_many_still_refuse),
		cmocka_unit_test(test_severity_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
