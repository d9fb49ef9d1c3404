#include "profiles/ocsp.h"

#include <string.h>

#include <openssl/ocsp.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "profiles/asn1.h"
#include "profiles/issuer.h"
#include "profiles/private.h"

/* 9999-12-31T23:59:59Z */
static const int64_t last_date = 253402300799;

/* 1999-01-01T00:00:00Z: nothing here is older. */
static const int64_t oldest_revocation = 915148800;

/* OCS-CERTID-PARAMS: with NULL, as clients send them. */
static const struct certid_hash {
	const char *digest;
	unsigned char alg[15];
	size_t alg_len;
} hashes[] = {
	{ "SHA256",
	    { 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04,
		0x02, 0x01, 0x05, 0x00 },
	    15 },
	{ "SHA1",
	    { 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05,
		0x00 },
	    11 },
};

enum { HASHES = sizeof hashes / sizeof hashes[0] };

/* By each of them: of the issuer's name, and of its key. */
struct certid_digests {
	unsigned char name[EVP_MAX_MD_SIZE], key[EVP_MAX_MD_SIZE];
	size_t len;
};

/* What checking and encoding share. */
struct answer {
	const struct ocsp_response_request *request;
	struct issuer issuer;
	struct issuer responder; /* empty where the issuer signs */
	const struct issuer *signer;
	struct certid_digests digests[HASHES];
	unsigned char key_id[KEY_ID_LEN]; /* of the signer */
	struct findings *findings;
};

static void
answer_clear(struct answer *answer)
{
	issuer_clear(&answer->issuer);
	issuer_clear(&answer->responder);
}
CLEANUP_DEFINE_STRUCT(answer);

static int
digest_with(const EVP_MD *md, const unsigned char *data, size_t len,
    unsigned char ret_digest[EVP_MAX_MD_SIZE])
{
	unsigned digest_len;

	if (EVP_Digest(data, len, ret_digest, &digest_len, md, NULL) != 1)
		return ca_error(CA_R_INTERNAL, "cannot compute a digest");
	return 0;
}

/* OCS-CERTID-SHA256 */
static int
make_digests(struct answer *answer)
{
	const struct certificate_facts *facts = &answer->issuer.facts;
	struct der alg, key;

	if (!der_spki(facts->spki, facts->spki_len, &alg, &key))
		return ca_error(CA_R_INTERNAL, "the public key is malformed");
	for (size_t h = 0; h < HASHES; h++) {
		AUTO(EVP_MD) *md = EVP_MD_fetch(NULL, hashes[h].digest, NULL);
		struct certid_digests *digests = &answer->digests[h];

		if (md == NULL)
			return ca_error(CA_R_INTERNAL, "cannot compute %s",
			    hashes[h].digest);
		digests->len = (size_t)EVP_MD_get_size(md);
		if (digest_with(md, facts->subject_der, facts->subject_len,
			digests->name) != 0 ||
		    digest_with(md, key.p, key.len, digests->key) != 0)
			return -1;
	}
	return 0;
}

static int
answer_open(const struct ocsp_response_request *request,
    struct findings *findings, struct answer *answer)
{
	const struct certificate_facts *facts;

	answer->request = request;
	answer->findings = findings;
	answer->signer = &answer->issuer;
	if (issuer_read(request->issuer, &answer->issuer) != 0)
		return -1;
	if (request->responder != NULL) {
		answer->signer = &answer->responder;
		if (issuer_read(request->responder, &answer->responder) != 0)
			return -1;
	}
	facts = &answer->signer->facts;
	if (key_identifier(facts->spki, facts->spki_len, answer->key_id) != 0)
		return -1;
	return make_digests(answer);
}

static int64_t
validity_of(const struct ocsp_response_request *request)
{
	return request->validity != 0 ? request->validity
				      : request->profile->validity_default;
}

static int64_t
next_update(const struct ocsp_response_request *request)
{
	return request->now + validity_of(request) - 1;
}

/* ---- checks ----------------------------------------------------------- */

