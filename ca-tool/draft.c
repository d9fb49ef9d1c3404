#include "ca-tool/draft.h"

#include <stdarg.h>
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "profiles/name.h"

enum {
	LINE_WIDTH = 78,
	NAME_MAX_CHARS = 64, /* of plans, certificates, CRLs */
	KEY_MAX_CHARS = 32,
	TRIES = 10000,
};

struct draft_date
draft_date(int64_t time)
{
	char text[DATE_TEXT_SIZE];
	struct draft_date date;

	date_format(time, text);
	(void)snprintf(date.text, sizeof(date.text), "%.10s", text);
	return date;
}

/* ---- comments --------------------------------------------------------- */

static void
begin_line(FILE *out, int indent)
{
	fprintf(out, "%*s#", indent, "");
}

void
draft_say(struct draft *draft, int indent, const char *fmt, ...)
{
	int column = indent + 1;
	AUTO_CHARS(text) = NULL;
	const char *word;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	va_end(args);
	if (text == NULL)
		return; /* without memory, the plan as a whole fails */
	begin_line(draft->out, indent);
	for (word = text; *word != '\0';) {
		int len = (int)strcspn(word, " ");

		if (column + 1 + len > LINE_WIDTH && column > indent + 1) {
			fputc('\n', draft->out);
			begin_line(draft->out, indent);
			column = indent + 1;
		}
		fprintf(draft->out, " %.*s", len, word);
		column += 1 + len;
		word += len;
		word += *word == ' ';
	}
	fputc('\n', draft->out);
}

void
draft_gap(struct draft *draft)
{
	fputc('\n', draft->out);
}

/* ---- values ----------------------------------------------------------- */

/* Does YAML read it as it stands, where a value of a mapping is written? */
static bool
is_plain(const char *value)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789 ._/+@()',-";
	const char *at = value;

	if (strchr(" -@',", value[0]) != NULL || value[0] == '\0')
		return false;
	for (; *at != '\0'; at++) {
		bool colon = *at == ':' && at[1] != ' ' && at[1] != '\0';

		if (!colon && strchr(plain, *at) == NULL)
			return false;
	}
	return at[-1] != ' ';
}

static void
put_value(FILE *out, const char *value)
{
	if (is_plain(value)) {
		fputs(value, out);
		return;
	}
	fputc('"', out);
	for (; *value != '\0'; value++) {
		if (*value == '"' || *value == '\\')
			fputc('\\', out);
		fputc(*value, out);
	}
	fputc('"', out);
}

void
draft_step(struct draft *draft, const char *kind)
{
	fprintf(draft->out, "  - %s:\n", kind);
}

void
draft_put(struct draft *draft, int indent, const char *key, const char *value)
{
	fprintf(draft->out, "%*s%s: ", indent, "", key);
	put_value(draft->out, value);
	fputc('\n', draft->out);
}

void
draft_blank(struct draft *draft, int indent, const char *key, const char *what)
{
	fprintf(draft->out, "%*s%s: <%s>\n", indent, "", key, what);
	draft->blanks++;
}

void
draft_put_or_blank(struct draft *draft, int indent, const char *key,
    const char *value, const char *what)
{
	if (value != NULL)
		draft_put(draft, indent, key, value);
	else
		draft_blank(draft, indent, key, what);
}

/* ---- names ------------------------------------------------------------ */

static const struct {
	const char *kind, *directory, *ending;
} published_table[] = {
	{ "certificate", "certs", ".pem" },
	{ "crl", "crls", ".crl" },
	{ "csr", "csrs", ".csr" },
};

/* Is there a file of this name already, whoever put it there? */
static int
is_published(struct draft *draft, const char *kind, const char *name)
{
	for (size_t i = 0;
	     i < sizeof(published_table) / sizeof(published_table[0]); i++) {
		AUTO_CHARS(path) = NULL;

		if (strcmp(published_table[i].kind, kind) != 0)
			continue;
		path =
		    text_printf("public/%s/%s%s", published_table[i].directory,
			name, published_table[i].ending);
		return path == NULL
		    ? -1
		    : file_exists_at(authority_fd(draft->authority), path);
	}
	return 0;
}

struct name_search {
	const char *name;
	bool found;
};

static int
see_window(void *ctx, const struct ocsp_window_row *row)
{
	struct name_search *search = ctx;

	if (strcmp(row->name, search->name) == 0)
		search->found = true;
	return 0;
}

