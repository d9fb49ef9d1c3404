"""Forgeries by somebody who has every key: the journal's, the operators'.

`Insider.remake` signs everything anew, so that hashes, roots, notes, manifests,
lists, statements, proofs and the anchor fit each other again.  What is then
still wrong is one thing that a case did, and that the rules of the journal
forbid.  That remaking alone is accepted is a case, too."""

import functools
import json
import os
import tempfile

import c2sp
import entries
import forge
import rebuild
import responses


SCRATCH = tempfile.TemporaryDirectory()


@functools.lru_cache(maxsize=None)
def forged_key():
    """One for all cases."""
    return forge.JournalKey(SCRATCH.name)


class Insider(forge.Forgery):
    """A forger with the keys of the operators in the directory `people`."""

    def __init__(self, directory, people):
        super().__init__(directory)
        self.people = people
        self.rests = {}      # plan or list entry: the last that it rests on
        self.statements = {}  # (entry): how its signature differs
        self.proofs = {}     # path of a proof: result and checkpoint entries
        self.key = forged_key()
        self.enrolled = {}   # set and name: what was signed
        self._remember()

    # ---- what fits what, before anything is changed -----------------------

    def _remember(self):
        sizes = {}
        for entry in self.entries:
            value = entry.value
            if value["kind"] == "plan":
                size = json.loads(self.evidence(
                    value["data"]["manifest"]))["journal"]["size"]
                self.rests[entry] = self.entries[size - 1]
            elif value["kind"] == "list":
                size = self.rows_of(value["data"]["sha256"])[0]["journal"][
                    "size"]
                self.rests[entry] = self.entries[size - 1]
            elif value["kind"] == "enrolment":
                data = value["data"]
                self.enrolled[(data["set"], data["name"])] = (
                    self.enrolment_text(data))
            elif value["kind"] == "checkpoint":
                sizes[value["data"]["size"]] = entry
        kinds = {}
        for entry in self.entries:
            data = entry.value["data"]
            place = tuple(data.get(n) for n in ("run", "list", "object"))
            if entry.kind == "intent":
                kinds[place] = data["kind"]
            if entry.kind == "result":
                folder = {"certificate": "certs", "crl": "crls"}[kinds[place]]
                path = (f"{self.directory}/public/{folder}/"
                        f"{data['name']}.tlog-proof")
                if os.path.exists(path):
                    with open(path, "rb") as file:
                        proof = c2sp.InclusionProof(file.read())
                    note = c2sp.Note(proof.checkpoint)
                    self.proofs[path] = (entry, sizes[c2sp.Checkpoint(
                        note.text).size])

    def rows_of(self, digest):
        return [json.loads(line)
                for line in self.evidence(digest).splitlines()]

    # ---- changes to what is signed ----------------------------------------

    def edit_manifest(self, number, change):
        digest = self.data(number)["manifest"]
        manifest = json.loads(self.evidence(digest))
        change(manifest)
        self.evidence_replace(digest, json.dumps(
            manifest, indent=1).encode() + b"\n")

    def edit_list(self, number, change):
        digest = self.data(number)["sha256"]
        rows = self.rows_of(digest)
        rows = change(rows) or rows
        self.evidence_replace(digest, list_text(rows))

    def signs(self, number, who=None, purpose=None, content=None):
        """Entry N is signed by somebody else, for or over something else."""
        self.statements[self.entries[number]] = (who, purpose, content)

    # ---- everything anew --------------------------------------------------

    def remake(self):
        """Path of an anchor that fits."""
        old = [e for e in self.entries if e.kind == "key" and
               e.value["data"]["name"] == "journal"]
        for entry in old:
            value = entry.value
            value["data"]["spki"] = self.key.spki.hex()
            entry.value = value
        nodes, where = {}, {}
        number = 0
        while number < len(self.entries):
            entry = self.entries[number]
            self.rest_again(entry, where, nodes)
            value = self._renumber(entry, number, nodes, where)
            entry.value = value
            self.sign_again(number, nodes)
            entry.kind = entry.value["kind"]
            entry.time = forge.seconds(entry.value["time"])
            entry.leaf = forge.sha256(b"\0", entry.body).digest()
            where[entry] = number
            forge.add_leaf(nodes, number, entry.leaf)
            number += 1
        self.fix()
        self.publish()
        return self.keep_anchor()

    def rest_again(self, entry, where, nodes):
        """Manifests and lists rest on a beginning of the journal."""
        covered = self.rests.get(entry)
        while covered is not None and covered not in where:
            covered = covered.before
        if covered is None:
            return
        size = where[covered] + 1
        rests = {"size": size, "root": forge.tree_root(nodes, size).hex()}
        number = self.entries.index(entry)
        if entry.value["kind"] == "plan":
            self.edit_manifest(number, lambda m: m["journal"].update(rests))
            data = self.data(number)
            self.set(number, "data.directory",
                     f"{data['plan']}-{data['manifest'][:8]}")
        else:
            run = self.data(number)["run"]
            plan = [self.data(n) for n in self.find("plan", run=run)]

            def change(rows):
                rows[0]["journal"].update(rests)
                if plan:
                    rows[0]["manifest"] = plan[0]["manifest"]
            self.edit_list(number, change)

    def event_again(self, number, nodes):
        """What a person signed names its place in this journal."""
        entry = self.entries[number]
        data = self.data(number)
        lines = self.evidence(data["content"]).decode().splitlines()
        lines[2] = f"genesis: {self.entries[0].leaf.hex()}"
        lines[3:5] = [f"size: {number}",
                      f"root: {forge.tree_root(nodes, number).hex()}"]
        lines[-1] = f"file: {data['file']}"
        text = "".join(line + "\n" for line in lines).encode()
        who, purpose, other = self.statements.get(entry, (None, None, None))
        if other is not None:
            text = other
        self.evidence_replace(data["content"], text)
        self.sign(number, who or data["by"], text,
                  purpose or forge.PURPOSES["event"])

    def sign_again(self, number, nodes):
        entry = self.entries[number]
        value = entry.value
        kind, data = value["kind"], value["data"]
        if kind == "anchor":
            self.anchor_again(number)
            data = self.data(number)
        if kind == "event" and "statement" in data:
            self.event_again(number, nodes)
            return
        if kind == "checkpoint":
            origin = data["note"].split("\n")[0]
            self.set(number, "data.note", self.key.note(
                origin, data["size"], bytes.fromhex(data["root"])))
        if kind not in ("approval", "confirmation", "anchor", "enrolment") or (
                data["statement"] is None):
            return
        content = self.content_of(kind, data)
        who, purpose, other = self.statements.get(entry, (None, None, None))
        if kind == "enrolment" and entry not in self.statements and (
                not self.changed(number)):
            return
        self.sign(number, who or data["name"], other or content,
                  purpose or forge.PURPOSES[kind])

    def changed(self, number):
        """Is what this enrolment signs no longer what it was?"""
        data = self.data(number)
        return self.enrolment_text(data) != self.enrolled.get(
            (data["set"], data["name"]))

    def sign(self, number, who, content, purpose):
        path = os.path.join(self.directory, "content")
        forge.rewrite(path, content)
        signature = forge.sign_cms(path, f"{self.people}/{who}.sign.crt",
                                   f"{self.people}/{who}.key", purpose)
        os.unlink(path)
        old = self.data(number)["statement"]
        if sum(old.encode() in entry.body for entry in self.entries) > 1:
            # Another entry has the same one: an entry was copied.
            self.set(number, "data.statement", self.evidence_add(signature))
        else:
            self.evidence_replace(old, signature)

    def anchor_again(self, number):
        """Its text names the journal's key."""
        data = self.data(number)
        lines = self.evidence(data["text"]).decode().splitlines()
        hashed = forge.sha256(self.key.spki).hexdigest()
        genesis = self.entries[0].leaf.hex()
        lines[2:4] = [f"genesis: {genesis}", f"journal-key: {hashed}"]
        text = "".join(line + "\n" for line in lines).encode()
        if text != self.evidence(data["text"]):
            self.evidence_replace(data["text"], text)

    def retable(self):
        """The derived tables, as these entries give them."""
        tables = rebuild.Tables()
        for number, entry in enumerate(self.entries):
            line = entries.Entry(entry.body, number)
            if line.fault is None:
                tables.apply(line)
        self.clear()
        for table, rows in tables.rows.items():
            for row in rows.values():
                names = ", ".join(f'"{name}"' for name in row)
                marks = ", ".join("?" for _ in row)
                self.db.execute(
                    f'INSERT OR IGNORE INTO "{table}" ({names}) '
                    f"VALUES ({marks})", tuple(row.values()))

    # ---- files ------------------------------------------------------------

    def publish(self):
        public = f"{self.directory}/public"
        tree = c2sp.Tree([entry.leaf for entry in self.entries])
        for path, (result, checkpoint) in self.proofs.items():
            if result not in self.entries or checkpoint not in self.entries:
                os.unlink(path)
                continue
            forge.rewrite(path, self.proof(tree, result, checkpoint))
        notes = self.find("checkpoint")
        forge.rewrite(f"{public}/journal/checkpoint",
                      self.data(notes[-1])["note"].encode())
        for number in self.find("anchor"):
            data = self.data(number)
            forge.rewrite(f"{public}/anchor/anchor.txt",
                          self.evidence(data["text"]))
            forge.rewrite(f"{public}/anchor/{data['name']}.cms",
                          self.evidence(data["statement"]))
        forge.rewrite(f"{public}/anchor/journal-key.pem", forge.run(
            "openssl", "pkey", "-pubin", "-inform", "DER",
            input=self.key.spki))

    def proof(self, tree, result, checkpoint):
        number = self.entries.index(result)
        value = checkpoint.value["data"]
        path = inclusion(tree, number, 0, value["size"])
        return "".join([
            "c2sp.org/tlog-proof@v1\nextra ",
            forge.base64.b64encode(result.body).decode(),
            f"\nindex {number}\n",
            *(forge.base64.b64encode(node).decode() + "\n" for node in path),
            "\n", value["note"]]).encode()

    def keep_anchor(self):
        path = os.path.join(self.directory, "kept-anchor.txt")
        anchors = self.find("anchor")
        forge.rewrite(path, self.evidence(self.data(anchors[0])["text"])
                      if anchors else b"ca-tool anchor 1\n")
        return path


