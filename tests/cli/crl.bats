#!/usr/bin/env bats
# CRL sessions: one after the other, partitions, the last one; what other
# programs make of them.

load ceremony-helper

setup_file() {
	base_authority
	cd "$BATS_FILE_TMPDIR" || return
	sed -e 's/^id: .*/id: tls-parts/' \
		-e 's/\(crl-distribution-points: {critical: no\)}/\1, partitions: 2}/' \
		"$BASE/profiles/tls-server.yaml" > "$BASE/profiles/tls-parts.yaml"
	plan adopt > adopt.yaml <<-END
	- adopt-config: { why: "a profile for tests" }
	END
	ca-tool-pin plan run -d "$BASE" adopt.yaml --yes
}

setup() {
	copy_authority
}

# step_end NAME PROFILE
step_end() {
	make_request "$1"
	cat <<-EOF
	- end-entity:
	    name: $1
	    issuer: issuing-g1
	    profile: $2
	    csr: $1.csr
	    names: { dns: [$1.example.org] }
	    subject: {}
	EOF
}

step_full() { # NAME [LINE...]
	local line
	printf -- '- crl:\n    name: %s\n    issuer: issuing-g1\n    profile: ca-crl\n' \
		"$1"
	shift
	for line; do
		echo "    $line"
	done
}

step_part() { # NAME NUMBER
	echo "- crl: { name: $1, issuer: issuing-g1, profile: crl-partition," \
		"url: http://crl.example.org/issuing-g1/$2.crl }"
}

# imposter CN: imposter.crl, of a CA of that name with a key of its own.
imposter() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc \
		-keyout x.key -out x.pem -days 30 -utf8 \
		-subj "/C=DE/O=Example Trust/CN=$1" \
		-addext keyUsage=critical,cRLSign 2> /dev/null
	: > x.db
	echo 01 > x.number
	cat > x.cnf <<-END
	[ca]
	default_ca = x
	[x]
	database = x.db
	crlnumber = x.number
	default_md = sha256
	default_crl_days = 30
	crl_extensions = extensions
	[extensions]
	authorityKeyIdentifier = keyid
	END
	openssl ca -gencrl -config x.cnf -cert x.pem -keyfile x.key \
		-out imposter.crl 2> /dev/null
}

# The number of the partition that a certificate names.
part_of() {
	openssl x509 -in "$A/public/certs/$1.pem" -noout -ext crlDistributionPoints |
		sed -n 's|.*URI:http://crl.example.org/issuing-g1/\([12]\)\.crl$|\1|p'
}

# Is NAME revoked, by the word of openssl and of certtool, with this CRL?
is_revoked() {
	openssl verify -crl_check -CAfile "$A/public/certs/root-g1.pem" \
		-untrusted "$A/public/certs/issuing-g1.pem" -CRLfile "$2" \
		"$A/public/certs/$1.pem" 2>&1 | grep -q 'certificate revoked'
}

# Nothing is wrong, but that no anchor is given.
verified() {
	run --separate-stderr ca-tool journal verify "$A" --json
	[ "$status" -eq 3 ]
	python3 -c '
import json, sys
bad = [f for f in json.loads(sys.argv[1])["findings"]
       if f["severity"] != "notice" and f["id"] != "AUDIT-SET"]
assert not bad, bad' "$output"
}

@test "a CRL follows the one before it, and the room sees the difference" {
	{
		step_end one tls-server
		step_end two tls-server
	} | run_plan leaves
	local one two
	one=$(serial "$A/public/certs/one.pem")
	two=$(serial "$A/public/certs/two.pem")
	{
		step_revoke issuing-g1 "$one" superseded
		step_full first
	} | run_plan crl-1
	{
		step_revoke issuing-g1 "$two" keyCompromise
		step_full second
	} | plan crl-2 > "$P"
	must ca-tool-pin plan run -d "$A" "$P" --yes
	finding '1 entry, of which 1 is kept as it is' '1 is new' \
		"new: $two"
	[ "$(revoked_on "$A/public/crls/second.crl" | sort)" = \
		"$(printf '%s\n' "$one superseded" "$two key compromise" | sort)" ]
	[ "$(crl_number "$A/public/crls/second.crl")" -gt \
		"$(crl_number "$A/public/crls/first.crl")" ]
	is_revoked one "$A/public/crls/second.pem"
	# In full, on request.
	run ca-tool crl diff "$A/public/crls/first.crl" "$A/public/crls/second.pem"
	[ "$status" -eq 0 ]
	[[ $output == "new $two "*keyCompromise* ]]
	[[ $output == *'1 kept, 1 new, 0 changed, 0 gone'* ]]
	run --separate-stderr ca-tool crl diff --json \
		"$A/public/crls/second.crl" "$A/public/crls/first.crl"
	[ "$status" -eq 0 ]
	python3 -c '
import json, sys
diff = json.loads(sys.argv[1])["diff"]
assert diff["gone"] == 1 and diff["kept"] == 1
assert [(c["change"], c["serial"]) for c in diff["changes"]] == [
    ("gone", sys.argv[2])]' "$output" "$two"
	run ca-tool crl diff "$A/public/crls/first.crl" "$A/public/crls/root-g1"*.crl
	[ "$status" -ne 0 ]
	run certtool --verify-crl --load-ca-certificate "$A/public/certs/issuing-g1.pem" \
		--infile "$A/public/crls/second.pem"
	[[ $output == *'Verified'* ]]
	sound
	verified
}

