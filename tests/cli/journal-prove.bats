#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031 # each test has its own $A
# journal prove and journal check: what is proved, and what is forged.

load ceremony-helper

# One authority with an older and a newer checkpoint, and another with the same
# id and another key.
setup_file() {
	base_authority
	A=$BASE
	cp "$A/public/journal/checkpoint" "$BATS_FILE_TMPDIR/older"
	{
		step_list second root-g1
		step_csr wish issuing-g1
	} > "$BATS_FILE_TMPDIR/steps"
	must run_plan second < "$BATS_FILE_TMPDIR/steps"
	make_authority "$BATS_FILE_TMPDIR/other"
	A=$BATS_FILE_TMPDIR/other
	step_key root-g1 > "$BATS_FILE_TMPDIR/steps"
	must run_plan other < "$BATS_FILE_TMPDIR/steps"
}

# What an auditor has: the anchor and some files, and nothing else.
setup() {
	A=$BASE
	OTHER=$BATS_FILE_TMPDIR/other
	cd "$BATS_TEST_TMPDIR" || return
	cp -r "$A/public/anchor" anchor
	cp -r "$OTHER/public/anchor" other-anchor
	cp "$BATS_FILE_TMPDIR/older" older
	cp "$A/public/journal/checkpoint" newer
	cp "$A/public/certs/root-g1.der" "$A/public/certs/root-g1.pem" \
		"$A/public/certs/issuing-g1.der" .
	cp "$A/public/certs/root-g1.tlog-proof" proof
	cp "$A/public/crls/second.crl" "$A/public/crls/second.tlog-proof" .
}

prove() {
	ca-tool journal prove -d "$A" "$@"
}

check() {
	ca-tool journal check --anchor anchor/anchor.txt "$@"
}

# edit PYTHON IN OUT: a copy whose lines, in the list L, were worked on.
edit() {
	python3 -c '
import sys
L = open(sys.argv[2], encoding="utf-8", newline="").read().split("\n")
exec(sys.argv[1])
open(sys.argv[3], "w", encoding="utf-8", newline="").write("\n".join(L))
' "$@"
}

# make_note KEY NAME SIZE ROOT: a checkpoint that KEY (PEM) has signed.
make_note() {
	python3 - "$@" <<-'EOF'
	import base64, hashlib, subprocess, sys
	key, name, size, root = sys.argv[1:]
	text = f"{name}\n{size}\n{root}\n"
	def openssl(*args, data=None):
	    return subprocess.run(("openssl",) + args, input=data, check=True,
	                          capture_output=True).stdout
	spki = openssl("pkey", "-in", key, "-pubout", "-outform", "DER")
	sig = openssl("dgst", "-sha256", "-sign", key, data=text.encode())
	line = base64.b64encode(hashlib.sha256(spki).digest()[:4] + sig)
	sys.stdout.reconfigure(encoding="utf-8")
	print(f"{text}\n\u2014 {name} {line.decode()}")
	EOF
}

attacker() {
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 \
		-out attacker.pem 2> /dev/null
}

# refuses FILE [OPTION...]: not proved; where the first line is another, the
# options do not fit what the file then is.
refuses() {
	run check "$@"
	if [ "$status" -eq 2 ]; then
		refused 2 "option '--(old|object)' goes with"
	else
		refused 3 "ca-tool: "
	fi
}

# ---- what holds -----------------------------------------------------------

@test "certificate, CRL and request: proved from the file, DER or PEM" {
	local file
	for file in certs/root-g1.der certs/root-g1.pem certs/issuing-g1.der \
		crls/second.crl crls/root-g1.pem csrs/wish.csr; do
		rm -f made
		must prove --object "$A/public/$file" --out made
		must check made --object "$A/public/$file"
		[[ $output == "Proved:"*"entry"* ]]
		[[ $output == *"example.org/test"* ]]
		[[ $output == *"$(sed -n 2p newer) entries"* ]]
		[[ $output == *"result"* ]]
	done
}

