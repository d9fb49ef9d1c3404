#include "ceremony/steps/build.h"

#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "ceremony/steps/index.h"
#include "profiles/lint/lint.h"

/* Older spooled objects are built and confirmed anew. */
enum { EARLIER_MAX_AGE = 12 * 3600 };

/*
 * The public key of a key that is taken in, from its certificate.  What is
 * malformed stays without one: the step's check says why.
 */
static int
read_adopted(const struct build *build, struct planned_key *key)
{
	const struct input *input =
	    inputs_find(build->inputs, INPUT_FILE, key->order.adopt);
	AUTO(X509) *certificate = NULL;
	AUTO_STRUCT(certificate_facts) facts = { 0 };
	const struct key_type *type;

	if (input == NULL)
		return 0;
	if (certificate_read(
		key->order.adopt, input->data, input->len, &certificate) < 0 ||
	    certificate_facts(certificate, &facts) < 0) {
		if (ca_error_exit_status() != CA_EXIT_REFUSED)
			return -1;
		ca_error_clear();
		return 0;
	}
	type = key_type_of_spki(facts.spki, facts.spki_len);
	if (type == NULL)
		return 0;
	key->order.type = type->name;
	key->spki = bytes_copy(facts.spki, facts.spki_len);
	key->spki_len = facts.spki_len;
	return key->spki == NULL ? -1 : 0;
}

