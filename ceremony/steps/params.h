/*
 * A plan as libcyaml reads it: every value a string, parsed later by those who
 * know what it must be.  docs/plans.md is the description for people.
 */
#ifndef CA_STEPS_PARAMS_H
#define CA_STEPS_PARAMS_H

#include <stddef.h>

#include "base/yaml.h"
#include "profiles/certificate.h"

/* Subject attributes, by the names that profiles use; NULL where not given. */
struct subject_params {
	char *domain_component;
	char *country;
	char *state;
	char *locality;
	char *postal_code;
	char *street;
	char *organization;
	char *organizational_unit;
	char *organization_identifier;
	char *serial_number;
	char *surname;
	char *given_name;
	char *business_category;
	char *jurisdiction_country;
	char *jurisdiction_state;
	char *jurisdiction_locality;
	char *common_name;
};
enum { SUBJECT_ATTRIBUTES = 17 };

/* List those that are given; returns how many. */
size_t subject_values(const struct subject_params *subject,
    struct name_value ret_values[SUBJECT_ATTRIBUTES]);

struct generate_key_params {
	char *key, *type, *purpose, *backup;
};

struct csr_params {
	char *name, *key;
	struct subject_params subject;
};

/* `csr` of a request that comes only when the plan is run (`--csr`). */
#define CSR_LATE "late"

/* Alternative names, by the types that profiles use. */
struct names_params {
	char **dns, **ip, **email, **uri;
	unsigned dns_count, ip_count, email_count, uri_count;
};

/* How many there are, and all of them: malloc'd, NULL where there are none. */
size_t names_count(const struct names_params *names);
int names_values(
    const struct names_params *names, struct alt_name **ret_values) MUST_USE;

/* root, subordinate, cross, ocsp-responder, end-entity */
struct certificate_params {
	char *name, *issuer, *key, *csr, *existing, *profile, *validity;
	struct subject_params subject;
	struct names_params names;
};

enum { CHAIN_MAX = 16 };

struct adopt_params {
	char *name, *key, *certificate;
	char **chain;
	unsigned chain_count;
};

struct revoke_params {
	char *issuer, *serial, *reason;
};

struct crl_params {
	char *name, *issuer, *profile, *validity;
	char *url; /* of the distribution point, where the profile has one */
};

enum { BACKUPS_MAX = 1000 };

/* What became of one backup of the token. */
struct backup_params {
	char *serial; /* as the journal's event of kind "backup" has it */
	char *fate;   /* "destroyed", "remade", "kept" */
	char *note;
};

struct reshare_params {
	char *set; /* set file (quorum/set.h), relative to the plan */
	struct backup_params *backups;
	unsigned backups_count;
};

struct abandon_params {
	char *plan; /* id of the plan whose run is cut off */
	char *why;
};

struct adopt_config_params {
	char *why;
};

struct adopt_token_params {
	char *label; /* NULL: the one that the journal has */
	char *serial, *why;
};

struct correct_clock_params {
	char *why;
};

struct recover_journal_params {
	char *why;
	char **receipts; /* checkpoints of the lost journal; paths */
	unsigned receipts_count;
};

/* Exactly one is not NULL; step.c sees to that. */
struct step_params {
	struct generate_key_params *generate_key;
	struct csr_params *csr;
	struct certificate_params *root;
	struct certificate_params *subordinate;
	struct certificate_params *cross;
	struct certificate_params *ocsp_responder;
	struct certificate_params *end_entity;
	struct adopt_params *adopt_certificate;
	struct revoke_params *revoke;
	struct crl_params *crl;
	struct reshare_params *reshare;
	struct abandon_params *abandon;
	struct adopt_config_params *adopt_config;
	struct adopt_token_params *adopt_token;
	struct correct_clock_params *correct_clock;
	struct recover_journal_params *recover_journal;
};

struct plan_params {
	char *format, *id, *title;
	struct {
		char *from, *until;
	} window;
	char *unattended; /* "true": no confirmations; or NULL */
	struct step_params *steps;
	unsigned steps_count;
};

extern const cyaml_schema_value_t plan_schema;

#endif