@test "the proofs that a run publishes hold for their objects" {
	local file
	for file in "$A"/public/certs/*.der "$A"/public/crls/*.crl; do
		must check "${file%.*}.tlog-proof" --object "$file"
	done
	must check proof --object root-g1.der --json
	python3 - "$output" <<-'EOF'
	import hashlib, json, sys
	report = json.loads(sys.argv[1])
	assert report["ok"] is True and report["proves"] == "entry"
	assert report["authority"] == "example.org/test"
	digest = hashlib.sha256(open("root-g1.der", "rb").read()).hexdigest()
	assert report["entry"]["data"]["sha256"] == digest
	assert report["entry"]["data"]["name"] == "root-g1"
	assert report["checkpoint"]["origin"] == "example.org/test"
	EOF
}

@test "every entry that the checkpoint covers can be proved, the next not" {
	local size seq
	size=$(sed -n 2p newer)
	for ((seq = 0; seq < size; seq++)); do
		prove --entry "$seq" > made
		check made > said
		grep -q "entry $seq is in the journal" said
	done
	run prove --entry "$size"
	refused 3 "entry $size came after the checkpoint"
	# The older one covers fewer.
	must prove --entry 3 --checkpoint older --out early
	must check early --checkpoint older
	run prove --entry "$((size - 1))" --checkpoint older
	refused 3 "came after the checkpoint"
}

@test "an inclusion proof is what RFC 6962 says, without ca-tool" {
	local seq
	for seq in 0 1 7 20 31 "$(($(sed -n 2p newer) - 1))"; do
		prove --entry "$seq" > made
		python3 - made "$seq" "$A/journal.db" <<-'EOF'
		import base64, hashlib, sqlite3, sys
		H = lambda *parts: hashlib.sha256(b"".join(parts)).digest()
		head, note = open(sys.argv[1]).read().split("\n\n", 1)
		first, extra, index, *path = head.split("\n")
		entry = base64.b64decode(extra.removeprefix("extra "))
		body, = sqlite3.connect(sys.argv[3]).execute(
		    "SELECT body FROM entries WHERE seq = ?",
		    (sys.argv[2],)).fetchone()
		assert first == "c2sp.org/tlog-proof@v1" and body == entry
		assert index == "index " + sys.argv[2]
		path = [base64.b64decode(line) for line in path]
		size, root = note.split("\n")[1:3]
		def climb(m, n):
		    if n == 1:
		        return H(b"\0", entry)
		    k = 1
		    while 2 * k < n:
		        k *= 2
		    sibling = path.pop()
		    if m < k:
		        return H(b"\1", climb(m, k), sibling)
		    return H(b"\1", sibling, climb(m - k, n - k))
		assert climb(int(sys.argv[2]), int(size)) == base64.b64decode(root)
		assert path == []
		EOF
	done
}

@test "the check in docs/journal.md takes a proof, and no altered one" {
	sed -n '/^The inclusion proof without ca-tool/,/^## /s/^    //p' \
		"$BATS_TEST_DIRNAME/../../docs/journal.md" > check.py
	grep -q hashlib check.py
	must python3 check.py proof
	[[ $output == "example.org/test "*'"name":"root-g1"'* ]]
	edit 'L[2] = "index 7"' proof bad
	never python3 check.py bad 2> /dev/null
	edit 'L[4] = L[3]' proof bad
	never python3 check.py bad 2> /dev/null
}

@test "proving changes nothing, needs no authority.yaml, and is repeatable" {
	cp -a "$BASE" copy
	A=$PWD/copy
	rm "$A/authority.yaml"
	snapshot "$A" > before
	must prove --entry 5 --out first
	must prove --entry 5 --out first
	prove --entry 5 | cmp - first
	must prove --entry 5 --json
	python3 -c 'import json, sys
report = json.loads(sys.argv[1])
assert report["proof"] == open("first").read() and report["entry"] == 5' "$output"
	snapshot "$A" | diff before -
	# Without the published checkpoint, the journal's own newest one.
	rm "$A/public/journal/checkpoint"
	prove --entry 5 | cmp - first
	run prove --entry 6 --out first
	refused 3 "first"
	prove --entry 5 | cmp - first
}

# ---- without an anchor ----------------------------------------------------

@test "without an anchor nothing is proved, and that is said" {
	local file
	for file in proof newer; do
		run ca-tool journal check "$file"
		refused 3 "^Not checked whose journal" "nothing is proved" \
			"--anchor"
	done
	prove --old older > growth
	run ca-tool journal check growth --old older
	refused 3 "^Not checked whose journal" "nothing is proved"
	run ca-tool journal check proof --object root-g1.der --json
	[ "$status" -eq 3 ]
	run --separate-stderr ca-tool journal check proof --json
	python3 -c 'import json, sys
report = json.loads(sys.argv[1])
assert report["ok"] is False and report["authority"] is None' "$output"
	# A journal that anybody made is not taken for ours.
	run ca-tool journal check "$OTHER/public/journal/checkpoint"
	refused 3 "nothing is proved"
}

# ---- objects --------------------------------------------------------------

@test "another object, another entry, no object" {
	run check proof --object issuing-g1.der
	refused 3 "another object than 'issuing-g1.der'"
	run check second.tlog-proof --object root-g1.pem
	refused 3 "another object"
	# One bit of the object.
	edit 'L[1] = ("B" if L[1][0] != "B" else "C") + L[1][1:]' root-g1.pem bad.pem
	run check proof --object bad.pem
	refused 3
	python3 -c 'd = bytearray(open("root-g1.der", "rb").read())
d[-1] ^= 1
open("bad.der", "wb").write(d)'
	run check proof --object bad.der
	refused 3 "another object|not a certificate"
	# An entry of another kind names no object.
	prove --entry 0 > genesis
	must check genesis
	run check genesis --object root-g1.der
	refused 3 "of kind 'genesis'"
	# The intent of the same object is no result.
	prove --entry "$(journal "[e['seq'] for e in K('intent')
		if e['data']['name'] == 'root-g1'][0]")" > intent
	run check intent --object root-g1.der
	refused 3 "of kind 'intent'"
}

@test "what is no object at all" {
	run check proof --object absent.der
	refused 3 "absent.der"
	echo nothing > text
	run check proof --object text
	refused 3 "not a certificate, CRL or request"
	cat root-g1.pem "$A/public/certs/issuing-g1.pem" > two.pem
	run check proof --object two.pem
	refused 3 "give one only"
	run prove --object two.pem
	refused 3 "give one only"
	cat root-g1.der second.crl > joined
	run check proof --object joined
	refused 3 "not a certificate, CRL or request"
	make_request stranger
	run prove --object stranger.csr
	refused 3 "no entry about 'stranger.csr'" "did not sign it"
}

# ---- altered proofs -------------------------------------------------------

# bats keeps `lines` for itself.
@test "each line of a proof: changed, left out, doubled, exchanged" {
	local line total text
	total=$(grep -c '' proof)
	for ((line = 0; line < total; line++)); do
		# One character in the middle of it.
		if [ -n "$(sed -n "$((line + 1))p" proof)" ]; then
			edit "l = L[$line]; m = len(l) // 2
L[$line] = l[:m] + ('A' if l[m] != 'A' else 'B') + l[m + 1:]" proof bad
			never cmp -s proof bad
			refuses bad --object root-g1.der
		fi
		edit "del L[$line]" proof bad
		refuses bad --object root-g1.der
		# A second signature of the same key is no forgery.
		[ "$line" -eq "$((total - 1))" ] && continue
		edit "L.insert($line, L[$line])" proof bad
		refuses bad --object root-g1.der
		edit "L[$line], L[$line + 1] = L[$line + 1], L[$line]" proof bad
		refuses bad --object root-g1.der
	done
	text=$(cat proof)
	printf '%s' "$text" > bad
	run check bad
	refused 3 "not ended"
	printf '%s\n\n' "$text" > bad
	run check bad
	refused 3
	sed 's/$/\r/' proof > bad
	run check bad
	refused 3 "control characters"
	: > bad
	run check bad
	refused 3
	head -c 3000000 /dev/zero > bad
	run check bad
	refused 3
}

@test "another entry, index or checkpoint put into a proof" {
	local seq
	seq=$(sed -n 's/^index //p' proof)
	prove --entry "$((seq ^ 1))" > twin
	edit "T = open('twin').read().split('\n'); L[1] = T[1]" proof bad
	run check bad
	refused 3 "does not hold"
	edit "L[2] = 'index $((seq ^ 1))'" proof bad
	run check bad
	refused 3 "does not hold"
	edit "L[2] = 'index 9999'" proof bad
	run check bad
	refused 3 "no such entry"
	edit "i = L.index(''); T = open('older').read().split('\n')
L[i + 1:] = T" second.tlog-proof bad
	run check bad
	refused 3 "does not hold|no such entry"
	# An entry that nobody signed, with its own tree of one.
	edit 'import base64
e = base64.b64decode(L[1][6:]).replace(b"root-g1", b"root-g2")
L[1] = "extra " + base64.b64encode(e).decode()' proof bad
	run check bad
	refused 3 "does not hold"
	edit 'del L[1]' proof bad
	run check bad
	refused 3 "does not hold the entry"
	edit 'L[0] = "c2sp.org/tlog-proof@v2"' proof bad
	run check bad
	refused 3 "line 1"
}

# ---- whose journal --------------------------------------------------------

@test "another authority of the same name: its proofs, its anchor" {
	A=$OTHER prove --entry 3 > foreign
	run check foreign
	refused 3 "not signed with the journal's key that the anchor names"
	must ca-tool journal check foreign --anchor other-anchor/anchor.txt
	run ca-tool journal check proof --anchor other-anchor/anchor.txt
	refused 3 "not signed with the journal's key"
	run check "$OTHER/public/journal/checkpoint"
	refused 3 "not signed with the journal's key"
}

@test "anchors: without their key, with another, with another id, damaged" {
	cp other-anchor/journal-key.pem anchor/journal-key.pem
	run check proof
	refused 3 "is not the key that 'anchor/anchor.txt' names"
	rm anchor/journal-key.pem
	run check proof
	refused 3 "journal-key.pem"
	cp "$A/public/anchor/journal-key.pem" anchor
	must check proof
	sed -i 's/^authority: .*/authority: example.org\/somebody/' anchor/anchor.txt
	run check proof
	refused 3 "the anchor of 'example.org/somebody'"
	sed -i 's/^authority: .*/authority: example.org\/tes/' anchor/anchor.txt
	run check proof
	refused 3 "the anchor of 'example.org/tes'"
	echo more >> anchor/anchor.txt
	run check proof
	refused 3 "malformed anchor"
	run ca-tool journal check proof --anchor absent.txt
	refused 3 "absent.txt"
	# Another beginning: seen where the first entry is proved.
	cp "$A/public/anchor/anchor.txt" anchor
	prove --entry 0 > genesis
	must check genesis
	sed -i "s/^genesis: .*/genesis: $(printf '0%.0s' {1..64})/" anchor/anchor.txt
	run check genesis
	refused 3 "not the one that the anchor names"
}

