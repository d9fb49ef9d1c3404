/* Certificates and requests: each thing that is verified, once forged. */
#include "base/date.h"
#include "objects-support.h"
#include "profiles/csr.h"
#include "profiles/general-name.h"
#include "tests/unit/profiles/support.h"

static void
audit(struct world *w)
{
	world_audit(w, &audit_objects, -1);
}

static struct making
sub_of(const struct world *w)
{
	return (struct making){
		.run = RUN_A,
		.name = "sub-g1",
		.kind = "subordinate",
		.profile = "issuing-ca",
		.subject = w->keys[KEY_SUB],
		.signer = w->keys[KEY_ROOT],
		.subject_key = "sub-key",
		.issuer = w->root,
		.issuer_name = "root-g1",
		.object = 1,
	};
}

static struct making
responder_of(const struct world *w)
{
	return (struct making){
		.run = RUN_A,
		.name = "ocsp-g1",
		.kind = "ocsp-responder",
		.profile = "ocsp-responder",
		.subject = w->keys[KEY_OCSP],
		.signer = w->keys[KEY_SUB],
		.subject_key = "ocsp-key",
		.issuer = w->sub,
		.issuer_name = "sub-g1",
		.object = 2,
	};
}

/* A root, and a subordinate as `making` says; the pass over both. */
static void
audit_made(struct world *w, const struct making *making)
{
	w->sub = make_certificate(w, making);
	audit(w);
}

/* The same with an edit of the intent. */
static void
audit_over(struct world *w, json_t *over)
{
	struct making making = sub_of(w);

	making.over = over;
	audit_made(w, &making);
}

static void
audit_forged(struct world *w, void (*forge)(X509 *cert))
{
	struct making making = sub_of(w);

	making.forge = forge;
	audit_made(w, &making);
}

static void
test_clean(void **state)
{
	struct world *w = *state;
	struct making responder;

	make_root(w);
	make_sub(w);
	responder = responder_of(w);
	X509_free(make_certificate(w, &responder));
	audit(w);
	assert_no_findings(w);
}

/* ---- end entities ----------------------------------------------------- */

static struct making
leaf_of(const struct world *w)
{
	return (struct making){
		.run = RUN_A,
		.name = "www",
		.kind = "end-entity",
		.profile = "tls-server",
		.dns = "www.example.org",
		.subject = w->keys[KEY_FOREIGN],
		.signer = w->keys[KEY_SUB],
		.issuer = w->sub,
		.issuer_name = "sub-g1",
		.object = 2,
	};
}

static void
audit_leaf(struct world *w, const struct making *leaf)
{
	X509_free(make_certificate(w, leaf));
	audit(w);
}

static void
test_end_entity(void **state)
{
	struct world *w = *state;
	struct making leaf;

	make_root(w);
	make_sub(w);
	leaf = leaf_of(w);
	audit_leaf(w, &leaf);
	assert_no_findings(w);
}

/* KEY-USE-ROOT: whatever else is right with it. */
static void
test_end_entity_of_root(void **state)
{
	struct world *w = *state;
	struct making leaf;

	make_root(w);
	leaf = leaf_of(w);
	leaf.issuer = w->root;
	leaf.issuer_name = "root-g1";
	leaf.signer = w->keys[KEY_ROOT];
	audit_leaf(w, &leaf);
	assert_only(w, "AUDIT-ISSUER");
	assert_found(w, "AUDIT-ISSUER", "KEY-USE-ROOT");
}

/* Whom the intent calls a CA, and the other way round. */
static void
test_end_entity_as_sub(void **state)
{
	struct world *w = *state;
	struct making leaf;

	make_root(w);
	make_sub(w);
	leaf = leaf_of(w);
	leaf.over = json_pack("{s:s}", "certificate_kind", "subordinate");
	audit_leaf(w, &leaf);
	assert_found(w, "AUDIT-FACTS", "no certificate of kind 'subordinate'");
}

static void
test_sub_as_end_entity(void **state)
{
	struct world *w = *state;

	make_root(w);
	audit_over(w, json_pack("{s:s}", "certificate_kind", "end-entity"));
	assert_found(w, "AUDIT-FACTS", "no certificate of kind 'end-entity'");
}

/* A name that no extension of the profile has room for. */
static void
add_name(X509 *cert)
{
	AUTO(GENERAL_NAMES) *names = GENERAL_NAMES_new();
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_IA5STRING *mail = ASN1_IA5STRING_new();

	assert_true(ASN1_STRING_set(mail, "a@example.org", -1) == 1);
	GENERAL_NAME_set0_value(name, GEN_EMAIL, mail);
	assert_true(sk_GENERAL_NAME_push(names, name) > 0);
	assert_int_equal(X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 0,
			     X509V3_ADD_REPLACE),
	    1);
}

