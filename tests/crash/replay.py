#!/usr/bin/env python3
"""Rebuild what a crash can leave behind, from one strace of a program.

    replay.py trace OUT -- PROGRAM...          write a trace that can be replayed
    replay.py list OUT --root DIR --before COPY    list the states
    replay.py write OUT N NEW --root DIR --before COPY   rebuild state N in NEW

DIR is the directory that the program worked in, COPY what it held before.

A *kill state* is what the file system holds after each call that changed it:
what the next process finds when this one is killed there.  A *power state* is
what a disk that honours fsync may hold after a power loss there.  The model:

- the bytes of a file are durable after fsync or fdatasync of that file;
- a name is durable after fsync of its directory;
- sync and syncfs make everything durable; a write through O_SYNC is durable;
- of what is not durable, anything may be lost.  Explored are: nothing of it
  survived; all names but no bytes did (the file keeps its last synced length,
  or is empty where it was truncated, or has its new length and zeros); all
  bytes but no new names did; only one file's bytes or one directory's names
  did, or all but one file's; everything, but the last write of a file is torn.

What the model cannot follow (a writable shared mapping, asynchronous I/O,
clones of file ranges) is refused, never passed over in silence.
"""

import argparse
import hashlib
import os
import re
import subprocess
import sys

CALLS = """
open openat openat2 creat close close_range dup dup2 dup3 fcntl lseek
read readv write writev pwrite64 pwritev pwritev2 ftruncate truncate fallocate
rename renameat renameat2 link linkat unlink unlinkat mkdir mkdirat rmdir
symlink symlinkat mknod mknodat fsync fdatasync syncfs sync copy_file_range
sendfile splice mmap chdir fchdir chroot chmod fchmod fchmodat umask clone
clone3 fork vfork io_uring_setup io_submit ioctl
""".split()

SECTOR = 512
PIECE = 1 << 14  # octets; pieces of files are kept once


class Refused(Exception):
    """The trace holds something that the model cannot follow."""


# ---- the trace ------------------------------------------------------------


def command(out):
    """What to put before a command line to trace it into a file."""
    return [
        "strace", "-f", "--seccomp-bpf", "-qq", "-xx", "-y",
        "-s", str(1 << 24), "-e", "signal=none",
        "-e", "trace=" + ",".join("?" + c for c in CALLS), "-o", out, "--",
    ]


def trace(argv, out, **popen):
    """Run argv under strace; its exit status (negative: a signal)."""
    return subprocess.run(command(out) + list(argv), **popen,
                          check=False).returncode


class Call:
    """One finished system call."""

    def __init__(self, pid, name, args, result):
        self.pid, self.name, self.args, self.result = pid, name, args, result


def split_arguments(text):
    """Split at commas outside of brackets; -xx leaves none inside strings."""
    args, depth, start = [], 0, 0
    for match in re.finditer(r"[\[\](){},]", text):
        mark = match.group()
        if mark in "[({":
            depth += 1
        elif mark in "])}":
            depth -= 1
        elif depth == 0:
            args.append(text[start:match.start()].strip())
            start = match.end()
    args.append(text[start:].strip())
    return args


def unhex(text):
    return bytes.fromhex(text.replace("\\x", ""))


def as_bytes(arg):
    """The bytes of a quoted string, which must not be cut short."""
    match = re.fullmatch(r'"((?:\\x[0-9a-f]{2})*)"', arg)
    if not match:
        raise Refused(f"a string that is not whole: {arg[:60]}")
    return unhex(match.group(1))


def as_path(arg):
    return os.fsdecode(as_bytes(arg))


def as_fd(arg):
    """(number, path or None); AT_FDCWD has the number None."""
    match = re.fullmatch(r"(-?\d+|AT_FDCWD)(?:<(.*?)>)?(?:\(deleted\))?", arg)
    if not match:
        raise Refused(f"not a file descriptor: {arg[:60]}")
    number = None if match.group(1) == "AT_FDCWD" else int(match.group(1))
    path = match.group(2)
    if path is not None:
        path = re.sub(
            r"(?:\\x[0-9a-f]{2})+",
            lambda m: os.fsdecode(unhex(m.group())), path)
    return number, path


def as_vector(arg):
    """The bytes of an iovec array."""
    return b"".join(
        as_bytes(base) for base in
        re.findall(r'iov_base=("[^"]*"(?:\.\.\.)?)', arg))


