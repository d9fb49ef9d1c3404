"""Names, roots, subordinate and cross-certified CAs, OCSP responders."""
from x509 import *  # noqa: F401,F403

TLS, SMIME, CS = "cabf-tls", "cabf-smime", "cabf-cs"
AT = "2026-10-10T09:00:00Z"
CA_NAME = (("C", "NO"), ("O", "Example Trust AS"), ("CN", "Example CA"))


def sub_named(*pairs):
    return tls_sub().set(subject=name(*pairs))


def leaf_named(*pairs):
    return leaf().set(subject=name(*pairs))


def without_parent(made, *pairs):
    """Its issuer's name is made of these, and nobody's certificate."""
    return made.set(issuer=name(*pairs), parent=made)


def with_san(*names):
    return leaf().put(SAN, san(*names))


def alt(text):
    """SmtpUTF8Mailbox, RFC 9598."""
    value = text if isinstance(text, bytes) else utf8(text)
    return gn_other("1.3.6.1.5.5.7.8.9", value)


# ---- names, rules.md 2.2 ------------------------------------------------

pair("NAM-RDN-SINGLE", ruleset=TLS, issuer=None, good=tls_sub(), bad=[
    tls_sub().set(subject=name_of_rdns(
        rdn(("C", "NO")), rdn(("O", "Example Trust AS"), ("CN", "CA")))),
    tls_sub().set(issuer=name_of_rdns(
        rdn(("C", "NO")), rdn(("O", "Example Trust AS"), ("CN", "R"))))])

pair("NAM-ORDER", ruleset=TLS, issuer=None,
     good=leaf_named(("serialNumber", "12"), ("DC", "org"), ("DC", "example"),
                     ("C", "NO"), ("ST", "Oslo"), ("L", "Oslo"),
                     ("postalCode", "0150"), ("street", "A 1"),
                     ("O", "Example"), ("SN", "Hansen"), ("GN", "Kari"),
                     ("OU", "X1"), ("CN", "www.example.com"),
                     ("businessCategory", "Private Organization")),
     bad=[leaf_named(("O", "Example"), ("C", "NO")),
          leaf_named(("C", "NO"), ("L", "Oslo"), ("ST", "Oslo")),
          leaf_named(("C", "NO"), ("DC", "example")),
          leaf_named(("L", "Oslo"), ("street", "A 1"), ("postalCode", "1")),
          leaf_named(("O", "Example"), ("GN", "Kari"), ("SN", "Hansen")),
          leaf_named(("CN", "www.example.com"), ("OU", "X1")),
          leaf().set(issuer=name(("CN", "Example"), ("C", "NO")))])

pair("NAM-NO-DUP", ruleset=TLS, issuer=None,
     good=leaf_named(("DC", "org"), ("DC", "example"), ("C", "NO"),
                     ("street", "A 1"), ("street", "House 2"),
                     ("O", "Example")),
     bad=[leaf_named(("C", "NO"), ("O", "Example"), ("O", "Sample")),
          leaf_named(("C", "NO"), ("OU", "X1"), ("OU", "X2")),
          leaf_named(("1.2.3.4", "a"), ("O", "Example"), ("1.2.3.4", "b")),
          leaf().set(issuer=name(("C", "NO"), ("O", "a1"), ("O", "a2")))])

pair("NAM-ENC-PRINTABLE", ruleset=TLS, issuer=None,
     good=leaf_named(("C", "NO"), ("O", "Example"),
                     ("serialNumber", "1" * 64), ("jurisdictionC", "NO")),
     bad=[leaf_named(("C", utf8("NO")), ("O", "Example")),
          leaf_named(("C", "NOR"), ("O", "Example")),
          leaf_named(("C", ""), ("O", "Example")),
          leaf_named(("C", "NO"), ("serialNumber", utf8("123"))),
          leaf_named(("C", "NO"), ("serialNumber", "1" * 65)),
          leaf_named(("C", "NO"), ("jurisdictionC", bmp("NO"))),
          leaf_named(("C", "NO"), ("jurisdictionC", "N")),
          leaf().set(issuer=name(("C", utf8("NO")), ("O", "Example")))])

pair("NAM-ENC-IA5", ruleset=TLS, issuer=None,
     good=leaf_named(("DC", "org"), ("DC", "a" * 63), ("C", "NO")),
     bad=[leaf_named(("DC", utf8("org")), ("C", "NO")),
          leaf_named(("DC", printable("org")), ("C", "NO")),
          leaf_named(("DC", "a" * 64), ("C", "NO")),
          leaf_named(("DC", "example.org"), ("C", "NO")),
          leaf_named(("DC", ""), ("C", "NO")),
          leaf().set(issuer=name(("DC", utf8("org")), ("C", "NO")))])

pair("NAM-ENC-DIRSTRING", ruleset=TLS, issuer=None,
     good=sub_named(("C", "NO"), ("O", printable("Example")), ("CN", "Ex")),
     bad=[sub_named(("C", "NO"), ("O", t61("Example")), ("CN", "Ex")),
          sub_named(("C", "NO"), ("O", bmp("Example")), ("CN", "Ex")),
          sub_named(("C", "NO"), ("O", universal("Example")), ("CN", "Ex")),
          sub_named(("C", "NO"), ("O", "Example"), ("CN", ia5("Ex"))),
          sub_named(("C", "NO"), ("O", seq(utf8("Ex"))), ("CN", "Ex")),
          leaf_named(("C", "NO"), ("organizationIdentifier", t61("NTRNO-1"))),
          tls_sub().set(issuer=name(("C", "NO"), ("O", t61("Example"))))])
# An issuer's name that is established is copied as it is.
OLD = root().set(subject=name(("C", "NO"), ("O", t61("Example")), ("CN", "R")))
pair("NAM-ENC-DIRSTRING", ruleset=TLS, issuer=OLD,
     good=tls_sub().set(issuer=OLD.subject),
     bad=tls_sub().set(issuer=OLD.subject, subject=OLD.subject))
pair("NAM-ENC-DIRSTRING", ruleset="rfc5280", issuer=None,
     good=tls_sub(), bad=sub_named(("C", "NO"), ("O", bmp("Example"))))

LENGTHS = {"ST": 128, "L": 128, "postalCode": 40, "street": 128, "O": 64,
           "SN": 64, "GN": 64, "OU": 64, "CN": 64, "businessCategory": 128,
           "jurisdictionST": 128, "jurisdictionL": 128, "serialNumber": 64,
           "emailAddress": 255}
for kind, most in LENGTHS.items():
    pair("NAM-LEN", ruleset="rfc5280", issuer=None,
         good=leaf_named((kind, "a" * most)),
         bad=leaf_named((kind, "a" * (most + 1))))
# Characters, not octets, in whatever string type.
pair("NAM-LEN", ruleset=TLS, issuer=None,
     good=leaf_named(("O", "\u00e6" * 64)),
     bad=[leaf_named(("O", "\u00e6" * 65)), leaf_named(("O", bmp("a" * 65))),
          leaf_named(("O", universal("a" * 65))),
          leaf().set(issuer=name(("O", "a" * 65)))])
