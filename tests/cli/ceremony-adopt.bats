#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031 # each test is a subshell
# A request of a key on the token, the certificate that another CA made of it,
# and what this authority may sign with that.

load ceremony-helper

setup_file() {
	export BASE=$BATS_FILE_TMPDIR/base
	export BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR
	make_authority "$BASE"
	A=$BASE
	{
		step_key issuing
		step_key other
		step_key responder p-256 ocsp
		step_csr issuing issuing
		step_csr other other
		step_csr responder responder
	} | run_plan requests
	cd "$BATS_FILE_TMPDIR" || return
	# The outside CA: a root and a policy CA below it.
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc \
		-keyout root.key -out root.pem -days 3650 \
		-subj '/C=DE/O=Outside/CN=Outside Root' \
		-addext basicConstraints=critical,CA:TRUE \
		-addext keyUsage=critical,keyCertSign,cRLSign 2> /dev/null
	make_request policy
	issue policy policy.csr '/C=DE/O=Outside/CN=Outside Policy' \
		root 3000 'basicConstraints=critical,CA:TRUE,pathlen:1' \
		'keyUsage=critical,keyCertSign,cRLSign'
}

# issue NAME CSR SUBJECT ISSUER DAYS EXTENSION...: NAME.pem
issue() {
	local name=$1 csr=$2 subject=$3 issuer=$4 days=$5
	shift 5
	printf '%s\n' "$@" subjectKeyIdentifier=hash \
		authorityKeyIdentifier=keyid > "$name.ext"
	openssl req -in "$csr" -noout -verify 2> /dev/null || return
	openssl x509 -req -in "$csr" -CA "$issuer.pem" -CAkey "$issuer.key" \
		-set_serial "0x$(openssl rand -hex 16 | sed 's/^./4/')" \
		-days "$days" -sha256 -extfile "$name.ext" -out "$name.pem" \
		-subj "$subject" 2> /dev/null
}

CA_EXTENSIONS=('basicConstraints=critical,CA:TRUE,pathlen:0'
	'keyUsage=critical,keyCertSign,cRLSign')
NAME='/C=DE/O=Example Trust/CN=Example Issuing'

# issue_ca NAME [KEY [SUBJECT [DAYS]]]: by the policy CA
issue_ca() {
	issue "$1" "$A/public/csrs/${2-issuing}.csr" "${3-$NAME}" policy \
		"${4-1000}" "${CA_EXTENSIONS[@]}"
}

setup() {
	copy_authority
	cp "$BATS_FILE_TMPDIR"/{root,policy}.{key,pem} .
}

adopt() { # NAME KEY FILE CHAIN...
	local name=$1 key=$2 file=$3
	shift 3
	cat <<-EOF
	- adopt-certificate:
	    name: $name
	    key: $key
	    certificate: $file
	    chain: [$(IFS=,; echo "$*")]
	EOF
}

@test "request, outside certificate, adoption, and a CRL that openssl takes" {
	issue_ca issuing
	must run_plan take <<< "$(adopt outside issuing issuing.pem \
		policy.pem root.pem)"
	says 'D("adopted")[0]["name"] == "outside"'
	says 'len(D("intent")) == 3' # the requests; adopting signs nothing
	cmp "$A/public/certs/outside.der" \
		<(openssl x509 -in issuing.pem -outform DER)
	must run_plan sign <<-EOF
	$(step_list l1 outside)
	$(step_ocsp o outside 'csr: partner.csr')
	EOF
	openssl crl -in "$A/public/crls/l1.pem" -noout -CAfile issuing.pem
	openssl verify -x509_strict -CAfile root.pem -untrusted policy.pem \
		-untrusted issuing.pem "$A/public/certs/o.pem"
	# What the outside says has been issued under the name, it may revoke.
	must run_plan revoke <<-EOF
	$(step_revoke outside 0102030405060708 keyCompromise)
	$(step_list l2 outside)
	EOF
	[ "$(revoked_on "$A/public/crls/l2.crl")" = \
		"0102030405060708 key compromise" ]
	sound
}

@test "adopted and used in one plan" {
	issue_ca issuing
	must run_plan both <<-EOF
	$(adopt outside issuing issuing.pem policy.pem root.pem)
	$(step_list l1 outside)
	EOF
	openssl crl -in "$A/public/crls/l1.pem" -noout -CAfile issuing.pem
}

