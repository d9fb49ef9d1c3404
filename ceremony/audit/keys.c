/*
 * Keys: what the token attested when they were made, and that each is used for
 * its one purpose, while it is there.
 */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/audit/objects-private.h"
#include "profiles/csr.h"

/*
 * What a private key must be (rules.md 17, P11-READBACK).  Mirrors the table
 * `rules` of pkcs11/key.c, which judges the token; here only the statement is
 * left, which the journal kept.
 */
static const struct {
	const char *name;
	bool wanted;
	bool required; /* a module that does not know the others cannot grant
			  them */
	const char *problem;
} attributes[] = {
	{ "CKA_TOKEN", true, true, "it lasts for one session only" },
	{ "CKA_PRIVATE", true, true, "it can be used without login" },
	{ "CKA_SENSITIVE", true, true, "it can be read in clear text" },
	{ "CKA_EXTRACTABLE", false, true,
	    "it can be wrapped out of the token" },
	{ "CKA_LOCAL", true, true, "it was not generated on the token" },
	{ "CKA_ALWAYS_SENSITIVE", true, true,
	    "it could be read in clear text once" },
	{ "CKA_NEVER_EXTRACTABLE", true, true,
	    "it could be wrapped out of the token once" },
	{ "CKA_SIGN", true, true, "it may not sign" },
	{ "CKA_DECRYPT", false, true, "it may decrypt" },
	{ "CKA_UNWRAP", false, false, "it may unwrap keys" },
	{ "CKA_DERIVE", false, false, "it may derive keys" },
	{ "CKA_SIGN_RECOVER", false, false, "it may sign with recovery" },
	{ "CKA_MODIFIABLE", false, false, "what it may do can be changed" },
	{ "CKA_COPYABLE", false, false, "it can be copied" },
	{ "CKA_ALWAYS_AUTHENTICATE", false, false,
	    "it wants the PIN again for each signature" },
};

/* CKM_*: how each family of keys may have been generated (key.c again). */
static const struct {
	json_int_t mechanism;
	enum key_family family;
} mechanisms[] = {
	{ 0x0000, KEY_RSA }, /* CKM_RSA_PKCS_KEY_PAIR_GEN */
	{ 0x000a, KEY_RSA }, /* CKM_RSA_X9_31_KEY_PAIR_GEN */
	{ 0x1040, KEY_EC },  /* CKM_EC_KEY_PAIR_GEN */
};

/* ---- finding them ----------------------------------------------------- */

int
audit_key(struct audit *audit, const char *spki_sha256, bool *ret_found,
    struct key_row *ret_row)
{
	AUTO_BYTES(digest) = NULL;
	size_t len;

	*ret_found = false;
	if (text_unhex(spki_sha256, &digest, &len) != 0)
		return -1;
	if (len != HASH_LEN)
		return ca_error(CA_R_CORRUPT, "a SHA-256 of %zu octets", len);
	return journal_key_by_spki(audit->journal, digest, ret_found, ret_row);
}

int
audit_signing_key(
    const struct audit_object *object, bool *ret_found, struct key_row *ret_row)
{
	AUTO_STRUCT(key_row) row = { 0 };
	bool found = false;

	if (audit_key(object->audit, audit_text(&object->intent, "key"), &found,
		&row) != 0)
		return -1;
	*ret_found = found && row.spki != NULL;
	if (*ret_found) {
		*ret_row = row;
		row = (struct key_row){ 0 }; /* moved out */
		return 0;
	}
	audit_error(object->audit, object->entry, "AUDIT-SIGNATURE",
	    "the key that should have signed '%s' is none of the token's",
	    audit_text(object->entry, "name"));
	return 0;
}

/* ---- a key that was made ---------------------------------------------- */

