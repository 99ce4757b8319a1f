#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a user of Debian 12 does, in a system of its own that has never seen a compiler of ours:
# installs the distribution's OBS Studio, then the package, lets OBS upscale and record a clip, and
# removes the package again, after which no file of it may be left.
#
#	clean-root.sh [--long] DEB|BUILD [WORK]
#
#	--long	only where FVSR_TEST_LONG is set: for a suite of tests that shall stay short
#	DEB	the package to test, or the folder of a build to pack first
#	WORK	where the system is made; what was downloaded stays in WORK/cache for the next
#		time, and OBS' log, recording and pictures are left in WORK/out
#
# The system's mounts and processes live in namespaces of their own: however this ends, the kernel
# takes them away. Exits with 77 and a reason where it cannot be tried: not root, no debootstrap, no
# mirror of Debian 12.
set -euo pipefail

tree=$(cd "$(dirname "$0")/../.." && pwd)
suite=bookworm

skip() {
	echo "skipped: $*"
	exit 77
}
step() { printf '\n== %4d s  %s\n' "$SECONDS" "$*"; }

# ---- outside: what is needed, and namespaces -----------------------------------------------------

if [ -z "${FVSR_CLEAN_ROOT:-}" ]; then
	if [ "${1:-}" = --long ]; then
		[ -n "${FVSR_TEST_LONG:-}" ] || skip "takes long: three minutes, and FVSR_TEST_LONG is not set"
		shift
	fi
	[ -n "${1:-}" ] || {
		sed -n '3,/^$/s/^#[ \t]\?//p' "$0" >&2
		exit 2
	}
	[ "$(id -u)" = 0 ] || skip "only root can make another system"
	for tool in debootstrap dpkg-deb unshare chroot; do
		command -v "$tool" >/dev/null || skip "no $tool"
	done
	unshare --mount --pid --fork true 2>/dev/null || skip "no namespaces may be made here"
	# shellcheck disable=SC2016
	mirror=$(apt-get indextargets --format '$(CODENAME) $(COMPONENT) $(REPO_URI)' \
		'Created-By: Packages' | awk -v s=$suite '$1 == s && $2 == "main" { print $3; exit }')
	[ -n "$mirror" ] || skip "apt's sources name no mirror of $suite"
	wget -q --spider --timeout=20 --tries=2 "${mirror%/}/dists/$suite/InRelease" ||
		skip "$mirror is not reached"

	work=${2:-}
	if [ -z "$work" ]; then
		work=$(mktemp -d)
		trap 'rm -rf --one-file-system "$work"' EXIT
	fi
	mkdir -p "$work/cache" "$work/out"
	work=$(realpath "$work")
	deb=$1
	if [ -d "$deb" ]; then
		rm -rf "$work/cpack"
		(cd "$deb" && umask 022 && cpack -G DEB -B "$work/cpack" >"$work/cpack.log")
		deb=$(echo "$work"/cpack/obs-flashvsr_*.deb)
	fi
	rm -rf --one-file-system "$work/root"
	status=0
	FVSR_CLEAN_ROOT=$work FVSR_CLEAN_MIRROR=$mirror unshare --mount --pid --fork --kill-child \
		"$0" "$(realpath "$deb")" || status=$?
	# What failed may be looked at.
	[ $status != 0 ] || rm -rf --one-file-system "$work"/{root,cpack,before,after,files,packages}
	exit $status
fi

# ---- inside -------------------------------------------------------------------------------------

