"""What went wrong once, at a CA or with another tool, each with its name.

Each incident is a title, and the pairs that would find it again.  Those that
need a ceremony (a key that a refused run leaves behind, a serial number never
issued, a CRL number after a restore) are in tests/cli/incidents.bats, and the
table of tests/lint/incidents.md lists them all.
"""
from x509 import *  # noqa: F401,F403
from der import (bits, boolean, enumerated, explicit, integer, null, oid, raw,
                 seq)
from keys import (EC_PUBLIC_KEY, ECDSA, P256A, P256B, P256E, P256F, P384A,
                  P384B, P384E, P384F, RSA, RSA2048A, RSA_ENCRYPTION,
                  RSA3072A, ecdsa_alg, expand)

TLS, SMIME, CS, RFC = "cabf-tls", "cabf-smime", "cabf-cs", "rfc5280"
URI = "http://ca.example.org/part-1.crl"
WHEN = "2026-10-20T09:00:00Z"
ORG_NAME = ORG[1]


def incident(title):
    """pair(), under this title."""
    def under(rule, good, bad, **options):
        pair(rule, good=good, bad=bad, title=title, **options)
    return under


def entry(reason=None, number=None, extensions=()):
    return crl_ee().set(entries=[Revoked(
        serial("one") if number is None else number, WHEN, reason,
        extensions)])


def named(*names):
    return leaf().put(SAN, san(*names))


def asked(*names):
    return csr().put(SAN, san(*names))


# ---- incidents of CAs

test = incident("CA certificates for OCSP signing, 2020")
for ca, ruleset in ((tls_sub, TLS), (smime_ca, SMIME), (cs_ca, CS),
                    (non_tls_sub, RFC), (root, RFC), (cross, RFC)):
    made = ca()
    purposes = made.get(EXT_KEY_USAGE)
    also = eku(OCSP_SIGNING) if purposes is None else \
        seq(take(purposes.value)[1], oid(OCSP_SIGNING))
    test("SUB-NO-OCSPSIGNING", ca(), made.put(EXT_KEY_USAGE, also),
         ruleset=RFC)
test("CSR-NO-CA", csr(), [
    csr().put(EXT_KEY_USAGE, eku(OCSP_SIGNING)),
    csr().put(BASIC_CONSTRAINTS, bc(True), True),
    csr().put(KEY_USAGE, ku(5), True)], ruleset=RFC, signing=True)

test = incident("serial numbers of 63 random bits, 2019")
random63 = int.from_bytes(expand("of 2019", 8), "big") >> 1 | 1 << 62
for made, ruleset in ((leaf, TLS), (precert, TLS), (tls_sub, TLS),
                      (root, TLS), (responder, TLS), (smime, SMIME),
                      (cs, CS), (client, "private")):
    test("FLD-SERIAL-ENTROPY", made().set(serial=random63 | 1 << 63),
         made().set(serial=random63), ruleset=ruleset)
# Small serial numbers are legal by RFC 5280 itself.
test("FLD-SERIAL-ENTROPY", leaf().set(serial=5), [], ruleset=RFC)

test = incident("responder certificates without nocheck")
test("OCR-NOCHECK", responder(), responder().drop(OCSP_NOCHECK), ruleset=TLS)
test("OCS-SIGNER", ocsp_good(), ocsp_good().set(
    certs=[responder().drop(OCSP_NOCHECK)]), ruleset=TLS)

test = incident("parts of a CRL without a critical IDP")
test("CRL-IDP-WHEN", crl_ee().put(IDP, idp([URI], user=True), True),
     crl_ee().put(IDP, idp([URI], user=True)), ruleset=RFC)
test("CRL-IDP-URI", crl_ee().put(IDP, idp([URI], user=True), True),
     crl_ee().put(IDP, idp(user=True), True), ruleset=TLS)

test = incident("a certificate that is not its precertificate's")
reordered = leaf()
reordered.extensions.insert(0, reordered.extensions.pop(2))
test("PRE-MATCH", leaf(), [
    reordered, leaf().put(SAN, san("www.example.com", "example.com")),
    leaf().set(serial=serial("another")), leaf().drop(SCT_LIST).set(
        not_after="2027-01-07T23:59:58Z")], ruleset=TLS, existing=precert())
