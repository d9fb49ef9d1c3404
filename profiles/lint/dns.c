#include "profiles/lint/dns.h"

#include <fcntl.h>
#include <idn2.h>
#include <libpsl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <openssl/evp.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

/* ---- the list ---------------------------------------------------------- */

enum { LIST_MAX = 16 << 20, DIGEST_LEN = 32 };

/* Loaded once, and never changed or freed after that. */
static struct {
	pthread_once_t once;
	const psl_ctx_t *psl;            /* NULL: there is none */
	char sha256[2 * DIGEST_LEN + 1]; /* empty: libpsl's built-in list */
	time_t time;
} list = { .once = PTHREAD_ONCE_INIT };

/* The octets that are hashed are those that are used. */
static const psl_ctx_t *
load_file(const char *name)
{
	AUTO_BYTES(data) = NULL;
	AUTO(FILE) *f = NULL; /* closed before what it reads is freed */
	unsigned char digest[DIGEST_LEN];
	struct stat st;
	const psl_ctx_t *psl;
	size_t len;

	if (name == NULL || stat(name, &st) != 0 ||
	    file_read_at(AT_FDCWD, name, LIST_MAX, &data, &len) != 0 ||
	    len == 0 || sha256(data, len, digest) != 0 ||
	    (f = fmemopen(data, len, "r")) == NULL)
		return NULL;
	psl = psl_load_fp(f);
	if (psl == NULL)
		return NULL;
	text_hex_into(digest, sizeof digest, list.sha256);
	list.time = st.st_mtime;
	return psl;
}

/*
 * The distribution's file is the one that its updates keep fresh.  A list that
 * does not know com is no list.
 */
static void
load_list(void)
{
	list.psl = load_file(psl_dist_filename());
	if (list.psl == NULL) {
		list.sha256[0] = '\0';
		list.psl = psl_builtin();
		list.time = psl_builtin_file_time();
	}
	ca_error_clear();
	if (list.psl != NULL &&
	    psl_is_public_suffix2(
		list.psl, "com", PSL_TYPE_ICANN | PSL_TYPE_NO_STAR_RULE) != 1)
		list.psl = NULL;
}

static const psl_ctx_t *
the_list(void)
{
	return pthread_once(&list.once, load_list) == 0 ? list.psl : NULL;
}

int
dns_data_version(char **ret_text)
{
	char date[sizeof "YYYY-MM-DD"];
	struct tm tm;
	char *text;

	if (the_list() == NULL)
		return ca_error(CA_R_INTERNAL,
		    "there is no public suffix list; install the package "
		    "publicsuffix");
	if (gmtime_r(&list.time, &tm) == NULL ||
	    strftime(date, sizeof date, "%Y-%m-%d", &tm) == 0)
		return ca_error(CA_R_INTERNAL,
		    "the public suffix list's date cannot be told");
	text = text_printf("public suffix list of %s, %s %s; libpsl %s; "
			   "libidn2 %s",
	    date, list.sha256[0] != '\0' ? "sha256" : "built in, sha1",
	    list.sha256[0] != '\0' ? list.sha256 : psl_builtin_sha1sum(),
	    psl_get_version(), idn2_check_version(NULL));
	if (text == NULL)
		return -1;
	*ret_text = text;
	return 0;
}

/*
 * Is this a suffix that the list itself names, in its ICANN section?  Its
 * default rule, by which whatever stands last is a suffix, does not count: it
 * would let every invented top-level domain pass.
 */
static bool
is_suffix(const psl_ctx_t *psl, const char *name)
{
	return psl_is_public_suffix2(
		   psl, name, PSL_TYPE_ICANN | PSL_TYPE_NO_STAR_RULE) == 1;
}

/* ---- a name, lower case, its labels ------------------------------------ */

struct name {
	char text[DNS_NAME_MAX + 1];
	const char *base; /* behind "*.", or text */
};

static unsigned char
lower(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned char)(c - 'A' + 'a') : c;
}

/* False for what is no text that could be a name; the syntax says why. */
static bool
read_name(struct der der, struct name *ret_name)
{
	if (der.len == 0 || der.len > DNS_NAME_MAX)
		return false;
	for (size_t i = 0; i < der.len; i++) {
		if (der.p[i] == '\0' || der.p[i] > 0x7e)
			return false;
		ret_name->text[i] = (char)lower(der.p[i]);
	}
	ret_name->text[der.len] = '\0';
	ret_name->base =
	    ret_name->text + (strncmp(ret_name->text, "*.", 2) == 0 ? 2 : 0);
	return true;
}

/* Walk the labels: the next one, and its length; NULL behind the last. */
static const char *
next_label(const char **rest, size_t *ret_len)
{
	const char *label = *rest;

	if (label == NULL)
		return NULL;
	*ret_len = strcspn(label, ".");
	*rest = label[*ret_len] == '.' ? label + *ret_len + 1 : NULL;
	return label;
}

