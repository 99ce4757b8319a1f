#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Holds the arrows of docs/architecture.md: reads every #include of core/, kernels/, plugin/ and
tools/ and names each one that the page's tables do not draw.

    includes.py TREE

Three tables are read, which the first cell of their heads tells apart:

    | room | may include |            other rooms, or single files of them
    | library | headers | rooms |     patterns of another project's headers, and who may see them,
                                      be it through headers of ours
    | file | includes | why |         exceptions, one file each

A file belongs to the room with the longest name that its path begins with, and may include what
lies in its own room. The page has to be true in the other direction, too: a room without files and
an exception that nothing needs are named.
"""
import fnmatch
import os
import re
import sys

TOPS = ("core", "kernels", "plugin", "tools")
ENDINGS = (".c", ".h", ".cu", ".cuh", ".c.in")
ROOTS = ("core", "core/include", "plugin", "tools", "")  # where the build looks for headers
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)


def tables(page):
    """Name of the first column -> rows; a cell is the list of its `words`."""
    found, name = {}, None
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line[:1] == "|" else []
        if not cells:
            name = None
        elif name is None:
            name = cells[0]
        elif not set(cells[0]) <= set("-: "):
            found.setdefault(name, []).append([re.findall(r"`([^`]+)`", cell) for cell in cells])
    return found


def under(path, place):
    return path == place or path.startswith(place + "/")


class Tree:
    def __init__(self, root):
        self.includes = {}  # file -> what it includes, as written: [(name, quoted)]
        for top in TOPS:
            for folder, _, names in os.walk(os.path.join(root, top)):
                for name in names:
                    if name.endswith(ENDINGS):
                        path = os.path.join(folder, name)
                        with open(path, encoding="utf-8") as file:
                            self.includes[os.path.relpath(path, root)] = [
                                (a or b, bool(a)) for a, b in INCLUDE.findall(file.read())]

    def find(self, source, name):
        """The file of ours that 'source' calls 'name', or None."""
        for root in (os.path.dirname(source), *ROOTS):
            path = os.path.normpath(os.path.join(root, name))
            if path in self.includes:
                return path
        return None

    def reached(self, source):
        """Header of another project -> how 'source' comes to it: the files in between."""
        headers, ways = {}, [(source,)]
        seen = {source}
        while ways:
            way = ways.pop(0)
            for name, _ in self.includes[way[-1]]:
                path = self.find(way[-1], name)
                if path is None:
                    headers.setdefault(name, way[1:])
                elif path not in seen:
                    seen.add(path)
                    ways.append((*way, path))
        return headers


class Page:
    def __init__(self, text):
        drawn = tables(text)
        self.rooms = {name: may for names, may in drawn["room"] for name in names}
        self.libraries = [(patterns, rooms) for _, patterns, rooms in drawn["library"]]
        self.exceptions = {(source, target) for sources, targets, _ in drawn.get("file", [])
                           for source in sources for target in targets}

    def room(self, path):
        return max((room for room in self.rooms if under(path, room)), key=len, default=None)

    def drawn(self, source, target):
        """Whether 'source' may include 'target': its own room's, another room's, or an exception."""
        room, place = self.room(source), self.room(target)
        return (place == room or place in self.rooms[room] or target in self.rooms[room] or
                (source, target) in self.exceptions)


def check_arrows(tree, page, source):
    room = page.room(source)
    if room is None:
        return [f"{source} lies in no room"]
    problems = []
    for name, quoted in tree.includes[source]:
        target = tree.find(source, name)
        if target is None:
            if quoted:
                problems.append(f"{source} includes {name}, which is nowhere")
        elif not page.drawn(source, target):
            problems.append(f"{source} includes {target}: no arrow from {room}")
    return problems


def check_libraries(tree, page, source):
    problems = []
    for header, way in tree.reached(source).items():
        through = f" through {way[0]}" if way else ""
        for patterns, rooms in page.libraries:
            if (any(fnmatch.fnmatch(header, pattern) for pattern in patterns) and
                    not any(under(source, room) for room in rooms)):
                problems.append(f"{source} includes <{header}>{through}: not for its room")
    return problems


def check_page(tree, page):
    problems = [f"the room {room} is empty" for room in page.rooms
                if not any(page.room(path) == room for path in tree.includes)]
    used = {(source, tree.find(source, name)) for source in tree.includes
            for name, _ in tree.includes[source]}
    return problems + [f"the exception of {source} for {target} is not needed"
                       for source, target in sorted(page.exceptions - used)]


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    root = sys.argv[1]
    tree = Tree(root)
    with open(os.path.join(root, "docs", "architecture.md"), encoding="utf-8") as file:
        page = Page(file.read())
    problems = check_page(tree, page)
    for source in sorted(tree.includes):
        problems += check_arrows(tree, page, source) + check_libraries(tree, page, source)
    print("\n".join(problems) or f"{len(tree.includes)} files, every arrow is drawn")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
