/* Key quality: rules.md's KEY- rules, for keys that somebody else made. */
#include <openssl/err.h>

#include "base/error.h"
#include "profiles/csr.h"
#include "profiles/der/der.h"
#include "profiles/key-check.h"

static void
found(struct findings *findings, const char *place, const char *id,
    const char *source, const char *text)
{
	findings_add(findings, FINDING_ERROR, id, place, source, "%s", text);
}

static int
check_all(
    const struct key_facts *facts, const char *place, struct findings *findings)
{
	const struct key_check *check;
	char text[KEY_TEXT_MAX];

	for (size_t i = 0; (check = key_check_at(i)) != NULL; i++) {
		enum key_verdict verdict = check->check(facts, text);

		/* What is too large to be computed is too large: KEY-RSA-MAX. */
		if (verdict == KEY_UNSURE &&
		    (facts->n == NULL || BN_num_bits(facts->n) <= RSA_MAX_BITS))
			return ca_error(
			    CA_R_MEMORY, "cannot check a key: %s", text);
		if (verdict == KEY_BROKEN)
			found(findings, place, check->id, check->source, text);
	}
	return 0;
}

/* All SHOULD rows are errors for whoever signs; see the rules' own words. */
int
spki_check(const unsigned char *spki, size_t len, const char *place,
    struct findings *findings)
{
	AUTO_STRUCT(key_facts) facts = { .type = NULL };
	struct der_fault fault;

	if (!der_check(spki, len, &fault)) {
		found(findings, place, "ALG-SPKI-EXACT",
		    "RFC 5280, section 4.1.2.7",
		    "the public key is not a SubjectPublicKeyInfo in DER");
		return 0;
	}
	(void)ERR_set_mark();
	if (key_facts_read(spki, len, &facts) != 0) {
		if (ca_error_reason() != CA_R_INPUT)
			return -1;
		(void)ERR_pop_to_mark();
		found(findings, place, "ALG-SPKI-EXACT",
		    "RFC 5280, section 4.1.2.7",
		    "the public key is not a SubjectPublicKeyInfo");
		return 0;
	}
	(void)ERR_clear_last_mark();
	return check_all(&facts, place, findings);
}
