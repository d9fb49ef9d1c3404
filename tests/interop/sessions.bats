#!/usr/bin/env bats
# A CRL session and an OCSP session, each `plan new` and `plan run`, from the keys
# to what openssl, GnuTLS, NSS and Java make of them: what is good is taken, what
# is revoked is refused, and what was changed by an octet is believed by none.
# shellcheck disable=SC2086,SC2030,SC2031,SC2154,SC2164,SC1091

bats_require_minimum_version 1.5.0

# ---- the authority ---------------------------------------------------------

# leaf NAME: a step, and the request for it
leaf() {
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc \
		-subj "/CN=$1" -keyout "$1.key" -out "$1.csr" 2>/dev/null
	printf '  - end-entity:\n      name: %s\n      issuer: issuing-g1\n' "$1"
	printf '      csr: %s.csr\n      profile: tls-server\n' "$1"
	printf '      names: { dns: [%s.example.org] }\n' "$1"
}

first_plan() {
	plan_head first
	key_step root-g1 p-384 ca
	key_step issuing-g1 p-256 ca
	certificate_step root root-g1 root
	certificate_step subordinate issuing-g1 issuing-ca root-g1 \
		key issuing-g1
	certificate_step subordinate partner-g1 issuing-ca root-g1 \
		csr partner.csr
	for name in good-1 good-2 bad-1 bad-2; do
		leaf $name
	done
}

# session NAME KIND [ISSUER]: plan new and plan run.  fill() puts in what a
# person would.
session() {
	local name=$1
	shift
	{
		ca plan new -d ca "$@" -o "$name.yaml" &&
			fill "$name.yaml" &&
			ca plan check -d ca "$name.yaml" &&
			run_plan ca "$name.yaml"
	} >"$name.log" 2>&1 || {
		cat "$name.log"
		return 1
	}
}

fill() {
	:
}

# revoke NAME ISSUER: with the CRL behind it
revoke() {
	serial=$(serial_of "ca/public/certs/$1.pem")
	fill() {
		sed -i -e "s/<serial number in hex>/'$serial'/" \
			-e 's/<reason>/superseded/' "$1"
	}
	session "revoke-$1" revoke "$2" || return 1
	fill() {
		:
	}
}

# NSS's way of asking is answered where serial numbers have 20 octets: one of two
# is taken that has (docs/ocsp.md).
long_serial() { # NAME...
	local name serial
	for name; do
		serial=$(serial_of "ca/public/certs/$name.pem")
		if [[ $serial =~ ^([0-9A-F]{40}|[89A-F][0-9A-F]{37})$ ]]; then
			echo "$name"
			return 0
		fi
	done
	echo "no serial number of 20 octets" >&2
	return 1
}

# NSS takes trust, CAs and CRLs from a database.
nss_database() { # DIR CRL...
	local crl
	mkdir "$1"
	certutil -N -d sql:"$1" --empty-password
	certutil -A -d sql:"$1" -n root -t CT,C,C -i ca/public/certs/root-g1.pem
	certutil -A -d sql:"$1" -n issuing -t ,, -i ca/public/certs/issuing-g1.pem
	for crl in "${@:2}"; do
		crlutil -I -d sql:"$1" -t 1 -i "$crl"
	done
}

