#!/usr/bin/env python3
"""Tests of replay.py: small C programs whose states are known."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import tempfile
import unittest

import replay

HEAD = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
static void must(long r) { if (r < 0) { perror("call"); exit(9); } }
static void put(int fd, const char *s)
{ must(write(fd, s, strlen(s))); }
static void *run(void *arg) { put(*(int *)arg, "thread"); return NULL; }
int main(void)
{
	(void)run;
%s
	return 0;
}
"""

CREATE = r"""
	int fd = open("a", O_WRONLY | O_CREAT, 0600);
	put(fd, "hello");
	%s
	must(close(fd));
"""

# A file replaced as it should be, and with each of the two syncs left out.
REPLACE = r"""
	int dir = open(".", O_RDONLY | O_DIRECTORY);
	int fd = openat(dir, ".a.tmp", O_WRONLY | O_CREAT | O_EXCL, 0600);
	put(fd, "new");
	%s
	must(close(fd));
	must(renameat(dir, ".a.tmp", dir, "a"));
	%s
	must(mkdirat(dir, "done", 0700));
"""
FSYNC_FILE = "must(fsync(fd));"
FSYNC_DIR = "must(fsync(dir));"


class Case(unittest.TestCase):
    def setUp(self):
        self.scratch = os.path.realpath(tempfile.mkdtemp(dir="."))
        self.addCleanup(shutil.rmtree, self.scratch)
        self.root = os.path.join(self.scratch, "root")
        os.mkdir(self.root)

    def program(self, body):
        source = os.path.join(self.scratch, "p.c")
        with open(source, "w", encoding="ascii") as file:
            file.write(HEAD.replace("%s", body))
        binary = os.path.join(self.scratch, "p")
        subprocess.run(["cc", "-pthread", "-o", binary, source], check=True)
        return binary

    def replayed(self, body, witness=None, **files):
        """All states of a program; what it left must be what we rebuilt."""
        for name, content in files.items():
            with open(os.path.join(self.root, name), "w",
                      encoding="ascii") as file:
                file.write(content)
        before = os.path.join(self.scratch, "before")
        shutil.copytree(self.root, before, symlinks=True)
        out = os.path.join(self.scratch, "trace")
        status = replay.trace([self.program(body)], out, cwd=self.root)
        self.assertEqual(status, 0)
        states, end = replay.states(out, self.root, before, self.root,
                                    witness)
        self.assertEqual(replay.without_modes(end), replay.tree_of(self.root))
        return states

    def contents(self, states, kind=None):
        """{((path, bytes), ...)} of the states of a kind."""
        return {
            tuple(sorted((path, state.read(path)) for path in state.tree))
            for state in states if kind in (None, state.kind)}

    def refused(self, body, why, **files):
        with self.assertRaisesRegex(replay.Refused, why):
            self.replayed(body, **files)


