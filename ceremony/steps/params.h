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

/* Which certificates of an issuer; what is NULL does not restrict. */
struct query_params {
	char *profile;
	char *spki;    /* SHA-256 of the SubjectPublicKeyInfo, hex */
	char *subject; /* RFC 4514 text of the whole subject */
	char *name;    /* a dNSName, IP or e-mail address in the SAN, exactly */
	char *under; /* a domain: it, and every name below it, wildcards too */
	char *from, *until; /* notBefore, both inclusive */
	char *plan;         /* id of the plan that issued them */
};

enum { EXCEPT_MAX = 10000 };

/* Exactly one of serial, certificate and query. */
struct revoke_params {
	char *issuer, *reason;
	char *serial;               /* hex */
	char *certificate;          /* a file */
	struct query_params *query; /* every certificate that it finds */
	char **except;              /* serials that the query leaves out */
	unsigned except_count;
	/* An earlier revocationDate, for keyCompromise (BR 7.2.2); or NULL. */
	char *date;
	char *invalidity_date; /* RFC 5280, section 5.3.2; or NULL */
};

/* To keyCompromise; the date may be moved back, never forward. */
struct upgrade_params {
	char *issuer, *serial, *date, *invalidity_date;
};

/* import-revocations, import-issued */
struct import_params {
	char *issuer;
	char *format; /* "csv", "index.txt", "crl", "certificates" */
	char *file;   /* or a directory, for certificates */
	char *reason; /* where the file gives none; or NULL */
};

struct adopt_ca_params {
	char *name;        /* of its certificate, here */
	char *key;         /* the name that its key gets; it is on the token */
	char *backup;      /* as of generate-key */
	char *certificate; /* a file */
	char **chain;      /* of its certificate; none where it is a root */
	unsigned chain_count;
	char *crl;  /* its last CRL, a file; NULL: `none` must be said */
	char *none; /* "true": it never signed a CRL */
};

struct crl_params {
	char *name, *issuer, *profile, *validity;
	char *url; /* of the distribution point, where the profile has one */
	char *previous; /* a file, where it is not in the journal; or NULL */
	char *last;     /* "true": the CA ends with it; or NULL */
};

enum { RESPONSES_MAX = 10000 };

struct ocsp_responses_params {
	char *name, *issuer, *profile, *validity;
	char *responder; /* name of its certificate; NULL: the issuer signs */
	/* Serials, hex; none: every current certificate of the issuer. */
	char **serials;
	unsigned serials_count;
};

/* A certificate for each request of a directory or a PEM bundle. */
struct certificates_params {
	char *name; /* their names: NAME-FILE, or NAME-1, NAME-2 ... */
	char *issuer, *profile, *validity, *requests;
	char *on_refusal; /* "stop" (also where NULL) or "continue" */
	/* What all subjects have; the profile says what is the request's. */
	struct subject_params subject;
};

struct ca_state_params {
	char *key;       /* a CA's */
	char *state;     /* "retiring", "retired" */
	char *successor; /* name of the key that takes over; or NULL */
	char *why;
};

struct destroy_key_params {
	char *key, *why;
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
	struct adopt_ca_params *adopt_ca;
	struct revoke_params *revoke;
	struct upgrade_params *upgrade_revocation;
	struct import_params *import_revocations;
	struct import_params *import_issued;
	struct crl_params *crl;
	struct ocsp_responses_params *ocsp_responses;
	struct certificates_params *certificates;
	struct ca_state_params *ca_state;
	struct destroy_key_params *destroy_key;
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
