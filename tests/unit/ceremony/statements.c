/*
 * Statements on disk: what counts, and that each forged one is named and does
 * not count.
 */
#include "ceremony/statements.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/secret.h"
#include "support.h"

enum { ALICE, BOB, CAROL, WENDY, MALLORY, PEOPLE };

static const char *const names[PEOPLE] = { "alice", "bob", "carol", "wendy",
	"mallory" };

static const char manifest[] = "{\n \"format\": \"a manifest\"\n}\n";
static const char other[] = "{\n \"format\": \"another one\"\n}\n";

static char base[64];
static int base_fd = -1;
static EVP_PKEY *keys[PEOPLE];
static X509 *certificates[PEOPLE];
static struct person people[MALLORY]; /* mallory is not of the set */
static char words[PEOPLE][16];

static const struct quorum_set set = {
	.id = "00112233445566778899aabbccddeeff",
	.threshold = 2,
	.operators = 3,
	.people = people,
	.count = MALLORY,
};

static const struct statement_kind approval = {
	.purpose = SIGNATURE_APPROVE,
	.folder = "approvals",
	.prefix = "",
	.content = manifest,
	.len = sizeof(manifest) - 1,
};

/* ---- people ----------------------------------------------------------- */

static X509 *
make_certificate(const char *name, EVP_PKEY *key)
{
	X509 *certificate = X509_new();
	X509_NAME *subject;

	assert_non_null(certificate);
	subject = X509_get_subject_name(certificate);
	assert_int_equal(X509_set_version(certificate, X509_VERSION_3), 1);
	assert_int_equal(
	    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1), 1);
	assert_int_equal(
	    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
		(const unsigned char *)name, -1, -1, 0),
	    1);
	assert_int_equal(X509_set_issuer_name(certificate, subject), 1);
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(certificate), -60));
	assert_non_null(
	    X509_gmtime_adj(X509_getm_notAfter(certificate), 86400));
	assert_int_equal(X509_set_pubkey(certificate, key), 1);
	assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
	return certificate;
}

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static int
setup(void **state)
{
	(void)state;
	(void)snprintf(base, sizeof(base), "test-statements-XXXXXX");
	if (process_harden() < 0 || mkdtemp(base) == NULL ||
	    dir_open(base, &base_fd) < 0)
		return -1;
	for (size_t i = 0; i < PEOPLE; i++) {
		keys[i] = EVP_EC_gen("P-256");
		assert_non_null(keys[i]);
		certificates[i] = make_certificate(names[i], keys[i]);
		(void)snprintf(words[i], sizeof(words[i]), "%s", names[i]);
	}
	for (size_t i = 0; i < MALLORY; i++)
		people[i] = (struct person){
			.name = words[i],
			.witness = i == WENDY,
			.index = i == WENDY ? 0 : (unsigned)i + 1,
			.sign = certificates[i],
		};
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < PEOPLE; i++) {
		EVP_PKEY_free(keys[i]);
		X509_free(certificates[i]);
	}
	cleanup_fd(&base_fd);
	return nftw(base, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- files ------------------------------------------------------------ */

struct bytes {
	unsigned char *der;
	size_t len;
};

static struct bytes
sign(enum signature_purpose purpose, const char *content, size_t who)
{
	struct bytes out = { 0 };

	assert_ok(signature_make(purpose, content, strlen(content), keys[who],
	    certificates[who], &out.der, &out.len));
	return out;
}

static void
put(const char *folder, const char *file, const void *data, size_t len)
{
	AUTO_FD(fd) = -1;

	assert_ok(dir_make_at(base_fd, folder, 0700, &fd));
	assert_ok(file_write_at(fd, file, data, len, 0600, FILE_REPLACE));
}

/* Sign, and put under this name. */
static void
put_signed(const char *folder, const char *file, enum signature_purpose purpose,
    const char *content, size_t who)
{
	struct bytes b = sign(purpose, content, who);

	put(folder, file, b.der, b.len);
	free(b.der);
}

static const char *
path_of(const char *folder, const char *file)
{
	static char paths[2][256];
	static unsigned next;
	char *path = paths[next++ % 2];

	(void)snprintf(path, sizeof(paths[0]), "%s/%s/%s", base, folder, file);
	return path;
}

/* Each test begins with nothing there. */
static int
empty(void **state)
{
	char path[128];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", base,
		    i == 0 ? "approvals" : "confirmations");
		(void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	}
	return 0;
}

