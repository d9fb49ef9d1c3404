/* Steps that make certificates: root, subordinate, ocsp-responder. */
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "ceremony/steps/build.h"
#include "profiles/csr.h"

/* What differs between the three. */
struct variant {
	enum profile_kind profile;
	const char *purpose; /* of the subject's key, where it is ours */
};

static const struct variant variant_root = { PROFILE_ROOT, "ca" };
static const struct variant variant_subordinate = { PROFILE_SUBORDINATE, "ca" };
static const struct variant variant_ocsp = { PROFILE_OCSP_RESPONDER, "ocsp" };

static const struct variant *
variant_of(const struct step *step)
{
	if (step->kind == &step_root)
		return &variant_root;
	return step->kind == &step_subordinate ? &variant_subordinate
					       : &variant_ocsp;
}

/* Does the request come only when the plan is run? */
static bool
is_late(const struct certificate_params *p)
{
	return p->csr != NULL && strcmp(p->csr, CSR_LATE) == 0;
}

static int
inputs(const struct step *step, const struct input_visitor *visitor)
{
	const struct certificate_params *p = step->params;

	if (visitor->need(visitor->ctx, INPUT_PROFILE, p->profile,
		step_place(step, "profile")) < 0)
		return -1;
	if (p->csr == NULL || is_late(p))
		return 0;
	return visitor->need(
	    visitor->ctx, INPUT_FILE, p->csr, step_place(step, "csr"));
}

static int
check(struct build *build, const struct step *step)
{
	const struct certificate_params *p = step->params;
	const struct profile *profile = NULL;
	int64_t validity;

	if ((p->key == NULL) == (p->csr == NULL))
		step_finding(build, step, NULL, "SUBJECT-KEY", NULL,
		    "give either 'key', a key on the token, or 'csr', a file "
		    "with a request");
	build_duration(build, step, "validity", p->validity, &validity);
	if (build_profile(build, step, p->profile, variant_of(step)->profile,
		&profile) < 0)
		return -1;
	return build_check_name(build, step, p->name);
}

static int
describe(const struct step *step, char **ret_text)
{
	const struct certificate_params *p = step->params;
	const char *subject = p->subject.common_name;
	bool csr = p->csr != NULL;

	if (is_late(p))
		return step_text(ret_text,
		    "make %s certificate '%s' for \"%s\", profile '%s', signed "
		    "by '%s'; its public key comes with a request when the "
		    "plan is run, so this approval does not cover it: compare "
		    "it when you confirm",
		    step->kind->name, p->name, subject == NULL ? "" : subject,
		    p->profile, p->issuer);
	return step_text(ret_text,
	    "make %s certificate '%s' for \"%s\" from %s '%s', profile '%s', "
	    "%s%s%s",
	    step->kind->name, p->name, subject == NULL ? "" : subject,
	    csr ? "the request in" : "key",
	    csr                  ? p->csr
		: p->key == NULL ? ""
				 : p->key,
	    p->profile, p->issuer == NULL ? "self-signed" : "signed by '",
	    p->issuer == NULL ? "" : p->issuer, p->issuer == NULL ? "" : "'");
}

/* ---- building --------------------------------------------------------- */

/* Everything that goes into one certificate. */
struct making {
	struct build *build;
	const struct step *step;
	const struct certificate_params *params;
	const struct profile *profile;
	struct issuer_view issuer;
	struct key_view key;       /* the subject's, where it is on the token */
	struct csr csr;            /* else */
	unsigned char *kept;       /* of a late request: stands for it */
	const unsigned char *spki; /* of one of them */
	size_t spki_len;
	struct name_value subject[SUBJECT_ATTRIBUTES];
	char *url[3];
};

static void
making_clear(struct making *making)
{
	issuer_view_clear(&making->issuer);
	key_view_clear(&making->key);
	csr_clear(&making->csr);
	free(making->kept);
	for (size_t i = 0; i < 3; i++)
		free(making->url[i]);
}
CLEANUP_DEFINE_STRUCT(making);

