#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031 # each test is a subshell
# The life of a CA: taken over or made here, active, retiring, retired,
# destroyed; what it may do in each, and ca list.

load ceremony-helper
load foreign-helper

setup_file() {
	export BASE=$BATS_FILE_TMPDIR/base
	export BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR
	make_authority "$BASE"
	A=$BASE
	first_ceremony "$BASE"
	cd "$BATS_FILE_TMPDIR" || return
	make_request client
	{
		step_leaf client-1 client.csr
		step_list issuing-g1-1 issuing-g1
	} | run_plan client
}

setup() {
	copy_authority
	cp "$BATS_FILE_TMPDIR"/client.* .
	make_request second
	make_request responder
}

step_leaf() { # NAME CSR [ISSUER]
	cat <<-EOF
	- end-entity:
	    name: $1
	    issuer: ${3:-issuing-g1}
	    csr: $2
	    profile: client
	    validity: 30d
	    subject:
	      country: DE
	      organization: Example Trust
	EOF
}

step_state() { # KEY STATE [SUCCESSOR]
	cat <<-EOF
	- ca-state:
	    key: $1
	    state: $2
	    why: a test
	    ${3:+successor: $3}
	EOF
}

step_destroy() { # KEY
	echo "- destroy-key: { key: $1, why: a test }"
}

serial_of() { # NAME
	openssl x509 -in "$A/public/certs/$1.pem" -noout -serial | cut -d= -f2
}

# check_refused ID...: plan check refuses the plan on stdin, with these ids.
check_refused() {
	plan refused > "$P"
	nothing_signed ca-tool plan check -d "$A" "$P"
	refused 3
	finding "$@"
}

# listed PYTHON: an expression over ca list --json is true.  CA(key): its row.
listed() {
	ca-tool ca list -d "$A" --json > cas.json
	python3 -c '
import json, sys
R = json.load(open("cas.json"))["cas"]
def CA(key):
    return next(c for c in R if c["key"] == key)
sys.exit(not eval("(" + sys.argv[1] + ")"))' "$1" || {
		echo "ca list does not say: $1"
		cat cas.json
		return 1
	}
}

verified() {
	ca-tool journal verify --anchor "$A/public/anchor/anchor.txt" "$A"
}

rolled_over() {
	{
		step_key issuing-g2
		step_subordinate issuing-g2 root-g1 'key: issuing-g2'
		step_state issuing-g1 retiring issuing-g2
	} | run_plan rollover
}

# Everything revoked, the last CRL, retired: in one plan.
retired() {
	must rolled_over
	{
		step_revoke issuing-g1 "$(serial_of client-1)" superseded
		step_list last issuing-g1
		step_state issuing-g1 retired
	} | run_plan retire
}

@test "ca list: state, certificates, CRLs, counts, what is due" {
	run ca-tool ca list -d "$A"
	[ "$status" -eq 0 ]
	[[ ${lines[0]} == KEY*STATE*TYPE*BACKUP*ORIGIN ]]
	[[ $output =~ issuing-g1\ +active\ +p-256\ +none\ +made\ here ]]
	[[ $output == *"1 certificate, 1 in force"* ]]
	[[ $output == *"number 1 ('issuing-g1-1'), 0 entries"* ]]
	no_escapes
	listed 'len(R) == 2 and all(c["state"] == "active" for c in R)'
	listed 'CA("root-g1")["issued"] == 1 and CA("root-g1")["current"] == 1'
	listed 'CA("issuing-g1")["crls"][0]["number"] == 1'
	listed 'CA("issuing-g1")["certificates"][0]["name"] == "issuing-g1"'
	listed 'CA("issuing-g1")["due"] == []'
	# Revoked, and on no CRL yet.
	must run_plan revoke <<< "$(step_revoke issuing-g1 \
		"$(serial_of client-1)" keyCompromise)"
	listed 'CA("issuing-g1")["revoked"] == 1 and
		CA("issuing-g1")["current"] == 0 and
		CA("issuing-g1")["unlisted"] == 1 and
		any("on no CRL yet" in d for d in CA("issuing-g1")["due"])'
}

