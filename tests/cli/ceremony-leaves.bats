#!/usr/bin/env bats
# Certificates of end entities, cross certificates, CRLs of a scope: what they
# hold, and what is refused.

load ceremony-helper

setup_file() {
	base_authority
	cd "$BATS_FILE_TMPDIR" || return
	foreign_ca foreign
	# A policy CA whose issuing CA may issue below example.org alone.
	sed -n 'p; /authority-key-identifier/q' \
		"$BASE/profiles/issuing-ca.yaml" |
		sed -e 's/^id: .*/id: issuing-org/' > "$BASE/profiles/issuing-org.yaml"
	cat >> "$BASE/profiles/issuing-org.yaml" <<-'END'
	  name-constraints:
	    critical: yes
	    permitted:
	      - {dns: example.org}
	END
	sed -e 's/^id: .*/id: tls-public/' -e 's/^ruleset: .*/ruleset: cabf-tls/' \
		-e '/rsa-pss/d' -e 's/rsa-sha512,$/rsa-sha512]/' \
		-e 's/default: .*/default: 90d/' -e 's/max: .*/max: 99d/' \
		-e '/attribute:/d' -e 's/^subject:.*/subject: []/' \
		-e '/  crl-distribution-points/i\  certificate-policies: {critical: no, policies: [2.23.140.1.2.1]}' \
		"$BASE/profiles/tls-server.yaml" > "$BASE/profiles/tls-public.yaml"
	adopt_profiles "$BASE" issuing-org
	{
		step_key issuing-org
		step_subordinate issuing-org root-g1 'key: issuing-org' |
			sed 's/profile: issuing-ca/profile: issuing-org/'
	} | plan org > org.yaml
	ca-tool-pin plan run -d "$BASE" org.yaml --yes
}

setup() {
	copy_authority
	cp "$BATS_FILE_TMPDIR"/foreign* .
	make_request device
}

# adopt_profiles DIR ID: take in what was put below profiles/
adopt_profiles() {
	plan "adopt-$2" > "$2.yaml" <<-END
	- adopt-config: { why: "a profile for tests" }
	END
	ca-tool-pin plan run -d "$1" "$2.yaml" --yes
}

# foreign_ca NAME [OPTION...]: a root of somebody else
foreign_ca() {
	local name=$1
	shift
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-384 -noenc \
		-keyout "$name.key" -out "$name.pem" -days 3000 -sha384 \
		-subj "/C=DE/O=Foreign Trust/CN=Foreign $name" \
		-addext keyUsage=critical,keyCertSign,cRLSign "$@" 2> /dev/null
}

step_cross() { # NAME ISSUER FILE [LINE]
	cat <<-END
	- cross:
	    name: $1
	    issuer: $2
	    existing: $3
	    profile: cross
	    ${4-}
	END
}

step_leaf() { # NAME CSR PROFILE [ISSUER]; further lines from stdin
	cat <<-END
	- end-entity:
	    name: $1
	    issuer: ${4:-issuing-g1}
	    csr: $2
	    profile: $3
	END
	sed 's/^/    /'
}

step_scoped() { # NAME ISSUER PROFILE [URL]
	echo "- crl: { name: $1, issuer: $2, profile: $3," \
		"url: ${4:-http://crl.example.org/$2.crl} }"
}

# A request with extensions: request_with NAME SUBJECT LINE...
request_with() {
	local name=$1 subject=$2
	shift 2
	{
		printf '[req]\ndistinguished_name=dn\nreq_extensions=ext\n'
		printf '[dn]\n[ext]\n'
		printf '%s\n' "$@"
	} > "$name.cnf"
	openssl req -new -config "$name.cnf" -newkey ec \
		-pkeyopt ec_paramgen_curve:P-256 -noenc -utf8 \
		-keyout "$name.key" -out "$name.csr" -subj "$subject" \
		2> /dev/null
}

# verified: the journal's audit has no error.
verified() {
	run --separate-stderr ca-tool journal verify "$A" --json
	[ "$status" -eq 3 ] # without an anchor
	python3 -c '
import json, sys
bad = [f for f in json.loads(sys.argv[1])["findings"]
       if f["severity"] != "notice" and f["id"] != "AUDIT-SET"]
assert not bad, bad' "$output"
}

