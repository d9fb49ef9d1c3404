/* What a compiled profile holds; for profiles/ alone. */
#ifndef CA_PROFILES_PRIVATE_H
#define CA_PROFILES_PRIVATE_H

#include "profiles/crl.h"
#include "profiles/extension.h"
#include "profiles/name.h"
#include "profiles/profile.h"

enum {
	PROFILE_LIST_MAX = 32, /* entries of any list in a profile */
	REASON_COUNT = REASON_PRIVILEGE_WITHDRAWN + 1,
	PATH_LENGTH_NONE = -1,
};

enum ruleset {
	RULESET_RFC5280,
	RULESET_PRIVATE,
	RULESET_COUNT,
};

/* Bits of KeyUsage, RFC 5280, section 4.2.1.3. */
enum key_usage {
	KEY_USAGE_DIGITAL_SIGNATURE = 1 << 0,
	KEY_USAGE_CERT_SIGN = 1 << 5,
	KEY_USAGE_CRL_SIGN = 1 << 6,
};

struct subject_slot {
	const struct attribute *attribute;
	enum name_encoding encoding;
	bool required;
};

struct object_list {
	ASN1_OBJECT *objects[PROFILE_LIST_MAX];
	size_t count;
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
	unsigned key_usage; /* enum key_usage */
	struct object_list purposes, policies;
	bool url[URL_OCSP + 1];
	bool reasons[REASON_COUNT];
};

/* Does the list hold the object with this NID? */
bool object_list_has(const struct object_list *list, int nid);

/* May this algorithm sign what the profile makes? */
bool profile_allows_signature(
    const struct profile *profile, const struct sigalg *alg);

/* Adds findings for everything that the profile's ruleset refuses. */
struct yaml;
void profile_judge(
    const struct profile *profile, struct yaml *doc, struct findings *findings);

#endif
