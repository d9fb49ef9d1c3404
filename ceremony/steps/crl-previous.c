/* The CRL before the one that is made. */
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ceremony/steps/crl-private.h"
#include "profiles/input.h"

void
crl_previous_clear(struct crl_previous *previous)
{
	free(previous->name);
	if (previous->octets.buf != NULL)
		spill_clear(&previous->octets);
	crl_head_clear(&previous->head);
	*previous = (struct crl_previous){ 0 };
}

static void
refuse(const struct crl_making *m, const char *id, const char *source,
    const char *text)
{
	step_finding(m->build, m->step, m->previous.given ? "previous" : NULL,
	    id, source, "CRL '%s' %s", m->previous.name, text);
}

/* ---- the journal's ----------------------------------------------------- */

/* The issuer's CRLs with this URL, newest last; and those with a number. */
struct search {
	const struct crl_making *m;
	const char *given_sha256; /* of the file that the plan gives; or NULL */
	struct candidate {
		char *name, *sha256;
		uint64_t seq;
	} * rows;
	size_t count;
	uint64_t newer; /* a number above that of the file; 0: none */
	bool reused;    /* its number, on another CRL */
};

static void
search_clear(struct search *search)
{
	for (size_t i = 0; i < search->count; i++) {
		free(search->rows[i].name);
		free(search->rows[i].sha256);
	}
	free(search->rows);
}
CLEANUP_DEFINE_STRUCT(search);

static int
add_candidate(struct search *search, const struct object_row *row)
{
	struct candidate *rows =
	    realloc(search->rows, (search->count + 1) * sizeof(*rows));
	struct candidate one = { .seq = row->seq };

	if (rows == NULL)
		return ca_error(CA_R_MEMORY, "no memory for CRLs");
	search->rows = rows;
	one.name = text_copy(row->name);
	one.sha256 = text_copy(row->sha256);
	rows[search->count++] = one;
	return one.name == NULL || one.sha256 == NULL ? -1 : 0;
}

