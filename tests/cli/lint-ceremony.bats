#!/usr/bin/env bats
# The linter in ceremonies: before the signature and after, our own lints and
# those of outside programs, of which none is trusted.

load ceremony-helper

EXAMPLE=$BATS_TEST_DIRNAME/../../docs/examples/lint-openssl.sh

setup_file() {
	base_authority
}

setup() {
	copy_authority
	chmod 600 "$A/authority.yaml" "$A"/profiles/*.yaml
}

# in_force: authority.yaml and profiles, as they are now, are those to be used.
in_force() {
	printf -- '- adopt-config:\n    why: a test\n' |
		must run_plan "config-$RANDOM"
}

# name_linter NAME: NAME.sh is an outside linter of authority.yaml.
name_linter() {
	chmod 700 "$1.sh"
	grep -q '^linters:' "$A/authority.yaml" ||
		echo linters: >> "$A/authority.yaml"
	cat >> "$A/authority.yaml" <<-EOF
	  - name: $1
	    path: '$PWD/$1.sh'
	    sha256: $(sha256sum "$1.sh" | cut -d' ' -f1)
	    timeout: ${2-20s}
	EOF
}

# linter NAME [TIMEOUT]: the same, of the script on stdin, and in force.
linter() {
	cat > "$1.sh"
	name_linter "$@"
	in_force
}

# A key, a request, a certificate and a CRL.
sub_plan() {
	{
		step_key k
		step_csr request k
		step_subordinate s root-g1 'key: k'
		step_list l1 root-g1
	} | plan p > "$P"
}

# evidence EXPRESSION: the evidence that the journal names so.
evidence() {
	python3 - "$A/journal.db" "$(journal "$1")" <<-'EOF'
	import sqlite3
	import sys
	row = sqlite3.connect(sys.argv[1]).execute(
	    "SELECT bytes FROM evidence WHERE sha256 = ?",
	    (bytes.fromhex(sys.argv[2]),)).fetchone()
	sys.stdout.buffer.write(row[0])
	EOF
}

# report EXPRESSION PYTHON: of the report of linters R that the journal names.
report() {
	evidence "$1" > report.json
	python3 - "$2" <<-'EOF' || {
	import json
	import sys
	R = json.load(open("report.json"))
	sys.exit(not eval("(" + sys.argv[1] + ")"))
	EOF
		echo "no: $2"
		head -c 1000 report.json
		return 1
	}
}

verified() {
	must ca-tool journal verify "$A" --anchor "$A/public/anchor/anchor.txt"
}

# refuses END PATTERN: the linter `bad` keeps the plan from being carried out;
# its keys are gone, and the journal knows why.
refuses() {
	local end=$1
	shift
	sub_plan
	run ca-tool-pin plan run -d "$A" "$P" --yes
	refused 3 "a linter refused what was built" "$@"
	[ "$(token_keys)" = "issuing-g1 journal root-g1" ]
	says 'D("close")[-1]["outcome"] == "refused"'
	says 'D("key-destroyed")[-1]["run"] == D("plan")[-1]["run"]'
	says 'D("plan")[-1]["run"] not in
		[d["run"] for d in D("intent") + D("list") + D("result")]'
	[ ! -e "$A/public/certs/s.pem" ]
	report 'D("refused")[-1]["lint"]' '{l["name"]
		for o in R["objects"] for l in o["linters"]} == {"bad"}'
	report 'D("refused")[-1]["lint"]' "all(l['end'] == '$end'
		for o in R['objects'] for l in o['linters'])"
	report 'D("refused")[-1]["report"]' 'any(f["severity"] == "error"
		for f in R)'
	[ -z "$(find /tmp -maxdepth 1 -name 'ca-tool-lint-*' -user "$UID" \
		-newer "$P")" ]
	verified
}

# ---- those that do not do their work -----------------------------------------

@test "a linter that finds something: nothing is signed" {
	linter bad <<-'EOF'
	#!/bin/sh
	printf 'error\te_no\tI do not like this %s\n' "$1"
	exit 1
	EOF
	refuses exited "I do not like this certificate" "bad:e_no"
	# All that is wrong is said at once.
	report 'D("refused")[-1]["lint"]' 'len(R["objects"]) == 3 and
		all("e_no" in o["linters"][0]["output"] for o in R["objects"])'
}

@test "a linter that crashes" {
	linter bad <<-'EOF'
	#!/bin/sh
	kill -SEGV $$
	EOF
	refuses killed "crashed with signal 11" LINT-FAIL-CLOSED
	# Whoever cannot do it once is not asked again.
	report 'D("refused")[-1]["lint"]' 'len(R["objects"]) == 1'
}

@test "a linter that hangs" {
	linter bad 1s <<-'EOF'
	#!/bin/sh
	sleep 1000
	EOF
	refuses timeout "not done after 1 s" LINT-FAIL-CLOSED
	never pgrep -f 'sleep 1000$' -u "$UID" -P 1
}

@test "a linter that floods" {
	linter bad <<-'EOF'
	#!/bin/sh
	yes
	EOF
	refuses flooded "more than 1048576 octets" LINT-FAIL-CLOSED
}

@test "a linter that prints errors and calls it clean" {
	linter bad <<-'EOF'
	#!/bin/sh
	printf 'error\te_no\tbut go on\n'
	EOF
	refuses exited "contradicts itself: exit status 0"
}

@test "a linter that calls it wrong and does not say why" {
	linter bad <<-'EOF'
	#!/bin/sh
	exit 1
	EOF
	refuses exited "contradicts itself: exit status 1"
}

@test "a linter that prints nonsense, and terminal escapes" {
	linter bad <<-'EOF'
	#!/bin/sh
	printf 'all is \033[31mwell\n'
	EOF
	refuses exited "a line that is no finding"
}

@test "a linter whose ids are no ids" {
	linter bad <<-'EOF'
	#!/bin/sh
	printf 'notice\t\033]0;id\007\ttext\n'
	EOF
	refuses exited "a line that is no finding"
}

@test "a linter that gives up" {
	linter bad <<-'EOF'
	#!/bin/sh
	exit 7
	EOF
	refuses exited "failed with exit status 7"
}

@test "a linter that is no program" {
	linter bad <<-'EOF'
	just a text
	EOF
	refuses exited "failed with exit status 127"
}

@test "it sees its own files, and nothing of ours" {
	linter bad <<-'EOF'
	#!/bin/sh
	[ "$#" -eq 2 ] || [ "$#" -eq 3 ] || exit 9
	[ "$2" = object.der ] && [ -s object.der ] || exit 10
	[ "$1" = csr ] || { [ "$3" = issuer.der ] && [ -s issuer.der ]; } || exit 11
	[ "$(env | cut -d= -f1 | grep -v -e '^_$' -e '^PWD$' | sort | tr '\n' ' ')" \
		= 'LC_ALL PATH ' ] || exit 12
	[ -z "$(cat)" ] || exit 13
	for fd in /proc/$$/fd/*; do
		case $(readlink "$fd") in
		/dev/null | pipe:* | /memfd:program* | '') ;;
		*) exit 14 ;;
		esac
	done
	[ "$(ls | tr '\n' ' ')" = 'issuer.der object.der ' ] ||
		[ "$(ls)" = object.der ] || exit 15
	echo more > left-behind
	EOF
	sub_plan
	must ca-tool-pin plan run -d "$A" "$P" --yes
	[ -z "$(find /tmp -maxdepth 1 -name 'ca-tool-lint-*' -newer "$P")" ]
}

# ---- pinned --------------------------------------------------------------------

@test "a linter that was changed, or is gone, or is a FIFO: nothing begins" {
	linter good <<-'EOF'
	#!/bin/sh
	exit 0
	EOF
	cp good.sh kept.sh
	sub_plan
	DIR=$A/ceremonies/$(keep)
	echo '# changed' >> good.sh
	nothing_signed ca-tool-pin plan run -d "$A" "$P" --yes
	refused 3 "not the one that authority.yaml names" adopt-config
	nothing_signed ca-tool-pin plan run -d "$A" "$DIR" --yes
	refused 3 "not the one that authority.yaml names"
	check_refused LINTER
	rm good.sh
	check_refused LINTER
	nothing_signed ca-tool-pin plan run -d "$A" "$DIR" --yes
	mkfifo good.sh
	check_refused LINTER
	rm good.sh
	# What signs nothing needs none.
	printf -- '- correct-clock:\n    why: a test\n' | plan clock > "$P"
	run ca-tool plan check -d "$A" "$P"
	[[ $output != *LINTER* ]]
	cp kept.sh good.sh
	must ca-tool-pin plan run -d "$A" "$DIR" --yes
	verified
	echo '# new' >> good.sh
	sed -i "s/^    sha256: .*/    sha256: $(sha256sum good.sh |
		cut -d' ' -f1)/" "$A/authority.yaml"
	in_force
	step_list l2 root-g1 | must run_plan l2
	verified
}

