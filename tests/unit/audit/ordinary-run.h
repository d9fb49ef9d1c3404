/*
 * A run as any other, with one of each: a key, a root, a revocation, an adopted
 * certificate, a CRL; and short ways to forge it.
 */
#ifndef TESTS_AUDIT_ORDINARY_RUN_H
#define TESTS_AUDIT_ORDINARY_RUN_H

#include "people-support.h"

#define ZEROS                              \
	"00000000000000000000000000000000" \
	"00000000000000000000000000000000"
#define DN "dn"

/* Appended without the forger, before what is edited. */
static inline void
insert(struct cast *c, enum entry_kind kind, json_t *data)
{
	assert_non_null(data);
	assert_ok(
	    journal_append(c->journal, kind, data, "a forger did it", NULL));
}

static inline json_t *
hash_json(const char *text)
{
	AUTO_CHARS(hex) = sha256_hex(text, strlen(text));

	assert_non_null(hex);
	return json_string(hex);
}

/* ---- an ordinary run -------------------------------------------------- */

static const char ordinary_steps[] =
    "  - generate-key: {key: root, type: p-384, purpose: ca, backup: none}\n"
    "  - root: {name: root-g1, key: root, profile: root,"
    " subject: {common-name: Root}}\n"
    "  - revoke: {issuer: root-g1, serial: AA01, reason: keyCompromise}\n"
    "  - adopt-certificate: {name: sub, key: root, certificate: sub.crt,"
    " chain: [root.crt]}\n"
    "  - crl: {name: crl-1, issuer: root-g1, profile: ca-crl}\n";

static inline json_t *
revoked_data(void)
{
	return json_pack("{s:s, s:o, s:s, s:s, s:s, s:s}", "issuer", "root-g1",
	    "issuer_dn", hash_json(DN), "serial", "00aa01", "date",
	    "2026-11-20T12:00:00Z", "reason", "keyCompromise", "cause", "plan");
}

static inline json_t *
adopted_data(void)
{
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:s, s:o, s:s, s:s, s:b}",
	    "name", "sub", "key", "root", "sha256", hash_json("sub.crt"),
	    "issuer_dn", hash_json("another"), "subject_dn", hash_json("sub"),
	    "serial", "0102", "spki", hash_json("spki"), "not_before",
	    "2026-11-20T12:00:00Z", "not_after", "2036-11-20T12:00:00Z", "ca",
	    1);
}

static inline struct order
ordinary_order(void)
{
	return (struct order){ .run = RUN_1,
		.plan = "first",
		.steps = ordinary_steps,
		.inputs = json_pack("{s:s, s:s}", "sub.crt", "sub.crt",
		    "root.crt", "root.crt") };
}

static inline json_t *
ordinary_lines(void)
{
	return json_pack("[o, o, o, o]",
	    cast_object(0, "certificate", "root-g1"),
	    cast_object(1, "crl", "crl-1"),
	    cast_act(0, "revoke", revoked_data()),
	    cast_act(1, "adopt-certificate", adopted_data()));
}

static inline void
ordinary(struct cast *c)
{
	struct order order = ordinary_order();

	cast_init(c);
	cast_open(c, &order);
	cast_key(c, RUN_1, "root");
	cast_list(c, &order, 0, ordinary_lines());
	cast_add(
	    c, ENTRY_REVOKED, with(revoked_data(), "run", json_string(RUN_1)));
	cast_add(
	    c, ENTRY_ADOPTED, with(adopted_data(), "run", json_string(RUN_1)));
	cast_intent(c, RUN_1, 0, 0, "certificate", "root-g1");
	cast_intent(c, RUN_1, 0, 1, "crl", "crl-1");
	cast_close(c, RUN_1, "done");
}

/* ---- forgers ---------------------------------------------------------- */

#define EDIT(name, wanted, at, result)                                        \
	static json_t *name(                                                  \
	    struct cast *c, enum entry_kind kind, unsigned nth, json_t *data) \
	{                                                                     \
		(void)c;                                                      \
		return kind == (wanted) && nth == (at) ? (result) : data;     \
	}

#define EDIT_TEXT(name, wanted, from, to)                                     \
	static char *name(                                                    \
	    struct cast *c, const char *what, unsigned nth, const char *text) \
	{                                                                     \
		(void)c;                                                      \
		(void)nth;                                                    \
		return strcmp(what, wanted) == 0 ? replaced(text, from, to)   \
						 : NULL;                      \
	}

#endif
