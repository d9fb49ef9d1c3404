/*
 * The operators in the room: between the room (who is asked) and the quorum
 * (what is opened and signed).
 *
 * Whoever takes part was named with a key reference on the command line, or is
 * asked for.  An operator's key is opened for one use at a time; its
 * passphrase or card PIN is asked for each time.  A wrong one is said at once,
 * and a further try is always asked for, never made.
 */
#ifndef CA_CEREMONY_OPERATORS_H
#define CA_CEREMONY_OPERATORS_H

#include <jansson.h>
#include <stdbool.h>

#include "ceremony/quorum/set.h"
#include "ceremony/quorum/share.h"
#include "ceremony/quorum/signature.h"
#include "ceremony/room.h"

struct module;

/*
 * Those who take part, by name in the set; the room's list, and whoever was
 * asked for since.
 */
struct operators {
	const struct room *room;
	const struct quorum_set *set;
	struct module *in_use; /* the authority's module, once it is open */
	struct room_operator *present;
	size_t count;
};

/*
 * CA_R_USAGE for a name twice or a malformed reference; CA_R_QUORUM for a name
 * that is not in the set, saying who is.
 */
int operators_open(const struct room *room, const struct quorum_set *set,
    struct operators *ret_operators) MUST_USE;
void operators_clear(struct operators *operators);
CLEANUP_DEFINE_STRUCT(operators);

/*
 * The reference of this person, asked for where it was not given; the
 * operators'.  CA_R_QUORUM where it cannot be had.
 */
int operators_reference(struct operators *operators, const char *name,
    const char **ret_reference) MUST_USE;

/*
 * The i-th operator present (witnesses are left out unless `witnesses`), asking
 * for more until `needed` are there; `why` says what for ("to open the
 * token").  CA_R_QUORUM with the names that are there and how many are missing.
 */
int operators_need(
    struct operators *operators, unsigned needed, const char *why) MUST_USE;
const struct person *operators_at(const struct operators *operators, size_t i);

/*
 * Ask this person for a signature: opens the key, signs, closes it.  DER,
 * malloc'd.
 */
int operators_sign(struct operators *operators, const struct person *person,
    enum signature_purpose purpose, const void *content, size_t len,
    unsigned char **ret_der, size_t *ret_len) MUST_USE;

/*
 * Open and check this person's share from quorum/SETID/: the envelope, its
 * authority, set, name, index, threshold, and commitments against set.yaml.
 * CA_R_VERIFY names whose share is wrong and in what.
 */
int operators_open_share(struct operators *operators, int quorum_fd,
    const struct person *person, struct share *ret_share) MUST_USE;

/*
 * Take the shares of as many operators as the threshold says and combine them.
 * Each is checked as it is given.  *ret_people is a JSON array of
 * {name, role: "operator"} of those who gave one, for the journal.
 */
int operators_take_secret(struct operators *operators, int quorum_fd,
    struct secret *ret_secret, json_t **ret_people) MUST_USE;

#endif
