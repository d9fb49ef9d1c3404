#include "profiles/general-name.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/text.h"
#include "profiles/name.h"

enum {
	HOST_MAX = 253,
	LABEL_MAX = 63,
	LOCAL_PART_MAX = 64,
	URL_MAX = 2048,
	IP4_LEN = 4,
	IP6_LEN = 16,
};

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

static const char *const type_names[ALT_TYPES] = {
	[ALT_DNS] = "dns",
	[ALT_IP] = "ip",
	[ALT_EMAIL] = "email",
	[ALT_URI] = "uri",
};

static const int general_types[ALT_TYPES] = {
	[ALT_DNS] = GEN_DNS,
	[ALT_IP] = GEN_IPADD,
	[ALT_EMAIL] = GEN_EMAIL,
	[ALT_URI] = GEN_URI,
};

const char *
alt_type_name(enum alt_type type)
{
	return type_names[type];
}

int
alt_type_by_name(const char *name)
{
	for (int i = 0; i < ALT_TYPES; i++)
		if (strcmp(type_names[i], name) == 0)
			return i;
	return -1;
}

/* ---- what a name may be ----------------------------------------------- */

static bool
label_is_good(const char *label, size_t len)
{
	return len > 0 && len <= LABEL_MAX &&
	    strspn(label, LETTERS DIGITS "-") >= len && label[0] != '-' &&
	    label[len - 1] != '-';
}

bool
is_host_name(const char *text, size_t len)
{
	const char *end = text + len;

	if (len > HOST_MAX)
		return false;
	for (const char *label = text;; label++) {
		const char *dot = memchr(label, '.', (size_t)(end - label));
		size_t n = (size_t)((dot != NULL ? dot : end) - label);

		if (!label_is_good(label, n))
			return false;
		if (dot == NULL)
			return true;
		label = dot;
	}
}

/*
 * Does the last label have digits only?  Then it is, or is taken for, an IPv4
 * address: no top-level domain is of digits (RFC 3696, section 2).
 */
static bool
ends_in_number(const char *host, size_t len)
{
	size_t digits = 0;

	while (digits < len && strchr(DIGITS, host[len - digits - 1]) != NULL &&
	    host[len - digits - 1] != '\0')
		digits++;
	return digits > 0 && (digits == len || host[len - digits - 1] == '.');
}

/* "--" at the third place is for A-labels alone (RFC 5890, section 2.3.1). */
static bool
has_reserved_label(const char *host)
{
	for (const char *label = host; label != NULL;
	     label = strchr(label, '.')) {
		label += *label == '.';
		if (strcspn(label, ".") >= 4 &&
		    strncmp(label + 2, "--", 2) == 0 &&
		    strncasecmp(label, "xn--", 4) != 0)
			return true;
	}
	return false;
}

static const struct name_fault *
dns_fault(const char *text)
{
	static const struct name_fault syntax = { "DNS-SYNTAX",
		"is not a host name of labels of letters, digits and inner "
		"hyphens" },
				       underscore = { "DNS-NO-UNDERSCORE",
					       "has an underscore" },
				       wildcard = { "DNS-WILDCARD-FORM",
					       "has a wildcard that is not "
					       "its whole first label" },
				       reserved = { "DNS-LDH",
					       "has a label with '--' at its "
					       "third place that is no "
					       "A-label" },
				       number = { "DNS-SYNTAX",
					       "ends in a number, as an "
					       "address does: give addresses "
					       "as names of type ip" };
	const char *host = strncmp(text, "*.", 2) == 0 ? text + 2 : text;

	if (strchr(host, '*') != NULL)
		return &wildcard;
	if (strchr(host, '_') != NULL)
		return &underscore;
	if (!is_host_name(host, strlen(host)) || strlen(text) > HOST_MAX)
		return &syntax;
	if (ends_in_number(host, strlen(host)))
		return &number;
	return has_reserved_label(host) ? &reserved : NULL;
}

/* 4, 16, or 0: neither. */
static size_t
ip_parse(const char *text, unsigned char octets[IP6_LEN])
{
	if (inet_pton(AF_INET, text, octets) == 1)
		return IP4_LEN;
	return inet_pton(AF_INET6, text, octets) == 1 ? IP6_LEN : 0;
}

