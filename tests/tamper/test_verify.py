#!/usr/bin/env python3
"""The verifier's own ground: tree, notes and DER against published vectors."""

import unittest

import asn1
import c2sp
import entries

# RFC 6962's tree of eight entries, as transparency logs test theirs with.
ENTRIES = [bytes.fromhex(text) for text in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
    "606162636465666768696a6b6c6d6e6f")]
ROOTS = """
e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d
fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125
aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77
d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7
4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4
76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef
ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c
5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328
""".split()


def tree_of(count):
    return c2sp.Tree([c2sp.leaf_hash(bytes([n])) for n in range(count)])


class TreeTest(unittest.TestCase):
    def test_roots(self):
        tree = c2sp.Tree([c2sp.leaf_hash(entry) for entry in ENTRIES])
        self.assertEqual([tree.root(n).hex() for n in range(9)], ROOTS)

    def test_inclusion(self):
        tree = c2sp.Tree([c2sp.leaf_hash(entry) for entry in ENTRIES])
        path = [c2sp.strict_base64(text) for text in (
            "ApjRIpBtz8EIkstTpzmS/FufST6kybrbJ7eRtBJ6f+c=",
            "+sVCA+fMaWzw38tCySodnbr3CtnmIfS9jZhmLwDjwSU=",
            "g327FS6bB5AQcX6E6GXaTrwPoZioBtWdMb8VrM7yLQ4=")]
        leaf = tree.leaves[3]
        self.assertTrue(c2sp.is_included(leaf, 3, 7, path, tree.root(7)))
        for index, size, proof in ((2, 7, path), (3, 9, path), (7, 7, path),
                                   (3, 7, path[:2]), (3, 7, path + path[:1]),
                                   (3, 7, path[::-1])):
            self.assertFalse(c2sp.is_included(leaf, index, size, proof,
                                              tree.root(7)))

    def test_consistency(self):
        tree = tree_of(40)
        for size in range(1, 41):
            for old in range(1, size + 1):
                proof = tree.consistency(old, size)
                roots = tree.root(old), tree.root(size)
                self.assertTrue(c2sp.is_consistent(old, size, *roots, proof))
                self.assertFalse(c2sp.is_consistent(
                    old, size, c2sp.sha256(), roots[1], proof))
                self.assertFalse(c2sp.is_consistent(
                    old, size, *roots, proof + [roots[0]]))
                if proof:
                    self.assertFalse(c2sp.is_consistent(
                        old, size, *roots, proof[:-1]))

    def test_complete(self):
        self.assertEqual(sorted(tree_of(6).complete()),
                         [(1, 0), (1, 1), (1, 2), (2, 0)])


class TileTest(unittest.TestCase):
    def test_names(self):
        self.assertEqual(c2sp.tile_name(5), "005")
        self.assertEqual(c2sp.tile_name(1000), "x001/000")
        self.assertEqual(c2sp.tile_name(1234067), "x001/x234/067")

    def test_of_70000(self):
        found = list(c2sp.tiles(70000))
        self.assertEqual(sum(level == 0 for level, _, _ in found), 274)
        self.assertEqual([tile for tile in found if tile[2] < 256],
                         [(0, 273, 112), (1, 1, 17), (2, 0, 1)])

    def test_of_256(self):
        self.assertEqual(list(c2sp.tiles(256)), [(0, 0, 256), (1, 0, 1)])

    def test_bundles(self):
        self.assertEqual(c2sp.bundle_entries(b"\0\1a\0\0\0\2bc"),
                         [b"a", b"", b"bc"])
        for cut in (b"\0", b"\0\2a", b"\0\1a\0"):
            with self.assertRaises(c2sp.BadNote):
                c2sp.bundle_entries(cut)


NOTE = ("example\n7\n3bib5AOAnjJXUNPSY814kpwpQreUKjS3fhIslZSnTIw=\n\n"
        "\u2014 example AAAAAAA=\n")


