/*
 * Confirming on a second machine, from a copy of the ceremony's directory: what
 * is shown is what the octets of the spool say, not what the list says of them.
 * CRLs and OCSP responses are read where they are, and compared with their
 * SHA-256 whenever they are read: a medium may give other octets the next time.
 */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/date.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ceremony/approve.h"
#include "ceremony/batch.h"
#include "ceremony/decode.h"
#include "ceremony/run-private.h"
#include "profiles/existing.h"

CLEANUP_DEFINE(json_t, json_decref);

/* ---- loading ----------------------------------------------- */

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
	unsigned char *list;
	size_t list_len;
	int spool;
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
	cleanup_fd(&copy->spool);
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

/* It is not read yet: it may be as large as a CRL is. */
static int
open_spool(struct copy *copy, const char *name)
{
	struct stat st;

	copy->spool = openat(
	    copy->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (copy->spool < 0 || fstat(copy->spool, &st) != 0)
		return ca_error_errno(CA_R_IO, "cannot open '%s'", name);
	return S_ISREG(st.st_mode)
	    ? 0
	    : ca_error(CA_R_INPUT, "'%s' is not a regular file", name);
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
	return open_spool(copy, spool);
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
certificate_says(const struct tbs *tbs, json_t **ret_says)
{
	AUTO_BYTES(der) = NULL;
	AUTO(X509) *certificate = NULL;
	AUTO_STRUCT(certificate_facts) facts = { 0 };
	AUTO_CHARS(issuer) = NULL;
	AUTO_CHARS(subject) = NULL;
	AUTO_CHARS(serial) = NULL;
	AUTO_CHARS(spki) = NULL;
	char from[DATE_TEXT_SIZE], until[DATE_TEXT_SIZE];
	size_t len = 0;

	if (object_with_constant(tbs, &der, &len) < 0 ||
	    certificate_read("the spool", der, len, &certificate) < 0 ||
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
crl_says(const struct tbs *tbs, json_t **ret_says)
{
	AUTO_STRUCT(crl_head) head = { 0 };
	AUTO_CHARS(issuer) = NULL;
	AUTO_CHARS(number) = NULL;
	char from[DATE_TEXT_SIZE], until[DATE_TEXT_SIZE];

	if (decode_crl_head(tbs, &head) < 0)
		return -1;
	issuer = sha256_hex(head.issuer_der, head.issuer_len);
	number = text_printf("%" PRIu64, head.number);
	if (issuer == NULL || number == NULL)
		return -1;
	date_format(head.this_update, from);
	date_format(head.next_update, until);
	*ret_says = json_pack("{s:s, s:s, s:s, s:s, s:I}", "issuer_dn", issuer,
	    "number", number, "this_update", from, "next_update", until,
	    "entries", (json_int_t)head.entries);
	return 0;
}

/* The journal's intent will repeat them, whatever becomes of the signature. */
static int
check_facts(const struct copy *copy, const struct line *line)
{
	json_t *facts = json_object_get(line->row, "facts"), *value;
	AUTO(json_t) *says = NULL;
	const char *member;

	if (!json_is_object(facts))
		return malformed(copy);
	if (line->tbs.kind == OBJECT_CSR)
		return 0; /* its intent says nothing more */
	if ((line->tbs.kind == OBJECT_CRL
		    ? crl_says(&line->tbs, &says)
		    : certificate_says(&line->tbs, &says)) < 0)
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

static int
not_held(const struct copy *copy, const char *name)
{
	return ca_error(CA_R_VERIFY,
	    "spool-%u does not hold what the list says of '%s'", copy->number,
	    name);
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
	bool there = false;

	if (json_unpack(line->row, "{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I}",
		"kind", &kind, "name", &name, "key", &key, "algorithm",
		&algorithm, "tbs", &tbs, "summary", &summary, "offset", &offset,
		"length", &length) != 0 ||
	    offset < 0 || length <= 0)
		return malformed(copy);
	if (object_kind_by_name(kind, &line->tbs.kind) < 0 ||
	    line->tbs.kind == OBJECT_OCSP ||
	    text_unhex(algorithm, &alg, &alg_len) < 0)
		return malformed(copy);
	line->tbs.alg = sigalg_by_der(alg, alg_len);
	if (line->tbs.alg == NULL)
		return malformed(copy);
	if (spool_cut(copy->spool, (uint64_t)offset, (uint64_t)length,
		&line->tbs, &there) < 0)
		return -1;
	text_hex_into(line->tbs.sha256, HASH_LEN, hex);
	if (!there || strcmp(hex, tbs) != 0)
		return not_held(copy, name);
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

/* Each response; all are those of the root that the list says. */
static int
read_responses(const struct copy *copy, const struct line *line,
    int (*visit)(void *ctx, const struct batch_response *response), void *ctx)
{
	unsigned char root[HASH_LEN];
	char hex[HASH_HEX_SIZE];

	if (batch_read(&line->tbs, visit, ctx, root) < 0)
		return -1;
	text_hex_into(root, HASH_LEN, hex);
	return strcmp(hex,
		   json_string_value(json_object_get(line->row, "root"))) == 0
	    ? 0
	    : not_held(
		  copy, json_string_value(json_object_get(line->row, "name")));
}

/* The responses that the list names are those in the spool. */
static int
load_batch(const struct copy *copy, struct line *line)
{
	const char *name, *key, *algorithm, *root_said, *summary;
	json_int_t count, offset, length;
	AUTO_BYTES(alg) = NULL;
	size_t alg_len = 0;
	bool there = false;

	line->batch = true;
	line->tbs.kind = OBJECT_OCSP;
	if (json_unpack(line->row, "{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I}",
		"name", &name, "key", &key, "algorithm", &algorithm, "root",
		&root_said, "summary", &summary, "count", &count, "offset",
		&offset, "length", &length) != 0 ||
	    offset < 0 || length <= 0 ||
	    text_unhex(algorithm, &alg, &alg_len) < 0)
		return malformed(copy);
	line->tbs.alg = sigalg_by_der(alg, alg_len);
	if (line->tbs.alg == NULL)
		return malformed(copy);
	if (spool_cut(copy->spool, (uint64_t)offset, (uint64_t)length,
		&line->tbs, &there) < 0)
		return -1;
	if (!there)
		return not_held(copy, name);
	if (read_responses(copy, line, count_response, line) < 0)
		return -1;
	if ((json_int_t)line->count != count)
		return not_held(copy, name);
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

/* ---- showing ----------------------------------------------- */

/* A member of a line, escaped; malloc'd. */
static char *
member(const json_t *row, const char *name)
{
	const char *text = json_string_value(json_object_get(row, name));

	return text == NULL ? text_copy("") : text_escape(text, strlen(text));
}

static int
brief_certificate(const struct tbs *tbs, char **ret_text)
{
	AUTO(X509) *certificate = NULL;
	AUTO_STRUCT(certificate_facts) facts = { 0 };
	AUTO_BYTES(der) = NULL;
	AUTO_CHARS(serial) = NULL;
	AUTO_CHARS(spki) = NULL;
	char from[DATE_TEXT_SIZE], until[DATE_TEXT_SIZE];
	size_t len = 0;

	if (object_with_constant(tbs, &der, &len) < 0 ||
	    certificate_read("the spool", der, len, &certificate) < 0 ||
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
name_text(const unsigned char *der, size_t len, char **ret_text)
{
	const unsigned char *p = der;
	AUTO(X509_NAME) *name = d2i_X509_NAME(NULL, &p, (long)len);
	AUTO(BIO) *out = BIO_new(BIO_s_mem());
	char *data = NULL;
	long size;

	if (name == NULL || out == NULL ||
	    X509_NAME_print_ex(out, name, 0, XN_FLAG_ONELINE) < 0)
		return ca_error(CA_R_MEMORY, "cannot print a name");
	size = BIO_get_mem_data(out, &data);
	*ret_text = text_escape(data == NULL ? "" : data, (size_t)size);
	return *ret_text == NULL ? -1 : 0;
}

static int
brief_crl(const struct tbs *tbs, char **ret_text)
{
	AUTO_STRUCT(crl_head) head = { 0 };
	AUTO_CHARS(issuer) = NULL;
	char from[DATE_TEXT_SIZE], until[DATE_TEXT_SIZE];

	if (decode_crl_head(tbs, &head) < 0 ||
	    name_text(head.issuer_der, head.issuer_len, &issuer) < 0)
		return -1;
	date_format(head.this_update, from);
	date_format(head.next_update, until);
	*ret_text = text_printf("issuer: %s\n"
				"number: %" PRIu64 "\n"
				"valid: %s to %s\n"
				"entries: %" PRIu64,
	    issuer, head.number, from, until, head.entries);
	return *ret_text == NULL ? -1 : 0;
}

/* A request says little: all of it. */
static int
show_brief(const struct room *room, const char *indent, const struct tbs *tbs)
{
	AUTO_CHARS(text) = NULL;

	if (tbs->kind == OBJECT_CSR)
		return decode_show(room, indent, tbs);
	if ((tbs->kind == OBJECT_CRL ? brief_crl(tbs, &text)
				     : brief_certificate(tbs, &text)) < 0)
		return -1;
	return room_lines(room, indent, text);
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
    int (*show)(
	const struct room *room, const char *indent, const struct tbs *tbs))
{
	char hex[HASH_HEX_SIZE];
	AUTO_CHARS(name) = member(line->row, "name");
	AUTO_CHARS(key) = member(line->row, "key");
	AUTO_CHARS(lint) = NULL;
	AUTO_CHARS(head) = NULL;
	AUTO_CHARS(tail) = NULL;

	if (name == NULL || key == NULL ||
	    built_lint_text(json_object_get(line->row, "lint"), &lint) < 0)
		return -1;
	text_hex_into(line->tbs.sha256, HASH_LEN, hex);
	head = text_printf("%zu. sign %s '%s' (%s) with the key of SHA-256\n"
			   "     %s",
	    n, object_kind_name(line->tbs.kind), name, line->tbs.alg->name,
	    key);
	tail = text_printf("to be signed, SHA-256:\n  %s", hex);
	if (room_lines(copy->room, "", head) < 0 ||
	    show(copy->room, "   ", &line->tbs) < 0 ||
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
    int (*show)(
	const struct room *room, const char *indent, const struct tbs *tbs))
{
	const struct line *line = &copy->lines[n - 1];

	if (line->batch)
		return show_batch(copy, n, line);

	return line->act ? show_act(copy, n, line)
			 : show_object(copy, n, line, show);
}

static int
show_full(void *ctx, size_t item)
{
	struct copy *copy = ctx;
	const struct line *line = &copy->lines[item - 1];

	if (show_line(copy, item, decode_show) < 0)
		return -1;
	return line->batch ? read_responses(copy, line, show_response, copy)
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
		if (show_line(copy, n, show_brief) < 0)
			return -1;
	return room_digest(copy->room, "This list, SHA-256:", hash);
}

/* ---- asking ------------------------------------------------ */

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
	AUTO_STRUCT(copy) copy = { .room = room, .fd = -1, .spool = -1 };

	if (dir_open(dir, &copy.fd) < 0 || load_plan(&copy, findings) < 0 ||
	    load_set(&copy, quorum) < 0 || find_list(&copy) < 0 ||
	    read_files(&copy) < 0 || load_lines(&copy) < 0 ||
	    show_copy(&copy, findings) < 0)
		return -1;
	return ask_elsewhere(&copy, findings);
}
