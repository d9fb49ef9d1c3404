"""CRL- and OCS-: each part of each rule, kept and broken."""
import hashlib

from x509 import *  # noqa: F401,F403
from der import (bits, boolean, enumerated, explicit, gentime, integer, null,
                 octets, oid, raw, seq, utctime)
from keys import P256D, P256E, P384A, ecdsa_alg, hash_id, rsa_alg

pair = globals()["pair"]
TLS = "cabf-tls"
WHEN = "2026-10-20T09:00:00Z"
LATER = "2026-10-21T09:00:00Z"
URI = "http://ca.example.org/part-1.crl"


def crl(rule, good, bad, ruleset=TLS, **options):
    pair(rule, good=good, bad=bad, ruleset=ruleset, **options)


def entries(*rows):
    """crl_ee() with these entries."""
    return crl_ee().set(entries=list(rows))


def one(number=None, when=WHEN, reason=None, extensions=()):
    """crl_ee() with one entry."""
    return entries(Revoked(serial("one") if number is None else number, when,
                           reason, extensions))


def ca_one(reason=None, extensions=()):
    return crl_ca().set(entries=[
        Revoked(serial("one"), WHEN, reason, extensions)])


def point(value, critical=True, base=crl_ee):
    return base().put(IDP, value, critical)


# ---- structure

crl("CRL-V2", crl_ee(), [
    crl_ee().set(version=None), crl_ee().set(version=0),
    crl_ee().set(version=2)])
crl("CRL-V2", crl_ca(), crl_ca().set(version=None), ruleset="rfc5280")
crl("CRL-SIGALG", crl_ee(), [
    # NULL where there must be no parameters; another one outside; another
    # hash than the curve's; SHA-1.
    crl_ee().set(alg=seq(oid("1.2.840.10045.4.3.2"), null())),
    crl_ee().set(outer_alg=ecdsa_alg("sha384")),
    crl_ee().set(alg=ecdsa_alg("sha384")),
    crl_ee().set(alg=ecdsa_alg("sha1"))])
crl("CRL-ISSUER-BYTES", crl_ee(), [
    crl_ee().set(issuer=root().subject),
    # The same words as other string types.
    crl_ee().set(issuer=name(("C", "NO"), ("O", printable("Example Trust AS")),
                             ("CN", printable("Example TLS OV CA 1"))))])
no_crl_sign = tls_sub().put(KEY_USAGE, ku(5), critical=True)
crl("CRL-SIGNER-KU", crl_ee(), [
    crl_ee().set(parent=no_crl_sign),
    crl_ee().set(parent=tls_sub().drop(KEY_USAGE))])
crl("CRL-EMPTY-ABSENT", crl_empty(), crl_empty().set(empty_list=True))

# ---- times

crl("CRL-THISUPDATE", crl_ee().set(this_update="2026-11-01T00:00:00Z"),
    crl_ee(), at="2026-11-01T23:59:59Z")
crl("CRL-THISUPDATE", crl_ee(),
    crl_ee().set(this_update="2026-11-01T23:59:59Z"), previous=crl_ee())
crl("CRL-NEXTUPDATE-PRESENT", crl_ee(), [
    crl_ee().set(next_update=None),
    crl_ee().set(next_update="2026-11-02T00:00:00Z"),
    crl_ee().set(next_update="2026-11-01T23:59:59Z")])
crl("CRL-NEXTUPDATE-EE", crl_ee().set(next_update="2026-11-11T23:59:59Z"),
    crl_ee().set(next_update="2026-11-12T00:00:00Z"))
# Told by the issuingDistributionPoint alone.
crl("CRL-NEXTUPDATE-EE", point(idp([URI], user=True)),
    point(idp([URI], user=True)).set(next_update="2026-11-12T00:00:00Z"),
    kind=None)
crl("CRL-NEXTUPDATE-CA", crl_ca().set(next_update="2027-11-01T23:59:59Z"),
    crl_ca().set(next_update="2027-11-02T00:00:00Z"))
crl("CRL-NEXTUPDATE-MONO", crl_ee(),
    crl_ee().set(next_update="2026-11-08T23:59:58Z"), previous=crl_ee())