static const char *
last_label(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot != NULL ? dot + 1 : name;
}

/* ---- syntax ------------------------------------------------------------ */

static bool
is_alnum(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9');
}

/* One octet; those that have a fault of their own have an aspect too. */
static enum dns_fault
octet_fault(unsigned char c)
{
	if (c == '\0')
		return DNS_NUL;
	if (c > 0x7f)
		return DNS_NOT_ASCII;
	if (c == ' ' || (c >= '\t' && c <= '\r'))
		return DNS_BLANK;
	if (c == '_')
		return DNS_UNDERSCORE;
	if (c == '?')
		return DNS_REDACTED;
	return is_alnum(c) || c == '-' || c == '.' ? DNS_FINE
						   : DNS_BAD_CHARACTER;
}

static enum dns_fault
label_fault(const unsigned char *label, size_t len)
{
	if (len == 0)
		return DNS_EMPTY_LABEL;
	if (len > DNS_LABEL_MAX)
		return DNS_LABEL_TOO_LONG;
	return label[0] == '-' || label[len - 1] == '-' ? DNS_HYPHEN_AT_END
							: DNS_FINE;
}

static enum dns_fault
labels_fault(struct der name)
{
	size_t start = 0;

	for (size_t i = 0; i <= name.len; i++) {
		enum dns_fault fault;

		if (i < name.len && name.p[i] != '.')
			continue;
		fault = label_fault(name.p + start, i - start);
		if (fault != DNS_FINE)
			return fault;
		start = i + 1;
	}
	return DNS_FINE;
}

static enum dns_fault
syntax_fault(struct der name)
{
	if (name.len == 0)
		return DNS_EMPTY;
	if (name.len > DNS_NAME_MAX)
		return DNS_TOO_LONG;
	if (name.len > 2 && name.p[0] == '*' && name.p[1] == '.')
		name = (struct der){ name.p + 2, name.len - 2 };
	for (size_t i = 0; i < name.len; i++) {
		enum dns_fault fault = octet_fault(name.p[i]);

		if (fault != DNS_FINE)
			return fault;
	}
	if (name.p[0] == '.')
		return DNS_LEADING_DOT;
	if (name.p[name.len - 1] == '.')
		return DNS_TRAILING_DOT;
	return labels_fault(name);
}

/* ---- labels ------------------------------------------------------------ */

/*
 * idn2_register_u8 decodes the A-label, holds the U-label against the rules of
 * IDNA2008 and demands that it encodes to the same A-label again.
 */
static enum dns_fault
alabel_fault(const char *label, size_t len)
{
	unsigned char text[DNS_LABEL_MAX + 1];
	unsigned char *out = NULL;
	int rc;

	memcpy(text, label, len);
	text[len] = '\0';
	rc = idn2_register_u8(NULL, text, &out, 0);
	idn2_free(out);
	switch (rc) {
	case IDN2_OK:
		return DNS_FINE;
	case IDN2_MALLOC:
		return DNS_UNDECIDED;
	case IDN2_PUNYCODE_BAD_INPUT:
	case IDN2_PUNYCODE_BIG_OUTPUT:
	case IDN2_PUNYCODE_OVERFLOW:
	case IDN2_ENCODING_ERROR:
	case IDN2_INVALID_ALABEL:
	case IDN2_UALABEL_MISMATCH:
	case IDN2_ALABEL_ROUNDTRIP_FAILED:
		return DNS_BAD_PUNYCODE;
	default:
		return DNS_NOT_IDNA;
	}
}

static enum dns_fault
ldh_fault(const struct name *name)
{
	const char *rest = name->base, *label;
	size_t len;

	while ((label = next_label(&rest, &len)) != NULL) {
		enum dns_fault fault;

		if (len < 4 || len > DNS_LABEL_MAX || label[2] != '-' ||
		    label[3] != '-')
			continue;
		if (strncmp(label, "xn", 2) != 0)
			return DNS_RESERVED_LABEL;
		fault = alabel_fault(label, len);
		if (fault != DNS_FINE)
			return fault;
	}
	return DNS_FINE;
}

static enum dns_fault
wildcard_form_fault(const struct name *name)
{
	if (strchr(name->text, '*') == NULL)
		return DNS_FINE;
	return name->base == name->text || name->base[0] == '\0' ||
		strchr(name->base, '*') != NULL
	    ? DNS_WILDCARD_PLACE
	    : DNS_FINE;
}

static enum dns_fault
no_wildcard_fault(const struct name *name)
{
	return strchr(name->text, '*') != NULL ? DNS_WILDCARD : DNS_FINE;
}