# ---- end entities ----------------------------------------------------------

@test "a server's certificate: names from the plan, key from the request" {
	{
		step_leaf www partner.csr tls-server <<-'END'
		names:
		  dns: [www.example.org, '*.example.org']
		  ip: [192.0.2.7, '2001:db8::7']
		END
		step_list issuing-1 issuing-g1
	} | plan leaf > "$P"
	run ca-tool plan show -d "$A" "$P"
	[ "$status" -eq 0 ]
	finding "certificate 'www' for dns:www.example.org," \
		'dns:\*.example.org, ip:192.0.2.7, ip:2001:db8::7' \
		'(empty)' 'alternative names:' CSR-IGNORE
	must ca-tool-pin plan run -d "$A" "$P" --yes
	local pem=$A/public/certs/www.pem
	[ -f "$A/public/certs/www.der" ]
	diff <(openssl x509 -in "$pem" -noout -pubkey) \
		<(openssl pkey -in partner.key -pubout)
	run openssl x509 -in "$pem" -noout -text
	[[ $output == *'DNS:www.example.org, DNS:*.example.org, IP Address:192.0.2.7'* ]]
	[[ $output == *'X509v3 Subject Alternative Name: critical'* ]]
	[[ $output == *'TLS Web Server Authentication'* ]]
	[[ $output != *'partner'* ]]
	[[ $output != *'CA:TRUE'* ]]
	# What was confirmed had all of the names.
	grep -q 'certificate for dns:www.example.org, dns:\*.example.org, ip:192.0.2.7, ip:2001:db8::7, issued by' \
		"$A"/ceremonies/leaf-*/list-0
	says "[d['certificate_kind'] for d in D('intent')
		if d['name'] == 'www'] == ['end-entity']"
	says "[d['subject_key'] for d in D('intent')
		if d['name'] == 'www'] == [None]"
	says "[d['ca'] for d in D('intent') if d['name'] == 'www'] == [False]"
	sound
	verified
}

@test "the room is shown all names, and what the request does not get" {
	request_with greedy '/O=Greedy/CN=evil.example.net' \
		'subjectAltName=DNS:evil.example.net,DNS:www.example.org' \
		'basicConstraints=critical,CA:TRUE' \
		'keyUsage=keyCertSign' 'extendedKeyUsage=OCSPSigning'
	step_leaf www greedy.csr tls-server <<< 'names: { dns: [www.example.org] }' |
		plan leaf > "$P"
	run ca-tool plan check -d "$A" "$P"
	[ "$status" -eq 0 ]
	finding CSR-IGNORE CSR-NO-CA evil.example.net 'basicConstraints, cA' \
		'keyCertSign or cRLSign' OCSPSigning
	must ca-tool-pin plan run -d "$A" "$P" --yes
	finding 'alternative names:' 'dns:www.example.org' 'request:' \
		"alternative name 'evil.example.net'" \
		'what no end entity gets'
	run openssl x509 -in "$A/public/certs/www.pem" -noout -text
	[[ $output != *evil* ]]
	[[ $output != *CA:TRUE* ]]
	[[ $output != *OCSP\ Signing* ]]
	[[ $output != *Certificate\ Sign* ]]
	verified
}

@test "a device's own name comes from its request, and nothing else" {
	request_with sensor '/O=Greedy/CN=sensor 17' 'subjectAltName=DNS:x.example'
	step_leaf sensor sensor.csr client <<-'END' | plan leaf > "$P"
	subject: { organization: Example Trust }
	names: { uri: ['urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8'] }
	END
	must ca-tool-pin plan run -d "$A" "$P" --yes
	run openssl x509 -in "$A/public/certs/sensor.pem" -noout -subject \
		-ext subjectAltName
	[[ $output == *'O = Example Trust, CN = sensor 17'* ]]
	[[ $output == *'URI:urn:uuid:6ba7b810'* ]]
	[[ $output != *x.example* ]]
	verified
	# The plan may not say it too, and a request may not be without it.
	make_request other
	step_leaf other other.csr client <<-'END' | plan leaf-2 > "$P"
	subject: { organization: Example Trust, common-name: sensor 18 }
	END
	check_refused PROFILE-SUBJECT 'from the request'
	openssl req -new -key device.key -subj '/O=Example' -out nameless.csr
	step_leaf other nameless.csr client <<-'END' | plan leaf-3 > "$P"
	subject: { organization: Example Trust }
	END
	check_refused PROFILE-SUBJECT 'common-name'
}

