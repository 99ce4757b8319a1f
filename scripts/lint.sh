#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Reads the whole tree without building it, and exits with 1 when one of these finds something:
#
#	C and CUDA	clang-format, by .clang-format; only version 14, Debian 12's, is asked, because
#			other versions form some lines differently
#	shell		shellcheck, for warnings and errors
#	Python		pyflakes
#	C		clang-tidy, by .clang-tidy, for every file that this system can compile and as
#			the compiler would be told to read it; without CUDA's headers those that need
#			them are left out
#
#	lint.sh [BUILD [FILE...]]	BUILD: where clang-tidy finds out how files are compiled,
#					build-test/lint by default; only FILE, by a part of its path
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
build=$(realpath -m "${1:-$root/build-test/lint}")
shift $(($# > 0))
names=("$@")
cd "$root"

# The paths of standard input that are asked for; all without FILE.
wanted() {
	local path name

	while IFS= read -r path; do
		[ ${#names[@]} -gt 0 ] || echo "$path"
		for name in "${names[@]}"; do
			[[ $path != *"$name"* ]] || echo "$path"
		done
	done | sort -u
}

# A copy of the tree without its history has all files of its folder, but for builds.
files() { # PATTERN...
	local pattern names=()

	if git ls-files --error-unmatch scripts/lint.sh >/dev/null 2>&1; then
		git ls-files --cached --others --exclude-standard -- "$@"
	else
		for pattern; do
			names+=(-o -path "./$pattern")
		done
		find . -path './build*' -prune -o -type f \( -false "${names[@]}" \) -printf '%P\n'
	fi
}

failed=
read_with() { # NAME COUNT COMMAND...
	local name=$1 count=$2
	shift 2

	if [ "$count" = 0 ]; then
		return
	elif "$@"; then
		echo "$name: $count files read, nothing found"
	else
		failed+=" $name"
	fi
}

format() {
	local version

	version=$(clang-format --version | sed 's/.*version \([0-9]*\).*/\1/')
	if [ "$version" != 14 ]; then
		echo "clang-format: left out, because this is version $version and not 14"
		return
	fi
	mapfile -t paths < <(files '*.c' '*.h' '*.cu' '*.cuh' | wanted)
	read_with clang-format ${#paths[@]} clang-format --dry-run -Werror "${paths[@]}"
}

shell() {
	mapfile -t paths < <(files '*.sh' .ci/run | wanted)
	read_with shellcheck ${#paths[@]} shellcheck -x -S warning "${paths[@]}"
}

# Debian's Python, because scripts/install-deps.sh installs pyflakes for that one.
python() {
	mapfile -t paths < <(files '*.py' | wanted)
	read_with pyflakes ${#paths[@]} /usr/bin/python3 -m pyflakes "${paths[@]}"
}

# Lists what clang-tidy reads. A file that several targets compile is read once, and not as a
# sanitizer's twin. Long ones come first, so that no processor waits for one at the end.
compiled() {
	mkdir -p "$build/lint"
	cmake -S "$root" -B "$build" -DCMAKE_C_COMPILER=clang -DFVSR_BUILD_TESTS=ON \
		>"$build/lint.log" || {
		cat "$build/lint.log" >&2
		return 1
	}
	python3 - "$build" "$root" "${names[@]}" <<'END'
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
print("\n".join(sorted(files, key=lambda path: ("/tests/" in path, path))))
END
}

# One file at a time: clang-tidy 14 carries states from file to file (clang-analyzer-valist).
each_tidy() {
	xargs -d '\n' -P "$(nproc)" -n 1 clang-tidy -p "$build/lint" --quiet \
		<"$build/lint/files" 2>"$build/lint/errors" && return
	grep -E 'error:|fatal' "$build/lint/errors" >&2
	return 1
}

tidy() {
	mkdir -p "$build/lint"
	compiled >"$build/lint/files" || exit 1
	read_with clang-tidy "$(grep -c . "$build/lint/files" || true)" each_tidy
}

format
shell
python
tidy
[ -z "$failed" ] || {
	echo "lint.sh: something was found by:$failed" >&2
	exit 1
}
