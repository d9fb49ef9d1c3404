#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <openssl/rand.h>

#include "base/text.h"
#include "pkcs11/raw.h"

enum {
	SLOTS_MAX = 4096,
	LABEL_MAX = 32,
	LISTED_MAX = 8,
	RANDOM_MAX = 1 << 20,
};

struct slots {
	CK_SLOT_ID *list;
	size_t count;
};

static void
slots_clear(struct slots *slots)
{
	free(slots->list);
	*slots = (struct slots){ 0 };
}

CLEANUP_DEFINE_STRUCT(slots);

/* The slots that hold a token, initialised or not. */
static int
slots_read(const struct module *module, struct slots *ret_slots)
{
	AUTO_STRUCT(slots) slots = { 0 };
	CK_ULONG count = 0;
	CK_RV rv = module->raw->C_GetSlotList(CK_TRUE, NULL, &count);

	/* A token may come between the two calls: leave room, ask once. */
	if (rv == CKR_OK && count < SLOTS_MAX) {
		count += 4;
		slots.list = calloc(count, sizeof(*slots.list));
		if (slots.list == NULL)
			return ca_error(CA_R_MEMORY, "no memory for slots");
		rv = module->raw->C_GetSlotList(CK_TRUE, slots.list, &count);
	} else if (rv == CKR_OK) {
		rv = CKR_GENERAL_ERROR;
	}
	if (rv != CKR_OK)
		return raw_error(CA_R_MODULE, rv,
		    "module '%s' does not list its slots", module->facts.path);
	slots.count = count;
	*ret_slots = slots;
	slots.list = NULL;
	return 0;
}

static int
copy_text(const unsigned char *from, size_t len, char *to, size_t size)
{
	AUTO_CHARS(text) = raw_text(from, len);

	if (text == NULL)
		return -1;
	(void)snprintf(to, size, "%s", text);
	return 0;
}

static void
read_flags(struct token_facts *facts, CK_FLAGS flags)
{
	facts->flags = flags;
	facts->initialised = (flags & CKF_TOKEN_INITIALIZED) != 0;
	facts->user_pin_set = (flags & CKF_USER_PIN_INITIALIZED) != 0;
	facts->pin_count_low = (flags & CKF_USER_PIN_COUNT_LOW) != 0;
	facts->pin_final_try = (flags & CKF_USER_PIN_FINAL_TRY) != 0;
	facts->pin_locked = (flags & CKF_USER_PIN_LOCKED) != 0;
	facts->so_pin_count_low = (flags & CKF_SO_PIN_COUNT_LOW) != 0;
	facts->so_pin_final_try = (flags & CKF_SO_PIN_FINAL_TRY) != 0;
	facts->so_pin_locked = (flags & CKF_SO_PIN_LOCKED) != 0;
	facts->protected_path =
	    (flags & CKF_PROTECTED_AUTHENTICATION_PATH) != 0;
	facts->has_rng = (flags & CKF_RNG) != 0;
}

static int
facts_read(
    const struct module *module, CK_SLOT_ID slot, struct token_facts *ret_facts)
{
	struct token_facts facts = { 0 };
	CK_TOKEN_INFO info = { 0 };
	CK_RV rv = module->raw->C_GetTokenInfo(slot, &info);

	if (rv != CKR_OK)
		return raw_error(CA_R_TOKEN, rv,
		    "the token in slot %lu does not answer", slot);
	if (copy_text(info.label, sizeof(info.label), facts.label,
		sizeof(facts.label)) != 0 ||
	    copy_text(info.manufacturerID, sizeof(info.manufacturerID),
		facts.manufacturer, sizeof(facts.manufacturer)) != 0 ||
	    copy_text(info.model, sizeof(info.model), facts.model,
		sizeof(facts.model)) != 0 ||
	    copy_text(info.serialNumber, sizeof(info.serialNumber),
		facts.serial, sizeof(facts.serial)) != 0)
		return -1;
	(void)snprintf(facts.hardware, sizeof(facts.hardware), "%u.%u",
	    info.hardwareVersion.major, info.hardwareVersion.minor);
	(void)snprintf(facts.firmware, sizeof(facts.firmware), "%u.%u",
	    info.firmwareVersion.major, info.firmwareVersion.minor);
	read_flags(&facts, info.flags);
	facts.pin_min = info.ulMinPinLen;
	facts.pin_max = info.ulMaxPinLen;
	*ret_facts = facts;
	return 0;
}

