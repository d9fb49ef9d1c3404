/* What all certificates share, rules.md 2.1: serial numbers, times, form. */
#include <string.h>

#include <openssl/err.h>

#include "base/error.h"
#include "profiles/der/grammar.h"
#include "profiles/lint/crl-private.h"
#include "profiles/lint/encoding.h"
#include "profiles/lint/extensions.h"
#include "profiles/lint/ocsp-private.h"
#include "profiles/lint/signed.h"

enum {
	SERIAL_MAX = 20,
	SERIAL_RANDOM = 8, /* octets: 64 bits */
	/* Equal octets that chance makes once in 10^10 serials of 14 octets. */
	SERIAL_EQUAL = 7,
	TIME_DIGITS = 14, /* YYYYMMDDHHMMSS */
	DAY = 86400,
	TAG_EXTENSIONS = 0xa3,
};

static const struct der nowhere = { NULL, 0 };

static bool
same(struct der a, struct der b)
{
	return der_equal(a, b.p, b.len);
}

static void
check_version(struct lint_run *run)
{
	static const unsigned char v3[] = { 0xa0, 0x03, 0x02, 0x01, 0x02 };
	const struct der version = run->certificate->version;

	if (version.len == 0)
		lint_found(run, run->certificate->tbs,
		    "the version is absent, which means v1, and must be v3");
	else if (!der_equal(version, v3, sizeof v3))
		lint_found(
		    run, version, "the version is not v3, encoded a003020102");
}

static void
check_uids(struct lint_run *run)
{
	const struct lint_certificate *c = run->certificate;

	if (c->issuer_uid.len > 0)
		lint_found(run, c->issuer_uid,
		    "there is an issuerUniqueID, which must be absent");
	if (c->subject_uid.len > 0)
		lint_found(run, c->subject_uid,
		    "there is a subjectUniqueID, which must be absent");
}

/* ---- DER --------------------------------------------------------------- */

/* version is DEFAULT v1, of certificates and of OCSP's ResponseData. */
static void
check_default_version(struct lint_run *run, struct der version)
{
	static const unsigned char v1[] = { 0xa0, 0x03, 0x02, 0x01, 0x00 };

	if (der_equal(version, v1, sizeof v1))
		lint_found(run, version,
		    "version v1 is encoded, which is its DEFAULT and must be "
		    "absent");
}

/* The second means: OpenSSL decodes and encodes anew. */
static void
check_reencoded(struct lint_run *run)
{
	const struct lint_certificate *c = run->certificate;
	AUTO(X509) *x509 = lint_certificate_decode(c);
	AUTO_DER(again) = NULL;
	int len;

	if (x509 == NULL) {
		lint_found(run, nowhere,
		    "a second decoder cannot read the certificate");
		return;
	}
	(void)ERR_set_mark();
	len = i2d_re_X509_tbs(x509, &again);
	(void)ERR_pop_to_mark();
	if (len <= 0)
		lint_unsure(run, "the certificate cannot be encoded again");
	else if (!der_equal(c->tbs, again, (size_t)len))
		lint_found(run, c->tbs,
		    "the certificate does not encode back to the same octets");
}

static void
check_der_certificate(struct lint_run *run)
{
	const struct lint_certificate *c = run->certificate;

	lint_check_element(run, c->element, "the certificate");
	check_default_version(run, c->version);
	lint_check_extensions(run, &c->extensions);
	check_reencoded(run);
}

static void
check_der_crl(struct lint_run *run)
{
	const struct lint_crl_state *c = run->crl;

	lint_check_element(run, c->version, "the version");
	lint_check_element(run, c->alg, "the signature's algorithm");
	lint_check_element(run, c->issuer.element, "the issuer's name");
	lint_check_element(run, c->this_update.element, "thisUpdate");
	if (c->has_next_update)
		lint_check_element(run, c->next_update.element, "nextUpdate");
	lint_check_element(run, c->extensions_element, "the extensions");
	lint_check_element(
	    run, c->alg_outer, "the algorithm beside the signature");
	if (c->signature_unused != 0)
		lint_found(
		    run, nowhere, "the signature's BIT STRING has unused bits");
	lint_check_extensions(run, &c->extensions);
	lint_crl_report(run, CRL_NOTE_DER);
}