@test "a late request: its names never, its key compared by the room" {
	step_leaf www late tls-server <<< 'names: { dns: [www.example.org] }' |
		plan leaf > "$P"
	must ca-tool-pin plan run -d "$A" "$P" --yes --csr www=partner.csr
	finding 'so no approval covers'
	diff <(openssl x509 -in "$A/public/certs/www.pem" -noout -pubkey) \
		<(openssl pkey -in partner.key -pubout)
	verified
	step_leaf dev late client <<< 'subject: { organization: Example Trust }' |
		plan leaf-2 > "$P"
	check_refused CSR-LATE 'names from the request'
}

@test "a late request that does not come, or for a key in use" {
	step_leaf www late tls-server <<< 'names: { dns: [www.example.org] }' |
		plan leaf > "$P"
	nothing_signed ca-tool-pin plan run -d "$A" "$P" --yes
	finding '--csr www=FILE'
	step_leaf first partner.csr tls-server \
		<<< 'names: { dns: [first.example.org] }' | plan leaf-2 > "$P"
	must ca-tool-pin plan run -d "$A" "$P" --yes
	step_leaf www late tls-server <<< 'names: { dns: [www.example.org] }' |
		plan leaf-3 > "$P"
	nothing_signed ca-tool-pin plan run -d "$A" "$P" --yes \
		--csr www=partner.csr
	finding KEY-NOT-A-CA-KEY
}

@test "a root never signs an end entity's certificate" {
	step_leaf www partner.csr tls-server root-g1 \
		<<< 'names: { dns: [www.example.org] }' | plan leaf > "$P"
	check_refused KEY-USE-ROOT
	# Nor with a cross certificate of its key.
	step_key root-g2 | cat - <(step_root root-g2) | plan g2 > "$P"
	must ca-tool-pin plan run -d "$A" "$P" --yes
	step_cross g2-by-g1 root-g1 "$A/public/certs/root-g2.pem" 'key: root-g2' |
		plan cross > "$P"
	must ca-tool-pin plan run -d "$A" "$P" --yes
	step_leaf www partner.csr tls-server g2-by-g1 \
		<<< 'names: { dns: [www.example.org] }' | plan leaf-2 > "$P"
	check_refused KEY-USE-ROOT
	verified
}

@test "names that are refused" {
	refuse_names() { # ID PROFILE LINE
		step_leaf www partner.csr "$2" <<< "$3" | plan leaf > "$P"
		check_refused "$1"
	}
	refuse_names PROFILE-SAN tls-server 'names: { email: [a@example.org] }'
	refuse_names PROFILE-SAN tls-server \
		"names: { dns: [a.example.org], uri: ['https://x.example/'] }"
	refuse_names PROFILE-SAN tls-server 'subject: { country: DE }'
	refuse_names SAN-NO-DUP tls-server \
		'names: { dns: [a.example.org, A.example.org] }'
	refuse_names PROFILE-SAN client \
		$'subject: { organization: x }\nnames: { ip: [192.0.2.1] }'
	step_leaf www partner.csr tls-server <<< 'names: {}' | plan leaf > "$P"
	check_refused PROFILE-SAN
	step_leaf www partner.csr tls-server <<< 'names: { dns: [] }' |
		plan leaf > "$P"
	check_refused YAML-SCHEMA
	step_leaf www partner.csr tls-server <<< 'names: { host: [a.example] }' |
		plan leaf > "$P"
	check_refused host
	step_leaf www partner.csr tls-server \
		<<< 'names: { dns: ["a.example.org/x"] }' | plan leaf > "$P"
	check_refused 'a.example.org/x'
	step_leaf www partner.csr tls-server \
		<<< 'names: { ip: [192.0.2.300] }' | plan leaf > "$P"
	check_refused '192.0.2.300'
}

