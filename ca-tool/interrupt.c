#include "ca-tool/interrupt.h"

#include <poll.h>
#include <signal.h>
#include <stddef.h>

#include "base/error.h"

static const int stop_signals[] = { SIGINT, SIGHUP, SIGTERM };
enum { STOP_SIGNALS = sizeof(stop_signals) / sizeof(stop_signals[0]) };

/* The one thing that a signal handler may touch (C11, 7.14.1.1). */
static volatile sig_atomic_t stop_requested;

static void
on_stop(int signo)
{
	(void)signo;
	stop_requested = 1;
}

/* Without SA_RESTART: a call that waits for people returns. */
static void
catch_unless_ignored(int signo)
{
	struct sigaction old;
	struct sigaction stop = { .sa_handler = on_stop };

	(void)sigemptyset(&stop.sa_mask);
	if (sigaction(signo, NULL, &old) == 0 && old.sa_handler == SIG_IGN)
		return; /* nohup, or a background job: as its parent wants */
	(void)sigaction(signo, &stop, NULL);
}

void
interrupt_install(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	(void)sigemptyset(&ignore.sa_mask);
	(void)sigaction(SIGPIPE, &ignore, NULL);
	for (size_t i = 0; i < STOP_SIGNALS; i++)
		catch_unless_ignored(stop_signals[i]);
}

bool
interrupt_pending(void)
{
	return stop_requested != 0;
}

/* Called with the signals blocked; only ppoll() lets them in. */
static int
wait_blocked(int fd, const sigset_t *open_mask)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };

	while (!interrupt_pending())
		if (ppoll(&ready, 1, NULL, open_mask) > 0)
			return 0;
	return ca_error(CA_R_INTERRUPTED, "interrupted by a signal");
}

int
interrupt_wait(int fd)
{
	sigset_t stop, old;
	int ret;

	(void)sigemptyset(&stop);
	for (size_t i = 0; i < STOP_SIGNALS; i++)
		(void)sigaddset(&stop, stop_signals[i]);
	if (sigprocmask(SIG_BLOCK, &stop, &old) != 0)
		return ca_error_errno(CA_R_INTERNAL, "cannot block signals");
	ret = wait_blocked(fd, &old);
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	return ret;
}
