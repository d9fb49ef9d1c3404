/*
 * What was signed: each result against its intent, its key, its issuer and its
 * profile; and what other files need for that.
 *
 * Serials by signing key, CRLs by issuer, what is possibly signed and what the
 * lists of open runs say of their objects stand in temporary tables of the private copy: they grow with the journal.
 */
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "ceremony/audit/objects-private.h"
#include "profiles/csr.h"
#include "profiles/der/der.h"

/* ---- state ------------------------------------------------------------ */

static int
objects_begin(struct audit *audit, void **ret_state)
{
	return audit_state(audit,
	    "CREATE TEMP TABLE audit_serials (key TEXT NOT NULL,"
	    " serial TEXT NOT NULL, seq INTEGER NOT NULL,"
	    " PRIMARY KEY (key, serial)) STRICT, WITHOUT ROWID;"
	    "CREATE TEMP TABLE audit_crls (issuer TEXT PRIMARY KEY,"
	    " number INTEGER NOT NULL, this_update INTEGER NOT NULL,"
	    " sha256 TEXT NOT NULL, seq INTEGER NOT NULL)"
	    " STRICT, WITHOUT ROWID;"
	    "CREATE TEMP TABLE audit_possibly (run TEXT NOT NULL,"
	    " issuer_dn TEXT NOT NULL, serial TEXT NOT NULL,"
	    " name TEXT NOT NULL) STRICT;"
	    "CREATE INDEX temp.audit_possibly_run"
	    " ON audit_possibly (run);"
	    "CREATE TEMP TABLE audit_facts (run TEXT NOT NULL,"
	    " list INTEGER NOT NULL, object INTEGER NOT NULL,"
	    " facts TEXT NOT NULL, PRIMARY KEY (run, list, object))"
	    " STRICT, WITHOUT ROWID",
	    sizeof(struct audit_objects_state), ret_state);
}

int
audit_objects_end(struct audit *audit, void *data, bool whole)
{
	struct audit_objects_state *state = data;

	(void)audit;
	(void)whole;
	if (state == NULL)
		return 0;
	for (size_t i = 0; i < AUDIT_PROFILES; i++)
		profile_free(state->profiles[i].profile);
	free(state->lists);
	free(state);
	return 0;
}

/* ---- shared ----------------------------------------------------------- */

static void
differs(const struct audit_object *object, const char *member, const char *is)
{
	const char *said = audit_text(&object->intent, member);

	audit_error(object->audit, object->entry, "AUDIT-FACTS",
	    "'%s' of '%s' is %s, and %s in its intent", member,
	    audit_text(object->entry, "name"), is,
	    said == NULL ? "something else" : said);
}

void
audit_same_text(
    const struct audit_object *object, const char *member, const char *value)
{
	const char *said = audit_text(&object->intent, member);

	if (said == NULL || strcmp(said, value) != 0)
		differs(object, member, value);
}

void
audit_same_date(
    const struct audit_object *object, const char *member, int64_t value)
{
	char text[DATE_TEXT_SIZE];

	date_format(value, text);
	audit_same_text(object, member, text);
}

int
audit_same_digest(const struct audit_object *object, const char *member,
    const unsigned char *octets, size_t len)
{
	AUTO_CHARS(hex) = sha256_hex(octets, len);

	if (hex == NULL)
		return -1;
	audit_same_text(object, member, hex);
	return 0;
}

static bool
is_in(const char *id, const char *const *list)
{
	for (; list != NULL && *list != NULL; list++)
		if (strcmp(*list, id) == 0)
			return true;
	return false;
}

void
audit_take_findings(struct audit *audit, const struct audit_entry *entry,
    const struct findings *findings, const char *id, const char *const *skip)
{
	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *row = &findings->rows[i];
		bool sourced = row->source != NULL && row->source[0] != '\0';

		if (row->severity == FINDING_ERROR && !is_in(row->id, skip))
			audit_error(audit, entry, id, "%s (%s%s%s)", row->text,
			    row->id, sourced ? ", " : "",
			    sourced ? row->source : "");
	}
}