/* One text for one address: RFC 5952, as inet_ntop() writes it. */
static const struct name_fault *
ip_fault(const char *text)
{
	static const struct name_fault fault = { "SAN-IP",
		"is not an IPv4 or IPv6 address in its normal form (RFC "
		"5952)" };
	unsigned char octets[IP6_LEN];
	char again[INET6_ADDRSTRLEN];
	size_t len = ip_parse(text, octets);

	if (len == 0 ||
	    inet_ntop(len == IP4_LEN ? AF_INET : AF_INET6, octets, again,
		sizeof again) == NULL ||
	    strcmp(text, again) != 0)
		return &fault;
	return NULL;
}

/* RFC 5321, section 4.1.2: a Dot-string. */
static bool
local_part_is_good(const char *text, size_t len)
{
	if (len == 0 || len > LOCAL_PART_MAX || text[0] == '.' ||
	    text[len - 1] == '.')
		return false;
	for (size_t i = 1; i < len; i++)
		if (text[i] == '.' && text[i - 1] == '.')
			return false;
	return strspn(text, LETTERS DIGITS "!#$%&'*+-/=?^_`{|}~.") >= len;
}

static bool
has_high_octet(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text >= 0x80)
			return true;
	return false;
}

static const struct name_fault *
email_fault(const char *text)
{
	static const struct name_fault idn = { "NAM-IDN",
		"has letters that an rfc822Name cannot hold" },
				       form = { "SM-SAN",
					       "is not a mailbox like "
					       "name@example.com" };
	const char *at = strrchr(text, '@');

	if (has_high_octet(text))
		return &idn;
	if (at == NULL || !local_part_is_good(text, (size_t)(at - text)) ||
	    !is_host_name(at + 1, strlen(at + 1)) || has_reserved_label(at + 1))
		return &form;
	return NULL;
}

static bool
has_odd_character(const char *url)
{
	for (; *url != '\0'; url++)
		if (*url <= ' ' || *url > '~' ||
		    strchr("\"<>\\^`{|}", *url) != NULL)
			return true;
	return false;
}

static bool
has_broken_escape(const char *url)
{
	for (; (url = strchr(url, '%')) != NULL; url++)
		if (strspn(url + 1, DIGITS "ABCDEFabcdef") < 2)
			return true;
	return false;
}

/* "//" without a host behind it: RFC 5280, section 4.2.1.6, demands one. */
static bool
has_empty_authority(const char *rest)
{
	size_t len, user;

	if (strncmp(rest, "//", 2) != 0)
		return false;
	rest += 2;
	len = strcspn(rest, "/?#");
	user = strcspn(rest, "@");
	if (user < len) {
		rest += user + 1;
		len -= user + 1;
	}
	return len == 0 || *rest == ':';
}

/* RFC 5280, section 4.2.1.6: absolute, with a scheme and something behind. */
static const struct name_fault *
uri_fault(const char *text)
{
	static const struct name_fault fault = { "PROFILE-SAN",
		"is not an absolute URI (RFC 3986)" };
	size_t scheme = strspn(text, LETTERS DIGITS "+-.");

	if (scheme == 0 || strchr(LETTERS, text[0]) == NULL ||
	    text[scheme] != ':' || text[scheme + 1] == '\0' ||
	    strlen(text) > URL_MAX || has_odd_character(text) ||
	    has_broken_escape(text) || has_empty_authority(text + scheme + 1))
		return &fault;
	return NULL;
}

const struct name_fault *
alt_name_fault(const struct alt_name *name)
{
	switch (name->type) {
	case ALT_DNS:
		return dns_fault(name->value);
	case ALT_IP:
		return ip_fault(name->value);
	case ALT_EMAIL:
		return email_fault(name->value);
	case ALT_URI:
		break;
	}
	return uri_fault(name->value);
}

const char *
http_url_fault(const char *url)
{
	static const char scheme[] = "http://";
	const char *host = url + strlen(scheme);

	if (strncmp(url, scheme, strlen(scheme)) != 0)
		return "does not begin with http://";
	if (strlen(url) > URL_MAX)
		return "is longer than 2048 characters";
	if (has_odd_character(url))
		return "has a character that a URI may not have";
	if (strcspn(host, "/?#:") == 0)
		return "has no host name";
	if (strcspn(host, "@") < strcspn(host, "/") || strchr(url, '#') != NULL)
		return "has a user name or a fragment";
	return NULL;
}

