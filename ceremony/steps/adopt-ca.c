/*
 * The step that takes over a CA whose key is on the token already: the key, its
 * certificate, and its last CRL, so that the next one goes on from there.  It
 * signs nothing: everything is an act that operators confirm, so that a run
 * that is refused leaves the key as it was.
 */
#include <inttypes.h>
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "ceremony/steps/adopt-private.h"
#include "ceremony/steps/revocations.h"
#include "ceremony/steps/scope.h"

static int
inputs(const struct step *step, const struct input_visitor *visitor)
{
	const struct adopt_ca_params *p = step->params;

	if (visitor->need(visitor->ctx, INPUT_FILE, p->certificate,
		step_place(step, "certificate")) < 0)
		return -1;
	for (unsigned i = 0; i < p->chain_count; i++)
		if (visitor->need(visitor->ctx, INPUT_FILE, p->chain[i],
			step_place(step, "chain")) < 0)
			return -1;
	return p->crl == NULL
	    ? 0
	    : visitor->need_bulk(visitor->ctx, p->crl, step_place(step, "crl"));
}

static int
check(struct build *build, const struct step *step)
{
	const struct adopt_ca_params *p = step->params;

	if (p->none != NULL && strcmp(p->none, "true") != 0)
		step_finding(build, step, "never-signed-a-crl", "ADOPT-CRL",
		    NULL, "'%s' says nothing; write 'true', or leave it out",
		    p->none);
	if ((p->crl != NULL) == (p->none != NULL))
		step_finding(build, step, "crl", "ADOPT-CRL",
		    "RFC 5280, section 5.2.3",
		    "give the CA's last CRL with 'crl', or say with "
		    "'never-signed-a-crl: \"true\"' that there is none: what "
		    "it revoked must stay revoked, and no number is used "
		    "twice");
	step_check_backup(build, step, p->backup);
	if (step_check_key_name(build, step, p->key) < 0)
		return -1;
	return build_check_name(build, step, p->name);
}

static int
describe(const struct step *step, char **ret_text)
{
	const struct adopt_ca_params *p = step->params;

	return step_text(ret_text,
	    "take over the CA of the certificate in '%s' as '%s': its key, "
	    "which is on the token, as '%s', %s%s; nothing is signed",
	    p->certificate, p->name, p->key,
	    p->crl != NULL ? "and what its last CRL revokes, from "
			   : "and no CRL, for it never signed one",
	    p->crl != NULL ? p->crl : "");
}

static void
keys(const struct step *step, struct key_order *ret_order)
{
	const struct adopt_ca_params *p = step->params;

	*ret_order = (struct key_order){
		.name = p->key,
		.purpose = "ca",
		.backup = p->backup,
		.adopt = p->certificate,
	};
}

/* ---- the key ---------------------------------------------------------- */

static const struct planned_key *
own_key(const struct build *build, const struct step *step)
{
	for (size_t i = 0; i < build->key_count; i++)
		if (build->keys[i].step == step->index)
			return &build->keys[i];
	return NULL;
}

/* Of this authority it must not be one already. */
static int
check_key(struct build *build, const struct step *step,
    const struct certificate_facts *facts)
{
	AUTO_STRUCT(key_row) row = { 0 };
	unsigned char digest[HASH_LEN];
	bool found = false;

	if (key_type_of_spki(facts->spki, facts->spki_len) == NULL) {
		step_finding(build, step, "certificate", "KEY-TYPE", NULL,
		    "the certificate's key is of no type that ca-tool uses: "
		    "rsa-2048, rsa-3072, rsa-4096, p-256, p-384 or p-521");
		return 0;
	}
	if (sha256(facts->spki, facts->spki_len, digest) < 0 ||
	    journal_key_by_spki(build->journal, digest, &found, &row) < 0)
		return -1;
	if (found)
		step_finding(build, step, "certificate", "ADOPT-KEY", NULL,
		    "the certificate's key is key '%s' of this authority, %s; "
		    "a further certificate for it is taken in by an "
		    "adopt-certificate step",
		    row.name,
		    row.state == KEY_GONE ? "which was destroyed"
					  : "which it has already");
	for (size_t i = 0; i < build->key_count; i++)
		if (build->keys[i].step < step->index &&
		    build->keys[i].spki_len == facts->spki_len &&
		    memcmp(build->keys[i].spki, facts->spki, facts->spki_len) ==
			0)
			step_finding(build, step, "certificate", "ADOPT-KEY",
			    NULL,
			    "an earlier step takes in the same key already");
	return 0;
}

