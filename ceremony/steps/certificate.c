/*
 * Steps that make certificates: root, subordinate, cross, ocsp-responder,
 * end-entity.
 */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/steps/certificate-private.h"
#include "ceremony/steps/index.h"
#include "ceremony/steps/scope.h"

static const struct variant variants[] = {
	{ &step_root, PROFILE_ROOT, "ca" },
	{ &step_subordinate, PROFILE_SUBORDINATE, "ca" },
	{ &step_cross, PROFILE_CROSS, "ca" },
	{ &step_ocsp_responder, PROFILE_OCSP_RESPONDER, "ocsp" },
	{ &step_end_entity, PROFILE_END_ENTITY, NULL },
	{ &step_certificates, PROFILE_END_ENTITY, NULL },
};

enum { VARIANTS = sizeof(variants) / sizeof(variants[0]) };

const struct variant *
variant_of(const struct step *step)
{
	for (size_t i = 0; i < VARIANTS; i++)
		if (variants[i].kind == step->kind)
			return &variants[i];
	return NULL;
}

bool
certificate_is_late(const struct certificate_params *params)
{
	return params->csr != NULL && strcmp(params->csr, CSR_LATE) == 0;
}

const char *
step_late_name(const struct step *step)
{
	const struct certificate_params *p = step->params;

	return variant_of(step) != NULL && step->kind != &step_certificates &&
		certificate_is_late(p)
	    ? p->name
	    : NULL;
}

static int
inputs(const struct step *step, const struct input_visitor *visitor)
{
	const struct certificate_params *p = step->params;

	if (visitor->need(visitor->ctx, INPUT_PROFILE, p->profile,
		step_place(step, "profile")) < 0)
		return -1;
	if (p->existing != NULL &&
	    visitor->need(visitor->ctx, INPUT_FILE, p->existing,
		step_place(step, "existing")) < 0)
		return -1;
	if (p->csr == NULL || certificate_is_late(p))
		return 0;
	return visitor->need(
	    visitor->ctx, INPUT_FILE, p->csr, step_place(step, "csr"));
}

/* All but the key of a late request is approved, and so are the names. */
static void
check_late(
    struct build *build, const struct step *step, const struct profile *profile)
{
	const struct certificate_params *p = step->params;

	if (!certificate_is_late(p))
		return;
	if (p->existing != NULL)
		step_finding(build, step, "csr", "CSR-LATE", NULL,
		    "the request shows that the existing CA has its key, so it "
		    "is there when the plan is checked");
	else if (profile != NULL && profile_needs_csr(profile))
		step_finding(build, step, "csr", "CSR-LATE", NULL,
		    "profile '%s' takes names from the request, which would "
		    "then be in no approval; give the request with the plan, "
		    "or use a profile whose names the plan gives",
		    profile_id(profile));
}

static int
check(struct build *build, const struct step *step)
{
	const struct certificate_params *p = step->params;
	const struct profile *profile = NULL;
	int64_t validity;

	if (p->existing == NULL && (p->key == NULL) == (p->csr == NULL))
		step_finding(build, step, NULL, "SUBJECT-KEY", NULL,
		    "give either 'key', a key on the token, or 'csr', a file "
		    "with a request");
	build_duration(build, step, "validity", p->validity, &validity);
	if (build_profile(build, step, p->profile, variant_of(step)->profile,
		&profile) < 0)
		return -1;
	check_late(build, step, profile);
	return build_check_name(build, step, p->name);
}

/* ---- describing ------------------------------------------------------- */

/* `"common name", dns:a.example, ip:192.0.2.1`: what the plan gives. */
static int
names_text(const struct certificate_params *p, char **ret_text)
{
	const char *common = p->subject.common_name;
	const size_t count = names_count(&p->names);
	struct alt_name *names = NULL;
	AUTO_CHARS(text) = common == NULL && count > 0
	    ? text_copy("")
	    : text_printf("\"%s\"", common == NULL ? "" : common);

	if (text == NULL || names_values(&p->names, &names) < 0)
		return -1;
	for (size_t i = 0; i < count && text != NULL; i++) {
		char *longer =
		    text_printf("%s%s%s:%s", text, text[0] == '\0' ? "" : ", ",
			alt_type_name(names[i].type), names[i].value);

		free(text);
		text = longer;
	}
	free(names);
	*ret_text = TAKE(text);
	return *ret_text == NULL ? -1 : 0;
}

