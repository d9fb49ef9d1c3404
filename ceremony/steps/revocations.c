/* Acts that revoke, or take in, what a list says. */
#include "ceremony/steps/revocations.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "ceremony/steps/index.h"

/* ---- what this plan revokes --------------------------------------------- */

static int
compare_planned(const void *key, const void *row)
{
	const struct serial *serial = key;
	const struct planned_revocation *planned = row;

	if (serial->len != planned->serial_len)
		return serial->len < planned->serial_len ? -1 : 1;
	return memcmp(serial->octets, planned->serial, serial->len);
}

static bool
is_of(const json_t *data, const char *issuer_dn)
{
	const char *dn = json_string_value(json_object_get(data, "issuer_dn"));

	return dn != NULL && strcmp(dn, issuer_dn) == 0;
}

const struct planned_revocation *
planned_revocation(const struct build *build, const char *issuer_dn,
    const struct serial *serial)
{
	size_t one = 0;

	if (index_find_revoked(
		build, issuer_dn, serial->octets, serial->len, &one))
		return build->acts[one].revoked;
	for (size_t i = 0; i < build->act_count; i++) {
		const struct built_act *act = &build->acts[i];
		const struct planned_revocation *found;

		found = act->revoked_count <= 1
		    ? NULL
		    : bsearch(serial, act->revoked, act->revoked_count,
			  sizeof(act->revoked[0]), compare_planned);
		if (found != NULL && is_of(act->data, issuer_dn))
			return found;
	}
	return NULL;
}

int
planned_issued(const struct build *build, const char *issuer_dn,
    const struct serial *serial, bool *ret_found, struct listed *ret_row)
{
	*ret_found = false;
	for (size_t i = 0; i < build->act_count && !*ret_found; i++) {
		const struct built_act *act = &build->acts[i];

		if (act->entry == ENTRY_ISSUED && is_of(act->data, issuer_dn) &&
		    issued_text_find(&act->list, serial, ret_found, ret_row) <
			0)
			return -1;
	}
	return 0;
}

bool
serial_is_root(const struct issuer_view *issuer, const struct serial *serial)
{
	const struct certificate_facts *facts = &issuer->facts;

	return facts->self_issued && facts->serial_len == serial->len &&
	    memcmp(facts->serial, serial->octets, serial->len) == 0;
}

bool
revocation_lacks_reason(
    const struct issuer_view *issuer, const struct listed *row)
{
	return row->reason == REASON_NONE &&
	    (row->ca == 1 || (row->ca < 0 && issuer->facts.self_issued));
}

void
revocations_check_order(
    struct build *build, const struct step *step, const char *issuer_dn)
{
	for (size_t i = 0; i < build->object_count; i++) {
		const struct built_object *o = &build->objects[i];

		if (o->kind == OBJECT_CRL && is_of(o->facts, issuer_dn))
			step_finding(build, step, NULL, "REVOKE-AFTER-CRL",
			    "BR 4.9.7",
			    "CRL '%s' of the same issuer is made by an earlier "
			    "step and would not list it; put the crl step "
			    "behind this one",
			    o->name);
	}
	for (size_t i = 0; i < build->batch_count; i++)
		if (is_of(build->batches[i].facts, issuer_dn))
			step_finding(build, step, NULL, "REVOKE-AFTER-OCSP",
			    "BR 4.9.9",
			    "the OCSP responses '%s' of the same issuer are "
			    "made by an earlier step and would not say it; put "
			    "the ocsp-responses step behind this one",
			    build->batches[i].name);
}

/* ---- for people ---------------------------------------------------------- */

enum { ROWS_SHOWN = 10 }; /* the first, and the last */

