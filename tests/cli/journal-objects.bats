#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031
# What an audit says of keys, certificates, CRLs and published files of a real
# authority, when an administrator with programs of their own has changed one
# of them and made entries, hashes and tables fit again.

load ceremony-helper

FORGE=$BATS_TEST_DIRNAME/../tamper/forge.py

# A root, an issuing CA and three CRLs; the second has an entry.
setup_file() {
	base_authority
	A=$BASE
	local serial
	serial=$(serial "$A/public/certs/issuing-g1.pem")
	{
		step_revoke root-g1 "$serial" superseded
		step_list crl-2 root-g1
	} | run_plan second
	step_list crl-3 root-g1 | run_plan third
	cp "$A/public/anchor/anchor.txt" "$BATS_FILE_TMPDIR/anchor.txt"
}

setup() {
	ANCHOR=$BATS_FILE_TMPDIR/anchor.txt
	copy_authority
}

verify() {
	ca-tool journal verify --anchor "$ANCHOR" \
		--work "$BATS_TEST_TMPDIR" "$A" --json
}

# found ID [PART]: the audit has this finding, with PART in place or text.
found() {
	local report
	report=$(verify 2> /dev/null) && {
		echo "nothing is wrong: $report"
		return 1
	}
	python3 -c '
import json, sys
_, report, wanted, part = sys.argv
rows = [r for r in json.loads(report)["findings"] if r["id"] == wanted]
sys.exit(not any(part in r["place"] or part in r["text"] for r in rows))
' "$report" "$1" "${2-}" || {
		echo "no $1 with '${2-}': $report"
		return 1
	}
}

# number PYTHON: the number of an entry.
number() {
	journal "[e['seq'] for e in E if $1][0]"
}

forge() {
	must python3 "$FORGE" -d "$A" "$@" fix
}

# evidence NAME: the SHA-256 of an object.
evidence() {
	journal "[d['sha256'] for d in D('result') if d['name'] == '$1'][0]"
}

# A CA that nobody asked: the root's name, with a key of its own.
second_ca() {
	openssl req -new -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 \
		-noenc -keyout second.key -out second.pem -days 3650 \
		-subj '/C=DE/O=Example Trust/CN=Example root-g1' 2> /dev/null
}

# Its CRL, without an entry, as the root would have written it.
second_crl() { # OUT
	: > index.txt
	echo 03 > number
	cat > ca.cnf <<-EOF
	[ca]
	default_ca = second
	[second]
	database = index.txt
	crlnumber = number
	certificate = second.pem
	private_key = second.key
	default_md = sha256
	default_crl_days = 30
	crl_extensions = extensions
	[extensions]
	authorityKeyIdentifier = keyid
	EOF
	openssl ca -config ca.cnf -gencrl -out second.crl.pem 2> /dev/null
	openssl crl -in second.crl.pem -outform DER -out "$1"
}

@test "an authority that nobody has touched" {
	must verify
}

@test "published files: altered, missing, stray" {
	echo >> "$A/public/certs/root-g1.pem"
	found AUDIT-PUBLIC-ALTERED certs/root-g1.pem
	rm "$A/public/crls/crl-2.crl"
	found AUDIT-PUBLIC-MISSING crls/crl-2.crl
	cp "$A/public/certs/root-g1.der" "$A/public/certs/other.der"
	found AUDIT-PUBLIC-STRAY certs/other.der
}

@test "files anywhere in public/ that nobody published" {
	echo x > "$A/public/index.html"
	found AUDIT-PUBLIC-STRAY index.html
	echo x > "$A/public/journal/other"
	found AUDIT-PUBLIC-STRAY journal/other
	echo x > "$A/public/anchor/mallory.sign.crt"
	found AUDIT-PUBLIC-STRAY anchor/mallory.sign.crt
}

@test "an export with files that nobody published" {
	ca-tool journal export -d "$A" new 2> /dev/null
	A=new
	must verify
	echo x > new/anchor/mallory.cms
	found AUDIT-PUBLIC-STRAY anchor/mallory.cms
	echo x > new/journal/other
	found AUDIT-PUBLIC-STRAY journal/other
	echo other > new/journal/checkpoint
	found AUDIT-CHECKPOINT-FILE journal/checkpoint
}

@test "published files: links, pipes and directories are not followed" {
	mv "$A/public/certs/root-g1.pem" away
	ln -s ../../../away "$A/public/certs/root-g1.pem"
	found AUDIT-PUBLIC-ALTERED certs/root-g1.pem
	rm "$A/public/certs/issuing-g1.der"
	mkfifo "$A/public/certs/issuing-g1.der"
	found AUDIT-PUBLIC-ALTERED certs/issuing-g1.der
	rm "$A/public/crls/crl-2.pem"
	mkdir "$A/public/crls/crl-2.pem"
	found AUDIT-PUBLIC-ALTERED crls/crl-2.pem
}