def parse(lines):
    """Finished calls, and ("start", pid) before the first call of a pid."""
    pending, seen = {}, set()
    for line in lines:
        line = line.rstrip("\n")
        pid, _, rest = line.partition(" ")
        rest = rest.lstrip()
        pid = int(pid)
        if rest.startswith(("+++", "---")):
            continue
        if pid not in seen:
            seen.add(pid)
            yield Call(pid, "start", dict(pending), None)
        if rest.endswith("<unfinished ...>"):
            pending[pid] = rest[:-len("<unfinished ...>")]
            continue
        match = re.match(r"<\.\.\. \w+ resumed>", rest)
        if match:
            rest = pending.pop(pid) + rest[match.end():]
        equals = rest.rfind(" = ")
        name, _, args = rest[:equals].rstrip().partition("(")
        result = rest[equals + 3:]
        if equals < 0 or not args.endswith(")"):
            raise Refused(f"cannot read the trace: {line[:80]}")
        yield Call(pid, name, split_arguments(args[:-1]), result)


# ---- the file system ------------------------------------------------------


class Inode:
    """A file, directory or symlink: as it is, and as the disk has it."""

    def __init__(self, kind, mode, content):
        self.kind, self.mode = kind, mode
        self.now = content            # bytearray, {name: Inode}, or a target
        self.durable = {"f": b"", "d": {}, "l": content}[kind]
        self.pending = []             # ("w", offset, bytes) or ("t", length)
        self.parent = None
        self.hash = None

    def settle(self):
        """What fsync does."""
        self.durable = dict(self.now) if self.kind == "d" else (
            bytes(self.now) if self.kind == "f" else self.now)
        self.pending = []

    def dirty(self):
        if self.kind == "d":
            return self.now != self.durable
        return bool(self.pending)

    def write(self, offset, data):
        if data:
            apply_write(self.now, offset, data)
            self.pending.append(("w", offset, data))
            self.hash = None

    def truncate(self, length):
        apply_truncate(self.now, length)
        self.pending.append(("t", length))
        self.hash = None


def apply_write(content, offset, data):
    if offset > len(content):
        content.extend(bytes(offset - len(content)))
    content[offset:offset + len(data)] = data


def apply_truncate(content, length):
    del content[length:]
    content.extend(bytes(length - len(content)))


# What may become of a file's bytes.


def bytes_now(inode):
    return inode.now


def bytes_synced(inode):
    """Nothing since the last sync, but a truncation to nothing did."""
    if any(op[0] == "t" and op[1] == 0 for op in inode.pending):
        return b""
    return inode.durable


def bytes_durable(inode):
    return inode.durable


def bytes_length(inode):
    """The new length did, the bytes are zeros."""
    kept = min([len(inode.durable), len(inode.now)] +
               [op[1] for op in inode.pending if op[0] == "t"])
    return inode.durable[:kept] + bytes(len(inode.now) - kept)


def bytes_torn(inode):
    """Everything, but of the last write only a part."""
    writes = [i for i, op in enumerate(inode.pending) if op[0] == "w"]
    if not writes:
        return inode.now
    content = bytearray(inode.durable)
    for i, op in enumerate(inode.pending):
        if op[0] == "t":
            apply_truncate(content, op[1])
            continue
        data = op[2]
        if i == writes[-1]:
            half = len(data) // 2
            data = data[:half - half % SECTOR or half]
        apply_write(content, op[1], data)
    return content


class State:
    """One content of the directory, and where it comes from."""

    def __init__(self, number, kind, step, call, tree, witness, blobs):
        self.number, self.kind, self.step, self.call = number, kind, step, call
        self.tree, self.witness, self._blobs = tree, witness, blobs

    def __str__(self):
        return f"{self.number}: {self.kind}, step {self.step}, {self.call}"

    def read(self, path):
        """The bytes of a file, None if there is none."""
        entry = self.tree.get(path)
        if entry is None or entry[0] != "f":
            return None
        return b"".join(self._blobs[entry[2]])

    def write(self, directory):
        """Rebuild it in a new directory."""
        os.mkdir(directory, 0o700)
        for path in sorted(self.tree):
            kind, mode, content = self.tree[path]
            target = os.path.join(directory, path)
            if kind == "d":
                os.mkdir(target)
            elif kind == "l":
                os.symlink(content, target)
                continue
            else:
                with open(target, "xb") as file:
                    file.writelines(self._blobs[content])
            os.chmod(target, mode)


