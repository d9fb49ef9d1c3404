#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "base/text.h"

enum {
	/* OpenSSL drops data of 1,024 bytes and more whole. */
	TEXT_MAX = 900,
	TEXT_BUFFER = 1024,
	/* No queue of OpenSSL holds more. */
	ENTRIES_MAX = 32,
};

struct reason {
	enum ca_reason reason;
	const char *name;
	enum ca_exit exit;
};

static const struct reason reasons[] = {
	{ CA_R_IO, "input or output failed", CA_EXIT_FAILED },
	{ CA_R_FULL, "no space left", CA_EXIT_FAILED },
	{ CA_R_MEMORY, "out of memory", CA_EXIT_FAILED },
	{ CA_R_INTERNAL, "internal error", CA_EXIT_FAILED },
	{ CA_R_INTERRUPTED, "interrupted", CA_EXIT_FAILED },
	{ CA_R_USAGE, "wrong arguments", CA_EXIT_USAGE },
	{ CA_R_INPUT, "malformed input", CA_EXIT_REFUSED },
	{ CA_R_POLICY, "not allowed", CA_EXIT_REFUSED },
	{ CA_R_EXISTS, "exists already", CA_EXIT_REFUSED },
	{ CA_R_MISSING, "does not exist", CA_EXIT_REFUSED },
	{ CA_R_BUSY, "in use", CA_EXIT_REFUSED },
	{ CA_R_STATE, "not possible now", CA_EXIT_REFUSED },
	{ CA_R_CORRUPT, "stored state is corrupt", CA_EXIT_REFUSED },
	{ CA_R_VERIFY, "verification failed", CA_EXIT_REFUSED },
	{ CA_R_MODULE, "the PKCS#11 module failed", CA_EXIT_TOKEN },
	{ CA_R_TOKEN, "the token failed", CA_EXIT_TOKEN },
	{ CA_R_PIN, "wrong PIN", CA_EXIT_TOKEN },
	{ CA_R_KEY, "unfit key", CA_EXIT_TOKEN },
	{ CA_R_QUORUM, "no quorum", CA_EXIT_REFUSED },
};

enum { REASONS = sizeof reasons / sizeof reasons[0] };

/* Written once, by library_start(): OpenSSL keeps pointers to the strings. */
static CRYPTO_ONCE library_once = CRYPTO_ONCE_STATIC_INIT;
static int library_number;
static ERR_STRING_DATA library_strings[REASONS + 2];

static void
library_start(void)
{
	library_number = ERR_get_next_error_library();
	for (size_t i = 0; i < REASONS; i++) {
		library_strings[i].error =
		    ERR_PACK(library_number, 0, reasons[i].reason);
		library_strings[i].string = reasons[i].name;
	}
	library_strings[REASONS].error = ERR_PACK(library_number, 0, 0);
	library_strings[REASONS].string = "ca-tool";
	/* Where this fails for want of memory, names are missing: no more. */
	(void)ERR_load_strings(library_number, library_strings);
}

static int
library(void)
{
	(void)CRYPTO_THREAD_run_once(&library_once, library_start);
	return library_number;
}

/* Put `text`, cut to leave room for `suffix`, onto the queue. */
static int
raise_text(const char *file, int line, const char *func, enum ca_reason reason,
    char *text, const char *suffix)
{
	int lib = library();

	text[text_cut(text, strlen(text), TEXT_MAX - strlen(suffix))] = '\0';
	ERR_new();
	ERR_set_debug(file, line, func);
	ERR_set_error(lib, (int)reason, "%s%s", text, suffix);
	return -1;
}

int
ca_error_at(const char *file, int line, const char *func, enum ca_reason reason,
    const char *fmt, ...)
{
	char text[TEXT_BUFFER];
	va_list args;

	va_start(args, fmt);
	if (vsnprintf(text, sizeof text, fmt, args) < 0)
		text[0] = '\0';
	va_end(args);
	return raise_text(file, line, func, reason, text, "");
}

int
ca_error_errno_at(const char *file, int line, const char *func,
    enum ca_reason reason, const char *fmt, ...)
{
	int saved = errno;
	char text[TEXT_BUFFER], buffer[128], suffix[160];
	va_list args;

