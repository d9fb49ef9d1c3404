#!/usr/bin/env bats
# OCSP responses from the command line: a session, what it refuses, and what a
# cut leaves.  tests/interop/ocsp.bats has others judge them.
# shellcheck disable=SC2154,SC2164,SC1091

load helper

response() { # NAME ISSUER [OPTION...]: lines of the step
	cat <<-END
	- ocsp-responses:
	    name: $1
	    issuer: $2
	    profile: ocsp-response
	END
	local line
	for line in "${@:3}"; do
		echo "    $line"
	done
}

responder() { # NAME [VALIDITY]
	step_key "$1" p-256 ocsp
	cat <<-END
	- ocsp-responder:
	    name: $1
	    issuer: root-g1
	    key: $1
	    profile: ocsp-responder
	    subject:
	      country: DE
	      organization: Example Trust
	      common-name: Example $1
	    validity: ${2:-365d}
	END
}

revoke() { # SERIAL
	cat <<-END
	- revoke:
	    issuer: root-g1
	    serial: $1
	    reason: superseded
	END
}

setup_file() {
	cd "$BATS_FILE_TMPDIR"
	make_authority ca
	first_ceremony ca
	responder ocsp-g1 | plan responder >responder.yaml
	ca-tool-pin plan run -d ca responder.yaml --yes
}

setup() {
	cd "$BATS_TEST_TMPDIR"
	cp -a "$BATS_FILE_TMPDIR/ca" ca
}

run_it() { # FILE
	ca-tool-pin plan run -d ca "$1" --yes
}

serial_of() {
	openssl x509 -noout -serial -in "ca/public/certs/$1.pem" | cut -d= -f2
}

# check_refused PATTERN...: the plan on stdin is refused, and says so.
check_refused() {
	plan refused >refused.yaml
	run ca-tool plan check -d ca refused.yaml
	refused 3 "$@"
}

@test "a session: the room sees counts and times, and files are there" {
	response o-1 root-g1 'responder: ocsp-g1' | plan session >session.yaml
	run run_it session.yaml
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *"sign 1 OCSP response 'o-1' with key 'ocsp-g1'"* ]]
	[[ $output == *"about: 1 certificate, 1 good, 0 revoked"* ]]
	[[ $output == *"Example ocsp-g1"* ]]
	[[ $output == *"public/ocsp/o-1/"* ]]
	run ls ca/public/ocsp/o-1
	[ "${#lines[@]}" -eq 2 ]
	# SHA-256 and SHA-1 name the same file.
	cmp "ca/public/ocsp/o-1/${lines[0]}" "ca/public/ocsp/o-1/${lines[1]}"
	openssl ocsp -respin "ca/public/ocsp/o-1/${lines[0]}" -sha1 \
		-issuer ca/public/certs/root-g1.pem \
		-cert ca/public/certs/issuing-g1.pem \
		-CAfile ca/public/certs/root-g1.pem >verdict 2>&1
	grep -q '^Response verify OK' verdict
	# Never over what is there: each session has a name of its own.
	response o-1 root-g1 'responder: ocsp-g1' |
		check_refused "'public/ocsp/o-1' exists already"
	rm -r ca/public/ocsp/o-1
	response o-1 root-g1 'responder: ocsp-g1' |
		check_refused "OCSP responses 'o-1' already"
}