int
audit_issuer(struct audit *audit, const struct audit_entry *entry,
    const char *name, const char *id, struct object_row *ret_row,
    X509 **ret_cert)
{
	AUTO_STRUCT(object_row) row = { 0 };
	AUTO_BYTES(der) = NULL;
	size_t len = 0;
	bool found = false;

	if (journal_object(audit->journal, "certificate", name, &found, &row) !=
	    0)
		return -1;
	if (!found) {
		audit_error(audit, entry, id,
		    "no certificate '%s' was signed or taken in before", name);
		return 0;
	}
	if (audit_evidence_bytes(audit, row.sha256, &der, &len) != 0)
		return -1;
	if (der == NULL)
		return 0;
	if (certificate_read(name, der, len, ret_cert) != 0)
		return audit_take_error(audit, entry, id);
	*ret_row = row;
	row = (struct object_row){ 0 }; /* moved out */
	return 0;
}

/* ---- profiles --------------------------------------------------------- */

static const struct audit_profile *
kept_profile(const struct audit_objects_state *state, const char *sha256)
{
	for (size_t i = 0; i < AUDIT_PROFILES; i++)
		if (strcmp(state->profiles[i].sha256, sha256) == 0)
			return &state->profiles[i];
	return NULL;
}

/* Compile it into the slot that was filled first. */
static int
compile_profile(struct audit *audit, struct audit_objects_state *state,
    const char *name, const char *sha256,
    const struct audit_profile **ret_profile)
{
	struct audit_profile *slot =
	    &state->profiles[state->profile_next++ % AUDIT_PROFILES];
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(profile) *profile = NULL;
	AUTO_BYTES(text) = NULL;
	size_t len = 0;

	if (audit_evidence_bytes(audit, sha256, &text, &len) != 0)
		return -1;
	if (text != NULL &&
	    profile_load(name, text, len, &findings, &profile) != 0) {
		if (ca_error_exit_status() != CA_EXIT_REFUSED)
			return -1;
		ca_error_clear();
	}
	profile_free(slot->profile);
	slot->profile = TAKE(profile);
	(void)snprintf(slot->sha256, sizeof slot->sha256, "%s", sha256);
	*ret_profile = slot;
	return 0;
}

static void
check_profile(const struct audit_object *object, const char *name,
    const struct profile *profile, enum profile_kind kind,
    const struct profile **ret_profile)
{
	if (profile == NULL)
		audit_error(object->audit, object->entry, "AUDIT-PROFILE",
		    "the profile '%s' of '%s' does not compile", name,
		    audit_text(object->entry, "name"));
	else if (strcmp(profile_id(profile), name) != 0 ||
	    profile_kind(profile) != kind)
		audit_error(object->audit, object->entry, "AUDIT-PROFILE",
		    "the profile of '%s' is '%s' for '%s', not '%s' for '%s'",
		    audit_text(object->entry, "name"), profile_id(profile),
		    profile_kind_name(profile_kind(profile)), name,
		    profile_kind_name(kind));
	else
		*ret_profile = profile;
}

int
audit_profile(struct audit_object *object, enum profile_kind kind,
    const struct profile **ret_profile)
{
	const char *name = audit_text(&object->intent, "profile");
	const struct audit_profile *kept;
	AUTO_CHARS(sha256) = NULL;
	bool found = false;

	if (journal_profile(object->audit->journal, name, &found, &sha256) != 0)
		return -1;
	if (!found) {
		audit_error(object->audit, object->entry, "AUDIT-PROFILE",
		    "profile '%s' of '%s' could not be used then", name,
		    audit_text(object->entry, "name"));
		return 0;
	}
	kept = kept_profile(object->state, sha256);
	if (kept == NULL &&
	    compile_profile(
		object->audit, object->state, name, sha256, &kept) != 0)
		return -1;
	check_profile(object, name, kept->profile, kind, ret_profile);
	return 0;
}

