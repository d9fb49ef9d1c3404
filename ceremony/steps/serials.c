/* Serial numbers and dates as people and files write them. */
#include <ctype.h>
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "ceremony/steps/revocations.h"

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* What was given, safe and short enough for a message; malloc'd. */
static int
refuse_serial(const char *text, size_t len, const char *why)
{
	AUTO_CHARS(shown) = text_escape(text, len > 64 ? 64 : len);

	return ca_error(CA_R_INPUT, "'%s%s' %s", shown == NULL ? "" : shown,
	    len > 64 ? "..." : "", why);
}

#define TOO_LARGE                                                           \
	"is no serial number of a certificate: it is not below 2^159 (RFC " \
	"5280, section 4.1.2.2)"

/* Octets without zeros in front; the INTEGER stays positive. */
static bool
set_octets(const unsigned char *octets, size_t len, struct serial *ret_serial)
{
	size_t pad;

	while (len > 0 && octets[0] == 0) {
		octets++;
		len--;
	}
	pad = len > 0 && (octets[0] & 0x80) != 0 ? 1 : 0;
	if (len + pad > SERIAL_LEN)
		return false;
	*ret_serial = (struct serial){ .len = (unsigned char)(len + pad) };
	memcpy(ret_serial->octets + pad, octets, len);
	return true;
}

int
serial_from_hex(const char *text, size_t len, struct serial *ret_serial)
{
	unsigned char octets[SERIAL_LEN] = { 0 };
	struct serial serial;
	size_t skip = 0, digits;

	for (size_t i = 0; i < len; i++)
		if (hex_digit(text[i]) < 0)
			return refuse_serial(text, len,
			    "is not a serial number in hex digits alone");
	while (skip < len && text[skip] == '0')
		skip++;
	digits = len - skip;
	if (len == 0)
		return refuse_serial(text, len, "is no serial number");
	if (digits == 0)
		return refuse_serial(
		    text, len, "is zero, and zero is no serial number");
	if (digits > (size_t)2 * SERIAL_LEN)
		return refuse_serial(text, len, TOO_LARGE);
	for (size_t i = 0; i < digits; i++) {
		/* the last digit is the low half of the last octet */
		size_t from_end = digits - 1 - i;
		int value = hex_digit(text[skip + i]);

		octets[SERIAL_LEN - 1 - from_end / 2] |=
		    (unsigned char)(from_end % 2 == 0 ? value : value << 4);
	}
	if (!set_octets(octets, sizeof(octets), &serial))
		return refuse_serial(text, len, TOO_LARGE);
	*ret_serial = serial;
	return 0;
}

int
serial_from_decimal(const char *text, size_t len, struct serial *ret_serial)
{
	unsigned char octets[SERIAL_LEN] = { 0 };
	struct serial serial;

	if (len == 0)
		return refuse_serial(text, len, "is no serial number");
	for (size_t i = 0; i < len; i++) {
		unsigned carry;

		if (text[i] < '0' || text[i] > '9')
			return refuse_serial(text, len,
			    "is not a serial number in decimal digits alone");
		carry = (unsigned)(text[i] - '0');
		for (size_t k = sizeof(octets); k-- > 0;) {
			carry += 10U * octets[k];
			octets[k] = (unsigned char)(carry & 0xff);
			carry >>= 8;
		}
		if (carry != 0)
			return refuse_serial(text, len, TOO_LARGE);
	}
	if (!set_octets(octets, sizeof(octets), &serial))
		return refuse_serial(text, len, TOO_LARGE);
	if (serial.len == 0)
		return refuse_serial(
		    text, len, "is zero, and zero is no serial number");
	*ret_serial = serial;
	return 0;
}

int
serial_from_octets(
    const unsigned char *octets, size_t len, struct serial *ret_serial)
{
	struct serial serial;

	if (len == 0 || (octets[0] & 0x80) != 0)
		return ca_error(CA_R_INPUT,
		    "a serial number is not positive (RFC 5280, section "
		    "4.1.2.2)");
	if (!set_octets(octets, len, &serial))
		return ca_error(CA_R_INPUT,
		    "a serial number is not below 2^159 (RFC 5280, section "
		    "4.1.2.2)");
	if (serial.len == 0)
		return ca_error(
		    CA_R_INPUT, "a serial number is zero, which is none");
	*ret_serial = serial;
	return 0;
}

void
serial_hex(const struct serial *serial, char ret_text[SERIAL_HEX_SIZE])
{
	text_hex_into(serial->octets, serial->len, ret_text);
}

/* They are minimal and positive: the longer is the larger. */
int
serial_compare(const struct serial *a, const struct serial *b)
{
	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	return memcmp(a->octets, b->octets, a->len);
}

int
asn1_date_parse(const char *text, size_t len, int64_t *ret_date)
{
	const size_t year = len == 15 ? 4 : 2;
	const char *century = "";
	char date[DATE_TEXT_SIZE];
	const char *rest = text + year;

	if (len != 13 && len != 15)
		return refuse_serial(
		    text, len, "is not a date like 261120120000Z");
	for (size_t i = 0; i + 1 < len; i++)
		if (isdigit((unsigned char)text[i]) == 0)
			return refuse_serial(
			    text, len, "is not a date like 261120120000Z");
	if (text[len - 1] != 'Z')
		return refuse_serial(
		    text, len, "is not a date like 261120120000Z");
	if (year == 2)
		century = text[0] >= '5' ? "19" : "20";
	(void)snprintf(date, sizeof(date), "%s%.*s-%.2s-%.2sT%.2s:%.2s:%.2sZ",
	    century, (int)year, text, rest, rest + 2, rest + 4, rest + 6,
	    rest + 8);
	return date_parse(date, ret_date);
}
