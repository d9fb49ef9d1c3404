#!/usr/bin/env bats
# OCSP responses that were signed in advance, served by a real nginx with the
# configuration of docs/examples, fetched with curl, judged by openssl, GnuTLS
# and Java.
# shellcheck disable=SC2030,SC2031,SC2154,SC2164,SC1091

bats_require_minimum_version 1.5.0

response_step() { # NAME ISSUER PROFILE RESPONDER
	echo "  - ocsp-responses:" \
		"{ name: $1, issuer: $2, profile: $3, responder: $4 }"
}

leaf_step() { # NAME CSR
	printf '  - end-entity:\n      name: %s\n      profile: client\n' "$1"
	printf '      issuer: issuing-g1\n      csr: %s\n' "$2"
	printf '      subject: { organization: Example Test }\n'
}

# A request whose names the profile takes.
make_leaf_csr() { # NAME
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc \
		-subj "/CN=$1" -addext "subjectAltName=DNS:$1.example.com" \
		-keyout "$1.key" -out "$1.csr" 2>/dev/null
}

first_plan() {
	plan_head first
	key_step root-g1 p-384 ca
	key_step issuing-g1 p-256 ca
	key_step ocsp-g1 p-256 ocsp
	key_step leaf-ocsp-g1 rsa-2048 ocsp
	certificate_step root root-g1 root
	certificate_step subordinate issuing-g1 issuing-ca root-g1 \
		key issuing-g1
	certificate_step subordinate partner-g1 issuing-ca root-g1 \
		csr partner.csr
	certificate_step ocsp-responder ocsp-g1 ocsp-responder root-g1 \
		key ocsp-g1
	certificate_step ocsp-responder leaf-ocsp-g1 ocsp-responder issuing-g1 \
		key leaf-ocsp-g1
	leaf_step alpha alpha.csr
	leaf_step beta beta.csr
	crl_step root-1 root-g1
	response_step root-1 root-g1 ocsp-response ocsp-g1
	response_step leaves-1 issuing-g1 ocsp-response-user leaf-ocsp-g1
}

# A revocation, and another responder beside the first.
second_plan() {
	plan_head second
	key_step ocsp-g2 p-384 ocsp
	certificate_step ocsp-responder ocsp-g2 ocsp-responder root-g1 \
		key ocsp-g2
	revoke_step root-g1 "$(serial_of ca/public/certs/partner-g1.pem)" \
		superseded
	crl_step root-2 root-g1
	response_step root-2 root-g1 ocsp-response ocsp-g2
}

setup_file() {
	. "$BATS_TEST_DIRNAME/../ceremony.bash"
	. "$BATS_TEST_DIRNAME/nginx.bash"
	cd "$BATS_FILE_TMPDIR"
	make_csr partner.csr
	make_leaf_csr alpha
	make_leaf_csr beta
	init_authority ca >log 2>&1 || { cat log; return 1; }
	first_plan >first.yaml
	run_plan ca first.yaml >log 2>&1 || { cat log; return 1; }
	second_plan >second.yaml
	run_plan ca second.yaml >log 2>&1 || { cat log; return 1; }
	start_nginx
	publish root-1
	publish leaves-1
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
	url=$(cat url)
	rm -f response.der
}

# How openssl asks: base64, as it is.
question() { # ISSUER CERT HASH
	openssl ocsp -no_nonce -"$3" -issuer "$certs/$1.pem" \
		-cert "$certs/$2.pem" -reqout request.der
	openssl base64 -A -in request.der
}

encoded() {
	sed 's/+/%2B/g; s,/,%2F,g; s/=/%3D/g'
}

fetch() { # ISSUER CERT [HASH]
	curl -sSf -D headers -o response.der \
		"$url/$(question "$1" "$2" "${3-sha256}" | encoded)"
}

hex() {
	od -An -tx1 "$1" | tr -d ' \n'
}

# with_openssl ISSUER CERT [HASH]: of response.der
with_openssl() {
	openssl ocsp -respin response.der -"${3-sha256}" \
		-issuer "$certs/$1.pem" -cert "$certs/$2.pem" \
		-CAfile "$certs/root-g1.pem" -verify_other "$certs/$1.pem" \
		>verdict 2>&1
	cat verdict
	grep -q '^Response verify OK' verdict &&
		grep -q "$2.pem: \\(good\\|revoked\\)" verdict
}

