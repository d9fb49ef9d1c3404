#!/usr/bin/env bats
# Keys that somebody replaced, weakened or doubled on the token behind our
# back: caught before anything is signed.  A key has one purpose.

load ceremony-helper

setup_file() {
	base_authority
}

setup() {
	copy_authority
}

# Drop the key called $1 from the token, with its public half.
drop() {
	soft --delete-object --type privkey --id "$(key_id "$1")"
	soft --delete-object --type pubkey --id "$(key_id "$1")"
}

# A CRL by the root is refused for its key, before an intent; the message has
# PATTERN...
caught() {
	step_list l1 root-g1 | plan p > "$P"
	nothing_signed ca-tool-pin plan run -d "$A" "$P" --yes
	refused 4 "$@"
	run ca-tool-pin key list -d "$A"
	refused 4 "NOT FIT"
	# Where the key only issues the certificate, too.
	step_subordinate s root-g1 'csr: partner.csr' | plan q > "$P"
	nothing_signed ca-tool-pin plan run -d "$A" "$P" --yes
	refused 4
}

@test "nothing was done to the token: it signs" {
	must run_plan p <<< "$(step_list l1 root-g1)"
}

@test "an imported key under the journalled CKA_ID" {
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 \
		-outform DER -out evil.der
	openssl pkey -inform DER -in evil.der -pubout -outform DER \
		-out evil.pub
	local id
	id=$(key_id root-g1)
	drop root-g1
	soft --write-object evil.der --type privkey --id "$id" \
		--label root-g1 --usage-sign --sensitive
	soft --write-object evil.pub --type pubkey --id "$id" --label root-g1
	caught "root-g1" "CKA_LOCAL|LOCAL|imported"
}

# generated OPTION...: another key made on the token in the root's place
generated() {
	local id
	id=$(key_id root-g1)
	drop root-g1
	soft --keypairgen --id "$id" --label root-g1 "$@"
}

@test "another key, made on the token, whose attributes are right" {
	generated --key-type EC:prime256v1 --usage-sign --sensitive
	# pkcs11-tool may set more than we allow: either is a reason.
	caught "root-g1"
}

@test "an extractable key" {
	generated --key-type EC:prime256v1 --usage-sign --extractable
	caught "root-g1" "EXTRACTABLE"
}

@test "a key that decrypts" {
	generated --key-type rsa:3072 --usage-sign --usage-decrypt --sensitive
	caught "root-g1" "DECRYPT"
}

@test "a key that derives" {
	generated --key-type EC:prime256v1 --usage-sign --usage-derive \
		--sensitive
	caught "root-g1" "CKA_D"
}

@test "the key is gone, or only half of it is there" {
	soft --delete-object --type pubkey --id "$(key_id root-g1)"
	caught "root-g1"
	soft --delete-object --type privkey --id "$(key_id root-g1)"
	caught "root-g1"
}

@test "two keys with one label" {
	soft --keypairgen --key-type EC:prime256v1 --id 0badc0de \
		--label root-g1 --usage-sign --sensitive
	caught "root-g1" "label|two|more than one"
}

@test "two keys with one CKA_ID" {
	soft --keypairgen --key-type EC:prime256v1 --id "$(key_id root-g1)" \
		--label twin --usage-sign --sensitive
	# The twin may come first, and pkcs11-tool lets it decrypt.
	caught "root-g1" "KEY-DUPLICATE-ID|KEY-MAY-DECRYPT"
}

@test "a new key under a label that lies on the token already" {
	soft --keypairgen --key-type EC:prime256v1 --id 0badc0de \
		--label fresh --usage-sign --sensitive
	{ step_key fresh; step_root fresh; } | plan p > "$P"
	nothing_signed ca-tool-pin plan run -d "$A" "$P" --yes
	refused 4 "fresh"
	# What was there first is left alone.
	soft --list-objects --type privkey --id 0badc0de | grep -q fresh
}

@test "a stranger on the token that is in nobody's way" {
	soft --keypairgen --key-type EC:prime256v1 --id 0badc0de \
		--label stranger --usage-sign --sensitive
	run ca-tool-pin key list -d "$A"
	refused 4 "stranger" "the journal does not know it"
	must run_plan p <<< "$(step_list l1 root-g1)"
}

@test "the journal's key replaced: nothing runs" {
	local id
	id=$(key_id journal)
	drop journal
	soft --keypairgen --key-type EC:prime256v1 --id "$id" --label journal \
		--usage-sign --sensitive
	step_list l1 root-g1 | plan p > "$P"
	nothing_signed ca-tool-pin plan run -d "$A" "$P" --yes
	refused 4 "journal"
}

