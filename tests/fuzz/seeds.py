#!/usr/bin/env python3
"""Inputs for the targets that read DER, from the generator of tests/lint.

    seeds.py DIR          the base objects: DIR/TARGET/NAME
    seeds.py --all DIR    and each object of the pairs, for libFuzzer

corpus/ holds what the first form writes, beside inputs that crashed a target
once and files written by hand.
"""
import argparse
import base64
import os
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "lint"))
import run  # noqa: E402
import x509  # noqa: E402
from pairs import UNSET  # noqa: E402

FOLDERS = ((x509.Certificate, "certificate"), (x509.Crl, "crl"),
           (x509.Ocsp, "ocsp"), (x509.Csr, "csr"))
DER = ("leaf", "crl_ee", "ocsp_good")  # of all kinds, in corpus/der
# Above this, libFuzzer is better off without.
LARGEST = 1 << 14


class Seeds:
    def __init__(self, directory):
        self.directory, self.seen = directory, set()

    def put(self, target, label, data):
        if (target, data) in self.seen or len(data) > LARGEST:
            return
        self.seen.add((target, data))
        folder = os.path.join(self.directory, target)
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, label), "wb") as file:
            file.write(data)

    def put_object(self, label, obj, issuer=UNSET, existing=UNSET,
                   previous=None):
        """The object by itself, and behind what it is linted with."""
        data = x509.der_of(obj)
        if previous is not None:
            self.put("crl-previous", label, x509.der_of(previous) + data)
            return
        for kind, target in FOLDERS:
            if isinstance(obj, (kind, bytes)):
                self.put(target, label, data)
        if isinstance(obj, (x509.Csr, bytes)):
            self.put("csr-read", label, data)
        first = run.beside(existing, x509.existing_of, obj)
        if first is None:
            first = run.beside(issuer, x509.issuer_of, obj)
        if isinstance(obj, x509.Certificate) and first is not None:
            self.put("issued", label, x509.der_of(first) + data)


def pem(data):
    text = base64.b64encode(data)
    lines = [text[i:i + 64] for i in range(0, len(text), 64)]
    return (b"-----BEGIN CERTIFICATE REQUEST-----\n" + b"\n".join(lines) +
            b"\n-----END CERTIFICATE REQUEST-----\n")


def put_base(seeds):
    for label, (make, _) in x509.BASE.items():
        obj = make()
        seeds.put_object(label, obj)
        if isinstance(obj, x509.Crl):
            after = make().put(x509.CRL_NUMBER, x509.integer(2))
            seeds.put_object(label, after, previous=obj)
        if label in DER:
            seeds.put("der", label, obj.der())
    seeds.put("csr-read", "pem", pem(x509.csr().der()))


def put_large(seeds):
    """A key and lists at which time once grew too fast."""
    modulus = (1 << 16383) + 9
    key = x509.seq(x509.seq(x509.oid("1.2.840.113549.1.1.1"), x509.null()),
                   x509.bits(x509.seq(x509.integer(modulus),
                                      x509.integer(65537))))
    seeds.put("certificate", "rsa_16384", x509.leaf().set(spki=key).der())
    policies = ["%s.%d" % (x509.OWN, i) for i in range(1, 301)]
    mappings = x509.seq(*(x509.seq(x509.oid(p), x509.oid(p + ".1"))
                          for p in policies))
    mapped = x509.tls_sub().put(x509.POLICIES, x509.cp(*policies)).put(
        x509.POLICY_MAPPINGS, mappings)
    seeds.put("certificate", "mappings_300", mapped.der())


def put_pairs(seeds):
    for number, pair in enumerate(run.load_pairs()):
        for i, obj in enumerate([pair.good] + pair.bad):
            seeds.put_object("%s-%d-%d" % (pair.rule, number, i), obj,
                             issuer=pair.options["issuer"],
                             existing=pair.options["existing"],
                             previous=pair.options["previous"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--all", action="store_true")
    parser.add_argument("directory")
    given = parser.parse_args()
    seeds = Seeds(given.directory)
    put_base(seeds)
    put_large(seeds)
    if given.all:
        put_pairs(seeds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