/*
 * In a check a late request's key is not known: one of a type that the profile
 * takes stands for it, P-256 if it may, and none that stands for another.
 */
static int
late_placeholder(struct making *m)
{
	enum { LATE_NUMBER = 1 << 20 };
	const struct key_type *type = key_type_by_name("p-256");

	for (size_t i = 0; !profile_allows_key(m->profile, type); i++) {
		type = key_type_at(i);
		if (type == NULL)
			return ca_error(CA_R_INTERNAL,
			    "profile '%s' allows no type of key",
			    m->params->profile);
	}
	if (placeholder_spki(
		type, LATE_NUMBER + m->step->index, &m->kept, &m->spki_len) < 0)
		return -1;
	m->spki = m->kept;
	return 0;
}

/* Signed before: the certificate itself says what key came. */
static int
late_from_signed(struct making *m, const struct earlier_object *earlier)
{
	AUTO(X509) *certificate = NULL;
	AUTO_STRUCT(certificate_facts) facts = { 0 };

	if (certificate_read(m->params->name, earlier->der, earlier->len,
		&certificate) < 0 ||
	    certificate_facts(certificate, &facts) < 0)
		return -1;
	m->kept = bytes_copy(facts.spki, facts.spki_len);
	m->spki = m->kept;
	m->spki_len = facts.spki_len;
	return m->kept == NULL ? -1 : 0;
}

/* The request that came with the run. */
static int
find_late(struct making *m, const struct input **ret_input)
{
	const struct earlier_object *earlier = build_earlier(m->build, false);
	const struct input *input = m->build->late == NULL
	    ? NULL
	    : inputs_find(m->build->late, INPUT_LATE, m->params->name);

	if (input == NULL && earlier->state == EARLIER_SIGNED)
		return late_from_signed(m, earlier);
	if (input == NULL)
		step_finding(m->build, m->step, "csr", "CSR-LATE", NULL,
		    "the request for '%s' is to come when the plan is run, and "
		    "did not; give it with '--csr %s=FILE'",
		    m->params->name, m->params->name);
	*ret_input = input;
	return 0;
}

static int
find_request(struct making *m, const struct input **ret_input)
{
	if (!is_late(m->params)) {
		/* Where it is NULL, reading the inputs gave a finding. */
		*ret_input =
		    inputs_find(m->build->inputs, INPUT_FILE, m->params->csr);
		return 0;
	}
	return m->build->mode == BUILD_CHECK ? late_placeholder(m)
					     : find_late(m, ret_input);
}

/* The subject's public key: from the token, or from the request. */
static int
take_subject_key(struct making *m)
{
	const struct input *input = NULL;

	if (m->params->csr == NULL) {
		if (build_key(m->build, m->step, "key", m->params->key,
			variant_of(m->step)->purpose, &m->key) < 0)
			return -1;
		m->spki = m->key.spki;
		m->spki_len = m->key.spki_len;
		return 0;
	}
	if (find_request(m, &input) < 0)
		return -1;
	if (input == NULL)
		return 0;
	if (csr_read(is_late(m->params) ? input->file : m->params->csr,
		input->data, input->len, m->build->findings, &m->csr) < 0) {
		if (ca_error_exit_status() != CA_EXIT_REFUSED)
			return -1;
		ca_error_clear(); /* the findings say it */
		return 0;
	}
	m->spki = m->csr.spki;
	m->spki_len = m->csr.spki_len;
	return 0;
}

