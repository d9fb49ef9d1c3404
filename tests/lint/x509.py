"""Certificates, CRLs, OCSP responses and requests, part by part.

The base objects (root(), leaf(), ...) are clean under the rulesets of BASE.  A
test takes one, changes a part, and has an object that is wrong in that alone:

    leaf().put(KEY_USAGE, ku(0, 5), critical=True)
    root().set(not_after="2025-01-01T00:00:00Z")

set(), put() and drop() return the object.  Each call of a base makes a new one.
A signature is made when der() is called, by `signer`, so that it fits; with
`signature` it is these octets.
"""
import copy
import hashlib

from der import *  # noqa: F401,F403: tests want all of it
from der import (bits, boolean, enumerated, explicit, gentime, ia5, implicit,
                 integer, named_bits, null, octets, oid, parts, printable, raw,
                 seq, take, utctime, utf8)
from keys import *  # noqa: F401,F403
from keys import (P256A, P256B, P256C, P256D, P256E, P256F, P384A, P384B,
                  P384C, P384D, P384E, P384F, hash_id)

SUBJECT_DIRECTORY_ATTRIBUTES = "2.5.29.9"
SKI = "2.5.29.14"
KEY_USAGE = "2.5.29.15"
SAN = "2.5.29.17"
IAN = "2.5.29.18"
BASIC_CONSTRAINTS = "2.5.29.19"
CRL_NUMBER = "2.5.29.20"
CRL_REASON = "2.5.29.21"
INVALIDITY_DATE = "2.5.29.24"
DELTA_CRL = "2.5.29.27"
IDP = "2.5.29.28"
CERTIFICATE_ISSUER = "2.5.29.29"
NAME_CONSTRAINTS = "2.5.29.30"
CRL_POINTS = "2.5.29.31"
POLICIES = "2.5.29.32"
POLICY_MAPPINGS = "2.5.29.33"
AKI = "2.5.29.35"
POLICY_CONSTRAINTS = "2.5.29.36"
EXT_KEY_USAGE = "2.5.29.37"
FRESHEST_CRL = "2.5.29.46"
INHIBIT_ANY_POLICY = "2.5.29.54"
NO_REV_AVAIL = "2.5.29.56"
INFO_ACCESS = "1.3.6.1.5.5.7.1.1"
SUBJECT_INFO_ACCESS = "1.3.6.1.5.5.7.1.11"
OCSP_NOCHECK = "1.3.6.1.5.5.7.48.1.5"
OCSP_NONCE = "1.3.6.1.5.5.7.48.1.2"
SCT_LIST = "1.3.6.1.4.1.11129.2.4.2"
POISON = "1.3.6.1.4.1.11129.2.4.3"
OCSP_BASIC = "1.3.6.1.5.5.7.48.1.1"
AD_OCSP = "1.3.6.1.5.5.7.48.1"
AD_CA_ISSUERS = "1.3.6.1.5.5.7.48.2"
SERVER_AUTH = "1.3.6.1.5.5.7.3.1"
CLIENT_AUTH = "1.3.6.1.5.5.7.3.2"
CODE_SIGNING = "1.3.6.1.5.5.7.3.3"
EMAIL_PROTECTION = "1.3.6.1.5.5.7.3.4"
TIME_STAMPING = "1.3.6.1.5.5.7.3.8"
OCSP_SIGNING = "1.3.6.1.5.5.7.3.9"
ANY_EKU = "2.5.29.37.0"
PRECERT_SIGNING = "1.3.6.1.4.1.11129.2.4.4"
ANY_POLICY = "2.5.29.32.0"
DV, OV, IV = ("2.23.140.1.2.%d" % i for i in (1, 2, 3))
EV = "2.23.140.1.1"
SMIME_MAILBOX_STRICT = "2.23.140.1.5.1.3"
CS_POLICY = "2.23.140.1.4.1"
EXTENSION_REQUEST = "1.2.840.113549.1.9.14"
OWN = "1.3.6.1.4.1.32473"  # RFC 5612: for documentation

