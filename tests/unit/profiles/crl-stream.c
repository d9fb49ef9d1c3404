/* CRLs that are written and read entry by entry. */
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/text.h"
#include "profiles/crl-reader.h"
#include "profiles/der/der.h"
#include "profiles/der/time.h"
#include "support.h"

struct world {
	EVP_PKEY *key;
	X509 *ca;
	struct profile *profile;
	struct crl_request req;
	unsigned char *spki;
	size_t spki_len;
	int dir;
};

static void
world_open(struct world *w, const char *type)
{
	*w = (struct world){ .key = key(type, 0) };
	w->ca = root_of(w->key);
	w->profile = load("ca-crl", NULL, NULL);
	w->spki = spki_of(w->key, &w->spki_len);
	w->dir = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(w->dir >= 0);
	w->req = (struct crl_request){
		.profile = w->profile,
		.issuer = w->ca,
		.number = 7,
		.now = now,
		.place = "plan.yaml:9:3",
	};
}

static void
world_close(struct world *w)
{
	X509_free(w->ca);
	profile_free(w->profile);
	free(w->spki);
	(void)close(w->dir);
}

/* Ascending serials of 1 to 20 octets, and every form of the rest. */
static struct crl_entry
entry_number(uint64_t i, unsigned char serial[SERIAL_LEN])
{
	static const enum revocation_reason reasons[] = { REASON_NONE,
		REASON_KEY_COMPROMISE, REASON_SUPERSEDED,
		REASON_PRIVILEGE_WITHDRAWN };
	struct crl_entry entry = { .serial = serial,
		.serial_len = i < 100 ? 1 : 20 };

	memset(serial, 0, SERIAL_LEN);
	if (i < 100) {
		serial[0] = (unsigned char)(i + 1);
	} else {
		serial[0] = 0x40;
		for (unsigned b = 0; b < 8; b++)
			serial[19 - b] = (unsigned char)(i >> (8 * b));
	}
	entry.date = now - (int64_t)(i * 7919 % 700000000);
	entry.reason = reasons[i % 4];
	entry.invalidity = i % 5 == 0 ? entry.date - 1 : 0;
	return entry;
}

static int
write_crl(const struct world *w, uint64_t count, struct findings *findings,
    struct tbs *ret_tbs)
{
	AUTO_PTR(crl_writer) *writer = NULL;
	unsigned char serial[SERIAL_LEN];

	assert_int_equal(
	    crl_writer_open(&w->req, w->dir, findings, &writer), 0);
	for (uint64_t i = 0; i < count; i++) {
		struct crl_entry entry = entry_number(i, serial);

		assert_int_equal(crl_writer_add(writer, &entry), 0);
	}
	assert_true(crl_writer_entries(writer) == count);
	return crl_writer_finish(writer, ret_tbs);
}

/* All octets of a tbs, wherever they are. */
static unsigned char *
octets_of(const struct tbs *tbs)
{
	struct tbs_reader reader;
	struct der_source source;
	unsigned char *octets = malloc(tbs->len + 1);
	size_t n = 0;

	assert_non_null(octets);
	assert_int_equal(tbs_source(tbs, &reader, &source), 0);
	assert_true(source.len == tbs->len);
	for (uint64_t at = 0; at < tbs->len; at += n) {
		assert_int_equal(
		    source.read(source.ctx, at, octets + at, tbs->len - at, &n),
		    0);
		assert_true(n > 0);
	}
	assert_int_equal(source.read(source.ctx, tbs->len, octets, 1, &n), 0);
	assert_int_equal(n, 0);
	return octets;
}

/* OpenSSL's own encoder gives the same octets, and the same digests. */
static void
same_as_openssl(const char *type, uint64_t count)
{
	struct crl_entry *entries = calloc(count + 1, sizeof(*entries));
	unsigned char(*serials)[SERIAL_LEN] = calloc(count + 1, SERIAL_LEN);
	unsigned char digest[DIGEST_MAX], wanted[DIGEST_MAX];
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(tbs) streamed = { 0 };
	AUTO_STRUCT(tbs) whole = { 0 };
	AUTO_BYTES(octets) = NULL;
	struct world w;

	world_open(&w, type);
	assert_int_equal(write_crl(&w, count, &findings, &streamed), 0);
	assert_clean(&findings);
	octets = octets_of(&streamed);
	for (uint64_t i = 0; i < count; i++)
		entries[i] = entry_number(i, serials[i]);
	w.req.entries = entries;
	w.req.entry_count = count;
	assert_int_equal(crl_build(&w.req, &whole), 0);
	assert_int_equal(streamed.len, whole.len);
	assert_memory_equal(octets, whole.der, whole.len);
	assert_memory_equal(streamed.sha256, whole.sha256, 32);
	assert_ptr_equal(streamed.alg, whole.alg);
	assert_int_equal(tbs_digest(&streamed, digest), 0);
	assert_int_equal(tbs_digest(&whole, wanted), 0);
	assert_memory_equal(digest, wanted, whole.alg->digest_len);
	world_close(&w);
	free(entries);
	free(serials);
}

