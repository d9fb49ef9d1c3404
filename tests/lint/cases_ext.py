"""Extensions: identifiers, usages, policies, name constraints, URLs."""
import hashlib
import ipaddress

from der import *  # noqa: F401,F403
from pairs import pair
from x509 import *  # noqa: F401,F403
from keys import *  # noqa: F401,F403

TLS, SMIME, CS, RFC, PRIVATE = ("cabf-tls", "cabf-smime", "cabf-cs",
                                "rfc5280", "private")


def digest_id(algorithm, key, size=20):
    return hashlib.new(algorithm, key_bits(key.spki)).digest()[:size]


def critical(obj, kind):
    """The same with the extension critical."""
    return obj.put(kind, obj.get(kind).value, True)


def not_critical(obj, kind):
    return obj.put(kind, obj.get(kind).value)


# ---- key identifiers --------------------------------------------------

short = hashlib.sha1(key_bits(P256A.spki)).digest()[-8:]
short = bytes([0x40 | short[0] & 0x0F]) + short[1:]
for good in (
        digest_id("sha1", P256A), digest_id("sha256", P256A),
        digest_id("sha384", P256A), digest_id("sha512", P256A),
        digest_id("sha256", P256A, 32), short,
        hashlib.sha256(P256A.spki).digest()):
    pair("SKI-METHOD", ruleset=TLS, good=tls_sub().put(SKI, octets(good)),
         bad=[tls_sub().put(SKI, octets(good[:-1] + bytes([good[-1] ^ 1]))),
              tls_sub().put(SKI, octets(good[:-1]))])
pair("SKI-METHOD", ruleset=RFC, good=leaf().put(SKI, ski(P256E)), bad=[
    tls_sub().put(SKI, octets(b"")),
    tls_sub().put(SKI, octets(bytes(20))),
    tls_sub().put(SKI, octets(key_id(P256B))),
    tls_sub().put(SKI, key_id(P256A)),
    tls_sub().put(SKI, ski(P256A) + null()),
    root().put(SKI, octets(b"key 1"))])

# A cross certificate keeps the identifier that its key has.
established = cross()
established.existing = established.existing.copy().put(SKI, octets(b"old id"))
other_key = cross().put(SKI, octets(b"old id"))
other_key.existing = tls_sub().put(SKI, octets(b"old id"))
pair("SKI-METHOD", ruleset=TLS,
     good=established.put(SKI, octets(b"old id")), bad=other_key)

pair("SKI-UNIQUE", ruleset=TLS, good=tls_sub(),
     bad=tls_sub().put(SKI, ski(root().key)))
pair("SKI-UNIQUE", ruleset=TLS, good=cross(),
     bad=cross().put(SKI, octets(digest_id("sha256", cross().key))))
shared = cross()
shared.existing = tls_sub().put(SKI, ski(shared.key))
pair("SKI-UNIQUE", ruleset=TLS, good=cross(), bad=shared)

pair("SKI-NONCRIT", ruleset=RFC, good=tls_sub(), bad=[
    critical(tls_sub(), SKI), critical(root(), SKI),
    critical(responder(), SKI)])

KEY = raw(0x80, key_id(root().key))
ISSUER = raw(0xA1, gn_dir(root().subject))
NUMBER = raw(0x82, b"\x11")
pair("AKI-KEYID-ONLY", ruleset=TLS, good=tls_sub(), bad=[
    tls_sub().drop(AKI), critical(tls_sub(), AKI),
    tls_sub().put(AKI, aki(P256B)),
    tls_sub().put(AKI, seq()),
    tls_sub().put(AKI, seq(KEY, ISSUER, NUMBER)),
    tls_sub().put(AKI, seq(KEY, ISSUER)),
    tls_sub().put(AKI, seq(KEY, NUMBER)),
    tls_sub().put(AKI, seq(ISSUER, NUMBER)),
    tls_sub().put(AKI, seq(KEY, null())),
    tls_sub().put(AKI, octets(key_id(root().key)))])
pair("AKI-KEYID-ONLY", ruleset=RFC,
     good=tls_sub().put(AKI, seq(KEY, ISSUER, NUMBER)), bad=[
         tls_sub().put(AKI, seq(KEY, ISSUER)),
         tls_sub().put(AKI, seq(KEY, NUMBER)),
         tls_sub().put(AKI, seq(ISSUER, NUMBER))])
pair("AKI-KEYID-ONLY", ruleset=TLS, good=leaf(), bad=[
    leaf().drop(AKI), responder().drop(AKI), precert().drop(AKI)])
pair("AKI-KEYID-ONLY", ruleset=TLS, good=leaf().drop(SKI), issuer=None,
     bad=leaf().put(AKI, seq()))
pair("AKI-KEYID-ONLY", ruleset=TLS, good=crl_ee(), bad=[
    crl_ee().drop(AKI), crl_ee().put(AKI, aki(P256B)),
    critical(crl_ee(), AKI), crl_ca().drop(AKI),
    crl_ca().put(AKI, seq(KEY, ISSUER, NUMBER))])

renamed = root().put(SKI, octets(digest_id("sha256", root().key)))
nameless = root().drop(SKI)
pair("AKI-FROM-BYTES", ruleset=TLS, good=tls_sub(), bad=[
    tls_sub().set(parent=renamed), tls_sub().set(parent=nameless),
    tls_sub().put(AKI, aki(P256B))])
pair("AKI-FROM-BYTES", ruleset=TLS, good=crl_ca(), bad=[
    crl_ca().set(parent=renamed), crl_ca().put(AKI, aki(P256B))])

# ---- keyUsage ---------------------------------------------------------

pair("KU-NONZERO", ruleset=RFC, good=tls_sub(), bad=[
    tls_sub().put(KEY_USAGE, bytes.fromhex(value), True) for value in (
        "030100", "03020000", "03020700", "03020006", "03020006", "03020206",
        "0303010600", "0303000600", "0304010600ff", "0303070600", "03020906",
        "03030606c0", "03020880", "040106", "0302010600", "03")])