@test "linters of authority.yaml: names, paths, digests and times are checked" {
	cp "$A/authority.yaml" good.yaml
	local change
	printf '#!/bin/sh\n' > x.sh
	sub_plan
	for change in 's/name: x/name: A Name/' "s,path: .*,path: 'x.sh'," \
		's/sha256: .*/sha256: 00ff/' 's/timeout: .*/timeout: 0s/' \
		's/timeout: .*/timeout: 601s/' 's/timeout: .*/timeout: soon/'; do
		cp good.yaml "$A/authority.yaml"
		name_linter x
		sed -i "$change" "$A/authority.yaml"
		unchanged ca-tool plan check -d "$A" "$P"
		refused 3 CONFIG-LINTER
	done
	cp good.yaml "$A/authority.yaml"
	name_linter x
	name_linter x
	unchanged ca-tool plan check -d "$A" "$P"
	refused 3 "twice"
}

# ---- after signing ---------------------------------------------------------------

@test "a linter that refuses what was signed: withheld, revoked, stopped" {
	linter after <<-'EOF'
	#!/bin/sh
	[ "$1" = certificate ] || exit 0
	case $(tail -c 8 "$2" | od -An -v -tx1 | tr -d ' \n') in
	3006020101020101) exit 0 ;;
	esac
	printf 'error\te_signed\tit is signed\n'
	exit 1
	EOF
	sub_plan
	run ca-tool-pin plan run -d "$A" "$P" --yes
	refused 3 "it is withheld" "it is signed" "e_signed"
	[ ! -e "$A/public/certs/s.pem" ]
	says '[d["name"] for d in D("result")
		if d["run"] == D("plan")[-1]["run"]] == ["request"]'
	says 'D("failed")[-1]["possibly_signed"] and
		D("failed")[-1]["name"] == "s"'
	says 'D("revoked")[-1]["serial"] == [d for d in D("intent")
		if d["name"] == "s"][-1]["serial"]'
	report 'D("failed")[-1]["lint"]' 'R["name"] == "s" and
		R["findings"][-1]["id"] == "after:e_signed" and
		R["linters"][0]["status"] == 1'
	says 'not D("plan")[-1]["run"] in [d["run"] for d in D("close")]'
	# It goes on refusing; only people can end it.
	run resume
	refused 3 "it is withheld"
	printf -- '- abandon:\n    why: a test\n    plan: p\n' |
		must run_plan end
	verified
	printf -- '- crl:\n    name: l9\n    issuer: root-g1\n    profile: ca-crl\n' |
		must run_plan l9
	[ "$(revoked_on "$A/public/crls/l9.pem" | wc -l)" -eq 2 ]
}