static void
refuse(const struct answer *a, const char *id, const char *text)
{
	const struct rule *rule = rule_by_id(id);

	findings_add(a->findings, FINDING_ERROR, id, a->request->place,
	    rule != NULL ? rule->source : "", "%s", text);
}

/* What the profile may acknowledge. */
static void
object_to(const struct answer *a, const char *id, const char *text)
{
	const char *reason;

	if (!profile_acknowledges(a->request->profile, id, &reason)) {
		refuse(a, id, text);
		return;
	}
	findings_add(a->findings, FINDING_NOTICE, id, a->request->place, "",
	    "%s; acknowledged: %s", text, reason);
}

/* True where nextUpdate can be computed. */
static bool
check_validity(const struct answer *a)
{
	const struct ocsp_response_request *request = a->request;
	const struct profile *profile = request->profile;
	int64_t validity = validity_of(request);

	if (request->now < 0 || request->now > last_date || validity <= 1)
		refuse(a, "OCS-NEXTUPDATE",
		    "the response would end before it begins");
	else if (validity > profile->validity_max)
		refuse(a, "PROFILE-VALIDITY",
		    "the response would be valid longer than its profile "
		    "allows");
	else if (validity < profile->validity_min)
		refuse(a, "PROFILE-VALIDITY",
		    "the response would be valid shorter than its profile "
		    "allows");
	else if (next_update(request) > last_date)
		refuse(a, "OCS-NEXTUPDATE", "the response would end too late");
	else
		return true;
	return false;
}

/* OCR-ISSUER: by the same key, and not only by the same name. */
static int
check_responder(const struct answer *a)
{
	const struct certificate_facts *own = &a->responder.facts;
	const struct certificate_facts *ca = &a->issuer.facts;
	AUTO(AUTHORITY_KEYID) *aki = NULL;
	const ASN1_OBJECT *ocsp_signing = OBJ_nid2obj(NID_OCSP_sign);
	void *value;

	if (extension_decode(a->request->responder,
		NID_authority_key_identifier, &value) != 0)
		return -1;
	aki = value;
	if (own->issuer_len != ca->subject_len ||
	    memcmp(own->issuer_der, ca->subject_der, ca->subject_len) != 0 ||
	    aki == NULL || aki->keyid == NULL || a->issuer.ski == NULL ||
	    ASN1_OCTET_STRING_cmp(aki->keyid, a->issuer.ski) != 0)
		refuse(a, "OCR-ISSUER",
		    "the responder's certificate is not by the CA whose "
		    "certificates the response is about");
	if (own->is_ca || a->responder.purposes == NULL ||
	    !issuer_allows_purpose(&a->responder, ocsp_signing) ||
	    sk_ASN1_OBJECT_num(a->responder.purposes) != 1)
		refuse(a, "OCS-SIGNER",
		    "the responder's certificate is not for ocsp-signing "
		    "alone");
	if (X509_get_ext_by_NID(
		a->request->responder, NID_id_pkix_OCSP_noCheck, -1) < 0)
		refuse(a, "OCR-NOCHECK",
		    "the responder's certificate has no ocsp-nocheck");
	return 0;
}

/* One that an adopted issuer signed may outlive that issuer. */
static void
check_end(const struct answer *a)
{
	int64_t end = next_update(a->request);

	if (end > a->signer->facts.not_after)
		refuse(a, "OCS-NEXTUPDATE-CERTS",
		    "the response would outlive the certificate of its "
		    "signer");
	else if (end > a->issuer.facts.not_after)
		refuse(a, "OCS-NEXTUPDATE-CERTS",
		    "the response would outlive the certificate of the issuer");
}

static int
check_signer(const struct answer *a)
{
	const struct ocsp_response_request *request = a->request;

	issuer_check(&a->issuer, request->now, request->place, a->findings);
	if (!a->issuer.facts.is_ca)
		refuse(a, "OCS-SIGNER", "the issuer is not a CA");
	if (!a->signer->facts.signs_ocsp)
		refuse(a, "OCS-SIGNER",
		    "the signer's certificate lacks digital-signature");
	if (request->responder != NULL) {
		issuer_check(
		    &a->responder, request->now, request->place, a->findings);
		if (check_responder(a) != 0)
			return -1;
	}
	if (check_validity(a))
		check_end(a);
	(void)issuer_algorithm(request->profile, a->signer->facts.spki,
	    a->signer->facts.spki_len, request->signature, request->place,
	    a->findings);
	return 0;
}

