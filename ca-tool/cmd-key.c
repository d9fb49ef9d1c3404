#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ca-tool/command.h"
#include "ca-tool/print.h"
#include "ca-tool/room.h"
#include "ca-tool/session.h"
#include "ceremony/authority.h"
#include "ceremony/operators.h"
#include "pkcs11/key.h"

struct list {
	struct session *session;
	json_t *keys; /* with --json */
	size_t count, faults;
};

static const char *
or_dash(const char *text)
{
	return text[0] != '\0' ? text : "-";
}

static const char *
state_word(enum attribute_state state)
{
	switch (state) {
	case ATTRIBUTE_TRUE:
		return "true";
	case ATTRIBUTE_FALSE:
		return "false";
	case ATTRIBUTE_ABSENT:
		break;
	}
	return "absent";
}

/* ---- text ------------------------------------------------------------- */

/* Two columns of attributes. */
static void
print_statement(const struct key_statement *statement)
{
	printf("  The module states, of itself, that the private key is:\n");
	for (size_t i = 0; i < statement->count; i++) {
		const struct attribute *attribute = &statement->attributes[i];
		bool left = i % 2 == 0;
		bool last = i + 1 == statement->count;

		printf("%s%-25s %-6s%s", left ? "    " : "   ", attribute->name,
		    state_word(attribute->state), left && !last ? "" : "\n");
	}
	if (statement->generation_mechanism == ~0UL)
		printf("    CKA_KEY_GEN_MECHANISM     absent\n");
	else
		printf("    CKA_KEY_GEN_MECHANISM     0x%lx\n",
		    statement->generation_mechanism);
	if (statement->module_quirk != NULL)
		print_field(stdout, "Quirk", statement->module_quirk);
}

static void
print_key(const struct list *list, const struct key_report *report)
{
	if (list->count == 0)
		printf("%-24s %-9s %-8s %-7s %s\n", "NAME", "TYPE", "PURPOSE",
		    "BACKUP", "STATE");
	printf("%-24s %-9s %-8s %-7s %s\n", or_dash(report->name),
	    or_dash(report->type), or_dash(report->purpose),
	    or_dash(report->backup),
	    report->fault == NULL ? "fit for use" : "NOT FIT");
	if (report->fault != NULL)
		print_field(stdout, "Fault", report->fault);
	printf("  CKA_ID %s\n", or_dash(report->id));
	printf("  SPKI   %s\n", or_dash(report->spki_sha256));
	if (list->session->options.given[OPT_VERBOSE] &&
	    report->statement != NULL)
		print_statement(report->statement);
}

/* ---- JSON ------------------------------------------------------------- */

static json_t *
attributes_json(const struct key_statement *statement)
{
	json_t *object = json_object();

	for (size_t i = 0; i < statement->count; i++) {
		const struct attribute *attribute = &statement->attributes[i];
		json_t *value = attribute->state == ATTRIBUTE_ABSENT
		    ? json_null()
		    : json_boolean(attribute->state == ATTRIBUTE_TRUE);

		if (json_object_set_new(object, attribute->name, value) != 0) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

static json_t *
statement_json(const struct key_statement *statement)
{
	if (statement == NULL)
		return json_null();
	return json_pack("{s:s, s:o, s:o, s:o}", "source",
	    "the module's own statement", "attributes",
	    attributes_json(statement), "generation_mechanism",
	    statement->generation_mechanism == ~0UL
		? json_null()
		: json_integer((json_int_t)statement->generation_mechanism),
	    "quirk", session_string(statement->module_quirk));
}

static int
add_key_json(const struct list *list, const struct key_report *report)
{
	json_t *key = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:o, s:o}",
	    "name", report->name, "type", report->type, "purpose",
	    report->purpose, "backup", report->backup, "id", report->id,
	    "spki_sha256", report->spki_sha256, "fit", report->fault == NULL,
	    "fault", session_string(report->fault), "statement",
	    statement_json(report->statement));

	if (json_array_append_new(list->keys, key) != 0)
		return ca_error(CA_R_MEMORY, "no memory for the report");
	return 0;
}

/* ---- both ------------------------------------------------------------- */

static int
visit_key(void *ctx, const struct key_report *report)
{
	struct list *list = ctx;

	if (!session_json(list->session))
		print_key(list, report);
	else if (add_key_json(list, report) != 0)
		return -1;
	list->count++;
	list->faults += report->fault != NULL ? 1 : 0;
	return 0;
}

static int
list_keys(struct session *session, struct authority *authority)
{
	struct list list = { .session = session };

	if (session_json(session))
		list.keys = session_report(session, "keys", json_array());
	if (authority_each_key(authority, visit_key, &list) != 0)
		return -1;
	if (!session_json(session))
		printf("\nSPKI is the SHA-256 of the SubjectPublicKeyInfo.\n");
	if (list.faults > 0)
		return ca_error(CA_R_KEY,
		    "%zu of %zu key%s %s not fit for use; see the faults "
		    "above",
		    list.faults, list.count, plural(list.count),
		    list.faults == 1 ? "is" : "are");
	return 0;
}

/* With the shares of those who are there, or the PIN. */
static int
log_in(struct authority *authority, const struct room *room)
{
	AUTO_STRUCT(operators) operators = { 0 };
	const struct quorum_set *set;

	if (authority_check_config(authority) != 0 ||
	    authority_quorum(authority, &set) != 0 ||
	    operators_open(room, set, &operators) != 0)
		return -1;
	return authority_login(authority, room, &operators, "key-list");
}

int
cmd_key_list(struct session *session)
{
	AUTO_PTR(authority) *authority = NULL;
	AUTO_STRUCT(people) people = { 0 };
	int ret;

	if (people_open(session, ROOM_NEEDS_PIN, &people) != 0 ||
	    authority_open(session_authority(session), AUTHORITY_WRITE,
		&session->findings, &authority) != 0 ||
	    log_in(authority, &people.room) != 0)
		return -1;
	people_leave(&people);
	ret = list_keys(session, authority);
	authority_logout(authority);
	return ret;
}