static void
test_same_octets(void **state)
{
	static const uint64_t counts[] = { 0, 1, 2, 3, 99, 101, 5000, 9000,
		40000 };

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		same_as_openssl("p-256", counts[i]);
	same_as_openssl("p-384", 20000);
	same_as_openssl("rsa-2048", 20000);
}

/* Small ones are in memory; large ones in a file without a name. */
static void
test_where(void **state)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(tbs) small = { 0 };
	AUTO_STRUCT(tbs) large = { 0 };
	struct world w;
	struct stat st;

	(void)state;
	world_open(&w, "p-256");
	assert_int_equal(write_crl(&w, 10, &findings, &small), 0);
	assert_null(small.file);
	assert_int_equal(write_crl(&w, 50000, &findings, &large), 0);
	assert_null(large.der);
	assert_int_equal(fstat(large.file->fd, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(st.st_nlink, 0);
	/* Where no file can be made, the small one still can. */
	tbs_clear(&small);
	(void)close(w.dir);
	w.dir = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(write_crl(&w, 10, &findings, &small), 0);
	{
		AUTO_PTR(crl_writer) *writer = NULL;
		unsigned char serial[SERIAL_LEN];
		int rc = 0;

		assert_int_equal(
		    crl_writer_open(&w.req, w.dir, &findings, &writer), 0);
		for (uint64_t i = 0; i < 50000 && rc == 0; i++) {
			struct crl_entry entry = entry_number(i, serial);

			rc = crl_writer_add(writer, &entry);
		}
		assert_int_equal(rc, -1);
		assert_int_equal(ca_error_reason(), CA_R_IO);
		ca_error_clear();
	}
	world_close(&w);
}

/* ---- refused ---------------------------------------------------------- */

static void
refused(struct world *w, const struct crl_entry *entries, size_t count,
    const char *id)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(crl_writer) *writer = NULL;
	AUTO_STRUCT(tbs) tbs = { 0 };

	assert_int_equal(
	    crl_writer_open(&w->req, w->dir, &findings, &writer), 0);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(crl_writer_add(writer, &entries[i]), 0);
	assert_finding(&findings, id);
	assert_string_equal(findings.rows[0].place, "plan.yaml:9:3");
	assert_int_equal(crl_writer_finish(writer, &tbs), -1);
	assert_int_equal(ca_error_reason(), CA_R_POLICY);
	assert_null(tbs.der);
	assert_null(tbs.file);
	ca_error_clear();
}

static void
test_refused(void **state)
{
	static const unsigned char one[] = { 1 }, two[] = { 2 },
				   negative[] = { 0x80 }, padded[] = { 0, 1 },
				   long_one[21] = { 1 };
	const struct {
		const char *id;
		struct crl_entry entries[2];
		size_t count;
	} rows[] = {
		{ "CRL-NO-DUP-SERIAL",
		    { { one, 1, now, REASON_NONE, 0 },
			{ one, 1, now - 1, REASON_SUPERSEDED, 0 } },
		    2 },
		{ "CRL-ORDER",
		    { { two, 1, now, REASON_NONE, 0 },
			{ one, 1, now, REASON_NONE, 0 } },
		    2 },
		{ "CRL-ENTRY-DATE", { { one, 1, now + 1, REASON_NONE, 0 } },
		    1 },
		{ "CRL-ENTRY-DATE", { { one, 1, 915148799, REASON_NONE, 0 } },
		    1 },
		{ "CRL-ENTRY-DATE", { { one, 1, -1, REASON_NONE, 0 } }, 1 },
		/* cACompromise, certificateHold, removeFromCRL, aACompromise */
		{ "CRL-REASON-SET",
		    { { one, 1, now, (enum revocation_reason)2, 0 } }, 1 },
		{ "CRL-REASON-SET",
		    { { one, 1, now, (enum revocation_reason)6, 0 } }, 1 },
		{ "CRL-REASON-SET",
		    { { one, 1, now, (enum revocation_reason)8, 0 } }, 1 },
		{ "CRL-REASON-SET",
		    { { one, 1, now, (enum revocation_reason)10, 0 } }, 1 },
		{ "CRL-INVALIDITY",
		    { { one, 1, now, REASON_KEY_COMPROMISE, now + 1 } }, 1 },
		{ "CRL-INVALIDITY",
		    { { one, 1, now, REASON_KEY_COMPROMISE, 1 } }, 1 },
		{ "CRL-ENTRY-SERIAL", { { negative, 1, now, REASON_NONE, 0 } },
		    1 },
		{ "CRL-ENTRY-SERIAL", { { padded, 2, now, REASON_NONE, 0 } },
		    1 },
		{ "CRL-ENTRY-SERIAL", { { long_one, 21, now, REASON_NONE, 0 } },
		    1 },
		{ "CRL-ENTRY-SERIAL", { { one, 0, now, REASON_NONE, 0 } }, 1 },
	};
	struct world w;

	(void)state;
	world_open(&w, "p-256");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		refused(&w, rows[i].entries, rows[i].count, rows[i].id);
	world_close(&w);
}

