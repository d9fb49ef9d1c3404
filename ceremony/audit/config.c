/* authority.yaml, as it was in force: the parts that the audit needs. */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/audit/people-private.h"
#include "ceremony/authority-private.h"

void
audit_config_clear(struct audit_config *config)
{
	for (size_t i = 0; i < config->unattended_count; i++)
		free(config->unattended[i]);
	free(config->unattended);
	for (size_t i = 0; i < PROFILE_URLS; i++)
		free(config->urls[i]);
	for (size_t i = 0; i < config->linter_count; i++) {
		free(config->linters[i].name);
		free(config->linters[i].path);
		free(config->linters[i].sha256);
	}
	free(config->linters);
	free(config->blocklist);
	free(config->id);
	free(config->login);
	*config = (struct audit_config){ 0 };
}

static int
copy_urls(const struct authority_config *from, struct audit_config *config)
{
	const char *const urls[PROFILE_URLS] = {
		[URL_CRL] = from->publication.crl,
		[URL_CA_ISSUERS] = from->publication.ca_issuers,
		[URL_OCSP] = from->publication.ocsp,
	};

	for (size_t i = 0; i < PROFILE_URLS; i++) {
		if (urls[i] == NULL)
			continue;
		config->urls[i] = text_copy(urls[i]);
		if (config->urls[i] == NULL)
			return -1;
	}
	return 0;
}

static int
copy_linters(const struct authority_config *from, struct audit_config *config)
{
	config->linters =
	    calloc(from->linters_count + 1, sizeof(*config->linters));
	if (config->linters == NULL)
		return ca_error(CA_R_MEMORY, "no memory for an audit");
	for (unsigned i = 0; i < from->linters_count; i++) {
		struct audit_linter *to = &config->linters[i];

		config->linter_count++;
		to->name = text_copy(from->linters[i].name);
		to->path = text_copy(from->linters[i].path);
		to->sha256 = text_copy(from->linters[i].sha256);
		if (to->name == NULL || to->path == NULL || to->sha256 == NULL)
			return -1;
	}
	if (from->blocklist.sha256 == NULL)
		return 0;
	config->blocklist = text_copy(from->blocklist.sha256);
	return config->blocklist == NULL ? -1 : 0;
}

static int
copy_config(
    const struct authority_config *from, struct audit_config *ret_config)
{
	AUTO_STRUCT(audit_config) config = { 0 };
	enum login_kind kind;

	if (login_kind_by_name(from->login, &kind) != 0)
		return ca_error(
		    CA_R_INPUT, "'%s' is no kind of login", from->login);
	config.shares = login_has_shares(kind);
	config.id = text_copy(from->id);
	config.login = text_copy(from->login);
	config.unattended =
	    calloc(from->unattended_count + 1, sizeof(*config.unattended));
	if (config.id == NULL || config.login == NULL ||
	    config.unattended == NULL)
		return ca_error(CA_R_MEMORY, "no memory for an audit");
	for (unsigned i = 0; i < from->unattended_count; i++) {
		config.unattended[i] = text_copy(from->unattended[i]);
		if (config.unattended[i] == NULL)
			return -1;
		config.unattended_count++;
	}
	if (copy_urls(from, &config) != 0 || copy_linters(from, &config) != 0)
		return -1;
	*ret_config = config;
	config = (struct audit_config){ 0 };
	return 0;
}

/* The first finding becomes the error. */
static int
malformed(const struct findings *findings)
{
	if (ca_error_exit_status() != CA_EXIT_REFUSED)
		return -1;
	ca_error_clear();
	return ca_error(CA_R_INPUT, "authority.yaml cannot be read: %s",
	    findings->count == 0 ? "" : findings->rows[0].text);
}

int
audit_config_read(
    struct audit *audit, const char *sha256, struct audit_config *ret_config)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(yaml) *doc = NULL;
	AUTO_BYTES(data) = NULL;
	void *value = NULL;
	size_t len = 0;
	int rc;

	if (audit_evidence_bytes(audit, sha256, &data, &len) != 0)
		return -1;
	if (data == NULL)
		return ca_error(CA_R_MISSING,
		    "authority.yaml with SHA-256 %s is not among the evidence",
		    sha256);
	if (yaml_load("authority.yaml", data, len, &authority_schema, &findings,
		&doc, &value) != 0)
		return malformed(&findings);
	rc = copy_config(value, ret_config);
	yaml_value_free(&authority_schema, value);
	return rc;
}

int
audit_config_in_force(
    struct audit *audit, bool *ret_found, struct audit_config *ret_config)
{
	AUTO_STRUCT(authority_row) row = { 0 };

	*ret_found = false;
	if (journal_authority(audit->journal, &row) != 0)
		return -1;
	if (row.config_sha256 == NULL)
		return 0;
	if (audit_config_read(audit, row.config_sha256, ret_config) == 0) {
		*ret_found = true;
		return 0;
	}
	if (ca_error_exit_status() != CA_EXIT_REFUSED)
		return -1;
	ca_error_clear();
	return 0;
}

bool
audit_config_unattended(const struct audit_config *config, const char *kind)
{
	for (size_t i = 0; i < config->unattended_count; i++)
		if (strcmp(config->unattended[i], kind) == 0)
			return may_run_unattended(kind);
	return false;
}