pair("NAM-LEN", ruleset=TLS, issuer=None,
     good=leaf_named(("O", bmp("a" * 64)),
                     ("organizationIdentifier", "a" * 300)),
     bad=leaf_named(("O", t61("a" * 65))))

for character in "@&*_;!\"%<>#\\\x00\xe6":
    pair("NAM-PRINTABLE-ALPHABET", ruleset="rfc5280", issuer=None,
         good=leaf_named(("O", printable("Az 09'()+,-./:=?"))),
         bad=leaf_named(("O", printable("Ex" + character + "le"))))
pair("NAM-PRINTABLE-ALPHABET", ruleset="rfc5280", issuer=None,
     good=leaf_named(("O", "Ex@mple")),
     bad=leaf().set(issuer=name(("O", printable("Ex@mple")))))

pair("NAM-CLEAN", ruleset=TLS, issuer=None,
     good=leaf_named(("C", "NO"), ("O", "Bl\u00e5b\u00e6r & S\u00f8nner; A\\S")),
     bad=[leaf_named(("C", "NO"), ("O", value)) for value in (
         "", " Example", "Example ", "Ex\tample", "Ex\x00ample", "Ex\x7fmple",
         "Ex\u0085ample", "Ex\u202eample", "Meier &amp; Co", "M&#252;ller",
         "M\u00c3\u00bcller", "-", ".", " ", "N/A", "n/a", "none", "unknown",
         "not applicable", raw(0x0C, b"Ex\xffample"), raw(0x1E, b"\x00E\x00"),
         raw(0x1C, b"\x00\x00\x00"), t61("M\u00c3\u00bcller"),
         seq(utf8("Ex")), raw(0x02, b"\x01"))]
     + [leaf().set(issuer=name(("C", "NO"), ("O", " Example")))])

pair("NAM-COUNTRY-ISO", ruleset=TLS, issuer=None,
     good=leaf_named(("C", "XX"), ("O", "Example"), ("jurisdictionC", "NO")),
     bad=[leaf_named(("C", "no"), ("O", "Example")),
          leaf_named(("C", "UK"), ("O", "Example")),
          leaf_named(("C", "ZZ"), ("O", "Example")),
          leaf_named(("C", "NOR"), ("O", "Example")),
          leaf_named(("C", printable("NO\0")), ("O", "Example")),
          leaf_named(("C", "NO"), ("jurisdictionC", "XX")),
          leaf().set(issuer=name(("C", "XX"), ("O", "Example"))),
          sub_named(("C", "XX"), ("O", "Example"), ("CN", "Ex"))])

UPPER = name(("C", "NO"), ("O", "EXAMPLE TRUST  AS"),
             ("CN", "Example TLS Root R1"))
pair("NAM-STABLE-SUBJECT", ruleset=TLS, good=root(), bad=[
    root().set(issuer=UPPER), root().set(issuer=name(
        ("C", "NO"), ("O", printable("Example Trust AS")),
        ("CN", "Example TLS Root R1")))])
pair("NAM-STABLE-SUBJECT", ruleset=TLS, issuer=root(), good=tls_sub(),
     bad=tls_sub().set(subject=UPPER))
pair("NAM-STABLE-SUBJECT", ruleset=TLS, existing=root(),
     good=root().set(serial=serial("again")),
     bad=root().set(subject=UPPER, issuer=UPPER))

pair("NAM-UNIQUE-SUBJECT", ruleset=TLS, good=tls_sub(),
     bad=tls_sub().set(subject=UPPER))
pair("NAM-UNIQUE-SUBJECT", ruleset="rfc5280", good=responder(), bad=[
    responder().set(subject=tls_sub().subject),
    responder().set(subject=name(("C", "NO"), ("O", "example trust as"),
                                 ("CN", "Example TLS OV CA 1")))])

pair("NAM-NEWKEY-NEWNAME", ruleset="rfc5280", good=tls_sub(), bad=[
    tls_sub().set(subject=UPPER), tls_sub().set(key=P384A)])
# By itself, a certificate under its issuer's name is not a deliberate cross.
ROLLED = cross().set(subject=root().subject)
pair("NAM-NEWKEY-NEWNAME", ruleset="rfc5280", kind="cross", issuer=root(),
     existing=None, good=cross(), bad=ROLLED)
pair("NAM-NEWKEY-NEWNAME", ruleset="rfc5280", kind="cross", issuer=root(),
     existing=root().set(key=P384F), good=ROLLED, bad=[])
pair("NAM-NEWKEY-NEWNAME", ruleset="rfc5280", issuer=None, existing=root(),
     good=root().set(serial=serial("again")), bad=[
         root().set(key=P384F, signer=P384F).put(SKI, ski(P384F))
         .put(AKI, aki(P384F)),
         root().set(subject=name(*CA_NAME), issuer=name(*CA_NAME))])

for rule, kind in (("NAM-CA-C", "C"), ("NAM-CA-O", "O"), ("NAM-CA-CN", "CN")):
    less = [row for row in CA_NAME if row[0] != kind]
    pair(rule, ruleset=TLS, good=tls_sub(), bad=[
        sub_named(*less), responder().set(subject=name(*less)),
        root().set(subject=name(*less), issuer=name(*less))])
    # A cross certificate's subject is what it is.
    as_it_is = name(*less)
    pair(rule, ruleset=TLS, kind="cross", issuer=None,
         existing=other_root().set(subject=as_it_is),
         good=cross().set(subject=as_it_is),
         bad=cross().set(subject=name(("OU", "new"), *less)))

EXTRA = (("C", "NO"), ("ST", "Oslo"), ("L", "Oslo"), ("postalCode", "0150"),
         ("street", "A 1"), ("street", "House 2"), ("O", "Example Trust AS"))
pair("NAM-CA-EXTRA", ruleset=TLS,
     good=sub_named(*EXTRA, ("CN", "Example CA")),
     bad=[sub_named(*EXTRA, ("CN", "Example CA"), (kind, "1"))
          for kind in ("serialNumber", "organizationIdentifier", "1.2.3.4")]
     + [sub_named(("DC", "example"), *CA_NAME),
        responder().set(subject=name(*CA_NAME, ("businessCategory", "a1")))])

WITH_OU = name(("C", "NO"), ("O", "Example Trust AS"), ("OU", "X1"),
               ("CN", "Example CA"))
pair("NAM-CA-NO-OU", ruleset=TLS, good=tls_sub(), bad=[
    tls_sub().set(subject=WITH_OU), tc_sub().set(subject=WITH_OU),
    root().set(subject=WITH_OU, issuer=WITH_OU)])
pair("NAM-CA-OU-OTHER", ruleset=TLS, good=responder(), bad=[
    responder().set(subject=WITH_OU), non_tls_sub().set(subject=WITH_OU)])
pair("NAM-CA-OU-OTHER", ruleset=TLS, kind="cross",
     existing=other_root().set(subject=WITH_OU),
     good=cross().set(subject=WITH_OU),
     bad=cross().set(subject=name(*CA_NAME[:2], ("OU", "X2"), CA_NAME[2])))

