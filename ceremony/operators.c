#include "ceremony/operators.h"

#include <string.h>

#include <openssl/err.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/quorum/operator-key.h"

/* ---- who is there ----------------------------------------------------- */

static const struct room_operator *
find_present(const struct operators *operators, const char *name)
{
	for (size_t i = 0; i < operators->count; i++)
		if (strcmp(operators->present[i].name, name) == 0)
			return &operators->present[i];
	return NULL;
}

/* "alice, bob and carol": operators, or with `witnesses` all of the set. */
static char *
names_of(const struct quorum_set *set)
{
	char *names = text_copy("");

	for (size_t i = 0; names != NULL && i < set->count; i++) {
		AUTO_CHARS(before) = names;

		names = text_printf("%s%s%s%s", before, i == 0 ? "" : ", ",
		    set->people[i].name,
		    set->people[i].witness ? " (witness)" : "");
	}
	return names;
}

static int
check_name(const struct operators *operators, const char *name)
{
	AUTO_CHARS(names) = NULL;

	if (set_person(operators->set, name) != NULL)
		return 0;
	names = names_of(operators->set);
	return ca_error(CA_R_QUORUM,
	    "'%s' is not in the quorum set; in it are %s", name,
	    names == NULL ? "others" : names);
}

static int
add_present(struct operators *operators, const struct room_operator *who)
{
	struct room_operator *rows;
	AUTO_CHARS(name) = NULL;
	AUTO_CHARS(reference) = NULL;

	if (find_present(operators, who->name) != NULL)
		return ca_error(
		    CA_R_USAGE, "operator '%s' is named twice", who->name);
	if (check_name(operators, who->name) < 0 ||
	    key_reference_check(who->reference) < 0)
		return -1;
	name = text_copy(who->name);
	reference = text_copy(who->reference);
	if (name == NULL || reference == NULL)
		return -1;
	rows =
	    realloc(operators->present, (operators->count + 1) * sizeof(*rows));
	if (rows == NULL)
		return ca_error(CA_R_MEMORY, "no memory for operators");
	operators->present = rows;
	rows[operators->count++] =
	    (struct room_operator){ TAKE(name), TAKE(reference) };
	return 0;
}

int
operators_open(const struct room *room, const struct quorum_set *set,
    struct operators *ret_operators)
{
	AUTO_STRUCT(operators) operators = { .room = room, .set = set };

	for (size_t i = 0; i < room->operator_count; i++)
		if (add_present(&operators, &room->operators[i]) < 0)
			return -1;
	*ret_operators = operators;
	operators = (struct operators){ 0 };
	return 0;
}

void
operators_clear(struct operators *operators)
{
	for (size_t i = 0; i < operators->count; i++) {
		free(operators->present[i].name);
		free(operators->present[i].reference);
	}
	free(operators->present);
	*operators = (struct operators){ 0 };
}

static void
free_operator(struct room_operator *who)
{
	free(who->name);
	free(who->reference);
}

