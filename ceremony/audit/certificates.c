/* Certificates: what they say, who issued them, and by which profile. */
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "ceremony/audit/objects-private.h"
#include "ceremony/audit/people-private.h"
#include "ceremony/steps/scope.h"
#include "profiles/cross.h"
#include "profiles/der/der.h"
#include "profiles/existing.h"
#include "profiles/issuer.h"

enum self_issued { NEVER, ALWAYS, MAYBE };

/* By profile_kind_name(); a CRL's is not for certificates. */
static const struct {
	const char *name;
	enum profile_kind kind;
	bool ca;
	enum self_issued self_issued;
} kinds[] = {
	{ "root", PROFILE_ROOT, true, ALWAYS },
	{ "subordinate", PROFILE_SUBORDINATE, true, NEVER },
	/* CROSS-NOT-SELF: the old key may sign the new one of the same name. */
	{ "cross", PROFILE_CROSS, true, MAYBE },
	{ "ocsp-responder", PROFILE_OCSP_RESPONDER, false, NEVER },
	{ "end-entity", PROFILE_END_ENTITY, false, NEVER },
};

enum { KINDS = sizeof kinds / sizeof kinds[0] };

/*
 * What certificate_check_profile() says of the issuer: the first have been said
 * by issuer_check() and certificate_check_issued(), the second make
 * AUDIT-ISSUER, all others AUDIT-PROFILE.
 */
static const char *const said[] = { "ISSUER-VALID", "ISSUER-CA",
	"AKI-KEYID-ONLY", "FLD-ISSUER-NONEMPTY", "FLD-TIME-NESTED", NULL };
static const char *const of_issuer[] = { "SUB-PATHLEN", "SUB-EKU-NESTED",
	"NC-NESTED", "SAN-IN-NC", "POL-CHAIN", "NAM-NEWKEY-NEWNAME",
	"KEY-NOT-A-CA-KEY", "KEY-USE-ROOT", NULL };

/* ---- facts ------------------------------------------------------------ */

static int
check_facts(
    const struct audit_object *object, const struct certificate_facts *facts)
{
	AUTO_CHARS(serial) = text_hex(facts->serial, facts->serial_len);
	bool ca = json_is_true(json_object_get(object->intent.data, "ca"));

	if (serial == NULL ||
	    audit_same_digest(object, "issuer_dn", facts->issuer_der,
		facts->issuer_len) != 0 ||
	    audit_same_digest(object, "subject_dn", facts->subject_der,
		facts->subject_len) != 0 ||
	    audit_same_digest(object, "spki", facts->spki, facts->spki_len) !=
		0)
		return -1;
	audit_same_text(object, "serial", serial);
	audit_same_date(object, "not_before", facts->not_before);
	audit_same_date(object, "not_after", facts->not_after);
	if (ca != facts->is_ca)
		audit_error(object->audit, object->entry, "AUDIT-FACTS",
		    "'%s' is %s CA, its intent says otherwise",
		    audit_text(object->entry, "name"),
		    facts->is_ca ? "a" : "no");
	return 0;
}

/* The row that the intent names; KINDS and a finding where it is none. */
static size_t
kind_of(
    const struct audit_object *object, const struct certificate_facts *facts)
{
	const char *name = audit_text(&object->intent, "certificate_kind");
	size_t i = 0;

	while (i < KINDS && strcmp(kinds[i].name, name) != 0)
		i++;
	if (i == KINDS || kinds[i].ca != facts->is_ca ||
	    (kinds[i].self_issued != MAYBE &&
		(kinds[i].self_issued == ALWAYS) != facts->self_issued))
		audit_error(object->audit, object->entry, "AUDIT-FACTS",
		    "'%s' is no certificate of kind '%s', as its intent says",
		    audit_text(object->entry, "name"), name);
	return i;
}

/* ---- issuer ----------------------------------------------------------- */

static void
not_valid_at(const struct audit_object *object, int64_t time, const char *when)
{
	char text[DATE_TEXT_SIZE];

	date_format(time, text);
	audit_error(object->audit, object->entry, "AUDIT-ISSUER",
	    "'%s', which issues '%s', was not valid when that was %s, at %s "
	    "(RFC 5280, section 4.1.2.5)",
	    audit_text(&object->intent, "issuer"),
	    audit_text(object->entry, "name"), when, text);
}

