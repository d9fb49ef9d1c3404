/* Outside linters: those that do their work, and those that do not. */
#include "ceremony/linters.h"

#include <fcntl.h>
#include <unistd.h>

#include <openssl/sha.h>

#include "base/error.h"
#include "base/text.h"
#include "base/yaml.h"
#include "profiles/lint/blocklist.h"
#include "support.h"

static const unsigned char object_der[] = { 0x30, 0x00 };

static const struct linter_object object = {
	.kind = OBJECT_CERTIFICATE,
	.der = object_der,
	.len = sizeof object_der,
	.issuer = object_der,
	.issuer_len = sizeof object_der,
	.place = "certificate 'x'",
};

/* A plug-in in the test's directory, and what authority.yaml says of it. */
struct plugin {
	char path[4096], digest[2 * SHA256_DIGEST_LENGTH + 1];
	struct linter_config config;
};

static char name_text[] = "plug", second_text[] = "1s";

static void
make_plugin(const char *script, struct plugin *ret)
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	int fd = open("plugin.sh", O_WRONLY | O_CREAT | O_TRUNC, 0700);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, script, strlen(script)), strlen(script));
	(void)close(fd);
	assert_non_null(realpath("plugin.sh", ret->path));
	assert_non_null(
	    SHA256((const unsigned char *)script, strlen(script), digest));
	text_hex_into(digest, sizeof digest, ret->digest);
	ret->config = (struct linter_config){ name_text, ret->path, ret->digest,
		second_text };
}

/* Run it over the object. */
static void
judge(const char *script, struct findings *findings, json_t **ret_record)
{
	AUTO_PTR(linters) *linters = NULL;
	struct plugin plugin;

	make_plugin(script, &plugin);
	assert_int_equal(linters_open(&plugin.config, 1, &linters), 0);
	assert_int_equal(linters_count(linters), 1);
	assert_int_equal(
	    linters_run(linters, &object, findings, ret_record), 0);
	assert_int_equal(json_array_size(*ret_record), 1);
	assert_int_equal(unlink("plugin.sh"), 0);
}

static const char *
recorded(const json_t *record, const char *member)
{
	return json_string_value(
	    json_object_get(json_array_get(record, 0), member));
}

static void
test_clean(void **state)
{
	AUTO_STRUCT(findings) findings = { 0 };
	json_t *record = NULL;

	(void)state;
	judge("#!/bin/sh\n"
	      "[ \"$1 $2 $3\" = 'certificate object.der issuer.der' ] ||\n"
	      "  exit 9\n"
	      "[ \"$(od -An -tx1 \"$2\")\" = ' 30 00' ] || exit 8\n"
	      "printf 'warning\\tw_x\\ta warning\\n'\n",
	    &findings, &record);
	assert_int_equal(findings.errors, 0);
	assert_int_equal(findings.count, 1);
	assert_string_equal(findings.rows[0].id, "plug:w_x");
	assert_string_equal(recorded(record, "end"), "exited");
	assert_string_equal(recorded(record, "name"), "plug");
	assert_int_equal(strlen(recorded(record, "sha256")), 64);
	assert_non_null(strstr(recorded(record, "output"), "a warning"));
	json_decref(record);
}

static void
test_errors(void **state)
{
	AUTO_STRUCT(findings) findings = { 0 };
	json_t *record = NULL;

	(void)state;
	judge("#!/bin/sh\nprintf 'error\\te_x\\tno good\\n'; exit 1\n",
	    &findings, &record);
	assert_int_equal(findings.errors, 1);
	assert_string_equal(findings.rows[0].id, "plug:e_x");
	assert_string_equal(findings.rows[0].text, "no good");
	json_decref(record);
}

