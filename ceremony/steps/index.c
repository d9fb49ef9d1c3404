#include "ceremony/steps/index.h"

#include <search.h>
#include <string.h>

#include "base/error.h"
#include "ceremony/steps/build.h"

enum { INDEXES = 3 };

/* Trees of struct indexed; they know the objects before `seen`. */
struct build_index {
	void *roots[INDEXES];
	size_t seen;
};

static int
compare(const void *a, const void *b)
{
	const struct indexed *left = a, *right = b;

	return strcmp(left->key, right->key);
}

static void
free_chain(void *node)
{
	struct indexed *row = node;

	while (row != NULL) {
		struct indexed *next = row->same;

		free(row);
		row = next;
	}
}

void
index_free(struct build_index *index)
{
	if (index == NULL)
		return;
	for (size_t i = 0; i < INDEXES; i++)
		tdestroy(index->roots[i], free_chain);
	free(index);
}

/* A second object with a key stands behind the first. */
static int
add(void **root, const char *key, size_t object)
{
	struct indexed *row, **found;

	if (key == NULL)
		return 0;
	row = malloc(sizeof(*row));
	if (row == NULL)
		return ca_error(CA_R_MEMORY, "no memory for an index");
	*row = (struct indexed){ .key = key, .object = object };
	found = tsearch(row, root, compare);
	if (found == NULL) {
		free(row);
		return ca_error(CA_R_MEMORY, "no memory for an index");
	}
	if (*found != row) {
		row->same = (*found)->same;
		(*found)->same = row;
	}
	return 0;
}

static int
add_object(struct build_index *index, const struct built_object *o, size_t at)
{
	const char *serial =
	    json_string_value(json_object_get(o->facts, "serial"));
	const char *spki = json_string_value(json_object_get(o->facts, "spki"));

	if (add(&index->roots[INDEX_SERIAL], serial, at) < 0 ||
	    add(&index->roots[INDEX_SPKI], spki, at) < 0)
		return -1;
	return add(&index->roots[INDEX_NAME], o->name, at);
}

int
index_find(struct build *build, enum index_key which, const char *key,
    const struct indexed **ret_first)
{
	const struct indexed wanted = { .key = key };
	struct indexed *const *found;

	if (build->index == NULL)
		build->index = calloc(1, sizeof(*build->index));
	if (build->index == NULL)
		return ca_error(CA_R_MEMORY, "no memory for an index");
	for (; build->index->seen < build->object_count; build->index->seen++)
		if (add_object(build->index,
			&build->objects[build->index->seen],
			build->index->seen) < 0)
			return -1;
	found = tfind(&wanted, &build->index->roots[which], compare);
	*ret_first = found == NULL ? NULL : *found;
	return 0;
}
