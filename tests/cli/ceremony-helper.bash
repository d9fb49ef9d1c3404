# shellcheck shell=bash disable=SC2034,SC2154 # tests use it; bats sets it
# What the tests of ceremonies share, beside helper.bash: authorities to copy,
# questions to the journal, refusals that leave nothing, faults on order.

load helper

SOFTHSM=/usr/lib/softhsm/libsofthsm2.so
[ -e "$SOFTHSM" ] || SOFTHSM=$(find /usr/lib -name libsofthsm2.so | head -1)

# base_authority: in setup_file, "$BASE" with a root, an issuing CA and a CRL.
base_authority() {
	export BASE=$BATS_FILE_TMPDIR/base
	export BATS_TEST_TMPDIR=${BATS_TEST_TMPDIR-$BATS_FILE_TMPDIR}
	make_authority "$BASE"
	first_ceremony "$BASE"
}

# In setup: a copy of it in $A, a request in partner.csr, and the working
# directory in the test's own.
copy_authority() {
	A=$BATS_TEST_TMPDIR/authority
	P=$BATS_TEST_TMPDIR/plan.yaml
	cp -a "$BASE" "$A"
	cd "$BATS_TEST_TMPDIR" || return
	make_request partner
}

# make_request NAME: NAME.key and its request NAME.csr
make_request() {
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc \
		-keyout "$1.key" -out "$1.csr" -subj "/CN=$1" 2> /dev/null
}

# shim_authority: $A on SoftHSM behind the shim, with orders in $ORDERS.
shim_authority() {
	A=$BATS_TEST_TMPDIR/authority
	P=$BATS_TEST_TMPDIR/plan.yaml
	ORDERS=$BATS_TEST_TMPDIR/orders
	: > "$ORDERS"
	mkdir "$BATS_TEST_TMPDIR/tokens"
	cat > "$BATS_TEST_TMPDIR/softhsm2.conf" <<-EOF
	directories.tokendir = $BATS_TEST_TMPDIR/tokens
	objectstore.backend = file
	EOF
	export CA_SHIM_MODULE=$SOFTHSM CA_SHIM_ORDERS=$ORDERS
	export CA_SHIM_SOFTHSM2_CONF=$BATS_TEST_TMPDIR/softhsm2.conf
	cd "$BATS_TEST_TMPDIR" || return
	make_authority "$A" --module "${1-$PKCS11_SHIM}" --token test
	make_request partner
}

# orders [LINE...]: what the shim does from here on.
orders() {
	printf '%s\n' "$@" > "$ORDERS"
}

step_ocsp() { # NAME ISSUER "key: K" or "csr: FILE" [VALIDITY]
	cat <<-EOF
	- ocsp-responder:
	    name: $1
	    issuer: $2
	    $3
	    profile: ocsp-responder
	    subject:
	      country: DE
	      organization: Example Trust
	      common-name: Example $1
	    validity: ${4:-365d}
	EOF
}

step_list() { # NAME ISSUER
	cat <<-EOF
	- crl:
	    name: $1
	    issuer: $2
	    profile: ca-crl
	EOF
}

step_revoke() { # ISSUER SERIAL REASON
	cat <<-EOF
	- revoke:
	    issuer: $1
	    serial: "$2"
	    reason: $3
	EOF
}

step_csr() { # NAME KEY
	cat <<-EOF
	- csr:
	    name: $1
	    key: $2
	    subject:
	      country: DE
	      organization: Example Trust
	      common-name: Example $2
	EOF
}

# run_plan ID: run the plan whose steps are on stdin.
run_plan() {
	plan "$1" > "$BATS_TEST_TMPDIR/$1.yaml"
	ca-tool-pin plan run -d "$A" "$BATS_TEST_TMPDIR/$1.yaml" --yes
}

# must COMMAND...: it has to succeed; shows what it said if it does not.
must() {
	run "$@"
	[ "$status" -eq 0 ] || {
		echo "status $status of $*: $output"
		return 1
	}
}

resume() {
	ca-tool-pin plan run --resume -d "$A" --yes
}

# no_leaks COMMAND...: LeakSanitizer and libfaketime disturb each other's locks
# when a program ends.
no_leaks() {
	ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0 "$@"
}

# at_time OFFSET COMMAND...: ca-tool with another clock.
at_time() {
	local offset=$1
	shift
	no_leaks faketime -f "$offset" setsid -w "$CA_TOOL" "$@" "${OPS[@]}" \
		--pin-fd 8 8< <(pins)
}

# keep: check $P, print the directory below ceremonies/ where it is kept.
keep() {
	ca-tool plan check -d "$A" "$P" --json |
		python3 -c 'import json, sys
print(json.load(sys.stdin)["directory"])'
}

