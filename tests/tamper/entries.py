"""The journal's own tables as docs/journal.md describes them: lines, hashes,
nodes, evidence; from a database or from an export."""

import hashlib
import json
import os
import re
import shutil
import sqlite3
import tempfile
from datetime import datetime, timezone

import c2sp

TABLES = {"entries", "nodes", "evidence", "authority", "runs", "lists",
          "statements", "sets", "enrolments", "anchors", "pin_changes",
          "profiles", "keys", "objects", "revocations", "issued",
          "issuers", "urls", "ocsp_windows"}
MEMBERS = ["v", "seq", "time", "kind", "people", "text", "data"]

HASH, TIME, HEX, TEXT, COUNT, FLAG = "hash", "time", "hex", "text", "count", "flag"
OBJECT, LIST, NUMBER = "object", "list", "number"
SHAPES = {
    HASH: lambda v: isinstance(v, str) and re.fullmatch("[0-9a-f]{64}", v),
    TIME: lambda v: isinstance(v, str) and seconds(v) is not None,
    HEX: lambda v: isinstance(v, str) and re.fullmatch("([0-9a-f]{2})+", v),
    NUMBER: lambda v: isinstance(v, str) and re.fullmatch(
        "0|[1-9][0-9]*", v),
    TEXT: lambda v: isinstance(v, str),
    COUNT: lambda v: type(v) is int and v >= 0,
    FLAG: lambda v: type(v) is bool,
    OBJECT: lambda v: isinstance(v, dict),
    LIST: lambda v: isinstance(v, list),
}


def shape(text):
    """'name:hash other:text? maybe:hash|' -> [(name, shape, null, optional)]

    `|` behind a shape: null may stand there; `?`: it need not be there.
    """
    found = []
    for word in text.split():
        name, _, kind = word.partition(":")
        found.append((name, kind.strip("|?"), "|" in kind, "?" in kind))
    return found


SPELLED = {
    "genesis": "authority:text format:text token:object tool:object",
    "token-intent": "label:text embedded:flag",
    "token": "label:text serial:text manufacturer:text model:text "
             "hardware:text firmware:text flags:count module:object run:text?",
    "config": "sha256:hash run:text?",
    "profile": "profile:text sha256:hash run:text? removed:flag?",
    "enrolment": "set:hex name:text role:text sign:hash decrypt:hash| "
                 "share:hash| statement:hash| certificate:hash "
                 "decrypt_certificate:hash|",
    "quorum": "set:hex state:text sha256:hash threshold:count "
              "operators:count commitments:hash| replaces:hex| run:text",
    "anchor": "set:hex name:text statement:hash text:hash",
    "pin-change": "run:text set:hex pin:text stage:text",
    "login": "run:text serial:text flags:count module_sha256:hash "
             "tool:object token:object module:object linter:object",
    "key-intent": "run:text name:text id:hex type:text purpose:text "
                  "backup:text adopted:flag?",
    "key": "run:text name:text id:hex spki:hex attributes:object "
           "generation_mechanism:count| adopted:flag?",
    "key-destroyed": "run:text name:text id:hex objects:count",
    "plan": "run:text plan:text title:text manifest:hash directory:text "
            "set:hex unattended:flag abandons:text?",
    "approval": "run:text name:text set:hex manifest:hash statement:hash",
    "list": "run:text list:count sha256:hash objects:count batches:count? "
            "acts:count lint:hash?",
    "confirmation": "run:text list:count name:text set:hex sha256:hash "
                    "statement:hash",
    "intent": "run:text list:count object:count kind:text name:text key:hash "
              "algorithm:hex tbs:hash issuer:text| issuer_dn:hash| "
              "profile:text|",
    "result": "run:text list:count object:count name:text sha256:hash "
              "lint:hash?",
    "failed": "run:text list:count object:count name:text why:text "
              "possibly_signed:flag lint:hash?",
    "revoked": "run:text issuer:text issuer_dn:hash serial:hex date:time "
               "reason:text cause:text invalidity:time?",
    "revocations": "run:text issuer:text issuer_dn:hash count:count "
                   "list:hash source:text cause:text crl:object?",
    "revocation-upgraded": "run:text issuer:text issuer_dn:hash serial:hex "
                           "was:object date:time reason:text "
                           "invalidity:time?",
    "issued": "run:text issuer:text issuer_dn:hash count:count list:hash "
              "source:text",
    "ocsp-intent": "run:text list:count window:count first:count count:count "
                   "name:text key:hash algorithm:hex issuer:text "
                   "issuer_dn:hash responder:text| profile:text "
                   "this_update:time next_update:time root:hash items:hash",
    "ocsp-result": "run:text list:count window:count name:text count:count "
                   "root:hash items:hash",
    "ocsp-failed": "run:text list:count window:count name:text why:text "
                   "possibly_signed:flag",
    "adopted": "run:text name:text key:text sha256:hash issuer_dn:hash "
               "subject_dn:hash serial:hex spki:hash not_before:time "
               "not_after:time ca:flag",
    "refused": "run:text findings:count report:hash why:text lint:hash?",
    "resumed": "run:text serial:text",
    "state": "subject:text state:text run:text? key:text? why:text? "
             "successor:text|?",
    "event": "event:text",
    "clock": "run:text was:time now:time why:text",
    "head": "run:text serial:text origin:text epoch:count size:count "
            "root:hash",
    "epoch": "run:text epoch:count origin:text was:object head:object| "
             "lost:count receipts:list",
    "close": "run:text outcome:text published:count files:hash "
             "transcript:hash|",
    "checkpoint": "size:count root:hash note:text",
}
KINDS = {kind: shape(text) for kind, text in SPELLED.items()}
INTENTS = {
    "certificate": shape(
        "serial:hex subject_dn:hash spki:hash not_before:time not_after:time "
        "ca:flag certificate_kind:text subject_key:text| issuer:text "
        "issuer_dn:hash profile:text"),
    "crl": shape("number:number this_update:time next_update:time "
                 "entries:count issuer:text issuer_dn:hash profile:text"),
    "csr": [],
}

