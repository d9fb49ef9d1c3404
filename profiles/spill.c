#include "profiles/spill.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include <openssl/rand.h>

#include "base/error.h"
#include "base/text.h"

static const char *const file_name = "a temporary file";

int
spill_open(int dir, struct spill *ret_spill)
{
	unsigned char *buf = malloc(SPILL_MEMORY);

	if (buf == NULL)
		return ca_error(CA_R_MEMORY, "no memory to write with");
	*ret_spill = (struct spill){ .dir = dir, .fd = -1, .buf = buf };
	return 0;
}

void
spill_clear(struct spill *spill)
{
	free(spill->buf);
	if (spill->buf != NULL && spill->fd >= 0)
		(void)close(spill->fd);
	*spill = (struct spill){ .fd = -1 };
}

/* Where the file system has no unnamed files: dir_sweep() knows the name. */
static int
make_named(int dir, int *ret_fd)
{
	unsigned char random[4];
	char hex[2 * sizeof(random) + 1];
	AUTO_CHARS(name) = NULL;
	int fd;

	if (RAND_bytes(random, sizeof(random)) != 1)
		return ca_error(CA_R_INTERNAL, "no random octets");
	text_hex_into(random, sizeof(random), hex);
	name = text_printf(".spill.tmp-%s", hex);
	if (name == NULL)
		return -1;
	fd = openat(dir, name,
	    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || unlinkat(dir, name, 0) != 0)
		return ca_error_errno(CA_R_IO, "cannot make %s", file_name);
	*ret_fd = fd;
	return 0;
}

int
spill_file(int dir, int *ret_fd)
{
	int fd = openat(dir, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);

	if (fd < 0 &&
	    (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL))
		return make_named(dir, ret_fd);
	if (fd < 0)
		return ca_error_errno(CA_R_IO, "cannot make %s", file_name);
	*ret_fd = fd;
	return 0;
}

