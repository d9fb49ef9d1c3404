/*
 * A fuzz target as a plain program, for compilers without libFuzzer: replays
 * each file of the corpus, then tries mutations of them, the same in each run.
 *
 * usage: fuzz-NAME CORPUS [ROUNDS [SEED]]
 *
 * What the target does not survive is left in fuzz-NAME.crash, to be put into
 * the corpus once the mistake is mended.
 */
#include <dirent.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"

enum { FILES_MAX = 256, INPUT_MAX = 1 << 17 };

struct corpus {
	struct input {
		uint8_t *bytes;
		size_t len;
	} files[FILES_MAX];
	size_t count;
};

/* Shared with the child that runs the target, so that it outlives it. */
struct current {
	size_t len;
	uint8_t bytes[INPUT_MAX];
};

struct random {
	uint64_t state;
};

static void
fail(const char *what, const char *name)
{
	fprintf(stderr, "%s '%s'\n", what, name);
	exit(2);
}

/* ---- the corpus ------------------------------------------------------- */

static void
read_file(const char *dir, const char *name, struct corpus *corpus)
{
	struct input *file = &corpus->files[corpus->count];
	char path[4096];
	FILE *in;

	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	in = fopen(path, "rb");
	file->bytes = malloc(INPUT_MAX);
	if (in == NULL || file->bytes == NULL)
		fail("cannot read", path);
	file->len = fread(file->bytes, 1, INPUT_MAX, in);
	if (ferror(in) || file->len == INPUT_MAX)
		fail("cannot read, or too large:", path);
	(void)fclose(in);
	corpus->count++;
}

/* In the order of their names. */
static void
read_corpus(const char *dir, struct corpus *corpus)
{
	struct dirent **names = NULL;
	int count = scandir(dir, &names, NULL, alphasort);

	if (count < 0)
		fail("cannot read the directory", dir);
	for (int i = 0; i < count; i++) {
		if (names[i]->d_name[0] != '.') {
			if (corpus->count == FILES_MAX)
				fail("too many files in", dir);
			read_file(dir, names[i]->d_name, corpus);
		}
		free(names[i]);
	}
	free(names);
	if (corpus->count == 0)
		fail("no files in", dir);
}

/* ---- mutations -------------------------------------------------------- */

