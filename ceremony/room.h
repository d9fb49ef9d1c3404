/*
 * The room: whoever the ceremony talks to.  ceremony/ neither prints nor reads
 * a terminal; ca-tool/ gives it one of these.  Calls come from one thread.
 */
#ifndef CA_CEREMONY_ROOM_H
#define CA_CEREMONY_ROOM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/secret.h"

enum room_secret {
	ROOM_USER_PIN,     /* opens the token */
	ROOM_NEW_USER_PIN, /* to be set: a terminal asks twice */
	ROOM_SO_PIN,
	ROOM_NEW_SO_PIN,
};

enum room_style {
	ROOM_PHASE,   /* a heading: what happens now */
	ROOM_TEXT,    /* a line of a report */
	ROOM_WARNING, /* something that people should look at */
};

struct room {
	void *ctx;

	/* Ask for one secret, once.  CA_R_PIN where none is given. */
	int (*ask_secret)(void *ctx, enum room_secret which, const char *prompt,
	    struct secret *ret_secret);

	/* Show one or more lines; the text is safe to print. */
	void (*show)(void *ctx, enum room_style style, const char *text);

	/*
	 * Ask whether to go on with what was shown.  0: yes.  -1 with
	 * CA_R_POLICY: the room said no.
	 */
	int (*confirm)(void *ctx, const char *question);

	/* `done` of `total` of `what` ("signatures"). */
	void (*progress)(
	    void *ctx, const char *what, size_t done, size_t total);

	/* False once somebody asked to stop (Ctrl-C). */
	bool (*keep_going)(void *ctx);

	/* The program as it runs, for the journal: version and SHA-256. */
	const char *tool_version, *tool_sha256;
};

#endif
