# SPDX-License-Identifier: GPL-2.0-or-later
"""Draws boards of desktops: terminals, editors, web pages, chats, overlays and whole screens."""

import os
import random
import re
import sys

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from train.data.board_kit import (CJK, FONTS, Kit, button, hls, icon, menu_bar, mix, noise,
                                  round_box, scroll_bar, shade, status_bar, tool_bar)



# Applications: each returns a picture of w by h ---------------------------------------------------

def terminal(k, w, h):
    """Draws one pane, or as many as a multiplexer would show."""
    im, d = k.canvas(w, h)
    if w < 600:
        return _pane(k, w, h)
    x = w * k.r.choice([45, 50, 55]) // 100
    y = h * k.r.choice([30, 60, 100]) // 100
    im.paste(_pane(k, x - 1, h - k.size - 8), (0, 0))
    im.paste(_pane(k, w - x, y), (x, 0))
    if y < h:
        im.paste(_pane(k, w - x, h - y - 1), (x, y + 1))
    d.line((x - 1, 0, x - 1, h), k.c["accent"])
    d.rectangle((0, h - k.size - 7, w, h), k.c["good"])
    k.text(im, 6, h - k.size - 5,
           f"[{k.talk.pseudo()}] 0:{k.talk.pseudo()}  1:{k.talk.pseudo()}*  2:vim", k.c["back"],
           k.mono)
    return im


def _pane(k, w, h):
    im, d = k.canvas(w, h)
    r, c, t, size = k.r, k.c, k.talk, k.size
    cell, step = k.width("m", k.mono, size), size + r.choice([2, 3, 4, 5])
    cols, y = (w - 12) // cell, 6
    say = lambda x, text, colour, bold=False: k.text(im, x, y, text, c[colour], k.mono, size, bold)
    parts = [_ls, _top, _log, _code, _boxes, _diff]
    while y < h:
        x = say(6, f"{t.pseudo()}@{t.pseudo()}", "good", True)
        x = say(x, ":", "ink")
        x = say(x, "~/" + t.pseudo(), "accent", True)
        say(
            x, "$ " +
            r.choice(["ls -l", "git diff", "top", "make -j8", "tail -f log", "cat " + t.pseudo()]),
            "ink")
        y += step
        for line in r.choice(parts)(k, cols):
            if y > h:
                break
            if line == "box":
                y = _box(k, im, y, cell, step, cols)
                continue
            x = 6
            if line and line[0][1] == "bar":
                d.rectangle((0, y, w, y + step - 1), c["ink"])
                k.text(im, 6, y, line[0][0], c["back"], k.mono, size)
                line = []
            for text, colour in line:
                if x < w:
                    x = say(x, text, colour)
            y += step
    return im


def _ls(k, cols):
    r, t = k.r, k.talk
    for _ in range(r.randint(6, 24)):
        kind = r.choice(["accent", "ink", "ink", "good", "string"])
        mode = ("d" if kind == "accent" else "-") + r.choice(
            ["rwxr-xr-x", "rw-r--r--", "rw-------"])
        yield [(f"{mode} {r.randrange(1, 20):2d} {t.pseudo():8.8s} users {r.randrange(1 << 22):8d} "
                f"Nov {r.randrange(1, 31):2d} {r.randrange(24):02d}:{r.randrange(60):02d} ", "ink"),
               (t.identifier() + r.choice([".c", ".h", ".tar.gz", "/"]), kind)]


def _top(k, cols):
    r, t = k.r, k.talk
    yield [(f"top - {r.randrange(24)}:{r.randrange(60):02d}:07 up "
            f"{r.randrange(99)} days, load {r.random() * 4:.2f}", "ink")]
    yield [("Mem ", "accent"), ("|" * r.randint(5, 30), "good"), ("|" * r.randint(3, 12), "number"),
           (f" {r.random() * 16:.1f}G/16.0G", "dim")]
    yield [("  PID USER      PR  NI    VIRT    RES  %CPU  %MEM     TIME+ COMMAND".ljust(cols),
            "bar")]
    for _ in range(r.randint(8, 26)):
        yield [(f"{r.randrange(99999):5d} ", "number"),
               (f"{t.pseudo():8.8s}  20   0 {r.randrange(1 << 20):7d} "
                f"{r.randrange(1 << 18):6d} {r.random() * 50:5.1f} {r.random() * 9:5.1f} "
                f"{r.randrange(99):4d}:"
                f"{r.randrange(60):02d}.{r.randrange(99):02d} ", "ink"), (t.pseudo(), "name")]


def _log(k, cols):
    r, t = k.r, k.talk
    for i in range(r.randint(8, 30)):
        level = r.choice(["INFO ", "DEBUG", "WARN ", "ERROR", "INFO "])
        yield [(
            f"2026-{r.randrange(1, 13):02d}-{r.randrange(1, 29):02d} {r.randrange(24):02d}:{i:02d}:"
            f"{r.randrange(60):02d}.{r.randrange(999):03d} ", "dim"),
               (level, {"WARN ": "number", "ERROR": "bad"}.get(level, "good")),
               (f" [{t.pseudo()}] ", "type"), (t.words(r.randint(3, 9)), "ink")]