def list_text(rows):
    return "".join(json.dumps(row, separators=(",", ":")) + "\n"
                   for row in rows).encode()


def inclusion(tree, number, begin, end):
    """PATH(m, D[n]) of RFC 6962, section 2.1.1."""
    if end - begin == 1:
        return []
    middle = begin + c2sp.split(end - begin)
    if number < middle:
        return inclusion(tree, number, begin, middle) + [
            tree.range(middle, end)]
    return inclusion(tree, number, middle, end) + [tree.range(begin, middle)]


# ---- the cases ------------------------------------------------------------


def nothing(_journal):
    pass


def delete(kind, which=0, **members):
    """The entry of this kind, counted from 0, or -1: the last."""
    def change(journal):
        journal.delete(journal.find(kind, **members)[which])
    return change


def put(kind, which, path, value):
    def change(journal):
        number = journal.find(kind)[which]
        journal.set(number, path, value(journal, number)
                    if callable(value) else value)
    return change


def signed(kind, which, **how):
    def change(journal):
        journal.signs(journal.find(kind)[which], **how)
    return change


def in_list(which, change_rows):
    def change(journal):
        journal.edit_list(journal.find("list")[which], change_rows)
    return change


def in_manifest(which, change_manifest):
    def change(journal):
        journal.edit_manifest(journal.find("plan")[which], change_manifest)
    return change


