#include <inttypes.h>
#include <stdio.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "ca-tool/command.h"
#include "ca-tool/print.h"
#include "ca-tool/session.h"
#include "ceremony/authority.h"
#include "ceremony/ca-report.h"

struct list {
	struct session *session;
	json_t *cas; /* with --json */
	size_t count;
};

/* ---- text ------------------------------------------------------------- */

static int print_made(const char *label, const char *fmt, ...)
    __attribute__((format(printf, 2, 3))) MUST_USE;

static int
print_made(const char *label, const char *fmt, ...)
{
	AUTO_CHARS(text) = NULL;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len < 0) {
		text = NULL;
		return ca_error(CA_R_MEMORY, "no memory for a report");
	}
	print_field(stdout, label, text);
	return 0;
}

static int
print_certificates(const struct ca_report *report)
{
	char from[DATE_TEXT_SIZE], until[DATE_TEXT_SIZE];

	for (size_t i = 0; i < report->certificate_count; i++) {
		const struct ca_certificate *c = &report->certificates[i];

		date_format(c->from, from);
		date_format(c->until, until);
		if (print_made("Certificate", "'%s', %s, %s to %s%s%s", c->name,
			c->subject, from, until,
			c->adopted ? ", issued elsewhere" : "",
			c->revoked ? ", revoked" : "") < 0)
			return -1;
	}
	return 0;
}

static int
print_crls(const struct ca_report *report)
{
	char until[DATE_TEXT_SIZE];

	for (size_t i = 0; i < report->crl_count; i++) {
		const struct ca_crl *crl = &report->crls[i];

		date_format(crl->until, until);
		if (print_made("Last CRL",
			"number %" PRIu64 " ('%s'), %" PRIu64
			" %s, next by %s%s%s",
			crl->number, crl->name, crl->entries,
			crl->entries == 1 ? "entry" : "entries", until,
			crl->url != NULL ? ", for " : "",
			crl->url != NULL ? crl->url : "") < 0)
			return -1;
	}
	return 0;
}

static int
print_ocsp(const struct ca_report *report)
{
	const struct ca_responder *responder = &report->responder;
	char until[DATE_TEXT_SIZE];

	if (responder->name != NULL) {
		date_format(responder->until, until);
		if (print_made(
			"Responder", "'%s', to %s", responder->name, until) < 0)
			return -1;
	}
	for (size_t i = 0; i < report->batch_count; i++) {
		const struct ca_batch *batch = &report->batches[i];

		date_format(batch->until, until);
		if (print_made("Last OCSP",
			"'%s', %" PRIu64 " response%s of profile '%s', next by "
			"%s",
			batch->name, batch->count, batch->count == 1 ? "" : "s",
			batch->profile, until) < 0)
			return -1;
	}
	return 0;
}

static int
print_issued(const struct ca_report *report)
{
	const bool known = report->last_end != 0;
	char end[DATE_TEXT_SIZE];

	date_format(report->last_end, end);
	return print_made("Issued",
	    "%" PRIu64 " certificate%s, %" PRIu64
	    " in force%s%s%s%s%s, %" PRIu64 " revoked",
	    report->issued, report->issued == 1 ? "" : "s", report->current,
	    known || report->unknown_end ? " (" : "",
	    known ? "the last until " : "", known ? end : "",
	    report->unknown_end ? known ? ", and some whose end is unknown"
					: "their end is unknown"
				: "",
	    known || report->unknown_end ? ")" : "", report->revoked);
}

static int
print_ca(const struct list *list, const struct ca_report *report)
{
	const struct key_row *key = report->key;

	if (list->count == 0)
		printf("%-24s %-9s %-9s %-7s %s\n", "KEY", "STATE", "TYPE",
		    "BACKUP", "ORIGIN");
	printf("%-24s %-9s %-9s %-7s %s\n", key->name,
	    ca_state_name(report->state), key->type, key->backup,
	    key->adopted ? "taken in" : "made here");
	if (key->successor != NULL)
		print_field(stdout, "Successor", key->successor);
	if (print_certificates(report) < 0 || print_issued(report) < 0 ||
	    print_crls(report) < 0 || print_ocsp(report) < 0)
		return -1;
	for (size_t i = 0; i < report->due_count; i++)
		print_field(stdout, "Due", report->due[i]);
	return 0;
}

/* ---- JSON ------------------------------------------------------------- */

/* A time; 0 is none. */
static json_t *
date_json(int64_t date)
{
	char text[DATE_TEXT_SIZE];

	if (date == 0)
		return json_null();
	date_format(date, text);
	return json_string(text);
}