@test "revoked in the same plan: before the responses, never behind" {
	serial=$(serial_of issuing-g1)
	{
		revoke "$serial"
		response o-1 root-g1 'responder: ocsp-g1'
	} | plan good >good.yaml
	run run_it good.yaml
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *"0 good, 1 revoked"* ]]
	for file in ca/public/ocsp/o-1/*; do
		openssl ocsp -respin "$file" -noverify -resp_text >text
		grep -q 'Cert Status: revoked' text
		grep -q 'Revocation Reason: superseded' text
	done
}

@test "a revocation behind the responses is refused" {
	{
		response o-1 root-g1 'responder: ocsp-g1'
		revoke "$(serial_of issuing-g1)"
	} | check_refused 'REVOKE-AFTER'
}

@test "a serial number that nobody knows is never said to be good" {
	response o-1 root-g1 'responder: ocsp-g1' "serials: ['0abcdef0']" |
		check_refused 'OCS-GOOD-ASSIGNED' 'nothing is said about it'
	# Nor that of a root by itself, or of what another CA issued.
	response o-1 root-g1 'responder: ocsp-g1' \
		"serials: ['$(serial_of root-g1)']" |
		check_refused 'OCS-ROOT-STATUS'
	response o-1 root-g1 'responder: ocsp-g1' \
		"serials: ['$(serial_of ocsp-g1)']" |
		check_refused 'OCS-NO-EE-FROM-ROOT'
	response o-1 root-g1 'responder: ocsp-g1' \
		"serials: ['$(serial_of issuing-g1 | tr A-F a-f)', '$(serial_of \
			issuing-g1)']" |
		check_refused 'SERIAL-TWICE'
}

@test "never beyond the responder's certificate, or the profile" {
	response o-1 root-g1 'responder: ocsp-g1' 'validity: 366d' |
		check_refused 'PROFILE-VALIDITY'
	response o-1 root-g1 'responder: ocsp-g1' 'validity: 0d' |
		check_refused 'DURATION'
	responder brief 30d | plan brief >brief.yaml
	run_it brief.yaml
	response o-1 root-g1 'responder: brief' |
		check_refused 'OCS-NEXTUPDATE-CERTS' 'outlive'
	response o-1 root-g1 'responder: brief' 'validity: 29d' |
		plan short >short.yaml
	ca-tool plan check -d ca short.yaml
	# The old responder, when the new one is there: both are good.
	response o-2 root-g1 'responder: ocsp-g1' | plan old >old.yaml
	ca-tool plan check -d ca old.yaml
	# 40 days on the brief one has expired.
	response o-3 root-g1 'responder: brief' 'validity: 1d' |
		plan later >later.yaml
	sed -i "s/^  until: .*/  until: $(when '+50 days')/" later.yaml
	run at_time +40d "$CA_TOOL" plan check -d ca later.yaml
	refused 3 'ISSUER-VALID|OCS-NEXTUPDATE-CERTS'
}

@test "who may not sign them" {
	response o-1 root-g1 | check_refused 'OCS-SIGNER' 'digital-signature'
	response o-1 root-g1 'responder: issuing-g1' |
		check_refused 'KEY-PURPOSE'
	response o-1 root-g1 'responder: nobody' |
		check_refused 'RESPONDER-MISSING'
	response o-1 issuing-g1 'responder: ocsp-g1' |
		check_refused 'OCR-ISSUER'
	# A responder whose key is elsewhere.
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc \
		-keyout away.key -out away.csr -subj /CN=away 2>openssl.log
	cat >away.steps <<-END
	- ocsp-responder:
	    name: away
	    issuer: root-g1
	    csr: away.csr
	    profile: ocsp-responder
	    subject:
	      country: DE
	      organization: Example Trust
	      common-name: Example away
	END
	plan away <away.steps >away.yaml
	run_it away.yaml
	response o-1 root-g1 'responder: away' | check_refused 'RESPONDER-KEY'
	# One that is revoked.
	revoke "$(serial_of ocsp-g1)" | plan gone >gone.yaml
	run_it gone.yaml
	response o-1 root-g1 'responder: ocsp-g1' |
		check_refused 'RESPONDER-REVOKED'
}

@test "nothing to answer for is said, and malformed members have a place" {
	sed 's/profile: ocsp-response/profile: ocsp-response-user/' < <(
		response o-1 root-g1 'responder: ocsp-g1') |
		check_refused 'OCSP-NONE'
	response o-1 root-g1 'responder: ocsp-g1' "serials: ['01:02']" |
		check_refused 'refused.yaml:[0-9]+:[0-9]+' 'SERIAL-FORM'
	response 'O 1' root-g1 'responder: ocsp-g1' |
		check_refused 'NAME-FORM'
	response o-1 root-g1 'responder: ocsp-g1' 'nonce: yes' |
		check_refused 'nonce'
}

