#!/usr/bin/env bats
# Revocations by certificate, query and list; upgrades; lists from elsewhere:
# what is taken in, what the room sees of it, and what is refused.

load ceremony-helper

setup_file() {
	base_authority
	local A=$BASE
	cd "$BATS_FILE_TMPDIR" || return
	make_request one
	make_request two
	make_request three
	make_request four
	{
		step_leaf one 'names: { dns: [www.example.org, example.net], ip: [192.0.2.7] }'
		step_leaf two "names: { dns: ['*.shop.EXAMPLE.org'] }"
	} | run_plan leaves
	{
		step_leaf three 'names: { dns: [notexample.org, example.org.example.com] }'
		step_leaf four 'subject: { organization: Example Trust }' client
	} | run_plan more
}

setup() {
	copy_authority
	cp "$BATS_FILE_TMPDIR"/*.csr .
	ONE=$(serial "$A/public/certs/one.pem")
	TWO=$(serial "$A/public/certs/two.pem")
	THREE=$(serial "$A/public/certs/three.pem")
	FOUR=$(serial "$A/public/certs/four.pem")
	SUB=$(serial "$A/public/certs/issuing-g1.pem")
}

step_leaf() { # NAME LINE [PROFILE]
	cat <<-EOF
	- end-entity:
	    name: $1
	    issuer: issuing-g1
	    csr: $1.csr
	    profile: ${3-tls-server}
	    $2
	EOF
}

# by ISSUER REASON LINE...: a revoke step
by() {
	printf -- '- revoke:\n    issuer: %s\n    reason: %s\n' "$1" "$2"
	shift 2
	printf '    %s\n' "$@"
}

# query CONDITION [LINE...]: a revoke step of issuing-g1
query() {
	local condition=$1
	shift
	by issuing-g1 superseded "query: { $condition }" "$@"
}

# import KIND FORMAT FILE [LINE]
import() {
	cat <<-EOF
	- import-$1:
	    issuer: ${ISSUER-issuing-g1}
	    format: $2
	    file: $3
	    ${4-}
	EOF
}

upgrade() { # ISSUER SERIAL [LINE...]
	printf -- '- upgrade-revocation:\n    issuer: %s\n    serial: "%s"\n' "$1" "$2"
	shift 2
	[ $# -eq 0 ] || printf '    %s\n' "$@"
}

# found SERIAL...: what a query of $P would revoke
found() {
	must ca-tool plan show -d "$A" "$P"
	grep -Eo '^ +[0-9a-f]{38,40} ' <<< "$output" | tr -d ' ' | sort > is
	printf '%s\n' "$@" | sort > wanted
	diff wanted is
}

# sound_journal: an auditor finds nothing wrong.
sound_journal() {
	sound
	run ca-tool journal verify --anchor "$A/public/anchor/anchor.txt" "$A"
	[ "$status" -eq 0 ] || {
		echo "$output"
		return 1
	}
}

# ---- one certificate ---------------------------------------------------------

@test "by a certificate's file; its reason, date and invalidity date" {
	local date
	date=$(openssl x509 -in "$A/public/certs/one.pem" -noout -startdate |
		cut -d= -f2)
	date=$(date -u -d "$date" +%Y-%m-%dT%H:%M:%SZ)
	cp "$A/public/certs/one.der" .
	must run_plan p <<-EOF
	$(by issuing-g1 keyCompromise 'certificate: one.der' \
		"date: $date" 'invalidity-date: 2020-01-01T00:00:00Z')
	$(step_list l1 issuing-g1)
	EOF
	says "[(d['serial'], d['date'], d['invalidity']) for d in D('revoked')]
		== [('$ONE', '$date', '2020-01-01T00:00:00Z')]"
	[ "$(revoked_on "$A/public/crls/l1.crl")" = "$ONE key compromise" ]
	run openssl crl -in "$A/public/crls/l1.crl" -noout -text
	[[ $output == *'Invalidity Date'*'Jan  1 00:00:00 2020 GMT'* ]]
	sound_journal
}

@test "refused: a certificate that is forged, another's, or no certificate" {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc \
		-keyout f.key -out f.pem -days 30 2> /dev/null \
		-subj '/C=DE/O=Example Trust/CN=Example issuing-g1'
	echo 'basicConstraints=critical,CA:FALSE' > forged.ext
	openssl x509 -req -in one.csr -CA f.pem -CAkey f.key -days 30 \
		-extfile forged.ext -set_serial 0x1234 -out forged.pem 2> /dev/null
	by issuing-g1 superseded 'certificate: forged.pem' | plan p > "$P"
	check_refused CERTIFICATE-ISSUER
	cp "$A/public/certs/issuing-g1.pem" .
	by issuing-g1 superseded 'certificate: issuing-g1.pem' | plan p > "$P"
	check_refused CERTIFICATE-ISSUER
	by issuing-g1 superseded 'certificate: one.csr' | plan p > "$P"
	check_refused CERTIFICATE
	by issuing-g1 superseded 'certificate: gone.pem' | plan p > "$P"
	check_refused INPUT
}

@test "refused: dates that are wrong, or go with another reason" {
	by issuing-g1 superseded "serial: '$ONE'" "date: $(when '-1 hour')" |
		plan p > "$P"
	check_refused CRL-ENTRY-DATE 'only a compromised key'
	by issuing-g1 keyCompromise "serial: '$ONE'" "date: $(when '+1 day')" |
		plan p > "$P"
	check_refused CRL-ENTRY-DATE 'in the future'
	by issuing-g1 keyCompromise "serial: '$ONE'" "date: $(when '-9 days')" |
		plan p > "$P"
	check_refused CRL-ENTRY-DATE 'before the certificate begins'
	by issuing-g1 keyCompromise "serial: '$ONE'" 'date: 1998-01-01T00:00:00Z' |
		plan p > "$P"
	check_refused CRL-ENTRY-DATE 'before 1999'
	by issuing-g1 superseded "serial: '$ONE'" \
		"invalidity-date: $(when '+1 day')" | plan p > "$P"
	check_refused CRL-ENTRY-DATE 'in the future'
	by issuing-g1 superseded "serial: '$ONE'" 'invalidity-date: yesterday' |
		plan p > "$P"
	check_refused DATE
}

@test "refused: no way or two to say what is revoked" {
	by issuing-g1 superseded | plan p > "$P"
	check_refused REVOKE-WHICH
	by issuing-g1 superseded "serial: '$ONE'" 'certificate: one.csr' |
		plan p > "$P"
	check_refused REVOKE-WHICH
	by issuing-g1 superseded "serial: '$ONE'" "except: ['$ONE']" |
		plan p > "$P"
	check_refused REVOKE-WHICH
}

@test "refused: a serial that was copied as a decimal number" {
	by issuing-g1 superseded "serial: '$(python3 -c "print(int('$ONE', 16))")'" |
		plan p > "$P"
	# As hex it is longer than a serial can be, or no certificate's.
	check_refused 'SERIAL-'
}

# ---- queries --------------------------------------------------------------------

@test "a query by each condition finds what it says, and no more" {
	local spki
	spki=$(openssl x509 -in "$A/public/certs/three.pem" -noout -pubkey |
		openssl pkey -pubin -outform der | sha256sum | cut -d' ' -f1)
	query 'under: example.org' | plan p > "$P"
	found "$ONE" "$TWO"
	query 'under: EXAMPLE.net' | plan p > "$P"
	found "$ONE"
	query 'under: example.com' | plan p > "$P"
	found "$THREE"
	query 'name: WWW.example.org' | plan p > "$P"
	found "$ONE"
	query 'name: "*.shop.example.org"' | plan p > "$P"
	found "$TWO"
	query 'name: 192.0.2.7' | plan p > "$P"
	found "$ONE"
	query "spki: ${spki^^}" | plan p > "$P"
	found "$THREE"
	query 'profile: client' | plan p > "$P"
	found "$FOUR"
	query 'subject: "CN=four, O=Example Trust"' | plan p > "$P"
	found "$FOUR"
	query 'plan: leaves' | plan p > "$P"
	found "$ONE" "$TWO"
	query "plan: more, profile: tls-server" | plan p > "$P"
	found "$THREE"
	query "from: $(when '-1 day'), until: $(when '+1 day')" | plan p > "$P"
	found "$ONE" "$TWO" "$THREE" "$FOUR"
	query "from: $(when '-1 day')" "except: ['$ONE', '00${TWO^^}']" |
		plan p > "$P"
	found "$THREE" "$FOUR"
}

@test "refused: queries that find nothing, or too much, or make no sense" {
	local condition
	for condition in 'name: ample.org' 'under: rg' 'name: www.example' \
		'profile: nothing' 'subject: CN=four' 'name: 192.0.2.8' \
		"until: $(when '-1 day')" "spki: $(printf 'ab%.0s' {1..32})"; do
		query "$condition" | plan p > "$P"
		check_refused QUERY-NOTHING
	done
	query '' | plan p > "$P"
	unchanged ca-tool plan check -d "$A" "$P"
	refused 3
	query 'spki: abc' | plan p > "$P"
	check_refused QUERY-SPKI
	query 'plan: never-ran' | plan p > "$P"
	check_refused QUERY-PLAN
	query 'from: yesterday' | plan p > "$P"
	check_refused DATE
	query "from: $(when now), until: $(when '-1 day')" | plan p > "$P"
	check_refused DATE
	for condition in .example.org example.org. 'bücher.example' 'a b' '*.org'; do
		query "under: '$condition'" | plan p > "$P"
		check_refused QUERY-NAME
	done
	query 'name: "http://x"' | plan p > "$P"
	check_refused QUERY-NAME
	query 'under: example.org' "except: ['$THREE']" | plan p > "$P"
	check_refused QUERY-EXCEPT "$THREE"
	query 'under: example.org' 'except: [xyz]' | plan p > "$P"
	check_refused SERIAL-FORM
	# CAs need a reason, and the root is never found.
	by root-g1 unspecified 'query: { profile: issuing-ca }' | plan p > "$P"
	check_refused CRL-REASON-CA
	by root-g1 superseded 'query: { profile: root }' | plan p > "$P"
	check_refused QUERY-NOTHING
}

@test "what a query finds is one act; the room sees count and rows" {
	must run_plan q <<-EOF
	$(query 'under: example.org')
	$(step_list l1 issuing-g1)
	EOF
	finding "$ONE 'one'" "$TWO 'two'" 'revoke what has under example.org' \
		'found: 2' 'all rows: ceremonies/q-'
	[ "$(sort "$A"/ceremonies/q-*/list-0-act-0 | grep -c superseded)" -eq 2 ]
	says 'len(D("revoked")) == 0 and D("revocations")[0]["count"] == 2 and
		D("revocations")[0]["source"] == "query"'
	[ "$(revoked_on "$A/public/crls/l1.crl" | sort)" = \
		"$(printf '%s superseded\n' "$ONE" "$TWO" | sort)" ]
	# What is revoked already is left out, and said.
	query "from: $(when '-1 day')" | plan p > "$P"
	found "$THREE" "$FOUR"
	finding 'revoked already: 2'
	query 'under: example.org' | plan p > "$P"
	check_refused QUERY-NOTHING
	by issuing-g1 superseded "serial: '$ONE'" | plan p > "$P"
	check_refused REVOKED-ALREADY
	sound_journal
}