static void
check_attribute(struct audit *audit, const struct audit_entry *entry, size_t i)
{
	const json_t *all = json_object_get(entry->data, "attributes");
	const json_t *value = json_object_get(all, attributes[i].name);
	const char *name = attributes[i].name;

	if (json_is_boolean(value) &&
	    json_is_true(value) != attributes[i].wanted)
		audit_error(audit, entry, "AUDIT-KEY",
		    "the token attests of key '%s' that %s is %s: %s",
		    audit_text(entry, "name"), name,
		    json_is_true(value) ? "true" : "false",
		    attributes[i].problem);
	else if (json_is_null(value) && attributes[i].required)
		audit_warning(audit, entry, "AUDIT-KEY",
		    "the token does not say of key '%s' whether %s is set",
		    audit_text(entry, "name"), name);
	else if (!json_is_boolean(value) && !json_is_null(value) &&
	    (value != NULL || attributes[i].required))
		audit_error(audit, entry, "AUDIT-KEY",
		    "nothing attests of key '%s' what %s is",
		    audit_text(entry, "name"), name);
}

static void
check_mechanism(struct audit *audit, const struct audit_entry *entry,
    const struct key_type *type)
{
	const json_t *value =
	    json_object_get(entry->data, "generation_mechanism");

	for (size_t i = 0; i < sizeof mechanisms / sizeof mechanisms[0]; i++)
		if (json_is_integer(value) &&
		    json_integer_value(value) == mechanisms[i].mechanism &&
		    type->family == mechanisms[i].family)
			return;
	audit_error(audit, entry, "AUDIT-KEY",
	    "the mechanism by which key '%s' was generated is not one for a "
	    "key of type %s: it was not generated on the token",
	    audit_text(entry, "name"), type->name);
}

/* The whole of rules.md 1.2, and the type that the intent names. */
static int
check_public_key(struct audit *audit, const struct audit_entry *entry,
    const struct key_row *row)
{
	const struct key_type *type =
	    key_type_of_spki(row->spki, row->spki_len);
	AUTO_STRUCT(findings) findings = { 0 };

	if (spki_check(row->spki, row->spki_len, "", &findings) != 0)
		return -1;
	audit_take_findings(audit, entry, &findings, "AUDIT-KEY", NULL);
	if (type == NULL || strcmp(type->name, row->type) != 0)
		audit_error(audit, entry, "AUDIT-KEY",
		    "the public key of '%s' is of type %s, its intent says %s",
		    row->name, type == NULL ? "unknown" : type->name,
		    row->type);
	if (type != NULL)
		check_mechanism(audit, entry, type);
	return 0;
}

static bool
is_one_of(const char *value, const char *a, const char *b)
{
	return strcmp(value, a) == 0 || strcmp(value, b) == 0;
}

/* One purpose, fixed at generation; the journal's key is made by init. */
static void
check_purpose(struct audit *audit, const struct audit_entry *entry,
    const struct key_row *row)
{
	bool init = strcmp(row->run, "init") == 0;
	bool journal = strcmp(row->purpose, "journal") == 0;

	if (!journal && !is_one_of(row->purpose, "ca", "ocsp"))
		audit_error(audit, entry, "AUDIT-KEY-PURPOSE",
		    "key '%s' has the purpose '%s', which is none", row->name,
		    row->purpose);
	else if (journal != init)
		audit_error(audit, entry, "AUDIT-KEY-PURPOSE",
		    "key '%s' has the purpose '%s' and was made by %s: the "
		    "journal's key is made by init, and no other is",
		    row->name, row->purpose, init ? "init" : "a run");
	if (journal && strcmp(row->type, "p-256") != 0)
		audit_error(audit, entry, "AUDIT-KEY",
		    "the journal's key '%s' is of type %s, not p-256",
		    row->name, row->type);
	if (!is_one_of(row->backup, "none", "clone"))
		audit_error(audit, entry, "AUDIT-KEY",
		    "key '%s' has the backup '%s': a key that leaves the token "
		    "is none of a CA (P11-RESTORED-KEY)",
		    row->name, row->backup);
	if (strcmp(row->run, audit_text(entry, "run")) != 0)
		audit_error(audit, entry, "AUDIT-KEY",
		    "key '%s' was made by another run than intended it",
		    row->name);
}