static json_t *
certificates_json(const struct ca_report *report)
{
	json_t *array = json_array();

	for (size_t i = 0; i < report->certificate_count; i++) {
		const struct ca_certificate *c = &report->certificates[i];

		/* What is lost here is missed by session_report(). */
		if (json_array_append_new(array,
			json_pack("{s:s, s:s, s:s, s:o, s:o, s:b, s:b}", "name",
			    c->name, "subject", c->subject, "serial", c->serial,
			    "not_before", date_json(c->from), "not_after",
			    date_json(c->until), "adopted", c->adopted ? 1 : 0,
			    "revoked", c->revoked ? 1 : 0)) != 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static json_t *
crls_json(const struct ca_report *report)
{
	json_t *array = json_array();

	for (size_t i = 0; i < report->crl_count; i++) {
		const struct ca_crl *crl = &report->crls[i];

		if (json_array_append_new(array,
			json_pack("{s:s, s:I, s:I, s:o, s:o, s:o}", "name",
			    crl->name, "number", (json_int_t)crl->number,
			    "entries", (json_int_t)crl->entries, "this_update",
			    date_json(crl->from), "next_update",
			    date_json(crl->until), "url",
			    session_string(crl->url))) != 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static json_t *
batches_json(const struct ca_report *report)
{
	json_t *array = json_array();

	for (size_t i = 0; i < report->batch_count; i++) {
		const struct ca_batch *batch = &report->batches[i];

		if (json_array_append_new(array,
			json_pack("{s:s, s:s, s:o, s:I, s:o, s:o}", "name",
			    batch->name, "profile", batch->profile, "responder",
			    session_string(batch->responder), "responses",
			    (json_int_t)batch->count, "this_update",
			    date_json(batch->from), "next_update",
			    date_json(batch->until))) != 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static json_t *
responder_json(const struct ca_report *report)
{
	const struct ca_responder *responder = &report->responder;

	if (responder->name == NULL)
		return json_null();
	return json_pack("{s:s, s:o}", "name", responder->name, "not_after",
	    date_json(responder->until));
}

static json_t *
due_json(const struct ca_report *report)
{
	json_t *array = json_array();

	for (size_t i = 0; i < report->due_count; i++)
		if (json_array_append_new(array, json_string(report->due[i])) !=
		    0) {
			json_decref(array);
			return NULL;
		}
	return array;
}

static int
add_json(const struct list *list, const struct ca_report *report)
{
	const struct key_row *key = report->key;
	json_t *ca = json_pack(
	    "{s:s, s:s, s:s, s:s, s:s, s:o, s:b, s:o, s:o, s:I, s:I, s:I, s:I, "
	    "s:o, s:b, s:o, s:o, s:o}",
	    "key", key->name, "state", ca_state_name(report->state), "type",
	    key->type, "backup", key->backup, "spki_sha256", report->spki,
	    "successor", session_string(key->successor), "adopted",
	    key->adopted ? 1 : 0, "certificates", certificates_json(report),
	    "crls", crls_json(report), "issued", (json_int_t)report->issued,
	    "current", (json_int_t)report->current, "revoked",
	    (json_int_t)report->revoked, "unlisted",
	    (json_int_t)report->unlisted, "last_end",
	    date_json(report->last_end), "unknown_end",
	    report->unknown_end ? 1 : 0, "responder", responder_json(report),
	    "ocsp", batches_json(report), "due", due_json(report));

	if (ca == NULL || json_array_append_new(list->cas, ca) != 0)
		return ca_error(CA_R_MEMORY, "no memory for the report");
	return 0;
}

/* ---- both ------------------------------------------------------------- */

static int
visit_ca(void *ctx, const struct ca_report *report)
{
	struct list *list = ctx;
	int ret = session_json(list->session) ? add_json(list, report)
					      : print_ca(list, report);

	list->count++;
	return ret;
}

int
cmd_ca_list(struct session *session)
{
	AUTO_PTR(authority) *authority = NULL;
	struct list list = { .session = session };

	if (authority_open(session_authority(session), AUTHORITY_READ,
		&session->findings, &authority) != 0)
		return -1;
	if (session_json(session)) {
		list.cas = session_report(session, "cas", json_array());
		if (list.cas == NULL)
			return ca_error(CA_R_MEMORY, "no memory for a report");
	}
	if (ca_report_each(
		authority_journal(authority), date_now(), visit_ca, &list) != 0)
		return -1;
	if (list.count == 0 && !session_json(session))
		printf("No key of a CA was made or taken in yet.\n");
	return 0;
}