@test "a checkpoint that somebody else signed" {
	local size root id
	attacker
	size=$(sed -n 2p newer)
	root=$(sed -n 3p newer)
	make_note attacker.pem example.org/test "$size" "$root" > forged
	run check forged
	refused 3 "not signed with the journal's key"
	# With the id of the journal's key, the signature is wrong.
	id=$(tail -1 newer | cut -d' ' -f3)
	edit "import base64
a, b = base64.b64decode('$id'), base64.b64decode(L[4].split(' ')[2])
L[4] = L[4][:L[4].rindex(' ') + 1] + base64.b64encode(a[:4] + b[4:]).decode()" \
		forged bad
	run check bad
	refused 3 "forged or damaged"
	# The right signature under another size or root.
	edit "L[1] = '$((size + 1))'" newer bad
	run check bad
	refused 3 "forged or damaged"
	edit "L[2] = open('older').read().split('\n')[2]" newer bad
	run check bad
	refused 3 "forged or damaged"
	edit "L[0] = 'example.org/test/epoch-1'" newer bad
	run check bad
	refused 3 "not signed with the journal's key"
	edit "L[0] = 'example.org/test/epoch-0'" newer bad
	run check bad
	refused 3 "and the anchor of 'example.org/test'"
}

# ---- receipts -------------------------------------------------------------

