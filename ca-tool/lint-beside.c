#include "ca-tool/lint-beside.h"

#include <fcntl.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ocsp.h>

#include "base/date.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

enum { BLOCKLIST_MAX_BYTES = 1 << 28 };

/* ---- files ------------------------------------------------------------ */

/* The finding of an item that could not be read, as an error. */
static int
refuse_item(const struct lint_item *item)
{
	return ca_error(CA_R_INPUT, "'%s': %s", item->place,
	    item->findings.count > 0 ? item->findings.rows[0].text
				     : "cannot be read");
}

static int
check_item(const struct lint_item *item, enum lint_object_kind kind,
    const char *option)
{
	if (item->state != LINT_ITEM_OBJECT)
		return refuse_item(item);
	if (item->fd >= 0
		? kind != LINT_CRL
		: lint_sniff((struct der){ item->der, item->len }) != kind)
		return ca_error(CA_R_INPUT,
		    "option '--%s': '%s' is no %s in DER or PEM", option,
		    item->place, lint_object_kind_name(kind));
	return 0;
}

/* All objects of one file, each of this kind, behind those that are there. */
static int
read_items(const char *file, enum lint_object_kind kind, const char *option,
    struct lint_item **items, size_t *count)
{
	AUTO_CHARS(name) = text_copy(file);
	struct lint_path path = { name, false, NULL };
	const struct lint_paths paths = { &path, 1 };
	AUTO_STRUCT(lint_input) input = { .paths = &paths };

	if (name == NULL)
		return -1;
	for (;;) {
		AUTO_STRUCT(lint_item) item = { .fd = -1 };
		struct lint_item *rows;
		bool more;

		if (lint_input_next(&input, &item, &more) != 0)
			return -1;
		if (!more)
			return 0;
		if (check_item(&item, kind, option) != 0)
			return -1;
		rows = realloc(*items, (*count + 1) * sizeof(*rows));
		if (rows == NULL)
			return ca_error(
			    CA_R_MEMORY, "no memory for '%s'", file);
		*items = rows;
		rows[(*count)++] = item;
		item = (struct lint_item){ .fd = -1 };
	}
}

/* The only object of a file; nothing where `file` is NULL. */
static int
read_one(const char *file, enum lint_object_kind kind, const char *option,
    struct lint_item *ret_item)
{
	struct lint_item *items = NULL;
	size_t count = 0;
	int ret;

	if (file == NULL)
		return 0;
	ret = read_items(file, kind, option, &items, &count);
	if (ret == 0 && count != 1)
		ret = ca_error(CA_R_INPUT,
		    "option '--%s': '%s' holds %zu objects; give one", option,
		    file, count);
	for (size_t i = ret == 0 ? 1 : 0; i < count; i++)
		lint_item_clear(&items[i]);
	if (ret == 0)
		*ret_item = items[0];
	free(items);
	return ret;
}

static X509 *
read_x509(struct der der)
{
	const unsigned char *p = der.p;
	X509 *x509;

	(void)ERR_set_mark();
	x509 = d2i_X509(NULL, &p, (long)der.len);
	(void)ERR_pop_to_mark();
	return x509;
}

static int
read_issuers(const struct options *options, struct lint_beside *beside)
{
	size_t n;

	for (size_t i = 0; i < options_count(options, OPT_ISSUER); i++)
		if (read_items(options->list[OPT_ISSUER][i], LINT_CERTIFICATE,
			"issuer", &beside->issuers, &beside->issuer_count) != 0)
			return -1;
	n = beside->issuer_count;
	beside->certificates = calloc(n + 1, sizeof(X509 *));
	if (beside->certificates == NULL)
		return ca_error(CA_R_MEMORY, "no memory for the issuers");
	for (size_t i = 0; i < n; i++)
		beside->certificates[i] = read_x509((struct der){
		    beside->issuers[i].der, beside->issuers[i].len });
	return 0;
}

static int
read_previous(const char *file, struct lint_beside *beside)
{
	const struct lint_item *item = &beside->previous;

	if (file == NULL)
		return 0;
	if (read_one(file, LINT_CRL, "previous", &beside->previous) != 0)
		return -1;
	beside->previous_octets = (struct der){ item->der, item->len };
	beside->previous_file = (struct der_file){ item->fd, file };
	if (item->fd < 0)
		beside->previous_source =
		    der_source_memory(&beside->previous_octets);
	else if (der_source_file(
		     &beside->previous_file, &beside->previous_source) != 0)
		return -1;
	beside->context.previous = &beside->previous_source;
	return 0;
}

