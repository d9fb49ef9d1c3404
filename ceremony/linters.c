#include "ceremony/linters.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/sha.h>

#include "base/date.h"
#include "base/error.h"
#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "base/yaml.h"
#include "profiles/lint/blocklist.h"

#define OBJECT_FILE "object.der"
#define ISSUER_FILE "issuer.der"
#define DEFAULT_TIMEOUT "30s"

enum {
	TIMEOUT_MAX = 600, /* seconds */
	MS_PER_SECOND = 1000,
	EXIT_CLEAN = 0,
	EXIT_FINDINGS = 1,
	FIELDS = 3,
	ID_MAX = 128,
	BLOCKLIST_MAX = 256 << 20,
};
#define MEMORY_MAX ((uint64_t)8 << 30)

struct linter {
	char *name, *path;
	char sha256[2 * SHA256_DIGEST_LENGTH + 1];
	int64_t timeout; /* seconds */
	struct program program;
};

struct linters {
	struct linter rows[LINTERS_MAX];
	size_t count;
};

/* ---- authority.yaml ---------------------------------------------------- */

static bool
is_digest(const char *text)
{
	return strlen(text) == (size_t)2 * SHA256_DIGEST_LENGTH &&
	    strspn(text, "0123456789abcdef") == strlen(text);
}

/* A path and a digest, the members of `what`. */
static void
check_pinned(const char *what, const char *path, const char *sha256,
    struct yaml *doc, struct findings *findings)
{
	if (path[0] != '/' || !text_is_safe(path, strlen(path)))
		findings_add(findings, FINDING_ERROR, "CONFIG-LINTER",
		    yaml_place(doc, "%s.path", what), NULL,
		    "'%s' is not an absolute path", path);
	if (!is_digest(sha256))
		findings_add(findings, FINDING_ERROR, "CONFIG-LINTER",
		    yaml_place(doc, "%s.sha256", what), NULL,
		    "'%s' is not a SHA-256 in 64 lower-case hex digits",
		    sha256);
}

static void
check_one(const struct linter_config *c, unsigned i, struct yaml *doc,
    struct findings *findings)
{
	int64_t seconds;
	char what[32];

	if (!text_is_name(c->name))
		findings_add(findings, FINDING_ERROR, "CONFIG-LINTER",
		    yaml_place(doc, "linters[%u].name", i), NULL,
		    "'%s' is not a name of 1 to 64 characters a-z 0-9 . _ -",
		    c->name);
	(void)snprintf(what, sizeof what, "linters[%u]", i);
	check_pinned(what, c->path, c->sha256, doc, findings);
	if (c->timeout != NULL &&
	    (duration_parse(c->timeout, &seconds) != 0 || seconds <= 0 ||
		seconds > TIMEOUT_MAX)) {
		ca_error_clear();
		findings_add(findings, FINDING_ERROR, "CONFIG-LINTER",
		    yaml_place(doc, "linters[%u].timeout", i), NULL,
		    "'%s' is not a time of 1s to %ds", c->timeout, TIMEOUT_MAX);
	}
}

void
linters_check_config(const struct linter_config *configs, unsigned count,
    struct yaml *doc, struct findings *findings)
{
	for (unsigned i = 0; i < count; i++) {
		check_one(&configs[i], i, doc, findings);
		for (unsigned j = 0; j < i; j++)
			if (strcmp(configs[i].name, configs[j].name) == 0)
				findings_add(findings, FINDING_ERROR,
				    "CONFIG-LINTER",
				    yaml_place(doc, "linters[%u].name", i),
				    NULL, "'%s' stands there twice",
				    configs[i].name);
	}
}

void
blocklist_check_config(const struct blocklist_config *config, struct yaml *doc,
    struct findings *findings)
{
	if (config->path != NULL)
		check_pinned(
		    "blocklist", config->path, config->sha256, doc, findings);
}

/* ---- opening ----------------------------------------------------------- */

int
blocklist_open(
    const struct blocklist_config *config, struct blocklist **ret_list)
{
	AUTO_PTR(blocklist) *list = NULL;
	AUTO_BYTES(data) = NULL;
	AUTO_CHARS(hex) = NULL;
	size_t len = 0;

	if (file_read_at(AT_FDCWD, config->path, BLOCKLIST_MAX, &data, &len) !=
	    0)
		return -1;
	hex = sha256_hex(data, len);
	if (hex == NULL)
		return -1;
	if (strcmp(hex, config->sha256) != 0)
		return ca_error(CA_R_POLICY,
		    "the blocklist at '%s' is not the one that authority.yaml "
		    "names: its SHA-256 is %s, and should be %s; put back the "
		    "list that was approved, or take this one in with a plan "
		    "of 'adopt-config'",
		    config->path, hex, config->sha256);
	if (blocklist_load(config->path, data, len, &list) != 0)
		return -1;
	*ret_list = TAKE(list);
	return 0;
}

