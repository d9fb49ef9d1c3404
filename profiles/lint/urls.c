/*
 * authorityInfoAccess and cRLDistributionPoints: RFC 5280, sections 4.2.2.1 and
 * 4.2.1.13; BR 7.1.2.10.3, 7.1.2.7.7, 7.1.2.11.2.  And extensions that stand in
 * no profile.
 */
#include <openssl/objects.h>

#include "profiles/lint/extensions.h"
#include "profiles/lint/octets.h"

#define METHOD_OCSP "1.3.6.1.5.5.7.48.1"
#define METHOD_CA_ISSUERS "1.3.6.1.5.5.7.48.2"

enum {
	POINT_NAME = 0xa0,
	POINT_REASONS = 0x81,
	POINT_CRL_ISSUER = 0xa2,
	NAME_FULL = 0xa0,
	NAME_RELATIVE = 0xa1,
};

/* ---- authorityInfoAccess ---------------------------------------------------- */

/* One AccessDescription. */
struct access {
	struct der contents, method, location_element, location;
};

/* `rows` stays where it is if what stands there is none. */
static bool
take_access(struct der *rows, struct access *ret_access)
{
	struct access access;
	struct der rest = *rows, body;

	if (!der_take(&rest, DER_SEQUENCE, &body, NULL))
		return false;
	access.contents = body;
	if (!der_take(&body, DER_OID, &access.method, NULL) ||
	    !der_take_any(&body, &access.location, &access.location_element) ||
	    body.len != 0)
		return false;
	*rows = rest;
	*ret_access = access;
	return true;
}

static struct der
accesses_of(const struct lint_run *run)
{
	struct der rows = { NULL, 0 };

	(void)lint_extension_sequence(
	    run->extensions, NID_info_access, NULL, &rows);
	return rows;
}

static void
aia_noncrit(struct lint_run *run)
{
	const struct lint_extension *row =
	    lint_extension(run->extensions, NID_info_access);
	struct der rows = accesses_of(run);
	struct access access;

	lint_criticality(run, NID_info_access, "authorityInfoAccess", false);
	if (row == NULL)
		return;
	if (rows.len == 0)
		lint_found(run, row->value,
		    "authorityInfoAccess is no SEQUENCE of access descriptions");
	while (take_access(&rows, &access))
		continue;
	if (rows.len != 0)
		lint_found(run, rows,
		    "authorityInfoAccess is not the SEQUENCE of RFC 5280, "
		    "section 4.2.2.1");
}

static void
aia_methods(struct lint_run *run)
{
	char text[LINT_OID_TEXT];
	struct der rows = accesses_of(run);
	struct access access;

	while (take_access(&rows, &access))
		if (!lint_oid_is(access.method, METHOD_OCSP) &&
		    !lint_oid_is(access.method, METHOD_CA_ISSUERS))
			lint_found(run, access.method,
			    "authorityInfoAccess holds the access method %s: "
			    "only ocsp and caIssuers are permitted",
			    lint_oid_text(access.method, text));
}

static void
aia_http(struct lint_run *run)
{
	struct der rows = accesses_of(run);
	struct access access;

	while (take_access(&rows, &access)) {
		const char *what = "the location of an access method";

		if (lint_oid_is(access.method, METHOD_OCSP))
			what = "the location of the OCSP service";
		if (lint_oid_is(access.method, METHOD_CA_ISSUERS))
			what = "the location of the issuer's certificate";
		lint_http_location(run, access.location_element,
		    access.location_element.p[0], access.location, what);
	}
}

/* Method and location together: contents of AccessDescription. */
static void
aia_unique(struct lint_run *run)
{
	AUTO_STRUCT(octets_list) list = { .rows = NULL };
	struct der rows = accesses_of(run), twice;
	struct access access;

	while (take_access(&rows, &access))
		if (octets_add(&list, access.contents) != 0) {
			lint_unsure(run, "out of memory");
			return;
		}
	if (octets_duplicate(&list, &twice))
		lint_found(run, twice,
		    "authorityInfoAccess has the same location twice for one "
		    "method");
}

/* ---- cRLDistributionPoints -------------------------------------------------- */

/* One DistributionPoint; what is absent has p NULL. */
struct point {
	struct der element;
	struct der full;     /* contents: GeneralNames */
	struct der relative; /* contents: RelativeDistinguishedName */
	struct der reasons, crl_issuer; /* elements */
	bool has_name;
};

static bool
take_point_name(struct der *body, struct point *point)
{
	struct der name;

	point->has_name = der_take(body, POINT_NAME, &name, NULL);
	if (!point->has_name)
		return true;
	(void)der_take(&name, NAME_FULL, &point->full, NULL);
	(void)der_take(&name, NAME_RELATIVE, &point->relative, NULL);
	return name.len == 0;
}