static int
add_key_act(struct build *build, const struct step *step, enum entry_kind kind,
    json_t *data, char *summary)
{
	struct built_act act = {
		.entry = kind,
		.step = step,
		.kind = text_copy(step->kind->name),
		.data = data,
		.summary = summary,
	};

	if (data != NULL &&
	    json_object_set_new(data, "adopted", json_true()) != 0)
		return ca_error(CA_R_MEMORY, "no memory for an act");
	return build_add_act(build, &act);
}

/* What the token says of the key is known in a run alone. */
static int
add_key(struct build *build, const struct step *step)
{
	const struct adopt_ca_params *p = step->params;
	const struct planned_key *key = own_key(build, step);
	const char *id;
	json_t *data;

	if (key == NULL || key->facts == NULL)
		return 0;
	id = json_string_value(json_object_get(key->facts, "id"));
	if (add_key_act(build, step, ENTRY_KEY_INTENT,
		json_pack("{s:s, s:s, s:s, s:s, s:s}", "name", p->key, "id", id,
		    "type", key->order.type, "purpose", key->order.purpose,
		    "backup", p->backup),
		text_printf("take in the %s key with CKA_ID %s on the token as "
			    "'%s', for signing certificates and CRLs",
		    key->order.type, id, p->key)) < 0)
		return -1;
	data = json_deep_copy(key->facts);
	if (data != NULL &&
	    json_object_set_new(data, "name", json_string(p->key)) != 0)
		return ca_error(CA_R_MEMORY, "no memory for an act");
	return add_key_act(build, step, ENTRY_KEY, data,
	    text_printf("key '%s' was on the token before; the token's own "
			"word: made inside it, and never extractable",
		p->key));
}

/* ---- the certificate -------------------------------------------------- */

/* A root is its own; any other CA comes with its chain. */
static int
check_path(struct build *build, const struct step *step, X509 *certificate)
{
	const struct adopt_ca_params *p = step->params;
	const char *place = step_place(step, "certificate");

	/* 1: by its signature, not only by its words */
	if (X509_self_signed(certificate, 1) != 1) {
		ca_error_clear();
		if (p->chain_count == 0) {
			step_finding(build, step, "chain", "CHAIN-ROOT",
			    "RFC 5280, section 6.1",
			    "the certificate is not that of a root; list every "
			    "certificate up to the root in 'chain'");
			return 0;
		}
		return adopt_check_chain(
		    build, step, certificate, p->chain, p->chain_count);
	}
	if (p->chain_count > 0) {
		step_finding(build, step, "chain", "CHAIN-ROOT", NULL,
		    "the certificate is that of a root; it has no chain");
		return 0;
	}
	return certificate_check_path(
	    certificate, &certificate, 1, build->now, place, build->findings);
}

static int
check_certificate(struct build *build, const struct step *step,
    const struct certificate_facts *facts, X509 *certificate)
{
	adopt_check_ca(build, step, facts);
	if (!facts->signs_certificates)
		step_finding(build, step, "certificate", "ADOPT-CA-KU",
		    "RFC 5280, section 4.2.1.3",
		    "the certificate is not that of a CA that may sign "
		    "certificates");
	if (check_key(build, step, facts) < 0 ||
	    adopt_check_unknown(build, step, facts) < 0)
		return -1;
	return check_path(build, step, certificate);
}

/* ---- the last CRL ----------------------------------------------------- */

/* What its acts say of it. */
struct last_crl {
	uint64_t number;
	int64_t from, until;
	const struct input *input;
	struct listing listing;
};

static void
last_crl_clear(struct last_crl *crl)
{
	listing_clear(&crl->listing);
}
CLEANUP_DEFINE_STRUCT(last_crl);

static void
check_dates(
    struct build *build, const struct step *step, const struct last_crl *crl)
{
	const char *place = step_place(step, "crl");
	char text[DATE_TEXT_SIZE];

	date_format(crl->from, text);
	if (crl->from > build->now)
		step_finding(build, step, "crl", "ADOPT-CRL",
		    "RFC 5280, section 5.1.2.4",
		    "the CRL is of %s, which is in the future", text);
	date_format(crl->until, text);
	if (crl->until < build->now)
		findings_add(build->findings, FINDING_WARNING, "ADOPT-CRL",
		    place, "RFC 5280, section 5.1.2.5",
		    "the CRL ended on %s: make sure that it is the CA's last "
		    "one, and sign the next one soon",
		    text);
}

