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
	    "token:          '%s', serial %s, %s %s, firmware %s\n\n"
	    "What follows is what the journal holds of this run, entry by "
	    "entry.\nKey attributes are the module's own statement.\n",
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
	if (print_header(&w) < 0 ||
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
