/*
 * What was signed: octet for octet what was intended, by the key that was kept
 * when it was made.
 */
#include <string.h>

#include <openssl/evp.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/audit/ocsp-private.h"

/* ---- lines of a result ------------------------------------------------- */

struct answers {
	struct audit_object object;
	struct ocsp_lines lines;
	unsigned char *intended; /* lines of the intent, and where we are */
	size_t len, at;
	const struct sigalg *alg;
	EVP_PKEY *key; /* the one that was kept; NULL: none */
	unsigned char *responder;
	int responder_len;
	uint64_t count;
};

static void
answers_clear(struct answers *a)
{
	free(a->intended);
	EVP_PKEY_free(a->key);
	OPENSSL_free(a->responder);
}
CLEANUP_DEFINE_STRUCT(answers);

/* The next line of the intent; false behind the last. */
static bool
next_intended(struct answers *a, struct listed_status *ret_row)
{
	const unsigned char *from, *end;
	size_t n;

	if (a->at >= a->len)
		return false;
	from = a->intended + a->at;
	end = memchr(from, '\n', a->len - a->at);
	n = end == NULL ? a->len - a->at : (size_t)(end - from);
	a->at += n + 1;
	if (listed_status_parse((const char *)from, n, ret_row) == 0)
		return true;
	ca_error_clear(); /* its intent has a finding */
	return false;
}

static bool
same_octets(const struct der *part, const unsigned char *octets, size_t len)
{
	return part->len == len &&
	    (len == 0 || memcmp(part->p, octets, len) == 0);
}

/* Octet for octet what was intended, signed with the key that was kept. */
static int
check_response(struct answers *a, const struct listed_status *intended,
    const struct listed_response *row, const char *line, size_t len)
{
	struct ocsp_parts parts;
	struct tbs tbs = { .kind = OBJECT_OCSP, .alg = a->alg };
	AUTO_BYTES(copy) = NULL;
	unsigned char digest[HASH_LEN];

	if (ocsp_take_apart("response", row->der, row->len, &parts) != 0)
		return ocsp_refuse_error(
		    &a->lines, "AUDIT-SIGNATURE", line, len);
	if (sha256(parts.tbs.p, parts.tbs.len, digest) != 0)
		return -1;
	if (memcmp(digest, intended->tbs, HASH_LEN) != 0)
		ocsp_refuse(&a->lines, "AUDIT-SIGNATURE", line, len,
		    "its ResponseData is not the one that was intended");
	if (!same_octets(
		&parts.responder, a->responder, (size_t)a->responder_len))
		ocsp_refuse(&a->lines, "AUDIT-SIGNATURE", line, len,
		    "beside it stands another certificate than its "
		    "responder's");
	if (a->key == NULL || a->alg == NULL)
		return 0;
	copy = malloc(parts.tbs.len);
	if (copy == NULL)
		return ca_error(CA_R_MEMORY, "no memory for an OCSP response");
	memcpy(copy, parts.tbs.p, parts.tbs.len);
	tbs.der = copy;
	tbs.len = parts.tbs.len;
	return object_verify_with(&tbs, a->key, row->der, row->len) == 0
	    ? 0
	    : ocsp_refuse_error(&a->lines, "AUDIT-SIGNATURE", line, len);
}

static int
check_answer(struct answers *a, const struct listed_status *intended,
    const struct listed_response *row, const char *line, size_t len)
{
	unsigned char digest[HASH_LEN];

	if (list_compare_serials(intended->serial, intended->serial_len,
		row->serial, row->serial_len) != 0) {
		ocsp_refuse(&a->lines, "AUDIT-OCSP", line, len,
		    "the intent has another serial in this place");
		return 0;
	}
	if (row->der == NULL) /* it was not signed */
		return ocsp_keep_unsigned(a->object.audit, a->object.entry,
		    audit_number(&a->object.intent, "first") +
			(int64_t)a->count - 1);
	if (ocsp_add_leaf(&a->lines, row->der, row->len) != 0 ||
	    sha256(row->der, row->len, digest) != 0)
		return -1;
	if (memcmp(digest, row->sha256, HASH_LEN) != 0)
		ocsp_refuse(&a->lines, "AUDIT-OCSP", line, len,
		    "the response does not have the SHA-256 of its line");
	return check_response(a, intended, row, line, len);
}

