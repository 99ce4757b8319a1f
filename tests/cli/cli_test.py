#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line with real files, made and looked at by ffmpeg and ffprobe.

    cli_test.py FVSR TEST          runs one test
    cli_test.py FVSR all           runs all of them

The model is the smallest that the engine takes, with weights from a formula. Exits with 77 where
ffmpeg is missing.
"""
import json
import math
import os
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
MODEL = f"synth:{HERE}/tiny-residual.json:1"
SKIPPED = 77


class Failure(Exception):
    pass


def check(condition, *words):
    if not condition:
        raise Failure(" ".join(str(word) for word in words))


def same(got, want, what):
    check(got == want, f"{what}: {got!r} instead of {want!r}")


def ffmpeg(*args, **kwargs):
    subprocess.run(["ffmpeg", "-v", "error", "-y", *map(str, args)], check=True, **kwargs)


def fvsr(*args, status=0, **kwargs):
    """Runs the command; returns what it said on both outputs."""
    run = subprocess.run([FVSR, *map(str, args)], capture_output=True, text=True, timeout=100,
                         **kwargs)
    check(run.returncode == status, f"exit status {run.returncode} instead of {status}:",
          args, run.stdout, run.stderr)
    return run.stdout + run.stderr


def upscale(source, target, *options, status=0, scale=2, **kwargs):
    size = [] if any(o.startswith("--size") for o in map(str, options)) else ["--scale", scale]
    # VP9, which goes into WebM, has no presets.
    preset = [] if str(target).endswith(".webm") else ["--preset", "ultrafast"]
    return fvsr("upscale", "--model", MODEL, "--threads", 1, *preset, *size, *options, source,
                target, status=status, **kwargs)


def probe(path, entries, stream="v:0"):
    run = subprocess.run(["ffprobe", "-v", "error", "-select_streams", stream, "-of", "json",
                          "-show_entries", entries, str(path)],
                         check=True, capture_output=True, text=True)
    return json.loads(run.stdout)


def times(path):
    """Time of every decoded picture, in seconds."""
    frames = probe(path, "frame=pts_time")["frames"]
    return [float(frame["pts_time"]) for frame in frames]


def stream(path, *names, which="v:0"):
    found = probe(path, "stream=" + ",".join(names), which)["streams"][0]
    return [found.get(name) for name in names]


def packets_md5(path, which):
    """Of the coded packets of a stream, not of what they decode to."""
    run = subprocess.run(["ffmpeg", "-v", "error", "-i", str(path), "-map", f"0:{which}", "-c",
                          "copy", "-f", "md5", "-"], check=True, capture_output=True, text=True)
    return run.stdout.strip()


def pixels(path, pixel_format=None):
    formats = ["-pix_fmt", pixel_format] if pixel_format else []
    return subprocess.run(["ffmpeg", "-v", "error", "-i", str(path), *formats, "-f", "rawvideo",
                           "-"], check=True, capture_output=True).stdout


def tagged(space, full, primaries, transfer):
    """A filter and options: what frames say goes before options in newer FFmpeg, not in older."""
    return (f"setparams=colorspace={space}:range={full}:color_primaries={primaries}:"
            f"color_trc={transfer.replace('gamma28', 'bt470bg')}",
            ("-colorspace", space, "-color_range", full, "-color_primaries", primaries,
             "-color_trc", transfer))


def video(path, frames, *options, size="64x48", rate=25, codec="libx264", filters="null"):
    """Moving pictures of exactly 'size', which testsrc2 alone would make even."""
    width, height = size.split("x")
    ffmpeg("-f", "lavfi", "-i", f"testsrc2=s=128x96:r={rate}", "-frames:v", frames, "-vf",
           f"scale={width}:{height},{filters}", "-c:v", codec, *options, path)
    return path


# ---------------------------------------------------------------------------------------------


def test_usage(tmp):
    # A build without FFmpeg's libraries has no upscale, and says so.
    upscales = "without FFmpeg" not in fvsr("upscale", status=2)
    words = "upscale" if upscales else "pipe"
    for command in (words, "pipe", "verify", "import", "info", "bench"):
        text = fvsr(command, "--help")
        check(f"Usage: fvsr {command}" in text and "Exit status" in text, "help of", command)
        same(fvsr("help", command), text, "fvsr help " + command)
        long = [line for line in text.splitlines() if len(line) > 80]
        check(not long, "long lines in the help:", long)
        check("unknown option" in fvsr(command, "--no-such-option", status=2), command)
    check("upscale" in fvsr("--help") and "Usage" in fvsr(status=2), "general help")
    check(re.match(r"fvsr \d+\.\d+\.\d+\n$", fvsr("--version")), "version")
    fvsr("no-such-command", status=2)
    if upscales:
        fvsr("upscale", "only-one-file", status=2)
    fvsr(words, "a", "b", "c", status=2)
    fvsr("info", status=2)
    fvsr("bench", status=2)
    for wrong in (["--scale", "0.5"], ["--scale", "x"], ["--scale"], ["--size", "64"],
                  ["--size", "0x64"], ["--size", "64x64x64"], ["--kv-ratio", "9"],
                  ["--color", "blue"], ["--seed", "-1"], ["--crf", "1.5"], ["--quiet=1"],
                  ["--local-range", "99999999999999999999"]):
        fvsr(words, "a.mp4", "b.mp4", *wrong, status=2)


def pipe(data, *options, status=0):
    """Through `fvsr pipe`: what came out, and what it said."""
    run = subprocess.run([FVSR, "pipe", "-m", pipe.model, "-t", "1", "-s", "2", *map(str, options)],
                         input=data, capture_output=True, timeout=100)
    check(run.returncode == status, "exit status", run.returncode, run.stderr.decode())
    return run.stdout, run.stderr.decode()


def rgba(path, chroma):
    """What FFmpeg makes of it with interpolated chroma, which lies on the left column in 4:2:2."""
    left = "scale=in_h_chr_pos=0:in_v_chr_pos=0" if chroma == "yuv422p" else "null"
    return subprocess.run(["ffmpeg", "-v", "error", "-i", str(path), "-vf", left, "-sws_flags",
                           "bilinear+accurate_rnd+full_chroma_int", "-pix_fmt", "rgba", "-f",
                           "rawvideo", "-"], check=True, capture_output=True).stdout


def psnr(a, b):
    error = sum((x - y) ** 2 for x, y in zip(a, b)) / len(a)
    return 10 * math.log10(255 * 255 / error) if error else 100


def without_colour(rgba_bytes):
    """BT.601's luma in all three: what a network makes of grey is nearly grey, and no more."""
    r, g, b = (rgba_bytes[i::4] for i in range(3))
    luma = bytes(round(0.299 * x + 0.587 * y + 0.114 * z) for x, y, z in zip(r, g, b))
    return b"".join(bytes([y, y, y, 255]) for y in luma)