static int
on_key(struct audit *audit, const struct audit_entry *entry)
{
	AUTO_STRUCT(key_row) row = { 0 };
	bool found = false;

	if (journal_key(
		audit->journal, audit_text(entry, "name"), &found, &row) != 0)
		return -1;
	if (!found || row.spki == NULL)
		return 0;
	audit->report.keys++;
	for (size_t i = 0; i < sizeof attributes / sizeof attributes[0]; i++)
		check_attribute(audit, entry, i);
	check_purpose(audit, entry, &row);
	return check_public_key(audit, entry, &row);
}

/* ---- what it signs ---------------------------------------------------- */

/* What an intent is of; those of OCSP responses do not say. */
static const char *
kind_of(const struct audit_entry *entry)
{
	return entry->kind == ENTRY_OCSP_INTENT ? "OCSP responses"
						: audit_text(entry, "kind");
}

/* EN 319 411-1, GEN-6.5.3-03; a responder's key signs for its issuer alone. */
static bool
may_sign(const char *purpose, const struct audit_entry *entry)
{
	bool ocsp = strcmp(purpose, "ocsp") == 0;

	if (entry->kind == ENTRY_OCSP_INTENT)
		return strcmp(purpose,
			   audit_text(entry, "responder") == NULL
			       ? "ca"
			       : "ocsp") == 0;
	if (strcmp(purpose, "ca") == 0)
		return true;
	return ocsp && strcmp(audit_text(entry, "kind"), "csr") == 0;
}

/* A retiring CA issues responders' certificates alone, a retired one nothing. */
static void
check_ca_state(struct audit *audit, const struct audit_entry *entry,
    const struct key_row *row)
{
	const char *kind = kind_of(entry);
	const char *certificate_kind = audit_text(entry, "certificate_kind");
	bool issues = strcmp(kind, "certificate") == 0 &&
	    (certificate_kind == NULL ||
		strcmp(certificate_kind, "ocsp-responder") != 0);

	if (row->ca_state == CA_RETIRED ||
	    (row->ca_state == CA_RETIRING && issues))
		audit_error(audit, entry, "AUDIT-CA-STATE",
		    "%s '%s' is signed with key '%s', whose CA is %s", kind,
		    audit_text(entry, "name"), row->name,
		    ca_state_name(row->ca_state));
}

static int
check_signer(struct audit *audit, const struct audit_entry *entry)
{
	const char *kind = kind_of(entry);
	AUTO_STRUCT(key_row) row = { 0 };
	bool found = false;

	if (audit_key(audit, audit_text(entry, "key"), &found, &row) != 0)
		return -1;
	if (!found || row.state != KEY_LIVE) {
		audit_error(audit, entry, "AUDIT-KEY-STATE",
		    "%s '%s' is signed with a key that %s", kind,
		    audit_text(entry, "name"),
		    found ? "was destroyed" : "the token did not make");
		return 0;
	}
	if (!may_sign(row.purpose, entry))
		audit_error(audit, entry, "AUDIT-KEY-PURPOSE",
		    "%s '%s' is signed with key '%s', whose purpose is '%s'",
		    kind, audit_text(entry, "name"), row.name, row.purpose);
	check_ca_state(audit, entry, &row);
	return 0;
}

/* ---- what it is certified for ----------------------------------------- */

/*
 * The purpose that a certificate of this kind needs its key to have; "" for an
 * end entity, which has no key of ours (KEY-NOT-CA-GENERATED).
 */
static const char *
purpose_for(const char *certificate_kind)
{
	if (strcmp(certificate_kind, "end-entity") == 0)
		return "";
	return strcmp(certificate_kind, "ocsp-responder") == 0 ? "ocsp" : "ca";
}

/* A key of the token, in a certificate: named, live, of that purpose. */
static void
check_own_subject(struct audit *audit, const struct audit_entry *entry,
    const struct key_row *row)
{
	const char *name = audit_text(entry, "subject_key");
	const char *kind = audit_text(entry, "certificate_kind");

	if (name == NULL || strcmp(name, row->name) != 0 ||
	    row->state != KEY_LIVE)
		audit_error(audit, entry, "AUDIT-KEY-STATE",
		    "certificate '%s' is for key '%s' of the token, which its "
		    "intent does not name, or which was destroyed",
		    audit_text(entry, "name"), row->name);
	if (strcmp(row->purpose, purpose_for(kind)) != 0)
		audit_error(audit, entry, "AUDIT-KEY-PURPOSE",
		    "certificate '%s' of kind %s is for key '%s', whose "
		    "purpose is '%s'",
		    audit_text(entry, "name"), kind, row->name, row->purpose);
}

