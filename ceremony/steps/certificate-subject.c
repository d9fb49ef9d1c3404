/* Whose key a certificate is for, and whether it may be. */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/steps/certificate-private.h"
#include "ceremony/steps/index.h"
#include "profiles/rules/rule.h"

/* ---- where it comes from ---------------------------------------------- */

/*
 * In a check a late request's key is not known: one of a type that the profile
 * takes stands for it, P-256 if it may, and none that stands for another.
 */
static int
late_placeholder(struct making *m)
{
	enum { LATE_NUMBER = 1 << 20 };
	const struct key_type *type = key_type_by_name("p-256");

	if (m->profile == NULL)
		return 0; /* a finding says why */
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
	struct der der;

	if (earlier_in_memory(earlier, OBJECT_CERTIFICATE, &der) < 0 ||
	    certificate_read(m->params->name, der.p, der.len, &certificate) <
		0 ||
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
	if (!certificate_is_late(m->params)) {
		/* Where it is NULL, reading the inputs gave a finding. */
		*ret_input =
		    inputs_find(m->build->inputs, INPUT_FILE, m->params->csr);
		return 0;
	}
	return m->build->mode == BUILD_CHECK ? late_placeholder(m)
					     : find_late(m, ret_input);
}

static int
take_request(struct making *m)
{
	const struct input *input = NULL;
	const char *place;

	if (find_request(m, &input) < 0)
		return -1;
	if (input == NULL)
		return 0;
	place = certificate_is_late(m->params) ? input->file : m->params->csr;
	if (csr_read(place, input->data, input->len, m->build->findings,
		&m->csr) < 0) {
		if (ca_error_exit_status() != CA_EXIT_REFUSED)
			return -1;
		ca_error_clear(); /* the findings say it */
		return 0;
	}
	m->has_csr = true;
	m->spki = m->csr.spki;
	m->spki_len = m->csr.spki_len;
	return 0;
}

static int
take_own_key(struct making *m)
{
	if (build_key(m->build, m->step, "key", m->params->key,
		variant_of(m->step)->purpose, &m->key) < 0)
		return -1;
	m->spki = m->key.spki;
	m->spki_len = m->key.spki_len;
	return 0;
}

/* Octet for octet that of the existing certificate (CROSS-SPKI-BYTES). */
static int
copy_existing_key(struct making *m)
{
	AUTO_STRUCT(certificate_facts) facts = { 0 };

	if (certificate_facts(m->existing, &facts) < 0)
		return build_error_to_finding(
		    m->build, m->step, "existing", "CERTIFICATE");
	m->kept = bytes_copy(facts.spki, facts.spki_len);
	if (m->kept == NULL)
		return -1;
	m->spki = m->kept;
	m->spki_len = facts.spki_len;
	return 0;
}

/* A request for the same key; nothing else is taken from it. */
static int
check_possession_request(struct making *m)
{
	const char *file = m->params->csr;
	const struct input *input =
	    inputs_find(m->build->inputs, INPUT_FILE, file);
	AUTO_STRUCT(csr) csr = { 0 };

	if (input == NULL)
		return 0; /* reading the inputs gave a finding */
	if (csr_read(file, input->data, input->len, m->build->findings, &csr) <
	    0) {
		if (ca_error_exit_status() != CA_EXIT_REFUSED)
			return -1;
		ca_error_clear(); /* the findings say it */
		return 0;
	}
	if (csr.spki_len != m->spki_len ||
	    memcmp(csr.spki, m->spki, m->spki_len) != 0)
		step_finding(m->build, m->step, "csr", "CROSS-SPKI-BYTES",
		    "BR 7.1.2.2",
		    "the request is for another key than that of the existing "
		    "certificate");
	return 0;
}

/*
 * CSR-POP: by the existing certificate's own signature, by a request, or because
 * the key is on the token.  That the signature verifies, certificate_check()
 * sees.
 */
static int
check_possession(struct making *m)
{
	if (m->params->csr != NULL)
		return check_possession_request(m);
	/* 0: what the certificate says of itself */
	if (m->params->key == NULL && X509_self_signed(m->existing, 0) != 1)
		step_finding(m->build, m->step, "existing", "CSR-POP",
		    "RFC 2986",
		    "the existing certificate is not self-signed, so it does "
		    "not show that the CA has its key; give a request for the "
		    "same key with 'csr'");
	return 0;
}

static int
take_existing(struct making *m)
{
	const char *file = m->params->existing;
	const struct input *input =
	    inputs_find(m->build->inputs, INPUT_FILE, file);

	if (input == NULL)
		return 0; /* reading the inputs gave a finding */
	if (certificate_read(file, input->data, input->len, &m->existing) < 0)
		return build_error_to_finding(
		    m->build, m->step, "existing", "CERTIFICATE");
	if (m->params->key != NULL && take_own_key(m) < 0)
		return -1;
	if (m->params->key != NULL && m->spki == NULL)
		return 0; /* a finding says why */
	if (copy_existing_key(m) < 0)
		return -1;
	return m->spki == NULL ? 0 : check_possession(m);
}

int
certificate_take_key(struct making *m)
{
	if (m->params->existing != NULL)
		return take_existing(m);
	return m->params->csr != NULL ? take_request(m) : take_own_key(m);
}

/* ---- may it be ---------------------------------------------------------- */

/* A key of our own that came from elsewhere would pass by its purpose. */
static int
check_not_ours(const struct making *m)
{
	const bool cross = m->existing != NULL;
	AUTO_STRUCT(key_row) row = { 0 };
	unsigned char digest[HASH_LEN];
	bool found = false;

	if (m->params->key != NULL || (!cross && m->params->csr == NULL))
		return 0;
	if (sha256(m->spki, m->spki_len, digest) < 0 ||
	    journal_key_by_spki(m->build->journal, digest, &found, &row) < 0)
		return -1;
	if (!found)
		return 0;
	if (variant_of(m->step)->purpose == NULL)
		step_finding(m->build, m->step, "csr", "KEY-PURPOSE",
		    "EN 319 411-1, GEN-6.5.3-03",
		    "the request is for this authority's own key '%s', which "
		    "is not one of an end entity",
		    row.name);
	else
		step_finding(m->build, m->step, cross ? "existing" : "csr",
		    "KEY-PURPOSE", "EN 319 411-1, GEN-6.5.3-03",
		    "the %s is for this authority's own key '%s'; name it with "
		    "'key', so that its purpose is kept",
		    cross ? "existing certificate" : "request", row.name);
	return 0;
}

/* The key that the plan names is the one that is in the existing certificate. */
static void
check_own_existing(const struct making *m)
{
	if (m->existing == NULL || m->params->key == NULL)
		return;
	if (m->key.spki_len != m->spki_len ||
	    memcmp(m->key.spki, m->spki, m->spki_len) != 0)
		step_finding(m->build, m->step, "key", "CROSS-SPKI-BYTES",
		    "BR 7.1.2.2",
		    "key '%s' is not that of the existing certificate",
		    m->params->key);
}

/* Another certificate of the same key. */
struct use_search {
	const struct making *m;
	const char *spki; /* SHA-256, hex */
	bool root;        /* it is in a root */
	bool used; /* in a certificate that it may not be in beside this */
};

/*
 * A cross certificate is a further one of a CA: beside other cross
 * certificates, and where the plan names the key as our own, beside that CA's.
 */
static bool
may_share(const struct making *m, const char *other_kind)
{
	return m->existing != NULL &&
	    (m->params->key != NULL ||
		(other_kind != NULL && strcmp(other_kind, "cross") == 0));
}

static int
match_use(void *ctx, const struct object_row *row)
{
	struct use_search *search = ctx;

	if (row->spki == NULL || strcmp(row->spki, search->spki) != 0 ||
	    row->state == OBJECT_FAILED)
		return 0;
	search->used =
	    search->used || !may_share(search->m, row->certificate_kind);
	search->root = search->root ||
	    (row->subject_dn != NULL && row->issuer_dn != NULL &&
		strcmp(row->subject_dn, row->issuer_dn) == 0);
	return 0;
}

static int
search_uses(const struct making *m, struct use_search *search)
{
	const struct certificate_filter filter = { .spki = search->spki };
	const struct indexed *row = NULL;
	bool used = false;

	if (journal_spki_used(m->build->journal, search->spki, &used) < 0)
		return -1;
	if (used &&
	    journal_each_certificate(
		m->build->journal, &filter, match_use, search) < 0)
		return -1;
	if (index_find(m->build, INDEX_SPKI, search->spki, &row) < 0)
		return -1;
	for (; row != NULL; row = row->same) {
		const json_t *facts = m->build->objects[row->object].facts;
		const char *kind = json_string_value(
		    json_object_get(facts, "certificate_kind"));

		search->used = search->used || !may_share(m, kind);
		search->root =
		    search->root || (kind != NULL && strcmp(kind, "root") == 0);
	}
	return 0;
}

/* KEY-NOT-A-CA-KEY, KEY-EKU-CONSISTENT: one key, one certificate. */
static int
check_key_unused(const struct making *m)
{
	AUTO_CHARS(hash) = sha256_hex(m->spki, m->spki_len);
	struct use_search search = { .m = m, .spki = hash };
	const char *member = m->existing != NULL ? "existing"
	    : m->params->csr != NULL             ? "csr"
						 : "key";

	if (hash == NULL || search_uses(m, &search) < 0)
		return -1;
	if (search.used)
		step_finding(m->build, m->step, member, "KEY-NOT-A-CA-KEY",
		    "RFC 5280, section 4.2.1.2",
		    "this public key is in another certificate of this "
		    "authority already; a new certificate needs a key of its "
		    "own");
	return 0;
}

/*
 * KEY-USE-ROOT: neither by a root's certificate nor by another one, a cross
 * certificate say, of the same key.
 */
static int
check_root_key(const struct making *m)
{
	AUTO_CHARS(hash) = NULL;
	struct use_search search = { .m = m };
	const struct rule *rule = rule_by_id("KEY-USE-ROOT");

	if (profile_kind(m->profile) != PROFILE_END_ENTITY)
		return 0;
	hash = sha256_hex(m->issuer.spki, m->issuer.spki_len);
	search.spki = hash;
	if (hash == NULL || search_uses(m, &search) < 0)
		return -1;
	if (search.root || m->issuer.facts.self_issued)
		step_finding(m->build, m->step, "issuer", "KEY-USE-ROOT",
		    rule == NULL ? NULL : rule->source,
		    "the key of '%s' is that of a root, which never signs the "
		    "certificate of an end entity; let an issuing CA do it",
		    m->params->issuer);
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

int
certificate_check_key(const struct making *m)
{
	check_own_existing(m);
	if (check_not_ours(m) < 0 || check_key_unused(m) < 0 ||
	    check_root_key(m) < 0)
		return -1;
	return check_issuer_revoked(m);
}