	if (reason == CA_R_IO && (saved == ENOSPC || saved == EDQUOT))
		reason = CA_R_FULL;
	(void)snprintf(suffix, sizeof suffix, ": %s",
	    strerror_r(saved, buffer, sizeof buffer));
	va_start(args, fmt);
	if (vsnprintf(text, sizeof text, fmt, args) < 0)
		text[0] = '\0';
	va_end(args);
	return raise_text(file, line, func, reason, text, suffix);
}

void
ca_error_clear(void)
{
	ERR_clear_error();
}

static const struct reason *
reason_find(unsigned long code)
{
	if (ERR_GET_LIB(code) != library())
		return NULL;
	for (size_t i = 0; i < REASONS; i++) {
		if ((int)reasons[i].reason == ERR_GET_REASON(code))
			return &reasons[i];
	}
	return NULL;
}

int
ca_error_reason(void)
{
	unsigned long code = ERR_peek_last_error();
	const struct reason *row = reason_find(code);

	if (code == 0)
		return 0;
	return row == NULL ? (int)CA_R_INTERNAL : (int)row->reason;
}

enum ca_exit
ca_error_exit_status(void)
{
	unsigned long code = ERR_peek_last_error();
	const struct reason *row = reason_find(code);

	if (code == 0)
		return CA_EXIT_DONE;
	return row == NULL ? CA_EXIT_FAILED : row->exit;
}

/* An entry of the queue, as text. */
struct entry {
	char *text;
	char *origin;
};

static char *
entry_reason(unsigned long code)
{
	const char *known = ERR_reason_error_string(code);
	char buffer[128];

	if (ERR_SYSTEM_ERROR(code))
		return text_copy(
		    strerror_r(ERR_GET_REASON(code), buffer, sizeof buffer));
	if (known != NULL)
		return text_copy(known);
	return text_printf("error %d", ERR_GET_REASON(code));
}

/* As it was raised, not escaped. */
static char *
entry_raw(unsigned long code, const char *data, int flags)
{
	AUTO_CHARS(reason) = entry_reason(code);
	bool has_data = (flags & ERR_TXT_STRING) != 0 && data[0] != '\0';

	if (has_data && ERR_GET_LIB(code) == library())
		return text_copy(data);
	if (reason == NULL)
		return NULL;
	return text_printf(
	    "%s%s%s", reason, has_data ? ": " : "", has_data ? data : "");
}

static char *
entry_text(unsigned long code, const char *data, int flags)
{
	AUTO_CHARS(raw) = entry_raw(code, data, flags);

	return raw == NULL ? NULL : text_escape(raw, strlen(raw));
}

static char *
entry_origin(unsigned long code, const char *file, int line)
{
	const char *name = ERR_lib_error_string(code);

	if (ERR_GET_LIB(code) == library())
		return text_printf("%s:%d", file, line);
	if (name != NULL)
		return text_copy(name);
	return text_printf("library %d", ERR_GET_LIB(code));
}

char *
ca_error_take(void)
{
	const char *file, *func, *data;
	int line, flags;
	unsigned long code =
	    ERR_peek_last_error_all(&file, &line, &func, &data, &flags);
	char *text = code == 0 ? NULL : entry_raw(code, data, flags);

	ERR_clear_error();
	return text;
}

void
ca_error_drain(
    void (*show)(void *ctx, size_t depth, const char *text, const char *origin),
    void *ctx)
{
	struct entry entries[ENTRIES_MAX];
	const char *file, *func, *data;
	size_t count = 0;
	int line, flags;
	unsigned long code;

	/* OpenSSL gives the oldest first. */
	while (count < ENTRIES_MAX &&
	    (code = ERR_get_error_all(&file, &line, &func, &data, &flags)) !=
		0) {
		entries[count].text = entry_text(code, data, flags);
		entries[count].origin = entry_origin(code, file, line);
		count++;
	}
	for (size_t i = 0; i < count; i++) {
		struct entry *entry = &entries[count - 1 - i];

		show(ctx, i,
		    entry->text != NULL ? entry->text : "out of memory",
		    entry->origin != NULL ? entry->origin : "");
		free(entry->text);
		free(entry->origin);
	}
	ERR_clear_error();
}