# own_key: issuing-g2, whose certificate allows it to sign responses, and a
# client below it
own_key() {
	sed -e 's/^id: .*/id: issuing-answers/' \
		-e 's/usages: \[key-cert-sign, crl-sign\]/usages: [digital-signature, key-cert-sign, crl-sign]/' \
		ca/profiles/issuing-ca.yaml >ca/profiles/issuing-answers.yaml
	echo '- adopt-config: { why: "a CA that answers itself" }' |
		plan adopt >adopt.yaml
	run_it adopt.yaml
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc \
		-keyout one.key -out one.csr -subj /CN=one 2>openssl.log
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc \
		-keyout two.key -out two.csr -subj /CN=two 2>openssl.log
	{
		step_key issuing-g2
		step_subordinate issuing-g2 root-g1 'key: issuing-g2' |
			sed 's/profile: issuing-ca/profile: issuing-answers/'
		for name in one two; do
			cat <<-END
			- end-entity:
			    name: $name
			    issuer: issuing-g2
			    csr: $name.csr
			    profile: client
			    subject: { organization: Example Trust }
			END
		done
	} | plan own >own.yaml
	run_it own.yaml
}

# answer NAME BATCH [ISSUER]: what openssl makes of the response about it, with
# nobody to trust but the root
answer() {
	local name
	openssl ocsp -no_nonce -sha256 -issuer "ca/public/certs/${3-issuing-g2}.pem" \
		-cert "ca/public/certs/$1.pem" -reqout request.der
	name=$(openssl base64 -A -in request.der |
		sed 's/+/%2B/g; s,/,%2F,g; s/=/%3D/g')
	cp "ca/public/ocsp/$2/$name" response.der
	openssl ocsp -respin response.der -sha256 \
		-issuer "ca/public/certs/${3-issuing-g2}.pem" \
		-cert "ca/public/certs/$1.pem" -CAfile ca/public/certs/root-g1.pem \
		-verify_other "ca/public/certs/${3-issuing-g2}.pem" 2>&1
}

@test "responses signed by the issuer's own key, without a responder" {
	own_key
	{
		cat <<-END
		- revoke:
		    issuer: issuing-g2
		    serial: $(serial_of two)
		    reason: superseded
		END
		response o-1 issuing-g2 |
			sed 's/ocsp-response$/ocsp-response-user/'
	} | plan session >session.yaml
	run run_it session.yaml
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *"sign 2 OCSP responses 'o-1' with key 'issuing-g2'"* ]]
	run answer one o-1
	[[ $output == *'Response verify OK'* ]]
	[[ $output == *'one.pem: good'* ]]
	run answer two o-1
	[[ $output == *'Response verify OK'* ]]
	[[ $output == *'two.pem: revoked'* ]]
	# byKey, of the issuer itself.
	openssl ocsp -respin response.der -noverify -resp_text >text
	grep -qi "Responder Id: $(openssl x509 -noout -ext subjectKeyIdentifier \
		-in ca/public/certs/issuing-g2.pem | sed -n '2s/[ :]//gp')" text
	# One octet changed: refused.
	python3 - <<-'END'
	octets = bytearray(open("response.der", "rb").read())
	octets[-4] ^= 1
	open("forged.der", "wb").write(octets)
	END
	run openssl ocsp -respin forged.der -sha256 \
		-issuer ca/public/certs/issuing-g2.pem \
		-cert ca/public/certs/two.pem -CAfile ca/public/certs/root-g1.pem \
		-verify_other ca/public/certs/issuing-g2.pem
	[[ $output != *'Response verify OK'* ]]
	# plan new finds no responder, and says who signs.
	ca-tool plan new -d ca ocsp issuing-g2 -o new.yaml
	grep -q "Signed by the CA's own key" new.yaml
	run ! grep -q '^ *responder:' new.yaml
	run run_it new.yaml
	echo "$output"
	[ "$status" -eq 0 ]
	run answer one "issuing-g2-ocsp-$(date -u +%F)"
	[[ $output == *'one.pem: good'* ]]
	run ca-tool journal verify ca --anchor ca/public/anchor/anchor.txt
	echo "$output"
	[ "$status" -eq 0 ]
}

