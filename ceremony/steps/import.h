/*
 * Lists from elsewhere: CSV, OpenSSL's index.txt, CRLs, certificates.  For the
 * steps import-revocations and import-issued.
 */
#ifndef CA_STEPS_IMPORT_H
#define CA_STEPS_IMPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "ceremony/steps/revocations.h"

/* What is wrong with a file; the first of many. */
struct faults {
	struct findings *findings;
	size_t count;
};

/* A finding of severity error; behind the first hundred only counted. */
void fault_add(struct faults *faults, const char *place, const char *id,
    const char *source, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
/*
 * If the newest error refuses an input, make it one, and return 0; else leave
 * it and return -1.
 */
int fault_take_error(
    struct faults *faults, const char *place, const char *id) MUST_USE;

struct import {
	struct build *build;
	const struct step *step;
	const struct import_params *params;
	const struct import_format *format;
	const struct issuer_view *issuer;
	const struct input *input;
	bool issued;                   /* import-issued */
	enum revocation_reason reason; /* where the file gives none */
	struct faults faults;
	struct listing listing;
	size_t passed_over; /* rows of certificates that are not revoked */
	size_t leaving;     /* revoked, and ended in the past by this list */
};
void import_clear(struct import *import);
CLEANUP_DEFINE_STRUCT(import);

/* A format, and which of the two steps reads it. */
struct import_format {
	const char *name;
	bool revocations, issued;
	/* Fill the listing, in the order of the file.  Faults. */
	int (*read)(struct import *import);
	/* "line", "entry", "certificate": what is counted, for places. */
	const char *unit;
};

/* NULL where there is none. */
const struct import_format *import_format_by_name(const char *name);
int import_csv(struct import *import) MUST_USE;
int import_index(struct import *import) MUST_USE;
int import_crl(struct import *import) MUST_USE;
int import_certificates(struct import *import) MUST_USE;

/* "list.csv, line 17": malloc'd. */
char *import_place(const struct import *import, size_t line);

/*
 * Line by line: the next one without its line end, and how many octets it is
 * long; false behind the last.  *at counts octets from 0.
 */
struct text_line {
	const char *text;
	size_t len, number;
};
bool text_line_next(
    const unsigned char *data, size_t len, size_t *at, struct text_line *line);

/*
 * Hold the sorted listing against itself (duplicates), against the journal and
 * against earlier steps.  What is known already is dropped.  Faults.
 */
int import_check(struct import *import) MUST_USE;

#endif
