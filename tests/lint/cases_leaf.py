"""LEAF-, SAN-, DNS-, PRE-, SM-, CS-: one bad object for each part of a rule."""
import base64
import hashlib

from keys import *  # noqa: F401,F403
from x509 import *  # noqa: F401,F403
from x509 import (ANY_EKU, ANY_POLICY, BASIC_CONSTRAINTS, CLIENT_AUTH,
                  CODE_SIGNING, CRL_POINTS, CS_POLICY, DV, EMAIL_PROTECTION,
                  EV, EXT_KEY_USAGE, FRESHEST_CRL, INFO_ACCESS, IV, KEY_USAGE,
                  NAME_CONSTRAINTS, NO_REV_AVAIL, OCSP_SIGNING, OV, OWN,
                  POISON, POLICIES, PRECERT_SIGNING, SAN, SCT_LIST,
                  SERVER_AUTH, SKI, SMIME_MAILBOX_STRICT, TIME_STAMPING, AKI,
                  aia, aki, bc, cdp, cp, cs, csr, eku, gn_dir, gn_dns,
                  gn_ip, gn_mail, gn_other, gn_rid, gn_uri, key_id, ku, leaf,
                  name, name_of_rdns, nc, octets, precert, raw, rdn, san, sct,
                  sct_list, seq, ski, smime, tls_sub, boolean, integer, null,
                  oid, printable, utf8, bits, AD_OCSP, AD_CA_ISSUERS, access)

TLS, MAIL, CODE = "cabf-tls", "cabf-smime", "cabf-cs"


def pair_each(rule, goods, bad, **options):
    """Several good objects beside the same bad ones."""
    for good in goods:
        pair(rule, good=good, bad=bad, **options)
        bad = []


def dated(start, end, base=leaf):
    return base().set(not_before=start, not_after=end)


def called(*names):
    return leaf().put(SAN, san(*names))


def asked(*names):
    return csr().put(SAN, san(*names))


# ---- LEAF-: dates -----------------------------------------------------

pair("LEAF-NOTBEFORE", ruleset=TLS, at="2026-10-11T12:00:00Z", good=leaf(),
     bad=[dated("2026-10-09T11:59:59Z", "2026-12-01T23:59:59Z"),
          dated("2026-10-13T12:00:01Z", "2026-12-01T23:59:59Z")])
pair("LEAF-NOTBEFORE", ruleset=TLS, at="2026-10-12T00:00:00Z", good=leaf(),
     bad=dated("2026-10-09T23:59:59Z", "2026-12-01T23:59:59Z"))

for start, last, over in (
        # 398, 200, 100, 47 days, both ends counted; one second more
        ("2026-03-14T23:59:59Z", "2027-04-16T23:59:58Z",
         "2027-04-16T23:59:59Z"),
        ("2026-03-15T00:00:00Z", "2026-09-30T23:59:59Z",
         "2026-10-01T00:00:00Z"),
        ("2027-03-14T23:59:59Z", "2027-09-30T23:59:58Z",
         "2027-09-30T23:59:59Z"),
        ("2027-03-15T00:00:00Z", "2027-06-22T23:59:59Z",
         "2027-06-23T00:00:00Z"),
        ("2029-03-14T23:59:59Z", "2029-06-22T23:59:58Z",
         "2029-06-22T23:59:59Z"),
        ("2029-03-15T00:00:00Z", "2029-04-30T23:59:59Z",
         "2029-05-01T00:00:00Z")):
    pair("LEAF-LIFE", ruleset=TLS, good=dated(start, last),
         bad=dated(start, over))
pair("LEAF-LIFE", ruleset=TLS, good=precert(),
     bad=dated("2026-10-10T00:00:00Z", "2027-10-09T23:59:59Z", precert))

for start, last, over in (
        ("2026-03-15T00:00:00Z", "2026-09-29T23:59:59Z",
         "2026-09-30T00:00:00Z"),
        ("2027-03-15T00:00:00Z", "2027-06-21T23:59:59Z",
         "2027-06-22T00:00:00Z"),
        ("2029-03-15T00:00:00Z", "2029-04-29T23:59:59Z",
         "2029-04-30T00:00:00Z")):
    pair("LEAF-LIFE-MARGIN", ruleset=TLS, good=dated(start, last),
         bad=dated(start, over))

# RFC 9608
unrevoked = leaf().drop(CRL_POINTS).put(NO_REV_AVAIL, null())
pair("LEAF-NOREVAVAIL", ruleset="private", good=unrevoked, bad=[
    unrevoked.copy().put(NO_REV_AVAIL, null(), True),
    unrevoked.copy().put(NO_REV_AVAIL, seq()),
    unrevoked.copy().put(CRL_POINTS, cdp("http://ca.example.org/1.crl")),
    unrevoked.copy().put(FRESHEST_CRL, cdp("http://ca.example.org/1.crl")),
    unrevoked.copy().put(INFO_ACCESS, aia("http://ca.example.org/1.cer",
                                          "http://ocsp.example.org/"))])
pair("LEAF-NOREVAVAIL", ruleset="private", good=unrevoked, kind="leaf",
     bad=unrevoked.copy().put(BASIC_CONSTRAINTS, bc(True), True))


# ---- LEAF-: subjects --------------------------------------------------

def dv(*pairs_):
    return leaf().set(subject=name(*pairs_)).put(POLICIES, cp(DV))


def ov(*pairs_):
    return leaf().set(subject=name(*pairs_))


def iv(*pairs_):
    return leaf().set(subject=name(*pairs_)).put(POLICIES, cp(IV))


pair("LEAF-DV-SUBJECT", ruleset=TLS,
     good=dv(("C", "NO"), ("CN", "www.example.com")),
     bad=[dv(("C", "NO"), (kind, "Example"))
          for kind in ("O", "L", "ST", "OU", "GN", "SN", "serialNumber",
                       "postalCode", "street", "DC", "title", OWN + ".1")])
pair("LEAF-DV-SUBJECT", ruleset=TLS, bad=dv(("O", "Example")),
     good=dv().put(SAN, san("www.example.com"), True))

C, ST, L, O = ("C", "NO"), ("ST", "Viken"), ("L", "Oslo"), ("O", "Example AS")
pair_each("LEAF-OV-SUBJECT", (ov(C, ST, L, O), ov(C, L, O), ov(C, ST, O),
             ov(("DC", "com"), ("DC", "example"), C, L, O)),
    ruleset=TLS,
    bad=[
        ov(ST, O), ov(C, ST), ov(C, O),
        ov(C, L, O, ("SN", "Berg")), ov(C, L, O, ("GN", "Kari")),
        ov(C, L, O, ("OU", "Shop")),
        ov(("DC", "example"), ("DC", "com"), C, L, O)])
