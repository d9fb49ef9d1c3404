/* SCTs in certificates, and precertificates: RFC 6962, BR 7.1.2.9. */
#include <string.h>

#include "profiles/lint/leaf-private.h"
#include "profiles/lint/subscriber.h"

static const struct der nowhere = { NULL, 0 };

static bool
same(struct der a, struct der b)
{
	return der_equal(a, b.p, b.len);
}

/* ---- signed certificate timestamps ------------------------------------- */

enum {
	SCT_VERSION = 1,
	LOG_ID = 32,
	SCT_TIME = 8,
	SCT_HEADER = SCT_VERSION + LOG_ID + SCT_TIME,
	SCT_ALGORITHM = 2,
	SCT_MAX = 32, /* more are refused: a list is compared pair by pair */
};

/* A vector with a length of two octets; RFC 6962 is in TLS' language. */
static bool
take_vector(struct der *in, struct der *ret_vector)
{
	size_t len;

	if (in->len < 2)
		return false;
	len = (size_t)in->p[0] << 8 | in->p[1];
	if (in->len - 2 < len)
		return false;
	*ret_vector = (struct der){ in->p + 2, len };
	in->p += 2 + len;
	in->len -= 2 + len;
	return true;
}

static bool
is_sct(struct der sct)
{
	struct der rest, vector;

	if (sct.len < SCT_HEADER || sct.p[0] != 0)
		return false;
	rest = (struct der){ sct.p + SCT_HEADER, sct.len - SCT_HEADER };
	if (!take_vector(&rest, &vector) || rest.len < SCT_ALGORITHM)
		return false;
	rest.p += SCT_ALGORITHM;
	rest.len -= SCT_ALGORITHM;
	return take_vector(&rest, &vector) && rest.len == 0 && vector.len > 0;
}

/* How many, -1 where the list is malformed; and from how many logs. */
static int
count_scts(struct der value, int *ret_logs)
{
	struct der list, scts, sct, seen[SCT_MAX];
	int count = 0, logs = 0;

	if (!der_take(&value, DER_OCTET_STRING, &list, NULL) ||
	    value.len != 0 || !take_vector(&list, &scts) || list.len != 0)
		return -1;
	while (scts.len > 0) {
		int i = 0;

		if (count == SCT_MAX || !take_vector(&scts, &sct) ||
		    !is_sct(sct))
			return -1;
		count++;
		while (i < logs &&
		    memcmp(seen[i].p, sct.p + SCT_VERSION, LOG_ID) != 0)
			i++;
		if (i == logs)
			seen[logs++] =
			    (struct der){ sct.p + SCT_VERSION, LOG_ID };
	}
	*ret_logs = logs;
	return count;
}

/* The clients' count: two, and three for more than 180 days. */
void
precert_check_scts(struct lint_run *run)
{
	const struct lint_extension *extension =
	    lint_extension(run->extensions, NID_ct_precert_scts);
	int wanted = validity_days(run->certificate) > 180 ? 3 : 2;
	int count, logs = 0;

	if (extension == NULL)
		return;
	if (extension->critical)
		lint_found(run, extension->element, "the SCT list is critical");
	count = count_scts(extension->value, &logs);
	if (count < 0)
		lint_found(run, extension->element,
		    "the SCT list is not a list of SCTs of version 1");
	else if (count == 0)
		lint_found(run, extension->element, "the SCT list is empty");
	else if (logs < wanted)
		lint_found(run, extension->element,
		    "the SCT list has SCTs of %d logs; clients want %d for "
		    "this validity",
		    logs, wanted);
}

/* ---- precertificates --------------------------------------------------- */

void
precert_check_poison(struct lint_run *run)
{
	static const unsigned char null[] = { DER_NULL, 0 };
	const struct lint_extension *poison =
	    lint_extension(run->extensions, NID_ct_precert_poison);

	if (poison == NULL) {
		lint_found(run, nowhere,
		    "a precertificate has no poison extension "
		    "(1.3.6.1.4.1.11129.2.4.3)");
		return;
	}
	if (!poison->critical)
		lint_found(run, poison->element,
		    "the poison extension is not critical");
	if (!der_equal(poison->value, null, sizeof null))
		lint_found(run, poison->element,
		    "the poison extension's value is not a NULL (05 00)");
	if (lint_extension(run->extensions, NID_ct_precert_scts) != NULL)
		lint_found(run, where_is(run, NID_ct_precert_scts),
		    "a precertificate has an SCT list");
}

static bool
is_precert(const struct lint_certificate *certificate)
{
	return lint_extension(
		   &certificate->extensions, NID_ct_precert_poison) != NULL;
}

/* The next extension but those that set the two apart. */
static const struct lint_extension *
next_common(const struct lint_extensions *extensions, size_t *i)
{
	while (*i < extensions->count) {
		const struct lint_extension *row = &extensions->rows[(*i)++];

		if (row->nid != NID_ct_precert_poison &&
		    row->nid != NID_ct_precert_scts)
			return row;
	}
	return NULL;
}

/* What stands before the extensions, or the whole where there are none. */
static struct der
before_extensions(const struct lint_certificate *certificate)
{
	enum { CONTEXT_3 = 0xa3 };
	struct der tbs = certificate->tbs, body, content, element;

	if (!der_take(&tbs, DER_SEQUENCE, &body, NULL))
		return certificate->tbs;
	tbs = body;
	while (body.len > 0 && !der_next_is(&body, CONTEXT_3))
		if (!der_take_any(&body, &content, &element))
			break;
	return (struct der){ tbs.p, (size_t)(body.p - tbs.p) };
}

/*
 * RFC 6962, section 3.2: the same tbsCertificate but for the poison in one and
 * the SCT list in the other.  `existing` is the other of the two.
 */
void
precert_check_match(struct lint_run *run)
{
	const struct lint_certificate *one = run->certificate,
				      *other = run->existing;
	const struct lint_extension *a, *b;
	size_t i = 0, j = 0;

	if (is_precert(one) == is_precert(other)) {
		lint_found(run, nowhere,
		    "of this certificate and the existing one, one must be "
		    "the precertificate of the other");
		return;
	}
	if (!same(before_extensions(one), before_extensions(other)))
		lint_found(run, one->tbs,
		    "the certificate and its precertificate differ before "
		    "their extensions (serial number, algorithm, names, dates "
		    "or key)");
	do {
		a = next_common(&one->extensions, &i);
		b = next_common(&other->extensions, &j);
		if (a == NULL && b == NULL)
			return;
	} while (a != NULL && b != NULL && same(a->element, b->element));
	lint_found(run, a != NULL ? a->element : one->tbs,
	    "the certificate and its precertificate differ in their "
	    "extensions or in the order of these");
}

/* BR 7.1.2.4: no precertificate-signing CAs any more. */
void
precert_check_direct(struct lint_run *run)
{
	const EXTENDED_KEY_USAGE *purposes = run->issuer->values.purposes;
	char buf[OID_TEXT_SIZE];

	for (int i = 0; purposes != NULL && i < sk_ASN1_OBJECT_num(purposes);
	     i++)
		if (strcmp(oid_text(sk_ASN1_OBJECT_value(purposes, i), buf),
			OID_PRECERT_SIGNING) == 0)
			lint_found(run, nowhere,
			    "the issuer is a precertificate-signing CA; the "
			    "issuing CA itself must sign");
}