pair("NAM-CA-NONEMPTY", ruleset="rfc5280", good=tls_sub(), bad=[
    tls_sub().set(subject=seq()), root().set(subject=seq(), issuer=seq()),
    leaf().set(subject=seq()).put(KEY_USAGE, ku(6), True)])
pair("NAM-CA-NONEMPTY", ruleset="rfc5280", good=leaf().set(subject=seq()),
     bad=non_tls_sub().set(subject=seq()))

pair("NAM-NO-EMAIL", ruleset="rfc5280", issuer=None, good=tls_sub(), bad=[
    sub_named(*CA_NAME, ("emailAddress", "ca@example.org")),
    leaf_named(("C", "NO"), ("emailAddress", "a@example.org")),
    leaf().set(issuer=name(*CA_NAME, ("emailAddress", "ca@example.org")))])

pair("NAM-IDN", ruleset="rfc5280",
     good=with_san("xn--blbr-roah.example.com", "www.example.com",
                   gn_mail("alice@xn--blbr-roah.example.com"),
                   gn_uri("http://xn--blbr-roah.example.com/a"),
                   alt("bl\u00e5b\u00e6r@xn--blbr-roah.example.com")),
     bad=[with_san("bl\u00e5b\u00e6r.example.com"),
          with_san("xn--0.example.com"),
          with_san("xn--ABC-.example.com"),
          with_san(gn_mail("alice@bl\u00e5b\u00e6r.example.com")),
          with_san(gn_mail("bl\u00e5b\u00e6r@example.com")),
          with_san(gn_uri("http://bl\u00e5b\u00e6r.example.com/a")),
          with_san(gn_uri("http://xn--0.example.com/a")),
          with_san(alt("alice@example.com")),
          with_san(alt("bl\u00e5b\u00e6r@bl\u00e5b\u00e6r.example.com")),
          with_san(alt("bl\u00e5b\u00e6r@Example.com")),
          with_san(alt("\ufeffbl\u00e5b\u00e6r@example.com")),
          with_san(alt("bl\u00e5b\u00e6r")),
          with_san(alt(ia5("alice@example.com"))),
          leaf_named(("DC", ia5("bl\u00e5b\u00e6r")), ("C", "NO")),
          tc_sub().put(NAME_CONSTRAINTS, nc(
              [gn_dns("bl\u00e5b\u00e6r.example.com")]), True),
          tc_sub().put(NAME_CONSTRAINTS, nc(
              excluded=[gn_mail("bl\u00e5b\u00e6r.example.com")]), True),
          tc_sub().put(NAME_CONSTRAINTS, nc(
              [gn_uri("bl\u00e5b\u00e6r.example.com")]), True)])

pair("NAM-IAN-ABSENT", ruleset=TLS, good=tls_sub(), bad=[
    tls_sub().put(IAN, san("ca.example.org")),
    leaf().put(IAN, san(gn_mail("ca@example.org")))])


# ---- roots, rules.md 3 --------------------------------------------------

# Only the profile says that it is a root: its names tell otherwise.
pair("ROOT-SELF-NAME", ruleset=TLS, kind="root", issuer=None, good=root(),
     bad=[root().set(issuer=UPPER), root().set(issuer=name(*CA_NAME))])

flipped = root().der()
pair("ROOT-SELF-SIGNED", ruleset="rfc5280", issuer=None, good=root(), bad=[
    root().set(signer=P384B), flipped[:-1] + bytes([flipped[-1] ^ 1]),
    root().set(signature=b"")])

pair("ROOT-NOTBEFORE", ruleset=TLS, at=AT, good=root(), bad=[
    root().set(not_before="2026-10-09T08:59:59Z"),
    root().set(not_before="2026-10-10T09:00:01Z")])
pair("ROOT-NOTBEFORE", ruleset=TLS, at=AT,
     good=root().set(not_before="2026-10-09T09:00:00Z"),
     bad=root().set(not_before="2024-10-10T00:00:00Z"))
pair("ROOT-NOTBEFORE", ruleset=TLS, at=AT,
     good=root().set(not_before="2026-10-10T09:00:00Z"),
     bad=root().set(not_before="2026-11-01T00:00:00Z"))

pair("ROOT-LIFE-MIN", ruleset=TLS,
     good=root().set(not_after="2034-10-09T23:59:59Z"),
     bad=root().set(not_after="2034-10-09T23:59:58Z"))
pair("ROOT-LIFE-MAX", ruleset=TLS,
     good=root().set(not_after="2051-10-10T23:59:59Z"),
     bad=root().set(not_after="2051-10-11T00:00:00Z"))

pair("ROOT-BC", ruleset=TLS, kind="root", good=root(), bad=[
    root().drop(BASIC_CONSTRAINTS), root().put(BASIC_CONSTRAINTS, bc(True)),
    root().put(BASIC_CONSTRAINTS, bc(), True),
    root().put(BASIC_CONSTRAINTS, octets(b"a"), True)])
pair("ROOT-NO-PATHLEN", ruleset=TLS, good=root(),
     bad=root().put(BASIC_CONSTRAINTS, bc(True, 1), True))
pair("ROOT-KU", ruleset=TLS, good=root().put(KEY_USAGE, ku(0, 5, 6), True),
     bad=[root().drop(KEY_USAGE), root().put(KEY_USAGE, ku(5, 6)),
          root().put(KEY_USAGE, ku(5), True),
          root().put(KEY_USAGE, ku(6), True),
          root().put(KEY_USAGE, ku(1, 5, 6), True),
          root().put(KEY_USAGE, octets(b"a"), True)])
pair("ROOT-SKI", ruleset=TLS, good=root(), bad=[
    root().drop(SKI), root().put(SKI, ski(P384A), True),
    root().put(SKI, null())])
BOTH = seq(raw(0x80, key_id(P384A)), raw(0xA1, gn_dir(root().subject)),
           raw(0x82, b"\x01"))
pair("ROOT-AKI", ruleset=TLS, kind="root", good=root(), bad=[
    root().drop(AKI), root().put(AKI, aki(P384A), True),
    root().put(AKI, aki(P384B)), root().put(AKI, BOTH), root().put(AKI, seq()),
    root().put(AKI, seq(raw(0x80, key_id(P384A)), raw(0x82, b"\x01"))),
    root().put(AKI, null())])
pair("ROOT-NO-EKU", ruleset=TLS, good=root(),
     bad=root().put(EXT_KEY_USAGE, eku(SERVER_AUTH)))
pair("ROOT-NO-CP", ruleset=TLS, good=root(),
     bad=root().put(POLICIES, cp(ANY_POLICY)))
pair("ROOT-NO-CRLDP", ruleset=TLS, good=root(),
     bad=root().put(CRL_POINTS, cdp("http://ca.example.org/r.crl")))
pair("ROOT-NO-OTHER", ruleset=TLS,
     good=root().put(SCT_LIST, sct_list(sct("log one"))),
     bad=[root().put(INFO_ACCESS, aia("http://ca.example.org/r.cer")),
          root().put(NAME_CONSTRAINTS, nc([gn_dns("example.com")]), True),
          root().put(SAN, san("example.com")), root().put(OWN + ".1", null()),
          root().put(OCSP_NOCHECK, null())])
