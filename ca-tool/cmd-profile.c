#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "base/yaml.h"
#include "ca-tool/command.h"
#include "ca-tool/print.h"
#include "ca-tool/session.h"
#include "ca-tool/shipped.h"
#include "profiles/describe.h"
#include "profiles/profile.h"

enum { TEXT_INDENT = 4 };

/* A profile that was found and compiled. */
struct found {
	char *path, *sha256;
	struct profile *profile;
	struct description description;
};

static void
found_clear(struct found *found)
{
	free(found->path);
	free(found->sha256);
	profile_free(found->profile);
	description_clear(&found->description);
	*found = (struct found){ 0 };
}
CLEANUP_DEFINE_STRUCT(found);

/* ---- finding ---------------------------------------------------------- */

/* A symbolic link is there, wherever it leads, and is refused as one later. */
static bool
is_there(const char *path)
{
	return faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool
ends_in_yaml(const char *name)
{
	static const char end[] = ".yaml";
	size_t len = strlen(name);

	return len > strlen(end) && strcmp(name + len - strlen(end), end) == 0;
}

/* DIR/NAME.yaml, where that exists; else *ret_path stays NULL. */
static int
look_in(const char *dir, const char *below, const char *name, char **ret_path)
{
	AUTO_CHARS(path) = text_printf("%s%s/%s.yaml", dir, below, name);

	if (path == NULL)
		return -1;
	if (is_there(path))
		*ret_path = TAKE(path);
	return 0;
}

/* The authority's profile of this name, or the one that came with us. */
static int
find_by_name(const struct session *session, const char *name, char **ret_path)
{
	AUTO_CHARS(path) = NULL;
	AUTO_CHARS(shipped) = NULL;

	if (look_in(session_authority(session), "/profiles", name, &path) != 0)
		return -1;
	if (path == NULL && !session->options.given[OPT_AUTHORITY]) {
		if (shipped_profiles(&shipped) != 0 ||
		    look_in(shipped, "", name, &path) != 0)
			return -1;
	}
	if (path == NULL && ends_in_yaml(name))
		return ca_error(CA_R_MISSING, "there is no file '%s'", name);
	if (path == NULL)
		return ca_error(CA_R_MISSING,
		    "there is no profile '%s', in the authority or beside this "
		    "program; give a file, such as './%s.yaml'",
		    name, name);
	*ret_path = TAKE(path);
	return 0;
}

static int
find(const struct session *session, const char *word, char **ret_path)
{
	if (text_is_name(word) && !is_there(word))
		return find_by_name(session, word, ret_path);
	*ret_path = text_copy(word);
	return *ret_path != NULL ? 0 : -1;
}

/* Takes the path over; findings go to the session's. */
static int
load(struct session *session, char *path, struct found *found)
{
	AUTO_BYTES(data) = NULL;
	size_t len;

	found->path = path;
	if (file_read_at(AT_FDCWD, path, YAML_MAX_BYTES, &data, &len) != 0)
		return -1;
	found->sha256 = sha256_hex(data, len);
	if (found->sha256 == NULL)
		return -1;
	return profile_load(
	    path, data, len, &session->findings, &found->profile);
}

static int
open_profile(struct session *session, const char *word, struct found *found)
{
	char *path = NULL;

	if (find(session, word, &path) != 0 || load(session, path, found) != 0)
		return -1;
	return profile_describe(found->profile, &found->description);
}

/* ---- profile show ----------------------------------------------------- */

static json_t *
rows_json(const struct description *description)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < description->count; i++)
		if (json_array_append_new(rows,
			json_pack("{s:s, s:s}", "key", description->rows[i].key,
			    "text", description->rows[i].text)) != 0) {
			json_decref(rows);
			return NULL;
		}
	return rows;
}

static json_t *
needs_json(const struct profile *profile)
{
	json_t *needs = json_object();
	struct profile_attribute attribute;
	json_t *subject = json_array();
	int failed = json_object_set_new(needs, "subject", subject);

	for (size_t i = 0; profile_attribute(profile, i, &attribute); i++)
		failed |= json_array_append_new(subject,
		    json_pack("{s:s, s:b, s:s}", "attribute", attribute.name,
			"required", attribute.required, "from",
			attribute.from_csr ? "csr" : "plan"));
	if (failed == 0)
		return needs;
	json_decref(needs);
	return NULL;
}

static void
show_json(struct session *session, const struct found *found)
{
	const struct profile *profile = found->profile;

	(void)session_report(
	    session, "profile", session_string(profile_id(profile)));
	(void)session_report(
	    session, "title", session_string(profile_title(profile)));
	(void)session_report(session, "kind",
	    session_string(profile_kind_name(profile_kind(profile))));
	(void)session_report(session, "file", session_string(found->path));
	(void)session_report(session, "sha256", session_string(found->sha256));
	(void)session_report(session, "needs", needs_json(profile));
	(void)session_report(session, "says", rows_json(&found->description));
}

/* "  key" and, on lines of its own, what it says. */
static void
print_row(const struct description_row *row)
{
	printf("  %s\n%*s", row->key, TEXT_INDENT, "");
	print_wrapped(stdout, TEXT_INDENT, TEXT_INDENT, row->text);
}

