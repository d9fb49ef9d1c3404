/*
 * The transcript: what the journal says of a run, for people and for paper.
 * rules: every field that the journal has is there, nothing is there that the
 * journal has not.
 */
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ceremony/run-private.h"

struct writing {
	struct run *run;
	BIO *out;
};

static int print(BIO *out, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static int
print(BIO *out, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = BIO_vprintf(out, fmt, ap);
	va_end(ap);
	return n < 0 ? ca_error(CA_R_MEMORY, "no memory for a transcript") : 0;
}

static int print_value(
    BIO *out, const char *indent, const char *name, json_t *value);

static int
print_members(BIO *out, const char *indent, json_t *object)
{
	const char *name;
	json_t *value;

	json_object_foreach(object, name,
	    value) if (print_value(out, indent, name, value) < 0) return -1;
	return 0;
}

static int
print_rows(BIO *out, const char *indent, const char *name, json_t *array)
{
	size_t i;
	json_t *row;

	json_array_foreach(array, i,
	    row) if (print_value(out, indent, name, row) < 0) return -1;
	return 0;
}

/* A member of an entry; objects and arrays are indented below it. */
static int
print_value(BIO *out, const char *indent, const char *name, json_t *value)
{
	AUTO_CHARS(deeper) = text_printf("%s  ", indent);
	AUTO_CHARS(text) = NULL;

	if (deeper == NULL)
		return -1;
	if (json_is_object(value)) {
		if (print(out, "%s%s:\n", indent, name) < 0)
			return -1;
		return print_members(out, deeper, value);
	}
	if (json_is_array(value))
		return print_rows(out, indent, name, value);
	text = json_is_string(value)
	    ? text_escape(json_string_value(value), json_string_length(value))
	    : json_dumps(value, JSON_ENCODE_ANY);
	if (text == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a transcript");
	return print(out, "%s%s: %s\n", indent, name, text);
}

static int
print_entry(struct writing *w, uint64_t seq, json_t *entry)
{
	const char *time, *kind, *text;
	json_t *data, *people;
	AUTO_CHARS(safe) = NULL;

	if (json_unpack(entry, "{s:s, s:s, s:s, s:o, s:o}", "time", &time,
		"kind", &kind, "text", &text, "data", &data, "people",
		&people) != 0)
		return ca_error(CA_R_CORRUPT,
		    "entry %" PRIu64 " of the journal is malformed", seq);
	/* Sentences are made safe when they are written. */
	safe = text_is_safe(text, strlen(text))
	    ? text_copy(text)
	    : text_escape(text, strlen(text));
	if (safe == NULL ||
	    print(w->out, "\n[%" PRIu64 "] %s  %s\n  %s\n", seq, time, kind,
		safe) < 0 ||
	    print_rows(w->out, "  ", "person", people) < 0)
		return -1;
	return print_members(w->out, "  ", data);
}

/* Entries of this run, and none of another. */
static int
visit_entry(void *ctx, uint64_t seq, const char *line, size_t len)
{
	struct writing *w = ctx;
	json_t *entry = json_loadb(line, len, 0, NULL);
	const char *run = NULL;
	int rc = 0;

	if (entry == NULL)
		return ca_error(CA_R_CORRUPT,
		    "entry %" PRIu64 " of the journal is no JSON", seq);
	if (json_unpack(entry, "{s:{s:s}}", "data", "run", &run) == 0 &&
	    strcmp(run, w->run->nonce) == 0)
		rc = print_entry(w, seq, entry);
	json_decref(entry);
	return rc;
}

/* ---- who took part ---------------------------------------------------- */

/* One kind of entry, as lines below a label. */
struct part {
	enum entry_kind kind;
	const char *label;
	int (*print)(BIO *out, const char *label, json_t *entry);
};

struct listing {
	struct writing *w;
	const struct part *part;
	size_t count;
};

/* The label stands before the first line only. */
enum { LABEL_WIDTH = 16 };

static int
print_approval(BIO *out, const char *label, json_t *entry)
{
	const char *name, *statement;

	if (json_unpack(entry, "{s:{s:s, s:s}}", "data", "name", &name,
		"statement", &statement) != 0)
		return ca_error(CA_R_CORRUPT, "an approval is malformed");
	return print(out, "%-*s%s, statement SHA-256 %s\n", LABEL_WIDTH, label,
	    name, statement);
}

static int
print_confirmation(BIO *out, const char *label, json_t *entry)
{
	const char *name, *statement;
	int list;

	if (json_unpack(entry, "{s:{s:s, s:s, s:i}}", "data", "name", &name,
		"statement", &statement, "list", &list) != 0)
		return ca_error(CA_R_CORRUPT, "a confirmation is malformed");
	return print(out, "%-*s%s, list %d, statement SHA-256 %s\n",
	    LABEL_WIDTH, label, name, list, statement);
}

/* The operators whose shares gave the PIN. */
static int
print_login(BIO *out, const char *label, json_t *entry)
{
	json_t *people = json_object_get(entry, "people"), *person;
	const char *comma = "";
	size_t i;

	if (print(out, "%-*s", LABEL_WIDTH, label) < 0)
		return -1;
	json_array_foreach(people, i, person)
	{
		const char *name, *role;
		AUTO_CHARS(safe) = NULL;

		if (json_unpack(person, "{s:s, s:s}", "name", &name, "role",
			&role) != 0)
			return ca_error(CA_R_CORRUPT, "a login is malformed");
		safe = text_escape(name, strlen(name));
		if (safe == NULL ||
		    print(out, "%s%s (%s)", comma, safe, role) < 0)
			return -1;
		comma = ", ";
	}
	return print(out, "\n");
}

static const struct part parts[] = {
	{ ENTRY_APPROVAL, "approved by:", print_approval },
	{ ENTRY_LOGIN, "token opened:", print_login },
	{ ENTRY_CONFIRMATION, "list accepted:", print_confirmation },
};

static int
list_entry(void *ctx, uint64_t seq, const char *line, size_t len)
{
	struct listing *listing = ctx;
	json_t *entry = json_loadb(line, len, 0, NULL);
	const char *run = NULL;
	int rc = 0;

	(void)seq;
	if (entry != NULL &&
	    json_unpack(entry, "{s:{s:s}}", "data", "run", &run) == 0 &&
	    strcmp(run, listing->w->run->nonce) == 0)
		rc = listing->part->print(listing->w->out,
		    listing->count++ == 0 ? listing->part->label : "", entry);
	json_decref(entry);
	return rc;
}

static int
print_people(struct writing *w)
{
	const struct run *run = w->run;
	const struct plan *plan = run->plan;

	if (print(w->out,
		"quorum set:     %s, SHA-256 %s\n"
		"                %u operators must approve and confirm\n",
		plan->set, plan->set_sha256, plan->threshold) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		struct listing listing = { w, &parts[i], 0 };

		if (journal_each_entry(journal_of_run(run), run->first,
			parts[i].kind, list_entry, &listing) < 0)
			return -1;
	}
	if (!plan_unattended(plan))
		return 0;
	return print(w->out,
	    "list accepted:  by nobody: the plan was approved to run "
	    "unattended\n");
}

/* What must be said loudly of this authority. */
static int
print_warnings(struct writing *w)
{
	AUTO_CHARS(text) = NULL;
	char *at, *line;

	if (authority_warnings(w->run->authority, &text) < 0)
		return -1;
	for (at = text; at != NULL && (line = strsep(&at, "\n")) != NULL;)
		if (line[0] != '\0' &&
		    print(w->out, "WARNING:        %s\n", line) < 0)
			return -1;
	return 0;
}

static int
print_header(struct writing *w)
{
	const struct authority_config *config =
	    authority_config(w->run->authority);
	const struct token_facts *token =
	    token_facts(authority_token(w->run->authority));
	const struct module_facts *module =
	    module_facts(authority_module(w->run->authority));
	AUTO_CHARS(title) = text_escape(config->title, strlen(config->title));
	AUTO_CHARS(what) = text_escape(
	    plan_title(w->run->plan), strlen(plan_title(w->run->plan)));

	if (title == NULL || what == NULL)
		return -1;
	return print(w->out,
	    "Transcript of a ceremony\n\n"
	    "authority:      %s (%s)\n"
	    "plan:           %s (%s)\n"
	    "manifest:       SHA-256 %s\n"
	    "run:            %s\n"
	    "software:       ca-tool %s, SHA-256 %s\n"
	    "module:         %s, SHA-256 %s\n"
	    "                %s %s, library %s, cryptoki %s\n"
	    "token:          '%s', serial %s, %s %s, firmware %s\n",
	    title, config->id, what, plan_id(w->run->plan),
	    plan_manifest_sha256(w->run->plan), w->run->nonce,
	    w->run->room->tool_version, w->run->room->tool_sha256, module->path,
	    module->sha256, module->manufacturer, module->description,
	    module->version, module->cryptoki, token->label, token->serial,
	    token->manufacturer, token->model, token->firmware);
}

int
transcript_write(struct run *run, char ret_sha256[HASH_HEX_SIZE])
{
	AUTO(BIO) *out = BIO_new(BIO_s_mem());
	struct writing w = { .run = run, .out = out };
	unsigned char digest[HASH_LEN];
	char *data = NULL;
	long len;

	if (out == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a transcript");
	if (print_header(&w) < 0 || print_people(&w) < 0 ||
	    print_warnings(&w) < 0 ||
	    print(out,
		"\nWhat follows is what the journal holds of this run, entry by "
		"entry.\nKey attributes are the module's own statement.\n") <
		0 ||
	    journal_each_entry(journal_of_run(run), run->first, ENTRY_KINDS,
		visit_entry, &w) < 0)
		return -1;
	len = BIO_get_mem_data(out, &data);
	if (len < 0 || sha256(data, (size_t)len, digest) < 0 ||
	    file_write_at(run->fd, "transcript.txt", data, (size_t)len, 0600,
		FILE_REPLACE) < 0)
		return -1;
	text_hex_into(digest, HASH_LEN, ret_sha256);
	return 0;
}
