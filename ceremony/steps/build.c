#include "ceremony/steps/build.h"

#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"

/* Older spooled objects are built and confirmed anew. */
enum { EARLIER_MAX_AGE = 12 * 3600 };

static int
add_key(struct build *build, const struct step *step)
{
	struct planned_key *keys;
	struct planned_key key = { .step = step->index };

	step->kind->keys(step, &key.order);
	keys = realloc(build->keys, (build->key_count + 1) * sizeof(*keys));
	if (keys == NULL)
		return ca_error(CA_R_MEMORY, "no memory for keys");
	build->keys = keys;
	keys[build->key_count++] = key;
	return 0;
}

int
build_collect_keys(struct build *build, const struct step *steps, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (steps[i].kind->keys != NULL &&
		    add_key(build, &steps[i]) < 0)
			return -1;
	return 0;
}

int
build_set_key(struct build *build, const char *name, const unsigned char *spki,
    size_t len)
{
	for (size_t i = 0; i < build->key_count; i++) {
		struct planned_key *key = &build->keys[i];

		if (strcmp(key->order.name, name) != 0)
			continue;
		free(key->spki);
		key->spki = bytes_copy(spki, len);
		key->spki_len = len;
		return key->spki == NULL ? -1 : 0;
	}
	return ca_error(CA_R_INTERNAL, "the plan makes no key '%s'", name);
}

/* Stand-ins for the keys that a run would make, so that all can be encoded. */
static int
set_placeholders(struct build *build)
{
	for (size_t i = 0; i < build->key_count; i++) {
		struct planned_key *key = &build->keys[i];
		const struct key_type *type = key_type_by_name(key->order.type);

		if (type == NULL)
			continue; /* its step has a finding */
		if (placeholder_spki(type, i, &key->spki, &key->spki_len) < 0)
			return -1;
	}
	return 0;
}

static int
build_step(struct build *build, const struct step *step)
{
	size_t errors = build->findings->errors;

	if (step->kind->check(build, step) < 0)
		return -1;
	/* What is malformed in itself would only be reported twice. */
	if (build->findings->errors == errors && step->kind->build != NULL &&
	    step->kind->build(build, step) < 0)
		return -1;
	if (build->findings->errors > errors && step->kind->publish != NULL)
		return build_broken(build, step->kind->publish(step));
	return 0;
}

