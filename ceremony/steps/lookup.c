/* What steps refer to: keys, issuers, profiles, names, durations. */
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ceremony/steps/build.h"
#include "ceremony/steps/index.h"
#include "ceremony/steps/revocations.h"

/* ---- keys ------------------------------------------------------------- */

/* A key that an earlier step of this plan makes. */
static const struct planned_key *
planned_key(
    const struct build *build, const struct step *step, const char *name)
{
	for (size_t i = 0; i < build->key_count; i++)
		if (build->keys[i].step < step->index &&
		    strcmp(build->keys[i].order.name, name) == 0)
			return &build->keys[i];
	return NULL;
}

static int
find_key(struct build *build, const struct step *step, const char *name,
    struct key_view *view)
{
	const struct planned_key *planned = planned_key(build, step, name);
	bool found = false;

	if (planned != NULL) {
		view->found = planned->spki != NULL;
		view->purpose = planned->order.purpose;
		view->spki = planned->spki;
		view->spki_len = planned->spki_len;
		return 0;
	}
	if (journal_key(build->journal, name, &found, &view->row) < 0)
		return -1;
	if (!found || view->row.state != KEY_LIVE)
		return 0;
	view->found = true;
	view->purpose = view->row.purpose;
	view->spki = view->row.spki;
	view->spki_len = view->row.spki_len;
	return 0;
}

/*
 * Acts that end a CA come last: where one is journalled by this very run,
 * everything else is signed, and is only looked at again.
 */
static int
is_ending(const struct build *build, bool *ret_ending)
{
	bool state = false, gone = false;

	if (!build->resumed) {
		*ret_ending = false;
		return 0;
	}
	if (step_journalled(build, ENTRY_STATE, &state) < 0 ||
	    step_journalled(build, ENTRY_KEY_DESTROYED, &gone) < 0)
		return -1;
	*ret_ending = state || gone;
	return 0;
}

struct gone_search {
	const char *name;
	bool found;
};

static int
match_gone(void *ctx, const struct key_row *row)
{
	struct gone_search *search = ctx;

	if (row->state == KEY_GONE && strcmp(row->name, search->name) == 0)
		search->found = true;
	return 0;
}

static int
missing_key(struct build *build, const struct step *step, const char *member,
    const char *name)
{
	struct gone_search search = { .name = name };

	if (journal_each_key(build->journal, NULL, match_gone, &search) < 0)
		return -1;
	if (search.found)
		step_finding(build, step, member, "KEY-MISSING", NULL,
		    "key '%s' was destroyed; where a new one is to have its "
		    "name, make it with a generate-key step before this one",
		    name);
	else
		step_finding(build, step, member, "KEY-MISSING", NULL,
		    "there is no key '%s'; make it with a generate-key step "
		    "before this one",
		    name);
	return 0;
}

int
build_key(struct build *build, const struct step *step, const char *member,
    const char *name, const char *purpose, struct key_view *ret_view)
{
	AUTO_STRUCT(key_view) view = { 0 };
	enum ca_state state = CA_ACTIVE;
	bool ending = false;

	if (find_key(build, step, name, &view) < 0)
		return -1;
	if (!view.found && planned_key(build, step, name) != NULL)
		return 0; /* the step that makes it has a finding */
	if (!view.found)
		return missing_key(build, step, member, name);
	if (strcmp(view.purpose, purpose != NULL ? purpose : view.purpose) !=
		0 ||
	    strcmp(view.purpose, "journal") == 0) {
		step_finding(build, step, member, "KEY-PURPOSE",
		    "EN 319 411-1, GEN-6.5.3-03",
		    "key '%s' has the purpose '%s' and may not be used here; a "
		    "key keeps its one purpose for ever",
		    name, view.purpose);
		return 0;
	}
	if (build_ca_state(build, name, &state) < 0)
		return -1;
	if (is_ending(build, &ending) < 0)
		return -1;
	if (!ending && (state == CA_RETIRED || state == CA_DESTROYED)) {
		step_finding(build, step, member, "CA-STATE", NULL,
		    "%skey '%s' is %s: %s",
		    strcmp(view.purpose, "ca") == 0 ? "the CA of " : "", name,
		    ca_state_name(state), issuer_refusal(state));
		return 0;
	}
	*ret_view = view;
	view = (struct key_view){ 0 };
	return 0;
}

