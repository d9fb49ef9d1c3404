#!/usr/bin/env bats
# journal event: what happens outside of runs, signed by one person; each kind,
# and each way to enter something that did not happen, or by somebody else.
# shellcheck disable=SC2030,SC2031,SC2094

load quorum-helper

setup_file() {
	export BATS_TEST_TMPDIR=${BATS_TEST_TMPDIR-$BATS_FILE_TMPDIR}
	quorum_people
	export BASE=$BATS_FILE_TMPDIR/base
	quorum_authority "$BASE"
}

setup() {
	A=$BATS_TEST_TMPDIR/authority
	P=$BATS_TEST_TMPDIR/plan.yaml
	F=$BATS_TEST_TMPDIR/event.yaml
	cp -a "$BASE" "$A"
	cd "$BATS_TEST_TMPDIR" || return
}

# event KIND: an event file in $F, with the members from stdin.
event() {
	{
		printf 'format: ca-tool-event-1\nevent: %s\n' "$1"
		printf 'when: %s\n' "$(when "${2:--1 hour}")"
		cat
	} > "$F"
}

# enter NAME [OPTION...]: this person signs $F.
enter() {
	local name=$1
	shift
	by "$name" journal event -d "$A" "$F" --yes "$@"
}

a_note() {
	event note "${1:--1 hour}" <<< 'note: the doors were looked at'
}

token_serial() {
	journal 'D("token")[-1]["serial"]'
}

# a_backup SERIAL: of the authority's token.
a_backup() {
	event backup <<-END
	from: '$(token_serial)'
	serial: '$1'
	keys: [all]
	holder: Carol C.
	location: vault 2, Example Street 1
	seal: A 0017
	END
}

# evidence SHA256: its bytes.
evidence() {
	python3 -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
sys.stdout.buffer.write(db.execute("SELECT bytes FROM evidence WHERE sha256 = ?",
    (bytes.fromhex(sys.argv[2]),)).fetchone()[0])' "$A/journal.db" "$1"
}

# The event that was entered last: a member of its data.
last() {
	journal "D('event')[-1]['$1']"
}

# nothing_entered COMMAND...: refused, and the journal stays as it is.
nothing_entered() {
	unchanged "$@"
	no_escapes
}

# ---- what is entered -------------------------------------------------------

@test "an event: shown, signed, journalled with file and statement; no token" {
	a_note
	mv "$A/token" away
	must enter alice
	[[ $output == *"note: the doors were looked at"* ]]
	[[ $output == *"read aloud"* ]]
	[[ $output == *"signed by alice"* ]]
	[[ $output == *"checkpoint that ends the next run"* ]]
	says 'E[-1]["people"] == [{"name": "alice", "role": "operator"}]'
	says 'set(D("event")[-1]) == {"event", "when", "note", "by", "set",
		"content", "statement", "file"}'
	cmp "$F" <(evidence "$(last file)")
}

@test "the statement is verified with openssl, and names this journal, now" {
	a_note
	must enter wendy
	says 'E[-1]["people"] == [{"name": "wendy", "role": "witness"}]'
	evidence "$(last content)" > content
	evidence "$(last statement)" > statement
	openssl cms -verify -binary -inform DER -in statement \
		-content content -certfile "$A/quorum/$(current)/wendy.sign.crt" \
		-nointern -noverify -out /dev/null
	[ "$(openssl cms -cmsout -print -inform DER -in statement |
		grep -c '2.25.99745312291466458474339361182822765410.6')" -eq 2 ]
	python3 - "$A/journal.db" "$(current)" "$F" <<-'EOF' > expected
	import hashlib, json, sqlite3, sys
	H = lambda *parts: hashlib.sha256(b"".join(parts)).digest()
	db = sqlite3.connect(sys.argv[1])
	rows = [r[0] for r in db.execute("SELECT body FROM entries ORDER BY seq")]
	def root(l):
	    if len(l) < 2:
	        return l[0]
	    k = 1
	    while 2 * k < len(l):
	        k *= 2
	    return H(b"\1", root(l[:k]), root(l[k:]))
	leaves = [H(b"\0", body) for body in rows]
	print("ca-tool event 1")
	print("authority:", json.loads(rows[0])["data"]["authority"])
	print("genesis:", leaves[0].hex())
	print("size:", len(rows) - 1)
	print("root:", root(leaves[:-1]).hex())
	print("set:", sys.argv[2])
	print("name: wendy\nevent: note")
	print("file:", hashlib.sha256(open(sys.argv[3], "rb").read()).hexdigest())
	EOF
	diff content expected
}

