/*
 * Sets of operators: each member's certificate and statement, the set file that
 * names them all, and their signatures over the anchor.
 */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/audit/people-private.h"
#include "ceremony/quorum/certificate.h"
#include "ceremony/quorum/signature.h"
#include "ceremony/steps/special.h"
#include "profiles/certificate.h"

static bool
same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* ---- enrolments ------------------------------------------------------- */

static int
copy_text(const char *text, char **ret_copy)
{
	if (text == NULL)
		return 0;
	*ret_copy = text_copy(text);
	return *ret_copy == NULL ? -1 : 0;
}

/* The row is the state's from the first: what fails frees it with all. */
static int
add_person(struct audit_people_state *state, const struct audit_entry *entry,
    struct audit_person **ret_person)
{
	struct audit_person *people =
	    realloc(state->people, (state->count + 1) * sizeof(*people));
	struct audit_person *p;

	if (people == NULL)
		return ca_error(CA_R_MEMORY, "no memory for an audit");
	state->people = people;
	p = &people[state->count];
	*p = (struct audit_person){ 0 };
	p->set = text_copy(audit_text(entry, "set"));
	p->name = text_copy(audit_text(entry, "name"));
	if (p->set == NULL || p->name == NULL) {
		free(p->set);
		free(p->name);
		return -1;
	}
	state->count++;
	p->witness = strcmp(audit_text(entry, "role"), "witness") == 0;
	*ret_person = p;
	return copy_text(audit_text(entry, "sign"), &p->sign) != 0 ||
		copy_text(audit_text(entry, "decrypt"), &p->decrypt) != 0 ||
		copy_text(audit_text(entry, "share"), &p->share) != 0 ||
		copy_text(audit_text(entry, "statement"), &p->statement) != 0 ||
		copy_text(audit_text(entry, "certificate"), &p->certificate) !=
		    0 ||
		copy_text(audit_text(entry, "decrypt_certificate"),
		    &p->decrypt_certificate) != 0
	    ? -1
	    : 0;
}

/* A certificate: one, PEM, of this key, and fit for its use. */
static int
read_certificate(struct audit *audit, const struct audit_person *person,
    const char *sha256, const char *spki, enum certificate_use use,
    X509 **ret_certificate)
{
	AUTO(X509) *certificate = NULL;
	AUTO_BYTES(data) = NULL;
	AUTO_CHARS(hex) = NULL;
	size_t len = 0;

	if (audit_evidence_bytes(audit, sha256, &data, &len) != 0)
		return -1;
	if (data == NULL)
		return ca_error(CA_R_MISSING,
		    "the certificate of '%s' is not among the evidence",
		    person->name);
	if (len == 0 || data[0] != '-')
		return ca_error(CA_R_INPUT, "the certificate of '%s' is no PEM",
		    person->name);
	if (certificate_read(person->name, data, len, &certificate) != 0 ||
	    certificate_spki_sha256(certificate, &hex) != 0)
		return -1;
	if (strcmp(hex, spki) != 0)
		return ca_error(CA_R_VERIFY,
		    "the certificate of '%s' is not for the key that enrols",
		    person->name);
	if (certificate_fits(certificate, use) != 0)
		return -1;
	*ret_certificate = TAKE(certificate);
	return 0;
}

/* What an operator has, and a witness has not. */
static int
check_parts(const struct audit_person *p)
{
	if (p->certificate == NULL)
		return ca_error(
		    CA_R_INPUT, "'%s' enrols without a certificate", p->name);
	if ((p->decrypt == NULL) != (p->decrypt_certificate == NULL) ||
	    (p->decrypt == NULL) != (p->share == NULL))
		return ca_error(CA_R_INPUT,
		    "'%s' has only some of decryption key, its certificate, "
		    "and share",
		    p->name);
	if (p->witness && p->decrypt != NULL)
		return ca_error(
		    CA_R_INPUT, "the witness '%s' has a share", p->name);
	return 0;
}