/* ---- what counts ------------------------------------------------------ */

static void
test_none(void **state)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(statements) statements = { 0 };
	AUTO_CHARS(text) = NULL;

	(void)state;
	assert_ok(
	    statements_load(base_fd, &approval, &set, &findings, &statements));
	assert_int_equal(statements.count, 0);
	assert_quiet(&findings);
	assert_ok(statements_names(&statements, &text));
	assert_string_equal(text, "nobody");
}

static void
test_valid(void **state)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(statements) statements = { 0 };
	AUTO_CHARS(text) = NULL;

	(void)state;
	put_signed(
	    "approvals", "carol.cms", SIGNATURE_APPROVE, manifest, CAROL);
	put_signed(
	    "approvals", "alice.cms", SIGNATURE_APPROVE, manifest, ALICE);
	/* What a crash left of a file that was being written. */
	put("approvals", ".bob.cms.tmp-00000000", "x", 1);
	assert_ok(
	    statements_load(base_fd, &approval, &set, &findings, &statements));
	assert_quiet(&findings);
	assert_int_equal(statements.count, 2);
	/* In the set's order, whatever the order of the files. */
	assert_ptr_equal(statements.rows[0].person, &people[ALICE]);
	assert_ptr_equal(statements.rows[1].person, &people[CAROL]);
	assert_true(statements_have(&statements, &people[ALICE]));
	assert_false(statements_have(&statements, &people[BOB]));
	assert_ok(statements_names(&statements, &text));
	assert_string_equal(text, "alice, carol");
}

/* ---- what does not ---------------------------------------------------- */

/* Alice's counts; the other file does not, and is named. */
static void
only_alice(const struct statement_kind *kind, const char *id, const char *file)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(statements) statements = { 0 };
	char place[128];

	(void)snprintf(place, sizeof(place), "%s/%s", kind->folder, file);
	assert_ok(statements_load(base_fd, kind, &set, &findings, &statements));
	assert_only(&findings, id, place);
	assert_int_equal(findings.errors, 0);
	assert_int_equal(findings.rows[0].severity, FINDING_WARNING);
	assert_non_null(strstr(findings.rows[0].text, "it does not count"));
	assert_int_equal(statements.count, 1);
	assert_ptr_equal(statements.rows[0].person, &people[ALICE]);
	assert_int_equal(ca_error_reason(), 0);
	assert_int_equal(unlinkat(base_fd, place, 0), 0);
}

static void
forged(const char *id, const char *file, enum signature_purpose purpose,
    const char *content, size_t who)
{
	put_signed("approvals", file, purpose, content, who);
	only_alice(&approval, id, file);
}

static void
with_alice(void)
{
	put_signed(
	    "approvals", "alice.cms", SIGNATURE_APPROVE, manifest, ALICE);
}

