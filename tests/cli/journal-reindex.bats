#!/usr/bin/env bats
# journal reindex: whatever was done to the derived tables, the entries bring
# them back; what was done to the entries is refused.
# shellcheck disable=SC2030,SC2031,SC2094

load ceremony-helper

setup_file() {
	base_authority
}

setup() {
	copy_authority
}

# sql STATEMENT...
sql() {
	python3 -c '
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
for statement in sys.argv[2:]:
    db.execute(statement)
db.commit()' "$A/journal.db" "$@"
}

# derived: every row of every table but evidence, and the names of the tables.
derived() {
	python3 -c '
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
for name, in db.execute("SELECT name FROM sqlite_schema WHERE type = \"table\""
                        " ORDER BY name").fetchall():
    print(name)
    for row in sorted(map(repr, db.execute("SELECT * FROM " + name))):
        print("  ", row)' "$A/journal.db"
}

reindex() {
	ca-tool journal reindex -d "$A" "$@"
}

# member TABLE MEMBER: of the JSON report in $output.
member() {
	python3 -c '
import json, sys
report = json.loads(sys.argv[1])
print([t for t in report["tables"] if t["table"] == sys.argv[2]][0][sys.argv[3]])
' "$output" "$@"
}

@test "nothing is wrong: nothing is changed, and that is said" {
	local before
	before=$(derived)
	must reindex
	[[ $output == *"All tables were as the entries say"* ]]
	[ "$before" = "$(derived)" ]
	must reindex --json
	[ "$(member objects wrong)" -eq 0 ]
	[ "$(member objects missing)" -eq 0 ]
	[ "$(member keys rows)" -eq 3 ]
}

@test "each derived table, emptied: all of it comes back" {
	local before tables table rows
	before=$(derived)
	mapfile -t tables < <(sed -n 's/^\([a-z_]*\)$/\1/p' <<< "$before")
	for table in "${tables[@]}"; do
		[[ $table != entries && $table != nodes &&
			$table != evidence ]] || continue
		rows=$(sed -n "/^$table\$/,/^[a-z]/p" <<< "$before" |
			grep -c '^ ' || true)
		sql "DELETE FROM $table"
		must reindex --json
		[ "$(member "$table" missing)" -eq "$rows" ]
		[ "$(member "$table" wrong)" -eq 0 ]
		[ "$before" = "$(derived)" ]
	done
}

@test "rows that were altered or added are put right, and counted" {
	local before
	before=$(derived)
	sql "UPDATE objects SET state = 2 WHERE name = 'issuing-g1'" \
		"INSERT INTO revocations VALUES (9, 1, x'05', 7, 1, NULL, NULL, NULL, NULL, 1)" \
		"UPDATE authority SET token_serial = 'other', clock = 9"
	must reindex
	[[ $output == *"objects"*"1 missing or different, 1 wrong"* ]]
	[[ $output == *"revocations"*"1 too many"* ]]
	[[ $output == *"find out what"* ]]
	[ "$before" = "$(derived)" ]
	{ step_key after; step_root after; } > steps
	must run_plan after < steps
	sound
}

@test "it works where nothing else does: no authority.yaml, no founding row" {
	local before
	before=$(derived)
	sql "DELETE FROM authority"
	run ca-tool-pin key list -d "$A"
	[ "$status" -ne 0 ]
	mv "$A/authority.yaml" kept.yaml
	must reindex
	mv kept.yaml "$A/authority.yaml"
	[ "$before" = "$(derived)" ]
	must ca-tool-pin key list -d "$A"
}

@test "damaged entries or tree: refused, named, and nothing is changed" {
	local damage says
	while IFS='|' read -r damage says; do
		cp "$A/journal.db" sound.db
		sql "UPDATE objects SET name = 'x' WHERE name = 'issuing-g1'
			AND kind = 'certificate'" "$damage"
		unchanged reindex
		refused 3 "$says" "put a backup in its place"
		cp sound.db "$A/journal.db"
	done <<-'EOF'
	UPDATE entries SET leaf = zeroblob(32) WHERE seq = 5|entry 5 of
	UPDATE entries SET body = x'7b7d' WHERE seq = 7|entry 7 of
	UPDATE entries SET kind = 'event' WHERE seq = 6|entry 6 of
	UPDATE nodes SET hash = zeroblob(32) WHERE level = 1 AND idx = 2|entries 4 to 5 of
	DELETE FROM nodes WHERE level = 2 AND idx = 0|level 2, index 0
	DELETE FROM entries WHERE seq = 4|entries are missing
	EOF
}

@test "an entry that contradicts those before it: named, nothing is changed" {
	# With all hashes as they should be: somebody who knows how.
	python3 - "$A/journal.db" <<-'EOF'
	import hashlib, json, sqlite3, sys
	db = sqlite3.connect(sys.argv[1])
	H = lambda *parts: hashlib.sha256(b"".join(parts)).digest()
	rows = db.execute("SELECT seq, body FROM entries ORDER BY seq").fetchall()
	close = [json.loads(b) for _, b in rows if b'"kind":"close"' in b][-1]
	close["seq"] = len(rows)
	body = json.dumps(close, separators=(",", ":")).encode()
	db.execute("INSERT INTO entries SELECT ?, kind, time, ?, ? FROM entries "
	           "WHERE kind = 'close'", (len(rows), body, H(b"\0", body)))
	level = [H(b"\0", b) for _, b in rows] + [H(b"\0", body)]
	n = 0
	db.execute("DELETE FROM nodes")
	while len(level) > 1:
	    n += 1
	    level = [H(b"\1", level[i], level[i + 1])
	             for i in range(0, len(level) - 1, 2)]
	    for i, h in enumerate(level):
	        db.execute("INSERT INTO nodes VALUES (?, ?, ?)", (n, i, h))
	db.commit()
	EOF
	local last
	last=$(journal 'E[-1]["seq"]')
	unchanged reindex
	refused 3 "entry $last of" "does not follow"
}

@test "no authority, a journal in use, somebody who reads" {
	mkdir empty
	run ca-tool journal reindex -d empty
	refused 3 "no journal.db"
	[ -z "$(ls -A empty)" ]
	exec 7<> "$A/lock"
	flock 7
	unchanged reindex
	refused 3 "another ca-tool is at work"
	exec 7>&-
}