pair("ROOT-DEDICATED", ruleset=TLS,
     good=root().put(EXT_KEY_USAGE, eku(SERVER_AUTH, CLIENT_AUTH)),
     bad=[root().put(EXT_KEY_USAGE, eku(SERVER_AUTH, EMAIL_PROTECTION)),
          root().put(EXT_KEY_USAGE, eku(CODE_SIGNING, EMAIL_PROTECTION)),
          root().put(EXT_KEY_USAGE, eku(ANY_EKU)),
          root().put(POLICIES, cp(OV, SMIME_MAILBOX_STRICT)),
          root().put(POLICIES, cp(OV, CS_POLICY)),
          root().put(EXT_KEY_USAGE, eku(SERVER_AUTH))
          .put(POLICIES, cp(SMIME_MAILBOX_STRICT))])


# ---- subordinate CAs, rules.md 4 ----------------------------------------

pair("SUB-NOTBEFORE", ruleset=TLS, at=AT, good=tls_sub(), bad=[
    tls_sub().set(not_before="2026-10-09T08:59:59Z"),
    tc_sub().set(not_before="2026-10-10T09:00:01Z"),
    non_tls_sub().set(not_before="2026-10-11T00:00:00Z")])
pair("SUB-NOTAFTER", ruleset=TLS, at=AT,
     good=tls_sub().set(not_after=AT),
     bad=[tls_sub().set(not_after="2026-10-10T08:59:59Z"),
          non_tls_sub().set(not_after="2026-10-10T08:59:59Z")])
pair("SUB-LIFE-3Y", ruleset=TLS, good=tls_sub(), bad=[
    tls_sub().set(not_after="2029-10-09T00:00:00Z"),
    tc_sub().set(not_after="2036-10-09T00:00:00Z")])

pair("SUB-BC", ruleset="rfc5280", kind="tlssub",
     good=tls_sub().put(BASIC_CONSTRAINTS, bc(True), True), bad=[
         tls_sub().drop(BASIC_CONSTRAINTS),
         tls_sub().put(BASIC_CONSTRAINTS, bc(True, 0)),
         tls_sub().put(BASIC_CONSTRAINTS, bc(), True),
         tls_sub().put(BASIC_CONSTRAINTS, bc(True, -1), True),
         tls_sub().put(BASIC_CONSTRAINTS, null(), True)])

POLICY_CA = root().put(BASIC_CONSTRAINTS, bc(True, 1), True)
pair("SUB-PATHLEN", ruleset="rfc5280", issuer=POLICY_CA, good=tls_sub(), bad=[
    tls_sub().put(BASIC_CONSTRAINTS, bc(True, 1), True),
    tls_sub().put(BASIC_CONSTRAINTS, bc(True, 2), True),
    tls_sub().put(BASIC_CONSTRAINTS, bc(True), True)])
pair("SUB-PATHLEN", ruleset="rfc5280", good=tls_sub(), issuer=root(), bad=[])
pair("SUB-PATHLEN", ruleset="rfc5280", issuer=tls_sub(), good=responder(),
     bad=tls_sub())
# Self-issued: not counted, but no longer than its issuer's.
pair("SUB-PATHLEN", ruleset="rfc5280", kind="cross", issuer=POLICY_CA,
     good=ROLLED.copy().put(BASIC_CONSTRAINTS, bc(True, 1), True),
     bad=[ROLLED.copy().put(BASIC_CONSTRAINTS, bc(True, 2), True),
          ROLLED.copy().put(BASIC_CONSTRAINTS, bc(True), True)])

pair("SUB-KU", ruleset=TLS, good=tls_sub().put(KEY_USAGE, ku(0, 5, 6), True),
     bad=[tls_sub().drop(KEY_USAGE), tls_sub().put(KEY_USAGE, ku(5, 6)),
          tls_sub().put(KEY_USAGE, ku(5), True),
          tls_sub().put(KEY_USAGE, ku(6), True),
          tls_sub().put(KEY_USAGE, null(), True)]
     + [tls_sub().put(KEY_USAGE, ku(5, 6, bit), True)
        for bit in (1, 2, 3, 4, 7, 8)])
pair("SUB-SKI", ruleset="rfc5280", good=tls_sub(), bad=[
    tls_sub().drop(SKI), tls_sub().put(SKI, ski(P256A), True),
    tls_sub().put(SKI, null())])
pair("SUB-AKI", ruleset=TLS, good=tls_sub(), bad=[
    tls_sub().drop(AKI), tls_sub().put(AKI, aki(P384A), True),
    tls_sub().put(AKI, aki(P384B)), tls_sub().put(AKI, seq()),
    tls_sub().put(AKI, BOTH), tls_sub().put(AKI, null())])
# RFC 5280 lets issuer and serial number stand there.
pair("SUB-AKI", ruleset="rfc5280", good=tls_sub().put(AKI, BOTH),
     bad=tls_sub().put(AKI, seq(raw(0xA1, gn_dir(root().subject)),
                                raw(0x82, b"\x01"))))
pair("SUB-CRLDP", ruleset=TLS, good=tls_sub(), bad=[
    tls_sub().drop(CRL_POINTS),
    tls_sub().put(CRL_POINTS, cdp("http://ca.example.org/r.crl"), True),
    tls_sub().put(CRL_POINTS, null())])
pair("SUB-CRLDP", ruleset=SMIME, good=smime_ca(),
     bad=smime_ca().drop(CRL_POINTS))
pair("SUB-CRLDP", ruleset=CS, good=cs_ca(), bad=cs_ca().drop(CRL_POINTS))
pair("SUB-AIA", ruleset=TLS,
     good=tls_sub().put(INFO_ACCESS, aia("http://ca.example.org/r.cer",
                                         "http://ocsp.example.org/")),
     bad=[tls_sub().drop(INFO_ACCESS),
          tls_sub().put(INFO_ACCESS, aia(ocsp="http://ocsp.example.org/")),
          tls_sub().put(INFO_ACCESS, aia("ldap://ca.example.org/r")),
          tls_sub().put(INFO_ACCESS, aia(gn_dns("ca.example.org"))),
          tls_sub().put(INFO_ACCESS, null())])
pair("SUB-AIA", ruleset=TLS, kind="cross", good=cross(),
     bad=cross().drop(INFO_ACCESS))
pair("SUB-AIA", ruleset=SMIME, good=smime_ca(),
     bad=smime_ca().drop(INFO_ACCESS))
pair("SUB-AIA-CS", ruleset=CS, good=cs_ca(), bad=[
    cs_ca().drop(INFO_ACCESS),
    cs_ca().put(INFO_ACCESS, aia(ocsp="http://ocsp.example.org/"))])

pair("SUB-EKU-PRESENT", ruleset=TLS, good=tls_sub(), bad=[
    tls_sub().drop(EXT_KEY_USAGE), tls_sub().put(EXT_KEY_USAGE, null()),
    tls_sub().put(EXT_KEY_USAGE, eku(SERVER_AUTH), True),
    non_tls_sub().put(EXT_KEY_USAGE, eku(CLIENT_AUTH), True)])
pair("SUB-EKU-PRESENT", ruleset=SMIME, kind="smimeca", good=smime_ca(),
     bad=smime_ca().drop(EXT_KEY_USAGE))
