/*
 * The step that takes in a certificate issued elsewhere for a key on the
 * token.  It signs nothing: it is an act.
 */
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "ceremony/steps/adopt-private.h"

static int
inputs(const struct step *step, const struct input_visitor *visitor)
{
	const struct adopt_params *p = step->params;

	if (visitor->need(visitor->ctx, INPUT_FILE, p->certificate,
		step_place(step, "certificate")) < 0)
		return -1;
	for (unsigned i = 0; i < p->chain_count; i++)
		if (visitor->need(visitor->ctx, INPUT_FILE, p->chain[i],
			step_place(step, "chain")) < 0)
			return -1;
	return 0;
}

static int
check(struct build *build, const struct step *step)
{
	const struct adopt_params *p = step->params;

	return build_check_name(build, step, p->name);
}

static int
describe(const struct step *step, char **ret_text)
{
	const struct adopt_params *p = step->params;

	return step_text(ret_text,
	    "take in the certificate in '%s', issued elsewhere for key '%s', "
	    "as '%s'; nothing is signed",
	    p->certificate, p->key, p->name);
}

int
adopt_read(struct build *build, const struct step *step, const char *member,
    const char *file, X509 **ret_certificate)
{
	const struct input *input =
	    inputs_find(build->inputs, INPUT_FILE, file);

	if (input == NULL)
		return 0; /* reading the inputs gave a finding */
	if (certificate_read(file, input->data, input->len, ret_certificate) <
	    0)
		return build_error_to_finding(
		    build, step, member, "CERTIFICATE");
	return 0;
}

int
adopt_read_facts(struct build *build, const struct step *step, const char *file,
    struct certificate_facts *ret_facts, X509 **ret_certificate)
{
	AUTO(X509) *certificate = NULL;

	if (adopt_read(build, step, "certificate", file, &certificate) < 0)
		return -1;
	if (certificate == NULL)
		return 0;
	if (certificate_facts(certificate, ret_facts) < 0)
		return build_error_to_finding(
		    build, step, "certificate", "CERTIFICATE");
	*ret_certificate = TAKE(certificate);
	return 0;
}

/* The files of the chain, read. */
struct chain {
	X509 *certs[CHAIN_MAX];
	size_t count;
};

static void
chain_clear(struct chain *chain)
{
	for (size_t i = 0; i < chain->count; i++)
		X509_free(chain->certs[i]);
}
CLEANUP_DEFINE_STRUCT(chain);

/* *ret_whole: each file is a certificate. */
static int
read_chain(struct build *build, const struct step *step, char *const *files,
    unsigned count, struct chain *chain, bool *ret_whole)
{
	for (unsigned i = 0; i < count && i < CHAIN_MAX; i++) {
		if (adopt_read(
			build, step, "chain", files[i], &chain->certs[i]) < 0)
			return -1;
		if (chain->certs[i] == NULL)
			return 0;
		chain->count++;
	}
	*ret_whole = chain->count > 0;
	return 0;
}

/* Each link for itself, to say what is wrong; then the path as a whole. */
int
adopt_check_chain(struct build *build, const struct step *step,
    X509 *certificate, char *const *files, unsigned count)
{
	const char *place = step_place(step, "chain");
	AUTO_STRUCT(chain) chain = { 0 };
	const X509 *below = certificate;
	size_t errors = build->findings->errors;
	bool whole = false;

	if (read_chain(build, step, files, count, &chain, &whole) < 0)
		return -1;
	if (!whole)
		return 0;
	for (size_t i = 0; i < chain.count; i++) {
		if (certificate_check_issued(
			below, chain.certs[i], place, build->findings) < 0)
			return build_error_to_finding(
			    build, step, "chain", "CERTIFICATE");
		below = chain.certs[i];
	}
	/* 0: what the certificate says of itself; the path is verified below */
	if (X509_self_signed(chain.certs[chain.count - 1], 0) != 1)
		step_finding(build, step, "chain", "CHAIN-ROOT",
		    "RFC 5280, section 6.1",
		    "the chain does not end in a self-signed root; list every "
		    "certificate up to the root");
	if (build->findings->errors > errors)
		return 0;
	return certificate_check_path(certificate, chain.certs, chain.count,
	    build->now, place, build->findings);
}

void
adopt_check_ca(struct build *build, const struct step *step,
    const struct certificate_facts *facts)
{
	if (!facts->is_ca || !facts->signs_crls)
		step_finding(build, step, "certificate", "CRL-SIGNER-KU",
		    "RFC 5280, section 4.2.1.3",
		    "the certificate is not that of a CA that may sign CRLs");
	if (build->now < facts->not_before || build->now > facts->not_after)
		step_finding(build, step, "certificate", "ADOPT-TIME",
		    "RFC 5280, section 4.1.2.5",
		    "the certificate is not valid now");
}

/* It must be a CA in force, and its key must be the one that was kept. */
static void
check_subject(struct build *build, const struct step *step,
    const struct certificate_facts *facts, const struct key_view *key)
{
	if (facts->spki_len != key->spki_len ||
	    memcmp(facts->spki, key->spki, key->spki_len) != 0)
		step_finding(build, step, "certificate", "ADOPT-KEY", NULL,
		    "the certificate's public key is not the one kept for this "
		    "key when it was made");
	adopt_check_ca(build, step, facts);
	if (facts->self_issued)
		step_finding(build, step, "certificate", "ADOPT-SELF", NULL,
		    "the certificate is self-issued; only one that another CA "
		    "issued can be taken in");
}

