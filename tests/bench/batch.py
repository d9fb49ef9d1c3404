#!/usr/bin/env python3
"""How many certificates and OCSP responses a second, beside what must be?

    batch.py --tool CA-TOOL --signing SIGNING [--certificates N]
             [--responses] [--types p-384,rsa-2048] [--jobs 1,2,4]
             [--rounds K] [--shim SHIM [--delay MICROSECONDS]] [--openssl]
             [--limit R]

A batch is `ca-tool plan run` of a plan with one step `certificates` (or
`ocsp-responses`); its rate is that of the phase of signing: intents, the head
on the token, C_Sign, verification, assembly, lint and results, all journalled.
Beside it, before and after it on the same token: C_Sign and one verification on
as many threads (bench/signing.c).  With --shim every C_Sign is made slow, as
that of an HSM.  With --openssl also `openssl ca`, whose key is in a file.
The ratio is the median of K rounds.  Exits 1 where one is below R.
"""

import argparse
import datetime
import json
import os
import re
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

PIN, SO_PIN = "correct-horse-battery", "staple-of-the-officer"
OPERATOR = ["--operator", "op=file:operators/op.key",
            "--passphrase-fd", "op=PIN"]
CAS = """
  - generate-key: {{ key: root, type: p-384, purpose: ca, backup: none }}
  - generate-key: {{ key: issuing, type: {type}, purpose: ca, backup: none }}
  - root:
      name: root
      key: root
      profile: root
      subject: {{ country: DE, organization: Bench, common-name: Bench Root }}
  - subordinate:
      name: issuing
      issuer: root
      key: issuing
      profile: issuing-ca
      subject: {{ country: DE, organization: Bench, common-name: Bench CA }}
"""
BATCH = """
  - certificates:
      name: {id}
      issuer: issuing
      profile: client
      requests: {id}
      subject: {{ organization: Bench }}
"""
RESPONSES = """
  - ocsp-responses:
      name: {id}
      issuer: issuing
      profile: ocsp-response
"""
ADOPT = """
  - adopt-config: { why: a benchmark }
"""
SOFTHSM = ("/usr/lib/softhsm/libsofthsm2.so",
           "/usr/lib64/pkcs11/libsofthsm2.so")


