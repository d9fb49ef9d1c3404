/*
 * certificates: one for each request of a directory or a bundle, under one
 * profile.  Each request is judged by itself; one that is refused refuses the
 * plan, or, with `on-refusal: continue`, is left out and reported.
 */
#include <string.h>

#include <openssl/err.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/steps/certificate-private.h"
#include "ceremony/steps/index.h"

/* Of NAME in NAME-FILE: something is left for the file. */
enum { BASE_NAME_MAX = 48 };

static const char begin_mark[] = "-----BEGIN ";
static const char end_mark[] = "-----END ";

static int
inputs(const struct step *step, const struct input_visitor *visitor)
{
	const struct certificates_params *p = step->params;

	if (visitor->need(visitor->ctx, INPUT_PROFILE, p->profile,
		step_place(step, "profile")) < 0)
		return -1;
	return visitor->need_bulk(
	    visitor->ctx, p->requests, step_place(step, "requests"));
}

static bool
goes_on(const struct certificates_params *p)
{
	return p->on_refusal != NULL && strcmp(p->on_refusal, "continue") == 0;
}

/* What the plan gives is the same for all: said once, not for each request. */
static void
check_subject(
    struct build *build, const struct step *step, const struct profile *profile)
{
	const struct certificates_params *p = step->params;
	struct name_value values[SUBJECT_ATTRIBUTES];
	const size_t count = subject_values(&p->subject, values);
	struct profile_attribute row;

	for (size_t i = 0; profile_attribute(profile, i, &row); i++) {
		bool given = row.from_csr || !row.required;

		for (size_t k = 0; k < count && !given; k++)
			given = strcmp(values[k].attribute, row.name) == 0;
		if (!given)
			step_finding(build, step, "subject", "PROFILE-SUBJECT",
			    NULL,
			    "profile '%s' needs the attribute %s in the "
			    "subject; it is the same for all: 'subject: {%s: "
			    "...}'",
			    p->profile, row.name, row.name);
	}
}

static int
check(struct build *build, const struct step *step)
{
	const struct certificates_params *p = step->params;
	const struct profile *profile = NULL;
	int64_t validity;

	if (!text_is_name(p->name) || strlen(p->name) > BASE_NAME_MAX)
		step_name_finding(build, step, "name", p->name, BASE_NAME_MAX);
	if (p->on_refusal != NULL && strcmp(p->on_refusal, "stop") != 0 &&
	    !goes_on(p))
		step_finding(build, step, "on-refusal", "ON-REFUSAL", NULL,
		    "this is neither 'stop' nor 'continue'");
	build_duration(build, step, "validity", p->validity, &validity);
	if (build_profile(
		build, step, p->profile, PROFILE_END_ENTITY, &profile) < 0)
		return -1;
	if (profile != NULL && !profile_needs_csr(profile))
		step_finding(build, step, "profile", "CERTIFICATES-NAMES", NULL,
		    "profile '%s' takes no name from the request, so all "
		    "certificates would have the same; use one that does, or "
		    "an 'end-entity' step for each",
		    p->profile);
	if (profile != NULL)
		check_subject(build, step, profile);
	return 0;
}

static int
describe(const struct step *step, char **ret_text)
{
	const struct certificates_params *p = step->params;

	return step_text(ret_text,
	    "make a certificate for each request in '%s', named '%s-...', "
	    "profile '%s', signed by '%s'; %s",
	    p->requests, p->name, p->profile, p->issuer,
	    goes_on(p) ? "a request that is refused is left out, and reported"
		       : "if one request is refused, nothing is signed");
}

/* ---- requests --------------------------------------------------------- */

/* One request of the step. */
struct request {
	const unsigned char *data;
	size_t len;
	char *name;  /* of its certificate */
	char *place; /* "requests/www.csr"; both may hold anything */
};

static void
request_clear(struct request *request)
{
	free(request->name);
	free(request->place);
	*request = (struct request){ 0 };
}
CLEANUP_DEFINE_STRUCT(request);

/* The step while it goes through its requests. */
struct batch {
	struct build *build;
	const struct step *step;
	const struct certificates_params *params;
	const struct profile *profile;
	struct issuer_view issuer;
	size_t seen, left_out;
	size_t total; /* requests, as far as that shows from outside */
	size_t first; /* the build's objects before this step */
};