@test "refused: another key, a key that is not there, one for OCSP" {
	issue_ca issuing
	issue_ca mixed other
	adopt outside issuing mixed.pem policy.pem root.pem | plan p > "$P"
	check_refused ADOPT-KEY
	adopt outside absent issuing.pem policy.pem root.pem | plan p > "$P"
	check_refused KEY-MISSING
	adopt outside journal issuing.pem policy.pem root.pem | plan p > "$P"
	check_refused KEY-PURPOSE
	issue_ca responder responder
	adopt outside responder responder.pem policy.pem root.pem |
		plan p > "$P"
	check_refused KEY-PURPOSE
}

@test "refused: not a CA, not for CRLs, expired, not yet valid" {
	local saved=("${CA_EXTENSIONS[@]}")
	CA_EXTENSIONS=('basicConstraints=critical,CA:FALSE'
		'keyUsage=critical,digitalSignature')
	issue_ca leaf
	adopt outside issuing leaf.pem policy.pem root.pem | plan p > "$P"
	check_refused CRL-SIGNER-KU
	CA_EXTENSIONS=('basicConstraints=critical,CA:TRUE'
		'keyUsage=critical,keyCertSign')
	issue_ca nocrl
	adopt outside issuing nocrl.pem policy.pem root.pem | plan p > "$P"
	check_refused CRL-SIGNER-KU
	CA_EXTENSIONS=("${saved[@]}")
	issue_ca short issuing "$NAME" 1
	adopt outside issuing short.pem policy.pem root.pem | plan p > "$P"
	must ca-tool plan show -d "$A" "$P"
	run at_time +2d plan run -d "$A" "$P" --yes
	refused 3 ADOPT-TIME
	says 'D("adopted") == []'
	# Issued an hour from now.
	printf '%s\n' "${CA_EXTENSIONS[@]}" > later.ext
	faketime -f +1h openssl x509 -req -in "$A/public/csrs/issuing.csr" \
		-CA policy.pem -CAkey policy.key -set_serial 77 -days 100 \
		-extfile later.ext -subj "$NAME" -out later.pem 2> /dev/null
	adopt outside issuing later.pem policy.pem root.pem | plan p > "$P"
	check_refused ADOPT-TIME
}

@test "refused: self-issued, self-signed" {
	openssl req -x509 -new -key partner.key -out self.pem -days 10 \
		-subj "$NAME" -addext basicConstraints=critical,CA:TRUE
	adopt outside issuing self.pem self.pem | plan p > "$P"
	check_refused ADOPT-SELF ADOPT-KEY
	# By the outside CA, under its own name.
	issue_ca same issuing '/C=DE/O=Outside/CN=Outside Policy'
	adopt outside issuing same.pem policy.pem root.pem | plan p > "$P"
	check_refused ADOPT-SELF
}

@test "refused: chains that are none" {
	issue_ca issuing
	adopt outside issuing issuing.pem policy.pem | plan p > "$P"
	check_refused "CHAIN-ROOT\|CERTIFICATE-PATH"
	adopt outside issuing issuing.pem root.pem | plan p > "$P"
	unchanged ca-tool plan check -d "$A" "$P"
	refused 3 "plan.yaml:[0-9]+:[0-9]+"
	adopt outside issuing issuing.pem root.pem policy.pem | plan p > "$P"
	unchanged ca-tool plan check -d "$A" "$P"
	refused 3
	adopt outside issuing issuing.pem policy.pem root.pem root.pem |
		plan p > "$P"
	run ca-tool plan show -d "$A" "$P" # a root too often does no harm
	[ "$status" -eq 0 ] || [ "$status" -eq 3 ]
	sed 's/chain: .*/chain: []/' "$P" > empty.yaml
	mv empty.yaml "$P"
	unchanged ca-tool plan check -d "$A" "$P"
	refused 3
	# The same names, another root's key.
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc \
		-keyout evil.key -out evil.pem -days 3650 \
		-subj '/C=DE/O=Outside/CN=Outside Root' \
		-addext basicConstraints=critical,CA:TRUE \
		-addext keyUsage=critical,keyCertSign,cRLSign 2> /dev/null
	adopt outside issuing issuing.pem policy.pem evil.pem | plan p > "$P"
	unchanged ca-tool plan check -d "$A" "$P"
	refused 3
}