# ---- the example ----------------------------------------------------------------

@test "the example with openssl and certtool: everything that a plan makes" {
	cp "$EXAMPLE" openssl.sh
	name_linter openssl
	in_force
	{
		step_key k2
		step_key r2 rsa-3072
		step_csr request k2
		step_root r2
		step_subordinate s root-g1 'key: k2'
		step_list l1 root-g1
		step_crl r2
	} | plan p > "$P"
	must ca-tool-pin plan run -d "$A" "$P" --yes
	report 'D("list")[-1]["lint"]' 'len(R["objects"]) == 5 and
		R["blocklist"] is None and "lints" in R["version"] and
		{(l["name"], l["end"], l["status"])
		for o in R["objects"] for l in o["linters"]} ==
		{("openssl", "exited", 0)}'
	report 'D("result")[-1]["lint"]' 'R["name"] == "r2" and
		R["linters"][0]["status"] == 0'
	says 'all(d["lint"] for d in D("result")
		if d["run"] == D("plan")[-1]["run"])'
	says '"lints" in K("login")[-1]["data"]["linter"]["lints"]'
	verified
}

@test "the example says what is wrong" {
	mkdir w
	cd w || return
	openssl x509 -in "$A/public/certs/issuing-g1.pem" -outform DER \
		-out object.der
	openssl x509 -in "$A/public/certs/root-g1.pem" -outform DER \
		-out issuer.der
	must sh "$EXAMPLE" certificate object.der issuer.der
	[ -z "$output" ]
	# Not its own issuer.
	run sh "$EXAMPLE" certificate object.der
	[ "$status" -eq 1 ]
	finding e_verify
	rm -f again.der
	head -c 100 object.der > short.der
	run sh "$EXAMPLE" certificate short.der issuer.der
	[ "$status" -eq 1 ]
	finding e_openssl_read e_certtool_read
	openssl crl -in "$A/public/crls/root-g1.pem" -outform DER -out crl.der
	must sh "$EXAMPLE" crl crl.der issuer.der
	rm -f again.der
	run sh "$EXAMPLE" crl crl.der object.der
	[ "$status" -eq 1 ]
	finding e_verify
	run sh "$EXAMPLE" something object.der
	[ "$status" -eq 2 ]
}