class Bench:
    def __init__(self, options, kind):
        self.options, self.kind, self.plans = options, kind, 0
        self.made, self.jobs = 0, 1  # as `init` writes it
        self.rounds = 0
        self.environment = dict(os.environ)
        self.module = next(path for path in SOFTHSM if os.path.exists(path))
        make = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..",
                            "make-operators")
        subprocess.run([make, "operators", "1", PIN, "op"], check=True)
        self.init()

    def init(self):
        token = []
        if self.options.shim:
            os.mkdir("tokens")
            with open("softhsm2.conf", "w", encoding="ascii") as file:
                file.write(f"directories.tokendir = {os.getcwd()}/tokens\n"
                           "objectstore.backend = file\n")
            self.environment.update({
                "CA_SHIM_MODULE": self.module,
                "CA_SHIM_SOFTHSM2_CONF": os.path.realpath("softhsm2.conf"),
                "CA_SHIM_ORDERS": os.path.realpath("orders")})
            self.order("")
            self.module = self.options.shim
            token = ["--module", self.module, "--token", "bench"]
        self.tool("init", "ca", "--login", "prompt", "--operators",
                  "operators/sign-only.yaml", *OPERATOR, "--id",
                  "example.org/bench", "--so-pin-fd", "SO", *token,
                  "--crl-url", "http://bench.example.org/{issuer}.crl",
                  "--ca-issuers-url", "http://bench.example.org/{issuer}.cer")
        self.change("ca/profiles/issuing-ca.yaml", r"(?m)^keys: .*$",
                    "keys: [p-256, p-384, rsa-2048, rsa-4096]")
        # The CA signs the responses itself.
        self.change("ca/profiles/issuing-ca.yaml", r"(?m)usages: \[",
                    "usages: [digital-signature, ")
        self.change("ca/profiles/ocsp-response.yaml", r"(?m)^covers: ca.*$",
                    "covers: user")
        self.run(ADOPT)
        self.run(CAS.format(type=self.kind))
        certificate = subprocess.run(
            ["openssl", "x509", "-in", "ca/public/certs/issuing.pem",
             "-noout", "-pubkey"], check=True, capture_output=True)
        with open("issuing.pub", "wb") as file:
            file.write(certificate.stdout)
        if not self.options.shim:
            self.environment["SOFTHSM2_CONF"] = configuration()

    @staticmethod
    def order(text):
        with open("orders", "w", encoding="ascii") as file:
            file.write(text)

    @staticmethod
    def change(path, pattern, text):
        with open(path, encoding="utf-8") as file:
            old = file.read()
        with open(path, "w", encoding="utf-8") as file:
            file.write(re.sub(pattern, text, old, count=1))

    def tool(self, *words):
        """Run ca-tool; the time that each of its phases took."""
        argv, fds = [self.options.tool], []
        for word in (*words, "--pin-fd", "PIN"):
            for name, secret in (("PIN", PIN), ("SO", SO_PIN)):
                if word == name or word.endswith("=" + name):
                    reader, writer = os.pipe()
                    os.write(writer, (secret.encode() + b"\n") * 12)
                    os.close(writer)
                    fds.append(reader)
                    word = word[:-len(name)] + str(reader)
            argv.append(word)
        phases, said, begun = {}, [], time.monotonic()
        phase = "start"
        with subprocess.Popen(argv, pass_fds=fds, text=True,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                              env=self.environment) as process:
            for line in process.stderr:
                said.append(line)
                if line.startswith("== "):
                    now = time.monotonic()
                    phases[phase] = now - begun
                    phase, begun = line[3:].strip(), now
            phases[phase] = time.monotonic() - begun
        for reader in fds:
            os.close(reader)
        if process.returncode != 0:
            sys.exit(f"{' '.join(argv)}: {process.returncode}\n"
                     f"{''.join(said[-40:])}")
        return phases

    def run(self, steps):
        self.plans += 1
        now = datetime.datetime.now(datetime.timezone.utc)
        form = "%Y-%m-%dT%H:%M:%SZ"
        begin = (now - datetime.timedelta(hours=1)).strftime(form)
        end = (now + datetime.timedelta(days=2)).strftime(form)
        path = f"plan-{self.plans}.yaml"
        with open(path, "w", encoding="ascii") as file:
            file.write(f"format: ca-tool-plan-1\nid: plan-{self.plans}\n"
                       f"title: a benchmark\nwindow:\n  from: {begin}\n"
                       f"  until: {end}\nsteps:{steps}")
        return self.tool("plan", "run", "-d", "ca", "--yes", *OPERATOR, path)

    def set_jobs(self, jobs):
        if jobs == self.jobs:
            return
        self.jobs = jobs
        self.change("ca/authority.yaml", r"(?m)^jobs: .*$", f"jobs: '{jobs}'")
        self.run(ADOPT)

    def floor(self, jobs, count):
        done = subprocess.run(
            [self.options.signing, "rate", self.module, label(), "issuing",
             "issuing.pub", str(jobs), str(count)], check=True, text=True,
            capture_output=True, input=PIN + "\n", env=self.environment)
        return float(done.stdout)

    def make_requests(self, directory, count):
        os.mkdir(directory)
        subprocess.run([self.options.signing, "requests", directory,
                        str(self.made), str(count)], check=True)
        self.made += count

    def measure(self, what, jobs, steps, count):
        """A batch between two floors."""
        if self.options.shim:
            self.order(f"delay C_Sign {self.options.delay}\n")
        before = self.floor(jobs, count)
        phases = self.run(steps)
        after = self.floor(jobs, count)
        if self.options.shim:
            self.order("")
        rate = count / phases["Signing"]
        floor = statistics.mean((before, after))
        print(f"{what}, {self.kind}, {jobs} jobs: {rate:.0f} a second; "
              f"C_Sign and a verification: {floor:.0f} "
              f"({before:.0f}, {after:.0f}); ratio {rate / floor:.2f}; "
              f"{count} built in "
              f"{phases['Building everything that is to be signed']:.1f} s, "
              f"published in {phases['Publishing']:.1f} s", flush=True)
        return rate / floor

    def median(self, what, jobs, one):
        """Of what `one` measures in each round."""
        ratios = [one(jobs, number)
                  for number in range(self.rounds, self.rounds +
                                      self.options.rounds)]
        self.rounds += self.options.rounds
        median = statistics.median(ratios)
        print(f"{what}, {self.kind}, {jobs} jobs: median ratio {median:.2f} "
              f"of {len(ratios)}", flush=True)
        return median

    def certificates(self, jobs, number):
        self.make_requests(f"batch-{number}", self.options.certificates)
        return self.measure("certificates", jobs,
                            BATCH.format(id=f"batch-{number}"),
                            self.options.certificates)

    def responses(self, jobs, number):
        """For every certificate of the batches before."""
        return self.measure("responses", jobs,
                            RESPONSES.format(id=f"responses-{number}"),
                            self.made)

    def openssl(self):
        """The same requests by `openssl ca`, its key in a file."""
        count = self.options.certificates
        self.make_requests("beside", count)
        algorithm = {"p-384": ["ec", "-pkeyopt", "ec_paramgen_curve:P-384"],
                     "p-256": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
                     "rsa-2048": ["rsa:2048"]}[self.kind]
        subprocess.run(["openssl", "req", "-x509", "-newkey", *algorithm,
                        "-noenc", "-keyout", "beside.key", "-out",
                        "beside.pem", "-subj", "/CN=beside"], check=True,
                       capture_output=True)
        os.mkdir("issued")
        with open("index.txt", "w", encoding="ascii"):
            pass
        with open("beside.cnf", "w", encoding="ascii") as file:
            file.write("[ca]\ndefault_ca=c\n[c]\ndatabase=index.txt\n"
                       "new_certs_dir=issued\nrand_serial=yes\n"
                       "certificate=beside.pem\nprivate_key=beside.key\n"
                       "default_md=sha256\ndefault_days=365\npolicy=p\n"
                       "[p]\ncommonName=supplied\n")
        names = sorted(os.listdir("beside"))
        begun = time.monotonic()
        subprocess.run(["openssl", "ca", "-config", "beside.cnf", "-batch",
                        "-notext", "-infiles",
                        *(f"beside/{name}" for name in names)], check=True,
                       capture_output=True)
        print(f"openssl ca, {self.kind} in a file: "
              f"{count / (time.monotonic() - begun):.0f} a second, "
              "requests read and files written", flush=True)


