/* The linter over what a plan makes, before it is signed and after. */
#include "profiles/lint/lint.h"

#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ceremony/steps/build.h"
#include "profiles/spill.h"

int
built_issuer(struct built_object *object, X509 *issuer)
{
	AUTO_DER(der) = NULL;
	int len = i2d_X509(issuer, &der);

	if (len <= 0)
		return ca_error(CA_R_MEMORY, "cannot encode a certificate");
	object->issuer_der = bytes_copy(der, (size_t)len);
	object->issuer_len = (size_t)len;
	return object->issuer_der == NULL ? -1 : 0;
}

/* `previous`: where the CRL before an object is read from. */
static int
lint_context_of(const struct built_object *object, bool constant, int64_t at,
    struct der_source *previous, struct lint_context *ret_context)
{
	*ret_context = (struct lint_context){
		.rulesets = object->profile != NULL
		    ? profile_rulesets(object->profile)
		    : RULESET_BIT(RULESET_PRIVATE),
		.subjects = object->profile != NULL
		    ? profile_subjects(object->profile)
		    : 0,
		.at = at,
		.constant = constant,
		.signing = true,
		.issuer = { object->issuer_der, object->issuer_len },
		.existing = { object->existing_der, object->existing_len },
		.profile = object->profile,
		.blocklist = object->blocklist,
	};
	if (object->previous == NULL || object->previous->fd < 0)
		return 0;
	if (der_source_file(object->previous, previous) < 0)
		return -1;
	ret_context->previous = previous;
	return 0;
}

int
built_lint(const struct built_object *object, struct der der, bool constant,
    int64_t at, struct findings *findings)
{
	AUTO_CHARS(place) = text_printf(
	    "%s '%s'", object_kind_name(object->kind), object->name);
	struct lint_context context;
	struct der_source previous;

	if (place == NULL ||
	    lint_context_of(object, constant, at, &previous, &context) < 0)
		return -1;
	return lint_object(place, der, &context, findings);
}

int
built_lint_source(const struct built_object *object,
    const struct der_source *source, bool constant, int64_t at,
    struct findings *findings)
{
	AUTO_CHARS(place) = text_printf(
	    "%s '%s'", object_kind_name(object->kind), object->name);
	struct lint_context context;
	struct der_source previous;

	if (place == NULL ||
	    lint_context_of(object, constant, at, &previous, &context) < 0)
		return -1;
	return lint_crl(place, source, &context, findings);
}

/* ---- a CRL, and the one before it ------------------------------------- */

int
built_constant_file(const struct build *build,
    const struct built_object *object, struct der_file *ret_file)
{
	const unsigned char *signature;
	AUTO_FD(fd) = -1;
	uint64_t len = 0;
	size_t n = 0;

	object_constant(&object->tbs, &signature, &n);
	if (spill_file(build->scratch_fd, &fd) < 0 ||
	    object_assemble_file(&object->tbs, signature, n, fd, &len) < 0)
		return -1;
	*ret_file = (struct der_file){ TAKE_FD(fd), "a CRL" };
	return 0;
}

int
built_with_constant(
    const struct tbs *tbs, unsigned char **ret_der, size_t *ret_len)
{
	AUTO_STRUCT(tbs) whole = { 0 };
	struct tbs_reader reader;
	struct der_source source;
	size_t done = 0, n = 0;
	int rc = 0;

	if (tbs->file == NULL)
		return object_with_constant(tbs, ret_der, ret_len);
	whole = *tbs;
	whole.file = NULL;
	whole.der = malloc(whole.len == 0 ? 1 : whole.len);
	if (whole.der == NULL)
		return ca_error(CA_R_MEMORY, "no memory for an object");
	if (tbs_source(tbs, &reader, &source) < 0)
		return -1;
	for (; rc == 0 && done < whole.len; done += n) {
		rc = source.read(
		    source.ctx, done, whole.der + done, whole.len - done, &n);
		if (rc == 0 && n == 0)
			return ca_error(CA_R_IO, "a file was cut short");
	}
	return rc < 0 ? -1 : object_with_constant(&whole, ret_der, ret_len);
}

/* The newest signed CRL of the same issuer and scope. */
struct previous_search {
	const char *issuer_dn, *url;
	uint64_t number;
	char *sha256;
};

