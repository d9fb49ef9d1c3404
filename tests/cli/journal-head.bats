#!/usr/bin/env bats
# The journal's head on the token: a journal or a token that was rolled back,
# swapped or forked is noticed at the next login, nothing is signed, and each
# refusal has a way out.

load ceremony-helper

setup_file() {
	base_authority
}

setup() {
	copy_authority
	export SOFTHSM2_CONF=$BATS_TEST_TMPDIR/softhsm2.conf
}

# list ID: a plan that signs one CRL.
list() {
	step_list "$1" root-g1 | plan "$1" > "$P"
	ca-tool-pin plan run -d "$A" "$P" --yes
}

# refuses PATTERN...: neither a run nor a look at the keys gets past the login.
refuses() {
	run list "refused-$RANDOM"
	refused 3 "$@" "Nothing was signed"
	run ca-tool-pin key list -d "$A"
	refused 3 "$@"
}

recover() { # [LINE...]
	{
		echo "- recover-journal:"
		printf '    %s\n' "why: the disk broke" "$@"
	} | plan "recover-$RANDOM" > "$P"
	ca-tool-pin plan run -d "$A" "$P" --yes
}

adopt() {
	{
		echo "- adopt-token:"
		echo "    serial: $(journal 'D("token")[0]["serial"]')"
		echo "    why: restored from its copy"
	} | plan "adopt-$RANDOM" > "$P"
	ca-tool-pin plan run -d "$A" "$P" --yes
}

token_tool() {
	printf 'directories.tokendir = %s/token/tokens\nobjectstore.backend = file\n' \
		"$A" > "$SOFTHSM2_CONF"
	pkcs11-tool --module "$SOFTHSM" --login --pin "$PIN" "$@"
}

# heads: the data objects of the token.
heads() {
	token_tool --list-objects --type data
}

drop_heads() {
	while heads | grep -q "ca-tool journal head"; do
		token_tool --delete-object --type data \
			--label "ca-tool journal head"
	done
}

# head_text ORIGIN EPOCH SIZE ROOT
head_text() {
	local text
	text=$(printf 'ca-tool head 1\norigin: %s\nepoch: %s\nsize: %s\nroot: %s' "$@")
	printf '%s\nsum: %s\n' "$text" \
		"$(sha256sum <<<"$text" | cut -d' ' -f1)"
}

# put_head FILE [OPTION...]
put_head() {
	local file=$1
	shift
	token_tool --write-object "$file" --type data \
		--label "ca-tool journal head" "${@---private}"
}

fork() {
	cp "$A/journal.db" before.db
	must list one
	cp "$A/journal.db" after.db
}

@test "one private head, of the last entry but itself, after each run" {
	must list one
	run heads
	[ "$(grep -c "ca-tool journal head" <<< "$output")" -eq 1 ]
	[[ $output == *private* ]]
	says 'D("head")[-1]["size"] == len(E) - 1'
	sound
}

@test "a journal from before the last run: rolled back, and the way out" {
	local number
	fork
	number=$(journal 'max(int(d["number"]) for d in D("intent")
		if d["kind"] == "crl")')
	cp before.db "$A/journal.db"
	rm -r "$A"/ceremonies/one-*
	refuses "restored from an older copy" "recover-journal"
	run adopt
	refused 3 "restored from an older copy"
	mv "$A/public/crls" old-crls
	must recover
	says 'D("epoch")[0]["epoch"] == 1'
	says 'D("epoch")[0]["head"]["size"] < D("epoch")[0]["lost"] == 2**20'
	[ "$(head -n 1 "$A/public/journal/checkpoint")" = example.org/test/epoch-1 ]
	must list two
	# A plan of before is checked anew: its approvals count no more.
	[ "$(find "$A/ceremonies" -name 'one-*' | wc -l)" -le 1 ]
	# No number of the lost list comes again.
	says "int(D('intent')[-1]['number']) > $number + 5"
	run recover
	refused 3 "nothing to recover"
	run list one
	[ "$status" -eq 0 ]
}

@test "a journal that went another way: forked, whichever is longer" {
	cp -a "$A/token" token.before
	fork
	cp -a "$A/token" token.after
	cp before.db "$A/journal.db"
	rm -r "$A/token" "$A"/ceremonies/one-* "$A/public/crls"
	cp -a token.before "$A/token"
	must list other
	must list further
	rm -r "$A/token"
	cp -a token.after "$A/token"
	refuses "forked" "recover-journal"
	must recover
	must list again
}

@test "a token from before the last run: restored, and the way out" {
	cp -a "$A/token" token.before
	must list one
	rm -r "$A/token"
	cp -a token.before "$A/token"
	refuses "restored from a copy" "adopt-token"
	run recover
	refused 3 "restored from a copy"
	must adopt
	must list two
	run adopt
	refused 3 "nothing to adopt"
}