@test "ca list: without a CA, and with clocks that are late" {
	make_authority "$BATS_TEST_TMPDIR/empty"
	run ca-tool ca list -d "$BATS_TEST_TMPDIR/empty"
	[ "$status" -eq 0 ]
	[[ $output == "No key of a CA"* ]]
	run no_leaks faketime -f +170d "$CA_TOOL" ca list -d "$A"
	[[ $output == *"the next CRL, behind 'issuing-g1-1', by "* ]]
	run no_leaks faketime -f +200d "$CA_TOOL" ca list -d "$A"
	[[ $output == *"CRL 'issuing-g1-1' ended on "* ]]
	run no_leaks faketime -f +1700d "$CA_TOOL" ca list -d "$A"
	[[ $output == *"certificate 'issuing-g1' expires on "* ]]
	run no_leaks faketime -f +1900d "$CA_TOOL" ca list -d "$A"
	[[ $output == *"certificate 'issuing-g1' expired on "* ]]
}

@test "rollover: G2 issues, G1 only says what it revoked" {
	must rolled_over
	says 'D("state")[-1]["state"] == "retiring" and
		D("state")[-1]["successor"] == "issuing-g2"'
	listed 'CA("issuing-g1")["state"] == "retiring" and
		CA("issuing-g1")["successor"] == "issuing-g2" and
		CA("issuing-g2")["state"] == "active"'
	# It issues nothing.
	check_refused CA-STATE <<< "$(step_leaf no second.csr)"
	[[ $output == *"retiring"*"take its successor"* ]]
	step_subordinate no issuing-g1 'csr: partner.csr' | check_refused CA-STATE
	# It signs what clients of its certificates need.
	must run_plan status <<-EOF
	$(step_revoke issuing-g1 "$(serial_of client-1)" keyCompromise)
	$(step_list issuing-g1-2 issuing-g1)
	$(step_ocsp responder-1 issuing-g1 'csr: responder.csr' 30d)
	EOF
	openssl crl -in "$A/public/crls/issuing-g1-2.pem" -noout \
		-CAfile "$A/public/certs/issuing-g1.pem"
	# And the other issues.
	must run_plan next <<< "$(step_leaf client-2 second.csr issuing-g2)"
	sound
	must verified
}

@test "a state is never given twice, nor back, nor to what is no CA" {
	must rolled_over
	step_state issuing-g1 retiring | check_refused CA-STATE
	step_state issuing-g1 active | check_refused CA-STATE-NAME
	step_state issuing-g1 destroyed | check_refused CA-STATE-NAME
	step_state issuing-g2 retiring issuing-g2 | check_refused CA-SUCCESSOR
	step_state issuing-g2 retiring issuing-g1 | check_refused CA-STATE
	step_state issuing-g2 retiring absent | check_refused KEY-MISSING
	step_state issuing-g2 retired root-g1 | check_refused CA-SUCCESSOR
	step_state absent retiring | check_refused KEY-MISSING
	step_state journal retiring | check_refused KEY-PURPOSE
	step_state issuing-g2 retiring | sed 's/why:.*/why: " "/' |
		check_refused WHY
}

@test "within a plan: what is behind the new state is refused by it" {
	{
		step_state issuing-g1 retiring
		step_leaf no second.csr
	} | check_refused CA-STATE
	# And what is before it is signed before.
	{
		step_leaf client-2 second.csr
		step_state issuing-g1 retiring
	} | must run_plan before
	says 'K("result")[-1]["seq"] < K("state")[-1]["seq"]'
	must verified
}

@test "refused: to retire a CA whose certificates are in force" {
	check_refused CA-IN-FORCE <<< "$(step_state issuing-g1 retired)"
	[[ $output == *"1 certificate of the CA is neither"* ]]
	step_state root-g1 retired | check_refused CA-IN-FORCE
	# Revoked, and no CRL that says so; or one that ends too early.
	must run_plan revoke <<< "$(step_revoke issuing-g1 \
		"$(serial_of client-1)" superseded)"
	step_state issuing-g1 retired | check_refused CA-LAST-CRL
	{
		step_list short issuing-g1
		echo '    validity: 7d'
		step_state issuing-g1 retired
	} | check_refused CA-LAST-CRL
	# The one before the revocation does not count.
	listed 'CA("issuing-g1")["crls"][0]["entries"] == 0'
}

@test "refused: a last CRL that ends too early, beside what has no known end" {
	printf 'serial-hex\n0a0b0c\n' > issued.csv
	must run_plan import <<-EOF
	- import-issued:
	    issuer: issuing-g1
	    format: csv
	    file: issued.csv
	EOF
	run ca-tool ca list -d "$A"
	[[ $(tr -s ' \n' ' ' <<< "$output") == *"2 certificates, 2 in force \
(the last until "*", and some whose end is unknown), 0 revoked"* ]]
	listed 'CA("issuing-g1")["unknown_end"] and
		not CA("root-g1")["unknown_end"]'
	{
		step_revoke issuing-g1 "$(serial_of client-1)" superseded
		step_revoke issuing-g1 0a0b0c superseded
		step_list short issuing-g1
		echo '    validity: 7d'
		step_state issuing-g1 retired
	} | check_refused CA-LAST-CRL
	{
		step_revoke issuing-g1 "$(serial_of client-1)" superseded
		step_revoke issuing-g1 0a0b0c superseded
		step_list last issuing-g1
		step_state issuing-g1 retired
	} | must run_plan last
	must verified
}