class KillStates(Case):
    def test_a_file_without_a_name_leaves_nothing(self):
        states = self.replayed('''
	int d = open(".", O_TMPFILE | O_RDWR, 0600);
	put(d, "hello");
	must(fsync(d));
	must(close(d));''')
        self.assertEqual(self.contents(states), {()})

    def test_each_call_makes_a_state(self):
        states = self.replayed(CREATE % "")
        self.assertEqual(self.contents(states, "kill"), {
            (), (("a", b""),), (("a", b"hello"),)})

    def test_names(self):
        states = self.replayed(r"""
	must(mkdir("d", 0700));
	must(mkdir("d/e", 0700));
	int d = open("d", O_RDONLY | O_DIRECTORY);
	must(close(openat(d, "x", O_CREAT | O_WRONLY, 0600)));
	must(linkat(d, "x", d, "y", 0));
	must(symlink("d/x", "s"));
	must(rename("d/y", "d/e/z"));
	must(unlinkat(d, "x", 0));
	must(renameat2(d, "e", d, "f", RENAME_NOREPLACE));
	must(chdir("d/f"));
	must(unlink("../f/z"));
	must(fchdir(d));
	must(rmdir("f"));
""")
        # What a power loss had shown before is not shown again as a kill.
        kills = [sorted(s.tree) for s in states if s.kind == "kill"]
        self.assertIn(["d", "s"], [sorted(s.tree) for s in states])
        self.assertEqual(kills, [
            [], ["d"], ["d", "d/e"], ["d", "d/e", "d/x"],
            ["d", "d/e", "d/x", "d/y"], ["d", "d/e", "d/x", "d/y", "s"],
            ["d", "d/e", "d/e/z", "d/x", "s"], ["d", "d/e", "d/e/z", "s"],
            ["d", "d/f", "d/f/z", "s"], ["d", "d/f", "s"]])

    def test_exchange(self):
        states = self.replayed(
            'must(renameat2(AT_FDCWD, "a", AT_FDCWD, "b", RENAME_EXCHANGE));',
            a="1", b="2")
        self.assertIn((("a", b"2"), ("b", b"1")), self.contents(states))

    def test_ways_to_write(self):
        states = self.replayed(r"""
	int fd = open("a", O_RDWR | O_CREAT | O_TRUNC, 0600);
	struct iovec v[2] = {{"ab", 2}, {"cd", 2}};
	must(writev(fd, v, 2));
	must(pwritev(fd, v, 2, 6));
	must(pwrite(fd, "XY", 2, 1));
	must(lseek(fd, 0, SEEK_SET));
	char c[2];
	must(read(fd, c, 2));
	put(fd, "Z");
	int dup1 = fcntl(fd, F_DUPFD_CLOEXEC, 20);
	put(dup1, "Q");
	must(dup2(fd, 30));
	put(30, "R");
	int app = open("a", O_WRONLY | O_APPEND);
	put(app, "end");
	must(ftruncate(fd, 12));
	must(fallocate(fd, 0, 0, 14));
	must(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 2));
	must(truncate("a", 13));
	int to = open("b", O_RDWR | O_CREAT, 0600);
	off_t o = 3;
	must(sendfile(to, fd, &o, 4));
	loff_t p = 9, q = 10;
	must(copy_file_range(fd, &p, to, &q, 2, 0));
""")
        last = states[-1] if states[-1].kind == "kill" else [
            s for s in states if s.kind == "kill"][-1]
        with open(os.path.join(self.root, "b"), "rb") as file:
            self.assertEqual(last.read("b"), file.read())
        self.assertEqual(last.read("a")[:2], b"\0\0")

    def test_children_and_threads_share_descriptors(self):
        states = self.replayed(r"""
	int fd = open("a", O_WRONLY | O_CREAT, 0600);
	if (fork() == 0) {
		put(fd, "child,");
		must(close(fd));
		_exit(0);
	}
	int status;
	must(wait(&status));
	pthread_t thread;
	must(-pthread_create(&thread, NULL, run, &fd));
	pthread_join(thread, NULL);
	put(fd, ",parent");
""")
        self.assertIn((("a", b"child,thread,parent"),), self.contents(states))

    def test_failed_calls_change_nothing(self):
        states = self.replayed(
            '(void)!mkdir("a", 0700); (void)!rename("x", "y");'
            ' (void)!open("a/b", O_CREAT, 0600);', a="1")
        self.assertEqual(self.contents(states), {(("a", b"1"),)})

    def test_rebuilt_in_a_directory(self):
        states = self.replayed(
            'must(mkdir("d", 0700)); must(symlink("d", "s"));'
            'int fd = open("d/f", O_CREAT | O_WRONLY, 0640); put(fd, "x");'
            'must(fchmod(fd, 0600));')
        new = os.path.join(self.scratch, "new")
        [s for s in states if s.kind == "kill"][-1].write(new)
        self.assertEqual(replay.tree_of(new), replay.tree_of(self.root))
        self.assertEqual(os.stat(f"{new}/d/f").st_mode & 0o777, 0o600)

    def test_a_witness_survives(self):
        witness = os.path.join(self.scratch, "marks")
        states = self.replayed(
            'int fd = open("../marks", O_CREAT | O_WRONLY | O_APPEND, 0600);'
            'put(fd, "1"); must(mkdir("d", 0700)); put(fd, "2");',
            witness=witness)
        self.assertEqual(
            {(s.witness, "d" in s.tree) for s in states},
            {(b"", False), (b"1", False), (b"1", True), (b"12", True),
             (b"12", False)})


