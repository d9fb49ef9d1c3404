#!/usr/bin/env python3
"""Hold the linter against its pairs, and the rules against the lints.

    run.py --tool PATH [--only PREFIX]   each pair of cases_*.py, and that the
           [--cases NAME] [--keep DIR]   base objects of x509.py are clean;
                                         or only cases_NAME.py
    run.py --tool PATH --walk            each rule has a lint or a reason, each
                                         lint a pair
    run.py --page [--check]              write docs/lint-uncovered.md, or fail
                                         if it is not what it would be
    run.py --write DIR                   write the base objects as files
"""
import argparse
import concurrent.futures
import glob
import json
import os
import runpy
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
RULES = os.path.join(ROOT, "profiles", "rules", "rules.tsv")
UNCOVERED = os.path.join(ROOT, "profiles", "rules", "uncovered.tsv")
PAGE = os.path.join(ROOT, "docs", "lint-uncovered.md")
# Levels that ask for something; a MAY is only kept in mind.
BINDING = ("MUST", "MUSTNOT", "SHOULD", "SHOULDNOT", "TOOL")
BATCH = 40

sys.path.insert(0, HERE)
import pairs  # noqa: E402
import x509  # noqa: E402


def load_pairs(cases="*"):
    paths = sorted(glob.glob(os.path.join(HERE, "cases_%s.py" % cases)))
    if not paths:
        sys.exit("there is no cases_%s.py" % cases)
    for path in paths:
        runpy.run_path(path, init_globals={"pair": pairs.pair})
    return pairs.PAIRS


def table(path):
    with open(path, encoding="utf-8") as file:
        return [line.rstrip("\n").split("\t") for line in file
                if line.strip() and not line.startswith("#")]


def rules():
    """id: (applies, level, requirement, source)"""
    return {row[0]: row[1:5] for row in table(RULES)[1:]}


# ---- objects as files -------------------------------------------------

class Store:
    """Objects in a directory, each octet string once."""

    def __init__(self, directory):
        self.directory, self.names, self.count = directory, {}, 0

    def put(self, data, suffix):
        if (data, suffix) not in self.names:
            path = os.path.join(self.directory,
                                "%05d.%s" % (len(self.names), suffix))
            with open(path, "wb") as file:
                file.write(data)
            self.names[data, suffix] = path
        return self.names[data, suffix]

    def again(self, data):
        """A file of its own, also where the octets were there before."""
        self.count += 1
        path = os.path.join(self.directory, "object-%05d" % self.count)
        with open(path, "wb") as file:
            file.write(data)
        return path


def beside(value, fallback, obj):
    """What the pair says, or what the object itself knows; None: nothing."""
    return fallback(obj) if value is pairs.UNSET else value


def arguments(store, obj, options):
    """The options that the tool is given for this object."""
    words = []
    issuer = beside(options["issuer"], x509.issuer_of, obj)
    existing = beside(options["existing"], x509.existing_of, obj)
    kind = beside(options["kind"], lambda o: getattr(o, "kind", None), obj)
    for option, value in (("--issuer", issuer), ("--existing", existing),
                          ("--previous", options["previous"])):
        if value is not None:
            words += [option, store.put(x509.der_of(value), "der")]
    if options["blocklist"] is not None:
        text = options["blocklist"]
        text = text if isinstance(text, bytes) else text.encode()
        words += ["--blocklist", store.put(text, "txt")]
    for option, value in (("--ruleset", options["ruleset"]),
                          ("--kind", kind), ("--at", options["at"])):
        if value is not None:
            words += [option, value]
    return tuple(words) + (("--signing",) if options["signing"] else ())


# ---- running the tool -------------------------------------------------

def lint(tool, words, paths):
    """{path: findings, or a sentence that says why there are none}"""
    done = subprocess.run([tool, "lint", "--json", *words, *paths],
                          capture_output=True, timeout=300)
    try:
        report = json.loads(done.stdout)
        rows = report["objects"]
    except (ValueError, KeyError):
        if len(paths) > 1:
            return {path: found for one in paths
                    for path, found in lint(tool, words, [one]).items()}
        return {paths[0]: "exit status %d: %s" % (
            done.returncode, (done.stderr or done.stdout).decode(
                errors="replace")[-400:])}
    found = {path: [] for path in paths}
    for row in rows:
        found[row["file"]] += row["findings"]
    if not rows:
        return {path: str(report.get("error")) for path in paths}
    return found


def lint_all(tool, jobs):
    """jobs: (words, path).  The findings of each path."""
    groups, batches, found = {}, [], {}
    for words, path in jobs:
        groups.setdefault(words, []).append(path)
    for words, paths in groups.items():
        batches += [(words, paths[i:i + BATCH])
                    for i in range(0, len(paths), BATCH)]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for part in pool.map(lambda b: lint(tool, *b), batches):
            found.update(part)
    return found


def tell(findings):
    if isinstance(findings, str):
        return "    " + findings
    return "\n".join("    %s %s: %s (%s)" % (
        f["severity"], f["id"], f["text"], f["place"])
        for f in findings) or "    nothing"


# ---- pairs ------------------------------------------------------------

class Job:
    """One object, and what must be said about it."""

    def __init__(self, title, rule, wanted, words, path):
        self.title, self.rule, self.wanted = title, rule, wanted
        self.words, self.path = words, path

    def complaint(self, findings):
        if isinstance(findings, str):
            return "could not be linted"
        ids = {finding["id"] for finding in findings}
        if self.rule is None:
            return "is not clean" if ids else None
        if self.wanted and self.rule not in ids:
            return "was not found"
        if not self.wanted and self.rule in ids:
            return "was found in the good object"
        return None


