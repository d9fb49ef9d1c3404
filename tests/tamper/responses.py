"""OCSP responses: each batch against its list, each window against its batch,
each response against its window (docs/journal.md; RFC 6960; RFC 9919, section 5,
for the files)."""

import base64
import binascii
import hashlib
import os
import urllib.parse

import asn1
import c2sp
from entries import hex_digest, seconds
from objects import same_reason
from openssl import verifies

PLACE = {"run", "list", "window", "first", "count", "name", "key", "algorithm",
         "root", "items"}
DIGESTS = {"1.3.14.3.2.26": "sha1", "2.16.840.1.101.3.4.2.1": "sha256"}


def root_of(leaves):
    tree = c2sp.Tree([c2sp.leaf_hash(leaf) for leaf in leaves])
    return tree.root(len(leaves)).hex()


def file_name(named):
    """How a client asks with GET: an OCSPRequest with this CertID alone."""
    for _ in range(4):
        length = len(named)
        head = bytes([length]) if length < 0x80 else (
            bytes([0x81, length]) if length < 0x100 else
            b"\x82" + length.to_bytes(2, "big"))
        named = b"\x30" + head + named
    return urllib.parse.quote(base64.b64encode(named), safe="")


def ascends(lines):
    serials = [(len(line[0]), line[0]) for line in lines]
    return all(a < b for a, b in zip(serials, serials[1:]))


