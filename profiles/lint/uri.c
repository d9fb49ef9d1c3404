#include "profiles/lint/uri.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum {
	LABEL_MAX = 63,
	NAME_MAX_LEN = 253,
	PORT_MAX = 65535,
	ASCII_END = 0x80,
};

/* RFC 3986, section 2.3 and 2.2, beside letters and digits. */
#define UNRESERVED "-._~"
#define SUB_DELIMS "!$&'()*+,;="

/* isalnum() and its like of the C locale, for octets that may be beyond it. */
static bool
is_alnum(unsigned char c)
{
	return c < ASCII_END && isalnum(c) != 0;
}

static bool
is_among(unsigned char c, const char *set)
{
	return c != '\0' && c < ASCII_END && strchr(set, c) != NULL;
}

/* Letters, digits, those of `extra`, and percent encodings where `percent`. */
static bool
consists_of(struct der part, const char *extra, bool percent)
{
	for (size_t i = 0; i < part.len; i++) {
		unsigned char c = part.p[i];

		if (is_alnum(c) || is_among(c, extra))
			continue;
		if (!percent || c != '%' || part.len - i < 3 ||
		    isxdigit(part.p[i + 1]) == 0 ||
		    isxdigit(part.p[i + 2]) == 0)
			return false;
		i += 2;
	}
	return true;
}

/*
 * What stands before the first octet of `ends`, off the front of `in`; all of
 * it where none of them is there.
 */
static struct der
take_until(struct der *in, const char *ends)
{
	struct der part = { in->p, 0 };

	while (part.len < in->len && !is_among(in->p[part.len], ends))
		part.len++;
	in->p += part.len;
	in->len -= part.len;
	return part;
}

static bool
take_text(struct der *in, const char *text)
{
	const size_t len = strlen(text);

	if (in->len < len || memcmp(in->p, text, len) != 0)
		return false;
	in->p += len;
	in->len -= len;
	return true;
}

/* RFC 3986, section 3.2.2; whether an address in brackets is one is not asked. */
static bool
take_host(struct der *in, struct der *ret_host)
{
	struct der host;

	if (in->len > 0 && in->p[0] == '[') {
		host = take_until(in, "]");
		if (!take_text(in, "]"))
			return false;
		host.len++;
		*ret_host = host;
		return consists_of((struct der){ host.p + 1, host.len - 2 },
		    UNRESERVED SUB_DELIMS ":", false);
	}
	host = take_until(in, ":");
	*ret_host = host;
	return host.len > 0 && consists_of(host, UNRESERVED SUB_DELIMS, true);
}

static bool
take_port(struct der *in, struct der *ret_port)
{
	if (!take_text(in, ":"))
		return in->len == 0;
	*ret_port = *in;
	for (size_t i = 0; i < in->len; i++)
		if (in->p[i] < '0' || in->p[i] > '9')
			return false;
	return true;
}

static bool
parse_authority(struct der in, struct uri *uri)
{
	struct der rest = in;
	struct der userinfo = take_until(&rest, "@");

	if (take_text(&rest, "@")) {
		uri->userinfo = userinfo;
		in = rest;
		if (!consists_of(userinfo, UNRESERVED SUB_DELIMS ":", true))
			return false;
	}
	return take_host(&in, &uri->host) && take_port(&in, &uri->port);
}

static bool
parse_scheme(struct der *in, struct uri *uri)
{
	uri->scheme = take_until(in, ":/?#");
	return uri->scheme.len > 0 && is_alnum(uri->scheme.p[0]) &&
	    isdigit(uri->scheme.p[0]) == 0 &&
	    consists_of(uri->scheme, "+-.", false) && take_text(in, "://");
}

bool
uri_parse(struct der text, struct uri *ret_uri)
{
	struct uri uri = { .scheme = { NULL, 0 } };
	struct der in = text;

	if (!parse_scheme(&in, &uri) ||
	    !parse_authority(take_until(&in, "/?#"), &uri))
		return false;
	uri.path = take_until(&in, "?#");
	if (take_text(&in, "?"))
		uri.query = take_until(&in, "#");
	if (take_text(&in, "#"))
		uri.fragment = in;
	if (!consists_of(uri.path, UNRESERVED SUB_DELIMS ":@/", true) ||
	    !consists_of(uri.query, UNRESERVED SUB_DELIMS ":@/?", true) ||
	    !consists_of(uri.fragment, UNRESERVED SUB_DELIMS ":@/?", true))
		return false;
	*ret_uri = uri;
	return true;
}

static bool
is_label(struct der label)
{
	return label.len > 0 && label.len <= LABEL_MAX && label.p[0] != '-' &&
	    label.p[label.len - 1] != '-' && consists_of(label, "-", false);
}

bool
uri_is_ldh_name(struct der name, size_t labels)
{
	struct der in = name;
	size_t count = 0;

	if (name.len == 0 || name.len > NAME_MAX_LEN)
		return false;
	do {
		if (!is_label(take_until(&in, ".")))
			return false;
		count++;
	} while (take_text(&in, "."));
	return count >= labels;
}

static bool
is_scheme(struct der scheme, const char *text)
{
	return scheme.len == strlen(text) &&
	    strncasecmp((const char *)scheme.p, text, scheme.len) == 0;
}

/* In brackets, or with a last label of digits: RFC 3986, section 3.2.2. */
static bool
is_address(struct der host)
{
	size_t i = host.len;

	if (host.p[0] == '[')
		return true;
	while (i > 0 && host.p[i - 1] >= '0' && host.p[i - 1] <= '9')
		i--;
	return i < host.len && (i == 0 || host.p[i - 1] == '.');
}

/* An empty port, "http://host:/", is the default one: as good as none. */
static bool
is_port(struct der port)
{
	unsigned long number = 0;

	for (size_t i = 0; i < port.len && number <= PORT_MAX; i++)
		number = number * 10 + (unsigned long)(port.p[i] - '0');
	return port.len == 0 || (number > 0 && number <= PORT_MAX);
}

static const char *
http_fault(const struct uri *uri, bool https)
{
	if (!is_scheme(uri->scheme, "http") &&
	    !(https && is_scheme(uri->scheme, "https")))
		return https ? "has another scheme than http or https"
			     : "has another scheme than http";
	if (uri->userinfo.p != NULL)
		return "holds user information";
	if (uri->fragment.p != NULL)
		return "holds a fragment, which is never sent to a server";
	if (is_address(uri->host))
		return "names its host by an address instead of a domain name";
	if (!uri_is_ldh_name(uri->host, 2))
		return "names a host that is no fully qualified domain name";
	if (!is_port(uri->port))
		return "names a port outside of 1 to 65535";
	return NULL;
}

bool
uri_parse_http(
    struct der text, bool https, struct uri *ret_uri, const char **ret_fault)
{
	struct uri uri;
	const char *fault;

	if (!uri_parse(text, &uri))
		fault = "is no absolute URI with a host (RFC 3986, section 3)";
	else
		fault = http_fault(&uri, https);
	if (fault != NULL) {
		*ret_fault = fault;
		return false;
	}
	if (ret_uri != NULL)
		*ret_uri = uri;
	return true;
}
