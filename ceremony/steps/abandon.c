/*
 * The step that closes a run that was cut off and shall not be finished.  An
 * act: what the run signed is published, what it perhaps signed is revoked or
 * spent, and keys that signed nothing are destroyed.
 */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/steps/special.h"

static int
check(struct build *build, const struct step *step)
{
	const struct abandon_params *p = step->params;

	step_alone(build, step);
	step_check_why(build, step, p->why);
	if (!text_is_name(p->plan))
		step_name_finding(build, step, "plan", p->plan, 64);
	else if (strcmp(p->plan, step->plan->id) == 0)
		step_finding(build, step, "plan", "ABANDON-RUN", NULL,
		    "a plan cannot abandon itself");
	return 0;
}

static int
describe(const struct step *step, char **ret_text)
{
	const struct abandon_params *p = step->params;

	return step_text(ret_text,
	    "abandon the run of plan '%s' that was cut off: what it signed is "
	    "published, what it perhaps signed is revoked or never used "
	    "again, and keys that signed nothing are destroyed (why: %s)",
	    p->plan, p->why);
}

/* ---- keys ------------------------------------------------------------- */

/* What may have been made with a key, or for it. */
struct key_use {
	const char *run, *spki; /* SHA-256, hex */
	json_t *not_begun; /* "LIST/OBJECT" of failures that signed nothing */
	bool used;
};

static char *
place_of(json_int_t list, json_int_t object)
{
	return text_printf("%lld/%lld", (long long)list, (long long)object);
}

/* A failure that says that nothing was signed. */
static int
take_failure(void *ctx, uint64_t seq, const char *line, size_t len)
{
	struct key_use *use = ctx;
	json_t *entry = json_loadb(line, len, 0, NULL);
	json_t *data = json_object_get(entry, "data");
	const char *run = json_string_value(json_object_get(data, "run"));
	AUTO_CHARS(place) = NULL;
	int rc = 0;

	(void)seq;
	if (run == NULL)
		rc = ca_error(CA_R_CORRUPT,
		    "the journal has a malformed entry of a failure");
	else if (strcmp(run, use->run) == 0 &&
	    json_is_false(json_object_get(data, "possibly_signed"))) {
		place =
		    place_of(json_integer_value(json_object_get(data, "list")),
			json_integer_value(json_object_get(data, "object")));
		if (place == NULL ||
		    json_object_set_new(use->not_begun, place, json_true()) !=
			0)
			rc = ca_error(CA_R_MEMORY, "no memory for a run");
	}
	json_decref(entry);
	return rc;
}

static int
match_use(void *ctx, const struct object_row *row)
{
	struct key_use *use = ctx;
	AUTO_CHARS(place) = place_of(row->list, row->object);

	if (place == NULL)
		return -1;
	if (!row->adopted && row->state == OBJECT_FAILED &&
	    json_object_get(use->not_begun, place) != NULL)
		return 0;
	if ((row->key != NULL && strcmp(row->key, use->spki) == 0) ||
	    (row->spki != NULL && strcmp(row->spki, use->spki) == 0))
		use->used = true;
	return 0;
}

int
abandon_keeps_key(struct journal *journal, const char *run,
    const struct key_row *key, bool *ret_kept)
{
	AUTO_CHARS(spki) = NULL;
	struct key_use use = { .run = run };
	int rc;

	/* What was on the token before is not the run's to destroy. */
	*ret_kept = key->adopted;
	if (key->adopted)
		return 0;
	if (key->spki == NULL)
		return 0; /* half made: it cannot have signed */
	spki = sha256_hex(key->spki, key->spki_len);
	use.spki = spki;
	use.not_begun = json_object();
	if (spki == NULL || use.not_begun == NULL) {
		json_decref(use.not_begun);
		return ca_error(CA_R_MEMORY, "no memory for a key");
	}
	rc = journal_each_entry(journal, 0, ENTRY_FAILED, take_failure, &use);
	if (rc == 0)
		rc = journal_each_object(journal, run, NULL, match_use, &use);
	json_decref(use.not_begun);
	*ret_kept = use.used;
	return rc;
}

/* ---- what will become of everything ----------------------------------- */

struct facts {
	struct journal *journal;
	const char *run;
	json_t *published, *spent, *destroyed, *kept;
};

static void
facts_clear(struct facts *facts)
{
	json_decref(facts->published);
	json_decref(facts->spent);
	json_decref(facts->destroyed);
	json_decref(facts->kept);
}
CLEANUP_DEFINE_STRUCT(facts);