@test "partitions are fixed when certificates are issued, and hold all" {
	local name names=(a b c d e f g h)
	for name in "${names[@]}"; do
		step_end "$name" tls-parts
	done | run_plan leaves
	says 'all(d["crl_url"] in ("http://crl.example.org/issuing-g1/1.crl",
		"http://crl.example.org/issuing-g1/2.crl") for d in D("intent")
		if d.get("certificate_kind") == "end-entity")'
	{
		for name in "${names[@]}"; do
			step_revoke issuing-g1 "$(serial "$A/public/certs/$name.pem")" \
				superseded
		done
		step_part part-1 1
		step_part part-2 2
	} | run_plan revoke
	local part
	for name in "${names[@]}"; do
		part=$(part_of "$name")
		[ -n "$part" ]
		is_revoked "$name" "$A/public/crls/part-$part.pem"
		run grep -c "$(serial "$A/public/certs/$name.pem")" \
			<<< "$(revoked_on "$A/public/crls/part-$((3 - part)).crl")"
		[ "$output" = 0 ]
	done
	sound
	verified
	# One of them alone is made beside the other, which is in force.
	step_part again-1 1 | run_plan again
	verified
}

@test "what is not in its partition, and what is in none, is refused" {
	{
		step_end a tls-parts
		step_end b tls-server
	} | run_plan leaves
	# b names the CRL that is not split: it is in neither part.
	step_revoke issuing-g1 "$(serial "$A/public/certs/b.pem")" superseded |
		run_plan revoke-b
	{
		step_part one 1
		step_part two 2
	} | plan parts > "$P"
	check_refused PARTITION-INCOMPLETE
	{
		step_part one 1
		step_part one-again 1
	} | plan parts > "$P"
	check_refused PARTITION-OVERLAP
}

@test "the CRL before it is given: a forged one is refused" {
	step_full one-1 | run_plan crl-1
	cp "$A/public/crls/one-1.crl" given.crl
	# One of the same issuer, by its name, that another key signed.
	imposter 'Example issuing-g1'
	step_full second 'previous: imposter.crl' | plan crl-2 > "$P"
	check_refused CRL-PREVIOUS 'is not signed with the key of this issuer'
	# And one of another issuer.
	imposter 'Example other-g1'
	step_full second 'previous: imposter.crl' | plan crl-2 > "$P"
	check_refused CRL-PREVIOUS "its issuer's name is another"
	mkdir folder
	cp given.crl folder
	step_full second 'previous: folder' | plan crl-2 > "$P"
	check_refused CRL-PREVIOUS "'folder' is a directory"
	# The same with one bit of its signature turned.
	python3 - <<-'END'
	octets = bytearray(open("given.crl", "rb").read())
	octets[-1] ^= 1
	open("forged.crl", "wb").write(octets)
	END
	step_full second 'previous: forged.crl' | plan crl-2 > "$P"
	check_refused CRL-PREVIOUS 'is not signed with the key of this issuer'
	printf 'x' > cut.crl
	step_full second 'previous: cut.crl' | plan crl-2 > "$P"
	check_refused CRL-PREVIOUS
	step_full second 'previous: given.crl' | plan crl-2 > "$P"
	must ca-tool-pin plan run -d "$A" "$P" --yes
	finding 'before it: number'
	verified
}

@test "the last CRL: not while somebody could no longer be revoked" {
	step_end one tls-server | run_plan leaves
	step_full last 'last: true' | plan last > "$P"
	check_refused CRL-LAST
	[[ $output == *'1 certificate of this CA is neither expired nor'* ]]
	{
		step_revoke issuing-g1 "$(serial "$A/public/certs/one.pem")" \
			superseded
		step_full last 'last: true'
	} | plan last > "$P"
	must ca-tool-pin plan run -d "$A" "$P" --yes
	finding 'have the CA above revoke that certificate' CRL-LAST
	# The run says what the check said, and says it once.
	[ "$(grep -c ': warning: .*\[CRL-LAST' <<< "$output")" -eq 1 ]
	says '[d["last"] for d in D("intent") if d["name"] == "last"] == [True]'
	step_full again 'last: maybe' | plan again > "$P"
	check_refused CRL-LAST
	verified
}

@test "what the CRL before it lists is on the next one, as it was" {
	step_end one tls-server | run_plan leaves
	local one
	one=$(serial "$A/public/certs/one.pem")
	# The same CA in another history, as where a journal was lost: it
	# revoked what this journal does not.
	cp -a "$A" other
	{
		step_revoke issuing-g1 "$one" superseded
		step_full there
	} | plan there > there.yaml
	must ca-tool-pin plan run -d other there.yaml --yes
	cp other/public/crls/there.crl there.crl
	openssl crl -in there.crl -noout -CAfile <(cat "$A"/public/certs/*.pem)
	step_full next 'previous: there.crl' | plan next > "$P"
	check_refused CRL-DROPPED "serial $one" 'import-revocations'
	# For another reason, and as of another time.
	{
		step_revoke issuing-g1 "$one" cessationOfOperation
		step_full next 'previous: there.crl'
	} | plan next > "$P"
	check_refused CRL-CHANGED "serial $one" 'only a change to keyCompromise'
	# Taken over as it is, it stays as it was.
	{
		cat <<-END
		- import-revocations:
		    issuer: issuing-g1
		    format: crl
		    file: there.crl
		END
		step_full next 'previous: there.crl'
	} | plan next > "$P"
	must ca-tool-pin plan run -d "$A" "$P" --yes
	finding '1 entry, of which 1 is kept as it is'
	[ "$(revoked_on "$A/public/crls/next.crl")" = "$one superseded" ]
	run ca-tool crl diff there.crl "$A/public/crls/next.crl"
	[ "$status" -eq 0 ]
	[[ $output == *'1 kept, 0 new, 0 changed, 0 gone'* ]]
	sound
	verified
}
