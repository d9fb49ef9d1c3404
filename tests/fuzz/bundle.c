/*
 * Bundles of files: refused, or each file lies in the bundle behind the one
 * before it, and all of them together are the bundle again.
 */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/steps/inputs.h"
#include "fuzz.h"

/* What was taken apart, put together. */
struct again {
	unsigned char *octets;
	size_t len;
};

static void
add(struct again *again, const void *octets, size_t len)
{
	unsigned char *more = realloc(again->octets, again->len + len + 1);

	HOLDS(more != NULL);
	again->octets = more;
	if (len > 0)
		memcpy(more + again->len, octets, len);
	again->len += len;
}

static void
add_file(struct again *again, const struct bundle_file *file)
{
	AUTO_CHARS(length) = text_printf(" %zu\n", file->len);

	HOLDS(length != NULL);
	add(again, file->name, file->name_len);
	add(again, length, strlen(length));
	add(again, file->data, file->len);
	add(again, "\n", 1);
}

/* It may be shown, and stands for octets that are a file's name. */
static void
check_name(const struct bundle_file *file)
{
	AUTO_CHARS(name) = bundle_file_name(file);
	AUTO_CHARS(shown) = text_escape(file->name, file->name_len);

	HOLDS(name != NULL && shown != NULL);
	HOLDS(name[0] != '\0' && strlen(name) <= file->name_len);
	HOLDS(strchr(name, '/') == NULL);
	HOLDS(strcmp(name, ".") != 0 && strcmp(name, "..") != 0);
	HOLDS(memchr(file->name, ' ', file->name_len) == NULL);
	HOLDS(memchr(file->name, '\n', file->name_len) == NULL);
}

static void
check_alone(const struct input *input, const struct bundle_file *file)
{
	HOLDS(file->name_len == 0);
	HOLDS(file->data == input->data && file->len == input->len);
	HOLDS(input->len < strlen(BUNDLE_MAGIC) ||
	    memcmp(input->data, BUNDLE_MAGIC, strlen(BUNDLE_MAGIC)) != 0);
}

/* At the end it stays at the end. */
static void
check_end(const struct input *input, size_t at, const struct again *again,
    bool is_bundle)
{
	struct bundle_file file = { 0 };
	bool found = true;

	HOLDS(bundle_next(input, &at, &found, &file) == 0 && !found);
	if (!is_bundle)
		return;
	HOLDS(again->len == input->len);
	HOLDS(memcmp(again->octets, input->data, again->len) == 0);
}

static void
check(const struct input *input, struct again *again)
{
	size_t at = 0;
	bool found = true, is_bundle = true;

	add(again, BUNDLE_MAGIC, strlen(BUNDLE_MAGIC));
	while (found) {
		struct bundle_file file = { 0 };

		if (bundle_next(input, &at, &found, &file) != 0) {
			HOLDS(ca_error_reason() == CA_R_INPUT);
			ca_error_clear();
			return;
		}
		if (found && file.name == NULL) {
			check_alone(input, &file);
			is_bundle = false;
		} else if (found) {
			check_name(&file);
			add_file(again, &file);
		}
	}
	check_end(input, at, again, is_bundle);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct again again = { .len = 0 };
	struct inputs inputs = { 0 };
	unsigned char *copy = malloc(size + (size == 0));

	HOLDS(copy != NULL);
	if (size > 0)
		memcpy(copy, data, size);
	HOLDS(inputs_add(&inputs, INPUT_BULK, "x", NULL, copy, size) == 0);
	check(&inputs.rows[0], &again);
	HOLDS(ca_error_reason() == 0);
	free(again.octets);
	inputs_clear(&inputs);
	return 0;
}
