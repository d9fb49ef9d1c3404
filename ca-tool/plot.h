/* A plot in plain text: for a terminal of any width, and for a log. */
#ifndef CA_TOOL_PLOT_H
#define CA_TOOL_PLOT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/cleanup.h"

enum {
	PLOT_HEIGHT = 12,
	PLOT_LABEL = 11, /* columns left of the bars */
	PLOT_MIN = 40,
	PLOT_MAX = 200, /* columns in all */
};

struct plot {
	const double *values; /* of each column, bytes */
	size_t count;
	size_t past; /* so many of them are the past, the others a forecast */
	double limit;
	int64_t from, until; /* of the first and the last column */
};

/* Columns of the terminal on `out`; PRINT_WIDTH where it is none. */
size_t plot_width(FILE *out);

/* A bar for each value: '#' the past, ':' a forecast, '-' the limit. */
void plot_print(FILE *out, const struct plot *plot);

/* "612 B", "48.2 kB", "1.0 MB"; malloc'd. */
char *bytes_text(double bytes) MUST_USE;

#endif
