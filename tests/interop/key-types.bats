#!/usr/bin/env bats
# For each type of key: a root, a child and a CRL, signed and verified.
# shellcheck disable=SC2154,SC2164,SC1091

types="rsa-2048 rsa-3072 rsa-4096 p-256 p-384 p-521"

setup_file() {
	. "$BATS_TEST_DIRNAME/../ceremony.bash"
	cd "$BATS_FILE_TMPDIR"
	{
		plan_head types
		for type in $types; do
			key_step root-"$type" "$type" ca
			key_step child-"$type" "$type" ca
			certificate_step root root-"$type" root
			certificate_step subordinate child-"$type" issuing-ca \
				root-"$type" key child-"$type"
			crl_step crl-"$type" root-"$type"
		done
	} >types.yaml
	# The profiles that are shipped allow RSA 2048 to responders only.
	mkdir profiles
	cp "$PROFILES"/*.yaml profiles
	sed -i 's/^keys: .*/keys: [rsa-2048, rsa-3072, rsa-4096, p-256, p-384, p-521]/' \
		profiles/root.yaml profiles/issuing-ca.yaml
	init_authority ca --profiles profiles >log 2>&1 || { cat log; return 1; }
	run_plan ca types.yaml >log 2>&1 || { cat log; return 1; }
}

verify() { # TYPE
	cd "$BATS_FILE_TMPDIR/ca/public"
	openssl verify -x509_strict -crl_check_all \
		-CAfile certs/root-"$1".pem -CRLfile crls/crl-"$1".pem \
		certs/child-"$1".pem
	cat certs/child-"$1".pem certs/root-"$1".pem |
		certtool --verify-chain |
		grep -q '^Chain verification output: Verified\.'
	openssl x509 -noout -text -in certs/root-"$1".pem >"$BATS_TEST_TMPDIR"/text
}

rsa() { # BITS
	verify rsa-"$1"
	grep -q "Public-Key: ($1 bit)" "$BATS_TEST_TMPDIR"/text
	grep -q "Exponent: 65537" "$BATS_TEST_TMPDIR"/text
}

ec() { # BITS DIGEST
	verify p-"$1"
	grep -q "NIST CURVE: P-$1" "$BATS_TEST_TMPDIR"/text
	grep -q "Signature Algorithm: ecdsa-with-SHA$2" "$BATS_TEST_TMPDIR"/text
}

@test "RSA 2048" { rsa 2048; }
@test "RSA 3072" { rsa 3072; }
@test "RSA 4096" { rsa 4096; }
@test "P-256" { ec 256 256; }
@test "P-384" { ec 384 384; }
@test "P-521" { ec 521 512; }
