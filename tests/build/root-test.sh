#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# .ci/run and scripts/debian-root.sh with a small tree whose test command says where it runs.
#
#	root-test.sh refused|made TREE
#
#	refused		where no root can be made it is said, and the tests run in place
#	made		in a root, which is gone afterwards, also after a kill: takes two minutes and the
#			network, so only with FVSR_TEST_LONG set
#
# Exits with 77 where FVSR_TEST_LONG is needed and not set.
set -euo pipefail

part=$1 tree=$(realpath "$2")
# shellcheck source=tests/expect.sh
. "$(dirname "$0")/../expect.sh"
if [ "$part" = made ] && [ -z "${FVSR_TEST_LONG:-}" ]; then
	echo "skipped: takes long: two minutes, and FVSR_TEST_LONG is not set"
	exit 77
fi

work=$(mktemp -d)
trap 'rm -rf --one-file-system "$work"' EXIT
unset FVSR_TEST_DATA DEBIAN_ROOT_CACHE
export TMPDIR=$work/roots
mkdir -p "$TMPDIR" "$work/tree/scripts" "$work/shared/golden"
cp -r "$tree/.ci" "$work/tree/"
cp "$tree/scripts/debian-root.sh" "$tree/scripts/install-deps.sh" "$work/tree/scripts/"
cat >"$work/tree/scripts/test.sh" <<'TEST'
#!/bin/bash
read -r line || line="no input"
echo "in $PWD: $line, CI=$CI, $(ls "$FVSR_TEST_DATA"), $(cat /etc/debian_version)"
echo "3 passed, 1 failed, 0 skipped"
exit 3
TEST
chmod +x "$work/tree/scripts/test.sh"
cd "$work/tree"
git init -q
git add -A
git -c user.name=test -c user.email=test@localhost commit -qm tree

ci() {
	status=0
	echo input | timeout 600 .ci/run >"$work/said" 2>&1 || status=$?
}
says() { grep -qE "$1" "$work/said" || {
	cat "$work/said"
	return 1
}; }
ends_with_sums() { [ "$(tail -n 1 "$work/said")" = "3 passed, 1 failed, 0 skipped" ]; }
nothing_left() { [ -z "$(ls -A "$TMPDIR")" ]; }

case $part in
refused)
	# Nobody answers there; without rights it is refused sooner.
	export DEBIAN_MIRROR=http://127.0.0.1:9/debian DEBIAN_SECURITY_MIRROR=http://127.0.0.1:9/s
	ci
	expect "the status is that of the tests" [ "$status" = 3 ]
	expect "it says why there is no root" says '^debian-root.sh: no root could be made: '
	expect "and tests in place" says "^in $work/tree: no input, CI=true, golden, "
	expect "the sums are the last line" ends_with_sums
	expect "nothing is left" nothing_left
	status=0
	scripts/debian-root.sh bookworm -- true >"$work/said" 2>&1 || status=$?
	expect "a status of its own without a root" [ "$status" = 125 ]
	;;
made)
	ci
	expect "the status is that of the tests" [ "$status" = 3 ]
	expect "they ran in Debian 12" says '^in /root/obs-flashvsr: no input, CI=true, golden, 12\.'
	expect "the sums are the last line" ends_with_sums
	expect "nothing is left" nothing_left

	scripts/debian-root.sh bookworm -o "$work/out" -- \
		sh -c 'sleep 1000 & touch /out/there; sleep 1000' &
	root=$!
	for _ in $(seq 300); do
		[ ! -e "$work/out/there" ] || break
		sleep 1
	done
	expect "a file comes back" [ -e "$work/out/there" ]
	kill -KILL $root
	wait $root || true
	expect "a killed one leaves its folder" [ "$(ls "$TMPDIR" | wc -l)" = 1 ]
	DEBIAN_MIRROR=http://127.0.0.1:9/debian scripts/debian-root.sh bookworm -- true || true
	expect "which the next one removes" nothing_left
	;;
esac
exit $failed
