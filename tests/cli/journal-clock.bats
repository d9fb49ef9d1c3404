#!/usr/bin/env bats
# A second clock beside the machine's: both readings and their offset are
# journalled, and far too much between them is refused.

load ceremony-helper

setup_file() {
	base_authority
}

setup() {
	copy_authority
	step_list one root-g1 | plan one > "$P"
}

run_at() { # TIME
	ca-tool-pin plan run -d "$A" "$P" --yes --clock "$1"
}

offset() { # SECONDS: the time of day, so many seconds from now
	date -u -d "$1 seconds" +%H:%M:%S
}

@test "without a second clock, the journal says so" {
	must ca-tool-pin plan run -d "$A" "$P" --yes
	says 'D("plan")[-1]["clock"]["offset"] is None'
	says 'D("plan")[-1]["clock"]["other"] is None'
	says 'D("plan")[-1]["clock"]["clock"] <= K("plan")[-1]["time"]'
}

@test "some seconds: both readings and the offset" {
	must run_at "$(offset -30)"
	says '27 <= D("plan")[-1]["clock"]["offset"] <= 33'
	says 'D("plan")[-1]["clock"]["other"] < D("plan")[-1]["clock"]["clock"]'
}

@test "minutes are a warning" {
	run run_at "$(offset 180)"
	[ "$status" -eq 0 ]
	[[ $output == *"seconds behind the second one"* ]]
	says 'D("plan")[-1]["clock"]["offset"] < -170'
}

@test "more than ten minutes: nothing is opened or signed" {
	nothing_signed run_at "$(offset 700)"
	refused 3 "behind the second one" "set the computer's"
	nothing_signed run_at "$(date -u -d '-2 days' +%Y-%m-%dT%H:%M:%SZ)"
	refused 3 "ahead of the second one"
}

@test "what is no time" {
	local bad
	for bad in '' noon 25:00 12 12:00:61 '12:00 '; do
		nothing_signed run_at "$bad"
		refused 2 "clock"
	done
}

@test "a resume compares anew" {
	shim_authority_again
	orders 'kill C_Sign 1'
	run run_at "$(offset 0)"
	[ "$status" -eq 137 ]
	orders
	run ca-tool-pin plan run --resume -d "$A" --yes --clock "$(offset 900)"
	refused 3 "second one"
	must ca-tool-pin plan run --resume -d "$A" --yes --clock "$(offset 20)"
	says '-23 <= D("resumed")[-1]["clock"]["offset"] <= -17'
}

# The authority on the shim's token, with a root.
shim_authority_again() {
	rm -rf "$A"
	shim_authority
	{ step_key root-g1; step_root root-g1; } | plan first > "$P"
	must ca-tool-pin plan run -d "$A" "$P" --yes
	step_list one root-g1 | plan one > "$P"
}
