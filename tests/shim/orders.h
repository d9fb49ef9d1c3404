/* What the shim is told to do: the orders of README.md, parsed. */
#ifndef CA_SHIM_ORDERS_H
#define CA_SHIM_ORDERS_H

#include <p11-kit/pkcs11.h>
#include <stdbool.h>
#include <stddef.h>

#include "functions.h"

enum function {
#define PLAIN(name, parameters, arguments) FN_##name,
#define OWN(name) FN_##name,
	SHIM_FUNCTIONS(PLAIN, OWN)
#undef PLAIN
#undef OWN
	    FUNCTION_COUNT,
};

extern const char *const function_names[FUNCTION_COUNT];

enum order_kind {
	ORDER_FAIL,       /* return `number` instead of forwarding */
	ORDER_FAIL_AFTER, /* forward, then return `number` */
	ORDER_KILL,       /* SIGKILL to this process before forwarding */
	ORDER_KILL_AFTER, /* ... after forwarding */
	ORDER_DELAY,      /* sleep `number` microseconds */
	ORDER_GARBAGE,    /* C_Sign: flip a bit of the signature */
	ORDER_CONSTANT,   /* C_GenerateRandom: all octets the same */
	ORDER_COUNT,      /* append "name=count" to the file `fd` */
	ORDER_MARK,       /* append each C_Sign to the file `fd` */
	ORDER_LIE,        /* C_GetAttributeValue: `bytes` for `attribute` */
	ORDER_ABSENT,     /* ... attribute unknown */
	ORDER_FLAGS_SET,  /* C_GetTokenInfo: flags `number` set */
	ORDER_FLAGS_CLEAR,
	ORDER_PIN_PAD, /* typed there: `user_pin`, `so_pin` */
};

enum { ORDER_BYTES_MAX = 1024, ORDERS_MAX = 128, ORDER_PIN_MAX = 256 };

struct order {
	enum order_kind kind;
	enum function function;
	unsigned long nth; /* which call; 0: every */
	unsigned long number;
	int fd;
	CK_ATTRIBUTE_TYPE attribute;
	bool public_only; /* lie about public objects alone */
	unsigned char bytes[ORDER_BYTES_MAX];
	size_t len;
	unsigned char id[256]; /* only of objects with this CKA_ID */
	size_t id_len;         /* 0: of any */
	char user_pin[ORDER_PIN_MAX], so_pin[ORDER_PIN_MAX];
};

struct orders {
	struct order list[ORDERS_MAX];
	size_t count;
};

/*
 * Read the file `path`.  False, after a message on stderr, where it cannot be
 * read or a line is no order: an order is never ignored.
 */
bool orders_read(const char *path, struct orders *orders);

#endif
