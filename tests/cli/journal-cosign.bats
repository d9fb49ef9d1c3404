#!/usr/bin/env bats
# journal cosign: a witness signs what grew from what it saw, and nothing else.

load ceremony-helper

PHRASE=passphrase-of-wendy

setup_file() {
	base_authority
	openssl genpkey -algorithm ed25519 -aes256 -pass "pass:$PHRASE" \
		-out "$BATS_FILE_TMPDIR/wendy.pem"
}

# What a witness has: a key, and the anchor, taken away after init.
setup() {
	copy_authority
	mkdir kept mine
	cp "$A"/public/anchor/{anchor.txt,journal-key.pem} kept
	cp "$BATS_FILE_TMPDIR/wendy.pem" mine
	cp "$A/public/journal/checkpoint" first
}

# cosign FILE [OPTION...]: by wendy.
cosign() {
	ca-tool journal cosign "$@" --key mine/wendy.pem \
		--name example.org/wendy --state mine/state \
		--anchor kept/anchor.txt --passphrase-fd wendy=8 \
		8< <(yes "$PHRASE" 2> /dev/null)
}

# grow ID: one run more, in $A.
grow() {
	{ step_key "$1"; step_root "$1"; } > steps
	must run_plan "$1" < steps
}

# size CHECKPOINT
size() {
	sed -n 2p "$1"
}

# request OLD NEW: what takes the journal from one checkpoint to the other.
request() {
	rm -f request
	must ca-tool journal prove -d "$A" --old "$1" --checkpoint "$2" \
		--out request
}

# What is in mine/, but for the lock of the state.
mine() {
	snapshot mine | grep -v ' \./state\.lock$'
}

# unsigned COMMAND...: it fails, nothing is given out, the state stays.
unsigned() {
	local before after
	before=$(mine)
	run "$@" --out mine/cosigned
	[ "$status" -ne 0 ]
	after=$(mine)
	[ "$before" = "$after" ] || {
		echo "something changed: $output"
		diff <(echo "$before") <(echo "$after")
		return 1
	}
}

# A state that holds the first checkpoint.
see_first() {
	must cosign first --out seen
}

# cosignature NOTE: time in cosignature.time, bytes in signature, key in
# public.pem, what was signed in signed; from the note's last line.
take_cosignature() {
	python3 - "$1" <<-'EOF'
	import base64, sys
	note = open(sys.argv[1], "rb").read()
	text, lines = note.rsplit(b"\n\n", 1)
	blob = base64.b64decode(lines.splitlines()[-1].split(b" ")[2])
	time = int.from_bytes(blob[4:12], "big")
	open("signature", "wb").write(blob[12:])
	open("signed", "wb").write(b"cosignature/v1\ntime %d\n" % time +
	                           text + b"\n")
	open("time", "w").write(str(time))
	EOF
}

@test "first: the checkpoint as it is and one line, which openssl verifies" {
	local now vkey
	ca-tool journal cosign first --key mine/wendy.pem \
		--name example.org/wendy --state mine/state \
		--anchor kept/anchor.txt --passphrase-fd wendy=8 \
		8<<< "$PHRASE" > cosigned 2> chat
	cmp <(head -n -1 cosigned) first
	[ "$(tail -n 1 cosigned | cut -d ' ' -f 2)" = example.org/wendy ]
	grep -q 'had seen nothing' chat
	take_cosignature cosigned
	now=$(date +%s)
	[ "$(cat time)" -le "$now" ] && [ "$(cat time)" -gt $((now - 300)) ]
	openssl pkey -in mine/wendy.pem -passin "pass:$PHRASE" -pubout \
		-out public.pem
	openssl pkeyutl -verify -rawin -pubin -inkey public.pem \
		-sigfile signature -in signed
	# The key, as others will read it.
	vkey=$(grep '^example.org/wendy+' chat)
	python3 - "$vkey" <<-'EOF'
	import base64, hashlib, subprocess, sys
	name, key_id, key = sys.argv[1].split("+", 2)
	key = base64.b64decode(key)
	der = subprocess.run(["openssl", "pkey", "-pubin", "-in", "public.pem",
	                      "-outform", "DER"], capture_output=True).stdout
	assert key == b"\x04" + der[-32:]
	assert hashlib.sha256(name.encode() + b"\n" + key).hexdigest()[:8] == key_id
	EOF
	[ "$(stat -c %a mine/state)" = 600 ]
}

