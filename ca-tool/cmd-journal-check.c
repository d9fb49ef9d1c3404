#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "ca-tool/command.h"
#include "ca-tool/object-file.h"
#include "ca-tool/print.h"
#include "ca-tool/session.h"
#include "ceremony/journal/proof-check.h"

enum { ROOT_LEN = 32, ROOT_HEX_SIZE = 65 };

static const char *
subject_name(enum proof_subject subject)
{
	switch (subject) {
	case SUBJECT_ENTRY:
		return "entry";
	case SUBJECT_GROWTH:
		return "growth";
	case SUBJECT_RECEIPT:
		return "receipt";
	}
	return "";
}

static const char *
member(const struct proof_checked *checked, const char *name)
{
	const char *value =
	    json_string_value(json_object_get(checked->entry, name));

	return value == NULL ? "" : value;
}

/* ---- for programs ----------------------------------------------------- */

static json_t *
cosigners_json(const struct proof_checked *checked)
{
	json_t *array = json_array();

	for (size_t i = 0; i < checked->cosigner_count; i++) {
		const struct proof_cosigner *cosigner = &checked->cosigners[i];

		if (json_array_append_new(array,
			json_pack("{s:s,s:I}", "name", cosigner->name, "time",
			    (json_int_t)cosigner->time)) != 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static void
report_json(struct session *session, const struct proof_checked *checked)
{
	const struct checkpoint *checkpoint = &checked->checkpoint;
	char root[ROOT_HEX_SIZE];

	text_hex_into(checkpoint->root, ROOT_LEN, root);
	(void)session_report(
	    session, "proves", session_string(subject_name(checked->subject)));
	(void)session_report(
	    session, "authority", session_string(checked->authority));
	(void)session_report(session, "checkpoint",
	    json_pack("{s:s,s:I,s:s}", "origin", checkpoint->origin, "size",
		(json_int_t)checkpoint->size, "root", root));
	if (checked->subject == SUBJECT_GROWTH)
		(void)session_report(
		    session, "old", json_integer((json_int_t)checked->number));
	if (checked->subject == SUBJECT_ENTRY) {
		(void)session_report(
		    session, "entry", json_deep_copy(checked->entry));
		(void)session_report(session, "object",
		    session_string(session->options.value[OPT_OBJECT]));
	}
	(void)session_report(session, "cosigned", cosigners_json(checked));
}

/* ---- for people ------------------------------------------------------- */

/* What is proved; malloc'd. */
static char *
sentence(const struct session *session, const struct proof_checked *checked)
{
	const char *object = session->options.value[OPT_OBJECT];
	const char *trusted = session->options.value[OPT_CHECKPOINT];

	switch (checked->subject) {
	case SUBJECT_ENTRY:
		return object == NULL
		    ? text_printf("entry %" PRIu64 " is in the journal",
			  checked->number)
		    : text_printf("'%s' is in the journal: entry %" PRIu64
				  " is about it",
			  object, checked->number);
	case SUBJECT_GROWTH:
		return text_printf("the journal grew from %" PRIu64
				   " to %" PRIu64 " entries; of those before, "
				   "none was changed and none is gone",
		    checked->number, checked->checkpoint.size);
	case SUBJECT_RECEIPT:
		break;
	}
	return trusted == NULL
	    ? text_copy("the checkpoint is the journal's")
	    : text_printf(
		  "the checkpoint is the journal's, and that of '%s'", trusted);
}

static int
print_sentence(
    const struct session *session, const struct proof_checked *checked)
{
	AUTO_CHARS(text) = sentence(session, checked);
	AUTO_CHARS(safe) =
	    text == NULL ? NULL : text_escape(text, strlen(text));
	AUTO_CHARS(all) = safe == NULL ? NULL
	    : checked->authority == NULL
	    ? text_printf("Not checked whose journal this is. If it is the "
			  "right one: %s.",
		  safe)
	    : text_printf("Proved: %s.", safe);

	if (all == NULL)
		return -1;
	print_wrapped(stdout, 0, 0, all);
	fputs("\n", stdout);
	return 0;
}

static int
print_entry(const struct proof_checked *checked)
{
	AUTO_CHARS(number) = text_printf("%" PRIu64, checked->number);

	if (number == NULL)
		return -1;
	print_field(stdout, "Entry", number);
	if (print_field_escaped(stdout, "Kind", member(checked, "kind")) != 0 ||
	    print_field_escaped(stdout, "Time", member(checked, "time")) != 0 ||
	    print_field_escaped(stdout, "Text", member(checked, "text")) != 0)
		return -1;
	if (checked->name != NULL &&
	    print_field_escaped(stdout, "Object", checked->name) != 0)
		return -1;
	return checked->sha256 == NULL
	    ? 0
	    : print_field_escaped(stdout, "SHA-256", checked->sha256);
}

static int
print_checkpoint(const struct checkpoint *checkpoint)
{
	AUTO_CHARS(size) = text_printf("%" PRIu64 " entries", checkpoint->size);
	char root[ROOT_HEX_SIZE];

	if (size == NULL ||
	    print_field_escaped(stdout, "Journal of", checkpoint->origin) != 0)
		return -1;
	text_hex_into(checkpoint->root, ROOT_LEN, root);
	print_field(stdout, "Checkpoint", size);
	print_field(stdout, "Root", root);
	return 0;
}

/* A witness may state any time; one that no date can have is a number. */
static int
print_cosigner(const struct proof_cosigner *cosigner)
{
	const uint64_t last = UINT64_C(253402300799); /* 9999-12-31 */
	char date[DATE_TEXT_SIZE] = "";
	AUTO_CHARS(text) = NULL;

	if (cosigner->time <= last)
		date_format((int64_t)cosigner->time, date);
	text = cosigner->time <= last
	    ? text_printf("%s by %s", date, cosigner->name)
	    : text_printf("%" PRIu64 " seconds after 1970 by %s",
		  cosigner->time, cosigner->name);
	return text == NULL ? -1
			    : print_field_escaped(stdout, "Cosigned", text);
}

static int
print_checked(
    const struct session *session, const struct proof_checked *checked)
{
	if (print_sentence(session, checked) != 0 ||
	    (checked->subject == SUBJECT_ENTRY && print_entry(checked) != 0) ||
	    print_checkpoint(&checked->checkpoint) != 0)
		return -1;
	for (size_t i = 0; i < checked->cosigner_count; i++)
		if (print_cosigner(&checked->cosigners[i]) != 0)
			return -1;
	if (checked->sha256 != NULL && !session->options.given[OPT_OBJECT])
		print_wrapped(stdout, 0, 0,
		    "\nCompare the SHA-256 with that of your file, or give the "
		    "file with --object.");
	return 0;
}

/* ---- the command ------------------------------------------------------ */

/* Everything fits together, but anybody can make such a journal. */
static int
verdict(const struct proof_checked *checked)
{
	if (checked->authority != NULL)
		return 0;
	return ca_error(CA_R_VERIFY,
	    "not checked whose journal this is, so nothing is proved: anybody "
	    "can make one; give the 'anchor.txt' that you keep with --anchor");
}

int
cmd_journal_check(struct session *session)
{
	char *const *value = session->options.value;
	char sha256[OBJECT_HEX_SIZE] = "";
	const struct proof_order order = {
		.input = session->options.args[0],
		.anchor = value[OPT_ANCHOR],
		.checkpoint = value[OPT_CHECKPOINT],
		.old = value[OPT_OLD],
		.witnesses = value[OPT_WITNESSES],
		.object = value[OPT_OBJECT],
		.sha256 = sha256,
	};
	AUTO_STRUCT(proof_checked) checked = { 0 };

	if ((order.object != NULL &&
		object_file_sha256(order.object, sha256) != 0) ||
	    proof_check(&order, &session->findings, &checked) != 0)
		return -1;
	if (session_json(session))
		report_json(session, &checked);
	else if (print_checked(session, &checked) != 0)
		return -1;
	return verdict(&checked);
}
