#!/usr/bin/env bats
# Disks that are full or fail, directories that cannot be written, and two at
# once: a clear message, and what was begun can be finished.

load ceremony-helper

setup_file() {
	base_authority
}

setup() {
	copy_authority
	pins > pin
	export P
	{
		step_key k
		step_csr request k
		step_subordinate s root-g1 'key: k'
		step_list l1 root-g1
	} | plan p > "$P"
}

# faulty CALLS ERROR WHEN: run $P while the system calls fail so.
faulty() {
	ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0 \
		strace -f -o strace.log -e "trace=$1" \
		-e "inject=$1:error=$2:when=$3" \
		"$CA_TOOL" plan run -d "$A" "$P" --yes "${OPS[@]}" --pin-fd 8 \
		8< <(pins)
}

# After a fault the run either never began, or resumes; then all is there, once.
goes_on() {
	if [ "$(journal 'len(D("plan")) > len(D("close"))')" = True ]; then
		must resume
	elif [ "$(journal 'len([d for d in D("plan") if d["plan"] == "p"])')" \
		= 0 ]; then
		must ca-tool-pin plan run -d "$A" "$P" --yes
	elif [ "$(journal 'K("close")[-1]["seq"] > K("checkpoint")[-1]["seq"]')" \
		= True ]; then
		must resume
	fi
	sound
	[ "$(token_keys)" = "issuing-g1 journal k root-g1" ]
	openssl verify -x509_strict -CAfile "$A/public/certs/root-g1.pem" \
		"$A/public/certs/s.pem" > /dev/null
	openssl crl -in "$A/public/crls/l1.pem" -noout \
		-CAfile "$A/public/certs/root-g1.pem" 2> /dev/null
	openssl req -in "$A/public/csrs/request.csr" -noout -verify \
		2> /dev/null
	[ -z "$(find "$A" -name '*.tmp*' -o -name '.draft-*')" ]
}

# points CALLS: how many calls an undisturbed run makes, and those to fail: a
# sample of CA_FAULTS, the same for the same CA_FAULTS_SEED.  strace counts each
# system call of each thread for itself.
points() {
	rm -rf "$A"
	cp -a "$BASE" "$A"
	strace -f -o strace.log -e "trace=$1" -e signal=none \
		"$CA_TOOL" plan run -d "$A" "$P" --yes "${OPS[@]}" --pin-fd 8 \
		8< <(pins) > out 2>&1 || {
		cat out >&2
		return 1
	}
	python3 - "${CA_FAULTS:-3}" "${CA_FAULTS_SEED:-1} $1" <<-'END'
	import collections, random, re, sys
	wanted, seed = sys.argv[1:]
	with open("strace.log", encoding="ascii") as lines:
	    found = (re.match(r"(\d+) +(\w+)\(", line) for line in lines)
	    counts = collections.Counter(m.groups() for m in found if m)
	calls = max(counts.values())
	points = range(1, calls + 1)
	if wanted != "all":
	    wanted = min(int(wanted), calls)
	    points = sorted(random.Random(seed).sample(points, wanted))
	print(calls, *points)
	END
}