crl("CRL-TIME-FORM", crl_ee(), [
    crl_ee().set(this_update=gentime("20261102000000Z")),
    crl_ee().set(next_update=gentime("20261108235959Z")),
    crl_ee().set(this_update=utctime("2611020000Z")),
    crl_ee().set(next_update=utctime("261108235959+0000")),
    crl_ee().set(next_update=utctime("261131235959Z")),
    one(when=gentime("20261020090000Z")), one(when=utctime("2610200900Z")),
    one(when=utctime("261320090000Z")), one(when=utctime("260230090000Z")),
    one(when=utctime("261020240000Z")),
    one(extensions=[Ext(INVALIDITY_DATE, utctime("261020090000Z"))]),
    one(extensions=[Ext(INVALIDITY_DATE, gentime("20261020090000.5Z"))])])
crl("CRL-TIME-FORM",
    crl_ee().set(this_update="2049-12-31T00:00:00Z",
                 next_update="2050-01-02T00:00:00Z"),
    crl_ee().set(this_update="2049-12-31T00:00:00Z",
                 next_update=gentime("20491231000001Z")))

# ---- entries

crl("CRL-NO-DUP-SERIAL",
    entries(Revoked(3, WHEN), Revoked(4, WHEN), Revoked(5, WHEN)), [
        entries(Revoked(3, WHEN), Revoked(3, WHEN)),
        # Neighbours in order, and apart out of order.
        entries(Revoked(3, WHEN), Revoked(4, WHEN), Revoked(4, LATER)),
        entries(Revoked(4, WHEN), Revoked(3, WHEN), Revoked(4, LATER)),
        entries(*[Revoked(i, WHEN) for i in (9, 8, 7, 6, 5, 9)])])
# The same number in another length is no other number's.
crl("CRL-NO-DUP-SERIAL",
    entries(Revoked(0x0102, WHEN), Revoked(2, WHEN), Revoked(1, WHEN)),
    entries(Revoked(0x0102, WHEN), Revoked(2, WHEN), Revoked(0x0102, WHEN)))
crl("CRL-ENTRY-SERIAL", one(2 ** 159 - 1), [
    one(0), one(-1), one(2 ** 159), one(2 ** 200), one(raw(2, b"")),
    one(raw(2, b"\x00\x01"))])
crl("CRL-ENTRY-DATE", one(when="2026-11-02T00:00:00Z"), [
    one(when="2026-11-02T00:00:01Z"), one(when="1998-12-31T23:59:59Z"),
    one(when="1970-01-01T00:00:00Z")])
crl("CRL-ENTRY-DATE", one(when="1999-01-01T00:00:00Z"),
    one(when=utctime("500101000000Z")))
crl("CRL-ORDER",
    entries(Revoked(3, WHEN), Revoked(5, WHEN), Revoked(4, LATER)),
    entries(Revoked(3, LATER), Revoked(5, LATER), Revoked(4, WHEN)))
crl("CRL-ORDER",
    entries(Revoked(3, LATER), Revoked(4, WHEN), Revoked(5, LATER)),
    entries(Revoked(4, WHEN), Revoked(3, WHEN)))

crl("CRL-NO-INDIRECT", crl_ee(), [
    # Another CA's certificate on this CRL, and the flag that goes with it.
    one(extensions=[Ext(CERTIFICATE_ISSUER,
                        seq(gn_dir(root().subject)), True)]),
    point(idp([URI], user=True, behind=raw(0x84, b"\xff")))])
crl("CRL-NO-DELTA", crl_ee(), [
    crl_ee().put(DELTA_CRL, integer(41), True),
    crl_ee().put(FRESHEST_CRL, cdp(URI)), one(reason=8)])

crl("CRL-REASON-FORM", one(reason=1), [
    one(extensions=[Ext(CRL_REASON, enumerated(1), True)]),
    one(extensions=[Ext(CRL_REASON, integer(1))]),
    one(extensions=[Ext(CRL_REASON, raw(0x0A, b"\x00\x01"))]),
    one(extensions=[Ext(CRL_REASON, enumerated(1) + null())]),
    one(extensions=[Ext(CRL_REASON, b"")]), one(reason=7), one(reason=11)])
crl("CRL-REASON-CA", ca_one(1), [ca_one(), ca_one(0)])
# What may go without one for subscribers; and told by the point alone.
crl("CRL-REASON-CA", one(),
    point(idp([URI], ca=True), base=lambda: ca_one()), kind=None)
