#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Runs a command as root in a fresh, minimal Debian that holds a clone of this tree, and removes
# that Debian afterwards: also after a failure, a signal or a kill. It shows what a tree needs that
# has only been built where people have worked, and makes packages for other releases of Debian.
#
#	debian-root.sh SUITE [OPTION]... [-- COMMAND [ARGUMENT]...]
#
#	SUITE		bookworm, trixie, sid, or another suite of Debian's mirror
#	-o FOLDER	the command finds this folder, made where it is missing, as /out, for files that
#			are to stay
#	-b FOLDER	the command finds this folder under the same path, read-only; may be repeated
#	-e NAME=VALUE	a variable for the command's environment; may be repeated
#	COMMAND		runs in the clone, /root/obs-flashvsr, with this script's standard input;
#			`bash` without one
#
# The clone holds what is committed. Beside the packages that every Debian has there are git and
# ca-certificates; scripts/install-deps.sh installs the rest. From the machine come /dev, /sys, the
# CUDA toolkit (read-only, as /usr/local/cuda), name resolution, apt's proxies, certificates of its
# own in /usr/local/share/ca-certificates, /etc/pip.conf, and of the environment only the variables
# of proxies, of pip and CI. Processes, mounts and shared memory are the root's own and end with
# the command.
#
# Environment:
#	TMPDIR			where the root is made (default /var/tmp; all packages take 8 GB)
#	DEBIAN_ROOT_CACHE	folder that keeps downloaded packages for the next root
#	DEBIAN_MIRROR		default http://deb.debian.org/debian
#	DEBIAN_SECURITY_MIRROR	default http://deb.debian.org/debian-security
#	CUDA_HOME		the toolkit (default /usr/local/cuda)
#
# Exits with the command's status, or with 125 where a root could not be made (not root, mounting
# not permitted, no mirror): the last line on standard error says why. Needs mmdebstrap and
# util-linux, and installs them where they are missing.
set -euo pipefail

tree=$(cd "$(dirname "$0")/.." && pwd)
temporary=${TMPDIR:-/var/tmp}
prefix=obs-flashvsr-root
clone=/root/obs-flashvsr

no_root() {
	echo "debian-root.sh: no root could be made: $*" >&2
	exit 125
}

usage() {
	echo "usage: debian-root.sh SUITE [-o FOLDER] [-b FOLDER]... [-e NAME=VALUE]..." \
		"[-- COMMAND [ARGUMENT]...]" >&2
	exit 2
}

sources() {
	local mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
	local security=${DEBIAN_SECURITY_MIRROR:-http://deb.debian.org/debian-security}

	echo "deb $mirror $suite main"
	case $suite in
	sid | unstable | experimental) ;;
	*)
		echo "deb $mirror $suite-updates main"
		echo "deb $security $suite-security main"
		;;
	esac
}

# Writes how this machine's apt reaches its servers; what else it is set to is its own business.
apt_access() {
	apt-config dump |
		grep -E '^Acquire::(http|https|Retries|Check-Valid-Until|Check-Date)\b' |
		grep -v 'Proxy-Auto-Detect' || true
}

