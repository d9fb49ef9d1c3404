#!/usr/bin/env bats
# The token: PINs, keys, modules, through SoftHSM and through the shim.

load helper

setup() {
	A=$BATS_TEST_TMPDIR/authority
}

# The authority on SoftHSM through the shim, with orders in $ORDERS.
make_shim_authority() {
	local softhsm
	softhsm=$(find /usr/lib -name libsofthsm2.so | head -1)
	ORDERS=$BATS_TEST_TMPDIR/orders
	: > "$ORDERS"
	mkdir "$BATS_TEST_TMPDIR/tokens"
	cat > "$BATS_TEST_TMPDIR/softhsm2.conf" <<-END
	directories.tokendir = $BATS_TEST_TMPDIR/tokens
	objectstore.backend = file
	END
	export CA_SHIM_MODULE=$softhsm CA_SHIM_ORDERS=$ORDERS
	export CA_SHIM_SOFTHSM2_CONF=$BATS_TEST_TMPDIR/softhsm2.conf
	make_authority "$A" --module "$PKCS11_SHIM" --token test
}

@test "key list: the journal's key, fit for use" {
	make_authority "$A"
	run ca-tool-pin key list -d "$A"
	[ "$status" -eq 0 ]
	[[ ${lines[0]} == NAME*TYPE*PURPOSE*BACKUP*STATE ]]
	[[ $output =~ journal\ +p-256\ +journal\ +none\ +fit\ for\ use ]]
	[[ $output =~ CKA_ID\ [0-9a-f]{32} ]]
	[[ $output =~ SPKI\ +[0-9a-f]{64} ]]
	[[ $output != *CKA_SENSITIVE* ]]
	run ca-tool-pin key list -d "$A" -v
	[ "$status" -eq 0 ]
	[[ $output == *"The module states, of itself"* ]]
	[[ $output =~ CKA_NEVER_EXTRACTABLE\ +true ]]
	[[ $output =~ CKA_EXTRACTABLE\ +false ]]
}

@test "key list --json labels the statement as the module's own" {
	make_authority "$A"
	ca-tool-pin key list -d "$A" --json > "$BATS_TEST_TMPDIR/report"
	python3 -c '
import json, sys
report = json.load(open(sys.argv[1]))
key, = report["keys"]
assert report["ok"] and key["fit"] and key["fault"] is None
assert key["purpose"] == "journal" and key["type"] == "p-256"
statement = key["statement"]
assert statement["source"] == "the module\u0027s own statement"
assert statement["attributes"]["CKA_EXTRACTABLE"] is False
assert statement["attributes"]["CKA_SENSITIVE"] is True' \
		"$BATS_TEST_TMPDIR/report"
}

@test "a wrong PIN is refused, and tried once only" {
	make_shim_authority
	echo "count $BATS_TEST_TMPDIR/calls" > "$ORDERS"
	run ca-tool key list -d "$A" --pin-fd 8 \
		8< <(printf 'wrong-pin\n%s\n' "$PIN")
	refused 4 "PIN"
	[ "$(grep -c '^C_Login=' "$BATS_TEST_TMPDIR/calls")" -eq 1 ]
	: > "$ORDERS"
	run ca-tool-pin key list -d "$A"
	[ "$status" -eq 0 ]
}

@test "a wrong PIN makes no key and no file" {
	make_authority "$A"
	step_key root-g1 | plan p > "$BATS_TEST_TMPDIR/p.yaml"
	run ca-tool plan run -d "$A" "$BATS_TEST_TMPDIR/p.yaml" --yes \
		"${OPS[@]}" --pin-fd 9 8< <(pins) 9< <(echo wrong-pin)
	refused 4 "PIN"
	run ca-tool-pin key list -d "$A" --json
	[[ $output != *root-g1* ]]
	# The plan was not used up.
	run ca-tool-pin plan run -d "$A" "$BATS_TEST_TMPDIR/p.yaml" --yes
	[ "$status" -eq 0 ] || { echo "$output"; false; }
}

