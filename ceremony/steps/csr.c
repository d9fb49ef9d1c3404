/* The step that asks another CA for a certificate: csr. */
#include "profiles/csr.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/steps/build.h"

static int
check(struct build *build, const struct step *step)
{
	const struct csr_params *p = step->params;
	struct name_value subject[SUBJECT_ATTRIBUTES];
	size_t count = subject_values(&p->subject, subject);

	if (csr_check(subject, count, step_place(step, "subject"),
		build->findings) < 0)
		return -1;
	return build_check_name(build, step, p->name);
}

static int
describe(const struct step *step, char **ret_text)
{
	const struct csr_params *p = step->params;

	return step_text(ret_text,
	    "make certificate request '%s' for \"%s\" with key '%s'", p->name,
	    p->subject.common_name == NULL ? "" : p->subject.common_name,
	    p->key);
}

/*
 * Encode the request.  A request has neither time nor serial: what an earlier
 * list left of it must be the same octets.
 */
static int
make_tbs(const struct build *build, const struct step *step,
    const struct key_view *key, struct built_object *object)
{
	const struct csr_params *p = step->params;
	const struct earlier_object *earlier = build_earlier(build, false);
	struct name_value subject[SUBJECT_ATTRIBUTES];
	struct der spooled;

	object->from = BUILT_NOW;
	object->built = build->now;
	if (earlier->state == EARLIER_SIGNED) {
		object->from = BUILT_AND_SIGNED;
		return 0;
	}
	if (csr_build(subject, subject_values(&p->subject, subject), key->spki,
		key->spki_len, &object->tbs) < 0)
		return -1;
	if (earlier->state != EARLIER_SPOOLED)
		return 0;
	if (earlier_in_memory(earlier, OBJECT_CSR, &spooled) < 0)
		return -1;
	if (!der_equal(spooled, object->tbs.der, object->tbs.len))
		return ca_error(CA_R_VERIFY,
		    "the spool holds another request '%s' than the plan asks "
		    "for: it was changed",
		    p->name);
	object->from = BUILT_BEFORE;
	object->built = earlier->built;
	return 0;
}

static int
finish_object(const struct step *step, const struct key_view *key,
    struct built_object *object)
{
	const struct csr_params *p = step->params;
	const char *name =
	    p->subject.common_name == NULL ? "" : p->subject.common_name;
	const struct key_type *type =
	    key_type_of_spki(key->spki, key->spki_len);
	AUTO_CHARS(safe) = text_escape(name, strlen(name));
	AUTO_CHARS(spki) = sha256_hex(key->spki, key->spki_len);

	if (safe == NULL || spki == NULL)
		return -1;
	object->kind = OBJECT_CSR;
	object->step = step;
	object->name = text_copy(p->name);
	object->key = text_copy(p->key);
	object->facts =
	    json_pack("{s:n, s:n, s:n}", "issuer", "issuer_dn", "profile");
	object->summary = text_printf("certificate request for %s", safe);
	object->details =
	    text_printf("common name: %s\npublic key: %s, SHA-256\n  %s", safe,
		type == NULL ? "unknown" : type->name, spki);
	object->stage = STAGE_CSR;
	object->signer = bytes_copy(key->spki, key->spki_len);
	object->signer_len = key->spki_len;
	return object->signer == NULL ? -1 : 0;
}

static int
build(struct build *build, const struct step *step)
{
	const struct csr_params *p = step->params;
	AUTO_STRUCT(key_view) key = { 0 };
	struct built_object object = { 0 };

	if (build_key(build, step, "key", p->key, NULL, &key) < 0)
		return -1;
	if (!key.found)
		return 0;
	if (make_tbs(build, step, &key, &object) < 0 ||
	    finish_object(step, &key, &object) < 0) {
		built_object_clear(&object);
		return -1;
	}
	return build_add_object(build, &object);
}

static const char *
publish(const struct step *step)
{
	const struct csr_params *p = step->params;

	return p->name;
}

const struct step_kind step_csr = {
	.name = "csr",
	.params_offset = offsetof(struct step_params, csr),
	.output = "csr",
	.check = check,
	.describe = describe,
	.build = build,
	.publish = publish,
};
