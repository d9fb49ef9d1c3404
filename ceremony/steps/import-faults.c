/* What is wrong with a list, and where. */
#include <stdarg.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/steps/import-text.h"

enum { FAULTS_TOLD = 100 };

void
fault_add(struct faults *faults, const char *place, const char *id,
    const char *source, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	faults->count++;
	if (faults->count == FAULTS_TOLD + 1)
		findings_add(faults->findings, FINDING_ERROR, "IMPORT-FAULTS",
		    place, NULL,
		    "more is wrong from here on; the first %d faults are told",
		    FAULTS_TOLD);
	if (faults->count > FAULTS_TOLD)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	findings_add(
	    faults->findings, FINDING_ERROR, id, place, source, "%s", text);
}

int
fault_take_error(struct faults *faults, const char *place, const char *id)
{
	AUTO_CHARS(text) = NULL;

	if (ca_error_exit_status() != CA_EXIT_REFUSED)
		return -1;
	text = ca_error_take();
	fault_add(faults, place, id, NULL, "%s",
	    text == NULL ? "this is refused" : text);
	return 0;
}

char *
import_place(const struct import *import, size_t line)
{
	return line == 0 ? text_copy(import->params->file)
			 : text_printf("%s, %s %zu", import->params->file,
			       import->format->unit, line);
}

int
import_line_error(struct import *import, size_t line, const char *id)
{
	AUTO_CHARS(place) = import_place(import, line);

	return place == NULL ? -1
			     : fault_take_error(&import->faults, place, id);
}

int
import_line_fault(struct import *import, size_t line, const char *id,
    const char *source, const char *fmt, ...)
{
	AUTO_CHARS(place) = import_place(import, line);
	char text[512];
	va_list ap;

	if (place == NULL)
		return -1;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fault_add(&import->faults, place, id, source, "%s", text);
	return 0;
}