for allowed in (1, 3, 4, 5, 9):
    crl("CRL-REASON-SET", one(reason=allowed),
        [one(reason=2), one(reason=8), one(reason=10)])
crl("CRL-REASON-SET", ca_one(1), ca_one(2))
crl("CRL-REASON-UNSPEC", one(), one(reason=0))
crl("CRL-REASON-NOHOLD", one(reason=5), one(reason=6))
crl("CRL-INVALIDITY", one(reason=1), one(reason=1, extensions=[
    Ext(INVALIDITY_DATE, gentime("20261020090000Z"))]))
crl("CRL-INVALIDITY",
    one(reason=1,
        extensions=[Ext(INVALIDITY_DATE, gentime("20261020090000Z"))]),
    one(reason=1,
        extensions=[Ext(INVALIDITY_DATE, gentime("20261020085959Z"))]),
    ruleset="cabf-cs")
crl("CRL-ENTRY-EXT-OTHER", one(reason=1), [
    one(extensions=[Ext("2.5.29.23", oid("1.2.840.10040.2.1"))]),
    one(extensions=[Ext(OWN + ".1", null(), True)])])
crl("CRL-EXT-UNIQUE", crl_ee(), [
    crl_ee().add(CRL_NUMBER, integer(43)),
    one(reason=1, extensions=[Ext(CRL_REASON, enumerated(1))]),
    one(extensions=[Ext(OWN + ".%d" % i, null()) for i in range(40)])])

# ---- extensions of the CRL

crl("CRL-AKI", crl_ee(), [
    crl_ee().drop(AKI), crl_ee().put(AKI, aki(P256A), True),
    crl_ee().put(AKI, aki(P256B)), crl_ee().put(AKI, seq()),
    crl_ee().put(AKI, seq(raw(0x80, key_id(P256A)),
                          raw(0xA1, gn_dir(root().subject)),
                          raw(0x82, b"\x05"))),
    crl_ee().put(AKI, octets(key_id(P256A))),
    crl_ee().put(AKI, aki(P256A) + null())])
crl("CRL-NUMBER", crl_ee().put(CRL_NUMBER, integer(2 ** 159 - 1)), [
    crl_ee().drop(CRL_NUMBER), crl_ee().put(CRL_NUMBER, integer(42), True),
    crl_ee().put(CRL_NUMBER, integer(-1)),
    crl_ee().put(CRL_NUMBER, integer(2 ** 159)),
    crl_ee().put(CRL_NUMBER, octets(b"\x01")),
    crl_ee().put(CRL_NUMBER, integer(42) + null())])
crl("CRL-NUMBER", crl_ee().put(CRL_NUMBER, integer(0)),
    crl_ee().put(CRL_NUMBER, b""))
crl("CRL-IDP-WHEN", point(idp([URI], user=True)),
    point(idp([URI], user=True), critical=False))
crl("CRL-IDP-FULL-NONE", point(idp([URI], user=True)), [
    point(seq()), point(idp(behind=raw(0x84, b"\xff")))])
crl("CRL-IDP-ROOT-TRAP", crl_ca(), point(idp([URI], ca=True), base=crl_ca))
crl("CRL-IDP-ROOT-TRAP", point(idp([URI], ca=True)).set(kind="crl-ca"),
    point(idp(ca=True), base=crl_ca))
ldap = "ldap://ca.example.org/cn=ca?certificateRevocationList"
crl("CRL-IDP-URI", point(idp([URI, URI + "2"], user=True)), [
    point(idp(user=True)), point(seq()),
    # nameRelativeToCRLIssuer, no name, a name that is no URI, no absolute one.
    point(seq(raw(0xA0, raw(0xA1, atv("CN", "x"))), raw(0x81, b"\xff"))),
    point(seq(raw(0xA0, raw(0xA0)), raw(0x81, b"\xff"))),
    point(idp([gn_dir(root().subject)], user=True)),
    point(idp([URI, gn_dns("ca.example.org")], user=True)),
    point(idp(["/part-1.crl"], user=True)), point(idp([""], user=True)),
    point(idp([ldap], user=True)),
    point(idp(["https://ca.example.org/1.crl"], user=True)),
    point(idp(["http://ca.example.org/a b"], user=True)),
    point(seq(raw(0xA0, raw(0xA0, b"\x86\x7f")), raw(0x81, b"\xff")))])
