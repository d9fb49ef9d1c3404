/* The table of kinds; what an entry's data must hold; the line itself. */
#include <stdio.h>
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "ceremony/journal/store.h"

/* ---- members ---------------------------------------------------------- */

/* JSON types, or'ed; formats of strings, each with STRING implied. */
enum {
	STRING = 1 << 0,
	INTEGER = 1 << 1, /* not negative */
	BOOL = 1 << 2,
	OBJECT = 1 << 3,
	ARRAY = 1 << 4,
	NUL = 1 << 5,
	HEX = 1 << 6,       /* lower case, at least one octet */
	DIGEST = 1 << 7,    /* 64 hex digits */
	TIME = 1 << 8,      /* date_parse() */
	DECIMAL = 1 << 9,   /* a number as a string */
	OPTIONAL = 1 << 10, /* a member of `data` that need not be there */
	EVIDENCE = DIGEST | 1 << 11, /* whose bytes are in the evidence */
};

/*
 * path: "a", "a.b" (member b of object a), "a[].b" (of each element of a).
 * A path ends the list when NULL.
 */
struct member {
	const char *path;
	unsigned types;
};

static bool
is_hex(const char *text)
{
	size_t len = strlen(text);

	return len != 0 && len % 2 == 0 &&
	    strspn(text, "0123456789abcdef") == len;
}

static bool
is_sha256(const char *text)
{
	return strlen(text) == 2 * (size_t)HASH_LEN && is_hex(text);
}

/* What the predicates of base/ raise is not for the reader here. */
static bool
is_time(const char *text)
{
	int64_t date;

	return date_parse(text, &date) == 0;
}

static bool
is_decimal(const char *text)
{
	uint64_t value;

	return text_number(text, INT64_MAX, &value) == 0;
}

static const struct {
	unsigned type;
	bool (*holds)(const char *text);
} formats[] = {
	{ HEX, is_hex },
	{ DIGEST, is_sha256 },
	{ TIME, is_time },
	{ DECIMAL, is_decimal },
};

static bool
string_fits(const json_t *value, unsigned types)
{
	const char *text = json_string_value(value);

	if (strlen(text) != json_string_length(value))
		return false;
	if ((types & STRING) != 0)
		return true;
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if ((types & formats[i].type) != 0 && formats[i].holds(text))
			return true;
	return false;
}

static bool
value_fits(const json_t *value, unsigned types)
{
	switch (json_typeof(value)) {
	case JSON_STRING:
		return string_fits(value, types);
	case JSON_INTEGER:
		return (types & INTEGER) != 0 && json_integer_value(value) >= 0;
	case JSON_TRUE:
	case JSON_FALSE:
		return (types & BOOL) != 0;
	case JSON_OBJECT:
		return (types & OBJECT) != 0;
	case JSON_ARRAY:
		return (types & ARRAY) != 0;
	case JSON_NULL:
		return (types & NUL) != 0;
	default:
		return false;
	}
}

static bool member_fits(const json_t *value, const char *path, unsigned types);

static bool
elements_fit(const json_t *array, const char *path, unsigned types)
{
	size_t i;
	json_t *element;

	if (!json_is_array(array))
		return false;
	json_array_foreach(array, i,
	    element) if (!member_fits(element, path, types)) return false;
	return true;
}

/* path: what of the member's path is left; "" is `value` itself. */
static bool
member_fits(const json_t *value, const char *path, unsigned types)
{
	size_t len = strcspn(path, ".[");

	if (value == NULL)
		return false;
	if (path[0] == '\0')
		return value_fits(value, types);
	if (path[0] == '.')
		return member_fits(value, path + 1, types);
	if (path[0] == '[')
		return elements_fit(value, path + 2, types);
	return member_fits(
	    json_object_getn(value, path, len), path + len, types);
}

