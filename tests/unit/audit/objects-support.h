/*
 * A journal with real objects, made in the test, and a pass over it as the walk
 * of the audit makes it.
 */
#ifndef TESTS_AUDIT_OBJECTS_SUPPORT_H
#define TESTS_AUDIT_OBJECTS_SUPPORT_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "ceremony/audit/audit-private.h"
#include "profiles/certificate.h"
#include "profiles/crl.h"
#include "tests/unit/journal/support.h"

struct world {
	char path[64]; /* of the scratch directory */
	struct journal *journal;
	X509 *root, *sub;      /* where they were made */
	EVP_PKEY *keys[5];     /* by enum world_key */
	char *root_dn;         /* SHA-256 of the root's subject */
	struct findings found; /* by the last audit */
};

enum world_key { KEY_ROOT, KEY_SUB, KEY_OCSP, KEY_JOURNAL, KEY_FOREIGN };

/* Genesis, token, keys, set, profiles; and a run that is open. */
int world_setup(void **state);
int world_teardown(void **state);
void world_open_run(struct world *w, const char *run, const char *plan);
void world_add_key(struct world *w, const char *run, const char *name,
    EVP_PKEY *key, const char *type, const char *purpose, json_t *over);
void world_add(struct world *w, enum entry_kind kind, json_t *data);
void world_close(struct world *w, const char *run, json_t *over);
/* Evidence; its SHA-256 in hex, which stays for eight calls. */
const char *world_evidence(struct world *w, const void *bytes, size_t len);
/* SHA-256 (hex) of the key's SubjectPublicKeyInfo; the same. */
const char *world_spki(EVP_PKEY *key);
void world_add_profile(struct world *w, const char *name, const char *text);

/* A certificate that is asked for; what is 0 or NULL is as the kind needs. */
struct making {
	const char *run, *name, *kind, *profile, *issuer_name, *subject_key;
	const char *common_name;
	const char *dns; /* alternative name; NULL: none */
	EVP_PKEY *subject, *signer;
	X509 *issuer;
	const X509 *existing; /* cross */
	int list, object;
	int64_t now, validity;
	json_t *over;                /* put over the intent's data */
	const char *from, *to;       /* an edit of the profile that makes it */
	const unsigned char *serial; /* SERIAL_LEN random octets */
	bool only_intent;
	bool break_signature;
	/* Changes the certificate, which is then signed again. */
	void (*forge)(X509 *cert);
	/* Another object is given as the result. */
	const unsigned char *other;
	size_t other_len;
};
X509 *make_certificate(struct world *w, const struct making *making);

/* The root and the subordinate of a journal in which nothing is wrong. */
void make_root(struct world *w);
void make_sub(struct world *w);

struct crl_making {
	const char *run, *name;
	const char *profile, *url; /* NULL: "ca-crl"; none */
	int list, object;
	uint64_t number; /* 0: the next */
	int64_t now;
	const struct crl_entry *entries;
	size_t count;
	json_t *over;
	const char *from, *to;
	X509 *issuer;
	EVP_PKEY *signer;
	const char *issuer_name;
};
void make_crl(struct world *w, const struct crl_making *making);

/* `revoked`: serial of the root; the entry that a CRL then needs. */
void revoke_serial(
    struct world *w, const char *serial, struct crl_entry *ret_entry);

/* Walk; w->found has the findings.  public_fd may be -1. */
void world_audit(struct world *w, const struct audit_pass *pass, int public_fd);

/* No errors and no warnings. */
void assert_no_findings(const struct world *w);
/* This id is found, and no other error or warning. */
void assert_only(const struct world *w, const char *id);
/* The id is found, at a place and with a text that hold these parts. */
void assert_found(const struct world *w, const char *id, const char *part);
size_t count_found(const struct world *w, const char *id);

#endif
