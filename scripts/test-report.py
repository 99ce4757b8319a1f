#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Adds up what ctest wrote about its runs, and says why tests were skipped.

    test-report.py REPORT...    files of ctest --output-junit

A test that cannot run exits with 77 and prints "skipped: KIND: DETAIL". The kinds below are no
fault of the machine's packages. A test that is skipped for anything else, such as a program that is
not installed, counts as failed, because then nobody would notice that it no longer runs. Exits
with 1 where a test failed; the last line is "N passed, N failed, N skipped".
"""
import re
import sys
import xml.etree.ElementTree
from collections import Counter
from pathlib import Path

KINDS = {
    "needs a card": "{} need a card",
    "takes long": "{} take long (FVSR_TEST_LONG=1 runs them)",
    "needs FVSR_TEST_DATA": "{} need the folder FVSR_TEST_DATA (docs/testing.md)",
    "needs another Debian": "{} need another release of Debian",
}
REASON = re.compile(r"^skipped: ((.*?)(:.*)?)$", re.M)


def reason(case):
    """(kind or None, words) of a skipped test."""
    found = None
    for found in REASON.finditer(case.findtext("system-out") or ""):
        pass
    if not found:
        return None, "no reason given"
    return found[2] if found[2] in KINDS else None, found[1]


def main(reports):
    sums, kinds, missing, failed = Counter(), Counter(), [], []
    for report in reports:
        for case in xml.etree.ElementTree.parse(report).getroot().iter("testcase"):
            name = f"{Path(report).parent.name}: {case.get('name')}"
            outcome = {"run": "passed", "fail": "failed"}.get(case.get("status"), "skipped")
            if outcome == "skipped":
                kind, words = reason(case)
                if kind:
                    kinds[kind] += 1
                else:
                    outcome = "failed"
                    missing.append(f"{name}: {words}")
            elif outcome == "failed":
                failed.append(name)
            sums[outcome] += 1
    for name in failed:
        print("failed:", name)
    for line in missing:
        print("failed, because it did not run:", line)
    if kinds:
        print("skipped:", ", ".join(KINDS[k].format(n) for k, n in kinds.most_common()))
    print(", ".join(f"{sums[o]} {o}" for o in ("passed", "failed", "skipped")))
    return 1 if sums["failed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
