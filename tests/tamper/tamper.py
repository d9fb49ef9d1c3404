#!/usr/bin/env python3
"""Tamper with a real journal, one thing at a time: nothing may pass unnoticed.

    tamper.py --tool CA-TOOL [--scene DIR] [--all] [--seed N] [--only REGEX]
        [--jobs N] [--limit SECONDS] [--own] [--keep] [--list]

make-authority holds the ceremonies (or --scene names what it made before).
Each case changes a copy of the authority; then `ca-tool journal verify`, given
the anchor that was kept outside, must refuse it with a finding and not crash,
and so must verify_journal.py, which shares no code with it.  A sample, chosen
by --seed; --all: every row and member.  --limit: begin no
more cases after so long; small groups come first.  --own: only
verify_journal.py, without ca-tool.  --keep: leave the copies of what passed
unnoticed.
"""

import argparse
import collections
import concurrent.futures
import hashlib
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

import cases
import forge
import verify_journal

HERE = os.path.dirname(os.path.realpath(__file__))
SECONDS = 300  # that one verification may take


class Failed(Exception):
    """The test itself could not be carried out."""


# ---- the scene ------------------------------------------------------------


def make_scene(options):
    """Directory with what make-authority makes."""
    if options.scene is not None:
        return os.path.realpath(options.scene)
    scene = os.path.join(options.work, "scene")
    done = subprocess.run(
        [os.path.join(HERE, "make-authority"), scene],
        env={**os.environ, "CA_TOOL": options.tool}, capture_output=True,
        text=True, check=False)
    if done.returncode != 0:
        raise Failed(f"make-authority:\n{done.stdout}{done.stderr}")
    return scene


def digest_of(directory):
    """Of every file below it."""
    found = {}
    for place, _, names in os.walk(directory):
        for name in names:
            path = os.path.join(place, name)
            with open(path, "rb") as file:
                found[path] = hashlib.sha256(file.read()).hexdigest()
    return found


def copy_of(source, target):
    """The journal, and hard links of what may leave the room."""
    os.mkdir(target)
    shutil.copy(os.path.join(source, "journal.db"), target)
    shutil.copytree(os.path.join(source, "public"),
                    os.path.join(target, "public"), copy_function=os.link)


def contents(directory):
    """All that a database says; None if SQLite cannot read it."""
    try:
        database = sqlite3.connect(
            f"file:{directory}/journal.db?mode=ro", uri=True)
        try:
            database.text_factory = bytes
            tables = database.execute(
                "SELECT name, type, sql FROM sqlite_schema "
                "ORDER BY name").fetchall()
            found = [tables]
            for pragma in ("application_id", "user_version",
                           "integrity_check"):
                found.append(database.execute(f"PRAGMA {pragma}").fetchall())
            for name, kind, _ in tables:
                if kind == b"table":
                    found.append(database.execute(
                        f'SELECT * FROM "{name.decode()}"').fetchall())
            return found
        finally:
            database.close()
    except (sqlite3.Error, UnicodeDecodeError):
        return None


# ---- what each says -------------------------------------------------------


class Verdict:
    """`noticed` None: it was not asked."""

    def __init__(self, noticed, text, fault=None):
        self.noticed, self.text, self.fault = noticed, text, fault


