#!/usr/bin/env bats
# journal verify: what it accepts, from wherever the journal lies, and what it
# says of a journal that is not what it was.  What each pass finds is in
# tests/unit/audit and journal-objects.bats.
# shellcheck disable=SC2030,SC2031

load ceremony-helper

setup_file() {
	base_authority
	make_authority "$BATS_FILE_TMPDIR/other"
}

setup() {
	copy_authority
	ANCHOR=$BATS_TEST_TMPDIR/kept.txt
	cp "$BASE/public/anchor/anchor.txt" "$ANCHOR"
	WORK=$BATS_TEST_TMPDIR/work
	mkdir "$WORK"
}

# verify [OPTION...] DIR: with the anchor; nothing is left of the private copy.
verify() {
	local ret=0
	ca-tool journal verify --anchor "$ANCHOR" --work "$WORK" "$@" || ret=$?
	rmdir "$WORK" && mkdir "$WORK" || return 99
	return "$ret"
}

right() {
	must verify "$@"
	[[ $output == *"Everything that was checked is right, and it is the journal of the anchor."* ]]
	[[ $output != *"error:"* ]]
}

# wrong PATTERN... -- DIR: exit status 3, and each of these is said.
wrong() {
	local patterns=()
	while [ "$1" != -- ]; do
		patterns+=("$1")
		shift
	done
	shift
	run verify "$@"
	refused 3 "${patterns[@]}"
	[[ $output != *"is right"* ]]
}

# sql FILE STATEMENT...
sql() {
	python3 -c '
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
for statement in sys.argv[2:]:
    db.execute(statement)
db.commit()' "$@"
}

# member NAME: of the JSON report in $output.
member() {
	python3 -c '
import json, sys
print(json.loads(sys.argv[1])[sys.argv[2]])' "$output" "$1"
}

# hot FILE: a crash in the middle of a commit that has reached the file.
hot() {
	python3 -c '
import os, sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("PRAGMA cache_size = 1")
db.execute("PRAGMA cache_spill = 1")
db.execute("BEGIN")
db.execute("UPDATE entries SET time = 0, body = zeroblob(3000)")
db.execute("UPDATE evidence SET bytes = zeroblob(9000)")
os._exit(0)' "$1"
	[ -s "$1-journal" ]
}

# ---- verdicts ---------------------------------------------------------------

@test "with the anchor: everything is right" {
	right "$A"
	[[ $output == *"example.org/test"* ]]
	[[ $output =~ "Entries "+[0-9]+", of which the newest checkpoint counts " ]]
	[[ $output == *"certificates: 2, CRLs: 1"* ]]
}

@test "without it: consistent with itself, which is no success" {
	run ca-tool journal verify "$A"
	refused 3 "consistent with itself, and that is all" "--anchor"
	[[ $output != *"is right"* ]]
}

@test "the anchor of another authority" {
	ANCHOR=$BATS_FILE_TMPDIR/other/public/anchor/anchor.txt
	wrong "AUDIT-ANCHOR" "another authority's journal" "is wrong|are wrong" \
		-- "$A"
}

@test "an anchor that is none, and none at all" {
	echo nothing > "$ANCHOR"
	wrong "malformed anchor" -- "$A"
	rm "$ANCHOR"
	wrong "kept.txt" -- "$A"
}

@test "--json: verdict, counts and findings" {
	run --separate-stderr verify --json "$A"
	[ "$status" -eq 0 ]
	[ "$(member verdict)" = right ]
	[ "$(member anchored)" = True ]
	[ "$(member authority)" = example.org/test ]
	[ "$(member certificates)" -eq 2 ]
	[ "$(member last_checkpoint)" -eq "$(sed -n 2p "$A/public/journal/checkpoint")" ]
	run --separate-stderr ca-tool journal verify --json "$A"
	[ "$status" -eq 3 ]
	[ "$(member verdict)" = consistent ]
	sql "$A/journal.db" "DELETE FROM profiles"
	run --separate-stderr verify --json "$A"
	[ "$status" -eq 3 ]
	[ "$(member verdict)" = wrong ]
	[[ $(member findings) == *AUDIT-DERIVED* ]]
}

@test "nothing is written where the journal lies" {
	local before
	before=$(snapshot "$A"; stat -c '%n %y' "$A" "$A/journal.db")
	right "$A"
	[ "$before" = "$(snapshot "$A"; stat -c '%n %y' "$A" "$A/journal.db")" ]
}

# ---- where it lies ----------------------------------------------------------

@test "the current directory" {
	cd "$A"
	right
}

@test "journal.db alone, in a directory or by its name" {
	mkdir alone
	cp "$A/journal.db" alone
	right alone
	right alone/journal.db
	mv alone/journal.db "alone/backup 1"
	right "alone/backup 1"
}

