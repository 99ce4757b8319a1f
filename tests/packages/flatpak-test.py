#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
What can be said about the Flatpak extension without building it: the manifest and the metadata are
well-formed, agree with each other and with where OBS Studio looks for its extensions.

    flatpak-test.py FOLDER METAINFO VERSION
"""
import json
import os
import re
import sys
import xml.etree.ElementTree

NAME = "com.obsproject.Studio.Plugin.FlashVSR"
failed = False


def check(good, what):
    global failed
    print("ok     " if good else "FAILED ", what)
    failed = failed or not good


def main():
    folder, metainfo, version = sys.argv[1:]
    with open(os.path.join(folder, NAME + ".json"), encoding="utf-8") as file:
        manifest = json.load(file)
    check(manifest["id"] == NAME, "the manifest's name is the extension's")
    check(manifest["build-extension"] and manifest["runtime"] == "com.obsproject.Studio",
          "it extends OBS Studio")
    check(manifest["build-options"]["prefix"] == "/app/plugins/" + NAME.rsplit(".", 1)[1],
          "it is installed where OBS looks")
    for module in manifest["modules"]:
        for source in module["sources"]:
            check(source["type"] == "dir" or re.fullmatch("[0-9a-f]{64}", source["sha256"]),
                  module["name"] + ": what is downloaded is known by its sum")

    component = xml.etree.ElementTree.parse(metainfo).getroot()
    check(component.get("type") == "addon", "the metadata describe an addon")
    check(component.findtext("id") == NAME, "of the same name")
    check(component.findtext("extends") == manifest["runtime"], "of OBS Studio")
    release = component.find("releases/release")
    check(release.get("version") == version, "of this version")
    check(re.fullmatch(r"\d{4}-\d\d-\d\d", release.get("date")), "of a day")
    return failed


sys.exit(main())
