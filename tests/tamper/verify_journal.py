#!/usr/bin/env python3
"""Check a journal without ca-tool: from docs/journal.md, docs/quorum.md, RFC
6962 and C2SP's texts, with Python's standard library and the openssl tool.

    verify_journal.py [--anchor anchor.txt] [--receipt checkpoint] [DIR]

DIR is an authority's directory or an export; anchor and receipts are what
people took home, and the journal must fit them.  Each finding is a line; exit
status 0 if there is none (but warnings), 3 if there are.
"""

import argparse
import os
import sys

import c2sp
import entries
import rebuild
from objects import Objects
from people import People
from published import Published
from responses import Responses


class Checkpoints:
    """Heads, checkpoints and epochs: each states a beginning of the tree."""

    def __init__(self, journal, people):
        self.journal, self.people = journal, people
        self.origin, self.epoch, self.serial = None, 0, None
        self.texts, self.sizes = [], []

    def take(self, entry):
        handler = getattr(self, "on_" + entry.kind, None)
        if handler is not None:
            handler(entry, entry.data)

    def is_root(self, entry, size, root):
        if type(size) is not int or not 0 <= size <= entry.number or (
                self.journal.tree.root(size).hex() != root):
            self.journal.at(entry, "its root is not that of so many entries")

    def on_genesis(self, _entry, data):
        self.origin = data["authority"]

    def on_token(self, _entry, data):
        self.serial = data["serial"]

    def on_head(self, entry, data):
        if (data["origin"], data["epoch"]) != (self.origin, self.epoch):
            self.journal.at(entry, "its origin or epoch is not in force")
        if data["serial"] != self.serial:
            self.journal.at(entry, "it is on another token")
        self.is_root(entry, data["size"], data["root"])

    def on_epoch(self, entry, data):
        was = data["was"]
        if data["epoch"] <= self.epoch or was.get("origin") != self.origin:
            self.journal.at(entry, "it does not follow the epoch before")
        self.is_root(entry, was.get("size"), was.get("root"))
        self.origin, self.epoch = data["origin"], data["epoch"]

    def on_checkpoint(self, entry, data):
        self.is_root(entry, data["size"], data["root"])
        try:
            note = c2sp.Note(data["note"].encode())
            found = c2sp.Checkpoint(note.text)
        except (c2sp.BadNote, UnicodeEncodeError) as problem:
            self.journal.at(entry, f"its note is malformed: {problem}")
            return
        fault = note.signed_by(self.origin, self.people.journal_key or b"")
        if fault is not None:
            self.journal.at(entry, fault)
        if (found.origin, found.size, found.root.hex()) != (
                self.origin, data["size"], data["root"]):
            self.journal.at(entry, "its note states something else")
        elif self.sizes:
            self.is_consistent(entry, self.sizes[-1], found)
        self.texts.append(note.text)
        self.sizes.append(data["size"])

    def is_consistent(self, entry, old, new):
        """With the checkpoint before, by a proof of RFC 6962."""
        tree = self.journal.tree
        if old > new.size or not c2sp.is_consistent(
                old, new.size, tree.root(old), new.root,
                tree.consistency(old, new.size)):
            self.journal.at(entry, "it is not consistent with the one before")


def check_evidence(journal, people):
    """All that entries name is there.  A run that was killed may have left some
    that no entry names: a warning."""
    named = set(people.named)
    for entry in journal.entries:
        members = entries.EVIDENCE.get(entry.kind, [])
        wanted = {entry.data.get(name) for name in members} - {None}
        if entry.kind == "epoch":
            wanted |= set(entry.data.get("receipts", []))
        if entry.kind == "event" and "statement" in entry.data:
            wanted |= {entry.data[name]
                       for name in ("file", "content", "statement")}
        if entry.kind == "plan":
            wanted |= {item.get("sha256")
                       for item in entry.data.get("late", [])
                       if isinstance(item, dict)}
        for digest in sorted(wanted - set(journal.evidence)):
            journal.at(entry, f"its evidence {digest} is missing")
        named |= wanted
    for digest in sorted(set(journal.evidence) - named):
        journal.warnings.append((f"evidence {digest}", "no entry names it"))


def check_anchor(journal, people, path):
    """Against what was taken out of the room."""
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    said = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
    have = {"authority": people.authority, "genesis": people.genesis,
            "journal-key": entries.hex_digest(people.journal_key or b"")}
    for name, value in have.items():
        if said.get(name) != value:
            journal.find("anchor", f"the {name} is another")
    if said.get("set") not in people.sets:
        journal.find("anchor", "its set was never in force")


def check_receipt(journal, people, path):
    """A checkpoint that was taken home is one of a beginning of the journal."""
    with open(path, "rb") as file:
        note = c2sp.Note(file.read())
    found = c2sp.Checkpoint(note.text)
    fault = note.signed_by(found.origin, people.journal_key or b"")
    if fault is not None:
        journal.find("receipt", fault)
    if found.size > len(journal.entries):
        journal.find("receipt", f"it counts {found.size} entries, and there "
                                f"are {len(journal.entries)}")
    elif journal.tree.root(found.size) != found.root:
        journal.find("receipt", "the journal was another then")


def check_times(journal):
    """When runs begin and go on (docs/journal.md)."""
    floor, corrects = 0, None
    for entry in journal.entries:
        if entry.fault is not None:
            continue
        if entry.kind in ("plan", "resumed") and entry.time < floor:
            corrects = entry
        if entry.kind == "clock":
            floor = entries.seconds(entry.data["now"])
            if corrects and corrects.data["run"] == entry.data["run"]:
                corrects = None
        if entry.kind == "close" and corrects is not None:
            journal.at(corrects, "the clock is before that of earlier runs")
            corrects = None
        if entry.kind in ("plan", "list", "intent", "result", "ocsp-intent",
                          "ocsp-result", "close"):
            floor = max(floor, entry.time)


def verify(directory, anchor=None, receipt=None):
    """The journal, with its findings and warnings: (place, text)."""
    if os.path.isdir(os.path.join(directory, "tile")):
        journal = entries.read_export(directory)
    else:
        journal = entries.read_database(directory)
    people = People(journal)
    objects = Objects(journal, people)
    checkpoints = Checkpoints(journal, people)
    responses = Responses(journal, people, objects)
    published = Published(journal, people, objects, checkpoints, responses)
    tables = rebuild.Tables(journal.evidence)
    for entry in journal.entries:
        if entry.fault is not None:
            continue
        if (entry.kind == "genesis") != (entry.number == 0):
            journal.at(entry, "a journal begins with genesis, once")
        people.take(entry)
        objects.take(entry)
        responses.take(entry)
        checkpoints.take(entry)
        tables.apply(entry)
        if entry.kind == "close":
            published.close(entry)
    if not journal.entries:
        journal.find("journal", "it is empty")
    people.end()
    check_times(journal)
    check_evidence(journal, people)
    published.compare()
    if journal.rows is not None:
        rebuild.compare(journal, tables)
    if anchor is not None:
        check_anchor(journal, people, anchor)
    if receipt is not None:
        check_receipt(journal, people, receipt)
    return journal


def main():
    parser = argparse.ArgumentParser(
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=__doc__)
    parser.add_argument("--anchor")
    parser.add_argument("--receipt")
    parser.add_argument("directory", nargs="?", default=".")
    options = parser.parse_args()
    journal = verify(options.directory, options.anchor, options.receipt)
    for place, text in journal.warnings:
        print(f"{place}: warning: {text}")
    for place, text in journal.findings:
        print(f"{place}: {text}")
    return 3 if journal.findings else 0


if __name__ == "__main__":
    sys.exit(main())
