#!/usr/bin/env python3
"""Crash a ceremony everywhere, and go on.

    crash_ceremony.py --tool CA-TOOL --shim SHIM --redirect REDIRECT
        [--sample N] [--seed S] [--kills N] [--faults N] [--jobs N]
        [--only CASE] [--keep DIR]

Each act is traced once: init, two plans, a login, a reshare; a batch of
certificates, a CRL that is built in a file, OCSP responses; and a resume.
replay.py rebuilds what each kill and each power loss could leave; for each such
state the real ca-tool goes on, and witness.py checks what must be true.
--sample takes N states of each act (0: all of them), of those in LIGHT a sixth;
--kills does as many real kills; --faults lets as many system calls fail, once
each, as on a full or broken disk.

The shim appends a line to a file outside of the authority for each C_Sign,
which itself makes no system call.
"""

import argparse
import collections
import concurrent.futures
import datetime
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import replay
import witness
from witness import demand

PASSPHRASE = "correct-horse-battery"
MAKE_OPERATORS = os.path.join(os.path.dirname(os.path.realpath(__file__)),
                              "..", "make-operators")

FIRST_PLAN = """
  - generate-key: { key: root-g1, type: p-256, purpose: ca, backup: none }
  - generate-key: { key: issuing-g1, type: p-256, purpose: ca, backup: none }
  - root:
      name: root-g1
      key: root-g1
      profile: root
      subject: { country: DE, organization: Crash, common-name: Crash Root }
  - subordinate:
      name: issuing-g1
      issuer: root-g1
      key: issuing-g1
      profile: issuing-ca
      subject: { country: DE, organization: Crash, common-name: Crash One }
  - subordinate:
      name: partner-g1
      issuer: root-g1
      csr: partner-g1.csr
      profile: issuing-ca
      subject: { country: DE, organization: Crash, common-name: Crash Two }
  - crl: { name: root-1, issuer: root-g1, profile: ca-crl }
"""

SECOND_PLAN = """
  - generate-key: { key: ocsp-g1, type: p-256, purpose: ocsp, backup: none }
  - ocsp-responder:
      name: ocsp-g1
      issuer: root-g1
      key: ocsp-g1
      profile: ocsp-responder
      subject: { country: DE, organization: Crash, common-name: Crash OCSP }
  - subordinate:
      name: partner-g2
      issuer: root-g1
      csr: partner-g2.csr
      profile: issuing-ca
      subject: { country: DE, organization: Crash, common-name: Crash Three }
  - revoke: { issuer: root-g1, serial: SERIAL, reason: superseded }
  - crl: { name: root-2, issuer: root-g1, profile: ca-crl }
"""

RESHARE_PLAN = """
  - reshare: { set: operators/new.yaml }
"""
NEW_SET = """format: ca-tool-set-1
threshold: 2
operators:
  - { name: bob, sign: bob.sign.crt, decrypt: bob.decrypt.crt }
  - { name: dave, sign: dave.sign.crt, decrypt: dave.decrypt.crt }
  - { name: erin, sign: erin.sign.crt, decrypt: erin.decrypt.crt }
"""

# Certificates, each for a request of a directory.
BATCH_PLAN = """
  - certificates:
      name: leaf
      issuer: issuing-g1
      profile: client
      requests: requests
      subject: { organization: Crash }
"""
LEAVES = ["a", "b", "c", "d", "e"]
# So many that their CRL is built in a file (profiles/spill.h), and not in memory.
REVOKED = 5100
IMPORT_PLAN = """
  - import-issued: { issuer: issuing-g1, format: csv, file: issued.csv }
  - import-revocations: { issuer: issuing-g1, format: csv, file: revoked.csv }
"""
LARGE_PLAN = """
  - crl: { name: issuing-1, issuer: issuing-g1, profile: ca-crl }
"""
RESPONSES_PLAN = """
  - ocsp-responses:
      name: answers
      issuer: root-g1
      profile: ocsp-response
      responder: ocsp-g1
"""

FIRST = {"certificates": ["root-g1", "issuing-g1", "partner-g1"],
         "crls": ["root-1"], "keys": {"root-g1", "issuing-g1"}}
SECOND = {"certificates": ["root-g1", "issuing-g1", "partner-g1", "ocsp-g1",
                           "partner-g2"],
          "crls": ["root-1", "root-2"],
          "keys": {"root-g1", "issuing-g1", "ocsp-g1"}}