/* Certificates of a batch have its name in front of their own. */
static int
see_of_batch(void *ctx, const struct object_row *row)
{
	struct name_search *search = ctx;
	size_t len = strlen(search->name);

	if (row->name != NULL && strncmp(row->name, search->name, len) == 0 &&
	    row->name[len] == '-')
		search->found = true;
	return 0;
}

static int
is_journalled(
    struct draft *draft, const char *kind, const char *name, bool *ret_found)
{
	struct name_search search = { name, false };

	if (strcmp(kind, "ocsp") == 0) {
		if (journal_each_ocsp_window(
			draft->journal, NULL, see_window, &search) < 0)
			return -1;
		*ret_found = search.found;
		return 0;
	}
	if (strcmp(kind, "batch") == 0) {
		if (journal_each_object(draft->journal, NULL, "certificate",
			see_of_batch, &search) < 0)
			return -1;
		*ret_found = search.found;
		return 0;
	}
	if (strcmp(kind, "key") == 0) {
		AUTO_STRUCT(key_row) row = { 0 };

		return journal_key(draft->journal, name, ret_found, &row);
	}
	if (strcmp(kind, "plan") == 0) {
		AUTO_STRUCT(run_row) row = { 0 };

		return journal_run_of_plan(
		    draft->journal, name, ret_found, &row);
	}
	AUTO_STRUCT(object_row) row = { 0 };

	return journal_object(draft->journal, kind, name, ret_found, &row);
}

static int
is_taken(struct draft *draft, const char *kind, const char *name,
    const char *own, bool *ret_taken)
{
	bool journalled = json_object_get(draft->taken, own) != NULL;
	int published = 0;

	if (!journalled &&
	    (is_journalled(draft, kind, name, &journalled) < 0 ||
		(published = is_published(draft, kind, name)) < 0))
		return -1;
	*ret_taken = journalled || published > 0;
	return 0;
}

/* `wish`, cut so that `suffix` has room; a name does not end in a point. */
static char *
name_with(const char *wish, const char *suffix, size_t max)
{
	size_t len = strlen(wish), room = max - strlen(suffix);

	len = len < room ? len : room;
	while (len > 0 && strchr("._-", wish[len - 1]) != NULL)
		len--;
	return text_printf("%.*s%s", (int)len, wish, suffix);
}

static int
try_name(struct draft *draft, const char *kind, const char *wish, int try,
    char **ret_name)
{
	size_t max = strcmp(kind, "key") == 0 ? KEY_MAX_CHARS : NAME_MAX_CHARS;
	AUTO_CHARS(suffix) = try == 1 ? text_copy("") : text_printf("-%d", try);
	AUTO_CHARS(name) = suffix == NULL ? NULL : name_with(wish, suffix, max);
	AUTO_CHARS(own) =
	    name == NULL ? NULL : text_printf("%s %s", kind, name);
	bool taken = false;

	if (own == NULL || is_taken(draft, kind, name, own, &taken) < 0)
		return -1;
	if (taken)
		return 0;
	if (json_object_set_new(draft->taken, own, json_true()) != 0)
		return ca_error(CA_R_MEMORY, "no memory for names");
	*ret_name = TAKE(name);
	return 0;
}

int
draft_free_name(
    struct draft *draft, const char *kind, const char *wish, char **ret_name)
{
	AUTO_CHARS(name) = NULL;

	for (int try = 1; name == NULL && try < TRIES; try++)
		if (try_name(draft, kind, wish, try, &name) < 0)
			return -1;
	if (name == NULL)
		return ca_error(CA_R_EXISTS, "no name like '%s' is free", wish);
	*ret_name = TAKE(name);
	return 0;
}

/* How long the text is without the number at its end, whose value it gives. */
static size_t
split_number(const char *text, uint64_t *ret_number)
{
	size_t len = strlen(text);

	while (len > 0 && text[len - 1] >= '0' && text[len - 1] <= '9')
		len--;
	/* "G09": not a number as people count. */
	if (text_number(text + len, UINT32_MAX, ret_number) != 0) {
		ca_error_clear();
		*ret_number = 0;
	}
	return len;
}

static char *
next_of(const char *text, const char *second)
{
	uint64_t number = 0;
	size_t len = split_number(text, &number);

	if (number == 0)
		return text_printf("%s%s", text, second);
	return text_printf(
	    "%.*s%llu", (int)len, text, (unsigned long long)number + 1);
}

