/*
 * Private to pkcs11/: the only header that shows libp11.h and the PKCS#11
 * header, the structures behind the public ones, and the helpers for raw
 * calls.  Tests may include it, nothing else outside of this directory.
 */
#ifndef CA_PKCS11_RAW_H
#define CA_PKCS11_RAW_H

#include <p11-kit/pkcs11.h>
#include <signal.h>

#include <libp11.h>

#include "base/error.h"
#include "pkcs11/key.h"
#include "pkcs11/module.h"
#include "pkcs11/sign.h"
#include "pkcs11/token.h"

/* ~0: "the token has no such information". */
#define RAW_UNAVAILABLE ((CK_ULONG)-1)

/* How one family of modules differs: a row of the table in module.c. */
struct quirk {
	const char *name;
	const char *manufacturer;       /* part of CK_INFO's, NULL: any */
	const char *description;        /* the same */
	CK_ATTRIBUTE_TYPE not_named[4]; /* left out of private templates */
	CK_ATTRIBUTE_TYPE unfit_ok;     /* tolerated as unfit, 0: none */
	const char *accepted;           /* what is tolerated, in words */
	const char *refused;            /* why no key of it is ever fit */
};

struct module {
	void *library;
	CK_FUNCTION_LIST *raw;
	PKCS11_CTX *p11;
	UI_METHOD *no_prompt;
	const struct quirk *quirk;
	struct module_facts facts;
	char *embedded_dir;    /* NULL: not the embedded SoftHSM */
	bool alone;            /* nobody else has initialised it */
	struct token *session; /* the token that is logged in, or NULL */
	/*
	 * Each caller of C_GetFunctionList gets an instance of its own, with
	 * logins and objects of its own (p11-kit-client.so).
	 */
	bool per_caller;
	struct parked *parked; /* released with the session's slots */
};

/* Slots of a guest that cannot be released while somebody is logged in. */
struct parked {
	struct parked *next;
	PKCS11_SLOT *slots;
	unsigned count;
};

enum { RANDOM_BLOCK = 32 };

struct token {
	struct module *module;
	/*
	 * A card behind the module of the authority's token (card.c): it logs
	 * in and out beside that one and never touches its sessions.
	 */
	bool guest;
	CK_SLOT_ID slot;
	struct token_facts facts;
	/* While logged in: */
	PKCS11_SLOT *p11_slots;
	unsigned p11_count;
	PKCS11_SLOT *p11_slot;     /* ours, one of p11_slots */
	CK_SESSION_HANDLE session; /* read-write */
	struct key *keys;          /* checked during this login */
	/* Continuous test of the token's generator. */
	unsigned char last_random[RANDOM_BLOCK];
};

/*
 * "PROBLEM: CKR_NAME (0x..)" onto the error queue, with the reason given; a
 * PIN's CKR_* always becomes CA_R_PIN.  Returns -1.
 */
int raw_error(enum ca_reason reason, CK_RV rv, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* "CKR_PIN_LOCKED", or "CKR_?" */
const char *raw_rv_name(CK_RV rv);

/* Fixed-length, blank-padded text of PKCS#11, trimmed and escaped; free(). */
char *raw_text(const unsigned char *text, size_t len) MUST_USE;

/* A growing list of object handles. */
struct handles {
	CK_OBJECT_HANDLE *list;
	size_t count;
};

void handles_clear(struct handles *handles);
CLEANUP_DEFINE_STRUCT(handles);

/* All objects of a class, or (value not NULL) with one more attribute. */
int raw_find_class(const struct token *token, CK_OBJECT_CLASS class,
    CK_ATTRIBUTE_TYPE type, const unsigned char *value, size_t len,
    struct handles *ret_handles) MUST_USE;

/* A byte string; empty where the object has none; free(). */
int raw_read_bytes(const struct token *token, CK_OBJECT_HANDLE object,
    CK_ATTRIBUTE_TYPE type, unsigned char **ret_value,
    size_t *ret_len) MUST_USE;

enum { TEMPLATE_MAX = 32 };

/* What an object is to be made with. */
struct template
{
	CK_ATTRIBUTE rows[TEMPLATE_MAX];
	CK_ULONG count;
};

void template_add(struct template *template, CK_ATTRIBUTE_TYPE type,
    const void *value, size_t len);
void template_add_bool(
    struct template *template, CK_ATTRIBUTE_TYPE type, bool value);

/* Does this family of modules take the attribute for a private key? */
bool quirk_may_name(const struct quirk *quirk, CK_ATTRIBUTE_TYPE type);

/* C_GenerateKeyPair; CA_R_TOKEN. */
int raw_generate_pair(struct token *token, const struct key_type *type,
    struct template *public, struct template *private) MUST_USE;

/* CA_R_INTERNAL unless logged in. */
int token_need_login(const struct token *token) MUST_USE;

/* Frees what key_find() keeps; the keys that callers hold live on. */
void key_drop_kept(struct token *token);

/*
 * The guard of the embedded SoftHSM (softhsm.c); does nothing for any other
 * module.  Between begin and end signals are blocked.  end() never loses the
 * error of what it guards: it returns -1 if syncing failed.
 */
struct guard {
	const struct module *module; /* NULL: not begun */
	sigset_t signals;
};

enum guard_kind {
	GUARD_LOGIN, /* token.object is rewritten */
	GUARD_PINS,  /* and an old copy must not survive */
	GUARD_KEYS,  /* key objects are written as well */
};

int guard_begin(const struct module *module, struct guard *guard) MUST_USE;
int guard_end(struct guard *guard, enum guard_kind kind) MUST_USE;
void guard_clear(struct guard *guard); /* unblocks signals, no more */
CLEANUP_DEFINE_STRUCT(guard);

/* The token behind a card (card.c). */
struct card;
struct token *card_token(const struct card *card);

/* Release the slots that are parked; nobody may be logged in. */
void module_unpark(struct module *module);

/* Open the module at `path`, for `embedded_dir` unless NULL. */
int module_load(const char *path, const char *embedded_dir,
    struct module **ret_module) MUST_USE;

/*
 * module_open(), but for a module that this process has not initialised:
 * CA_R_MODULE otherwise, because its configuration would be that of the other
 * user, and freeing it would end both.
 */
int module_open_alone(const char *path, struct module **ret_module) MUST_USE;

#endif