static void
test_end_entity_other_name(void **state)
{
	struct world *w = *state;
	struct making leaf;

	make_root(w);
	make_sub(w);
	leaf = leaf_of(w);
	leaf.forge = add_name;
	audit_leaf(w, &leaf);
	assert_only(w, "AUDIT-PROFILE");
	assert_found(w, "AUDIT-PROFILE", "a@example.org");
}

/* ---- cross certificates ------------------------------------------------ */

static void
add_text(X509 *cert, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;

	X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert_non_null(ext);
	assert_int_equal(X509_add_ext(cert, ext, -1), 1);
	X509_EXTENSION_free(ext);
}

/* A root of somebody else. */
static X509 *
foreign(
    EVP_PKEY *key, const char *name, const char *constraints, const char *ski)
{
	X509 *cert = X509_new();
	X509_NAME *dn = X509_get_subject_name(cert);

	assert_int_equal(X509_set_version(cert, X509_VERSION_3), 1);
	assert_int_equal(
	    ASN1_INTEGER_set(X509_get_serialNumber(cert), 4711), 1);
	assert_int_equal(X509_NAME_add_entry_by_txt(dn, "CN", MBSTRING_ASC,
			     (const unsigned char *)name, -1, -1, 0),
	    1);
	assert_int_equal(X509_set_issuer_name(cert, dn), 1);
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(cert), -3600));
	assert_non_null(
	    X509_gmtime_adj(X509_getm_notAfter(cert), 3000L * 86400));
	assert_int_equal(X509_set_pubkey(cert, key), 1);
	add_text(cert, NID_basic_constraints, constraints);
	add_text(cert, NID_key_usage, "critical,keyCertSign,cRLSign");
	add_text(cert, NID_subject_key_identifier, ski);
	assert_true(X509_sign(cert, key, EVP_sha384()) > 0);
	return cert;
}

#define ANY_CA "critical,CA:TRUE"

static json_t *
input_row(const char *role, const char *given, const char *sha256)
{
	return json_pack("{s:s,s:s,s:s,s:s}", "role", role, "given", given,
	    "file", given, "sha256", sha256);
}

/* A run whose plan names this file as that of the existing certificate. */
static void
open_cross_run(struct world *w, X509 *existing)
{
	static const char plan[] =
	    "format: ca-tool-plan-1\nid: plan-b\ntitle: A plan\n"
	    "window: {from: 2026-01-01T00:00:00Z, until: 2036-01-01T00:00:00Z}\n"
	    "steps:\n  - cross: {name: cross, issuer: root-g1, "
	    "existing: x.der, profile: cross}\n";
	AUTO_DER(der) = NULL;
	int len = i2d_X509(existing, &der);
	json_t *manifest = json_object(), *rows = json_array();
	AUTO_CHARS(text) = NULL;

	world_close(w, RUN_A, NULL);
	assert_int_equal(json_array_append_new(rows,
			     input_row("plan", "plan",
				 world_evidence(w, plan, sizeof(plan) - 1))),
	    0);
	assert_int_equal(json_array_append_new(rows,
			     input_row("file", "x.der",
				 world_evidence(w, der, (size_t)len))),
	    0);
	assert_int_equal(json_object_set_new(manifest, "inputs", rows), 0);
	text = json_dumps(manifest, JSON_COMPACT);
	json_decref(manifest);
	world_add(w, ENTRY_PLAN,
	    with(data_plan(RUN_B, "plan-b"), "manifest",
		json_string(world_evidence(w, text, strlen(text)))));
	world_add(w, ENTRY_LIST, data_list(RUN_B, 0));
}

/* Made beside `made`; the plan of its run names `planned`.  Takes both. */
static void
audit_cross(struct world *w, X509 *made, X509 *planned)
{
	struct making cross = {
		.run = RUN_B,
		.name = "cross",
		.kind = "cross",
		.profile = "cross",
		.existing = made,
		.subject = w->keys[KEY_FOREIGN],
		.signer = w->keys[KEY_ROOT],
		.issuer_name = "root-g1",
	};

	make_root(w);
	cross.issuer = w->root;
	open_cross_run(w, planned != NULL ? planned : made);
	X509_free(make_certificate(w, &cross));
	audit(w);
	X509_free(made);
	X509_free(planned);
}