def test_pipe(tmp):
    """Raw video, with every byte there is: nothing may be taken for a newline or an end."""
    # The bundled model changes little, so decibels tell about colours; it needs the fast backend.
    # The small one has random weights, which make much of every rounding.
    backends = json.loads(fvsr("info", "--backends", "--json"))
    fast = any(b["name"] == "cpu" and b["available"] for b in backends)
    pipe.model = HERE.parents[1] / "data/models/bundled.safetensors" if fast else MODEL
    for chroma, least in (("yuv444p", 50), ("yuv422p", 45), ("yuv420p", 45), ("gray", 60)):
        # Soft, since how sharp edges of colour are halved and doubled is a matter of taste.
        ffmpeg("-f", "lavfi", "-i", "testsrc2=s=256x256:r=25", "-frames:v", 12, "-vf",
               "gblur=sigma=24,scale=34:34", "-pix_fmt", chroma, "-strict", "-1", tmp / "in.y4m")
        raw, source = rgba(tmp / "in.y4m", chroma), (tmp / "in.y4m").read_bytes()
        check(chroma == "gray" or all(bytes([telling]) in raw for telling in (10, 13, 26)),
              "no telling bytes")
        want, text = pipe(raw, "--raw", "34x34")
        same(len(want), 4 * len(raw), "bytes out")
        check("12 frames of 68x68" in text, text)
        result, _ = pipe(source)
        head = result.split(b"\n", 1)[0].decode()
        check(head.startswith("YUV4MPEG2 W68 H68 F25:1 Ip"), head)
        # The same through files, under names that no code page of Windows has.
        pipe(b"", tmp / "in.y4m", tmp / "\u00fc\u6f22.y4m")
        same((tmp / "\u00fc\u6f22.y4m").read_bytes(), result, "the file")
        got = rgba(tmp / "\u00fc\u6f22.y4m", chroma)
        same(len(got), len(want), chroma)
        if chroma == "gray":
            want = without_colour(want)
        check(psnr(got, want) >= (least if fast else 20), chroma, psnr(got, want), "dB")
        print(chroma, f"{psnr(got, want):.1f} dB")
    check("middle of a frame" in pipe(source[:-1], status=1)[1], "cut off")
    check("middle of a frame" in pipe(raw[:-1], "--raw", "34x34", status=1)[1], "raw, cut off")
    check("not YUV4MPEG2" in pipe(b"RIFF", status=1)[1], "another file")
    check("interlaced" in pipe(b"YUV4MPEG2 W8 H8 It\n", status=1)[1], "interlaced")
    check("420p10" in pipe(b"YUV4MPEG2 W8 H8 C420p10\n", status=1)[1], "10 bits")


def raw_video(path, frames, size=32):
    """YUV4MPEG2 without colours, made without FFmpeg."""
    picture = bytes((x * 3 + y * 5) % 256 for y in range(size) for x in range(size))
    path.write_bytes(f"YUV4MPEG2 W{size} H{size} F25:1 Ip Cmono\n".encode() +
                     b"".join(b"FRAME\n" + bytes((p + i) % 256 for p in picture)
                              for i in range(frames)))
    return path


def frames_of(path, size=64):
    """Whole frames of such a file; nothing else may be in it."""
    head, _, rest = path.read_bytes().partition(b"\n")
    check(head.startswith(f"YUV4MPEG2 W{size} H{size}".encode()), head)
    frames, more = divmod(len(rest), 6 + size * size)
    same(more, 0, "bytes behind the last whole frame")
    return frames


def run_pipe(*words, status=0, **kwargs):
    return fvsr("pipe", "-m", MODEL, "-t", 1, "-s", 2, *words, status=status, **kwargs)


def test_same_file(tmp):
    """Nothing that is read is written to, however it is spelled and whatever leads there."""
    source = raw_video(tmp / "in.y4m", 3)
    (tmp / "folder").mkdir()
    names = [source, tmp / "folder" / ".." / "in.y4m", tmp / "hard.y4m", os.path.relpath(source)]
    os.link(source, tmp / "hard.y4m")
    if not WINDOWS:
        (tmp / "soft.y4m").symlink_to(source)
        names.append(tmp / "soft.y4m")
    before = source.read_bytes()
    for name in names:
        check("is the input itself" in run_pipe(source, name, status=2), name)
        check("is the input itself" in run_pipe(name, source, status=2), name)
        # Wine does not know which file it has been given as standard input.
        if WINDOWS:
            continue
        with open(source, "rb") as file:
            check("is the input itself" in run_pipe("-", name, status=2, stdin=file), name)
    # Standard output that is appended to the input would feed on itself.
    if not WINDOWS:
        with open(source, "ab") as file:
            run = subprocess.run([FVSR, "pipe", "-m", MODEL, source], stdout=file,
                                 stderr=subprocess.PIPE, text=True, timeout=100)
        check(run.returncode == 2 and "is the input itself" in run.stderr, run.stderr)
    same(source.read_bytes(), before, "the input")

    # The model, as a file, as what makes a synthetic one, and for import.
    config = tmp / "tiny.json"
    shutil.copy(HERE / "tiny-residual.json", config)
    synth = f"synth:{config}:1"
    text = config.read_bytes()
    fvsr("import", synth, tmp / "packed.safetensors")
    packed = (tmp / "packed.safetensors").read_bytes()
    os.link(tmp / "packed.safetensors", tmp / "hard.safetensors")
    for command, target in (("pipe", config), ("pipe", tmp / "hard.safetensors")):
        model = synth if target == config else tmp / "packed.safetensors"
        said = fvsr(command, "-m", model, "-t", 1, "-s", 2, source, target, status=2)
        check("is a file of the model" in said, said)
    check("is a file that the import reads" in fvsr("import", synth, config, status=1), "import")
    same(config.read_bytes(), text, "the configuration")
    same((tmp / "packed.safetensors").read_bytes(), packed, "the model")
    same(sorted(path.name for path in tmp.iterdir() if ".part" in path.name), [], "parts")


def test_keep(tmp):
    """An earlier file stays until the new one is complete, and what was done is kept beside it."""
    source, target = raw_video(tmp / "in.y4m", 60), tmp / "out.y4m"
    cut = tmp / "cut.y4m"
    cut.write_bytes(source.read_bytes()[:-100])
    run_pipe(source, target)
    same(frames_of(target), 60, "frames")
    whole = target.read_bytes()
    # The input is damaged: all that was in it comes out, beside the earlier file.
    for name in ("out.partial.y4m", "out.partial-2.y4m"):
        text = run_pipe(cut, target, status=1)
        check("middle of a frame" in text, text)
        same(held(text), (tmp / name, 59), "what is kept")
        same(frames_of(tmp / name), 59, "frames kept")
        same(target.read_bytes(), whole, "the earlier file")
    text = run_pipe(cut, tmp / "new.y4m", status=1)
    same(held(text), (tmp / "new.y4m", 59), "where nothing was before")
    # Nothing came out: nothing is left, and what was there stays.
    for words in ([tmp / "none.y4m"], [HERE / "cli_test.py"]):
        run_pipe(*words, target, status=1)
    fvsr("pipe", "-m", tmp / "none", source, target, status=2)
    fvsr("import", tmp, target, status=1)
    same(target.read_bytes(), whole, "the earlier file")
    # Import replaces only when it is complete, too.
    packed = tmp / "model.safetensors"
    packed.write_bytes(b"old")
    fvsr("import", tmp / "nowhere", packed, status=1)
    same(packed.read_bytes(), b"old", "the earlier model")
    fvsr("import", MODEL, packed)
    check(packed.stat().st_size > 1000, "the new model")
    same([path.name for path in tmp.iterdir() if ".part" in path.name.replace(".partial", "")],
         [], "parts")


