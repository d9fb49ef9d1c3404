/*
 * Confirming: operators' signatures over the list of what is about to be
 * signed and done; in the room, or on a second machine from a copy.
 */
#include <dirent.h>
#include <inttypes.h>
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ceremony/approve.h"
#include "ceremony/batch.h"
#include "ceremony/quorum/words.h"
#include "ceremony/run-private.h"
#include "profiles/crl.h"
#include "profiles/existing.h"

CLEANUP_DEFINE(json_t, json_decref);

/* What a confirmation is a signature over: the exact octets of list-N. */
static void
confirmation_of(const unsigned char *list, size_t len, const char *prefix,
    struct statement_kind *ret_kind)
{
	*ret_kind = (struct statement_kind){
		.purpose = SIGNATURE_CONFIRM,
		.folder = "confirmations",
		.prefix = prefix,
		.content = list,
		.len = len,
	};
}

/* ---- decoding --------------------------------------------------------- */

static int
print_certificate(BIO *out, const unsigned char *der, size_t len)
{
	AUTO(X509) *certificate = NULL;

	if (certificate_read("the spool", der, len, &certificate) < 0)
		return -1;
	return X509_print_ex(
	    out, certificate, XN_FLAG_ONELINE, X509_FLAG_NO_SIGDUMP);
}

static int
print_crl(BIO *out, const unsigned char *der, size_t len)
{
	AUTO(X509_CRL) *crl = NULL;

	if (crl_read("the spool", der, len, &crl) < 0)
		return -1;
	return X509_CRL_print_ex(out, crl, XN_FLAG_ONELINE);
}

static int
print_request(BIO *out, const unsigned char *der, size_t len)
{
	const unsigned char *p = der;
	AUTO(X509_REQ) *request = d2i_X509_REQ(NULL, &p, (long)len);

	if (request == NULL)
		return ca_error(
		    CA_R_VERIFY, "the spool holds a malformed request");
	return X509_REQ_print_ex(
	    out, request, XN_FLAG_ONELINE, X509_FLAG_NO_SIGDUMP);
}

static int (*const printers[])(
    BIO *out, const unsigned char *der, size_t len) = {
	[OBJECT_CERTIFICATE] = print_certificate,
	[OBJECT_CRL] = print_crl,
	[OBJECT_CSR] = print_request,
};

/*
 * The printer of CRLs shows a signature, and there is none: what follows the
 * last mark is the constant in its place.
 */
static size_t
without_signature(const char *text, size_t len)
{
	static const char mark[] = "\n    Signature Algorithm: ";
	size_t n = strlen(mark), at = len;

	while (at >= n && memcmp(text + at - n, mark, n) != 0)
		at--;
	return at >= n ? at - n + 1 : len;
}

/* Line by line, so that only the ends of lines stay as they are. */
static int
escape_lines(const char *text, size_t len, char **ret_text)
{
	AUTO(BIO) *out = BIO_new(BIO_s_mem());
	char *data = NULL;
	long size;

	for (size_t at = 0; out != NULL && at < len;) {
		const char *end = memchr(text + at, '\n', len - at);
		size_t n = end == NULL ? len - at : (size_t)(end - text) - at;
		AUTO_CHARS(safe) = text_escape(text + at, n);

		if (safe == NULL || BIO_printf(out, "%s\n", safe) < 0)
			return ca_error(CA_R_MEMORY, "no memory for a text");
		at += n + 1;
	}
	size = out == NULL ? -1 : BIO_get_mem_data(out, &data);
	if (size < 0)
		return ca_error(CA_R_MEMORY, "no memory for a text");
	*ret_text = text_printf("%.*s", (int)size, data == NULL ? "" : data);
	return *ret_text == NULL ? -1 : 0;
}

