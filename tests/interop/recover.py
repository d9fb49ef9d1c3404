#!/usr/bin/env python3
"""Combine shares of an authority's operators, without ca-tool.

    recover.py [--so] [--format hex|digits|alphanumeric|ALPHABET]
        [--length N] SHARE...

SHARE is the text of a share, as `openssl cms -decrypt` gives it: as many as the
threshold says.  Each is checked against its commitments, the secret against the
first of them.  Prints the token's user PIN, or with --so the security
officer's.  docs/quorum.md has the mathematics and the whole way.

Python 3 alone, no code of ca-tool: P-256 by the book, not in constant time.
"""
import argparse
import hashlib
import hmac
import string
import sys

# P-256 (SEC 2, secp256r1): y^2 = x^3 - 3x + B over the field of P; order N.
P = 2**256 - 2**224 + 2**192 + 2**96 - 1
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
G = (0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
     0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5)


def add(a, b):
    """Points; None is the one at infinity."""
    if a is None or b is None:
        return a or b
    if a[0] == b[0] and (a[1] + b[1]) % P == 0:
        return None
    if a == b:
        slope = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, P) % P
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P) % P
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def multiply(k, point):
    result = None
    while k > 0:
        if k & 1:
            result = add(result, point)
        point = add(point, point)
        k >>= 1
    return result


def decompress(text):
    """A point of 33 octets in hex."""
    if len(text) != 66 or text[:2] not in ("02", "03"):
        raise ValueError(f"'{text}' is no compressed point")
    x = int(text[2:], 16)
    square = (x**3 - 3 * x + B) % P
    y = pow(square, (P + 1) // 4, P)  # P is 3 modulo 4
    if x >= P or y * y % P != square:
        raise ValueError(f"'{text}' is no point of P-256")
    return x, y if y % 2 == int(text[:2], 16) - 2 else P - y


def read_share(path):
    with open(path, encoding="ascii", newline="") as file:
        lines = file.read().split("\n")
    if lines[0] != "ca-tool share 1" or lines[-1] != "":
        raise ValueError(f"{path}: this is no share")
    share = {"commitment": []}
    for line in lines[1:-1]:
        label, value = line.split(": ", 1)
        if label == "commitment":
            share[label].append(value)
        else:
            share[label] = value
    share["index"] = int(share["index"])
    share["value"] = int(share["share"], 16)
    if len(share["commitment"]) != int(share["threshold"]):
        raise ValueError(f"{path}: its commitments are not all there")
    return share


def check(path, share):
    """f(i) * G is the sum of i^k * A_k."""
    total = None
    for k, commitment in enumerate(share["commitment"]):
        total = add(total, multiply(pow(share["index"], k, N),
                                    decompress(commitment)))
    if multiply(share["value"], G) != total:
        raise ValueError(f"{path}: the share does not fit its commitments")


def combine(paths):
    shares = [read_share(path) for path in paths]
    first = shares[0]
    for path, share in zip(paths, shares):
        check(path, share)
        for label in ("authority", "set", "threshold", "commitment"):
            if share[label] != first[label]:
                raise ValueError(f"{path}: its {label} differs: it is a "
                                 "share of something else")
    indices = [share["index"] for share in shares]
    if len(set(indices)) != len(indices):
        raise ValueError("one share was given twice")
    if len(shares) != int(first["threshold"]):
        raise ValueError(f"{len(shares)} shares are given, and exactly "
                         f"{first['threshold']} are combined")
    secret = 0
    for i, share in zip(indices, shares):
        factor = 1
        for j in indices:
            if j != i:
                factor = factor * j * pow(j - i, -1, N) % N
        secret = (secret + share["value"] * factor) % N
    if multiply(secret, G) != decompress(first["commitment"][0]):
        raise ValueError("the shares do not give the secret")
    return secret, bytes.fromhex(first["set"])


def hkdf(secret, salt, info, length):
    """RFC 5869 with SHA-256."""
    key = hmac.new(salt, secret, hashlib.sha256).digest()
    block, output = b"", b""
    for counter in range(1, (length + 31) // 32 + 1):
        block = hmac.new(key, block + info + bytes([counter]),
                         hashlib.sha256).digest()
        output += block
    return output[:length]


def derive(secret, salt, officer, form, length):
    info = b"ca-tool SO PIN 1" if officer else b"ca-tool user PIN 1"
    octets = secret.to_bytes(32, "big")
    if form == "hex":
        return hkdf(octets, salt, info, 32).hex()[:length]
    alphabet = {"digits": string.digits,
                "alphanumeric": string.digits + string.ascii_uppercase +
                string.ascii_lowercase}.get(form, form)
    number = int.from_bytes(hkdf(octets, salt, info, 96), "big")
    pin = ""
    for _ in range(length):
        number, digit = divmod(number, len(alphabet))
        pin += alphabet[digit]
    return pin


def main():
    parser = argparse.ArgumentParser(description="Combine shares to a PIN.")
    parser.add_argument("--so", action="store_true",
                        help="the security officer's PIN")
    parser.add_argument("--format", default="hex")
    parser.add_argument("--length", type=int, default=64)
    parser.add_argument("shares", nargs="+", metavar="SHARE")
    options = parser.parse_args()
    try:
        secret, salt = combine(options.shares)
    except (ValueError, KeyError, OSError) as problem:
        sys.exit(f"recover.py: {problem}")
    print(derive(secret, salt, options.so, options.format, options.length))


if __name__ == "__main__":
    main()