def insert(before, which, kind, data):
    """A new entry in front of the one that is named."""
    def change(journal):
        number = journal.find(before)[which]
        journal.insert(number, kind,
                       data(journal) if callable(data) else data)
    return change


def again(kind, which, before, where):
    """The same entry once more, elsewhere."""
    def change(journal):
        number = journal.find(before)[where]
        data = journal.data(journal.find(kind)[which])
        journal.insert(number, kind, data)
    return change


def before(kind, which, other, where):
    """Move an entry in front of another."""
    def change(journal):
        entry = journal.entries.pop(journal.find(kind)[which])
        journal.entries.insert(journal.find(other)[where], entry)
    return change


def all_of(*changes):
    def change(journal):
        for one in changes:
            one(journal)
    return change


def in_row(number, name, value):
    def change(rows):
        rows[number][name] = value
    return change


def without_head(kind, which):
    """No head between what is announced and what was made."""
    def change(journal):
        last = journal.find(kind)[which]
        announced = {"key": "key-intent", "ocsp-result": "ocsp-intent"}
        first = max(n for n in journal.find(
            announced.get(kind, "intent")) if n < last)
        for number in sorted(journal.find("head"), reverse=True):
            if first < number < last:
                journal.delete(number)
    return change


def by_dave(kind, which):
    """By somebody who is no member of the set, under his own name."""
    def change(journal):
        number = journal.find(kind)[which]
        journal.set(number, "data.name", "dave")
    return change