class NoteTest(unittest.TestCase):
    def test_good(self):
        note = c2sp.Note(NOTE.encode())
        found = c2sp.Checkpoint(note.text)
        self.assertEqual((found.origin, found.size, found.root.hex()),
                         ("example", 7, ROOTS[7]))
        self.assertEqual(note.lines, [("example", bytes(4), b"\0")])
        self.assertIsNotNone(note.signed_by("example", b"key"))

    def test_bad_notes(self):
        for bad in (NOTE[:-1], NOTE.replace("\n\n", "\n"),
                    NOTE.replace("\u2014", "-"), NOTE + "\n",
                    NOTE.replace("AAAAAAA=", "AAAAAAB="),
                    NOTE.replace("AAAAAAA=", "AAAAAA"),
                    NOTE.replace("AAAAAAA=", "AAAA"),
                    NOTE.replace("7", "\t7", 1)):
            with self.assertRaises(c2sp.BadNote):
                c2sp.Note(bad.encode())
        with self.assertRaises(c2sp.BadNote):
            c2sp.Note(NOTE.encode() + b"\xff")

    def test_bad_checkpoints(self):
        text = NOTE.split("\n\n", maxsplit=1)[0] + "\n"
        for bad in (text.replace("\n7\n", "\n07\n"), text[:-1],
                    text.replace("\n7\n", "\n-7\n"), "\n" + text,
                    text + "more\n", text.replace("Iw=", "Iw"),
                    text.replace("\n7\n", "\n")):
            with self.assertRaises(c2sp.BadNote):
                c2sp.Checkpoint(bad)


class DerTest(unittest.TestCase):
    def test_lengths(self):
        for bad in ("", "30", "3001", "308100", "30810100", "30820001" "00",
                    "3080" "0000", "1f0100"):
            with self.assertRaises(asn1.Malformed, msg=bad):
                asn1.whole(bytes.fromhex(bad))

    def test_behind(self):
        with self.assertRaises(asn1.Malformed):
            asn1.whole(bytes.fromhex("050000"))

    def test_oid(self):
        value = asn1.whole(bytes.fromhex("06082a8648ce3d040302"))
        self.assertEqual(value.oid(), "1.2.840.10045.4.3.2")

    def test_integers(self):
        self.assertEqual(asn1.whole(b"\2\1\x80").integer(), -128)
        for bad in (b"\2\0", b"\2\2\0\1", b"\2\2\xff\xff"):
            with self.assertRaises(asn1.Malformed):
                asn1.whole(bad).integer()


class EntryTest(unittest.TestCase):
    LINE = (b'{"v":1,"seq":3,"time":"2026-11-20T12:00:00Z","kind":"state",'
            b'"people":[{"name":"alice","role":"operator"}],'
            b'"text":"caf\\u00E9","data":{"subject":"authority",'
            b'"state":"ready"}}')

    def test_good(self):
        self.assertIsNone(entries.Entry(self.LINE, 3).fault)

    def test_bad(self):
        line = self.LINE
        for bad in (line + b"\n", line.replace(b'"v":1', b'"v":2'),
                    line.replace(b'"v":1', b'"v":1.0'),
                    line.replace(b'"v":1', b'"v":true'),
                    line.replace(b'"v":1,', b'"v":1, '),
                    line.replace(b"00E9", b"00e9"),
                    line.replace(b"\\u00E9", "\u00e9".encode()),
                    line.replace(b'"seq":3', b'"seq":4'),
                    line.replace(b"12:00", b"25:00"),
                    line.replace(b'"kind":"state"', b'"kind":"other"'),
                    line.replace(b'"state":"ready"', b'"state":1'),
                    line.replace(b',"state":"ready"', b""),
                    line.replace(b'"role"', b'"roles"'),
                    line.replace(b'"state":"ready"',
                                 b'"state":"ready","state":"ready"'),
                    line[:-1], b"[]", b""):
            self.assertIsNotNone(entries.Entry(bad, 3).fault, bad)


if __name__ == "__main__":
    unittest.main()
