#!/usr/bin/env bats
# Batches while they are signed: windows, what is shown, and runs that are cut
# off, stopped or short of room in the middle: nothing is signed twice under one
# serial, and nothing is missing.

load ceremony-helper

COUNT=3000 # three windows of responses

setup_file() {
	export A ORDERS P
	export BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR
	shim_authority
	first_ceremony "$A"
	{
		step_key o p-256 ocsp
		step_ocsp o issuing-g1 'key: o'
		cat <<-END
		- import-issued:
		    issuer: issuing-g1
		    format: csv
		    file: issued.csv
		END
	} | plan known > known.yaml
	python3 - "$COUNT" "$(when '+3 years')" > issued.csv <<-'END'
	import sys
	print("serial-hex,expires,ca")
	for i in range(int(sys.argv[1])):
	    print(f"7{i:030x}1,{sys.argv[2]},ee")
	END
	ca-tool-pin plan run -d "$A" known.yaml --yes
	mkdir "$BATS_FILE_TMPDIR.kept"
	cp -a authority tokens softhsm2.conf issued.csv "$BATS_FILE_TMPDIR.kept"
}

teardown_file() {
	rm -rf "$BATS_FILE_TMPDIR.kept"
}

setup() {
	cp -a "$BATS_FILE_TMPDIR.kept/." "$BATS_TEST_TMPDIR"
	cd "$BATS_TEST_TMPDIR" || return
	A=$PWD/authority
	P=$PWD/plan.yaml
	ORDERS=$PWD/orders
	sed -i "s,$BATS_FILE_TMPDIR,$PWD,g" softhsm2.conf
	export CA_SHIM_ORDERS=$ORDERS CA_SHIM_SOFTHSM2_CONF=$PWD/softhsm2.conf
	export A P
	: > "$ORDERS"
}

# afresh: the authority and its token as they were.
afresh() {
	rm -rf "$A" tokens
	cp -a "$BATS_FILE_TMPDIR.kept/authority" \
		"$BATS_FILE_TMPDIR.kept/tokens" .
}

step_responses() { # NAME
	cat <<-END
	- ocsp-responses:
	    name: $1
	    issuer: issuing-g1
	    profile: ocsp-response-user
	    responder: o
	END
}

# whole NAME: each certificate has its response, once, as the journal has it.
whole() {
	python3 - "$A" "$1" "$COUNT" <<-'END'
	import base64, hashlib, json, os, sqlite3, subprocess, sys
	authority, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
	db = sqlite3.connect(f"{authority}/journal.db")
	entries = [json.loads(b) for b, in db.execute(
	    "SELECT body FROM entries ORDER BY seq")]
	def data(kind):
	    return [e["data"] for e in entries if e["kind"] == kind
	            and e["data"].get("name") == name]
	def evidence(sha):
	    blob, = db.execute("SELECT bytes FROM evidence WHERE sha256 = ?",
	                       (bytes.fromhex(sha),)).fetchone()
	    return bytes(blob).decode().splitlines()
	intents = data("ocsp-intent")
	answers = data("ocsp-result") + data("ocsp-failed")
	key = lambda d: (d["run"], d["list"], d["window"])
	assert sorted(map(key, intents)) == sorted(map(key, answers)), \
	    "a window has no answer, or two"
	signed = {}
	for result in data("ocsp-result"):
	    for line in evidence(result["items"]):
	        serial, digest, *der = line.split(" ")
	        if digest == "-":
	            continue
	        assert serial not in signed, f"{serial} has two responses"
	        der = base64.b64decode(der[0])
	        assert hashlib.sha256(der).hexdigest() == digest
	        signed[serial] = digest
	imported = {line.split(",")[0] for line in open("issued.csv")
	            .read().splitlines()[1:]}
	assert imported <= set(signed), \
	    f"{len(imported - set(signed))} have no response"
	files = {}
	where = f"{authority}/public/ocsp/{name}"
	for file in os.listdir(where):
	    with open(f"{where}/{file}", "rb") as stream:
	        digest = hashlib.sha256(stream.read()).hexdigest()
	    files[digest] = files.get(digest, 0) + 1
	assert set(files) == set(signed.values()), "files are not the results"
	END
}

verified() {
	run --separate-stderr ca-tool journal verify "$A" --json
	python3 -c '
import json, sys
bad = [f for f in json.load(sys.stdin)["findings"] if f["severity"] == "error"]
sys.exit(str(bad) if bad else 0)' <<< "$output"
}

