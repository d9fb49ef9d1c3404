/*
 * The end of a CA: nothing that it issued was in force any more, and its last
 * CRLs have what it revoked, by the rules of the step that retires it.
 */
#include <inttypes.h>
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "ceremony/audit/objects-private.h"
#include "ceremony/steps/ending.h"

struct judging {
	struct audit *audit;
	const struct audit_entry *entry;
	struct ending ending;
};

static int
judge_part(void *ctx, const struct revoked_part *part)
{
	const struct judging *j = ctx;
	AUTO_CHARS(which) = revoked_part_text(part);
	enum last_crl verdict;
	char end[DATE_TEXT_SIZE];

	if (which == NULL || ending_judge(&j->ending, part, &verdict) < 0)
		return -1;
	date_format(ending_needs(&j->ending, part), end);
	if (verdict == LAST_CRL_NONE)
		audit_error(j->audit, j->entry, "AUDIT-LAST-CRL",
		    "the CA of key '%s' is retired, and no CRL has everything "
		    "that it revoked of its certificates%s",
		    audit_text(j->entry, "key"), which);
	else if (verdict == LAST_CRL_SHORT)
		audit_error(j->audit, j->entry, "AUDIT-LAST-CRL",
		    "the CA of key '%s' is retired, and its newest CRL ends "
		    "before %s, when the last of what it revoked of its "
		    "certificates%s expires",
		    audit_text(j->entry, "key"), end, which);
	return 0;
}

static int
judge_name(struct audit *audit, const struct audit_entry *entry, const char *dn,
    const char *spki)
{
	struct judging j = {
		.audit = audit,
		.entry = entry,
		.ending = { .journal = audit->journal,
		    .dn = dn,
		    .spki = spki,
		    .now = entry->time },
	};

	if (ending_gather(&j.ending) != 0)
		return -1;
	if (j.ending.in_force > 0)
		audit_error(audit, entry, "AUDIT-CA-STATE",
		    "the CA of key '%s' is retired, and %" PRIu64
		    " of its certificates neither expired nor revoked",
		    audit_text(entry, "key"), j.ending.in_force);
	return journal_each_revoked_part(audit->journal, dn, judge_part, &j);
}

int
audit_state_of_ca(struct audit *audit, const struct audit_entry *entry)
{
	const char *state = audit_text(entry, "state");
	AUTO_STRUCT(ca_names) names = { 0 };
	AUTO_STRUCT(key_row) key = { 0 };
	AUTO_CHARS(spki) = NULL;
	bool found = false;

	if (strcmp(state, ca_state_name(CA_RETIRED)) != 0)
		return 0;
	if (journal_key(
		audit->journal, audit_text(entry, "key"), &found, &key) != 0)
		return -1;
	if (!found || key.spki == NULL)
		return 0; /* it was not applied then */
	spki = sha256_hex(key.spki, key.spki_len);
	if (spki == NULL || ca_names_find(audit->journal, spki, &names) != 0)
		return -1;
	for (size_t i = 0; i < names.count; i++)
		if (judge_name(audit, entry, names.dns[i], spki) != 0)
			return -1;
	return 0;
}
