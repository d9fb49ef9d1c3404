/*
 * The token of a new authority: initialised here, or taken over from its
 * maker's tool.
 */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/init-private.h"

/* An embedded token can be copied and guessed at, a thousand PINs a second. */
enum { EMBEDDED_PIN_MIN = 8 };

/* ---- the token -------------------------------------------------------- */

bool
init_is_embedded(const struct init *init)
{
	return init->options->module == NULL;
}

/* Was the token initialised by somebody else, before this authority was? */
bool
init_is_given(const struct init *init)
{
	return init->login == LOGIN_ADOPTED ||
	    init->login == LOGIN_PROTECTED_PATH;
}

/* Long enough for what can be guessed at, and of a length the token takes. */
static int
check_pin(const struct init *init, const struct secret *pin, const char *what)
{
	const struct token_facts *facts = init->authority->token == NULL
	    ? NULL
	    : token_facts(init->authority->token);

	if (init_is_embedded(init) && pin->len < EMBEDDED_PIN_MIN)
		return ca_error(CA_R_PIN,
		    "the %s has %zu characters; an embedded token can be "
		    "copied and guessed at without limit, so it needs at least "
		    "%d",
		    what, pin->len, EMBEDDED_PIN_MIN);
	if (facts != NULL &&
	    (pin->len < facts->pin_min || pin->len > facts->pin_max))
		return ca_error(CA_R_PIN,
		    "the %s has %zu characters; this token takes %lu to %lu",
		    what, pin->len, facts->pin_min, facts->pin_max);
	return 0;
}

int
init_ask_pins(struct init *init)
{
	const struct room *room = init->room;

	if (init->login != LOGIN_PROMPT)
		return 0;
	if (room->ask_secret(room->ctx, ROOM_NEW_SO_PIN, NULL,
		"new security officer (SO) PIN of the token",
		&init->so_pin) < 0 ||
	    check_pin(init, &init->so_pin, "SO PIN") < 0 ||
	    room->ask_secret(room->ctx, ROOM_NEW_USER_PIN, NULL,
		"new user PIN of the token", &init->user_pin) < 0 ||
	    check_pin(init, &init->user_pin, "user PIN") < 0)
		return -1;
	if (init->so_pin.len == init->user_pin.len &&
	    CRYPTO_memcmp(init->so_pin.bytes, init->user_pin.bytes,
		init->so_pin.len) == 0)
		return ca_error(CA_R_PIN,
		    "the SO PIN and the user PIN are the same; choose two");
	return 0;
}

static int
append_token_intent(struct init *init)
{
	return journal_append(init->authority->journal, ENTRY_TOKEN_INTENT,
	    json_pack("{s:s, s:b}", "label",
		init->authority->config->token.label, "embedded",
		init_is_embedded(init) ? 1 : 0),
	    init_is_given(init)
		? "the user PIN of the token is about to be changed to the "
		  "derived one"
		: "the token is about to be initialised",
	    NULL);
}

static int
append_token(struct init *init)
{
	const struct token_facts *t = token_facts(init->authority->token);
	const struct module_facts *m = module_facts(init->authority->module);
	json_t *module = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "path",
	    m->path, "sha256", m->sha256, "manufacturer", m->manufacturer,
	    "description", m->description, "version", m->version, "cryptoki",
	    m->cryptoki);

	return journal_append(init->authority->journal, ENTRY_TOKEN,
	    json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:o}", "label",
		t->label, "serial", t->serial, "manufacturer", t->manufacturer,
		"model", t->model, "hardware", t->hardware, "firmware",
		t->firmware, "flags", (json_int_t)t->flags, "module", module),
	    init_is_given(init)
		? "the token, which was initialised before, is the "
		  "authority's"
		: "the token was initialised",
	    NULL);
}

/*
 * After a cut, another module's token may have been initialised: then one with
 * our label is there.  Ours cannot have a user PIN yet, which is set only after
 * its serial was recorded; one that has is somebody else's, and not even a
 * login is tried on it.
 */
static int
find_half_made(struct init *init, bool *ret_found)
{
	struct authority *a = init->authority;
	const char *label = a->config->token.label;

	*ret_found = false;
	if (token_find(
		a->module, label, init->options->token_serial, &a->token) < 0) {
		if (ca_error_reason() != CA_R_TOKEN)
			return -1;
		ca_error_clear();
		return 0;
	}
	if (token_facts(a->token)->user_pin_set)
		return ca_error(CA_R_TOKEN,
		    "token '%s' has a user PIN already: it is not the one that "
		    "this init was making; begin again in a new directory, "
		    "with another label",
		    label);
	*ret_found = true;
	return 0;
}

/* C_InitToken.  An embedded token is made anew until its facts are recorded. */
static int
initialise_token(struct init *init)
{
	struct authority *a = init->authority;
	AUTO_CHARS(dir) = text_printf("%s/token", a->path);
	bool half_made = false;

	if (dir == NULL)
		return -1;
	if (init_is_embedded(init) && init->row.token_intended &&
	    softhsm_wipe(dir) < 0)
		return -1;
	if (authority_open_module(a) < 0)
		return -1;
	if (init->row.token_intended && !init_is_embedded(init) &&
	    find_half_made(init, &half_made) < 0)
		return -1;
	if (half_made)
		return init_derive_pins(init) < 0 ? -1 : append_token(init);
	if (a->token == NULL &&
	    token_find_blank(
		a->module, init->options->token_serial, &a->token) < 0)
		return -1;
	if (init_derive_pins(init) < 0 ||
	    (!init->row.token_intended && append_token_intent(init) < 0))
		return -1;
	if (token_initialise(a->token, a->config->token.label, &init->so_pin) <
	    0)
		return -1;
	return append_token(init);
}

