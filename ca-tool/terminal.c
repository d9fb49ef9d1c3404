#include "ca-tool/terminal.h"

#include <fcntl.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ca-tool/interrupt.h"

/* A canonical line is at most 4,096 octets long; a PIN 255 (PKCS#11). */
enum { SECRET_MAX = 255, ANSWER_MAX = 4096 };

/* Settings to be put back; fd is -1 where nothing was changed. */
struct echo {
	int fd;
	struct termios saved;
};

static void
echo_clear(struct echo *echo)
{
	if (echo->fd >= 0)
		(void)tcsetattr(echo->fd, TCSAFLUSH, &echo->saved);
}
CLEANUP_DEFINE_STRUCT(echo);

static int
terminal_open(int *ret_fd)
{
	int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (fd == -1)
		return ca_error_errno(CA_R_PIN, "there is no terminal to ask");
	*ret_fd = fd;
	return 0;
}

bool
terminal_exists(void)
{
	AUTO_FD(fd) = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);

	return fd >= 0;
}

/*
 * No echo, and no key that would stop or dump the process while it is off;
 * what was typed before the prompt is dropped.
 */
static int
echo_off(int fd, struct echo *echo)
{
	struct termios quiet;

	if (tcgetattr(fd, &echo->saved) != 0)
		return ca_error_errno(
		    CA_R_IO, "cannot read the terminal's settings");
	quiet = echo->saved;
	quiet.c_lflag &= (tcflag_t) ~(ECHO | ECHOE | ECHOK | ECHONL);
	quiet.c_lflag |= ICANON | ISIG;
	quiet.c_cc[VSUSP] = _POSIX_VDISABLE;
	quiet.c_cc[VQUIT] = _POSIX_VDISABLE;
	if (tcsetattr(fd, TCSAFLUSH, &quiet) != 0)
		return ca_error_errno(CA_R_IO, "cannot hide what is typed");
	echo->fd = fd;
	return 0;
}

static int
say(int fd, const char *text)
{
	return file_write_all(fd, text, strlen(text), "/dev/tty");
}

/* With ICANON, the terminal can be read once a whole line was typed. */
static int
read_hidden(
    int fd, const char *prompt, const char *what, struct secret *ret_secret)
{
	AUTO_STRUCT(echo) echo = { .fd = -1 };

	if (echo_off(fd, &echo) != 0 || say(fd, prompt) != 0 ||
	    interrupt_wait(fd) != 0)
		return -1;
	return secret_read_line(fd, SECRET_MAX, what, ret_secret);
}

int
terminal_ask_secret(
    const char *prompt, const char *what, struct secret *ret_secret)
{
	AUTO_FD(fd) = -1;
	int ret;

	if (terminal_open(&fd) != 0)
		return -1;
	ret = read_hidden(fd, prompt, what, ret_secret);
	(void)!write(fd, "\n", 1); /* the one that was not shown */
	return ret;
}

int
terminal_ask_line(const char *prompt, char **ret_line)
{
	char answer[ANSWER_MAX];
	AUTO_FD(fd) = -1;
	ssize_t n;
	bool whole;
	char *line;

	if (terminal_open(&fd) != 0)
		return -1;
	(void)tcflush(fd, TCIFLUSH);
	if (say(fd, prompt) != 0)
		return -1;
	if (interrupt_wait(fd) != 0) {
		(void)!write(fd, "\n", 1);
		return -1;
	}
	n = read(fd, answer, sizeof(answer));
	if (n < 0)
		return ca_error_errno(CA_R_IO, "cannot read the answer");
	whole = n > 0 && answer[n - 1] == '\n' &&
	    memchr(answer, '\0', (size_t)n) == NULL;
	line = text_printf("%.*s", whole ? (int)n - 1 : 0, answer);
	if (line == NULL)
		return -1;
	*ret_line = line;
	return 0;
}

int
terminal_ask_yes(const char *prompt, bool *ret_yes)
{
	AUTO_CHARS(line) = NULL;

	if (terminal_ask_line(prompt, &line) != 0)
		return -1;
	*ret_yes = strcmp(line, "yes") == 0;
	return 0;
}

void
terminal_say(const char *text)
{
	AUTO_FD(fd) = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (fd >= 0)
		(void)!write(fd, text, strlen(text));
}
