#!/usr/bin/env python3
"""Make rules.inc, the C table of the rules, from rules.tsv.

    profiles/rules/rules.py            write rules.inc
    profiles/rules/rules.py --check    fail if rules.inc is not what it would be
"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SUBJECTS = {
    "any": "FOR_CERTIFICATE", "root": "FOR_ROOT", "tlssub": "FOR_TLSSUB",
    "tcsub": "FOR_TCSUB", "nontls": "FOR_NONTLS", "smimeca": "FOR_SMIMECA",
    "csca": "FOR_CSCA", "cross": "FOR_CROSS", "sub": "FOR_SUB", "ca": "FOR_CA",
    "ocspcert": "FOR_OCSPCERT", "leaf": "FOR_LEAF", "precert": "FOR_PRECERT",
    "smime": "FOR_SMIME", "cs": "FOR_CS", "crl": "FOR_CRL",
    "crl-ee": "FOR_CRL_EE", "crl-ca": "FOR_CRL_CA", "ocsp": "FOR_OCSP",
    "csr": "FOR_CSR", "key": "FOR_KEY", "ops": "FOR_OPS", "log": "FOR_LOG",
}
PUBLISHERS = {
    "RFC": ("RFC5280", "PRIVATE"), "BR": ("CABF_TLS",), "EVG": ("CABF_TLS",),
    "MRSP": ("CABF_TLS",), "CRP": ("CABF_TLS",), "CCADB": ("CABF_TLS",),
    "SBR": ("CABF_SMIME",), "CSBR": ("CABF_CS",),
}
ALL = ("RFC5280", "PRIVATE", "CABF_TLS", "CABF_SMIME", "CABF_CS")
# rules.md, sections 1 and 2.1: what keeps keys and encodings sound.
FLOOR = ("ALG-", "KEY-", "FLD-")


def rulesets(rule, source):
    found = set()
    for clause in source.split(";"):
        found.update(PUBLISHERS.get(clause.split()[0] if clause.split() else
                                    "", ()))
    if not found:
        found.update(ALL)
    if rule.startswith(FLOOR):
        found.add("PRIVATE")
    return [name for name in ALL if name in found]


def literal(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def row(line):
    rule, applies, level, requirement, source, others = line.split("\t")
    named = "ca-tool" if source == "\N{EN DASH}" else source
    bits = " | ".join(SUBJECTS[word] for word in applies.split())
    sets = " | ".join(f"RULESET_BIT(RULESET_{name})"
                      for name in rulesets(rule, source))
    return (f"\t{{ {literal(rule)}, {bits},\n\t    RULE_{level}, {sets},\n"
            f"\t    {literal(requirement)},\n\t    {literal(named)},\n"
            f"\t    {literal(others.replace(',', ' '))} }},\n")


def table():
    with open(os.path.join(HERE, "rules.tsv"), encoding="utf-8") as file:
        lines = [line.rstrip("\n") for line in file][1:]
    return ("/* Made by rules.py from rules.tsv. */\n"
            + "".join(row(line) for line in lines))


def main():
    name = os.path.join(HERE, "rules.inc")
    if sys.argv[1:] == ["--check"]:
        with open(name, encoding="utf-8") as file:
            if file.read() != table():
                sys.exit("rules.inc is stale: run profiles/rules/rules.py")
        return
    with open(name, "w", encoding="utf-8") as file:
        file.write(table())


if __name__ == "__main__":
    main()