static int
read_certificates(struct audit *audit, struct audit_person *p)
{
	AUTO(X509) *sign = NULL;
	AUTO(X509) *decrypt = NULL;

	if (check_parts(p) != 0 ||
	    read_certificate(audit, p, p->certificate, p->sign,
		CERTIFICATE_SIGN, &sign) != 0 ||
	    (p->decrypt != NULL &&
		read_certificate(audit, p, p->decrypt_certificate, p->decrypt,
		    CERTIFICATE_DECRYPT, &decrypt) != 0))
		return -1;
	p->x509 = TAKE(sign);
	return 0;
}

int
audit_enrolment(struct audit *audit, struct audit_people_state *state,
    const struct audit_entry *entry)
{
	struct audit_person *person = NULL;

	state->enrolling = (struct audit_entry){
		.seq = entry->seq, .time = entry->time, .kind = entry->kind
	};
	state->is_enrolling = true;
	if (add_person(state, entry, &person) != 0)
		return -1;
	return read_certificates(audit, person) == 0
	    ? 0
	    : audit_take_error(audit, entry, "AUDIT-ENROLMENT");
}

/* ---- the set file ----------------------------------------------------- */

struct enrolled {
	struct audit *audit;
	struct audit_people_state *state;
	const char *set;
};

/* A file that set.yaml names, by whose it is. */
static int
named_file(
    const struct enrolled *enrolled, const char *given, const char **ret_sha256)
{
	for (size_t i = 0; i < enrolled->state->count; i++) {
		const struct audit_person *p = &enrolled->state->people[i];
		AUTO_CHARS(sign) = text_printf("%s.sign.crt", p->name);
		AUTO_CHARS(decrypt) = text_printf("%s.decrypt.crt", p->name);

		if (sign == NULL || decrypt == NULL)
			return -1;
		if (strcmp(p->set, enrolled->set) != 0)
			continue;
		if (strcmp(sign, given) == 0)
			*ret_sha256 = p->certificate;
		else if (strcmp(decrypt, given) == 0)
			*ret_sha256 = p->decrypt_certificate;
	}
	return 0;
}

static int
read_enrolled(
    void *ctx, const char *given, unsigned char **ret_data, size_t *ret_len)
{
	const struct enrolled *enrolled = ctx;
	const char *sha256 = NULL;

	if (named_file(enrolled, given, &sha256) != 0)
		return -1;
	if (sha256 == NULL)
		return ca_error(
		    CA_R_MISSING, "'%s' is of nobody who has enrolled", given);
	if (audit_evidence_bytes(enrolled->audit, sha256, ret_data, ret_len) !=
	    0)
		return -1;
	return *ret_data != NULL
	    ? 0
	    : ca_error(CA_R_MISSING, "'%s' is not among the evidence", given);
}

/* *ret_set stays NULL, with a finding, where the file is not as it must be. */
static int
read_set(struct audit *audit, struct audit_people_state *state,
    const struct audit_entry *entry, struct quorum_set **ret_set)
{
	const char *id = audit_text(entry, "set");
	struct enrolled enrolled = { audit, state, id };
	const struct set_files files = { &enrolled, read_enrolled };
	AUTO_BYTES(data) = NULL;
	size_t len = 0;

	if (audit_evidence_bytes(
		audit, audit_text(entry, "sha256"), &data, &len) != 0)
		return -1;
	if (data == NULL) {
		audit_error(audit, entry, "AUDIT-SET",
		    "set.yaml of set %s is not among the evidence", id);
		return 0;
	}
	if (set_read_stored("set.yaml", data, len, id, &files, ret_set) == 0)
		return 0;
	return audit_take_error(audit, entry, "AUDIT-SET");
}

/* ---- a set against its entries ---------------------------------------- */