test("FLD-EXT-ORDER", leaf(), reordered, ruleset=TLS, existing=precert())

test = incident("one second too long")
SECOND = (
    (leaf, TLS, "2027-04-27T23:59:59Z", "2027-04-28T00:00:00Z"),
    (precert, TLS, "2027-04-27T23:59:59Z", "2027-04-28T00:00:00Z"),
    (smime, SMIME, "2029-01-11T23:59:59Z", "2029-01-12T00:00:00Z"),
    (cs, CS, "2028-01-12T23:59:59Z", "2028-01-13T00:00:00Z"),
    (root, TLS, gentime("20511010235959Z"), gentime("20511011000000Z")))
for made, ruleset, last, late in SECOND:
    test("FLD-TIME-INCLUSIVE", made().set(not_after=last),
         made().set(not_after=late), ruleset=ruleset)
test("ROOT-LIFE-MAX", root().set(not_after=gentime("20511010235959Z")),
     root().set(not_after=gentime("20511011000000Z")), ruleset=TLS)
test("CRL-NEXTUPDATE-EE", crl_ee().set(next_update="2026-11-11T23:59:59Z"),
     crl_ee().set(next_update="2026-11-12T00:00:00Z"), ruleset=TLS)

test = incident("https and ldap where http must be")
for uri in ("https://ca.example.org/a", "ldap://ca.example.org/cn=a?b?base",
            "ftp://ca.example.org/a", "http://localhost/a"):
    for made in (tls_sub, leaf):
        test("AIA-HTTP", made(), [
            made().put(INFO_ACCESS, aia(uri)),
            made().put(INFO_ACCESS, aia("http://ca.example.org/a", uri))],
             ruleset=TLS)
        test("CDP-HTTP", made(), made().put(CRL_POINTS, cdp(uri)),
             ruleset=TLS)
test("CRL-IDP-URI", crl_ee().put(IDP, idp([URI], user=True), True),
     crl_ee().put(IDP, idp(["https://ca.example.org/part-1.crl"], user=True),
                  True), ruleset=TLS)

test = incident("user notices in policies")
for made in (tls_sub, leaf, cross):
    test("POL-QUALIFIERS", made(), made().put(
        POLICIES, cp(policy(OV, user_notice("read this")))), ruleset=TLS)

test = incident("the issuer's name encoded again")
PRINTED = name(("C", "NO"), ("O", printable("Example Trust AS")),
               ("CN", printable("Example TLS OV CA 1")))
test("FLD-ISSUER-BYTES", leaf(), leaf().set(issuer=PRINTED), ruleset=TLS)
test("FLD-ISSUER-BYTES", crl_ee(), crl_ee().set(issuer=PRINTED), ruleset=TLS)
test("NAM-STABLE-SUBJECT", tls_sub(), tls_sub().set(subject=PRINTED),
     ruleset=TLS, existing=tls_sub())

test = incident("an empty revokedCertificates")
test("CRL-EMPTY-ABSENT", crl_empty(), crl_empty().set(empty_list=True),
     ruleset=RFC)

test = incident("reasonCode unspecified, encoded")
test("CRL-REASON-UNSPEC", entry(), entry(0), ruleset=TLS)
test("OCS-REASON-SET", ocsp_good(), [
    ocsp_of(tls_sub(), responder(), leaf()).set(singles=[
        Single(leaf(), tls_sub(), "2026-11-02T00:00:00Z",
               "2026-11-08T23:59:59Z").revoked(WHEN, 0)])], ruleset=TLS)

test = incident("a CRL number again, after a restore")
test("CRL-NUMBER-STRICT", crl_ee().put(CRL_NUMBER, integer(43)), [
    crl_ee().set(this_update="2026-11-03T00:00:00Z"),
    crl_ee().put(CRL_NUMBER, integer(41))], ruleset=TLS, previous=crl_ee())
test("CRL-NEXTUPDATE-CA", crl_ca(),
     crl_ca().set(next_update="2027-11-02T00:00:00Z"), ruleset=TLS)

# Another linter held only what has serverAuth to the TLS rules.
test = incident("not linted, for it was taken for something else")
test("TLSSUB-EKU-FORBIDDEN", tls_sub(), tls_sub().put(
    EXT_KEY_USAGE, eku(SERVER_AUTH, EMAIL_PROTECTION)), ruleset=TLS)
