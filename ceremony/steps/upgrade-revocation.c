/*
 * The step that makes keyCompromise of another reason: the one change that a
 * revocation can have (CRL-REASON-UPGRADE).  An act.
 */
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "ceremony/steps/revocations.h"
#include "ceremony/steps/revoke-after.h"

static int
check_date(struct build *build, const struct step *step, const char *member,
    const char *text)
{
	int64_t date = 0;

	if (text == NULL)
		return 0;
	if (date_parse(text, &date) < 0)
		return build_error_to_finding(build, step, member, "DATE");
	if (date < REVOCATION_OLDEST || date > build->now)
		step_finding(build, step, member, "CRL-ENTRY-DATE",
		    "RFC 5280, section 5.1.2.6",
		    "%s is before 1999, or in the future", text);
	return 0;
}

static int
check(struct build *build, const struct step *step)
{
	const struct upgrade_params *p = step->params;
	struct serial serial;

	if (serial_from_hex(p->serial, strlen(p->serial), &serial) < 0 &&
	    build_error_to_finding(build, step, "serial", "SERIAL-FORM") < 0)
		return -1;
	if (check_date(build, step, "date", p->date) < 0)
		return -1;
	return check_date(build, step, "invalidity-date", p->invalidity_date);
}

static int
describe(const struct step *step, char **ret_text)
{
	const struct upgrade_params *p = step->params;

	return step_text(ret_text,
	    "give the revocation of serial %s of '%s' the reason "
	    "keyCompromise%s%s; this cannot be undone",
	    p->serial, p->issuer, p->date == NULL ? "" : ", as of ",
	    p->date == NULL ? "" : p->date);
}

struct upgrading {
	struct build *build;
	const struct step *step;
	const struct upgrade_params *params;
	struct issuer_view issuer;
	struct revocation_row was;
	struct serial serial;
	char hex[SERIAL_HEX_SIZE];
	int64_t date, invalidity;
};

static void
upgrading_clear(struct upgrading *upgrading)
{
	issuer_view_clear(&upgrading->issuer);
	revocation_row_clear(&upgrading->was);
}
CLEANUP_DEFINE_STRUCT(upgrading);

/* *ret_done: there is nothing to do, or a finding says why not. */
static int
find_revocation(struct upgrading *u, bool *ret_done)
{
	bool found = false;

	*ret_done = true;
	if (planned_revocation(u->build, u->issuer.dn, &u->serial) != NULL) {
		step_finding(u->build, u->step, "serial", "UPGRADE-PLANNED",
		    NULL,
		    "serial %s is revoked or upgraded by an earlier step of "
		    "this plan; give the reason there",
		    u->hex);
		return 0;
	}
	if (journal_revocation_row(
		u->build->journal, u->issuer.dn, u->hex, &found, &u->was) < 0)
		return -1;
	if (!found)
		step_finding(u->build, u->step, "serial", "UPGRADE-NOTHING",
		    NULL, "serial %s of '%s' is not revoked; revoke it", u->hex,
		    u->params->issuer);
	else if (strcmp(u->was.reason, reason_name(REASON_KEY_COMPROMISE)) != 0)
		*ret_done = false;
	else if (!u->build->resumed)
		step_finding(u->build, u->step, "serial", "UPGRADE-ALREADY",
		    NULL,
		    "serial %s is revoked for keyCompromise already, and "
		    "nothing else can be changed",
		    u->hex);
	return 0;
}

/* Its date may only be moved back, and not before the certificate begins. */
static int
check_dates(struct upgrading *u)
{
	AUTO_STRUCT(object_row) row = { 0 };
	char was[DATE_TEXT_SIZE];
	bool found = false;

	date_format(u->was.date, was);
	if (u->date > u->was.date)
		step_finding(u->build, u->step, "date", "REVOKED-CHANGED",
		    "BR 7.2.2",
		    "the revocation is of %s; its date can be moved back, never "
		    "forward",
		    was);
	if (journal_certificate_by_serial(
		u->build->journal, u->issuer.dn, u->hex, &found, &row) < 0)
		return -1;
	if (found && u->params->date != NULL && u->date < row.from)
		step_finding(u->build, u->step, "date", "CRL-ENTRY-DATE",
		    "RFC 5280, section 5.1.2.6",
		    "%s is before the certificate begins", u->params->date);
	if (u->invalidity > u->date)
		step_finding(u->build, u->step,
		    u->params->invalidity_date == NULL ? "date"
						       : "invalidity-date",
		    "CRL-INVALIDITY", "RFC 5280, section 5.3.2",
		    "the invalidity date is behind that of the revocation");
	return 0;
}