@test "retired: nothing is signed any more" {
	must retired
	listed 'CA("issuing-g1")["state"] == "retired" and
		any("destroy" in d for d in CA("issuing-g1")["due"])'
	says 'K("result")[-1]["seq"] < K("state")[-1]["seq"]'
	step_leaf no second.csr | check_refused CA-STATE
	step_list no issuing-g1 | check_refused CA-STATE
	step_ocsp no issuing-g1 'csr: responder.csr' 30d | check_refused CA-STATE
	step_revoke issuing-g1 0102030405060708 superseded |
		check_refused CA-STATE
	step_csr no issuing-g1 | check_refused CA-STATE
	step_subordinate no root-g1 'key: issuing-g1' | check_refused CA-STATE
	step_state issuing-g1 retiring | check_refused CA-STATE
	sound
	must verified
}

@test "a key is destroyed: only a retired CA's, or one never used" {
	step_destroy issuing-g1 | check_refused CA-STATE
	step_destroy journal | check_refused KEY-PURPOSE
	step_destroy absent | check_refused KEY-MISSING
	{
		step_key fresh
		step_destroy fresh
	} | check_refused KEY-MISSING
	must run_plan fresh <<< "$(step_key fresh; step_key answers p-256 ocsp)"
	must run_plan unused <<< "$(step_destroy fresh; step_destroy answers)"
	must retired
	step_destroy issuing-g1 | plan destroy > "$P"
	{
		step_destroy issuing-g1
		step_destroy issuing-g1
	} | check_refused KEY-MISSING
	must run_plan destroy <<< "$(step_destroy issuing-g1)"
	[[ $output == *"nothing brings it back"* ]]
	says 'D("key-destroyed")[-1]["name"] == "issuing-g1" and
		D("key-destroyed")[-1]["objects"] == 2 and
		D("key-destroyed")[-1]["why"] == "a test"'
	listed 'CA("issuing-g1")["state"] == "destroyed"'
	run ca-tool-pin key list -d "$A"
	[ "$status" -eq 0 ]
	[[ $output != *issuing-g1* ]]
	# Gone is gone.
	step_list no issuing-g1 | check_refused CA-STATE
	step_leaf no second.csr | check_refused CA-STATE
	step_destroy issuing-g1 | check_refused KEY-MISSING
	step_state issuing-g1 retired |
		check_refused KEY-MISSING "'issuing-g1' was destroyed"
	must verified
}

@test "cut off before a key is destroyed: the resume destroys it" {
	rm -rf "$A"
	shim_authority
	must first_ceremony "$A"
	must run_plan fresh <<< "$(step_key one; step_key two)"
	# The login's old head, and the two objects of the first key.
	orders 'fail C_DestroyObject 4 0x30'
	run run_plan destroy <<< "$(step_destroy one; step_destroy two)"
	refused 4 "plan run --resume"
	says '[d["name"] for d in D("key-destroyed")] == ["one"]'
	orders
	must resume
	says '[d["name"] for d in D("key-destroyed")] == ["one", "two"]'
	run ca-tool-pin key list -d "$A"
	[ "$status" -eq 0 ]
	[[ $output != *two* ]]
	sound
	must verified
}

@test "the last CRL is signed, then the run is cut off: the resume retires" {
	rm -rf "$A"
	shim_authority
	must first_ceremony "$A"
	must run_plan fresh <<< "$(step_key one)"
	# The old heads of the login and of the CRL's window.
	orders 'fail C_DestroyObject 3 0x30'
	{
		step_list issuing-g1-1 issuing-g1
		step_state issuing-g1 retired
		step_destroy one
	} | plan end > "$P"
	run ca-tool-pin plan run -d "$A" "$P" --yes
	refused 4 "plan run --resume"
	says 'D("state")[-1]["state"] == "retired"'
	orders
	must resume
	says 'len([d for d in D("state") if d["subject"] == "ca"]) == 1'
	says '[d["name"] for d in D("key-destroyed")] == ["one"]'
	[ -s "$A/public/crls/issuing-g1-1.crl" ]
	sound
	must verified
}

