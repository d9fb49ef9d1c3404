#!/usr/bin/env bats
# Runs that were cut off: what is possibly signed is accounted for, what is
# certainly not is signed as it was confirmed, nothing is used twice.

load ceremony-helper

setup() {
	shim_authority
	{ step_key root-g1; step_root root-g1; } | plan first > "$P"
	ca-tool-pin plan run -d "$A" "$P" --yes 2> /dev/null
}

# cut_off ORDER: run $P with this fault; it ends without finishing.
cut_off() {
	orders "$1"
	run ca-tool-pin plan run -d "$A" "$P" --yes
	[ "$status" -ne 0 ]
	orders
	says 'len(D("plan")) == len(D("close")) + 1'
}

# The to-be-signed hash of object N in list L of the last run.
listed() {
	local dir
	dir=$(journal 'D("plan")[-1]["directory"]')
	python3 - "$A/ceremonies/$dir/list-$1" "$2" <<-'EOF'
	import json, sys
	for line in open(sys.argv[1]):
	    row = json.loads(line)
	    if row.get("object") == int(sys.argv[2]):
	        print(row["tbs"])
	EOF
}

sub_and_list() {
	{
		step_subordinate one root-g1 'csr: partner.csr'
		step_list l1 root-g1
	} | plan p > "$P"
}

possibly_signed_certificate() {
	local old
	sub_and_list
	cut_off "$1"
	[ ! -e "$A/public/certs/one.pem" ]
	old=$(journal 'D("intent")[-1]["serial"]')
	must resume
	[[ $(tr -s '\n ' ' ' <<< "$output") == *"its serial is revoked"* ]]
	[ "$(serial "$A/public/certs/one.pem")" != "$old" ]
	[ "$(revoked_on "$A/public/crls/l1.crl")" = "$old superseded" ]
	says "[d['cause'] for d in D('revoked')] == ['possibly signed']"
	says 'D("failed")[-1]["possibly_signed"]'
	openssl verify -x509_strict -crl_check \
		-CAfile "$A/public/certs/root-g1.pem" \
		-CRLfile "$A/public/crls/l1.pem" "$A/public/certs/one.pem"
	sound
}

@test "certificate, killed before C_Sign: revoked, a new serial" {
	possibly_signed_certificate 'kill C_Sign 1'
}

@test "certificate, killed after C_Sign: revoked, a new serial" {
	possibly_signed_certificate 'kill-after C_Sign 1'
}

@test "certificate, the token failed: revoked, a new serial" {
	possibly_signed_certificate 'fail-after C_Sign 1 0x30'
}

@test "root, possibly signed: stated, the key kept, a new serial" {
	local old key
	{
		step_key r2
		step_root r2
		step_list r2 r2
	} | plan p > "$P"
	cut_off 'kill-after C_Sign 1'
	old=$(journal 'D("intent")[-1]["serial"]')
	key=$(journal 'D("key")[-1]["spki"]')
	must resume
	[[ $(tr -s '\n ' ' ' <<< "$output") == *"a root"*"may exist"* ]]
	[ "$(serial "$A/public/certs/r2.pem")" != "$old" ]
	[ "$(openssl x509 -in "$A/public/certs/r2.pem" -noout -pubkey |
		openssl pkey -pubin -outform DER |
		od -An -v -tx1 | tr -d ' \n')" = \
		"$key" ]
	[ "$(revoked_on "$A/public/crls/r2.crl")" = "" ]
	says 'D("revoked") == [] and len(D("key-destroyed")) == 0'
	sound
}

@test "CRL, possibly signed: its number is spent" {
	sub_and_list
	cut_off 'kill-after C_Sign 2'
	says 'D("intent")[-1]["kind"] == "crl" and D("intent")[-1]["number"] == "1"'
	must resume
	[ "$(crl_number "$A/public/crls/l1.crl")" -eq 2 ]
	# The certificate was done: it is the same.
	says 'len([d for d in D("intent") if d["name"] == "one"]) == 1'
	says 'D("revoked") == []'
	sound
	must run_plan next <<< "$(step_list l2 root-g1)"
	[ "$(crl_number "$A/public/crls/l2.crl")" -eq 3 ]
}

