#include "ca-tool/room.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/date.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ca-tool/interrupt.h"
#include "ca-tool/print.h"
#include "ca-tool/session.h"
#include "ca-tool/terminal.h"

enum {
	SECRET_MAX = 255, /* octets; no token takes more */
	NEW_PIN_TRIES = 3,
	BAR_WIDTH = 24,
	BAR_DELAY = 300, /* ms: what is done sooner needs no bar */
	BAR_EVERY = 100,
};

enum secret_source { FROM_PIN_FD, FROM_SO_PIN_FD, FROM_PASSPHRASE_FD };

static const struct secret_row {
	const char *what, *option;
	enum secret_source source;
	bool twice;
} secret_table[] = {
	[ROOM_USER_PIN] = { "user PIN", "--pin-fd N", FROM_PIN_FD, false },
	[ROOM_NEW_USER_PIN] = { "new user PIN", "--pin-fd N", FROM_PIN_FD,
	    true },
	[ROOM_SO_PIN] = { "SO PIN", "--so-pin-fd N", FROM_SO_PIN_FD, false },
	[ROOM_NEW_SO_PIN] = { "new SO PIN", "--so-pin-fd N", FROM_SO_PIN_FD,
	    true },
	[ROOM_PASSPHRASE] = { "passphrase", "--passphrase-fd",
	    FROM_PASSPHRASE_FD, false },
	[ROOM_NEW_PASSPHRASE] = { "new passphrase", "--passphrase-fd",
	    FROM_PASSPHRASE_FD, true },
	[ROOM_CARD_PIN] = { "card PIN", "--passphrase-fd", FROM_PASSPHRASE_FD,
	    false },
};

/* ---- the bar ---------------------------------------------------------- */