static int
read_blocklist(const char *file, struct lint_beside *beside)
{
	AUTO_BYTES(data) = NULL;
	size_t len = 0;

	if (file == NULL)
		return 0;
	if (file_read_at(AT_FDCWD, file, BLOCKLIST_MAX_BYTES, &data, &len) !=
		0 ||
	    blocklist_load(file, data, len, &beside->blocklist) != 0)
		return -1;
	beside->context.blocklist = beside->blocklist;
	return 0;
}

/* ---- words ------------------------------------------------------------ */

/* Each word of a list with commas. */
static int
each_word(const char *text, int (*take)(const char *word, void *ctx), void *ctx)
{
	while (true) {
		size_t len = strcspn(text, ",");
		AUTO_CHARS(word) = text_printf("%.*s", (int)len, text);

		if (word == NULL || take(word, ctx) != 0)
			return -1;
		if (text[len] == '\0')
			return 0;
		text += len + 1;
	}
}

static int
take_ruleset(const char *word, void *ctx)
{
	struct lint_context *context = ctx;
	int ruleset = ruleset_by_name(word);

	if (ruleset < 0)
		return ca_error(CA_R_USAGE,
		    "option '--ruleset': '%s' is none of rfc5280, private, "
		    "cabf-tls, cabf-smime, cabf-cs",
		    word);
	context->rulesets |= RULESET_BIT((enum ruleset)ruleset);
	return 0;
}

static int
take_kind(const char *word, void *ctx)
{
	struct lint_context *context = ctx;
	unsigned subjects = rule_subject_by_name(word);

	if (subjects == 0)
		return ca_error(CA_R_USAGE,
		    "option '--kind': '%s' is none of root, tlssub, tcsub, "
		    "nontls, smimeca, csca, cross, ocspcert, leaf, precert, "
		    "smime, cs, crl, crl-ee, crl-ca, ocsp, csr",
		    word);
	if ((subjects & (FOR_CRL_EE | FOR_CRL_CA)) != 0)
		subjects |= FOR_CRL;
	context->subjects |= subjects;
	return 0;
}

static int
read_words(const struct options *options, struct lint_context *context)
{
	const char *kind = options->value[OPT_KIND];
	const char *at = options->value[OPT_AT];

	for (size_t i = 0; i < options_count(options, OPT_RULESET); i++)
		if (each_word(options->list[OPT_RULESET][i], take_ruleset,
			context) != 0)
			return -1;
	if (kind != NULL && each_word(kind, take_kind, context) != 0)
		return -1;
	if (at != NULL && date_parse(at, &context->at) != 0) {
		ca_error_clear();
		return ca_error(CA_R_USAGE,
		    "option '--at': '%s' is no time such as "
		    "'2026-11-20T12:00:00Z'",
		    at);
	}
	context->signing = options->given[OPT_SIGNING];
	return 0;
}

int
lint_beside_open(const struct options *options, struct lint_beside *beside)
{
	*beside = (struct lint_beside){ .existing = { .fd = -1 },
		.previous = { .fd = -1 } };
	beside->about = options->given[OPT_JSON] || options->given[OPT_VERBOSE];
	if (read_words(options, &beside->context) != 0 ||
	    read_issuers(options, beside) != 0 ||
	    read_one(options->value[OPT_EXISTING], LINT_CERTIFICATE, "existing",
		&beside->existing) != 0 ||
	    read_previous(options->value[OPT_PREVIOUS], beside) != 0)
		return -1;
	beside->context.existing =
	    (struct der){ beside->existing.der, beside->existing.len };
	return read_blocklist(options->value[OPT_BLOCKLIST], beside);
}

void
lint_beside_clear(struct lint_beside *beside)
{
	for (size_t i = 0; i < beside->issuer_count; i++) {
		lint_item_clear(&beside->issuers[i]);
		if (beside->certificates != NULL)
			X509_free(beside->certificates[i]);
	}
	free(beside->issuers);
	free(beside->certificates);
	lint_item_clear(&beside->existing);
	lint_item_clear(&beside->previous);
	blocklist_free(beside->blocklist);
	*beside = (struct lint_beside){ .existing = { .fd = -1 },
		.previous = { .fd = -1 } };
}

