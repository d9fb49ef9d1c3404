#include "ceremony/steps/inputs.h"

#include <ctype.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

static const char *const role_names[] = {
	[INPUT_PLAN] = "plan",
	[INPUT_AUTHORITY] = "authority",
	[INPUT_PROFILE] = "profile",
	[INPUT_FILE] = "file",
	[INPUT_LATE] = "late",
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

int
inputs_add(struct inputs *inputs, enum input_role role, const char *given,
    const char *file, unsigned char *data, size_t len)
{
	AUTO_BYTES(owned) = data;
	AUTO_CHARS(given_copy) = text_copy(given);
	AUTO_CHARS(file_copy) =
	    file != NULL ? text_copy(file) : file_name(inputs->count, given);
	struct input row = { .role = role, .len = len };
	struct input *rows;

	if (given_copy == NULL || file_copy == NULL)
		return -1;
	if (sha256(owned, len, row.sha256) < 0)
		return -1;
	rows = realloc(inputs->rows, (inputs->count + 1) * sizeof(*rows));
	if (rows == NULL)
		return ca_error(CA_R_MEMORY, "no memory for inputs");
	inputs->rows = rows;
	row.given = TAKE(given_copy);
	row.file = TAKE(file_copy);
	row.data = TAKE(owned);
	rows[inputs->count++] = row;
	return 0;
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
		free(inputs->rows[i].data);
	}
	free(inputs->rows);
	*inputs = (struct inputs){ 0 };
}