crl("CRL-IDP-FLAGS", point(idp([URI], user=True)), [
    point(seq()), point(idp([URI], user=True, ca=True)),
    point(idp([URI], user=True, behind=raw(0x84, b"\xff"))),
    point(idp([URI], behind=raw(0x85, b"\xff"))),
    point(idp([URI], behind=raw(0x82, b"\x00"))),
    point(seq(full_name(URI), raw(0x81, b"\x00"))),
    # The wrong kind for the scope; not to be read; something behind.
    point(idp([URI], ca=True)), point(octets(b"")), point(b""),
    point(seq(raw(0x81, b"\xff"), full_name(URI))),
    point(idp([URI], user=True) + null()),
    point(idp([URI], user=True, behind=raw(0x86, b"\xff")))])
crl("CRL-IDP-FLAGS", point(idp([URI], ca=True), base=crl_ca),
    point(idp([URI], user=True), base=crl_ca))
crl("CRL-IDP-FLAGS", point(idp([URI], behind=raw(0x84, b"\xff"))),
    point(seq()), ruleset="rfc5280")
crl("CRL-IDP-NOREASONS", point(idp([URI], user=True)),
    point(idp([URI], user=True, behind=raw(0x83, b"\x06\x40"))))
crl("CRL-EXT-OTHER", crl_ee(), [
    crl_ee().put(INFO_ACCESS, aia("http://ca.example.org/1.cer")),
    crl_ee().put(IAN, san("ca.example.org")),
    # expiredCertsOnCRL
    crl_ee().put("2.5.29.60", gentime("20200101000000Z")),
    crl_ee().put(OWN + ".1", null(), True)])

# ---- against the CRL before

before = entries(Revoked(3, WHEN, 1), Revoked(5, WHEN), Revoked(9, LATER))
after = before.copy().put(CRL_NUMBER, integer(43))
mixed = entries(Revoked(9, WHEN, 1), Revoked(3, WHEN), Revoked(5, LATER))
crl("CRL-NUMBER-STRICT", after, [
    before, before.copy().put(CRL_NUMBER, integer(41)),
    before.copy().put(CRL_NUMBER, integer(0))], previous=before)
crl("CRL-NUMBER-STRICT", crl_ee().put(CRL_NUMBER, integer(256)),
    crl_ee().put(CRL_NUMBER, integer(254)),
    previous=crl_ee().put(CRL_NUMBER, integer(255)))
crl("CRL-COMPLETE",
    entries(Revoked(3, WHEN, 1), Revoked(4, WHEN), Revoked(5, WHEN),
            Revoked(9, LATER)), [
        entries(Revoked(3, WHEN, 1), Revoked(5, WHEN)),
        entries(Revoked(5, WHEN), Revoked(9, LATER)), crl_empty(),
        # Out of order now; the entry that is gone is found by its hash.
        entries(Revoked(9, LATER), Revoked(3, WHEN, 1)),
    ], previous=before)
crl("CRL-COMPLETE",
    entries(Revoked(5, WHEN), Revoked(9, LATER, 1), Revoked(3, WHEN)),
    [entries(Revoked(5, WHEN), Revoked(9, LATER, 1)),
     entries(Revoked(3, WHEN), Revoked(9, LATER, 1))], previous=mixed)
# Revoked when the CRL before was issued, so not expired by then.
crl("CRL-COMPLETE", one(when="2026-11-02T00:00:00Z"), crl_empty(),
    previous=one(when="2026-11-02T00:00:00Z"))
crl("CRL-COMPLETE", crl_ee(), crl_empty(), ruleset="cabf-cs",
    previous=crl_ee())
crl("CRL-REASON-UPGRADE",
    entries(Revoked(3, WHEN, 1), Revoked(5, WHEN, 1), Revoked(9, LATER)),
    [entries(Revoked(3, WHEN, 4), Revoked(5, WHEN), Revoked(9, LATER)),
     entries(Revoked(3, WHEN), Revoked(5, WHEN), Revoked(9, LATER))],
    previous=before)
