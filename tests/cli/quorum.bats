#!/usr/bin/env bats
# Two of three: who can do what, and each thing that operators sign, forged.
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
	cp -a "$BASE" "$A"
	cd "$BATS_TEST_TMPDIR" || return
	SETDIR=$A/quorum/$(current)
}

# kept: keep $P, and set DIR to its directory.
kept() {
	DIR=$A/ceremonies/$(keep)
}

# approved NAME...: does plan status name exactly these?
approved() {
	local wanted=$*
	run ca-tool plan status -d "$A" "$DIR" --json
	[ "$status" -eq 0 ] || {
		echo "$output"
		return 1
	}
	[ "$(python3 -c 'import json, sys
print(*json.load(sys.stdin)["approved"])' <<< "$(tail -n +1 <<< "$output" |
		sed -n '/^{/,$p')")" = "$wanted" ] || {
		echo "approved, but not by '$wanted': $output"
		return 1
	}
}

# oid PURPOSE: of the signatures, as the documentation has it.
oid() {
	grep -o "2\.25\.[0-9]*\.[0-9]*" \
		<(grep -i "$1" "$BATS_TEST_DIRNAME/../../docs/quorum.md") |
		head -n 1
}

# ---- who can do what -------------------------------------------------------

@test "init over several days: a set that nobody has signed is not taken up" {
	local own planted V W
	V=$BATS_TEST_TMPDIR/victim
	W=$BATS_TEST_TMPDIR/planter
	local made=(--id example.org/test --operators "$PEOPLE/set.yaml"
		--crl-url 'http://crl.example.org/{issuer}.crl'
		--ca-issuers-url 'http://ca.example.org/{issuer}.der')
	run by "carol" init "$V" "${made[@]}"
	refused 3 "still missing: alice, bob" "fewer than 2 enrolled"
	# All that this takes are the operators' certificates, which are public.
	run by "" init "$W" "${made[@]}"
	refused 3 "still missing: alice, bob, carol"
	planted=$(cd "$W/quorum" && echo *)
	rm -r "$V"/quorum/*
	cp -a "$W"/quorum/* "$V/quorum/"
	run by "alice bob" init "$V" "${made[@]}"
	refused 3 "still missing: carol" "what the others did is kept"
	[[ $output == *"$planted"*"is not used: 0 enrolled"* ]]
	own=$(cd "$V/quorum" && echo *)
	[ "$own" != "$planted" ]
	# An enrolment that is none is named, and nobody is asked for anything.
	mv "$V/quorum/$own/bob.enrol" saved
	cp "$V/quorum/$own/alice.enrol" "$V/quorum/$own/bob.enrol"
	run by "alice bob carol" init "$V" "${made[@]}"
	refused 3 "bob.enrol' is no enrolment by 'bob'"
	mv saved "$V/quorum/$own/bob.enrol"
	must by "alice bob carol" init "$V" "${made[@]}"
	[[ $output != *"is not used"* ]]
	[ "$(cat "$V/quorum/current")" = "$own" ]
}

@test "init: a set of three, an anchor signed by all of them" {
	says '[e["kind"] for e in E][:5] == ["genesis", "enrolment",
		"enrolment", "enrolment", "enrolment"]'
	says 'len(D("anchor")) == 3'
	says '[d["state"] for d in D("quorum")] == ["active"]'
	[ "$(find "$A/public/anchor" -name '*.cms' | wc -l)" -eq 3 ]
	local name
	for name in alice bob carol; do
		openssl cms -verify -binary -inform DER -noverify \
			-in "$A/public/anchor/$name.cms" \
			-content "$A/public/anchor/anchor.txt" \
			-certfile "$A/public/anchor/$name.sign.crt" -out /dev/null
	done
	[ "$(stat -c %a "$SETDIR/alice.cms")" = 600 ]
}

@test "any two open the token, one does not" {
	local pair
	for pair in "alice bob" "bob carol" "carol alice"; do
		run by "$pair" key list -d "$A"
		[ "$status" -eq 0 ] || { echo "$pair: $output"; false; }
	done
	local before
	before=$(snapshot "$A")
	run by "alice" key list -d "$A"
	refused 3 "alice" "2"
	[ "$(snapshot "$A")" = "$before" ]
}

@test "a plan runs with two, and says in the journal who they were" {
	root_plan root-g1 > "$P"
	must by "carol alice" plan run -d "$A" "$P" --yes
	openssl verify -CAfile "$A/public/certs/root-g1.pem" \
		"$A/public/certs/root-g1.pem"
	says 'sorted(d["name"] for d in D("approval")) == ["alice", "carol"]'
	says 'sorted(d["name"] for d in D("confirmation")) == ["alice", "carol"]'
	grep -q alice "$A"/ceremonies/root-g1-*/transcript.txt
	grep -q carol "$A"/ceremonies/root-g1-*/transcript.txt
	never grep -q "bob.*confirm" "$A"/ceremonies/root-g1-*/transcript.txt
}

