# SPDX-License-Identifier: GPL-2.0-or-later
"""`fvsr upscale --segment` and `fvsr join`: segments give what the whole gives, come what may."""
import json
import os
import signal
import subprocess
import time

from support import (FVSR, HERE, MODEL, check, same, ffmpeg, fvsr, probe, times, packets_md5,
                     pixels, video)


def upscale(source, target, *options, status=0):
    preset = [] if {"--codec", "--format"} & set(options) or str(target).endswith(".webm") else \
        ["--preset", "ultrafast"]
    size = [] if "--scale" in options else ["--scale", 2]
    return fvsr("upscale", "-m", MODEL, "-t", 1, *preset, *size, *options, source, target,
                status=status)


def segment(source, target, number, count, *options, **kwargs):
    return upscale(source, target, "--segment", f"{number}/{count}", *options, **kwargs)


def manifest_of(target):
    return target.parent / f"{target.name}.parts" / "manifest.json"


def part_of(target, number):
    return manifest_of(target).parent / f"{number:05d}.part"


def plan_of(target):
    return json.loads(manifest_of(target).read_text())


def join(target, *options, status=0):
    return fvsr("join", *options, manifest_of(target), target, status=status)


def in_segments(source, target, count, *options, order=None):
    for number in order or range(1, count + 1):
        segment(source, target, number, count, *options)
    join(target)
    return target


def frames_md5(path):
    """Pictures and sound with their times."""
    return subprocess.run(["ffmpeg", "-v", "error", "-i", str(path), "-map", "0:v", "-map", "0:a?",
                           "-f", "framemd5", "-"],
                          check=True, capture_output=True, text=True).stdout


def scenes(path, frames, *options):
    """Three scenes in turns, each with 24 frames of its own, and no key frame but the first."""
    parts = ";".join(f"[{i}:v]trim=end_frame={frames},setpts=N/25/TB[s{i}]" for i in range(3))
    pick = "[s0][s1][s2]interleave=nb_inputs=3"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x48:r=25", "-f", "lavfi", "-i",
           "mandelbrot=s=64x48:r=25", "-f", "lavfi", "-i", "color=navy:s=64x48:r=25",
           "-filter_complex", f"{parts};{pick},select='eq(mod(n\\,3)\\,mod(floor(n/72)\\,3))',"
           "setpts=N/25/TB", "-frames:v", frames, "-c:v", "libx264", "-g", 1000,
           "-sc_threshold", 0, *options, path)
    return path


def with_all_streams(tmp, source, target):
    (tmp / "text.srt").write_text("1\n00:00:00,100 --> 00:00:00,900\nA line\n\n"
                                  "2\n00:00:06,100 --> 00:00:08,900\nAnother\n\n")
    (tmp / "meta.txt").write_text(";FFMETADATA1\ntitle=A title\n[CHAPTER]\nTIMEBASE=1/1000\n"
                                  "START=0\nEND=5000\ntitle=One\n")
    ffmpeg("-i", source, "-f", "lavfi", "-i", "sine=440:r=44100", "-i", tmp / "text.srt", "-i",
           tmp / "meta.txt", "-map", "0:v", "-map", "1:a", "-map", "2:s", "-map_metadata", 3,
           "-t", 20, "-c:v", "copy", "-c:a", "aac", "-c:s", "srt", target)
    return target


def test_segments(tmp):
    """Twenty seconds whole and in 2, 4 and 7 segments: the same pictures, sound and texts."""
    source = with_all_streams(tmp, scenes(tmp / "scenes.mkv", 500), tmp / "in.mkv")
    upscale(source, tmp / "whole.mkv", "--codec", "ffv1")
    whole = frames_md5(tmp / "whole.mkv")
    for count in (2, 4, 7):
        target = tmp / f"out-{count}.mkv"
        # In any order: the first task is not always the first segment's.
        in_segments(source, target, count, "--codec", "ffv1", order=range(count, 0, -1))
        same(frames_md5(target), whole, f"all streams of {count} segments")
        same(times(target), times(source), "times")
        same(packets_md5(target, "s:0"), packets_md5(source, "s:0"), "subtitles")
        cuts = [one["first"] for one in plan_of(target)["segments"] if one["seam"] == "cut"]
        check(cuts and all(first % 24 == 0 for first in cuts), "cuts:", cuts)
    listing = subprocess.run(["ffprobe", "-v", "error", "-show_chapters", "-show_format", "-of",
                              "json", str(tmp / "out-4.mkv")], capture_output=True, text=True,
                             check=True)
    listing = json.loads(listing.stdout)
    same(listing["chapters"][0]["tags"]["title"], "One", "chapter")
    same(listing["format"]["tags"]["title"], "A title", "title")
    # It is the run-up that makes them the same.
    in_segments(source, tmp / "short.mkv", 2, "--codec", "ffv1", "--run-up", 0)
    a, b = pixels(tmp / "whole.mkv"), pixels(tmp / "short.mkv")
    same(len(a), len(b), "bytes without run-up")
    size = len(a) // 500
    seam = plan_of(tmp / "short.mkv")["segments"][1]["first"]
    wrong = [n for n in range(500) if a[n * size:(n + 1) * size] != b[n * size:(n + 1) * size]]
    check(wrong and min(wrong) >= seam and max(wrong) < seam + 61, "frames that differ:", wrong)


