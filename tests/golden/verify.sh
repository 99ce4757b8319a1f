#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# One golden comparison: verify.sh FVSR GOLDEN MODEL BACKEND. Exits with 77 (skipped) when a file
# or the backend is not there.
fvsr=$1 golden=$2 model=$3 backend=$4

if [ ! -e "$golden" ]; then
	echo "skipped: $golden is not here"
	exit 77
fi
case $model in
none | synth:*) ;;
*)
	if [ ! -e "$model" ]; then
		echo "skipped: $model is not here"
		exit 77
	fi
	;;
esac
"$fvsr" info --backends --json | python3 -c '
import json, sys
for backend in json.load(sys.stdin):
    if backend["name"] == sys.argv[1]:
        if not backend["available"]:
            print("skipped:", backend["reason"])
        sys.exit(0 if backend["available"] else 77)
print("skipped: this build has no backend", sys.argv[1])
sys.exit(77)' "$backend" || exit $?

if [ "$model" = none ]; then
	exec "$fvsr" verify "$golden" --backend "$backend"
fi
exec "$fvsr" verify "$golden" --model "$model" --backend "$backend"