static void
batch_clear(struct batch *batch)
{
	issuer_view_clear(&batch->issuer);
}
CLEANUP_DEFINE_STRUCT(batch);

/* "www" of "www.csr": the endings that requests have. */
static size_t
stem_length(const char *name)
{
	static const char *const endings[] = { ".csr", ".req", ".p10", ".pem",
		".der" };
	const size_t len = strlen(name);

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		size_t end = strlen(endings[i]);

		if (len > end && strcmp(name + len - end, endings[i]) == 0)
			return len - end;
	}
	return len;
}

/* ---- one request ------------------------------------------------------ */

/*
 * A resumed run goes on with the requests that its list had, in their order:
 * one that was left out then stays out.
 */
static bool
was_left_out(const struct build *build, const char *name)
{
	const size_t next = build->object_count;

	if (build->earlier_count == 0)
		return false;
	return next >= build->earlier_count ||
	    (build->earlier[next].name != NULL &&
		strcmp(build->earlier[next].name, name) != 0);
}

/* One key, two requests: whose it is nobody can say. */
static int
check_same_key(const struct batch *b, const struct making *m)
{
	AUTO_CHARS(hash) = sha256_hex(m->spki, m->spki_len);
	const struct indexed *row = NULL;

	if (hash == NULL || index_find(b->build, INDEX_SPKI, hash, &row) < 0)
		return -1;
	for (; row != NULL; row = row->same)
		if (row->object >= b->first) {
			step_finding(b->build, b->step, "requests",
			    "CERTIFICATES-SAME-KEY",
			    "RFC 5280, section 4.2.1.2",
			    "the request is for the same key as that of '%s'; "
			    "each certificate needs a key of its own",
			    b->build->objects[row->object].name);
			return 0;
		}
	return 0;
}

static int
read_request(const struct request *request, struct making *m)
{
	if (csr_read(request->place, request->data, request->len,
		m->build->findings, &m->csr) < 0) {
		if (ca_error_exit_status() != CA_EXIT_REFUSED)
			return -1;
		ca_error_clear(); /* the findings say it */
		return 0;
	}
	m->has_csr = true;
	m->spki = m->csr.spki;
	m->spki_len = m->csr.spki_len;
	return 0;
}

/* The parameters of an end-entity step for this request. */
static struct certificate_params
params_of(const struct batch *b, const struct request *request)
{
	return (struct certificate_params){
		.name = request->name,
		.issuer = b->params->issuer,
		.profile = b->params->profile,
		.validity = b->params->validity,
		.csr = request->place,
		.subject = b->params->subject,
	};
}

/* With the build's findings set aside: those of this request alone. */
static int
make_one(struct batch *b, const struct request *request)
{
	const struct certificate_params params = params_of(b, request);
	AUTO_STRUCT(making)
	m = { .build = b->build, .step = b->step, .params = &params };
	const size_t errors = b->build->findings->errors;
	int rc;

	if (build_check_name(b->build, b->step, request->name) < 0 ||
	    read_request(request, &m) < 0)
		return -1;
	if (m.spki != NULL && check_same_key(b, &m) < 0)
		return -1;
	if (b->build->findings->errors > errors)
		return 0;
	m.profile = b->profile;
	m.issuer = b->issuer; /* lent */
	rc = certificate_make(&m);
	m.issuer = (struct issuer_view){ 0 };
	return rc;
}

/* ---- those that are refused ------------------------------------------- */

/* Words for a request that is judged in a list of findings of its own. */
static void
pass_on(struct findings *findings, const struct findings *own,
    const struct request *request, bool continues)
{
	for (size_t i = 0; i < own->count; i++) {
		const struct finding *row = &own->rows[i];

		/* Notices stand in the details of the certificate. */
		if (row->severity == FINDING_NOTICE)
			continue;
		findings_pass(findings, row,
		    continues ? FINDING_WARNING : row->severity, request->place,
		    continues && row->severity == FINDING_ERROR
			? "the request is left out: "
			: "");
	}
}

static int
report_left_out(
    struct batch *b, const struct request *request, const struct findings *own)
{
	AUTO_CHARS(place) = text_escape(request->place, strlen(request->place));
	AUTO_CHARS(name) = text_escape(request->name, strlen(request->name));
	json_t *rows;