/* A request for a key of our own would pass by the key's purpose. */
static int
check_not_ours(const struct making *m)
{
	AUTO_STRUCT(key_row) row = { 0 };
	unsigned char digest[HASH_LEN];
	bool found = false;

	if (m->params->csr == NULL)
		return 0;
	if (sha256(m->spki, m->spki_len, digest) < 0 ||
	    journal_key_by_spki(m->build->journal, digest, &found, &row) < 0)
		return -1;
	if (found)
		step_finding(m->build, m->step, "csr", "KEY-PURPOSE",
		    "EN 319 411-1, GEN-6.5.3-03",
		    "the request is for this authority's own key '%s'; name it "
		    "with 'key', so that its purpose is kept",
		    row.name);
	return 0;
}

/* KEY-NOT-A-CA-KEY, KEY-EKU-CONSISTENT: one key, one certificate. */
static int
check_key_unused(const struct making *m)
{
	AUTO_CHARS(hash) = sha256_hex(m->spki, m->spki_len);
	const char *member = m->params->csr != NULL ? "csr" : "key";
	bool used = false;

	if (hash == NULL ||
	    journal_spki_used(m->build->journal, hash, &used) < 0)
		return -1;
	for (size_t i = 0; i < m->build->object_count; i++) {
		const char *other = json_string_value(
		    json_object_get(m->build->objects[i].facts, "spki"));

		used = used || (other != NULL && strcmp(other, hash) == 0);
	}
	if (used)
		step_finding(m->build, m->step, member, "KEY-NOT-A-CA-KEY",
		    "RFC 5280, section 4.2.1.2",
		    "this public key is in another certificate of this "
		    "authority already; a new certificate needs a key of its "
		    "own");
	return 0;
}

/* "http://pki.example/{issuer}.crl" with the issuer's name put in. */
char *
step_url(const char *url, const char *issuer)
{
	static const char mark[] = "{issuer}";
	const char *at = url == NULL ? NULL : strstr(url, mark);

	if (url == NULL)
		return NULL;
	if (at == NULL)
		return text_copy(url);
	return text_printf(
	    "%.*s%s%s", (int)(at - url), url, issuer, at + sizeof(mark) - 1);
}

static int
expand_urls(struct making *m)
{
	for (size_t i = 0; i < 3; i++) {
		if (m->build->urls[i] == NULL || m->params->issuer == NULL ||
		    !profile_needs_url(m->profile, (enum profile_url)i))
			continue;
		m->url[i] = step_url(m->build->urls[i], m->params->issuer);
		if (m->url[i] == NULL)
			return -1;
	}
	return 0;
}

static void
make_request(struct making *m, struct certificate_request *ret_request)
{
	struct certificate_request request = {
		.profile = m->profile,
		.subject = m->subject,
		.subject_count =
		    subject_values(&m->params->subject, m->subject),
		.spki = m->spki,
		.spki_len = m->spki_len,
		.issuer = m->issuer.certificate,
		.now = m->build->now,
		.url = { m->url[0], m->url[1], m->url[2] },
		.place = step_place(m->step, NULL),
	};

	build_duration(m->build, m->step, "validity", m->params->validity,
	    &request.validity);
	*ret_request = request;
}

/* FLD-SERIAL-UNIQUE: not in the journal, not in this plan. */
static int
serial_is_free(const struct making *m, const char *issuer_dn,
    const unsigned char *serial, size_t len, bool *ret_free)
{
	AUTO_CHARS(hex) = text_hex(serial, len);
	bool used = false;

	if (hex == NULL ||
	    journal_serial_used(m->build->journal, issuer_dn, hex, &used) < 0)
		return -1;
	for (size_t i = 0; i < m->build->object_count; i++) {
		const json_t *facts = m->build->objects[i].facts;
		const char *other =
		    json_string_value(json_object_get(facts, "serial"));

		used = used || (other != NULL && strcmp(other, hex) == 0);
	}
	*ret_free = !used;
	return 0;
}

