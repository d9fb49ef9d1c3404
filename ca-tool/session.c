#include "ca-tool/session.h"

bool
session_json(const struct session *session)
{
	return session->options.given[OPT_JSON];
}

const char *
session_authority(const struct session *session)
{
	const char *dir = session->options.value[OPT_AUTHORITY];

	return dir != NULL ? dir : ".";
}

json_t *
session_report(struct session *session, const char *name, json_t *value)
{
	if (session->report == NULL)
		session->report = json_object();
	if (json_object_set_new(session->report, name, value) == 0)
		return value;
	session->report_lost = true;
	return NULL;
}

json_t *
session_string(const char *text)
{
	return text != NULL ? json_string(text) : json_null();
}

void
session_clear(struct session *session)
{
	options_clear(&session->options);
	findings_clear(&session->findings);
	json_decref(session->report);
	*session = (struct session){ 0 };
}