char *
draft_next_name(const char *name)
{
	return next_of(name, "-g2");
}

char *
draft_next_title(const char *title)
{
	return next_of(title, " G2");
}

/* ---- the head --------------------------------------------------------- */

static int
make_id(struct draft *draft)
{
	AUTO_CHARS(wish) = text_printf("%s-%s%s%s", draft->day, draft->kind,
	    draft->name != NULL ? "-" : "",
	    draft->name != NULL ? draft->name : "");

	if (wish == NULL)
		return -1;
	return draft_free_name(draft, "plan", wish, &draft->id);
}

static int
say_source(struct draft *draft)
{
	unsigned char root[HASH_LEN];
	char now[DATE_TEXT_SIZE];
	uint64_t size = 0;

	if (journal_head(draft->journal, &size, root) < 0)
		return -1;
	date_format(draft->now, now);
	draft_say(draft, 0,
	    "Written by 'ca-tool plan new %s%s%s' at %s, from the journal of "
	    "%s with %llu entries.",
	    draft->kind, draft->name != NULL ? " " : "",
	    draft->name != NULL ? draft->name : "", now,
	    authority_config(draft->authority)->id, (unsigned long long)size);
	draft_say(draft, 0,
	    "Lines that begin with # are for whoever reads this aloud, and do "
	    "nothing. What stands in <angle brackets>, if anything, is to be "
	    "filled in.");
	return 0;
}

int
draft_head(struct draft *draft, const char *title)
{
	char from[DATE_TEXT_SIZE], until[DATE_TEXT_SIZE];

	if (make_id(draft) < 0 || say_source(draft) < 0)
		return -1;
	date_format(draft->from, from);
	date_format(draft->until, until);
	draft_put(draft, 0, "format", "ca-tool-plan-1");
	draft_put(draft, 0, "id", draft->id);
	draft_put(draft, 0, "title", title);
	draft_say(draft, 0,
	    "The run is refused outside of this window. Times are UTC.");
	fputs("window:\n", draft->out);
	draft_put(draft, 2, "from", from);
	draft_put(draft, 2, "until", until);
	fputs("steps:\n", draft->out);
	return 0;
}

/* ---- parts of steps --------------------------------------------------- */

/* "a, b or c" of an array of strings; malloc'd. */
static char *
join(const json_t *names)
{
	size_t count = json_array_size(names);
	AUTO_CHARS(text) = text_copy("");

	for (size_t i = 0; text != NULL && i < count; i++) {
		char *longer = text_printf("%s%s%s", text,
		    i == 0              ? ""
			: i + 1 < count ? ", "
					: " or ",
		    json_string_value(json_array_get(names, i)));

		free(text);
		text = longer;
	}
	return TAKE(text);
}

CLEANUP_DEFINE(json_t, json_decref);

int
draft_choices(const struct draft *draft,
    bool (*fits)(const struct draft *draft, const struct draft_ca *ca),
    char **ret_text)
{
	AUTO(json_t) *names = json_array();
	char *text;

	for (size_t i = 0; i < draft->ca_count; i++)
		if ((fits == NULL || fits(draft, &draft->cas[i])) &&
		    json_array_append_new(
			names, json_string(draft->cas[i].name)) != 0)
			return ca_error(CA_R_MEMORY, "no memory for names");
	text = join(names);
	if (text == NULL)
		return -1;
	*ret_text = text;
	return 0;
}

int
draft_put_issuer(struct draft *draft, const char *key,
    const struct draft_ca *ca,
    bool (*fits)(const struct draft *draft, const struct draft_ca *ca))
{
	AUTO_CHARS(choices) = NULL;

	if (ca != NULL) {
		draft_put(draft, STEP_INDENT, key, ca->name);
		return 0;
	}
	if (draft_choices(draft, fits, &choices) < 0)
		return -1;
	draft_say(draft, STEP_INDENT,
	    "One of %s. Given as NAME, 'ca-tool plan new %s NAME', more is "
	    "filled in.",
	    choices, draft->kind);
	draft_blank(draft, STEP_INDENT, key, key);
	return 0;
}

/* Profiles of the kind: how many, how many that suit the CA, and a list. */
struct choice {
	const struct draft_profile *only, *alike;
	size_t count, alike_count;
	json_t *names;
};

