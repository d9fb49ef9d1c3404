"""The files in public/, and the proofs beside them."""

import base64
import binascii
import os
import subprocess

import c2sp
from entries import files_below, hex_digest, read, strict_json

# Directory, and the endings of DER (a request has none) and PEM.
DIRECTORIES = {"certificate": ("certs", "der", "pem"),
               "crl": ("crls", "crl", "pem"), "csr": ("csrs", None, "csr")}


EXPORTED = {"checkpoint", "checkpoints", "tile", "evidence", "anchor", "certs",
            "crls", "csrs", "ocsp", "journal"}


def der_of(data):
    """SHA-256 of a file's DER."""
    lines = data.split(b"\n")
    if lines[0].startswith(b"-----BEGIN"):
        try:
            data = base64.b64decode(b"".join(lines[1:-2]), validate=True)
        except binascii.Error:
            return None
    return hex_digest(data)


class Published:
    def __init__(self, journal, people, objects, checkpoints, responses):
        self.journal, self.people = journal, people
        self.responses = responses
        self.objects, self.checkpoints = objects, checkpoints
        self.files = {}      # path: SHA-256
        self.named = {}      # certs/NAME: number of its result
        self.made = {}       # certs/NAME.der, .pem: SHA-256 of the DER

    def close(self, entry):
        """What a `close` entry says was published."""
        content = self.journal.evidence.get(entry.data["files"])
        if content is None:
            return
        try:
            rows = {row["path"]: row["sha256"] for row in
                    strict_json(content)}
            count = len(strict_json(content))
        except (ValueError, KeyError, TypeError) as problem:
            self.journal.at(entry, f"its files cannot be read: {problem!r}")
            return
        if entry.data["published"] != count or len(rows) != count:
            self.journal.at(entry, "its files are miscounted")
        self.files.update(rows)
        self.compare_results(entry, rows)

    def compare_results(self, entry, rows):
        """Each object of the run once as PEM and once as it was signed."""
        must = set()
        for number, (kind, name, digest) in self.objects.results.items():
            if self.journal.entries[number].data["run"] != entry.data["run"]:
                continue
            folder, der, pem = DIRECTORIES[kind]
            stem = f"public/{folder}/{name}"
            must |= {f"{stem}.{ending}" for ending in (der, pem) if ending}
            self.named[f"{folder}/{name}"] = number
            if der and rows.get(f"{stem}.{der}") not in (digest, None):
                self.journal.at(entry, f"{stem}.{der} is not the result")
        if entry.data["outcome"] == "done" and must != set(rows):
            self.journal.at(entry, f"its files are not those of its results: "
                                   f"{sorted(must ^ set(rows))}")

    def unclosed(self):
        """What an open run has made may be there already; as it was made."""
        for number, (kind, name, digest) in self.objects.results.items():
            folder, *endings = DIRECTORIES[kind]
            self.named.setdefault(f"{folder}/{name}", number)
            for ending in endings:
                self.made[f"{folder}/{name}.{ending}"] = digest

    def compare(self):
        self.unclosed()
        directory = self.journal.public
        if directory is None:
            return
        if self.journal.exported:
            self.exported(directory)
        else:
            self.proofs_of(directory)
        have = {path for path in files_below(directory)
                if path.split("/")[0] in ("certs", "crls", "csrs", "ocsp",
                                          "anchor", "journal")}
        for path, digest in sorted(self.files.items()):
            name = path[len("public/"):]
            if name not in have:
                self.journal.find(path, "it is missing")
            elif hex_digest(read(directory, name)) != digest:
                self.journal.find(path, "it is not what was published")
        self.responses.compare_files(directory, have)
        for name in sorted(have):
            if not name.startswith("ocsp/"):
                self.known(directory, name)

    def exported(self, directory):
        """The checkpoints of an export; the newest counts all its entries."""
        for name in sorted(files_below(directory)):
            folder, _, rest = name.partition("/")
            if folder not in EXPORTED:
                self.journal.find(name, "an export has no such file")
            if folder in ("checkpoint", "checkpoints"):
                found = self.checkpoint(name, read(directory, name), False)
                if folder == "checkpoints" and found is not None and (
                        str(found.size) != rest):
                    self.journal.find(name, "it is of another size")
        for text in self.checkpoints.texts:
            size = text.split("\n")[1]
            if not os.path.exists(f"{directory}/checkpoints/{size}"):
                self.journal.find(f"checkpoints/{size}", "it is missing")

    def proofs_of(self, directory):
        """Each object has one as soon as a checkpoint counts its result."""
        if self.checkpoints.texts and not os.path.exists(
                f"{directory}/journal/checkpoint"):
            self.journal.find("public/journal/checkpoint", "it is missing")
        for name, number in sorted(self.named.items()):
            run = self.people.runs.get(
                self.journal.entries[number].data["run"], {})
            if run.get("end", number) < max(
                    self.checkpoints.sizes, default=0) and (
                    run.get("closed") == "done") and (
                    not name.startswith("csrs/")) and not os.path.exists(
                    f"{directory}/{name}.tlog-proof"):
                self.journal.find(f"public/{name}.tlog-proof",
                                  "it is missing")

    def known(self, directory, name):
        if f"public/{name}" in self.files:
            return
        folder = name.split("/")[0]
        if name.endswith(".tlog-proof"):
            self.proof(directory, name)
        elif folder == "anchor":
            self.anchor(directory, name)
        elif name == "journal/checkpoint":
            self.checkpoint(name, read(directory, name), True)
        elif name not in self.made or der_of(
                read(directory, name)) != self.made[name]:
            self.journal.find(f"public/{name}", "no entry says this file")

    def checkpoint(self, place, data, newest):
        """Its text is a checkpoint of the journal (the newest), signed."""
        try:
            note = c2sp.Note(data)
            found = c2sp.Checkpoint(note.text)
        except c2sp.BadNote as problem:
            self.journal.find(place, f"it is no checkpoint: {problem}")
            return None
        fault = note.signed_by(found.origin, self.people.journal_key or b"")
        texts = self.checkpoints.texts
        if fault is not None:
            self.journal.find(place, fault)
        elif self.journal.exported:
            if found.size > len(self.journal.entries) or (
                    found.root != self.journal.tree.root(found.size)):
                self.journal.find(place, "it is no checkpoint of this")
        elif note.text not in texts:
            self.journal.find(place, "it is no checkpoint of this journal")
        elif newest and note.text != texts[-1]:
            self.journal.find(place, "it is not the newest checkpoint")
        return found

    def proof(self, directory, name):
        place = f"public/{name}"
        try:
            proof = c2sp.InclusionProof(read(directory, name))
        except c2sp.BadNote as problem:
            self.journal.find(place, f"it is no proof: {problem}")
            return
        number = self.named.get(name[:-len(".tlog-proof")])
        head = self.checkpoint(place, proof.checkpoint, False)
        if number is None or proof.index != number or head is None:
            self.journal.find(place, "it is for another entry")
            return
        entry = self.journal.entries[number]
        if proof.extra != entry.line:
            self.journal.find(place, "its entry is another")
        elif not c2sp.is_included(entry.leaf, number, head.size, proof.path,
                                  head.root):
            self.journal.find(place, "it proves nothing")

    def anchor(self, directory, name):
        """Whatever stands there is in the evidence, or made of it."""
        data = read(directory, name)
        if hex_digest(data) in self.journal.evidence:
            if os.path.basename(name) == "anchor.txt" and (
                    hex_digest(data) != self.newest_anchor()):
                self.journal.find(f"public/{name}", "it is not the newest")
            return
        if name == "anchor/journal-key.pem" and self.people.journal_key:
            pem = subprocess.run(
                ["openssl", "pkey", "-pubin", "-inform", "DER"],
                input=self.people.journal_key, capture_output=True,
                check=False).stdout
            if pem == data:
                return
        self.journal.find(f"public/{name}", "it is not in the evidence")

    def newest_anchor(self):
        return next((e.data["text"] for e in reversed(self.journal.entries)
                     if e.kind == "anchor" and e.fault is None), None)