static int
check_facts(struct audit *audit, const struct audit_entry *entry,
    const struct quorum_set *set)
{
	AUTO_STRUCT(authority_row) row = { 0 };

	if (journal_authority(audit->journal, &row) != 0)
		return -1;
	if (!same(set->authority, row.id))
		audit_error(audit, entry, "AUDIT-SET",
		    "set %s is of the authority '%s'", set->id, set->authority);
	if (set->threshold != (unsigned)audit_number(entry, "threshold") ||
	    set->operators != (unsigned)audit_number(entry, "operators") ||
	    !same(set->commitments, audit_text(entry, "commitments")))
		audit_error(audit, entry, "AUDIT-SET",
		    "set.yaml of set %s says %u of %u operators and "
		    "commitments %s, the entry says otherwise",
		    set->id, set->threshold, set->operators,
		    set->commitments == NULL ? "none" : set->commitments);
	if (set_warning(set) != NULL)
		audit_warning(audit, entry, "AUDIT-SET", "set %s: %s", set->id,
		    set_warning(set));
	return 0;
}

/* The set holds exactly those who have enrolled, with the same keys. */
static void
check_members(struct audit *audit, struct audit_people_state *state,
    const struct audit_entry *entry, const struct quorum_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct person *person = &set->people[i];
		const struct audit_person *p =
		    audit_find_person(state, set->id, person->name);

		if (p == NULL || p->witness != person->witness ||
		    !same(p->sign, person->sign_spki) ||
		    !same(p->decrypt, person->decrypt_spki))
			audit_error(audit, entry, "AUDIT-SET",
			    "'%s' stands in set.yaml of set %s, and has not "
			    "enrolled so",
			    person->name, set->id);
	}
	for (size_t i = 0; i < state->count; i++)
		if (strcmp(state->people[i].set, set->id) == 0 &&
		    set_person(set, state->people[i].name) == NULL)
			audit_error(audit, entry, "AUDIT-SET",
			    "'%s' has enrolled in set %s, and does not stand "
			    "in its set.yaml",
			    state->people[i].name, set->id);
}

/* Each operator signed for this set, these people, and their share. */
static int
check_statement(struct audit *audit, const struct audit_entry *entry,
    const struct quorum_set *set, const struct audit_person *p)
{
	const struct set_enrolment enrolment = { .authority = set->authority,
		.set = set->id,
		.set_sha256 = set->sha256,
		.commitments = set->commitments,
		.operator= p->name,
		.share = p->share };
	AUTO_CHARS(text) = NULL;
	AUTO_BYTES(der) = NULL;
	size_t len = 0;

	if (set_enrolment_compose(&enrolment, &text) != 0 ||
	    audit_evidence_bytes(audit, p->statement, &der, &len) != 0)
		return -1;
	if (der == NULL) {
		audit_error(audit, entry, "AUDIT-ENROLMENT",
		    "the statement of '%s' is not among the evidence", p->name);
		return 0;
	}
	if (signature_verify(
		SIGNATURE_ENROL, text, strlen(text), der, len, p->x509) == 0)
		return 0;
	audit_error(audit, entry, "AUDIT-ENROLMENT",
	    "'%s' has not signed the statement of enrolment in set %s", p->name,
	    set->id);
	return audit_take_error(audit, entry, "AUDIT-ENROLMENT");
}

static int
check_statements(struct audit *audit, struct audit_people_state *state,
    const struct audit_entry *entry, const struct quorum_set *set)
{
	for (size_t i = 0; i < state->count; i++) {
		const struct audit_person *p = &state->people[i];

		if (strcmp(p->set, set->id) != 0 || p->witness ||
		    p->x509 == NULL)
			continue; /* that has a finding already */
		if (check_statement(audit, entry, set, p) != 0)
			return -1;
	}
	return 0;
}

/* ---- who may put a set in force --------------------------------------- */