ATTRIBUTES = {
    "CN": "2.5.4.3", "SN": "2.5.4.4", "serialNumber": "2.5.4.5",
    "C": "2.5.4.6", "L": "2.5.4.7", "ST": "2.5.4.8", "street": "2.5.4.9",
    "O": "2.5.4.10", "OU": "2.5.4.11", "title": "2.5.4.12",
    "businessCategory": "2.5.4.15", "postalCode": "2.5.4.17",
    "GN": "2.5.4.42", "pseudonym": "2.5.4.65",
    "organizationIdentifier": "2.5.4.97",
    "DC": "0.9.2342.19200300.100.1.25",
    "emailAddress": "1.2.840.113549.1.9.1",
    "jurisdictionL": "1.3.6.1.4.1.311.60.2.1.1",
    "jurisdictionST": "1.3.6.1.4.1.311.60.2.1.2",
    "jurisdictionC": "1.3.6.1.4.1.311.60.2.1.3",
}
STRINGS = {"C": printable, "serialNumber": printable, "jurisdictionC":
           printable, "DC": ia5, "emailAddress": ia5}


# Parts

def atv(kind, value):
    """`value`: text in the type that the attribute has, or DER."""
    if isinstance(value, str):
        value = STRINGS.get(kind, utf8)(value)
    return seq(oid(ATTRIBUTES.get(kind, kind)), value)


def rdn(*pairs):
    return raw(0x31, b"".join(sorted(atv(*pair) for pair in pairs)))


def name(*pairs):
    """A Name: each pair ("CN", "text or DER") is an RDN of its own."""
    return seq(*(rdn(pair) for pair in pairs))


def name_of_rdns(*rdns):
    return seq(*rdns)


def time(value):
    """ "2026-10-10T00:00:00Z" in the type of RFC 5280; octets stay."""
    if isinstance(value, bytes):
        return value
    digits = "".join(c for c in value if c.isdigit())
    if 1950 <= int(value[:4]) < 2050:
        return utctime(digits[2:] + "Z")
    return gentime(digits + "Z")


def generalized(value):
    if isinstance(value, bytes):
        return value
    return gentime("".join(c for c in value if c.isdigit()) + "Z")


def serial(label):
    """A serial number as the rules want it, made from a label."""
    octets_ = hashlib.sha256(label.encode()).digest()[:20]
    return int.from_bytes(bytes([octets_[0] & 0x3F | 0x40]) + octets_[1:],
                          "big")


def key_bits(spki):
    """The octets of an SPKI's BIT STRING."""
    content = take(parts(take(spki)[1])[1])[1]
    return content[1:]


def key_id(key):
    """RFC 5280, section 4.2.1.2, method 1; of a key, or of an SPKI."""
    spki = key if isinstance(key, bytes) else key.spki
    return hashlib.sha1(key_bits(spki)).digest()


def gn_dns(text):
    return raw(0x82, text.encode("latin-1"))


def gn_mail(text):
    return raw(0x81, text.encode("latin-1"))


def gn_uri(text):
    return raw(0x86, text.encode("latin-1"))


def gn_ip(octets_):
    return raw(0x87, bytes(octets_))


def gn_dir(dn):
    return raw(0xA4, dn)


def gn_other(kind, value):
    return raw(0xA0, oid(kind) + explicit(0, value))


def gn_rid(kind):
    return raw(0x88, take(oid(kind))[1])


# Values of extensions

def bc(ca=False, pathlen=None):
    content = boolean(True) if ca else b""
    if pathlen is not None:
        content += integer(pathlen)
    return seq(content)


def ku(*positions):
    """0 digitalSignature, 2 keyEncipherment, 5 keyCertSign, 6 cRLSign"""
    return named_bits(*positions)


def eku(*purposes):
    return seq(*(oid(purpose) for purpose in purposes))


def policy(kind, *qualifiers):
    return seq(oid(kind), seq(*qualifiers) if qualifiers else b"")


def cps(uri):
    return seq(oid("1.3.6.1.5.5.7.2.1"), ia5(uri))


def user_notice(text=None, content=None):
    """`content`: of UserNotice, instead of explicitText with `text`."""
    if content is None:
        content = utf8(text)
    return seq(oid("1.3.6.1.5.5.7.2.2"), seq(content))


def cp(*kinds):
    """OIDs, or what policy() made."""
    return seq(*(policy(kind) if isinstance(kind, str) else kind
                 for kind in kinds))


def ski(key):
    return octets(key if isinstance(key, bytes) and len(key) < 65
                  else key_id(key))


def aki(key):
    """Of a key, or of the identifier's octets."""
    value = key if isinstance(key, bytes) and len(key) < 65 else key_id(key)
    return seq(raw(0x80, value))


def full_name(*names):
    return raw(0xA0, raw(0xA0, b"".join(
        gn_uri(item) if isinstance(item, str) else item for item in names)))