static int
show_text(const struct found *found)
{
	printf("Profile %s\n\n", profile_id(found->profile));
	if (print_field_escaped(stdout, "File", found->path) != 0)
		return -1;
	print_field(stdout, "SHA-256", found->sha256);
	putchar('\n');
	/* The first row is the id, which is the headline. */
	for (size_t i = 1; i < found->description.count; i++)
		print_row(&found->description.rows[i]);
	return 0;
}

int
cmd_profile_show(struct session *session)
{
	AUTO_STRUCT(found) found = { 0 };

	if (open_profile(session, session->options.args[0], &found) != 0)
		return -1;
	if (!session_json(session))
		return show_text(&found);
	show_json(session, &found);
	return 0;
}

/* ---- profile check ---------------------------------------------------- */

/* What cannot be read at all is a finding too, so that the rest is checked. */
static int
check_file(
    struct session *session, const char *name, json_t *rows, size_t *refused)
{
	AUTO_STRUCT(found) found = { 0 };
	char *path = text_copy(name);
	size_t before = session->findings.errors;
	bool good;

	if (path == NULL)
		return -1;
	good = load(session, path, &found) == 0;
	if (!good && ca_error_reason() == CA_R_MEMORY)
		return -1;
	if (!good && session->findings.errors == before)
		findings_take_error(&session->findings, "PROFILE-FILE", name);
	ca_error_clear();
	*refused += !good;
	if (json_array_append_new(rows,
		json_pack("{s:s, s:b, s:s?, s:s?}", "file", name, "good", good,
		    "profile", good ? profile_id(found.profile) : NULL,
		    "sha256", found.sha256)) != 0)
		return ca_error(CA_R_MEMORY, "no memory for the report");
	if (good && !session_json(session)) {
		AUTO_CHARS(safe) = text_escape(name, strlen(name));

		printf("%s: profile '%s' is well-formed and keeps its rules\n",
		    safe != NULL ? safe : "?", profile_id(found.profile));
	}
	return 0;
}

int
cmd_profile_check(struct session *session)
{
	json_t *rows = session_report(session, "profiles", json_array());
	size_t refused = 0, count = session->options.arg_count;

	if (rows == NULL)
		return ca_error(CA_R_MEMORY, "no memory for the report");
	for (size_t i = 0; i < count; i++)
		if (check_file(
			session, session->options.args[i], rows, &refused) != 0)
			return -1;
	if (refused > 0)
		return ca_error(CA_R_INPUT, "%zu of %zu profiles %s refused",
		    refused, count, refused == 1 ? "is" : "are");
	return 0;
}

/* ---- profile diff ----------------------------------------------------- */

static const char *
text_of(const struct description *description, const char *key)
{
	for (size_t i = 0; i < description->count; i++)
		if (strcmp(description->rows[i].key, key) == 0)
			return description->rows[i].text;
	return NULL;
}

/* Each pair that differs; either side may be NULL. */
struct difference {
	const char *key, *a, *b;
};

static int
tell(struct session *session, json_t *rows, const struct difference *d)
{
	if (json_array_append_new(rows,
		json_pack("{s:s, s:s?, s:s?}", "key", d->key, "first", d->a,
		    "second", d->b)) != 0)
		return ca_error(CA_R_MEMORY, "no memory for the report");
	if (session_json(session))
		return 0;
	printf("  %s\n    - ", d->key);
	print_wrapped(stdout, TEXT_INDENT + 2, TEXT_INDENT + 2,
	    d->a != NULL ? d->a : "(not there)");
	printf("    + ");
	print_wrapped(stdout, TEXT_INDENT + 2, TEXT_INDENT + 2,
	    d->b != NULL ? d->b : "(not there)");
	return 0;
}

static int
compare(struct session *session, const struct description *a,
    const struct description *b, json_t *rows)
{
	for (size_t i = 0; i < a->count; i++) {
		struct difference d = { a->rows[i].key, a->rows[i].text,
			text_of(b, a->rows[i].key) };

		if ((d.b == NULL || strcmp(d.a, d.b) != 0) &&
		    tell(session, rows, &d) != 0)
			return -1;
	}
	for (size_t i = 0; i < b->count; i++) {
		struct difference d = { b->rows[i].key, NULL, b->rows[i].text };

		if (text_of(a, d.key) == NULL && tell(session, rows, &d) != 0)
			return -1;
	}
	return 0;
}

int
cmd_profile_diff(struct session *session)
{
	AUTO_STRUCT(found) a = { 0 };
	AUTO_STRUCT(found) b = { 0 };
	json_t *rows;

	if (open_profile(session, session->options.args[0], &a) != 0 ||
	    open_profile(session, session->options.args[1], &b) != 0)
		return -1;
	(void)session_report(session, "first", session_string(a.path));
	(void)session_report(session, "second", session_string(b.path));
	rows = session_report(session, "differences", json_array());
	if (rows == NULL)
		return ca_error(CA_R_MEMORY, "no memory for the report");
	if (!session_json(session)) {
		if (print_field_escaped(stdout, "-", a.path) != 0 ||
		    print_field_escaped(stdout, "+", b.path) != 0)
			return -1;
		putchar('\n');
	}
	if (compare(session, &a.description, &b.description, rows) != 0)
		return -1;
	if (json_array_size(rows) == 0 && !session_json(session))
		puts("  They say the same.");
	return 0;
}