/* The people, threshold and permissions that the reshare's plan names. */
static int
read_proposal(struct audit *audit, const struct run_row *run, bool shares,
    const struct audit_entry *entry, struct quorum_set **ret_set)
{
	AUTO_STRUCT(audit_plan) plan = { 0 };
	AUTO_STRUCT(findings) findings = { 0 };

	if (audit_plan_read(audit, run->manifest, true, &plan) != 0)
		return -1;
	if (plan.params->steps_count != 1 ||
	    plan.steps[0].kind != &step_reshare)
		return ca_error(CA_R_POLICY,
		    "the plan '%s' of its run is no reshare", run->plan);
	return reshare_read_set(&plan.inputs, plan.steps[0].params, shares,
	    entry->time, &findings, ret_set);
}

static int
check_proposal(struct audit *audit, const struct audit_entry *entry,
    const struct quorum_set *set, const struct run_row *run)
{
	AUTO_PTR(quorum_set) *proposal = NULL;

	if (read_proposal(audit, run, set->shares, entry, &proposal) != 0)
		return audit_take_error(audit, entry, "AUDIT-SET");
	if (!set_is_proposal_of(proposal, set))
		audit_error(audit, entry, "AUDIT-SET",
		    "set %s is not the one that plan '%s' proposes, and that "
		    "its operators approved",
		    set->id, run->plan);
	return 0;
}

/* By a reshare of the set that it replaces; `ways` counts who agreed. */
static int
check_reshare(struct audit *audit, const struct audit_entry *entry,
    const struct quorum_set *set)
{
	const char *replaces = audit_text(entry, "replaces");
	AUTO_STRUCT(run_row) run = { 0 };
	bool found = false;

	if (journal_run(
		audit->journal, audit_text(entry, "run"), &found, &run) != 0)
		return -1;
	if (!found || !same(run.set, replaces)) {
		audit_error(audit, entry, "AUDIT-SET",
		    "the run that replaces set %s was approved by the "
		    "operators of another",
		    replaces);
		return 0;
	}
	return check_proposal(audit, entry, set, &run);
}

int
audit_quorum(struct audit *audit, struct audit_people_state *state,
    const struct audit_entry *entry)
{
	AUTO_PTR(quorum_set) *set = NULL;

	state->is_enrolling = false;
	if (strcmp(audit_text(entry, "state"), "undone") == 0)
		return 0;
	if (read_set(audit, state, entry, &set) != 0)
		return -1;
	if (set == NULL)
		return 0;
	if (check_facts(audit, entry, set) != 0)
		return -1;
	check_members(audit, state, entry, set);
	if (check_statements(audit, state, entry, set) != 0)
		return -1;
	return audit_text(entry, "replaces") == NULL
	    ? 0
	    : check_reshare(audit, entry, set);
}

/* ---- the anchor ------------------------------------------------------- */

/* The text of docs/journal.md for this set; NULL: the journal has no key. */
static int
compose_anchor(struct audit *audit, const char *set, char **ret_text)
{
	AUTO_STRUCT(authority_row) row = { 0 };
	AUTO_STRUCT(key_row) key = { 0 };
	AUTO_CHARS(spki) = NULL;
	char genesis[HASH_HEX_SIZE];
	bool found = false;

	if (journal_authority(audit->journal, &row) != 0 ||
	    journal_key(audit->journal, "journal", &found, &key) != 0)
		return -1;
	if (!found || key.spki == NULL)
		return 0;
	spki = sha256_hex(key.spki, key.spki_len);
	if (spki == NULL)
		return -1;
	text_hex_into(row.genesis, HASH_LEN, genesis);
	*ret_text = text_printf("ca-tool anchor 1\n"
				"authority: %s\n"
				"genesis: %s\n"
				"journal-key: %s\n"
				"set: %s\n",
	    row.id, genesis, spki, set);
	return *ret_text == NULL ? -1 : 0;
}