@test "a token whose head is gone" {
	must list one
	drop_heads
	refuses "holds no head" "adopt-token"
	must adopt
	must list two
}

@test "a head of another authority, and one that was rewritten" {
	local root size
	size=$(journal 'D("head")[-1]["size"]')
	root=$(journal 'D("head")[-1]["root"]')
	drop_heads
	head_text example.org/other 0 "$size" "$root" > other
	must put_head other
	refuses "another authority"
	run adopt
	refused 3 "another authority"
	run recover
	refused 3 "another authority"
	drop_heads
	head_text example.org/test 0 "$size" "${root//[0-9]/a}" > rewritten
	must put_head rewritten
	refuses "forked"
	drop_heads
	head_text example.org/test 0 "$((size + 1000))" "$root" > longer
	must put_head longer
	refuses "shorter than the token's head"
	drop_heads
	head_text example.org/test 0 "$((size - 3))" "$root" > wrong
	must put_head wrong
	refuses "forked"
	drop_heads
	head_text example.org/test 0 "$size" "$root" > right
	must put_head right
	must list fine
}

@test "a head that is cut off or no head at all does not count" {
	local size root junk
	size=$(journal 'D("head")[-1]["size"]')
	root=$(journal 'D("head")[-1]["root"]')
	head_text example.org/test 0 "$((size + 1000))" "$root" > longer
	for junk in 'head -c 100 longer' 'sed s/epoch:.0/epoch:.1/ longer' \
		'cat longer longer' 'head -c 3000 /dev/zero' 'echo' \
		'sed s/^size:./&0/ longer'; do
		$junk > other
		mv other junk
		must put_head junk
		must ca-tool-pin key list -d "$A"
		[ "$(heads | grep -c "journal head")" -eq 1 ]
	done
	drop_heads
	head -c 100 longer > junk
	must put_head junk
	refuses "holds no head"
}

@test "a public data object, which needs no login, does not count" {
	local root
	root=$(journal 'D("head")[-1]["root"]')
	head_text example.org/test 0 99999 "$root" > longer
	printf 'directories.tokendir = %s/token/tokens\nobjectstore.backend = file\n' \
		"$A" > "$SOFTHSM2_CONF"
	must pkcs11-tool --module "$SOFTHSM" --write-object longer \
		--type data --label "ca-tool journal head"
	must list one
}

@test "disk and token restored together: only a receipt shows it" {
	cp -a "$A" before
	must list one
	cp "$A/public/journal/checkpoint" receipt
	rm -rf "$A"
	cp -a before "$A"
	step_list two root-g1 | plan two > "$P"
	run ca-tool-pin plan run -d "$A" "$P" --yes --receipt receipt
	refused 3 "receipt"
	run recover
	refused 3 "nothing to recover"
	must recover "receipts: [ receipt ]"
	says 'len(D("epoch")[0]["receipts"]) == 1'
	must list two
	# A receipt of before the epoch is still good, one of the lost run is not.
	step_list three root-g1 | plan three > "$P"
	must ca-tool-pin plan run -d "$A" "$P" --yes \
		--receipt before/public/journal/checkpoint
	step_list four root-g1 | plan four > "$P"
	run ca-tool-pin plan run -d "$A" "$P" --yes --receipt receipt
	refused 3 "receipt"
}

# run python over journal.db
meddle() {
	python3 - "$A/journal.db" "$@" <<-'EOF'
	import sqlite3, sys
	with sqlite3.connect(sys.argv[1]) as database:
	    for statement in sys.argv[2:]:
	        database.execute(statement)
	EOF
}

@test "a rollback that is hidden in a derived table" {
	fork
	cp before.db "$A/journal.db"
	rm -r "$A"/ceremonies/one-*
	meddle "UPDATE authority SET epoch = 1, origin = id || '/epoch-1',
		head_epoch = NULL, head_size = NULL, head_root = NULL,
		head_serial = NULL"
	nothing_signed list two
	refused 3 "table 'authority'" "journal verify"
	run ca-tool-pin key list -d "$A"
	refused 3 "table 'authority'"
	must ca-tool journal reindex -d "$A"
	refuses "restored from an older copy"
}