/* The time of its list; of the intent, where there is none. */
static int64_t
listed_at(const struct audit_object *object)
{
	const struct audit_objects_state *state = object->state;

	for (size_t i = 0; i < state->list_count; i++)
		if (state->lists[i].list ==
		    audit_number(&object->intent, "list"))
			return state->lists[i].time;
	return object->intent.time;
}

int
audit_issuer_then(const struct audit_object *object,
    const struct issuer *issuer, int64_t from)
{
	AUTO_STRUCT(run_row) run = { 0 };
	int64_t listed = listed_at(object);
	bool found = false;

	/* An issuer of the same list may begin when that is journalled. */
	if (listed > issuer->facts.not_after)
		not_valid_at(object, listed, "listed");
	if (object->entry->time < issuer->facts.not_before ||
	    object->entry->time > issuer->facts.not_after)
		not_valid_at(object, object->entry->time, "signed");
	if (from >= listed - AUDIT_BACKDATE_MAX)
		return 0;
	if (journal_run(object->audit->journal,
		audit_text(object->entry, "run"), &found, &run) != 0)
		return -1;
	/* In all others, the intent has a warning. */
	if (found && run.unattended)
		audit_error(object->audit, object->entry, "AUDIT-BACKDATED",
		    "'%s' was set back by more than 12 hours, and nobody "
		    "attended the run",
		    audit_text(object->entry, "name"));
	return 0;
}

static int
check_issued(const struct audit_object *object, const X509 *cert,
    const struct certificate_facts *facts, const X509 *issuer_cert)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(issuer) issuer = { 0 };

	if (issuer_read(issuer_cert, &issuer) != 0 ||
	    certificate_check_issued(cert, issuer_cert, "", &findings) != 0)
		return audit_take_error(
		    object->audit, object->entry, "AUDIT-ISSUER");
	issuer_check(&issuer, facts->not_before, "", &findings);
	issuer_check_nesting(
	    &issuer, facts->not_after, "certificate", "", &findings);
	audit_take_findings(
	    object->audit, object->entry, &findings, "AUDIT-ISSUER", NULL);
	return audit_issuer_then(object, &issuer, facts->not_before);
}

/* A root names itself, and signs itself with its own key. */
static void
check_root(const struct audit_object *object)
{
	const char *name = audit_text(object->entry, "name");

	if (strcmp(audit_text(&object->intent, "issuer"), name) != 0)
		audit_error(object->audit, object->entry, "AUDIT-ISSUER",
		    "the root '%s' names '%s' as its issuer", name,
		    audit_text(&object->intent, "issuer"));
	if (strcmp(audit_text(&object->intent, "key"),
		audit_text(&object->intent, "spki")) != 0)
		audit_error(object->audit, object->entry, "AUDIT-ISSUER",
		    "the root '%s' is not signed with its own key", name);
}

/* KEY-USE-ROOT: in whatever certificate the root's key issues it. */
static int
check_root_key(const struct audit_object *object)
{
	int64_t seq;
	bool root;

	if (sql_number(object->audit->journal,
		"SELECT seq FROM objects WHERE kind = 'certificate'"
		" AND spki = ?1 AND subject_dn = issuer_dn LIMIT 1",
		SQL_VALUES(sql_text(audit_text(&object->intent, "key"))), &root,
		&seq) != 0)
		return -1;
	if (root)
		audit_error(object->audit, object->entry, "AUDIT-ISSUER",
		    "'%s' is the certificate of an end entity, and signed with "
		    "a root's key (KEY-USE-ROOT, TLS BR, section 6.1.7)",
		    audit_text(object->entry, "name"));
	return 0;
}

/* The issuer's certificate, with a reference; NULL where there is none. */
static int
find_issuer(
    struct audit_object *object, bool root, X509 *cert, X509 **ret_issuer)
{
	AUTO_STRUCT(object_row) row = { 0 };