# ---- acknowledged --------------------------------------------------------------

# responder PROFILE: a responder for longer than the rules advise.
responder() {
	step_ocsp o issuing-g1 'csr: partner.csr' 300d |
		sed "s/profile: .*/profile: $1/" | plan "ocsp-$1" > "$P"
}

# A profile NAME, with what is on stdin for its allow-lint.
profile() {
	local at=$A/profiles/$1.yaml
	sed -e "s/^id: .*/id: $1/" -e '/^allow-lint:/,/^$/d' \
		"$A/profiles/ocsp-responder.yaml" > "$at.new"
	cat - "$at.new" > "$at"
	rm "$at.new"
}

@test "what a rule only advises refuses, unless the profile says why not" {
	profile strict < /dev/null
	profile lenient <<-'EOF'
	allow-lint:
	  - id: OCR-LIFE-SHORT
	    reason: the root is offline
	EOF
	in_force
	responder strict
	check_refused OCR-LIFE-SHORT
	[[ $output == *"in allow-lint"* ]]
	responder lenient
	must ca-tool plan check -d "$A" "$P"
	[[ $output == *"profile 'lenient' lets what OCR-LIFE-SHORT"* ]]
	[[ $output == *"the profile acknowledges"* ]]
	must ca-tool plan show -d "$A" "$P"
	[[ $output == *"lets what OCR-LIFE-SHORT"* ]]
	[[ $output == *"notice: OCR-LIFE-SHORT"* ]]
	must ca-tool plan show -d "$A" "$P" --json
	python3 -c 'import json, sys
report = json.load(sys.stdin)
assert "the root is offline" in report["acknowledged"][0]
assert "OCR-LIFE-SHORT" in report["objects"][0]["text"]' <<< "$output"
	must ca-tool plan approve -d "$A" "$P" --yes "${OPS[@]}" 8< <(pins)
	[[ $output == *"lets what OCR-LIFE-SHORT"* ]]
	[[ $output == *"the linter says of it: notice: OCR-LIFE-SHORT"* ]]
	must ca-tool-pin plan run -d "$A" "$P" --yes
	[ "$(grep -c "says of it: notice: OCR-LIFE-SHORT" <<< "$output")" -ge 1 ]
	report 'D("list")[-1]["lint"]' \
		'R["objects"][0]["findings"][0]["text"].endswith(
		"the profile acknowledges this: the root is offline")'
	# Operators sign it: it stands in their list, which binds the report.
	evidence 'D("list")[-1]["sha256"]' > list
	python3 - "$(journal 'D("list")[-1]["lint"]')" <<-'EOF'
	import json
	import sys
	header, line = map(json.loads, open("list"))
	assert header["lint"] == sys.argv[1]
	assert line["lint"] == json.load(open("report.json"))["objects"][0]["findings"]
	assert line["lint"][0]["id"] == "OCR-LIFE-SHORT"
	EOF
	verified
}

