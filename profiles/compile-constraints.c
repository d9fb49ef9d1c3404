/* name-constraints of a profile, from YAML (rules.md, section 7.6). */
#include <string.h>

#include "base/error.h"
#include "profiles/compile.h"
#include "profiles/general-name.h"

/* One of the two lists. */
struct subtree_list {
	const char *key;
	const struct subtree_yaml *rows;
	unsigned count;
};

/* The one type that the row gives, with its text; -1: none, or several. */
static int
only_type(const struct subtree_yaml *row, const char **ret_text)
{
	const char *const texts[ALT_TYPES] = {
		[ALT_DNS] = row->dns,
		[ALT_IP] = row->ip,
		[ALT_EMAIL] = row->email,
		[ALT_URI] = row->uri,
	};
	int type = -1, given = row->directory != NULL;

	for (int i = 0; i < ALT_TYPES; i++) {
		if (texts[i] == NULL)
			continue;
		given++;
		type = i;
		*ret_text = texts[i];
	}
	return given == 1 ? type : -1;
}

static int
directory_part(const struct compiler *c, const struct name_yaml *yaml,
    const char *place, struct name_part *ret_part)
{
	size_t before = c->findings->errors;

	if (!compile_attribute(c, yaml->attribute, yaml->encoding, place,
		&ret_part->attribute, &ret_part->encoding))
		return 0;
	ret_part->value = yaml->value;
	if (name_check(ret_part, place, c->findings) != 0)
		return -1;
	return c->findings->errors == before;
}

/*
 * NC-DN-ENCODING: string types as in the subjects below.  *ret_name stays NULL
 * where there are findings.
 */
static int
compile_directory(const struct compiler *c, const struct subtree_yaml *row,
    const char *place, GENERAL_NAME **ret_name)
{
	struct name_part parts[PROFILE_LIST_MAX];
	AUTO_BYTES(der) = NULL;
	AUTO(X509_NAME) *name = NULL;
	const unsigned char *p;
	size_t len;

	for (unsigned i = 0; i < row->directory_count; i++) {
		int good =
		    directory_part(c, &row->directory[i], place, &parts[i]);

		if (good <= 0)
			return good;
	}
	if (name_encode(parts, row->directory_count, &der, &len) != 0)
		return -1;
	p = der;
	name = d2i_X509_NAME(NULL, &p, (long)len);
	*ret_name = name != NULL ? general_name_of_directory(name) : NULL;
	return *ret_name != NULL
	    ? 0
	    : ca_error(CA_R_MEMORY, "no memory for a name");
}

/* *ret_name stays NULL where there are findings. */
static int
compile_base(const struct compiler *c, const struct subtree_yaml *row,
    const char *place, GENERAL_NAME **ret_name)
{
	const struct name_fault *fault;
	const char *text = NULL;
	int type = only_type(row, &text);

	if (type < 0 && row->directory != NULL && text == NULL)
		return compile_directory(c, row, place, ret_name);
	if (type < 0) {
		compile_refuse(c, "PROFILE-VALUE", place,
		    "a subtree is exactly one of dns, ip, email, uri, "
		    "directory");
		return 0;
	}
	fault = subtree_fault((enum alt_type)type, text);
	if (fault != NULL) {
		compile_refuse(c, fault->id, place, "the %s subtree '%s' %s",
		    alt_type_name((enum alt_type)type), text, fault->text);
		return 0;
	}
	*ret_name = general_name_of_subtree((enum alt_type)type, text);
	return *ret_name != NULL ? 0 : -1;
}

static bool
is_listed(const STACK_OF(GENERAL_SUBTREE) *list, GENERAL_NAME *base)
{
	for (int i = 0; i < sk_GENERAL_SUBTREE_num(list); i++)
		if (GENERAL_NAME_cmp(
			sk_GENERAL_SUBTREE_value(list, i)->base, base) == 0)
			return true;
	return false;
}

/* NC-MINMAX: minimum is 0, and so not encoded; maximum is absent. */
static int
add_subtree(STACK_OF(GENERAL_SUBTREE) *list, GENERAL_NAME *base)
{
	AUTO(GENERAL_SUBTREE) *subtree = GENERAL_SUBTREE_new();

	if (subtree == NULL) {
		GENERAL_NAME_free(base);
		return ca_error(CA_R_MEMORY, "no memory for a subtree");
	}
	GENERAL_NAME_free(subtree->base);
	subtree->base = base;
	if (sk_GENERAL_SUBTREE_push(list, subtree) <= 0)
		return ca_error(CA_R_MEMORY, "no memory for a subtree");
	(void)TAKE(subtree); /* the list has it */
	return 0;
}

static int
compile_list(const struct compiler *c, const struct subtree_list *from,
    STACK_OF(GENERAL_SUBTREE) **ret_list)
{
	if (from->rows == NULL)
		return 0;
	*ret_list = sk_GENERAL_SUBTREE_new_null();
	if (*ret_list == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a list");
	for (unsigned i = 0; i < from->count; i++) {
		const char *place =
		    AT(c, "extensions.name-constraints.%s[%u]", from->key, i);
		AUTO(GENERAL_NAME) *base = NULL;

		if (compile_base(c, &from->rows[i], place, &base) != 0)
			return -1;
		if (base != NULL && is_listed(*ret_list, base))
			compile_refuse(c, "PROFILE-DUPLICATE", place,
			    "the subtree stands there twice");
		else if (base != NULL &&
		    add_subtree(*ret_list, TAKE(base)) != 0)
			return -1;
	}
	return 0;
}

int
compile_constraints(const struct compiler *c)
{
	const struct extension_yaml *yaml =
	    c->yaml->extensions.row[EXT_NAME_CONSTRAINTS];
	struct subtree_list permitted, excluded;
	NAME_CONSTRAINTS *constraints;

	if (yaml == NULL)
		return 0;
	permitted = (struct subtree_list){ "permitted", yaml->permitted,
		yaml->permitted_count };
	excluded = (struct subtree_list){ "excluded", yaml->excluded,
		yaml->excluded_count };
	if (yaml->permitted == NULL && yaml->excluded == NULL)
		compile_refuse(c, "NC-NONEMPTY",
		    AT(c, "extensions.name-constraints"),
		    "name-constraints needs permitted or excluded");
	constraints = c->profile->constraints = NAME_CONSTRAINTS_new();
	if (constraints == NULL)
		return ca_error(CA_R_MEMORY, "no memory for name constraints");
	if (compile_list(c, &permitted, &constraints->permittedSubtrees) != 0)
		return -1;
	return compile_list(c, &excluded, &constraints->excludedSubtrees);
}