def start_pipe(tmp, target, frames, **kwargs):
    """A run that has read so many frames and waits for more; its part is there."""
    run = subprocess.Popen([FVSR, "pipe", "-m", MODEL, "-t", "1", "-s", "2", "-", target],
                           stdin=subprocess.PIPE, stderr=subprocess.PIPE, **kwargs)
    run.stdin.write(raw_video(tmp / "part.y4m", frames).read_bytes())
    run.stdin.flush()
    wait_until_idle(run.pid)
    return run


def parts_of(target):
    return sorted(target.parent.glob(target.name + ".*.part"))


def test_leftovers(tmp):
    """What a killed run left goes with the next one; what a living run writes stays."""
    source, target = raw_video(tmp / "in.y4m", 5), tmp / "out.y4m"
    target.write_bytes(b"old")
    killed = start_pipe(tmp, target, 60)
    same(len(parts_of(target)), 1, "parts of a run")
    killed.kill()
    killed.communicate()
    same(len(parts_of(target)), 1, "parts of a killed run")
    same(target.read_bytes(), b"old", "the earlier file")
    living = start_pipe(tmp, target, 60)
    same(len(parts_of(target)), 1, "parts of a living run")
    mine = parts_of(target)
    # Others that look alike, and are not.
    others = [tmp / "out.y4m.part", tmp / "other.y4m.999999-1.part", tmp / "out.y4m.1-x.part"]
    for path in others:
        path.write_bytes(b"x")
    run_pipe(source, target)
    same(frames_of(target), 5, "frames")
    same(parts_of(target), sorted(mine + others[2:]), "parts")
    check(all(path.exists() for path in others), "files of others were removed")
    _, text = living.communicate()
    same(living.returncode, 0, text)
    same(frames_of(target), 60, "frames of the one that lived")
    same(parts_of(target), others[2:], "parts at the end")


def test_hangup(tmp):
    """A terminal that is closed ends the work as a request to end does; nohup keeps it going."""
    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
        target = tmp / f"{number}.y4m"
        run = start_pipe(tmp, target, 60)
        run.send_signal(number)
        _, text = run.communicate(timeout=60)
        same(run.returncode, 128 + number, text)
        kept, frames = held(text.decode())
        same(kept, target, "what is kept")
        same(frames_of(target), frames, "frames")
        check(21 <= frames <= 60, frames)
    run = start_pipe(tmp, tmp / "nohup.y4m", 60,
                     preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    run.send_signal(signal.SIGHUP)
    _, text = run.communicate(timeout=60)
    same(run.returncode, 0, text)
    same(frames_of(tmp / "nohup.y4m"), 60, "frames with nohup")
    # Messages that nobody reads any more are no reason to die either.
    run = start_pipe(tmp, tmp / "quiet.y4m", 60)
    run.stderr.close()
    run.stdin.close()
    same(run.wait(timeout=60), 0, "exit status without a reader of messages")
    same(frames_of(tmp / "quiet.y4m"), 60, "frames without a reader of messages")


def test_pipe_full(tmp):
    """A full disk, and readers that go away: said, with the whole frames that are there."""
    source = raw_video(tmp / "in.y4m", 60)
    text = run_pipe(source, "/dev/full", status=1)
    check("No space left on device" in text and "holds" not in text, text)
    with open("/dev/full", "wb") as full:
        run = subprocess.run([FVSR, "pipe", "-m", MODEL, "-t", "1", "-s", "2", source],
                             stdout=full, stderr=subprocess.PIPE, text=True, timeout=100)
    check(run.returncode == 1 and "No space left on device" in run.stderr, run.stderr)
    run = subprocess.Popen([FVSR, "pipe", "-m", MODEL, "-t", "1", "-s", "2", source],
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    run.stdout.close()
    _, text = run.communicate(timeout=100)
    check(run.returncode == 1 and b"Broken pipe" in text, run.returncode, text)

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000))

    text = run_pipe(source, tmp / "out.y4m", status=1, preexec_fn=limit)
    check("File too large" in text, text)
    same(held(text), (tmp / "out.y4m", frames_of(tmp / "out.y4m")), "what is kept")
    same(frames_of(tmp / "out.y4m"), (100000 - 60) // (6 + 64 * 64), "frames kept")


def test_counts(tmp):
    for frames in (1, 2, 7, 30):
        source = video(tmp / "in.mp4", frames)
        upscale(source, tmp / "out.mp4")
        same(len(times(source)), frames, "frames in")
        same(times(tmp / "out.mp4"), times(source), f"times of {frames} frames")
        same(stream(tmp / "out.mp4", "width", "height", "avg_frame_rate", "duration"),
             [128, 96] + stream(source, "avg_frame_rate", "duration"), "stream")


def test_single_picture(tmp):
    video(tmp / "in.png", 1, codec="png")
    fvsr("upscale", "-m", MODEL, "-t", 1, "-s", 2, tmp / "in.png", tmp / "out.png")
    same(stream(tmp / "out.png", "codec_name", "width", "height"), ["png", 128, 96], "picture")


def test_variable_rate(tmp):
    source = video(tmp / "in.mkv", 40, "-fps_mode", "vfr",
                   filters="select='not(mod(n\\,3))+not(mod(n\\,5))'")
    gaps = {round(b - a, 3) for a, b in zip(times(source), times(source)[1:])}
    check(len(gaps) > 1, "the source has no variable rate")
    for name in ("out.mkv", "out.mp4"):
        upscale(source, tmp / name)
        same(times(tmp / name), times(source), "times in " + name)


def test_other_streams(tmp):
    (tmp / "text.srt").write_text("1\n00:00:00,100 --> 00:00:00,900\nA line\n\n")
    (tmp / "meta.txt").write_text(";FFMETADATA1\ntitle=A title\n[CHAPTER]\nTIMEBASE=1/1000\n"
                                  "START=0\nEND=500\ntitle=One\n")
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x48:r=25", "-f", "lavfi", "-i",
           "sine=440:r=44100", "-f", "lavfi", "-i", "sine=880:r=48000", "-i", tmp / "text.srt",
           "-i", tmp / "meta.txt", "-map", "0:v", "-map", "1:a", "-map", "2:a", "-map", "3:s",
           "-map_metadata", 4, "-t", 1.2, "-c:v", "libx264", "-c:a:0", "aac", "-c:a:1", "flac",
           "-c:s", "srt", "-metadata:s:a:1", "language=deu", tmp / "in.mkv")
    source, target = tmp / "in.mkv", tmp / "out.mkv"
    upscale(source, target)
    same(times(target), times(source), "times")
    for which in ("a:0", "a:1", "s:0"):
        same(packets_md5(target, which), packets_md5(source, which), "packets of " + which)
        same(probe(target, "packet=pts_time", which), probe(source, "packet=pts_time", which),
             "times of " + which)
    same(probe(target, "stream_tags=language", "a:1")["streams"][0]["tags"]["language"], "deu",
         "language")
    listing = subprocess.run(["ffprobe", "-v", "error", "-show_chapters", "-show_format", "-of",
                              "json", str(target)], capture_output=True, text=True, check=True)
    listing = json.loads(listing.stdout)
    same(listing["chapters"][0]["tags"]["title"], "One", "chapter")
    same(listing["format"]["tags"]["title"], "A title", "title")
    # A container that cannot hold a stream: said, left out, the rest is there.
    text = upscale(source, tmp / "out.ts", "--codec", "libx264")
    check("subrip" in text and "left out" in text, "no word about the subtitles:", text)
    upscale(source, tmp / "out.mp4")
    same(packets_md5(tmp / "out.mp4", "a:0"), packets_md5(source, "a:0"), "sound in mp4")
    same(times(tmp / "out.mp4"), times(source), "times in mp4")


