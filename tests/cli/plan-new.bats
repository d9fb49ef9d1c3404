#!/usr/bin/env bats
# plan new: plans with today's values, that can be run; what only people know is
# left out, and refused until it is there.

load draft-helper

KINDS='root policy-ca issuing-ca cross ocsp-responder crl ocsp revoke
	upgrade-revocation import-revocations import-issued certificates rollover
	adopt-ca destroy-key reshare abandon adopt-config adopt-token
	correct-clock recover-journal'

setup_file() {
	base_authority
}

setup() {
	copy_authority
}

make_responder() { # ISSUER
	new ocsp-responder "$1"
	check
	run_it
}

@test "every kind is in the list, and writes a plan or says why not" {
	local kind
	run ca-tool plan new --list
	[ "$status" -eq 0 ]
	for kind in $KINDS; do
		grep -q "^  $kind  " <<< "$output"
	done
	run ca-tool plan new --list --json
	[ "$(python3 -c 'import json, sys
print(len(json.load(sys.stdin)["kinds"]))' <<< "$output")" -eq \
		"$(wc -w <<< "$KINDS")" ]
	for kind in $KINDS; do
		run ca-tool plan new -d "$A" "$kind"
		echo "$kind: $output"
		case $kind in
		ocsp-responder | rollover) refused 2 'name one' 'root-g1 or issuing' ;;
		ocsp) refused 3 'has no responder' 'issued nothing' ;;
		abandon) refused 3 'no run is open' ;;
		*) [ "$status" -eq 0 ]
			[[ $output == *'format: ca-tool-plan-1'* ]] ;;
		esac
	done
}

@test "what is not filled in is refused, each with its place" {
	local kind blanks
	for kind in $KINDS; do
		case $kind in
		ocsp-responder | rollover | ocsp | abandon) continue ;;
		esac
		rm -f "$P"
		run ca-tool plan new -d "$A" "$kind" -o "$P" --json
		[ "$status" -eq 0 ]
		blanks=$(python3 -c 'import json, sys
print(json.load(sys.stdin)["blanks"])' <<< "$output")
		run ca-tool plan check -d "$A" "$P"
		echo "$kind: $blanks blanks: $output"
		if [ "$blanks" -eq 0 ]; then
			[ "$status" -eq 0 ]
			continue
		fi
		[ "$status" -eq 3 ]
		[ "$(grep -c '^[^ ]*plan.yaml:[0-9]*:[0-9]*: error: this is not filled in.*PLAN-BLANK' \
			<<< "$output")" -eq "$blanks" ]
	done
}

@test "only a whole value in brackets counts as a blank" {
	new root
	sed -i 's/organization: .*/organization: "<b> Trust"/' "$P"
	check
	sed -i "s/organization: .*/organization: '<b>'/" "$P"
	run ca-tool plan check -d "$A" "$P"
	refused 3 PLAN-BLANK "'<b>'"
}