# ---- processes ------------------------------------------------------------


class Open:
    """An open file description."""

    def __init__(self, inode, flags):
        self.inode, self.offset = inode, 0
        self.append = "O_APPEND" in flags
        self.sync = "O_SYNC" in flags or "O_DSYNC" in flags
        self.writable = "O_WRONLY" in flags or "O_RDWR" in flags


class Process:
    def __init__(self, fds, cwd, umask):
        self.fds = fds              # {number: Open}, of tracked files only
        self.cwd = cwd              # [Inode or str]
        self.umask = umask          # [int]


class Replay:
    """Follow a trace; states() yields each distinct state once."""

    def __init__(self, lines, root, before, cwd=None, witness=None,
                 witnessed=b""):
        """
        lines    the trace (an open text file)
        root     the directory that is followed, by its real path
        before   a copy of what it held before; None: nothing
        cwd      where the program was started, by its real path
        witness  a file outside of root whose bytes always survive, and
                 what it held before (witnessed)
        """
        self.lines, self.root = lines, root.rstrip("/")
        self.tree = Inode("d", 0o700, {})
        if before is not None:
            self._load(self.tree, before)
        self.tree.settle()
        self.cwd = cwd or os.path.realpath(".")
        self.witness_path = witness
        self.witness = Inode("f", 0o600, bytearray(witnessed))
        self.processes = {}
        # {SHA-256: a file's pieces}; what is there twice is one object, since
        # a database of some megabytes changes a page at a time.
        self.blobs, self.same, self.seen = {}, {}, set()
        self.step = self.count = 0

    def _load(self, inode, path):
        for entry in os.scandir(path):
            mode = entry.stat(follow_symlinks=False).st_mode & 0o7777
            if entry.is_symlink():
                child = Inode("l", mode, os.readlink(entry.path))
            elif entry.is_dir():
                child = Inode("d", mode, {})
                child.parent = inode
                self._load(child, entry.path)
            elif entry.is_file():
                with open(entry.path, "rb") as file:
                    child = Inode("f", mode, bytearray(file.read()))
            else:
                raise Refused(f"neither file nor directory: {entry.path}")
            child.settle()
            inode.now[entry.name] = child

    # -- finding things

    def _walk(self, start, path, follow):
        """
        (directory, name, inode): directory is None outside of the root,
        and name then the whole path; inode is None where nothing is there.
        """
        here = "/" if path.startswith("/") else start
        parts = [p for p in path.split("/") if p not in ("", ".")]
        links = 0
        parent, name = None, None
        if isinstance(here, str):
            here = self._enter(here)
        while parts:
            part = parts.pop(0)
            if isinstance(here, str):
                here = self._outside(here, part)
                parent = name = None
                continue
            if here is None or here.kind != "d":
                raise Refused(f"the trace goes through what is no directory: "
                              f"{path}")
            if part == "..":
                here = here.parent or self._enter(os.path.dirname(self.root))
                parent = name = None
                continue
            parent, name = here, part
            here = here.now.get(part)
            if here is not None and here.kind == "l" and (parts or follow):
                links += 1
                if links > 40:
                    raise Refused(f"too many symbolic links: {path}")
                parts = [p for p in here.now.split("/")
                         if p not in ("", ".")] + parts
                here = self._enter("/") if here.now.startswith("/") else parent
        if isinstance(here, str):
            return None, here, None
        return parent, name, here

    def _enter(self, path):
        """A path outside, or the inode of the root or what is below it."""
        if path == self.root:
            return self.tree
        if path.startswith(self.root + "/"):
            return self._walk(self.tree, path[len(self.root) + 1:], True)[2]
        return path

    def _outside(self, here, part):
        path = os.path.normpath(os.path.join(here, part))
        if path == self.root:
            return self.tree
        return os.path.realpath(path) if os.path.islink(path) else path

    def _start(self, process, dirfd):
        """The directory that a *at() call starts from."""
        number, path = as_fd(dirfd)
        if number is None:
            return process.cwd[0]
        if number in process.fds and self._tracked(path):
            return process.fds[number].inode
        if path is not None and self._tracked(path):
            raise Refused(f"descriptor {number} of {path} was never opened")
        return path or "/"

    def _tracked(self, path):
        return path is not None and (
            path == self.root or path.startswith(self.root + "/") or
            path == self.witness_path)

    def _open_file(self, process, fd):
        """The open tracked file behind a descriptor, or None."""
        number, path = as_fd(fd)
        if path is not None and not self._tracked(path):
            process.fds.pop(number, None)
            return None
        found = process.fds.get(number)
        if found is None and path is not None:
            raise Refused(f"descriptor {number} of {path} was never opened")
        return found

    def _file(self, process, dirfd, path, follow=True):
        start = process.cwd[0] if dirfd is None else (
            self._start(process, dirfd))
        return self._walk(start, as_path(path), follow)

    # -- states

    def _tree(self, names, content):
        """{path: (kind, mode, content)} under two ways to look at it."""
        tree = {}
        stack = [("", self.tree)]
        while stack:
            prefix, directory = stack.pop()
            for name, inode in names(directory).items():
                path = self._one(prefix + name)
                if inode.kind == "d":
                    tree[path] = self._one(("d", inode.mode, None))
                    stack.append((path + "/", inode))
                elif inode.kind == "l":
                    tree[path] = self._one(("l", 0, inode.now))
                else:
                    tree[path] = self._one(
                        ("f", inode.mode, self._blob(inode, content)))
        return tree

    def _blob(self, inode, content):
        data = content(inode) if inode.pending else inode.now
        if data is inode.now:
            if inode.hash is None:
                inode.hash = self._keep(data)
            return inode.hash
        return self._keep(data)

    def _keep(self, data):
        digest = hashlib.sha256(data).digest()
        if digest not in self.blobs:
            self.blobs[digest] = tuple(
                self._one(bytes(data[at:at + PIECE]))
                for at in range(0, len(data), PIECE))
        return digest

    def _one(self, thing):
        """The same thing for all that are equal."""
        return self.same.setdefault(thing, thing)

    def _reachable(self):
        """Every inode that has a name, now or on the disk."""
        found, stack = {}, [self.tree]
        while stack:
            inode = stack.pop()
            if id(inode) in found:
                continue
            found[id(inode)] = inode
            if inode.kind == "d":
                stack.extend(inode.now.values())
                stack.extend(inode.durable.values())
        return list(found.values())

    def _power_views(self):
        """Pairs (names, content): what a power loss may leave."""
        def now(directory):
            return directory.now

        def old(directory):
            return directory.durable

        inodes = self._reachable()
        files = [i for i in inodes if i.kind == "f" and i.dirty()]
        folders = [i for i in inodes if i.kind == "d" and i.dirty()]
        for names in (old, now) if folders else (now,):
            for content in (bytes_durable, bytes_synced, bytes_length,
                            bytes_now):
                yield names, content
            if len(files) > 1:
                for one in files:
                    yield names, lambda i, x=one: (
                        i.now if i is x else i.durable)
            if len(files) > 2:
                for one in files:
                    yield names, lambda i, x=one: (
                        i.durable if i is x else i.now)
            for one in files:
                yield names, lambda i, x=one: (
                    bytes_torn(i) if i is x else i.now)
        if len(folders) > 1:
            for one in folders:
                for content in (bytes_now, bytes_durable):
                    yield (lambda d, x=one: d.now if d is x else d.durable,
                           content)

    def _new_states(self, call):
        views = [("kill", lambda d: d.now, bytes_now)]
        if any(inode.dirty() for inode in self._reachable()):
            views += [("power", *view) for view in self._power_views()]
        for kind, names, content in views:
            tree = self._tree(names, content)
            witness = bytes(self.witness.now)
            # 64 bits tell some 10,000 states apart; the trees themselves
            # would be most of the memory.
            key = hash((frozenset(tree.items()), witness))
            if key in self.seen:
                continue
            self.seen.add(key)
            yield State(self.count, kind, self.step, call, tree, witness,
                        self.blobs)
            self.count += 1

    def states(self):
        """Each distinct state, in order; the first is the one before."""
        yield from self._new_states("before the first call")
        for call in parse(self.lines):
            if self._apply(call):
                self.step += 1
                yield from self._new_states(self._describe(call))

    def _describe(self, call):
        """The call with the paths that it names, as people read it."""
        paths = []
        for arg in call.args:
            match = re.match(r"(?:\d+|AT_FDCWD)<(.*?)>", arg) or re.fullmatch(
                r'"(.*)"', arg)
            if match is None or arg.startswith("AT_FDCWD"):
                continue
            if arg.startswith('"') and "write" in call.name:
                continue
            path = os.fsdecode(unhex(match.group(1)))
            paths.append(os.path.relpath(path, self.root)
                         if path.startswith("/") else path)
        return f"{call.name}({', '.join(paths)})"

    def tree_now(self):
        """The tree as it is, to be compared with the real one."""
        return self._tree(lambda d: d.now, bytes_now)

    # -- calls

    def _process(self, call):
        """The process of a call; a new one takes after its parent."""
        if call.pid in self.processes:
            return self.processes[call.pid]
        if not self.processes:
            cwd = self._enter(self.cwd)
            umask = os.umask(0o077)
            os.umask(umask)
            process = Process({}, [cwd], [umask])
        else:
            process = None
            for parent, text in (call.args or {}).items():
                if text.startswith(("clone", "fork", "vfork")):
                    process = self._child(self.processes[parent], text)
            if process is None:
                raise Refused(f"process {call.pid} has no parent")
        self.processes[call.pid] = process
        return process

    @staticmethod
    def _child(parent, text):
        files = parent.fds if "CLONE_FILES" in text else dict(parent.fds)
        if "CLONE_FS" in text:
            return Process(files, parent.cwd, parent.umask)
        return Process(files, list(parent.cwd), list(parent.umask))

    def _apply(self, call):
        """True if the file system, or what is durable of it, changed."""
        if call.name == "start":
            self._process(call)
            return False
        process = self.processes[call.pid]
        match = re.match(r"-?\d+|0x[0-9a-f]+|\?", call.result)
        if not match or match.group() == "?" or match.group()[0] == "-":
            return False
        handler = HANDLERS.get(call.name)
        if handler is None:
            raise Refused(f"a call that nobody knows: {call.name}")
        value = match.group()
        value = int(value, 16 if value.startswith("0x") else 10)
        return bool(handler(self, process, call, value))

    def _opened(self, process, call, result, dirfd, path, flags, mode):
        if "O_TMPFILE" in flags:
            # It has no name, and so no crash leaves anything of it.
            if self._tracked(as_fd(call.result)[1]):
                nameless = Inode("f", 0o600, bytearray())
                process.fds[result] = Open(nameless, flags)
            return False
        follow = "O_NOFOLLOW" not in flags and "O_EXCL" not in flags
        parent, name, inode = self._file(process, dirfd, path, follow)
        if parent is None and inode is None:
            if name == self.witness_path:
                inode = self.witness
            else:
                process.fds.pop(result, None)
                return False
        changed = False
        if inode is None:
            if "O_CREAT" not in flags:
                raise Refused(f"opened, but should not exist: {name}")
            inode = Inode("f", int(mode or "0", 8) & ~process.umask[0],
                          bytearray())
            parent.now[name] = inode
            changed = True
        elif "O_EXCL" in flags and "O_CREAT" in flags and (
                inode is not self.witness):
            raise Refused(f"made anew, but should exist already: {name}")
        opened = Open(inode, flags)
        process.fds[result] = opened
        if "O_TRUNC" in flags and inode.kind == "f" and inode.now:
            inode.truncate(0)
            changed = True
        return changed

    def on_open(self, process, call, result):
        args = call.args + [""] * 2
        return self._opened(process, call, result, None, *args[:3])

    def on_openat(self, process, call, result):
        args = call.args + [""] * 2
        return self._opened(process, call, result, *args[:4])

    def on_openat2(self, process, call, result):
        how = call.args[2]
        flags = re.search(r"flags=([A-Z_|]+)", how).group(1)
        mode = re.search(r"mode=(0\d*)", how)
        return self._opened(process, call, result, *call.args[:2], flags,
                            mode.group(1) if mode else "")

    def on_creat(self, process, call, result):
        return self._opened(process, call, result, None, call.args[0],
                            "O_WRONLY|O_CREAT|O_TRUNC", call.args[1])

    def on_close(self, process, call, result):
        process.fds.pop(as_fd(call.args[0])[0], None)

    def on_close_range(self, process, call, result):
        if "CLOSE_RANGE_CLOEXEC" in call.args[2]:
            return
        last = int(call.args[1]) if call.args[1].isdigit() else 1 << 32
        for number in [n for n in process.fds
                       if int(call.args[0]) <= n <= last]:
            del process.fds[number]

    def on_dup(self, process, call, result):
        number, _ = as_fd(call.args[0])
        if number in process.fds:
            process.fds[result] = process.fds[number]
        else:
            process.fds.pop(result, None)

    def on_fcntl(self, process, call, result):
        if call.args[1].startswith("F_DUPFD"):
            self.on_dup(process, call, result)
        elif call.args[1] == "F_SETFL":
            opened = self._open_file(process, call.args[0])
            if opened is not None:
                opened.append = "O_APPEND" in call.args[2]

    def on_lseek(self, process, call, result):
        opened = self._open_file(process, call.args[0])
        if opened is not None:
            opened.offset = result

    def on_read(self, process, call, result):
        opened = self._open_file(process, call.args[0])
        if opened is not None:
            opened.offset += result

    def _written(self, opened, offset, data):
        """At an offset, or (None) where the description stands."""
        inode = opened.inode
        if opened.append:
            offset = len(inode.now)
            opened.offset = offset + len(data)
        elif offset is None:
            offset = opened.offset
            opened.offset += len(data)
        inode.write(offset, data)
        if opened.sync:
            inode.settle()
        return bool(data)

    def on_write(self, process, call, result):
        opened = self._open_file(process, call.args[0])
        if opened is None:
            return False
        read = as_vector if call.name == "writev" else as_bytes
        return self._written(opened, None, read(call.args[1])[:result])

    def on_pwrite(self, process, call, result):
        opened = self._open_file(process, call.args[0])
        if opened is None:
            return False
        if call.name == "pwrite64":
            data = as_bytes(call.args[1])
        else:
            data = as_vector(call.args[1])
        offset = int(call.args[3])
        return self._written(opened, None if offset < 0 else offset,
                             data[:result])

    def on_copy(self, process, call, result):
        """sendfile and copy_file_range: the bytes are not in the trace."""
        if call.name == "sendfile":
            target, source, position = call.args[:3]
            place = "NULL"
        else:
            source, position, target, place = call.args[:4]
        out = self._open_file(process, target)
        into = self._open_file(process, source)
        if out is None and into is None:
            return False
        start = re.match(r"\[(\d+)\]", position)
        if into is not None:
            offset = int(start.group(1)) if start else into.offset
            data = bytes(into.inode.now[offset:offset + result])
            if not start:
                into.offset += result
        else:
            raise Refused(f"bytes copied from a file that is not followed: "
                          f"{as_fd(source)[1]}")
        if out is None:
            return False
        if len(data) != result:
            raise Refused("a copy of bytes that are not there")
        at = re.match(r"\[(\d+)\]", place)
        return self._written(out, int(at.group(1)) if at else None, data)

    def on_truncate(self, process, call, result):
        if call.name == "ftruncate":
            opened = self._open_file(process, call.args[0])
            inode = opened.inode if opened else None
        else:
            inode = self._file(process, None, call.args[0])[2]
        if inode is None:
            return False
        inode.truncate(int(call.args[1]))
        return True

    def on_fallocate(self, process, call, result):
        opened = self._open_file(process, call.args[0])
        if opened is None:
            return False
        mode, offset, length = call.args[1], *map(int, call.args[2:4])
        inode, end = opened.inode, offset + length
        modes = set(mode.split("|")) - {"0", "FALLOC_FL_KEEP_SIZE"}
        if modes - {"FALLOC_FL_PUNCH_HOLE", "FALLOC_FL_ZERO_RANGE"}:
            raise Refused(f"fallocate with {mode}")
        if "FALLOC_FL_KEEP_SIZE" not in mode and end > len(inode.now):
            inode.truncate(end)
        if modes:
            end = min(end, len(inode.now))
            inode.write(offset, bytes(max(0, end - offset)))
        return True

    def on_rename(self, process, call, result):
        args = call.args
        if call.name == "rename":
            args = [None, args[0], None, args[1]]
        flags = args[4] if len(args) > 4 else ""
        old_dir, old_name, inode = self._file(process, *args[:2], False)
        new_dir, new_name, there = self._file(process, *args[2:4], False)
        if old_dir is None and new_dir is None:
            return False
        if old_dir is None or new_dir is None or "WHITEOUT" in flags:
            raise Refused("a rename into or out of the directory")
        if inode is None:
            raise Refused(f"renamed, but should not exist: {old_name}")
        if inode is there and "EXCHANGE" not in flags:
            return False
        del old_dir.now[old_name]
        if "EXCHANGE" in flags:
            old_dir.now[old_name] = there
            there.parent = old_dir
        new_dir.now[new_name] = inode
        inode.parent = new_dir
        return True

    def on_link(self, process, call, result):
        args = call.args
        if call.name == "link":
            args = [None, args[0], None, args[1], "0"]
        if "AT_EMPTY_PATH" in args[4]:
            raise Refused("a name for a file without one (AT_EMPTY_PATH)")
        follow = "AT_SYMLINK_FOLLOW" in args[4]
        inode = self._file(process, *args[:2], follow)[2]
        parent, name, _ = self._file(process, *args[2:4], False)
        if inode is None and parent is None:
            return False
        if inode is None or parent is None:
            raise Refused("a link into or out of the directory")
        parent.now[name] = inode
        return True

    def on_unlink(self, process, call, result):
        args = call.args if call.name == "unlinkat" else [None, call.args[0]]
        parent, name, _ = self._file(process, *args[:2], False)
        if parent is None:
            return False
        if name not in parent.now:
            raise Refused(f"removed, but should not exist: {name}")
        del parent.now[name]
        return True

    def on_mkdir(self, process, call, result):
        args = call.args if call.name == "mkdirat" else [None] + call.args
        parent, name, _ = self._file(process, *args[:2], False)
        if parent is None:
            return False
        child = Inode("d", int(args[2], 8) & ~process.umask[0], {})
        child.parent = parent
        parent.now[name] = child
        return True

    def on_symlink(self, process, call, result):
        args = call.args
        if call.name == "symlink":
            args = [args[0], None, args[1]]
        parent, name, _ = self._file(process, args[1], args[2], False)
        if parent is None:
            return False
        parent.now[name] = Inode("l", 0o777, as_path(args[0]))
        return True

    def on_mknod(self, process, call, result):
        args = call.args if call.name == "mknodat" else [None] + call.args
        if self._file(process, *args[:2], False)[0] is not None:
            raise Refused("a node (mknod)")

    def on_sync(self, process, call, result):
        if call.name in ("fsync", "fdatasync"):
            opened = self._open_file(process, call.args[0])
            if opened is None or not opened.inode.dirty():
                return False
            opened.inode.settle()
            return True
        if call.name == "syncfs" and (
                self._open_file(process, call.args[0]) is None):
            return False
        for inode in self._reachable():
            inode.settle()
        return True

    def on_mmap(self, process, call, result):
        if "MAP_SHARED" not in call.args[3]:
            return
        if "MAP_ANONYMOUS" in call.args[3]:
            return
        opened = self._open_file(process, call.args[4])
        if opened is not None and opened.writable:
            raise Refused("a shared mapping of a file opened for writing")

    def on_chdir(self, process, call, result):
        if call.name == "fchdir":
            process.cwd[0] = self._start(process, call.args[0])
            return
        parent, name, inode = self._file(process, None, call.args[0])
        process.cwd[0] = name if inode is None else inode

    def on_chmod(self, process, call, result):
        if call.name == "fchmod":
            opened = self._open_file(process, call.args[0])
            inode = opened.inode if opened else None
            mode = call.args[1]
        else:
            args = call.args if call.name == "fchmodat" else (
                [None] + call.args)
            inode, mode = self._file(process, *args[:2])[2], args[2]
        if inode is None:
            return False
        inode.mode = int(mode, 8)
        return True

    def on_umask(self, process, call, result):
        process.umask[0] = int(call.args[0], 8)

    def on_fork(self, process, call, result):
        if result not in self.processes:
            text = " ".join(call.args)
            self.processes[result] = self._child(process, text)

    def on_refused(self, process, call, result):
        raise Refused(f"a call that cannot be followed: {call.name}")

    def on_splice(self, process, call, result):
        if self._open_file(process, call.args[2]) is not None:
            raise Refused("splice into a file")

    def on_ioctl(self, process, call, result):
        if "FICLONE" in call.args[1] or "FIDEDUPE" in call.args[1]:
            if self._open_file(process, call.args[0]) is not None:
                raise Refused(f"ioctl {call.args[1]}")


