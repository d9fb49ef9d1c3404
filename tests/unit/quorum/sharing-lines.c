/*
 * The sharing, the shares' text and the PINs for a program in another language:
 * reads requests, one JSON object a line, and answers each with a line.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include <openssl/pem.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/quorum/share.h"

static const char *
reason_name(int reason)
{
	switch (reason) {
	case CA_R_INPUT:
		return "input";
	case CA_R_POLICY:
		return "policy";
	case CA_R_QUORUM:
		return "quorum";
	case CA_R_VERIFY:
		return "verify";
	default:
		return "other";
	}
}

static json_t *
refused(void)
{
	const char *name = reason_name(ca_error_reason());

	ca_error_clear();
	return json_pack("{s:s}", "refused", name);
}

static json_t *
hex(const void *octets, size_t len)
{
	AUTO_CHARS(text) = text_hex(octets, len);

	return json_string(text == NULL ? "" : text);
}

static struct secret
secret_from(const json_t *value)
{
	AUTO_BYTES(octets) = NULL;
	struct secret secret = { 0 };
	size_t len = 0;

	if (text_unhex(json_string_value(value), &octets, &len) < 0 ||
	    secret_copy(octets, len, &secret) < 0)
		abort();
	return secret;
}

static void
octets_from(const json_t *value, unsigned char *octets, size_t len)
{
	AUTO_STRUCT(secret) read = secret_from(value);

	if (read.len != len)
		abort();
	memcpy(octets, read.bytes, len);
}

static unsigned
number_from(const json_t *request, const char *name)
{
	return (unsigned)json_integer_value(json_object_get(request, name));
}

static struct commitments
commitments_from(const json_t *request)
{
	const json_t *array = json_object_get(request, "commitments");
	struct commitments commitments = {
		.threshold = (unsigned)json_array_size(array)
	};

	if (commitments.threshold > SHARERS_MAX)
		abort();
	for (unsigned i = 0; i < commitments.threshold; i++)
		octets_from(
		    json_array_get(array, i), commitments.points[i], POINT_LEN);
	return commitments;
}

static json_t *
json_commitments(const struct commitments *commitments)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < commitments->threshold; i++)
		(void)json_array_append_new(
		    array, hex(commitments->points[i], POINT_LEN));
	return array;
}

/* ---- what is asked ---------------------------------------------------- */

/* {"do": "split", "secret" (or drawn), "threshold", "count"} */
static json_t *
do_split(const json_t *request)
{
	const json_t *given = json_object_get(request, "secret");
	AUTO_STRUCT(secret) secret = { 0 };
	struct secret shares[SHARERS_MAX] = { { 0 } };
	struct commitments commitments;
	unsigned char digest[32];
	unsigned count = number_from(request, "count");
	json_t *array = json_array();

	if (given != NULL)
		secret = secret_from(given);
	else if (sharing_new_secret(NULL, 0, &secret) < 0)
		return refused();
	if (sharing_split(&secret, number_from(request, "threshold"), count,
		&commitments, shares) < 0 ||
	    commitments_sha256(&commitments, digest) < 0)
		return refused();
	for (unsigned i = 0; i < count; i++) {
		(void)json_array_append_new(
		    array, hex(shares[i].bytes, shares[i].len));
		secret_clear(&shares[i]);
	}
	return json_pack("{s:o, s:o, s:o, s:o}", "secret",
	    hex(secret.bytes, secret.len), "commitments",
	    json_commitments(&commitments), "sha256", hex(digest, 32), "shares",
	    array);
}