	if (place == NULL || name == NULL)
		return -1;
	rows = findings_to_json(own, 0);
	if (rows == NULL)
		return -1;
	if (b->build->left_out == NULL)
		b->build->left_out = json_array();
	if (json_array_append_new(b->build->left_out,
		json_pack("{s:I, s:s, s:s, s:o}", "step",
		    (json_int_t)b->step->index + 1, "request", place, "name",
		    name, "findings", rows)) != 0)
		return ca_error(CA_R_MEMORY, "no memory for a report");
	b->left_out++;
	return 0;
}

/* An object that its lint refuses was added all the same. */
static void
drop_objects(struct build *build, size_t count)
{
	while (build->object_count > count)
		built_object_clear(&build->objects[--build->object_count]);
}

static int
judge(struct batch *b, const struct request *request, size_t before,
    const struct findings *own)
{
	if (own->errors == 0) {
		pass_on(b->build->findings, own, request, false);
		return 0;
	}
	drop_objects(b->build, before);
	pass_on(b->build->findings, own, request, goes_on(b->params));
	return goes_on(b->params) ? report_left_out(b, request, own) : 0;
}

/* Of a resumed run: what was listed cannot be left out any more. */
static int
judge_again(struct batch *b, const struct request *request, bool out,
    size_t before, struct findings *own)
{
	const bool listed = b->build->earlier_count > 0 && !out;

	if (out && own->errors == 0)
		findings_add(own, FINDING_ERROR, "CERTIFICATES-LEFT-OUT",
		    request->place, NULL,
		    "the request was refused when the run was listed, and "
		    "stays so; give it to another plan");
	if (!listed || own->errors == 0)
		return judge(b, request, before, own);
	drop_objects(b->build, before);
	pass_on(b->build->findings, own, request, false);
	return 0;
}

static int
take_request(struct batch *b, const struct request *request)
{
	AUTO_STRUCT(findings) own = { 0 };
	struct findings *all = b->build->findings;
	const size_t before = b->build->object_count;
	const bool out = was_left_out(b->build, request->name);
	int rc = 0;

	if (b->seen < b->total &&
	    build_look(b->build, "requests", b->seen, b->total) < 0)
		return -1;
	b->seen++;
	b->build->findings = &own;
	if (!out)
		rc = make_one(b, request);
	b->build->findings = all;
	return rc < 0 ? -1 : judge_again(b, request, out, before, &own);
}

/* ---- bundles ---------------------------------------------------------- */

static int
take_file(struct batch *b, const struct bundle_file *file)
{
	AUTO_STRUCT(request)
	request = { .data = file->data, .len = file->len };
	AUTO_CHARS(name) = bundle_file_name(file);

	if (name == NULL)
		return -1;
	request.place = text_printf("%s/%s", b->params->requests, name);
	request.name = text_printf(
	    "%s-%.*s", b->params->name, (int)stem_length(name), name);
	return request.place == NULL || request.name == NULL
	    ? -1
	    : take_request(b, &request);
}

static int
take_numbered(struct batch *b, const unsigned char *data, size_t len)
{
	AUTO_STRUCT(request) request = { .data = data, .len = len };

	request.place =
	    text_printf("%s, request %zu", b->params->requests, b->seen + 1);
	request.name = text_printf("%s-%zu", b->params->name, b->seen + 1);
	return request.place == NULL || request.name == NULL
	    ? -1
	    : take_request(b, &request);
}

/* The length of the line at `text`, with its newline. */
static size_t
line_length(const char *text, size_t rest)
{
	const char *end = memchr(text, '\n', rest);

	return end == NULL ? rest : (size_t)(end - text) + 1;
}

static bool
begins(const char *line, size_t len, const char *mark)
{
	return len >= strlen(mark) && memcmp(line, mark, strlen(mark)) == 0;
}

static bool
is_blank(const char *line, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (strchr(" \t\r\n", line[i]) == NULL || line[i] == '\0')
			return false;
	return true;
}

static void
bundle_finding(const struct batch *b, size_t line, const char *text)
{
	findings_add(b->build->findings, FINDING_ERROR, "CERTIFICATES-BUNDLE",
	    step_place(b->step, "requests"), "RFC 7468", "line %zu of '%s' %s",
	    line, b->params->requests, text);
}