# Discouraged: a warning.
pair("LEAF-OV-SUBJECT", ruleset=TLS, good=ov(C, L, O), bad=[
    ov(C, L, ("postalCode", "0150"), O), ov(C, L, ("street", "Gata 1"), O),
    ov(C, L, O, ("title", "Dr"))])

SN, GN = ("SN", "Berg"), ("GN", "Kari")
pair("LEAF-IV-SUBJECT", ruleset=TLS, good=iv(C, L, SN, GN), bad=[
    iv(L, SN, GN), iv(C, SN, GN), iv(C, L, GN), iv(C, L, SN),
    iv(C, L, SN, GN, ("OU", "Shop")), iv(C, L, O, SN, GN),
    iv(C, L, ("postalCode", "0150"), SN, GN),
    iv(C, L, ("street", "Gata 1"), SN, GN)])

CATEGORY = ("businessCategory", "Private Organization")
JURISDICTION, NUMBER = ("jurisdictionC", "NO"), ("serialNumber", "914778271")
ORG_ID = "2.23.140.3.1"


def ev(*pairs_):
    return leaf().set(subject=name(*pairs_)).put(POLICIES, cp(EV))


def org_id(scheme="NTR", country="NO", reference="914778271", state=None):
    return seq(printable(scheme), printable(country),
               raw(0x80, state.encode()) if state else b"", utf8(reference))


EV_SUBJECT = (C, L, O, CATEGORY, JURISDICTION, NUMBER)


def ev_with(value, extension=None, critical=False):
    obj = ev(*EV_SUBJECT, ("organizationIdentifier", value))
    return obj.put(ORG_ID, extension, critical) if extension else obj


def without(row):
    return ev(*(r for r in EV_SUBJECT if r != row))


pair("LEAF-EV-SUBJECT", ruleset=TLS, good=ev(*EV_SUBJECT), bad=[
    without(O), without(CATEGORY), without(JURISDICTION), without(NUMBER),
    without(C), without(L),
    ev(*(r if r != CATEGORY else ("businessCategory", "Shop")
         for r in EV_SUBJECT)),
    ev(*EV_SUBJECT, ("OU", "Shop")), ev(*EV_SUBJECT, ("title", "Dr")),
    ev(*EV_SUBJECT, GN), ev(*EV_SUBJECT, ("DC", "com")),
    ev(*EV_SUBJECT).put(SAN, san("*.example.com")),
    ev(*EV_SUBJECT).put(SAN, san("www.example.com",
                                 gn_ip([8, 8, 8, 8])))])
for category in ("Government Entity", "Business Entity",
                 "Non-Commercial Entity"):
    pair("LEAF-EV-SUBJECT", ruleset=TLS,
         good=ev(*(r if r != CATEGORY else ("businessCategory", category)
                   for r in EV_SUBJECT)),
         bad=ev(*(r if r != CATEGORY else ("businessCategory",
                                           category.lower())
                  for r in EV_SUBJECT)))
pair("LEAF-EV-SUBJECT", ruleset=TLS,
     good=ev_with("NTRNO-914778271", org_id()), bad=[
         ev_with("NTRNO-914778271"),
         ev_with("914778271", org_id()),
         ev_with("NTRNO", org_id()),
         ev_with("LEIXG-914778271", org_id("LEI", "XG")),
         ev_with("VATNO+CA-914778271", org_id("VAT", state="CA")),
         ev_with("NTRNO-914778271", org_id(scheme="VAT")),
         ev_with("NTRNO-914778271", org_id(country="SE")),
         ev_with("NTRNO-914778271", org_id(reference="914778272")),
         ev_with("NTRNO-914778271", org_id(state="CA")),
         ev_with("NTRNO-914778271", seq(printable("NTR")))])
pair("LEAF-EV-SUBJECT", ruleset=TLS,
     good=ev_with("NTRUS+CA-C0806592", org_id("NTR", "US", "C0806592", "CA")),
     bad=ev_with("NTRUS+CA-C0806592", org_id("NTR", "US", "C0806592")))

pair("LEAF-NO-OU", ruleset=TLS, good=leaf(),
     bad=ov(C, L, O, ("OU", "Shop")))

named = ov(C, L, O, ("CN", "www.example.com"))
pair("LEAF-CN-SAN", ruleset=TLS, good=leaf(), bad=[
    named, ov(C, L, O, ("CN", "www.example.org")),
    ov(C, L, O, ("CN", "WWW.example.com")),
    ov(C, L, O, ("CN", "www.example.com"), ("CN", "www.example.com"))])

pair("LEAF-META", ruleset=TLS, good=leaf(), bad=[
    ov(C, ("ST", value), L, O)
    for value in ("-", ".", " ", "- -", "N/A", "not applicable")])

# ---- LEAF-: extensions ------------------------------------------------

for purpose in (CODE_SIGNING, EMAIL_PROTECTION, TIME_STAMPING, ANY_EKU,
                PRECERT_SIGNING, OWN + ".2"):
    pair("LEAF-EKU", ruleset=TLS, good=leaf(),
         bad=leaf().put(EXT_KEY_USAGE, eku(SERVER_AUTH, purpose)))
pair("LEAF-EKU", ruleset=TLS, kind="leaf", good=leaf(), bad=[
    leaf().put(EXT_KEY_USAGE, eku(SERVER_AUTH, OCSP_SIGNING)),
    leaf().drop(EXT_KEY_USAGE), leaf().put(EXT_KEY_USAGE, eku(CLIENT_AUTH))])
both = leaf().put(EXT_KEY_USAGE, eku(SERVER_AUTH, CLIENT_AUTH))
pair("LEAF-EKU", ruleset=TLS, good=both,
     bad=both.copy().set(not_before="2027-03-15T00:00:00Z",
                         not_after="2027-04-15T00:00:00Z"))
pair("LEAF-EKU", ruleset=TLS, signing=True, good=leaf(), bad=both)

rsa_leaf = leaf().set(key=RSA2048A).put(KEY_USAGE, ku(0, 2), True)


def usage(base, *positions, critical=True):
    return base.copy().put(KEY_USAGE, ku(*positions), critical)


pair_each("LEAF-KU-RSA", [usage(rsa_leaf, *positions)
          for positions in ((0,), (0, 2))],
    ruleset=TLS,
    bad=[
        usage(rsa_leaf, 0, critical=False), usage(rsa_leaf, 1),
        usage(rsa_leaf, 0, 1), usage(rsa_leaf, 0, 4), usage(rsa_leaf, 0, 5),
        usage(rsa_leaf, 0, 6), usage(rsa_leaf, 0, 7), usage(rsa_leaf, 0, 8),
        usage(rsa_leaf),
        # discouraged: warnings
        usage(rsa_leaf, 2), usage(rsa_leaf, 0, 3)])
