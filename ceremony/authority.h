/*
 * An authority: one directory, one token, one journal (design: README.md).
 *
 *   authority.yaml  id, title, token, login, publication URLs, jobs
 *   quorum/         the sets of operators, their shares (quorum/set.h)
 *   profiles/       the profiles that this authority may use
 *   journal.db      all state
 *   token/          the embedded SoftHSM, where that is the token
 *   ceremonies/     inputs, manifest, spool and transcript of each plan
 *   public/         all that may leave the room
 *   lock            held by the one ca-tool that works here
 */
#ifndef CA_CEREMONY_AUTHORITY_H
#define CA_CEREMONY_AUTHORITY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/findings.h"
#include "ceremony/journal/journal.h"
#include "ceremony/linters.h"
#include "ceremony/quorum/set.h"
#include "ceremony/room.h"
#include "pkcs11/token.h"

struct authority;

/* What `init` is told; strings are the caller's.  NULL means the default. */
struct authority_options {
	const char *id;           /* needed: "example.org/root-ca-1" */
	const char *title;        /* default: the id */
	const char *module;       /* NULL: the embedded SoftHSM */
	const char *token_label;  /* default: made from the id */
	const char *token_serial; /* of the blank token, where several are */
	const char *crl_url;      /* "http://.../{issuer}.crl" */
	const char *ca_issuers_url;
	const char *ocsp_url;
	const char *profiles;   /* directory of profiles to copy */
	const char *set;        /* needed: the set file (quorum/set.h) */
	const char *login;      /* "derived" (default), "adopted", ... */
	const char *pin_format; /* "hex" (default), "digits", ... */
	unsigned pin_length;    /* 0: as many as the token takes, up to 64 */
	bool allow_short_pin;
	const char *const *unattended; /* kinds of steps; NULL: none */
};

/*
 * How the token is opened.
 *   derived         ca-tool initialises the token; SO PIN and user PIN come
 *                   from the operators' shares
 *   adopted         a vendor's tool initialised the token and keeps the SO PIN;
 *                   init asks for the user PIN once and changes it to the
 *                   derived one; whoever holds the SO PIN can bypass the
 *                   quorum, which every summary says
 *   prompt          PINs are managed elsewhere and typed (--pin-fd)
 *   protected-path  PINs are typed on the token's own PIN pad, or its card sets
 *                   open it
 * The operators approve and confirm in all of them; only the first two have
 * shares.
 */
enum login_kind {
	LOGIN_DERIVED,
	LOGIN_ADOPTED,
	LOGIN_PROMPT,
	LOGIN_PROTECTED_PATH,
};

/* authority.yaml, loaded. */
struct authority_config {
	char *format;
	char *id;
	char *title;
	struct {
		char *module; /* "embedded" or an absolute path */
		char *label;
	} token;
	char *login;
	struct {
		char *format;   /* "hex", "digits", "alphanumeric"; or NULL */
		char *alphabet; /* instead of format */
		char *length;
		char *allow_short; /* "true" */
	} pin;
	char **unattended; /* kinds of steps that need no confirmation */
	unsigned unattended_count;
	struct {
		char *crl, *ca_issuers, *ocsp; /* NULL where not given */
	} publication;
	char *jobs;                    /* threads that sign; NULL: 1 */
	struct linter_config *linters; /* outside ones */
	unsigned linters_count;
	struct blocklist_config blocklist;
};

enum authority_mode {
	AUTHORITY_READ,  /* no lock, nothing is written */
	AUTHORITY_WRITE, /* takes the lock: CA_R_BUSY if another holds it */
};

/*
 * Make an authority in `dir`, or go on with one whose init was cut off (the
 * options must then be the same).  Order: directory, authority.yaml, profiles;
 * the set: shares are made and written to quorum/SETID/; each operator opens,
 * checks and signs (enrolment); genesis, with the enrolments and the set in
 * force; intent; C_InitToken; serial and facts; user PIN; journal key;
 * configuration and profiles; N signatures over the anchor; ready; checkpoint.
 * With login `prompt` the room is asked for the new SO PIN, then the new user
 * PIN.  An initialised token is refused unless this very init initialised it
 * (or login is `adopted`).
 * Operators who are not there can come later: CA_R_QUORUM says who is missing,
 * and init goes on when it is run again, with M shares.
 */
int authority_init(const char *dir, const struct authority_options *options,
    const struct room *room, struct findings *findings) MUST_USE;

/*
 * Open an authority.  CA_R_MISSING if `dir` is none; CA_R_STATE if its init
 * was not finished.  authority.yaml is checked against its schema, but against
 * the newest ENTRY_CONFIG only by authority_check_config(), which everything but
 * `adopt-config` calls.
 */
