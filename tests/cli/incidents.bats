#!/usr/bin/env bats
# What went wrong once, at a CA or with another tool, where a ceremony is needed
# to try it; tests/lint/cases_incidents.py has what an object shows by itself,
# and tests/lint/incidents.md lists all.

load ceremony-helper

setup_file() {
	base_authority
}

setup() {
	copy_authority
}

# profile_with SED...: the issuing CA's profile, edited.
profile_with() {
	local at=$A/profiles/issuing-ca.yaml
	sed "$@" "$BASE/profiles/issuing-ca.yaml" > "$at.new"
	! cmp -s "$at.new" "$at"
	mv "$at.new" "$at"
	chmod 600 "$at"
}

@test "CA certificates for OCSP signing: no profile gives them" {
	profile_with 's/purposes: .*/purposes: [server-auth, ocsp-signing]/'
	step_subordinate s root-g1 'csr: partner.csr' | plan p > "$P"
	check_refused SUB-NO-OCSPSIGNING
}

@test "CA certificates for OCSP signing: a request does not get them" {
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc \
		-keyout greedy.key -out greedy.csr -subj /CN=greedy \
		-addext basicConstraints=critical,CA:TRUE,pathlen:7 \
		-addext keyUsage=keyCertSign,digitalSignature \
		-addext extendedKeyUsage=OCSPSigning 2> /dev/null
	run ca-tool lint --ruleset rfc5280 --signing greedy.csr
	refused 3 CSR-NO-CA
	step_subordinate s root-g1 'csr: greedy.csr' | plan p > "$P"
	must ca-tool-pin plan run -d "$A" "$P" --yes
	run openssl x509 -in "$A/public/certs/s.pem" -noout -text
	[[ $output != *"OCSP Signing"* ]]
	[[ $output == *"CA:TRUE, pathlen:0"* ]]
}

# 159 random bits: one draw in 2^31 would be below 2^128.
@test "serial numbers of 63 random bits: each has 159, and its own" {
	local cert seen=
	for cert in "$A"/public/certs/*.pem; do
		run serial "$cert"
		[ "${#output}" -gt 32 ]
		[ "${#output}" -lt 40 ] || [[ $output == [0-7]* ]]
		[[ " $seen " != *" $output "* ]]
		seen+=" $output"
	done
	[ "$(wc -w <<< "$seen")" -ge 2 ]
}

@test "country XX: a CA is of no such country" {
	step_subordinate s root-g1 'csr: partner.csr' |
		sed 's/country: DE/country: XX/' | plan p > "$P"
	unchanged ca-tool plan check -d "$A" "$P"
	refused 3 XX
}

@test "an orphan key: what is refused before the run leaves none" {
	local keys
	keys=$(token_keys)
	{
		step_key orphan
		step_subordinate s root-g1 'key: orphan' |
			sed 's/country: DE/country: XX/'
	} | plan p > "$P"
	nothing_signed ca-tool-pin plan run -d "$A" "$P" --yes
	[ "$(token_keys)" = "$keys" ]
	# And the name is free.
	{ step_key orphan; step_subordinate s root-g1 'key: orphan'; } |
		plan q > "$P"
	must ca-tool-pin plan run -d "$A" "$P" --yes
}

@test "another CA's certificate on a CRL: its serial number is not taken" {
	must run_plan mid <<< "$(step_ocsp o issuing-g1 'csr: partner.csr' 90d)"
	step_revoke root-g1 "$(serial "$A/public/certs/o.pem")" superseded |
		plan p > "$P"
	check_refused SERIAL-UNKNOWN
}

@test "a CRL number again, after a restore: the authority does not open" {
	local old=$BATS_TEST_TMPDIR/old
	cp -a "$A" "$old"
	must run_plan l1 <<< "$(step_list l1 root-g1)"
	# The disk comes back from its copy; the token stays what it is.
	if [ -d "$old/token" ]; then
		rm -rf "$old/token"
		cp -a "$A/token" "$old/token"
	fi
	rm -rf "$A"
	mv "$old" "$A"
	run run_plan l2 <<< "$(step_list l2 root-g1)"
	[ "$status" -ne 0 ]
	[[ $output == *"restored from an older copy"* ]]
	[ ! -e "$A/public/crls/l2.crl" ]
}

@test "not linted: all that ceremonies signed is clean by its ruleset" {
	must run_plan more <<-EOF
	$(step_ocsp o issuing-g1 'csr: partner.csr' 90d)
	$(step_revoke root-g1 "$(serial "$A/public/certs/issuing-g1.pem")" \
		superseded)
	$(step_list l1 root-g1)
	EOF
	must ca-tool lint --ruleset private \
		--issuer "$A/public/certs/root-g1.pem" \
		"$A/public/certs/root-g1.pem" \
		"$A/public/certs/issuing-g1.pem" "$A/public/crls/l1.crl"
	[[ $output == *"3 objects: 0 errors"* ]]
	must ca-tool lint --ruleset private \
		--issuer "$A/public/certs/issuing-g1.pem" \
		"$A/public/certs/o.pem"
}
