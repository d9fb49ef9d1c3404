#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031 # each test is a subshell
# plan new, filled in, checked and run, for the kinds that leave something to
# people: what they write is all that is missing.

load draft-helper
load foreign-helper

setup_file() {
	base_authority
}

setup() {
	copy_authority
}

# Nothing is wrong with the journal, but that no anchor is given.
verified() {
	must ca-tool journal verify --anchor "$A/public/anchor/anchor.txt" "$A"
}

today() {
	date -u +%F
}

# filled: no blank is left, and it is what plan check takes
filled() {
	never grep -q ': <\|- <' "$P"
	check
}

@test "abandon: the run that was cut off is closed, and others go on" {
	rm -rf "$A"
	shim_authority
	first_ceremony "$A" 2> /dev/null
	{
		step_key cut-g1
		step_subordinate cut-g1 root-g1 'key: cut-g1'
		step_subordinate partner root-g1 'csr: partner.csr'
	} | plan cut > cut.yaml
	orders 'kill C_Sign 2'
	run ca-tool-pin plan run -d "$A" cut.yaml --yes
	[ "$status" -ne 0 ]
	orders
	# Only its resume, or the plan that closes it, can run.
	new crl root-g1
	nothing_signed ca-tool-pin plan run -d "$A" "$P" --yes
	new abandon
	has 'plan: cut'
	check_refused PLAN-BLANK
	fill why 'the room was closed'
	filled
	run_it
	says '[d["outcome"] for d in D("close")][-2:] == ["abandoned", "done"]'
	# Why it was closed is in the list that was confirmed.
	grep -q 'the room was closed' "$A"/ceremonies/*-abandon-*/list-0
	run ca-tool plan new -d "$A" abandon
	refused 3 'no run is open'
	new crl root-g1
	filled
	run_it
	openssl crl -in "$A/public/crls/root-g1-$(today).pem" -noout \
		-CAfile "$A/public/certs/root-g1.pem"
	verified
}

@test "adopt-ca: key, certificate and last CRL of another program; then a CRL" {
	foreign_ca
	foreign_crl 41 51423334
	new adopt-ca old-root
	has 'name: old-root' 'key: old-root' 'backup: none'
	fill 'file with its certificate' old.pem
	fill 'file with its last CRL' old.crl
	check_refused PLAN-BLANK
	# A root has no chain: both lines are left out, as the comment says.
	comment 'a root has none: leave out both lines'
	sed -i '/^ *chain:$/,+1d' "$P"
	filled
	run_it
	says 'D("key")[-1]["adopted"] is True'
	cmp "$A/public/certs/old-root.der" \
		<(openssl x509 -in old.pem -outform DER)
	new crl old-root
	comment 'The number of its next CRL is 42.'
	fill profile ca-crl
	filled
	run_it
	local crl
	crl=$A/public/crls/old-root-$(today)
	openssl crl -in "$crl.pem" -noout -CAfile old.pem
	[ "$(crl_number "$crl.crl")" -eq 42 ]
	[[ $(revoked_on "$crl.crl") == 51423334* ]]
	sound
	verified
	# It is this authority's already.
	new adopt-ca other
	fill 'file with its certificate' old.pem
	fill 'file with its last CRL' old.crl
	sed -i '/^ *chain:$/,+1d' "$P"
	nothing_signed ca-tool-pin plan run -d "$A" "$P" --yes
	refused 3
}

