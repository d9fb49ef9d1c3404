#!/usr/bin/env python3
"""Rewrite a copy of an authority's journal the way a skilled forger would.

    forge.py [-d DIR] [--tool CA-TOOL] ACTION...

DIR holds journal.db, which is changed in place: give it a copy.  Actions are
carried out in order:

    set N PATH VALUE         a member of entry N: data.name, people.0.role, ...
                             VALUE is JSON, or else a string
    unset N PATH             remove it
    delete N                 the entries behind it are renumbered
    duplicate N              ... and the copy stands behind N
    swap N M
    insert N KIND DATA       a new entry N; DATA is a JSON object
    evidence-add FILE        prints its SHA-256
    evidence-replace HASH FILE   entries that name HASH name the new one
    evidence-swap HASH FILE  other bytes under the old hash
    evidence-remove HASH
    raw TABLE ROWID COLUMN VALUE   VALUE: JSON, x:HEX for a blob, or a string
    fix                      seq, kind, time, leaf and nodes fit the entries
                             again; roots and sizes of heads and checkpoints too
    resign                   as fix, with a new journal key: its `key` entry,
                             the checkpoints and public/journal/checkpoint
    statement N PEOPLE NAME  the signature of entry N is made anew with the key
                             of NAME in the directory PEOPLE (make-operators)
    disguise N PEOPLE NAME   ... and a certificate with the operator's own names
    reindex                  ca-tool remakes the derived tables
    clear                    the derived tables are emptied

Unless `fix` or `resign` comes behind, entries are written with the hashes and
columns that they had.
"""

import argparse
import base64
import hashlib
import json
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
from datetime import datetime, timezone

HERE = os.path.dirname(os.path.realpath(__file__))
OID = "2.25.99745312291466458474339361182822765410."
PURPOSES = {"approval": 1, "confirmation": 2, "enrolment": 3, "anchor": 4,
            "event": 6}
PASSPHRASE = "correct-horse-battery"  # of tests/ceremony.bash
TRUE_TABLES = ("entries", "nodes", "evidence")


class CannotForge(Exception):
    """The action does not fit this journal."""


def sha256(*parts):
    return hashlib.sha256(b"".join(parts))


def run(*args, **options):
    done = subprocess.run(args, capture_output=True, check=False, **options)
    if done.returncode != 0:
        raise CannotForge(f"{' '.join(args)}: {done.stderr.decode()}")
    return done.stdout


def line_of(entry):
    """The bytes of an entry: no blanks, printable ASCII."""
    text = json.dumps(entry, separators=(",", ":"), ensure_ascii=True)
    text = re.sub(r"\\u[0-9a-f]{4}", lambda m: "\\u" + m[0][2:].upper(), text)
    return text.replace("\x7f", "\\u007F").encode("ascii")


def seconds(text):
    when = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")
    return int(when.replace(tzinfo=timezone.utc).timestamp())


def tree_nodes(leaves):
    """{(level, index): hash} of all complete subtrees; level 0 included."""
    nodes = {(0, index): leaf for index, leaf in enumerate(leaves)}
    level, count = 0, len(leaves)
    while count > 1:
        count //= 2
        for index in range(count):
            nodes[(level + 1, index)] = sha256(
                b"\1", nodes[(level, 2 * index)],
                nodes[(level, 2 * index + 1)]).digest()
        level += 1
    return nodes


def tree_root(nodes, size):
    """From the complete subtrees that `size` is made of, right to left."""
    root, begin = None, size
    for level in range(size.bit_length()):
        if size >> level & 1:
            begin -= 1 << level
            part = nodes[(level, begin >> level)]
            root = part if root is None else sha256(b"\1", part, root).digest()
    return sha256().digest() if root is None else root


class Entry:
    """One row of `entries`; `covers` is the last entry that its size counts."""

    def __init__(self, row):
        self.kind, self.time, self.body, self.leaf = row
        self.covers = {}
        self.before = None  # as the journal was read

    @property
    def value(self):
        return json.loads(self.body)

    @value.setter
    def value(self, value):
        self.body = line_of(value)


def sized(value):
    """Paths of objects in an entry that state a size and root of the tree."""
    data = value.get("data")
    if value.get("kind") in ("head", "checkpoint"):
        return [("data",)]
    if value.get("kind") == "epoch" and isinstance(data, dict):
        return [("data", "was")]
    return []


def at(value, path):
    for step in path:
        value = value[int(step) if isinstance(value, list) else step]
    return value