static int
open_one(const struct linter_config *config, struct linter *linter)
{
	const char *timeout =
	    config->timeout != NULL ? config->timeout : DEFAULT_TIMEOUT;

	linter->name = text_copy(config->name);
	linter->path = text_copy(config->path);
	if (linter->name == NULL || linter->path == NULL ||
	    duration_parse(timeout, &linter->timeout) != 0 ||
	    program_open(config->path, &linter->program) != 0)
		return -1;
	text_hex_into(
	    linter->program.sha256, SHA256_DIGEST_LENGTH, linter->sha256);
	if (strcmp(linter->sha256, config->sha256) != 0)
		return ca_error(CA_R_POLICY,
		    "the linter '%s' at '%s' is not the one that "
		    "authority.yaml names: its SHA-256 is %s, and should be "
		    "%s; put back the program that was approved, or take this "
		    "one in with a plan of 'adopt-config'",
		    config->name, config->path, linter->sha256, config->sha256);
	return 0;
}

int
linters_open(const struct linter_config *configs, unsigned count,
    struct linters **ret_linters)
{
	AUTO_PTR(linters) *linters = calloc(1, sizeof *linters);

	if (linters == NULL)
		return ca_error(CA_R_MEMORY, "no memory for linters");
	for (unsigned i = 0; i < count && i < LINTERS_MAX; i++) {
		linters->count++;
		if (open_one(&configs[i], &linters->rows[i]) != 0)
			return -1;
	}
	*ret_linters = TAKE(linters);
	return 0;
}

size_t
linters_count(const struct linters *linters)
{
	return linters->count;
}

void
linters_free(struct linters *linters)
{
	if (linters == NULL)
		return;
	for (size_t i = 0; i < linters->count; i++) {
		free(linters->rows[i].name);
		free(linters->rows[i].path);
		program_clear(&linters->rows[i].program);
	}
	free(linters);
}

/* ---- what they say ----------------------------------------------------- */

/* What one linter did with one object. */
struct verdict {
	const struct linter *linter;
	const struct linter_object *object;
	struct findings *findings;
	size_t errors; /* that it reported */
};