/* ---- Finding ---- */

/* What is looked for, what was found, and the text of what is there. */
struct search {
	const char *label;  /* escaped; NULL: any */
	const char *serial; /* escaped; NULL: any */
	bool initialised;
	unsigned found;
	CK_SLOT_ID slot;
	struct token_facts facts;
	char there[1024];
	unsigned listed;
};

static void
list_token(struct search *search, const struct token_facts *facts)
{
	size_t used = strlen(search->there);
	char *end = search->there + used;
	size_t left = sizeof(search->there) - used;

	if (search->listed++ >= LISTED_MAX)
		return;
	if (facts->initialised)
		(void)snprintf(end, left, "%s'%s' (serial '%s')",
		    used == 0 ? "" : ", ", facts->label, facts->serial);
	else
		(void)snprintf(end, left, "%sblank (serial '%s')",
		    used == 0 ? "" : ", ", facts->serial);
}

static void
search_slot(const struct module *module, CK_SLOT_ID slot, struct search *search)
{
	struct token_facts facts;
	int result = 0;

	/* A slot whose token went away is no reason not to find another. */
	(void)ERR_set_mark();
	result = facts_read(module, slot, &facts);
	(void)ERR_pop_to_mark();
	if (result != 0)
		return;
	list_token(search, &facts);
	if (facts.initialised != search->initialised ||
	    (search->label != NULL &&
		strcmp(search->label, facts.label) != 0) ||
	    (search->serial != NULL &&
		strcmp(search->serial, facts.serial) != 0))
		return;
	search->found++;
	search->slot = slot;
	search->facts = facts;
}

static int
search_tokens(const struct module *module, struct search *search)
{
	AUTO_STRUCT(slots) slots = { 0 };

	if (slots_read(module, &slots) != 0)
		return -1;
	for (size_t i = 0; i < slots.count; i++)
		search_slot(module, slots.list[i], search);
	return 0;
}

static const char *
what_is_there(const struct search *search)
{
	return search->listed == 0 ? "the module shows no token"
				   : search->there;
}

static int
token_new(struct module *module, const struct search *search,
    struct token **ret_token)
{
	struct token *token = calloc(1, sizeof(*token));

	if (token == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a token");
	token->module = module;
	token->slot = search->slot;
	token->facts = search->facts;
	*ret_token = token;
	return 0;
}

/* "token 'LABEL' with serial 'SERIAL'", or one of the two; free(). */
static char *
search_text(const struct search *search)
{
	if (search->label == NULL)
		return text_printf("token with serial '%s'", search->serial);
	if (search->serial == NULL)
		return text_printf("token '%s'", search->label);
	return text_printf(
	    "token '%s' with serial '%s'", search->label, search->serial);
}

static char *
escape(const char *text)
{
	return text_escape(
	    text != NULL ? text : "", text != NULL ? strlen(text) : 0);
}

int
token_find(struct module *module, const char *label, const char *serial,
    struct token **ret_token)
{
	AUTO_CHARS(label_text) = escape(label);
	AUTO_CHARS(serial_text) = escape(serial);
	AUTO_CHARS(wanted) = NULL;
	struct search search = { .label = label != NULL ? label_text : NULL,
		.serial = serial != NULL ? serial_text : NULL,
		.initialised = true };

	if (label_text == NULL || serial_text == NULL ||
	    search_tokens(module, &search) != 0)
		return -1;
	wanted = search_text(&search);
	if (wanted == NULL)
		return -1;
	if (search.found == 0)
		return ca_error(CA_R_TOKEN, "no %s; there is: %s", wanted,
		    what_is_there(&search));
	if (search.found > 1)
		return ca_error(CA_R_TOKEN,
		    "there is more than one %s; name the serial as well; "
		    "there is: %s",
		    wanted, what_is_there(&search));
	return token_new(module, &search, ret_token);
}

int
token_find_blank(
    struct module *module, const char *serial, struct token **ret_token)
{
	AUTO_CHARS(serial_text) = text_escape(
	    serial != NULL ? serial : "", serial != NULL ? strlen(serial) : 0);
	struct search search = { .serial =
				     serial != NULL ? serial_text : NULL };

