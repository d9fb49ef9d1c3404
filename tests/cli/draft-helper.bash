# shellcheck shell=bash disable=SC2154 # bats sets it
# What the tests of `plan new` share: a plan in $P of the authority in $A.

load ceremony-helper

# new KIND [NAME]: the plan in $P, made anew
new() {
	rm -f "$P"
	must ca-tool plan new -d "$A" "$@" -o "$P"
}

# check: it can be run as it is
check() {
	must ca-tool plan check -d "$A" "$P"
}

run_it() {
	must ca-tool-pin plan run -d "$A" "$P" --yes
}

# has LINE...: the plan has these lines, but for blanks before them
has() {
	local line
	for line in "$@"; do
		sed 's/^ *//' "$P" | grep -qxF -- "$line" || {
			echo "no line '$line' in:"
			cat "$P"
			return 1
		}
	done
}

# comment TEXT: its comments, joined
comment() {
	local text
	text=$(sed -n 's/^ *# //p' "$P" | tr '\n' ' ')
	[[ $text == *"$1"* ]] || {
		echo "no comment '$1' in: $text"
		return 1
	}
}

# fill WHAT VALUE: put it in the place of <WHAT>
fill() {
	grep -q "<$1>" "$P"
	sed -i "s|<$1>|$2|" "$P"
}
