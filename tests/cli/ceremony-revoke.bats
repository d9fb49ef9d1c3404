#!/usr/bin/env bats
# Revocations and CRLs: what may be revoked, in which form serials may be
# given, and that each CRL says all of it with a higher number.

load ceremony-helper

setup_file() {
	base_authority
}

setup() {
	copy_authority
	SUB=$(serial "$A/public/certs/issuing-g1.pem")
	ROOT=$(serial "$A/public/certs/root-g1.pem")
}

# revoke SERIAL REASON [ISSUER]: into $P
revoke() {
	step_revoke "${3-root-g1}" "$1" "$2" | plan p > "$P"
}

@test "refused: unknown, another issuer's, the root itself, twice" {
	revoke 0a0b superseded
	check_refused SERIAL-UNKNOWN 0a0b
	revoke "$SUB" superseded issuing-g1
	check_refused SERIAL-UNKNOWN
	revoke "$ROOT" keyCompromise
	check_refused REVOKE-ROOT
	{
		step_revoke root-g1 "$SUB" superseded
		step_revoke root-g1 "0${SUB^^}" superseded
	} | plan p > "$P"
	check_refused REVOKED-ALREADY
	must run_plan gone <<< "$(step_revoke root-g1 "$SUB" superseded)"
	revoke "$SUB" keyCompromise
	check_refused REVOKED-ALREADY
}

@test "refused: no hex, zero, too long, negative, empty" {
	local bad
	for bad in xyz 0x0a 'a:b' '0a 0b' '-0a' 0 00 '' 'é' \
		"$(printf 'ab%.0s' {1..21})"; do
		revoke "$bad" superseded
		unchanged ca-tool plan check -d "$A" "$P"
		refused 3 "plan.yaml:[0-9]+:[0-9]+"
	done
}

@test "refused: reasons that are none, on hold, removed, or missing for a CA" {
	local bad
	for bad in certificateHold removeFromCRL cACompromise aACompromise \
		Superseded 4 nonsense ''; do
		revoke "$SUB" "'$bad'"
		unchanged ca-tool plan check -d "$A" "$P"
		refused 3 "plan.yaml:[0-9]+:[0-9]+"
	done
	revoke "$SUB" unspecified
	check_refused CRL-REASON-CA
}

@test "a serial in capitals, with zeros in front, is the same serial" {
	local form
	for form in "${SUB^^}" "00$SUB" "000000${SUB^^}" "0$SUB"; do
		rm -rf "$A"
		cp -a "$BASE" "$A"
		must run_plan p <<-EOF
		$(step_revoke root-g1 "$form" superseded)
		$(step_list l1 root-g1)
		EOF
		[ "$(revoked_on "$A/public/crls/l1.crl")" = \
			"$SUB superseded" ]
		says "D('revoked')[0]['serial'] == '$SUB'"
	done
}

@test "every reason comes out right, the unspecified as none" {
	local n=0 reason text want=''
	for reason in keyCompromise affiliationChanged superseded \
		cessationOfOperation privilegeWithdrawn; do
		n=$((n + 1))
		make_request "r$n"
		step_subordinate "c$n" root-g1 "csr: r$n.csr"
	done | plan five > "$P"
	for n in 1 2 3 4 5; do make_request "r$n"; done
	must ca-tool-pin plan run -d "$A" "$P" --yes
	must run_plan responder <<< "$(step_ocsp o root-g1 'csr: partner.csr')"
	n=0
	{
		for reason in keyCompromise affiliationChanged superseded \
			cessationOfOperation privilegeWithdrawn; do
			n=$((n + 1))
			step_revoke root-g1 \
				"$(serial "$A/public/certs/c$n.pem")" "$reason"
		done
		step_revoke root-g1 "$(serial "$A/public/certs/o.pem")" \
			unspecified
		step_list l1 root-g1
	} | plan p > "$P"
	must ca-tool-pin plan run -d "$A" "$P" --yes
	n=0
	for text in 'key compromise' 'affiliation changed' superseded \
		'cessation of operation' 'privilege withdrawn'; do
		n=$((n + 1))
		want+="$(serial "$A/public/certs/c$n.pem") $text"$'\n'
	done
	want+="$(serial "$A/public/certs/o.pem") -"
	[ "$(revoked_on "$A/public/crls/l1.crl" | sort)" = \
		"$(sort <<< "$want")" ]
	# Ascending, and an absent reason has no extension at all.
	[ "$(openssl crl -in "$A/public/crls/l1.crl" -noout -text |
		grep -c 'CRL Reason Code')" -eq 5 ]
}