@test "under the rules for public trust: names that are no public ones" {
	refuse_name() { # NAME ID
		step_leaf www partner.csr tls-public <<-END | plan leaf > "$P"
		names: { dns: ['$1'] }
		END
		check_refused "$2"
	}
	refuse_name '*.co.uk' DNS-WILDCARD-PSL
	refuse_name '*.ap.gbl' DNS-TLD
	refuse_name 'www.internal' DNS-TLD
	step_leaf www partner.csr tls-public \
		<<< "names: { dns: ['*.example.org', example.org] }" |
		plan leaf > "$P"
	must ca-tool-pin plan run -d "$A" "$P" --yes
	verified
}

@test "a name outside of what the issuer's name constraints permit" {
	step_leaf www partner.csr tls-server issuing-org \
		<<< 'names: { dns: [www.example.com] }' | plan leaf > "$P"
	check_refused SAN-IN-NC www.example.com
	step_leaf www partner.csr tls-server issuing-org \
		<<< 'names: { dns: [www.example.org] }' | plan leaf > "$P"
	must ca-tool-pin plan run -d "$A" "$P" --yes
	verified
}

@test "keys that are refused: ours, used before, too weak for the profile" {
	plan ask <<-'END' > "$P"
	- csr:
	    name: of-issuing
	    key: issuing-g1
	    subject: { country: DE, organization: Example, common-name: Example }
	END
	must ca-tool-pin plan run -d "$A" "$P" --yes
	cp "$A/public/csrs/of-issuing.csr" .
	local names='names: { dns: [www.example.org] }'
	step_leaf www of-issuing.csr tls-server <<< "$names" | plan leaf > "$P"
	check_refused KEY-PURPOSE KEY-NOT-A-CA-KEY
	{
		step_leaf one partner.csr tls-server <<< "$names"
		step_leaf two partner.csr tls-server <<< "$names"
	} | plan leaf > "$P"
	check_refused KEY-NOT-A-CA-KEY
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-521 -noenc \
		-keyout big.key -subj /CN=x -out big.csr 2> /dev/null
	step_leaf www big.csr tls-server <<< "$names" | plan leaf > "$P"
	check_refused PROFILE-KEYS
	# No key of the token: the schema has none.
	{ step_leaf www partner.csr tls-server; echo '    key: issuing-g1'; } \
		< /dev/null | plan leaf > "$P"
	check_refused YAML-SCHEMA
}

@test "profiles of another kind, a validity beyond the profile's" {
	local names='names: { dns: [www.example.org] }'
	step_leaf www partner.csr issuing-ca <<< "$names" | plan leaf > "$P"
	check_refused PROFILE-KIND
	{ step_leaf www partner.csr tls-server <<< "$names"
		echo '    validity: 826d'; } | plan leaf > "$P"
	check_refused PROFILE-VALIDITY
	step_subordinate sub root-g1 'csr: partner.csr' |
		sed 's/profile: .*/profile: tls-server/' | plan leaf > "$P"
	check_refused PROFILE-KIND
}

# ---- cross certificates ----------------------------------------------------

@test "a cross certificate: name, key and key identifier of the existing CA" {
	step_cross cross root-g1 foreign.pem | plan cross > "$P"
	run ca-tool plan show -d "$A" "$P"
	finding "of the CA whose certificate is in" "'foreign.pem', with its"
	must ca-tool-pin plan run -d "$A" "$P" --yes
	finding 'existing certificate: serial'
	local pem=$A/public/certs/cross.pem part
	for part in -subject -pubkey '-ext subjectKeyIdentifier'; do
		# shellcheck disable=SC2086 # two words
		diff <(openssl x509 -noout $part -in foreign.pem) \
			<(openssl x509 -noout $part -in "$pem")
	done
	openssl verify -x509_strict -CAfile "$A/public/certs/root-g1.pem" "$pem"
	says "[d['certificate_kind'] for d in D('intent')
		if d['name'] == 'cross'] == ['cross']"
	# What it stands beside is evidence.
	local digest
	digest=$(sha256sum foreign.pem | cut -d' ' -f1)
	grep -rq "$digest" "$A"/ceremonies/cross-*/manifest*
	verified
	# A second one, when the first ends: the same key, this once.
	step_cross cross-2 root-g1 foreign.pem 'validity: 365d' |
		plan cross-2 > "$P"
	must ca-tool-pin plan run -d "$A" "$P" --yes
	verified
	# It is revoked like any other.
	{
		step_revoke root-g1 "$(serial "$pem")" cessationOfOperation
		step_list root-2 root-g1
	} | plan revoke > "$P"
	must ca-tool-pin plan run -d "$A" "$P" --yes
	[[ $(revoked_on "$A/public/crls/root-2.crl") == "$(serial "$pem") "* ]]
	verified
}