/*
 * KEY-NOT-A-CA-KEY: one key, one certificate; what failed does not count.  A
 * cross certificate stands beside others of its kind, and where its intent names
 * the key as our own, beside the CA's.
 */
static int
check_once(struct audit *audit, const struct audit_entry *entry)
{
	bool cross =
	    strcmp(audit_text(entry, "certificate_kind"), "cross") == 0;
	bool own = audit_text(entry, "subject_key") != NULL;
	int64_t seq;
	bool found;

	if (cross && own)
		return 0; /* check_own_subject() has compared it */
	if (sql_number(audit->journal,
		"SELECT seq FROM objects WHERE spki = ?1 AND state <> 2"
		" AND seq <> ?2 AND NOT (?3 AND"
		" ifnull(certificate_kind, '') = 'cross') LIMIT 1",
		SQL_VALUES(sql_text(audit_text(entry, "spki")),
		    sql_int((int64_t)entry->seq), sql_int(cross ? 1 : 0)),
		&found, &seq) != 0)
		return -1;
	if (found)
		audit_error(audit, entry, "AUDIT-KEY-PURPOSE",
		    "the public key of certificate '%s' is in another "
		    "certificate of this authority (entry %lld)",
		    audit_text(entry, "name"), (long long)seq);
	return 0;
}

static int
check_subject(struct audit *audit, const struct audit_entry *entry)
{
	AUTO_STRUCT(key_row) row = { 0 };
	bool found = false;

	if (strcmp(audit_text(entry, "kind"), "certificate") != 0)
		return 0;
	if (audit_key(audit, audit_text(entry, "spki"), &found, &row) != 0)
		return -1;
	if (found)
		check_own_subject(audit, entry, &row);
	else if (audit_text(entry, "subject_key") != NULL)
		audit_error(audit, entry, "AUDIT-KEY-STATE",
		    "certificate '%s' is not for key '%s', which its intent "
		    "names",
		    audit_text(entry, "name"),
		    audit_text(entry, "subject_key"));
	return check_once(audit, entry);
}

static int
on_intent(struct audit *audit, const struct audit_entry *entry)
{
	return check_signer(audit, entry) != 0 ? -1
					       : check_subject(audit, entry);
}

static int
on_adopted(struct audit *audit, const struct audit_entry *entry)
{
	AUTO_STRUCT(key_row) row = { 0 };
	bool found = false;

	if (audit_key(audit, audit_text(entry, "spki"), &found, &row) != 0)
		return -1;
	if (!found || row.state != KEY_LIVE ||
	    strcmp(row.name, audit_text(entry, "key")) != 0)
		audit_error(audit, entry, "AUDIT-KEY-STATE",
		    "certificate '%s', taken in for key '%s', is not for the "
		    "public key that was kept when that was made",
		    audit_text(entry, "name"), audit_text(entry, "key"));
	else if (strcmp(row.purpose, "ca") != 0)
		audit_error(audit, entry, "AUDIT-KEY-PURPOSE",
		    "certificate '%s' is taken in for key '%s', whose purpose "
		    "is '%s'",
		    audit_text(entry, "name"), row.name, row.purpose);
	return 0;
}

static int
keys_entry(struct audit *audit, void *state, const struct audit_entry *entry)
{
	(void)state;
	if (!entry->applied)
		return 0;
	switch (entry->kind) {
	case ENTRY_KEY:
		return on_key(audit, entry);
	case ENTRY_INTENT:
		return on_intent(audit, entry);
	case ENTRY_OCSP_INTENT:
		return check_signer(audit, entry);
	case ENTRY_ADOPTED:
		return on_adopted(audit, entry);
	default:
		return 0;
	}
}

const struct audit_pass audit_keys = {
	.name = "keys",
	.entry = keys_entry,
};
