# SPDX-License-Identifier: GPL-2.0-or-later
"""`fvsr pipe`: raw video and YUV4MPEG2, what is kept of a file, and who else writes to it."""
import json
import os
import resource
import shutil
import signal
import subprocess

from support import (FVSR, HERE, MODEL, WINDOWS, check, same, ffmpeg, fvsr, psnr, held,
                     wait_until_idle)


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