def test_sizes(tmp):
    source = video(tmp / "in.mkv", 2, codec="ffv1", size="33x19")
    same(stream(source, "width", "height"), [33, 19], "odd source")
    upscale(source, tmp / "out.mp4", scale=3)
    same(stream(tmp / "out.mp4", "width", "height", "pix_fmt"), [99, 57, "yuv444p"], "odd size")
    upscale(source, tmp / "out.mp4", scale=1)
    same(stream(tmp / "out.mp4", "width", "height"), [33, 19], "scale 1")
    text = upscale(source, tmp / "out.mp4", "--size", "130x140")
    same(stream(tmp / "out.mp4", "width", "height", "pix_fmt"), [130, 140, "yuv420p"], "--size")
    check("aspect" in text, "no word about the aspect ratio:", text)
    check("smaller" in upscale(source, tmp / "no.mp4", "--size", "32x32", status=2), "too small")
    tiny = video(tmp / "tiny.mkv", 2, codec="ffv1", size="12x12")
    upscale(tiny, tmp / "no.mp4", status=2)
    check(not (tmp / "no.mp4").exists(), "a failed start left a file")


def test_size_changes(tmp):
    """A stream whose pictures change size goes on at the first size."""
    for i, size in enumerate(("64x48", "96x64")):
        video(tmp / f"{i}.ts", 5, "-output_ts_offset", i * 0.2, size=size)
    (tmp / "in.ts").write_bytes((tmp / "0.ts").read_bytes() + (tmp / "1.ts").read_bytes())
    text = upscale(tmp / "in.ts", tmp / "out.mkv")
    check("size changes" in text, "no word about the change:", text)
    same(len(times(tmp / "out.mkv")), len(times(tmp / "in.ts")), "frames")
    same(stream(tmp / "out.mkv", "width", "height"), [128, 96], "size")


def test_tags(tmp):
    names = ("color_range", "color_space", "color_primaries", "color_transfer",
             "sample_aspect_ratio")
    for space, full, primaries, transfer in (
            ("bt709", "tv", "bt709", "bt709"),
            ("bt709", "pc", "bt709", "iec61966-2-1"),
            ("smpte170m", "tv", "smpte170m", "smpte170m"),
            ("bt470bg", "pc", "bt470bg", "gamma28"),
            ("bt2020nc", "tv", "bt2020", "bt2020-10")):
        tags, options = tagged(space, full, primaries, transfer)
        source = video(tmp / "in.mkv", 2, *options, filters="setsar=4/3," + tags)
        want = [full, space, primaries, stream(source, "color_transfer")[0], "4:3"]
        same(stream(source, *names), want, "tags of the source")
        for name in ("out.mkv", "out.mp4"):
            upscale(source, tmp / name)
            same(stream(tmp / name, *names), want, "tags of " + name)
    # Untagged video is taken as BT.601 (small) and says so afterwards, whatever its new size.
    source = video(tmp / "in.mkv", 2)
    upscale(source, tmp / "out.mkv")
    same(stream(tmp / "out.mkv", *names[:3]), ["tv", "smpte170m", None], "tags of untagged")
    # JPEG's own pixel formats are full range.
    source = video(tmp / "in.avi", 2, "-pix_fmt", "yuvj420p", codec="mjpeg")
    upscale(source, tmp / "out.mkv")
    same(stream(tmp / "out.mkv", "pix_fmt", "color_range"), ["yuvj420p", "pc"], "of yuvj420p")


# What a telephone writes into the head of a track for each way of holding it, and two mirrors.
TURNS = {"90": (0, 1, -1, 0), "180": (-1, 0, 0, -1), "270": (0, -1, 1, 0), "mirror": (-1, 0, 0, 1),
         "90 mirrored": (0, 1, 1, 0)}


def turned(path, matrix, target):
    """The MP4 file with another display matrix in the head of its only track."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    a, b, c, d = (value << 16 for value in matrix)
    data[at:at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    target.write_bytes(data)
    return target


def matrix_of(path):
    data = probe(path, "stream_side_data=displaymatrix")["streams"][0]
    return [one["displaymatrix"].split() for one in data.get("side_data_list", [])
            if "displaymatrix" in one]


def test_rotation(tmp):
    """MP4 says how a video is to be turned; what goes elsewhere is turned, as players show it."""
    plain = video(tmp / "plain.mp4", 2, "-qp", 0, size="64x32")
    for name, matrix in TURNS.items():
        source = turned(plain, matrix, tmp / "in.mp4")
        check(matrix_of(source), "no matrix in the source of", name)
        if name == "90":
            upscale(source, tmp / "out.mp4")
            same(matrix_of(tmp / "out.mp4"), matrix_of(source), "matrix in mp4")
            same(stream(tmp / "out.mp4", "width", "height"), [128, 64], "size in mp4")
            for ending in ("avi", "ts", "webm"):
                upscale(source, tmp / f"out.{ending}")
                same(matrix_of(tmp / f"out.{ending}"), [], "matrix in " + ending)
                same(stream(tmp / f"out.{ending}", "width", "height"), [64, 128], ending)
        # At scale 1 the model's picture is near the source's, and far from one turned otherwise.
        fvsr("upscale", "-m", MODEL, "-t", 1, "-s", 1, "--codec", "ffv1", "--color", "adain",
             source, tmp / "out.mkv")
        same(matrix_of(tmp / "out.mkv"), [], "matrix in mkv, " + name)
        size = [32, 64] if matrix[0] == 0 else [64, 32]
        same(stream(tmp / "out.mkv", "width", "height"), size, "size in mkv, " + name)
        got, want = pixels(tmp / "out.mkv", "rgb24"), pixels(source, "rgb24")
        same(len(got), len(want), "pixels of " + name)
        wrong = subprocess.run(["ffmpeg", "-v", "error", "-noautorotate", "-i", source, "-vf",
                                TURNED_BACK[name], "-pix_fmt", "rgb24", "-f", "rawvideo", "-"],
                               check=True, capture_output=True).stdout
        check(psnr(got, want) > psnr(got, wrong) + 3, name, psnr(got, want), psnr(got, wrong))
    # Pixels that are not square are so in the other direction then.
    source = video(tmp / "plain.mp4", 2, "-aspect", "4:1", size="64x32")
    upscale(turned(source, TURNS["90"], tmp / "in.mp4"), tmp / "out.mkv")
    same(stream(tmp / "out.mkv", "sample_aspect_ratio"), ["1:2"], "aspect")
    # At an angle that no pixels have: said.
    text = upscale(turned(source, (0, 0, 0, 1), tmp / "in.mp4"), tmp / "out.mkv")
    check("at an angle" in text, "no word about the angle:", text)


# The same, turned the wrong way.
TURNED_BACK = {"90": "transpose=cclock", "180": "null", "270": "transpose=clock",
               "mirror": "null", "90 mirrored": "transpose=clock_flip"}


def test_subtitles(tmp):
    """Text that the target cannot hold as it is says the same in the target's own codec."""
    (tmp / "text.srt").write_text("1\n00:00:00,100 --> 00:00:00,500\nA line, \u00fc\n\n"
                                  "2\n00:00:00,600 --> 00:00:00,900\nAnother\nof two\n\n")
    want = subtitles(tmp / "text.srt")
    same([line for line in want if "line" in line], ["A line, \u00fc"], "the words of the source")
    video(tmp / "video.mkv", 5, rate=5)
    for container, codec in (("mkv", "srt"), ("mp4", "mov_text"), ("webm", "webvtt")):
        source = tmp / f"in.{container}"
        ffmpeg("-i", tmp / "video.mkv", "-i", tmp / "text.srt", "-map", "0:v", "-map", "1:s",
               "-c:v", "libvpx" if container == "webm" else "copy", "-c:s", codec,
               "-metadata:s:s:0", "language=deu", source)
        for target, becomes in (("out.mkv", {"srt": "subrip", "webvtt": "webvtt"}),
                                ("out.mp4", {}), ("out.webm", {})):
            default = {"out.mkv": "subrip", "out.mp4": "mov_text", "out.webm": "webvtt"}[target]
            upscale(source, tmp / target)
            same(stream(tmp / target, "codec_name", which="s:0"), [becomes.get(codec, default)],
                 f"{container} to {target}")
            same(subtitles(tmp / target), want, f"words, {container} to {target}")
            same(probe(tmp / target, "stream_tags=language", "s:0")["streams"][0]["tags"]
                 ["language"], "deu", f"language, {container} to {target}")