@test "a query behind a step that revokes one of them, and a CRL before it" {
	{
		by issuing-g1 keyCompromise "serial: '$ONE'"
		query 'under: example.org'
		step_list l1 issuing-g1
	} | plan p > "$P"
	found "$TWO"
	must ca-tool-pin plan run -d "$A" "$P" --yes
	[ "$(revoked_on "$A/public/crls/l1.crl" | sort)" = \
		"$(printf '%s\n' "$ONE key compromise" "$TWO superseded" | sort)" ]
	{
		step_list l2 issuing-g1
		query 'profile: client'
	} | plan q > "$P"
	check_refused REVOKE-AFTER-CRL
	sound_journal
}

# ---- upgrades ----------------------------------------------------------------------

@test "an upgrade to keyCompromise, dated back, is the one change" {
	local begin
	begin=$(date -u +%Y-%m-%dT%H:%M:%SZ -d "$(openssl x509 -noout \
		-startdate -in "$A/public/certs/one.pem" | cut -d= -f2)")
	must run_plan r <<-EOF
	$(by issuing-g1 superseded "serial: '$ONE'")
	$(step_list l1 issuing-g1)
	EOF
	upgrade issuing-g1 "$TWO" | plan p > "$P"
	check_refused UPGRADE-NOTHING
	sleep 2
	upgrade issuing-g1 "$ONE" "date: $(when now)" | plan p > "$P"
	sleep 1
	check_refused REVOKED-CHANGED 'never forward'
	upgrade issuing-g1 "$ONE" "date: $(when '-9 days')" | plan p > "$P"
	check_refused CRL-ENTRY-DATE
	upgrade issuing-g1 "$ONE" "invalidity-date: $(when '+1 day')" |
		plan p > "$P"
	check_refused CRL-ENTRY-DATE
	{
		step_list l2 issuing-g1
		upgrade issuing-g1 "$ONE"
	} | plan p > "$P"
	check_refused REVOKE-AFTER-CRL
	must run_plan u <<-EOF
	$(upgrade issuing-g1 "00${ONE^^}" "date: $begin")
	$(step_list l2 issuing-g1)
	EOF
	[ "$(revoked_on "$A/public/crls/l2.crl")" = "$ONE key compromise" ]
	says "D('revocation-upgraded')[0]['was']['reason'] == 'superseded' and
		D('revocation-upgraded')[0]['date'] == '$begin'"
	upgrade issuing-g1 "$ONE" | plan p > "$P"
	check_refused UPGRADE-ALREADY
	sound_journal
}

