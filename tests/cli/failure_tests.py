# SPDX-License-Identifier: GPL-2.0-or-later
"""What goes wrong in `fvsr upscale`: inputs, outputs, disks, memory, and interruptions."""
import os
import re
import resource
import signal
import subprocess
import time

from support import (FVSR, MODEL, check, same, ffmpeg, fvsr, upscale, probe, times, video, held,
                     wait_until_idle)


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