static enum dns_fault
underscore_fault(const struct name *name)
{
	return strchr(name->text, '_') != NULL ? DNS_UNDERSCORE : DNS_FINE;
}

static enum dns_fault
redacted_fault(const struct name *name)
{
	return strchr(name->text, '?') != NULL ? DNS_REDACTED : DNS_FINE;
}

/* ---- suffixes ---------------------------------------------------------- */

static enum dns_fault
wildcard_suffix_fault(const struct name *name)
{
	const psl_ctx_t *psl = the_list();

	if (name->base == name->text)
		return DNS_FINE;
	if (psl == NULL)
		return DNS_UNDECIDED;
	return is_suffix(psl, name->base) ? DNS_WILDCARD_ON_SUFFIX : DNS_FINE;
}

static enum dns_fault
not_suffix_fault(const struct name *name)
{
	const psl_ctx_t *psl = the_list();

	if (psl == NULL)
		return DNS_UNDECIDED;
	return name->base == name->text && is_suffix(psl, name->text)
	    ? DNS_BARE_SUFFIX
	    : DNS_FINE;
}

/*
 * The list names every delegated top-level domain; where it names only what
 * stands below one ("*.ck"), libpsl counts the domain itself too.
 */
static enum dns_fault
tld_fault(const struct name *name)
{
	const psl_ctx_t *psl = the_list();

	if (psl == NULL)
		return DNS_UNDECIDED;
	if (!is_suffix(psl, last_label(name->base)))
		return strchr(name->base, '.') == NULL ? DNS_SINGLE_LABEL
						       : DNS_UNKNOWN_TLD;
	return strchr(name->base, '.') == NULL && name->base == name->text
	    ? DNS_SINGLE_LABEL
	    : DNS_FINE;
}

/* ---- .onion and .arpa -------------------------------------------------- */

enum {
	ONION_LABEL = 56,
	ONION_OCTETS = 35, /* public key, checksum, version */
	ONION_KEY = 32,
	ONION_CHECKSUM = 2,
	ONION_VERSION = 3,
	BASE32_BITS = 5,
};

/* RFC 4648, section 6, lower case, 56 characters. */
static bool
base32(const char *text, unsigned char ret_octets[ONION_OCTETS])
{
	static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
	unsigned buffer = 0, bits = 0;
	size_t n = 0;

	for (size_t i = 0; i < ONION_LABEL; i++) {
		const char *at = memchr(alphabet, text[i], 32);

		if (at == NULL)
			return false;
		buffer =
		    (buffer << BASE32_BITS | (unsigned)(at - alphabet)) & 0xfff;
		bits += BASE32_BITS;
		if (bits >= 8) {
			bits -= 8;
			ret_octets[n++] = (unsigned char)(buffer >> bits);
		}
	}
	return n == ONION_OCTETS;
}

/* The first two octets of SHA3-256(".onion checksum", key, version). */
static enum dns_fault
onion_checksum_fault(const unsigned char octets[ONION_OCTETS])
{
	static const char label[] = ".onion checksum";
	const size_t label_len = sizeof label - 1;
	unsigned char in[sizeof label - 1 + ONION_KEY + 1];
	unsigned char digest[EVP_MAX_MD_SIZE];

	memcpy(in, label, label_len);
	memcpy(in + label_len, octets, ONION_KEY);
	in[label_len + ONION_KEY] = ONION_VERSION;
	if (EVP_Digest(in, sizeof in, digest, NULL, EVP_sha3_256(), NULL) != 1)
		return DNS_UNDECIDED;
	return memcmp(digest, octets + ONION_KEY, ONION_CHECKSUM) == 0
	    ? DNS_FINE
	    : DNS_ONION_CHECKSUM;
}

static bool
ends_with(const char *name, const char *suffix)
{
	size_t len = strlen(name), n = strlen(suffix);

	return len >= n && strcmp(name + len - n, suffix) == 0 &&
	    (len == n || name[len - n - 1] == '.');
}

/* The label left of .onion is the address; more may stand left of it. */
static enum dns_fault
onion_fault(const struct name *name)
{
	const size_t tail = strlen(".onion");
	unsigned char octets[ONION_OCTETS];
	const char *label;
	size_t len = strlen(name->base);

	if (!ends_with(name->base, "onion"))
		return DNS_FINE;
	if (len < ONION_LABEL + tail)
		return DNS_ONION_VERSION;
	label = name->base + len - tail - ONION_LABEL;
	if ((label != name->base && label[-1] != '.') ||
	    !base32(label, octets) || octets[ONION_OCTETS - 1] != ONION_VERSION)
		return DNS_ONION_VERSION;
	return onion_checksum_fault(octets);
}