class Forgery:
    """A journal.db that is being rewritten."""

    def __init__(self, directory, tool=None):
        self.directory = directory
        self.tool = tool
        self.db = sqlite3.connect(os.path.join(directory, "journal.db"),
                                  isolation_level=None)
        self.db.execute("PRAGMA synchronous = OFF")
        self.read()

    def read(self):
        self.entries = [Entry(row) for row in self.db.execute(
            "SELECT kind, time, body, leaf FROM entries ORDER BY seq")]
        for number, entry in enumerate(self.entries):
            entry.before = self.entries[number - 1] if number > 0 else None
            try:
                value = entry.value
            except ValueError:
                continue
            for path in sized(value):
                size = at(value, path).get("size")
                if isinstance(size, int) and 0 < size <= len(self.entries):
                    entry.covers[path] = self.entries[size - 1]

    def close(self):
        self.db.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # ---- finding things ---------------------------------------------------

    def data(self, number):
        return self.entries[number].value["data"]

    def find(self, kind, **members):
        """Numbers of the entries of a kind with these members of data."""
        found = []
        for number, entry in enumerate(self.entries):
            value = entry.value
            if value["kind"] == kind and all(
                    value["data"].get(name) == wanted
                    for name, wanted in members.items()):
                found.append(number)
        return found

    def evidence(self, digest):
        row = self.db.execute("SELECT bytes FROM evidence WHERE sha256 = ?",
                              (bytes.fromhex(digest),)).fetchone()
        if row is None:
            raise CannotForge(f"there is no evidence {digest}")
        return row[0]

    # ---- entries ----------------------------------------------------------

    def set(self, number, path, member):
        value = self.entries[number].value
        *way, last = path.split(".")
        inner = at(value, way)
        inner[int(last) if isinstance(inner, list) else last] = member
        self.entries[number].value = value

    def unset(self, number, path):
        value = self.entries[number].value
        *way, last = path.split(".")
        inner = at(value, way)
        del inner[int(last) if isinstance(inner, list) else last]
        self.entries[number].value = value

    def delete(self, number):
        del self.entries[number]

    def duplicate(self, number):
        old = self.entries[number]
        copy = Entry((old.kind, old.time, old.body, old.leaf))
        copy.covers = dict(old.covers)
        self.entries.insert(number + 1, copy)

    def swap(self, one, other):
        entries = self.entries
        entries[one], entries[other] = entries[other], entries[one]

    def insert(self, number, kind, data, text="as it should be"):
        like = self.entries[min(number, len(self.entries) - 1)].value
        value = {"v": 1, "seq": number, "time": like["time"], "kind": kind,
                 "people": like["people"], "text": text, "data": data}
        body = line_of(value)
        entry = Entry((kind, seconds(like["time"]), body,
                       sha256(b"\0", body).digest()))
        for path in sized(value):
            size = at(value, path).get("size")
            if isinstance(size, int) and 0 < size <= len(self.entries):
                entry.covers[path] = self.entries[size - 1]
        self.entries.insert(number, entry)

    # ---- evidence ---------------------------------------------------------

    def evidence_add(self, data):
        digest = sha256(data).digest()
        self.db.execute(
            "INSERT OR IGNORE INTO evidence (sha256, size, bytes) "
            "VALUES (?, ?, ?)", (digest, len(data), data))
        return digest.hex()

    def evidence_replace(self, old, data):
        """Other bytes, and whoever names the old ones names these."""
        new = sha256(data).hexdigest()
        self.db.execute(
            "UPDATE evidence SET sha256 = ?, size = ?, bytes = ? "
            "WHERE sha256 = ?",
            (bytes.fromhex(new), len(data), data, bytes.fromhex(old)))
        self.rename(old, new)
        return new

    def rename(self, old, new):
        """In the data of each entry, `new` for each string that is `old`."""
        for entry in self.entries:
            if f'"{old}"'.encode() in entry.body:
                entry.value = json.loads(
                    entry.body.replace(f'"{old}"'.encode(),
                                       f'"{new}"'.encode()))

    def evidence_swap(self, digest, data):
        self.db.execute(
            "UPDATE evidence SET size = ?, bytes = ? WHERE sha256 = ?",
            (len(data), data, bytes.fromhex(digest)))

    def evidence_remove(self, digest):
        self.db.execute("DELETE FROM evidence WHERE sha256 = ?",
                        (bytes.fromhex(digest),))

    # ---- rows -------------------------------------------------------------

    def raw(self, table, row, column, value):
        self.write()
        self.db.execute(f'UPDATE "{table}" SET "{column}" = ? '
                        "WHERE rowid = ?", (value, row))
        self.read()

    def write(self):
        """Entries as they are now, numbered from 0; nothing else is mended."""
        self.db.execute("BEGIN")
        self.db.execute("DELETE FROM entries")
        self.db.executemany(
            "INSERT INTO entries (seq, kind, time, body, leaf) "
            "VALUES (?, ?, ?, ?, ?)",
            ((number, e.kind, e.time, e.body, e.leaf)
             for number, e in enumerate(self.entries)))
        self.db.execute("COMMIT")

    # ---- what a skilled forger does ---------------------------------------

    def _renumber(self, entry, number, nodes, where):
        value = entry.value
        value["seq"] = number
        for path in sized(value):
            covered = entry.covers.get(path)
            while covered is not None and covered not in where:
                covered = covered.before
            if covered is None:
                continue
            inner = at(value, path)
            inner["size"] = where[covered] + 1
            inner["root"] = tree_root(nodes, inner["size"]).hex()
        return value

    def fix(self, key=None):
        """Make everything fit that no key is needed for (or with this one)."""
        leaves, nodes, where = [], {}, {}
        for number, entry in enumerate(self.entries):
            value = self._renumber(entry, number, nodes, where)
            if value["kind"] == "checkpoint" and key is not None:
                value["data"]["note"] = key.note(
                    value["data"]["note"].split("\n")[0],
                    value["data"]["size"],
                    bytes.fromhex(value["data"]["root"]))
            entry.value = value
            entry.kind, entry.time = value["kind"], seconds(value["time"])
            entry.leaf = sha256(b"\0", entry.body).digest()
            leaves.append(entry.leaf)
            where[entry] = number
            add_leaf(nodes, number, entry.leaf)
        self.write()
        self.db.execute("BEGIN")
        self.db.execute("DELETE FROM nodes")
        self.db.executemany(
            "INSERT INTO nodes (level, idx, hash) VALUES (?, ?, ?)",
            ((level, index, node) for (level, index), node in nodes.items()
             if level > 0))
        self.db.execute("COMMIT")

    def resign(self, name="journal"):
        """A new journal key in the place of the old one, everywhere."""
        with JournalKey(self.directory) as key:
            for number in self.find("key", name=name):
                self.set(number, "data.spki", key.spki.hex())
            self.fix(key)
        notes = self.find("checkpoint")
        public = os.path.join(self.directory, "public", "journal",
                              "checkpoint")
        if notes and os.path.exists(public):
            rewrite(public, self.data(notes[-1])["note"].encode())

    def disguise(self, number, people, name):
        return self.statement(number, people, name, True)

    def statement(self, number, people, name, disguise=False):
        """The signature of an approval, confirmation, enrolment, anchor."""
        value = self.entries[number].value
        data, kind = value["data"], value["kind"]
        content = self.content_of(kind, data)
        certificate = os.path.join(people, f"{name}.sign.crt")
        with tempfile.TemporaryDirectory(dir=self.directory) as scratch:
            if disguise:
                certificate = self.disguised(data, people, name, scratch)
            path = os.path.join(scratch, "content")
            rewrite(path, content)
            signature = sign_cms(path, certificate, f"{people}/{name}.key",
                                 PURPOSES[kind])
        return self.evidence_replace(data["statement"], signature)

    def disguised(self, data, people, name, scratch):
        """A certificate of the stranger's key, with the operator's names."""
        enrolled = self.find("enrolment", name=data["name"],
                             set=data["set"])[0]
        real = os.path.join(scratch, "real.crt")
        rewrite(real, self.evidence(self.data(enrolled)["certificate"]))
        serial, subject = run("openssl", "x509", "-in", real, "-noout",
                              "-serial", "-subject", "-nameopt",
                              "compat").decode().splitlines()
        false = os.path.join(scratch, "false.crt")
        run("openssl", "req", "-x509", "-new", "-key", f"{people}/{name}.key",
            "-passin", "pass:" + PASSPHRASE, "-days", "3650", "-subj",
            subject.split("=", 1)[1].strip(), "-set_serial",
            "0x" + serial.split("=")[1], "-out", false)
        return false

    def content_of(self, kind, data):
        if kind == "approval":
            return self.evidence(data["manifest"])
        if kind == "confirmation":
            return self.evidence(data["sha256"])
        if kind == "anchor":
            return self.evidence(data["text"])
        if kind == "enrolment":
            return self.enrolment_text(data)
        raise CannotForge(f"'{kind}' has no statement")

    def enrolment_text(self, data):
        """docs/quorum.md, "Enrolment"."""
        quorum = [self.data(n) for n in self.find("quorum", set=data["set"])]
        return (f"ca-tool enrolment 1\n"
                f"authority: {self.data(0)['authority']}\n"
                f"set: {data['set']}\n"
                f"set.yaml: {quorum[0]['sha256']}\n"
                f"commitments: {quorum[0]['commitments'] or 'none'}\n"
                f"operator: {data['name']}\n"
                f"share: {data['share'] or 'none'}\n").encode()

    # ---- derived tables ---------------------------------------------------

    def derived(self):
        return [name for name, in self.db.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' "
            "AND name NOT LIKE 'sqlite%'") if name not in TRUE_TABLES]

    def clear(self):
        self.db.execute("PRAGMA foreign_keys = OFF")
        for table in self.derived():
            self.db.execute(f'DELETE FROM "{table}"')

    def reindex(self):
        """False where ca-tool does not take these entries."""
        if self.tool is None:
            raise CannotForge("--tool is needed to reindex")
        done = subprocess.run(
            [self.tool, "journal", "reindex", "-d", self.directory],
            capture_output=True, check=False)
        return done.returncode == 0