pair("LEAF-KU-EC", ruleset=TLS, good=leaf(), bad=[
    usage(leaf(), 0, critical=False), usage(leaf(), 4), usage(leaf()),
    *(usage(leaf(), 0, n) for n in (1, 2, 3, 4, 5, 6, 7, 8))])
pair("LEAF-KU-PRESENT", ruleset=TLS, good=leaf(),
     bad=leaf().drop(KEY_USAGE))
pair_each("LEAF-BC", (leaf(), leaf().drop(BASIC_CONSTRAINTS)),
    ruleset=TLS,
    bad=[
        leaf().put(BASIC_CONSTRAINTS, bc()),
        leaf().put(BASIC_CONSTRAINTS, seq(boolean(False)), True),
        leaf().put(BASIC_CONSTRAINTS, seq(integer(0)), True)])
pair_each("LEAF-CP", [leaf().put(POLICIES, good)
          for good in (cp(DV), cp(OV, OWN + ".3"), cp(EV))],
    ruleset=TLS,
    bad=[
        leaf().drop(POLICIES), leaf().put(POLICIES, cp(OV), True),
        leaf().put(POLICIES, cp(DV, OV)), leaf().put(POLICIES, cp(OWN)),
        leaf().put(POLICIES, cp(OV, ANY_POLICY)),
        leaf().put(POLICIES, cp(OV, SMIME_MAILBOX_STRICT)),
        leaf().put(POLICIES, cp(OV, CS_POLICY)),
        leaf().put(POLICIES, b"\x30\x05")])
pair("LEAF-AIA", ruleset=TLS, good=leaf(), bad=[
    leaf().drop(INFO_ACCESS),
    leaf().drop(INFO_ACCESS).set(not_before="2026-10-03T23:59:59Z"),
    leaf().put(INFO_ACCESS, aia(None, "http://ocsp.example.org/")),
    leaf().put(INFO_ACCESS, aia("https://ca.example.org/1.cer"))])

bare = leaf().drop(CRL_POINTS)
week = bare.copy().set(not_after="2026-10-16T23:59:59Z")
pair("LEAF-CRLDP", ruleset=TLS, good=week, bad=[
    bare, week.copy().set(not_after="2026-10-17T00:00:00Z")])
pair("LEAF-CRLDP", ruleset=TLS, bad=bare,
     good=bare.copy().put(INFO_ACCESS, aia("http://ca.example.org/1.cer",
                                           "http://ocsp.example.org/")))
# Ten days, until 2026-03-15.
pair("LEAF-CRLDP", ruleset=TLS,
     good=bare.copy().set(not_before="2026-03-01T00:00:00Z",
                          not_after="2026-03-10T23:59:59Z"),
     bad=bare.copy().set(not_before="2026-03-01T00:00:00Z",
                         not_after="2026-03-11T00:00:00Z"))
pair("LEAF-SKI", ruleset=TLS, good=leaf(), bad=leaf().put(SKI, ski(P256E)))


def scts(*rows):
    return leaf().put(SCT_LIST, sct_list(*rows))


ONE, TWO, THREE = sct("log one"), sct("log two"), sct("log three")
LONG = "2027-04-09T23:59:59Z"  # 182 days
pair("LEAF-SCT", ruleset=TLS, good=scts(ONE, TWO), bad=[
    leaf().put(SCT_LIST, sct_list(ONE, TWO), True), scts(), scts(ONE),
    scts(ONE, ONE), scts(ONE, b"\x01" + TWO[1:]), scts(ONE, TWO[:-1]),
    scts(ONE, TWO + b"\x00"), scts(ONE, TWO[:40]),
    leaf().put(SCT_LIST, octets(b"\x00\x05\x00\x01")),
    leaf().put(SCT_LIST, null()),
    scts(ONE, TWO).set(not_after=LONG)])
pair("LEAF-SCT", ruleset=TLS, good=scts(ONE, TWO, THREE).set(not_after=LONG),
     bad=scts(ONE, TWO, TWO).set(not_after=LONG))

# ---- SAN- -------------------------------------------------------------

pair_each("SAN-PRESENT", (leaf(), called(gn_ip([8, 8, 8, 8]))),
    ruleset=TLS,
    bad=[
        leaf().drop(SAN), called(gn_mail("a@example.com")),
        leaf().put(SAN, seq()), leaf().put(SAN, null())])
nobody = leaf().set(subject=name()).put(POLICIES, cp(DV))
pair("SAN-CRIT", ruleset=TLS,
     good=nobody.copy().put(SAN, san("www.example.com"), True), bad=nobody)
pair("SAN-CRIT", ruleset=TLS, good=leaf(),
     bad=leaf().put(SAN, san("www.example.com"), True))
pair("SAN-CRIT", ruleset="rfc5280", good=leaf(),
     bad=[nobody, leaf().put(SAN, san("www.example.com"), True)])
for other in (gn_mail("a@example.com"), gn_uri("http://www.example.com/"),
              gn_dir(name(("CN", "x"))), gn_rid(OWN),
              gn_other(OWN, utf8("x")), raw(0xA3, b""), raw(0xA5, b"")):
    pair("SAN-TYPES", ruleset=TLS, good=called("www.example.com",
                                               gn_ip([8, 8, 8, 8])),
         bad=called("www.example.com", other))
pair("SAN-NO-DUP", good=called("a.example.com", "b.example.com",
                               gn_ip([8, 8, 8, 8]), gn_ip([8, 8, 4, 4])),
     bad=[called("a.example.com", "b.example.com", "a.example.com"),
          called("a.example.com", "A.example.com"),
          called(gn_ip([8, 8, 8, 8]), "a.example.com",
                 gn_ip([8, 8, 8, 8]))])


# ---- DNS- -------------------------------------------------------------

def dns(rule, good, bad, ruleset=TLS):
    """Names in a certificate and in a request."""
    for make in (called, asked):
        if make is asked and rule == "DNS-NOT-REDACTED":
            continue
        pair(rule, ruleset=ruleset, good=make(*good),
             bad=[make(item) for item in bad])