@test "import-issued, then import-revocations, and the CRL behind it" {
	cat > issued.csv <<-END
	serial-hex,expires,ca
	5a000000000000000000000000000000000000a1,$(when '+100 days'),ee
	5a000000000000000000000000000000000000a2,$(when '+100 days'),ee
	5a000000000000000000000000000000000000a3,$(when '+100 days'),ee
	END
	new import-issued issuing-g1
	has 'issuer: issuing-g1'
	comment 'csv, index.txt (of openssl ca), or certificates'
	fill format csv
	check_refused PLAN-BLANK
	fill file issued.csv
	filled
	run_it
	says 'len(D("intent")) == 3' # nothing is signed by it
	cat > revoked.csv <<-END
	serial-hex,date,reason
	5a000000000000000000000000000000000000a2,$(when '-5 days'),superseded
	5a000000000000000000000000000000000000a3,$(when '-3 days'),keyCompromise
	END
	new import-revocations issuing-g1
	comment 'All of the file is taken in, or, where one line of it is wrong'
	fill format csv
	fill file revoked.csv
	filled
	run_it
	local crl
	crl=$A/public/crls/issuing-g1-$(today)
	[ "$(revoked_on "$crl.crl")" = "$(printf '%s\n' \
		'5a000000000000000000000000000000000000a2 superseded' \
		'5a000000000000000000000000000000000000a3 key compromise')" ]
	openssl crl -in "$crl.pem" -noout -CAfile "$A/public/certs/issuing-g1.pem"
	sound
	verified
	# One bad line, and nothing of it is taken in.
	echo "5a000000000000000000000000000000000000a1,$(when '+5 days'),superseded" \
		>> revoked.csv
	new import-revocations issuing-g1
	fill format csv
	fill file revoked.csv
	unchanged ca-tool plan check -d "$A" "$P"
	refused 3 'revoked.csv, line 4: error: .*CRL-ENTRY-DATE'
}

@test "rollover, last CRL, retired, destroy-key: the end of a CA" {
	new rollover issuing-g1
	filled
	run_it
	new crl issuing-g1
	comment 'this can be its last CRL'
	comment "Then add the line 'last: true' to the step"
	sed -i 's/^\( *\)issuer: issuing-g1$/&\n\1last: true/' "$P"
	printf '%s\n' '  - ca-state:' '      key: issuing-g1' \
		'      state: retired' '      why: it has ended' >> "$P"
	filled
	run_it
	# The only key that nothing rests on any more: NAME is not needed.
	new destroy-key
	has 'key: issuing-g1'
	check_refused PLAN-BLANK
	fill why 'it has been followed'
	filled
	[[ $(token_keys) == *issuing-g1* ]]
	run_it
	[[ $(token_keys) != *issuing-g1* ]]
	says 'D("key-destroyed")[-1]["why"] == "it has been followed"'
	run ca-tool ca list -d "$A" --json
	[ "$(python3 -c 'import json, sys
print(*(c["state"] for c in json.load(sys.stdin)["cas"]
    if c["key"] == "issuing-g1"))' <<< "$output")" = destroyed ]
	run ca-tool plan new -d "$A" crl issuing-g1
	refused 3
	# One that is in use: the plan is written, and refused.
	new destroy-key root-g1
	fill why 'by mistake'
	check_refused CA-STATE
	verified
}

@test "certificates: a directory, and nothing else, is what is missing" {
	local name
	mkdir requests
	for name in one two three; do
		make_request "$name"
		mv "$name.csr" requests/
	done
	new certificates
	check_refused PLAN-BLANK
	fill 'directory or file of requests' requests
	filled
	run_it
	for name in one two three; do
		openssl verify -x509_strict \
			-CAfile "$A/public/certs/root-g1.pem" \
			-untrusted "$A/public/certs/issuing-g1.pem" \
			"$A/public/certs/issuing-g1-$(today)-$name.pem"
		[ "$(openssl x509 -noout -subject -nameopt RFC2253 -in \
			"$A/public/certs/issuing-g1-$(today)-$name.pem")" = \
			"subject=CN=$name,O=Example Trust,C=DE" ]
	done
	sound
	verified
	# A bad one stops all of it; said otherwise, only itself.
	echo noise > requests/noise.csr
	make_request four
	mv four.csr requests/
	rm requests/{one,two,three}.csr
	new certificates
	fill 'directory or file of requests' requests
	check_refused CSR-DER
	sed -i 's/on-refusal: stop/on-refusal: continue/' "$P"
	filled
	run_it
	[ -e "$A/public/certs/issuing-g1-$(today)-2-four.pem" ]
	[ ! -e "$A/public/certs/issuing-g1-$(today)-2-noise.pem" ]
}