static void
check_revoked(const struct answer *a, const struct ocsp_entry *entry)
{
	const struct profile *profile = a->request->profile;
	const struct rule *rule = rule_by_id("OCS-REASON-CA");

	if (entry->date < oldest_revocation || entry->date > a->request->now)
		refuse(a, "OCS-REVOKED",
		    "the revocation date lies before 1999 or in the future");
	if (!profile_allows_reason(profile, entry->reason))
		refuse(a, "OCS-REASON-SET",
		    "the reason is none that the profile allows");
	if (rule != NULL && (rule->rulesets & profile_rulesets(profile)) != 0 &&
	    profile->covers == COVERS_CA && entry->reason == REASON_NONE)
		refuse(a, rule->id, "the revocation of a CA needs a reason");
}

/* OCS-ROOT-STATUS */
static bool
is_own_serial(const struct issuer *issuer, const struct ocsp_entry *entry)
{
	return issuer->facts.self_issued &&
	    issuer->facts.serial_len == entry->serial_len &&
	    memcmp(issuer->facts.serial, entry->serial, entry->serial_len) == 0;
}

static void
check_entry(const struct answer *a, const struct ocsp_entry *entry)
{
	if (!serial_is_good(entry->serial, entry->serial_len)) {
		refuse(a, "OCS-CERTID-SHA256",
		    "the serial number is not that of a certificate");
		return;
	}
	if (is_own_serial(&a->issuer, entry))
		refuse(a, "OCS-ROOT-STATUS",
		    "a root says nothing about its own certificate");
	if (next_update(a->request) > entry->not_after)
		object_to(a, "OCS-NEXTUPDATE-TARGET",
		    "the response would outlive the certificate that it is "
		    "about");
	if (entry->status == STATUS_REVOKED)
		check_revoked(a, entry);
}

static void
check_entries(const struct answer *a)
{
	const struct ocsp_response_request *request = a->request;

	if (request->entry_count == 0)
		refuse(a, "OCS-ONE", "the response is about no certificate");
	if (request->entry_count > 1)
		object_to(a, "OCS-ONE",
		    "the response is about more than one certificate");
	for (size_t i = 0; i < request->entry_count; i++) {
		const struct ocsp_entry *entry = &request->entries[i];

		check_entry(a, entry);
		for (size_t j = 0; j < i && j < PROFILE_LIST_MAX; j++)
			if (request->entries[j].serial_len ==
				entry->serial_len &&
			    memcmp(request->entries[j].serial, entry->serial,
				entry->serial_len) == 0)
				refuse(a, "OCS-CERTID-SHA256",
				    "a serial number is there twice");
	}
}

static bool
check_profile(const struct answer *a)
{
	if (a->request->profile->kind == PROFILE_OCSP_RESPONSE)
		return true;
	refuse(a, "PROFILE-KIND", "the profile is not one for OCSP responses");
	return false;
}

static int
check(const struct answer *a)
{
	if (!check_profile(a))
		return 0;
	if (check_signer(a) != 0)
		return -1;
	check_entries(a);
	return 0;
}

int
ocsp_response_check(
    const struct ocsp_response_request *request, struct findings *findings)
{
	AUTO_STRUCT(answer) answer = { 0 };

	if (answer_open(request, findings, &answer) != 0)
		return -1;
	return check(&answer);
}

/* ---- encoding --------------------------------------------------------- */