def subtitles(path):
    """Times and words, as SubRip has them."""
    text = subprocess.run(["ffmpeg", "-v", "error", "-copyts", "-i", str(path), "-map", "0:s", "-f",
                           "srt", "-"], check=True, capture_output=True, text=True).stdout
    return [line for line in text.splitlines() if line]


def test_colors(tmp):
    """Flat pictures come out with their own values: both ways of the conversion agree."""
    patches = {"bt709": ((16, 128, 128), (235, 128, 128), (126, 128, 128), (63, 102, 240),
                         (173, 42, 26), (32, 240, 118), (100, 128, 90)),
               "smpte170m": ((16, 128, 128), (235, 128, 128), (81, 90, 240), (145, 54, 34),
                             (41, 240, 110), (180, 110, 150))}
    size = 32 * 32
    for space, colors in patches.items():
        for full in ("tv", "pc"):
            for y, u, v in colors:
                raw = bytes([y]) * size + bytes([u]) * (size // 4) + bytes([v]) * (size // 4)
                ffmpeg("-f", "rawvideo", "-s", "32x32", "-pix_fmt", "yuv420p", "-i", "-", "-vf",
                       f"setparams=colorspace={space}:range={full}", "-c:v", "ffv1", "-colorspace",
                       space, "-color_range", full, tmp / "in.mkv", input=raw)
                fvsr("upscale", "-m", MODEL, "-t", 1, "--scale", 2, "--codec", "ffv1", "-q",
                     "--color", "adain", tmp / "in.mkv", tmp / "out.mkv")
                data = pixels(tmp / "out.mkv")
                planes = data[:4 * size], data[4 * size:5 * size], data[5 * size:]
                for plane, want in zip(planes, (y, u, v)):
                    check(max(abs(min(plane) - want), abs(max(plane) - want)) <= 2,
                          f"{space} {full} {(y, u, v)}: {min(plane)} .. {max(plane)}, not {want}")


def test_alpha(tmp):
    ffmpeg("-f", "lavfi", "-i", "color=red:s=32x32:r=25,format=rgba,colorchannelmixer=aa=0.5",
           "-frames:v", 3, "-c:v", "qtrle", tmp / "in.mov")
    upscale(tmp / "in.mov", tmp / "out.mov", "--codec", "qtrle", "--preset", "x", status=1)
    fvsr("upscale", "-m", MODEL, "-t", 1, "-s", 2, "--codec", "qtrle", tmp / "in.mov",
         tmp / "out.mov")
    alpha = set(pixels(tmp / "out.mov", "rgba")[3::4])
    want = set(pixels(tmp / "in.mov", "rgba")[3::4])
    same(alpha, want, "alpha")
    text = upscale(tmp / "in.mov", tmp / "out.mp4")
    check("alpha" in text, "no word about the lost alpha:", text)


def test_alpha_vpx(tmp):
    """VP8 and VP9 keep alpha in a second picture, which only libvpx reads."""
    for codec in ("libvpx", "libvpx-vp9"):
        ffmpeg("-f", "lavfi", "-i", "color=red:s=64x64:r=25,format=rgba,"
               "geq=r=200:g=60:b=40:a='if(lt(X,32),40,220)'", "-frames:v", 3, "-c:v", codec,
               "-pix_fmt", "yuva420p", "-auto-alt-ref", 0, "-crf", 4, "-b:v", "4M",
               tmp / "in.webm")
        text = fvsr("upscale", "-m", MODEL, "-t", 1, "-s", 2, "--codec", "qtrle", tmp / "in.webm",
                    tmp / "out.mov")
        check("warning" not in text, "a warning for nothing:", text)
        # The model leaves alpha alone; enlarging softens the edge in the middle.
        alpha = pixels(tmp / "out.mov", "rgba")[3::4]
        for x, want in ((8, 40), (120, 220)):
            check(abs(alpha[64 * 128 + x] - want) <= 6, codec, "alpha", alpha[64 * 128 + x],
                  "instead of", want)
        fvsr("upscale", "-m", MODEL, "-t", 1, "-s", 2, "--codec", codec, "--crf", 4,
             tmp / "in.webm", tmp / "out.webm")
        tags = probe(tmp / "out.webm", "stream_tags=alpha_mode")["streams"][0].get("tags", {})
        same({name.lower(): value for name, value in tags.items()}, {"alpha_mode": "1"},
             "alpha in webm")
        text = upscale(tmp / "in.webm", tmp / "out.mkv")
        check("alpha" in text, "no word about the lost alpha:", text)
        tags = probe(tmp / "out.mkv", "stream_tags=alpha_mode")["streams"][0].get("tags", {})
        same(tags, {}, "H.264 that says it has alpha")


def test_pictures(tmp):
    """One picture is one file, a video is a numbered row of them."""
    source = video(tmp / "in.mkv", 3, codec="ffv1")
    for ending, codec in (("png", "png"), ("jpg", "mjpeg"), ("jpeg", "mjpeg")):
        target = tmp / f"out.{ending}"
        target.write_bytes(b"old")
        text = fvsr("upscale", "-m", MODEL, "-t", 1, source, target, status=2)
        check(f"out-%05d.{ending}" in text, "no word about a numbered row:", text)
        same(target.read_bytes(), b"old", "the earlier picture")
        fvsr("upscale", "-m", MODEL, "-t", 1, "-s", 2, source, tmp / f"row-%02d.{ending}")
        same(sorted(path.name for path in tmp.glob(f"row-*.{ending}")),
             [f"row-{i:02d}.{ending}" for i in (1, 2, 3)], "the row")
        same(stream(tmp / f"row-03.{ending}", "codec_name", "width", "height"), [codec, 128, 96],
             "a picture of the row")
        # A row is read as well as written; one picture replaces one picture.
        fvsr("upscale", "-m", MODEL, "-t", 1, "-s", 2, tmp / f"row-%02d.{ending}",
             tmp / f"large-%d.{ending}")
        same(stream(tmp / f"large-3.{ending}", "width"), [256], "of a row")
        fvsr("upscale", "-m", MODEL, "-t", 1, "-s", 2, tmp / f"row-01.{ending}", target)
        same(stream(target, "codec_name", "width"), [codec, 256], "one picture")
        before = (tmp / f"row-02.{ending}").read_bytes()
        for pattern in (tmp / f"row-%02d.{ending}", f"{tmp}/./row-%02d.{ending}"):
            text = fvsr("upscale", "-m", MODEL, "-t", 1, tmp / f"row-%02d.{ending}", pattern,
                        status=2)
            check("replace pictures" in text, "no word about the row itself:", text)
        text = fvsr("upscale", "-m", MODEL, "-t", 1, tmp / f"row-02.{ending}",
                    tmp / f"row-%02d.{ending}", status=2)
        same((tmp / f"row-02.{ending}").read_bytes(), before, "the input")
    # JPEG is BT.601, full range, and says so to nobody: colours must come out right.
    ffmpeg("-f", "lavfi", "-i", "color=0x3060c0:s=64x64", "-frames:v", 1, tmp / "flat.png")
    fvsr("upscale", "-m", MODEL, "-t", 1, "-s", 2, "--color", "adain", tmp / "flat.png",
         tmp / "flat.jpg")
    got = pixels(tmp / "flat.jpg", "rgb24")[:3]
    check(all(abs(a - b) <= 6 for a, b in zip(got, (0x30, 0x60, 0xc0))), "colour of JPEG",
          list(got))
    # A name that is no pattern is a name.
    video(tmp / "100%.mkv", 2)
    upscale(tmp / "100%.mkv", tmp / "200%.mkv")
    same(len(times(tmp / "200%.mkv")), 2, "a name with a per cent sign")


def test_standard_streams(tmp):
    """"-" is standard input and output, for containers that stream."""
    source = video(tmp / "in.mkv", 5)
    want = times(source)
    options = ["-m", MODEL, "-t", "1", "-s", "2"]

    def through(data, *words, status=0):
        run = subprocess.run([FVSR, "upscale", *options, *words], input=data, timeout=100,
                             capture_output=True)
        same(run.returncode, status, f"exit status of {words}, {run.stderr.decode()}")
        return run.stdout, run.stderr.decode()

    for name, words in (("out.mkv", []), ("out.mp4", ["--format", "mp4"]),
                        ("out.ts", ["-f", "mpegts"]), ("out.webm", ["--format", "webm"])):
        data, text = through(source.read_bytes(), *words, "-", "-")
        (tmp / name).write_bytes(data)
        same(len(times(tmp / name)), len(want), "frames in " + name)
        same(stream(tmp / name, "width"), [128], "width in " + name)
        check("standard output: 5 frames" in text, text)
    # From a file on standard input, also one whose index stands at its end.
    video(tmp / "in.mp4", 5)
    with open(tmp / "in.mp4", "rb") as file:
        fvsr("upscale", *options, "-", tmp / "out.mkv", stdin=file)
    same(len(times(tmp / "out.mkv")), 5, "frames of an MP4 on standard input")
    for words in (["--format", "image2", source, "-"], ["--format", "nonsense", source, "-"]):
        check("container" in through(b"", *map(str, words), status=1)[1], words)
    # A terminal is no place for video.
    for command, words in (("upscale", [source, "-"]), ("pipe", []), ("pipe", ["-", "-"])):
        terminal, end = os.openpty()
        run = subprocess.run([FVSR, command, "-m", MODEL, *words], stdin=subprocess.DEVNULL,
                             stdout=end, stderr=subprocess.PIPE, text=True, timeout=100)
        os.close(end)
        os.close(terminal)
        same(run.returncode, 2, f"{command} to a terminal")
        check("terminal" in run.stderr and "name a" in run.stderr, run.stderr)


def test_messages(tmp):
    """Every line is the program's own, whatever encoder works, and holds no address."""
    source = video(tmp / "in.mkv", 5, size="128x128")
    listed = subprocess.run(["ffmpeg", "-v", "error", "-encoders"], check=True,
                            capture_output=True, text=True).stdout
    tried = 0
    for codec in ("libx264", "libx265", "libsvtav1", "libvpx-vp9", "mpeg4", "ffv1"):
        if f" {codec} " not in listed:
            continue
        tried += 1
        for more in ([], ["--verbose"]):
            text = fvsr("upscale", "-m", MODEL, "-t", 1, "-s", 2, "--codec", codec, *more, source,
                        tmp / "out.mkv")
            check(not re.search("@ 0x|0x[0-9a-f]{6}", text), "an address:", text)
            # What libraries print by themselves is wanted with --verbose only.
            if not more:
                same([line for line in text.splitlines() if not line.startswith("fvsr: ")], [],
                     "lines of others, " + codec)
                same(len(text.splitlines()), 1, f"lines of {codec}: {text}")
    check(tried >= 3, "encoders tried:", tried)
    text = upscale(source, tmp / "no.mp4", "--pixel-format", "yuv420p", "--size", "257x257",
                   status=1)
    check("libx264: " in text and "0x" not in text and "@" not in text, text)


def test_memory(tmp):
    """What does not fit is refused before anything is taken, with what would fit."""
    source = video(tmp / "in.mkv", 5, size="64x64")
    ffmpeg("-i", source, "-pix_fmt", "yuv420p", tmp / "in.y4m")

    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))

    def tried(command, size, status):
        words = (["--codec", "ffv1", source] if command == "upscale" else [tmp / "in.y4m"])
        return fvsr(command, "-m", MODEL, "-b", "cpu-plain", "-t", 1, "--size", size, *words,
                    tmp / "out.avi", status=status, preexec_fn=limit)

    for command in ("upscale", "pipe"):
        text = tried(command, "12288x12288", 1)
        found = re.search(r"12288x12288 needs ([\d.]+) GiB of memory and only ([\d.]+) GiB is free; "
                          r"--size (\d+)x(\d+) would fit", text)
        check(found, "no word about the memory:", text)
        needed, free = map(float, found.groups()[:2])
        check(free <= 6 and needed > free, text)
        check(64 < int(found[3]) < 12288 and abs(int(found[3]) - int(found[4])) <= 2, text)
        check(not list(tmp.glob("out.avi*")), "something was left")