int
confirm_decode(const struct tbs *tbs, char **ret_text)
{
	AUTO(BIO) *out = BIO_new(BIO_s_mem());
	AUTO_BYTES(der) = NULL;
	size_t len = 0;
	char *data = NULL;
	long size;

	if (out == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a text");
	if (built_with_constant(tbs, &der, &len) < 0)
		return -1;
	if (printers[tbs->kind](out, der, len) <= 0)
		return ca_error_reason() != 0
		    ? -1
		    : ca_error(CA_R_INTERNAL, "cannot print an object");
	size = BIO_get_mem_data(out, &data);
	if (size < 0)
		return ca_error(CA_R_MEMORY, "no memory for a text");
	return escape_lines(data,
	    tbs->kind == OBJECT_CRL ? without_signature(data, (size_t)size)
				    : (size_t)size,
	    ret_text);
}

/* ---- in the room ------------------------------------------------------ */

static int
show_listed(void *ctx, size_t item)
{
	return spool_show_item(ctx, item);
}

/* Has this one's confirmation of this list an entry? */
struct confirmed_search {
	const char *name;
	int list;
	bool found;
};

static int
match_confirmed(void *ctx, const struct statement_row *row)
{
	struct confirmed_search *search = ctx;

	if (row->list == search->list && strcmp(row->name, search->name) == 0)
		search->found = true;
	return 0;
}

static int
journal_one(struct run *run, const struct statement *row, const char *sha256)
{
	struct journal *journal = journal_of_run(run);
	struct confirmed_search search = {
		.name = row->person->name,
		.list = (int)run->lists - 1,
	};
	unsigned char digest[HASH_LEN];
	char statement[HASH_HEX_SIZE];
	AUTO_CHARS(text) = text_printf(
	    "'%s' confirmed list %u", row->person->name, run->lists - 1);

	if (text == NULL ||
	    journal_each_statement(
		journal, run->nonce, match_confirmed, &search) < 0)
		return -1;
	if (search.found)
		return 0;
	if (journal_evidence_put(journal, row->der, row->len, digest) < 0)
		return -1;
	text_hex_into(digest, HASH_LEN, statement);
	return journal_append(journal, ENTRY_CONFIRMATION,
	    json_pack("{s:s, s:i, s:s, s:s, s:s, s:s}", "run", run->nonce,
		"list", (int)run->lists - 1, "sha256", sha256, "set",
		run->set->id, "name", row->person->name, "statement",
		statement),
	    text, NULL);
}

/* All of them, or none. */
static int
journal_confirmations(struct run *run, const struct statements *confirmations)
{
	struct journal *journal = journal_of_run(run);
	AUTO_CHARS(sha256) = sha256_hex(run->list, run->list_len);

	if (sha256 == NULL || journal_begin(journal) < 0)
		return -1;
	for (size_t i = 0; i < confirmations->count; i++)
		if (journal_one(run, &confirmations->rows[i], sha256) < 0) {
			journal_rollback(journal);
			return -1;
		}
	return journal_commit(journal);
}

/* What people can do where not enough are in the room. */
static int
too_few(struct run *run, const struct statements *confirmations)
{
	AUTO_CHARS(why) = ca_error_take();
	AUTO_CHARS(names) = NULL;

	if (why == NULL || statements_names(confirmations, &names) < 0)
		return -1;
	return ca_error(CA_R_QUORUM,
	    "%u operators must confirm the list, and %zu did (%s); nothing was "
	    "signed, and the run stays open: go on with 'ca-tool plan run "
	    "--resume' when more are there, or take ceremonies/%s and "
	    "quorum/%s to another machine and run 'ca-tool plan confirm' "
	    "there: %s",
	    run->set->threshold, confirmations->count, names,
	    run->plan->directory, run->set->id, why);
}

static int
ask(struct run *run, const struct statement_kind *kind,
    struct statements *confirmations, bool *ret_no)
{
	struct statement_ask ask = {
		.operators = &run->operators,
		.why = "to confirm the list",
		.question = "Is every line of this list right?",
		.items = spool_items(run),
		.show = show_listed,
		.ctx = run,
	};

	if (statements_ask(
		run->fd, kind, &ask, run->set->threshold, confirmations) == 0)
		return 0;
	if (ca_error_reason() == CA_R_POLICY && ask.refused_by != NULL) {
		*ret_no = true;
		ca_error_clear();
		return ca_error(CA_R_POLICY, "'%s' did not confirm the list",
		    ask.refused_by->name);
	}
	return ca_error_reason() == CA_R_QUORUM ? too_few(run, confirmations)
						: -1;
}

static int
show_confirmed(struct run *run, const struct statements *confirmations)
{
	AUTO_CHARS(names) = NULL;
	AUTO_CHARS(text) = NULL;

	if (statements_names(confirmations, &names) < 0)
		return -1;
	text = text_printf("Confirmed by %s.", names);
	if (text == NULL)
		return -1;
	run->room->show(run->room->ctx, ROOM_TEXT, text);
	return 0;
}

int
confirm_list(struct run *run, bool *ret_no)
{
	AUTO_CHARS(prefix) = text_printf("%u-", run->lists - 1);
	AUTO_CHARS(sha256) = sha256_hex(run->list, run->list_len);
	AUTO_STRUCT(statements) confirmations = { 0 };
	struct statement_kind kind;

	if (prefix == NULL || sha256 == NULL || spool_show(run) < 0 ||
	    room_digest(run->room, "This list, SHA-256:", sha256) < 0)
		return -1;
	if (plan_unattended(run->plan)) {
		run->room->show(run->room->ctx, ROOM_WARNING,
		    "this plan was approved to run unattended: nobody is asked "
		    "to confirm the list");
		return 0;
	}
	confirmation_of(run->list, run->list_len, prefix, &kind);
	if (statements_load(
		run->fd, &kind, run->set, run->findings, &confirmations) < 0)
		return -1;
	if (confirmations.count < run->set->threshold &&
	    ask(run, &kind, &confirmations, ret_no) < 0)
		return -1;
	if (show_confirmed(run, &confirmations) < 0)
		return -1;
	return journal_confirmations(run, &confirmations);
}

/* ---- elsewhere: loading ----------------------------------------------- */

/* One line of a list: an object with its octets, or an act. */
struct line {
	json_t *row;
	bool act;
	struct tbs tbs; /* objects */
	/* A batch of OCSP responses: `tbs` has the octets of all. */
	bool batch;
	size_t count, revoked;
	int64_t from, until; /* as their octets say; the latest nextUpdate */
};

/* A copy of a ceremony's directory. */
struct copy {
	const struct room *room;
	int fd;
	struct plan *plan;
	struct quorum_set *set;
	unsigned number; /* of the newest list */
	unsigned char *list, *spool;
	size_t list_len, spool_len;
	json_t *header;
	struct line *lines;
	size_t count;
};

static void
copy_clear(struct copy *copy)
{
	for (size_t i = 0; i < copy->count; i++) {
		json_decref(copy->lines[i].row);
		tbs_clear(&copy->lines[i].tbs);
	}
	free(copy->lines);
	json_decref(copy->header);
	free(copy->list);
	free(copy->spool);
	if (copy->plan != NULL)
		plan_free(copy->plan);
	if (copy->set != NULL)
		quorum_set_free(copy->set);
	cleanup_fd(&copy->fd);
}
CLEANUP_DEFINE_STRUCT(copy);

static int
malformed(const struct copy *copy)
{
	return ca_error(CA_R_VERIFY, "list-%u is malformed", copy->number);
}

/* The set that the manifest names, from its own directory SETID. */
static int
load_set(struct copy *copy, const char *path)
{
	size_t end = strlen(path), start;
	AUTO_CHARS(parent) = NULL;
	AUTO_FD(fd) = -1;

	while (end > 1 && path[end - 1] == '/')
		end--;
	for (start = end; start > 0 && path[start - 1] != '/'; start--)
		;
	if (end - start != strlen(copy->plan->set) ||
	    strncmp(path + start, copy->plan->set, end - start) != 0)
		return ca_error(CA_R_QUORUM,
		    "the plan is of quorum set %s; name the copy of its "
		    "directory, which has that name",
		    copy->plan->set);
	parent =
	    start == 0 ? text_copy(".") : text_printf("%.*s", (int)start, path);
	if (parent == NULL || dir_open(parent, &fd) < 0)
		return -1;
	return set_load(
	    fd, copy->plan->set, copy->plan->set_sha256, &copy->set);
}

static int
load_plan(struct copy *copy, struct findings *findings)
{
	copy->plan = calloc(1, sizeof(*copy->plan));
	if (copy->plan == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a plan");
	copy->plan->preview.public_fd = -1;
	copy->plan->file = text_copy("plan.yaml");
	if (copy->plan->file == NULL ||
	    manifest_load(NULL, copy->fd, copy->plan) < 0)
		return -1;
	return plan_parse(copy->plan, findings);
}

/* list-N of the highest N. */
static int
find_list(struct copy *copy)
{
	static const char form[] = "list-";
	struct dirent **names = NULL;
	int count = scandirat(copy->fd, ".", &names, NULL, NULL);
	bool found = false;

	if (count < 0)
		return ca_error_errno(CA_R_IO, "cannot list the directory");
	for (int i = 0; i < count; i++) {
		const char *name = names[i]->d_name;
		uint64_t number = 0;

		if (strncmp(name, form, strlen(form)) == 0 &&
		    text_number(name + strlen(form), INT32_MAX, &number) == 0 &&
		    (!found || number > copy->number)) {
			copy->number = (unsigned)number;
			found = true;
		}
		free(names[i]);
	}
	free(names);
	ca_error_clear(); /* a file that is no list */
	if (!found)
		return ca_error(CA_R_STATE,
		    "there is no list yet: the run makes it; copy the "
		    "directory when operators are asked to confirm");
	return 0;
}

static int
read_files(struct copy *copy)
{
	AUTO_CHARS(list) = text_printf("list-%u", copy->number);
	AUTO_CHARS(spool) = text_printf("spool-%u", copy->number);

	if (list == NULL || spool == NULL ||
	    file_read_at(copy->fd, list, LIST_MAX_BYTES, &copy->list,
		&copy->list_len) < 0)
		return -1;
	return file_read_at(
	    copy->fd, spool, LIST_MAX_BYTES, &copy->spool, &copy->spool_len);
}

/* The list must be of this plan, and one that is to be confirmed. */
static int
check_header(const struct copy *copy)
{
	const char *format, *manifest, *set, *set_sha256, *run, *built;
	int number, threshold, unattended, rehearsal;

	if (json_unpack(copy->header,
		"{s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:b, s:b}", "format",
		&format, "manifest", &manifest, "set", &set, "set_sha256",
		&set_sha256, "run", &run, "built", &built, "list", &number,
		"threshold", &threshold, "unattended", &unattended, "rehearsal",
		&rehearsal) != 0 ||
	    strcmp(format, "ca-tool-list-1") != 0 ||
	    strlen(run) != 2 * NONCE_LEN ||
	    strspn(run, "0123456789abcdef") != 2 * NONCE_LEN)
		return malformed(copy);
	if (strcmp(manifest, copy->plan->manifest_sha256) != 0)
		return ca_error(CA_R_VERIFY,
		    "list-%u is not of the plan in this directory",
		    copy->number);
	if (strcmp(set, copy->set->id) != 0 ||
	    strcmp(set_sha256, copy->set->sha256) != 0 ||
	    (unsigned)threshold != copy->set->threshold ||
	    (unsigned)number != copy->number)
		return ca_error(CA_R_VERIFY,
		    "the head of list-%u does not fit its name or the quorum "
		    "set",
		    copy->number);
	if (rehearsal != 0)
		return ca_error(CA_R_POLICY,
		    "list-%u is of a rehearsal; nothing of it is confirmed",
		    copy->number);
	if (unattended != 0)
		return ca_error(
		    CA_R_STATE, "the plan runs unattended; nobody confirms it");
	return 0;
}

/* What `facts` of a line must say, as its octets do. */
static int
certificate_says(const unsigned char *der, size_t len, json_t **ret_says)
{
	AUTO(X509) *certificate = NULL;
	AUTO_STRUCT(certificate_facts) facts = { 0 };
	AUTO_CHARS(issuer) = NULL;
	AUTO_CHARS(subject) = NULL;
	AUTO_CHARS(serial) = NULL;
	AUTO_CHARS(spki) = NULL;
	char from[DATE_TEXT_SIZE], until[DATE_TEXT_SIZE];

	if (certificate_read("the spool", der, len, &certificate) < 0 ||
	    certificate_facts(certificate, &facts) < 0)
		return -1;
	issuer = sha256_hex(facts.issuer_der, facts.issuer_len);
	subject = sha256_hex(facts.subject_der, facts.subject_len);
	serial = text_hex(facts.serial, facts.serial_len);
	spki = sha256_hex(facts.spki, facts.spki_len);
	if (issuer == NULL || subject == NULL || serial == NULL || spki == NULL)
		return -1;
	date_format(facts.not_before, from);
	date_format(facts.not_after, until);
	*ret_says = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b}",
	    "issuer_dn", issuer, "serial", serial, "subject_dn", subject,
	    "spki", spki, "not_before", from, "not_after", until, "ca",
	    facts.is_ca ? 1 : 0);
	return 0;
}

