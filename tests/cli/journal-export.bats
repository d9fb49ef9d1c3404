#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031 # each test has its own $A
# journal export: what auditors take away, followed by a reader of its own; it
# grows, is refused where it must be, and goes on after each cut.

load ceremony-helper

READER=$BATS_TEST_DIRNAME/tlog_reader.py

setup_file() {
	base_authority
}

setup() {
	copy_authority
}

export_to() {
	ca-tool journal export -d "$A" "$@"
}

# One run more, in $A.
grow() {
	{ step_key "$1"; step_root "$1"; } > steps
	must run_plan "$1" < steps
}

# size: what the newest checkpoint counts.
size() {
	sed -n 2p "$A/public/journal/checkpoint"
}

# complete DIR: the reader finds it good, and all entries in it.
complete() {
	python3 "$READER" "$1" "$A/public/anchor/journal-key.pem" > entries || {
		echo "the reader refuses $1"
		return 1
	}
	[ "$(grep -c . entries)" -eq "$(size)" ]
	ca-tool journal show -d "$A" --json | head -n "$(size)" |
		diff - entries
	cmp "$1/checkpoint" "$A/public/journal/checkpoint"
	diff -r <(cd "$A/public" && find . -type f | sort) \
		<(cd "$1" && find anchor certs crls csrs journal -type f \
			2> /dev/null | sed 's,^,./,' | sort)
	for dir in anchor certs crls journal; do
		diff -r "$A/public/$dir" "$1/$dir"
	done
	[ -z "$(find "$1" -name '.*' ! -name . ! -path "$1")" ]
	[ -z "$(find "$1"/* -type f ! -perm 644 -o -type d ! -perm 755)" ]
	[ "$(find "$1/evidence" -type f | grep -c .)" -eq "$(evidence)" ]
}

# evidence: how many pieces the journal has.
evidence() {
	python3 -c 'import sqlite3, sys
print(*sqlite3.connect(sys.argv[1]).execute(
    "SELECT COUNT(*) FROM evidence").fetchone())' "$A/journal.db"
}

# member NAME: of the last report.
member() {
	python3 -c 'import json, sys
print(json.loads(sys.argv[2])[sys.argv[1]])' "$1" "$output"
}

@test "a new export, said in words, and followed from its checkpoint down" {
	run export_to out
	[ "$status" -eq 0 ]
	[[ $output == *"$(size) entries are exported to out"* ]]
	[[ $output == *"files were written"*"0 were there already"* ]]
	no_escapes
	complete out
	[ "$(stat -c %a out)" = 755 ]
}

@test "it changes nothing in the authority, and can be made of one on read-only media" {
	can_mount || skip "needs a mount of its own"
	local before
	before=$(snapshot "$A")
	must export_to out
	[ "$before" = "$(snapshot "$A")" ]
	must read_only "$A" "$CA_TOOL" journal export -d "$A" again
	diff -r out again
}

@test "again: nothing is written; after a run: only what is new" {
	must export_to out
	local written before
	run export_to out --json
	[ "$status" -eq 0 ]
	[ "$(member written)" -eq 0 ]
	[ "$(member bytes)" -eq 0 ]
	[ "$(member kept)" -eq "$(find out -type f | grep -c .)" ]
	[ "$(member entries)" -eq "$(size)" ]
	[ "$(member directory)" = out ]
	before=$(cd out && find tile evidence checkpoints -type f -print0 |
		sort -z | xargs -0 sha256sum)
	grow second
	run export_to out --json
	[ "$status" -eq 0 ]
	written=$(member written)
	[ "$written" -gt 0 ]
	complete out
	# Whatever was there is there, as it was: partial tiles too.
	(cd out && sha256sum --quiet -c <<< "$before")
	[ "$(find out/tile/0/000.p -type f | grep -c .)" -eq 2 ]
	grow third
	must export_to out/
	complete out
	must export_to fresh
	complete fresh
}

@test "a witness's line on the exported checkpoint stays" {
	must export_to out
	openssl genpkey -algorithm ed25519 -out wendy.pem
	must ca-tool journal cosign out/checkpoint --key wendy.pem \
		--name example.org/wendy --state state \
		--anchor "$A/public/anchor/anchor.txt" --out cosigned
	cp cosigned out/checkpoint
	must export_to out
	cmp cosigned out/checkpoint
	grow second
	must export_to out
	complete out
}

@test "into the authority, or where its parent does not exist" {
	unchanged export_to "$A/export"
	refused 2 "outside of it"
	unchanged export_to "$A"
	refused 2 "outside of it"
	unchanged export_to "$A/public"
	refused 2 "outside of it"
	ln -s "$A" link
	unchanged export_to link/export
	refused 2 "outside of it"
	unchanged export_to link/public/../new/
	refused 2 "outside of it"
	inside() {
		cd "$A" && ca-tool journal export export
	}
	unchanged inside
	refused 2 "outside of it"
	unchanged export_to no/such/place
	[ "$status" -ne 0 ]
	[ ! -e no ]
	# Not to be taken for it: only the beginning of the name is the same.
	must export_to "$A-export"
	complete "$A-export"
}

@test "to what is no directory, or has something else in it" {
	echo x > file
	run export_to file
	[ "$status" -ne 0 ]
	[ "$(cat file)" = x ]
	mkdir home
	echo diary > home/diary
	run export_to home
	refused 3 "'diary', which is not of an export"
	[ "$(ls home)" = diary ]
	mkdir real
	ln -s real link
	run export_to link
	[ "$status" -ne 0 ]
	[ -z "$(ls -A real)" ]
	run ca-tool journal export -d home out
	refused 3 "authority"
	[ ! -e out ]
}