/* Say what is wrong with an answer, before it is asked for again. */
static int
show_newest_error(const struct room *room)
{
	AUTO_CHARS(text) = ca_error_take();
	AUTO_CHARS(safe) =
	    text == NULL ? NULL : text_escape(text, strlen(text));

	if (safe == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a message");
	room->show(room->ctx, ROOM_WARNING, safe);
	return 0;
}

/* Ask until somebody of the set is named, who is not there yet, or nobody. */
static int
ask_for_one(struct operators *operators, const char *prompt)
{
	const struct room *room = operators->room;

	for (;;) {
		struct room_operator who = { 0 };
		int rc;

		if (room->ask_operator(room->ctx, prompt, &who) < 0)
			return -1;
		rc = add_present(operators, &who);
		free_operator(&who);
		if (rc == 0)
			return 0;
		if (ca_error_reason() == CA_R_MEMORY ||
		    show_newest_error(room) < 0)
			return -1;
	}
}

int
operators_reference(
    struct operators *operators, const char *name, const char **ret_reference)
{
	const struct room_operator *who = find_present(operators, name);
	AUTO_CHARS(prompt) = NULL;

	if (check_name(operators, name) < 0)
		return -1;
	prompt = text_printf("Where is the key of %s?", name);
	if (prompt == NULL)
		return -1;
	while (who == NULL) {
		if (ask_for_one(operators, prompt) < 0)
			return -1;
		who = find_present(operators, name);
	}
	*ret_reference = who->reference;
	return 0;
}

const struct person *
operators_at(const struct operators *operators, size_t i)
{
	for (size_t n = 0; n < operators->count; n++) {
		const struct person *person =
		    set_person(operators->set, operators->present[n].name);

		if (person != NULL && !person->witness && i-- == 0)
			return person;
	}
	return NULL;
}

static unsigned
count_operators(const struct operators *operators)
{
	unsigned n = 0;

	while (operators_at(operators, n) != NULL)
		n++;
	return n;
}

/* Fewer than are needed, and nobody else comes. */
static int
too_few(const struct operators *operators, unsigned needed, const char *why)
{
	AUTO_CHARS(names) = text_copy("nobody");
	const struct person *person;

	for (size_t i = 0;
	     names != NULL && (person = operators_at(operators, i)) != NULL;
	     i++) {
		AUTO_CHARS(before) = TAKE(names);

		names = i == 0 ? text_copy(person->name)
			       : text_printf("%s, %s", before, person->name);
	}
	return ca_error(CA_R_QUORUM,
	    "%u operators are needed %s, and %u are there: %s; name the others "
	    "with --operator NAME=KEY",
	    needed, why, count_operators(operators),
	    names == NULL ? "" : names);
}

int
operators_need(struct operators *operators, unsigned needed, const char *why)
{
	for (;;) {
		unsigned there = count_operators(operators);
		AUTO_CHARS(prompt) = NULL;

		if (there >= needed)
			return 0;
		prompt =
		    text_printf("%u operators are needed %s, %u are there. "
				"Who else takes part?",
			needed, why, there);
		if (prompt == NULL)
			return -1;
		if (ask_for_one(operators, prompt) == 0)
			continue;
		if (ca_error_reason() != CA_R_QUORUM)
			return -1;
		ca_error_clear();
		return too_few(operators, needed, why);
	}
}

/* ---- their keys ------------------------------------------------------- */

/* Whose key is asked for, and why. */
struct asking {
	struct operators *operators;
	const struct person *person;
	bool on_pad; /* the PIN is typed on the card's own pad */
};

static int
ask(const struct asking *a, enum room_secret which, const char *text,
    struct secret *ret_secret)
{
	const struct room *room = a->operators->room;

	return room->ask_secret(
	    room->ctx, which, a->person->name, text, ret_secret);
}

static int
ask_passphrase(void *ctx, const char *path, struct secret *ret_passphrase)
{
	AUTO_CHARS(safe) = text_escape(path, strlen(path));
	AUTO_CHARS(prompt) =
	    safe == NULL ? NULL : text_printf("passphrase of '%s'", safe);

	return prompt == NULL
	    ? -1
	    : ask(ctx, ROOM_PASSPHRASE, prompt, ret_passphrase);
}

/* The last try before a card locks itself is never made unasked. */
static int
confirm_final_try(const struct asking *a, const char *card)
{
	const struct room *room = a->operators->room;
	AUTO_CHARS(question) = text_printf(
	    "%s: this is the last try for the PIN of card '%s'; a wrong one "
	    "locks it. Go on?",
	    a->person->name, card);

	if (question == NULL)
		return -1;
	/* again(), because no --yes answers it. */
	return room->again(room->ctx, question) == 0
	    ? 0
	    : ca_error(CA_R_PIN,
		  "the last try for the PIN of card '%s' was not made", card);
}

static int
ask_card_pin(
    void *ctx, const char *card, bool final_try, struct secret *ret_pin)
{
	AUTO_CHARS(prompt) = text_printf("PIN of card '%s'", card);

	if (prompt == NULL || (final_try && confirm_final_try(ctx, card) < 0))
		return -1;
	return ask(ctx, ROOM_CARD_PIN, prompt, ret_pin);
}

static int
ask_pin_pad(void *ctx, const char *card, bool final_try)
{
	struct asking *a = ctx;
	const struct room *room = a->operators->room;
	AUTO_CHARS(text) =
	    text_printf("%s: now type the PIN of card '%s' on its PIN pad.",
		a->person->name, card);

	if (text == NULL || (final_try && confirm_final_try(ctx, card) < 0))
		return -1;
	a->on_pad = true;
	room->show(room->ctx, ROOM_TEXT, text);
	return 0;
}

static int
ask_insert(void *ctx, const char *card)
{
	const struct asking *a = ctx;
	const struct room *room = a->operators->room;
	AUTO_CHARS(text) =
	    text_printf("%s: insert your card (%s).", a->person->name, card);

	return text == NULL ? -1 : room->wait(room->ctx, text);
}

/* On a pad nothing is typed unasked: it may be the last try but one. */
static int
ask_pad_again(const struct room *room, const char *why)
{
	AUTO_CHARS(question) = text_printf("%s. Try once more?", why);

	return question == NULL ? -1 : room->again(room->ctx, question);
}

/*
 * What was wrong is said by the room, so that it is said once where nobody can
 * be asked; the error stays as it is.  Whether to try once more is the
 * operator's choice.
 */
static int
ask_again(void *ctx, const char *what)
{
	const struct asking *a = ctx;
	const struct room *room = a->operators->room;
	const char *data = NULL;
	int flags = 0;
	AUTO_CHARS(why) = NULL;

	(void)ERR_peek_last_error_data(&data, &flags);
	if (data != NULL && *data != '\0' && (flags & ERR_TXT_STRING) != 0)
		why = text_printf("%s: %s", a->person->name, data);
	else
		why =
		    text_printf("%s: %s was not right", a->person->name, what);
	if (why == NULL)
		return -1;
	if (a->on_pad)
		return ask_pad_again(room, why);
	return room->retry == NULL ? -1 : room->retry(room->ctx, why);
}

/* The key of `certificate`, one of this person's two. */
static int
open_key(struct operators *operators, const struct person *person,
    X509 *certificate, struct operator_key **ret_key)
{
	struct asking a = { .operators = operators, .person = person };
	const struct key_asker asker = {
		.ctx = &a,
		.passphrase = ask_passphrase,
		.card_pin = ask_card_pin,
		.pin_pad = ask_pin_pad,
		.insert = ask_insert,
		.again = ask_again,
	};
	const char *reference;

	if (operators_reference(operators, person->name, &reference) < 0)
		return -1;
	return operator_key_open(
	    reference, certificate, operators->in_use, &asker, ret_key);
}

static int
say(const struct operators *operators, const struct person *person,
    const char *what)
{
	AUTO_CHARS(line) = text_printf("%s: %s", person->name, what);

	if (line == NULL)
		return -1;
	operators->room->show(operators->room->ctx, ROOM_TEXT, line);
	return 0;
}

int
operators_sign(struct operators *operators, const struct person *person,
    enum signature_purpose purpose, const void *content, size_t len,
    unsigned char **ret_der, size_t *ret_len)
{
	AUTO_PTR(operator_key) *key = NULL;
	AUTO_CHARS(what) =
	    text_printf("%s signed", signature_purpose_name(purpose));
	AUTO_BYTES(der) = NULL;
	size_t der_len = 0;

	if (what == NULL ||
	    open_key(operators, person, person->sign, &key) < 0 ||
	    signature_make(purpose, content, len, operator_key_evp(key),
		person->sign, &der, &der_len) < 0 ||
	    say(operators, person, what) < 0)
		return -1;
	*ret_der = TAKE(der);
	*ret_len = der_len;
	return 0;
}

/* ---- shares ----------------------------------------------------------- */

/* One thing about a share that the set knows better. */
static int
differs(const struct person *person, const char *what, const char *is,
    const char *should)
{
	return ca_error(CA_R_VERIFY,
	    "the share of '%s' is not theirs in this set: its %s is '%s', not "
	    "'%s'",
	    person->name, what, is, should);
}

static int
differs_number(
    const struct person *person, const char *what, unsigned is, unsigned should)
{
	return ca_error(CA_R_VERIFY,
	    "the share of '%s' is not theirs in this set: its %s is %u, not %u",
	    person->name, what, is, should);
}

static int
compare_commitments(const struct quorum_set *set, const struct person *person,
    const struct share *share)
{
	unsigned char digest[32];
	char hex[65];

	if (commitments_sha256(&share->commitments, digest) < 0)
		return -1;
	text_hex_into(digest, sizeof(digest), hex);
	if (set->commitments == NULL || strcmp(hex, set->commitments) != 0)
		return differs(person, "commitments' SHA-256", hex,
		    set->commitments == NULL ? "none" : set->commitments);
	return 0;
}

static int
compare_share(const struct quorum_set *set, const struct person *person,
    const struct share *share)
{
	char id[SET_ID_HEX_SIZE];

	text_hex_into(share->set, SET_ID_LEN, id);
	if (strcmp(share->authority, set->authority) != 0)
		return differs(
		    person, "authority", share->authority, set->authority);
	if (strcmp(id, set->id) != 0)
		return differs(person, "set", id, set->id);
	if (strcmp(share->operator, person->name) != 0)
		return differs(
		    person, "operator", share->operator, person->name);
	if (share->index != person->index)
		return differs_number(
		    person, "index", share->index, person->index);
	if (share->commitments.threshold != set->threshold)
		return differs_number(person, "threshold",
		    share->commitments.threshold, set->threshold);
	if (share->operators != set->operators)
		return differs_number(person, "number of operators",
		    share->operators, set->operators);
	return compare_commitments(set, person, share);
}

/* What was refused, with the name of whose share it is. */
static int
name_share(const struct person *person)
{
	int reason = ca_error_reason();
	AUTO_CHARS(text) = NULL;

	if (reason != CA_R_VERIFY && reason != CA_R_INPUT)
		return -1;
	text = ca_error_take();
	return ca_error((enum ca_reason)reason,
	    "the share of '%s' cannot be used: %s", person->name,
	    text == NULL ? "it is damaged" : text);
}

static int
decrypt_share(struct operators *operators, const struct person *person,
    const unsigned char *der, size_t len, struct share *ret_share)
{
	AUTO_PTR(operator_key) *key = NULL;
	AUTO_STRUCT(secret) text = { 0 };

	/* What can be seen from outside is, before a passphrase is asked. */
	if (share_envelope_check(der, len, person->decrypt) < 0)
		return name_share(person);
	if (open_key(operators, person, person->decrypt, &key) < 0)
		return -1;
	if (share_open(
		der, len, operator_key_evp(key), person->decrypt, &text) < 0 ||
	    share_parse(&text, ret_share) < 0)
		return name_share(person);
	return 0;
}

int
operators_open_share(struct operators *operators, int quorum_fd,
    const struct person *person, struct share *ret_share)
{
	AUTO_STRUCT(share) share = { 0 };
	AUTO_BYTES(der) = NULL;
	size_t len = 0;

	if (person->witness || person->decrypt == NULL)
		return ca_error(
		    CA_R_QUORUM, "'%s' holds no share", person->name);
	if (set_share(quorum_fd, operators->set, person, &der, &len) < 0 ||
	    decrypt_share(operators, person, der, len, &share) < 0 ||
	    compare_share(operators->set, person, &share) < 0 ||
	    say(operators, person, "share opened and checked") < 0)
		return -1;
	*ret_share = share;
	share = (struct share){ 0 };
	return 0;
}

/* Shares, and whose they are. */
struct shares {
	struct share rows[SHARERS_MAX];
	unsigned count;
};

static void
shares_clear(struct shares *shares)
{
	for (unsigned i = 0; i < shares->count; i++)
		share_clear(&shares->rows[i]);
	shares->count = 0;
}
CLEANUP_DEFINE_STRUCT(shares);

static int
combine(const struct shares *shares, struct secret *ret_secret)
{
	struct indexed_share rows[SHARERS_MAX];

	for (unsigned i = 0; i < shares->count; i++)
		rows[i] = (struct indexed_share){ shares->rows[i].index,
			&shares->rows[i].value };
	return sharing_combine(
	    &shares->rows[0].commitments, rows, shares->count, ret_secret);
}

static int
name_person(json_t *people, const struct person *person)
{
	if (json_array_append_new(people,
		json_pack("{s:s, s:s}", "name", person->name, "role",
		    "operator")) != 0)
		return ca_error(CA_R_MEMORY, "no memory for names");
	return 0;
}

static int
take_shares(struct operators *operators, int quorum_fd, struct shares *shares,
    json_t *people)
{
	unsigned needed = operators->set->threshold;

	if (operators_need(operators, needed, "to open the token") < 0)
		return -1;
	while (shares->count < needed) {
		const struct person *person =
		    operators_at(operators, shares->count);

		if (person == NULL)
			return ca_error(CA_R_INTERNAL, "an operator has left");
		if (operators_open_share(operators, quorum_fd, person,
			&shares->rows[shares->count]) < 0)
			return -1;
		shares->count++;
		if (name_person(people, person) < 0)
			return -1;
	}
	return 0;
}

int
operators_take_secret(struct operators *operators, int quorum_fd,
    struct secret *ret_secret, json_t **ret_people)
{
	AUTO_STRUCT(shares) shares = { .count = 0 };
	json_t *people = json_array();

	if (people == NULL)
		return ca_error(CA_R_MEMORY, "no memory for names");
	if (take_shares(operators, quorum_fd, &shares, people) < 0 ||
	    combine(&shares, ret_secret) < 0) {
		json_decref(people);
		return -1;
	}
	*ret_people = people;
	return 0;
}