static void
test_cross(void **state)
{
	struct world *w = *state;

	audit_cross(
	    w, foreign(w->keys[KEY_FOREIGN], "X", ANY_CA, "hash"), NULL);
	assert_no_findings(w);
}

static void
test_cross_other_key(void **state)
{
	struct world *w = *state;

	audit_cross(w, foreign(w->keys[KEY_FOREIGN], "X", ANY_CA, "0102"),
	    foreign(w->keys[KEY_OCSP], "X", ANY_CA, "0102"));
	assert_only(w, "AUDIT-CROSS");
	assert_found(w, "AUDIT-CROSS", "CROSS-SPKI-BYTES");
}

static void
test_cross_other_name(void **state)
{
	struct world *w = *state;

	audit_cross(w, foreign(w->keys[KEY_FOREIGN], "X", ANY_CA, "hash"),
	    foreign(w->keys[KEY_FOREIGN], "x", ANY_CA, "hash"));
	assert_only(w, "AUDIT-CROSS");
	assert_found(w, "AUDIT-CROSS", "octet for octet");
}

static void
test_cross_other_identifier(void **state)
{
	struct world *w = *state;

	audit_cross(w, foreign(w->keys[KEY_FOREIGN], "X", ANY_CA, "0102"),
	    foreign(w->keys[KEY_FOREIGN], "X", ANY_CA, "0103"));
	assert_only(w, "AUDIT-CROSS");
	assert_found(w, "AUDIT-CROSS", "key identifier");
}

static void
test_cross_wider(void **state)
{
	struct world *w = *state;

	audit_cross(w, foreign(w->keys[KEY_FOREIGN], "X", ANY_CA, "hash"),
	    foreign(w->keys[KEY_FOREIGN], "X", ANY_CA ",pathlen:0", "hash"));
	assert_only(w, "AUDIT-CROSS");
	assert_found(w, "AUDIT-CROSS", "SUB-PATHLEN");
}

/* Without evidence of its plan nobody knows what it stands beside. */
static void
test_cross_without_plan(void **state)
{
	struct world *w = *state;
	X509 *existing = foreign(w->keys[KEY_FOREIGN], "X", ANY_CA, "hash");
	struct making cross = {
		.run = RUN_A,
		.name = "cross",
		.kind = "cross",
		.profile = "cross",
		.existing = existing,
		.subject = w->keys[KEY_FOREIGN],
		.signer = w->keys[KEY_ROOT],
		.issuer_name = "root-g1",
		.object = 1,
	};

	make_root(w);
	cross.issuer = w->root;
	X509_free(make_certificate(w, &cross));
	X509_free(existing);
	audit(w);
	assert_only(w, "AUDIT-CROSS");
}

/* ---- signatures ------------------------------------------------------- */

static void
test_signature(void **state)
{
	struct world *w = *state;
	struct making making;

	make_root(w);
	making = sub_of(w);
	making.break_signature = true;
	audit_made(w, &making);
	assert_found(w, "AUDIT-SIGNATURE", "does not verify");
}

static void
test_tbs(void **state)
{
	struct world *w = *state;

	make_root(w);
	audit_over(w, json_pack("{s:s}", "tbs", hex64(77)));
	assert_only(w, "AUDIT-SIGNATURE");
	assert_found(w, "AUDIT-SIGNATURE", "(result)");
}

/* ecdsa-sha256, and what is none. */
static void
test_algorithm(void **state)
{
	struct world *w = *state;

	make_root(w);
	audit_over(
	    w, json_pack("{s:s}", "algorithm", "300a06082a8648ce3d040302"));
	assert_only(w, "AUDIT-SIGNATURE");
}

static void
test_unknown_algorithm(void **state)
{
	struct world *w = *state;

	make_root(w);
	audit_over(w, json_pack("{s:s}", "algorithm", "3000"));
	assert_only(w, "AUDIT-SIGNATURE");
	assert_found(w, "AUDIT-SIGNATURE", "unknown");
}

static void
test_foreign_key(void **state)
{
	struct world *w = *state;

	make_root(w);
	audit_over(
	    w, json_pack("{s:s}", "key", world_spki(w->keys[KEY_FOREIGN])));
	assert_found(w, "AUDIT-SIGNATURE", "none of the token's");
	assert_found(w, "AUDIT-ISSUER", "not signed with the key");
}

/* Something else as the result: rubbish, PEM, the root once more. */
static void
audit_other(struct world *w, const void *other, size_t len)
{
	struct making making;

	make_root(w);
	making = sub_of(w);
	making.other = other;
	making.other_len = len;
	audit_made(w, &making);
}

