#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether the documents that scripts/sbom.py wrote are SPDX 2.3 and tell the truth.

    check_sbom.py FOLDER

Looks at every *.spdx.json in FOLDER: the fields that the specification requires and the form of
their values (https://spdx.github.io/spdx-spec/v2.3), that every reference has its object, and, as
far as it can be looked up without the writer's code: the sums of the package and of each file in it,
a licence and a version for every library, a component for every library that a file asks for, and
the bundled model's sum. Every package in FOLDER must have its document.
"""
import hashlib
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

MODEL = Path(__file__).resolve().parents[2] / "data/models/bundled.safetensors"
SPDX_IDS = {"GPL-2.0-or-later", "GPL-3.0-or-later", "LGPL-2.1-or-later", "MIT", "BSD-3-Clause",
            "curl", "Zlib", "Apache-2.0"}  # of the list of SPDX; only what is expected here
EXCEPTIONS = {"GCC-exception-3.1", "LLVM-exception"}
RELATIONS = {"DESCRIBES", "CONTAINS", "STATIC_LINK", "DYNAMIC_LINK", "DEPENDS_ON",
             "BUILD_DEPENDENCY_OF"}
HEX = {"SHA1": 40, "SHA256": 64}
UNKNOWN = "NOASSERTION"

failures = []


def check(condition, *words):
    if not condition:
        failures.append(" ".join(map(str, words)))
    return condition


# ---- the form ------------------------------------------------------------------------------------

def check_fields(where, entry, patterns):
    for field, pattern in patterns.items():
        value = entry.get(field)
        check(isinstance(value, str) and re.fullmatch(pattern, value, flags=re.S), where, field,
              "is", repr(value))


def check_licence(where, text, extracted):
    if text == UNKNOWN:
        return
    for part in re.split(r" (?:AND|OR) ", text.replace("(", "").replace(")", "")):
        licence, _, exception = part.partition(" WITH ")
        check(licence in SPDX_IDS or licence in extracted, where, "names no known licence:", part)
        check(not exception or exception in EXCEPTIONS, where, "names no known exception:", part)


def check_sums(where, entry, needed):
    found = {}
    for item in entry.get("checksums", []):
        kind, value = item.get("algorithm"), item.get("checksumValue", "")
        check(kind in HEX and re.fullmatch(r"[0-9a-f]{%d}" % HEX.get(kind, 0), value), where,
              "has a malformed sum")
        found[kind] = value
    check(set(needed) <= set(found), where, "lacks one of", *needed)
    return found


def check_package(entry, extracted):
    where = f"package {entry.get('name')}"
    check_fields(where, entry, {
        "SPDXID": r"SPDXRef-[A-Za-z0-9.-]+", "name": r".+", "licenseConcluded": r".+",
        "downloadLocation": r"NONE|NOASSERTION|[a-z+]+://\S+", "licenseDeclared": r".+",
        "copyrightText": r".+", "primaryPackagePurpose": r"LIBRARY|INSTALL|OTHER"})
    check_licence(where, entry.get("licenseConcluded", ""), extracted)
    check_licence(where, entry.get("licenseDeclared", ""), extracted)
    check_sums(where, entry, ())
    check(isinstance(entry.get("filesAnalyzed"), bool), where, "filesAnalyzed is no bool")
    for reference in entry.get("externalRefs", []):
        check_fields(where, reference, {
            "referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
            "referenceLocator": r"pkg:[a-z]+/[A-Za-z0-9./_+-]+@\S+"})


def check_form(document):
    check_fields("document", document, {
        "spdxVersion": r"SPDX-2\.3", "dataLicense": r"CC0-1\.0", "SPDXID": "SPDXRef-DOCUMENT",
        "name": r".+", "documentNamespace": r"https://[^\s#]+"})
    creation = document.get("creationInfo", {})
    check_fields("creation", creation, {"created": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"})
    check(creation.get("creators") and all(re.match(r"(Person|Organization|Tool): \S", name)
                                           for name in creation["creators"]), "creators")
    extracted = set()
    for text in document.get("hasExtractedLicensingInfos", []):
        check_fields("licence", text, {"licenseId": r"LicenseRef-[A-Za-z0-9.-]+",
                                       "extractedText": r".{40,}"})
        extracted.add(text.get("licenseId"))
    for entry in document["packages"]:
        check_package(entry, extracted)
    for entry in document["files"]:
        where = f"file {entry.get('fileName')}"
        check_fields(where, entry, {"SPDXID": r"SPDXRef-[A-Za-z0-9.-]+", "fileName": r"\./.+",
                                    "licenseConcluded": r".+", "copyrightText": r".+"})
        check_sums(where, entry, ("SHA1", "SHA256"))
    names = [entry["SPDXID"] for entry in document["packages"] + document["files"]]
    check(len(names) == len(set(names)), "an SPDXID stands for two things")
    ends = set()
    for relation in document["relationships"]:
        check(relation["relationshipType"] in RELATIONS, "unknown relation", relation)
        for end in (relation["spdxElementId"], relation["relatedSpdxElement"]):
            check(end in names or end == "SPDXRef-DOCUMENT", "nothing is called", end)
            ends.add(end)
    check(set(names) <= ends, "nothing is said of", *(set(names) - ends))
    described = [relation["relatedSpdxElement"] for relation in document["relationships"]
                 if relation["relationshipType"] == "DESCRIBES"]
    check(described == ["SPDXRef-Package"], "it describes", *described)


# ---- the truth -----------------------------------------------------------------------------------

def unpack(package, folder):
    command = {".deb": ["dpkg-deb", "-x", package, folder],
               ".gz": ["tar", "-xzf", package, "-C", folder],
               ".zip": ["unzip", "-q", package, "-d", folder]}.get(package.suffix)
    if command:  # what NSIS packs cannot be unpacked here
        subprocess.run(command, check=True)
    return bool(command)


def needed(path):
    text = subprocess.run(["readelf", "-dW", path], stdout=subprocess.PIPE, text=True).stdout
    return set(re.findall(r"\(NEEDED\).*\[lib([A-Za-z]+)", text)) - {"m", "c"}


def check_files(document, root):
    there = {"./" + str(path.relative_to(root)): path for path in root.rglob("*")
             if path.is_file() and not path.is_symlink()}
    told = {entry["fileName"]: entry for entry in document["files"]}
    check(set(there) == set(told), "files:", *sorted(set(there) ^ set(told)))
    sha1s = []
    for name in sorted(set(there) & set(told)):
        data = there[name].read_bytes()
        sums = check_sums(name, told[name], ("SHA1", "SHA256"))
        sha1s.append(hashlib.sha1(data).hexdigest())
        check(sums["SHA256"] == hashlib.sha256(data).hexdigest() and sums["SHA1"] == sha1s[-1],
              name, "has another sum")
    code = hashlib.sha1("".join(sorted(sha1s)).encode()).hexdigest()
    told_code = document["packages"][0]["packageVerificationCode"]["packageVerificationCodeValue"]
    check(code == told_code, "the verification code is", told_code, "and should be", code)
    components = " ".join(entry["name"] for entry in document["packages"][1:])
    for path in there.values():
        if path.read_bytes()[:4] == b"\x7fELF":
            for library in needed(path):
                check(library in components, path.name, "loads", library, "and nothing says so")


def check_truth(document, package):
    main = document["packages"][0]
    check(check_sums("the package", main, ["SHA256"])["SHA256"] ==
          hashlib.sha256(package.read_bytes()).hexdigest(), package, "has another sum")
    check(re.match(r"commit [0-9a-f]{40}|no commit is known", main["sourceInfo"]), "no commit")
    libraries = [entry for entry in document["packages"][1:]
                 if entry["primaryPackagePurpose"] == "LIBRARY"]
    for entry in libraries:
        host = entry["name"] == "obs.dll"
        check(entry["licenseConcluded"] != UNKNOWN, entry["name"], "has no licence")
        check(host or entry.get("versionInfo"), entry["name"], "has no version")
    names = " ".join(entry["name"] for entry in libraries)
    for library in ("jansson", "libzip"):
        check(library in names, library, "is not in it")
    with tempfile.TemporaryDirectory() as folder:
        if unpack(package, folder):
            check_files(document, Path(folder))
    if "-dev_" not in package.name:
        model = hashlib.sha256(MODEL.read_bytes()).hexdigest()
        told = [entry for entry in document["packages"] if entry["name"] == "bundled model"]
        check(told and told[0]["checksums"][0]["checksumValue"] == model, "the model's sum")
    print(f"{package.name}: {len(document['files'])} files, {len(libraries)} libraries:",
          *sorted(f"{entry['name']} {entry.get('versionInfo', '')}" for entry in libraries),
          sep="\n\t")


def main():
    folder = Path(sys.argv[1])
    packages = sorted(path for path in folder.iterdir()
                      if path.suffix in (".deb", ".gz", ".zip", ".exe"))
    check(packages, "no packages in", folder)
    for package in packages:
        path = package.with_name(package.name + ".spdx.json")
        if not check(path.exists(), package.name, "has no document"):
            continue
        before = len(failures)
        document = json.loads(path.read_text())
        check_form(document)
        if len(failures) == before:
            check_truth(document, package)
    for failure in failures:
        print("FAILED", failure)
    sys.exit(1 if failures else 0)


main()
