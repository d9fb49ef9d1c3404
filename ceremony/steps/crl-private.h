/* The crl step: its files share this. */
#ifndef CA_STEPS_CRL_PRIVATE_H
#define CA_STEPS_CRL_PRIVATE_H

#include "ceremony/steps/build.h"
#include "ceremony/steps/scope.h"
#include "profiles/crl-reader.h"
#include "profiles/crl.h"
#include "profiles/spill.h"

/* The CRL before it, of the same issuer and scope. */
struct crl_previous {
	bool found, given; /* given: by the plan, and not by the journal */
	char *name;
	struct spill octets;
	struct der_source source;
	struct crl_head head;
	uint64_t seq; /* of its intent; 0: given */
};

/* What became of its entries, and what is new. */
struct crl_change {
	uint64_t kept, added, gone, upgraded;
	uint64_t faults;
	char *added_text, *gone_text, *upgraded_text; /* the first serials */
};
void crl_change_clear(struct crl_change *change);
CLEANUP_DEFINE_STRUCT(crl_change);

/* What earlier steps of the plan revoke. */
struct crl_planned {
	struct planned_revocation row;
	bool upgrade; /* of one that is revoked already */
};

struct crl_making {
	struct build *build;
	const struct step *step;
	const struct crl_params *params;
	const struct profile *profile;
	struct issuer_view issuer;
	struct crl_scope scope;
	uint64_t number;
	int64_t validity; /* 0: the profile's */
	bool last;        /* the CA ends with it */
	struct crl_previous previous;
	struct crl_planned *planned; /* in scope; ascending, serials differ */
	size_t planned_count;
	size_t nowhere; /* revoked here, and in no partition */
};
void crl_making_clear(struct crl_making *making);
CLEANUP_DEFINE_STRUCT(crl_making);

/* ---- crl-previous.c ---------------------------------------------------- */

/*
 * Find it: the file that the plan gives, verified, or the journal's newest
 * one.  Findings CRL-PREVIOUS, CRL-NUMBER-STRICT, CRL-THISUPDATE.
 */
int crl_find_previous(struct crl_making *making) MUST_USE;
void crl_previous_clear(struct crl_previous *previous);

/* For the linter: a file of its own; fd -1 where there is none. */
int crl_previous_file(
    struct crl_making *making, struct der_file **ret_file) MUST_USE;

/* ---- crl-entries.c ------------------------------------------------------ */

/* Gather making->planned.  Findings CRL-UNION, CRL-NO-DUP-SERIAL. */
int crl_find_planned(struct crl_making *making) MUST_USE;

/* What is on the CRL, of what the journal knows. */
struct crl_selection crl_select(const struct crl_making *making);

/*
 * Everything of the sorted index and of the plan, to the CRL that `request`
 * begins, and beside the CRL before it (CRL-COMPLETE, CRL-CHANGED).
 * *ret_made is false where findings say why.
 */
int crl_write(struct crl_making *making, const struct crl_request *request,
    struct findings *findings, struct tbs *ret_tbs,
    struct crl_change *ret_change, uint64_t *ret_entries,
    bool *ret_made) MUST_USE;

/* ---- crl-partitions.c --------------------------------------------------- */

/*
 * Behind the last CRL that the plan makes of an issuer: is each certificate
 * that is revoked in exactly one of the partitions?  Findings PARTITION-*,
 * CRL-UNION.
 */
int crl_check_partitions(struct crl_making *making) MUST_USE;

/* A warning, where there are such. */
void crl_warn_nowhere(const struct crl_making *making, uint64_t count);

/* ---- crl-covers.c -------------------------------------------------------- */

/* CRL-COVERS: a profile for CAs, and an issuer that issues to end entities. */
int crl_check_covers(const struct crl_making *making) MUST_USE;

/* ---- reasons ------------------------------------------------------------- */

/* CRL-REASON-CA: no entry of a CA certificate is without a reason. */
int crl_check_reasons(struct crl_making *making) MUST_USE;

#endif