@test "a CRL session is plan new and plan run" {
	new crl
	has 'name: root-g1-'"$(date -u +%F)" 'issuer: issuing-g1' \
		'profile: ca-crl'
	comment 'The number of its next CRL is 2.'
	comment "It follows 'root-g1', number 1 of"
	comment 'It has signed no CRL yet.'
	check
	run_it
	local name
	for name in root-g1 issuing-g1; do
		openssl crl -in "$A/public/crls/$name-$(date -u +%F).crl" -noout \
			-CAfile <(cat "$A"/public/certs/*.pem)
	done
	[ "$(crl_number "$A/public/crls/root-g1-$(date -u +%F).crl")" -eq 2 ]
	# And once more on the same day, with names of its own.
	new crl
	has "id: $(date -u +%F)-crl-2" "name: root-g1-$(date -u +%F)-2"
	check
	run_it
	sound
}

@test "an OCSP session is plan new and plan run" {
	make_responder root-g1
	has 'key: root-g1-ocsp-g1' 'purpose: ocsp' 'country: DE'
	new ocsp
	has 'issuer: root-g1' 'profile: ocsp-response' \
		'responder: root-g1-ocsp-g1'
	comment 'Left out: issuing-g1 has issued nothing that is still valid'
	check
	run_it
	local file good=0 found=0
	while IFS= read -r file; do
		found=$((found + 1))
		openssl ocsp -respin "$file" -issuer "$A/public/certs/root-g1.pem" \
			-cert "$A/public/certs/issuing-g1.pem" \
			-CAfile "$A/public/certs/root-g1.pem" -no_nonce \
			> out.txt 2> err.txt || continue
		grep -q 'Response verify OK' err.txt
		grep -q 'issuing-g1.pem: good' out.txt && good=$((good + 1))
	done < <(find "$A/public/ocsp" -type f)
	echo "$good of $found"
	[ "$good" -ge 1 ]
	# The next responder follows this one.
	new ocsp-responder root-g1
	has 'key: root-g1-ocsp-g2' 'name: root-g1-ocsp-g2'
	comment "It follows 'root-g1-ocsp-g1', which ends on"
	check
	# A root has no responder for what it did not issue.
	run ca-tool plan new -d "$A" ocsp issuing-g1
	refused 3 'issued nothing that is still valid'
}

leaf() { # NAME
	make_request "$1"
	cat <<-END
	- end-entity:
	    name: $1
	    issuer: issuing-g1
	    csr: $1.csr
	    profile: tls-server
	    names: { dns: [$1.example.org] }
	END
}

@test "OCSP responses about end entities, by a responder that ends soon" {
	{
		step_key brief p-256 ocsp
		step_ocsp brief issuing-g1 'key: brief' 100d
		leaf www
	} | run_plan leaves
	new ocsp issuing-g1
	has 'profile: ocsp-response-user' 'responder: brief'
	comment 'Certificates of end entities that are still valid: 1 in the'
	check
	run_it
	openssl ocsp -respin "$(find "$A/public/ocsp" -type f | head -1)" \
		-issuer "$A/public/certs/issuing-g1.pem" \
		-cert "$A/public/certs/www.pem" -no_nonce \
		-CAfile <(cat "$A"/public/certs/{root,issuing}-g1.pem) > out.txt
	grep -q 'www.pem: good' out.txt
	# What is usual would outlive the root's responder: it is shortened.
	{
		step_key brief-root p-256 ocsp
		step_ocsp brief-root root-g1 'key: brief-root' 100d
	} | run_plan brief-root
	new ocsp root-g1
	has 'profile: ocsp-response' 'responder: brief-root'
	comment 'Not the usual 182 days: brief-root ends on'
	grep -qE '^ +validity: 9[23]d$' "$P" # by the hour of the day
	check
	run_it
}

@test "each CRL of a scope is followed by one of its own" {
	leaf www | cat - <(echo '- crl: { name: users, issuer: issuing-g1,' \
		'profile: crl-partition,' \
		'url: http://crl.example.org/issuing-g1.crl }') \
		<(step_list all issuing-g1) | run_plan scopes
	new crl issuing-g1
	[ "$(grep -c '^  - crl:' "$P")" -eq 2 ]
	has 'profile: crl-partition' 'url: http://crl.example.org/issuing-g1.crl' \
		'profile: crl-user'
	comment "Not 'ca-crl', as before: that is not for CRLs about end entities."
	comment "It follows 'users', number 1 of"
	comment "It follows 'all', number 2 of"
	check
	run_it
	[ -e "$A/public/crls/issuing-g1-$(date -u +%F)-2.crl" ]
}

# partitioned: certificates a, b, c, d in two partitions of issuing-g1's CRL
partitioned() {
	sed -e 's/^id: .*/id: tls-parts/' \
		-e 's/\(crl-distribution-points: {critical: no\)}/\1, partitions: 2}/' \
		"$A/profiles/tls-server.yaml" > "$A/profiles/tls-parts.yaml"
	echo '- adopt-config: { why: "a profile for tests" }' | run_plan parts
	for name in a b c d; do
		leaf $name
	done | sed 's/tls-server/tls-parts/' | run_plan leaves
}