setup_file() {
	. "$BATS_TEST_DIRNAME/../ceremony.bash"
	. "$BATS_TEST_DIRNAME/nginx.bash"
	cd "$BATS_FILE_TMPDIR"
	javac -d . "$BATS_TEST_DIRNAME"/{Verify,Ocsp}.java
	start_nginx
	# Whose certificates say where the responses are.
	cp -r "$PROFILES" profiles
	sed -i 's/methods: \[ca-issuers\]/methods: [ca-issuers, ocsp]/' \
		profiles/tls-server.yaml profiles/issuing-ca.yaml
	make_csr partner.csr
	ca init ca --id example.org/test --operators "$OPERATORS/set.yaml" \
		--profiles profiles \
		--crl-url 'http://pki.example.org/{issuer}.crl' \
		--ca-issuers-url 'http://pki.example.org/{issuer}.cer' \
		--ocsp-url "$(cat url)" "${ALL[@]}" >log 2>&1 || {
		cat log
		return 1
	}
	first_plan >first.yaml
	run_plan ca first.yaml >log 2>&1 || { cat log; return 1; }
	long_serial good-1 good-2 >good || return 1
	long_serial bad-1 bad-2 >bad || return 1
	revoke partner-g1 root-g1 || return 1
	revoke "$(cat bad)" issuing-g1 || return 1

	# The two sessions.
	session crl crl || return 1
	session responder-1 ocsp-responder root-g1 || return 1
	session responder-2 ocsp-responder issuing-g1 || return 1
	session ocsp ocsp || return 1
	for batch in ca/public/ocsp/*; do
		publish "${batch##*/}"
	done
	for ca in root issuing; do
		newest_crl $ca-g1 >$ca-crl
	done
	nss_database nss "$(cat root-crl)" "$(cat issuing-crl)" >log 2>&1 || {
		cat log
		return 1
	}
	nss_database nss-none >log 2>&1 || { cat log; return 1; }
}

# The CRL of the highest number.
newest_crl() { # ISSUER
	local crl
	for crl in ca/public/crls/"$1"-*.crl; do
		echo "$((16#$(openssl crl -in "$crl" -noout -crlnumber |
			sed 's/.*=\(0x\)\?//'))) $crl"
	done | sort -n | tail -1 | cut -d' ' -f2
}

teardown_file() {
	. "$BATS_TEST_DIRNAME/nginx.bash"
	cd "$BATS_FILE_TMPDIR"
	stop_nginx
}

setup() {
	. "$BATS_TEST_DIRNAME/../ceremony.bash"
	. "$BATS_TEST_DIRNAME/nginx.bash"
	cd "$BATS_FILE_TMPDIR"
	certs=ca/public/certs
	root_crl=$(cat root-crl) issuing_crl=$(cat issuing-crl)
	good=$(cat good) bad=$(cat bad)
	url=$(cat url)
}

# flip FILE OFFSET OUT: one bit of one octet; from the end where negative
flip() {
	python3 -c 'import sys
octets = bytearray(open(sys.argv[1], "rb").read())
octets[int(sys.argv[2])] ^= 1
open(sys.argv[3], "wb").write(octets)' "$@"
	run ! cmp -s "$1" "$3"
}

# relist CRL SERIAL OTHER OUT: another serial number in the place of that one
relist() {
	python3 -c 'import sys
octets = open(sys.argv[1], "rb").read()
serial, other = bytes.fromhex(sys.argv[2]), bytes.fromhex(sys.argv[3])
assert octets.count(serial) == 1 and len(serial) == len(other)
open(sys.argv[4], "wb").write(octets.replace(serial, other))' "$@"
}