crl("CRL-REASON-UPGRADE", mixed,
    entries(Revoked(9, WHEN), Revoked(3, WHEN), Revoked(5, LATER)),
    previous=mixed)

# ---- the whole

forged = crl_ee().set(signature=crl_ee().set(
    next_update="2026-11-08T00:00:00Z").sign(crl_ee().tbs()[:-1]))
crl("CRL-RECHECK", crl_ee(), [
    forged, crl_ee().set(signer=P256E), crl_ee().set(signature_unused=1),
    crl_ee().set(signature=b""), crl_ee().set(outer_alg=ecdsa_alg("sha384"))])
# By RSA: PKCS#1, PSS, and a mixture that is neither.
rsa_ca = tls_sub().set(key=RSA2048A).put(SKI, ski(RSA2048A))


def rsa_crl(alg):
    return crl_ee().set(parent=rsa_ca, signer=RSA2048A, alg=alg)


for scheme in (rsa_alg("sha256"), rsa_alg("sha512"), pss_alg("sha256"),
               pss_alg("sha384")):
    crl("CRL-RECHECK", rsa_crl(scheme), [
        rsa_crl(scheme).set(signature=RSA2048A.sign(b"another", scheme)),
        rsa_crl(scheme).set(signature=RSA2048B.sign(
            rsa_crl(scheme).tbs(), scheme))])
crl("CRL-RECHECK", rsa_crl(pss_alg("sha256")),
    rsa_crl(pss_alg("sha256")).set(signature=RSA2048A.sign(
        rsa_crl(pss_alg("sha256")).tbs(), rsa_alg("sha256"))))
crl("CRL-RECHECK", after, [
    after.copy().put(IDP, idp([URI], user=True), True),
    crl_ca().put(CRL_NUMBER, integer(43))], previous=before)


# ---- OCSP

def ocs(rule, good, bad, ruleset=TLS, **options):
    pair(rule, good=good, bad=bad, ruleset=ruleset, **options)


def single(**parts):
    """ocsp_good() with this changed in its SingleResponse."""
    made = ocsp_good()
    made.singles[0].set(**parts)
    return made


def revoked(reason=None, when="2026-11-01T00:00:00Z", base=ocsp_good):
    made = base()
    made.singles[0].revoked(when, reason)
    return made


def certs(*rows, base=ocsp_good):
    return base().set(certs=None if rows == (None,) else list(rows))


def by_ca(*usages):
    """Signed by the issuing CA, whose certificate has these usages."""
    ca = tls_sub().put(KEY_USAGE, ku(*usages), True)
    return ocsp_good().set(signer=ca.key, alg=ca.key.alg, parent=ca,
                           responder_id=by_key(ca.key), certs=None)


def by(made):
    """With another responder's certificate inside."""
    return ocsp_good().set(signer=made.key, alg=made.key.alg, certs=[made],
                           responder_id=by_key(made.key))


def two(*digests, targets=(leaf, leaf)):
    made = ocsp_good()
    made.singles = [Single(target(), tls_sub(), "2026-11-02T00:00:00Z",
                           "2026-11-08T23:59:59Z", digest)
                    for digest, target in zip(digests, targets)]
    return made


def error(status, body=b""):
    return ocsp_good().set(status=status, response_bytes=body)


ocs("OCS-STATUS", ocsp_good(), [
    error(0), ocsp_good().set(status=6), ocsp_good().set(status=1), error(4),
    error(7), error(-1), error(256)])
for number in (1, 2, 3, 5, 6):
    ocs("OCS-STATUS", error(number), error(4))
ocs("OCS-TYPE", ocsp_good(), [
    ocsp_good().set(response_type=OWN + ".1"),
    ocsp_good().set(response_type="1.3.6.1.5.5.7.48.1.4")])
ocs("OCS-VERSION", ocsp_good(), [
    ocsp_good().set(version=explicit(0, integer(0))),
    ocsp_good().set(version=explicit(0, integer(1)))])
sha256_id = hashlib.sha256(key_bits(P256D.spki)).digest()
ocs("OCS-RESPONDERID", ocsp_good(), [
    ocsp_good().set(responder_id=by_name(responder().subject)),
    ocsp_good().set(responder_id=explicit(2, octets(sha256_id))),
    ocsp_good().set(responder_id=explicit(2, octets(sha256_id[:20]))),
    ocsp_good().set(responder_id=by_key(P256E)),
    ocsp_good().set(responder_id=by_name(leaf().subject))])