/* Extensions under an EXPLICIT tag; the frame was read. */
static void
check_tagged_extensions(struct lint_run *run, struct der element)
{
	struct der content, list;
	struct der_fault fault;

	if (element.len == 0 || !der_take_any(&element, &content, NULL))
		return;
	if (!der_take(&content, DER_SEQUENCE, &list, NULL))
		lint_found(run, content, "the extensions are no SEQUENCE");
	else if (!der_extensions_check(list, &fault))
		lint_found(run, (struct der){ fault.at, 1 },
		    "the extensions are not DER: %s", fault.text);
}

static void
check_single(struct lint_run *run, const struct lint_ocsp_single *single)
{
	struct der in = single->status_element, content = { NULL, 0 };

	check_tagged_extensions(run, single->extensions);
	if (single->status != OCSP_REVOKED &&
	    der_take_any(&in, &content, NULL) && content.len != 0)
		lint_found(run, single->status_element,
		    "certStatus is a NULL with contents");
}

static void
check_ocsp_reencoded(struct lint_run *run)
{
	const struct lint_ocsp_state *o = run->ocsp;
	AUTO_DER(again) = NULL;
	int len;

	if (o->basicresp == NULL) {
		lint_found(run, nowhere,
		    "a second decoder cannot read the OCSP response");
		return;
	}
	(void)ERR_set_mark();
	len = i2d_OCSP_BASICRESP(o->basicresp, &again);
	(void)ERR_pop_to_mark();
	if (len <= 0)
		lint_unsure(run, "the response cannot be encoded again");
	else if (!der_equal(o->decoded, again, (size_t)len))
		lint_found(run, o->basic,
		    "the response does not encode back to the same octets");
}

static void
check_der_ocsp(struct lint_run *run)
{
	const struct lint_ocsp_state *o = run->ocsp;

	lint_check_element(run, o->element, "the OCSP response");
	if (!o->is_basic)
		return;
	lint_check_element(run, o->basic, "the BasicOCSPResponse");
	check_default_version(run, o->version);
	check_tagged_extensions(run, o->extensions_element);
	for (size_t i = 0; i < o->count; i++)
		check_single(run, &o->singles[i]);
	for (size_t i = 0; i < o->certificate_count; i++)
		lint_check_extensions(run, &o->certificates[i]->extensions);
	check_ocsp_reencoded(run);
}

static void
check_der(struct lint_run *run)
{
	if (run->certificate != NULL)
		check_der_certificate(run);
	else if (run->crl != NULL)
		check_der_crl(run);
	else if (run->ocsp != NULL)
		check_der_ocsp(run);
}

/* ---- extensions -------------------------------------------------------- */

static void
check_ext_unique(struct lint_run *run)
{
	const struct lint_extensions *extensions = run->crl != NULL
	    ? &run->crl->extensions
	    : &run->certificate->extensions;
	const struct lint_extension *row = lint_repeated(extensions);
	char oid[LINT_OID_TEXT];

	if (row != NULL)
		lint_found(run, lint_where(run, row->element),
		    "extension %s is there twice",
		    lint_oid_text(row->oid, oid));
	if (run->crl != NULL)
		lint_crl_report(run, CRL_NOTE_EXT_UNIQUE);
}

/* Extensions, SIZE (1..MAX): is there [3] with nothing in it? */
static bool
has_empty_list(const struct lint_certificate *c)
{
	static const unsigned char empty[] = { TAG_EXTENSIONS, 2, DER_SEQUENCE,
		0 };

	return c->extensions.count == 0 && c->tbs.len > sizeof empty &&
	    memcmp(c->tbs.p + c->tbs.len - sizeof empty, empty, sizeof empty) ==
	    0;
}

static void
check_ext_nonempty(struct lint_run *run)
{
	const struct lint_certificate *c = run->certificate;
	char oid[LINT_OID_TEXT];
	struct der_fault fault;

	if (has_empty_list(c))
		lint_found(run, c->tbs, "the list of extensions is empty");
	for (size_t i = 0; i < c->extensions.count; i++) {
		const struct lint_extension *row = &c->extensions.rows[i];

		if (!der_extension_is_filled(row->oid, row->value, &fault))
			lint_found(run, (struct der){ fault.at, 1 },
			    "in extension %s, %s", lint_oid_text(row->oid, oid),
			    fault.text);
	}
}

