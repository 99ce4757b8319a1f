#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Whether every OBS Studio finds the filter in a package, once and with its data.

    places.py PACKAGE.deb | HOME.tar.gz | PROGRAMDATA.zip
    places.py --flatpak FOLDER

Walks through a package's names as libobs walks through folders: find_modules_in_path() of
libobs/obs-module.c, with the places that each version names. OBS 29 to 32: libobs/obs-nix.c and
AddExtraModulePaths() of UI/window-basic-main.cpp (29.0.2, 30.2.3) and
frontend/widgets/OBSBasic.cpp (32.2.2). OBS 33: frontend/plugin-manager/PluginModuleLoader_*.cpp and
LoaderPaths_*.hpp.in, read at commit 046330768dddbbce891046c5660be5ba4167b9d1 of obs-studio, the last
state of that change which could be had before its release. It loads from its new places first, then
from the old ones what has not been loaded by that name; OBS 34 will know the new ones only.
"""
import io
import os
import subprocess
import sys
import tarfile
import zipfile

NAME = "obs-flashvsr"
DATA = ["manifest.json", "locale/en-US.ini", "effects/flashvsr.effect",
        "models/bundled.safetensors"]
# Pairs of module and data, from the root that the kind of package has.
SYSTEM_OLD = [("usr/lib/x86_64-linux-gnu/obs-plugins", "usr/share/obs/obs-plugins/%module%")]
SYSTEM_NEW = [("usr/lib/x86_64-linux-gnu/obs-modules/plugins",
               "usr/share/obs/obs-modules/plugins/%module%")]
USER_OLD = [(".config/obs-studio/plugins/%module%/bin/64bit",
             ".config/obs-studio/plugins/%module%/data")]
USER_NEW = [(".local/share/obs-studio/plugins/%module%",
             ".local/share/obs-studio/plugins/%module%/data")]
# %ProgramData%\obs-studio\plugins, or <OBS>\plugins of a portable OBS 33.
WINDOWS_OLD = [("%module%/bin/64bit", "%module%/data")]
WINDOWS_NEW = [("%module%", "%module%/data")]
# /app/plugins. In that commit the code of OBS 33 names the second folder of data and the comment
# above it the first.
FLATPAK_OLD = [("lib/obs-plugins", "share/obs/obs-plugins/%module%")]
FLATPAK_NEW = [[("lib/obs-modules/plugins", data + "/%module%")]
               for data in ("share/obs/obs-modules/plugins", "share/obs-modules/plugins")]

failed = False


def check(good, what):
    global failed
    print("ok     " if good else "FAILED ", what)
    failed = failed or not good


class Tree:
    """Files by their names; a link has a target, a file has None."""

    def __init__(self, entries):
        self.entries = {os.path.normpath(path): target for path, target in entries}
        self.folders = set()
        for path in self.entries:
            while path := os.path.dirname(path):
                self.folders.add(path)

    def real(self, path, depth=0):
        """The name behind links, or None where there is nothing."""
        done = ""
        for part in path.split("/"):
            done = os.path.normpath(os.path.join(done, part))
            target = self.entries.get(done)
            if target is not None:
                if target.startswith("/") or depth > 8:
                    return None
                done = self.real(os.path.normpath(os.path.join(os.path.dirname(done), target)),
                                 depth + 1)
                if done is None:
                    return None
        return done if done in self.entries or done in self.folders else None

    def names(self, folder):
        folder = self.real(folder) if folder else ""
        if folder is None:
            return []
        front = folder + "/" if folder else ""
        return sorted({path[len(front):].split("/")[0]
                       for path in [*self.entries, *self.folders] if path.startswith(front)})

    def is_folder(self, path):
        return self.real(path) in self.folders


def modules(tree, places, extension):
    """What an OBS finds in such places, in its order: name, file and folder of data."""
    for binary, data in places:
        front, marked, _ = binary.partition("%module%")
        for name in tree.names(front.rstrip("/")):
            path = os.path.join(front, name)
            if marked and tree.is_folder(path):
                path = os.path.join(binary.replace("%module%", name), name + extension)
            elif marked or not name.endswith(extension) or tree.is_folder(path):
                continue
            if tree.real(path):
                name = name.removesuffix(extension)
                yield name, path, data.replace("%module%", name)


def check_version(tree, version, places, extension):
    loaded = {}
    for name, path, data in modules(tree, places, extension):
        if version >= 33 and name in loaded:
            continue
        check(name not in loaded, f"OBS {version} does not load {name} twice")
        loaded[name] = path, data
    check(list(loaded) == [NAME], f"OBS {version} finds {NAME} and nothing else: {list(loaded)}")
    if NAME not in loaded:
        return
    path, data = loaded[NAME]
    check(all(tree.real(f"{data}/{file}") for file in DATA),
          f"OBS {version} finds {path} with its data in {data}")
    if version >= 33:
        new = [found for _, found, _ in modules(tree, places[:1], extension)]
        check(new == [path], f"OBS {version} has it from its new place")


def check_tree(tree, old, new, extension):
    for path, target in tree.entries.items():
        if target is not None:
            check(tree.real(path), f"the link {path} leads to something here")
    for version in (29, 30, 32):
        check_version(tree, version, old, extension)
    for places in new:
        check_version(tree, 33, places + old, extension)
        check_version(tree, 34, places, extension)


def tar_entries(members):
    return [(member.name, member.linkname if member.issym() else None)
            for member in members if not member.isdir()]


def folder_entries(root):
    for folder, folders, files in os.walk(root):
        for name in files + [name for name in folders
                             if os.path.islink(os.path.join(folder, name))]:
            path = os.path.join(folder, name)
            yield (os.path.relpath(path, root),
                   os.readlink(path) if os.path.islink(path) else None)


def main():
    path = sys.argv[-1]
    if sys.argv[1] == "--flatpak":
        check_tree(Tree(folder_entries(path)), FLATPAK_OLD, FLATPAK_NEW, ".so")
    elif path.endswith(".zip"):
        with zipfile.ZipFile(path) as archive:
            entries = [(name, None) for name in archive.namelist() if not name.endswith("/")]
        check_tree(Tree(entries), WINDOWS_OLD, [WINDOWS_NEW], ".dll")
    elif path.endswith(".deb"):
        files = subprocess.run(["dpkg-deb", "--fsys-tarfile", path], check=True,
                               stdout=subprocess.PIPE).stdout
        with tarfile.open(fileobj=io.BytesIO(files)) as archive:
            entries = tar_entries(archive.getmembers())
        check_tree(Tree(entries), SYSTEM_OLD, [SYSTEM_NEW], ".so")
    else:
        with tarfile.open(path) as archive:
            members = archive.getmembers()
        check(not any(member.isdir() for member in members),
              "it has no folders, whose rights would become those of a user's own")
        check_tree(Tree(tar_entries(members)), USER_OLD, [USER_NEW], ".so")
    return failed


sys.exit(main())
