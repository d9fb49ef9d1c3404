/* The linter over what a plan makes, before it is signed and after. */
#include "profiles/lint/lint.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/steps/build.h"

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

int
built_lint(const struct built_object *object, struct der der, bool constant,
    int64_t at, struct findings *findings)
{
	const struct lint_context context = {
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
	AUTO_CHARS(place) = text_printf(
	    "%s '%s'", object_kind_name(object->kind), object->name);

	return place == NULL ? -1 : lint_object(place, der, &context, findings);
}

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
