/* Certificates as a list: a directory of files, or PEM blocks in one. */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/steps/import.h"

#define PEM_BEGIN "-----BEGIN "
#define PEM_END "-----END CERTIFICATE-----"

struct cert_reading {
	struct import *import;
	size_t number;    /* of the certificate, from 1 */
	const char *name; /* of its file, escaped */
};

int
certificate_is_issued_by(
    X509 *certificate, const X509 *issuer, const char **ret_why)
{
	const unsigned char *name, *wanted;
	size_t len, wanted_len;
	EVP_PKEY *key = X509_get0_pubkey(issuer);

	if (key == NULL ||
	    X509_NAME_get0_der(
		X509_get_issuer_name(certificate), &name, &len) != 1 ||
	    X509_NAME_get0_der(
		X509_get_subject_name(issuer), &wanted, &wanted_len) != 1)
		return ca_error(CA_R_INTERNAL, "cannot read a certificate");
	*ret_why = NULL;
	if (len != wanted_len || memcmp(name, wanted, len) != 0)
		*ret_why = "it is another issuer's: the names are not equal, "
			   "octet for octet";
	else if (X509_verify(certificate, key) != 1)
		*ret_why = "its signature does not verify with the issuer's "
			   "key";
	ca_error_clear();
	return 0;
}

static int
add_certificate(
    struct cert_reading *r, const char *place, const X509 *certificate)
{
	struct import *import = r->import;
	AUTO_STRUCT(certificate_facts) facts = { 0 };
	AUTO_DER(der) = NULL;
	struct listed row = {
		.date = import->build->now,
		.reason = import->reason,
		.has_sha256 = import->issued,
		.line = r->number,
	};
	int len = i2d_X509(certificate, &der);

	if (len <= 0)
		return ca_error(CA_R_INTERNAL, "cannot encode a certificate");
	if (certificate_facts(certificate, &facts) < 0)
		return fault_take_error(&import->faults, place, "CERTIFICATE");
	if (serial_from_octets(facts.serial, facts.serial_len, &row.serial) < 0)
		return fault_take_error(&import->faults, place, "SERIAL-FORM");
	if (import->issued && sha256(der, (size_t)len, row.sha256) < 0)
		return -1;
	row.expires = facts.not_after;
	row.ca = facts.is_ca ? 1 : 0;
	if (!import->issued && facts.not_before > import->build->now) {
		fault_add(&import->faults, place, "CRL-ENTRY-DATE",
		    "RFC 5280, section 5.1.2.6",
		    "the certificate is not valid yet");
		return 0;
	}
	return listing_add(&import->listing, &row);
}

/* One certificate, which must be of the issuer. */
static int
read_certificate(struct cert_reading *r, const unsigned char *data, size_t len)
{
	struct import *import = r->import;
	AUTO(X509) *certificate = NULL;
	AUTO_CHARS(place) = NULL;
	const char *why = NULL;

	r->number++;
	place = text_printf("%s, certificate %zu", r->name, r->number);
	if (place == NULL)
		return -1;
	if (certificate_read(r->name, data, len, &certificate) < 0)
		return fault_take_error(&import->faults, place, "CERTIFICATE");
	if (certificate_is_issued_by(
		certificate, import->issuer->certificate, &why) < 0)
		return -1;
	if (why != NULL)
		fault_add(&import->faults, place, "CERTIFICATE-ISSUER",
		    "RFC 5280, section 6.1.3", "%s", why);
	return import->faults.count > 0
	    ? 0
	    : add_certificate(r, place, certificate);
}

static bool
is_blank(const unsigned char *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (memchr(" \t\r\n", data[i], 4) == NULL)
			return false;
	return true;
}

/* PEM blocks, one behind the other; or one certificate in DER. */
static int
read_file(struct cert_reading *r, const unsigned char *data, size_t len)
{
	while (len > 0) {
		const unsigned char *end =
		    memmem(data, len, PEM_END, strlen(PEM_END));
		size_t part =
		    end == NULL ? len : (size_t)(end - data) + strlen(PEM_END);

		/* Looked for in the part alone: the whole is walked once. */
		if (memmem(data, part, PEM_BEGIN, strlen(PEM_BEGIN)) == NULL)
			break;
		if (part < len && data[part] == '\r')
			part++;
		if (part < len && data[part] == '\n')
			part++;
		if (read_certificate(r, data, part) < 0)
			return -1;
		data += part;
		len -= part;
		if (is_blank(data, len))
			return 0;
	}
	return read_certificate(r, data, len);
}

int
import_certificates(struct import *import)
{
	size_t at = 0, number = 0;

	for (;;) {
		struct bundle_file file = { 0 };
		AUTO_CHARS(name) = NULL;
		struct cert_reading r = { .import = import };
		bool found = false;

		if (bundle_next(import->input, &at, &found, &file) < 0)
			return fault_take_error(&import->faults,
			    import->params->file, "IMPORT-BUNDLE");
		if (!found)
			break;
		name = file.name == NULL
		    ? text_copy(import->params->file)
		    : text_printf("%s/%.*s", import->params->file,
			  (int)file.name_len, file.name);
		if (name == NULL)
			return -1;
		r.name = name;
		r.number = number;
		if (read_file(&r, file.data, file.len) < 0)
			return -1;
		number = r.number;
		if (at != SIZE_MAX)
			input_pass(import->input, at);
	}
	return 0;
}
