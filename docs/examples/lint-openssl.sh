#!/bin/sh
# An outside linter for ca-tool: what stock openssl and certtool (GnuTLS) make
# of an object.  The contract is in docs/lint.md, "Outside linters".
#
#   lint-openssl.sh KIND object.der [issuer.der]
#
# It asks other people's parsers what ca-tool's own have answered: is this DER,
# do both read the same serial number, does what they write again have the same
# octets, and, once the object is signed, does the issuer's key verify it?
#
# It is copied to where nobody but root writes, and named in authority.yaml with
# the output of `sha256sum`.

kind=$1 object=$2 issuer=${3-}
errors=0

finding() { # SEVERITY ID TEXT
	[ "$1" = error ] && errors=1
	printf '%s\t%s\t%s\n' "$1" "$2" "$3"
}

# Whoever cannot look refuses: any status but 0 and 1 does.
command -v openssl > /dev/null && command -v certtool > /dev/null || exit 2

# Before signing, a constant stands for the signature: ECDSA's { 1, 1 }, or 256
# octets 00 for RSA.
is_signed() {
	case $(tail -c 32 "$object" | od -An -v -tx1 | tr -d ' \n') in
	*3006020101020101) return 1 ;;
	0000000000000000000000000000000000000000000000000000000000000000)
		return 1 ;;
	esac
}

# The same octets when openssl writes what it has read.
same_again() { # COMMAND
	openssl "$1" -inform DER -in "$object" -outform DER -out again.der ||
		finding error e_openssl_read "openssl cannot read this $kind"
	[ ! -f again.der ] || cmp -s "$object" again.der ||
		finding error e_openssl_der "openssl would encode it otherwise"
}

# "NUMBER" in upper case, without leading zeros.
number() {
	tr -d ' :\n' | tr a-f A-F | sed 's/^00*//'
}

serials() {
	theirs=$(openssl x509 -inform DER -in "$object" -noout -serial |
		sed 's/^serial=//' | number)
	others=$(certtool --certificate-info --inder --infile "$object" |
		sed -n 's/^[[:space:]]*Serial Number (hex): //p' | number)
	[ -n "$others" ] ||
		finding error e_certtool_read "certtool cannot read it"
	[ "$theirs" = "$others" ] ||
		finding error e_serial "openssl reads serial $theirs, certtool $others"
}

pem() { # DER PEM
	openssl x509 -inform DER -in "$1" -out "$2"
}

certificate() {
	same_again x509
	serials
	is_signed || return
	pem "$object" object.pem
	if [ -n "$issuer" ]; then
		pem "$issuer" issuer.pem
	else
		cp object.pem issuer.pem
	fi
	# At its own beginning: a root's validity may begin later than now.
	openssl verify -no-CAfile -no-CApath -no-CAstore -x509_strict \
		-no_check_time ${issuer:+-partial_chain} -trusted issuer.pem \
		object.pem > /dev/null ||
		finding error e_verify "openssl does not verify it with its issuer"
}

crl() {
	same_again crl
	certtool --crl-info --inder --infile "$object" > /dev/null ||
		finding error e_certtool_read "certtool cannot read it"
	is_signed || return
	pem "$issuer" issuer.pem
	# Its own status says nothing: what it prints does.
	openssl crl -inform DER -in "$object" -noout -CAfile issuer.pem 2>&1 |
		grep -q '^verify OK' ||
		finding error e_verify "openssl does not verify it with its issuer"
}

csr() {
	same_again req
	is_signed || return
	openssl req -inform DER -in "$object" -noout -verify ||
		finding error e_verify "openssl does not verify the request"
}

case $kind in
certificate) certificate ;;
crl) crl ;;
csr) csr ;;
*) exit 2 ;;
esac
exit "$errors"