@test "the same file twice: two statements, neither good for the other" {
	a_note
	must enter alice
	evidence "$(last content)" > first.content
	evidence "$(last statement)" > first.cms
	must enter alice
	evidence "$(last content)" > second.content
	never cmp -s first.content second.content
	local certificate
	certificate=$A/quorum/$(current)/alice.sign.crt
	openssl cms -verify -binary -inform DER -in first.cms -content \
		first.content -certfile "$certificate" -nointern -noverify \
		-out /dev/null
	never openssl cms -verify -binary -inform DER -in first.cms -content \
		second.content -certfile "$certificate" -nointern -noverify \
		-out /dev/null 2> /dev/null
}

@test "each kind" {
	a_backup copy-2
	must enter alice
	says 'D("event")[-1]["holder"] == "Carol C." and
		D("event")[-1]["keys"] == ["all"]'
	event copy-destroyed <<-'END'
	serial: copy-2
	method: shredded
	witnesses: [Dave D.]
	END
	must enter bob
	event hsm-arrival <<-'END'
	maker: Acme
	model: X1
	serial: '77'
	firmware: '1.2'
	seals: [S1, S2]
	condition: as shipped
	END
	must enter alice
	event hsm-firmware <<-'END'
	serial: '77'
	from: '1.2'
	to: '1.3'
	reason: a fault was mended
	END
	must enter alice
	event hsm-transport <<-'END'
	serial: '77'
	from: vault 1
	to: vault 2
	seals-before: [S1, S2]
	seals-after: [S3]
	carriers: [Alice A., Bob B.]
	END
	must enter alice
	event hsm-maintenance <<-'END'
	serial: '77'
	what: the battery was replaced
	reason: it was old
	END
	must enter alice
	event hsm-retirement <<-'END'
	serial: '77'
	method: zeroised, then drilled
	witnesses: [Alice A., Dave D.]
	END
	must enter alice
	event person <<-'END'
	name: Erin E.
	role: operator
	organisation: Example Trust
	change: appointed
	identity: passport, seen by Alice A.
	END
	must enter alice
	event deviation <<-'END'
	plan: root-2026
	step: '3'
	what: the root's digest was read twice
	reason: somebody coughed
	approved-by: [Alice A., Bob B.]
	END
	must enter alice
	event media <<-END
	device: camera 1
	sha256: $(sha256sum < "$F" | cut -d' ' -f1)
	start: $(when "-3 hours")
	stop: $(when "-2 hours")
	END
	must enter alice
	event facility <<-'END'
	change: entry
	where: cage 4
	people:
	  - name: Dave D.
	    role: auditor
	END
	must enter wendy
	event software <<-END
	what: ca-tool
	version: '0.9'
	sha256: $(sha256sum < "$CA_TOOL" | cut -d' ' -f1)
	change: installed
	ticket: C-12
	END
	must enter alice
	event security <<-'END'
	what: three wrong PINs at card 5
	outcome: the card was locked
	END
	must enter alice
	a_note
	must enter alice
	says '[d["event"] for d in D("event")] == """backup copy-destroyed
		hsm-arrival hsm-firmware hsm-transport hsm-maintenance
		hsm-retirement person deviation media facility software security
		note""".split()'
	says 'all(d["by"] and d["statement"] for d in D("event"))'
	must ca-tool journal show -d "$A" --kind event
	[[ $output == *"three wrong PINs at card 5"*"[alice]"* ]]
}

@test "--json says what was entered, and nothing else is on stdout" {
	a_note
	run --separate-stderr enter alice --json
	[ "$status" -eq 0 ]
	python3 -c '
import json, sys
report = json.loads(sys.argv[1])
assert report["event"] == "note" and report["by"] == "alice", report
assert len(report["file"]) == len(report["statement"]) == 64, report' "$output"
	[ "$(journal 'E[-1]["seq"]')" = "$(python3 -c '
import json, sys
print(json.loads(sys.argv[1])["entry"])' "$output")" ]
}

@test "a reshare asks for the copies that were entered and not destroyed" {
	a_backup copy-1
	must enter alice
	a_backup copy-2
	must enter alice
	event copy-destroyed <<-'END'
	serial: copy-1
	method: shredded
	witnesses: [Dave D.]
	END
	must enter alice
	mkdir new
	cp "$PEOPLE"/*.crt new
	sed 's/carol/dave/' "$PEOPLE/set.yaml" > new/set.yaml
	{ echo '- reshare:'; echo '    set: new/set.yaml'
		echo '    backups: []'; } | plan reshare > "$P"
	run ca-tool plan check -d "$A" "$P"
	refused 3 "copy-2"
	[[ $output != *copy-1* ]]
}

@test "while a run waits to be resumed, with its run" {
	root_plan root-g1 > "$P"
	DIR=$A/ceremonies/$(keep)
	must by "alice bob" plan approve -d "$A" "$DIR" --yes
	# alice's descriptor ends before she is asked to confirm.
	present bob
	run ca-tool plan run -d "$A" "$DIR" --yes "${WHO[@]}" \
		--operator "alice=file:$PEOPLE/alice.key" --passphrase-fd alice=9 \
		8< <(phrases) 9< <(echo "$PHRASE")
	[ "$status" -ne 0 ]
	says 'len(D("plan")) == 1 and len(D("close")) == 0'
	event deviation <<-'END'
	plan: root-g1
	what: the lamp went out
	reason: a fuse
	approved-by: [Alice A.]
	END
	must enter carol
	says 'D("event")[-1]["run"] == D("plan")[0]["run"]'
	must by "alice bob" plan run --resume -d "$A" --yes
	must ca-tool journal show -d "$A" --plan root-g1 --kind event
	[[ $output == *"the lamp went out"* ]]
}

# ---- what is not -----------------------------------------------------------

@test "missing and unknown members: all at once, each with line and column" {
	event backup <<-'END'
	serial: x
	colour: red
	END
	nothing_entered enter alice
	refused 3 "event.yaml:5:1: error.*colour"
	event backup <<-'END'
	serial: x
	carriers: [a, b]
	END
	nothing_entered enter alice
	refused 3 "EVENT-MISSING" "'from'" "'keys'" "'holder'" "'seal'" \
		"event.yaml:5:1: error.*'carriers'"
	event party <<< 'note: x'
	nothing_entered enter alice
	refused 3 "event.yaml:2:8: error.*no kind of event 'party'"
}

@test "a time that has not come, or is none" {
	a_note "+1 hour"
	nothing_entered enter alice
	refused 3 "event.yaml:3:7: error.*has not come yet"
	sed -i 's/^when.*/when: noon/' "$F"
	nothing_entered enter alice
	refused 3 "EVENT-TIME"
}

@test "a file that is not there, none, or too large" {
	nothing_entered enter alice
	refused 3 "event.yaml"
	mkfifo fifo
	nothing_entered by alice journal event -d "$A" fifo --yes
	refused 3 "fifo"
	head -c 20000 /dev/zero | tr '\0' '#' > "$F"
	nothing_entered enter alice
	refused 3 "at most 16384"
}

@test "nobody, two, a stranger, the right name with a wrong key" {
	a_note
	nothing_entered ca-tool journal event -d "$A" "$F" --yes
	refused 3 "name them with --operator"
	nothing_entered enter "alice bob"
	refused 2 "by one person"
	nothing_entered enter mallory
	refused 3 "'mallory' is not in the quorum set"
	nothing_entered ca-tool journal event -d "$A" "$F" --yes \
		--operator "alice=file:$PEOPLE/mallory.key" \
		--passphrase-fd alice=8 8< <(phrases)
	refused 4 "mallory.key"
	nothing_entered ca-tool journal event -d "$A" "$F" --yes \
		--operator "alice=file:$PEOPLE/alice.key" \
		--passphrase-fd alice=8 8<<< wrong
	refused 4 "passphrase"
	nothing_entered by alice journal event -d "$A" "$F"
	refused 2 "--yes"
}

@test "a backup of no token, one that is known, a copy that is not" {
	a_backup copy-1
	sed -i "s/^from:.*/from: '0000'/" "$F"
	nothing_entered enter alice
	refused 3 "event.yaml:4:7: error.*knows no token"
	a_backup "$(token_serial)"
	nothing_entered enter alice
	refused 3 "of this serial already"
	a_backup copy-1
	must enter alice
	nothing_entered enter alice
	refused 3 "of this serial already"
	event copy-destroyed <<-'END'
	serial: copy-7
	method: shredded
	witnesses: [Dave D.]
	END
	nothing_entered enter alice
	refused 3 "knows no copy"
	# A copy of a copy.
	a_backup copy-2
	sed -i 's/^from:.*/from: copy-1/' "$F"
	must enter alice
}

@test "another authority, none, one that is at work" {
	a_note
	quorum_authority other
	must by alice journal event -d other "$F" --yes
	A=$PWD/other
	evidence "$(last content)" > there
	A=$BATS_TEST_TMPDIR/authority
	must enter alice
	evidence "$(last content)" > here
	never diff <(grep genesis there) <(grep genesis here)
	run by alice journal event -d "$BATS_TEST_TMPDIR" "$F" --yes
	refused 3 "not an authority"
	exec 7<> "$A/lock"
	flock 7
	nothing_entered enter alice
	refused 3 "another ca-tool is at work"
	exec 7>&-
}

@test "a set that was exchanged signs nothing" {
	a_note
	cp "$PEOPLE/mallory.sign.crt" "$A/quorum/$(current)/alice.sign.crt"
	nothing_entered enter alice
	refused 3 "alice.sign.crt"
}
