#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Imports and exports of the files that were built for Windows.

    check_files.py OBJDUMP EXPORT-LISTS PLUGIN.DLL PROGRAM.EXE [FVSR-DNNL.DLL]

Whatever the plugin imports from obs.dll must be exported by every OBS that there is a list of, and
all other imports must come from DLLs that every Windows 10 has; those of the program from the ones
("known DLLs") that a file in the program's folder cannot stand in for. The plugin exports the functions
by which OBS knows a module and nothing else. oneDNN's DLL, which they load by themselves, may also
need the Visual C++ runtime.
"""
import re
import subprocess
import sys
from pathlib import Path

SYSTEM = {"kernel32.dll", "msvcrt.dll", "advapi32.dll", "shell32.dll", "user32.dll", "ole32.dll",
          "gdi32.dll", "psapi.dll", "winmm.dll", "ws2_32.dll", "crypt32.dll", "bcrypt.dll",
          "secur32.dll", "d3d11.dll", "dxgi.dll"}
# Windows takes these from System32 even where a program's own folder has files of these names.
KNOWN = {"kernel32.dll", "msvcrt.dll", "advapi32.dll", "shell32.dll", "user32.dll", "ole32.dll",
         "gdi32.dll", "psapi.dll", "ws2_32.dll"}
RUNTIME = re.compile(r"(msvcp140|vcruntime140(_1)?|vcomp140)\.dll|api-ms-win-crt-[a-z0-9-]+\.dll")
ENTRIES = {"obs_module_" + name for name in (
    "set_pointer", "ver", "load", "unload", "post_load", "name", "description", "author",
    "set_locale", "free_locale", "get_string")}
NEEDED = {"obs_module_" + name for name in ("set_pointer", "ver", "load")}

failures = []


def check(condition, *words):
    if not condition:
        failures.append(" ".join(map(str, words)))


def dump(objdump, path):
    """The DLLs that a file imports, each with its names, and the names it exports."""
    text = subprocess.run([objdump, "-p", path], check=True, stdout=subprocess.PIPE,
                          text=True).stdout
    imports, library = {}, None
    for line in text.splitlines():
        if found := re.match(r"\s*DLL Name: (\S+)", line):
            library = imports.setdefault(found[1].lower(), set())
        elif library is not None and (found := re.match(r"\s+[0-9a-f]+\s+\d+\s+(\S+)$", line)):
            library.add(found[1])
        elif "[Ordinal/Name Pointer] Table" in line:
            library = None
    exports = set(re.findall(r"^\s+\[ *\d+\] (\w+)$", text, flags=re.M))
    return imports, exports, text


def names(path):
    return {line for line in path.read_text().split("\n") if line and not line.startswith("#")}


def check_system(path, imports):
    for library in imports:
        check(library in SYSTEM, f"{path.name} needs {library}, which is no part of Windows")


def check_safety(path, text):
    """Addresses drawn anew at every start, no code in data: what Windows expects of everybody."""
    for flag in ("HIGH_ENTROPY_VA", "DYNAMIC_BASE", "NX_COMPAT"):
        check(flag in text, f"{path.name} lacks {flag}")


def check_plugin(objdump, lists, path):
    imports, exports, text = dump(objdump, path)
    used = imports.pop("obs.dll", set())
    check(len(used) > 50, f"{path.name}: only {len(used)} imports from obs.dll: misread?")
    for exported in sorted(lists.glob("obs-*.txt")):
        missing = used - names(exported)
        check(not missing, f"{exported.stem} does not export", *sorted(missing))
        print(f"{len(used)} functions used, {len(names(exported))} in {exported.stem}, "
              f"{len(missing)} missing")
    check(len(list(lists.glob("obs-*.txt"))) >= 2, "fewer than two lists of exports")
    check_system(path, imports)
    check(NEEDED <= exports <= ENTRIES, "exports:", *sorted(exports ^ NEEDED))
    check(path.name.startswith("obs-flashvsr"), "a name that others may have, too:", path.name)
    check_safety(path, text)
    print(f"{path.name}: also uses", *sorted(imports), "and exports", len(exports), "functions")


def check_program(objdump, path):
    imports, exports, text = dump(objdump, path)
    for library in imports:
        check(library in KNOWN, f"{path.name} needs {library}, which its folder can replace")
    check(not exports, f"{path.name} exports", *sorted(exports))
    check_safety(path, text)
    print(f"{path.name}: uses", *sorted(imports))


def check_onednn(objdump, path):
    imports, _, text = dump(objdump, path)
    check_system(path, [library for library in imports if not RUNTIME.fullmatch(library)])
    check(path.name == "fvsr-dnnl.dll", "a name that others may have, too:", path.name)
    check_safety(path, text)
    print(f"{path.name}: uses", *sorted(imports))


def check_paths(path, source):
    """Nothing of the machine that built it."""
    check(source.encode() not in path.read_bytes(), f"{path.name} names {source}")


def main():
    objdump, lists, plugin, program, *onednn = sys.argv[1:]
    source = str(Path(__file__).resolve().parents[2])
    check_plugin(objdump, Path(lists), Path(plugin))
    check_program(objdump, Path(program))
    for path in onednn:
        check_onednn(objdump, Path(path))
    for path in (plugin, program):
        check_paths(Path(path), source)
    for failure in failures:
        print("FAILED", failure)
    sys.exit(1 if failures else 0)


main()