/* Number, dates, scope: what the step needs beside the entries. */
static int
read_crl(struct build *build, const struct step *step, struct last_crl *crl)
{
	const struct adopt_ca_params *p = step->params;
	AUTO(X509_CRL) *parsed = NULL;
	AUTO(ASN1_INTEGER) *number = NULL;
	AUTO_STRUCT(crl_scope) scope = { 0 };
	int critical = 0;

	if (crl_read(p->crl, crl->input->data, crl->input->len, &parsed) < 0 ||
	    crl_scope_read(parsed, &scope) < 0)
		return build_error_to_finding(build, step, "crl", "ADOPT-CRL");
	if (scope.url != NULL || scope.only_ca || scope.only_user)
		step_finding(build, step, "crl", "ADOPT-CRL",
		    "RFC 5280, section 5.2.5",
		    "the CRL is about a part of the CA's certificates; give a "
		    "full one");
	number = X509_CRL_get_ext_d2i(parsed, NID_crl_number, &critical, NULL);
	if (number == NULL ||
	    ASN1_INTEGER_get_uint64(&crl->number, number) != 1 ||
	    crl->number >= INT64_MAX ||
	    X509_CRL_get0_nextUpdate(parsed) == NULL ||
	    date_from_asn1(X509_CRL_get0_lastUpdate(parsed), &crl->from) < 0 ||
	    date_from_asn1(X509_CRL_get0_nextUpdate(parsed), &crl->until) < 0) {
		ca_error_clear();
		step_finding(build, step, "crl", "ADOPT-CRL",
		    "RFC 5280, section 5.2.3",
		    "the CRL has no number below 2^63, or no dates, to go on "
		    "from");
		return 0;
	}
	check_dates(build, step, crl);
	return 0;
}

/* Its entries against certificates of it that are here already. */
struct meeting {
	struct build *build;
	const struct step *step;
	const struct listing *listing;
};

static int
meet_known(void *ctx, const struct object_row *row)
{
	const struct meeting *meeting = ctx;
	const struct listed *listed;
	struct serial serial;

	if (serial_from_hex(row->serial, strlen(row->serial), &serial) < 0)
		return -1;
	listed = listing_find(meeting->listing, &serial);
	if (listed != NULL && row->ca && listed->reason == REASON_NONE)
		step_finding(meeting->build, meeting->step, "crl",
		    "CRL-REASON-CA", "BR 7.2.2",
		    "the CRL revokes CA certificate '%s' without a reason; "
		    "have the CA sign one that has it",
		    row->name);
	return 0;
}

static int
check_entries(struct build *build, const struct step *step,
    const X509 *certificate, const struct listing *listing)
{
	AUTO_STRUCT(certificate_facts) facts = { 0 };
	AUTO_CHARS(dn) = NULL;
	struct meeting meeting = { build, step, listing };
	struct certificate_filter filter = { 0 };
	struct serial own;

	if (certificate_facts(certificate, &facts) < 0)
		return -1;
	dn = sha256_hex(facts.subject_der, facts.subject_len);
	if (dn == NULL ||
	    serial_from_octets(facts.serial, facts.serial_len, &own) < 0)
		return dn == NULL ? -1
				  : build_error_to_finding(build, step,
					"certificate", "SERIAL-FORM");
	if (facts.self_issued && listing_find(listing, &own) != NULL)
		step_finding(build, step, "crl", "REVOKE-ROOT",
		    "RFC 5280, section 6.3",
		    "the CRL revokes the root itself, which cannot be taken "
		    "over then");
	filter.issuer_dn = dn;
	return journal_each_certificate(
	    build->journal, &filter, meet_known, &meeting);
}

/* As it is published: evidence must be the CRL's own octets. */
static bool
is_der(const struct input *input)
{
	return input->len > 0 && input->data[0] == 0x30;
}

static int
check_crl(struct build *build, const struct step *step, const X509 *certificate,
    struct last_crl *crl)
{
	const struct adopt_ca_params *p = step->params;
	bool good = false;

	crl->input = inputs_find(build->inputs, INPUT_BULK, p->crl);
	if (crl->input == NULL)
		return 0; /* reading the inputs gave a finding */
	if (!is_der(crl->input)) {
		step_finding(build, step, "crl", "ADOPT-CRL",
		    "RFC 5280, section 4.2.1.13",
		    "'%s' is no CRL in DER; give it as it is published "
		    "(openssl crl -outform DER)",
		    p->crl);
		return 0;
	}
	if (revocations_from_crl(build, step_place(step, "crl"), p->crl,
		crl->input->data, crl->input->len, certificate, REASON_NONE,
		&good, &crl->listing) < 0)
		return -1;
	if (!good)
		return 0;
	if (check_entries(build, step, certificate, &crl->listing) < 0)
		return -1;
	return read_crl(build, step, crl);
}

/* The CRL's own name here. */
static char *
crl_name(const struct adopt_ca_params *p, const struct last_crl *crl)
{
	return text_printf("%s-crl-%" PRIu64, p->name, crl->number);
}

