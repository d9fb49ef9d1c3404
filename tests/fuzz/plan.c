/*
 * Plans, as far as they go without a token: read, described, and every object
 * built and linted with placeholder keys, over a new journal.  Whatever is
 * wrong is a finding.
 */
#include <fcntl.h>
#include <jansson.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "ceremony/plan-private.h"
#include "profiles/lint/lint.h"
#include "scratch.h"

#define DIGEST \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

enum { NOW = 1795000000 /* 2026-11-18 */ };

static const char *const profile_names[] = { "ca-crl", "crl-ca-only",
	"crl-partition", "cross", "issuing-ca", "issuing-ca-tls",
	"ocsp-responder", "policy-ca", "root", "root-public", "client",
	"ocsp-response" };
static const char *const file_names[] = { "request.csr", "root.pem",
	"set.yaml" };
/* A file stands for a bundle of one. */
static const char *const bulk_names[] = { "request.csr", "root.pem",
	"issued.csv", "revoked.csv" };

/* What all plans may name. */
static int scratch_fd = -1;
static struct inputs inputs;
static struct journal *journal;

static void
clear_all(void)
{
	inputs_clear(&inputs);
	journal_free(journal);
}

static void
add_input(enum input_role role, const char *given, const char *dir,
    const char *name, const char *ending)
{
	unsigned char *data = NULL;
	size_t len = 0;
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/%s%s", dir, name, ending);
	HOLDS(file_read_at(AT_FDCWD, path, INPUT_MAX_BYTES, &data, &len) == 0);
	HOLDS(inputs_add(&inputs, role, given, NULL, data, len) == 0);
}

static void
append(enum entry_kind kind, json_t *data)
{
	HOLDS(journal_append(journal, kind, data, "a test", NULL) == 0);
}

static void
setup(void)
{
	scratch_make();
	scratch_fd = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	HOLDS(scratch_fd >= 0);
	HOLDS(atexit(clear_all) == 0);
	for (size_t i = 0; i < sizeof(profile_names) / sizeof(profile_names[0]);
	     i++)
		add_input(INPUT_PROFILE, profile_names[i], PROFILE_DATA,
		    profile_names[i], ".yaml");
	for (size_t i = 0; i < sizeof(file_names) / sizeof(file_names[0]); i++)
		add_input(
		    INPUT_FILE, file_names[i], PLAN_DATA, file_names[i], "");
	for (size_t i = 0; i < sizeof(bulk_names) / sizeof(bulk_names[0]); i++)
		add_input(
		    INPUT_BULK, bulk_names[i], PLAN_DATA, bulk_names[i], "");
	add_input(
	    INPUT_AUTHORITY, "authority.yaml", PLAN_DATA, "authority.yaml", "");
	HOLDS(journal_create(scratch, &journal) == 0);
	append(ENTRY_GENESIS,
	    json_pack("{s:s, s:i, s:{s:s}, s:s}", "authority", "example",
		"format", 1, "token", "label", "x", "tool", "0"));
	append(ENTRY_TOKEN_INTENT,
	    json_pack("{s:s, s:b}", "label", "x", "embedded", 1));
	append(ENTRY_TOKEN,
	    json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:i, "
		      "s:{s:s, s:s, s:s, s:s, s:s, s:s}}",
		"label", "x", "serial", "1", "manufacturer", "m", "model", "m",
		"hardware", "1", "firmware", "1", "flags", 0, "module", "path",
		"/m.so", "sha256", DIGEST, "manufacturer", "m", "description",
		"d", "version", "1", "cryptoki", "2.40"));
	append(ENTRY_STATE,
	    json_pack("{s:s, s:s}", "subject", "authority", "state", "ready"));
}

/* Random octets that are the same each time. */
static int
same_random(void *ctx, unsigned char *ret_bytes, size_t len)
{
	uint64_t *state = ctx;

	for (size_t i = 0; i < len; i++) {
		*state = *state * UINT64_C(6364136223846793005) + 1;
		ret_bytes[i] = (unsigned char)(*state >> 56);
	}
	return 0;
}

/* ---- what the steps say of themselves --------------------------------- */