test("LEAF-EKU", leaf(), [
    leaf().put(EXT_KEY_USAGE, eku(*purposes)) for purposes in (
        [EMAIL_PROTECTION], [CODE_SIGNING], [CLIENT_AUTH], [ANY_EKU],
        [SERVER_AUTH, EMAIL_PROTECTION], [TIME_STAMPING, CLIENT_AUTH])]
    + [leaf().drop(EXT_KEY_USAGE)], ruleset=TLS)
test("LEAF-EKU", leaf(), leaf().put(EXT_KEY_USAGE, eku(EMAIL_PROTECTION)),
     ruleset=None)
test("SM-EKU", smime(), [
    smime().put(EXT_KEY_USAGE, eku(*purposes)) for purposes in (
        [EMAIL_PROTECTION, SERVER_AUTH], [SERVER_AUTH], [CLIENT_AUTH],
        [EMAIL_PROTECTION, CODE_SIGNING], [OCSP_SIGNING, EMAIL_PROTECTION])]
    + [smime().drop(EXT_KEY_USAGE)], ruleset=SMIME)
test("CS-EKU", cs(), [
    cs().put(EXT_KEY_USAGE, eku(*purposes)) for purposes in (
        [CODE_SIGNING, SERVER_AUTH], [SERVER_AUTH], [CLIENT_AUTH])],
     ruleset=CS)
test("SMIMECA-EKU", smime_ca(), [
    smime_ca().put(EXT_KEY_USAGE, eku(EMAIL_PROTECTION, SERVER_AUTH)),
    smime_ca().put(EXT_KEY_USAGE, eku(SERVER_AUTH))], ruleset=SMIME)
test("CSCA-EKU", cs_ca(), [
    cs_ca().put(EXT_KEY_USAGE, eku(CODE_SIGNING, SERVER_AUTH)),
    cs_ca().put(EXT_KEY_USAGE, eku(CLIENT_AUTH))], ruleset=CS)
test("NONTLS-CP", non_tls_sub(), [
    tls_sub().put(EXT_KEY_USAGE, eku(purpose)) for purpose in (
        CODE_SIGNING, EMAIL_PROTECTION, CLIENT_AUTH)], ruleset=TLS)
# --kind precert alone: what its certificate is held to counts.
for rule, name_ in (("DNS-TLD", "localhost"), ("DNS-SYNTAX", "a_b.example")):
    test(rule, precert(), precert().put(SAN, san(name_)), ruleset=TLS,
         kind="precert")
# A kind that is another object's.
test("LEAF-EKU", leaf(), leaf().put(EXT_KEY_USAGE, eku(CLIENT_AUTH)),
     ruleset=TLS, kind="crl-ca")

test = incident("a cross certificate with a fresh key identifier")
test("CROSS-SKI-BYTES", cross(), [
    cross().put(SKI, ski(b"\x17" * 20)), cross().drop(SKI)], ruleset=RFC)

test = incident("a cross certificate over another key")
test("CROSS-SPKI-BYTES", cross(),
     cross().set(key=P384E).put(SKI, ski(P384E)), ruleset=TLS)
test("CROSS-SUBJECT-BYTES", cross(), cross().set(subject=name(
    ("C", "NO"), ORG_NAME, ("CN", "Example TLS Root R00"))), ruleset=TLS)

test = incident("a wildcard on a public suffix")
for make in (named, asked):
    test("DNS-WILDCARD-PSL", make("*.example.com"),
         [make(text) for text in ("*.com", "*.co.uk", "*.xn--p1ai", "*.ck")],
         ruleset=TLS)

test = incident("underscores in host names")
for make in (named, asked):
    for rule in ("DNS-NO-UNDERSCORE", "DNS-SYNTAX"):
        test(rule, make("ab.example.com"), [
            make("a_b.example.com"), make("_a.example.com"),
            make("a.b_.example.com")], ruleset=TLS)

test = incident("ap.gbl, and other internal names")
for make in (named, asked):
    test("DNS-TLD", make("www.example.com"), [make(text) for text in (
        "ap.gbl", "www.ap.gbl", "server", "localhost", "host.local",
        "db.internal", "mail.corp", "a.lan", "a.home", "10.0.0.1")],
         ruleset=TLS)
    test("SAN-IP", make(gn_ip([8, 8, 8, 8])), [
        make(gn_ip([10, 0, 0, 1])), make(gn_ip([127, 0, 0, 1])),
        make(gn_ip([169, 254, 1, 1]))], ruleset=TLS)