void
key_view_clear(struct key_view *view)
{
	key_row_clear(&view->row);
	*view = (struct key_view){ 0 };
}

/* ---- states of CAs ---------------------------------------------------- */

bool
issuer_may(enum ca_state state, enum issuer_use use)
{
	return state == CA_ACTIVE ||
	    (state == CA_RETIRING && use != ISSUER_ISSUES);
}

const char *
issuer_refusal(enum ca_state state)
{
	switch (state) {
	case CA_RETIRING:
		return "it issues no more certificates, and signs only CRLs, "
		       "OCSP responses and OCSP responders; take its successor";
	case CA_RETIRED:
		return "it signs nothing any more; its last CRL stands, and "
		       "its key can only be destroyed";
	case CA_DESTROYED:
		return "its key is gone, and nothing can be done with it";
	case CA_ACTIVE:
		break;
	}
	return "it may do everything";
}

static int
journal_ca_state(
    const struct build *build, const char *name, enum ca_state *ret_state)
{
	AUTO_STRUCT(key_row) row = { 0 };
	bool found = false;

	if (journal_key(build->journal, name, &found, &row) < 0)
		return -1;
	*ret_state = found ? row.ca_state : CA_ACTIVE;
	return 0;
}

/* What an act makes of the CA of this key. */
static void
act_ca_state(const struct built_act *act, const char *key, enum ca_state *state)
{
	bool ends = act->entry == ENTRY_KEY_DESTROYED;
	const char *name = json_string_value(
	    json_object_get(act->data, ends ? "name" : "key"));
	const char *becomes =
	    json_string_value(json_object_get(act->data, "state"));

	if ((!ends && act->entry != ENTRY_STATE) || name == NULL ||
	    strcmp(name, key) != 0)
		return;
	if (ends)
		*state = CA_DESTROYED;
	else if (becomes != NULL &&
	    strcmp(becomes, ca_state_name(CA_RETIRED)) == 0)
		*state = CA_RETIRED;
	else
		*state = CA_RETIRING;
}

int
build_ca_state(
    const struct build *build, const char *key, enum ca_state *ret_state)
{
	enum ca_state state = CA_ACTIVE;

	if (journal_ca_state(build, key, &state) < 0)
		return -1;
	for (size_t i = 0; i < build->act_count; i++)
		act_ca_state(&build->acts[i], key, &state);
	*ret_state = state;
	return 0;
}

/* ---- issuers ---------------------------------------------------------- */

void
issuer_view_clear(struct issuer_view *view)
{
	X509_free(view->certificate);
	certificate_facts_clear(&view->facts);
	free(view->dn);
	free(view->key);
	free(view->spki);
	*view = (struct issuer_view){ 0 };
}

/* Give the view its own reference, and what follows from the certificate. */
static int
view_certificate(struct issuer_view *view, X509 *certificate)
{
	unsigned char digest[32];

	if (X509_up_ref(certificate) != 1)
		return ca_error(CA_R_INTERNAL, "cannot refer to a certificate");
	view->certificate = certificate;
	if (certificate_facts(certificate, &view->facts) < 0)
		return -1;
	if (sha256(view->facts.subject_der, view->facts.subject_len, digest) <
	    0)
		return -1;
	view->dn = text_hex(digest, sizeof(digest));
	view->spki = bytes_copy(view->facts.spki, view->facts.spki_len);
	if (view->dn == NULL || view->spki == NULL)
		return -1;
	view->spki_len = view->facts.spki_len;
	view->found = true;
	return 0;
}

