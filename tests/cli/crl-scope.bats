#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell
# Whom a CRL is about: no revocation is left out because another CRL is in force,
# none about end entities lasts as long as one about CAs; and what ca list says
# is due of CRLs and OCSP responses.

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

step_end() { # NAME PROFILE [ISSUER [VALIDITY]]
	make_request "$1"
	cat <<-EOF
	- end-entity:
	    name: $1
	    issuer: ${3:-issuing-g1}
	    profile: $2
	    csr: $1.csr
	    names: { dns: [$1.example.org] }
	    subject: {}
	    validity: ${4:-30d}
	EOF
}

step_full() { # NAME ISSUER PROFILE [LINE]
	printf -- '- crl:\n    name: %s\n    issuer: %s\n    profile: %s\n' \
		"$1" "$2" "$3"
	[ $# -lt 4 ] || echo "    $4"
}

step_part() { # NAME NUMBER
	echo "- crl: { name: $1, issuer: issuing-g1, profile: crl-partition," \
		"url: http://crl.example.org/issuing-g1/$2.crl }"
}

step_responses() { # NAME [VALIDITY]
	cat <<-EOF
	- ocsp-responses:
	    name: $1
	    issuer: root-g1
	    responder: answers
	    profile: ocsp-response
	    validity: ${2:-100d}
	EOF
}

part_of() {
	openssl x509 -in "$A/public/certs/$1.pem" -noout -ext crlDistributionPoints |
		sed -n 's|.*URI:http://crl.example.org/issuing-g1/\([12]\)\.crl$|\1|p'
}

# listed PYTHON [OFFSET]: an expression over ca list --json is true; due(key).
listed() {
	no_leaks faketime -f "${2:-+0d}" "$CA_TOOL" ca list -d "$A" --json > cas.json
	python3 -c '
import json, sys
R = json.load(open("cas.json"))["cas"]
def CA(key):
    return next(c for c in R if c["key"] == key)
def due(key, text):
    return sum(text in line for line in CA(key)["due"])
sys.exit(not eval("(" + sys.argv[1] + ")"))' "$1" || {
		echo "ca list does not say: $1"
		cat cas.json
		return 1
	}
}

verified() {
	ca-tool journal verify --anchor "$A/public/anchor/anchor.txt" "$A"
}

@test "a CRL in force counts only for what was revoked before it" {
	local name one='' two='' again=''
	{
		for name in a b c d e f g h i j k l; do
			step_end $name tls-parts
		done
		step_part p1 1
		step_part p2 2
	} | run_plan leaves
	for name in a b c d e f g h i j k l; do
		if [ "$(part_of $name)" = 1 ]; then
			one=$name
		else
			again=$two
			two=$name
		fi
	done
	[ -n "$one" ] && [ -n "$again" ]
	two=$(serial "$A/public/certs/$two.pem")
	again=$(serial "$A/public/certs/$again.pem")
	listed 'due("issuing-g1", "on no CRL yet") == 0'
	# Both are in force; and the one of the second does not have it.
	{
		step_revoke issuing-g1 "$two" superseded
		step_part q1 1
	} | plan half > "$P"
	check_refused PARTITION-INCOMPLETE "serial $two"
	# In the journal, the same.
	must run_plan revoke <<< "$(step_revoke issuing-g1 "$two" superseded)"
	listed 'CA("issuing-g1")["unlisted"] == 1 and
		due("issuing-g1", "1 revocation is on no CRL yet") == 1'
	step_part q1 1 | plan half > "$P"
	check_refused PARTITION-INCOMPLETE "serial $two"
	# Nor is one of CAs alone a CRL that has it.
	echo "- crl: { name: cas, issuer: issuing-g1, profile: crl-ca-only," \
		"url: http://crl.example.org/issuing-g1.crl }" | plan half > "$P"
	check_refused PARTITION-INCOMPLETE "serial $two"
	must run_plan second <<< "$(step_part q2 2)"
	listed 'CA("issuing-g1")["unlisted"] == 0'
	must run_plan first-alone <<< "$(step_part q1 1)"
	listed 'CA("issuing-g1")["unlisted"] == 0'
	# A full one has it too, until the next is revoked.
	must run_plan revoke-2 <<< "$(step_revoke issuing-g1 "$again" superseded)"
	listed 'CA("issuing-g1")["unlisted"] == 1'
	must run_plan full <<< "$(step_full full issuing-g1 crl-user)"
	listed 'CA("issuing-g1")["unlisted"] == 0'
	must run_plan beside <<< "$(step_part r1 1)"
	must verified
}

