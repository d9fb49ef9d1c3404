#include "ceremony/enrol.h"

#include <dirent.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>

#include <openssl/pem.h>

#include "base/date.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ceremony/authority-private.h"

enum {
	SET_MAX_BYTES = 256 << 10,
	CERTIFICATE_MAX_BYTES = 64 << 10,
	STATEMENT_MAX_BYTES = 64 << 10,
};

#define ENROL_ENDING ".enrol"

/* ---- reading a set file ----------------------------------------------- */

/* Certificates are relative to the set file, as in a plan. */
static int
read_certificate(
    void *ctx, const char *given, unsigned char **ret_data, size_t *ret_len)
{
	const char *directory = ctx;
	AUTO_CHARS(path) = given[0] == '/'
	    ? text_copy(given)
	    : text_printf("%s/%s", directory, given);

	return path == NULL ? -1
			    : file_read_at(AT_FDCWD, path,
				  CERTIFICATE_MAX_BYTES, ret_data, ret_len);
}

int
enrol_read_set(const char *path, bool shares, struct findings *findings,
    struct quorum_set **ret_set)
{
	AUTO_BYTES(data) = NULL;
	AUTO_CHARS(copy) = text_copy(path);
	struct set_files files = { NULL, read_certificate };
	size_t len = 0;

	if (copy == NULL ||
	    file_read_at(AT_FDCWD, path, SET_MAX_BYTES, &data, &len) < 0)
		return -1;
	files.ctx = dirname(copy);
	return set_read(
	    path, data, len, shares, date_now(), &files, findings, ret_set);
}

/* ---- founding --------------------------------------------------------- */

/* The shares of a set, as secrets and sealed. */
struct founding {
	struct commitments commitments;
	struct secret shares[SHARERS_MAX];
	unsigned char *sealed[SHARERS_MAX];
	size_t lens[SHARERS_MAX];
};

static void
founding_clear(struct founding *founding)
{
	for (unsigned i = 0; i < SHARERS_MAX; i++) {
		secret_clear(&founding->shares[i]);
		free(founding->sealed[i]);
	}
}
CLEANUP_DEFINE_STRUCT(founding);

static int
seal_share(const struct quorum_set *set, const struct person *person,
    struct founding *founding)
{
	unsigned at = person->index - 1;
	AUTO_STRUCT(share) share = { 0 };
	AUTO_STRUCT(secret) text = { 0 };

	share.authority = text_copy(set->authority);
	share.operator= text_copy(person->name);
	if (share.authority == NULL || share.operator== NULL)
		return -1;
	memcpy(share.set, set->id_octets, SET_ID_LEN);
	share.index = person->index;
	share.operators = set->operators;
	share.commitments = founding->commitments;
	share.value = founding->shares[at];
	founding->shares[at] = (struct secret){ 0 };
	if (share_text(&share, &text) < 0)
		return -1;
	return share_seal(
	    &text, person->decrypt, &founding->sealed[at], &founding->lens[at]);
}

static int
found_with_shares(int quorum_fd, const char *id, struct quorum_set *set,
    const struct secret *secret)
{
	AUTO_STRUCT(founding) founding = { 0 };

	if (sharing_split(secret, set->threshold, set->operators,
		&founding.commitments, founding.shares) < 0 ||
	    set_found(set, id, &founding.commitments) < 0)
		return -1;
	for (size_t i = 0; i < set->count; i++)
		if (!set->people[i].witness &&
		    seal_share(set, &set->people[i], &founding) < 0)
			return -1;
	return set_store(quorum_fd, set, founding.sealed, founding.lens);
}

int
enrol_found(struct authority *authority, struct quorum_set *set,
    const unsigned char *mix, size_t mix_len, struct secret *ret_secret)
{
	AUTO_STRUCT(secret) secret = { 0 };
	const char *id = authority->config->id;
	int fd;

	if (authority_quorum_fd(authority, &fd) < 0)
		return -1;
	if (!set->shares)
		return set_found(set, id, NULL) < 0
		    ? -1
		    : set_store(fd, set, NULL, NULL);
	if (sharing_new_secret(mix, mix_len, &secret) < 0 ||
	    found_with_shares(fd, id, set, &secret) < 0)
		return -1;
	*ret_secret = secret;
	secret = (struct secret){ 0 };
	return 0;
}

