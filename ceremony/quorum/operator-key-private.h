/* What operator-key.c and operator-new.c share. */
#ifndef CA_QUORUM_OPERATOR_KEY_PRIVATE_H
#define CA_QUORUM_OPERATOR_KEY_PRIVATE_H

#include "ceremony/quorum/operator-key.h"
#include "pkcs11/card.h"

/*
 * Open the card that `uri` names and log in: whoever asks people says what to
 * insert, what to type, and whether to try again.
 */
int operator_card_open(const char *uri, struct module *in_use,
    const struct key_asker *asker, struct card **ret_card) MUST_USE;

#endif