@test "refused: to destroy what another program put under the same CKA_ID" {
	local id
	rm -rf "$A"
	shim_authority
	must run_plan fresh <<< "$(step_key one)"
	id=$(journal 'D("key")[-1]["id"]')
	export SOFTHSM2_CONF=$CA_SHIM_SOFTHSM2_CONF
	printf %s "$PIN" | "$FOREIGN_KEY" "$SOFTHSM" test stranger "$id"
	run run_plan destroy <<< "$(step_destroy one)"
	refused 4 "is not destroyed"
	says 'not D("key-destroyed")'
	run pkcs11-tool --module "$SOFTHSM" --token-label test --login \
		--pin "$PIN" --list-objects --type privkey
	[[ $output == *stranger* && $output == *one* ]]
	# Without the stranger it goes on.
	for type in privkey pubkey; do
		pkcs11-tool --module "$SOFTHSM" --token-label test --login \
			--pin "$PIN" --delete-object --type "$type" \
			--label stranger > delete.log 2>&1
	done
	must resume
	says 'D("key-destroyed")[0]["objects"] == 2'
	sound
}

@test "a token that only says that it destroyed a key" {
	rm -rf "$A"
	shim_authority
	must run_plan fresh <<< "$(step_key one)"
	orders 'fail C_DestroyObject * 0'
	run run_plan destroy <<< "$(step_destroy one)"
	refused 4 "still had"
	says 'not D("key-destroyed")'
	orders
	must resume
	says 'D("key-destroyed")[0]["objects"] == 2'
}

# ---- taking over ------------------------------------------------------------

step_adopt() { # [CERTIFICATE [CRL]]
	cat <<-EOF
	- adopt-ca:
	    name: old-root
	    key: old-root
	    backup: none
	    certificate: ${1:-old.pem}
	    crl: ${2:-old.crl}
	EOF
}

@test "adopt-ca: a key of another program, its CRL goes on" {
	foreign_ca
	foreign_crl 41 51423334
	must run_plan adopt <<< "$(step_adopt)"
	[[ $output == *"take in the p-256 key with CKA_ID 4f4c44"* ]]
	[[ $output == *"number 41"* ]]
	says 'D("key")[-1]["adopted"] is True and D("key")[-1]["id"] == "4f4c44"'
	says 'D("revocations")[0]["crl"]["number"] == "41"'
	says 'not D("intent")'
	cmp "$A/public/certs/old-root.der" \
		<(openssl x509 -in old.pem -outform DER)
	run ca-tool ca list -d "$A"
	[[ $output =~ old-root\ +active\ +p-256\ +none\ +taken\ in ]]
	listed 'CA("old-root")["crls"][0]["number"] == 41 and
		CA("old-root")["revoked"] == 1 and
		CA("old-root")["unlisted"] == 0 and CA("old-root")["adopted"]'
	run ca-tool-pin key list -d "$A"
	[ "$status" -eq 0 ]
	# The next CRL: a higher number, and the same entry.
	must run_plan crl <<< "$(step_list next old-root)"
	openssl crl -in "$A/public/crls/next.pem" -noout -CAfile old.pem
	[[ $(openssl crl -in "$A/public/crls/next.pem" -noout -crlnumber) == \
		crlNumber=0x2A ]]
	[[ $(revoked_on "$A/public/crls/next.crl") == 51423334* ]]
	[ "$(openssl crl -in old-crl.pem -noout -text |
		grep 'Revocation Date')" = "$(openssl crl -noout -text \
		-in "$A/public/crls/next.pem" | grep 'Revocation Date')" ]
	# It issues.
	must run_plan issue <<< "$(step_subordinate sub old-root \
		'csr: partner.csr')"
	openssl verify -x509_strict -CAfile old.pem "$A/public/certs/sub.pem"
	sound
	must verified
}

@test "adopt-ca: one that never signed a CRL says so" {
	foreign_ca
	step_adopt | sed 's/crl: .*/never-signed-a-crl: "true"/' |
		must run_plan adopt
	must run_plan crl <<< "$(step_list next old-root)"
	[[ $(openssl crl -in "$A/public/crls/next.pem" -noout -crlnumber) == \
		crlNumber=0x01 ]]
	must verified
}

