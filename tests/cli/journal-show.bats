#!/usr/bin/env bats
# journal show: filters, alone and combined; one entry in full.
# shellcheck disable=SC2030,SC2031,SC2094

load ceremony-helper

setup_file() {
	base_authority
	A=$BASE
	{ step_key other-g1; step_root other-g1; } > "$BATS_FILE_TMPDIR/steps"
	must run_plan second < "$BATS_FILE_TMPDIR/steps"
	local serial
	serial=$(journal "[d['serial'] for d in D('intent')
		if d['name'] == 'issuing-g1'][0]")
	step_revoke root-g1 "$serial" superseded > "$BATS_FILE_TMPDIR/steps"
	step_list root-g1-second root-g1 >> "$BATS_FILE_TMPDIR/steps"
	must run_plan third < "$BATS_FILE_TMPDIR/steps"
}

setup() {
	A=$BASE
	cd "$BATS_TEST_TMPDIR" || return
}

show() {
	ca-tool journal show -d "$A" "$@"
}

# shows PYTHON OPTION...: with these, exactly the entries of the expression are
# shown, as their bytes.
shows() {
	local expression=$1
	shift
	python3 -c 'import sqlite3, sys
for body, in sqlite3.connect(sys.argv[1]).execute(
        "SELECT body FROM entries ORDER BY seq"):
    print(body.decode())' "$A/journal.db" > all
	python3 -c '
import json, sys
lines = open("all").read().splitlines()
E = [json.loads(line) for line in lines]
def K(kind):
    return [e for e in E if e["kind"] == kind]
wanted = eval(sys.argv[1])
for e in wanted:
    print(lines[e["seq"]])' "$expression" > wanted
	show --json "$@" > shown
	diff wanted shown
	[ "$(show "$@" | grep -c .)" -eq "$(grep -c . wanted)" ]
}

@test "all, by kind, from, last: one line an entry, who made it behind it" {
	shows 'E'
	shows 'K("intent")' --kind intent
	shows 'E[5:]' --from 5
	shows 'E[-3:]' --last 3
	shows '[]' --last 0
	shows 'E' --last 100000
	shows '[e for e in K("result") if e["seq"] > 20][-2:]' \
		--kind result --from 21 --last 2
	run show --kind result --last 1
	[[ $output =~ ^\ *[0-9]+\ \ 20[0-9T:-]+Z\ \ result\ +.*\ \ \[[a-z0-9_-]+\]$ ]]
}

@test "by time" {
	local from
	cp -a "$BASE" later
	A=$PWD/later
	from=$(when "+2 days")
	step_list later root-g1 | plan later > plan.yaml
	at_time +3d plan run -d "$A" plan.yaml --yes
	shows "[e for e in E if e['time'] >= '$from']" --since "$from"
	[ -s wanted ]
	shows "[e for e in E if e['time'] <= '$from']" --until "$from"
	[ -s wanted ]
	shows "[]" --since "$from" --until "$(when "+1 day")"
	local exact
	exact=$(journal 'E[7]["time"]')
	shows "[e for e in E if e['time'] == '$exact']" \
		--since "$exact" --until "$exact"
	shows "[e for e in K('intent') if e['time'] >= '$from']" \
		--kind intent --since "$from"
}

@test "by plan: its run, with its login and the checkpoint that covers it" {
	local run
	for id in first second third; do
		run=$(journal "[d['run'] for d in D('plan')
			if d['plan'] == '$id'][0]")
		shows "[e for e in E if e['data'].get('run') == '$run'
			or e['kind'] == 'checkpoint' and e['seq'] == min(c['seq']
			for c in K('checkpoint') if c['seq'] > [x['seq']
			for x in K('close') if x['data']['run'] == '$run'][0])]" \
			--plan "$id"
		grep -q '"kind":"login"' shown
		[ "$(grep -c '"kind":"checkpoint"' shown)" -eq 1 ]
	done
	shows "[e for e in K('intent') if e['data']['run'] == '$run'][-1:]" \
		--plan third --kind intent --last 1
	run show --plan never
	refused 3 "no run of a plan 'never'"
}