	if (root) {
		check_root(object);
		if (X509_up_ref(cert) != 1)
			return ca_error(
			    CA_R_INTERNAL, "cannot refer to a certificate");
		*ret_issuer = cert;
		return 0;
	}
	return audit_issuer(object->audit, object->entry,
	    audit_text(&object->intent, "issuer"), "AUDIT-ISSUER", &row,
	    ret_issuer);
}

/* ---- profile ---------------------------------------------------------- */

static bool
is_in(const char *id, const char *const *list)
{
	for (; *list != NULL; list++)
		if (strcmp(*list, id) == 0)
			return true;
	return false;
}

/* Each finding by what it is about. */
static void
sort_findings(const struct findings *all, struct findings *issuer,
    struct findings *profile)
{
	for (size_t i = 0; i < all->count; i++) {
		const struct finding *row = &all->rows[i];

		if (!is_in(row->id, said))
			findings_add(
			    is_in(row->id, of_issuer) ? issuer : profile,
			    row->severity, row->id, row->place, row->source,
			    "%s", row->text);
	}
	profile->lost = all->lost;
}

static int
check_profile(
    struct audit_object *object, enum profile_kind kind, const X509 *issuer)
{
	AUTO_STRUCT(findings) all = { 0 };
	AUTO_STRUCT(findings) of_issuers = { 0 };
	AUTO_STRUCT(findings) of_profile = { 0 };
	const struct profile *profile = NULL;

	if (audit_profile(object, kind, &profile) != 0)
		return -1;
	if (profile == NULL)
		return 0;
	if (certificate_check_profile(
		object->der, object->len, profile, issuer, "", &all) != 0)
		return -1;
	sort_findings(&all, &of_issuers, &of_profile);
	audit_take_findings(
	    object->audit, object->entry, &of_issuers, "AUDIT-ISSUER", NULL);
	audit_take_findings(
	    object->audit, object->entry, &of_profile, "AUDIT-PROFILE", NULL);
	return 0;
}

/* ---- cross certificates ------------------------------------------------ */

static const char *
existing_file(const struct audit_plan *plan, const char *name)
{
	for (unsigned i = 0; i < plan->params->steps_count; i++) {
		const struct certificate_params *p = plan->steps[i].params;

		if (plan->steps[i].kind == &step_cross &&
		    strcmp(p->name, name) == 0)
			return p->existing;
	}
	return NULL;
}

/* The certificate that its plan named, from the evidence. */
static int
read_existing(const struct audit_object *object, X509 **ret_existing)
{
	AUTO_STRUCT(audit_plan) plan = { 0 };
	AUTO_STRUCT(run_row) run = { 0 };
	const struct input *input;
	const char *file;
	bool found = false;

	if (journal_run(object->audit->journal,
		audit_text(object->entry, "run"), &found, &run) != 0 ||
	    (found &&
		audit_plan_read(object->audit, run.manifest, true, &plan) != 0))
		return -1;
	file = !found ? NULL
		      : existing_file(&plan, audit_text(object->entry, "name"));
	input =
	    file == NULL ? NULL : inputs_find(&plan.inputs, INPUT_FILE, file);
	if (input == NULL)
		return ca_error(CA_R_INPUT,
		    "the plan of its run names no existing certificate for "
		    "cross certificate '%s'",
		    audit_text(object->entry, "name"));
	return certificate_read(file, input->data, input->len, ret_existing);
}

/* CROSS-SUBJECT-BYTES, CROSS-SKI-BYTES */
static int
compare_copies(const X509 *cert, const struct certificate_facts *facts,
    const X509 *existing)
{
	AUTO(ASN1_OCTET_STRING) *ski = NULL;
	AUTO(ASN1_OCTET_STRING) *old = NULL;
	AUTO_STRUCT(certificate_facts) before = { 0 };

	if (certificate_facts(existing, &before) != 0 ||
	    cross_key_identifier(cert, &ski) != 0 ||
	    cross_key_identifier(existing, &old) != 0)
		return -1;
	if (facts->subject_len != before.subject_len ||
	    memcmp(facts->subject_der, before.subject_der,
		before.subject_len) != 0)
		return ca_error(CA_R_INPUT,
		    "its subject is not that of the existing certificate, "
		    "octet for octet");
	if (old != NULL &&
	    (ski == NULL || ASN1_OCTET_STRING_cmp(ski, old) != 0))
		return ca_error(CA_R_INPUT,
		    "its subject key identifier is not that of the existing "
		    "certificate");
	return 0;
}