def attribute(name, value):
    def change(journal):
        for number in journal.find("key", name="root-g1"):
            journal.set(number, f"data.attributes.{name}", value)
    return change


def run_of(which):
    return lambda journal: journal.data(journal.find("plan")[which])["run"]


def hide_certificate(journal):
    """What was signed for partner-g1 was never signed: no intent, no result,
    no files; but its list stands as it was confirmed."""
    result = journal.data(journal.find("result", name="partner-g1")[0])
    journal.evidence_remove(result["sha256"])
    for kind in ("result", "intent"):
        journal.delete(journal.find(kind, name="partner-g1")[0])
    close = journal.find("close")[0]
    files = json.loads(journal.evidence(journal.data(close)["files"]))
    files = [row for row in files if "partner-g1" not in row["path"]]
    journal.evidence_replace(journal.data(close)["files"],
                             json.dumps(files).encode())
    journal.set(close, "data.published", len(files))
    for ending in ("pem", "der"):
        os.unlink(f"{journal.directory}/public/certs/partner-g1.{ending}")


def event_says(journal):
    """Its file is another than the one that the entry repeats."""
    data = journal.data(journal.find("event", event="note")[0])
    journal.evidence_replace(data["file"], journal.evidence(
        data["file"]).replace(b"doors", b"walls"))


def event_moved(journal):
    """It was signed for another place in the journal."""
    number = journal.find("event", event="note")[0]
    text = journal.evidence(journal.data(number)["content"])
    journal.signs(number, content=text.replace(b"size: ", b"size: 1"))


def files_say(change_rows):
    def change(journal):
        close = journal.find("close")[0]
        files = json.loads(journal.evidence(journal.data(close)["files"]))
        change_rows(files)
        journal.evidence_replace(journal.data(close)["files"],
                                 json.dumps(files).encode())
        journal.set(close, "data.published", len(files))
    return change


def other_reason(journal):
    journal.set(journal.find("revoked")[0], "data.reason", "key-compromise")


def stranger_enrols(journal):
    """alice's place is taken by a stranger; set.yaml still names alice."""
    number = journal.find("enrolment", name="alice")[0]
    with open(f"{journal.people}/dave.sign.crt", "rb") as file:
        pem = file.read()
    spki = forge.run("openssl", "x509", "-noout", "-pubkey", input=pem)
    spki = forge.run("openssl", "pkey", "-pubin", "-outform", "DER",
                     input=spki)
    journal.set(number, "data.certificate", journal.evidence_add(pem))
    journal.set(number, "data.sign", forge.sha256(spki).hexdigest())
    journal.signs(number, who="dave")


def one_of_three(journal):
    """The set of the beginning needs one operator only, says its entry."""
    for number in journal.find("quorum"):
        if journal.data(number)["run"] == "init":
            journal.set(number, "data.threshold", 1)


def approved_twice(journal):
    """alice approves for bob, too."""
    journal.signs(journal.find("approval", name="bob")[0], who="alice")


