#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line with real files, made and looked at by ffmpeg and ffprobe.

    cli_test.py FVSR TEST          runs one test
    cli_test.py FVSR all           runs all of them

The tests lie in the modules below, one for each subject. The model is the smallest that the engine
takes, with weights from a formula. Exits with 77 where ffmpeg is missing.
"""
import shutil
import sys
import tempfile
import time
from pathlib import Path

import command_tests
import compare_tests
import failure_tests
import media_tests
import pipe_tests
import segment_tests
from support import Failure, Skipped

SKIPPED = 77
TESTS = {name[5:]: function
         for module in (command_tests, compare_tests, pipe_tests, media_tests, failure_tests,
                        segment_tests)
         for name, function in vars(module).items() if name.startswith("test_")}


def main():
    if len(sys.argv) != 3 or sys.argv[2] not in [*TESTS, "all"]:
        print(__doc__, "Tests:", *TESTS, file=sys.stderr)
        return 2
    for tool in ("ffmpeg", "ffprobe"):
        if not shutil.which(tool):
            print(f"skipped: {tool} is not installed")
            return SKIPPED
    failed = 0
    for name in TESTS if sys.argv[2] == "all" else [sys.argv[2]]:
        start = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="fvsr-cli-") as folder:
            try:
                TESTS[name](Path(folder))
                print(f"ok    {name} ({time.monotonic() - start:.1f} s)")
            except Skipped as reason:
                print(f"skipped: {reason}")
                failed = failed or SKIPPED
            except Failure as problem:
                print(f"FAIL  {name}: {problem}")
                failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
