#!/usr/bin/env bats
# shellcheck disable=SC2154 # stderr is set by run --separate-stderr
# The linter as people and scripts see it: what it reads, finds and refuses.
# What each lint finds is tests/lint.

load helper

setup_file() {
	python3 -B "$BATS_TEST_DIRNAME/../lint/run.py" \
		--write "$BATS_FILE_TMPDIR/base"
}

setup() {
	BASE=$BATS_FILE_TMPDIR/base
	cd "$BATS_TEST_TMPDIR" || return
}

# pem LABEL FILE
pem() {
	printf -- '-----BEGIN %s-----\n' "$1"
	base64 "$2"
	printf -- '-----END %s-----\n' "$1"
}

# Flip the last octet of a file: the signature's.
garble() {
	local size
	size=$(stat -c %s "$1")
	printf '\xff\xff' | dd of="$1" bs=1 seek=$((size - 2)) conv=notrunc \
		status=none
}

# report PYTHON: an expression over the report in $output
report() {
	python3 -c '
import json, sys
r = json.load(sys.stdin)
sys.exit(0 if eval("(" + sys.argv[1] + ")") else "%s: %s" % (sys.argv[1], r))
' "$1" <<<"$output"
}

# A file that cannot be read: what is said of it, and the next is still linted.
unreadable() {
	run --separate-stderr timeout 60 "$CA_TOOL" lint "$1" "$BASE/root.der"
	[ "$status" -eq 3 ]
	[[ $output == *"$1: error: "*"$2"*"[LINT-READ]"* ]]
	[[ $output == *"2 objects: "[12]" error"* ]]
	[[ $stderr == *"1 of 2 objects is wrong"* ]]
}

@test "a clean object, DER and PEM: exit status 0" {
	run --separate-stderr ca-tool lint "$BASE/leaf.der" \
		--issuer "$BASE/tls_sub.der" --ruleset cabf-tls
	[ "$status" -eq 0 ]
	[ "$output" = "1 object: 0 errors, 0 warnings, 0 notices" ]
	[ -z "$stderr" ]
	pem CERTIFICATE "$BASE/leaf.der" > leaf.pem
	run ca-tool lint leaf.pem --issuer "$BASE/tls_sub.der"
	[ "$status" -eq 0 ]
	run ca-tool lint - < leaf.pem
	[ "$status" -eq 0 ]
	run ca-tool lint - < "$BASE/leaf.der"
	[ "$status" -eq 0 ]
}

@test "a signature that was forged is found, with place and clause" {
	cp "$BASE/leaf.der" forged.der
	garble forged.der
	run --separate-stderr ca-tool lint forged.der --signing \
		--issuer "$BASE/tls_sub.der"
	[ "$status" -eq 3 ]
	[[ $output == "forged.der"*"error: "*"[ALG-SIG-ISSUER-MATCH; "* ]]
	[[ $stderr == "ca-tool: 1 of 1 object is wrong" ]]
	run --separate-stderr ca-tool lint forged.der \
		--issuer "$BASE/tls_sub.der"
	[[ $output == "forged.der"*"[ALG-SIG-ISSUER-MATCH; "* ]]
}

@test "an issuer that is not the object's is found out" {
	run ca-tool lint "$BASE/leaf.der" --issuer "$BASE/cs_ca.der"
	[ "$status" -eq 3 ]
	[[ $output == *"FLD-ISSUER-BYTES"* ]]
}

@test "of several issuers, each object gets its own" {
	cat <(pem CERTIFICATE "$BASE/root.der") \
		<(pem CERTIFICATE "$BASE/cs_root.der") > roots.pem
	run ca-tool lint "$BASE"/{root,tls_sub,leaf,precert,crl_ca,crl_ee}.der \
		"$BASE"/{ocsp_good,ocsp_ca}.der --ruleset cabf-tls \
		--issuer roots.pem --issuer "$BASE/tls_sub.der"
	[ "$status" -eq 0 ]
	[[ $output == "8 objects: 0 errors, 0 warnings, 0 notices" ]]
}

@test "an issuer of another key is found out among several" {
	cp "$BASE/leaf.der" forged.der
	garble forged.der
	run ca-tool lint "$BASE/leaf.der" forged.der \
		--issuer "$BASE/root.der" --issuer "$BASE/tls_sub.der"
	[[ $output != *"leaf.der"* ]]
	[[ $output == *"forged.der"* ]]
}

@test "a bundle: all blocks, text and keys between them passed over" {
	{
		echo "subject: somebody"
		pem CERTIFICATE "$BASE/leaf.der"
		echo "more text -----BEGIN NOTHING"
		pem "PRIVATE KEY" "$BASE/csr.der"
		pem "X509 CRL" "$BASE/crl_ee.der"
		pem "CERTIFICATE REQUEST" "$BASE/csr.der"
		pem "OCSP RESPONSE" "$BASE/ocsp_good.der"
	} > bundle.pem
	run ca-tool lint --json bundle.pem
	[ "$status" -eq 0 ]
	report '[o["kind"] for o in r["objects"]] ==
		["certificate", "crl", "csr", "ocsp-response"]'
	report '[o["index"] for o in r["objects"]] == [1, 2, 3, 4]'
	report 'all(o["file"] == "bundle.pem" for o in r["objects"])'
}

