/* What the tests of pkcs11/ share. */
#ifndef TESTS_PKCS11_SUPPORT_H
#define TESTS_PKCS11_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* It wants what stands above. */
/* clang-format off */
#include <cmocka.h>
/* clang-format on */

#include "pkcs11/raw.h"

/*
 * One process holds one module: each test is a child process with a
 * directory of its own, `dir`, absolute and of mode 0700.
 *
 *     TEST(name)
 *     {
 *         ... CHECK(...), since cmocka's assertions do not work here
 *     }
 */
#define TEST(name)                                \
	static void name##_body(const char *dir); \
	static void name(void **state)            \
	{                                         \
		(void)state;                      \
		test_in_child(name##_body);       \
	}                                         \
	static void name##_body(const char *dir)

void test_in_child(void (*body)(const char *dir));

/* Run body(dir) in a process of its own; it must succeed. */
void in_child(void (*body)(const char *dir), const char *dir);

/* The same, but tells how it ended: a status of waitpid(). */
int child_status(void (*body)(const char *dir), const char *dir);

#define CHECK(condition)                                              \
	do {                                                          \
		if (!(condition))                                     \
			check_failed(__FILE__, __LINE__, #condition); \
	} while (0)

void check_failed(const char *file, int line, const char *what)
    __attribute__((noreturn));

/* The call fails for this reason, and the text of its errors has `part`. */
#define CHECK_ERROR(call, reason, part)                            \
	do {                                                       \
		ca_error_clear();                                  \
		CHECK((call) == -1);                               \
		check_error(__FILE__, __LINE__, (reason), (part)); \
	} while (0)

void check_error(
    const char *file, int line, enum ca_reason reason, const char *part);

/* Is there a finding with this id? */
bool has_finding(const struct findings *findings, const char *id);

#define USER_PIN "user-1234"
#define SO_PIN "officer-5678"

/* A secret with this text; secret_clear() it. */
struct secret secret_of(const char *text);

/* DIR/NAME, in memory that lasts as long as the process. */
const char *in_dir(const char *dir, const char *name);

void write_file(const char *path, const void *data, size_t len);
unsigned char *read_file(const char *path, size_t *ret_len); /* free() */
size_t count_lines(const char *path, const char *prefix);

/* The path of the embedded token's token.object; there must be one token. */
const char *token_object(const char *dir);

/* The embedded SoftHSM in `dir`, which must be whole. */
struct module *open_embedded(const char *dir);

/* A blank token is initialised as `label`, with both PINs set. */
struct token *make_token(struct module *module, const char *label);

void must_login(struct token *token);

/* Makes the token "ca" in dir and leaves; for in_child(). */
void setup_token(const char *dir);

/*
 * A module behind the shim with these orders, on the embedded token's files
 * in dir (setup_token() first, in another process).
 */
struct module *open_shim(const char *dir, const char *orders);

/* open_shim(), find "ca", log in. */
struct token *shim_login(const char *dir, const char *orders);

/* Ends what those opened. */
void close_token(struct token *token);

/* A new key with this label on "ca"; its id in ret_id. */
struct key *make_key(struct token *token, const char *type, const char *label,
    unsigned char ret_id[KEY_ID_LEN]);

#endif
