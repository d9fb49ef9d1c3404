"""What must be true of an authority, found out without ca-tool's code.

Reads journal.db with Python's sqlite3, builds the Merkle tree again, and lets
the openssl tool judge what was published.
"""

import base64
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import tempfile


class Violation(Exception):
    """An invariant does not hold."""


def demand(condition, text):
    if not condition:
        raise Violation(text)


def openssl(*args, **popen):
    done = subprocess.run(["openssl", *args], capture_output=True, text=True,
                          check=False, **popen)
    demand(done.returncode == 0,
           f"openssl {' '.join(args)}: {done.stderr.strip()}"
           f"{done.stdout.strip()}")
    return done.stdout


# ---- the journal ----------------------------------------------------------


class Journal:
    """The entries of a journal.db, rolled back as SQLite would."""

    def __init__(self, directory):
        self.lines = []
        self.evidence = {}
        with tempfile.TemporaryDirectory(dir=".") as copy:
            for name in ("journal.db", "journal.db-journal"):
                source = os.path.join(directory, name)
                if os.path.exists(source):
                    shutil.copy(source, copy)
            path = os.path.join(copy, "journal.db")
            if os.path.exists(path):
                self._read(path)
        self.entries = [json.loads(line) for line in self.lines]
        for number, entry in enumerate(self.entries):
            demand(entry["seq"] == number, f"entry {number} is out of place")

    def _read(self, path):
        database = sqlite3.connect(path)
        try:
            rows = database.execute("PRAGMA integrity_check").fetchall()
            demand(rows == [("ok",)], f"journal.db is damaged: {rows}")
            tables = database.execute(
                "SELECT name FROM sqlite_schema WHERE name = 'entries'")
            if not tables.fetchall():
                return
            rows = database.execute(
                "SELECT seq, body, leaf FROM entries ORDER BY seq")
            for _, body, leaf in rows:
                demand(leaf == hashlib.sha256(b"\0" + body).digest(),
                       "a leaf hash is not that of its entry")
                self.lines.append(bytes(body))
            for digest, data in database.execute(
                    "SELECT sha256, bytes FROM evidence"):
                demand(digest == hashlib.sha256(data).digest(),
                       "evidence is not what its hash says")
                self.evidence[digest.hex()] = bytes(data)
        except sqlite3.DatabaseError as problem:
            raise Violation(f"journal.db is damaged: {problem}") from problem
        finally:
            database.close()

    def data(self, *kinds):
        return [e["data"] for e in self.entries if e["kind"] in kinds]

    def ready(self):
        return {"subject": "authority", "state": "ready"} in self.data("state")

    def open_runs(self):
        closed = {d["run"] for d in self.data("close")}
        return [d for d in self.data("plan") if d["run"] not in closed]

    def closed_plans(self):
        closed = {d["run"] for d in self.data("close")}
        return {d["plan"] for d in self.data("plan") if d["run"] in closed}

    def live_keys(self):
        gone = {d["id"] for d in self.data("key-destroyed")}
        return {d["name"]: d for d in self.data("key") if d["id"] not in gone}

    def root(self, size):
        """Merkle tree hash of the first entries, RFC 6962 section 2.1."""
        def subtree(leaves):
            if len(leaves) == 1:
                return leaves[0]
            half = 1
            while half * 2 < len(leaves):
                half *= 2
            return hashlib.sha256(
                b"\1" + subtree(leaves[:half]) + subtree(leaves[half:])
            ).digest()
        return subtree([hashlib.sha256(b"\0" + line).digest()
                        for line in self.lines[:size]])

    def checkpoint_text(self, size):
        origin = self.entries[0]["data"]["authority"]
        root = base64.b64encode(self.root(size)).decode()
        return f"{origin}\n{size}\n{root}\n"

    def items(self, data, count):
        """Lines of the evidence that OCSP entries name."""
        lines = self.evidence[data["items"]].decode().splitlines()
        demand(len(lines) == count, "a window has not as many lines")
        return lines

    def revoked(self, issuer):
        """Serials, as numbers, of what is revoked of this issuer."""
        serials = {int(d["serial"], 16) for d in self.data("revoked")
                   if d["issuer"] == issuer}
        for data in self.data("revocations"):
            if data["issuer"] == issuer:
                lines = self.evidence[data["list"]].decode().splitlines()[1:]
                demand(len(lines) == data["count"], "a list is cut")
                serials |= {int(line.split()[0], 16) for line in lines}
        return serials

    def signable(self):
        """SHA-256 of all that the token may be asked to sign by now."""
        digests = {d["tbs"] for d in self.data("intent")}
        for intent in self.data("ocsp-intent"):
            digests |= {line.split()[2] for line in
                        self.items(intent, intent["count"])}
        for size in range(1, len(self.lines) + 1):
            text = self.checkpoint_text(size).encode()
            digests.add(hashlib.sha256(text).hexdigest())
        return digests