static void
test_rubbish(void **state)
{
	struct world *w = *state;

	audit_other(w, "rubbish", 7);
	assert_only(w, "AUDIT-SIGNATURE");
}

static void
test_pem(void **state)
{
	struct world *w = *state;
	AUTO_DER(der) = NULL;
	AUTO_CHARS(pem) = NULL;
	AUTO(X509) *cert = root_of(w->keys[KEY_FOREIGN]);
	int len = i2d_X509(cert, &der);

	assert_ok(object_pem(OBJECT_CERTIFICATE, der, (size_t)len, &pem));
	audit_other(w, pem, strlen(pem));
	assert_only(w, "AUDIT-SIGNATURE");
}

static void
test_another(void **state)
{
	struct world *w = *state;
	AUTO_DER(der) = NULL;
	AUTO(X509) *cert = root_of(w->keys[KEY_FOREIGN]);
	int len = i2d_X509(cert, &der);

	audit_other(w, der, (size_t)len);
	assert_found(w, "AUDIT-SIGNATURE", "to-be-signed");
	assert_found(w, "AUDIT-FACTS", "serial");
	assert_found(w, "AUDIT-ISSUER", "FLD-ISSUER-BYTES");
}

/* ---- facts ------------------------------------------------------------ */

/* Each on its own: a run's journal with this member changed. */
static void
check_fact(const char *member, json_t *value)
{
	void *state = NULL;
	struct world *w;

	assert_int_equal(world_setup(&state), 0);
	w = state;
	make_root(w);
	audit_over(w, json_pack("{s:o}", member, value));
	assert_only(w, "AUDIT-FACTS");
	assert_int_equal(count_found(w, "AUDIT-FACTS"), 1);
	if (strcmp(member, "ca") != 0)
		assert_found(w, "AUDIT-FACTS", member);
	assert_int_equal(world_teardown(&state), 0);
}

static void
test_facts(void **state)
{
	char date[DATE_TEXT_SIZE];

	(void)state;
	date_format(date_now() + 100, date);
	check_fact("issuer_dn", json_string(hex64(80)));
	check_fact("subject_dn", json_string(hex64(81)));
	check_fact("spki", json_string(hex64(82)));
	check_fact("serial", json_string("4142434445464748494a"));
	check_fact("not_before", json_string(date));
	check_fact("not_after", json_string(date));
	check_fact("ca", json_false());
}

static void
test_kind(void **state)
{
	struct world *w = *state;

	make_root(w);
	audit_over(w, json_pack("{s:s}", "certificate_kind", "ocsp-responder"));
	assert_found(w, "AUDIT-FACTS", "ocsp-responder");
	assert_found(w, "AUDIT-PROFILE", "issuing-ca");
}

static void
test_no_kind(void **state)
{
	struct world *w = *state;

	make_root(w);
	audit_over(w, json_pack("{s:s}", "certificate_kind", "leaf"));
	assert_only(w, "AUDIT-FACTS");
}

/* ---- issuers ---------------------------------------------------------- */

static void
test_no_issuer(void **state)
{
	struct world *w = *state;

	make_root(w);
	audit_over(w, json_pack("{s:s}", "issuer", "nobody"));
	assert_only(w, "AUDIT-ISSUER");
	assert_found(w, "AUDIT-ISSUER", "(intent)");
}

/* Its certificate was signed later. */
static void
test_issuer_later(void **state)
{
	struct world *w = *state;
	struct making sub;

	w->root = root_of(w->keys[KEY_ROOT]);
	sub = sub_of(w);
	w->sub = make_certificate(w, &sub);
	X509_free(w->root);
	make_root(w);
	audit(w);
	assert_found(w, "AUDIT-ISSUER", "was not signed, or taken in");
}

static void
outlive(X509 *cert)
{
	AUTO(ASN1_TIME) *time = NULL;

	assert_ok(date_to_asn1(date_now() + (int64_t)9000 * DAY, &time));
	assert_int_equal(X509_set1_notAfter(cert, time), 1);
}

static void
test_outlives(void **state)
{
	struct world *w = *state;

	make_root(w);
	audit_forged(w, outlive);
	assert_found(w, "AUDIT-ISSUER", "FLD-TIME-NESTED");
	assert_found(w, "AUDIT-PROFILE", "PROFILE-VALIDITY");
}

static void
precede(X509 *cert)
{
	AUTO(ASN1_TIME) *time = NULL;

	assert_ok(date_to_asn1(date_now() - 3600, &time));
	assert_int_equal(X509_set1_notBefore(cert, time), 1);
}