/* A million of them do not make a million findings. */
static void
test_many_refused(void **state)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(crl_writer) *writer = NULL;
	AUTO_STRUCT(tbs) tbs = { 0 };
	unsigned char serial[SERIAL_LEN];
	struct world w;

	(void)state;
	world_open(&w, "p-256");
	assert_int_equal(crl_writer_open(&w.req, w.dir, &findings, &writer), 0);
	for (uint64_t i = 0; i < 50000; i++) {
		struct crl_entry entry = entry_number(i, serial);

		entry.date = now + 1;
		assert_int_equal(crl_writer_add(writer, &entry), 0);
	}
	assert_int_equal(crl_writer_finish(writer, &tbs), -1);
	ca_error_clear();
	assert_true(findings.count < 100);
	assert_finding(&findings, "CRL-ENTRIES");
	assert_non_null(
	    strstr(findings.rows[findings.count - 1].text, "50000 entries"));
	world_close(&w);
}

/* What crl_check() refuses, the writer does not begin. */
static void
test_frame_refused(void **state)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(crl_writer) *writer = NULL;
	struct world w;

	(void)state;
	world_open(&w, "p-256");
	w.req.validity = 400LL * DAY;
	assert_int_equal(
	    crl_writer_open(&w.req, w.dir, &findings, &writer), -1);
	assert_int_equal(ca_error_reason(), CA_R_POLICY);
	assert_null(writer);
	ca_error_clear();
	world_close(&w);
}

/* ---- signed, in a file ------------------------------------------------ */

static int
assembled(const struct world *w, const struct tbs *tbs, uint64_t *ret_len)
{
	size_t sig_len = 0;
	AUTO_BYTES(octets) = octets_of(tbs);
	struct tbs memory = { .kind = OBJECT_CRL,
		.alg = tbs->alg,
		.der = octets,
		.len = tbs->len };
	AUTO_BYTES(sig) = raw_signature(tbs->alg, &memory, w->key, &sig_len);
	int fd = open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "front", 5), 5);
	assert_int_equal(
	    object_assemble_file(tbs, sig, sig_len, fd, ret_len), 0);
	return fd;
}

static void
round_trip(const char *type, uint64_t count)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(tbs) tbs = { 0 };
	AUTO_BYTES(der) = NULL;
	AUTO(X509_CRL) *crl = NULL;
	uint64_t len = 0;
	struct world w;
	AUTO_FD(fd) = -1;

	world_open(&w, type);
	assert_int_equal(write_crl(&w, count, &findings, &tbs), 0);
	fd = assembled(&w, &tbs, &len);
	assert_int_equal(
	    object_verify_file(&tbs, w.spki, w.spki_len, fd, 5, len), 0);
	der = malloc(len);
	assert_int_equal(pread(fd, der, len, 5), len);
	assert_int_equal(crl_read("x.crl", der, len, &crl), 0);
	assert_int_equal(X509_CRL_verify(crl, w.key), 1);
	if (tbs.file == NULL)
		assert_int_equal(
		    object_verify(&tbs, w.spki, w.spki_len, der, len), 0);
	world_close(&w);
}

static void
test_round_trip(void **state)
{
	const struct key_type *type;

	(void)state;
	for (size_t i = 0; (type = key_type_at(i)) != NULL; i++) {
		round_trip(type->name, 3);
		round_trip(type->name, 12000);
	}
}