@test "the anchor's files" {
	echo other > "$A/public/anchor/anchor.txt"
	found AUDIT-PUBLIC-ALTERED anchor/anchor.txt
	echo other > "$A/public/anchor/op.cms"
	found AUDIT-PUBLIC-ALTERED anchor/op.cms
	cat "$A/public/certs/root-g1.pem" >> "$A/public/anchor/op.sign.crt"
	found AUDIT-PUBLIC-ALTERED anchor/op.sign.crt
	rm "$A/public/anchor/journal-key.pem"
	found AUDIT-PUBLIC-MISSING anchor/journal-key.pem
}

@test "proofs: missing, another's, altered" {
	rm "$A/public/certs/root-g1.tlog-proof"
	found AUDIT-PROOF certs/root-g1
	cp "$A/public/crls/crl-2.tlog-proof" "$A/public/crls/crl-3.tlog-proof"
	found AUDIT-PROOF crls/crl-3
	sed -i 's/^index .*/index 3/' "$A/public/certs/issuing-g1.tlog-proof"
	found AUDIT-PROOF certs/issuing-g1
}

@test "a key that could leave the token, or was not made in it" {
	local n
	n=$(number 'e["kind"] == "key" and e["data"]["name"] == "root-g1"')
	forge set "$n" data.attributes.CKA_EXTRACTABLE true
	found AUDIT-KEY CKA_EXTRACTABLE
	forge set "$n" data.attributes.CKA_LOCAL false
	found AUDIT-KEY CKA_LOCAL
}

@test "a key that serves another purpose" {
	local n
	n=$(number 'e["kind"] == "key-intent" and
		e["data"]["name"] == "root-g1"')
	forge set "$n" data.purpose ocsp
	found AUDIT-KEY-PURPOSE root-g1
}

@test "an intent that says something else than the certificate" {
	local n
	n=$(number 'e["kind"] == "intent" and
		e["data"]["name"] == "issuing-g1"')
	forge set "$n" data.not_after 2050-01-01T00:00:00Z
	found AUDIT-FACTS not_after
	forge set "$n" data.profile ocsp-responder
	found AUDIT-PROFILE issuing-g1
}

@test "a certificate by a second CA" {
	second_ca
	openssl x509 -req -in partner.csr -CA second.pem -CAkey second.key \
		-set_serial 0x4b4c4d4e4f50515253 -days 100 -outform DER \
		-out forged.der 2> /dev/null
	forge evidence-replace "$(evidence issuing-g1)" forged.der
	found AUDIT-SIGNATURE
}

@test "a CRL by a second CA that drops an entry" {
	second_ca
	second_crl forged.der
	forge evidence-replace "$(evidence crl-3)" forged.der
	found AUDIT-SIGNATURE crl
	found AUDIT-FACTS entries
	found AUDIT-CRL-MISSING crl-3
	found AUDIT-PROFILE
}

@test "an older CRL in place of the newest" {
	local n
	n=$(number 'e["kind"] == "result" and e["data"]["name"] == "crl-3"')
	forge set "$n" data.sha256 "$(journal '[d["sha256"] for d in
		D("result") if d["name"] == "root-g1"][-1]')"
	found AUDIT-SIGNATURE to-be-signed
	found AUDIT-CRL-NUMBER crl-3
	found AUDIT-CRL-DROPPED crl-3
}

@test "a revocation that was taken out, or changed" {
	local n
	n=$(number 'e["kind"] == "revoked"')
	forge set "$n" data.reason keyCompromise
	found AUDIT-CRL-ENTRY reason
	forge delete "$n"
	found AUDIT-CRL-ENTRY "no entry"
}

@test "a list of published files that names another" {
	local hash
	hash=$(journal 'D("close")[0]["files"]')
	echo '[{"path":"public/certs/other.pem","sha256":"'"$hash"'"}]' |
		tr -d '\n' > forged.json
	forge evidence-replace "$hash" forged.json
	found AUDIT-FILES
	found AUDIT-PUBLIC-MISSING certs/other.pem
}

# A run that was cut off in C_Sign, and went on.
cut_off_run() {
	rm -r "$A"
	shim_authority
	cp "$A/public/anchor/anchor.txt" anchor.txt
	ANCHOR=$PWD/anchor.txt
	{ step_key root-g1; step_root root-g1; } | run_plan root 2> /dev/null
	{
		step_subordinate one root-g1 'csr: partner.csr'
		step_list l1 root-g1
	} | plan p > "$P"
	orders 'kill-after C_Sign 1'
	run ca-tool-pin plan run -d "$A" "$P" --yes
	[ "$status" -ne 0 ]
	orders
	must resume
	must verify
}

@test "what is possibly signed: another serial, or known not to be signed" {
	local serial n
	cut_off_run
	cp -a "$A" honest
	serial=4f$(printf '11%.0s' {1..19})
	n=$(number 'e["kind"] == "revoked"')
	forge set "$n" data.serial "$serial"
	n=$(number 'e["kind"] == "intent" and e["data"]["name"] == "one"')
	forge set "$n" data.serial "$serial"
	found AUDIT-FACTS "'serial' of 'one'"
	rm -r "$A"
	cp -a honest "$A"
	n=$(number 'e["kind"] == "failed"')
	forge set "$n" data.possibly_signed false
	found AUDIT-FAILED one
}
