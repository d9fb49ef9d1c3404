#!/usr/bin/env bats
# shellcheck disable=SC2154 # stderr is set by run --separate-stderr
# Profiles as people see them: explained, compiled, compared.

load helper

setup() {
	DATA=$BATS_TEST_DIRNAME/../../profiles/data
	cd "$BATS_TEST_TMPDIR" || return
}

# report PYTHON: an expression over the report in $output
report() {
	python3 -c '
import json, sys
r = json.load(sys.stdin)
sys.exit(0 if eval("(" + sys.argv[1] + ")") else "%s: %s" % (sys.argv[1], r))
' "$1" <<<"$output"
}

# edit NAME FROM TO: a shipped profile with one edit, in NAME.yaml
edit() {
	FROM=$2 TO=$3 python3 - "$DATA/$1.yaml" >"$1.yaml" <<-'END'
	import os, sys
	text = open(sys.argv[1], encoding="utf-8").read()
	assert os.environ["FROM"] in text
	print(text.replace(os.environ["FROM"], os.environ["TO"]), end="")
	END
}

@test "every shipped profile is explained and well-formed" {
	run --separate-stderr ca-tool profile check "$DATA"/*.yaml
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[ "${#lines[@]}" -eq "$(find "$DATA" -name '*.yaml' | wc -l)" ]
	for file in "$DATA"/*.yaml; do
		name=$(basename "$file" .yaml)
		run --separate-stderr ca-tool profile show "$name"
		[ "$status" -eq 0 ]
		[ "${lines[0]}" = "Profile $name" ]
		[ -z "$stderr" ]
	done
}

@test "show, in words and as JSON" {
	run --separate-stderr ca-tool profile show issuing-ca
	[ "$status" -eq 0 ]
	[[ $output == *"that may issue no further CAs"* ]]
	[[ $output == *"keyCertSign, cRLSign"* ]]
	[[ $output == *"TLS Web Server Authentication"* ]]
	run --separate-stderr ca-tool profile show --json client
	[ "$status" -eq 0 ]
	report 'r["profile"] == "client" and r["kind"] == "end-entity"'
	report '{"attribute": "common-name", "required": True, "from": "csr"} in r["needs"]["subject"]'
	report 'any(s["key"] == "extensions.key-usage" for s in r["says"])'
	[ "$(sha256sum <"$DATA/client.yaml")" = "$(python3 -c '
import json, sys
print(json.load(sys.stdin)["sha256"])' <<<"$output")  -" ]
}

@test "a name is the authority's profile before a shipped one" {
	mkdir -p here/profiles
	sed 's/^title: .*/title: Our own root/' "$DATA/root.yaml" \
		>here/profiles/root.yaml
	run ca-tool profile show -d here root
	[ "$status" -eq 0 ]
	[[ $output == *"Our own root"* ]]
	run --separate-stderr ca-tool profile show -d here client
	[ "$status" -ne 0 ]
	[[ $stderr == *"there is no profile 'client'"* ]]
	cd here
	run ca-tool profile show root
	[[ $output == *"Our own root"* ]]
	run ca-tool profile show client
	[ "$status" -eq 0 ]
}

@test "all that is wrong, each with place, rule and source" {
	edit issuing-ca "[server-auth, client-auth]" "[server-auth, ocsp-signing]"
	edit root "kind: root" "kind: leaf"
	cp "$DATA/client.yaml" .
	run --separate-stderr ca-tool profile check issuing-ca.yaml root.yaml \
		client.yaml missing.yaml
	[ "$status" -eq 3 ]
	[[ $stderr == *"issuing-ca.yaml:"*"SUB-NO-OCSPSIGNING; "*"RFC 6960 4.2.2.2"* ]]
	[[ $stderr == *"root.yaml:"*"PROFILE-KIND"* ]]
	[[ $stderr == *"missing.yaml"*"PROFILE-FILE"* ]]
	[[ $stderr == *"3 of 4 profiles are refused"* ]]
	[[ $output == "client.yaml: profile 'client' is well-formed"* ]]
	run --separate-stderr ca-tool profile check --json issuing-ca.yaml \
		client.yaml
	[ "$status" -eq 3 ]
	report '[p["good"] for p in r["profiles"]] == [False, True]'
	report 'r["findings"][0]["id"] == "SUB-NO-OCSPSIGNING"'
}