/* Whatever a linter does wrong refuses, and the text says what it was. */
static void
test_unsure(void **state)
{
	static const struct {
		const char *script, *text, *end;
	} cases[] = {
		{ "#!/bin/sh\nkill -ABRT $$\n", "crashed with signal 6",
		    "killed" },
		{ "#!/bin/sh\nsleep 100\n", "not done after 1 s", "timeout" },
		{ "#!/bin/sh\nexec yes\n", "more than 1048576 octets",
		    "flooded" },
		{ "#!/bin/sh\nexit 2\n", "exit status 2", "exited" },
		{ "#!/bin/sh\nprintf 'error\\te_x\\tbad\\n'\n",
		    "exit status 0 says that there are no errors", "exited" },
		{ "#!/bin/sh\nexit 1\n", "it printed none", "exited" },
		{ "#!/bin/sh\necho all is well\n", "no finding", "exited" },
		{ "#!/bin/sh\nprintf 'fine\\tx\\ty\\n'\n", "no finding",
		    "exited" },
		{ "#!/bin/sh\nprintf 'notice\\t\\ty\\n'\n", "no finding",
		    "exited" },
		{ "#!/bin/sh\nprintf 'notice\\tx\\n'\n", "no finding",
		    "exited" },
		{ "#!/bin/sh\nprintf 'notice\\tx y\\tz\\n'\n", "no finding",
		    "exited" },
		{ "#!/bin/sh\nprintf 'notice\\t\\033[2J\\tz\\n'\n",
		    "no finding", "exited" },
		{ "#!/bin/sh\nprintf 'notice\\t%0129d\\tz\\n' 1\n",
		    "no finding", "exited" },
		{ "#!/bin/sh\nprintf 'a\\0b\\n'\n", "NUL", "exited" },
		{ "#!/nonexistent\n", "exit status 127", "exited" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		AUTO_STRUCT(findings) findings = { 0 };
		json_t *record = NULL;
		bool found = false;

		judge(cases[i].script, &findings, &record);
		assert_true(findings.errors > 0);
		for (size_t f = 0; f < findings.count; f++)
			found |= strcmp(findings.rows[f].id,
				     "LINT-FAIL-CLOSED") == 0 &&
			    strstr(findings.rows[f].text, cases[i].text) !=
				NULL;
		if (!found)
			fail_msg("'%s' is not told", cases[i].text);
		assert_string_equal(recorded(record, "end"), cases[i].end);
		json_decref(record);
	}
}

/* An escape sequence reaches neither terminal nor journal. */
static void
test_escaped(void **state)
{
	AUTO_STRUCT(findings) findings = { 0 };
	json_t *record = NULL;

	(void)state;
	judge("#!/bin/sh\nprintf 'notice\\tx\\t\\033[2Jy\\n'\n", &findings,
	    &record);
	assert_int_equal(findings.count, 1);
	assert_null(strchr(findings.rows[0].text, 033));
	assert_null(strchr(recorded(record, "output"), 033));
	json_decref(record);
}

static void
test_pinned(void **state)
{
	AUTO_PTR(linters) *linters = NULL;
	AUTO_CHARS(said) = NULL;
	struct plugin plugin;

	(void)state;
	make_plugin("#!/bin/sh\n", &plugin);
	plugin.digest[0] = plugin.digest[0] == '0' ? '1' : '0';
	ca_error_clear();
	assert_int_equal(linters_open(&plugin.config, 1, &linters), -1);
	assert_int_equal(ca_error_reason(), CA_R_POLICY);
	said = ca_error_take();
	assert_non_null(strstr(said, plugin.digest));
	assert_int_equal(unlink("plugin.sh"), 0);
	assert_int_equal(linters_open(&plugin.config, 1, &linters), -1);
	assert_int_equal(ca_error_reason(), CA_R_MISSING);
	ca_error_clear();
}

/* What one has done to its files, the next one does not see. */
static void
test_apart(void **state)
{
	static char second_name[] = "second";
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(linters) *linters = NULL;
	struct plugin plugin;
	struct linter_config configs[2];
	json_t *record = NULL;

	(void)state;
	make_plugin(
	    "#!/bin/sh\n"
	    "[ ! -e left ] && [ \"$(od -An -tx1 \"$2\")\" = ' 30 00' ] ||\n"
	    "  exit 8\n"
	    "rm -f object.der; echo else > object.der; echo x > left\n",
	    &plugin);
	configs[0] = configs[1] = plugin.config;
	configs[1].name = second_name;
	assert_int_equal(linters_open(configs, 2, &linters), 0);
	assert_int_equal(linters_run(linters, &object, &findings, &record), 0);
	assert_int_equal(json_array_size(record), 2);
	assert_int_equal(findings.count, 0);
	json_decref(record);
	assert_int_equal(unlink("plugin.sh"), 0);
}

static void
test_blocklist(void **state)
{
	static const char text[] = "# no keys\n";
	static char path[4096];
	AUTO_CHARS(digest) = sha256_hex(text, strlen(text));
	AUTO_CHARS(said) = NULL;
	AUTO_PTR(blocklist) *list = NULL;
	struct blocklist_config config = { path, digest };
	int fd = open("list.txt", O_WRONLY | O_CREAT | O_TRUNC, 0600);

	(void)state;
	assert_non_null(digest);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_non_null(realpath("list.txt", path));
	assert_int_equal(blocklist_open(&config, &list), 0);
	assert_int_equal(blocklist_count(list), 0);
	/* Another one, octet by octet, is not taken. */
	assert_int_equal(write(fd, "\n", 1), 1);
	(void)close(fd);
	blocklist_free(list);
	list = NULL;
	assert_int_equal(blocklist_open(&config, &list), -1);
	assert_int_equal(ca_error_reason(), CA_R_POLICY);
	said = ca_error_take();
	assert_non_null(strstr(said, digest));
	assert_int_equal(unlink("list.txt"), 0);
	assert_int_equal(blocklist_open(&config, &list), -1);
	assert_int_equal(ca_error_reason(), CA_R_MISSING);
	ca_error_clear();
}

static void
test_none(void **state)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(linters) *linters = NULL;
	json_t *record = NULL;

	(void)state;
	assert_int_equal(linters_open(NULL, 0, &linters), 0);
	assert_int_equal(linters_run(linters, &object, &findings, &record), 0);
	assert_int_equal(json_array_size(record), 0);
	assert_int_equal(findings.count, 0);
	json_decref(record);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clean),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_unsure),
		cmocka_unit_test(test_escaped),
		cmocka_unit_test(test_pinned),
		cmocka_unit_test(test_apart),
		cmocka_unit_test(test_blocklist),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
