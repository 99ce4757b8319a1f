#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the build for Windows links and Debian has no build of: Jansson, libzip and libcurl, made as
# static libraries by the cross compiler from Debian's own source packages. So versions, patches
# and signatures are the distribution's, as for everything else that is built here. And oneDNN, as
# its makers built it and put it on PyPI: it is too large to be compiled along.
#
#	windows-deps.sh [FOLDER]	where include/ and lib/ shall be; build-windows-deps by default
#
# The folder's list `components` says what each is (scripts/components.sh).
#
# Does nothing when the folder is complete. Downloads nothing but through apt and pip; the lists of
# source packages are fetched into the folder, the system's own are left as they are.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=scripts/components.sh
. "$root/scripts/components.sh"
prefix=$(realpath -m "${1:-$root/build-windows-deps}")
triplet=x86_64-w64-mingw32
stamp=$prefix/complete
# A folder that another version of this script or of the toolchain file made is made anew.
made_by=$(cat "$0" "$root/scripts/components.sh" "$root/cmake/windows-x64.cmake" | sha256sum)

[ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$made_by" ] || exit 0
work=$prefix/work
if [ -n "$(ls -A "$prefix" 2>/dev/null)" ] && [ ! -f "$stamp" ] && [ ! -d "$work" ]; then
	echo "windows-deps.sh: $prefix is not empty and was not made here" >&2
	exit 1
fi
rm -rf "$prefix"
mkdir -p "$work/lists/partial" "$prefix/lib/pkgconfig" "$prefix/licences"
log=$work/log
trap '[ $? = 0 ] || { echo "windows-deps.sh: failed; the end of $log:"; tail -n 30 "$log"; } >&2' EXIT

# ---- sources ----------------------------------------------------------------------------------

# The archives this system installs from, asked for sources.
# shellcheck disable=SC1091
codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
# shellcheck disable=SC2016
apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
	sort -u | awk -v c="$codename" '$2 ~ "^" c "(-security|-updates)?$" && $3 == "main" \
		{ print "deb-src", $1, $2, $3 }' >"$work/sources.list"
[ -s "$work/sources.list" ] || {
	echo "windows-deps.sh: apt knows no archive of $codename" >"$log"
	exit 1
}
apt=(apt-get -q -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=-
	-o "Dir::State::lists=$work/lists" -o APT::Sandbox::User=)
cd "$work"
{
	"${apt[@]}" update
	"${apt[@]}" source jansson libzip curl
} >"$log" 2>&1 </dev/null

source_component jansson MIT
source_component libzip BSD-3-Clause
source_component curl curl
cp /usr/share/doc/libz-mingw-w64-dev/copyright "$prefix/licences/zlib"
cp /usr/share/doc/mingw-w64-x86-64-dev/copyright "$prefix/licences/mingw-w64"
cp /usr/share/doc/gcc-mingw-w64-base/copyright "$prefix/licences/gcc"
binary() { # NAME LICENCE FILE
	local package version

	package=$(dpkg -S "$3" | cut -d : -f 1)
	version=$(dpkg-query -W -f '${Version}' "$package")
	component "$1" "$version" "$2" linked "pkg:deb/debian/$package@$version" "$3"
}
binary zlib Zlib "/usr/$triplet/lib/libz.a"
binary mingw-w64 LicenseRef-mingw-w64 "/usr/$triplet/lib/libmingwex.a"
binary gcc "GPL-3.0-or-later WITH GCC-exception-3.1" "$("$triplet-gcc-posix" -print-libgcc-file-name)"
# What is distributed with oneDNN is under version 3 (see THIRD_PARTY_NOTICES.md).
cp /usr/share/common-licenses/GPL-3 "$prefix/licences/GPL-3"

# ---- oneDNN -----------------------------------------------------------------------------------

# The DLL as it is, under a name of ours, so that it is never taken for another program's; and an
# import library that asks for it at the first call only (core/backend/cpu/onednn/library.c).
cat >"$work/wheels" <<-'END'
	onednn-cpu-vcomp==2022.2.1 \
	  --hash=sha256:1cb0cf3defa73da34b7dad40a894e098f401310d4f11c6fb9bc48a3c7ac0e7dc
	onednn-devel-cpu-vcomp==2022.2.1 \
	  --hash=sha256:bd11d5d9ab1137e0c344113146820cb4618b1d4dd5bcc914a50a04922ce04b83
END
/usr/bin/python3 -m pip download --no-deps --platform win_amd64 --only-binary=:all: \
	--require-hashes --requirement "$work/wheels" --dest "$work/wheels.d" >>"$log" 2>&1
for wheel in "$work"/wheels.d/*.whl; do
	unzip -q -o "$wheel" -d "$work/onednn"
	echo "windows-deps: ${wheel##*/}"
	name=${wheel##*/} use=shipped
	version=${name#*-} version=${version%%-*} name=${name%%-*}
	[[ $name != *_devel_* ]] || use=headers
	component "${name//_/-}" "$version" Apache-2.0 $use "pkg:pypi/${name//_/-}@$version" "$wheel"
done
onednn=("$work"/onednn/onednn_{cpu,devel_cpu}_vcomp-*.data/data/Library)
mkdir -p "$prefix/include"
cp "${onednn[0]}/bin/dnnl.dll" "$prefix/lib/fvsr-dnnl.dll"
chmod 644 "$prefix/lib/fvsr-dnnl.dll"
cp -r "${onednn[1]}/include/." "$prefix/include/"
cat "${onednn[0]}"/share/doc/onednn/{LICENSE,THIRD-PARTY-PROGRAMS} >"$prefix/licences/oneDNN"
{
	echo EXPORTS
	"$triplet-objdump" -p "$prefix/lib/fvsr-dnnl.dll" | sed -n 's/^\t\[.*\] \(dnnl_[a-z0-9_]*\)$/\1/p'
} >"$work/dnnl.def"
"$triplet-dlltool" -m i386:x86-64 -d "$work/dnnl.def" -D fvsr-dnnl.dll \
	--output-delaylib "$prefix/lib/libdnnl.a" >>"$log" 2>&1

# ---- builds -----------------------------------------------------------------------------------

# Where this was built is nobody's business; and what cmake/Hardening.cmake says of our own files.
export CFLAGS="-ffile-prefix-map=$work/= -fstack-protector-strong -D_FORTIFY_SOURCE=2"

build() { # PACKAGE CMAKE-OPTION...
	local package=$1
	shift
	{
		cmake -S "$(source_of "$package")" -B "$work/build-$package" \
			-DCMAKE_TOOLCHAIN_FILE="$root/cmake/windows-x64.cmake" \
			-DFVSR_WINDOWS_DEPS="$prefix" -DCMAKE_INSTALL_PREFIX="$prefix" \
			-DCMAKE_INSTALL_LIBDIR=lib -DCMAKE_BUILD_TYPE=Release \
			-DBUILD_SHARED_LIBS=OFF "$@"
		cmake --build "$work/build-$package" --parallel "$(nproc)"
		cmake --install "$work/build-$package"
	} >>"$log" 2>&1
}

# The only zlib that is found is the cross-built one, and it has no dynamic twin here: Debian's
# import library beside it would bring in a DLL.
cp "/usr/$triplet/lib/libz.a" "$prefix/lib/"
cp "/usr/$triplet/include/zlib.h" "/usr/$triplet/include/zconf.h" "$prefix/include/"
sed "s|^prefix=.*|prefix=$prefix|; s|/usr/$triplet|\${prefix}|" \
	"/usr/$triplet/lib/pkgconfig/zlib.pc" >"$prefix/lib/pkgconfig/zlib.pc"
zlib=(-DZLIB_LIBRARY="$prefix/lib/libz.a" -DZLIB_INCLUDE_DIR="$prefix/include")

# Beside the others: mostly its many checks of the compiler, one after the other.
# For downloads of models: nothing but HTTPS, with Windows' own TLS and certificates.
build curl -DBUILD_CURL_EXE=OFF -DBUILD_TESTING=OFF -DENABLE_MANUAL=OFF -DHTTP_ONLY=ON \
	-DCURL_USE_SCHANNEL=ON -DCURL_USE_LIBSSH2=OFF -DUSE_LIBIDN2=OFF -DCURL_ZLIB=OFF \
	-DCURL_BROTLI=OFF -DCURL_ZSTD=OFF -DUSE_NGHTTP2=OFF -DCURL_DISABLE_LDAP=ON \
	-DCURL_DISABLE_LDAPS=ON -DENABLE_UNICODE=ON &
curl=$!
build jansson -DJANSSON_EXAMPLES=OFF -DJANSSON_BUILD_DOCS=OFF -DJANSSON_WITHOUT_TESTS=ON
build libzip "${zlib[@]}" -DENABLE_BZIP2=OFF -DENABLE_LZMA=OFF -DENABLE_OPENSSL=OFF \
	-DENABLE_GNUTLS=OFF -DENABLE_MBEDTLS=OFF -DENABLE_WINDOWS_CRYPTO=OFF -DBUILD_TOOLS=OFF \
	-DBUILD_REGRESS=OFF -DBUILD_EXAMPLES=OFF -DBUILD_DOC=OFF
wait "$curl"
# Its description forgets that a static libcurl is declared in another way.
sed -i 's/^Cflags:/& -DCURL_STATICLIB/' "$prefix/lib/pkgconfig/libcurl.pc"

# Nothing but what is linked; the log says how it was made.
mv "$log" "$prefix/log"
rm -rf "$work" "${prefix:?}/bin" "$prefix/share" "$prefix/cmake"
echo "$made_by" >"$stamp"
