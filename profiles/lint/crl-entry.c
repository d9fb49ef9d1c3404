/* The rules for one entry of a CRL: rules.md 8.1 and 8.3. */
#include <inttypes.h>
#include <string.h>

#include "base/date.h"
#include "profiles/der/time.h"
#include "profiles/lint/crl-private.h"

enum {
	SERIAL_MAX = 20,  /* FLD-SERIAL-MAX */
	REASON_LAST = 10, /* RFC 5280, section 5.3.1 */
	REASON_UNUSED = 7,
};
#define YEAR_1999 ((int64_t)915148800)
#define YEAR_2050 ((int64_t)2524608000)

static const unsigned char oid_reason[] = { 0x55, 0x1d, 0x15 };
static const unsigned char oid_invalidity[] = { 0x55, 0x1d, 0x18 };
static const unsigned char oid_issuer[] = { 0x55, 0x1d, 0x1d };

/* CRLReason; NULL: RFC 5280 does not define the value. */
static const struct {
	const char *name;
	enum lint_crl_note_kind forbidden; /* CRL_NOTE_KINDS: it may be used */
} reasons[REASON_LAST + 1] = {
	{ "unspecified", CRL_NOTE_REASON_ZERO },
	{ "keyCompromise", CRL_NOTE_KINDS },
	{ "cACompromise", CRL_NOTE_REASON_SET },
	{ "affiliationChanged", CRL_NOTE_KINDS },
	{ "superseded", CRL_NOTE_KINDS },
	{ "cessationOfOperation", CRL_NOTE_KINDS },
	{ "certificateHold", CRL_NOTE_REASON_HOLD },
	{ NULL, CRL_NOTE_KINDS },
	{ "removeFromCRL", CRL_NOTE_REASON_SET },
	{ "privilegeWithdrawn", CRL_NOTE_KINDS },
	{ "aACompromise", CRL_NOTE_REASON_SET },
};

const char *
lint_crl_reason_name(int reason)
{
	return reason >= 0 && reason <= REASON_LAST ? reasons[reason].name
						    : NULL;
}

bool
lint_crl_reason_allowed(int reason)
{
	return lint_crl_reason_name(reason) != NULL &&
	    reasons[reason].forbidden == CRL_NOTE_KINDS;
}

/* One Extension of an entry. */
struct row {
	struct der element, oid, value;
	bool critical, critical_encoded;
};

static bool
take_row(struct der *in, struct row *ret_row)
{
	struct row row = { .critical = false };
	struct der body, critical;

	if (!der_take(in, DER_SEQUENCE, &body, &row.element) ||
	    !der_take(&body, DER_OID, &row.oid, NULL))
		return false;
	if (der_take(&body, DER_BOOLEAN, &critical, NULL)) {
		row.critical_encoded = true;
		row.critical = critical.len == 1 && critical.p[0] != 0;
	}
	if (!der_take(&body, DER_OCTET_STRING, &row.value, NULL) ||
	    body.len != 0)
		return false;
	*ret_row = row;
	return true;
}

/* The value of an ENUMERATED of one octet, or -1. */
static int
reason_of(struct der value)
{
	struct der content;

	if (!der_take(&value, DER_ENUMERATED, &content, NULL) ||
	    value.len != 0 || content.len != 1 || content.p[0] > 0x7f)
		return -1;
	return content.p[0];
}

int
lint_crl_entry_reason(const struct lint_crl_entry *entry)
{
	struct der in = entry->extensions;
	struct row row;
	int reason;

	while (in.len > 0 && take_row(&in, &row))
		if (der_equal(row.oid, oid_reason, sizeof oid_reason)) {
			reason = reason_of(row.value);
			return reason < 0 ? 0 : reason;
		}
	return 0;
}

#define NOTE(kind, ...) \
	lint_crl_note(s, (kind), e->offset, e->serial, __VA_ARGS__)

static void
check_serial(struct lint_crl_state *s, const struct lint_crl_entry *e)
{
	const struct der v = e->serial;

	if (v.len == 0) {
		NOTE(CRL_NOTE_SERIAL, "an entry's serial number has no octets");
		return;
	}
	if (v.p[0] >= 0x80 || (v.len == 1 && v.p[0] == 0))
		NOTE(CRL_NOTE_SERIAL,
		    "the serial number is not positive, and no certificate's "
		    "may be so");
	if (v.len > SERIAL_MAX)
		NOTE(CRL_NOTE_SERIAL,
		    "the serial number has %zu octets, a certificate's has at "
		    "most %d",
		    v.len, SERIAL_MAX);
	if (v.len > 1 && v.p[0] == 0 && v.p[1] < 0x80)
		NOTE(CRL_NOTE_SERIAL,
		    "the serial number begins with a superfluous zero octet, "
		    "and so is no certificate's");
}

static void
check_date(struct lint_crl_state *s, const struct lint_crl_entry *e)
{
	if (!e->date_valid) {
		NOTE(CRL_NOTE_TIME_FORM,
		    "revocationDate is no date in the form YYMMDDHHMMSSZ or "
		    "YYYYMMDDHHMMSSZ");
		return;
	}
	if (e->date_tag == DER_GENERALIZED_TIME && e->seconds < YEAR_2050)
		NOTE(CRL_NOTE_TIME_TYPE,
		    "revocationDate is a GeneralizedTime, and before 2050 it "
		    "must be a UTCTime");
	if (s->this_update.valid && e->seconds > s->this_update.seconds)
		NOTE(CRL_NOTE_DATE,
		    "revocationDate is %" PRId64
		    " seconds later than thisUpdate",
		    e->seconds - s->this_update.seconds);
	if (e->seconds < YEAR_1999)
		NOTE(CRL_NOTE_DATE, "revocationDate is before 1999");
}