pair("KU-NONZERO", ruleset=RFC,
     good=client().put(KEY_USAGE, bytes.fromhex("0303070880"), True),
     bad=client().put(KEY_USAGE, bytes.fromhex("0303060840"), True))

pair("KU-CRITICAL", ruleset=TLS, good=leaf(), bad=[
    not_critical(leaf(), KEY_USAGE), not_critical(root(), KEY_USAGE),
    not_critical(tls_sub(), KEY_USAGE),
    not_critical(responder(), KEY_USAGE)])
pair("KU-CRITICAL", ruleset=TLS, good=leaf().drop(KEY_USAGE),
     bad=not_critical(precert(), KEY_USAGE))

pair("KU-CERTSIGN-CA", ruleset=RFC, good=tls_sub(), bad=[
    leaf().put(KEY_USAGE, ku(0, 5), True),
    leaf().put(KEY_USAGE, ku(5), True).drop(BASIC_CONSTRAINTS),
    responder().put(KEY_USAGE, ku(0, 5), True),
    smime().put(KEY_USAGE, ku(5), True), cs().put(KEY_USAGE, ku(5), True)])

pair("KU-EC-NOENC", ruleset=RFC, good=leaf(), bad=[
    leaf().put(KEY_USAGE, ku(0, 2), True),
    leaf().put(KEY_USAGE, ku(0, 3), True),
    leaf().put(KEY_USAGE, ku(2, 3), True),
    csr().put(KEY_USAGE, ku(0, 2), True),
    csr().put(KEY_USAGE, ku(3), True)])
pair("KU-EC-NOENC", ruleset=RFC, good=csr().put(KEY_USAGE, ku(0), True),
     bad=tls_sub().put(KEY_USAGE, ku(2, 5, 6), True))
pair("KU-EC-NOENC", ruleset=RFC,
     good=leaf().set(spki=RSA2048A.spki).put(KEY_USAGE, ku(0, 2), True),
     bad=leaf().put(KEY_USAGE, ku(0, 2), True))

OTHER_PURPOSE = OWN + ".3"
for purpose, fits, misfits in (
        (SERVER_AUTH, (0, 2, 4), (1, 3, 6)), (CLIENT_AUTH, (0, 4), (1, 2, 3)),
        (CODE_SIGNING, (0,), (1, 2, 4)),
        (EMAIL_PROTECTION, (0, 1, 2, 4), (3, 6)),
        (TIME_STAMPING, (0, 1), (2, 4)), (OCSP_SIGNING, (0, 1), (2, 4, 6))):
    for bit in fits:
        pair("KU-EKU-CONSISTENT", ruleset=RFC,
             good=client().put(EXT_KEY_USAGE, eku(purpose))
             .put(KEY_USAGE, ku(bit), True),
             bad=[client().put(EXT_KEY_USAGE, eku(purpose))
                  .put(KEY_USAGE, ku(wrong), True) for wrong in misfits])
pair("KU-EKU-CONSISTENT", ruleset=RFC,
     good=client().put(EXT_KEY_USAGE, eku(CODE_SIGNING, OTHER_PURPOSE))
     .put(KEY_USAGE, ku(2), True),
     bad=client().put(EXT_KEY_USAGE, eku(CODE_SIGNING, TIME_STAMPING))
     .put(KEY_USAGE, ku(2), True))
pair("KU-EKU-CONSISTENT", ruleset=RFC, good=tls_sub(),
     bad=leaf().put(KEY_USAGE, ku(6), True))

# ---- basicConstraints -------------------------------------------------

pair("BC-CA-CRIT", ruleset=RFC, good=tls_sub(), bad=[
    not_critical(tls_sub(), BASIC_CONSTRAINTS),
    not_critical(root(), BASIC_CONSTRAINTS),
    not_critical(cross(), BASIC_CONSTRAINTS)])

pair("BC-PATHLEN-COND", ruleset=RFC, good=tls_sub(), bad=[
    leaf().put(BASIC_CONSTRAINTS, bc(False, 0), True),
    tls_sub().put(KEY_USAGE, ku(6), True),
    tls_sub().drop(KEY_USAGE),
    leaf().put(BASIC_CONSTRAINTS, null(), True),
    leaf().put(BASIC_CONSTRAINTS, bc() + null(), True)])
pair("BC-PATHLEN-COND", ruleset=RFC,
     good=tls_sub().put(BASIC_CONSTRAINTS, bc(True), True)
     .put(KEY_USAGE, ku(6), True),
     bad=client().put(BASIC_CONSTRAINTS, bc(False, 1), True))

EXPLICIT_FALSE = seq(raw(0x01, b"\0"))
pair("BC-EE-BYTES", ruleset=TLS, good=leaf(), bad=[
    leaf().put(BASIC_CONSTRAINTS, EXPLICIT_FALSE, True),
    precert().put(BASIC_CONSTRAINTS, EXPLICIT_FALSE, True),
    leaf().put(BASIC_CONSTRAINTS, bc(False, 0), True),
    responder().put(BASIC_CONSTRAINTS, EXPLICIT_FALSE, True),
    smime().put(BASIC_CONSTRAINTS, EXPLICIT_FALSE, True),
    leaf().put(BASIC_CONSTRAINTS, b"\x30\x81\x00", True)])
pair("BC-EE-BYTES", ruleset=TLS, good=leaf().drop(BASIC_CONSTRAINTS),
     bad=leaf().put(BASIC_CONSTRAINTS, b"", True))

# ---- extKeyUsage ------------------------------------------------------

pair("EKU-NONCRIT", ruleset=TLS, good=leaf(), bad=[
    critical(leaf(), EXT_KEY_USAGE), critical(tls_sub(), EXT_KEY_USAGE),
    critical(responder(), EXT_KEY_USAGE)])
pair("EKU-NONCRIT", ruleset=CS, good=cs(), bad=critical(cs(), EXT_KEY_USAGE))
pair("EKU-NONCRIT", ruleset=CS,
     good=cs().put(EXT_KEY_USAGE, eku(TIME_STAMPING), True),
     bad=cs().put(EXT_KEY_USAGE, eku(TIME_STAMPING)))