# Without any certificate at hand nothing can be told about whose it is.
ocs("OCS-RESPONDERID", certs(None), certs(None).set(
    responder_id=by_name(responder().subject)), issuer=None)
ocs("OCS-SIGALG", ocsp_good(), [
    ocsp_good().set(alg=ecdsa_alg("sha384")),
    ocsp_good().set(alg=ecdsa_alg("sha1")),
    ocsp_good().set(alg=rsa_alg("sha1"), signature=bytes(256)),
    ocsp_good().set(alg=seq(oid("1.2.840.10045.4.3.2"), null()))])
ocs("OCS-SIGNER", ocsp_good(), [
    # No responder's certificate: purpose, nocheck, usage, a CA's.
    by(responder().drop(EXT_KEY_USAGE)),
    by(responder().put(EXT_KEY_USAGE, eku(SERVER_AUTH))),
    by(responder().drop(OCSP_NOCHECK)),
    by(responder().put(KEY_USAGE, ku(5, 6), True)),
    by(responder().put(BASIC_CONSTRAINTS, bc(True), True)),
    # Of another CA, of none that signed it, or signed by nobody.
    by(root_responder()),
    by(responder().set(signer=P384A, alg=P384A.alg)),
    ocsp_good().set(signature=ocsp_good().sign(b"another")),
    ocsp_good().set(signer=P256E), ocsp_good().set(signature=b""),
    ocsp_good().set(signature_unused=1)])
ocs("OCS-SIGNER", by_ca(0, 5, 6), by_ca(5, 6))
ocs("OCS-CERTS", ocsp_good(), [
    certs(), certs(None), certs(responder(), tls_sub()),
    certs(seq(null())), by_ca(0, 5, 6).set(certs=[responder()]),
    by_ca(0, 5, 6).set(certs=[tls_sub()])])
ocs("OCS-CERTS", by_ca(0, 5, 6), by_ca(0, 5, 6).set(certs=[]))
ocs("OCS-RESPEXT", ocsp_good(), [
    ocsp_good().put(OCSP_NONCE, octets(bytes(16))),
    ocsp_good().put(OWN + ".1", null())])
leaf_serial = leaf().serial
ocs("OCS-CERTID-SHA256", ocsp_good(), [
    two("sha1"), single(name_hash=bytes(32)), single(key_hash=bytes(32)),
    single(name_hash=bytes(20)), single(serial=0), single(serial=-5),
    # Over the whole key, not its bits.
    single(key_hash=hashlib.sha256(tls_sub().spki_der).digest()),
    single(serial=raw(2, b"\x00\x01")), single(serial=2 ** 160)])
ocs("OCS-CERTID-SHA256", two("sha256", "sha1"), two("sha1", "sha384"))
absent = seq(oid("2.16.840.1.101.3.4.2.1"))
ocs("OCS-CERTID-PARAMS", ocsp_good(), [
    single(hash_alg=absent),
    single(hash_alg=seq(oid("2.16.840.1.101.3.4.2.1"), octets(b"")))])
ocs("OCS-ONE", two("sha256", "sha1"), [
    two("sha256", "sha1", targets=(leaf, tls_sub)), two("sha256", "sha256"),
    two(), two("sha256", "sha1", "sha384", targets=(leaf,) * 3)])
ocs("OCS-THISUPDATE", ocsp_good(),
    [single(this_update="2026-11-02T00:00:01Z")])
ocs("OCS-THISUPDATE", ocsp_good().set(produced_at="2026-11-02T00:30:00Z"),
    ocsp_good().set(produced_at="2026-11-02T01:00:01Z"),
    at="2026-11-02T01:00:00Z")
ocs("OCS-PRODUCEDAT", ocsp_good(), [
    ocsp_good().set(produced_at="2026-11-02T00:10:00Z"),
    ocsp_good().set(produced_at="2026-11-01T23:50:00Z")],
    at="2026-11-02T00:00:30Z", signing=True)
