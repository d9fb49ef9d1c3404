#include "ceremony/steps/scope.h"

#include <limits.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "profiles/certificate.h"
#include "profiles/existing.h"

CLEANUP_DEFINE(ISSUING_DIST_POINT, ISSUING_DIST_POINT_free);

void
crl_scope_clear(struct crl_scope *scope)
{
	free(scope->url);
	*scope = (struct crl_scope){ 0 };
}

/* Its one URL (CRL-IDP-URI). */
static int
read_url(const ISSUING_DIST_POINT *idp, char **ret_url)
{
	const GENERAL_NAMES *names =
	    idp->distpoint == NULL || idp->distpoint->type != 0
	    ? NULL
	    : idp->distpoint->name.fullname;
	const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, 0);
	const ASN1_STRING *uri;
	int type;

	if (sk_GENERAL_NAME_num(names) != 1)
		return ca_error(CA_R_INPUT,
		    "its issuing distribution point has not exactly one name");
	uri = GENERAL_NAME_get0_value(name, &type);
	if (type != GEN_URI)
		return ca_error(
		    CA_R_INPUT, "its issuing distribution point is no URL");
	*ret_url = text_printf("%.*s", ASN1_STRING_length(uri),
	    (const char *)ASN1_STRING_get0_data(uri));
	return *ret_url == NULL ? -1 : 0;
}

int
crl_scope_of(
    const STACK_OF(X509_EXTENSION) *extensions, struct crl_scope *ret_scope)
{
	AUTO(ISSUING_DIST_POINT) *idp = NULL;
	AUTO_STRUCT(crl_scope) scope = { 0 };
	int critical;

	idp = X509V3_get_d2i(
	    extensions, NID_issuing_distribution_point, &critical, NULL);
	if (idp == NULL && critical != -1)
		return ca_error(CA_R_INPUT,
		    "its issuing distribution point is malformed or there "
		    "twice");
	if (idp != NULL && read_url(idp, &scope.url) < 0)
		return -1;
	scope.only_ca = idp != NULL && idp->onlyCA > 0;
	scope.only_user = idp != NULL && idp->onlyuser > 0;
	*ret_scope = scope;
	scope = (struct crl_scope){ 0 }; /* moved out */
	return 0;
}

int
crl_scope_read(const X509_CRL *crl, struct crl_scope *ret_scope)
{
	return crl_scope_of(X509_CRL_get0_extensions(crl), ret_scope);
}

static bool
same_url(const struct crl_scope *a, const struct crl_scope *b)
{
	if (a->url == NULL || b->url == NULL)
		return a->url == b->url;
	return strcmp(a->url, b->url) == 0;
}

bool
crl_scope_equal(const struct crl_scope *a, const struct crl_scope *b)
{
	return same_url(a, b) && a->only_ca == b->only_ca &&
	    a->only_user == b->only_user;
}

bool
crl_scope_overlap(const struct crl_scope *a, const struct crl_scope *b)
{
	return same_url(a, b) && !(a->only_ca && b->only_user) &&
	    !(a->only_user && b->only_ca);
}

char *
crl_scope_text(const struct crl_scope *scope)
{
	AUTO_CHARS(text) = NULL;

	if (scope->url == NULL)
		return text_copy("all certificates");
	text = text_printf("%s with %s",
	    scope->only_ca         ? "CAs"
		: scope->only_user ? "end entities"
				   : "certificates",
	    scope->url);
	return text == NULL ? NULL : text_escape(text, strlen(text));
}

/* ---- partitions -------------------------------------------------------- */

char *
crl_partition_url_at(const char *url, unsigned number)
{
	const char *path = strrchr(url, '/');
	const char *dot = strrchr(url, '.');

	/* No CA's name has a slash, so no two CAs have one URL. */
	if (path == NULL || dot == NULL || dot < path)
		return text_printf("%s/%u", url, number);
	return text_printf("%.*s/%u%s", (int)(dot - url), url, number, dot);
}

int
crl_is_partition_of(const char *url, const char *partition, bool *ret_is)
{
	const char *slash = strrchr(partition, '/');
	AUTO_CHARS(again) = NULL;
	unsigned long number = slash == NULL ? 0 : strtoul(slash + 1, NULL, 10);

	*ret_is = false;
	if (number == 0 || number > UINT_MAX)
		return 0;
	again = crl_partition_url_at(url, (unsigned)number);
	if (again == NULL)
		return -1;
	*ret_is = strcmp(again, partition) == 0;
	return 0;
}

char *
crl_partition_url(const char *url, unsigned partitions,
    const unsigned char *serial, size_t len)
{
	enum { OCTETS = 4 };
	unsigned long value = 0;

	if (partitions == 0)
		return text_copy(url);
	for (size_t i = len < OCTETS ? 0 : len - OCTETS; i < len; i++)
		value = value << 8 | serial[i];
	return crl_partition_url_at(url, (unsigned)(value % partitions) + 1);
}

/* ---- certificates ------------------------------------------------------ */

