#!/usr/bin/env bats
# crl forecast: how large the CRL is, how it grows, when it is too large, and by
# when a successor must have taken over.

load ceremony-helper

setup_file() {
	base_authority
	cd "$BATS_FILE_TMPDIR" || return
	A=$BASE
	make_request one
	make_request two
	make_request three
	make_request four
	local name
	for name in one two three four; do
		cat <<-END
		- end-entity:
		    name: $name
		    issuer: issuing-g1
		    csr: $name.csr
		    profile: tls-server
		    validity: 90d
		    names: { dns: [$name.example.org] }
		END
	done | plan leaves > leaves.yaml
	ca-tool-pin plan run -d "$BASE" leaves.yaml --yes
	step_list first issuing-g1 | plan first-crl > crl.yaml
	ca-tool-pin plan run -d "$BASE" crl.yaml --yes
	{
		for name in one two three; do
			step_revoke issuing-g1 \
				"$(serial "$BASE/public/certs/$name.pem")" superseded
		done
		step_list second issuing-g1
	} | sed 's/^/  /' | { later_head second 10; cat; } > second.yaml
	at_time +10d plan run -d "$BASE" second.yaml --yes
}

# later_head ID DAYS: of a plan for that day
later_head() {
	cat <<-END
	format: ca-tool-plan-1
	id: $1
	title: Later
	window:
	  from: $(when "+$(($2 - 1)) days")
	  until: $(when "+$(($2 + 1)) days")
	steps:
	END
}

setup() {
	copy_authority
	FIRST=$A/public/crls/first.crl
	SECOND=$A/public/crls/second.crl
}

# forecast DAYS ARGUMENT...: its JSON in $output, so many days from now
forecast() {
	local days=$1
	shift
	run no_leaks faketime -f "+${days}d" "$CA_TOOL" crl forecast -d "$A" \
		"$@" --json
}

# value EXPRESSION: over the JSON, as d
value() {
	python3 -c 'import json, sys
d = json.load(sys.stdin)
print(eval(sys.argv[1]))' "$1" <<< "$output"
}

@test "the size of today is that of the CRL" {
	forecast 11 issuing-g1
	[ "$status" -eq 0 ]
	[ "$(value 'd["partitions"][0]["entries"]')" -eq 3 ]
	local size real
	size=$(value 'd["partitions"][0]["bytes"]')
	real=$(stat -c %s "$SECOND")
	echo "$size $real"
	[ "$size" -ge $((real - 3)) ]
	[ "$size" -le $((real + 3)) ]
	[ "$(value 'd["longest_validity_seconds"]')" -eq $((90 * 86400)) ]
	[ "$(value 'd["source"]')" = journal ]
	[ "$(value 'd["budget"]')" -eq 1000000 ]
}

@test "entries leave when their certificates end: it levels off" {
	forecast 11 issuing-g1
	[ "$(value 'd["crosses"]')" = None ]
	[ "$(value 'd["rollover"]')" = None ]
	[ "$(value '0.25 < d["rate_per_day"] < 0.31')" = True ]
	[ "$(value '79 < d["days_on_crl"] < 81')" = True ]
	run no_leaks faketime -f +11d "$CA_TOOL" crl forecast -d "$A" issuing-g1
	[[ $output == *'not within 50 years at this growth'* ]]
	[[ $output == *'each stays 80 days'* ]]
}

@test "a small budget is crossed, and the rollover is a life before" {
	forecast 11 issuing-g1 --budget 1kB
	[ "$status" -eq 0 ]
	[ "$(value 'd["crosses"] > "2020-01-01"')" = True ]
	[ "$(value '(__import__("datetime").date.fromisoformat(d["crosses"])
		- __import__("datetime").date.fromisoformat(d["rollover"])).days')" \
		-eq 90 ]
	[ "$(value 'd["findings"][0]["id"]')" = CRL-BUDGET ]
	forecast 11 issuing-g1 --budget 100
	[[ $(value 'd["findings"][0]["text"]') == *'larger than the budget already'* ]]
}

