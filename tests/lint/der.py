"""DER, written element by element.

Nothing here checks what it writes: tests want malformed encodings too.  No code
is shared with ca-tool and no library is asked, so that a mistake in one is no
mistake in both.
"""


def raw(tag, content=b""):
    """An element with this identifier octet (or octets, as bytes)."""
    head = tag if isinstance(tag, bytes) else bytes([tag])
    return head + length(len(content)) + content


def length(n):
    if n < 0x80:
        return bytes([n])
    octets = n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(octets)]) + octets


def seq(*parts):
    return raw(0x30, b"".join(parts))


def set_(*parts):
    """A SET OF, its elements ascending as DER wants them."""
    return raw(0x31, b"".join(sorted(parts)))


def set_as_is(*parts):
    return raw(0x31, b"".join(parts))


def integer(n):
    return raw(0x02, integer_content(n))


def integer_content(n):
    size = 1
    while not -(1 << (8 * size - 1)) <= n < 1 << (8 * size - 1):
        size += 1
    return n.to_bytes(size, "big", signed=True)


def enumerated(n):
    return raw(0x0A, integer_content(n))


def octets(content):
    return raw(0x04, content)


def bits(content, unused=0):
    return raw(0x03, bytes([unused]) + content)


def named_bits(*positions):
    """A named bit list: no trailing zero bits."""
    if not positions:
        return bits(b"")
    size = max(positions) // 8 + 1
    content = bytearray(size)
    for position in positions:
        content[position // 8] |= 0x80 >> position % 8
    return bits(bytes(content), 7 - max(positions) % 8)


def oid_content(text):
    arcs = [int(arc) for arc in text.split(".")]
    out = b""
    for arc in [arcs[0] * 40 + arcs[1]] + arcs[2:]:
        part = bytes([arc & 0x7F])
        while arc > 0x7F:
            arc >>= 7
            part = bytes([0x80 | arc & 0x7F]) + part
        out += part
    return out


def oid(text):
    return raw(0x06, oid_content(text))


def null():
    return raw(0x05)


def boolean(value):
    return raw(0x01, b"\xff" if value else b"\x00")


def utf8(text):
    return raw(0x0C, text.encode())


def printable(text):
    return raw(0x13, text.encode("latin-1"))


def t61(text):
    return raw(0x14, text.encode("latin-1"))


def ia5(text):
    return raw(0x16, text.encode("latin-1"))


def visible(text):
    return raw(0x1A, text.encode("latin-1"))


def universal(text):
    return raw(0x1C, text.encode("utf-32-be"))


def bmp(text):
    return raw(0x1E, text.encode("utf-16-be"))


def utctime(text):
    return raw(0x17, text.encode())


def gentime(text):
    return raw(0x18, text.encode())


def explicit(n, content):
    return raw(0xA0 | n, content)


def implicit(n, content, constructed=False):
    """[n] IMPLICIT; `content` without the tag that it replaces."""
    return raw((0xA0 if constructed else 0x80) | n, content)


def take(data):
    """The first element: (identifier octet, content, whole, rest)."""
    size, at = data[1], 2
    if size & 0x80:
        count = size & 0x7F
        size, at = int.from_bytes(data[2:2 + count], "big"), 2 + count
    return data[0], data[at:at + size], data[:at + size], data[at + size:]


def parts(content):
    """All elements of a content, whole."""
    out = []
    while content:
        _, _, whole, content = take(content)
        out.append(whole)
    return out