@test "refused: to upgrade what the same plan revokes" {
	{
		by issuing-g1 superseded "serial: '$ONE'"
		upgrade issuing-g1 "$ONE"
	} | plan p > "$P"
	check_refused UPGRADE-PLANNED
	upgrade issuing-g1 0x0a | plan p > "$P"
	check_refused SERIAL-FORM
}

# ---- lists from elsewhere -----------------------------------------------------------

# An index.txt of three certificates, two of them revoked.
index() {
	printf 'V\t330101000000Z\t\t0A0B01\tunknown\t/CN=a\n'
	printf 'R\t330101000000Z\t260101000000Z,superseded\t0A0B02\tunknown\t/CN=b\n'
	printf 'R\t20510101000000Z\t260102000000Z,keyTime,20260101000000Z\t0A0B03\tunknown\t/CN=c\n'
}

@test "index.txt: issued and revoked, in one plan; then nothing is new" {
	index > index.txt
	{
		import revocations index.txt index.txt
		step_list l1 issuing-g1
	} | plan p > "$P"
	check_refused SERIAL-UNKNOWN 'index.txt, line 2' 'index.txt, line 3'
	{
		import issued index.txt index.txt
		by issuing-g1 superseded 'serial: "658177"'
	} | plan p > "$P"
	check_refused SERIAL-RADIX 0a0b01
	must run_plan i <<-EOF
	$(import issued index.txt index.txt)
	$(import revocations index.txt index.txt)
	$(by issuing-g1 superseded 'serial: "0a0b01"')
	EOF
	[ "$(journal 'D("issued")[0]["count"]')" = 3 ]
	[ "$(journal 'D("revocations")[0]["count"]')" = 2 ]
	must run_plan c <<< "$(step_list l1 issuing-g1)"
	[ "$(revoked_on "$A/public/crls/l1.crl" | sort)" = "$(printf '%s\n' \
		'0a0b01 superseded' '0a0b02 superseded' \
		'0a0b03 key compromise')" ]
	{
		import issued index.txt index.txt
		import revocations index.txt index.txt
		step_list l2 issuing-g1
	} | plan p > "$P"
	must ca-tool plan check -d "$A" "$P"
	finding IMPORT-NOTHING
	must ca-tool-pin plan run -d "$A" "$P" --yes
	[ "$(journal 'len(D("issued") + D("revocations"))')" = 2 ]
	sound_journal
}