pair("EKU-NO-DUP", ruleset=RFC,
     good=leaf().put(EXT_KEY_USAGE, eku(SERVER_AUTH, CLIENT_AUTH)), bad=[
         leaf().put(EXT_KEY_USAGE, eku(SERVER_AUTH, SERVER_AUTH)),
         leaf().put(EXT_KEY_USAGE, eku(SERVER_AUTH, CLIENT_AUTH,
                                       SERVER_AUTH)),
         tls_sub().put(EXT_KEY_USAGE, eku(SERVER_AUTH, SERVER_AUTH)),
         leaf().put(EXT_KEY_USAGE, oid(SERVER_AUTH)),
         leaf().put(EXT_KEY_USAGE, seq(oid(SERVER_AUTH), null())),
         leaf().put(EXT_KEY_USAGE, eku(SERVER_AUTH) + null())])

pair("EKU-EE-PRESENT", ruleset=TLS, good=leaf(), bad=[
    leaf().drop(EXT_KEY_USAGE), leaf().put(EXT_KEY_USAGE, eku(ANY_EKU)),
    leaf().put(EXT_KEY_USAGE, eku(SERVER_AUTH, ANY_EKU)),
    responder().put(EXT_KEY_USAGE, eku(OCSP_SIGNING, ANY_EKU)),
    smime().put(EXT_KEY_USAGE, eku(EMAIL_PROTECTION, ANY_EKU)),
    cs().put(EXT_KEY_USAGE, eku(CODE_SIGNING, ANY_EKU))])

# ---- certificatePolicies ----------------------------------------------


def with_policies(obj, *policies):
    return obj.put(POLICIES, cp(*policies))


MINE = OWN + ".1"
pair("POL-CA-FORM", ruleset=TLS, good=tls_sub(), bad=[
    with_policies(tls_sub(), ANY_POLICY, OV),
    with_policies(tls_sub(), MINE, ANY_POLICY),
    with_policies(tls_sub(), MINE), with_policies(tls_sub(), DV, OV),
    with_policies(tls_sub(), EV, OV), with_policies(tls_sub(), IV, MINE, EV),
    with_policies(tc_sub(), MINE), with_policies(tc_sub(), ANY_POLICY, OV)])
pair("POL-CA-FORM", ruleset=TLS, good=with_policies(tls_sub(), ANY_POLICY),
     bad=with_policies(tls_sub(), CS_POLICY))
for reserved in (DV, OV, IV, EV):
    pair("POL-CA-FORM", ruleset=TLS,
         good=with_policies(tls_sub(), reserved, MINE),
         bad=with_policies(tls_sub(), reserved, ANY_POLICY))


def policy_ca(*policies):
    return with_policies(
        tls_sub().put(BASIC_CONSTRAINTS, bc(True, 1), True), *policies)


pair("POL-POLICYCA-TRAP", ruleset=TLS, good=policy_ca(ANY_POLICY), bad=[
    policy_ca(DV, OV),
    policy_ca(DV, OV).put(BASIC_CONSTRAINTS, bc(True), True)])
pair("POL-POLICYCA-TRAP", ruleset=TLS, good=with_policies(tls_sub(), DV, OV),
     bad=policy_ca(DV, OV, EV))
pair("POL-POLICYCA-TRAP", ruleset=TLS, good=policy_ca(OV, MINE),
     bad=policy_ca(OV, MINE, EV))

pair("POL-FIRST", ruleset=TLS, good=with_policies(leaf(), OV, MINE), bad=[
    with_policies(leaf(), MINE, OV), with_policies(tls_sub(), MINE, OV),
    with_policies(cross(), MINE, EV), with_policies(tc_sub(), MINE, DV)])
pair("POL-FIRST", ruleset=TLS, good=with_policies(leaf(), MINE),
     bad=with_policies(precert(), MINE, OV))

pair("POL-NONCRIT", ruleset=TLS, good=leaf(), bad=[
    critical(leaf(), POLICIES), critical(tls_sub(), POLICIES)])

pair("POL-NO-DUP", ruleset=RFC, good=with_policies(leaf(), OV, MINE), bad=[
    with_policies(leaf(), OV, OV), with_policies(leaf(), OV, MINE, OV),
    with_policies(tls_sub(), policy(OV, cps("http://example.org/")), OV)])

LINK = "https://www.example.org/cps"
pair("POL-QUALIFIERS", ruleset=TLS, good=leaf(), bad=[
    with_policies(leaf(), policy(OV, qualifier)) for qualifier in (
        cps(LINK), cps("http://www.example.org/cps"), user_notice("text"),
        seq(oid(OWN), null()), cps("ftp://www.example.org/"), cps("cps"),
        seq(oid("1.3.6.1.5.5.7.2.1"), utf8(LINK)),
        seq(oid("1.3.6.1.5.5.7.2.1"), null()))])
pair("POL-QUALIFIERS", ruleset=TLS, good=with_policies(non_tls_sub(), MINE),
     bad=[with_policies(make(), policy(OV, cps(LINK)))
          for make in (tls_sub, tc_sub, non_tls_sub, cross, responder)])

pair("POL-ANY-QUAL", ruleset=RFC, good=with_policies(
    smime_ca(), policy(ANY_POLICY, cps(LINK), user_notice("text"))), bad=[
        with_policies(smime_ca(), policy(ANY_POLICY, seq(oid(OWN), null()))),
        with_policies(smime_ca(), OV, policy(
            ANY_POLICY, cps(LINK), seq(oid(OWN), null()))),
        leaf().put(POLICIES, null()), leaf().put(POLICIES, seq(null())),
        leaf().put(POLICIES, cp(OV) + null()),
        leaf().put(POLICIES, seq(seq(oid(OV), seq()))),
        leaf().put(POLICIES, seq(seq(oid(OV), null()))),
        leaf().put(POLICIES, seq(seq(oid(OV), seq(seq(oid(OWN))))))])
