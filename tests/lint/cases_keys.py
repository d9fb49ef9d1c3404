"""ALG-, KEY-, FLD- and CSR-: algorithms, keys, common fields, requests."""
import hashlib
import math

from x509 import *  # noqa: F401,F403

TLS, PRIVATE, SMIME, CS = "cabf-tls", "private", "cabf-smime", "cabf-cs"
SHA1_RSA = rsa_alg("sha1")
PSS_KEY = "1.2.840.113549.1.1.10"
OAEP_KEY = "1.2.840.113549.1.1.7"
DSA_KEY = "1.2.840.10040.4.1"
P192, SECP256K1 = "1.2.840.10045.3.1.1", "1.3.132.0.10"


def spki(key_alg, key_octets, unused=0):
    return seq(key_alg, bits(key_octets, unused))


def rsa_key(n, e=65537):
    return seq(integer(n), integer(e))


RSA_ALG = seq(oid(RSA_ENCRYPTION), null())
EC_ALG = seq(oid(EC_PUBLIC_KEY), oid(CURVE_P256.oid))
N = RSA2048A.n


def leaf_key(value):
    return leaf().set(spki=value)


def csr_key(value):
    return csr().set(spki=value)


def both(value):
    return [leaf_key(value), csr_key(value)]


def key_pair(rule, good, *bad):
    """Of SPKIs: in a certificate and in a request."""
    pair(rule, good=leaf_key(good), ruleset=TLS,
         bad=[obj for value in bad for obj in both(value)])
    pair(rule, good=csr_key(good), bad=csr_key(bad[0]), ruleset=TLS)


# ---- public keys ------------------------------------------------------

GOOD_RSA = RSA2048A.spki
key_pair("ALG-SPKI-EXACT", GOOD_RSA,
         spki(seq(oid(RSA_ENCRYPTION)), rsa_key(N)),
         spki(seq(oid(RSA_ENCRYPTION), seq()), rsa_key(N)),
         spki(seq(oid(EC_PUBLIC_KEY), oid(SECP256K1)), P256A.point),
         spki(seq(oid(EC_PUBLIC_KEY), oid(CURVE_P256.oid), null()),
              P256A.point),
         ED25519A.spki)
for good in (P256A, P384A, P521A, RSA4096A):
    pair("ALG-SPKI-EXACT", good=leaf_key(good.spki), ruleset=TLS,
         bad=leaf_key(spki(seq(oid(PSS_KEY)), rsa_key(N))))
# EdDSA is for S/MIME.
pair("ALG-SPKI-EXACT", good=smime().set(spki=ED25519A.spki), ruleset=SMIME,
     bad=smime().set(spki=spki(seq(oid("1.3.101.110")), bytes(32))))
key_pair("ALG-SPKI-NO-PSS", GOOD_RSA,
         spki(seq(oid(PSS_KEY)), rsa_key(N)),
         spki(pss_alg("sha256"), rsa_key(N)),
         spki(seq(oid(OAEP_KEY)), rsa_key(N)))
key_pair("ALG-SPKI-NAMEDCURVE", P256A.spki,
         spki(seq(oid(EC_PUBLIC_KEY)), P256A.point),
         spki(seq(oid(EC_PUBLIC_KEY), null()), P256A.point),
         spki(seq(oid(EC_PUBLIC_KEY), seq(integer(1), seq(
             oid("1.2.840.10045.1.1"), integer(CURVE_P256.p)))), P256A.point),
         spki(seq(oid(EC_PUBLIC_KEY), octets(b"\x01")), P256A.point))
HALF = P256A.point[1:33]
key_pair("ALG-SPKI-UNCOMPRESSED", P256A.spki,
         spki(EC_ALG, bytes([2 + (P256A.xy[1] & 1)]) + HALF),
         spki(EC_ALG, bytes([6 + (P256A.xy[1] & 1)]) + P256A.point[1:]),
         spki(EC_ALG, P256A.point[:-1]),
         spki(EC_ALG, P256A.point + b"\x00"),
         spki(EC_ALG, P256A.point[:-1] + b"\x00", 1),
         spki(EC_ALG, b""))
pair("ALG-SPKI-UNCOMPRESSED", good=leaf_key(P384B.spki), ruleset=TLS,
     bad=leaf_key(ec_spki(CURVE_P384, P384B.point[:49])))
pair("ALG-SPKI-UNCOMPRESSED", good=leaf_key(P521A.spki), ruleset=TLS,
     bad=leaf_key(ec_spki(CURVE_P521, P521A.point[:132])))
key_pair("ALG-SPKI-RSA-STRUCT", GOOD_RSA,
         spki(RSA_ALG, rsa_key(N) + b"\x05\x00"),
         spki(RSA_ALG, seq(integer(N), integer(65537), integer(1))),
         spki(RSA_ALG, seq(integer(N))),
         spki(RSA_ALG, rsa_key(-N)),
         spki(RSA_ALG, rsa_key(N, -65537)),
         spki(RSA_ALG, seq(raw(2, b"\x00\x00" + N.to_bytes(256, "big")),
                           integer(65537))),
         spki(RSA_ALG, seq(integer(N), raw(2, b"\x00\x01\x00\x01"))),
         spki(RSA_ALG, seq(raw(2, b""), integer(65537))),
         spki(RSA_ALG, raw(0x31, integer(65537) + integer(N))),
         spki(RSA_ALG, rsa_key(N)[:-1] + b"\x00", 1),
         spki(RSA_ALG, b""))
key_pair("ALG-NO-DSA", GOOD_RSA,
         spki(seq(oid(DSA_KEY), seq(integer(N), integer(2**256 - 189),
                                    integer(4))), integer(7)),
         spki(seq(oid("1.3.14.3.2.12")), integer(7)))


# ---- key quality ------------------------------------------------------

# Behind the number that a label expands to: how many odd numbers further on the
# first prime stands.
PRIMES = {
    ("a", 1020): 578,
    ("b", 1020): 106,
    ("b", 1024): 8,
    ("cases p", 1024): 237,
    ("cases q", 1024): 208,
    ("a", 1025): 289,
    ("b", 1026): 46,
    ("cases 751", 2039): 1957,
    ("cases 757", 2039): 1136,
    ("even", 2047): 399,
    ("three", 2047): 25,
    ("cases prime", 2048): 396,
    ("roca", 2048): 1043,
    ("cases cube", 683): 253,
}
NEXT = 576  # from P1024 to the prime behind it
SMALL = [p for p in range(3, 168, 2) if all(p % d for d in range(3, p, 2))]