@test "a query says that it cannot look at what was issued elsewhere" {
	index > index.txt
	query 'profile: client' | plan p > "$P"
	must ca-tool plan check -d "$A" "$P"
	[[ $output != *QUERY-ELSEWHERE* ]]
	{
		import issued index.txt index.txt
		query 'profile: client'
	} | plan p > "$P"
	must ca-tool plan check -d "$A" "$P"
	finding QUERY-ELSEWHERE '3 certificates in force were issued elsewhere'
	must run_plan i <<-EOF
	$(import issued index.txt index.txt)
	$(import revocations index.txt index.txt)
	EOF
	query 'profile: client' | plan q > "$P"
	must ca-tool-pin plan run -d "$A" "$P" --yes
	finding QUERY-ELSEWHERE '1 certificate in force was issued elsewhere'
	[[ $output == *"issued elsewhere, and not looked at: 1"* ]]
}

@test "refused: an end that would take a revoked certificate off its CRL" {
	printf 'serial-hex,expires\n0a0b02,%s\n' "$(when '-1 day')" > ended.csv
	index > index.txt
	head -2 index.txt > issued.txt
	must run_plan i <<-EOF
	$(import issued index.txt issued.txt)
	$(import revocations index.txt issued.txt)
	EOF
	import issued csv ended.csv | plan p > "$P"
	check_refused ISSUED-DIFFERS 'ended.csv, line 2'
	sound_journal
}