pair("POL-ANY-QUAL", ruleset=RFC, good=with_policies(
    leaf(), policy(OV, seq(oid(OWN), null()))),
    bad=with_policies(leaf(), policy(ANY_POLICY, seq(oid(OWN), null()))))


def notice(text=None, content=None, make=smime_ca):
    return with_policies(make(), policy(
        SMIME_MAILBOX_STRICT, user_notice(text, content)))


def visible(text):
    return raw(0x1A, text.encode())


REFERENCE = seq(utf8("Example"), seq(integer(1)))
pair("POL-EXPLICITTEXT", ruleset=SMIME, good=notice("a" * 200),
     bad=[notice("a" * 201), notice("å" * 201),
          notice(content=visible("a" * 201)), notice(content=bmp("a" * 201)),
          notice("a" * 201, make=smime)])
pair("POL-EXPLICITTEXT", ruleset=SMIME, good=notice("å" * 200), bad=[
    notice(content=ia5("text")), notice(content=t61("text")),
    notice(content=printable("text"))])
pair("POL-EXPLICITTEXT", ruleset=SMIME, good=notice(content=visible("text")),
     bad=[notice(content=raw(0x1A, b"t\xc3\xa5")),
          notice(content=raw(0x0C, b"t\xe5")),
          notice(content=raw(0x0C, b"\xc0\x80")),
          notice(content=raw(0x0C, b"\xed\xa0\x80")),
          notice(content=raw(0x0C, b"\xf4\x90\x80\x80")),
          notice(content=raw(0x0C, b"a\xc3"))])
pair("POL-EXPLICITTEXT", ruleset=SMIME, good=notice(content=bmp("tøxt")), bad=[
    notice(content=raw(0x1E, b"\0t\0")), notice(content=bmp("\U0001f511"))])
pair("POL-EXPLICITTEXT", ruleset=SMIME, good=notice("line. Line"), bad=[
    notice("line\nline"), notice("\x7f"), notice("\u0085"), notice("a\0"),
    notice(content=visible("a\tb")), notice(content=bmp("a\tb"))])
pair("POL-EXPLICITTEXT", ruleset=SMIME, good=notice("\u00e9\u1eb9\u0301"),
     bad=[notice("e\u0301"), notice("\u00e9\u0323"), notice("\u212b"),
          notice("\u1112\u1161\u11ab"), notice(content=bmp("e\u0301"))])
pair("POL-EXPLICITTEXT", ruleset=SMIME, good=notice(content=utf8("text")),
     bad=[notice(content=REFERENCE), notice(content=REFERENCE + utf8("text")),
          notice(content=utf8("text") + null()),
          with_policies(smime_ca(), policy(SMIME_MAILBOX_STRICT, seq(
              oid("1.3.6.1.5.5.7.2.2"), null())))])


def below(parent, obj):
    return obj.set(parent=parent)


pair("POL-CHAIN", ruleset=RFC, good=leaf(), bad=[
    with_policies(leaf(), OV, MINE), with_policies(leaf(), EV),
    below(tls_sub().drop(POLICIES), leaf())])
pair("POL-CHAIN", ruleset=RFC, good=with_policies(leaf(), ANY_POLICY),
     bad=below(with_policies(tls_sub(), ANY_POLICY).put(
         INHIBIT_ANY_POLICY, integer(0), True),
         with_policies(leaf(), ANY_POLICY)))
pair("POL-CHAIN", ruleset=RFC,
     good=below(with_policies(tls_sub(), ANY_POLICY),
                with_policies(leaf(), EV, MINE)),
     bad=below(with_policies(tls_sub(), DV, MINE),
               with_policies(leaf(), EV, MINE)))
mapping = with_policies(tls_sub(), OV, MINE).put(
    POLICY_MAPPINGS, seq(seq(oid(MINE), oid(EV))), True)
pair("POL-CHAIN", ruleset=RFC,
     good=below(mapping, with_policies(leaf(), OV, EV)),
     bad=below(mapping, with_policies(leaf(), MINE)))
mapping = with_policies(tls_sub(), OV).put(
    POLICY_MAPPINGS, seq(seq(oid(MINE), oid(EV))), True)
pair("POL-CHAIN", ruleset=RFC, good=below(mapping, leaf()),
     bad=below(mapping, with_policies(leaf(), EV)))
pair("POL-CHAIN", ruleset=RFC, good=with_policies(tls_sub(), OV, EV),
     bad=below(policy_ca(DV), tls_sub()))

# ---- nameConstraints --------------------------------------------------


def constrained(permitted=(), excluded=(), make=tls_sub):
    return make().put(NAME_CONSTRAINTS, nc(permitted, excluded), True)


def raw_constrained(value, make=tls_sub):
    return make().put(NAME_CONSTRAINTS, value, True)


EXAMPLE = gn_dns("example.com")
pair("NC-CA-ONLY", ruleset=RFC, good=constrained([EXAMPLE]), bad=[
    constrained([EXAMPLE], make=make)
    for make in (leaf, precert, responder, smime)])

pair("NC-CRIT", ruleset=RFC, good=constrained([EXAMPLE]), bad=[
    not_critical(constrained([EXAMPLE]), NAME_CONSTRAINTS),
    not_critical(tc_sub(), NAME_CONSTRAINTS),
    not_critical(constrained([gn_mail("example.com")], make=smime_ca),
                 NAME_CONSTRAINTS)])

pair("NC-NONEMPTY", ruleset=RFC, good=constrained([EXAMPLE]), bad=[
    raw_constrained(value) for value in (
        seq(), seq(raw(0xA0)), seq(raw(0xA1)),
        seq(raw(0xA0), raw(0xA1, seq(EXAMPLE))),
        seq(raw(0xA0, seq(EXAMPLE)), raw(0xA1)), null(),
        seq(raw(0xA0, seq(EXAMPLE)), null()),
        seq(raw(0xA1, seq(EXAMPLE)), raw(0xA0, seq(EXAMPLE))),
        seq(raw(0xA0, seq(EXAMPLE) + null())), seq(raw(0xA0, seq())),
        seq(raw(0xA0, seq(EXAMPLE, null()))),
        nc([EXAMPLE]) + null(), nc([gn_dir(seq())]),
        nc([gn_dir(utf8("CN"))]), nc([raw(0xA4, b"")]),
        nc([gn_dir(seq(null()))]), nc([gn_dir(seq(raw(0x31)))]))])