/* One PEM block behind the other, and nothing but blanks between them. */
static int
take_blocks(struct batch *b, const unsigned char *data, size_t len)
{
	const char *text = (const char *)data;
	size_t start = 0, first = 0, line = 1;
	bool inside = false;

	for (size_t at = 0, n; at < len; at += n, line++) {
		n = line_length(text + at, len - at);
		if (!inside && begins(text + at, n, begin_mark)) {
			inside = true;
			start = at;
			first = line;
		} else if (inside && begins(text + at, n, end_mark)) {
			inside = false;
			if (take_numbered(b, data + start, at + n - start) < 0)
				return -1;
		} else if (!inside && !is_blank(text + at, n)) {
			bundle_finding(b, line,
			    "is outside of the requests; a bundle holds "
			    "nothing else");
			return 0;
		}
	}
	if (inside)
		bundle_finding(b, first, "begins a request that does not end");
	return 0;
}

/* A file that the plan names itself: PEM blocks, or one request in DER. */
static int
take_bundle(struct batch *b, const struct bundle_file *file)
{
	return file->len > 0 && file->data[0] == 0x30
	    ? take_numbered(b, file->data, file->len)
	    : take_blocks(b, file->data, file->len);
}

static size_t
count_blocks(const struct bundle_file *file)
{
	const char *text = (const char *)file->data;
	size_t count = 0;

	for (size_t at = 0, n; at < file->len; at += n) {
		n = line_length(text + at, file->len - at);
		count += begins(text + at, n, begin_mark);
	}
	return count;
}

/* For those who wait; what is malformed is said when it is taken. */
static void
count_requests(struct batch *b, const struct input *input)
{
	struct bundle_file file;
	bool found = true;
	size_t at = 0;

	(void)ERR_set_mark();
	while (bundle_next(input, &at, &found, &file) == 0 && found)
		b->total += file.name == NULL ? count_blocks(&file) : 1;
	(void)ERR_pop_to_mark();
}

static int
take_all(struct batch *b, const struct input *input)
{
	struct bundle_file file;
	bool found = true;
	size_t at = 0;

	count_requests(b, input);
	while (found) {
		if (bundle_next(input, &at, &found, &file) < 0)
			return build_error_to_finding(
			    b->build, b->step, "requests", "INPUT");
		if (found &&
		    (file.name == NULL ? take_bundle(b, &file)
				       : take_file(b, &file)) < 0)
			return -1;
	}
	return 0;
}

/* ---- the step --------------------------------------------------------- */

static void
check_some(const struct batch *b)
{
	if (b->seen == 0)
		step_finding(b->build, b->step, "requests", "CERTIFICATES-NONE",
		    NULL, "there is no request in '%s'", b->params->requests);
	else if (b->left_out == b->seen)
		step_finding(b->build, b->step, "requests", "CERTIFICATES-NONE",
		    NULL,
		    "every request in '%s' is refused, so there is nothing to "
		    "sign",
		    b->params->requests);
	else if (b->left_out > 0)
		findings_add(b->build->findings, FINDING_WARNING,
		    "CERTIFICATES-LEFT-OUT", step_place(b->step, "requests"),
		    NULL, "%zu of %zu requests in '%s' are left out",
		    b->left_out, b->seen, b->params->requests);
}

static int
build(struct build *build, const struct step *step)
{
	AUTO_STRUCT(batch)
	b = {
		.build = build,
		.step = step,
		.params = step->params,
		.first = build->object_count,
	};
	const struct input *input =
	    inputs_find(build->inputs, INPUT_BULK, b.params->requests);

	if (build_profile(build, step, b.params->profile, PROFILE_END_ENTITY,
		&b.profile) < 0 ||
	    build_issuer(build, step, "issuer", b.params->issuer, ISSUER_ISSUES,
		&b.issuer) < 0)
		return -1;
	if (b.profile == NULL || !b.issuer.found || input == NULL)
		return 0; /* findings say what is missing */
	if (take_all(&b, input) < 0)
		return -1;
	check_some(&b);
	return 0;
}

const struct step_kind step_certificates = {
	.name = "certificates",
	.params_offset = offsetof(struct step_params, certificates),
	.output = "certificate",
	.inputs = inputs,
	.check = check,
	.describe = describe,
	.build = build,
};
