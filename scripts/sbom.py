#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What is in each package, as SPDX 2.3: so that whoever hears of a hole in a library can look up
whether a package has it.

    sbom.py FOLDER [GLOB=LIST]...

Writes PACKAGE.spdx.json beside every .deb, .tar.gz, .zip and -installer.exe in FOLDER that has none
yet: our own version and commit, every file with its sums, and every library that is linked in,
shipped or loaded from the system, with version and licence.

A LIST says what is in those packages whose names match GLOB and cannot be read off their files. Each
line is a component: name, version, licence (an expression of SPDX; the text of a LicenseRef-NAME lies
beside the list as NAME.txt or licences/NAME), how it is used (linked, shipped or headers), purl, name
of a file of it and that file's SHA-256, with tabs between. What files for Linux load is read off
them, and dpkg is asked which package of this system that is: so this runs where they were built.

The same packages make the same documents. The time is SOURCE_DATE_EPOCH or that of the commit. An
installer for Windows is taken to hold what the zip of the same version holds.
"""
import datetime
import fnmatch
import functools
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import uuid
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
AUTHORS = "Organization: The obs-flashvsr authors"
OWN_LICENCE, WITH_APACHE = "GPL-2.0-or-later", "GPL-3.0-or-later"
MODEL = "models/bundled.safetensors"
KINDS = ("*.deb", "*.tar.gz", "*.zip", "*-installer.exe")
UNKNOWN = "NOASSERTION"
RELATIONS = {"linked": "STATIC_LINK", "loaded": "DYNAMIC_LINK", "shipped": "CONTAINS",
             "needed": "DEPENDS_ON", "headers": "BUILD_DEPENDENCY_OF"}

# By Debian's source package: its copyright files are for people.
LICENCES = {
    "curl": "curl",
    "ffmpeg": "GPL-2.0-or-later",
    "gcc": "GPL-3.0-or-later WITH GCC-exception-3.1",
    "glibc": "LGPL-2.1-or-later",
    "jansson": "MIT",
    "libzip": "BSD-3-Clause",
    "llvm-toolchain": "Apache-2.0 WITH LLVM-exception",
    "obs-studio": "GPL-2.0-or-later",
    "onednn": "Apache-2.0",
}


def output(*command):
    """What a command says; nothing where it fails before it has said anything."""
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True).stdout.strip()


# ---- what is in a package -----------------------------------------------------------------------

def tar_files(tar):
    return {"./" + member.name.removeprefix("./"): tar.extractfile(member).read()
            for member in tar if member.isfile()}


def files_of(package):
    """Every file of a package by its name there."""
    if package.suffix == ".deb":
        tree = subprocess.run(["dpkg-deb", "--fsys-tarfile", package], check=True,
                              stdout=subprocess.PIPE).stdout
        return tar_files(tarfile.open(fileobj=io.BytesIO(tree)))
    if package.suffix == ".gz":
        return tar_files(tarfile.open(package))
    if package.suffix == ".exe":
        package = package.with_name(re.sub(r"(-cublaslt)?-installer\.exe$", ".zip", package.name))
    with zipfile.ZipFile(package) as archive:
        return {"./" + name: archive.read(name) for name in archive.namelist()
                if not name.endswith("/")}


def needed_libraries(data):
    """The names of the libraries that an ELF file asks the loader for."""
    work = Path(os.environ.get("TMPDIR", "/tmp")) / f"sbom-{os.getpid()}"
    work.write_bytes(data)
    try:
        return re.findall(r"\(NEEDED\).*\[(.+)\]", output("readelf", "-dW", str(work)))
    finally:
        work.unlink()


# ---- components ---------------------------------------------------------------------------------

def licence_of(source):
    name = re.sub(r"-[0-9.]+$", "", source)
    return LICENCES.get(name, UNKNOWN)


@functools.cache
def debian_component(package, use):
    """A package of this system; None where it is not installed."""
    line = output("dpkg-query", "-W", "-f", "${Package}\t${Version}\t${source:Package}", package)
    if not line:
        return None
    name, version, source = line.splitlines()[0].split("\t")
    return {"name": name, "version": version, "licence": licence_of(source), "use": use,
            "purl": f"pkg:deb/debian/{name}@{version}"}


@functools.cache
def library_components(libraries):
    """Those of several libraries, named as in files: one question to dpkg, which is slow."""
    found = output("dpkg", "-S", *(f"*-linux-gnu*/{library}" for library in libraries))
    owners = {path.rsplit("/", 1)[1]: package for package, path in
              re.findall(r"^([^,:\s]+).*?: (/\S+)$", found, flags=re.M)}
    return [library in owners and debian_component(owners[library], "loaded") or
            {"name": library, "version": UNKNOWN, "licence": UNKNOWN, "use": "loaded"}
            for library in libraries]


def listed_components(path):
    for line in path.read_text().splitlines():
        name, version, licence, use, purl, file, sha256 = line.split("\t")
        yield {"name": name, "version": version, "licence": licence, "use": use, "purl": purl,
               "file": file, "sha256": sha256}


def components_of(package, files, lists):
    found = [component for path in lists for component in listed_components(path)]
    libraries = {library for data in files.values() if data[:4] == b"\x7fELF"
                 for library in needed_libraries(data)}
    found += library_components(tuple(sorted(library for library in libraries
                                             if not library.startswith("ld-linux"))))
    if any(data[:2] == b"MZ" and b"obs.dll\0" in data for data in files.values()):
        found.append({"name": "obs.dll", "version": UNKNOWN, "licence": LICENCES["obs-studio"],
                      "use": "loaded"})
    if package.suffix == ".deb":
        depends = output("dpkg-deb", "-f", str(package), "Depends")
        found += filter(None, (debian_component(re.split(r"[ (|]", entry.strip())[0], "needed")
                               for entry in depends.split(",") if entry.strip()))
    for name, data in files.items():
        if name.endswith(MODEL):
            found.append({"name": "bundled model", "version": UNKNOWN, "licence": OWN_LICENCE,
                          "use": "shipped", "file": name, "data": True,
                          "sha256": hashlib.sha256(data).hexdigest()})
    by_name = {}
    for component in found:
        by_name.setdefault(component["name"], component)
    return [by_name[name] for name in sorted(by_name)]


def licence_texts(components, lists):
    names = {name for component in components
             for name in re.findall(r"LicenseRef-([A-Za-z0-9.-]+)", component["licence"])}
    for name in sorted(names):
        places = [place for path in lists
                  for place in (path.parent / f"{name}.txt", path.parent / "licences" / name)]
        text = next((place for place in places if place.is_file()), None)
        if not text:
            sys.exit(f"sbom.py: the text of {name} is missing: {places}")
        yield {"licenseId": f"LicenseRef-{name}", "name": name,
               "extractedText": text.read_text(errors="replace")}


# ---- the document -------------------------------------------------------------------------------

def sums(data, *kinds):
    return [{"algorithm": kind, "checksumValue": hashlib.new(kind.lower(), data).hexdigest()}
            for kind in kinds]


def file_entry(number, name, data):
    kind = "BINARY" if data[:4] == b"\x7fELF" or data[:2] == b"MZ" else "OTHER"
    return {"SPDXID": f"SPDXRef-File-{number}", "fileName": name, "fileTypes": [kind],
            "checksums": sums(data, "SHA1", "SHA256"), "licenseConcluded": UNKNOWN,
            "copyrightText": UNKNOWN}


def component_entry(component):
    entry = {"SPDXID": "SPDXRef-" + re.sub(r"[^A-Za-z0-9.]+", "-", component["name"]),
             "name": component["name"], "downloadLocation": UNKNOWN, "filesAnalyzed": False,
             "licenseConcluded": component["licence"], "licenseDeclared": component["licence"],
             "copyrightText": UNKNOWN,
             "primaryPackagePurpose": "OTHER" if "data" in component else "LIBRARY"}
    if component["version"] != UNKNOWN:
        entry["versionInfo"] = component["version"]
    if "file" in component:
        entry["packageFileName"] = component["file"]
        entry["checksums"] = [{"algorithm": "SHA256", "checksumValue": component["sha256"]}]
    if "purl" in component:
        entry["externalRefs"] = [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                                  "referenceLocator": component["purl"]}]
    return entry


def verification_code(files):
    """SPDX 2.3, 7.9: one sum of all files' sums."""
    each = sorted(hashlib.sha1(data).hexdigest() for data in files.values())
    return hashlib.sha1("".join(each).encode()).hexdigest()