@test "a batch is signed in windows, and every response is published" {
	step_responses r1 | plan p > "$P"
	must ca-tool-pin plan run -d "$A" "$P" --yes
	[[ $output == *"sign $COUNT OCSP responses 'r1' with key 'o'"* ]]
	[[ $output == *'root of the tree over all'* ]]
	[ "$(journal 'len(D("ocsp-intent")) >= 3')" = True ]
	[ "$(journal 'len(D("ocsp-failed"))')" = 0 ]
	whole r1
	sound
	verified
	[ -z "$(find "$A" -name '*.tmp*')" ]
}

@test "the intents of a window are durable, and their head on the token, before it is signed" {
	orders "mark $PWD/marks"
	step_responses r1 | plan p > "$P"
	must ca-tool-pin plan run -d "$A" "$P" --yes
	python3 - "$A" marks <<-'END'
	import json, sqlite3, sys
	db = sqlite3.connect(sys.argv[1] + "/journal.db")
	entries = [json.loads(b) for b, in db.execute(
	    "SELECT body FROM entries ORDER BY seq")]
	where, head = {}, 0
	for entry in entries:
	    if entry["kind"] == "head":
	        head = max(head, entry["data"]["size"])
	    if entry["kind"] != "ocsp-intent":
	        continue
	    blob, = db.execute("SELECT bytes FROM evidence WHERE sha256 = ?",
	        (bytes.fromhex(entry["data"]["items"]),)).fetchone()
	    for line in bytes(blob).decode().splitlines():
	        where[line.split(" ")[2]] = entry["seq"]
	assert where and max(where.values()) < head
	END
	whole r1
}

@test "a crash in the middle of a batch: it resumes, and nothing is missing" {
	for when in 2 1500 2500 "$COUNT"; do
		afresh
		orders "kill C_Sign $when"
		step_responses r1 | plan p > "$P"
		run ca-tool-pin plan run -d "$A" "$P" --yes
		[ "$status" -ne 0 ]
		orders ''
		must resume
		whole r1
		sound
	done
	verified
}

@test "Ctrl-C in the middle of a batch: what is signed stays, nothing is lost" {
	orders "delay C_Sign 1000" "mark $PWD/marks"
	step_responses r1 | plan p > "$P"
	pins > pin
	env --default-signal=INT setsid "$CA_TOOL" plan run -d "$A" "$P" --yes \
		"${OPS[@]}" --pin-fd 8 8< pin > out 2>&1 3>&- &
	local pid=$! status=0 n
	for _ in {1..3000}; do
		n=$(grep -cs '^signed' marks) || true
		[ "${n:-0}" -lt 1500 ] || break
		sleep 0.02
	done
	kill -INT "$pid"
	wait "$pid" || status=$?
	[ "$status" -eq 1 ]
	grep -q 'signing was interrupted' out
	# A window that was begun has its result, one that was not is not possibly
	# signed; then what is left is listed anew.
	[ "$(journal 'any(d["possibly_signed"] for d in D("ocsp-failed"))')" = \
		False ]
	[ "$(journal 'len(D("ocsp-result") + D("ocsp-failed"))')" = \
		"$(journal 'len(D("ocsp-intent"))')" ]
	orders ''
	must resume
	whole r1
	sound
	verified
}

# turn FILE AT: one bit of one octet; AT from its end where it is negative.
turn() {
	python3 - "$1" "$2" <<-'END'
	import sys
	name, at = sys.argv[1], int(sys.argv[2])
	octets = bytearray(open(name, "rb").read())
	octets[at] ^= 1
	open(name, "wb").write(octets)
	END
}