/* Random octets whose serial this issuer has never used. */
static int
draw_serial(const struct making *m, unsigned char ret_random[SERIAL_LEN])
{
	const char *dn = m->issuer.dn == NULL ? "" : m->issuer.dn;

	for (int tries = 0; tries < 8; tries++) {
		unsigned char serial[SERIAL_LEN];
		size_t len = 0;
		bool is_free = false;

		if (m->build->random(
			m->build->random_ctx, ret_random, SERIAL_LEN) < 0)
			return -1;
		if (serial_from_random(ret_random, serial, &len) < 0 ||
		    serial_is_free(m, dn, serial, len, &is_free) < 0)
			return -1;
		if (is_free)
			return 0;
	}
	return ca_error(CA_R_INTERNAL,
	    "the random generator repeats itself: every serial number that it "
	    "gave is in use");
}

/* For a serial that is known: serial_from_random() gives it back. */
static int
padded_serial(
    const struct certificate_facts *facts, unsigned char ret_octets[SERIAL_LEN])
{
	if (facts->serial_len > SERIAL_LEN)
		return ca_error(CA_R_VERIFY, "a spooled serial is too long");
	memset(ret_octets, 0, SERIAL_LEN);
	memcpy(ret_octets + SERIAL_LEN - facts->serial_len, facts->serial,
	    facts->serial_len);
	return 0;
}

/*
 * What was spooled is not taken on its word: with its time and its serial the
 * plan must give the same octets again.
 */
static int
take_spooled(const struct making *m, const struct certificate_request *request,
    const struct earlier_object *earlier, struct tbs *ret_tbs)
{
	struct certificate_request again = *request;
	AUTO_STRUCT(certificate_facts) facts = { 0 };
	AUTO_STRUCT(tbs) spooled = { 0 };
	AUTO_STRUCT(tbs) tbs = { 0 };
	AUTO_BYTES(der) = NULL;
	AUTO(X509) *certificate = NULL;
	unsigned char serial[SERIAL_LEN];
	size_t len = 0;

	if (earlier_tbs(earlier, OBJECT_CERTIFICATE, &spooled) < 0 ||
	    object_with_constant(&spooled, &der, &len) < 0 ||
	    certificate_read(m->params->name, der, len, &certificate) < 0 ||
	    certificate_facts(certificate, &facts) < 0 ||
	    padded_serial(&facts, serial) < 0)
		return -1;
	again.now = facts.not_before;
	if (certificate_build(&again, serial, &tbs) < 0)
		return -1;
	if (tbs.len != spooled.len ||
	    memcmp(tbs.der, spooled.der, tbs.len) != 0)
		return ca_error(CA_R_VERIFY,
		    "the spool holds another certificate '%s' than the plan "
		    "asks for: it was changed",
		    m->params->name);
	*ret_tbs = tbs;
	tbs = (struct tbs){ 0 };
	return 0;
}

/* Encode the certificate, or take what an earlier list left of it. */
static int
make_tbs(struct making *m, const struct certificate_request *request,
    const struct earlier_object *earlier, struct built_object *object)
{
	unsigned char random[SERIAL_LEN];

	switch (earlier->state) {
	case EARLIER_SIGNED:
		object->from = BUILT_AND_SIGNED;
		return 0;
	case EARLIER_SPOOLED:
		object->from = BUILT_BEFORE;
		object->built = earlier->built;
		return take_spooled(m, request, earlier, &object->tbs);
	case EARLIER_NOTHING:
		break;
	}
	object->from = BUILT_NOW;
	object->built = m->build->now;
	if (draw_serial(m, random) < 0)
		return -1;
	return certificate_build(request, random, &object->tbs);
}

/* The certificate as others see it: signed, or with a constant signature. */
static int
parse_object(const struct making *m, const struct earlier_object *earlier,
    struct built_object *object)
{
	AUTO_BYTES(der) = NULL;
	size_t len = 0;

	if (earlier->state == EARLIER_SIGNED)
		return certificate_read(m->params->name, earlier->der,
		    earlier->len, &object->certificate);
	if (object_with_constant(&object->tbs, &der, &len) < 0)
		return -1;
	return certificate_read(
	    m->params->name, der, len, &object->certificate);
}