@test "one operator alone runs nothing, and nothing is left" {
	root_plan root-g1 > "$P"
	kept
	local name before
	for name in alice bob carol; do
		run by "$name" plan run -d "$A" "$DIR" --yes
		refused 3 "$name"
		rm -rf "$DIR/approvals"
	done
	says 'len(D("plan") + D("intent")) == 0 and len(D("key-intent")) == 1'
	[ ! -e "$A/public/certs/root-g1.pem" ]
}

@test "approvals given on another day count; those who approved need not run it" {
	root_plan root-g1 > "$P"
	kept
	must by "alice" plan approve -d "$A" "$DIR" --yes
	approved alice
	must by "bob" plan approve -d "$A" "$DIR" --yes
	approved alice bob
	must by "bob carol" plan run -d "$A" "$DIR" --yes
	says '{"alice", "bob"} <= {d["name"] for d in D("approval")}'
	says 'sorted(d["name"] for d in D("confirmation")) == ["bob", "carol"]'
}

@test "a witness does not count, and a stranger is nobody" {
	root_plan root-g1 > "$P"
	kept
	run by "wendy" plan approve -d "$A" "$DIR" --yes
	refused 3 "wendy"
	run by "mallory" plan approve -d "$A" "$DIR" --yes
	refused 3 "mallory"
	run by "alice mallory" plan run -d "$A" "$DIR" --yes
	refused 3 "mallory"
	says 'len(D("plan")) == 0'
}

@test "the right name with a wrong key, a missing key, a wrong passphrase" {
	root_plan root-g1 > "$P"
	kept
	run ca-tool plan approve -d "$A" "$DIR" --yes \
		--operator "alice=file:$PEOPLE/mallory.key" \
		--passphrase-fd alice=8 8< <(phrases)
	refused 4 "mallory.key"
	run ca-tool plan approve -d "$A" "$DIR" --yes \
		--operator "alice=file:$PEOPLE/nobody.key" \
		--passphrase-fd alice=8 8< <(phrases)
	refused 3 "nobody.key"
	run ca-tool plan approve -d "$A" "$DIR" --yes \
		--operator "alice=file:$PEOPLE/alice.key" \
		--passphrase-fd alice=8 8< <(echo wrong-passphrase)
	refused 4 "passphrase"
	head -c 300 "$PEOPLE/alice.key" > cut.key
	run ca-tool plan approve -d "$A" "$DIR" --yes \
		--operator "alice=file:cut.key" \
		--passphrase-fd alice=8 8< <(phrases)
	[ "$status" -ne 0 ]
	[[ $output == *cut.key* ]]
	approved
}

# ---- shares ----------------------------------------------------------------

@test "share check: each operator tests their own share, without a token" {
	local name
	mv "$A/token" "$BATS_TEST_TMPDIR/token-elsewhere"
	for name in alice bob carol; do
		must by "$name" share check -d "$A" "$name"
	done
	run by "wendy" share check -d "$A" wendy
	refused 3 "wendy"
}

@test "a share with one bit changed is named, and the others still do" {
	flip "$SETDIR/alice.cms"
	run by "alice" share check -d "$A" alice
	refused 3 "alice"
	run by "alice bob" key list -d "$A"
	refused 3 "alice"
	must by "bob carol" key list -d "$A"
}

