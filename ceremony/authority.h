/*
 * An authority: one directory, one token, one journal (design: README.md).
 *
 *   authority.yaml  id, title, token, login, publication URLs, jobs
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
	const char *profiles; /* directory of profiles to copy */
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
	char *login; /* "prompt" */
	struct {
		char *crl, *ca_issuers, *ocsp; /* NULL where not given */
	} publication;
	char *jobs; /* threads that sign; NULL: 1 */
};

enum authority_mode {
	AUTHORITY_READ,  /* no lock, nothing is written */
	AUTHORITY_WRITE, /* takes the lock: CA_R_BUSY if another holds it */
};

/*
 * Make an authority in `dir`, or go on with one whose init was cut off (the
 * options must then be the same).  Order: directory and authority.yaml;
 * genesis; intent; C_InitToken; serial and facts; user PIN; journal key;
 * configuration and profiles; ready; checkpoint.  Asks the room for the new SO
 * PIN, then the new user PIN.  An initialised token is refused unless this
 * very init initialised it.
 */
int authority_init(const char *dir, const struct authority_options *options,
    const struct room *room, struct findings *findings) MUST_USE;

/*
 * Open an authority.  CA_R_MISSING if `dir` is none; CA_R_STATE if its init
 * was not finished.  authority.yaml is checked against its schema and the
 * newest ENTRY_CONFIG.
 */
int authority_open(const char *dir, enum authority_mode mode,
    struct findings *findings, struct authority **ret_authority) MUST_USE;

/*
 * Open module and token and log in; the PIN is asked of the room.  Writes an
 * ENTRY_LOGIN for `run`.  AUTHORITY_WRITE only.
 */
int authority_login(struct authority *authority, const struct room *room,
    const char *run) MUST_USE;
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
 * `receipt` in that directory; then append it.  What a cut in between leaves
 * is replaced by the next call.  *ret_note is malloc'd.
 */
int authority_checkpoint(
    struct authority *authority, int receipt_fd, char **ret_note) MUST_USE;

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