@test "receipts: the same, older, newer, forked" {
	local size
	size=$(sed -n 2p newer)
	must check older
	[[ $output == *"$(sed -n 2p older) entries"* ]]
	must check newer --checkpoint newer
	[[ $output == *"and that of 'newer'"* ]]
	run check older --checkpoint newer
	refused 3 "cannot be compared" "journal prove --old"
	run check newer --checkpoint older
	refused 3 "cannot be compared"
	run check newer --checkpoint absent
	refused 3 "absent"
	must check proof --checkpoint older
	run check proof --checkpoint newer
	refused 3 "cannot be compared" "journal prove --checkpoint"
	run check second.tlog-proof --checkpoint older
	refused 3 "cannot be compared"
	# Two journals under one name, as one would see without an anchor.
	attacker
	make_note attacker.pem example.org/test "$size" \
		"$(sed -n 3p older)" > forked
	run ca-tool journal check forked --checkpoint newer
	refused 3 "different roots" "tell the auditors"
	run check newer --checkpoint forked
	refused 3 "not signed with the journal's key"
	make_note attacker.pem example.org/others "$size" \
		"$(sed -n 3p newer)" > named
	run ca-tool journal check named --checkpoint newer
	refused 3 "of the journal 'example.org/others'"
}

# ---- growth ---------------------------------------------------------------

