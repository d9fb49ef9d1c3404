#include "pkcs11/data.h"

#include <string.h>

#include "pkcs11/raw.h"

/*
 * All with this label that are private.  The token is asked for private ones,
 * and then each is asked again: a module may leave an attribute out of a search.
 */
static int
find_private(
    const struct token *token, const char *label, struct handles *ret_handles)
{
	AUTO_STRUCT(handles) found = { 0 };
	CK_FUNCTION_LIST *raw = token->module->raw;
	size_t kept = 0;

	if (raw_find_class(token, CKO_DATA, CKA_LABEL,
		(const unsigned char *)label, strlen(label), &found) != 0)
		return -1;
	for (size_t i = 0; i < found.count; i++) {
		CK_BBOOL private = CK_FALSE;
		CK_ATTRIBUTE attribute = { CKA_PRIVATE, &private,
			sizeof(private) };

		if (raw->C_GetAttributeValue(token->session, found.list[i],
			&attribute, 1) == CKR_OK &&
		    private == CK_TRUE)
			found.list[kept++] = found.list[i];
	}
	found.count = kept;
	*ret_handles = found;
	found = (struct handles){ 0 };
	return 0;
}

int
data_each(struct token *token, const char *label,
    int (*visit)(void *ctx, const unsigned char *bytes, size_t len), void *ctx)
{
	AUTO_STRUCT(handles) found = { 0 };

	if (token_need_login(token) != 0 ||
	    find_private(token, label, &found) != 0)
		return -1;
	for (size_t i = 0; i < found.count; i++) {
		AUTO_BYTES(bytes) = NULL;
		size_t len = 0;

		if (raw_read_bytes(
			token, found.list[i], CKA_VALUE, &bytes, &len) != 0 ||
		    visit(ctx, bytes, len) != 0)
			return -1;
	}
	return 0;
}

/* ---- writing ---------------------------------------------------------- */

static int
create(struct token *token, const char *label, const void *bytes, size_t len)
{
	static const char application[] = "ca-tool";
	struct template template = { .count = 0 };
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_OBJECT_HANDLE object = 0;
	CK_RV rv;

	template_add(&template, CKA_CLASS, &class, sizeof(class));
	template_add_bool(&template, CKA_TOKEN, true);
	template_add_bool(&template, CKA_PRIVATE, true);
	template_add_bool(&template, CKA_MODIFIABLE, false);
	template_add(
	    &template, CKA_APPLICATION, application, sizeof(application) - 1);
	template_add(&template, CKA_LABEL, label, strlen(label));
	template_add(&template, CKA_VALUE, bytes, len);
	rv = token->module->raw->C_CreateObject(
	    token->session, template.rows, template.count, &object);
	if (rv != CKR_OK)
		return raw_error(CA_R_TOKEN, rv,
		    "token '%s' does not take the data object '%s'",
		    token->facts.label, label);
	return 0;
}

struct comparison {
	const void *bytes;
	size_t len;
	bool found;
};

static int
compare(void *ctx, const unsigned char *bytes, size_t len)
{
	struct comparison *wanted = ctx;

	wanted->found = wanted->found ||
	    (len == wanted->len && memcmp(bytes, wanted->bytes, len) == 0);
	return 0;
}

static int
read_back(struct token *token, const char *label, const void *bytes, size_t len)
{
	struct comparison wanted = { .bytes = bytes, .len = len };

	if (data_each(token, label, compare, &wanted) != 0)
		return -1;
	return wanted.found
	    ? 0
	    : ca_error(CA_R_TOKEN,
		  "token '%s' took the data object '%s', but does not show it",
		  token->facts.label, label);
}

int
data_write(
    struct token *token, const char *label, const void *bytes, size_t len)
{
	AUTO_STRUCT(guard) guard = { 0 };
	int result;

	if (token_need_login(token) != 0)
		return -1;
	if (len == 0 || len > DATA_MAX_BYTES)
		return ca_error(
		    CA_R_INTERNAL, "a data object of %zu octets", len);
	if (guard_begin(token->module, &guard) != 0)
		return -1;
	result = create(token, label, bytes, len);
	if (guard_end(&guard, GUARD_KEYS) != 0 || result != 0)
		return -1;
	return read_back(token, label, bytes, len);
}

/* ---- removing --------------------------------------------------------- */

static int
destroy_others(struct token *token, const struct handles *found,
    const void *bytes, size_t len)
{
	for (size_t i = 0; i < found->count; i++) {
		AUTO_BYTES(value) = NULL;
		size_t value_len = 0;
		CK_RV rv;

		if (raw_read_bytes(token, found->list[i], CKA_VALUE, &value,
			&value_len) != 0)
			return -1;
		if (value_len == len && memcmp(value, bytes, len) == 0)
			continue;
		rv = token->module->raw->C_DestroyObject(
		    token->session, found->list[i]);
		if (rv != CKR_OK)
			return raw_error(CA_R_TOKEN, rv,
			    "an old data object of token '%s' cannot be "
			    "destroyed",
			    token->facts.label);
	}
	return 0;
}

/* Not synced: an older object that comes back harms nobody. */
int
data_keep_only(
    struct token *token, const char *label, const void *bytes, size_t len)
{
	AUTO_STRUCT(guard) guard = { 0 };
	AUTO_STRUCT(handles) found = { 0 };
	int result;

	if (token_need_login(token) != 0 ||
	    guard_begin(token->module, &guard) != 0)
		return -1;
	result = find_private(token, label, &found);
	if (result == 0)
		result = destroy_others(token, &found, bytes, len);
	return guard_end(&guard, GUARD_LOGIN) != 0 ? -1 : result;
}
