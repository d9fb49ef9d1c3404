#include "ca-tool/room.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>

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

static const struct secret_row {
	const char *what, *option;
	bool so, twice;
} secret_table[] = {
	[ROOM_USER_PIN] = { "user PIN", "--pin-fd", false, false },
	[ROOM_NEW_USER_PIN] = { "new user PIN", "--pin-fd", false, true },
	[ROOM_SO_PIN] = { "SO PIN", "--so-pin-fd", true, false },
	[ROOM_NEW_SO_PIN] = { "new SO PIN", "--so-pin-fd", true, true },
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
people_leave(struct people *people)
{
	bar_erase(people);
	if (people->spoke)
		fputs("\n", stderr);
	(void)fflush(stderr);
}

/* ---- asking ----------------------------------------------------------- */

static int
ask_once(const char *prompt, const char *more, const char *what,
    struct secret *ret_secret)
{
	AUTO_CHARS(line) = text_printf("%s%s: ", prompt, more);

	if (line == NULL)
		return -1;
	if (line[0] >= 'a' && line[0] <= 'z') /* a sentence begins here */
		line[0] = (char)(line[0] - 'a' + 'A');
	return terminal_ask_secret(line, what, ret_secret);
}

static bool
same_secret(const struct secret *a, const struct secret *b)
{
	return a->len == b->len &&
	    CRYPTO_memcmp(a->bytes, b->bytes, a->len) == 0;
}

/* A new PIN is typed unseen: twice, until both are the same. */
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

static int
people_ask_secret(void *ctx, enum room_secret which, const char *prompt,
    struct secret *ret_secret)
{
	struct people *people = ctx;
	const struct secret_row *row = &secret_table[which];
	int fd = row->so ? people->so_pin_fd : people->pin_fd;

	bar_erase(people);
	(void)fflush(stdout);
	if (fd >= 0)
		return secret_read_line(fd, SECRET_MAX, row->what, ret_secret);
	if (!terminal_exists())
		return ca_error(CA_R_PIN,
		    "there is no terminal to ask for the %s; give it with %s N",
		    row->what, row->option);
	if (row->twice)
		return ask_twice(prompt, row->what, ret_secret);
	return ask_once(prompt, "", row->what, ret_secret);
}

static int
people_confirm(void *ctx, const char *question)
{
	struct people *people = ctx;
	AUTO_CHARS(prompt) = NULL;
	bool yes = false;

	bar_erase(people);
	(void)fflush(stdout);
	if (people->yes) {
		fprintf(stderr, "\n%s\nAnswered by --yes.\n", question);
		return 0;
	}
	prompt = text_printf(
	    "\n%s\nType yes to go on, anything else to stop: ", question);
	if (prompt == NULL || terminal_ask_yes(prompt, &yes) != 0)
		return -1;
	if (!yes)
		return ca_error(CA_R_POLICY, "the answer was not yes");
	return 0;
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

static int
check_needs(const struct people *people, unsigned needs)
{
	if (terminal_exists())
		return 0;
	if ((needs & ROOM_NEEDS_SO_PIN) != 0 && people->so_pin_fd < 0)
		return ca_error(CA_R_USAGE,
		    "there is no terminal to ask for the SO PIN; give it with "
		    "--so-pin-fd N");
	if ((needs & ROOM_NEEDS_PIN) != 0 && people->pin_fd < 0)
		return ca_error(CA_R_USAGE,
		    "there is no terminal to ask for the user PIN; give it "
		    "with --pin-fd N");
	if ((needs & ROOM_NEEDS_YES) != 0 && !people->yes)
		return ca_error(CA_R_USAGE,
		    "there is no terminal to ask before signing; add --yes to "
		    "sign without being asked");
	return 0;
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
	    options_fd(options, OPT_SO_PIN_FD, &people->so_pin_fd) != 0)
		return -1;
	return 0;
}

int
people_open(
    const struct session *session, unsigned needs, struct people *ret_people)
{
	*ret_people = (struct people){ .pin_fd = -1, .so_pin_fd = -1 };
	if (read_options(session, ret_people) != 0 ||
	    check_needs(ret_people, needs) != 0 ||
	    people_program_sha256(ret_people->sha256) != 0)
		return -1;
	ret_people->room = (struct room){
		.ctx = ret_people,
		.ask_secret = people_ask_secret,
		.show = people_show,
		.confirm = people_confirm,
		.progress = people_progress,
		.keep_going = people_keep_going,
		.tool_version = CA_TOOL_VERSION,
		.tool_sha256 = ret_people->sha256,
	};
	return 0;
}