@test "growth: from a receipt, and from a number of entries" {
	local old size
	old=$(sed -n 2p older)
	size=$(sed -n 2p newer)
	must prove --old older --out growth
	[ "$(head -1 growth)" = "old $old" ]
	prove --old "$old" | cmp - growth
	must check growth --old older
	[[ $output == *"grew from $old to $size entries"* ]]
	must check growth --old older --checkpoint newer --json
	python3 -c 'import json, sys
report = json.loads(sys.argv[1])
assert report["proves"] == "growth" and report["old"] == int(sys.argv[2])' \
		"$output" "$old"
	# To itself, and from nothing.
	prove --old newer > none
	[ "$(sed -n 2p none)" = "" ]
	must check none --old newer
	prove --old 0 > start
	[ "$(head -2 start)" = "old 0" ]
}

@test "growth that is none: forged, forked, exchanged, altered" {
	local line total old
	old=$(sed -n 2p older)
	prove --old older > growth
	run check growth
	refused 2 "'--old' is missing"
	run check growth --old newer
	refused 3 "and 'newer' is over"
	attacker
	make_note attacker.pem example.org/test "$old" \
		"$(sed -n 3p newer)" > forged
	run check growth --old forged
	refused 3 "'forged' is not signed"
	run ca-tool journal check growth --old forged
	refused 3 "does not hold"
	run prove --old forged
	refused 3 "'forged' is no checkpoint of this journal"
	total=$(grep -n '^$' growth | head -1 | cut -d: -f1)
	for ((line = 0; line < total - 1; line++)); do
		edit "l = L[$line]; m = len(l) // 2
L[$line] = l[:m] + ('8' if l[m] != '8' else '9') + l[m + 1:]" growth bad
		refuses bad --old older
		edit "del L[$line]" growth bad
		refuses bad --old older
		edit "L.insert($line, L[$line])" growth bad
		refuses bad --old older
	done
	edit "L[L.index('') + 1:] = open('older').read().split('\n')" growth bad
	run check bad --old older
	refused 3 "does not hold"
	run check growth --old older --object root-g1.der
	refused 2 "'--object' goes with"
}

@test "a journal that was restored or changed proves no growth" {
	cp -a "$BASE" copy
	A=$PWD/copy
	# The newer checkpoint, and a copy of the journal from before it.
	run prove --old newer --checkpoint older
	refused 3 "fewer than the"
	run prove --entry 3 --checkpoint "$OTHER/public/journal/checkpoint"
	refused 3 "no checkpoint of this journal"
	run prove --old "$OTHER/public/journal/checkpoint"
	refused 3 "no checkpoint of this journal"
	cp newer "$OTHER/newer"
	A=$OTHER
	run prove --old "$OTHER/newer"
	rm "$OTHER/newer"
	refused 3 "no checkpoint of this journal"
	# A changed entry, and a changed node.
	A=$PWD/copy
	local seq
	seq=$(sed -n 's/^index //p' proof)
	python3 - "$A/journal.db" "$seq" <<-'EOF'
	import sqlite3, sys
	db = sqlite3.connect(sys.argv[1])
	db.execute("UPDATE entries SET body = CAST(replace(CAST(body AS TEXT), "
	           "'root-g1', 'root-g2') AS BLOB) WHERE seq = ?",
	           (sys.argv[2],))
	db.commit()
	EOF
	run prove --entry "$seq"
	refused 3 "not that of its entries"
	must prove --entry "$((seq - 1))"
}

