#!/usr/bin/env bats
# What ca-tool issues, judged by others: openssl, GnuTLS and NSS.
# shellcheck disable=SC2030,SC2031,SC2154,SC2164,SC1091

bats_require_minimum_version 1.5.0

setup_file() {
	. "$BATS_TEST_DIRNAME/../ceremony.bash"
	cd "$BATS_FILE_TMPDIR"
	make_csr partner.csr
	make_csr responder.csr
	{
		plan_head first
		key_step root-g1 p-384 ca
		key_step issuing-g1 p-256 ca
		key_step ocsp-g1 p-256 ocsp
		certificate_step root root-g1 root
		certificate_step subordinate issuing-g1 issuing-ca root-g1 \
			key issuing-g1
		certificate_step subordinate partner-g1 issuing-ca root-g1 \
			csr partner.csr
		certificate_step ocsp-responder ocsp-g1 ocsp-responder root-g1 \
			key ocsp-g1
		certificate_step ocsp-responder responder-g1 ocsp-responder root-g1 \
			csr responder.csr
		crl_step root-1 root-g1
		crl_step issuing-1 issuing-g1
	} >first.yaml
	init_authority ca >log 2>&1 || { cat log; return 1; }
	run_plan ca first.yaml >log 2>&1 || { cat log; return 1; }
	{
		plan_head second
		revoke_step root-g1 "$(serial_of ca/public/certs/partner-g1.pem)" \
			superseded
		crl_step root-2 root-g1
	} >second.yaml
	run_plan ca second.yaml >log 2>&1 || { cat log; return 1; }

	# NSS takes its trust and its CRLs from a database.
	mkdir nss-0 nss-1 nss-2
	for db in 0 1 2; do
		certutil -N -d sql:nss-$db --empty-password
		certutil -A -d sql:nss-$db -n root -t C,C,C \
			-i ca/public/certs/root-g1.pem
		[ $db -eq 0 ] || crlutil -I -d sql:nss-$db -t 1 \
			-i ca/public/crls/root-$db.crl
	done >log 2>&1 || { cat log; return 1; }
}

setup() {
	. "$BATS_TEST_DIRNAME/../ceremony.bash"
	cd "$BATS_FILE_TMPDIR"
	certs=ca/public/certs crls=ca/public/crls
}

with_openssl() { # CERT CRL
	openssl verify -x509_strict -crl_check_all -CAfile "$certs"/root-g1.pem \
		-CRLfile "$crls"/"$2".pem "$certs"/"$1".pem
}

# certtool exits 0 even when it says "Not verified".
with_gnutls() { # CERT CRL
	certtool --verify --verify-profile medium \
		--load-ca-certificate "$certs"/root-g1.pem \
		--load-crl "$crls"/"$2".pem --infile "$certs"/"$1".pem |
		grep '^Chain verification output: ' | tee verdict
	grep -q ': Verified\.' verdict
}

with_nss() { # CERT DATABASE USAGE: 3 CA, 10 responder
	vfychain -d sql:nss-"$2" -pp -u "$3" \
		-g leaf -m crl -s requireInfo -s failIfNoInfo \
		-g chain -m crl -s requireInfo -s failIfNoInfo \
		-a "$certs"/"$1".pem
}

@test "openssl accepts each certificate, with the CRL" {
	for name in root-g1 issuing-g1 partner-g1 ocsp-g1 responder-g1; do
		with_openssl $name root-1
	done
}

@test "openssl refuses what was revoked, and only that" {
	run ! with_openssl partner-g1 root-2
	[[ $output == *"certificate revoked"* ]]
	with_openssl issuing-g1 root-2
}

@test "openssl refuses the chain with another root" {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-384 -noenc \
		-keyout other.key -out other.pem -days 2 \
		-subj "/C=DE/O=Example Test/CN=Test root-g1" 2>/dev/null
	run ! openssl verify -x509_strict -CAfile other.pem \
		"$certs"/issuing-g1.pem
}

@test "the responder certificates are for OCSP and nothing else" {
	for name in ocsp-g1 responder-g1; do
		openssl verify -x509_strict -purpose ocsphelper \
			-CAfile "$certs"/root-g1.pem "$certs"/$name.pem
		run ! openssl verify -purpose sslserver \
			-CAfile "$certs"/root-g1.pem "$certs"/$name.pem
		openssl x509 -noout -text -in "$certs"/$name.pem >text
		grep -q 'OCSP Signing' text
		grep -q 'OCSP No Check\|OCSP no check\|No Check' text
		grep -q 'CA:FALSE' text || ! grep -q 'CA:TRUE' text
	done
}