def cdp(*uris):
    """One DistributionPoint; URIs or GeneralNames."""
    return seq(seq(full_name(*uris)))


def access(method, location):
    location = gn_uri(location) if isinstance(location, str) else location
    return seq(oid(method), location)


def aia(ca_issuers=None, ocsp=None):
    rows = [access(AD_OCSP, ocsp)] if ocsp else []
    rows += [access(AD_CA_ISSUERS, ca_issuers)] if ca_issuers else []
    return seq(*rows)


def san(*names):
    """dNSNames as text, or GeneralNames."""
    return seq(*(gn_dns(item) if isinstance(item, str) else item
                 for item in names))


def subtree(base, behind=b""):
    return seq(base, behind)


def nc(permitted=(), excluded=()):
    """GeneralNames (or subtrees, as subtree() makes them)."""
    def side(n, rows):
        rows = b"".join(row if row[0] == 0x30 else seq(row) for row in rows)
        return raw(0xA0 | n, rows) if rows else b""
    return seq(side(0, permitted), side(1, excluded))


def idp(uris=(), user=False, ca=False, behind=b""):
    return seq(full_name(*uris) if uris else b"",
               raw(0x81, b"\xff") if user else b"",
               raw(0x82, b"\xff") if ca else b"", behind)


def sct(label, when=1791590400000):
    signature = hashlib.sha512(label.encode()).digest()
    signature = seq(integer(int.from_bytes(b"\x11" + signature[:31], "big")),
                    integer(int.from_bytes(b"\x11" + signature[32:63], "big")))
    return (b"\x00" + hashlib.sha256(label.encode()).digest()
            + when.to_bytes(8, "big") + b"\x00\x00" + b"\x04\x03"
            + len(signature).to_bytes(2, "big") + signature)


def sct_list(*scts):
    """RFC 6962, section 3.3."""
    rows = b"".join(len(row).to_bytes(2, "big") + row for row in scts)
    return octets(len(rows).to_bytes(2, "big") + rows)


# Objects

class Ext:
    """`critical`: True, False, or octets that stand for the BOOLEAN."""

    def __init__(self, kind, value, critical=False):
        self.oid, self.value, self.critical = kind, value, critical

    def der(self):
        critical = self.critical
        if not isinstance(critical, bytes):
            critical = boolean(True) if critical else b""
        return seq(oid(self.oid), critical, octets(self.value))


class Object:
    """What all four have: extensions, a signer, a parent."""
    extensions, parent, kind = (), None, None

    def copy(self):
        other = copy.copy(self)
        other.extensions = [copy.copy(ext) for ext in self.extensions]
        return other

    def set(self, **parts_):
        for part, value in parts_.items():
            if not hasattr(self, part):
                raise AttributeError(part)
            setattr(self, part, value)
        return self

    def get(self, kind):
        for ext in self.extensions:
            if ext.oid == kind:
                return ext
        return None

    def put(self, kind, value, critical=False):
        """In the place of what is there, or behind all."""
        ext = self.get(kind)
        if ext:
            ext.value, ext.critical = value, critical
        else:
            self.extensions.append(Ext(kind, value, critical))
        return self

    def add(self, kind, value, critical=False):
        """Behind all, also where it is there already."""
        self.extensions.append(Ext(kind, value, critical))
        return self

    def drop(self, *kinds):
        self.extensions = [e for e in self.extensions if e.oid not in kinds]
        return self

    def order(self, *kinds):
        self.extensions.sort(key=lambda e: kinds.index(e.oid))
        return self

    def ext_der(self):
        return seq(*(ext.der() for ext in self.extensions))

    def sign(self, tbs):
        """The BIT STRING's octets."""
        if self.signature is not None:
            return self.signature
        return self.signer.sign(tbs, self.alg)


