/* The CAs of an authority as they stand: `ca list`, and what is due. */
#ifndef CA_CEREMONY_CA_REPORT_H
#define CA_CEREMONY_CA_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "ceremony/journal/journal.h"

/* A certificate for the CA's key. */
struct ca_certificate {
	char *name, *serial;
	char *subject;    /* escaped */
	char *subject_dn; /* SHA-256 hex */
	int64_t from, until;
	bool adopted, revoked;
	bool self_issued; /* a root's: nobody else could revoke it */
};

/* The newest CRL of one name and scope. */
struct ca_crl {
	char *name;
	char *issuer_dn;
	char *url; /* NULL: a full one */
	uint64_t number, entries;
	int64_t from, until;
	uint64_t seq; /* of its intent */
};

/* The newest batch of OCSP responses of one name and profile. */
struct ca_batch {
	char *name;
	char *issuer_dn, *profile;
	char *responder; /* NULL: the CA itself */
	uint64_t count;
	int64_t from, until;
};

/* Of its OCSP responders' certificates in force, the one that lasts longest. */
struct ca_responder {
	char *name; /* NULL: there is none */
	int64_t until;
};

struct ca_report {
	const struct key_row *key;
	enum ca_state state;
	char *spki; /* SHA-256 hex; NULL while it is only intended */
	struct ca_certificate *certificates;
	size_t certificate_count;
	struct ca_crl *crls;
	size_t crl_count;
	struct ca_batch *batches;
	size_t batch_count;
	struct ca_responder responder;
	/* Over all its names; its own certificates do not count. */
	uint64_t issued;   /* here, taken in, or elsewhere as imported */
	uint64_t current;  /* neither expired nor revoked */
	uint64_t revoked;  /* revocations in the journal */
	uint64_t unlisted; /* revoked behind the newest CRL that has them */
	int64_t last_end;  /* of those current; 0: none */
	bool unknown_end;  /* one of them has an unknown end */
	char **due;        /* sentences: what is to be done */
	size_t due_count;
};

/* Each CA key that is or was live, in the order in which they were made. */
int ca_report_each(struct journal *journal, int64_t now,
    int (*visit)(void *ctx, const struct ca_report *report),
    void *ctx) MUST_USE;

#endif