def mounted(tmp, size):
    """A disk of so many bytes, or None where it cannot be had."""
    disk = tmp / "disk"
    disk.mkdir(exist_ok=True)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", disk],
                          capture_output=True, check=False) if os.geteuid() == 0 else None
    return disk if done and done.returncode == 0 else None


def held(text):
    """The file and the number of frames that the message says are kept."""
    found = re.search(r"fvsr: (.*) holds the first (\d+) frame", text)
    check(found, "no word about what is kept:", text)
    return Path(found[1]), int(found[2])


def test_full_disk(tmp):
    """What can be read of the file is said, and is so; an earlier file stays."""
    source = video(tmp / "in.mkv", 200, codec="ffv1", filters="noise=alls=80:allf=t")
    disk = mounted(tmp, 2 << 20)
    if not disk:
        print("no disk of its own could be mounted: only the size of files is limited")
    try:
        for ending in ("mp4", "mkv", "ts") if disk else ():
            target = disk / f"out.{ending}"
            for name in (f"out.{ending}", f"out.partial.{ending}"):
                if ending != "mp4" and name != target.name:
                    continue
                text = upscale(source, target, "--crf", 0, status=1)
                check("No space left on device" in text, text)
                kept, frames = held(text)
                same(kept, disk / name, "the kept file")
                check(20 < frames < 200, "frames:", frames)
                same(len(times(kept)), frames, f"frames that {ending} holds")
                same(sorted(path.name for path in disk.iterdir()), sorted({name, target.name}),
                     "what is on the disk")
                kept.unlink()
                target.write_bytes(b"old")
            same(target.read_bytes(), b"old", "the earlier file")
            target.unlink()
    finally:
        if disk:
            subprocess.run(["umount", disk], check=True)

    # Where nothing can be kept back, as with a limit on the size of files, it may not be readable.
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (300000, 300000))

    text = upscale(source, tmp / "out.mp4", "--crf", 0, status=1, preexec_fn=limit)
    check("File too large" in text and "no file is left" in text, text)
    kept, frames = held(upscale(source, tmp / "out.mkv", "--crf", 0, status=1, preexec_fn=limit))
    same(len(times(kept)), frames, "frames that can be read")
    same(sorted(path.name for path in tmp.iterdir() if path.is_file()), ["in.mkv", "out.mkv"],
         "what is there")
    text = fvsr("upscale", "-m", MODEL, "-t", 1, "--format", "mpegts", source, "/dev/full",
                status=1)
    check("cannot write /dev/full: No space" in text and "holds" not in text, text)


