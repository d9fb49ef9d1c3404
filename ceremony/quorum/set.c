#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "base/yaml.h"
#include "ceremony/quorum/certificate.h"
#include "ceremony/quorum/set-private.h"
#include "profiles/certificate.h"

enum { LIST_MAX = 1000 };

/* ---- the file --------------------------------------------------------- */

struct person_params {
	char *name, *sign, *decrypt;
	char *index, *sign_sha256, *decrypt_sha256; /* where it is stored */
};

struct set_params {
	char *format, *threshold;
	struct person_params *operators, *witnesses;
	unsigned operators_count, witnesses_count;
	bool allow_single_control, allow_no_spare;
	char *set, *authority, *commitments; /* where it is stored */
};

static const cyaml_schema_field_t operator_fields[] = {
	YAML_NEEDED("name", struct person_params, name),
	YAML_NEEDED("sign", struct person_params, sign),
	YAML_OPTIONAL("decrypt", struct person_params, decrypt),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t witness_fields[] = {
	YAML_NEEDED("name", struct person_params, name),
	YAML_NEEDED("sign", struct person_params, sign),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t stored_operator_fields[] = {
	YAML_NEEDED("name", struct person_params, name),
	YAML_NEEDED("index", struct person_params, index),
	YAML_NEEDED("sign", struct person_params, sign),
	YAML_NEEDED("sign-sha256", struct person_params, sign_sha256),
	YAML_OPTIONAL("decrypt", struct person_params, decrypt),
	YAML_OPTIONAL("decrypt-sha256", struct person_params, decrypt_sha256),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t stored_witness_fields[] = {
	YAML_NEEDED("name", struct person_params, name),
	YAML_NEEDED("sign", struct person_params, sign),
	YAML_NEEDED("sign-sha256", struct person_params, sign_sha256),
	CYAML_FIELD_END,
};

#define PERSON(fields) \
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct person_params, fields)

static const cyaml_schema_value_t operator_value = { PERSON(operator_fields) };
static const cyaml_schema_value_t witness_value = { PERSON(witness_fields) };
static const cyaml_schema_value_t stored_operator_value = { PERSON(
    stored_operator_fields) };
static const cyaml_schema_value_t stored_witness_value = { PERSON(
    stored_witness_fields) };

/* What both have. */
#define SET_FIELDS(operator_schema, witness_schema)                          \
	YAML_NEEDED("format", struct set_params, format),                    \
	    YAML_NEEDED("threshold", struct set_params, threshold),          \
	    CYAML_FIELD_SEQUENCE("operators", CYAML_FLAG_POINTER,            \
		struct set_params, operators, operator_schema, 1, LIST_MAX), \
	    CYAML_FIELD_SEQUENCE("witnesses",                                \
		CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct set_params, \
		witnesses, witness_schema, 0, LIST_MAX),                     \
	    CYAML_FIELD_BOOL("allow-single-control", CYAML_FLAG_OPTIONAL,    \
		struct set_params, allow_single_control),                    \
	    CYAML_FIELD_BOOL("allow-no-spare", CYAML_FLAG_OPTIONAL,          \
		struct set_params, allow_no_spare)

static const cyaml_schema_field_t proposed_fields[] = {
	SET_FIELDS(&operator_value, &witness_value),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t stored_fields[] = {
	SET_FIELDS(&stored_operator_value, &stored_witness_value),
	YAML_NEEDED("set", struct set_params, set),
	YAML_NEEDED("authority", struct set_params, authority),
	YAML_OPTIONAL("commitments", struct set_params, commitments),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t proposed_schema = {
	CYAML_VALUE_MAPPING(
	    CYAML_FLAG_POINTER, struct set_params, proposed_fields),
};

static const cyaml_schema_value_t stored_schema = {
	CYAML_VALUE_MAPPING(
	    CYAML_FLAG_POINTER, struct set_params, stored_fields),
};

/* ---- reading ---------------------------------------------------------- */

struct reading {
	const struct set_source *source;
	const cyaml_schema_value_t *schema;
	struct yaml *doc;
	struct set_params *params;
	struct findings *findings;
	struct quorum_set *set; /* as far as it is read */
};

static void
reading_clear(struct reading *reading)
{
	yaml_value_free(reading->schema, reading->params);
	yaml_free(reading->doc);
	if (reading->set != NULL)
		quorum_set_free(reading->set);
}
CLEANUP_DEFINE_STRUCT(reading);

#define found(reading, id, place, ...)                                      \
	findings_add((reading)->findings, FINDING_ERROR, (id), place, NULL, \
	    __VA_ARGS__)

/* The newest error, if it speaks of the input and not of the machine. */
static int
found_error(struct reading *r, const char *id, const char *place)
{
	int reason = ca_error_reason();

	if (reason == CA_R_MEMORY || reason == CA_R_INTERNAL)
		return -1;
	findings_take_error(r->findings, id, place);
	return 0;
}

/* One person of the file. */
struct entry {
	const char *list; /* "operators" */
	unsigned at;      /* in it */
	const struct person_params *params;
	struct person *person;
};

static const char *
entry_place(const struct reading *r, const struct entry *e, const char *member)
{
	return yaml_place(r->doc, "%s[%u].%s", e->list, e->at, member);
}

static void
check_name(struct reading *r, const struct entry *e)
{
	const char *place = entry_place(r, e, "name");

	if (!text_is_name(e->params->name))
		found(r, "SET-NAME", place,
		    "'%s' cannot name a person: 1 to 64 of a-z 0-9 . _ -, "
		    "beginning and ending with a letter or digit",
		    e->params->name);
	for (const struct person *p = r->set->people; p < e->person; p++)
		if (strcmp(p->name, e->params->name) == 0) {
			found(r, "SET-NAME", place,
			    "the name '%s' is there twice", p->name);
			return;
		}
}

/* ---- certificates ----------------------------------------------------- */

/* One certificate that the file names. */
struct named {
	const char *member; /* of the file: "sign" */
	const char *suffix; /* of the stored file */
	const char *given;
	const char *sha256; /* where it is stored */
	enum certificate_use use;
	X509 **certificate;
	char **spki;
};

/* Nothing but what set_store() wrote, under the name that it gave. */
static int
check_stored_name(const struct named *n, const struct person *person)
{
	AUTO_CHARS(name) = person_file_name(person, n->suffix);

	if (name == NULL)
		return -1;
	if (strcmp(name, n->given) == 0)
		return 0;
	return ca_error(CA_R_VERIFY,
	    "set.yaml was changed: it names '%s' where '%s' must be", n->given,
	    name);
}

static int
check_stored_digest(
    const struct named *n, const unsigned char *data, size_t len)
{
	AUTO_CHARS(sha256) = sha256_hex(data, len);

	if (sha256 == NULL)
		return -1;
	if (n->sha256 != NULL && strcmp(sha256, n->sha256) == 0)
		return 0;
	return ca_error(CA_R_VERIFY,
	    "'%s' was changed: its SHA-256 is %s, but %s in set.yaml", n->given,
	    sha256, n->sha256 == NULL ? "none" : n->sha256);
}

static int
read_certificate(const struct reading *r, const struct entry *e,
    const struct named *n, X509 **ret_certificate)
{
	const struct set_files *files = r->source->files;
	bool stored = r->source->stored;
	AUTO_BYTES(data) = NULL;
	size_t len = 0;

	if (stored && check_stored_name(n, e->person) < 0)
		return -1;
	if (files->read(files->ctx, n->given, &data, &len) < 0)
		return -1;
	if (stored && check_stored_digest(n, data, len) < 0)
		return -1;
	return certificate_read(n->given, data, len, ret_certificate);
}

/* Membership of the set decides; a date is worth a word. */
static int
check_dates(struct reading *r, const char *place, const struct named *n,
    const X509 *certificate)
{
	char from[DATE_TEXT_SIZE], to[DATE_TEXT_SIZE];
	int64_t not_before = 0, not_after = 0;

	if (date_from_asn1(X509_get0_notBefore(certificate), &not_before) < 0 ||
	    date_from_asn1(X509_get0_notAfter(certificate), &not_after) < 0)
		return found_error(r, "SET-CERTIFICATE", place);
	if (r->source->now >= not_before && r->source->now <= not_after)
		return 0;
	date_format(not_before, from);
	date_format(not_after, to);
	findings_add(r->findings, FINDING_WARNING, "SET-DATES", place, NULL,
	    "'%s' is valid from %s to %s, which does not matter to the quorum",
	    n->given, from, to);
	return 0;
}

/* Whose key is it already?  NULL: nobody's. */
static const struct person *
key_holder(const struct reading *r, const struct entry *e,
    const X509 *certificate, const char **ret_role)
{
	for (const struct person *p = r->set->people; p <= e->person; p++) {
		struct person_file files[PERSON_FILES];

		person_files(p, files);
		for (size_t i = 0; i < PERSON_FILES; i++)
			if (files[i].certificate != NULL &&
			    certificate_same_key(
				files[i].certificate, certificate)) {
				*ret_role = i == 0 ? "signing" : "decryption";
				return p;
			}
	}
	return NULL;
}

static void
check_key_is_new(struct reading *r, const struct entry *e, const char *place,
    const X509 *certificate)
{
	const char *role = "";
	const struct person *holder = key_holder(r, e, certificate, &role);

	if (holder != NULL)
		found(r, "SET-KEY-TWICE", place,
		    "the public key is also the %s key of '%s'; each person "
		    "and each role needs one of its own",
		    role, holder->name);
}

static int
check_certificate(struct reading *r, const struct entry *e, const char *place,
    const struct named *n, X509 *certificate)
{
	check_key_is_new(r, e, place, certificate);
	if (certificate_fits(certificate, n->use) < 0 &&
	    found_error(r, "SET-CERTIFICATE", place) < 0)
		return -1;
	return r->source->stored ? 0 : check_dates(r, place, n, certificate);
}

static int
add_certificate(struct reading *r, const struct entry *e, const struct named *n)
{
	const char *place = entry_place(r, e, n->member);
	AUTO(X509) *certificate = NULL;

	if (read_certificate(r, e, n, &certificate) < 0)
		return r->source->stored
		    ? -1
		    : found_error(r, "SET-CERTIFICATE", place);
	if (check_certificate(r, e, place, n, certificate) < 0 ||
	    certificate_spki_sha256(certificate, n->spki) < 0)
		return -1;
	*n->certificate = TAKE(certificate);
	return 0;
}

/* ---- people ----------------------------------------------------------- */

static int
add_certificates(struct reading *r, const struct entry *e)
{
	const struct person_params *params = e->params;
	struct named sign = { "sign", ".sign.crt", params->sign,
		params->sign_sha256, CERTIFICATE_SIGN, &e->person->sign,
		&e->person->sign_spki };
	struct named decrypt = { "decrypt", ".decrypt.crt", params->decrypt,
		params->decrypt_sha256, CERTIFICATE_DECRYPT,
		&e->person->decrypt, &e->person->decrypt_spki };

	if (add_certificate(r, e, &sign) < 0)
		return -1;
	if (e->person->witness)
		return 0;
	if (params->decrypt != NULL && !r->set->shares)
		found(r, "SET-CERTIFICATE", entry_place(r, e, "decrypt"),
		    "operators of a set without shares have no decryption "
		    "certificate; leave 'decrypt' out");
	else if (params->decrypt == NULL && r->set->shares)
		found(r, "SET-CERTIFICATE", entry_place(r, e, "decrypt"),
		    "operator '%s' has no decryption certificate, and cannot "
		    "be given a share",
		    params->name);
	else if (params->decrypt != NULL)
		return add_certificate(r, e, &decrypt);
	return 0;
}

/* What tells the index of a stored operator must be what the order tells. */
static void
check_index(struct reading *r, const struct entry *e)
{
	uint64_t index = 0;

	if (text_number(e->params->index, PEOPLE_MAX, &index) == 0 &&
	    index == e->person->index)
		return;
	ca_error_clear();
	found(r, "SET-FORMAT", entry_place(r, e, "index"),
	    "the index is '%s' where %u must be", e->params->index,
	    e->person->index);
}

static int
add_person(struct reading *r, const struct entry *e, bool witness)
{
	struct person *person = e->person;

	check_name(r, e);
	person->name = text_copy(e->params->name);
	if (person->name == NULL)
		return -1;
	r->set->count++;
	person->witness = witness;
	person->index = witness ? 0 : e->at + 1;
	if (r->source->stored && !witness)
		check_index(r, e);
	return add_certificates(r, e);
}

static int
add_people(struct reading *r)
{
	const struct set_params *params = r->params;
	size_t count =
	    (size_t)params->operators_count + (size_t)params->witnesses_count;

	r->set->people = calloc(count, sizeof(*r->set->people));
	if (r->set->people == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a quorum set");
	r->set->operators = params->operators_count;
	for (unsigned i = 0; i < count; i++) {
		bool witness = i >= params->operators_count;
		unsigned at = witness ? i - params->operators_count : i;
		struct entry entry = { witness ? "witnesses" : "operators", at,
			witness ? &params->witnesses[at]
				: &params->operators[i],
			&r->set->people[i] };

		if (add_person(r, &entry, witness) < 0)
			return -1;
	}
	return 0;
}

/* ---- the set ---------------------------------------------------------- */

static void
check_count(struct reading *r)
{
	unsigned operators = r->params->operators_count;
	unsigned people = operators + r->params->witnesses_count;

	if (operators > SHARERS_MAX)
		found(r, "SET-COUNT", yaml_place(r->doc, "operators"),
		    "%u operators, and a set may have %d", operators,
		    SHARERS_MAX);
	if (people > PEOPLE_MAX)
		found(r, "SET-COUNT", yaml_place(r->doc, "witnesses"),
		    "%u operators and witnesses, and a set may have %d", people,
		    PEOPLE_MAX);
}

static void
check_threshold(struct reading *r)
{
	unsigned operators = r->params->operators_count;
	const char *place = yaml_place(r->doc, "threshold");
	uint64_t threshold = 0;

	if (text_number(r->params->threshold, operators, &threshold) < 0 ||
	    threshold == 0) {
		ca_error_clear();
		found(r, "SET-THRESHOLD", place,
		    "'%s' cannot be the threshold of %u operators: a number "
		    "from 1 to %u",
		    r->params->threshold, operators, operators);
		return;
	}
	r->set->threshold = (unsigned)threshold;
	if (threshold == 1 && !r->params->allow_single_control)
		found(r, "SET-THRESHOLD", place,
		    "with threshold 1 each operator alone is the quorum; that "
		    "needs 'allow-single-control: true'");
	if (threshold == operators && !r->params->allow_no_spare)
		found(r, "SET-THRESHOLD", place,
		    "the threshold is the number of operators, so that the "
		    "loss of one key loses the quorum; that needs "
		    "'allow-no-spare: true'");
}

static void
check_format(struct reading *r)
{
	if (strcmp(r->params->format, "ca-tool-set-1") != 0)
		found(r, "SET-FORMAT", yaml_place(r->doc, "format"),
		    "format '%s' is not known to this version; it reads "
		    "'ca-tool-set-1'",
		    r->params->format);
}

bool
set_is_id(const char *text)
{
	return strlen(text) == SET_ID_HEX_SIZE - 1 &&
	    strspn(text, "0123456789abcdef") == SET_ID_HEX_SIZE - 1;
}

/* What only a stored set has. */
static int
take_stored(struct reading *r)
{
	struct set_params *params = r->params;
	AUTO_BYTES(octets) = NULL;
	size_t len = 0;

	if (!set_is_id(params->set)) {
		found(r, "SET-FORMAT", yaml_place(r->doc, "set"),
		    "'%s' is no id of a set", params->set);
		return 0;
	}
	if (text_unhex(params->set, &octets, &len) < 0)
		return -1;
	memcpy(r->set->id_octets, octets, SET_ID_LEN);
	memcpy(r->set->id, params->set, SET_ID_HEX_SIZE);
	r->set->authority = text_copy(params->authority);
	if (r->set->authority == NULL)
		return -1;
	if (params->commitments == NULL)
		return 0;
	r->set->commitments = text_copy(params->commitments);
	return r->set->commitments == NULL ? -1 : 0;
}

static int
read_set(struct reading *r)
{
	r->set = calloc(1, sizeof(*r->set));
	if (r->set == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a quorum set");
	r->set->shares = r->source->stored ? r->params->commitments != NULL
					   : r->source->shares;
	r->set->allow_single_control = r->params->allow_single_control;
	r->set->allow_no_spare = r->params->allow_no_spare;
	check_format(r);
	check_count(r);
	check_threshold(r);
	if (r->source->stored && take_stored(r) < 0)
		return -1;
	return add_people(r);
}

int
set_parse(const struct set_source *source, struct findings *findings,
    struct quorum_set **ret_set)
{
	AUTO_STRUCT(reading) r = { .source = source, .findings = findings };
	size_t errors = findings->errors;
	void *value = NULL;

	r.schema = source->stored ? &stored_schema : &proposed_schema;
	if (yaml_load(source->name, source->data, source->len, r.schema,
		findings, &r.doc, &value) < 0)
		return -1;
	r.params = value;
	if (read_set(&r) < 0)
		return -1;
	if (findings->errors > errors)
		return ca_error(
		    CA_R_INPUT, "the set file '%s' is not valid", source->name);
	*ret_set = TAKE(r.set);
	return 0;
}

int
set_read(const char *name, const unsigned char *data, size_t len, bool shares,
    int64_t now, const struct set_files *files, struct findings *findings,
    struct quorum_set **ret_set)
{
	const struct set_source source = { .name = name,
		.data = data,
		.len = len,
		.shares = shares,
		.now = now,
		.files = files };

	return set_parse(&source, findings, ret_set);
}

/* ---- of a set --------------------------------------------------------- */

void
person_files(
    const struct person *person, struct person_file ret_files[PERSON_FILES])
{
	ret_files[0] = (struct person_file){ ".sign.crt", person->sign };
	ret_files[1] = (struct person_file){ ".decrypt.crt", person->decrypt };
}

char *
person_file_name(const struct person *person, const char *suffix)
{
	return text_printf("%s%s", person->name, suffix);
}

static bool
same_certificate(const X509 *a, const X509 *b)
{
	return a == NULL || b == NULL ? a == b : X509_cmp(a, b) == 0;
}

bool
set_is_proposal_of(
    const struct quorum_set *proposal, const struct quorum_set *set)
{
	if (proposal->count != set->count ||
	    proposal->operators != set->operators ||
	    proposal->threshold != set->threshold ||
	    proposal->shares != set->shares ||
	    proposal->allow_single_control != set->allow_single_control ||
	    proposal->allow_no_spare != set->allow_no_spare)
		return false;
	for (size_t i = 0; i < set->count; i++) {
		const struct person *a = &proposal->people[i];
		const struct person *b = &set->people[i];

		if (strcmp(a->name, b->name) != 0 || a->witness != b->witness ||
		    a->index != b->index ||
		    !same_certificate(a->sign, b->sign) ||
		    !same_certificate(a->decrypt, b->decrypt))
			return false;
	}
	return true;
}

const char *
set_warning(const struct quorum_set *set)
{
	bool alone = set->threshold == 1;
	bool no_spare = set->threshold == set->operators;

	if (alone && no_spare)
		return "SINGLE CONTROL, AND NO SPARE: one operator alone is "
		       "the quorum, and with that operator's keys it is lost";
	if (alone)
		return "SINGLE CONTROL: each operator alone is the quorum";
	if (no_spare)
		return "NO SPARE: all operators are needed, and if one of "
		       "them loses a key, the quorum is lost";
	return NULL;
}

const struct person *
set_person(const struct quorum_set *set, const char *name)
{
	for (size_t i = 0; i < set->count; i++)
		if (strcmp(set->people[i].name, name) == 0)
			return &set->people[i];
	return NULL;
}

static void
person_clear(struct person *person)
{
	free(person->name);
	X509_free(person->sign);
	X509_free(person->decrypt);
	free(person->sign_spki);
	free(person->decrypt_spki);
}

void
quorum_set_free(struct quorum_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		person_clear(&set->people[i]);
	free(set->people);
	free(set->authority);
	free(set->commitments);
	free(set->text);
	free(set->sha256);
	free(set);
}