static int
members_check(
    const char *kind, const struct member *members, const json_t *data)
{
	for (const struct member *m = members; m->path != NULL; m++) {
		if ((m->types & OPTIONAL) != 0 &&
		    json_object_getn(data, m->path, strcspn(m->path, ".[")) ==
			NULL)
			continue;
		if (member_fits(data, m->path, m->types))
			continue;
		return ca_error(CA_R_INTERNAL,
		    "journal entry '%s': its member '%s' is missing or not of "
		    "its type",
		    kind, m->path);
	}
	return 0;
}

/* ---- the kinds -------------------------------------------------------- */

static const struct member genesis_members[] = {
	{ "authority", STRING },
	{ "format", INTEGER | STRING },
	{ "token", OBJECT },
	{ "token.label", STRING },
	{ "tool", STRING | OBJECT },
	{ "quorum", OBJECT | OPTIONAL },
	{ "nonce", HEX | OPTIONAL },
	{ 0 },
};

static const struct member token_intent_members[] = {
	{ "label", STRING },
	{ "embedded", BOOL },
	{ 0 },
};

static const struct member token_members[] = {
	{ "label", STRING },
	{ "serial", STRING },
	{ "manufacturer", STRING },
	{ "model", STRING },
	{ "hardware", STRING },
	{ "firmware", STRING },
	{ "flags", INTEGER | STRING | ARRAY },
	{ "module", OBJECT },
	{ "module.path", STRING },
	{ "module.sha256", DIGEST },
	{ "module.manufacturer", STRING },
	{ "module.description", STRING },
	{ "module.version", STRING },
	{ "module.cryptoki", STRING },
	{ "run", STRING | OPTIONAL },
	{ 0 },
};

static const struct member config_members[] = {
	{ "sha256", EVIDENCE },
	{ "run", STRING | OPTIONAL },
	{ 0 },
};

static const struct member profile_members[] = {
	{ "profile", STRING },
	{ "sha256", EVIDENCE },
	{ "run", STRING | OPTIONAL },
	{ "removed", BOOL | OPTIONAL },
	{ 0 },
};

static const struct member enrolment_members[] = {
	{ "set", HEX },
	{ "name", STRING },
	{ "role", STRING },
	{ "sign", DIGEST },
	{ "decrypt", DIGEST | NUL },
	{ "share", DIGEST | NUL },
	{ "statement", EVIDENCE | NUL },
	{ "certificate", EVIDENCE | OPTIONAL },
	{ "decrypt_certificate", EVIDENCE | NUL | OPTIONAL },
	{ 0 },
};

static const struct member quorum_members[] = {
	{ "set", HEX },
	{ "state", STRING },
	{ "sha256", EVIDENCE },
	{ "threshold", INTEGER },
	{ "operators", INTEGER },
	{ "commitments", DIGEST | NUL },
	{ "replaces", HEX | NUL },
	{ "run", STRING },
	{ 0 },
};

static const struct member anchor_members[] = {
	{ "set", HEX },
	{ "name", STRING },
	{ "statement", EVIDENCE },
	{ "text", EVIDENCE },
	{ 0 },
};

static const struct member pin_change_members[] = {
	{ "run", STRING },
	{ "set", HEX },
	{ "pin", STRING },
	{ "stage", STRING },
	{ 0 },
};

static const struct member approval_members[] = {
	{ "run", STRING },
	{ "name", STRING },
	{ "set", HEX },
	{ "manifest", EVIDENCE },
	{ "statement", EVIDENCE },
	{ 0 },
};

static const struct member confirmation_members[] = {
	{ "run", STRING },
	{ "list", INTEGER },
	{ "name", STRING },
	{ "set", HEX },
	{ "sha256", EVIDENCE },
	{ "statement", EVIDENCE },
	{ 0 },
};

static const struct member clock_members[] = {
	{ "run", STRING },
	{ "was", TIME },
	{ "now", TIME },
	{ "why", STRING },
	{ 0 },
};

static const struct member login_members[] = {
	{ "run", STRING },
	{ "serial", STRING },
	{ "flags", INTEGER | STRING | ARRAY },
	{ "module_sha256", DIGEST },
	{ "tool", OBJECT },
	{ "tool.version", STRING },
	{ "tool.sha256", DIGEST },
	{ 0 },
};