L63 = "a" * 63
FULL = ".".join([L63, L63, L63, "a" * 49, "example.com"])  # 253 octets
assert len(FULL) == 253
for rules_ in (TLS, "rfc5280"):
    dns("DNS-SYNTAX", ["www.example.com", L63 + ".example.com", FULL,
                       "*.example.com", "1-1.example.com", "WWW.Example.COM",
                       "xn--bcher-kva.example.com"],
        ["", L63 + "a.example.com", "a" + FULL, "-a.example.com",
         "a-.example.com", "a..example.com", "www.example.com.",
         ".example.com", "a\0.example.com", "a b.example.com",
         " a.example.com", "b\xfccher.example.com", "a_b.example.com",
         "a@example.com", "http://example.com", "a*.example.com",
         "a?.example.com"], rules_)
dns("DNS-LDH", ["www.example.com", "xn--bcher-kva.example.com",
                "XN--BCHER-KVA.example.com", "a-b--c.example.com",
                "www.xn--fiqs8s"],
    ["ab--c.example.com", "xn--.example.com", "xn--abc-.example.com",
     "xn--bcher-kv.example.com", "xn--zz99zzz9.example.com",
     # IDNA2008 has neither symbols nor what is not NFC
     "xn--ls8h.example.com", "xn--u-ccb.example.com",
     "www.xn--a.example.com"])
dns("DNS-NO-UNDERSCORE", ["a-b.example.com"],
    ["a_b.example.com", "_dmarc.example.com", "*._x.example.com"])
dns("DNS-WILDCARD-FORM", ["*.example.com", "www.example.com"],
    ["*", "*.", "f*.example.com", "*f.example.com", "*.*.example.com",
     "www.*.example.com", "*example.com", "www.example.*"])
dns("DNS-WILDCARD-PSL", ["*.example.com", "*.example.co.uk", "*.github.io",
                         "*.www.ck", "*.city.kawasaki.jp"],
    ["*.com", "*.co.uk", "*.ck", "*.foo.ck", "*.kawasaki.jp",
     "*.x.kawasaki.jp", "*.CO.UK", "*.xn--p1ai"])
dns("DNS-NOT-BARE-SUFFIX", ["example.com", "github.io", "*.com"],
    ["com", "co.uk", "CO.UK", "xn--p1ai", "foo.ck"])
dns("DNS-TLD", ["www.example.com", "*.example.com", "example.xn--p1ai",
                "www.example.ck", "example.ORG"],
    # ap.gbl: nobody ever delegated gbl
    ["www.ap.gbl", "ap.gbl", "server.local", "host.internal", "localhost",
     "server", "a.corp", "a.home", "a.lan", "www.example.test",
     "www.example.invalid", "*.gbl", "com", "10.0.0.1",
     "www.xn--zz99zzz9"])


def onion(key=bytes(range(32)), version=3, spoil=False):
    check = hashlib.sha3_256(b".onion checksum" + key
                             + bytes([version])).digest()[:2]
    if spoil:
        check = bytes([check[0] ^ 1, check[1]])
    label = base64.b32encode(key + check + bytes([version]))
    return label.decode().lower() + ".onion"


dns("DNS-ONION", [onion(), "www." + onion(), "*." + onion(),
                  onion().upper(), "www.example.com"],
    [onion(spoil=True), onion(version=2), onion()[1:], "a" + onion(),
     "facebookcorewwwi.onion", "www.onion", "onion",
     "1" + onion()[1:], "www." + onion(spoil=True)])
dns("DNS-ARPA", ["arpa.example.com", "xin-addr.example.com"],
    ["1.0.0.127.in-addr.arpa", "1.ip6.arpa", "IN-ADDR.ARPA", "e164.arpa",
     "home.arpa", "*.10.in-addr.arpa"])
reverse = called("8.8.8.8.in-addr.arpa")
pair("DNS-ARPA", ruleset=TLS, bad=reverse,
     good=reverse.copy().set(not_before="2026-03-14T23:59:59Z"))
dns("DNS-NOT-REDACTED", ["www.example.com"],
    ["?.example.com", "?.?.example.com"])


def v6(text):
    import ipaddress
    return gn_ip(ipaddress.IPv6Address(text).packed)


for make_ in (called, asked):
    pair("SAN-IP", ruleset=TLS,
         good=make_(gn_ip([8, 8, 8, 8]), v6("2606:4700::1111")), bad=[
             make_(gn_ip([8, 8, 8])), make_(gn_ip(b"8.8.8.8")),
             make_(gn_ip([8, 8, 8, 8, 255, 255, 255, 255])),
             make_(gn_ip([10, 0, 0, 1])), make_(gn_ip([192, 168, 1, 1])),
             make_(gn_ip([127, 0, 0, 1])), make_(gn_ip([192, 0, 2, 1])),
             make_(gn_ip([100, 64, 0, 1])), make_(v6("::1")),
             make_(v6("fe80::1")), make_(v6("fc00::1")),
             make_(v6("2001:db8::1")), make_(v6("::ffff:8.8.8.8"))])

bound = tls_sub().put(NAME_CONSTRAINTS, nc(
    permitted=[gn_dns("example.com"), gn_ip([8, 8, 0, 0, 255, 255, 0, 0])],
    excluded=[gn_dns("secret.example.com"), gn_ip(bytes(32))]), True)
pair("SAN-IN-NC", ruleset="rfc5280", issuer=bound,
     good=called("www.example.com", gn_ip([8, 8, 8, 8])), bad=[
         called("www.example.org"), called("notexample.com"),
         called("www.example.com", "a.secret.example.com"),
         called("www.example.com", gn_ip([8, 9, 8, 8])),
         called("www.example.com", v6("2606:4700::1111"))])
people = tls_sub().put(NAME_CONSTRAINTS, nc(
    permitted=[gn_dir(name(C, L, ("O", "Example Shop AS")))]), True)
pair("SAN-IN-NC", ruleset="rfc5280", issuer=people, good=leaf(),
     bad=ov(C, L, ("O", "Other AS")))

# ---- PRE- -------------------------------------------------------------

pair("PRE-POISON", ruleset=TLS, good=precert(), bad=[
    precert().put(POISON, null()), precert().put(POISON, seq(), True),
    precert().put(POISON, b"", True),
    precert().put(SCT_LIST, sct_list(ONE, TWO))])
pair("PRE-POISON", ruleset=TLS, kind="precert", good=precert(), bad=leaf())

swapped = precert()
swapped.extensions[0], swapped.extensions[1] = \
    swapped.extensions[1], swapped.extensions[0]
for one, other in ((leaf, precert), (precert, leaf)):
    pair("PRE-MATCH", ruleset=TLS, existing=other(), good=one(), bad=[
        one().set(serial=77), one().set(subject=name(C, ST, O)),
        one().set(not_after="2027-01-07T23:59:58Z"),
        one().set(key=P256F), one().put(KEY_USAGE, ku(0, 4), True),
        one().drop(BASIC_CONSTRAINTS), one().put(SKI, ski(P256E)),
        one().set(alg=P384A.alg, outer_alg=P384A.alg, signature=b"x"),
        other()])
