/*
 * Operators for tests: keys, certificates and a set file, and a room in which
 * they sit and answer as they are told.
 */
#ifndef TESTS_CEREMONY_PEOPLE_H
#define TESTS_CEREMONY_PEOPLE_H

#include <openssl/pem.h>

#include "base/secret.h"
#include "ceremony/room.h"
#include "support.h"

#define PHRASE "a passphrase of tests"

enum { PEOPLE_AT_MOST = 4 };

/* ---- keys and certificates -------------------------------------------- */

static inline FILE *
people_file(
    const char *dir, const char *name, const char *ending, const char *mode)
{
	char path[512];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s%s", dir, name, ending);
	file = fopen(path, mode);
	assert_non_null(file);
	return file;
}

/* A key in NAME.key, and its self-signed certificate. */
static inline void
people_key(
    const char *dir, const char *name, const char *ending, const char *usage)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();
	X509_EXTENSION *extension =
	    X509V3_EXT_conf_nid(NULL, NULL, NID_key_usage, usage);
	X509_NAME *subject;
	FILE *file;

	assert_non_null(key);
	assert_non_null(certificate);
	assert_non_null(extension);
	subject = X509_get_subject_name(certificate);
	assert_int_equal(X509_set_version(certificate, X509_VERSION_3), 1);
	assert_int_equal(
	    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 7), 1);
	assert_int_equal(
	    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
		(const unsigned char *)name, -1, -1, 0),
	    1);
	assert_int_equal(X509_set_issuer_name(certificate, subject), 1);
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(certificate), -60));
	assert_non_null(
	    X509_gmtime_adj(X509_getm_notAfter(certificate), 86400));
	assert_int_equal(X509_set_pubkey(certificate, key), 1);
	assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
	assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
	file = people_file(dir, name, ".key", "a");
	assert_int_equal(PEM_write_PKCS8PrivateKey(file, key, EVP_aes_256_cbc(),
			     PHRASE, (int)strlen(PHRASE), NULL, NULL),
	    1);
	assert_int_equal(fclose(file), 0);
	file = people_file(dir, name, ending, "w");
	assert_int_equal(PEM_write_X509(file, certificate), 1);
	assert_int_equal(fclose(file), 0);
	X509_EXTENSION_free(extension);
	X509_free(certificate);
	EVP_PKEY_free(key);
}

/* In `dir`: the people, and set.yaml: all but the last `witnesses` operators. */
static inline void
people_make(const char *dir, const char *const *names, size_t count,
    size_t witnesses, unsigned threshold)
{
	FILE *set = people_file(dir, "set", ".yaml", "w");
	size_t operators = count - witnesses;

	fprintf(set, "format: ca-tool-set-1\nthreshold: %u\n", threshold);
	if (threshold == 1)
		fputs("allow-single-control: true\n", set);
	if (threshold == operators)
		fputs("allow-no-spare: true\n", set);
	for (size_t i = 0; i < count; i++) {
		const char *name = names[i];

		if (i == 0 || i == operators)
			fprintf(
			    set, "%s:\n", i == 0 ? "operators" : "witnesses");
		people_key(dir, name, ".sign.crt", "digitalSignature");
		fprintf(
		    set, "  - name: %s\n    sign: %s.sign.crt\n", name, name);
		if (i >= operators)
			continue;
		people_key(dir, name, ".decrypt.crt", "keyAgreement");
		fprintf(set, "    decrypt: %s.decrypt.crt\n", name);
	}
	assert_int_equal(fclose(set), 0);
}

/* ---- the room --------------------------------------------------------- */

/* Who is there, what they say, and what they were shown and asked. */
struct seats {
	char names[PEOPLE_AT_MOST][32], references[PEOPLE_AT_MOST][128];
	struct room_operator operators[PEOPLE_AT_MOST];
	size_t count;
	const char *says_no;    /* who answers no, or NULL */
	const char *forgets;    /* who has no passphrase when ... */
	unsigned forgets_after; /* ... asked more often than this, or NULL */
	unsigned asked;         /* how often `forgets` was asked */
	unsigned decided;       /* answers to questions put to one person */
	size_t look_at;         /* what each looks at before answering */
	char shown[65536];      /* all that was shown */
};

