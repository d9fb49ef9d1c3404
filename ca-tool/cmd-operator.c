#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ca-tool/command.h"
#include "ca-tool/print.h"
#include "ca-tool/room.h"
#include "ca-tool/session.h"
#include "ceremony/quorum/operator-key.h"
#include "ceremony/quorum/words.h"
#include "profiles/certificate.h"

enum { CERTIFICATE_FILE_MAX = 65536 };

/* ---- who is asked ----------------------------------------------------- */

struct asking {
	const struct room *room;
	const char *name; /* the new operator */
};

static int
ask_no_passphrase(void *ctx, const char *path, struct secret *ret_passphrase)
{
	(void)ctx;
	(void)ret_passphrase;
	return ca_error(
	    CA_R_INTERNAL, "no passphrase of '%s' is needed now", path);
}

/* The last try before a card locks itself is made by nobody unasked. */
static int
ask_final_try(const struct asking *asking, const char *card)
{
	AUTO_CHARS(question) = text_printf(
	    "%s: this is the last try for the PIN of card '%s'; a wrong one "
	    "locks it. Go on?",
	    asking->name, card);

	if (question == NULL)
		return -1;
	if (asking->room->again(asking->room->ctx, question) != 0)
		return ca_error(CA_R_POLICY,
		    "the last try for the PIN of card '%s' was not made; it "
		    "needs a yes on the terminal",
		    card);
	return 0;
}

static int
ask_card_pin(
    void *ctx, const char *card, bool final_try, struct secret *ret_pin)
{
	const struct asking *asking = ctx;
	const struct room *room = asking->room;
	AUTO_CHARS(prompt) = text_printf("PIN of card '%s'", card);

	if (prompt == NULL || (final_try && ask_final_try(asking, card) != 0))
		return -1;
	return room->ask_secret(
	    room->ctx, ROOM_CARD_PIN, asking->name, prompt, ret_pin);
}

/* The login that follows waits for the PIN pad: people must be ready. */
static int
ask_pin_pad(void *ctx, const char *card, bool final_try)
{
	const struct asking *asking = ctx;
	AUTO_CHARS(what) = text_printf(
	    "%s: card '%s' has a PIN pad. Press Enter here first, then type "
	    "the PIN there.%s",
	    asking->name, card,
	    final_try ? " It is the last try: a wrong PIN locks the card."
		      : "");

	return what == NULL ? -1 : asking->room->wait(asking->room->ctx, what);
}

static int
ask_insert(void *ctx, const char *card)
{
	const struct asking *asking = ctx;
	AUTO_CHARS(what) =
	    text_printf("%s: insert your card (%s).", asking->name, card);

	return what == NULL ? -1 : asking->room->wait(asking->room->ctx, what);
}

static int
ask_again(void *ctx, const char *what)
{
	const struct asking *asking = ctx;
	AUTO_CHARS(question) = text_printf(
	    "%s: the PIN of card '%s' was not right. Try once more?",
	    asking->name, what);

	return question == NULL
	    ? -1
	    : asking->room->again(asking->room->ctx, question);
}

/* Characters, not octets: UTF-8's continuation octets are not counted. */
static size_t
count_characters(const struct secret *secret)
{
	size_t count = 0;

	for (size_t i = 0; i < secret->len; i++)
		if (((unsigned char)secret->bytes[i] & 0xc0) != 0x80)
			count++;
	return count;
}

static int
ask_new_passphrase(
    const struct room *room, const char *name, struct secret *ret_passphrase)
{
	AUTO_STRUCT(secret) passphrase = { 0 };
	AUTO_CHARS(prompt) =
	    text_printf("new passphrase for '%s.key', at least %d characters",
		name, PASSPHRASE_MIN);

	if (prompt == NULL ||
	    room->ask_secret(
		room->ctx, ROOM_NEW_PASSPHRASE, name, prompt, &passphrase) != 0)
		return -1;
	if (count_characters(&passphrase) < PASSPHRASE_MIN)
		return ca_error(CA_R_POLICY,
		    "the passphrase is too short; it needs at least %d "
		    "characters, such as five words drawn by dice",
		    PASSPHRASE_MIN);
	*ret_passphrase = passphrase;
	passphrase = (struct secret){ 0 };
	return 0;
}

/* ---- making ----------------------------------------------------------- */

static int
make(const struct session *session, int dirfd, const struct new_operator *order)
{
	AUTO_STRUCT(people) people = { 0 };
	AUTO_STRUCT(secret) passphrase = { 0 };
	struct asking asking = { &people.room, order->name };
	const struct key_asker asker = { &asking, ask_no_passphrase,
		ask_card_pin, ask_pin_pad, ask_insert, ask_again };
	int ret;

	if (people_open(session, 0, &people) != 0)
		return -1;
	if (people.source_count > 0 &&
	    (people.source_count > 1 ||
		!people_has_source(&people, order->name)))
		return ca_error(CA_R_USAGE,
		    "option '--passphrase-fd' names somebody else; here it is "
		    "--passphrase-fd %s=N",
		    order->name);
	if (order->card == NULL &&
	    ask_new_passphrase(&people.room, order->name, &passphrase) != 0)
		return -1;
	ret = operator_new(
	    dirfd, order, order->card == NULL ? &passphrase : NULL, &asker);
	people_leave(&people);
	return ret;
}

/* ---- reporting -------------------------------------------------------- */

/* One certificate as it lies there. */
struct made_file {
	char *name, *sha256, *words;
};

static void
made_file_clear(struct made_file *file)
{
	free(file->name);
	free(file->sha256);
	free(file->words);
	*file = (struct made_file){ 0 };
}
CLEANUP_DEFINE_STRUCT(made_file);