@test "a CRL about end entities lasts no half year: public trust" {
	{
		step_key root-p p-384
		step_key iss-p p-384
		step_root root-p | sed 's/profile: root/profile: root-public/'
		step_subordinate iss-p root-p 'key: iss-p' |
			sed -e 's/profile: issuing-ca/&-tls/' -e '/validity/d'
		step_full root-p root-p ca-crl-public
	} | must run_plan public
	{
		step_end www tls-server iss-p
		step_full iss-p iss-p ca-crl-public
	} | plan leaf > "$P"
	check_refused CRL-COVERS 'as in crl-user-public'
	{
		step_end www tls-server iss-p
		step_full iss-p iss-p crl-user-public
	} | plan leaf > "$P"
	must ca-tool-pin plan run -d "$A" "$P" --yes
	[[ $output != *CRL-COVERS* ]]
	openssl crl -in "$A/public/crls/iss-p.pem" -noout -nextupdate |
		cut -d= -f2 > end
	[ "$(date -d "$(cat end)" +%s)" -lt "$(date -d '+8 days' +%s)" ]
	# It is in the journal from here on.
	step_full again iss-p ca-crl-public | plan again > "$P"
	check_refused CRL-COVERS
	# The CRL of who issued CAs alone may.
	must run_plan root-again <<< "$(step_full root-p-2 root-p ca-crl-public)"
	# A draft takes what fits each.
	ca-tool plan new crl -d "$A" iss-p > "$P"
	grep -q 'profile: crl-user-public$' "$P"
	must ca-tool plan check -d "$A" "$P"
	[[ $output != *CRL-COVERS* ]]
	ca-tool plan new crl -d "$A" root-p > "$P"
	grep -q 'profile: ca-crl-public$' "$P"
	ca-tool plan new rollover -d "$A" iss-p > "$P"
	grep -q 'profile: crl-user-public$' "$P"
	must verified
}

@test "a CRL about end entities lasts no half year: a warning elsewhere" {
	{
		step_full before issuing-g1 ca-crl
		step_full root-g1-2 root-g1 ca-crl
	} | plan before > "$P"
	must ca-tool-pin plan run -d "$A" "$P" --yes
	[[ $output != *CRL-COVERS* ]]
	step_end www tls-server | must run_plan leaf
	step_full long issuing-g1 ca-crl | plan long > "$P"
	must ca-tool-pin plan run -d "$A" "$P" --yes
	finding CRL-COVERS 'as in crl-user'
	ca-tool plan new crl -d "$A" issuing-g1 > "$P"
	grep -q 'profile: crl-user$' "$P"
	grep -q "Not 'ca-crl', as before" "$P"
	must ca-tool plan check -d "$A" "$P"
	[[ $output != *CRL-COVERS* ]]
	ca-tool plan new crl -d "$A" root-g1 > "$P"
	grep -q 'profile: ca-crl$' "$P"
	# A new issuing CA issues to end entities, a policy CA to CAs.
	ca-tool plan new issuing-ca -d "$A" issuing-g7 > "$P"
	grep -q 'profile: crl-user$' "$P"
	ca-tool plan new policy-ca -d "$A" policy-g1 > "$P"
	grep -q 'profile: ca-crl$' "$P"
	must verified
}