SIGNED_EVENT = shape("by:text set:hex file:hash content:hash statement:hash "
                     "when:time run:text?")

# Members whose value is the SHA-256 of evidence.
EVIDENCE = {
    "config": ["sha256"], "profile": ["sha256"],
    "enrolment": ["statement", "certificate", "decrypt_certificate"],
    "quorum": ["sha256"], "anchor": ["statement", "text"],
    "plan": ["manifest"], "approval": ["manifest", "statement"],
    "list": ["sha256", "lint"], "confirmation": ["sha256", "statement"],
    "result": ["sha256", "lint"], "failed": ["lint"], "adopted": ["sha256"],
    "refused": ["report", "lint"], "close": ["files"],
    "revocations": ["list"], "issued": ["list"], "ocsp-intent": ["items"],
    "ocsp-result": ["items"],
}


def seconds(text):
    """Of a time as entries have it; None if it is none."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text):
        return None
    try:
        when = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")
    except ValueError:
        return None
    return int(when.replace(tzinfo=timezone.utc).timestamp())


def hex_digest(data):
    return hashlib.sha256(data).hexdigest()


def no_twice(pairs):
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member twice")
    return found


def strict_json(data):
    """An object or array, without members twice."""
    return json.loads(data.decode("utf-8"), object_pairs_hook=no_twice)


def canonical(value):
    """The one way to write an entry."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=True)
    text = re.sub(r"(?<!\\)((?:\\\\)*)\\u([0-9a-f]{4})",
                  lambda m: f"{m[1]}\\u{m[2].upper()}", text)
    return text.replace("\x7f", "\\u007F").encode("ascii")


def fits(value, kind, null):
    return (value is None and null) or bool(
        value is not None and SHAPES[kind](value))


def bad_members(data, wanted):
    return [name for name, kind, null, optional in wanted
            if not (optional and name not in data) and
            not (name in data and fits(data[name], kind, null))]