static int
put_cert_id(struct cert_id *id, const struct answer *a,
    const struct ocsp_entry *entry, size_t h)
{
	const struct certid_digests *digests = &a->digests[h];

	if (asn1_set_der(id->alg, hashes[h].alg, hashes[h].alg_len) != 0)
		return -1;
	if (ASN1_OCTET_STRING_set(
		id->name_hash, digests->name, (int)digests->len) != 1 ||
	    ASN1_OCTET_STRING_set(
		id->key_hash, digests->key, (int)digests->len) != 1)
		return ca_error(CA_R_MEMORY, "no memory for a digest");
	return asn1_set_octets(id->serial, entry->serial, entry->serial_len);
}

/* OCS-REASON-SET: unspecified is said by leaving it out. */
static int
put_revoked(struct single_response *single, const struct ocsp_entry *entry)
{
	single->revoked = revoked_info_new();
	if (single->revoked == NULL ||
	    asn1_set_generalized(&single->revoked->date, entry->date) != 0)
		return -1;
	if (entry->reason == REASON_NONE)
		return 0;
	single->revoked->reason = ASN1_ENUMERATED_new();
	if (single->revoked->reason == NULL ||
	    ASN1_ENUMERATED_set(single->revoked->reason, (long)entry->reason) !=
		1)
		return ca_error(CA_R_MEMORY, "no memory for a response");
	return 0;
}

static int
put_status(struct single_response *single, const struct ocsp_entry *entry)
{
	if (entry->status == STATUS_REVOKED)
		return put_revoked(single, entry);
	single->good = ASN1_NULL_new();
	return single->good != NULL
	    ? 0
	    : ca_error(CA_R_MEMORY, "no memory for a response");
}

static int
put_single(struct response_data *data, const struct answer *a,
    const struct ocsp_entry *entry, size_t hash)
{
	AUTO_PTR(single_response) *single = single_response_new();
	AUTO_BYTES(der) = NULL;
	size_t len;

	if (single == NULL || put_cert_id(single->id, a, entry, hash) != 0 ||
	    put_status(single, entry) != 0 ||
	    asn1_set_generalized(&single->this_update, a->request->now) != 0 ||
	    asn1_set_generalized(
		&single->next_update, next_update(a->request)) != 0 ||
	    asn1_encode(single, ASN1_ITEM_rptr(SINGLE_RESPONSE), &der, &len) !=
		0)
		return -1;
	return asn1_push_der(data->responses, der, len);
}

static int
encode(const struct answer *a, const struct sigalg *alg, struct tbs *ret_tbs)
{
	const struct ocsp_response_request *request = a->request;
	AUTO_PTR(response_data) *data = response_data_new();
	size_t count = profile_adds_sha1(request->profile) ? HASHES : 1;

	if (data == NULL ||
	    asn1_set_generalized(&data->produced_at, request->now) != 0)
		return -1;
	/* OCS-RESPONDERID */
	if (ASN1_OCTET_STRING_set(data->key_hash, a->key_id, KEY_ID_LEN) != 1)
		return ca_error(CA_R_MEMORY, "no memory for a response");
	for (size_t h = 0; h < count; h++)
		for (size_t i = 0; i < request->entry_count; i++)
			if (put_single(data, a, &request->entries[i], h) != 0)
				return -1;
	return tbs_finish(
	    OBJECT_OCSP, alg, data, ASN1_ITEM_rptr(RESPONSE_DATA), ret_tbs);
}

int
ocsp_response_build(
    const struct ocsp_response_request *request, struct tbs *ret_tbs)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(answer) answer = { 0 };
	const struct sigalg *alg;

	if (answer_open(request, &findings, &answer) != 0 ||
	    check(&answer) != 0)
		return -1;
	if (findings.errors > 0)
		return findings_refuse(&findings, "the OCSP response");
	alg = issuer_algorithm(request->profile, answer.signer->facts.spki,
	    answer.signer->facts.spki_len, request->signature, request->place,
	    &findings);
	if (alg == NULL)
		return findings_refuse(&findings, "the OCSP response");
	return encode(&answer, alg, ret_tbs);
}

/* ---- many responses --------------------------------------------------- */

struct ocsp_maker {
	struct ocsp_response_request request; /* without entries */
	struct answer answer;
	const struct sigalg *alg;
};