@test "ca list: OCSP responses and responders, and when the next are due" {
	{
		step_key answers p-256 ocsp
		step_ocsp answers root-g1 'key: answers' 200d
	} | must run_plan responder
	must run_plan o-1 <<< "$(step_responses o-1)"
	listed 'CA("root-g1")["responder"]["name"] == "answers"'
	listed '[(b["name"], b["profile"], b["responses"], b["responder"])
		for b in CA("root-g1")["ocsp"]] == [
		("o-1", "ocsp-response", 1, "answers")]'
	listed 'CA("issuing-g1")["ocsp"] == [] and
		CA("issuing-g1")["responder"] is None'
	listed 'not any("OCSP" in d for d in CA("root-g1")["due"])'
	run ca-tool ca list -d "$A"
	[[ $(tr -s ' \n' ' ' <<< "$output") == *" Responder 'answers', to "* ]]
	[[ $(tr -s ' \n' ' ' <<< "$output") == \
		*" Last OCSP 'o-1', 1 response of profile 'ocsp-response', next by "* ]]
	listed 'due("root-g1", "the next OCSP responses, behind '"'o-1'"', by ")
		== 1' +80d
	listed 'due("root-g1", "OCSP responses '"'o-1'"' ended on ") == 1' +110d
	listed 'due("root-g1", "OCSP responder '"'answers'"' expires on ") == 1' \
		+150d
	listed 'due("root-g1", "OCSP responder '"'answers'"' expired on ") == 1' \
		+210d
	# A later batch takes its place; of two responders the longer counts.
	must run_plan o-2 <<< "$(step_responses o-2 150d)"
	listed '[b["name"] for b in CA("root-g1")["ocsp"]] == ["o-2"] and
		due("root-g1", "OCSP responses") == 0' +110d
	{
		step_key more p-256 ocsp
		step_ocsp more root-g1 'key: more' 365d
	} | must run_plan more
	listed 'CA("root-g1")["responder"]["name"] == "more" and
		due("root-g1", "OCSP responder") == 0' +210d
	# One that is revoked answers nothing.
	{
		step_revoke root-g1 "$(serial "$A/public/certs/more.pem")" superseded
		step_full root-g1-2 root-g1 ca-crl
	} | must run_plan revoke
	listed 'CA("root-g1")["responder"]["name"] == "answers"'
	# Nobody asks about what has expired.
	listed 'due("root-g1", "OCSP") == 0' +1900d
}

@test "a retired CA whose last CRL ends before its certificate" {
	step_end www tls-server | must run_plan leaf
	{
		step_revoke issuing-g1 "$(serial "$A/public/certs/www.pem")" superseded
		step_full last issuing-g1 ca-crl 'last: true'
		echo '- ca-state: { key: issuing-g1, state: retired, why: a test }'
	} | must run_plan retire
	listed 'due("issuing-g1", "have the CA above revoke that") == 1'
	{
		step_revoke root-g1 "$(serial "$A/public/certs/issuing-g1.pem")" \
			cessationOfOperation
		step_full root-g1-2 root-g1 ca-crl
	} | must run_plan end
	listed 'due("issuing-g1", "have the CA above revoke that") == 0'
	must verified
}

@test "without a profile for it, a draft takes what there is" {
	cp -r "$PROFILES" own
	rm own/crl-user.yaml own/crl-user-public.yaml
	A=$BATS_TEST_TMPDIR/other
	make_authority "$A" --profiles own
	first_ceremony "$A"
	step_end www tls-server | must run_plan leaf
	ca-tool plan new crl -d "$A" issuing-g1 > "$P"
	grep -q 'profile: ca-crl$' "$P"
	must ca-tool-pin plan run -d "$A" "$P" --yes
	finding CRL-COVERS
	ca-tool plan new crl -d "$A" issuing-g1 > "$P"
	grep -q 'profile: ca-crl$' "$P"
	run grep 'as before' "$P"
	[ "$status" -eq 1 ]
}
