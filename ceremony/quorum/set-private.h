/* Inside set*.c only. */
#ifndef CA_QUORUM_SET_PRIVATE_H
#define CA_QUORUM_SET_PRIVATE_H

#include "ceremony/quorum/set.h"

enum { SET_MAX_BYTES = 256 * 1024, SHARE_MAX_BYTES = 64 * 1024 };

/* Where a set comes from. */
struct set_source {
	const char *name; /* of the file, for places and messages */
	const unsigned char *data;
	size_t len;
	/*
	 * As set_found() wrote it: with the members that it adds, and the
	 * certificates' own names and digests.  What cannot be read of it is
	 * an error, not a finding; dates no longer matter.
	 */
	bool stored;
	bool shares; /* of a proposed one: decryption certificates are needed */
	int64_t now;
	const struct set_files *files;
};

/* CA_R_INPUT, and findings, for what is wrong in the text. */
int set_parse(const struct set_source *source, struct findings *findings,
    struct quorum_set **ret_set) MUST_USE;

/* 32 lower-case hex digits? */
bool set_is_id(const char *text);

/* The two certificates of a person, as they are stored. */
struct person_file {
	const char *suffix; /* ".sign.crt" */
	X509 *certificate;  /* NULL: none */
};
enum { PERSON_FILES = 2 };
void person_files(
    const struct person *person, struct person_file ret_files[PERSON_FILES]);

/* "alice.sign.crt"; malloc'd. */
char *person_file_name(
    const struct person *person, const char *suffix) MUST_USE;

/* The PEM text of a certificate: what is stored.  malloc'd. */
int certificate_pem(
    X509 *certificate, unsigned char **ret_data, size_t *ret_len) MUST_USE;

/* The text of set.yaml; malloc'd. */
int set_text(const struct quorum_set *set, char **ret_text) MUST_USE;

#endif
