/*
 * A plan that is being written for a person: `plan new`.
 *
 * What the journal knows is filled in.  What only people know is a blank,
 * <what it is>, which plan check refuses (PLAN-BLANK).  Comments are for the
 * person who reads the plan aloud.
 */
#ifndef CA_TOOL_DRAFT_H
#define CA_TOOL_DRAFT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <openssl/x509.h>

#include "base/cleanup.h"
#include "ceremony/authority.h"
#include "profiles/profile.h"

/* ---- what there is ---------------------------------------------------- */

/* A CA of this authority: a certificate whose key is on the token. */
struct draft_ca {
	char *name, *issuer, *profile; /* as the journal has them, or NULL */
	char *dn, *spki, *serial;      /* hex */
	char *key, *key_type, *backup;
	enum ca_state state;
	char *successor; /* name of the key that took over; or NULL */
	bool adopted, root, revoked;
	X509 *certificate;
	int path_length; /* -1: none */
	bool signs_crls, signs_ocsp;
	int64_t from, until;

	/* What it issued, as far as the journal knows. */
	size_t issued;
	/* Still valid, revoked or not; responders are in neither. */
	size_t authorities, leaves;
	int64_t last_end;   /* notAfter of the last one; 0: none */
	int64_t longest;    /* seconds; 0: none */
	char *leaf_profile; /* of the newest certificate of an end entity */
};

void draft_ca_clear(struct draft_ca *ca);

/* A profile of the authority. */
struct draft_profile {
	char *name;
	struct profile *profile;
};

struct draft {
	struct authority *authority;
	struct journal *journal;
	int64_t now, from, until; /* from and until: the window's */
	char day[11];             /* "2026-11-21" */
	const char *kind;
	const char *name; /* NAME, or NULL */
	FILE *out;        /* NULL after a failure of memory */
	size_t blanks;
	enum profile_covers
	    covers;  /* what responses or a CRL are to be about */
	bool scoped; /* the CRL that is written is one of a scope, with a URL */
	char *id;
	json_t *taken; /* names that the plan itself uses: "KIND NAME" */

	struct draft_ca *cas;
	size_t ca_count;
	struct draft_profile *profiles;
	size_t profile_count;
};

/* Read journal and profiles.  Profiles that do not compile are left out. */
int draft_open(struct authority *authority, int64_t now, const char *kind,
    const char *name, FILE *out, struct draft *ret_draft) MUST_USE;
void draft_clear(struct draft *draft);
CLEANUP_DEFINE_STRUCT(draft);

/* The CA whose certificate, or key, has this name; NULL. */
const struct draft_ca *draft_ca(const struct draft *draft, const char *name);

/*
 * The CA that NAME names.  Without NAME: the only one that is not retired and
 * for which `fits` (which may be NULL) holds; NULL where there are several.
 * CA_R_MISSING where there is none of that name, or none at all.
 */
int draft_about(const struct draft *draft,
    bool (*fits)(const struct draft *draft, const struct draft_ca *ca),
    const struct draft_ca **ret_ca) MUST_USE;

/*
 * Whom its full CRL is about: end entities, where it issued to any, or can issue
 * to nobody else.
 */
int draft_ca_covers(const struct draft *draft, const struct draft_ca *ca,
    enum profile_covers *ret_covers) MUST_USE;

/* May it issue, or sign CRLs and OCSP responses, today? */
bool draft_may_issue(const struct draft *draft, const struct draft_ca *ca);
bool draft_may_sign(const struct draft *draft, const struct draft_ca *ca);
bool draft_signs_crls(const struct draft *draft, const struct draft_ca *ca);

/* CA_R_STATE: it signs no `what` ("CRLs"), because of its state. */
int draft_refuse_state(const struct draft_ca *ca, const char *what) MUST_USE;

/* Equal, or both NULL. */
bool draft_same_text(const char *a, const char *b);

/* The compiled profile, or NULL. */
const struct profile *draft_profile(
    const struct draft *draft, const char *name);

/* ---- writing ---------------------------------------------------------- */

/*
 * The head of the plan.  `title` is a sentence for people; the id is made of
 * the day, the kind and the NAME, and no run has had it.
 */
int draft_head(struct draft *draft, const char *title) MUST_USE;

