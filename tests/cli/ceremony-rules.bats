#!/usr/bin/env bats
# What an issuer may not issue, by the rule that forbids it; and runs that are
# refused when they build, or by the room, after their keys were made.

load ceremony-helper

setup_file() {
	base_authority
}

setup() {
	copy_authority
}

@test "a sub CA that outlives its issuer" {
	step_subordinate s root-g1 'csr: partner.csr' S 7306d | plan p > "$P"
	check_refused FLD-TIME-NESTED
	step_ocsp o issuing-g1 'csr: partner.csr' 395d | plan p > "$P"
	sed -i 's/until: .*/until: 2099-01-01T00:00:00Z/' "$P"
	must ca-tool plan show -d "$A" "$P"
	run at_time +1500d plan run -d "$A" "$P" --yes
	refused 3 FLD-TIME-NESTED
}

@test "to the second: what ends with its issuer is fine, one more is not" {
	local end
	end=$(date -u -d "$(openssl x509 -in "$A/public/certs/issuing-g1.pem" \
		-noout -enddate | cut -d= -f2)" +%s)
	# The window begins later; check counts from there.
	local from=$((end - 86400))
	step_ocsp o issuing-g1 'csr: partner.csr' 86402s | plan p > "$P"
	sed -i -e "s/from: .*/from: $(date -u -d "@$from" +%FT%TZ)/" \
		-e "s/until: .*/until: $(date -u -d "@$end" +%FT%TZ)/" "$P"
	check_refused FLD-TIME-NESTED
	sed -i 's/86402s/86401s/' "$P"
	must ca-tool plan show -d "$A" "$P"
}

@test "a sub CA that predates its issuer" {
	step_subordinate s root-g1 'csr: partner.csr' | plan p > "$P"
	unchanged no_leaks faketime -f -2h "$CA_TOOL" plan check -d "$A" "$P"
	refused 3 ISSUER-VALID
}

@test "an issuer that has expired" {
	step_ocsp o issuing-g1 'csr: partner.csr' 1d | plan p > "$P"
	sed -i 's/until: .*/until: 2099-01-01T00:00:00Z/' "$P"
	unchanged no_leaks faketime -f +1900d "$CA_TOOL" plan check -d "$A" "$P"
	refused 3 ISSUER-VALID
	step_list l issuing-g1 | plan p > "$P"
	sed -i 's/until: .*/until: 2099-01-01T00:00:00Z/' "$P"
	unchanged no_leaks faketime -f +1900d "$CA_TOOL" plan check -d "$A" "$P"
	refused 3
}

@test "its issuer's own name, in any case or spacing; its own key" {
	step_subordinate s root-g1 'csr: partner.csr' 'Example root-g1' |
		plan p > "$P"
	check_refused NAM-NEWKEY-NEWNAME
	step_subordinate s root-g1 'csr: partner.csr' 'EXAMPLE  Root-G1' |
		plan p > "$P"
	unchanged ca-tool plan check -d "$A" "$P"
	refused 3 "NAM-"
	step_subordinate s root-g1 'key: root-g1' | plan p > "$P"
	check_refused KEY-NOT-A-CA-KEY
}

@test "no path length is left" {
	step_subordinate s issuing-g1 'csr: partner.csr' | plan p > "$P"
	check_refused SUB-PATHLEN
	# Below a CA that the same plan makes, too.
	{
		step_key k
		step_subordinate mid root-g1 'key: k' 'Mid'
		step_subordinate s mid 'csr: partner.csr'
	} | plan p > "$P"
	check_refused SUB-PATHLEN
	# Not a rule for responders.
	step_ocsp o issuing-g1 'csr: partner.csr' | plan p > "$P"
	must ca-tool plan show -d "$A" "$P"
}

@test "a profile of another kind; a profile whose name leads elsewhere" {
	local bad
	step_subordinate s root-g1 'csr: partner.csr' |
		sed 's/profile: .*/profile: ocsp-responder/' | plan p > "$P"
	check_refused PROFILE-KIND
	step_list l root-g1 | sed 's/profile: .*/profile: root/' | plan p > "$P"
	check_refused PROFILE-KIND
	for bad in ../../../etc/passwd /etc/passwd .. 'root.yaml/..'; do
		step_list l root-g1 | sed "s#profile: .*#profile: $bad#" |
			plan p > "$P"
		check_refused NAME-FORM
	done
}

