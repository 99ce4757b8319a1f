#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# clang-tidy over every C file of the tree that this system can compile; .clang-tidy says what it
# looks for. Exits with 1 when it finds something. Nothing is built: files are read as the compiler
# would be told to read them. Without CUDA's headers those that need them are left out.
#
#	lint.sh [BUILD [FILE...]]	BUILD: where that is found out, build-test/lint by default;
#					only FILE, by a part of its name
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
build=$(realpath -m "${1:-$root/build-test/lint}")
shift $(($# > 0))

mkdir -p "$build"
cmake -S "$root" -B "$build" -DCMAKE_C_COMPILER=clang -DFVSR_BUILD_TESTS=ON >"$build/lint.log" || {
	cat "$build/lint.log"
	exit 1
}
# A file that several targets compile is read once, and not as a sanitizer's twin.
mkdir -p "$build/lint"
python3 - "$build" "$root" "$@" <<'END' >"$build/lint/files"
import json, sys
build, root, *names = sys.argv[1:]
files = {}
for entry in json.load(open(f"{build}/compile_commands.json")):
    path = entry["file"]
    if not path.startswith(build) and path.startswith(root) and (
            not names or any(name in path for name in names)):
        if path not in files or "-fsanitize" in files[path]["command"]:
            files[path] = entry
json.dump(list(files.values()), open(f"{build}/lint/compile_commands.json", "w"))
# Long ones first, so that no processor waits for one at the end.
print("\n".join(sorted(files, key=lambda path: ("/tests/" in path, path))))
END
count=$(wc -l <"$build/lint/files")
[ "$count" != 0 ] || {
	echo "lint.sh: there is nothing to read" >&2
	exit 1
}
# One at a time: clang-tidy 14 carries states from file to file (clang-analyzer-valist).
xargs -d '\n' -P "$(nproc)" -n 1 clang-tidy -p "$build/lint" --quiet \
	<"$build/lint/files" 2>"$build/lint/errors" || {
	grep -E 'error:|fatal' "$build/lint/errors" >&2 || true
	exit 1
}
echo "$count files read, nothing found"
