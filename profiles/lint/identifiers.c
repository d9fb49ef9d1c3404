/* Key identifiers: RFC 5280, sections 4.2.1.1 and 4.2.1.2; RFC 7093. */
#include <string.h>

#include <openssl/evp.h>

#include "profiles/lint/extensions.h"

enum {
	TRUNCATED = 20, /* RFC 7093, section 2: 160 bits */
	SHORT_ID = 8,   /* RFC 5280, section 4.2.1.2, method 2 */
	SHORT_TYPE = 0x40,
	SHORT_MASK = 0x0f,
	HEX_MAX = 64, /* octets of an identifier that a finding shows */

	AKI_KEY_ID = 0x80,
	AKI_ISSUER = 0xa1,
	AKI_SERIAL = 0x82,
};

/* An identifier for a finding. */
static const char *
hex(struct der octets, char text[static 2 * HEX_MAX + 4])
{
	static const char digits[] = "0123456789abcdef";
	size_t len = octets.len < HEX_MAX ? octets.len : HEX_MAX;

	for (size_t i = 0; i < len; i++) {
		text[2 * i] = digits[octets.p[i] >> 4];
		text[2 * i + 1] = digits[octets.p[i] & SHORT_MASK];
	}
	(void)snprintf(
	    text + 2 * len, sizeof "...", "%s", len < octets.len ? "..." : "");
	return text;
}

static struct der
contents(const ASN1_OCTET_STRING *octets)
{
	return (struct der){ ASN1_STRING_get0_data(octets),
		(size_t)ASN1_STRING_length(octets) };
}

static bool
same(struct der a, struct der b)
{
	return der_equal(a, b.p, b.len);
}

/* ---- subjectKeyIdentifier ------------------------------------------------ */

/* -1: it could not be computed. */
static int
is_digest(struct der id, struct der input, const EVP_MD *md)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (EVP_Digest(input.p, input.len, digest, &len, md, NULL) != 1)
		return -1;
	if (id.len == SHORT_ID && EVP_MD_get_type(md) == NID_sha1) {
		unsigned char *tail = digest + len - SHORT_ID;

		tail[0] = (unsigned char)(SHORT_TYPE | (tail[0] & SHORT_MASK));
		return der_equal(id, tail, SHORT_ID) ? 1 : 0;
	}
	return (id.len == len || id.len == TRUNCATED) &&
	    der_equal(id, digest, id.len);
}

/*
 * Is this identifier made of the key by one of the published methods?  A digest
 * of the BIT STRING's octets, or (RFC 7093, method 4) of the whole
 * SubjectPublicKeyInfo; whole or its leftmost 160 bits.
 */
static bool
is_made_of(
    const struct lint_run *run, struct der id, const struct lint_key *key)
{
	const EVP_MD *const digests[] = { EVP_sha1(), EVP_sha256(),
		EVP_sha384(), EVP_sha512() };
	const struct der inputs[] = { key->bits, key->element };

	for (size_t d = 0; d < sizeof digests / sizeof *digests; d++)
		for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
			int made = is_digest(id, inputs[i], digests[d]);

			if (made < 0)
				lint_unsure(run, "a digest failed");
			if (made != 0)
				return true;
		}
	return false;
}

/* The identifier that another certificate has for this very key. */
static bool
is_established(const struct lint_run *run, struct der id)
{
	const struct lint_certificate *e = run->existing;

	return e != NULL && e->values.ski != NULL &&
	    same(e->key.element, run->key->element) &&
	    same(contents(e->values.ski), id);
}

/* False: absent or malformed. */
static bool
take_ski(const struct lint_run *run, const struct lint_extension **ret_row,
    struct der *ret_id)
{
	const struct lint_extension *row =
	    lint_extension(run->extensions, NID_subject_key_identifier);
	struct der in;

	*ret_row = row;
	if (row == NULL)
		return false;
	in = row->value;
	return der_take(&in, DER_OCTET_STRING, ret_id, NULL) && in.len == 0;
}

static void
ski_method(struct lint_run *run)
{
	char text[2 * HEX_MAX + 4];
	const struct lint_extension *row;
	struct der id = { NULL, 0 };

	if (!take_ski(run, &row, &id)) {
		if (row != NULL)
			lint_found(run, row->value,
			    "subjectKeyIdentifier is no OCTET STRING in DER");
		return;
	}
	if (id.len == 0)
		lint_found(run, row->value, "subjectKeyIdentifier is empty");
	else if (!is_established(run, id) && !is_made_of(run, id, run->key))
		lint_found(run, row->value,
		    "subjectKeyIdentifier %s is not made of the public key by "
		    "a published method: make it the SHA-1 of the key's bits, "
		    "or the leftmost 160 bits of their SHA-256",
		    hex(id, text));
}

/* Against one other certificate. */
static void
ski_unique_beside(const struct lint_run *run, struct der where, struct der id,
    const struct lint_certificate *other, const char *what)
{
	bool same_key, same_id;

	if (other == NULL || other->values.ski == NULL)
		return;
	same_key = same(other->key.element, run->key->element);
	same_id = same(contents(other->values.ski), id);
	if (same_id && !same_key)
		lint_found(run, where,
		    "subjectKeyIdentifier is that of %s, which has another "
		    "public key",
		    what);
	if (same_key && !same_id)
		lint_found(run, where,
		    "subjectKeyIdentifier differs from that of %s, which has "
		    "the same public key",
		    what);
}