@test "an existing certificate that is changed, is no CA's, or none" {
	python3 - <<-'END'
	import subprocess
	der = bytearray(subprocess.run(["openssl", "x509", "-in", "foreign.pem",
	    "-outform", "DER"], capture_output=True, check=True).stdout)
	open("changed.der", "wb").write(
	    der.replace(b"Foreign foreign", b"Foreigm foreign"))
	END
	step_cross cross root-g1 changed.der | plan cross > "$P"
	check_refused CROSS-PRECHECK 'own signature does not verify'
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc \
		-keyout leaf.key -out leaf.pem -days 30 -subj /CN=leaf \
		-addext basicConstraints=critical,CA:FALSE 2> /dev/null
	step_cross cross root-g1 leaf.pem | plan cross > "$P"
	check_refused CROSS-PRECHECK
	step_cross cross root-g1 partner.csr | plan cross > "$P"
	check_refused partner.csr
	step_cross cross root-g1 absent.pem | plan cross > "$P"
	check_refused absent.pem
	cat foreign.pem foreign.pem > two.pem
	step_cross cross root-g1 two.pem | plan cross > "$P"
	check_refused two.pem
	step_cross cross root-g1 foreign.pem 'csr: partner.csr' |
		plan cross > "$P"
	check_refused CROSS-SPKI-BYTES
	step_cross cross root-g1 foreign.pem 'csr: late' | plan cross > "$P"
	check_refused CSR-LATE
	step_cross cross root-g1 foreign.pem 'subject: { country: DE }' |
		plan cross > "$P"
	check_refused YAML-SCHEMA
}

@test "possession, where the existing certificate is not self-signed" {
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc \
		-keyout below.key -out below.csr \
		-subj "/C=DE/O=Foreign Trust/CN=Foreign below" 2> /dev/null
	printf '%s\n' basicConstraints=critical,CA:TRUE,pathlen:1 \
		keyUsage=critical,keyCertSign,cRLSign \
		extendedKeyUsage=serverAuth,clientAuth \
		subjectKeyIdentifier=hash authorityKeyIdentifier=keyid > below.ext
	openssl x509 -req -in below.csr -CA foreign.pem -CAkey foreign.key \
		-days 2000 -sha384 -extfile below.ext -out below.pem 2> /dev/null
	step_cross cross root-g1 below.pem | plan cross > "$P"
	check_refused CSR-POP
	step_cross cross root-g1 below.pem 'csr: partner.csr' | plan cross > "$P"
	check_refused CROSS-SPKI-BYTES
	step_cross cross root-g1 below.pem 'csr: below.csr' | plan cross > "$P"
	must ca-tool-pin plan run -d "$A" "$P" --yes
	verified
}

@test "a cross certificate that would open what the existing one closes" {
	foreign_ca narrow -addext basicConstraints=critical,CA:TRUE,pathlen:0
	step_cross cross root-g1 narrow.pem | plan cross > "$P"
	check_refused SUB-PATHLEN
	foreign_ca mail -addext extendedKeyUsage=emailProtection
	step_cross cross root-g1 mail.pem | plan cross > "$P"
	check_refused CROSS-EKU-RESTRICTED
	foreign_ca named -addext \
		'nameConstraints=critical,permitted;DNS:example.net'
	step_cross cross root-g1 named.pem | plan cross > "$P"
	check_refused NC-NESTED
	# And below an issuer without path length left.
	step_cross cross issuing-g1 foreign.pem | plan cross > "$P"
	check_refused SUB-PATHLEN
}

