#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What obs.dll of an OBS release exports, found out from its source: the build for Windows makes
its import library from such lists, and the tests hold the finished plugin against them.

    obs-exports.py REPOSITORY TAG > cmake/obs-exports/obs-TAG.txt

REPOSITORY is a clone of obs-studio. On Windows libobs exports what its headers mark with EXPORT
and nothing else. The headers are preprocessed as a compiler for Windows x64 does it, and a name
counts when one of the C files that the Windows build compiles also defines it: some declarations
have no function behind them any more. device-exports.h belongs to another library, libobs-d3d11.
"""
import re
import subprocess
import sys
import tempfile
from pathlib import Path

COMPILER = "x86_64-w64-mingw32-gcc"
MARK = "FVSR_EXPORTED"
NOT_HEADERS = re.compile(r"device-exports|-nix|/apple/|/linux/|-internal|audio-monitoring/(pulse|osx)")
NOT_SOURCES = re.compile(r"-nix|-posix|-cocoa|-osx|/apple/|/linux/|/pulse/|/osx/|null-audio")


def git(repository, *arguments):
    return subprocess.run(["git", "-C", repository, *arguments], check=True,
                          stdout=subprocess.PIPE).stdout


def unpack(repository, tag, folder):
    archive = git(repository, "archive", tag, "libobs")
    subprocess.run(["tar", "-x", "-C", folder], input=archive, check=True)
    return Path(folder) / "libobs"


def without_comments(text):
    return re.sub(r'/\*.*?\*/|//[^\n]*', " ", text, flags=re.S)


def preprocessed(libobs, header):
    """The text of a header and of all that it includes, as for Windows."""
    mark = f"#undef EXPORT\n#define EXPORT {MARK}\n"
    unit = f'#include "util/c99defs.h"\n{mark}#include "{header.relative_to(libobs)}"\n'
    run = subprocess.run(
        [COMPILER, "-E", "-P", "-xc", "-D_WIN32_WINNT=0x0A00", "-DIS_LIBOBS", f"-I{libobs}",
         f"-I{libobs}/made", "-"],
        input=unit, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if run.returncode:
        sys.exit(f"{header.name}: {run.stderr}")
    return run.stdout


def declared(text):
    """Names of the functions that are marked in preprocessed text."""
    for part in text.split(MARK)[1:]:
        words = re.sub(r"__attribute__\s*\(\(.*?\)\)", " ", re.split(r"[;{]", part)[0])
        found = re.search(r"(\w+)\s*\)?\s*\(", words)
        if found:
            yield found[1]


def sources(libobs):
    """The C files that are built for Windows, as one text."""
    paths = sorted(path for path in libobs.rglob("*.c")
                   if not NOT_SOURCES.search(str(path.relative_to(libobs))))
    return "\n".join(without_comments(path.read_text(errors="replace")) for path in paths)


def defined(name, text):
    """Whether the text has what looks like this function's head with a body."""
    return re.search(rf"\b{name}\s*\([^;{{}}]*\)\s*\{{", text) is not None


def main():
    repository, tag = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        libobs = unpack(repository, tag, folder)
        # A header that the build of OBS makes, and one whose name is in capitals only on Windows.
        (libobs / "made").mkdir()
        (libobs / "made" / "obsconfig.h").touch()
        (libobs / "made" / "Windows.h").write_text("#include <windows.h>\n")
        names = set()
        for header in sorted(libobs.rglob("*.h")):
            marked = "EXPORT" in without_comments(header.read_text(errors="replace"))
            if marked and not NOT_HEADERS.search(str(header.relative_to(libobs))):
                names.update(declared(preprocessed(libobs, header)))
        text = sources(libobs)
        names.update(re.findall(r"^EXPORT\s[^;{(]*?\b(\w+)\s*\(", text, flags=re.M))
    undefined = {name for name in names if not defined(name, text)}
    names -= undefined
    commit = git(repository, "rev-parse", f"{tag}^{{commit}}").decode().strip()
    print(f"# Functions that obs.dll of OBS Studio {tag} exports, made by scripts/obs-exports.py")
    print(f"# from obs-studio, commit {commit}.")
    print("\n".join(sorted(names)))
    print(f"{tag}: {len(names)} functions; declared but not defined for Windows: "
          f"{' '.join(sorted(undefined)) or 'none'}", file=sys.stderr)


main()
