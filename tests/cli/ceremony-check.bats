#!/usr/bin/env bats
# What a refused plan leaves behind: nothing.  What was checked cannot be
# swapped.  The clock and the window.

load ceremony-helper

setup_file() {
	base_authority
}

setup() {
	copy_authority
}

@test "a plan refused at check or at run leaves no key, file or entry" {
	# Everything but the last step is good.
	{
		step_key fresh-root
		step_root fresh-root
		step_subordinate one fresh-root 'csr: partner.csr'
		step_list fresh-root fresh-root
		step_list other no-such-issuer
	} | plan bad > "$P"
	check_refused ISSUER-MISSING
	unchanged ca-tool plan show -d "$A" "$P"
	unchanged ca-tool-pin plan run -d "$A" "$P" --yes
	refused 3 no-such-issuer
	[ "$(token_keys)" = "issuing-g1 journal root-g1" ]
	# An issuer whose own step is wrong is named once.
	sed -i 's/country: DE/country: XX/' "$P"
	check_refused NAM-COUNTRY-ISO
	[ "$(grep -c 'ISSUER-MISSING' <<< "$output")" -eq 1 ]
}

@test "names that would leave public/ or hide there" {
	local name
	for name in .. . ../x /etc/x .hidden 'a b' A x/ 'x.' \
		"$(printf 'a%.0s' {1..65})"; do
		step_list "'$name'" root-g1 | plan p > "$P"
		check_refused NAME-FORM
		step_key "'$name'" | plan p > "$P"
		check_refused NAME-FORM
	done
	# A token has room for 32 characters.
	step_key "$(printf 'a%.0s' {1..33})" | plan p > "$P"
	check_refused NAME-FORM
	step_key "$(printf 'a%.0s' {1..32})" | plan p > "$P"
	must ca-tool plan show -d "$A" "$P"
}

@test "one name for two objects of a plan; the same for a CRL is fine" {
	{
		step_subordinate one root-g1 'csr: partner.csr'
		step_ocsp one root-g1 'csr: partner.csr'
	} | plan p > "$P"
	check_refused NAME-TAKEN
	{ step_list l root-g1; step_list l issuing-g1; } | plan p > "$P"
	check_refused NAME-TAKEN
	{
		step_subordinate one root-g1 'csr: partner.csr'
		step_list one root-g1
	} | plan p > "$P"
	must ca-tool plan show -d "$A" "$P"
}

@test "a step uses what earlier steps make, never what later ones do" {
	{
		step_root late
		step_key late
	} | plan p > "$P"
	check_refused KEY-MISSING
	{
		step_key late
		step_subordinate one late 'csr: partner.csr'
		step_root late
	} | plan p > "$P"
	check_refused ISSUER-MISSING
}

@test "a plan runs once: by its id, even with other steps" {
	must run_plan again <<< "$(step_list l1 root-g1)"
	step_list l2 root-g1 | plan again > "$P"
	check_refused PLAN-ONCE
	unchanged ca-tool-pin plan run -d "$A" "$P" --yes
	refused 3 PLAN-ONCE again
	# Nor does the directory of the run that was.
	unchanged ca-tool-pin plan run -d "$A" "$A"/ceremonies/again-* --yes
	refused 3 again
}

@test "two checked plans of one id: the first to run is the only one" {
	local one two
	step_list l1 root-g1 | plan same > "$P"
	one=$(keep)
	step_list l2 root-g1 | plan same > "$P"
	two=$(keep)
	[ "$one" != "$two" ]
	must ca-tool-pin plan run -d "$A" "$A/ceremonies/$one" --yes
	unchanged ca-tool-pin plan run -d "$A" "$A/ceremonies/$two" --yes
	refused 3 PLAN-ONCE
	[ -e "$A/public/crls/l1.crl" ] && [ ! -e "$A/public/crls/l2.crl" ]
}

