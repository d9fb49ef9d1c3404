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
	void *revoked; /* tree of struct revoked_one */
};

struct revoked_one {
	unsigned char serial[SERIAL_LEN];
	size_t serial_len;
	char issuer_dn[HASH_HEX_SIZE];
	size_t act;
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
	tdestroy(index->revoked, free);
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

static int
make_index(struct build *build)
{
	if (build->index == NULL)
		build->index = calloc(1, sizeof(*build->index));
	return build->index == NULL
	    ? ca_error(CA_R_MEMORY, "no memory for an index")
	    : 0;
}

int
index_find(struct build *build, enum index_key which, const char *key,
    const struct indexed **ret_first)
{
	const struct indexed wanted = { .key = key };
	struct indexed *const *found;

	if (make_index(build) < 0)
		return -1;
	for (; build->index->seen < build->object_count; build->index->seen++)
		if (add_object(build->index,
			&build->objects[build->index->seen],
			build->index->seen) < 0)
			return -1;
	found = tfind(&wanted, &build->index->roots[which], compare);
	*ret_first = found == NULL ? NULL : *found;
	return 0;
}

/* ---- revocations, one an act ------------------------------------------- */

static int
compare_revoked(const void *a, const void *b)
{
	const struct revoked_one *left = a, *right = b;
	int order;

	if (left->serial_len != right->serial_len)
		return left->serial_len < right->serial_len ? -1 : 1;
	order = memcmp(left->serial, right->serial, left->serial_len);
	return order != 0 ? order : strcmp(left->issuer_dn, right->issuer_dn);
}

/* False where no certificate can have them. */
static bool
set_revoked(const char *issuer_dn, const unsigned char *serial,
    size_t serial_len, struct revoked_one *one)
{
	if (serial_len > SERIAL_LEN ||
	    strlen(issuer_dn) >= sizeof(one->issuer_dn))
		return false;
	*one = (struct revoked_one){ .serial_len = serial_len };
	memcpy(one->serial, serial, serial_len);
	memcpy(one->issuer_dn, issuer_dn, strlen(issuer_dn));
	return true;
}

int
index_add_revoked(struct build *build, const char *issuer_dn,
    const unsigned char *serial, size_t serial_len, size_t act)
{
	struct revoked_one one, *row, **found;

	if (!set_revoked(issuer_dn, serial, serial_len, &one))
		return ca_error(CA_R_INTERNAL, "an act without an issuer");
	if (make_index(build) < 0)
		return -1;
	row = malloc(sizeof(*row));
	if (row == NULL)
		return ca_error(CA_R_MEMORY, "no memory for an index");
	*row = one;
	row->act = act;
	found = tsearch(row, &build->index->revoked, compare_revoked);
	if (found == NULL || *found != row)
		free(row); /* or the first one stays */
	return found == NULL ? ca_error(CA_R_MEMORY, "no memory for an index")
			     : 0;
}

bool
index_find_revoked(const struct build *build, const char *issuer_dn,
    const unsigned char *serial, size_t serial_len, size_t *ret_act)
{
	struct revoked_one wanted, *const *found;

	if (build->index == NULL ||
	    !set_revoked(issuer_dn, serial, serial_len, &wanted))
		return false;
	found = tfind(&wanted, &build->index->revoked, compare_revoked);
	if (found != NULL)
		*ret_act = (*found)->act;
	return found != NULL;
}