/*
 * NULL in *ret_url: it names no CRL.  Where its entry does not say it, its
 * octets do.
 */
static int
url_of(struct journal *journal, const struct object_row *row, char **ret_url)
{
	AUTO_BYTES(der) = NULL;
	AUTO(X509) *certificate = NULL;
	char *urls[PROFILE_URLS] = { NULL };
	size_t len = 0;

	if (row->crl_url != NULL) {
		*ret_url = text_copy(row->crl_url);
		return *ret_url == NULL ? -1 : 0;
	}
	if (journal_object_bytes(journal, row, &der, &len) < 0 ||
	    certificate_read(row->name, der, len, &certificate) < 0 ||
	    certificate_urls(certificate, urls) < 0)
		return -1;
	*ret_url = TAKE(urls[URL_CRL]);
	for (size_t i = 0; i < PROFILE_URLS; i++)
		free(urls[i]);
	return 0;
}

static bool
is_of_kind(const struct crl_scope *scope, bool ca)
{
	return ca ? !scope->only_user : !scope->only_ca;
}

static int
judge_known(struct journal *journal, const struct crl_scope *scope,
    const struct object_row *row, enum scope_verdict *ret_verdict)
{
	AUTO_CHARS(url) = NULL;

	if (url_of(journal, row, &url) < 0)
		return -1;
	if (url == NULL)
		*ret_verdict = SCOPE_NOWHERE;
	else if (is_of_kind(scope, row->ca) && strcmp(url, scope->url) == 0)
		*ret_verdict = SCOPE_HOLDS;
	else
		*ret_verdict = SCOPE_LACKS;
	return 0;
}

/* An intent without a good object. */
struct intent_search {
	const char *issuer_dn, *serial;
	bool found, ca;
	char *url; /* NULL: not said */
};

static void
intent_search_clear(struct intent_search *search)
{
	free(search->url);
}
CLEANUP_DEFINE_STRUCT(intent_search);

static int
match_intent(void *ctx, const struct object_row *row)
{
	struct intent_search *search = ctx;

	if (row->serial != NULL && row->issuer_dn != NULL &&
	    strcmp(row->serial, search->serial) == 0 &&
	    strcmp(row->issuer_dn, search->issuer_dn) == 0) {
		search->found = true;
		search->ca = row->ca;
		free(search->url);
		search->url = NULL;
		if (row->crl_url != NULL &&
		    (search->url = text_copy(row->crl_url)) == NULL)
			return -1;
	}
	return 0;
}

/* Rare enough to look at every certificate. */
static int
judge_possible(struct journal *journal, const struct crl_scope *scope,
    const char *issuer_dn, const char *serial, enum scope_verdict *ret_verdict)
{
	AUTO_STRUCT(intent_search)
	search = { .issuer_dn = issuer_dn, .serial = serial };

	if (journal_each_object(
		journal, NULL, "certificate", match_intent, &search) < 0)
		return -1;
	if (!search.found)
		*ret_verdict = SCOPE_UNKNOWN;
	else if (!is_of_kind(scope, search.ca) ||
	    (search.url != NULL && strcmp(search.url, scope->url) != 0))
		*ret_verdict = SCOPE_LACKS;
	else
		*ret_verdict = SCOPE_HOLDS;
	return 0;
}

int
crl_scope_judge(struct journal *journal, const struct crl_scope *scope,
    const char *issuer_dn, const char *serial, enum scope_verdict *ret_verdict)
{
	AUTO_STRUCT(object_row) row = { 0 };
	bool found = false;

	if (scope->url == NULL) {
		*ret_verdict = SCOPE_HOLDS;
		return 0;
	}
	if (journal_certificate_by_serial(
		journal, issuer_dn, serial, &found, &row) < 0)
		return -1;
	return found
	    ? judge_known(journal, scope, &row, ret_verdict)
	    : judge_possible(journal, scope, issuer_dn, serial, ret_verdict);
}

/* ---- the URL ----------------------------------------------------------- */

struct url_search {
	struct journal *journal;
	const struct crl_scope *scope;
	const char *issuer_dn;
	bool used;
};

static int
match_url(void *ctx, const struct object_row *row)
{
	struct url_search *search = ctx;
	AUTO_CHARS(url) = NULL;

	if (search->used || row->state != OBJECT_SIGNED ||
	    row->issuer_dn == NULL ||
	    strcmp(row->issuer_dn, search->issuer_dn) != 0)
		return 0;
	if (url_of(search->journal, row, &url) < 0)
		return -1;
	search->used = url != NULL && strcmp(url, search->scope->url) == 0;
	return 0;
}

int
crl_scope_is_used(struct journal *journal, const struct crl_scope *scope,
    const char *issuer_dn, bool *ret_used)
{
	struct url_search search = {
		.journal = journal, .scope = scope, .issuer_dn = issuer_dn
	};

	if (journal_each_object(
		journal, NULL, "certificate", match_url, &search) < 0)
		return -1;
	*ret_used = search.used;
	return 0;
}