pair("PRE-MATCH", ruleset=TLS, existing=swapped, good=swapped.copy().drop(
    POISON).put(SCT_LIST, sct_list(ONE, TWO)), bad=leaf())

helper = tls_sub().put(EXT_KEY_USAGE, eku(SERVER_AUTH, PRECERT_SIGNING))
for start in ("2026-10-10T00:00:00Z", "2026-03-15T00:00:00Z"):
    pair("PRE-DIRECT", ruleset=TLS, issuer=helper,
         good=precert().set(not_before="2026-03-14T23:59:59Z"),
         bad=precert().set(not_before=start))

# ---- SM- --------------------------------------------------------------

MAILBOX, ORGANIZATION, SPONSOR, INDIVIDUAL = 1, 2, 3, 4
LEGACY, MULTI, STRICT = 1, 2, 3


def sm_policy(kind, generation):
    return "2.23.140.1.5.%d.%d" % (kind, generation)


def sm(kind, generation, *pairs_):
    return smime().set(subject=name(*pairs_)).put(
        POLICIES, cp(sm_policy(kind, generation)))


def sm_as(generation, base=smime):
    return base().put(POLICIES, cp(sm_policy(MAILBOX, generation)))


pair("SM-GEN", ruleset=MAIL, good=sm_as(MULTI), bad=[
    sm_as(LEGACY), smime().drop(POLICIES), smime().put(POLICIES, cp(OWN)),
    smime().put(POLICIES, cp(sm_policy(1, 2), sm_policy(1, 3))),
    smime().put(POLICIES, cp("2.23.140.1.5.5.3")),
    smime().put(POLICIES, cp("2.23.140.1.5.1.4"))])
pair("SM-GEN", ruleset=MAIL, bad=sm_as(LEGACY).set(
    not_before="2025-07-15T00:00:00Z"), good=sm_as(LEGACY).set(
        not_before="2025-07-14T23:59:59Z"))
pair("SM-LIFE", ruleset=MAIL, good=smime().set(
    not_after="2029-01-11T23:59:59Z"), bad=smime().set(
        not_after="2029-01-12T00:00:00Z"))
for purpose in (SERVER_AUTH, CODE_SIGNING, TIME_STAMPING, ANY_EKU):
    for generation in (MULTI, STRICT):
        pair("SM-EKU", ruleset=MAIL, kind="smime", good=sm_as(generation),
             bad=sm_as(generation).put(EXT_KEY_USAGE, eku(
                 EMAIL_PROTECTION, purpose)))
with_client = eku(EMAIL_PROTECTION, CLIENT_AUTH)
pair("SM-EKU", ruleset=MAIL, kind="smime",
     good=sm_as(MULTI).put(EXT_KEY_USAGE, with_client), bad=[
         smime().put(EXT_KEY_USAGE, with_client),
         smime().drop(EXT_KEY_USAGE),
         smime().put(EXT_KEY_USAGE, eku(CLIENT_AUTH))])
with_own = sm_as(MULTI).put(EXT_KEY_USAGE, eku(EMAIL_PROTECTION, OWN + ".2"))
late = {"not_before": "2027-07-01T00:00:00Z",
        "not_after": "2028-07-01T00:00:00Z"}
pair("SM-EKU", ruleset=MAIL, good=with_own, bad=with_own.copy().set(**late))
pair("SM-EKU", ruleset=MAIL, bad=with_own.copy().set(**late),
     good=sm_as(MULTI).put(EXT_KEY_USAGE, with_client).set(**late))

sm_rsa = smime().set(key=RSA2048A)
sm_rsa_multi = sm_as(MULTI).set(key=RSA2048A)
pair_each("SM-KU", [usage(sm_rsa, *positions)
          for positions in ((0,), (0, 1), (2,), (0, 2), (0, 1, 2))],
    ruleset=MAIL,
    bad=[
        usage(sm_rsa, 1), usage(sm_rsa, 3), usage(sm_rsa, 0, 3),
        usage(sm_rsa, 2, 3), usage(sm_rsa, 0, 4), usage(sm_rsa, 0, 5),
        usage(sm_rsa, 0, 6), usage(sm_rsa, 1, 2), usage(sm_rsa),
        usage(sm_rsa, 0, critical=False), sm_rsa.copy().drop(KEY_USAGE)])
pair("SM-KU", ruleset=MAIL, good=usage(sm_rsa_multi, 0, 2, 3),
     bad=usage(sm_rsa_multi, 0, 3))
pair_each("SM-KU", [usage(smime(), *positions)
          for positions in ((0,), (0, 1), (4,), (0, 4), (4, 7), (0, 1, 4, 8))],
    ruleset=MAIL,
    bad=[
        usage(smime(), 1), usage(smime(), 0, 2), usage(smime(), 0, 3),
        usage(smime(), 0, 7), usage(smime(), 0, 8), usage(smime(), 1, 4),
        usage(smime(), 0, 5)])
sm_ed = smime().set(key=ED25519A)
pair("SM-KU", ruleset=MAIL, good=usage(sm_ed, 0, 1), bad=[
    usage(sm_ed, 1), usage(sm_ed, 0, 2), usage(sm_ed, 0, 4)])

UTF8_MAILBOX = "1.3.6.1.5.5.7.8.9"


def mail(*names, subject=(), critical=False, base=smime):
    return base().set(subject=name(*subject)).put(
        SAN, san(*names), critical or not subject)


def mailbox(text):
    return mail(gn_mail(text))


def mailbox8(text, **more):
    return mail(gn_other(UTF8_MAILBOX, utf8(text)), **more)


pair_each("SM-SAN", [mailbox(address)
          for address in ("alice@example.com", "a.b+c@example.com",
                '"a b"@example.com', '"a\\"@b"@example.com',
                "x!#$%&'*/=?^_`{|}~-@example.com")],
    ruleset=MAIL,
    bad=[
        mailbox(wrong) for wrong in (
            "alice", "@example.com", "alice@", "alice@example.com ",
            " alice@example.com", "Alice <alice@example.com>",
            "a..b@example.com", ".a@example.com", "a.@example.com",
            "a b@example.com", "a@b@example.com", "\xe5se@example.com",
            "alice@server", "alice@ap.gbl", "alice@-example.com",
            "alice@exa_mple.com", "alice@*.example.com", "alice@[8.8.8.8]",
            "alice@example.com,bob@example.com", '"a@example.com',
            "a" * 65 + "@example.com", "a\0@example.com")])