/* ---- a token that a vendor's tool initialised ------------------------- */

static int
find_given(struct init *init)
{
	struct authority *a = init->authority;

	if (authority_open_module(a) < 0)
		return -1;
	if (a->token == NULL &&
	    token_find(a->module, a->config->token.label,
		init->options->token_serial, &a->token) < 0)
		return -1;
	if (!token_facts(a->token)->user_pin_set)
		return ca_error(CA_R_TOKEN,
		    "token '%s' has no user PIN; set one with its maker's tool "
		    "first",
		    a->config->token.label);
	if (init->login == LOGIN_PROTECTED_PATH &&
	    !token_facts(a->token)->protected_path)
		return ca_error(CA_R_TOKEN,
		    "token '%s' has no PIN pad or cards of its own "
		    "(CKF_PROTECTED_AUTHENTICATION_PATH)",
		    a->config->token.label);
	return 0;
}

/* After a cut the derived PIN may be the token's already: it is tried once. */
static int
is_changed(struct init *init, bool *ret_changed)
{
	struct token *token = init->authority->token;

	*ret_changed = false;
	if (!init->row.token_intended)
		return 0;
	if (authority_may_try(init->authority, init->room) < 0)
		return -1;
	if (token_login(token, &init->user_pin) == 0) {
		token_logout(token);
		*ret_changed = true;
		return 0;
	}
	if (ca_error_reason() != CA_R_PIN)
		return -1;
	ca_error_clear();
	return 0;
}

/* The user PIN that the vendor's tool set becomes the derived one. */
static int
take_over_pin(struct init *init)
{
	const struct room *room = init->room;
	struct token *token = init->authority->token;
	AUTO_STRUCT(secret) pin = { 0 };
	AUTO_CHARS(prompt) = text_printf(
	    "present user PIN of token '%s'", token_facts(token)->label);
	bool changed = false;

	if (prompt == NULL || init_derive_pins(init) < 0 ||
	    is_changed(init, &changed) < 0)
		return -1;
	if (changed)
		return 0;
	if (!init->row.token_intended && append_token_intent(init) < 0)
		return -1;
	if (authority_may_try(init->authority, room) < 0 ||
	    room->ask_secret(room->ctx, ROOM_USER_PIN, NULL, prompt, &pin) < 0)
		return -1;
	return token_change_user_pin(token, &pin, &init->user_pin);
}

static int
take_over_token(struct init *init)
{
	if (find_given(init) < 0 ||
	    (init->login == LOGIN_ADOPTED && take_over_pin(init) < 0))
		return -1;
	return append_token(init);
}

int
init_open_token(struct init *init)
{
	struct authority *a = init->authority;

	if (init->row.token_serial == NULL)
		return init_is_given(init) ? take_over_token(init)
					   : initialise_token(init);
	if (authority_open_module(a) < 0)
		return -1;
	if (a->token == NULL &&
	    token_find(a->module, a->config->token.label,
		init->row.token_serial, &a->token) < 0)
		return -1;
	return init_derive_pins(init);
}

/* User PIN, login, and the journal's own key. */
int
init_make_journal_key(struct init *init)
{
	struct authority *a = init->authority;
	AUTO_STRUCT(key_row) key = { 0 };
	bool found = false;

	if (journal_key(a->journal, JOURNAL_KEY, &found, &key) < 0)
		return -1;
	found = found && key.state == KEY_LIVE;
	if (!found && !init_is_given(init) &&
	    token_set_user_pin(a->token, &init->so_pin, &init->user_pin) < 0)
		return -1;
	if (authority_login_with(a,
		init->login == LOGIN_PROTECTED_PATH ? NULL : &init->user_pin,
		init->room, "init") < 0)
		return -1;
	secret_clear(&init->so_pin);
	secret_clear(&init->user_pin);
	if (found)
		return 0;
	return authority_make_key(
	    a, "init", JOURNAL_KEY, "p-256", "journal", "none");
}

/* A token with the label that ours would have is not ours. */
int
init_refuse_taken_label(struct init *init)
{
	AUTO_PTR(token) *other = NULL;
	AUTO_CHARS(label) = init->options->token_label != NULL
	    ? text_copy(init->options->token_label)
	    : init_default_label(init->options->id);

	if (label == NULL)
		return -1;
	if (token_find(init->authority->module, label, NULL, &other) == 0)
		return ca_error(CA_R_TOKEN,
		    "there is a token '%s' already; choose another label with "
		    "--token",
		    label);
	if (ca_error_reason() != CA_R_TOKEN)
		return -1;
	ca_error_clear();
	return 0;
}

/* The token that is to be taken over is there; authority.yaml is not yet. */
int
init_find_promised(struct init *init)
{
	AUTO_CHARS(label) = init->options->token_label != NULL
	    ? text_copy(init->options->token_label)
	    : init_default_label(init->options->id);

	return label == NULL
	    ? -1
	    : token_find(init->authority->module, label,
		  init->options->token_serial, &init->authority->token);
}

/* A PIN in the format that is asked for, as long as this token wants it. */
int
init_check_pin_format(struct init *init)
{
	const struct authority_options *o = init->options;
	const struct token_facts *facts = init->authority->token == NULL
	    ? NULL
	    : token_facts(init->authority->token);
	struct pin_format format = { .length = o->pin_length };
	size_t length = 0;

	if (!login_has_shares(init->login))
		return 0;
	if (o->pin_format != NULL &&
	    pin_alphabet(o->pin_format, &format.alphabet) < 0)
		return -1;
	return pin_length(&format, facts == NULL ? 0 : facts->pin_min,
	    facts == NULL ? PIN_HEX_LEN : facts->pin_max, o->allow_short_pin,
	    &length);
}
