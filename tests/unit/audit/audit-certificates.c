/* Certificates and requests: each thing that is verified, once forged. */
#include "base/date.h"
#include "objects-support.h"
#include "profiles/csr.h"
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