@test "refused: a chain whose path is too short, or whose link is no CA" {
	make_request tight
	issue tight tight.csr '/C=DE/O=Outside/CN=Tight' root 900 \
		'basicConstraints=critical,CA:TRUE,pathlen:0' \
		'keyUsage=critical,keyCertSign,cRLSign'
	make_request below
	issue below below.csr '/C=DE/O=Outside/CN=Below' tight 800 \
		'basicConstraints=critical,CA:TRUE' \
		'keyUsage=critical,keyCertSign,cRLSign'
	issue issuing "$A/public/csrs/issuing.csr" "$NAME" below 700 \
		"${CA_EXTENSIONS[@]}"
	never openssl verify -CAfile root.pem -untrusted tight.pem \
		-untrusted below.pem issuing.pem
	adopt outside issuing issuing.pem below.pem tight.pem root.pem |
		plan p > "$P"
	unchanged ca-tool plan check -d "$A" "$P"
	refused 3 "path"
	issue tight tight.csr '/C=DE/O=Outside/CN=Tight' root 900 \
		basicConstraints=critical,CA:FALSE \
		keyUsage=critical,digitalSignature
	issue issuing "$A/public/csrs/issuing.csr" "$NAME" tight 700 \
		"${CA_EXTENSIONS[@]}"
	adopt outside issuing issuing.pem tight.pem root.pem | plan p > "$P"
	unchanged ca-tool plan check -d "$A" "$P"
	refused 3 "CA"
}

@test "refused: a chain with an expired link" {
	make_request brief
	issue brief brief.csr '/C=DE/O=Outside/CN=Brief' root 1 \
		'basicConstraints=critical,CA:TRUE' \
		'keyUsage=critical,keyCertSign,cRLSign'
	issue issuing "$A/public/csrs/issuing.csr" "$NAME" brief 700 \
		"${CA_EXTENSIONS[@]}"
	adopt outside issuing issuing.pem brief.pem root.pem | plan p > "$P"
	run at_time +2d plan run -d "$A" "$P" --yes
	refused 3 "valid|expired"
	says 'D("adopted") == []'
}

@test "refused: malformed certificates, and files that are none" {
	issue_ca issuing
	openssl x509 -in issuing.pem -outform DER -out issuing.der
	adopt outside issuing bad.pem policy.pem root.pem | plan p > "$P"
	local bad
	for bad in 'head -c 200 issuing.der' 'cat issuing.der issuing.der' \
		'cat issuing.pem root.pem' 'head -c 100000 /dev/urandom' \
		'cat partner.csr' 'true'; do
		$bad > bad.pem
		unchanged ca-tool plan check -d "$A" "$P"
		refused 3 "bad.pem"
	done
	# One bit of the signature.
	python3 -c '
data = bytearray(open("issuing.der", "rb").read())
data[-1] ^= 1
open("bad.pem", "wb").write(data)'
	unchanged ca-tool plan check -d "$A" "$P"
	refused 3
	cp issuing.der bad.pem # DER is taken, whatever its name
	must ca-tool plan show -d "$A" "$P"
}

@test "refused at check: a certificate that the authority has already" {
	issue_ca issuing
	{
		adopt a1 issuing issuing.pem policy.pem root.pem
		adopt a2 issuing issuing.pem policy.pem root.pem
	} | plan p > "$P"
	unchanged ca-tool plan check -d "$A" "$P"
	refused 3 "already"
	must run_plan one <<< "$(adopt a1 issuing issuing.pem policy.pem \
		root.pem)"
	adopt a2 issuing issuing.pem policy.pem root.pem | plan p > "$P"
	unchanged ca-tool plan check -d "$A" "$P"
	refused 3 "already"
}

@test "a request takes its key's purpose along" {
	# The responder's key does not become a CA's by way of a file, nor a
	# CA's key a responder's.
	must run_plan root <<-EOF
	$(step_key root)
	$(step_root root)
	EOF
	cp "$A"/public/csrs/*.csr .
	step_subordinate s root 'csr: responder.csr' | plan p > "$P"
	check_refused KEY-PURPOSE
	step_ocsp o root 'csr: issuing.csr' | plan p > "$P"
	check_refused KEY-PURPOSE
}
