#!/usr/bin/env bats
# shellcheck disable=SC2154 # stderr is set by run --separate-stderr
# plan show, plan run and journal show, on a small ceremony.

load helper

setup() {
	A=$BATS_TEST_TMPDIR/authority
	P=$BATS_TEST_TMPDIR/plan.yaml
	mkdir "$BATS_TEST_TMPDIR/mount"
	make_authority "$A"
}

@test "a ceremony: phases on stderr, the summary on stdout" {
	{
		step_key root-g1
		step_key issuing-g1
		step_root root-g1
		step_subordinate issuing-g1 root-g1 'key: issuing-g1'
		step_crl root-g1
	} | plan first > "$P"
	run --separate-stderr ca-tool-pin plan run -d "$A" "$P" --yes
	[ "$status" -eq 0 ] || { echo "$stderr"; false; }
	[[ $stderr == *"== "* ]]
	[[ $stderr == *root-g1* ]]
	[[ $output == *"Done."* ]]
	[[ $output == *public/certs/root-g1.pem* ]]
	[[ $output == *"example.org/test"* ]] # the receipt's origin
	[[ $output != *"== "* ]]
	no_escapes
	output=$stderr no_escapes
	openssl verify -x509_strict -CAfile "$A/public/certs/root-g1.pem" \
		"$A/public/certs/issuing-g1.pem"
	openssl crl -in "$A/public/crls/root-g1.pem" -noout \
		-CAfile "$A/public/certs/root-g1.pem"
}

@test "plan run --json" {
	{ step_key root-g1; step_root root-g1; } | plan first > "$P"
	ca-tool-pin plan run -d "$A" "$P" --yes --json 2> /dev/null \
		> "$BATS_TEST_TMPDIR/report"
	python3 -c '
import json, os, sys
report = json.load(open(sys.argv[1]))
assert report["ok"] is True
assert "public/certs/root-g1.pem" in report["published"]
for path in report["published"]:
    assert os.path.exists(os.path.join(sys.argv[2], path)), path
assert report["receipt"].startswith("example.org/test\n")
assert os.path.isdir(os.path.join(sys.argv[2], "ceremonies",
                                  report["directory"]))' \
		"$BATS_TEST_TMPDIR/report" "$A"
}

@test "a plan runs once" {
	step_key root-g1 | plan first > "$P"
	ca-tool-pin plan run -d "$A" "$P" --yes
	local before
	before=$(snapshot "$A/public")
	run ca-tool-pin plan run -d "$A" "$P" --yes
	refused 3 "first"
	[ "$(snapshot "$A/public")" = "$before" ]
}

@test "outside of its window a plan is refused before anything begins" {
	command -v faketime > /dev/null || skip "no faketime"
	step_key root-g1 | plan first > "$P"
	local before
	before=$(ca-tool journal show -d "$A" | grep -c .)
	run at_time '+30d' setsid -w "$CA_TOOL" plan run -d "$A" "$P" \
		--yes "${OPS[@]}" --pin-fd 8 8< <(pins)
	refused 3 "window"
	[ "$(ca-tool journal show -d "$A" --kind key-intent |
		grep -c root-g1)" -eq 0 ]
}

@test "nothing to resume" {
	run ca-tool-pin plan run --resume -d "$A" --yes
	refused 3 "no run"
}

@test "plan show: sentences and previews, and nothing is written" {
	{ step_key root-g1; step_root root-g1; step_crl root-g1; } |
		plan first > "$P"
	local before
	before=$(snapshot "$A")
	run ca-tool plan show -d "$A" "$P"
	[ "$status" -eq 0 ] || { echo "$output"; false; }
	[[ $output == *"Steps"*" 1. "*" 2. "*" 3. "* ]]
	[[ $output == *"What would be signed"* ]]
	[[ $output == *"certificate root-g1"* ]]
	[[ $output == *"Example root-g1"* ]]
	[[ $output == *"crl root-g1"* ]]
	[ "$(snapshot "$A")" = "$before" ]
	ca-tool plan show -d "$A" --json "$P" > "$BATS_TEST_TMPDIR/report"
	python3 -c '
import json, sys
report = json.load(open(sys.argv[1]))
assert [row["kind"] for row in report["steps"]] == [
    "generate-key", "root", "crl"]
assert [row["kind"] for row in report["objects"]] == ["certificate", "crl"]' \
		"$BATS_TEST_TMPDIR/report"
}