void
ocsp_maker_free(struct ocsp_maker *maker)
{
	if (maker == NULL)
		return;
	answer_clear(&maker->answer);
	free(maker);
}

int
ocsp_maker_open(const struct ocsp_response_request *request,
    struct findings *findings, struct ocsp_maker **ret_maker)
{
	AUTO_PTR(ocsp_maker) *maker = calloc(1, sizeof *maker);
	size_t errors = findings->errors;
	struct answer *a;

	if (maker == NULL)
		return ca_error(CA_R_MEMORY, "no memory for OCSP responses");
	maker->request = *request;
	a = &maker->answer;
	if (answer_open(&maker->request, findings, a) != 0)
		return -1;
	if (check_profile(a) && check_signer(a) != 0)
		return -1;
	if (findings->errors > errors)
		return 0;
	maker->alg = issuer_algorithm(request->profile, a->signer->facts.spki,
	    a->signer->facts.spki_len, request->signature, request->place,
	    findings);
	if (maker->alg == NULL)
		return 0;
	a->findings = NULL; /* each response has its own */
	*ret_maker = TAKE(maker);
	return 0;
}

int64_t
ocsp_maker_validity(const struct ocsp_maker *maker, int64_t not_after)
{
	const struct ocsp_response_request *request = &maker->request;
	int64_t validity = validity_of(request);

	if (not_after < request->now)
		return 0;
	if (not_after - request->now + 1 < validity)
		validity = not_after - request->now + 1;
	/* thisUpdate and nextUpdate are two different seconds */
	return validity > 1 && validity >= request->profile->validity_min
	    ? validity
	    : 0;
}

const struct sigalg *
ocsp_maker_algorithm(const struct ocsp_maker *maker)
{
	return maker->alg;
}

int64_t
ocsp_maker_next_update(const struct ocsp_maker *maker, int64_t validity)
{
	return maker->request.now +
	    (validity != 0 ? validity : validity_of(&maker->request)) - 1;
}

int
ocsp_maker_build(const struct ocsp_maker *maker, const struct ocsp_entry *entry,
    int64_t validity, struct findings *findings, struct tbs *ret_tbs)
{
	struct ocsp_response_request request = maker->request;
	struct answer a = maker->answer; /* what it points to is the maker's */
	size_t errors = findings->errors;

	request.entries = entry;
	request.entry_count = 1;
	if (validity != 0)
		request.validity = validity;
	a.request = &request;
	a.findings = findings;
	if (check_validity(&a))
		check_entry(&a, entry);
	return findings->errors > errors ? 0 : encode(&a, maker->alg, ret_tbs);
}

/* ---- the whole response ----------------------------------------------- */

static int
encode_basic(const struct tbs *tbs, const unsigned char *sig, size_t sig_len,
    const unsigned char *responder, size_t responder_len,
    unsigned char **ret_der, size_t *ret_len)
{
	AUTO_PTR(basic_response) *basic = basic_response_new();

	if (basic == NULL ||
	    asn1_set_der(basic->tbs, tbs->der, tbs->len) != 0 ||
	    asn1_set_der(basic->alg, tbs->alg->der, tbs->alg->der_len) != 0 ||
	    asn1_set_signature(basic->signature, sig, sig_len) != 0)
		return -1;
	/* OCS-CERTS: never an empty SEQUENCE */
	if (responder != NULL) {
		basic->certs = sk_ASN1_TYPE_new_null();
		if (basic->certs == NULL ||
		    asn1_push_der(basic->certs, responder, responder_len) != 0)
			return ca_error(
			    CA_R_MEMORY, "no memory for a response");
	}
	return asn1_encode(
	    basic, ASN1_ITEM_rptr(BASIC_RESPONSE), ret_der, ret_len);
}

