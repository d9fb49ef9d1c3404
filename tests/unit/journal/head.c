#include "ceremony/journal/head.h"

#include "ceremony/journal/note.h"
#include "fixture.h"

#define ID "example"

static struct head
head_of(const char *origin, uint64_t epoch, uint64_t size, unsigned char fill)
{
	struct head head = {
		.origin = text_copy(origin), .epoch = epoch, .size = size
	};

	assert_non_null(head.origin);
	memset(head.root, fill, HASH_LEN);
	return head;
}

/* ---- the text --------------------------------------------------------- */

static void
test_round_trip(void **state)
{
	AUTO_STRUCT(head) head = head_of(ID "/epoch-7", 7, 12345, 0xab);
	AUTO_STRUCT(head) again = { 0 };
	AUTO_CHARS(text) = NULL;

	(void)state;
	assert_ok(head_compose(&head, &text));
	assert_non_null(strstr(text,
	    "ca-tool head 1\norigin: " ID "/epoch-7\n"
	    "epoch: 7\nsize: 12345\nroot: abab"));
	assert_ok(head_parse(text, strlen(text), &again));
	assert_string_equal(again.origin, head.origin);
	assert_int_equal(again.epoch, 7);
	assert_int_equal(again.size, 12345);
	assert_memory_equal(again.root, head.root, HASH_LEN);
}

/* Whole, or nothing: each octet changed, each cut, anything behind it. */
static void
test_damaged(void **state)
{
	AUTO_STRUCT(head) head = head_of(ID, 0, 9, 1);
	AUTO_STRUCT(head) again = { 0 };
	AUTO_CHARS(text) = NULL;
	char longer[HEAD_MAX_BYTES + 1];
	size_t len;

	(void)state;
	assert_ok(head_compose(&head, &text));
	len = strlen(text);
	for (size_t i = 0; i < len; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			text[i] = (char)(text[i] ^ (1 << bit));
			assert_refused(
			    CA_R_INPUT, head_parse(text, len, &again));
			text[i] = (char)(text[i] ^ (1 << bit));
		}
	for (size_t i = 0; i < len; i++)
		assert_refused(CA_R_INPUT, head_parse(text, i, &again));
	(void)snprintf(longer, sizeof(longer), "%s%s", text, text);
	assert_refused(CA_R_INPUT, head_parse(longer, strlen(longer), &again));
	assert_refused(CA_R_INPUT, head_parse(longer, len + 1, &again));
	memset(longer, 'x', sizeof(longer));
	assert_refused(CA_R_INPUT, head_parse(longer, sizeof(longer), &again));
	assert_null(again.origin);
	assert_ok(head_parse(text, len, &again));
}

/* ---- epochs ----------------------------------------------------------- */