@test "a stopped run's files are changed: what is signed is what was confirmed" {
	local D at file pid status=0
	# Slow, so that it is stopped behind the confirmation.
	orders "delay C_Sign 20000"
	step_responses r1 | plan p > "$P"
	pins > pin
	env --default-signal=INT setsid "$CA_TOOL" plan run -d "$A" "$P" --yes \
		"${OPS[@]}" --pin-fd 8 8< pin > out 2>&1 3>&- &
	pid=$!
	for _ in {1..6000}; do
		! grep -q '^== Signing' out || break
		sleep 0.01
	done
	kill -INT "$pid"
	wait "$pid" || status=$?
	[ "$status" -eq 1 ] || { cat out; false; }
	orders ''
	mv "$A" stopped
	mv tokens tokens.stopped
	D=$(cd stopped && echo ceremonies/p-*)
	for file in spool-0:0 spool-0:-1 list-0-batch-r1:200 list-0:300; do
		at=${file#*:}
		file=${file%:*}
		rm -rf "$A" tokens
		cp -a stopped "$A"
		cp -a tokens.stopped tokens
		turn "$A/$D/$file" "$at"
		must resume
		# The list is evidence: it is put back, and that is said.
		[ "$file" != list-0 ] || [ -e "$A/$D/list-0.aside-1" ]
		cmp "$A/$D/list-0" "stopped/$D/list-0"
		# Every response is one of the tree that was confirmed.
		whole r1
		sound
		verified
	done
}

@test "a token that fails in the middle: said so, and the resume makes all" {
	orders 'fail C_Sign 1200 0x30'
	step_responses r1 | plan p > "$P"
	run ca-tool-pin plan run -d "$A" "$P" --yes
	[ "$status" -eq 4 ]
	orders ''
	must resume
	whole r1
	sound
}

@test "a token that lies in the middle: nothing of it is published" {
	orders 'garbage C_Sign 1200'
	step_responses r1 | plan p > "$P"
	run ca-tool-pin plan run -d "$A" "$P" --yes
	[ "$status" -ne 0 ]
	[[ $output == *'does not verify with the public key kept'* ]]
	[ ! -e "$A/public/ocsp/r1" ]
	[ "$(journal 'D("ocsp-failed")[0]["possibly_signed"]')" = True ]
	orders ''
	must resume
	whole r1
	sound
}

@test "Ctrl-C while it is built: nothing is listed, and the resume begins anew" {
	orders "mark $PWD/marks"
	step_responses r1 | plan p > "$P"
	pins > pin
	env --default-signal=INT setsid "$CA_TOOL" plan run -d "$A" "$P" --yes \
		"${OPS[@]}" --pin-fd 8 8< pin > out 2>&1 3>&- &
	local pid=$! status=0
	for _ in {1..6000}; do
		! grep -q 'Building everything' out || break
		sleep 0.01
	done
	kill -INT "$pid"
	wait "$pid" || status=$?
	[ "$status" -eq 1 ] || { cat out; false; }
	grep -q 'stopped on request' out || { cat out; false; }
	never grep -q 'Is every line of this list right' out
	never grep -qs '^sign' marks
	[ "$(journal 'len(D("ocsp-intent"))')" = 0 ]
	orders ''
	must resume
	whole r1
	sound
	verified
}

@test "a disk with no room for what is to be published: nothing is signed" {
	[ "$(id -u)" -eq 0 ] && can_mount || skip "needs a mount of its own"
	step_responses r1 | plan p > "$P"
	mkdir small
	# Room for a run, and not for a file for each name of each response.
	# shellcheck disable=SC2016
	run unshare -m bash -c '
		mount -t tmpfs -o size=96m none small || exit 99
		cp -a "$A" small/a
		head -c 200m /dev/zero > small/filler 2> /dev/null
		truncate -s -36M small/filler
		"$CA_TOOL" plan run -d small/a "$P" --yes $OP_OPTIONS \
			--pin-fd 8 8< <(yes "$1" | head -n 12)
		status=$?
		"$CA_TOOL" journal show -d small/a --kind ocsp-intent
		find small/a/public -name "*.tmp*" -o -name r1
		rm small/filler
		"$CA_TOOL" plan run --resume -d small/a --yes $OP_OPTIONS \
			--pin-fd 8 8< <(yes "$1" | head -n 12)
		echo "resume: $?"
		exit "$status"' bash "$PIN"
	[ "$status" -eq 1 ] || { echo "$output"; false; }
	[[ $output == *"too little space for '"*"small/a'"* ]] || {
		echo "$output"
		false
	}
	[[ $output != *'ocsp-intent'* && $output != *'.tmp'* ]]
	[[ $output == *'resume: 0'* ]]
}

@test "a disk that is full in the middle: said so, and the resume goes on" {
	step_responses r1 | plan p > "$P"
	pins > pin
	for call in pwrite64 write renameat2 syncfs; do
		afresh
		local when=1
		case $call in
		pwrite64) when=1500+ ;;
		write) when=2000 ;; # once: messages are written, too
		renameat2) when=900+ ;;
		esac
		ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0 \
			run strace -f -o strace.log -e "trace=$call" \
			-e "inject=$call:error=ENOSPC:when=$when" \
			"$CA_TOOL" plan run -d "$A" "$P" --yes "${OPS[@]}" \
			--pin-fd 8 8< pin
		[ "$status" -eq 1 ]
		[[ $output == *'No space left'* || $output == *full* ]]
		# public/ is served, and nothing in it waits for a resume.
		[ -z "$(find "$A/public" -name '*.tmp*')" ]
		verified
		must resume
		whole r1
		sound
		[ -z "$(find "$A" -name '*.tmp*')" ]
	done
}