@test "request, possibly signed: made anew" {
	step_csr request root-g1 | plan p > "$P"
	cut_off 'kill-after C_Sign 1'
	must resume
	openssl req -in "$A/public/csrs/request.csr" -noout -verify
	says 'D("revoked") == []'
	sound
}

# A request is signed first, so a cut there leaves the rest without intents.
request_and_more() {
	{
		step_csr request root-g1
		step_subordinate one root-g1 'csr: partner.csr'
		step_list l1 root-g1
	} | plan p > "$P"
	cut_off 'kill-after C_Sign 1'
}

@test "without an intent, within 12 hours: signed as it was confirmed" {
	local one list
	request_and_more
	one=$(listed 0 1)
	list=$(listed 0 2)
	[ -n "$one" ] && [ -n "$list" ]
	must resume
	says "[d['tbs'] for d in D('intent')][-2:] == ['$one', '$list']"
	[ "$(listed 1 1)" = "$one" ]
	sound
}

@test "without an intent, after 11 hours: still as it was confirmed" {
	local one
	request_and_more
	one=$(listed 0 1)
	must at_time +11h plan run --resume -d "$A" --yes
	says "D('intent')[-2]['tbs'] == '$one'"
}

@test "without an intent, after 13 hours: built and shown anew" {
	local one list
	request_and_more
	one=$(listed 0 1)
	list=$(listed 0 2)
	must at_time +13h plan run --resume -d "$A" --yes
	[[ $output == *"$(listed 1 1 | fold -w 64)"* ]]
	says "not {'$one', '$list'} & {d['tbs'] for d in D('intent')}"
	sound
}

@test "without an intent, the window closed: built anew" {
	local one
	request_and_more
	one=$(listed 0 1)
	# The window ends in seven days; the 12 hours are not what decides.
	must at_time +8d plan run --resume -d "$A" --yes
	says "'$one' not in [d['tbs'] for d in D('intent')]"
	sound
}

# Cut off in the middle, and so again for each damage to $dir, the run's
# directory; what was there first is in saved/.
save() {
	mkdir saved
	cp -a "$A" tokens saved/
}

damaged() { # SHELL COMMAND, IN $dir
	rm -rf "$A" tokens
	cp -a saved/. .
	(cd "$dir" && eval "$1")
}