@test "refused: a list that changes what is revoked" {
	local date
	must run_plan r <<< "$(by issuing-g1 superseded "serial: '$ONE'")"
	date=$(journal 'D("revoked")[0]["date"]')
	echo 'serial,date,reason' > same.csv
	echo "$ONE,$date,superseded" >> same.csv
	sed 's/superseded/keyCompromise/' same.csv > reason.csv
	sed "s/$date/$(when '-1 hour')/" same.csv > date.csv
	import revocations csv same.csv | plan p > "$P"
	must ca-tool plan check -d "$A" "$P"
	finding IMPORT-NOTHING
	import revocations csv reason.csv | plan p > "$P"
	check_refused REVOKED-CHANGED 'reason.csv, line 2'
	import revocations csv date.csv | plan p > "$P"
	check_refused REVOKED-CHANGED 'date.csv, line 2'
}

@test "refused: lists against what the journal knows" {
	echo 'serial,date,reason,expires' > l.csv
	echo "$TWO,2020-01-01T00:00:00Z,," >> l.csv
	echo "$ONE,$(when now),,2040-01-01T00:00:00Z" >> l.csv
	import revocations csv l.csv | plan p > "$P"
	check_refused CRL-ENTRY-DATE 'l.csv, line 2' IMPORT-EXPIRES 'l.csv, line 3'
	printf 'serial,date\n%s,%s\n' "$SUB" "$(when now)" > l.csv
	ISSUER=root-g1 import revocations csv l.csv | plan p > "$P"
	check_refused CRL-REASON-CA
	printf 'serial,date,reason\n%s,%s,superseded\n' \
		"$(serial "$A/public/certs/root-g1.pem")" "$(when now)" > l.csv
	ISSUER=root-g1 import revocations csv l.csv | plan p > "$P"
	check_refused REVOKE-ROOT
	{
		by issuing-g1 superseded "serial: '$ONE'"
		import revocations csv m.csv
	} | plan p > "$P"
	printf 'serial,date\n%s,%s\n' "$ONE" "$(when now)" > m.csv
	check_refused REVOKED-ALREADY 'm.csv, line 2'
	printf 'serial,sha256\n%s,%064d\n' "$ONE" 1 > n.csv
	import issued csv n.csv | plan p > "$P"
	check_refused ISSUED-DIFFERS 'n.csv, line 2'
}

@test "refused: a list with one bad line, and a CRL is not made either" {
	{
		echo 'serial-hex,date,reason'
		for i in {1..2000}; do
			printf '%08x,2026-01-01T00:00:00Z,%s\n' "$i" \
				"$([ "$i" -eq 1234 ] && echo hold || echo superseded)"
		done
	} > l.csv
	{
		import revocations csv l.csv
		step_list l1 issuing-g1
	} | plan p > "$P"
	check_refused CRL-REASON-SET 'l.csv, line 1235'
	[ "$(grep -c 'l.csv, line' <<< "$output")" -eq 1 ]
	nothing_signed ca-tool-pin plan run -d "$A" "$P" --yes
	refused 3 "l.csv, line 1235"
}

@test "refused: formats, files and reasons that are none" {
	: > empty
	import revocations excel empty | plan p > "$P"
	check_refused IMPORT-FORMAT
	import issued crl empty | plan p > "$P"
	check_refused IMPORT-FORMAT
	import revocations csv empty | plan p > "$P"
	check_refused IMPORT-CSV
	import revocations csv gone.csv | plan p > "$P"
	check_refused INPUT
	import revocations csv empty 'reason: certificateHold' | plan p > "$P"
	check_refused CRL-REASON-SET
	mkfifo pipe
	import revocations csv pipe | plan p > "$P"
	unchanged ca-tool plan check -d "$A" "$P"
	refused 3
	printf 'serial,date\n\e[31m0a,2026-01-01T00:00:00Z\n' > l.csv
	import revocations csv l.csv | plan p > "$P"
	check_refused SERIAL-FORM
}