pair("SUB-NO-OCSPSIGNING", ruleset="rfc5280", good=tls_sub(), bad=[
    tls_sub().put(EXT_KEY_USAGE, eku(SERVER_AUTH, OCSP_SIGNING)),
    non_tls_sub().put(EXT_KEY_USAGE, eku(OCSP_SIGNING)),
    root().put(EXT_KEY_USAGE, eku(OCSP_SIGNING))])
pair("SUB-NO-NOCHECK", ruleset="rfc5280", good=tls_sub(), bad=[
    tls_sub().put(OCSP_NOCHECK, null()), root().put(OCSP_NOCHECK, null())])

PARENT = root().put(EXT_KEY_USAGE, eku(SERVER_AUTH, CLIENT_AUTH))
pair("SUB-EKU-NESTED", ruleset="rfc5280", issuer=PARENT, good=tls_sub(), bad=[
    tls_sub().drop(EXT_KEY_USAGE), smime_ca(),
    tls_sub().put(EXT_KEY_USAGE, eku(SERVER_AUTH, CODE_SIGNING)),
    tls_sub().put(EXT_KEY_USAGE, eku(ANY_EKU))])
pair("SUB-EKU-NESTED", ruleset="rfc5280", good=tls_sub(), bad=[],
     issuer=root().put(EXT_KEY_USAGE, eku(ANY_EKU)))

PC = seq(raw(0x80, b"\x00"))
MAP = seq(oid(OV), oid(OWN + ".2"))
pair("SUB-NO-OTHER", ruleset="rfc5280",
     good=tls_sub().put(POLICY_CONSTRAINTS, PC, True)
     .put(INHIBIT_ANY_POLICY, integer(0), True)
     .put(POLICY_MAPPINGS, seq(MAP), True).put(OWN + ".1", null()),
     bad=[tls_sub().put(POLICY_CONSTRAINTS, PC),
          tls_sub().put(POLICY_CONSTRAINTS, seq(), True),
          tls_sub().put(POLICY_CONSTRAINTS, null(), True),
          tls_sub().put(INHIBIT_ANY_POLICY, integer(0)),
          tls_sub().put(INHIBIT_ANY_POLICY, null(), True),
          tls_sub().put(POLICY_MAPPINGS, seq(MAP)),
          tls_sub().put(POLICY_MAPPINGS, seq(), True),
          tls_sub().put(POLICY_MAPPINGS, seq(
              seq(oid(ANY_POLICY), oid(OWN + ".2"))), True),
          tls_sub().put(POLICY_MAPPINGS, seq(
              seq(oid(OV), oid(ANY_POLICY))), True),
          tls_sub().put(POLICY_MAPPINGS, seq(
              seq(oid(OWN + ".3"), oid(OWN + ".2"))), True)])
pair("SUB-NO-OTHER", ruleset=TLS,
     good=tc_sub().put(SCT_LIST, sct_list(sct("log one"))),
     bad=[tls_sub().put(OWN + ".1", null()),
          tls_sub().put(SAN, san("example.com")),
          tls_sub().put(POLICY_CONSTRAINTS, PC, True)])
pair("SUB-NO-NOREVAVAIL", ruleset="rfc5280", good=tls_sub(), bad=[
    tls_sub().put(NO_REV_AVAIL, null()), root().put(NO_REV_AVAIL, null())])

pair("TLSSUB-EKU-SERVERAUTH", ruleset=TLS, kind="tlssub", good=tls_sub(),
     bad=tls_sub().put(EXT_KEY_USAGE, eku(CLIENT_AUTH)))
pair("TLSSUB-EKU-FORBIDDEN", ruleset=TLS,
     good=tls_sub().put(EXT_KEY_USAGE, eku(SERVER_AUTH, CLIENT_AUTH)),
     bad=[tls_sub().put(EXT_KEY_USAGE, eku(SERVER_AUTH, purpose))
          for purpose in (CODE_SIGNING, EMAIL_PROTECTION, TIME_STAMPING,
                          OCSP_SIGNING, ANY_EKU, PRECERT_SIGNING)])
DUAL = eku(SERVER_AUTH, CLIENT_AUTH)
pair("TLSSUB-EKU-CLIENTAUTH", ruleset=TLS,
     good=tls_sub().put(EXT_KEY_USAGE, DUAL)
     .set(not_before="2026-06-14T23:59:59Z"),
     bad=[tls_sub().put(EXT_KEY_USAGE, DUAL),
          tc_sub().put(EXT_KEY_USAGE, DUAL)
          .set(not_before="2026-06-15T00:00:00Z")])
pair("TLSSUB-EKU-OTHER", ruleset=TLS,
     good=tls_sub().put(EXT_KEY_USAGE, DUAL),
     bad=tls_sub().put(EXT_KEY_USAGE, eku(SERVER_AUTH, OWN + ".5")))
pair("TLSSUB-CP", ruleset=TLS, good=tls_sub(), bad=[
    tls_sub().drop(POLICIES), tls_sub().put(POLICIES, cp(OV), True),
    tls_sub().put(POLICIES, null()), tc_sub().drop(POLICIES)])

SIDES = {"dns": gn_dns("example.com"), "dir": gn_dir(name(*ORG)),
         "ip4": gn_ip([192, 0, 2, 0, 255, 255, 255, 0]),
         "ip6": gn_ip(bytes.fromhex("20010db8") + bytes(12)
                      + bytes.fromhex("ffffffff") + bytes(12))}


def tc(permitted, excluded=()):
    return tc_sub().put(NAME_CONSTRAINTS, nc(permitted, excluded), True)


pair("TCSUB-NC", ruleset=TLS, kind="tcsub", good=tc(list(SIDES.values())), bad=[
    tc_sub().drop(NAME_CONSTRAINTS), tc_sub().put(NAME_CONSTRAINTS, null())]
    + [tc([name_ for key, name_ in SIDES.items() if key != left])
       for left in SIDES])
pair("TCSUB-NC", ruleset=TLS, kind="tcsub",
     good=tc([SIDES["dir"]], [gn_dns(""), gn_ip(bytes(8)), gn_ip(bytes(32))]),
     bad=[tc([SIDES["dir"]], [gn_dns("a.example"), gn_ip(bytes(8)),
                              gn_ip(bytes(32))]),
          tc([SIDES["dir"]], [gn_dns(""), SIDES["ip4"], gn_ip(bytes(32))]),
          tc([SIDES["dir"]], [gn_dns(""), gn_ip(bytes(8)), SIDES["ip6"]]),
          tc([SIDES["dns"]], [gn_ip(bytes(8)), gn_ip(bytes(32)),
                              SIDES["dir"]])])

pair("NONTLS-EKU", ruleset=TLS, kind="nontls", good=non_tls_sub(),
     bad=[non_tls_sub().put(EXT_KEY_USAGE, eku(CLIENT_AUTH, purpose))
          for purpose in (SERVER_AUTH, OCSP_SIGNING, ANY_EKU,
                          PRECERT_SIGNING)])