@test "each kept input, once changed, refuses the run and is named" {
	local kept file saved
	{
		step_subordinate one root-g1 'csr: partner.csr'
		step_list l1 root-g1
	} | plan p > "$P"
	kept=$A/ceremonies/$(keep)
	[ "$(find "$kept/inputs" -type f | wc -l)" -eq 5 ]
	for file in "$kept"/inputs/*; do
		saved=$(mktemp -p "$BATS_TEST_TMPDIR")
		cp "$file" "$saved"
		echo '# a line more' >> "$file"
		unchanged ca-tool-pin plan run -d "$A" "$kept" --yes
		refused 3 "$(basename "$file")" "changed"
		rm "$file"
		unchanged ca-tool-pin plan run -d "$A" "$kept" --yes
		refused "$status" "$(basename "$file")"
		# The right content behind a link is not the file that was kept.
		ln -s "$saved" "$file"
		unchanged ca-tool-pin plan run -d "$A" "$kept" --yes
		refused "$status" "$(basename "$file")"
		rm "$file"
		cp "$saved" "$file"
	done
	must ca-tool-pin plan run -d "$A" "$kept" --yes
}

@test "another request of the same length, swapped in place, is noticed" {
	local kept
	step_subordinate one root-g1 'csr: partner.csr' | plan p > "$P"
	kept=$A/ceremonies/$(keep)
	make_request attacker
	cp attacker.csr "$kept"/inputs/*partner.csr
	unchanged ca-tool-pin plan run -d "$A" "$kept" --yes
	refused 3 "partner.csr"
}

@test "the plan's own files may change after the check: the copies count" {
	local kept
	step_subordinate one root-g1 'csr: partner.csr' | plan p > "$P"
	kept=$A/ceremonies/$(keep)
	cp partner.key right.key
	make_request partner # another key in the plan's own directory
	echo garbage > "$P"
	must ca-tool-pin plan run -d "$A" "$kept" --yes
	[ "$(openssl pkey -in right.key -pubout)" = \
		"$(openssl x509 -in "$A/public/certs/one.pem" -noout -pubkey)" ]
}

@test "a manifest that was edited, and a directory that was renamed" {
	local kept
	step_list l1 root-g1 | plan p > "$P"
	kept=$A/ceremonies/$(keep)
	sed -i 's/"title": "/"title": "Another /' "$kept/manifest.json"
	unchanged ca-tool-pin plan run -d "$A" "$kept" --yes
	refused 3 "manifest" "$(basename "$kept")"
	sed -i 's/"title": "Another /"title": "/' "$kept/manifest.json"
	mv "$kept" "$A/ceremonies/p-00000000"
	unchanged ca-tool-pin plan run -d "$A" "$A/ceremonies/p-00000000" --yes
	refused 3 "manifest" "p-00000000"
	mv "$A/ceremonies/p-00000000" "$kept"
	: > "$kept/manifest.json"
	unchanged ca-tool-pin plan run -d "$A" "$kept" --yes
	refused 3 "manifest"
	rm "$kept/manifest.json"
	unchanged ca-tool-pin plan run -d "$A" "$kept" --yes
	refused "$status" "manifest.json"
}

# forge DIR PYTHON: edit the manifest m of a kept plan and give the directory
# the name that goes with it, as somebody with a shell here could; prints it.
forge() {
	python3 - "$1" "$2" <<-'EOF'
	import hashlib, json, os, sys
	old = sys.argv[1]
	path = old + "/manifest.json"
	m = json.load(open(path))
	exec(sys.argv[2])
	text = json.dumps(m, indent=1) + "\n"
	open(path, "w").write(text)
	new = "%s-%s" % (old.rsplit("-", 1)[0],
	                 hashlib.sha256(text.encode()).hexdigest()[:8])
	os.rename(old, new)
	print(new)
	EOF
}

@test "a forged manifest: other plan, window, authority, journal, paths" {
	local kept forged edit
	step_list l1 root-g1 | plan p > "$P"
	kept=$A/ceremonies/$(keep)
	cp -a "$kept" saved
	for edit in \
		'm["authority"] = "example.org/other"' \
		'm["genesis"] = "0" * 64' \
		'm["journal"]["root"] = "0" * 64' \
		'm["journal"]["size"] += 1000' \
		'm["format"] = "ca-tool-manifest-9"' \
		'm["plan"] = "another"' \
		'm["title"] = "another"' \
		'm["window"]["until"] = "2099-01-01T00:00:00Z"' \
		'm["module"]["sha256"] = "0" * 64' \
		'm["inputs"][0]["file"] = "../inputs/plan.yaml"' \
		'm["inputs"] = m["inputs"][1:]' \
		'm["inputs"].append(m["inputs"][0])' \
		'm["extra"] = 1'; do
		rm -rf "$A"/ceremonies/p-*
		cp -a saved "$kept"
		forged=$(forge "$kept" "$edit")
		unchanged ca-tool-pin plan run -d "$A" "$forged" --yes || {
			echo "with $edit"
			return 1
		}
		refused 3 "manifest|journal|plan"
	done
}

@test "a plan checked in another authority does not run here" {
	local B=$BATS_TEST_TMPDIR/other kept
	make_authority "$B"
	step_key k | plan p > "$P"
	kept=$(A=$B keep)
	cp -a "$B/ceremonies/$kept" "$A/ceremonies/"
	# Both have the same id here, but not the same beginning.
	unchanged ca-tool-pin plan run -d "$A" "$A/ceremonies/$kept" --yes
	refused 3 "another authority"
}

@test "checking again mends what was kept, or says that it cannot" {
	local kept
	step_list l1 root-g1 | plan p > "$P"
	kept=$A/ceremonies/$(keep)
	echo '# a line more' >> "$kept/inputs/plan.yaml"
	run ca-tool plan check -d "$A" "$P"
	[ "$status" -ne 0 ] ||
		must ca-tool-pin plan run -d "$A" "$kept" --yes
}

@test "a profile that was changed is refused; what was checked counts" {
	local kept
	step_subordinate one root-g1 'csr: partner.csr' | plan p > "$P"
	kept=$A/ceremonies/$(keep)
	sed -i 's/max: 3652d/max: 9999d/' "$A/profiles/issuing-ca.yaml"
	check_refused PROFILE-PINNED issuing-ca
	unchanged ca-tool-pin plan run -d "$A" "$P" --yes
	refused 3 PROFILE-PINNED
	# One that the journal has never recorded, too.
	sed 's/id: issuing-ca/id: mine/' "$BASE/profiles/issuing-ca.yaml" \
		> "$A/profiles/mine.yaml"
	sed -i 's/profile: issuing-ca/profile: mine/' "$P"
	check_refused PROFILE-PINNED mine
	# The kept copy is the recorded one, whatever lies in profiles/.
	must ca-tool-pin plan run -d "$A" "$kept" --yes
}

@test "a forged copy of a profile does not get in by a forged manifest" {
	local kept forged
	step_subordinate one root-g1 'csr: partner.csr' | plan p > "$P"
	kept=$A/ceremonies/$(keep)
	sed -i 's/purposes: .*/purposes: [code-signing]/' \
		"$kept"/inputs/*issuing-ca*
	# shellcheck disable=SC2016
	forged=$(forge "$kept" 'for i in m["inputs"]:
    i["sha256"] = hashlib.sha256(
        open(old + "/inputs/" + i["file"], "rb").read()).hexdigest()')
	unchanged ca-tool-pin plan run -d "$A" "$forged" --yes
	refused 3 PROFILE-PINNED issuing-ca
}

@test "authority.yaml that was changed is refused, and named" {
	local kept
	step_list l1 root-g1 | plan p > "$P"
	kept=$A/ceremonies/$(keep)
	cp "$A/authority.yaml" saved
	sed -i 's/crl.example.org/crl.attacker.example/' "$A/authority.yaml"
	unchanged ca-tool-pin plan run -d "$A" "$kept" --yes
	refused 3 authority.yaml
	unchanged ca-tool plan check -d "$A" "$P"
	refused 3 authority.yaml
	cp saved "$A/authority.yaml"
	must ca-tool-pin plan run -d "$A" "$kept" --yes
}

@test "the module that was checked is the module that runs" {
	local kept
	cp "$PKCS11_SHIM" module.so
	rm -rf "$A"
	shim_authority "$BATS_TEST_TMPDIR/module.so"
	{ step_key root-g1; step_root root-g1; } | plan p > "$P"
	kept=$A/ceremonies/$(keep)
	echo more >> module.so
	nothing_signed ca-tool-pin plan run -d "$A" "$kept" --yes
	refused "$status" module
	cp "$PKCS11_SHIM" module.so
	must ca-tool-pin plan run -d "$A" "$kept" --yes
}

@test "a journal put back to an older state refuses what it knew" {
	local kept
	cp "$A/journal.db" old.db
	must run_plan between <<< "$(step_list l1 root-g1)"
	step_list l2 root-g1 | plan p > "$P"
	kept=$A/ceremonies/$(keep)
	cp old.db "$A/journal.db"
	unchanged ca-tool-pin plan run -d "$A" "$kept" --yes
	refused 3 "journal"
}

@test "before the journal's last entry nothing runs" {
	must run_plan one <<< "$(step_list l1 root-g1)"
	step_key k | plan p > "$P"
	unchanged at_time -1h plan run -d "$A" "$P" --yes
	refused 3 "clock" "last entry"
	must ca-tool-pin plan run -d "$A" "$P" --yes
}

@test "before and behind its window nothing runs" {
	step_key k | plan p > "$P"
	sed -i "s/from: .*/from: $(when '+1 day')/" "$P"
	must ca-tool plan check -d "$A" "$P" # to be ready for it
	unchanged ca-tool-pin plan run -d "$A" "$P" --yes
	refused 3 "window begins"
	unchanged at_time +8d plan run -d "$A" "$P" --yes
	refused 3 "window"
	unchanged at_time +8d plan run -d "$A" "$A"/ceremonies/p-* --yes
	refused 3 "window"
	must at_time +2d plan run -d "$A" "$P" --yes
}

@test "a check before the window is as of its beginning" {
	# The root ends 7305 days after it began: a CA that fits today does not
	# fit in a week.
	step_subordinate one root-g1 'csr: partner.csr' 'One' 3652d |
		plan p > "$P"
	sed -i -e "s/from: .*/from: $(when '+3654 days')/" \
		-e "s/until: .*/until: $(when '+3660 days')/" "$P"
	check_refused FLD-TIME-NESTED
	sed -i "s/3652d/3600d/" "$P"
	must ca-tool plan show -d "$A" "$P"
}