/* ---- statements in quorum/SETID/ -------------------------------------- */

static int
open_set(struct authority *authority, const struct quorum_set *set, int *ret_fd)
{
	int fd;

	return authority_quorum_fd(authority, &fd) < 0
	    ? -1
	    : dir_open_at(fd, set->id, ret_fd);
}

/*
 * NAME + ending in quorum/SETID/, verified; *ret_len 0 where there is none.
 */
static int
read_statement(int set_fd, const struct person *person, const char *ending,
    enum signature_purpose purpose, const char *text, unsigned char **ret_der,
    size_t *ret_len)
{
	AUTO_CHARS(name) = text_printf("%s%s", person->name, ending);
	AUTO_BYTES(der) = NULL;
	size_t len = 0;
	int there;

	if (name == NULL || (there = file_exists_at(set_fd, name)) < 0)
		return -1;
	*ret_len = 0;
	if (there == 0)
		return 0;
	if (file_read_at(set_fd, name, STATEMENT_MAX_BYTES, &der, &len) < 0)
		return -1;
	if (signature_verify(
		purpose, text, strlen(text), der, len, person->sign) < 0)
		return ca_error(CA_R_VERIFY,
		    "'quorum/.../%s' is no %s by '%s': it was changed; remove "
		    "it, and it is asked for again",
		    name, signature_purpose_name(purpose), person->name);
	*ret_der = TAKE(der);
	*ret_len = len;
	return 0;
}

static int
write_statement(int set_fd, const struct person *person, const char *ending,
    const unsigned char *der, size_t len)
{
	AUTO_CHARS(name) = text_printf("%s%s", person->name, ending);

	return name == NULL
	    ? -1
	    : file_write_at(set_fd, name, der, len, 0644, FILE_REPLACE);
}

static bool
is_present(const struct operators *operators, const struct person *person)
{
	const struct person *other;

	for (size_t i = 0; (other = operators_at(operators, i)) != NULL; i++)
		if (other == person)
			return true;
	return false;
}

/* One act that every operator of a set has to do once. */
struct duty {
	struct authority *authority;
	struct operators *operators;
	int fd;           /* quorum/SETID/ */
	const char *what; /* "to enrol" */
	/* Do it, unless it is done; *ret_done: it is now. */
	int (*perform)(struct duty *duty, const struct person *person,
	    bool present, bool *ret_done);
	const char *text; /* the anchor's */
	bool pinned;      /* the journal names the set */
	unsigned done;    /* how many have */
	char *missing;    /* names of those who have not */
};

/* "alice", then "alice, bob"; the list is NULL where there is no memory. */
static void
add_name(char **names, const char *name)
{
	AUTO_CHARS(before) = TAKE(*names);

	if (before != NULL)
		*names = text_printf(
		    "%s%s%s", before, *before == '\0' ? "" : ", ", name);
}

/* All who are there do it; names who is missing, or "". */
static int
duty_round(struct duty *duty)
{
	const struct quorum_set *set = duty->operators->set;

	free(duty->missing);
	duty->missing = text_copy("");
	duty->done = 0;
	for (size_t i = 0; duty->missing != NULL && i < set->count; i++) {
		const struct person *person = &set->people[i];
		bool done = false;

		if (person->witness)
			continue;
		if (duty->perform(duty, person,
			is_present(duty->operators, person), &done) < 0)
			return -1;
		duty->done += done;
		if (!done)
			add_name(&duty->missing, person->name);
	}
	return duty->missing == NULL ? -1 : 0;
}

static unsigned
count_present(const struct operators *operators)
{
	unsigned n = 0;

	while (operators_at(operators, n) != NULL)
		n++;
	return n;
}