/* Held to the rules of the CA's own, and about what it has to be about. */
static bool
suits(const struct draft *draft, const struct profile *profile,
    const struct profile *own)
{
	enum profile_covers covers = profile_covers(profile);

	if (own == NULL || profile_rulesets(profile) != profile_rulesets(own))
		return false;
	return profile_kind(profile) != PROFILE_OCSP_RESPONSE ||
	    covers == COVERS_ALL || covers == draft->covers;
}

/* Can the step that is written have it? */
static bool
is_wanted(const struct draft *draft, const struct profile *profile,
    enum profile_kind kind)
{
	enum profile_covers covers = profile_covers(profile);

	if (profile_kind(profile) != kind)
		return false;
	/* Of a plan's end entities each is for many requests. */
	if (kind == PROFILE_END_ENTITY)
		return profile_needs_csr(profile);
	if (kind != PROFILE_CRL)
		return true;
	/* A CRL of a scope has a URL of its own, and needs more than a name. */
	return profile_needs_distribution_url(profile) == draft->scoped &&
	    (draft->covers == COVERS_ALL || covers == COVERS_ALL ||
		covers == draft->covers);
}

static int
choose(const struct draft *draft, enum profile_kind kind,
    const struct draft_ca *ca, struct choice *choice)
{
	const struct profile *own = ca == NULL || ca->profile == NULL
	    ? NULL
	    : draft_profile(draft, ca->profile);

	for (size_t i = 0; i < draft->profile_count; i++) {
		const struct draft_profile *row = &draft->profiles[i];

		if (!is_wanted(draft, row->profile, kind))
			continue;
		choice->only = row;
		choice->count++;
		if (suits(draft, row->profile, own)) {
			choice->alike = row;
			choice->alike_count++;
		}
		if (json_array_append_new(
			choice->names, json_string(row->name)) != 0)
			return ca_error(CA_R_MEMORY, "no memory for names");
	}
	return 0;
}

static const struct draft_profile *
chosen(const struct choice *choice)
{
	if (choice->count == 1)
		return choice->only;
	return choice->alike_count == 1 ? choice->alike : NULL;
}

static int
put_choice(struct draft *draft, enum profile_kind kind,
    const struct draft_ca *ca, const struct profile **ret_profile)
{
	AUTO(json_t) *names = json_array();
	struct choice choice = { .names = names };
	AUTO_CHARS(list) = NULL;

	if (choose(draft, kind, ca, &choice) < 0)
		return -1;
	if (chosen(&choice) != NULL) {
		draft_put(draft, STEP_INDENT, "profile", chosen(&choice)->name);
		*ret_profile = chosen(&choice)->profile;
		return 0;
	}
	list = join(names);
	if (list == NULL)
		return -1;
	if (choice.count == 0)
		draft_say(draft, STEP_INDENT,
		    "this authority has no profile of kind '%s' yet: put one "
		    "below profiles/, and take it in with 'ca-tool plan new "
		    "adopt-config'",
		    profile_kind_name(kind));
	else
		draft_say(draft, STEP_INDENT, "one of %s", list);
	draft_blank(draft, STEP_INDENT, "profile", "profile");
	*ret_profile = NULL;
	return 0;
}

static bool
is_any_wanted(const struct draft *draft, enum profile_kind kind)
{
	for (size_t i = 0; i < draft->profile_count; i++)
		if (is_wanted(draft, draft->profiles[i].profile, kind))
			return true;
	return false;
}

int
draft_put_profile(struct draft *draft, enum profile_kind kind,
    const struct draft_ca *ca, const char *before,
    const struct profile **ret_profile)
{
	const struct profile *profile =
	    before == NULL ? NULL : draft_profile(draft, before);

	/* An authority may have none for whom a CRL is about. */
	if (kind == PROFILE_CRL && !is_any_wanted(draft, kind))
		draft->covers = COVERS_ALL;
	if (profile == NULL || !is_wanted(draft, profile, kind)) {
		if (kind == PROFILE_CRL && profile != NULL &&
		    profile_kind(profile) == kind)
			draft_say(draft, STEP_INDENT,
			    "Not '%s', as before: that is not for CRLs about "
			    "%s.",
			    before,
			    draft->covers == COVERS_USER ? "end entities"
							 : "CAs");
		return put_choice(draft, kind, ca, ret_profile);
	}
	draft_put(draft, STEP_INDENT, "profile", before);
	*ret_profile = profile;
	return 0;
}

