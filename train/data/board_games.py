# SPDX-License-Identifier: GPL-2.0-or-later
"""Puts boards of 2-D games together from the pictures of Debian's packages, at their own size."""

import glob
import os
import random
import re
import subprocess

import numpy as np
from PIL import Image, ImageDraw

from train.data.board_kit import Kit, button, hls, icon, noise, shade


# Games --------------------------------------------------------------------------------------------

def unpack(package, folder):
    """Unpacks a package's files without installing it, and returns the folder of its games."""
    path = os.path.join(folder, package)
    if not os.path.isdir(path):
        subprocess.run(["apt-get", "download", "-qq", package], cwd=folder, check=True,
                       stderr=subprocess.DEVNULL)
        deb = glob.glob(os.path.join(folder, package + "_*.deb"))[0]
        subprocess.run(["dpkg-deb", "-x", deb, path], check=True)
        os.unlink(deb)
    return os.path.join(path, "usr", "share", "games")


class Sheets:
    """Opens pictures, each once."""

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
    """Draws a strip with a map, numbers and buttons, as strategy games have at the bottom."""
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
    """Returns {tag: picture} of freeciv's sheets."""
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
    """Takes each pixel from the texture of its cell; borders are frayed, as in the games."""
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
    """Returns a map of the kinds 0 .. n - 1 in patches."""
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
    """Draws a map of freeciv's isometric sets."""
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
    """Draws a map of freeciv's small overhead set."""
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
    """Draws a map of freeciv's sets of hexagons."""
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
    """Draws a map of Wesnoth's hexagons, with their transitions, woods, villages and units."""
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
    """Turns magenta into the team's colour."""
    a = np.array(tile)
    r, gr, b = (a[..., i].astype(int) for i in range(3))
    m = (r > gr + 40) & (b > gr + 25) & (abs(r - b) < 110)
    v = ((r + b) / 2)[..., None] / 190
    a[..., :3] = np.where(m[..., None], np.clip(np.array(colour) * v, 0, 255), a[..., :3])
    return Image.fromarray(a)


def flare_map(k, g, w, h, root):
    """Draws a part of one of Flare's own maps."""
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
    """Reads an s-expression as nested lists of strings."""
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
    """Returns {id: picture} of the tiles, which are cut from sheets or stand alone in a file."""
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
    """Draws a part of one of SuperTux' own levels, with its inhabitants."""
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
    """Draws a part of one of Pingus' own levels."""
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
    """Draws LBreakout's bricks on its backgrounds."""
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
    """Returns the share of blocks that show nothing."""
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