BATCH = {"certificates": SECOND["certificates"] + [
             f"leaf-{name}" for name in LEAVES],
         "crls": SECOND["crls"], "keys": SECOND["keys"]}
LARGE = {"certificates": BATCH["certificates"],
         "crls": SECOND["crls"] + ["issuing-1"], "keys": SECOND["keys"]}
# What must be there at the end of each kind of act.
WANTED = {"init": FIRST, "first": FIRST, "second": SECOND, "login": SECOND,
          "reshare": SECOND, "batch": BATCH, "large": LARGE,
          "responses": LARGE}
# Of these a smaller share is tried: their states are many, and much alike.
LIGHT = ("batch", "large", "responses")


class Site:
    """A scratch directory: the authority in work/ca, the marks beside it."""

    def __init__(self, options, path):
        self.options = options
        self.path = os.path.realpath(path)
        self.work = os.path.join(self.path, "work")
        self.authority = os.path.join(self.work, "ca")
        self.marks = os.path.join(self.path, "marks")
        self.orders = os.path.join(self.path, "orders")
        with open(self.orders, "w", encoding="utf-8") as file:
            file.write(f"mark {self.marks}\n")

    def clear(self, marks=b""):
        shutil.rmtree(self.work, ignore_errors=True)
        with open(self.marks, "wb") as file:
            file.write(marks)

    def load(self, copy, marks):
        self.clear(marks)
        shutil.copytree(copy, self.work, symlinks=True)

    def environment(self):
        return {"PATH": os.environ["PATH"], "LC_ALL": "C",
                "LD_PRELOAD": self.options.redirect,
                "CA_CRASH_SHIM": self.options.shim,
                "CA_SHIM_MODULE": self.options.module,
                "CA_SHIM_ORDERS": self.orders}

    def operators(self, name):
        return os.path.join(self.options.plans, "operators", name)

    def present(self, *names):
        """Operators who take part; FD is where their passphrases are."""
        return [word for name in names for word in (
            "--operator", f"{name}=file:" + self.operators(name + ".key"),
            "--passphrase-fd", f"{name}=FD")]

    def sets(self):
        """Data of the entries about sets of operators."""
        return self.journal().data("quorum")

    def resharing(self):
        """Is the open run a reshare?"""
        return any(data["plan"] == "reshare-plan"
                   for data in self.journal().open_runs())

    def quorum(self):
        """Two of the set in force."""
        active = [data for data in self.sets() if data["state"] == "active"]
        return ("dave", "erin") if len(active) > 1 else ("alice", "bob")

    def argv(self, act):
        tool = [self.options.tool]
        if act == "init":
            return tool + ["init", self.authority, "--id", "example.org/crash",
                           "--crl-url", "http://crash.example.org/{issuer}.crl",
                           "--ca-issuers-url",
                           "http://crash.example.org/{issuer}.cer",
                           "--operators", self.operators("set.yaml")
                           ] + self.present("alice", "bob", "carol")
        if act == "reshare" or (act == "resume" and self.resharing()):
            pin = ["-d", self.authority] + self.present(
                "alice", "bob", "dave", "erin")
        else:
            pin = ["-d", self.authority] + self.present(*self.quorum())
        if act == "login":
            return tool + ["key", "list", "--json"] + pin
        if act == "verify":
            anchor = os.path.join(self.authority, "public/anchor/anchor.txt")
            return tool + ["journal", "verify", "--anchor", anchor,
                           "--work", self.path, self.authority]
        if act == "resume":
            return tool + ["plan", "run", "--resume", "--yes"] + pin
        plan = os.path.join(self.options.plans, act + ".yaml")
        return tool + ["plan", "run", plan, "--yes"] + pin

    def start(self, act, prefix=()):
        """Start an act; the passphrases, all the same, come on a pipe."""
        reader, writer = os.pipe()
        os.write(writer, (PASSPHRASE.encode() + b"\n") * 48)
        os.close(writer)
        argv = list(prefix) + [
            word[:-len("FD")] + str(reader) if word.endswith("=FD") else word
            for word in self.argv(act)]
        try:
            return subprocess.Popen(
                argv, env=self.environment(), cwd=self.path,
                pass_fds=[reader], stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        finally:
            os.close(reader)

    def do(self, act, prefix=(), expected=(0,)):
        process = self.start(act, prefix)
        output, _ = process.communicate(timeout=120)
        demand(process.returncode in expected,
               f"'{act}' ended with {process.returncode}:\n{output}")
        return output

    def read_marks(self):
        with open(self.marks, "rb") as file:
            return parse_marks(file.read())

    def journal(self):
        return witness.Journal(self.authority)


def parse_marks(content):
    """Digests, of `sign ID DIGEST` and `signed ID DIGEST`."""
    return [line.split()[-1].decode() for line in content.splitlines()
            if line.split()]


# ---- going on after a crash -----------------------------------------------


def go_on_init(site, journal):
    if journal is not None and journal.ready():
        site.do("init", expected=(0, 3))
    else:
        site.do("init")
    go_on_plan(site, site.journal(), "first")


def go_on_plan(site, journal, plan):
    runs = journal.open_runs()
    if runs:
        site.do("resume")
    elif plan + "-plan" in journal.closed_plans():
        # Where only the closing checkpoint was missing, resume makes it.
        site.do("resume", expected=(0, 3))
        site.do(plan, expected=(3,))
    else:
        site.do(plan)


def check_end(site, wanted):
    """Everything that must be true once all is done."""
    output = site.do("login")
    journal, marks = site.journal(), site.read_marks()
    demand(not journal.open_runs(), "a run is still open")
    live = set(journal.live_keys())
    demand(wanted["keys"] < live and len(live) == len(wanted["keys"]) + 1,
           f"live keys: {sorted(live)}")
    for name in live:
        demand(f'"{name}"' in output, f"the token lost the key {name}")
    witness.check_marks(journal, marks)
    witness.check_numbers(journal)
    witness.check_accounted(journal, marks)
    witness.check_no_rubbish(site.authority)
    witness.check_published(site.authority, journal, wanted["certificates"],
                            wanted["crls"])
    crl = "root-1" if wanted is FIRST else "root-2"
    good = [n for n in wanted["certificates"] if not n.startswith("leaf-") and
            (wanted is FIRST or n != "partner-g1")]
    witness.check_chain(site.authority, "root-g1", good, crl)
    witness.check_revocations(site.authority, journal, "root-g1", crl)
    if "leaf-a" in wanted["certificates"]:
        witness.check_leaves(site.authority, "root-g1", "issuing-g1", [
            (f"leaf-{n}", os.path.join(site.options.plans, "requests",
                                       n + ".csr")) for n in LEAVES])
    if "issuing-1" in wanted["crls"]:
        witness.check_revocations(site.authority, journal, "issuing-g1",
                                  "issuing-1", REVOKED)
    witness.check_receipt(site.authority, journal)
    site.do("verify")


def check_responses(site):
    """One response for each CA certificate of the root, and no other."""
    witness.check_responses(
        site.authority, site.journal(), "answers", "root-g1",
        ["issuing-g1", "partner-g1", "partner-g2"])


def check_reshared(site):
    """The new set is in force: it opens the token, and the old one does not."""
    demand([data["state"] for data in site.sets()] ==
           ["active", "begun", "active"], "the sets are not as they should be")
    demand(site.quorum() == ("dave", "erin"), "the old set is in force")
    anchors = site.journal().data("anchor")
    demand(len(anchors) == 6, f"there are {len(anchors)} anchor signatures")
    for pair in (("bob", "dave"), ("erin", "bob")):
        site.quorum = lambda pair=pair: pair
        site.do("login")
    site.quorum = lambda: ("alice", "bob")
    site.do("login", expected=(3,))
    del site.quorum


def continue_and_check(site, act):
    """The state is in place: check it, go on, check the end."""
    journal = None
    if os.path.isdir(site.authority):
        journal = site.journal()
        if journal.entries:
            witness.check_marks(journal, site.read_marks())
        else:
            demand(not site.read_marks(), "signed with an empty journal")
    if act == "init":
        go_on_init(site, journal)
        check_end(site, FIRST)
        return
    if act != "login":
        go_on_plan(site, journal, act)
    check_end(site, WANTED[act])
    if act == "reshare":
        check_reshared(site)
    if act == "responses":
        check_responses(site)


# ---- the acts, traced -----------------------------------------------------


class Act:
    """One traced command: what was before, and each state after it."""

    def __init__(self, name, kind, before, marks, states, seconds, calls):
        self.name, self.kind, self.calls = name, kind, calls
        self.before, self.marks = before, marks
        self.states, self.seconds = states, seconds


def trace_act(site, name, command, kind):
    """Do `command` under strace where the site stands."""
    before = os.path.join(site.path, "before-" + name)
    if os.path.isdir(site.work):
        shutil.copytree(site.work, before, symlinks=True)
    else:
        os.mkdir(before)
        os.mkdir(site.work)
    with open(site.marks, "rb") as file:
        marks = file.read()
    out = os.path.join(site.path, "trace-" + name)
    begun = time.monotonic()
    site.do(command, prefix=replay.command(out))
    seconds = time.monotonic() - begun
    with open(out, encoding="ascii") as lines:
        follower = replay.Replay(lines, site.work, before, site.path,
                                 site.marks, marks)
        states = list(follower.states())
    demand(replay.without_modes(follower.tree_now()) ==
           replay.tree_of(site.work), f"the replay of '{name}' is not exact")
    calls = count_calls(out)
    os.unlink(out)
    print(f"{name}: traced in {time.monotonic() - begun:.0f} s", flush=True)
    return Act(name, kind, before, marks, states, seconds, calls)


def count_calls(trace):
    """How often each system call stands in a trace."""
    with open(trace, encoding="ascii") as lines:
        found = (re.match(r"\d+ +(\w+)\(", line) for line in lines)
        return collections.Counter(m.group(1) for m in found if m)


def trace_many(site):
    """Batches, and a CRL that is built in a file."""
    acts = [trace_act(site, "batch", "batch", "batch")]
    check_end(site, BATCH)
    site.do("import")
    acts.append(trace_act(site, "large", "large", "large"))
    check_end(site, LARGE)
    crl = os.path.join(site.authority, "public/crls/issuing-1.crl")
    demand(os.path.getsize(crl) > 1 << 18, "the CRL was built in memory")
    acts.append(trace_act(site, "responses", "responses", "responses"))
    check_end(site, LARGE)
    check_responses(site)
    return acts


def trace_all(options, site):
    site.clear()
    acts = [trace_act(site, "init", "init", "init"),
            trace_act(site, "first", "first", "first")]
    check_end(site, FIRST)
    write_second_plan(options, site)
    acts.append(trace_act(site, "second", "second", "second"))
    check_end(site, SECOND)
    acts.append(trace_act(site, "login", "login", "login"))
    acts.append(trace_act(site, "reshare", "reshare", "reshare"))
    check_end(site, SECOND)
    check_reshared(site)
    acts += trace_many(site)
    # A crash of the resume itself: begun where some objects were signed.
    old = len(parse_marks(acts[1].marks))
    signing = [s for s in acts[1].states if s.kind == "kill" and
               old < len(parse_marks(s.witness)) < old + 8]
    middle = signing[len(signing) // 2]
    site.clear(middle.witness)
    middle.write(site.work)
    acts.append(trace_act(site, "resume", "resume", "first"))
    return acts


def write_plan(options, name, steps):
    now = datetime.datetime.now(datetime.timezone.utc)
    form = "%Y-%m-%dT%H:%M:%SZ"
    with open(os.path.join(options.plans, name + ".yaml"), "w",
              encoding="ascii") as file:
        file.write(
            f"format: ca-tool-plan-1\nid: {name}-plan\ntitle: {name}\n"
            "window:\n"
            f"  from: {(now - datetime.timedelta(hours=1)).strftime(form)}\n"
            f"  until: {(now + datetime.timedelta(days=2)).strftime(form)}\n"
            f"steps:{steps}")


def write_second_plan(options, site):
    serial = witness.openssl(
        "x509", "-noout", "-serial", "-in",
        os.path.join(site.authority, "public/certs/partner-g1.pem"))
    write_plan(options, "second",
               SECOND_PLAN.replace("SERIAL", serial.strip().split("=")[1]))


def write_inputs(options):
    os.mkdir(options.plans)
    subprocess.run([MAKE_OPERATORS, os.path.join(options.plans, "operators"),
                    "2", PASSPHRASE, "alice", "bob", "carol"], check=True)
    more = os.path.join(options.plans, "more")
    subprocess.run([MAKE_OPERATORS, more, "2", PASSPHRASE, "dave", "erin"],
                   check=True)
    for name in os.listdir(more):
        if not name.endswith(".yaml"):
            os.rename(os.path.join(more, name),
                      os.path.join(options.plans, "operators", name))
    with open(os.path.join(options.plans, "operators", "new.yaml"), "w",
              encoding="ascii") as file:
        file.write(NEW_SET)
    write_plan(options, "reshare", RESHARE_PLAN)
    for name in ("partner-g1", "partner-g2"):
        witness.openssl(
            "req", "-new", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-noenc", "-subj", "/CN=ignored",
            "-keyout", os.path.join(options.plans, name + ".key"),
            "-out", os.path.join(options.plans, name + ".csr"))
    write_plan(options, "first", FIRST_PLAN)
    write_many(options)


def write_many(options):
    """Plans of batches, a directory of requests, lists from elsewhere."""
    requests = os.path.join(options.plans, "requests")
    os.mkdir(requests)
    for name in LEAVES:
        witness.openssl(
            "req", "-new", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-noenc", "-subj", f"/CN=device {name}",
            "-keyout", os.path.join(options.plans, name + ".key"),
            "-out", os.path.join(requests, name + ".csr"))
    now = datetime.datetime.now(datetime.timezone.utc)
    end = (now + datetime.timedelta(days=300)).strftime("%Y-%m-%dT%H:%M:%SZ")
    then = (now - datetime.timedelta(days=3)).strftime("%Y-%m-%dT%H:%M:%SZ")
    serials = [f"{0x71 << 152 | number:040x}" for number in range(REVOKED)]
    for name, head, row in (
            ("issued", "serial-hex,expires,ca", f",{end},ee"),
            ("revoked", "serial-hex,date,reason", f",{then},superseded")):
        with open(os.path.join(options.plans, name + ".csv"), "w",
                  encoding="ascii") as file:
            file.write("".join(line + "\n" for line in [head] + [
                serial + row for serial in serials]))
    for name, steps in (("batch", BATCH_PLAN), ("import", IMPORT_PLAN),
                        ("large", LARGE_PLAN), ("responses", RESPONSES_PLAN)):
        write_plan(options, name, steps)


# ---- many states, a few at a time -----------------------------------------


class Tally:
    def __init__(self):
        self.lock = threading.Lock()
        self.done, self.failed = 0, []

    def add(self, what, problem):
        with self.lock:
            self.done += 1
            if problem is not None:
                self.failed.append(what)
                print(f"FAILED  {what}\n        {problem}", flush=True)


class Sites:
    """One site for each worker thread."""

    def __init__(self, options, scratch):
        self.options, self.scratch = options, scratch
        self.local, self.lock, self.count = threading.local(), (
            threading.Lock()), 0

    def mine(self):
        if not hasattr(self.local, "site"):
            with self.lock:
                self.count += 1
                path = os.path.join(self.scratch, f"site-{self.count}")
            os.mkdir(path)
            self.local.site = Site(self.options, path)
        return self.local.site


def guarded(sites, tally, what, body):
    """Run body on this thread's site; a violation keeps what it saw."""
    site = sites.mine()
    try:
        body(site)
        tally.add(what, None)
    except Exception as problem:  # whatever it is, it is a failure
        if sites.options.keep:
            kept = os.path.join(sites.options.keep, what.replace(" ", "-")
                                .replace(":", "").replace("/", "_")[:80])
            shutil.copytree(site.path, kept, symlinks=True,
                            dirs_exist_ok=True)
        tally.add(what, f"{type(problem).__name__}: {problem}")


def try_state(act, state):
    def body(site):
        site.clear(state.witness)
        state.write(site.work)
        continue_and_check(site, act.kind)
    return f"{act.name} {state}", body


def real_kill(act, command, number, seed):
    """SIGKILL at a random time, or at a random call of one kind."""
    chance = random.Random(f"{seed} {act.name} {number}")
    call = chance.choice(["pwrite64", "fdatasync", "fsync", "write", "rename",
                          "renameat", "renameat2", "openat", "unlink", None,
                          None, None, None])
    when = chance.randint(1, 60)
    delay = chance.uniform(0, act.seconds * 0.6)

    def body(site):
        site.load(act.before, act.marks)
        if call is None:
            process = site.start(command)
            time.sleep(delay)
            process.send_signal(signal.SIGKILL)
            process.communicate()
        else:
            process = site.start(command, [
                "strace", "-f", "-o", "/dev/null", "-e", f"trace={call}",
                "-e", f"inject={call}:signal=KILL:when={when}", "--"])
            process.communicate(timeout=120)
        continue_and_check(site, act.kind)
    name = f"after {delay:.3f} s" if call is None else f"at {call} {when}"
    return f"{act.name} killed {name}", body


# What a full or broken disk says.
FAULTS = {
    "pwrite64": ("ENOSPC", "EIO"), "write": ("ENOSPC", "EIO"),
    "writev": ("ENOSPC", "EIO"), "fsync": ("EIO",), "fdatasync": ("EIO",),
    "rename": ("EIO",), "renameat": ("EIO",), "renameat2": ("EIO",),
    "linkat": ("ENOSPC",), "mkdirat": ("ENOSPC",), "ftruncate": ("EIO",),
    "fallocate": ("ENOSPC",), "unlink": ("EIO",), "unlinkat": ("EIO",),
}


def fault(act, command, call, error, when):
    """One system call fails; then the disk is well again."""
    def body(site):
        site.load(act.before, act.marks)
        process = site.start(command, [
            "strace", "-f", "-o", "/dev/null", "-e", f"trace={call}",
            "-e", f"inject={call}:error={error}:when={when}", "--"])
        output, _ = process.communicate(timeout=120)
        demand(process.returncode in (0, 1, 3, 4),
               f"ended with {process.returncode}:\n{output}")
        continue_and_check(site, act.kind)
    return f"{act.name} {error} at {call} {when}", body


def share(act, number):
    """How many of `number` are tried of this act."""
    return (number + 5) // 6 if act.kind in LIGHT else number


def faults_of(options, act, command):
    every = [fault(act, command, call, error, when)
             for call, errors in FAULTS.items() for error in errors
             for when in range(1, act.calls[call] + 1)]
    if 0 <= options.faults < len(every):
        chance = random.Random(f"{options.seed} {act.name} faults")
        every = chance.sample(every, min(len(every), share(
            act, options.faults)))
    return every


def cases_of(options, act):
    chance = random.Random(f"{options.seed} {act.name}")
    states = act.states
    if options.sample and len(states) > options.sample:
        states = [act.states[i] for i in sorted(
            chance.sample(range(len(states)), share(act, options.sample)))]
    cases = [try_state(act, state) for state in states]
    command = "resume" if act.name == "resume" else act.kind
    cases += faults_of(options, act, command)
    return cases + [real_kill(act, command, n, options.seed)
                    for n in range(share(act, options.kills))]


def run(options, scratch):
    options.plans = os.path.join(scratch, "plans")
    write_inputs(options)
    first = os.path.join(scratch, "traced")
    os.mkdir(first)
    acts = trace_all(options, Site(options, first))
    tally, sites = Tally(), Sites(options, scratch)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for act in acts:
            kinds = [s.kind for s in act.states]
            cases = [c for c in cases_of(options, act)
                     if re.search(options.only, c[0])]
            begun, failed = time.monotonic(), len(tally.failed)
            list(pool.map(lambda c: guarded(sites, tally, *c), cases))
            print(f"{act.name}: {kinds.count('kill')} kill states and "
                  f"{kinds.count('power')} power-loss states; {len(cases)} "
                  f"tried, {len(tally.failed) - failed} failed, "
                  f"{time.monotonic() - begun:.0f} s", flush=True)
    print(f"crash: {tally.done} crashes, {len(tally.failed)} failures "
          f"(seed {options.seed})")
    return 1 if tally.failed or tally.done == 0 else 0


def main():
    parser = argparse.ArgumentParser(
        description="crash a ceremony everywhere, and go on")
    parser.add_argument("--tool", required=True)
    parser.add_argument("--shim", required=True)
    parser.add_argument("--redirect", required=True)
    parser.add_argument("--sample", type=int, default=0)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--faults", type=int, default=0,
                        help="failing calls of each act; -1: every one")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--only", default="",
                        help="regular expression for names of cases")
    parser.add_argument("--keep", help="directory for what failed")
    options = parser.parse_args()
    for name in ("tool", "shim", "redirect"):
        setattr(options, name, os.path.realpath(getattr(options, name)))
    options.module = softhsm()
    with tempfile.TemporaryDirectory(dir=".", prefix="crash-") as scratch:
        os.chdir(scratch)
        return run(options, os.path.realpath("."))


def softhsm():
    """The module that the shim forwards to."""
    for path in ("/usr/lib/softhsm/libsofthsm2.so",
                 "/usr/lib64/pkcs11/libsofthsm2.so"):
        if os.path.exists(path):
            return path
    raise SystemExit("crash: no libsofthsm2.so; is SoftHSM installed?")


if __name__ == "__main__":
    sys.exit(main())