static int add_text(BIO *bio, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static int
add_text(BIO *bio, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = BIO_vprintf(bio, fmt, ap);
	va_end(ap);
	return n < 0 ? ca_error(CA_R_MEMORY, "no memory for a list") : 0;
}

/* What the journal calls the certificate; "" where it does not know it. */
static int
name_of(const struct build *build, const char *issuer_dn, const char *serial,
    char **ret_name)
{
	AUTO_STRUCT(object_row) row = { 0 };
	bool found = false;

	if (journal_certificate_by_serial(
		build->journal, issuer_dn, serial, &found, &row) < 0)
		return -1;
	*ret_name = found ? text_printf(" '%s'", row.name) : text_copy("");
	return *ret_name == NULL ? -1 : 0;
}

static int
show_row(const struct build *build, BIO *bio, const char *issuer_dn,
    const struct listed *row, bool issued)
{
	static const char *const kinds[] = { "", ", end entity", ", CA" };
	char serial[SERIAL_HEX_SIZE], date[DATE_TEXT_SIZE];
	AUTO_CHARS(name) = NULL;

	serial_hex(&row->serial, serial);
	if (name_of(build, issuer_dn, serial, &name) < 0)
		return -1;
	if (issued) {
		if (row->expires != 0)
			date_format(row->expires, date);
		return add_text(bio, "\n  %s%s, %s%s%s", serial, name,
		    row->expires == 0 ? "its end is unknown" : "until ",
		    row->expires == 0 ? "" : date, kinds[row->ca + 1]);
	}
	date_format(row->date, date);
	return add_text(bio, "\n  %s%s, %s, %s", serial, name, date,
	    reason_name(row->reason));
}

static int
show_rows(const struct build *build, BIO *bio,
    const struct revocations_act *act, const struct listing *listing,
    bool issued)
{
	const size_t n = listing->count;

	for (size_t i = 0; i < n; i++) {
		if (n > 2 * ROWS_SHOWN && i == ROWS_SHOWN) {
			i = n - ROWS_SHOWN;
			if (add_text(bio, "\n  ... and %zu more ...",
				n - 2 * (size_t)ROWS_SHOWN) < 0)
				return -1;
		}
		if (show_row(build, bio, act->issuer_dn, &listing->rows[i],
			issued) < 0)
			return -1;
	}
	return 0;
}

static int
make_details(const struct build *build, const struct revocations_act *act,
    const struct listing *listing, bool issued, const char *sha256,
    char **ret_details)
{
	AUTO(BIO) *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	long len;

	if (bio == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a list");
	if ((act->details != NULL && add_text(bio, "%s\n", act->details) < 0) ||
	    add_text(bio, "list, SHA-256: %s\ncertificates: %zu", sha256,
		listing->count) < 0 ||
	    show_rows(build, bio, act, listing, issued) < 0)
		return -1;
	len = BIO_get_mem_data(bio, &text);
	*ret_details = text_printf("%.*s", (int)len, text);
	return *ret_details == NULL ? -1 : 0;
}

/* ---- acts ---------------------------------------------------------------- */

char *
spilled_hex(const struct spilled *spilled)
{
	unsigned char digest[HASH_LEN];

	return spilled_sha256(spilled, digest) < 0
	    ? NULL
	    : text_hex(digest, sizeof(digest));
}

static json_t *
make_data(const struct revocations_act *act, size_t count, const char *sha256,
    bool issued)
{
	json_t *data = json_pack("{s:s, s:s, s:I, s:s, s:s}", "issuer",
	    act->issuer, "issuer_dn", act->issuer_dn, "count",
	    (json_int_t)count, "list", sha256, "source", act->source);

	if (data != NULL && !issued &&
	    json_object_set_new(data, "cause", json_string("plan")) != 0) {
		json_decref(data);
		return NULL;
	}
	return data;
}

static int
fill_act(struct build *build, const struct revocations_act *act,
    const struct listing *listing, bool issued, struct built_act *built)
{
	AUTO_CHARS(sha256) = NULL;

	if ((issued ? listing_issued_text : listing_revocations_text)(
		listing, build->scratch_fd, &built->list) < 0 ||
	    (!issued && listing_plan(listing, build->scratch_fd, built) < 0))
		return -1;
	sha256 = spilled_hex(&built->list);
	if (sha256 == NULL ||
	    make_details(build, act, listing, issued, sha256, &built->details) <
		0)
		return -1;
	built->data = make_data(act, listing->count, sha256, issued);
	built->kind = text_copy(act->kind);
	built->summary =
	    text_printf("%s: %zu certificate%s of '%s'", act->summary,
		listing->count, listing->count == 1 ? "" : "s", act->issuer);
	return 0;
}

static int
add_act(struct build *build, const struct step *step,
    const struct revocations_act *act, const struct listing *listing,
    bool issued)
{
	struct built_act built = {
		.entry = issued ? ENTRY_ISSUED : ENTRY_REVOCATIONS,
		.step = step,
	};

	if (fill_act(build, act, listing, issued, &built) < 0) {
		built_act_clear(&built);
		return -1;
	}
	return build_add_act(build, &built);
}

int
revocations_add_act(struct build *build, const struct step *step,
    const struct revocations_act *act, const struct listing *listing)
{
	return add_act(build, step, act, listing, false);
}

int
issued_add_act(struct build *build, const struct step *step,
    const struct revocations_act *act, const struct listing *listing)
{
	return add_act(build, step, act, listing, true);
}
