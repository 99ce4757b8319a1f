#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Everything that is tested, on a fresh Debian 12: installs what is missing, has the whole tree read
# (scripts/lint.sh), builds four ways, runs all tests through ctest, says what each step took and why
# tests were skipped, and ends with one line of sums. Exits 0 when everything built and nothing was
# found or failed; a test that a missing package kept from running counts as failed.
#
#	lint	scripts/lint.sh: clang-format, shellcheck, pyflakes and clang-tidy
#	gcc	the build that users get, warnings as errors; all tests, the fuzzers and OBS Studio
#		itself included
#	asan	clang, AddressSanitizer and UndefinedBehaviorSanitizer, without the plugin: the tests
#		that read files and compute
#	windows	cross-built for Windows with mingw-w64: the same tests as asan and those of the command
#		line under Wine, and what the files import and export. The device code is taken over
#		from gcc's build where there is one.
#	clang	the second compiler's opinion, warnings as errors; nothing is run
#
# Without an argument all of them, or name some: test.sh gcc. The builds stay in build-test/.
#
#	test.sh --root trixie|sid
#
# does something else: in a fresh Debian of that release (scripts/debian-root.sh, root only) it builds
# with warnings as errors what is committed, and runs the tests that meet the release's libraries and
# its OBS Studio, which upscales and records.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
builds=$root/build-test
jobs=$(nproc)
if [ "${1:-}" = --root ]; then
	exec "$root/scripts/debian-root.sh" "$2" -- scripts/test.sh release
fi
variants=("$@")
[ ${#variants[@]} -gt 0 ] || variants=(lint clang asan gcc windows)

# Says what begins, and what the step before it took; the sums come once more in the end.
times=() current='' began=0
step() {
	if [ -n "$current" ]; then
		times+=("$(printf '%5d s  %s' $((SECONDS - began)) "$current")")
		echo "== $current: took $((SECONDS - began)) s"
	fi
	current=$* began=$SECONDS
	[ -z "$current" ] || printf '\n== %s\n' "$current"
}

step "install what is missing"
if [ "${variants[*]}" = release ]; then
	"$root/scripts/install-deps.sh" build demo release
else
	"$root/scripts/install-deps.sh"
fi

# Device code is the same for both systems: the Windows build embeds what gcc's build has made.
windows_images() {
	local images=$builds/gcc/core/backend/cuda

	if compgen -G "$images/*.fatbin" >/dev/null; then
		printf '%s\n' "-DFVSR_CUDA_IMAGE_DIR=$images" "-DFVSR_CUDA_ARCHS=90a;80-virtual"
	else
		echo "-DFVSR_CUDA=OFF"
	fi
}

configure() { # VARIANT
	local name=$1 images
	local options=(-DCMAKE_BUILD_TYPE=RelWithDebInfo -DFVSR_BUILD_TESTS=ON
		-DFVSR_TESTS_COMPLETE=ON)

	# Device code is the same for every compiler and takes long: once is enough. Instrumented
	# loops that cannot become vector code are no fault, so asan's warnings stay warnings.
	case $name in
	gcc) options+=(-DCMAKE_C_COMPILER=gcc -DFVSR_WERROR=ON
		"-DFVSR_CUDA_ARCHS=90a;80-virtual") ;;
	release) options+=(-DCMAKE_C_COMPILER=gcc -DFVSR_WERROR=ON -DFVSR_CUDA=OFF) ;;
	clang) options+=(-DCMAKE_C_COMPILER=clang -DFVSR_WERROR=ON -DFVSR_CUDA=OFF) ;;
	asan) options+=(-DCMAKE_C_COMPILER=clang
		"-DFVSR_SANITIZE=address,undefined,float-cast-overflow"
		-DFVSR_BUILD_PLUGIN=OFF -DFVSR_CUDA=OFF) ;;
	windows)
		mapfile -t images < <(windows_images)
		options+=(--toolchain "$root/cmake/windows-x64.cmake" -DCMAKE_BUILD_TYPE=Release
			-DFVSR_WERROR=ON "-DFVSR_WINDOWS_DEPS=$builds/windows-deps" "${images[@]}")
		;;
	*)
		echo "test.sh: unknown variant '$name' (lint, gcc, asan, windows, clang)" >&2
		exit 2
		;;
	esac
	cmake -S "$root" -B "$builds/$name" "${options[@]}"
}

reports=() broken=
run_tests() { # VARIANT CTEST-ARGUMENT...
	local name=$1 report=$builds/$1/tests.xml
	shift

	rm -f "$report"
	(cd "$builds/$name" && ctest --output-on-failure --parallel "$jobs" --timeout 600 \
		--output-junit "$report" "$@") </dev/null || broken+=" $name"
	[ ! -f "$report" ] || reports+=("$report")
}

# Debian lets Wine's server end with the last program, and one that is started at that moment loses
# its connection: with -p it stays, until -k.
wine_server() {
	local server=/usr/lib/wine/wineserver64

	mkdir -p "$WINEPREFIX"
	[ ! -x "$server" ] || "$server" "$1" >/dev/null 2>&1 || true
}

# A report of a sanitizer is a failure, wherever it appears.
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0
export OMP_WAIT_POLICY=passive
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1

for variant in "${variants[@]}"; do
	if [ "$variant" = lint ]; then
		step "lint"
		"$root/scripts/lint.sh" "$builds/lint"
		continue
	fi
	if [ "$variant" = windows ]; then
		step "windows: libraries"
		"$root/scripts/windows-deps.sh" "$builds/windows-deps"
	fi
	step "$variant: build"
	configure "$variant"
	cmake --build "$builds/$variant" --parallel "$jobs"
done
for variant in "${variants[@]}"; do
	case $variant in
	asan)
		step "asan: tests"
		# Resident memory means nothing under ASan, and the plain backend is slow under it.
		run_tests asan -L 'unit|ops|golden' \
			-E 'stream-long|stream-memory-cpu-plain|golden\..*tiny-.*cpu-plain'
		;;
	gcc)
		step "gcc: tests"
		run_tests gcc
		;;
	release)
		step "release: tests"
		# The sanitizers' twins judge our own code, which is the same in every release.
		run_tests release -L 'unit|ops|golden|cli|obs|demo|packages' -E '[.](asan|tsan)[.]'
		;;
	windows)
		step "windows: tests under Wine"
		export WINEPREFIX=$builds/wine
		wine_server -p
		# Once alone: it makes the folder that stands for drive C, and starts what then
		# stays and must not hold this script's output.
		"$root/cmake/run-under-wine.sh" "$builds/windows/tools/fvsr.exe" --version \
			>/dev/null 2>&1 || true
		run_tests windows
		wine_server -k
		;;
	esac
done

step
printf '\n'
printf '%s\n' "${times[@]}" "$(printf '%5d s  all of it' "$SECONDS")"
printf '\n'
[ -z "$broken" ] || echo "not everything passed:$broken"
[ ${#reports[@]} = 0 ] || "$root/scripts/test-report.py" "${reports[@]}"
[ -z "$broken" ]
