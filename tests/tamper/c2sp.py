"""The Merkle tree of RFC 6962, and C2SP's signed-note, tlog-checkpoint,
tlog-proof and tlog-tiles, read from their texts."""

import base64
import binascii
import hashlib
import re

from openssl import ECDSA_SHA256, verifies


class BadNote(Exception):
    """Not a note, checkpoint or proof."""


def demand(condition, text):
    if not condition:
        raise BadNote(text)


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def leaf_hash(entry):
    return sha256(b"\0", entry)


# ---- the tree -------------------------------------------------------------


class Tree:
    """MTH of RFC 6962, section 2.1, by its recursion; each range once."""

    def __init__(self, leaves):
        self.leaves = leaves
        self.known = {}

    def range(self, begin, end):
        if end - begin == 0:
            return sha256()
        if end - begin == 1:
            return self.leaves[begin]
        found = self.known.get((begin, end))
        if found is None:
            middle = begin + split(end - begin)
            found = sha256(b"\1", self.range(begin, middle),
                           self.range(middle, end))
            self.known[(begin, end)] = found
        return found

    def root(self, size):
        return self.range(0, size)

    def complete(self):
        """{(level, index): hash} of complete subtrees of 2 leaves and more."""
        found, level = {}, 1
        while 1 << level <= len(self.leaves):
            for index in range(len(self.leaves) >> level):
                found[(level, index)] = self.range(
                    index << level, index + 1 << level)
            level += 1
        return found

    def consistency(self, old, size):
        """PROOF(m, D[n]) of RFC 6962, section 2.1.2."""
        return [] if old in (0, size) else self._subproof(old, 0, size, True)

    def _subproof(self, old, begin, end, known):
        if old == end - begin:
            return [] if known else [self.range(begin, end)]
        middle = begin + split(end - begin)
        if old <= middle - begin:
            return self._subproof(old, begin, middle, known) + [
                self.range(middle, end)]
        return self._subproof(old - (middle - begin), middle, end, False) + [
            self.range(begin, middle)]


def split(count):
    """The largest power of two below `count`."""
    return 1 << (count - 1).bit_length() - 1


def is_included(leaf, index, size, path, root):
    """RFC 9162, section 2.1.3.2."""
    if index >= size:
        return False
    at, last, result = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            result = sha256(b"\1", sibling, result)
            while not at & 1 and at != 0:
                at, last = at >> 1, last >> 1
        else:
            result = sha256(b"\1", result, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and result == root


def is_consistent(old, size, old_root, root, path):
    """RFC 9162, section 2.1.4.2."""
    if old > size or old == size:
        return old == size and not path and old_root == root
    if old == 0:
        return not path
    if not path:
        return False
    if old & old - 1 == 0:
        path = [old_root] + path
    at, last = old - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    first = second = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            first = sha256(b"\1", sibling, first)
            second = sha256(b"\1", sibling, second)
            while not at & 1 and at != 0:
                at, last = at >> 1, last >> 1
        else:
            second = sha256(b"\1", second, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and first == old_root and second == root


# ---- notes ----------------------------------------------------------------


def strict_base64(text):
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as problem:
        raise BadNote("not base64") from problem
    demand(base64.b64encode(data).decode() == text, "base64 with stray bits")
    return data


class Note:
    def __init__(self, data):
        try:
            note = data.decode("utf-8")
        except UnicodeDecodeError as problem:
            raise BadNote("not UTF-8") from problem
        demand(not re.search("[\x00-\x09\x0b-\x1f]", note),
               "control characters")
        self.text, gap, lines = note.rpartition("\n\n")
        demand(gap and lines.endswith("\n"), "no signature lines")
        self.text += "\n"
        self.lines = [self._line(line) for line in lines[:-1].split("\n")]

    @staticmethod
    def _line(line):
        words = line.split(" ")
        demand(len(words) == 3 and words[0] == "\u2014" and words[1],
               "a bad signature line")
        blob = strict_base64(words[2])
        demand(len(blob) > 4, "a short signature")
        return words[1], blob[:4], blob[4:]

    def signed_by(self, name, spki):
        """None if lines of this key hold (type 02); else what is wrong."""
        key_id, found = sha256(spki)[:4], False
        for line_name, line_id, signature in self.lines:
            if (line_name, line_id) != (name, key_id):
                continue
            if not verifies(spki, ECDSA_SHA256, signature,
                            self.text.encode()):
                return "a signature by the journal's key does not verify"
            found = True
        return None if found else "it is not signed by the journal's key"


class Checkpoint:
    def __init__(self, text):
        lines = text.split("\n")
        demand(len(lines) >= 4 and lines[-1] == "" and all(lines[:-1]),
               "not three lines")
        self.origin = lines[0]
        demand(re.fullmatch("0|[1-9][0-9]{0,18}", lines[1]), "a bad size")
        self.size = int(lines[1])
        self.root = strict_base64(lines[2])
        demand(len(self.root) == 32, "a root that is no SHA-256")
        demand(len(lines) == 4, "extension lines")


class InclusionProof:
    """A .tlog-proof file."""

    def __init__(self, data):
        head, gap, self.checkpoint = data.partition(b"\n\n")
        demand(gap, "no empty line")
        lines = head.decode("ascii", "replace").split("\n")
        demand(lines.pop(0) == "c2sp.org/tlog-proof@v1", "not a tlog-proof")
        self.extra = None
        if lines and lines[0].startswith("extra "):
            self.extra = strict_base64(lines.pop(0)[len("extra "):])
        match = re.fullmatch("index (0|[1-9][0-9]*)", lines.pop(0)
                             if lines else "")
        demand(match, "no index")
        self.index = int(match[1])
        demand(len(lines) <= 63, "too long a path")
        self.path = [strict_base64(line) for line in lines]
        demand(all(len(node) == 32 for node in self.path), "a bad hash")


# ---- tiles ----------------------------------------------------------------


def tile_name(number):
    """1234067: x001/x234/067"""
    name = f"{number % 1000:03d}"
    while number >= 1000:
        number //= 1000
        name = f"x{number % 1000:03d}/{name}"
    return name


def tiles(size):
    """(level, number, width) of each tile of a tree of this size."""
    level, count = 0, size
    while count > 0:
        for number in range(count // 256):
            yield level, number, 256
        if count % 256:
            yield level, count // 256, count % 256
        level, count = level + 1, count // 256


def tile_path(kind, number, width):
    partial = "" if width == 256 else f".p/{width}"
    return f"tile/{kind}/{tile_name(number)}{partial}"


def tile_bytes(tree, level, number, width):
    span = 256 ** level
    first = number * 256
    return b"".join(tree.range((first + i) * span, (first + i + 1) * span)
                    for i in range(width))


def bundle_entries(data):
    """The entries of an entry bundle: u16 length and octets each."""
    found, at = [], 0
    while at < len(data):
        demand(len(data) >= at + 2, "a bundle that is cut off")
        length = int.from_bytes(data[at:at + 2], "big")
        demand(len(data) >= at + 2 + length, "a bundle that is cut off")
        found.append(data[at + 2:at + 2 + length])
        at += 2 + length
    return found