@test "our own CA is crossed only where the plan names its key" {
	local own=$A/public/certs/root-g2.pem
	step_key root-g2 | cat - <(step_root root-g2) | plan g2 > "$P"
	must ca-tool-pin plan run -d "$A" "$P" --yes
	step_cross g2-by-g1 root-g1 "$own" | plan cross > "$P"
	check_refused KEY-PURPOSE KEY-NOT-A-CA-KEY "root-g2"
	step_cross g2-by-g1 root-g1 "$own" 'key: issuing-g1' | plan cross > "$P"
	check_refused CROSS-SPKI-BYTES
	step_cross g2-by-g1 root-g1 "$own" 'key: nobody' | plan cross > "$P"
	check_refused KEY-MISSING
	# Another certificate than its own: the key named is not that one's.
	step_cross g2-by-g1 root-g1 foreign.pem 'key: root-g2' |
		plan cross > "$P"
	check_refused CROSS-SPKI-BYTES
	step_cross g2-by-g1 root-g1 "$own" 'key: root-g2' | plan cross > "$P"
	must ca-tool-pin plan run -d "$A" "$P" --yes
	openssl verify -x509_strict -CAfile "$A/public/certs/root-g1.pem" \
		"$A/public/certs/g2-by-g1.pem"
	sound
	verified
	# A partner's, whom this authority has certified, is not a stranger's.
	step_subordinate partner root-g1 'csr: partner.csr' | plan partner > "$P"
	must ca-tool-pin plan run -d "$A" "$P" --yes
	step_cross again root-g2 "$A/public/certs/partner.pem" | plan again > "$P"
	check_refused KEY-NOT-A-CA-KEY
	# And who has a cross certificate gets no other kind beside it.
	openssl req -new -key foreign.key -subj /CN=x -sha384 -out foreign.csr
	step_cross cross root-g1 foreign.pem | plan cross-2 > "$P"
	must ca-tool-pin plan run -d "$A" "$P" --yes
	step_subordinate sub root-g1 'csr: foreign.csr' | plan sub > "$P"
	check_refused KEY-NOT-A-CA-KEY
}

# ---- CRLs of a scope -------------------------------------------------------

# leaves: www and old below issuing-g1, of which old is revoked by plan `revoke`
leaves() {
	make_request old
	{
		step_leaf www partner.csr tls-server \
			<<< 'names: { dns: [www.example.org] }'
		step_leaf old old.csr tls-server \
			<<< 'names: { dns: [old.example.org] }'
	} | run_plan leaves
	OLD=$(serial "$A/public/certs/old.pem")
}

@test "a CRL of a scope lists what is in its scope, and nothing else" {
	leaves
	{
		step_revoke issuing-g1 "$OLD" superseded
		step_scoped users issuing-g1 crl-partition
		step_scoped cas issuing-g1 crl-ca-only
		step_list all issuing-g1
	} | plan revoke > "$P"
	must ca-tool-pin plan run -d "$A" "$P" --yes
	finding 'about: end entities with http://crl.example.org/issuing-g1.crl' \
		'about: CAs with' 'about: all certificates'
	[ "$(revoked_on "$A/public/crls/users.crl")" = "$OLD superseded" ]
	[ -z "$(revoked_on "$A/public/crls/cas.crl")" ]
	[ "$(revoked_on "$A/public/crls/all.crl")" = "$OLD superseded" ]
	run openssl crl -in "$A/public/crls/users.crl" -noout -text
	[[ $output == *'Issuing Distribution Point: critical'* ]]
	[[ $output == *'Only User Certificates'* ]]
	[[ $output == *'URI:http://crl.example.org/issuing-g1.crl'* ]]
	# One series of numbers for all of them.
	[ "$(crl_number "$A/public/crls/cas.crl")" -gt \
		"$(crl_number "$A/public/crls/users.crl")" ]
	says "[d.get('distribution_url') for d in D('intent')
		if d['name'] in ('users', 'all')] ==
		['http://crl.example.org/issuing-g1.crl', None]"
	sound
	verified
	# Each is the successor of its own scope's, not of another's.
	{
		step_scoped cas-2 issuing-g1 crl-ca-only
		step_scoped users-2 issuing-g1 crl-partition
	} | run_plan again
	[ "$(revoked_on "$A/public/crls/users-2.crl")" = "$OLD superseded" ]
	verified
}