static int
match_previous(void *ctx, const struct object_row *row)
{
	struct previous_search *search = ctx;
	const char *url = row->crl_url != NULL ? row->crl_url : "";

	if (row->state != OBJECT_SIGNED || row->issuer_dn == NULL ||
	    row->sha256 == NULL ||
	    strcmp(row->issuer_dn, search->issuer_dn) != 0 ||
	    strcmp(url, search->url) != 0 || row->number < search->number)
		return 0;
	free(search->sha256);
	search->sha256 = text_copy(row->sha256);
	search->number = row->number;
	return search->sha256 == NULL ? -1 : 0;
}

static int
write_piece(void *ctx, const unsigned char *data, size_t len)
{
	return file_write_all(*(const int *)ctx, data, len, "a CRL");
}

static int
fetch_previous(
    struct build *build, const char *sha256, struct built_object *object)
{
	AUTO_BYTES(digest) = NULL;
	AUTO_FD(fd) = -1;
	size_t len = 0;

	if (text_unhex(sha256, &digest, &len) < 0 ||
	    spill_file(build->scratch_fd, &fd) < 0 ||
	    journal_evidence_read(build->journal, digest, write_piece, &fd) < 0)
		return -1;
	object->previous = calloc(1, sizeof(*object->previous));
	if (object->previous == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a CRL");
	*object->previous =
	    (struct der_file){ TAKE_FD(fd), "the CRL before it" };
	return 0;
}

int
built_find_previous(struct build *build, struct built_object *object)
{
	const char *url = json_string_value(
	    json_object_get(object->facts, "distribution_url"));
	struct previous_search search = {
		.issuer_dn = json_string_value(
		    json_object_get(object->facts, "issuer_dn")),
		.url = url != NULL ? url : "",
	};
	int rc;

	if (object->kind != OBJECT_CRL || search.issuer_dn == NULL ||
	    object->previous != NULL)
		return 0;
	rc = journal_each_object(
	    build->journal, NULL, "crl", match_previous, &search);
	if (rc == 0 && search.sha256 != NULL)
		rc = fetch_previous(build, search.sha256, object);
	free(search.sha256);
	return rc;
}

/* ---- what was found --------------------------------------------------- */

json_t *
findings_to_json(const struct findings *findings, size_t first)
{
	json_t *array = json_array();

	for (size_t i = first; array != NULL && i < findings->count; i++) {
		const struct finding *f = &findings->rows[i];

		if (json_array_append_new(array,
			json_pack("{s:s, s:s, s:s, s:s, s:s}", "severity",
			    severity_name(f->severity), "id", f->id, "place",
			    f->place, "text", f->text, "source", f->source)) !=
		    0) {
			json_decref(array);
			array = NULL;
		}
	}
	if (array == NULL)
		(void)ca_error(CA_R_MEMORY, "no memory for findings");
	return array;
}

/* Rows of a list that came from elsewhere may hold anything. */
static int
lint_line(json_t *row, bool first, BIO *out)
{
	const char *severity, *id, *text;
	AUTO_CHARS(line) = NULL;
	AUTO_CHARS(safe) = NULL;

	if (json_unpack(row, "{s:s, s:s, s:s}", "severity", &severity, "id",
		&id, "text", &text) != 0)
		return ca_error(CA_R_VERIFY, "a finding is malformed");
	line = text_printf("%s: %s: %s", severity, id, text);
	if (line == NULL)
		return -1;
	safe = text_is_safe(line, strlen(line))
	    ? text_copy(line)
	    : text_escape(line, strlen(line));
	if (safe == NULL ||
	    BIO_printf(out, "%s%s", first ? "" : "\n", safe) < 0)
		return ca_error(CA_R_MEMORY, "no memory for findings");
	return 0;
}

int
built_lint_text(const json_t *lint, char **ret_text)
{
	AUTO(BIO) *out = BIO_new(BIO_s_mem());
	char *data = NULL;
	json_t *row;
	long len;
	size_t i;

	if (out == NULL)
		return ca_error(CA_R_MEMORY, "no memory for findings");
	json_array_foreach(lint, i, row)
	{
		if (lint_line(row, i == 0, out) < 0)
			return -1;
	}
	len = BIO_get_mem_data(out, &data);
	*ret_text = len < 0 ? NULL : text_printf("%.*s", (int)len, data);
	return *ret_text == NULL ? -1 : 0;
}
