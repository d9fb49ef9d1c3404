#!/usr/bin/env bats
# What a revocation needs behind it: a CRL that can say it, and OCSP responses
# that do not contradict it; what check tells of a query before anybody approves.

load ceremony-helper

setup_file() {
	base_authority
	local A=$BASE
	cd "$BATS_FILE_TMPDIR" || return
	make_request one
	make_request two
	sed -e 's/^id: .*/id: strict/' -e 's/, unspecified\]/]/' \
		-e 's/privilegeWithdrawn, unspecified/privilegeWithdrawn/' \
		"$BASE/profiles/ca-crl.yaml" > "$BASE/profiles/strict.yaml"
	run_plan adopt <<-EOF
	- adopt-config: { why: "a CRL profile for tests" }
	EOF
	{
		step_leaf one 'names: { dns: [one.example.org] }'
		step_leaf two 'names: { dns: [two.example.org] }'
		step_key ocsp-g1 p-256 ocsp
		step_ocsp ocsp-g1 root-g1 'key: ocsp-g1'
	} | run_plan both
	responses o-1 | run_plan answers
}

setup() {
	copy_authority
	cp "$BATS_FILE_TMPDIR"/*.csr .
	ONE=$(serial "$A/public/certs/one.pem")
	TWO=$(serial "$A/public/certs/two.pem")
	SUB=$(serial "$A/public/certs/issuing-g1.pem")
	RESPONDER=$(serial "$A/public/certs/ocsp-g1.pem")
}

step_leaf() { # NAME LINE
	cat <<-EOF
	- end-entity:
	    name: $1
	    issuer: issuing-g1
	    csr: $1.csr
	    profile: tls-server
	    $2
	EOF
}

responses() { # NAME
	cat <<-EOF
	- ocsp-responses:
	    name: $1
	    issuer: root-g1
	    profile: ocsp-response
	    responder: ocsp-g1
	EOF
}

strict_list() { # NAME
	step_list "$1" issuing-g1 | sed 's/: ca-crl/: strict/'
}

# query ISSUER REASON CONDITION: a revoke step
query() {
	printf -- '- revoke:\n    issuer: %s\n    reason: %s\n    query: { %s }\n' \
		"$1" "$2" "$3"
}

# import KIND ISSUER FILE [LINE]
import() {
	cat <<-EOF
	- import-$1:
	    issuer: $2
	    format: csv
	    file: $3
	    ${4-}
	EOF
}

# checked: $P passes plan check, whose words are in $output.
checked() {
	must ca-tool plan check -d "$A" "$P"
}

# flat: $output as one line, without marks of comments.
flat() {
	output=$(tr -s '#\n ' ' ' <<< "$output")
}

# silent ID...: it does not say so.
silent() {
	local id
	for id in "$@"; do
		if grep -q -- "$id" <<< "$output"; then
			echo "finding $id in: $output"
			return 1
		fi
	done
}

# ---- reasons that a CRL cannot say ------------------------------------------------

@test "refused: a reason that the plan's CRL, or the newest one, cannot say" {
	{
		step_revoke issuing-g1 "$ONE" unspecified
		strict_list l1
	} | plan p > "$P"
	check_refused CRL-REASON-SET "$ONE" "'strict' of CRL 'l1'" 'this plan makes'
	{
		query issuing-g1 unspecified 'under: example.org'
		strict_list l1
	} | plan p > "$P"
	check_refused CRL-REASON-SET "$ONE" "$TWO"
	printf 'serial-hex,date\n%s,%s\n' "$ONE" "$(date -u +%FT%TZ)" > list.csv
	{
		import revocations issuing-g1 list.csv
		strict_list l1
	} | plan p > "$P"
	check_refused CRL-REASON-SET "$ONE"
	# Each of these is a way out.
	{
		import revocations issuing-g1 list.csv 'reason: superseded'
		strict_list l1
	} | plan p > "$P"
	checked
	{
		step_revoke issuing-g1 "$ONE" superseded
		strict_list l1
	} | plan p > "$P"
	checked
	# Without a CRL in the plan the newest one counts.
	step_revoke issuing-g1 "$ONE" unspecified | plan p > "$P"
	checked
	must run_plan strict-list <<< "$(strict_list l1)"
	step_revoke issuing-g1 "$ONE" unspecified | plan p > "$P"
	check_refused CRL-REASON-SET "$ONE" "CRL 'l1', the newest"
	must ca-tool plan new -d "$A" revoke issuing-g1
	silent unspecified
	{
		step_revoke issuing-g1 "$ONE" unspecified
		step_list l2 issuing-g1
	} | plan p > "$P"
	must ca-tool-pin plan run -d "$A" "$P" --yes
	# And whoever asks for such a CRL all the same is told which entry it is.
	strict_list l3 | plan q > "$P"
	check_refused CRL-REASON-SET "serial $ONE: the reason 'unspecified'"
	must ca-tool plan new -d "$A" revoke issuing-g1
	flat
	finding 'unspecified only for end entities'
}

@test "refused: no reason for what a root issued, if nobody says that it is no CA" {
	printf 'serial-hex,expires\n0a0b01,2033-01-01T00:00:00Z\n' > issued.csv
	printf 'serial-hex,expires,ca\n0a0b01,2033-01-01T00:00:00Z,ee\n' > ee.csv
	printf 'serial-hex,date\n0a0b01,%s\n' "$(date -u +%FT%TZ)" > revoked.csv
	{
		import issued root-g1 issued.csv
		step_revoke root-g1 0a0b01 unspecified
	} | plan p > "$P"
	check_refused CRL-REASON-CA 'may be a CA'
	{
		import issued root-g1 issued.csv
		import revocations root-g1 revoked.csv
	} | plan p > "$P"
	check_refused CRL-REASON-CA 'may be a CA'
	{
		import issued root-g1 issued.csv
		step_revoke root-g1 0a0b01 superseded
	} | plan p > "$P"
	checked
	{
		import issued root-g1 ee.csv
		step_revoke root-g1 0a0b01 unspecified
	} | plan p > "$P"
	checked
	# Below an issuing CA it is an end entity's.
	{
		import issued issuing-g1 issued.csv
		import revocations issuing-g1 revoked.csv
	} | plan p > "$P"
	checked
}

# ---- CRLs and responses ------------------------------------------------------------

@test "a revocation without a CRL behind it is told, once for an issuer" {
	{
		step_revoke issuing-g1 "$ONE" superseded
		step_revoke issuing-g1 "$TWO" superseded
	} | plan p > "$P"
	checked
	finding CRL-24H 'no later step makes a CRL'
	silent 'Nothing is wrong'
	[ "$(grep -c CRL-24H <<< "$output")" -eq 1 ]
	{
		step_revoke issuing-g1 "$ONE" superseded
		step_list l1 issuing-g1 | sed 's/: ca-crl/: crl-user/'
	} | plan p > "$P"
	checked
	silent CRL-24H
	finding 'Nothing is wrong'
	# That of another issuer is none.
	{
		step_revoke issuing-g1 "$ONE" superseded
		step_list l1 root-g1
	} | plan p > "$P"
	checked
	finding CRL-24H
	must run_plan r <<< "$(step_revoke issuing-g1 "$ONE" superseded)"
	printf -- '- upgrade-revocation: { issuer: issuing-g1, serial: "%s" }\n' \
		"$ONE" | plan p > "$P"
	checked
	finding CRL-24H
}

@test "responses in force that say good are told, due, and replaced" {
	{
		step_revoke root-g1 "$SUB" superseded
		step_list l2 root-g1
	} | plan p > "$P"
	checked
	finding OCS-CRL-AGREE "good until .* in 'o-1'" 'put an ocsp-responses step'
	{
		step_revoke root-g1 "$SUB" superseded
		step_list l2 root-g1
		responses o-2
	} | plan p > "$P"
	checked
	finding OCS-CRL-AGREE "good until .* in 'o-1'"
	silent 'put an ocsp-responses step'
	# The draft has the step, and is not about other issuers.
	must ca-tool plan new -d "$A" revoke root-g1
	flat
	finding '- ocsp-responses:' "in 'o-1'" 'responder: ocsp-g1'
	must ca-tool plan new -d "$A" revoke issuing-g1
	silent '- ocsp-responses:'
	must ca-tool ca list -d "$A"
	flat
	silent 'still say good'
	{
		step_revoke root-g1 "$SUB" superseded
		step_list l2 root-g1
	} | plan revoke > "$P"
	run ca-tool-pin plan run -d "$A" "$P" --yes
	[ "$status" -eq 0 ]
	finding OCS-CRL-AGREE
	must ca-tool ca list -d "$A"
	flat
	finding "still say good of 1 revoked certificate, until .* in 'o-1'"
	must run_plan answer <<< "$(responses o-2)"
	must ca-tool ca list -d "$A"
	flat
	silent 'still say good'
}

@test "responses in force whose responder is revoked are told, and due" {
	{
		step_revoke root-g1 "$RESPONDER" keyCompromise
		step_list l2 root-g1
	} | plan revoke > "$P"
	checked
	finding OCS-CRL-AGREE "responder 'ocsp-g1' is revoked" "in 'o-1'"
	query root-g1 keyCompromise 'profile: ocsp-responder' | plan p > "$P"
	checked
	finding OCS-CRL-AGREE "responder 'ocsp-g1' is revoked"
	must run_plan revoke < <(
		step_revoke root-g1 "$RESPONDER" keyCompromise
		step_list l2 root-g1
	)
	must ca-tool ca list -d "$A"
	flat
	finding "signed by responder 'ocsp-g1', which is revoked"
	# Behind its end nobody goes by it any more.
	run no_leaks faketime -f +400d "$CA_TOOL" ca list -d "$A"
	flat
	silent 'which is revoked'
}

# ---- queries -----------------------------------------------------------------------

@test "check tells how many a query would revoke, and who is left out" {
	{
		query issuing-g1 superseded 'under: example.org'
		step_list l1 issuing-g1
	} | plan p > "$P"
	checked
	finding QUERY-COUNT 'would revoke 2 certificates' 'it finds 2'
	silent QUERY-OTHER-ISSUER
	must ca-tool plan show -d "$A" "$P"
	flat
	finding "superseded: 2 certificates of 'issuing-g1'" "$ONE" "$TWO"
	must ca-tool plan approve -d "$A" "$P" --yes "${OPS[@]}" 8< <(pins)
	flat
	finding "superseded: 2 certificates of 'issuing-g1'"
	query root-g1 superseded 'plan: both' | plan p > "$P"
	checked
	finding QUERY-COUNT 'would revoke 1 certificate:' \
		QUERY-OTHER-ISSUER "2 certificates of others ('issuing-g1', say)"
	# With a step for each, nobody is.
	{
		query root-g1 superseded 'plan: both'
		query issuing-g1 superseded 'plan: both'
	} | plan p > "$P"
	checked
	silent QUERY-OTHER-ISSUER
	# What is revoked there already stays out of it.
	{
		step_revoke issuing-g1 "$ONE" superseded
		query root-g1 superseded 'plan: both'
	} | plan p > "$P"
	checked
	finding "1 certificate of others ('issuing-g1') fulfils"
	# A time is nothing that certificates have in common.
	query root-g1 superseded 'from: 2020-01-01T00:00:00Z' | plan p > "$P"
	checked
	silent QUERY-OTHER-ISSUER
}

@test "a name that only the common name has is found as well" {
	make_request old.example.com
	must run_plan common <<-EOF
	- end-entity:
	    name: old
	    issuer: issuing-g1
	    csr: old.example.com.csr
	    profile: client
	    subject: { organization: Example Trust }
	EOF
	for condition in 'name: OLD.example.com' 'under: example.com'; do
		query issuing-g1 superseded "$condition" | plan p > "$P"
		checked
		finding 'would revoke 1 certificate:'
	done
	for condition in 'name: example.com' 'name: ld.example.com'; do
		query issuing-g1 superseded "$condition" | plan p > "$P"
		check_refused QUERY-NOTHING
	done
}

# ---- lists, drafts, the forecast ---------------------------------------------------

@test "a list with a malformed line and a serial twice has both told at once" {
	{
		printf 'R\t330101000000Z\t260101000000Z\t0A0B02\tunknown\t/CN=b\n'
		printf 'X\t330101000000Z\t\t0A0B03\tunknown\t/CN=c\n'
		printf 'R\t330101000000Z\t260101000000Z\t0A0B02\tunknown\t/CN=b\n'
	} > index.txt
	import revocations issuing-g1 index.txt | sed 's/: csv/: index.txt/' |
		plan p > "$P"
	check_refused IMPORT-INDEX CRL-NO-DUP-SERIAL 'line 2' 'line 3'
}

@test "a responder that ends too soon is not said to be missing" {
	run no_leaks faketime -f +364d "$CA_TOOL" plan new -d "$A" ocsp root-g1
	flat
	finding "'ocsp-g1' ends on .* too soon"
	silent 'has no responder'
}

@test "a forecast without a recent revocation says since when" {
	must run_plan r < <(
		step_revoke issuing-g1 "$ONE" superseded
		step_list l1 issuing-g1
	)
	run no_leaks faketime -f +366d "$CA_TOOL" crl forecast -d "$A" issuing-g1
	[ "$status" -eq 0 ]
	flat
	finding 'no certificate was revoked over the last 365 days'
	silent 'since it began'
	run no_leaks faketime -f +20d "$CA_TOOL" crl forecast -d "$A" issuing-g1
	[ "$status" -eq 0 ]
	flat
	finding 'since it began'
}