static const struct member key_intent_members[] = {
	{ "run", STRING },
	{ "name", STRING },
	{ "id", HEX },
	{ "type", STRING },
	{ "purpose", STRING },
	{ "backup", STRING },
	{ "adopted", BOOL | OPTIONAL },
	{ 0 },
};

static const struct member key_members[] = {
	{ "run", STRING },
	{ "name", STRING },
	{ "id", HEX },
	{ "spki", HEX },
	{ "attributes", OBJECT },
	{ "generation_mechanism", INTEGER | STRING | NUL },
	{ "adopted", BOOL | OPTIONAL },
	{ 0 },
};

static const struct member key_destroyed_members[] = {
	{ "run", STRING },
	{ "name", STRING },
	{ "id", HEX },
	{ "objects", INTEGER },
	{ 0 },
};

static const struct member plan_members[] = {
	{ "run", STRING },
	{ "plan", STRING },
	{ "title", STRING },
	{ "manifest", EVIDENCE },
	{ "directory", STRING },
	{ "set", HEX },
	{ "unattended", BOOL },
	{ "abandons", STRING | OPTIONAL },
	{ 0 },
};

static const struct member list_members[] = {
	{ "run", STRING },
	{ "list", INTEGER },
	{ "sha256", EVIDENCE },
	{ "objects", INTEGER | ARRAY },
	{ "acts", INTEGER | ARRAY },
	{ "lint", EVIDENCE | OPTIONAL },
	{ 0 },
};

static const struct member intent_members[] = {
	{ "run", STRING },
	{ "list", INTEGER },
	{ "object", INTEGER },
	{ "kind", STRING },
	{ "name", STRING },
	{ "key", DIGEST },
	{ "algorithm", HEX },
	{ "tbs", DIGEST },
	{ 0 },
};

static const struct member certificate_intent_members[] = {
	{ "issuer", STRING },
	{ "issuer_dn", DIGEST },
	{ "profile", STRING },
	{ "serial", HEX },
	{ "subject_dn", DIGEST },
	{ "spki", DIGEST },
	{ "not_before", TIME },
	{ "not_after", TIME },
	{ "ca", BOOL },
	{ "certificate_kind", STRING },
	{ "subject_key", STRING | NUL },
	{ "crl_url", STRING | NUL | OPTIONAL },
	{ 0 },
};

static const struct member crl_intent_members[] = {
	{ "issuer", STRING },
	{ "issuer_dn", DIGEST },
	{ "profile", STRING },
	{ "number", DECIMAL },
	{ "this_update", TIME },
	{ "next_update", TIME },
	{ "entries", INTEGER },
	{ "distribution_url", STRING | OPTIONAL },
	{ 0 },
};

static const struct member csr_intent_members[] = {
	{ "issuer", NUL },
	{ "issuer_dn", NUL },
	{ "profile", NUL },
	{ 0 },
};

static const struct member result_members[] = {
	{ "run", STRING },
	{ "list", INTEGER },
	{ "object", INTEGER },
	{ "name", STRING },
	{ "sha256", EVIDENCE },
	{ "lint", EVIDENCE | OPTIONAL },
	{ 0 },
};

static const struct member failed_members[] = {
	{ "run", STRING },
	{ "list", INTEGER },
	{ "object", INTEGER },
	{ "name", STRING },
	{ "why", STRING },
	{ "possibly_signed", BOOL },
	{ "lint", EVIDENCE | OPTIONAL },
	{ 0 },
};

static const struct member revoked_members[] = {
	{ "run", STRING },
	{ "issuer", STRING },
	{ "issuer_dn", DIGEST },
	{ "serial", HEX },
	{ "date", TIME },
	{ "reason", STRING },
	{ "cause", STRING },
	{ "invalidity", TIME | OPTIONAL },
	{ 0 },
};