test = incident("names of the reverse zones")
for make in (named, asked):
    test("DNS-ARPA", make("www.example.com"), [
        make("4.3.2.1.in-addr.arpa"), make("8.b.d.0.1.0.0.2.ip6.arpa"),
        make("*.10.in-addr.arpa")], ruleset=TLS)

test = incident("an OCSP answer that outlives its responder")
short = responder().set(not_after="2026-11-08T23:59:58Z")
exact = responder().set(not_after="2026-11-08T23:59:59Z")
test("OCS-NEXTUPDATE-CERTS", ocsp_good().set(certs=[exact]),
     ocsp_good().set(certs=[short]), ruleset=TLS)

test = incident("a root's key signs a subscriber or test certificate")
for made, parent, ruleset in ((leaf, root, TLS), (precert, root, TLS),
                              (smime, smime_root, SMIME), (cs, cs_root, CS)):
    by = parent()
    test("KEY-USE-ROOT", made(), made().set(
        issuer=by.subject, parent=by, signer=by.key, alg=by.key.alg),
         ruleset=ruleset)
test("OCS-NO-EE-FROM-ROOT", ocsp_ca(), ocsp_ca().set(kind="leaf"),
     ruleset=TLS)

# ---- seen at other tools: they issued it without complaint

test = incident("a CA that outlives or predates its issuer, by one second")
for made, ruleset in ((tls_sub, TLS), (tc_sub, TLS), (non_tls_sub, TLS),
                      (smime_ca, SMIME), (cs_ca, CS), (cross, TLS)):
    test("FLD-TIME-NESTED", made().set(not_after=ROOT_UNTIL),
         made().set(not_after="2044-10-10T00:00:00Z"), ruleset=ruleset,
         signing=True)
    if made is not cross:
        test("FLD-TIME-NESTED", made().set(not_before=NOT_BEFORE),
             made().set(not_before="2026-10-09T23:59:59Z"), ruleset=ruleset,
             signing=True)
for made in (leaf, precert, responder):
    test("FLD-TIME-NESTED", made().set(not_after=SUB_UNTIL),
         made().set(not_after="2029-10-09T00:00:00Z"), ruleset=RFC)

test = incident("a CA with its issuer's name")
for made in (tls_sub, non_tls_sub):
    test("NAM-NEWKEY-NEWNAME", made(), made().set(subject=root().subject),
         ruleset=RFC, signing=True)
test("NAM-UNIQUE-SUBJECT", tls_sub(), tls_sub().set(subject=name(
    ("C", "NO"), ("O", "EXAMPLE  TRUST AS"), ("CN", "example tls root r1"))),
     ruleset=RFC)
test("NAM-UNIQUE-SUBJECT", responder(),
     responder().set(subject=tls_sub().subject), ruleset=RFC)

test = incident("country XX")
OF_XX = name(("C", "XX"), ORG_NAME, ("CN", "Example CA X1"))
test("NAM-COUNTRY-ISO", tls_sub(), [
    tls_sub().set(subject=OF_XX), responder().set(subject=OF_XX),
    root().set(subject=OF_XX, issuer=OF_XX)], ruleset=TLS)

test = incident("another CA's certificate on a CRL")
# Serial numbers alone do not tell: what does is certificateIssuer, and an IDP.
test("CRL-NO-INDIRECT", entry(1), [
    entry(1, extensions=[Ext(CERTIFICATE_ISSUER, seq(
        gn_dir(smime_root().subject)), True)]),
    crl_ee().put(IDP, idp([URI], behind=raw(0x84, b"\xff")), True)],
     ruleset=TLS)
test("FLD-ISSUER-BYTES", crl_ee(), [
    crl_ee().set(issuer=root().subject), crl_ca().set(
        issuer=tls_sub().subject)], ruleset=TLS)

test = incident("certificateHold and removeFromCRL")
test("CRL-REASON-NOHOLD", entry(5), entry(6), ruleset=TLS)
test("CRL-REASON-SET", entry(5), [entry(2), entry(8), entry(10)],
     ruleset=TLS)
