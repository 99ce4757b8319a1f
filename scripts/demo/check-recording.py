#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Checks what OBS recorded in the demo, with nothing but ffmpeg and ffprobe.

    check-recording.py CLIP RECORDING WIDTH HEIGHT SECONDS FPS RATE

The recording must have the upscaled size, the length and a sound that is not silence, and every
sampled picture of it must be some frame of the clip, many different ones in all: not black, not
frozen, not OBS without its source. The filter upscales RATE pictures a second and holds each, while
what it shows when it cannot, bicubic, changes with each of OBS' FPS pictures: so pictures that are
held show that it upscaled all the time, as long as RATE is well below FPS. The last line names the most detailed pair of pictures to show
side by side, "pair R C": frame R of the recording shows frame C of the clip. Exits 1 and says why
when a check fails, 3 when only the upscaling was interrupted.
"""
import json
import subprocess
import sys

# Pictures are compared small and grey: there the upscaled one and its source are the same.
SMALL_WIDTH, SMALL_HEIGHT = 48, 27
SMALL = SMALL_WIDTH * SMALL_HEIGHT
SAMPLE_EVERY = 5
# Mean difference in 8-bit levels: neighbours in the clip are further apart than coding noise is.
SAME_LEVELS = 3.0
# Less is a picture that is held, more is another one.
HELD_LEVELS = 0.6
# One new picture every two seconds: slower than the filter ever lets itself become.
MIN_DIFFERENT = 5
LOUD_DB = -50.0


class Failed(Exception):
    status = 1


class Interrupted(Failed):
    status = 3


def check(ok, text, failure=Failed):
    print(("ok      " if ok else "FAILED  ") + text)
    if not ok:
        raise failure(text)


def run(*command):
    return subprocess.run(command, check=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def small_frames(path):
    grey = run("ffmpeg", "-v", "error", "-i", path, "-fps_mode", "passthrough", "-vf",
               "scale=%d:%d:flags=area,format=gray" % (SMALL_WIDTH, SMALL_HEIGHT),
               "-f", "rawvideo", "-").stdout
    return [grey[at:at + SMALL] for at in range(0, len(grey), SMALL)]


def difference(a, b):
    return sum(abs(x - y) for x, y in zip(a, b)) / SMALL


def detail(frame):
    return sum(abs(x - y) for x, y in zip(frame, frame[1:]))


def check_streams(path, width, height, seconds):
    probe = json.loads(run("ffprobe", "-v", "error", "-of", "json", "-show_streams", "-show_format",
                           path).stdout)
    kinds = {stream["codec_type"]: stream for stream in probe["streams"]}
    check("video" in kinds and "audio" in kinds, "picture and sound: " + ", ".join(
        stream["codec_name"] for stream in probe["streams"]))
    size = (kinds["video"]["width"], kinds["video"]["height"])
    check(size == (width, height), "size %d x %d, wanted %d x %d" % (size + (width, height)))
    length = float(probe["format"]["duration"])
    check(seconds - 1 <= length <= seconds + 5, "length %.1f s" % length)


def check_sound(path):
    text = run("ffmpeg", "-nostats", "-i", path, "-vn", "-af", "volumedetect", "-f", "null",
               "-").stderr.decode()
    mean = float(text.split("mean_volume:")[1].split("dB")[0])
    check(mean > LOUD_DB, "sound, mean level %.1f dB" % mean)


def check_pictures(clip, recording):
    matches = []
    for at in range(0, len(recording), SAMPLE_EVERY):
        levels, which = min((difference(recording[at], frame), index)
                            for index, frame in enumerate(clip))
        matches.append((levels, at, which))
    worst = max(matches)
    check(worst[0] <= SAME_LEVELS, "all of %d sampled pictures are frames of the clip "
          "(largest mean difference %.2f levels, frame %d)" % (len(matches), worst[0], worst[1]))
    different = len(set(which for _, _, which in matches))
    check(different >= MIN_DIFFERENT, "%d different frames of the clip among them" % different)
    return max(matches, key=lambda match: detail(clip[match[2]]))


def check_held(recording, fps, rate):
    changes = sum(difference(a, b) > HELD_LEVELS for a, b in zip(recording, recording[1:]))
    if rate > fps / 2.5:
        print("note    %.1f pictures a second are too many of %d to see whether they are held" %
              (rate, fps))
        return
    expected = rate * len(recording) / fps
    check(changes <= 1.5 * expected + 5, "%d new pictures in %d, about %d when all are upscaled" %
          (changes, len(recording), expected), Interrupted)


def main():
    clip_path, path = sys.argv[1:3]
    width, height, seconds, fps = (int(arg) for arg in sys.argv[3:7])
    rate = float(sys.argv[7])
    try:
        check_streams(path, width, height, seconds)
        check_sound(path)
        recording = small_frames(path)
        _, at, which = check_pictures(small_frames(clip_path), recording)
        check_held(recording, fps, rate)
    except Failed as failed:
        return failed.status
    print("pair", at, which)
    return 0


sys.exit(main())