static void
ski_unique(struct lint_run *run)
{
	const struct lint_extension *row;
	struct der id;

	if (!take_ski(run, &row, &id))
		return;
	ski_unique_beside(
	    run, row->value, id, run->issuer, "the issuer's certificate");
	ski_unique_beside(
	    run, row->value, id, run->existing, "the existing certificate");
}

static void
ski_noncrit(struct lint_run *run)
{
	lint_criticality(
	    run, NID_subject_key_identifier, "subjectKeyIdentifier", false);
}

/* ---- authorityKeyIdentifier ---------------------------------------------- */

struct authority {
	const struct lint_extension *row; /* NULL: absent */
	bool has_id, has_issuer, has_serial, malformed;
	struct der id;
};

static struct authority
take_authority(const struct lint_run *run)
{
	struct authority a = { .row = lint_extension(run->extensions,
				   NID_authority_key_identifier) };
	struct der in = { NULL, 0 };

	if (a.row == NULL)
		return a;
	a.malformed = !lint_extension_sequence(
	    run->extensions, NID_authority_key_identifier, NULL, &in);
	a.has_id = der_take(&in, AKI_KEY_ID, &a.id, NULL);
	a.has_issuer = der_take(&in, AKI_ISSUER, NULL, NULL);
	a.has_serial = der_take(&in, AKI_SERIAL, NULL, NULL);
	if (in.len != 0)
		a.malformed = true;
	return a;
}

/* RFC 5280 allows both or neither; the BR neither. */
static void
aki_pair(const struct lint_run *run, const struct authority *a)
{
	if (a->has_issuer != a->has_serial)
		lint_found(run, a->row->value,
		    "authorityKeyIdentifier holds %s without %s",
		    a->has_issuer ? "authorityCertIssuer"
				  : "authorityCertSerialNumber",
		    a->has_issuer ? "authorityCertSerialNumber"
				  : "authorityCertIssuer");
	if (!lint_held_to(run, RULESET_CABF_TLS))
		return;
	if (a->has_issuer)
		lint_found(run, a->row->value,
		    "authorityKeyIdentifier holds authorityCertIssuer: give "
		    "the keyIdentifier alone");
	if (a->has_serial)
		lint_found(run, a->row->value,
		    "authorityKeyIdentifier holds authorityCertSerialNumber: "
		    "give the keyIdentifier alone");
}

/* The identifier that the issuer's certificate has; false: none known. */
static bool
issuer_id(const struct lint_run *run, struct der *ret_id)
{
	if (run->issuer == NULL || run->issuer->values.ski == NULL)
		return false;
	*ret_id = contents(run->issuer->values.ski);
	return true;
}

static void
aki_keyid_only(struct lint_run *run)
{
	char is[2 * HEX_MAX + 4], should_be[2 * HEX_MAX + 4];
	const struct authority a = take_authority(run);
	struct der wanted;

	if (a.row == NULL) {
		lint_found(run, (struct der){ NULL, 0 },
		    "there is no authorityKeyIdentifier");
		return;
	}
	lint_criticality(
	    run, NID_authority_key_identifier, "authorityKeyIdentifier", false);
	if (a.malformed)
		lint_found(run, a.row->value,
		    "authorityKeyIdentifier is not the SEQUENCE of RFC 5280, "
		    "section 4.2.1.1");
	if (!a.has_id)
		lint_found(run, a.row->value,
		    "authorityKeyIdentifier holds no keyIdentifier");
	else if (issuer_id(run, &wanted) && !same(a.id, wanted))
		lint_found(run, a.row->value,
		    "authorityKeyIdentifier names key %s, but the issuer's "
		    "subjectKeyIdentifier is %s",
		    hex(a.id, is), hex(wanted, should_be));
	aki_pair(run, &a);
}

static void
aki_from_bytes(struct lint_run *run)
{
	const struct authority a = take_authority(run);
	struct der wanted;

	if (!a.has_id)
		return;
	if (!issuer_id(run, &wanted))
		lint_found(run, a.row->value,
		    "the issuer's certificate has no subjectKeyIdentifier "
		    "from which authorityKeyIdentifier could be copied");
	else if (!same(a.id, wanted))
		lint_found(run, a.row->value,
		    is_made_of(run, a.id, &run->issuer->key)
			? "authorityKeyIdentifier was computed from the "
			  "issuer's key: copy the subjectKeyIdentifier of its "
			  "certificate, which differs"
			: "authorityKeyIdentifier was not copied from the "
			  "issuer's certificate");
}

static const struct lint rows[] = {
	{ .id = "SKI-METHOD", .check = ski_method },
	{ .id = "SKI-UNIQUE", .check = ski_unique },
	{ .id = "SKI-NONCRIT", .check = ski_noncrit },
	{ .id = "AKI-KEYID-ONLY", .check = aki_keyid_only },
	{ .id = "AKI-FROM-BYTES",
	    .check = aki_from_bytes,
	    .needs = NEEDS_ISSUER },
};
const struct lint_table lint_identifiers = LINT_TABLE(rows);