class PowerStates(Case):
    def test_without_any_sync(self):
        states = self.contents(self.replayed(CREATE % ""))
        self.assertEqual(states, {
            (),                         # the name is lost
            (("a", b""),),              # the bytes are
            (("a", b"\0" * 5),),        # only the length survived
            (("a", b"he"),),            # torn
            (("a", b"hello"),)})

    def test_bytes_synced_but_not_the_name(self):
        states = self.replayed(
            'must(mkdir("sub", 0700)); must(fsync(open(".", O_RDONLY)));'
            + CREATE % FSYNC_FILE +
            'must(mkdir("sub/done", 0700));'
            'must(fsync(open("sub", O_RDONLY)));')
        self.assertEqual({s.read("a") for s in states if "sub/done" in s.tree},
                         {None, b"hello"})

    def test_after_both_syncs_nothing_is_lost(self):
        states = self.replayed(REPLACE % (FSYNC_FILE, FSYNC_DIR), a="old")
        self.assertTrue(all(s.read("a") == b"new" for s in states
                            if "done" in s.tree))
        self.assertTrue(all(s.read("a") in (b"old", b"new") for s in states))

    def test_a_missing_sync_of_the_file_is_caught(self):
        states = self.replayed(REPLACE % ("", FSYNC_DIR), a="old")
        wrong = [s for s in states if s.read("a") not in (b"old", b"new")]
        self.assertTrue(wrong)
        self.assertTrue(all(s.kind == "power" for s in wrong))

    def test_a_missing_sync_of_the_directory_is_caught(self):
        # "done" stands for whatever rests on the new content.
        states = self.replayed(
            REPLACE.replace('must(mkdirat(dir, "done", 0700));',
                            'must(mkdir("sub/done", 0700));'
                            'must(fsync(open("sub", O_RDONLY)));')
            .replace("int dir =", 'must(mkdir("sub", 0700));'
                     'must(fsync(open(".", O_RDONLY))); int dir =')
            % (FSYNC_FILE, ""), a="old")
        self.assertTrue([s for s in states
                         if "sub/done" in s.tree and s.read("a") == b"old"])

    def test_truncation_survives_without_the_bytes(self):
        states = self.contents(self.replayed(
            'int fd = open("a", O_WRONLY | O_TRUNC); put(fd, "12345678");',
            a="old"))
        self.assertEqual(states, {
            (("a", c),) for c in (b"old", b"", b"\0" * 8, b"1234",
                                  b"12345678")})

    def test_overwriting_in_place_can_tear(self):
        states = self.contents(self.replayed(
            'int fd = open("a", O_WRONLY); put(fd, "1234");', a="abcdef"))
        self.assertEqual(states, {
            (("a", c),) for c in (b"abcdef", b"12cdef", b"1234ef")})

    def test_large_writes_tear_at_a_sector(self):
        states = self.replayed(
            'static char b[3000]; memset(b, 120, sizeof b);'
            'int fd = open("a", O_WRONLY); must(write(fd, b, sizeof b));',
            a="")
        self.assertIn(b"x" * 1024, [s.read("a") for s in states])

    def test_one_file_may_overtake_the_other(self):
        states = self.contents(self.replayed(
            'int a = open("a", O_WRONLY); int b = open("b", O_WRONLY);'
            'put(a, "1"); put(b, "1");', a="0", b="0"))
        self.assertEqual(states, {
            (("a", a), ("b", b)) for a in (b"0", b"1") for b in (b"0", b"1")})

    def test_a_rename_may_lose_either_name(self):
        states = self.contents(self.replayed(
            'must(mkdir("d", 0700)); must(fsync(open(".", O_RDONLY)));'
            'must(rename("a", "d/a"));', a="x"))
        self.assertIn((("d", None),), states)
        self.assertIn((("a", b"x"), ("d", None), ("d/a", b"x")), states)

    def test_sync_and_syncfs_and_o_sync(self):
        for call in ("sync();", 'must(syncfs(open(".", O_RDONLY)));'):
            with self.subTest(call):
                states = self.replayed(
                    CREATE % "" + call + 'must(mkdir("done", 0700));')
                self.assertTrue(all(s.read("a") == b"hello" for s in states
                                    if "done" in s.tree))
                shutil.rmtree(self.root)
                shutil.rmtree(os.path.join(self.scratch, "before"))
                os.mkdir(self.root)
        states = self.contents(self.replayed(
            'int fd = open("a", O_WRONLY | O_SYNC); put(fd, "1234");',
            a="abcd"))
        self.assertEqual(states, {(("a", b"abcd"),), (("a", b"1234"),)})

    def test_no_state_twice(self):
        states = self.replayed(REPLACE % ("", ""), a="old")
        found = [(tuple(sorted(s.tree.items(), key=str)), s.witness)
                 for s in states]
        self.assertEqual(len(found), len(set(found)))