/* ---- results ---------------------------------------------------------- */

int
audit_query_intent(
    struct query *query, json_t **ret_json, struct audit_entry *ret_intent)
{
	AUTO_BYTES(line) = NULL;
	struct entry parsed;
	size_t len;
	bool row;

	if (query_step(query, &row) != 0)
		return -1;
	if (!row)
		return 0;
	if (query_blob(query, 0, &line, &len) != 0 ||
	    entry_parse((const char *)line, len, ret_json, &parsed) != 0)
		return -1;
	*ret_intent = (struct audit_entry){
		.seq = parsed.seq,
		.time = parsed.time,
		.kind = parsed.kind,
		.entry = *ret_json,
		.data = parsed.data,
		.applied = true,
	};
	return 0;
}

int
audit_load_intent(struct audit *audit, const struct audit_entry *entry,
    json_t **ret_json, struct audit_entry *ret_intent)
{
	AUTO_STRUCT(query) query = { 0 };

	if (query_start(audit->journal,
		"SELECT body FROM objects JOIN entries USING (seq)"
		" WHERE run = ?1 AND list = ?2 AND object = ?3",
		SQL_VALUES(sql_text(audit_text(entry, "run")),
		    sql_int(audit_number(entry, "list")),
		    sql_int(audit_number(entry, "object"))),
		&query) != 0)
		return -1;
	return audit_query_intent(&query, ret_json, ret_intent);
}

/* The to-be-signed part is the one that was confirmed and intended. */
static int
check_tbs(const struct audit_object *object, const struct der *tbs)
{
	AUTO_CHARS(hex) = sha256_hex(tbs->p, tbs->len);

	if (hex == NULL)
		return -1;
	if (strcmp(hex, audit_text(&object->intent, "tbs")) != 0)
		audit_error(object->audit, object->entry, "AUDIT-SIGNATURE",
		    "the to-be-signed part of '%s' is not the one that its "
		    "intent names",
		    audit_text(object->entry, "name"));
	return 0;
}

/* With the key that was kept when it was made. */
static int
verify(const struct audit_object *object, const struct der *part,
    const struct sigalg *alg)
{
	AUTO_STRUCT(key_row) key = { 0 };
	AUTO_STRUCT(tbs) tbs = { .kind = object->kind, .alg = alg };
	bool found = false;

	if (audit_signing_key(object, &found, &key) != 0)
		return -1;
	if (!found)
		return 0;
	tbs.der = malloc(part->len);
	if (tbs.der == NULL)
		return ca_error(CA_R_MEMORY, "no memory for an object");
	memcpy(tbs.der, part->p, part->len);
	tbs.len = part->len;
	if (object_verify(
		&tbs, key.spki, key.spki_len, object->der, object->len) == 0)
		return 0;
	return audit_take_error(
	    object->audit, object->entry, "AUDIT-SIGNATURE");
}

static int
check_signature(const struct audit_object *object)
{
	const char *algorithm = audit_text(&object->intent, "algorithm");
	AUTO_BYTES(der) = NULL;
	const struct sigalg *alg;
	struct signed_object parts;
	size_t len;

	if (!der_signed_object(object->der, object->len, &parts)) {
		audit_error(object->audit, object->entry, "AUDIT-SIGNATURE",
		    "'%s' is no signed object in DER",
		    audit_text(object->entry, "name"));
		return 0;
	}
	if (check_tbs(object, &parts.tbs) != 0 ||
	    text_unhex(algorithm, &der, &len) != 0)
		return -1;
	alg = sigalg_by_der(der, len);
	if (alg == NULL) {
		audit_error(object->audit, object->entry, "AUDIT-SIGNATURE",
		    "the intent of '%s' names an algorithm that is unknown or "
		    "not allowed",
		    audit_text(object->entry, "name"));
		return 0;
	}
	return verify(object, &parts.tbs, alg);
}

