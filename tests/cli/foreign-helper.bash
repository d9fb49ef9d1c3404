# shellcheck shell=bash disable=SC2034,SC2154 # tests use it; bats sets it
# A CA that another program made on the token, to be taken over.

: "${FOREIGN_KEY:?the other PKCS#11 program}"

# The token of an authority on SoftHSM, with a key of another program on it, and
# that one's root and CRL by GnuTLS.
foreign_ca() {
	rm -rf "$A"
	shim_authority
	export SOFTHSM2_CONF=$CA_SHIM_SOFTHSM2_CONF
	printf %s "$PIN" | "$FOREIGN_KEY" "$SOFTHSM" test old 4f4c44
	OLD="pkcs11:token=test;object=old;type=private;pin-value=$PIN"
	cat > root.cfg <<-EOF
	cn = "Old Root"
	organization = "Example Trust"
	country = DE
	serial = 0x4a1b2c3d4e5f60718293a4b5c6d7e8f9
	ca
	cert_signing_key
	crl_signing_key
	expiration_days = 3650
	EOF
	certtool --provider "$SOFTHSM" --generate-self-signed \
		--load-privkey "$OLD" --template root.cfg --hash SHA256 \
		--outfile old.pem 2> certtool.log
}

# foreign_crl NUMBER [SERIAL]: old.crl, and old-crl.pem
foreign_crl() {
	local revoked=()
	printf 'crl_next_update = 90\ncrl_number = %s\n' "$1" > crl.cfg
	if [ $# -gt 1 ]; then
		openssl req -x509 -new -key partner.key -subj /CN=gone \
			-set_serial "0x$2" -out gone.pem
		revoked=(--load-certificate gone.pem)
		printf 'crl_revocation_date = "%s"\n' \
			"$(date -u -d -10days +'%Y-%m-%d 12:00:00')" >> crl.cfg
	fi
	certtool --provider "$SOFTHSM" --generate-crl \
		--load-ca-privkey "$OLD" --load-ca-certificate old.pem \
		"${revoked[@]}" --template crl.cfg --hash SHA256 \
		--outfile old-crl.pem 2>> certtool.log
	openssl crl -in old-crl.pem -outform DER -out old.crl
}
