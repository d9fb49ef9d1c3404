/* Notes: who signed them, and the files that hold them. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ceremony/audit/notes-private.h"
#include "ceremony/journal/head.h"

CLEANUP_DEFINE(DIR, closedir);

/* What is wrong with an input, as a finding; -1 for the machine. */
static int
take(struct audit *audit, const char *place, const char *id)
{
	if (audit_is_machine(ca_error_reason()))
		return -1;
	findings_take_error(audit->findings, id, place);
	return 0;
}

/* ---- signatures ------------------------------------------------------- */

/* The newest of the largest size. */
static void
see_witness(struct audit_witness *witness, uint64_t size, uint64_t time)
{
	if (size < witness->size ||
	    (size == witness->size && time <= witness->time))
		return;
	witness->size = size;
	witness->time = time;
}

static int
check_witness(struct audit *audit, const char *place, const struct note *note,
    const struct note_key *key, bool *ret_found, uint64_t *ret_time,
    uint64_t *ret_lines)
{
	bool found = false;

	if (note_verify(note, key, &found, ret_time) != 0)
		return take(audit, place, "AUDIT-COSIGNATURE");
	*ret_found = found;
	if (!found)
		return 0;
	audit->report.cosignatures++;
	for (size_t i = 0; i < note->count; i++)
		if (strcmp(note->lines[i].name, key->name) == 0 &&
		    memcmp(note->lines[i].id, key->id, sizeof(key->id)) == 0)
			(*ret_lines)++;
	return 0;
}

/* Every line is the journal's, a witness's, or unknown. */
static int
check_lines(struct audit *audit, struct audit_notes *notes, const char *place,
    const char *bytes, size_t len, const struct checkpoint *checkpoint)
{
	AUTO_STRUCT(note) note = { 0 };
	uint64_t known = 0;

	if (note_parse(bytes, len, &note) != 0)
		return -1;
	for (size_t i = 0; i < note.count; i++)
		known += strcmp(note.lines[i].name, checkpoint->origin) == 0;
	for (size_t i = 0; i < notes->witnesses.count; i++) {
		bool found = false;
		uint64_t time = 0;

		if (check_witness(audit, place, &note,
			&notes->witnesses.keys[i], &found, &time, &known) != 0)
			return -1;
		if (found)
			see_witness(&audit->report.witnesses[i],
			    checkpoint->size, time);
	}
	if (note.count > known)
		notes->unknown += note.count - known;
	return 0;
}

int
audit_note(struct audit *audit, struct audit_notes *notes, const char *place,
    const char *id, const char *note, size_t len, const char *origin,
    bool *ret_good, struct checkpoint *ret_checkpoint)
{
	AUTO_STRUCT(checkpoint) checkpoint = { 0 };

	*ret_good = false;
	if (notes->spki == NULL) {
		findings_add(audit->findings, FINDING_ERROR, id, place, NULL,
		    "it cannot have been signed: the journal has no key yet");
		return 0;
	}
	if (checkpoint_verify(note, len, origin, notes->spki, notes->spki_len,
		&checkpoint) != 0)
		return take(audit, place, id);
	if (strcmp(checkpoint.origin, origin) != 0) {
		findings_add(audit->findings, FINDING_ERROR, id, place, NULL,
		    "its origin is '%s', not '%s'", checkpoint.origin, origin);
		return 0;
	}
	if (check_lines(audit, notes, place, note, len, &checkpoint) != 0)
		return -1;
	*ret_good = true;
	*ret_checkpoint = checkpoint;
	checkpoint = (struct checkpoint){ 0 };
	return 0;
}

/* ---- files ------------------------------------------------------------ */

#define FILE_ID "AUDIT-CHECKPOINT-FILE"

/* Its first line, malloc'd. */
static char *
first_line(const char *note, size_t len)
{
	const char *end = memchr(note, '\n', len);

	return text_printf("%.*s", end == NULL ? 0 : (int)(end - note), note);
}

/* Is it a beginning of the journal as it is now? */
static int
check_beginning(struct audit *audit, const char *place,
    const struct checkpoint *checkpoint, bool *ret_good)
{
	unsigned char root[HASH_LEN];

	*ret_good = false;
	if (journal_root_at(audit->journal, checkpoint->size, root) != 0)
		return take(audit, place, FILE_ID);
	*ret_good = memcmp(root, checkpoint->root, HASH_LEN) == 0;
	if (!*ret_good)
		findings_add(audit->findings, FINDING_ERROR, FILE_ID, place,
		    NULL,
		    "the first %" PRIu64 " entries of the journal do not have "
		    "the root that it signs: the journal was forked, or "
		    "altered",
		    checkpoint->size);
	return 0;
}

struct note_file {
	const char *place;
	bool newest; /* it should be the newest checkpoint */
	bool numbered;
	uint64_t number; /* the size that its name states */
};