int
build_plan(struct build *build, const struct step *steps, size_t count)
{
	if (build->key_count == 0 &&
	    build_collect_keys(build, steps, count) < 0)
		return -1;
	if (build->mode == BUILD_CHECK && set_placeholders(build) < 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (build_step(build, &steps[i]) < 0)
			return -1;
	return 0;
}

int
build_broken(struct build *build, const char *name)
{
	char **broken =
	    realloc(build->broken, (build->broken_count + 1) * sizeof(*broken));

	if (broken == NULL)
		return ca_error(CA_R_MEMORY, "no memory for names");
	build->broken = broken;
	broken[build->broken_count] = text_copy(name);
	if (broken[build->broken_count] == NULL)
		return -1;
	build->broken_count++;
	return 0;
}

const struct earlier_object *
build_earlier(const struct build *build, bool fresh_issuer)
{
	static const struct earlier_object nothing = { 0 };
	const struct earlier_object *earlier;

	if (build->object_count >= build->earlier_count)
		return &nothing;
	earlier = &build->earlier[build->object_count];
	if (earlier->state != EARLIER_SPOOLED)
		return earlier;
	if (fresh_issuer || earlier->built > build->now ||
	    build->now - earlier->built > EARLIER_MAX_AGE)
		return &nothing;
	return earlier;
}

unsigned char *
bytes_copy(const unsigned char *bytes, size_t len)
{
	unsigned char *copy = malloc(len == 0 ? 1 : len);

	if (copy == NULL)
		(void)ca_error(CA_R_MEMORY, "no memory for %zu octets", len);
	else
		memcpy(copy, bytes, len);
	return copy;
}

int
earlier_tbs(const struct earlier_object *earlier, enum object_kind kind,
    struct tbs *ret_tbs)
{
	struct tbs tbs = {
		.kind = kind,
		.alg = earlier->alg,
		.len = earlier->len,
	};

	if (sha256(earlier->der, earlier->len, tbs.sha256) < 0)
		return -1;
	tbs.der = bytes_copy(earlier->der, earlier->len);
	if (tbs.der == NULL)
		return -1;
	*ret_tbs = tbs;
	return 0;
}

void
built_object_clear(struct built_object *object)
{
	free(object->name);
	free(object->key);
	free(object->issuer);
	free(object->signer);
	tbs_clear(&object->tbs);
	X509_free(object->certificate);
	free(object->issuer_der);
	free(object->existing_der);
	json_decref(object->lint);
	json_decref(object->facts);
	free(object->summary);
	free(object->details);
	*object = (struct built_object){ 0 };
}

/* With a constant in place of the signature (LINT-PRE, LINT-DUMMY). */
static int
lint_object_of(struct build *build, struct built_object *object)
{
	const size_t before = build->findings->count;
	AUTO_BYTES(der) = NULL;
	size_t len = 0;

	if (object_with_constant(&object->tbs, &der, &len) < 0 ||
	    built_lint(object, (struct der){ der, len }, true, object->built,
		build->findings) < 0)
		return -1;
	object->lint = findings_to_json(build->findings, before);
	return object->lint == NULL ? -1 : 0;
}

int
build_add_object(struct build *build, struct built_object *object)
{
	struct built_object *objects = realloc(
	    build->objects, (build->object_count + 1) * sizeof(*objects));

	if (objects == NULL) {
		built_object_clear(object);
		return ca_error(CA_R_MEMORY, "no memory for objects");
	}
	build->objects = objects;
	if (object->facts == NULL || object->name == NULL ||
	    object->summary == NULL || object->details == NULL ||
	    object->key == NULL) {
		built_object_clear(object);
		return ca_error(CA_R_MEMORY, "no memory for an object");
	}
	object->blocklist = build->blocklist;
	if (object->from != BUILT_AND_SIGNED &&
	    lint_object_of(build, object) < 0) {
		built_object_clear(object);
		return -1;
	}
	objects[build->object_count++] = *object;
	*object = (struct built_object){ 0 };
	return 0;
}

static void
act_clear(struct built_act *act)
{
	json_decref(act->data);
	free(act->kind);
	free(act->text);
	free(act->summary);
	free(act->name);
	free(act->key);
	X509_free(act->certificate);
	free(act->der);
	*act = (struct built_act){ 0 };
}

int
build_add_act(struct build *build, struct built_act *act)
{
	struct built_act *acts =
	    realloc(build->acts, (build->act_count + 1) * sizeof(*acts));

	if (acts != NULL) {
		build->acts = acts;
		act->text = act->data == NULL
		    ? NULL
		    : json_dumps(act->data,
			  JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
	}
	if (act->text == NULL || act->kind == NULL || act->summary == NULL) {
		act_clear(act);
		return ca_error(CA_R_MEMORY, "no memory for an act");
	}
	acts[build->act_count++] = *act;
	*act = (struct built_act){ 0 };
	return 0;
}

void
build_clear(struct build *build)
{
	for (size_t i = 0; i < build->key_count; i++)
		free(build->keys[i].spki);
	for (size_t i = 0; i < build->object_count; i++)
		built_object_clear(&build->objects[i]);
	for (size_t i = 0; i < build->act_count; i++)
		act_clear(&build->acts[i]);
	for (size_t i = 0; i < build->profile_count; i++) {
		profile_free(build->profiles[i]);
		free(build->profile_names[i]);
	}
	for (size_t i = 0; i < build->broken_count; i++)
		free(build->broken[i]);
	free(build->keys);
	free(build->objects);
	free(build->acts);
	free(build->profiles);
	free(build->profile_names);
	free(build->broken);
	*build = (struct build){ 0 };
}
