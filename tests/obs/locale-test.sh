#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Every text that the plugin asks for is in en-US.ini, none is there for nothing, and the other
# translations have no keys and no {names} of their own.
#
#	locale-test.sh SOURCE_FOLDER
set -eu
source=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

fail() {
	echo "FAILED: $1"
	sed 's/^/    /' "$2"
	failed=1
}

sed -n 's/^\([A-Z][A-Za-z.]*\)=".*"$/\1/p' "$source/locale/en-US.ini" | sort >"$work/have"
cat "$source"/plugin/*.c | tr '\n' ' ' |
	grep -oE '(T_|obs_module_text)\("[A-Za-z.]+"\)|"Status\.[A-Za-z.]+"' |
	grep -oE '"[A-Za-z.]+"' | tr -d '"' | sort -u >"$work/used"

[ -s "$work/used" ] || fail "no texts found in the plugin" "$work/used"
uniq -d "$work/have" >"$work/list"
[ ! -s "$work/list" ] || fail "more than once in en-US.ini" "$work/list"
comm -13 "$work/have" "$work/used" >"$work/list"
[ ! -s "$work/list" ] || fail "missing in en-US.ini" "$work/list"
comm -23 "$work/have" "$work/used" >"$work/list"
[ ! -s "$work/list" ] || fail "not used by the plugin" "$work/list"
grep -vE '^(#.*|[A-Z][A-Za-z.]*=".*")?$' "$source/locale/en-US.ini" >"$work/list" || :
[ ! -s "$work/list" ] || fail "lines that are not understood" "$work/list"

# Names in braces are filled in by filter-status.c.
grep -oE '"\{[a-z_]+\}"' "$source/plugin/filter-status.c" | tr -d '"' | sort -u >"$work/names"
for file in "$source"/locale/*.ini; do
	sed -n 's/^\([A-Z][A-Za-z.]*\)=.*$/\1/p' "$file" | sort >"$work/keys"
	comm -23 "$work/keys" "$work/have" >"$work/list"
	[ ! -s "$work/list" ] || fail "unknown keys in $file" "$work/list"
	grep -oE '\{[^}]*\}' "$file" | sort -u | comm -23 - "$work/names" >"$work/list"
	[ ! -s "$work/list" ] || fail "unknown names in $file" "$work/list"
done
[ "$failed" = 0 ] && echo OK
exit "$failed"