static int
answer_line(void *ctx, const char *line, size_t len)
{
	struct answers *a = ctx;
	AUTO_STRUCT(listed_response) row = { 0 };
	struct listed_status intended;

	a->count++;
	if (!next_intended(a, &intended)) {
		ocsp_refuse(&a->lines, "AUDIT-OCSP", line, len,
		    "its intent has no such line");
		return 0;
	}
	if (listed_response_parse(line, len, &row) != 0)
		return ocsp_refuse_error(&a->lines, "AUDIT-OCSP", line, len);
	return check_answer(a, &intended, &row, line, len);
}

/* ---- a result ---------------------------------------------------------- */

/* The intent that a result answers; *ret_json NULL: none. */
static int
load_intent(struct audit *audit, const struct audit_entry *entry,
    json_t **ret_json, struct audit_entry *ret_intent)
{
	AUTO_STRUCT(query) query = { 0 };

	if (query_start(audit->journal,
		"SELECT body FROM ocsp_windows JOIN entries USING (seq)"
		" WHERE run = ?1 AND list = ?2 AND ocsp_windows.name = ?3"
		" AND number = ?4",
		SQL_VALUES(sql_text(audit_text(entry, "run")),
		    sql_int(audit_number(entry, "list")),
		    sql_text(audit_text(entry, "name")),
		    sql_int(audit_number(entry, "window"))),
		&query) != 0)
		return -1;
	return audit_query_intent(&query, ret_json, ret_intent);
}

static int
find_key(struct answers *a)
{
	const struct audit_object *object = &a->object;
	AUTO_STRUCT(key_row) row = { 0 };
	bool found = false;

	if (audit_signing_key(object, &found, &row) != 0)
		return -1;
	if (!found || a->alg == NULL ||
	    sigalg_key(a->alg, row.spki, row.spki_len, &a->key) == 0)
		return 0;
	return audit_take_error(
	    object->audit, object->entry, "AUDIT-SIGNATURE");
}

/* DER of the certificate that stands beside each response. */
static int
find_responder(struct answers *a)
{
	const struct audit_object *object = &a->object;
	const char *name = audit_text(&object->intent, "responder");
	AUTO_STRUCT(object_row) row = { 0 };
	AUTO(X509) *responder = NULL;

	if (name == NULL)
		return 0;
	if (audit_issuer(object->audit, object->entry, name, "AUDIT-ISSUER",
		&row, &responder) != 0)
		return -1;
	if (responder == NULL)
		return 0;
	a->responder_len = i2d_X509(responder, &a->responder);
	return a->responder_len > 0
	    ? 0
	    : ca_error(CA_R_MEMORY, "no memory for a certificate");
}

static int
check_result(struct answers *a)
{
	const struct audit_object *object = &a->object;
	const struct audit_entry *entry = object->entry;
	struct audit *audit = object->audit;

	if (audit_evidence_bytes(audit, audit_text(&object->intent, "items"),
		&a->intended, &a->len) != 0 ||
	    ocsp_algorithm(object, &a->alg) != 0 || find_key(a) != 0 ||
	    find_responder(a) != 0)
		return -1;
	if (a->intended == NULL)
		return 0;
	if (list_each_line(audit->journal, audit_text(entry, "items"),
		answer_line, a) != 0)
		return ocsp_take_list_error(audit, entry, a->lines.id);
	return ocsp_check_root(&a->lines, a->count,
	    audit_number(entry, "count"), audit_text(entry, "root"));
}

int
ocsp_result(struct audit *audit, struct audit_objects_state *state,
    const struct audit_entry *entry)
{
	AUTO_STRUCT(answers)
	a = { .object = { .audit = audit, .state = state, .entry = entry },
		.lines = { .audit = audit,
		    .entry = entry,
		    .name = audit_text(entry, "name"),
		    .id = "AUDIT-OCSP" } };
	AUTO(json_t) *json = NULL;

	if (load_intent(audit, entry, &json, &a.object.intent) != 0)
		return -1;
	return json == NULL ? 0 : check_result(&a);
}