/* ---- what a subtree may be -------------------------------------------- */

/* "address/bits" to address and mask, `len` octets each; false: it is none. */
static bool
range_parse(const char *text, unsigned char range[2 * IP6_LEN], size_t *ret_len)
{
	const char *slash = strchr(text, '/');
	char address[INET6_ADDRSTRLEN];
	uint64_t bits;
	size_t len;

	if (slash == NULL || (size_t)(slash - text) >= sizeof address)
		return false;
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';
	if (ip_fault(address) != NULL)
		return false;
	len = ip_parse(address, range);
	if (text_number(slash + 1, 8 * len, &bits) != 0) {
		ca_error_clear();
		return false;
	}
	for (size_t i = 0; i < len; i++) {
		size_t ones = bits > 8 * i ? bits - 8 * i : 0;

		range[len + i] =
		    (unsigned char)(ones >= 8 ? 0xff : 0xff00U >> ones);
		if ((range[i] & ~range[len + i]) != 0)
			return false; /* NC-IP-FORM: host bits are zero */
	}
	*ret_len = len;
	return true;
}

/* A host, or ".domain" for all hosts in it. */
static bool
is_domain_or_host(const char *text)
{
	text += *text == '.';
	return is_host_name(text, strlen(text)) && !has_reserved_label(text);
}

const struct name_fault *
subtree_fault(enum alt_type type, const char *text)
{
	static const struct name_fault dns = { "NC-DNS-FORM",
		"is not a host name without leading dot and wildcard" },
				       ip = { "NC-IP-FORM",
					       "is not address/bits with no "
					       "bit set behind the mask" },
				       host = { "NC-TYPES",
					       "is not a host name, or a "
					       "domain with a leading dot" };
	unsigned char range[2 * IP6_LEN];
	size_t len;

	switch (type) {
	case ALT_DNS: /* the empty one stands for all names */
		return *text == '\0' ||
			(is_host_name(text, strlen(text)) &&
			    !ends_in_number(text, strlen(text)) &&
			    !has_reserved_label(text))
		    ? NULL
		    : &dns;
	case ALT_IP:
		return range_parse(text, range, &len) ? NULL : &ip;
	case ALT_EMAIL:
		if (strchr(text, '@') != NULL)
			return email_fault(text);
		break;
	case ALT_URI:
		break;
	}
	return is_domain_or_host(text) ? NULL : &host;
}

/* ---- from text -------------------------------------------------------- */

static GENERAL_NAME *
no_memory(void)
{
	(void)ca_error(CA_R_MEMORY, "no memory for a name");
	return NULL;
}

static GENERAL_NAME *
new_octets(int type, const unsigned char *octets, size_t len)
{
	AUTO(GENERAL_NAME) *name = GENERAL_NAME_new();
	ASN1_STRING *string = ASN1_STRING_type_new(
	    type == GEN_IPADD ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING);

	if (name == NULL || string == NULL ||
	    ASN1_STRING_set(string, octets, (int)len) != 1) {
		ASN1_STRING_free(string);
		return no_memory();
	}
	GENERAL_NAME_set0_value(name, type, string); /* takes it over */
	return TAKE(name);
}

static GENERAL_NAME *
new_text(enum alt_type type, const char *text)
{
	return new_octets(
	    general_types[type], (const unsigned char *)text, strlen(text));
}

GENERAL_NAME *
general_name_new(const struct alt_name *name)
{
	unsigned char octets[IP6_LEN];
	size_t len;

	if (name->type != ALT_IP)
		return new_text(name->type, name->value);
	len = ip_parse(name->value, octets);
	return new_octets(GEN_IPADD, octets, len);
}

GENERAL_NAME *
general_name_of_subtree(enum alt_type type, const char *text)
{
	unsigned char range[2 * IP6_LEN];
	size_t len = 0;

	if (type != ALT_IP)
		return new_text(type, text);
	(void)range_parse(text, range, &len);
	return new_octets(GEN_IPADD, range, 2 * len);
}