static int
append(json_t *array, json_t *value)
{
	return json_array_append_new(array, value) == 0
	    ? 0
	    : ca_error(CA_R_MEMORY, "no memory for a run");
}

/* What it comes to when something was perhaps signed. */
static const char *
consequence(const struct object_row *row)
{
	if (strcmp(row->kind, "crl") == 0)
		return "its number is never used again";
	if (strcmp(row->kind, "certificate") != 0)
		return "nothing depends on it";
	if (row->certificate_kind != NULL &&
	    strcmp(row->certificate_kind, "root") == 0)
		return "a root with this serial may exist";
	return "its serial is revoked";
}

static int
add_object(void *ctx, const struct object_row *row)
{
	struct facts *facts = ctx;
	json_t *spent;
	AUTO_CHARS(number) = NULL;

	if (row->state == OBJECT_SIGNED)
		return append(facts->published,
		    json_pack("{s:s, s:s, s:s}", "kind", row->kind, "name",
			row->name, "sha256", row->sha256));
	if (strcmp(row->kind, "crl") == 0) {
		number = text_printf("%llu", (unsigned long long)row->number);
		if (number == NULL)
			return -1;
	}
	spent = json_pack("{s:s, s:s, s:s?, s:s?, s:s}", "kind", row->kind,
	    "name", row->name, "serial", row->serial, "number", number,
	    "consequence", consequence(row));
	return append(facts->spent, spent);
}

static int
add_key(void *ctx, const struct key_row *row)
{
	struct facts *facts = ctx;
	AUTO_CHARS(id) = text_hex(row->id, row->id_len);
	AUTO_CHARS(spki) = row->spki == NULL
	    ? text_copy("")
	    : sha256_hex(row->spki, row->spki_len);
	bool kept = false;

	if (id == NULL || spki == NULL ||
	    abandon_keeps_key(facts->journal, facts->run, row, &kept) < 0)
		return -1;
	return append(kept ? facts->kept : facts->destroyed,
	    json_pack(
		"{s:s, s:s, s:s}", "name", row->name, "id", id, "spki", spki));
}

static int
gather(struct facts *facts)
{
	facts->published = json_array();
	facts->spent = json_array();
	facts->destroyed = json_array();
	facts->kept = json_array();
	if (facts->published == NULL || facts->spent == NULL ||
	    facts->destroyed == NULL || facts->kept == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a run");
	if (journal_each_object(
		facts->journal, facts->run, NULL, add_object, facts) < 0)
		return -1;
	return journal_each_key(facts->journal, facts->run, add_key, facts);
}

/* "2 certificates ..." is for people; the names are in the act's text. */
static char *
make_summary(const char *plan, const struct facts *facts)
{
	return text_printf(
	    "abandon the run of plan '%s': %zu objects that it signed are "
	    "published, %zu that it perhaps signed are revoked or never used "
	    "again, %zu keys are destroyed, %zu kept",
	    plan, json_array_size(facts->published),
	    json_array_size(facts->spent), json_array_size(facts->destroyed),
	    json_array_size(facts->kept));
}

static int
add_act(struct build *build, const struct step *step, const char *run)
{
	const struct abandon_params *p = step->params;
	AUTO_STRUCT(facts)
	facts = { .journal = build->journal, .run = run };
	struct built_act act = { .entry = ENTRY_KINDS, .step = step };

	if (gather(&facts) < 0)
		return -1;
	act.kind = text_copy("abandon");
	act.summary = make_summary(p->plan, &facts);
	act.data = json_pack("{s:s, s:s, s:s, s:O, s:O, s:O, s:O}", "plan",
	    p->plan, "run", run, "why", p->why, "published", facts.published,
	    "spent", facts.spent, "destroyed", facts.destroyed, "kept",
	    facts.kept);
	return build_add_act(build, &act);
}

static int
build(struct build *build, const struct step *step)
{
	const struct abandon_params *p = step->params;
	AUTO_STRUCT(run_row) row = { 0 };
	bool found = false;

	if (journal_run_of_plan(build->journal, p->plan, &found, &row) < 0)
		return -1;
	if (found && row.open)
		return add_act(build, step, row.run);
	if (build->resumed && found)
		return 0; /* done by an earlier part of this run */
	step_finding(build, step, "plan", "ABANDON-RUN", NULL,
	    found ? "the run of plan '%s' is closed: there is nothing to "
		    "abandon"
		  : "no plan '%s' ever ran here",
	    p->plan);
	return 0;
}

const struct step_kind step_abandon = {
	.name = "abandon",
	.params_offset = offsetof(struct step_params, abandon),
	.check = check,
	.describe = describe,
	.build = build,
};
