#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Packs a build, has scripts/sbom.py describe the packages, and holds the documents against the
# packages; then spoils them in several ways, each of which must be noticed.
#
#	sbom-test.sh BUILD
#
# Exits with 77 where a tool for packing is missing.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
tree=$(cd "$here/../.." && pwd)
build=$1
# shellcheck source=tests/expect.sh
. "$here/../expect.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

deps=$(sed -n 's/^FVSR_WINDOWS_DEPS:[A-Z]*=//p' "$build/CMakeCache.txt")
lists=()
if [ -n "$deps" ]; then
	command -v makensis >/dev/null || {
		echo "skipped: there is no makensis"
		exit 77
	}
	FVSR_COMPRESSOR=zlib "$tree/installer/windows.sh" "$build" "$work/out" >"$work/log"
	lists=("*windows*=$deps/components")
else
	command -v dpkg-deb >/dev/null || {
		echo "skipped: this is no Debian"
		exit 77
	}
	(cd "$build" && umask 022 && for kind in DEB TGZ; do cpack -G $kind -B "$work/out"; done) \
		>"$work/log" 2>&1
	rm -rf "$work/out/_CPack_Packages"
fi
"$tree/scripts/sbom.py" "$work/out" "${lists[@]}" >"$work/log"
expect "the documents are valid and true" "$here/check_sbom.py" "$work/out"
mkdir "$work/first"
mv "$work/out"/*.spdx.json "$work/first/"
"$tree/scripts/sbom.py" "$work/out" "${lists[@]}" >"$work/log"
expect "written again they are the same" diff <(cat "$work/first"/*) <(cat "$work/out"/*.spdx.json)

document=$(find "$work/out" -name '*.zip.spdx.json' -o -name 'obs-flashvsr_*.deb.spdx.json')
notices() { # WHAT SED-EXPRESSION
	cp "$document" "$work/kept"
	sed -i "$2" "$document"
	expect "$1 is noticed" spoiled
	mv "$work/kept" "$document"
}
# Functions that expect calls:
# shellcheck disable=SC2317
refused() { ! "$here/check_sbom.py" "$work/out" >"$work/log"; }
# shellcheck disable=SC2317
spoiled() { ! cmp -s "$document" "$work/kept" && refused; }
notices "another version of SPDX" s/SPDX-2.3/SPDX-9.9/
notices "a licence that nobody knows" 's/"licenseConcluded": "MIT"/"licenseConcluded": "MTI"/'
notices "a reference to nothing" 's/"relatedSpdxElement": "SPDXRef-File-1"/"relatedSpdxElement": "x"/'
notices "another file than the package has" 's|/fvsr|/rvsf|'
notices "another sum" '/"SHA256"/{n;s/: "./: "f/;s/0/1/g}'
notices "a library that is left out" 's/libzip/piz/g'
notices "no commit" 's/"sourceInfo": "/&?/'
rm "$document"
expect "a package without a document is noticed" refused
exit $failed