@test "refused: a key that is weaker than one made here" {
	local attribute id=10
	foreign_ca
	for attribute in extractable decrypt derive modifiable copyable; do
		id=$((id + 1))
		# A fresh one each: labels and ids are unique on a token.
		printf %s "$PIN" | "$FOREIGN_KEY" "$SOFTHSM" test \
			"old-$attribute" "$id" "$attribute"
		OLD="pkcs11:token=test;object=old-$attribute;type=private"
		OLD+=";pin-value=$PIN"
		certtool --provider "$SOFTHSM" --generate-self-signed \
			--load-privkey "$OLD" --template root.cfg --hash SHA256 \
			--outfile weak.pem 2> certtool.log
		step_adopt weak.pem | sed \
			's/crl: .*/never-signed-a-crl: "true"/' |
			plan "weak-$attribute" > "$P"
		nothing_signed ca-tool-pin plan run -d "$A" "$P" --yes
		refused 4 "cannot be taken in" "CKA_${attribute^^}"
	done
	# The token has them still, and the journal knows none.
	run pkcs11-tool --module "$SOFTHSM" --token-label test --login \
		--pin "$PIN" --list-objects --type privkey
	[ "$(grep -c 'label: *old-' <<< "$output")" -eq 5 ]
	says 'all(d["name"] == "journal" for d in D("key-intent"))'
}

@test "refused: no such key on the token, or two of them" {
	foreign_ca
	openssl req -x509 -new -key partner.key -subj /CN=Elsewhere \
		-days 1000 -out elsewhere.pem \
		-addext keyUsage=critical,keyCertSign,cRLSign
	step_adopt elsewhere.pem | sed 's/crl: .*/never-signed-a-crl: "true"/' |
		plan p > "$P"
	nothing_signed ca-tool-pin plan run -d "$A" "$P" --yes
	refused 4 "no private key"
	# A key that was made here has an adopt-certificate step.
	must run_plan key <<< "$(step_key root-g1; step_root root-g1)"
	step_adopt "$A/public/certs/root-g1.pem" |
		sed 's/crl: .*/never-signed-a-crl: "true"/' |
		check_refused ADOPT-KEY
}

@test "refused: certificates and CRLs that do not fit" {
	foreign_ca
	foreign_crl 41 51423334
	# Both, neither, a word that says nothing.
	{
		step_adopt
		echo '    never-signed-a-crl: "true"'
	} | check_refused ADOPT-CRL
	step_adopt | sed '/crl:/d' | check_refused ADOPT-CRL
	step_adopt | sed 's/crl: .*/never-signed-a-crl: "yes"/' |
		check_refused ADOPT-CRL
	step_adopt old.pem old-crl.pem | check_refused ADOPT-CRL
	step_adopt old.pem absent.crl | check_refused
	step_adopt | sed 's/backup: none/backup: wrap/' |
		check_refused P11-RESTORED-KEY
	step_adopt | sed 's/key: old-root/key: Old_Root/' |
		check_refused NAME-FORM
	# A CRL with one bit turned in its signature; another CA's.
	python3 -c '
d = bytearray(open("old.crl", "rb").read())
d[-1] ^= 1
open("forged.crl", "wb").write(d)'
	step_adopt old.pem forged.crl | check_refused
	cp "$BASE/public/crls/root-g1.crl" other.crl
	step_adopt old.pem other.crl | check_refused
	# A root is its own chain; another needs one.
	{
		step_adopt
		echo '    chain: [old.pem]'
	} | check_refused CHAIN-ROOT
	cp "$BASE/public/certs/issuing-g1.pem" sub.pem
	step_adopt sub.pem | sed 's/crl: .*/never-signed-a-crl: "true"/' |
		check_refused CHAIN-ROOT
	cp "$BASE/public/certs/client-1.pem" leaf.pem
	step_adopt leaf.pem | sed 's/crl: .*/never-signed-a-crl: "true"/' |
		check_refused CRL-SIGNER-KU
	# Signing with it waits for the next plan.
	{
		step_adopt
		step_list next old-root
	} | check_refused ADOPT-CA-FIRST
	# And twice is once too often.
	must run_plan adopt <<< "$(step_adopt)"
	step_adopt | sed 's/old-root/older/' | check_refused ADOPT-KEY
}

@test "a run that is refused leaves the key of another program alone" {
	foreign_ca
	foreign_crl 41
	plan no > "$P" <<< "$(step_adopt)"
	# Nobody says yes to the list.
	run ca-tool plan run -d "$A" "$P" "${OPS[@]}" --pin-fd 8 \
		8< <(pins) < /dev/null
	[ "$status" -ne 0 ]
	run resume
	run pkcs11-tool --module "$SOFTHSM" --token-label test --login \
		--pin "$PIN" --list-objects --type privkey
	[[ $output == *old* ]]
}
