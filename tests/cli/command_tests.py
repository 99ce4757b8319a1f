# SPDX-License-Identifier: GPL-2.0-or-later
"""The commands and their options, what they print, and that results repeat."""
import json
import os
import re
import subprocess

from support import FVSR, HERE, MODEL, check, same, fvsr, upscale, times, stream, pixels, video


def test_usage(tmp):
    # A build without FFmpeg's libraries has no upscale, and says so.
    upscales = "without FFmpeg" not in fvsr("upscale", status=2)
    words = "upscale" if upscales else "pipe"
    for command in (*(("upscale", "compare") if upscales else ()), "pipe", "verify", "import", "info", "bench"):
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


def test_trunk(tmp):
    """A model of trunks, from its packed file: what is said of it, and that each frame of a live
    pipe comes out before the next one goes in."""
    packed = tmp / "trunk.safetensors"
    fvsr("import", "--name", "Trunks", f"synth:{HERE}/../stream/trunk.json:3", packed)
    info = json.loads(fvsr("info", "--json", "--tensors", packed))
    same(json.loads(info["metadata"]["config"])["trunk_blocks"], [3, 4, 5], "blocks")
    check("trunk.4.head.weight" in (t["name"] for t in info["tensors"]), "tensors")
    result = json.loads(fvsr("bench", "-m", packed, "-t", 1, "--size", "128x96", "--scale", 2,
                             "--chunks", 2, "--json"))
    same(result["canvas_size"], [128, 96], "canvas")
    later = result["later_chunk"]
    same((later["chunks"], later["frames"]), (2, 16), "frames")
    check(later["trunk_ms"] > 0 and later["decoder_ms"] == 0, later)
    text = fvsr("bench", "-m", packed, "-t", 1, "--size", "64x64", "-n", 1)
    check("trunk" in text and "decoder" not in text, text)
    source = video(tmp / "in.mkv", 5, codec="ffv1")
    fvsr("upscale", "-m", packed, "-t", 1, "-s", 3, "--codec", "ffv1", source, tmp / "out.mkv")
    frames = pixels(tmp / "out.mkv")
    check(frames and len(frames) == 9 * len(pixels(source)), "bytes out", len(frames))
    run = subprocess.Popen([FVSR, "pipe", "-m", packed, "-t", "1", "-s", "2", "--raw", "16x16"],
                           stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                           stderr=subprocess.DEVNULL, bufsize=0)
    for shade in range(3):
        run.stdin.write(bytes([shade]) * 16 * 16 * 4)
        got = b""
        while len(got) < 32 * 32 * 4:
            piece = run.stdout.read(32 * 32 * 4 - len(got))
            check(piece, "the pipe ended")
            got += piece
    run.stdin.close()
    same((run.stdout.read(), run.wait()), (b"", 0), "the end")


def test_backends(tmp):
    names = [entry["name"] for entry in json.loads(fvsr("info", "--backends", "--json"))]
    check("cpu-plain" in names, "backends:", names)
    text = fvsr("info", "--backends")
    check(all(name in text for name in names), "backends as text:", text)
