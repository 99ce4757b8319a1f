# SPDX-License-Identifier: GPL-2.0-or-later
"""`fvsr upscale`: every kind of picture, time, colour, and stream that a container holds."""
import json
import struct
import subprocess

from support import (MODEL, check, same, ffmpeg, fvsr, upscale, probe, times, stream, packets_md5,
                     pixels, tagged, video, psnr)


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


def test_deep_and_hdr(tmp):
    source = video(tmp / "deep.mkv", 2, "-pix_fmt", "yuv420p10le", codec="ffv1")
    check("10 bits" in upscale(source, tmp / "out.mkv"), "no word about 10 bits")
    for transfer in ("smpte2084", "arib-std-b67"):
        tags, options = tagged("bt2020nc", "tv", "bt2020", transfer)
        source = video(tmp / "hdr.mkv", 2, "-pix_fmt", "yuv420p10le", *options, codec="ffv1",
                       filters=tags)
        check("HDR" in upscale(source, tmp / "no.mkv", status=1), "no word about HDR")
        check(not (tmp / "no.mkv").exists(), "a refused video left a file")