static const struct lint_extension *
next_of_both(const struct lint_extensions *extensions, size_t *i)
{
	const struct lint_extension *row;

	while (*i < extensions->count) {
		row = &extensions->rows[(*i)++];
		if (row->nid != NID_ct_precert_poison &&
		    row->nid != NID_ct_precert_scts)
			return row;
	}
	return NULL;
}

/* BR 7.1.2.9.1: of a precertificate and its certificate, either way round. */
static void
check_ext_order(struct lint_run *run)
{
	const struct lint_certificate *a = run->certificate, *b = run->existing;
	const struct lint_extension *mine, *its;
	size_t i = 0, k = 0;
	bool poisoned =
	    lint_extension(&a->extensions, NID_ct_precert_poison) != NULL;

	if (!same(a->serial, b->serial) ||
	    !same(a->issuer.element, b->issuer.element) ||
	    poisoned ==
		(lint_extension(&b->extensions, NID_ct_precert_poison) != NULL))
		return;
	do {
		mine = next_of_both(&a->extensions, &i);
		its = next_of_both(&b->extensions, &k);
	} while (mine != NULL && its != NULL && same(mine->oid, its->oid));
	if (mine != NULL || its != NULL)
		lint_found(run, mine != NULL ? mine->element : a->tbs,
		    "the extensions of precertificate and certificate do not "
		    "stand in the same order");
}

/* ---- serial numbers ---------------------------------------------------- */

static bool
is_zero(struct der v)
{
	for (size_t i = 0; i < v.len; i++)
		if (v.p[i] != 0)
			return false;
	return true;
}

static void
check_serial_positive(struct lint_run *run)
{
	const struct der serial = run->certificate->serial;

	if (is_zero(serial))
		lint_found(run, serial,
		    "the serial number is 0, and must be positive");
	else if ((serial.p[0] & 0x80) != 0)
		lint_found(run, serial,
		    "the serial number is negative, and must be positive");
}

static void
check_serial_max(struct lint_run *run)
{
	const struct der serial = run->certificate->serial;

	if (serial.len > SERIAL_MAX)
		lint_found(run, serial,
		    "the serial number has %zu octets, and must be below "
		    "2^159, in %d octets",
		    serial.len, SERIAL_MAX);
}

/* How often the octet that is there most often is there. */
static size_t
most_common(struct der v)
{
	size_t counts[256] = { 0 }, most = 0;

	for (size_t i = 0; i < v.len; i++) {
		counts[v.p[i]]++;
		most = counts[v.p[i]] > most ? counts[v.p[i]] : most;
	}
	return most;
}

/*
 * One serial number shows its length and no more: what is below 2^63 cannot
 * hold 64 random bits behind a set bit, is what a generator that clears the
 * sign bit makes always (63 bits, the incident of 2019), and what one that adds
 * a zero octet makes half of the time.  It is refused, for neither the CA nor
 * anybody else can tell these apart.  Above that, only what is no random number
 * by the look of it is found; the rest is for the CA's journal.
 */
static void
check_serial_entropy(struct lint_run *run)
{
	struct der serial = run->certificate->serial;
	size_t equal;

	while (serial.len > 0 && serial.p[0] == 0) {
		serial.p++;
		serial.len--;
	}
	if (serial.len < SERIAL_RANDOM ||
	    (serial.len == SERIAL_RANDOM && (serial.p[0] & 0x80) == 0)) {
		lint_found(run, run->certificate->serial,
		    "the serial number is below 2^63, and needs 64 random bits "
		    "beside its sign");
		return;
	}
	equal = most_common(serial);
	if (equal >= SERIAL_EQUAL && serial.len - equal < SERIAL_RANDOM)
		lint_found(run, run->certificate->serial,
		    "%zu of the serial number's %zu octets are equal: it cannot "
		    "hold 64 random bits beside them",
		    equal, serial.len);
}

/*
 * What can be told without the journal: of the certificates at hand, no other
 * one of this issuer's name has the same serial number.
 */