/* What the others did counts only if the set is taken up again. */
static int
refuse_missing(const struct duty *duty)
{
	unsigned threshold = duty->operators->set->threshold;

	if (duty->pinned || duty->done >= threshold)
		return ca_error(CA_R_QUORUM,
		    "every operator is needed %s; still missing: %s; what the "
		    "others did is kept: give the same command again with "
		    "them",
		    duty->what, duty->missing);
	return ca_error(CA_R_QUORUM,
	    "every operator is needed %s; still missing: %s; a set in which "
	    "fewer than %u enrolled is not kept, because nothing shows who "
	    "wrote it: give the same command again, best with all of them; it "
	    "makes a new set, and who enrolled now enrols again",
	    duty->what, duty->missing, threshold);
}

/* Ask for those who are missing, one by one, until nobody else comes. */
static int
duty_for_all(struct duty *duty)
{
	for (;;) {
		if (duty_round(duty) < 0)
			return -1;
		if (*duty->missing == '\0')
			return 0;
		if (operators_need(duty->operators,
			count_present(duty->operators) + 1, duty->what) == 0)
			continue;
		if (ca_error_reason() != CA_R_QUORUM)
			return -1;
		ca_error_clear();
		return refuse_missing(duty);
	}
}

/* ---- enrolment -------------------------------------------------------- */

static int
enrol(struct duty *duty, const struct person *person, const char *text)
{
	AUTO_BYTES(der) = NULL;
	size_t len = 0;
	int quorum_fd;

	if (authority_quorum_fd(duty->authority, &quorum_fd) < 0)
		return -1;
	if (duty->operators->set->shares) {
		AUTO_STRUCT(share) share = { 0 };

		if (operators_open_share(
			duty->operators, quorum_fd, person, &share) < 0)
			return -1;
	}
	if (operators_sign(duty->operators, person, SIGNATURE_ENROL, text,
		strlen(text), &der, &len) < 0)
		return -1;
	return write_statement(duty->fd, person, ENROL_ENDING, der, len);
}

static int
perform_enrolment(struct duty *duty, const struct person *person, bool present,
    bool *ret_done)
{
	AUTO_CHARS(text) = NULL;
	AUTO_BYTES(der) = NULL;
	size_t len = 0;
	int quorum_fd;

	if (authority_quorum_fd(duty->authority, &quorum_fd) < 0 ||
	    set_enrolment_text(quorum_fd, duty->operators->set, person, &text) <
		0 ||
	    read_statement(duty->fd, person, ENROL_ENDING, SIGNATURE_ENROL,
		text, &der, &len) < 0)
		return -1;
	if (len == 0 && present && enrol(duty, person, text) < 0)
		return -1;
	*ret_done = len > 0 || present;
	return 0;
}

/* The operator whose NAME.enrol this is; NULL: nobody's. */
static const struct person *
enroller(const struct quorum_set *set, const char *file)
{
	size_t len = strlen(file) - strlen(ENROL_ENDING);

	for (size_t i = 0; i < set->count; i++) {
		const struct person *person = &set->people[i];

		if (!person->witness && strlen(person->name) == len &&
		    strncmp(person->name, file, len) == 0)
			return person;
	}
	return NULL;
}

static int
is_enrolment(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name), ending = strlen(ENROL_ENDING);

	return len >= ending &&
	    strcmp(entry->d_name + len - ending, ENROL_ENDING) == 0;
}

static int
check_enrolment(struct authority *authority, int set_fd,
    const struct quorum_set *set, const char *file, char **names)
{
	const struct person *person = enroller(set, file);
	AUTO_CHARS(text) = NULL;
	AUTO_CHARS(safe) = NULL;
	AUTO_BYTES(der) = NULL;
	size_t len = 0;
	int quorum_fd;

	if (person == NULL) {
		safe = text_escape(file, strlen(file));
		return ca_error(CA_R_VERIFY,
		    "'quorum/.../%s' is the enrolment of nobody in the set: "
		    "somebody else wrote it; find out who",
		    safe == NULL ? "" : safe);
	}
	if (authority_quorum_fd(authority, &quorum_fd) < 0 ||
	    set_enrolment_text(quorum_fd, set, person, &text) < 0 ||
	    read_statement(set_fd, person, ENROL_ENDING, SIGNATURE_ENROL, text,
		&der, &len) < 0)
		return -1;
	add_name(names, person->name);
	return *names == NULL ? -1 : 0;
}