@test "a bad block is named, and those behind it are still linted" {
	{
		pem CERTIFICATE "$BASE/root.der"
		pem CERTIFICATE "$BASE/root.der" | sed '3s/^....../!!!!!!/'
		pem CERTIFICATE "$BASE/root.der"
	} > bundle.pem
	run ca-tool lint bundle.pem
	[ "$status" -eq 3 ]
	[[ $output == *"bundle.pem, block 2: error: the PEM block that begins at octet "*"is damaged"* ]]
	[[ $output == *"3 objects: 1 error"* ]]
	pem CERTIFICATE "$BASE/root.der" | head -n 5 > half.pem
	run ca-tool lint half.pem
	[ "$status" -eq 3 ]
	[[ $output == *"half.pem: error: the PEM block that begins at octet 0 has no end"* ]]
}

@test "a directory: all files, in order; what is no object is passed over" {
	mkdir -p d/b d/a
	cp "$BASE/root.der" d/b/two.der
	cp "$BASE/leaf.der" d/a/one.der
	ln -s ../b/two.der d/a/link.der
	ln -s .. d/a/up
	echo hello > d/README
	mkfifo d/fifo
	run --separate-stderr ca-tool lint --json d
	[ "$status" -eq 0 ]
	report '[o["file"] for o in r["objects"]] ==
		["d/a/link.der", "d/a/one.der", "d/b/two.der"]'
	report 'r["skipped"] == ["d/README"]'
	run --separate-stderr ca-tool lint -v d
	[[ $output == *"d/README: no object in it"* ]]
	[[ $output == *"1 file without an object passed over"* ]]
	: > d/empty.der
	run --separate-stderr ca-tool lint d
	[ "$status" -eq 3 ]
	[[ $output == *"d/empty.der: error: the file is empty"* ]]
}

@test "an empty directory is no success" {
	mkdir d
	run ca-tool lint d
	refused 3 "nothing was linted"
}

@test "a directory without rights" {
	[ "$(id -u)" -ne 0 ] || skip "root may read everything"
	mkdir d
	chmod 0 d
	run ca-tool lint d "$BASE/root.der"
	[ "$status" -eq 3 ]
	[[ $output == *"d: error: cannot read 'd': Permission denied"* ]]
}

@test "what cannot be read is said with file and octet" {
	: > empty
	unreadable empty "the file is empty"
	mkfifo fifo
	unreadable fifo "it is not a regular file"
	unreadable /dev/zero "it is not a regular file"
	ln -s loop loop
	unreadable loop "its symbolic links lead in a circle"
	unreadable gone "it does not exist"
	ln -s gone dangling
	unreadable dangling "it does not exist"
	echo hello > text
	unreadable text "it is neither DER (octet 0 is 0x68, not 0x30) nor PEM"
	head -c 300 "$BASE/leaf.der" > half
	unreadable half "the file is cut off: it ends at octet 300, and the element that begins at octet 0 needs "
	truncate -s 10G sparse
	unreadable sparse "the file holds 10737418240 octets"
	printf '\x30\x03\x02\x01\x05' > other
	unreadable other "neither a certificate, a CRL"
	pem "PRIVATE KEY" "$BASE/csr.der" > key.pem
	unreadable key.pem "no block of it is a certificate"
}

@test "octets behind an object are found" {
	cat "$BASE/root.der" "$BASE/root.der" > twice.der
	run ca-tool lint twice.der
	[ "$status" -eq 3 ]
	[[ $output == *"twice.der"*"error: "*"[FLD-DER-STRICT"* ]]
}

@test "a name with a line break or escapes steers no terminal" {
	local name=$'a\nb\e[31m'
	echo hello > "$name"
	run ca-tool lint "./$name"
	[ "$status" -eq 3 ]
	[[ $output != *$'\e'* ]]
	[[ $output != *$'a\nb'* ]]
	echo hello > $'\xff'
	run --separate-stderr ca-tool lint --json $'./\xff'
	report 'len(r["objects"]) == 1'
}

@test "the report: findings, summary, version" {
	cp "$BASE/leaf.der" forged.der
	garble forged.der
	run --separate-stderr ca-tool lint --json "$BASE/leaf.der" forged.der \
		--signing --issuer "$BASE/tls_sub.der"
	[ "$status" -eq 3 ]
	report 'r["ok"] is False and r["error"] == "1 of 2 objects is wrong"'
	report 'r["objects"][0]["findings"] == []'
	report 'set(r["objects"][0]) == {"file", "index", "kind", "subjects",
		"rulesets", "findings", "complete"}'
	report 'r["objects"][0]["subjects"] == ["leaf"]'
	report 'r["objects"][0]["rulesets"] ==
		["rfc5280", "private", "cabf-tls"]'
	report 'sum(s["count"] for s in r["summary"]) ==
		len(r["objects"][1]["findings"]) > 0'
	report 'all({"id", "severity", "place", "text", "source"} <= set(f)
		for f in r["objects"][1]["findings"])'
	report '"public suffix list" in r["version"]'
}