@test "PEM and DER are the same object" {
	for name in root-g1 issuing-g1 partner-g1 ocsp-g1 responder-g1; do
		openssl x509 -in "$certs"/$name.pem -outform DER |
			cmp - "$certs"/$name.der
	done
	for name in root-1 issuing-1 root-2; do
		openssl crl -in "$crls"/$name.pem -outform DER |
			cmp - "$crls"/$name.crl
	done
}

@test "the certificate from a request has its key and not its name" {
	openssl x509 -noout -pubkey -in "$certs"/partner-g1.pem >a
	openssl pkey -in partner.key -pubout >b
	cmp a b
	run -0 openssl x509 -noout -subject -in "$certs"/partner-g1.pem
	[[ $output != *ignored* ]]
	[[ $output == *"Test partner-g1"* ]]
}

@test "GnuTLS accepts each certificate as a chain" {
	for name in issuing-g1 partner-g1 ocsp-g1 responder-g1; do
		cat "$certs"/$name.pem "$certs"/root-g1.pem |
			certtool --verify-chain --verify-profile medium |
			grep -q '^Chain verification output: Verified\.'
		with_gnutls $name root-1
	done
}

@test "GnuTLS refuses what was revoked" {
	run ! with_gnutls partner-g1 root-2
	[[ $output == *revoked* ]]
}

@test "GnuTLS accepts the CRLs, and not one that was changed" {
	for pair in root-1:root-g1 root-2:root-g1 issuing-1:issuing-g1; do
		certtool --verify-crl --verify-profile medium \
			--load-ca-certificate "$certs"/"${pair#*:}".pem \
			<"$crls"/"${pair%:*}".pem |
			grep -q '^Verification output: Verified\.'
	done
	sed 's/Example Test/Example Tent/' "$crls"/root-1.crl >bad.crl
	run ! cmp -s bad.crl "$crls"/root-1.crl
	openssl crl -inform DER -in bad.crl -out bad.pem
	run certtool --verify-crl --verify-profile medium \
		--load-ca-certificate "$certs"/root-g1.pem --infile bad.pem
	[[ $output == *"Not verified"* ]]
}

@test "NSS accepts each certificate, and demands the CRL" {
	for name in issuing-g1 partner-g1; do
		with_nss $name 1 3
	done
	for name in ocsp-g1 responder-g1; do
		with_nss $name 1 10
	done
	run ! with_nss issuing-g1 0 3
}

@test "NSS refuses what was revoked, and only that" {
	run ! with_nss partner-g1 2 3
	[[ $output == *revoked* ]]
	with_nss issuing-g1 2 3
}

@test "NSS refuses a CA as responder and a responder as CA" {
	run ! with_nss issuing-g1 1 10
	run ! with_nss ocsp-g1 1 3
}

@test "an openssl responder answers with our responder certificate" {
	# A line of openssl's index: state, end, revocation, serial, file, name.
	line() { # STATE REVOCATION CERT
		local end
		end=$(date -u -d "$(openssl x509 -noout -enddate -in "$3" |
			cut -d= -f2)" +%Y%m%d%H%M%SZ)
		printf '%s\t%s\t%s\t%s\tunknown\t/CN=x\n' "$1" "$end" "$2" \
			"$(serial_of "$3")"
	}
	{
		line V '' "$certs"/issuing-g1.pem
		line R "$(date -u +%y%m%d%H%M%SZ),superseded" "$certs"/partner-g1.pem
	} >index.txt
	openssl ocsp -index index.txt -port 0 -nrequest 3 -ndays 1 \
		-rsigner "$certs"/responder-g1.pem -rkey responder.key \
		-CA "$certs"/root-g1.pem >responder.log 2>&1 3>&- &
	responder=$!
	for _ in {1..600}; do
		port=$(sed -n 's/^ACCEPT .*:\([0-9]*\) PID.*/\1/p' responder.log)
		[ -n "$port" ] && break
		sleep 0.1
	done
	[ -n "$port" ]
	ask() { # CERT [CA of the answer]
		openssl ocsp -issuer "$certs"/root-g1.pem -cert "$certs"/"$1".pem \
			-url "http://127.0.0.1:$port" -no_nonce \
			-CAfile "${2-$certs/root-g1.pem}" 2>&1
	}
	run -0 ask issuing-g1
	[[ $output == *"Response verify OK"* ]]
	[[ $output == *"issuing-g1.pem: good"* ]]
	run -0 ask partner-g1
	[[ $output == *"Response verify OK"* ]]
	[[ $output == *"partner-g1.pem: revoked"* ]]
	[[ $output == *superseded* ]]
	# The same answer means nothing to who does not trust the root.
	run ask issuing-g1 "$certs"/issuing-g1.pem
	[[ $output != *"Response verify OK"* ]]
	wait $responder
}