@test "what is acknowledged is shown, and a MUST cannot be" {
	edit issuing-ca-tls "extensions:" "allow-lint:
  - {id: SUB-LIFE-3Y, reason: the offline root meets once in four years}
extensions:"
	sed -i 's/1095d/1461d/' issuing-ca-tls.yaml
	run --separate-stderr ca-tool profile show ./issuing-ca-tls.yaml
	[ "$status" -eq 0 ]
	output=$(tr -s ' \n' ' ' <<<"$output") # lines are wrapped
	[[ $output == *"the offline root meets once in four years"* ]]
	[[ $stderr == *"notice: "*"acknowledged: "*"SUB-LIFE-3Y"* ]]
	edit issuing-ca-tls "extensions:" "allow-lint:
  - {id: SUB-NO-OCSPSIGNING, reason: we want it}
extensions:"
	run --separate-stderr ca-tool profile check issuing-ca-tls.yaml
	[ "$status" -eq 3 ]
	[[ $stderr == *"MUST NOT rule"*"nothing overrides"* ]]
}

@test "diff" {
	run --separate-stderr ca-tool profile diff root root
	[ "$status" -eq 0 ]
	[[ $output == *"They say the same."* ]]
	edit root "[p-256, p-384, p-521, rsa-3072, rsa-4096]" \
		"[rsa-4096, rsa-3072, p-521, p-384, p-256]"
	run ca-tool profile diff "$DATA/root.yaml" ./root.yaml # no order
	[[ $output == *"They say the same."* ]]
	sed 's/#.*//' "$DATA/root.yaml" >bare.yaml
	run ca-tool profile diff root bare.yaml
	[[ $output == *"They say the same."* ]]
	edit root "crl-sign]" "crl-sign, digital-signature]"
	run --separate-stderr ca-tool profile diff "$DATA/root.yaml" ./root.yaml
	[ "$status" -eq 0 ]
	[[ $output == *"extensions.key-usage"* ]]
	[[ $output == *"+ the key is for digitalSignature, keyCertSign"* ]]
	[[ $output != *"validity"* ]]
	run --separate-stderr ca-tool profile diff --json root ca-crl
	[ "$status" -eq 0 ]
	report 'any(d["key"] == "keys" and d["second"] is None for d in r["differences"])'
	report 'any(d["key"] == "covers" and d["first"] is None for d in r["differences"])'
}

@test "what cannot be read is refused, and named" {
	mkfifo pipe
	mkdir dir.yaml
	: >empty.yaml
	head -c 2000000 /dev/zero >large.yaml
	for name in pipe dir.yaml empty.yaml large.yaml; do
		run --separate-stderr ca-tool profile check "$name"
		[ "$status" -eq 3 ]
		[[ $stderr == *"$name"* ]]
	done
	run ca-tool profile show ./no-such.yaml
	[ "$status" -ne 0 ]
	ln -s loop2.yaml loop.yaml
	ln -s loop.yaml loop2.yaml
	ln -s nowhere.yaml dangling.yaml
	truncate -s 10G sparse.yaml
	head -c 4000 /dev/urandom >binary.yaml
	for name in loop.yaml dangling.yaml sparse.yaml binary.yaml pipe; do
		for command in "show $name" "check $name" "diff root $name"; do
			# shellcheck disable=SC2086 # words
			run --separate-stderr timeout 20 "$CA_TOOL" \
				profile $command </dev/null
			[ "$status" -eq 3 ]
			[[ $stderr == *"$name"* ]]
			[[ $stderr != *"there is no"* ]]
		done
	done
	run --separate-stderr ca-tool profile show no-such.yaml
	[[ $stderr == *"there is no file 'no-such.yaml'"* ]]
	run --separate-stderr ca-tool profile show no-such
	[[ $stderr == *"give a file, such as './no-such.yaml'"* ]]
	run ca-tool profile diff root
	[ "$status" -eq 2 ]
}