def test_segment_containers(tmp):
    """Seeking, key frames that others lean on, and times, as each container has them."""
    base = video(tmp / "base.mkv", 100, "-g", 30, "-bf", 3, "-x264-params", "open-gop=1")
    ffmpeg("-i", base, "-c", "copy", tmp / "in.mp4")
    ffmpeg("-i", base, "-c", "copy", "-output_ts_offset", 7, tmp / "in.ts")
    video(tmp / "in.mov", 100, "-g", 1, codec="prores_ks")
    video(tmp / "in.webm", 100, "-g", 50, "-deadline", "realtime", codec="libvpx-vp9")
    video(tmp / "in.mpg", 100, "-g", 15, "-bf", 2, codec="mpeg2video")
    video(tmp / "varying.mkv", 100, "-fps_mode", "vfr", "-bf", 3, "-g", 40,
          filters="select='not(mod(n\\,3))+not(mod(n\\,5))'")
    for name in ("base.mkv", "in.mp4", "in.ts", "in.mov", "in.webm", "in.mpg", "varying.mkv"):
        upscale(tmp / name, tmp / "whole.mkv", "--codec", "ffv1")
        target = in_segments(tmp / name, tmp / f"{name}.out.mkv", 3, "--codec", "ffv1")
        same(frames_md5(target), frames_md5(tmp / "whole.mkv"), "frames of " + name)
    # Encoders that send frames out of order, with a variable rate, too.
    for name in ("in.mp4", "varying.mkv"):
        for ending in ("mp4", "ts"):
            target = in_segments(tmp / name, tmp / f"{name}.x264.{ending}", 3)
            same(len(times(target)), len(times(tmp / name)), f"frames of {name} in {ending}")
            if ending != "ts":
                same(times(target), times(tmp / name), f"times of {name} in {ending}")
            order = [int(one["dts"]) for one in probe(target, "packet=dts")["packets"]
                     if "dts" in one]
            check(all(a < b for a, b in zip(order, order[1:])), "decoding times of", target.name)
    in_segments(tmp / "in.mp4", tmp / "vp9.webm", 3)
    same(len(times(tmp / "vp9.webm")), 100, "frames in WebM")


def start(source, target, number, count):
    return subprocess.Popen([FVSR, "upscale", "-m", MODEL, "-t", "1", "-s", "2", "--preset",
                             "ultrafast", "--segment", f"{number}/{count}", source, target],
                            stderr=subprocess.PIPE, text=True)


def test_segment_killed(tmp):
    """Killed at once, in the middle and late, then repeated, and twice at the same time."""
    source, target = video(tmp / "in.mp4", 500), tmp / "out.mp4"
    for number in (1, 2):
        segment(source, target, number, 2)
    want = [part_of(target, number).read_bytes() for number in (1, 2)]
    manifest = manifest_of(target).read_bytes()
    for path in manifest_of(target).parent.iterdir():
        path.unlink()
    # Before there is a manifest, before the first frame, and when so much has been written.
    for part in (None, 0, 0.3, 0.7):
        run = start(source, target, 2, 2)
        end = time.monotonic() + 30
        while part is not None and time.monotonic() < end and run.poll() is None:
            sizes = [path.stat().st_size for path in tmp.glob("out.mp4.parts/00002.part.*")]
            if sizes and max(sizes) > part * len(want[1]):
                break
            time.sleep(0.002)
        run.kill()
        run.communicate()
        same(run.returncode, -signal.SIGKILL, f"exit status of the task killed at {part}")
        check(not part_of(target, 2).exists(), "a killed task left a part")
    check("2 of 2 segments are missing" in join(target, status=1), "joined without parts")
    both = [start(source, target, 2, 2) for _ in range(2)] + [start(source, target, 1, 2)]
    for run in both:
        _, text = run.communicate(timeout=60)
        same(run.returncode, 0, "exit status of one of two: " + text)
    same([part_of(target, number).read_bytes() for number in (1, 2)], want, "parts")
    same(manifest_of(target).read_bytes(), manifest, "manifest")
    same(sorted(path.name for path in manifest_of(target).parent.iterdir()),
         ["00001.part", "00002.part", "manifest.json"], "what is there")
    before = part_of(target, 2).stat().st_mtime_ns
    check("is there already" in segment(source, target, 2, 2), "nothing is said of what is there")
    same(part_of(target, 2).stat().st_mtime_ns, before, "time of a part that was there")
    join(target)
    same(times(target), times(source), "times")


