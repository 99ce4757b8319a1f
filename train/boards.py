#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Draws still pictures of desktops and 2-D games, which training sets in motion itself, because
text, user interfaces and pixel art are what recordings have too few kinds of.

    train/boards.py OUT [--seed N] [--debs DIR]

makes OUT/NAME.png and OUT/MANIFEST.md. Drawn boards: terminals, editors, web pages, chats, stream
overlays, spreadsheets, file managers and desktops with windows, each in other colours and fonts;
half are light. Game boards: maps and levels put together from the pictures of Debian's packages at
their own size. DIR keeps the packages (480 MB); without it they are deleted again.

The fonts, games and pictures of the evaluation clips (record.sh, eval/) are not used. The same
seed, fonts and packages give the same boards; needs numpy, Pillow and Debian 12's apt-get.
"""

import argparse
import colorsys
import functools
import glob
import os
import random
import re
import struct
import subprocess
import tempfile
import zlib

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

HERE = os.path.dirname(os.path.abspath(__file__))
PHOTOS = os.path.join(HERE, "..", "..", "shared", "clips")

# name: (package, licence, regular, bold, whether it has Cyrillic and Greek); below these folders.
TRUETYPE, OPENTYPE, X11 = (f"/usr/share/fonts/{d}/" for d in ("truetype", "opentype", "X11/misc"))
RB = TRUETYPE + "roboto/unhinted/Roboto"
SANS = {
    "Roboto": ("fonts-roboto-unhinted", "Apache-2.0", RB + "TTF/Roboto-Regular.ttf",
               RB + "TTF/Roboto-Bold.ttf", 1),
    "Roboto Condensed": ("fonts-roboto-unhinted", "Apache-2.0", RB + "Condensed-Regular.ttf",
                         RB + "Condensed-Bold.ttf", 1),
    "Lato": ("fonts-lato", "OFL-1.1", TRUETYPE + "lato/Lato-Regular.ttf",
             TRUETYPE + "lato/Lato-Bold.ttf", 0),
    "Cantarell": ("fonts-cantarell", "OFL-1.1", OPENTYPE + "cantarell/Cantarell-Regular.otf",
                  OPENTYPE + "cantarell/Cantarell-Bold.otf", 0),
    "Quicksand": ("fonts-quicksand", "OFL-1.1", TRUETYPE + "quicksand/Quicksand-Medium.ttf",
                  TRUETYPE + "quicksand/Quicksand-Bold.ttf", 0),
    "Carlito": ("fonts-crosextra-carlito", "OFL-1.1", TRUETYPE + "crosextra/Carlito-Regular.ttf",
                TRUETYPE + "crosextra/Carlito-Bold.ttf", 1),
    "Inter": ("fonts-inter", "OFL-1.1", OPENTYPE + "inter/Inter-Regular.otf",
              OPENTYPE + "inter/Inter-Bold.otf", 1),
    "Go": ("fonts-go", "BSD-3-clause", "/usr/share/fonts/fonts-go/Go-Regular.ttf",
           "/usr/share/fonts/fonts-go/Go-Bold.ttf", 1),
    "Play": ("fonts-play", "OFL-1.1", TRUETYPE + "play/Play-Regular.ttf",
             TRUETYPE + "play/Play-Bold.ttf", 1),
    "B612": ("fonts-b612", "OFL-1.1", OPENTYPE + "b612/B612-Regular.otf",
             OPENTYPE + "b612/B612-Bold.otf", 0),
    "Oxygen": ("fonts-oxygen", "OFL-1.1", TRUETYPE + "oxygen/Oxygen-Sans.ttf",
               TRUETYPE + "oxygen/Oxygen-Sans-Bold.ttf", 0)}
SERIF = {
    "EB Garamond": ("fonts-ebgaramond", "OFL-1.1", OPENTYPE + "ebgaramond/EBGaramond12-Regular.otf",
                    OPENTYPE + "ebgaramond/EBGaramond12-Regular.otf", 1),
    "Vollkorn": ("fonts-vollkorn", "OFL-1.1", TRUETYPE + "vollkorn/Vollkorn-Regular.ttf",
                 TRUETYPE + "vollkorn/Vollkorn-Bold.ttf", 1),
    "Courier Prime": ("fonts-courier-prime", "OFL-1.1",
                      OPENTYPE + "courier-prime/Courier Prime.otf",
                      OPENTYPE + "courier-prime/Courier Prime Bold.otf", 0)}
MONO = {
    "Fira Code": ("fonts-firacode", "OFL-1.1", TRUETYPE + "firacode/FiraCode-Regular.ttf",
                  TRUETYPE + "firacode/FiraCode-Bold.ttf", 1),
    "JetBrains Mono": ("fonts-jetbrains-mono", "Apache-2.0",
                       TRUETYPE + "jetbrains-mono/JetBrainsMono-Regular.ttf",
                       TRUETYPE + "jetbrains-mono/JetBrainsMono-Bold.ttf", 1),
    "Inconsolata": ("fonts-inconsolata", "OFL-1.0", TRUETYPE + "inconsolata/Inconsolata.otf",
                    TRUETYPE + "inconsolata/Inconsolata.otf", 0),
    "Hack": ("fonts-hack", "Expat, Bitstream Vera", TRUETYPE + "hack/Hack-Regular.ttf",
             TRUETYPE + "hack/Hack-Bold.ttf", 1),
    "mononoki": ("fonts-mononoki", "OFL-1.1", TRUETYPE + "mononoki/mononoki-Regular.ttf",
                 TRUETYPE + "mononoki/mononoki-Bold.ttf", 0),
    "Go Mono": ("fonts-go", "BSD-3-clause", "/usr/share/fonts/fonts-go/Go-Mono.ttf",
                "/usr/share/fonts/fonts-go/Go-Mono-Bold.ttf", 1),
    "B612 Mono": ("fonts-b612", "OFL-1.1", OPENTYPE + "b612/B612Mono-Regular.otf",
                  OPENTYPE + "b612/B612Mono-Bold.otf", 0),
    "Oxygen Mono": ("fonts-oxygen", "OFL-1.1", TRUETYPE + "oxygen/OxygenMono-Regular.ttf",
                    TRUETYPE + "oxygen/OxygenMono-Regular.ttf", 0)}
# Bitmaps have the sizes they have: (..., sizes).
BITMAP = {
    "Terminus": ("fonts-terminus-otb", "OFL-1.1", OPENTYPE + "terminus/terminus-normal.otb",
                 OPENTYPE + "terminus/terminus-bold.otb", 1, (12, 14, 16, 18, 20)),
    "Misc Fixed 6x13": ("xfonts-base", "public domain", X11 + "6x13.pcf.gz", X11 + "6x13B.pcf.gz",
                        1, (13,)),
    "Misc Fixed 7x13": ("xfonts-base", "public domain", X11 + "7x13.pcf.gz", X11 + "7x13B.pcf.gz",
                        1, (13,)),
    "Misc Fixed 9x15": ("xfonts-base", "public domain", X11 + "9x15.pcf.gz", X11 + "9x15B.pcf.gz",
                        1, (15,)),
    "Unifont": ("fonts-unifont", "GPL-2+ with font exception", OPENTYPE + "unifont/unifont.otf",
                OPENTYPE + "unifont/unifont.otf", 1, (16,))}
CJK = ("fonts-wqy-microhei", "Apache-2.0", TRUETYPE + "wqy/wqy-microhei.ttc")
FONTS = {**SANS, **SERIF, **MONO, **BITMAP}

ENGLISH = """the of and to in is that for it as was with be by on not he his but at are this have
from or had an they which one you were her all she there would their we him been has when who will
more no if out so said what up its about into than them can only other new some could time these
two may then do first any my now such like our over man me even most made after also did many
before must through back years where much your way well down should because each just those people
how too little state good very make world still own see men work long get here between both life
being under never day same another know while last might us great old year off come since against
go came right used take three window signal harbour engine paper copper river morning quiet valley
garden lantern""".split()
GERMAN = """der die und über größer Straße schön für später Übung müssen fährt Köln heißt Grüße
ändern möglich früh Schlüssel Tür wählen Größe zurück Menü öffnen schließen""".split()
FRENCH = """le été déjà où très château leçon être même après fenêtre côté voilà français garçon
hôtel préférences réglages éditer créer fermer à propos""".split()
SPANISH = """el año mañana español niño también después corazón canción está aquí sesión más señal
archivo edición configuración ¿dónde? ¡vamos!""".split()
CYRILLIC = """привет окно файл правка вид мир город река утро новый время слово почему сервер ошибка
строка поиск""".split()
GREEK = """καλημέρα κόσμε αρχείο παράθυρο θάλασσα λόγος πόλη σήμερα νερό φως""".split()
ASIAN = """文件 編集 表示 你好世界 今日は天気 設定 東京駅 検索 开始 保存 新建窗口 北京时间 안녕하세요 서울
파일 ありがとう ゲーム 配信中 こんにちは すごい 了解 风景 漢字かな交じり文 미안해""".split()
SYLLABLES = """ba ko ri ten sol mar vi lo dra ne pu chi ar el on us qua fen wy jo zi gra hu my
tor""".split()
KEYWORDS = """if else for while return const static struct def class import let fn match case
void""".split()


# Text ---------------------------------------------------------------------------------------------

class Talk:
    """Made-up words, sentences, names and numbers."""

    def __init__(self, rng, wide):
        self.r, self.wide = rng, wide

    def pseudo(self):
        return "".join(self.r.choice(SYLLABLES) for _ in range(self.r.randint(2, 3)))

    def word(self):
        p = self.r.random()
        if p < 0.7:
            return self.r.choice(ENGLISH)
        if p < 0.83:
            return self.pseudo()
        if p < 0.88:
            return self.number()
        foreign = [GERMAN, FRENCH, SPANISH, ASIAN] + ([CYRILLIC, GREEK] if self.wide else [])
        return self.r.choice(self.r.choice(foreign))

    def words(self, n):
        return " ".join(self.word() for _ in range(n))

    def sentence(self, low=5, high=16):
        text = self.words(self.r.randint(low, high))
        if self.r.random() < 0.3:
            text = text.replace(" ", ", ", 1)
        return text[:1].upper() + text[1:] + self.r.choice("...?!:" if self.r.random() <
                                                           0.3 else ".")

    def title(self, n=3):
        return " ".join(w[:1].upper() + w[1:] for w in self.words(n).split())

    def name(self):
        return self.pseudo().capitalize() + self.r.choice(
            ["", "", "_x", str(self.r.randrange(99)), "TV"])

    def number(self):
        r = self.r
        return r.choice([
            str(r.randrange(100)),
            str(r.randrange(99999)), f"{r.random() * 100:.1f}",
            f"{r.randrange(24)}:{r.randrange(60):02d}", f"{r.randrange(1, 99)}%",
            f"{r.randrange(1, 999):,d}.{r.randrange(100):02d}", f"0x{r.randrange(1 << 24):06x}"
        ])

    def identifier(self):
        a, b = self.r.choice(ENGLISH), self.pseudo()
        return self.r.choice([a + "_" + b, a + b.capitalize(), b, (a + "_" + b).upper(), a])

    def path(self):
        r = self.r
        return r.choice(["/usr/lib/", "~/", "src/", "C:\\", "./", "https://"]) + "/".join(
            self.pseudo()
            for _ in range(r.randint(1, 3))) + r.choice([".c", ".py", ".png", ".md", ""])

    def code(self):
        """A line of code as (text, kind) pairs."""
        r, i = self.r, self.identifier
        number = lambda: (r.choice([str(r.randrange(512)), f"{r.random():.3f}", "0xff"]), "number")
        text = lambda: ('"' + self.words(r.randint(1, 4)) + '"', "string")
        value = lambda: r.choice([number, text, lambda: (i(), "ink"), number])()
        p = r.random()
        if p < 0.12:
            return [(r.choice(["// ", "# ", "/* "]) + self.words(r.randint(3, 9)), "comment")]
        if p < 0.37:
            return [(r.choice(KEYWORDS), "keyword"), (" " + i(), "ink"),
                    (r.choice([" = ", " += "]), "dim"),
                    value(), (";", "dim")]
        if p < 0.62:
            return [(i(), "ink"), (r.choice([".", "->", "::"]), "dim"), (i(), "name"), ("(", "dim"),
                    value(), (", ", "dim"),
                    value(), (r.choice([");", ")"]), "dim")]
        if p < 0.8:
            return [(r.choice(["if", "while", "for", "match"]), "keyword"), (" (", "dim"),
                    (i(), "ink"), (r.choice([" == ", " < ", " >= ", " != "]), "dim"),
                    value(), (") {", "dim")]
        if p < 0.9:
            return [(r.choice(["int", "float", "char *", "u32", "auto", "Vec<f32>"]), "type"),
                    (" ", "ink"), (i(), "name"), ("(", "dim"), (i(), "ink"), (", ", "dim"),
                    (i(), "ink"), (")", "dim")]
        return [(r.choice(["}", "return", "break", "pass", "});"]), "keyword")]


# Colours and type ---------------------------------------------------------------------------------

def hls(h, l, s):
    return tuple(round(255 * v) for v in colorsys.hls_to_rgb(h % 1, min(1, max(0, l)), s))


def mix(a, b, t):
    return tuple(round(x + (y - x) * t) for x, y in zip(a, b))


def theme(r, dark):
    """Colours by name."""
    h, s = r.random(), r.choice([0, 0.05, 0.15, 0.35]) + r.random() * 0.1
    base = r.uniform(0.02, 0.2) if dark else r.choice([1.0, 1.0, 0.97, r.uniform(0.86, 0.97)])
    far = r.uniform(0.78, 1) if dark else r.uniform(0, 0.25)
    way = 1 if dark else -1
    c = {"back": hls(h, base, s if base < 1 else 0), "panel": hls(h, base + way * 0.05, s),
         "side": hls(h, base + way * 0.09, s * 1.1), "line": hls(h, base + way * 0.17, s),
         "ink": hls(h + 0.5 * r.random(), far, s * 0.5)}
    c["dim"] = mix(c["ink"], c["back"], r.uniform(0.35, 0.5))
    c["zebra"] = mix(c["back"], c["ink"], 0.05)
    light, hue = (0.66 if dark else 0.36), r.random()
    for i, key in enumerate(
        ["accent", "keyword", "string", "number", "name", "type", "good", "bad"]):
        c[key] = hls(hue + i * 0.137 + r.uniform(-0.03, 0.03), light + r.uniform(-0.08, 0.08),
                     r.uniform(0.45, 0.95))
    c["comment"] = mix(c["dim"], c["good"], 0.3)
    c["select"] = mix(c["back"], c["accent"], r.uniform(0.2, 0.4))
    c["on"] = (255, 255, 255) if sum(c["accent"]) < 420 else (10, 10, 10)
    c["dark"] = dark
    return c


class Kit:
    """What one board is drawn with: colours, fonts, antialiasing, words."""

    def __init__(self, r, dark, mode, photos):
        self.r, self.c, self.mode, self.photos = r, theme(r, dark), mode, photos
        sets = [BITMAP, BITMAP] if mode == "bitmap" else [MONO, SANS]
        self.mono, self.sans = (r.choice(sorted(s)) for s in sets)
        self.serif = self.sans if mode == "bitmap" else r.choice(sorted(SERIF) + [self.sans] * 2)
        self.size = r.choice([11, 12, 12, 13, 13, 13, 14, 14, 15, 16])
        self.talk = Talk(r, all(FONTS[f][4] for f in (self.mono, self.sans, self.serif)))
        self.used, self.credit, self.cache = set(), set(), {}

    def font(self, name, size, bold=False, times=1):
        entry = FONTS[name]
        if name in BITMAP:
            size = min(entry[5], key=lambda s: abs(s - size))
        key = (name, size * times, bold)
        if key not in self.cache:
            self.cache[key] = ImageFont.truetype(entry[3 if bold else 2], size * times)
        self.used.add(name)
        return self.cache[key]

    def asian(self, size, times=1):
        if ("cjk", size * times) not in self.cache:
            self.cache["cjk", size * times] = ImageFont.truetype(CJK[2], size * times)
        self.used.add("cjk")
        return self.cache["cjk", size * times]

    def runs(self, text, name, size, bold, times=1):
        for part in re.findall("[\u2e80-\uffff]+|[^\u2e80-\uffff]+", text):
            wide = part[0] >= "\u2e80"
            yield part, self.asian(size, times) if wide else self.font(name, size, bold, times)

    def width(self, text, name, size, bold=False):
        return round(sum(f.getlength(t) for t, f in self.runs(text, name, size, bold)))

    def mask(self, text, font, times, w, h, down):
        im = Image.new("L", (w * times, h * times))
        d = ImageDraw.Draw(im)
        d.fontmode = "1" if self.mode in ("mono", "bitmap") else "L"
        d.text((2 * times, down * times), text, font=font, fill=255, anchor="ls")
        return im

    def text(self, im, x, y, text, colour, name=None, size=None, bold=False, right=False):
        """Draws with the top of the line at y; returns where the text ends."""
        name, size = name or self.sans, size or self.size
        times = {"soft": 4, "rgb": 3}.get(self.mode, 1) if name not in BITMAP else 1
        if right:
            x -= self.width(text, name, size, bold)
        for part, font in self.runs(text, name, size, bold, times):
            advance = font.getlength(part) / times
            w, h, base = int(advance) + size + 4, size * 2, round(size * 1.1)
            mask = self.mask(part, font, times, w, h, base)
            box = (round(x) - 2, round(y) - max(1, size // 8))
            if times == 3:
                self.fringe(im, mask, box, colour)
            else:
                mask = mask.resize((w, h), Image.BOX) if times > 1 else mask
                mask = mask.point(lambda v: (v + 8) // 17 * 17)
                im.paste(colour, box, mask)
            x += advance
        return x

    @staticmethod
    def fringe(im, mask, box, colour):
        """Subpixels: a mask of three times the width, filtered, a third of it for each colour."""
        w, h = mask.width // 3, mask.height // 3
        m = np.asarray(mask.resize((mask.width, h), Image.BOX), np.float32)
        m = np.pad(m, ((0, 0), (2, 2)))
        m = sum(k * m[:, i:i + 3 * w] for i, k in enumerate((1 / 9, 2 / 9, 3 / 9, 2 / 9, 1 / 9)))
        a = m.reshape(h, w, 3) / 255
        under = np.asarray(im.crop((*box, box[0] + w, box[1] + h)), np.float32)
        mixed = under + (np.array(colour[:3]) - under) * a
        im.paste(Image.fromarray(np.uint8(mixed + 0.5)), box)

    def outlined(self, im, x, y, text, colour, size, shadow=False):
        """A caption with a border or a shadow, centred at x."""
        font = self.font("Roboto" if self.sans in BITMAP else self.sans, size, True)
        d = ImageDraw.Draw(im)
        text = re.sub("[\u2e80-\uffff]+", "GG", text)
        if shadow:
            d.text((x + 2, y + 2), text, font=font, fill=(0, 0, 0), anchor="mm")
            d.text((x, y), text, font=font, fill=colour, anchor="mm")
        else:
            d.text((x, y),
                   text,
                   font=font,
                   fill=colour,
                   anchor="mm",
                   stroke_width=2,
                   stroke_fill=(0, 0, 0))

    def fit(self, text, name, size, width):
        while text and self.width(text, name, size) > width:
            text = text[:-4].rstrip() + "…" if len(text) > 5 else ""
        return text

    def wrap(self, text, name, size, width, bold=False):
        line = ""
        for word in text.split():
            if line and self.width(line + " " + word, name, size, bold) > width:
                yield line
                line = word
            else:
                line = line + " " + word if line else word
        yield line

    def canvas(self, w, h, colour="back"):
        im = Image.new("RGB", (w, h), self.c[colour])
        return im, ImageDraw.Draw(im)

    def photo(self, w, h):
        """A photograph, cut and made smaller, never larger."""
        path, credit = self.r.choice(self.photos)
        im = Image.open(path).convert("RGB")
        scale = min(1, max(w / im.width, h / im.height) * self.r.uniform(1, 1.5))
        im = im.resize((max(w, round(im.width * scale)), max(h, round(im.height * scale))),
                       Image.LANCZOS)
        x, y = self.r.randint(0, im.width - w), self.r.randint(0, im.height - h)
        self.credit.add(credit)
        return im.crop((x, y, x + w, y + h))


# Parts of windows ---------------------------------------------------------------------------------

def icon(k, im, x, y, s):
    """A small drawn picture of s by s pixels."""
    r, c = k.r, k.c
    big = Image.new("RGBA", (s * 4, s * 4))
    d, n = ImageDraw.Draw(big), s * 4
    a = hls(r.random(), r.uniform(0.4, 0.65), r.uniform(0.3, 0.9))
    b = mix(a, (255, 255, 255), 0.5)
    kind = r.randrange(6)
    if kind == 0:
        d.rounded_rectangle((0, n * .25, n - 1, n * .9), n // 12, a)
        d.rectangle((0, n * .12, n * .4, n * .3), a)
        d.rectangle((0, n * .38, n, n * .44), b)
    elif kind == 1:
        d.rectangle((n * .15, 0, n * .85, n - 1), (250, 250, 250), a, n // 16)
        for i in range(4):
            d.line((n * .28, n * (.25 + i * .16), n * .7, n * (.25 + i * .16)), a, n // 16)
    elif kind == 2:
        d.ellipse((n * .05, n * .05, n * .95, n * .95), a)
        d.polygon(((n * .38, n * .25), (n * .75, n * .5), (n * .38, n * .75)), b)
    elif kind == 3:
        d.rectangle((0, n * .1, n - 1, n * .9), b, a, n // 12)
        d.polygon(((n * .1, n * .8), (n * .4, n * .35), (n * .6, n * .6), (n * .75, n * .45),
                   (n * .92, n * .8)), a)
    elif kind == 4:
        d.ellipse((n * .1, n * .1, n * .65, n * .65), None, a, n // 8)
        d.line((n * .58, n * .58, n * .92, n * .92), a, n // 7)
    else:
        d.rounded_rectangle((0, 0, n - 1, n - 1), n // 5, a)
        d.line((n * .25, n * .5, n * .75, n * .5), b, n // 8)
        d.line((n * .5, n * .25, n * .5, n * .75), b, n // 8)
    big = big.resize((s, s), Image.BOX)
    im.paste(big, (int(x), int(y)), big)


def round_box(im, box, radius, fill, outline=None):
    """A rounded rectangle with smooth corners."""
    x0, y0, x1, y1 = map(int, box)
    w, h = x1 - x0, y1 - y0
    m = Image.new("L", (w * 4, h * 4))
    ImageDraw.Draw(m).rounded_rectangle((0, 0, w * 4 - 1, h * 4 - 1), radius * 4, 255)
    im.paste(outline or fill, (x0, y0), m.resize((w, h), Image.BOX))
    if outline and w > 2 and h > 2:
        round_box(im, (x0 + 1, y0 + 1, x1 - 1, y1 - 1), max(0, radius - 1), fill)


def button(k, im, x, y, label, main=False):
    w, h = k.width(label, k.sans, k.size) + 24, k.size + 14
    c = k.c
    round_box(im, (x, y, x + w, y + h), k.r.choice([0, 3, 5]), c["accent"] if main else c["side"],
              c["accent"] if main else c["line"])
    k.text(im, x + 12, y + 6, label, c["on"] if main else c["ink"])
    return x + w + 8


def menu_bar(k, im, y, labels="File Edit View Insert Tools Window Help"):
    d, c, h = ImageDraw.Draw(im), k.c, k.size + 12
    d.rectangle((0, y, im.width, y + h), c["panel"])
    x = 8
    for label in labels.split():
        x = k.text(im, x, y + 5, label, c["ink"]) + k.size
    d.line((0, y + h, im.width, y + h), c["line"])
    return y + h + 1


def tool_bar(k, im, y, s=20):
    d, c = ImageDraw.Draw(im), k.c
    d.rectangle((0, y, im.width, y + s + 12), c["panel"])
    x = 8
    while x < im.width * 0.8:
        icon(k, im, x, y + 6, s)
        x += s + 10
        if k.r.random() < 0.2:
            d.line((x, y + 5, x, y + s + 6), c["line"])
            x += 9
    d.line((0, y + s + 12, im.width, y + s + 12), c["line"])
    return y + s + 13


def scroll_bar(k, im, x, y, h):
    d, c = ImageDraw.Draw(im), k.c
    d.rectangle((x, y, x + 11, y + h), c["panel"])
    t = k.r.uniform(0, 0.6)
    round_box(im, (x + 2, y + h * t, x + 10, y + h * (t + 0.25)), 4, c["line"])


def status_bar(k, im, accent=False):
    d, c, h = ImageDraw.Draw(im), k.c, k.size + 10
    y = im.height - h
    d.rectangle((0, y, im.width, im.height), c["accent"] if accent else c["panel"])
    ink = c["on"] if accent else c["dim"]
    k.text(im, 8, y + 4, k.fit(k.talk.words(4), k.sans, k.size, im.width // 2), ink)
    k.text(im,
           im.width - 10,
           y + 4,
           f"Ln {k.r.randrange(999)}, Col {k.r.randrange(80)}   UTF-8   LF",
           ink,
           right=True)
    return y


# Applications: each returns a picture of w by h ---------------------------------------------------

def terminal(k, w, h):
    """One pane, or as many as a multiplexer would show."""
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
    """A table drawn with lines in the middle of character cells; returns the y below."""
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
    """A face, a heart or a star."""
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
    """What lies under an overlay: hills by a gradient, or a photograph, often out of focus."""
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
    """Two stream pictures with their displays, one over the other."""
    im = Image.new("RGB", (w, h))
    for top in range(0, h, 480):
        im.paste(_stream(k, w, min(480, h - top)), (0, top))
    return im


def _stream(k, w, h):
    r, c, t = k.r, k.c, k.talk
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


def shade(im, box, colour, opacity):
    im.paste(
        Image.blend(im.crop(box), Image.new("RGB", (box[2] - box[0], box[3] - box[1]), colour),
                    opacity), box[:2])


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
    """A window: title bar, border, buttons."""
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
    """With a soft shadow and rounded corners."""
    pad = 24
    dark = Image.new("L", (window.width + 2 * pad, window.height + 2 * pad))
    dark.paste(110, (pad, pad, pad + window.width, pad + window.height))
    im.paste((0, 0, 0), (x - pad, y - pad + 6), dark.filter(ImageFilter.GaussianBlur(9)))
    m = Image.new("L", (window.width * 4, window.height * 4))
    ImageDraw.Draw(m).rounded_rectangle((0, 0, m.width, m.height), radius * 4, 255)
    im.paste(window, (x, y), m.resize(window.size, Image.BOX))


def desktop(k, w, h):
    """Windows over a wallpaper, with a panel."""
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
    """(path, credit) of the photographs that are CC0 or in the public domain."""
    found = []
    with open(os.path.join(PHOTOS, "MANIFEST.md"), encoding="utf-8") as lines:
        for line in lines:
            cells = [c.strip() for c in line.strip().strip("|").split("|")]
            name = cells[0].strip("`")
            path = os.path.join(PHOTOS, name)
            if name.startswith("train/photo/") and os.path.exists(path) and re.search(
                    r"CC0|public domain", " ".join(cells[3:4])):
                found.append((path, os.path.basename(name)))
    return sorted(found)


def drawn_boards(seed):
    """(name, picture, shows, packages, licence, attribution) of the drawn ones."""
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


# Games --------------------------------------------------------------------------------------------

def noise(g, h, w, size):
    """Smooth random values in 0..1."""
    small = Image.fromarray(np.uint8(g.random((h // size + 3, w // size + 3)) * 255))
    a = np.asarray(small.resize((w + size, h + size), Image.BICUBIC), float)[:h, :w]
    fine = np.asarray(Image.fromarray(np.uint8(g.random((h // 2 + 2, w // 2 + 2)) * 255)).resize(
        (w, h), Image.BICUBIC), float)
    a = a + 0.3 * fine
    return (a - a.min()) / (np.ptp(a) + 1e-9)


def unpack(package, folder):
    """A package's files, without installing it."""
    path = os.path.join(folder, package)
    if not os.path.isdir(path):
        subprocess.run(["apt-get", "download", "-qq", package], cwd=folder, check=True,
                       stderr=subprocess.DEVNULL)
        deb = glob.glob(os.path.join(folder, package + "_*.deb"))[0]
        subprocess.run(["dpkg-deb", "-x", deb, path], check=True)
        os.unlink(deb)
    return os.path.join(path, "usr", "share", "games")