static bool
take_point(struct der *rows, struct point *ret_point)
{
	struct point point = { .has_name = false };
	struct der rest = *rows, body;

	if (!der_take(&rest, DER_SEQUENCE, &body, &point.element) ||
	    !take_point_name(&body, &point))
		return false;
	(void)der_take(&body, POINT_REASONS, NULL, &point.reasons);
	(void)der_take(&body, POINT_CRL_ISSUER, NULL, &point.crl_issuer);
	if (body.len != 0)
		return false;
	*rows = rest;
	*ret_point = point;
	return true;
}

static struct der
points_of(const struct lint_run *run)
{
	struct der rows = { NULL, 0 };

	(void)lint_extension_sequence(
	    run->extensions, NID_crl_distribution_points, NULL, &rows);
	return rows;
}

static void
cdp_noncrit(struct lint_run *run)
{
	lint_criticality(
	    run, NID_crl_distribution_points, "cRLDistributionPoints", false);
}

static void
cdp_one_dp(struct lint_run *run)
{
	const struct lint_extension *row =
	    lint_extension(run->extensions, NID_crl_distribution_points);
	struct der rows = points_of(run);
	struct point point;
	size_t count = 0;

	if (row == NULL)
		return;
	while (take_point(&rows, &point))
		count++;
	if (count != 1)
		lint_found(run, row->value,
		    "cRLDistributionPoints has %zu distribution points: give "
		    "it one",
		    count);
}

/* RFC 5280 lets cRLIssuer stand for the name, and the relative name be. */
static void
check_point(const struct lint_run *run, const struct point *point)
{
	if (!point->has_name && point->crl_issuer.p == NULL)
		lint_found(run, point->element,
		    "a DistributionPoint has neither distributionPoint nor "
		    "cRLIssuer");
	if (!lint_held_to(run, RULESET_CABF_TLS))
		return;
	if (!point->has_name && point->crl_issuer.p != NULL)
		lint_found(run, point->element,
		    "a DistributionPoint has no distributionPoint");
	if (point->relative.p != NULL)
		lint_found(run, point->element,
		    "a DistributionPoint has nameRelativeToCRLIssuer: use "
		    "fullName");
	else if (point->has_name && point->full.len == 0)
		lint_found(run, point->element,
		    "a DistributionPoint has no name in fullName");
}

static void
cdp_fullname(struct lint_run *run)
{
	const struct lint_extension *row =
	    lint_extension(run->extensions, NID_crl_distribution_points);
	struct der rows = points_of(run);
	struct point point;
	const bool empty = rows.len == 0;

	if (row == NULL)
		return;
	while (take_point(&rows, &point))
		check_point(run, &point);
	if (empty || rows.len != 0)
		lint_found(run, row->value,
		    "cRLDistributionPoints is not the SEQUENCE of RFC 5280, "
		    "section 4.2.1.13");
}

static void
cdp_no_reasons(struct lint_run *run)
{
	struct der rows = points_of(run);
	struct point point;

	while (take_point(&rows, &point)) {
		if (point.reasons.p != NULL)
			lint_found(run, point.reasons,
			    "a DistributionPoint has reasons: leave it out");
		if (point.crl_issuer.p != NULL)
			lint_found(run, point.crl_issuer,
			    "a DistributionPoint has cRLIssuer: leave it out");
	}
}

static void
cdp_http(struct lint_run *run)
{
	struct der rows = points_of(run), name, element;
	struct point point;

	while (take_point(&rows, &point))
		while (der_take_any(&point.full, &name, &element))
			lint_http_location(run, element, element.p[0], name,
			    "a name of a distribution point");
}

enum { NOT_SMIME_OR_CS = FOR_CA | FOR_OCSPCERT | FOR_LEAF | FOR_PRECERT };

static const struct lint lints[] = {
	{ .id = "AIA-NONCRIT", .check = aia_noncrit },
	{ .id = "AIA-METHODS", .check = aia_methods },
	{ .id = "AIA-HTTP", .check = aia_http },
	{ .id = "AIA-UNIQUE", .check = aia_unique },
	/* RFC 5280 says SHOULD. */
	{ .id = "CDP-NONCRIT",
	    .check = cdp_noncrit,
	    .rulesets = RULESET_BIT(RULESET_CABF_TLS) },
	{ .id = "CDP-ONE-DP", .check = cdp_one_dp },
	{ .id = "CDP-FULLNAME", .check = cdp_fullname },
	{ .id = "CDP-NO-REASONS", .check = cdp_no_reasons },
	{ .id = "CDP-HTTP", .check = cdp_http },
	{ .id = "FRESHEST-ABSENT", .check = ext_no_freshest_crl },
	{ .id = "SIA-ABSENT",
	    .check = ext_no_subject_info,
	    .subjects = NOT_SMIME_OR_CS },
	{ .id = "EXT-OTHER-PUBLIC", .check = ext_other_public },
};
const struct lint_table lint_urls = LINT_TABLE(lints);
