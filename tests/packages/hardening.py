#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the compiler and the linker put into the files that are shipped, against memory errors.

    hardening.py [--installer] FILE|FOLDER...

Reads every ELF and PE file and every library of objects (.a) among the arguments, and below those
that are folders, straight from its headers and tables, and fails when one lacks

    on Linux    full RELRO, a place of its own at every start (PIE), a stack without code, no segment
                that is both writable and executable, no relocations of code, the stack protector,
                checked functions of the C library (_FORTIFY_SOURCE); on x86-64 also landing marks
                at functions (-fcf-protection). -fstack-clash-protection leaves nothing but
                instructions, so it is not looked for.
    on Windows  DYNAMIC_BASE with the relocations that it needs, HIGH_ENTROPY_VA in files of 64
                bits, NX_COMPAT, no section that is both writable and executable; in our own files,
                which have to be unstripped, the stack protector and the checked functions

    in .a       calls of the stack protector and of checked functions, and nobody's name or time

or when a file names the folder of this source tree. --installer: what NSIS makes is a program that
NSIS brought, with our files behind it. Of its headers only the flags are ours to choose: Debian's has
no relocations, and so no place of its own at every start.
"""
import struct
import sys
from pathlib import Path

TREE = str(Path(__file__).resolve().parents[2])
FOREIGN = {"fvsr-dnnl.dll", "cublasLt64_13.dll"}  # shipped as their makers built them
LANDING_MARK = b"\xf3\x0f\x1e\xfa"  # endbr64
LANDING_MARKS_MIN = 100  # three come with the C library's own startup code


def text_at(table, offset):
    return table[offset:table.index(b"\0", offset)].decode()


# ---- ELF ----------------------------------------------------------------------------------------

PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_GNU_STACK, PT_GNU_RELRO = 1, 2, 3, 0x6474E551, 0x6474E552
DT_STRTAB, DT_SYMTAB, DT_STRSZ, DT_TEXTREL, DT_BIND_NOW, DT_FLAGS = 5, 6, 10, 22, 24, 30
DT_FLAGS_1, DF_BIND_NOW, DF_1_NOW, DF_1_PIE, DF_TEXTREL = 0x6FFFFFFB, 8, 1, 0x08000000, 4
ET_DYN, EM_X86_64, EXECUTABLE, WRITABLE = 3, 62, 1, 2


class Elf:
    def __init__(self, data):
        assert data[4] == 2 and data[5] == 1, "only ELF of 64 bits, little-endian, is read"
        self.data = data
        self.type, self.machine = struct.unpack_from("<HH", data, 16)
        table, = struct.unpack_from("<Q", data, 32)
        size, count = struct.unpack_from("<HH", data, 54)
        # type, flags, offset, address, physical address, bytes in the file, bytes in memory, align
        self.segments = [struct.unpack_from("<IIQQQQQQ", data, table + i * size)
                         for i in range(count)]
        self.dynamic = {}
        for segment in self.of_type(PT_DYNAMIC):
            for offset in range(segment[2], segment[2] + segment[5], 16):
                tag, value = struct.unpack_from("<qQ", data, offset)
                if tag == 0:
                    break
                self.dynamic[tag] = value

    def of_type(self, kind):
        return [segment for segment in self.segments if segment[0] == kind]

    def offset(self, address):
        return next(s[2] + address - s[3] for s in self.of_type(PT_LOAD)
                    if s[3] <= address < s[3] + s[5])

    def symbols(self):
        """Names of the dynamic symbols; their table ends where the names begin."""
        start = self.offset(self.dynamic[DT_STRTAB])
        names = self.data[start:start + self.dynamic[DT_STRSZ]]
        table = self.offset(self.dynamic[DT_SYMTAB])
        return {text_at(names, struct.unpack_from("<I", self.data, at)[0])
                for at in range(table, start - 23, 24)}

    def code(self):
        return b"".join(self.data[s[2]:s[2] + s[5]] for s in self.of_type(PT_LOAD)
                        if s[1] & EXECUTABLE)


def elf_faults(data):
    elf = Elf(data)
    flags, flags_1 = elf.dynamic.get(DT_FLAGS, 0), elf.dynamic.get(DT_FLAGS_1, 0)
    now = DT_BIND_NOW in elf.dynamic or flags & DF_BIND_NOW or flags_1 & DF_1_NOW
    stacks = elf.of_type(PT_GNU_STACK)
    symbols = elf.symbols()
    checks = [
        ("RELRO", elf.of_type(PT_GNU_RELRO)),
        ("binding of all symbols at the start (full RELRO)", now),
        ("PIE", elf.type == ET_DYN and (flags_1 & DF_1_PIE or not elf.of_type(PT_INTERP))),
        ("a stack without code", stacks and not any(s[1] & EXECUTABLE for s in stacks)),
        ("segments either writable or executable", not any(
            s[1] & EXECUTABLE and s[1] & WRITABLE for s in elf.of_type(PT_LOAD))),
        ("code without relocations", DT_TEXTREL not in elf.dynamic and not flags & DF_TEXTREL),
        ("the stack protector", "__stack_chk_fail" in symbols),
        ("checked functions (_FORTIFY_SOURCE)",
         any(name.endswith("_chk") and name != "__stack_chk_fail" for name in symbols)),
    ]
    if elf.machine == EM_X86_64:
        checks.append(("landing marks (-fcf-protection)",
                       elf.code().count(LANDING_MARK) >= LANDING_MARKS_MIN))
    return [name for name, there in checks if not there]


# ---- PE -----------------------------------------------------------------------------------------

HIGH_ENTROPY_VA, DYNAMIC_BASE, NX_COMPAT = 0x20, 0x40, 0x100
RELOCS_STRIPPED, PE32_PLUS = 1, 0x20B
SECTION_EXECUTE, SECTION_WRITE = 0x20000000, 0x80000000
RELOCATIONS = 5  # which of the optional header's directories
ABOVE_4_GIB = 1 << 32


class Pe:
    def __init__(self, data):
        header, = struct.unpack_from("<I", data, 60)
        assert data[header:header + 4] == b"PE\0\0", "no PE"
        count, _, symbols, symbol_count, size, self.flags = struct.unpack_from(
            "<HIIIHH", data, header + 6)
        optional = header + 24
        self.wide = struct.unpack_from("<H", data, optional)[0] == PE32_PLUS
        self.base, = struct.unpack_from("<Q" if self.wide else "<I", data,
                                        optional + (24 if self.wide else 28))
        self.safety, = struct.unpack_from("<H", data, optional + 70)
        directories = optional + (112 if self.wide else 96)
        self.relocations, = struct.unpack_from("<I", data, directories + 8 * RELOCATIONS + 4)
        self.section_flags = [struct.unpack_from("<I", data, optional + size + 40 * i + 36)[0]
                              for i in range(count)]
        self.symbols = self.read_symbols(data, symbols, symbol_count) if symbol_count else set()

    @staticmethod
    def read_symbols(data, table, count):
        names, found, at = data[table + 18 * count:], set(), 0
        while at < count:
            entry = data[table + 18 * at:table + 18 * (at + 1)]
            zeros, offset = struct.unpack_from("<II", entry)
            found.add(entry[:8].rstrip(b"\0").decode("latin-1") if zeros
                      else text_at(names, offset))
            at += 1 + entry[17]  # what follows belongs to this one
        return found


def pe_faults(data, foreign, installer):
    pe = Pe(data)
    checks = [
        ("DYNAMIC_BASE", pe.safety & DYNAMIC_BASE),
        ("relocations, without which DYNAMIC_BASE does nothing",
         installer or (not pe.flags & RELOCS_STRIPPED and pe.relocations)),
        ("HIGH_ENTROPY_VA, with a base above 4 GiB",
         not pe.wide or (pe.safety & HIGH_ENTROPY_VA and pe.base >= ABOVE_4_GIB)),
        ("NX_COMPAT", pe.safety & NX_COMPAT),
        ("sections either writable or executable", not any(
            flags & SECTION_EXECUTE and flags & SECTION_WRITE for flags in pe.section_flags)),
    ]
    if not foreign and not installer:
        checks += [
            ("a table of symbols (it has to be unstripped)", pe.symbols),
            ("the stack protector", "__stack_chk_fail" in pe.symbols),
            ("checked functions (_FORTIFY_SOURCE)",
             any(name.endswith("_chk") for name in pe.symbols)),
        ]
    return [name for name, there in checks if not there]


# ---- archives of objects ------------------------------------------------------------------------

def archive_faults(data):
    times, at = set(), len(b"!<arch>\n")
    while at + 60 <= len(data):
        size = int(data[at + 48:at + 58])
        if not data[at:at + 16].startswith(b"//"):  # the table of long names has none
            times.add(data[at + 16:at + 40].split() == [b"0"] * 3)  # time, owner, group
        at += 60 + size + size % 2
    checks = [
        ("members without time and owner", times == {True}),
        ("the stack protector", b"\0__stack_chk_fail\0" in data),
        ("checked functions (_FORTIFY_SOURCE)", b"__snprintf_chk\0" in data),
    ]
    return [name for name, there in checks if not there]


# ---- all files ----------------------------------------------------------------------------------

def faults(path, installer):
    """What a file lacks, or None where it holds no machine code."""
    data = path.read_bytes()
    if data[:4] == b"\x7fELF":
        found = elf_faults(data)
    elif data[:2] == b"MZ":
        found = pe_faults(data, path.name in FOREIGN, installer)
    elif data[:8] == b"!<arch>\n":
        found = archive_faults(data)
    else:
        return None
    if TREE.encode() in data:
        found.append(f"silence about {TREE}, where it was built")
    return found


def main():
    installer = sys.argv[1:2] == ["--installer"]
    arguments = [Path(name) for name in sys.argv[1 + installer:]]
    for path in arguments:
        if not path.exists():
            sys.exit(f"hardening.py: there is no {path}")
    files = [file for path in arguments
             for file in (sorted(path.rglob("*")) if path.is_dir() else [path])
             if file.is_file() and not file.is_symlink()]
    read, bad = 0, 0
    for path in files:
        found = faults(path, installer)
        if found is None:
            continue
        read += 1
        bad += bool(found)
        print(f"{'FAILED ' if found else 'ok     '} {path}",
              *(f"\n        lacks {name}" for name in found))
    print(f"{read} files read, {bad} of them lack something")
    sys.exit(1 if bad or not read else 0)


main()