int authority_open(const char *dir, enum authority_mode mode,
    struct findings *findings, struct authority **ret_authority) MUST_USE;

/* CA_R_POLICY where authority.yaml is not what the journal has recorded. */
int authority_check_config(const struct authority *authority) MUST_USE;

enum login_kind authority_login_kind(const struct authority *authority);

/* quorum/, and the set in force, loaded and compared with the journal. */
int authority_quorum(
    struct authority *authority, const struct quorum_set **ret_set) MUST_USE;
int authority_quorum_fd(struct authority *authority, int *ret_fd) MUST_USE;

/*
 * What must be said loudly wherever this authority is summarised (threshold 1,
 * no spare, an SO who can bypass the quorum): lines, or NULL for nothing.
 * malloc'd.
 */
int authority_warnings(struct authority *authority, char **ret_text) MUST_USE;

/*
 * Open module and token and log in: with the PIN that M operators' shares give,
 * or that the room is asked for.  Writes an ENTRY_LOGIN for `run`, with the
 * people whose shares were used.  AUTHORITY_WRITE only.  The token is opened
 * first, so that one that is not there, or locked, is said before shares are
 * taken; where one wrong PIN more locks it, the room is asked first
 * (room->confirm).  `operators` is of the set in force.
 */
struct operators;
int authority_login(struct authority *authority, const struct room *room,
    struct operators *operators, const char *run) MUST_USE;

/*
 * Derive a PIN of this set's secret in the format of authority.yaml, for the
 * token that is open.
 */
int authority_derive_pin(const struct authority *authority,
    const struct quorum_set *set, const struct secret *secret,
    enum pin_role role, struct secret *ret_pin) MUST_USE;

/*
 * Let one operator test their own share: opened, checked against itself, the
 * set and the authority.  No token, no lock.  `id` is a SETID, or NULL for the
 * set in force.
 */
int authority_check_share(struct authority *authority, const struct room *room,
    const char *name, const char *id) MUST_USE;

/*
 * Does the journal extend this checkpoint (a receipt that an operator carried
 * home)?  CA_R_VERIFY where it is forged, of another authority, or where the
 * journal was rolled back or forked; `*ret_size` is the receipt's.
 */
int authority_check_receipt(
    struct authority *authority, const char *path, uint64_t *ret_size) MUST_USE;
void authority_logout(struct authority *authority);

/* Parts; all the authority's. */
const struct authority_config *authority_config(
    const struct authority *authority);
const char *authority_path(const struct authority *authority); /* absolute */
int authority_fd(const struct authority *authority);
struct journal *authority_journal(const struct authority *authority);
struct token *authority_token(const struct authority *authority);
const struct module *authority_module(const struct authority *authority);
/* authority.yaml as loaded, and its SHA-256 in hex. */
const unsigned char *authority_config_bytes(
    const struct authority *authority, size_t *ret_len);
const char *authority_config_sha256(const struct authority *authority);
unsigned authority_jobs(const struct authority *authority);

/*
 * The keys that are not to be certified, as authority.yaml names them: read
 * once, and the authority's; NULL where it names none.  CA_R_POLICY where the
 * file is not what its digest says.
 */
int authority_blocklist(
    struct authority *authority, const struct blocklist **ret_list) MUST_USE;

/*
 * The key called `name`, found on the token, checked, and its public key
 * compared with the one kept in the journal.  CA_R_KEY otherwise.  Kept for
 * the rest of this login; the authority's.
 */
struct key;
int authority_key(struct authority *authority, const char *name,
    const struct key **ret_key) MUST_USE;

/*
 * Sign a checkpoint over the journal as it is with the journal's key; write it
 * to public/journal/checkpoint, and, unless receipt_fd is -1, to the file
 * `receipt` in that directory; call `also` (unless NULL), for what else rests on
 * it; then append it, and write the head to the token.  What a cut in between
 * leaves is replaced by the next call.  *ret_note is malloc'd.
 */
int authority_checkpoint(struct authority *authority, int receipt_fd,
    int (*also)(void *ctx, const char *note), void *ctx,
    char **ret_note) MUST_USE;

void authority_free(struct authority *authority);
CLEANUP_DEFINE_PTR(authority);

/* For `key list`: one key that the journal or the token knows. */
struct key_report {
	const char *name, *type, *purpose, *backup, *id; /* "" if unknown */
	const char *spki_sha256;                         /* hex, or "" */
	const struct key_statement *statement; /* NULL: not on the token */
	const char *fault;                     /* NULL: fit for use */
};
int authority_each_key(struct authority *authority,
    int (*visit)(void *ctx, const struct key_report *report),
    void *ctx) MUST_USE;

#endif