flip() {
	python3 - "$1" <<-'EOF'
	import sys
	data = bytearray(open(sys.argv[1], "rb").read())
	data[len(data) // 2] ^= 1
	open(sys.argv[1], "wb").write(data)
	EOF
}

@test "a list that was edited or lost is put back from the journal" {
	local dir how
	request_and_more
	dir=$A/ceremonies/$(journal 'D("plan")[-1]["directory"]')
	save
	for how in 'flip list-0' 'truncate -s -1 list-0' 'rm list-0' \
		'tail -1 list-0 >> list-0'; do
		damaged "$how"
		must resume
		[[ $(tr -s '\n ' ' ' <<< "$output") == *"list-0' was "*evidence* ]]
		cmp "$dir/list-0" "saved/authority/${dir#"$A"/}/list-0"
		[ "$how" = 'rm list-0' ] || [ -e "$dir/list-0.aside-1" ]
		sound
	done
}

@test "a spool that was edited or lost: built and shown anew" {
	local dir how one
	request_and_more
	one=$(listed 0 1)
	dir=$A/ceremonies/$(journal 'D("plan")[-1]["directory"]')
	save
	# Of the three objects the last two have no intent.
	for how in 'truncate -s -1 spool-0' 'rm spool-0'; do
		damaged "$how"
		must resume
		[[ $(tr -s '\n ' ' ' <<< "$output") == *"'spool-0' is lost or was changed"* ]]
		sound
	done
	says "'$one' not in [d['tbs'] for d in D('intent')]"
}

@test "an input, the manifest or the profile, changed before the resume" {
	local dir file
	request_and_more
	dir=$A/ceremonies/$(journal 'D("plan")[-1]["directory"]')
	save
	for file in $(cd "$dir" && echo inputs/* manifest.json); do
		damaged "echo '#' >> $file"
		must resume
		[[ $(tr -s '\n ' ' ' <<< "$output") == \
			*"$file' was changed; it was moved aside"* ]]
		cmp "$dir/$file" "saved/authority/${dir#"$A"/}/$file"
		[ -e "$dir/$file.aside-1" ]
		sound
	done
	damaged "rm -r ../${dir##*/}; mkdir ../${dir##*/}"
	must resume
	sound
	# What lies in profiles/ is not read any more.
	damaged :
	echo '#' >> "$A/profiles/issuing-ca.yaml"
	must resume
}

@test "while a run is open, nothing else runs" {
	local Q=$BATS_TEST_TMPDIR/q.yaml
	request_and_more
	step_key other | plan q > "$Q"
	nothing_signed ca-tool-pin plan run -d "$A" "$Q" --yes
	refused 3 "--resume"
	must resume
	nothing_signed resume
	refused 3 "nothing to resume"
	must ca-tool-pin plan run -d "$A" "$Q" --yes
}

@test "what lies in the way of an output stops the publishing only" {
	local one
	sub_and_list
	cut_off 'kill C_Sign 2'
	mkdir -p "$A/public/certs"
	echo mine > "$A/public/certs/one.pem"
	run resume
	refused 3 "one.pem"
	[ "$(cat "$A/public/certs/one.pem")" = mine ]
	rm "$A/public/certs/one.pem"
	must resume
	[ "$(journal 'len([d for d in D("intent") if d["name"] == "one"])')" = 1 ]
	openssl x509 -in "$A/public/certs/one.pem" -noout
	sound
}

@test "killed while a key is made: the half of it goes, the key is made anew" {
	local order
	for order in 'kill C_GenerateKeyPair' 'kill-after C_GenerateKeyPair'; do
		{ step_key k; step_root k; } |
			sed 's/name: k/name: '"c${order%% *}"'/' |
			sed "s/key: k/key: k-${order%% *}/" |
			plan "p-${order%% *}" > "$P"
		cut_off "$order"
		must resume
		sound
	done
	[ "$(token_keys)" = "journal k-kill k-kill-after root-g1" ]
	says 'len(D("key-intent")) == 6'
}

@test "killed at each call of C_Sign, twice in a row: all is accounted for" {
	local n
	for n in 1 2 3; do
		{
			step_key "k$n"
			step_subordinate "s$n" root-g1 "key: k$n" "S $n"
			step_list "s$n" "s$n"
			step_list "r$n" root-g1
		} | plan "p$n" > "$P"
		cut_off "kill-after C_Sign $n"
		orders 'kill C_Sign 1'
		run resume
		[ "$status" -ne 0 ]
		orders
		must resume
		sound
		openssl crl -in "$A/public/crls/r$n.crl" -noout \
			-CAfile "$A/public/certs/root-g1.pem"
		# Whatever was possibly signed of the root is on its list.
		[ "$(revoked_on "$A/public/crls/r$n.crl" | cut -d' ' -f1 |
			sort)" = "$(journal '"\n".join(sorted(d["serial"]
			for d in D("revoked") if d["issuer"] == "root-g1"))')" ]
	done
}

@test "Ctrl-C while it signs: it stops between objects, and goes on" {
	local pid i
	{
		step_csr request root-g1
		step_subordinate one root-g1 'csr: partner.csr'
		step_list l1 root-g1
	} | plan p > "$P"
	orders 'delay C_Sign 2000000' "mark $BATS_TEST_TMPDIR/marks"
	setsid env --default-signal=INT "$CA_TOOL" plan run -d "$A" "$P" --yes "${OPS[@]}" --pin-fd 8 \
		8< <(pins) > out 2>&1 3>&- &
	pid=$!
	for _ in {1..1200}; do
		[ -s marks ] && break
		sleep 0.05
	done
	sleep 0.7
	kill -INT "$pid" 2> /dev/null || kill -INT -- "-$pid"
	i=0
	wait "$pid" || i=$?
	[ "$i" -eq 1 ] || { cat out; false; }
	grep -q -- '--resume' out
	# The mark is made when the second signature is about to begin: that
	# one was finished and kept, the third never reached the token.
	says 'len(D("result")) == 3'
	[ "$(grep -c '^sign ' marks)" -eq 2 ]
	says 'not any(d["possibly_signed"] for d in D("failed"))'
	orders
	must resume
	says 'D("revoked") == []'
	says 'len([d for d in D("intent") if d["name"] == "request"]) == 1'
	sound
}

@test "Ctrl-C before anything is signed" {
	local pid i
	{ step_key k1; step_key k2; step_root k2; } | plan p > "$P"
	orders 'delay C_GenerateKeyPair 700000' "count $BATS_TEST_TMPDIR/calls"
	setsid env --default-signal=INT "$CA_TOOL" plan run -d "$A" "$P" --yes "${OPS[@]}" --pin-fd 8 \
		8< <(pins) > out 2>&1 3>&- &
	pid=$!
	for _ in {1..1200}; do
		grep -qs C_GenerateKeyPair calls && break
		sleep 0.05
	done
	kill -TERM "$pid" 2> /dev/null || kill -TERM -- "-$pid"
	i=0
	wait "$pid" || i=$?
	[ "$i" -eq 1 ] || { cat out; false; }
	grep -q -- '--resume' out
	orders
	must resume
	[ "$(token_keys)" = "journal k1 k2 root-g1" ]
	says 'len([d for d in D("key-intent") if d["name"] == "k1"]) == 1'
	sound
}

@test "a signature that is garbled is withheld, journalled and revoked" {
	local bad
	sub_and_list
	cut_off 'garbage C_Sign 1'
	refused 3 "does not verify" "withheld" "root-g1"
	[ ! -e "$A/public/certs/one.pem" ]
	bad=$(journal 'D("intent")[-1]["serial"]')
	says 'D("failed")[-1]["possibly_signed"]'
	says "D('revoked')[-1]['serial'] == '$bad'"
	# While the fault lasts it goes on so, and each serial is spent.
	orders 'garbage C_Sign'
	run resume
	refused 3 "does not verify"
	orders
	must resume
	says 'len(D("revoked")) == 2'
	[ "$(revoked_on "$A/public/crls/l1.crl" | wc -l)" -eq 2 ]
	[ "$(serial "$A/public/certs/one.pem")" != "$bad" ]
	sound
}

@test "a garbled signature on a root, a CRL, a request, a checkpoint" {
	{ step_key r2; step_root r2; } | plan p1 > "$P"
	cut_off 'garbage C_Sign 1'
	refused 3 "does not verify"
	must resume
	step_list l1 root-g1 | plan p2 > "$P"
	cut_off 'garbage C_Sign 1'
	refused 3 "does not verify"
	[ ! -e "$A/public/crls/l1.crl" ]
	must resume
	[ "$(crl_number "$A/public/crls/l1.crl")" -eq 2 ]
	step_csr request root-g1 | plan p3 > "$P"
	cut_off 'garbage C_Sign 1'
	refused 3 "does not verify"
	must resume
	says 'D("revoked") == []'
	sound
	# The receipt: the run is closed, only that is missing.
	step_list l2 root-g1 | plan p4 > "$P"
	cp "$A/public/journal/checkpoint" before
	orders 'garbage C_Sign 2'
	run ca-tool-pin plan run -d "$A" "$P" --yes
	[ "$status" -eq 3 ]
	cmp before "$A/public/journal/checkpoint"
	orders
	must resume
	never cmp -s before "$A/public/journal/checkpoint"
	sound
}

@test "a token whose random numbers stand still gives no serial twice" {
	# 5 octets a draw would be refused; here each draw is the same.
	orders 'constant C_GenerateRandom'
	run run_plan p1 <<< "$(step_subordinate one root-g1 'csr: partner.csr')"
	orders
	[ "$status" -eq 0 ] || must resume
	make_request two
	orders 'constant C_GenerateRandom'
	run run_plan p2 <<< "$(step_subordinate two root-g1 'csr: two.csr')"
	orders
	[ "$status" -eq 0 ] || must resume
	sound
}

@test "the receipt is made when only it is missing" {
	step_list l1 root-g1 | plan p > "$P"
	orders 'kill C_Sign 2'
	run ca-tool-pin plan run -d "$A" "$P" --yes
	[ "$status" -ne 0 ]
	orders
	says 'D("close")[-1]["outcome"] == "done"'
	must resume
	[ "$(cat "$A"/ceremonies/p-*/receipt)" = \
		"$(cat "$A/public/journal/checkpoint")" ]
	nothing_signed resume
}