/* A comment, wrapped; each line begins with `indent` blanks and "# ". */
void draft_say(struct draft *draft, int indent, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* An empty line. */
void draft_gap(struct draft *draft);
/* "  - KIND:", and "KEY: VALUE" below it, in quotes where YAML wants them. */
void draft_step(struct draft *draft, const char *kind);
void draft_put(
    struct draft *draft, int indent, const char *key, const char *value);
/* The same, where a person has to put something in its place. */
void draft_blank(
    struct draft *draft, int indent, const char *key, const char *what);
/* `value`, or the blank where it is NULL. */
void draft_put_or_blank(struct draft *draft, int indent, const char *key,
    const char *value, const char *what);

enum { STEP_INDENT = 6 };

/* "2026-11-21", for comments. */
struct draft_date {
	char text[11];
};
struct draft_date draft_date(int64_t time);

/* ---- names ------------------------------------------------------------ */

/*
 * A name of this kind ("key", "certificate", "batch" of certificates, "crl",
 * "ocsp", "csr") that is free, as near to `wish` as can be, and taken for this
 * plan from here on.  malloc'd.
 */
int draft_free_name(struct draft *draft, const char *kind, const char *wish,
    char **ret_name) MUST_USE;

/* "issuing-g1" gives "issuing-g2", "Example CA" gives "Example CA G2". */
char *draft_next_name(const char *name) MUST_USE;
char *draft_next_title(const char *title) MUST_USE;

/* ---- parts of steps --------------------------------------------------- */

/*
 * The profile of this kind for what `ca` signs: that of `before` where it is
 * there; else the only one, or the only one held to the same rules as the
 * CA's own; else a blank, with a comment that lists them.  *ret_profile is
 * NULL for a blank.
 */
int draft_put_profile(struct draft *draft, enum profile_kind kind,
    const struct draft_ca *ca, const char *before,
    const struct profile **ret_profile) MUST_USE;

/*
 * `validity`, only where the profile's default would outlive `end`, or where
 * there is no default to be known (profile NULL: nothing is written).
 */
void draft_put_validity(struct draft *draft, const struct profile *profile,
    int64_t end, const char *whose);

/* When what the profile makes has its nextUpdate, if not cut short by `end`. */
void draft_say_next_update(
    struct draft *draft, const struct profile *profile, int64_t end);

/*
 * `subject`: the attributes that the profile lists, with the values of `like`
 * (NULL: none), but for the common name, which is `common_name`, or a blank.
 */
int draft_put_subject(struct draft *draft, const struct profile *profile,
    const X509 *like, const char *common_name) MUST_USE;

/* Of a certificate's subject, UTF-8; NULL where it is not there once. */
int draft_attribute(
    const X509 *cert, const char *attribute, char **ret_value) MUST_USE;

/* "a, b or c", of the CAs that fit; malloc'd. */
int draft_choices(const struct draft *draft,
    bool (*fits)(const struct draft *draft, const struct draft_ca *ca),
    char **ret_text) MUST_USE;

/* `issuer` (or another key): the CA's name, or a blank with the choices. */
int draft_put_issuer(struct draft *draft, const char *key,
    const struct draft_ca *ca,
    bool (*fits)(
	const struct draft *draft, const struct draft_ca *ca)) MUST_USE;

/*
 * The CRL steps of one CA: each that there was before is followed by one, and
 * each partition that certificates name and that has none gets its first.
 */
int draft_crl_steps(struct draft *draft, const struct draft_ca *ca) MUST_USE;

/*
 * Which partition of the CRL of `issuer` (the name of its certificate) the URL
 * is, by the authority's own URL; 0: none.
 */
int draft_partition(const struct draft *draft, const char *issuer,
    const char *url, unsigned *ret_number) MUST_USE;

/* ---- kinds ------------------------------------------------------------ */

struct draft_kind {
	const char *name;
	const char *about;   /* what NAME is; NULL: it takes none */
	const char *summary; /* for --list */
	int (*write)(struct draft *draft);
};

/* Row `i`, or NULL behind the end. */
const struct draft_kind *draft_kind_at(size_t i);

/* draft-make.c: what makes certificates */
int draft_root(struct draft *draft) MUST_USE;
int draft_policy_ca(struct draft *draft) MUST_USE;
int draft_issuing_ca(struct draft *draft) MUST_USE;
int draft_cross(struct draft *draft) MUST_USE;
int draft_responder(struct draft *draft) MUST_USE;
int draft_certificates(struct draft *draft) MUST_USE;
int draft_rollover(struct draft *draft) MUST_USE;
int draft_adopt_ca(struct draft *draft) MUST_USE;

/* draft-crl.c, draft-status.c: what says which of them are good */
int draft_crl(struct draft *draft) MUST_USE;
int draft_ocsp(struct draft *draft) MUST_USE;
int draft_revoke(struct draft *draft) MUST_USE;
int draft_upgrade(struct draft *draft) MUST_USE;
int draft_import_revocations(struct draft *draft) MUST_USE;
int draft_import_issued(struct draft *draft) MUST_USE;

/* draft-mend.c: what changes the authority itself */
int draft_reshare(struct draft *draft) MUST_USE;
int draft_destroy_key(struct draft *draft) MUST_USE;
int draft_abandon(struct draft *draft) MUST_USE;
int draft_adopt_config(struct draft *draft) MUST_USE;
int draft_adopt_token(struct draft *draft) MUST_USE;
int draft_correct_clock(struct draft *draft) MUST_USE;
int draft_recover_journal(struct draft *draft) MUST_USE;

#endif