HANDLERS = {
    "open": Replay.on_open, "openat": Replay.on_openat,
    "openat2": Replay.on_openat2, "creat": Replay.on_creat,
    "close": Replay.on_close, "close_range": Replay.on_close_range,
    "dup": Replay.on_dup, "dup2": Replay.on_dup, "dup3": Replay.on_dup,
    "fcntl": Replay.on_fcntl, "lseek": Replay.on_lseek,
    "read": Replay.on_read, "readv": Replay.on_read,
    "write": Replay.on_write, "writev": Replay.on_write,
    "pwrite64": Replay.on_pwrite, "pwritev": Replay.on_pwrite,
    "pwritev2": Replay.on_pwrite,
    "copy_file_range": Replay.on_copy, "sendfile": Replay.on_copy,
    "splice": Replay.on_splice,
    "truncate": Replay.on_truncate, "ftruncate": Replay.on_truncate,
    "fallocate": Replay.on_fallocate,
    "rename": Replay.on_rename, "renameat": Replay.on_rename,
    "renameat2": Replay.on_rename,
    "link": Replay.on_link, "linkat": Replay.on_link,
    "unlink": Replay.on_unlink, "unlinkat": Replay.on_unlink,
    "rmdir": Replay.on_unlink,
    "mkdir": Replay.on_mkdir, "mkdirat": Replay.on_mkdir,
    "symlink": Replay.on_symlink, "symlinkat": Replay.on_symlink,
    "mknod": Replay.on_mknod, "mknodat": Replay.on_mknod,
    "fsync": Replay.on_sync, "fdatasync": Replay.on_sync,
    "syncfs": Replay.on_sync, "sync": Replay.on_sync,
    "mmap": Replay.on_mmap, "chdir": Replay.on_chdir,
    "fchdir": Replay.on_chdir, "chroot": Replay.on_refused,
    "chmod": Replay.on_chmod, "fchmod": Replay.on_chmod,
    "fchmodat": Replay.on_chmod, "umask": Replay.on_umask,
    "clone": Replay.on_fork, "clone3": Replay.on_fork,
    "fork": Replay.on_fork, "vfork": Replay.on_fork,
    "io_uring_setup": Replay.on_refused, "io_submit": Replay.on_refused,
    "ioctl": Replay.on_ioctl,
}


