#!/usr/bin/env bats
# plan check: each kind of bad input gets a clear error with its place, and
# leaves nothing behind.

load helper

setup_file() {
	export A=$BATS_FILE_TMPDIR/authority
	export BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR
	make_authority "$A"
	first_ceremony "$A"
	cd "$BATS_FILE_TMPDIR" || return
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 \
		-out partner.key
	openssl req -new -key partner.key -subj '/CN=Partner' -outform DER \
		-out partner.csr
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	P=$BATS_TEST_TMPDIR/plan.yaml
	cp "$BATS_FILE_TMPDIR"/partner.* .
	BEFORE=$(snapshot "$A")
}

# Refusals change nothing; a test that keeps a plan says so.
teardown() {
	[ -n "${KEPT-}" ] || [ "$(snapshot "$A")" = "$BEFORE" ]
}

check() {
	run ca-tool plan check -d "$A" "$P"
}

# The place of the first line that matches: "plan.yaml:LINE:COLUMN", any column.
at() {
	echo "plan.yaml:$(grep -n -- "$1" "$P" | tail -1 | cut -d: -f1):[0-9]+"
}

good() {
	step_key fresh | plan good
}

@test "a good plan is kept, and what comes next is said" {
	KEPT=1
	step_key fresh | plan good-1 > "$P"
	check
	[ "$status" -eq 0 ] || { echo "$output"; false; }
	[[ $output == *"Plan good-1"* ]]
	[[ $output =~ Kept\ in\ +ceremonies/(good-1-[0-9a-f]{8}) ]]
	local kept=${BASH_REMATCH[1]}
	[ -d "$A/ceremonies/$kept" ]
	[[ $output == *"ca-tool plan run -d $A $A/ceremonies/$kept"* ]]
	run ca-tool plan show -d "$A" "$A/ceremonies/$kept"
	[ "$status" -eq 0 ] || { echo "$output"; false; }
	run ca-tool plan check -d "$A" --json "$P"
	python3 -c '
import json, sys
report = json.loads(sys.argv[1])
assert report["ok"] and report["plan"] == "good-1"
assert len(report["steps"]) == 1
assert report["steps"][0]["kind"] == "generate-key"
assert report["findings"] == []' "$output"
}

