#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031
# The ways out: each mends what else would block an authority, under quorum, and
# is refused where it is not needed.

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
}

# way KIND [LINE...]: a plan in $P with this one step.
way() {
	local kind=$1 line
	shift
	{
		echo "- $kind:"
		for line in "why: a test" "$@"; do
			echo "    $line"
		done
	} | plan "way-$RANDOM" > "$P"
}

# two COMMAND...: with two operators.
two() {
	by "alice carol" "$@"
}

# ---- adopt-config ----------------------------------------------------------

@test "adopt-config: a changed authority.yaml and new profiles come into force" {
	chmod 600 "$A/authority.yaml"
	sed -i "s,http://ocsp.example.org/,http://ocsp.example.org/new," \
		"$A/authority.yaml"
	sed 's/^id: .*/id: issuing-two/; s/7305d/7000d/' \
		"$A/profiles/issuing-ca.yaml" > "$A/profiles/issuing-two.yaml"
	rm "$A/profiles/ca-crl.yaml"
	run two key list -d "$A"
	refused 3 "authority.yaml" "adopt-config"
	way adopt-config
	must two plan run -d "$A" "$P" --yes
	must two key list -d "$A"
	says 'any(d.get("removed") and d["profile"] == "ca-crl"
		for d in D("profile"))'
	says '"issuing-two" in [d["profile"] for d in D("profile")]'
	step_list crl-1 root-g1 | plan list > "$P"
	run ca-tool plan check -d "$A" "$P"
	refused 3 "ca-crl"
}

@test "adopt-config: refused where nothing differs, by one operator, unsound" {
	way adopt-config
	run two plan run -d "$A" "$P" --yes
	refused 3
	says 'len(D("plan")) == 1'
	chmod 600 "$A/authority.yaml"
	cp -p "$A/authority.yaml" good
	echo '# a comment' >> "$A/authority.yaml"
	run by "bob" plan run -d "$A" "$P" --yes
	refused 3 "bob"
	local change
	for change in "s/^id: .*/id: 'example.org\/another'/" \
		"s/^login: .*/login: prompt/" "s/label: .*/label: 'another'/" \
		"s/^jobs: .*/jobs: 'many'/"; do
		sed "$change" good > "$A/authority.yaml"
		run two plan run -d "$A" "$P" --yes
		[ "$status" -eq 3 ] || { echo "$change: $status $output"; false; }
	done
	says 'len(D("plan")) == 1 and len(D("config")) == 1'
	cp good "$A/authority.yaml"
	echo 'nonsense: [' > "$A/profiles/root.yaml"
	run two plan run -d "$A" "$P" --yes
	refused 3 "root.yaml"
}

@test "adopt-config: edited again after the check is not adopted" {
	chmod 600 "$A/authority.yaml"
	echo '# a comment' >> "$A/authority.yaml"
	way adopt-config
	DIR=$A/ceremonies/$(keep)
	echo '# another' >> "$A/authority.yaml"
	run two plan run -d "$A" "$DIR" --yes
	refused 3 "authority.yaml"
	says 'len(D("config")) == 1'
}

# ---- correct-clock ---------------------------------------------------------

@test "correct-clock: after a run in the future, and only then" {
	way correct-clock
	run two plan run -d "$A" "$P" --yes
	refused 3
	{
		plan future <<< "" | sed "s/^  from: .*/  from: $(when '+39 days')/
			s/^  until: .*/  until: $(when '+41 days')/; /^ *$/d"
		step_key k | sed 's/^/  /'
	} > future.yaml
	must at_time_by "alice bob" +40d plan run -d "$A" future.yaml --yes
	step_key k2 | plan now > "$P"
	run two plan run -d "$A" "$P" --yes
	refused 3 "clock"
	way correct-clock
	run by "bob" plan run -d "$A" "$P" --yes
	refused 3 "bob"
	must two plan run -d "$A" "$P" --yes
	says 'len(D("clock")) == 1'
	step_key k2 | plan now-2 > "$P"
	must two plan run -d "$A" "$P" --yes
}

# ---- abandon ---------------------------------------------------------------

# cut_run WINDOW: a run of plan p that is killed while it signs.
cut_run() {
	{
		step_key k
		step_subordinate s root-g1 'key: k'
		step_list l1 root-g1
	} | plan p > "$P"
	present alice bob
	strace -f -o /dev/null -e trace=fdatasync \
		-e inject=fdatasync:signal=KILL:when="$1" \
		"$CA_TOOL" plan run -d "$A" "$P" --yes "${WHO[@]}" \
		8< <(phrases) > log 2>&1 || true
	says 'len(D("plan")) - len(D("close")) == 1'
}

@test "abandon: what was signed is published, what may have been is spent" {
	command -v strace > /dev/null || skip "no strace"
	local when seen=0
	for when in 8 14 18 22 26 30 36 42; do
		rm -rf "$A"
		cp -a "$BASE" "$A"
		cut_run "$when" || continue
		seen=$((seen + 1))
		way abandon "plan: p"
		run by "carol" plan run -d "$A" "$P" --yes
		refused 3 "carol"
		must two plan run -d "$A" "$P" --yes
		says 'D("close")[-2]["outcome"] == "abandoned" or
			D("close")[-1]["outcome"] == "abandoned"'
		says 'len(D("plan")) == len(D("close"))'
		says '{(d["run"], d["list"], d["object"]) for d in D("intent")}
			== {(d["run"], d["list"], d["object"])
			for d in D("result") + D("failed")}'
		says '{(d["issuer_dn"], d["serial"]) for d in D("intent")
			if d["kind"] == "certificate" and (d["run"], d["list"],
			d["object"]) in {(f["run"], f["list"], f["object"])
			for f in D("failed")}} <= {(d["issuer_dn"], d["serial"])
			for d in D("revoked")}'
		# The authority works again, and the key went or is certified.
		step_list "after-$when" root-g1 | plan "after-$when" > "$P"
		must two plan run -d "$A" "$P" --yes
		if [ -e "$A/public/certs/s.pem" ]; then
			[ "$(by "alice bob" key list -d "$A" | grep -c "k'\|k ")" -ge 1 ]
		fi
	done
	[ "$seen" -ge 3 ]
}

@test "abandon: refused where no such run is open" {
	way abandon "plan: p"
	run two plan run -d "$A" "$P" --yes
	refused 3 "p"
	way abandon "plan: root-g1"
	run two plan run -d "$A" "$P" --yes
	refused 3 "root-g1"
	says 'len(D("plan")) == 1'
}

@test "while a run is open nothing else runs but its resume or abandon" {
	command -v strace > /dev/null || skip "no strace"
	cut_run 18
	step_key other | plan other > "$P"
	run two plan run -d "$A" "$P" --yes
	refused 3 "p"
	way adopt-config
	run two plan run -d "$A" "$P" --yes
	[ "$status" -eq 3 ]
	must two plan run --resume -d "$A" --yes
	sound
}

# ---- adopt-token -----------------------------------------------------------

@test "adopt-token: refused where the token is the one that is recorded" {
	way adopt-token "serial: $(journal 'D("token")[0]["serial"]')"
	run two plan run -d "$A" "$P" --yes
	[ "$status" -eq 3 ]
	says 'len(D("token")) == 1'
}
