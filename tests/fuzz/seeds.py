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

# The first octet of an input of `import`: see import.c.
IMPORT_CSV, IMPORT_INDEX, IMPORT_CRL, IMPORT_CERTIFICATES = range(4)
IMPORT_ISSUED, IMPORT_REASON, IMPORT_ANEW = 0x10, 0x20, 0x40
FOLDERS = ((x509.Certificate, "certificate"), (x509.Crl, "crl"),
           (x509.Ocsp, "ocsp"), (x509.Csr, "csr"))
DER = ("leaf", "crl_ee", "ocsp_good")  # of all kinds, in corpus/der
# Above this, libFuzzer is better off without.
LARGEST = 1 << 14

# What is not DER: for `import`, and for `lists` (JOURNAL).
TEXTS = {
    "csv": "serial,date,reason,invalidity,expires\n"
           "0a,2026-01-01T00:00:00Z,superseded,-,2028-01-01T00:00:00Z\n"
           "0B,2026-01-02T00:00:00Z,,2026-01-01T00:00:00Z,\n",
    "csv_decimal": "\ufeff\"serial-decimal\",date\r\n"
                   "\"255\",2026-01-01T00:00:00Z\r\n"
                   "730750818665451459101842416358141509827966271487,"
                   "2026-01-01T00:00:00Z\r\n",
    "csv_issued": "serial-hex,expires,ca,sha256\n0a,,ee," + "a1" * 32 +
                  "\n10,2028-01-01T00:00:00Z,ca,-\n",
    "index": "V\t280101000000Z\t\t0A\tunknown\t/CN=one\n"
             "R\t280101000000Z\t260101000000Z,superseded\t0B\tunknown"
             "\t/CN=a\\\tb\n"
             "E\t250101000000Z\t\t0C\tunknown\t/CN=three\n",
    "index_odd": "R\t20500101000000Z\t260101000000Z,keyTime,20260101000000Z"
                 "\t0D\tunknown\t/\n"
                 "R\t280101000000Z\t260101000000Z,CAkeyTime,20260101000000Z"
                 "\t0E\tunknown\t/\n"
                 "R\t280101000000Z\t260101000000Z,holdInstruction,1.2.3\t0F"
                 "\tunknown\t/\n",
}
JOURNAL = {
    "revocations": "ca-tool-revocations-1\n"
                   "05 2026-01-01T00:00:00Z keyCompromise - -\n"
                   "0080 2026-01-01T00:00:00Z unspecified "
                   "2025-12-01T00:00:00Z 2028-01-01T00:00:00Z\n",
    "issued": "ca-tool-issued-1\n7f - - -\n0080 - ee -\n0100 "
              "2028-01-01T00:00:00Z ca " + "a1" * 32 + "\n",
    "intent": "05 good " + "a1" * 32 + "\n0080 revoked " + "b2" * 32 + "\n",
    "result": "05 " + "a1" * 32 + " MAMKAQE=\n0080 -\n0100 " + "b2" * 32 +
              " MAMKAQA=\n0101 " + "c3" * 32 + " MIAA\n",
}


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

    def put_import(self, label, how, data):
        self.put("import", label, bytes([how]) + data)

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
        if isinstance(obj, (x509.Crl, bytes)):
            self.put("crl-read", label, data)
            self.put_import(label, IMPORT_CRL | IMPORT_ANEW, data)
        if isinstance(obj, x509.Certificate):
            self.put_import(label, IMPORT_CERTIFICATES | IMPORT_ANEW, data)
        if isinstance(obj, (x509.Ocsp, bytes)):
            self.put("ocsp-get", label, data)
        first = run.beside(existing, x509.existing_of, obj)
        if first is None:
            first = run.beside(issuer, x509.issuer_of, obj)
        if isinstance(obj, x509.Certificate) and first is not None:
            self.put("issued", label, x509.der_of(first) + data)


def pem(data, label=b"CERTIFICATE REQUEST"):
    text = base64.b64encode(data)
    lines = [text[i:i + 64] for i in range(0, len(text), 64)]
    return (b"-----BEGIN %s-----\n" % label + b"\n".join(lines) +
            b"\n-----END %s-----\n" % label)


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


def put_ocsp_parts(seeds):
    """What stands in a response: ResponseData, and a CertID of each hash."""
    made = x509.ocsp_good()
    seeds.put("ocsp-get", "data", made.tbs())
    for digest in ("sha256", "sha1"):
        single = x509.Single(x509.leaf(), x509.tls_sub(),
                             "2026-11-02T00:00:00Z", None, digest)
        seeds.put("ocsp-get", "id_" + digest, single.cert_id())


def put_lists(seeds):
    """Of data/issuer.pem, which is tls_sub(); and of the journal."""
    for label, text in TEXTS.items():
        seeds.put_import(label, IMPORT_INDEX if label.startswith("index")
                         else IMPORT_CSV, text.encode())
        seeds.put_import("issued_" + label, IMPORT_ISSUED | (
            IMPORT_INDEX if label.startswith("index") else IMPORT_CSV),
            text.encode())
    for label, text in JOURNAL.items():
        seeds.put("lists", label, text.encode())
    leaf = x509.leaf().der()
    block = pem(leaf, b"CERTIFICATE")
    for label, how in (("revoked", 0), ("issued", IMPORT_ISSUED)):
        seeds.put_import("pem_" + label, IMPORT_CERTIFICATES | how, block * 2)
        bundle = b"ca-tool-bundle-1\nleaf.pem %d\n%s\nl.der %d\n%s\n" % (
            len(block), block, len(leaf), leaf)
        seeds.put_import("bundle_" + label, IMPORT_CERTIFICATES | how, bundle)
    reasons = x509.crl_ee()
    reasons.entries = [
        x509.Revoked(n, "2026-10-20T09:00:00Z", n, [x509.Ext(
            x509.INVALIDITY_DATE,
            x509.generalized("2026-10-01T00:00:00Z"))])
        for n in (1, 3, 4, 5)]
    seeds.put_object("reasons", reasons)


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
    put_ocsp_parts(seeds)
    put_lists(seeds)
    if given.all:
        put_pairs(seeds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
