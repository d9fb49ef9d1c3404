#include <limits.h>

#include "pkcs11/data.h"
#include "support.h"

#define LABEL "ca-tool journal head"

/* What a token shows, sorted by nothing: counted and remembered. */
struct shown {
	unsigned count;
	size_t len;
	unsigned char bytes[DATA_MAX_BYTES];
};

static int
remember(void *ctx, const unsigned char *bytes, size_t len)
{
	struct shown *shown = ctx;

	CHECK(len <= sizeof(shown->bytes));
	shown->count++;
	shown->len = len;
	memcpy(shown->bytes, bytes, len);
	return 0;
}

static struct shown
shown_by(struct token *token)
{
	struct shown shown = { 0 };

	CHECK(data_each(token, LABEL, remember, &shown) == 0);
	return shown;
}

static struct token *
logged_in(struct module *module, const char *label)
{
	AUTO_STRUCT(secret) pin = secret_of(USER_PIN);
	struct token *token = make_token(module, label);

	CHECK(token_login(token, &pin) == 0);
	return token;
}

TEST(written_replaced_and_read_after_login)
{
	AUTO_STRUCT(secret) pin = secret_of(USER_PIN);
	struct module *module = open_embedded(dir);
	struct token *token = logged_in(module, "ca");
	struct shown shown;

	CHECK(shown_by(token).count == 0);
	CHECK(data_write(token, LABEL, "one", 3) == 0);
	CHECK(data_write(token, LABEL, "two\0more", 8) == 0);
	CHECK(shown_by(token).count == 2);
	CHECK(data_keep_only(token, LABEL, "two\0more", 8) == 0);
	shown = shown_by(token);
	CHECK(shown.count == 1 && shown.len == 8);
	CHECK(memcmp(shown.bytes, "two\0more", 8) == 0);
	token_logout(token);
	CHECK_ERROR(data_each(token, LABEL, remember, &shown), CA_R_INTERNAL,
	    "nobody is logged in");
	CHECK_ERROR(data_write(token, LABEL, "x", 1), CA_R_INTERNAL,
	    "nobody is logged in");
	CHECK_ERROR(data_keep_only(token, LABEL, "x", 1), CA_R_INTERNAL,
	    "nobody is logged in");
	CHECK(token_login(token, &pin) == 0);
	CHECK(shown_by(token).count == 1);
	token_free(token);
	module_free(module);
}

TEST(sizes)
{
	static unsigned char bytes[DATA_MAX_BYTES + 1];
	struct module *module = open_embedded(dir);
	struct token *token = logged_in(module, "ca");

	memset(bytes, 'x', sizeof(bytes));
	CHECK(data_write(token, LABEL, bytes, DATA_MAX_BYTES) == 0);
	CHECK(shown_by(token).len == DATA_MAX_BYTES);
	CHECK_ERROR(
	    data_write(token, LABEL, bytes, 0), CA_R_INTERNAL, "0 octets");
	CHECK_ERROR(data_write(token, LABEL, bytes, sizeof(bytes)),
	    CA_R_INTERNAL, "4097 octets");
	CHECK(shown_by(token).count == 1);
	token_free(token);
	module_free(module);
}

static void
create_raw(
    struct token *token, const char *label, CK_BBOOL private, const char *value)
{
	struct template template = { .count = 0 };
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_OBJECT_HANDLE object = 0;

	template_add(&template, CKA_CLASS, &class, sizeof(class));
	template_add_bool(&template, CKA_TOKEN, true);
	template_add_bool(&template, CKA_PRIVATE, private);
	template_add(&template, CKA_LABEL, label, strlen(label));
	template_add(&template, CKA_VALUE, value, strlen(value));
	CHECK(token->module->raw->C_CreateObject(token->session, template.rows,
		  template.count, &object) == CKR_OK);
}

TEST(others_are_left_alone)
{
	struct module *module = open_embedded(dir);
	struct token *token = logged_in(module, "ca");
	struct handles found = { 0 };

	create_raw(token, LABEL, CK_FALSE, "public");
	create_raw(token, LABEL " 2", CK_TRUE, "another label");
	CHECK(shown_by(token).count == 0);
	CHECK(data_write(token, LABEL, "mine", 4) == 0);
	CHECK(data_keep_only(token, LABEL, "mine", 4) == 0);
	CHECK(shown_by(token).count == 1);
	CHECK(raw_find_class(token, CKO_DATA, 0, NULL, 0, &found) == 0);
	CHECK(found.count == 3);
	handles_clear(&found);
	/* Nor is a key taken for one, whatever it is called. */
	CHECK(data_keep_only(token, LABEL " 2", "x", 1) == 0);
	CHECK(shown_by(token).count == 1);
	token_free(token);
	module_free(module);
}

static int
stop(void *ctx, const unsigned char *bytes, size_t len)
{
	(void)bytes;
	(void)len;
	(*(unsigned *)ctx)++;
	return ca_error(CA_R_STATE, "stop");
}

TEST(visitor_stops)
{
	struct module *module = open_embedded(dir);
	struct token *token = logged_in(module, "ca");
	unsigned count = 0;

	CHECK(data_write(token, LABEL, "one", 3) == 0);
	CHECK(data_write(token, LABEL, "two", 3) == 0);
	CHECK_ERROR(data_each(token, LABEL, stop, &count), CA_R_STATE, "stop");
	CHECK(count == 1);
	token_free(token);
	module_free(module);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(written_replaced_and_read_after_login),
		cmocka_unit_test(sizes),
		cmocka_unit_test(others_are_left_alone),
		cmocka_unit_test(visitor_stops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
