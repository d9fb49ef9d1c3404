/* What the files of struct authority share.  Included by them alone. */
#ifndef CA_CEREMONY_AUTHORITY_PRIVATE_H
#define CA_CEREMONY_AUTHORITY_PRIVATE_H

#include "base/yaml.h"
#include "ceremony/authority.h"
#include "ceremony/head.h"
#include "pkcs11/key.h"
#include "pkcs11/module.h"

/* Name of the journal's own key, in the journal and on the token. */
#define JOURNAL_KEY "journal"

struct held_key {
	char *name;
	struct key *key;
};

struct authority {
	char *path; /* absolute */
	int fd;
	int lock;
	int quorum_fd; /* quorum/, once it is asked for; else -1 */
	bool quorum_swept;
	struct quorum_set *set; /* the one in force, once it is asked for */
	struct authority_config *config;
	unsigned char *config_bytes; /* authority.yaml as loaded */
	size_t config_len;
	char *config_sha256;
	struct blocklist *blocklist; /* once it is asked for */
	struct journal *journal;
	struct module *module;
	struct token *token;
	struct held_key *keys; /* found and checked during this login */
	size_t key_count;
	enum head_rule head_rule;    /* what the next login demands */
	char run[2 * NONCE_LEN + 1]; /* for which the token was opened */
};

extern const cyaml_schema_value_t authority_schema;

/* Load and check authority.yaml into `authority`. */
int authority_load_config(
    struct authority *authority, struct findings *findings) MUST_USE;

/* Open the module that the configuration names, unless it is open. */
int authority_open_module(struct authority *authority) MUST_USE;

/*
 * Log in with this PIN, compare the token's head with the journal by
 * authority->head_rule, and journal the login.  Where the head fits, it is
 * written anew; where it may not, perform() of the plan's step does that.
 */
int authority_login_with(struct authority *authority, const struct secret *pin,
    const struct room *room, const char *run) MUST_USE;

/* A new struct with nothing open; NULL with CA_R_MEMORY raised. */
struct authority *authority_new(void) MUST_USE;

/* Is this what `login:` may be?  -1 if not, with nothing raised. */
int login_kind_by_name(const char *name, enum login_kind *ret_kind) MUST_USE;

/* Has the authority shares, from which PINs are derived? */
bool login_has_shares(enum login_kind kind);

/* Who can bypass the operators with this kind of login; NULL: nobody. */
const char *login_warning(enum login_kind kind);

/*
 * Before a PIN is tried: CA_R_PIN where it is locked; where one wrong PIN more
 * locks it, the room is asked whether to go on.
 */
int authority_may_try(
    struct authority *authority, const struct room *room) MUST_USE;

/* Kinds of steps that authority.yaml may let run unattended. */
bool may_run_unattended(const char *kind);

/* The set in force is another one now. */
void authority_forget_quorum(struct authority *authority);

/* Entries name whoever runs the program. */
int authority_set_person(struct authority *authority) MUST_USE;

/*
 * Journal the intent, make the key, journal what came of it.  A key that an
 * earlier try left half-made under this name is destroyed first.
 */
int authority_make_key(struct authority *authority, const char *run,
    const char *name, const char *type, const char *purpose,
    const char *backup) MUST_USE;

/* Destroy a key and journal that. */
int authority_destroy_key(struct authority *authority, const char *run,
    const struct key_row *row) MUST_USE;

/* The same for a reason that people gave; `why` is journalled, too. */
int authority_end_key(struct authority *authority, const char *run,
    const struct key_row *row, const char *why) MUST_USE;

/* Forget a key that is held, before its objects go or are looked at anew. */
void authority_let_go(struct authority *authority, const char *name);

/* Keep a key that was found and checked as `name`; takes it, but on failure. */
int authority_hold_key(
    struct authority *authority, const char *name, struct key *key) MUST_USE;

/* What an ENTRY_KEY says of a key beside names: {id, spki, attributes, ...}. */
json_t *authority_key_facts(const struct key *key);

#endif
