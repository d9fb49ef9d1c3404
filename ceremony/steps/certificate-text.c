/* What the journal and people are told of a certificate. */
#include <string.h>

#include <openssl/x509v3.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "ceremony/steps/certificate-private.h"
#include "profiles/existing.h"
#include "profiles/general-name.h"

enum {
	IGNORED_MAX = 16, /* rows about a request; the findings have all */
};

/* ---- what the request does not get ------------------------------------ */

static bool
is_about_request(const struct finding *row)
{
	return strcmp(row->id, "CSR-IGNORE") == 0 ||
	    strcmp(row->id, "CSR-NO-CA") == 0;
}

/* *text = *text + a line. */
static int
add_line(char **text, const char *line)
{
	char *longer =
	    text_printf("%s\n  %s", *text == NULL ? "" : *text, line);

	free(*text);
	*text = longer;
	return longer == NULL ? -1 : 0;
}

int
certificate_keep_ignored(struct making *m, size_t first)
{
	const struct findings *findings = m->build->findings;
	size_t n = 0;
	char more[64];

	for (size_t i = first; i < findings->count; i++) {
		if (!is_about_request(&findings->rows[i]))
			continue;
		if (n++ < IGNORED_MAX &&
		    add_line(&m->ignored, findings->rows[i].text) < 0)
			return -1;
	}
	if (n <= IGNORED_MAX)
		return 0;
	(void)snprintf(
	    more, sizeof(more), "and %zu more of the kind", n - IGNORED_MAX);
	return add_line(&m->ignored, more);
}

/* ---- names ------------------------------------------------------------ */

/* "dns:a.example, dns:b.example", each behind `sep`; "" where there is none. */
static int
alternative_names(const X509 *certificate, const char *sep, char **ret_text)
{
	AUTO(GENERAL_NAMES) *names =
	    X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	AUTO(BIO) *out = BIO_new(BIO_s_mem());
	char *data = NULL;
	long len;

	if (out == NULL)
		return ca_error(CA_R_MEMORY, "no memory for names");
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		AUTO_CHARS(name) =
		    general_name_describe(sk_GENERAL_NAME_value(names, i));

		if (name == NULL)
			return -1;
		if (BIO_printf(out, "%s%s", sep, name) < 0)
			return ca_error(CA_R_MEMORY, "no memory for names");
	}
	len = BIO_get_mem_data(out, &data);
	*ret_text =
	    len <= 0 ? text_copy("") : text_printf("%.*s", (int)len, data);
	return *ret_text == NULL ? -1 : 0;
}

/* ---- facts ------------------------------------------------------------ */

/* Where its status will be, as it stands in it; NULL: nowhere. */
static int
crl_url(const X509 *certificate, char **ret_url)
{
	char *urls[PROFILE_URLS] = { NULL };

	if (certificate_urls(certificate, urls) < 0)
		return -1;
	*ret_url = TAKE(urls[URL_CRL]);
	for (size_t i = 0; i < PROFILE_URLS; i++)
		free(urls[i]);
	return 0;
}

static json_t *
make_facts(const struct making *m, const struct certificate_facts *facts,
    const X509 *certificate)
{
	AUTO_CHARS(issuer_dn) =
	    sha256_hex(facts->issuer_der, facts->issuer_len);
	AUTO_CHARS(subject_dn) =
	    sha256_hex(facts->subject_der, facts->subject_len);
	AUTO_CHARS(spki) = sha256_hex(facts->spki, facts->spki_len);
	AUTO_CHARS(serial) = text_hex(facts->serial, facts->serial_len);
	AUTO_CHARS(url) = NULL;
	char from[DATE_TEXT_SIZE], until[DATE_TEXT_SIZE];

	if (issuer_dn == NULL || subject_dn == NULL || spki == NULL ||
	    serial == NULL || crl_url(certificate, &url) < 0)
		return NULL;
	date_format(facts->not_before, from);
	date_format(facts->not_after, until);
	return json_pack(
	    "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:s, s:s?, s:s*}",
	    "issuer",
	    m->params->issuer == NULL ? m->params->name : m->params->issuer,
	    "issuer_dn", issuer_dn, "profile", m->params->profile, "serial",
	    serial, "subject_dn", subject_dn, "spki", spki, "not_before", from,
	    "not_after", until, "ca", facts->is_ca ? 1 : 0, "certificate_kind",
	    profile_kind_name(variant_of(m->step)->profile), "subject_key",
	    m->params->key, "crl_url", url);
}

