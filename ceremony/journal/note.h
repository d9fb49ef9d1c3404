/*
 * Signed notes and checkpoints, as C2SP signed-note and tlog-checkpoint
 * define them; rules.md 18.2 and 18.3.  The journal's key is ECDSA P-256 in
 * the token: signature type 02.
 */
#ifndef CA_JOURNAL_NOTE_H
#define CA_JOURNAL_NOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

#include "base/cleanup.h"

enum { NOTE_MAX_BYTES = 1 << 20 };

struct checkpoint {
	char *origin;
	uint64_t size;
	unsigned char root[32];
};
void checkpoint_clear(struct checkpoint *checkpoint);
CLEANUP_DEFINE_STRUCT(checkpoint);

/*
 * The text of a checkpoint: origin, size, root, each line ended.  This is what
 * is signed: the signature is over SHA-256 of these bytes.  malloc'd.
 */
int checkpoint_text(const char *origin, uint64_t size,
    const unsigned char root[32], char **ret_text) MUST_USE;

/* Text, empty line, one ECDSA signature line (DER ECDSA-Sig-Value). */
int note_compose(const char *text, const char *key_name,
    const unsigned char *spki, size_t spki_len, const unsigned char *sig,
    size_t sig_len, char **ret_note) MUST_USE;

/*
 * Verify a checkpoint note with the journal's key: well-formed, a signature
 * line of this name and key id that verifies; lines of unknown keys are
 * ignored.  CA_R_VERIFY or CA_R_INPUT otherwise.
 */
int checkpoint_verify(const char *note, size_t len, const char *key_name,
    const unsigned char *spki, size_t spki_len,
    struct checkpoint *ret_checkpoint) MUST_USE;

/* "name+hhhhhhhh+base64(02 || SPKI)", for auditors; malloc'd. */
int note_verifier_key(const char *key_name, const unsigned char *spki,
    size_t spki_len, char **ret_vkey) MUST_USE;

/* ---- keys, lines and cosignatures ------------------------------------- */

/* Signature types of signed-note that ca-tool knows (rules.md 18.2). */
enum note_type {
	NOTE_ED25519 = 1,
	NOTE_ECDSA = 2,
	NOTE_COSIGNATURE = 4, /* Ed25519, with a time: tlog-cosignature */
};

/* A verifier key: "name+hhhhhhhh+base64(type || public key)". */
struct note_key {
	char *name;
	enum note_type type;
	unsigned char id[4];
	EVP_PKEY *key;
};
void note_key_clear(struct note_key *key);
CLEANUP_DEFINE_STRUCT(note_key);

/*
 * Parse one, without a newline; strict (NOTE-KEYNAME, NOTE-B64, NOTE-KEYID).
 * CA_R_INPUT with what is wrong.
 */
int note_key_parse(
    const char *text, size_t len, struct note_key *ret_key) MUST_USE;
/* Of a public key: ECDSA for an EC key; `type` for an Ed25519 one. */
int note_key_from_public(const char *name, enum note_type type, EVP_PKEY *key,
    struct note_key *ret_key) MUST_USE;
int note_key_text(const struct note_key *key, char **ret_text) MUST_USE;

struct note_line {
	char *name;
	unsigned char id[4];
	unsigned char *signature; /* without the id */
	size_t len;
};

/* A note taken apart (NOTE-UTF8, NOTE-SPLIT, NOTE-LIMIT). */
struct note {
	char *text; /* with its last newline */
	struct note_line *lines;
	size_t count;
};
void note_clear(struct note *note);
CLEANUP_DEFINE_STRUCT(note);

enum { NOTE_MAX_LINES = 1024 };

int note_parse(const char *bytes, size_t len, struct note *ret_note) MUST_USE;

/* What a checkpoint's text says (CKPT-*); CA_R_INPUT where it is none. */
int checkpoint_parse(
    const char *text, size_t len, struct checkpoint *ret_checkpoint) MUST_USE;

/*
 * Does a line of this key verify?  *ret_found: there is one of its name and id;
 * CA_R_VERIFY where one of those does not verify.  *ret_time (may be NULL) is
 * a cosignature's time, never 0 (COSIG-NO-ZERO-TIME), else 0; of several, the
 * newest.
 */
int note_verify(const struct note *note, const struct note_key *key,
    bool *ret_found, uint64_t *ret_time) MUST_USE;

/*
 * A cosignature (type 04) of a checkpoint by an Ed25519 private key: the whole
 * line with its newline, verified before it is given out.  malloc'd.
 */
int note_cosign(const char *text, const char *name, EVP_PKEY *key,
    uint64_t time, char **ret_line) MUST_USE;

#endif