/* splitmix64 */
static uint64_t
draw(struct random *random)
{
	uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static size_t
below(struct random *random, size_t bound)
{
	return bound == 0 ? 0 : (size_t)(draw(random) % bound);
}

/* Put `len` bytes in at `at`, as far as there is room. */
static void
insert(struct current *input, size_t at, const void *bytes, size_t len)
{
	if (input->len + len > INPUT_MAX)
		return;
	memmove(input->bytes + at + len, input->bytes + at, input->len - at);
	memcpy(input->bytes + at, bytes, len);
	input->len += len;
}

static void
cut(struct current *input, size_t at, size_t len)
{
	memmove(
	    input->bytes + at, input->bytes + at + len, input->len - at - len);
	input->len -= len;
}

static void
insert_token(struct current *input, size_t at, struct random *random)
{
	static const struct {
		const char *text;
		size_t len;
	} tokens[] = {
		{ "\n", 1 },
		{ "\n\n", 2 },
		{ "\0", 1 },
		{ " ", 1 },
		{ "+", 1 },
		{ "=", 1 },
		{ "\"", 1 },
		{ "{}", 2 },
		{ "[[[[", 4 },
		{ "\\u0000", 6 },
		{ "\xe2\x80\x94 ", 4 },
		{ "\xc2\x85", 2 },
		{ "\xed\xa0\x80", 3 },
		{ "\xff", 1 },
		{ "old 0\n", 6 },
		{ "index 0\n", 8 },
		{ "extra ", 6 },
		{ "0", 1 },
		{ "-1", 2 },
		{ "9223372036854775808", 19 },
		{ "18446744073709551615", 20 },
		{ "18446744073709551616", 20 },
	};
	size_t i = below(random, sizeof tokens / sizeof tokens[0]);

	insert(input, at, tokens[i].text, tokens[i].len);
}

/* A piece of another file of the corpus, or of this one. */
static void
insert_piece(struct current *input, size_t at, const struct corpus *corpus,
    struct random *random)
{
	const struct input *other =
	    &corpus->files[below(random, corpus->count)];
	size_t from = below(random, other->len + 1);
	size_t len = below(random, other->len - from + 1);

	insert(input, at, other->bytes + from, len);
}

static void
mutate_once(
    struct current *input, const struct corpus *corpus, struct random *random)
{
	size_t at = below(random, input->len + 1);
	size_t left = input->len - at;
	uint8_t byte = (uint8_t)draw(random);

	switch (below(random, 8)) {
	case 0:
	case 1:
		if (left > 0)
			input->bytes[at] ^= (uint8_t)(1U << (byte & 7));
		break;
	case 2:
		if (left > 0)
			input->bytes[at] = byte;
		break;
	case 3:
		insert(input, at, &byte, 1);
		break;
	case 4:
		cut(input, at, below(random, left < 40 ? left + 1 : 40));
		break;
	case 5:
		insert_token(input, at, random);
		break;
	case 6:
		insert_piece(input, at, corpus, random);
		break;
	default:
		/* Rarely cut the end off: most of it must stay. */
		if (below(random, 4) == 0)
			input->len = at;
		break;
	}
}

/* ---- running ---------------------------------------------------------- */

/* In memory of exactly that size, so that a sanitizer sees what is beyond. */
static void
run_once(const struct current *input)
{
	uint8_t *bytes = malloc(input->len + (input->len == 0));

	if (bytes == NULL)
		fail("no memory for", "an input");
	memcpy(bytes, input->bytes, input->len);
	(void)LLVMFuzzerTestOneInput(bytes, input->len);
	free(bytes);
}

static void
load(struct current *input, const struct input *file)
{
	memcpy(input->bytes, file->bytes, file->len);
	input->len = file->len;
}

static void
run_all(struct current *input, const struct corpus *corpus, uint64_t rounds,
    struct random random)
{
	for (size_t i = 0; i < corpus->count; i++) {
		load(input, &corpus->files[i]);
		run_once(input);
	}
	for (uint64_t i = 0; i < rounds; i++) {
		size_t changes = 1 + below(&random, 6);

		load(input, &corpus->files[below(&random, corpus->count)]);
		while (changes-- > 0)
			mutate_once(input, corpus, &random);
		run_once(input);
	}
}

/* The child did not survive `input`: keep it. */
static int
keep_crash(const char *program, const struct current *input)
{
	const char *slash = strrchr(program, '/');
	char path[256];
	FILE *out;

	(void)snprintf(
	    path, sizeof path, "%s.crash", slash == NULL ? program : slash + 1);
	out = fopen(path, "wb");
	if (out == NULL ||
	    fwrite(input->bytes, 1, input->len, out) != input->len ||
	    fclose(out) != 0)
		fail("cannot write", path);
	fprintf(
	    stderr, "failed; the %zu bytes are in '%s'\n", input->len, path);
	return 1;
}

int
main(int argc, char **argv)
{
	uint64_t rounds = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
	struct random random = { argc > 3 ? strtoull(argv[3], NULL, 10) : 1 };
	struct corpus corpus = { .count = 0 };
	struct current *input = mmap(NULL, sizeof *input,
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status = 1;
	pid_t child;

	if (argc < 2 || input == MAP_FAILED)
		fail("usage: CORPUS [ROUNDS [SEED]], for", argv[0]);
	read_corpus(argv[1], &corpus);
	child = fork();
	if (child == 0)
		run_all(input, &corpus, rounds, random);
	for (size_t i = 0; i < corpus.count; i++)
		free(corpus.files[i].bytes);
	if (child == 0)
		return 0;
	if (child < 0 || waitpid(child, &status, 0) != child)
		fail("cannot run", argv[0]);
	return status == 0 ? 0 : keep_crash(argv[0], input);
}