pair("NC-NONEMPTY", ruleset=RFC,
     good=constrained([EXAMPLE], [gn_dir(seq())]),
     bad=constrained([EXAMPLE], [gn_dir(null())]))

pair("NC-MINMAX", ruleset=RFC, good=constrained([EXAMPLE], [EXAMPLE]), bad=[
    constrained([subtree(EXAMPLE, raw(0x80, b"\0"))]),
    constrained([subtree(EXAMPLE, raw(0x80, b"\1"))]),
    constrained([subtree(EXAMPLE, raw(0x81, b"\3"))]),
    constrained([], [subtree(EXAMPLE, raw(0x80, b"\0"))]),
    constrained([], [EXAMPLE, subtree(EXAMPLE, raw(0x81, b"\0"))]),
    constrained([subtree(EXAMPLE, raw(0x80, b"\1") + raw(0x81, b"\3"))])])

pair("NC-DNS-FORM", ruleset=RFC,
     good=constrained([EXAMPLE, gn_dns("com")], [gn_dns("")]), bad=[
         constrained([gn_dns(text)]) for text in (
             "", ".example.com", "*.example.com", "a*.example.com",
             "example..com", "example.com.", "-a.example.com",
             "a_b.example.com", "exa mple.com", "ex\0ample.com",
             "a" * 64 + ".com", ".".join(["a" * 62] * 5), "ex\xe4mple.com")]
     + [constrained([EXAMPLE], [gn_dns(".example.com")])])
pair("NC-DNS-FORM", ruleset=RFC, good=constrained(
    [gn_mail("example.com"), gn_mail(".example.com"),
     gn_mail("bob.b@example.com"), gn_mail('"a b"@example.com')],
    [gn_mail("")], smime_ca), bad=[
        constrained([gn_mail(text)], [], smime_ca) for text in (
            "", "@example.com", "a@", "a@.example.com", "*@example.com ",
            "a..b@example.com", ".a@example.com", "a.@example.com",
            "a b@example.com", "a@b_c.com", "*.example.com",
            "..example.com")])
pair("NC-DNS-FORM", ruleset=RFC, good=constrained(
    [gn_uri("example.com"), gn_uri(".example.com")], [gn_uri("")]), bad=[
        constrained([gn_uri(text)]) for text in (
            "", "http://example.com/", "example.com/", "*.example.com",
            "example.com:80")])

NET4, NET6 = bytes.fromhex("08080800ffffff00"), bytes.fromhex(
    "26001234" + "00" * 12 + "ffffffff" + "00" * 12)
pair("NC-IP-FORM", ruleset=RFC, good=constrained(
    [gn_ip(NET4), gn_ip(NET6)], [gn_ip(bytes(8)), gn_ip(bytes(32))]), bad=[
        constrained([gn_ip(bytes.fromhex(text))]) for text in (
            "", "08080808", "08080800ffffff", "08080800ffffff0000",
            "26001234" + "00" * 12, "08080800ff00ff00", "08080800feff0000",
            "080808000000ffff", "08080801ffffff00", "08080880ffffff00",
            "26001234" + "00" * 12 + "ffffff0f" + "00" * 12,
            "26001234" + "00" * 11 + "01" + "ffffffff" + "00" * 12)]
    + [constrained([], [gn_ip(b"\1" + bytes(7))])])

RESERVED4 = ("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8",
             "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
             "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24",
             "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
             "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
             "224.0.0.0/4", "240.0.0.0/4", "255.255.255.255/32")
RESERVED6 = ("::/128", "::1/128", "::ffff:0:0/96", "64:ff9b::/96",
             "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64", "2001::/23",
             "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20",
             "5f00::/16", "fc00::/7", "fe80::/10", "ff00::/8")


def network(text):
    net = ipaddress.ip_network(text)
    return gn_ip(net.network_address.packed + net.netmask.packed)


pair("NC-IP-RESERVED", ruleset=TLS, good=constrained(
    [gn_ip(NET4), gn_ip(NET6)], [network(text) for text in
                                 RESERVED4 + RESERVED6]), bad=[
        constrained([network(text)]) for text in RESERVED4 + RESERVED6])
pair("NC-IP-RESERVED", ruleset=TLS, good=constrained(
    [network(text) for text in (
        "8.0.0.0/7", "11.0.0.0/8", "100.128.0.0/9", "172.32.0.0/11",
        "192.0.3.0/24", "198.20.0.0/14", "223.0.0.0/8", "2003::/16",
        "2620:4f:8001::/48", "2001:200::/23", "2a00::/12")]), bad=[
        constrained([network(text)]) for text in (
            "0.0.0.0/0", "::/0", "10.1.2.0/24", "8.0.0.0/5", "172.0.0.0/11",
            "192.168.1.1/32", "2000::/3", "2001:db8:1::/48",
            "fd00::/8")])

REST = (raw(0xA3, seq()), raw(0xA5, raw(0xA1, utf8("party"))), gn_rid(OWN))
pair("NC-TYPES", ruleset=RFC, good=constrained(
    [EXAMPLE, gn_mail("example.com"), gn_other(OWN, utf8("a"))],
    [gn_dir(name(("O", "Other")))]), bad=[
        constrained([EXAMPLE, kind]) for kind in REST] + [
        constrained([EXAMPLE], [kind]) for kind in REST])
pair("NC-TYPES", ruleset=TLS, good=constrained(
    [EXAMPLE, gn_dir(name(*ORG))], [gn_ip(bytes(8))]), bad=[
        constrained([EXAMPLE, gn_mail("example.com")]),
        constrained([EXAMPLE], [gn_mail("example.com")]),
        constrained([EXAMPLE, gn_other(OWN, utf8("a"))]),
        constrained([EXAMPLE], [gn_dir(name(*ORG))])])
