/* The step that revokes a certificate by its serial number: an act. */
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "ceremony/steps/build.h"
#include "profiles/crl.h"

/*
 * The serial as content octets of a minimal INTEGER, in hex.  People copy it
 * with or without leading zeros, in either case, and from tools that leave
 * out the zero octet that keeps the INTEGER positive.
 */
static int
canonical_serial(const char *text, char **ret_serial)
{
	AUTO_CHARS(even) =
	    text_printf("%s%s", strlen(text) % 2 == 0 ? "" : "0", text);
	AUTO_BYTES(octets) = NULL;
	size_t len = 0, skip = 0;
	const char *pad;
	AUTO_CHARS(bare) = NULL;

	if (even == NULL || text_unhex(even, &octets, &len) < 0)
		return -1;
	while (skip < len && octets[skip] == 0)
		skip++;
	if (skip == len)
		return ca_error(CA_R_INPUT, "zero is no serial number");
	pad = (octets[skip] & 0x80) != 0 ? "00" : "";
	if (len - skip + strlen(pad) / 2 > SERIAL_LEN)
		return ca_error(CA_R_INPUT,
		    "this is no serial number of a certificate: it is not "
		    "below 2^159");
	bare = text_hex(octets + skip, len - skip);
	if (bare == NULL)
		return -1;
	*ret_serial = text_printf("%s%s", pad, bare);
	return *ret_serial == NULL ? -1 : 0;
}

static int
check(struct build *build, const struct step *step)
{
	const struct revoke_params *p = step->params;
	AUTO_CHARS(serial) = NULL;
	enum revocation_reason reason;

	if (canonical_serial(p->serial, &serial) < 0 &&
	    build_error_to_finding(build, step, "serial", "SERIAL-FORM") < 0)
		return -1;
	if (reason_by_name(p->reason, &reason) < 0)
		return build_error_to_finding(
		    build, step, "reason", "CRL-REASON-SET");
	return 0;
}

static int
describe(const struct step *step, char **ret_text)
{
	const struct revoke_params *p = step->params;

	return step_text(ret_text,
	    "revoke serial %s of '%s', reason %s; this cannot be undone",
	    p->serial, p->issuer, p->reason);
}

/* Is it a certificate of this issuer, and may it be revoked for this? */
static int
check_certificate(struct build *build, const struct step *step,
    const struct issuer_view *issuer, const char *serial,
    enum revocation_reason reason, char **ret_name)
{
	AUTO_STRUCT(object_row) row = { 0 };
	bool found = false;

	if (journal_certificate_by_serial(
		build->journal, issuer->dn, serial, &found, &row) < 0)
		return -1;
	if (!found && !issuer->adopted) {
		step_finding(build, step, "serial", "SERIAL-UNKNOWN", NULL,
		    "no certificate that '%s' issued here has the serial "
		    "number %s",
		    ((const struct revoke_params *)step->params)->issuer,
		    serial);
		return 0;
	}
	if (!found)
		return 0;
	if (row.certificate_kind != NULL &&
	    strcmp(row.certificate_kind, "root") == 0)
		step_finding(build, step, "serial", "REVOKE-ROOT",
		    "RFC 5280, section 6.3",
		    "this is the root itself; a root cannot revoke itself, it "
		    "must be removed from trust stores");
	if (row.ca && reason == REASON_NONE)
		step_finding(build, step, "reason", "CRL-REASON-CA", "BR 7.2.2",
		    "the revocation of a CA certificate needs a reason");
	*ret_name = TAKE(row.name);
	return 0;
}

static int
add_act(struct build *build, const struct step *step,
    const struct issuer_view *issuer, const char *serial, const char *name)
{
	const struct revoke_params *p = step->params;
	struct built_act act = { .entry = ENTRY_REVOKED, .step = step };
	char date[DATE_TEXT_SIZE];

	date_format(build->now, date);
	act.kind = text_copy("revoke");
	act.data = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "issuer",
	    p->issuer, "issuer_dn", issuer->dn, "serial", serial, "date", date,
	    "reason", p->reason, "cause", "plan");
	act.summary = text_printf("revoke %s%s%sserial %s of '%s', reason %s",
	    name == NULL ? "" : "certificate '", name == NULL ? "" : name,
	    name == NULL ? "" : "', ", serial, p->issuer, p->reason);
	return build_add_act(build, &act);
}

/* A serial that is revoked already: done by this very run, or refused. */
static int
is_done(struct build *build, const struct step *step,
    const struct issuer_view *issuer, const char *serial, bool *ret_done)
{
	bool revoked = false;

	if (build_is_revoked(build, issuer->dn, serial, &revoked) < 0)
		return -1;
	if (revoked && !build->resumed)
		step_finding(build, step, "serial", "REVOKED-ALREADY", NULL,
		    "serial %s is revoked already; a revocation cannot be "
		    "changed",
		    serial);
	*ret_done = revoked;
	return 0;
}

/* A CRL that an earlier step makes would not have it, and be out of date. */
static void
check_crl_follows(struct build *build, const struct step *step,
    const struct issuer_view *issuer)
{
	for (size_t i = 0; i < build->object_count; i++) {
		const struct built_object *o = &build->objects[i];
		const char *dn =
		    json_string_value(json_object_get(o->facts, "issuer_dn"));

		if (o->kind == OBJECT_CRL && strcmp(dn, issuer->dn) == 0)
			step_finding(build, step, NULL, "REVOKE-AFTER-CRL",
			    "BR 4.9.7",
			    "CRL '%s' of the same issuer is made by an earlier "
			    "step and would not list it; put the crl step "
			    "behind this one",
			    o->name);
	}
}

static int
build(struct build *build, const struct step *step)
{
	const struct revoke_params *p = step->params;
	AUTO_STRUCT(issuer_view) issuer = { 0 };
	AUTO_CHARS(serial) = NULL;
	AUTO_CHARS(name) = NULL;
	enum revocation_reason reason;
	size_t errors = build->findings->errors;
	bool done = false;

	if (build_issuer(build, step, "issuer", p->issuer, &issuer) < 0)
		return -1;
	if (!issuer.found)
		return 0;
	if (canonical_serial(p->serial, &serial) < 0 ||
	    reason_by_name(p->reason, &reason) < 0)
		return -1; /* check() has had them pass */
	if (is_done(build, step, &issuer, serial, &done) < 0)
		return -1;
	if (done)
		return 0;
	check_crl_follows(build, step, &issuer);
	if (check_certificate(build, step, &issuer, serial, reason, &name) < 0)
		return -1;
	if (build->findings->errors > errors)
		return 0;
	return add_act(build, step, &issuer, serial, name);
}

const struct step_kind step_revoke = {
	.name = "revoke",
	.params_offset = offsetof(struct step_params, revoke),
	.check = check,
	.describe = describe,
	.build = build,
};