with_gnutls() { # ISSUER CERT
	ocsptool --verify-response --load-response response.der \
		--load-issuer "$certs/$1.pem" --load-cert "$certs/$2.pem" \
		--load-trust "$certs/$1.pem" >verdict 2>&1
	cat verdict
	grep -q '^Verifying OCSP Response: Success\.' verdict
}

with_java() { # [ISSUER] CERT SOURCE
	local path=() name
	for name in "${@:1:$#-1}"; do
		path+=("$certs/$name.pem")
	done
	java "$BATS_TEST_DIRNAME/Ocsp.java" "$certs/root-g1.pem" \
		"${path[@]}" "${@: -1}"
}

@test "one file for each certificate and hash, and none else" {
	run ls ca/public/ocsp/root-1
	[ "${#lines[@]}" -eq 4 ] # two CAs; not the root, not its responder
	run ls ca/public/ocsp/leaves-1
	[ "${#lines[@]}" -eq 4 ]
	for pair in root-g1:issuing-g1 root-g1:partner-g1; do
		for hash in sha256 sha1; do
			name=$(question "${pair%:*}" "${pair#*:}" $hash | encoded)
			[ -f "ca/public/ocsp/root-1/$name" ]
		done
	done
	cmp "ca/public/ocsp/root-1/$(
		question root-g1 issuing-g1 sha1 | encoded)" \
		"ca/public/ocsp/root-1/$(
		question root-g1 issuing-g1 sha256 | encoded)"
}

@test "openssl takes what curl has fetched" {
	for hash in sha256 sha1; do
		for pair in root-g1:issuing-g1 root-g1:partner-g1 \
			issuing-g1:alpha issuing-g1:beta; do
			fetch "${pair%:*}" "${pair#*:}" $hash
			with_openssl "${pair%:*}" "${pair#*:}" $hash
			grep -q "${pair#*:}.pem: good" verdict
		done
	done
}

@test "openssl refuses a response that was changed, or is about another" {
	fetch root-g1 issuing-g1
	run ! with_openssl issuing-g1 alpha
	cp response.der kept.der
	for at in 100 -20; do # in ResponseData, in the responder's certificate
		python3 - $at <<-'EOF'
		import sys
		at = int(sys.argv[1])
		octets = bytearray(open("kept.der", "rb").read())
		octets[at] ^= 1
		open("response.der", "wb").write(octets)
		EOF
		run ! with_openssl root-g1 issuing-g1
	done
}

@test "GnuTLS takes it, and not for another issuer" {
	fetch root-g1 issuing-g1 sha1
	with_gnutls root-g1 issuing-g1
	fetch issuing-g1 alpha sha1
	with_gnutls issuing-g1 alpha
	run ! with_gnutls root-g1 issuing-g1
}

@test "Java takes it from a file, and fetches it by itself" {
	fetch root-g1 issuing-g1 sha1
	with_java issuing-g1 response.der
	with_java issuing-g1 "$url"
	# Both certificates of the path.
	with_java issuing-g1 alpha "$url"
	# With GET: nginx has it in its log.
	grep -q 'GET /ocsp/M' access.log
	fetch root-g1 partner-g1 sha1
	run ! with_java issuing-g1 response.der
}

@test "however a client encodes, the answer is the same" {
	fetch root-g1 issuing-g1
	for cert in issuing-g1 partner-g1; do
		fetch root-g1 $cert
		plain=$(question root-g1 $cert sha256)
		curl -sSf --path-as-is -o other.der "$url/$plain"
		cmp response.der other.der
		curl -sSf -o other.der "$url/$(encoded <<<"$plain" |
			sed 's/%2B/%2b/g; s/%2F/%2f/g; s/%3D/%3d/g')"
		cmp response.der other.der
	done
}