	if (serial_text == NULL || search_tokens(module, &search) != 0)
		return -1;
	if (search.found == 0)
		return ca_error(CA_R_TOKEN,
		    "no uninitialised token%s%s%s, and an initialised one is "
		    "never initialised again; there is: %s",
		    serial != NULL ? " with serial '" : "", serial_text,
		    serial != NULL ? "'" : "", what_is_there(&search));
	if (search.found > 1)
		return ca_error(CA_R_TOKEN,
		    "%u tokens are uninitialised; name the serial of one; "
		    "there is: %s",
		    search.found, what_is_there(&search));
	return token_new(module, &search, ret_token);
}

const struct token_facts *
token_facts(const struct token *token)
{
	return &token->facts;
}

int
token_refresh(struct token *token)
{
	return facts_read(token->module, token->slot, &token->facts);
}

/* ---- PINs ---- */

static int
check_pin_length(
    const struct token *token, const struct secret *pin, const char *what)
{
	const struct token_facts *facts = &token->facts;

	if (pin == NULL && facts->protected_path)
		return 0;
	if (pin == NULL)
		return ca_error(CA_R_PIN,
		    "token '%s' has no PIN pad of its own, and no %s was given",
		    facts->label, what);
	if (pin->bytes == NULL || pin->len == 0)
		return ca_error(CA_R_PIN, "the %s is empty", what);
	if (strlen(pin->bytes) != pin->len)
		return ca_error(CA_R_PIN, "the %s contains a NUL byte", what);
	if (pin->len < facts->pin_min ||
	    (facts->pin_max != 0 && pin->len > facts->pin_max))
		return ca_error(CA_R_PIN,
		    "the %s has %zu characters, but token '%s' takes %lu to "
		    "%lu",
		    what, pin->len, facts->label, facts->pin_min,
		    facts->pin_max);
	return 0;
}

/* NULL and 0: typed at the token. */
static CK_UTF8CHAR *
pin_bytes(const struct secret *pin)
{
	return pin != NULL ? (CK_UTF8CHAR *)pin->bytes : NULL;
}

static CK_ULONG
pin_len(const struct secret *pin)
{
	return pin != NULL ? pin->len : 0;
}

/* Whose PIN: the flags that speak of it. */
struct pin_holder {
	const char *what;
	CK_FLAGS low, final, locked;
};

static const struct pin_holder user_holder = { "user PIN",
	CKF_USER_PIN_COUNT_LOW, CKF_USER_PIN_FINAL_TRY, CKF_USER_PIN_LOCKED };
static const struct pin_holder so_holder = { "security officer's PIN",
	CKF_SO_PIN_COUNT_LOW, CKF_SO_PIN_FINAL_TRY, CKF_SO_PIN_LOCKED };

static int
refuse_locked(struct token *token, const struct pin_holder *holder)
{
	if (token_refresh(token) != 0)
		return -1;
	if ((token->facts.flags & holder->locked) == 0)
		return 0;
	return ca_error(CA_R_PIN,
	    "the %s of token '%s' is locked; no login was tried; the token's "
	    "own tools unlock it",
	    holder->what, token->facts.label);
}

/* What the token says of tries left; it is asked, not tried again. */
static const char *
tries_left(struct token *token, const struct pin_holder *holder)
{
	if (token_refresh(token) != 0)
		return "the token does not say how many tries are left";
	if ((token->facts.flags & holder->locked) != 0)
		return "the PIN is now locked";
	if ((token->facts.flags & holder->final) != 0)
		return "one try is left, then the PIN is locked";
	if ((token->facts.flags & holder->low) != 0)
		return "the token counts wrong tries and few are left";
	return "the token says nothing of the tries left";
}

static int
login_error(struct token *token, const struct pin_holder *holder, CK_RV rv)
{
	const char *left = tries_left(token, holder);

	if (rv == CKR_PIN_LOCKED)
		return raw_error(CA_R_PIN, rv,
		    "the %s of token '%s' is locked; the token's own tools "
		    "unlock it",
		    holder->what, token->facts.label);
	if (rv == CKR_PIN_INCORRECT)
		return raw_error(CA_R_PIN, rv,
		    "the %s of token '%s' is wrong; it was tried once; %s",
		    holder->what, token->facts.label, left);
	return raw_error(CA_R_TOKEN, rv,
	    "login with the %s at token '%s' failed; it was tried once; %s",
	    holder->what, token->facts.label, left);
}

/* ---- Initialisation ---- */

static int
check_label(const char *label)
{
	size_t len = strlen(label);

	for (size_t i = 0; i < len; i++)
		if (label[i] < 0x20 || label[i] > 0x7e)
			return ca_error(CA_R_USAGE,
			    "token label '%s' is not printable ASCII", label);
	if (len < 1 || len > LABEL_MAX || label[0] == ' ' ||
	    label[len - 1] == ' ')
		return ca_error(CA_R_USAGE,
		    "token label '%s' must have 1 to %d characters and no "
		    "blank at either end",
		    label, LABEL_MAX);
	return 0;
}

/*
 * After C_InitToken slot and serial may be new: it is the one token with the
 * label.  That label was not there before (token_initialise).
 */
static int
find_again(struct token *token, const char *label)
{
	struct token *found = NULL;

	if (token_find(token->module, label, NULL, &found) != 0)
		return -1;
	token->slot = found->slot;
	token->facts = found->facts;
	token_free(found);
	return 0;
}

static int
refuse_taken_label(const struct token *token, const char *label)
{
	AUTO_CHARS(text) = text_escape(label, strlen(label));
	struct search search = { .label = text, .initialised = true };

	if (text == NULL || search_tokens(token->module, &search) != 0)
		return -1;
	if (search.found != 0)
		return ca_error(CA_R_TOKEN,
		    "a token '%s' is there already; take another label", label);
	return 0;
}

static int
init_token(struct token *token, const char *label, const struct secret *so_pin)
{
	AUTO_STRUCT(guard) guard = { 0 };
	unsigned char padded[LABEL_MAX];
	CK_RV rv = CKR_OK;

	memset(padded, ' ', sizeof(padded));
	memcpy(padded, label, strlen(label));
	if (guard_begin(token->module, &guard) != 0)
		return -1;
	rv = token->module->raw->C_InitToken(
	    token->slot, pin_bytes(so_pin), pin_len(so_pin), padded);
	if (guard_end(&guard, GUARD_KEYS) != 0)
		return -1;
	if (rv != CKR_OK)
		return raw_error(CA_R_TOKEN, rv,
		    "the token with serial '%s' cannot be initialised",
		    token->facts.serial);
	return 0;
}

int
token_initialise(
    struct token *token, const char *label, const struct secret *so_pin)
{
	if (check_label(label) != 0 ||
	    check_pin_length(token, so_pin, so_holder.what) != 0 ||
	    refuse_taken_label(token, label) != 0 || token_refresh(token) != 0)
		return -1;
	if (token->facts.initialised)
		return ca_error(CA_R_TOKEN,
		    "token '%s' (serial '%s') is initialised and is not "
		    "initialised again",
		    token->facts.label, token->facts.serial);
	if (init_token(token, label, so_pin) != 0)
		return -1;
	return find_again(token, label);
}

static int
open_raw_session(const struct token *token, CK_SESSION_HANDLE *ret_session)
{
	CK_RV rv = token->module->raw->C_OpenSession(token->slot,
	    CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, ret_session);

	if (rv != CKR_OK)
		return raw_error(CA_R_TOKEN, rv,
		    "no read-write session with token '%s'; are other "
		    "programs using it?",
		    token->facts.label);
	return 0;
}

static int
init_pin(struct token *token, CK_SESSION_HANDLE session,
    const struct secret *so_pin, const struct secret *user_pin)
{
	CK_FUNCTION_LIST *raw = token->module->raw;
	AUTO_STRUCT(guard) guard = { 0 };
	CK_RV login = CKR_OK, set = CKR_OK;

	if (guard_begin(token->module, &guard) != 0)
		return -1;
	login =
	    raw->C_Login(session, CKU_SO, pin_bytes(so_pin), pin_len(so_pin));
	if (login == CKR_OK) {
		set = raw->C_InitPIN(
		    session, pin_bytes(user_pin), pin_len(user_pin));
		(void)raw->C_Logout(session);
	}
	if (guard_end(&guard, GUARD_PINS) != 0)
		return -1;
	if (login != CKR_OK)
		return login_error(token, &so_holder, login);
	if (set != CKR_OK)
		return raw_error(CA_R_TOKEN, set,
		    "the user PIN of token '%s' cannot be set",
		    token->facts.label);
	return 0;
}

int
token_set_user_pin(struct token *token, const struct secret *so_pin,
    const struct secret *user_pin)
{
	CK_SESSION_HANDLE session = 0;
	int result = 0;

	if (token->module->session != NULL)
		return ca_error(CA_R_STATE,
		    "the user is logged in at token '%s'; log out before the "
		    "security officer logs in",
		    token->module->session->facts.label);
	if (refuse_locked(token, &so_holder) != 0 ||
	    check_pin_length(token, so_pin, so_holder.what) != 0 ||
	    check_pin_length(token, user_pin, user_holder.what) != 0)
		return -1;
	if (open_raw_session(token, &session) != 0)
		return -1;
	result = init_pin(token, session, so_pin, user_pin);
	(void)token->module->raw->C_CloseSession(session);
	if (result != 0)
		return -1;
	return token_refresh(token);
}

/*
 * C_SetPIN: the security officer's where one is logged in, else the user's.
 */
static int
change_pin(struct token *token, CK_SESSION_HANDLE session,
    const struct pin_holder *holder, const struct secret *old_pin,
    const struct secret *new_pin)
{
	CK_FUNCTION_LIST *raw = token->module->raw;
	AUTO_STRUCT(guard) guard = { 0 };
	CK_RV rv = CKR_OK;

	if (guard_begin(token->module, &guard) != 0)
		return -1;
	if (holder == &so_holder)
		rv = raw->C_Login(
		    session, CKU_SO, pin_bytes(old_pin), pin_len(old_pin));
	if (rv == CKR_OK) {
		rv = raw->C_SetPIN(session, pin_bytes(old_pin),
		    pin_len(old_pin), pin_bytes(new_pin), pin_len(new_pin));
		if (holder == &so_holder)
			(void)raw->C_Logout(session);
	}
	if (guard_end(&guard, GUARD_PINS) != 0)
		return -1;
	return rv == CKR_OK ? 0 : login_error(token, holder, rv);
}

static int
change_pin_of(struct token *token, const struct pin_holder *holder,
    const struct secret *old_pin, const struct secret *new_pin)
{
	CK_SESSION_HANDLE session = 0;
	int result = 0;

	if (token->module->session != NULL)
		return ca_error(CA_R_STATE,
		    "the user is logged in at token '%s'; log out before a PIN "
		    "is changed",
		    token->module->session->facts.label);
	if (refuse_locked(token, holder) != 0 ||
	    check_pin_length(token, old_pin, holder->what) != 0 ||
	    check_pin_length(token, new_pin, holder->what) != 0)
		return -1;
	if (open_raw_session(token, &session) != 0)
		return -1;
	result = change_pin(token, session, holder, old_pin, new_pin);
	(void)token->module->raw->C_CloseSession(session);
	return result != 0 ? -1 : token_refresh(token);
}

int
token_change_so_pin(struct token *token, const struct secret *old_pin,
    const struct secret *new_pin)
{
	return change_pin_of(token, &so_holder, old_pin, new_pin);
}

int
token_change_user_pin(struct token *token, const struct secret *old_pin,
    const struct secret *new_pin)
{
	return change_pin_of(token, &user_holder, old_pin, new_pin);
}

/* ---- Login ---- */

static int
find_p11_slot(struct token *token)
{
	if (PKCS11_enumerate_slots(
		token->module->p11, &token->p11_slots, &token->p11_count) != 0)
		return ca_error(CA_R_TOKEN, "libp11 cannot list the slots");
	for (unsigned i = 0; i < token->p11_count; i++)
		if (PKCS11_get_slotid_from_slot(&token->p11_slots[i]) ==
		    token->slot)
			token->p11_slot = &token->p11_slots[i];
	if (token->p11_slot == NULL || token->p11_slot->token == NULL)
		return ca_error(CA_R_TOKEN,
		    "token '%s' went away; connect it and run the command "
		    "again",
		    token->facts.label);
	/* Read-write now: to switch later would log out silently. */
	if (PKCS11_open_session(token->p11_slot, 1) != 0)
		return ca_error(CA_R_TOKEN, "no session with token '%s'",
		    token->facts.label);
	return 0;
}

/* libp11 reports a module's CKR_* as the reason of an entry of its own. */
static CK_RV
last_libp11_rv(void)
{
	unsigned long code = ERR_peek_last_error();

	if (code == 0 || ERR_GET_LIB(code) != ERR_get_CKR_code())
		return CKR_GENERAL_ERROR;
	return (CK_RV)ERR_GET_REASON(code);
}

/* The one C_Login. */
static int
login(struct token *token, const struct secret *pin)
{
	AUTO_STRUCT(guard) guard = { 0 };
	CK_RV rv = CKR_OK;

	if (guard_begin(token->module, &guard) != 0)
		return -1;
	/* Raw for a guest: libp11 would keep its PIN until it is unparked. */
	if (token->guest)
		rv = token->module->raw->C_Login(
		    token->session, CKU_USER, pin_bytes(pin), pin_len(pin));
	else if (PKCS11_login(
		     token->p11_slot, 0, pin != NULL ? pin->bytes : NULL) != 0)
		rv = last_libp11_rv();
	/* With the PIN that was right just now, so not a try of its own. */
	if (rv == CKR_OK && token->module->per_caller)
		rv = token->module->raw->C_Login(
		    token->session, CKU_USER, pin_bytes(pin), pin_len(pin));
	if (guard_end(&guard, GUARD_LOGIN) != 0)
		return -1;
	if (rv != CKR_OK)
		return login_error(token, &user_holder, rv);
	return 0;
}

static void
release(struct token *token)
{
	if (token->p11_slots != NULL)
		PKCS11_release_all_slots(
		    token->module->p11, token->p11_slots, token->p11_count);
	token->p11_slots = NULL;
	token->p11_slot = NULL;
	token->p11_count = 0;
}

/*
 * To release a guest's slots would close all sessions, those of the token that
 * is logged in as well: its own are closed, and the rest waits.
 */
static void
release_guest(struct token *token)
{
	struct module *module = token->module;
	struct parked *parked = NULL;

	if (module->session == NULL || token->p11_slots == NULL) {
		release(token);
		return;
	}
	(void)module->raw->C_CloseAllSessions(token->slot);
	parked = calloc(1, sizeof(*parked));
	if (parked != NULL) {
		*parked = (struct parked){ .next = module->parked,
			.slots = token->p11_slots,
			.count = token->p11_count };
		module->parked = parked;
	}
	token->p11_slots = NULL;
	token->p11_slot = NULL;
	token->p11_count = 0;
}

/*
 * libp11 0.4.12 waits for ever where the token refuses its first session with
 * CKR_SESSION_COUNT: so a second one is tried here, for it to take.
 */
static int
open_raw_sessions(struct token *token)
{
	CK_SESSION_HANDLE first = 0, second = 0;

	if (open_raw_session(token, &first) != 0)
		return -1;
	if (open_raw_session(token, &second) != 0) {
		(void)token->module->raw->C_CloseSession(first);
		return -1;
	}
	(void)token->module->raw->C_CloseSession(second);
	token->session = first;
	return 0;
}

static void
close_raw_session(struct token *token)
{
	if (token->session != 0)
		(void)token->module->raw->C_CloseSession(token->session);
	token->session = 0;
}

int
token_login(struct token *token, const struct secret *pin)
{
	/* libp11 closes the sessions of all slots when it releases some. */
	if (token->session != 0 ||
	    (token->module->session != NULL && !token->guest))
		return ca_error(CA_R_STATE,
		    "token '%s' is logged in already; one at a time",
		    token->session != 0 ? token->facts.label
					: token->module->session->facts.label);
	if (refuse_locked(token, &user_holder) != 0 ||
	    check_pin_length(token, pin, user_holder.what) != 0)
		return -1;
	if (!token->facts.user_pin_set)
		return ca_error(CA_R_PIN,
		    "token '%s' has no user PIN yet; finish its "
		    "initialisation",
		    token->facts.label);
	if (find_p11_slot(token) != 0 || open_raw_sessions(token) != 0 ||
	    login(token, pin) != 0) {
		close_raw_session(token);
		if (token->guest)
			release_guest(token);
		else
			release(token);
		return -1;
	}
	if (!token->guest)
		token->module->session = token;
	return token_refresh(token);
}

void
token_logout(struct token *token)
{
	if (token->session == 0)
		return;
	/* Raw: libp11's own call empties the error queue when it succeeds. */
	(void)token->module->raw->C_Logout(token->session);
	close_raw_session(token);
	/* Keys before slots: libp11 frees what the keys point to. */
	key_drop_kept(token);
	if (token->guest) {
		release_guest(token);
		return;
	}
	release(token);
	token->module->session = NULL;
	module_unpark(token->module);
}

int
token_need_login(const struct token *token)
{
	if (token->session == 0)
		return ca_error(CA_R_INTERNAL,
		    "nobody is logged in at token '%s'", token->facts.label);
	return 0;
}

void
token_free(struct token *token)
{
	token_logout(token);
	free(token);
}

/* ---- Random octets ---- */

static int
token_bytes(struct token *token, unsigned char *out, size_t len)
{
	CK_FUNCTION_LIST *raw = token->module->raw;
	CK_SESSION_HANDLE session = token->session;
	CK_RV rv = CKR_OK;

	if (session == 0)
		rv = raw->C_OpenSession(token->slot,
		    CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session);
	if (rv == CKR_OK) {
		rv = raw->C_GenerateRandom(session, out, len);
		if (token->session == 0)
			(void)raw->C_CloseSession(session);
	}
	if (rv != CKR_OK)
		return raw_error(CA_R_TOKEN, rv,
		    "token '%s' gives no random octets", token->facts.label);
	return 0;
}

/* True if no block of RANDOM_BLOCK octets is of one value. */
static bool
varies(const unsigned char *bytes, size_t len)
{
	for (size_t at = 0; at + RANDOM_BLOCK <= len; at += RANDOM_BLOCK) {
		size_t same = 1;

		while (same < RANDOM_BLOCK && bytes[at + same] == bytes[at])
			same++;
		if (same == RANDOM_BLOCK)
			return false;
	}
	return true;
}

/*
 * rules.md P11-RNG, a continuous test: no block is constant, none repeats the
 * one before it, which for the first is the last of the call before.
 */
static bool
is_random(const unsigned char *bytes, size_t len,
    const unsigned char last[RANDOM_BLOCK])
{
	if (!varies(bytes, len))
		return false;
	for (size_t at = 0; at + RANDOM_BLOCK <= len; at += RANDOM_BLOCK) {
		if (CRYPTO_memcmp(bytes + at, last, RANDOM_BLOCK) == 0)
			return false;
		last = bytes + at;
	}
	return true;
}

/* A buffer of secret octets: whole blocks, two at the least. */
struct blocks {
	unsigned char *bytes;
	size_t len;
};

static void
blocks_clear(struct blocks *blocks)
{
	OPENSSL_clear_free(blocks->bytes, blocks->len);
	*blocks = (struct blocks){ 0 };
}

CLEANUP_DEFINE_STRUCT(blocks);

static int
blocks_new(size_t len, struct blocks *blocks)
{
	size_t count = (len + RANDOM_BLOCK - 1) / RANDOM_BLOCK + 1;

	blocks->len = count * RANDOM_BLOCK;
	blocks->bytes = OPENSSL_zalloc(blocks->len);
	if (blocks->bytes == NULL)
		return ca_error(CA_R_MEMORY, "no memory for random octets");
	return 0;
}

int
token_random(struct token *token, unsigned char *ret_bytes, size_t len)
{
	static const unsigned char none[RANDOM_BLOCK] = { 0 };
	AUTO_STRUCT(blocks) ours = { 0 };
	AUTO_STRUCT(blocks) theirs = { 0 };

	if (len > RANDOM_MAX)
		return ca_error(CA_R_INTERNAL,
		    "%zu random octets at once are too many", len);
	if (blocks_new(len, &ours) != 0 || blocks_new(len, &theirs) != 0)
		return -1;
	if (RAND_priv_bytes(ours.bytes, (int)ours.len) != 1)
		return ca_error(
		    CA_R_INTERNAL, "the system gives no random octets");
	if (token_bytes(token, theirs.bytes, theirs.len) != 0)
		return -1;
	if (!is_random(ours.bytes, ours.len, none))
		return ca_error(CA_R_INTERNAL,
		    "the system's random octets are constant or repeat");
	if (!is_random(theirs.bytes, theirs.len, token->last_random))
		return ca_error(CA_R_TOKEN,
		    "the random octets of token '%s' are constant or repeat; "
		    "do not use this token",
		    token->facts.label);
	memcpy(token->last_random, theirs.bytes + theirs.len - RANDOM_BLOCK,
	    RANDOM_BLOCK);
	for (size_t i = 0; i < len; i++)
		ret_bytes[i] = ours.bytes[i] ^ theirs.bytes[i];
	return 0;
}

/* ---- Mechanisms ---- */

/* What a family of keys needs of the token. */
static const struct need {
	enum key_family family;
	CK_MECHANISM_TYPE mechanism;
	CK_FLAGS flag;
	const char *name;
} needs[] = {
	{ KEY_RSA, CKM_RSA_PKCS_KEY_PAIR_GEN, CKF_GENERATE_KEY_PAIR,
	    "CKM_RSA_PKCS_KEY_PAIR_GEN" },
	{ KEY_RSA, CKM_RSA_PKCS, CKF_SIGN, "CKM_RSA_PKCS" },
	{ KEY_EC, CKM_EC_KEY_PAIR_GEN, CKF_GENERATE_KEY_PAIR,
	    "CKM_EC_KEY_PAIR_GEN" },
	{ KEY_EC, CKM_ECDSA, CKF_SIGN, "CKM_ECDSA" },
};

static int
check_need(const struct token *token, const struct need *need,
    const struct key_type *type)
{
	CK_MECHANISM_INFO info = { 0 };
	CK_RV rv = token->module->raw->C_GetMechanismInfo(
	    token->slot, need->mechanism, &info);

	if (rv == CKR_MECHANISM_INVALID ||
	    (rv == CKR_OK && (info.flags & need->flag) == 0))
		return ca_error(CA_R_TOKEN,
		    "token '%s' lacks %s, which %s keys need",
		    token->facts.label, need->name, type->name);
	if (rv != CKR_OK)
		return raw_error(CA_R_TOKEN, rv,
		    "token '%s' does not describe %s", token->facts.label,
		    need->name);
	if (info.ulMaxKeySize != 0 &&
	    (type->bits < info.ulMinKeySize || type->bits > info.ulMaxKeySize))
		return ca_error(CA_R_TOKEN,
		    "token '%s' has %s for %lu to %lu bits, not for %s",
		    token->facts.label, need->name, info.ulMinKeySize,
		    info.ulMaxKeySize, type->name);
	return 0;
}

int
token_offers(struct token *token, const struct key_type *type)
{
	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++)
		if (needs[i].family == type->family &&
		    check_need(token, &needs[i], type) != 0)
			return -1;
	return 0;
}
