#include "orders.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const function_names[FUNCTION_COUNT] = {
#define PLAIN(name, parameters, arguments) #name,
#define OWN(name) #name,
	SHIM_FUNCTIONS(PLAIN, OWN)
#undef PLAIN
#undef OWN
};

struct name {
	const char *name;
	unsigned long value;
};

#define NAME(n)       \
	{             \
#n, n \
	}

static const struct name attribute_names[] = {
	NAME(CKA_CLASS),
	NAME(CKA_TOKEN),
	NAME(CKA_PRIVATE),
	NAME(CKA_LABEL),
	NAME(CKA_KEY_TYPE),
	NAME(CKA_ID),
	NAME(CKA_SENSITIVE),
	NAME(CKA_ENCRYPT),
	NAME(CKA_DECRYPT),
	NAME(CKA_WRAP),
	NAME(CKA_UNWRAP),
	NAME(CKA_SIGN),
	NAME(CKA_SIGN_RECOVER),
	NAME(CKA_VERIFY),
	NAME(CKA_DERIVE),
	NAME(CKA_MODULUS),
	NAME(CKA_MODULUS_BITS),
	NAME(CKA_PUBLIC_EXPONENT),
	NAME(CKA_EXTRACTABLE),
	NAME(CKA_LOCAL),
	NAME(CKA_NEVER_EXTRACTABLE),
	NAME(CKA_ALWAYS_SENSITIVE),
	NAME(CKA_KEY_GEN_MECHANISM),
	NAME(CKA_MODIFIABLE),
	NAME(CKA_COPYABLE),
	NAME(CKA_EC_PARAMS),
	NAME(CKA_EC_POINT),
	NAME(CKA_ALWAYS_AUTHENTICATE),
	NAME(CKA_VALUE),
	NAME(CKA_APPLICATION),
	NAME(CKA_OBJECT_ID),
	{ NULL, 0 },
};

static const struct name flag_names[] = {
	NAME(CKF_RNG),
	NAME(CKF_WRITE_PROTECTED),
	NAME(CKF_LOGIN_REQUIRED),
	NAME(CKF_USER_PIN_INITIALIZED),
	NAME(CKF_PROTECTED_AUTHENTICATION_PATH),
	NAME(CKF_TOKEN_INITIALIZED),
	NAME(CKF_USER_PIN_COUNT_LOW),
	NAME(CKF_USER_PIN_FINAL_TRY),
	NAME(CKF_USER_PIN_LOCKED),
	NAME(CKF_SO_PIN_COUNT_LOW),
	NAME(CKF_SO_PIN_FINAL_TRY),
	NAME(CKF_SO_PIN_LOCKED),
	{ NULL, 0 },
};

static bool
parse_number(const char *text, unsigned long *ret_number)
{
	char *end = NULL;

	if (text == NULL || *text == '\0')
		return false;
	errno = 0;
	*ret_number = strtoul(text, &end, 0);
	return errno == 0 && *end == '\0';
}

static bool
parse_name(const struct name *names, const char *text, unsigned long *ret_value)
{
	if (text == NULL)
		return false;
	for (; names->name != NULL; names++)
		if (strcmp(names->name, text) == 0) {
			*ret_value = names->value;
			return true;
		}
	return parse_number(text, ret_value);
}

static bool
parse_hex(const char *text, unsigned char *out, size_t max, size_t *ret_len)
{
	size_t len = text != NULL ? strlen(text) : 0;

	if (len == 0 || len % 2 != 0 || len / 2 > max)
		return false;
	for (size_t i = 0; i < len / 2; i++)
		if (sscanf(text + 2 * i, "%2hhx", &out[i]) != 1)
			return false;
	*ret_len = len / 2;
	return true;
}

static bool
parse_function(const char *text, struct order *order)
{
	for (int i = 0; text != NULL && i < FUNCTION_COUNT; i++)
		if (strcmp(function_names[i], text) == 0) {
			order->function = (enum function)i;
			return true;
		}
	return false;
}

static bool
parse_nth(const char *text, struct order *order)
{
	if (text == NULL || strcmp(text, "*") == 0) {
		order->nth = 0;
		return true;
	}
	return parse_number(text, &order->nth) && order->nth > 0;
}

static char *
word(char **rest)
{
	return strtok_r(NULL, " \t", rest);
}

/* FUNCTION NTH RV */
static bool
parse_fail(char **rest, struct order *order)
{
	return parse_function(word(rest), order) &&
	    parse_nth(word(rest), order) &&
	    parse_number(word(rest), &order->number);
}

/* FUNCTION [NTH] */
static bool
parse_call(char **rest, struct order *order)
{
	return parse_function(word(rest), order) &&
	    parse_nth(word(rest), order);
}

/* FUNCTION MICROSECONDS */
static bool
parse_delay(char **rest, struct order *order)
{
	return parse_function(word(rest), order) &&
	    parse_number(word(rest), &order->number);
}

/* PATH */
static bool
parse_path(char **rest, struct order *order)
{
	const char *path = word(rest);

	if (path == NULL)
		return false;
	order->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	return order->fd >= 0;
}