static void
test_precedes(void **state)
{
	struct world *w = *state;

	make_root(w);
	audit_forged(w, precede);
	assert_found(w, "AUDIT-ISSUER", "ISSUER-VALID");
}

/* The same name in other octets. */
static void
respell(X509 *cert)
{
	AUTO(X509_NAME) *name = X509_NAME_new();

	assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
			     (const unsigned char *)"ROOT-G1", -1, -1, 0),
	    1);
	assert_int_equal(X509_set_issuer_name(cert, name), 1);
}

static void
test_names(void **state)
{
	struct world *w = *state;

	make_root(w);
	audit_forged(w, respell);
	assert_found(w, "AUDIT-ISSUER", "FLD-ISSUER-BYTES");
	assert_found(w, "AUDIT-PROFILE", "PROFILE-OCTETS");
}

static void
drop_extension(X509 *cert, int nid)
{
	X509_EXTENSION_free(
	    X509_delete_ext(cert, X509_get_ext_by_NID(cert, nid, -1)));
}

static void
drop_aki(X509 *cert)
{
	drop_extension(cert, NID_authority_key_identifier);
}

static void
test_key_identifier(void **state)
{
	struct world *w = *state;

	make_root(w);
	audit_forged(w, drop_aki);
	assert_found(w, "AUDIT-ISSUER", "AKI-KEYID-ONLY");
}

/* The subordinate has path length 0, and issues a CA. */
static void
test_path_length(void **state)
{
	struct world *w = *state;
	struct making making;

	make_root(w);
	make_sub(w);
	making = sub_of(w);
	making.name = "below";
	making.object = 2;
	making.subject = w->keys[KEY_FOREIGN];
	making.subject_key = NULL;
	making.over = json_pack("{s:s,s:s,s:s}", "issuer", "sub-g1", "key",
	    world_spki(w->keys[KEY_SUB]), "subject_key", "none");
	/* Made by the root, and signed again by the subordinate. */
	X509_free(make_certificate(w, &making));
	audit(w);
	assert_found(w, "AUDIT-ISSUER", "SUB-PATHLEN");
	assert_found(w, "AUDIT-SIGNATURE", "does not verify");
}

static void
revoke_sub(struct world *w)
{
	AUTO_STRUCT(certificate_facts) facts = { 0 };
	AUTO_CHARS(serial) = NULL;
	struct crl_entry entry;

	assert_ok(certificate_facts(w->sub, &facts));
	serial = text_hex(facts.serial, facts.serial_len);
	revoke_serial(w, serial, &entry);
}

static void
test_issuer_revoked(void **state)
{
	struct world *w = *state;
	struct making responder;

	make_root(w);
	make_sub(w);
	revoke_sub(w);
	responder = responder_of(w);
	X509_free(make_certificate(w, &responder));
	audit(w);
	assert_only(w, "AUDIT-ISSUER");
	assert_found(w, "AUDIT-ISSUER", "revoked before");
}

/* What was signed before the revocation is well. */
static void
test_revoked_later(void **state)
{
	struct world *w = *state;
	struct making responder;

	make_root(w);
	make_sub(w);
	responder = responder_of(w);
	X509_free(make_certificate(w, &responder));
	revoke_sub(w);
	audit(w);
	assert_no_findings(w);
}

static void
test_root_names_another(void **state)
{
	struct world *w = *state;
	struct making root = sub_of(w);

	root.kind = "root";
	root.profile = "root";
	root.subject = w->keys[KEY_ROOT];
	root.issuer = NULL;
	root.over = json_pack("{s:s}", "issuer", "another");
	audit_made(w, &root);
	assert_only(w, "AUDIT-ISSUER");
}

/* ---- profiles --------------------------------------------------------- */

static void
add_extension(X509 *cert)
{
	AUTO(X509_EXTENSION) *extension =
	    X509V3_EXT_conf_nid(NULL, NULL, NID_netscape_comment, "hidden");

	assert_non_null(extension);
	assert_int_equal(X509_add_ext(cert, extension, -1), 1);
}

static void
drop_purposes(X509 *cert)
{
	drop_extension(cert, NID_ext_key_usage);
}

static void
lengthen(X509 *cert)
{
	AUTO(ASN1_TIME) *time = NULL;

	assert_ok(date_to_asn1(date_now() + (int64_t)5000 * DAY, &time));
	assert_int_equal(X509_set1_notAfter(cert, time), 1);
}

static void
add_unit(X509 *cert)
{
	assert_int_equal(
	    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "OU",
		MBSTRING_UTF8, (const unsigned char *)"Unit", -1, -1, 0),
	    1);
}

