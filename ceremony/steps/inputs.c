#include "ceremony/steps/inputs.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

static const char *const role_names[] = {
	[INPUT_PLAN] = "plan",
	[INPUT_AUTHORITY] = "authority",
	[INPUT_PROFILE] = "profile",
	[INPUT_FILE] = "file",
	[INPUT_LATE] = "late",
	[INPUT_BULK] = "bulk",
};

const char *
input_role_name(enum input_role role)
{
	return role_names[role];
}

int
input_role_by_name(const char *name, enum input_role *ret_role)
{
	for (size_t i = 0; i < sizeof(role_names) / sizeof(role_names[0]); i++)
		if (strcmp(role_names[i], name) == 0) {
			*ret_role = (enum input_role)i;
			return 0;
		}
	return ca_error(CA_R_CORRUPT, "unknown role '%s' in a manifest", name);
}

size_t
input_max_bytes(enum input_role role)
{
	return role == INPUT_BULK ? INPUT_BULK_MAX_BYTES : INPUT_MAX_BYTES;
}

/*
 * A file name for a copy: number, and what remains readable of the name that
 * the plan gave, which may hold anything.
 */
static char *
file_name(size_t number, const char *given)
{
	const char *base = strrchr(given, '/');
	char clean[49] = "";
	size_t n = 0;

	base = base == NULL ? given : base + 1;
	for (; *base != '\0' && n < sizeof(clean) - 1; base++) {
		unsigned char c = (unsigned char)*base;
		bool plain = (c < 0x80 && isalnum(c)) || c == '-' || c == '.';

		clean[n++] = plain ? (char)c : '_';
	}
	return text_printf("%04zu-%s", number, clean);
}

/* One more row, without its octets. */
static int
add_row(struct inputs *inputs, const char *given, const char *file,
    struct input *row)
{
	AUTO_CHARS(given_copy) = text_copy(given);
	AUTO_CHARS(file_copy) =
	    file != NULL ? text_copy(file) : file_name(inputs->count, given);
	struct input *rows;

	if (given_copy == NULL || file_copy == NULL)
		return -1;
	rows = realloc(inputs->rows, (inputs->count + 1) * sizeof(*rows));
	if (rows == NULL)
		return ca_error(CA_R_MEMORY, "no memory for inputs");
	inputs->rows = rows;
	row->given = TAKE(given_copy);
	row->file = TAKE(file_copy);
	rows[inputs->count++] = *row;
	return 0;
}

int
inputs_add(struct inputs *inputs, enum input_role role, const char *given,
    const char *file, unsigned char *data, size_t len)
{
	AUTO_BYTES(owned) = data;
	struct input row = { .role = role, .data = data, .len = len };

	if (sha256(owned, len, row.sha256) < 0 ||
	    add_row(inputs, given, file, &row) < 0)
		return -1;
	owned = NULL; /* the row's */
	return 0;
}

int
inputs_add_bulk(struct inputs *inputs, enum input_role role, const char *given,
    const char *file, struct spilled *bulk)
{
	struct input row = {
		.role = role,
		.data = bulk->data,
		.len = bulk->len,
		.bulk = *bulk,
	};

	if (spilled_sha256(bulk, row.sha256) < 0 ||
	    add_row(inputs, given, file, &row) < 0)
		return -1;
	*bulk = (struct spilled){ .fd = -1 }; /* the row's */
	return 0;
}

void
input_pass(const struct input *input, size_t end)
{
	spilled_pass(&input->bulk, end);
}

const struct input *
inputs_find(
    const struct inputs *inputs, enum input_role role, const char *given)
{
	for (size_t i = 0; i < inputs->count; i++)
		if (inputs->rows[i].role == role &&
		    strcmp(inputs->rows[i].given, given) == 0)
			return &inputs->rows[i];
	return NULL;
}

void
inputs_clear(struct inputs *inputs)
{
	for (size_t i = 0; i < inputs->count; i++) {
		free(inputs->rows[i].given);
		free(inputs->rows[i].file);
		if (inputs->rows[i].bulk.data != NULL)
			spilled_clear(&inputs->rows[i].bulk);
		else
			free(inputs->rows[i].data);
	}
	free(inputs->rows);
	*inputs = (struct inputs){ 0 };
}

/* ---- bundles ---------------------------------------------------------- */