test("CRL-NO-DELTA", entry(5), entry(8), ruleset=TLS, signing=True)

test = incident("CA certificates on a CRL without reasons")
test("CRL-REASON-CA", crl_ca(), crl_ca().set(entries=[
    Revoked(serial("gone ca"), WHEN)]), ruleset=TLS)

test = incident("entries dropped, or of another CRL's scope")
test("CRL-COMPLETE", crl_ee().put(CRL_NUMBER, integer(43)),
     crl_ee().put(CRL_NUMBER, integer(43)).set(
         entries=crl_ee().entries[1:]), ruleset=TLS, previous=crl_ee())
shard = crl_ee().put(IDP, idp([URI], user=True), True)
test("CRL-RECHECK", shard.copy().put(CRL_NUMBER, integer(43)),
     shard.copy().put(CRL_NUMBER, integer(43)).put(
         IDP, idp([URI + "2"], user=True), True),
     ruleset=TLS, previous=shard, signing=True)

test = incident("no proof of possession")
test("CSR-POP", csr(), [csr().set(signer=P256A),
                        csr().set(signature=bytes(70))], ruleset=RFC)

test = incident("two certificates of one serial number")
test("FLD-SERIAL-UNIQUE", tls_sub(), tls_sub().set(serial=root().serial),
     ruleset=TLS)
test("FLD-SERIAL-UNIQUE", leaf(), precert().set(
    subject=name(("C", "NO"), ("L", "Oslo"), ("O", "Example Shop 2 AS"))),
     ruleset=TLS, existing=precert())

# ---- what a mistake in an encoder makes

test = incident("AlgorithmIdentifiers with wrong parameters")
NO_NULL = seq(seq(oid(RSA_ENCRYPTION)),
              bits(key_bits(RSA2048A.spki)))
EC_NULL = seq(seq(oid(EC_PUBLIC_KEY), null()), bits(P256E.point))
test("ALG-SPKI-EXACT", leaf(), [leaf().set(spki=NO_NULL),
                                leaf().set(spki=EC_NULL)], ruleset=TLS)
rsa_ca = sub_ca(root(), "RSA", RSA3072A, [SERVER_AUTH], [OV])


def by_rsa(made, alg=None):
    return made.set(issuer=rsa_ca.subject, parent=rsa_ca, signer=RSA3072A,
                    alg=alg or RSA3072A.alg)


test("ALG-SIG-EXACT", by_rsa(leaf()), [
    by_rsa(leaf(), seq(oid(RSA["sha256"]))),
    by_rsa(leaf()).set(outer_alg=seq(oid(RSA["sha256"]))),
    leaf().set(alg=seq(oid(ECDSA["sha256"]), null()),
               signature=leaf().sign(leaf().tbs()))], ruleset=TLS)
test("ALG-SIG-EXACT", by_rsa(crl_ee()), [
    by_rsa(crl_ee(), seq(oid(RSA["sha256"]))),
    crl_ee().set(alg=seq(oid(ECDSA["sha256"]), null()))], ruleset=TLS)
test("ALG-SIG-EXACT", ocsp_good(), ocsp_good().set(
    alg=seq(oid(ECDSA["sha256"]), null())), ruleset=TLS)

test = incident("an authorityKeyIdentifier of another key")
for made, other in ((tls_sub, P384B), (leaf, P256B), (responder, P256B),
                    (crl_ee, P256B)):
    test("AKI-KEYID-ONLY", made(), made().put(AKI, aki(other)), ruleset=RFC)

test = incident("an IDP that does not fit the CRL")
test("CRL-IDP-FLAGS", crl_ee().put(IDP, idp([URI], user=True), True), [
    crl_ee().put(IDP, idp([URI], ca=True), True),
    crl_ca().put(IDP, idp([URI], user=True), True),
    crl_ee().put(IDP, idp([URI], user=True, ca=True), True)], ruleset=TLS)
test("CRL-IDP-ROOT-TRAP", crl_ca(), crl_ca().put(
    IDP, idp([URI], ca=True), True), ruleset=TLS)

# ---- found by trying to get past this linter