static void
test_origins(void **state)
{
	static const struct {
		const char *origin;
		bool good;
		uint64_t epoch;
	} rows[] = {
		{ ID, true, 0 },
		{ ID "/epoch-1", true, 1 },
		{ ID "/epoch-10", true, 10 },
		{ ID "/epoch-0", false, 0 },
		{ ID "/epoch-01", false, 0 },
		{ ID "/epoch--1", false, 0 },
		{ ID "/epoch-", false, 0 },
		{ ID "/epoch-1x", false, 0 },
		{ ID "/epoch-99999999999999999999", false, 0 },
		{ ID "/", false, 0 },
		{ ID "2", false, 0 },
		{ "exampl", false, 0 },
		{ "", false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint64_t epoch = 77;

		assert_int_equal(
		    epoch_of_origin(ID, rows[i].origin, &epoch), rows[i].good);
		assert_int_equal(epoch, rows[i].good ? rows[i].epoch : 77);
		if (rows[i].good) {
			AUTO_CHARS(again) = epoch_origin(ID, epoch);

			assert_string_equal(again, rows[i].origin);
		}
	}
}

/* ---- J, T and D ------------------------------------------------------- */

/* Events until there are `size` entries. */
static void
grow_to(struct fixture *f, uint64_t size)
{
	unsigned char root[HASH_LEN];
	uint64_t now;

	for (;;) {
		assert_ok(journal_head(f->journal, &now, root));
		if (now >= size)
			return;
		add(f, ENTRY_EVENT, data_event("note"));
	}
}

/* Record that the token holds the head over the first `size` entries. */
static void
record(struct fixture *f, const char *origin, int epoch, int size)
{
	unsigned char root[HASH_LEN];
	char hex[HASH_HEX_SIZE];

	assert_ok(journal_root_at(f->journal, (uint64_t)size, root));
	text_hex_into(root, HASH_LEN, hex);
	add(f, ENTRY_HEAD, data_head(origin, epoch, size, hex));
}

static void
assert_relation(struct fixture *f, const char *origin, uint64_t epoch,
    uint64_t size, bool same_root, enum head_relation wanted)
{
	AUTO_STRUCT(head) head = head_of(origin, epoch, size, 0x77);
	enum head_relation found = HEAD_FOREIGN;

	if (same_root)
		assert_ok(journal_root_at(f->journal, size, head.root));
	assert_ok(head_compare(f->journal, &head, &found));
	assert_int_equal(found, wanted);
}

static void
assert_without_head(struct fixture *f, enum head_relation wanted)
{
	enum head_relation found = HEAD_FOREIGN;

	assert_ok(head_compare(f->journal, NULL, &found));
	assert_int_equal(found, wanted);
}

static void
test_relations(void **state)
{
	struct fixture *f = *state;

	grow_to(f, 5);
	assert_without_head(f, HEAD_FITS);
	assert_relation(f, ID, 0, 0, true, HEAD_FITS);
	record(f, ID, 0, 4); /* entry 5: J 6, D 4 */
	assert_without_head(f, HEAD_ABSENT);
	for (uint64_t size = 0; size < 10; size++) {
		assert_relation(f, ID, 0, size, false,
		    size > 6 ? HEAD_SHORTER : HEAD_FORKED);
		if (size <= 6)
			assert_relation(f, ID, 0, size, true,
			    size < 4 ? HEAD_OLDER : HEAD_FITS);
	}
	assert_relation(f, "example.org/other", 0, 5, true, HEAD_FOREIGN);
	assert_relation(f, ID "/epoch-1", 1, 5, true, HEAD_SHORTER);
	/* Origin and number say the same, or it is nobody's. */
	assert_relation(f, ID, 1, 5, true, HEAD_FOREIGN);
	assert_relation(f, ID "/epoch-1", 0, 5, true, HEAD_FOREIGN);
}

/* data_epoch() where the token held a head over `lost` entries. */
static json_t *
epoch_over(const char *run, int size, const char *root, int lost)
{
	AUTO_STRUCT(head) held = head_of(ID, 0, (uint64_t)lost, 0x77);
	json_t *data = data_epoch(run, 1, size, root);
	char hex[HASH_HEX_SIZE];

	text_hex_into(held.root, HASH_LEN, hex);
	assert_int_equal(json_object_set_new(data, "head",
			     json_pack("{s:s, s:i, s:i, s:s}", "origin", ID,
				 "epoch", 0, "size", lost, "root", hex)),
	    0);
	return data;
}

static void
test_epochs(void **state)
{
	struct fixture *f = *state;
	AUTO_STRUCT(authority_row) row = { 0 };
	unsigned char root[HASH_LEN];
	char hex[HASH_HEX_SIZE];
	uint64_t size;

	open_run(f, RUN_A, "p");
	record(f, ID, 0, 2);
	assert_ok(journal_head(f->journal, &size, root));
	text_hex_into(root, HASH_LEN, hex);
	refuse(f, CA_R_INTERNAL, ENTRY_EPOCH,
	    data_epoch(RUN_A, 0, (int)size, hex));
	refuse(f, CA_R_INTERNAL, ENTRY_EPOCH,
	    data_epoch(RUN_A, 1, (int)size - 1, hex));
	refuse(f, CA_R_INTERNAL, ENTRY_EPOCH,
	    data_epoch(RUN_A, 1, (int)size + 1, hex));
	refuse(f, CA_R_INTERNAL, ENTRY_EPOCH,
	    data_epoch(RUN_B, 1, (int)size, hex));
	add(f, ENTRY_EPOCH, epoch_over(RUN_A, (int)size, hex, 99));
	/* Cut off before the first head: exactly that of the entry fits. */
	assert_relation(f, ID, 0, 99, false, HEAD_FITS);
	assert_relation(f, ID, 0, 98, false, HEAD_OLDER);
	assert_relation(f, ID, 0, 2, true, HEAD_OLDER);
	assert_without_head(f, HEAD_ABSENT);
	refuse(f, CA_R_INTERNAL, ENTRY_HEAD, data_head(ID, 0, 1, hex));
	record(f, ID "/epoch-1", 1, 3);
	assert_ok(journal_authority(f->journal, &row));
	assert_int_equal(row.epoch, 1);
	assert_int_equal(row.head_size, 3);
	assert_relation(f, ID, 0, 2, true, HEAD_OLDER);
	assert_without_head(f, HEAD_ABSENT);
}

static void
test_recorded_heads(void **state)
{
	struct fixture *f = *state;
	AUTO_STRUCT(authority_row) row = { 0 };
	unsigned char root[HASH_LEN];
	char hex[HASH_HEX_SIZE];

	grow_to(f, 4);
	assert_ok(journal_root_at(f->journal, 3, root));
	text_hex_into(root, HASH_LEN, hex);
	refuse(f, CA_R_INTERNAL, ENTRY_HEAD, data_head(ID, 0, 2, hex));
	refuse(f, CA_R_INTERNAL, ENTRY_HEAD, data_head(ID, 0, 5, hex));
	refuse(f, CA_R_INTERNAL, ENTRY_HEAD, data_head(ID, 1, 3, hex));
	refuse(f, CA_R_INTERNAL, ENTRY_HEAD, data_head("else", 0, 3, hex));
	add(f, ENTRY_HEAD, data_head(ID, 0, 3, hex));
	assert_ok(journal_authority(f->journal, &row));
	assert_true(row.has_head);
	assert_int_equal(row.head_size, 3);
	assert_string_equal(row.head_serial, "0001");
	assert_string_equal(row.origin, ID);
}

/* A journal that was recovered for its receipts: the token held nothing. */
static void
test_epoch_without_head(void **state)
{
	struct fixture *f = *state;
	unsigned char root[HASH_LEN];
	char hex[HASH_HEX_SIZE];
	uint64_t size;

	open_run(f, RUN_A, "p");
	assert_ok(journal_head(f->journal, &size, root));
	text_hex_into(root, HASH_LEN, hex);
	add(f, ENTRY_EPOCH, data_epoch(RUN_A, 1, (int)size, hex));
	assert_without_head(f, HEAD_FITS);
	assert_relation(f, ID, 0, 2, true, HEAD_OLDER);
}

/* What was lost may have had numbers, too. */
static void
test_numbers_jump(void **state)
{
	struct fixture *f = *state;
	unsigned char root[HASH_LEN];
	char hex[HASH_HEX_SIZE];
	uint64_t size, number = 0;

	open_run(f, RUN_A, "p");
	assert_ok(journal_crl_next_number(f->journal, hex64(6), &number));
	assert_int_equal(number, 1);
	assert_ok(journal_head(f->journal, &size, root));
	text_hex_into(root, HASH_LEN, hex);
	add(f, ENTRY_EPOCH, data_epoch(RUN_A, 1, (int)size, hex));
	assert_ok(journal_crl_next_number(f->journal, hex64(6), &number));
	assert_int_equal(number, 6); /* data_epoch() has lost 5 */
}

int
main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_origins),
		TEST(test_relations),
		TEST(test_epochs),
		TEST(test_epoch_without_head),
		TEST(test_recorded_heads),
		TEST(test_numbers_jump),
	};

	(void)umask(077);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