static void
test_forged(void **state)
{
	(void)state;
	with_alice();
	/* Of somebody else, under bob's name: alice's second one, too. */
	forged(
	    "STATEMENT-SIGNER", "bob.cms", SIGNATURE_APPROVE, manifest, ALICE);
	forged(
	    "STATEMENT-SIGNER", "bob.cms", SIGNATURE_APPROVE, manifest, WENDY);
	forged("STATEMENT-SIGNATURE", "bob.cms", SIGNATURE_APPROVE, manifest,
	    MALLORY);
	/* Right signer, wrong thing. */
	forged("STATEMENT-SIGNATURE", "bob.cms", SIGNATURE_APPROVE, other, BOB);
	forged(
	    "STATEMENT-SIGNATURE", "bob.cms", SIGNATURE_CONFIRM, manifest, BOB);
	forged("STATEMENT-SIGNATURE", "bob.cms", SIGNATURE_REHEARSE, manifest,
	    BOB);
	forged(
	    "STATEMENT-SIGNATURE", "bob.cms", SIGNATURE_ENROL, manifest, BOB);
	/* A witness, a stranger, and names that are none. */
	forged("STATEMENT-WITNESS", "wendy.cms", SIGNATURE_APPROVE, manifest,
	    WENDY);
	forged("STATEMENT-NAME", "mallory.cms", SIGNATURE_APPROVE, manifest,
	    MALLORY);
	forged("STATEMENT-NAME", "bob", SIGNATURE_APPROVE, manifest, BOB);
	forged(
	    "STATEMENT-NAME", "bob.cms.old", SIGNATURE_APPROVE, manifest, BOB);
	forged("STATEMENT-NAME", "0-bob.cms", SIGNATURE_APPROVE, manifest, BOB);
	forged("STATEMENT-NAME", "Bob.cms", SIGNATURE_APPROVE, manifest, BOB);
}

static void
broken(const void *data, size_t len)
{
	put("approvals", "bob.cms", data, len);
	only_alice(&approval, "STATEMENT-SIGNATURE", "bob.cms");
}

static void
test_broken(void **state)
{
	struct bytes good;
	unsigned char *copy;

	(void)state;
	with_alice();
	good = sign(SIGNATURE_APPROVE, manifest, BOB);
	copy = malloc(good.len + 1);
	assert_non_null(copy);
	memcpy(copy, good.der, good.len);
	copy[good.len] = '\n';
	broken(copy, good.len + 1);
	broken(copy, good.len - 1);
	broken(copy, 1);
	broken("", 0);
	broken("not a statement\n", 16);
	copy[good.len - 1] ^= 1;
	broken(copy, good.len);
	free(copy);
	free(good.der);
}

/* What is no file is neither waited for nor followed. */
static void
test_no_file(void **state)
{
	char target[256];

	(void)state;
	with_alice();
	assert_int_equal(mkfifo(path_of("approvals", "bob.cms"), 0600), 0);
	only_alice(&approval, "STATEMENT-FILE", "bob.cms");
	put_signed("confirmations", "good", SIGNATURE_APPROVE, manifest, BOB);
	assert_non_null(realpath(path_of("confirmations", "good"), target));
	assert_int_equal(symlink(target, path_of("approvals", "bob.cms")), 0);
	only_alice(&approval, "STATEMENT-FILE", "bob.cms");
	assert_int_equal(
	    symlink("/nonexistent", path_of("approvals", "bob.cms")), 0);
	only_alice(&approval, "STATEMENT-FILE", "bob.cms");
}

static void
test_directory(void **state)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(statements) statements = { 0 };

	(void)state;
	with_alice();
	assert_int_equal(mkdir(path_of("approvals", "bob.cms"), 0700), 0);
	assert_ok(
	    statements_load(base_fd, &approval, &set, &findings, &statements));
	assert_only(&findings, "STATEMENT-FILE", "approvals/bob.cms");
	assert_int_equal(statements.count, 1);
}

/* A name that would break a terminal is escaped where it is told. */
static void
test_odd_name(void **state)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(statements) statements = { 0 };

	(void)state;
	put("approvals", "\033[2Jbob.cms", "x", 1);
	assert_ok(
	    statements_load(base_fd, &approval, &set, &findings, &statements));
	assert_int_equal(statements.count, 0);
	assert_int_equal(findings.count, 1);
	assert_null(strchr(findings.rows[0].place, '\033'));
	assert_null(strchr(findings.rows[0].text, '\033'));
}

