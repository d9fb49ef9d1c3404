#include "profiles/key-check.h"

#include <stdarg.h>
#include <string.h>

#include <openssl/err.h>

#include "base/error.h"

enum { UNCOMPRESSED = 4, E_MIN_BITS = 17, E_MAX_BITS = 256 };

enum key_verdict
key_broken(char *text, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, KEY_TEXT_MAX, fmt, ap);
	va_end(ap);
	return KEY_BROKEN;
}

enum key_verdict
key_unsure(char *text, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, KEY_TEXT_MAX, fmt, ap);
	va_end(ap);
	return KEY_UNSURE;
}

/* ---- taking a key apart ----------------------------------------------- */

const struct key_type *
key_type_by_alg(struct der alg)
{
	const struct key_type *type;

	for (size_t i = 0; (type = key_type_at(i)) != NULL; i++)
		if (der_equal(alg, type->spki, type->spki_len))
			return type;
	return NULL;
}

/* A positive INTEGER's octets off the front of `in`. */
static bool
take_positive(struct der *in, struct der *ret_value)
{
	return der_take(in, DER_INTEGER, ret_value, NULL) &&
	    der_content_fault(DER_INTEGER, *ret_value) == NULL &&
	    (ret_value->p[0] & 0x80) == 0;
}

/* RSAPublicKey, strictly: its two numbers. */
static bool
take_rsa(struct der key, struct der *ret_n, struct der *ret_e)
{
	struct der body;

	return der_take(&key, DER_SEQUENCE, &body, NULL) && key.len == 0 &&
	    take_positive(&body, ret_n) && take_positive(&body, ret_e) &&
	    body.len == 0;
}

static int
read_rsa(struct key_facts *facts)
{
	struct der n, e;

	if (facts->type == NULL || facts->type->family != KEY_RSA ||
	    facts->unused != 0 || !take_rsa(facts->bits, &n, &e))
		return 0;
	facts->n = BN_bin2bn(n.p, (int)n.len, NULL);
	facts->e = BN_bin2bn(e.p, (int)e.len, NULL);
	facts->ctx = BN_CTX_new();
	if (facts->n == NULL || facts->e == NULL || facts->ctx == NULL)
		return ca_error(CA_R_MEMORY, "no memory to check a key");
	return 0;
}

int
key_facts_read(
    const unsigned char *spki, size_t len, struct key_facts *ret_facts)
{
	AUTO_STRUCT(key_facts) facts = { .type = NULL };
	struct der in = { spki, len }, body, bits;

	if (len > INT_MAX || !der_take(&in, DER_SEQUENCE, &body, NULL) ||
	    in.len != 0 || !der_take(&body, DER_SEQUENCE, NULL, &facts.alg) ||
	    !der_take(&body, DER_BIT_STRING, &bits, NULL) || body.len != 0 ||
	    der_content_fault(DER_BIT_STRING, bits) != NULL)
		return ca_error(CA_R_INPUT,
		    "the public key is not a SubjectPublicKeyInfo in DER");
	facts.unused = bits.p[0];
	facts.bits = (struct der){ bits.p + 1, bits.len - 1 };
	facts.type = key_type_by_alg(facts.alg);
	if (read_rsa(&facts) != 0)
		return -1;
	*ret_facts = facts;
	facts = (struct key_facts){ .type = NULL }; /* moved out */
	return 0;
}

void
key_facts_clear(struct key_facts *facts)
{
	BN_free(facts->n);
	BN_free(facts->e);
	BN_CTX_free(facts->ctx);
	*facts = (struct key_facts){ .type = NULL };
}

/* ---- the algorithm ----------------------------------------------------- */

static bool
alg_oid_is(const struct key_facts *facts, const unsigned char *oid, size_t len)
{
	struct der alg = facts->alg, body, value;

	return der_take(&alg, DER_SEQUENCE, &body, NULL) &&
	    der_take(&body, DER_OID, &value, NULL) &&
	    der_equal(value, oid, len);
}

/* The parameters' identifier octet, or 0 where there are none. */
static unsigned
alg_parameters(const struct key_facts *facts)
{
	struct der alg = facts->alg, body;

	(void)der_take(&alg, DER_SEQUENCE, &body, NULL);
	(void)der_take(&body, DER_OID, NULL, NULL);
	return body.len > 0 ? body.p[0] : 0;
}

static enum key_verdict
check_exact(const struct key_facts *facts, char *text)
{
	if (facts->type != NULL)
		return KEY_FINE;
	return key_broken(text,
	    "the public key's algorithm is none of RSA, P-256, P-384 and P-521 "
	    "in their exact encodings");
}

static enum key_verdict
check_no_pss(const struct key_facts *facts, char *text)
{
	static const unsigned char pss[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d,
		0x01, 0x01, 0x0a };
	static const unsigned char oaep[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7,
		0x0d, 0x01, 0x01, 0x07 };

	if (alg_oid_is(facts, pss, sizeof pss))
		return key_broken(text,
		    "the public key is named by id-RSASSA-PSS, and must be by "
		    "rsaEncryption");
	if (alg_oid_is(facts, oaep, sizeof oaep))
		return key_broken(text,
		    "the public key is named by id-RSAES-OAEP, and must be by "
		    "rsaEncryption");
	return KEY_FINE;
}

