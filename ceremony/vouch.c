#include "ceremony/vouch.h"

#include <string.h>

#include <openssl/crypto.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/quorum/signature.h"

/* ---- one run ---------------------------------------------------------- */

struct vouching {
	struct journal *journal;
	const struct quorum_set *set;
	const unsigned char *manifest;
	size_t len;
	unsigned approvals;
};

static int
evidence_of(struct journal *journal, const char *hex, unsigned char **ret_data,
    size_t *ret_len)
{
	AUTO_BYTES(digest) = NULL;
	size_t len = 0;

	if (text_unhex(hex, &digest, &len) < 0)
		return -1;
	return len == HASH_LEN
	    ? journal_evidence_get(journal, digest, ret_data, ret_len)
	    : ca_error(CA_R_CORRUPT, "the journal names a malformed hash");
}

/* One name a run: the journal takes no second approval of anybody. */
static int
count_approval(void *ctx, const struct statement_row *row)
{
	struct vouching *v = ctx;
	const struct person *person = set_person(v->set, row->name);
	AUTO_BYTES(der) = NULL;
	size_t len = 0;

	if (row->list >= 0)
		return 0;
	if (evidence_of(v->journal, row->statement, &der, &len) < 0)
		return -1;
	if (person != NULL && !person->witness &&
	    signature_verify(SIGNATURE_APPROVE, v->manifest, v->len, der, len,
		person->sign) == 0)
		v->approvals++;
	else
		ca_error_clear();
	return 0;
}

/* The set as the journal has it, whatever the manifest says. */
static int
load_set(
    struct authority *authority, const char *id, struct quorum_set **ret_set)
{
	AUTO_STRUCT(quorum_row) row = { 0 };
	bool found = false;
	int fd = -1;

	if (journal_quorum_by_set(
		authority_journal(authority), id, &found, &row) < 0)
		return -1;
	if (!found)
		return ca_error(CA_R_VERIFY,
		    "the journal names the quorum set '%s', which it does not "
		    "know",
		    id);
	return authority_quorum_fd(authority, &fd) < 0
	    ? -1
	    : set_load(fd, id, row.sha256, ret_set);
}

int
vouch_run(struct authority *authority, const char *run)
{
	AUTO_STRUCT(run_row) row = { 0 };
	AUTO_PTR(quorum_set) *set = NULL;
	AUTO_BYTES(manifest) = NULL;
	struct vouching v = { .journal = authority_journal(authority) };
	bool found = false;

	if (journal_run(v.journal, run, &found, &row) < 0)
		return -1;
	if (!found)
		return ca_error(CA_R_VERIFY,
		    "the journal has entries of a run '%s' that was never "
		    "begun",
		    run);
	if (load_set(authority, row.set, &set) < 0 ||
	    evidence_of(v.journal, row.manifest, &manifest, &v.len) < 0)
		return -1;
	v.set = set;
	v.manifest = manifest;
	if (journal_each_statement(v.journal, run, count_approval, &v) < 0)
		return -1;
	if (v.approvals >= set->threshold)
		return 0;
	return ca_error(CA_R_VERIFY,
	    "the journal has a run of plan '%s' that %u operators must have "
	    "approved, and %u have: somebody has written into journal.db; "
	    "nothing was signed. Keep it, and see what 'ca-tool journal "
	    "verify' says",
	    row.plan, set->threshold, v.approvals);
}

/* ---- the tail --------------------------------------------------------- */

struct tail {
	struct authority *authority;
	char last[2 * NONCE_LEN + 1]; /* vouched for already */
};

/* Entries that say something of a run and change nothing. */
static bool
is_only_said(const char *kind)
{
	static const enum entry_kind kinds[] = { ENTRY_LOGIN, ENTRY_HEAD,
		ENTRY_EVENT };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kind, entry_kind_name(kinds[i])) == 0)
			return true;
	return false;
}

static int
visit_tail(void *ctx, uint64_t seq, const char *line, size_t len)
{
	struct tail *tail = ctx;
	json_t *entry = json_loadb(line, len, 0, NULL);
	const char *kind = json_string_value(json_object_get(entry, "kind"));
	const char *run = json_string_value(
	    json_object_get(json_object_get(entry, "data"), "run"));
	int rc = 0;

	(void)seq;
	if (kind != NULL && run != NULL && !is_only_said(kind) &&
	    strcmp(run, "init") != 0 && strcmp(run, tail->last) != 0) {
		rc = vouch_run(tail->authority, run);
		(void)snprintf(tail->last, sizeof(tail->last), "%s", run);
	}
	json_decref(entry);
	return rc;
}

int
vouch_tail(struct authority *authority, uint64_t from)
{
	struct tail tail = { .authority = authority };

	return journal_each_entry(
	    authority_journal(authority), from, ENTRY_KINDS, visit_tail, &tail);
}