@test "an export has the responses as evidence, and no second time as files" {
	{
		response o-1 root-g1 'responder: ocsp-g1'
	} | plan session >session.yaml
	run_it session.yaml
	ca-tool journal export -d ca out
	[ ! -e out/ocsp ]
	# Each file's octets are in a list of the evidence, octet for octet.
	for file in ca/public/ocsp/o-1/*; do
		openssl base64 -A -in "$file" -out encoded
		grep -rqF "$(cat encoded)" out/evidence
	done
	run ca-tool journal verify out --anchor ca/public/anchor/anchor.txt
	echo "$output"
	[ "$status" -eq 0 ]
	# And there they are looked at: one octet of one, and it is said.
	list=$(grep -rlF "$(cat encoded)" out/evidence | head -1)
	python3 - "$list" <<-'END'
	import sys
	text, base64 = open(sys.argv[1]).read(), open("encoded").read()
	at = text.index(base64) + 40
	other = "A" if text[at] != "A" else "B"
	open("changed", "w").write(text[:at] + other + text[at + 1:])
	END
	run ! cmp -s "$list" changed
	cp changed "$list"
	run ca-tool journal verify out --anchor ca/public/anchor/anchor.txt
	echo "$output"
	[ "$status" -eq 3 ]
	[[ $output == *EVIDENCE* ]]
}

# traced FILE [INJECTION]: a run in a fresh authority, its fdatasyncs in a log.
traced() {
	rm -rf ca
	cp -a "$BATS_FILE_TMPDIR/ca" ca
	ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0 \
		strace -f -o strace.log -e trace=fdatasync \
		${2:+--inject=fdatasync:signal=KILL:when=$2} \
		setsid -w "$CA_TOOL" plan run -d ca "$1" --yes "${OPS[@]}" \
		--pin-fd 8 8< <(pins)
}

# Every response there, once, and good.
whole_batches() {
	local batch files
	for batch in o-1 o-2; do
		files=("ca/public/ocsp/$batch"/*)
		[ "${#files[@]}" -eq 2 ]
		openssl ocsp -sha1 -respin "${files[0]}" \
			-issuer ca/public/certs/root-g1.pem \
			-cert ca/public/certs/issuing-g1.pem \
			-CAfile ca/public/certs/root-g1.pem >verdict 2>&1
		grep -q '^Response verify OK' verdict
	done
}

@test "a run that was killed while it signed is resumed" {
	command -v strace >/dev/null || skip "needs strace"
	{
		response o-1 root-g1 'responder: ocsp-g1'
		response o-2 root-g1 'responder: ocsp-g1' 'validity: 30d'
	} | plan cut >cut.yaml
	traced cut.yaml >log 2>&1
	whole_batches
	resumed=0
	total=$(grep -c fdatasync strace.log)
	# From the confirmation to the close: each commit makes a few.
	for back in 6 18 24 30 36 42 46; do
		run traced cut.yaml $((total - back))
		[ "$status" -ne 0 ]
		run ca-tool-pin plan run --resume -d ca --yes
		echo "$back: $output"
		# Killed behind the close, nothing is left to do.
		[ "$status" -eq 0 ] || [[ $output == *"no run is open"* ]]
		[ "$status" -ne 0 ] || resumed=$((resumed + 1))
		whole_batches
	done
	[ "$resumed" -ge 5 ]
}
