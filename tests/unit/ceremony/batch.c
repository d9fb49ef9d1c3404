/*
 * Batches of OCSP responses: what a list says of them is what their octets say,
 * read by other code; and what is signed leaves a batch.
 */
#include "ceremony/batch.h"

#include <openssl/ocsp.h>

#include "base/text.h"
#include "profiles/ocsp.h"
#include "support.h"

CLEANUP_DEFINE(OCSP_BASICRESP, OCSP_BASICRESP_free);
CLEANUP_DEFINE(OCSP_RESPONSE, OCSP_RESPONSE_free);
CLEANUP_DEFINE(OCSP_CERTID, OCSP_CERTID_free);

enum { COUNT = 9, FROM = 1800000000, DAY = 86400 };

static EVP_PKEY *key;
static X509 *issuer;

static int
make_issuer(void **state)
{
	X509_NAME *name;

	(void)state;
	key = EVP_EC_gen("P-256");
	issuer = X509_new();
	if (key == NULL || issuer == NULL ||
	    X509_set_pubkey(issuer, key) != 1 ||
	    X509_set_version(issuer, 2) != 1 ||
	    ASN1_INTEGER_set(X509_get_serialNumber(issuer), 1) != 1 ||
	    X509_gmtime_adj(X509_getm_notBefore(issuer), 0) == NULL ||
	    X509_gmtime_adj(X509_getm_notAfter(issuer), DAY) == NULL)
		return -1;
	name = X509_get_subject_name(issuer);
	if (X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
		(const unsigned char *)"Issuer", -1, -1, 0) != 1 ||
	    X509_set_issuer_name(issuer, name) != 1)
		return -1;
	return X509_sign(issuer, key, EVP_sha256()) > 0 ? 0 : -1;
}

static int
free_issuer(void **state)
{
	(void)state;
	EVP_PKEY_free(key);
	X509_free(issuer);
	return 0;
}

/* How a response is: of each of its SingleResponses. */
struct single {
	long serial;
	bool revoked;
	int64_t until;
};

static void
add_single(OCSP_BASICRESP *basic, const struct single *single, bool sha1)
{
	AUTO(ASN1_INTEGER) *serial = ASN1_INTEGER_new();
	ASN1_TIME *from = ASN1_TIME_set(NULL, FROM);
	ASN1_TIME *until = ASN1_TIME_set(NULL, (time_t)single->until);
	AUTO(OCSP_CERTID) *id = NULL;

	assert_int_equal(ASN1_INTEGER_set(serial, single->serial), 1);
	id = OCSP_cert_id_new(sha1 ? EVP_sha1() : EVP_sha256(),
	    X509_get_subject_name(issuer), X509_get0_pubkey_bitstr(issuer),
	    serial);
	assert_non_null(OCSP_basic_add1_status(basic, id,
	    single->revoked ? V_OCSP_CERTSTATUS_REVOKED
			    : V_OCSP_CERTSTATUS_GOOD,
	    OCSP_REVOKED_STATUS_SUPERSEDED, single->revoked ? from : NULL, from,
	    until));
	ASN1_TIME_free(from);
	ASN1_TIME_free(until);
}

/* ResponseData with one or two SingleResponses; appended to `octets`. */
static size_t
append_response(
    struct tbs *octets, const struct single *one, const struct single *two)
{
	AUTO(OCSP_BASICRESP) *basic = OCSP_BASICRESP_new();
	AUTO(OCSP_RESPONSE) *response = NULL;
	AUTO_DER(der) = NULL;
	struct ocsp_parts parts;
	unsigned char *grown;
	int len;

	add_single(basic, one, false);
	if (two != NULL)
		add_single(basic, two, true);
	assert_int_equal(OCSP_basic_sign(basic, issuer, key, EVP_sha256(), NULL,
			     OCSP_RESPID_KEY | OCSP_NOCERTS),
	    1);
	response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
	len = i2d_OCSP_RESPONSE(response, &der);
	assert_true(len > 0);
	assert_ok(ocsp_take_apart("test", der, (size_t)len, &parts));
	grown = realloc(octets->der, octets->len + parts.tbs.len);
	assert_non_null(grown);
	octets->der = grown;
	memcpy(octets->der + octets->len, parts.tbs.p, parts.tbs.len);
	octets->len += parts.tbs.len;
	return parts.tbs.len;
}

static void
make_batch(struct built_batch *batch)
{
	struct tbs octets = { .kind = OBJECT_OCSP };

	*batch = (struct built_batch){ .count = COUNT };
	batch->name = text_copy("batch");
	batch->alg = sigalg_by_name("ecdsa-sha256");
	batch->items = calloc(COUNT, sizeof(*batch->items));
	batch->offsets = calloc(COUNT + 1, sizeof(*batch->offsets));
	assert_non_null(batch->items);
	assert_non_null(batch->offsets);
	for (size_t i = 0; i < COUNT; i++) {
		struct batch_item *item = &batch->items[i];
		const struct single single = { (long)(0x100 + i), i % 4 == 1,
			FROM + DAY };

		(void)snprintf(
		    item->serial, sizeof(item->serial), "%04zx", 0x100 + i);
		item->revoked = single.revoked;
		batch->offsets[i + 1] = batch->offsets[i] +
		    append_response(
			&octets, &single, i % 2 == 0 ? &single : NULL);
	}
	batch->tbs = octets.der;
	batch->tbs_len = octets.len;
}

static struct tbs
octets_of(const struct built_batch *batch)
{
	return (struct tbs){ .kind = OBJECT_OCSP,
		.alg = batch->alg,
		.der = batch->tbs,
		.len = batch->tbs_len };
}

