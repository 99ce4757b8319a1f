#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Packs an archive that CPack made once more: files sorted by name (CPack takes them as the file system
# lists them), root's, and of one time, SOURCE_DATE_EPOCH.
#
#	repack-tar.sh FILE.tar.gz...
set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
umask 022
for archive in "$@"; do
	mkdir "$work/tree"
	tar -xzpf "$archive" -C "$work/tree"
	tar -c --format=gnu --sort=name --owner=root:0 --group=root:0 \
		--mtime="@$SOURCE_DATE_EPOCH" -C "$work/tree" . >"$work/tar"
	gzip -9 -n <"$work/tar" >"$archive"
	rm -r "$work/tree"
done