@test "rulesets: claimed by policies, or named" {
	run ca-tool lint --json "$BASE/root.der"
	report 'r["objects"][0]["rulesets"] == ["rfc5280"]'
	run ca-tool lint --json "$BASE/root.der" --ruleset cabf-tls,cabf-smime \
		--ruleset private
	report 'set(r["objects"][0]["rulesets"]) ==
		{"rfc5280", "private", "cabf-tls", "cabf-smime"}'
	run ca-tool lint "$BASE/root.der" --ruleset webtrust
	refused 2 "'webtrust' is none of rfc5280, private, cabf-tls"
}

@test "kinds and times" {
	run ca-tool lint --json "$BASE/root.der" --kind leaf
	report 'r["objects"][0]["subjects"] == ["leaf"]'
	run ca-tool lint "$BASE/root.der" --kind certificate
	refused 2 "option '--kind': 'certificate' is none of root"
	run ca-tool lint "$BASE/root.der" --at yesterday
	refused 2 "option '--at': 'yesterday' is no time"
	run ca-tool lint "$BASE/root.der" --ruleset cabf-tls \
		--at 2026-10-10T12:00:00Z
	[ "$status" -eq 0 ]
	run ca-tool lint "$BASE/root.der" --ruleset cabf-tls \
		--at 2026-11-10T12:00:00Z
	[ "$status" -eq 3 ]
	[[ $output == *"ROOT-NOTBEFORE"* ]]
}

@test "a CRL beside the one before it" {
	run ca-tool lint "$BASE/crl_ee.der" --ruleset cabf-tls --kind crl-ee \
		--issuer "$BASE/tls_sub.der" --previous "$BASE/crl_empty.der"
	[[ $output != *"CRL-NUMBER-STRICT"* ]]
	run ca-tool lint "$BASE/crl_empty.der" --ruleset cabf-tls --kind crl-ee \
		--issuer "$BASE/tls_sub.der" --previous "$BASE/crl_ee.der"
	[ "$status" -eq 3 ]
	[[ $output == *"CRL-NUMBER-STRICT"* ]]
}

@test "a key on the block list" {
	openssl x509 -inform DER -in "$BASE/leaf.der" -noout -pubkey |
		openssl pkey -pubin -outform DER | sha256sum | cut -c1-64 > list
	run ca-tool lint "$BASE/leaf.der" --blocklist list
	[ "$status" -eq 3 ]
	[[ $output == *"KEY-KNOWN-COMPROMISED"* ]]
	printf '# none\n\n%064d\n' 0 > list
	run ca-tool lint "$BASE/leaf.der" --blocklist list
	[ "$status" -eq 0 ]
	echo 1234 >> list
	run ca-tool lint "$BASE/leaf.der" --blocklist list
	[ "$status" -eq 3 ]
	[[ $output == *"list"*"4"* ]]
}

@test "what is beside the objects must be right: nothing is linted" {
	run ca-tool lint "$BASE/leaf.der" --issuer gone.pem
	refused 3 "it does not exist"
	run ca-tool lint "$BASE/leaf.der" --issuer "$BASE/crl_ca.der"
	refused 3 "option '--issuer'"
	run ca-tool lint "$BASE/leaf.der" --existing "$BASE/csr.der"
	refused 3 "option '--existing'"
	run ca-tool lint "$BASE/crl_ee.der" --previous "$BASE/leaf.der"
	refused 3 "option '--previous'"
	cat <(pem CERTIFICATE "$BASE/root.der") \
		<(pem CERTIFICATE "$BASE/leaf.der") > two.pem
	run ca-tool lint "$BASE/cross.der" --existing two.pem
	refused 3 "holds 2 objects; give one"
	run ca-tool lint "$BASE/leaf.der" --blocklist gone
	refused 3 "it does not exist"
}

@test "usage" {
	run ca-tool lint
	refused 2 "a file is missing"
	run ca-tool lint --list x
	refused 2 "'--list' takes no files"
}

@test "--list shows each rule once, with its source" {
	run --separate-stderr ca-tool lint --list
	[ "$status" -eq 0 ]
	[[ $output == *"FLD-SERIAL-POSITIVE  MUST  ("*"RFC 5280 4.1.2.2"* ]]
	run --separate-stderr ca-tool lint --list --json
	report 'len({l["id"] for l in r["lints"]}) == len(r["lints"]) > 100'
	report 'all(l["rulesets"] and l["source"] for l in r["lints"])'
}

@test "many objects are told in their order" {
	local i
	mkdir many
	for i in $(seq -w 400); do
		ln "$BASE/root.der" "many/$i"
	done
	run --separate-stderr ca-tool lint --json many
	[ "$status" -eq 0 ]
	report '[o["file"] for o in r["objects"]] ==
		["many/%03d" % i for i in range(1, 401)]'
}