pair("SM-SAN", ruleset=MAIL, good=mailbox8("\u00e5se@example.com"), bad=[
    mailbox8("ase@example.com"), mailbox8("\u00e5se"),
    mailbox8("\ufeff\u00e5se@example.com"), mailbox8("\u00e5se@ap.gbl"),
    mailbox8("\u00e5se@b\u00fccher.example.com"),
    mail(gn_other(UTF8_MAILBOX, printable("x@example.com"))),
    mail(gn_other(UTF8_MAILBOX, raw(0x0C, b"\xff@example.com")))])
ALICE = gn_mail("alice@example.com")
pair("SM-SAN", ruleset=MAIL, good=mail(ALICE, gn_dir(name(
    ("emailAddress", "alice@example.com")))), bad=[
        smime().drop(SAN), smime().put(SAN, seq()),
        smime().put(SAN, san("www.example.com")),
        mail(ALICE, gn_uri("http://www.example.com/")), mail(ALICE, gn_rid(
            OWN)), mail(ALICE, gn_ip([8, 8, 8, 8])),
        mail(ALICE, gn_other(OWN, utf8("x"))),
        mail(ALICE, gn_dir(name(("CN", "bob@example.com")))),
        mail(ALICE, raw(0xA4, b"\x30\x03\x31\x01\x00")),
        mail(ALICE, subject=[("CN", "alice@example.com")], critical=True),
        smime().set(subject=name()),
        mail(ALICE, subject=[("CN", "bob@example.com")]),
        mail(ALICE, subject=[("emailAddress", "bob@example.com")]),
        mail(ALICE, subject=[("serialNumber", printable("bob@example.com"))]),
        mail(ALICE, subject=[("emailAddress",
                              "alice@example.com, bob@example.com")])])
pair("SM-SAN", ruleset=MAIL, bad=mail(ALICE, gn_other(OWN, utf8("x"))),
     good=mail(ALICE, gn_other(OWN, utf8("x")),
               base=lambda: sm_as(MULTI)))

HTTP, LDAP = "http://ca.example.org/1.crl", "ldap://ca.example.org/1.crl"
pair("SM-CRLDP", ruleset=MAIL, good=smime(), bad=[
    smime().drop(CRL_POINTS), smime().put(CRL_POINTS, cdp(LDAP)),
    smime().put(CRL_POINTS, cdp(HTTP, LDAP)),
    smime().put(CRL_POINTS, cdp("https://ca.example.org/1.crl")),
    smime().put(CRL_POINTS, cdp(HTTP, gn_dir(name(("CN", "x"))))),
    sm_as(LEGACY).put(CRL_POINTS, cdp(LDAP))])
pair("SM-CRLDP", ruleset=MAIL, bad=smime().put(CRL_POINTS, cdp(HTTP, LDAP)),
     good=sm_as(LEGACY).put(CRL_POINTS, cdp(HTTP, LDAP)))
CER = "http://ca.example.org/1.cer"
pair("SM-AIA", ruleset=MAIL, good=smime().put(
    INFO_ACCESS, aia(CER, "http://ocsp.example.org/")), bad=[
        smime().drop(INFO_ACCESS),
        smime().put(INFO_ACCESS, aia(None, "http://ocsp.example.org/")),
        smime().put(INFO_ACCESS, aia("https://ca.example.org/1.cer")),
        smime().put(INFO_ACCESS, aia(CER, "https://ocsp.example.org/")),
        smime().put(INFO_ACCESS, aia("ldap://ca.example.org/1.cer")),
        smime().put(INFO_ACCESS, seq(access(AD_CA_ISSUERS, gn_dir(name())))),
        smime().put(INFO_ACCESS, aia("http://ca.local/1.cer")),
        smime().put(INFO_ACCESS, null()),
        sm_as(LEGACY).put(INFO_ACCESS, aia("ldap://ca.example.org/1.cer"))])
pair("SM-AIA", ruleset=MAIL, good=sm_as(LEGACY).put(INFO_ACCESS, seq(
    access(AD_CA_ISSUERS, CER),
    access(AD_CA_ISSUERS, "ldap://ca.example.org/1.cer"))),
     bad=sm_as(LEGACY).put(INFO_ACCESS, aia(
         CER, "ldap://ocsp.example.org/")))
KEYID = raw(0x80, key_id(P384D))
pair("SM-AKI", ruleset=MAIL, good=smime(), bad=[
    smime().drop(AKI), smime().put(AKI, aki(P384D), True),
    smime().put(AKI, seq()),
    smime().put(AKI, seq(KEYID, raw(0xA1, gn_dir(name(C))),
                         raw(0x82, b"\x01")))])

CN = ("CN", "alice@example.com")
MAILS = ("emailAddress", "alice@example.com")
pair("SM-SUBJECT", ruleset=MAIL, good=sm(MAILBOX, STRICT, (
    "serialNumber", "17"), CN, MAILS), bad=[
        sm(MAILBOX, STRICT, row, CN)
        for row in (C, L, ST, O, SN, GN, ("OU", "Shop"), ("title", "Dr"),
                    ("pseudonym", "Ali"), ("street", "Gata 1"),
                    ("postalCode", "0150"), ("DC", "com"),
                    ("organizationIdentifier", "NTRNO-914778271"))])
pair("SM-SUBJECT", ruleset=MAIL, good=sm(MAILBOX, STRICT, CN), bad=[
    sm(MAILBOX, STRICT, ("CN", "Alice")), sm(MAILBOX, LEGACY, ("CN", "Al")),
    sm(MAILBOX, STRICT, ("CN", raw(0x04, b"x"))),
    sm(MAILBOX, STRICT, ("serialNumber", "-"), CN)])
ID = ("organizationIdentifier", "NTRNO-914778271")
ORG = (C, O, ID)
pair_each("SM-SUBJECT", [sm(ORGANIZATION, STRICT,
                                             *ORG, *extra)
    for extra in ((), (("CN", "Example AS"),), (CN,), (L,), (ST,),
              (("OU", "Example Shop AS"),))],
    ruleset=MAIL,
    bad=[
        sm(ORGANIZATION, STRICT, C, O), sm(ORGANIZATION, STRICT, C, ID),
        sm(ORGANIZATION, STRICT, *ORG, ("CN", "Other AS")),
        sm(ORGANIZATION, STRICT, *ORG, SN),
        sm(ORGANIZATION, STRICT, *ORG, GN),
        sm(ORGANIZATION, STRICT, *ORG, ("pseudonym", "Ali")),
        sm(ORGANIZATION, STRICT, *ORG, ("title", "Dr")),
        sm(ORGANIZATION, STRICT, *ORG, L, ("street", "Gata 1")),
        sm(ORGANIZATION, STRICT, *ORG, L, ("postalCode", "0150")),
        sm(ORGANIZATION, MULTI, *ORG, ("DC", "com")),
        sm(ORGANIZATION, MULTI, *ORG, ("street", "Gata 1")),
        sm(ORGANIZATION, MULTI, O, ID, L)])
