/*
 * The manifest: what a plan rests on, by SHA-256, so that nothing can be
 * swapped between approval and use.
 */
#include <fcntl.h>
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ceremony/plan-private.h"
#include "pkcs11/module.h"

enum { MANIFEST_MAX_BYTES = 16 << 20 };

/* ---- making ----------------------------------------------------------- */

/* The module's file, by the path that will be loaded. */
static int
find_module(struct authority *authority, struct plan *plan)
{
	const char *path = authority_config(authority)->token.module;
	unsigned char digest[32];

	if (strcmp(path, "embedded") == 0)
		path = softhsm_library();
	if (path == NULL)
		return ca_error(CA_R_MODULE,
		    "SoftHSM is not installed; install the package softhsm2");
	/* The user's path may lead through links, as libraries' do. */
	if (file_sha256_at(AT_FDCWD, path, digest) < 0)
		return ca_error(CA_R_MODULE,
		    "the PKCS#11 module '%s' that authority.yaml names cannot "
		    "be read; the plan is tied to its SHA-256",
		    path);
	plan->module_path = text_copy(path);
	plan->module_sha256 = text_hex(digest, sizeof(digest));
	return plan->module_path == NULL || plan->module_sha256 == NULL ? -1
									: 0;
}

static json_t *
inputs_json(const struct inputs *inputs)
{
	json_t *array = json_array();

	for (size_t i = 0; i < inputs->count; i++) {
		const struct input *input = &inputs->rows[i];
		char hex[65];
		json_t *row;

		text_hex_into(input->sha256, HASH_LEN, hex);
		row = json_pack("{s:s, s:s, s:s, s:s}", "role",
		    input_role_name(input->role), "given", input->given, "file",
		    input->file, "sha256", hex);
		if (json_array_append_new(array, row) != 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

/* The set in force is the one that must approve. */
static int
find_set(struct authority *authority, struct plan *plan)
{
	const struct quorum_set *set = NULL;

	if (authority_quorum(authority, &set) < 0)
		return -1;
	memcpy(plan->set, set->id, sizeof(plan->set));
	plan->threshold = set->threshold;
	free(plan->set_sha256);
	plan->set_sha256 = text_copy(set->sha256);
	return plan->set_sha256 == NULL ? -1 : 0;
}

static json_t *
manifest_json(struct authority *authority, const struct plan *plan)
{
	AUTO_STRUCT(authority_row) row = { 0 };
	char genesis[65], root[65], from[DATE_TEXT_SIZE], until[DATE_TEXT_SIZE];

	if (journal_authority(authority_journal(authority), &row) < 0)
		return NULL;
	text_hex_into(row.genesis, HASH_LEN, genesis);
	text_hex_into(plan->root, HASH_LEN, root);
	date_format(plan->from, from);
	date_format(plan->until, until);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:b, s:s, s:s, "
			 "s:{s:s, s:s}, s:{s:s, s:I, s:s}, s:{s:s, s:s}, s:o}",
	    "format", "ca-tool-manifest-1", "authority", row.id, "genesis",
	    genesis, "set", plan->set, "set_sha256", plan->set_sha256,
	    "threshold", (int)plan->threshold, "unattended",
	    plan_unattended(plan) ? 1 : 0, "plan", plan->params->id, "title",
	    plan->params->title, "window", "from", from, "until", until,
	    "journal", "origin", row.id, "size", (json_int_t)plan->size, "root",
	    root, "module", "path", plan->module_path, "sha256",
	    plan->module_sha256, "inputs", inputs_json(&plan->inputs));
}

/* malloc'd, or NULL with an error raised. */
static char *
manifest_text(struct authority *authority, const struct plan *plan)
{
	json_t *manifest = manifest_json(authority, plan);
	AUTO_CHARS(body) = manifest == NULL
	    ? NULL
	    : json_dumps(manifest, JSON_INDENT(1) | JSON_ENSURE_ASCII);

	json_decref(manifest);
	if (body == NULL) {
		(void)ca_error(CA_R_MEMORY, "no memory for a manifest");
		return NULL;
	}
	return text_printf("%s\n", body);
}

/* Text, hash and directory name of a manifest. */
static int
take_text(struct plan *plan, char *text)
{
	unsigned char digest[32];

	plan->manifest = text;
	if (sha256(text, strlen(text), digest) < 0)
		return -1;
	plan->manifest_sha256 = text_hex(digest, sizeof(digest));
	return plan->manifest_sha256 == NULL ? -1 : 0;
}

int
manifest_make(struct authority *authority, struct plan *plan)
{
	char *text;

	if (journal_head(
		authority_journal(authority), &plan->size, plan->root) < 0 ||
	    find_set(authority, plan) < 0 || find_module(authority, plan) < 0)
		return -1;
	text = manifest_text(authority, plan);
	if (text == NULL || take_text(plan, text) < 0)
		return -1;
	plan->directory =
	    text_printf("%s-%.8s", plan->params->id, plan->manifest_sha256);
	return plan->directory == NULL ? -1 : 0;
}

int
manifest_is_older(struct authority *authority, struct plan *plan,
    const struct plan *kept, bool *ret_older)
{
	AUTO_STRUCT(authority_row) row = { 0 };
	unsigned char now[HASH_LEN], root[HASH_LEN];
	uint64_t size = plan->size;
	AUTO_CHARS(text) = NULL;

	*ret_older = false;
	if (journal_authority(authority_journal(authority), &row) < 0)
		return -1;
	/* What was checked before a recovery may have run since. */
	if (kept->size > size || (row.epoch > 0 && kept->size <= row.epoch_seq))
		return 0;
	if (journal_root_at(authority_journal(authority), kept->size, root) < 0)
		return -1;
	if (memcmp(root, kept->root, HASH_LEN) != 0)
		return 0;
	memcpy(now, plan->root, HASH_LEN);
	plan->size = kept->size;
	memcpy(plan->root, kept->root, HASH_LEN);
	text = manifest_text(authority, plan);
	plan->size = size;
	memcpy(plan->root, now, HASH_LEN);
	if (text == NULL)
		return -1;
	*ret_older = strcmp(text, kept->manifest) == 0;
	return 0;
}

int
manifest_check_set(struct authority *authority, const struct plan *plan)
{
	const struct quorum_set *set = NULL;

	if (authority_quorum(authority, &set) < 0)
		return -1;
	if (strcmp(set->id, plan->set) != 0 ||
	    strcmp(set->sha256, plan->set_sha256) != 0)
		return ca_error(CA_R_QUORUM,
		    "the quorum set was changed after the plan was checked, so "
		    "its approvals are void; check the plan again");
	return 0;
}

int
manifest_confirm(struct authority *authority, struct plan *plan)
{
	AUTO_CHARS(text) = manifest_text(authority, plan);

	if (text == NULL)
		return -1;
	if (strcmp(text, plan->manifest) != 0)
		return ca_error(CA_R_VERIFY,
		    "manifest.json does not describe the plan and the inputs "
		    "that are kept with it: it was changed after the check; "
		    "check the plan again");
	return 0;
}

/* ---- loading ---------------------------------------------------------- */

static int
load_small(int inputs_fd, enum input_role role, const char *given,
    const char *file, struct inputs *inputs)
{
	AUTO_BYTES(data) = NULL;
	size_t len = 0;

	if (file_read_at(inputs_fd, file, input_max_bytes(role), &data, &len) <
	    0)
		return -1;
	return inputs_add(inputs, role, given, file, TAKE(data), len);
}

/* A copy: what is kept may be changed by others while it is used. */
static int
load_bulk(int inputs_fd, enum input_role role, const char *given,
    const char *file, struct inputs *inputs)
{
	AUTO_STRUCT(spill) spill = { .fd = -1 };
	AUTO_STRUCT(spilled) bulk = { .fd = -1 };

	if (spill_open(inputs_fd, &spill) < 0 ||
	    bulk_copy(inputs_fd, file, &spill) < 0 ||
	    spill_take(&spill, &bulk) < 0)
		return -1;
	return inputs_add_bulk(inputs, role, given, file, &bulk);
}

static int
load_input(int inputs_fd, json_t *row, struct plan *plan)
{
	const char *role_name, *given, *file, *sha;
	enum input_role role;
	char hex[65];

	if (json_unpack(row, "{s:s, s:s, s:s, s:s}", "role", &role_name,
		"given", &given, "file", &file, "sha256", &sha) != 0)
		return ca_error(
		    CA_R_CORRUPT, "the manifest has a malformed input");
	if (input_role_by_name(role_name, &role) < 0)
		return -1;
	if (inputs_find(&plan->inputs, role, given) != NULL)
		return ca_error(
		    CA_R_VERIFY, "the manifest names an input twice");
	if (strchr(file, '/') != NULL || file[0] == '.')
		return ca_error(CA_R_VERIFY,
		    "the manifest names an input outside of its directory");
	if ((role == INPUT_BULK ? load_bulk : load_small)(
		inputs_fd, role, given, file, &plan->inputs) < 0)
		return -1;
	text_hex_into(
	    plan->inputs.rows[plan->inputs.count - 1].sha256, HASH_LEN, hex);
	if (strcmp(hex, sha) != 0)
		return ca_error(CA_R_VERIFY,
		    "input '%s' is not what the manifest says: it was changed "
		    "after the check, so approvals of it are void; check the "
		    "plan again",
		    file);
	return 0;
}

static int
malformed(void)
{
	return ca_error(CA_R_CORRUPT, "the manifest is malformed");
}

/* What of it goes into the plan, beside the inputs. */
static int
load_facts(json_t *manifest, struct plan *plan)
{
	const char *format, *root, *module, *module_sha256, *set, *set_sha256;
	AUTO_BYTES(octets) = NULL;
	json_int_t size;
	size_t len = 0;
	int threshold;

	if (json_unpack(manifest,
		"{s:s, s:s, s:s, s:i, s:{s:I, s:s}, s:{s:s, s:s}}", "format",
		&format, "set", &set, "set_sha256", &set_sha256, "threshold",
		&threshold, "journal", "size", &size, "root", &root, "module",
		"path", &module, "sha256", &module_sha256) != 0 ||
	    strcmp(format, "ca-tool-manifest-1") != 0 || size < 0 ||
	    threshold < 1 || threshold > SHARERS_MAX ||
	    strlen(set) != SET_ID_HEX_SIZE - 1)
		return malformed();
	if (text_unhex(root, &octets, &len) < 0 || len != HASH_LEN)
		return malformed();
	plan->size = (uint64_t)size;
	memcpy(plan->root, octets, HASH_LEN);
	memcpy(plan->set, set, SET_ID_HEX_SIZE);
	plan->threshold = (unsigned)threshold;
	plan->set_sha256 = text_copy(set_sha256);
	plan->module_path = text_copy(module);
	plan->module_sha256 = text_copy(module_sha256);
	return plan->set_sha256 == NULL || plan->module_path == NULL ||
		plan->module_sha256 == NULL
	    ? -1
	    : 0;
}

/* Written by this authority, over this journal? */
static int
check_origin(struct authority *authority, json_t *manifest)
{
	AUTO_STRUCT(authority_row) row = { 0 };
	const char *id, *genesis;
	char hex[65];

	if (json_unpack(manifest, "{s:s, s:s}", "authority", &id, "genesis",
		&genesis) != 0)
		return malformed();
	if (journal_authority(authority_journal(authority), &row) < 0)
		return -1;
	text_hex_into(row.genesis, HASH_LEN, hex);
	if (strcmp(id, row.id) != 0 || strcmp(genesis, hex) != 0)
		return ca_error(CA_R_VERIFY,
		    "the manifest is of another authority, '%s'", id);
	return 0;
}

static int
load_inputs(int dirfd, json_t *manifest, struct plan *plan)
{
	json_t *rows = json_object_get(manifest, "inputs");
	AUTO_FD(fd) = -1;

	if (!json_is_array(rows))
		return malformed();
	if (dir_open_at(dirfd, "inputs", &fd) < 0)
		return -1;
	for (size_t i = 0; i < json_array_size(rows); i++)
		if (load_input(fd, json_array_get(rows, i), plan) < 0)
			return -1;
	return 0;
}

/* The text of manifest.json, parsed; the caller's. */
static int
load_json(int dirfd, struct plan *plan, json_t **ret_manifest)
{
	AUTO_BYTES(data) = NULL;
	json_t *manifest;
	size_t len = 0;

	if (file_read_at(
		dirfd, "manifest.json", MANIFEST_MAX_BYTES, &data, &len) < 0)
		return -1;
	if (memchr(data, '\0', len) != NULL)
		return malformed();
	manifest =
	    json_loadb((const char *)data, len, JSON_REJECT_DUPLICATES, NULL);
	if (manifest == NULL)
		return ca_error(CA_R_CORRUPT, "the manifest is no JSON");
	if (take_text(plan, (char *)TAKE(data)) < 0) {
		json_decref(manifest);
		return -1;
	}
	*ret_manifest = manifest;
	return 0;
}

int
manifest_load(struct authority *authority, int dirfd, struct plan *plan)
{
	json_t *manifest = NULL;
	int rc = load_json(dirfd, plan, &manifest);

	if (rc == 0 && authority != NULL)
		rc = check_origin(authority, manifest);
	if (rc == 0)
		rc = load_facts(manifest, plan);
	if (rc == 0)
		rc = load_inputs(dirfd, manifest, plan);
	json_decref(manifest);
	return rc;
}