@test "the headers are those of RFC 9919, section 6" {
	fetch root-g1 issuing-g1
	tr -d '\r' <headers >plain
	for wanted in 'HTTP/1.1 200' 'Content-Type: application/ocsp-response$' \
		'Last-Modified: ' 'ETag: ' 'Expires: ' \
		'Cache-Control: max-age=[0-9]' \
		'Cache-Control: public, no-transform, must-revalidate$'; do
		grep -q "^$wanted" plain || { echo "no $wanted"; cat plain; false; }
	done
	name=$(question root-g1 issuing-g1 sha256 | encoded)
	run curl -sS -o /dev/null -w '%{http_code}' \
		-z "$(sed -n 's/^Last-Modified: //p' plain)" "$url/$name"
	[ "$output" = 304 ]
}

@test "nobody knows it: unauthorized; and POST is not served" {
	# The responder's own certificate, which has ocsp-nocheck, and the root.
	for cert in ocsp-g1 root-g1; do
		fetch root-g1 $cert
		[ "$(hex response.der)" = 30030a0106 ]
		run openssl ocsp -respin response.der -noverify
		[[ $output == *"unauthorized (6)"* ]]
		run grep -qi '^cache-control: no-store' headers
		[ "$status" -eq 0 ]
	done
	for path in '' AAAA= 'a=b' '..%2F..%2Fnginx.conf' '%2F%2F'; do
		run curl -s --path-as-is -o response.der -w '%{http_code}' \
			"$url/$path"
		[[ $output == 200 || $output == 4?? ]]
		if [ "$output" = 200 ]; then
			[ "$(hex response.der)" = 30030a0106 ]
		fi
	done
	question root-g1 issuing-g1 sha256 >/dev/null
	run curl -s -o /dev/null -w '%{http_code}' \
		-H 'Content-Type: application/ocsp-request' \
		--data-binary @request.der "$url/"
	[ "$output" = 405 ]
}

@test "revoked: said by all, with the CRL's date and reason" {
	publish root-2
	fetch root-g1 partner-g1
	with_openssl root-g1 partner-g1
	grep -q 'partner-g1.pem: revoked' verdict
	grep -q 'Reason: superseded' verdict
	said=$(sed -n 's/.*Revocation Time: //p' verdict)
	listed=$(openssl crl -noout -text -in ca/public/crls/root-2.pem |
		sed -n 's/.*Revocation Date: //p')
	[ -n "$said" ] && [ "$said" = "$listed" ]
	fetch root-g1 partner-g1 sha1
	ocsptool --response-info --load-response response.der >verdict
	grep -q 'Certificate Status: revoked' verdict
	run ! with_java partner-g1 response.der
	[[ $output == *revoked* ]]
	run ! with_java partner-g1 "$url"
	with_java issuing-g1 "$url"
}

@test "old and new responder: both answers verify" {
	name=$(question root-g1 issuing-g1 sha256 | encoded)
	for batch in root-1 root-2; do
		cp "ca/public/ocsp/$batch/$name" response.der
		with_openssl root-g1 issuing-g1
		with_gnutls root-g1 issuing-g1
		with_java issuing-g1 response.der
	done
	run ! cmp "ca/public/ocsp/root-1/$name" "ca/public/ocsp/root-2/$name"
}

@test "nextUpdate is within the life of the responder" {
	for file in ca/public/ocsp/root-2/*; do
		openssl ocsp -respin "$file" -noverify -resp_text >text
		until=$(sed -n 's/ *Next Update: //p' text | sort -u)
		after=$(openssl x509 -noout -enddate \
			-in "$certs/ocsp-g2.pem" | cut -d= -f2)
		[ "$(date -d "$until" +%s)" -le "$(date -d "$after" +%s)" ]
		run ! grep -q 'OCSP Nonce' text
		grep -q 'Responder Id: [0-9A-F]\{40\}' text # byKey
	done
}

@test "the linter and the journal agree" {
	for file in ca/public/ocsp/root-*/*; do
		"$CA_TOOL" lint --issuer "$certs/root-g1.pem" "$file"
	done
	for file in ca/public/ocsp/leaves-1/*; do
		"$CA_TOOL" lint --issuer "$certs/issuing-g1.pem" "$file"
	done
	run "$CA_TOOL" journal verify ca --anchor ca/public/anchor/anchor.txt
	echo "$output"
	[ "$status" -eq 0 ]
}