/* Another octet anywhere in a signed CRL is found. */
static void
test_forged(void **state)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(tbs) tbs = { 0 };
	uint64_t len = 0;
	struct world w;
	AUTO_FD(fd) = -1;
	unsigned char octet, other;
	size_t other_len = 0;
	AUTO_BYTES(other_spki) = spki_of(key("p-256", 1), &other_len);

	(void)state;
	world_open(&w, "p-256");
	assert_int_equal(write_crl(&w, 12000, &findings, &tbs), 0);
	assert_non_null(tbs.file);
	fd = assembled(&w, &tbs, &len);
	for (uint64_t at = 0; at < len;
	     at += at < 120 || at + 200 > len ? 1 : 40009) {
		assert_int_equal(pread(fd, &octet, 1, (off_t)(5 + at)), 1);
		other = octet ^ 1;
		assert_int_equal(pwrite(fd, &other, 1, (off_t)(5 + at)), 1);
		assert_int_equal(
		    object_verify_file(&tbs, w.spki, w.spki_len, fd, 5, len),
		    -1);
		ca_error_clear();
		assert_int_equal(pwrite(fd, &octet, 1, (off_t)(5 + at)), 1);
	}
	/* Too short, too long, elsewhere, and with another key. */
	assert_int_equal(
	    object_verify_file(&tbs, w.spki, w.spki_len, fd, 5, len - 1), -1);
	assert_int_equal(
	    object_verify_file(&tbs, w.spki, w.spki_len, fd, 5, len + 1), -1);
	assert_int_equal(
	    object_verify_file(&tbs, w.spki, w.spki_len, fd, 4, len), -1);
	ca_error_clear();
	assert_int_equal(
	    object_verify_file(&tbs, other_spki, other_len, fd, 5, len), -1);
	assert_int_equal(ca_error_reason(), CA_R_VERIFY);
	ca_error_clear();
	assert_int_equal(
	    object_verify_file(&tbs, w.spki, w.spki_len, fd, 5, len), 0);
	world_close(&w);
}

/* A CRL with the key's good signature that is not the one of the list. */
static void
test_another(void **state)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(tbs) tbs = { 0 };
	AUTO_STRUCT(tbs) less = { 0 };
	uint64_t len = 0;
	struct world w;
	AUTO_FD(fd) = -1;

	(void)state;
	world_open(&w, "p-384");
	assert_int_equal(write_crl(&w, 12000, &findings, &tbs), 0);
	assert_int_equal(write_crl(&w, 11999, &findings, &less), 0);
	fd = assembled(&w, &less, &len);
	assert_int_equal(
	    object_verify_file(&less, w.spki, w.spki_len, fd, 5, len), 0);
	assert_int_equal(
	    object_verify_file(&tbs, w.spki, w.spki_len, fd, 5, len), -1);
	assert_int_equal(ca_error_reason(), CA_R_VERIFY);
	ca_error_clear();
	world_close(&w);
}

/* ---- reading ---------------------------------------------------------- */

static void
test_reader(void **state)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(tbs) tbs = { 0 };
	AUTO_STRUCT(crl_head) head = { 0 };
	AUTO_STRUCT(crl_cursor) cursor = { 0 };
	AUTO_STRUCT(certificate_facts) facts = { 0 };
	AUTO_BYTES(der) = NULL;
	unsigned char serial[SERIAL_LEN];
	struct der_source source;
	struct der octets;
	uint64_t len = 0, count = 0;
	struct world w;
	AUTO_FD(fd) = -1;
	bool there = true;

	(void)state;
	world_open(&w, "p-384");
	assert_int_equal(write_crl(&w, 30000, &findings, &tbs), 0);
	fd = assembled(&w, &tbs, &len);
	der = malloc(len);
	assert_int_equal(pread(fd, der, len, 5), len);
	octets = (struct der){ der, len };
	source = der_source_memory(&octets);
	assert_int_equal(crl_head_read("x.crl", &source, &head), 0);
	assert_int_equal(head.number, 7);
	assert_true(head.this_update == now);
	assert_true(head.next_update == crl_next_update(&w.req));
	assert_int_equal(head.entries, 30000);
	assert_true(head.ascending);
	assert_ptr_equal(head.alg, tbs.alg);
	assert_int_equal(certificate_facts(w.ca, &facts), 0);
	assert_int_equal(head.issuer_len, facts.subject_len);
	assert_memory_equal(
	    head.issuer_der, facts.subject_der, head.issuer_len);
	assert_int_equal(crl_head_verify(&head, w.spki, w.spki_len), 0);
	head.signature[8] ^= 1;
	assert_int_equal(crl_head_verify(&head, w.spki, w.spki_len), -1);
	ca_error_clear();
	assert_int_equal(crl_cursor_open(&source, &head, &cursor), 0);
	for (;; count++) {
		struct crl_entry wanted = entry_number(count, serial), got;

		assert_int_equal(crl_cursor_next(&cursor, &got, &there), 0);
		if (!there)
			break;
		assert_int_equal(crl_entry_compare(&wanted, &got), 0);
		assert_true(wanted.date == got.date);
		assert_int_equal(wanted.reason, got.reason);
		assert_true(wanted.invalidity == got.invalidity);
	}
	assert_int_equal(count, 30000);
	world_close(&w);
}