@test "a revocation stays on every later CRL, and numbers rise" {
	local i last=1
	must run_plan r <<< "$(step_revoke root-g1 "$SUB" keyCompromise)"
	for i in 2 3 4; do
		must run_plan "p$i" <<< "$(step_list "l$i" root-g1)"
		[ "$(revoked_on "$A/public/crls/l$i.crl")" = \
			"$SUB key compromise" ]
		[ "$(crl_number "$A/public/crls/l$i.crl")" -gt "$last" ]
		last=$(crl_number "$A/public/crls/l$i.crl")
	done
	# Two of one issuer in one plan, and one of another issuer.
	must run_plan p5 <<-EOF
	$(step_list l5 root-g1)
	$(step_list l6 root-g1)
	$(step_list i1 issuing-g1)
	EOF
	[ "$(crl_number "$A/public/crls/l5.crl")" -eq $((last + 1)) ]
	[ "$(crl_number "$A/public/crls/l6.crl")" -eq $((last + 2)) ]
	[ "$(crl_number "$A/public/crls/i1.crl")" -eq 1 ]
	[ "$(revoked_on "$A/public/crls/i1.crl")" = "" ]
	sound
}

@test "a CRL that would not list what its own plan revokes is refused" {
	{
		step_list before root-g1
		step_revoke root-g1 "$SUB" superseded
		step_list after root-g1
	} | plan p > "$P"
	check_refused REVOKE-AFTER-CRL
	# Of another issuer, it may stand there.
	must run_plan q <<-EOF
	$(step_list i1 issuing-g1)
	$(step_revoke root-g1 "$SUB" superseded)
	$(step_list after root-g1)
	EOF
	[ "$(revoked_on "$A/public/crls/i1.crl")" = "" ]
	[ "$(revoked_on "$A/public/crls/after.crl")" = "$SUB superseded" ]
}

@test "a plan that only revokes is journalled once, and signs nothing" {
	local before
	before=$(journal 'len(D("intent"))')
	must run_plan r <<< "$(step_revoke root-g1 "$SUB" superseded)"
	[ "$(journal 'len(D("intent"))')" = "$before" ]
	says 'len(D("revoked")) == 1 and D("revoked")[0]["cause"] == "plan"'
	says 'D("close")[-1]["outcome"] == "done"'
}

@test "a revoked or expired issuer" {
	must run_plan r <<< "$(step_revoke root-g1 "$SUB" keyCompromise)"
	# A revoked CA issues nothing any more; its CRL it still signs.
	step_ocsp o issuing-g1 'csr: partner.csr' | plan p > "$P"
	unchanged ca-tool plan check -d "$A" "$P"
	refused 3 "revoked"
	must run_plan l <<< "$(step_list i1 issuing-g1)"
	step_ocsp o issuing-g1 'csr: partner.csr' | plan p > "$P"
	sed -i "s/until: .*/until: 2099-01-01T00:00:00Z/" "$P"
	unchanged at_time '+1900d' plan run -d "$A" "$P" --yes
	refused 3 "ISSUER-VALID|expired"
}

@test "a serial in quotes with escapes is told, not obeyed" {
	revoke '\e[31m\a' superseded
	unchanged ca-tool plan check -d "$A" "$P"
	refused 3
	step_revoke root-g1 $'\u202e0a' superseded | plan p > "$P"
	run ca-tool plan check -d "$A" "$P"
	refused 3
	never grep -q $'\u202e' <<< "$output"
}