def add_leaf(nodes, number, leaf):
    level, node = 0, leaf
    nodes[(0, number)] = leaf
    while number & 1:
        node = sha256(b"\1", nodes[(level, number - 1)], node).digest()
        level, number = level + 1, number >> 1
        nodes[(level, number)] = node


def rewrite(path, data):
    """A new file in its place: what is there may be a link to another."""
    if os.path.exists(path):
        os.unlink(path)
    with open(path, "wb") as file:
        file.write(data)


def sign_cms(content, certificate, key, purpose, passphrase=PASSPHRASE):
    """As docs/quorum.md has it."""
    return run("openssl", "cms", "-sign", "-binary", "-nocerts", "-md",
               "sha256", "-econtent_type", OID + str(purpose), "-in", content,
               "-signer", certificate, "-inkey", key, "-passin",
               "pass:" + passphrase, "-outform", "DER")


class JournalKey:
    """A P-256 key of the forger's own."""

    def __init__(self, directory):
        self.scratch = tempfile.TemporaryDirectory(dir=directory)
        self.path = os.path.join(self.scratch.name, "key.pem")
        run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-out", self.path)
        self.spki = run("openssl", "pkey", "-in", self.path, "-pubout",
                        "-outform", "DER")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.scratch.cleanup()

    def note(self, origin, size, root):
        text = f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"
        signature = run("openssl", "dgst", "-sha256", "-sign", self.path,
                        input=text.encode())
        blob = sha256(self.spki).digest()[:4] + signature
        return (f"{text}\n\u2014 {origin} "
                f"{base64.b64encode(blob).decode()}\n")


