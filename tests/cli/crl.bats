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
	finding '1 entries, of which 1 are kept as they are' '1 are new' \
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
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc \
		-keyout x.key -out x.pem -days 30 -subj /CN=x \
		-addext keyUsage=critical,cRLSign 2> /dev/null
	# The same with one bit of its signature turned.
	python3 - <<-'END'
	octets = bytearray(open("given.crl", "rb").read())
	octets[-1] ^= 1
	open("forged.crl", "wb").write(octets)
	END
	step_full second 'previous: forged.crl' | plan crl-2 > "$P"
	check_refused CRL-PREVIOUS
	printf 'x' > cut.crl
	step_full second 'previous: cut.crl' | plan crl-2 > "$P"
	check_refused CRL-PREVIOUS
	step_full second 'previous: given.crl' | plan crl-2 > "$P"
	must ca-tool-pin plan run -d "$A" "$P" --yes
	finding 'before it: number'
	verified
}

@test "the last CRL says who can no longer be revoked" {
	step_end one tls-server | run_plan leaves
	step_full last 'last: true' | plan last > "$P"
	must ca-tool-pin plan run -d "$A" "$P" --yes
	finding '1 certificates of this CA are neither expired nor' CRL-LAST
	says '[d["last"] for d in D("intent") if d["name"] == "last"] == [True]'
	step_full again 'last: maybe' | plan again > "$P"
	check_refused CRL-LAST
	verified
}