def test_segment_stopped(tmp):
    """A signal ends a task with nothing left of its part."""
    source, target = video(tmp / "in.mp4", 1000), tmp / "out.mp4"
    run = start(source, target, 1, 2)
    end = time.monotonic() + 30
    while not list(tmp.glob("out.mp4.parts/00001.part.*")) and time.monotonic() < end:
        time.sleep(0.01)
    time.sleep(0.3)
    run.send_signal(signal.SIGTERM)
    _, text = run.communicate(timeout=30)
    same(run.returncode, 128 + signal.SIGTERM, "exit status, " + text)
    check("segment 1 is not complete" in text, text)
    same([path.name for path in manifest_of(target).parent.iterdir()], ["manifest.json"],
         "what is left")


def test_segment_refusals(tmp):
    """What does not belong together is not joined, and nothing is left of the attempt."""
    source, target = video(tmp / "in.mp4", 60), tmp / "out.mp4"
    for number in (1, 2):
        segment(source, target, number, 2)
    parts = manifest_of(target).parent
    good = part_of(target, 2).read_bytes()

    def refused(words, *options, status=1):
        text = join(target, *options, status=status)
        check(words in text, "no word about it:", words, text)
        check(not target.exists(), "there is a file all the same")

    for at in (3, 20, 60, len(good) // 2, len(good) - 40, len(good) - 1):
        part_of(target, 2).write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1:])
        refused("00002.part is damaged")
    for size in (0, 35, 100, len(good) - 1):
        part_of(target, 2).write_bytes(good[:size])
        refused("00002.part is damaged")
    part_of(target, 2).write_bytes(part_of(target, 1).read_bytes())
    refused("not made for this manifest")
    part_of(target, 2).unlink()
    refused("1 of 2 segments are missing, the first of them is 2")
    part_of(target, 2).write_bytes(good)
    # Another input, other settings, another number of segments, another container.
    other = video(tmp / "other.mp4", 60, filters="negate")
    refused("not the video", "--input", other, status=2)
    for options in (["--crf", "20"], ["--seed", "1"], ["--scale", "3"], ["--run-up", "8"]):
        text = segment(source, target, 1, 2, *options, status=2)
        check("another" in text, "no word about", options, text)
    check("another" in segment(other, target, 1, 2, status=2), "another input")
    check("of 2 segments, not of 3" in segment(source, target, 1, 3, status=2), "another count")
    text = fvsr("join", manifest_of(target), tmp / "out.mkv", status=2)
    check("container 'mp4'" in text, text)
    # A damaged manifest.
    text = manifest_of(target).read_text()
    plan = json.loads(text)
    for change in ({"segments": plan["segments"][:1]}, {"version": 9}, {"segments": []},
                   {"segments": [dict(one, run_from=4) for one in plan["segments"]]},
                   {"frames": 61}):
        manifest_of(target).write_text(json.dumps(dict(plan, **change)))
        refused("no manifest")
    manifest_of(target).write_text(text)
    # The input may have been moved, and is still the same.
    source.rename(tmp / "moved.mp4")
    refused("in.mp4")
    join(target, "--input", tmp / "moved.mp4")
    same(times(target), times(tmp / "moved.mp4"), "times")
    same(sorted(path.name for path in parts.iterdir()),
         ["00001.part", "00002.part", "manifest.json"], "what is there")
    # What segments cannot be made of, and no numbers.
    moved = tmp / "moved.mp4"
    segment(moved, tmp / "row-%03d.png", 1, 2, "--codec", "png", status=2)
    segment(moved, "-", 1, 2, "--format", "matroska", status=2)
    ffmpeg("-i", moved, "-c", "copy", "-f", "h264", tmp / "raw.h264")
    for words in ("0/2", "3/2", "1", "1/2/3", "a/b", "1/1000000"):
        fvsr("upscale", "--segment", words, moved, tmp / "no.mp4", status=2)
    check("61 segments of 60 frames" in segment(moved, tmp / "no.mp4", 1, 61, status=2), "too many")


