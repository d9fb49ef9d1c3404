/* A directory for the files of a test, and anchors in it. */
#ifndef TESTS_JOURNAL_FILES_H
#define TESTS_JOURNAL_FILES_H

#include <dirent.h>

#include <openssl/pem.h>

#include "base/file.h"
#include "support.h"

#define AUTHORITY "example.org/test"

struct files {
	char path[64];
};

static inline void
files_open(struct files *files)
{
	(void)snprintf(files->path, sizeof files->path, "test-files-XXXXXX");
	assert_non_null(mkdtemp(files->path));
}

/* The path of a file in it; the text of the last eight calls stays. */
static inline const char *
in_files(const struct files *files, const char *name)
{
	static char paths[8][512];
	static unsigned next;
	char *path = paths[next++ % 8];

	(void)snprintf(path, sizeof paths[0], "%s/%s", files->path, name);
	return path;
}

static inline void
files_close(const struct files *files)
{
	struct dirent **names = NULL;
	int count = scandir(files->path, &names, NULL, NULL);

	assert_true(count >= 0);
	for (int i = 0; i < count; i++) {
		if (strcmp(names[i]->d_name, ".") != 0 &&
		    strcmp(names[i]->d_name, "..") != 0)
			assert_int_equal(
			    remove(in_files(files, names[i]->d_name)), 0);
		free(names[i]);
	}
	free(names);
	assert_int_equal(rmdir(files->path), 0);
}

static inline void
write_bytes(const char *path, const void *bytes, size_t len)
{
	FILE *out = fopen(path, "wb");

	assert_non_null(out);
	assert_int_equal(fwrite(bytes, 1, len, out), len);
	assert_int_equal(fclose(out), 0);
}

static inline void
write_text(const char *path, const char *text)
{
	write_bytes(path, text, strlen(text));
}

/* malloc'd; NULL where there is none. */
static inline char *
read_text(const char *path)
{
	unsigned char *data = NULL;
	size_t len;

	if (file_exists_at(AT_FDCWD, path) == 0)
		return NULL;
	assert_ok(file_read_at(AT_FDCWD, path, 1 << 20, &data, &len));
	return (char *)data;
}

/* SubjectPublicKeyInfo; OPENSSL_free(). */
static inline size_t
spki_of(EVP_PKEY *key, unsigned char **ret_spki)
{
	int len;

	*ret_spki = NULL;
	len = i2d_PUBKEY(key, ret_spki);
	assert_true(len > 0);
	return (size_t)len;
}

/* The text of an anchor of `id` that names this key; malloc'd. */
static inline char *
anchor_of(const char *id, EVP_PKEY *key)
{
	AUTO_DER(spki) = NULL;
	size_t len = spki_of(key, &spki);
	AUTO_CHARS(hex) = sha256_hex(spki, len);
	char *text = text_printf("ca-tool anchor 1\nauthority: %s\ngenesis: "
				 "%064d\njournal-key: %s\nset: %032d\n",
	    id, 7, hex, 9);

	assert_non_null(text);
	return text;
}

static inline void
write_public(const char *path, EVP_PKEY *key)
{
	AUTO(FILE) *out = fopen(path, "wb");

	assert_non_null(out);
	assert_int_equal(PEM_write_PUBKEY(out, key), 1);
}

/* anchor.txt and journal-key.pem. */
static inline void
write_anchor(const struct files *files, const char *id, EVP_PKEY *key)
{
	AUTO_CHARS(text) = anchor_of(id, key);

	write_text(in_files(files, "anchor.txt"), text);
	write_public(in_files(files, "journal-key.pem"), key);
}

#endif