/* Each departs from the profile in one thing, and in nothing else. */
static void
test_departures(void **state)
{
	static const struct {
		void (*forge)(X509 *cert);
		const char *part;
	} departures[] = {
		{ add_extension, "PROFILE-OCTETS" },
		{ drop_purposes, "PROFILE-OCTETS" },
		{ lengthen, "PROFILE-VALIDITY" },
		{ add_unit, "attribute" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof departures / sizeof departures[0]; i++) {
		void *fresh = NULL;
		struct world *w;

		assert_int_equal(world_setup(&fresh), 0);
		w = fresh;
		make_root(w);
		audit_forged(w, departures[i].forge);
		assert_only(w, "AUDIT-PROFILE");
		assert_found(w, "AUDIT-PROFILE", departures[i].part);
		assert_int_equal(world_teardown(&fresh), 0);
	}
}

/* The profile that is pinned allows less than the one that was used. */
static void
test_other_profile(void **state)
{
	struct world *w = *state;
	struct making making;

	make_root(w);
	making = sub_of(w);
	making.from = "path-length: 0";
	making.to = "path-length: 1";
	audit_made(w, &making);
	assert_only(w, "AUDIT-PROFILE");
}

static void
test_profile_unknown(void **state)
{
	struct world *w = *state;

	make_root(w);
	audit_over(w, json_pack("{s:s}", "profile", "nothing"));
	assert_only(w, "AUDIT-PROFILE");
	assert_found(w, "AUDIT-PROFILE", "could not be used");
}

static void
test_profile_removed(void **state)
{
	struct world *w = *state;

	make_root(w);
	world_add(w, ENTRY_PROFILE,
	    data_profile_removed(RUN_A, "issuing-ca", hex64(60)));
	make_sub(w);
	audit(w);
	assert_only(w, "AUDIT-PROFILE");
}

/* Removed after that, it does no harm. */
static void
test_profile_removed_later(void **state)
{
	struct world *w = *state;

	make_root(w);
	make_sub(w);
	world_add(w, ENTRY_PROFILE,
	    data_profile_removed(RUN_A, "issuing-ca", hex64(60)));
	audit(w);
	assert_no_findings(w);
}

static void
test_profile_broken(void **state)
{
	struct world *w = *state;
	const char *sha = world_evidence(w, "format: 7\n", 10);

	make_root(w);
	world_add(w, ENTRY_PROFILE, data_profile(RUN_A, "issuing-ca", sha));
	make_sub(w);
	audit(w);
	assert_only(w, "AUDIT-PROFILE");
	assert_found(w, "AUDIT-PROFILE", "does not compile");
}

static void
test_profile_kind(void **state)
{
	struct world *w = *state;

	make_root(w);
	audit_over(w, json_pack("{s:s}", "profile", "root"));
	assert_only(w, "AUDIT-PROFILE");
}

/* ---- serials and times ------------------------------------------------ */

static void
shorten(X509 *cert)
{
	assert_int_equal(
	    ASN1_INTEGER_set(X509_get_serialNumber(cert), 4711), 1);
}

static void
test_short_serial(void **state)
{
	struct world *w = *state;

	make_root(w);
	audit_forged(w, shorten);
	assert_found(w, "AUDIT-SERIAL", "64 bits");
	assert_found(w, "AUDIT-PROFILE", "too short");
}

/* The same key and serial, under another spelling of the issuer's name. */
static void
test_serial_twice(void **state)
{
	struct world *w = *state;
	static const unsigned char serial[SERIAL_LEN] = { 0x11, 0x22, 0x33,
		0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0x11 };
	struct making making;

	make_root(w);
	making = sub_of(w);
	making.serial = serial;
	w->sub = make_certificate(w, &making);
	making.name = "sub-g2";
	making.common_name = "sub-g2";
	making.object = 2;
	making.subject = w->keys[KEY_FOREIGN];
	making.subject_key = NULL;
	making.forge = respell;
	X509_free(make_certificate(w, &making));
	audit(w);
	assert_found(w, "AUDIT-SERIAL", "has used serial");
	assert_found(w, "AUDIT-SERIAL", "(intent)");
}

static void
test_other_time(void **state)
{
	struct world *w = *state;
	struct making making;

	make_root(w);
	making = sub_of(w);
	making.now = date_now() + 13 * 3600;
	audit_made(w, &making);
	assert_only(w, "AUDIT-BACKDATED");
	assert_int_equal(w->found.errors, 0);
}

static void
test_within_hours(void **state)
{
	struct world *w = *state;
	struct making making;

	make_root(w);
	making = sub_of(w);
	making.now = date_now() + 11 * 3600;
	audit_made(w, &making);
	assert_no_findings(w);
}

/* ---- requests --------------------------------------------------------- */

static void
make_csr(struct world *w, EVP_PKEY *in, EVP_PKEY *by, json_t *over)
{
	static const struct name_value subject[] = { { "common-name", "x" } };
	AUTO_STRUCT(tbs) tbs = { 0 };
	size_t len, der_len;
	AUTO_BYTES(spki) = spki_of(in, &len);
	AUTO_BYTES(der) = NULL;
	AUTO_CHARS(algorithm) = NULL;
	char hash[HASH_HEX_SIZE];
	json_t *data = data_csr(RUN_A, 0, 0, "request");

	assert_ok(csr_build(subject, 1, spki, len, &tbs));
	der = sign(&tbs, by, &der_len);
	text_hex_into(tbs.sha256, HASH_LEN, hash);
	algorithm = text_hex(tbs.alg->der, tbs.alg->der_len);
	data = with(data, "key", json_string(world_spki(by)));
	data = with(data, "tbs", json_string(hash));
	data = with(data, "algorithm", json_string(algorithm));
	if (over != NULL) {
		json_object_update(data, over);
		json_decref(over);
	}
	world_add(w, ENTRY_INTENT, data);
	world_add(w, ENTRY_RESULT,
	    data_result(
		RUN_A, 0, 0, "request", world_evidence(w, der, der_len)));
	audit(w);
}

static void
test_request(void **state)
{
	struct world *w = *state;

	make_csr(w, w->keys[KEY_SUB], w->keys[KEY_SUB], NULL);
	assert_no_findings(w);
}

/* The key in it is not the one that signs. */
static void
test_request_of_others(void **state)
{
	struct world *w = *state;

	make_csr(w, w->keys[KEY_FOREIGN], w->keys[KEY_SUB], NULL);
	assert_found(w, "AUDIT-SIGNATURE", "CSR-POP");
}

static void
test_request_key(void **state)
{
	struct world *w = *state;

	make_csr(w, w->keys[KEY_SUB], w->keys[KEY_SUB],
	    json_pack("{s:s}", "key", world_spki(w->keys[KEY_ROOT])));
	assert_found(w, "AUDIT-SIGNATURE", "does not verify");
	assert_found(w, "AUDIT-FACTS", "'key'");
}

/* ---- taken in --------------------------------------------------------- */

/* A subordinate that a foreign root has issued for the token's key. */
static X509 *
foreign_sub(struct world *w)
{
	AUTO(X509) *root = root_of(w->keys[KEY_FOREIGN]);
	AUTO_PTR(profile) *profile = load("issuing-ca", NULL, NULL);
	size_t len;
	AUTO_BYTES(spki) = spki_of(w->keys[KEY_SUB], &len);
	struct certificate_request req = request(profile, root, spki, len);

	return issue(&req, w->keys[KEY_FOREIGN]);
}

static void
adopt(struct world *w, X509 *cert, json_t *over)
{
	AUTO_STRUCT(certificate_facts) facts = { 0 };
	AUTO_DER(der) = NULL;
	int len = i2d_X509(cert, &der);
	AUTO_CHARS(issuer) = NULL;
	AUTO_CHARS(subject) = NULL;
	AUTO_CHARS(spki) = NULL;
	AUTO_CHARS(serial) = NULL;
	char from[DATE_TEXT_SIZE], until[DATE_TEXT_SIZE];
	json_t *data;

	assert_ok(certificate_facts(cert, &facts));
	issuer = sha256_hex(facts.issuer_der, facts.issuer_len);
	subject = sha256_hex(facts.subject_der, facts.subject_len);
	spki = sha256_hex(facts.spki, facts.spki_len);
	serial = text_hex(facts.serial, facts.serial_len);
	date_format(facts.not_before, from);
	date_format(facts.not_after, until);
	data = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:b}", "run",
	    RUN_A, "name", "taken", "key", "sub-key", "sha256",
	    world_evidence(w, der, (size_t)len), "issuer_dn", issuer,
	    "subject_dn", subject, "serial", serial, "spki", spki, "not_before",
	    from, "not_after", until, "ca", facts.is_ca ? 1 : 0);
	if (over != NULL) {
		json_object_update(data, over);
		json_decref(over);
	}
	world_add(w, ENTRY_ADOPTED, data);
	audit(w);
}

