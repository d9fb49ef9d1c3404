/*
 * The room as this program makes it: prompts on the terminal or from file
 * descriptors, phases and progress on stderr.
 */
#ifndef CA_TOOL_ROOM_H
#define CA_TOOL_ROOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "ceremony/room.h"

struct session;

/* Whose passphrases and card PINs are read from a descriptor. */
struct passphrase_source {
	char *name;
	int fd;
};

struct people {
	struct room room;                /* its ctx is this struct */
	int pin_fd, so_pin_fd;           /* -1: ask on the terminal */
	struct room_operator *operators; /* --operator */
	size_t operator_count;
	struct passphrase_source *sources; /* --passphrase-fd */
	size_t source_count;
	int (*note)(void *note_ctx, const char *text); /* NULL: none taken */
	void *note_ctx;
	const char *clock; /* --clock: what a second one says; or NULL */
	bool unseen;       /* the newest secret came from a descriptor */
	bool withheld;     /* it was not given on the terminal */
	bool yes;          /* --yes: nobody is asked */
	bool color, bar;   /* stderr is a terminal */
	bool spoke;        /* something was shown */
	bool bar_drawn;
	const char *bar_what;        /* what is counted now */
	int64_t bar_start, bar_last; /* milliseconds */
	char sha256[65];
};

enum room_needs {
	ROOM_NEEDS_PIN = 1, /* where --login says that it is typed */
	ROOM_NEEDS_SO_PIN = 2,
	ROOM_NEEDS_YES = 4,
};

/*
 * Make the room for a command that will ask for `needs`.  What will surely be
 * asked for, and can neither be read from a descriptor nor asked on a terminal,
 * is refused here, before anything begins: CA_R_USAGE.  `ret_people` must stay
 * where it is while its room is used; it may be cleared after a failure too.
 */
int people_open(const struct session *session, unsigned needs,
    struct people *ret_people) MUST_USE;
void people_clear(struct people *people);
CLEANUP_DEFINE_STRUCT(people);

/* Will this operator's passphrases and card PINs come from a descriptor? */
bool people_has_source(const struct people *people, const char *name);

/* The bar goes for now, so that something can be printed. */
void people_pause(struct people *people);

/* The room is done: what follows stands apart from what it showed. */
void people_leave(struct people *people);

/* SHA-256 of the program as it runs, in hex. */
int people_program_sha256(char ret_hex[65]) MUST_USE;

#endif