/* A request: proof of possession, by the key that the intent names. */
static int
check_csr(struct audit_object *object)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(csr) csr = { 0 };

	if (csr_read("csr", object->der, object->len, &findings, &csr) != 0) {
		if (ca_error_exit_status() != CA_EXIT_REFUSED)
			return -1;
		ca_error_clear();
		audit_take_findings(object->audit, object->entry, &findings,
		    "AUDIT-SIGNATURE", NULL);
		return 0;
	}
	return audit_same_digest(object, "key", csr.spki, csr.spki_len);
}

static int
check_object(struct audit_object *object)
{
	if (audit_evidence_bytes(object->audit,
		audit_text(object->entry, "sha256"), &object->der,
		&object->len) != 0)
		return -1;
	if (object->der == NULL)
		return 0;
	if (check_signature(object) != 0)
		return -1;
	return object->kind == OBJECT_CSR ? check_csr(object)
					  : audit_certificate(object);
}

/* OCSP responses have entries of their own: no intent is of one. */
static int
check_kind(struct audit_object *object)
{
	return object->kind == OBJECT_CRL ? audit_crl(object)
					  : check_object(object);
}

static int
on_result(struct audit *audit, struct audit_objects_state *state,
    const struct audit_entry *entry)
{
	struct audit_object object = {
		.audit = audit, .state = state, .entry = entry
	};
	AUTO(json_t) *json = NULL;
	int result;

	if (audit_load_intent(audit, entry, &json, &object.intent) != 0)
		return -1;
	if (json == NULL)
		return 0;
	if (object_kind_by_name(
		audit_text(&object.intent, "kind"), &object.kind) != 0)
		return audit_take_error(audit, entry, "AUDIT-FACTS");
	result = check_kind(&object);
	free(object.der);
	return result;
}

static int
on_adopted(struct audit *audit, struct audit_objects_state *state,
    const struct audit_entry *entry)
{
	struct audit_object object = {
		.audit = audit, .state = state, .entry = entry, .intent = *entry
	};
	AUTO_BYTES(der) = NULL;

	if (audit_evidence_bytes(
		audit, audit_text(entry, "sha256"), &der, &object.len) != 0)
		return -1;
	object.der = der;
	return der == NULL ? 0 : audit_adopted(&object);
}

/* ---- the pass --------------------------------------------------------- */

static int
objects_entry(struct audit *audit, void *data, const struct audit_entry *entry)
{
	struct audit_objects_state *state = data;

	if (!entry->applied)
		return 0;
	switch (entry->kind) {
	case ENTRY_LIST:
		return audit_list(audit, state, entry);
	case ENTRY_INTENT:
		return audit_intent(audit, state, entry);
	case ENTRY_RESULT:
		return on_result(audit, state, entry);
	case ENTRY_ADOPTED:
		return on_adopted(audit, state, entry);
	case ENTRY_FAILED:
		return audit_failed(audit, state, entry);
	case ENTRY_REVOKED:
		return audit_revoked(audit, entry);
	case ENTRY_REVOCATIONS:
		return audit_revocations(audit, entry) != 0 ||
			audit_taken_crl(audit, state, entry) != 0
		    ? -1
		    : 0;
	case ENTRY_REVOCATION_UPGRADED:
		return audit_upgraded(audit, entry);
	case ENTRY_ISSUED:
		return audit_issued(audit, entry);
	case ENTRY_STATE:
		return audit_state_of_ca(audit, entry);
	case ENTRY_CLOCK:
		state->clock = entry->seq;
		return 0;
	case ENTRY_LOGIN:
	case ENTRY_RESUMED:
	case ENTRY_PLAN:
		state->session = entry->seq;
		return 0;
	case ENTRY_CLOSE:
		return audit_close(audit, entry);
	default:
		return 0;
	}
}

const struct audit_pass audit_objects = {
	.name = "objects",
	.begin = objects_begin,
	.entry = objects_entry,
	.end = audit_objects_end,
};
