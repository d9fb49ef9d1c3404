/* OCSP responses of one step: encoded, linted, or signed already. */
#include <string.h>

#include <openssl/evp.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "ceremony/steps/ocsp-private.h"
#include "profiles/lint/lint.h"

/* ---- what is signed already -------------------------------------------- */

/* A window of an earlier part of this run, and what would be in it now. */
struct resuming {
	struct ocsp_making *m;
	struct ocsp_response_request request;
	struct ocsp_maker *maker;
};

static struct ocsp_chosen *
find_chosen(struct ocsp_making *m, const struct serial *serial)
{
	size_t low = 0, high = m->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order =
		    serial_compare(serial, &m->chosen[middle].item->serial);

		if (order == 0)
			return &m->chosen[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static struct ocsp_entry
entry_of(const struct ocsp_item *item)
{
	return (struct ocsp_entry){
		.serial = item->serial.octets,
		.serial_len = item->serial.len,
		.not_after = item->expires,
		.status = item->revoked ? STATUS_REVOKED : STATUS_GOOD,
		.date = item->date,
		.reason = item->reason,
	};
}

/* OCS-CRL-AGREE: kept where what is known now gives the same octets again. */
static int
keep_signed(const struct resuming *r, struct ocsp_chosen *chosen,
    const unsigned char *der, size_t len)
{
	const struct ocsp_entry entry = entry_of(chosen->item);
	int64_t validity = ocsp_maker_validity(r->maker, entry.not_after);
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(tbs) again = { 0 };
	struct ocsp_parts parts;

	if (ocsp_take_apart(r->m->params->name, der, len, &parts) < 0)
		return -1;
	if (ocsp_maker_build(r->maker, &entry, validity, &findings, &again) < 0)
		return -1;
	if (findings.errors > 0 ||
	    !der_equal(parts.tbs, again.der, again.len) ||
	    ocsp_maker_next_update(r->maker, validity) <= r->m->build->now)
		return 0;
	free(chosen->tbs);
	chosen->tbs = TAKE(again.der);
	chosen->tbs_len = again.len;
	return 0;
}

/* Base64 with its padding, as ENTRY_OCSP_RESULT's evidence has it. */
static int
decode_base64(
    const char *text, size_t len, unsigned char **ret_der, size_t *ret_len)
{
	AUTO_BYTES(der) = malloc(len + 1);
	size_t pad = 0;
	int n;

	if (der == NULL || len > INT32_MAX)
		return ca_error(CA_R_MEMORY, "no memory for an OCSP response");
	while (pad < len && pad < 2 && text[len - 1 - pad] == '=')
		pad++;
	n = EVP_DecodeBlock(der, (const unsigned char *)text, (int)len);
	if (n < 0 || (size_t)n < pad)
		return ca_error(CA_R_CORRUPT,
		    "the journal holds an OCSP response that is not base64");
	*ret_len = (size_t)n - pad;
	*ret_der = TAKE(der);
	return 0;
}

/* "SERIAL SHA256 BASE64", or "SERIAL -" of one that was not signed. */
static int
take_line(const struct resuming *r, const char *line, size_t len)
{
	const char *first = memchr(line, ' ', len);
	const char *second = first == NULL
	    ? NULL
	    : memchr(first + 1, ' ', len - (size_t)(first + 1 - line));
	struct ocsp_chosen *chosen;
	AUTO_BYTES(der) = NULL;
	struct serial serial;
	size_t der_len = 0;

	if (first == NULL ||
	    serial_from_hex(line, (size_t)(first - line), &serial) < 0)
		return ca_error(CA_R_CORRUPT,
		    "the journal holds a malformed list of OCSP responses");
	chosen = find_chosen(r->m, &serial);
	if (second == NULL || chosen == NULL)
		return 0;
	second++;
	if (decode_base64(
		second, len - (size_t)(second - line), &der, &der_len) < 0)
		return -1;
	return keep_signed(r, chosen, der, der_len);
}

static int
take_lines(const struct resuming *r, const char *text, size_t len)
{
	while (len > 0) {
		const char *end = memchr(text, '\n', len);
		size_t line = end == NULL ? len : (size_t)(end - text);

		if (take_line(r, text, line) < 0)
			return -1;
		if (end == NULL)
			break;
		text += line + 1;
		len -= line + 1;
	}
	return 0;
}

static int
take_evidence(const struct resuming *r, const char *hex)
{
	AUTO_BYTES(digest) = NULL;
	AUTO_BYTES(text) = NULL;
	size_t len = 0;

	if (text_unhex(hex, &digest, &len) < 0 || len != HASH_LEN)
		return ca_error(CA_R_CORRUPT,
		    "the journal's OCSP responses have a malformed hash");
	if (journal_evidence_get(r->m->build->journal, digest, &text, &len) < 0)
		return -1;
	return take_lines(r, (const char *)text, len);
}

/* With the time that the window had. */
static int
visit_window(void *ctx, const struct ocsp_window_row *row)
{
	struct ocsp_making *m = ctx;
	struct resuming r = { .m = m, .request = m->request };
	AUTO_STRUCT(findings) findings = { 0 };
	int result;

	if (strcmp(row->name, m->params->name) != 0 ||
	    row->state != OBJECT_SIGNED || row->items == NULL)
		return 0;
	r.request.now = row->from;
	if (ocsp_maker_open(&r.request, &findings, &r.maker) < 0)
		return -1;
	result = r.maker == NULL ? 0 : take_evidence(&r, row->items);
	ocsp_maker_free(r.maker);
	return result;
}

/* ---- when --------------------------------------------------------------- */

enum { SPOOLED_MAX_AGE = 12 * 3600 };

/* The windows of the newest list that has any of this batch. */
struct newest_windows {
	const char *name;
	unsigned list;
	bool found, all_signed;
	int64_t from;
};

static int
visit_newest(void *ctx, const struct ocsp_window_row *row)
{
	struct newest_windows *newest = ctx;

	if (strcmp(row->name, newest->name) != 0)
		return 0;
	if (!newest->found || row->list > newest->list) {
		newest->found = true;
		newest->all_signed = true;
		newest->list = row->list;
		newest->from = row->from;
	}
	if (row->list == newest->list)
		newest->all_signed =
		    newest->all_signed && row->state == OBJECT_SIGNED;
	return 0;
}

static bool
is_revoked_since(const struct ocsp_making *m, int64_t time)
{
	for (size_t i = 0; i < m->items.count; i++)
		if (m->items.rows[i].revoked && m->items.rows[i].date > time)
			return true;
	return false;
}

int
ocsp_find_time(struct ocsp_making *m)
{
	const struct build *build = m->build;
	struct newest_windows newest = { .name = m->params->name };

	m->now = build->now;
	if (build->run == NULL || !build->resumed)
		return 0;
	if (journal_each_ocsp_window(
		build->journal, build->run, visit_newest, &newest) < 0)
		return -1;
	if (newest.found && newest.all_signed && newest.from <= build->now &&
	    build->now - newest.from <= SPOOLED_MAX_AGE &&
	    !is_revoked_since(m, newest.from))
		m->now = newest.from;
	return 0;
}

int
ocsp_take_signed(struct ocsp_making *m)
{
	if (m->build->run == NULL || !m->build->resumed)
		return 0;
	return journal_each_ocsp_window(
	    m->build->journal, m->build->run, visit_window, m);
}

/* ---- encoding ---------------------------------------------------------- */

enum { BAD_MAX = 20 }; /* responses with errors that are told */

struct filling {
	const struct ocsp_making *m;
	struct built_batch *batch;
	size_t room;              /* of batch->tbs */
	unsigned char *signature; /* a constant */
	size_t signature_len;
	struct findings lint; /* no two alike */
	size_t bad;
};

static void
filling_clear(struct filling *f)
{
	free(f->signature);
	findings_clear(&f->lint);
}
CLEANUP_DEFINE_STRUCT(filling);

static int
append(struct filling *f, size_t i, const unsigned char *der, size_t len)
{
	struct built_batch *batch = f->batch;

	if (f->room - batch->tbs_len < len) {
		size_t room = 2 * f->room + len;
		unsigned char *tbs = realloc(batch->tbs, room);

		if (tbs == NULL)
			return ca_error(
			    CA_R_MEMORY, "no memory for OCSP responses");
		batch->tbs = tbs;
		f->room = room;
	}
	memcpy(batch->tbs + batch->tbs_len, der, len);
	batch->tbs_len += len;
	batch->offsets[i + 1] = batch->tbs_len;
	return 0;
}

/* The constant that stands for each signature: always the same. */
static int
need_constant(struct filling *f, const struct tbs *tbs)
{
	AUTO_BYTES(der) = NULL;
	struct ocsp_parts parts;
	size_t len = 0;

	if (f->signature != NULL)
		return 0;
	if (object_with_constant(tbs, &der, &len) < 0 ||
	    ocsp_take_apart(f->batch->name, der, len, &parts) < 0)
		return -1;
	f->signature = bytes_copy(parts.signature.p, parts.signature.len);
	f->signature_len = parts.signature.len;
	return f->signature == NULL ? -1 : 0;
}

static bool
is_told(const struct findings *told, const struct finding *row)
{
	for (size_t i = 0; i < told->count; i++)
		if (told->rows[i].severity == row->severity &&
		    strcmp(told->rows[i].id, row->id) == 0 &&
		    strcmp(told->rows[i].text, row->text) == 0)
			return true;
	return false;
}

/* The same about every response is told once, errors of each. */
static void
tell(struct filling *f, const struct findings *found, const char *serial)
{
	AUTO_CHARS(place) =
	    text_printf("ocsp '%s', serial %s", f->batch->name, serial);

	for (size_t i = 0; i < found->count; i++) {
		const struct finding *row = &found->rows[i];

		if (row->severity != FINDING_ERROR && is_told(&f->lint, row))
			continue;
		findings_add(&f->lint, row->severity, row->id,
		    place == NULL ? row->place : place, row->source, "%s",
		    row->text);
	}
	if (found->errors > 0)
		f->bad++;
}

int
built_batch_prepare(struct built_batch *batch)
{
	struct lint_known *known = NULL;

	if (lint_known_open(
		(struct der){ batch->issuer_der, batch->issuer_len },
		(struct der){ batch->responder_der, batch->responder_len },
		&known) < 0)
		return -1;
	lint_known_free(batch->known);
	batch->known = known;
	return 0;
}

int
built_batch_lint(const struct built_batch *batch, struct der response,
    bool constant, int64_t at, struct findings *findings)
{
	const struct der issuer = { batch->issuer_der, batch->issuer_len };
	const struct der responder = { batch->responder_der,
		batch->responder_len };
	const struct lint_context context = {
		.rulesets = profile_rulesets(batch->profile),
		.subjects = profile_subjects(batch->profile),
		.at = at,
		.constant = constant,
		.signing = true,
		.issuer = issuer,
		.responder = responder,
		.known = batch->known != NULL &&
			lint_known_are(batch->known, issuer, responder)
		    ? batch->known
		    : NULL,
		.profile = batch->profile,
	};

	return lint_object("ocsp", response, &context, findings);
}

static int
lint_one(struct filling *f, const struct tbs *tbs, struct findings *found)
{
	const struct built_batch *batch = f->batch;
	AUTO_BYTES(der) = NULL;
	size_t len = 0;

	if (need_constant(f, tbs) < 0 ||
	    ocsp_assemble(tbs, f->signature, f->signature_len,
		batch->responder_der, batch->responder_len, &der, &len) < 0)
		return -1;
	return built_batch_lint(
	    batch, (struct der){ der, len }, true, f->m->now, found);
}

/* Too long a name would have no file (ocsp_get_name()). */
static int
check_names(const struct tbs *tbs, struct findings *found)
{
	AUTO_STRUCT(ocsp_get_names) names = { .count = 0 };

	if (ocsp_data_names((struct der){ tbs->der, tbs->len }, &names) == 0)
		return 0;
	if (ca_error_exit_status() != CA_EXIT_REFUSED)
		return -1;
	findings_take_error(found, "OCS-HTTP", "");
	return 0;
}

static int
make_one(struct filling *f, size_t i)
{
	const struct ocsp_chosen *chosen = &f->m->chosen[i];
	const struct ocsp_entry entry = entry_of(chosen->item);
	AUTO_STRUCT(findings) found = { 0 };
	AUTO_STRUCT(tbs) tbs = { 0 };

	if (ocsp_maker_build(
		f->m->maker, &entry, chosen->validity, &found, &tbs) < 0)
		return -1;
	if (found.errors == 0) {
		if (append(f, i, tbs.der, tbs.len) < 0 ||
		    check_names(&tbs, &found) < 0 ||
		    lint_one(f, &tbs, &found) < 0)
			return -1;
	}
	tell(f, &found, f->batch->items[i].serial);
	return 0;
}

static int
fill_one(struct filling *f, size_t i)
{
	const struct ocsp_chosen *chosen = &f->m->chosen[i];
	struct batch_item *item = &f->batch->items[i];

	serial_hex(&chosen->item->serial, item->serial);
	item->revoked = chosen->item->revoked;
	if (chosen->tbs == NULL)
		return make_one(f, i);
	item->is_signed = true;
	f->batch->signed_count++;
	return append(f, i, chosen->tbs, chosen->tbs_len);
}

static int
fill_all(struct filling *f)
{
	const size_t count = f->m->count;

	for (size_t i = 0; i < count; i++) {
		if (build_look(f->m->build, "responses", i, count) < 0 ||
		    fill_one(f, i) < 0)
			return -1;
		if (f->bad < BAD_MAX)
			continue;
		if (i + 1 < count)
			findings_add(&f->lint, FINDING_ERROR, "OCSP-MORE",
			    step_place(f->m->step, NULL), NULL,
			    "the first %d responses with errors are told; %zu "
			    "were not looked at",
			    BAD_MAX, count - i - 1);
		break;
	}
	return 0;
}

/* ---- for people and the journal ---------------------------------------- */

static void
format_window(const struct ocsp_making *m, char from[DATE_TEXT_SIZE],
    char until[DATE_TEXT_SIZE])
{
	date_format(m->now, from);
	date_format(ocsp_maker_next_update(m->maker, 0), until);
}

static json_t *
make_facts(const struct ocsp_making *m)
{
	char from[DATE_TEXT_SIZE], until[DATE_TEXT_SIZE];

	format_window(m, from, until);
	return json_pack("{s:s, s:s, s:s?, s:s, s:s, s:s}", "issuer",
	    m->params->issuer, "issuer_dn", m->issuer.dn, "responder",
	    m->params->responder, "profile", m->params->profile, "this_update",
	    from, "next_update", until);
}

static char *
make_summary(const struct ocsp_making *m)
{
	return text_printf(
	    "%zu OCSP response%s about certificates of %s, %zu of them revoked",
	    m->count, m->count == 1 ? "" : "s", m->issuer.facts.subject,
	    m->revoked);
}

/* What an operator would otherwise look for in vain. */
static int
more_details(const struct ocsp_making *m, size_t signed_count, char **ret_text)
{
	AUTO_CHARS(shorter) = m->shorter == 0
	    ? text_copy("")
	    : text_printf(
		  "\nending sooner, with their certificate: %zu", m->shorter);
	AUTO_CHARS(done) = signed_count == 0
	    ? text_copy("")
	    : text_printf("\nsigned already by this run: %zu", signed_count);
	size_t left = m->left_out[OCSP_NOT_COVERED] +
	    m->left_out[OCSP_NOT_ENDING] + m->left_out[OCSP_NOT_LONG];
	AUTO_CHARS(out) = left == 0
	    ? text_copy("")
	    : text_printf(
		  "\nleft out: %zu that the profile does not cover, %zu of "
		  "unknown end, %zu that end too soon",
		  m->left_out[OCSP_NOT_COVERED], m->left_out[OCSP_NOT_ENDING],
		  m->left_out[OCSP_NOT_LONG]);

	if (shorter == NULL || done == NULL || out == NULL)
		return -1;
	*ret_text = text_printf("%s%s%s", shorter, done, out);
	return *ret_text == NULL ? -1 : 0;
}

static char *
make_details(const struct ocsp_making *m, size_t signed_count)
{
	const struct ocsp_responder *r = &m->responder;
	char from[DATE_TEXT_SIZE], until[DATE_TEXT_SIZE];
	AUTO_CHARS(more) = NULL;

	if (more_details(m, signed_count, &more) < 0)
		return NULL;
	format_window(m, from, until);
	return text_printf("issuer: %s\n"
			   "signed by: %s\n"
			   "valid: %s to %s\n"
			   "about: %zu certificate%s, %zu good, %zu revoked\n"
			   "named by: %s\n"
			   "profile: %s%s",
	    m->issuer.facts.subject,
	    r->certificate == NULL ? "the issuer itself" : r->facts.subject,
	    from, until, m->count, m->count == 1 ? "" : "s",
	    m->count - m->revoked, m->revoked,
	    profile_adds_sha1(m->profile) ? "SHA-256, and SHA-1" : "SHA-256",
	    m->params->profile, more);
}

static int
copy_certificate(
    const X509 *certificate, unsigned char **ret_der, size_t *ret_len)
{
	AUTO_DER(der) = NULL;
	int len = i2d_X509(certificate, &der);

	if (len <= 0)
		return ca_error(CA_R_MEMORY, "cannot encode a certificate");
	*ret_len = (size_t)len;
	*ret_der = bytes_copy(der, (size_t)len);
	return *ret_der == NULL ? -1 : 0;
}

/* Who signs, and with what beside. */
static int
set_signer(const struct ocsp_making *m, struct built_batch *batch)
{
	const struct ocsp_responder *r = &m->responder;
	const struct certificate_facts *facts =
	    r->certificate != NULL ? &r->facts : &m->issuer.facts;

	batch->key = text_copy(r->certificate != NULL ? r->key : m->issuer.key);
	batch->signer = bytes_copy(facts->spki, facts->spki_len);
	batch->signer_len = facts->spki_len;
	if (batch->key == NULL || batch->signer == NULL ||
	    copy_certificate(m->issuer.certificate, &batch->issuer_der,
		&batch->issuer_len) < 0)
		return -1;
	if (r->certificate == NULL)
		return 0;
	batch->responder = text_copy(m->params->responder);
	if (batch->responder == NULL)
		return -1;
	return copy_certificate(
	    r->certificate, &batch->responder_der, &batch->responder_len);
}

static int
start_batch(const struct ocsp_making *m, struct built_batch *batch)
{
	batch->name = text_copy(m->params->name);
	batch->issuer = text_copy(m->params->issuer);
	batch->profile = m->profile;
	batch->alg = ocsp_maker_algorithm(m->maker);
	batch->stage = STAGE_OCSP;
	batch->built = m->now;
	batch->count = m->count;
	batch->items = calloc(m->count, sizeof(*batch->items));
	batch->offsets = calloc(m->count + 1, sizeof(*batch->offsets));
	if (batch->name == NULL || batch->issuer == NULL ||
	    batch->items == NULL || batch->offsets == NULL)
		return ca_error(CA_R_MEMORY, "no memory for OCSP responses");
	return set_signer(m, batch);
}

int
ocsp_fill_batch(const struct ocsp_making *m, struct built_batch *batch)
{
	AUTO_STRUCT(filling) f = { .m = m, .batch = batch };

	if (start_batch(m, batch) < 0 || built_batch_prepare(batch) < 0 ||
	    fill_all(&f) < 0)
		return -1;
	batch->from =
	    batch->signed_count == batch->count ? BUILT_AND_SIGNED : BUILT_NOW;
	batch->lint = findings_to_json(&f.lint, 0);
	findings_merge(m->build->findings, &f.lint);
	batch->facts = make_facts(m);
	batch->summary = make_summary(m);
	batch->details = make_details(m, batch->signed_count);
	return batch->lint == NULL ? -1 : 0;
}