def configuration():
    """The embedded token's SoftHSM configuration file."""
    for path, _, names in os.walk("ca/token"):
        for name in names:
            if name.endswith(".conf"):
                return os.path.realpath(os.path.join(path, name))
    return sys.exit("no SoftHSM configuration below ca/token")


def label():
    """The token's label, as the journal's first entry has it."""
    with sqlite3.connect("ca/journal.db") as database:
        (body,), = database.execute("SELECT body FROM entries WHERE seq = 0")
    return json.loads(body)["data"]["token"]["label"]


def measure(options, kind):
    bench = Bench(options, kind)
    ratios = []
    for jobs in options.jobs:
        bench.set_jobs(jobs)
        ratios.append(bench.median("certificates", jobs, bench.certificates))
        if options.responses:
            ratios.append(bench.median("responses", jobs, bench.responses))
    if options.openssl:
        bench.openssl()
    return ratios


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", required=True, type=os.path.realpath)
    parser.add_argument("--signing", required=True, type=os.path.realpath)
    parser.add_argument("--certificates", type=int, default=3000)
    parser.add_argument("--responses", action="store_true")
    parser.add_argument("--types", type=lambda text: text.split(","),
                        default=["rsa-2048", "p-384"])
    parser.add_argument("--jobs", default=[1, 2, 4],
                        type=lambda text: [int(n) for n in text.split(",")])
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--shim", type=os.path.realpath)
    parser.add_argument("--delay", type=int, default=2000)
    parser.add_argument("--openssl", action="store_true")
    parser.add_argument("--limit", type=float)
    options = parser.parse_args()
    ratios, home = [], os.getcwd()
    for kind in options.types:
        with tempfile.TemporaryDirectory(dir=home, prefix="bench-") as scratch:
            os.chdir(scratch)
            ratios += measure(options, kind)
            os.chdir(home)
    if options.limit is not None and min(ratios) < options.limit:
        print(f"{min(ratios):.2f} is less than {options.limit}")
        return 1
    return 0


sys.exit(main())