pair("NONTLS-EKU-SINGLE", ruleset=TLS, kind="nontls", good=non_tls_sub(),
     bad=non_tls_sub().put(EXT_KEY_USAGE, eku(TIME_STAMPING, CODE_SIGNING)))
STRANGER = name(("C", "NO"), ("O", "Another AS"), ("CN", "Another CA"))
pair("NONTLS-CP", ruleset=TLS,
     good=non_tls_sub().put(POLICIES, cp(OWN + ".1", OWN + ".2")),
     bad=[non_tls_sub().put(POLICIES, cp(OWN + ".1", policy_))
          for policy_ in (OV, DV, IV, EV, ANY_POLICY)]
     + [non_tls_sub().put(POLICIES, null()),
        non_tls_sub().put(POLICIES, cp(ANY_POLICY)).set(subject=STRANGER)])
pair("NONTLS-CP", ruleset=TLS, bad=non_tls_sub().put(POLICIES, cp(EV)),
     good=non_tls_sub().put(POLICIES, cp(ANY_POLICY)))

MBS = SMIME_MAILBOX_STRICT
pair("SMIMECA-CP", ruleset=SMIME,
     good=smime_ca().put(POLICIES, cp(policy(MBS, user_notice("hello")))),
     bad=[smime_ca().drop(POLICIES), smime_ca().put(POLICIES, null()),
          smime_ca().put(POLICIES, cp(OWN + ".1")),
          smime_ca().put(POLICIES, cp("2.23.140.1.5.1.4")),
          smime_ca().put(POLICIES, cp("2.23.140.1.5.5.1")),
          smime_ca().put(POLICIES, cp(MBS, ANY_POLICY)),
          smime_ca().put(POLICIES, cp(ANY_POLICY)).set(subject=STRANGER),
          smime_ca().put(POLICIES, cp(policy(MBS, user_notice(content=b"")))),
          smime_ca().put(POLICIES, cp(policy(MBS, user_notice(
              content=seq(utf8("Ex"), seq(integer(1))) + utf8("hello")))))])
pair("SMIMECA-CP", ruleset=SMIME, bad=smime_ca().put(POLICIES, cp(OV)),
     good=smime_ca().put(POLICIES, cp(ANY_POLICY)))
LATER = {"not_before": "2027-07-01T00:00:00Z"}
pair("SMIMECA-EKU", ruleset=SMIME, kind="smimeca",
     good=smime_ca().put(EXT_KEY_USAGE, eku(EMAIL_PROTECTION, OWN + ".1")),
     bad=[smime_ca().put(EXT_KEY_USAGE, eku(CLIENT_AUTH)),
          smime_ca().put(EXT_KEY_USAGE, eku(EMAIL_PROTECTION, OWN + ".1"))
          .set(**LATER)]
     + [smime_ca().put(EXT_KEY_USAGE, eku(EMAIL_PROTECTION, purpose))
        for purpose in (SERVER_AUTH, CODE_SIGNING, TIME_STAMPING, ANY_EKU)])
pair("SMIMECA-EKU", ruleset=SMIME, kind="smimeca",
     good=smime_ca().put(EXT_KEY_USAGE, eku(EMAIL_PROTECTION, CLIENT_AUTH))
     .set(**LATER), bad=smime_ca().drop(EXT_KEY_USAGE))
MAILS = [gn_mail("example.com"), gn_mail(".example.com"), gn_dir(name(*ORG))]


def smime_nc(*permitted):
    return smime_ca().put(NAME_CONSTRAINTS, nc(permitted), True)


pair("SMIMECA-NC", ruleset=SMIME, good=smime_nc(*MAILS), bad=[
    smime_nc(*MAILS[:2]), smime_nc(MAILS[2]), smime_nc(gn_dns("example.com")),
    smime_nc(*MAILS, gn_mail("alice@example.com")),
    smime_nc(*MAILS, gn_mail("")), smime_nc(*MAILS, gn_mail(".")),
    smime_nc(*MAILS, gn_mail("..example.com")),
    smime_ca().put(NAME_CONSTRAINTS, null(), True)])
pair("SMIMECA-NC", ruleset=SMIME, good=smime_ca(),
     bad=smime_ca().put(NAME_CONSTRAINTS, nc(excluded=MAILS), True))
pair("SMIMECA-NAME", ruleset=SMIME, good=smime_ca(), bad=[
    smime_ca().set(subject=name(*(row for row in CA_NAME if row[0] != kind)))
    for kind in ("C", "O", "CN")])

pair("CSCA-EKU", ruleset=CS, kind="csca",
     good=cs_ca().put(EXT_KEY_USAGE, eku(TIME_STAMPING)),
     bad=[cs_ca().drop(EXT_KEY_USAGE),
          cs_ca().put(EXT_KEY_USAGE, eku(CODE_SIGNING, TIME_STAMPING)),
          cs_ca().put(EXT_KEY_USAGE, eku(TIME_STAMPING, EMAIL_PROTECTION)),
          cs_ca().put(EXT_KEY_USAGE, eku(CLIENT_AUTH))]
     + [cs_ca().put(EXT_KEY_USAGE, eku(CODE_SIGNING, purpose))
        for purpose in (ANY_EKU, SERVER_AUTH, EMAIL_PROTECTION, CLIENT_AUTH)])
pair("CSCA-EKU", ruleset=CS, kind="csca", good=cs_ca(),
     bad=cs_ca().put(EXT_KEY_USAGE, null()))
pair("CSCA-CP", ruleset=CS, good=cs_ca(), bad=[
    cs_ca().drop(POLICIES), cs_ca().put(POLICIES, null()),
    cs_ca().put(POLICIES, cp(CS_POLICY), True)])

SIGNER = eku(PRECERT_SIGNING)
pair("PRECERTCA-BANNED", ruleset=TLS,
     good=tls_sub().put(EXT_KEY_USAGE, SIGNER)
     .set(not_before="2026-03-14T23:59:59Z"),
     bad=[tls_sub().put(EXT_KEY_USAGE, SIGNER), root().put(
         EXT_KEY_USAGE, SIGNER), non_tls_sub().put(EXT_KEY_USAGE, SIGNER)])
pair("PRECERTCA-BANNED", ruleset=TLS, good=leaf(), bad=[])
pair("PRECERTCA-BANNED", ruleset=TLS,
     issuer=tls_sub().put(EXT_KEY_USAGE, SIGNER),
     good=responder(), bad=[precert(), leaf()])


# ---- cross certificates, rules.md 5 -------------------------------------

def crossed(rule, good, bad, **more):
    options = {"ruleset": TLS, "kind": "cross", "issuer": root(),
               "existing": other_root()}
    options.update(more)
    pair(rule, good=good, bad=bad, **options)


crossed("CROSS-SUBJECT-BYTES", cross(), cross().set(subject=name(
    ("C", "NO"), ("O", printable("Example Trust AS")),
    ("CN", "Example TLS Root R0"))))
crossed("CROSS-SPKI-BYTES", cross(), cross().set(key=P384E))
# The same point, compressed.
POINT = P384F.point
crossed("CROSS-SPKI-BYTES", cross(), cross().set(spki=seq(
    seq(oid("1.2.840.10045.2.1"), oid("1.3.132.0.34")),
    bits(bytes([2 + (POINT[-1] & 1)]) + POINT[1:49]))))