static int
describe_cross(const struct step *step, char **ret_text)
{
	const struct certificate_params *p = step->params;

	return step_text(ret_text,
	    "make cross certificate '%s' of the CA whose certificate is in "
	    "'%s'%s%s%s, with its name and key, profile '%s', signed by '%s'",
	    p->name, p->existing, p->key == NULL ? "" : " (our own key '",
	    p->key == NULL ? "" : p->key, p->key == NULL ? "" : "')",
	    p->profile, p->issuer);
}

static int
describe_late(const struct step *step, const char *names, char **ret_text)
{
	const struct certificate_params *p = step->params;

	return step_text(ret_text,
	    "make %s certificate '%s' for %s, profile '%s', signed by '%s'; "
	    "its public key comes with a request when the plan is run, so this "
	    "approval does not cover it: compare it when you confirm",
	    step->kind->name, p->name, names, p->profile, p->issuer);
}

static int
describe(const struct step *step, char **ret_text)
{
	const struct certificate_params *p = step->params;
	const bool root = p->issuer == NULL;
	AUTO_CHARS(names) = NULL;

	if (p->existing != NULL)
		return describe_cross(step, ret_text);
	if (names_text(p, &names) < 0)
		return -1;
	if (certificate_is_late(p))
		return describe_late(step, names, ret_text);
	return step_text(ret_text,
	    "make %s certificate '%s' for %s from %s '%s', profile '%s', "
	    "%s%s%s",
	    step->kind->name, p->name, names,
	    p->csr != NULL ? "the request in" : "key",
	    p->csr != NULL       ? p->csr
		: p->key == NULL ? ""
				 : p->key,
	    p->profile, root ? "self-signed" : "signed by '",
	    root ? "" : p->issuer, root ? "" : "'");
}

/* ---- building --------------------------------------------------------- */

void
making_clear(struct making *making)
{
	issuer_view_clear(&making->issuer);
	key_view_clear(&making->key);
	csr_clear(&making->csr);
	X509_free(making->existing);
	free(making->kept);
	free(making->names);
	free(making->ignored);
	for (size_t i = 0; i < PROFILE_URLS; i++)
		free(making->url[i]);
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
	for (size_t i = 0; i < PROFILE_URLS; i++) {
		if (m->build->urls[i] == NULL || m->params->issuer == NULL ||
		    !profile_needs_url(m->profile, (enum profile_url)i))
			continue;
		m->url[i] = step_url(m->build->urls[i], m->params->issuer);
		if (m->url[i] == NULL)
			return -1;
	}
	return 0;
}

/* Where the profile splits the CRL, the serial decides which part it is. */
static int
set_partition(struct making *m, const unsigned char serial[SERIAL_LEN],
    struct certificate_request *request)
{
	const unsigned partitions = profile_crl_partitions(m->profile);
	char *url;

	if (partitions == 0 || m->url[URL_CRL] == NULL)
		return 0;
	url =
	    crl_partition_url(m->url[URL_CRL], partitions, serial, SERIAL_LEN);
	if (url == NULL)
		return -1;
	free(m->url[URL_CRL]);
	m->url[URL_CRL] = url;
	request->url[URL_CRL] = url;
	return 0;
}

static int
make_request(struct making *m, struct certificate_request *ret_request)
{
	struct certificate_request request = {
		.profile = m->profile,
		.subject = m->subject,
		.subject_count =
		    subject_values(&m->params->subject, m->subject),
		.alt_count = names_count(&m->params->names),
		.spki = m->spki,
		.spki_len = m->spki_len,
		.csr = m->has_csr ? &m->csr : NULL,
		.existing = m->existing,
		.issuer = m->issuer.certificate,
		.now = m->build->now,
		.url = { m->url[0], m->url[1], m->url[2] },
		.place = step_place(m->step, NULL),
	};

	if (names_values(&m->params->names, &m->names) < 0)
		return -1;
	request.alt_names = m->names;
	build_duration(m->build, m->step, "validity", m->params->validity,
	    &request.validity);
	*ret_request = request;
	return 0;
}

