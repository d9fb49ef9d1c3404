"""What is done to the journal: each case is a name and an act on a copy."""

import hashlib
import os
import shutil
import sqlite3

import forge
import insider


class Impossible(Exception):
    """SQLite does not let this be written, or there is nothing to change."""


class Case:
    """act(directory) changes a copy of scene/SOURCE.  It may return the path of
    another anchor.  `names`: what ca-tool's findings must name (regular
    expressions); `honest`: it must be accepted; `asked`: a directory below the
    copy to verify in its place; `undocumented`: docs/journal.md does not say
    what this should be, so that only ca-tool can notice it."""

    def __init__(self, group, name, act, **rest):
        self.group, self.name, self.act = group, name, act
        self.names = rest.pop("names", [])
        self.honest = rest.pop("honest", False)
        self.source = rest.pop("source", "ca")
        self.sample = rest.pop("sample", 9)
        self.may_be_nothing = rest.pop("may_be_nothing", False)
        self.asked = rest.pop("asked", None)
        self.receipt = rest.pop("receipt", None)
        self.warned = rest.pop("warned", None)
        self.undocumented = rest.pop("undocumented", False)
        assert not rest, rest


SOME_ENTRY = [r"entry \d+"]


def at_entry(number):
    return [rf"entry {number}\b"]


def open_raw(directory):
    database = sqlite3.connect(os.path.join(directory, "journal.db"),
                               isolation_level=None)
    database.execute("PRAGMA synchronous = OFF")
    database.execute("PRAGMA ignore_check_constraints = ON")
    database.execute("PRAGMA foreign_keys = OFF")
    return database


def content(path):
    with open(path, "rb") as file:
        return file.read()


# ---- a bit of each column of each row -------------------------------------

TYPES = {"INTEGER": 1, "TEXT": "x", "BLOB": b"x"}


def flipped(value, declared, bit):
    """The value with one bit turned over."""
    if value is None:
        return TYPES[declared]
    if isinstance(value, int):
        return value ^ 1 << bit % 16
    data = bytearray(value.encode() if isinstance(value, str) else value)
    if not data:
        return TYPES[declared]
    bit %= 8 * len(data)
    data[bit // 8] ^= 1 << bit % 8
    return bytes(data)


def flip_cell(table, where, column, declared, bit):
    """`where`: the values of the primary key's columns."""
    condition = " AND ".join(f'"{name}" IS ?' for name in where)
    keys = tuple(where.values())

    def act(directory):
        database = open_raw(directory)
        try:
            value = database.execute(
                f'SELECT "{column}" FROM "{table}" WHERE {condition}',
                keys).fetchone()[0]
            for more in range(16):
                new = flipped(value, declared, bit + more)
                place = "CAST(? AS TEXT)" if declared == "TEXT" else "?"
                try:
                    database.execute(
                        f'UPDATE "{table}" SET "{column}" = {place} '
                        f"WHERE {condition}", (new, *keys))
                    return
                except sqlite3.IntegrityError:
                    continue
            raise Impossible("SQLite refuses")
        finally:
            database.close()
    return act


def columns_of(database, table):
    return [(name, declared, key) for _, name, declared, _, _, key in
            database.execute(f'PRAGMA table_info("{table}")')]


def flips(scene, chance):
    database = sqlite3.connect(f"{scene}/ca/journal.db")
    tables = [name for name, in database.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' "
        "AND name NOT LIKE 'sqlite%' ORDER BY name")]
    for table in tables:
        columns = columns_of(database, table)
        keys = [name for name, _, key in columns if key > 0]
        quoted = ", ".join(f'"{name}"' for name in keys)
        rows = database.execute(f'SELECT {quoted} FROM "{table}"').fetchall()
        for row in rows:
            where = dict(zip(keys, row))
            for column, declared, _ in columns:
                if (table, column) == ("evidence", "id"):
                    continue  # counts rows for SQLite; nothing refers to it
                names = (at_entry(row[0]) if table == "entries" and
                         column != "seq" else [])
                yield Case(f"a bit of {table}",
                           f"{column} of {where}",
                           flip_cell(table, where, column, declared,
                                     chance.randrange(1 << 16)),
                           names=names,
                           sample=len(columns))
    database.close()


# ---- the file -------------------------------------------------------------


def change_file(change):
    def act(directory):
        path = os.path.join(directory, "journal.db")
        forge.rewrite(path, change(bytearray(content(path))))
    return act