static int
add_act(struct upgrading *u)
{
	const struct upgrade_params *p = u->params;
	struct built_act act = { .entry = ENTRY_REVOCATION_UPGRADED,
		.step = u->step };
	const struct listed row = {
		.serial = u->serial,
		.date = u->date,
		.reason = REASON_KEY_COMPROMISE,
		.invalidity = u->invalidity,
		.expires = u->was.expires,
	};
	char was[DATE_TEXT_SIZE], date[DATE_TEXT_SIZE],
	    invalidity[DATE_TEXT_SIZE];

	if (listed_plan(&row, &act) < 0)
		return -1;
	date_format(u->was.date, was);
	date_format(u->date, date);
	date_format(u->invalidity, invalidity);
	act.kind = text_copy("upgrade-revocation");
	act.data = json_pack("{s:s, s:s, s:s, s:{s:s, s:s}, s:s, s:s, s:s*}",
	    "issuer", p->issuer, "issuer_dn", u->issuer.dn, "serial", u->hex,
	    "was", "date", was, "reason", u->was.reason, "date", date, "reason",
	    reason_name(REASON_KEY_COMPROMISE), "invalidity",
	    u->invalidity == 0 ? NULL : invalidity);
	act.summary = text_printf(
	    "the revocation of serial %s of '%s', until now %s as of %s, "
	    "becomes keyCompromise as of %s",
	    u->hex, p->issuer, u->was.reason, was, date);
	return build_add_act(u->build, &act);
}

static int
check_after(const struct upgrading *u)
{
	struct listed row = {
		.serial = u->serial,
		.reason = REASON_KEY_COMPROMISE,
		.ca = -1,
	};

	return revoke_check_after(&(struct revoke_after){
	    .build = u->build,
	    .step = u->step,
	    .member = "serial",
	    .issuer = u->params->issuer,
	    .view = &u->issuer,
	    .listing = &(struct listing){ &row, 1, 1 },
	});
}

static int
upgrade(struct upgrading *u)
{
	size_t errors = u->build->findings->errors;
	bool done = false;

	if (serial_from_hex(
		u->params->serial, strlen(u->params->serial), &u->serial) < 0)
		return -1; /* check() has had it pass */
	serial_hex(&u->serial, u->hex);
	if (find_revocation(u, &done) < 0)
		return -1;
	if (done)
		return 0;
	u->date = u->was.date;
	u->invalidity = u->was.invalidity;
	if ((u->params->date != NULL &&
		date_parse(u->params->date, &u->date) < 0) ||
	    (u->params->invalidity_date != NULL &&
		date_parse(u->params->invalidity_date, &u->invalidity) < 0))
		return -1;
	revocations_check_order(u->build, u->step, u->issuer.dn);
	if (check_dates(u) < 0 || check_after(u) < 0)
		return -1;
	return u->build->findings->errors > errors ? 0 : add_act(u);
}

static int
build(struct build *build, const struct step *step)
{
	AUTO_STRUCT(upgrading)
	u = { .build = build, .step = step, .params = step->params };

	if (build_issuer(build, step, "issuer", u.params->issuer, ISSUER_RECORD,
		&u.issuer) < 0)
		return -1;
	return u.issuer.found ? upgrade(&u) : 0;
}

const struct step_kind step_upgrade_revocation = {
	.name = "upgrade-revocation",
	.params_offset = offsetof(struct step_params, upgrade_revocation),
	.check = check,
	.describe = describe,
	.build = build,
};