def another_list(journal):
    """A confirmation of the first list, for the second."""
    content = journal.evidence(
        journal.data(journal.find("list")[0])["sha256"])
    number = journal.find("confirmation")[2]
    journal.signs(number, content=content)


def intended(change_lines, everywhere):
    """Other lines of the first responses; `everywhere`: in the list, too, so
    that its root is that of the lines."""
    def change(journal):
        number = journal.find("ocsp-intent")[0]
        old = journal.data(number)["items"]
        lines = change_lines(journal.evidence(old).splitlines())
        text = b"".join(line + b"\n" for line in lines)
        root = responses.root_of(lines)
        new = journal.evidence_add(text)
        journal.set(number, "data.items", new)
        journal.set(number, "data.root", root)
        journal.set(number, "data.count", len(lines))
        if everywhere:
            journal.edit_list(
                journal.find("list")[0],
                lambda rows: rows[-1].update(items=new, root=root,
                                             count=len(lines)))
            journal.evidence_remove(old)
    return change


def listed_items(change_lines):
    """Other lines under the root that was confirmed."""
    def change(journal):
        rows = journal.rows_of(journal.data(journal.find("list")[0])["sha256"])
        lines = change_lines(journal.evidence(rows[-1]["items"]).splitlines())
        new = journal.evidence_add(b"".join(line + b"\n" for line in lines))
        journal.edit_list(journal.find("list")[0],
                          in_row(-1, "items", new))
    return change


def answered(change_der):
    """Another response than was signed; all hashes fit it."""
    def change(journal):
        number = journal.find("ocsp-result")[0]
        lines = journal.evidence(journal.data(number)["items"]).splitlines()
        serial, _, octets = lines[0].split(b" ")
        der = change_der(bytearray(forge.base64.b64decode(octets)))
        lines[0] = b" ".join([serial, forge.sha256(der).hexdigest().encode(),
                              forge.base64.b64encode(der)])
        journal.evidence_replace(journal.data(number)["items"], b"".join(
            line + b"\n" for line in lines))
        journal.set(number, "data.root", responses.root_of(
            [forge.base64.b64decode(line.split(b" ")[2]) for line in lines]))
    return change


def last_octet(der):
    der[-1] ^= 1
    return bytes(der)


def first_revoked(lines):
    return [lines[0].replace(b"good", b"revoked"), *lines[1:]]


def other_octets(lines):
    return [lines[0][:-64] + b"0" * 64, *lines[1:]]


def in_its_plan(journal):
    """The data of a state for the CA of the root, by the second run."""
    return {**journal.data(journal.find("state")[1]), "key": "root-g1",
            "run": run_of(1)(journal), "state": "retired"}


UNKNOWN = "0" * 32

