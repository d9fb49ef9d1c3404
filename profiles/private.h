/* What a compiled profile holds; for profiles/ alone. */
#ifndef CA_PROFILES_PRIVATE_H
#define CA_PROFILES_PRIVATE_H

#include "profiles/crl.h"
#include "profiles/extension.h"
#include "profiles/name.h"
#include "profiles/profile.h"
#include "profiles/rules/rule.h"

enum {
	PROFILE_LIST_MAX = 32, /* entries of any list in a profile */
	REASON_COUNT = REASON_PRIVILEGE_WITHDRAWN + 1,
	PATH_LENGTH_NONE = -1,
};

/* Bits of KeyUsage, RFC 5280, section 4.2.1.3. */
enum key_usage {
	KEY_USAGE_DIGITAL_SIGNATURE = 1 << 0,
	KEY_USAGE_NON_REPUDIATION = 1 << 1,
	KEY_USAGE_KEY_ENCIPHERMENT = 1 << 2,
	KEY_USAGE_DATA_ENCIPHERMENT = 1 << 3,
	KEY_USAGE_KEY_AGREEMENT = 1 << 4,
	KEY_USAGE_CERT_SIGN = 1 << 5,
	KEY_USAGE_CRL_SIGN = 1 << 6,
};

struct subject_slot {
	const struct attribute *attribute;
	enum name_encoding encoding;
	bool required, from_csr;
};

struct object_list {
	ASN1_OBJECT *objects[PROFILE_LIST_MAX];
	size_t count;
};

/* RFC 5280, section 4.2.1.5 */
struct policy_mapping {
	ASN1_OBJECT *issuer, *subject;
};

/* A row of allow-lint. */
struct acknowledgement {
	char *id, *reason;
};

struct profile {
	char *id, *title;
	enum profile_kind kind;
	enum ruleset ruleset;
	const struct key_type *keys[PROFILE_LIST_MAX];
	size_t key_count;
	const struct sigalg *signatures[PROFILE_LIST_MAX];
	size_t signature_count;
	int64_t validity_default, validity_min, validity_max;
	struct subject_slot subject[PROFILE_LIST_MAX];
	size_t subject_count;
	bool has[EXT_COUNT];
	bool ca;
	int path_length;
	unsigned key_usage;           /* enum key_usage */
	unsigned rsa_usage, ec_usage; /* added for keys of this family */
	struct object_list purposes, policies;
	char *cps[PROFILE_LIST_MAX]; /* CPS URL of each policy, or NULL */
	struct policy_mapping mappings[PROFILE_LIST_MAX];
	size_t mapping_count;
	/* Numbers of certificates, or PATH_LENGTH_NONE. */
	int require_policy, inhibit_mapping, inhibit_any;
	NAME_CONSTRAINTS *constraints; /* NULL: none */
	unsigned alt_types;            /* ALT_BIT() */
	bool alt_required, alt_from_csr;
	bool url[URL_OCSP + 1];
	unsigned partitions; /* of the issuer's CRL; 0: it has none */
	bool reasons[REASON_COUNT];
	enum profile_covers covers;
	bool only_covered; /* IDP with onlyContainsCACerts or ...UserCerts */
	bool adds_sha1;
	struct acknowledgement acknowledged[PROFILE_LIST_MAX];
	size_t acknowledged_count;
};

/* keyUsage for a key of this family. */
unsigned profile_key_usage(
    const struct profile *profile, enum key_family family);

/* Does the list hold the object with this NID? */
bool object_list_has(const struct object_list *list, int nid);

bool object_list_has_oid(const struct object_list *list, const char *oid);

/* EKU-NONCRIT: critical for time-stamping alone. */
bool profile_purposes_critical(const struct profile *profile);

/* May this algorithm sign what the profile makes? */
bool profile_allows_signature(
    const struct profile *profile, const struct sigalg *alg);

/* A positive INTEGER's content octets: minimal, at most 20. */
bool serial_is_good(const unsigned char *serial, size_t len);

/* SHA-1 of the key's octets (SKI-METHOD): an identifier, no signature. */
enum { KEY_ID_LEN = 20 };
int key_identifier(const unsigned char *spki, size_t len,
    unsigned char ret_id[KEY_ID_LEN]) MUST_USE;

/* Adds findings for everything that the profile's ruleset refuses. */
struct yaml;
void profile_judge(
    const struct profile *profile, struct yaml *doc, struct findings *findings);

#endif
