#!/usr/bin/env bats
# Every profile that is shipped makes an object in a ceremony, which the linter
# has no error about, and which openssl, GnuTLS, NSS and Java accept, with
# revocation checked; and refuse where it is revoked.
# shellcheck disable=SC2015,SC2086,SC2030,SC2031,SC2154,SC2164,SC1091

bats_require_minimum_version 1.5.0

# subject NAME: the subject of a step
subject() {
	printf '      subject: { country: DE, organization: Example Test,'
	printf ' common-name: Test %s }\n' "$1"
}

# ca_step NAME PROFILE ISSUER: a CA whose key is on the token
ca_step() {
	printf '  - subordinate:\n      name: %s\n      profile: %s\n' "$1" "$2"
	printf '      issuer: %s\n      key: %s\n' "$3" "$1"
	subject "$1"
}

# responder_step NAME PROFILE ISSUER: from the request NAME.csr
responder_step() {
	printf '  - ocsp-responder:\n      name: %s\n      profile: %s\n' "$1" "$2"
	printf '      issuer: %s\n      csr: %s.csr\n' "$3" "$1"
	subject "$1"
}

# cross_step NAME PROFILE ISSUER FILE
cross_step() {
	printf '  - cross: { name: %s, profile: %s, issuer: %s, existing: %s }\n' \
		"$1" "$2" "$3" "$4"
}