static void
test_adopted(void **state)
{
	struct world *w = *state;
	AUTO(X509) *cert = foreign_sub(w);

	adopt(w, cert, NULL);
	assert_no_findings(w);
}

static void
test_adopted_facts(void **state)
{
	struct world *w = *state;
	AUTO(X509) *cert = foreign_sub(w);

	adopt(w, cert, json_pack("{s:s}", "subject_dn", hex64(90)));
	assert_only(w, "AUDIT-FACTS");
}

static void
test_adopted_root(void **state)
{
	struct world *w = *state;
	AUTO(X509) *cert = root_of(w->keys[KEY_SUB]);

	adopt(w, cert, NULL);
	assert_only(w, "AUDIT-ADOPTED");
	assert_found(w, "AUDIT-ADOPTED", "self-issued");
}

/* ---- URLs ------------------------------------------------------------- */

static void
configure(struct world *w, const char *publication)
{
	AUTO_CHARS(text) = text_printf("format: ca-tool-authority-1\n"
				       "id: example\n"
				       "title: Example\n"
				       "token: {module: embedded, label: t}\n"
				       "login: derived\n"
				       "publication:\n%s",
	    publication);

	world_add(w, ENTRY_CONFIG,
	    json_pack("{s:s,s:s}", "sha256",
		world_evidence(w, text, strlen(text)), "run", RUN_A));
}