static bool
same_url(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static int
visit_crl(void *ctx, const struct object_row *row)
{
	struct search *search = ctx;
	const struct crl_making *m = search->m;
	const uint64_t number = m->previous.head.number;

	if (row->issuer_dn == NULL || strcmp(row->issuer_dn, m->issuer.dn) != 0)
		return 0;
	if (search->given_sha256 != NULL && row->number == number &&
	    (row->sha256 == NULL ||
		strcmp(row->sha256, search->given_sha256) != 0))
		search->reused = true;
	if (row->state != OBJECT_SIGNED ||
	    !same_url(row->crl_url, m->scope.url))
		return 0;
	if (row->number > number && row->number > search->newer)
		search->newer = row->number;
	return add_candidate(search, row);
}

static int
add_piece(void *ctx, const unsigned char *data, size_t len)
{
	return spill_add(ctx, data, len);
}

/* Read what is in previous->octets. */
static int
read_octets(struct crl_previous *p)
{
	if (spill_flush(&p->octets) < 0)
		return -1;
	p->source = spill_source(&p->octets);
	return crl_head_read(p->name, &p->source, &p->head);
}

static int
read_candidate(const struct crl_making *m, const struct candidate *candidate,
    struct crl_previous *p)
{
	AUTO_BYTES(digest) = NULL;
	size_t len = 0;

	p->name = text_copy(candidate->name);
	p->seq = candidate->seq;
	if (p->name == NULL ||
	    text_unhex(candidate->sha256, &digest, &len) < 0 ||
	    spill_open(m->build->scratch_fd, &p->octets) < 0)
		return -1;
	if (len != HASH_LEN)
		return ca_error(CA_R_CORRUPT,
		    "the journal's CRL '%s' has a malformed hash", p->name);
	if (journal_evidence_read(
		m->build->journal, digest, add_piece, &p->octets) < 0)
		return -1;
	return read_octets(p);
}

/* The newest one whose scope is the same, by what it says itself. */
static int
find_in_journal(struct crl_making *m, const struct search *search)
{
	for (size_t i = search->count; i > 0 && !m->previous.found; i--) {
		struct crl_scope scope = { 0 };
		struct crl_previous *p = &m->previous;
		bool same;

		if (read_candidate(m, &search->rows[i - 1], p) < 0 ||
		    crl_scope_of(p->head.extensions, &scope) < 0)
			return -1;
		same = crl_scope_equal(&scope, &m->scope);
		crl_scope_clear(&scope);
		if (same) {
			p->found = true;
			/* What is in `m` stays where it is. */
			p->source = spill_source(&p->octets);
		} else {
			crl_previous_clear(p);
		}
	}
	return 0;
}

/* ---- a file ------------------------------------------------------------ */

static bool
same_issuer(const struct crl_making *m)
{
	const struct crl_head *head = &m->previous.head;

	return head->issuer_len == m->issuer.facts.subject_len &&
	    memcmp(head->issuer_der, m->issuer.facts.subject_der,
		head->issuer_len) == 0;
}

/* A forged one would let entries go, or numbers jump. */
static int
check_given(struct crl_making *m)
{
	struct crl_scope scope = { 0 };
	bool same;

	if (!same_issuer(m)) {
		refuse(m, "CRL-PREVIOUS", "RFC 5280, section 5.1.2.3",
		    "is not one of this issuer: its issuer's name is another");
		return 0;
	}
	if (crl_head_verify(
		&m->previous.head, m->issuer.spki, m->issuer.spki_len) < 0) {
		if (ca_error_exit_status() != CA_EXIT_REFUSED)
			return -1;
		ca_error_clear();
		refuse(m, "CRL-PREVIOUS", "RFC 5280, section 6.3.3",
		    "is not signed with the key of this issuer");
		return 0;
	}
	if (crl_scope_of(m->previous.head.extensions, &scope) < 0)
		return build_error_to_finding(
		    m->build, m->step, "previous", "CRL-PREVIOUS");
	same = crl_scope_equal(&scope, &m->scope);
	crl_scope_clear(&scope);
	if (!same)
		refuse(m, "CRL-PREVIOUS", "RFC 5280, section 5.2.5",
		    "has another scope: its issuing distribution point is not "
		    "the one of the CRL that is made");
	m->previous.found = same;
	return 0;
}

/* It and the journal may not contradict each other. */
static int
check_against_journal(const struct crl_making *m, const struct search *search)
{
	if (search->reused)
		refuse(m, "CRL-NUMBER-STRICT", "RFC 5280, section 5.2.3",
		    "has a number that the journal gave to another CRL: two "
		    "CRLs have one number");
	else if (search->newer != 0)
		refuse(m, "CRL-PREVIOUS", "",
		    "is not the one before: the journal has one with a higher "
		    "number; leave out 'previous'");
	return 0;
}

/* The octets in DER: what is to be hashed, whatever form the file has. */
static int
read_given(struct crl_making *m, char **ret_sha256)
{
	const struct input *input =
	    inputs_find(m->build->inputs, INPUT_BULK, m->params->previous);
	struct crl_previous *p = &m->previous;
	AUTO_BYTES(der) = NULL;
	size_t len = 0;

	if (input == NULL)
		return 0; /* reading the inputs gave a finding */
	if (input_is_bundle(input)) {
		step_finding(m->build, m->step, "previous", "CRL-PREVIOUS",
		    NULL, "'%s' is a directory; name the file of one CRL",
		    m->params->previous);
		return 0;
	}
	p->given = true;
	p->name = text_copy(m->params->previous);
	if (p->name == NULL)
		return -1;
	if (input_read(p->name, "CRL", "X509 CRL", CRL_MAX_BYTES, input->data,
		input->len, &der, &len) < 0)
		return build_error_to_finding(
		    m->build, m->step, "previous", "CRL-PREVIOUS");
	*ret_sha256 = sha256_hex(der, len);
	if (*ret_sha256 == NULL ||
	    spill_open(m->build->scratch_fd, &p->octets) < 0 ||
	    spill_add(&p->octets, der, len) < 0)
		return -1;
	if (read_octets(p) < 0)
		return build_error_to_finding(
		    m->build, m->step, "previous", "CRL-PREVIOUS");
	return check_given(m);
}

/* ---- either ------------------------------------------------------------ */

static void
check_time(const struct crl_making *m)
{
	char then[DATE_TEXT_SIZE];

	if (!m->previous.found || m->build->now >= m->previous.head.this_update)
		return;
	date_format(m->previous.head.this_update, then);
	step_finding(m->build, m->step, NULL, "CRL-THISUPDATE",
	    "RFC 5280, section 5.1.2.4",
	    "CRL '%s', the one before, is of %s, which is later than now",
	    m->previous.name, then);
}

int
crl_find_previous(struct crl_making *m)
{
	AUTO_STRUCT(search) search = { .m = m };
	AUTO_CHARS(sha256) = NULL;

	if (m->params->previous != NULL && read_given(m, &sha256) < 0)
		return -1;
	search.given_sha256 = sha256;
	if (m->params->previous != NULL && !m->previous.found)
		return 0;
	if (journal_each_object(
		m->build->journal, NULL, "crl", visit_crl, &search) < 0)
		return -1;
	if (m->previous.given) {
		if (check_against_journal(m, &search) < 0)
			return -1;
	} else if (find_in_journal(m, &search) < 0) {
		return -1;
	}
	check_time(m);
	return 0;
}

/* What is in memory is written, what is in a file has one more descriptor. */
static int
previous_fd(struct crl_making *m, int *ret_fd)
{
	struct spill *octets = &m->previous.octets;
	AUTO_FD(fd) = -1;

	if (octets->fd >= 0) {
		fd = fcntl(octets->fd, F_DUPFD_CLOEXEC, 0);
		if (fd < 0)
			return ca_error_errno(CA_R_IO, "cannot keep a file");
	} else if (spill_file(m->build->scratch_fd, &fd) < 0 ||
	    file_write_all(fd, octets->buf, octets->fill, "a CRL") < 0) {
		return -1;
	}
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int
crl_previous_file(struct crl_making *m, struct der_file **ret_file)
{
	struct der_file *file = calloc(1, sizeof(*file));

	if (file == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a CRL");
	*file = (struct der_file){ -1, "the CRL before it" };
	if (m->previous.found && previous_fd(m, &file->fd) < 0) {
		free(file);
		return -1;
	}
	*ret_file = file;
	return 0;
}