def package_entry(package, files, components, version, origin):
    apache = any("Apache-2.0" in c["licence"] and c["use"] != "needed" for c in components)
    return {"SPDXID": "SPDXRef-Package", "name": re.split(r"[_-]v?\d", package.name)[0],
            "versionInfo": version, "packageFileName": package.name, "supplier": AUTHORS,
            "downloadLocation": UNKNOWN, "sourceInfo": origin, "filesAnalyzed": True,
            "packageVerificationCode": {"packageVerificationCodeValue": verification_code(files)},
            "checksums": sums(package.read_bytes(), "SHA256"),
            "licenseConcluded": WITH_APACHE if apache else OWN_LICENCE,
            "licenseDeclared": OWN_LICENCE, "copyrightText": "The obs-flashvsr authors",
            "primaryPackagePurpose": "INSTALL"}


def relations(entries, components, file_entries):
    yield "SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-Package"
    for entry, component in zip(entries, components):
        pair = ["SPDXRef-Package", entry["SPDXID"]]
        relation = RELATIONS[component["use"]]
        if relation.endswith("_OF"):
            pair.reverse()
        yield pair[0], relation, pair[1]
    for entry in file_entries:
        yield "SPDXRef-Package", "CONTAINS", entry["SPDXID"]


def document(package, lists, version, origin, created):
    files = files_of(package)
    components = components_of(package, files, lists)
    entries = [component_entry(component) for component in components]
    file_entries = [file_entry(number, name, files[name])
                    for number, name in enumerate(sorted(files))]
    main_entry = package_entry(package, files, components, version, origin)
    identity = uuid.uuid5(uuid.NAMESPACE_URL, main_entry["checksums"][0]["checksumValue"])
    return {
        "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT",
        "name": package.name,
        "documentNamespace": f"https://spdx.org/spdxdocs/{package.name}-{identity}",
        "creationInfo": {"created": created, "creators": [AUTHORS, f"Tool: sbom.py-{version}"]},
        "packages": [main_entry] + entries, "files": file_entries,
        "hasExtractedLicensingInfos": list(licence_texts(components, lists)),
        "relationships": [
            {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}
            for one, kind, other in relations(entries, components, file_entries)],
    }


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    folder = Path(sys.argv[1])
    lists = [argument.rsplit("=", 1) for argument in sys.argv[2:]]
    version = re.search(r"project\(\S+ VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text())[1]
    git = ("git", "-C", str(ROOT))
    commit = output(*git, "rev-parse", "HEAD")
    changed = ", with changes" if output(*git, "status", "--porcelain", "-uno") else ""
    origin = f"commit {commit}{changed}" if commit else "no commit is known"
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH") or output(*git, "log", "-1", "--format=%ct")
                or 0)
    created = datetime.datetime.fromtimestamp(epoch, datetime.timezone.utc)
    for package in sorted({path for kind in KINDS for path in folder.glob(kind)}):
        target = package.with_name(package.name + ".spdx.json")
        if target.exists():
            continue
        its_lists = [Path(path) for glob, path in lists if fnmatch.fnmatch(package.name, glob)]
        text = json.dumps(document(package, its_lists, version, origin,
                                   created.strftime("%Y-%m-%dT%H:%M:%SZ")), indent=1)
        target.write_text(text + "\n")
        print(f"wrote {target}")


main()