@test "an outside linter's warnings are shown, listed and signed" {
	linter loud <<-'EOF'
	#!/bin/sh
	printf 'warning\tw_loud\tlook at this %s\n' "$1"
	EOF
	step_list l1 root-g1 | plan l1 > "$P"
	must ca-tool-pin plan run -d "$A" "$P" --yes
	[[ $output == *"warning: loud:w_loud: look at this crl"* ]]
	evidence 'D("list")[-1]["sha256"]' | grep -q 'look at this crl'
	verified
}

# ---- keys that are not to be certified -----------------------------------------

# blocklist FILE: it is that of authority.yaml, and in force.
blocklist() {
	cat >> "$A/authority.yaml" <<-EOF
	blocklist:
	  path: '$PWD/$1'
	  sha256: $(sha256sum "$1" | cut -d' ' -f1)
	EOF
	in_force
}

@test "a key that is on the blocklist is not certified" {
	{
		echo '# compromised'
		openssl req -in partner.csr -noout -pubkey |
			openssl pkey -pubin -outform DER | sha256sum |
			cut -d' ' -f1
	} > list.txt
	blocklist list.txt
	step_subordinate s root-g1 'csr: partner.csr' | plan p > "$P"
	check_refused KEY-KNOWN-COMPROMISED
	# A request that comes late is looked at like any other.
	step_subordinate s root-g1 'csr: late' | plan late > "$P"
	nothing_signed ca-tool-pin plan run -d "$A" "$P" --yes \
		--csr s=partner.csr
	refused 3 KEY-KNOWN-COMPROMISED
	make_request other
	step_subordinate s root-g1 'csr: other.csr' | must run_plan q
	report 'D("list")[-1]["lint"]' "R['blocklist'] == {'keys': 1,
		'moduli': 0, 'sha256': '$(sha256sum list.txt | cut -d' ' -f1)'}"
	verified
	echo >> list.txt
	step_list l1 root-g1 | plan l1 > "$P"
	unchanged ca-tool plan check -d "$A" "$P"
	refused 3 "not the one that authority.yaml names"
	nothing_signed ca-tool-pin plan run -d "$A" "$P" --yes
	rm list.txt
	unchanged ca-tool plan check -d "$A" "$P"
	[ "$status" -eq 3 ]
}

@test "a blocklist of authority.yaml: path and digest are checked" {
	local change
	cp "$A/authority.yaml" good.yaml
	step_list l1 root-g1 | plan l1 > "$P"
	for change in "path: 'list.txt'" 'sha256: 00ff' "another: 'member'"; do
		cp good.yaml "$A/authority.yaml"
		cat >> "$A/authority.yaml" <<-EOF
		blocklist:
		  path: '$PWD/list.txt'
		  sha256: $(printf '%064d' 0)
		EOF
		sed -i "/^blocklist:/,\$s,  ${change%%:*}: .*,  $change," \
			"$A/authority.yaml"
		[ "${change%%:*}" != another ] ||
			echo "  $change" >> "$A/authority.yaml"
		unchanged ca-tool plan check -d "$A" "$P"
		refused 3 "authority.yaml:"
	done
}

@test "a blocklist with a line that is none is refused by its number" {
	printf '# keys\nnonsense\n' > list.txt
	blocklist list.txt
	step_list l1 root-g1 | plan l1 > "$P"
	unchanged ca-tool plan check -d "$A" "$P"
	refused 3 "line 2"
}

# ---- read back -------------------------------------------------------------------

@test "what is published is read back: other octets are told, not left" {
	step_subordinate s root-g1 'csr: partner.csr' | plan p > "$P"
	local file=$A/public/certs/s.pem
	run no_leaks strace -f -o strace.log -P "$file" -e trace=read \
		-e inject=read:retval=7:when=1 "$CA_TOOL" plan run -d "$A" \
		"$P" --yes "${OPS[@]}" --pin-fd 8 8< <(pins)
	refused 3 "s.pem' was written, and read back it differs" --resume
	says 'D("result")[-1]["name"] == "s"'
	says 'D("plan")[-1]["run"] not in [d["run"] for d in D("close")]'
	must resume
	openssl x509 -in "$file" -noout
	verified
}