/* As ceremony/steps/certificate.c did, with the existing certificate. */
static int
check_cross(struct audit_object *object, X509 *cert,
    const struct certificate_facts *facts, const X509 *issuer)
{
	struct certificate_request request = {
		.spki = facts->spki,
		.spki_len = facts->spki_len,
		.issuer = issuer,
		.now = facts->not_before,
		.place = "",
	};
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO(X509) *existing = NULL;

	if (audit_profile(object, PROFILE_CROSS, &request.profile) != 0)
		return -1;
	if (request.profile == NULL)
		return 0;
	if (read_existing(object, &existing) != 0 ||
	    compare_copies(cert, facts, existing) != 0)
		return audit_take_error(
		    object->audit, object->entry, "AUDIT-CROSS");
	request.existing = existing;
	if (cross_check(&request, &findings) != 0)
		return audit_take_error(
		    object->audit, object->entry, "AUDIT-CROSS");
	audit_take_findings(
	    object->audit, object->entry, &findings, "AUDIT-CROSS", NULL);
	return 0;
}

/* ---- URLs ------------------------------------------------------------- */

struct urls {
	char *of[PROFILE_URLS];
};

static void
urls_clear(struct urls *urls)
{
	for (size_t i = 0; i < PROFILE_URLS; i++)
		free(urls->of[i]);
}
CLEANUP_DEFINE_STRUCT(urls);

/* Where the profile splits the CRL: is it the partition of this serial? */
static int
is_partition(struct audit_object *object, const struct certificate_facts *facts,
    const char *is, const char *url, bool *ret_is)
{
	AUTO_CHARS(wanted) = NULL;
	const struct profile *profile = NULL;

	if (strcmp(audit_text(&object->intent, "certificate_kind"),
		profile_kind_name(PROFILE_END_ENTITY)) != 0)
		return 0;
	if (audit_profile(object, PROFILE_END_ENTITY, &profile) != 0)
		return -1;
	if (profile == NULL)
		return 0;
	wanted = crl_partition_url(url, profile_crl_partitions(profile),
	    facts->serial, facts->serial_len);
	if (wanted == NULL)
		return -1;
	*ret_is = strcmp(wanted, is) == 0;
	return 0;
}

/* One that the certificate has must be the authority's own. */
static int
check_url(struct audit_object *object, const struct certificate_facts *facts,
    enum profile_url which, const char *is, const char *wanted)
{
	AUTO_CHARS(url) = NULL;
	bool right = false;

	if (is == NULL)
		return 0; /* whether it needs one: AUDIT-PROFILE */
	if (wanted != NULL) {
		url = step_url(wanted, audit_text(&object->intent, "issuer"));
		if (url == NULL)
			return -1;
	}
	right = url != NULL && strcmp(url, is) == 0;
	if (!right && url != NULL && which == URL_CRL &&
	    is_partition(object, facts, is, url, &right) != 0)
		return -1;
	if (!right)
		audit_error(object->audit, object->entry, "AUDIT-URL",
		    "'%s' refers to '%s', and the authority.yaml that was in "
		    "force says %s%s",
		    audit_text(object->entry, "name"), is,
		    url == NULL ? "nothing" : "", url == NULL ? "" : url);
	return 0;
}

static int
check_urls(struct audit_object *object, const X509 *cert,
    const struct certificate_facts *facts)
{
	AUTO_STRUCT(audit_config) config = { 0 };
	AUTO_STRUCT(urls) urls = { 0 };
	bool found = false;

	if (certificate_urls(cert, urls.of) != 0)
		return audit_take_error(
		    object->audit, object->entry, "AUDIT-PROFILE");
	if (json_object_get(object->intent.data, "crl_url") != NULL)
		audit_same_text(object, "crl_url",
		    urls.of[URL_CRL] == NULL ? "" : urls.of[URL_CRL]);
	if (audit_config_in_force(object->audit, &found, &config) != 0)
		return -1;
	for (size_t i = 0; found && i < PROFILE_URLS; i++)
		if (check_url(object, facts, (enum profile_url)i, urls.of[i],
			config.urls[i]) != 0)
			return -1;
	return 0;
}