pair("NC-TYPES", ruleset=TLS,
     good=constrained([gn_mail("example.com")], make=non_tls_sub),
     bad=constrained([], [gn_dir(name(*ORG))], make=non_tls_sub))

pair("NC-VALIDATED", ruleset=TLS, good=constrained([EXAMPLE]), bad=[
    constrained([gn_dns(text)]) for text in (
        "corp", "example.local", "com", "co.uk", "10.in-addr.arpa",
        "ab--cd.example.com", "example.internal")])
pair("NC-VALIDATED", ruleset=PRIVATE,
     good=constrained([gn_dns("example.local")]),
     bad=below(constrained([gn_dns("example.org")]),
               constrained([gn_dns("example.local")])))


def nested(outer, inner, side="permitted"):
    """Below a CA whose nameConstraints hold `outer`."""
    above = constrained(**{side: [outer]})
    return below(above, constrained(permitted=[inner]))


for outer, inner, outside in (
        (EXAMPLE, gn_dns("a.example.com"), gn_dns("anexample.com")),
        (EXAMPLE, gn_dns("EXAMPLE.com"), gn_dns("com")),
        (gn_mail("example.com"), gn_mail("bob@example.com"),
         gn_mail("a.example.com")),
        (gn_mail("example.com"), gn_mail("example.com"),
         gn_mail(".example.com")),
        (gn_mail(".example.com"), gn_mail("bob@a.example.com"),
         gn_mail("bob@example.com")),
        (gn_mail(".example.com"), gn_mail(".example.com"),
         gn_mail("example.com")),
        (gn_mail("bob@example.com"), gn_mail("bob@example.com"),
         gn_mail("alice@example.com")),
        (gn_uri(".example.com"), gn_uri("a.example.com"),
         gn_uri("example.com")),
        (gn_uri("example.com"), gn_uri("example.com"),
         gn_uri("a.example.com")),
        (network("8.8.0.0/16"), network("8.8.8.0/24"),
         network("8.9.0.0/16")),
        (network("8.8.0.0/16"), network("8.8.0.0/16"),
         network("8.0.0.0/8")),
        (network("2600::/16"), network("2600:1::/32"),
         network("2601::/16")),
        (gn_dir(name(*ORG)), gn_dir(name(*ORG, ("CN", "a"))),
         gn_dir(name(("C", "NO")))),
        (gn_dir(name(*ORG)), gn_dir(name(*ORG)),
         gn_dir(name(("C", "NO"), ("O", "Other")))),
        (gn_rid(OWN), gn_rid(OWN), gn_rid(MINE))):
    pair("NC-VALIDATED", ruleset=PRIVATE, good=nested(outer, inner),
         bad=[nested(outer, outside), nested(outer, inner, "excluded")])
pair("NC-VALIDATED", ruleset=PRIVATE, good=nested(EXAMPLE, network(
    "8.8.8.0/24")), bad=nested(gn_ip(bytes(8)), gn_ip(NET4), "excluded"))
pair("NC-VALIDATED", ruleset=PRIVATE, good=nested(gn_ip(NET4), gn_ip(NET6)),
     bad=nested(gn_dns(""), EXAMPLE, "excluded"))

# More pairs than are compared.
THOUSAND = [gn_dns("a%d.example.com" % i) for i in range(1000)]
pair("NC-VALIDATED", ruleset=PRIVATE,
     good=below(constrained(THOUSAND), constrained(THOUSAND)),
     bad=below(constrained(THOUSAND), constrained(THOUSAND + THOUSAND[:1])))

DIR = gn_dir(name(*ORG))
NO4, NO6, NO_DNS = gn_ip(bytes(8)), gn_ip(bytes(32)), gn_dns("")
pair("NC-TC-DNS", ruleset=TLS, good=tc_sub(), bad=[
    constrained([DIR], [gn_dns("example.org"), NO4, NO6])])
pair("NC-TC-DNS", ruleset=TLS, good=constrained([DIR], [NO_DNS, NO4, NO6]),
     bad=constrained([DIR, gn_ip(NET4)], [gn_dns("example.org"), NO6]))
pair("NC-TC-IP4", ruleset=TLS, good=tc_sub(), bad=[
    constrained([EXAMPLE, DIR], [NO6]),
    constrained([EXAMPLE, DIR], [NO6, gn_ip(NET4)]),
    constrained([EXAMPLE, DIR, gn_ip(NET6)])])
pair("NC-TC-IP4", ruleset=TLS,
     good=constrained([EXAMPLE, DIR, gn_ip(NET4)], [NO6]),
     bad=constrained([EXAMPLE, DIR], [gn_ip(NET4), NO6]))
pair("NC-TC-IP6", ruleset=TLS, good=tc_sub(), bad=[
    constrained([EXAMPLE, DIR], [NO4]),
    constrained([EXAMPLE, DIR], [NO4, gn_ip(NET6)]),
    constrained([EXAMPLE, DIR, gn_ip(NET4)])])
pair("NC-TC-IP6", ruleset=TLS,
     good=constrained([EXAMPLE, DIR, gn_ip(NET6)], [NO4]),
     bad=constrained([EXAMPLE, DIR], [gn_ip(NET6), NO4]))
pair("NC-TC-DIR", ruleset=TLS, good=tc_sub(), bad=[
    constrained([EXAMPLE], [NO4, NO6]),
    constrained([EXAMPLE], [NO4, NO6, DIR])])
pair("NC-TC-OTHERTYPES", ruleset=TLS, good=tc_sub(), bad=[
    constrained([EXAMPLE, DIR, kind], [NO4, NO6])
    for kind in REST + (gn_mail("example.com"), gn_uri("example.com"),
                        gn_other(OWN, utf8("a")))] + [
    constrained([EXAMPLE, DIR], [NO4, NO6, gn_mail("example.com")])])


def dir_of(*pairs_):
    return constrained([gn_dir(name(*pairs_))])