/* ---- for people ------------------------------------------------------- */

/* "CN=x, dns:a.example, dns:b.example", or one of both. */
static char *
make_summary(const struct making *m, const struct certificate_facts *facts,
    const X509 *certificate)
{
	const bool named = facts->subject[0] != '\0';
	AUTO_CHARS(names) = NULL;

	if (alternative_names(certificate, ", ", &names) < 0)
		return NULL;
	return text_printf("%s certificate for %s%s, issued by %s",
	    profile_kind_name(variant_of(m->step)->profile), facts->subject,
	    named || names[0] == '\0' ? names : names + 2,
	    m->params->issuer == NULL ? "itself" : facts->issuer);
}

static char *
describe_key(const struct making *m, const struct certificate_facts *facts)
{
	const struct key_type *type =
	    key_type_of_spki(facts->spki, facts->spki_len);
	AUTO_CHARS(hash) = sha256_hex(facts->spki, facts->spki_len);

	if (certificate_is_late(m->params) && m->build->mode == BUILD_CHECK)
		return text_copy("comes with the request when the plan is run");
	return hash == NULL ? NULL
			    : text_printf("%s, SHA-256\n  %s",
				  type == NULL ? "unknown" : type->name, hash);
}

/* "beside: the certificate of serial ... by ...", for a cross certificate. */
static int
describe_existing(const struct making *m, char **ret_text)
{
	AUTO_STRUCT(certificate_facts) old = { 0 };
	AUTO_CHARS(serial) = NULL;

	if (m->existing == NULL) {
		*ret_text = text_copy("");
		return *ret_text == NULL ? -1 : 0;
	}
	if (certificate_facts(m->existing, &old) < 0)
		return -1;
	serial = text_hex(old.serial, old.serial_len);
	if (serial == NULL)
		return -1;
	*ret_text =
	    text_printf("existing certificate: serial %s, issued by %s\n",
		serial, old.self_issued ? "itself" : old.issuer);
	return *ret_text == NULL ? -1 : 0;
}

static char *
make_details(const struct making *m, const struct certificate_facts *facts,
    const X509 *certificate)
{
	AUTO_CHARS(serial) = text_hex(facts->serial, facts->serial_len);
	AUTO_CHARS(key) = describe_key(m, facts);
	AUTO_CHARS(names) = NULL;
	AUTO_CHARS(existing) = NULL;
	char from[DATE_TEXT_SIZE], until[DATE_TEXT_SIZE];

	if (serial == NULL || key == NULL ||
	    alternative_names(certificate, "\n  ", &names) < 0 ||
	    describe_existing(m, &existing) < 0)
		return NULL;
	date_format(facts->not_before, from);
	date_format(facts->not_after, until);
	return text_printf("subject: %s\n"
			   "%s%s%s"
			   "issuer: %s\n"
			   "serial: %s\n"
			   "valid: %s to %s\n"
			   "profile: %s\n"
			   "%s"
			   "public key: %s%s%s",
	    facts->subject[0] == '\0' ? "(empty)" : facts->subject,
	    names[0] == '\0' ? "" : "alternative names:", names,
	    names[0] == '\0' ? "" : "\n", facts->issuer, serial, from, until,
	    m->params->profile, existing, key,
	    m->ignored == NULL ? "" : "\nrequest:",
	    m->ignored == NULL ? "" : m->ignored);
}

int
certificate_describe(const struct making *m,
    const struct certificate_facts *facts, struct built_object *object)
{
	object->facts = make_facts(m, facts, object->certificate);
	object->summary = make_summary(m, facts, object->certificate);
	object->details = make_details(m, facts, object->certificate);
	return object->facts == NULL || object->summary == NULL ||
		object->details == NULL
	    ? ca_error(CA_R_MEMORY, "no memory for a certificate's facts")
	    : 0;
}
