/*
 * Signed notes and checkpoints, as C2SP signed-note and tlog-checkpoint
 * define them; rules.md 18.2 and 18.3.  The journal's key is ECDSA P-256 in
 * the token: signature type 02.
 */
#ifndef CA_JOURNAL_NOTE_H
#define CA_JOURNAL_NOTE_H

#include <stddef.h>
#include <stdint.h>

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

#endif