static const struct member revocations_members[] = {
	{ "run", STRING },
	{ "issuer", STRING },
	{ "issuer_dn", DIGEST },
	{ "count", INTEGER },
	{ "list", EVIDENCE },
	{ "source", STRING },
	{ "cause", STRING },
	/* for entry_each_evidence(); what it must be: taken_crl_members */
	{ "crl.sha256", EVIDENCE | OPTIONAL },
	{ 0 },
};

/* With a CRL that is taken over. */
static const struct member taken_crl_members[] = {
	{ "crl", OBJECT },
	{ "crl.name", STRING },
	{ "crl.sha256", DIGEST },
	{ "crl.number", DECIMAL },
	{ "crl.this_update", TIME },
	{ "crl.next_update", TIME },
	{ "crl.entries", INTEGER },
	{ 0 },
};

static const struct member upgraded_members[] = {
	{ "run", STRING },
	{ "issuer", STRING },
	{ "issuer_dn", DIGEST },
	{ "serial", HEX },
	{ "was", OBJECT },
	{ "was.date", TIME },
	{ "was.reason", STRING },
	{ "date", TIME },
	{ "reason", STRING },
	{ "invalidity", TIME | OPTIONAL },
	{ 0 },
};

static const struct member issued_members[] = {
	{ "run", STRING },
	{ "issuer", STRING },
	{ "issuer_dn", DIGEST },
	{ "count", INTEGER },
	{ "list", EVIDENCE },
	{ "source", STRING },
	{ 0 },
};

static const struct member ocsp_intent_members[] = {
	{ "run", STRING },
	{ "list", INTEGER },
	{ "window", INTEGER },
	{ "first", INTEGER },
	{ "count", INTEGER },
	{ "name", STRING },
	{ "key", DIGEST },
	{ "algorithm", HEX },
	{ "issuer", STRING },
	{ "issuer_dn", DIGEST },
	{ "responder", STRING | NUL },
	{ "profile", STRING },
	{ "this_update", TIME },
	{ "next_update", TIME },
	{ "root", DIGEST },
	{ "items", EVIDENCE },
	{ 0 },
};

static const struct member ocsp_result_members[] = {
	{ "run", STRING },
	{ "list", INTEGER },
	{ "window", INTEGER },
	{ "name", STRING },
	{ "count", INTEGER },
	{ "root", DIGEST },
	{ "items", EVIDENCE },
	{ 0 },
};

static const struct member ocsp_failed_members[] = {
	{ "run", STRING },
	{ "list", INTEGER },
	{ "window", INTEGER },
	{ "name", STRING },
	{ "why", STRING },
	{ "possibly_signed", BOOL },
	{ 0 },
};

static const struct member adopted_members[] = {
	{ "run", STRING },
	{ "name", STRING },
	{ "key", STRING },
	{ "sha256", EVIDENCE },
	{ "issuer_dn", DIGEST },
	{ "subject_dn", DIGEST },
	{ "serial", HEX },
	{ "spki", DIGEST },
	{ "not_before", TIME },
	{ "not_after", TIME },
	{ "ca", BOOL },
	{ 0 },
};

static const struct member refused_members[] = {
	{ "run", STRING },
	{ "findings", INTEGER },
	{ "report", EVIDENCE },
	{ "why", STRING },
	{ "lint", EVIDENCE | OPTIONAL },
	{ 0 },
};

static const struct member resumed_members[] = {
	{ "run", STRING },
	{ "serial", STRING },
	{ 0 },
};

static const struct member state_members[] = {
	{ "subject", STRING },
	{ "state", STRING },
	{ 0 },
};

static const struct member ca_state_members[] = {
	{ "run", STRING },
	{ "key", STRING },
	{ "why", STRING },
	{ "successor", STRING | NUL },
	{ 0 },
};

static const struct member event_members[] = {
	{ "event", STRING },
	{ "statement", EVIDENCE | OPTIONAL },
	{ "content", EVIDENCE | OPTIONAL },
	{ "file", EVIDENCE | OPTIONAL },
	{ 0 },
};

