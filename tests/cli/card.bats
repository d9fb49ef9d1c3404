#!/usr/bin/env bats
# An operator whose keys are on a card: a token of her own that p11-kit serves
# from another process.  Killing that process pulls the card.

load quorum-helper

setup_file() {
	export BATS_TEST_TMPDIR=${BATS_TEST_TMPDIR-$BATS_FILE_TMPDIR}
	quorum_people
	# The path of a socket is short.
	CARD=$(mktemp -d /tmp/card-XXXXXX)
	export CARD
	mkdir "$CARD/tokens"
	echo "directories.tokendir = $CARD/tokens" > "$CARD/softhsm2.conf"
	SOFTHSM2_CONF=$CARD/softhsm2.conf pkcs11-tool --module "$SOFTHSM" \
		--init-token --label carol --so-pin 87654321 --slot-index 0
	SOFTHSM2_CONF=$CARD/softhsm2.conf pkcs11-tool --module "$SOFTHSM" \
		--token-label carol --login --login-type so --so-pin 87654321 \
		--init-pin --new-pin "$PHRASE"
	insert_card
	URI="pkcs11:token=carol?module-path=$(find /usr/lib \
		-name p11-kit-client.so | head -n 1)"
	export URI="$URI&x-server-address=unix:path=$CARD/socket"
	cd "$PEOPLE" || return
	rm carol.*
	must ca-tool operator new carol --card "$URI" --type rsa-3072 \
		--passphrase-fd carol=8 8< <(phrases)
	export BASE=$BATS_FILE_TMPDIR/base
	must by_card "alice bob" init "$BASE" --id example.org/test \
		--operators "$PEOPLE/set.yaml" \
		--crl-url 'http://crl.example.org/{issuer}.crl' \
		--ca-issuers-url 'http://ca.example.org/{issuer}.der' \
		--ocsp-url 'http://ocsp.example.org/'
}

teardown_file() {
	pull_card
	rm -rf "$CARD"
}

setup() {
	A=$BATS_TEST_TMPDIR/authority
	P=$BATS_TEST_TMPDIR/plan.yaml
	cp -a "$BASE" "$A"
	cd "$BATS_TEST_TMPDIR" || return
	[ -S "$CARD/socket" ] || insert_card
}

insert_card() {
	SOFTHSM2_CONF=$CARD/softhsm2.conf setsid p11-kit server --foreground \
		--name "$CARD/socket" --provider "$SOFTHSM" pkcs11:token=carol \
		> "$CARD/log" 2>&1 3>&- &
	echo $! > "$CARD/pid"
	for _ in {1..600}; do
		[ -S "$CARD/socket" ] && return
		sleep 0.1
	done
	return 1
}

pull_card() {
	kill "$(cat "$CARD/pid")" 2> /dev/null
	rm -f "$CARD/socket"
}

# by_card "NAME..." COMMAND...: carol with her card, and others.
by_card() {
	local names
	read -ra names <<< "$1"
	shift
	present "${names[@]}"
	ca-tool "$@" "${WHO[@]}" --operator "carol=$URI" \
		--passphrase-fd carol=8 8< <(phrases)
}

@test "a card approves, opens its share and confirms" {
	must by_card "" share check -d "$A" carol
	root_plan root-g1 > "$P"
	must by_card "alice" plan run -d "$A" "$P" --yes
	says '"carol" in [d["name"] for d in D("approval")]'
	says '"carol" in [d["name"] for d in D("confirmation")]'
	[ -s "$A/public/certs/root-g1.pem" ]
}

@test "its keys cannot be got out of the card" {
	run env SOFTHSM2_CONF="$CARD/softhsm2.conf" pkcs11-tool \
		--module "$SOFTHSM" --token-label carol --login --pin "$PHRASE" \
		--list-objects --type privkey
	[ "$(grep -c "never extractable" <<< "$output")" -eq 2 ]
}

@test "a wrong card PIN is tried once" {
	run ca-tool share check -d "$A" carol --operator "carol=$URI" \
		--passphrase-fd carol=8 8< <(printf 'wrong-pin-1\n%s\n' "$PHRASE")
	refused 4 "PIN"
}

@test "another card, without these keys" {
	run by_card "" plan status -d "$A" x
	[ "$status" -ne 0 ]
	run ca-tool share check -d "$A" alice --operator "alice=$URI" \
		--passphrase-fd alice=8 8< <(phrases)
	refused 4 "carol|key"
}

@test "the card is pulled: a clear sentence, nothing signed, others go on" {
	root_plan root-g1 > "$P"
	DIR=$A/ceremonies/$(keep)
	must by_card "" plan approve -d "$A" "$DIR" --yes
	pull_card
	run by_card "alice" plan run -d "$A" "$DIR" --yes
	refused 4 "carol|token"
	says 'len(D("plan")) == 0'
	must by "alice bob" plan run -d "$A" "$DIR" --yes
	says '"carol" in [d["name"] for d in D("approval")]'
	insert_card
}

@test "the card is pulled while the run goes on: it stays open, and is resumed" {
	root_plan root-g1 > "$P"
	DIR=$A/ceremonies/$(keep)
	must by_card "alice" plan approve -d "$A" "$DIR" --yes
	mkfifo gate
	(
		# After carol's share was opened, keys are made; then she confirms.
		for _ in {1..1200}; do
			[ -e "$DIR/list-0" ] && break
			sleep 0.05
		done
		pull_card
		phrases
	) > gate &
	# alice is asked first, and is slow.
	run ca-tool plan run -d "$A" "$DIR" --yes \
		--operator "alice=file:$PEOPLE/alice.key" \
		--operator "carol=$URI" \
		--passphrase-fd alice=7 --passphrase-fd carol=8 \
		7< <(echo "$PHRASE"; cat gate) 8< <(phrases)
	wait
	[ "$status" -ne 0 ]
	says 'len(D("intent")) == 0'
	must by "alice bob" plan run --resume -d "$A" --yes
	[ -s "$A/public/certs/root-g1.pem" ]
	sound
	insert_card
}