@test "by serial: intent, result and revocation, however it is written" {
	local serial upper
	serial=$(journal "[d['serial'] for d in D('revoked')][0]")
	upper=$(tr a-f A-F <<< "$serial")
	for form in "$serial" "$upper" "00$serial" "${serial#00}" \
		"$(sed 's/../&:/g; s/:$//' <<< "$upper")"; do
		shows "[e for e in E if e['data'].get('serial') == '$serial'
			or e['kind'] == 'result' and any(all(e['data'][m] ==
			i['data'][m] for m in ('run', 'list', 'object'))
			for i in K('intent')
			if i['data'].get('serial') == '$serial')]" \
			--serial "$form"
	done
	[ "$(grep -c . shown)" -eq 3 ]
	shows "[e for e in K('result')
		if e['data']['name'] == 'issuing-g1']" \
		--serial "$serial" --kind result
	shows '[]' --serial 0123456789abcdef
	# The serial of a token is another thing.
	shows '[]' --serial "$(journal 'D("token")[0]["serial"]')"
}

@test "one entry in full: people, text, leaf hash and every value" {
	local seq
	seq=$(journal "[e['seq'] for e in K('result')
		if e['data']['name'] == 'issuing-g1'][0]")
	run show "$seq"
	[ "$status" -eq 0 ]
	[[ $output == "Entry $seq"* ]]
	[[ $output == *"Kind        result"* ]]
	[[ $output == *"People      "*"("*")"* ]]
	# Long values stand in one line, and every value is there.
	python3 - "$A/journal.db" "$seq" "$output" <<-'EOF'
	import hashlib, json, sqlite3, sys
	body, = sqlite3.connect(sys.argv[1]).execute(
	    "SELECT body FROM entries WHERE seq = ?", (sys.argv[2],)).fetchone()
	assert hashlib.sha256(b"\0" + body).hexdigest() in sys.argv[3]
	for name, value in json.loads(body)["data"].items():
	    assert name in sys.argv[3] and str(value) in sys.argv[3], name
	EOF
	run show 0
	[[ $output == *"token.label"* ]]
	no_escapes
	show --json > all
	[ "$(show --json "$seq")" = "$(sed -n "$((seq + 1))p" all)" ]
}

@test "what is no filter, no number, no entry" {
	run show --since yesterday
	refused 2 "'yesterday' is no time"
	run show --until 2026-02-30T00:00:00Z
	refused 2 "is no time"
	run show --serial xyz
	refused 2 "no serial number"
	run show --serial ''
	refused 2 "empty argument"
	run show --kind nonsense
	refused 2 "no kind of entry"
	run show 99999
	refused 3 "no entry 99999"
	run show x
	refused 2 "no number"
	run show 01
	refused 2 "no number"
	run show 3 --kind intent
	refused 2 "a filter"
	run show 3 4
	refused 2
}

@test "damaged tables do not matter" {
	cp -a "$BASE" damaged
	A=$PWD/damaged
	python3 -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.executescript("DELETE FROM objects; DELETE FROM runs")' "$A/journal.db"
	run show --plan first
	[ "$status" -eq 0 ]
	[[ $output == *"root-g1"* ]]
}

@test "the list of commands is one column, however long their names are" {
	run ca-tool journal --help
	[ "$status" -eq 0 ]
	[ "$(grep -c '^  journal' <<< "$output")" -ge 8 ]
	[ "$(grep '^  journal' <<< "$output" |
		sed -E 's/^(  journal [a-z]+ +).*/\1/' | awk '{ print length($0) }' |
		sort -u | grep -c .)" -eq 1 ]
	run ca-tool --help
	[ "$(awk 'length($0) > 79' <<< "$output")" = "" ]
}