# beside SERIAL: one that differs in its last bit
beside() {
	printf '%s%X' "${1%?}" $((16#${1: -1} ^ 1))
}

# ---- the CRL session -------------------------------------------------------

@test "the CRL session: nothing had to be filled in, each CA has a CRL more" {
	grep -q 'Nothing has to be filled in' crl.log
	[ "$(grep -c '^  - crl:' crl.yaml)" -eq 2 ]
	grep -q "issuer: root-g1" crl.yaml
	grep -q "issuer: issuing-g1" crl.yaml
	for pair in "$root_crl:partner-g1" "$issuing_crl:$bad"; do
		openssl crl -in "${pair%:*}" -noout -text >text
		[ "$(grep -c 'Serial Number:' text)" -eq 1 ]
		grep -q "Serial Number: $(serial_of "$certs/${pair#*:}.pem")" text
	done
}

crl_openssl() { # CERT CRL...
	local cert=$1 crl
	shift
	for crl; do
		openssl crl -inform DER -in "$crl"
	done >crls.pem
	openssl verify -x509_strict -crl_check_all -CAfile $certs/root-g1.pem \
		-untrusted $certs/issuing-g1.pem -CRLfile crls.pem \
		$certs/"$cert".pem
}

# certtool exits 0 with "Not verified".
crl_gnutls() { # CERT CRL...
	local cert=$1 crl
	shift
	for crl; do
		openssl crl -inform DER -in "$crl"
	done >crls.pem
	cat $certs/"$cert".pem $certs/issuing-g1.pem |
		certtool --verify --verify-profile medium \
			--load-ca-certificate $certs/root-g1.pem \
			--load-crl crls.pem |
		grep '^Chain verification output: ' | tee verdict
	grep -q ': Verified\.' verdict
}

crl_nss() { # CERT DATABASE
	vfychain -d sql:"$2" -pp -u 1 \
		-g leaf -m crl -s requireInfo -s failIfNoInfo \
		-g chain -m crl -s requireInfo -s failIfNoInfo \
		-a $certs/"$1".pem
}

crl_java() { # CERT CRL...
	java -XX:TieredStopAtLevel=1 -cp . Verify $certs/root-g1.pem \
		$certs/issuing-g1.pem $certs/"$1".pem -- "${@:2}"
}

@test "the CRL: openssl" {
	openssl crl -in "$root_crl" -noout -CAfile $certs/root-g1.pem 2>&1 |
		grep -q 'verify OK'
	openssl crl -in "$issuing_crl" -noout -CAfile $certs/issuing-g1.pem \
		2>&1 | grep -q 'verify OK'
	crl_openssl "$good" "$root_crl" "$issuing_crl"
	run ! crl_openssl "$bad" "$root_crl" "$issuing_crl"
	[[ $output == *"certificate revoked"* ]]
	# A CA that is revoked, with nothing below it.
	openssl crl -in "$root_crl" -out one.pem
	run ! openssl verify -crl_check -CAfile $certs/root-g1.pem \
		-CRLfile one.pem $certs/partner-g1.pem
	[[ $output == *"certificate revoked"* ]]
	openssl verify -crl_check -CAfile $certs/root-g1.pem \
		-CRLfile one.pem $certs/issuing-g1.pem
}

@test "the CRL: GnuTLS" {
	for pair in "$root_crl:root-g1" "$issuing_crl:issuing-g1"; do
		openssl crl -in "${pair%:*}" | certtool --verify-crl \
			--verify-profile medium \
			--load-ca-certificate "$certs/${pair#*:}.pem" |
			grep -q '^Verification output: Verified\.'
	done
	crl_gnutls "$good" "$root_crl" "$issuing_crl"
	run ! crl_gnutls "$bad" "$root_crl" "$issuing_crl"
	[[ $output == *revoked* ]]
}

@test "the CRL: NSS" {
	crl_nss "$good" nss
	run ! crl_nss "$bad" nss
	[[ $output == *revoked* ]]
	# It does look: without the CRLs nothing is good.
	run ! crl_nss "$good" nss-none
}

@test "the CRL: Java" {
	crl_java "$good" "$root_crl" "$issuing_crl"
	run ! crl_java "$bad" "$root_crl" "$issuing_crl"
	[[ $output == *REVOKED* ]]
}

@test "a CRL of which one octet was changed is believed by none" {
	# In its signature; and in the serial number that is revoked, so that the
	# certificate would be good again.
	flip "$issuing_crl" -1 forged-1.crl
	serial=$(serial_of $certs/"$bad".pem)
	relist "$issuing_crl" "$serial" "$(beside "$serial")" forged-2.crl
	for forged in forged-1.crl forged-2.crl; do
		run openssl crl -in $forged -noout -CAfile $certs/issuing-g1.pem
		[[ $output == *"verify failure"* ]]
		for name in "$good" "$bad"; do
			run ! crl_openssl "$name" "$root_crl" $forged
			[[ $output == *"CRL signature failure"* ]]
			run ! crl_java "$name" "$root_crl" $forged
			[[ $output == *UNDETERMINED_REVOCATION_STATUS* ]]
		done
		# certtool takes what stands beside a chain as it is given; it is
		# this that looks at the signature.
		openssl crl -in $forged -out forged.pem
		run certtool --verify-crl --verify-profile medium --infile \
			forged.pem --load-ca-certificate $certs/issuing-g1.pem
		[[ $output == *"Not verified"* ]]
		rm -rf nss-forged
		run nss_database nss-forged "$root_crl" $forged
		run ! crl_nss "$good" nss-forged
		run ! crl_nss "$bad" nss-forged
	done
	# The way they were forged is not what is refused: the true one is not.
	crl_openssl "$good" "$root_crl" "$issuing_crl"
}

# ---- the OCSP session ------------------------------------------------------

name_of() { # ISSUER CERT HASH
	openssl ocsp -no_nonce -"$3" -issuer "$certs/$1.pem" \
		-cert "$certs/$2.pem" -reqout request.der
	openssl base64 -A -in request.der |
		sed 's/+/%2B/g; s,/,%2F,g; s/=/%3D/g'
}

fetch() { # ISSUER CERT [HASH]
	curl -sSf -o response.der "$url/$(name_of "$1" "$2" "${3-sha256}")"
}

# Is response.der verified? Then what it says: good or revoked.
ocsp_openssl() { # ISSUER CERT HASH
	openssl ocsp -respin response.der -"$3" -issuer "$certs/$1.pem" \
		-cert "$certs/$2.pem" -CAfile $certs/root-g1.pem \
		-verify_other "$certs/$1.pem" >verdict 2>&1
	grep -q '^Response verify OK' verdict &&
		sed -n "s,^$certs/$2.pem: ,,p" verdict | grep .
}

ocsp_gnutls() { # ISSUER CERT
	ocsptool --verify-response --load-response response.der \
		--load-issuer "$certs/$1.pem" --load-cert "$certs/$2.pem" \
		--load-trust "$certs/$1.pem" >verdict 2>&1
	grep -q '^Verifying OCSP Response: Success\.' verdict || {
		cat verdict
		return 1
	}
	ocsptool --response-info --load-response response.der |
		sed -n 's/.*Certificate Status: //p' | sort -u
}

ocsp_java() { # CERT RESPONSE|URL
	java -XX:TieredStopAtLevel=1 -cp . Ocsp $certs/root-g1.pem \
		$certs/issuing-g1.pem $certs/"$1".pem "$2"
}

# It asks at the URL in the certificate, and for nothing else.
ocsp_nss() { # CERT
	vfychain -d sql:nss-none -pp -u 1 \
		-g leaf -m ocsp -s requireInfo -s failIfNoInfo \
		-a $certs/"$1".pem
}

# NSS's own client: the other of its two ways; it always exits 0.
client_nss() { # CERT
	ocspclnt -d sql:nss-none -u s -V $certs/"$1".pem -a 2>&1 | tee verdict
	grep -q 'succeeded\.$' verdict
}

@test "the OCSP session: nothing had to be filled in, a response for each" {
	grep -q 'Nothing has to be filled in' ocsp.log
	[ "$(grep -c '^  - ocsp-responses:' ocsp.yaml)" -eq 2 ]
	# Two CAs and four servers, under two names each.
	[ "$(find ca/public/ocsp -type f | wc -l)" -eq 12 ]
}

@test "OCSP: openssl" {
	for hash in sha256 sha1; do
		for pair in root-g1:issuing-g1:good root-g1:partner-g1:revoked \
			"issuing-g1:$good:good" "issuing-g1:$bad:revoked"; do
			IFS=: read -r issuer name status <<<"$pair"
			fetch "$issuer" "$name" $hash
			[ "$(ocsp_openssl "$issuer" "$name" $hash)" = "$status" ]
		done
	done
	grep -q 'Reason: superseded' verdict
}

@test "OCSP: GnuTLS" {
	fetch issuing-g1 "$good" sha1
	[ "$(ocsp_gnutls issuing-g1 "$good")" = good ]
	fetch issuing-g1 "$bad" sha1
	[ "$(ocsp_gnutls issuing-g1 "$bad")" = revoked ]
	fetch root-g1 issuing-g1 sha1
	[ "$(ocsp_gnutls root-g1 issuing-g1)" = good ]
	run ! ocsp_gnutls issuing-g1 "$good"
}

@test "OCSP: Java, from a file, and with a GET of its own" {
	fetch issuing-g1 "$good" sha1
	ocsp_java "$good" response.der
	ocsp_java "$good" "$url"
	fetch issuing-g1 "$bad" sha1
	run ! ocsp_java "$bad" response.der
	[[ $output == *revoked* ]]
	run ! ocsp_java "$bad" "$url"
	[[ $output == *revoked* ]]
}

@test "OCSP: NSS, with a GET of its own" {
	: >access.log
	ocsp_nss "$good"
	client_nss "$good"
	run ! ocsp_nss "$bad"
	[[ $output == *revoked* ]]
	run ! client_nss "$bad"
	[[ $output == *revoked* ]]
	[ "$(grep -c '"GET /ocsp/MHUw.*" 200 ' access.log)" -ge 4 ]
	run grep -c POST access.log
	[ "$output" -eq 0 ]
}

# serve NAME FILE: in the place of what is said about the certificate
serve() {
	cp "$2" srv/ocsp/"$(name_of issuing-g1 "$1" sha1)"
}

@test "NSS: without an answer nothing is good, nor with one about another" {
	local name kept
	name=$(name_of issuing-g1 "$good" sha1)
	mv "srv/ocsp/$name" kept
	run ocsp_nss "$good"
	kept=$status
	fetch issuing-g1 "$bad" sha1
	serve "$good" response.der
	run ocsp_nss "$good"
	# Good is not said of what is revoked by what is said of another.
	mv kept "srv/ocsp/$name"
	[ "$kept" -ne 0 ]
	[ "$status" -ne 0 ]
	ocsp_nss "$good"
	name=$(name_of issuing-g1 "$bad" sha1)
	cp "srv/ocsp/$name" kept
	fetch issuing-g1 "$good" sha1
	serve "$bad" response.der
	run ocsp_nss "$bad"
	mv kept "srv/ocsp/$name"
	[ "$status" -ne 0 ]
}

@test "a response of which one octet was changed is believed by none" {
	local name at nss file_status
	name=$(name_of issuing-g1 "$good" sha1)
	cp "srv/ocsp/$name" kept
	# In what is said, in its signature, in the responder's certificate.
	for at in 100 "$(signature_at kept)" -20; do
		flip kept "$at" response.der
		run ! ocsp_openssl issuing-g1 "$good" sha1
		run ! ocsp_gnutls issuing-g1 "$good"
		run ! ocsp_java "$good" response.der
		serve "$good" response.der
		run ocsp_nss "$good"
		nss=$status
		run ocsp_java "$good" "$url"
		file_status=$status
		cp kept "srv/ocsp/$name"
		[ "$nss" -ne 0 ]
		[ "$file_status" -ne 0 ]
	done
	cp kept response.der
	[ "$(ocsp_openssl issuing-g1 "$good" sha1)" = good ]
	ocsp_nss "$good"
}

# Where the signature's first octet but the header's is: behind the first
# AlgorithmIdentifier and BIT STRING of the BasicOCSPResponse.
signature_at() {
	python3 -c 'import sys
def read(octets, at):
    length, size = octets[at + 1], 2
    if length & 0x80:
        size += length & 0x7f
        length = int.from_bytes(octets[at + 2:at + size], "big")
    return at + size, at + size + length
octets = open(sys.argv[1], "rb").read()
at, _ = read(octets, 0)      # OCSPResponse
_, at = read(octets, at)     # responseStatus
at, _ = read(octets, at)     # [0]
at, _ = read(octets, at)     # ResponseBytes
_, at = read(octets, at)     # responseType
at, _ = read(octets, at)     # OCTET STRING
at, _ = read(octets, at)     # BasicOCSPResponse
_, at = read(octets, at)     # ResponseData
_, at = read(octets, at)     # AlgorithmIdentifier
at, end = read(octets, at)   # BIT STRING
print(end - 4)' "$1"
}

@test "the linter and the journal agree with all of them" {
	ca lint --issuer $certs/root-g1.pem "$root_crl"
	ca lint --issuer $certs/issuing-g1.pem "$issuing_crl"
	run ca journal verify ca --anchor ca/public/anchor/anchor.txt
	echo "$output"
	[ "$status" -eq 0 ]
}