static int
check_crl_name(
    struct build *build, const struct step *step, const struct last_crl *crl)
{
	AUTO_CHARS(name) = crl_name(step->params, crl);
	AUTO_STRUCT(object_row) row = { 0 };
	bool found = false;

	if (name == NULL ||
	    journal_object(build->journal, "crl", name, &found, &row) < 0)
		return -1;
	if (found || !text_is_name(name))
		step_finding(build, step, "name", "NAME-TAKEN", NULL,
		    "the last CRL would be called '%s' here, and that %s; "
		    "choose another name",
		    name, found ? "is taken" : "is too long");
	return 0;
}

static json_t *
crl_json(const struct adopt_ca_params *p, const struct last_crl *crl)
{
	AUTO_CHARS(name) = crl_name(p, crl);
	AUTO_CHARS(number) = text_printf("%" PRIu64, crl->number);
	char sha[HASH_HEX_SIZE], from[DATE_TEXT_SIZE], until[DATE_TEXT_SIZE];

	if (name == NULL || number == NULL)
		return NULL;
	text_hex_into(crl->input->sha256, HASH_LEN, sha);
	date_format(crl->from, from);
	date_format(crl->until, until);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:I}", "name", name,
	    "sha256", sha, "number", number, "this_update", from, "next_update",
	    until, "entries", (json_int_t)crl->listing.count);
}

static int
add_crl(struct build *build, const struct step *step,
    const struct certificate_facts *facts, const struct last_crl *crl)
{
	const struct adopt_ca_params *p = step->params;
	AUTO_CHARS(dn) = sha256_hex(facts->subject_der, facts->subject_len);
	AUTO_CHARS(list) = NULL;
	struct built_act act = { .entry = ENTRY_REVOCATIONS, .step = step };

	if (dn == NULL ||
	    listing_revocations_text(
		&crl->listing, build->scratch_fd, &act.list) < 0)
		return -1;
	list = spilled_hex(&act.list);
	act.kind = text_copy(step->kind->name);
	act.data = json_pack("{s:s, s:s, s:I, s:s, s:s, s:s, s:o}", "issuer",
	    p->name, "issuer_dn", dn, "count", (json_int_t)crl->listing.count,
	    "list", list, "source", "adopted", "cause", "plan", "crl",
	    crl_json(p, crl));
	act.summary = text_printf(
	    "take in the last CRL of '%s', number %" PRIu64 ", and the %zu "
	    "certificates that it revokes; the next one has a higher number",
	    p->name, crl->number, crl->listing.count);
	/* What is NULL is refused, and cleared with the rest. */
	if (list == NULL ||
	    listing_plan(&crl->listing, build->scratch_fd, &act) < 0) {
		free(act.summary);
		act.summary = NULL;
	}
	return build_add_act(build, &act);
}

/* ---- building --------------------------------------------------------- */

static int
add_acts(struct build *build, const struct step *step,
    const struct certificate_facts *facts, X509 *certificate,
    const struct last_crl *crl)
{
	const struct adopt_ca_params *p = step->params;

	if (add_key(build, step) < 0 ||
	    adopt_add_certificate(
		build, step, p->name, p->key, facts, certificate) < 0)
		return -1;
	return crl->input == NULL ? 0 : add_crl(build, step, facts, crl);
}

static int
build(struct build *build, const struct step *step)
{
	const struct adopt_ca_params *p = step->params;
	AUTO_STRUCT(certificate_facts) facts = { 0 };
	AUTO_STRUCT(last_crl) crl = { 0 };
	AUTO(X509) *certificate = NULL;
	size_t errors = build->findings->errors;
	bool done = false;

	if (adopt_is_done(build, p->name, &done) < 0)
		return -1;
	if (done)
		return 0;
	if (adopt_read_facts(
		build, step, p->certificate, &facts, &certificate) < 0)
		return -1;
	if (certificate == NULL)
		return 0;
	if (check_certificate(build, step, &facts, certificate) < 0 ||
	    (p->crl != NULL &&
		(check_crl(build, step, certificate, &crl) < 0 ||
		    check_crl_name(build, step, &crl) < 0)))
		return -1;
	if (build->findings->errors > errors)
		return 0;
	return add_acts(build, step, &facts, certificate, &crl);
}

static const char *
publish(const struct step *step)
{
	const struct adopt_ca_params *p = step->params;

	return p->name;
}

const struct step_kind step_adopt_ca = {
	.name = "adopt-ca",
	.params_offset = offsetof(struct step_params, adopt_ca),
	.output = "certificate",
	.inputs = inputs,
	.check = check,
	.describe = describe,
	.keys = keys,
	.build = build,
	.publish = publish,
};