/* {"do": "combine", "commitments": [...], "shares": [[index, hex], ...]} */
static json_t *
do_combine(const json_t *request)
{
	const json_t *array = json_object_get(request, "shares");
	struct commitments commitments = commitments_from(request);
	struct secret values[SHARERS_MAX] = { { 0 } };
	struct indexed_share shares[SHARERS_MAX];
	AUTO_STRUCT(secret) secret = { 0 };
	size_t count = json_array_size(array);
	int result;

	if (count > SHARERS_MAX)
		abort();
	for (size_t i = 0; i < count; i++) {
		const json_t *pair = json_array_get(array, i);

		values[i] = secret_from(json_array_get(pair, 1));
		shares[i] = (struct indexed_share){
			(unsigned)json_integer_value(json_array_get(pair, 0)),
			&values[i]
		};
	}
	result = sharing_combine(&commitments, shares, count, &secret);
	for (size_t i = 0; i < count; i++)
		secret_clear(&values[i]);
	if (result < 0)
		return refused();
	return json_pack("{s:o}", "secret", hex(secret.bytes, secret.len));
}

/* {"do": "pin", "secret", "set", "role": 0 or 1, "alphabet", "length"} */
static json_t *
do_pin(const json_t *request)
{
	AUTO_STRUCT(secret)
	secret = secret_from(json_object_get(request, "secret"));
	AUTO_STRUCT(secret) pin = { 0 };
	unsigned char set[SET_ID_LEN];

	octets_from(json_object_get(request, "set"), set, SET_ID_LEN);
	if (pin_derive(&secret, set,
		number_from(request, "role") == 0 ? PIN_USER : PIN_SO,
		json_string_value(json_object_get(request, "alphabet")),
		number_from(request, "length"), &pin) < 0)
		return refused();
	return json_pack("{s:s%}", "pin", pin.bytes, pin.len);
}

/* {"do": "read", "text"}: {"index"}, and the text that it writes again */
static json_t *
do_read(const json_t *request)
{
	const json_t *given = json_object_get(request, "text");
	AUTO_STRUCT(secret) text = { 0 };
	AUTO_STRUCT(secret) again = { 0 };
	AUTO_STRUCT(share) share = { 0 };

	if (secret_copy(
		json_string_value(given), json_string_length(given), &text) < 0)
		abort();
	if (share_parse(&text, &share) < 0 || share_text(&share, &again) < 0)
		return refused();
	return json_pack("{s:i, s:s%}", "index", (int)share.index, "text",
	    again.bytes, again.len);
}

/* {"do": "seal", "text", "certificate": a file}: {"der"} */
static json_t *
do_seal(const json_t *request)
{
	const json_t *given = json_object_get(request, "text");
	AUTO_STRUCT(secret) text = { 0 };
	AUTO(BIO) *file = BIO_new_file(
	    json_string_value(json_object_get(request, "certificate")), "r");
	AUTO(X509) *certificate = PEM_read_bio_X509(file, NULL, NULL, NULL);
	AUTO_BYTES(der) = NULL;
	size_t len = 0;

	if (certificate == NULL ||
	    secret_copy(
		json_string_value(given), json_string_length(given), &text) < 0)
		abort();
	if (share_seal(&text, certificate, &der, &len) < 0)
		return refused();
	return json_pack("{s:o}", "der", hex(der, len));
}

static const struct {
	const char *name;
	json_t *(*run)(const json_t *request);
} acts[] = {
	{ "split", do_split },
	{ "combine", do_combine },
	{ "pin", do_pin },
	{ "read", do_read },
	{ "seal", do_seal },
};

static json_t *
answer(const json_t *request)
{
	const char *name = json_string_value(json_object_get(request, "do"));

	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
		if (name != NULL && strcmp(name, acts[i].name) == 0)
			return acts[i].run(request);
	return NULL;
}

int
main(void)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	if (CRYPTO_secure_malloc_init(1 << 17, 32) == 0)
		return 1;
	while ((len = getline(&line, &size, stdin)) > 0) {
		json_t *request =
		    json_loadb(line, (size_t)len, JSON_ALLOW_NUL, NULL);
		json_t *reply = answer(request);

		json_decref(request);
		if (reply == NULL)
			return 1;
		if (json_dumpf(reply, stdout, JSON_COMPACT) != 0 ||
		    putchar('\n') == EOF || fflush(stdout) != 0)
			return 1;
		json_decref(reply);
	}
	free(line);
	return 0;
}