deb=$1
work=$FVSR_CLEAN_ROOT
root=$work/root
# shellcheck source=tests/expect.sh
. "$tree/tests/expect.sh"
die() {
	echo "FAILED  $*"
	[ ! -f "$work/log" ] || tail -n 25 "$work/log"
	exit 1
}
inside() { # COMMAND... as the system's root, with nothing of this one's environment
	env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
		${http_proxy:+http_proxy="$http_proxy"} chroot "$root" "$@" </dev/null
}
apt() { inside apt-get -q -y --no-install-recommends "$@" >>"$work/log" 2>&1; }
# Every file with its size, but what apt, dpkg and programs note for themselves.
listing() {
	inside find / -xdev \( -path /var/lib/dpkg -o -path /var/lib/apt -o -path /var/cache \
		-o -path /var/log -o -path /tmp -o -path /home -o -path /test \) -prune -o \
		\( -type d -printf '%p\n' -o -printf '%p %y %m %u %s %l\n' \) | sort
}
remove_again() { # LISTING-BEFORE
	apt purge obs-flashvsr || die "it is not removed"
	apt purge --autoremove || die "what came with it is not removed"
	listing >"$work/after"
	expect "all is as before it was installed" diff "$1" "$work/after"
	expect "nothing has its name" [ -z "$(inside find / -xdev \
		\( -path /home -o -path /test -o -path /tmp \) -prune -o -iname '*flashvsr*' -print)" ]
	expect "dpkg does not know it" [ -z "$(inside dpkg-query -W -f '${db:Status-Status}' \
		obs-flashvsr 2>/dev/null | grep -v not-installed)" ]
}

: >"$work/log"
step "Debian 12"
debootstrap --variant=minbase --cache-dir="$work/cache" "$suite" "$root" "$FVSR_CLEAN_MIRROR" \
	>>"$work/log" 2>&1 || die "debootstrap"
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
mount --bind "$work/cache" "$root/var/cache/apt/archives"
# Nothing here outlives the test, so nothing need be written to disk at once; and no service starts.
echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/unsafe-io"
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod +x "$root/usr/sbin/policy-rc.d"
inside useradd --create-home viewer
mkdir -p "$root/test/data" "$root/test/out"
cp -r "$tree/scripts" "$root/test/"
cp -r "$tree/data/demo" "$root/test/data/"
cp "$deb" "$root/test/package.deb"
inside chown viewer /test/out

step "OBS Studio"
apt update || die "apt-get update"
apt install obs-studio || die "OBS Studio is not installed"
inside dpkg-query -W obs-studio
inside apt-mark showauto | sort >"$work/packages"
listing >"$work/before"

step "The package, where only OBS Studio is"
apt install /test/package.deb || die "the package is not installed"
inside dpkg-query -W -f '${Package} ${Version}, ${Installed-Size} KiB\n' obs-flashvsr
echo "with it came: $(inside apt-mark showauto | sort | comm -13 "$work/packages" - | xargs)"
inside dpkg -L obs-flashvsr >"$work/files"
plugin=$(grep '/obs-plugins/obs-flashvsr\.so$' "$work/files") || die "there is no plugin in it"
expect "the filter is where OBS' own are" inside test -d "${plugin%/*}" -a -f \
	"${plugin%/*}/frontend-tools.so"
expect "all its libraries are there" [ -z "$(inside ldd "$plugin" /usr/bin/fvsr |
	grep 'not found')" ]
expect "fvsr tells its version" inside fvsr --version
expect "fvsr reads the bundled model" inside fvsr info \
	/usr/share/obs/obs-plugins/obs-flashvsr/models/bundled.safetensors
step "Removed"
remove_again "$work/before"

step "What the demo needs besides"
inside /test/scripts/install-deps.sh demo >>"$work/log" 2>&1 || die "install-deps.sh"
listing >"$work/before"
step "The package again"
apt install /test/package.deb || die "the package is not installed again"

step "OBS Studio with the filter"
expect "OBS upscales and records" inside runuser -u viewer -- \
	/test/scripts/demo.sh --installed --out /test/out
cp "$root"/test/out/* "$work/out/" 2>/dev/null || true
log=$root/test/out/obs.log
expect "OBS loaded it" grep -q '^info:  *obs-flashvsr\.so$' "$log"
expect "OBS says what is upscaled" grep -qE '\[FlashVSR Upscale.*\] upscaling 320x180 to 640x360' \
	"$log"
expect "no file of OBS is missing to it" [ -z "$(grep -i 'flashvsr.*\(not found\|fail\)' "$log")" ]

step "Removed"
remove_again "$work/before"
step "Done"
exit $failed
