#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Runs store-test with web servers of its own on this machine, and their certificates:
#
#	run-store-test.sh PROGRAM LIST
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
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

certificate() { # NAME AUTHORITY WHO-IT-IS-FOR DAYS
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$1" \
		-addext "subjectAltName=$3" -keyout "$work/$1.key" -out "$work/$1.csr"
	openssl x509 -req -in "$work/$1.csr" -CA "$work/$2.crt" -CAkey "$work/$2.key" \
		-copy_extensions copy -days "$4" -out "$work/$1.crt"
	cat "$work/$1.key" "$work/$1.crt" >"$work/$1.pem"
}

{
	authority trusted
	authority unknown
	certificate right trusted IP:127.0.0.1 2
	certificate name trusted DNS:elsewhere.example 2
	certificate stranger unknown IP:127.0.0.1 2
	certificate expired trusted IP:127.0.0.1 -1
} >"$work/openssl.log" 2>&1 || {
	cat "$work/openssl.log"
	exit 1
}

"$1" "$work" released
: >"$work/log"
python3 "$here/range-server.py" "$work/released" "$work/log" "$work" -- \
	"$1" "$work" "$work/log" "$work/trusted.crt" "$2"
