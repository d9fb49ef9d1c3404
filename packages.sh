#!/bin/sh
# Install what is missing of the Debian packages in packages.txt.
#
#     ./packages.sh GROUP...      groups: run, test
#
# With everything installed nothing is called but dpkg-query: no network, no
# root.  Otherwise apt-get, as root or through sudo.
set -eu

list=$(dirname "$0")/packages.txt

wanted() {
	for group in "$@"; do
		awk -v group="$group" '!/^#/ && $2 == group { print $1 }' "$list"
	done
}

installed() {
	[ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing() {
	wanted "$@" | while read -r package; do
		installed "$package" || echo "$package"
	done
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		echo "packages.sh: not root, and no sudo to become it; as root, run:" >&2
		echo "    $*" >&2
		exit 1
	fi
}

if [ $# -eq 0 ]; then
	echo "usage: packages.sh GROUP... (run, test)" >&2
	exit 2
fi
for group in "$@"; do
	if [ -z "$(wanted "$group")" ]; then
		echo "packages.sh: packages.txt has no group '$group'" >&2
		exit 2
	fi
done
packages=$(missing "$@" | tr "\n" " ")
[ -n "$packages" ] || exit 0
if ! command -v apt-get >/dev/null; then
	echo "packages.sh: no apt-get here; install by hand: $packages" >&2
	exit 1
fi

echo "Installing Debian packages: $packages" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
quiet() {
	if ! "$@" >"$log" 2>&1 </dev/null; then
		cat "$log" >&2
		echo "packages.sh: '$*' failed" >&2
		exit 1
	fi
}
quiet as_root apt-get -q update
# shellcheck disable=SC2086 # one word a package
quiet as_root env DEBIAN_FRONTEND=noninteractive apt-get -qy install \
	--no-install-recommends $packages
