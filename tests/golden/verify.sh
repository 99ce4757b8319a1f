#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# One golden comparison: verify.sh FVSR GOLDEN MODEL BACKEND. GOLDEN and MODEL may be data:NAME, a
# file of the folder that FVSR_TEST_DATA names. Exits with 77 (skipped) when that folder or the
# backend is not there.
fvsr=$1 golden=$2 model=$3 backend=$4

case $golden$model in
*data:*)
	data=${FVSR_TEST_DATA:-}
	if [ -z "$data" ]; then
		echo "skipped: needs FVSR_TEST_DATA: it is not set (docs/testing.md)"
		exit 77
	fi
	case $golden in data:*) golden=$data/${golden#data:} ;; esac
	case $model in data:*) model=$data/${model#data:} ;; esac
	;;
esac
"$fvsr" info --backends --json | python3 -c '
import json, sys
for backend in json.load(sys.stdin):
    if backend["name"] == sys.argv[1]:
        if not backend["available"]:
            kind = "needs a card" if backend["name"] == "cuda" else backend["name"]
            print("skipped:", kind + ":", backend["reason"])
        sys.exit(0 if backend["available"] else 77)
print("skipped: this build has no backend", sys.argv[1])
sys.exit(77)' "$backend" || exit $?

if [ "$model" = none ]; then
	exec "$fvsr" verify "$golden" --backend "$backend"
fi
exec "$fvsr" verify "$golden" --model "$model" --backend "$backend"