pair("NC-DN-ENCODING", ruleset=RFC, good=dir_of(*ORG), bad=[
    dir_of(("C", "NO"), ("O", printable("Example Trust AS"))),
    dir_of(("C", "NO"), ("O", "EXAMPLE Trust AS")),
    dir_of(("C", "no")), dir_of(("C", utf8("NO"))),
    dir_of(("C", "NO"), ("O", t61("Other"))),
    dir_of(("C", "NO"), ("O", bmp("Other"))),
    dir_of(("DC", utf8("example"))),
    constrained([], [gn_dir(name(("O", printable("Example Trust AS"))))])])
pair("NC-DN-ENCODING", ruleset=RFC,
     good=dir_of(("C", "SE"), ("O", printable("Other")), ("DC", "example")),
     bad=dir_of(("C", "SE"), ("serialNumber", utf8("1"))))
pair("NC-DN-ENCODING", ruleset=RFC, good=below(dir_of(*ORG), tls_sub()),
     bad=[below(dir_of(("C", "NO"), ("O", printable("Example Trust AS"))),
                tls_sub()),
          below(dir_of(("C", "NO"), ("O", "Example trust AS")), tls_sub())])
pair("NC-DN-ENCODING", ruleset=RFC,
     good=below(dir_of(("C", "NO"), ("O", "Other")), tls_sub()),
     bad=below(dir_of(("C", "no")), tls_sub()))

# ---- authorityInfoAccess ----------------------------------------------

CERT, OCSP = "http://ca.example.org/a.cer", "http://ocsp.example.org/"


def with_aia(*rows, make=leaf):
    return make().put(INFO_ACCESS, seq(*rows))


pair("AIA-NONCRIT", ruleset=RFC, good=leaf(), bad=[
    critical(leaf(), INFO_ACCESS), critical(tls_sub(), INFO_ACCESS),
    with_aia(), leaf().put(INFO_ACCESS, null()), with_aia(null()),
    with_aia(seq(oid(AD_OCSP))),
    with_aia(access(AD_OCSP, OCSP), null()),
    with_aia(seq(oid(AD_OCSP), gn_uri(OCSP), null())),
    leaf().put(INFO_ACCESS, aia(CERT) + null())])

pair("AIA-METHODS", ruleset=TLS, good=leaf().put(INFO_ACCESS, aia(CERT, OCSP)),
     bad=[with_aia(access("1.3.6.1.5.5.7.48.3", CERT)),
          with_aia(access(AD_CA_ISSUERS, CERT), access(OWN, CERT)),
          with_aia(access("1.3.6.1.5.5.7.48.5", CERT), make=tls_sub)])

BAD_URLS = (
    "https://ca.example.org/a", "ldap://ca.example.org/a",
    "ftp://ca.example.org/a", "HTTPS://ca.example.org/a", "ca.example.org/a",
    "/a", "http:/ca.example.org/a", "http:ca.example.org", "http://", "",
    "http:///a", "http://ca/a", "http://ca.local/a", "http://ca.internal/a",
    "http://192.0.2.1/a", "http://8.8.8.8/a", "http://[2600::1]/a",
    "http://user@ca.example.org/a", "http://user:pw@ca.example.org/a",
    "http://ca.example.org/a#b", "http://ca.example.org/a b",
    "http://ca.example.org/%zz", "http://ca.example.org/a\\b",
    "http://ca.example.org/\xe5", "http://ca.example.org/a\0",
    "http://ca_1.example.org/a", "http://-ca.example.org/a",
    "http://ca..example.org/a", "http://ca.example.org./a",
    "http://*.example.org/a", "http://ca.example.org:0/a",
    "http://ca.example.org:65536/a", "http://ca.example.org:x/a",
    "http://ca.10.in-addr.arpa/a", " http://ca.example.org/a")
GOOD_URLS = (
    "http://ca.example.org/a", "http://ca.example.org", "HTTP://ca.example.org",
    "http://ca.example.org/a/b.cer?x=y&z=%20;", "http://ca.example.org:8080/a",
    "http://ca.example.org:/a", "http://xn--bcher-kva.example.org/a",
    "http://ca.example.org/(a)~!$'*+,=:@")
for good in GOOD_URLS:
    pair("AIA-HTTP", ruleset=TLS,
         good=with_aia(access(AD_CA_ISSUERS, good)),
         bad=with_aia(access(AD_OCSP, good.replace("http", "ldap")
                             .replace("HTTP", "ldap"))))
    pair("CDP-HTTP", ruleset=TLS, good=leaf().put(CRL_POINTS, cdp(good)),
         bad=leaf().put(CRL_POINTS, cdp("https" + good[4:])))
pair("AIA-HTTP", ruleset=TLS, good=leaf().put(INFO_ACCESS, aia(CERT, OCSP)),
     bad=[with_aia(access(AD_CA_ISSUERS, url)) for url in BAD_URLS]
     + [with_aia(access(AD_OCSP, "https://ocsp.example.org/")),
        with_aia(access(OWN, "https://ca.example.org/")),
        with_aia(access(AD_CA_ISSUERS, CERT), access(AD_OCSP, gn_dns("a.b"))),
        with_aia(access(AD_CA_ISSUERS, DIR)),
        with_aia(access(AD_CA_ISSUERS, "ldap://ca.example.org/"),
                 make=tls_sub)])

pair("AIA-UNIQUE", ruleset=TLS,
     good=with_aia(access(AD_OCSP, CERT), access(AD_CA_ISSUERS, CERT)), bad=[
         with_aia(access(AD_OCSP, OCSP), access(AD_OCSP, OCSP)),
         with_aia(access(AD_CA_ISSUERS, CERT), access(AD_OCSP, OCSP),
                  access(AD_CA_ISSUERS, CERT)),
         with_aia(access(AD_CA_ISSUERS, CERT), access(AD_CA_ISSUERS, CERT),
                  make=tls_sub)])
pair("AIA-UNIQUE", ruleset=TLS,
     good=with_aia(access(AD_OCSP, OCSP), access(AD_OCSP, OCSP + "2")),
     bad=with_aia(access(OWN, OCSP), access(OWN, OCSP)))

