# SPDX-License-Identifier: GPL-2.0-or-later
"""Has what boards (boards.py) are drawn with: fonts, words, colours, and the parts of windows."""

import colorsys
import re

import numpy as np
from PIL import Image, ImageDraw, ImageFont

# name: (package, licence, regular, bold, whether it has Cyrillic and Greek), below these folders.
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
# Bitmap fonts exist in a few sizes only: (..., sizes).
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
    """Makes up words, sentences, names and numbers."""

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
        """Returns a line of code as (text, kind) pairs."""
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
    """Chooses colours by name."""
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
    """Has what one board is drawn with: colours, fonts, antialiasing, words."""

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
        """Draws text with the top of the line at y; returns where the text ends."""
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
        """Draws with subpixels: a mask of three times the width, filtered, has a third for each
        colour."""
        w, h = mask.width // 3, mask.height // 3
        m = np.asarray(mask.resize((mask.width, h), Image.BOX), np.float32)
        m = np.pad(m, ((0, 0), (2, 2)))
        m = sum(k * m[:, i:i + 3 * w] for i, k in enumerate((1 / 9, 2 / 9, 3 / 9, 2 / 9, 1 / 9)))
        a = m.reshape(h, w, 3) / 255
        under = np.asarray(im.crop((*box, box[0] + w, box[1] + h)), np.float32)
        mixed = under + (np.array(colour[:3]) - under) * a
        im.paste(Image.fromarray(np.uint8(mixed + 0.5)), box)

    def outlined(self, im, x, y, text, colour, size, shadow=False):
        """Draws a caption with a border or a shadow, centred at x."""
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
        """Returns a photograph, cut and made smaller, never larger."""
        path, credit = self.r.choice(self.photos)
        im = Image.open(path).convert("RGB")
        scale = min(1, max(w / im.width, h / im.height) * self.r.uniform(1, 1.5))
        im = im.resize((max(w, round(im.width * scale)), max(h, round(im.height * scale))),
                       Image.LANCZOS)
        x, y = self.r.randint(0, im.width - w), self.r.randint(0, im.height - h)
        self.credit.add(credit)
        return im.crop((x, y, x + w, y + h))


def noise(g, h, w, size):
    """Returns smooth random values in 0 .. 1."""
    small = Image.fromarray(np.uint8(g.random((h // size + 3, w // size + 3)) * 255))
    a = np.asarray(small.resize((w + size, h + size), Image.BICUBIC), float)[:h, :w]
    fine = np.asarray(Image.fromarray(np.uint8(g.random((h // 2 + 2, w // 2 + 2)) * 255)).resize(
        (w, h), Image.BICUBIC), float)
    a = a + 0.3 * fine
    return (a - a.min()) / (np.ptp(a) + 1e-9)


# Parts of windows ---------------------------------------------------------------------------------

def icon(k, im, x, y, s):
    """Draws a small picture of s by s pixels."""
    r = k.r
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
    """Draws a rectangle with smooth, rounded corners."""
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


def shade(im, box, colour, opacity):
    im.paste(
        Image.blend(im.crop(box), Image.new("RGB", (box[2] - box[0], box[3] - box[1]), colour),
                    opacity), box[:2])