static int
crl_says(const unsigned char *der, size_t len, json_t **ret_says)
{
	AUTO(X509_CRL) *crl = NULL;
	AUTO_STRUCT(crl_facts) facts = { 0 };
	AUTO_CHARS(issuer) = NULL;
	AUTO_CHARS(number) = NULL;
	char from[DATE_TEXT_SIZE], until[DATE_TEXT_SIZE];

	if (crl_read("the spool", der, len, &crl) < 0 ||
	    crl_facts(crl, &facts) < 0)
		return -1;
	issuer = sha256_hex(facts.issuer_der, facts.issuer_len);
	number = text_printf("%" PRIu64, facts.number);
	if (issuer == NULL || number == NULL)
		return -1;
	date_format(facts.this_update, from);
	date_format(facts.next_update, until);
	*ret_says = json_pack("{s:s, s:s, s:s, s:s, s:I}", "issuer_dn", issuer,
	    "number", number, "this_update", from, "next_update", until,
	    "entries", (json_int_t)facts.entry_count);
	return 0;
}

/* The journal's intent will repeat them, whatever becomes of the signature. */
static int
check_facts(const struct copy *copy, const struct line *line)
{
	json_t *facts = json_object_get(line->row, "facts"), *value;
	AUTO(json_t) *says = NULL;
	AUTO_BYTES(der) = NULL;
	const char *member;
	size_t len = 0;

	if (!json_is_object(facts))
		return malformed(copy);
	if (line->tbs.kind == OBJECT_CSR)
		return 0; /* its intent says nothing more */
	if (object_with_constant(&line->tbs, &der, &len) < 0 ||
	    (line->tbs.kind == OBJECT_CRL
		    ? crl_says(der, len, &says)
		    : certificate_says(der, len, &says)) < 0)
		return -1;
	if (says == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a list");
	json_object_foreach(says, member, value)
	{
		if (!json_equal(json_object_get(facts, member), value))
			return ca_error(CA_R_VERIFY,
			    "list-%u says another '%s' than the octets in "
			    "spool-%u",
			    copy->number, member, copy->number);
	}
	return 0;
}

/* The octets that the list names are those in the spool. */
static int
load_object(const struct copy *copy, struct line *line)
{
	const char *kind, *name, *key, *algorithm, *tbs, *summary;
	json_int_t offset, length;
	AUTO_BYTES(alg) = NULL;
	size_t alg_len = 0;
	char hex[HASH_HEX_SIZE];

	if (json_unpack(line->row, "{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I}",
		"kind", &kind, "name", &name, "key", &key, "algorithm",
		&algorithm, "tbs", &tbs, "summary", &summary, "offset", &offset,
		"length", &length) != 0 ||
	    offset < 0 || length <= 0 || length > INT32_MAX ||
	    (uint64_t)offset + (uint64_t)length > copy->spool_len)
		return malformed(copy);
	if (object_kind_by_name(kind, &line->tbs.kind) < 0 ||
	    text_unhex(algorithm, &alg, &alg_len) < 0)
		return malformed(copy);
	line->tbs.alg = sigalg_by_der(alg, alg_len);
	if (line->tbs.alg == NULL)
		return malformed(copy);
	line->tbs.len = (size_t)length;
	line->tbs.der = bytes_copy(copy->spool + offset, line->tbs.len);
	if (line->tbs.der == NULL ||
	    sha256(line->tbs.der, line->tbs.len, line->tbs.sha256) < 0)
		return -1;
	text_hex_into(line->tbs.sha256, HASH_LEN, hex);
	if (strcmp(hex, tbs) != 0)
		return ca_error(CA_R_VERIFY,
		    "spool-%u does not hold what the list says of '%s'",
		    copy->number, name);
	return check_facts(copy, line);
}

static int
count_response(void *ctx, const struct batch_response *response)
{
	struct line *line = ctx;

	if (line->count > 0 && response->from != line->from)
		return ca_error(CA_R_VERIFY,
		    "the OCSP responses of a batch begin at different times");
	line->count++;
	line->revoked += response->revoked;
	line->from = response->from;
	if (response->until > line->until)
		line->until = response->until;
	return 0;
}

/* What the journal's intents will repeat of a batch. */
static int
check_batch_facts(const struct copy *copy, const struct line *line)
{
	const char *from_said, *until_said;
	char from[DATE_TEXT_SIZE], until[DATE_TEXT_SIZE];

	if (json_unpack(line->row, "{s:{s:s, s:s}}", "facts", "this_update",
		&from_said, "next_update", &until_said) != 0)
		return malformed(copy);
	date_format(line->from, from);
	date_format(line->until, until);
	if (strcmp(from, from_said) != 0 || strcmp(until, until_said) > 0)
		return ca_error(CA_R_VERIFY,
		    "list-%u says other times of its OCSP responses than the "
		    "octets in spool-%u",
		    copy->number, copy->number);
	return 0;
}

/* The responses that the list names are those in the spool. */
static int
load_batch(const struct copy *copy, struct line *line)
{
	const char *name, *key, *algorithm, *root_said, *summary;
	json_int_t count, offset, length;
	AUTO_BYTES(alg) = NULL;
	size_t alg_len = 0;
	unsigned char root[HASH_LEN];
	char hex[HASH_HEX_SIZE];

	line->batch = true;
	line->tbs.kind = OBJECT_OCSP;
	if (json_unpack(line->row, "{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I}",
		"name", &name, "key", &key, "algorithm", &algorithm, "root",
		&root_said, "summary", &summary, "count", &count, "offset",
		&offset, "length", &length) != 0 ||
	    offset < 0 || length <= 0 ||
	    (uint64_t)offset + (uint64_t)length > copy->spool_len ||
	    text_unhex(algorithm, &alg, &alg_len) < 0)
		return malformed(copy);
	line->tbs.alg = sigalg_by_der(alg, alg_len);
	if (line->tbs.alg == NULL)
		return malformed(copy);
	line->tbs.len = (size_t)length;
	line->tbs.der = bytes_copy(copy->spool + offset, line->tbs.len);
	if (line->tbs.der == NULL ||
	    batch_read(&line->tbs, count_response, line, root) < 0)
		return -1;
	text_hex_into(root, HASH_LEN, hex);
	if (strcmp(hex, root_said) != 0 || (json_int_t)line->count != count)
		return ca_error(CA_R_VERIFY,
		    "spool-%u does not hold what the list says of '%s'",
		    copy->number, name);
	return check_batch_facts(copy, line);
}

static int
load_act(const struct copy *copy, struct line *line)
{
	const char *kind, *text, *sha, *summary;
	AUTO_CHARS(hash) = NULL;

	line->act = true;
	if (json_unpack(line->row, "{s:s, s:s, s:s, s:s}", "kind", &kind,
		"text", &text, "sha256", &sha, "summary", &summary) != 0)
		return malformed(copy);
	hash = sha256_hex(text, strlen(text));
	if (hash == NULL)
		return -1;
	if (strcmp(hash, sha) != 0)
		return ca_error(CA_R_VERIFY,
		    "an act in list-%u is not what its SHA-256 says",
		    copy->number);
	return 0;
}

/* Takes the reference. */
static int
add_line(struct copy *copy, json_t *row)
{
	struct line *lines, *line;

	if (copy->header == NULL) {
		copy->header = row;
		return check_header(copy);
	}
	lines = realloc(copy->lines, (copy->count + 1) * sizeof(*lines));
	if (lines == NULL) {
		json_decref(row);
		return ca_error(CA_R_MEMORY, "no memory for a list");
	}
	copy->lines = lines;
	line = &lines[copy->count++];
	*line = (struct line){ .row = row };
	if (json_object_get(row, "object") != NULL)
		return load_object(copy, line);
	if (json_object_get(row, "batch") != NULL)
		return load_batch(copy, line);
	return load_act(copy, line);
}

static int
load_lines(struct copy *copy)
{
	size_t at = 0;

	while (at < copy->list_len) {
		const unsigned char *from = copy->list + at;
		const unsigned char *end =
		    memchr(from, '\n', copy->list_len - at);
		json_t *row = end == NULL
		    ? NULL
		    : json_loadb((const char *)from, (size_t)(end - from),
			  JSON_REJECT_DUPLICATES, NULL);

		if (row == NULL)
			return malformed(copy);
		if (add_line(copy, row) < 0)
			return -1;
		at = (size_t)(end - copy->list) + 1;
	}
	return copy->header == NULL || copy->count == 0 ? malformed(copy) : 0;
}

/* ---- elsewhere: showing ----------------------------------------------- */

/* A member of a line, escaped; malloc'd. */
static char *
member(const json_t *row, const char *name)
{
	const char *text = json_string_value(json_object_get(row, name));

	return text == NULL ? text_copy("") : text_escape(text, strlen(text));
}

static int
brief_certificate(const unsigned char *der, size_t len, char **ret_text)
{
	AUTO(X509) *certificate = NULL;
	AUTO_STRUCT(certificate_facts) facts = { 0 };
	AUTO_CHARS(serial) = NULL;
	AUTO_CHARS(spki) = NULL;
	char from[DATE_TEXT_SIZE], until[DATE_TEXT_SIZE];

	if (certificate_read("the spool", der, len, &certificate) < 0 ||
	    certificate_facts(certificate, &facts) < 0)
		return -1;
	serial = text_hex(facts.serial, facts.serial_len);
	spki = sha256_hex(facts.spki, facts.spki_len);
	if (serial == NULL || spki == NULL)
		return -1;
	date_format(facts.not_before, from);
	date_format(facts.not_after, until);
	*ret_text = text_printf("subject: %s\n"
				"issuer: %s\n"
				"serial: %s\n"
				"valid: %s to %s\n"
				"%s\n"
				"public key, SHA-256:\n  %s",
	    facts.subject, facts.issuer, serial, from, until,
	    facts.is_ca ? "a CA" : "not a CA", spki);
	return *ret_text == NULL ? -1 : 0;
}

static int
brief_crl(const unsigned char *der, size_t len, char **ret_text)
{
	AUTO(X509_CRL) *crl = NULL;
	AUTO(BIO) *out = BIO_new(BIO_s_mem());
	STACK_OF(X509_REVOKED) *revoked;
	char *data = NULL;
	long size;

	if (crl_read("the spool", der, len, &crl) < 0)
		return -1;
	revoked = X509_CRL_get_REVOKED(crl);
	if (out == NULL || BIO_puts(out, "issuer: ") <= 0 ||
	    X509_NAME_print_ex(
		out, X509_CRL_get_issuer(crl), 0, XN_FLAG_ONELINE) < 0 ||
	    BIO_puts(out, "\nvalid from: ") <= 0 ||
	    ASN1_TIME_print(out, X509_CRL_get0_lastUpdate(crl)) != 1 ||
	    BIO_puts(out, "\nuntil: ") <= 0 ||
	    ASN1_TIME_print(out, X509_CRL_get0_nextUpdate(crl)) != 1 ||
	    BIO_printf(out, "\nentries: %d",
		revoked == NULL ? 0 : sk_X509_REVOKED_num(revoked)) <= 0)
		return ca_error(CA_R_MEMORY, "cannot print a CRL");
	size = BIO_get_mem_data(out, &data);
	return escape_lines(data, size < 0 ? 0 : (size_t)size, ret_text);
}

/* A request says little: all of it. */
static int
brief(const struct tbs *tbs, char **ret_text)
{
	AUTO_BYTES(der) = NULL;
	size_t len = 0;

	if (tbs->kind == OBJECT_CSR)
		return confirm_decode(tbs, ret_text);
	if (object_with_constant(tbs, &der, &len) < 0)
		return -1;
	return tbs->kind == OBJECT_CRL ? brief_crl(der, len, ret_text)
				       : brief_certificate(der, len, ret_text);
}

/* Did the request for this certificate come only at the run? */
static bool
is_late(const struct copy *copy, const char *name)
{
	for (size_t i = 0; i < copy->plan->params->steps_count; i++) {
		const char *late = step_late_name(&copy->plan->steps[i]);

		if (late != NULL && strcmp(late, name) == 0)
			return true;
	}
	return false;
}

static int
show_late(const struct copy *copy, const struct line *line)
{
	const char *name =
	    json_string_value(json_object_get(line->row, "name"));
	AUTO(X509) *certificate = NULL;
	AUTO_STRUCT(certificate_facts) facts = { 0 };
	AUTO_BYTES(der) = NULL;
	AUTO_CHARS(spki) = NULL;
	size_t len = 0;

	if (line->tbs.kind != OBJECT_CERTIFICATE || !is_late(copy, name))
		return 0;
	if (object_with_constant(&line->tbs, &der, &len) < 0 ||
	    certificate_read(name, der, len, &certificate) < 0 ||
	    certificate_facts(certificate, &facts) < 0)
		return -1;
	spki = sha256_hex(facts.spki, facts.spki_len);
	if (spki == NULL)
		return -1;
	copy->room->show(copy->room->ctx, ROOM_WARNING,
	    "this public key came with a request at the run, so no approval "
	    "covers it: compare it with what its owner says");
	return room_digest(copy->room, "   its public key, SHA-256:", spki);
}

/* An object: what its octets say, not what the list says of them. */
static int
show_object(const struct copy *copy, size_t n, const struct line *line,
    int (*decode)(const struct tbs *tbs, char **ret_text))
{
	char hex[HASH_HEX_SIZE];
	AUTO_CHARS(name) = member(line->row, "name");
	AUTO_CHARS(key) = member(line->row, "key");
	AUTO_CHARS(text) = NULL;
	AUTO_CHARS(lint) = NULL;
	AUTO_CHARS(head) = NULL;
	AUTO_CHARS(tail) = NULL;

	if (name == NULL || key == NULL || decode(&line->tbs, &text) < 0 ||
	    built_lint_text(json_object_get(line->row, "lint"), &lint) < 0)
		return -1;
	text_hex_into(line->tbs.sha256, HASH_LEN, hex);
	head = text_printf("%zu. sign %s '%s' (%s) with the key of SHA-256\n"
			   "     %s",
	    n, object_kind_name(line->tbs.kind), name, line->tbs.alg->name,
	    key);
	tail = text_printf("to be signed, SHA-256:\n  %s", hex);
	if (room_lines(copy->room, "", head) < 0 ||
	    room_lines(copy->room, "   ", text) < 0 ||
	    show_late(copy, line) < 0 || room_lint(copy->room, lint) < 0)
		return -1;
	return room_lines(copy->room, "   ", tail);
}

static int
show_act(const struct copy *copy, size_t n, const struct line *line)
{
	AUTO_CHARS(summary) = member(line->row, "summary");
	AUTO_CHARS(text) = member(line->row, "text");
	AUTO_CHARS(head) =
	    summary == NULL ? NULL : text_printf("%zu. %s", n, summary);

	if (room_lines(copy->room, "", head) < 0)
		return -1;
	return room_lines(copy->room, "   ", text);
}

static int
show_batch(const struct copy *copy, size_t n, const struct line *line)
{
	AUTO_CHARS(name) = member(line->row, "name");
	AUTO_CHARS(key) = member(line->row, "key");
	AUTO_CHARS(root) = member(line->row, "root");
	AUTO_CHARS(lint) = NULL;
	AUTO_CHARS(text) = NULL;
	char from[DATE_TEXT_SIZE], until[DATE_TEXT_SIZE];

	if (name == NULL || key == NULL || root == NULL ||
	    built_lint_text(json_object_get(line->row, "lint"), &lint) < 0)
		return -1;
	date_format(line->from, from);
	date_format(line->until, until);
	text = text_printf("%zu. sign %zu OCSP responses '%s' (%s) with the "
			   "key of SHA-256\n     %s\n"
			   "   good: %zu, revoked: %zu\n"
			   "   valid: %s to %s, or as long as their "
			   "certificates\n"
			   "   root of the tree over all (SHA-256, RFC 6962):\n"
			   "     %s",
	    n, line->count, name, line->tbs.alg->name, key,
	    line->count - line->revoked, line->revoked, from, until, root);
	if (room_lines(copy->room, "", text) < 0)
		return -1;
	return room_lint(copy->room, lint);
}

/* On request: every response, as its octets say. */
static int
show_response(void *ctx, const struct batch_response *response)
{
	const struct copy *copy = ctx;
	char until[DATE_TEXT_SIZE];
	AUTO_CHARS(text) = NULL;

	date_format(response->until, until);
	text = text_printf("%s %s, until %s", response->serial,
	    response->revoked ? "revoked" : "good", until);
	return room_lines(copy->room, "   ", text);
}

static int
show_line(const struct copy *copy, size_t n,
    int (*decode)(const struct tbs *tbs, char **ret_text))
{
	const struct line *line = &copy->lines[n - 1];

	if (line->batch)
		return show_batch(copy, n, line);

	return line->act ? show_act(copy, n, line)
			 : show_object(copy, n, line, decode);
}

static int
show_full(void *ctx, size_t item)
{
	struct copy *copy = ctx;
	const struct line *line = &copy->lines[item - 1];
	unsigned char root[HASH_LEN];

	if (show_line(copy, item, confirm_decode) < 0)
		return -1;
	return line->batch ? batch_read(&line->tbs, show_response, copy, root)
			   : 0;
}

/* Who approved, and whether that is enough. */
static int
show_approved(const struct copy *copy, struct findings *findings)
{
	const struct statement_kind kind = {
		.purpose = SIGNATURE_APPROVE,
		.folder = "approvals",
		.prefix = "",
		.content = copy->plan->manifest,
		.len = strlen(copy->plan->manifest),
	};
	AUTO_STRUCT(statements) approvals = { 0 };
	AUTO_CHARS(names) = NULL;
	AUTO_CHARS(text) = NULL;

	if (statements_load(copy->fd, &kind, copy->set, findings, &approvals) <
		0 ||
	    statements_names(&approvals, &names) < 0)
		return -1;
	text = text_printf("The plan was approved by %s; %u are needed.", names,
	    copy->set->threshold);
	if (text == NULL)
		return -1;
	copy->room->show(copy->room->ctx,
	    approvals.count < copy->set->threshold ? ROOM_WARNING : ROOM_TEXT,
	    text);
	return 0;
}

static int
show_copy(const struct copy *copy, struct findings *findings)
{
	AUTO_CHARS(title) = NULL;
	AUTO_CHARS(hash) = sha256_hex(copy->list, copy->list_len);
	const char *warning = set_warning(copy->set);

	if (hash == NULL ||
	    step_text(&title, "Plan %s: %s", plan_id(copy->plan),
		plan_title(copy->plan)) < 0)
		return -1;
	copy->room->show(copy->room->ctx, ROOM_PHASE, title);
	if (warning != NULL)
		copy->room->show(copy->room->ctx, ROOM_WARNING, warning);
	if (room_digest(copy->room,
		"the plan with all that it rests on (its manifest), SHA-256:",
		copy->plan->manifest_sha256) < 0 ||
	    show_approved(copy, findings) < 0)
		return -1;
	copy->room->show(
	    copy->room->ctx, ROOM_PHASE, "This will be signed, and done");
	for (size_t n = 1; n <= copy->count; n++)
		if (show_line(copy, n, brief) < 0)
			return -1;
	return room_digest(copy->room, "This list, SHA-256:", hash);
}

/* ---- elsewhere: asking ------------------------------------------------ */

static int
ask_elsewhere(struct copy *copy, struct findings *findings)
{
	AUTO_STRUCT(operators) operators = { 0 };
	AUTO_STRUCT(statements) confirmations = { 0 };
	AUTO_CHARS(prefix) = text_printf("%u-", copy->number);
	struct statement_kind kind;
	struct statement_ask ask = {
		.operators = &operators,
		.why = "to confirm the list",
		.question = "Is every line of this list right?",
		.items = copy->count,
		.show = show_full,
		.ctx = copy,
		.everybody = true,
	};
	size_t before;

	if (prefix == NULL ||
	    operators_open(copy->room, copy->set, &operators) < 0)
		return -1;
	confirmation_of(copy->list, copy->list_len, prefix, &kind);
	if (statements_load(
		copy->fd, &kind, copy->set, findings, &confirmations) < 0)
		return -1;
	before = confirmations.count;
	if (statements_ask(copy->fd, &kind, &ask,
		operators_at(&operators, 0) == NULL ? before + 1 : before,
		&confirmations) == 0)
		return 0;
	if (ca_error_reason() != CA_R_POLICY || ask.refused_by == NULL)
		return -1;
	ca_error_clear();
	return ca_error(
	    CA_R_POLICY, "'%s' did not confirm the list", ask.refused_by->name);
}

int
confirm_elsewhere(const char *dir, const char *quorum, const struct room *room,
    struct findings *findings)
{
	AUTO_STRUCT(copy) copy = { .room = room, .fd = -1 };

	if (dir_open(dir, &copy.fd) < 0 || load_plan(&copy, findings) < 0 ||
	    load_set(&copy, quorum) < 0 || find_list(&copy) < 0 ||
	    read_files(&copy) < 0 || load_lines(&copy) < 0 ||
	    show_copy(&copy, findings) < 0)
		return -1;
	return ask_elsewhere(&copy, findings);
}
