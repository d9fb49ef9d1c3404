#!/usr/bin/env python3
"""How long does issuing one intermediate take, beside what it must take?

    issue_intermediate.py --tool CA-TOOL --floor FLOOR [--repeat N] [--limit R]

The issuance is `ca-tool plan run` of a plan with one certificate, P-384
issuer on SoftHSM, from the start of the process to its exit.  The floor is a
small program that opens the same token, logs in, makes one C_Sign and one
verification.  Both take turns; medians are compared.  Exits 1 where the ratio
is above R.
"""

import argparse
import datetime
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

# One operator, whose passphrase is the PIN as well: what is measured is the
# issuance, not how long people take.
PIN, SO_PIN = "correct-horse-battery", "staple-of-the-officer"
OPERATOR = ["--operator", "op=file:operators/op.key",
            "--passphrase-fd", "op=PIN"]
ROOT = """
  - generate-key: { key: root, type: p-384, purpose: ca, backup: none }
  - root:
      name: root
      key: root
      profile: root
      subject: { country: DE, organization: Bench, common-name: Bench Root }
"""
INTERMEDIATE = """
  - subordinate:
      name: intermediate-NUMBER
      issuer: root
      csr: NUMBER.csr
      profile: issuing-ca
      subject: { country: DE, organization: Bench, common-name: B NUMBER }
"""


def timed(argv, secrets, **popen):
    """Run argv, with each secret on a pipe in place of its name."""
    argv, fds = list(argv), []
    for name, secret in secrets.items():
        reader, writer = os.pipe()
        os.write(writer, (secret.encode() + b"\n") * 12)
        os.close(writer)
        argv = [word.replace("=" + name, f"={reader}") if "=" in word
                else str(reader) if word == name else word for word in argv]
        fds.append(reader)
    begun = time.monotonic()
    done = subprocess.run(argv, pass_fds=fds, capture_output=True, text=True,
                          check=False, **popen)
    seconds = time.monotonic() - begun
    for reader in fds:
        os.close(reader)
    if done.returncode != 0:
        sys.exit(f"{' '.join(argv)}: {done.returncode}\n"
                 f"{done.stdout}{done.stderr}")
    return seconds


def write_plan(name, steps):
    now = datetime.datetime.now(datetime.timezone.utc)
    form = "%Y-%m-%dT%H:%M:%SZ"
    with open(f"{name}.yaml", "w", encoding="ascii") as file:
        file.write(
            f"format: ca-tool-plan-1\nid: {name}\ntitle: {name}\nwindow:\n"
            f"  from: {(now - datetime.timedelta(hours=1)).strftime(form)}\n"
            f"  until: {(now + datetime.timedelta(days=2)).strftime(form)}\n"
            f"steps:{steps}")


def make_request(number):
    subprocess.run(
        ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:P-384", "-noenc", "-keyout", "key",
         "-subj", "/CN=x", "-out", f"{number}.csr"],
        check=True, capture_output=True)


def configuration():
    """The embedded token's SoftHSM configuration file."""
    for path, _, names in os.walk("ca/token"):
        for name in names:
            if name.endswith(".conf"):
                return os.path.realpath(os.path.join(path, name))
    return sys.exit("no SoftHSM configuration below ca/token")


def label():
    """The token's label, as the journal's first entry has it."""
    import sqlite3
    with sqlite3.connect("ca/journal.db") as database:
        (body,), = database.execute("SELECT body FROM entries WHERE seq = 0")
    return json.loads(body)["data"]["token"]["label"]


def module():
    for path in ("/usr/lib/softhsm/libsofthsm2.so",
                 "/usr/lib64/pkcs11/libsofthsm2.so"):
        if os.path.exists(path):
            return path
    return sys.exit("no libsofthsm2.so; is SoftHSM installed?")


def measure(options):
    make = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..",
                        "make-operators")
    subprocess.run([make, "operators", "1", PIN, "op"], check=True)
    run = [options.tool, "plan", "run", "-d", "ca", "--yes", "--pin-fd", "PIN",
           *OPERATOR]
    timed([options.tool, "init", "ca", "--login", "prompt", "--operators",
           "operators/sign-only.yaml", *OPERATOR, "--id", "example.org/bench",
           "--crl-url", "http://bench.example.org/{issuer}.crl",
           "--ca-issuers-url", "http://bench.example.org/{issuer}.cer",
           "--pin-fd", "PIN", "--so-pin-fd", "SO"],
          {"PIN": PIN, "SO": SO_PIN})
    write_plan("root", ROOT)
    timed(run + ["root.yaml"], {"PIN": PIN})
    environment = {**os.environ, "SOFTHSM2_CONF": configuration()}
    floor_argv = [options.floor, module(), label(), "root"]
    issuances, floors = [], []
    for number in range(options.repeat + 1):
        make_request(number)
        write_plan(f"plan-{number}",
                   INTERMEDIATE.replace("NUMBER", str(number)))
        issuances.append(timed(run + [f"plan-{number}.yaml"], {"PIN": PIN}))
        floors.append(timed(floor_argv, {}, env=environment, input=PIN + "\n"))
    # The first of each only warms the caches.
    return statistics.median(issuances[1:]), statistics.median(floors[1:])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", required=True)
    parser.add_argument("--floor", required=True)
    parser.add_argument("--repeat", type=int, default=15)
    parser.add_argument("--limit", type=float)
    options = parser.parse_args()
    options.tool = os.path.realpath(options.tool)
    options.floor = os.path.realpath(options.floor)
    with tempfile.TemporaryDirectory(dir=".", prefix="bench-") as scratch:
        os.chdir(scratch)
        issuance, floor = measure(options)
    ratio = issuance / floor
    print(f"one intermediate: {issuance * 1000:.1f} ms; login, one signature "
          f"and one verification: {floor * 1000:.1f} ms; ratio {ratio:.1f} "
          f"(medians of {options.repeat})")
    if options.limit is not None and ratio > options.limit:
        print(f"that is more than {options.limit}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