/* A certificate that this plan makes or takes in. */
static int
find_planned_issuer(
    const struct build *build, const char *name, struct issuer_view *view)
{
	X509 *certificate = NULL;
	const char *key = NULL;

	for (size_t i = 0; i < build->object_count; i++) {
		const struct built_object *object = &build->objects[i];
		const char *subject_key;

		if (object->certificate == NULL ||
		    strcmp(object->name, name) != 0)
			continue;
		subject_key = json_string_value(
		    json_object_get(object->facts, "subject_key"));
		certificate = object->certificate;
		key = subject_key;
		view->planned = true;
		view->fresh = object->from == BUILT_NOW;
		view->stage = object->stage;
	}
	for (size_t i = 0; i < build->act_count; i++) {
		if (build->acts[i].certificate == NULL ||
		    strcmp(build->acts[i].name, name) != 0)
			continue;
		certificate = build->acts[i].certificate;
		key = build->acts[i].key;
		view->adopted = true;
	}
	if (certificate == NULL)
		return 0;
	if (key != NULL &&
	    ((view->key = text_copy(key)) == NULL ||
		build_ca_state(build, key, &view->state) < 0))
		return -1;
	return view_certificate(view, certificate);
}

/* The name of the key of purpose `ca` that the certificate is for. */
static int
journal_issuer_key(
    struct build *build, const struct object_row *row, struct issuer_view *view)
{
	AUTO_STRUCT(key_row) key = { 0 };
	AUTO_BYTES(digest) = NULL;
	size_t len = 0;
	bool found = false;

	if (text_unhex(row->spki, &digest, &len) < 0 || len != HASH_LEN)
		return ca_error(CA_R_CORRUPT,
		    "the journal's certificate '%s' has a malformed key hash",
		    row->name);
	if (journal_key_by_spki(build->journal, digest, &found, &key) < 0)
		return -1;
	if (!found || key.state == KEY_INTENDED ||
	    strcmp(key.purpose, "ca") != 0)
		return 0;
	view->key = TAKE(key.name);
	if (key.state == KEY_GONE) {
		view->state = CA_DESTROYED;
		return 0;
	}
	return build_ca_state(build, view->key, &view->state);
}

static int
find_journal_issuer(
    struct build *build, const char *name, struct issuer_view *view)
{
	AUTO_STRUCT(object_row) row = { 0 };
	AUTO_BYTES(der) = NULL;
	AUTO(X509) *certificate = NULL;
	size_t len = 0;
	bool found = false;

	if (journal_object(build->journal, "certificate", name, &found, &row) <
	    0)
		return -1;
	if (!found)
		return 0;
	if (journal_object_bytes(build->journal, &row, &der, &len) < 0 ||
	    certificate_read(name, der, len, &certificate) < 0)
		return -1;
	view->adopted = row.adopted;
	if (view_certificate(view, certificate) < 0)
		return -1;
	return journal_issuer_key(build, &row, view);
}

/* Does an earlier step of this plan take over the CA? */
static bool
taken_over_here(const struct build *build, const char *name)
{
	for (size_t i = 0; i < build->act_count; i++)
		if (build->acts[i].entry == ENTRY_ADOPTED &&
		    build->acts[i].step->kind == &step_adopt_ca &&
		    strcmp(build->acts[i].name, name) == 0)
			return true;
	return false;
}

