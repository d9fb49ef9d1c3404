/* What adopt-certificate and adopt-ca share: a certificate issued elsewhere. */
#ifndef CA_STEPS_ADOPT_PRIVATE_H
#define CA_STEPS_ADOPT_PRIVATE_H

#include "ceremony/steps/build.h"

/* The certificate in a file of the plan; NULL and a finding if malformed. */
int adopt_read(struct build *build, const struct step *step, const char *member,
    const char *file, X509 **ret_certificate) MUST_USE;

/* The same with its facts; `certificate`, which a step has, is its member. */
int adopt_read_facts(struct build *build, const struct step *step,
    const char *file, struct certificate_facts *ret_facts,
    X509 **ret_certificate) MUST_USE;

/* It is of a CA that may sign CRLs, and in force.  Findings at `certificate`. */
void adopt_check_ca(struct build *build, const struct step *step,
    const struct certificate_facts *facts);

/* Findings where this authority has a certificate with its serial already. */
int adopt_check_unknown(struct build *build, const struct step *step,
    const struct certificate_facts *facts) MUST_USE;

/* The path over these files to a root (RFC 5280, section 6.1); findings. */
int adopt_check_chain(struct build *build, const struct step *step,
    X509 *certificate, char *const *files, unsigned count) MUST_USE;

/* The act ENTRY_ADOPTED of a step of this kind. */
int adopt_add_certificate(struct build *build, const struct step *step,
    const char *name, const char *key, const struct certificate_facts *facts,
    X509 *certificate) MUST_USE;

/* A certificate called `name` was taken in by an earlier part of the run. */
int adopt_is_done(
    const struct build *build, const char *name, bool *ret_done) MUST_USE;

#endif
