/* Keys of an authority: making, finding, destroying, listing. */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/authority-private.h"

/* ---- finding ---------------------------------------------------------- */

/* The first thing that is wrong with a key, as an error. */
static int
unfit(const char *name, const struct findings *findings)
{
	const struct finding *first = NULL;

	for (size_t i = findings->count; i > 0; i--)
		if (findings->rows[i - 1].severity == FINDING_ERROR)
			first = &findings->rows[i - 1];
	if (first == NULL)
		return -1; /* key_find() has said why */
	return ca_error(CA_R_KEY, "key '%s' may not be used: %s (%s)%s", name,
	    first->text, first->id,
	    findings->errors > 1 ? "; and more, see 'ca-tool key list -v'"
				 : "");
}

/*
 * A token that shows another public key than the one it made, or a different
 * key under the same CKA_ID, is found out here.
 */
static int
check_kept(const struct key *key, const struct key_row *row)
{
	const unsigned char *spki;
	size_t len;

	key_spki(key, &spki, &len);
	if (len == row->spki_len && memcmp(spki, row->spki, len) == 0)
		return 0;
	return ca_error(CA_R_KEY,
	    "the token shows another public key for '%s' than the journal kept "
	    "when it was made; do not use this token before that is explained",
	    row->name);
}

int
authority_hold_key(
    struct authority *authority, const char *name, struct key *key)
{
	struct held_key *keys = realloc(
	    authority->keys, (authority->key_count + 1) * sizeof(*keys));

	if (keys == NULL)
		return ca_error(CA_R_MEMORY, "no memory for keys");
	authority->keys = keys;
	keys[authority->key_count].name = text_copy(name);
	if (keys[authority->key_count].name == NULL)
		return -1;
	keys[authority->key_count++].key = key;
	return 0;
}

int
authority_key(
    struct authority *authority, const char *name, const struct key **ret_key)
{
	AUTO_STRUCT(key_row) row = { 0 };
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(key) *key = NULL;
	bool found = false;

	for (size_t i = 0; i < authority->key_count; i++)
		if (strcmp(authority->keys[i].name, name) == 0) {
			*ret_key = authority->keys[i].key;
			return 0;
		}
	if (journal_key(authority->journal, name, &found, &row) < 0)
		return -1;
	if (!found || row.state != KEY_LIVE)
		return ca_error(
		    CA_R_KEY, "there is no key '%s' in the journal", name);
	if (key_find(authority->token, row.id, row.id_len, &findings, &key) < 0)
		return unfit(name, &findings);
	if (check_kept(key, &row) < 0 ||
	    authority_hold_key(authority, name, key) < 0)
		return -1;
	*ret_key = TAKE(key);
	return 0;
}

/* ---- making and destroying -------------------------------------------- */

void
authority_let_go(struct authority *authority, const char *name)
{
	for (size_t i = 0; i < authority->key_count; i++) {
		struct held_key *held = &authority->keys[i];

		if (strcmp(held->name, name) != 0)
			continue;
		key_free(held->key);
		free(held->name);
		*held = authority->keys[--authority->key_count];
		return;
	}
}

/* The token's word that nothing with the CKA_ID is left. */
static int
destroy_objects(
    struct authority *authority, const struct key_row *row, unsigned *ret_count)
{
	unsigned left = 0;

	if (key_destroy(authority->token, row->id, row->id_len, ret_count) <
		0 ||
	    key_destroy(authority->token, row->id, row->id_len, &left) < 0)
		return -1;
	return left == 0 ? 0
			 : ca_error(CA_R_TOKEN,
			       "the token said that it destroyed key '%s', and "
			       "still had %u of its objects; look into the "
			       "token before anything is done with it",
			       row->name, left);
}

int
authority_end_key(struct authority *authority, const char *run,
    const struct key_row *row, const char *why)
{
	AUTO_CHARS(id) = text_hex(row->id, row->id_len);
	AUTO_CHARS(text) = NULL;
	unsigned count = 0;

	if (id == NULL)
		return -1;
	authority_let_go(authority, row->name);
	if (destroy_objects(authority, row, &count) < 0)
		return -1;
	text = text_printf("key '%s' was destroyed on the token (%u objects)",
	    row->name, count);
	if (text == NULL)
		return -1;
	return journal_append(authority->journal, ENTRY_KEY_DESTROYED,
	    json_pack("{s:s, s:s, s:s, s:I, s:s*}", "run", run, "name",
		row->name, "id", id, "objects", (json_int_t)count, "why", why),
	    text, NULL);
}