static json_t *
make_facts(const struct making *m, const struct certificate_facts *facts)
{
	AUTO_CHARS(issuer_dn) =
	    sha256_hex(facts->issuer_der, facts->issuer_len);
	AUTO_CHARS(subject_dn) =
	    sha256_hex(facts->subject_der, facts->subject_len);
	AUTO_CHARS(spki) = sha256_hex(facts->spki, facts->spki_len);
	AUTO_CHARS(serial) = text_hex(facts->serial, facts->serial_len);
	char from[DATE_TEXT_SIZE], until[DATE_TEXT_SIZE];

	if (issuer_dn == NULL || subject_dn == NULL || spki == NULL ||
	    serial == NULL)
		return NULL;
	date_format(facts->not_before, from);
	date_format(facts->not_after, until);
	return json_pack(
	    "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:s, s:s?}",
	    "issuer",
	    m->params->issuer == NULL ? m->params->name : m->params->issuer,
	    "issuer_dn", issuer_dn, "profile", m->params->profile, "serial",
	    serial, "subject_dn", subject_dn, "spki", spki, "not_before", from,
	    "not_after", until, "ca", facts->is_ca ? 1 : 0, "certificate_kind",
	    profile_kind_name(variant_of(m->step)->profile), "subject_key",
	    m->params->key);
}

static char *
make_summary(const struct making *m, const struct certificate_facts *facts)
{
	return text_printf("%s certificate for %s, issued by %s",
	    m->step->kind->name, facts->subject,
	    facts->self_issued ? "itself" : facts->issuer);
}

static char *
make_details(const struct making *m, const struct certificate_facts *facts)
{
	const struct key_type *type =
	    key_type_of_spki(facts->spki, facts->spki_len);
	AUTO_CHARS(serial) = text_hex(facts->serial, facts->serial_len);
	AUTO_CHARS(hash) = sha256_hex(facts->spki, facts->spki_len);
	AUTO_CHARS(key) = NULL;
	char from[DATE_TEXT_SIZE], until[DATE_TEXT_SIZE];

	if (is_late(m->params) && m->build->mode == BUILD_CHECK)
		key = text_copy("comes with the request when the plan is run");
	else if (hash != NULL)
		key = text_printf("%s, SHA-256\n  %s",
		    type == NULL ? "unknown" : type->name, hash);
	if (serial == NULL || key == NULL)
		return NULL;
	date_format(facts->not_before, from);
	date_format(facts->not_after, until);
	return text_printf("subject: %s\n"
			   "issuer: %s\n"
			   "serial: %s\n"
			   "valid: %s to %s\n"
			   "profile: %s\n"
			   "public key: %s",
	    facts->subject, facts->issuer, serial, from, until,
	    m->params->profile, key);
}

/* Facts, summary, stage and signer of a certificate whose bytes are there. */
static int
finish_object(struct making *m, struct built_object *object)
{
	AUTO_STRUCT(certificate_facts) facts = { 0 };
	bool root = m->params->issuer == NULL;
	const unsigned char *signer = root ? m->spki : m->issuer.spki;

	if (certificate_facts(object->certificate, &facts) < 0)
		return -1;
	object->kind = OBJECT_CERTIFICATE;
	object->step = m->step;
	object->name = text_copy(m->params->name);
	object->key = text_copy(root ? m->params->key : m->issuer.key);
	object->facts = make_facts(m, &facts);
	object->summary = make_summary(m, &facts);
	object->details = make_details(m, &facts);
	object->signer_len = root ? m->spki_len : m->issuer.spki_len;
	object->signer = bytes_copy(signer, object->signer_len);
	if (object->signer == NULL)
		return -1;
	object->stage =
	    m->issuer.planned ? m->issuer.stage + 1 : STAGE_CERTIFICATE;
	if (!root && (object->issuer = text_copy(m->params->issuer)) == NULL)
		return -1;
	return 0;
}