def _code(k, cols):
    indent = 0
    for i in range(k.r.randint(10, 34)):
        indent = max(0, min(4, indent + k.r.choice([-1, 0, 0, 0, 1])))
        yield [(f"{i + 1:4d} ", "dim"), ("  " * indent, "ink")] + k.talk.code()


def _diff(k, cols):
    for _ in range(k.r.randint(8, 24)):
        sign, colour = k.r.choice([("+ ", "good"), ("- ", "bad"), ("  ", "ink")])
        yield [(sign + "  " * k.r.randrange(3) + "".join(s for s, _ in k.talk.code()), colour)]


def _boxes(k, cols):
    yield "box"


def _box(k, im, y, cell, step, cols):
    """Draws a table with lines in the middle of character cells; returns the y below it."""
    r, d, c = k.r, ImageDraw.Draw(im), k.c
    widths = [r.randint(8, 18) for _ in range(max(2, min(5, cols // 16)))]
    rows = r.randint(4, 12)
    edges = [6 + cell // 2 + cell * n for n in np.cumsum([0] + widths)]
    for i, line in enumerate([0, 1, rows + 2]):
        d.line((edges[0], y + line * step + step // 2 + (i > 0) * step // 2, edges[-1],
                y + line * step + step // 2 + (i > 0) * step // 2), c["dim"], r.choice([1, 1, 2]))
    bottom = y + (rows + 2) * step + step // 2 + step // 2
    for x in edges:
        d.line((x, y + step // 2, x, bottom), c["dim"])
    for row in range(rows + 1):
        for x, n in zip(edges, widths):
            text = k.fit(k.talk.word() if row else k.talk.pseudo().upper(), k.mono, k.size,
                         (n - 1) * cell)
            k.text(im, x + cell,
                   y + (row + 1) * step - (row == 0) * step // 3 + (row > 0) * step // 4, text,
                   c[r.choice(["ink", "ink", "number", "string"]) if row else "accent"], k.mono)
    return bottom + step


def editor(k, w, h):
    im, d = k.canvas(w, h)
    r, c, t = k.r, k.c, k.talk
    y = menu_bar(k, im, 0) if r.random() < 0.6 else 0
    side = r.choice([0, 150, 190, 220])
    end = status_bar(k, im, r.random() < 0.5)
    if side:
        _tree(k, im, y, side, end)
    y = _tabs(k, im, side, y)
    size, gutter = k.size, 46
    step = size + r.choice([3, 4, 6, 8])
    cell = k.width("m", k.mono, size)
    d.rectangle((side, y, side + gutter, end - 1), c["panel"])
    picked = r.randint(4, 20)
    first, indent, row = r.randrange(1, 900), 0, 0
    while y + step <= end:
        if picked <= row < picked + 4:
            d.rectangle((side + gutter, y, side + gutter + r.randint(12, 50) * cell, y + step - 1),
                        c["select"])
        if row == picked + 6:
            d.rectangle((side + gutter, y, w, y + step - 1), c["zebra"])
        k.text(im, side + gutter - 8, y + 2, str(first + row), c["dim"], k.mono, size, right=True)
        indent = max(0, min(5, indent + r.choice([-1, 0, 0, 0, 1])))
        x = side + gutter + 8
        for i in range(indent):
            d.line((x + i * 4 * cell, y, x + i * 4 * cell, y + step), c["line"])
        x += indent * 4 * cell
        for text, kind in t.code() if r.random() < 0.9 else []:
            if x < w:
                x = k.text(im, x, y + 2, text, c[kind], k.mono, size, kind == "keyword")
        y, row = y + step, row + 1
    d.rectangle((0, end, 0, end), c["line"])
    scroll_bar(k, im, w - 12, 60, end - 61)
    return im


def _tree(k, im, y, side, end):
    d, c, r = ImageDraw.Draw(im), k.c, k.r
    d.rectangle((0, y, side - 1, end - 1), c["side"])
    k.text(im, 10, y + 6, k.talk.pseudo().upper(), c["dim"], size=max(9, k.size - 2), bold=True)
    y, depth = y + 28, 0
    while y + k.size + 8 < end:
        if r.random() < 0.05:
            d.rectangle((0, y, side - 1, y + k.size + 6), c["select"])
        x = 10 + depth * 14
        d.polygon(((x, y + 5), (x + 6, y + 9), (x, y + 13)), c["dim"])
        icon(k, im, x + 10, y + 3, 14)
        name = k.fit(k.talk.identifier() + r.choice([".c", ".py", "", ".json"]), k.sans, k.size,
                     side - x - 34)
        k.text(im, x + 28, y + 2, name, c["ink"])
        y += k.size + 8
        depth = max(0, min(3, depth + r.choice([-1, 0, 0, 1])))
    d.line((side - 1, 0, side - 1, end - 1), c["line"])


def _tabs(k, im, x, y):
    d, c, h = ImageDraw.Draw(im), k.c, k.size + 16
    d.rectangle((x, y, im.width, y + h), c["side"])
    on = k.r.randrange(3)
    for i in range(5):
        label = k.talk.pseudo() + k.r.choice([".rs", ".c", ".md", ".ts"])
        w = k.width(label, k.sans, k.size) + 40
        if i == on:
            d.rectangle((x, y, x + w, y + h), c["back"])
            d.rectangle((x, y, x + w, y + 1), c["accent"])
        k.text(im, x + 12, y + 7, label, c["ink" if i == on else "dim"])
        d.line((x + w - 17, y + 9, x + w - 11, y + 15), c["dim"])
        d.line((x + w - 17, y + 15, x + w - 11, y + 9), c["dim"])
        x += w
        d.line((x, y, x, y + h), c["line"])
    return y + h + 1


def web_page(k, w, h):
    im, d = k.canvas(w, h)
    r, c, t = k.r, k.c, k.talk
    y = _browser(k, im) if r.random() < 0.6 else 0
    d.rectangle((0, y, w, y + 52), c["accent"])
    k.text(im, 24, y + 12, t.title(2), c["on"], k.serif, 22, True)
    x = w // 2
    for _ in range(4):
        x = k.text(im, x, y + 18, t.pseudo().capitalize(), c["on"]) + 18
    y += 70
    body = k.r.choice([k.serif, k.sans])
    size = r.choice([13, 14, 15, 16, 16, 17]) if k.mode != "bitmap" else k.size
    left, right = (24, w - 24) if w < 600 or r.random() < 0.4 else (24, w - 230)
    if right < w - 100:
        _aside(k, im, right + 24, y, w - 24, h)
    blocks = [_paragraph, _paragraph, _list, _table, _figure, _buttons, _quote]
    while y < h:
        block = r.choice(blocks)
        if r.random() < 0.45:
            big = r.choice([20, 22, 24, 28])
            for line in k.wrap(t.title(r.randint(3, 6)), k.serif, big, right - left, True):
                k.text(im, left, y, line, c["ink"], k.serif, big, True)
                y += big + 6
            d.line((left, y + 2, right, y + 2), c["line"])
            y += 10
        y = block(k, im, left, right, y, body, size) + 14
    return im


def _browser(k, im):
    d, c, w = ImageDraw.Draw(im), k.c, im.width
    y = _tabs(k, im, 0, 0)
    d.rectangle((0, y, w, y + 36), c["panel"])
    for i in range(3):
        icon(k, im, 10 + i * 28, y + 9, 18)
    round_box(im, (98, y + 5, w - 70, y + 31), 13, c["back"], c["line"])
    k.text(im,
           114,
           y + 10,
           k.fit("https://" + k.talk.pseudo() + ".example/" + k.talk.pseudo(), k.sans, 13, w // 2),
           c["dim"],
           size=13)
    d.line((0, y + 36, w, y + 36), c["line"])
    return y + 37


def _aside(k, im, left, y, right, h):
    d, c = ImageDraw.Draw(im), k.c
    while y < h:
        tall = k.r.randint(120, 300)
        round_box(im, (left, y, right, y + tall), 6, c["panel"], c["line"])
        k.text(im, left + 10, y + 8, k.talk.pseudo().capitalize(), c["ink"], bold=True)
        yy = y + 32
        while yy < y + tall - 20:
            d.ellipse((left + 12, yy + 6, left + 15, yy + 9), c["accent"])
            k.text(im, left + 22, yy, k.fit(k.talk.words(4), k.sans, k.size, right - left - 34),
                   c["accent"])
            yy += k.size + 8
        y += tall + 14


def _paragraph(k, im, left, right, y, font, size):
    d, c = ImageDraw.Draw(im), k.c
    text = " ".join(k.talk.sentence() for _ in range(k.r.randint(3, 8)))
    for line in k.wrap(text, font, size, right - left):
        link = k.r.random() < 0.2
        head, _, tail = line.partition(" ")
        x = k.text(im, left, y, head + " ", c["accent" if link else "ink"], font, size)
        if link:
            d.line((left, y + size + 2, x - 4, y + size + 2), c["accent"])
        k.text(im, x, y, tail, c["ink"], font, size)
        y += round(size * 1.45)
    return y


def _list(k, im, left, right, y, font, size):
    d, c = ImageDraw.Draw(im), k.c
    for i in range(k.r.randint(3, 8)):
        if k.r.random() < 0.7:
            d.ellipse((left + 12, y + size // 2, left + 17, y + size // 2 + 5), c["ink"])
        else:
            k.text(im, left + 8, y, f"{i + 1}.", c["dim"], font, size)
        k.text(im, left + 30, y, k.fit(k.talk.sentence(3, 9), font, size, right - left - 30),
               c["ink"], font, size)
        y += round(size * 1.5)
    return y


def _table(k, im, left, right, y, font, size):
    d, c, r = ImageDraw.Draw(im), k.c, k.r
    n, step = r.randint(3, 5), size + r.choice([6, 8, 12])
    wide = (right - left) // n
    lines = r.random() < 0.6
    for row in range(r.randint(5, 14)):
        d.rectangle((left, y, right, y + step - 1), c["side" if row == 0 else
                                                      ("zebra" if row % 2 else "back")])
        for i in range(n):
            text = k.talk.title(1) if row == 0 else (k.talk.number() if i else k.talk.words(2))
            text = k.fit(text, font, size, wide - 14)
            x = left + i * wide + (wide - 8 if i and row else 8)
            k.text(im,
                   x,
                   y + step // 2 - size // 2 - 2,
                   text,
                   c["ink"],
                   font,
                   size,
                   row == 0,
                   right=bool(i and row))
            if lines:
                d.line((left + i * wide, y, left + i * wide, y + step), c["line"])
        if lines:
            d.line((left, y + step - 1, right, y + step - 1), c["line"])
        y += step
    return y


def _figure(k, im, left, right, y, font, size):
    w, h = k.r.randint(120, 220), k.r.randint(90, 150)
    im.paste(k.photo(w, h), (left, y))
    ImageDraw.Draw(im).rectangle((left, y, left + w - 1, y + h - 1), None, k.c["line"])
    end = _paragraph(k, im, left + w + 16, right, y, font, size)
    k.text(im, left, y + h + 4, k.fit(k.talk.words(5), k.sans, 11, w), k.c["dim"], size=11)
    return max(end, y + h + 22)


def _buttons(k, im, left, right, y, font, size):
    x = left
    for i in range(4):
        label = k.talk.pseudo().capitalize()
        if x + k.width(label, k.sans, k.size) + 24 < right:
            x = button(k, im, x, y, label, i == 0)
    return y + k.size + 18


def _quote(k, im, left, right, y, font, size):
    end = y + 10 + (size + 5) * 4
    round_box(im, (left, y, right, end), 4, k.c["panel"])
    ImageDraw.Draw(im).rectangle((left, y, left + 3, end - 1), k.c["accent"])
    for i in range(4):
        x = left + 14
        for text, kind in k.talk.code():
            if x < right - 120:
                x = k.text(im, x, y + 6 + i * (size + 5), k.fit(text, k.mono, k.size, right - x),
                           k.c[kind], k.mono)
    return end


def emote(k, im, x, y, s):
    """Draws a face, a heart or a star."""
    big, n, r = Image.new("RGBA", (s * 4, s * 4)), s * 4, k.r
    d, a = ImageDraw.Draw(big), hls(r.random(), 0.6, 0.85)
    kind = r.randrange(3)
    if kind == 0:
        d.ellipse((2, 2, n - 3, n - 3), a)
        for e in (.3, .6):
            d.ellipse((n * e, n * .3, n * (e + .12), n * .48), (20, 20, 20))
        d.arc((n * .25, n * .35, n * .75, n * .8), 10, 170, (20, 20, 20), n // 12)
    elif kind == 1:
        d.ellipse((0, n * .1, n * .55, n * .6), a)
        d.ellipse((n * .45, n * .1, n - 1, n * .6), a)
        d.polygon(((n * .05, n * .45), (n * .95, n * .45), (n * .5, n * .95)), a)
    else:
        points = [(n / 2 + n / 2 * m * np.sin(i * np.pi / 5),
                   n / 2 - n / 2 * m * np.cos(i * np.pi / 5)) for i, m in enumerate([1, .45] * 5)]
        d.polygon(points, a)
    big = big.resize((s, s), Image.BOX)
    im.paste(big, (int(x), int(y)), big)


def chat(k, w, h):
    im, d = k.canvas(w, h)
    r, c, t = k.r, k.c, k.talk
    side, avatars, bubbles = r.choice([0, 160, 200]), r.random() < 0.7, r.random() < 0.4
    if side:
        _tree(k, im, 0, side, h)
    y, size = 8, k.size + r.choice([0, 0, 1, 2])
    names = [(t.name(), hls(r.random(), 0.68 if c["dark"] else 0.38, r.uniform(0.5, 0.95)))
             for _ in range(12)]
    while y < h:
        name, colour = r.choice(names)
        x = side + 12
        if avatars:
            s = size * 2
            round_box(im, (x, y, x + s, y + s), s // 2, colour)
            k.text(im, x + s // 3, y + s // 4, name[0], c["on"], size=size, bold=True)
            x += s + 10
        lines = list(k.wrap(t.sentence(2, 22), k.sans, size, w - x - 40))
        if bubbles:
            round_box(im, (x - 4, y - 2, w - 16, y + (len(lines) + 1) * (size + 5) + 4), 8,
                      c["panel"])
        end = k.text(im, x + 4, y, name, colour, size=size, bold=True)
        k.text(im,
               end + 8,
               y + 1,
               f"{r.randrange(24)}:{r.randrange(60):02d}",
               c["dim"],
               size=max(9, size - 3))
        y += size + 5
        for line in lines:
            end = k.text(im, x + 4, y, line, c["ink"], size=size)
            y += size + 5
        if r.random() < 0.4:
            for i in range(r.randint(1, 3)):
                emote(k, im, end + 8 + i * (size + 5), y - size - 5, size + 3)
        y += r.choice([4, 8, 10])
    d.rectangle((side, h - 50, w, h), c["side"])
    round_box(im, (side + 10, h - 42, w - 10, h - 10), 8, c["back"], c["line"])
    k.text(im, side + 22, h - 34, t.words(2) + "…", c["dim"])
    return im


def scene(k, w, h):
    """Draws what lies under an overlay: hills by a gradient, or a photograph, often out of
    focus."""
    if k.r.random() < 0.5:
        im = k.photo(min(w, 700), min(h, 460)).resize((w, h), Image.BICUBIC)
        return im.filter(ImageFilter.GaussianBlur(k.r.choice([3, 5, 8])))
    a, b = (hls(k.r.random(), k.r.uniform(0.15, 0.7), 0.5) for _ in range(2))
    im = Image.fromarray(np.uint8(np.linspace(a, b, h)[:, None].repeat(w, 1)))
    d = ImageDraw.Draw(im)
    for i in range(5):
        base, colour = h * (0.4 + i * 0.13), mix(mix(a, b, 0.5), (0, 0, 0), i * 0.17)
        p, q = k.r.uniform(30, 120), k.r.uniform(0, 6)
        points = [(x, base + 30 * np.sin(x / p + q) + 12 * np.sin(x / p * 2.7))
                  for x in range(0, w + 8, 8)]
        d.polygon(points + [(w, h), (0, h)], colour)
        for _ in range(26):
            x, s = k.r.randrange(w), k.r.randint(6, 26)
            y = base + 20 + k.r.randrange(60)
            d.polygon(((x, y - s * 2), (x - s // 2, y), (x + s // 2, y)),
                      mix(colour, (0, 60, 0), 0.4))
    return im


def overlay(k, w, h):
    """Draws two stream pictures with their displays, one over the other."""
    im = Image.new("RGB", (w, h))
    for top in range(0, h, 480):
        im.paste(_stream(k, w, min(480, h - top)), (0, top))
    return im


def _stream(k, w, h):
    r, t = k.r, k.talk
    im = scene(k, w, h)
    parts = [_scores, _bars, _minimap, _chat_box, _scores, _alert]
    spots = [(10, 10), (w - 270, 10), (10, h // 2), (w - 270, h // 2)]
    for spot, part in zip(spots, r.sample(parts, 4)):
        part(k, im, *spot)
    for i in range(2):
        colour = hls(r.random(), r.uniform(0.75, 1), 0.9)
        k.outlined(im, w // 2, h - 34 - i * 40, t.words(4), colour, r.choice([20, 24, 28]),
                   r.random() < 0.4)
    k.outlined(im, w // 2, 30, f"{r.randrange(10)} : {r.randrange(10)}", (255, 255, 255), 28)
    return im


def _scores(k, im, x, y):
    c = k.c
    shade(im, (x, y, x + 260, y + 190), c["back"], 0.85)
    d = ImageDraw.Draw(im)
    d.rectangle((x, y, x + 259, y + 26), c["accent"])
    k.text(im, x + 10, y + 5, k.talk.title(2)[:22], c["on"], size=15, bold=True)
    for i in range(7):
        yy = y + 33 + i * 22
        k.text(im, x + 10, yy, f"{i + 1}", c["dim"], size=14)
        k.text(im, x + 36, yy, k.talk.name()[:14], c["ink"], size=14)
        k.text(im, x + 250, yy, str(k.r.randrange(99999)), c["number"], size=14, right=True)


def _bars(k, im, x, y):
    d = ImageDraw.Draw(im)
    for i, colour in enumerate(((214, 52, 52), (60, 120, 230), (70, 190, 80), (230, 190, 50))):
        yy, v = y + i * 30, k.r.uniform(0.1, 1)
        d.rectangle((x, yy, x + 220, yy + 20), (20, 20, 20), (230, 230, 230))
        d.rectangle((x + 2, yy + 2, x + 2 + 216 * v, yy + 18), colour)
        k.text(im, x + 8, yy + 3, f"{round(v * 100)} / 100", (255, 255, 255), size=13, bold=True)
    for i in range(5):
        d.rectangle((x + i * 44, y + 124, x + i * 44 + 38, y + 162), (40, 40, 46), (190, 190, 190))
        icon(k, im, x + i * 44 + 7, y + 131, 24)
        k.text(im,
               x + i * 44 + 36,
               y + 148,
               str(k.r.randrange(99)), (255, 255, 255),
               size=11,
               right=True)


def _minimap(k, im, x, y):
    r, d = k.r, ImageDraw.Draw(im)
    cells = noise(np.random.default_rng(r.randrange(1 << 30)), 30, 30, 6)
    pal = np.array([hls(r.random(), 0.3 + 0.1 * i, 0.5) for i in range(4)], np.uint8)
    small = Image.fromarray(pal[np.clip((cells * 4).astype(int), 0, 3)]).resize((180, 180),
                                                                                Image.NEAREST)
    im.paste(small, (x, y))
    d.rectangle((x, y, x + 180, y + 180), None, (240, 240, 240))
    for _ in range(12):
        u, v = x + r.randrange(6, 174), y + r.randrange(6, 174)
        d.rectangle((u, v, u + 3, v + 3), r.choice([(255, 40, 40), (60, 255, 60), (255, 255, 60)]))
    d.rectangle((x + 60, y + 50, x + 120, y + 90), None, (255, 255, 255))


def _chat_box(k, im, x, y):
    shade(im, (x, y, x + 260, y + 200), (10, 10, 16), 0.7)
    for i in range(9):
        end = k.text(im,
                     x + 8,
                     y + 6 + i * 21,
                     k.talk.name() + ": ",
                     hls(k.r.random(), 0.7, 0.8),
                     size=13,
                     bold=True)
        k.text(im,
               end,
               y + 6 + i * 21,
               k.fit(k.talk.words(3), k.sans, 13, x + 254 - end), (235, 235, 235),
               size=13)


def _alert(k, im, x, y):
    round_box(im, (x, y, x + 250, y + 70), 10, k.c["accent"])
    emote(k, im, x + 12, y + 16, 38)
    k.text(im, x + 62, y + 14, k.talk.name(), k.c["on"], size=18, bold=True)
    k.text(im, x + 62, y + 40, k.fit(k.talk.words(3), k.sans, 13, 180), k.c["on"], size=13)


def spreadsheet(k, w, h):
    im, d = k.canvas(w, h)
    r, c, t = k.r, k.c, k.talk
    y = tool_bar(k, im, menu_bar(k, im, 0))
    k.text(im, 8, y + 5, f"B{r.randrange(99)}   =SUM(C{r.randrange(9)}:C{r.randrange(10, 99)})",
           c["ink"], k.mono)
    y += k.size + 14
    step, first = k.size + r.choice([6, 8]), r.randrange(200)
    widths = [r.randint(60, 150) for _ in range(16)]
    kinds = [r.choice(["words", "number", "money", "date"]) for _ in widths]
    d.rectangle((0, y, w, y + step - 1), c["side"])
    d.rectangle((0, y, 42, h), c["side"])
    xs = np.cumsum([43] + widths)
    for i, x in enumerate(xs[:-1]):
        k.text(im, x + widths[i] // 2 - 4, y + 3, chr(65 + i), c["dim"])
        d.line((x, y, x, h), c["line"])
    fills = [(r.randrange(8), r.randrange(40), hls(r.random(), 0.25 if c["dark"] else 0.85, 0.5))
             for _ in range(14)]
    row, y = 0, y + step
    while y < h:
        k.text(im, 36, y + 3, str(first + row), c["dim"], right=True)
        for i, x in enumerate(xs[:-1]):
            if x > w:
                break
            for column, start, fill in fills:
                if column == i and start <= row < start + 5:
                    d.rectangle((x + 1, y, x + widths[i] - 1, y + step), fill)
            if r.random() < 0.12:
                continue
            text = {
                "words": t.words(2), "number": str(r.randrange(9999)), "money":
                f"{r.randrange(1 << 16) / 100:,.2f}", "date":
                f"{r.randrange(2000, 2027)}-{r.randrange(1, 13):02d}-{r.randrange(1, 29):02d}"
            }[kinds[i]]
            text = k.fit(text, k.sans, k.size, widths[i] - 8)
            numeric = kinds[i] != "words"
            k.text(im, x + (widths[i] - 4 if numeric else 4), y + 3, text,
                   c["bad" if kinds[i] == "money" and r.random() < 0.2 else "ink"], right=numeric)
        d.line((0, y, w, y), c["line"])
        y, row = y + step, row + 1
    x, top = int(xs[r.randrange(3)]), h // 3 // step * step
    d.rectangle((x, top, x + widths[0], top + step), None, c["accent"], 2)
    status_bar(k, im)
    return im


def files(k, w, h):
    im, d = k.canvas(w, h)
    r, c, t = k.r, k.c, k.talk
    y = tool_bar(k, im, menu_bar(k, im, 0, "File Edit View Go Bookmarks Help"), 22)
    side, end = 170, status_bar(k, im)
    _tree(k, im, y, side, end)
    if w < 560 or r.random() < 0.5:
        for yy in range(y + 12, end - 84, 92):
            for x in range(side + 14, w - 80, 96):
                icon(k, im, x + 20, yy, 48)
                name = k.fit(t.identifier(), k.sans, k.size, 88)
                k.text(im, x + 44 - k.width(name, k.sans, k.size) // 2, yy + 54, name, c["ink"])
        return im
    step, xs = k.size + r.choice([7, 9, 12]), [side + 10, side + (w - side) // 2, w - 190, w - 20]
    for x, label in zip(xs, ("Name", "Type", "Size", "")):
        k.text(im, x, y + 5, label, c["dim"], bold=True)
    y += step + 4
    d.line((side, y - 2, w, y - 2), c["line"])
    row = 0
    while y + step < end:
        picked = r.random() < 0.08
        d.rectangle((side, y, w, y + step - 1), c["select" if picked else
                                                  ("zebra" if row % 2 else "back")])
        icon(k, im, xs[0], y + 3, step - 6)
        k.text(
            im, xs[0] + step, y + 3,
            k.fit(t.identifier() + r.choice([".png", ".txt", ".odt", ""]), k.sans, k.size,
                  xs[1] - xs[0] - step - 8), c["ink"])
        k.text(im, xs[1], y + 3,
               r.choice(["Folder", "PNG image", "Text", "Archive", "Видео" if t.wide else "Vidéo"]),
               c["dim"])
        k.text(im,
               xs[2] + 60,
               y + 3,
               f"{r.random() * 900:.1f} {r.choice(['kB', 'MB'])}",
               c["dim"],
               right=True)
        k.text(im,
               xs[3],
               y + 3,
               f"{r.randrange(1, 29)}.{r.randrange(1, 13)}.2026",
               c["dim"],
               right=True)
        y, row = y + step, row + 1
    return im


def dialog(k, w, h):
    im, d = k.canvas(w, h, "panel")
    r, c, t = k.r, k.c, k.talk
    y = 14
    while y < h - 60:
        kind, x = r.randrange(5), 18
        label = k.fit(t.words(r.randint(2, 5)), k.sans, k.size, w - 60)
        if kind < 2:
            box = (x, y + 2, x + 14, y + 16)
            on = r.random() < 0.5
            round_box(im, box, 7 if kind else 2, c["accent"] if on else c["back"], c["line"])
            if on and kind == 0:
                d.line((x + 3, y + 9, x + 6, y + 12, x + 11, y + 5), c["on"], 2)
            elif on:
                d.ellipse((x + 5, y + 7, x + 8, y + 10), c["on"])
            k.text(im, x + 22, y, label, c["ink"])
        elif kind == 2:
            d.rectangle((x, y, w - 18, y + k.size + 8), c["back"], c["line"])
            k.text(im, x + 6, y + 4, label, c["ink"])
        elif kind == 3:
            k.text(im, x, y, label, c["ink"], bold=True)
        else:
            v = x + (w - 36) * r.uniform(0.1, 0.9)
            d.rectangle((x, y + 8, w - 18, y + 10), c["line"])
            d.rectangle((x, y + 8, v, y + 10), c["accent"])
            round_box(im, (v - 7, y + 2, v + 7, y + 16), 7, c["back"], c["accent"])
        y += k.size + r.choice([12, 14, 18])
    x = button(k, im, 18, h - k.size - 26, "OK", True)
    x = button(k, im, x, h - k.size - 26, r.choice(["Cancel", "Abbrechen", "Annuler", "Cancelar"]))
    return im


def framed(k, inner, focus=True):
    """Draws a window: title bar, border, buttons."""
    c, h, w = k.c, k.size + k.r.choice([10, 14, 18]), inner.width + 2
    im = Image.new("RGB", (w, inner.height + h + 1), c["line"])
    bar = c["accent"] if focus and k.r.random() < 0.4 else c["side"]
    ink = c["on"] if bar == c["accent"] else c["ink"]
    ImageDraw.Draw(im).rectangle((1, 1, w - 2, h - 1), bar)
    title = k.fit(k.talk.title(3), k.sans, k.size, w - 130)
    x = 10 if k.r.random() < 0.5 else (w - k.width(title, k.sans, k.size)) // 2
    k.text(im, x, h // 2 - k.size // 2 - 2, title, ink, bold=True)
    _window_buttons(k, im, w, h, ink)
    im.paste(inner, (1, h))
    return im


def _window_buttons(k, im, w, h, ink):
    d, x, y = ImageDraw.Draw(im), w - 20, h // 2
    if k.r.random() < 0.4:
        for i, colour in enumerate(((237, 90, 80), (240, 190, 70), (90, 200, 90))):
            round_box(im, (x - i * 20 - 6, y - 6, x - i * 20 + 6, y + 6), 6, colour)
        return
    d.line((x - 4, y - 4, x + 4, y + 4), ink)
    d.line((x - 4, y + 4, x + 4, y - 4), ink)
    d.rectangle((x - 28, y - 4, x - 20, y + 4), None, ink)
    d.line((x - 50, y + 4, x - 42, y + 4), ink)


def put_window(k, im, window, x, y, radius):
    """Lays a window down with a soft shadow and rounded corners."""
    pad = 24
    dark = Image.new("L", (window.width + 2 * pad, window.height + 2 * pad))
    dark.paste(110, (pad, pad, pad + window.width, pad + window.height))
    im.paste((0, 0, 0), (x - pad, y - pad + 6), dark.filter(ImageFilter.GaussianBlur(9)))
    m = Image.new("L", (window.width * 4, window.height * 4))
    ImageDraw.Draw(m).rounded_rectangle((0, 0, m.width, m.height), radius * 4, 255)
    im.paste(window, (x, y), m.resize(window.size, Image.BOX))


def desktop(k, w, h):
    """Draws windows over a wallpaper, with a panel."""
    r, apps = k.r, [terminal, editor, web_page, chat, files, spreadsheet, dialog]
    r.shuffle(apps)
    im = scene(k, w, h) if r.random() < 0.5 else _gradient(k, w, h)
    for i in range(8):
        icon(k, im, 20, 20 + i * 84, 40)
        name = k.talk.pseudo()
        k.text(im, 41 - k.width(name, k.sans, 11) // 2, 64 + i * 84, name, (0, 0, 0), size=11)
        k.text(im, 40 - k.width(name, k.sans, 11) // 2, 63 + i * 84, name, (255, 255, 255), size=11)
    radius = r.choice([0, 0, 4, 8])
    other = Kit(random.Random(r.randrange(1 << 30)), r.random() < 0.5, k.mode, k.photos)
    for i in range(r.randint(5, 7)):
        use = k if r.random() < 0.6 else other
        ww, hh = r.randint(w * 2 // 5, w * 3 // 4), r.randint(h // 5, h * 2 // 5)
        app = apps[i]
        if app is dialog:
            ww, hh = r.randint(260, 380), r.randint(220, 360)
        window = framed(use, app(use, ww, hh), i > 3)
        y = min(h - 90 - hh, i * h // 7 + r.randrange(60))
        put_window(k, im, window, r.randint(70 if i % 2 else w // 8, max(80, w - ww)), max(6, y),
                   radius)
    k.used |= other.used
    k.credit |= other.credit
    _panel(k, im)
    return im


def _gradient(k, w, h):
    a, b = (np.array(hls(k.r.random(), k.r.uniform(0.15, 0.75), 0.5)) for _ in range(2))
    t = (np.linspace(0, 1, h)[:, None] + np.linspace(0, 1, w)[None]) / 2
    return Image.fromarray(np.uint8(a + (b - a) * t[..., None]))


def _panel(k, im):
    d, c, w, h = ImageDraw.Draw(im), k.c, im.width, im.height
    d.rectangle((0, h - 34, w, h), c["side"])
    d.line((0, h - 34, w, h - 34), c["line"])
    x = 8
    for i in range(4):
        icon(k, im, x, h - 28, 22)
        x += 32
    while x < w - 260:
        round_box(im, (x, h - 30, x + 130, h - 4), 4, c["panel"], c["line"])
        icon(k, im, x + 6, h - 25, 16)
        k.text(im, x + 28, h - 25, k.fit(k.talk.title(2), k.sans, k.size, 96), c["ink"])
        x += 136
    k.text(im,
           w - 10,
           h - 25,
           f"{k.r.randrange(24)}:{k.r.randrange(60):02d}  24.11.",
           c["ink"],
           right=True)


DRAWN = [("terminal", terminal, 10, "drawn text: a terminal with coloured output"),
         ("editor", editor, 10, "drawn text: a code editor"),
         ("web", web_page, 11, "drawn text: a web page"),
         ("chat", chat, 6, "drawn text: a chat window"),
         ("stream", overlay, 5, "drawn text: stream overlays, captions, score boards, HUDs"),
         ("sheet", spreadsheet, 4, "drawn text: a desktop spreadsheet"),
         ("files", files, 4, "drawn text: a desktop file manager"),
         ("desktop", desktop, 7, "drawn text: a desktop with windows")]
MODES = ["hinted", "soft", "bitmap", "soft", "hinted", "rgb", "hinted", "soft", "mono", "soft"]


def free_photos():
    """Returns (path, credit) of the photographs that web pages and chats show: those that are CC0
    or in the public domain among the clips in the folder that FVSR_TEST_DATA names."""
    found = []
    clips = os.path.join(os.environ.get("FVSR_TEST_DATA", ""), "clips")
    if not os.path.exists(os.path.join(clips, "MANIFEST.md")):
        sys.exit("The boards show photographs: FVSR_TEST_DATA must name a folder with "
                 "clips/MANIFEST.md (docs/testing.md).")
    with open(os.path.join(clips, "MANIFEST.md"), encoding="utf-8") as lines:
        for line in lines:
            cells = [c.strip() for c in line.strip().strip("|").split("|")]
            name = cells[0].strip("`")
            path = os.path.join(clips, name)
            if name.startswith("train/photo/") and os.path.exists(path) and re.search(
                    r"CC0|public domain", " ".join(cells[3:4])):
                found.append((path, os.path.basename(name)))
    if not found:
        sys.exit(f"{clips}/MANIFEST.md names no photograph in train/photo that is free")
    return sorted(found)


def drawn_boards(seed):
    """Yields (name, picture, shows, packages, licence, attribution) of the drawn boards."""
    photos, n = free_photos(), 0
    for kind, draw, count, shows in DRAWN:
        for i in range(count):
            r = random.Random(f"{seed} {kind} {i}")
            mode = MODES[n * 3 % 10] if kind != "stream" else r.choice(["hinted", "soft"])
            k = Kit(r, i % 2 == 1, mode, photos)
            w, h = r.randrange(704, 897, 16), r.randrange(960, 1361, 16)
            if kind in ("stream", "desktop"):
                w, h = r.randrange(704, 833, 16), 960
            elif mode == "rgb":
                w, h = 704, 960
            im = draw(k, w, h)
            fonts = [CJK[:2] if f == "cjk" else FONTS[f][:2] for f in sorted(k.used)]
            licence = ("GPL-2.0-or-later (own text and drawing; fonts: "
                       + ", ".join(sorted({f"{a} {b}" for a, b in fonts}))
                       + "; /usr/share/doc/*/copyright)")
            if k.credit:
                licence += "; CC0 / public domain photos: " + ", ".join(sorted(k.credit))
            look = f"{shows}, {'dark' if i % 2 else 'light'}, {mode}"
            yield f"{kind}_{i:02d}", im, look, sorted({f[0]
                                                       for f in fonts
                                                       }), licence, "obs-flashvsr contributors"
            n += 1