@test "of another authority, of an older copy, of one that went on otherwise" {
	must export_to out
	make_authority other > /dev/null
	run ca-tool journal export -d other out
	refused 3 "another one|another journal"
	cp -a "$A" older
	grow second
	must export_to out
	local before
	before=$(snapshot out)
	run ca-tool journal export -d older out
	refused 3 "older copy" "export to another directory"
	A=$PWD/older
	grow fork
	grow further
	run export_to out
	refused 3 "is not a beginning of this journal"
	[ "$before" = "$(snapshot out)" ]
	must export_to elsewhere
	complete elsewhere
}

@test "what was changed in the export is named, and not touched" {
	must export_to out
	local path before
	for path in "tile/0/000.p/$(size)" "tile/entries/000.p/$(size)" \
		"checkpoints/$(size)" \
		"$(cd out && find evidence -type f | head -n 1)"; do
		cp -a out harmed
		printf x >> "harmed/$path"
		before=$(snapshot harmed)
		run export_to harmed
		refused 3 "$path" "is not what this journal has"
		[ "$before" = "$(snapshot harmed)" ]
		never python3 "$READER" harmed \
			"$A/public/anchor/journal-key.pem" 2> /dev/null
		rm "harmed/$path"
		must export_to harmed
		complete harmed
		rm -r harmed
	done
	# A copy of what is published follows the original.
	printf x >> out/certs/root-g1.pem
	must export_to out
	complete out
}

@test "a journal that was tampered with is not exported" {
	python3 - "$A/journal.db" <<-'EOF'
	import sqlite3, sys
	db = sqlite3.connect(sys.argv[1])
	db.execute("UPDATE entries SET body = CAST(replace(CAST(body AS TEXT), "
	    "'genesis', 'Genesis') AS BLOB) WHERE seq = 0")
	db.commit()
	EOF
	run export_to out
	refused 3 "does not have its hash \(0\)" "journal verify"
	[ ! -e out/checkpoint ]
}

# killed_at CALLS N: the export is killed at this system call.
killed_at() {
	no_leaks strace -f -o strace.log -e "trace=$1" \
		-e "inject=$1:signal=KILL:when=$2" \
		"$CA_TOOL" journal export -d "$A" out
}

@test "killed at every rename, write and sync: it goes on" {
	strace -o /dev/null true 2> /dev/null || skip "strace may not trace"
	local calls n step
	for calls in renameat2,renameat syncfs,fsync write; do
		step=1
		[ "$calls" = syncfs,fsync ] || step=17
		for ((n = 1; ; n += step)); do
			rm -rf out
			run killed_at "$calls" "$n"
			[ "$status" -ne 0 ] || break
			# No checkpoint before all that it counts.
			[ ! -e out/checkpoint ] || complete_but_stage
			must export_to out
			complete out
		done
		[ "$n" -gt "$step" ]
	done
}

complete_but_stage() {
	rm -rf out/.unfinished
	complete out
}

@test "Ctrl-C stops it, and it goes on" {
	strace -o /dev/null true 2> /dev/null || skip "strace may not trace"
	run no_leaks setsid env --default-signal=INT strace -f -o strace.log \
		-e trace=openat -e inject=openat:signal=INT:when=120 \
		"$CA_TOOL" journal export -d "$A" out
	[ "$status" -eq 1 ]
	[[ $output == *"interrupted"*"again"* ]]
	[ ! -e out/checkpoint ]
	[ ! -e out/.unfinished ]
	must export_to out
	complete out
}

@test "a disk that is full: said so; with room it goes on" {
	[ "$(id -u)" -eq 0 ] && can_mount || skip "needs a mount of its own"
	mkdir mount
	# shellcheck disable=SC2016
	run unshare -m bash -c '
		mount -t tmpfs -o size=160k none mount || exit 99
		setsid -w "$CA_TOOL" journal export -d "$1" mount/out
		status=$?
		[ ! -e mount/out/checkpoint ] || exit 98
		mount -o remount,size=32m mount || exit 97
		setsid -w "$CA_TOOL" journal export -d "$1" mount/out || exit 96
		cp -a mount/out out
		exit $status' bash "$A"
	[ "$status" -eq 1 ]
	[[ $output == *"No space left on device"* ]]
	complete out
}

@test "system calls that fail: no checkpoint without what it counts" {
	strace -o /dev/null true 2> /dev/null || skip "strace may not trace"
	local fault calls n
	for fault in write:ENOSPC syncfs:EIO renameat2:EIO mkdirat:ENOSPC \
		fchmod:EIO; do
		calls=${fault%:*}
		for n in 1 2 5 30; do
			rm -rf out
			run no_leaks strace -f -o strace.log -e "trace=$calls" \
				-e "inject=$calls:error=${fault#*:}:when=$n" \
				"$CA_TOOL" journal export -d "$A" out
			grep -q INJECTED strace.log || continue
			[ "$status" -eq 1 ] || {
				echo "$fault $n: $status: $output"
				return 1
			}
			[ ! -e out/checkpoint ]
			must export_to out
			complete out
		done
	done
}

@test "two at once: the second is told to wait" {
	mkdir out
	# shellcheck disable=SC2016
	run flock out setsid -w "$CA_TOOL" journal export -d "$A" out
	[ "$status" -ne 0 ]
	[[ $output == *"another export"* ]]
	must export_to out
	complete out
}