def ask_tool(options, directory, anchor, receipt):
    command = [options.tool, "journal", "verify", "--anchor", anchor,
               directory]
    if receipt is not None:
        command = [options.tool, "journal", "prove", "-d", directory, "--old",
                   receipt]
    try:
        done = subprocess.run(command, capture_output=True, check=False,
                              timeout=SECONDS, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return Verdict(True, "", f"it took more than {SECONDS} s")
    text = (done.stdout + done.stderr).decode("utf-8", "replace")
    fault = None
    if done.returncode not in (0, 3, 4):
        fault = f"it ended with {done.returncode}"
    if re.search("Sanitizer|internal error", text):
        fault = "it said that it is at fault itself"
    return Verdict(done.returncode != 0, text, fault)


def ask_own(directory, anchor, receipt):
    try:
        journal = verify_journal.verify(directory, anchor, receipt)
    except Exception as problem:  # pylint: disable=broad-except
        return Verdict(True, "", f"verify_journal.py: {problem!r}")
    return Verdict(bool(journal.findings), "\n".join(
        f"{place}: {text}"
        for place, text in journal.findings + journal.warnings))


# ---- one case -------------------------------------------------------------


class Outcome:
    def __init__(self, case, state, why=""):
        self.case, self.state, self.why = case, state, why


def judge(case, tool, own):
    """REFUSED, or what is wrong."""
    if case.honest:
        for name, verdict in (("ca-tool", tool), ("verify_journal.py", own)):
            if verdict.noticed or verdict.fault:
                return "WRONG", (f"{name} refuses what is good: "
                                 f"{verdict.fault} {verdict.text}")
        return "accepted", ""
    for verdict in (tool, own):
        if verdict.fault:
            return "WRONG", f"{verdict.fault}\n{verdict.text}"
    if case.warned:
        silent = [verdict.text for verdict in (tool, own)
                  if verdict.noticed is not None and
                  not re.search(case.warned, verdict.text)]
        return ("UNNOTICED", str(silent)) if silent else ("warned", "")
    unseen = [name for name, verdict in (
        ("ca-tool", tool), ("verify_journal.py", own))
        if verdict.noticed is False and not (
            case.undocumented and verdict is own)]
    if unseen:
        return "UNNOTICED", f"by {' and '.join(unseen)}"
    if tool.noticed and not re.search(r"AUDIT-[A-Z]|^ca-tool: \S", tool.text,
                                      re.M):
        return "WRONG", f"ca-tool does not say what: {tool.text}"
    for wanted in case.names:
        if tool.noticed and not re.search(wanted, tool.text):
            return "WRONG", f"ca-tool does not name {wanted}: {tool.text}"
    return "refused", ""


def carry_out(options, scene, case, number):
    """Change a copy; ask both; say what came of it."""
    if options.limit and time.monotonic() > options.begun + options.limit:
        return Outcome(case, "left out")
    directory = os.path.join(options.work, f"case-{number}")
    source = os.path.join(scene, case.source)
    anchor = os.path.join(scene, "anchor.txt")
    copy_of(source, directory)
    try:
        try:
            anchor = case.act(directory) or anchor
        except (cases.Impossible, forge.CannotForge, sqlite3.Error) as why:
            return Outcome(case, "impossible", str(why))
        if case.may_be_nothing:
            have, had = contents(directory), contents(source)
            if have == had:
                return Outcome(case, "no change")
            # Only the words of the schema, which docs/journal.md leaves open.
            case.undocumented = have is not None and have[1:] == had[1:]
        asked = directory if case.asked is None else os.path.join(
            directory, case.asked)
        tool = (Verdict(None, "") if options.own
                else ask_tool(options, asked, anchor, case.receipt))
        state, why = judge(case, tool, ask_own(asked, anchor, case.receipt))
        if state in ("UNNOTICED", "WRONG") and options.keep:
            shutil.copytree(directory, directory + ".kept")
            why += f" ({directory}.kept)"
        return Outcome(case, state, why)
    finally:
        shutil.rmtree(directory)


# ---- all of them ----------------------------------------------------------

STATES = ["refused", "warned", "accepted", "no change", "impossible", "left out",
          "UNNOTICED", "WRONG"]


def report(outcomes):
    counts = collections.defaultdict(collections.Counter)
    for outcome in outcomes:
        counts[outcome.case.group][outcome.state] += 1
    print(f"{'':37}" + "".join(f"{state:>11}" for state in STATES))
    for group, states in sorted(counts.items()):
        print(f"{group:37}" + "".join(
            f"{states[state] or '':>11}" for state in STATES))
    bad = [o for o in outcomes if o.state in ("UNNOTICED", "WRONG")]
    for outcome in bad:
        print(f"\n{outcome.state}: {outcome.case.group}: "
              f"{outcome.case.name}\n  {outcome.why}")
    print(f"\n{len(outcomes)} cases, {len(bad)} bad")
    return bad


def select(options, scene):
    """The cases: all, or a sample of each group that is large."""
    whole, sampled = [], []
    chance = random.Random(options.seed)
    groups = collections.OrderedDict()
    for case in cases.everything(scene, chance, options.tool):
        if re.search(options.only, f"{case.group}: {case.name}"):
            groups.setdefault(case.group, []).append(case)
    for found in groups.values():
        if not options.all and len(found) > found[0].sample:
            found = chance.sample(found, found[0].sample)
            sampled += found
        else:
            whole += found
    chance.shuffle(sampled)  # so that --limit leaves out some of each group
    return whole + sampled


def run(options):
    options.work = tempfile.mkdtemp(prefix="tamper-", dir=".")
    options.work = os.path.realpath(options.work)
    options.begun = time.monotonic()
    try:
        scene = make_scene(options)
        shutil.copy(os.path.join(scene, "past/0/public/anchor/anchor.txt"),
                    os.path.join(scene, "anchor.txt"))
        before = digest_of(scene)
        chosen = select(options, scene)
        if options.list:
            print("\n".join(f"{c.group}: {c.name}" for c in chosen))
            return 0
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            outcomes = list(pool.map(
                lambda pair: carry_out(options, scene, pair[1], pair[0]),
                enumerate(chosen)))
        bad = report(outcomes)
        print(f"{time.monotonic() - options.begun:.0f} s, seed {options.seed}")
        if digest_of(scene) != before:
            print("the original was changed")
            return 1
        return 1 if bad or not chosen else 0
    finally:
        if not options.keep:
            shutil.rmtree(options.work)


def main():
    parser = argparse.ArgumentParser(
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=__doc__)
    parser.add_argument("--tool", required=True, type=os.path.realpath)
    parser.add_argument("--scene")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--limit", type=float)
    parser.add_argument("--own", action="store_true")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--list", action="store_true")
    try:
        return run(parser.parse_args())
    except Failed as problem:
        print(problem)
        return 1


if __name__ == "__main__":
    sys.exit(main())
