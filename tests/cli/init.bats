#!/usr/bin/env bats
# init: what it makes, and what it refuses.

load helper

setup() {
	A=$BATS_TEST_TMPDIR/authority
}

@test "init makes an authority, and says what comes next" {
	run make_authority "$A" --title 'Test authority'
	[ "$status" -eq 0 ]
	[[ $output == *"The authority is ready."* ]]
	[[ $output == *"example.org/test"* ]]
	[[ $output == *"plan check -d $A PLAN"* ]]
	[ -f "$A/authority.yaml" ] && [ -f "$A/journal.db" ]
	[ -s "$A/public/journal/checkpoint" ]
	for profile in root issuing-ca ocsp-responder ca-crl; do
		[ -s "$A/profiles/$profile.yaml" ]
	done
	no_escapes
}

@test "what is secret is for its owner alone" {
	make_authority "$A"
	[ "$(stat -c %a "$A")" = 700 ]
	[ "$(find "$A/journal.db" "$A/token" "$A/ceremonies" -perm /077)" = "" ]
}

@test "init --json" {
	make_authority "$A" --json > "$BATS_TEST_TMPDIR/report"
	python3 -c '
import json, re, sys
report = json.load(open(sys.argv[1]))
assert report["ok"] is True
assert report["authority"] == "example.org/test"
assert re.fullmatch("[0-9a-f]{64}", report["genesis"])
assert report["token_label"] and report["token_serial"]' \
		"$BATS_TEST_TMPDIR/report"
}

@test "a second init is refused and changes nothing" {
	make_authority "$A"
	local before
	before=$(snapshot "$A")
	run make_authority "$A"
	refused 3 "authority"
	[ "$(snapshot "$A")" = "$before" ]
}

@test "a directory that holds something else is refused" {
	mkdir "$A"
	echo hello > "$A/letter"
	run make_authority "$A"
	refused 3 "$A"
	[ "$(ls -A "$A")" = letter ]
}

@test "a missing parent, a file in the way, a directory that cannot be written" {
	run make_authority "$A/deeper/still"
	[ "$status" -eq 1 ] || [ "$status" -eq 3 ]
	[ ! -e "$A" ]
	echo hello > "$A"
	run make_authority "$A"
	[ "$status" -eq 1 ] || [ "$status" -eq 3 ]
	[ "$(cat "$A")" = hello ]
	run make_authority /proc/authority
	[ "$status" -eq 1 ] || [ "$status" -eq 3 ]
	[[ $output == *authority* ]]
}

@test "an id or URL that cannot be used" {
	run make_authority "$A" --id ''
	refused 2 "twice|empty"
	local id
	for id in $'two\nlines' $'esc\e[31m' 'has blank' 'plus+sign'; do
		run ca-tool init "$A" --id "$id" "${SET[@]}" "${OPS[@]}" --pin-fd 8 --so-pin-fd 9 \
			8< <(pins) 9< <(echo "$SO_PIN")
		[ "$status" -eq 2 ] || [ "$status" -eq 3 ]
		no_escapes
		[ ! -e "$A/journal.db" ]
	done
}

@test "modules that are none" {
	local module
	for module in /etc/passwd /bin/true /usr/lib /nonexistent/module.so; do
		run make_authority "$A" --module "$module"
		refused 4 "$module"
		[ ! -e "$A/journal.db" ]
	done
	run make_authority "$A" --module ./nothing-here.so
	refused 3 "nothing-here.so"
	[ ! -e "$A/journal.db" ]
	run ca-tool version --module /bin/true
	refused 4 "/bin/true"
}

@test "PINs: missing lines, empty, too short, NUL" {
	run ca-tool init "$A" --id example.org/a "${SET[@]}" "${OPS[@]}" --pin-fd 8 --so-pin-fd 8 \
		8< /dev/null
	refused 4 "SO PIN"
	run ca-tool init "$A" --id example.org/a "${SET[@]}" "${OPS[@]}" --pin-fd 8 --so-pin-fd 9 \
		8< <(printf '\n') 9< <(echo "$SO_PIN")
	refused 4 "user PIN"
	run ca-tool init "$A" --id example.org/a "${SET[@]}" "${OPS[@]}" --pin-fd 8 --so-pin-fd 9 \
		8< <(echo abc) 9< <(echo "$SO_PIN")
	refused 4 "PIN"
	run ca-tool init "$A" --id example.org/a "${SET[@]}" "${OPS[@]}" --pin-fd 8 --so-pin-fd 9 \
		8< <(printf '1234\00056\n') 9< <(echo "$SO_PIN")
	refused 4 "PIN"
	# Nothing of it stands in the way of the init that is meant.
	run ca-tool init "$A" --id example.org/a "${SET[@]}" "${OPS[@]}" --pin-fd 8 --so-pin-fd 9 \
		8< <(pins) 9< <(echo "$SO_PIN")
	[ "$status" -eq 0 ]
}

@test "both PINs from one descriptor: SO first" {
	ca-tool init "$A" --id example.org/a "${SET[@]}" "${OPS[@]}" \
		--pin-fd 8 --so-pin-fd 8 \
		8< <(printf '%s\n' "$SO_PIN"; pins)
	run ca-tool-pin key list -d "$A"
	[ "$status" -eq 0 ]
}

@test "the PINs are neither in the arguments nor in the environment" {
	# A pipe that stays empty holds init at its prompt while we look.
	mkfifo "$BATS_TEST_TMPDIR/pins"
	exec 8<> "$BATS_TEST_TMPDIR/pins"
	"$CA_TOOL" init "$A" --id example.org/a "${SET[@]}" "${OPS[@]}" --pin-fd 8 --so-pin-fd 8 \
		> /dev/null 2>&1 3>&- &
	local pid=$!
	printf '%s\n' "$SO_PIN" >&8
	sleep 0.3
	[ -d "/proc/$pid" ]
	never grep -qs -e "$SO_PIN" "/proc/$pid/cmdline" "/proc/$pid/environ"
	pins >&8 # the PIN, and op's passphrase twice
	exec 8>&-
	wait "$pid"
	# Nor in what was written.
	never grep -rqs -e "$PIN" -e "$SO_PIN" "$A"
}