# sweep CALLS ERROR SUFFIX PATTERN: fail one call, or with the suffix + all from
# it on; then go on.
sweep() {
	local chosen n tries=0 failures=0
	chosen=$(points "$1")
	for n in ${chosen#* }; do
		rm -rf "$A"
		cp -a "$BASE" "$A"
		run faulty "$1" "$2" "$n$3"
		[ "$status" -lt 128 ] || {
			echo "$1 $n: status $status: $output"
			return 1
		}
		grep -q INJECTED strace.log || {
			echo "$1 $n: there was no such call"
			return 1
		}
		if [ "$status" -ne 0 ] && [ -n "$4" ]; then
			[[ $output =~ $4 ]] || {
				echo "$1 $n: no '$4' in: $output"
				return 1
			}
		fi
		[ "$status" -eq 0 ] || failures=$((failures + 1))
		goes_on || {
			echo "$1 $n"
			return 1
		}
		tries=$((tries + 1))
	done
	echo "# $1 $2: $tries of ${chosen%% *} calls," \
		"$failures refused the run (seed ${CA_FAULTS_SEED:-1})" >&3
	[ "$tries" -gt 0 ]
}

needs_strace() {
	strace -o /dev/null true 2> /dev/null || skip "strace may not trace"
}

@test "no space for the journal, from some write on" {
	needs_strace
	sweep pwrite64 ENOSPC + 'disk|space|full'
}

@test "syncing the journal and files fails" {
	needs_strace
	sweep fsync,fdatasync EIO '' ''
}

@test "no space for one write of a file" {
	needs_strace
	sweep write ENOSPC '' ''
}

@test "renaming, opening, making directories fails" {
	needs_strace
	sweep rename,renameat,renameat2,linkat EIO '' ''
	sweep openat EACCES '' ''
	sweep mkdirat ENOSPC '' ''
}

@test "a real disk that fills up while it signs" {
	[ "$(id -u)" -eq 0 ] && can_mount || skip "needs a mount of its own"
	mkdir mount
	# shellcheck disable=SC2016
	run unshare -m bash -c '
		mount -t tmpfs -o size=48m none mount || exit 99
		cp -a "$1" mount/a
		# After the list was shown, the disk is filled; then "yes".
		expect -c "
			set timeout 120
			spawn -noecho sh -c {exec \"\$CA_TOOL\" plan run \
				-d mount/a \"\$P\" \$OP_OPTIONS --pin-fd 8 8< pin}
			expect_after timeout {exit 99} eof {exit 97}
			expect \"second clock say\"
			send \"\r\"
			expect \"approve this plan\"
			expect \"Type yes\"
			send \"yes\r\"
			expect \"list right\"
			expect \"Type yes\"
			catch {exec sh -c {cat /dev/zero > mount/filler}}
			send \"yes\r\"
			expect eof
			exit [lindex [wait] 3]"
		status=$?
		rm mount/filler
		"$CA_TOOL" plan run --resume -d mount/a --yes $OP_OPTIONS \
			--pin-fd 8 8< pin ||
			exit 98
		rm -rf "$1" && cp -a mount/a "$1"
		exit "$status"' bash "$A"
	[ "$status" -eq 1 ] || { echo "$status: $output"; false; }
	[[ $output =~ space|full ]]
	goes_on
}

@test "a directory of the authority that cannot be written" {
	can_mount || skip "no namespaces for mounts"
	local dir
	for dir in ceremonies public public/crls token; do
		rm -rf "$A"
		cp -a "$BASE" "$A"
		run read_only "$A/$dir" "$CA_TOOL" plan run -d "$A" "$P" \
			--yes "${OPS[@]}" --pin-fd 8 8< <(pins)
		[ "$status" -ne 0 ] && [ "$status" -lt 128 ]
		[[ $output =~ [Rr]ead-only|denied|token ]]
		goes_on
	done
}

@test "two at once: the second waits for nobody and changes nothing" {
	local Q=$BATS_TEST_TMPDIR/q.yaml pid
	rm -rf "$A"
	shim_authority
	must run_plan first <<-EOF
	$(step_key root-g1)
	$(step_root root-g1)
	EOF
	step_list l1 root-g1 | plan p > "$P"
	step_list l2 root-g1 | plan q > "$Q"
	orders 'delay C_Sign 3000000' "mark $BATS_TEST_TMPDIR/marks"
	ca-tool-pin plan run -d "$A" "$P" --yes > out 2>&1 3>&- &
	pid=$!
	for _ in {1..1200}; do
		[ -s marks ] && break
		sleep 0.05
	done
	run ca-tool-pin plan run -d "$A" "$Q" --yes
	refused 3 "another"
	run ca-tool plan check -d "$A" "$Q"
	refused 3 "another"
	run resume
	refused 3 "another"
	wait "$pid"
	orders
	[ -e "$A/public/crls/l1.crl" ] && [ ! -e "$A/public/crls/l2.crl" ]
	says 'len(D("plan")) == 2'
	must ca-tool-pin plan run -d "$A" "$Q" --yes
	[ "$(crl_number "$A/public/crls/l2.crl")" -eq 2 ]
	sound
}

@test "an output that exists, wherever it came from" {
	local path
	for path in certs/s.pem certs/s.der crls/l1.crl crls/l1.pem \
		csrs/request.csr; do
		mkdir -p "$A/public/$(dirname "$path")"
		echo mine > "$A/public/$path"
		unchanged ca-tool-pin plan run -d "$A" "$P" --yes
		refused 3 NAME-TAKEN "$path"
		rm "$A/public/$path"
		ln -s /nonexistent "$A/public/$path"
		unchanged ca-tool-pin plan run -d "$A" "$P" --yes
		refused 3 "$path"
		rm "$A/public/$path"
	done
	must ca-tool-pin plan run -d "$A" "$P" --yes
}
