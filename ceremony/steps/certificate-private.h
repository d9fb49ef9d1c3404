/*
 * What the files of steps that make certificates share.  Included by them
 * alone.
 *
 *   certificate.c          the steps; checking, encoding, adding
 *   certificates.c         the same for each request of a bundle
 *   certificate-subject.c  whose key it is, and may it be that
 *   certificate-text.c     what the journal and people are told
 */
#ifndef CA_STEPS_CERTIFICATE_PRIVATE_H
#define CA_STEPS_CERTIFICATE_PRIVATE_H

#include "ceremony/steps/build.h"
#include "profiles/csr.h"

/* Everything that goes into one certificate. */
struct making {
	struct build *build;
	const struct step *step;
	const struct certificate_params *params;
	const struct profile *profile;
	struct issuer_view issuer;
	struct key_view key;       /* the subject's, where it is on the token */
	struct csr csr;            /* else */
	bool has_csr;              /* it was read */
	X509 *existing;            /* cross: that it stands beside */
	unsigned char *kept;       /* of a late request: stands for it */
	const unsigned char *spki; /* of one of them */
	size_t spki_len;
	struct name_value subject[SUBJECT_ATTRIBUTES];
	struct alt_name *names;
	char *url[PROFILE_URLS];
	char *ignored; /* what the request asks for and does not get; or NULL */
};
void making_clear(struct making *making);
CLEANUP_DEFINE_STRUCT(making);

/* ---- certificate.c ---------------------------------------------------- */

/* What differs between the kinds of steps. */
struct variant {
	const struct step_kind *kind;
	enum profile_kind profile;
	const char *purpose; /* of the subject's key, where it is ours */
};
const struct variant *variant_of(const struct step *step);

/* With key and issuer known: check, encode, add. */
int certificate_make(struct making *m) MUST_USE;

/* Does the request come only when the plan is run? */
bool certificate_is_late(const struct certificate_params *params);

/* ---- certificate-subject.c -------------------------------------------- */

/*
 * The subject's public key: from the token, from the request, or from the
 * certificate that exists.  m->spki stays NULL, with findings, where there is
 * none.
 */
int certificate_take_key(struct making *m) MUST_USE;

/* May that key be in this certificate, signed by this issuer?  Findings. */
int certificate_check_key(const struct making *m) MUST_USE;

/* ---- certificate-text.c ----------------------------------------------- */

/*
 * Keep what rows of the build's findings from `first` on say of the request
 * (CSR-IGNORE, CSR-NO-CA), for the details.
 */
int certificate_keep_ignored(struct making *m, size_t first) MUST_USE;

/* Facts, summary and details of an object whose certificate is there. */
int certificate_describe(const struct making *m,
    const struct certificate_facts *facts,
    struct built_object *object) MUST_USE;

#endif
