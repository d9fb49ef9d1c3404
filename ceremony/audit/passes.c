/* The passes, in the order in which they see an entry. */
#include "ceremony/audit/audit-private.h"

const struct audit_pass *const audit_passes[] = {
	&audit_evidence,
	&audit_times,
	&audit_heads,
	&audit_checkpoints,
	&audit_people,
	&audit_ways,
	&audit_keys,
	&audit_objects,
	&audit_ocsp,
	&audit_published,
	NULL,
};