int
enrol_count(struct authority *authority, const struct quorum_set *set,
    unsigned *ret_count, char **ret_names)
{
	struct dirent **files = NULL;
	AUTO_CHARS(names) = text_copy("");
	AUTO_FD(fd) = -1;
	int count, rc = names == NULL ? -1 : 0;

	if (open_set(authority, set, &fd) < 0)
		return -1;
	count = scandirat(fd, ".", &files, is_enrolment, alphasort);
	if (count < 0)
		return ca_error_errno(CA_R_IO, "cannot list 'quorum/...'");
	for (int i = 0; i < count; i++) {
		if (rc == 0)
			rc = check_enrolment(
			    authority, fd, set, files[i]->d_name, &names);
		free(files[i]);
	}
	free(files);
	if (rc < 0)
		return -1;
	*ret_count = (unsigned)count;
	*ret_names = TAKE(names);
	return 0;
}

int
enrol_people(
    struct authority *authority, struct operators *operators, bool pinned)
{
	AUTO_FD(fd) = -1;
	struct duty duty = {
		.authority = authority,
		.operators = operators,
		.what = "to enrol",
		.perform = perform_enrolment,
		.pinned = pinned,
	};
	int rc;

	if (open_set(authority, operators->set, &fd) < 0 || dir_sweep(fd) < 0)
		return -1;
	duty.fd = fd;
	rc = duty_for_all(&duty);
	free(duty.missing);
	return rc;
}

/* ---- the journal ------------------------------------------------------ */

static json_t *
optional(const char *text)
{
	return text == NULL ? json_null() : json_string(text);
}

static int
evidence(struct authority *authority, const void *bytes, size_t len,
    char ret_hex[HASH_HEX_SIZE])
{
	unsigned char digest[HASH_LEN];

	if (journal_evidence_put(authority->journal, bytes, len, digest) < 0)
		return -1;
	text_hex_into(digest, HASH_LEN, ret_hex);
	return 0;
}

/* An operator's statement goes in as evidence; a witness has none. */
static int
statement_of(struct authority *authority, int quorum_fd, int set_fd,
    const struct quorum_set *set, const struct person *person,
    char ret_hex[HASH_HEX_SIZE])
{
	AUTO_CHARS(text) = NULL;
	AUTO_BYTES(der) = NULL;
	size_t len = 0;

	if (set_enrolment_text(quorum_fd, set, person, &text) < 0 ||
	    read_statement(set_fd, person, ENROL_ENDING, SIGNATURE_ENROL, text,
		&der, &len) < 0)
		return -1;
	if (len == 0)
		return ca_error(
		    CA_R_QUORUM, "'%s' has not enrolled", person->name);
	return evidence(authority, der, len, ret_hex);
}

/* As quorum/SETID/ has it: set.yaml names the hash of this PEM. */
static int
certificate_evidence(
    struct authority *authority, X509 *certificate, char ret_hex[HASH_HEX_SIZE])
{
	AUTO(BIO) *bio = BIO_new(BIO_s_mem());
	char *pem = NULL;
	long len;

	if (bio == NULL || PEM_write_bio_X509(bio, certificate) != 1 ||
	    (len = BIO_get_mem_data(bio, &pem)) <= 0)
		return ca_error(CA_R_MEMORY, "no memory for a certificate");
	return evidence(authority, pem, (size_t)len, ret_hex);
}

static int
share_hash(int quorum_fd, const struct quorum_set *set,
    const struct person *person, char **ret_hex)
{
	AUTO_BYTES(der) = NULL;
	size_t len = 0;

	if (person->decrypt == NULL)
		return 0;
	if (set_share(quorum_fd, set, person, &der, &len) < 0)
		return -1;
	*ret_hex = sha256_hex(der, len);
	return *ret_hex == NULL ? -1 : 0;
}