static const struct member head_members[] = {
	{ "run", STRING },
	{ "serial", STRING },
	{ "origin", STRING },
	{ "epoch", INTEGER },
	{ "size", INTEGER },
	{ "root", DIGEST },
	{ 0 },
};

static const struct member epoch_members[] = {
	{ "run", STRING },
	{ "epoch", INTEGER },
	{ "origin", STRING },
	{ "was", OBJECT },
	{ "was.origin", STRING },
	{ "was.size", INTEGER },
	{ "was.root", DIGEST },
	{ "head", OBJECT | NUL },
	{ "lost", INTEGER },
	{ "receipts", ARRAY },
	{ "receipts[]", EVIDENCE },
	{ 0 },
};

static const struct member close_members[] = {
	{ "run", STRING },
	{ "outcome", STRING },
	{ "published", INTEGER },
	{ "files", EVIDENCE },
	{ "transcript", DIGEST },
	{ 0 },
};

static const struct member checkpoint_members[] = {
	{ "size", INTEGER },
	{ "root", DIGEST },
	{ "note", STRING },
	{ 0 },
};

static const struct {
	const char *name;
	const struct member *members;
	entry_apply_fn *apply;
} kinds[ENTRY_KINDS] = {
	[ENTRY_GENESIS] = { "genesis", genesis_members, apply_genesis },
	[ENTRY_TOKEN_INTENT] = { "token-intent", token_intent_members,
	    apply_token_intent },
	[ENTRY_TOKEN] = { "token", token_members, apply_token },
	[ENTRY_CONFIG] = { "config", config_members, apply_config },
	[ENTRY_PROFILE] = { "profile", profile_members, apply_profile },
	[ENTRY_ENROLMENT] = { "enrolment", enrolment_members, apply_enrolment },
	[ENTRY_QUORUM] = { "quorum", quorum_members, apply_quorum },
	[ENTRY_ANCHOR] = { "anchor", anchor_members, apply_anchor },
	[ENTRY_PIN_CHANGE] = { "pin-change", pin_change_members,
	    apply_pin_change },
	[ENTRY_LOGIN] = { "login", login_members, apply_nothing },
	[ENTRY_KEY_INTENT] = { "key-intent", key_intent_members,
	    apply_key_intent },
	[ENTRY_KEY] = { "key", key_members, apply_key },
	[ENTRY_KEY_DESTROYED] = { "key-destroyed", key_destroyed_members,
	    apply_key_destroyed },
	[ENTRY_PLAN] = { "plan", plan_members, apply_plan },
	[ENTRY_APPROVAL] = { "approval", approval_members, apply_approval },
	[ENTRY_LIST] = { "list", list_members, apply_list },
	[ENTRY_CONFIRMATION] = { "confirmation", confirmation_members,
	    apply_confirmation },
	[ENTRY_INTENT] = { "intent", intent_members, apply_intent },
	[ENTRY_RESULT] = { "result", result_members, apply_result },
	[ENTRY_FAILED] = { "failed", failed_members, apply_failed },
	[ENTRY_REVOKED] = { "revoked", revoked_members, apply_revoked },
	[ENTRY_REVOCATIONS] = { "revocations", revocations_members,
	    apply_revocations },
	[ENTRY_REVOCATION_UPGRADED] = { "revocation-upgraded", upgraded_members,
	    apply_upgraded },
	[ENTRY_ISSUED] = { "issued", issued_members, apply_issued },
	[ENTRY_ADOPTED] = { "adopted", adopted_members, apply_adopted },
	[ENTRY_REFUSED] = { "refused", refused_members, apply_refused },
	[ENTRY_RESUMED] = { "resumed", resumed_members, apply_resumed },
	[ENTRY_STATE] = { "state", state_members, apply_state },
	[ENTRY_OCSP_INTENT] = { "ocsp-intent", ocsp_intent_members,
	    apply_ocsp_intent },
	[ENTRY_OCSP_RESULT] = { "ocsp-result", ocsp_result_members,
	    apply_ocsp_result },
	[ENTRY_OCSP_FAILED] = { "ocsp-failed", ocsp_failed_members,
	    apply_ocsp_failed },
	[ENTRY_EVENT] = { "event", event_members, apply_nothing },
	[ENTRY_CLOCK] = { "clock", clock_members, apply_clock },
	[ENTRY_HEAD] = { "head", head_members, apply_head },
	[ENTRY_EPOCH] = { "epoch", epoch_members, apply_epoch },
	[ENTRY_CLOSE] = { "close", close_members, apply_close },
	[ENTRY_CHECKPOINT] = { "checkpoint", checkpoint_members,
	    apply_checkpoint },
};

