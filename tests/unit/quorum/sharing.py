#!/usr/bin/env python3
"""The sharing, the shares and the PINs against big integers of another language.

    sharing.py SHARING-LINES RECOVER.PY QUORUM.MD

QUORUM.MD has the test vectors, which are computed anew here and then given to
ca-tool's own code.  RECOVER.PY is run as people run it.
"""
import hashlib
import hmac
import itertools
import json
import os
import random
import re
import secrets
import subprocess
import sys
import tempfile
import unittest

# P-256 (NIST SP 800-186, section 3.2.1.3): y^2 = x^3 - 3x + B mod P, order N
P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
G = (0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
     0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5)

FORMATS = {
    'hex': None,
    'digits': '0123456789',
    'alphanumeric': '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ'
                    'abcdefghijklmnopqrstuvwxyz',
}


def add(a, b):
    """Of points (x, y), or None at infinity."""
    if a is None or b is None:
        return b if a is None else a
    if a[0] == b[0]:
        if (a[1] + b[1]) % P == 0:
            return None
        slope = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, P)
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def multiply(number, point):
    result = None
    while number > 0:
        if number & 1:
            result = add(result, point)
        point = add(point, point)
        number >>= 1
    return result


def commit(number):
    """number * G, compressed (SEC 1, section 2.3.3), in hex."""
    x, y = multiply(number, G)
    return f'{2 + (y & 1):02x}{x:064x}'


def interpolate(points):
    """f(0) of the polynomial through all points (i, f(i)), modulo N."""
    total = 0
    for i, value in points:
        for j, _ in points:
            if j != i:
                value = value * j * pow(j - i, -1, N) % N
        total += value
    return total % N


def coefficients(values):
    """Of the polynomial with these values at 1, 2, ...: by elimination."""
    size = len(values)
    rows = [[i**k for k in range(size)] + [value]
            for i, value in enumerate(values, 1)]
    for k in range(size):
        inverse = pow(rows[k][k], -1, N)
        rows[k] = [x * inverse % N for x in rows[k]]
        for j in range(size):
            if j != k:
                factor = rows[j][k]
                rows[j] = [(x - factor * y) % N
                           for x, y in zip(rows[j], rows[k])]
    return [row[size] for row in rows]