# ---- witnesses ------------------------------------------------------------

# cosign NAME IN OUT: NAME.key, and the verifier key added to the file keys
cosign() {
	openssl genpkey -algorithm ed25519 -out "$1.pem"
	printf 'phrase\n' > phrase
	openssl pkcs8 -topk8 -in "$1.pem" -v2 aes-256-cbc -iter 1000 \
		-passout file:phrase -out "$1.key"
	ca-tool journal cosign "$2" --anchor anchor/anchor.txt --key "$1.key" \
		--name "example.org/$1" --state "$1.state" --out "$3" \
		--passphrase-fd "$1=8" --json 8< phrase > "$1.json"
	python3 -c 'import json, sys
print(json.load(open(sys.argv[1]))["witness"])' "$1.json" >> keys
}

@test "witnesses: each must have cosigned, and it is said when" {
	cosign wendy newer one
	must check one --witnesses keys
	[[ $output =~ Cosigned\ +20[0-9T:-]+Z\ by\ example.org/wendy ]]
	run check newer --witnesses keys
	refused 3 "not cosigned by 'example.org/wendy'" "1 of the 1 witnesses"
	cosign walter one both
	must check both --witnesses keys
	[[ $output == *"by example.org/wendy"*"by example.org/walter"* ]]
	run check one --witnesses keys
	refused 3 "not cosigned by 'example.org/walter'" "1 of the 2 witnesses"
	# In a proof, and in the proof of growth.
	must prove --object root-g1.der --checkpoint both --out made
	must check made --object root-g1.pem --witnesses keys --json
	python3 -c 'import json, sys
names = [c["name"] for c in json.loads(sys.argv[1])["cosigned"]]
assert names == ["example.org/wendy", "example.org/walter"]' "$output"
	prove --old older --checkpoint both > growth
	must check growth --old older --witnesses keys
	run check proof --witnesses keys
	refused 3 "2 of the 2 witnesses"
	# Their word does not say whose journal it is.
	run ca-tool journal check both --witnesses keys
	refused 3 "nothing is proved"
}

@test "cosignatures that are forged, moved or by others" {
	cosign wendy newer one
	edit "import base64
name, sig = L[5].rsplit(' ', 1)
b = bytearray(base64.b64decode(sig)); b[11] ^= 1
L[5] = name + ' ' + base64.b64encode(b).decode()" one bad
	run check bad --witnesses keys
	refused 3 "signature of 'example.org/wendy' is wrong"
	# From one checkpoint to another.
	edit "L[5:5] = open('one').read().split('\n')[5:6]" older bad
	run check bad --witnesses keys
	refused 3 "signature of 'example.org/wendy' is wrong"
	must check bad
	mv keys wendys
	cosign mallory newer two
	run check two --witnesses wendys
	refused 3 "not cosigned by 'example.org/wendy'"
	sed 's/mallory/wendy/' keys > mixed
	run check one --witnesses mixed
	refused 3
	: > empty
	run check one --witnesses empty
	refused 3 "no key of a witness"
	run check one --witnesses absent
	refused 3 "absent"
}

# ---- arguments ------------------------------------------------------------

@test "what is no order" {
	run prove
	refused 2 "what is to be proved"
	run prove --entry 3 --old 2
	refused 2 "what is to be proved"
	run prove --entry x
	refused 2 "no whole number"
	run prove --entry 99999
	refused 3 "no entry 99999"
	run prove --old 99999
	refused 3 "fewer than the 99999"
	run prove --old 007
	refused 2 "no whole number"
	run prove --old ''
	refused 2 "empty"
	run ca-tool journal prove -d "$PWD" --entry 1
	refused 3
	run check absent
	refused 3 "absent"
	run check newer --object root-g1.der
	refused 2 "'--object' goes with"
	run check newer --old older
	refused 2 "'--old' goes with"
	run check anchor
	refused 3 "not a regular file"
	run ca-tool journal check
	refused 2
	echo 'no checkpoint' > text
	run check text
	refused 3 "'text': malformed note"
	run prove --entry 3 --checkpoint text
	refused 3 "'text' is no checkpoint"
	run prove --old text
	refused 3 "'text' is no checkpoint"
}
