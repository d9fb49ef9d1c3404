/*
 * Enrolling a set: its shares are made, and each operator opens, checks and
 * signs.  Used by init and by reshare.
 */
#ifndef CA_CEREMONY_ENROL_H
#define CA_CEREMONY_ENROL_H

#include "ceremony/authority.h"
#include "ceremony/operators.h"

/*
 * Read a proposed set from the set file `path`; certificates are relative to
 * it.  Findings as set_read().
 */
int enrol_read_set(const char *path, bool shares, struct findings *findings,
    struct quorum_set **ret_set) MUST_USE;

/*
 * Found the proposed set: secret (mixed with `mix` where there is any), shares,
 * quorum/SETID/, whole or not at all.  The secret is kept by the caller for the
 * rest of the act, so that M shares need not be opened again at once.  For a
 * set without shares *ret_secret stays empty.
 */
int enrol_found(struct authority *authority, struct quorum_set *set,
    const unsigned char *mix, size_t mix_len,
    struct secret *ret_secret) MUST_USE;

/*
 * Who has enrolled in a set of quorum/: how many, and their names ("alice,
 * bob"; malloc'd).  Every file NAME.enrol must be the enrolment of an operator
 * of the set, verified; CA_R_VERIFY names the one that is not.
 */
int enrol_count(struct authority *authority, const struct quorum_set *set,
    unsigned *ret_count, char **ret_names) MUST_USE;

/*
 * Each operator who has not done so yet opens and checks their share and signs
 * the statement of enrolment, quorum/SETID/NAME.enrol.  Operators who are not
 * in the room are skipped.  CA_R_QUORUM, naming them, while some are missing.
 * `pinned`: the journal names the set; one that it does not name is taken up
 * later only if as many as its threshold have enrolled.
 */
int enrol_people(struct authority *authority, struct operators *operators,
    bool pinned) MUST_USE;

/*
 * Append the enrolment entries of all of the set (statements verified once
 * more, and put as evidence), in the open transaction.
 */
int enrol_journal(
    struct authority *authority, const struct quorum_set *set) MUST_USE;

/* Data of an ENTRY_QUORUM about this set; the set file is put as evidence. */
int enrol_quorum_entry(struct authority *authority,
    const struct quorum_set *set, const char *state, const char *replaces,
    const char *run, const char *text) MUST_USE;

/*
 * The anchor of the authority: a text that names the genesis entry's leaf hash,
 * the journal's key and the set, in public/anchor/ with that key in PEM, and the
 * signature of each operator, who is asked for it: public/anchor/NAME.cms and
 * their certificate beside it, quorum/SETID/NAME.anchor, an ENTRY_ANCHOR.
 * Those who have signed it are not asked again.  CA_R_QUORUM, naming them,
 * while some have not.
 *
 *   ca-tool anchor 1
 *   authority: example.org/root-ca-1
 *   genesis: 64 hex digits
 *   journal-key: SHA-256 of its SubjectPublicKeyInfo, hex
 *   set: SETID
 */
int authority_anchor(
    struct authority *authority, struct operators *operators) MUST_USE;

#endif