# leaf_step NAME PROFILE ISSUER REST...: from the request NAME.csr
leaf_step() {
	printf '  - end-entity:\n      name: %s\n      profile: %s\n' "$1" "$2"
	printf '      issuer: %s\n      csr: %s.csr\n' "$3" "$1"
	shift 3
	[ $# -eq 0 ] || printf '      %s\n' "$@"
}

# scoped_step NAME PROFILE ISSUER
scoped_step() {
	printf '  - crl: { name: %s, profile: %s, issuer: %s, url: %s }\n' \
		"$1" "$2" "$3" "http://pki.example.org/$3.crl"
}

# full_step NAME PROFILE ISSUER
full_step() {
	printf '  - crl: { name: %s, profile: %s, issuer: %s }\n' "$1" "$2" "$3"
}

# leaf_request NAME [RSA bits]: NAME.key, NAME.csr, with a common name
leaf_request() {
	local kind=(-newkey ec -pkeyopt ec_paramgen_curve:P-256)
	[ $# -lt 2 ] || kind=(-newkey "rsa:$2")
	openssl req -new "${kind[@]}" -noenc -subj "/CN=device $1" \
		-keyout "$1.key" -out "$1.csr" 2>/dev/null
}

# A root of somebody else, its CA and a server below that.
foreign_pki() { # NAME ORGANIZATION
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-384 -noenc \
		-keyout "$1.key" -out "$1.pem" -days 3000 -sha384 \
		-subj "/C=DE/O=$2/CN=Foreign $1" \
		-addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc \
		-keyout "$1-leaf.key" -out "$1-leaf.csr" \
		-subj "/C=DE/O=$2" 2>/dev/null
	cat >"$1.ext" <<-END
	basicConstraints=critical,CA:FALSE
	keyUsage=critical,digitalSignature
	extendedKeyUsage=serverAuth
	subjectAltName=DNS:www.foreign.example.org
	subjectKeyIdentifier=hash
	authorityKeyIdentifier=keyid
	certificatePolicies=2.23.140.1.2.1
	END
	openssl x509 -req -in "$1-leaf.csr" -CA "$1.pem" -CAkey "$1.key" \
		-days 30 -sha384 -extfile "$1.ext" -out "$1-leaf.pem" \
		2>/dev/null
	# The foreign CA's own CRL, for its leaf.
	: >"$1.index"
	cat >"$1.cnf" <<-END
	[ca]
	default_ca=own
	[own]
	database=$1.index
	crlnumber=$1.number
	default_md=sha384
	crl_extensions=ext
	[ext]
	authorityKeyIdentifier=keyid
	END
	echo 01 >"$1.number"
	openssl ca -gencrl -config "$1.cnf" -cert "$1.pem" -keyfile "$1.key" \
		-crldays 30 -out "$1.crl.pem" 2>/dev/null
}

PURPOSE_CA="policy-g1 issuing-g1 smime-g1 code-g1 policy-old tls-g1"

first_plan() {
	plan_head first
	for key in root-g1 public-g1 policy-g1 policy-old; do
		key_step "$key" p-384 ca
	done
	for key in issuing-g1 smime-g1 code-g1 tls-g1; do
		key_step "$key" p-256 ca
	done
	certificate_step root root-g1 root
	certificate_step root public-g1 root-public
	ca_step policy-g1 policy-ca root-g1
	ca_step policy-old policy-ca root-g1
	ca_step issuing-g1 issuing-ca policy-g1
	ca_step smime-g1 issuing-ca-smime policy-g1
	ca_step code-g1 issuing-ca-code-signing policy-g1
	ca_step tls-g1 issuing-ca-tls public-g1
	cross_step cross-g1 cross root-g1 foreign.pem
	cross_step cross-old cross root-g1 foreign-old.pem
	cross_step cross-public cross-public public-g1 foreign-public.pem
	responder_step responder-g1 ocsp-responder root-g1
	responder_step responder-public ocsp-responder-public public-g1
	for name in www www-rsa www-old; do
		leaf_step $name tls-server issuing-g1 \
			"names: { dns: [$name.example.org, '*.$name.example.org'], ip: [192.0.2.1, '2001:db8::1'] }"
	done
	for name in device device-old; do
		leaf_step $name client issuing-g1 \
			'subject: { organization: Example Test }' \
			"names: { uri: ['urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8'] }"
	done
	for name in mail mail-rsa mail-old; do
		leaf_step $name smime smime-g1 \
			"subject: { common-name: $name }" \
			"names: { email: [$name@example.org] }"
	done
	for name in code code-old; do
		leaf_step $name code-signing code-g1 \
			'subject: { country: DE, locality: Berlin, organization: Example Test, common-name: Example Test }'
	done
	crls 1
}

# Of every CA; and beside the full ones those that are limited.
crls() { # GENERATION
	local ca
	for ca in root-g1 policy-g1 policy-old; do
		full_step "$ca-$1" ca-crl "$ca"
	done
	for ca in issuing-g1 smime-g1 code-g1; do
		full_step "$ca-$1" crl-user "$ca"
	done
	full_step "public-g1-$1" ca-crl-public public-g1
	full_step "tls-g1-$1" crl-user-public tls-g1
	scoped_step "policy-g1-ca-$1" crl-ca-only policy-g1
	scoped_step "issuing-g1-part-$1" crl-partition issuing-g1
	scoped_step "smime-g1-part-$1" crl-partition smime-g1
	scoped_step "code-g1-part-$1" crl-partition code-g1
}

second_plan() {
	local pair
	plan_head second
	for pair in policy-old:root-g1 cross-old:root-g1 www-old:issuing-g1 \
		device-old:issuing-g1 mail-old:smime-g1 code-old:code-g1; do
		revoke_step "${pair#*:}" \
			"$(serial_of ca/public/certs/"${pair%:*}".pem)" superseded
	done
	crls 2
}

# NSS takes trust, CAs and CRLs from a database.
nss_database() { # NAME CRL...
	local db=$1 name
	shift
	mkdir "$db"
	certutil -N -d sql:"$db" --empty-password
	for name in root-g1 public-g1; do
		certutil -A -d sql:"$db" -n $name -t CT,C,C -i "$certs"/$name.pem
	done
	for name in $PURPOSE_CA cross-g1 cross-old; do
		certutil -A -d sql:"$db" -n "$name" -t ,, -i "$certs"/"$name".pem
	done
	for name in "$@"; do
		crlutil -I -d sql:"$db" -t 1 -i "$crls"/"$name".crl
	done
}

setup_file() {
	. "$BATS_TEST_DIRNAME/../ceremony.bash"
	cd "$BATS_FILE_TMPDIR"
	certs=ca/public/certs crls=ca/public/crls
	for name in responder-g1 responder-public www www-old device \
		device-old mail mail-old code code-old; do
		leaf_request $name
	done
	leaf_request www-rsa 2048
	leaf_request mail-rsa 2048
	foreign_pki foreign "Example Foreign"
	foreign_pki foreign-old "Example Foreign"
	foreign_pki foreign-public "Example Test" # an affiliate
	javac -d . "$BATS_TEST_DIRNAME/Verify.java"
	first_plan >first.yaml
	init_authority ca --profiles "$PROFILES" >log 2>&1 || { cat log; return 1; }
	run_plan ca first.yaml >log 2>&1 || { cat log; return 1; }
	second_plan >second.yaml
	run_plan ca second.yaml >log 2>&1 || { cat log; return 1; }
	local full=(root-g1 policy-g1 policy-old issuing-g1 smime-g1 code-g1
		public-g1 tls-g1)
	{
		nss_database nss-0
		nss_database nss-1 "${full[@]/%/-1}"
		nss_database nss-2 "${full[@]/%/-2}"
	} >log 2>&1 || { cat log; return 1; }
	cat "$crls"/*-g1-1.pem "$crls"/policy-old-1.pem >full-1.pem
	cat "$crls"/*-g1-2.pem "$crls"/policy-old-2.pem >full-2.pem
	# Instead of the full ones, what is limited to a scope.
	for n in 1 2; do
		cat "$crls"/root-g1-$n.pem "$crls"/policy-g1-ca-$n.pem \
			"$crls"/*-part-$n.pem >scoped-$n.pem
	done
}

setup() {
	. "$BATS_TEST_DIRNAME/../ceremony.bash"
	cd "$BATS_FILE_TMPDIR"
	certs=ca/public/certs crls=ca/public/crls
}

# NAME, its issuers from the root down, its use: server, client, mail, code, ca,
# responder.  Those whose name ends in -old are revoked on the second CRLs.
table() {
	cat <<-END
	policy-g1        root-g1                      ca
	policy-old       root-g1                      ca
	issuing-g1       root-g1,policy-g1            ca
	smime-g1         root-g1,policy-g1            ca
	code-g1          root-g1,policy-g1            ca
	tls-g1           public-g1                    ca
	cross-g1         root-g1                      ca
	cross-old        root-g1                      ca
	cross-public     public-g1                    ca
	responder-g1     root-g1                      responder
	responder-public public-g1                    responder
	www              root-g1,policy-g1,issuing-g1 server
	www-rsa          root-g1,policy-g1,issuing-g1 server
	www-old          root-g1,policy-g1,issuing-g1 server
	device           root-g1,policy-g1,issuing-g1 client
	device-old       root-g1,policy-g1,issuing-g1 client
	mail             root-g1,policy-g1,smime-g1   mail
	mail-rsa         root-g1,policy-g1,smime-g1   mail
	mail-old         root-g1,policy-g1,smime-g1   mail
	code             root-g1,policy-g1,code-g1    code
	code-old         root-g1,policy-g1,code-g1    code
	END
}

# each COMMAND GENERATION: COMMAND NAME ISSUERS USE GENERATION has to accept
# those that are not revoked by then, and to refuse the others.
each() {
	local name issuers use
	while read -r name issuers use; do
		if [[ $name == *-old && $2 == 2 ]]; then
			run "$1" "$name" "$issuers" "$use" "$2"
			[ "$status" -ne 0 ] && [[ $output == *[Rr]evoked* ]] || {
				echo "$name is not refused: $status $output"
				return 1
			}
		else
			run "$1" "$name" "$issuers" "$use" "$2"
			[ "$status" -eq 0 ] || {
				echo "$name is refused: $status $output"
				return 1
			}
		fi
	done < <(table)
}

# between ISSUERS: the certificates from the root to the leaf's issuer
between() {
	local name
	for name in ${1//,/ }; do
		cat "$certs"/"$name".pem
	done
}

with_openssl() { # NAME ISSUERS USE CRL-FILE
	local purpose
	case $3 in
	server) purpose=sslserver ;;
	client) purpose=sslclient ;;
	mail) purpose=smimesign ;;
	responder) purpose=ocsphelper ;;
	*) purpose=any ;;
	esac
	between "$2" >between.pem
	openssl verify -x509_strict -crl_check_all -purpose $purpose \
		-CAfile "$certs"/"${2%%,*}".pem -untrusted between.pem \
		-CRLfile "$4" "$certs"/"$1".pem
}

full_openssl() {
	with_openssl "$1" "$2" "$3" full-"$4".pem
}

# GnuTLS wants the chain leaf first, and all CRLs; exits 0 with "Not verified".
full_gnutls() { # NAME ISSUERS USE GENERATION
	local name oid purpose=()
	case $3 in
	server) oid=1.3.6.1.5.5.7.3.1 ;;
	client) oid=1.3.6.1.5.5.7.3.2 ;;
	code) oid=1.3.6.1.5.5.7.3.3 ;;
	mail) oid=1.3.6.1.5.5.7.3.4 ;;
	responder) oid=1.3.6.1.5.5.7.3.9 ;;
	*) oid= ;;
	esac
	[ -z "$oid" ] || purpose=(--verify-purpose "$oid")
	{
		cat "$certs"/"$1".pem
		for name in $(tr , '\n' <<<"$2" | tac); do
			[ "$name" = "${2%%,*}" ] || cat "$certs"/"$name".pem
		done
	} >gnutls.pem
	certtool --verify --verify-profile medium "${purpose[@]}" \
		--load-ca-certificate "$certs"/"${2%%,*}".pem \
		--load-crl full-"$4".pem --infile gnutls.pem |
		grep '^Chain verification output: ' | tee verdict
	grep -q ': Verified\.' verdict
}

full_nss() { # NAME ISSUERS USE GENERATION
	local usage
	case $3 in
	client) usage=0 ;;
	server) usage=1 ;;
	mail) usage=4 ;;
	code) usage=6 ;;
	responder) usage=10 ;;
	ca) usage=11 ;;
	esac
	vfychain -d sql:nss-"$4" -pp -u $usage \
		-g leaf -m crl -s requireInfo -s failIfNoInfo \
		-g chain -m crl -s requireInfo -s failIfNoInfo \
		-a "$certs"/"$1".pem
}

# java_jobs CRL...: a line for each certificate, read from a table on stdin
java_jobs() {
	local name issuers use issuer
	while read -r name issuers use; do
		echo -n "$name"
		for issuer in ${issuers//,/ }; do
			echo -n " $certs/$issuer.pem"
		done
		echo " $certs/$name.pem -- $*"
	done
}

with_java() {
	java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp . Verify
}

@test "every profile that is shipped is covered" {
	ca journal show -d ca --json | python3 -c '
import json, sys
used = {"ocsp-response",  # made below
    "ocsp-response-user"}  # ocsp.bats
for line in sys.stdin:
    entry = json.loads(line)
    if entry["kind"] == "intent" and entry["data"].get("profile"):
        used.add(entry["data"]["profile"])
print("\n".join(sorted(used)))' >used
	find "$PROFILES" -name '*.yaml' -printf '%f\n' | sed 's/\.yaml$//' |
		sort >shipped
	[ "$(wc -l <shipped)" -ge 20 ]
	diff shipped used
}

@test "each certificate of the table is there, and each that is there is in it" {
	{ table | cut -d' ' -f1; echo root-g1; echo public-g1; } | sort >wanted
	find $certs -name '*.pem' -printf '%f\n' | sed 's/\.pem$//' | sort |
		diff wanted -
}

@test "the linter has no error about any of them" {
	local name issuers use
	while read -r name issuers use; do
		run -0 ca lint --issuer "$certs"/"${issuers##*,}".pem \
			"$certs"/"$name".der
	done < <(table)
	run -0 ca lint "$certs"/root-g1.der "$certs"/public-g1.der
	for crl in "$crls"/*.crl; do
		name=$(basename "$crl" .crl)
		name=${name%-[12]}
		name=${name%-ca}
		run -0 ca lint --issuer "$certs"/"${name%-part}".pem "$crl"
	done
}

@test "the journal's audit has no error about any of them" {
	# Without an anchor from outside it is consistent in itself, at most.
	run -3 --separate-stderr ca journal verify ca --json
	python3 -c '
import json, sys
report = json.loads(sys.argv[1])
bad = [f for f in report["findings"] if f["severity"] != "notice"]
assert not bad, bad' "$output"
}

@test "openssl accepts each, for its purpose" {
	each full_openssl 1
}

@test "openssl refuses those that are revoked" {
	each full_openssl 2
}

@test "openssl refuses each for another purpose" {
	run ! with_openssl www root-g1,policy-g1,issuing-g1 client full-1.pem
	run ! with_openssl device root-g1,policy-g1,issuing-g1 server full-1.pem
	run ! with_openssl mail root-g1,policy-g1,smime-g1 server full-1.pem
	run ! with_openssl code root-g1,policy-g1,code-g1 client full-1.pem
	run ! with_openssl responder-g1 root-g1 server full-1.pem
}

@test "openssl finds names in the server's certificate" {
	between root-g1,policy-g1,issuing-g1 >between.pem
	verify() {
		openssl verify -x509_strict -CAfile "$certs"/root-g1.pem \
			-untrusted between.pem "$@" "$certs"/www.pem
	}
	verify -verify_hostname www.example.org
	verify -verify_hostname a.www.example.org
	verify -verify_ip 192.0.2.1
	verify -verify_ip 2001:db8::1
	run ! verify -verify_hostname www.example.com
	run ! verify -verify_ip 192.0.2.2
	openssl verify -x509_strict -CAfile "$certs"/root-g1.pem \
		-untrusted <(between root-g1,policy-g1,smime-g1) \
		-verify_email mail@example.org "$certs"/mail.pem
}

@test "openssl knows the scope of CRLs that are limited" {
	for name in www device; do
		with_openssl $name root-g1,policy-g1,issuing-g1 any scoped-1.pem
		with_openssl $name root-g1,policy-g1,issuing-g1 any scoped-2.pem
		with_openssl $name-old root-g1,policy-g1,issuing-g1 any \
			scoped-1.pem
		run ! with_openssl $name-old root-g1,policy-g1,issuing-g1 any \
			scoped-2.pem
		[[ $output == *"certificate revoked"* ]]
	done
	with_openssl mail root-g1,policy-g1,smime-g1 mail scoped-2.pem
	run ! with_openssl mail-old root-g1,policy-g1,smime-g1 mail scoped-2.pem
	with_openssl code root-g1,policy-g1,code-g1 code scoped-2.pem
	run ! with_openssl code-old root-g1,policy-g1,code-g1 code scoped-2.pem
	# That of the CAs says nothing of end entities, and the other way round.
	cat "$crls"/root-g1-1.pem "$crls"/policy-g1-ca-1.pem >only-ca.pem
	run ! with_openssl www root-g1,policy-g1,issuing-g1 any only-ca.pem
	cat "$crls"/root-g1-1.pem "$crls"/issuing-g1-part-1.pem >only-user.pem
	run ! with_openssl www root-g1,policy-g1,issuing-g1 any only-user.pem
}

@test "openssl, GnuTLS and Java come from a cross certificate to a foreign leaf" {
	cat full-1.pem foreign.crl.pem >cross-1.pem
	verify() { # CROSS CRL FOREIGN ROOT
		openssl verify -x509_strict -crl_check_all \
			-CAfile "$certs"/"$4".pem \
			-untrusted "$certs"/"$1".pem -CRLfile "$2" "$3"-leaf.pem
	}
	verify cross-g1 cross-1.pem foreign root-g1
	cat full-1.pem foreign-public.crl.pem >cross-2.pem
	verify cross-public cross-2.pem foreign-public public-g1
	cat full-2.pem foreign-old.crl.pem >cross-3.pem
	run ! verify cross-old cross-3.pem foreign-old root-g1
	[[ $output == *"certificate revoked"* ]]
	# The other foreign CA's leaf does not chain to it.
	run ! verify cross-g1 cross-1.pem foreign-old root-g1
	cat foreign-leaf.pem "$certs"/cross-g1.pem |
		certtool --verify --verify-profile medium \
			--load-ca-certificate "$certs"/root-g1.pem |
		grep -q '^Chain verification output: Verified\.'
	# Octet for octet the foreign CA's: name, key, key identifier.
	for part in -subject -pubkey "-ext subjectKeyIdentifier"; do
		# shellcheck disable=SC2086 # two words
		diff <(openssl x509 -noout $part -in foreign.pem) \
			<(openssl x509 -noout $part -in "$certs"/cross-g1.pem)
	done
	run with_java <<-END
	cross $certs/root-g1.pem $certs/cross-g1.pem foreign-leaf.pem -- $crls/root-g1-1.crl foreign.crl.pem
	old $certs/root-g1.pem $certs/cross-old.pem foreign-old-leaf.pem -- $crls/root-g1-2.crl foreign-old.crl.pem
	END
	[ "$status" -eq 1 ]
	[[ $output == *"cross valid"* ]]
	[[ $output == *"old REVOKED"* ]]
}

@test "GnuTLS accepts each, for its purpose" {
	each full_gnutls 1
}

@test "GnuTLS refuses those that are revoked" {
	each full_gnutls 2
}

@test "NSS accepts each, for its purpose, and demands the CRLs" {
	each full_nss 1
	run ! full_nss www root-g1,policy-g1,issuing-g1 server 0
}

@test "NSS refuses those that are revoked" {
	each full_nss 2
}

@test "NSS refuses each for another purpose" {
	run ! full_nss www root-g1,policy-g1,issuing-g1 mail 1
	run ! full_nss mail root-g1,policy-g1,smime-g1 server 1
	run ! full_nss device root-g1,policy-g1,issuing-g1 server 1
	run ! full_nss code root-g1,policy-g1,code-g1 server 1
}

@test "Java accepts each, with full CRLs and with limited ones" {
	run -0 with_java < <(table | java_jobs "$crls"/*-1.crl)
	[ "$(grep -c ' valid$' <<<"$output")" -eq "$(table | wc -l)" ]
	run -0 with_java < <(table | grep -v public | grep 'issuing-g1 ' |
		java_jobs "$crls"/root-g1-1.crl "$crls"/policy-g1-ca-1.crl \
			"$crls"/issuing-g1-part-1.crl)
	[ "${#lines[@]}" -ge 5 ]
}

@test "Java refuses those that are revoked, and only those" {
	run with_java < <(table | java_jobs "$crls"/*-2.crl)
	[ "$status" -eq 1 ]
	[ "$(grep -c ' valid$' <<<"$output")" -eq \
		"$(table | grep -vc -- '-old ')" ]
	[ "$(grep -c -- '-old REVOKED' <<<"$output")" -eq \
		"$(table | grep -c -- '-old ')" ]
	run with_java < <(table | grep '^www-old' |
		java_jobs "$crls"/root-g1-2.crl "$crls"/policy-g1-ca-2.crl \
			"$crls"/issuing-g1-part-2.crl)
	[ "$status" -eq 1 ]
	[[ $output == *"www-old REVOKED"* ]]
	# Without the CRLs nothing is known.
	run with_java < <(table | grep '^www ' | java_jobs)
	[ "$status" -eq 1 ]
	[[ $output == *"www UNDETERMINED_REVOCATION_STATUS"* ]]
}

@test "OCSP responses: the linter, openssl and GnuTLS" {
	respond() { # CERT STATUS OUT
		"$OCSP_RESPONSE" "$PROFILES/ocsp-response.yaml" \
			"$certs"/root-g1.pem "$certs"/"$1".pem \
			"$certs"/responder-g1.pem responder-g1.key "$2" >"$3"
	}
	ask() { # CERT FILE [CA]
		openssl ocsp "${@:4}" -issuer "$certs"/root-g1.pem \
			-cert "$certs"/"$1".pem -respin "$2" -no_nonce \
			-CAfile "${3-"$certs"/root-g1.pem}" 2>&1
	}
	respond policy-g1 good good.ocsp
	respond policy-old superseded revoked.ocsp
	run -0 ca lint --issuer "$certs"/root-g1.pem good.ocsp
	run -0 ca lint --issuer "$certs"/root-g1.pem revoked.ocsp
	run -0 ask policy-g1 good.ocsp
	[[ $output == *"Response verify OK"* ]]
	[[ $output == *"policy-g1.pem: good"* ]]
	run -0 ask policy-g1 good.ocsp "$certs"/root-g1.pem -sha256
	[[ $output == *"policy-g1.pem: good"* ]]
	run -0 ask policy-old revoked.ocsp
	[[ $output == *"Response verify OK"* ]]
	[[ $output == *"policy-old.pem: revoked"* ]]
	[[ $output == *superseded* ]]
	# It is about that certificate alone, and for who trusts this root.
	run ask policy-old good.ocsp
	[[ $output != *"policy-old.pem: good"* ]]
	run ask policy-g1 good.ocsp "$certs"/public-g1.pem
	[[ $output != *"Response verify OK"* ]]
	ocsptool --verify-response --load-issuer "$certs"/root-g1.pem \
		--load-trust "$certs"/root-g1.pem --load-response good.ocsp |
		grep -q 'Success'
	# One bit of the signature.
	python3 - <<-'END'
	data = bytearray(open("good.ocsp", "rb").read())
	data[60] ^= 1
	open("bad.ocsp", "wb").write(data)
	END
	run ask policy-g1 bad.ocsp
	[[ $output != *"Response verify OK"* ]]
	run ! ca lint --issuer "$certs"/root-g1.pem bad.ocsp
	# A reason that may not be given.
	run ! respond policy-g1 certificateHold hold.ocsp
}