@test "every octet of a share's file matters" {
	local len at
	len=$(stat -c %s "$SETDIR/alice.cms")
	for at in 0 1 2 5 20 40 80 150 $((len - 40)) $((len - 20)) $((len - 1)); do
		cp -p "$BASE/quorum/$(current)/alice.cms" "$SETDIR/alice.cms"
		flip "$SETDIR/alice.cms" "$at"
		run by "alice" share check -d "$A" alice
		[ "$status" -eq 3 ] || { echo "octet $at: $status $output"; false; }
	done
	head -c 100 "$BASE/quorum/$(current)/alice.cms" > "$SETDIR/alice.cms"
	run by "alice" share check -d "$A" alice
	refused 3 "alice"
	: > "$SETDIR/alice.cms"
	run by "alice" share check -d "$A" alice
	refused 3 "alice"
	rm "$SETDIR/alice.cms"
	run by "alice" share check -d "$A" alice
	refused 3 "alice.cms"
}

@test "a share of another authority, and of another set" {
	quorum_authority other > log 2>&1 || { cat log; false; }
	cp "other/quorum/$(cat other/quorum/current)/alice.cms" "$SETDIR/alice.cms"
	run by "alice" share check -d "$A" alice
	refused 3 "alice" "set|authority"
	run by "alice bob" key list -d "$A"
	refused 3 "alice"
	must by "bob carol" key list -d "$A"
}

@test "one share under two names" {
	# bob's share, opened by stock openssl and encrypted to alice.
	sed -n '/BEGIN/,$p' "$PEOPLE/bob.key" |
		awk '/BEGIN/ { n++ } n == 2' > bob.decrypt.key
	openssl cms -decrypt -inform DER -in "$SETDIR/bob.cms" \
		-recip "$PEOPLE/bob.decrypt.crt" -inkey bob.decrypt.key \
		-passin "pass:$PHRASE" -out bob.txt
	grep -q '^operator: bob$' bob.txt
	openssl cms -encrypt -binary -outform DER -aes-256-gcm -in bob.txt \
		-recip "$PEOPLE/alice.decrypt.crt" \
		-keyopt ecdh_kdf_md:sha256 -out "$SETDIR/alice.cms"
	run by "alice" share check -d "$A" alice
	refused 3 "alice"
	run by "alice bob" key list -d "$A"
	refused 3 "alice"
}

@test "one operator twice is refused" {
	run by "alice alice" key list -d "$A"
	refused 2 "alice"
}

# ---- what was approved is what is run --------------------------------------

@test "anything that is edited after the check voids approvals, and is named" {
	make_request partner
	{
		step_key root-g1
		step_root root-g1
		step_subordinate partner-g1 root-g1 'csr: partner.csr'
	} | plan p > "$P"
	kept
	must by "alice bob" plan approve -d "$A" "$DIR" --yes
	local file
	for file in "$DIR"/inputs/*; do
		cp -p "$file" saved
		chmod 600 "$file"
		echo "# edited" >> "$file"
		run by "alice bob" plan run -d "$A" "$DIR" --yes
		[ "$status" -eq 3 ] || { echo "$file: $status $output"; false; }
		[[ $output == *"${file##*/}"* ]]
		run by "alice bob" plan approve -d "$A" "$DIR" --yes
		[ "$status" -eq 3 ]
		cp -p saved "$file"
	done
	cp -p "$DIR/manifest.json" saved
	chmod 600 "$DIR/manifest.json"
	sed -i 's/"title": "Test plan p"/"title": "Test plan q"/' \
		"$DIR/manifest.json"
	run by "alice bob" plan run -d "$A" "$DIR" --yes
	refused 3 "manifest"
	cp -p saved "$DIR/manifest.json"
	says 'len(D("plan")) == 0'
	must by "alice bob" plan run -d "$A" "$DIR" --yes
}

@test "a plan that is checked again after a change says what became void" {
	root_plan root-g1 > "$P"
	kept
	must by "alice bob" plan approve -d "$A" "$DIR" --yes
	sed -i 's/7305d/7304d/' "$P"
	kept
	run ca-tool plan status -d "$A" "$DIR"
	[ "$status" -eq 0 ]
	[[ $output == *void* ]]
	[[ $output == *plan.yaml* ]]
	run by "alice" plan run -d "$A" "$DIR" --yes
	refused 3 "alice"
}

@test "the same plan, checked again later, keeps its approvals" {
	root_plan root-g1 > "$P"
	kept
	must by "alice bob" plan approve -d "$A" "$DIR" --yes
	# A login makes the journal longer.
	must by "alice bob" key list -d "$A"
	local first=$DIR
	kept
	[ "$DIR" = "$first" ]
	approved alice bob
}