static const unsigned char ec_public_key[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d,
	0x02, 0x01 };

static enum key_verdict
check_named_curve(const struct key_facts *facts, char *text)
{
	unsigned tag;

	if (!alg_oid_is(facts, ec_public_key, sizeof ec_public_key))
		return KEY_FINE;
	tag = alg_parameters(facts);
	if (tag == DER_OID)
		return KEY_FINE;
	if (tag == DER_NULL)
		return key_broken(text,
		    "the EC key's curve is implicit (NULL), and must be named");
	if (tag == DER_SEQUENCE)
		return key_broken(text,
		    "the EC key's curve is given by its parameters "
		    "(specifiedCurve), and must be named");
	return key_broken(text,
	    "the EC key names no curve: its parameters are %s",
	    tag == 0 ? "absent" : "of another type");
}

static enum key_verdict
check_curve(const struct key_facts *facts, char *text)
{
	if (facts->type != NULL ||
	    !alg_oid_is(facts, ec_public_key, sizeof ec_public_key))
		return KEY_FINE;
	return key_broken(
	    text, "the EC key's curve is none of P-256, P-384 and P-521");
}

static enum key_verdict
check_no_dsa(const struct key_facts *facts, char *text)
{
	/* RFC 3279, section 2.3.2; and the OIW's older one. */
	static const unsigned char dsa[] = { 0x2a, 0x86, 0x48, 0xce, 0x38, 0x04,
		0x01 };
	static const unsigned char oiw[] = { 0x2b, 0x0e, 0x03, 0x02, 0x0c };

	if (!alg_oid_is(facts, dsa, sizeof dsa) &&
	    !alg_oid_is(facts, oiw, sizeof oiw))
		return KEY_FINE;
	return key_broken(text, "the public key is a DSA key");
}

/* ---- EC ---------------------------------------------------------------- */

static bool
is_ec(const struct key_facts *facts)
{
	return facts->type != NULL && facts->type->family == KEY_EC;
}

static size_t
point_len(const struct key_facts *facts)
{
	return 1 + 2 * (((size_t)facts->type->bits + 7) / 8);
}

static enum key_verdict
check_uncompressed(const struct key_facts *facts, char *text)
{
	if (!is_ec(facts))
		return KEY_FINE;
	if (facts->unused != 0)
		return key_broken(text,
		    "the EC point's BIT STRING has %u unused bits, and must "
		    "have none",
		    facts->unused);
	if (facts->bits.len == 0 || facts->bits.p[0] != UNCOMPRESSED)
		return key_broken(text,
		    "the EC point begins with octet %02x, and must with 04: "
		    "uncompressed",
		    facts->bits.len > 0 ? facts->bits.p[0] : 0);
	if (facts->bits.len != point_len(facts))
		return key_broken(text,
		    "the EC point has %zu octets, and must have %zu",
		    facts->bits.len, point_len(facts));
	return KEY_FINE;
}

/*
 * SP 800-56A, section 5.6.2.3.3: not infinity, coordinates in range, the
 * curve's equation (EC_POINT_oct2point has both).  The three curves have
 * cofactor 1, so that each of their points but infinity has the right order.
 */
static bool
point_is_valid(const struct key_facts *facts, const EC_GROUP *group)
{
	AUTO(EC_POINT) *point = EC_POINT_new(group);

	return point != NULL && facts->bits.len > 0 &&
	    EC_POINT_oct2point(
		group, point, facts->bits.p, facts->bits.len, NULL) == 1 &&
	    EC_POINT_is_at_infinity(group, point) == 0 &&
	    EC_POINT_is_on_curve(group, point, NULL) == 1;
}

static enum key_verdict
check_point(const struct key_facts *facts, char *text)
{
	AUTO(EC_GROUP) *group = NULL;
	bool valid;

	if (!is_ec(facts))
		return KEY_FINE;
	group = EC_GROUP_new_by_curve_name(facts->type->curve_nid);
	if (group == NULL) {
		ca_error_clear();
		return key_unsure(text, "there is no memory to compute with");
	}
	(void)ERR_set_mark();
	valid = point_is_valid(facts, group);
	(void)ERR_pop_to_mark();
	return valid
	    ? KEY_FINE
	    : key_broken(
		  text, "the EC point is no point of its curve, or infinity");
}

/* ---- RSA --------------------------------------------------------------- */

static enum key_verdict
check_rsa_structure(const struct key_facts *facts, char *text)
{
	struct der_fault fault;

	if (facts->type == NULL || facts->type->family != KEY_RSA ||
	    facts->n != NULL)
		return KEY_FINE;
	if (facts->unused != 0)
		return key_broken(text,
		    "the RSA key's BIT STRING has %u unused bits, and must "
		    "have none",
		    facts->unused);
	if (!der_check(facts->bits.p, facts->bits.len, &fault))
		return key_broken(
		    text, "the RSA key is not DER: %s", fault.text);
	return key_broken(
	    text, "the RSA key is not a SEQUENCE of two positive INTEGERs");
}