int
ocsp_assemble(const struct tbs *tbs, const unsigned char *sig, size_t sig_len,
    const unsigned char *responder, size_t responder_len,
    unsigned char **ret_der, size_t *ret_len)
{
	AUTO_PTR(ocsp_response) *response = ocsp_response_new();
	AUTO_BYTES(basic) = NULL;
	size_t len;

	if (response == NULL ||
	    encode_basic(
		tbs, sig, sig_len, responder, responder_len, &basic, &len) != 0)
		return -1;
	ASN1_OBJECT_free(response->bytes->type);
	response->bytes->type = OBJ_nid2obj(NID_id_pkix_OCSP_basic);
	if (ASN1_ENUMERATED_set(response->status, 0) != 1 || len > INT32_MAX ||
	    ASN1_OCTET_STRING_set(response->bytes->response, basic, (int)len) !=
		1)
		return ca_error(CA_R_MEMORY, "no memory for a response");
	return asn1_encode(
	    response, ASN1_ITEM_rptr(WHOLE_RESPONSE), ret_der, ret_len);
}

/* BasicOCSPResponse of a response that says successful; false: it is none. */
static bool
take_basic(struct der in, struct der *ret_basic)
{
	static const unsigned char successful[] = { 0x00 };
	static const unsigned char basic[] = { 0x2b, 0x06, 0x01, 0x05, 0x05,
		0x07, 0x30, 0x01, 0x01 };
	struct der response, status, bytes, body, type;

	if (!der_take(&in, DER_SEQUENCE, &response, NULL) || in.len != 0 ||
	    !der_take(&response, DER_ENUMERATED, &status, NULL) ||
	    !der_equal(status, successful, sizeof successful) ||
	    !der_take(&response, DER_CONTEXT_0, &bytes, NULL) ||
	    response.len != 0 || !der_take(&bytes, DER_SEQUENCE, &body, NULL) ||
	    bytes.len != 0)
		return false;
	return der_take(&body, DER_OID, &type, NULL) &&
	    der_equal(type, basic, sizeof basic) &&
	    der_take(&body, DER_OCTET_STRING, ret_basic, NULL) && body.len == 0;
}

/* One certificate in [0], or no [0] at all. */
static bool
take_responder(struct der *in, struct der *ret_responder)
{
	struct der outer, list;

	*ret_responder = (struct der){ NULL, 0 };
	if (in->len == 0)
		return true;
	return der_take(in, DER_CONTEXT_0, &outer, NULL) && in->len == 0 &&
	    der_take(&outer, DER_SEQUENCE, &list, NULL) && outer.len == 0 &&
	    der_take(&list, DER_SEQUENCE, NULL, ret_responder) && list.len == 0;
}

static bool
take_parts(struct der in, struct ocsp_parts *parts)
{
	struct der body;
	size_t offset;

	if (!der_is_strict(in.p, in.len, &offset) ||
	    !der_take(&in, DER_SEQUENCE, &body, NULL) || in.len != 0 ||
	    !der_take(&body, DER_SEQUENCE, NULL, &parts->tbs) ||
	    !der_take(&body, DER_SEQUENCE, NULL, &parts->alg) ||
	    !der_take(&body, DER_BIT_STRING, &parts->signature, NULL) ||
	    parts->signature.len < 1 || parts->signature.p[0] != 0)
		return false;
	parts->signature.p++;
	parts->signature.len--;
	return take_responder(&body, &parts->responder);
}

int
ocsp_take_apart(const char *name, const unsigned char *der, size_t len,
    struct ocsp_parts *ret_parts)
{
	struct ocsp_parts parts;
	struct der basic;
	size_t offset;

	if (!der_is_strict(der, len, &offset))
		return ca_error(CA_R_INPUT,
		    "'%s' is not an OCSP response in DER: wrong from octet %zu "
		    "on",
		    name, offset);
	if (!take_basic((struct der){ der, len }, &basic))
		return ca_error(CA_R_INPUT,
		    "'%s' is not a successful OCSP response of the basic type "
		    "(RFC 6960, section 4.2.1)",
		    name);
	if (!take_parts(basic, &parts))
		return ca_error(CA_R_INPUT,
		    "'%s' holds no BasicOCSPResponse in DER with at most one "
		    "certificate",
		    name);
	*ret_parts = parts;
	return 0;
}