@test "authority.yaml changed: refused, and named" {
	root_plan root-g1 > "$P"
	kept
	must by "alice bob" plan approve -d "$A" "$DIR" --yes
	chmod 600 "$A/authority.yaml"
	echo "# edited" >> "$A/authority.yaml"
	run by "alice bob" plan run -d "$A" "$DIR" --yes
	refused 3 "authority.yaml"
}

@test "a manifest of another authority, and outside of its window" {
	quorum_authority other > log 2>&1 || { cat log; false; }
	root_plan root-g1 > "$P"
	kept
	must by "alice bob" plan approve -d "$A" "$DIR" --yes
	cp -a "$DIR" other/ceremonies/
	run by "alice bob" plan run -d other "other/ceremonies/${DIR##*/}" --yes
	refused 3 "authority|journal"
	run at_time_by "alice bob" +30d plan run -d "$A" "$DIR" --yes
	[ "$status" -eq 3 ]
	[[ $output == *window* ]]
}

# ---- forged statements -----------------------------------------------------

# counts_not FILE: with this approval in bob's place, alice's is not enough.
counts_not() {
	mkdir -p "$DIR/approvals"
	cp "$1" "$DIR/approvals/bob.cms"
	approved alice
	run by "alice" plan run -d "$A" "$DIR" --yes
	[ "$status" -eq 3 ] || { echo "$1 counted: $output"; false; }
	[[ $output == *bob* ]]
	says 'len(D("plan")) == 0'
}

@test "forged approvals do not count, each is named" {
	root_plan root-g1 > "$P"
	kept
	must by "alice" plan approve -d "$A" "$DIR" --yes
	local approve manifest=$DIR/manifest.json
	approve=$(oid approv)
	[ -n "$approve" ]
	# The real thing, made by stock openssl, counts.
	sign_as bob "$approve" "$manifest" > real
	mkdir -p "$DIR/approvals"
	cp real "$DIR/approvals/bob.cms"
	approved alice bob

	sign_as mallory "$approve" "$manifest" > mallory
	counts_not mallory
	sign_as wendy "$approve" "$manifest" > wendy
	counts_not wendy
	counts_not "$DIR/approvals/alice.cms"
	sign_as bob "$(oid confirm)" "$manifest" > confirmation
	counts_not confirmation
	sign_as bob 1.2.840.113549.1.7.1 "$manifest" > data
	counts_not data
	sign_as bob "$approve" "$manifest" -noattr > bare
	counts_not bare
	sign_as bob "$approve" "$manifest" -md sha1 > sha1
	counts_not sha1
	sign_as bob "$approve" "$manifest" -nodetach > attached
	counts_not attached
	sed 's/$/\r/' "$manifest" > crlf
	sign_as bob "$approve" crlf > changed
	counts_not changed
	sed 's/Test plan/test plan/' "$manifest" > other
	sign_as bob "$approve" other > changed
	counts_not changed
	cp real flipped
	flip flipped $(($(stat -c %s real) - 5))
	counts_not flipped
	head -c 200 real > cut.cms
	counts_not cut.cms
	: > empty
	counts_not empty
	{ cat real; echo; } > trailing
	counts_not trailing
}

@test "an approval that is no file" {
	root_plan root-g1 > "$P"
	kept
	mkdir "$DIR/approvals"
	mkfifo "$DIR/approvals/alice.cms"
	ln -s /etc/passwd "$DIR/approvals/bob.cms"
	mkdir "$DIR/approvals/carol.cms"
	approved
}

@test "a confirmation of another list or of an approval does not count" {
	root_plan root-g1 > "$P"
	kept
	must by "alice bob" plan approve -d "$A" "$DIR" --yes
	# As if they had confirmed before: a list that does not exist yet.
	mkdir "$DIR/confirmations"
	cp "$DIR/approvals/alice.cms" "$DIR/confirmations/0-alice.cms"
	sign_as bob "$(oid confirm)" "$DIR/manifest.json" \
		> "$DIR/confirmations/0-bob.cms"
	sign_as carol "$(oid rehears)" "$DIR/manifest.json" \
		> "$DIR/confirmations/0-carol.cms"
	must by "alice bob" plan run -d "$A" "$DIR" --yes
	says 'len({d["statement"] for d in D("confirmation")}) == 2'
	says 'all(d["sha256"] == D("list")[0]["sha256"]
		for d in D("confirmation"))'
	# They were asked, and their signatures are over the list.
	local name
	for name in alice bob; do
		openssl cms -verify -binary -inform DER -noverify \
			-in "$DIR/confirmations/0-$name.cms" \
			-content "$DIR/list-0" -out /dev/null \
			-certfile "$PEOPLE/$name.sign.crt"
	done
}