@test "growth: with a proof from what was seen, again and again" {
	local i
	see_first
	cp first last
	for i in second third; do
		grow "$i"
		request last "$A/public/journal/checkpoint"
		must cosign request --out "cosigned-$i"
		cmp <(head -n -1 "cosigned-$i") "$A/public/journal/checkpoint"
		[[ $output == *"grown from $(size last)"* ]]
		cp "$A/public/journal/checkpoint" last
		grep -qx "size: $(size last)" mine/state
	done
}

@test "the same checkpoint again, and one that is cosigned by another" {
	see_first
	must cosign first --out again
	cmp <(head -n -1 again) first
	unsigned cosign again
	refused 3 "carries a cosignature of 'example.org/wendy' already"
	openssl genpkey -algorithm ed25519 -out other.pem
	must ca-tool journal cosign again --key other.pem --name other \
		--state other.state --anchor kept/anchor.txt --out both
	cmp <(head -n -1 both) again
	[[ $output == *"COSIGN-KEY-PLAIN"* ]]
	[[ $output != *"$PHRASE"* ]]
	# Whoever has both keys finds both.
	{ cosign first --json; ca-tool journal cosign first --key other.pem \
		--name other --state other.state --anchor kept/anchor.txt \
		--json; } |
		python3 -c 'import json, sys
text, at = sys.stdin.read(), 0
while at < len(text.rstrip()):
    report, n = json.JSONDecoder().raw_decode(text[at:].lstrip())
    at = len(text) - len(text[at:].lstrip()) + n
    print(report["witness"])' > witnesses
	[ "$(wc -l < witnesses)" -eq 2 ]
	[ "$(cut -d + -f 1 witnesses | paste -sd ' ')" = \
		"example.org/wendy other" ]
	must ca-tool journal check both --anchor kept/anchor.txt \
		--witnesses witnesses --json
	[ "$(python3 -c 'import json, sys
print(*sorted(c["name"] for c in json.loads(sys.argv[1])["cosigned"]))' \
		"$output")" = "example.org/wendy other" ]
	# One bit of a cosignature, and it is not taken.
	python3 -c 'import base64
head, line = open("both").read().rstrip("\n").rsplit(" ", 1)
octets = bytearray(base64.b64decode(line))
octets[-1] ^= 1
open("bad", "w").write(head + " " + base64.b64encode(octets).decode() + "\n")'
	run ca-tool journal check bad --anchor kept/anchor.txt \
		--witnesses witnesses
	refused 3 "the signature of 'other' is wrong"
}

@test "a cosigned checkpoint is a receipt like any other" {
	see_first
	grow second
	{ step_key third; step_root third; } | plan third > third.yaml
	must ca-tool-pin plan run -d "$A" third.yaml --yes --receipt seen
}

@test "without a proof, or with one that begins elsewhere: refused" {
	grow second
	cp "$A/public/journal/checkpoint" second
	grow third
	request second "$A/public/journal/checkpoint"
	unsigned cosign request
	refused 3 "there is no state file"
	see_first
	unsigned cosign request
	refused 3 "prove --old $(size first)"
	unsigned cosign second
	refused 3 "it needs the proof" "prove --old $(size first)"
	must ca-tool journal prove -d "$A" --entry 3 --out inclusion
	unsigned cosign inclusion
	refused 3 "prove --old"
}

@test "rolled back: the disk of before, and an old checkpoint" {
	see_first
	grow second
	cp "$A/public/journal/checkpoint" second
	request first second
	must cosign request --out cosigned
	unsigned cosign first
	refused 3 "the journal was rolled back" "tell the auditors"
}

@test "forked: two histories after what was seen" {
	local B=$BATS_TEST_TMPDIR/fork
	see_first
	cp -a "$A" "$B"
	grow second
	cp "$A/public/journal/checkpoint" mine-2
	request first mine-2
	must cosign request --out cosigned
	# The copy, token and all, goes on by itself.
	A=$B grow other
	cp "$B/public/journal/checkpoint" theirs
	[ "$(size theirs)" = "$(size mine-2)" ]
	unsigned cosign theirs
	refused 3 "was forked" "Keep this checkpoint"
	# It grows beyond, and proves growth of its own.
	A=$B grow more
	cp "$B/public/journal/checkpoint" theirs
	A=$B request "$(size mine-2)" theirs
	unsigned cosign request
	refused 3 "was forked"
}

@test "the anchor of another authority, or with another key: refused" {
	ca-tool init other-authority --id example.org/other "${SET[@]}" \
		--ca-issuers-url 'http://ca.example.org/{issuer}.der' \
		--crl-url 'http://crl.example.org/{issuer}.crl' "${OPS[@]}" \
		--pin-fd 8 --so-pin-fd 9 8< <(pins) 9<<< "$SO_PIN"
	cp other-authority/public/anchor/* kept
	unsigned cosign first
	refused 3 "is of the journal 'example.org/test'"
	cp "$A/public/anchor/anchor.txt" kept
	unsigned cosign first
	refused 3 "journal-key.pem' is not the key that"
	rm kept/journal-key.pem
	unsigned cosign first
	refused 3 "journal-key.pem"
	rm kept/anchor.txt
	unsigned cosign first
	refused 3 "anchor.txt"
}

@test "a forged checkpoint: refused" {
	sed '2s/.*/4/' first > forged
	unsigned cosign forged
	refused 3 "the signature of 'example.org/test' is wrong"
	sed '$d' first > bare
	unsigned cosign bare
	refused 3 "malformed"
}

@test "the state file altered: nothing is signed" {
	see_first
	grow second
	request first "$A/public/journal/checkpoint"
	sed -i "s/^size: .*/size: 3/" mine/state
	unsigned cosign request
	refused 3 "state' was changed or is damaged" "nothing is signed"
	: > mine/state
	unsigned cosign request
	refused 3 "was changed or is damaged"
}

@test "the state cannot be written: nothing is signed" {
	can_mount || skip "mounts are not allowed here"
	see_first
	grow second
	request first "$A/public/journal/checkpoint"
	local before
	before=$(mine)
	cat > cosign-to <<-EOF
	#!/bin/sh
	exec setsid -w "$CA_TOOL" journal cosign request --key mine/wendy.pem \
		--name example.org/wendy --state mine/state \
		--anchor kept/anchor.txt --passphrase-fd wendy=8 --out "\$1" \
		8< phrase
	EOF
	chmod +x cosign-to
	echo "$PHRASE" > phrase
	run read_only mine ./cosign-to cosigned
	[ "$status" -ne 0 ]
	[[ $output == *"state"* ]]
	[ ! -e cosigned ]
	[ "$before" = "$(mine)" ]
	must ./cosign-to cosigned
}

@test "the cosignature cannot be written: the checkpoint alone gets it later" {
	echo kept > mine/cosigned
	unsigned cosign first
	refused 3 "is there already, and is not overwritten"
	run cosign first --out nowhere/cosigned
	refused 3 "nowhere"
	[ ! -e mine/state ]
	# Cut off between the state and the cosignature.
	grow second
	see_first
	request first "$A/public/journal/checkpoint"
	never cosign request > /dev/full
	run cosign request --out y
	refused 3 "has seen a checkpoint of .* entries already" \
		"give the checkpoint alone"
	must cosign "$A/public/journal/checkpoint" --out y
}

@test "passphrases: wrong, of somebody else, and none" {
	run ca-tool journal cosign first --key mine/wendy.pem \
		--name example.org/wendy --state mine/state \
		--anchor kept/anchor.txt --passphrase-fd wendy=8 8<<< wrong
	refused 4 "passphrase of key file 'mine/wendy.pem' is wrong"
	run ca-tool journal cosign first --key mine/wendy.pem \
		--name example.org/wendy --state mine/state \
		--anchor kept/anchor.txt --passphrase-fd bob=8 8<<< "$PHRASE"
	refused 2 "--passphrase-fd wendy=N"
	run ca-tool journal cosign first --key mine/wendy.pem \
		--name example.org/wendy --state mine/state \
		--anchor kept/anchor.txt
	refused 4 "there is no terminal to ask wendy for the passphrase"
	[ ! -e mine/state ]
}

# Python's pty: what is typed is not shown.
@test "on a terminal the passphrase is asked for, and again when it is wrong" {
	python3 - "$CA_TOOL" "$PHRASE" <<-'EOF'
	import os, pty, sys
	tool, phrase = sys.argv[1:]
	pid, fd = pty.fork()
	if pid == 0:
	    os.execv(tool, [tool, "journal", "cosign", "first", "--key",
	                    "mine/wendy.pem", "--name", "example.org/wendy",
	                    "--state", "mine/state", "--anchor",
	                    "kept/anchor.txt", "--out", "cosigned"])
	seen = b""
	def wait(part):
	    global seen
	    at = len(seen)
	    while part not in seen[at:]:
	        seen += os.read(fd, 4096)
	wait(b"wendy: passphrase of 'mine/wendy.pem': ")
	os.write(fd, b"wrong-one\n")
	wait(b"wendy: passphrase of 'mine/wendy.pem': ")
	os.write(fd, phrase.encode() + b"\n")
	wait(b"example.org/wendy+")
	try:
	    while True:
	        seen += os.read(fd, 4096)
	except OSError:
	    pass
	assert os.waitpid(pid, 0)[1] == 0, seen
	assert phrase.encode() not in seen and b"wrong-one" not in seen, seen
	EOF
	cmp <(head -n -1 cosigned) first
}

@test "keys of other types are refused, with how to make one" {
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 \
		-out mine/wendy.pem
	unsigned cosign first
	refused 4 "key of another type" "genpkey -algorithm ed25519 -aes256"
	cp "$OPERATORS/op.sign.crt" mine/wendy.pem
	unsigned cosign first
	refused 4 "no private key" "genpkey -algorithm ed25519 -aes256"
}

@test "names, and options that are missing" {
	local option args
	for option in key name state anchor; do
		args=(--key mine/wendy.pem --name wendy --state mine/state
			--anchor kept/anchor.txt)
		for i in 0 2 4 6; do
			if [ "${args[i]}" = "--$option" ]; then
				unset "args[$i]" "args[$((i + 1))]"
				break
			fi
		done
		run ca-tool journal cosign first "${args[@]}"
		refused 2 "'--$option' is missing"
	done
	for name in 'a b' 'a+b' example.org/test; do
		run ca-tool journal cosign first --key mine/wendy.pem \
			--name "$name" --state mine/state \
			--anchor kept/anchor.txt
		refused 2 "name"
	done
	[ ! -e mine/state ]
}

@test "JSON: what was signed, by whom, and from where it grew" {
	see_first
	grow second
	request first "$A/public/journal/checkpoint"
	cosign request --json --out cosigned > report
	python3 - "$(size first)" <<-'EOF'
	import json, sys
	report = json.load(open("report"))
	note = open("cosigned").read()
	assert report["ok"] and report["checkpoint"] == note
	assert report["origin"] == "example.org/test" == note.split("\n")[0]
	assert str(report["size"]) == note.split("\n")[1]
	assert report["old_size"] == int(sys.argv[1]) < report["size"]
	assert report["witness"].startswith("example.org/wendy+")
	assert report["out"] == "cosigned" and len(report["root"]) == 64
	EOF
}