static void
check_serial_unique(struct lint_run *run)
{
	const struct lint_certificate *c = run->certificate;
	const struct lint_certificate *others[] = { run->issuer,
		run->existing };
	const bool poisoned =
	    lint_extension(&c->extensions, NID_ct_precert_poison) != NULL;

	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		const struct lint_certificate *o = others[i];

		if (o == NULL || same(o->element, c->element) ||
		    !same(o->issuer.element, c->issuer.element) ||
		    !same(o->serial, c->serial))
			continue;
		/* A precertificate and its certificate share theirs. */
		if (poisoned !=
		    (lint_extension(&o->extensions, NID_ct_precert_poison) !=
			NULL))
			continue;
		lint_found(run, c->serial,
		    "the serial number is also that of the %s, which has the "
		    "same issuer",
		    i == 0 ? "issuer's own certificate"
			   : "existing certificate");
	}
}

/* ---- issuer ------------------------------------------------------------ */

static const struct lint_name *
issuer_name(const struct lint_run *run)
{
	return run->crl != NULL ? &run->crl->issuer : &run->certificate->issuer;
}

static bool
are_equal_names(struct der a, struct der b)
{
	const unsigned char *p = a.p, *q = b.p;
	AUTO(X509_NAME) *left = NULL;
	AUTO(X509_NAME) *right = NULL;
	bool equal;

	(void)ERR_set_mark();
	left = d2i_X509_NAME(NULL, &p, (long)a.len);
	right = d2i_X509_NAME(NULL, &q, (long)b.len);
	equal =
	    left != NULL && right != NULL && X509_NAME_cmp(left, right) == 0;
	(void)ERR_pop_to_mark();
	return equal;
}

static void
check_issuer_bytes(struct lint_run *run)
{
	const struct der mine = issuer_name(run)->element;
	const struct der its = run->issuer->subject.element;

	if (same(mine, its))
		return;
	lint_found(run, lint_where(run, mine),
	    are_equal_names(mine, its)
		? "the issuer is the issuing CA's subject in other octets: "
		  "they must be copied"
		: "the issuer is not the subject of the issuing CA's "
		  "certificate");
}

static void
check_issuer_nonempty(struct lint_run *run)
{
	if (issuer_name(run)->count == 0)
		lint_found(run, lint_where(run, issuer_name(run)->element),
		    "the issuer's name is empty");
}

/* ---- times ------------------------------------------------------------- */

/* A time of the object, and what to call it. */
struct named_time {
	const struct lint_time *time;
	const char *name;
};
enum { TIMES_MAX = 2 };

static size_t
times_of(const struct lint_run *run, struct named_time times[TIMES_MAX])
{
	if (run->certificate != NULL) {
		times[0] = (struct named_time){ &run->certificate->not_before,
			"notBefore" };
		times[1] = (struct named_time){ &run->certificate->not_after,
			"notAfter" };
		return 2;
	}
	if (run->crl == NULL)
		return 0;
	times[0] = (struct named_time){ &run->crl->this_update, "thisUpdate" };
	times[1] = (struct named_time){ &run->crl->next_update, "nextUpdate" };
	return run->crl->has_next_update ? 2 : 1;
}

static unsigned
two_digits(const char *p)
{
	return (unsigned)(p[0] - '0') * 10 + (unsigned)(p[1] - '0');
}

static bool
exists(const char d[TIME_DIGITS])
{
	static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31,
		30, 31, 30, 31 };
	unsigned year = two_digits(d) * 100 + two_digits(d + 2);
	unsigned month = two_digits(d + 4), day = two_digits(d + 6);
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return month >= 1 && month <= 12 && day >= 1 &&
	    day <= days[month - 1] + (unsigned)(month == 2 && leap) &&
	    two_digits(d + 8) < 24 && two_digits(d + 10) < 60 &&
	    two_digits(d + 12) < 60;
}

/*
 * YYYYMMDDHHMMSS of a time whose form is right and that exists.  Such digits
 * compare as the times do, also where seconds since 1970 are negative.
 */
static bool
digits_of(const struct lint_time *time, char ret_digits[TIME_DIGITS])
{
	char digits[TIME_DIGITS];
	const unsigned char *p = time->value.p;

	if (der_content_fault(time->tag, time->value) != NULL)
		return false;
	if (time->tag == DER_UTC_TIME) {
		memcpy(digits, p[0] < '5' ? "20" : "19", 2);
		memcpy(digits + 2, p, TIME_DIGITS - 2);
	} else
		memcpy(digits, p, TIME_DIGITS);
	if (!exists(digits))
		return false;
	memcpy(ret_digits, digits, sizeof digits);
	return true;
}

