#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Tries the packages of scripts/package-linux.sh as a user does: in a fresh Debian of each release,
# which has never seen a compiler, it installs the release's OBS Studio and the package, lets OBS
# upscale and record the demo clip, and removes the package again; then the same with the portable
# tarball, unpacked in a home.
#
#	try-packages.sh PACKAGES OUT [SUITE]...		root only; all of bookworm, trixie, sid by default
#	try-packages.sh --inside SUITE PACKAGES		inside such a Debian; results in /out
#
# OUT gets a folder for each, SUITE-deb and SUITE-portable, with recording, pictures and OBS' log.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
step() { printf '\n== %s\n' "$*"; }
die() {
	echo "try-packages.sh: $*" >&2
	exit 1
}

if [ "${1:-}" != --inside ]; then
	[ $# -ge 2 ] || {
		sed -n '3,/^$/s/^#[ \t]\?//p' "$0" >&2
		exit 2
	}
	packages=$(realpath "$1") out=$(realpath -m "$2")
	shift 2
	[ $# -gt 0 ] || set -- bookworm trixie sid
	for suite in "$@"; do
		step "$suite"
		"$root/scripts/debian-root.sh" "$suite" -o "$out" -b "$packages" -- \
			scripts/try-packages.sh --inside "$suite" "$packages"
	done
	exit
fi

# ---- inside --------------------------------------------------------------------------------------

suite=$2 packages=$3
case $suite in
bookworm) deb=("$packages"/obs-flashvsr_*~deb12u*.deb) ;;
trixie) deb=("$packages"/obs-flashvsr_*~deb13u*.deb) ;;
sid) deb=("$packages"/obs-flashvsr_*~sid*.deb) ;;
*) die "no package is made for '$suite'" ;;
esac
tarball=$(echo "$packages"/*-portable.tar.gz)
export DEBIAN_FRONTEND=noninteractive
apt() { apt-get -q -y --no-install-recommends -o Dpkg::Options::=--force-unsafe-io "$@" >/dev/null; }
# A user has a home, and is not root.
as_user() { runuser -u viewer -- env HOME=/home/viewer PATH="$PATH" "$@"; }
useradd --create-home viewer
chmod 755 /root # the clone with the demo is below it
for kind in deb portable; do
	mkdir -p "/out/$suite-$kind"
	chown viewer "/out/$suite-$kind"
done

step "$suite: the portable command line where there is nothing but Debian's base"
[ ! -e /usr/lib/x86_64-linux-gnu/libgomp.so.1 ] || die "there is a libgomp, which is to be missing"
as_user tar -xzf "$tarball" -C /home/viewer
as_user /home/viewer/.local/bin/fvsr info --backends
as_user /home/viewer/.local/bin/fvsr bench --size 64x64 --chunks 1 | grep -F ' on cpu-plain, ' ||
	die "it does not compute without OpenMP and oneDNN"

step "$suite: OBS Studio and ${deb[0]##*/}"
apt update
apt install obs-studio
apt install "${deb[0]}"
dpkg-query -W -f '${Package} ${Version}, needs ${Depends}\n' obs-flashvsr
for file in $(dpkg -L obs-flashvsr | grep '/plugins/obs-flashvsr\.so$\|/bin/fvsr$'); do
	! ldd "$file" | grep 'not found' || die "$file lacks libraries"
done
fvsr info --backends
"$root/scripts/install-deps.sh" demo >/dev/null
as_user "$root/scripts/demo.sh" --installed --out "/out/$suite-deb"

step "$suite: removed"
apt purge obs-flashvsr
left=$(find / -xdev \( -path /home -o -path /root -o -path /out -o -path "$packages" -o -path /proc \
	\) -prune -o -iname '*flashvsr*' -print)
[ -z "$left" ] || die "this is left: $left"

step "$suite: OBS Studio and ${tarball##*/}"
as_user /home/viewer/.local/bin/fvsr info --backends
as_user "$root/scripts/demo.sh" --portable "$tarball" --out "/out/$suite-portable"