int
build_issuer(struct build *build, const struct step *step, const char *member,
    const char *name, enum issuer_use use, struct issuer_view *ret_view)
{
	AUTO_STRUCT(issuer_view) view = { 0 };
	bool ending = false;

	if (build_is_broken(build, name))
		return 0;
	if (find_planned_issuer(build, name, &view) < 0)
		return -1;
	if (!view.found && find_journal_issuer(build, name, &view) < 0)
		return -1;
	if (!view.found) {
		step_finding(build, step, member, "ISSUER-MISSING", NULL,
		    "there is no certificate '%s'; name one of this authority, "
		    "or one that an earlier step makes",
		    name);
		return 0;
	}
	if (view.key == NULL) {
		step_finding(build, step, member, "ISSUER-KEY", NULL,
		    "the key of certificate '%s' is not one of this "
		    "authority's with the purpose 'ca', so it cannot sign here",
		    name);
		return 0;
	}
	if (is_ending(build, &ending) < 0)
		return -1;
	if (!ending && !issuer_may(view.state, use)) {
		step_finding(build, step, member, "CA-STATE", NULL,
		    "the CA of certificate '%s' (key '%s') is %s: %s", name,
		    view.key, ca_state_name(view.state),
		    issuer_refusal(view.state));
		return 0;
	}
	if (use != ISSUER_RECORD && taken_over_here(build, name)) {
		step_finding(build, step, member, "ADOPT-CA-FIRST", NULL,
		    "the CA of certificate '%s' is only taken over by this "
		    "plan; look at 'ca-tool ca list' afterwards, then sign with "
		    "it by another plan",
		    name);
		return 0;
	}
	*ret_view = view;
	view = (struct issuer_view){ 0 };
	return 0;
}

/* ---- revocations ------------------------------------------------------ */

int
build_is_revoked(const struct build *build, const char *issuer_dn,
    const char *serial, bool *ret_revoked)
{
	char hex[SERIAL_HEX_SIZE];
	struct serial octets;

	if (serial_from_hex(serial, strlen(serial), &octets) < 0)
		return -1;
	if (planned_revocation(build, issuer_dn, &octets) != NULL) {
		*ret_revoked = true;
		return 0;
	}
	serial_hex(&octets, hex);
	return journal_revocation(build->journal, issuer_dn, hex, ret_revoked);
}

/* ---- profiles --------------------------------------------------------- */

static int
keep_profile(struct build *build, const char *name, struct profile *profile)
{
	size_t n = build->profile_count + 1;
	struct profile **profiles =
	    realloc(build->profiles, n * sizeof(*profiles));
	char **names;

	if (profiles != NULL)
		build->profiles = profiles;
	names = realloc(build->profile_names, n * sizeof(*names));
	if (names != NULL)
		build->profile_names = names;
	if (profiles == NULL || names == NULL)
		return ca_error(CA_R_MEMORY, "no memory for profiles");
	names[n - 1] = text_copy(name);
	if (names[n - 1] == NULL)
		return -1;
	profiles[n - 1] = profile;
	build->profile_count = n;
	return 0;
}

/* Compile each profile once; one that cannot be compiled gives NULL. */
int
build_any_profile(struct build *build, const struct step *step,
    const char *member, const char *name, const struct profile **ret_profile)
{
	AUTO_PTR(profile) *profile = NULL;
	AUTO_CHARS(file) = NULL;
	const struct input *input;

	for (size_t i = 0; i < build->profile_count; i++)
		if (strcmp(build->profile_names[i], name) == 0) {
			*ret_profile = build->profiles[i];
			return 0;
		}
	input = inputs_find(build->inputs, INPUT_PROFILE, name);
	if (input == NULL)
		return 0; /* reading the inputs gave a finding */
	file = text_printf("profiles/%s.yaml", name);
	if (file == NULL)
		return -1;
	if (profile_load(
		file, input->data, input->len, build->findings, &profile) < 0)
		return build_error_to_finding(build, step, member, "PROFILE");
	if (strcmp(profile_id(profile), name) != 0) {
		step_finding(build, step, member, "PROFILE-ID", NULL,
		    "'%s' calls itself '%s'; file name and id must agree", file,
		    profile_id(profile));
		return 0;
	}
	if (keep_profile(build, name, profile) < 0)
		return -1;
	*ret_profile = TAKE(profile);
	return 0;
}

int
build_profile(struct build *build, const struct step *step, const char *name,
    enum profile_kind kind, const struct profile **ret_profile)
{
	const struct profile *profile = NULL;