/* The fingerprint is that of the DER, as everybody's tools show it. */
static int
read_made(
    int dirfd, const char *name, const char *use, struct made_file *ret_file)
{
	AUTO_STRUCT(made_file)
	file = { .name = text_printf("%s.%s.crt", name, use) };
	AUTO_BYTES(data) = NULL;
	AUTO(X509) *certificate = NULL;
	AUTO_DER(der) = NULL;
	size_t len;
	int der_len;

	if (file.name == NULL ||
	    file_read_at(dirfd, file.name, CERTIFICATE_FILE_MAX, &data, &len) !=
		0 ||
	    certificate_read(file.name, data, len, &certificate) != 0)
		return -1;
	der_len = i2d_X509(certificate, &der);
	if (der_len <= 0)
		return ca_error(CA_R_MEMORY, "no memory for '%s'", file.name);
	file.sha256 = sha256_hex(der, (size_t)der_len);
	if (file.sha256 == NULL ||
	    words_of_sha256(file.sha256, &file.words) != 0)
		return -1;
	*ret_file = file;
	file = (struct made_file){ 0 };
	return 0;
}

static void
report_json(struct session *session, const struct new_operator *order,
    const struct made_file *sign, const struct made_file *decrypt)
{
	json_t *list = session_report(session, "certificates", json_array());
	AUTO_CHARS(key) = text_printf("%s.key", order->name);
	const struct made_file *files[] = { sign, decrypt };

	session_report(session, "operator", session_string(order->name));
	session_report(session, "type", session_string(order->type));
	session_report(session, "key_file",
	    order->card == NULL ? session_string(key) : json_null());
	session_report(session, "card", session_string(order->card));
	for (size_t i = 0; i < 2; i++) {
		if (files[i]->name == NULL)
			continue;
		if (json_array_append_new(list,
			json_pack("{s:s, s:s, s:s, s:s}", "use",
			    i == 0 ? "sign" : "decrypt", "file", files[i]->name,
			    "sha256", files[i]->sha256, "words",
			    files[i]->words)) != 0)
			session->report_lost = true;
	}
}

static void
print_certificate(const char *label, const struct made_file *file)
{
	if (file->name == NULL)
		return;
	print_field(stdout, label, file->name);
	print_field(stdout, "SHA-256", file->sha256);
	print_field(stdout, "Read aloud", file->words);
}

static void
print_set_lines(const struct new_operator *order, const struct made_file *sign,
    const struct made_file *decrypt)
{
	printf("\nThe lines for the set file:\n"
	       "  - name: %s\n"
	       "    sign: %s\n",
	    order->name, sign->name);
	if (decrypt->name != NULL)
		printf("    decrypt: %s\n", decrypt->name);
}

static void
print_advice(const struct new_operator *order, bool decrypts)
{
	printf("\n");
	print_wrapped(stdout, 0, 0,
	    decrypts ? "Next: give the two certificates, and nothing else, to "
		       "whoever writes the set file, and read the words aloud "
		       "to each other: they must be the same on both sides."
		     : "Next: give the certificate, and nothing else, to "
		       "whoever writes the set file, and read the words aloud "
		       "to each other: they must be the same on both sides.");
	print_wrapped(stdout, 0, 0,
	    order->card == NULL
		? "Keep the key file and its passphrase apart from each "
		  "other, and both away from the authority. Nobody but you "
		  "has them, and nobody can make them again."
		: "Keep the card and its PIN apart from each other, and both "
		  "away from the authority. The keys cannot be copied from "
		  "the card, and nobody can make them again.");
}

static int
report_text(const struct new_operator *order, const struct made_file *sign,
    const struct made_file *decrypt)
{
	AUTO_CHARS(key) = text_printf("%s.key", order->name);

	if (key == NULL)
		return -1;
	printf("The keys of %s are made.\n\n", order->name);
	if (order->card == NULL)
		print_field(stdout, "Key file", key);
	else if (print_field_escaped(stdout, "Card", order->card) != 0)
		return -1;
	print_certificate("To sign", sign);
	print_certificate("To decrypt", decrypt);
	print_set_lines(order, sign, decrypt);
	print_advice(order, decrypt->name != NULL);
	return 0;
}

static int
report(struct session *session, int dirfd, const struct new_operator *order)
{
	AUTO_STRUCT(made_file) sign = { 0 };
	AUTO_STRUCT(made_file) decrypt = { 0 };

	if (read_made(dirfd, order->name, "sign", &sign) != 0 ||
	    (!order->sign_only &&
		read_made(dirfd, order->name, "decrypt", &decrypt) != 0))
		return -1;
	if (!session_json(session))
		return report_text(order, &sign, &decrypt);
	report_json(session, order, &sign, &decrypt);
	return 0;
}

int
cmd_operator_new(struct session *session)
{
	char *const *value = session->options.value;
	const struct new_operator order = {
		.name = session->options.args[0],
		.type = value[OPT_TYPE] != NULL ? value[OPT_TYPE] : "p-256",
		.card = value[OPT_CARD],
		.sign_only = session->options.given[OPT_SIGN_ONLY],
	};
	AUTO_FD(dirfd) = -1;

	/* It becomes a file's name, and is asked by it. */
	if (!text_is_name(order.name))
		return ca_error(CA_R_USAGE,
		    "'%s' is no name for an operator; use up to 64 of a-z 0-9 "
		    ". _ -",
		    order.name);
	if (dir_open(".", &dirfd) != 0 || make(session, dirfd, &order) != 0)
		return -1;
	return report(session, dirfd, &order);
}