@test "the first CRLs of partitions: one for each, and then one behind each" {
	partitioned
	new crl issuing-g1
	comment 'name 2 partitions of its CRL'
	[ "$(grep -c '^  - crl:' "$P")" -eq 2 ]
	[ "$(grep -c 'profile: crl-partition$' "$P")" -eq 2 ]
	has 'url: http://crl.example.org/issuing-g1/1.crl' \
		'url: http://crl.example.org/issuing-g1/2.crl' \
		"name: issuing-g1-1-$(date -u +%F)" \
		"name: issuing-g1-2-$(date -u +%F)"
	check
	run_it
	local name url number
	for name in a b c d; do
		url=$(openssl x509 -in "$A/public/certs/$name.pem" -noout \
			-ext crlDistributionPoints | sed -n 's/.*URI://p')
		number=${url#*issuing-g1/}
		openssl verify -crl_check -CAfile "$A/public/certs/root-g1.pem" \
			-untrusted "$A/public/certs/issuing-g1.pem" -CRLfile \
			"$A/public/crls/issuing-g1-${number%.crl}-$(date -u +%F).pem" \
			"$A/public/certs/$name.pem"
	done
	# Behind a revocation the same two, and each follows its own.
	new revoke issuing-g1
	fill 'serial number in hex' "\"$(serial "$A/public/certs/a.pem")\""
	fill reason superseded
	[ "$(grep -c '^  - crl:' "$P")" -eq 2 ]
	comment "It follows 'issuing-g1-1-"
	comment "It follows 'issuing-g1-2-"
	check
	run_it
	[ -e "$A/public/crls/issuing-g1-1-$(date -u +%F)-2.crl" ]
	[ -e "$A/public/crls/issuing-g1-2-$(date -u +%F)-2.crl" ]
	[ "$(cat <(revoked_on "$A/public/crls/issuing-g1-1-$(date -u +%F)-2.crl") \
		<(revoked_on "$A/public/crls/issuing-g1-2-$(date -u +%F)-2.crl"))" = \
		"$(serial "$A/public/certs/a.pem") superseded" ]
	sound
}

@test "partitions beside a full CRL, and where only that has everything" {
	partitioned
	leaf whole | run_plan whole
	# What names no partition is on a full CRL alone.
	new crl issuing-g1
	[ "$(grep -c '^  - crl:' "$P")" -eq 3 ]
	[ "$(grep -c 'profile: crl-user$' "$P")" -eq 1 ]
	check
	run_it
	# The full one is followed, and so are the others.
	new crl issuing-g1
	[ "$(grep -c "It follows" "$P")" -eq 3 ]
	[ "$(grep -c '^  - crl:' "$P")" -eq 3 ]
	never grep -q 'leave it out' "$P"
	check
	# A partition that a larger number adds later is the first of its own.
	sed -i 's/partitions: 2/partitions: 3/' "$A/profiles/tls-parts.yaml"
	echo '- adopt-config: { why: "a partition more" }' | run_plan more
	new crl issuing-g1
	[ "$(grep -c '^  - crl:' "$P")" -eq 4 ]
	has 'url: http://crl.example.org/issuing-g1/3.crl' \
		"name: issuing-g1-3-$(date -u +%F)"
	check
}

@test "a full CRL that the partitions have made needless is said to be" {
	step_list full issuing-g1 | run_plan full
	partitioned
	new crl issuing-g1
	[ "$(grep -c '^  - crl:' "$P")" -eq 3 ]
	comment 'The full CRL has what is in all partitions: leave it out'
	check
	# No profile for partitions, or two: the choice is a person's.
	sed 's/^id: .*/id: other-partition/' "$A/profiles/crl-partition.yaml" \
		> "$A/profiles/other-partition.yaml"
	echo '- adopt-config: { why: "one more" }' | run_plan other
	new crl issuing-g1
	[ "$(grep -c 'profile: <profile>' "$P")" -eq 2 ]
	comment 'one of crl-partition or other-partition'
	run ca-tool plan check -d "$A" "$P"
	refused 3 PLAN-BLANK
}

@test "a revocation, with the certificates there are, and the CRL behind it" {
	local serial
	serial=$(serial "$A/public/certs/issuing-g1.pem")
	new revoke root-g1
	comment "$serial: issuing-g1, until"
	fill 'serial number in hex' "\"$serial\""
	fill reason cessationOfOperation
	check
	run_it
	[ "$(revoked_on "$A/public/crls/root-g1-$(date -u +%F).crl")" = \
		"$serial cessation of operation" ]
	# It is not there to be revoked again, but its reason can become worse.
	new revoke root-g1
	comment 'none that the journal knows'
	new upgrade-revocation root-g1
	comment "$serial: cessationOfOperation, since $(date -u +%F)"
	fill 'serial number in hex' "\"$serial\""
	check
	run_it
	[ "$(revoked_on "$A/public/crls/root-g1-$(date -u +%F)-2.crl")" = \
		"$serial key compromise" ]
}

@test "a rollover: the next generation, and the CA before it is retiring" {
	new rollover issuing-g1
	has 'key: issuing-g2' 'name: issuing-g2' 'issuer: root-g1' \
		'common-name: Example issuing-g2' 'successor: issuing-g2' \
		'state: retiring'
	check
	run_it
	openssl verify -CAfile "$A/public/certs/root-g1.pem" \
		"$A/public/certs/issuing-g2.pem"
	run ca-tool plan new -d "$A" rollover issuing-g1
	refused 3 "'issuing-g1' is retiring, so it cannot do this"
	run ca-tool plan new -d "$A" certificates issuing-g1
	refused 3 'is retiring'
	# The successor is what is left; CRLs go on, and may be the last.
	new certificates
	has 'issuer: issuing-g2'
	new crl issuing-g1
	comment 'issuing-g1 is retiring'
	comment 'this can be its last CRL'
	check
}

@test "a rollover says that the successor needs a responder of its own" {
	make_responder issuing-g1
	new rollover issuing-g1
	comment "OCSP responder 'issuing-g1-ocsp-g1' answers for issuing-g1 alone"
	comment 'ca-tool plan new ocsp-responder issuing-g2'
	check
}

@test "a root's rollover makes the new root, and says what comes later" {
	new rollover root-g1
	has 'name: root-g2' 'common-name: Example root-g2' '#     key: root-g1' \
		'#     successor: root-g2'
	never grep -q '^ *- ca-state' "$P"
	check
	run_it
	# The step at the end, as a plan of its own.
	sed -n 's/^  # \(- ca-state\|    \)/\1/p' "$P" | plan retire > retire.yaml
	must ca-tool plan check -d "$A" retire.yaml
}

@test "a rollover below a CA that issues no more is a request" {
	echo '- ca-state: { key: root-g1, state: retiring, why: it is old }' |
		run_plan old
	new rollover issuing-g1
	comment 'take public/csrs/issuing-g2.csr to the CA that is to certify it'
	never grep -q '^  - subordinate' "$P"
	check
	run_it
	openssl req -in "$A/public/csrs/issuing-g2.csr" -noout -verify
	run ca-tool plan new -d "$A" issuing-ca
	refused 3 'no CA of this authority can issue'
}

@test "a new CA, and a cross certificate, filled in by hand" {
	new policy-ca
	has 'issuer: root-g1' 'profile: policy-ca' 'name: policy-g1'
	fill 'common name' 'Example Policy G1'
	run ca-tool plan check -d "$A" "$P"
	echo "$output"
	[ "$status" -eq 0 ]
	new issuing-ca partners-g1
	has 'name: partners-g1' 'key: partners-g1' 'profile: issuing-ca'
	fill 'common name' 'Example Partners G1'
	check
	new cross partner
	has 'name: partner' 'issuer: root-g1' 'profile: cross'
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-384 -noenc \
		-keyout other.key -out other.pem -days 3000 -sha384 \
		-subj "/C=DE/O=Foreign Trust/CN=Foreign Root" \
		-addext keyUsage=critical,keyCertSign,cRLSign 2> /dev/null
	fill 'certificate file' other.pem
	check
}

@test "requests in a directory" {
	mkdir requests
	cp partner.csr requests/
	new certificates
	# The only profile that takes names from requests, and what it wants.
	has 'issuer: issuing-g1' 'on-refusal: stop' 'profile: client' \
		'organization: Example Trust'
	fill 'directory or file of requests' requests
	check
	# There may be several.
	sed 's/^id: .*/id: client-two/' "$A/profiles/client.yaml" \
		> "$A/profiles/client-two.yaml"
	echo '- adopt-config: { why: "one more" }' | run_plan more
	new certificates
	comment 'one of client or client-two'
	fill profile client-two
	fill 'directory or file of requests' requests
	check_refused PROFILE-SUBJECT
}

@test "nothing outlives its issuer: the validity is shortened" {
	step_key brief p-384 | cat - <(step_subordinate brief root-g1 \
		'key: brief' 'Example Brief' 100d |
		sed 's/profile: issuing-ca/profile: policy-ca/') | run_plan brief
	new crl brief
	grep -qE '^ +validity: 9[23]d$' "$P" # by the hour of the day
	comment 'Not the usual 182 days: brief ends on'
	check
	new rollover brief
	has 'name: brief-g2' 'common-name: Example Brief G2'
	check
}

@test "names that YAML would read otherwise come back as they were" {
	cat > "$P" <<-'END'
	- generate-key: {key: odd, type: p-384, purpose: ca, backup: none}
	- root:
	    name: odd
	    key: odd
	    profile: root
	    subject:
	      country: DE
	      organization: 'Trust: "A" #1 & Söhne'
	      common-name: "'t Odd R9"
	END
	plan odd < "$P" > odd.yaml
	must ca-tool-pin plan run -d "$A" odd.yaml --yes
	new rollover odd
	has 'organization: "Trust: \"A\" #1 & Söhne"' 'common-name: "'"'t Odd R10"'"'
	check
	run_it
	[[ $(openssl x509 -in "$A/public/certs/odd-g2.pem" -noout -subject \
		-nameopt utf8,sep_multiline) == *'Trust: "A" #1 & Söhne'* ]]
}

@test "a key to destroy, changes to adopt, a clock that is right" {
	new destroy-key issuing-g1
	has 'key: issuing-g1'
	run ca-tool plan new -d "$A" destroy-key nobody
	refused 3 "no key 'nobody'"
	new adopt-config
	comment '- nothing'
	echo '# changed' >> "$A/profiles/client.yaml"
	new adopt-config
	comment "- changed: profiles/client.yaml, SHA-256 now $(sha256sum \
		"$A/profiles/client.yaml" | cut -d' ' -f1)"
	fill why 'a comment more'
	run_it
	new correct-clock
	comment 'this plan is not needed and will be refused'
	run no_leaks faketime -f -10d "$CA_TOOL" plan new -d "$A" correct-clock
	[[ $(tr -d '\n#' <<< "$output" | tr -s ' ') == *'which is before that'* ]]
}

@test "it changes nothing, and overwrites no file" {
	unchanged_but_done ca-tool plan new -d "$A" crl
	new crl
	echo mine > "$P"
	run ca-tool plan new -d "$A" crl -o "$P"
	refused 3 'is there already'
	[ "$(cat "$P")" = mine ]
	run ca-tool plan new -d "$A" crl -o nowhere/plan.yaml
	refused 3 nowhere
	# On standard output, in a file and in JSON it is the same plan.
	rm "$P"
	run ca-tool plan new -d "$A" crl root-g1
	diff <(sed 1,2d <<< "$output") <(ca-tool plan new -d "$A" crl root-g1 \
		--json | python3 -c 'import json, sys
print(json.load(sys.stdin)["text"], end="")' | sed 1,2d)
}

unchanged_but_done() {
	local before
	before=$(snapshot "$A")
	must "$@"
	[ "$before" = "$(snapshot "$A")" ]
}

@test "arguments that are wrong" {
	run ca-tool plan new -d "$A"
	refused 2 'which kind of plan'
	run ca-tool plan new -d "$A" crls
	refused 2 "no kind of plan 'crls'"
	run ca-tool plan new -d "$A" reshare me
	refused 2 'takes no NAME'
	run ca-tool plan new -d "$A" root 'A Root'
	refused 2 'is no name'
	run ca-tool plan new -d "$A" crl nobody
	refused 3 "no CA 'nobody'"
	run ca-tool plan new -d "$BATS_TEST_TMPDIR" crl
	[ "$status" -eq 3 ]
}