static int
judge_file(struct audit *audit, struct audit_notes *notes,
    const struct note_file *file, const struct checkpoint *checkpoint,
    uint64_t epoch)
{
	bool good;

	if (file->numbered && file->number != checkpoint->size)
		findings_add(audit->findings, FINDING_ERROR, FILE_ID,
		    file->place, NULL,
		    "it counts %" PRIu64 " entries, its name says otherwise",
		    checkpoint->size);
	if (check_beginning(audit, file->place, checkpoint, &good) != 0)
		return -1;
	if (file->newest &&
	    (epoch < notes->epoch || checkpoint->size < notes->size))
		findings_add(audit->findings, FINDING_ERROR, FILE_ID,
		    file->place, NULL,
		    "it counts %" PRIu64 " entries of epoch %" PRIu64
		    ", the newest checkpoint in "
		    "the journal counts %" PRIu64 " of epoch %" PRIu64
		    ": it is an older copy",
		    checkpoint->size, epoch, notes->size, notes->epoch);
	if (good && checkpoint->size > audit->report.last_checkpoint)
		audit->report.last_checkpoint = checkpoint->size;
	return 0;
}

static int
check_file(struct audit *audit, struct audit_notes *notes, int dirfd,
    const char *path, const struct note_file *file)
{
	AUTO_STRUCT(authority_row) row = { 0 };
	AUTO_STRUCT(checkpoint) checkpoint = { 0 };
	AUTO_BYTES(note) = NULL;
	AUTO_CHARS(origin) = NULL;
	uint64_t epoch = 0;
	size_t len = 0;
	bool good;

	if (file_read_at(dirfd, path, NOTE_MAX_BYTES, &note, &len) != 0)
		return take(audit, file->place, FILE_ID);
	origin = first_line((const char *)note, len);
	if (origin == NULL || journal_authority(audit->journal, &row) != 0)
		return -1;
	if (!epoch_of_origin(row.id, origin, &epoch) || epoch > row.epoch) {
		findings_add(audit->findings, FINDING_ERROR, FILE_ID,
		    file->place, NULL,
		    "it is a checkpoint of '%s', not of '%s'", origin,
		    row.origin);
		return 0;
	}
	if (audit_note(audit, notes, file->place, FILE_ID, (const char *)note,
		len, origin, &good, &checkpoint) != 0)
		return -1;
	return good ? judge_file(audit, notes, file, &checkpoint, epoch) : 0;
}

/* checkpoints/SIZE of an export. */
static int
check_numbered(
    struct audit *audit, struct audit_notes *notes, int fd, const char *name)
{
	AUTO_CHARS(place) = text_printf("checkpoints/%s", name);
	struct note_file file = { .place = place, .numbered = true };

	if (place == NULL)
		return -1;
	if (text_number(name, INT64_MAX, &file.number) == 0)
		return check_file(audit, notes, fd, name, &file);
	ca_error_clear();
	findings_add(audit->findings, FINDING_ERROR, FILE_ID, place, NULL,
	    "its name is no number of entries");
	return 0;
}

static int
check_directory(struct audit *audit, struct audit_notes *notes)
{
	AUTO(DIR) *dir = NULL;
	AUTO_FD(fd) = -1;
	const struct dirent *found;

	if (dir_open_at(audit->public_fd, "checkpoints", &fd) != 0)
		return take(audit, "checkpoints/", FILE_ID);
	dir = fdopendir(fd);
	if (dir == NULL)
		return ca_error_errno(CA_R_IO, "cannot read 'checkpoints/'");
	(void)TAKE_FD(fd); /* dir has it */
	for (errno = 0; (found = readdir(dir)) != NULL; errno = 0)
		if (strcmp(found->d_name, ".") != 0 &&
		    strcmp(found->d_name, "..") != 0 &&
		    check_numbered(audit, notes, dirfd(dir), found->d_name) !=
			0)
			return -1;
	return errno == 0
	    ? 0
	    : ca_error_errno(CA_R_IO, "cannot read 'checkpoints/'");
}

/* An export's copy of public/journal/, which was perhaps behind. */
static int
check_copy(struct audit *audit, struct audit_notes *notes)
{
	static const struct note_file copy = { .place = "journal/checkpoint" };
	int there = file_exists_at(audit->public_fd, copy.place);

	if (there < 0)
		return take(audit, copy.place, FILE_ID);
	return there == 0
	    ? 0
	    : check_file(audit, notes, audit->public_fd, copy.place, &copy);
}

int
audit_note_files(struct audit *audit, struct audit_notes *notes)
{
	static const struct note_file exported = { .place = "checkpoint",
		.newest = true };
	static const struct note_file published = {
		.place = "public/journal/checkpoint", .newest = true
	};
	int there;

	if (audit->public_fd < 0)
		return 0;
	if (audit->export)
		return check_file(audit, notes, audit->public_fd, "checkpoint",
			   &exported) != 0 ||
			check_copy(audit, notes) != 0
		    ? -1
		    : check_directory(audit, notes);
	there = file_exists_at(audit->public_fd, "journal/checkpoint");
	if (there < 0)
		return take(audit, published.place, FILE_ID);
	/* An authority that was founded but for its first checkpoint. */
	if (there == 0 && audit->report.checkpoints == 0)
		return 0;
	return check_file(
	    audit, notes, audit->public_fd, "journal/checkpoint", &published);
}
