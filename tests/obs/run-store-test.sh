#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Runs store-test with web servers of its own on this machine, and their certificates:
#
#	run-store-test.sh PROGRAM LIST
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for program in python3 openssl; do
	command -v "$program" >/dev/null || {
		echo "skipped: $program is not installed"
		exit 77
	}
done
unset http_proxy HTTP_PROXY https_proxy HTTPS_PROXY all_proxy ALL_PROXY

authority() { # NAME
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
		-subj "/CN=$1" -keyout "$work/$1.key" -out "$work/$1.crt"
}

# From 3.4 on openssl takes no days that are over, but dates, which earlier versions do not know.
over="-days -1"
if openssl x509 -help 2>&1 | grep -q -e -not_after; then
	over="-not_before 20200101000000Z -not_after 20200102000000Z"
fi

certificate() { # NAME AUTHORITY WHO-IT-IS-FOR HOW-LONG...
	name=$1 authority=$2 whose=$3
	shift 3
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$name" \
		-addext "subjectAltName=$whose" -keyout "$work/$name.key" -out "$work/$name.csr" &&
		openssl x509 -req -in "$work/$name.csr" -CA "$work/$authority.crt" \
			-CAkey "$work/$authority.key" -copy_extensions copy "$@" \
			-out "$work/$name.crt" &&
		cat "$work/$name.key" "$work/$name.crt" >"$work/$name.pem"
}

# shellcheck disable=SC2086
{
	authority trusted && authority unknown &&
		certificate right trusted IP:127.0.0.1 -days 2 &&
		certificate name trusted DNS:elsewhere.example -days 2 &&
		certificate stranger unknown IP:127.0.0.1 -days 2 &&
		certificate expired trusted IP:127.0.0.1 $over
} >"$work/openssl.log" 2>&1 || {
	cat "$work/openssl.log"
	exit 1
}

"$1" "$work" released
: >"$work/log"
python3 "$here/range-server.py" "$work/released" "$work/log" "$work" -- \
	"$1" "$work" "$work/log" "$work/trusted.crt" "$2"
