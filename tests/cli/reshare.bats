#!/usr/bin/env bats
# A new set in place of the old: people, threshold, PINs; cut off; and undone.

load quorum-helper

setup_file() {
	export BATS_TEST_TMPDIR=${BATS_TEST_TMPDIR-$BATS_FILE_TMPDIR}
	quorum_people
	export BASE=$BATS_FILE_TMPDIR/base
	quorum_authority "$BASE"
	A=$BASE
	root_plan root-g1 > "$BATS_FILE_TMPDIR/root.yaml"
	by "alice bob" plan run -d "$BASE" "$BATS_FILE_TMPDIR/root.yaml" --yes
}

setup() {
	A=$BATS_TEST_TMPDIR/authority
	P=$BATS_TEST_TMPDIR/plan.yaml
	cp -a "$BASE" "$A"
	cd "$BATS_TEST_TMPDIR" || return
	cp "$PEOPLE"/*.crt .
	OLD=$(current)
}

# new_set THRESHOLD NAME...: set.yaml here, and a plan in $P that brings it in.
new_set() {
	local name
	{
		echo 'format: ca-tool-set-1'
		echo "threshold: $1"
		shift
		echo 'operators:'
		for name in "$@"; do
			printf '  - name: %s\n    sign: %s.sign.crt\n' \
				"$name" "$name"
			printf '    decrypt: %s.decrypt.crt\n' "$name"
		done
	} > set.yaml
	plan reshare-1 > "$P" <<-EOF
	- reshare:
	    set: set.yaml
	EOF
}

# user_pin DIR SETID NAME...: the PIN, from shares opened without ca-tool.
user_pin() {
	local dir=$1 set=$2 name files=()
	shift 2
	for name in "$@"; do
		awk '/BEGIN/ { n++ } n == 2' "$PEOPLE/$name.key" > "$name.pem"
		openssl cms -decrypt -inform DER -recip \
			"$PEOPLE/$name.decrypt.crt" -inkey "$name.pem" \
			-passin "pass:$PHRASE" -in "$dir/quorum/$set/$name.cms" \
			-out "$name.share"
		files+=("$name.share")
	done
	python3 "$BATS_TEST_DIRNAME/../interop/recover.py" "${files[@]}"
}

# opens PIN: does it open the token of $A?
opens() {
	PIN=$1 soft --list-objects > /dev/null 2>&1
}

@test "carol leaves, dave comes: her share opens nothing any more" {
	new_set 2 alice bob dave
	must by "alice bob dave" plan run -d "$A" "$P" --yes
	[ "$(current)" != "$OLD" ]
	says '[d["state"] for d in D("quorum")] == ["active", "begun", "active"]'
	says 'len(D("anchor")) == 6'
	must by "alice dave" key list -d "$A"
	must by "dave bob" key list -d "$A"
	run by "alice carol" key list -d "$A"
	refused 3 "carol"
	# The old PIN, made from old shares, is refused; the new one opens.
	local old new
	old=$(user_pin "$BASE" "$OLD" alice carol)
	new=$(user_pin "$A" "$(current)" alice dave)
	[ "$old" != "$new" ]
	never opens "$old"
	opens "$new"
	# And the old shares do not fit the new set.
	cp "$BASE/quorum/$OLD/alice.cms" "$A/quorum/$(current)/alice.cms"
	run by "alice dave" key list -d "$A"
	refused 3 "alice"
}

@test "after it, the keys still sign, and only the new set's approvals count" {
	new_set 2 bob dave erin
	must by "alice bob dave erin" plan run -d "$A" "$P" --yes
	root_plan root-g2 > "$P"
	run by "alice bob" plan approve -d "$A" "$P" --yes
	refused 3 "alice"
	must by "dave erin" plan run -d "$A" "$P" --yes
	step_list crl-1 root-g1 | plan list > "$P"
	must by "bob erin" plan run -d "$A" "$P" --yes
	openssl crl -in "$A/public/crls/crl-1.pem" -noout \
		-CAfile "$A/public/certs/root-g1.pem"
	sound
}

@test "an approval by an operator who was removed does not count" {
	root_plan root-g2 > "$P"
	DIR=$A/ceremonies/$(keep)
	must by "alice carol" plan approve -d "$A" "$DIR" --yes
	new_set 2 alice bob dave
	must by "alice bob dave" plan run -d "$A" "$P" --yes
	run by "alice" plan run -d "$A" "$DIR" --yes
	[ "$status" -eq 3 ]
	[ ! -e "$A/public/certs/root-g2.pem" ]
	root_plan root-g2 > "$P"
	DIR=$A/ceremonies/$(keep)
	mkdir -p "$DIR/approvals"
	sign_as carol "$(python3 - <<-PY
	import re
	text = open("$BATS_TEST_DIRNAME/../../docs/quorum.md").read()
	print(re.search(r"2\.25\.\d+\.\d+", text).group())
	PY
	)" "$DIR/manifest.json" > "$DIR/approvals/carol.cms"
	run by "alice" plan run -d "$A" "$DIR" --yes
	refused 3 "carol"
}

@test "the threshold rises from two of three to three of five" {
	new_set 3 alice bob carol dave erin
	must by "alice bob carol dave erin" plan run -d "$A" "$P" --yes
	run by "alice bob" key list -d "$A"
	refused 3
	must by "carol erin bob" key list -d "$A"
}

@test "one operator of the old set cannot reshare, whoever comes with them" {
	new_set 2 alice dave erin
	run by "alice dave erin" plan run -d "$A" "$P" --yes
	refused 3 "alice"
	[ "$(current)" = "$OLD" ]
	says 'len(D("plan")) == 1'
	must by "bob carol" key list -d "$A"
}

@test "somebody of the new set is missing: nothing moved, and it goes on later" {
	new_set 2 alice bob dave
	run by "alice bob" plan run -d "$A" "$P" --yes
	refused 3 "dave"
	says 'D("pin-change") == []'
	opens "$(user_pin "$BASE" "$OLD" alice carol)"
	must by "alice bob dave" plan run --resume -d "$A" --yes
	must by "alice dave" key list -d "$A"
	[ "$(current)" != "$OLD" ]
}

@test "a reshare that began and moved no PIN is given up by the old set" {
	new_set 2 alice bob dave
	run by "alice bob" plan run -d "$A" "$P" --yes
	[ "$status" -eq 3 ]
	plan give-up > "$P" <<-EOF
	- abandon:
	    plan: reshare-1
	    why: dave is ill
	EOF
	must by "bob carol" plan run -d "$A" "$P" --yes
	says 'D("close")[-2]["outcome"] == "abandoned"'
	[ "$(current)" = "$OLD" ]
	must by "alice carol" key list -d "$A"
}

@test "it must be the only step, and its set must be sound" {
	new_set 2 alice bob dave
	{ cat "$P"; step_key k | sed 's/^/  /'; } > both.yaml
	cp both.yaml "$P"
	check_refused STEP-ALONE
	new_set 5 alice bob dave
	check_refused SET-THRESHOLD
	new_set 2 alice bob nobody
	unchanged ca-tool plan check -d "$A" "$P"
	[[ $output == *nobody* ]]
	new_set 2 alice bob dave
	cp alice.sign.crt dave.sign.crt
	check_refused SET-KEY-TWICE
}
