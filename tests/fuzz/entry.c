/* Journal entries: a line is refused, or all that is read of it is there. */
#include "ceremony/journal/entry.h"

#include <jansson.h>
#include <string.h>

#include "base/error.h"
#include "ceremony/journal/store.h"
#include "fuzz.h"

static int
visit(void *ctx, const char *sha256)
{
	size_t *count = ctx;

	HOLDS(strspn(sha256, "0123456789abcdef") == 64);
	HOLDS(sha256[64] == '\0');
	(*count)++;
	return 0;
}

static void
check_data(const struct entry *entry)
{
	size_t count = 0;

	if (entry_check(entry->kind, entry->data) != 0) {
		ca_error_clear();
		return;
	}
	HOLDS(
	    entry_each_evidence(entry->kind, entry->data, visit, &count) == 0);
}

/* Every kind, so that each check sees data that was made for another. */
static void
check_as_all(const json_t *data)
{
	for (int kind = 0; kind < ENTRY_KINDS; kind++) {
		struct entry entry = { .kind = (enum entry_kind)kind,
			.data = data };

		check_data(&entry);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct entry entry = { 0 };
	json_t *json = NULL;

	if (entry_parse((const char *)data, size, &json, &entry) != 0) {
		HOLDS(
		    ca_error_reason() != 0 && ca_error_reason() != CA_R_MEMORY);
		HOLDS(json == NULL);
		ca_error_clear();
		return 0;
	}
	HOLDS(json != NULL && entry.data != NULL);
	HOLDS(entry.kind < ENTRY_KINDS);
	check_as_all(entry.data);
	json_decref(json);
	HOLDS(ca_error_reason() == 0);
	return 0;
}