@test "the authority is the current directory unless it is named" {
	step_key root-g1 | plan first > "$P"
	cd "$A"
	run ca-tool plan show "$P"
	[ "$status" -eq 0 ]
	run ca-tool journal show
	[ "$status" -eq 0 ]
}

@test "journal show: a line an entry, filtered" {
	run ca-tool journal show -d "$A"
	[ "$status" -eq 0 ]
	[[ ${lines[0]} =~ ^\ +0\ +[0-9-]+T[0-9:]+Z\ +genesis\  ]]
	local all=${#lines[@]}
	run ca-tool journal show -d "$A" --last 2
	[ "${#lines[@]}" -eq 2 ]
	run ca-tool journal show -d "$A" --from $((all - 3))
	[ "${#lines[@]}" -eq 3 ]
	run ca-tool journal show -d "$A" --kind profile
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -ge 4 ]
	run ca-tool journal show -d "$A" --kind profile --last 1
	[ "${#lines[@]}" -eq 1 ]
	run ca-tool journal show -d "$A" --last 0
	[ "$status" -eq 0 ]
	[ "$output" = "" ]
	run ca-tool journal show -d "$A" --kind nonsense
	refused 2 "no kind of entry 'nonsense'"
}

@test "journal show --json gives the exact bytes" {
	ca-tool journal show -d "$A" --json > "$BATS_TEST_TMPDIR/lines"
	python3 - "$BATS_TEST_TMPDIR/lines" "$A/journal.db" <<-'END'
	import json, sqlite3, sys
	lines = open(sys.argv[1], "rb").read().splitlines()
	for seq, line in enumerate(lines):
	    assert json.loads(line)["seq"] == seq
	with open(sys.argv[2], "rb") as file:
	    raw = file.read()
	assert lines[0] in raw
	END
}

@test "journal show where there is no journal" {
	run ca-tool journal show -d "$BATS_TEST_TMPDIR"
	refused 3 "journal"
	mkdir "$BATS_TEST_TMPDIR/bad"
	echo noise > "$BATS_TEST_TMPDIR/bad/journal.db"
	run ca-tool journal show -d "$BATS_TEST_TMPDIR/bad"
	refused 3 "journal"
}

@test "a read-only authority is refused before the token is used" {
	can_mount || skip "no namespaces for mounts"
	step_key root-g1 | plan first > "$P"
	run read_only "$A" "$CA_TOOL" plan run -d "$A" "$P" --yes "${OPS[@]}" --pin-fd 8 \
		8< <(pins)
	refused 1 "cannot" "[Rr]ead-only|Permission"
	run ca-tool-pin plan run -d "$A" "$P" --yes
	[ "$status" -eq 0 ] || { echo "$output"; false; }
}

# on_full_disk LEFT: run $P on a file system that is full, but for LEFT.
on_full_disk() {
	# shellcheck disable=SC2016
	run unshare -m bash -c '
		mount -t tmpfs -o size=64m none "$1" || exit 99
		cp -a "$2" "$1/a"
		head -c 100m /dev/zero > "$1/filler" 2> /dev/null
		truncate -s "-$5" "$1/filler"
		"$CA_TOOL" plan run -d "$1/a" "$3" --yes $OP_OPTIONS \
			--pin-fd 8 8< <(yes "$4" | head -n 12)
		status=$?
		rm "$1/filler"
		"$CA_TOOL" journal show -d "$1/a" --kind key-intent
		"$CA_TOOL" key list -d "$1/a" --pin-fd 8 8< <(echo "$4") ||
			exit
		exit "$status"' bash "$BATS_TEST_TMPDIR/mount" "$A" "$P" \
		"$PIN" "$1"
}

@test "a full disk is refused before anything begins" {
	[ "$(id -u)" -eq 0 ] && can_mount || skip "needs a mount of its own"
	step_key root-g1 | plan first > "$P"
	on_full_disk 0
	refused 1 "journal.db': make room and try again"
	# Only the journal's key is there, on a token that still works.
	[[ $output != *\'root-g1\'* ]]
	[[ $output == *"fit for use"* ]]
	# There is room for what a check of the journal writes, not for a run.
	on_full_disk 4M
	refused 1 "too little space for '.*/a'"
	[[ $output != *\'root-g1\'* ]]
	[[ $output == *"fit for use"* ]]
}
