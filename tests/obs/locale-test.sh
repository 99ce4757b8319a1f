#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Every text that the plugin asks for is in en-US.ini, none is there for nothing, and every
# translation has the same keys, once each, the same {names} in each text, and no empty text.
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
cat "$source"/plugin/*.c "$source"/plugin/*/*.c | tr '\n' ' ' |
	grep -oE '(T_|obs_module_text)\("[A-Za-z.]+"\)|"(Status|Store|Step|Stage|Remedy)\.[A-Za-z.]+"' |
	grep -oE '"[A-Za-z.]+"' | tr -d '"' | sort -u >"$work/used"

[ -s "$work/used" ] || fail "no texts found in the plugin" "$work/used"
comm -13 "$work/have" "$work/used" >"$work/list"
[ ! -s "$work/list" ] || fail "missing in en-US.ini" "$work/list"
comm -23 "$work/have" "$work/used" >"$work/list"
[ ! -s "$work/list" ] || fail "not used by the plugin" "$work/list"

# Each text's names, one line for a name: KEY {name}
names_of() {
	sed -n 's/^\([A-Z][A-Za-z.]*\)="\(.*\)"$/\1 \2/p' "$1" | while read -r key text; do
		echo "$text" | grep -oE '\{[^}]*\}' | sed "s/^/$key /" || :
	done | sort -u
}

# Names in braces are filled in by these two.
cat "$source/plugin/filter/status.c" "$source/plugin/filter/properties.c" |
	grep -oE '"\{[a-z_]+\}"' | tr -d '"' | sort -u >"$work/names"
names_of "$source/locale/en-US.ini" >"$work/names-by-key"
for language in en-US de-DE es-ES fr-FR pt-BR ja-JP ko-KR zh-CN; do
	[ -s "$source/locale/$language.ini" ] || echo "$language" >>"$work/absent"
done
[ ! -s "$work/absent" ] || fail "languages without a translation" "$work/absent"
for file in "$source"/locale/*.ini; do
	grep -vE '^(#.*|[A-Z][A-Za-z.]*="[^"]+")?$' "$file" >"$work/list" || :
	[ ! -s "$work/list" ] || fail "empty or not understood in $file" "$work/list"
	sed -n 's/^\([A-Z][A-Za-z.]*\)=.*$/\1/p' "$file" | sort >"$work/keys"
	uniq -d "$work/keys" >"$work/list"
	[ ! -s "$work/list" ] || fail "more than once in $file" "$work/list"
	comm -23 "$work/keys" "$work/have" >"$work/list"
	[ ! -s "$work/list" ] || fail "unknown keys in $file" "$work/list"
	comm -13 "$work/keys" "$work/have" >"$work/list"
	[ ! -s "$work/list" ] || fail "missing in $file" "$work/list"
	names_of "$file" | diff "$work/names-by-key" - >"$work/list" || :
	[ ! -s "$work/list" ] || fail "other names than in en-US.ini in $file" "$work/list"
	grep -oE '\{[^}]*\}' "$file" | sort -u | comm -23 - "$work/names" >"$work/list"
	[ ! -s "$work/list" ] || fail "unknown names in $file" "$work/list"
done
[ "$failed" = 0 ] && echo OK
exit "$failed"