def test_deep_and_hdr(tmp):
    source = video(tmp / "deep.mkv", 2, "-pix_fmt", "yuv420p10le", codec="ffv1")
    check("10 bits" in upscale(source, tmp / "out.mkv"), "no word about 10 bits")
    for transfer in ("smpte2084", "arib-std-b67"):
        tags, options = tagged("bt2020nc", "tv", "bt2020", transfer)
        source = video(tmp / "hdr.mkv", 2, "-pix_fmt", "yuv420p10le", *options, codec="ffv1",
                       filters=tags)
        check("HDR" in upscale(source, tmp / "no.mkv", status=1), "no word about HDR")
        check(not (tmp / "no.mkv").exists(), "a refused video left a file")


def test_bad_input(tmp):
    out = tmp / "out.mp4"
    check("No such file" in upscale(tmp / "nothing.mp4", out, status=1), "missing file")
    (tmp / "empty.mp4").write_bytes(b"")
    upscale(tmp / "empty.mp4", out, status=1)
    (tmp / "garbage.mp4").write_bytes(bytes(range(256)) * 100)
    upscale(tmp / "garbage.mp4", out, status=1)
    upscale(tmp, out, status=1)
    ffmpeg("-f", "lavfi", "-i", "sine=440", "-t", 0.2, tmp / "sound.wav")
    check("no video" in upscale(tmp / "sound.wav", out, status=1), "sound alone")
    check(not out.exists(), "a failed start left a file")


def test_damaged_input(tmp):
    """Cut off or overwritten files: what can be decoded comes out, and nothing crashes."""
    source = video(tmp / "in.mkv", 30, "-g", 10)
    data = bytearray(source.read_bytes())
    (tmp / "cut.mkv").write_bytes(data[:len(data) * 2 // 3])
    upscale(tmp / "cut.mkv", tmp / "out.mkv")
    same(times(tmp / "out.mkv"), times(tmp / "cut.mkv"), "times of the cut file")
    for at in range(len(data) // 3, len(data) // 3 + 600):
        data[at] = (data[at] * 7 + 13) % 256
    (tmp / "holes.mkv").write_bytes(data)
    upscale(tmp / "holes.mkv", tmp / "out.mkv")
    same(len(times(tmp / "out.mkv")), len(times(tmp / "holes.mkv")), "frames of the damaged file")


def test_bad_output(tmp):
    source = video(tmp / "in.mp4", 2)
    check("cannot write" in upscale(source, tmp / "no" / "out.mp4", status=1), "no folder")
    upscale(source, tmp, status=1)
    (tmp / "folder.mp4").mkdir()
    upscale(source, tmp / "folder.mp4", status=1)
    check("container" in upscale(source, tmp / "out.nonsense", status=1), "no container")
    check("input itself" in upscale(source, source, status=2), "onto itself")
    (tmp / "link.mp4").symlink_to(source)
    upscale(source, tmp / "link.mp4", status=2)
    same(len(times(source)), 2, "the input afterwards")
    check("no encoder" in upscale(source, tmp / "out.mp4", "--codec", "nope", status=1), "codec")
    # What is there stays there when the work cannot start.
    (tmp / "old.mp4").write_bytes(b"old")
    fvsr("upscale", "--model", tmp / "none.safetensors", source, tmp / "old.mp4", status=2)
    fvsr("upscale", "--model", MODEL, "--backend", "none", source, tmp / "old.mp4", status=2)
    same((tmp / "old.mp4").read_bytes(), b"old", "the old file")
    # A disk that fills up.
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))
    source = video(tmp / "long.mp4", 60)
    text = upscale(source, tmp / "full.mkv", "--crf", 0, status=1, preexec_fn=limit)
    check("cannot write" in text, "no word about the full disk:", text)


def wait_until_idle(pid):
    """Until the process has used no processor time for half a second."""
    last, since = None, time.monotonic()
    while time.monotonic() - since < 0.5:
        used = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
        if used != last:
            last, since = used, time.monotonic()
        time.sleep(0.05)


def interrupted_run(tmp, number, frames):
    """Feeds part of a file through a FIFO, waits until all of it is used, sends the signal."""
    fifo, target = tmp / "fifo", tmp / "out.mkv"
    os.mkfifo(fifo)
    run = subprocess.Popen([FVSR, "upscale", "-m", MODEL, "-t", "1", "-s", "2", "--preset",
                            "ultrafast", fifo, target], stderr=subprocess.PIPE, text=True)
    source = (tmp / "in.mkv").read_bytes()
    keep = len(source) * frames // 100
    with open(fifo, "wb") as pipe:
        pipe.write(source[:keep])
        pipe.flush()
        end = time.monotonic() + 30
        while not list(tmp.glob("out.mkv.*.part")) and time.monotonic() < end:
            time.sleep(0.05)
        wait_until_idle(run.pid)
        run.send_signal(number)
        _, text = run.communicate(timeout=30)
    fifo.unlink()
    same(run.returncode, 128 + number, "exit status, " + text)
    return target, text


def test_interrupt(tmp):
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x48:r=25", "-f", "lavfi", "-i", "sine=440",
           "-frames:v", 100, "-t", 4, "-c:v", "mpeg4", "-q:v", 3, "-bf", 0, "-c:a", "flac",
           "-f", "matroska", tmp / "in.mkv")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # The last one finds a file of that name, which stays as it was.
        target = tmp / "out.mkv"
        if number == signal.SIGHUP:
            target.write_bytes(b"old")
        _, text = interrupted_run(tmp, number, 60)
        if number == signal.SIGHUP:
            same(target.read_bytes(), b"old", "the earlier file")
            target.unlink()
            target = tmp / "out.partial.mkv"
        same(held(text)[0], target, "what is kept")
        got, want = times(target), times(tmp / "in.mkv")
        check(21 <= len(got) < 61, "frames after the signal:", len(got))
        same(got, want[:len(got)], "times after the signal")
        check(f"first {len(got)} frames" in text, "no word about the frames:", text)
        sound = probe(target, "packet=pts_time", "a:0")["packets"]
        check(sound and float(sound[-1]["pts_time"]) <= got[-1] + 0.05,
              "sound goes on after the video:", sound[-1])
        target.unlink()
    # So early that nothing has come out: no file that no player could open.
    target, text = interrupted_run(tmp, signal.SIGINT, 15)
    check(not target.exists() and "no file" in text, "an empty file was left:", text)


