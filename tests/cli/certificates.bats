#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031 # each test is a subshell
# A certificate for each request of a directory or a bundle: what is made, what
# is refused and why, what is left out, and runs that are cut off.

load ceremony-helper

setup_file() {
	base_authority
}

setup() {
	copy_authority
	mkdir requests
}

# ask NAME [OPTION...]: a request in requests/NAME.csr, for device NAME
ask() {
	local name=$1
	shift
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc \
		-keyout "$name.key" -out "requests/$name.csr" \
		-subj "/CN=device $name" "$@" 2> /dev/null
}

step_batch() { # NAME REQUESTS [LINE...]
	cat <<-END
	- certificates:
	    name: $1
	    issuer: issuing-g1
	    profile: client
	    requests: $2
	    subject: { organization: Example Trust }
	END
	shift 2
	[ $# -eq 0 ] || printf '    %s\n' "$@"
}

batch() { # ID [LINE...]: a plan with the step over requests/, in $P
	local id=$1
	shift
	step_batch dev requests "$@" | plan "$id" > "$P"
}

issued() { # NAME SUBJECT: it is there, by the issuing CA, for that subject
	openssl verify -x509_strict -CAfile "$A/public/certs/root-g1.pem" \
		-untrusted "$A/public/certs/issuing-g1.pem" \
		"$A/public/certs/$1.pem"
	[ "$(openssl x509 -in "$A/public/certs/$1.pem" -noout -subject \
		-nameopt RFC2253)" = "subject=CN=$2,O=Example Trust" ]
}

# count_issued: how many certificates of the batch are published
count_issued() {
	find "$A/public/certs" -name 'dev-*.pem' | wc -l
}

# verified: the journal's audit has no error.
verified() {
	run --separate-stderr ca-tool journal verify "$A" --json
	python3 -c '
import json, sys
bad = [f for f in json.loads(sys.argv[1])["findings"]
       if f["severity"] != "notice" and f["id"] != "AUDIT-SET"]
assert not bad, bad' "$output"
}

# ---- what is made ----------------------------------------------------------

@test "a directory: one certificate for each request, by its file's name" {
	local name
	for name in one two three; do ask "$name"; done
	mv requests/two.csr requests/two.req
	openssl req -in requests/three.csr -outform DER -out requests/three.der
	rm requests/three.csr
	batch b
	must ca-tool plan check -d "$A" "$P"
	[[ $output == *"a certificate for each request in 'requests'"* ]]
	must ca-tool-pin plan run -d "$A" "$P" --yes
	[ "$(count_issued)" -eq 3 ]
	for name in one two three; do
		issued "dev-$name" "device $name"
		# The key is the request's own.
		[ "$(openssl x509 -in "$A/public/certs/dev-$name.pem" -noout \
			-pubkey)" = "$(openssl pkey -in "$name.key" -pubout)" ]
	done
	sound
	verified
}

@test "a bundle: numbered, in its order" {
	local name
	for name in zulu alpha mike; do ask "$name"; done
	{
		echo
		cat requests/zulu.csr
		printf '\r\n \n'
		cat requests/alpha.csr requests/mike.csr
	} > all.pem
	step_batch dev all.pem | plan b > "$P"
	must ca-tool-pin plan run -d "$A" "$P" --yes
	issued dev-1 'device zulu'
	issued dev-2 'device alpha'
	issued dev-3 'device mike'
	[ "$(count_issued)" -eq 3 ]
	sound
}

@test "the directory may change after the check: the copy is what counts" {
	local dir
	ask one
	batch b
	dir=$(keep)
	ask two
	must ca-tool-pin plan run -d "$A" "$A/ceremonies/$dir" --yes
	[ "$(count_issued)" -eq 1 ]
	# And that copy may not change.
	batch c
	rm requests/one.csr
	dir=$(keep)
	sed -i 's/two/tow/' "$A/ceremonies/$dir/inputs/"*-requests
	nothing_signed ca-tool-pin plan run -d "$A" "$A/ceremonies/$dir" --yes
	refused 3 "is not what the manifest says"
}

# The partition that a certificate of the batch names, 1 to 3.
partition_of() {
	openssl x509 -in "$A/public/certs/$1.pem" -noout \
		-ext crlDistributionPoints |
		sed -n 's|.*URI:http://crl.example.org/issuing-g1/\([1-3]\)\.crl$|\1|p'
}

@test "where the issuer's CRL is in partitions, each names its own" {
	local name part serials=()
	sed -e 's/\(crl-distribution-points: {critical: no\)}/\1, partitions: 3}/' \
		-i "$A/profiles/client.yaml"
	echo '- adopt-config: { why: "partitions" }' | run_plan adopt
	for name in {a..l}; do ask "$name"; done
	batch b
	must ca-tool-pin plan run -d "$A" "$P" --yes
	[ "$(count_issued)" -eq 12 ]
	for name in {a..l}; do
		issued "dev-$name" "device $name"
		part=$(partition_of "dev-$name")
		[ -n "$part" ]
		# By the serial number, as docs/profiles.md says.
		serials+=("$(serial "$A/public/certs/dev-$name.pem")")
		[ "$part" -eq $((16#${serials[-1]: -8} % 3 + 1)) ]
		says "[d['crl_url'] for d in D('intent') if d['name'] ==
			'dev-$name'] == ['http://crl.example.org/issuing-g1/$part.crl']"
	done
	# Half of them are revoked; the CRL of its partition says so of each.
	{
		for name in {0..5}; do
			step_revoke issuing-g1 "${serials[name]}" superseded
		done
		for part in 1 2 3; do
			echo "- crl: { name: part-$part, issuer: issuing-g1," \
				"profile: crl-partition," \
				"url: http://crl.example.org/issuing-g1/$part.crl }"
		done
	} | run_plan crls
	for name in {a..l}; do
		part=$(partition_of "dev-$name")
		run openssl verify -x509_strict -crl_check \
			-CAfile "$A/public/certs/root-g1.pem" \
			-untrusted "$A/public/certs/issuing-g1.pem" \
			-CRLfile "$A/public/crls/part-$part.pem" \
			"$A/public/certs/dev-$name.pem"
		if [[ $name < g ]]; then
			[ "$status" -ne 0 ]
			[[ $output == *'certificate revoked'* ]]
		else
			[ "$status" -eq 0 ]
		fi
		# Another partition's says nothing about it.
		never openssl verify -crl_check \
			-CAfile "$A/public/certs/root-g1.pem" \
			-untrusted "$A/public/certs/issuing-g1.pem" \
			-CRLfile "$A/public/crls/part-$((part % 3 + 1)).pem" \
			"$A/public/certs/dev-$name.pem"
	done
	sound
	verified
}

# ---- what is refused -------------------------------------------------------

# bad_requests: beside good.csr, one of each kind of bad ones
bad_requests() {
	ask good
	ask weak
	openssl req -new -newkey rsa:1024 -noenc -keyout weak.key \
		-out requests/weak.csr -subj '/CN=device weak' 2> /dev/null
	echo 'no request' > requests/noise.csr
	: > requests/empty.csr
	cp "$A/public/certs/root-g1.pem" requests/certificate.csr
	ask forged
	openssl req -in requests/forged.csr -outform DER |
		sed 's/device forged/device f0rged/' > requests/forged.der
	rm requests/forged.csr
	# The same key twice; the order is that of the names.
	ask again
	cp requests/again.csr requests/same.csr
	openssl req -new -key good.key -out requests/zzz.csr \
		-subj '/CN=device zzz'
	# Two that would have one name.
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc \
		-keyout t.key -out requests/good.pem -subj '/CN=device t' \
		2> /dev/null
	# A name that the profile does not have, and none at all.
	ask nameless -subj /
	ask 'Odd Name'
}

@test "everything that is refused is said at once, by its file" {
	bad_requests
	batch b
	check_refused CSR-POP KEY-RSA-MIN CSR-DER CERTIFICATES-SAME-KEY NAME-TAKEN \
		NAME-FORM
	local place
	for place in weak.csr noise.csr empty.csr certificate.csr forged.der \
		same.csr zzz.csr good.pem nameless.csr 'Odd Name.csr'; do
		grep -qF "requests/$place" <<< "$output" || {
			echo "nothing about $place: $output"
			return 1
		}
	done
	[[ $output != *requests/good.csr* ]]
	[[ $output != *requests/again.csr* ]]
	# 'stop' is what there is without the word.
	batch b 'on-refusal: stop'
	check_refused CSR-POP
	batch b 'on-refusal: perhaps'
	check_refused ON-REFUSAL
}

@test "on-refusal: continue issues the rest, and reports each" {
	bad_requests
	batch b 'on-refusal: continue'
	must ca-tool plan check -d "$A" "$P"
	[[ $output == *"10 of 12 requests"* ]]
	[[ $output == *"the request is left out"* ]]
	must ca-tool-pin plan run -d "$A" "$P" --yes
	[[ $output == *"10 requests are left out"* ]]
	no_escapes
	[ "$(count_issued)" -eq 2 ]
	issued dev-good 'device good'
	issued dev-again 'device again'
	# The report is beside the list, and among the journal's evidence.
	local dir place
	dir=$A/ceremonies/$(journal 'D("plan")[-1]["directory"]')
	for place in weak.csr noise.csr empty.csr certificate.csr forged.der \
		same.csr zzz.csr good.pem nameless.csr 'Odd Name.csr'; do
		grep -qF "requests/$place: " "$dir/left-out-0"
	done
	python3 - "$A/journal.db" "$(journal 'D("list")[-1]["lint"]')" <<-'END'
	import json, sqlite3, sys
	db = sqlite3.connect(sys.argv[1])
	for row in db.execute("SELECT * FROM evidence"):
	    for value in row:
	        if isinstance(value, bytes) and b"left_out" in value:
	            report = json.loads(value)
	assert len(report["left_out"]) == 10, report["left_out"]
	assert all(r["findings"] for r in report["left_out"])
	END
	sound
	verified
}

@test "nothing is left of a batch: refused" {
	echo noise > requests/a.csr
	batch b 'on-refusal: continue'
	check_refused CERTIFICATES-NONE
	: > empty.pem
	step_batch dev empty.pem | plan c > "$P"
	check_refused CERTIFICATES-NONE
	rm requests/*
	batch b
	check_refused INPUT-EMPTY
	step_batch dev nowhere | plan d > "$P"
	check_refused INPUT
}

@test "links, folders, pipes: said, and nothing is followed or waited for" {
	ask one
	ln -s one.csr requests/link.csr
	ln -s "$PWD/one.key" requests/'secret.csr'
	mkdir requests/more
	mkfifo requests/pipe
	batch b 'on-refusal: continue'
	check_refused INPUT-LINK INPUT-FOLDER INPUT-KIND
	[[ $output == *link.csr* && $output == *secret.csr* ]]
	[[ $output == *more* && $output == *pipe* ]]
}

@test "names from anywhere reach no terminal" {
	ask one
	cp requests/one.csr "requests/$(printf 'a\033[31m\nb')"
	cp requests/one.csr "requests/$(printf '\xff\xfe.csr')"
	cp requests/one.csr "requests/$(printf 'right\xe2\x80\xaeleft.csr')"
	batch b
	check_refused NAME-FORM
	[[ $output == *'a\x1b[31m\x0ab'* ]]
	[[ $output == *'\xff\xfe.csr'* ]]
}

@test "a bundle that is none" {
	ask one
	{ cat requests/one.csr; echo text; } > b.pem
	step_batch dev b.pem | plan b > "$P"
	check_refused CERTIFICATES-BUNDLE
	head -n 3 requests/one.csr > b.pem
	step_batch dev b.pem | plan b > "$P"
	check_refused CERTIFICATES-BUNDLE
	printf 'ca-tool-bundle-1\nx 9999\nx\n' > b.pem
	step_batch dev b.pem | plan b > "$P"
	check_refused malformed
	cat "$A/public/certs/root-g1.pem" > b.pem
	step_batch dev b.pem | plan b > "$P"
	check_refused CSR-DER
}

@test "profile, issuer, name: refused once for the whole batch" {
	ask one
	ask two
	step_batch dev requests | sed 's/client/tls-server/' | plan b > "$P"
	check_refused CERTIFICATES-NAMES
	step_batch dev requests | sed 's/client/root/' | plan b > "$P"
	check_refused PROFILE-KIND
	[ "$(grep -c PROFILE-KIND <<< "$output")" -eq 1 ]
	step_batch dev requests | sed 's/issuing-g1/nobody/' | plan b > "$P"
	check_refused ISSUER-MISSING
	[ "$(grep -c ISSUER-MISSING <<< "$output")" -eq 1 ]
	step_batch dev requests | sed 's/issuing-g1/root-g1/' | plan b > "$P"
	check_refused KEY-USE-ROOT
	step_batch Dev requests | plan b > "$P"
	check_refused NAME-FORM
	step_batch dev requests 'validity: 2000d' | plan b > "$P"
	check_refused requests/one.csr requests/two.csr
}

@test "a key or a name that has a certificate already" {
	ask one
	ask two
	batch b
	must ca-tool-pin plan run -d "$A" "$P" --yes
	cp requests/one.csr requests/other.csr
	batch c
	check_refused NAME-TAKEN KEY-NOT-A-CA-KEY
	# In one plan, too.
	rm requests/*
	ask three
	ask four
	{ step_batch dev requests; step_batch dev requests; } | plan d > "$P"
	check_refused NAME-TAKEN
	{ step_batch dev requests; step_batch more requests; } | plan d > "$P"
	check_refused KEY-NOT-A-CA-KEY
}

# ---- runs that are cut off -------------------------------------------------

# shim_batch COUNT: a CA behind the shim and a plan of COUNT requests and a bad
# one in the middle
shim_batch() {
	local i
	rm -rf "$A"
	shim_authority
	mkdir -p requests
	first_ceremony "$A" 2> /dev/null
	for ((i = 10; i < 10 + $1; i++)); do ask "d$i"; done
	echo noise > requests/d13-noise.csr
	batch b 'on-refusal: continue'
}

# whole COUNT: all are there after all, none twice
whole() {
	[ "$(count_issued)" -eq "$1" ]
	[ ! -e "$A/public/certs/dev-d13-noise.pem" ]
	says "len({d['name'] for d in D('intent')
		if d['name'].startswith('dev-')}) == $1"
	says "len([d for d in D('result')]) - len([d for d in D('intent')]) ==
		-len([d for d in D('failed')])"
	sound
	verified
}

cut_and_resume() { # ORDER
	shim_batch 6
	orders "$1"
	run ca-tool-pin plan run -d "$A" "$P" --yes
	[ "$status" -ne 0 ]
	orders
	must resume
	whole 6
}

@test "killed before a signature: resumed, nothing missing, nothing twice" {
	cut_and_resume 'kill C_Sign 3'
}

@test "killed after a signature: resumed, nothing missing, nothing twice" {
	cut_and_resume 'kill-after C_Sign 4'
}

@test "the token failed: resumed, nothing missing, nothing twice" {
	cut_and_resume 'fail-after C_Sign 2 0x30'
}

@test "a request that was left out stays out of the resumed run" {
	cut_and_resume 'kill C_Sign 1'
	local dir
	dir=$A/ceremonies/$(journal 'D("plan")[-1]["directory"]')
	grep -q d13-noise "$dir/left-out-0"
}

@test "Ctrl-C: stopped while certificates are signed, and resumed" {
	local pid
	shim_batch 6
	step_list l1 root-g1 | sed 's/^/  /' >> "$P"
	orders 'delay C_Sign 300000'
	env --default-signal=INT setsid "$CA_TOOL" plan run -d "$A" "$P" --yes \
		"${OPS[@]}" --pin-fd 8 \
		8< <(pins) > out 2>&1 &
	pid=$!
	for _ in {1..100}; do
		grep -q Signing out && break
		sleep 0.1
	done
	sleep 0.5
	kill -INT "$pid"
	wait "$pid" && false
	orders
	grep -q 'signing was interrupted' out || { tail -n 12 out; false; }
	must resume
	whole 6
}

@test "a full disk in the middle: said, and resumed" {
	[ "$(id -u)" -eq 0 ] && can_mount || skip "needs a mount of its own"
	shim_batch 6
	mkdir mount
	orders 'delay C_Sign 300000'
	# shellcheck disable=SC2016
	run unshare -m bash -c '
		mount -t tmpfs -o size=64m none mount || exit 99
		cp -a "$1" mount/a
		"$CA_TOOL" plan run -d mount/a "$2" --yes $OP_OPTIONS \
			--pin-fd 8 8< <(yes "$3" | head -n 12) > out 2>&1 &
		for _ in {1..100}; do
			grep -q Signing out && break
			sleep 0.1
		done
		head -c 100m /dev/zero > mount/filler 2> /dev/null
		wait $!
		status=$?
		rm mount/filler
		: > "$4"
		if [ $status -ne 0 ]; then
			"$CA_TOOL" plan run --resume -d mount/a --yes \
				$OP_OPTIONS --pin-fd 8 \
				8< <(yes "$3" | head -n 12) || exit 98
		fi
		rm -rf "$1"
		cp -a mount/a "$1"
		exit $status' bash "$A" "$P" "$PIN" "$ORDERS"
	[ "$status" -ne 98 ] && [ "$status" -ne 99 ] || {
		cat out
		echo "$output"
		false
	}
	[ "$status" -eq 1 ] && grep -q 'make room' out || {
		cat out
		false
	}
	whole 6
}

@test "what the plan leaves out for all is said once; a hostile name is escaped once" {
	local name
	for name in one two three; do
		ask "$name"
	done
	batch p > /dev/null
	sed -i '/subject:/d' "$P"
	check_refused PROFILE-SUBJECT 'attribute organization'
	[ "$(grep -c PROFILE-SUBJECT <<< "$output")" -eq 1 ]
	[[ $output == *'it is the same for all'* ]]
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc \
		-keyout bad.key -out requests/bad.csr \
		-subj "/CN=$(printf 'line\nbreak')" 2> /dev/null
	batch p > /dev/null
	unchanged ca-tool plan check -d "$A" "$P"
	[ "$status" -eq 3 ]
	[[ $output != *'\\x'* ]]
	no_escapes
}