static inline int
seats_secret(void *ctx, enum room_secret which, const char *who,
    const char *prompt, struct secret *ret_secret)
{
	struct seats *seats = ctx;

	(void)prompt;
	if (which != ROOM_PASSPHRASE && which != ROOM_NEW_PASSPHRASE)
		return ca_error(CA_R_PIN, "nobody is asked for PINs here");
	if (seats->forgets != NULL && who != NULL &&
	    strcmp(who, seats->forgets) == 0 &&
	    ++seats->asked > seats->forgets_after)
		return ca_error(CA_R_PIN, "'%s' has left", who);
	return secret_copy(PHRASE, strlen(PHRASE), ret_secret);
}

static inline void
seats_show(void *ctx, enum room_style style, const char *text)
{
	struct seats *seats = ctx;
	size_t used = strlen(seats->shown);

	(void)style;
	(void)snprintf(
	    seats->shown + used, sizeof(seats->shown) - used, "%s\n", text);
}

static inline int
seats_confirm(void *ctx, const char *question)
{
	seats_show(ctx, ROOM_TEXT, question);
	return 0;
}

static inline int
seats_decide(void *ctx, const char *who, const char *question, size_t items,
    size_t *ret_item)
{
	struct seats *seats = ctx;

	seats_show(ctx, ROOM_TEXT, question);
	if (seats->look_at != 0 && seats->look_at <= items) {
		*ret_item = seats->look_at;
		seats->look_at = 0;
		return 0;
	}
	seats->decided++;
	if (seats->says_no != NULL && strcmp(who, seats->says_no) == 0)
		return ca_error(CA_R_POLICY, "the answer was not yes");
	*ret_item = 0;
	return 0;
}

static inline int
seats_again(void *ctx, const char *question)
{
	(void)ctx;
	(void)question;
	return -1;
}

static inline int
seats_wait(void *ctx, const char *what)
{
	(void)ctx;
	return ca_error(CA_R_TOKEN, "nobody waits here: %s", what);
}

static inline int
seats_operator(
    void *ctx, const char *prompt, struct room_operator *ret_operator)
{
	(void)ctx;
	(void)ret_operator;
	return ca_error(CA_R_QUORUM, "nobody more is there: %s", prompt);
}

static inline void
seats_progress(void *ctx, const char *what, size_t done, size_t total)
{
	(void)ctx;
	(void)what;
	assert_true(done <= total);
}

static inline bool
seats_keep_going(void *ctx)
{
	(void)ctx;
	return true;
}

/* A room with these people of `dir`, parted by blanks; valid with `seats`. */
static inline struct room
people_room(struct seats *seats, const char *dir, const char *names)
{
	char copy[128], *at = copy, *name;

	*seats = (struct seats){ 0 };
	(void)snprintf(copy, sizeof(copy), "%s", names);
	while ((name = strsep(&at, " ")) != NULL) {
		size_t i = seats->count;

		if (name[0] == '\0')
			continue;
		assert_true(i < PEOPLE_AT_MOST);
		(void)snprintf(
		    seats->names[i], sizeof(seats->names[i]), "%s", name);
		(void)snprintf(seats->references[i],
		    sizeof(seats->references[i]), "file:%s/%s.key", dir, name);
		seats->operators[i].name = seats->names[i];
		seats->operators[i].reference = seats->references[i];
		seats->count++;
	}
	return (struct room){
		.ctx = seats,
		.ask_secret = seats_secret,
		.show = seats_show,
		.confirm = seats_confirm,
		.decide = seats_decide,
		.again = seats_again,
		.wait = seats_wait,
		.ask_operator = seats_operator,
		.operators = seats->operators,
		.operator_count = seats->count,
		.progress = seats_progress,
		.keep_going = seats_keep_going,
		.tool_version = "0",
		.tool_sha256 = "000102030405060708090a0b0c0d0e0f"
			       "101112131415161718191a1b1c1d1e1f",
	};
}

#endif