class Responses:
    """A pass over the entries, behind `people` and `objects`."""

    def __init__(self, journal, people, objects):
        self.journal, self.people, self.objects = journal, people, objects
        self.batches = {}  # (run, list, name): "row", "lines", "free"
        self.windows = {}  # (run, list, name, window): "entry", "lines", ...
        self.files = {}    # batch/name: (SHA-256, run)

    def bad(self, entry, text):
        self.journal.at(entry, text)

    def take(self, entry):
        handler = getattr(self, "on_" + entry.kind.replace("-", "_"), None)
        if handler is not None:
            handler(entry, entry.data)

    def lines(self, entry, digest, fields):
        """Of a list; None where it is not there or malformed."""
        text = self.journal.evidence.get(digest)
        if text is None:
            return None
        lines = text.split(b"\n")
        rows = [line.split(b" ") for line in lines[:-1]]
        if lines[-1] != b"" or not all(len(row) in fields for row in rows):
            self.bad(entry, "its items are malformed")
            return None
        if not ascends(rows):
            self.bad(entry, "its items do not ascend")
        return lines[:-1]

    # ---- lists ------------------------------------------------------------

    def on_list(self, entry, data):
        """The lines under the root that operators confirmed."""
        rows = self.people.runs.get(data["run"], {"lists": {}})["lists"].get(
            data["list"], (None, {}))[1]
        for row in rows.get("batches", []):
            lines = self.lines(entry, row["items"], (3,))
            if lines is not None and (len(lines), root_of(lines)) != (
                    row["count"], row["root"]):
                self.bad(entry, f"the root of {row['name']} is another")
            self.batches[(data["run"], data["list"], row["name"])] = {
                "row": row, "lines": lines or [],
                "free": set(range(row["count"]))}

    # ---- intents ----------------------------------------------------------

    def on_ocsp_intent(self, entry, data):
        place = (data["run"], data["list"], data["name"])
        if (*place, data["window"]) in self.windows:
            self.bad(entry, "it comes twice")
        lines = self.lines(entry, data["items"], (3,)) or []
        self.windows[(*place, data["window"])] = {
            "entry": entry, "lines": lines, "state": "open"}
        if (len(lines), root_of(lines)) != (data["count"], data["root"]):
            self.bad(entry, "its root or count is not that of its items")
        self.compare_batch(entry, data, self.batches.get(place), lines)
        self.check_signer(entry, data)
        self.objects.check_profile(entry, data, "ocsp-response")
        for line in lines:
            self.check_status(entry, data, line)

    def compare_batch(self, entry, data, batch, lines):
        if batch is None:
            self.bad(entry, "its list has no such responses")
            return
        row, first = batch["row"], data["first"]
        numbers = set(range(first, first + data["count"]))
        if (row["key"], row["algorithm"]) != (data["key"],
                                              data["algorithm"]) or (
                row["facts"] != {name: value for name, value in data.items()
                                 if name not in PLACE}):
            self.bad(entry, "it says other things than its list")
        if not numbers <= batch["free"]:
            self.bad(entry, "it is of what was intended before, or not listed")
        if batch["lines"][first:first + data["count"]] != lines:
            self.bad(entry, "its items are not those of its list there")
        batch["free"] -= numbers

    def check_signer(self, entry, data):
        key = self.objects.key_of(data["key"])
        wanted = "ca" if data["responder"] is None else "ocsp"
        if key is None or key["purpose"] != wanted:
            self.bad(entry, "its key is not on the token, or for another "
                            "purpose")
        certificates = self.objects.certificates
        issuer = certificates.get(data["issuer"])
        signer = certificates.get(data["responder"] or data["issuer"])
        if issuer is None or signer is None:
            self.bad(entry, "its issuer or responder is not there")
            return
        if hex_digest(issuer.subject) != data["issuer_dn"] or (
                hex_digest(signer.spki) != data["key"]):
            self.bad(entry, "it does not fit its issuer or responder")
        if data["responder"] is not None and (
                signer.issuer != issuer.subject or signer.serial in
                self.objects.revoked.get(data["issuer_dn"], {})):
            self.bad(entry, "its responder is another's, or revoked")
        if seconds(data["next_update"]) > min(issuer.not_after,
                                              signer.not_after):
            self.bad(entry, "it outlives its issuer or responder")
        self.objects.check_state(entry, hex_digest(issuer.spki), "ocsp")

    def check_status(self, entry, data, line):
        serial, status = (field.decode("ascii", "replace")
                          for field in line.split(b" ")[:2])
        revoked = serial in self.objects.revoked.get(data["issuer_dn"], {})
        if not revoked and (data["issuer_dn"],
                            serial) not in self.objects.known:
            self.bad(entry, f"nobody knows a certificate {serial}")
        if status != ("revoked" if revoked else "good"):
            self.bad(entry, f"the status of {serial} is another")

    # ---- results ----------------------------------------------------------

    def window_of(self, entry, data):
        found = self.windows.get((data["run"], data["list"], data["name"],
                                  data["window"]))
        if found is None or found["state"] != "open":
            self.bad(entry, "it does not follow from an intent")
            return None
        return found

    def on_ocsp_failed(self, entry, data):
        window = self.window_of(entry, data)
        if window is not None:
            window["state"] = "failed"

    def on_ocsp_result(self, entry, data):
        window = self.window_of(entry, data)
        if window is None:
            return
        window["state"] = "signed"
        if not self.objects.under_head(window["entry"].number, entry.number):
            self.bad(entry, "it was signed without a head on the token")
        lines = self.lines(entry, data["items"], (2, 3)) or []
        signed = []
        if not len(lines) == len(window["lines"]) == data["count"]:
            self.bad(entry, "its items are not those of its intent")
        for number, (line, wanted) in enumerate(zip(lines, window["lines"])):
            try:
                der = self.judge(entry, window["entry"].data, line, wanted)
            except (asn1.Malformed, ValueError, IndexError,
                    binascii.Error) as problem:
                self.bad(entry, f"response {number} is malformed: {problem!r}")
                continue
            if der is not None:
                signed.append(der)
                continue
            place = (data["run"], data["list"], data["name"])
            self.batches.get(place, {"free": set()})["free"].add(
                window["entry"].data["first"] + number)
        if root_of(signed) != data["root"]:
            self.bad(entry, "its root is not that of its responses")

    def judge(self, entry, intent, line, wanted):
        """The response of a line; None if it was not signed."""
        serial, digest, *rest = line.split(b" ")
        asked, _, tbs = wanted.split(b" ")
        if serial != asked:
            self.bad(entry, f"{serial!r} was not intended there")
        if not rest:
            if digest != b"-":
                raise ValueError("no octets")
            return None
        der = base64.b64decode(rest[0], validate=True)
        response = asn1.Response(der)
        key = self.objects.key_of(intent["key"])
        if hex_digest(der).encode() != digest or (
                hex_digest(response.tbs).encode() != tbs):
            self.bad(entry, f"the response about {serial!r} is another")
        if response.algorithm.hex() != intent["algorithm"] or key is None or (
                not verifies(key["spki"], response.algorithm,
                             response.signature, response.tbs)):
            self.bad(entry, f"the signature of {serial!r} does not verify")
        responder = self.objects.certificates.get(intent["responder"])
        if response.certificates != [c.der for c in [responder] if c]:
            self.bad(entry, "beside it is another certificate")
        for single in response.singles:
            self.compare_single(entry, intent, single, serial.decode())
            self.files[f"{intent['name']}/{file_name(single.named)}"] = (
                hex_digest(der), intent["run"])
        return der

    def compare_single(self, entry, intent, single, serial):
        issuer = self.objects.certificates.get(intent["issuer"])
        if issuer is None or single.digest not in DIGESTS:
            self.bad(entry, f"nobody knows whose certificate {serial} is")
            return
        key = asn1.whole(issuer.spki).parts()[1].bits()
        hashes = [hashlib.new(DIGESTS[single.digest], part).digest()
                  for part in (issuer.subject, key)]
        date, reason = self.objects.revoked.get(intent["issuer_dn"], {}).get(
            serial, (None, None))
        if [single.name_hash, single.key_hash] != hashes or (
                single.serial != serial) or single.date != date or (
                date is not None and not same_reason(single.reason, reason)):
            self.bad(entry, f"its response says something else of {serial}")
        if single.this_update != seconds(intent["this_update"]) or not (
                single.this_update < single.next_update <=
                seconds(intent["next_update"])):
            self.bad(entry, f"the response about {serial} has other dates")

    # ---- the end ----------------------------------------------------------

    def on_close(self, entry, data):
        windows = [window for place, window in self.windows.items()
                   if place[0] == data["run"]]
        if any(window["state"] == "open" for window in windows):
            self.bad(entry, "a window of its run is open")
        if data["outcome"] != "done":
            return
        newest = max((place[1] for place in self.batches
                      if place[0] == data["run"]), default=None)
        for place, batch in self.batches.items():
            if place[:2] == (data["run"], newest) and batch["free"]:
                self.bad(entry, f"responses of {place[2]} were not signed")

    def compare_files(self, directory, published):
        """Those in public/ocsp, and no others; an export may have none."""
        have = {path[len("ocsp/"):] for path in published
                if path.startswith("ocsp/")}
        for name, (digest, run) in sorted(self.files.items()):
            closed = self.people.runs.get(run, {}).get("closed")
            if name not in have:
                if closed and not self.journal.exported:
                    self.journal.find(f"public/ocsp/{name}", "it is missing")
                continue
            with open(os.path.join(directory, "ocsp", name), "rb") as file:
                if hex_digest(file.read()) != digest:
                    self.journal.find(f"public/ocsp/{name}",
                                      "it is not what was signed")
        for name in sorted(have - set(self.files)):
            self.journal.find(f"public/ocsp/{name}", "no entry says this file")