/* A revoked CA issues nothing; it only goes on to sign its CRLs. */
static int
check_issuer_revoked(const struct making *m)
{
	const struct certificate_facts *facts = &m->issuer.facts;
	AUTO_CHARS(dn) = NULL;
	AUTO_CHARS(serial) = NULL;
	bool revoked = false;

	if (m->params->issuer == NULL)
		return 0;
	dn = sha256_hex(facts->issuer_der, facts->issuer_len);
	serial = text_hex(facts->serial, facts->serial_len);
	if (dn == NULL || serial == NULL ||
	    build_is_revoked(m->build, dn, serial, &revoked) < 0)
		return -1;
	if (revoked)
		step_finding(m->build, m->step, "issuer", "ISSUER-REVOKED",
		    "RFC 5280, section 6.1.3",
		    "the certificate of '%s' is revoked, so it issues nothing",
		    m->params->issuer);
	return 0;
}

/* All that can be wrong with a certificate that is yet to be signed. */
static int
check_request(const struct making *m, const struct certificate_request *request)
{
	if (check_not_ours(m) < 0 || check_key_unused(m) < 0 ||
	    check_issuer_revoked(m) < 0)
		return -1;
	if (certificate_check(request, m->build->findings) == 0)
		return 0;
	return build_error_to_finding(m->build, m->step, NULL, "CERTIFICATE");
}

/* With key and issuer known: check, encode, add. */
static int
make_certificate(struct making *m)
{
	struct built_object object = { 0 };
	const struct earlier_object *earlier =
	    build_earlier(m->build, m->issuer.fresh);
	struct certificate_request request;
	size_t errors = m->build->findings->errors;

	if (expand_urls(m) < 0)
		return -1;
	make_request(m, &request);
	if (earlier->state != EARLIER_SIGNED && check_request(m, &request) < 0)
		return -1;
	if (m->build->findings->errors > errors)
		return 0;
	if (make_tbs(m, &request, earlier, &object) < 0 ||
	    parse_object(m, earlier, &object) < 0 ||
	    finish_object(m, &object) < 0) {
		built_object_clear(&object);
		return -1;
	}
	return build_add_object(m->build, &object);
}

static int
build(struct build *build, const struct step *step)
{
	AUTO_STRUCT(making) m = { .build = build, .step = step };

	m.params = step->params;
	if (build_profile(build, step, m.params->profile,
		variant_of(step)->profile, &m.profile) < 0)
		return -1;
	if (take_subject_key(&m) < 0)
		return -1;
	if (m.params->issuer != NULL &&
	    build_issuer(build, step, "issuer", m.params->issuer, &m.issuer) <
		0)
		return -1;
	if (m.profile == NULL || m.spki == NULL ||
	    (m.params->issuer != NULL && !m.issuer.found))
		return 0; /* findings say what is missing */
	return make_certificate(&m);
}

static const char *
publish(const struct step *step)
{
	const struct certificate_params *p = step->params;

	return p->name;
}

const struct step_kind step_root = {
	.name = "root",
	.params_offset = offsetof(struct step_params, root),
	.output = "certificate",
	.inputs = inputs,
	.check = check,
	.describe = describe,
	.build = build,
	.publish = publish,
};

const struct step_kind step_subordinate = {
	.name = "subordinate",
	.params_offset = offsetof(struct step_params, subordinate),
	.output = "certificate",
	.inputs = inputs,
	.check = check,
	.describe = describe,
	.build = build,
	.publish = publish,
};

const struct step_kind step_ocsp_responder = {
	.name = "ocsp-responder",
	.params_offset = offsetof(struct step_params, ocsp_responder),
	.output = "certificate",
	.inputs = inputs,
	.check = check,
	.describe = describe,
	.build = build,
	.publish = publish,
};
