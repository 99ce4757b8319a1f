#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Looks whether the Markdown pages refer to what exists: links to files and headings, and paths of
the tree in `code`, where a * stands for anything.

    references.py TREE
"""
import glob
import os
import re
import sys

# `core/net/run/run.c`, but not `core/…`, `tests/NAME` or a command with arguments.
PATH = re.compile(r"`((?:\.ci|cmake|core|data|docs|installer|kernels|locale|plugin|scripts|tests|"
                  r"tools|train)/[a-z0-9_*./-]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


def pages(root):
    for folder, names, files in os.walk(root):
        if folder == root:
            names[:] = [name for name in names if not name.startswith((".", "build"))]
        yield from (os.path.join(folder, file) for file in files if file.endswith(".md"))


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def anchors(path):
    """Returns the anchors that GitHub gives the headings of a page."""
    return [re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
            for heading in HEADING.findall(read(path))]


def check_link(page, link):
    """Returns what is wrong with a link of a page, or None."""
    if re.match(r"[a-z]+:", link):
        return None
    name, _, anchor = link.partition("#")
    path = os.path.join(os.path.dirname(page), name) if name else page
    if not os.path.exists(path):
        return f"there is no {link}"
    if anchor and anchor not in anchors(path):
        return f"there is no heading {link}"
    return None


def main():
    root = sys.argv[1]
    problems, count = [], 0
    for page in sorted(pages(root)):
        text = read(page)
        found = [check_link(page, link) for link in LINK.findall(text)]
        found += [None if glob.glob(os.path.join(root, path)) else f"there is no {path}"
                  for path in PATH.findall(text)]
        count += len(found)
        problems += [f"{os.path.relpath(page, root)}: {what}" for what in found if what]
    print("\n".join(problems) or f"{count} references, all of them lead somewhere")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