static int
journal_person(struct authority *authority, int quorum_fd, int set_fd,
    const struct quorum_set *set, const struct person *person)
{
	char statement[HASH_HEX_SIZE], sign[HASH_HEX_SIZE];
	char decrypt[HASH_HEX_SIZE];
	AUTO_CHARS(share) = NULL;
	AUTO_CHARS(text) =
	    text_printf(person->witness ? "'%s' may witness"
					: "'%s' has enrolled as an operator",
		person->name);

	if (text == NULL ||
	    (!person->witness &&
		statement_of(authority, quorum_fd, set_fd, set, person,
		    statement) < 0) ||
	    certificate_evidence(authority, person->sign, sign) < 0 ||
	    (person->decrypt != NULL &&
		certificate_evidence(authority, person->decrypt, decrypt) <
		    0) ||
	    share_hash(quorum_fd, set, person, &share) < 0)
		return -1;
	return journal_append(authority->journal, ENTRY_ENROLMENT,
	    json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:s, s:o}", "set",
		set->id, "name", person->name, "role",
		person->witness ? "witness" : "operator", "sign",
		person->sign_spki, "decrypt", optional(person->decrypt_spki),
		"share", optional(share), "statement",
		optional(person->witness ? NULL : statement), "certificate",
		sign, "decrypt_certificate",
		optional(person->decrypt == NULL ? NULL : decrypt)),
	    text, NULL);
}

int
enrol_journal(struct authority *authority, const struct quorum_set *set)
{
	AUTO_FD(set_fd) = -1;
	int quorum_fd;

	if (authority_quorum_fd(authority, &quorum_fd) < 0 ||
	    open_set(authority, set, &set_fd) < 0)
		return -1;
	for (size_t i = 0; i < set->count; i++)
		if (journal_person(
			authority, quorum_fd, set_fd, set, &set->people[i]) < 0)
			return -1;
	return 0;
}

int
enrol_quorum_entry(struct authority *authority, const struct quorum_set *set,
    const char *state, const char *replaces, const char *run, const char *text)
{
	char hex[HASH_HEX_SIZE];

	if (evidence(authority, set->text, strlen(set->text), hex) < 0)
		return -1;
	return journal_append(authority->journal, ENTRY_QUORUM,
	    json_pack("{s:s, s:s, s:s, s:I, s:I, s:o, s:o, s:s}", "set",
		set->id, "state", state, "sha256", hex, "threshold",
		(json_int_t)set->threshold, "operators",
		(json_int_t)set->operators, "commitments",
		optional(set->commitments), "replaces", optional(replaces),
		"run", run),
	    text, NULL);
}

/* ---- the anchor ------------------------------------------------------- */

static int
anchor_text(struct authority *authority, const struct quorum_set *set,
    char **ret_text, char **ret_pem)
{
	AUTO_STRUCT(authority_row) row = { 0 };
	AUTO_STRUCT(key_row) key = { 0 };
	AUTO(EVP_PKEY) *public = NULL;
	AUTO(BIO) *bio = BIO_new(BIO_s_mem());
	AUTO_CHARS(spki) = NULL;
	char genesis[HASH_HEX_SIZE], *pem = NULL;
	const unsigned char *at;
	bool found = false;
	long len;

	if (journal_authority(authority->journal, &row) < 0 ||
	    journal_key(authority->journal, JOURNAL_KEY, &found, &key) < 0)
		return -1;
	if (!found || key.spki == NULL)
		return ca_error(CA_R_STATE, "the journal has no key yet");
	at = key.spki;
	public = d2i_PUBKEY(NULL, &at, (long)key.spki_len);
	spki = sha256_hex(key.spki, key.spki_len);
	if (spki == NULL || public == NULL || bio == NULL ||
	    PEM_write_bio_PUBKEY(bio, public) != 1 ||
	    (len = BIO_get_mem_data(bio, &pem)) <= 0)
		return ca_error(
		    CA_R_INTERNAL, "the journal's key cannot be written");
	text_hex_into(row.genesis, HASH_LEN, genesis);
	*ret_pem = text_printf("%.*s", (int)len, pem);
	*ret_text = text_printf("ca-tool anchor 1\nauthority: %s\ngenesis: "
				"%s\njournal-key: %s\nset: %s\n",
	    row.id, genesis, spki, set->id);
	return *ret_text == NULL || *ret_pem == NULL ? -1 : 0;
}

/* public/anchor/, with what the anchor names. */
static int
open_public(struct authority *authority, int *ret_fd)
{
	AUTO_FD(public) = -1;

	if (dir_make_at(authority->fd, "public", 0755, &public) < 0 ||
	    dir_make_at(public, "anchor", 0755, ret_fd) < 0)
		return -1;
	return dir_sweep(*ret_fd);
}

