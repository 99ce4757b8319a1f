#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The packages for this Debian and for Windows: installs what is missing, builds, and leaves in
# out/packages (or the folder that is named)
#
#	obs-flashvsr_VERSION_amd64.deb		filter, command line, manual page
#	libfvsr-dev_VERSION_amd64.deb		library and header, for programs
#	obs-flashvsr-VERSION-linux-x86_64.tar.gz	the same files, for systems with the same libraries
#	obs-flashvsr-VERSION-windows-x64-installer.exe	filter and command line
#	obs-flashvsr-VERSION-windows-x64.zip	the same, to be unpacked by hand
#	*.spdx.json				what is in each of these, with versions and licences
#	SHA256SUMS
#
# With --debs instead the Debian packages for every release that has its own, and a portable tarball,
# each made in a fresh Debian: see scripts/package-linux.sh.
#
# With --with-cublaslt before the folder also
#
#	obs-flashvsr-VERSION-windows-x64-cublaslt-installer.exe	with NVIDIA's cuBLASLt as an optional
#		part, from PyPI (0.4 GB to download)
#
# Device code is compiled once, for every kind of card, which takes long; FVSR_CUDA_ARCHS in the
# environment names fewer. Without nvcc the packages know processors only.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
if [ "${1:-}" = --debs ]; then
	shift
	exec "$root/scripts/package-linux.sh" "$@"
fi
cublaslt=
if [ "${1:-}" = --with-cublaslt ]; then
	cublaslt=$root/build-packages/cublaslt
	shift
fi
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
cmake --preset windows -S "$root" -B "$builds/windows" -DFVSR_BUILD_TESTS=OFF \
	"-DFVSR_WINDOWS_DEPS=$builds/windows-deps" "${images[@]}" "${archs[@]}"
cmake --build "$builds/windows" --parallel "$jobs"

if [ -n "$cublaslt" ] && [ ! -f "$cublaslt/components" ]; then
	step "cuBLASLt"
	mkdir -p "$cublaslt"
	echo "nvidia-cublas==13.0.2.14 --hash=sha256:5f7a90456b1392db60e28719547ba6e00696bfa81304b6887cf287f9edf2c1d7" \
		>"$cublaslt/wheels"
	/usr/bin/python3 -m pip download --no-deps --platform win_amd64 --only-binary=:all: \
		--require-hashes --requirement "$cublaslt/wheels" --dest "$cublaslt"
	unzip -q -o -j "$cublaslt"/nvidia_cublas-*.whl '*/cublasLt64_13.dll' -d "$cublaslt"
	unzip -p "$cublaslt"/nvidia_cublas-*.whl '*/License.txt' >"$cublaslt/cuBLAS.txt"
	printf 'nvidia-cublas\t%s\tLicenseRef-cuBLAS\tshipped\tpkg:pypi/nvidia-cublas@%s\t%s\t%s\n' \
		13.0.2.14 13.0.2.14 cublasLt64_13.dll \
		"$(sha256sum <"$cublaslt/cublasLt64_13.dll" | cut -d ' ' -f 1)" >"$cublaslt/components"
	rm "$cublaslt"/nvidia_cublas-*.whl
fi

step "Packages"
rm -rf "$out"
mkdir -p "$out"
# The same commit makes the same bytes (tests/packages/reproducible.sh).
SOURCE_DATE_EPOCH=$(git -C "$root" log -1 --format=%ct 2>/dev/null || date +%s)
export SOURCE_DATE_EPOCH
for kind in DEB TGZ; do
	(cd "$builds/linux" && umask 022 && cpack -G "$kind" -B "$builds/cpack" >/dev/null)
done
"$root/scripts/repack-tar.sh" "$builds/cpack/"*.tar.gz
mv "$builds/cpack/"*.deb "$builds/cpack/"*.tar.gz "$out/"
rm -rf "$builds/cpack"
"$root/installer/windows.sh" "$builds/windows" "$out" ${cublaslt:+"$cublaslt"}
"$root/scripts/sbom.py" "$out" "*windows*=$builds/windows-deps/components" \
	"*-cublaslt-installer.exe=$builds/cublaslt/components"
(cd "$out" && sha256sum -- * >SHA256SUMS && ls -l && cat SHA256SUMS)
