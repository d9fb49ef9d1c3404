/* What the journal and the profiles say, for a plan that is being written. */
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "base/yaml.h"
#include "ca-tool/draft.h"
#include "profiles/certificate.h"

enum { HOUR_SECONDS = 3600, WINDOW_DAYS = 7 };

CLEANUP_DEFINE(json_t, json_decref);

/* ---- CAs -------------------------------------------------------------- */

/* Keys of CAs by the SHA-256 of their SPKI: {name, type, backup, ...}. */
struct gathering {
	struct draft *draft;
	json_t *keys;
};

static int
take_key(void *ctx, const struct key_row *row)
{
	struct gathering *g = ctx;
	AUTO_CHARS(hex) = NULL;

	if (row->state != KEY_LIVE || strcmp(row->purpose, "ca") != 0)
		return 0;
	hex = sha256_hex(row->spki, row->spki_len);
	if (hex == NULL)
		return -1;
	if (json_object_set_new(g->keys, hex,
		json_pack("{s:s, s:s, s:s, s:i, s:s?}", "name", row->name,
		    "type", row->type, "backup", row->backup, "state",
		    (int)row->ca_state, "successor", row->successor)) != 0)
		return ca_error(CA_R_MEMORY, "no memory for keys");
	return 0;
}

static int
copy_text(const char *text, char **ret_copy)
{
	if (text == NULL)
		return 0;
	*ret_copy = text_copy(text);
	return *ret_copy != NULL ? 0 : -1;
}

static int
copy_key(const json_t *key, struct draft_ca *ca)
{
	ca->state =
	    (enum ca_state)json_integer_value(json_object_get(key, "state"));
	return copy_text(json_string_value(json_object_get(key, "name")),
		   &ca->key) < 0 ||
		copy_text(json_string_value(json_object_get(key, "type")),
		    &ca->key_type) < 0 ||
		copy_text(json_string_value(json_object_get(key, "backup")),
		    &ca->backup) < 0 ||
		copy_text(json_string_value(json_object_get(key, "successor")),
		    &ca->successor) < 0
	    ? -1
	    : 0;
}

static int
copy_row(const struct object_row *row, struct draft_ca *ca)
{
	ca->adopted = row->adopted;
	ca->from = row->from;
	ca->until = row->until;
	return copy_text(row->name, &ca->name) < 0 ||
		copy_text(row->issuer, &ca->issuer) < 0 ||
		copy_text(row->profile, &ca->profile) < 0 ||
		copy_text(row->subject_dn, &ca->dn) < 0 ||
		copy_text(row->spki, &ca->spki) < 0 ||
		copy_text(row->serial, &ca->serial) < 0
	    ? -1
	    : 0;
}

static int
read_certificate(
    struct journal *journal, const struct object_row *row, struct draft_ca *ca)
{
	AUTO_STRUCT(certificate_facts) facts = { 0 };
	AUTO_BYTES(der) = NULL;
	size_t len = 0;

	if (journal_object_bytes(journal, row, &der, &len) < 0 ||
	    certificate_read(row->name, der, len, &ca->certificate) < 0 ||
	    certificate_facts(ca->certificate, &facts) < 0)
		return -1;
	ca->root = row->issuer_dn == NULL ||
	    strcmp(row->issuer_dn, row->subject_dn) == 0;
	ca->path_length = facts.path_length;
	ca->signs_crls = facts.signs_crls;
	ca->signs_ocsp = facts.signs_ocsp;
	if (ca->root)
		return 0;
	return journal_revocation(
	    journal, row->issuer_dn, row->serial, &ca->revoked);
}

/* The certificate before it with the same name and key, or a new row. */
static int
place_for(
    struct draft *draft, const struct object_row *row, struct draft_ca **ret_ca)
{
	struct draft_ca *more;

	*ret_ca = NULL;
	for (size_t i = 0; i < draft->ca_count; i++) {
		struct draft_ca *ca = &draft->cas[i];

		if (strcmp(ca->spki, row->spki) != 0 ||
		    strcmp(ca->dn, row->subject_dn) != 0)
			continue;
		if (ca->until >= row->until)
			return 0;
		draft_ca_clear(ca);
		*ret_ca = ca;
		return 0;
	}
	more =
	    reallocarray(draft->cas, draft->ca_count + 1, sizeof(*draft->cas));
	if (more == NULL)
		return ca_error(CA_R_MEMORY, "no memory for CAs");
	draft->cas = more;
	*ret_ca = &more[draft->ca_count++];
	**ret_ca = (struct draft_ca){ 0 };
	return 0;
}

