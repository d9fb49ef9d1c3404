/*
 * What the passes `keys`, `objects` and `published` share.
 *
 *   keys.c             keys, and what they are used for
 *   objects.c          results; what other files need for objects
 *   intents.c          lists and intents
 *   revocations.c      what is possibly signed, what is revoked
 *   certificates.c     certificates that were signed or adopted
 *   crls.c             CRLs that were signed
 *   endings.c          CAs that are retired
 *   ocsp.c             OCSP responses; a pass of its own (ocsp-private.h)
 *   published.c        the lists of files in `close` entries
 *   published-files.c  the files themselves
 *   published-ocsp.c   the files of OCSP responses
 *   proofs.c           the .tlog-proof files beside them
 */
#ifndef CA_AUDIT_OBJECTS_PRIVATE_H
#define CA_AUDIT_OBJECTS_PRIVATE_H

#include "ceremony/audit/audit-private.h"
#include "profiles/certificate.h"
#include "profiles/profile.h"
#include "profiles/tbs.h"

/* ---- keys.c ----------------------------------------------------------- */

/* The key whose SPKI has this SHA-256 (hex), in any state. */
int audit_key(struct audit *audit, const char *spki_sha256, bool *ret_found,
    struct key_row *ret_row) MUST_USE;

/* ---- objects.c -------------------------------------------------------- */

enum { AUDIT_PROFILES = 16, AUDIT_BACKDATE_MAX = 12 * 3600 };

/* A profile that was compiled once. */
struct audit_profile {
	char sha256[HASH_HEX_SIZE];
	struct profile *profile; /* NULL: it does not compile */
};

/* When a list of the open run was journalled. */
struct audit_list {
	int64_t list, time;
	bool read; /* its evidence is there */
};

struct audit_objects_state {
	struct audit_profile profiles[AUDIT_PROFILES];
	size_t profile_next; /* the slot that is used next */
	struct audit_list *lists;
	size_t list_count;
	uint64_t clock;   /* of the newest `clock` entry, or 0 */
	uint64_t session; /* of the newest `login`, `resumed` or `plan` */
};

/* Frees it: end() of a pass that has no more to say. */
int audit_objects_end(struct audit *audit, void *data, bool whole) MUST_USE;

/* A result, with the intent that it answers. */
struct audit_object {
	struct audit *audit;
	struct audit_objects_state *state;
	const struct audit_entry *entry; /* of the result, or `adopted` */
	struct audit_entry intent;       /* or the same again, for `adopted` */
	enum object_kind kind;
	unsigned char *der;
	size_t len;
};

/*
 * The key that the intent names, with its public key; *ret_found is false, with
 * a finding, where it is none of the token's.
 */
int audit_signing_key(const struct audit_object *object, bool *ret_found,
    struct key_row *ret_row) MUST_USE;

/* The intent that a result, or a failure, answers; *ret_json NULL: none. */
int audit_load_intent(struct audit *audit, const struct audit_entry *entry,
    json_t **ret_json, struct audit_entry *ret_intent) MUST_USE;

/* The same from a query's next row, of the column `body` alone. */
struct query;
int audit_query_intent(struct query *query, json_t **ret_json,
    struct audit_entry *ret_intent) MUST_USE;

/* Entries of these kinds. */
int audit_list(struct audit *audit, struct audit_objects_state *state,
    const struct audit_entry *entry) MUST_USE;
int audit_intent(struct audit *audit, const struct audit_objects_state *state,
    const struct audit_entry *entry) MUST_USE;
int audit_failed(struct audit *audit, const struct audit_objects_state *state,
    const struct audit_entry *entry) MUST_USE;
int audit_revoked(
    struct audit *audit, const struct audit_entry *entry) MUST_USE;
int audit_revocations(
    struct audit *audit, const struct audit_entry *entry) MUST_USE;
int audit_upgraded(
    struct audit *audit, const struct audit_entry *entry) MUST_USE;
