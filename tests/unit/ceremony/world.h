/*
 * A small world for the steps that speak of certificates' status: a journal, a
 * plan that makes a root and what stands below it, and the build of both.
 */
#ifndef TESTS_CEREMONY_WORLD_H
#define TESTS_CEREMONY_WORLD_H

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>

#include "ceremony/steps/revocations.h"
#include "journal-support.h"

enum { TEXT_MAX = 16384 };

static const char head[] = "format: ca-tool-plan-1\n"
			   "id: a\n"
			   "title: A test\n"
			   "window:\n"
			   "  from: 2026-01-01T00:00:00Z\n"
			   "  until: 2026-02-01T00:00:00Z\n"
			   "steps:\n";

#define KEY(name, purpose)                                                 \
	"  - generate-key: {key: " name ", type: p-256, purpose: " purpose \
	", backup: none}\n"
#define CERTIFICATE(kind, name, issuer, profile)               \
	"  - " kind ": {name: " name ", " issuer " key: " name \
	", profile: " profile                                  \
	", subject: {country: DE, organization: T, common-name: " name "}}\n"

struct fixture {
	char text[TEXT_MAX];
	char dir[32];
	int scratch;
	struct journal *journal;
	struct yaml *doc;
	struct plan_params *params;
	struct step *steps;
	struct inputs inputs;
	struct findings findings;
	struct build build;
	unsigned char counter;
	/* Of the CRL's tests. */
	EVP_PKEY *key[2]; /* root, sub */
	int objects;
	int64_t now;
	char dn[65]; /* sub's */
};

/* The same serial numbers each time. */
static inline int
counted(void *ctx, unsigned char *ret_bytes, size_t len)
{
	struct fixture *f = ctx;
	unsigned char digest[32];

	assert_in_range(len, 1, sizeof(digest));
	f->counter++;
	assert_ok(sha256(&f->counter, sizeof(f->counter), digest));
	memcpy(ret_bytes, digest, len);
	return 0;
}

/* A shipped profile, in which the first `from`, if it is not NULL, is `to`. */
static inline void
add_profile(
    struct fixture *f, const char *name, const char *from, const char *to)
{
	char path[512], text[TEXT_MAX], edited[TEXT_MAX + 256];
	FILE *file;
	const char *at;
	size_t len;

	(void)snprintf(path, sizeof(path), PROFILE_DATA "/%s.yaml", name);
	file = fopen(path, "r");
	assert_non_null(file);
	len = fread(text, 1, sizeof(text) - 1, file);
	assert_int_equal(fclose(file), 0);
	text[len] = '\0';
	at = from == NULL ? text : strstr(text, from);
	assert_non_null(at);
	(void)snprintf(edited, sizeof(edited), "%.*s%s%s", (int)(at - text),
	    text, from == NULL ? "" : to,
	    at + (from == NULL ? 0 : strlen(from)));
	assert_ok(inputs_add(&f->inputs, INPUT_PROFILE, name, NULL,
	    (unsigned char *)strdup(edited), strlen(edited)));
}

/* Its directory, called after `name`, and a journal with its first entry. */
static inline struct fixture *
world_new(const char *name)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	ca_error_clear();
	(void)snprintf(f->dir, sizeof(f->dir), "test-%s-XXXXXX", name);
	assert_non_null(mkdtemp(f->dir));
	assert_ok(journal_create(f->dir, &f->journal));
	f->scratch = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(f->scratch >= 0);
	assert_ok(journal_append(f->journal, ENTRY_GENESIS,
	    json_pack("{s:s, s:i, s:{s:s}, s:s}", "authority", "example",
		"format", 1, "token", "label", "x", "tool", "0"),
	    "a test", NULL));
	return f;
}

static inline int
world_remove_one(
    const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static inline void
unload(struct fixture *f)
{
	build_clear(&f->build);
	findings_clear(&f->findings);
	f->findings = (struct findings){ 0 };
	free(f->steps);
	f->steps = NULL;
	yaml_value_free(&plan_schema, f->params);
	f->params = NULL;
	yaml_free(f->doc);
	f->doc = NULL;
}

static inline void
world_free(struct fixture *f)
{
	unload(f);
	inputs_clear(&f->inputs);
	journal_free(f->journal);
	(void)close(f->scratch);
	for (size_t i = 0; i < 2; i++)
		EVP_PKEY_free(f->key[i]);
	(void)nftw(f->dir, world_remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(f);
}

/* What an earlier step of the plan revokes, alone. */
static inline void
world_revoke(struct fixture *f, enum entry_kind kind, const char *dn,
    const char *serial, struct listed row)
{
	struct built_act act = { .entry = kind };

	assert_ok(serial_from_hex(serial, strlen(serial), &row.serial));
	act.kind = strdup("revoke");
	act.data = json_pack("{s:s, s:s}", "issuer_dn", dn, "serial", serial);
	act.summary = strdup("a test");
	assert_ok(listed_plan(&row, &act));
	assert_ok(build_add_act(&f->build, &act));
}

#endif