static int
write_at(int fd, uint64_t offset, const unsigned char *octets, size_t len)
{
	while (len > 0) {
		ssize_t n = pwrite(fd, octets, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ca_error_errno(
			    CA_R_IO, "cannot write %s", file_name);
		octets += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

int
spill_flush(struct spill *spill)
{
	if (spill->fd < 0 || spill->fill == 0)
		return 0;
	if (write_at(spill->fd, spill->start, spill->buf, spill->fill) != 0)
		return -1;
	spill->start += spill->fill;
	spill->fill = 0;
	return 0;
}

int
spill_room(struct spill *spill, size_t len, unsigned char **ret_room)
{
	if (len > SPILL_MEMORY)
		return ca_error(CA_R_INTERNAL, "%zu octets at once", len);
	if (len > SPILL_MEMORY - spill->fill) {
		if (spill->fd < 0 && spill_file(spill->dir, &spill->fd) != 0)
			return -1;
		if (spill_flush(spill) != 0)
			return -1;
	}
	*ret_room = spill->buf + spill->fill;
	return 0;
}

int
spill_add(struct spill *spill, const unsigned char *octets, size_t len)
{
	while (len > 0) {
		size_t part = len < SPILL_MEMORY ? len : SPILL_MEMORY;
		unsigned char *room;

		if (spill_room(spill, part, &room) != 0)
			return -1;
		memcpy(room, octets, part);
		spill->fill += part;
		octets += part;
		len -= part;
	}
	return 0;
}

uint64_t
spill_len(const struct spill *spill)
{
	return spill->start + spill->fill;
}

int
spill_put(struct spill *spill, uint64_t offset, const unsigned char *octets,
    size_t len)
{
	if (offset + len > spill_len(spill))
		return ca_error(CA_R_INTERNAL, "nothing stands there yet");
	if (spill->fd < 0) {
		memcpy(spill->buf + offset, octets, len);
		return 0;
	}
	if (spill_flush(spill) != 0)
		return -1;
	return write_at(spill->fd, offset, octets, len);
}

static int
read_spill(
    void *ctx, uint64_t offset, unsigned char *buf, size_t cap, size_t *ret_len)
{
	const struct spill *spill = ctx;
	ssize_t n;

	if (spill->fd < 0) {
		struct der octets = { spill->buf, spill->fill };
		struct der_source source = der_source_memory(&octets);

		return source.read(source.ctx, offset, buf, cap, ret_len);
	}
	do
		n = pread(spill->fd, buf, cap, (off_t)offset);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return ca_error_errno(CA_R_IO, "cannot read %s", file_name);
	*ret_len = (size_t)n;
	return 0;
}

struct der_source
spill_source(struct spill *spill)
{
	return (struct der_source){
		.ctx = spill, .read = read_spill, .len = spill_len(spill)
	};
}

/* ---- at an address ---------------------------------------------------- */

void
spilled_clear(struct spilled *spilled)
{
	if (spilled->mapped) {
		(void)munmap(spilled->data, spilled->len + 1);
		(void)close(spilled->fd);
	} else {
		free(spilled->data);
	}
	*spilled = (struct spilled){ .fd = -1 };
}

static int
take_file(struct spill *spill, struct spilled *ret_spilled)
{
	const size_t len = (size_t)spill_len(spill);
	void *data;

	if (spill_add(spill, (const unsigned char *)"", 1) != 0 ||
	    spill_flush(spill) != 0)
		return -1;
	data = mmap(NULL, len + 1, PROT_READ, MAP_SHARED, spill->fd, 0);
	if (data == MAP_FAILED)
		return ca_error_errno(CA_R_IO, "cannot map %s", file_name);
	*ret_spilled = (struct spilled){ .data = data,
		.len = len,
		.mapped = true,
		.fd = TAKE_FD(spill->fd) };
	return 0;
}

int
spill_take(struct spill *spill, struct spilled *ret_spilled)
{
	unsigned char *data;

	if (spill->fd >= 0)
		return take_file(spill, ret_spilled);
	data = malloc(spill->fill + 1);
	if (data == NULL)
		return ca_error(CA_R_MEMORY, "no memory to keep octets");
	memcpy(data, spill->buf, spill->fill);
	data[spill->fill] = 0;
	*ret_spilled =
	    (struct spilled){ .data = data, .len = spill->fill, .fd = -1 };
	return 0;
}

/* Advice: where it is not taken, memory is used and nothing is lost. */
void
spilled_pass(const struct spilled *spilled, size_t end)
{
	const long page = sysconf(_SC_PAGESIZE);

	if (!spilled->mapped || page <= 0 || end > spilled->len)
		return;
	end -= end % (size_t)page;
	if (end > 0)
		(void)madvise(spilled->data, end, MADV_DONTNEED);
}

int
spilled_each(const struct spilled *spilled,
    int (*take)(void *ctx, const unsigned char *data, size_t len), void *ctx)
{
	size_t n;

	for (size_t at = 0; at < spilled->len; at += n) {
		n = spilled->len - at < SPILL_MEMORY ? spilled->len - at
						     : SPILL_MEMORY;
		if (take(ctx, spilled->data + at, n) != 0)
			return -1;
		spilled_pass(spilled, at + n);
	}
	return 0;
}

static int
update(void *ctx, const unsigned char *data, size_t len)
{
	return EVP_DigestUpdate(ctx, data, len) == 1
	    ? 0
	    : ca_error(CA_R_INTERNAL, "cannot compute a digest");
}

int
spilled_sha256(const struct spilled *spilled, unsigned char ret_digest[32])
{
	AUTO(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();
	AUTO(EVP_MD) *md = EVP_MD_fetch(NULL, "SHA256", NULL);

	if (ctx == NULL || md == NULL || EVP_DigestInit_ex2(ctx, md, NULL) != 1)
		return ca_error(CA_R_INTERNAL, "cannot compute a digest");
	if (spilled_each(spilled, update, ctx) != 0)
		return -1;
	return EVP_DigestFinal_ex(ctx, ret_digest, NULL) == 1
	    ? 0
	    : ca_error(CA_R_INTERNAL, "cannot compute a digest");
}