GENERAL_NAME *
general_name_of_directory(const X509_NAME *directory)
{
	AUTO(GENERAL_NAME) *name = GENERAL_NAME_new();
	X509_NAME *copy = X509_NAME_dup(directory);

	if (name == NULL || copy == NULL) {
		X509_NAME_free(copy);
		return no_memory();
	}
	GENERAL_NAME_set0_value(name, GEN_DIRNAME, copy); /* takes it over */
	return TAKE(name);
}

int
general_names_new(
    const struct alt_name *names, size_t count, GENERAL_NAMES **ret_names)
{
	AUTO(GENERAL_NAMES) *list = GENERAL_NAMES_new();

	if (list == NULL)
		return ca_error(CA_R_MEMORY, "no memory for names");
	for (size_t i = 0; i < count; i++) {
		AUTO(GENERAL_NAME) *name = general_name_new(&names[i]);

		if (name == NULL || sk_GENERAL_NAME_push(list, name) <= 0)
			return ca_error(CA_R_MEMORY, "no memory for names");
		(void)TAKE(name); /* the list has it */
	}
	*ret_names = TAKE(list);
	return 0;
}

/* ---- to text ---------------------------------------------------------- */

static int
ip_text(const ASN1_STRING *value, char **ret_text)
{
	char text[INET6_ADDRSTRLEN];
	int len = ASN1_STRING_length(value);

	if ((len != IP4_LEN && len != IP6_LEN) ||
	    inet_ntop(len == IP4_LEN ? AF_INET : AF_INET6,
		ASN1_STRING_get0_data(value), text, sizeof text) == NULL)
		return ca_error(CA_R_INPUT,
		    "an IP address among the alternative names has %d octets, "
		    "and not 4 or 16",
		    len);
	*ret_text = text_copy(text);
	return *ret_text == NULL ? -1 : 0;
}

int
general_name_text(
    const GENERAL_NAME *name, enum alt_type *ret_type, char **ret_text)
{
	int general;
	const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &general);
	const char *data;
	size_t len;

	for (int i = 0; i < ALT_TYPES; i++) {
		if (general_types[i] != general)
			continue;
		*ret_type = (enum alt_type)i;
		if (i == ALT_IP)
			return ip_text(value, ret_text);
		data = (const char *)ASN1_STRING_get0_data(value);
		len = (size_t)ASN1_STRING_length(value);
		if (memchr(data, '\0', len) != NULL)
			return ca_error(
			    CA_R_INPUT, "an alternative name has a NUL in it");
		*ret_text = text_printf("%.*s", (int)len, data);
		return *ret_text == NULL ? -1 : 0;
	}
	return ca_error(CA_R_INPUT,
	    "an alternative name is none of dns, ip, email and uri");
}

static char *
range_describe(const ASN1_STRING *value)
{
	const unsigned char *p = ASN1_STRING_get0_data(value);
	size_t len = (size_t)ASN1_STRING_length(value) / 2, bits = 0;
	char text[INET6_ADDRSTRLEN];

	if ((len != IP4_LEN && len != IP6_LEN) ||
	    inet_ntop(len == IP4_LEN ? AF_INET : AF_INET6, p, text,
		sizeof text) == NULL)
		return text_copy("ip:?");
	while (bits < 8 * len && (p[len + bits / 8] & 0x80U >> bits % 8) != 0)
		bits++;
	return text_printf("ip:%s/%zu", text, bits);
}

char *
general_name_describe(const GENERAL_NAME *name)
{
	int type;
	const void *value = GENERAL_NAME_get0_value(name, &type);
	const ASN1_STRING *string = value;
	AUTO_CHARS(text) = NULL;

	if (type == GEN_DIRNAME)
		return name_text(value, &text) != 0
		    ? NULL
		    : text_printf("directory:%s", text);
	if (type == GEN_IPADD && ASN1_STRING_length(string) > IP6_LEN)
		return range_describe(string);
	if (type == GEN_IPADD && ASN1_STRING_length(string) == 2 * IP4_LEN)
		return range_describe(string);
	for (int i = 0; i < ALT_TYPES; i++) {
		if (general_types[i] != type)
			continue;
		if (i == ALT_IP && ip_text(string, &text) != 0)
			return NULL;
		if (i != ALT_IP)
			text = text_escape(
			    (const char *)ASN1_STRING_get0_data(string),
			    (size_t)ASN1_STRING_length(string));
		return text == NULL ? NULL
				    : text_printf("%s:%s", type_names[i], text);
	}
	return text_copy("a name of another type");
}

