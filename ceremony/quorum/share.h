/*
 * Shares on paper, stick and disk: fixed lines of text inside CMS
 * AuthEnvelopedData (RFC 5083, AES-256-GCM with a tag of 16 octets) to the
 * operator's decryption certificate (RSA-OAEP with SHA-256, or ECDH).  Stock
 * `openssl cms -decrypt` opens them.  The text, each line ended by "\n":
 *
 *   ca-tool share 1
 *   authority: example.org/root-ca-1
 *   set: 32 hex digits
 *   operator: alice
 *   index: 1
 *   threshold: 2
 *   operators: 3
 *   commitment: 66 hex digits        (threshold lines)
 *   share: 64 hex digits
 *
 * Nothing else is accepted: no other order, no blank line, no CR, no digit of
 * the other case, no leading zero.
 */
#ifndef CA_QUORUM_SHARE_H
#define CA_QUORUM_SHARE_H

#include <openssl/x509.h>

#include "ceremony/quorum/pin.h"
#include "ceremony/quorum/sharing.h"

struct share {
	char *authority;
	unsigned char set[SET_ID_LEN];
	char *operator; /* name */
	unsigned index, operators;
	struct commitments commitments; /* its threshold is the set's */
	struct secret value;            /* SCALAR_LEN octets */
};
void share_clear(struct share *share);
CLEANUP_DEFINE_STRUCT(share);

/* The text of a share; secure heap. */
int share_text(const struct share *share, struct secret *ret_text) MUST_USE;

/*
 * Read a text strictly, and check the share against its own commitments.
 * CA_R_INPUT names the line; CA_R_VERIFY: damaged.
 */
int share_parse(const struct secret *text, struct share *ret_share) MUST_USE;

/* Encrypt a share's text; *ret_der is DER, malloc'd. */
int share_seal(const struct secret *text, X509 *recipient,
    unsigned char **ret_der, size_t *ret_len) MUST_USE;

/*
 * Is this DER exactly an AuthEnvelopedData as share_seal() makes it, to this
 * recipient: one RecipientInfo, AES-256-GCM, a 12-octet nonce, a 16-octet tag,
 * no attributes, nothing behind it?  Needs no key.  CA_R_VERIFY says what is
 * wrong.  What is truncated or no CMS at all is CA_R_INPUT.
 */
int share_envelope_check(
    const unsigned char *der, size_t len, X509 *recipient) MUST_USE;

/*
 * share_envelope_check(), then decrypt with the key that belongs to
 * `recipient` (a file's key, or one on a card).  The text is in the secure
 * heap.  CA_R_VERIFY where it does not open.
 */
int share_open(const unsigned char *der, size_t len, EVP_PKEY *key,
    X509 *recipient, struct secret *ret_text) MUST_USE;

#endif
