/* A secure heap for tests, from which nothing may be lost. */
#ifndef TESTS_QUORUM_SECRETS_H
#define TESTS_QUORUM_SECRETS_H

#include <openssl/rand.h>

#include "base/secret.h"
#include "people.h"

static inline int
heap_setup(void **state)
{
	unsigned char warm_up[1];

	(void)state;
	if (CRYPTO_secure_malloc_init(1 << 19, 32) == 0)
		return -1;
	/* OpenSSL's own generator lives in the secure heap from now on. */
	return RAND_priv_bytes(warm_up, 1) == 1 && RAND_bytes(warm_up, 1) == 1
	    ? 0
	    : -1;
}

/* cmocka_unit_test_setup_teardown(test, note_heap, same_heap) */
static inline int
note_heap(void **state)
{
	static size_t used;

	used = CRYPTO_secure_used();
	*state = &used;
	return 0;
}

static inline int
same_heap(void **state)
{
	const size_t *used = *state;

	ca_error_clear();
	return CRYPTO_secure_used() == *used ? 0 : -1;
}

#define heap_test(test) \
	cmocka_unit_test_setup_teardown(test, note_heap, same_heap)

static inline bool
is_locked(const struct secret *secret)
{
	return CRYPTO_secure_allocated(secret->bytes) == 1;
}

static inline struct secret
secret_of_hex(const char *hex)
{
	AUTO_BYTES(octets) = NULL;
	struct secret secret = { 0 };
	size_t len = 0;

	assert_ok(text_unhex(hex, &octets, &len));
	assert_ok(secret_copy(octets, len, &secret));
	return secret;
}

static inline bool
secret_equal(const struct secret *a, const struct secret *b)
{
	return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

#endif