static json_t *
make_data(const char *name, const char *key,
    const struct certificate_facts *facts, const unsigned char *der,
    size_t der_len)
{
	AUTO_CHARS(sha) = sha256_hex(der, der_len);
	AUTO_CHARS(issuer_dn) =
	    sha256_hex(facts->issuer_der, facts->issuer_len);
	AUTO_CHARS(subject_dn) =
	    sha256_hex(facts->subject_der, facts->subject_len);
	AUTO_CHARS(spki) = sha256_hex(facts->spki, facts->spki_len);
	AUTO_CHARS(serial) = text_hex(facts->serial, facts->serial_len);
	char from[DATE_TEXT_SIZE], until[DATE_TEXT_SIZE];

	if (sha == NULL || issuer_dn == NULL || subject_dn == NULL ||
	    spki == NULL || serial == NULL)
		return NULL;
	date_format(facts->not_before, from);
	date_format(facts->not_after, until);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b}",
	    "name", name, "key", key, "sha256", sha, "issuer_dn", issuer_dn,
	    "subject_dn", subject_dn, "serial", serial, "spki", spki,
	    "not_before", from, "not_after", until, "ca", facts->is_ca ? 1 : 0);
}

int
adopt_add_certificate(struct build *build, const struct step *step,
    const char *name, const char *key, const struct certificate_facts *facts,
    X509 *certificate)
{
	AUTO_DER(der) = NULL;
	int len = i2d_X509(certificate, &der);
	struct built_act act = { .entry = ENTRY_ADOPTED, .step = step };

	if (len <= 0 || X509_up_ref(certificate) != 1)
		return ca_error(CA_R_INTERNAL, "cannot encode a certificate");
	act.certificate = certificate;
	act.der_len = (size_t)len;
	act.der = bytes_copy(der, act.der_len);
	act.data = make_data(name, key, facts, der, act.der_len);
	act.kind = text_copy(step->kind->name);
	act.name = text_copy(name);
	act.key = text_copy(key);
	act.summary = text_printf(
	    "take in certificate '%s', subject %s, issued by %s for key '%s'",
	    name, facts->subject, facts->issuer, key);
	return build_add_act(build, &act);
}

int
adopt_is_done(const struct build *build, const char *name, bool *ret_done)
{
	AUTO_STRUCT(object_row) row = { 0 };

	if (!build->resumed)
		return 0;
	/* By an earlier part of the run: not judged again. */
	return journal_object(
	    build->journal, "certificate", name, ret_done, &row);
}

/* FLD-SERIAL-UNIQUE: one certificate has one name here. */
int
adopt_check_unknown(struct build *build, const struct step *step,
    const struct certificate_facts *facts)
{
	AUTO_CHARS(dn) = sha256_hex(facts->issuer_der, facts->issuer_len);
	AUTO_CHARS(serial) = text_hex(facts->serial, facts->serial_len);
	bool used = false;

	if (dn == NULL || serial == NULL ||
	    journal_serial_used(build->journal, dn, serial, &used) < 0)
		return -1;
	for (size_t i = 0; i < build->act_count; i++) {
		const json_t *data = build->acts[i].data;
		const char *other =
		    json_string_value(json_object_get(data, "serial"));

		used = used ||
		    (build->acts[i].entry == ENTRY_ADOPTED && other != NULL &&
			strcmp(other, serial) == 0);
	}
	if (used)
		step_finding(build, step, "certificate", "ADOPT-KNOWN", NULL,
		    "this authority has this certificate already");
	return 0;
}

static int
check_certificate(struct build *build, const struct step *step,
    const struct certificate_facts *facts, const struct key_view *key,
    X509 *certificate)
{
	const struct adopt_params *p = step->params;

	check_subject(build, step, facts, key);
	if (adopt_check_unknown(build, step, facts) < 0)
		return -1;
	return adopt_check_chain(
	    build, step, certificate, p->chain, p->chain_count);
}

static int
build(struct build *build, const struct step *step)
{
	const struct adopt_params *p = step->params;
	AUTO_STRUCT(key_view) key = { 0 };
	AUTO_STRUCT(certificate_facts) facts = { 0 };
	AUTO(X509) *certificate = NULL;
	size_t errors = build->findings->errors;
	bool done = false;

	if (adopt_is_done(build, p->name, &done) < 0)
		return -1;
	if (done)
		return 0;
	if (build_key(build, step, "key", p->key, "ca", &key) < 0 ||
	    adopt_read_facts(
		build, step, p->certificate, &facts, &certificate) < 0)
		return -1;
	if (!key.found || certificate == NULL)
		return 0;
	if (check_certificate(build, step, &facts, &key, certificate) < 0)
		return -1;
	if (build->findings->errors > errors)
		return 0;
	return adopt_add_certificate(
	    build, step, p->name, p->key, &facts, certificate);
}

static const char *
publish(const struct step *step)
{
	const struct adopt_params *p = step->params;

	return p->name;
}

const struct step_kind step_adopt_certificate = {
	.name = "adopt-certificate",
	.params_offset = offsetof(struct step_params, adopt_certificate),
	.output = "certificate",
	.inputs = inputs,
	.check = check,
	.describe = describe,
	.build = build,
	.publish = publish,
};