/* ---- within ----------------------------------------------------------- */

/* Octets of text that somebody else owns. */
struct span {
	const char *p;
	size_t len;
};

static struct span
span_of(const ASN1_STRING *string)
{
	return (struct span){ (const char *)ASN1_STRING_get0_data(string),
		(size_t)ASN1_STRING_length(string) };
}

static bool
same(struct span a, struct span b)
{
	return a.len == b.len && strncasecmp(a.p, b.p, a.len) == 0;
}

static bool
ends_with(struct span text, struct span end)
{
	return text.len >= end.len &&
	    strncasecmp(text.p + (text.len - end.len), end.p, end.len) == 0;
}

/* "www.example.com" within "example.com"; ".example.com": below it only. */
static bool
dns_within(struct span base, struct span inner)
{
	if (base.len == 0 || same(base, inner))
		return true;
	if (!ends_with(inner, base))
		return false;
	return base.p[0] == '.' || inner.p[inner.len - base.len - 1] == '.';
}

/* A host names itself; ".domain" everything below it. */
static bool
host_within(struct span base, struct span inner)
{
	if (base.len == 0 || same(base, inner))
		return true;
	return base.p[0] == '.' && ends_with(inner, base);
}

static struct span
behind(struct span text, const char *at)
{
	size_t skip = (size_t)(at - text.p) + 1;

	return (struct span){ text.p + skip, text.len - skip };
}

/* The last '@', as a local part in quotes may have others. */
static const char *
find_at(struct span text)
{
	return memrchr(text.p, '@', text.len);
}

static bool
email_within(struct span base, struct span inner)
{
	const char *base_at = find_at(base), *inner_at = find_at(inner);

	if (base_at == NULL)
		return host_within(
		    base, inner_at != NULL ? behind(inner, inner_at) : inner);
	if (inner_at == NULL || inner_at - inner.p != base_at - base.p)
		return false;
	return memcmp(base.p, inner.p, (size_t)(base_at - base.p)) == 0 &&
	    same(behind(base, base_at), behind(inner, inner_at));
}

/* The host of a URI; the whole text where it is no URI but a subtree's base. */
static struct span
uri_host(struct span uri)
{
	const char *colon = memchr(uri.p, ':', uri.len);
	struct span host;
	const char *at;

	if (colon == NULL)
		return uri;
	host = behind(uri, colon);
	if (host.len < 2 || memcmp(host.p, "//", 2) != 0)
		return (struct span){ host.p, 0 };
	host = (struct span){ host.p + 2, host.len - 2 };
	for (size_t i = 0; i < host.len; i++)
		if (strchr("/?#", host.p[i]) != NULL)
			host.len = i;
	at = find_at(host);
	host = at != NULL ? behind(host, at) : host;
	colon = memchr(host.p, ':', host.len);
	if (colon != NULL)
		host.len = (size_t)(colon - host.p);
	return host;
}

/* A URI without a host is within nothing (RFC 5280, section 4.2.1.10). */
static bool
uri_within(struct span base, struct span inner)
{
	struct span host = uri_host(inner);

	return host.len != 0 && host_within(base, host);
}

/* `inner` is an address, or address and mask. */
static bool
ip_within(const ASN1_STRING *base, const ASN1_STRING *inner)
{
	const unsigned char *b = ASN1_STRING_get0_data(base);
	const unsigned char *i = ASN1_STRING_get0_data(inner);
	int len = ASN1_STRING_length(base) / 2;
	bool range = ASN1_STRING_length(inner) == 2 * len;

	if (len == 0 || (!range && ASN1_STRING_length(inner) != len))
		return false;
	for (int n = 0; n < len; n++)
		if ((b[n] & b[len + n]) != (i[n] & b[len + n]) ||
		    (range && (b[len + n] & ~i[len + n]) != 0))
			return false;
	return true;
}