/*
 * The digests that `path` names below `value`; `path` as in struct member.
 */
static int
visit_digests(const json_t *value, const char *path,
    int (*visit)(void *ctx, const char *sha256), void *ctx)
{
	size_t len = strcspn(path, ".["), i;
	json_t *element;

	if (value == NULL || json_is_null(value))
		return 0;
	if (path[0] == '\0')
		return visit(ctx, json_string_value(value));
	if (path[0] == '.')
		return visit_digests(value, path + 1, visit, ctx);
	if (path[0] != '[')
		return visit_digests(
		    json_object_getn(value, path, len), path + len, visit, ctx);
	json_array_foreach(value, i, element)
	{
		if (visit_digests(element, path + 2, visit, ctx) != 0)
			return -1;
	}
	return 0;
}

int
entry_each_evidence(enum entry_kind kind, const json_t *data,
    int (*visit)(void *ctx, const char *sha256), void *ctx)
{
	for (const struct member *m = kinds[kind].members; m->path != NULL; m++)
		if ((m->types & EVIDENCE) == EVIDENCE &&
		    visit_digests(data, m->path, visit, ctx) != 0)
			return -1;
	return 0;
}

/* What an intent holds besides, by the kind of its object. */
static const struct {
	const char *object;
	const struct member *members;
} intents[] = {
	{ "certificate", certificate_intent_members },
	{ "crl", crl_intent_members },
	{ "csr", csr_intent_members },
};

const char *
entry_kind_name(enum entry_kind kind)
{
	return (unsigned)kind < ENTRY_KINDS ? kinds[kind].name : "unknown";
}

int
entry_kind_by_name(const char *name, enum entry_kind *ret_kind)
{
	for (unsigned i = 0; i < ENTRY_KINDS; i++)
		if (strcmp(kinds[i].name, name) == 0) {
			*ret_kind = (enum entry_kind)i;
			return 0;
		}
	return ca_error(CA_R_CORRUPT,
	    "no kind of journal entry is called '%s': it may come from a newer "
	    "ca-tool",
	    name);
}

static int
intent_check(const json_t *data)
{
	const char *object = json_string_value(json_object_get(data, "kind"));

	for (size_t i = 0; i < sizeof(intents) / sizeof(intents[0]); i++)
		if (strcmp(intents[i].object, object) == 0)
			return members_check(
			    "intent", intents[i].members, data);
	return ca_error(CA_R_INTERNAL,
	    "journal entry 'intent': its member 'kind' is '%s'", object);
}

/* That there is no other subject, the derived tables know. */
static int
state_check(const json_t *data)
{
	const char *subject =
	    json_string_value(json_object_get(data, "subject"));

	return strcmp(subject, "ca") != 0
	    ? 0
	    : members_check("state", ca_state_members, data);
}

const json_t *
entry_object(const struct entry *entry)
{
	switch (entry->kind) {
	case ENTRY_RESULT:
	case ENTRY_ADOPTED:
		return entry->data;
	case ENTRY_REVOCATIONS:
		return json_object_get(entry->data, "crl");
	default:
		return NULL;
	}
}