# ---- cRLDistributionPoints --------------------------------------------

CRL = "http://ca.example.org/a.crl"
FULL = full_name(CRL)
RELATIVE = raw(0xA0, raw(0xA1, take(rdn(("CN", "crl")))[1]))
REASONS = raw(0x81, b"\x05\x60")
CRL_ISSUER = raw(0xA2, gn_dir(root().subject))


def with_points(*points, make=leaf):
    return make().put(CRL_POINTS, seq(*points))


pair("CDP-NONCRIT", ruleset=TLS, good=leaf(), bad=[
    critical(leaf(), CRL_POINTS), critical(tls_sub(), CRL_POINTS)])

pair("CDP-ONE-DP", ruleset=TLS, good=leaf(), bad=[
    with_points(seq(FULL), seq(full_name(CRL + "2"))), with_points(),
    with_points(seq(FULL), seq(FULL), seq(FULL), make=tls_sub)])
pair("CDP-ONE-DP", ruleset=TLS, good=leaf().put(
    CRL_POINTS, cdp(CRL, CRL + "2")), bad=with_points(seq(FULL), seq(FULL)))

pair("CDP-FULLNAME", ruleset=TLS, good=leaf(), bad=[
    with_points(seq(REASONS)), with_points(seq()),
    with_points(seq(CRL_ISSUER)), with_points(seq(RELATIVE)),
    with_points(seq(raw(0xA0, raw(0xA0)))), with_points(seq(raw(0xA0))),
    with_points(seq(FULL), seq(RELATIVE)), with_points(),
    leaf().put(CRL_POINTS, null()), with_points(seq(FULL), null()),
    with_points(seq(FULL, null())), with_points(seq(RELATIVE), make=tls_sub),
    leaf().put(CRL_POINTS, cdp(CRL) + null())])
pair("CDP-FULLNAME", ruleset=RFC, good=with_points(seq(CRL_ISSUER)), bad=[
    with_points(seq(REASONS)), with_points(seq())])
pair("CDP-FULLNAME", ruleset=RFC, good=with_points(seq(RELATIVE)),
     bad=with_points(seq(CRL_ISSUER), seq(REASONS)))

pair("CDP-NO-REASONS", ruleset=TLS, good=leaf(), bad=[
    with_points(seq(FULL, REASONS)), with_points(seq(FULL, CRL_ISSUER)),
    with_points(seq(FULL), seq(FULL, REASONS, CRL_ISSUER)),
    with_points(seq(FULL, REASONS), make=tls_sub)])

pair("CDP-HTTP", ruleset=TLS, good=leaf().put(CRL_POINTS, cdp(CRL, CRL + "2")),
     bad=[leaf().put(CRL_POINTS, cdp(url)) for url in BAD_URLS]
     + [leaf().put(CRL_POINTS, cdp(CRL, "ldap://ca.example.org/cn=a")),
        leaf().put(CRL_POINTS, cdp(CRL, gn_dns("ca.example.org"))),
        leaf().put(CRL_POINTS, cdp(DIR)),
        with_points(seq(FULL), seq(full_name("https://ca.example.org/"))),
        tls_sub().put(CRL_POINTS, cdp("https://ca.example.org/a.crl"))])

# ---- extensions that are in no profile ---------------------------------

pair("FRESHEST-ABSENT", ruleset=TLS, good=leaf(), bad=[
    make().put(FRESHEST_CRL, cdp(CRL)) for make in (leaf, tls_sub, root)])

ATTRIBUTE = seq(seq(oid("1.3.6.1.5.5.7.9.4"), raw(0x31, printable("NO"))))
pair("SIA-ABSENT", ruleset=TLS, good=leaf(), bad=[
    make().put(kind, value) for make in (leaf, precert, tls_sub, root,
                                         responder)
    for kind, value in (
        (SUBJECT_INFO_ACCESS, seq(access("1.3.6.1.5.5.7.48.5", CRL))),
        (SUBJECT_DIRECTORY_ATTRIBUTES, ATTRIBUTE))])

UNKNOWN = (OWN + ".9", "1.3.6.1.4.1.311.21.7", "1.3.6.1.4.1.311.20.2",
           "2.16.840.1.113730.1.1", "1.2.840.113533.7.65.0", "2.5.29.16",
           "2.5.29.1", "2.23.140.1.31", "1.3.6.1.5.5.7.1.31",
           "1.2.840.113635.100.6.27.2", "2.5.29.72",
           ".".join(["2.999"] + ["123456789"] * 12))
pair("EXT-OTHER-PUBLIC", ruleset=TLS, good=leaf(), bad=[
    leaf().put(kind, utf8("a")) for kind in UNKNOWN] + [
    make().put(OWN + ".9", null()) for make in (
        root, tls_sub, tc_sub, non_tls_sub, cross, responder, precert)])
TLS_FEATURE = "1.3.6.1.5.5.7.1.24"
pair("EXT-OTHER-PUBLIC", ruleset=TLS,
     good=leaf().put(TLS_FEATURE, seq(integer(5))), bad=[
         leaf().put(TLS_FEATURE, seq(integer(5)) + null()),
         leaf().put(TLS_FEATURE, b""), leaf().put(TLS_FEATURE, b"a"),
         leaf().put(TLS_FEATURE, b"\x30\x80\x02\x01\x05\0\0"),
         responder().put(TLS_FEATURE, seq(integer(5)))])
pair("EXT-OTHER-PUBLIC", ruleset=TLS, good=precert(),
     bad=tls_sub().put(POISON, null(), True))
pair("EXT-OTHER-PUBLIC", ruleset=TLS,
     good=tls_sub().put(INHIBIT_ANY_POLICY, integer(0), True),
     bad=leaf().put(INHIBIT_ANY_POLICY, integer(0), True))
pair("EXT-OTHER-PUBLIC", ruleset=SMIME,
     good=smime().put("1.2.840.113549.1.9.15", seq()),
     bad=smime().put(OWN + ".9", null()))