/* [id HEX] */
static bool
parse_id(char **rest, struct order *order)
{
	const char *text = word(rest);

	if (text == NULL)
		return true;
	return strcmp(text, "id") == 0 &&
	    parse_hex(word(rest), order->id, sizeof(order->id), &order->id_len);
}

/* ATTRIBUTE 0|1|absent [id HEX] */
static bool
parse_lie(char **rest, struct order *order)
{
	const char *value = NULL;

	if (!parse_name(attribute_names, word(rest), &order->attribute))
		return false;
	value = word(rest);
	if (value == NULL)
		return false;
	if (strcmp(value, "absent") == 0)
		order->kind = ORDER_ABSENT;
	else if (strcmp(value, "0") != 0 && strcmp(value, "1") != 0)
		return false;
	order->bytes[0] = value[0] == '1';
	order->len = 1;
	return parse_id(rest, order);
}

/* ATTRIBUTE NUMBER [id HEX] */
static bool
parse_lie_number(char **rest, struct order *order)
{
	unsigned long number = 0;

	if (!parse_name(attribute_names, word(rest), &order->attribute) ||
	    !parse_number(word(rest), &number))
		return false;
	memcpy(order->bytes, &number, sizeof(number));
	order->len = sizeof(number);
	return parse_id(rest, order);
}

/* ATTRIBUTE HEX [id HEX] */
static bool
parse_lie_bytes(char **rest, struct order *order)
{
	order->public_only = true;
	return parse_name(attribute_names, word(rest), &order->attribute) &&
	    parse_hex(
		word(rest), order->bytes, sizeof(order->bytes), &order->len) &&
	    parse_id(rest, order);
}

/* +FLAG or -FLAG */
static bool
parse_flags(char **rest, struct order *order)
{
	const char *text = word(rest);

	if (text == NULL || (text[0] != '+' && text[0] != '-'))
		return false;
	order->kind = text[0] == '+' ? ORDER_FLAGS_SET : ORDER_FLAGS_CLEAR;
	return parse_name(flag_names, text + 1, &order->number);
}

static bool
parse_pin(const char *text, char pin[ORDER_PIN_MAX])
{
	if (text == NULL || strlen(text) >= ORDER_PIN_MAX)
		return false;
	strcpy(pin, text);
	return true;
}

/* USER-PIN SO-PIN */
static bool
parse_pin_pad(char **rest, struct order *order)
{
	return parse_pin(word(rest), order->user_pin) &&
	    parse_pin(word(rest), order->so_pin);
}

static const struct {
	const char *word;
	enum order_kind kind;
	bool (*parse)(char **rest, struct order *order);
} words[] = {
	{ "fail", ORDER_FAIL, parse_fail },
	{ "fail-after", ORDER_FAIL_AFTER, parse_fail },
	{ "kill", ORDER_KILL, parse_call },
	{ "kill-after", ORDER_KILL_AFTER, parse_call },
	{ "delay", ORDER_DELAY, parse_delay },
	{ "garbage", ORDER_GARBAGE, parse_call },
	{ "constant", ORDER_CONSTANT, parse_call },
	{ "count", ORDER_COUNT, parse_path },
	{ "mark", ORDER_MARK, parse_path },
	{ "lie", ORDER_LIE, parse_lie },
	{ "lie-number", ORDER_LIE, parse_lie_number },
	{ "lie-bytes", ORDER_LIE, parse_lie_bytes },
	{ "flags", ORDER_FLAGS_SET, parse_flags },
	{ "pin-pad", ORDER_PIN_PAD, parse_pin_pad },
};

/* These two are done by one function only. */
static bool
is_sensible(const struct order *order)
{
	if (order->kind == ORDER_GARBAGE)
		return order->function == FN_C_Sign;
	if (order->kind == ORDER_CONSTANT)
		return order->function == FN_C_GenerateRandom;
	return true;
}

static bool
parse_line(char *line, struct orders *orders)
{
	char *rest = NULL;
	const char *first = strtok_r(line, " \t", &rest);
	struct order *order = &orders->list[orders->count];

	if (first == NULL || first[0] == '#')
		return true;
	if (orders->count == ORDERS_MAX)
		return false;
	memset(order, 0, sizeof(*order));
	order->fd = -1;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i].word, first) != 0)
			continue;
		order->kind = words[i].kind;
		if (!words[i].parse(&rest, order) || word(&rest) != NULL ||
		    !is_sensible(order))
			return false;
		orders->count++;
		return true;
	}
	return false;
}

bool
orders_read(const char *path, struct orders *orders)
{
	char *line = NULL;
	size_t size = 0;
	unsigned number = 0;
	bool good = true;
	FILE *file = fopen(path, "re");

	orders->count = 0;
	if (file == NULL) {
		fprintf(stderr, "shim: cannot read '%s'\n", path);
		return false;
	}
	while (good && getline(&line, &size, file) >= 0) {
		number++;
		line[strcspn(line, "\n")] = '\0';
		good = parse_line(line, orders);
	}
	if (!good)
		fprintf(stderr, "shim: %s:%u is no order\n", path, number);
	good = good && ferror(file) == 0;
	free(line);
	(void)fclose(file);
	return good;
}