static int
add_key(struct build *build, const struct step *step)
{
	struct planned_key *keys;
	struct planned_key key = { .step = step->index };

	step->kind->keys(step, &key.order);
	if (key.order.adopt != NULL && read_adopted(build, &key) < 0)
		return -1;
	keys = realloc(build->keys, (build->key_count + 1) * sizeof(*keys));
	if (keys == NULL) {
		free(key.spki);
		return ca_error(CA_R_MEMORY, "no memory for keys");
	}
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
		const struct key_type *type = key->order.adopt != NULL
		    ? NULL
		    : key_type_by_name(key->order.type);

		if (type == NULL)
			continue; /* taken in; or its step has a finding */
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
build_look(
    const struct build *build, const char *what, size_t done, size_t total)
{
	return build->look == NULL
	    ? 0
	    : build->look(build->look_ctx, what, done, total);
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
		if (build_look(build, "steps", i, count) < 0 ||
		    build_step(build, &steps[i]) < 0)
			return -1;
	return build_look(build, "steps", count, count);
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

bool
build_is_broken(const struct build *build, const char *name)
{
	for (size_t i = 0; i < build->broken_count; i++)
		if (strcmp(build->broken[i], name) == 0)
			return true;
	return false;
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
earlier_in_memory(const struct earlier_object *earlier, enum object_kind kind,
    struct der *ret_octets)
{
	if (earlier->octets.kind != kind || earlier->octets.file != NULL)
		return ca_error(CA_R_CORRUPT,
		    "an earlier part of the run made a %s, where a %s is "
		    "built now",
		    object_kind_name(earlier->octets.kind),
		    object_kind_name(kind));
	*ret_octets = (struct der){ earlier->octets.der, earlier->octets.len };
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
	if (object->previous != NULL)
		cleanup_fd(&object->previous->fd);
	free(object->previous);
	json_decref(object->lint);
	json_decref(object->facts);
	free(object->summary);
	free(object->details);
	*object = (struct built_object){ 0 };
}

static int
lint_in_file(struct build *build, const struct built_object *object)
{
	struct der_file file = { .fd = -1 };
	struct der_source source;
	int rc;

	if (built_constant_file(build, object, &file) < 0)
		return -1;
	rc = der_source_file(&file, &source);
	if (rc == 0)
		rc = built_lint_source(
		    object, &source, true, object->built, build->findings);
	cleanup_fd(&file.fd);
	return rc;
}

static int
lint_in_memory(struct build *build, const struct built_object *object)
{
	AUTO_BYTES(der) = NULL;
	size_t len = 0;

	if (object_with_constant(&object->tbs, &der, &len) < 0)
		return -1;
	return built_lint(object, (struct der){ der, len }, true, object->built,
	    build->findings);
}

/* With a constant in place of the signature (LINT-PRE, LINT-DUMMY). */
static int
lint_object_of(struct build *build, struct built_object *object)
{
	const size_t before = build->findings->count;

	if (built_find_previous(build, object) < 0 ||
	    (object->tbs.file != NULL ? lint_in_file(build, object)
				      : lint_in_memory(build, object)) < 0)
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

void
built_batch_clear(struct built_batch *batch)
{
	free(batch->name);
	free(batch->key);
	free(batch->issuer);
	free(batch->responder);
	free(batch->signer);
	free(batch->issuer_der);
	free(batch->responder_der);
	lint_known_free(batch->known);
	free(batch->tbs);
	free(batch->offsets);
	free(batch->items);
	json_decref(batch->lint);
	json_decref(batch->facts);
	free(batch->summary);
	free(batch->details);
	*batch = (struct built_batch){ 0 };
}

/* Every response has its place in `tbs`, and none is empty. */
static bool
batch_is_whole(const struct built_batch *batch)
{
	if (batch->count == 0 || batch->offsets == NULL ||
	    batch->offsets[0] != 0 ||
	    batch->offsets[batch->count] != batch->tbs_len)
		return false;
	for (size_t i = 0; i < batch->count; i++)
		if (batch->offsets[i] >= batch->offsets[i + 1])
			return false;
	return true;
}

static int
check_batch(const struct built_batch *batch)
{
	if (batch->name == NULL || batch->key == NULL ||
	    batch->issuer == NULL || batch->signer == NULL ||
	    batch->alg == NULL || batch->tbs == NULL || batch->items == NULL ||
	    batch->lint == NULL || batch->facts == NULL ||
	    batch->summary == NULL || batch->details == NULL)
		return ca_error(CA_R_MEMORY, "no memory for OCSP responses");
	return batch_is_whole(batch)
	    ? 0
	    : ca_error(CA_R_INTERNAL,
		  "the responses of '%s' do not fill their place", batch->name);
}

int
build_add_batch(struct build *build, struct built_batch *batch)
{
	struct built_batch *batches = realloc(
	    build->batches, (build->batch_count + 1) * sizeof(*batches));

	if (batches == NULL) {
		built_batch_clear(batch);
		return ca_error(CA_R_MEMORY, "no memory for OCSP responses");
	}
	build->batches = batches;
	if (check_batch(batch) < 0) {
		built_batch_clear(batch);
		return -1;
	}
	batches[build->batch_count++] = *batch;
	*batch = (struct built_batch){ 0 };
	return 0;
}

void
built_act_clear(struct built_act *act)
{
	json_decref(act->data);
	free(act->kind);
	free(act->text);
	free(act->summary);
	free(act->details);
	free(act->name);
	free(act->key);
	X509_free(act->certificate);
	free(act->der);
	if (act->list.data != NULL)
		spilled_clear(&act->list);
	if (act->planned.data != NULL)
		spilled_clear(&act->planned);
	*act = (struct built_act){ 0 };
}

int
act_plan(
    struct built_act *act, const struct planned_revocation *rows, size_t count)
{
	unsigned char *copy =
	    bytes_copy((const unsigned char *)rows, count * sizeof(*rows));

	if (copy == NULL)
		return -1;
	act->planned = (struct spilled){
		.data = copy, .len = count * sizeof(*rows), .fd = -1
	};
	act->revoked = (const void *)copy;
	act->revoked_count = count;
	return 0;
}

/* Lists are searched; what is revoked one by one is found by its serial. */
static int
index_act(struct build *build, const struct built_act *act)
{
	const char *dn =
	    json_string_value(json_object_get(act->data, "issuer_dn"));

	return act->revoked_count != 1 || dn == NULL
	    ? 0
	    : index_add_revoked(build, dn, act->revoked->serial,
		  act->revoked->serial_len, build->act_count);
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
		built_act_clear(act);
		return ca_error(CA_R_MEMORY, "no memory for an act");
	}
	if (index_act(build, act) < 0) {
		built_act_clear(act);
		return -1;
	}
	acts[build->act_count++] = *act;
	*act = (struct built_act){ 0 };
	return 0;
}

void
build_clear(struct build *build)
{
	for (size_t i = 0; i < build->key_count; i++) {
		free(build->keys[i].spki);
		json_decref(build->keys[i].facts);
	}
	for (size_t i = 0; i < build->object_count; i++)
		built_object_clear(&build->objects[i]);
	for (size_t i = 0; i < build->batch_count; i++)
		built_batch_clear(&build->batches[i]);
	for (size_t i = 0; i < build->act_count; i++)
		built_act_clear(&build->acts[i]);
	for (size_t i = 0; i < build->profile_count; i++) {
		profile_free(build->profiles[i]);
		free(build->profile_names[i]);
	}
	for (size_t i = 0; i < build->broken_count; i++)
		free(build->broken[i]);
	index_free(build->index);
	json_decref(build->left_out);
	free(build->keys);
	free(build->objects);
	free(build->batches);
	free(build->acts);
	free(build->profiles);
	free(build->profile_names);
	free(build->broken);
	*build = (struct build){ 0 };
}
