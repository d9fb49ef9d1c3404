#!/usr/bin/env python3
"""What linting costs, as ratios measured in one run.

usage: lint.py --tool CA-TOOL [--certificates N] [--entries N]

Linting N certificates on all processors and on one, beside `openssl x509`
reading and writing as many; and a CRL of so many entries: seconds, and its
peak memory beside that of a CRL of 1,000.
"""
import argparse
import os
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "lint"))
import x509  # noqa: E402
from der import (explicit, integer, length, oid, raw, seq,  # noqa: E402
                 utctime)

FAILED = []


def limit(ratio, most, what):
    """Far above what a noisy machine makes of it."""
    print("%-52s %8.2f" % (what, ratio))
    if ratio > most:
        FAILED.append("%s: %.2f, and at most %.2f" % (what, ratio, most))


def run(words, wanted=(0,)):
    """Seconds, and the peak of memory in KiB."""
    before = time.monotonic()
    pid = os.fork()
    if pid == 0:
        out = os.open(os.devnull, os.O_WRONLY)
        os.dup2(out, 1)
        os.execv(words[0], words)
    _, status, usage = os.wait4(pid, 0)
    if os.waitstatus_to_exitcode(status) not in wanted:
        sys.exit("%s: status %d" % (words, status))
    return time.monotonic() - before, usage.ru_maxrss


def bundle(path, count):
    data = subprocess.run(["openssl", "x509", "-inform", "DER"], check=True,
                          capture_output=True, input=x509.leaf().der()).stdout
    with open(path, "wb") as file:
        file.write(data * count)


def certificates(tool, count):
    bundle("many.pem", count)
    with open("issuer.der", "wb") as file:
        file.write(x509.tls_sub().der())
    words = [tool, "lint", "--issuer", "issuer.der", "many.pem"]
    taskset = ["/usr/bin/taskset", "-c", "0"]
    all_, _ = run(words)
    one, _ = run(taskset + words)
    # storeutl reads, decodes and encodes each certificate of the file.
    floor, _ = run(taskset + ["/usr/bin/openssl", "storeutl", "-certs",
                              "many.pem"])
    print("%-52s %8.0f" % ("certificates a second, all processors",
                           count / all_))
    print("%-52s %8.0f" % ("certificates a second, one processor",
                           count / one))
    limit(one / floor, 60, "linting / openssl's decoding and encoding")
    if len(os.sched_getaffinity(0)) > 1:
        limit(all_ / one, 1.5, "all processors / one")


def crl(path, entries):
    """A CRL written as a stream; its signature is right for no one."""
    base = x509.crl_ee()
    row = seq(integer(x509.serial("entry 0")), utctime("261020090000Z"))
    size = len(row)
    head = integer(1) + base.alg + base.issuer + \
        utctime("261102000000Z") + utctime("261108235959Z")
    tail = explicit(0, base.ext_der())
    rows = b"\x30" + length(size * entries)
    tbs = len(head) + len(rows) + size * entries + len(tail)
    end = base.alg + raw(0x03, b"\x00" + base.sign(b""))
    inner = b"\x30" + length(tbs)
    with open(path, "wb") as file:
        file.write(b"\x30" + length(len(inner) + tbs + len(end)) + inner
                   + head + rows)
        for i in range(entries):
            number = 0x40 << 152 | i * 0x10001
            file.write(seq(integer(number), utctime("261020090000Z")))
        file.write(tail + end)


def crls(tool, entries):
    crl("small.crl", 1000)
    crl("large.crl", entries)
    wanted = (0, 3)
    # Beyond 1 MiB, a CRL is read in pieces.
    _, small = run([tool, "lint", "small.crl"], wanted)
    seconds, large = run([tool, "lint", "large.crl"], wanted)
    floor, _ = run(["/usr/bin/openssl", "dgst", "-sha256", "large.crl"])
    print("%-52s %8.2f" % ("seconds for a CRL of %d entries" % entries,
                           seconds))
    print("%-52s %8d" % ("KiB at most, 1,000 entries", small))
    print("%-52s %8d" % ("KiB at most, %d entries" % entries, large))
    limit(large / small, 6, "memory, %d entries / 1,000" % entries)
    limit(seconds / floor, 600, "linting / SHA-256 of the file")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", required=True)
    parser.add_argument("--certificates", type=int, default=2000)
    parser.add_argument("--entries", type=int, default=1000000)
    given = parser.parse_args()
    tool = os.path.abspath(given.tool)
    with tempfile.TemporaryDirectory(dir=os.getcwd()) as scratch:
        os.chdir(scratch)
        certificates(tool, given.certificates)
        crls(tool, given.entries)
        os.chdir("..")
    if FAILED:
        sys.exit("\n".join(FAILED))


if __name__ == "__main__":
    main()