@test "the plot is plain text that fits a log" {
	run no_leaks faketime -f +11d "$CA_TOOL" crl forecast -d "$A" issuing-g1 \
		--budget 1000
	[ "$status" -eq 0 ]
	no_escapes
	never grep -q ' $' <<< "$output"
	[ "$(awk '{ if (length > max) max = length } END { print max }' \
		<<< "$(grep -E '\||\+-' <<< "$output")")" -le 79 ]
	grep -qE '^ +1\.0 kB \|-' <<< "$output"
	grep -qE '\|#+:+$' <<< "$output"
	grep -q '# so far   : forecast   - budget' <<< "$output"
	[[ $output == *'ca-tool plan new rollover issuing-g1'* ]]
}

@test "growth from CRLs that are given, in DER and PEM, in any order" {
	forecast 11 issuing-g1 "$SECOND" "$FIRST" --budget 1MB
	[ "$status" -eq 0 ]
	[ "$(value 'd["source"]')" = crls ]
	[ "$(value 'd["partitions"][0]["entries"]')" -eq 3 ]
	[ "$(value 'd["partitions"][0]["bytes"]')" -eq "$(stat -c %s "$SECOND")" ]
	[ "$(value '0.29 < d["rate_per_day"] < 0.31')" = True ]
	# 1 MB at 0.3 entries of about 53 bytes a day: more than 50 years.
	[ "$(value 'd["crosses"]')" = None ]
	forecast 11 issuing-g1 "$FIRST" "$SECOND" --budget 50kB
	local crosses
	crosses=$(value 'd["crosses"]')
	[[ $crosses == 20??-??-?? ]]
	forecast 11 issuing-g1 "${FIRST%.crl}.pem" "${SECOND%.crl}.pem" \
		--budget 50kB
	[ "$(value 'd["crosses"]')" = "$crosses" ]
}

@test "CRLs that are forged, another issuer's, broken, or too few" {
	forecast 11 issuing-g1 "$SECOND" "$A/public/crls/root-g1.crl"
	[ "$status" -eq 3 ]
	[[ $output == *'its issuer is another one'* ]]
	python3 - "$SECOND" <<-'END'
	import sys
	der = bytearray(open(sys.argv[1], "rb").read())
	at = der.index(b"Z0\x0c0\x0a\x06\x03U\x1d\x15") - 1
	der[at] = ord("0") + (der[at] - ord("0") + 1) % 10
	open("forged.crl", "wb").write(der)
	END
	forecast 11 issuing-g1 "$FIRST" forged.crl
	[ "$status" -eq 3 ]
	[[ $output == *'was not signed by the key of'* ]]
	head -c 100 "$SECOND" > cut.crl
	forecast 11 issuing-g1 "$FIRST" cut.crl
	[ "$status" -eq 3 ]
	forecast 11 issuing-g1 "$FIRST" partner.csr
	[ "$status" -eq 3 ]
	[[ $output == *'no CRL'* ]]
	forecast 11 issuing-g1 "$FIRST"
	[ "$status" -eq 3 ]
	[[ $output == *'two days at least'* ]]
	forecast 11 issuing-g1 absent.crl
	[ "$status" -eq 1 ]
}

# In $A: certificates p1 to p8, of which 4 are in one of two partitions at most,
# and CRLs of both: part-1-1 and part-2-1 now, part-1-2 and part-2-2 in ten days.
partitioned() {
	local n names=()
	sed -e 's/^id: .*/id: tls-parts/' \
		-e 's/\(crl-distribution-points: {critical: no\)}/\1, partitions: 2}/' \
		"$A/profiles/tls-server.yaml" > "$A/profiles/tls-parts.yaml"
	echo '- adopt-config: { why: "a profile for tests" }' |
		at_plan parts 10
	for n in {1..8}; do
		make_request "p$n"
		names+=("p$n")
		cat <<-END
		- end-entity:
		    name: p$n
		    issuer: issuing-g1
		    csr: p$n.csr
		    profile: tls-parts
		    validity: 90d
		    names: { dns: [p$n.example.org] }
		END
	done | at_plan p-leaves 10
	sessions 1 11 p1
	sessions 2 21 p2 p3 p4 p5 p6
}

# at_plan ID DAYS: run the plan whose steps are on stdin, so many days from now
at_plan() {
	sed 's/^/  /' | { later_head "$1" "$2"; cat; } > "$1.yaml"
	must at_time "+${2}d" plan run -d "$A" "$1.yaml" --yes
}

