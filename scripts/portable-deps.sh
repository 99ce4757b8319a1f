#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the portable build for Linux is made with (cmake/portable.cmake): Jansson, libzip and zlib as
# static libraries from Debian's own source packages, the headers of libobs, and oneDNN as its makers
# built it and put it on PyPI. To be run in Debian 11, whose C library is 2.31: files that are built
# there run wherever that or a newer one is.
#
#	portable-deps.sh FOLDER		where include/, lib/, licences/ and bin/cmake shall be
#
# The folder's list `components` says what each is (scripts/components.sh).
#
# libobs, Jansson, libzip and zlib are those of Debian 12: the oldest OBS that is supported. Does
# nothing when the folder is complete.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=scripts/components.sh
. "$root/scripts/components.sh"
prefix=$(realpath -m "$1")
stamp=$prefix/complete
made_by=$(cat "$0" "$root/scripts/components.sh" | sha256sum)
[ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$made_by" ] || exit 0
work=$prefix/work
if [ -n "$(ls -A "$prefix" 2>/dev/null)" ] && [ ! -f "$stamp" ] && [ ! -d "$work" ]; then
	echo "portable-deps.sh: $prefix is not empty and was not made here" >&2
	exit 1
fi
rm -rf "$prefix"
mkdir -p "$work/lists/partial" "$work/archives/partial" "$prefix"/{bin,include,lib/pkgconfig,licences}
log=$work/log
trap '[ $? = 0 ] || { echo "portable-deps.sh: failed; the end of $log:"; tail -n 30 "$log"; } >&2' EXIT

# ---- from Debian 12 ---------------------------------------------------------------------------

# shellcheck disable=SC2016
mirror=$(apt-get indextargets --format '$(REPO_URI) $(COMPONENT)' 'Created-By: Packages' |
	awk '$2 == "main" && !/security/ { print $1; exit }')
keys=/usr/share/keyrings/debian-archive-keyring.gpg
printf '%s [signed-by='$keys'] %s bookworm main\n' deb "$mirror" deb-src "$mirror" \
	>"$work/sources.list"
apt=(apt-get -q -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=-
	-o "Dir::State::lists=$work/lists" -o "Dir::Cache::archives=$work/archives"
	-o "Dir::Cache::pkgcache=" -o "Dir::Cache::srcpkgcache=" -o APT::Sandbox::User=)
cd "$work"
{
	"${apt[@]}" update
	"${apt[@]}" source jansson libzip zlib
	"${apt[@]}" download libobs-dev libobs0 libsimde-dev
	for package in *.deb; do
		dpkg-deb -x "$package" debian12
	done
} >"$log" 2>&1 </dev/null
source_component jansson MIT
source_component libzip BSD-3-Clause
source_component zlib Zlib
cp /usr/share/common-licenses/GPL-3 "$prefix/licences/GPL-3"
libraries=debian12/usr/lib/x86_64-linux-gnu
cp -r debian12/usr/include/{obs,simde} "$prefix/include/"
cp -L "$libraries/libobs.so.0" "$prefix/lib/libobs.so"
sed "s|^prefix=.*|prefix=$prefix|; s|^libdir=.*|libdir=$prefix/lib|
	s|^includedir=.*|includedir=$prefix/include/obs|" \
	"$libraries/pkgconfig/libobs.pc" >"$prefix/lib/pkgconfig/libobs.pc"

# ---- from PyPI ----------------------------------------------------------------------------------

cat >"$work/wheels" <<-'END'
	cmake==3.27.9 \
	  --hash=sha256:434714990d82e3c3936a726c1706c6a1d5a34964a7415d1433af0904a994e414
	onednn-cpu-gomp==2022.2.1 \
	  --hash=sha256:091357f4d66ebd6a391d4327e0bee2401597b30753f087222bb3559c1b4e625e
	onednn-devel-cpu-gomp==2022.2.1 \
	  --hash=sha256:b263bcaf903c7910ae0aae35d495f5a87408090e32787be70b46fbc2734a159c
END
python3 -m pip download --no-deps --only-binary=:all: --require-hashes \
	--requirement "$work/wheels" --dest "$work/wheels.d" >>"$log" 2>&1
for wheel in "$work"/wheels.d/*.whl; do
	python3 -m zipfile -e "$wheel" "$work/wheels.x"
	echo "portable-deps: ${wheel##*/}"
done
cp -r "$work"/wheels.x/cmake/data "$prefix/cmake"
chmod +x "$prefix"/cmake/bin/*
ln -s ../cmake/bin/cmake ../cmake/bin/cpack "$prefix/bin/"
onednn=("$work"/wheels.x/onednn_{cpu,devel_cpu}_gomp-*.data/data)
cp -r "${onednn[1]}/include/." "$prefix/include/"
cat "${onednn[0]}"/share/doc/onednn/{LICENSE,THIRD-PARTY-PROGRAMS} >"$prefix/licences/oneDNN"
# The library as it is, under a name of ours inside and out, so that no other program's is taken for
# it nor this one for theirs.
cp -L "${onednn[0]}/lib/libdnnl.so.2" "$prefix/lib/fvsr-dnnl.so"
patchelf --set-soname fvsr-dnnl.so "$prefix/lib/fvsr-dnnl.so"
chmod 644 "$prefix/lib/fvsr-dnnl.so"
component oneDNN 2.6.0 Apache-2.0 shipped pkg:pypi/onednn-cpu-gomp@2022.2.1 \
	"$(echo "$work"/wheels.d/onednn_cpu_gomp-*.whl)"

# ---- builds -------------------------------------------------------------------------------------

export PATH=$prefix/bin:$PATH
export CFLAGS="-O2 -fPIC -fvisibility=hidden -ffile-prefix-map=$work/= -D_FORTIFY_SOURCE=2 \
-fstack-protector-strong -fstack-clash-protection -fcf-protection=full"
build() { # PACKAGE CMAKE-OPTION...
	local package=$1
	shift
	cmake -S "$(source_of "$package")" -B "$work/build-$package" -DCMAKE_BUILD_TYPE=Release \
		-DCMAKE_INSTALL_PREFIX="$prefix" -DCMAKE_INSTALL_LIBDIR=lib \
		-DCMAKE_PREFIX_PATH="$prefix" -DBUILD_SHARED_LIBS=OFF "$@"
	cmake --build "$work/build-$package" --parallel "$(nproc)"
	cmake --install "$work/build-$package"
}
{
	(cd "$(source_of zlib)" && ./configure --static --prefix="$prefix" &&
		make -j "$(nproc)" libz.a && make install)
	build jansson -DJANSSON_EXAMPLES=OFF -DJANSSON_BUILD_DOCS=OFF -DJANSSON_WITHOUT_TESTS=ON
	build libzip -DENABLE_BZIP2=OFF -DENABLE_LZMA=OFF -DENABLE_OPENSSL=OFF -DENABLE_GNUTLS=OFF \
		-DENABLE_MBEDTLS=OFF -DENABLE_ZSTD=OFF -DBUILD_TOOLS=OFF -DBUILD_REGRESS=OFF \
		-DBUILD_EXAMPLES=OFF -DBUILD_DOC=OFF
} >>"$log" 2>&1

mv "$log" "$prefix/log"
rm -rf "$work" "$prefix/share"
echo "$made_by" >"$stamp"
