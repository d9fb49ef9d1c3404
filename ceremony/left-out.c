/* Which requests are left out, and why (certificates, `on-refusal`). */
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ceremony/run-private.h"

enum { SHOWN_MAX = 20 }; /* the file has all */

/* "requests/www.csr: CSR-POP: ...", a line for each thing that is wrong. */
static int
append_lines(BIO *out, const json_t *row)
{
	const char *request =
	    json_string_value(json_object_get(row, "request"));
	const json_t *finding;
	size_t i;

	json_array_foreach(json_object_get(row, "findings"), i, finding)
	{
		AUTO_CHARS(line) = NULL;
		const char *text =
		    json_string_value(json_object_get(finding, "text"));

		if (strcmp("error",
			json_string_value(
			    json_object_get(finding, "severity"))) != 0)
			continue;
		line = text_printf("%s: %s: %s", request,
		    json_string_value(json_object_get(finding, "id")), text);
		if (line == NULL)
			return -1;
		if (BIO_printf(out, "%s\n", line) < 0)
			return ca_error(CA_R_MEMORY, "no memory for a report");
	}
	return 0;
}

static int
show_some(const struct run *run, const char *text, const char *file)
{
	const size_t count = json_array_size(run->build.left_out);
	AUTO_CHARS(head) =
	    text_printf("%zu request%s left out; '%s' in the directory of "
			"the run says why of each:",
		count, count == 1 ? " is" : "s are", file);
	size_t lines = 0;

	if (head == NULL)
		return -1;
	run->room->show(run->room->ctx, ROOM_WARNING, head);
	while (*text != '\0' && lines++ < SHOWN_MAX) {
		const size_t len = strcspn(text, "\n");
		AUTO_CHARS(line) = text_printf("   %.*s", (int)len, text);

		if (line == NULL)
			return -1;
		run->room->show(run->room->ctx, ROOM_WARNING, line);
		text += len + (text[len] == '\n');
	}
	if (*text != '\0')
		run->room->show(run->room->ctx, ROOM_WARNING, "   ...");
	return 0;
}

int
left_out_show(const struct run *run)
{
	AUTO(BIO) *out = BIO_new(BIO_s_mem());
	AUTO_CHARS(name) = NULL;
	AUTO_CHARS(text) = NULL;
	char *data = NULL;
	const json_t *row;
	long len;
	size_t i;

	if (json_array_size(run->build.left_out) == 0 || run->lists == 0)
		return 0;
	name = text_printf("left-out-%u", run->lists - 1);
	if (out == NULL || name == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a report");
	json_array_foreach(run->build.left_out, i, row)
	{
		if (append_lines(out, row) < 0)
			return -1;
	}
	len = BIO_get_mem_data(out, &data);
	text = text_printf("%.*s", (int)len, data);
	if (text == NULL ||
	    file_write_at(
		run->fd, name, text, strlen(text), 0600, FILE_REPLACE) < 0)
		return -1;
	return show_some(run, text, name);
}