pair("SM-SUBJECT", ruleset=MAIL,
     good=sm(ORGANIZATION, MULTI, C, L, ("postalCode", "0150"),
             ("street", "Gata 1"), O, ID),
     bad=sm(ORGANIZATION, MULTI, C, ("postalCode", "0150"), O, ID))
pair("SM-SUBJECT", ruleset=MAIL,
     good=sm(ORGANIZATION, LEGACY, *ORG, ("DC", "com")),
     bad=sm(ORGANIZATION, LEGACY, C, O, ("DC", "com")))
for value, wrong in (
        ("NTRUS+CA-12345678", "NTRUS+CALI-12345678"),
        ("VATDE-123456789", "VATDE+BE-123456789"),
        ("PSDBE-NBB-1234.567.890", "PSDBE"),
        ("GOVUS+CA", "GOVUS-123"), ("INTXG", "INTUS"),
        ("LEIXG-5493001KJTIIGC8Y1R12", "LEIXG-5493001KJTIIGC8Y1R13"),
        ("LEIXG-5493001KJTIIGC8Y1R12", "LEIUS-5493001KJTIIGC8Y1R12"),
        ("GOVNO", "GOVXG"), ("NTRNO-1", "NTR"), ("NTRNO-1", "ntrno-1"),
        ("NTRNO-1", "ABCNO-1"), ("NTRNO-1", "NTRNO-"),
        ("NTRNO-1", "NTRNO+-1"), ("NTRNO-1", "NTRNO1")):
    pair("SM-SUBJECT", ruleset=MAIL,
         good=sm(ORGANIZATION, STRICT, O, ("organizationIdentifier", value)),
         bad=sm(ORGANIZATION, STRICT, O, ("organizationIdentifier", wrong)))
pair("SM-SUBJECT", ruleset=MAIL, good=sm(ORGANIZATION, STRICT, *ORG),
     bad=sm(ORGANIZATION, STRICT, ("C", "SE"), O, ID))
ALIAS = ("pseudonym", "Ali")
for person, org in ((SPONSOR, ORG), (INDIVIDUAL, (C,))):
    pair_each("SM-SUBJECT", [sm(person, STRICT, *org,
                                                 *extra)
    for extra in ((SN, GN), (SN,), (GN,), (ALIAS,),
                  (SN, GN, ("CN", "Kari Berg")), (ALIAS, ("CN", "Ali")),
                  (ALIAS, CN), (SN, ("title", "Dr")))],
        ruleset=MAIL,
        bad=[
            sm(person, STRICT, *org), sm(person, STRICT, *org, CN),
            sm(person, STRICT, *org, SN, ALIAS),
            sm(person, STRICT, *org, GN, ALIAS),
            sm(person, STRICT, *org, ALIAS, ("CN", "Kari Berg")),
            sm(person, STRICT, *org, SN, L, ("street", "Gata 1"))])
    pair("SM-SUBJECT", ruleset=MAIL,
         good=sm(person, LEGACY, *org, ("CN", "Kari Berg")),
         bad=[sm(person, LEGACY, *org),
              sm(person, MULTI, *org, ("CN", "Kari Berg"))])
pair("SM-SUBJECT", ruleset=MAIL, good=sm(SPONSOR, STRICT, *ORG, SN),
     bad=[sm(SPONSOR, STRICT, C, ID, SN), sm(SPONSOR, STRICT, C, O, SN)])
pair("SM-SUBJECT", ruleset=MAIL, good=sm(INDIVIDUAL, STRICT, C, SN), bad=[
    sm(INDIVIDUAL, STRICT, *ORG, SN), sm(INDIVIDUAL, STRICT, C, ID, SN),
    sm(INDIVIDUAL, STRICT, C, SN, ("OU", "Shop"))])

EC_KEY = "1.2.840.10045.2.1"
K256 = seq(seq(oid(EC_KEY), oid("1.3.132.0.10")), bits(b"\x04" + b"\x01" * 64))
pair_each("SM-SPKI", [smime().set(key=good)
          for good in (P256E, P384D, RSA2048A, ED25519A)],
    ruleset=MAIL,
    bad=[
        smime().set(spki=K256),
        smime().set(spki=RSA2048A.spki.replace(
            oid("1.2.840.113549.1.1.1"), oid("1.2.840.113549.1.1.10"))),
        smime().set(spki=seq(seq(oid("1.3.101.112"), null()),
                             bits(b"\x01" * 32)))])
DIRECTORY, QC = "2.5.29.9", "1.3.6.1.5.5.7.1.3"
CAPABILITIES = "1.2.840.113549.1.9.15"
LEI, ROLE = "1.3.6.1.4.1.52266.1", "1.3.6.1.4.1.52266.2"
STAMP, ARCHIVE = "1.2.840.113583.1.1.9.1", "1.2.840.113583.1.1.9.2"
ATTRIBUTE = seq(seq(oid("1.3.6.1.5.5.7.9.3"), raw(0x31, printable("F"))))
pair("SM-OTHEREXT", ruleset=MAIL, good=sm_as(LEGACY).put(
    DIRECTORY, ATTRIBUTE), bad=[
        smime().put(DIRECTORY, ATTRIBUTE), sm_as(MULTI).put(
            DIRECTORY, ATTRIBUTE), sm_as(LEGACY).put(
                DIRECTORY, ATTRIBUTE, True)])
for kind_ in (QC, CAPABILITIES):
    pair("SM-OTHEREXT", ruleset=MAIL, good=smime().put(kind_, seq()),
         bad=smime().put(kind_, seq(), True))
for kind_ in (STAMP, ARCHIVE):
    pair("SM-OTHEREXT", ruleset=MAIL, good=sm_as(MULTI).put(kind_, seq()),
         bad=[smime().put(kind_, seq()), sm_as(MULTI).put(
             kind_, seq(), True)])
sponsored = sm(SPONSOR, STRICT, *ORG, SN)
company = sm(ORGANIZATION, STRICT, *ORG)
someone = sm(INDIVIDUAL, STRICT, C, SN)
CODE_ = printable("5493001KJTIIGC8Y1R12")
for good in (sponsored, company):
    pair("SM-OTHEREXT", ruleset=MAIL, good=good.copy().put(LEI, CODE_), bad=[
        smime().put(LEI, CODE_), someone.copy().put(LEI, CODE_),
        good.copy().put(LEI, CODE_, True)])