class Sheets:
    """Pictures, each read once."""

    def __init__(self):
        self.known = {}

    def __call__(self, path):
        if path not in self.known:
            self.known[path] = Image.open(path).convert("RGBA")
        return self.known[path]


SHEETS = Sheets()


def stamp(im, tile, x, y):
    im.paste(tile, (int(x), int(y)), tile)


def hud(k, im, labels):
    """A strip with a map, numbers and buttons, as strategy games have at the bottom."""
    h, w, c = 96, im.width, k.c
    d, top = ImageDraw.Draw(im), im.height - 96
    small = im.crop((0, 0, w, top)).resize((130, 84), Image.NEAREST)
    d.rectangle((0, top, w, im.height), c["panel"], c["line"])
    im.paste(small, (8, top + 6))
    d.rectangle((7, top + 5, 138, top + 90), None, c["ink"])
    d.rectangle((40, top + 30, 90, top + 60), None, (255, 255, 255))
    for i in range(4):
        k.text(im, 156, top + 8 + i * 21,
               k.fit(f"{k.talk.pseudo().capitalize()}: {k.talk.number()}", k.sans, k.size, 170),
               c["ink"])
    x = 340
    for label in labels:
        if x < w - 200:
            x = button(k, im, x, top + 12, label)
    for i in range(8):
        icon(k, im, 340 + i * 34, top + 56, 26)
    k.text(im,
           w - 14,
           top + 30,
           f"{k.r.randrange(1, 400)}",
           c["accent"],
           size=28,
           bold=True,
           right=True)
    k.text(im, 10, 8, k.talk.title(3), (255, 255, 255))
    return h


