#include "ceremony/statements.h"

#include <dirent.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

enum { STATEMENT_MAX_BYTES = 64 << 10 };

static const char ending[] = ".cms";

void
statements_clear(struct statements *statements)
{
	for (size_t i = 0; i < statements->count; i++)
		free(statements->rows[i].der);
	free(statements->rows);
	*statements = (struct statements){ 0 };
}

bool
statements_have(
    const struct statements *statements, const struct person *person)
{
	for (size_t i = 0; i < statements->count; i++)
		if (statements->rows[i].person == person)
			return true;
	return false;
}

int
statements_names(const struct statements *statements, char **ret_names)
{
	AUTO_CHARS(names) = text_copy(statements->count == 0 ? "nobody" : "");

	for (size_t i = 0; names != NULL && i < statements->count; i++) {
		const char *comma = i == 0 ? "" : ", ";
		AUTO_CHARS(before) = TAKE(names);

		names = text_printf(
		    "%s%s%s", before, comma, statements->rows[i].person->name);
	}
	if (names == NULL)
		return -1;
	*ret_names = TAKE(names);
	return 0;
}

/*
 * Add one, in the set's order: people stand in one array, in that order.
 * Takes `der`, also on failure.
 */
static int
add(struct statements *statements, const struct person *person,
    unsigned char *der, size_t len)
{
	AUTO_BYTES(owned) = der;
	struct statement *rows =
	    realloc(statements->rows, (statements->count + 1) * sizeof(*rows));
	size_t at;

	if (rows == NULL)
		return ca_error(CA_R_MEMORY, "no memory for statements");
	statements->rows = rows;
	for (at = statements->count; at > 0 && rows[at - 1].person > person;
	     at--)
		rows[at] = rows[at - 1];
	rows[at] = (struct statement){ person, TAKE(owned), len };
	statements->count++;
	return 0;
}

/* ---- loading ---------------------------------------------------------- */

struct loading {
	int fd; /* the folder */
	const struct statement_kind *kind;
	const struct quorum_set *set;
	struct findings *findings;
	struct statements *statements;
};

/* One row of struct findings; what it names does not count. */
static void
say(const struct loading *l, const char *file, const char *id, const char *text)
{
	AUTO_CHARS(place) = text_printf("%s/%s", l->kind->folder, file);

	findings_add(l->findings, FINDING_WARNING, id, place, NULL,
	    "%s; it does not count", text);
}

/* The newest error, if it speaks of the file and not of the machine. */
static int
say_error(const struct loading *l, const char *file, const char *id)
{
	int reason = ca_error_reason();
	AUTO_CHARS(text) = NULL;

	if (reason == CA_R_MEMORY || reason == CA_R_INTERNAL)
		return -1;
	text = ca_error_take();
	say(l, file, id, text == NULL ? "it cannot be read" : text);
	return 0;
}

static bool
verifies(const struct loading *l, const struct person *person,
    const unsigned char *der, size_t len)
{
	bool ok = signature_verify(l->kind->purpose, l->kind->content,
		      l->kind->len, der, len, person->sign) == 0;

	if (!ok)
		ca_error_clear();
	return ok;
}

/* Whose is it, if it is not of the one whose name it has?  NULL: nobody's. */
static const struct person *
signer(const struct loading *l, const unsigned char *der, size_t len)
{
	for (size_t i = 0; i < l->set->count; i++)
		if (verifies(l, &l->set->people[i], der, len))
			return &l->set->people[i];
	return NULL;
}

/* The person that a file is named after, or a finding and NULL. */
static const struct person *
person_of(const struct loading *l, const char *file)
{
	const char *given = file + strlen(l->kind->prefix);
	size_t len = strlen(given);
	AUTO_CHARS(name) = NULL;
	const struct person *person;

	if (len <= strlen(ending) ||
	    strcmp(given + len - strlen(ending), ending) != 0) {
		say(l, file, "STATEMENT-NAME",
		    "this file is not named after an operator, as NAME.cms is");
		return NULL;
	}
	name = text_printf("%.*s", (int)(len - strlen(ending)), given);
	person = name == NULL ? NULL : set_person(l->set, name);
	if (person == NULL)
		say(l, file, "STATEMENT-NAME",
		    "nobody of this name is in the quorum set");
	else if (person->witness)
		say(l, file, "STATEMENT-WITNESS",
		    "this is the name of a witness, and only operators' "
		    "statements are wanted");
	return person == NULL || person->witness ? NULL : person;
}

/* A signature that does not verify: say why, and whose it is. */
static int
say_unverified(const struct loading *l, const char *file,
    const struct person *person, const unsigned char *der, size_t len)
{
	const struct person *other;
	AUTO_CHARS(why) = NULL;
	AUTO_CHARS(text) = NULL;

	if (ca_error_reason() == CA_R_MEMORY ||
	    ca_error_reason() == CA_R_INTERNAL)
		return -1;
	why = ca_error_take();
	other = signer(l, der, len);
	if (other != NULL)
		text = text_printf("this was signed by '%s' and not by '%s'",
		    other->name, person->name);
	else
		text = text_printf("this is no %s by '%s' of what is here: %s",
		    signature_purpose_name(l->kind->purpose), person->name,
		    why == NULL ? "it does not verify" : why);
	if (text == NULL)
		return -1;
	say(l, file, other != NULL ? "STATEMENT-SIGNER" : "STATEMENT-SIGNATURE",
	    text);
	return 0;
}