static int
malformed(const struct input *input, size_t at)
{
	AUTO_CHARS(given) = text_escape(input->given, strlen(input->given));

	return ca_error(CA_R_INPUT,
	    "'%s' is a bundle of files, and malformed at octet %zu",
	    given == NULL ? "" : given, at);
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* What one backslash and the text behind it stand for; its length, or 0. */
static size_t
unescape_one(const char *text, size_t len, char *ret_octet)
{
	int high, low;

	if (len >= 2 && text[1] == '\\') {
		*ret_octet = '\\';
		return 2;
	}
	if (len < 4 || text[1] != 'x')
		return 0;
	high = hex_value(text[2]);
	low = hex_value(text[3]);
	if (high < 0 || low < 0)
		return 0;
	*ret_octet = (char)(high << 4 | low);
	return 4;
}

/*
 * Is there an octet that no file's name has, or an escape that text_escape()
 * does not write?
 */
static bool
has_foreign_octet(const char *name, size_t len)
{
	for (size_t at = 0; at < len;) {
		char octet = name[at];
		size_t used = octet == '\\'
		    ? unescape_one(name + at, len - at, &octet)
		    : 1;

		if (used == 0 || octet == '\0' || octet == '/' ||
		    (used == 4 && octet > ' ' && octet <= '~'))
			return true;
		at += used;
	}
	return false;
}

/* A name in a bundle is text_escape()'s, without a blank; one of a file. */
static bool
is_bundle_name(const char *name, size_t len)
{
	bool dots = len <= 2 && memcmp(name, "..", len) == 0;

	return len > 0 && !dots && memchr(name, ' ', len) == NULL &&
	    text_is_safe(name, len) && !has_foreign_octet(name, len);
}

/* The number that ends a file's line, at most `max`; false if it is none. */
static bool
bundle_length(const char *digits, size_t len, size_t max, size_t *ret_value)
{
	char text[20];
	uint64_t value = 0;

	if (len == 0 || len >= sizeof(text) ||
	    memchr(digits, '\0', len) != NULL)
		return false;
	memcpy(text, digits, len);
	text[len] = '\0';
	if (text_number(text, max, &value) < 0) {
		ca_error_clear();
		return false;
	}
	*ret_value = (size_t)value;
	return true;
}

/* "NAME LENGTH\n", octets, "\n", at octet *at; that is moved behind them. */
static bool
bundle_parse(
    const struct input *input, size_t *at, struct bundle_file *ret_file)
{
	const char *text = (const char *)input->data + *at;
	const size_t rest = input->len - *at;
	const char *line = memchr(text, '\n', rest);
	const char *blank =
	    line == NULL ? NULL : memchr(text, ' ', (size_t)(line - text));
	struct bundle_file file = { .name = text };
	size_t head;

	if (blank == NULL)
		return false;
	head = (size_t)(line - text) + 1;
	file.name_len = (size_t)(blank - text);
	if (rest == head ||
	    !bundle_length(blank + 1, (size_t)(line - blank) - 1,
		rest - head - 1, &file.len) ||
	    !is_bundle_name(file.name, file.name_len) ||
	    text[head + file.len] != '\n')
		return false;
	file.data = input->data + *at + head;
	*at += head + file.len + 1;
	*ret_file = file;
	return true;
}

bool
input_is_bundle(const struct input *input)
{
	const size_t len = sizeof(BUNDLE_MAGIC) - 1;

	return input->len >= len && memcmp(input->data, BUNDLE_MAGIC, len) == 0;
}

/* A file by itself comes once; behind it *at is SIZE_MAX. */
int
bundle_next(const struct input *input, size_t *at, bool *ret_found,
    struct bundle_file *ret_file)
{
	size_t next = *at;

	if (!input_is_bundle(input)) {
		*ret_found = *at == 0;
		if (*at == 0)
			*ret_file = (struct bundle_file){ .data = input->data,
				.len = input->len };
		*at = SIZE_MAX;
		return 0;
	}
	if (next == 0)
		next = sizeof(BUNDLE_MAGIC) - 1;
	if (next > input->len)
		return malformed(input, next);
	*ret_found = next < input->len;
	if (*ret_found && !bundle_parse(input, &next, ret_file)) {
		*ret_found = false;
		return malformed(input, next);
	}
	*at = next;
	return 0;
}

char *
bundle_file_name(const struct bundle_file *file)
{
	char *name = malloc(file->name_len + 1), *to = name;
	size_t at = 0;

	if (name == NULL) {
		(void)ca_error(CA_R_MEMORY, "no memory for a name");
		return NULL;
	}
	while (at < file->name_len) {
		const char *from = file->name + at;
		size_t used = *from == '\\'
		    ? unescape_one(from, file->name_len - at, to)
		    : 0;

		if (used == 0) {
			*to = *from;
			used = 1;
		}
		to++;
		at += used;
	}
	*to = '\0';
	return name;
}