class Certificate(Object):
    def __init__(self, version=2, serial=1, alg=None, issuer=seq(),
                 not_before="2026-10-10T00:00:00Z",
                 not_after="2027-10-09T23:59:59Z", subject=seq(), key=None,
                 spki=None, issuer_uid=b"", subject_uid=b"", extensions=(),
                 outer_alg=None, signature=None, signer=None, parent=None):
        self.version = version  # None: absent; octets: in the place of [0]
        self.serial = serial    # number, or DER
        self.issuer, self.subject = issuer, subject
        self.not_before, self.not_after = not_before, not_after
        self.key, self.spki = key, spki
        self.issuer_uid, self.subject_uid = issuer_uid, subject_uid
        self.extensions = list(extensions)
        self.signer = signer or key
        self.alg, self.outer_alg = alg or self.signer.alg, outer_alg
        self.signature, self.signature_unused = signature, 0
        self.parent = parent  # the issuer's certificate; None: itself
        self.behind = b""     # in tbsCertificate, behind all

    @property
    def spki_der(self):
        return self.key.spki if self.spki is None else self.spki

    def tbs(self):
        version = self.version
        if not isinstance(version, bytes):
            version = b"" if version is None else explicit(0, integer(version))
        number = self.serial
        number = number if isinstance(number, bytes) else integer(number)
        extensions = explicit(3, self.ext_der()) if self.extensions else b""
        return seq(version, number, self.alg, self.issuer,
                   seq(time(self.not_before), time(self.not_after)),
                   self.subject, self.spki_der, self.issuer_uid,
                   self.subject_uid, extensions, self.behind)

    def der(self):
        tbs = self.tbs()
        return seq(tbs, self.outer_alg or self.alg,
                   bits(self.sign(tbs), self.signature_unused))


class Revoked:
    """`number`: or DER; `reason`: number or None; `behind`: more extensions."""

    def __init__(self, number, when, reason=None, extensions=()):
        self.serial, self.when = number, when
        self.extensions = list(extensions)
        if reason is not None:
            self.extensions.insert(0, Ext(CRL_REASON, enumerated(reason)))

    def der(self):
        number = self.serial
        number = number if isinstance(number, bytes) else integer(number)
        rows = seq(*(e.der() for e in self.extensions)) \
            if self.extensions else b""
        return seq(number, time(self.when), rows)


class Crl(Object):
    def __init__(self, issuer, signer, this_update, next_update, entries=(),
                 extensions=(), parent=None, kind=None):
        self.version = 1  # None: absent
        self.issuer, self.signer = issuer, signer
        self.this_update, self.next_update = this_update, next_update
        self.entries = list(entries)  # Revoked, or octets
        self.empty_list = False       # an empty SEQUENCE, if no entries
        self.extensions = list(extensions)
        self.alg, self.outer_alg = signer.alg, None
        self.signature, self.signature_unused = None, 0
        self.parent, self.kind = parent, kind
        self.behind = b""

    def tbs(self):
        version = self.version
        if not isinstance(version, bytes):
            version = b"" if version is None else integer(version)
        entries = b""
        if self.entries or self.empty_list:
            entries = seq(*(e if isinstance(e, bytes) else e.der()
                            for e in self.entries))
        next_update = b"" if self.next_update is None \
            else time(self.next_update)
        extensions = explicit(0, self.ext_der()) if self.extensions else b""
        return seq(version, self.alg, self.issuer, time(self.this_update),
                   next_update, entries, extensions, self.behind)

    der = Certificate.der


class Single:
    """A SingleResponse about `target`, which `issuer` signed."""

    def __init__(self, target, issuer, this_update, next_update,
                 digest="sha256"):
        self.hash_alg, self.digest = hash_id(digest), digest
        self.name_hash = hashlib.new(digest, issuer.subject).digest()
        self.key_hash = hashlib.new(
            digest, key_bits(issuer.spki_der)).digest()
        self.serial = target.serial
        self.status = raw(0x80)  # good
        self.this_update, self.next_update = this_update, next_update
        self.extensions = []

    def copy(self):
        other = copy.copy(self)
        other.extensions = list(self.extensions)
        return other

    def set(self, **parts_):
        return Object.set(self, **parts_)

    def revoked(self, when, reason=None):
        content = generalized(when)
        if reason is not None:
            content += explicit(0, enumerated(reason))
        self.status = raw(0xA1, content)
        return self

    def cert_id(self):
        number = self.serial
        number = number if isinstance(number, bytes) else integer(number)
        return seq(self.hash_alg, octets(self.name_hash),
                   octets(self.key_hash), number)

    def der(self):
        next_update = b"" if self.next_update is None \
            else explicit(0, generalized(self.next_update))
        rows = explicit(1, seq(*(e.der() for e in self.extensions))) \
            if self.extensions else b""
        return seq(self.cert_id(), self.status,
                   generalized(self.this_update), next_update, rows)