static bool
is_there(const struct object_row *row)
{
	return row->state == OBJECT_SIGNED && row->sha256 != NULL;
}

static int
take_ca(void *ctx, const struct object_row *row)
{
	struct gathering *g = ctx;
	const json_t *key =
	    row->spki == NULL ? NULL : json_object_get(g->keys, row->spki);
	struct draft_ca *ca = NULL;

	/* A cross certificate is of a CA that is there beside it. */
	if (!is_there(row) || !row->ca || key == NULL ||
	    (row->certificate_kind != NULL &&
		strcmp(row->certificate_kind, "cross") == 0))
		return 0;
	if (place_for(g->draft, row, &ca) < 0)
		return -1;
	if (ca == NULL)
		return 0; /* one that lasts longer is there */
	if (copy_row(row, ca) < 0 || copy_key(key, ca) < 0)
		return -1;
	return read_certificate(g->draft->journal, row, ca);
}

static int
gather_cas(struct draft *draft)
{
	AUTO(json_t) *keys = json_object();
	struct gathering g = { draft, keys };

	if (journal_each_key(draft->journal, NULL, take_key, &g) < 0)
		return -1;
	return journal_each_object(
	    draft->journal, NULL, "certificate", take_ca, &g);
}

/* ---- what they issued ------------------------------------------------- */

static struct draft_ca *
issuer_of(struct draft *draft, const struct object_row *row)
{
	if (row->issuer_dn == NULL || row->subject_dn == NULL ||
	    strcmp(row->issuer_dn, row->subject_dn) == 0)
		return NULL;
	for (size_t i = 0; i < draft->ca_count; i++)
		if (strcmp(draft->cas[i].dn, row->issuer_dn) == 0)
			return &draft->cas[i];
	return NULL;
}

static int
count_certificate(void *ctx, const struct object_row *row)
{
	struct draft *draft = ctx;
	struct draft_ca *ca = issuer_of(draft, row);
	int64_t life = row->until - row->from + 1;
	bool leaf = row->certificate_kind != NULL &&
	    strcmp(row->certificate_kind, "end-entity") == 0;

	if (!is_there(row) || ca == NULL)
		return 0;
	ca->issued++;
	ca->authorities += row->ca && row->until >= draft->now;
	ca->leaves += leaf && row->until >= draft->now;
	ca->last_end = row->until > ca->last_end ? row->until : ca->last_end;
	ca->longest = life > ca->longest ? life : ca->longest;
	if (!leaf || row->profile == NULL ||
	    (ca->leaf_profile != NULL &&
		strcmp(ca->leaf_profile, row->profile) == 0))
		return 0;
	free(ca->leaf_profile);
	ca->leaf_profile = text_copy(row->profile);
	return ca->leaf_profile != NULL ? 0 : -1;
}

/* ---- profiles --------------------------------------------------------- */

static int
read_profile(
    struct draft *draft, const char *name, struct profile **ret_profile)
{
	AUTO_CHARS(path) = text_printf("profiles/%s.yaml", name);
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_BYTES(data) = NULL;
	size_t len = 0;

	if (path == NULL)
		return -1;
	if (file_read_at(authority_fd(draft->authority), path, YAML_MAX_BYTES,
		&data, &len) == 0 &&
	    profile_load(path, data, len, &findings, ret_profile) == 0)
		return 0;
	if (ca_error_reason() == CA_R_MEMORY)
		return -1;
	ca_error_clear(); /* whoever uses it is told by plan check */
	return 0;
}

