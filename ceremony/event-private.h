/* What event.c and event-file.c share. */
#ifndef CA_CEREMONY_EVENT_PRIVATE_H
#define CA_CEREMONY_EVENT_PRIVATE_H

#include "base/yaml.h"
#include "ceremony/event.h"

struct event_person {
	char *name, *role;
};

/* The file as libcyaml loads it: what any kind may have. */
struct event_file {
	char *format, *event;
	char *when, *where, *note;
	struct event_person *people;
	unsigned people_count;
	char *serial, *from, *to;
	char *holder, *location, *seal;
	char *maker, *model, *firmware, *condition;
	char *what, *reason, *method, *outcome;
	char *name, *role, *organisation, *change, *identity;
	char *plan, *step;
	char *device, *id, *sha256, *start, *stop;
	char *version, *ticket;
	char **keys, **seals, **seals_before, **seals_after, **carriers,
	    **witnesses, **approved_by;
	unsigned keys_count, seals_count, seals_before_count, seals_after_count,
	    carriers_count, witnesses_count, approved_by_count;
};

struct event_kind_row;

struct event {
	struct yaml *doc; /* for the places of findings */
	struct event_file *file;
	const struct event_kind_row *kind;
	unsigned char *bytes; /* as they were read: they are signed */
	size_t len;
};

#endif
