#include "ca-tool/plot.h"

#include <stdbool.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/date.h"
#include "base/text.h"
#include "ca-tool/print.h"

size_t
plot_width(FILE *out)
{
	struct winsize size = { 0 };

	if (isatty(fileno(out)) != 1 ||
	    ioctl(fileno(out), TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		return PRINT_WIDTH;
	if (size.ws_col < PLOT_MIN)
		return PLOT_MIN;
	return size.ws_col - 1 < PLOT_MAX ? size.ws_col - 1u : PLOT_MAX;
}

char *
bytes_text(double bytes)
{
	if (bytes < 1000)
		return text_printf("%.0f B", bytes);
	if (bytes < 999950)
		return text_printf("%.1f kB", bytes / 1e3);
	return text_printf("%.1f MB", bytes / 1e6);
}

static double
highest(const struct plot *plot)
{
	double top = plot->limit;

	for (size_t i = 0; i < plot->count; i++)
		top = plot->values[i] > top ? plot->values[i] : top;
	return top;
}

static void
print_row(FILE *out, const struct plot *plot, double low, double high)
{
	bool limit = plot->limit > low && plot->limit <= high;
	int blanks = 0;
	AUTO_CHARS(label) = bytes_text(limit ? plot->limit : high);

	fprintf(out, "%*s |", PLOT_LABEL - 2, label != NULL ? label : "");
	for (size_t i = 0; i < plot->count; i++) {
		/* What is there at all is seen: half a row counts. */
		bool bar = plot->values[i] > (low + high) / 2 ||
		    (low <= 0 && plot->values[i] > 0);

		if (!bar && !limit) {
			blanks++;
			continue;
		}
		/* No blanks at the end of a line, for a log. */
		fprintf(out, "%*s%c", blanks, "",
		    !bar                 ? '-'
			: i < plot->past ? '#'
					 : ':');
		blanks = 0;
	}
	fputc('\n', out);
}

static void
print_axis(FILE *out, const struct plot *plot)
{
	char from[DATE_TEXT_SIZE], until[DATE_TEXT_SIZE];
	int room = (int)plot->count - 20;

	fprintf(out, "%*s+", PLOT_LABEL - 1, "");
	for (size_t i = 0; i < plot->count; i++)
		fputc(i == plot->past ? '+' : '-', out);
	date_format(plot->from, from);
	date_format(plot->until, until);
	fprintf(out, "\n%*s%.10s%*s%.10s\n", PLOT_LABEL, "", from,
	    room > 1 ? room : 1, "", until);
}

void
plot_print(FILE *out, const struct plot *plot)
{
	double step = highest(plot) / PLOT_HEIGHT;

	for (int row = PLOT_HEIGHT; row > 0; row--)
		print_row(out, plot, step * (row - 1), step * row);
	print_axis(out, plot);
}
