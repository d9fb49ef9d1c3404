# shellcheck shell=bash disable=SC2034,SC2154 # tests use it; bats sets it
# Authorities with real quorums: PINs derived from shares, three operators,
# two of whom are needed.

load ceremony-helper

PHRASE=passphrase-of-an-operator

# quorum_people: in setup_file, the keys of all who appear in these tests.
quorum_people() {
	export PEOPLE=$BATS_FILE_TMPDIR/people
	"$BATS_TEST_DIRNAME/../make-operators" "$PEOPLE" 2 "$PHRASE" \
		alice bob carol
	cat >> "$PEOPLE/set.yaml" <<-EOF
	witnesses:
	  - name: wendy
	    sign: wendy.sign.crt
	EOF
	"$BATS_TEST_DIRNAME/../make-operators" "$PEOPLE/more" 2 "$PHRASE" \
		wendy mallory dave erin
	cp "$PEOPLE"/more/*.crt "$PEOPLE"/more/*.key "$PEOPLE"
}

# The passphrase, as often as it is asked for.
phrases() {
	for _ in {1..24}; do
		echo "$PHRASE"
	done
}

# present NAME...: sets WHO, the options with which they take part.
present() {
	local name
	WHO=()
	for name in "$@"; do
		WHO+=(--operator "$name=file:$PEOPLE/$name.key"
			--passphrase-fd "$name=8")
	done
}

# by "NAME..." COMMAND...: ca-tool with these operators in the room.
by() {
	local names
	read -ra names <<< "$1"
	shift
	present "${names[@]}"
	ca-tool "$@" "${WHO[@]}" 8< <(phrases)
}

# at_time_by "NAME..." OFFSET COMMAND...: the same with another clock.
at_time_by() {
	local names offset=$2
	read -ra names <<< "$1"
	shift 2
	present "${names[@]}"
	no_leaks faketime -f "$offset" setsid -w "$CA_TOOL" "$@" "${WHO[@]}" \
		8< <(phrases)
}

# quorum_authority DIR [OPTION...]: init with all three.
quorum_authority() {
	local dir=$1
	shift
	by "alice bob carol" init "$dir" --id example.org/test \
		--operators "$PEOPLE/set.yaml" \
		--crl-url 'http://crl.example.org/{issuer}.crl' \
		--ca-issuers-url 'http://ca.example.org/{issuer}.der' \
		--ocsp-url 'http://ocsp.example.org/' "$@"
}

# The id of the set in force, and its directory.
current() {
	cat "$A/quorum/current"
}

# root_plan ID: a plan that makes a key and a root.
root_plan() {
	{ step_key "$1"; step_root "$1"; } | plan "$1"
}

# sign_as NAME OID FILE [OPTION...]: a detached CMS signature by stock openssl.
sign_as() {
	local name=$1 oid=$2 file=$3
	shift 3
	openssl cms -sign -binary -nocerts -outform DER -econtent_type "$oid" \
		-md sha256 -in "$file" -signer "$PEOPLE/$name.sign.crt" \
		-inkey "$PEOPLE/$name.key" -passin "pass:$PHRASE" "$@"
}

# flip FILE [OFFSET]: one bit of one octet, by default in the middle.
flip() {
	python3 -c 'import os, sys
name = sys.argv[1]
data = bytearray(open(name, "rb").read())
at = int(sys.argv[2]) if len(sys.argv) > 2 else len(data) // 2
data[at] ^= 1
os.chmod(name, 0o600)
open(name, "wb").write(data)' "$@"
}