# Copies packages without a second copy on the disk where both folders share one.
keep_packages() { # FROM TO
	local file

	for file in "$1"/*.deb; do
		[ -f "$file" ] || continue
		ln "$file" "$2/" 2>/dev/null || cp -n "$file" "$2/"
	done
}

bind_read_only() { # FROM TO
	mkdir -p "$2"
	mount --bind "$1" "$2"
	mount -o remount,bind,ro "$2"
}

# Makes the root and what the command finds in it, from inside the mounts that end with it.
make_root() {
	local cuda folder skip=()

	apt_access >"$work/seed/apt.conf"
	sources >"$work/seed/sources"
	[ -z "${DEBIAN_ROOT_CACHE:-}" ] || skip=(--skip=cleanup/apt/cache)
	TMPDIR=$work mmdebstrap --quiet --mode=root --variant=minbase "${skip[@]}" \
		--include=git,ca-certificates --aptopt="$work/seed/apt.conf" \
		--setup-hook='"$FVSR_ROOT_SCRIPT" --seed "$1"' \
		"$suite" "$root" "$work/seed/sources"
	# No service of a package starts.
	printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
	chmod 755 "$root/usr/sbin/policy-rc.d"
	[ ! -f /etc/pip.conf ] || cp /etc/pip.conf "$root/etc/"
	cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
	GIT_CONFIG_GLOBAL=$work/seed/gitconfig git clone --quiet "$tree" "$root$clone"
	git -C "$root$clone" remote remove origin

	mount -t proc proc "$root/proc"
	mount --rbind /sys "$root/sys"
	mount --rbind /dev "$root/dev"
	mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
	cuda=$(realpath -e "${CUDA_HOME:-/usr/local/cuda}" 2>/dev/null || true)
	if [ -n "$cuda" ]; then
		bind_read_only "$cuda" "$root$cuda"
		[ "$cuda" = /usr/local/cuda ] || ln -s "$cuda" "$root/usr/local/cuda"
	fi
	if [ -n "$out" ]; then
		mkdir "$root/out"
		mount --bind "$out" "$root/out"
	fi
	while IFS= read -r folder; do
		[ -z "$folder" ] || bind_read_only "$folder" "$root$folder"
	done <<<"$binds"
}

# Puts into the empty root what must be there before its first packages: how they are installed,
# kept ones, and the machine's certificates.
seed() { # ROOT
	mkdir -p "$1/var/cache/apt/archives" "$1/usr/local/share/ca-certificates" \
		"$1/etc/dpkg/dpkg.cfg.d"
	# Nothing here outlives the command, so nothing needs to be written to the disk at once.
	echo force-unsafe-io >"$1/etc/dpkg/dpkg.cfg.d/unsafe-io"
	[ -z "${DEBIAN_ROOT_CACHE:-}" ] ||
		keep_packages "$DEBIAN_ROOT_CACHE" "$1/var/cache/apt/archives"
	cp -RL /usr/local/share/ca-certificates/. "$1/usr/local/share/ca-certificates/" 2>/dev/null ||
		true
}

# Is the first process of the root's own process namespace: all others end with it.
inside() { # COMMAND [ARGUMENT]...
	local status=0 name variables=() pid rest

	# /proc is still the machine's, so this is the number that the script outside can kill.
	read -r pid rest </proc/self/stat
	echo "$pid" >"$work/first-process"
	make_root
	for name in http_proxy https_proxy ftp_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY CI \
		TERM PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_TRUSTED_HOST PIP_DEFAULT_TIMEOUT; do
		[ -z "${!name+set}" ] || variables+=("$name=${!name}")
	done
	while IFS= read -r name; do
		[ -z "$name" ] || variables+=("$name")
	done <<<"$environment"
	: >"$work/made"
	echo "debian-root.sh: $suite, made in $SECONDS s" >&2

	env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		"${variables[@]}" chroot "$root" \
		sh -c 'cd "$1" && shift && exec "$@"' sh "$clone" "$@" || status=$?
	[ -z "${DEBIAN_ROOT_CACHE:-}" ] ||
		keep_packages "$root/var/cache/apt/archives" "$DEBIAN_ROOT_CACHE"
	exit "$status"
}

# Deletes a folder of this script, unless something is still mounted in it.
remove() { # FOLDER
	if grep -qF " $1/" /proc/self/mountinfo; then
		echo "debian-root.sh: $1 is left: something is mounted in it" >&2
		return
	fi
	rm -rf --one-file-system "$1"
}

# Removes what earlier runs left that were killed: nobody holds the lock of their folder.
remove_leftovers() {
	local folder

	for folder in "$temporary/$prefix".*; do
		[ -d "$folder" ] || continue
		(flock -n 8 && remove "$folder") 8<"$folder" || true
	done
}

case ${1:-} in
--seed)
	seed "$2"
	exit
	;;
--inside)
	shift
	inside "$@"
	;;
-* | "") usage ;;
esac

suite=$1 out='' binds='' environment=''
shift
while getopts o:b:e: option; do
	case $option in
	o) out=$OPTARG ;;
	b) binds+=$(realpath -e "$OPTARG")$'\n' ;;
	e) environment+=$OPTARG$'\n' ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || set -- bash

[ "$(id -u)" = 0 ] || no_root "this needs to be root"
"$tree/scripts/install-deps.sh" root >&2 || no_root "mmdebstrap could not be installed"
unshare --mount --propagation private --pid --fork true 2>/dev/null ||
	no_root "this machine permits no mounts"
[ -z "$(git -c safe.directory='*' -C "$tree" status --porcelain 2>/dev/null)" ] ||
	echo "debian-root.sh: changes that are not committed are left out" >&2
if [ -n "$out" ]; then
	mkdir -p "$out"
	out=$(realpath -e "$out")
fi
if [ -n "${DEBIAN_ROOT_CACHE:-}" ]; then
	mkdir -p "$DEBIAN_ROOT_CACHE"
	DEBIAN_ROOT_CACHE=$(realpath -e "$DEBIAN_ROOT_CACHE")
fi

remove_leftovers
# Until it is locked, another script may take the new folder for a leftover.
work=
until [ -d "$work" ]; do
	work=$(mktemp -d "$temporary/$prefix.XXXXXX") ||
		no_root "nothing can be written in $temporary"
	exec 9<"$work"
	flock 9
done
chmod 755 "$work"
root=$work/root
mkdir "$work/seed"
printf '[safe]\n\tdirectory = *\n' >"$work/seed/gitconfig"

# The mounts live in a namespace that ends with its first process, and that process with this one.
export FVSR_ROOT_SCRIPT=$tree/scripts/debian-root.sh
export suite out binds environment work root DEBIAN_ROOT_CACHE
child=
finish() {
	trap '' HUP INT TERM
	# Killing the first process ends all of them before unshare returns.
	[ -z "$child" ] || kill -KILL "$(cat "$work/first-process" 2>/dev/null || echo "$child")" ||
		true
	wait || true
	remove "$work"
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

status=0
setpriv --pdeathsig KILL unshare --mount --propagation private --pid --fork --kill-child \
	"$FVSR_ROOT_SCRIPT" --inside "$@" <&0 9<&- &
child=$!
wait "$child" || status=$?
child=
[ -e "$work/made" ] || no_root "see above"
exit "$status"