class Entry:
    """A line, parsed.  `fault` says what is wrong with it."""

    def __init__(self, line, number):
        self.line, self.number, self.fault = line, number, None
        self.leaf = c2sp.leaf_hash(line)
        self.kind, self.data, self.time, self.value = "", {}, None, {}
        try:
            self.value = strict_json(line)
            self.fault = self._check()
        except (ValueError, RecursionError) as problem:
            self.fault = f"it is no JSON: {problem}"

    def _check(self):
        value = self.value
        if not isinstance(value, dict) or list(value) != MEMBERS:
            return "its members are not those of an entry"
        self.kind = value["kind"] if isinstance(value["kind"], str) else ""
        if isinstance(value["time"], str):
            self.time = seconds(value["time"])
        if canonical(value) != self.line:
            return "it is not written as an entry is"
        if len(self.line) > 65535 or len(str(value["text"])) > 1000:
            return "it is too long"
        if not (type(value["v"]) is int and value["v"] == 1):
            return "its version is not 1"
        if not (type(value["seq"]) is int and value["seq"] == self.number):
            return "its number is not its place"
        if self.time is None or self.kind not in KINDS:
            return "its time or kind is not one"
        if not self._people(value["people"]):
            return "its people are not names and roles"
        return self._data(value["data"])

    @staticmethod
    def _people(people):
        return isinstance(people, list) and people and all(
            isinstance(person, dict) and list(person) == ["name", "role"] and
            all(isinstance(part, str) for part in person.values())
            for person in people)

    def _data(self, data):
        if not isinstance(data, dict):
            return "its data is no object"
        bad = bad_members(data, KINDS[self.kind])
        if self.kind == "event" and "statement" in data:
            bad += bad_members(data, SIGNED_EVENT)
        if self.kind == "intent" and not bad:
            bad = (bad_members(data, INTENTS[data["kind"]])
                   if data["kind"] in INTENTS else ["kind"])
        if bad:
            return f"members of its data are missing or bad: {', '.join(bad)}"
        self.data = data
        return None


class Journal:
    """What was read: entries, evidence, rows; `findings` about them."""

    def __init__(self):
        self.entries, self.evidence, self.rows = [], {}, None
        self.findings, self.warnings = [], []
        self.public = None   # directory
        self.exported = False

    def find(self, place, text):
        self.findings.append((place, text))

    def at(self, entry, text):
        self.find(f"entry {entry.number} ({entry.kind or '?'})", text)

    @property
    def tree(self):
        if not hasattr(self, "_tree"):
            self._tree = c2sp.Tree([entry.leaf for entry in self.entries])
        return self._tree

    def take(self, lines):
        self.entries = [Entry(line, number)
                        for number, line in enumerate(lines)]
        for entry in self.entries:
            if entry.fault is not None:
                self.at(entry, entry.fault)


# ---- from the database ----------------------------------------------------


def read_database(directory):
    """From journal.db, and the rollback journal beside it, on a copy."""
    journal = Journal()
    if not os.path.exists(os.path.join(directory, "journal.db")):
        journal.find("journal.db", "it is missing")
        return journal
    with tempfile.TemporaryDirectory() as scratch:
        for name in ("journal.db", "journal.db-journal"):
            if os.path.exists(os.path.join(directory, name)):
                shutil.copy(os.path.join(directory, name), scratch)
        try:
            database = sqlite3.connect(os.path.join(scratch, "journal.db"))
            database.text_factory = bytes
            read_tables(journal, database)
        except (sqlite3.Error, KeyError, TypeError, AttributeError,
                UnicodeDecodeError) as problem:
            journal.find("journal.db", f"it cannot be read: {problem!r}")
        finally:
            database.close()
    public = os.path.join(directory, "public")
    journal.public = public if os.path.isdir(public) else None
    return journal


def read_tables(journal, database):
    def ask(sql):
        return database.execute(sql).fetchall()

    if ask("PRAGMA integrity_check") != [(b"ok",)]:
        journal.find("journal.db", "SQLite finds it damaged")
    if ask("PRAGMA application_id") != [(0x43414a31,)] or (
            ask("PRAGMA user_version") != [(4,)]):
        journal.find("journal.db", "it is not a journal of schema 4")
    names = ask("SELECT name, type FROM sqlite_schema")
    tables = {name.decode() for name, kind in names if kind == b"table"}
    if tables != TABLES or any(
            kind not in (b"table", b"index") for _, kind in names):
        journal.find("journal.db", "it has other tables, views or triggers")
    rows = ask("SELECT seq, kind, time, body, leaf FROM entries ORDER BY seq")
    journal.take([row[3] for row in rows])
    compare_rows(journal, rows)
    compare_nodes(journal, ask("SELECT level, idx, hash FROM nodes"))
    for number, digest, size, data in ask(
            "SELECT id, sha256, size, bytes FROM evidence"):
        if hashlib.sha256(data).digest() != digest or len(data) != size:
            journal.find(f"evidence {number}", "it is not what its row says")
        else:
            journal.evidence[digest.hex()] = data
    journal.rows = {
        table: (columns_of(database, table), ask(f"SELECT * FROM {table}"))
        for table in TABLES - {"entries", "nodes", "evidence"}}