/* ---- whose issuer ----------------------------------------------------- */

/* Into a SEQUENCE, of which the end may be missing. */
static bool
enter(struct der *in)
{
	struct der_header header;

	if (!der_header_read(*in, &header) || header.tag != DER_SEQUENCE)
		return false;
	in->p += header.header;
	in->len -= header.header;
	if (in->len > header.len)
		in->len = (size_t)header.len;
	return true;
}

/* The issuer's Name in a certificate or CRL. */
static bool
find_issuer(struct der object, enum lint_object_kind kind, struct der *ret_name)
{
	bool found = true;

	/* The Certificate or CertificateList, and what is signed in it. */
	for (unsigned depth = 0; found && depth < 2; depth++)
		found = enter(&object);
	if (!found)
		return false;
	if (kind == LINT_CERTIFICATE)
		(void)der_take(&object, DER_CONTEXT_0, NULL, NULL);
	(void)der_take(&object, DER_INTEGER, NULL, NULL);
	return der_take(&object, DER_SEQUENCE, NULL, NULL) && /* algorithm */
	    der_take(&object, DER_SEQUENCE, NULL, ret_name);
}

static bool
has_name(const X509 *x509, struct der name)
{
	const unsigned char *p = NULL;
	size_t len = 0;

	return x509 != NULL &&
	    X509_NAME_get0_der(X509_get_subject_name(x509), &p, &len) == 1 &&
	    der_equal(name, p, len);
}

/* Does the object hold an element with this identifier octet and contents? */
static bool
holds(struct der object, unsigned char tag, const unsigned char *p, size_t len)
{
	unsigned char element[2 + EVP_MAX_MD_SIZE] = { tag };

	if (len == 0 || len > EVP_MAX_MD_SIZE)
		return false;
	element[1] = (unsigned char)len;
	memcpy(element + 2, p, len);
	return memmem(object.p, object.len, element, len + 2) != NULL;
}

/* keyIdentifier [0] of an AKI; a CRL's stands at its end, and may be unseen. */
static bool
states_key(struct der object, X509 *issuer)
{
	enum { KEY_IDENTIFIER = 0x80 };
	const ASN1_OCTET_STRING *ski = X509_get0_subject_key_id(issuer);

	return ski != NULL &&
	    holds(object, KEY_IDENTIFIER, ASN1_STRING_get0_data(ski),
		(size_t)ASN1_STRING_length(ski));
}

/* issuerKeyHash of a CertID, RFC 6960, section 4.1.1. */
static bool
states_key_hash(struct der response, X509 *issuer)
{
	const EVP_MD *const digests[] = { EVP_sha256(), EVP_sha1() };
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned len;

	for (size_t i = 0; i < sizeof digests / sizeof digests[0]; i++)
		if (X509_pubkey_digest(issuer, digests[i], hash, &len) == 1 &&
		    holds(response, DER_OCTET_STRING, hash, len))
			return true;
	return false;
}

static struct der
issuer_at(const struct lint_beside *beside, size_t i)
{
	return (struct der){ beside->issuers[i].der, beside->issuers[i].len };
}

static struct der
issuer_of_response(const struct lint_beside *beside, struct der object)
{
	for (size_t i = 0; i < beside->issuer_count; i++)
		if (beside->certificates[i] != NULL &&
		    states_key_hash(object, beside->certificates[i]))
			return issuer_at(beside, i);
	return (struct der){ NULL, 0 };
}

struct der
lint_beside_issuer(const struct lint_beside *beside, struct der object)
{
	const enum lint_object_kind kind = lint_sniff(object);
	struct der name, found = { NULL, 0 };

	if (beside->issuer_count == 1)
		return issuer_at(beside, 0);
	if (kind == LINT_OCSP)
		return issuer_of_response(beside, object);
	if ((kind != LINT_CERTIFICATE && kind != LINT_CRL) ||
	    !find_issuer(object, kind, &name))
		return found;
	for (size_t i = 0; i < beside->issuer_count; i++) {
		X509 *x509 = beside->certificates[i];

		if (!has_name(x509, name))
			continue;
		if (states_key(object, x509))
			return issuer_at(beside, i);
		if (found.p == NULL)
			found = issuer_at(beside, i);
	}
	return found;
}
