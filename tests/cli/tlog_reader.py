#!/usr/bin/env python3
"""Read an export as a client of C2SP's tlog-tiles does, and believe nothing.

    tlog_reader.py DIR JOURNAL-KEY.pem

From the checkpoint, whose signature openssl checks, down: each tile must have
the hash that what is above it says, each entry that of its tile, each piece of
evidence that of its name.  Prints the entries, a line each.  Shares no code with
ca-tool.
"""

import base64
import hashlib
import os
import subprocess
import sys
import tempfile


def need(condition, what):
    if not condition:
        sys.exit(f"tlog_reader: {what}")


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def above(hashes):
    """The root over these; a perfect or imperfect tree (RFC 6962, 2.1)."""
    if len(hashes) == 1:
        return hashes[0]
    k = 1 << ((len(hashes) - 1).bit_length() - 1)
    return sha256(b"\1", above(hashes[:k]), above(hashes[k:]))


class Reader:
    def __init__(self, base):
        self.base = base
        self.read = set()

    def file(self, path):
        whole = os.path.join(self.base, path)
        need(os.path.isfile(whole) and not os.path.islink(whole),
             f"{path} is no file")
        self.read.add(path)
        with open(whole, "rb") as file:
            return file.read()

    @staticmethod
    def path(level, number, width):
        text = f"{number % 1000:03}"
        while number >= 1000:
            number //= 1000
            text = f"x{number % 1000:03}/{text}"
        part = "" if width == 256 else f".p/{width}"
        return f"tile/{level}/{text}{part}"

    def tile(self, level, number, width):
        path = self.path(level, number, width)
        bytes_ = self.file(path)
        need(len(bytes_) == 32 * width, f"{path} has {len(bytes_)} octets")
        return [bytes_[i:i + 32] for i in range(0, len(bytes_), 32)]

    def bundle(self, number, width):
        path = self.path("entries", number, width)
        bytes_, entries = self.file(path), []
        while bytes_:
            size = int.from_bytes(bytes_[:2], "big")
            need(len(bytes_) >= 2 + size, f"{path} is cut off")
            entries.append(bytes_[2:2 + size])
            bytes_ = bytes_[2 + size:]
        need(len(entries) == width, f"{path} has {len(entries)} entries")
        return entries


def check_signature(text, lines, key):
    """One line of the journal's key, type 02, that verifies."""
    der = subprocess.run(["openssl", "pkey", "-pubin", "-in", key, "-pubout",
                          "-outform", "DER"], check=True,
                         capture_output=True).stdout
    key_id = hashlib.sha256(der).digest()[:4]
    origin, found = text.split(b"\n")[0], 0
    for line in lines:
        mark, name, blob = line.split(b" ")
        need(mark == "—".encode(), "a signature line has no dash")
        blob = base64.b64decode(blob, validate=True)
        if name != origin or blob[:4] != key_id:
            continue
        with tempfile.TemporaryDirectory() as scratch:
            for path, content in (("sig", blob[4:]), ("text", text)):
                with open(os.path.join(scratch, path), "wb") as file:
                    file.write(content)
            subprocess.run(["openssl", "dgst", "-sha256", "-verify", key,
                            "-signature", f"{scratch}/sig", f"{scratch}/text"],
                           check=True, stdout=subprocess.DEVNULL)
        found += 1
    need(found == 1, f"{found} signatures of the journal's key")


def read_checkpoint(note, key):
    text, _, lines = note.rpartition(b"\n\n")
    text += b"\n"
    need(lines.endswith(b"\n"), "the last line is not ended")
    check_signature(text, lines.rstrip(b"\n").split(b"\n"), key)
    _, size, root = text.split(b"\n")[:3]
    need(size == b"%d" % int(size), "the size is not written as it should be")
    return int(size), base64.b64decode(root, validate=True)


def right_edge(reader, size):
    """The root, from the last tile of each level: [(level, tile)] too."""
    tops, level = [], 0
    while size >> (8 * level):
        slots = size >> (8 * level)
        width = slots % 256
        if width:
            tile = reader.tile(level, slots // 256, width)
            tops.append((level, slots // 256, tile))
        level += 1
    root = None
    for _, _, tile in tops:
        while tile:
            k = tile and (len(tile) & -len(tile))
            part = above(tile[-k:])
            root = part if root is None else sha256(b"\1", part, root)
            tile = tile[:-k]
    return root, tops


def descend(reader, level, number, hashes):
    """Yield the entries below a tile whose hashes are known to be right."""
    if level == 0:
        entries = reader.bundle(number, len(hashes))
        for leaf, entry in zip(hashes, entries):
            need(sha256(b"\0", entry) == leaf,
                 f"an entry of bundle {number} is not its leaf")
            yield entry
        return
    for i, hash_ in enumerate(hashes):
        below = reader.tile(level - 1, number * 256 + i, 256)
        need(above(below) == hash_,
             f"tile {level - 1}/{number * 256 + i} is not what is above it")
        yield from descend(reader, level - 1, number * 256 + i, below)


def check_evidence(reader):
    for folder, _, names in os.walk(os.path.join(reader.base, "evidence")):
        for name in names:
            path = os.path.relpath(os.path.join(folder, name), reader.base)
            need(hashlib.sha256(reader.file(path)).hexdigest() == name and
                 path == f"evidence/{name[:2]}/{name}", f"{path} is altered")


def check_strays(reader, sizes):
    """Below tile/ there is nothing but what belongs to a checkpoint."""
    allowed = set(reader.read)
    for size in sizes:
        for level in range(8):
            slots = size >> (8 * level)
            if slots % 256:
                allowed.add(reader.path(level, slots // 256, slots % 256))
                if level == 0:
                    allowed.add(reader.path(
                        "entries", slots // 256, slots % 256))
    for folder, _, names in os.walk(os.path.join(reader.base, "tile")):
        for name in names:
            path = os.path.relpath(os.path.join(folder, name), reader.base)
            need(path in allowed, f"{path} belongs to no checkpoint")


def main(base, key):
    reader = Reader(base)
    note = reader.file("checkpoint")
    size, root = read_checkpoint(note, key)
    need(reader.file(f"checkpoints/{size}") in note, "two newest checkpoints")
    computed, tops = right_edge(reader, size)
    need(computed == root, "the tiles do not give the checkpoint's root")
    entries = []
    for level, number, hashes in reversed(tops):
        entries.extend(descend(reader, level, number, hashes))
    need(len(entries) == size, f"{len(entries)} entries, not {size}")
    sizes = sorted(int(name) for name in os.listdir(f"{base}/checkpoints"))
    for other in sizes:
        count, older = read_checkpoint(
            reader.file(f"checkpoints/{other}"), key)
        need(count == other and above(
            [sha256(b"\0", entry) for entry in entries[:count]]) == older,
             f"checkpoints/{other} is not of these entries")
    check_evidence(reader)
    check_strays(reader, sizes)
    sys.stdout.buffer.writelines(entry + b"\n" for entry in entries)


if __name__ == "__main__":
    main(*sys.argv[1:])