pair("SM-OTHEREXT", ruleset=MAIL, good=sponsored.copy().put(ROLE, CODE_),
     bad=[smime().put(ROLE, CODE_), someone.copy().put(ROLE, CODE_),
          company.copy().put(ROLE, CODE_),
          sponsored.copy().put(ROLE, CODE_, True)])

# ---- CS- --------------------------------------------------------------


def tsa():
    """A certificate of a time-stamping authority."""
    return cs().put(EXT_KEY_USAGE, eku(TIME_STAMPING), True).put(
        POLICIES, cp("2.23.140.1.4.2"))


pair("CS-LIFE", ruleset=CODE, good=cs().set(not_after="2028-01-12T23:59:59Z"),
     bad=cs().set(not_after="2028-01-13T00:00:00Z"))
pair("CS-LIFE", ruleset=CODE, good=dated(
    "2026-02-28T23:59:59Z", "2029-05-28T23:59:58Z", cs), bad=dated(
        "2026-02-28T23:59:59Z", "2029-05-28T23:59:59Z", cs))
pair("CS-LIFE", ruleset=CODE, good=dated(
    "2026-03-01T00:00:00Z", "2027-06-03T23:59:59Z", cs), bad=dated(
        "2026-03-01T00:00:00Z", "2027-06-04T00:00:00Z", cs))
pair("CS-LIFE", ruleset=CODE, good=tsa().set(not_after="2038-01-09T23:59:59Z"),
     bad=tsa().set(not_after="2038-01-10T00:00:00Z"))
# 135 months after the 30th of November is the last of February.
pair("CS-LIFE", ruleset=CODE, good=dated(
    "2026-11-30T00:00:00Z", "2038-02-27T23:59:59Z", tsa), bad=dated(
        "2026-11-30T00:00:00Z", "2038-02-28T00:00:00Z", tsa))
pair("CS-EKU", ruleset=CODE, kind="cs", good=cs(), bad=[
    cs().drop(EXT_KEY_USAGE), cs().put(EXT_KEY_USAGE, eku(CLIENT_AUTH)),
    cs().put(EXT_KEY_USAGE, eku(CODE_SIGNING, ANY_EKU)),
    cs().put(EXT_KEY_USAGE, eku(CODE_SIGNING, SERVER_AUTH)),
    cs().put(EXT_KEY_USAGE, eku(CODE_SIGNING, OWN + ".2")),
    cs().put(EXT_KEY_USAGE, eku(CODE_SIGNING, TIME_STAMPING))])
pair("CS-EKU", ruleset=CODE, kind="cs", good=cs().put(EXT_KEY_USAGE, eku(
    CODE_SIGNING, EMAIL_PROTECTION, "1.3.6.1.4.1.311.10.3.13",
    "1.3.6.1.4.1.311.10.3.12")), bad=cs().put(EXT_KEY_USAGE, eku(
        CODE_SIGNING, CLIENT_AUTH)))
pair("CS-EKU", ruleset=CODE, kind="cs", good=tsa(), bad=[
    tsa().put(EXT_KEY_USAGE, eku(TIME_STAMPING)),
    tsa().put(EXT_KEY_USAGE, eku(TIME_STAMPING, CLIENT_AUTH), True),
    tsa().put(EXT_KEY_USAGE, eku(TIME_STAMPING, ANY_EKU), True),
    tsa().put(EXT_KEY_USAGE, eku(TIME_STAMPING, SERVER_AUTH), True)])
for good in (cs(), tsa()):
    pair("CS-KU", ruleset=CODE, good=good, bad=[
        good.copy().drop(KEY_USAGE), usage(good, 0, critical=False),
        usage(good, 1), usage(good, 0, 5), usage(good, 0, 6),
        usage(good, 0, 1), usage(good, 0, 2), usage(good)])
OCSP = "http://ocsp.example.org/"
for base_ in (cs, tsa):
    pair("CS-AIA-CDP", ruleset=CODE,
         good=base_().put(INFO_ACCESS, aia(CER, OCSP)), bad=[
             base_().drop(INFO_ACCESS), base_().drop(CRL_POINTS),
             base_().put(INFO_ACCESS, aia(CER), True),
             base_().put(INFO_ACCESS, aia("https://ca.example.org/1.cer")),
             base_().put(INFO_ACCESS, aia(None, OCSP)),
             base_().put(INFO_ACCESS, aia(CER, "https://o.example.org/")),
             base_().put(CRL_POINTS, cdp(HTTP), True),
             base_().put(CRL_POINTS, cdp(LDAP)),
             base_().put(CRL_POINTS, cdp("https://ca.example.org/1.crl"))])


def code(*pairs_, base=cs):
    return base().set(subject=name(*pairs_))


CNS = ("CN", "Example AS")
pair_each("CS-SUBJECT", (code(C, L, O, CNS), code(C, ST, O, CNS)),
    ruleset=CODE,
    bad=[
        code(L, O, CNS), code(C, L, CNS), code(C, O, CNS), code(C, L, O),
        code(C, L, O, ("OU", "Shop"), CNS), code(("DC", "com"), C, L, O, CNS),
        code(C, ("L", "-"), O, CNS)])
EV_CODE = (C, L, O, CNS, CATEGORY, JURISDICTION, NUMBER)


def ev_code(*pairs_):
    return code(*pairs_).put(POLICIES, cp("2.23.140.1.3"))


pair("CS-SUBJECT", ruleset=CODE, good=ev_code(*EV_CODE), bad=[
    ev_code(*(r for r in EV_CODE if r != row))
    for row in (CATEGORY, JURISDICTION, NUMBER)] + [
        ev_code(*(r if r != CATEGORY else ("businessCategory", "Shop")
                  for r in EV_CODE))])
pair("CS-SUBJECT", ruleset=CODE, good=code(C, L, O, base=tsa), bad=[
    code(L, O, base=tsa), code(C, L, base=tsa), code(C, O, base=tsa),
    code(C, L, O, ("OU", "Time"), base=tsa)])
SHA1 = seq(oid("1.2.840.10045.4.1"))
pair("CS-ALG", ruleset=CODE, good=cs(), bad=[
    cs().set(alg=SHA1, signature=b"x"),
    cs().set(alg=seq(oid("1.2.840.113549.1.1.5"), null()), signature=b"x"),
    cs().set(alg=seq(oid("1.2.840.113549.1.1.4"), null()), signature=b"x"),
    cs().set(spki=seq(seq(oid(EC_KEY), oid("1.3.132.0.10")), bits(
        bytes.fromhex("0479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d9"
                      "59f2815b16f81798483ada7726a3c4655da4fbfc0e1108a8fd"
                      "17b448a68554199c47d08ffb10d4b8"))))])