def states(trace_file, root, before, cwd=None, witness=None):
    """All states of a trace, and the tree that it ends with."""
    with open(trace_file, encoding="ascii") as lines:
        replay = Replay(lines, root, before, cwd, witness)
        return list(replay.states()), replay.tree_now()


def tree_of(directory):
    """A real directory as {path: (kind, content)}, to compare."""
    tree = {}
    for path, folders, files in os.walk(directory):
        for name in folders + files:
            full = os.path.join(path, name)
            short = os.path.relpath(full, directory)
            if os.path.islink(full):
                tree[short] = ("l", os.readlink(full))
            elif name in folders:
                tree[short] = ("d", None)
            else:
                with open(full, "rb") as file:
                    tree[short] = (
                        "f", hashlib.sha256(file.read()).digest())
    return tree


def without_modes(tree):
    return {path: (kind, content) for path, (kind, _, content) in tree.items()}


def main():
    parser = argparse.ArgumentParser(
        description="rebuild what a crash can leave behind, from a trace")
    commands = parser.add_subparsers(dest="command", required=True)
    sub = commands.add_parser("trace", help="run a program and trace it")
    sub.add_argument("out")
    sub.add_argument("program", nargs="+")
    for name, text in (("list", "list the states"),
                       ("write", "rebuild one state")):
        sub = commands.add_parser(name, help=text)
        sub.add_argument("out", help="the trace")
        if name == "write":
            sub.add_argument("number", type=int)
            sub.add_argument("new", help="directory to make")
        sub.add_argument("--root", required=True)
        sub.add_argument("--before")
        sub.add_argument("--cwd")
    args = parser.parse_args()
    if args.command == "trace":
        return trace(args.program, args.out)
    found, _ = states(args.out, os.path.realpath(args.root), args.before,
                      args.cwd)
    if args.command == "list":
        for state in found:
            print(state)
    else:
        found[args.number].write(args.new)
    return 0


if __name__ == "__main__":
    sys.exit(main())