static int
load_file(const struct loading *l, const char *file)
{
	const struct person *person = person_of(l, file);
	AUTO_BYTES(der) = NULL;
	size_t len = 0;

	if (person == NULL)
		return 0;
	if (file_read_at(l->fd, file, STATEMENT_MAX_BYTES, &der, &len) < 0)
		return say_error(l, file, "STATEMENT-FILE");
	if (signature_verify(l->kind->purpose, l->kind->content, l->kind->len,
		der, len, person->sign) < 0)
		return say_unverified(l, file, person, der, len);
	return add(l->statements, person, TAKE(der), len);
}

/* Temporary files begin with a dot; other lists have another prefix. */
static bool
is_of_kind(const struct statement_kind *kind, const char *file)
{
	return file[0] != '.' &&
	    strncmp(file, kind->prefix, strlen(kind->prefix)) == 0;
}

static int
load_folder(const struct loading *l)
{
	struct dirent **names = NULL;
	int count = scandirat(l->fd, ".", &names, NULL, alphasort), rc = 0;

	if (count < 0)
		return ca_error_errno(
		    CA_R_IO, "cannot list '%s'", l->kind->folder);
	for (int i = 0; i < count; i++) {
		if (rc == 0 && is_of_kind(l->kind, names[i]->d_name))
			rc = load_file(l, names[i]->d_name);
		free(names[i]);
	}
	free(names);
	return rc;
}

int
statements_load(int dirfd, const struct statement_kind *kind,
    const struct quorum_set *set, struct findings *findings,
    struct statements *ret_statements)
{
	AUTO_FD(fd) = -1;
	AUTO_STRUCT(statements) statements = { 0 };
	struct loading l = { -1, kind, set, findings, &statements };
	int there = file_exists_at(dirfd, kind->folder);

	if (there < 0)
		return -1;
	if (there == 0) {
		*ret_statements = statements;
		return 0;
	}
	if (dir_open_at(dirfd, kind->folder, &fd) < 0)
		return -1;
	l.fd = fd;
	if (load_folder(&l) < 0)
		return -1;
	*ret_statements = statements;
	statements = (struct statements){ 0 };
	return 0;
}

/* ---- storing ---------------------------------------------------------- */

int
statements_store(int dirfd, const struct statement_kind *kind,
    const struct person *person, const unsigned char *der, size_t len)
{
	AUTO_CHARS(file) =
	    text_printf("%s%s%s", kind->prefix, person->name, ending);
	AUTO_FD(fd) = -1;

	if (file == NULL)
		return -1;
	if (person->witness)
		return ca_error(CA_R_QUORUM,
		    "'%s' is a witness, who cannot approve or confirm",
		    person->name);
	if (signature_verify(kind->purpose, kind->content, kind->len, der, len,
		person->sign) < 0 ||
	    dir_make_at(dirfd, kind->folder, 0700, &fd) < 0 ||
	    dir_sweep(fd) < 0)
		return -1;
	return file_write_at(fd, file, der, len, 0600, FILE_REPLACE);
}

/* ---- asking ----------------------------------------------------------- */

static size_t
count_present(const struct operators *operators)
{
	size_t n = 0;

	while (operators_at(operators, n) != NULL)
		n++;
	return n;
}

static const struct person *
next_unsigned(
    const struct operators *operators, const struct statements *statements)
{
	const struct person *person;

	for (size_t i = 0; (person = operators_at(operators, i)) != NULL; i++)
		if (!statements_have(statements, person))
			return person;
	return NULL;
}

/* Whoever wants to look at something looks, then says yes or no. */
static int
decide(struct statement_ask *ask, const struct person *person)
{
	const struct room *room = ask->operators->room;
	size_t item = 1;

	while (item != 0) {
		item = 0;
		if (room->decide(room->ctx, person->name, ask->question,
			ask->items, &item) < 0) {
			if (ca_error_reason() == CA_R_POLICY)
				ask->refused_by = person;
			return -1;
		}
		if (item > ask->items)
			return ca_error(
			    CA_R_INTERNAL, "there is no item %zu", item);
		if (item != 0 && ask->show(ask->ctx, item) < 0)
			return -1;
	}
	return 0;
}

static int
ask_one(int dirfd, const struct statement_kind *kind, struct statement_ask *ask,
    const struct person *person, struct statements *statements)
{
	AUTO_BYTES(der) = NULL;
	size_t len = 0;

	if (decide(ask, person) < 0 ||
	    operators_sign(ask->operators, person, kind->purpose, kind->content,
		kind->len, &der, &len) < 0 ||
	    statements_store(dirfd, kind, person, der, len) < 0)
		return -1;
	return add(statements, person, TAKE(der), len);
}

int
statements_ask(int dirfd, const struct statement_kind *kind,
    struct statement_ask *ask, size_t needed, struct statements *statements)
{
	while (ask->everybody || statements->count < needed) {
		const struct person *person =
		    next_unsigned(ask->operators, statements);

		if (person == NULL && statements->count >= needed)
			return 0;
		if (person == NULL) {
			size_t there = count_present(ask->operators);
			size_t missing = needed - statements->count;

			if (operators_need(ask->operators,
				(unsigned)(there + missing), ask->why) < 0)
				return -1;
			person = next_unsigned(ask->operators, statements);
		}
		if (person == NULL)
			return ca_error(CA_R_QUORUM,
			    "nobody is there who has not signed already");
		if (ask_one(dirfd, kind, ask, person, statements) < 0)
			return -1;
	}
	return 0;
}