@test "any derived table that differs stops a run before it begins" {
	local change
	for change in "DELETE FROM revocations" \
		"UPDATE objects SET number = number - 1 WHERE kind = 'crl'" \
		"UPDATE authority SET config_sha256 = NULL" \
		"UPDATE sets SET threshold = 9" \
		"INSERT INTO profiles VALUES ('mine', '$(printf '%064d' 0)')" \
		"UPDATE nodes SET hash = zeroblob(32) WHERE level = 1 AND idx = 0" \
		"UPDATE entries SET time = time + 1 WHERE seq = 3"; do
		cp "$BASE/journal.db" "$A/journal.db"
		[[ $change != *revocations* ]] || must run_plan gone \
			<<< "$(step_revoke root-g1 "$(serial "$A/public/certs/issuing-g1.pem")" superseded)"
		meddle "$change"
		nothing_signed list "plan-$RANDOM"
		[ "$status" -eq 3 ]
	done
}

@test "a run in the tail that nobody approved is not gone on with" {
	shim_root
	# The head of the login is below the run's first entry.
	orders 'kill C_CreateObject 2'
	run list one
	[ "$status" -eq 137 ]
	orders
	# As if the run had begun without its approval, tables and all.
	python3 "$BATS_TEST_DIRNAME/../tamper/forge.py" -d "$A" \
		delete "$(journal 'K("approval")[-1]["seq"]')" fix > forge.log 2>&1 ||
		{ cat forge.log; false; }
	must ca-tool journal reindex -d "$A"
	run resume
	refused 3 "operators must have approved, and 0 have"
	nothing_signed list two
}

shim_root() {
	rm -rf "$A"
	shim_authority
	{ step_key root-g1; step_root root-g1; } | plan first > "$P"
	must ca-tool-pin plan run -d "$A" "$P" --yes
}

@test "a receipt that is forged recovers nothing" {
	cp -a "$A" before
	must list one
	sed '2s/.*/99999/' "$A/public/journal/checkpoint" > forged
	rm -rf "$A"
	cp -a before "$A"
	run recover "receipts: [ forged ]"
	refused 3 "RECEIPT|forged"
	says 'len(D("epoch")) == 0'
}

@test "a disk restored in the middle of a run, with a signature made" {
	rm -rf "$A"
	shim_authority
	{ step_key root-g1; step_root root-g1; } | plan first > "$P"
	must ca-tool-pin plan run -d "$A" "$P" --yes
	cp -a "$A" before
	orders 'kill-after C_Sign 1'
	run list one
	[ "$status" -ne 0 ]
	orders
	rm -rf "$A"
	cp -a before "$A"
	refuses "restored from an older copy"
	nothing_signed list two
	must recover
	must list two
}

@test "restored to a state in which a run was open: it ends with the recovery" {
	rm -rf "$A"
	shim_authority
	{ step_key root-g1; step_root root-g1; } | plan first > "$P"
	must ca-tool-pin plan run -d "$A" "$P" --yes
	orders 'kill C_Sign 1'
	run list one
	[ "$status" -ne 0 ]
	orders
	cp "$A/journal.db" open.db
	must resume
	cp open.db "$A/journal.db"
	run resume
	refused 3 "restored from an older copy"
	mv "$A/public/crls" old-crls
	must recover
	says 'len(D("plan")) == len(D("close"))'
	says '{d["outcome"] for d in D("close")} == {"done", "abandoned"}'
	must list two
}

@test "killed in each call that writes a head: never called a rollback" {
	local n order
	rm -rf "$A"
	shim_authority
	{ step_key root-g1; step_root root-g1; } | plan first > "$P"
	must ca-tool-pin plan run -d "$A" "$P" --yes
	for n in 1 2 3; do
		for order in "kill C_CreateObject $n" \
			"kill-after C_CreateObject $n" \
			"kill C_DestroyObject $n" "kill-after C_DestroyObject $n" \
			"fail C_CreateObject $n 0x31"; do
			orders "$order"
			run list "list-$n-${order//[^a-zA-Z]/}"
			[ "$status" -ne 0 ]
			orders
			if [[ $(journal 'len(D("plan")) - len(D("close"))') == 1 ]]; then
				must resume
			else
				must ca-tool-pin key list -d "$A"
				run resume
			fi
		done
	done
	must list last
	sound
}

@test "a token that does not take, or does not show, the head signs nothing" {
	rm -rf "$A"
	shim_authority
	{ step_key root-g1; step_root root-g1; } | plan first > "$P"
	must ca-tool-pin plan run -d "$A" "$P" --yes
	orders 'fail C_CreateObject 1 0x31'
	nothing_signed list one
	refused 4 "does not take"
	# CKA_VALUE of whatever is asked.
	orders 'lie-number CKA_VALUE 0'
	nothing_signed list shown
	refused 3 "holds no head"
	orders 'fail C_CreateObject 2 0x31' \
		"mark $BATS_TEST_TMPDIR/marks"
	run list two
	refused 4 "does not take"
	[ ! -s marks ]
	orders
	must resume
	sound
}
