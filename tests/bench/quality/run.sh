#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The quality benchmark, of any folder of ground-truth clips; run.sh --help says what it does.
#
#	run.sh [--clips FOLDER]... [--out OUT] [--scale 4] [--model FILE] [--fvsr PATH]
#	       [--frames N] [--tracks clean,crf23,crf32] [--require]
#
# Needs ffmpeg and Python 3 with numpy and Pillow (Debian: ffmpeg python3-numpy python3-pil).
set -e
here=$(dirname "$0")
command -v ffmpeg >/dev/null || { echo "run.sh: ffmpeg is missing" >&2; exit 1; }
# A Python of one's own in PATH may lack what the system's has.
for python in ${PYTHON:-} python3 /usr/bin/python3; do
	if "$python" -c 'import numpy, PIL' 2>/dev/null; then
		exec "$python" "$here/quality.py" "$@"
	fi
done
echo "run.sh: no Python with numpy and Pillow (python3-numpy python3-pil)" >&2
exit 1