int
authority_destroy_key(
    struct authority *authority, const char *run, const struct key_row *row)
{
	return authority_end_key(authority, run, row, NULL);
}

static json_t *
statement_json(const struct key_statement *statement)
{
	json_t *attributes = json_object();

	for (size_t i = 0; i < statement->count; i++) {
		const struct attribute *a = &statement->attributes[i];
		json_t *value = a->state == ATTRIBUTE_ABSENT
		    ? json_null()
		    : json_boolean(a->state == ATTRIBUTE_TRUE);

		if (json_object_set_new(attributes, a->name, value) != 0) {
			json_decref(attributes);
			return NULL;
		}
	}
	return attributes;
}

/* CK_UNAVAILABLE_INFORMATION becomes null. */
static json_t *
mechanism_json(const struct key_statement *statement)
{
	unsigned long mechanism = statement->generation_mechanism;

	return mechanism == ~0UL ? json_null()
				 : json_integer((json_int_t)mechanism);
}

json_t *
authority_key_facts(const struct key *key)
{
	const struct key_statement *statement = key_statement(key);
	const unsigned char *spki;
	size_t len;
	AUTO_CHARS(id) = text_hex(statement->id, statement->id_len);
	AUTO_CHARS(hex) = NULL;
	json_t *facts;

	key_spki(key, &spki, &len);
	hex = text_hex(spki, len);
	if (id == NULL || hex == NULL)
		return NULL;
	facts = json_pack("{s:s, s:s, s:o, s:o}", "id", id, "spki", hex,
	    "attributes", statement_json(statement), "generation_mechanism",
	    mechanism_json(statement));
	if (facts == NULL)
		(void)ca_error(CA_R_MEMORY, "no memory for a key's facts");
	return facts;
}

static int
journal_made(struct authority *authority, const char *run, const char *name,
    const struct key *key)
{
	AUTO_CHARS(text) =
	    text_printf("key '%s' was made inside the token", name);
	json_t *data = authority_key_facts(key);

	if (text == NULL || data == NULL ||
	    json_object_set_new(data, "run", json_string(run)) != 0 ||
	    json_object_set_new(data, "name", json_string(name)) != 0) {
		json_decref(data);
		return ca_error(CA_R_MEMORY, "no memory for an entry");
	}
	return journal_append(authority->journal, ENTRY_KEY, data, text, NULL);
}

/* What an earlier try of the same run left under this name. */
static int
clear_remains(struct authority *authority, const char *run, const char *name)
{
	AUTO_STRUCT(key_row) row = { 0 };
	bool found = false;

	if (journal_key(authority->journal, name, &found, &row) < 0)
		return -1;
	if (!found)
		return 0;
	if (row.state == KEY_LIVE || row.adopted)
		return ca_error(
		    CA_R_EXISTS, "there is a key '%s' already", name);
	return authority_destroy_key(authority, run, &row);
}

int
authority_make_key(struct authority *authority, const char *run,
    const char *name, const char *type, const char *purpose, const char *backup)
{
	const struct key_type *row = key_type_by_name(type);
	unsigned char id[KEY_ID_LEN];
	char hex[2 * KEY_ID_LEN + 1];
	AUTO_PTR(key) *key = NULL;
	AUTO_CHARS(text) = text_printf(
	    "a %s key '%s' with the purpose '%s' is about to be made", type,
	    name, purpose);

	if (row == NULL)
		return ca_error(CA_R_INTERNAL, "no key type '%s'", type);
	if (text == NULL || clear_remains(authority, run, name) < 0 ||
	    token_random(authority->token, id, sizeof(id)) < 0)
		return -1;
	text_hex_into(id, sizeof(id), hex);
	if (journal_append(authority->journal, ENTRY_KEY_INTENT,
		json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "run", run, "name",
		    name, "id", hex, "type", type, "purpose", purpose, "backup",
		    backup),
		text, NULL) < 0 ||
	    head_write(authority) < 0)
		return -1;
	if (key_generate(authority->token, row, name, id, &key) < 0)
		return -1;
	return journal_made(authority, run, name, key);
}

/* ---- listing ---------------------------------------------------------- */