def find_prime(bits_, label):
    n = int.from_bytes(expand(label, bits_ // 8 + 1), "big")
    n = n & ((1 << bits_) - 1) | 3 << (bits_ - 2) | 1
    return n + 2 * PRIMES[label, bits_]


P1024 = find_prime(1024, "cases p")
Q1024 = find_prime(1024, "cases q")
CLOSE = P1024 * (P1024 + NEXT)
CUBE = find_prime(683, "cases cube")
PRIME2048 = find_prime(2048, "cases prime")
GOOD_N = P1024 * Q1024
# As long as it should be, but 751 divides it.
DIVISIBLE = 751 * find_prime(2039, "cases 751")
EDGE = 757 * find_prime(2039, "cases 757")

key_pair("KEY-RSA-MIN", GOOD_RSA, RSA1024A.spki,
         rsa_spki(find_prime(1020, "a") * find_prime(1020, "b")),
         rsa_spki(0))
key_pair("KEY-RSA-MOD8", GOOD_RSA,
         rsa_spki(find_prime(1025, "a") * find_prime(1024, "b")),
         rsa_spki(find_prime(1025, "a") * find_prime(1026, "b")))
pair("KEY-RSA-MAX", good=csr_key(rsa_spki((1 << 8191) + 9)),
     bad=[csr_key(rsa_spki((1 << 8192) + 9)),
          csr_key(rsa_spki((1 << 8199) + 9))], ruleset=TLS)
# What is too large to compute with is refused, not passed.
pair("LINT-FAIL-CLOSED", good=leaf_key(GOOD_RSA), ruleset=TLS,
     bad=[leaf_key(rsa_spki((1 << 8192) + 9)),
          leaf_key(rsa_spki((1 << 16391) + 9))])
pair("KEY-RSA-CS4096", good=cs_ca().set(spki=RSA4096A.spki), ruleset=CS,
     bad=[cs_ca().set(spki=RSA3072A.spki), cs_ca().set(spki=GOOD_RSA),
          cs_root().set(spki=RSA3072A.spki)])
pair("KEY-RSA-CS4096", good=cs_root().set(spki=RSA4096A.spki), ruleset=CS,
     bad=cs_root().set(spki=GOOD_RSA))
pair("KEY-RSA-CS4096", good=cs().set(spki=RSA3072A.spki), ruleset=CS,
     bad=cs().set(spki=GOOD_RSA))
pair("KEY-RSA-CA-DEFAULT", good=root().set(spki=RSA4096A.spki), ruleset=TLS,
     bad=[root().set(spki=RSA3072A.spki), root().set(spki=P256A.spki),
          root().set(spki=P521A.spki)])
pair("KEY-RSA-CA-DEFAULT", good=tls_sub().set(spki=RSA3072A.spki),
     ruleset=TLS,
     bad=[tls_sub().set(spki=GOOD_RSA), tls_sub().set(spki=P521A.spki)])
pair("KEY-RSA-CA-DEFAULT", good=tls_sub(), ruleset=TLS,
     bad=smime_ca().set(spki=GOOD_RSA))
key_pair("KEY-RSA-E-ODD3", rsa_spki(GOOD_N, 3), rsa_spki(GOOD_N, 1),
         rsa_spki(GOOD_N, 65536), rsa_spki(GOOD_N, 0))
key_pair("KEY-RSA-E-RANGE", GOOD_RSA, rsa_spki(GOOD_N, 3),
         rsa_spki(GOOD_N, 65535), rsa_spki(GOOD_N, 2**256 + 1))
key_pair("KEY-RSA-E-RANGE", rsa_spki(GOOD_N, 2**256 - 189),
         rsa_spki(GOOD_N, 17))
key_pair("KEY-RSA-MOD-ODD", GOOD_RSA, rsa_spki(2 * find_prime(2047, "even")))
key_pair("KEY-RSA-NO-SMALL", rsa_spki(EDGE), rsa_spki(DIVISIBLE),
         rsa_spki(3 * find_prime(2047, "three")))
key_pair("KEY-RSA-NOT-POWER", rsa_spki(GOOD_N), rsa_spki(PRIME2048),
         rsa_spki(P1024**2), rsa_spki(CUBE**3))
key_pair("KEY-EC-CURVE", P256A.spki,
         spki(seq(oid(EC_PUBLIC_KEY), oid(SECP256K1)), P256A.point),
         spki(seq(oid(EC_PUBLIC_KEY), oid(P192)), b"\x04" + bytes(48)),
         spki(seq(oid(EC_PUBLIC_KEY)), P256A.point))
key_pair("KEY-EC-VALID", P256A.spki,
         spki(EC_ALG, P256A.point[:-1] + bytes([P256A.point[-1] ^ 1])),
         spki(EC_ALG, b"\x00"),
         spki(EC_ALG, b"\x04" + (CURVE_P256.p + 5).to_bytes(32, "big")
              + P256A.point[33:]),
         spki(EC_ALG, b"\x04" + bytes(64)))
pair("KEY-EC-VALID", good=leaf_key(P384A.spki), ruleset=TLS,
     bad=leaf_key(ec_spki(CURVE_P384, P384A.point[:-1]
                          + bytes([P384A.point[-1] ^ 1]))))
pair("KEY-EC-VALID", good=leaf_key(P521A.spki), ruleset=TLS,
     bad=leaf_key(ec_spki(CURVE_P521, P521A.point[:-1]
                          + bytes([P521A.point[-1] ^ 1]))))

M = 1
for p in SMALL:
    M *= p
ROCA = pow(65537, 0xDEADBEEF123457, M)
ROCA += M * (find_prime(2048, "roca") // M)
key_pair("KEY-ROCA", rsa_spki(ROCA + 2), rsa_spki(ROCA))
key_pair("KEY-FERMAT", rsa_spki(GOOD_N), rsa_spki(CLOSE), rsa_spki(P1024**2))


def behind_rounds(rounds):
    """A modulus that falls in exactly this round: n = a^2 - b^2."""
    a = P1024
    below = a - rounds + 1  # where the first round begins
    b = math.isqrt(a * a - below * below) + 1
    return a * a - b * b


pair("KEY-FERMAT", good=leaf_key(rsa_spki(behind_rounds(101))), ruleset=TLS,
     bad=leaf_key(rsa_spki(behind_rounds(100))))

SPKI_HASH = hashlib.sha256(P256E.spki).hexdigest()
pair("KEY-KNOWN-COMPROMISED", good=leaf_key(P256F.spki), bad=leaf(),
     ruleset=TLS, blocklist="# compromised\n\n%s\n%s\n" % (
         "00" * 32, SPKI_HASH))
pair("KEY-KNOWN-COMPROMISED", good=csr_key(P256F.spki), bad=csr(),
     ruleset=TLS, blocklist="%s\r\n%s" % ("FF" * 32, SPKI_HASH.upper()))
WEAK = hashlib.sha1(b"Modulus=%X\n" % RSA2048B.n).hexdigest()[20:]
pair("KEY-DEBIAN", good=leaf_key(GOOD_RSA),
     bad=both(RSA2048B.spki), ruleset=TLS,
     blocklist="# weak\n%s\n%s\n" % ("00" * 10, WEAK))
pair("KEY-NOT-A-CA-KEY", good=leaf(), ruleset=TLS,
     bad=leaf_key(P256A.spki))
pair("KEY-NOT-A-CA-KEY", good=responder(), ruleset=TLS,
     bad=responder().set(spki=P256A.spki))
pair("KEY-NOT-A-CA-KEY", good=csr(), ruleset=TLS, issuer=tls_sub(),
     bad=csr_key(P256A.spki))
pair("KEY-NOT-A-CA-KEY", good=leaf(), ruleset=TLS, existing=cross(),
     bad=leaf_key(P384F.spki))


def sub_beside(*purposes):
    """A cross certificate of what was a subordinate CA already."""
    existing = sub_ca(root(), "beside", P384F, [SERVER_AUTH], [OV])
    made = cross().set(subject=existing.subject)
    made.existing = existing
    return made.put(EXT_KEY_USAGE, eku(*purposes)) if purposes \
        else made.drop(EXT_KEY_USAGE)


pair("KEY-EKU-CONSISTENT", good=sub_beside(SERVER_AUTH), ruleset=TLS,
     bad=[sub_beside(SERVER_AUTH, CLIENT_AUTH), sub_beside(CLIENT_AUTH),
          sub_beside()])
expired = sub_beside(CLIENT_AUTH)
expired.existing = expired.existing.copy().set(
    not_after="2026-10-09T23:59:59Z")
pair("KEY-EKU-CONSISTENT", good=expired, bad=sub_beside(CLIENT_AUTH),
     ruleset=TLS)
pair("KEY-EKU-CONSISTENT", good=cross(), bad=sub_beside(CLIENT_AUTH),
     ruleset=TLS)


def by_root(made, parent):
    return made.set(issuer=parent.subject, signer=parent.key,
                    parent=parent, alg=parent.key.alg)


pair("KEY-USE-ROOT", good=leaf(), bad=by_root(leaf(), root()), ruleset=TLS)
pair("KEY-USE-ROOT", good=cs(), bad=by_root(cs(), cs_root()), ruleset=CS)
pair("KEY-USE-ROOT", good=root_responder(), bad=by_root(precert(), root()),
     ruleset=TLS)

# ---- signatures -------------------------------------------------------

RSA_CA = sub_ca(root(), "RSA", RSA3072A, [SERVER_AUTH], [OV])
P521_CA = sub_ca(root(), "P-521", P521A, [SERVER_AUTH], [OV])
ED_CA = sub_ca(smime_root(), "Ed25519", ED25519A, [EMAIL_PROTECTION],
               [SMIME_MAILBOX_STRICT])
CS_POINTS = (root, tls_sub, leaf)


def under(made, parent, alg=None):
    return made.set(issuer=parent.subject, signer=parent.key, parent=parent,
                    alg=alg or parent.key.alg)


def crl_under(parent, alg=None):
    made = crl_ee()
    return made.set(issuer=parent.subject, signer=parent.key, parent=parent,
                    alg=alg or parent.key.alg)


def ocsp_under(key, alg=None):
    signed_by = responder().set(key=key)
    made = ocsp_of(tls_sub(), signed_by, leaf())
    return made.set(alg=alg or key.alg)


for digest in ("sha256", "sha384", "sha512"):
    pair("ALG-SIG-EXACT", good=under(leaf(), RSA_CA, rsa_alg(digest)),
         ruleset=TLS,
         bad=[under(leaf(), RSA_CA, seq(oid(RSA[digest]))),
              under(leaf(), RSA_CA, pss_alg(digest, 20))])
    pair("ALG-SIG-EXACT", good=under(leaf(), RSA_CA, pss_alg(digest)),
         ruleset=TLS,
         bad=under(leaf(), RSA_CA).set(outer_alg=pss_alg(digest, 1)))
pair("ALG-SIG-EXACT", good=leaf(), ruleset=TLS,
     bad=[under(leaf(), tls_sub(), seq(oid(ECDSA["sha256"]), null())),
          leaf().set(outer_alg=seq(oid(ECDSA["sha256"]), null())),
          under(leaf(), tls_sub(), ecdsa_alg("sha1")),
          under(leaf(), ED_CA)])
pair("ALG-SIG-EXACT", good=crl_ee(), ruleset=TLS,
     bad=[crl_ee().set(alg=seq(oid(ECDSA["sha256"]), null())),
          crl_ee().set(outer_alg=seq(oid(ECDSA["sha256"]), null())),
          crl_under(RSA_CA, seq(oid(RSA["sha256"])))])
pair("ALG-SIG-EXACT", good=ocsp_good(), ruleset=TLS,
     bad=[ocsp_good().set(alg=seq(oid(ECDSA["sha256"]), null())),
          ocsp_under(RSA3072A, seq(oid(RSA["sha256"])))])
pair("ALG-SIG-EXACT", good=under(smime(), ED_CA), ruleset=SMIME,
     bad=under(smime(), ED_CA, seq(oid("1.3.101.112"), null())))

pair("ALG-SIG-CURVE-HASH", good=leaf(), ruleset=TLS,
     bad=[under(leaf(), tls_sub(), ecdsa_alg("sha384")),
          under(leaf(), P521_CA, ecdsa_alg("sha384"))])
pair("ALG-SIG-CURVE-HASH", good=under(leaf(), P521_CA), ruleset=TLS,
     bad=under(leaf(), root(), ecdsa_alg("sha512")))
pair("ALG-SIG-CURVE-HASH", good=root(), ruleset=TLS,
     bad=root().set(alg=ecdsa_alg("sha256")))
pair("ALG-SIG-CURVE-HASH", good=crl_ca(), ruleset=TLS,
     bad=crl_ca().set(alg=ecdsa_alg("sha256")))
pair("ALG-SIG-CURVE-HASH", good=ocsp_ca(), ruleset=TLS,
     bad=ocsp_ca().set(alg=ecdsa_alg("sha256")))

pair("ALG-SIG-INNER-OUTER", good=leaf(), ruleset="rfc5280",
     bad=[leaf().set(outer_alg=ecdsa_alg("sha384")),
          leaf().set(outer_alg=seq(oid(ECDSA["sha256"]), null()))])
pair("ALG-SIG-INNER-OUTER", good=crl_ee(), ruleset="rfc5280",
     bad=crl_ee().set(outer_alg=ecdsa_alg("sha384")))


def flipped(made):
    """The same object with one bit of the signature's last octet changed."""
    data = bytearray(made.der())
    data[-1] ^= 1
    return bytes(data)


pair("ALG-SIG-ISSUER-MATCH", good=leaf(), ruleset=TLS, issuer=tls_sub(),
     bad=[flipped(leaf()), leaf().set(signer=P256B),
          leaf().set(signer=P384A, alg=P384A.alg, signature=None),
          under(leaf(), RSA_CA), leaf().set(signature_unused=1)])
pair("ALG-SIG-ISSUER-MATCH", good=root(), ruleset=TLS, issuer=None,
     bad=[flipped(root()), root().set(signer=P384B)])
for alg in (rsa_alg("sha256"), rsa_alg("sha384"), rsa_alg("sha512"),
            pss_alg("sha256"), pss_alg("sha384"), pss_alg("sha512")):
    pair("ALG-SIG-ISSUER-MATCH", good=under(leaf(), RSA_CA, alg),
         ruleset=TLS, issuer=RSA_CA, bad=flipped(under(leaf(), RSA_CA, alg)))
pair("ALG-SIG-ISSUER-MATCH", good=under(leaf(), P521_CA), ruleset=TLS,
     issuer=P521_CA, bad=flipped(under(leaf(), P521_CA)))
pair("ALG-SIG-ISSUER-MATCH", good=under(smime(), ED_CA), ruleset=SMIME,
     issuer=ED_CA, bad=flipped(under(smime(), ED_CA)))
pair("ALG-SIG-ISSUER-MATCH", good=crl_ee(), ruleset=TLS, issuer=tls_sub(),
     kind="crl-ee",
     bad=[flipped(crl_ee()), crl_ee().set(signer=P256B), crl_under(RSA_CA)])
pair("ALG-SIG-ISSUER-MATCH", good=crl_under(RSA_CA, pss_alg("sha384")),
     ruleset=TLS, issuer=RSA_CA, kind="crl-ee",
     bad=flipped(crl_under(RSA_CA, pss_alg("sha384"))))
wrong = bytearray(P256D.sign(ocsp_good().tbs()))
wrong[-1] ^= 1
pair("ALG-SIG-ISSUER-MATCH", good=ocsp_good(), ruleset=TLS,
     bad=[ocsp_good().set(signature=bytes(wrong)),
          ocsp_good().set(signer=P256B),
          ocsp_good().set(signer=RSA3072A, alg=RSA3072A.alg)])

pair("ALG-NO-SHA1", good=under(leaf(), RSA_CA), ruleset=TLS,
     bad=[under(leaf(), RSA_CA, SHA1_RSA), under(leaf(), RSA_CA).set(
         outer_alg=SHA1_RSA),
         under(leaf(), tls_sub(), ecdsa_alg("sha1")),
         under(leaf(), RSA_CA, seq(oid("1.3.14.3.2.29"), null())),
         under(leaf(), RSA_CA, pss_alg("sha1")),
         under(leaf(), RSA_CA, seq(oid(PSS_KEY), seq()))])
pair("ALG-NO-SHA1", good=crl_under(RSA_CA), ruleset=TLS,
     bad=crl_under(RSA_CA, SHA1_RSA))
pair("ALG-NO-SHA1", good=ocsp_good(), ruleset=TLS,
     bad=ocsp_under(RSA3072A, SHA1_RSA))
# The old roots of other people stand; a new one does not.
OLD = {"not_before": "2006-01-01T00:00:00Z"}
pair("ALG-NO-SHA1", good=root().set(alg=ecdsa_alg("sha1"), **OLD),
     ruleset=TLS, bad=root().set(alg=ecdsa_alg("sha1")))
pair("ALG-NO-SHA1", good=under(leaf(), RSA_CA, SHA1_RSA).set(**OLD),
     ruleset=TLS, bad=under(leaf(), RSA_CA, SHA1_RSA).set(
         not_before="2016-01-01T00:00:00Z"))

ORDER = CURVE_P256.n


def ecdsa(r, s):
    return seq(integer(r), integer(s))


BAD_VALUES = [
    ecdsa(0, 5), ecdsa(5, 0), ecdsa(-5, 5), ecdsa(5, -5), ecdsa(ORDER, 5),
    ecdsa(5, ORDER), ecdsa(1 << 600, 5), seq(integer(5)),
    seq(integer(5), integer(6), integer(7)), ecdsa(5, 6) + b"\x00",
    seq(raw(2, b"\x00\x05"), integer(6)), seq(integer(6), raw(2, b"\x00\x05")),
    seq(raw(2, b""), integer(5)), b"\x05" * 64, b""]
pair("ALG-ECDSA-SIGVALUE", good=leaf().set(signature=ecdsa(1, ORDER - 1)),
     ruleset="rfc5280",
     bad=[leaf().set(signature=value) for value in BAD_VALUES]
     + [leaf().set(signature_unused=1)])
pair("ALG-ECDSA-SIGVALUE", good=crl_ee(), ruleset="rfc5280",
     bad=crl_ee().set(signature=ecdsa(0, 5)))
pair("ALG-ECDSA-SIGVALUE", good=ocsp_good(), ruleset="rfc5280",
     bad=ocsp_good().set(signature=ecdsa(ORDER, 5)))
# Without the issuer the algorithm tells the curve.
pair("ALG-ECDSA-SIGVALUE", good=leaf(), ruleset="rfc5280", issuer=None,
     bad=leaf().set(signature=ecdsa(ORDER, 5)))
LONG = RSA3072A.sign(b"anything")
pair("ALG-RSA-SIGLEN", good=under(leaf(), RSA_CA).set(signature=LONG),
     ruleset="rfc5280",
     bad=[under(leaf(), RSA_CA).set(signature=LONG[1:]),
          under(leaf(), RSA_CA).set(signature=b"\x00" + LONG),
          under(leaf(), RSA_CA).set(signature=LONG, signature_unused=1),
          under(leaf(), RSA_CA).set(signature=b"")])
pair("ALG-RSA-SIGLEN", good=crl_under(RSA_CA), ruleset="rfc5280",
     bad=crl_under(RSA_CA).set(signature=LONG[1:]))
pair("ALG-RSA-SIGLEN", good=ocsp_under(RSA3072A), ruleset="rfc5280",
     bad=ocsp_under(RSA3072A).set(signature=LONG[1:]))


def pss(hash_="sha256", mgf_hash="sha256", salt=32, behind=b"", hash_id_=None):
    mgf = seq(oid("1.2.840.113549.1.1.8"), hash_id(mgf_hash))
    return seq(oid(PSS_KEY), seq(
        raw(0xA0, hash_id_ or hash_id(hash_)), raw(0xA1, mgf),
        raw(0xA2, integer(salt)), behind))


pair("ALG-PSS-PARAMS-FIXED", good=under(leaf(), RSA_CA, pss_alg("sha256")),
     ruleset=TLS,
     bad=[under(leaf(), RSA_CA, alg) for alg in (
         pss(mgf_hash="sha384"), pss(salt=20),
         pss(behind=raw(0xA3, integer(1))),
         pss(hash_id_=seq(oid(HASHES["sha256"]))), seq(oid(PSS_KEY)),
         seq(oid(PSS_KEY), seq()), seq(oid(PSS_KEY), null()),
         seq(oid(PSS_KEY), seq(raw(0xA0, hash_id("sha256")))))])
pair("ALG-PSS-PARAMS-FIXED", good=crl_under(RSA_CA, pss_alg("sha512")),
     ruleset=TLS, bad=crl_under(RSA_CA, pss(salt=20)))
pair("ALG-PSS-PARAMS-FIXED", good=ocsp_under(RSA3072A, pss_alg("sha384")),
     ruleset=TLS, bad=ocsp_under(RSA3072A, pss(salt=20)))

pair("ALG-NO-EDDSA-TLS", good=leaf(), ruleset=TLS,
     bad=[leaf_key(ED25519A.spki), under(leaf(), ED_CA),
          tls_sub().set(spki=ED25519A.spki), leaf().set(outer_alg=ED25519_ALG),
          leaf_key(spki(seq(oid("1.3.101.113")), bytes(57)))])
pair("ALG-NO-EDDSA-TLS", good=client(), ruleset=PRIVATE,
     bad=client().set(spki=ED25519A.spki))
pair("ALG-NO-EDDSA-TLS", good=smime().set(spki=ED25519A.spki), ruleset=SMIME,
     bad=[smime().set(spki=spki(seq(oid("1.3.101.112"), null()), bytes(32))),
          smime().set(spki=ED25519A.spki).put(
              EXT_KEY_USAGE, eku(CLIENT_AUTH))])

# ---- fields -----------------------------------------------------------

pair("FLD-VERSION", good=leaf(), ruleset="rfc5280",
     bad=[leaf().set(version=None), leaf().set(version=1),
          leaf().set(version=3), leaf().set(version=explicit(0, raw(
              2, b"\x00\x02"))), root().set(version=None)])
pair("FLD-UID-ABSENT", good=leaf(), ruleset="rfc5280",
     bad=[leaf().set(issuer_uid=implicit(1, b"\x00\x01")),
          leaf().set(subject_uid=implicit(2, b"\x00\x01"))])

FALSE = boolean(False)
LONG_FORM = b"\x30\x81"


def with_(kind, value, critical=False, made=leaf):
    return made().put(kind, value, critical)


pair("FLD-DER-STRICT", good=leaf(), ruleset="rfc5280", bad=[
    with_(EXT_KEY_USAGE, eku(SERVER_AUTH), FALSE),
    with_(BASIC_CONSTRAINTS, seq(FALSE), True),
    with_(BASIC_CONSTRAINTS, seq(raw(1, b"\x01")), True),
    with_(BASIC_CONSTRAINTS, seq() + b"\x00", True),
    with_(KEY_USAGE, bits(b"\x80"), True),
    with_(KEY_USAGE, bits(b"\x80\x00", 7), True),
    with_(KEY_USAGE, bits(b"\x81", 7), True),
    with_(KEY_USAGE, bits(b"\x80", 6), True),
    with_(KEY_USAGE, octets(b"\x80"), True),
    with_(EXT_KEY_USAGE, LONG_FORM + eku(SERVER_AUTH)[1:]),
    with_(EXT_KEY_USAGE, b"\x30\x80" + oid(SERVER_AUTH) + b"\x00\x00"),
    with_(EXT_KEY_USAGE, seq(raw(6, b"\x2b\x80\x01"))),
    with_(EXT_KEY_USAGE, seq(raw(6, b""))),
    with_(EXT_KEY_USAGE, b""),
    with_(POLICIES, cp(policy(OV, cps("http://x.example"))) + b"\x05\x00"),
    with_(POLICIES, cp(policy(OV, seq(oid("1.3.6.1.5.5.7.2.1"),
                                      utf8("http://x.example"))))),
    with_(POLICIES, cp(policy(OV, seq(oid("1.3.6.1.5.5.7.2.1"),
                                      ia5("http://\xe5.example"))))),
    with_(CRL_POINTS, seq(seq(raw(0xA0, raw(0xA0, raw(
        0x86, "http://\xe5.example/".encode())))))),
    with_(CRL_POINTS, seq(seq(full_name("http://x.example/x.crl"),
                              raw(0x81, b"\x00\x80")))),
    with_(CRL_POINTS, seq(seq(raw(0xA0, b"")))),
    with_(INFO_ACCESS, seq(seq(oid(AD_OCSP)))),
    with_(INFO_ACCESS, seq(seq(oid(AD_OCSP), raw(
        0x86, "http://\xe5.example/".encode())))),
    with_(SAN, seq(raw(0x82, b"www.\xff.example"))),
    with_(SAN, seq(raw(0x82, b"www.example.com"), raw(0x89, b"x"))),
    with_(SAN, seq(raw(0x80, b"x"))),
    with_(SAN, seq(raw(0xA2, b"www.example.com"))),
    with_(SAN, set_(gn_dns("www.example.com"))),
    with_(SAN, seq(raw(0x88, b"\x80\x01"))),
    with_(AKI, seq(raw(0x80, b"x" * 20), raw(0x80, b"y"))),
    with_(AKI, seq(raw(0x82, b"\x00\x01"), raw(0x80, b"x" * 20))),
    with_(AKI, seq(raw(0x82, b"\x00\x01"))),
    with_(SKI, raw(0x24, octets(b"x" * 20))),
    with_(OWN + ".1", b"\x30\x81\x00"),
    with_(OWN + ".1", seq() + b"\x00"),
    leaf().set(subject=name(("CN", printable("a@b")))),
    leaf().set(subject=name(("CN", raw(0x0C, b"\xc0\x80")))),
    leaf().set(subject=name(("CN", raw(0x1E, b"\x00")))),
    leaf().set(subject=name(("CN", raw(0x1C, b"\x00\x00\x00")))),
    leaf().set(subject=seq(raw(0x31, atv("O", "b") + atv("CN", "a")))),
    leaf().set(version=0),
    leaf().set(serial=raw(2, b"\x00\x41" + bytes(range(18)))),
    leaf().set(outer_alg=b"\x30\x81" + P256A.alg[1:]),
    leaf().set(behind=null()),
    leaf().der() + b"\x00", leaf().der()[:-1]])
pair("FLD-DER-STRICT", good=tc_sub(), ruleset="rfc5280", bad=[
    with_(NAME_CONSTRAINTS, seq(raw(0xA0, subtree(
        gn_dns("example.com"), raw(0x80, b"\x00")))), True, tc_sub),
    with_(NAME_CONSTRAINTS, seq(raw(0xA0, subtree(
        gn_dns("example.com"), raw(0x81, b"\x00\x01")))), True, tc_sub),
    with_(NAME_CONSTRAINTS, seq(raw(0xA0, subtree(
        gn_dns("a.example"), gn_dns("b.example")))), True, tc_sub),
    with_(NAME_CONSTRAINTS, seq(raw(0xA0, seq())), True, tc_sub),
    with_(POLICY_CONSTRAINTS, seq(raw(0x80, b"\x00\x00")), True, tc_sub),
    with_(POLICY_MAPPINGS, seq(seq(oid(OV))), True, tc_sub),
    with_(INHIBIT_ANY_POLICY, raw(2, b"\x00\x00"), True, tc_sub),
    with_(BASIC_CONSTRAINTS, seq(boolean(True), raw(2, b"\x00\x00")), True,
          tc_sub)])
pair("FLD-DER-STRICT", good=crl_ee().put(IDP, idp(
    ["http://ca.example.org/x.crl"], user=True), True), ruleset="rfc5280",
     bad=[crl_ee().put(IDP, seq(raw(0x81, b"\xff"), raw(0x84, b"\x00")), True),
          crl_ee().put(IDP, seq(raw(0x81, b"\x01")), True),
          crl_ee().put(IDP, seq(raw(0x83, b"\x00\x80")), True),
          crl_ee().put(CRL_NUMBER, raw(2, b"\x00\x07")),
          crl_ee().put(CRL_NUMBER, integer(7), FALSE),
          crl_ee().set(version=raw(2, b"\x00\x01")),
          crl_ee().set(signature_unused=1),
          crl_ee().der() + b"\x00"])


def entry(*extensions):
    return Revoked(serial("gone 1"), "2026-10-20T09:00:00Z",
                   extensions=extensions)


pair("FLD-DER-STRICT", good=crl_ee(), ruleset="rfc5280",
     bad=[crl_ee().set(entries=[entry(Ext(CRL_REASON, raw(10, b"\x00\x01")))]),
          crl_ee().set(entries=[entry(Ext(CRL_REASON, enumerated(1), FALSE))])])


def single(change):
    made = ocsp_good()
    change(made.singles[0])
    return made


def put_single(kind, value, critical=False):
    return single(lambda s: s.extensions.append(Ext(kind, value, critical)))


pair("FLD-DER-STRICT", good=ocsp_good(), ruleset="rfc5280",
     bad=[ocsp_good().set(version=explicit(0, integer(0))),
          ocsp_good().put(OCSP_NONCE, octets(b"x" * 32), FALSE),
          put_single(INVALIDITY_DATE, utctime("261020090000Z")),
          put_single(OWN + ".1", null(), FALSE),
          single(lambda s: s.set(status=raw(0x80, b"\x00"))),
          ocsp_good().der() + b"\x00"])

pair("FLD-EXT-UNIQUE", good=leaf(), ruleset="rfc5280",
     bad=[leaf().add(KEY_USAGE, ku(0), True),
          leaf().add(OWN + ".1", null()).add(OWN + ".1", null())])
pair("FLD-EXT-UNIQUE", good=crl_ee(), ruleset="rfc5280",
     bad=[crl_ee().add(CRL_NUMBER, integer(42)),
          crl_ee().set(entries=[entry(Ext(CRL_REASON, enumerated(1)),
                                      Ext(CRL_REASON, enumerated(1)))])])
EMPTY = seq()
pair("FLD-EXT-NONEMPTY", good=leaf(), ruleset="rfc5280", bad=[
    with_(kind, value) for kind, value in (
        (EXT_KEY_USAGE, EMPTY), (POLICIES, EMPTY), (CRL_POINTS, EMPTY),
        (SAN, EMPTY), (IAN, EMPTY), (INFO_ACCESS, EMPTY),
        (SUBJECT_INFO_ACCESS, EMPTY), (FRESHEST_CRL, EMPTY),
        (NAME_CONSTRAINTS, EMPTY), (POLICY_CONSTRAINTS, EMPTY),
        (POLICY_MAPPINGS, EMPTY), (NAME_CONSTRAINTS, seq(raw(0xA0))),
        (NAME_CONSTRAINTS, seq(raw(0xA1))),
        (POLICIES, seq(seq(oid(OV), seq()))),
        (CRL_POINTS, seq(seq(raw(0xA0, raw(0xA0))))),
        (CRL_POINTS, seq(seq(full_name("http://x.example"), raw(0xA2)))),
        (AKI, seq(raw(0xA1))))]
    + [leaf().set(extensions=[], behind=explicit(3, seq()))])
pair("FLD-EXT-ORDER", good=leaf(), ruleset=TLS, existing=precert(),
     bad=leaf().order(SAN, SCT_LIST, BASIC_CONSTRAINTS, KEY_USAGE,
                      EXT_KEY_USAGE, POLICIES, AKI, INFO_ACCESS, CRL_POINTS))
pair("FLD-EXT-ORDER", good=precert(), ruleset=TLS, existing=leaf(),
     bad=precert().drop(CRL_POINTS))

GOOD_SERIAL = serial("any")
pair("FLD-SERIAL-POSITIVE", good=leaf(), ruleset="rfc5280",
     bad=[leaf().set(serial=0), leaf().set(serial=-GOOD_SERIAL),
          leaf().set(serial=-1), leaf().set(serial=raw(2, b"\x00\x00"))])
pair("FLD-SERIAL-MAX", good=leaf().set(serial=(1 << 159) - 3),
     ruleset="rfc5280",
     bad=[leaf().set(serial=1 << 159), leaf().set(serial=1 << 167),
          leaf().set(serial=(1 << 160) + 5)])
BITS63 = int.from_bytes(expand("63 bits", 8), "big") >> 1 | 1 << 62
pair("FLD-SERIAL-ENTROPY", good=leaf().set(serial=BITS63 | 1 << 63),
     ruleset=TLS,
     bad=[leaf().set(serial=BITS63), leaf().set(serial=1),
          leaf().set(serial=4711), leaf().set(serial=(1 << 63) - 1),
          leaf().set(serial=raw(2, bytes(12) + expand("x", 8))),
          leaf().set(serial=(1 << 158) + 12345),
          leaf().set(serial=0x4000000000000001 << 64)])
pair("FLD-SERIAL-ENTROPY", good=root(), ruleset=TLS,
     bad=root().set(serial=BITS63))
pair("FLD-SERIAL-UNIQUE", good=tls_sub(), ruleset=TLS,
     bad=tls_sub().set(serial=root().serial))
pair("FLD-SERIAL-UNIQUE", good=leaf(), ruleset=TLS, existing=precert(),
     bad=precert().set(not_after="2027-01-06T23:59:59Z"))

OTHER_STRINGS = name(("C", "NO"), ("O", printable("Example Trust AS")),
                     ("CN", "Example TLS OV CA 1"))
pair("FLD-ISSUER-BYTES", good=leaf(), ruleset=TLS,
     bad=[leaf().set(issuer=OTHER_STRINGS),
          leaf().set(issuer=name(("CN", "somebody else"))),
          leaf().set(issuer=seq())])
pair("FLD-ISSUER-BYTES", good=crl_ee(), ruleset=TLS,
     bad=[crl_ee().set(issuer=OTHER_STRINGS), crl_ee().set(
         issuer=root().subject)])
pair("FLD-ISSUER-NONEMPTY", good=leaf(), ruleset="rfc5280",
     bad=leaf().set(issuer=seq()))
pair("FLD-ISSUER-NONEMPTY", good=crl_ee(), ruleset="rfc5280",
     bad=crl_ee().set(issuer=seq()))

pair("FLD-TIME-TYPE", good=root().set(not_after="2050-01-01T00:00:00Z"),
     ruleset="rfc5280",
     bad=[root().set(not_after=gentime("20491231235959Z")),
          leaf().set(not_before=gentime("20261010000000Z")),
          root().set(not_before=gentime("19490101000000Z"))])
pair("FLD-TIME-TYPE", good=crl_ee(), ruleset="rfc5280",
     bad=[crl_ee().set(this_update=gentime("20261102000000Z")),
          crl_ee().set(next_update=gentime("20261108235959Z")),
          crl_ee().set(entries=[Revoked(5, gentime("20261020090000Z"))])])
pair("FLD-TIME-FORM", good=leaf(), ruleset="rfc5280",
     bad=[leaf().set(not_before=value) for value in (
         utctime("2610100000Z"), utctime("261010000000"),
         utctime("261010000000+0000"), utctime("26101000000xZ"),
         utctime("261310000000Z"), utctime("260230000000Z"),
         utctime("261010240000Z"), utctime("261010006000Z"),
         utctime("261010000060Z"), gentime("20501010000000.5Z"),
         gentime("205010100000Z"), gentime("20501010000000+0000"))])
pair("FLD-TIME-FORM",
     good=root().set(not_before=utctime("600229000000Z")),
     ruleset="rfc5280", bad=root().set(not_before=utctime("610229000000Z")))
pair("FLD-TIME-FORM", good=crl_ee(), ruleset="rfc5280",
     bad=[crl_ee().set(this_update=utctime("2611020000Z")),
          crl_ee().set(next_update=utctime("261108235959")),
          crl_ee().set(entries=[Revoked(5, utctime("2610200900Z"))])])
pair("FLD-TIME-FORM", good=ocsp_good(), ruleset="rfc5280",
     bad=[ocsp_good().set(produced_at=gentime("20261102000000.5Z")),
          single(lambda s: s.set(this_update=gentime("202611020000Z"))),
          single(lambda s: s.set(next_update=gentime("20261131000000Z"))),
          single(lambda s: s.revoked(gentime("20261020090000+0000")))])
pair("FLD-TIME-ORDER", good=leaf(), ruleset="rfc5280",
     bad=[leaf().set(not_after=leaf().not_before),
          leaf().set(not_after="2026-10-09T23:59:59Z"),
          root().set(not_before=utctime("490101000000Z"))])
DAY_LATER = "2027-04-28T00:00:00Z"  # 200 days from 2026-10-10T00:00:00Z
pair("FLD-TIME-INCLUSIVE", good=leaf().set(not_after="2027-04-27T23:59:59Z"),
     ruleset=TLS, bad=[leaf().set(not_after=DAY_LATER),
                       precert().set(not_after=DAY_LATER)])
pair("FLD-TIME-INCLUSIVE", good=leaf().set(
    not_before="2027-03-15T00:00:00Z", not_after="2027-06-22T23:59:59Z"),
     ruleset=TLS, bad=leaf().set(not_before="2027-03-15T00:00:00Z",
                                 not_after="2027-06-23T00:00:00Z"))
pair("FLD-TIME-INCLUSIVE", good=single(lambda s: s.set(
    next_update="2026-11-11T23:59:59Z")), ruleset=TLS,
     bad=single(lambda s: s.set(next_update="2026-11-12T00:00:00Z")))
pair("FLD-TIME-NESTED", good=tls_sub().set(not_after=ROOT_UNTIL), ruleset=TLS,
     bad=[tls_sub().set(not_after="2044-10-10T00:00:00Z"),
          tls_sub().set(not_after="2050-10-10T00:00:00Z"),
          tls_sub().set(not_before="2026-10-09T23:59:59Z"),
          leaf().set(not_after="2029-10-09T00:00:00Z"),
          responder().set(not_after="2029-10-09T00:00:00Z")])
pair("FLD-TIME-NESTED", good=cross().set(not_before="2024-10-10T00:00:00Z"),
     ruleset=TLS, bad=cross().set(not_after="2044-10-10T00:00:00Z"))
pair("FLD-TIME-NO9999", good=root().set(not_after=gentime("20511231235959Z")),
     ruleset="rfc5280", bad=root().set(not_after=gentime("99991231235959Z")))

# ---- requests ---------------------------------------------------------


def request(*attributes):
    return csr().set(attributes=b"".join(attributes))


CHALLENGE = seq(oid("1.2.840.113549.1.9.7"), set_(utf8("x")))
EXTENSIONS = seq(oid(EXTENSION_REQUEST), set_(csr().ext_der()))
plain = csr().set(attributes=b"")
# [0] left out: the last two octets of CertificationRequestInfo.
bare = parts(take(plain.tbs())[1])
no_attributes = seq(*bare[:3])
pair("CSR-DER", good=plain, ruleset=TLS, bad=[
    csr().set(version=1), csr().set(version=raw(2, b"\x00\x00")),
    csr().der() + b"\x00", csr().der()[:-1],
    seq(no_attributes, P256E.alg, bits(P256E.sign(no_attributes))),
    request(EXTENSIONS, CHALLENGE) if EXTENSIONS > CHALLENGE
    else request(CHALLENGE, EXTENSIONS),
    request(seq(oid(EXTENSION_REQUEST), set_())),
    request(seq(oid("1.2.840.113549.1.9.7"))),
    csr().add(SAN, san("b.example")),
    csr().put(BASIC_CONSTRAINTS, seq(FALSE), True),
    csr().put(SAN, san("b.example"), FALSE),
    csr().put(KEY_USAGE, bits(b"\x80"), True),
    csr().set(subject=name(("CN", printable("a@b")))),
    csr().set(signature_unused=1)])
pair("CSR-DER", good=request(*sorted([EXTENSIONS, CHALLENGE])), ruleset=TLS,
     bad=request(*sorted([EXTENSIONS, CHALLENGE], reverse=True)))
pair("CSR-POP", good=csr(), ruleset=TLS,
     bad=[flipped(csr()), csr().set(signer=P256A),
          csr().set(alg=ecdsa_alg("sha1")), csr().set(alg=seq(
              oid(ECDSA["sha256"]), null())),
          csr().set(signer=RSA2048A, alg=RSA2048A.alg),
          csr().set(spki=ED25519A.spki, signer=ED25519A, alg=ED25519_ALG)])
pair("CSR-POP", good=csr().set(key=P384A, signer=P384A), ruleset=TLS,
     bad=csr().set(key=P384A, signer=P384B))
pair("CSR-POP", good=csr().set(key=RSA2048A, signer=RSA2048A,
                               alg=rsa_alg("sha512")), ruleset=TLS,
     bad=csr().set(key=RSA2048A, signer=RSA2048A, alg=SHA1_RSA))
pair("CSR-POP", good=csr().set(key=ED25519A, signer=ED25519A,
                               alg=ED25519_ALG), ruleset=SMIME,
     bad=csr().set(key=ED25519A, signer=P256A, alg=ED25519_ALG))
pair("CSR-KEY", good=csr_key(GOOD_RSA), ruleset=TLS,
     bad=[csr_key(value) for value in (
         RSA1024A.spki, rsa_spki(CLOSE), rsa_spki(ROCA), rsa_spki(DIVISIBLE),
         rsa_spki(PRIME2048), rsa_spki(GOOD_N, 1), rsa_spki((1 << 8199) + 9),
         ED25519A.spki, spki(EC_ALG, b"\x04" + bytes(64)),
         spki(EC_ALG, bytes([2 + (P256A.xy[1] & 1)]) + HALF))])
pair("CSR-NO-CA", good=csr().put(BASIC_CONSTRAINTS, bc(), True).put(
    KEY_USAGE, ku(0), True).put(EXT_KEY_USAGE, eku(SERVER_AUTH)), ruleset=TLS,
     bad=[csr().put(BASIC_CONSTRAINTS, bc(True), True),
          csr().put(KEY_USAGE, ku(0, 5), True),
          csr().put(EXT_KEY_USAGE, eku(SERVER_AUTH, OCSP_SIGNING))])