crossed("CROSS-SKI-BYTES", cross(), [
    cross().drop(SKI), cross().put(SKI, ski(b"\x01" * 20))],
    ruleset="rfc5280")
crossed("CROSS-NOTBEFORE", cross(), [
    cross().set(not_before="2024-10-09T23:59:59Z"),
    cross().set(not_before="2026-10-10T09:00:01Z")], at=AT)
crossed("CROSS-NOTBEFORE", cross().set(not_before="2024-10-10T00:00:00Z"),
        cross().set(not_before="2027-01-01T00:00:00Z"), at=AT)
crossed("CROSS-NOTBEFORE", cross().set(not_before="2026-10-09T09:00:00Z"),
        cross().set(not_before="2026-10-09T08:59:59Z"), at=AT,
        existing=other_root().set(not_before="2026-10-10T00:00:00Z"))
crossed("CROSS-NOTAFTER", cross().set(not_after=AT),
        cross().set(not_after="2026-10-10T08:59:59Z"), at=AT)
crossed("CROSS-NOTAFTER", cross().set(not_after=ROOT_UNTIL),
        cross().set(not_after="2044-10-10T00:00:00Z"))
crossed("CROSS-EXT", cross(), [
    cross().drop(kind) for kind in (AKI, BASIC_CONSTRAINTS, POLICIES,
                                    CRL_POINTS, KEY_USAGE, SKI)]
    + [cross().put(kind, null(), True) for kind in (
        AKI, BASIC_CONSTRAINTS, POLICIES, CRL_POINTS, KEY_USAGE, SKI)]
    + [cross().put(BASIC_CONSTRAINTS, bc(True)),
       cross().put(KEY_USAGE, ku(5, 6))])
FOREIGN = cross().set(subject=STRANGER)
crossed("CROSS-EKU-AFFILIATED", cross().put(EXT_KEY_USAGE, eku(ANY_EKU)), [
    cross().put(EXT_KEY_USAGE, eku(ANY_EKU, SERVER_AUTH)),
    FOREIGN.copy().put(EXT_KEY_USAGE, eku(ANY_EKU)),
    FOREIGN.copy().drop(EXT_KEY_USAGE)])
crossed("CROSS-EKU-AFFILIATED", FOREIGN,
        cross().drop(EXT_KEY_USAGE).set(subject=name(("C", "NO"))))
crossed("CROSS-EKU-AFFILIATED", cross().drop(EXT_KEY_USAGE), [])
crossed("CROSS-EKU-RESTRICTED", cross().put(EXT_KEY_USAGE, DUAL), [
    cross().put(EXT_KEY_USAGE, eku(SERVER_AUTH, purpose)) for purpose in (
        EMAIL_PROTECTION, CODE_SIGNING, TIME_STAMPING, ANY_EKU)]
    + [cross().put(EXT_KEY_USAGE, eku(CLIENT_AUTH, ANY_EKU)),
       cross().put(EXT_KEY_USAGE, eku(SERVER_AUTH), True),
       cross().put(EXT_KEY_USAGE, null()),
       FOREIGN.copy().drop(EXT_KEY_USAGE),
       FOREIGN.copy().put(EXT_KEY_USAGE, eku(ANY_EKU))])
crossed("CROSS-EKU-RESTRICTED",
        cross().put(EXT_KEY_USAGE, eku(EMAIL_PROTECTION, CODE_SIGNING)), [])
for purposes in ([SERVER_AUTH], [CLIENT_AUTH], [CLIENT_AUTH, SERVER_AUTH],
                 [EMAIL_PROTECTION], [EMAIL_PROTECTION, CLIENT_AUTH],
                 [CODE_SIGNING], [TIME_STAMPING]):
    crossed("CROSS-EKU-DEDICATED",
            cross().put(EXT_KEY_USAGE, eku(*purposes)),
            cross().put(EXT_KEY_USAGE, eku(*purposes, OWN + ".5")))
crossed("CROSS-EKU-DEDICATED",
        cross().drop(EXT_KEY_USAGE).set(not_before="2025-06-14T23:59:59Z"), [
            cross().drop(EXT_KEY_USAGE),
            cross().put(EXT_KEY_USAGE, eku(ANY_EKU)),
            cross().put(EXT_KEY_USAGE, eku(SERVER_AUTH, SERVER_AUTH)),
            cross().put(EXT_KEY_USAGE, eku(CODE_SIGNING, CLIENT_AUTH)),
            cross().put(EXT_KEY_USAGE, eku(SERVER_AUTH, EMAIL_PROTECTION))])
crossed("CROSS-EKU-MOZ", cross().drop(EXT_KEY_USAGE), [
    cross().put(EXT_KEY_USAGE, eku(ANY_EKU)),
    cross().put(EXT_KEY_USAGE, eku(SERVER_AUTH, ANY_EKU))])
# The exception is for a root's key alone.
crossed("CROSS-EKU-MOZ", cross(), cross().drop(EXT_KEY_USAGE),
        existing=tls_sub().set(key=P384F, subject=cross().subject))
crossed("CROSS-EKU-MOZ", cross(), cross().drop(EXT_KEY_USAGE), existing=None)

crossed("CROSS-CP", cross().put(POLICIES, cp(OV, DV, OWN + ".1")), [
    cross().drop(POLICIES), cross().put(POLICIES, null()),
    cross().put(POLICIES, cp(OWN + ".1")),
    cross().put(POLICIES, cp(SMIME_MAILBOX_STRICT)),
    cross().put(POLICIES, cp(OWN + ".1", OV)),
    cross().put(POLICIES, cp(OV, ANY_POLICY)),
    FOREIGN.copy().put(POLICIES, cp(ANY_POLICY)),
    cross().put(POLICIES, cp(OV, DV)).put(
        BASIC_CONSTRAINTS, bc(True, 0), True)])
crossed("CROSS-CP", cross().put(POLICIES, cp(ANY_POLICY)),
        cross().put(EXT_KEY_USAGE, eku(EMAIL_PROTECTION)))
crossed("CROSS-CP", cross().put(POLICIES, cp(OV, OWN + ".1")).put(
    BASIC_CONSTRAINTS, bc(True, 0), True), [])
EV_ISSUER = root().put(POLICIES, cp(EV))
EV_EXISTING = other_root().put(POLICIES, cp(EV))
crossed("CROSS-CP-EV", cross().put(POLICIES, cp(OV, EV)), cross(),
        issuer=EV_ISSUER, existing=EV_EXISTING)
crossed("CROSS-CP-EV", cross(), [], issuer=EV_ISSUER)

crossed("CROSS-NOT-SELF", ROLLED, [
    ROLLED.copy().set(key=P384A).put(SKI, ski(P384A))], ruleset="rfc5280",
    existing=root().set(key=P384F))
crossed("CROSS-NOT-SELF", ROLLED,
        ROLLED.copy().set(key=P384A).put(SKI, ski(P384A)), ruleset="rfc5280",
        issuer=None, existing=None)