/* What batch_read() visits. */
struct seen {
	struct batch_response rows[COUNT];
	size_t count;
};

static int
see(void *ctx, const struct batch_response *response)
{
	struct seen *seen = ctx;

	assert_true(seen->count < COUNT);
	seen->rows[seen->count++] = *response;
	return 0;
}

static void
root_of(const struct built_batch *batch, unsigned char ret_root[HASH_LEN])
{
	AUTO_CHARS(lines) = NULL;
	size_t len = 0;

	assert_ok(batch_lines(batch, 0, batch->count, &lines, &len, ret_root));
	assert_int_equal(strlen(lines), len);
}

static void
test_octets_say_the_same(void **state)
{
	AUTO_STRUCT(built_batch) batch = { 0 };
	struct seen seen = { .count = 0 };
	unsigned char listed[HASH_LEN], read[HASH_LEN];
	struct tbs octets;

	(void)state;
	make_batch(&batch);
	octets = octets_of(&batch);
	root_of(&batch, listed);
	assert_ok(batch_read(&octets, see, &seen, read));
	assert_memory_equal(listed, read, HASH_LEN);
	assert_int_equal(seen.count, COUNT);
	for (size_t i = 0; i < COUNT; i++) {
		assert_string_equal(seen.rows[i].serial, batch.items[i].serial);
		assert_int_equal(seen.rows[i].revoked, batch.items[i].revoked);
		assert_int_equal(seen.rows[i].from, FROM);
		assert_int_equal(seen.rows[i].until, FROM + DAY);
	}
}

/* A list that says something else of the same octets has another root. */
static void
test_forged_lists(void **state)
{
	AUTO_STRUCT(built_batch) batch = { 0 };
	unsigned char right[HASH_LEN], wrong[HASH_LEN];

	(void)state;
	make_batch(&batch);
	root_of(&batch, right);
	batch.items[3].revoked = !batch.items[3].revoked;
	root_of(&batch, wrong);
	assert_memory_not_equal(right, wrong, HASH_LEN);
	batch.items[3].revoked = !batch.items[3].revoked;
	batch.items[COUNT - 1].serial[3] ^= 1;
	root_of(&batch, wrong);
	assert_memory_not_equal(right, wrong, HASH_LEN);
	batch.items[COUNT - 1].serial[3] ^= 1;
	batch.count--;
	root_of(&batch, wrong);
	assert_memory_not_equal(right, wrong, HASH_LEN);
}

/* Octets that were changed are refused, or have another root. */
static void
test_forged_octets(void **state)
{
	AUTO_STRUCT(built_batch) batch = { 0 };
	unsigned char right[HASH_LEN], wrong[HASH_LEN];
	struct tbs octets;

	(void)state;
	make_batch(&batch);
	root_of(&batch, right);
	octets = octets_of(&batch);
	for (size_t at = 0; at < octets.len; at++) {
		struct seen seen = { .count = 0 };

		octets.der[at] ^= 1;
		if (batch_read(&octets, see, &seen, wrong) == 0)
			assert_memory_not_equal(right, wrong, HASH_LEN);
		else
			assert_int_not_equal(ca_error_reason(), 0);
		ca_error_clear();
		octets.der[at] ^= 1;
	}
	for (size_t less = 1; less < 40; less++) {
		struct seen seen = { .count = 0 };

		octets.len = batch.tbs_len - less;
		assert_refused(
		    CA_R_VERIFY, batch_read(&octets, see, &seen, wrong));
	}
}

/* One response speaks of one certificate, and says one thing. */
static void
test_contradictions(void **state)
{
	static const struct single one = { 0x100, false, FROM + DAY };
	static const struct single others[] = {
		{ 0x101, false, FROM + DAY },
		{ 0x100, true, FROM + DAY },
		{ 0x100, false, FROM + 2 * DAY },
	};
	unsigned char root[HASH_LEN];

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct tbs octets = { .kind = OBJECT_OCSP,
			.alg = sigalg_by_name("ecdsa-sha256") };
		struct seen seen = { .count = 0 };

		(void)append_response(&octets, &one, &others[i]);
		assert_refused(
		    CA_R_VERIFY, batch_read(&octets, see, &seen, root));
		free(octets.der);
	}
}

/* What is signed leaves; the others keep their octets. */
static void
test_drop_signed(void **state)
{
	AUTO_STRUCT(built_batch) batch = { 0 };
	AUTO_STRUCT(built_batch) whole = { 0 };
	size_t kept = 0;

	(void)state;
	make_batch(&batch);
	make_batch(&whole);
	for (size_t i = 0; i < COUNT; i++)
		batch.items[i].is_signed = i == 0 || i == 4 || i == COUNT - 1;
	memcpy(whole.tbs, batch.tbs, batch.tbs_len);
	batch_drop_signed(&batch);
	assert_int_equal(batch.count, COUNT - 3);
	assert_int_equal(batch.signed_count, 0);
	assert_int_equal(batch.offsets[batch.count], batch.tbs_len);
	for (size_t i = 0; i < COUNT; i++) {
		const struct der right = batch_item_der(&whole, i);
		struct der found;

		if (i == 0 || i == 4 || i == COUNT - 1)
			continue;
		found = batch_item_der(&batch, kept);
		assert_int_equal(found.len, right.len);
		assert_memory_equal(found.p, right.p, right.len);
		assert_string_equal(
		    batch.items[kept++].serial, whole.items[i].serial);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_octets_say_the_same),
		cmocka_unit_test(test_forged_lists),
		cmocka_unit_test(test_forged_octets),
		cmocka_unit_test(test_contradictions),
		cmocka_unit_test(test_drop_signed),
	};

	return cmocka_run_group_tests(tests, make_issuer, free_issuer);
}
