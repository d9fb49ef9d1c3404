"""A strict reader of DER, and of what ca-tool signs: X.690, RFC 5280, RFC 5652.

Nothing here is shared with ca-tool.  What is not as it must be is a Malformed.
"""

import hashlib
from datetime import datetime, timezone


class Malformed(Exception):
    """These bytes are not the structure that they should be."""


def need(condition, text):
    if not condition:
        raise Malformed(text)


SEQUENCE, SET, INTEGER, BIT_STRING, OCTETS = 0x30, 0x31, 0x02, 0x03, 0x04
OID, BOOLEAN, ENUMERATED, UTC, GENERALIZED = 0x06, 0x01, 0x0a, 0x17, 0x18


class Value:
    """One DER value: tag, body and all of its octets."""

    def __init__(self, data, begin=0):
        need(len(data) >= begin + 2, "cut off")
        self.tag = data[begin]
        need(self.tag & 0x1f != 0x1f, "a long tag")
        length, at = data[begin + 1], begin + 2
        if length & 0x80:
            count = length & 0x7f
            need(1 <= count <= 4 and len(data) >= at + count, "a bad length")
            length = int.from_bytes(data[at:at + count], "big")
            need(length >= 0x80 and data[at] != 0, "a length in long form")
            at += count
        need(len(data) >= at + length, "cut off")
        self.body = data[at:at + length]
        self.end = at + length
        self.whole = data[begin:self.end]

    def parts(self):
        found, at = [], 0
        while at < len(self.body):
            part = Value(self.body, at)
            found.append(part)
            at = part.end
        return found

    def expect(self, tag):
        need(self.tag == tag, f"tag {self.tag:#x} where {tag:#x} must be")
        return self

    def integer(self):
        self.expect(INTEGER)
        body = self.body
        need(body and not (len(body) > 1 and (
            (body[0] == 0 and body[1] < 0x80) or
            (body[0] == 0xff and body[1] >= 0x80))), "a bad INTEGER")
        return int.from_bytes(body, "big", signed=True)

    def oid(self):
        self.expect(OID)
        need(self.body and not self.body[-1] & 0x80, "a bad OID")
        numbers, number = [], 0
        for octet in self.body:
            number = number << 7 | octet & 0x7f
            if not octet & 0x80:
                numbers.append(number)
                number = 0
        first = min(numbers[0] // 40, 2)
        numbers[:1] = [first, numbers[0] - 40 * first]
        return ".".join(map(str, numbers))

    def bits(self):
        self.expect(BIT_STRING)
        need(self.body[:1] == b"\0", "a BIT STRING with unused bits")
        return self.body[1:]

    def time(self):
        text = self.body.decode("ascii", "replace")
        if self.tag == UTC:
            text = ("19" if text[:2] >= "50" else "20") + text
        else:
            self.expect(GENERALIZED)
        try:
            when = datetime.strptime(text, "%Y%m%d%H%M%SZ")
        except ValueError as problem:
            raise Malformed(f"a bad time {text!r}") from problem
        return int(when.replace(tzinfo=timezone.utc).timestamp())


def whole(data):
    """The one value that `data` is."""
    value = Value(bytes(data))
    need(value.end == len(data), "octets behind the end")
    return value


def extensions_of(value):
    """Those in an explicit tag."""
    need(value is not None, "no extensions")
    return extension_list(whole(value.body))


def extension_list(value):
    """{OID: (critical, octets)}"""
    found = {}
    for part in value.expect(SEQUENCE).parts():
        fields = part.expect(SEQUENCE).parts()
        name = fields[0].oid()
        need(name not in found, f"extension {name} twice")
        critical = len(fields) == 3 and fields[1].expect(BOOLEAN).body != b"\0"
        found[name] = (critical, fields[-1].expect(OCTETS).body)
    return found


class Signed:
    """What is signed in the X.509 way: tbs, algorithm, signature."""

    def __init__(self, der):
        self.der = bytes(der)
        self.sha256 = hashlib.sha256(self.der).hexdigest()
        parts = whole(der).expect(SEQUENCE).parts()
        need(len(parts) == 3, "not three parts")
        self.tbs = parts[0].expect(SEQUENCE).whole
        self.algorithm = parts[1].expect(SEQUENCE).whole
        self.signature = parts[2].bits()
        self.fields = parts[0].parts()

    def take(self, tag=None):
        """The next field; None if it does not have this tag."""
        if tag is not None and (not self.fields or self.fields[0].tag != tag):
            return None
        need(self.fields, "a field is missing")
        return self.fields.pop(0)


class Certificate(Signed):
    def __init__(self, der):
        super().__init__(der)
        need(self.take(0xa0) is not None, "not version 3")
        serial = self.take().expect(INTEGER)
        need(serial.integer() > 0, "a serial that is not positive")
        self.serial = serial.body.hex()
        need(self.take().whole == self.algorithm, "two algorithms")
        self.issuer = self.take().expect(SEQUENCE).whole
        dates = self.take().expect(SEQUENCE).parts()
        need(len(dates) == 2, "not two dates")
        self.not_before, self.not_after = dates[0].time(), dates[1].time()
        self.subject = self.take().expect(SEQUENCE).whole
        self.spki = self.take().expect(SEQUENCE).whole
        extensions = self.take(0xa3)
        self.extensions = {} if extensions is None else extensions_of(
            extensions)
        need(not self.fields, "too many fields")

    @property
    def ca(self):
        basic = self.extensions.get("2.5.29.19")
        if basic is None:
            return False
        parts = whole(basic[1]).expect(SEQUENCE).parts()
        return bool(parts) and parts[0].tag == BOOLEAN and (
            parts[0].body == b"\xff")

    @property
    def key_identifier(self):
        found = self.extensions.get("2.5.29.14")
        return None if found is None else whole(found[1]).expect(OCTETS).body


REASONS = {1: "keyCompromise", 2: "cACompromise", 3: "affiliationChanged",
           4: "superseded", 5: "cessationOfOperation", 6: "certificateHold",
           8: "removeFromCRL", 9: "privilegeWithdrawn", 10: "aACompromise"}


class Crl(Signed):
    def __init__(self, der):
        super().__init__(der)
        version = self.take(INTEGER)
        need(version is not None and version.integer() == 1, "not version 2")
        need(self.take().whole == self.algorithm, "two algorithms")
        self.issuer = self.take().expect(SEQUENCE).whole
        self.this_update = self.take().time()
        self.next_update = self.take().time()
        listed = self.take(SEQUENCE)
        self.entries = {} if listed is None else self._entries(listed)
        need(listed is None or self.entries, "an empty list of entries")
        self.extensions = extensions_of(self.take(0xa0))
        need(not self.fields, "too many fields")
        self.number = whole(self.extensions["2.5.29.20"][1]).integer()

    @staticmethod
    def _entries(listed):
        """{serial: (date, reason)}"""
        found = {}
        for part in listed.parts():
            fields = part.expect(SEQUENCE).parts()
            serial = fields[0].expect(INTEGER).body.hex()
            need(serial not in found, f"serial {serial} twice")
            reason = None
            if len(fields) == 3:
                for name, (_, octets) in extension_list(fields[2]).items():
                    if name == "2.5.29.21":
                        code = whole(octets).expect(ENUMERATED).body
                        reason = REASONS.get(int.from_bytes(code, "big"))
            found[serial] = (fields[1].time(), reason)
        return found


class Request(Signed):
    def __init__(self, der):
        super().__init__(der)
        need(self.take().integer() == 0, "not version 1")
        self.subject = self.take().expect(SEQUENCE).whole
        self.spki = self.take().expect(SEQUENCE).whole


class Response:
    """A successful OCSPResponse (RFC 6960, section 4.2.1)."""

    def __init__(self, der):
        status, wrapped = whole(der).expect(SEQUENCE).parts()
        need(status.expect(ENUMERATED).body == b"\0", "not successful")
        kind, octets = whole(wrapped.expect(0xa0).body).expect(
            SEQUENCE).parts()
        need(kind.oid() == "1.3.6.1.5.5.7.48.1.1", "not a basic response")
        parts = whole(octets.expect(OCTETS).body).expect(SEQUENCE).parts()
        need(len(parts) in (3, 4), "not three or four parts")
        self.tbs = parts[0].expect(SEQUENCE).whole
        self.algorithm = parts[1].expect(SEQUENCE).whole
        self.signature = parts[2].bits()
        self.certificates = [] if len(parts) == 3 else [
            value.whole for value in
            whole(parts[3].expect(0xa0).body).expect(SEQUENCE).parts()]
        fields = parts[0].parts()
        need(len(fields) == 3, "not three fields")
        self.singles = [Single(value)
                        for value in fields[2].expect(SEQUENCE).parts()]
        need(self.singles, "about no certificate")


class Single:
    """A SingleResponse, about one certificate."""

    def __init__(self, value):
        named, status, this_update, *rest = value.expect(SEQUENCE).parts()
        self.named = named.expect(SEQUENCE).whole
        algorithm, name, key, serial = named.parts()
        self.digest = algorithm.parts()[0].oid()
        self.name_hash = name.expect(OCTETS).body
        self.key_hash = key.expect(OCTETS).body
        self.serial = serial.expect(INTEGER).body.hex()
        need(status.tag in (0x80, 0xa1), "neither good nor revoked")
        self.date, self.reason = None, None
        if status.tag == 0xa1:
            when, *why = status.parts()
            self.date = when.time()
            if why:
                code = whole(why[0].expect(0xa0).body).expect(ENUMERATED)
                self.reason = REASONS.get(int.from_bytes(code.body, "big"))
        self.this_update = this_update.time()
        need(len(rest) == 1, "no nextUpdate, or extensions")
        self.next_update = whole(rest[0].expect(0xa0).body).time()


# ---- CMS SignedData, as docs/quorum.md wants it ---------------------------

CONTENT_TYPE, MESSAGE_DIGEST = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4"
DIGESTS = {"2.16.840.1.101.3.4.2.1": "sha256",
           "2.16.840.1.101.3.4.2.2": "sha384",
           "2.16.840.1.101.3.4.2.3": "sha512"}


class Statement:
    """A detached signature by one person."""

    def __init__(self, der):
        outer = whole(der).expect(SEQUENCE).parts()
        need(len(outer) == 2 and outer[0].oid() == "1.2.840.113549.1.7.2",
             "not SignedData")
        fields = whole(outer[1].expect(0xa0).body).expect(SEQUENCE).parts()
        fields[0].integer()
        outside = [self._digest(v) for v in fields[1].expect(SET).parts()]
        content = fields[2].expect(SEQUENCE).parts()
        need(len(content) == 1, "the content is inside")
        self.purpose = content[0].oid()
        rest = fields[3:]
        self.certificates = []
        if rest and rest[0].tag == 0xa0:
            self.certificates = [v.whole for v in rest.pop(0).parts()]
        need(len(rest) == 1, "CRLs are inside")
        signers = rest[0].expect(SET).parts()
        need(len(signers) == 1, "not exactly one signer")
        self._signer(signers[0].expect(SEQUENCE).parts())
        need(outside == [self.digest], "two digests")

    @staticmethod
    def _digest(value):
        name = value.expect(SEQUENCE).parts()[0].oid()
        need(name in DIGESTS, f"digest {name}")
        return DIGESTS[name]

    def _signer(self, fields):
        need(len(fields) == 6, "no signed, or unsigned attributes")
        self.signer = fields[1]
        self.digest = self._digest(fields[2])
        attributes = {}
        for part in fields[3].expect(0xa0).parts():
            name, values = part.expect(SEQUENCE).parts()
            need(name.oid() not in attributes, "an attribute twice")
            values = values.expect(SET).parts()
            need(len(values) == 1, "an attribute without just one value")
            attributes[name.oid()] = values[0]
        need(CONTENT_TYPE in attributes and MESSAGE_DIGEST in attributes,
             "signed attributes are missing")
        self.signed_purpose = attributes[CONTENT_TYPE].oid()
        self.message_digest = attributes[MESSAGE_DIGEST].expect(OCTETS).body

    def names(self, certificate):
        """Does its SignerInfo name this certificate?"""
        if self.signer.tag == 0x80:
            return self.signer.body == certificate.key_identifier
        issuer, serial = self.signer.expect(SEQUENCE).parts()
        return (issuer.whole == certificate.issuer and
                serial.body.hex() == certificate.serial)