/* Any octet of a small CRL changed: refused, or it does not verify. */
static void
test_reader_forged(void **state)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(tbs) tbs = { 0 };
	AUTO_BYTES(der) = NULL;
	size_t len = 0;
	struct world w;

	(void)state;
	world_open(&w, "p-256");
	assert_int_equal(write_crl(&w, 6, &findings, &tbs), 0);
	der = sign(&tbs, w.key, &len);
	for (size_t at = 0; at < len; at++) {
		AUTO_STRUCT(crl_head) head = { 0 };
		struct der octets = { der, len };
		struct der_source source = der_source_memory(&octets);

		for (unsigned bit = 0; bit < 8; bit++) {
			AUTO_STRUCT(crl_head) one = { 0 };

			der[at] ^= (unsigned char)(1u << bit);
			if (crl_head_read("x.crl", &source, &one) == 0)
				assert_int_equal(
				    crl_head_verify(&one, w.spki, w.spki_len),
				    -1);
			der[at] ^= (unsigned char)(1u << bit);
		}
		/* And cut off here. */
		octets.len = at;
		source = der_source_memory(&octets);
		assert_int_equal(crl_head_read("x.crl", &source, &head), -1);
		ca_error_clear();
	}
	world_close(&w);
}

/* ---- times ------------------------------------------------------------ */

static void
test_times(void **state)
{
	static const struct {
		int64_t seconds;
		bool generalized;
		const char *text;
	} rows[] = {
		{ 0, false, "700101000000Z" },
		{ 951782399, false, "000228235959Z" },
		{ 951782400, false, "000229000000Z" },
		{ 951868800, false, "000301000000Z" },
		{ 1795176000, false, "261120120000Z" },
		{ 1795176000, true, "20261120120000Z" },
		{ 2524607999, false, "491231235959Z" },
		{ 2524608000, false, "20500101000000Z" },
		{ 4107542400, false, "21000301000000Z" },
		{ 253402300799, false, "99991231235959Z" },
	};
	unsigned char out[DER_TIME_MAX];
	int64_t back;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t len =
		    der_time_write(rows[i].seconds, rows[i].generalized, out);

		assert_int_equal(len, 2 + strlen(rows[i].text));
		assert_int_equal(out[1], strlen(rows[i].text));
		assert_memory_equal(out + 2, rows[i].text, out[1]);
		assert_int_equal(
		    out[0], out[1] == 13 ? DER_UTC_TIME : DER_GENERALIZED_TIME);
	}
	/* Every day of 400 years and more, there and back. */
	for (int64_t t = 12345; t < 14000000000; t += DAY) {
		size_t len = der_time_write(t, false, out);

		assert_true(der_time_read(
		    out[0], (struct der){ out + 2, len - 2 }, &back));
		assert_true(back == t);
	}
}

/* ---- memory ----------------------------------------------------------- */

/* A million entries take no more than ten thousand do, but for a little. */
static void
test_flat(void **state)
{
	AUTO_STRUCT(findings) findings = { 0 };
	struct rusage before, after;
	struct world w;

	(void)state;
	world_open(&w, "p-256");
	for (uint64_t count = 10000; count <= 1000000; count *= 10) {
		AUTO_STRUCT(tbs) tbs = { 0 };

		(void)getrusage(RUSAGE_SELF, &before);
		assert_int_equal(write_crl(&w, count, &findings, &tbs), 0);
		assert_non_null(tbs.file);
		(void)getrusage(RUSAGE_SELF, &after);
		assert_true(after.ru_maxrss - before.ru_maxrss < 4096);
	}
	world_close(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flat),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_same_octets),
		cmocka_unit_test(test_where),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_many_refused),
		cmocka_unit_test(test_frame_refused),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_forged),
		cmocka_unit_test(test_another),
		cmocka_unit_test(test_reader),
		cmocka_unit_test(test_reader_forged),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	keys_free();
	return failed;
}
