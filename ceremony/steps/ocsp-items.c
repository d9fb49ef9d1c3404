#include "ceremony/steps/ocsp-items.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"

void
ocsp_items_clear(struct ocsp_items *items)
{
	free(items->rows);
	*items = (struct ocsp_items){ 0 };
}

struct collecting {
	const struct build *build;
	const struct issuer_view *issuer;
	int64_t alive;
	struct ocsp_items *items;
};

static int
add(struct collecting *c, const struct ocsp_item *item)
{
	struct ocsp_items *items = c->items;

	if (item->expires != 0 && item->expires < c->alive)
		return 0;
	if (items->count == items->room) {
		size_t room = items->room == 0 ? 64 : 2 * items->room;
		struct ocsp_item *rows =
		    realloc(items->rows, room * sizeof(*rows));

		if (rows == NULL)
			return ca_error(
			    CA_R_MEMORY, "no memory for OCSP responses");
		items->rows = rows;
		items->room = room;
	}
	items->rows[items->count++] = *item;
	return 0;
}

static int
add_hex(struct collecting *c, const char *serial, struct ocsp_item *item)
{
	if (serial_from_hex(serial, strlen(serial), &item->serial) < 0)
		return ca_error(CA_R_CORRUPT,
		    "the journal holds the malformed serial number '%s'",
		    serial);
	return add(c, item);
}

/* ---- certificates ------------------------------------------------------ */

static enum ocsp_subject
subject_of(const char *certificate_kind, bool ca)
{
	if (ca)
		return SUBJECT_CA;
	return certificate_kind != NULL &&
		strcmp(certificate_kind, "ocsp-responder") == 0
	    ? SUBJECT_RESPONDER
	    : SUBJECT_USER;
}

static int
visit_certificate(void *ctx, const struct object_row *row)
{
	struct collecting *c = ctx;
	struct ocsp_item item = {
		.subject = subject_of(row->certificate_kind, row->ca),
		.expires = row->until,
	};

	return add_hex(c, row->serial, &item);
}

/* What this plan makes or takes in. */
static int
add_planned(struct collecting *c, const X509 *certificate, const char *kind)
{
	AUTO_STRUCT(certificate_facts) facts = { 0 };
	const struct certificate_facts *own = &c->issuer->facts;
	struct ocsp_item item = { 0 };

	if (certificate_facts(certificate, &facts) < 0)
		return -1;
	if (facts.issuer_len != own->subject_len ||
	    memcmp(facts.issuer_der, own->subject_der, own->subject_len) != 0)
		return 0;
	item.subject = subject_of(kind, facts.is_ca);
	item.expires = facts.not_after;
	if (serial_from_octets(facts.serial, facts.serial_len, &item.serial) <
	    0)
		return -1;
	return add(c, &item);
}

static int
add_all_planned(struct collecting *c)
{
	const struct build *build = c->build;

	for (size_t i = 0; i < build->object_count; i++) {
		const struct built_object *object = &build->objects[i];
		const char *kind = json_string_value(
		    json_object_get(object->facts, "certificate_kind"));

		if (object->certificate != NULL &&
		    add_planned(c, object->certificate, kind) < 0)
			return -1;
	}
	for (size_t i = 0; i < build->act_count; i++)
		if (build->acts[i].certificate != NULL &&
		    add_planned(c, build->acts[i].certificate, NULL) < 0)
			return -1;
	return 0;
}

static int
visit_issued(void *ctx, const struct issued_row *row)
{
	struct collecting *c = ctx;
	struct ocsp_item item = {
		.subject = row->ca < 0 ? SUBJECT_UNKNOWN
		    : row->ca > 0      ? SUBJECT_CA
				       : SUBJECT_USER,
		.expires = row->expires,
	};

	return add_hex(c, row->serial, &item);
}

/* import-issued steps of this plan: their lists are not in the journal yet. */
static int
add_imported(void *ctx, const struct listed *row)
{
	struct collecting *c = ctx;
	const struct ocsp_item item = {
		.serial = row->serial,
		.subject = row->ca < 0 ? SUBJECT_UNKNOWN
		    : row->ca > 0      ? SUBJECT_CA
				       : SUBJECT_USER,
		.expires = row->expires,
	};

	return add(c, &item);
}

static bool
is_about(const struct collecting *c, const struct built_act *act)
{
	const char *dn =
	    json_string_value(json_object_get(act->data, "issuer_dn"));

	return dn != NULL && strcmp(dn, c->issuer->dn) == 0;
}

static int
add_all_imported(struct collecting *c)
{
	for (size_t i = 0; i < c->build->act_count; i++) {
		const struct built_act *act = &c->build->acts[i];

		if (act->entry == ENTRY_ISSUED && is_about(c, act) &&
		    issued_text_each(&act->list, add_imported, c) < 0)
			return -1;
	}
	return 0;
}

/* ---- revocations ------------------------------------------------------- */

static int
visit_revocation(void *ctx, const struct revocation_row *row)
{
	struct collecting *c = ctx;
	struct ocsp_item item = {
		.revoked = true,
		.expires = row->expires,
		.date = row->date,
	};

	if (reason_by_name(row->reason, &item.reason) < 0)
		return ca_error(CA_R_CORRUPT,
		    "the journal holds a revocation for '%s'", row->reason);
	return add_hex(c, row->serial, &item);
}