static void refuse(const struct verdict *v, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
refuse(const struct verdict *v, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	findings_add(v->findings, FINDING_ERROR, LINT_FAIL_CLOSED,
	    v->object->place, NULL, "the linter '%s' %s", v->linter->name,
	    text);
}

static bool
severity_by_text(const char *text, enum severity *ret_severity)
{
	for (int i = FINDING_ERROR; i <= FINDING_NOTICE; i++)
		if (strcmp(severity_name((enum severity)i), text) == 0) {
			*ret_severity = (enum severity)i;
			return true;
		}
	return false;
}

/* An id is shown as it is, and must not be more than one. */
static bool
is_id(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._:-";
	size_t len = strspn(text, letters);

	return len > 0 && len <= ID_MAX && text[len] == '\0';
}

/* "error<TAB>ID<TAB>text"; false: nonsense, and no more need be read. */
static bool
take_line(struct verdict *v, char *line)
{
	char *fields[FIELDS], *rest = line;
	enum severity severity;
	AUTO_CHARS(id) = NULL;

	for (size_t i = 0; i < FIELDS; i++)
		fields[i] = i + 1 < FIELDS ? strsep(&rest, "\t") : rest;
	if (fields[1] == NULL || fields[2] == NULL || !is_id(fields[1]) ||
	    !severity_by_text(fields[0], &severity)) {
		refuse(v,
		    "printed a line that is no finding (severity, id and text "
		    "with tabs between them): '%s'",
		    line);
		return false;
	}
	id = text_printf("%s:%s", v->linter->name, fields[1]);
	v->errors += severity == FINDING_ERROR;
	findings_add(v->findings, severity, id != NULL ? id : v->linter->name,
	    v->object->place, v->linter->path, "%s", fields[2]);
	return true;
}

static void
take_output(struct verdict *v, const struct process_result *result)
{
	AUTO_CHARS(copy) = NULL;
	char *rest, *line;

	if (result->output_len == 0)
		return;
	if (memchr(result->output, '\0', result->output_len) != NULL) {
		refuse(v, "printed a NUL octet");
		return;
	}
	copy = text_printf("%s", (const char *)result->output);
	if (copy == NULL) {
		ca_error_clear();
		refuse(v, "printed more than there is memory for");
		return;
	}
	rest = copy;
	while ((line = strsep(&rest, "\n")) != NULL)
		if (line[0] != '\0' && !take_line(v, line))
			return;
}

/* Did it end as what it printed says? */
static void
take_end(struct verdict *v, const struct process_result *result)
{
	switch (result->end) {
	case PROCESS_TIMEOUT:
		refuse(v, "was not done after %" PRId64 " s, and was stopped",
		    v->linter->timeout);
		return;
	case PROCESS_FLOODED:
		refuse(v, "printed more than %d octets, and was stopped",
		    LINTER_OUTPUT_MAX);
		return;
	case PROCESS_KILLED:
		refuse(v, "crashed with signal %d", result->status);
		return;
	case PROCESS_EXITED:
		break;
	}
	if (result->status != EXIT_CLEAN && result->status != EXIT_FINDINGS)
		refuse(v, "failed with exit status %d", result->status);
	else if (result->status == EXIT_CLEAN && v->errors > 0)
		refuse(v,
		    "contradicts itself: exit status 0 says that there are no "
		    "errors, and it printed %zu",
		    v->errors);
	else if (result->status == EXIT_FINDINGS && v->errors == 0)
		refuse(v,
		    "contradicts itself: exit status 1 says that there are "
		    "errors, and it printed none");
}

/* ---- running ----------------------------------------------------------- */

static const char *
end_name(enum process_end end)
{
	static const char *const names[] = {
		[PROCESS_EXITED] = "exited",
		[PROCESS_KILLED] = "killed",
		[PROCESS_TIMEOUT] = "timeout",
		[PROCESS_FLOODED] = "flooded",
	};

	return names[end];
}

static int
record_run(const struct linter *linter, const struct process_result *result,
    json_t *record)
{
	AUTO_CHARS(output) = text_escape(
	    result->output_len > 0 ? (const char *)result->output : "",
	    result->output_len);

	if (output == NULL ||
	    json_array_append_new(record,
		json_pack("{s:s, s:s, s:s, s:s, s:i, s:s}", "name",
		    linter->name, "path", linter->path, "sha256",
		    linter->sha256, "end", end_name(result->end), "status",
		    result->status, "output", output)) != 0)
		return ca_error(CA_R_MEMORY, "no memory for a linter's output");
	return 0;
}

/*
 * A directory below the system's for temporary files, one for each linter: none
 * can change what the next one is shown.
 */
struct workplace {
	char path[64];
	int fd;
};

/* With what the linter has left there: files, not directories. */
static void
workplace_clear(struct workplace *w)
{
	struct dirent **names = NULL;
	int count;

	if (w->fd <= 0)
		return;
	count = scandirat(w->fd, ".", &names, NULL, NULL);
	for (int i = 0; i < count; i++) {
		(void)unlinkat(w->fd, names[i]->d_name, 0);
		free(names[i]);
	}
	free(names);
	(void)close(w->fd);
	(void)rmdir(w->path);
}
CLEANUP_DEFINE_STRUCT(workplace);

static int
write_in(int dirfd, const char *name, const unsigned char *der, size_t len)
{
	AUTO_FD(fd) = openat(dirfd, name,
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0400);

	if (fd < 0)
		return ca_error_errno(
		    CA_R_IO, "cannot write '%s' for the linters", name);
	return file_write_all(fd, der, len, name);
}

static int
make_workplace(const struct linter_object *object, struct workplace *w)
{
	(void)snprintf(w->path, sizeof w->path, "/tmp/ca-tool-lint-XXXXXX");
	if (mkdtemp(w->path) == NULL)
		return ca_error_errno(
		    CA_R_IO, "cannot make a directory for the linters");
	if (dir_open(w->path, &w->fd) != 0 ||
	    write_in(w->fd, OBJECT_FILE, object->der, object->len) != 0)
		return -1;
	return object->issuer == NULL
	    ? 0
	    : write_in(w->fd, ISSUER_FILE, object->issuer, object->issuer_len);
}

static int
run_one(const struct linter *linter, const struct linter_object *object,
    struct findings *findings, json_t *record)
{
	AUTO_STRUCT(workplace) w = { .fd = 0 };
	const char *const argv[] = { linter->name,
		object_kind_name(object->kind), OBJECT_FILE,
		object->issuer != NULL ? ISSUER_FILE : NULL, NULL };
	const struct process_limits limits = {
		.milliseconds = linter->timeout * MS_PER_SECOND,
		.output_max = LINTER_OUTPUT_MAX,
		.memory_max = MEMORY_MAX,
	};
	AUTO_STRUCT(process_result) result = { .end = PROCESS_EXITED };
	struct verdict verdict = { linter, object, findings, 0 };

	if (make_workplace(object, &w) != 0 ||
	    process_run(&linter->program, w.fd, argv, &limits, &result) != 0)
		return -1;
	if (result.end == PROCESS_EXITED)
		take_output(&verdict, &result);
	take_end(&verdict, &result);
	return record_run(linter, &result, record);
}

int
linters_run(const struct linters *linters, const struct linter_object *object,
    struct findings *findings, json_t **ret_record)
{
	json_t *record = json_array();

	if (record == NULL)
		return ca_error(CA_R_MEMORY, "no memory for linters");
	for (size_t i = 0; i < linters->count; i++)
		if (run_one(&linters->rows[i], object, findings, record) != 0) {
			json_decref(record);
			return -1;
		}
	*ret_record = record;
	return 0;
}
