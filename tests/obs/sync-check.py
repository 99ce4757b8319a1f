#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
How far apart flashes and beeps are in what OBS recorded.

    sync-check.py RECORDING FPS LOG

Second k of the clip begins with a flash and a beep of 0.2 s, the flash as bright and the beep as
high as k modulo 8 says, so that a flash cannot be taken for that of another second. LOG is what
sync-test printed: in each window of it there must be several pairs, not further apart than one
picture. Where it has lines about memory, a soak, that must not grow, nor the distance drift. Exits 1
and says why when a check fails.
"""
import subprocess
import sys

import numpy

RATE = 48000
CODES = 8
DARK, BRIGHT, BRIGHTER = 40, 90, 18  # of the flashes: without, code 0, each next code
LOW, HIGHER = 400, 150               # likewise of the beeps, in Hz
SIDE = 128
PAIRS = 3                            # in a window, at least
WARM_S = 120                         # of a soak: memory may grow until then
GROWTH_KIB = 2048                    # and by so much afterwards
DRIFT_S = 0.005                      # between a soak's first and last window


def run(*command):
    return subprocess.run(command, check=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE).stdout


def times(path, stream, of):
    text = run("ffprobe", "-v", "error", "-select_streams", stream, "-show_entries",
               of + "=pts_time", "-of", "csv=p=0", path).decode()
    return [float(line.strip(",")) for line in text.split()]


def flashes(path):
    raw = run("ffmpeg", "-v", "error", "-i", path, "-map", "0:v", "-fps_mode", "passthrough",
              "-pix_fmt", "yuv420p", "-f", "rawvideo", "-")
    frames = numpy.frombuffer(raw, numpy.uint8).reshape(-1, SIDE * SIDE * 3 // 2)
    light = frames[:, :SIDE * SIDE].mean(axis=1)
    found = []
    lit = light > (DARK + BRIGHT) / 2
    at = times(path, "v", "packet")
    for first in numpy.flatnonzero(lit[1:] & ~lit[:-1]) + 1:
        after = lit[first:first + 60]
        last = first + (numpy.argmin(after) if not after.all() else len(after))
        level = numpy.median(light[first:last])
        found.append((at[first], int(round((level - BRIGHT) / BRIGHTER)) % CODES))
    return found


def beeps(path):
    raw = run("ffmpeg", "-v", "error", "-i", path, "-map", "0:a", "-ac", "1", "-ar", str(RATE),
              "-f", "f32le", "-")
    sound = numpy.frombuffer(raw, numpy.float32)
    # Of what is decoded: FFmpeg 9 leaves out the packet with which an encoder only begins.
    start = times(path, "a", "frame")[0]
    found = []
    loud = numpy.flatnonzero(abs(sound) > 0.05)
    if not len(loud):
        return found
    firsts = loud[numpy.flatnonzero(numpy.diff(loud, prepend=-RATE) > RATE // 20)]
    for first in firsts:
        part = sound[first:first + RATE // 10]
        spectrum = abs(numpy.fft.rfft(part * numpy.hanning(len(part))))
        tone = numpy.argmax(spectrum) * RATE / len(part)
        found.append((start + first / RATE, int(round((tone - LOW) / HIGHER)) % CODES))
    return found


def gaps(words, lights, sounds):
    start, end = float(words[2]), float(words[3])
    found = []
    for at, code in lights:
        if start <= at <= end:
            same = [beep - at for beep, tone in sounds if tone == code]
            found.append(min(same, key=abs) if same else 99.0)
    return found


def milliseconds(values):
    return " ".join("%+.1f" % (value * 1e3) for value in values)


def check_window(name, found, lagged, picture):
    """Pictures that OBS itself left out in the window may make a flash late by as many."""
    if len(found) < PAIRS:
        print("FAILED %-12s only %d pairs" % (name, len(found)))
        return False
    ok = (abs(numpy.median(found)) <= picture and
          max(abs(gap) for gap in found) <= picture * (1 + lagged))
    print("%s %-12s beeps after flashes %s ms (one picture: %.1f, OBS left out %d)" % (
        "ok    " if ok else "FAILED", name, milliseconds(found), picture * 1e3, lagged))
    return ok


def check_soak(memory, middles):
    """memory: (seconds, KiB); middles: the median gap of each of the soak's windows."""
    warm = [kib for seconds, kib in memory if seconds >= WARM_S]
    grown = warm[-1] - warm[0] if warm else 0.0
    drift = middles[-1] - middles[0]
    ok = len(warm) > 1 and grown < GROWTH_KIB and abs(drift) < DRIFT_S
    print("%s soak of %.0f s: memory grew by %.0f KiB after %d s, sound and picture drifted by "
          "%+.1f ms" % ("ok    " if ok else "FAILED", memory[-1][0], grown, WARM_S, drift * 1e3))
    return ok


def main():
    path, fps, log = sys.argv[1:]
    lights, sounds = flashes(path), beeps(path)
    ok, windows, memory, middles = True, 0, [], []
    for line in open(log):
        words = line.split()
        if words and words[0] == "window":
            windows += 1
            found = gaps(words, lights, sounds)
            ok &= check_window(words[1], found, int(words[4]), 1.0 / float(fps))
            if words[1].startswith("minute-"):
                middles.append(numpy.median(found))
        elif words and words[0] == "memory":
            memory.append((float(words[1]), float(words[2]) / 1024))
        elif words and words[0] == "control":
            print("       %-12s without the filter: %s ms" % (
                words[1], milliseconds(gaps(words, lights, sounds))))
    if memory:
        ok &= check_soak(memory, middles)
    return 0 if ok and windows else 1


if __name__ == "__main__":
    sys.exit(main())