@test "a CRL of the same key says nothing new; a forged one is refused" {
	must run_plan r <<-EOF
	$(by issuing-g1 superseded "serial: '$ONE'")
	$(step_list l1 issuing-g1)
	EOF
	cp "$A/public/crls/l1.crl" l1.crl
	import revocations crl l1.crl | plan p > "$P"
	must ca-tool plan check -d "$A" "$P"
	finding IMPORT-NOTHING
	# Another issuer's, and one whose octets were changed.
	ISSUER=root-g1 import revocations crl l1.crl | plan p > "$P"
	check_refused CRL-ISSUER-BYTES
	python3 - "$ONE" <<-'END'
	import sys
	der = open('l1.crl', 'rb').read()
	serial = bytes.fromhex(sys.argv[1])
	assert serial in der
	other = serial[:-1] + bytes([serial[-1] ^ 1])
	open('f.crl', 'wb').write(der.replace(serial, other))
	END
	import revocations crl f.crl | plan p > "$P"
	check_refused CRL-SIGNATURE
}

@test "a directory of certificates: odd names, links, folders, strangers" {
	mkdir certs
	cp "$A/public/certs/one.der" "certs/a b.der"
	cp "$A/public/certs/two.pem" "certs/zwei.pem"
	must run_plan d <<-EOF
	$(import revocations certificates certs 'reason: cessationOfOperation')
	$(step_list l1 issuing-g1)
	EOF
	[ "$(revoked_on "$A/public/crls/l1.crl" | sort)" = \
		"$(printf '%s cessation of operation\n' "$ONE" "$TWO" | sort)" ]
	cp "$A/public/certs/issuing-g1.pem" certs/
	cp one.csr certs/
	import revocations certificates certs | plan p > "$P"
	check_refused CERTIFICATE-ISSUER 'certs/issuing-g1.pem' 'certs/one.csr'
	rm certs/issuing-g1.pem certs/one.csr
	ln -s "$A/public/certs/three.pem" certs/link.pem
	import revocations certificates certs | plan p > "$P"
	unchanged ca-tool plan check -d "$A" "$P"
	refused 3 link.pem
	rm certs/link.pem
	mkdir certs/more
	unchanged ca-tool plan check -d "$A" "$P"
	refused 3 more
	sound_journal
}

@test "a run that is cut before its acts, and behind them, is resumed" {
	index > index.txt
	local n
	{
		import issued index.txt index.txt
		import revocations index.txt index.txt
		query 'under: example.org'
		step_list l1 issuing-g1
	} | plan p > "$P"
	cp -a "$A" before
	must ca-tool-pin plan run -d "$A" "$P" --yes
	revoked_on "$A/public/crls/l1.crl" | sort > whole
	for n in 5 20 40 60; do
		rm -rf "$A"
		cp -a before "$A"
		run no_leaks strace -f -o /dev/null \
			--inject="fdatasync:signal=KILL:when=$n" \
			setsid -w "$CA_TOOL" plan run -d "$A" "$P" --yes \
			"${OPS[@]}" --pin-fd 8 8< <(pins)
		[ "$status" -eq 137 ] || break
		run resume
		[ "$status" -eq 0 ] || says '[d for d in D("close")
			if d["outcome"] == "done"][-1]["run"] ==
			D("plan")[-1]["run"] and D("plan")[-1]["plan"] == "p"' ||
			must ca-tool-pin plan run -d "$A" "$P" --yes
		[ "$(journal 'len(D("issued"))')" = 1 ]
		[ "$(journal 'len(D("revocations"))')" = 2 ]
		revoked_on "$A/public/crls/l1.crl" | sort | diff whole -
		sound_journal
	done
	[ "$n" -gt 5 ]
}

@test "a list is one file: a directory is said to be one" {
	mkdir folder
	echo 'serial-hex,date' > folder/list.csv
	local format
	for format in csv index.txt crl; do
		import revocations "$format" folder 'reason: superseded' |
			plan p > "$P"
		check_refused IMPORT-FORMAT "'folder' is a directory"
	done
	import issued csv folder | plan p > "$P"
	check_refused IMPORT-FORMAT "'folder' is a directory"
}