static void
check_reason(struct lint_crl_state *s, const struct lint_crl_entry *e,
    const struct row *row)
{
	const int reason = reason_of(row->value);

	if (row->critical)
		NOTE(CRL_NOTE_REASON_FORM,
		    "reasonCode is critical and must not be");
	if (reason < 0) {
		NOTE(CRL_NOTE_REASON_FORM,
		    "reasonCode is not one ENUMERATED of one octet");
		return;
	}
	if (lint_crl_reason_name(reason) == NULL) {
		NOTE(CRL_NOTE_REASON_FORM,
		    "reasonCode is %d, which RFC 5280 does not define", reason);
		return;
	}
	if (!lint_crl_reason_allowed(reason))
		NOTE(reasons[reason].forbidden, "reasonCode is %s (%d)",
		    reasons[reason].name, reason);
	if (reason == 0)
		NOTE(CRL_NOTE_REASON_NONE, "the reason is unspecified (0)");
	if (reason == CRL_REASON_REMOVE_FROM_CRL)
		NOTE(CRL_NOTE_DELTA,
		    "reasonCode is removeFromCRL (8), which only delta CRLs "
		    "have");
}

static void
check_invalidity(struct lint_crl_state *s, const struct lint_crl_entry *e,
    const struct row *row)
{
	struct der in = row->value, value;
	int64_t seconds;

	NOTE(CRL_NOTE_INVALIDITY,
	    "it has an invalidityDate; revocationDate carries that meaning");
	if (!der_take(&in, DER_GENERALIZED_TIME, &value, NULL) || in.len != 0 ||
	    !der_time_read(DER_GENERALIZED_TIME, value, &seconds)) {
		NOTE(CRL_NOTE_INVALIDITY_FORM,
		    "invalidityDate is not a GeneralizedTime YYYYMMDDHHMMSSZ");
		return;
	}
	if (e->date_valid && seconds != e->seconds)
		NOTE(CRL_NOTE_INVALIDITY_DATE,
		    "invalidityDate is not the same as revocationDate");
}

static void
check_row(struct lint_crl_state *s, const struct lint_crl_entry *e,
    const struct row *row)
{
	size_t at;

	if (row->critical_encoded && !row->critical)
		NOTE(CRL_NOTE_DER,
		    "an extension's critical is encoded as FALSE, which is its "
		    "default and must be absent");
	if (row->value.len == 0 ||
	    !der_is_strict(row->value.p, row->value.len, &at))
		NOTE(CRL_NOTE_DER, "an extension's value is not DER");
	if (der_equal(row->oid, oid_reason, sizeof oid_reason))
		check_reason(s, e, row);
	else if (der_equal(row->oid, oid_invalidity, sizeof oid_invalidity))
		check_invalidity(s, e, row);
	else if (der_equal(row->oid, oid_issuer, sizeof oid_issuer))
		NOTE(CRL_NOTE_INDIRECT,
		    "it has a certificateIssuer: the certificate is another "
		    "CA's");
	else
		NOTE(CRL_NOTE_EXT_OTHER,
		    "it has a%s extension other than reasonCode",
		    row->critical ? " critical" : "n");
}

/* Compared with the first 32 only, so that time stays linear. */
static void
check_unique(struct lint_crl_state *s, const struct lint_crl_entry *e,
    const struct row *row, struct der seen[CRL_ENTRY_EXTENSIONS], size_t count)
{
	for (size_t i = 0; i < count && i < CRL_ENTRY_EXTENSIONS; i++)
		if (der_equal(seen[i], row->oid.p, row->oid.len)) {
			NOTE(CRL_NOTE_EXT_UNIQUE, "it has an extension twice");
			return;
		}
	if (count < CRL_ENTRY_EXTENSIONS)
		seen[count] = row->oid;
	else if (count == CRL_ENTRY_EXTENSIONS)
		NOTE(CRL_NOTE_EXT_UNIQUE,
		    "it has more than %d extensions, which were not all "
		    "compared",
		    CRL_ENTRY_EXTENSIONS);
}

static void
check_extensions(struct lint_crl_state *s, const struct lint_crl_entry *e)
{
	struct der in = e->extensions, seen[CRL_ENTRY_EXTENSIONS] = { { 0 } };
	bool has_reason = false;
	size_t count = 0;
	struct row row;

	if (e->has_extensions && in.len == 0)
		NOTE(CRL_NOTE_DER, "its list of extensions is empty");
	for (; in.len > 0; count++) {
		if (!take_row(&in, &row)) {
			NOTE(CRL_NOTE_DER, "an extension is malformed");
			break;
		}
		check_row(s, e, &row);
		check_unique(s, e, &row, seen, count);
		if (der_equal(row.oid, oid_reason, sizeof oid_reason))
			has_reason = true;
	}
	if (!has_reason)
		NOTE(CRL_NOTE_REASON_NONE, "there is no reasonCode");
}

void
lint_crl_entry_check(struct lint_crl_state *s, const struct lint_crl_entry *e)
{
	size_t at;

	if (!der_is_strict(e->element.p, e->element.len, &at))
		lint_crl_note(s, CRL_NOTE_DER, e->offset + at, e->serial,
		    "it is not DER");
	check_serial(s, e);
	check_date(s, e);
	check_extensions(s, e);
}