def check_marks(journal, marks):
    """Each signature had a durable intent, and its head on the token."""
    marks = set(marks)
    unknown = marks - journal.signable()
    demand(not unknown, f"signed without a durable intent: {sorted(unknown)}")
    head = max((d["size"] for d in journal.data("head")), default=0)
    early = [entry["seq"] for entry in journal.entries
             if entry["seq"] >= head and (
                 (entry["kind"] == "intent" and
                  entry["data"]["tbs"] in marks) or
                 (entry["kind"] == "ocsp-intent" and not marks.isdisjoint(
                     line.split()[2] for line in journal.items(
                         entry["data"], entry["data"]["count"]))))]
    demand(not early, f"signed without a head on the token: {early}")


def check_numbers(journal):
    """No serial and no CRL number stands in two intents."""
    used = set()
    for intent in journal.data("intent"):
        number = intent.get("serial") or intent.get("number")
        if number is None:
            continue
        key = (intent["issuer_dn"], intent["kind"], str(number))
        demand(key not in used, f"used twice: {key}")
        used.add(key)


def check_accounted(journal, marks):
    """What was signed has a result or is known to be possibly signed."""
    ends = {(d["run"], d["list"], d["object"])
            for d in journal.data("result", "failed")}
    revoked = {(d["issuer_dn"], d["serial"].lower())
               for d in journal.data("revoked")}
    failed = {(d["run"], d["list"], d["object"]): d["possibly_signed"]
              for d in journal.data("failed")}
    for intent in journal.data("intent"):
        place = (intent["run"], intent["list"], intent["object"])
        demand(place in ends,
               f"neither result nor failure: {intent['name']}")
        if failed.get(place) is False:
            demand(intent["tbs"] not in marks,
                   f"signed, and said not to be: {intent['name']}")
        if failed.get(place) and intent["kind"] == "certificate" and (
                intent["certificate_kind"] != "root"):
            demand((intent["issuer_dn"], intent["serial"].lower()) in revoked,
                   f"possibly signed and not revoked: {intent['serial']}")
    results = [d for d in journal.data("result")]
    places = [(d["run"], d["name"]) for d in results]
    kinds = {(d["run"], d["list"], d["object"]): d["kind"]
             for d in journal.data("intent")}
    named = [(kinds[(d["run"], d["list"], d["object"])], d["name"])
             for d in results]
    demand(len(named) == len(set(named)),
           f"two results of one name: {places}")
    demand(set(marks) <= journal.signable(), "a mark without an intent")
    check_windows(journal)


def check_windows(journal):
    """Each window of OCSP responses has one end."""
    def places(*kinds):
        return sorted((d["run"], d["list"], d["name"], d["window"])
                      for d in journal.data(*kinds))
    demand(places("ocsp-intent") == places("ocsp-result", "ocsp-failed"),
           "a window of OCSP responses has no end, or two")


# ---- the files ------------------------------------------------------------


def files_below(directory):
    return [os.path.relpath(os.path.join(path, name), directory)
            for path, _, names in os.walk(directory) for name in names]