@test "a token whose public object lies, or whose attributes do" {
	local lie id point
	rm -rf "$A"
	shim_authority
	must run_plan first <<-EOF
	$(step_key root-g1)
	$(step_root root-g1)
	EOF
	id=$(key_id root-g1)
	# Another point on the curve: the journal's own key.
	point=0441$(journal 'D("key")[0]["spki"][-130:]')
	step_list l1 root-g1 | plan p > "$P"
	for lie in "lie-bytes CKA_EC_POINT $point id $id" \
		"lie CKA_LOCAL 0 id $id" "lie CKA_LOCAL absent id $id" \
		"lie CKA_PRIVATE 0 id $id" "lie CKA_SENSITIVE 0 id $id" \
		"lie CKA_ALWAYS_SENSITIVE 0 id $id" \
		"lie CKA_NEVER_EXTRACTABLE 0 id $id" \
		"lie CKA_EXTRACTABLE 1 id $id" "lie CKA_DECRYPT 1 id $id" \
		"lie CKA_UNWRAP 1 id $id" "lie CKA_DERIVE 1 id $id" \
		"lie CKA_SIGN_RECOVER 1 id $id" "lie CKA_SIGN 0 id $id"; do
		orders "$lie"
		nothing_signed ca-tool-pin plan run -d "$A" "$P" --yes || {
			echo "with $lie"
			return 1
		}
		refused 4 "root-g1"
	done
	orders
	must ca-tool-pin plan run -d "$A" "$P" --yes
}

@test "on a resume, keys are looked at before anything more is signed" {
	local id before
	rm -rf "$A"
	shim_authority
	must run_plan first <<-EOF
	$(step_key root-g1)
	$(step_key sub)
	$(step_root root-g1)
	$(step_subordinate sub root-g1 'key: sub' 'Sub')
	EOF
	{
		step_csr request root-g1
		step_list l1 root-g1
		step_list l2 sub
	} | plan p > "$P"
	orders 'kill C_Sign 1'
	run ca-tool-pin plan run -d "$A" "$P" --yes
	id=$(key_id sub)
	orders "lie CKA_EXTRACTABLE 1 id $id"
	before=$(journal 'len(D("intent"))')
	run resume
	[ "$status" -eq 3 ] || [ "$status" -eq 4 ]
	refused "$status" "sub" "KEY-EXTRACTABLE"
	[ "$(journal 'len(D("intent"))')" = "$before" ]
	orders
	must resume
	sound
}

@test "purposes: no certificate, CRL or request by a key of another" {
	must run_plan keys <<< "$(step_key responder p-256 ocsp)"
	{
		step_subordinate s root-g1 'key: responder'
	} | plan p > "$P"
	check_refused KEY-PURPOSE
	step_root responder | plan p > "$P"
	check_refused KEY-PURPOSE
	{ step_key spare; step_ocsp o root-g1 'key: spare'; } | plan p > "$P"
	check_refused KEY-PURPOSE
	# The key of the journal is for the journal.
	for step in "$(step_root journal)" "$(step_csr j journal)" \
		"$(step_subordinate s root-g1 'key: journal')" \
		"$(step_ocsp o root-g1 'key: journal')"; do
		plan p <<< "$step" > "$P"
		check_refused KEY-PURPOSE
	done
	step_key journal | plan p > "$P"
	check_refused NAME-TAKEN
	step_key j p-256 journal | plan p > "$P"
	check_refused KEY-PURPOSE
	step_key j | sed 's/backup: none/backup: wrap/' | plan p > "$P"
	check_refused P11-RESTORED-KEY
	# A responder's certificate issues nothing and signs no CRL.
	must run_plan responder <<< "$(step_ocsp o root-g1 'key: responder')"
	step_list l1 o | plan p > "$P"
	check_refused ISSUER-KEY
	step_subordinate s o 'csr: partner.csr' | plan p > "$P"
	check_refused ISSUER-KEY
	step_revoke o 0a superseded | plan p > "$P"
	check_refused ISSUER-KEY
	# Nor does one whose key is elsewhere.
	must run_plan partner <<< "$(step_subordinate partner root-g1 \
		'csr: partner.csr')"
	step_list l1 partner | plan p > "$P"
	check_refused ISSUER-KEY
}

@test "one key, one certificate" {
	step_subordinate s root-g1 'key: issuing-g1' | plan p > "$P"
	check_refused KEY-NOT-A-CA-KEY
	{
		step_subordinate a root-g1 'csr: partner.csr'
		step_ocsp b root-g1 'csr: partner.csr'
	} | plan p > "$P"
	check_refused KEY-NOT-A-CA-KEY
	{
		step_key k
		step_root k
		step_subordinate s root-g1 'key: k'
	} | plan p > "$P"
	check_refused KEY-NOT-A-CA-KEY
}