int
entry_check(enum entry_kind kind, const json_t *data)
{
	if ((unsigned)kind >= ENTRY_KINDS)
		return ca_error(
		    CA_R_INTERNAL, "no journal entry is of kind %d", (int)kind);
	if (!json_is_object(data))
		return ca_error(CA_R_INTERNAL,
		    "journal entry '%s': its data is no JSON object",
		    kinds[kind].name);
	if (members_check(kinds[kind].name, kinds[kind].members, data) != 0)
		return -1;
	if (kind == ENTRY_STATE)
		return state_check(data);
	if (kind == ENTRY_REVOCATIONS && json_object_get(data, "crl") != NULL)
		return members_check(kinds[kind].name, taken_crl_members, data);
	return kind == ENTRY_INTENT ? intent_check(data) : 0;
}

int
entry_apply(struct journal *journal, const struct entry *entry)
{
	return kinds[entry->kind].apply(journal, entry);
}

/* ---- the line --------------------------------------------------------- */

struct line {
	char *bytes;
	size_t len;
	bool full;
};

static void
line_add(struct line *line, const char *bytes, size_t len)
{
	if (len > ENTRY_MAX_BYTES - line->len) {
		line->full = true;
		return;
	}
	memcpy(line->bytes + line->len, bytes, len);
	line->len += len;
}

/* jansson leaves DEL alone, the one control character in ASCII above space. */
static int
line_collect(const char *bytes, size_t len, void *ctx)
{
	struct line *line = ctx;

	for (size_t i = 0; i < len; i++)
		if (bytes[i] == 0x7f)
			line_add(line, "\\u007F", 6);
		else
			line_add(line, &bytes[i], 1);
	return line->full ? -1 : 0;
}

int
entry_line(const struct entry *entry, const json_t *people, const char *text,
    char *out, size_t *ret_len)
{
	const char *kind = entry_kind_name(entry->kind);
	struct line line = { .bytes = out };
	char time[DATE_TEXT_SIZE];
	AUTO(json_t) *json = NULL;

	if (text == NULL)
		return ca_error(
		    CA_R_INTERNAL, "journal entry '%s' has no text", kind);
	date_format(entry->time, time);
	/* A sentence for people; names in it may come from anywhere. */
	json = json_pack("{s:i,s:I,s:s,s:s,s:o,s:s%,s:O}", "v", 1, "seq",
	    (json_int_t)entry->seq, "time", time, "kind", kind, "people",
	    people == NULL ? json_array() : json_deep_copy(people), "text",
	    text, text_cut(text, strlen(text), ENTRY_TEXT_MAX), "data",
	    entry->data);
	if (json == NULL)
		return ca_error(CA_R_INTERNAL,
		    "journal entry '%s': its text or person is not UTF-8",
		    kind);
	if (json_dump_callback(json, line_collect, &line,
		JSON_COMPACT | JSON_ENSURE_ASCII) != 0)
		return ca_error(CA_R_INTERNAL,
		    line.full ? "journal entry '%s' is longer than %d bytes: "
				"what is large belongs into the evidence"
			      : "journal entry '%s' cannot be written (limit "
				"%d bytes)",
		    kind, ENTRY_MAX_BYTES);
	*ret_len = line.len;
	return 0;
}

int
entry_parse(
    const char *line, size_t len, json_t **ret_json, struct entry *ret_entry)
{
	AUTO(json_t) *json =
	    json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	const char *time, *kind;
	struct entry entry = { 0 };
	json_t *data;
	json_int_t seq;
	int version;

	if (json_unpack(json, "{s:i,s:I,s:s,s:s,s:o}", "v", &version, "seq",
		&seq, "time", &time, "kind", &kind, "data", &data) != 0 ||
	    version != 1 || seq < 0)
		return ca_error(CA_R_CORRUPT,
		    "a journal entry is not of version 1 or lacks members: "
		    "'%.*s'",
		    len < 60 ? (int)len : 60, line);
	entry.data = data;
	entry.seq = (uint64_t)seq;
	if (entry_kind_by_name(kind, &entry.kind) != 0 ||
	    date_parse(time, &entry.time) != 0)
		return -1;
	*ret_entry = entry;
	*ret_json = TAKE(json);
	return 0;
}