static int
check_anchor_text(struct audit *audit, const struct audit_entry *entry,
    const unsigned char *text, size_t len, bool *ret_right)
{
	AUTO_CHARS(wanted) = NULL;

	if (compose_anchor(audit, audit_text(entry, "set"), &wanted) != 0)
		return -1;
	*ret_right = wanted != NULL && strlen(wanted) == len &&
	    memcmp(wanted, text, len) == 0;
	if (!*ret_right)
		audit_error(audit, entry, "AUDIT-ANCHOR-SIGNATURE",
		    "what '%s' signed is not the anchor of this authority, its "
		    "journal's key and set %s",
		    audit_text(entry, "name"), audit_text(entry, "set"));
	return 0;
}

static int
verify_anchor(struct audit *audit, const struct audit_entry *entry,
    struct audit_person *person, const unsigned char *text, size_t len)
{
	AUTO_BYTES(der) = NULL;
	size_t der_len = 0;

	if (audit_evidence_bytes(
		audit, audit_text(entry, "statement"), &der, &der_len) != 0)
		return -1;
	if (der == NULL)
		return 0;
	if (signature_verify(
		SIGNATURE_ANCHOR, text, len, der, der_len, person->x509) != 0)
		return audit_take_error(audit, entry, "AUDIT-ANCHOR-SIGNATURE");
	person->anchored = true;
	return 0;
}

int
audit_anchor(struct audit *audit, struct audit_people_state *state,
    const struct audit_entry *entry)
{
	struct audit_person *person = audit_find_person(
	    state, audit_text(entry, "set"), audit_text(entry, "name"));
	AUTO_BYTES(text) = NULL;
	size_t len = 0;
	bool right = false;

	if (person == NULL || person->x509 == NULL) {
		audit_error(audit, entry, "AUDIT-ANCHOR-SIGNATURE",
		    "'%s' has no certificate with which the signature could be "
		    "verified",
		    audit_text(entry, "name"));
		return 0;
	}
	if (audit_evidence_bytes(
		audit, audit_text(entry, "text"), &text, &len) != 0)
		return -1;
	if (text == NULL)
		return 0;
	if (check_anchor_text(audit, entry, text, len, &right) != 0)
		return -1;
	return right ? verify_anchor(audit, entry, person, text, len) : 0;
}

/* All operators of the set in force have signed it. */
static int
check_all_anchored(struct audit *audit, struct audit_people_state *state,
    const struct audit_entry *entry, const char *set)
{
	for (size_t i = 0; i < state->count; i++)
		if (strcmp(state->people[i].set, set) == 0 &&
		    !state->people[i].witness && !state->people[i].anchored)
			audit_error(audit, entry, "AUDIT-ANCHOR-SIGNATURE",
			    "operator '%s' of set %s has not signed the anchor",
			    state->people[i].name, set);
	return 0;
}

int
audit_ready(struct audit *audit, struct audit_people_state *state,
    const struct audit_entry *entry)
{
	AUTO_STRUCT(quorum_row) row = { 0 };
	bool found = false;

	if (journal_quorum(audit->journal, &found, &row) != 0)
		return -1;
	if (!found) {
		audit_error(audit, entry, "AUDIT-SET",
		    "the authority is ready, and no set is in force");
		return 0;
	}
	return check_all_anchored(audit, state, entry, row.set);
}

/* The set that the run put in force, if it is in force; else NULL. */
static int
set_of_run(struct audit *audit, const char *run, char **ret_set)
{
	AUTO_STRUCT(query) query = { 0 };
	bool row;

	if (query_start(audit->journal,
		"SELECT set_id FROM sets WHERE run = ?1 AND state = 1",
		SQL_VALUES(sql_text(run)), &query) != 0 ||
	    query_step(&query, &row) != 0)
		return -1;
	return row ? query_text(&query, 0, ret_set) : 0;
}

int
audit_anchored(struct audit *audit, struct audit_people_state *state,
    const struct audit_entry *entry)
{
	AUTO_CHARS(set) = NULL;

	if (strcmp(audit_text(entry, "outcome"), "done") != 0)
		return 0;
	if (set_of_run(audit, audit_text(entry, "run"), &set) != 0)
		return -1;
	return set == NULL ? 0 : check_all_anchored(audit, state, entry, set);
}
