/*
 * What the parts of making an authority share: authority-init.c (the order of
 * things), init-config.c (options, authority.yaml, profiles), init-quorum.c
 * (the founding set) and init-token.c (the token and its PINs).
 */
#ifndef CA_CEREMONY_INIT_PRIVATE_H
#define CA_CEREMONY_INIT_PRIVATE_H

#include "ceremony/authority-private.h"
#include "ceremony/enrol.h"
#include "profiles/profile.h"

struct profile_file {
	char *name; /* "root.yaml" */
	unsigned char *data;
	size_t len;
};

struct init {
	const struct authority_options *options;
	enum login_kind login;
	struct quorum_set *proposal; /* as the set file has it */
	struct quorum_set *set;      /* as it was founded */
	struct operators operators;  /* of that set */
	struct secret secret;        /* until the PINs are derived */
	const struct room *room;
	struct findings *findings;
	struct authority *authority;
	struct profile_file *profiles;
	size_t profile_count;
	struct secret so_pin, user_pin;
	struct authority_row row;
};

/* ---- init-config.c ---------------------------------------------------- */

int init_check_options(const struct authority_options *o) MUST_USE;

/* All profile files, each checked. */
int init_read_profiles(struct init *init) MUST_USE;

/* The token's label from the id: its last 32 characters, '/' made '-'. */
char *init_default_label(const char *id) MUST_USE;

/*
 * authority.yaml, which makes the directory an authority: new, or what the
 * cut-off init with the same options wrote.
 */
int init_write_config(struct init *init, const char *dir) MUST_USE;
int init_write_profiles(struct init *init) MUST_USE;

/* ---- init-quorum.c ---------------------------------------------------- */

/* Found the set, or go on with an earlier try's; everybody enrols. */
int init_enrol(struct init *init) MUST_USE;

/* Both PINs from the secret; it is taken from M shares where it is not here. */
int init_derive_pins(struct init *init) MUST_USE;

/* ---- init-token.c ----------------------------------------------------- */

bool init_is_embedded(const struct init *init);

/* Was the token initialised by somebody else, before this authority was? */
bool init_is_given(const struct init *init);

/* A token with the label that ours would have is not ours. */
int init_refuse_taken_label(struct init *init) MUST_USE;

/* The token that is to be taken over is there; authority.yaml is not yet. */
int init_find_promised(struct init *init) MUST_USE;

/* A PIN in the format that is asked for, as long as this token wants it. */
int init_check_pin_format(struct init *init) MUST_USE;

/* Where somebody types them. */
int init_ask_pins(struct init *init) MUST_USE;

/* Initialise it, take it over, or find the one of an earlier try. */
int init_open_token(struct init *init) MUST_USE;

/* User PIN, login, and the journal's own key. */
int init_make_journal_key(struct init *init) MUST_USE;

#endif
