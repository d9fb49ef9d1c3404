# shellcheck shell=bash disable=SC2154 # status, output, stderr: bats sets them
# What all tests of the command line share.  CA_TOOL is the program, PKCS11_SHIM
# the module of tests/shim.  bats keeps descriptor 3 for itself: PINs come in
# on 8 (user) and 9 (SO).
#
# Most tests are not about the quorum: their authorities have one operator, op,
# and a PIN that is typed (login: prompt).  op's passphrase is the user PIN, so
# that one descriptor has both, however often they are asked for.

bats_require_minimum_version 1.5.0

# Bash writes \u escapes as UTF-8 only where the locale does.
export LC_ALL=C.UTF-8
export COMPLETION=$BATS_TEST_DIRNAME/../../ca-tool/completion.bash

PIN=user-pin-123456
SO_PIN=so-pin-654321

: "${CA_TOOL:?the program}" "${PKCS11_SHIM:?the shim}"

OPERATORS=${BATS_RUN_TMPDIR:?}/operators
if [ ! -f "$OPERATORS/set.yaml" ]; then
	"$BATS_TEST_DIRNAME/../make-operators" "$OPERATORS" 1 "$PIN" op
fi
# What a command needs where op approves and confirms, and what to init.
OPS=(--operator "op=file:$OPERATORS/op.key" --passphrase-fd op=8)
# The same for a shell in a shell.
export OP_OPTIONS=${OPS[*]}
SET=(--operators "$OPERATORS/sign-only.yaml" --login prompt)

# The PIN and passphrase, as often as they are asked for.
pins() {
	for _ in {1..12}; do
		echo "$PIN"
	done
}

# bats lets `! command` pass in the middle of a test.
never() {
	! "$@"
}

# No terminal, whatever the tests are started from.
ca-tool() {
	setsid -w "$CA_TOOL" "$@"
}

# ca-tool with op and the PIN.
ca-tool-pin() {
	ca-tool "$@" "${OPS[@]}" --pin-fd 8 8< <(pins)
}

# make_authority DIR [OPTION...]
make_authority() {
	local dir=$1
	shift
	ca-tool init "$dir" --id example.org/test \
		--crl-url 'http://crl.example.org/{issuer}.crl' \
		--ca-issuers-url 'http://ca.example.org/{issuer}.der' \
		--ocsp-url 'http://ocsp.example.org/' \
		"${SET[@]}" "${OPS[@]}" --pin-fd 8 --so-pin-fd 9 "$@" \
		8< <(pins) 9< <(printf '%s\n' "$SO_PIN")
}

# A time for plans: when OFFSET, such as "-1 day" or "+7 days".
when() {
	date -u -d "now $1" +%Y-%m-%dT%H:%M:%SZ
}

# plan ID: a plan's head, then the steps from stdin, indented by two.
plan() {
	cat <<-END
	format: ca-tool-plan-1
	id: $1
	title: Test plan $1
	window:
	  from: $(when "-1 day")
	  until: $(when "+7 days")
	steps:
	END
	sed 's/^/  /'
}

step_key() { # NAME [TYPE [PURPOSE]]
	cat <<-END
	- generate-key:
	    key: $1
	    type: ${2:-p-256}
	    purpose: ${3:-ca}
	    backup: none
	END
}

step_root() { # NAME [VALIDITY]
	cat <<-END
	- root:
	    name: $1
	    key: $1
	    profile: root
	    subject:
	      country: DE
	      organization: Example Trust
	      common-name: Example $1
	    validity: ${2:-7305d}
	END
}

step_subordinate() { # NAME ISSUER "key: K" or "csr: FILE" [CN [VALIDITY]]
	cat <<-END
	- subordinate:
	    name: $1
	    issuer: $2
	    $3
	    profile: issuing-ca
	    subject:
	      country: DE
	      organization: Example Trust
	      common-name: ${4:-Example $1}
	    validity: ${5:-1826d}
	END
}

step_crl() { # NAME
	cat <<-END
	- crl:
	    name: $1
	    issuer: $1
	    profile: ca-crl
	END
}

# first_ceremony DIR: a root and an issuing CA on the token, and a CRL.
first_ceremony() {
	{
		step_key root-g1
		step_key issuing-g1
		step_root root-g1
		step_subordinate issuing-g1 root-g1 'key: issuing-g1'
		step_crl root-g1
	} | plan first > "$BATS_TEST_TMPDIR/first.yaml"
	ca-tool-pin plan run -d "$1" "$BATS_TEST_TMPDIR/first.yaml" --yes
}

# Everything below a directory, with its content; not the lock, which every
# ca-tool that changes something takes.
snapshot() {
	(cd "$1" && find . -path ./lock -prune -o -type f -print0 | sort -z |
		xargs -0 sha256sum && find . -type d | sort)
}

# refused STATUS PATTERN...: the last `run` failed so, and said so.
refused() {
	local status_wanted=$1 pattern
	shift
	[ "$status" -eq "$status_wanted" ] || {
		echo "status $status, not $status_wanted: $output"
		return 1
	}
	for pattern in "$@"; do
		[[ $output =~ $pattern ]] || {
			echo "'$pattern' is not in: $output"
			return 1
		}
	done
	no_escapes
}

# No control character but the newline reached the output.
no_escapes() {
	if grep -q '[[:cntrl:]]' <<<"$output"; then
		echo "control characters: $(cat -v <<<"$output")"
		return 1
	fi
}

# at_time OFFSET COMMAND...: run it with a clock that is off.  ASan wants to be
# loaded before faketime's library; it need not be.  LeakSanitizer and that
# library disturb each other's locks when a program ends.
at_time() {
	local offset=$1
	shift
	ASAN_OPTIONS=${ASAN_OPTIONS-}:verify_asan_link_order=0:detect_leaks=0 \
		faketime -f "$offset" "$@"
}

# read_only DIR COMMAND...: run it with DIR read-only; for root, whom
# permissions do not stop, by a read-only mount in a namespace of its own.
read_only() {
	local dir=$1 ret=0
	shift
	if [ "$(id -u)" -eq 0 ]; then
		# shellcheck disable=SC2016
		unshare -m sh -c 'mount --bind "$1" "$1" &&
			mount -o remount,bind,ro "$1" || exit 99
			shift
			exec "$@"' sh "$dir" "$@"
		return
	fi
	chmod -R a-w "$dir"
	"$@" || ret=$?
	chmod -R u+w "$dir"
	return "$ret"
}

# Can read_only() and full_disk() work here?
can_mount() {
	[ "$(id -u)" -ne 0 ] || unshare -m true 2> /dev/null
}