BOUND = root().put(BASIC_CONSTRAINTS, bc(True, 2), True)
crossed("CROSS-NOT-SELF", ROLLED.copy().put(
    BASIC_CONSTRAINTS, bc(True, 2), True), ROLLED, ruleset="rfc5280",
    issuer=BOUND, existing=None)
NARROW = root().put(NAME_CONSTRAINTS, nc([gn_dns("example.com")]), True)
crossed("CROSS-NOT-SELF", ROLLED.copy().put(
    NAME_CONSTRAINTS, nc([gn_dns("example.com")]), True), ROLLED,
    ruleset="rfc5280", issuer=NARROW, existing=None)
# The other root signed this one before.
BELOW = root().set(issuer=other_root().subject, signer=P384F)
crossed("CROSS-LOOP", cross().set(key=P384E), cross(), issuer=BELOW)
crossed("CROSS-LOOP", cross(), [], ruleset="rfc5280")


# ---- OCSP responders, rules.md 6 ----------------------------------------

forged = responder().der()
pair("OCR-ISSUER", ruleset="rfc5280", issuer=tls_sub(), good=responder(), bad=[
    responder().set(signer=P256C), forged[:-1] + bytes([forged[-1] ^ 1]),
    root_responder(), responder().set(issuer=tc_sub().subject)])
pair("OCR-ISSUER", ruleset="rfc5280", good=root_responder(), issuer=root(),
     bad=responder())
NO_CA = tls_sub().put(BASIC_CONSTRAINTS, bc(), True)
pair("OCR-ISSUER", ruleset="rfc5280", good=tls_sub(), issuer=NO_CA,
     bad=responder())
pair("OCR-NOTBEFORE", ruleset=TLS, at=AT, good=responder(), bad=[
    responder().set(not_before="2026-10-09T08:59:59Z"),
    responder().set(not_before="2026-10-10T09:00:01Z")])
pair("OCR-NOTAFTER", ruleset=TLS, at=AT, good=responder().set(not_after=AT),
     bad=responder().set(not_after="2026-10-10T08:59:59Z"))
pair("OCR-LIFE-SHORT", ruleset="rfc5280",
     good=responder().set(not_after="2027-01-07T23:59:59Z"),
     bad=responder().set(not_after="2027-01-08T00:00:00Z"))
pair("OCR-LIFE-SHORT", ruleset="rfc5280", issuer=root(),
     good=root_responder().set(not_after="2027-11-10T23:59:59Z"),
     bad=root_responder().set(not_after="2027-11-11T00:00:00Z"))
pair("OCR-LIFE-SHORT", ruleset="rfc5280", issuer=None,
     good=root_responder().set(not_after="2027-11-10T23:59:59Z"),
     bad=responder().set(not_after="2027-11-11T00:00:00Z"))
pair("OCR-EKU", ruleset=TLS, kind="ocspcert", good=responder(), bad=[
    responder().drop(EXT_KEY_USAGE), responder().put(EXT_KEY_USAGE, null()),
    responder().put(EXT_KEY_USAGE, eku(OCSP_SIGNING, SERVER_AUTH)),
    responder().put(EXT_KEY_USAGE, eku(OWN + ".5", OCSP_SIGNING)),
    responder().put(EXT_KEY_USAGE, eku(CLIENT_AUTH)),
    responder().put(EXT_KEY_USAGE, eku(OCSP_SIGNING), True)])
pair("OCR-NOCHECK", ruleset=TLS, good=responder(), bad=[
    responder().drop(OCSP_NOCHECK),
    responder().put(OCSP_NOCHECK, null(), True),
    responder().put(OCSP_NOCHECK, b""),
    responder().put(OCSP_NOCHECK, null() + null()),
    responder().put(OCSP_NOCHECK, seq())])
pair("OCR-NOCHECK", ruleset="rfc5280", good=responder().drop(OCSP_NOCHECK),
     bad=responder().put(OCSP_NOCHECK, seq()))
pair("OCR-KU", ruleset=TLS, good=responder(), bad=[
    responder().drop(KEY_USAGE), responder().put(KEY_USAGE, ku(0)),
    responder().put(KEY_USAGE, ku(0, 1), True),
    responder().put(KEY_USAGE, ku(5), True),
    responder().put(KEY_USAGE, bits(b"\x80"), True)])
pair("OCR-AKI", ruleset=TLS, good=responder(), bad=[
    responder().drop(AKI), responder().put(AKI, seq()),
    responder().put(AKI, aki(P256B)), responder().put(AKI, null()),
    responder().put(AKI, seq(raw(0x80, key_id(P256A)), raw(0x82, b"\x01")))])
pair("OCR-SKI", ruleset="rfc5280", good=responder(), bad=[
    responder().drop(SKI), responder().put(SKI, ski(b"\x01" * 20)),
    responder().put(SKI, ski(key_id(P256D)[:19])),
    responder().put(SKI, null())])
pair("OCR-BC", ruleset=TLS, kind="ocspcert",
     good=responder().put(BASIC_CONSTRAINTS, bc(), True), bad=[
         responder().put(BASIC_CONSTRAINTS, bc(True), True),
         responder().put(BASIC_CONSTRAINTS, bc()),
         responder().put(BASIC_CONSTRAINTS, seq(boolean(False)), True),
         responder().put(BASIC_CONSTRAINTS, seq(integer(0)), True)])
pair("OCR-BC", ruleset=TLS, kind="ocspcert", good=responder(),
     bad=responder().put(BASIC_CONSTRAINTS, null(), True))
pair("OCR-NO-SAN", ruleset=TLS, good=responder(),
     bad=responder().put(SAN, san("ocsp.example.org")))
pair("OCR-NO-NC", ruleset=TLS, good=responder(),
     bad=responder().put(NAME_CONSTRAINTS, nc([gn_dns("a.example")]), True))
pair("OCR-NO-CRLDP", ruleset=TLS, good=responder(),
     bad=responder().put(CRL_POINTS, cdp("http://ca.example.org/a.crl")))
pair("OCR-NO-CP", ruleset=TLS, good=responder(),
     bad=responder().put(POLICIES, cp(ANY_POLICY)))
pair("OCR-NO-AIA", ruleset=TLS, good=responder(), bad=[
    responder().put(INFO_ACCESS, aia(ocsp="http://ocsp.example.org/")),
    responder().put(INFO_ACCESS, aia("http://ca.example.org/a.cer")),
    responder().put(INFO_ACCESS, aia(ocsp="https://ocsp.example.org/"))])
pair("OCR-SUBJECT", ruleset=TLS, good=responder(), bad=[
    responder().set(subject=name(*(row for row in CA_NAME if row[0] != kind)))
    for kind in ("C", "O", "CN")])
pair("OCR-NO-OTHER", ruleset=TLS,
     good=responder().put(SCT_LIST, sct_list(sct("log one"))),
     bad=[responder().put(OWN + ".1", null()),
          responder().put(NO_REV_AVAIL, null()),
          responder().put(SUBJECT_INFO_ACCESS,
                          aia("http://ca.example.org/a.cer"))])
pair("OCR-ONE-KEY-ONE-CERT", ruleset="rfc5280", good=responder(),
     bad=responder().set(key=P256A))