def base_jobs(store):
    rows = []
    for label, (make, ruleset) in x509.BASE.items():
        obj = make()
        words = arguments(store, obj, {
            "issuer": pairs.UNSET, "existing": pairs.UNSET,
            "kind": pairs.UNSET, "previous": None, "blocklist": None,
            "ruleset": ruleset, "at": None, "signing": False})
        rows.append(Job("base %s" % label, None, False, words,
                        store.again(obj.der())))
    return rows


def pair_jobs(store, only):
    rows = []
    for pair in pairs.PAIRS:
        if only and not pair.rule.startswith(only):
            continue
        objects = [(False, pair.good)] + [(True, bad) for bad in pair.bad]
        for number, (wanted, obj) in enumerate(objects):
            title = "%s %s (%s)" % (
                pair.rule, "bad object %d" % number if wanted else
                "good object", os.path.basename(pair.where))
            rows.append(Job(title, pair.rule, wanted,
                            arguments(store, obj, pair.options),
                            store.again(x509.der_of(obj))))
    return rows


def run_pairs(tool, only, keep, cases):
    if only != "base":
        load_pairs(cases)
    with tempfile.TemporaryDirectory(dir=os.getcwd()) as scratch:
        if keep:
            os.makedirs(keep, exist_ok=True)
        store = Store(keep or scratch)
        jobs = [] if only and only != "base" else base_jobs(store)
        jobs += pair_jobs(store, only)
        found = lint_all(tool, [(job.words, job.path) for job in jobs])
    failures = 0
    for job in jobs:
        complaint = job.complaint(found[job.path])
        if complaint:
            failures += 1
            print("%s: %s; findings:\n%s" % (job.title, complaint,
                                             tell(found[job.path])))
            if keep:
                print("    %s lint %s %s" % (tool, " ".join(job.words),
                                             job.path))
    print("%d objects, %d failures" % (len(jobs), failures))
    if not jobs:
        sys.exit("nothing was tested")
    return failures


# ---- the walk ---------------------------------------------------------

def lints_of(tool):
    done = subprocess.run([tool, "lint", "--list", "--json"], check=True,
                          capture_output=True)
    return [row["id"] for row in json.loads(done.stdout)["lints"]]


def walk(tool):
    known, reasons = rules(), {}
    lints = lints_of(tool)
    faults = []
    for row in table(UNCOVERED):
        if len(row) != 2 or len(row[1]) < 10:
            faults.append("uncovered.tsv: no reason in %r" % row)
        elif row[0] in reasons:
            faults.append("%s: two reasons" % row[0])
        else:
            reasons[row[0]] = row[1]
    paired = {pair.rule for pair in load_pairs()}
    for one in sorted(set(lints)):
        if one not in known:
            faults.append("%s: a lint that is no rule" % one)
        if one not in paired:
            faults.append("%s: a lint without a pair" % one)
    # LINT-FAIL-CLOSED and its like come from the linter as a whole.
    for one in sorted(paired - set(lints) - set(reasons)):
        faults.append("%s: a pair without a lint" % one)
    for one in sorted(reasons):
        if one not in known:
            faults.append("%s: a reason for what is no rule" % one)
        if one in lints:
            faults.append("%s: has a lint, and a reason for having none" % one)
    for one, (_, level, _, _) in known.items():
        if level in BINDING and one not in lints and one not in reasons:
            faults.append("%s: a %s rule with neither lint nor reason" % (
                one, level))
    print("\n".join(faults))
    print("%d rules, %d lints, %d reasons, %d faults" % (
        len(known), len(set(lints)), len(reasons), len(faults)))
    return len(faults)


# ---- the page ---------------------------------------------------------

HEAD = """# Rules that no lint checks

Made by `tests/lint/run.py --page` from `profiles/rules/uncovered.tsv`.

`ca-tool lint` looks at an object, and at what it is given beside it. These
rules cannot be told from that, or are kept elsewhere; each has its reason. A
rule is here or has a lint, never both and never neither; a test sees to it.
[lint.md](lint.md) explains the linter.

"""


def escape(text):
    return text.replace("|", "\\|").replace("<", "&lt;")


def page():
    known = rules()
    rows = ["| rule | level | what it asks | why no lint checks it |",
            "|---|---|---|---|"]
    reasons = dict(table(UNCOVERED))
    for one, (_, level, requirement, source) in known.items():
        if one in reasons:
            rows.append("| `%s` | %s | %s (%s) | %s |" % (
                one, level, escape(requirement), escape(source),
                escape(reasons[one])))
    return HEAD + "\n".join(rows) + "\n"


def run_page(check):
    text = page()
    if not check:
        with open(PAGE, "w", encoding="utf-8") as file:
            file.write(text)
        return 0
    with open(PAGE, encoding="utf-8") as file:
        if file.read() == text:
            return 0
    print("docs/lint-uncovered.md is stale: run tests/lint/run.py --page")
    return 1


def write_base(directory):
    os.makedirs(directory, exist_ok=True)
    for label, (make, _) in x509.BASE.items():
        obj = make()
        with open(os.path.join(directory, label + ".der"), "wb") as file:
            file.write(obj.der())
    return 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool")
    parser.add_argument("--only", default="")
    parser.add_argument("--cases", default="*",
                        help="read only cases_NAME.py")
    parser.add_argument("--keep", help="keep the objects in this directory")
    parser.add_argument("--walk", action="store_true")
    parser.add_argument("--page", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--write")
    given = parser.parse_args()
    if given.write:
        failed = write_base(given.write)
    elif given.page:
        failed = run_page(given.check)
    elif not given.tool:
        parser.error("--tool is missing")
    elif given.walk:
        failed = walk(given.tool)
    else:
        failed = run_pairs(given.tool, given.only, given.keep, given.cases)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