@test "a copy of the whole directory, and after another run" {
	{ step_key more; step_root more; } | run_plan more
	right "$A"
	cp -a "$A" copy
	right copy
	[[ $output == *"Runs        2"* ]]
}

@test "an export, whole and damaged" {
	must ca-tool journal export -d "$A" export
	right export
	cp -a export altered
	sed -i 's/"root-g1"/"root-g2"/' altered/tile/entries/*.p/*
	wrong "AUDIT-" "things are wrong" -- altered
	cp -a export cut
	find cut/evidence -type f | head -1 | xargs rm
	wrong "AUDIT-EVIDENCE" "missing" -- cut
	cp -a export unsigned
	sed -i '$s/.\{4\}$/AAAA/' unsigned/checkpoint
	wrong "AUDIT-" -- unsigned
	rm -r export/tile
	wrong "holds no journal" -- export
}

@test "media that cannot be written" {
	can_mount || skip "no mounts here"
	must read_only "$A" "$CA_TOOL" journal verify --anchor "$ANCHOR" \
		--work "$WORK" "$A"
	[[ $output == *"is right"* ]]
}

@test "a crash left a rollback journal, on media that cannot be written" {
	hot "$A/journal.db"
	right "$A"
	[ -s "$A/journal.db-journal" ]
	right "$A/journal.db"
	can_mount || skip "no mounts here"
	must read_only "$A" "$CA_TOOL" journal verify --anchor "$ANCHOR" \
		--work "$WORK" "$A"
	[[ $output == *"is right"* ]]
	# Without it, half of what was to be rolled back is left.
	rm "$A/journal.db-journal"
	wrong "wrong|damaged" -- "$A"
}

@test "a crash left a rollback journal, and a copy of both was taken then" {
	python3 -c '
import shutil, sqlite3, sys
db = sqlite3.connect(sys.argv[1] + "/journal.db", isolation_level=None)
db.execute("PRAGMA cache_size = 1")
db.execute("BEGIN")
db.execute("UPDATE entries SET body = zeroblob(3000)")
for name in "journal.db", "journal.db-journal":
    shutil.copy(sys.argv[1] + "/" + name, sys.argv[2])
db.execute("ROLLBACK")' "$A" "$WORK"
	mkdir copied
	mv "$WORK"/* copied
	right copied
}

@test "a ceremony writes: it waits, and refuses" {
	coproc python3 -c '
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("BEGIN EXCLUSIVE")
print(flush=True)
sys.stdin.read()' "$A/journal.db"
	local holder=$COPROC_PID
	read -r _ <&"${COPROC[0]}"
	wrong "is being written by another program" -- "$A"
	eval "exec ${COPROC[1]}>&-"
	wait "$holder"
	right "$A"
}

# ---- what is no journal -----------------------------------------------------

@test "nothing there, nothing in it, and what is neither" {
	wrong "'nowhere' does not exist" -- nowhere
	mkdir empty
	wrong "'empty' holds no journal" -- empty
	mkfifo pipe
	wrong "neither a directory nor a file" -- pipe
	ln -s "$A" link
	wrong "'link' is a symbolic link" -- link
	ln -s "$A/journal.db" empty/journal.db
	wrong "empty/journal.db' is not a regular file" -- empty
}

@test "an empty file, another program's, a newer ca-tool's, a cut one" {
	: > none.db
	wrong "none.db' is no journal of ca-tool" -- none.db
	sql other.db "CREATE TABLE notes (text)"
	wrong "other.db' is no journal of ca-tool" -- other.db
	head -c 5000 /dev/urandom > noise.db
	wrong "noise.db': this is no journal" -- noise.db
	cp "$A/journal.db" newer.db
	sql newer.db "PRAGMA user_version = 99"
	wrong "newer.db' was written by a newer ca-tool \(schema 99" -- newer.db
	head -c 50000 "$A/journal.db" > cut.db
	wrong "wrong|damaged" -- cut.db
	cp "$A/journal.db" more.db
	sql more.db "CREATE TABLE notes (text)"
	wrong "more.db' holds 'notes'" -- more.db
}

@test "a rollback journal that names another file is never played back" {
	echo "the auditor's" > thesis.txt
	python3 - "$A/journal.db" "$PWD/thesis.txt" <<-'END'
	import struct, sys
	db, victim = sys.argv[1], sys.argv[2].encode()
	head = open(db, "rb").read(100)
	size = struct.unpack(">H", head[16:18])[0]
	magic = bytes.fromhex("d9d505f920a163d7")
	out = (magic + struct.pack(">IIIII", 0, 1, 1, 512, size)).ljust(512, b"\0")
	out += struct.pack(">I", 0x40000000 // size + 1) + victim
	out += struct.pack(">II", len(victim), sum(victim)) + magic
	open(db + "-journal", "wb").write(out)
	END
	wrong "journal.db-journal' names another file" -- "$A"
	wrong "journal.db-journal' names another file" -- "$A/journal.db"
	run ca-tool journal show -d "$A"
	refused 3 "names another file"
	[ -s thesis.txt ]
	[ -s "$A/journal.db-journal" ]
}

@test "a write-ahead log, and a journal beside an export" {
	cp "$A/journal.db" wal.db
	sql wal.db "PRAGMA journal_mode = WAL"
	wrong "wal.db' is in WAL mode" -- wal.db
	echo log > "$A/journal.db-wal"
	wrong "journal.db-wal' is a write-ahead log" -- "$A"
	rm "$A/journal.db-wal"
	must ca-tool journal export -d "$A" export
	cp "$A/journal.db" export
	wrong "it is ambiguous" -- export
}

# ---- room -------------------------------------------------------------------

@test "no room, or no place, for the private copy" {
	run ca-tool journal verify --work nowhere "$A"
	refused 1 "private copy of the journal in 'nowhere'" "--work"
	[ "$(id -u)" -eq 0 ] && can_mount || skip "no mounts here"
	mkdir small
	# shellcheck disable=SC2016
	run unshare -m sh -c 'mount -t tmpfs -o size=4m tmpfs small || exit 99
		"$1" journal verify --work small "$2"
		ret=$?
		[ -z "$(ls -A small)" ] || exit 98
		exit $ret' sh "$CA_TOOL" "$A"
	refused 1 "there is no room in 'small'" "--work"
}

# ---- other journals in its place --------------------------------------------

@test "the journal of another authority in this one's directory" {
	cp "$BATS_FILE_TMPDIR/other/journal.db" "$A/journal.db"
	wrong "AUDIT-ANCHOR" "AUDIT-PUBLIC" "AUDIT-CHECKPOINT-FILE" -- "$A"
}

@test "an older journal of its own: the published checkpoint has more" {
	cp "$A/journal.db" older.db
	{ step_key more; step_root more; } | run_plan more
	cp older.db "$A/journal.db"
	wrong "AUDIT-CHECKPOINT-FILE" "it is an older copy" -- "$A"
}

@test "one entry altered: that one is named" {
	sql "$A/journal.db" "UPDATE entries SET body = CAST(replace(
		CAST(body AS TEXT), 'root-g1', 'root-g2') AS BLOB)
		WHERE kind = 'intent' AND seq = (SELECT MIN(seq) FROM entries
			WHERE kind = 'intent')"
	wrong "entry [0-9]+ \(intent\): error: .* \[AUDIT-LEAF\]" -- "$A"
}

@test "cosigned by a witness" {
	openssl genpkey -algorithm ed25519 -out wendy.pem
	must ca-tool journal cosign "$A/public/journal/checkpoint" \
		--key wendy.pem --name example.org/wendy --state wendy.state \
		--anchor "$A/public/anchor/anchor.txt" --out cosigned
	cp cosigned "$A/public/journal/checkpoint"
	grep -o 'example.org/wendy+[0-9a-f]*+[^ ]*' <<< "$output" > witnesses
	must verify --witnesses witnesses "$A"
	[[ $output == *"cosignatures checked: 1"* ]]
	[[ $output =~ "Witness     example.org/wendy cosigned "[0-9]+" entries at 20" ]]
	run --separate-stderr verify --json --witnesses witnesses "$A"
	[ "$(member witnesses | grep -c example.org/wendy)" -eq 1 ]
	# Another, who has never seen this journal.
	openssl genpkey -algorithm ed25519 -out willy.pem
	must ca-tool journal cosign "$A/public/journal/checkpoint" \
		--key willy.pem --name example.org/willy --state willy.state \
		--anchor "$A/public/anchor/anchor.txt" --out unused
	{ cat witnesses; grep -o 'example.org/willy+[0-9a-f]*+[^ ]*' \
		<<< "$output"; } > both
	wrong "AUDIT-WITNESS" "'example.org/willy' has cosigned no" \
		"example.org/willy has cosigned nothing" -- --witnesses both "$A"
	right "$A"
	[[ $output == *"AUDIT-COSIGNATURE-UNKNOWN"* ]]
	# A line of hers over something else.
	python3 - <<-'END'
	import base64
	note = open("cosigned").read()
	head, line = note[:-1].rsplit(" ", 1)
	raw = bytearray(base64.b64decode(line))
	raw[-1] ^= 1
	open("forged", "w").write(head + " " + base64.b64encode(raw).decode() + "\n")
	END
	cp forged "$A/public/journal/checkpoint"
	wrong "AUDIT-COSIGNATURE\]" "'example.org/wendy' is wrong" -- \
		--witnesses witnesses "$A"
}