class Sqlite(Case):
    """A program that is known to be right, and can be told to be wrong."""

    def lost(self, synchronous):
        """States in which a row is missing whose commit was reported."""
        script = f"PRAGMA synchronous = {synchronous};\n"
        script += "CREATE TABLE t (n INTEGER);\n"
        for n in range(1, 5):
            script += (f"INSERT INTO t VALUES ({n});\n"
                       f".once ../marks\nSELECT {n};\n")
        out = os.path.join(self.scratch, "trace")
        status = replay.trace(["sqlite3", "-batch", "db"], out, cwd=self.root,
                              input=script, text=True)
        self.assertEqual(status, 0)
        states, end = replay.states(out, self.root, None, self.root,
                                    os.path.join(self.scratch, "marks"))
        self.assertEqual(replay.without_modes(end), replay.tree_of(self.root))
        self.assertGreater(len(states), 50)
        return [s for s in states if self.rows(s) < int(s.witness or b"0")]

    def rows(self, state):
        """How many rows SQLite finds; -1 where the file is damaged."""
        new = os.path.join(self.scratch, "state")
        shutil.rmtree(new, ignore_errors=True)
        state.write(new)
        with contextlib.closing(sqlite3.connect(f"{new}/db")) as database:
            try:
                check = database.execute("PRAGMA integrity_check").fetchall()
                if check != [("ok",)]:
                    return -1
                if not database.execute(
                        "SELECT 1 FROM sqlite_schema").fetchall():
                    return 0
                return database.execute("SELECT count(*) FROM t").fetchone()[0]
            except sqlite3.DatabaseError:
                return -1

    def test_nothing_that_was_committed_is_lost(self):
        self.assertEqual(self.lost("EXTRA"), [])

    def test_without_syncs_it_is(self):
        self.assertTrue(self.lost("OFF"))

    def test_without_the_sync_of_the_directory_it_is(self):
        # After the journal's removal a power loss can bring it back.
        self.assertTrue(self.lost("FULL"))


class Refusals(Case):
    def test_a_writable_shared_mapping(self):
        self.refused(
            'int fd = open("a", O_RDWR);'
            'char *m = mmap(NULL, 4, PROT_READ | PROT_WRITE, MAP_SHARED, fd,'
            ' 0); m[0] = 49;', "shared mapping", a="abcd")

    def test_private_and_read_only_mappings_are_fine(self):
        self.replayed(
            'int fd = open("a", O_RDWR); int ro = open("a", O_RDONLY);'
            'char *m = mmap(NULL, 4, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd,'
            ' 0); m[0] = 49;'
            '(void)!mmap(NULL, 4, PROT_READ, MAP_SHARED, ro, 0);', a="abcd")

    def test_a_name_for_a_file_without_one(self):
        self.refused(r"""
	int d = open(".", O_TMPFILE | O_RDWR, 0600);
	char name[64];
	sprintf(name, "/proc/self/fd/%d", d);
	must(linkat(AT_FDCWD, name, AT_FDCWD, "a", AT_SYMLINK_FOLLOW));
""", "into or out of")

    def test_a_name_for_a_descriptor(self):
        self.refused(r"""
	int d = open(".", O_TMPFILE | O_RDWR, 0600);
	must(linkat(d, "", AT_FDCWD, "b", AT_EMPTY_PATH));
""", "AT_EMPTY_PATH")

    def test_a_node(self):
        self.refused('must(mkfifo("f", 0600));', "mknod")

    def test_a_rename_from_outside(self):
        with open(os.path.join(self.scratch, "out"), "w",
                  encoding="ascii"):
            pass
        self.refused('must(rename("../out", "a"));', "into or out of")

    def test_a_copy_from_outside(self):
        with open(os.path.join(self.scratch, "out"), "w",
                  encoding="ascii") as file:
            file.write("x")
        self.refused(
            'int to = open("a", O_CREAT | O_WRONLY, 0600);'
            'must(sendfile(to, open("../out", O_RDONLY), NULL, 1));',
            "not followed")

    def test_a_trace_that_does_not_fit_what_was_before(self):
        out = os.path.join(self.scratch, "trace")
        with open(os.path.join(self.root, "a"), "w", encoding="ascii"):
            pass
        replay.trace([self.program('must(unlink("a"));')], out,
                     cwd=self.root)
        with self.assertRaisesRegex(replay.Refused, "should not exist"):
            replay.states(out, self.root, None, self.root)

    def test_a_string_that_was_cut_short(self):
        line = ('1 openat(AT_FDCWD<\\x2f>, "%s", O_WRONLY|O_CREAT, 0600) '
                '= 3<%s>\n')
        path = "".join(f"\\x{b:02x}" for b in
                       os.path.join(self.root, "a").encode())
        lines = [line % (path, path),
                 f'1 write(3<{path}>, "\\x61"..., 9) = 9\n']
        with self.assertRaisesRegex(replay.Refused, "not whole"):
            list(replay.Replay(lines, self.root, None, "/").states())


if __name__ == "__main__":
    unittest.main()