ocs("OCS-NEXTUPDATE", ocsp_good(), [
    single(next_update=None), single(next_update="2026-11-02T00:00:00Z"),
    single(next_update="2026-11-01T00:00:00Z")])
# tls_sub() has a path length of 0: all that it signs is subscribers'.
ocs("OCS-INTERVAL-EE", single(next_update="2026-11-11T23:59:59Z"), [
    single(next_update="2026-11-12T00:00:00Z"),
    single(next_update="2026-11-02T07:59:59Z")])
ocs("OCS-INTERVAL-EE", single(next_update="2026-11-02T08:00:00Z"),
    single(next_update="2026-11-30T00:00:00Z"), issuer=None, kind="leaf")
year = ocsp_ca()
year.singles[0].set(next_update="2027-11-01T23:59:59Z")
over = ocsp_ca()
over.singles[0].set(next_update="2027-11-02T00:00:00Z")
ocs("OCS-INTERVAL-CA", year, over)
ocs("OCS-INTERVAL-CA", year, over, issuer=None)
until = responder().set(not_after="2026-11-08T23:59:58Z")
ocs("OCS-NEXTUPDATE-CERTS",
    by(responder().set(not_after="2026-11-08T23:59:59Z")), [
        by(until), certs(responder(), until)])
short = tls_sub().set(not_after="2026-11-08T23:59:58Z") \
    .put(KEY_USAGE, ku(0, 5, 6), True)
ocs("OCS-NEXTUPDATE-CERTS", by_ca(0, 5, 6), by_ca(0, 5, 6).set(parent=short))
ocs("OCS-NEXTUPDATE-TARGET", ocsp_good(), [
    by(until), by_ca(0, 5, 6).set(parent=short)])
ocs("OCS-TIME-FORM", ocsp_good(), [
    ocsp_good().set(produced_at=utctime("261102000000Z")),
    ocsp_good().set(produced_at=gentime("20261102000000.0Z")),
    single(this_update=gentime("202611020000Z")),
    single(next_update=gentime("20261108235959+0000")),
    single(next_update=gentime("20261131235959Z")),
    revoked(when=utctime("261101000000Z")),
    revoked(when=gentime("20261101000000.5Z"))])
ocs("OCS-REASON-CA", revoked(1, base=ocsp_ca), revoked(base=ocsp_ca))
ocs("OCS-REASON-CA", revoked(), revoked(base=ocsp_ca))
ocs("OCS-REASON-CA", revoked(4), revoked(), kind="tlssub", issuer=None)
for allowed in (1, 3, 4, 5, 9):
    ocs("OCS-REASON-SET", revoked(allowed),
        [revoked(0), revoked(6), revoked(8)])
ocs("OCS-REASON-SET", revoked(), [
    revoked(2), revoked(7), revoked(10), revoked(11), revoked(300),
    revoked(when="1970-01-01T00:00:00Z"),
    ocsp_good().put("1.3.6.1.5.5.7.48.1.9", null())])
reason_ext = Ext(CRL_REASON, enumerated(1))
ocs("OCS-SINGLEEXT", ocsp_good(), [
    single(extensions=[reason_ext]),
    single(extensions=[Ext(OWN + ".1", null()), reason_ext]),
    single(extensions=[Ext("1.3.6.1.5.5.7.48.1.6",
                           gentime("20200101000000Z"))])])
ocs("OCS-UNKNOWN", ocsp_good(), single(status=raw(0x82)))
own = ocsp_ca()
own.singles[0].set(serial=root().serial)
ocs("OCS-ROOT-STATUS", ocsp_ca(), own)
ocs("OCS-NO-EE-FROM-ROOT", ocsp_ca(), ocsp_ca().set(kind="leaf"))
foreign = ocsp_good()
foreign.singles = [Single(leaf(), root(), "2026-11-02T00:00:00Z",
                          "2026-11-08T23:59:59Z")]
ocs("OCS-RECHECK", ocsp_good(), [
    foreign, single(name_hash=bytes(32)), single(key_hash=bytes(32)),
    ocsp_good().set(produced_at="2026-12-09T00:00:00Z"),
    ocsp_good().set(produced_at="2026-10-09T23:59:59Z")])
# A hash that nobody knows names nobody.
ocs("OCS-RECHECK", two("sha1"), single(hash_alg=seq(oid(OWN + ".1"), null())))