static void
test_urls(void **state)
{
	struct world *w = *state;

	configure(w,
	    "  crl: 'http://c.example/r.crl'\n"
	    "  ca-issuers: 'http://c.example/r.cer'\n"
	    "  ocsp: 'http://o.example/'\n");
	make_root(w);
	make_sub(w);
	audit(w);
	assert_no_findings(w);
}

/* Confirmed by nobody: the certificate sends people elsewhere. */
static void
test_url_elsewhere(void **state)
{
	struct world *w = *state;

	configure(w,
	    "  crl: 'http://elsewhere.example/{issuer}.crl'\n"
	    "  ca-issuers: 'http://c.example/r.cer'\n"
	    "  ocsp: 'http://o.example/'\n");
	make_root(w);
	make_sub(w);
	audit(w);
	assert_only(w, "AUDIT-URL");
	assert_found(
	    w, "AUDIT-URL", "says http://elsewhere.example/root-g1.crl");
}

/* An authority that publishes nothing. */
static void
test_url_without(void **state)
{
	struct world *w = *state;

	configure(w,
	    "  ca-issuers: 'http://c.example/r.cer'\n"
	    "  ocsp: 'http://o.example/'\n");
	make_root(w);
	make_sub(w);
	audit(w);
	assert_only(w, "AUDIT-URL");
	assert_found(w, "AUDIT-URL", "says nothing");
}

static int
free_keys(void **state)
{
	(void)state;
	keys_free();
	return 0;
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_clean),
		TEST(test_end_entity),
		TEST(test_end_entity_of_root),
		TEST(test_end_entity_as_sub),
		TEST(test_sub_as_end_entity),
		TEST(test_end_entity_other_name),
		TEST(test_cross),
		TEST(test_cross_other_key),
		TEST(test_cross_other_name),
		TEST(test_cross_other_identifier),
		TEST(test_cross_wider),
		TEST(test_cross_without_plan),
		TEST(test_signature),
		TEST(test_tbs),
		TEST(test_algorithm),
		TEST(test_unknown_algorithm),
		TEST(test_foreign_key),
		TEST(test_rubbish),
		TEST(test_pem),
		TEST(test_another),
		cmocka_unit_test(test_facts),
		TEST(test_kind),
		TEST(test_no_kind),
		TEST(test_no_issuer),
		TEST(test_issuer_later),
		TEST(test_outlives),
		TEST(test_precedes),
		TEST(test_names),
		TEST(test_key_identifier),
		TEST(test_path_length),
		TEST(test_issuer_revoked),
		TEST(test_revoked_later),
		TEST(test_root_names_another),
		cmocka_unit_test(test_departures),
		TEST(test_other_profile),
		TEST(test_profile_unknown),
		TEST(test_profile_removed),
		TEST(test_profile_removed_later),
		TEST(test_profile_broken),
		TEST(test_profile_kind),
		TEST(test_short_serial),
		TEST(test_serial_twice),
		TEST(test_other_time),
		TEST(test_within_hours),
		TEST(test_request),
		TEST(test_request_of_others),
		TEST(test_request_key),
		TEST(test_adopted),
		TEST(test_adopted_facts),
		TEST(test_adopted_root),
		TEST(test_urls),
		TEST(test_url_elsewhere),
		TEST(test_url_without),
	};

	return cmocka_run_group_tests(tests, NULL, free_keys);
}
