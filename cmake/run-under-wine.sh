#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs a program for Windows in tests: run-under-wine.sh PROGRAM ARGUMENT... Without Wine it exits
# with 77, which the tests take for "skipped".
# Debian's command 'wine' would first say that programs of 32 bits do not run.
for wine in /usr/lib/wine/wine64 "$(command -v wine64)" "$(command -v wine)"; do
	[ ! -x "$wine" ] || break
done
if [ ! -x "$wine" ]; then
	echo "skipped: Wine is not installed"
	exit 77
fi
# Names of files are UTF-8, whatever the caller's language is.
export LC_ALL=C.UTF-8
export WINEPREFIX="${WINEPREFIX:-$HOME/.cache/obs-flashvsr-wine}"
export WINEDEBUG="${WINEDEBUG:--all}"
# No desktop, no web view, no .NET: Wine would offer to install the last two.
export WINEDLLOVERRIDES="mscoree,mshtml=;winemenubuilder.exe=${WINEDLLOVERRIDES:+;$WINEDLLOVERRIDES}"
exec "$wine" "$@"
