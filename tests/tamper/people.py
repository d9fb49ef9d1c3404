"""Who may decide, and who did: sets, enrolments, anchors, approvals and
confirmations (docs/quorum.md, docs/journal.md)."""

import re

from asn1 import Malformed
from entries import hex_digest, seconds, strict_json
from openssl import certificate_in, statement_fault

APPROVAL, CONFIRMATION, ENROLMENT, ANCHOR, EVENT = 1, 2, 3, 4, 6

# What only a run with enough approvals may write, and enough confirmations.
FREE = {"plan", "approval", "login", "head", "event", "resumed"}
CONFIRMED = {"intent", "adopted", "quorum", "pin-change", "config", "profile",
             "token", "clock", "epoch", "ocsp-intent", "state"}
# What ends a run that is abandoned, done by the run that abandons it.
ENDS = {"failed", "revoked", "key-destroyed", "quorum", "close"}


class Bad(Exception):
    """A set file or list that is not as it must be."""


def set_file(data):
    """The one way in which set.yaml is written."""
    top, people, kind, person = {}, [], None, None
    for line in data.decode("utf-8").splitlines():
        match = re.fullmatch(
            r'(?:(  - )|(    ))?([a-z][a-z0-9-]*):(?: (?:"([^"\\]*)"|'
            r'([a-z0-9-]+)))?', line)
        if match is None:
            raise Bad(f"the line {line!r}")
        begins, inner, name, quoted, bare = match.groups()
        value = quoted if quoted is not None else bare
        if begins:
            person = {"role": kind}
            people.append(person)
        if begins or inner:
            if person is None or name in person:
                raise Bad(f"the line {line!r}")
            person[name] = value
        elif value is None:
            kind = {"operators": "operator", "witnesses": "witness"}.get(name)
        elif name in top:
            raise Bad(f"{name} twice")
        else:
            top[name], kind = value, None
    return top, people


class Set:
    """A quorum set: its entries, and what its set.yaml says."""

    def __init__(self):
        self.enrolled = {}     # name: entry
        self.file = None
        self.people = {}       # name: what set.yaml says
        self.data = None       # of its first `quorum` entry
        self.state = None
        self.anchors = set()
        self.pins = {}         # "so", "user": stage

    def operators(self):
        return {name for name, entry in self.enrolled.items()
                if entry.data["role"] == "operator"}