@test "what is kept cannot be changed unnoticed" {
	KEPT=1
	step_key fresh | plan good-2 > "$P"
	run ca-tool plan check -d "$A" "$P" --json
	local kept
	kept=$A/ceremonies/$(python3 -c '
import json, sys
print(json.loads(sys.argv[1])["directory"])' "$output")
	local file
	file=$(find "$kept" -name '*.yaml' -path '*inputs*' \
		-exec grep -l p-256 {} + | sort | head -1)
	chmod u+w "$file"
	sed -i 's/p-256/p-384/' "$file"
	run ca-tool plan show -d "$A" "$kept"
	refused 3 "manifest|changed|SHA-256"
}

@test "no plan, a directory, a FIFO, an empty file, a huge one" {
	run ca-tool plan check -d "$A" nothing.yaml
	[ "$status" -eq 1 ] || [ "$status" -eq 3 ]
	[[ $output == *nothing.yaml* ]]
	mkdir directory
	run ca-tool plan check -d "$A" directory
	[ "$status" -eq 1 ] || [ "$status" -eq 3 ]
	mkfifo fifo
	run timeout 10 setsid -w "$CA_TOOL" plan check -d "$A" fifo
	refused 3 "fifo"
	: > "$P"
	check
	refused 3 "plan.yaml"
	{ good; head -c 2000000 /dev/zero | tr '\0' '#'; } > "$P"
	check
	refused 3 "plan.yaml"
}

@test "no authority here" {
	run ca-tool plan check -d "$BATS_TEST_TMPDIR" "$P"
	refused 3 "is not an authority" "--authority"
	run ca-tool plan check -d /nonexistent "$P"
	[ "$status" -eq 3 ] || [ "$status" -eq 1 ]
}

@test "unknown, missing and duplicate keys, with line and column" {
	good | sed 's/type: p-256/type: p-256\n      colour: red/' > "$P"
	check
	refused 3 "$(at colour)" "colour"
	good | grep -v purpose: > "$P"
	check
	refused 3 "plan.yaml:[0-9]+:[0-9]+" "purpose"
	good | sed 's/type: p-256/type: p-256\n      type: p-384/' > "$P"
	check
	refused 3 "$(at 'type: p-384')" "type"
	{ good; echo 'extra: 1'; } > "$P"
	check
	refused 3 "$(at extra)" "extra"
	good | grep -v '^title' > "$P"
	check
	refused 3 "title"
}

@test "wrong types and values, with line and column" {
	good | sed 's/key: fresh/key: [a, b]/' > "$P"
	check
	refused 3 "$(at 'key: \[')"
	good | sed 's/type: p-256/type: rsa-512/' > "$P"
	check
	refused 3 "$(at rsa-512)" "rsa-512"
	good | sed 's/purpose: ca/purpose: everything/' > "$P"
	check
	refused 3 "$(at everything)" "everything"
	good | sed 's/key: fresh/key: ..\/fresh/' > "$P"
	check
	refused 3 "$(at fresh)"
	good | sed 's/^id: .*/id: Has Blanks/' > "$P"
	check
	refused 3 "$(at 'id: Has')"
	good | sed 's/from: .*/from: 2026-02-30T00:00:00Z/' > "$P"
	check
	refused 3 "$(at from)"
	good | sed 's/^format: .*/format: ca-tool-plan-9/' > "$P"
	check
	refused 3 "$(at format)" "ca-tool-plan-1"
	good | sed "s/until: .*/until: $(when '-2 days')/" > "$P"
	check
	refused 3 "plan.yaml:[0-9]+:[0-9]+"
}

@test "a step of no kind, of two, of an unknown one" {
	plan p > "$P" <<< '- {}'
	check
	refused 3 "$(at '{}')"
	{
		step_key fresh
		printf '  revoke:\n    issuer: root-g1\n    serial: 0a\n'
		printf '    reason: superseded\n'
	} | plan p > "$P"
	check
	refused 3 "plan.yaml:[0-9]+:[0-9]+"
	plan p > "$P" <<< '- dance: {}'
	check
	refused 3 "$(at dance)" "dance"
	plan p < /dev/null > "$P"
	check
	refused 3 "steps"
}

@test "aliases, tags, a second document, control characters, not UTF-8" {
	{
		good
		echo 'a: &a [x,x,x,x,x,x,x,x,x]'
		echo 'b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]'
		echo 'c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]'
	} > "$P"
	check
	refused 3 "$(at '^a: &a')" "anchor|alias"
	good | sed 's/^title: .*/title: !!str x/' > "$P"
	check
	refused 3 "$(at title)" "tag"
	{ good; printf -- '---\nformat: x\n'; } > "$P"
	check
	refused 3 "plan.yaml:[0-9]+" "document"
	good | sed $'s/^title: .*/title: red\e[31m/' > "$P"
	check
	refused 3 "plan.yaml"
	good | sed 's/^title: .*/title: "red\\e[31m"/' > "$P"
	check
	refused 3 "plan.yaml:[0-9]+"
	good | sed $'s/^title: .*/title: \xff\xfe/' > "$P"
	check
	refused 3 "plan.yaml"
	{ good; printf '\0'; } > "$P"
	check
	refused 3 "plan.yaml"
}

@test "all that is wrong is said at once, with a count" {
	{
		step_key fresh rsa-512
		step_key other p-256 everything
		step_root nokey
	} | plan p > "$P"
	check
	refused 3 "rsa-512" "everything" "nokey" "[0-9]+ errors"
	run --separate-stderr ca-tool plan check -d "$A" "$P" --json
	[ "$status" -eq 3 ]
	python3 -c '
import json, sys
report = json.loads(sys.argv[1])
assert report["ok"] is False and report["error"]
assert len(report["findings"]) >= 3
assert all(row["severity"] == "error" and row["place"] and row["id"]
           for row in report["findings"])' "$output"
}

@test "names that do not exist: key, profile, file, issuer" {
	step_root nokey | plan p > "$P"
	check
	refused 3 "$(at 'key: nokey')" "nokey"
	{ step_key fresh; step_root fresh; } |
		sed 's/profile: root/profile: fancy/' | plan p > "$P"
	check
	refused 3 "$(at fancy)" "fancy"
	step_subordinate sub root-g1 'csr: absent.csr' | plan p > "$P"
	check
	refused 3 "$(at absent)" "absent.csr"
	step_subordinate sub no-issuer 'csr: partner.csr' | plan p > "$P"
	check
	refused 3 "$(at 'issuer: no-issuer')" "no-issuer"
	step_crl no-issuer | plan p > "$P"
	check
	refused 3 "$(at 'issuer: no-issuer')"
}

@test "key and csr: both, or neither" {
	step_subordinate sub root-g1 'csr: partner.csr' |
		sed 's/csr: .*/csr: partner.csr\n    key: issuing-g1/' |
		plan p > "$P"
	check
	refused 3 "plan.yaml:[0-9]+:[0-9]+" "key" "csr"
	step_subordinate sub root-g1 '' | plan p > "$P"
	check
	refused 3 "plan.yaml:[0-9]+:[0-9]+" "key" "csr"
}

@test "names that are taken: plan, key, certificate, CRL" {
	step_key fresh | plan first > "$P"
	check
	refused 3 "first"
	step_key root-g1 | plan p > "$P"
	check
	refused 3 "$(at root-g1)" "root-g1"
	{ step_key twice; step_key twice; } | plan p > "$P"
	check
	refused 3 "$(at twice)" "twice"
	step_subordinate issuing-g1 root-g1 'csr: partner.csr' | plan p > "$P"
	check
	refused 3 "$(at 'name: issuing-g1')" "issuing-g1"
	step_crl root-g1 | plan p > "$P"
	check
	refused 3 "$(at 'name: root-g1')"
}

@test "an output that lies there already" {
	echo mine > "$A/public/certs/sub.pem"
	BEFORE=$(snapshot "$A")
	step_subordinate sub root-g1 'csr: partner.csr' | plan p > "$P"
	check
	refused 3 "sub.pem"
	[ "$(snapshot "$A")" = "$BEFORE" ]
	rm "$A/public/certs/sub.pem"
	BEFORE=$(snapshot "$A")
}

@test "a key of one purpose is not used for another" {
	{
		step_key responder p-256 ocsp
		step_root responder
	} | plan p > "$P"
	check
	refused 3 "$(at 'key: responder')" "ocsp|purpose"
}

@test "requests: truncated, trailing bytes, noise, empty, not a file" {
	step_subordinate sub root-g1 'csr: bad.csr' | plan p > "$P"
	head -c 100 partner.csr > bad.csr
	check
	refused 3 "bad.csr"
	{ cat partner.csr; echo x; } > bad.csr
	check
	refused 3 "bad.csr" "from octet [0-9]+ on"
	head -c 10000000 /dev/urandom > bad.csr
	check
	refused 3 "bad.csr"
	: > bad.csr
	check
	refused 3 "bad.csr"
	rm bad.csr
	mkfifo bad.csr
	run timeout 10 setsid -w "$CA_TOOL" plan check -d "$A" "$P"
	refused 3 "bad.csr"
	rm bad.csr
	mkdir bad.csr
	check
	refused 3 "bad.csr"
}

@test "requests: a bad self-signature, a weak key, a weak digest" {
	step_subordinate sub root-g1 'csr: bad.csr' | plan p > "$P"
	python3 - <<-'END'
	data = bytearray(open("partner.csr", "rb").read())
	data[-1] ^= 1
	open("bad.csr", "wb").write(data)
	END
	check
	refused 3 "bad.csr" "signature" "CSR-POP"
	openssl req -new -newkey rsa:1024 -nodes -keyout weak.key -subj /CN=x \
		-out bad.csr 2> /dev/null
	check
	refused 3 "bad.csr" "1024"
	openssl req -new -key partner.key -sha1 -subj /CN=x -out bad.csr
	check
	refused 3 "bad.csr"
}

@test "requests: the issuer's own key, a key in use" {
	KEPT=1
	plan csr-of-root <<-'END' > "$P"
	- csr:
	    name: of-root
	    key: root-g1
	    subject:
	      country: DE
	      organization: Example Trust
	      common-name: Example
	- csr:
	    name: of-issuing
	    key: issuing-g1
	    subject:
	      country: DE
	      organization: Example Trust
	      common-name: Example
	END
	ca-tool-pin plan run -d "$A" "$P" --yes
	cp "$A/public/csrs/of-root.csr" "$A/public/csrs/of-issuing.csr" .
	step_subordinate sub root-g1 'csr: of-root.csr' | plan p > "$P"
	check
	refused 3 "key"
	step_subordinate sub root-g1 'csr: of-issuing.csr' | plan p > "$P"
	check
	refused 3 "key"
}

@test "requests: terminal escapes in the name" {
	openssl req -new -key partner.key -utf8 -outform DER -out bad.csr \
		-subj $'/CN=evil\e[31m\a\u202ered'
	step_subordinate sub root-g1 'csr: bad.csr' | plan p > "$P"
	run ca-tool plan show -d "$A" "$P"
	[ "$status" -eq 0 ] || [ "$status" -eq 3 ]
	no_escapes
	never grep -q $'\u202e' <<<"$output"
	run ca-tool plan show -d "$A" --json "$P"
	no_escapes
}

@test "terminal escapes in a subject of the plan" {
	step_subordinate sub root-g1 'csr: partner.csr' $'evil\u202ered' |
		plan p > "$P"
	run ca-tool plan show -d "$A" "$P"
	[ "$status" -eq 0 ] || [ "$status" -eq 3 ]
	no_escapes
	never grep -q $'\u202e' <<<"$output"
}

@test "a sub CA that outlives its issuer, or has its name" {
	step_subordinate sub root-g1 'csr: partner.csr' 'Sub' 7306d |
		plan p > "$P"
	check
	refused 3 "plan.yaml:[0-9]+:[0-9]+"
	step_subordinate sub root-g1 'csr: partner.csr' 'Example root-g1' |
		plan p > "$P"
	check
	refused 3 "plan.yaml:[0-9]+:[0-9]+" "name"
}

@test "a sub CA below one without path length left" {
	step_subordinate sub issuing-g1 'csr: partner.csr' | plan p > "$P"
	check
	refused 3 "path|pathLen"
}

@test "a sub CA that predates its issuer: the clock went back" {
	command -v faketime > /dev/null || skip "no faketime"
	step_subordinate sub root-g1 'csr: partner.csr' | plan p > "$P"
	run at_time '-2h' setsid -w "$CA_TOOL" plan check -d "$A" "$P"
	refused 3 "clock|not yet valid|before"
}

@test "revocations: unknown serial, forbidden reason, bad hex" {
	revoke() {
		plan p <<-END > "$P"
		- revoke:
		    issuer: root-g1
		    serial: $1
		    reason: $2
		END
	}
	revoke 0a0b superseded
	check
	refused 3 "$(at serial)" "0a0b"
	local serial
	serial=$(openssl x509 -in "$A/public/certs/issuing-g1.pem" -noout \
		-serial | cut -d= -f2)
	revoke "$serial" certificateHold
	check
	refused 3 "$(at reason)" "certificateHold"
	revoke "xyz" superseded
	check
	refused 3 "$(at serial)"
	# A CA is not revoked without a reason.
	revoke "$serial" unspecified
	check
	refused 3 "$(at reason)"
}

@test "a read-only authority" {
	can_mount || skip "no namespaces for mounts"
	good > "$P"
	run read_only "$A" "$CA_TOOL" plan check -d "$A" "$P"
	refused 1 "cannot" "[Rr]ead-only|Permission"
	# What only reads works there.
	run read_only "$A" "$CA_TOOL" plan show -d "$A" "$P"
	[ "$status" -eq 0 ] || { echo "$output"; false; }
}

@test "one ca-tool at a time" {
	good > "$P"
	run flock "$A/lock" "$CA_TOOL" plan check -d "$A" "$P"
	refused 3 "another"
	# shellcheck disable=SC2016
	run flock "$A/lock" bash -c \
		'"$CA_TOOL" key list -d "$A" --pin-fd 8 8< <(echo x)'
	refused 3 "another"
	# Reading needs no lock.
	run flock "$A/lock" "$CA_TOOL" journal show -d "$A" --last 1
	[ "$status" -eq 0 ]
	run flock "$A/lock" "$CA_TOOL" plan show -d "$A" "$P"
	[ "$status" -eq 0 ]
}