static int
take_profile(void *ctx, const char *name, const char *sha256)
{
	struct draft *draft = ctx;
	AUTO_PTR(profile) *profile = NULL;
	AUTO_CHARS(copy) = text_copy(name);
	struct draft_profile *more;

	(void)sha256;
	if (copy == NULL || read_profile(draft, name, &profile) < 0)
		return -1;
	if (profile == NULL)
		return 0;
	more = reallocarray(draft->profiles, draft->profile_count + 1,
	    sizeof(*draft->profiles));
	if (more == NULL)
		return ca_error(CA_R_MEMORY, "no memory for profiles");
	draft->profiles = more;
	more[draft->profile_count++] =
	    (struct draft_profile){ TAKE(copy), TAKE(profile) };
	return 0;
}

const struct profile *
draft_profile(const struct draft *draft, const char *name)
{
	for (size_t i = 0; i < draft->profile_count; i++)
		if (strcmp(draft->profiles[i].name, name) == 0)
			return draft->profiles[i].profile;
	return NULL;
}

/* ---- which of them ---------------------------------------------------- */

const struct draft_ca *
draft_ca(const struct draft *draft, const char *name)
{
	for (size_t i = 0; i < draft->ca_count; i++)
		if (strcmp(draft->cas[i].name, name) == 0)
			return &draft->cas[i];
	for (size_t i = 0; i < draft->ca_count; i++)
		if (strcmp(draft->cas[i].key, name) == 0)
			return &draft->cas[i];
	return NULL;
}

bool
draft_may_issue(const struct draft *draft, const struct draft_ca *ca)
{
	return ca->state == CA_ACTIVE && !ca->revoked &&
	    ca->until > draft->until;
}

bool
draft_may_sign(const struct draft *draft, const struct draft_ca *ca)
{
	return (ca->state == CA_ACTIVE || ca->state == CA_RETIRING) &&
	    ca->until > draft->now;
}

bool
draft_signs_crls(const struct draft *draft, const struct draft_ca *ca)
{
	return draft_may_sign(draft, ca) && ca->signs_crls;
}

int
draft_refuse_state(const struct draft_ca *ca, const char *what)
{
	return ca_error(CA_R_STATE,
	    "'%s' is %s%s, so it signs no %s; 'ca-tool ca list' shows the "
	    "others",
	    ca->name, ca_state_name(ca->state),
	    ca->state == CA_ACTIVE || ca->state == CA_RETIRING
		? ", but its certificate has ended or does not allow it"
		: "",
	    what);
}

bool
draft_same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

int
draft_about(const struct draft *draft,
    bool (*fits)(const struct draft *draft, const struct draft_ca *ca),
    const struct draft_ca **ret_ca)
{
	const struct draft_ca *only = NULL;
	size_t count = 0;

	if (draft->name != NULL) {
		*ret_ca = draft_ca(draft, draft->name);
		return *ret_ca != NULL
		    ? 0
		    : ca_error(CA_R_MISSING,
			  "this authority has no CA '%s' whose key is on the "
			  "token; 'ca-tool ca list' lists those there are",
			  draft->name);
	}
	for (size_t i = 0; i < draft->ca_count; i++)
		if (fits == NULL || fits(draft, &draft->cas[i])) {
			only = &draft->cas[i];
			count++;
		}
	if (count == 0)
		return ca_error(CA_R_MISSING,
		    "this authority has no CA that can do this; 'ca-tool ca "
		    "list' lists those there are");
	*ret_ca = count == 1 ? only : NULL;
	return 0;
}

/* ---- opening ---------------------------------------------------------- */

int
draft_open(struct authority *authority, int64_t now, const char *kind,
    const char *name, FILE *out, struct draft *ret_draft)
{
	AUTO_STRUCT(draft)
	draft = {
		.authority = authority,
		.journal = authority_journal(authority),
		.now = now,
		/* The full hour: nobody has to read seconds aloud. */
		.from = now - now % HOUR_SECONDS,
		.kind = kind,
		.name = name,
		.out = out,
		.taken = json_object(),
	};

	draft.until = draft.from + WINDOW_DAYS * DAY_SECONDS;
	(void)snprintf(
	    draft.day, sizeof(draft.day), "%s", draft_date(now).text);
	if (gather_cas(&draft) < 0 ||
	    journal_each_object(draft.journal, NULL, "certificate",
		count_certificate, &draft) < 0 ||
	    journal_each_profile(draft.journal, take_profile, &draft) < 0)
		return -1;
	*ret_draft = draft;
	draft = (struct draft){ 0 };
	return 0;
}
