#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the files of the portable tarball ask of a system: a C library of 2.31 and, the filter, libobs.
#
#	portable-test.sh TARBALL
set -uo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck source=tests/expect.sh
. "$(dirname "$0")/../expect.sh"

glibc=2.31
tar -xzf "$1" -C "$work" || exit 1
folder=$work/.local/share/obs-studio/plugins/obs-flashvsr

only_needs() { # FILE LIBRARY...
	local needed

	needed=$(readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort)
	shift
	[ -n "$needed" ] && [ -z "$(comm -23 <(echo "$needed") <(printf '%s\n' "$@" | sort))" ] || {
		echo "$needed"
		return 1
	}
}
newest_glibc() { # FILE
	objdump -T "$1" | grep -oE '\bGLIBC_[0-9.]+' | sed 's/GLIBC_//' | sort -V | tail -n 1
}
old_enough() { # FILE
	local newest

	newest=$(newest_glibc "$1")
	[ -n "$newest" ] && [ "$(printf '%s\n' "$newest" "$glibc" | sort -V | tail -n 1)" = "$glibc" ] ||
		{
			echo "needs $newest"
			return 1
		}
}
no_paths() { # FILE
	! readelf -d "$1" | grep -qiE 'rpath|runpath'
}

c_library=(libc.so.6 libm.so.6 libpthread.so.0 libdl.so.2 librt.so.1 ld-linux-x86-64.so.2)
expect "the filter needs libobs and the C library" only_needs "$folder/obs-flashvsr.so" libobs.so.0 \
	"${c_library[@]}"
expect "the command line needs the C library" only_needs "$folder/fvsr" "${c_library[@]}"
# oneDNN is opened at run time; where one of these is missing the filter says so and goes on.
expect "oneDNN needs the C++ library and OpenMP" only_needs "$folder/fvsr-dnnl.so" libstdc++.so.6 \
	libgcc_s.so.1 libgomp.so.1 "${c_library[@]}"
for file in obs-flashvsr.so fvsr fvsr-dnnl.so; do
	expect "$file runs with a C library of $glibc" old_enough "$folder/$file"
	expect "$file is loaded with nothing of where it was built" no_paths "$folder/$file"
done
expect "the filter exports a module and nothing else" [ -z "$(nm -D --defined-only \
	"$folder/obs-flashvsr.so" | awk '{ print $3 }' | grep -v '^obs_module_')" ]
expect "fvsr knows its version" "$work/.local/bin/fvsr" --version
expect "fvsr finds the model that came with it" [ -n "$("$work/.local/bin/fvsr" bench \
	--size 64x64 --chunks 1 2>/dev/null)" ]
backends=$("$work/.local/bin/fvsr" info --backends)
expect "fvsr has the fast CPU path" grep -q '^cpu .*oneDNN' <<<"$backends"
# Alone: one thread, and no oneDNN.
rm "$folder/fvsr-dnnl.so"
backends=$("$work/.local/bin/fvsr" info --backends)
expect "without oneDNN it says so" grep -q 'no fvsr-dnnl.so' <<<"$backends"
exit "$failed"