static void
check_time_type(struct lint_run *run)
{
	struct named_time times[TIMES_MAX];
	char digits[TIME_DIGITS];

	for (size_t i = 0, n = times_of(run, times); i < n; i++)
		if (times[i].time->tag == DER_GENERALIZED_TIME &&
		    digits_of(times[i].time, digits) &&
		    memcmp(digits, "2050", 4) < 0)
			lint_found(run, lint_where(run, times[i].time->element),
			    "%s is a GeneralizedTime before 2050, and must be "
			    "a UTCTime",
			    times[i].name);
	if (run->crl != NULL)
		lint_crl_report(run, CRL_NOTE_TIME_TYPE);
}

static void
check_form(struct lint_run *run, const struct lint_time *time, const char *name)
{
	const char *fault;
	char digits[TIME_DIGITS];

	if (time->element.len == 0)
		return;
	fault = der_content_fault(time->tag, time->value);
	if (fault == NULL && !digits_of(time, digits))
		fault = "it is no time that there is";
	if (fault != NULL)
		lint_found(run, lint_where(run, time->element),
		    "%s is wrong: %s", name, fault);
}

/* RFC 6960, section 4.2.2.1: all of them GeneralizedTime. */
static void
check_ocsp_form(
    struct lint_run *run, const struct lint_time *time, const char *name)
{
	check_form(run, time, name);
	if (time->element.len > 0 && time->tag != DER_GENERALIZED_TIME)
		lint_found(run, time->element,
		    "%s is no GeneralizedTime, and must be one", name);
}

static void
check_ocsp_forms(struct lint_run *run)
{
	const struct lint_ocsp_state *o = run->ocsp;

	if (!o->is_basic)
		return;
	check_ocsp_form(run, &o->produced_at, "producedAt");
	for (size_t i = 0; i < o->count; i++) {
		const struct lint_ocsp_single *single = &o->singles[i];

		check_ocsp_form(run, &single->this_update, "thisUpdate");
		if (single->has_next_update)
			check_ocsp_form(
			    run, &single->next_update, "nextUpdate");
		if (single->status == OCSP_REVOKED)
			check_ocsp_form(
			    run, &single->revoked_at, "revocationTime");
	}
}

static void
check_time_form(struct lint_run *run)
{
	struct named_time times[TIMES_MAX];

	if (run->ocsp != NULL) {
		check_ocsp_forms(run);
		return;
	}
	for (size_t i = 0, n = times_of(run, times); i < n; i++)
		check_form(run, times[i].time, times[i].name);
	if (run->crl != NULL)
		lint_crl_report(run, CRL_NOTE_TIME_FORM);
}

static void
check_time_order(struct lint_run *run)
{
	const struct lint_certificate *c = run->certificate;
	char before[TIME_DIGITS], after[TIME_DIGITS];

	if (digits_of(&c->not_before, before) &&
	    digits_of(&c->not_after, after) &&
	    memcmp(before, after, sizeof before) >= 0)
		lint_found(run, c->not_before.element,
		    "notBefore %.14s is not before notAfter %.14s", before,
		    after);
}

/*
 * The limits that are counted in whole days, as they stood at the object's
 * date.  How long it may be is for other rules; here, that a limit is missed
 * by the one second that makes it another day.
 */
static const struct {
	unsigned subjects;
	enum ruleset ruleset;
	int64_t from;
	int days;
} limits[] = {
	{ FOR_LEAF | FOR_PRECERT, RULESET_CABF_TLS, D_TLS_47, 47 },
	{ FOR_LEAF | FOR_PRECERT, RULESET_CABF_TLS, D_TLS_100, 100 },
	{ FOR_LEAF | FOR_PRECERT, RULESET_CABF_TLS, D_TLS_200, 200 },
	{ FOR_LEAF | FOR_PRECERT, RULESET_CABF_TLS, RULE_ALWAYS, 398 },
	{ FOR_SMIME, RULESET_CABF_SMIME, RULE_ALWAYS, 825 },
	{ FOR_CS, RULESET_CABF_CS, RULE_ALWAYS, 460 },
	{ FOR_ROOT, RULESET_CABF_TLS, RULE_ALWAYS, 9132 },
	{ FOR_OCSP, RULESET_CABF_TLS, RULE_ALWAYS, 10 },
};