	if (build_any_profile(build, step, "profile", name, &profile) < 0)
		return -1;
	if (profile == NULL)
		return 0;
	if (profile_kind(profile) != kind) {
		step_finding(build, step, "profile", "PROFILE-KIND", NULL,
		    "profile '%s' is for '%s', this step needs one for '%s'",
		    name, profile_kind_name(profile_kind(profile)),
		    profile_kind_name(kind));
		return 0;
	}
	*ret_profile = profile;
	return 0;
}

/* ---- the rest --------------------------------------------------------- */

void
build_duration(struct build *build, const struct step *step, const char *member,
    const char *text, int64_t *ret_seconds)
{
	int64_t seconds = 0;

	if (text != NULL &&
	    (duration_parse(text, &seconds) < 0 || seconds <= 0)) {
		ca_error_clear();
		step_finding(build, step, member, "DURATION", NULL,
		    "'%s' is no duration; write a whole number of days, hours, "
		    "minutes or seconds, such as '3650d' or '12h'",
		    text);
	}
	*ret_seconds = seconds;
}

/* Is it the name of a step before this, whether that could be built or not? */
static bool
name_of_step(const struct step *step, const char *name)
{
	const struct step *first = step - step->index;

	for (const struct step *other = first; other < step; other++)
		if (other->kind->publish != NULL &&
		    other->kind->output != NULL &&
		    strcmp(other->kind->output, step->kind->output) == 0 &&
		    strcmp(other->kind->publish(other), name) == 0)
			return true;
	return false;
}

/* Or of what was built: a step may make many objects. */
static int
name_in_plan(struct build *build, const struct step *step, const char *name,
    bool *ret_found)
{
	const struct indexed *row = NULL;

	*ret_found = name_of_step(step, name);
	if (*ret_found)
		return 0;
	if (index_find(build, INDEX_NAME, name, &row) < 0)
		return -1;
	for (; row != NULL; row = row->same)
		if (strcmp(object_kind_name(build->objects[row->object].kind),
			step->kind->output) == 0)
			*ret_found = true;
	return 0;
}

/* Is one of the files there already that this name would be published as? */
static int
name_in_public(struct build *build, const struct step *step, const char *name)
{
	const struct output *output = output_by_kind(step->kind->output);

	for (const char *const *end = output->endings; *end != NULL; end++) {
		AUTO_CHARS(path) =
		    text_printf("%s/%s%s", output->directory, name, *end);
		int there;

		if (path == NULL)
			return -1;
		there = file_exists_at(build->public_fd, path);
		if (there < 0)
			return -1;
		if (there == 0)
			continue;
		step_finding(build, step, "name", "NAME-TAKEN", NULL,
		    "'public/%s' exists already and is never overwritten; "
		    "choose another name",
		    path);
		return 0;
	}
	return 0;
}

int
build_check_name(struct build *build, const struct step *step, const char *name)
{
	AUTO_STRUCT(object_row) row = { 0 };
	const char *kind = step->kind->output;
	bool found = false;

	if (!text_is_name(name)) {
		step_name_finding(build, step, "name", name, 64);
		return 0;
	}
	if (name_in_plan(build, step, name, &found) < 0)
		return -1;
	if (found) {
		step_finding(build, step, "name", "NAME-TAKEN", NULL,
		    "something before it in this plan has the name '%s' "
		    "already",
		    name);
		return 0;
	}
	/* A resumed run has taken its own names. */
	if (build->resumed)
		return 0;
	if (journal_object(build->journal, kind, name, &found, &row) < 0)
		return -1;
	if (found) {
		step_finding(build, step, "name", "NAME-TAKEN", NULL,
		    "this authority has a %s '%s' already; choose another name",
		    kind, name);
		return 0;
	}
	return build->public_fd < 0 ? 0 : name_in_public(build, step, name);
}

int
build_error_to_finding(struct build *build, const struct step *step,
    const char *member, const char *id)
{
	if (ca_error_exit_status() != CA_EXIT_REFUSED)
		return -1;
	findings_take_error(build->findings, id, step_place(step, member));
	return 0;
}
