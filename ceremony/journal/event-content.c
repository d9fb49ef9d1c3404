#include "ceremony/journal/event-content.h"

#include <inttypes.h>

#include "base/text.h"

int
event_content_text(const struct event_content *content, char **ret_text)
{
	char genesis[HASH_HEX_SIZE], root[HASH_HEX_SIZE];
	char *text;

	text_hex_into(content->genesis, HASH_LEN, genesis);
	text_hex_into(content->root, HASH_LEN, root);
	text = text_printf("ca-tool event 1\n"
			   "authority: %s\n"
			   "genesis: %s\n"
			   "size: %" PRIu64 "\n"
			   "root: %s\n"
			   "set: %s\n"
			   "name: %s\n"
			   "event: %s\n"
			   "file: %s\n",
	    content->authority, genesis, content->size, root, content->set,
	    content->name, content->event, content->file);
	if (text == NULL)
		return -1;
	*ret_text = text;
	return 0;
}