/* ---- lists ------------------------------------------------------------ */

static void
test_lists(void **state)
{
	static const char list0[] = "{\"list\":0}\n",
			  list1[] = "{\"list\":1}\n";
	const struct statement_kind first = { SIGNATURE_CONFIRM,
		"confirmations", "0-", list0, sizeof(list0) - 1 };
	const struct statement_kind second = { SIGNATURE_CONFIRM,
		"confirmations", "1-", list1, sizeof(list1) - 1 };
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(statements) statements = { 0 };

	(void)state;
	put_signed("confirmations", "0-bob.cms", SIGNATURE_CONFIRM, list0, BOB);
	put_signed(
	    "confirmations", "1-alice.cms", SIGNATURE_CONFIRM, list1, ALICE);
	assert_ok(
	    statements_load(base_fd, &first, &set, &findings, &statements));
	/* The other list's are neither counted nor complained of. */
	assert_quiet(&findings);
	assert_int_equal(statements.count, 1);
	assert_ptr_equal(statements.rows[0].person, &people[BOB]);
	/* A confirmation of one list is none of another. */
	put_signed("confirmations", "1-bob.cms", SIGNATURE_CONFIRM, list0, BOB);
	only_alice(&second, "STATEMENT-SIGNATURE", "1-bob.cms");
	put_signed("confirmations", "1-bob.cms", SIGNATURE_APPROVE, list1, BOB);
	only_alice(&second, "STATEMENT-SIGNATURE", "1-bob.cms");
	put_signed(
	    "confirmations", "1-bob.cms", SIGNATURE_REHEARSE, list1, BOB);
	only_alice(&second, "STATEMENT-SIGNATURE", "1-bob.cms");
}

/* ---- storing ---------------------------------------------------------- */

static void
refused(enum ca_reason reason, size_t named, enum signature_purpose purpose,
    const char *content, size_t who)
{
	struct bytes b = sign(purpose, content, who);
	char file[64];

	assert_refused(reason,
	    statements_store(base_fd, &approval, &people[named], b.der, b.len));
	(void)snprintf(file, sizeof(file), "approvals/%s.cms", names[named]);
	assert_int_equal(file_exists_at(base_fd, file), 0);
	free(b.der);
}

static void
test_store(void **state)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(statements) statements = { 0 };
	struct bytes good;
	struct stat st;

	(void)state;
	refused(CA_R_VERIFY, BOB, SIGNATURE_APPROVE, other, BOB);
	refused(CA_R_VERIFY, BOB, SIGNATURE_CONFIRM, manifest, BOB);
	refused(CA_R_VERIFY, BOB, SIGNATURE_APPROVE, manifest, ALICE);
	refused(CA_R_QUORUM, WENDY, SIGNATURE_APPROVE, manifest, WENDY);
	/* In the place of a forged one, which is no reason to give up. */
	put("approvals", "bob.cms", "x", 1);
	good = sign(SIGNATURE_APPROVE, manifest, BOB);
	assert_ok(statements_store(
	    base_fd, &approval, &people[BOB], good.der, good.len));
	free(good.der);
	assert_ok(
	    statements_load(base_fd, &approval, &set, &findings, &statements));
	assert_quiet(&findings);
	assert_int_equal(statements.count, 1);
	assert_ptr_equal(statements.rows[0].person, &people[BOB]);
	assert_int_equal(fstatat(base_fd, "approvals/bob.cms", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_none, empty),
		cmocka_unit_test_setup(test_valid, empty),
		cmocka_unit_test_setup(test_forged, empty),
		cmocka_unit_test_setup(test_broken, empty),
		cmocka_unit_test_setup(test_no_file, empty),
		cmocka_unit_test_setup(test_directory, empty),
		cmocka_unit_test_setup(test_odd_name, empty),
		cmocka_unit_test_setup(test_lists, empty),
		cmocka_unit_test_setup(test_store, empty),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