# A plan whose certificate fits only while its key is not yet made: by 6 s when
# it is written, and making the two keys takes 8.
tight() {
	local end now
	end=$(date -u -d "$(openssl x509 -in "$A/public/certs/root-g1.pem" \
		-noout -enddate | cut -d= -f2)" +%s)
	now=$(date +%s)
	{
		step_key k1
		step_key k2
		step_csr request k1
		step_subordinate s root-g1 'key: k1' 'Sub' \
			"$((end - now - 6))s"
		step_list l1 root-g1
	} | plan tight > "$P"
}

tight_authority() {
	rm -rf "$A"
	shim_authority
	must run_plan first <<-EOF
	$(step_key root-g1)
	$(step_root root-g1 2922d)
	EOF
	orders 'delay C_GenerateKeyPair 4000000'
}

# The run was refused after its keys were made: nothing of it is left.
undone() {
	[ "$(token_keys)" = "journal root-g1" ]
	[ "$(soft --list-objects --type privkey 2> /dev/null |
		grep -c 'label:')" -eq 2 ]
	[ "$(find "$A/public" -type f ! -path "*/journal/*" \
		! -path "*/anchor/*" | wc -l)" -eq 3 ]
	says 'len(D("key-destroyed")) == 2'
	says 'len(D("refused")) == 1'
	says 'D("close")[-1]["outcome"] == "refused"'
	says 'len(D("intent")) == 1'
	# The receipt is of this, too; nothing is open.
	says '[e["kind"] for e in E
		if e["kind"] not in ("login", "head")][-1] == "checkpoint"'
	orders
	run resume
	refused 3 "nothing to resume"
	# The names are free again.
	must run_plan again <<-EOF
	$(step_key k1)
	$(step_list l1 root-g1)
	EOF
}

@test "refused at build: the keys made before are destroyed, all journalled" {
	tight_authority
	tight
	run ca-tool-pin plan run -d "$A" "$P" --yes
	refused 3 FLD-TIME-NESTED "nothing was signed" "destroyed"
	says 'D("refused")[0]["findings"]'
	undone
}

@test "killed while it destroys them: the resume goes on with that" {
	tight_authority
	tight
	# The first three are of old heads.
	orders 'delay C_GenerateKeyPair 4000000' 'kill C_DestroyObject 5'
	run ca-tool-pin plan run -d "$A" "$P" --yes
	[ "$status" -eq 137 ]
	says 'len(D("refused")) == 1 and len(D("close")) == 1'
	orders
	run resume
	says 'D("close")[-1]["outcome"] == "refused"'
	[ "$(token_keys)" = "journal root-g1" ]
	says 'len(D("key-destroyed")) == 2 and len(D("intent")) == 1'
}

# people ANSWER: run $P on a terminal, answer the question.
people() {
	CA_ANSWER=$1 expect <<-'EOF'
	set timeout 120
	spawn -noecho sh -c {exec "$CA_TOOL" plan run -d "$A" "$P" $OP_OPTIONS \
		--pin-fd 8 8< pin}
	expect {
		"second clock say" {}
		eof { exit [lindex [wait] 3] }
		timeout { exit 99 }
	}
	send "\r"
	expect {
		"approve this plan" {}
		timeout { exit 99 }
	}
	expect "Type yes"
	send "yes\r"
	expect {
		"list right" {}
		timeout { exit 99 }
	}
	expect "Type yes"
	send "$env(CA_ANSWER)\r"
	expect eof
	exit [lindex [wait] 3]
	EOF
}

@test "the room says no: the keys are destroyed, nothing was signed" {
	local answer
	pins > pin
	export A P
	for answer in no '' YES ye 'yes no'; do
		rm -rf "$A"
		cp -a "$BASE" "$A"
		{ step_key k; step_subordinate s root-g1 'key: k'; } |
			plan p > "$P"
		run people "$answer"
		[ "$status" -eq 3 ] || {
			echo "'$answer': $status $output"
			return 1
		}
		[[ $output == *destroyed* ]]
		[ "$(token_keys)" = "issuing-g1 journal root-g1" ]
		says 'D("close")[-1]["outcome"] == "refused"'
		says 'len(D("intent")) == 3 and len(D("key-destroyed")) == 1'
		[ ! -e "$A/public/certs/s.pem" ]
	done
	# That plan is used up; another goes.
	run people yes
	[ "$status" -eq 3 ] && [[ $output == *"ran already"* ]]
	sed -i 's/^id: .*/id: q/' "$P"
	run people yes
	[ "$status" -eq 0 ] || { echo "$output"; false; }
	[ -e "$A/public/certs/s.pem" ]
}