def test_progress(tmp):
    """On a terminal there is a bar with speed and time left; elsewhere only the summary."""
    source = video(tmp / "in.mkv", 120, codec="ffv1")
    text = upscale(source, tmp / "out.mkv")
    check(len(text.splitlines()) == 1 and "120 frames" in text, "without a terminal:", text)
    same(upscale(source, tmp / "out.mkv", "--quiet"), "", "with --quiet")
    terminal, end = os.openpty()
    run = subprocess.Popen([FVSR, "upscale", "-m", MODEL, "-b", "cpu-plain", "-t", "1", "-s", "2",
                            source, tmp / "out.mkv"], stderr=end)
    os.close(end)
    seen = b""
    while True:
        try:
            part = os.read(terminal, 4096)
        except OSError:  # the other side is closed
            break
        if not part:
            break
        seen += part
    os.close(terminal)
    same(run.wait(timeout=60), 0, "exit status on a terminal")
    check(re.search(rb"\[#+\.*\] \d+/120  \d+ %  [\d.]+ frames/s  \d+:\d\d left", seen),
          "no bar:", seen)


def test_determinism(tmp):
    source = video(tmp / "in.mkv", 10, codec="ffv1")
    results = []
    for seed in (1, 1, 2):
        fvsr("upscale", "-m", MODEL, "-t", 1, "-s", 2, "--codec", "ffv1", "--seed", seed, source,
             tmp / "out.mkv")
        results.append(pixels(tmp / "out.mkv"))
    same(results[0] == results[1], True, "the same seed twice")
    same(results[0] == results[2], False, "another seed")


def test_import(tmp):
    packed = tmp / "packed.safetensors"
    fvsr("import", "--type", "f32", "--name", "A name", MODEL, packed)
    info = json.loads(fvsr("info", "--json", "--tensors", packed))
    same(info["metadata"]["name"], "A name", "name")
    same((info["types"], len(info["tensors"])), ("F32", info["num_tensors"]), "tensors")
    check("A name" in fvsr("info", packed), "info as text")
    fvsr("import", MODEL, tmp / "half.safetensors")
    check((tmp / "half.safetensors").stat().st_size < packed.stat().st_size * 0.6, "bf16 size")
    fvsr("import", tmp / "nowhere", tmp / "no.safetensors", status=1)
    fvsr("import", MODEL, tmp / "no" / "no.safetensors", status=1)
    check(not (tmp / "no.safetensors").exists(), "a failed import left a file")
    (tmp / "text.safetensors").write_text("not a model, but long enough to have a header\n")
    fvsr("info", tmp / "text.safetensors", status=1)


def test_packed_model(tmp):
    """A packed file is the model that it was made from; $FVSR_MODEL names the default one."""
    packed = tmp / "packed.safetensors"
    fvsr("import", "--type", "f32", MODEL, packed)
    source = video(tmp / "in.mkv", 4, codec="ffv1")
    results = []
    for model in (MODEL, packed):
        fvsr("upscale", "-t", 1, "-s", 2, "--codec", "ffv1", source, tmp / "out.mkv",
             env={**os.environ, "FVSR_MODEL": str(model)})
        results.append(pixels(tmp / "out.mkv"))
    same(results[0] == results[1], True, "pictures of the packed model")


def test_bench(tmp):
    result = json.loads(fvsr("bench", "-m", MODEL, "-t", 1, "--size", "128x96", "--scale", 2,
                             "--chunks", 2, "--json"))
    same((result["in_size"], result["out_size"], result["canvas_size"]),
         ([64, 48], [128, 96], [128, 128]), "sizes")
    same((result["first_chunk"]["frames"], result["later_chunk"]["frames"],
          result["later_chunk"]["chunks"]), (21, 16, 2), "frames")
    check(result["frames_per_s"] > 0 and result["memory_bytes"]["peak_resident"] > 0, result)
    stages = sum(value for key, value in result["later_chunk"].items()
                 if key.endswith("_ms") and key not in ("total_ms", "ingest_ms"))
    total = result["later_chunk"]["total_ms"]
    check(0 < stages <= total * 1.2, f"stages of {stages} ms in {total} ms")
    check("frames/s" in fvsr("bench", "-m", MODEL, "-t", 1, "--size", "64x64", "-n", 1), "text")
    fvsr("bench", "-m", tmp / "none", "--size", "64x64", status=2)


def test_backends(tmp):
    names = [entry["name"] for entry in json.loads(fvsr("info", "--backends", "--json"))]
    check("cpu-plain" in names, "backends:", names)
    text = fvsr("info", "--backends")
    check(all(name in text for name in names), "backends as text:", text)


# ---------------------------------------------------------------------------------------------

TESTS = {name[5:]: function for name, function in list(globals().items())
         if name.startswith("test_")}


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
            except Failure as problem:
                print(f"FAIL  {name}: {problem}")
                failed = 1
    return failed


if __name__ == "__main__":
    FVSR = sys.argv[1] if len(sys.argv) > 1 else ""
    # There it is a script that runs it under Wine.
    WINDOWS = FVSR and Path(FVSR).read_bytes()[:2] == b"#!"
    sys.exit(main())
