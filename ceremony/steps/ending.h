/*
 * What a CA leaves when it ends: nothing that is in force (BR 4.10.2), and for
 * all that it revoked a CRL that has it and lasts as long as somebody may ask
 * (RFC 5280, section 3.3).  The step that retires a CA and the audit of the
 * entry by which it did judge alike.
 */
#ifndef CA_STEPS_ENDING_H
#define CA_STEPS_ENDING_H

#include "ceremony/journal/journal.h"

/* One name of the CA. */
struct ending {
	struct journal *journal;
	const char *dn;   /* SHA-256 of the name, hex */
	const char *spki; /* of its key, SHA-256 hex */
	int64_t now;
	/* Is it revoked by now, or by what is planned?  NULL: the journal knows */
	int (*is_revoked)(
	    void *ctx, const char *dn, const char *serial, bool *ret_revoked);
	void *ctx;
	/* ending_gather() */
	uint64_t in_force;
	int64_t last_end; /* of all that is not expired, revoked or not */
	bool any_unknown; /* of one the end is not known */
};

/* Counts into `ending`. */
int ending_gather(struct ending *ending) MUST_USE;

/* Until when the CRL of a part is needed, behind ending_gather(). */
int64_t ending_needs(
    const struct ending *ending, const struct revoked_part *part);

/* The names under which a key has certificates, each once. */
struct ca_names {
	char **dns;
	size_t count;
};
void ca_names_clear(struct ca_names *names);
CLEANUP_DEFINE_STRUCT(ca_names);
int ca_names_find(struct journal *journal, const char *spki,
    struct ca_names *ret_names) MUST_USE;

/* The newest CRL of a part. */
enum last_crl {
	LAST_CRL_GOOD,
	LAST_CRL_NONE,  /* there is none that has all of it */
	LAST_CRL_SHORT, /* it ends before it is needed no more */
};
int ending_judge(const struct ending *ending, const struct revoked_part *part,
    enum last_crl *ret_verdict) MUST_USE;

/* "", or " with 'URL'": for people; malloc'd, safe to print. */
char *revoked_part_text(const struct revoked_part *part);

#endif
