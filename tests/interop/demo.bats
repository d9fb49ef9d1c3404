#!/usr/bin/env bats
# The demo: a whole ceremony, and what it refuses.

bats_require_minimum_version 1.5.0

demo="$BATS_TEST_DIRNAME/../../ceremony/demo"

@test "the demo holds a ceremony that others verify" {
	cd "$BATS_TEST_TMPDIR"
	"$demo" site >out 2>&1 || { cat out; false; }
	for name in root-g1 issuing-g1 partner-g1 ocsp-g1; do
		openssl verify -x509_strict -crl_check_all \
			-CAfile site/public/certs/root-g1.pem \
			-CRLfile site/public/crls/root-g1.pem \
			site/public/certs/$name.pem
	done
	[ "$(grep -c 'pem: OK$' out)" -eq 3 ]
	[ "$(grep -c 'Chain verification output: Verified' out)" -eq 3 ]
	grep -q 'Verification output: Verified' out
	# No colour where there is no terminal, and no line too long to read.
	run ! grep -q $'\e' out
	# One operator of three was refused.
	grep -q 'Refused, as it must be' out
	# The audit found nothing, and the proof was good.
	[ "$(grep -c 'journal verify --anchor' out)" -eq 1 ]
	"$CA_TOOL" journal verify --anchor site/public/anchor/anchor.txt site
	# The passphrases are nowhere: 26 characters of base32 alone or so.
	run ! grep -rqE '(^|[^a-z0-9])[a-z2-7]{26}([^a-z0-9]|$)' out site/plan.yaml
	[ "$(stat -c %a site)" = 700 ]
}

@test "a directory that holds something is refused, and left alone" {
	cd "$BATS_TEST_TMPDIR"
	mkdir site
	touch site/file
	run -3 "$demo" site
	[[ $output == *"not empty"* ]]
	[ "$(ls -A site)" = file ]
}

@test "a file in place of a directory is refused" {
	cd "$BATS_TEST_TMPDIR"
	touch site
	run -3 "$demo" site
	[[ $output == *"no directory"* ]]
}

@test "wrong arguments are refused, and help is given" {
	run -2 "$demo" --wrong
	run -2 "$demo" a b
	run -0 "$demo" --help
	[[ $output == *ceremony* ]]
}
