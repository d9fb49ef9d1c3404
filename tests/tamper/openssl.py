"""What the openssl tool says of signatures; each question is asked once."""

import functools
import hashlib
import os
import subprocess
import tempfile

from asn1 import Certificate, Malformed, Statement, whole

PURPOSE = "2.25.99745312291466458474339361182822765410."

# signature algorithm: (digest, options)
SIMPLE = {"1.2.840.10045.4.3.2": "sha256", "1.2.840.10045.4.3.3": "sha384",
          "1.2.840.10045.4.3.4": "sha512", "1.2.840.113549.1.1.11": "sha256",
          "1.2.840.113549.1.1.12": "sha384", "1.2.840.113549.1.1.13": "sha512"}
PSS = "1.2.840.113549.1.1.10"
PSS_DIGESTS = {"2.16.840.1.101.3.4.2.1": "sha256",
               "2.16.840.1.101.3.4.2.2": "sha384",
               "2.16.840.1.101.3.4.2.3": "sha512"}


def run(*args, files=()):
    """Exit status and stdout of openssl; `files` are given as FILE-1, ..."""
    with tempfile.TemporaryDirectory() as scratch:
        names = {}
        for number, data in enumerate(files, 1):
            names[f"FILE-{number}"] = os.path.join(scratch, str(number))
            with open(names[f"FILE-{number}"], "wb") as file:
                file.write(data)
        done = subprocess.run(
            ["openssl", *(names.get(word, word) for word in args)],
            capture_output=True, check=False)
    return done.returncode, done.stdout


def digest_of(algorithm):
    """Digest and options for an AlgorithmIdentifier."""
    parts = whole(algorithm).parts()
    name = parts[0].oid()
    if name in SIMPLE:
        return SIMPLE[name], ()
    if name == PSS:
        wrapped = whole(parts[1].parts()[0].body)
        digest = PSS_DIGESTS[wrapped.parts()[0].oid()]
        return digest, ("-sigopt", "rsa_padding_mode:pss", "-sigopt",
                        "rsa_pss_saltlen:digest")
    raise Malformed(f"algorithm {name}")


@functools.lru_cache(maxsize=None)
def verifies(spki, algorithm, signature, message):
    """Does this key's signature hold?"""
    try:
        digest, options = digest_of(algorithm)
    except (Malformed, KeyError, IndexError):
        return False
    status, _ = run("dgst", "-" + digest, *options, "-keyform", "DER",
                    "-verify", "FILE-1", "-signature", "FILE-2", "FILE-3",
                    files=(spki, signature, message))
    return status == 0


ECDSA_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")


@functools.lru_cache(maxsize=None)
def certificate_in(pem):
    """The certificate in a PEM or DER file; Malformed if there is none."""
    status, der = run("x509", "-in", "FILE-1", "-outform", "DER",
                      files=(pem,))
    if status != 0:
        raise Malformed("no certificate")
    return Certificate(der)


@functools.lru_cache(maxsize=None)
def statement_fault(der, content, pem, number):
    """Why a person's signature does not count; None if it does."""
    try:
        statement = Statement(der)
        certificate = certificate_in(pem)
    except (Malformed, ValueError, IndexError) as problem:
        return f"it is malformed: {problem}"
    purpose = PURPOSE + str(number)
    if (statement.purpose, statement.signed_purpose) != (purpose, purpose):
        return "it was made for another purpose"
    digest = hashlib.new(statement.digest, content).digest()
    if statement.message_digest != digest:
        return "it is over something else"
    if not statement.names(certificate):
        return "it names another certificate"
    if any(inside != certificate.der for inside in statement.certificates):
        return "another certificate is inside"
    status, _ = run("cms", "-verify", "-binary", "-inform", "DER", "-in",
                    "FILE-1", "-content", "FILE-2", "-certfile", "FILE-3",
                    "-nointern", "-noverify", "-out", "FILE-4",
                    files=(der, content, pem, b""))
    return None if status == 0 else "it does not verify"