FORGERIES = {
    # approvals and confirmations
    "an approval less": delete("approval", 0),
    "no approval": all_of(delete("approval", 0), delete("approval", 0)),
    "an approval less, of the last plan": delete("approval", -1),
    "an approval by one for another": approved_twice,
    "an approval by nobody of the set": by_dave("approval", 0),
    "an approval that is a confirmation": signed("approval", 0, purpose=2),
    "an approval of something else": signed("approval", 0,
                                            content=b"another manifest"),
    "an approval after the fact": before("approval", 0, "list", 0),
    "a confirmation less": delete("confirmation", 0),
    "no confirmation": all_of(delete("confirmation", 0),
                              delete("confirmation", 0)),
    "a confirmation less, of a reshare": delete("confirmation", -1),
    "a confirmation by nobody of the set": by_dave("confirmation", 0),
    "a confirmation that is an approval": signed("confirmation", 0,
                                                 purpose=1),
    "a confirmation of a rehearsal": signed("confirmation", 0, purpose=5),
    "a confirmation of another list": another_list,
    "a confirmation after the fact": before("confirmation", 0, "result", 0),
    # manifests and lists
    "a manifest of another plan": in_manifest(
        0, lambda m: m.update(plan="other")),
    "a manifest of another authority": in_manifest(
        0, lambda m: m.update(authority="example.org/other")),
    "a manifest with another threshold": in_manifest(
        0, lambda m: m.update(threshold=1)),
    "a manifest with another genesis": in_manifest(
        0, lambda m: m.update(genesis="0" * 64)),
    "a manifest that lacks an input": in_manifest(
        0, lambda m: m["inputs"].pop(0)),
    "a manifest with an input that is not there": in_manifest(
        0, lambda m: m["inputs"][0].update(sha256="1" * 64)),
    "a manifest of another window": in_manifest(
        0, lambda m: m["window"].update({"until": m["window"]["from"]})),
    "a list that is a rehearsal": in_list(0, in_row(0, "rehearsal", True)),
    "a list of another run": in_list(0, in_row(0, "run", UNKNOWN)),
    "a list that is unattended": in_list(0, in_row(0, "unattended", True)),
    "a list with another object": in_list(0, in_row(2, "tbs", "0" * 64)),
    "a list with another name": in_list(0, in_row(2, "name", "other")),
    "a list with another key": in_list(0, in_row(2, "key", "0" * 64)),
    "a list with other facts": in_list(0, lambda rows: rows[2]["facts"].update(
        not_after="2027-01-01T00:00:00Z")),
    "a list without an object": in_list(0, lambda rows: rows[:-2] + rows[-1:]),
    "a list without its responses": in_list(0, lambda rows: rows[:-1]),
    # OCSP responses
    "responses under another root": in_list(0, in_row(-1, "root", "0" * 64)),
    "responses of another number": in_list(0, in_row(-1, "count", 7)),
    "responses with other facts": in_list(
        0, lambda rows: rows[-1]["facts"].update(responder="issuing-g1")),
    "responses whose lines are not there": in_list(
        0, in_row(-1, "items", "2" * 64)),
    "responses with other lines than were confirmed": listed_items(
        other_octets),
    "a response that was confirmed is left out": listed_items(
        lambda lines: lines[:-1]),
    "responses that no list has": intended(other_octets, False),
    "responses that end before they should": intended(
        lambda lines: lines[:-1], False),
    "responses about nobody": intended(
        lambda lines: [b"01" + lines[0][40:], *lines[1:]], True),
    "responses of another status": intended(first_revoked, True),
    "responses in another order": intended(lambda lines: lines[::-1], True),
    "responses with other octets": intended(other_octets, True),
    "responses that were not intended": delete("ocsp-intent", 0),
    "responses that were not signed": delete("ocsp-result", 0),
    "responses without a head": without_head("ocsp-result", 0),
    "responses intended twice": again("ocsp-intent", 0, "close", 0),
    "responses with another key": put("ocsp-intent", 0, "data.key", "0" * 64),
    "responses of another responder": put("ocsp-intent", 0, "data.responder",
                                          "issuing-g1"),
    "responses of another issuer": put("ocsp-intent", 0, "data.issuer",
                                       "issuing-g1"),
    "responses of another profile": put("ocsp-intent", 0, "data.profile",
                                        "ca-crl"),
    "responses of other dates": put("ocsp-intent", 0, "data.next_update",
                                    "2099-01-01T00:00:00Z"),
    "responses in another place": put("ocsp-intent", 0, "data.first", 1),
    "a root of other responses": put("ocsp-result", 0, "data.root", "0" * 64),
    "a response with another signature": answered(last_octet),
    # the life of a CA
    "a state that was not confirmed": put("state", 1, "data.state",
                                          "retired"),
    "a state of another CA": put("state", 1, "data.key", "root-g1"),
    "a state with another reason": put("state", 1, "data.why", "spite"),
    "a state less": delete("state", 1),
    "a state twice": again("state", 1, "close", 1),
    "a state of a CA that is not there": put("state", 1, "data.key", "other"),
    "a CA that has ended and signs": insert(
        "ocsp-intent", 1, "state", in_its_plan),
    "a list without its act": in_list(1, lambda rows: rows[:-1]),
    "a list with another act": in_list(1, in_row(-1, "kind", "adopt")),
    "a plan that says it was unattended": put("plan", 0, "data.unattended",
                                              True),
    # what was signed
    "a certificate that is hidden": hide_certificate,
    "a result less": delete("result", 1),
    "an intent less": delete("intent", 1),
    "a result before its intent": before("result", 0, "intent", 0),
    "a signature without a head": without_head("result", 0),
    "a CRL without a head": without_head("result", -1),
    "a key without a head": without_head("key", 1),
    "a revocation less": delete("revoked", 0),
    "a revocation with another reason": other_reason,
    "a revocation of another day": put("revoked", 0, "data.date",
                                       "2020-01-01T00:00:00Z"),
    "a revocation in no list": put("revoked", 0, "data.cause", "superseded"),
    "an intent with another profile": put("intent", 1, "data.profile",
                                          "root"),
    "an intent with a profile of nobody": put("intent", 1, "data.profile",
                                              "other"),
    "an intent with another issuer": put("intent", 1, "data.issuer",
                                         "issuing-g1"),
    "an intent with another key": put("intent", 1, "data.key", "0" * 64),
    "an intent with another serial": put("intent", 1, "data.serial", "01"),
    "an intent with other dates": put("intent", 1, "data.not_after",
                                      "2027-01-01T00:00:00Z"),
    "an intent with another tbs": put("intent", 1, "data.tbs", "0" * 64),
    "a CRL intent with another number": put("intent", -1, "data.number",
                                            "1"),
    "a CRL intent with other entries": put("intent", -1, "data.entries", 7),
    "a result twice": again("result", 0, "close", 0),
    "an intent twice": again("intent", 0, "close", 0),
    "a result with another object": put(
        "result", 1, "data.sha256", lambda j, n: j.data(
            j.find("result")[2])["sha256"]),
    "a result of another name": put("result", 1, "data.name", "other"),
    # keys
    "a key that can be got out": attribute("CKA_EXTRACTABLE", True),
    "a key that could be got out": attribute("CKA_NEVER_EXTRACTABLE", False),
    "a key that is not sensitive": attribute("CKA_SENSITIVE", False),
    "a key that came from elsewhere": attribute("CKA_LOCAL", False),
    "a key that decrypts": attribute("CKA_DECRYPT", True),
    "a root's key for another purpose": put("key-intent", 1, "data.purpose",
                                            "ocsp"),
    "the journal's key for another purpose": put(
        "key-intent", 0, "data.purpose", "ca"),
    "a key of another type": put("key-intent", 1, "data.type", "p-521"),
    "a key without an intent": delete("key-intent", 1),
    "a key with another's CKA_ID": put(
        "key", 1, "data.id", lambda j, n: j.data(j.find("key")[2])["id"]),
    "a key twice": again("key", 1, "close", 0),
    "a key that was destroyed before it signed": insert(
        "list", 0, "key-destroyed", lambda j: {
            **{name: j.data(j.find("key")[1])[name]
               for name in ("run", "name", "id")}, "objects": 2}),
    # people
    "an enrolment less": delete("enrolment", 2),
    "an enrolment too many": again("enrolment", -1, "quorum", 0),
    "an enrolment too late": before("enrolment", 0, "token", 0),
    "an enrolment of a stranger": stranger_enrols,
    "an enrolment for another purpose": signed("enrolment", 0, purpose=4),
    "a set with another threshold": one_of_three,
    "a set with other commitments": put("quorum", 0, "data.commitments",
                                        "0" * 64),
    "a set with other operators": put("quorum", 0, "data.operators", 2),
    "a set that replaces none": put("quorum", 2, "data.replaces", None),
    "a set that was never begun": delete("quorum", 1),
    "a set that is in force before it may be": before("quorum", 2,
                                                      "pin-change", 0),
    "a set by another run": put("quorum", 2, "data.run",
                                lambda j, n: run_of(0)(j)),
    "an anchor less": delete("anchor", 0),
    "an anchor signed by another": signed("anchor", 0, who="bob"),
    "an anchor for another purpose": signed("anchor", 0, purpose=3),
    "an anchor twice": again("anchor", 0, "state", 0),
    "a PIN that was not announced": delete("pin-change", 0),
    "a PIN that was not changed": delete("pin-change", 1),
    # events
    "an event signed by another": signed("event", 0, who="carol"),
    "an event for another purpose": signed("event", 0, purpose=1),
    "an event of another file": event_says,
    "an event of another place": event_moved,
    "an event that says something else": put(
        "event", 0, "data.note", "all was well"),
    "an event by nobody of the set": put("event", 0, "data.by", "dave"),
    "an event with other people": put("event", 0, "people.0.name", "carol"),
    "an event that nobody signed": insert(
        "plan", 1, "event", {"event": "hsm-firmware", "serial": "1",
                             "from": "1", "to": "2", "reason": "none",
                             "when": "2026-01-01T00:00:00Z"}),
    # runs and their order
    "a run that is not closed": delete("close", 0),
    "a run that goes on after its end": before("close", 0, "result", -2),
    "a plan that runs twice": put("plan", 1, "data.plan", "first"),
    "a run of another set": put("plan", 0, "data.set", UNKNOWN),
    "a run with another outcome": put("close", 0, "data.outcome", "refused"),
    "a plan less": delete("plan", 0),
    "an approval after the end": again("approval", 0, "checkpoint", 1),
    "an entry of no run": put("list", 0, "data.run", UNKNOWN),
    "a plan outside its window": put("plan", 0, "time",
                                     "2031-01-01T00:00:00Z"),
    "a plan before those before": all_of(
        put("plan", 1, "time", "2020-01-01T00:00:00Z"),
        in_manifest(1, lambda m: m["window"].update(
            {"from": "2020-01-01T00:00:00Z"}))),
    "files that lack one": files_say(lambda rows: rows.pop()),
    "files with another hash": files_say(
        lambda rows: rows[0].update(sha256="0" * 64)),
    "files that are miscounted": put("close", 0, "data.published", 3),
    # the authority
    "ready without saying so": delete("state", 0),
    "founded again": again("genesis", 0, "checkpoint", -1),
    "of another name": put("genesis", 0, "data.authority",
                           "example.org/other"),
    "ready again": again("state", 0, "checkpoint", -1),
    "a token again": again("token", 0, "plan", 0),
    "a config again": again("config", 0, "checkpoint", -1),
    "a profile again": again("profile", 0, "checkpoint", -1),
    "a profile less": delete("profile", 1),
    "a clock that nobody approved": insert(
        "checkpoint", -1, "clock",
        {"run": UNKNOWN, "was": "2026-01-01T00:00:00Z",
         "now": "2026-01-01T00:00:00Z", "why": "it was wrong"}),
    "an epoch that nobody approved": insert(
        "checkpoint", -1, "epoch", lambda j: {
            "run": UNKNOWN, "epoch": 1, "origin": "example.org/test/epoch-1",
            "was": {"origin": "example.org/test", "size": 1,
                    "root": j.entries[0].leaf.hex()},
            "head": None, "lost": 0, "receipts": []}),
    # heads and checkpoints
    "a head on another token": put("head", 3, "data.serial", "0000"),
    "a head of another epoch": put("head", 3, "data.epoch", 1),
    "a head of another origin": put("head", 3, "data.origin", "other"),
    "a token with another serial": put("token", 0, "data.serial", "0000"),
    "a login less": delete("login", 1),
    "a login by one alone": put("login", 1, "people",
                                [{"name": "alice", "role": "operator"}]),
    "a checkpoint of another origin": put(
        "checkpoint", 1, "data.note",
        lambda j, n: j.data(n)["note"].replace("example.org/test", "other")),
}


def cases_of(scene, Case):
    people = f"{scene}/people"

    def act_of(change):
        def act(directory):
            with Insider(directory, people) as journal:
                change(journal)
                anchor = journal.remake()
                journal.retable()
            return anchor
        return act
    yield Case("good ones", "everything signed anew", act_of(nothing),
               honest=True)
    for name, change in FORGERIES.items():
        yield Case("by somebody with every key", name, act_of(change),
                   names=[r"entry \d+"], sample=45)