/* ---- both ------------------------------------------------------------- */

/* In DER, which certificate_read() does not insist on. */
static int
read_certificate(const struct audit_object *object, X509 **ret_cert,
    struct certificate_facts *ret_facts)
{
	struct signed_object parts;

	if (!der_signed_object(object->der, object->len, &parts)) {
		audit_error(object->audit, object->entry, "AUDIT-SIGNATURE",
		    "'%s' is no certificate in DER",
		    audit_text(object->entry, "name"));
		return 0;
	}
	if (certificate_read(audit_text(object->entry, "name"), object->der,
		object->len, ret_cert) == 0 &&
	    certificate_facts(*ret_cert, ret_facts) == 0)
		return 0;
	X509_free(*ret_cert);
	*ret_cert = NULL;
	return audit_take_error(
	    object->audit, object->entry, "AUDIT-SIGNATURE");
}

int
audit_certificate(struct audit_object *object)
{
	AUTO(X509) *cert = NULL;
	AUTO(X509) *issuer = NULL;
	AUTO_STRUCT(certificate_facts) facts = { 0 };
	bool root;
	size_t kind;

	object->audit->report.certificates++;
	if (read_certificate(object, &cert, &facts) != 0)
		return -1;
	if (cert == NULL)
		return 0;
	if (check_facts(object, &facts) != 0 ||
	    check_urls(object, cert, &facts) != 0)
		return -1;
	kind = kind_of(object, &facts);
	if (kind == KINDS)
		return 0;
	root = kinds[kind].kind == PROFILE_ROOT;
	if (find_issuer(object, root, cert, &issuer) != 0)
		return -1;
	if (issuer == NULL)
		return 0;
	if (check_issued(object, cert, &facts, issuer) != 0)
		return -1;
	if (kinds[kind].kind == PROFILE_CROSS &&
	    check_cross(object, cert, &facts, issuer) != 0)
		return -1;
	if (kinds[kind].kind == PROFILE_END_ENTITY &&
	    check_root_key(object) != 0)
		return -1;
	return check_profile(object, kinds[kind].kind, root ? NULL : issuer);
}

/* A root comes with its key, and with no other (adopt-ca). */
static int
check_self_issued(struct audit_object *object)
{
	const struct audit_entry *entry = object->entry;
	AUTO_STRUCT(key_row) row = { 0 };
	bool found = false;

	if (journal_key(object->audit->journal, audit_text(entry, "key"),
		&found, &row) != 0)
		return -1;
	if (!found || !row.adopted)
		audit_error(object->audit, entry, "AUDIT-ADOPTED",
		    "certificate '%s', which was taken in, is self-issued",
		    audit_text(entry, "name"));
	return 0;
}

/* As ceremony/steps/adopt-certificate.c checks it when it is taken in. */
int
audit_adopted(struct audit_object *object)
{
	const struct audit_entry *entry = object->entry;
	AUTO(X509) *cert = NULL;
	AUTO_STRUCT(certificate_facts) facts = { 0 };

	object->audit->report.certificates++;
	if (read_certificate(object, &cert, &facts) != 0)
		return -1;
	if (cert == NULL)
		return 0;
	if (check_facts(object, &facts) != 0)
		return -1;
	if (!facts.is_ca || !facts.signs_crls)
		audit_error(object->audit, entry, "AUDIT-ADOPTED",
		    "certificate '%s', which was taken in, is not that of a CA "
		    "that may sign CRLs",
		    audit_text(entry, "name"));
	if (facts.self_issued && check_self_issued(object) != 0)
		return -1;
	if (entry->time < facts.not_before - AUDIT_BACKDATE_MAX ||
	    entry->time > facts.not_after + AUDIT_BACKDATE_MAX)
		audit_warning(object->audit, entry, "AUDIT-ADOPTED",
		    "certificate '%s' was not valid when it was taken in",
		    audit_text(entry, "name"));
	return 0;
}
