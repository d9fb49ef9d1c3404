/* The responder whose key signs OCSP responses. */
#include <string.h>

#include <openssl/err.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/steps/ocsp-private.h"

void
ocsp_responder_clear(struct ocsp_responder *responder)
{
	X509_free(responder->certificate);
	certificate_facts_clear(&responder->facts);
	free(responder->key);
	*responder = (struct ocsp_responder){ 0 };
}

static int
set_certificate(struct ocsp_responder *responder, X509 *certificate)
{
	if (X509_up_ref(certificate) != 1)
		return ca_error(CA_R_INTERNAL, "cannot refer to a certificate");
	responder->certificate = certificate;
	return certificate_facts(certificate, &responder->facts);
}

/* One that this plan makes or takes in. */
static int
find_planned(const struct build *build, const char *name,
    struct ocsp_responder *responder)
{
	X509 *certificate = NULL;
	const char *key = NULL;

	for (size_t i = 0; i < build->object_count; i++) {
		const struct built_object *object = &build->objects[i];

		if (object->certificate == NULL ||
		    strcmp(object->name, name) != 0)
			continue;
		certificate = object->certificate;
		key = json_string_value(
		    json_object_get(object->facts, "subject_key"));
		responder->planned = true;
	}
	for (size_t i = 0; i < build->act_count; i++)
		if (build->acts[i].certificate != NULL &&
		    strcmp(build->acts[i].name, name) == 0) {
			certificate = build->acts[i].certificate;
			key = build->acts[i].key;
		}
	if (certificate == NULL)
		return 0;
	if (key != NULL && (responder->key = text_copy(key)) == NULL)
		return -1;
	return set_certificate(responder, certificate);
}

static int
find_journal_key(const struct build *build, const struct object_row *row,
    struct ocsp_responder *responder)
{
	AUTO_STRUCT(key_row) key = { 0 };
	AUTO_BYTES(digest) = NULL;
	size_t len = 0;
	bool found = false;

	if (text_unhex(row->spki, &digest, &len) < 0 || len != HASH_LEN)
		return ca_error(CA_R_CORRUPT,
		    "the journal's certificate '%s' has a malformed key hash",
		    row->name);
	if (journal_key_by_spki(build->journal, digest, &found, &key) < 0)
		return -1;
	if (found && key.state == KEY_LIVE)
		responder->key = TAKE(key.name);
	return 0;
}

static int
find_in_journal(const struct build *build, const char *name,
    struct ocsp_responder *responder)
{
	AUTO_STRUCT(object_row) row = { 0 };
	AUTO_BYTES(der) = NULL;
	AUTO(X509) *certificate = NULL;
	size_t len = 0;
	bool found = false;

	if (journal_object(build->journal, "certificate", name, &found, &row) <
	    0)
		return -1;
	if (!found)
		return 0;
	if (journal_object_bytes(build->journal, &row, &der, &len) < 0 ||
	    certificate_read(name, der, len, &certificate) < 0 ||
	    set_certificate(responder, certificate) < 0)
		return -1;
	return find_journal_key(build, &row, responder);
}

/*
 * The linter is not asked to verify it for each response: it is done here,
 * once, where it is signed already.
 */
static void
check_signature(const struct ocsp_making *m, const struct ocsp_responder *r)
{
	EVP_PKEY *key = X509_get0_pubkey(m->issuer.certificate);

	if (r->planned)
		return;
	(void)ERR_set_mark();
	if (key == NULL || X509_verify(r->certificate, key) != 1)
		step_finding(m->build, m->step, "responder", "OCR-ISSUER",
		    "RFC 6960, section 4.2.2.2",
		    "the signature of certificate '%s' does not verify with "
		    "the key of '%s'",
		    m->params->responder, m->params->issuer);
	(void)ERR_pop_to_mark();
}

static int
check_revoked(const struct ocsp_making *m, const struct ocsp_responder *r)
{
	AUTO_CHARS(serial) = text_hex(r->facts.serial, r->facts.serial_len);
	bool revoked = false;

	if (serial == NULL ||
	    build_is_revoked(m->build, m->issuer.dn, serial, &revoked) < 0)
		return -1;
	if (revoked)
		step_finding(m->build, m->step, "responder",
		    "RESPONDER-REVOKED", "RFC 6960, section 4.2.2.2",
		    "the certificate of responder '%s' is revoked; make "
		    "another with a new key",
		    m->params->responder);
	return 0;
}

static int
check_key(const struct ocsp_making *m, const struct ocsp_responder *r,
    bool *ret_found)
{
	AUTO_STRUCT(key_view) key = { 0 };

	if (r->key == NULL) {
		step_finding(m->build, m->step, "responder", "RESPONDER-KEY",
		    NULL,
		    "the key of certificate '%s' is not on this authority's "
		    "token, so it cannot sign here",
		    m->params->responder);
		return 0;
	}
	if (build_key(m->build, m->step, "responder", r->key, "ocsp", &key) < 0)
		return -1;
	*ret_found = key.found;
	return 0;
}

int
ocsp_find_responder(struct ocsp_making *m)
{
	const char *name = m->params->responder;
	struct ocsp_responder r = { 0 };
	size_t errors = m->build->findings->errors;
	bool found = false;
	int result;

	if (build_is_broken(m->build, name))
		return 0;
	result = find_planned(m->build, name, &r);
	if (result == 0 && r.certificate == NULL)
		result = find_in_journal(m->build, name, &r);
	if (result == 0 && r.certificate == NULL)
		step_finding(m->build, m->step, "responder",
		    "RESPONDER-MISSING", NULL,
		    "there is no certificate '%s'; make it with an "
		    "ocsp-responder step before this one",
		    name);
	else if (result == 0) {
		check_signature(m, &r);
		result =
		    check_revoked(m, &r) < 0 ? -1 : check_key(m, &r, &found);
	}
	if (result == 0 && found && m->build->findings->errors == errors)
		m->responder = r;
	else
		ocsp_responder_clear(&r);
	return result;
}