test = incident("an issuer that may sign no certificates")
for made, by in ((leaf, tls_sub), (tls_sub, root), (responder, tls_sub),
                 (client, non_tls_sub)):
    for wrong in (by().put(BASIC_CONSTRAINTS, bc(), True),
                  by().drop(BASIC_CONSTRAINTS),
                  by().put(KEY_USAGE, ku(0, 6), True)):
        test("KU-CERTSIGN-CA", made(), made().set(parent=wrong), ruleset=RFC)
# Before version 3, nothing said so.
test("KU-CERTSIGN-CA", tls_sub().set(parent=root().set(
    version=None, extensions=[])), [], ruleset=RFC)

test = incident("for more than its issuer is for")
test("SUB-EKU-NESTED", leaf(), [
    leaf().set(parent=tls_sub().put(EXT_KEY_USAGE, eku(CLIENT_AUTH))),
    leaf().put(EXT_KEY_USAGE, eku(SERVER_AUTH, CLIENT_AUTH)),
    leaf().drop(EXT_KEY_USAGE)], ruleset=RFC, signing=True)
test("SUB-EKU-NESTED", responder(), [], ruleset=RFC, signing=True)

test = incident("names outside what an issuer may name")
mail_only = smime_ca().put(NAME_CONSTRAINTS, nc(
    [gn_mail("example.org"), gn_dir(name(("CN", "x")))]), True)
test("SAN-IN-NC", smime(), smime().set(parent=mail_only), ruleset=RFC)
swedish = root().put(NAME_CONSTRAINTS, nc([gn_dir(name(("C", "SE")))]), True)
test("SAN-IN-NC", tls_sub(), tls_sub().set(parent=swedish), ruleset=RFC)
test("SAN-IN-NC", cross().set(subject=root().subject, parent=swedish), [],
     ruleset=RFC)

test = incident("anyPolicy for a stranger")
test("POL-CA-FORM", tls_sub().put(POLICIES, cp(ANY_POLICY)), tls_sub().put(
    POLICIES, cp(ANY_POLICY)).set(subject=name(
        ("C", "NO"), ("O", "Another AS"), ("CN", "Another CA"))), ruleset=TLS)

test = incident("nocheck where it is a subscriber's")
test("EXT-OTHER-PUBLIC", leaf(), leaf().put(OCSP_NOCHECK, null()),
     ruleset=TLS)
test("EXT-OTHER-PUBLIC", smime(), smime().put(OCSP_NOCHECK, null()),
     ruleset=SMIME)

test = incident("noRevAvail beside pointers to revocation")
test("LEAF-NOREVAVAIL", leaf(), leaf().put(NO_REV_AVAIL, null()),
     ruleset=RFC)

test = incident("two answers that contradict each other")
both = ocsp_good()
both.singles = [both.singles[0], both.singles[0].copy().revoked(WHEN, 1)]
test("OCS-ONE", ocsp_good(), both, ruleset=RFC)

test = incident("octets that only one of two decoders reads")
unreadable = name(("C", "NO"), ("O", raw(0x0C, b"\xff\xfe")))
test("FLD-DER-STRICT", tls_sub(), tls_sub().set(subject=unreadable),
     ruleset=RFC)
test("LINT-FAIL-CLOSED", tls_sub(), tls_sub().set(subject=unreadable),
     ruleset=RFC)

test = incident("a CA beside another is a cross certificate unasked")
test("CROSS-EXT", cross(), cross().drop(POLICIES), ruleset=TLS)
test("CROSS-EXT", root(), [], ruleset=TLS, existing=other_root())

# ---- legal, and to be left alone

test = incident("legal by RFC 5280 and RFC 6960")
plain = ocsp_good().set(responder_id=by_name(responder().subject),
                        certs=[responder(), tls_sub()])
plain.singles[0].set(next_update=None)
plain.singles[0].revoked(WHEN, 6)
for rule in ("OCS-RESPONDERID", "OCS-CERTS", "OCS-NEXTUPDATE",
             "OCS-REASON-SET"):
    test(rule, plain, [], ruleset=RFC)
    test(rule, ocsp_good(), plain, ruleset=TLS)
for rule in ("CRL-REASON-NOHOLD", "CRL-REASON-SET"):
    test(rule, entry(6), [], ruleset=RFC)
test("NC-CRIT", tc_sub(), tc_sub().put(
    NAME_CONSTRAINTS, tc_sub().get(NAME_CONSTRAINTS).value), ruleset=RFC)