# ---- receipts --------------------------------------------------------------

@test "a receipt from last time shows that the journal goes on from it" {
	root_plan root-g1 > "$P"
	must by "alice bob" plan run -d "$A" "$P" --yes
	cp "$A"/ceremonies/root-g1-*/receipt receipt
	root_plan root-g2 > "$P"
	must by "alice bob" plan run -d "$A" "$P" --yes --receipt receipt
	cp "$A"/ceremonies/root-g2-*/receipt newer
	# An older copy of the authority was put back.
	rm -rf "$A"
	cp -a "$BASE" "$A"
	root_plan root-g3 > "$P"
	run by "alice bob" plan run -d "$A" "$P" --yes --receipt newer
	refused 3 "receipt|rolled"
	says 'len(D("plan")) == 0'
	sed 's/^\([0-9][0-9]*\)$/1\1/' newer > forged
	run by "alice" plan approve -d "$A" "$P" --yes --receipt forged
	[ "$status" -eq 3 ]
	run by "alice" plan approve -d "$A" "$P" --yes --receipt /dev/null
	[ "$status" -ne 0 ]
}

# ---- cut off ---------------------------------------------------------------

@test "too few confirm: the run stays open, the others confirm and it goes on" {
	root_plan root-g1 > "$P"
	kept
	must by "alice bob" plan approve -d "$A" "$DIR" --yes
	# alice's descriptor ends before she is asked to confirm.
	present bob
	run ca-tool plan run -d "$A" "$DIR" --yes "${WHO[@]}" \
		--operator "alice=file:$PEOPLE/alice.key" --passphrase-fd alice=9 \
		8< <(phrases) 9< <(echo "$PHRASE")
	[ "$status" -ne 0 ]
	says 'len(D("plan")) == 1 and len(D("intent")) == 0'
	must by "bob carol" plan run --resume -d "$A" --yes
	[ -s "$A/public/certs/root-g1.pem" ]
	sound
}

@test "M-1 cannot resume either" {
	root_plan root-g1 > "$P"
	kept
	must by "alice bob" plan approve -d "$A" "$DIR" --yes
	present bob
	run ca-tool plan run -d "$A" "$DIR" --yes "${WHO[@]}" \
		--operator "alice=file:$PEOPLE/alice.key" --passphrase-fd alice=9 \
		8< <(phrases) 9< <(echo "$PHRASE")
	[ "$status" -ne 0 ]
	run by "bob" plan run --resume -d "$A" --yes
	refused 3 "bob"
	says 'len(D("intent")) == 0'
}

# ---- single control and no spare -------------------------------------------

@test "thresholds that leave too much to one person are refused, or loud" {
	sed 's/threshold: 2/threshold: 1/' "$PEOPLE/set.yaml" > "$PEOPLE/one.yaml"
	sed 's/threshold: 2/threshold: 3/' "$PEOPLE/set.yaml" > "$PEOPLE/all.yaml"
	sed 's/threshold: 2/threshold: 4/' "$PEOPLE/set.yaml" > "$PEOPLE/four.yaml"
	local set
	for set in one all four; do
		run by "alice bob carol" init new --id example.org/n \
			--operators "$PEOPLE/$set.yaml"
		refused 3 "SET-THRESHOLD" "threshold"
		[ ! -e new ]
	done
	echo 'allow-single-control: true' >> "$PEOPLE/one.yaml"
	run by "alice bob carol" init new --id example.org/n \
		--operators "$PEOPLE/one.yaml"
	[ "$status" -eq 0 ] || { echo "$output"; false; }
	[[ $output == *"alone"* ]]
	root_plan root-g1 > "$P"
	run ca-tool plan check -d new "$P"
	[[ $output == *"alone"* ]]
}
