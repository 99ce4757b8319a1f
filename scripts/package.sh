#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Every package of obs-flashvsr, from a fresh Debian 12: installs what is missing, builds for Linux
# and for Windows, and leaves in out/packages (or the folder that is named)
#
#	obs-flashvsr_VERSION_amd64.deb		filter, command line, manual page
#	libfvsr-dev_VERSION_amd64.deb		library and header, for programs
#	obs-flashvsr-VERSION-linux-x86_64.tar.gz	the same files, for other systems
#	obs-flashvsr-VERSION-windows-x64-installer.exe	filter and command line
#	obs-flashvsr-VERSION-windows-x64.zip	the same, to be unpacked by hand
#	SHA256SUMS
#
# Device code is compiled once, for every kind of card, which takes long; FVSR_CUDA_ARCHS in the
# environment names fewer. Without nvcc the packages know processors only.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
out=$(realpath -m "${1:-$root/out/packages}")
builds=$root/build-packages
jobs=$(nproc)

"$root/scripts/install-deps.sh" build windows
step() { printf '\n== %s\n' "$*"; }

archs=()
[ -z "${FVSR_CUDA_ARCHS:-}" ] || archs=("-DFVSR_CUDA_ARCHS=$FVSR_CUDA_ARCHS")

step "Linux"
cmake -S "$root" -B "$builds/linux" -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX=/usr \
	-DFVSR_BUILD_TESTS=OFF "${archs[@]}"
cmake --build "$builds/linux" --parallel "$jobs"

step "Windows"
"$root/scripts/windows-deps.sh" "$builds/windows-deps"
images=(-DFVSR_CUDA=OFF)
if compgen -G "$builds/linux/core/backend/cuda/*.fatbin" >/dev/null; then
	images=("-DFVSR_CUDA_IMAGE_DIR=$builds/linux/core/backend/cuda")
fi
cmake --preset windows-x64 -S "$root" -B "$builds/windows" -DFVSR_BUILD_TESTS=OFF \
	"-DFVSR_WINDOWS_DEPS=$builds/windows-deps" "${images[@]}" "${archs[@]}"
cmake --build "$builds/windows" --parallel "$jobs"

step "Packages"
rm -rf "$out"
mkdir -p "$out"
# The same tree makes the same bytes, as far as the tools allow it.
SOURCE_DATE_EPOCH=$(git -C "$root" log -1 --format=%ct 2>/dev/null || date +%s)
export SOURCE_DATE_EPOCH
for kind in DEB TGZ; do
	(cd "$builds/linux" && umask 022 && cpack -G "$kind" -B "$builds/cpack" >/dev/null)
done
mv "$builds/cpack/"*.deb "$builds/cpack/"*.tar.gz "$out/"
rm -rf "$builds/cpack"
"$root/installer/windows.sh" "$builds/windows" "$out"
(cd "$out" && sha256sum -- * >SHA256SUMS && ls -l && cat SHA256SUMS)