static enum key_verdict
check_min(const struct key_facts *facts, char *text)
{
	if (facts->n == NULL || BN_num_bits(facts->n) >= RSA_MIN_BITS)
		return KEY_FINE;
	return key_broken(text, "the RSA modulus has %d bits, and needs %d",
	    BN_num_bits(facts->n), RSA_MIN_BITS);
}

static enum key_verdict
check_max(const struct key_facts *facts, char *text)
{
	if (facts->n == NULL || BN_num_bits(facts->n) <= RSA_MAX_BITS)
		return KEY_FINE;
	return key_broken(text, "the RSA modulus has %d bits, and may have %d",
	    BN_num_bits(facts->n), RSA_MAX_BITS);
}

static enum key_verdict
check_mod8(const struct key_facts *facts, char *text)
{
	if (facts->n == NULL || BN_num_bits(facts->n) % 8 == 0)
		return KEY_FINE;
	return key_broken(text,
	    "the RSA modulus has %d bits, which is not a whole number of "
	    "octets",
	    BN_num_bits(facts->n));
}

static enum key_verdict
check_exponent(const struct key_facts *facts, char *text)
{
	if (facts->e == NULL ||
	    (BN_is_odd(facts->e) == 1 && BN_is_one(facts->e) != 1))
		return KEY_FINE;
	return key_broken(text,
	    "the RSA exponent is %s, and must be an odd number of 3 or more",
	    BN_is_one(facts->e) == 1 ? "1" : "even");
}

static enum key_verdict
check_exponent_range(const struct key_facts *facts, char *text)
{
	int bits;

	if (facts->e == NULL)
		return KEY_FINE;
	bits = BN_num_bits(facts->e);
	if (bits >= E_MIN_BITS && bits <= E_MAX_BITS &&
	    BN_is_word(facts->e, 1UL << (E_MIN_BITS - 1)) != 1)
		return KEY_FINE;
	return key_broken(text,
	    "the RSA exponent has %d bits, and should lie between 65537 and "
	    "2^256 - 1",
	    bits);
}

static enum key_verdict
check_odd(const struct key_facts *facts, char *text)
{
	if (facts->n == NULL || BN_is_odd(facts->n) == 1)
		return KEY_FINE;
	return key_broken(text, "the RSA modulus is even");
}

static const struct key_check checks[] = {
	{ "ALG-SPKI-EXACT", "TLS BR, section 7.1.3.1", check_exact, false },
	{ "ALG-SPKI-NO-PSS", "TLS BR, section 7.1.3.1.1", check_no_pss, false },
	{ "ALG-SPKI-NAMEDCURVE", "RFC 5480, section 2.1.1", check_named_curve,
	    false },
	{ "ALG-SPKI-UNCOMPRESSED", "RFC 5480, section 2.2", check_uncompressed,
	    false },
	{ "ALG-SPKI-RSA-STRUCT", "RFC 3279, section 2.3.1", check_rsa_structure,
	    false },
	{ "ALG-NO-DSA", "TLS BR, section 6.1.5", check_no_dsa, false },
	{ "KEY-RSA-MIN", "TLS BR, section 6.1.5", check_min, false },
	{ "KEY-RSA-MOD8", "TLS BR, section 6.1.5", check_mod8, false },
	{ "KEY-RSA-MAX", "TLS BR, section 6.1.1.3", check_max, true },
	{ "KEY-RSA-E-ODD3", "TLS BR, section 6.1.6", check_exponent, false },
	{ "KEY-RSA-E-RANGE", "TLS BR, section 6.1.6", check_exponent_range,
	    false },
	{ "KEY-RSA-MOD-ODD", "TLS BR, section 6.1.6", check_odd, false },
	{ "KEY-RSA-NO-SMALL", "TLS BR, section 6.1.6", key_rsa_small, false },
	{ "KEY-ROCA", "CVE-2017-15361", key_rsa_roca, false },
	{ "KEY-FERMAT", "TLS BR, section 6.1.1.3", key_rsa_fermat, false },
	{ "KEY-RSA-NOT-POWER", "TLS BR, section 6.1.6", key_rsa_power, false },
	{ "KEY-EC-CURVE", "TLS BR, section 6.1.5", check_curve, false },
	{ "KEY-EC-VALID", "TLS BR, section 6.1.6", check_point, false },
};
enum { CHECK_COUNT = sizeof checks / sizeof *checks };

const struct key_check *
key_check_at(size_t i)
{
	return i < CHECK_COUNT ? &checks[i] : NULL;
}

const struct key_check *
key_check_by_id(const char *id)
{
	for (size_t i = 0; i < CHECK_COUNT; i++)
		if (strcmp(checks[i].id, id) == 0)
			return &checks[i];
	return NULL;
}
