#!/usr/bin/env bats
# shellcheck disable=SC2154 # stderr is set by run --separate-stderr
# Arguments: what is wrong with them is said, with the way out, and exit 2.

load helper

@test "help lists every command, with and without --help" {
	run ca-tool --help
	[ "$status" -eq 0 ]
	local whole=$output command
	while read -r command; do
		grep -q "^  $command " <<<"$whole"
		# shellcheck disable=SC2086 # a command is one or two words
		run ca-tool $command --help
		[ "$status" -eq 0 ]
		[[ ${lines[0]} == "ca-tool $command: "* ]]
		[[ $output == *"Usage: ca-tool $command [OPTION...]"* ]]
		local once=$output
		# shellcheck disable=SC2086
		run ca-tool help $command
		[ "$status" -eq 0 ]
		[ "$output" = "$once" ]
	done < <(ca-tool help --list)
	run ca-tool -h
	[ "$output" = "$whole" ]
}

@test "help fits a terminal of 80 columns" {
	local command
	{
		ca-tool --help
		ca-tool help --list | while read -r command; do
			# shellcheck disable=SC2086
			ca-tool $command --help
		done
	} > "$BATS_TEST_TMPDIR/help"
	[ "$(wc -L < "$BATS_TEST_TMPDIR/help")" -lt 80 ]
}

@test "help of a group lists its commands" {
	run ca-tool plan --help
	[ "$status" -eq 0 ]
	[[ $output == *"plan check"*"plan show"*"plan run"* ]]
	[[ $output != *"journal show"* ]]
	run ca-tool help plan
	[ "$status" -eq 0 ]
}

@test "no command, or half of one" {
	run ca-tool
	refused 2 "a command is missing"
	run ca-tool plan
	refused 2 "'plan' needs one more word"
}

@test "the nearest command is suggested" {
	run ca-tool plan chekc x.yaml
	refused 2 "unknown command 'plan chekc'; did you mean 'plan check'"
	run ca-tool plna check x.yaml
	refused 2 "did you mean 'plan check'"
	run ca-tool inti
	refused 2 "did you mean 'init'"
	run ca-tool frobnicate
	refused 2 "unknown command 'frobnicate'; 'ca-tool --help'"
	run ca-tool help plan chek
	refused 2 "did you mean 'plan check'"
}

@test "terminal escapes in arguments are shown as text" {
	run ca-tool $'evil\e[31m'
	refused 2 'evil\\x1b\[31m'
	run ca-tool version $'--evil\e[31m'
	refused 2 'evil\\x1b\[31m'
}

@test "unknown options, and the fix" {
	local command
	while read -r command; do
		# shellcheck disable=SC2086
		run ca-tool $command --no-such-option
		refused 2 "unknown option '--no-such-option'" \
			"ca-tool $command --help"
		# shellcheck disable=SC2086
		run ca-tool $command -Z
		refused 2 "unknown option"
	done < <(ca-tool help --list)
	run ca-tool --json version
	refused 2 "options come behind it"
}

@test "an option of another command is unknown" {
	run ca-tool plan check x.yaml --yes
	refused 2 "unknown option '--yes'"
	run ca-tool version --pin-fd 8
	refused 2 "unknown option '--pin-fd'"
}

@test "arguments: missing, unwanted, empty, twice" {
	run ca-tool init x --id
	refused 2 "'--id' needs an argument"
	run ca-tool version --json=yes
	refused 2 "takes no argument"
	run ca-tool init x --id ''
	refused 2 "'--id' has an empty argument"
	run ca-tool init x --id a --id b
	refused 2 "'--id' is given twice"
	run ca-tool init --id a
	refused 2 "an argument is missing; usage: ca-tool init DIR"
	run ca-tool init --id a x y
	refused 2 "'y' is one argument too many"
	run ca-tool init x
	refused 2 "'--id' is missing"
	run ca-tool key list x
	refused 2 "one argument too many"
	run ca-tool plan run
	refused 2 "an argument is missing" "--resume"
	run ca-tool plan run --resume x
	refused 2 "leave out 'x'"
	[ ! -e x ]
}

@test "numbers are strict" {
	local n
	for n in x -1 +1 01 0x3 1.0 '' 99999999999999999999; do
		run ca-tool key list --pin-fd="$n"
		refused 2 "pin-fd"
		run ca-tool journal show --from="$n"
		refused 2 "from"
	done
}

@test "PIN descriptors: not open, an output, not readable" {
	run ca-tool key list --pin-fd 77
	refused 2 "descriptor 77 is not open"
	run ca-tool key list --pin-fd 1
	refused 2 "1 is an output"
	run ca-tool key list --pin-fd 2
	refused 2 "2 is an output"
	run ca-tool key list --pin-fd 8 8> "$BATS_TEST_TMPDIR/out"
	refused 2 "descriptor 8 cannot be read"
}

