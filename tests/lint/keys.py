"""Keys of the test objects, and signatures by them, in plain Python.

Everything is deterministic: an object has the same octets in every run.  The
private keys are made from their names; they protect nothing.
"""
import hashlib

from der import bits, integer, null, octets, oid, raw, seq

HASHES = {"sha1": "1.3.14.3.2.26", "sha256": "2.16.840.1.101.3.4.2.1",
          "sha384": "2.16.840.1.101.3.4.2.2",
          "sha512": "2.16.840.1.101.3.4.2.3"}
RSA_ENCRYPTION = "1.2.840.113549.1.1.1"
EC_PUBLIC_KEY = "1.2.840.10045.2.1"
ECDSA = {"sha1": "1.2.840.10045.4.1", "sha256": "1.2.840.10045.4.3.2",
         "sha384": "1.2.840.10045.4.3.3", "sha512": "1.2.840.10045.4.3.4"}
RSA = {"sha1": "1.2.840.113549.1.1.5", "sha256": "1.2.840.113549.1.1.11",
       "sha384": "1.2.840.113549.1.1.12", "sha512": "1.2.840.113549.1.1.13"}


def hash_id(name):
    return seq(oid(HASHES[name]), null())


def ecdsa_alg(name):
    return seq(oid(ECDSA[name]))


def rsa_alg(name):
    return seq(oid(RSA[name]), null())


def pss_alg(name, salt=None):
    salt = hashlib.new(name).digest_size if salt is None else salt
    mgf = seq(oid("1.2.840.113549.1.1.8"), hash_id(name))
    return seq(oid("1.2.840.113549.1.1.10"),
               seq(raw(0xA0, hash_id(name)), raw(0xA1, mgf),
                   raw(0xA2, integer(salt))))


ED25519_ALG = seq(oid("1.3.101.112"))
# What an AlgorithmIdentifier makes of the octets to be signed.
SCHEMES = {ecdsa_alg(name): name for name in ECDSA}
SCHEMES.update({rsa_alg(name): name for name in RSA})
PSS = {pss_alg(name): name for name in ("sha256", "sha384", "sha512")}


def expand(label, size):
    out, i = b"", 0
    while len(out) < size:
        out += hashlib.sha256(b"%s %d" % (label.encode(), i)).digest()
        i += 1
    return out[:size]


class Curve:
    """y^2 = x^3 - 3x + b over p, SEC 2."""

    def __init__(self, name, p, b, x, y, n, digest):
        self.oid, self.p, self.b, self.n = name, p, b, n
        self.point, self.digest = (x, y), digest
        self.size = (p.bit_length() + 7) // 8
        self.doubles = None

    def double(self, point):
        x, y, z = point
        p = self.p
        if not z:
            return point
        delta, gamma = z * z % p, y * y % p
        beta = x * gamma % p
        alpha = 3 * (x - delta) * (x + delta) % p
        x3 = (alpha * alpha - 8 * beta) % p
        return (x3, (alpha * (4 * beta - x3) - 8 * gamma * gamma) % p,
                ((y + z) * (y + z) - gamma - delta) % p)

    def add(self, a, b):
        if not a[2]:
            return b
        if not b[2]:
            return a
        p = self.p
        z1z1, z2z2 = a[2] * a[2] % p, b[2] * b[2] % p
        u1, u2 = a[0] * z2z2 % p, b[0] * z1z1 % p
        s1, s2 = a[1] * b[2] * z2z2 % p, b[1] * a[2] * z1z1 % p
        h, r = (u2 - u1) % p, (s2 - s1) % p
        if not h:
            return (1, 1, 0) if r else self.double(a)
        hh = h * h % p
        hhh, v = h * hh % p, u1 * hh % p
        x = (r * r - hhh - 2 * v) % p
        return x, (r * (v - x) - s1 * hhh) % p, a[2] * b[2] * h % p

    def multiple(self, k):
        """k times the generator, affine."""
        if self.doubles is None:
            point, self.doubles = (*self.point, 1), []
            for _ in range(self.n.bit_length()):
                self.doubles.append(point)
                point = self.double(point)
        out = (1, 1, 0)
        for i, point in enumerate(self.doubles):
            if k >> i & 1:
                out = self.add(out, point)
        inverse = pow(out[2], -1, self.p)
        return (out[0] * inverse ** 2 % self.p,
                out[1] * inverse ** 3 % self.p)


