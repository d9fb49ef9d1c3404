/*
 * What an export costs, as a ratio measured in one run:
 *
 *   export ENTRIES   in an empty working directory: exporting a journal of so
 *                    many entries, with evidence, against copying a file of as
 *                    many octets; exporting again; memory at 1,000 entries and
 *                    at all
 *
 * Two entries and one piece of evidence (700 octets) are a certificate: for
 * 1,000,000 entries, 500,000 files.  Making a file costs more than copying its
 * octets, so writing as many plain files of that length is measured, too.
 */
#include "ceremony/journal/export.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ceremony/journal/note.h"
#include "ceremony/journal/store.h"

enum { CERTIFICATE_LEN = 700, LINE_LEN = 700, SMALL = 1000, FOLDERS = 256 };

static void
say(void *ctx, size_t depth, const char *text, const char *origin)
{
	(void)ctx;
	(void)depth;
	fprintf(stderr, "%s (%s)\n", text, origin);
}

static void
must(int ret, const char *what)
{
	if (ret >= 0)
		return;
	fprintf(stderr, "export: %s failed\n", what);
	ca_error_drain(say, NULL);
	exit(1);
}

static double
now(void)
{
	struct timespec at;

	must(clock_gettime(CLOCK_MONOTONIC, &at), "clock_gettime");
	return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static long
peak_kib(void)
{
	struct rusage usage;

	must(getrusage(RUSAGE_SELF, &usage), "getrusage");
	return usage.ru_maxrss;
}

/* Far above what a noisy machine makes of it. */
static void
limit(double ratio, double most, const char *what)
{
	if (ratio <= most)
		return;
	fprintf(stderr, "export: %s: ratio %.2f\n", what, ratio);
	exit(1);
}

/* ---- a journal -------------------------------------------------------- */

/* As long as those of certificates; what they say does not matter here. */
static void
add_entry(struct journal *journal, uint64_t seq)
{
	unsigned char leaf[HASH_LEN], bytes[CERTIFICATE_LEN] = { 0x30 };
	unsigned char digest[HASH_LEN];
	char line[2 * LINE_LEN];
	int len = snprintf(line, sizeof(line),
	    "{\"v\":1,\"seq\":%" PRIu64 ",\"time\":\"2026-11-20T12:00:00Z\","
	    "\"kind\":\"event\",\"people\":[],\"text\":\"%0*d\",\"data\":{"
	    "\"event\":\"bench\"}}",
	    seq, seq % 2 == 0 ? LINE_LEN : LINE_LEN / 3, 0);

	must(journal_insert_entry(
		 journal, seq, "event", 1795176000, line, (size_t)len, leaf),
	    "journal_insert_entry");
	if (seq % 2 == 0)
		return;
	memcpy(bytes + 1, &seq, sizeof(seq));
	must(sha256(bytes, sizeof(bytes), digest), "SHA-256");
	must(journal_insert_evidence(journal, bytes, sizeof(bytes), digest),
	    "journal_insert_evidence");
}

static void
add_checkpoint(struct journal *journal)
{
	unsigned char root[HASH_LEN];
	char hex[HASH_HEX_SIZE];
	char *text = NULL, *note;
	uint64_t size;

	must(journal_head(journal, &size, root), "journal_head");
	must(checkpoint_text("bench", size, root, &text), "checkpoint_text");
	text_hex_into(root, HASH_LEN, hex);
	/* An export does not look at signatures. */
	note = text_printf("%s\n\xe2\x80\x94 bench AAAAAAAA\n", text);
	must(journal_append(journal, ENTRY_CHECKPOINT,
		 json_pack("{s:I, s:s, s:s}", "size", (json_int_t)size, "root",
		     hex, "note", note),
		 "a checkpoint", NULL),
	    "journal_append");
	free(text);
	free(note);
}

static struct journal *
make_journal(const char *dir, uint64_t entries)
{
	struct journal *journal = NULL;

	must(mkdir(dir, 0700), "mkdir");
	must(journal_create(dir, &journal), "journal_create");
	must(journal_append(journal, ENTRY_GENESIS,
		 json_pack("{s:s, s:i, s:{s:s}, s:s}", "authority", "bench",
		     "format", 1, "token", "label", "bench", "tool", "0"),
		 "founded", NULL),
	    "journal_append");
	must(journal_begin(journal), "journal_begin");
	for (uint64_t seq = 1; seq < entries; seq++)
		add_entry(journal, seq);
	must(journal_commit(journal), "journal_commit");
	add_checkpoint(journal);
	return journal;
}

/* ---- what is measured ------------------------------------------------- */

static double
export_to(
    struct journal *journal, const char *dir, struct export_report *ret_report)
{
	double begun = now();
	bool empty;
	int fd;

	must(dir_make(dir, 0755, &fd, &empty), "dir_make");
	must(journal_export(journal, fd, -1, NULL, NULL, ret_report),
	    "journal_export");
	must(close(fd), "close");
	return now() - begun;
}

/* A file of so many octets, copied and synced. */
static double
copy_octets(uint64_t octets)
{
	static unsigned char block[1 << 16];
	double begun;
	int from = open("octets", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	int here = open(".", O_RDONLY | O_DIRECTORY);

	must(from, "open");
	must(here, "open");
	for (size_t i = 0; i < sizeof(block); i++)
		block[i] = (unsigned char)(i * 2654435761U >> 8);
	for (uint64_t left = octets; left > 0;) {
		size_t part = left < sizeof(block) ? left : sizeof(block);

		must(file_write_all(from, block, part, "octets"), "write");
		left -= part;
	}
	must(fsync(from), "fsync");
	must(close(from), "close");
	begun = now();
	must(file_copy_at(here, "octets", here, "copy", 0600), "file_copy_at");
	begun = now() - begun;
	must(unlink("octets"), "unlink");
	must(unlink("copy"), "unlink");
	must(close(here), "close");
	return begun;
}

/* As many files, of an even length, in as many folders; one sync. */
static double
plain_files(uint64_t files, uint64_t octets)
{
	static unsigned char block[1 << 20];
	size_t len = (size_t)(octets / files);
	double begun = now();
	char path[64];
	int here = open(".", O_RDONLY | O_DIRECTORY);

	must(here, "open");
	len = len < sizeof(block) ? len : sizeof(block);
	must(mkdir("plain", 0700), "mkdir");
	for (unsigned i = 0; i < FOLDERS; i++) {
		(void)snprintf(path, sizeof(path), "plain/%u", i);
		must(mkdir(path, 0700), "mkdir");
	}
	for (uint64_t i = 0; i < files; i++) {
		int fd;

		(void)snprintf(path, sizeof(path), "plain/%u/%" PRIu64,
		    (unsigned)(i % FOLDERS), i);
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
		must(fd, "open");
		must(file_write_all(fd, block, len, path), "write");
		must(close(fd), "close");
	}
	must(syncfs(here), "syncfs");
	must(close(here), "close");
	return now() - begun;
}

static void
run(uint64_t entries)
{
	struct journal *small = make_journal("small", SMALL);
	struct export_report report, again;
	struct journal *large;
	double first, second, copy, plain;
	long before;

	(void)export_to(small, "small-export", &report);
	journal_free(small);
	before = peak_kib();
	large = make_journal("large", entries);
	first = export_to(large, "large-export", &report);
	second = export_to(large, "large-export", &again);
	must(again.written == 0 && again.kept == report.written ? 0 : -1,
	    "exporting again");
	journal_free(large);
	copy = copy_octets(report.bytes);
	plain = plain_files(report.written, report.bytes);
	printf("exporting %" PRIu64 " entries (%" PRIu64 " files, %" PRIu64
	       " octets): %.2f s; copying as many octets: %.2f s; ratio %.1f; "
	       "writing as many files: %.2f s; ratio %.2f\n",
	    report.entries, report.written, report.bytes, first, copy,
	    first / copy, plain, first / plain);
	printf("exporting again: %.2f s; ratio to the first time %.2f\n",
	    second, second / first);
	printf("peak memory: %ld KiB; at %d entries: %ld KiB; ratio %.2f\n",
	    peak_kib(), SMALL, before, (double)peak_kib() / (double)before);
	limit(first / plain, 20, "an export is slower than its files");
	limit((double)peak_kib() / (double)before, 3,
	    "memory grows with the journal");
}

int
main(int argc, char **argv)
{
	unsigned long n = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;

	if (n < SMALL) {
		fprintf(stderr, "usage: export ENTRIES (at least %d)\n", SMALL);
		return 2;
	}
	run(n);
	return 0;
}
