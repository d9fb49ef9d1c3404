#!/usr/bin/env bats
# Recovery without ca-tool: shares opened by stock openssl, combined by Python,
# the token opened by pkcs11-tool.
# shellcheck disable=SC2030,SC2031,SC2154,SC2164,SC1091

bats_require_minimum_version 1.5.0

setup_file() {
	. "$BATS_TEST_DIRNAME/../ceremony.bash"
	cd "$BATS_FILE_TMPDIR"
	init_authority ca >log 2>&1 || { cat log; return 1; }
	for name in alice bob carol; do
		# The second key of the file is the one that decrypts.
		awk '/BEGIN/ { n++ } n == 2' "$OPERATORS/$name.key" >"$name.pem"
		openssl cms -decrypt -inform DER \
			-in "ca/quorum/$(cat ca/quorum/current)/$name.cms" \
			-recip "$OPERATORS/$name.decrypt.crt" \
			-inkey "$name.pem" -passin "pass:$PASSPHRASE" \
			-out "$name.share"
	done
}

setup() {
	. "$BATS_TEST_DIRNAME/../ceremony.bash"
	cd "$BATS_FILE_TMPDIR"
	RECOVER=$BATS_TEST_DIRNAME/recover.py
}

# opens PIN [OPTION...]: pkcs11-tool logs in to the embedded token with it.
opens() {
	local pin=$1
	shift
	echo "directories.tokendir = $PWD/ca/token/tokens" >softhsm2.conf
	SOFTHSM2_CONF=$PWD/softhsm2.conf pkcs11-tool --module \
		"$(find /usr/lib -name libsofthsm2.so | head -n 1)" \
		--token-label example.org-test --login --pin "$pin" \
		--list-objects --type privkey "$@"
}

@test "any two shares give the PIN that opens the token" {
	local pair pins=()
	for pair in "alice bob" "bob carol" "carol alice"; do
		# shellcheck disable=SC2086 # two words
		set -- $pair
		pins+=("$("$RECOVER" "$1.share" "$2.share")")
	done
	[ "${#pins[0]}" -eq 64 ]
	[ "${pins[0]}" = "${pins[1]}" ] && [ "${pins[1]}" = "${pins[2]}" ]
	run -0 opens "${pins[0]}"
	[[ $output == *journal* ]]
}

@test "the SO PIN is another, and is the token's" {
	local so
	so=$("$RECOVER" --so alice.share carol.share)
	[ "$so" != "$("$RECOVER" alice.share carol.share)" ]
	run ! opens "$so"
	# It does what an SO PIN does: on a copy, it resets the user PIN.
	cp -a ca/token/tokens copy
	echo "directories.tokendir = $PWD/copy" >copy.conf
	for command in "--login --login-type so --so-pin $so --init-pin --new-pin 12345678" \
		"--login --pin 12345678 --list-objects --type privkey"; do
		# shellcheck disable=SC2086 # several words
		SOFTHSM2_CONF=$PWD/copy.conf run -0 pkcs11-tool --module \
			"$(find /usr/lib -name libsofthsm2.so | head -n 1)" \
			--token-label example.org-test $command
	done
	[[ $output == *journal* ]]
}

@test "one share is not enough, and wrong ones are named" {
	run -1 "$RECOVER" alice.share
	run -1 "$RECOVER" alice.share alice.share
	run -1 "$RECOVER" alice.share bob.share carol.share
	sed 's/^index: 2/index: 3/' bob.share >moved
	run -1 "$RECOVER" alice.share moved
	[[ $output == *moved* ]]
	sed '/^share: /{s/[0-8]/9/;}' bob.share >damaged
	run ! cmp -s bob.share damaged
	run -1 "$RECOVER" alice.share damaged
	[[ $output == *damaged* ]]
}

@test "other formats of PINs" {
	local form length pin
	for form in digits alphanumeric; do
		for length in 32 48; do
			rm -rf other
			init_authority other --pin-format "$form" \
				--pin-length "$length" >log 2>&1 ||
				{ cat log; false; }
			for name in alice bob; do
				openssl cms -decrypt -inform DER -in \
					"other/quorum/$(cat other/quorum/current)/$name.cms" \
					-recip "$OPERATORS/$name.decrypt.crt" \
					-inkey "$name.pem" \
					-passin "pass:$PASSPHRASE" \
					-out "$name.other"
			done
			pin=$("$RECOVER" --format "$form" --length "$length" \
				alice.other bob.other)
			[ "${#pin}" -eq "$length" ]
			echo "directories.tokendir = $PWD/other/token/tokens" \
				>softhsm2.conf
			SOFTHSM2_CONF=$PWD/softhsm2.conf pkcs11-tool --module \
				"$(find /usr/lib -name libsofthsm2.so |
					head -n 1)" \
				--token-label example.org-test --login \
				--pin "$pin" --list-objects --type privkey
		done
	done
}