struct listing {
	struct authority *authority;
	int (*visit)(void *ctx, const struct key_report *report);
	void *ctx;
};

/* Does the journal know a living key with this CKA_ID? */
struct id_search {
	const struct key_statement *statement;
	bool known;
};

static int
match_id(void *ctx, const struct key_row *row)
{
	struct id_search *search = ctx;

	if (row->state != KEY_GONE &&
	    row->id_len == search->statement->id_len &&
	    memcmp(row->id, search->statement->id, row->id_len) == 0)
		search->known = true;
	return 0;
}

/* Gives a report the statement of the key on the token with its CKA_ID. */
struct completion {
	struct listing *listing;
	const struct key_row *row;
	struct key_report *report;
	bool done;
};

static int
complete(void *ctx, const struct key_statement *statement, const char *type,
    const char *fault)
{
	struct completion *c = ctx;

	(void)type;
	(void)fault;
	if (c->done || statement->id_len != c->row->id_len ||
	    memcmp(statement->id, c->row->id, c->row->id_len) != 0)
		return 0;
	c->done = true;
	c->report->statement = statement;
	return c->listing->visit(c->listing->ctx, c->report);
}

/* An unfit key is the one whose attributes people want to see. */
static int
report_fault(struct listing *listing, const struct key_row *row,
    struct key_report *report)
{
	struct completion c = {
		.listing = listing,
		.row = row,
		.report = report,
	};

	if (key_each(listing->authority->token, complete, &c) < 0)
		return -1;
	return c.done ? 0 : listing->visit(listing->ctx, report);
}

/* A living key of the journal, as the token shows it. */
static int
report_live(struct listing *listing, const struct key_row *row,
    struct key_report *report)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(key) *key = NULL;
	AUTO_CHARS(fault) = NULL;

	if (key_find(listing->authority->token, row->id, row->id_len, &findings,
		&key) < 0) {
		fault = ca_error_take();
		if (findings.count > 0) {
			free(fault);
			fault = text_copy(findings.rows[0].text);
		}
		report->fault =
		    fault != NULL ? fault : "the token does not have it";
		return report_fault(listing, row, report);
	}
	report->statement = key_statement(key);
	if (check_kept(key, row) < 0) {
		fault = ca_error_take();
		report->fault = fault != NULL ? fault : "another key";
	}
	return listing->visit(listing->ctx, report);
}

static int
report_row(void *ctx, const struct key_row *row)
{
	struct listing *listing = ctx;
	AUTO_CHARS(id) = text_hex(row->id, row->id_len);
	AUTO_CHARS(hash) = row->spki == NULL
	    ? text_copy("")
	    : sha256_hex(row->spki, row->spki_len);
	struct key_report report = {
		.name = row->name,
		.type = row->type,
		.purpose = row->purpose,
		.backup = row->backup,
		.id = id,
		.spki_sha256 = hash,
	};

	if (row->state == KEY_GONE)
		return 0;
	if (id == NULL || hash == NULL)
		return -1;
	if (row->state == KEY_LIVE)
		return report_live(listing, row, &report);
	report.fault = "it was being made when a run was cut off; 'ca-tool "
		       "plan run --resume' clears it away";
	return report_fault(listing, row, &report);
}

/* A key on the token that the journal does not know. */
static int
report_stranger(void *ctx, const struct key_statement *statement,
    const char *type, const char *fault)
{
	struct listing *listing = ctx;
	struct id_search search = { .statement = statement };
	AUTO_CHARS(id) = text_hex(statement->id, statement->id_len);
	struct key_report report = {
		.name = statement->label,
		.type = type,
		.purpose = "",
		.backup = "",
		.id = id,
		.spki_sha256 = "",
		.statement = statement,
		.fault = "the journal does not know it: it was not made here",
	};

	(void)fault;
	if (id == NULL ||
	    journal_each_key(
		listing->authority->journal, NULL, match_id, &search) < 0)
		return -1;
	return search.known ? 0 : listing->visit(listing->ctx, &report);
}

int
authority_each_key(struct authority *authority,
    int (*visit)(void *ctx, const struct key_report *report), void *ctx)
{
	struct listing listing = {
		.authority = authority, .visit = visit, .ctx = ctx
	};

	if (journal_each_key(authority->journal, NULL, report_row, &listing) <
	    0)
		return -1;
	return key_each(authority->token, report_stranger, &listing);
}