def flip_at(place):
    def change(data):
        data[place // 8 % len(data)] ^= 1 << place % 8
        return data
    return change


def file_damage(_scene, chance):
    for _ in range(400):
        place = chance.randrange(1 << 40)
        yield Case("a bit of the file", f"at {place}",
                   change_file(flip_at(place)), may_be_nothing=True,
                   sample=16)
    for name, change in {
            "empty": lambda data: b"",
            "no database": lambda data: b"not a database" * 1000,
            "cut in the middle": lambda data: data[:len(data) // 2],
            "without its last page": lambda data: data[:-4096],
            "only its head": lambda data: data[:100],
            "zeroes in the middle": lambda data: (
                data[:len(data) // 2] + bytes(4096) +
                data[len(data) // 2 + 4096:])}.items():
        yield Case("the file", name, change_file(change))
    yield Case("the file", "missing",
               lambda d: os.unlink(os.path.join(d, "journal.db")))
    for name, sql in {
            "a newer schema": "PRAGMA user_version = 5",
            "an older schema": "PRAGMA user_version = 3",
            "another program's": "PRAGMA application_id = 1",
            "another table": "CREATE TABLE more (x)",
            "a view": "CREATE VIEW more AS SELECT * FROM entries",
            "a trigger": "CREATE TRIGGER more AFTER INSERT ON entries BEGIN "
                         "DELETE FROM evidence; END",
            "a table less": "DROP TABLE anchors",
            "no entries": "DELETE FROM entries",
            "no nodes": "DELETE FROM nodes",
            "no evidence": "DELETE FROM evidence",
            "no objects": "DELETE FROM objects",
            "an index less": "DROP INDEX objects_spki",
            "another index": "CREATE INDEX more ON keys (name)",
    }.items():
        yield Case("the database", name, run_sql(sql),
                   undocumented="index" in name, sample=20)


def run_sql(sql):
    def act(directory):
        database = open_raw(directory)
        database.execute(sql)
        database.close()
    return act


# ---- entries --------------------------------------------------------------


def forged(change, *last, tool=None):
    """Change the journal, then `last` of: fix, resign, reindex."""
    def act(directory):
        with forge.Forgery(directory, tool) as journal:
            change(journal)
            if not last:
                journal.write()
            for name in last:
                if name == "reindex":
                    # Where ca-tool does not take the entries, the forger
                    # leaves the tables as they are.
                    journal.db.commit()
                    if tool is not None:
                        journal.reindex()
                else:
                    getattr(journal, name)()
    return act


def like(journal, number):
    """Another entry of the kind that is entry `number`."""
    value = journal.entries[number].value
    return value["kind"], value["data"]


def insert_like(journal, number):
    journal.insert(number, *like(journal, number))


def moves(count):
    """(name, number, change) for entries that are moved about."""
    for number in range(count):
        yield ("delete", number,
               lambda j, n=number: j.delete(n))
        yield ("duplicate", number,
               lambda j, n=number: j.duplicate(n))
        yield ("insert another before", number,
               lambda j, n=number: insert_like(j, n))
        if number + 1 < count:
            yield ("swap with the next", number,
                   lambda j, n=number: j.swap(n, n + 1))


def moved_entries(scene, tool):
    with forge.Forgery(f"{scene}/ca") as journal:
        count = len(journal.entries)
        newest = journal.find("checkpoint")[-1]
    for name, number, change in moves(count):
        last_of_all = name == "delete" and number == count - 1
        if not last_of_all:
            yield Case("entries moved, as they are", f"{name} {number}",
                       forged(change), names=SOME_ENTRY)
        if number < newest - 1:
            yield Case("entries moved, hashes fixed", f"{name} {number}",
                       forged(change, "fix", "reindex", tool=tool),
                       names=SOME_ENTRY)
            yield Case("entries moved, signed by others", f"{name} {number}",
                       forged(change, "resign", "reindex", tool=tool),
                       sample=10)


def leaves_of(value, path=()):
    """Paths of all scalars of an entry."""
    if isinstance(value, (dict, list)):
        pairs = (value.items() if isinstance(value, dict)
                 else enumerate(value))
        for name, inner in pairs:
            yield from leaves_of(inner, path + (str(name),))
    else:
        yield path, value


def other_value(value):
    if value is None:
        return "0" * 64
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if len(value) > 2 and set(value) <= set("0123456789abcdef"):
        return value[:-1] + ("0" if value[-1] != "0" else "1")
    if len(value) == 20 and value.endswith("Z"):
        return value[:-2] + ("0" if value[-2] != "0" else "1") + "Z"
    return value + "x"


def edited_members(scene, tool):
    with forge.Forgery(f"{scene}/ca") as journal:
        newest = journal.find("checkpoint")[-1]
        values = [entry.value for entry in journal.entries]
    for number, value in enumerate(values):
        for path, old in leaves_of(value):
            if path in (("seq",), ("v",)):
                continue
            name = f"{'.'.join(path)} of entry {number}"

            def change(j, n=number, p=".".join(path), v=other_value(old)):
                j.set(n, p, v)
            yield Case("a member, as it is", name, forged(change),
                       names=at_entry(number), sample=16)
            if number < newest:
                yield Case("a member, hashes fixed", name,
                           forged(change, "fix", "reindex", tool=tool),
                           names=SOME_ENTRY, may_be_nothing=True, sample=16)
        for member in value["data"] if number < newest else ():
            yield Case(
                "a member removed", f"{member} of entry {number}",
                forged(lambda j, n=number, m=member: j.unset(n, f"data.{m}"),
                       "fix"), names=SOME_ENTRY, may_be_nothing=True)


# ---- evidence and signatures ----------------------------------------------


def evidence(scene, tool):
    with forge.Forgery(f"{scene}/ca") as journal:
        digests = [row[0].hex() for row in journal.db.execute(
            "SELECT sha256 FROM evidence ORDER BY id")]
        sizes = dict(journal.db.execute("SELECT hex(sha256), size "
                                        "FROM evidence"))
    for digest in digests:
        yield Case("evidence removed", digest,
                   forged(lambda j, d=digest: j.evidence_remove(d)),
                   names=SOME_ENTRY)

        def turned(j, d=digest):
            data = bytearray(j.evidence(d))
            data[len(data) // 2] ^= 1
            return bytes(data)
        yield Case("evidence exchanged", digest, forged(
            lambda j, d=digest, t=turned: j.evidence_swap(d, t(j))))
        yield Case("evidence exchanged, hashes fixed", digest, forged(
            lambda j, d=digest, t=turned: j.evidence_replace(d, t(j)),
            "fix", "reindex", tool=tool))
        yield Case("evidence empty", digest, forged(
            lambda j, d=digest: j.evidence_swap(d, b"")), sample=8)
    assert len(sizes) == len(digests)
    # A run that is killed may leave evidence before the entry that names it.
    more = b"what nobody asked for"
    yield Case("evidence added", "of nobody",
               forged(lambda j: j.evidence_add(more)),
               warned="evidence.*" + hashlib.sha256(more).hexdigest())


def strangers(scene, tool):
    people = f"{scene}/strangers"
    with forge.Forgery(f"{scene}/ca") as journal:
        for kind in ("approval", "confirmation", "enrolment", "anchor"):
            for number in journal.find(kind):
                name = journal.data(number)["name"]
                if not os.path.exists(f"{people}/{name}.key"):
                    name = "alice"
                for way in ("statement", "disguise"):
                    def change(j, n=number, w=way, who=name):
                        getattr(j, w)(n, people, who)
                    shown = f"{way} of {kind} {number}"
                    yield Case("strangers' signatures, hashes fixed", shown,
                               forged(change, "fix", "reindex", tool=tool),
                               names=SOME_ENTRY)
                    yield Case("strangers' signatures, all re-signed", shown,
                               forged(change, "resign", "reindex",
                                      tool=tool))
    yield Case("signed by others", "checkpoints with another key",
               forged(lambda j: None, "resign", "reindex", tool=tool))


# ---- whole databases ------------------------------------------------------


def exchange(scene, database, public=None):
    def act(directory):
        forge.rewrite(os.path.join(directory, "journal.db"),
                  content(f"{scene}/{database}/journal.db"))
        if public is not None:
            shutil.rmtree(os.path.join(directory, "public"))
            shutil.copytree(f"{scene}/{public}/public",
                            os.path.join(directory, "public"))
    return act


def databases(scene):
    yield Case("whole databases", "that of another authority",
               exchange(scene, "twin"), names=["anchor"])
    yield Case("whole databases", "another authority, with its files",
               exchange(scene, "twin", "twin"), names=["anchor"])
    yield Case("whole databases", "another authority's files",
               exchange(scene, "ca", "twin"))
    for number in range(3):
        yield Case("whole databases", f"that of {3 - number} plans ago, with the "
                   "files of today", exchange(scene, f"past/{number}"))
    receipt = f"{scene}/ca/public/journal/checkpoint"
    for number in range(3):
        yield Case("whole authorities", f"as it was {3 - number} plans ago, "
                   "and a receipt of today", lambda d: None,
                   source=f"past/{number}", receipt=receipt)
        yield Case("good ones", f"a receipt of {3 - number} plans ago",
                   lambda d: None, honest=True,
                   receipt=f"{scene}/past/{number}/public/journal/checkpoint")
    yield Case("whole authorities", "another, and a receipt of this",
               lambda d: None, source="twin", receipt=receipt)
    for number in range(3):
        yield Case("good ones", f"as it was after {number} plans",
                   lambda d: None, source=f"past/{number}", honest=True)
    yield Case("good ones", "as it is", lambda d: None, honest=True)


# ---- files that were published --------------------------------------------


def published(scene):
    public = f"{scene}/ca/public"
    for place, _, names in os.walk(public):
        for name in names:
            path = os.path.relpath(os.path.join(place, name), f"{scene}/ca")

            def turn(directory, p=path):
                data = bytearray(content(os.path.join(directory, p)))
                data[len(data) // 2] ^= 1
                forge.rewrite(os.path.join(directory, p), bytes(data))

            def more(directory, p=path):
                data = content(os.path.join(directory, p))
                forge.rewrite(os.path.join(directory, p), data + b"\n")

            def none(directory, p=path):
                os.unlink(os.path.join(directory, p))
            yield Case("published files altered", path, turn)
            if not path.startswith("public/journal/"):
                yield Case("published files lengthened", path, more)
            if "anchor" not in path:
                yield Case("published files removed", path, none)
    for path in ("certs/more.pem", "crls/more.crl", "certs/more.tlog-proof",
                 "journal/more", "anchor/more.cms"):
        def add(directory, p=path):
            with open(os.path.join(directory, "public", p), "wb") as file:
                file.write(b"more")
        yield Case("published files added", path, add)
    yield Case("published files exchanged", "one certificate for another",
               lambda d: forge.rewrite(
                   f"{d}/public/certs/issuing-g1.der",
                   content(f"{d}/public/certs/partner-g1.der")))
    yield Case("published files exchanged", "one proof for another",
               lambda d: forge.rewrite(
                   f"{d}/public/certs/issuing-g1.tlog-proof",
                   content(f"{d}/public/certs/partner-g1.tlog-proof")))
    yield Case("published files exchanged", "the checkpoint before",
               lambda d: forge.rewrite(
                   f"{d}/public/journal/checkpoint",
                   content(f"{scene}/past/2/public/journal/checkpoint")))


# ---- an export ------------------------------------------------------------


def exports(scene):
    """What `journal export` made of it; each of its files."""
    export = f"{scene}/export"

    def then(change):
        def act(directory):
            shutil.copytree(export, f"{directory}/export",
                            copy_function=os.link)
            change(f"{directory}/export")
        return act
    yield Case("good ones", "an export", then(lambda d: None), honest=True,
               asked="export")
    for place, _, names in os.walk(export):
        for name in names:
            path = os.path.relpath(os.path.join(place, name), export)

            def turn(directory, p=path):
                data = bytearray(content(os.path.join(directory, p)))
                if not data:
                    raise Impossible("it is empty")
                data[len(data) // 2] ^= 1
                forge.rewrite(os.path.join(directory, p), bytes(data))

            def cut(directory, p=path):
                data = content(os.path.join(directory, p))
                if not data:
                    raise Impossible("it is empty")
                forge.rewrite(os.path.join(directory, p), data[:-1])
            yield Case("export: a file altered", path, then(turn),
                       asked="export")
            yield Case("export: a file cut", path, then(cut), asked="export")
            if path.split("/")[0] in ("tile", "evidence", "checkpoint"):
                yield Case("export: a file removed", path, then(
                    lambda d, p=path: os.unlink(os.path.join(d, p))),
                    asked="export")


def everything(scene, chance, tool):
    """All cases, in the order of the report."""
    yield from databases(scene)
    yield from flips(scene, chance)
    yield from file_damage(scene, chance)
    yield from moved_entries(scene, tool)
    yield from edited_members(scene, tool)
    yield from evidence(scene, tool)
    yield from strangers(scene, tool)
    yield from published(scene)
    yield from insider.cases_of(scene, Case)
    yield from exports(scene)