CURVE_P256 = Curve(
    "1.2.840.10045.3.1.7", 2**256 - 2**224 + 2**192 + 2**96 - 1,
    0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b,
    0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296,
    0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5,
    0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551,
    "sha256")
CURVE_P384 = Curve(
    "1.3.132.0.34", 2**384 - 2**128 - 2**96 + 2**32 - 1,
    int("b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f"
        "5013875ac656398d8a2ed19d2a85c8edd3ec2aef", 16),
    int("aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e0"
        "82542a385502f25dbf55296c3a545e3872760ab7", 16),
    int("3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113"
        "b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f", 16),
    int("ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81"
        "f4372ddf581a0db248b0a77aecec196accc52973", 16), "sha384")
CURVE_P521 = Curve(
    "1.3.132.0.35", 2**521 - 1,
    int("51953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b48991"
        "8ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef"
        "451fd46b503f00", 16),
    int("c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af60"
        "6b4d3dbaa14b5e77efe75928fe1dc127a2ffa8de3348b3c1856a429bf9"
        "7e7e31c2e5bd66", 16),
    int("011839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd"
        "17273e662c97ee72995ef42640c550b9013fad0761353c7086a272c240"
        "88be94769fd16650", 16),
    int("01" + "ff" * 32 + "fa51868783bf2f966b7fcc0148f709a5d03bb5c9b889"
        "9c47aebb6fb71e91386409", 16), "sha512")


def ec_spki(curve, point, parameters=None):
    """`curve`: Curve or OID; `point`: octets of the BIT STRING."""
    name = curve.oid if isinstance(curve, Curve) else curve
    parameters = oid(name) if parameters is None else parameters
    return seq(seq(oid(EC_PUBLIC_KEY), parameters), bits(point))


def rsa_spki(n, e=65537):
    return seq(seq(oid(RSA_ENCRYPTION), null()),
               bits(seq(integer(n), integer(e))))


class EcKey:
    def __init__(self, name, curve):
        self.curve = curve
        self.d = int.from_bytes(expand(name, curve.size + 8),
                                "big") % (curve.n - 1) + 1
        self.alg = ecdsa_alg(curve.digest)
        self.made = None

    @property
    def xy(self):
        if self.made is None:
            self.made = self.curve.multiple(self.d)
        return self.made

    @property
    def point(self):
        size = self.curve.size
        return b"\x04" + b"".join(i.to_bytes(size, "big") for i in self.xy)

    @property
    def spki(self):
        return ec_spki(self.curve, self.point)

    def pair(self, tbs, alg=None):
        """(r, s), with a nonce made from key and octets."""
        digest = SCHEMES.get(alg or self.alg, self.curve.digest)
        h = hashlib.new(digest, tbs).digest()
        n = self.curve.n
        e = int.from_bytes(h, "big") >> max(0, 8 * len(h) - n.bit_length())
        k = int.from_bytes(
            expand("%x %s" % (self.d, h.hex()), self.curve.size + 8),
            "big") % (n - 1) + 1
        r = self.curve.multiple(k)[0] % n
        return r, pow(k, -1, n) * (e + r * self.d) % n

    def sign(self, tbs, alg=None):
        r, s = self.pair(tbs, alg)
        return seq(integer(r), integer(s))


# Behind the number that a name expands to: how many odd numbers further on the
# first fit prime stands.
PRIMES = {"rsa-1024-a": (512, 28, 27), "rsa-2048-a": (1024, 52, 167),
          "rsa-2048-b": (1024, 402, 417), "rsa-3072-a": (1536, 189, 136),
          "rsa-4096-a": (2048, 240, 1637)}