static enum dns_fault
arpa_fault(const struct name *name)
{
	if (ends_with(name->base, "in-addr.arpa") ||
	    ends_with(name->base, "ip6.arpa"))
		return DNS_REVERSE_ZONE;
	return ends_with(name->base, "arpa") ? DNS_ARPA : DNS_FINE;
}

/* ---- all together ------------------------------------------------------ */

static const struct {
	unsigned aspect;
	enum dns_fault (*check)(const struct name *name);
} aspects_of_name[] = {
	{ DNS_ASPECT_LDH, ldh_fault },
	{ DNS_ASPECT_UNDERSCORE, underscore_fault },
	{ DNS_ASPECT_REDACTED, redacted_fault },
	{ DNS_ASPECT_WILDCARD_FORM, wildcard_form_fault },
	{ DNS_ASPECT_NO_WILDCARD, no_wildcard_fault },
	{ DNS_ASPECT_WILDCARD_SUFFIX, wildcard_suffix_fault },
	{ DNS_ASPECT_NOT_SUFFIX, not_suffix_fault },
	{ DNS_ASPECT_TLD, tld_fault },
	{ DNS_ASPECT_ONION, onion_fault },
	{ DNS_ASPECT_ARPA, arpa_fault },
};

enum dns_fault
dns_check(struct der der, unsigned aspects)
{
	enum dns_fault fault = DNS_FINE;
	struct name name;

	if ((aspects & DNS_ASPECT_SYNTAX) != 0)
		fault = syntax_fault(der);
	if (fault != DNS_FINE || !read_name(der, &name))
		return fault;
	for (size_t i = 0; fault == DNS_FINE &&
	     i < sizeof aspects_of_name / sizeof *aspects_of_name;
	     i++)
		if ((aspects & aspects_of_name[i].aspect) != 0)
			fault = aspects_of_name[i].check(&name);
	return fault;
}

const char *
dns_fault_text(enum dns_fault fault)
{
	static const char *const texts[DNS_FAULT_COUNT] = {
		[DNS_FINE] = "is fine",
		[DNS_EMPTY] = "is empty",
		[DNS_TOO_LONG] = "has more than 253 octets",
		[DNS_NUL] = "has a NUL in it",
		[DNS_NOT_ASCII] = "has octets beyond ASCII; write "
				  "internationalized labels as A-labels",
		[DNS_BLANK] = "has a blank in it",
		[DNS_LEADING_DOT] = "begins with a dot",
		[DNS_TRAILING_DOT] = "ends in a dot",
		[DNS_EMPTY_LABEL] = "has an empty label",
		[DNS_LABEL_TOO_LONG] = "has a label of more than 63 octets",
		[DNS_HYPHEN_AT_END] =
		    "has a label that begins or ends with a hyphen",
		[DNS_BAD_CHARACTER] =
		    "has a character that is no letter, digit or hyphen",
		[DNS_RESERVED_LABEL] = "has a label with hyphens at its third "
				       "and fourth place that is no A-label",
		[DNS_BAD_PUNYCODE] = "has a label that begins with xn-- but is "
				     "not Punycode that decodes and encodes "
				     "to itself",
		[DNS_NOT_IDNA] =
		    "has a label that decodes to what IDNA2008 forbids",
		[DNS_UNDERSCORE] = "has an underscore in it",
		[DNS_REDACTED] = "has a redacted label, a question mark",
		[DNS_WILDCARD_PLACE] = "has an asterisk that is not the whole "
				       "left-most label before a domain name",
		[DNS_WILDCARD] = "has an asterisk in it",
		[DNS_WILDCARD_ON_SUFFIX] =
		    "has its asterisk directly left of a public suffix",
		[DNS_BARE_SUFFIX] = "is itself a public suffix",
		[DNS_SINGLE_LABEL] =
		    "is a single label; nobody can own an internal name",
		[DNS_UNKNOWN_TLD] = "does not end in a top-level domain that "
				    "the public suffix list knows",
		[DNS_ONION_VERSION] = "is not under a version 3 onion address "
				      "of 56 base32 characters",
		[DNS_ONION_CHECKSUM] =
		    "is under an onion address whose checksum is wrong",
		[DNS_REVERSE_ZONE] = "lies in a reverse zone of IP addresses",
		[DNS_ARPA] = "lies under arpa, which is for infrastructure",
		[DNS_UNDECIDED] = "could not be looked up",
	};

	return texts[fault];
}

bool
dns_is_under(struct der name, struct der base)
{
	size_t skip;

	if (base.len == 0)
		return true;
	if (name.len < base.len)
		return false;
	skip = name.len - base.len;
	for (size_t i = 0; i < base.len; i++)
		if (lower(name.p[skip + i]) != lower(base.p[i]))
			return false;
	return skip == 0 || name.p[skip - 1] == '.';
}