static int64_t
milliseconds(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
		return 0;
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
bar_erase(struct people *people)
{
	if (people->bar_drawn)
		fputs("\r\033[K", stderr);
	people->bar_drawn = false;
}

static void
bar_draw(const char *what, size_t done, size_t total, int64_t elapsed)
{
	static const char filled[] = "########################";
	int part = (int)(done * BAR_WIDTH / total);
	double rate = (double)done * 1000.0 / (double)elapsed;
	double left = rate > 0 ? (double)(total - done) / rate : 0;

	fprintf(stderr, "\r  %s [%-*.*s] %zu/%zu, %.0f/s, %d:%02d left\033[K",
	    what, BAR_WIDTH, part, filled, done, total, rate, (int)left / 60,
	    (int)left % 60);
	(void)fflush(stderr);
}

static void
people_progress(void *ctx, const char *what, size_t done, size_t total)
{
	struct people *people = ctx;
	int64_t now = milliseconds();

	if (!people->bar || total == 0)
		return;
	if (people->bar_what == NULL || strcmp(people->bar_what, what) != 0) {
		people->bar_what = what;
		people->bar_start = people->bar_last = now;
	}
	if (done >= total) {
		bar_erase(people);
		people->bar_what = NULL;
	} else if (now - people->bar_start >= BAR_DELAY &&
	    now - people->bar_last >= BAR_EVERY) {
		bar_draw(what, done, total, now - people->bar_start);
		people->bar_drawn = true;
		people->bar_last = now;
	}
}

/* ---- showing ---------------------------------------------------------- */

static void
people_show(void *ctx, enum room_style style, const char *text)
{
	struct people *people = ctx;
	const char *bold = people->color ? "\033[1m" : "";
	const char *yellow = people->color ? "\033[33m" : "";
	const char *plain = people->color ? "\033[0m" : "";

	bar_erase(people);
	people->spoke = true;
	switch (style) {
	case ROOM_PHASE:
		fprintf(stderr, "\n%s== %s%s\n", bold, text, plain);
		break;
	case ROOM_WARNING:
		fprintf(stderr, "%swarning: ", yellow);
		print_wrapped(stderr, strlen("warning: "), 2, text);
		fputs(plain, stderr);
		break;
	case ROOM_TEXT:
		print_lines(stderr, 2, text);
		break;
	}
	(void)fflush(stderr);
}

void
people_pause(struct people *people)
{
	bar_erase(people);
	(void)fflush(stderr);
}

void
people_leave(struct people *people)
{
	bar_erase(people);
	if (people->spoke)
		fputs("\n", stderr);
	(void)fflush(stderr);
}

/* ---- asking ----------------------------------------------------------- */

/*
 * What callers ask may hold a card's label or a path: nothing but its line
 * breaks steers the terminal.  malloc'd.
 */
static char *
safe_text(const char *text)
{
	AUTO_CHARS(all) = text_copy("");

	while (all != NULL && *text != '\0') {
		AUTO_CHARS(before) = TAKE(all);
		AUTO_CHARS(escaped) = NULL;
		size_t len = strcspn(text, "\n");
		bool more = text[len] == '\n';

		escaped = text_is_safe(text, len)
		    ? text_printf("%.*s", (int)len, text)
		    : text_escape(text, len);
		if (escaped == NULL)
			return NULL;
		all = text_printf("%s%s%s", before, escaped, more ? "\n" : "");
		text += len + (more ? 1 : 0);
	}
	return TAKE(all);
}

/* The bar goes, and the product so far is seen, before somebody is asked. */
static void
before_asking(struct people *people)
{
	bar_erase(people);
	(void)fflush(stdout);
}

static int
ask_once(const char *prompt, const char *more, const char *what,
    struct secret *ret_secret)
{
	AUTO_CHARS(line) = text_printf("%s%s: ", prompt, more);

	if (line == NULL)
		return -1;
	return terminal_ask_secret(line, what, ret_secret);
}

static bool
same_secret(const struct secret *a, const struct secret *b)
{
	return a->len == b->len &&
	    CRYPTO_memcmp(a->bytes, b->bytes, a->len) == 0;
}

/* What is new is typed unseen: twice, until both are the same. */
static int
ask_twice(const char *prompt, const char *what, struct secret *ret_secret)
{
	for (int i = 0; i < NEW_PIN_TRIES; i++) {
		AUTO_STRUCT(secret) first = { 0 };
		AUTO_STRUCT(secret) second = { 0 };

		if (ask_once(prompt, "", what, &first) != 0 ||
		    ask_once(prompt, ", again", what, &second) != 0)
			return -1;
		if (same_secret(&first, &second)) {
			*ret_secret = first;
			first = (struct secret){ 0 };
			return 0;
		}
		terminal_say("The two differ. Please type it again.\n");
	}
	return ca_error(CA_R_PIN,
	    "the %s was typed differently %d times; nothing was set", what,
	    NEW_PIN_TRIES);
}

static const struct passphrase_source *
find_source(const struct people *people, const char *name)
{
	for (size_t i = 0; i < people->source_count; i++)
		if (strcmp(people->sources[i].name, name) == 0)
			return &people->sources[i];
	return NULL;
}

bool
people_has_source(const struct people *people, const char *name)
{
	return find_source(people, name) != NULL;
}

/* The descriptor that this secret is read from, or -1. */
static int
source_fd(
    const struct people *people, enum secret_source source, const char *who)
{
	const struct passphrase_source *row;

	switch (source) {
	case FROM_PIN_FD:
		return people->pin_fd;
	case FROM_SO_PIN_FD:
		return people->so_pin_fd;
	case FROM_PASSPHRASE_FD:
		break;
	}
	row = who == NULL ? NULL : find_source(people, who);
	return row == NULL ? -1 : row->fd;
}

/* "alice: passphrase of 'alice.key'", "User PIN of ...". */
static char *
secret_prompt(const char *who, const char *prompt)
{
	AUTO_CHARS(line) = who == NULL ? text_copy(prompt)
				       : text_printf("%s: %s", who, prompt);
	char *safe = line == NULL ? NULL : safe_text(line);

	/* A sentence begins here; a person's name is as it is. */
	if (who == NULL && safe != NULL && safe[0] >= 'a' && safe[0] <= 'z')
		safe[0] = (char)(safe[0] - 'a' + 'A');
	return safe;
}

static int
no_terminal(const struct secret_row *row, const char *who)
{
	if (who == NULL)
		return ca_error(CA_R_PIN,
		    "there is no terminal to ask for the %s; give it with %s",
		    row->what, row->option);
	return ca_error(CA_R_PIN,
	    "there is no terminal to ask %s for the %s; give it with %s %s=N",
	    who, row->what, row->option, who);
}

static int
people_ask_secret(void *ctx, enum room_secret which, const char *who,
    const char *prompt, struct secret *ret_secret)
{
	struct people *people = ctx;
	const struct secret_row *row = &secret_table[which];
	int fd = source_fd(people, row->source, who);
	AUTO_CHARS(what) = who == NULL
	    ? text_copy(row->what)
	    : text_printf("%s of %s", row->what, who);
	AUTO_CHARS(line) = secret_prompt(who, prompt);

	if (what == NULL || line == NULL)
		return -1;
	before_asking(people);
	people->unseen = fd >= 0;
	if (fd >= 0)
		return secret_read_line(fd, SECRET_MAX, what, ret_secret);
	if (!terminal_exists())
		return no_terminal(row, who);
	people->withheld =
	    (row->twice ? ask_twice(line, what, ret_secret)
			: ask_once(line, "", what, ret_secret)) != 0;
	return people->withheld ? -1 : 0;
}

/*
 * What a script gave would be wrong again.  The terminal is told what was
 * wrong, and asked for the secret itself, unseen.
 */
static int
people_retry(void *ctx, const char *why)
{
	struct people *people = ctx;
	AUTO_CHARS(safe) = NULL;
	AUTO_CHARS(text) = NULL;

	if (people->unseen || people->withheld || !terminal_exists())
		return -1;
	safe = safe_text(why);
	text = safe == NULL
	    ? NULL
	    : text_printf("\n%s.\nPlease type it again, or nothing to "
			  "stop.\n",
		  safe);
	if (text == NULL)
		return -1;
	before_asking(people);
	terminal_say(text);
	return 0;
}

/* ---- notes ------------------------------------------------------------ */

static void
people_take_notes(
    void *ctx, int (*note)(void *note_ctx, const char *text), void *note_ctx)
{
	struct people *people = ctx;

	people->note = note;
	people->note_ctx = note_ctx;
}

/* One line for the journal; an empty one is none. */
static int
take_note(struct people *people)
{
	AUTO_CHARS(line) = NULL;

	if (terminal_ask_line("Note for the journal: ", &line) != 0)
		return -1;
	if (line[0] == '\0')
		return 0;
	if (people->note(people->note_ctx, line) != 0)
		return -1;
	terminal_say("Noted.\n");
	return 0;
}

/*
 * Ask `question`, then what may be typed.  Where notes are taken, `note` is one
 * more answer, after which all of it is asked again.
 */
static int
ask_answer(struct people *people, const char *question, const char *choices,
    char **ret_answer)
{
	bool notes = people->note != NULL;
	AUTO_CHARS(prompt) = text_printf("\n%s\nType %s,%s anything else to "
					 "stop: ",
	    question, choices,
	    notes ? " note to write a note into the journal," : "");

	for (;;) {
		AUTO_CHARS(answer) = NULL;

		if (prompt == NULL || terminal_ask_line(prompt, &answer) != 0)
			return -1;
		if (!notes || strcmp(answer, "note") != 0) {
			*ret_answer = TAKE(answer);
			return 0;
		}
		if (take_note(people) != 0)
			return -1;
	}
}

/* ---- yes or no -------------------------------------------------------- */

/* Nobody is asked: answered by --yes, which is said, or refused. */
static int
answer_by_option(const struct people *people, const char *question)
{
	if (people->yes) {
		fprintf(stderr, "\n%s\nAnswered by --yes.\n", question);
		return 0;
	}
	return ca_error(CA_R_POLICY,
	    "there is no terminal, and nobody can be asked; add --yes to go "
	    "on without being asked");
}

static int
people_confirm(void *ctx, const char *question)
{
	struct people *people = ctx;
	AUTO_CHARS(safe) = safe_text(question);
	AUTO_CHARS(answer) = NULL;

	if (safe == NULL)
		return -1;
	before_asking(people);
	if (people->yes || !terminal_exists())
		return answer_by_option(people, safe);
	if (ask_answer(people, safe, "yes to go on", &answer) != 0)
		return -1;
	if (strcmp(answer, "yes") != 0)
		return ca_error(CA_R_POLICY, "the answer was not yes");
	return 0;
}

/* The number of an object, from 1 to `items`, or 0 for anything else. */
static size_t
item_number(const char *answer, size_t items)
{
	size_t number = 0;

	if (answer[0] == '0')
		return 0;
	for (; *answer >= '0' && *answer <= '9'; answer++) {
		number = number * 10 + (size_t)(*answer - '0');
		if (number > items)
			return 0;
	}
	return *answer == '\0' ? number : 0;
}

/* What may be typed; malloc'd. */
static char *
decide_choices(size_t items)
{
	if (items == 0)
		return text_copy("yes to sign");
	return text_printf("yes to sign, a number from 1 to %zu to look at "
			   "that object in full",
	    items);
}

static int
people_decide(void *ctx, const char *who, const char *question, size_t items,
    size_t *ret_item)
{
	struct people *people = ctx;
	AUTO_CHARS(whole) = who == NULL ? text_copy(question)
					: text_printf("%s: %s", who, question);
	AUTO_CHARS(safe) = whole == NULL ? NULL : safe_text(whole);
	AUTO_CHARS(choices) = decide_choices(items);
	AUTO_CHARS(answer) = NULL;
	size_t item;

	if (safe == NULL || choices == NULL)
		return -1;
	before_asking(people);
	if (people->yes || !terminal_exists()) {
		if (answer_by_option(people, safe) != 0)
			return -1;
		*ret_item = 0;
		return 0;
	}
	if (ask_answer(people, safe, choices, &answer) != 0)
		return -1;
	item = item_number(answer, items);
	if (item == 0 && strcmp(answer, "yes") != 0)
		return ca_error(CA_R_POLICY, "%s%sthe answer was not yes",
		    who == NULL ? "" : who, who == NULL ? "" : ": ");
	*ret_item = item;
	return 0;
}

/*
 * --yes does not answer this: what a script gave was wrong, and would be wrong
 * again; and a card locks itself after a few tries.
 */
static int
people_again(void *ctx, const char *question)
{
	struct people *people = ctx;
	AUTO_CHARS(safe) = NULL;
	AUTO_CHARS(prompt) = NULL;
	bool yes = false;

	if (people->unseen || !terminal_exists())
		return -1;
	safe = safe_text(question);
	prompt = safe == NULL
	    ? NULL
	    : text_printf(
		  "\n%s\nType yes to try, anything else to stop: ", safe);
	before_asking(people);
	if (prompt == NULL || terminal_ask_yes(prompt, &yes) != 0)
		return -1;
	return yes ? 0 : -1;
}

static int
people_wait(void *ctx, const char *what)
{
	struct people *people = ctx;
	AUTO_CHARS(safe) = safe_text(what);
	AUTO_CHARS(prompt) = NULL;
	AUTO_CHARS(line) = NULL;

	if (safe == NULL)
		return -1;
	before_asking(people);
	if (!terminal_exists())
		return ca_error(CA_R_TOKEN,
		    "there is no terminal, and nobody can be told: %s", what);
	prompt = text_printf(
	    "\n%s\nPress Enter when that is done, Ctrl-C to stop: ", safe);
	return prompt == NULL ? -1 : terminal_ask_line(prompt, &line);
}

/* NAME=KEY; false, with what is wrong said, where it is not of that form. */
static bool
answer_is_operator(const char *answer)
{
	const char *equals = strchr(answer, '=');
	AUTO_CHARS(name) = NULL;

	if (equals == NULL || equals[1] == '\0') {
		terminal_say("That is not NAME=KEY.\n");
		return false;
	}
	name = strndup(answer, (size_t)(equals - answer));
	if (name != NULL && text_is_name(name))
		return true;
	terminal_say("What stands before the = is no name; names are of a-z "
		     "0-9 . _ -\n");
	return false;
}

static int
take_operator(const char *answer, struct room_operator *ret_operator)
{
	const char *equals = strchr(answer, '=');
	AUTO_CHARS(name) = NULL;
	AUTO_CHARS(reference) = NULL;

	name = text_printf("%.*s", (int)(equals - answer), answer);
	reference = text_copy(equals + 1);
	if (name == NULL || reference == NULL)
		return -1;
	ret_operator->name = TAKE(name);
	ret_operator->reference = TAKE(reference);
	return 0;
}

static int
people_ask_operator(
    void *ctx, const char *prompt, struct room_operator *ret_operator)
{
	struct people *people = ctx;
	AUTO_CHARS(safe) = safe_text(prompt);
	AUTO_CHARS(line) = safe == NULL
	    ? NULL
	    : text_printf("\n%s\nType NAME=KEY, such as "
			  "alice=file:/media/alice/alice.key, or nothing to "
			  "stop: ",
		  safe);

	if (line == NULL)
		return -1;
	before_asking(people);
	if (!terminal_exists())
		return ca_error(CA_R_QUORUM,
		    "there is no terminal to ask who else takes part; name "
		    "them with --operator NAME=KEY");
	for (;;) {
		AUTO_CHARS(answer) = NULL;

		if (terminal_ask_line(line, &answer) != 0)
			return -1;
		if (answer[0] == '\0')
			return ca_error(CA_R_QUORUM,
			    "nobody else was named; those who take part can "
			    "also be named with --operator NAME=KEY");
		if (answer_is_operator(answer))
			return take_operator(answer, ret_operator);
	}
}

/* From a script by option, from a terminal by typing, else nobody compares. */
static int
people_ask_clock(void *ctx, bool *ret_given, int64_t *ret_time)
{
	struct people *people = ctx;
	AUTO_CHARS(line) = NULL;

	*ret_given = people->clock != NULL;
	if (*ret_given)
		return date_parse_clock(people->clock, date_now(), ret_time);
	if (people->yes || !terminal_exists())
		return 0;
	before_asking(people);
	for (;;) {
		free(TAKE(line));
		if (terminal_ask_line(
			"\nWhat does the second clock say, in UTC (hh:mm:ss, "
			"or Enter if there is none)? ",
			&line) != 0)
			return -1;
		*ret_given = line[0] != '\0';
		if (!*ret_given ||
		    date_parse_clock(line, date_now(), ret_time) == 0)
			return 0;
		ca_error_clear();
		terminal_say("That is no time of day, such as 12:34:56.\n");
	}
}

static bool
people_keep_going(void *ctx)
{
	(void)ctx;
	return !interrupt_pending();
}

/* ---- making it -------------------------------------------------------- */

int
people_program_sha256(char ret_hex[65])
{
	unsigned char digest[32];

	if (file_sha256_at(AT_FDCWD, "/proc/self/exe", digest) != 0)
		return -1;
	text_hex_into(digest, sizeof(digest), ret_hex);
	return 0;
}

/*
 * With most kinds of login no PIN is asked for, or it shows only later whether
 * one is; a new authority says at once.
 */
static int
check_pins(const struct people *people, const char *login, unsigned needs)
{
	bool prompt = login != NULL && strcmp(login, "prompt") == 0;
	bool adopted = login != NULL && strcmp(login, "adopted") == 0;

	if (prompt && (needs & ROOM_NEEDS_SO_PIN) != 0 && people->so_pin_fd < 0)
		return ca_error(CA_R_USAGE,
		    "there is no terminal to ask for the SO PIN; give it with "
		    "--so-pin-fd N");
	if ((prompt || adopted) && (needs & ROOM_NEEDS_PIN) != 0 &&
	    people->pin_fd < 0)
		return ca_error(CA_R_USAGE,
		    "there is no terminal to ask for the user PIN; give it "
		    "with --pin-fd N");
	return 0;
}

static int
check_needs(const struct people *people, const char *login, unsigned needs)
{
	if (terminal_exists())
		return 0;
	if (check_pins(people, login, needs) != 0)
		return -1;
	if ((needs & ROOM_NEEDS_YES) != 0 && !people->yes)
		return ca_error(CA_R_USAGE,
		    "there is no terminal to ask before signing; add --yes to "
		    "sign without being asked");
	return 0;
}

static int
read_operators(const struct options *options, struct people *people)
{
	size_t count = options_count(options, OPT_OPERATOR);

	people->operators = calloc(count + 1, sizeof(*people->operators));
	if (people->operators == NULL)
		return ca_error(CA_R_MEMORY, "no memory for operators");
	for (size_t i = 0; i < count; i++) {
		struct room_operator *row = &people->operators[i];
		const char *reference;

		if (options_pair(
			options, OPT_OPERATOR, i, &row->name, &reference) != 0)
			return -1;
		people->operator_count = i + 1;
		row->reference = text_copy(reference);
		if (row->reference == NULL)
			return -1;
	}
	return 0;
}

static int
read_sources(const struct options *options, struct people *people)
{
	size_t count = options_count(options, OPT_PASSPHRASE_FD);

	people->sources = calloc(count + 1, sizeof(*people->sources));
	if (people->sources == NULL)
		return ca_error(CA_R_MEMORY, "no memory for operators");
	for (size_t i = 0; i < count; i++) {
		struct passphrase_source *row = &people->sources[i];

		if (options_pair_fd(options, OPT_PASSPHRASE_FD, i, &row->name,
			&row->fd) != 0)
			return -1;
		people->source_count = i + 1;
	}
	return 0;
}

static int
read_clock(const struct options *options, struct people *people)
{
	int64_t date;

	people->clock = options->value[OPT_CLOCK];
	if (people->clock == NULL ||
	    date_parse_clock(people->clock, date_now(), &date) == 0)
		return 0;
	ca_error_clear();
	return ca_error(CA_R_USAGE,
	    "option '--clock': '%s' is no time such as '12:34:56' (UTC)",
	    people->clock);
}

static int
read_options(const struct session *session, struct people *people)
{
	const struct options *options = &session->options;
	bool terminal = isatty(STDERR_FILENO) == 1;
	const char *no_color = getenv("NO_COLOR"); /* no-color.org */

	people->yes = options->given[OPT_YES];
	people->bar = terminal;
	people->color = terminal && !options->given[OPT_NO_COLOR] &&
	    (no_color == NULL || no_color[0] == '\0');
	if (options_fd(options, OPT_PIN_FD, &people->pin_fd) != 0 ||
	    options_fd(options, OPT_SO_PIN_FD, &people->so_pin_fd) != 0 ||
	    read_clock(options, people) != 0 ||
	    read_operators(options, people) != 0)
		return -1;
	return read_sources(options, people);
}

static void
furnish(struct people *people, const char *receipt)
{
	people->room = (struct room){
		.ctx = people,
		.ask_secret = people_ask_secret,
		.show = people_show,
		.confirm = people_confirm,
		.decide = people_decide,
		.retry = people_retry,
		.again = people_again,
		.take_notes = people_take_notes,
		.wait = people_wait,
		.ask_operator = people_ask_operator,
		.operators = people->operators,
		.operator_count = people->operator_count,
		.receipt = receipt,
		.progress = people_progress,
		.keep_going = people_keep_going,
		.ask_clock = people_ask_clock,
		.tool_version = CA_TOOL_VERSION,
		.tool_sha256 = people->sha256,
	};
}

int
people_open(
    const struct session *session, unsigned needs, struct people *ret_people)
{
	char *const *value = session->options.value;

	*ret_people = (struct people){ .pin_fd = -1, .so_pin_fd = -1 };
	if (read_options(session, ret_people) != 0 ||
	    check_needs(ret_people, value[OPT_LOGIN], needs) != 0 ||
	    people_program_sha256(ret_people->sha256) != 0) {
		people_clear(ret_people);
		return -1;
	}
	furnish(ret_people, value[OPT_RECEIPT]);
	return 0;
}

void
people_clear(struct people *people)
{
	for (size_t i = 0; i < people->operator_count; i++) {
		free(people->operators[i].name);
		free(people->operators[i].reference);
	}
	free(people->operators);
	for (size_t i = 0; i < people->source_count; i++)
		free(people->sources[i].name);
	free(people->sources);
	*people = (struct people){ .pin_fd = -1, .so_pin_fd = -1 };
}