static int
add_planned_revocations(struct collecting *c)
{
	for (size_t i = 0; i < c->build->act_count; i++) {
		const struct built_act *act = &c->build->acts[i];

		for (size_t j = 0; j < act->revoked_count && is_about(c, act);
		     j++) {
			const struct planned_revocation *r = &act->revoked[j];
			struct ocsp_item item = {
				.revoked = true,
				.expires = r->expires,
				.date = r->date,
				.reason = (enum revocation_reason)r->reason,
			};

			if (serial_from_octets(
				r->serial, r->serial_len, &item.serial) < 0 ||
			    add(c, &item) < 0)
				return -1;
		}
	}
	return 0;
}

/*
 * One that is possibly signed is answered for only as revoked.  What its intent
 * says of it holds: a responder is one.
 */
static int
visit_possible(void *ctx, const struct object_row *row)
{
	struct collecting *c = ctx;
	struct ocsp_item item = {
		.subject = subject_of(row->certificate_kind, row->ca),
		.expires = row->until,
	};
	bool revoked = false;

	if (row->state == OBJECT_SIGNED || row->serial == NULL ||
	    row->issuer_dn == NULL ||
	    strcmp(row->issuer_dn, c->issuer->dn) != 0)
		return 0;
	if (build_is_revoked(c->build, c->issuer->dn, row->serial, &revoked) <
	    0)
		return -1;
	return revoked ? add_hex(c, row->serial, &item) : 0;
}

/* ---- one of each ------------------------------------------------------- */

/* Equal ones keep the order in which they were found: rows have no two. */
struct ranked {
	struct ocsp_item item;
	size_t rank;
};

static int
compare_ranked(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	int order = serial_compare(&x->item.serial, &y->item.serial);

	if (order != 0)
		return order;
	return x->rank < y->rank ? -1 : x->rank > y->rank;
}

/*
 * What a later source knows of the same certificate: the first to know what it
 * is and when it ends is right; the last to revoke it is, for an upgrade.
 */
static void
learn(struct ocsp_item *item, const struct ocsp_item *later)
{
	if (item->subject == SUBJECT_UNKNOWN)
		item->subject = later->subject;
	if (item->expires == 0)
		item->expires = later->expires;
	if (!later->revoked)
		return;
	item->revoked = true;
	item->date = later->date;
	item->reason = later->reason;
}

static int
merge(struct ocsp_items *items)
{
	struct ranked *ranked;
	size_t kept = 0;

	if (items->count == 0)
		return 0;
	ranked = malloc(items->count * sizeof(*ranked));
	if (ranked == NULL)
		return ca_error(CA_R_MEMORY, "no memory for OCSP responses");
	for (size_t i = 0; i < items->count; i++)
		ranked[i] = (struct ranked){ items->rows[i], i };
	qsort(ranked, items->count, sizeof(*ranked), compare_ranked);
	for (size_t i = 0; i < items->count; i++) {
		const struct ocsp_item *next = &ranked[i].item;

		if (kept > 0 &&
		    serial_compare(
			&items->rows[kept - 1].serial, &next->serial) == 0)
			learn(&items->rows[kept - 1], next);
		else
			items->rows[kept++] = *next;
	}
	items->count = kept;
	free(ranked);
	return 0;
}

/* Its own certificate, where it is self-issued. */
static int
mark_root(const struct issuer_view *issuer, struct ocsp_items *items)
{
	const struct certificate_facts *facts = &issuer->facts;
	struct serial own;

	if (!facts->self_issued)
		return 0;
	if (serial_from_octets(facts->serial, facts->serial_len, &own) < 0)
		return -1;
	for (size_t i = 0; i < items->count; i++)
		if (serial_compare(&items->rows[i].serial, &own) == 0)
			items->rows[i].subject = SUBJECT_ROOT;
	return 0;
}

int
ocsp_items_collect(const struct build *build, const struct issuer_view *issuer,
    int64_t alive, struct ocsp_items *ret_items)
{
	AUTO_STRUCT(ocsp_items) items = { 0 };
	struct collecting c = { build, issuer, alive, &items };
	const struct certificate_filter filter = {
		.issuer_dn = issuer->dn,
		.alive = alive,
	};

	if (journal_each_certificate(
		build->journal, &filter, visit_certificate, &c) < 0 ||
	    add_all_planned(&c) < 0 ||
	    journal_each_issued(build->journal, issuer->dn, visit_issued, &c) <
		0 ||
	    add_all_imported(&c) < 0 ||
	    journal_each_object(
		build->journal, NULL, "certificate", visit_possible, &c) < 0 ||
	    journal_each_revocation(
		build->journal, issuer->dn, visit_revocation, &c) < 0 ||
	    add_planned_revocations(&c) < 0 || merge(&items) < 0 ||
	    mark_root(issuer, &items) < 0)
		return -1;
	*ret_items = items;
	items = (struct ocsp_items){ 0 }; /* moved out */
	return 0;
}

static int
compare_with_item(const void *key, const void *row)
{
	const struct ocsp_item *item = row;

	return serial_compare(key, &item->serial);
}

const struct ocsp_item *
ocsp_items_find(const struct ocsp_items *items, const struct serial *serial)
{
	return items->count == 0
	    ? NULL
	    : bsearch(serial, items->rows, items->count, sizeof(items->rows[0]),
		  compare_with_item);
}
