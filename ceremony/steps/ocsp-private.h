/*
 * What the files of the ocsp-responses step share.  Included by them alone.
 *
 *   ocsp-responses.c  the step; which certificates the responses are about
 *   ocsp-items.c      what is known of an issuer's certificates
 *   ocsp-responder.c  who signs
 *   ocsp-batch.c      encoding, linting, and what is signed already
 */
#ifndef CA_STEPS_OCSP_PRIVATE_H
#define CA_STEPS_OCSP_PRIVATE_H

#include "ceremony/steps/build.h"
#include "ceremony/steps/ocsp-items.h"
#include "profiles/ocsp.h"

/* Why there is no response about a certificate. */
enum ocsp_why_not {
	OCSP_WANTED, /* there is one */
	OCSP_NOT_ROOT,
	OCSP_NOT_RESPONDER,
	OCSP_NOT_COVERED,
	OCSP_NOT_ENDING,
	OCSP_NOT_CURRENT,
	OCSP_NOT_LONG,
};
enum { OCSP_WHYS = OCSP_NOT_LONG + 1 };

/* A responder whose key is on the token. */
struct ocsp_responder {
	X509 *certificate; /* a reference of its own; NULL: none */
	struct certificate_facts facts;
	bool planned; /* this plan makes it: a constant may stand in it */
	char *key;    /* name of its key */
};
void ocsp_responder_clear(struct ocsp_responder *responder);

struct ocsp_chosen {
	const struct ocsp_item *item;
	int64_t validity;
	/* ResponseData that an earlier part of the run had signed; or NULL. */
	unsigned char *tbs;
	size_t tbs_len;
};

struct ocsp_making {
	struct build *build;
	const struct step *step;
	const struct ocsp_responses_params *params;
	const struct profile *profile;
	struct issuer_view issuer;
	struct ocsp_responder responder;
	int64_t now; /* thisUpdate of all: see ocsp_find_time() */
	struct ocsp_response_request request;
	struct ocsp_maker *maker;
	struct ocsp_items items;
	struct ocsp_chosen *chosen; /* ascending; of `items` */
	size_t count;
	size_t revoked, shorter; /* of those chosen */
	size_t left_out[OCSP_WHYS];
};
void ocsp_making_clear(struct ocsp_making *making);
CLEANUP_DEFINE_STRUCT(ocsp_making);

/*
 * The responder that the plan names, with its key; or findings, and no
 * certificate.
 */
int ocsp_find_responder(struct ocsp_making *m) MUST_USE;

/*
 * The time of the build, or that of what an earlier part of the run signed: it
 * stands as it was confirmed, where that is less than 12 hours ago, nothing is
 * possibly signed, and nothing was revoked since.  m->items are there.
 */
int ocsp_find_time(struct ocsp_making *m) MUST_USE;

/*
 * In a resumed run: give those chosen what is signed already, where the same
 * would be signed again.
 */
int ocsp_take_signed(struct ocsp_making *m) MUST_USE;

/* Encode and lint what is not signed; findings. */
int ocsp_fill_batch(
    const struct ocsp_making *m, struct built_batch *batch) MUST_USE;

#endif