int audit_issued(struct audit *audit, const struct audit_entry *entry) MUST_USE;
int audit_close(struct audit *audit, const struct audit_entry *entry) MUST_USE;
/* endings.c: a CA that is retired leaves nothing open. */
int audit_state_of_ca(
    struct audit *audit, const struct audit_entry *entry) MUST_USE;

/* What was signed, or taken in. */
int audit_certificate(struct audit_object *object) MUST_USE;
int audit_crl(struct audit_object *object) MUST_USE;
/* ENTRY_REVOCATIONS with a CRL that is taken over: the first of its series. */
int audit_taken_crl(struct audit *audit, struct audit_objects_state *state,
    const struct audit_entry *entry) MUST_USE;
int audit_adopted(struct audit_object *object) MUST_USE;

/* Findings AUDIT-FACTS unless the intent's member says the same. */
void audit_same_text(
    const struct audit_object *object, const char *member, const char *value);
void audit_same_date(
    const struct audit_object *object, const char *member, int64_t value);
/* The SHA-256 of these octets. */
int audit_same_digest(const struct audit_object *object, const char *member,
    const unsigned char *octets, size_t len) MUST_USE;

/*
 * The errors of `findings`, which stem from profiles/, as findings `id` at the
 * entry; those whose id is in `skip` (NULL-terminated, or NULL) were said.
 */
void audit_take_findings(struct audit *audit, const struct audit_entry *entry,
    const struct findings *findings, const char *id, const char *const *skip);

/*
 * The certificate of this name that is signed, or adopted, by now.  *ret_cert
 * stays NULL where there is none; a finding `id` then.
 */
int audit_issuer(struct audit *audit, const struct audit_entry *entry,
    const char *name, const char *id, struct object_row *ret_row,
    X509 **ret_cert) MUST_USE;

/*
 * The issuer was valid when the object was listed and when it was signed, not
 * only at the time that the object states (`from`), which a run that nobody
 * attends may not set back.
 */
struct issuer;
int audit_issuer_then(const struct audit_object *object,
    const struct issuer *issuer, int64_t from) MUST_USE;

/*
 * The profile that the intent names, as it is in force now; NULL, and a
 * finding AUDIT-PROFILE, where there is none that compiles and is of this
 * kind.
 */
int audit_profile(struct audit_object *object, enum profile_kind kind,
    const struct profile **ret_profile) MUST_USE;

/* ---- published-files.c, proofs.c -------------------------------------- */

/* Compare public/ with what the journal says; at the end. */
int audit_public_files(struct audit *audit) MUST_USE;
int audit_public_anchor(struct audit *audit) MUST_USE;
/* Those of OCSP responses; an export has none of them. */
int audit_public_responses(struct audit *audit) MUST_USE;
/*
 * A file of public/, `path` below that, has this SHA-256 (hex); a name that
 * nothing gave; each name in a directory, where it is there.
 */
int audit_public_file(
    struct audit *audit, const char *path, const char *sha256) MUST_USE;
int audit_public_stray(struct audit *audit, const char *path) MUST_USE;
int audit_public_each(struct audit *audit, const char *directory,
    int (*check)(struct audit *audit, const void *ctx, const char *name),
    const void *ctx) MUST_USE;
/* The proofs beside published objects. */
int audit_public_proofs(struct audit *audit) MUST_USE;

/* Where objects of a kind are published, as in ceremony/steps/step.c. */
struct audit_output {
	const char *kind, *directory;
	const char *endings[3]; /* NULL-terminated */
	bool proof;
};
/* Row `i`, or NULL behind the end; and that of a kind, or NULL. */
const struct audit_output *audit_output_at(size_t i);
const struct audit_output *audit_output_of(const char *kind);

/*
 * The SHA-256 of what is published of the object with this ending; *ret_known is
 * false where the evidence is missing or altered.
 */
int audit_output_sha256(struct audit *audit, const struct object_row *row,
    const char *ending, bool *ret_known, char ret_hex[HASH_HEX_SIZE]) MUST_USE;

#endif