@test "a locked PIN is said, and not tried" {
	make_shim_authority
	printf 'flags +CKF_USER_PIN_LOCKED\ncount %s\n' \
		"$BATS_TEST_TMPDIR/calls" > "$ORDERS"
	run ca-tool-pin key list -d "$A"
	refused 4 "locked"
	never grep -q '^C_Login=' "$BATS_TEST_TMPDIR/calls"
}

@test "the token's own word that the PIN is locked" {
	make_shim_authority
	echo "fail C_Login 1 0xa4" > "$ORDERS" # CKR_PIN_LOCKED
	run ca-tool-pin key list -d "$A"
	refused 4 "locked"
}

@test "a token that is not there" {
	make_shim_authority
	rm -r "$BATS_TEST_TMPDIR/tokens"
	mkdir "$BATS_TEST_TMPDIR/tokens"
	run ca-tool-pin key list -d "$A"
	refused 4 "token" "test"
}

@test "a token that failed at signing leaves a run that can be resumed" {
	make_shim_authority
	{ step_key root-g1; step_root root-g1; } | plan p \
		> "$BATS_TEST_TMPDIR/p.yaml"
	# The second C_Sign of a run is not the first: the root's own.
	echo "fail C_Sign 1 0x30" > "$ORDERS" # CKR_DEVICE_ERROR
	run ca-tool-pin plan run -d "$A" "$BATS_TEST_TMPDIR/p.yaml" --yes
	refused 4 "plan run --resume"
	[ ! -e "$A/public/certs/root-g1.pem" ]
	: > "$ORDERS"
	run ca-tool-pin plan run -d "$A" "$BATS_TEST_TMPDIR/p.yaml" --yes
	refused 3 "open"
	run ca-tool-pin plan run --resume -d "$A" --yes
	[ "$status" -eq 0 ] || { echo "$output"; false; }
	[ -s "$A/public/certs/root-g1.pem" ]
}

@test "a key whose attributes are not fit is listed with its fault, exit 4" {
	make_shim_authority
	local lie
	for lie in 'CKA_EXTRACTABLE 1' 'CKA_SENSITIVE 0' 'CKA_LOCAL 0' \
		'CKA_DECRYPT 1' 'CKA_NEVER_EXTRACTABLE 0'; do
		echo "lie $lie" > "$ORDERS"
		run ca-tool-pin key list -d "$A"
		refused 4 "NOT FIT" "Fault" "${lie% *}" \
			"1 of 1 key is not fit for use"
		run --separate-stderr ca-tool-pin key list -d "$A" --json
		[ "$status" -eq 4 ]
		python3 -c '
import json, sys
report = json.loads(sys.argv[1])
assert report["ok"] is False
assert report["keys"][0]["fit"] is False
assert sys.argv[2] in report["keys"][0]["fault"]' "$output" "${lie% *}"
	done
}

@test "a key that is not fit signs nothing" {
	make_shim_authority
	first_ceremony "$A"
	echo 'lie CKA_EXTRACTABLE 1' > "$ORDERS"
	echo "count $BATS_TEST_TMPDIR/calls" >> "$ORDERS"
	step_crl root-g1 | sed 's/name: root-g1/name: root-g1-2/' |
		plan second > "$BATS_TEST_TMPDIR/second.yaml"
	run ca-tool-pin plan run -d "$A" "$BATS_TEST_TMPDIR/second.yaml" --yes
	refused 4 "CKA_EXTRACTABLE|extractable"
	never grep -q '^C_Sign=' "$BATS_TEST_TMPDIR/calls"
	[ ! -e "$A/public/crls/root-g1-2.crl" ]
}

@test "causes are shown with -v only" {
	make_authority "$A"
	run ca-tool key list -d "$A" --pin-fd 8 8< <(echo wrong-pin)
	refused 4
	[[ $output != *because:* ]]
}

@test "version -d: the module's facts, without touching the token" {
	make_authority "$A"
	local before
	before=$(snapshot "$A")
	run ca-tool version -d "$A"
	[ "$status" -eq 0 ]
	[[ $output == *"PKCS#11 module"*libsofthsm2.so* ]]
	[ "$(snapshot "$A")" = "$before" ]
	run ca-tool version --module "$(find /usr/lib -name libsofthsm2.so |
		head -1)" -d "$A"
	refused 2 "both name a module"
}