class Ocsp(Object):
    def __init__(self, signer, responder_id, produced_at, singles, certs=(),
                 parent=None, kind=None):
        self.status = 0
        self.response_type = OCSP_BASIC
        self.version = b""           # octets, as [0]
        self.signer, self.responder_id = signer, responder_id
        self.produced_at = produced_at
        self.singles = list(singles)  # Single, or octets
        self.extensions = []
        self.alg, self.outer_alg = signer.alg, None
        self.signature, self.signature_unused = None, 0
        # Certificates or octets; None: absent; empty: an empty SEQUENCE
        self.certs = None if certs is None else list(certs)
        self.response_bytes = None    # octets instead of [0]; b"": absent
        self.parent, self.kind = parent, kind

    def copy(self):
        other = Object.copy(self)
        other.singles = [s if isinstance(s, bytes) else s.copy()
                         for s in self.singles]
        other.certs = None if self.certs is None else list(self.certs)
        return other

    def tbs(self):
        extensions = explicit(1, self.ext_der()) if self.extensions else b""
        singles = seq(*(s if isinstance(s, bytes) else s.der()
                        for s in self.singles))
        return seq(self.version, self.responder_id,
                   generalized(self.produced_at), singles, extensions)

    def basic(self):
        tbs = self.tbs()
        certs = b""
        if self.certs is not None:
            certs = explicit(0, seq(*(c if isinstance(c, bytes) else c.der()
                                      for c in self.certs)))
        return seq(tbs, self.outer_alg or self.alg,
                   bits(self.sign(tbs), self.signature_unused), certs)

    def der(self):
        body = self.response_bytes
        if body is None:
            body = explicit(0, seq(oid(self.response_type),
                                   octets(self.basic())))
        return seq(enumerated(self.status), body)


def by_key(key):
    return explicit(2, octets(key_id(key)))


def by_name(dn):
    return explicit(1, dn)


class Csr(Object):
    def __init__(self, subject, key, extensions=(), version=0):
        self.version, self.subject, self.key = version, subject, key
        self.spki, self.signer = None, key
        self.extensions = list(extensions)
        self.attributes = None  # octets: contents of [0]
        self.alg, self.outer_alg = key.alg, None
        self.signature, self.signature_unused = None, 0

    def tbs(self):
        version = self.version
        version = version if isinstance(version, bytes) else integer(version)
        attributes = self.attributes
        if attributes is None:
            attributes = seq(oid(EXTENSION_REQUEST),
                             raw(0x31, self.ext_der())) \
                if self.extensions else b""
        spki = self.key.spki if self.spki is None else self.spki
        return seq(version, self.subject, spki, raw(0xA0, attributes))

    der = Certificate.der


def issuer_of(obj):
    """The certificate of who signed it; None for what has no issuer."""
    if isinstance(obj, Certificate) and obj.parent is None:
        return obj
    return obj.parent if isinstance(obj, Object) else None


def der_of(obj):
    return obj if isinstance(obj, bytes) else obj.der()


# Base objects, around 2026-11

ORG = (("C", "NO"), ("O", "Example Trust AS"))
NOT_BEFORE = "2026-10-10T00:00:00Z"
ROOT_UNTIL = "2044-10-09T23:59:59Z"
SUB_UNTIL = "2029-10-08T23:59:59Z"


def root_named(label, key):
    dn = name(*ORG, ("CN", "Example %s Root R1" % label))
    return Certificate(
        serial=serial("root " + label), issuer=dn, subject=dn, key=key,
        not_before=NOT_BEFORE, not_after=ROOT_UNTIL, extensions=[
            Ext(BASIC_CONSTRAINTS, bc(True), True),
            Ext(KEY_USAGE, ku(5, 6), True),
            Ext(SKI, ski(key)), Ext(AKI, aki(key))])


def root():
    return root_named("TLS", P384A)


def smime_root():
    return root_named("SMIME", P384B)


def cs_root():
    return root_named("Code Signing", P384C)


def issued(parent, label, key, subject, not_after, extensions):
    """A certificate that `parent` signs: its AKI and pointers stand first."""
    signer = parent.key
    where = take(parts(parent.subject)[0])[1] and \
        hashlib.sha256(parent.subject).hexdigest()[:8]
    pointers = [
        Ext(AKI, aki(signer)),
        Ext(INFO_ACCESS, aia("http://ca.example.org/%s.cer" % where)),
        Ext(CRL_POINTS, cdp("http://ca.example.org/%s.crl" % where))]
    return Certificate(
        serial=serial(label), issuer=parent.subject, subject=subject, key=key,
        signer=signer, parent=parent, not_before=NOT_BEFORE,
        not_after=not_after, extensions=extensions + pointers)