def hkdf(secret, salt, info, length):
    """HKDF-SHA256 (RFC 5869)."""
    key = hmac.new(salt, secret, hashlib.sha256).digest()
    block, output = b'', b''
    while len(output) < length:
        counter = bytes([len(output) // 32 + 1])
        block = hmac.new(key, block + info + counter, hashlib.sha256).digest()
        output += block
    return output[:length]


def pin_of(secret, set_id, role='user', alphabet=None, length=64):
    octets = secret.to_bytes(32, 'big')
    info = {'user': b'ca-tool user PIN 1', 'so': b'ca-tool SO PIN 1'}[role]
    if alphabet is None:
        return hkdf(octets, set_id, info, 32).hex()[:length]
    number = int.from_bytes(hkdf(octets, set_id, info, 96), 'big')
    characters = ''
    for _ in range(length):
        number, digit = divmod(number, len(alphabet))
        characters += alphabet[digit]
    return characters


class Lines:
    """The C program."""

    def __init__(self, path):
        self.child = subprocess.Popen(
            [path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, do, **request):
        request['do'] = do
        self.child.stdin.write(json.dumps(request).encode() + b'\n')
        self.child.stdin.flush()
        return json.loads(self.child.stdout.readline())

    def close(self):
        self.child.stdin.close()
        self.child.stdout.close()
        return self.child.wait()


def split(secret, threshold, count):
    """Commitments, and the shares of 1 to count."""
    polynomial = [secret] + [
        1 + secrets.randbelow(N - 1) for _ in range(threshold - 1)]
    return ([commit(a)
             for a in polynomial],
            [sum(a * i**k for k, a in enumerate(polynomial)) % N
             for i in range(1, count + 1)])


def text_of(index, threshold, count, commitments, share, name='alice'):
    return (f'ca-tool share 1\nauthority: example.org/root-ca-1\n'
            f'set: {bytes(range(16)).hex()}\noperator: {name}\n'
            f'index: {index}\nthreshold: {threshold}\noperators: {count}\n'
            + ''.join(f'commitment: {c}\n' for c in commitments)
            + f'share: {share:064x}\n')


def hex_shares(shares, who):
    return [[i, f'{shares[i - 1]:064x}'] for i in who]


class Test(unittest.TestCase):
    def setUp(self):
        self.lines = Lines(LINES)

    def tearDown(self):
        self.assertEqual(self.lines.close(), 0)

    def split_by_c(self, threshold, count):
        made = self.lines.ask('split', threshold=threshold, count=count)
        shares = [int(share, 16) for share in made['shares']]
        self.assertEqual(len(shares), count)
        self.assertEqual(len(made['commitments']), threshold)
        self.assertEqual(made['sha256'], hashlib.sha256(
            bytes.fromhex(''.join(made['commitments']))).hexdigest())
        return int(made['secret'], 16), made['commitments'], shares

    # ---- made by C, judged here ----------------------------------------------

    def test_every_subset(self):
        """Any M shares give the secret by interpolation, any M-1 do not."""
        for count in range(1, 8):
            for threshold in range(1, count + 1):
                secret, _, shares = self.split_by_c(threshold, count)
                points = list(enumerate(shares, 1))
                for some in itertools.combinations(points, threshold):
                    self.assertEqual(interpolate(some), secret)
                for some in itertools.combinations(points, threshold - 1):
                    self.assertNotEqual(interpolate(some), secret)

    def test_m_minus_1_shares_say_nothing(self):
        """M-1 shares fit any secret whatever, by one polynomial each."""
        secret, _, shares = self.split_by_c(4, 7)
        known = list(enumerate(shares, 1))[2:5]
        for other in 1, 2, N - 1, secrets.randbelow(N):
            points = known + [(0, other)]
            # The fourth share that would go with it, by interpolation at 6.
            shifted = [(i - 6, value) for i, value in points]
            sixth = interpolate(shifted)
            self.assertEqual(interpolate(known + [(6, sixth)]), other)
            self.assertEqual(sixth == shares[5], other == secret)

    def test_samples(self):
        for threshold, count in (2, 9), (8, 15), (2, 32), (16, 32), (32, 32):
            secret, _, shares = self.split_by_c(threshold, count)
            points = list(enumerate(shares, 1))
            for _ in range(4):
                some = random.sample(points, threshold)
                self.assertEqual(interpolate(some), secret)
                self.assertNotEqual(interpolate(some[1:]), secret)

    def test_commitments(self):
        """They are those of the polynomial, coefficient by coefficient."""
        for threshold, count in (1, 1), (2, 3), (3, 5), (5, 5):
            secret, commitments, shares = self.split_by_c(threshold, count)
            self.assertEqual(
                commit(secret),
                commitments[0])
            # The values at 1 to M give all coefficients.
            for k, a in enumerate(coefficients(shares[:threshold])):
                self.assertEqual(commit(a), commitments[k])

    # ---- made here, judged by C ----------------------------------------------

    def test_combined_by_c(self):
        for threshold, count in (1, 2), (2, 3), (3, 5), (5, 7), (9, 32):
            secret = 1 + secrets.randbelow(N - 1)
            commitments, shares = split(secret, threshold, count)
            for _ in range(5):
                who = random.sample(range(1, count + 1), threshold)
                given = hex_shares(shares, who)
                self.assertEqual(self.lines.ask(
                    'combine', commitments=commitments, shares=given),
                    {'secret': f'{secret:064x}'})
                self.assertEqual(self.refusal(commitments, given[1:]),
                                 'quorum')
                given[0][1] = f'{shares[who[0] - 1] ^ 4:064x}'
                self.assertEqual(self.refusal(commitments, given), 'verify')

    def refusal(self, commitments, shares):
        return self.lines.ask('combine', commitments=commitments,
                              shares=shares)['refused']

    def test_smallest_and_largest(self):
        for secret in 1, 2, N - 2, N - 1:
            commitments, shares = split(secret, 2, 3)
            self.assertEqual(self.lines.ask(
                'combine', commitments=commitments,
                shares=hex_shares(shares, (3, 1))),
                {'secret': f'{secret:064x}'})

    def test_secret_is_checked(self):
        """Shares that fit each other and not A_0 are caught."""
        commitments, shares = split(5, 2, 3)
        others, _ = split(6, 2, 3)
        self.assertEqual(
            self.refusal([others[0], commitments[1]],
                         hex_shares(shares, (1, 2))), 'verify')

    def test_texts(self):
        for threshold, count in (1, 1), (2, 3), (4, 9), (12, 32):
            secret = 1 + secrets.randbelow(N - 1)
            commitments, shares = split(secret, threshold, count)
            for i in random.sample(range(1, count + 1), min(3, count)):
                text = text_of(i, threshold, count, commitments, shares[i - 1])
                self.assertEqual(self.lines.ask('read', text=text),
                                 {'index': i, 'text': text})

    # ---- PINs ----------------------------------------------------------------

    def test_pins(self):
        printable = ''.join(map(chr, range(33, 127)))
        for _ in range(60):
            secret = 1 + secrets.randbelow(N - 1)
            set_id = secrets.token_bytes(16)
            alphabet = random.choice([
                None, *filter(None, FORMATS.values()),
                ''.join(random.sample(printable, random.randint(2, 64)))])
            length = random.randint(1, 64)
            for role, name in enumerate(('user', 'so')):
                got = self.lines.ask(
                    'pin', secret=f'{secret:064x}', set=set_id.hex(),
                    role=role, alphabet=alphabet, length=length)
                self.assertEqual(got['pin'], pin_of(
                    secret, set_id, name, alphabet, length))

    def test_hkdf(self):
        """RFC 5869, appendix A.1: what all of the above rests on."""
        self.assertEqual(
            hkdf(b'\x0b' * 22, bytes(range(13)),
                         bytes(range(0xf0, 0xfa)), 42).hex(),
            '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf'
            '34007208d5b887185865')

    def test_points(self):
        """The order times G is infinity; 2G (SP 800-186's curve)."""
        self.assertIsNone(multiply(N, G))
        self.assertEqual(
            commit(2),
            '037cf27b188d034f7e8a52380304b51ac3c08969e277f21b35a60b48fc476699'
            '78')


class Vectors(unittest.TestCase):
    """The vectors of the documentation, word for word."""

    def setUp(self):
        self.lines = Lines(LINES)
        with open(DOCUMENT, encoding='utf-8') as file:
            section = re.search('^## Test vectors$(.*?)(?=^## |\\Z)',
                                file.read(), re.M | re.S).group(1)
        self.blocks = re.findall('^```\n(.*?)^```$', section, re.M | re.S)
        self.values = dict(
            line.split(': ', 1) for block in self.blocks[:1]
            for line in block.splitlines())
        self.secret = int(self.values['secret'], 16)
        self.commitments = [self.values['A_0'], self.values['A_1']]

    def tearDown(self):
        self.assertEqual(self.lines.close(), 0)

    def test_sharing(self):
        a_1 = int(self.values['a_1'], 16)
        for number, commitment in zip((self.secret, a_1), self.commitments):
            self.assertEqual(commitment, commit(number))
        self.assertEqual(self.values['commitments'], hashlib.sha256(
            bytes.fromhex(''.join(self.commitments))).hexdigest())
        for i in 1, 2, 3:
            self.assertEqual(int(self.values[f'f({i})'], 16),
                             (self.secret + a_1 * i) % N)
        for who in itertools.permutations((1, 2, 3), 2):
            self.assertEqual(self.lines.ask(
                'combine', commitments=self.commitments,
                shares=[[i, self.values[f'f({i})']] for i in who]),
                {'secret': self.values['secret']})

    def test_pins(self):
        pins = [re.fullmatch('(user|SO) PIN, (.*), ([0-9]+)', name)
                for name in self.values]
        pins = [match for match in pins if match]
        self.assertEqual(len(pins), 6)
        for match in pins:
            role, alphabet, length = match.groups()
            alphabet = FORMATS[alphabet]
            length = int(length)
            expected = self.values[match.group(0)]
            self.assertEqual(len(expected), length)
            self.assertEqual(expected, pin_of(
                self.secret, bytes.fromhex(self.values['set']), role.lower(),
                alphabet, length))
            self.assertEqual(self.lines.ask(
                'pin', secret=self.values['secret'], set=self.values['set'],
                role=int(role == 'SO'), alphabet=alphabet, length=length),
                {'pin': expected})

    def test_text(self):
        self.assertEqual(len(self.blocks), 2)
        text = self.blocks[1]
        self.assertEqual(self.lines.ask('read', text=text),
                         {'index': 1, 'text': text})
        self.assertEqual(text, text_of(
            1, 2, 3, self.commitments, int(self.values['f(1)'], 16)))


class Recover(unittest.TestCase):
    """The script as people run it."""

    def setUp(self):
        self.directory = tempfile.TemporaryDirectory(dir='.')
        self.secret = 1 + secrets.randbelow(N - 1)
        self.commitments, self.shares = split(self.secret, 3, 5)

    def tearDown(self):
        self.directory.cleanup()

    def write(self, index, text=None):
        path = os.path.join(self.directory.name, str(index))
        if text is None:
            text = text_of(index, 3, 5, self.commitments,
                           self.shares[index - 1], f'op{index}')
        with open(path, 'w', encoding='utf-8', newline='') as file:
            file.write(text)
        return path

    def run_it(self, *arguments):
        return subprocess.run(
            [sys.executable, '-B', RECOVER, *arguments], check=False,
            capture_output=True, text=True)

    def refused(self, *arguments):
        done = self.run_it(*arguments)
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(done.stdout, '')
        self.assertNotEqual(done.stderr, '')
        self.assertNotIn('Traceback', done.stderr)

    def test_pins(self):
        files = [self.write(i) for i in (5, 1, 3)]
        for options, role, alphabet, length in (
                ((), 'user', None, 64), (('--so',), 'so', None, 64),
                (('--length', '12', '--format', 'digits'), 'user',
                 FORMATS['digits'], 12),
                (('--so', '--format', 'alphanumeric'), 'so',
                 FORMATS['alphanumeric'], 64),
                (('--so', '--format', '01'), 'so', '01', 64)):
            done = self.run_it(*options, *files)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(done.stdout, pin_of(
                self.secret, bytes(range(16)), role, alphabet, length) + '\n')

    def test_refusals(self):
        good = [self.write(i) for i in (1, 2, 3)]
        self.refused(*good[:2])
        self.refused(good[0], good[1], good[0])
        text = text_of(4, 3, 5, self.commitments, self.shares[3], 'op4')
        commitments, shares = split(self.secret, 3, 5)
        for wrong in (
                text_of(4, 3, 5, self.commitments, self.shares[3] ^ 1),
                text_of(5, 3, 5, self.commitments, self.shares[3]),
                text_of(4, 3, 5, commitments, shares[3]),
                text.replace('root-ca-1', 'root-ca-2'),
                text.replace('\n', '\r\n'), text + '\n', text[:-1],
                text.upper(), '', 'é' + text,
                text.replace('commitment: 0', 'commitment: 4', 1)):
            self.refused(*good[:2], self.write(4, wrong))


if __name__ == '__main__':
    LINES, RECOVER, DOCUMENT = sys.argv[1:4]
    unittest.main(argv=sys.argv[:1])