# ---- the command line -----------------------------------------------------


def literal(text):
    if text.startswith("x:"):
        return bytes.fromhex(text[2:])
    try:
        return json.loads(text)
    except ValueError:
        return text


def content(path):
    with open(path, "rb") as file:
        return file.read()


def reindex(forgery):
    if not forgery.reindex():
        raise CannotForge("ca-tool refuses to reindex these entries")


# name: (types of its arguments, what it does, it changes entries)
ACTIONS = {
    "set": ((int, str, literal), Forgery.set, True),
    "unset": ((int, str), Forgery.unset, True),
    "delete": ((int,), Forgery.delete, True),
    "duplicate": ((int,), Forgery.duplicate, True),
    "swap": ((int, int), Forgery.swap, True),
    "insert": ((int, str, json.loads), Forgery.insert, True),
    "evidence-add": ((content,), Forgery.evidence_add, False),
    "evidence-replace": ((str, content), Forgery.evidence_replace, True),
    "evidence-swap": ((str, content), Forgery.evidence_swap, False),
    "evidence-remove": ((str,), Forgery.evidence_remove, False),
    "raw": ((str, int, str, literal), Forgery.raw, False),
    "statement": ((int, str, str), Forgery.statement, True),
    "disguise": ((int, str, str), Forgery.disguise, True),
    "fix": ((), Forgery.fix, False),
    "resign": ((), Forgery.resign, False),
    "reindex": ((), reindex, False),
    "clear": ((), Forgery.clear, False),
}


def perform(forgery, words):
    pending = False
    while words:
        name = words.pop(0)
        if name not in ACTIONS:
            raise CannotForge(f"there is no action '{name}'")
        types, action, changes = ACTIONS[name]
        if len(words) < len(types):
            raise CannotForge(f"'{name}' needs {len(types)} arguments")
        given = [convert(words.pop(0)) for convert in types]
        if pending and not changes and name not in ("fix", "resign"):
            forgery.write()
            pending = False
        result = action(forgery, *given)
        pending = (pending or changes) and name not in ("fix", "resign")
        if result is not None:
            print(result)
    if pending:
        forgery.write()


def main():
    parser = argparse.ArgumentParser(
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=__doc__)
    parser.add_argument("-d", "--directory", default=".")
    parser.add_argument("--tool", help="ca-tool, for reindex")
    parser.add_argument("action", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    try:
        with Forgery(options.directory, options.tool) as forgery:
            perform(forgery, options.action)
    except (CannotForge, OSError, sqlite3.Error, ValueError, KeyError,
            IndexError) as problem:
        sys.exit(f"forge.py: {problem!r}")


if __name__ == "__main__":
    main()
