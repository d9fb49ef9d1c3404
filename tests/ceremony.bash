# Sourced by tests that hold a ceremony through the command line.
#
# CA_TOOL is the program, CA_WRAP a command to put before it (valgrind, say).
# Two of three operators; their passphrase, one for all of them, goes in on
# descriptor 3, as often as it is asked for.
# shellcheck shell=bash

PASSPHRASE=correct-horse-battery
OPERATORS=${BATS_RUN_TMPDIR-${TMPDIR-/tmp}/ceremony-$$}/operators
if [ ! -f "$OPERATORS/set.yaml" ]; then
	"$(dirname "${BASH_SOURCE[0]}")/make-operators" "$OPERATORS" 2 \
		"$PASSPHRASE" alice bob carol
fi

passphrases() {
	for _ in {1..12}; do
		echo "$PASSPHRASE"
	done
}

ca() {
	# shellcheck disable=SC2086 # CA_WRAP is several words
	${CA_WRAP-} "${CA_TOOL:?}" "$@" 3< <(passphrases)
}

# present NAME...: the options that name operators who take part
present() {
	local name
	for name in "$@"; do
		printf '%s\n' --operator "$name=file:$OPERATORS/$name.key" \
			--passphrase-fd "$name=3"
	done
}
mapfile -t ALL < <(present alice bob carol)
mapfile -t TWO < <(present alice bob)

# init_authority DIR [OPTION...]
init_authority() {
	ca init "$@" --id example.org/test --operators "$OPERATORS/set.yaml" \
		--crl-url 'http://pki.example.org/{issuer}.crl' \
		--ca-issuers-url 'http://pki.example.org/{issuer}.cer' \
		--ocsp-url http://ocsp.example.org "${ALL[@]}"
}

# run_plan DIR PLAN
run_plan() {
	ca plan run -d "$1" "$2" --yes "${TWO[@]}"
}

# plan_head ID: the top of a plan; steps follow
plan_head() {
	cat <<-EOF
		format: ca-tool-plan-1
		id: $1
		title: Test $1
		window:
		  from: $(date -u -d '-1 hour' +%Y-%m-%dT%H:%M:%SZ)
		  until: $(date -u -d '+2 days' +%Y-%m-%dT%H:%M:%SZ)
		steps:
	EOF
}

# key_step NAME TYPE PURPOSE
key_step() {
	echo "  - generate-key:" \
		"{ key: $1, type: $2, purpose: $3, backup: none }"
}

# certificate_step KIND NAME PROFILE [ISSUER key|csr VALUE]
certificate_step() {
	printf '  - %s:\n      name: %s\n      profile: %s\n' "$1" "$2" "$3"
	if [ $# -gt 3 ]; then
		printf '      issuer: %s\n      %s: %s\n' "$4" "$5" "$6"
	else
		printf '      key: %s\n' "$2"
	fi
	printf '      subject:\n        country: DE\n'
	printf '        organization: Example Test\n'
	printf '        common-name: Test %s\n' "$2"
}

# crl_step NAME ISSUER
crl_step() {
	echo "  - crl: { name: $1, issuer: $2, profile: ca-crl }"
}

# revoke_step ISSUER SERIAL REASON
revoke_step() {
	echo "  - revoke: { issuer: $1, serial: $2, reason: $3 }"
}

# make_csr FILE.csr: a request of a new software key FILE.key
make_csr() {
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-384 -noenc \
		-subj "/CN=a name that is ignored" -keyout "${1%.csr}.key" \
		-out "$1" 2>/dev/null
}

# serial_of CERT.pem
serial_of() {
	openssl x509 -noout -serial -in "$1" | cut -d= -f2
}
