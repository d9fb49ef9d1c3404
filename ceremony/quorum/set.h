/*
 * Quorum sets: who the operators are, how many of them must agree, and who may
 * witness.
 *
 * The file that people write for init and reshare (`set file`):
 *
 *   format: ca-tool-set-1
 *   threshold: 2
 *   operators:
 *     - name: alice
 *       sign: alice.sign.crt        certificate, PEM or DER, relative to it
 *       decrypt: alice.decrypt.crt  left out where the PIN is not derived
 *   witnesses:                      optional; they hold no share
 *     - name: wendy
 *       sign: wendy.sign.crt
 *   allow-single-control: true      needed for threshold 1
 *   allow-no-spare: true            needed for threshold = number of operators
 *
 * becomes quorum/SETID/set.yaml, where `set` (its id), `authority`,
 * `commitments` (their SHA-256) and, for each person, index and the SHA-256 of
 * the certificates are added, and certificates are called NAME.sign.crt and
 * NAME.decrypt.crt (PEM, beside it).  Only init and reshare write there.
 * Also there: NAME.cms (the share), NAME.enrol (the enrolment statement's
 * signature), NAME.anchor (the anchor's).
 */
#ifndef CA_QUORUM_SET_H
#define CA_QUORUM_SET_H

#include <stdbool.h>

#include <openssl/x509.h>

#include "base/cleanup.h"
#include "base/findings.h"
#include "ceremony/quorum/pin.h"
#include "ceremony/quorum/sharing.h"

enum { PEOPLE_MAX = 64, SET_ID_HEX_SIZE = 2 * SET_ID_LEN + 1 };

struct person {
	char *name; /* text_is_name() */
	bool witness;
	unsigned index; /* operators: 1..N in the file's order; witness: 0 */
	X509 *sign;     /* never NULL */
	X509 *decrypt; /* NULL where the set has no shares, and for witnesses */
	char *sign_spki;    /* SHA-256 of the SubjectPublicKeyInfo, hex */
	char *decrypt_spki; /* or NULL */
};

struct quorum_set {
	char id[SET_ID_HEX_SIZE]; /* "" in a set that is only proposed */
	unsigned char id_octets[SET_ID_LEN];
	char *authority;   /* NULL while only proposed */
	char *commitments; /* SHA-256, hex; NULL without shares */
	unsigned threshold, operators;
	bool shares; /* has decryption certificates, and shares */
	bool allow_single_control, allow_no_spare;
	struct person *people; /* operators in index order, then witnesses */
	size_t count;
	char *text;   /* of set.yaml; NULL while only proposed */
	char *sha256; /* of text */
};

/* Reads a certificate that a set file names: whole bytes, malloc'd. */
struct set_files {
	void *ctx;
	int (*read)(void *ctx, const char *given, unsigned char **ret_data,
	    size_t *ret_len);
};

/*
 * Parse and check a set file.  `shares`: decryption certificates are needed
 * (true) or refused (false).  Findings, all at once, with their places:
 *   SET-FORMAT, SET-THRESHOLD (above N, 0, or 1 without allow-single-control, N
 *   without allow-no-spare), SET-COUNT (more than 32 operators), SET-NAME
 *   (characters, twice), SET-CERTIFICATE (cannot be read, more than one, not
 *   fit to sign or decrypt), SET-KEY-TWICE (a public key twice, in whatever
 *   role), SET-DATES (warning: outside its validity at `now`).
 * A decryption certificate's key: RSA 3072 to 8192, or EC P-256 or P-384;
 * keyUsage, where present, with keyEncipherment (RSA) or keyAgreement (EC).
 * CA_R_INPUT if there are errors.
 */
int set_read(const char *name, const unsigned char *data, size_t len,
    bool shares, int64_t now, const struct set_files *files,
    struct findings *findings, struct quorum_set **ret_set) MUST_USE;

/*
 * Make a proposed set one of `authority`: a random id, and its text.
 * commitments: NULL without shares.
 */
int set_found(struct quorum_set *set, const char *authority,
    const struct commitments *commitments) MUST_USE;

/* The same people, certificates, threshold and permissions? */
bool set_is_proposal_of(
    const struct quorum_set *proposal, const struct quorum_set *set);

/* What must be said loudly wherever a set is summarised; NULL: nothing. */
const char *set_warning(const struct quorum_set *set);

/* NULL if there is none of that name. */
const struct person *set_person(const struct quorum_set *set, const char *name);

/* ---- quorum/ ---------------------------------------------------------- */

/*
 * Write `set` as quorum_fd/SETID/, whole or not at all (a directory under a
 * temporary name, synced, renamed): set.yaml, certificates, and shares[i] of
 * index i + 1 (lengths in share_lens; NULL without shares).
 */
int set_store(int quorum_fd, const struct quorum_set *set,
    unsigned char *const *shares, const size_t *share_lens) MUST_USE;

/*
 * Remove quorum/ID/ with all that is in it.  It loses its name first, so that
 * after a crash it is no set any more, and set_sweep() removes the rest.
 */
int set_remove(int quorum_fd, const char *id) MUST_USE;

/* Remove what a crash left of set_store() and set_remove() in quorum/. */
int set_sweep(int quorum_fd) MUST_USE;

/*
 * Load quorum/SETID/set.yaml with its certificates, all hashes compared.
 * `sha256` (hex, of set.yaml, from the journal): NULL where it is not known yet.
 * CA_R_VERIFY for what was changed, naming the file.
 */
int set_load(int quorum_fd, const char *id, const char *sha256,
    struct quorum_set **ret_set) MUST_USE;

/*
 * The same from bytes that are kept elsewhere, as in the journal's evidence:
 * `where` names set.yaml in messages, `files` gives what it names (NAME.sign.crt,
 * NAME.decrypt.crt; PEM).  CA_R_VERIFY unless it is, octet for octet, what
 * set_found() writes for the set `id`.
 */
int set_read_stored(const char *where, const unsigned char *data, size_t len,
    const char *id, const struct set_files *files,
    struct quorum_set **ret_set) MUST_USE;

/* The share NAME.cms of an operator; malloc'd. */
int set_share(int quorum_fd, const struct quorum_set *set,
    const struct person *person, unsigned char **ret_der,
    size_t *ret_len) MUST_USE;

/* `quorum/current`: the id of the set in force, one line. */
int set_current(int quorum_fd, char ret_id[SET_ID_HEX_SIZE]) MUST_USE;
int set_make_current(int quorum_fd, const char *id) MUST_USE;

/*
 * The statement that an operator signs at enrolment (SIGNATURE_ENROL); the
 * same for all of a set:
 *
 *   ca-tool enrolment 1
 *   authority: ...
 *   set: SETID
 *   set.yaml: SHA-256
 *   commitments: SHA-256           (or "none")
 *   operator: alice
 *   share: SHA-256 of NAME.cms     (or "none")
 *
 * malloc'd.
 */
struct set_enrolment {
	const char *authority, *set, *set_sha256;
	const char *commitments; /* NULL: none */
	const char *operator;
	const char *share; /* SHA-256; NULL: none */
};
int set_enrolment_compose(
    const struct set_enrolment *enrolment, char **ret_text) MUST_USE;

/* The same for a set in quorum/. */
int set_enrolment_text(int quorum_fd, const struct quorum_set *set,
    const struct person *person, char **ret_text) MUST_USE;

void quorum_set_free(struct quorum_set *set);
CLEANUP_DEFINE_PTR(quorum_set);

#endif