/* FLD-SERIAL-UNIQUE: not in the journal, not in this plan. */
static int
serial_is_free(const struct making *m, const char *issuer_dn,
    const unsigned char *serial, size_t len, bool *ret_free)
{
	AUTO_CHARS(hex) = text_hex(serial, len);
	const struct indexed *planned = NULL;
	bool used = false;

	if (hex == NULL ||
	    journal_serial_used(m->build->journal, issuer_dn, hex, &used) < 0 ||
	    index_find(m->build, INDEX_SERIAL, hex, &planned) < 0)
		return -1;
	*ret_free = !used && planned == NULL;
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
take_spooled(struct making *m, const struct certificate_request *request,
    const struct earlier_object *earlier, struct tbs *ret_tbs)
{
	struct certificate_request again = *request;
	AUTO_STRUCT(certificate_facts) facts = { 0 };
	AUTO_STRUCT(tbs) tbs = { 0 };
	AUTO_BYTES(der) = NULL;
	AUTO(X509) *certificate = NULL;
	unsigned char serial[SERIAL_LEN];
	struct der spooled;
	size_t len = 0;

	if (earlier_in_memory(earlier, OBJECT_CERTIFICATE, &spooled) < 0 ||
	    object_with_constant(&earlier->octets, &der, &len) < 0 ||
	    certificate_read(m->params->name, der, len, &certificate) < 0 ||
	    certificate_facts(certificate, &facts) < 0 ||
	    padded_serial(&facts, serial) < 0)
		return -1;
	again.now = facts.not_before;
	if (set_partition(m, serial, &again) < 0)
		return -1;
	if (certificate_build(&again, serial, &tbs) < 0)
		return -1;
	if (!der_equal(spooled, tbs.der, tbs.len))
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
	struct certificate_request whole = *request;
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
	if (draw_serial(m, random) < 0 || set_partition(m, random, &whole) < 0)
		return -1;
	return certificate_build(&whole, random, &object->tbs);
}

/* The certificate as others see it: signed, or with a constant signature. */
static int
parse_object(const struct making *m, const struct earlier_object *earlier,
    struct built_object *object)
{
	AUTO_BYTES(der) = NULL;
	struct der octets;
	size_t len = 0;

	if (earlier->state == EARLIER_SIGNED)
		return earlier_in_memory(earlier, OBJECT_CERTIFICATE, &octets) <
			0
		    ? -1
		    : certificate_read(m->params->name, octets.p, octets.len,
			  &object->certificate);
	if (object_with_constant(&object->tbs, &der, &len) < 0)
		return -1;
	return certificate_read(
	    m->params->name, der, len, &object->certificate);
}

/* For the linter, which compares the two. */
static int
keep_existing(const struct making *m, struct built_object *object)
{
	AUTO_DER(der) = NULL;
	int len;

	if (m->existing == NULL)
		return 0;
	len = i2d_X509(m->existing, &der);
	if (len <= 0)
		return ca_error(CA_R_MEMORY, "cannot encode a certificate");
	object->existing_der = bytes_copy(der, (size_t)len);
	object->existing_len = (size_t)len;
	return object->existing_der == NULL ? -1 : 0;
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
	object->signer_len = root ? m->spki_len : m->issuer.spki_len;
	object->signer = bytes_copy(signer, object->signer_len);
	if (object->signer == NULL ||
	    certificate_describe(m, &facts, object) < 0 ||
	    keep_existing(m, object) < 0)
		return -1;
	object->stage =
	    m->issuer.planned ? m->issuer.stage + 1 : STAGE_CERTIFICATE;
	object->profile = m->profile;
	if (root)
		return 0;
	object->issuer = text_copy(m->params->issuer);
	return object->issuer == NULL
	    ? -1
	    : built_issuer(object, m->issuer.certificate);
}

/* All that can be wrong with a certificate that is yet to be signed. */
static int
check_request(struct making *m, const struct certificate_request *request)
{
	const size_t first = m->build->findings->count;

	if (certificate_check_key(m) < 0)
		return -1;
	if (certificate_check(request, m->build->findings) == 0)
		return certificate_keep_ignored(m, first);
	return build_error_to_finding(m->build, m->step, NULL, "CERTIFICATE");
}

int
certificate_make(struct making *m)
{
	struct built_object object = { 0 };
	const struct earlier_object *earlier =
	    build_earlier(m->build, m->issuer.fresh);
	struct certificate_request request;
	size_t errors = m->build->findings->errors;

	if (expand_urls(m) < 0 || make_request(m, &request) < 0)
		return -1;
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
	if (certificate_take_key(&m) < 0)
		return -1;
	if (m.params->issuer != NULL &&
	    build_issuer(build, step, "issuer", m.params->issuer,
		step->kind == &step_ocsp_responder ? ISSUER_STATUS
						   : ISSUER_ISSUES,
		&m.issuer) < 0)
		return -1;
	if (m.profile == NULL || m.spki == NULL ||
	    (m.params->issuer != NULL && !m.issuer.found))
		return 0; /* findings say what is missing */
	return certificate_make(&m);
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

const struct step_kind step_cross = {
	.name = "cross",
	.params_offset = offsetof(struct step_params, cross),
	.output = "certificate",
	.inputs = inputs,
	.check = check,
	.describe = describe,
	.build = build,
	.publish = publish,
};

const struct step_kind step_end_entity = {
	.name = "end-entity",
	.params_offset = offsetof(struct step_params, end_entity),
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