def check_no_rubbish(directory):
    rubbish = [name for name in files_below(directory)
               if ".tmp-" in name or name == "journal.db-journal"]
    demand(not rubbish, f"temporary files are left: {rubbish}")


def sha256_of(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def check_published(directory, journal, certificates, crls):
    """All that was published is there, whole, and is what was journalled."""
    public = os.path.join(directory, "public")
    proof = "tlog-proof"
    wanted = {f"certs/{n}.{e}" for n in certificates
              for e in ("pem", "der", proof)}
    wanted |= {f"crls/{n}.{e}" for n in crls for e in ("pem", "crl", proof)}
    found = {name for name in files_below(public)
             if name.startswith(("certs/", "crls/", "csrs/"))}
    demand(found == wanted, f"published {sorted(found ^ wanted)} wrongly")
    results = {d["sha256"] for d in journal.data("result")}
    for name in certificates:
        check_object(public, results, "x509", f"certs/{name}", "der")
    for name in crls:
        check_object(public, results, "crl", f"crls/{name}", "crl")
    for close in journal.data("close"):
        demand(close["outcome"] == "done", f"closed as {close['outcome']}")
        rows = json.loads(journal.evidence[close["files"]])
        demand(len(rows) == close["published"], "files are miscounted")
        for row in rows:
            path = row["path"]
            if not path.startswith("public/"):
                path = os.path.join("public", path)
            demand(sha256_of(os.path.join(directory, path)) == row["sha256"],
                   f"not what was journalled: {row['path']}")


def check_object(public, results, command, name, der):
    path = os.path.join(public, f"{name}.{der}")
    demand(sha256_of(path) in results, f"not what was journalled: {name}")
    check_proof(os.path.join(public, f"{name}.tlog-proof"), sha256_of(path))
    one = openssl(command, "-in", path, "-inform", "DER")
    two = openssl(command, "-in", os.path.join(public, f"{name}.pem"))
    demand(one == two, f"DER and PEM differ: {name}")


def check_proof(path, digest):
    """C2SP tlog-proof, checked as RFC 9162, section 2.1.3.2, says."""
    with open(path, encoding="utf-8") as file:
        head, checkpoint = file.read().split("\n\n", 1)
    header, extra, index, *hashes = head.split("\n")
    demand(header == "c2sp.org/tlog-proof@v1", f"no proof: {path}")
    entry = base64.b64decode(extra.split(" ")[1])
    demand(json.loads(entry)["data"]["sha256"] == digest,
           f"a proof of something else: {path}")
    _, size, root = checkpoint.split("\n")[:3]
    number, last = int(index.split(" ")[1]), int(size) - 1
    digest = hashlib.sha256(b"\0" + entry).digest()
    for sibling in map(base64.b64decode, hashes):
        if number % 2 == 1 or number == last:
            digest = hashlib.sha256(b"\1" + sibling + digest).digest()
            while number % 2 == 0 and number != 0:
                number, last = number // 2, last // 2
        else:
            digest = hashlib.sha256(b"\1" + digest + sibling).digest()
        number, last = number // 2, last // 2
    demand(last == 0 and digest == base64.b64decode(root),
           f"the proof does not hold: {path}")


def check_chain(directory, root, certificates, crl):
    public = os.path.join(directory, "public")
    anchor = os.path.join(public, "certs", root + ".pem")
    crl_file = os.path.join(public, "crls", crl + ".pem")
    for name in certificates:
        openssl("verify", "-x509_strict", "-crl_check_all", "-CAfile", anchor,
                "-CRLfile", crl_file,
                os.path.join(public, "certs", name + ".pem"))


def check_leaves(directory, root, issuer, leaves):
    """Each request has its certificate, with its key and of the issuer."""
    certs = os.path.join(directory, "public", "certs")
    serials = set()
    for name, request in leaves:
        path = os.path.join(certs, name + ".pem")
        openssl("verify", "-x509_strict", "-CAfile",
                os.path.join(certs, root + ".pem"), "-untrusted",
                os.path.join(certs, issuer + ".pem"), path)
        demand(openssl("x509", "-noout", "-pubkey", "-in", path) ==
               openssl("req", "-noout", "-pubkey", "-in", request),
               f"the certificate {name} is not for the key of its request")
        serials.add(openssl("x509", "-noout", "-serial", "-in", path))
    demand(len(serials) == len(leaves), "two certificates have one serial")


def check_responses(directory, journal, name, issuer, certificates):
    """Each certificate has one response, published, that openssl verifies."""
    where = os.path.join(directory, "public", "ocsp", name)
    signed = {}
    for result in journal.data("ocsp-result"):
        for line in journal.items(result, result["count"]):
            serial, digest, *der = line.split()
            if digest == "-":
                continue
            demand(serial not in signed, f"two responses for {serial}")
            demand(hashlib.sha256(base64.b64decode(der[0])).hexdigest() ==
                   digest, "a response is not what its hash says")
            signed[serial] = digest
    files = {sha256_of(os.path.join(where, file)): os.path.join(where, file)
             for file in files_below(where)}
    demand(set(files) == set(signed.values()),
           "what is published is not what was signed")
    public = os.path.join(directory, "public")
    anchor = os.path.join(public, "certs", issuer + ".pem")
    revoked = journal.revoked(issuer)
    for certificate in certificates:
        path = os.path.join(public, "certs", certificate + ".pem")
        serial = int(openssl("x509", "-noout", "-serial", "-in",
                             path).split("=")[1], 16)
        answers = [d for s, d in signed.items() if int(s, 16) == serial]
        demand(len(answers) == 1, f"no response for {certificate}")
        text = openssl("ocsp", "-respin", files[answers[0]], "-issuer", anchor,
                       "-cert", path, "-CAfile", anchor, "-no_nonce")
        wanted = "revoked" if serial in revoked else "good"
        demand(f"{path}: {wanted}" in text, f"{certificate} is not {wanted}")


def check_revocations(directory, journal, issuer, crl, count=None):
    """The CRL lists every serial that the journal has as revoked."""
    text = openssl("crl", "-noout", "-text", "-in",
                   os.path.join(directory, "public", "crls", crl + ".pem"))
    listed = {int(line.split(":")[1], 16) for line in text.splitlines()
              if line.strip().startswith("Serial Number:")}
    revoked = journal.revoked(issuer)
    demand(listed == revoked and count in (None, len(listed)),
           f"on the CRL and revoked in the journal differ: "
           f"{sorted(listed ^ revoked)[:5]}, {len(listed)}")


def check_receipt(directory, journal):
    """The newest checkpoint is the journal's, signed, and published."""
    notes = journal.data("checkpoint")
    demand(notes, "no checkpoint")
    newest = notes[-1]
    size = int(newest["size"])
    text = journal.checkpoint_text(size)
    demand(newest["note"].startswith(text + "\n"),
           "the checkpoint is not of this journal")
    path = os.path.join(directory, "public", "journal", "checkpoint")
    with open(path, encoding="utf-8") as file:
        demand(file.read() == newest["note"],
               "the published checkpoint is not the newest")
    key = [d for d in journal.live_keys().values()
           if d["name"] in {i["name"] for i in journal.data("key-intent")
                            if i["purpose"] == "journal"}]
    demand(len(key) == 1, "not one journal key")
    check_note(newest["note"], text, bytes.fromhex(key[0]["spki"]))


def check_note(note, text, spki):
    line = note[len(text) + 1:].splitlines()[0]
    signature = base64.b64decode(line.rsplit(" ", 1)[1])[4:]
    with tempfile.TemporaryDirectory(dir=".") as scratch:
        for name, content in (("key", spki), ("sig", signature),
                              ("text", text.encode())):
            with open(os.path.join(scratch, name), "wb") as file:
                file.write(content)
        openssl("dgst", "-sha256", "-keyform", "DER", "-verify",
                f"{scratch}/key", "-signature", f"{scratch}/sig",
                f"{scratch}/text")