def columns_of(database, table):
    return [row[1].decode()
            for row in database.execute(f"PRAGMA table_info({table})")]


def compare_rows(journal, rows):
    for entry, (seq, kind, time, _, leaf) in zip(journal.entries, rows):
        if seq != entry.number:
            journal.at(entry, f"its row has number {seq}")
        if kind.decode("utf-8", "replace") != entry.kind or (
                time != entry.time):
            journal.at(entry, "kind or time of its row is another")
        if leaf != entry.leaf:
            journal.at(entry, "its leaf hash is not that of its bytes")


def compare_nodes(journal, rows):
    have = {(level, index): node for level, index, node in rows}
    must = journal.tree.complete()
    for place in sorted(set(have) | set(must)):
        if have.get(place) != must.get(place):
            level, index = place
            journal.find(f"node {level}/{index}", "it is not the tree's")


# ---- from an export -------------------------------------------------------


def read_export(directory):
    """From the layout of C2SP tlog-tiles, with evidence beside it."""
    journal = Journal()
    journal.public, journal.exported = directory, True
    files = set(files_below(directory))
    try:
        note = c2sp.Note(read(directory, "checkpoint"))
        size = c2sp.Checkpoint(note.text).size
        lines = read_bundles(directory, size)
    except (OSError, c2sp.BadNote) as problem:
        journal.find("export", f"it cannot be read: {problem}")
        return journal
    journal.take(lines)
    compare_tiles(journal, directory, size, files)
    for path in sorted(p for p in files if p.startswith("evidence/")):
        data = read(directory, path)
        digest = hex_digest(data)
        if path != f"evidence/{digest[:2]}/{digest}":
            journal.find(path, "it is not what its name says")
        else:
            journal.evidence[digest] = data
    return journal


def read(directory, path):
    with open(os.path.join(directory, path), "rb") as file:
        return file.read()


def files_below(directory):
    for place, _, names in os.walk(directory):
        for name in names:
            yield os.path.relpath(os.path.join(place, name), directory)


def read_bundles(directory, size):
    lines = []
    for number in range((size + 255) // 256):
        width = min(256, size - 256 * number)
        entries = c2sp.bundle_entries(read(
            directory, c2sp.tile_path("entries", number, width)))
        c2sp.demand(len(entries) == width, "a bundle of another width")
        lines += entries
    return lines


def compare_tiles(journal, directory, size, files):
    """The tiles of this size; older partial ones fit too, and no others."""
    for level, number, width in c2sp.tiles(size):
        path = c2sp.tile_path(level, number, width)
        if path not in files:
            journal.find(path, "it is missing")
    for path in sorted(p for p in files if p.startswith("tile/")):
        if read(directory, path) != expected_tile(journal, path, size):
            journal.find(path, "it is not the tree's")


def expected_tile(journal, path, size):
    match = re.fullmatch(
        r"tile/(entries|\d+)/((?:x\d{3}/)*\d{3})(?:\.p/(\d+))?", path)
    if match is None:
        return None
    number = int(match[2].replace("x", "").replace("/", ""))
    width = 256 if match[3] is None else int(match[3])
    level = 0 if match[1] == "entries" else int(match[1])
    if not 0 < width <= 256 or (256 * number + width) * 256 ** level > size:
        return None
    if match[1] != "entries":
        return c2sp.tile_bytes(journal.tree, level, number, width)
    some = journal.entries[256 * number:256 * number + width]
    return b"".join(len(e.line).to_bytes(2, "big") + e.line for e in some)