/* Its RDNs begin with those of the base. */
static bool
directory_within(const X509_NAME *base, const X509_NAME *inner)
{
	AUTO(X509_NAME) *head = X509_NAME_dup(inner);
	int count = X509_NAME_entry_count(base);

	if (head == NULL || X509_NAME_entry_count(head) < count)
		return false;
	while (X509_NAME_entry_count(head) > count)
		X509_NAME_ENTRY_free(X509_NAME_delete_entry(
		    head, X509_NAME_entry_count(head) - 1));
	return X509_NAME_cmp(head, base) == 0;
}

bool
name_is_within(const GENERAL_NAME *base, const GENERAL_NAME *inner)
{
	int base_type, inner_type;
	const void *b = GENERAL_NAME_get0_value(base, &base_type);
	const void *i = GENERAL_NAME_get0_value(inner, &inner_type);

	if (base_type != inner_type)
		return false;
	switch (base_type) {
	case GEN_DNS:
		return dns_within(span_of(b), span_of(i));
	case GEN_EMAIL:
		return email_within(span_of(b), span_of(i));
	case GEN_URI:
		return uri_within(span_of(b), span_of(i));
	case GEN_IPADD:
		return ip_within(b, i);
	case GEN_DIRNAME:
		return directory_within(b, i);
	default:
		return false;
	}
}

/* "*.example.com" stands for names that an excluded subtree may hold. */
static bool
wildcard_covers(const GENERAL_NAME *name, const GENERAL_NAME *base)
{
	int type;
	const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);
	const ASN1_STRING *other;
	struct span host;

	if (type != GEN_DNS)
		return false;
	host = span_of(value);
	if (host.len < 2 || memcmp(host.p, "*.", 2) != 0)
		return false;
	other = GENERAL_NAME_get0_value(base, &type);
	return type == GEN_DNS &&
	    dns_within(
		(struct span){ host.p + 1, host.len - 1 }, span_of(other));
}

static int
type_of(const GENERAL_NAME *name)
{
	int type;

	(void)GENERAL_NAME_get0_value(name, &type);
	return type;
}

static bool
has_type(const STACK_OF(GENERAL_SUBTREE) *list, int type)
{
	for (int i = 0; i < sk_GENERAL_SUBTREE_num(list); i++)
		if (type_of(sk_GENERAL_SUBTREE_value(list, i)->base) == type)
			return true;
	return false;
}

/*
 * RFC 5280, section 4.2.1.10: limits are on domain names, and a URI without
 * one is refused where there is a limit; "%77ww.example.com" and a dot at the
 * end would else get around what is excluded.
 */
static bool
is_uri_without_domain(const GENERAL_NAME *name)
{
	int type;
	const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);
	struct span host;

	if (type != GEN_URI)
		return false;
	host = uri_host(span_of(value));
	/* A subtree's base may be ".domain". */
	if (host.len > 0 && host.p == span_of(value).p && host.p[0] == '.')
		host = (struct span){ host.p + 1, host.len - 1 };
	return !is_host_name(host.p, host.len) ||
	    ends_in_number(host.p, host.len);
}

bool
constraints_have(const NAME_CONSTRAINTS *constraints, int type)
{
	return constraints != NULL &&
	    (has_type(constraints->permittedSubtrees, type) ||
		has_type(constraints->excludedSubtrees, type));
}

const char *
name_is_barred(const NAME_CONSTRAINTS *constraints, const GENERAL_NAME *name)
{
	bool limited = false, permitted = false;

	if (is_uri_without_domain(name) &&
	    constraints_have(constraints, GEN_URI))
		return "has no domain name to hold against the issuer's limits";
	for (int i = 0;
	     i < sk_GENERAL_SUBTREE_num(constraints->permittedSubtrees); i++) {
		const GENERAL_NAME *base =
		    sk_GENERAL_SUBTREE_value(constraints->permittedSubtrees, i)
			->base;

		limited |= type_of(base) == type_of(name);
		permitted |= name_is_within(base, name);
	}
	if (limited && !permitted)
		return "is outside of what the issuer permits";
	for (int i = 0;
	     i < sk_GENERAL_SUBTREE_num(constraints->excludedSubtrees); i++) {
		const GENERAL_NAME *base =
		    sk_GENERAL_SUBTREE_value(constraints->excludedSubtrees, i)
			->base;

		if (name_is_within(base, name) || wildcard_covers(name, base))
			return "is within what the issuer excludes";
	}
	return NULL;
}
