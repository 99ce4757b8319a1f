# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads the lists of pictures and videos that training uses, and fetches what they name, because
where each file comes from, and under which licence, is data and not code.

A list (lists/*.txt) has sections. A section is one source, and begins with its tag in brackets and
with fields:

    package = NAME              of Debian 12, or
    repository = OWNER/NAME COMMIT
    folder = PATH               what all files of the section lie in
    licence = NAME              what holds for files whose line has no licence
    stated = WHERE              the file that states it; a package's own copyright file otherwise
    shows, by = TEXT            what holds for files whose line says nothing else
    held = none, fifth or all   which files are kept for measuring

Each further line is a file:

    file | what it shows | attribution | licence, if it is another | more, as the list's reader says

"ARCHIVE!MEMBER" is a file in a zip archive. A line that begins with # is a comment.
"""

import glob
import io
import os
import re
import subprocess
import tarfile
import unicodedata
import zipfile

LISTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "lists")
FIELDS = ("package", "repository", "folder", "licence", "stated", "shows", "by", "held")
HELD = {"none": lambda i: False, "fifth": lambda i: i % 5 == 4, "all": lambda i: True}


class ListError(Exception):
    pass


class Source:
    """Is a section: its fields by name, '' where it has none, and its files, lists of columns."""

    def __init__(self, tag):
        self.tag, self.files = tag, []
        self.fields = dict.fromkeys(FIELDS, "")
        self.fields["held"] = "none"

    def __getattr__(self, name):
        return self.fields[name]

    def check(self):
        if bool(self.package) == bool(self.repository):
            raise ListError(f"[{self.tag}] needs a package or a repository")
        if self.repository and not re.fullmatch(r"\S+/\S+ [0-9a-f]{40}", self.repository):
            raise ListError(f"[{self.tag}] names no commit: {self.repository}")
        if self.held not in HELD:
            raise ListError(f"[{self.tag}] holds out neither none, fifth nor all: {self.held}")
        for file, shows, who, licence, _ in self.files:
            if not (licence or self.licence) or not (shows or self.shows):
                raise ListError(f"[{self.tag}] says too little of {file}")

    def path(self, file):
        return f"{self.folder}/{file}" if self.folder else file

    def is_held(self, place):
        return HELD[self.held](place)


def read_list(path):
    """Returns the sources of a list."""
    sources = []
    with open(path, encoding="utf-8") as lines:
        for line in map(str.strip, lines):
            field = re.match(r"(\w+) = (.*)", line)
            if not line or line.startswith("#"):
                continue
            if re.fullmatch(r"\[\w+\]", line):
                sources.append(Source(line[1:-1]))
            elif not sources:
                raise ListError(f"{path}: a line before the first section: {line}")
            elif field and field[1] in FIELDS and not sources[-1].files:
                sources[-1].fields[field[1]] = field[2]
            else:
                sources[-1].files.append(([c.strip() for c in line.split("|")] + [""] * 4)[:5])
    for source in sources:
        source.check()
    return sources


# Fetching -----------------------------------------------------------------------------------------

def package_file(package, folder):
    """Returns the file of a Debian package that 'folder' has, or downloads it there."""
    found = glob.glob(os.path.join(folder, package + "_*.deb"))
    if not found:
        subprocess.run(["apt-get", "download", "-qq", package], cwd=folder, check=True)
        found = glob.glob(os.path.join(folder, package + "_*.deb"))
    return sorted(found)[-1]


def read_package(deb, wanted):
    """Yields (path, bytes) of the wanted files, which may lie in archives, in the package's
    order."""
    inside = {}
    for path in wanted:
        inside.setdefault(path.partition("!")[0], []).append(path)
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE) as process:
        with tarfile.open(fileobj=process.stdout, mode="r|") as tar:
            for member in tar:
                paths = inside.get(member.name[2:]) if member.isfile() else None
                if paths:
                    data = tar.extractfile(member).read()
                    yield from unzipped(data, paths)
            while process.stdout.read(1 << 20):  # dpkg-deb wants to be read to the end
                pass


def unzipped(data, paths):
    for path in paths:
        member = path.partition("!")[2]
        if member:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                yield path, archive.read(member)
        else:
            yield path, data


def clone(repository, folder, work):
    """Returns the bare clone that 'folder' has, or a new one, which fetches files only when they
    are read."""
    name = repository.replace("/", "+")
    for to in (os.path.join(at, name) for at in (folder, work) if at):
        if os.path.isdir(to):
            return to
    subprocess.run(["git", "clone", "-q", "--bare", "--filter=blob:none",
                    "https://github.com/" + repository, to], check=True)
    return to


def fetch(source, debs, repositories, work):
    """Yields (line's place, columns, bytes, whence, where the licence is stated) of every file."""
    lines = {source.path(c[0]): (i, c) for i, c in enumerate(source.files)}
    if source.package:
        deb = package_file(source.package, debs or work)
        version = subprocess.check_output(["dpkg-deb", "-f", deb, "Version"], text=True).strip()
        stated = (f"{source.stated} in " if source.stated else "") + \
            f"/usr/share/doc/{source.package}/copyright"
        for path, data in read_package(deb, lines):
            yield *lines.pop(path), data, f"{source.package} {version}: {path}", stated
        if lines:
            raise ListError(f"{deb} lacks {', '.join(lines)}")
        return
    name, commit = source.repository.split()
    root = clone(name, repositories, work)
    for path, line in lines.items():
        outer = path.partition("!")[0]
        data = subprocess.check_output(["git", "-C", root, "cat-file", "blob", f"{commit}:{outer}"])
        yield *line, dict(unzipped(data, [path]))[path], f"{name} {commit[:8]}: {path}", \
            source.stated


# Names --------------------------------------------------------------------------------------------

def label(path):
    """Returns ('Wall_with_door', '"Wall with door" by N. N.') for
    .../Wall_with_door_by_N._N..jpg."""
    name = os.path.splitext(os.path.basename(path))[0]
    if name[0].isdigit() and "x" in name and path.count("/") > 2:
        name = path.split("/")[0]  # plasma's files are called by their size
    title, _, who = name.rpartition("_by_")
    title = title or name
    return title, f'"{title}" by {who}'.replace("_", " ").strip()


def file_name(tag, title, ending):
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    return f"{tag}_{re.sub('[^A-Za-z0-9]+', '-', plain).strip('-')}{ending}"