void
draft_put_validity(struct draft *draft, const struct profile *profile,
    int64_t end, const char *whose)
{
	/* What is made late in the window must not outlive it either. */
	int64_t days = (end - draft->until) / DAY_SECONDS;
	AUTO_CHARS(text) = NULL;
	AUTO_CHARS(usual) = NULL;

	if (profile == NULL ||
	    profile_validity_default(profile) <= end - draft->until)
		return;
	text = text_printf("%lldd", (long long)(days > 0 ? days : 1));
	usual = duration_format(profile_validity_default(profile));
	if (text == NULL || usual == NULL)
		return;
	draft_say(draft, STEP_INDENT,
	    "Not the usual %s: %s ends on %s, and nothing that it vouches for "
	    "may outlive that.",
	    usual, whose, draft_date(end).text);
	draft_put(draft, STEP_INDENT, "validity", text);
}

int
draft_attribute(const X509 *cert, const char *attribute, char **ret_value)
{
	const struct attribute *row = attribute_by_name(attribute);
	const X509_NAME *name = X509_get_subject_name(cert);
	unsigned char *utf8 = NULL;
	int at, len;

	if (row == NULL)
		return 0;
	at = X509_NAME_get_index_by_NID(name, row->nid, -1);
	if (at < 0 || X509_NAME_get_index_by_NID(name, row->nid, at) >= 0)
		return 0;
	len = ASN1_STRING_to_UTF8(
	    &utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
	if (len < 0)
		return ca_error(CA_R_MEMORY, "no memory for a name");
	if (len > 0 && strlen((const char *)utf8) == (size_t)len &&
	    text_is_safe((const char *)utf8, (size_t)len))
		*ret_value = text_copy((const char *)utf8);
	OPENSSL_free(utf8);
	return 0;
}

enum { SUBJECT_INDENT = STEP_INDENT + 2 };

static int
put_attribute(struct draft *draft, const struct profile_attribute *attribute,
    const X509 *like, const char *common_name)
{
	AUTO_CHARS(own) = NULL;
	AUTO_CHARS(what) = text_copy(attribute->name);
	bool common = strcmp(attribute->name, "common-name") == 0;

	if (what == NULL ||
	    (!common && like != NULL &&
		draft_attribute(like, attribute->name, &own) < 0))
		return -1;
	for (char *c = what; *c != '\0'; c++)
		*c = *c == '-' ? ' ' : *c;
	if (common && common_name != NULL)
		draft_put(draft, SUBJECT_INDENT, attribute->name, common_name);
	else if (own != NULL || attribute->required)
		draft_put_or_blank(
		    draft, SUBJECT_INDENT, attribute->name, own, what);
	return 0;
}

/* Where no profile is known yet: what nearly every CA has. */
static const struct profile_attribute usual_table[] = {
	{ "country", true, false },
	{ "organization", true, false },
	{ "common-name", true, false },
};

int
draft_put_subject(struct draft *draft, const struct profile *profile,
    const X509 *like, const char *common_name)
{
	struct profile_attribute row;

	fprintf(draft->out, "%*ssubject:\n", STEP_INDENT, "");
	for (size_t i = 0;
	     profile != NULL && profile_attribute(profile, i, &row); i++)
		if (!row.from_csr &&
		    put_attribute(draft, &row, like, common_name) < 0)
			return -1;
	for (size_t i = 0; profile == NULL &&
	     i < sizeof(usual_table) / sizeof(usual_table[0]);
	     i++)
		if (put_attribute(draft, &usual_table[i], like, common_name) <
		    0)
			return -1;
	return 0;
}

/* ---- closing ---------------------------------------------------------- */

void
draft_ca_clear(struct draft_ca *ca)
{
	char *texts[] = { ca->name, ca->issuer, ca->profile, ca->dn, ca->spki,
		ca->serial, ca->key, ca->key_type, ca->backup, ca->successor,
		ca->leaf_profile };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		free(texts[i]);
	X509_free(ca->certificate);
	*ca = (struct draft_ca){ 0 };
}

void
draft_clear(struct draft *draft)
{
	for (size_t i = 0; i < draft->ca_count; i++)
		draft_ca_clear(&draft->cas[i]);
	for (size_t i = 0; i < draft->profile_count; i++) {
		free(draft->profiles[i].name);
		profile_free(draft->profiles[i].profile);
	}
	free(draft->cas);
	free(draft->profiles);
	free(draft->id);
	json_decref(draft->taken);
	*draft = (struct draft){ 0 };
}
