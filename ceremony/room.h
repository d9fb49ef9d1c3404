/*
 * The room: whoever the ceremony talks to.  ceremony/ neither prints nor reads
 * a terminal; ca-tool/ gives it one of these.  Calls come from one thread.
 */
#ifndef CA_CEREMONY_ROOM_H
#define CA_CEREMONY_ROOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/secret.h"

enum room_secret {
	ROOM_USER_PIN,     /* opens the token */
	ROOM_NEW_USER_PIN, /* to be set: a terminal asks twice */
	ROOM_SO_PIN,
	ROOM_NEW_SO_PIN,
	ROOM_PASSPHRASE,     /* of an operator's key file */
	ROOM_NEW_PASSPHRASE, /* to be set: a terminal asks twice */
	ROOM_CARD_PIN,       /* of an operator's card */
};

/* Who takes part, and where their key is (quorum/operator-key.h). */
struct room_operator {
	char *name, *reference;
};

enum room_style {
	ROOM_PHASE,   /* a heading: what happens now */
	ROOM_TEXT,    /* a line of a report */
	ROOM_WARNING, /* something that people should look at */
};

struct room {
	void *ctx;

	/*
	 * Ask for one secret, once.  `who` is the operator's name, or NULL for
	 * the token's PINs.  CA_R_PIN where none is given.
	 */
	int (*ask_secret)(void *ctx, enum room_secret which, const char *who,
	    const char *prompt, struct secret *ret_secret);

	/* Show one or more lines; the text is safe to print. */
	void (*show)(void *ctx, enum room_style style, const char *text);

	/*
	 * Ask whether to go on with what was shown.  0: yes.  -1 with
	 * CA_R_POLICY: the room said no.
	 */
	int (*confirm)(void *ctx, const char *question);

	/*
	 * The same, where `items` things can be looked at first.  *ret_item is
	 * 0 for yes, or the number (from 1) of what `who` wants to see: show
	 * it, and ask again.  From a script the answer is yes.
	 */
	int (*decide)(void *ctx, const char *who, const char *question,
	    size_t items, size_t *ret_item);

	/*
	 * A secret was wrong, `why` says how: may it be asked for once more?
	 * Not a question, for whoever types the secret as its answer would show
	 * it: the next ask_secret() is where to stop, by giving nothing.  -1,
	 * with nothing raised, where that was done or nobody can be asked.  May
	 * be NULL: nobody can.
	 */
	int (*retry)(void *ctx, const char *why);

	/*
	 * May a thing be tried once more, after what was shown?  -1, with
	 * nothing raised, where the answer is no or nobody can be asked.
	 */
	int (*again)(void *ctx, const char *question);

	/*
	 * Say what people are to do with their hands (insert a card, type a PIN
	 * on a PIN pad), and wait until they say it is done.  CA_R_TOKEN where
	 * nobody can be asked.
	 */
	int (*wait)(void *ctx, const char *what);

	/*
	 * One more operator who takes part, asked for: name and key reference.
	 * CA_R_QUORUM where nobody can be asked, or there is no more.  Both
	 * malloc'd.
	 */
	int (*ask_operator)(
	    void *ctx, const char *prompt, struct room_operator *ret_operator);

	/*
	 * From here on, whoever is asked a yes/no question may answer `note`
	 * and type a line, which goes to note(); then the question is asked
	 * again.  NULL: notes are not taken any more.  May itself be NULL, in a
	 * room that takes none.
	 */
	void (*take_notes)(void *ctx,
	    int (*note)(void *note_ctx, const char *text), void *note_ctx);

	/* Those that were named on the command line. */
	const struct room_operator *operators;
	size_t operator_count;

	/* --receipt: a checkpoint from last time, or NULL. */
	const char *receipt;

	/* `done` of `total` of `what` ("signatures"). */
	void (*progress)(
	    void *ctx, const char *what, size_t done, size_t total);

	/* False once somebody asked to stop (Ctrl-C). */
	bool (*keep_going)(void *ctx);

	/*
	 * What does a second clock say?  *ret_given is false where nobody said.
	 * May be NULL: nobody can be asked.
	 */
	int (*ask_clock)(void *ctx, bool *ret_given, int64_t *ret_time);

	/* The program as it runs, for the journal: version and SHA-256. */
	const char *tool_version, *tool_sha256;
};

#endif