/* Signature and certificate, for those who verify without ca-tool. */
static int
publish_anchor(struct authority *authority, const struct person *person,
    const unsigned char *der, size_t len)
{
	AUTO_CHARS(cms) = text_printf("%s.cms", person->name);
	AUTO_CHARS(crt) = text_printf("%s.sign.crt", person->name);
	AUTO(BIO) *bio = BIO_new(BIO_s_mem());
	AUTO_FD(fd) = -1;
	char *pem = NULL;
	long pem_len;

	if (cms == NULL || crt == NULL || bio == NULL ||
	    PEM_write_bio_X509(bio, person->sign) != 1 ||
	    (pem_len = BIO_get_mem_data(bio, &pem)) <= 0)
		return ca_error(CA_R_MEMORY, "no memory for the anchor");
	if (open_public(authority, &fd) < 0 ||
	    file_write_at(fd, crt, pem, (size_t)pem_len, 0644, FILE_REPLACE) <
		0)
		return -1;
	return file_write_at(fd, cms, der, len, 0644, FILE_REPLACE);
}

static int
journal_anchor(struct authority *authority, const struct quorum_set *set,
    const struct person *person, const char *text, const unsigned char *der,
    size_t len)
{
	char statement[HASH_HEX_SIZE], anchor[HASH_HEX_SIZE];
	AUTO_CHARS(line) = text_printf("'%s' signed the anchor", person->name);

	if (line == NULL || evidence(authority, der, len, statement) < 0 ||
	    evidence(authority, text, strlen(text), anchor) < 0)
		return -1;
	return journal_append(authority->journal, ENTRY_ANCHOR,
	    json_pack("{s:s, s:s, s:s, s:s}", "set", set->id, "name",
		person->name, "statement", statement, "text", anchor),
	    line, NULL);
}

static int
perform_anchor(struct duty *duty, const struct person *person, bool present,
    bool *ret_done)
{
	const struct quorum_set *set = duty->operators->set;
	AUTO_BYTES(der) = NULL;
	size_t len = 0;
	bool journalled = false;

	if (read_statement(duty->fd, person, ".anchor", SIGNATURE_ANCHOR,
		duty->text, &der, &len) < 0 ||
	    journal_has_anchor(duty->authority->journal, set->id, person->name,
		&journalled) < 0)
		return -1;
	*ret_done = len > 0 || present;
	if (!*ret_done)
		return 0;
	if (len == 0 &&
	    (operators_sign(duty->operators, person, SIGNATURE_ANCHOR,
		 duty->text, strlen(duty->text), &der, &len) < 0 ||
		write_statement(duty->fd, person, ".anchor", der, len) < 0))
		return -1;
	if (publish_anchor(duty->authority, person, der, len) < 0)
		return -1;
	return journalled ? 0
			  : journal_anchor(duty->authority, set, person,
				duty->text, der, len);
}

int
authority_anchor(struct authority *authority, struct operators *operators)
{
	AUTO_FD(set_fd) = -1;
	AUTO_FD(public_fd) = -1;
	AUTO_CHARS(text) = NULL;
	AUTO_CHARS(pem) = NULL;
	struct duty duty = {
		.authority = authority,
		.operators = operators,
		.what = "to sign the anchor",
		.perform = perform_anchor,
		.pinned = true,
	};
	int rc;

	if (anchor_text(authority, operators->set, &text, &pem) < 0 ||
	    open_set(authority, operators->set, &set_fd) < 0 ||
	    dir_sweep(set_fd) < 0 || open_public(authority, &public_fd) < 0 ||
	    file_write_at(public_fd, "anchor.txt", text, strlen(text), 0644,
		FILE_REPLACE) < 0 ||
	    file_write_at(public_fd, "journal-key.pem", pem, strlen(pem), 0644,
		FILE_REPLACE) < 0)
		return -1;
	duty.fd = set_fd;
	duty.text = text;
	rc = duty_for_all(&duty);
	free(duty.missing);
	return rc;
}