/* What is not there is the plan's fault. */
static int
need(void *ctx, enum input_role role, const char *given, const char *place)
{
	HOLDS(
	    role == INPUT_PROFILE || role == INPUT_FILE || role == INPUT_BULK);
	HOLDS(given[0] != '\0' && place[0] != '\0');
	if (inputs_find(&inputs, role, given) == NULL)
		findings_add(ctx, FINDING_ERROR, "INPUT", place, NULL,
		    "'%s' is not there", given);
	return 0;
}

static int
need_bulk(void *ctx, const char *given, const char *place)
{
	return need(ctx, INPUT_BULK, given, place);
}

static int
need_profiles(void *ctx, const char *place)
{
	(void)ctx;
	HOLDS(place[0] != '\0');
	return 0;
}

static void
line(void *ctx, size_t step, const char *kind, const char *text)
{
	size_t *count = ctx;

	HOLDS(step == ++*count && kind[0] != '\0' && text[0] != '\0');
	for (size_t i = 0; text[i] != '\0'; i++)
		HOLDS((unsigned char)text[i] >= ' ');
}

static void
object(void *ctx, const char *kind, const char *name, const char *text)
{
	(void)ctx;
	HOLDS(kind[0] != '\0' && name != NULL && text != NULL);
}

static void
check_steps(const struct plan *plan, struct findings *findings)
{
	const struct input_visitor visitor = {
		.ctx = findings,
		.need = need,
		.need_bulk = need_bulk,
		.need_profiles = need_profiles,
		.inputs = &inputs,
	};
	size_t count = 0;

	for (size_t i = 0; i < plan_step_count(plan); i++) {
		const struct step *step = &plan->steps[i];

		if (step->kind->inputs != NULL)
			HOLDS(step->kind->inputs(step, &visitor) == 0);
		(void)step_late_name(step);
	}
	HOLDS(plan_describe(plan, line, &count) == 0);
	HOLDS(count == plan_step_count(plan));
}

/* ---- building --------------------------------------------------------- */

static void
show(void *ctx, size_t depth, const char *text, const char *origin)
{
	(void)ctx;
	fprintf(stderr, "%zu %s (%s)\n", depth, text, origin);
}

static void
check_build(struct plan *plan, struct findings *findings)
{
	uint64_t state = 1;

	plan->preview = (struct build){
		.mode = BUILD_CHECK,
		.journal = journal,
		.inputs = &inputs,
		.shares = true,
		.public_fd = -1,
		.scratch_fd = scratch_fd,
		.now = NOW,
		.random = same_random,
		.random_ctx = &state,
		.findings = findings,
		.urls = {
			[URL_CRL] = "http://c.example/{issuer}.crl",
			[URL_CA_ISSUERS] = "http://c.example/{issuer}.cer",
			[URL_OCSP] = "http://o.example/",
		},
	};
	if (build_plan(&plan->preview, plan->steps, plan_step_count(plan)) !=
	    0) {
		ca_error_drain(show, NULL);
		abort();
	}
	HOLDS(plan_preview(plan, object, NULL) == 0);
	HOLDS(findings->errors > 0 ||
	    plan->preview.object_count + plan->preview.act_count +
		    plan->preview.key_count >
		0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(plan) *plan = calloc(1, sizeof(*plan));
	unsigned char *copy = size == 0 ? malloc(1) : bytes_copy(data, size);

	if (journal == NULL)
		setup();
	HOLDS(plan != NULL && copy != NULL);
	plan->preview.public_fd = -1;
	plan->file = strdup("plan.yaml");
	HOLDS(plan->file != NULL);
	HOLDS(inputs_add(&plan->inputs, INPUT_PLAN, "plan", "plan.yaml", copy,
		  size) == 0);
	if (plan_parse(plan, &findings) != 0) {
		HOLDS(ca_error_reason() == CA_R_INPUT && findings.errors > 0);
		ca_error_clear();
		return 0;
	}
	HOLDS(findings.errors == 0 && ca_error_reason() == 0);
	check_steps(plan, &findings);
	check_build(plan, &findings);
	HOLDS(ca_error_reason() == 0);
	return 0;
}