class RsaKey:
    def __init__(self, name=None, p=None, q=None, e=65537):
        if name:
            size, *offsets = PRIMES[name]
            p, q = (prime(name + " " + half, size, offset)
                    for half, offset in zip("pq", offsets))
        self.n, self.e = p * q, e
        self.d = pow(e, -1, (p - 1) * (q - 1))
        self.size = (self.n.bit_length() + 7) // 8
        self.alg = rsa_alg("sha256")

    @property
    def spki(self):
        return rsa_spki(self.n, self.e)

    def sign(self, tbs, alg=None):
        alg = alg or self.alg
        if alg in PSS:
            message = self.pss(PSS[alg], tbs)
        else:
            message = self.pkcs1(SCHEMES.get(alg, "sha256"), tbs)
        return pow(int.from_bytes(message, "big"), self.d,
                   self.n).to_bytes(self.size, "big")

    def pkcs1(self, digest, tbs):
        info = seq(hash_id(digest), octets(hashlib.new(digest, tbs).digest()))
        return (b"\x00\x01" + b"\xff" * (self.size - 3 - len(info)) + b"\x00"
                + info)

    def pss(self, digest, tbs):
        """RFC 8017, section 9.1.1, with a salt made from the octets."""
        size = hashlib.new(digest).digest_size
        h1 = hashlib.new(digest, tbs).digest()
        salt = expand("salt " + h1.hex(), size)
        h = hashlib.new(digest, bytes(8) + h1 + salt).digest()
        length = (self.n.bit_length() - 1 + 7) // 8
        db = bytes(length - 2 * size - 2) + b"\x01" + salt
        mask = b"".join(hashlib.new(digest, h + i.to_bytes(4, "big")).digest()
                        for i in range(len(db) // size + 1))
        masked = bytearray(a ^ b for a, b in zip(db, mask))
        masked[0] &= 0xFF >> (8 * length - (self.n.bit_length() - 1))
        return (bytes(masked) + h + b"\xbc").rjust(self.size, b"\x00")


def prime(label, size, offset):
    start = int.from_bytes(expand(label, size // 8), "big")
    return (start | 3 << (size - 2) | 1) + 2 * offset


class Ed25519Key:
    """RFC 8032, section 5.1."""
    P = 2**255 - 19
    Q = 2**252 + 27742317777372353535851937790883648493
    D = -121665 * pow(121666, -1, P) % P

    def __init__(self, name):
        h = hashlib.sha512(hashlib.sha256(name.encode()).digest()).digest()
        self.a = int.from_bytes(h[:32], "little") & ~7 & 2**254 - 1 | 2**254
        self.prefix, self.alg = h[32:], ED25519_ALG
        y = 4 * pow(5, -1, self.P) % self.P
        x2 = (y * y - 1) * pow(self.D * y * y + 1, -1, self.P)
        x = pow(x2, (self.P + 3) // 8, self.P)
        if (x * x - x2) % self.P:
            x = x * pow(2, (self.P - 1) // 4, self.P) % self.P
        x = self.P - x if x & 1 else x
        self.base = (x, y, 1, x * y % self.P)

    def add(self, a, b):
        p = self.P
        m, n = (a[1] - a[0]) * (b[1] - b[0]), (a[1] + a[0]) * (b[1] + b[0])
        c, d = 2 * a[3] * b[3] * self.D, 2 * a[2] * b[2]
        e, f, g, h = n - m, d - c, d + c, n + m
        return e * f % p, g * h % p, f * g % p, e * h % p

    def multiple(self, k):
        out, point = (0, 1, 1, 0), self.base
        while k:
            if k & 1:
                out = self.add(out, point)
            point, k = self.add(point, point), k >> 1
        z = pow(out[2], -1, self.P)
        x, y = out[0] * z % self.P, out[1] * z % self.P
        return (y | (x & 1) << 255).to_bytes(32, "little")

    @property
    def point(self):
        return self.multiple(self.a)

    @property
    def spki(self):
        return seq(ED25519_ALG, bits(self.point))

    def sign(self, tbs, alg=None):
        def scalar(*data):
            h = hashlib.sha512(b"".join(data)).digest()
            return int.from_bytes(h, "little") % self.Q
        r = scalar(self.prefix, tbs)
        head = self.multiple(r)
        s = (r + scalar(head, self.point, tbs) * self.a) % self.Q
        return head + s.to_bytes(32, "little")


P256A, P256B, P256C = (EcKey("p256 " + i, CURVE_P256) for i in "abc")
P256D, P256E, P256F = (EcKey("p256 " + i, CURVE_P256) for i in "def")
P384A, P384B, P384C = (EcKey("p384 " + i, CURVE_P384) for i in "abc")
P384D, P384E, P384F = (EcKey("p384 " + i, CURVE_P384) for i in "def")
P521A, P521B = (EcKey("p521 " + i, CURVE_P521) for i in "ab")
RSA1024A, RSA2048A, RSA2048B = (
    RsaKey("rsa-" + i) for i in ("1024-a", "2048-a", "2048-b"))
RSA3072A, RSA4096A = (RsaKey("rsa-" + i) for i in ("3072-a", "4096-a"))
ED25519A = Ed25519Key("ed25519 a")