def read_spec(root, *names):
    """{tag: picture} of freeciv's sheets."""
    tags = {}
    for name in names:
        with open(f"{root}/{name}.spec", encoding="utf-8") as f:
            text = f.read()
        sheet = SHEETS(f"{root}/" + re.search(r'gfx\s*=\s*"(.*)"', text)[1] + ".png")
        for part in re.split(r"^\[grid", text, flags=re.M)[1:]:
            get = lambda key: int((re.search(rf"^{key}\s*=\s*(\d+)", part, re.M) or [0, 0])[1])
            x0, y0, dx, dy, border = map(get,
                                         ("x_top_left", "y_top_left", "dx", "dy", "pixel_border"))
            for row, column, tag in re.findall(r'^\s*(\d+)\s*,\s*(\d+)\s*,\s*"([^"]+)"', part,
                                               re.M):
                x, y = x0 + int(column) * (dx + border), y0 + int(row) * (dy + border)
                tile = sheet.crop((x, y, x + dx, y + dy))
                if tile.getbbox() and tile.getextrema()[3][1]:
                    tags[tag] = tile
    return tags


def blend(g, textures, kinds, owner, jitter):
    """Each pixel from the texture of the cell it is in; borders frayed, as the games do."""
    h, w = textures[0].shape[:2]
    y, x = np.mgrid[0:h, 0:w]
    dx, dy = (g.integers(-jitter, jitter + 1, (h, w)) for _ in range(2))
    i, j = owner(x + dx, y + dy // 2)
    kind = kinds[i % kinds.shape[0], j % kinds.shape[1]]
    out = np.zeros((h, w, 3), np.uint8)
    for n, texture in enumerate(textures):
        out[kind == n] = texture[kind == n]
    return Image.fromarray(out), lambda a, b: kinds[a % kinds.shape[0], b % kinds.shape[1]]


def terrain(g, n, size):
    """Kinds 0 .. n - 1 in patches, a map of n kinds."""
    a = noise(g, 96, 96, size)
    ranks = a.ravel().argsort().argsort().reshape(a.shape) / a.size
    order = np.minimum((ranks * n).astype(int), n - 1)
    return order


def tiled(w, h, tile, spots):
    im = Image.new("RGB", (w, h),
                   tuple(np.asarray(tile.convert("RGB")).reshape(-1, 3).mean(0).astype(int)))
    for x, y in spots:
        stamp(im, tile, x, y)
    return np.asarray(im)


def iso_map(k, g, w, h, root, kind):
    """A map of freeciv's isometric sets."""
    big = kind == "amplio2"
    dx, dy = (96, 48) if big else (64, 32)
    if big:
        tags = read_spec(root, "amplio2/terrain1", "amplio2/terrain2", "amplio2/hills",
                         "amplio2/mountains")
        units = list(read_spec(root, "amplio2/units").values())
        towns = list(read_spec(root, "amplio2/cities").values())
        sea = SHEETS(f"{root}/amplio2/ocean.png").crop((0, 0, 96, 48))
    else:
        tags = read_spec(root, "isotrident/terrain1", "isotrident/terrain2")
        units = list(read_spec(root, "trident/units").values())
        towns = list(read_spec(root, "isotrident/cities", "isotrident/morecities").values())
        sea = next(tags[t] for t in sorted(tags) if "coast" in t or "ocean" in t or "floor" in t)
    spots = [(i * dx // 2, j * dy // 2) for i in range(-2, 2 * w // dx + 2)
             for j in range(-2, 2 * h // dy + 2) if (i + j) % 2 == 0]
    names = g.permutation(
        ["desert", "plains", "grassland", "tundra", "swamp", "grassland", "plains"])[:4]
    water = np.asarray(sea.crop((dx // 4, dy // 4, 3 * dx // 4, 3 * dy // 4)).convert("RGB"))
    flood = np.tile(water, (h * 2 // dy + 1, w * 2 // dx + 1, 1))[:h, :w]
    textures = [flood] + [tiled(w, h, tags[f"t.l0.{n}1"], spots) for n in names]
    owner = lambda x, y: (np.floor(x / dx + y / dy).astype(int), np.floor(y / dy - x / dx).astype(
        int))
    im, at = blend(g, textures, terrain(g, 5, 7), owner, 7)
    relief = {
        n: [
            v for t, v in tags.items() if re.match(rf"t\.l\d\.{n}", t) and t[-2:] != n[-2:] +
            "1" and v.size[0] == dx and not t.endswith(n + "1")
        ]
        for n in ("hills", "mountains", "forest", "jungle")
    }
    specials = [v for t, v in tags.items() if t.startswith("ts.")]
    woods = terrain(g, 6, 4)
    for x, y in sorted(spots, key=lambda s: s[1]):
        i, j = owner(np.array(x + dx / 2), np.array(y + dy / 2))
        dry = at(i, j) > 0
        p, patch = g.random(), woods[i % 96, j % 96]
        kind = ["forest", "hills", "", "", "mountains", "jungle"][patch]
        if dry and kind and relief[kind] and p < 0.85:
            tile = relief[kind][g.integers(len(relief[kind]))]
            stamp(im, tile, x, y + dy - tile.height)
        elif p < 0.1:
            stamp(im, specials[g.integers(len(specials))], x, y)
        if dry and p > 0.94:
            tile = towns[g.integers(len(towns))]
            stamp(im, tile, x + (dx - tile.width) // 2, y + dy - tile.height)
            k.text(im,
                   x + 8,
                   y + dy - 6,
                   k.talk.pseudo().capitalize(), (255, 255, 255),
                   size=11,
                   bold=True)
        elif 0.86 < p < 0.94 and dry:
            tile = units[g.integers(len(units))]
            stamp(im, tile, x + (dx - tile.width) // 2, y + dy - tile.height - 8)
    return im


def square_map(k, g, w, h, root):
    """A map of freeciv's small overhead set."""
    sheet, s = SHEETS(f"{root}/trident/tiles.png"), 30
    units, towns = (list(read_spec(root, f"trident/{n}").values()) for n in ("units", "cities"))
    specials = [v for t, v in read_spec(root, "trident/tiles").items() if t.startswith("ts.")]
    spots = [(x, y) for x in range(0, w, s) for y in range(0, h, s)]
    full = [sheet.crop(
        (2 * s, 0, 3 * s, s))] + [sheet.crop((0, r * s, s, (r + 1) * s)) for r in (1, 3, 4, 5, 6)]
    order = g.permutation(len(full))[:4]
    ocean = sheet.crop((4 * s, 7 * s, 5 * s, 7 * s + 14))
    textures = [tiled(w, h, ocean, [(x, y) for x in range(0, w, s) for y in range(0, h, 14)])
                ] + [tiled(w, h, full[i], spots) for i in order]
    im, at = blend(g, textures, terrain(g, 5, 8), lambda x, y: (x // s, y // s), 6)
    for x, y in spots:
        p = g.random()
        if at(x // s, y // s) == 0:
            continue
        things = towns if p > 0.95 else (units if p > 0.87 else (specials if p < 0.08 else None))
        if things:
            stamp(im, things[g.integers(len(things))], x, y)
        if p > 0.95:
            k.text(im, x - 8, y + 28, k.talk.pseudo().capitalize(), (255, 255, 255), size=10)
    return im


def hex_map(k, g, w, h, root, big):
    """A map of freeciv's sets of hexagons."""
    if big:
        tags = read_spec(root, "hexemplio/terrain", "hexemplio/hills", "hexemplio/forests",
                         "hexemplio/mountains")
        units, towns = (list(read_spec(root, n).values())
                        for n in ("amplio2/units", "hexemplio/cities"))
    else:
        tags = read_spec(root, "hex2t/tiles")
        units, towns = (list(read_spec(root, n).values()) for n in ("trident/units", "hex2t/items"))
    base = [v for t, v in sorted(tags.items()) if re.match(
        r"t\.l0\.(desert|plains|grassland|tundra|swamp|coast|floor|arctic|forest|jungle)1$", t)]
    box = base[0].getbbox()
    wide, tall = box[2] - box[0], box[3] - box[1]
    im = Image.new("RGB", (w, h), (40, 60, 110))
    kinds, woods = terrain(g, min(6, len(base)), 6), terrain(g, 5, 4)
    order = g.permutation(len(base))
    extra = [
        v for t, v in tags.items() if re.match(r"t\.l[12]\.(hills|forest|jungle|mountains)", t) and
        v.getbbox() and v.getbbox()[2] - v.getbbox()[0] > wide // 2
    ] or [v for t, v in tags.items() if t.startswith("ts.")]
    solid = np.asarray(base[0].crop(box))[..., 3] > 128
    step_x, step_y = ((wide, (tall + solid[:, 0].sum()) // 2) if wide < 60 else
                      ((wide + solid[0].sum()) // 2, tall))
    for j in range(-1, int(h / step_y) + 2):
        for i in range(-1, int(w / step_x) + 2):
            x, y = ((i * step_x + (j % 2) * step_x / 2, j * step_y) if wide < 60 else
                    (i * step_x, j * step_y + (i % 2) * step_y / 2))
            stamp(im, base[order[kinds[i % 96, j % 96]]], x - box[0], y - box[1])
            p = g.random()
            if woods[i % 96, j % 96] in (0, 4) and p < 0.8:
                stamp(im, extra[g.integers(len(extra))], x - box[0], y - box[1])
            if p > 0.9:
                tile = (towns if p > 0.95 else units)[g.integers(len(towns if p > 0.95 else units))]
                stamp(im, tile, x + (wide - tile.width) // 2, y + (tall - tile.height) // 2)
    return im


def wesnoth_map(k, g, w, h, root):
    """A map of Wesnoth's hexagons, with their transitions, woods, villages and units."""
    root += "/wesnoth/1.16/data/core/images"
    sets = [
        ["water/ocean-A01", "sand/beach", "grass/green", "grass/semi-dry", "flat/dirt"],
        ["water/coast-tropical-A01", "sand/desert", "grass/dry", "flat/desert-road", "hills/dry"],
        ["water/ocean-A01", "frozen/ice", "frozen/snow", "grass/green", "hills/snow"],
        ["swamp/water", "swamp/mud", "grass/leaf-litter", "grass/green", "flat/dirt-dark"]
    ][g.integers(4)]
    names = [f"{root}/terrain/{s}" for s in sets]
    kinds = terrain(g, 5, 5)
    im = Image.new("RGB", (w, h))
    cells = [(54 * i, 72 * j + 36 * (i & 1), i, j) for j in range(-1, h // 72 + 2)
             for i in range(-1, w // 54 + 2)]
    steps = {
        "n": (0, -1, -1), "s": (0, 1, 1), "ne": (1, -1, 0), "se": (1, 0, 1), "nw": (-1, -1, 0),
        "sw": (-1, 0, 1)
    }
    kind = lambda i, j: kinds[i % 96, j % 96]
    for x, y, i, j in cells:
        name = names[kind(i, j)]
        more = [f for f in (f"{name}{n}.png"
                            for n in range(2, 9)) if os.path.exists(f)] + [name + ".png"]
        stamp(im, SHEETS(more[g.integers(len(more))]), x, y)
    for x, y, i, j in cells:
        for side, (a, even, odd) in steps.items():
            other = kind(i + a, j + (odd if i & 1 else even))
            if other > kind(i, j):
                for path in (f"{names[other]}-abrupt-{side}.png", f"{names[other]}-{side}.png",
                             f"{names[other]}-long-{side}.png"):
                    if os.path.exists(path):
                        stamp(im, SHEETS(path), x, y)
                        break
    _wesnoth_things(k, g, im, root, cells, kind)
    return im


def _wesnoth_things(k, g, im, root, cells, kind):
    wood = g.choice(["deciduous-summer", "deciduous-fall", "pine", "mixed-summer", "palm-desert"])
    woods = [f for f in sorted(glob.glob(f"{root}/terrain/forest/{wood}*.png")) if "tile" not in f]
    homes = [
        f for f in sorted(glob.glob(f"{root}/terrain/village/*.png"))
        if "night" not in f and "tile" not in f and "snow" not in f and "_5" not in f
    ]
    people = [f for f in sorted(glob.glob(f"{root}/units/*/*.png")) if not re.search(
        r"mask|attack|defend|die|idle|death|magic|lead|halo|bow|sword|-se|-ne|-n|-s\d|\d\.png|melee"
        r"|ranged|move", f)]
    people = [
        f for f in people if SHEETS(f).size == (72, 72) and SHEETS(f).getpixel((2, 70))[3] == 0
    ]
    patch = terrain(g, 5, 3)
    team = g.permutation([(220, 40, 40), (50, 90, 230), (40, 170, 60), (240, 190, 30)])[:2]
    for x, y, i, j in sorted(cells, key=lambda c: c[1]):
        p, where = g.random(), patch[i % 96, j % 96]
        if kind(i, j) == 0:
            continue
        if where in (0, 4) and woods and p < 0.85:
            tile = SHEETS(woods[g.integers(len(woods))])
            stamp(im, tile, x + 36 - tile.width // 2, y + 36 - tile.height // 2)
        elif p > 0.9:
            stamp(im, SHEETS(homes[g.integers(len(homes))]), x, y)
        elif p > 0.78:
            stamp(im, team_colour(SHEETS(people[g.integers(len(people))]), team[g.integers(2)]), x,
                  y)
            d = ImageDraw.Draw(im)
            d.rectangle((x + 10, y + 8, x + 13, y + 38), (0, 0, 0))
            d.rectangle((x + 11, y + 9 + g.integers(20), x + 12, y + 37), (60, 220, 60))


def team_colour(tile, colour):
    """Magenta becomes the team's colour."""
    a = np.array(tile)
    r, gr, b = (a[..., i].astype(int) for i in range(3))
    m = (r > gr + 40) & (b > gr + 25) & (abs(r - b) < 110)
    v = ((r + b) / 2)[..., None] / 190
    a[..., :3] = np.where(m[..., None], np.clip(np.array(colour) * v, 0, 255), a[..., :3])
    return Image.fromarray(a)


def flare_map(k, g, w, h, root):
    """A part of one of Flare's own maps."""
    root += "/flare/mods"
    maps = [f for f in sorted(glob.glob(f"{root}/empyrean_campaign/maps/*.txt")) if not re.search(
        r"mine|cave|cavern|infinity|hyper|underground|nest|sewer", f)]
    while True:
        with open(maps[g.integers(len(maps))], encoding="utf-8") as f:
            text = f.read()
        layers = [np.array([[int(v) for v in line.strip(",").split(",")] for line in data.split()])
                  for data in re.findall(r"data=\n((?:[\d,]+\n)+)", text)]
        layers = layers[:2]
        if not layers:
            continue
        tileset = re.search(r"tileset=(tilesetdefs/.*)", text)
        path = tileset and next(iter(glob.glob(f"{root}/*/{tileset[1]}")), None)
        spots = [g.integers(0, np.array(layers[0].shape)) for _ in range(200)]
        solid = (layers[0] > 0) if not layers[1:] else (layers[0] > 0) | (layers[1] > 0)
        score = lambda s: sum(0 <= s[0] + a < solid.shape[0] and 0 <= s[1] + b < solid.shape[
            1] and solid[s[0] + a, s[1] + b] for a in range(-24, 25, 3) for b in range(-24, 25, 3)
                              if abs(a - b) < 32 and abs(a + b) < 62)
        best = max(spots, key=score)
        if path and score(best) > 150:
            break
    tiles = _flare_tiles(path, root)
    im = Image.new("RGB", (w, h), (8, 8, 10))
    for layer in layers:
        for i, j in sorted(np.argwhere(layer > 0), key=sum):
            x, y = ((j - best[1]) - (i - best[0])) * 32 + w // 2, ((j - best[1]) +
                                                                   (i - best[0])) * 16 + h // 2
            if layer[i, j] in tiles and -200 < x < w + 200 and -200 < y < h + 300:
                tile, ox, oy = tiles[layer[i, j]]
                stamp(im, tile, x - ox, y - oy)
    return im


def _flare_tiles(path, root):
    tiles, sheet = {}, None
    with open(path, encoding="utf-8") as f:
        for line in f:
            if line.startswith("img="):
                sheet = SHEETS(glob.glob(f"{root}/*/{line[4:].strip()}")[0])
            elif line.startswith("tile="):
                n, x, y, w, h, ox, oy = map(int, line[5:].strip().split(",")[:7])
                tiles[n] = (sheet.crop((x, y, x + w, y + h)), ox, oy)
    return tiles


def lisp(text):
    """An s-expression as nested lists of strings."""
    stack = [[]]
    for token in re.findall(r';[^\n]*|"(?:[^"\\]|\\.)*"|[()]|[^\s()";]+', text):
        if token[0] == ";":
            continue
        if token == "(":
            stack.append([])
        elif token == ")":
            last = stack.pop()
            stack[-1].append(last)
        else:
            stack[-1].append(token.strip('"'))
    return stack[0]


def find(tree, name):
    return [t for t in tree if isinstance(t, list) and t and t[0] == name]


def one(tree, name, default=None):
    return next((t[1:] for t in find(tree, name)), default)


def supertux_tiles(root):
    """{id: picture} of the tiles that are cut from sheets or alone in a file."""
    with open(root + "/images/tiles.strf", encoding="utf-8") as f:
        tree = lisp(f.read())[0]
    tiles = {}
    for part in find(tree, "tiles"):
        images = one(part, "images") or one(part, "image")
        ids, name = one(part, "ids", []), images and images[0]
        path = f"{root}/images/{name}" if isinstance(name, str) else ""
        if not os.path.isfile(path):
            continue
        wide = int(one(part, "width", ["1"])[0])
        for i, n in enumerate(ids):
            box = (i % wide * 32, i // wide * 32, i % wide * 32 + 32, i // wide * 32 + 32)
            if n != "0":
                tiles[int(n)] = (path, box)
    for part in find(tree, "tile"):
        images = one(part, "images")
        if images and isinstance(images[0], str) and os.path.isfile(f"{root}/images/{images[0]}"):
            tiles[int(one(part, "id")[0])] = (f"{root}/images/{images[0]}", (0, 0, 32, 32))
    return tiles


def supertux_level(k, g, w, h, root):
    """A part of one of SuperTux' own levels, with its inhabitants."""
    root += "/supertux2"
    tiles = supertux_tiles(root)
    levels = sorted(glob.glob(f"{root}/levels/world[12]/*.stl"))
    while True:
        with open(levels[g.integers(len(levels))], encoding="utf-8") as f:
            sector = find(lisp(f.read())[0], "sector")[0]
        maps = [
            m for m in find(sector, "tilemap") if one(m, "tiles") and int(one(m, "height")[0]) *
            32 >= h and int(one(m, "width")[0]) * 32 >= 2 * w
        ]
        if maps:
            break
    maps.sort(key=lambda m: float(one(m, "z-pos", ["0"])[0]))
    grids = [np.array(one(m, "tiles"), int).reshape(int(one(m, "height")[0]), -1) for m in maps]
    tall, wide = grids[0].shape
    views = [(int(g.integers(0, wide - w // 32)),
              tall - h // 32 - int(g.integers(0, max(1, tall - h // 32)))) for _ in range(60)]
    full = lambda v: sum((a[v[1]:v[1] + h // 32, v[0]:v[0] + w // 32] > 0).sum() for a in grids)
    left, top = max(views, key=full)
    im = _supertux_back(g, w, h, root, sector)
    for grid in grids:
        for y, x in np.argwhere(grid[top:top + h // 32, left:left + w // 32] > 0):
            entry = tiles.get(int(grid[top + y, left + x]))
            if entry:
                stamp(im, SHEETS(entry[0]).crop(entry[1]), 32 * x, 32 * y)
    _supertux_people(k, g, im, root)
    return im


def _supertux_back(g, w, h, root, sector):
    colours = one(sector, "gradient", [["", "0.3", "0.5", "0.8"], ["", "0.8", "0.9", "1"]])
    a, b = ([255 * float(v) for v in (one(colours, n) or d)[:3]]
            for n, d in (("top_color", "135"),
                         ("bottom_color",
                          "888"))) if find(colours, "top_color") else ((60, 110, 190), (200, 225,
                                                                                        250))
    im = Image.fromarray(np.uint8(np.clip(np.linspace(a, b, h), 0, 255))[:, None].repeat(w, 1))
    back = next((one(t, "image") for t in find(sector, "background") if one(t, "image")), None)
    path = back and root + back[0].replace("/images", "/images", 1)
    if path and os.path.isfile(path):
        tile = SHEETS(path)
        for x in range(-int(g.integers(tile.width)), w, tile.width):
            stamp(im, tile, x, h - tile.height if tile.height < h else 0)
    return im


def _supertux_people(k, g, im, root):
    folders = {
        os.path.basename(f).replace("_", ""): f
        for f in glob.glob(root + "/images/creatures/*")
    }
    pictures = [sorted(glob.glob(f + "/*.png")) for f in sorted(folders.values())]
    pictures = [p[0] for p in pictures if p]
    for _ in range(14):
        tile = SHEETS(pictures[g.integers(len(pictures))])
        if tile.width < 130 and tile.height < 130:
            stamp(im, tile, g.integers(0, im.width - 40), g.integers(60, im.height - 60))
    k.outlined(im, 90, 24, "SCORE " + str(k.r.randrange(99999)), (255, 255, 255), 20)
    k.outlined(im, im.width - 80, 24, f"COINS {k.r.randrange(100)}", (255, 220, 60), 20)
    k.outlined(im, im.width // 2, 24, f"{k.r.randrange(10)}:{k.r.randrange(60):02d}",
               (255, 255, 255), 20)


def pingus_level(k, g, w, h, root):
    """A part of one of Pingus' own levels."""
    root += "/pingus/data"
    levels = sorted(glob.glob(root + "/levels/**/*.pingus", recursive=True))
    for _ in range(200):
        with open(levels[g.integers(len(levels))], encoding="utf-8") as f:
            objects = one(lisp(f.read())[0], "objects", [])
        pieces = [
            (float(p[2]), name, float(p[0]), float(p[1])) for o in objects
            if isinstance(o, list) and o[0] in ("groundpiece", "hotspot", "entrance", "exit") and
            one(o, "surface") and one(o, "position")
            for p, name in [(one(o, "position"), one(one(o, "surface"), "image", [""])[0])]
        ]
        if len(pieces) > 70:
            break
    im = Image.new("RGB", (w, h), hls(g.random(), 0.25, 0.4))
    textures = sorted(glob.glob(root + "/images/textures/*.png"))
    tile = SHEETS(textures[g.integers(len(textures))])
    for x in range(0, w, tile.width):
        for y in range(0, h, tile.height):
            stamp(im, tile, x, y)
    xs, ys = (np.array([p[i] for p in pieces]) for i in (2, 3))
    left, top = np.median(xs) - w / 2, np.median(ys) - h * 0.6
    for _, name, x, y in sorted(pieces, key=lambda p: p[0]):
        path = f"{root}/images/{name}.png"
        if os.path.isfile(path) and SHEETS(path).width < 400:
            stamp(im, SHEETS(path), x - left, y - top)
    walkers = [SHEETS(f) for f in sorted(glob.glob(root + "/images/pingus/player0/*.png"))]
    for _ in range(26):
        sheet = walkers[g.integers(len(walkers))]
        stamp(im, sheet.crop((0, 0, 32, 32)), g.integers(w), g.integers(h))
    return im


def breakout(k, g, w, h, root):
    """LBreakout's bricks on its backgrounds."""
    root += "/lbreakout2/gfx"
    theme_dir = [root, root + "/AbsoluteB", root + "/Oz", root + "/Moiree"][g.integers(4)]
    backs = sorted(glob.glob(theme_dir + "/back?.png"))
    tile, sheet = SHEETS(backs[g.integers(len(backs))]), SHEETS(theme_dir + "/bricks.png")
    im = Image.new("RGB", (w, h))
    for x in range(0, w, tile.width):
        for y in range(0, h, tile.height):
            stamp(im, tile, x, y)
    kinds = terrain(g, 18, 5)
    bricks = [sheet.crop((i * 40, 0, i * 40 + 40, 20)) for i in range(min(20, sheet.width // 40))]
    for x in range(40, w - 40, 40):
        for y in range(40, h - 200, 20):
            if kinds[x // 40, y // 20 + 20] % 6:
                shade(im, (x + 8, y + 8, x + 48, y + 28), (0, 0, 0), 0.35)
                stamp(im, bricks[g.permutation(len(bricks))[0] if g.random() < 0.1 else
                                 kinds[x // 40, y // 20] % len(bricks)], x, y)
    extras = SHEETS(root + "/extras.png")
    for _ in range(20):
        n = g.integers(extras.width // 40)
        stamp(im, extras.crop((n * 40, 0, n * 40 + 40, 20)), g.integers(w),
              g.integers(h - 160, h - 20))
    side = SHEETS(root + "/fr_left.png")
    for y in range(0, h, side.height):
        stamp(im, side, 0, y)
        stamp(im, side, w - side.width, y)
    k.outlined(im, w // 2, 20, f"LEVEL {k.r.randrange(40)}    SCORE {k.r.randrange(99999)}",
               (255, 230, 90), 18)
    return im


DOC = "/usr/share/doc/%s/copyright"
FREECIV = ("freeciv-data", "GPL-2+",
           "Freeciv's tileset artists: Tatu Rissanen, Jeff Mallatt, Tim F. Smith, "
           "Daniel Speyer, Hogne Håskjold, CapTVK, GriffonSpade and others")
WESNOTH = ("wesnoth-1.16-data", "GPL-2+", "The Battle for Wesnoth, David White and contributors")
FLARE = ("flare-game", "CC BY-SA 3.0 or later",
         "Flare, Clint Bellanger and contributors, CC BY-SA 3.0; composed")
SUPERTUX = ("supertux-data", "GPL-3+ (levels GPL-2+ or CC BY-SA 3.0)", "SuperTux Team")
PINGUS = ("pingus-data", "GPL-2+ (levels GPL-3+)", "Pingus, Ingo Ruhnke and contributors")
BREAKOUT = ("lbreakout2-data", "GPL, any version", "LBreakout2, Michael Speck and contributors")
GAMES = [("amplio", iso_map, 2, FREECIV, "isometric map", ("amplio2",), 1),
         ("isotrident", iso_map, 3, FREECIV, "isometric map", ("isotrident",), 1),
         ("trident", square_map, 3, FREECIV, "overhead map", (), 1),
         ("hex2t", hex_map, 2, FREECIV, "map of hexagons", (False,), 1),
         ("hexemplio", hex_map, 1, FREECIV, "map of hexagons", (True,), 1),
         ("wesnoth", wesnoth_map, 3, WESNOTH, "map of hexagons with units", (), 1),
         ("flare", flare_map, 2, FLARE, "isometric landscape or dungeon", (), 0),
         ("supertux", supertux_level, 3, SUPERTUX, "platform level, HUD", (), 0),
         ("pingus", pingus_level, 2, PINGUS, "platform level", (), 0),
         ("breakout", breakout, 2, BREAKOUT, "bricks", (), 0)]


def flatness(im):
    """The share of blocks that show nothing."""
    a = np.asarray(im.convert("L"), float)
    a = a[:a.shape[0] // 32 * 32, :a.shape[1] // 32 * 32].reshape(a.shape[0] // 32, 32, -1, 32)
    return (a.std((1, 3)) < 4).mean()


def game_boards(seed, folder):
    for name, draw, count, (package, licence, who), shows, args, strip in GAMES:
        root = unpack(package, folder)
        if package == "freeciv-data":
            root += "/freeciv"
        for i in range(count):
            r = random.Random(f"{seed} {name} {i}")
            k = Kit(r, r.random() < 0.5, r.choice(["hinted", "mono", "bitmap"]), [])
            k.size = min(k.size, 13)
            g = np.random.default_rng(r.randrange(1 << 30))
            costly = name in ("wesnoth", "amplio", "flare", "pingus")
            w, h = r.choice([[832, 896, 960], [704, 768]][costly]), [960, 832][costly]
            im = draw(k, g, w, h, root, *args)
            for _ in range(20):
                if flatness(im) < 0.3:
                    break
                im = draw(k, g, w, h, root, *args)
            if strip:
                hud(k, im, [k.talk.pseudo().capitalize() for _ in range(4)])
            yield (f"game_{name}_{i}", im, f"pixel art: {shows}", [package],
                   f"{licence}, {DOC % package}", who)


# Files --------------------------------------------------------------------------------------------

def few_colours(a, most=256, tolerance=10):
    """(palette, indices) where 256 colours do: the frequent ones exactly, rare ones, on edges of
    letters, to a difference that nobody sees. None where they do not."""
    v = a[..., 0].astype(np.int32) << 16 | a[..., 1].astype(np.int32) << 8 | a[..., 2]
    colours, index, count = np.unique(v, return_inverse=True, return_counts=True)
    if len(colours) > 40000:
        return None
    order = np.argsort(-count)
    rgb = np.stack([colours >> 16, colours >> 8 & 255, colours & 255], 1)
    for near in range(0, tolerance + 1, 2):
        left, centres, to = order, [], np.zeros(len(colours), int)
        while len(left) and len(centres) < most:
            close = abs(rgb[left] - rgb[left[0]]).max(1) <= near
            to[left[close]] = len(centres)
            centres.append(left[0])
            left = left[~close]
        if not len(left):
            return rgb[centres].astype(np.uint8), to[index].reshape(v.shape).astype(np.uint8)
    return None


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def unfiltered(a, palette=None):
    """A PNG without line filters, which letters pack best in."""
    h, w = a.shape[:2]
    rows = np.pad(a.reshape(h, -1), ((0, 0), (1, 0))).tobytes()
    head = struct.pack(">IIBBBBB", w, h, 8, 2 if palette is None else 3, 0, 0, 0)
    colours = b"" if palette is None else chunk(b"PLTE", palette.tobytes())
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + colours +
            chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b""))


def save(im, path, game):
    a = np.asarray(im)
    found = few_colours(a)
    if found is None and game:
        q = im.quantize(256, Image.Quantize.MEDIANCUT, kmeans=2, dither=Image.Dither.NONE)
        found = np.array(q.getpalette(), np.uint8).reshape(-1, 3), np.asarray(q)
    im.save(path, optimize=True)
    data = unfiltered(found[1], found[0]) if found else unfiltered(a)
    if len(data) < os.path.getsize(path):
        with open(path, "wb") as f:
            f.write(data)
    return os.path.getsize(path)


@functools.cache
def versions(packages):
    text = subprocess.run(["apt-cache", "policy", *packages],
                          capture_output=True,
                          text=True,
                          check=True).stdout
    return dict(re.findall(r"^(\S+):\n.*\n  Candidate: (\S+)", text, re.M))


def install_fonts():
    packages = sorted({f[0] for f in FONTS.values()} | {CJK[0]})
    if subprocess.run(["dpkg", "-s", *packages], capture_output=True, check=False).returncode:
        sudo = [] if os.getuid() == 0 else ["sudo"]
        subprocess.run([*sudo, "apt-get", "install", "-y", "-qq", "--no-install-recommends",
                        *packages], check=True)


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("out")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--debs", help="where the games' packages are kept")
    opt = p.parse_args()
    install_fonts()
    os.makedirs(opt.out, exist_ok=True)
    total, lines = 0, []
    with tempfile.TemporaryDirectory() as work:
        folder = opt.debs or work
        os.makedirs(folder, exist_ok=True)
        os.chmod(work, 0o755)
        for boards, game in ((drawn_boards(opt.seed), 0), (game_boards(opt.seed, folder), 1)):
            for name, im, shows, packages, licence, who in boards:
                size = save(im, os.path.join(opt.out, name + ".png"), game)
                total += size
                known = versions(tuple(packages))
                whence = ", ".join(f"{q} {known.get(q, '')}".strip() for q in packages)
                lines.append(f"| `{name}.png` | {im.width}x{im.height} | {shows} | {whence} | "
                             f"{licence} | {who} |")
                print(f"{name} {im.width}x{im.height} {size // 1024} KiB", flush=True)
    with open(os.path.join(opt.out, "MANIFEST.md"), "w", encoding="utf-8") as f:
        f.write(
            "# Boards\n\nMade by `train/boards.py`.\n\n"
            "| file | size px | shows | Debian package | licence, where stated | attribution |\n"
            "|---|---|---|---|---|---|\n" + "\n".join(lines) + "\n")
    print(f"{len(lines)} boards, {total / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