@test "partitions are by the URL that certificates refer to" {
	leaves
	# From here on certificates refer to another partition.
	sed -i 's|crl.example.org/{issuer}.crl|crl.example.org/{issuer}-2.crl|' \
		"$A/authority.yaml"
	adopt_profiles "$A" other-url
	make_request newer
	step_leaf newer newer.csr tls-server \
		<<< 'names: { dns: [newer.example.org] }' | run_plan newer
	local newer first second
	newer=$(serial "$A/public/certs/newer.pem")
	{
		step_revoke issuing-g1 "$OLD" superseded
		step_revoke issuing-g1 "$newer" cessationOfOperation
		step_scoped first issuing-g1 crl-partition
		step_scoped second issuing-g1 crl-partition \
			http://crl.example.org/issuing-g1-2.crl
	} | run_plan revoke
	first=$(revoked_on "$A/public/crls/first.crl")
	second=$(revoked_on "$A/public/crls/second.crl")
	[ "$first" = "$OLD superseded" ]
	[ "$second" = "$newer cessation of operation" ]
	verified
}

# last_of NAME URL: the last CRL of a partition
last_of() {
	cat <<-END
	- crl:
	    name: $1
	    issuer: issuing-g1
	    profile: crl-partition
	    url: http://crl.example.org/$2.crl
	    last: "true"
	END
}

@test "a CA with partitions is retired when each has its last CRL" {
	local retire='- ca-state: { key: issuing-g1, state: retired, why: a test }'
	local n part
	for n in one two; do
		make_request "$n"
		step_leaf "$n" "$n.csr" tls-server <<-END | run_plan "$n"
		validity: 8d
		names: { dns: [$n.example.org] }
		END
		[ "$n" = one ] || continue
		sed -i 's|/{issuer}.crl|/{issuer}-2.crl|' "$A/authority.yaml"
		adopt_profiles "$A" other-url
	done
	{
		for n in one two; do
			step_revoke issuing-g1 \
				"$(serial "$A/public/certs/$n.pem")" superseded
		done
		for part in issuing-g1 issuing-g1-2; do
			step_scoped "$part-now" issuing-g1 crl-partition \
				"http://crl.example.org/$part.crl"
		done
	} | run_plan revoke
	# Both lists are complete, and end too early; one of them anew is not both.
	{
		last_of first issuing-g1
		echo "$retire"
	} | plan one > "$P"
	check_refused CA-LAST-CRL
	[[ $output == *'http://crl.example.org/issuing-g1-2.crl'* ]]
	[[ $output != *'issuing-g1.crl'* ]]
	{
		last_of first issuing-g1
		last_of second issuing-g1-2
		echo "$retire"
	} | run_plan both
	says "D('state')[-1]['state'] == 'retired'"
	verified
}

@test "URLs of CRLs that are refused" {
	leaves
	step_scoped users issuing-g1 crl-partition http://crl.example.org/x.crl |
		plan crl > "$P"
	check_refused CRL-IDP-URI
	step_scoped users issuing-g1 crl-partition ldap://crl.example.org/x |
		plan crl > "$P"
	check_refused CRL-IDP-URI
	step_scoped users issuing-g1 ca-crl | plan crl > "$P"
	check_refused CRL-IDP-URI 'so no URL'
	echo '- crl: { name: users, issuer: issuing-g1, profile: crl-partition }' |
		plan crl > "$P"
	check_refused CRL-IDP-URI
}

@test "a responder names no CRL: it is in no partition, and that is said" {
	{
		step_key ocsp-g1 p-256 ocsp
		step_ocsp ocsp-g1 issuing-g1 'key: ocsp-g1'
	} | run_plan responder
	{
		step_revoke issuing-g1 "$(serial "$A/public/certs/ocsp-g1.pem")" \
			superseded
		step_scoped users issuing-g1 crl-partition
		step_list all issuing-g1
	} | plan revoke > "$P"
	run ca-tool plan check -d "$A" "$P"
	[ "$status" -eq 0 ]
	finding CRL-UNION '1 certificates that are revoked name no CRL'
	must ca-tool-pin plan run -d "$A" "$P" --yes
	[ -z "$(revoked_on "$A/public/crls/users.crl")" ]
	[ -n "$(revoked_on "$A/public/crls/all.crl")" ]
	verified
}