def test_segment_sound(tmp):
    """In MP4, with sound, the joined file has the packets that the whole one has."""
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x48:r=25", "-f", "lavfi", "-i", "sine=440", "-t", 4,
           "-c:v", "libx264", "-c:a", "aac", tmp / "in.mp4")
    upscale(tmp / "in.mp4", tmp / "whole.mp4")
    target = in_segments(tmp / "in.mp4", tmp / "out.mp4", 3)
    same(packets_md5(target, "a:0"), packets_md5(tmp / "whole.mp4", "a:0"), "sound")
    names = "codec_name,width,height,pix_fmt,color_space,color_range,duration,nb_frames,time_base"
    for which in ("v:0", "a:0"):
        same(probe(target, "stream=" + names, which), probe(tmp / "whole.mp4", "stream=" + names,
                                                            which), "stream " + which)
        same(probe(target, "packet=pts_time", which),
             probe(tmp / "whole.mp4", "packet=pts_time", which), "times of " + which) \
            if which == "a:0" else same(times(target), times(tmp / "whole.mp4"), "times")


def test_plan(tmp):
    """The plan's seams are those of the segments, and its hours follow from the speed."""
    source, target = video(tmp / "in.mp4", 400, "-g", 90), tmp / "out.mp4"

    def plan(*options, status=0):
        return fvsr("plan", "-m", MODEL, "-t", 1, "-s", 2, *options, source, status=status)

    found = json.loads(plan("--segments", 4, "--cards", 2, "--speed", 10, "--json"))
    segment(source, target, 1, 4)
    same(found["segments"], plan_of(target)["segments"], "segments")
    same([found["in_size"], found["out_size"], found["frames"]], [[64, 48], [128, 96], 400],
         "sizes")
    same(found["run_up"], plan_of(target)["network"]["run_up"], "run-up")
    check(found["memory_bytes"]["host"] > 1 << 20 and not found["measured"], found)
    # Each of two cards takes two segments, their run-up and what is read behind them.
    work = [one["end"] - one["run_from"] + (12 if one["end_pts"] else 0)
            for one in found["segments"]]
    loads = [0, 0]
    for frames in work:
        loads[loads.index(min(loads))] += frames
    check(abs(found["hours"] * 36000 - max(loads)) < 1e-6, found["hours"], loads)
    check(abs(found["hours_in_one_go"] * 36000 - 400) < 1e-6, found["hours_in_one_go"])
    same(json.loads(plan("--json", "--run-up", 0, "--no-measure"))["hours"], None, "hours")
    measured = json.loads(plan("--json"))
    check(measured["measured"] and measured["frames_per_s"] > 0 and measured["hours"] > 0, measured)
    text = plan("--segments", 4, "--no-measure")
    for words in ("64x48 to 128x96", "not measured", "frames       400", "key frame", "run-up"):
        check(words in text, "the text lacks", words, text)
    check("0:00:40 in one go" in plan("--speed", 10), "hours of a text")
    # A video that is shorter than what is measured, and one that cannot be planned.
    source = video(tmp / "short.mp4", 3)
    check(json.loads(plan("--json"))["frames_per_s"] > 0, "speed of a short video")
    check("4 segments of 3 frames" in plan("--segments", 4, "--no-measure", status=2), "too many")
    same(sorted(path.name for path in tmp.iterdir()), ["in.mp4", "out.mp4.parts", "short.mp4"],
         "what is there")


def peak_kib(*args):
    """The most memory that the command has had."""
    run = subprocess.Popen([FVSR, *map(str, args)], stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(run.pid, 0)
    run.returncode = os.waitstatus_to_exitcode(status)
    same(run.returncode, 0, "exit status")
    return usage.ru_maxrss


def packet_times(path):
    """Faster than decoding; Matroska rounds to milliseconds."""
    found = subprocess.run(["ffprobe", "-v", "error", "-select_streams", "v", "-show_entries",
                            "packet=pts_time", "-of", "csv=p=0", path], check=True,
                           capture_output=True, text=True).stdout.split()
    return sorted(round(float(one.strip(",")), 3) for one in found)


def test_segment_long(tmp):
    """No frame is lost or doubled, and no memory grows: 100,000 frames with FVSR_TEST_LONG=1."""
    frames = 100000 if os.environ.get("FVSR_TEST_LONG") == "1" else 3000
    source, target = tmp / "in.mp4", tmp / "out.mkv"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=32x32:r=60", "-frames:v", frames, "-c:v", "libx264",
           "-preset", "ultrafast", source)
    peaks = [peak_kib("upscale", "-m", f"synth:{HERE}/../stream/long.json:5", "-t", 1, "-s", 1,
                      "--preset", "ultrafast", "--segment", f"{number}/5", source, target)
             for number in range(1, 6)]
    check(max(peaks) - min(peaks) < 8192 and max(peaks) < 200000, "memory in KiB:", peaks)
    joining = peak_kib("join", manifest_of(target), target)
    check(joining < 100000, "memory of joining in KiB:", joining)
    same(len(packet_times(target)), frames, "frames")
    same(packet_times(target), packet_times(source), "times")