# journal PYTHON: print an expression over the journal of $A.  E: all entries;
# K(kind): those of one kind; D(kind): their data.
journal() {
	ca-tool journal show -d "$A" --json | python3 -c '
import json, sys
E = [json.loads(line) for line in sys.stdin]
def K(kind):
    return [e for e in E if e["kind"] == kind]
def D(kind):
    return [e["data"] for e in K(kind)]
print(eval(sys.argv[1]))' "$1"
}

# says PYTHON: the expression over the journal is true.
says() {
	[ "$(journal "bool($1)")" = True ] || {
		echo "the journal does not say: $1"
		ca-tool journal show -d "$A" | tail -20
		return 1
	}
}

# The invariants of every journal: a result or failure for each intent, no
# serial and no number twice, every signature announced before.
sound() {
	says 'len({(d["issuer_dn"], d["serial"]) for d in D("intent")
		if d["kind"] == "certificate"}) == len([d for d in D("intent")
		if d["kind"] == "certificate"])'
	says 'len({(d["issuer_dn"], d["number"]) for d in D("intent")
		if d["kind"] == "crl"}) == len([d for d in D("intent")
		if d["kind"] == "crl"])'
	says '{(d["run"], d["list"], d["object"]) for d in D("intent")} ==
		{(d["run"], d["list"], d["object"])
		for d in D("result") + D("failed")}'
	says '[d["run"] for d in D("plan")] == [d["run"] for d in D("close")]'
	# Before an object was signed, the token held a head over its intent.
	says 'all(any(i["seq"] < h["data"]["size"] <= h["seq"] < r["seq"]
		for h in K("head")) for i in K("intent") for r in K("result")
		if all(i["data"][m] == r["data"][m]
		for m in ("run", "list", "object")))'
}

# unchanged COMMAND...: it is refused, and leaves every file as it was, but for
# what a login writes: nothing is made, signed, published or journalled.
unchanged() {
	local before after
	before=$(snapshot "$A")
	run "$@"
	after=$(snapshot "$A")
	[ "$status" -ne 0 ] || {
		echo "not refused: $output"
		return 1
	}
	[ "$before" = "$after" ] || {
		diff <(echo "$before") <(echo "$after")
		return 1
	}
}

# nothing_signed COMMAND...: it is refused before an intent, a key, an output.
nothing_signed() {
	local before after public
	before=$(journal 'len(D("intent") + D("key-intent") + D("plan"))')
	public=$(snapshot "$A/public")
	run "$@"
	[ "$status" -ne 0 ] || {
		echo "not refused: $output"
		return 1
	}
	after=$(journal 'len(D("intent") + D("key-intent") + D("plan"))')
	[ "$before" = "$after" ]
	[ "$public" = "$(snapshot "$A/public")" ]
}

# finding ID...: the last refusal has findings of these rules.
finding() {
	local id
	for id in "$@"; do
		grep -q -- "$id" <<< "$output" || {
			echo "no finding $id in: $output"
			return 1
		}
	done
}

# check_refused ID...: plan check refuses $P with these rules, changes nothing.
check_refused() {
	unchanged ca-tool plan check -d "$A" "$P"
	[ "$status" -eq 3 ] || {
		echo "status $status: $output"
		return 1
	}
	finding "$@"
	no_escapes
}

# Serial of a certificate, lower case as in the journal.
serial() {
	openssl x509 -in "$1" -noout -serial | cut -d= -f2 | tr A-F a-f |
		content_octets
}

# openssl shows the number; the journal has the octets of the INTEGER, with
# 00 before a number whose first bit is set.
content_octets() {
	sed -E 's/^[89a-f]/00&/'
}

# "serial reason" of each entry of a CRL.
revoked_on() {
	openssl crl -in "$1" -noout -text | awk '
		{ line = tolower($0) }
		line ~ /serial number:/ {
			if (s) print s, r
			s = tolower($3); r = "-"
		}
		line ~ /crl reason code/ {
			getline; sub(/^ +/, ""); r = tolower($0)
		}
		END { if (s) print s, r }' | content_octets
}

crl_number() {
	printf '%d\n' "$(openssl crl -in "$1" -noout -crlnumber | cut -d= -f2)"
}

# The names of the keys on the token, as the token has them.
token_keys() {
	ca-tool-pin key list -d "$A" --json 2> /dev/null | python3 -c '
import json, sys
print(" ".join(sorted(k["name"] for k in json.load(sys.stdin)["keys"])))'
}

# key_id NAME: the CKA_ID in the journal.
key_id() {
	journal "[d['id'] for d in D('key-intent') if d['name'] == '$1'][-1]"
}

# soft ARGUMENT...: pkcs11-tool on the token of $A, embedded or not.
soft() {
	local conf=$BATS_TEST_TMPDIR/attacker.conf dir=$A/token/tokens
	[ -d "$dir" ] || dir=$BATS_TEST_TMPDIR/tokens
	echo "directories.tokendir = $dir" > "$conf"
	SOFTHSM2_CONF=$conf pkcs11-tool --module "$SOFTHSM" --login \
		--pin "$PIN" "$@"
}
