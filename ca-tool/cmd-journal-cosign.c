#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ca-tool/command.h"
#include "ca-tool/out-file.h"
#include "ca-tool/print.h"
#include "ca-tool/room.h"
#include "ca-tool/session.h"
#include "ceremony/journal/cosign.h"

enum { HASH_HEX = 64 };

/* ---- what is asked for ------------------------------------------------ */

static int
check_given(const struct session *session)
{
	static const struct {
		enum option option;
		const char *says;
	} needed[] = {
		{ OPT_KEY,
		    "'--key' is missing; name the file of the witness's "
		    "Ed25519 key" },
		{ OPT_NAME,
		    "'--name' is missing; name the witness, such as "
		    "--name example.org/wendy" },
		{ OPT_STATE,
		    "'--state' is missing; name the file where this "
		    "witness keeps what it has seen" },
		{ OPT_ANCHOR,
		    "'--anchor' is missing; name the 'anchor.txt' "
		    "that you keep, with journal-key.pem beside it" },
	};

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (!session->options.given[needed[i].option])
			return ca_error(
			    CA_R_USAGE, "option %s", needed[i].says);
	return 0;
}

/*
 * A cosignature names its time, so no file that is there can be this one: it
 * is refused before anything is signed.
 */
static int
refuse_existing(const struct out_file *out)
{
	int there = out->fd < 0 ? 0 : file_exists_at(out->fd, out->name);

	return there <= 0 ? there : out_file_refuse(out);
}

/* ---- the passphrase --------------------------------------------------- */

struct asking {
	const struct room *room;
	const char *who; /* what stands behind the last slash of --name */
};

static int
ask_passphrase(void *ctx, const char *path, struct secret *ret_passphrase)
{
	const struct asking *asking = ctx;
	AUTO_CHARS(prompt) = text_printf("passphrase of '%s'", path);

	return prompt == NULL
	    ? -1
	    : asking->room->ask_secret(asking->room->ctx, ROOM_PASSPHRASE,
		  asking->who, prompt, ret_passphrase);
}

static int
ask_again(void *ctx, const char *path)
{
	const struct asking *asking = ctx;
	AUTO_CHARS(why) = text_printf(
	    "%s: the passphrase of '%s' was not right", asking->who, path);

	return why == NULL ? -1 : asking->room->retry(asking->room->ctx, why);
}

static const char *
short_name(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash == NULL || slash[1] == '\0' ? name : slash + 1;
}

static int
check_source(const struct people *people, const char *who)
{
	if (people->source_count == 0 ||
	    (people->source_count == 1 && people_has_source(people, who)))
		return 0;
	return ca_error(CA_R_USAGE,
	    "option '--passphrase-fd' names somebody else; here it is "
	    "--passphrase-fd %s=N",
	    who);
}

/* ---- reporting -------------------------------------------------------- */

static void
report_json(struct session *session, const struct cosigned *cosigned)
{
	const struct checkpoint *checkpoint = &cosigned->checkpoint;
	char root[HASH_HEX + 1], time[DATE_TEXT_SIZE];

	text_hex_into(checkpoint->root, sizeof(checkpoint->root), root);
	date_format((int64_t)cosigned->time, time);
	session_report(session, "origin", session_string(checkpoint->origin));
	session_report(
	    session, "size", json_integer((json_int_t)checkpoint->size));
	session_report(session, "root", session_string(root));
	session_report(session, "old_size",
	    cosigned->first ? json_null()
			    : json_integer((json_int_t)cosigned->old_size));
	session_report(session, "time", session_string(time));
	session_report(session, "witness", session_string(cosigned->vkey));
	session_report(session, "checkpoint", session_string(cosigned->note));
	session_report(
	    session, "out", session_string(session->options.value[OPT_OUT]));
}

/* Beside the checkpoint where that is the product. */
static int
report_text(FILE *out, const struct cosigned *cosigned)
{
	const struct checkpoint *checkpoint = &cosigned->checkpoint;
	char root[HASH_HEX + 1], time[DATE_TEXT_SIZE];
	AUTO_CHARS(grown) = cosigned->first
	    ? text_printf("%llu, the first that this witness saw",
		  (unsigned long long)checkpoint->size)
	    : text_printf("%llu, grown from %llu",
		  (unsigned long long)checkpoint->size,
		  (unsigned long long)cosigned->old_size);

	if (grown == NULL)
		return -1;
	text_hex_into(checkpoint->root, sizeof(checkpoint->root), root);
	date_format((int64_t)cosigned->time, time);
	fprintf(out, "The checkpoint is cosigned.\n\n");
	if (print_field_escaped(out, "Journal", checkpoint->origin) != 0)
		return -1;
	print_field(out, "Entries", grown);
	print_field(out, "Root", root);
	print_field(out, "Time", time);
	fprintf(out, "\nThe key of this witness, for --witnesses files:\n");
	fprintf(out, "%s\n", cosigned->vkey);
	return 0;
}

static int
report(struct session *session, const struct out_file *out,
    const struct cosigned *cosigned)
{
	if (out_file_write(out, cosigned->note) != 0)
		return -1;
	if (session_json(session)) {
		report_json(session, cosigned);
		return 0;
	}
	if (out->fd >= 0)
		return report_text(stdout, cosigned);
	fputs(cosigned->note, stdout);
	return report_text(stderr, cosigned);
}

int
cmd_journal_cosign(struct session *session)
{
	char *const *value = session->options.value;
	const struct cosign_order order = {
		.input = session->options.args[0],
		.anchor = value[OPT_ANCHOR],
		.state = value[OPT_STATE],
		.key = value[OPT_KEY],
		.name = value[OPT_NAME],
		.time = (uint64_t)date_now(),
	};
	AUTO_STRUCT(cosigned) cosigned = { 0 };
	AUTO_STRUCT(people) people = { 0 };
	AUTO_STRUCT(out_file) out = { .fd = -1 };
	struct asking asking = { &people.room, NULL };
	const struct cosign_asker asker = { &asking, ask_passphrase,
		ask_again };

	if (check_given(session) != 0 ||
	    out_file_open(value[OPT_OUT], &out) != 0 ||
	    refuse_existing(&out) != 0)
		return -1;
	asking.who = short_name(order.name);
	if (people_open(session, 0, &people) != 0 ||
	    check_source(&people, asking.who) != 0 ||
	    cosign_run(&order, &asker, &session->findings, &cosigned) != 0)
		return -1;
	people_leave(&people);
	return report(session, &out, &cosigned);
}