class People:
    """A pass over the entries, in order."""

    def __init__(self, journal):
        self.journal = journal
        self.sets = {}
        self.runs = {}         # nonce: data of `plan`, and "approved", ...
        self.in_force = None
        self.authority = None
        self.genesis = None
        self.journal_key = None
        self.intents = {}
        self.profiles, self.config = {}, None
        self.named = set()     # evidence that manifests name
        self.ready, self.serial = False, None
        self.elsewhere = {}    # run: its login to another token
        self.logins = {}       # run: its logins
        self.others = {}       # (run, SHA-256): input that is not recorded

    def evidence(self, digest):
        return self.journal.evidence.get(digest)

    def bad(self, entry, text):
        self.journal.at(entry, text)

    def take(self, entry):
        data = entry.data
        nonce = data.get("run")
        if nonce not in (None, "init", "key-list") and entry.kind not in (
                "plan", "login", "head", "event"):
            self.allowed(entry, nonce)
        handler = getattr(self, "on_" + entry.kind.replace("-", "_"), None)
        if handler is not None:
            handler(entry, data)

    # ---- may this run do this? --------------------------------------------

    def allowed(self, entry, nonce):
        run = self.runs.get(nonce)
        if run is None or run["closed"]:
            self.bad(entry, "its run is not open")
            return
        ender = self.runs.get(run["ended_by"])
        if ender is not None and not ender["closed"]:
            if entry.kind not in ENDS:
                self.bad(entry, "its run is being abandoned")
            run = ender
        if entry.kind not in FREE and len(run["approved"]) < run["needed"]:
            self.bad(entry, f"its plan was approved by {len(run['approved'])} "
                            f"of {run['needed']}")
        act = entry.kind in CONFIRMED or (
            entry.kind == "revoked" and entry.data["cause"] == "plan")
        if act and not self.confirmed(run, entry.data.get("list")):
            self.bad(entry, "it was not confirmed by enough operators")

    @staticmethod
    def confirmed(run, number):
        if run["unattended"]:
            return True
        found = [len(who) for listed, who in run["confirmed"].items()
                 if number is None or listed == number]
        return any(count >= run["needed"] for count in found)

    # ---- the authority ----------------------------------------------------

    def on_genesis(self, entry, data):
        if entry.number != 0:
            self.bad(entry, "the authority is founded again")
        self.authority, self.genesis = data["authority"], entry.leaf.hex()

    def only_in_runs(self, entry):
        if self.ready and "run" not in entry.data:
            self.bad(entry, "init is over")

    def on_config(self, entry, data):
        self.only_in_runs(entry)
        self.config = data["sha256"]
        self.others.pop((data.get("run"), data["sha256"]), None)

    def on_token(self, entry, data):
        if self.serial is not None and "run" not in data:
            self.bad(entry, "it was initialised before")
        self.serial = data["serial"]
        if data.get("run") in self.elsewhere and (
                self.elsewhere[data["run"]].data["serial"] == self.serial):
            del self.elsewhere[data["run"]]

    def on_login(self, entry, data):
        if data["serial"] != self.serial:
            self.elsewhere.setdefault(data["run"], entry)
        self.logins.setdefault(data["run"], []).append(entry)
        config = self.evidence(self.config or "") or b""
        if data["run"] == "init" or not re.search(rb"^login: derived", config,
                                                  re.M):
            return
        names = {person["name"] for person in entry.value["people"]
                 if person["role"] == "operator"}
        if not any(members.data is not None and
                   len(names & members.operators()) >=
                   members.data["threshold"]
                   for members in self.sets.values()
                   if members.state in ("active", "begun")):
            self.bad(entry, "too few operators gave their shares")

    def on_resumed(self, entry, data):
        run = self.runs.get(data["run"])
        if run is not None:
            run["begins"] += 1
            self.logged_in(entry, run["begins"])

    def logged_in(self, entry, times):
        if len(self.logins.get(entry.data["run"], [])) < times:
            self.bad(entry, "its run begins, or goes on, without a login")

    def end(self):
        """Only a run that then adopts it has another token or file."""
        for (nonce, _), (entry, name) in self.others.items():
            if self.runs[nonce]["closed"] == "done":
                self.bad(entry, f"{name} is not the recorded one")
        for nonce, entry in self.elsewhere.items():
            if nonce not in self.runs or self.runs[nonce]["closed"]:
                self.bad(entry, "it is another token than the authority's")

    def on_profile(self, entry, data):
        self.only_in_runs(entry)
        self.others.pop((data.get("run"), data["sha256"]), None)
        self.profiles[data["profile"]] = (
            None if data.get("removed") else data["sha256"])

    def on_key_intent(self, _entry, data):
        self.intents[data["id"]] = data["purpose"]

    def on_key(self, _entry, data):
        if self.intents.get(data["id"]) == "journal":
            self.journal_key = bytes.fromhex(data["spki"])

    # ---- sets -------------------------------------------------------------

    def on_enrolment(self, entry, data):
        members = self.sets.setdefault(data["set"], Set())
        if data["name"] in members.enrolled or members.state is not None:
            self.bad(entry, "it comes twice, or too late")
        members.enrolled[data["name"]] = entry
        for name, key in (("certificate", "sign"),
                          ("decrypt_certificate", "decrypt")):
            if (data[name] is None) != (data[key] is None):
                self.bad(entry, f"a {name} without its key, or the reverse")
            elif data[name] is not None:
                self.key_of(entry, data[name], data[key])

    def key_of(self, entry, digest, spki):
        pem = self.evidence(digest)
        try:
            if pem is not None and hex_digest(
                    certificate_in(pem).spki) != spki:
                self.bad(entry, "its certificate has another key")
        except Malformed as problem:
            self.bad(entry, f"its certificate cannot be read: {problem}")

    def on_quorum(self, entry, data):
        members = self.sets.setdefault(data["set"], Set())
        if members.data is None:
            members.data = data
            self.read_set(entry, members)
        elif any(data[name] != members.data[name] for name in (
                "sha256", "threshold", "operators", "commitments",
                "replaces", "run")):
            self.bad(entry, "it is not what was begun")
        before = members.state
        members.state = data["state"]
        if data["replaces"] != self.in_force:
            self.bad(entry, "it does not replace the set in force")
        if data["state"] == "undone" and members.pins:
            self.bad(entry, "a PIN is changed already")
        if data["state"] == "active":
            if members.pins.get("so") == "done" and (
                    members.pins.get("user") != "done") or (
                    "intent" in members.pins.values()):
                self.bad(entry, "a PIN is not changed yet")
            if self.in_force is not None and before != "begun":
                self.bad(entry, "it was not begun")
            if self.in_force is not None:
                self.sets[self.in_force].state = "replaced"
            self.in_force = data["set"]
        elif data["state"] not in ("begun", "undone"):
            self.bad(entry, "its state is unknown")

    def on_pin_change(self, entry, data):
        members = self.sets.get(data["set"], Set())
        before = members.pins.get(data["pin"])
        if members.state != "begun" or members.data["run"] != data["run"] or (
                (before, data["stage"]) not in (
                    (None, "intent"), ("intent", "done"))):
            self.bad(entry, "no reshare is at this point")
        members.pins[data["pin"]] = data["stage"]

    def read_set(self, entry, members):
        data = members.data
        file = self.evidence(data["sha256"])
        if file is None:
            return
        try:
            top, people = set_file(file)
        except (Bad, UnicodeDecodeError) as problem:
            self.bad(entry, f"its set.yaml cannot be read: {problem}")
            return
        must = {"format": "ca-tool-set-1", "set": data["set"],
                "authority": self.authority,
                "threshold": str(data["threshold"]),
                "commitments": data["commitments"]}
        for name, value in must.items():
            if top.get(name) != value:
                self.bad(entry, f"its set.yaml has another {name}")
        members.people = {person.get("name"): person for person in people}
        operators = [p for p in people if p["role"] == "operator"]
        if len(operators) != data["operators"] or not (
                1 <= data["threshold"] <= len(operators)):
            self.bad(entry, "operators or threshold are miscounted")
        if len(members.people) != len(people) or (
                set(members.people) != set(members.enrolled)):
            self.bad(entry, "other people enrolled than its set.yaml names")
        for name in set(members.people) & set(members.enrolled):
            self.compare_person(members, name)

    def compare_person(self, members, name):
        entry, person = members.enrolled[name], members.people[name]
        data = entry.data
        if (person["role"], person.get("sign-sha256"),
                person.get("decrypt-sha256")) != (
                data["role"], data["certificate"],
                data["decrypt_certificate"]):
            self.bad(entry, "set.yaml says something else")
        if data["role"] != "operator":
            return
        text = (f"ca-tool enrolment 1\nauthority: {self.authority}\n"
                f"set: {data['set']}\nset.yaml: {members.data['sha256']}\n"
                f"commitments: {members.data['commitments'] or 'none'}\n"
                f"operator: {name}\nshare: {data['share'] or 'none'}\n")
        self.signed(entry, members, text.encode(), ENROLMENT)

    def signed(self, entry, members, content, purpose):
        """Whether an operator (an event: or witness) of this set signed."""
        name = entry.data["by" if purpose == EVENT else "name"]
        enrolled = members.enrolled.get(name)
        if enrolled is None or purpose != EVENT and (
                enrolled.data["role"] != "operator"):
            self.bad(entry, f"{name} is no operator of its set")
            return False
        signature = self.evidence(entry.data["statement"])
        pem = self.evidence(enrolled.data["certificate"])
        if signature is None or pem is None or content is None:
            return False
        fault = statement_fault(signature, content, pem, purpose)
        if fault is not None:
            self.bad(entry, f"the signature of {name} does not count: {fault}")
        return fault is None

    def on_event(self, entry, data):
        """docs/journal.md, "Events"."""
        if "statement" not in data:
            run = self.runs.get(data.get("run"))
            if data["event"] != "token-restored" and (
                    run is None or run["closed"]):
                self.bad(entry, "nobody has signed it")
            return
        if data.get("set") != self.in_force:
            self.bad(entry, "its set is not in force")
        root = self.journal.tree.root(entry.number).hex()
        content = self.evidence(data["content"])
        if content is not None and content.decode("utf-8", "replace") != (
                f"ca-tool event 1\nauthority: {self.authority}\n"
                f"genesis: {self.genesis}\nsize: {entry.number}\n"
                f"root: {root}\nset: {data['set']}\nname: {data['by']}\n"
                f"event: {data['event']}\nfile: {data['file']}\n"):
            self.bad(entry, "what was signed is for another place or event")
        self.signed(entry, self.sets.get(data["set"], Set()), content, EVENT)
        open_runs = [nonce for nonce, run in self.runs.items()
                     if not run["closed"]]
        if data.get("run") != (open_runs[-1] if open_runs else None):
            self.bad(entry, "it does not name the run that was open")
        if [person["name"] for person in entry.value["people"]] != [
                data["by"]]:
            self.bad(entry, "it is of other people")
        self.compare_event(entry, data)

    def compare_event(self, entry, data):
        """Its members are those of the file that was looked at."""
        file = self.evidence(data["file"])
        said = set(data) - {"by", "set", "file", "content", "statement",
                            "run"}
        found = {"format"}
        for line in (file or b"").decode("utf-8", "replace").splitlines():
            match = re.fullmatch(r"([a-z][a-z0-9-]*): *(.*)", line)
            if match is None:
                continue
            name, value = match.groups()
            found.add(name)
            plain = re.fullmatch(r"'([^']*)'|\"([^\"\\]*)\"|([^'\"[{|>&*!#]"
                                 r"[^#]*)", value)
            if plain and name != "format" and data.get(name) != next(
                    part for part in plain.groups() if part is not None):
                self.bad(entry, f"its file has another {name}")
        if file is not None and found - {"format"} != said:
            self.bad(entry, "its members are not those of its file")

    def on_anchor(self, entry, data):
        members = self.sets.setdefault(data["set"], Set())
        content = self.evidence(data["text"])
        key = self.journal_key or b""
        if content is not None and content.decode("utf-8", "replace") != (
                f"ca-tool anchor 1\nauthority: {self.authority}\n"
                f"genesis: {self.genesis}\njournal-key: {hex_digest(key)}\n"
                f"set: {data['set']}\n"):
            self.bad(entry, "its text is not this authority's anchor")
        if data["name"] in members.anchors:
            self.bad(entry, "it comes twice")
        if self.signed(entry, members, content, ANCHOR):
            members.anchors.add(data["name"])

    def on_state(self, entry, data):
        if data["subject"] == "ca":
            run = self.runs.get(data.get("run"), {"lists": {}})
            wanted = {name: value for name, value in data.items()
                      if name != "run"}
            if not any(("ca-state", wanted) in rows.get("acts", [])
                       for _, rows in run["lists"].values()):
                self.bad(entry, "no list of its run has this state")
            return
        members = self.sets.get(self.in_force, Set())
        if members.anchors != members.operators() or not members.anchors:
            self.bad(entry, "not all operators have signed the anchor")
        if self.ready:
            self.bad(entry, "it comes twice")
        self.ready = True

    # ---- runs -------------------------------------------------------------

    def on_plan(self, entry, data):
        members = self.sets.get(data["set"])
        if not self.ready:
            self.bad(entry, "the authority is not ready")
        if data["run"] in self.runs or any(
                run["plan"] == data["plan"] for run in self.runs.values()):
            self.bad(entry, "this run or plan was there before")
        if data["set"] != self.in_force:
            self.bad(entry, "its set is not in force")
        needed = 1 if members is None or members.data is None else (
            members.data["threshold"])
        self.runs[data["run"]] = {
            **data, "needed": needed, "approved": set(), "confirmed": {},
            "lists": {}, "closed": False, "ended_by": None, "begins": 1}
        self.logged_in(entry, 1)
        self.ends(entry, data.get("abandons"))
        self.manifest(entry, data, needed)

    def ends(self, entry, nonce):
        open_runs = [run for run in self.runs.values()
                     if not run["closed"] and run["run"] != entry.data["run"]]
        if nonce is None:
            if open_runs:
                self.bad(entry, "another run is open")
        elif not any(run["run"] == nonce for run in open_runs):
            self.bad(entry, "it abandons a run that is not open")
        else:
            self.runs[nonce]["ended_by"] = entry.data["run"]

    def manifest(self, entry, data, needed):
        content = self.evidence(data["manifest"])
        if content is None:
            return
        try:
            manifest = strict_json(content)
            rests = manifest["journal"]
            must = {"authority": self.authority, "genesis": self.genesis,
                    "set": data["set"], "threshold": needed,
                    "set_sha256": self.sets[data["set"]].data["sha256"],
                    "plan": data["plan"], "title": data["title"],
                    "unattended": data["unattended"]}
            for name, value in must.items():
                if manifest[name] != value:
                    self.bad(entry, f"its manifest has another {name}")
            if not 0 <= rests["size"] <= entry.number or (
                    self.journal.tree.root(rests["size"]).hex() !=
                    rests["root"]):
                self.bad(entry, "its manifest rests on another journal")
            window = manifest["window"]
            if not seconds(window["from"]) <= entry.time <= seconds(
                    window["until"]):
                self.bad(entry, "it is outside its window")
            self.inputs(entry, manifest)
        except (ValueError, KeyError, TypeError, AttributeError) as problem:
            self.bad(entry, f"its manifest cannot be read: {problem!r}")

    def inputs(self, entry, manifest):
        roles = [item["role"] for item in manifest["inputs"]]
        if roles.count("plan") != 1 or roles.count("authority") != 1:
            self.bad(entry, "its manifest names no plan or authority.yaml")
        for item in manifest["inputs"]:
            digest, role = item["sha256"], item["role"]
            if self.evidence(digest) is None:
                self.bad(entry, f"input {item['file']} is not in evidence")
            self.named.add(digest)
            pinned = {"profile": self.profiles.get(item["given"]),
                      "authority": self.config}.get(role)
            if pinned not in (digest, None):
                self.others[(entry.data["run"], digest)] = (
                    entry, item["given"])

    def on_approval(self, entry, data):
        run = self.runs.get(data["run"])
        if run is None:
            return
        if (data["manifest"], data["set"]) != (run["manifest"], run["set"]):
            self.bad(entry, "it is for another manifest or set")
            return
        if data["name"] in run["approved"]:
            self.bad(entry, "it comes twice")
        if self.signed(entry, self.sets.get(data["set"], Set()),
                       self.evidence(data["manifest"]), APPROVAL):
            run["approved"].add(data["name"])

    def on_list(self, entry, data):
        run = self.runs.get(data["run"])
        if run is None:
            return
        if data["list"] != len(run["lists"]):
            self.bad(entry, "it is not the run's next list")
        rows = {}
        content = self.evidence(data["sha256"])
        if content is not None:
            try:
                rows = self.read_list(entry, run, content)
            except (ValueError, KeyError, TypeError, AttributeError,
                    IndexError) as problem:
                self.bad(entry, f"its list cannot be read: {problem!r}")
        run["lists"][data["list"]] = (data["sha256"], rows)

    def read_list(self, entry, run, content):
        """{object: row}, and the acts' texts as "acts"."""
        first, *rest = [strict_json(line) for line in content.splitlines()]
        data, rests = entry.data, first["journal"]
        must = {"format": "ca-tool-list-1", "run": data["run"],
                "list": data["list"], "manifest": run["manifest"],
                "set": run["set"], "threshold": run["needed"],
                "set_sha256": self.sets[run["set"]].data["sha256"],
                "unattended": run["unattended"], "rehearsal": False}
        for name, value in must.items():
            if first[name] != value:
                self.bad(entry, f"its list has another {name}")
        if not 0 <= rests["size"] <= entry.number or (
                self.journal.tree.root(rests["size"]).hex() !=
                rests["root"]):
            self.bad(entry, "its list rests on another journal")
        rows = {row["object"]: row for row in rest if "object" in row}
        acts = [row for row in rest if "act" in row]
        batches = [row for row in rest if "batch" in row]
        if (len(rows), len(batches), len(acts)) != (
                data["objects"], data.get("batches", 0), data["acts"]) or (
                len(rows) + len(batches) + len(acts) != len(rest)):
            self.bad(entry, "its objects, batches or acts are miscounted")
        for act in acts:
            if hex_digest(act["text"].encode()) != act["sha256"]:
                self.bad(entry, "an act is not what its hash says")
        for row in batches:
            self.named.add(row["items"])
            if self.evidence(row["items"]) is None:
                self.bad(entry, f"the items of {row['name']} are missing")
        self.check_lint(entry, first.get("lint"), rows)
        rows["batches"] = batches
        rows["acts"] = [(act["kind"], strict_json(act["text"].encode()))
                        for act in acts]
        return rows

    def check_lint(self, entry, named, rows):
        """The report of linters is the one that the list names, and of what
        it lists: docs/ceremony.md, "Linting"."""
        digest = entry.data.get("lint")
        if digest != named:
            self.bad(entry, "its list names another report of linters")
        content = None if digest is None else self.evidence(digest)
        if content is None:
            return
        report = strict_json(content)
        found = [[row[name] for name in ("object", "kind", "name", "tbs",
                                         "findings")]
                 for row in report["objects"]]
        listed = [[row[name] for name in ("object", "kind", "name", "tbs",
                                          "lint")] for row in rows.values()]
        if report["format"] != "ca-tool-lint-1" or found != listed:
            self.bad(entry, "its report of linters is of something else")
        if any(finding["severity"] == "error"
               for row in report["objects"] for finding in row["findings"]):
            self.bad(entry, "its report of linters has errors")

    def on_confirmation(self, entry, data):
        run = self.runs.get(data["run"])
        if run is None:
            return
        digest, _ = run["lists"].get(data["list"], (None, {}))
        if (data["sha256"], data["set"]) != (digest, run["set"]):
            self.bad(entry, "it is for another list or set")
            return
        who = run["confirmed"].setdefault(data["list"], set())
        if data["name"] in who:
            self.bad(entry, "it comes twice")
        if self.signed(entry, self.sets.get(data["set"], Set()),
                       self.evidence(digest), CONFIRMATION):
            who.add(data["name"])

    def on_revoked(self, entry, data):
        run = self.runs.get(data["run"])
        if run is None or data["cause"] != "plan":
            return
        wanted = {name: value for name, value in data.items()
                  if name != "run"}
        if not any(("revoke", wanted) in rows.get("acts", [])
                   for _, rows in run["lists"].values()):
            self.bad(entry, "no list of its run has this revocation")

    def on_close(self, entry, data):
        run = self.runs.get(data["run"])
        if run is not None:
            run["closed"], run["end"] = data["outcome"], entry.number
        if data["outcome"] not in ("done", "refused", "abandoned"):
            self.bad(entry, "its outcome is unknown")