@test "without a terminal, PIN and yes must be given, before anything begins" {
	run ca-tool init "$BATS_TEST_TMPDIR/a" --id example.org/a
	refused 2 "--operators"
	run ca-tool init "$BATS_TEST_TMPDIR/a" --id example.org/a "${SET[@]}"
	refused 2 "no terminal" "--so-pin-fd N"
	run ca-tool init "$BATS_TEST_TMPDIR/a" --id example.org/a "${SET[@]}" \
		--so-pin-fd 9 9< <(echo "$SO_PIN")
	refused 2 "no terminal" "--pin-fd N"
	[ ! -e "$BATS_TEST_TMPDIR/a" ]
	run ca-tool-pin plan run x.yaml
	refused 2 "no terminal" "add --yes"
}

@test "operators: names, keys and descriptors are checked at once" {
	local bad
	for bad in alice alice= =file:x 'Al ice=file:x' "alice=" '../a=file:x'; do
		run ca-tool share check alice --operator "$bad"
		refused 2 "operator"
	done
	run ca-tool share check alice --operator alice=file:a \
		--operator alice=file:b
	refused 2 "alice"
	for bad in alice alice= alice=x alice=-1 alice=99999 alice=77 alice=1; do
		run ca-tool share check alice --passphrase-fd "$bad"
		refused 2 "passphrase-fd"
	done
	run ca-tool share check alice --passphrase-fd alice=8 \
		--passphrase-fd alice=8 8< /dev/null
	refused 2 "alice"
}

@test "init: unknown kinds of login and of PINs" {
	run ca-tool init x --id example.org/a --operators y --login magic
	refused 2 "magic"
	run ca-tool init x --id example.org/a --operators y --pin-length 0
	refused 2 "pin-length"
	run ca-tool init x --id example.org/a --operators y --unattended root
	refused 2 "root"
	run ca-tool init x --id example.org/a --operators nothing-here.yaml
	refused 3 "nothing-here.yaml"
	[ ! -e x ]
}

@test "plan confirm needs the quorum; a passphrase is never an argument" {
	run ca-tool plan confirm somewhere
	refused 2 "--quorum"
	run ca-tool plan run x.yaml --yes --passphrase secret
	[ "$status" -eq 2 ]
	run ca-tool operator new 'Two Words'
	[ "$status" -ne 0 ]
	no_escapes
}

@test "a full disk or a closed pipe behind stdout is a failure" {
	run bash -c '"$CA_TOOL" --help > /dev/full'
	refused 1 "cannot write to standard output"
	run bash -c '"$CA_TOOL" version > /dev/full'
	refused 1 "cannot write to standard output"
	run bash -c '"$CA_TOOL" version --json > /dev/full'
	refused 1 "cannot write to standard output"
	run bash -c 'set -o pipefail; { sleep 0.2; "$CA_TOOL" help; } | true'
	refused 1 "cannot write to standard output"
}

@test "popt's aliases and environment are ignored" {
	mkdir "$BATS_TEST_TMPDIR/home"
	printf 'ca-tool alias --evil --json\n' > "$BATS_TEST_TMPDIR/home/.popt"
	HOME=$BATS_TEST_TMPDIR/home run ca-tool version --evil
	refused 2 "unknown option '--evil'"
	POSIXLY_CORRECT=1 run ca-tool help version --list
	[ "$status" -eq 0 ]
	[[ $output == *--json* ]]
}

@test "version: program, libraries, and the program's own hash" {
	run ca-tool version
	[ "$status" -eq 0 ]
	[[ $output == *"$(sha256sum "$CA_TOOL" | cut -c-64)"* ]]
	for name in OpenSSL libp11 SQLite libyaml libcyaml jansson popt; do
		grep -Eq "^  $name +[0-9]" <<<"$output"
	done
	run ca-tool --version
	[ "$status" -eq 0 ]
	[[ ${lines[0]} =~ ^ca-tool\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
	ca-tool version --json | python3 -c '
import json, sys
report = json.load(sys.stdin)
assert report["ok"] is True
assert len(report["sha256"]) == 64
assert report["libraries"]["OpenSSL"].startswith("3.")'
}

@test "JSON is obeyed for wrong arguments too" {
	run --separate-stderr ca-tool plan run --json
	[ "$status" -eq 2 ]
	python3 -c '
import json, sys
report = json.loads(sys.argv[1])
assert report["ok"] is False
assert "an argument is missing" in report["error"]
assert report["findings"] == []' "$output"
	[[ $stderr == "ca-tool: an argument is missing"* ]]
}

@test "completion asks the program" {
	run bash -c '
		PATH=$(dirname "$CA_TOOL"):$PATH
		complete() { :; }
		compopt() { :; }
		. "$COMPLETION"
		ask() {
			COMP_WORDS=("$@")
			COMP_CWORD=$(($# - 1))
			_ca_tool
			printf "%s\n" "${COMPREPLY[@]}"
		}
		ask ca-tool journ
		ask ca-tool plan ch
		ask ca-tool plan new cross
		ask ca-tool plan check --auth
		ask ca-tool version --js'
	[ "$status" -eq 0 ]
	[ "$output" = $'journal\ncheck\ncross\n--authority=\n--json' ] || {
		echo "$output"
		false
	}
}