def sub_ca(parent, label, key, purposes, policies, pathlen=0):
    rows = [Ext(BASIC_CONSTRAINTS, bc(True, pathlen), True),
            Ext(KEY_USAGE, ku(5, 6), True),
            Ext(EXT_KEY_USAGE, eku(*purposes)), Ext(SKI, ski(key))]
    if policies:
        rows.append(Ext(POLICIES, cp(*policies)))
    return issued(parent, label, key,
                  name(*ORG, ("CN", "Example %s CA 1" % label)), SUB_UNTIL,
                  rows)


def tls_sub():
    return sub_ca(root(), "TLS OV", P256A, [SERVER_AUTH], [OV])


def tc_sub():
    sub = sub_ca(root(), "Constrained TLS OV", P256B, [SERVER_AUTH], [OV])
    return sub.put(NAME_CONSTRAINTS, nc(
        permitted=[gn_dns("example.com"), gn_dir(name(*ORG))],
        excluded=[gn_ip(bytes(8)), gn_ip(bytes(32))]), True)


def non_tls_sub():
    return sub_ca(root(), "Client", P256C, [CLIENT_AUTH], [])


def smime_ca():
    return sub_ca(smime_root(), "SMIME", P384D, [EMAIL_PROTECTION],
                  [SMIME_MAILBOX_STRICT])


def cs_ca():
    return sub_ca(cs_root(), "Code Signing", P384E, [CODE_SIGNING],
                  [CS_POLICY])


def other_root():
    """A root of before, which root() cross-certifies as cross()."""
    dn = name(*ORG, ("CN", "Example TLS Root R0"))
    return Certificate(
        serial=serial("other root"), issuer=dn, subject=dn, key=P384F,
        not_before="2024-10-10T00:00:00Z", not_after="2040-10-09T23:59:59Z",
        extensions=[Ext(BASIC_CONSTRAINTS, bc(True), True),
                    Ext(KEY_USAGE, ku(5, 6), True),
                    Ext(SKI, ski(P384F)), Ext(AKI, aki(P384F))])


def existing_of(obj):
    """What a cross certificate stands beside; None for all others."""
    return getattr(obj, "existing", None)


def cross():
    existing = other_root()
    made = issued(root(), "cross", P384F, existing.subject, SUB_UNTIL, [
        Ext(BASIC_CONSTRAINTS, bc(True), True), Ext(KEY_USAGE, ku(5, 6), True),
        Ext(EXT_KEY_USAGE, eku(SERVER_AUTH)), Ext(SKI, ski(P384F)),
        Ext(POLICIES, cp(OV))])
    made.existing = existing
    return made


def responder_for(parent, label, key):
    made = issued(parent, label, key,
                  name(*ORG, ("CN", "Example %s Responder 1" % label)),
                  "2026-12-08T23:59:59Z", [
                      Ext(KEY_USAGE, ku(0), True),
                      Ext(EXT_KEY_USAGE, eku(OCSP_SIGNING)),
                      Ext(SKI, ski(key)), Ext(OCSP_NOCHECK, null())])
    return made.drop(INFO_ACCESS, CRL_POINTS)


def responder():
    """For the status of what tls_sub() signed."""
    return responder_for(tls_sub(), "TLS OV", P256D)


def root_responder():
    """For the status of what root() signed."""
    return responder_for(root(), "Root", P384E)


def leaf():
    made = issued(tls_sub(), "leaf", P256E,
                  name(("C", "NO"), ("L", "Oslo"), ("O", "Example Shop AS")),
                  "2027-01-07T23:59:59Z", [
                      Ext(BASIC_CONSTRAINTS, bc(), True),
                      Ext(KEY_USAGE, ku(0), True),
                      Ext(EXT_KEY_USAGE, eku(SERVER_AUTH)),
                      Ext(POLICIES, cp(OV)), Ext(SAN, san("www.example.com"))])
    return made.put(SCT_LIST, sct_list(sct("log one"), sct("log two")))


def precert():
    """Of leaf()."""
    return leaf().drop(SCT_LIST).put(POISON, null(), True)