# sessions N DAYS CERTIFICATE...: revoked, and both partitions behind it
sessions() {
	local n=$1 days=$2 name part
	shift 2
	{
		for name; do
			step_revoke issuing-g1 \
				"$(serial "$A/public/certs/$name.pem")" superseded
		done
		step_list "full-$n" issuing-g1
		for part in 1 2; do
			echo "- crl: { name: part-$part-$n, issuer: issuing-g1," \
				"profile: crl-partition," \
				"url: http://crl.example.org/issuing-g1/$part.crl }"
		done
	} | at_plan "sessions-$n" "$days"
}

# entries CRL: how many there are on it
entries() {
	revoked_on "$A/public/crls/$1.crl" | grep -c . || true
}

@test "partitions: entries and bytes of each, and together what comes" {
	local part count sum=0 size real
	partitioned
	forecast 21 issuing-g1
	[ "$status" -eq 0 ]
	# The full one has all, also what is in neither partition.
	[ "$(value 'sorted(str(p["url"]) for p in d["partitions"])')" = "$(printf \
		"['None', '%s/1.crl', '%s/2.crl']" \
		http://crl.example.org/issuing-g1{,})" ]
	[ "$(value '[(p["entries"], p["share"]) for p in d["partitions"]
		if p["url"] is None]')" = '[(9, 1.0)]' ]
	real=$(stat -c %s "$A/public/crls/full-2.crl")
	size=$(value '[p["bytes"] for p in d["partitions"]
		if p["url"] is None][0]')
	echo "full: $size bytes, really $real"
	[ "$size" -ge $((real - 4)) ] && [ "$size" -le $((real + 4)) ]
	for part in 1 2; do
		count=$(value "[p['entries'] for p in d['partitions']
			if str(p['url']).endswith('/issuing-g1/$part.crl')][0]")
		[ "$count" -eq "$(entries "part-$part-2")" ]
		sum=$((sum + count))
		size=$(value "[p['bytes'] for p in d['partitions']
			if str(p['url']).endswith('/issuing-g1/$part.crl')][0]")
		real=$(stat -c %s "$A/public/crls/part-$part-2.crl")
		echo "partition $part: $count entries, $size bytes, really $real"
		[ "$size" -ge $((real - 4)) ] && [ "$size" -le $((real + 4)) ]
	done
	[ "$sum" -eq 6 ]
	[ "$(value 'abs(sum(p["share"] for p in d["partitions"]) - 2) < 1e-9')" \
		= True ]
	# In words, each has its line.
	run no_leaks faketime -f +21d "$CA_TOOL" crl forecast -d "$A" issuing-g1
	[ "$status" -eq 0 ]
	[[ $output == *Largest* ]]
	[[ $output == *'the full CRL'* ]]
	[[ $output == *http://crl.example.org/issuing-g1/1.crl* ]]
	[[ $output == *http://crl.example.org/issuing-g1/2.crl* ]]
	no_escapes
	# From the CRLs themselves it is the same, octet for octet.
	forecast 21 issuing-g1 "$A"/public/crls/part-{2,1}-{2,1}.crl
	[ "$status" -eq 0 ]
	[ "$(value 'len(d["partitions"])')" -eq 2 ]
	for part in 1 2; do
		[ "$(value "[(p['entries'], p['bytes']) for p in d['partitions']
			if p['url'].endswith('/$part.crl')]")" = \
			"[($(entries "part-$part-2"), $(stat -c %s \
				"$A/public/crls/part-$part-2.crl"))]" ]
	done
	# Half a year on the full one has ended: it was given up, and does not count.
	forecast 210 issuing-g1
	[ "$(value '[p["url"] for p in d["partitions"] if p["url"] is None]')" = \
		'[]' ]
	# A partition of which there is one CRL alone has no growth to be seen.
	forecast 21 issuing-g1 "$A"/public/crls/part-1-{1,2}.crl \
		"$A/public/crls/part-2-2.crl"
	[ "$status" -eq 3 ]
	[[ $output == *'two days at least'* ]]
}

@test "it changes nothing; arguments that are wrong" {
	local before
	before=$(snapshot "$A")
	forecast 11 issuing-g1
	[ "$status" -eq 0 ]
	[ "$before" = "$(snapshot "$A")" ]
	forecast 11 nobody
	[ "$status" -eq 3 ]
	local budget
	for budget in 0 1GB -1 kB 1.5MB 010; do
		forecast 11 issuing-g1 "--budget=$budget"
		echo "$budget: $output"
		[ "$status" -eq 2 ]
	done
	run ca-tool crl forecast -d "$A"
	refused 2 'argument is missing'
}