/* Days, or 0 where none is set. */
static int
limit_of(const struct lint_run *run)
{
	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
		if (lint_is(run, limits[i].subjects) &&
		    lint_held_to(run, limits[i].ruleset) &&
		    run->date >= limits[i].from)
			return limits[i].days;
	return 0;
}

static void
check_duration(struct lint_run *run, const struct lint_time *from,
    const struct lint_time *until)
{
	const int days = limit_of(run);

	if (days != 0 && from->valid && until->valid &&
	    until->seconds - from->seconds == (int64_t)days * DAY)
		lint_found(run, until->element,
		    "the validity is %d days and one second, for both its "
		    "first and its last second count: it may be %d days",
		    days, days);
}

static void
check_inclusive(struct lint_run *run)
{
	if (run->certificate != NULL)
		check_duration(run, &run->certificate->not_before,
		    &run->certificate->not_after);
	else if (run->ocsp != NULL && run->ocsp->is_basic)
		for (size_t i = 0; i < run->ocsp->count; i++)
			if (run->ocsp->singles[i].has_next_update)
				check_duration(run,
				    &run->ocsp->singles[i].this_update,
				    &run->ocsp->singles[i].next_update);
}

static bool
is_beside_a_ca(const struct lint_run *run)
{
	return run->existing != NULL && lint_is_ca(&run->existing->values);
}

/* A cross certificate may begin with the certificate that it stands beside. */
static void
check_nested(struct lint_run *run)
{
	const struct lint_certificate *c = run->certificate, *i = run->issuer;
	char mine[TIME_DIGITS], its[TIME_DIGITS];

	if (digits_of(&c->not_after, mine) && digits_of(&i->not_after, its) &&
	    memcmp(mine, its, sizeof mine) > 0)
		lint_found(run, c->not_after.element,
		    "notAfter %.14s is later than the issuer's, %.14s", mine,
		    its);
	if (!lint_is(run, FOR_CROSS) && !is_beside_a_ca(run) &&
	    digits_of(&c->not_before, mine) && digits_of(&i->not_before, its) &&
	    memcmp(mine, its, sizeof mine) < 0)
		lint_found(run, c->not_before.element,
		    "notBefore %.14s is earlier than the issuer's, %.14s", mine,
		    its);
}

static void
check_no_9999(struct lint_run *run)
{
	static const char never[] = "99991231235959Z";
	const struct lint_time *until = &run->certificate->not_after;

	if (der_equal(
		until->value, (const unsigned char *)never, strlen(never)))
		lint_found(run, until->element,
		    "notAfter is %s, which means that it never expires", never);
}

static const struct lint rows[] = {
	{ .id = "FLD-VERSION", .check = check_version },
	{ .id = "FLD-UID-ABSENT", .check = check_uids },
	{ .id = "FLD-DER-STRICT", .check = check_der },
	{ .id = "FLD-EXT-UNIQUE", .check = check_ext_unique },
	{ .id = "FLD-EXT-NONEMPTY", .check = check_ext_nonempty },
	{ .id = "FLD-EXT-ORDER",
	    .check = check_ext_order,
	    .needs = NEEDS_EXISTING },
	{ .id = "FLD-SERIAL-POSITIVE", .check = check_serial_positive },
	{ .id = "FLD-SERIAL-MAX", .check = check_serial_max },
	{ .id = "FLD-SERIAL-ENTROPY", .check = check_serial_entropy },
	{ .id = "FLD-SERIAL-UNIQUE", .check = check_serial_unique },
	{ .id = "FLD-ISSUER-BYTES",
	    .check = check_issuer_bytes,
	    .needs = NEEDS_ISSUER },
	{ .id = "FLD-ISSUER-NONEMPTY", .check = check_issuer_nonempty },
	{ .id = "FLD-TIME-TYPE", .check = check_time_type },
	{ .id = "FLD-TIME-FORM", .check = check_time_form },
	{ .id = "FLD-TIME-ORDER", .check = check_time_order },
	{ .id = "FLD-TIME-INCLUSIVE", .check = check_inclusive },
	{ .id = "FLD-TIME-NESTED",
	    .check = check_nested,
	    .subjects = FOR_SUB | FOR_OCSPCERT | FOR_LEAF | FOR_SMIME | FOR_CS,
	    .needs = NEEDS_ISSUER },
	{ .id = "FLD-TIME-NO9999", .check = check_no_9999 },
};

const struct lint_table lint_fields = LINT_TABLE(rows);