def client():
    return issued(non_tls_sub(), "client", P256F,
                  name(*ORG, ("CN", "device 1")), "2027-10-09T23:59:59Z", [
                      Ext(BASIC_CONSTRAINTS, bc(), True),
                      Ext(KEY_USAGE, ku(0), True),
                      Ext(EXT_KEY_USAGE, eku(CLIENT_AUTH)),
                      Ext(SKI, ski(P256F))])


def smime():
    return issued(smime_ca(), "smime", P256E,
                  name(("CN", "alice@example.com")), "2028-10-08T23:59:59Z", [
                      Ext(KEY_USAGE, ku(0), True),
                      Ext(EXT_KEY_USAGE, eku(EMAIL_PROTECTION)),
                      Ext(POLICIES, cp(SMIME_MAILBOX_STRICT)),
                      Ext(SAN, san(gn_mail("alice@example.com"))),
                      Ext(SKI, ski(P256E))])


def cs():
    return issued(cs_ca(), "cs", P256E,
                  name(("C", "NO"), ("L", "Oslo"), ("O", "Example Shop AS"),
                       ("CN", "Example Shop AS")),
                  "2027-10-09T23:59:59Z", [
                      Ext(KEY_USAGE, ku(0), True),
                      Ext(EXT_KEY_USAGE, eku(CODE_SIGNING)),
                      Ext(POLICIES, cp(CS_POLICY)), Ext(SKI, ski(P256E))])


def crl_of(parent, number, next_update, entries, kind):
    return Crl(parent.subject, parent.key, "2026-11-02T00:00:00Z", next_update,
               entries, [Ext(AKI, aki(parent.key)),
                         Ext(CRL_NUMBER, integer(number))], parent, kind)


def crl_ca():
    """Of root(): one CA certificate is revoked."""
    return crl_of(root(), 7, "2027-04-30T23:59:59Z",
                  [Revoked(serial("gone ca"), "2026-11-01T09:00:00Z", 5)],
                  "crl-ca")


def crl_ee():
    """Of tls_sub()."""
    return crl_of(tls_sub(), 42, "2026-11-08T23:59:59Z",
                  [Revoked(serial("gone 1"), "2026-10-20T09:00:00Z", 1),
                   Revoked(serial("gone 2"), "2026-10-21T09:00:00Z")],
                  "crl-ee")


def crl_empty():
    """The first of tls_sub()."""
    return crl_of(tls_sub(), 1, "2026-11-08T23:59:59Z", [], "crl-ee")


def ocsp_of(parent, signed_by, target, kind=None):
    single = Single(target, parent, "2026-11-02T00:00:00Z",
                    "2026-11-08T23:59:59Z")
    return Ocsp(signed_by.key, by_key(signed_by.key), "2026-11-02T00:00:00Z",
                [single], [signed_by], parent, kind)


def ocsp_good():
    """About leaf(), by responder()."""
    return ocsp_of(tls_sub(), responder(), leaf())


def ocsp_ca():
    """About tls_sub(), by root_responder()."""
    return ocsp_of(root(), root_responder(), tls_sub())


def csr():
    return Csr(name(("C", "NO"), ("O", "Example Shop AS")), P256E,
               [Ext(SAN, san("www.example.com"))])


# name: (maker, ruleset that it is clean under)
BASE = {
    "root": (root, "cabf-tls"), "smime_root": (smime_root, "cabf-smime"),
    "cs_root": (cs_root, "cabf-cs"), "tls_sub": (tls_sub, "cabf-tls"),
    "tc_sub": (tc_sub, "cabf-tls"), "non_tls_sub": (non_tls_sub, "cabf-tls"),
    "smime_ca": (smime_ca, "cabf-smime"), "cs_ca": (cs_ca, "cabf-cs"),
    "other_root": (other_root, "cabf-tls"), "cross": (cross, "cabf-tls"),
    "responder": (responder, "cabf-tls"),
    "root_responder": (root_responder, "cabf-tls"),
    "leaf": (leaf, "cabf-tls"), "precert": (precert, "cabf-tls"),
    "client": (client, "private"), "smime": (smime, "cabf-smime"),
    "cs": (cs, "cabf-cs"), "crl_ca": (crl_ca, "cabf-tls"),
    "crl_ee": (crl_ee, "cabf-tls"), "crl_empty": (crl_empty, "cabf-tls"),
    "ocsp_good": (ocsp_good, "cabf-tls"), "ocsp_ca": (ocsp_ca, "cabf-tls"),
    "csr": (csr, "cabf-tls"),
}
