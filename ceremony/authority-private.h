/* What the files of struct authority share.  Included by them alone. */
#ifndef CA_CEREMONY_AUTHORITY_PRIVATE_H
#define CA_CEREMONY_AUTHORITY_PRIVATE_H

#include "base/yaml.h"
#include "ceremony/authority.h"
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
	struct authority_config *config;
	unsigned char *config_bytes; /* authority.yaml as loaded */
	size_t config_len;
	char *config_sha256;
	struct journal *journal;
	struct module *module;
	struct token *token;
	struct held_key *keys; /* found and checked during this login */
	size_t key_count;
};

extern const cyaml_schema_value_t authority_schema;

/* Load and check authority.yaml into `authority`. */
int authority_load_config(
    struct authority *authority, struct findings *findings) MUST_USE;

/* Open the module that the configuration names, unless it is open. */
int authority_open_module(struct authority *authority) MUST_USE;

/* Log in with this PIN and journal it. */
int authority_login_with(struct authority *authority, const struct secret *pin,
    const struct room *room, const char *run) MUST_USE;

/* "prompt" entries name whoever runs the program. */
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

#endif
