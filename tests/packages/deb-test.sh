#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# deb-test.sh BUILD VERSION LIBDIR OBS-LIBDIR: packs BUILD and looks at the packages without
# installing them. Exits with 77 where dpkg is missing.
set -uo pipefail

build=$1 version=$2 libdir=$3 obs_libdir=$4
command -v dpkg-deb >/dev/null || {
	echo "skipped: this is no Debian"
	exit 77
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck source=tests/expect.sh
. "$(dirname "$0")/../expect.sh"

(cd "$build" && umask 022 && cpack -G DEB -B "$work/cpack") >"$work/log" 2>&1 || {
	tail -n 20 "$work/log"
	exit 1
}
arch=$(dpkg --print-architecture)
filter=$work/cpack/obs-flashvsr_${version}_$arch.deb
dev=$work/cpack/libfvsr-dev_${version}_$arch.deb
files() { dpkg-deb -c "$1" | awk '$1 !~ /^d/ { print $6 }' | sort; }

files "$filter" >"$work/filter"
if [ "$obs_libdir" = lib/x86_64-linux-gnu ]; then
	expect "every OBS finds the filter, once" python3 "$(dirname "$0")/places.py" "$filter"
fi
for name in bin/fvsr "$obs_libdir/obs-plugins/obs-flashvsr.so" share/man/man1/fvsr.1.gz \
	share/obs/obs-plugins/obs-flashvsr/{manifest.json,locale/en-US.ini,effects/flashvsr.effect} \
	share/obs/obs-plugins/obs-flashvsr/models/bundled.safetensors \
	share/doc/obs-flashvsr/{copyright,changelog.gz}; do
	expect "the filter's package has $name" grep -qx "./usr/$name" "$work/filter"
done
expect "and no more programs" [ "$(grep -c '/bin/' "$work/filter")" = 1 ]
expect "it needs libobs" grep -qE 'libobs0(t64)? \(>=' <(dpkg-deb -f "$filter" Depends)
obs=$(pkg-config --modversion libobs | cut -d . -f 1,2)
expect "and no OBS before the one it is built against" grep -qxF "obs-studio (<< $obs~)" \
	<(dpkg-deb -f "$filter" Breaks)
expect "the library's has three files and two texts" [ "$(files "$dev" | wc -l)" = 5 ]
expect "nobody's files but root's" [ -z "$(dpkg-deb -c "$filter" | grep -v ' root/root ')" ]

root=$work/root
dpkg-deb -x "$filter" "$root"
dpkg-deb -x "$dev" "$root"
expect "fvsr runs and knows its version" [ "$("$root/usr/bin/fvsr" --version)" = "fvsr $version" ]
expect "fvsr reads the model that came with it" grep -q . <("$root/usr/bin/fvsr" info \
	"$root/usr/share/obs/obs-plugins/obs-flashvsr/models/bundled.safetensors")
plugin=$root/usr/$obs_libdir/obs-plugins/obs-flashvsr.so
expect "the plugin is there" test -f "$plugin"
expect "the plugin manager learns all that it shows" python3 -c '
import json, sys
text = ("id", "name", "display_name", "version", "os_arch", "description", "long_description")
manifest = json.load(open(sys.argv[1]))
assert all(manifest[key] for key in text) and manifest["version"] == sys.argv[2], manifest
assert set(manifest["urls"]) == {"repository", "website", "support"}, manifest
assert manifest["has_banner"] is False and manifest["has_icon"] is False, manifest
' "$root/usr/share/obs/obs-plugins/obs-flashvsr/manifest.json" "$version"
expect "nothing is loaded from where it was built" [ -z "$(readelf -d "$root/usr/bin/fvsr" \
	"$plugin" | grep -iE 'rpath|runpath')" ]
expect "the plugin exports a module" grep -q ' T obs_module_load$' \
	<(nm -D --defined-only "$plugin")
expect "and no engine" [ -z "$(nm -D --defined-only "$plugin" | grep ' fvsr_')" ]
expect "the manual has no faults" [ -z "$(man --warnings -l "$root/usr/share/man/man1/fvsr.1.gz" \
	2>&1 >/dev/null)" ]

cat >"$work/program.c" <<-'C'
	#include <fvsr/fvsr.h>
	#include <stdio.h>
	int main(void)
	{
		struct fvsr_backend_info info;
		return printf("%s\n", fvsr_version()) < 0 || fvsr_backend_describe(0, &info);
	}
C
flags=$(PKG_CONFIG_PATH=$root/usr/$libdir/pkgconfig \
	pkg-config --define-variable=prefix="$root/usr" --cflags --libs fvsr)
# shellcheck disable=SC2086
expect "a program is built with the library" gcc "$work/program.c" -o "$work/program" $flags
expect "and runs" [ "$("$work/program")" = "$version" ]
exit $failed
