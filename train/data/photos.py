# SPDX-License-Identifier: GPL-2.0-or-later
"""Collects free photographs, because a network that is trained on few learns these by heart.

    python3 -m train.data.photos OUT [--debs DIR] [--git DIR]

makes OUT/NAME.jpg and OUT/MANIFEST.md from wallpapers of Debian's packages and from photographs of
public repositories, each with a licence that its package or repository states. Photos are shrunk,
so that they are sharp and free of traces of their compression; the richer in detail a photo is, the
more it is shrunk.

DIR keeps the packages (170 MB), or holds bare clones called OWNER+NAME; without DIR both are
fetched and deleted again. The photos of the evaluation clips (record.sh, eval/) and others by the same
photographers are not used, nor are photos that only the terms of a stock site cover. Needs Pillow,
git and Debian 12's apt-get.
"""

import argparse
import glob
import io
import os
import re
import subprocess
import tempfile
import unicodedata

from PIL import Image, ImageOps

SIDES = 960, 896, 832, 768, 720, 672, 640, 608
SMALLEST = 520, 400
SHRINK = 1.25
MOST_BYTES = 90000

# (tag, package or (repository, commit), folder, licence, where it is stated, photos). A photo is a
# line: file | what it shows | attribution | licence, if it is another. Without an attribution the
# file's name tells it: TITLE_by_PHOTOGRAPHER.
SOURCES = (
    ("deb_lomiri16", "lomiri-wallpapers-16.04", "usr/share/backgrounds", "CC BY-SA 4.0", "", """
Dragonfly_by_Bolly.jpg | dragonfly on a twig, leaves
Picture_0B_by_freespace.jpg | half a fig in a red bowl | | CC BY 4.0
Picture_1A_by_freespace.jpg | paint brushes | | CC BY 4.0
Wine_by_Jakkub_Mede.jpg | room with a drum, wine on a table | | CC BY 4.0
"""),
    ("deb_lomiri20", "lomiri-wallpapers-20.04", "usr/share/backgrounds", "CC BY-SA 3.0", "", """
Kleiber_by_Lukas_Baubkus.jpg | nuthatch on a trunk, bark
"""),
    ("deb_mate", "mate-backgrounds", "usr/share/backgrounds/mate/nature", "GPL-2+", "", """
Dune.jpg | grass on a dune | "Dune" by Marco Cogoni and Hylke Bons
"""),
    ("deb_plasma", "plasma-workspace-wallpapers", "usr/share/wallpapers", "LGPL-3",
     "metadata.json beside it; GPL-2+ in ", """
BytheWater/contents/images/2560x1600.jpg | wet planks, water | "By the water" by Maciej Wiklo
ColorfulCups/contents/images/2560x1600.jpg | rows of cups | "Colorful Cups" by Dmitri Popov
EveningGlow/contents/images/2560x1600.jpg | boats on a shore | "Evening Glow" by Ian Hex
FallenLeaf/contents/images/2560x1600.jpg | dry leaves | "Fallen Leaf" by Martin Klapetek
OneStandsOut/contents/images/2560x1600.jpg | moss | "One Stands Out" by Risto Saukonpää
Path/contents/images/2560x1600.jpg | forest path | "Path" by Risto Saukonpää
"""),
    ("ub", ("azzamsa/ubuntu-wallpapers", "7cb53ad9c56a993b5f2e8d5505421f813ecfb6d2"), "curated",
     "CC BY-SA 3.0", "curated/COPYING", """
artful/Bloom_by_Victor_Madru.jpg | lily
artful/Grand_Canyon_North_Rim_by_Rihards_Vilks.jpg | canyon
artful/Green_Island_by_Radu_Galan.jpg | island, clear water
artful/Lighthouse_at_sunrise_by_Frenchie_Smalls.jpg | lighthouse, cliffs
artful/Lily_of_the_Valley_by_Robert_Slotte.jpg | green leaves
artful/More_Kamikochi_by_mendhak.jpg | river, mountains, larches
artful/Planking_is_going_against_the_grain_by_mendhak.jpg | weathered planks
artful/Voss_by_fortuneblues.jpg | fjord in snow
bionic/Cathédrale_Marie-Rheine-du-Monde_by_Thierry_Pon.jpg | church dome at night
bionic/El_Haouaria_by_Nusi_Nusi.jpg | rocks, cave
bionic/Halifax_Sunset_by_Vlad_Drobinin.jpg | yachts at dusk
bionic/On_top_of_the_Rubihorn_by_Matthias_Niess.jpg | mountain ridge
bionic/Raindrops_On_The_Table_by_Alex_Fazit.jpg | drops on a wooden table
bionic/Ross_Jones_Rockpool_(Sydney)_by_Chris_Carignan.jpg | sea pool
bionic/Spices_in_Athens_by_Makis_Chourdakis.jpg | sacks of spices
bionic/Wall_with_door_on_Gozo_by_Matthias_Niess.jpg | old wall with a door
cosmic/Black_sand_beach_by_Mads_Rosendahl.jpg | black beach, dry grass
cosmic/Carriage_Return_by_mendhak.jpg | alpine meadow, huts
cosmic/Cosmic_Cuttlefish_by_Jim_Coleman.jpg | cuttlefish
cosmic/Fairground_at_Night_by_martin.jpg | fairground rides at night
cosmic/Tapiola_Espoo_Cultural_Center_by_Agostino_Faedda.jpg | lit building by water
disco/Capucijnengang_by_Artem_Kavalerov.jpg | alley, brick houses
disco/Cramond_Island_by_Keanu_Kerr.jpg | causeway in the sea
disco/Staniel_Cay_by_Joseph_Bylund.jpg | white rocks, sea
disco/Tennis_ball_by_Artem_Kavalerov.jpg | tennis ball on a beach
disco/Water_of_Leith_by_Keanu_Kerr.jpg | old houses by a river, snow
eoan/Beijling_park_burial_path_by_Mattias_Andersson.jpg | park path, wall, tree
eoan/Frozen_sunset_on_the_lake_by_Manuel_Arslanyan.jpg | red boat at a jetty
eoan/Origin_of_nature_by_Julian_Tomasini.jpg | snowy peaks
jammy/DSC2943_by_kcpru.jpg | boardwalk in fields, low sun
jammy/ubuntu2_by_arman1992.jpg | valley, clouds, sun
karmic/Cherries.jpg | cherries on wood | "Cherries" by Dudley Carr
karmic/PrimulaRed.jpg | red primula | "Primula Red" by Ahisgett
karmic/Sand.jpg | rippled sand | "Sand 3" by Ahisgett
kinetic/Obersee_by_Uday_Nakade.jpg | lake, forest, reflection
lucid/Cornered.jpg | daisy | "Cornered" by Robert Parviainen
lucid/CurlsbyCandy.jpg | curled petals, grey leaves | "Curls" by Candy
lucid/FallDrops,AncientLight.jpg | leaf with drops | "Fall Drops,Ancient Light" by Orb9220
lucid/Icystones2.jpg | stones in ice | "Icy stones 2" by Robert Parviainen
lunar/Copper_Mountain_by_Eduardo_Battaglia.jpg | mountain, clouds
lunar/Warm_Filament_by_Eduardo_Battaglia.jpg | lamp with a filament
maverick/Blue_box_number_2_by_orb9220.jpg | dark boards, blue tile
maverick/Bubbles_by_JanneM.jpg | bubbles on red fruit
maverick/Life_by_Paco_Espinoza.jpg | green wheat
maverick/Liquid_glass_by_matthileo.jpg | drops on glass
maverick/Mirada_Perduda_by_Marxicoli.jpg | Dalmatian dog
maverick/Smile_by_quinn.anya.jpg | cinnamon stick
maverick/Spiral_by_firas.jpg | tendril
natty/Grey_day_by_Drew__.jpg | skyscrapers, black and white
natty/Signpost_by_maroubal2.jpg | arrow on a wooden post
oneiric/Darkening_Clockwork_by_Matt_Katzenberger.jpg | clockwork, gears
oneiric/Dybbølsbro_Station_by_SirPecanGum.jpg | railway tracks at dusk
oneiric/Langelinie_Allé_by_SirPecanGum.jpg | avenue in autumn
precise/London_Eye_From_Beneath_by_Fernando_García.jpg | big wheel from below
precise/Murales_by_Jan_Bencini.jpg | graffiti
quantal/Early_Morning_by_Robert_Katzki.jpg | frost on grass
quantal/Green_Plant_by_Simon_Schlegl.jpg | succulent
quantal/Roof_Tiles_by_Finn_Sturdy.jpg | roof tiles
raring/Brother_typewriter_by_awdean1.jpg | type bars of a typewriter
raring/Landing_by_Nic_Dahlquist.jpg | red rock, star trails
raring/Leftover_by_Sagar_Jain.jpg | volcanic hills
raring/Morning_Sun_on_Frost-Covered_Leaves_by_Gary_A_Stafford.jpg | leaves with frost
saucy/Grass_by_Jeremy_Hill.jpg | ears of barley
saucy/Mountains_by_JamesPickles.jpg | snowy mountains
saucy/The_City_of_Polen_by_MilanVankovski.jpg | stamens, yellow petals
saucy/Thingvellir_by_pattersa.jpg | moor, stream
trusty/Backyard_Mushrooms_by_Kurt_Zitzelman.jpg | mushrooms
trusty/Beach_by_Renato_Giordanelli.jpg | pebble beach, clouds
trusty/Jelly_Fish_by_RaDu_GaLaN.jpg | jellyfish
trusty/Mono_Lake_by_Angela_Henderson.jpg | tufa towers, lake
utopic/Empty_Space_by_Glenn_Rayat.jpg | bench, leaves
utopic/Kronach_leuchtet_2014_by_Brian_Fox.jpg | cobblestones in coloured light
utopic/Music_by_tomasino.cz.jpg | turntable, coffee cup
utopic/salcantayperu_by_Life_Nomadic.jpg | mountain valley
utopic/xgu472hf2_by_lariliikala.jpg | glass facade
vivid/Cedar_Wax_Wing_by_Raymond_Lavoie.jpg | waxwing on a spruce
vivid/Oyster_Catcher_in_the_Rocks_by_Raymond_Lavoie.jpg | oystercatcher, rocks
vivid/Primavera_by_Vivian_Morales.jpg | pink flowers
vivid/Tenerife_Roques_de_Anaga_by_Frederik_Schulz.jpg | rocks in the sea at sunset
vivid/Traviny_by_Tomasino.cz.jpg | reeds, sky
wily/Breaker_by_Lyle_Nel.jpg | insulators, cables
wily/Hotel_by_sarcasmrules2011.jpg | tower block
wily/Mediterranean_Sea_by_simosx.jpg | sea surface
wily/Sitting_Here,_Making_Fun_by_Philipp_Haegi.jpg | clover with drops
wily/Tranquil_by_Pat_David.jpg | sea anemones
xenial/Flora_by_Marek_Koteluk.jpg | feathery grass
xenial/Icy_Grass_by_Raymond_Lavoie.jpg | ice on grass
xenial/Night_lights_by_Alberto_Salvia_Novella.jpg | city at night from above
xenial/The_Land_of_Edonias_by_Γιωργος_Αργυροπουλος.jpg | poppies
xenial/clock_by_Bernhard_Hanakam.jpg | station clock
yakkety/Alien_wing_by_Ralph_Crützen.jpg | underside of a water lily leaf
yakkety/Haukland_Beach_view_by_Michele_Agostini.jpg | bay, mountains
yakkety/IMG_0081_by_Jobin_Babu.jpg | swallowtail butterfly
yakkety/IMG_7632_by_Jobin_Babu.jpg | path in an autumn forest
yakkety/Wanaka_Tree_by_Stephane_Pakula.jpg | tree in a lake
yakkety/Yala_mountain_by_Geza_Radics.jpg | autumn valley, mountains
zesty/A_star_has_fallen_by_Juan_Pablo_Lauriente.jpg | starfish on stones
zesty/Espaciolandia_by_Nando_uy.jpg | carousel roof
zesty/Forest_by_Moritz_Reisinger.jpg | mountain stream, firs
zesty/Mushrooms_3_by_moritzmhmk.jpg | mushrooms, leaves
zesty/Seebrücke_Graal-Müritz_by_Oliver_hb.jpg | pier at dusk
"""),
    ("mate", ("ubuntu-mate/ubuntu-mate-artwork", "7d8984c302dfb328bbb7c67aada46277c4e5e7aa"),
     "usr/share/backgrounds/ubuntu-mate-photos", "CC BY-SA 4.0", "debian/copyright", """
andrew-ridley-54228.jpg | green cliffs, road | photo by Andrew Ridley
gabriele-diwald-201135.jpg | rain on a window | photo by Gabriele Diwald
johann-siemens-591.jpg | tree in a meadow | photo by Johann Siemens
tommy-lisbin-189189.jpg | granite mountains | photo by Tommy Lisbin
"""),
    ("bb", ("BuddiesOfBudgie/budgie-backgrounds", "82067426f1dde366e9c9038fdbe457c2527525dd"),
     "backgrounds", "CC0-1.0", "LICENSE, README.md", """
casa-mila.jpg | courtyard from below | none required
roman-colosseum.jpg | Colosseum | none required
the-spices-of-life.jpg | market stall, spices | none required
"""),
    ("pop", ("pop-os/wallpapers", "03a25a14a76eaf3825b980ab50aad6698c1c5a35"), "original",
     "public domain", "README.md", """
galen-crout-175291.jpg | dish antenna | Galen Crout (none required)
nasa-45068.jpg | craters of the Moon | NASA (none required)
spacex-81773.jpg | spacecraft above a coast | SpaceX (none required)
"""),
    ("px", ("pixlsus/website", "3694c2e610b44487be39ec9e32ee0a736d8e04c3"), "src/blog/posts",
     "CC BY-SA 2.0", "index.md beside it", """
2015-04-13 An Opportunity/Mary Front.jpg | woman in a ruin | "Mary Front" by Pat David
2015-05-04 In Your Bag/MyBag.jpg | camera, flashes, bag on planks | photo by Pat David
2015-07-13 darktable Windows/three-windows.jpg | windows | by Erwin Soo | CC BY 2.0
2016-04-29 Post LGM/Mairi-Finsbury.jpg | woman in a park | by Pat David | CC BY-SA 3.0
2016-06-20 Updates/2016-06-16_oak.jpg | old oak | by Morgan Hardwood | CC BY-SA 4.0
2018-11-24 PlayRaw Calendar/monkey-business-dimitrios.jpg | monkey | by D. Psychogios | CC BY-SA 4.0
"""),
    ("mm", ("teeks99/multimedia-intro", "ab1f1dc09f8af80d8d00b424d2a60a86f807f076"), "Photos",
     "CC BY-SA, version not given", "Photos/Photos-*.html", """
Examples/Face-A-orig.jpg | face of a woman | "Blue Eyed Girl" by See-Ming Lee
Examples/Face-B-orig.jpg | face of a man with glasses | "Circle Glasses Guy" by See-Ming Lee
Examples/Face-Ex-orig.jpg | face of a woman | "Curly Hair Girl" by See-Ming Lee
Examples/LayerDemo-Ex-orig.jpg | racing car | "Stock Car Brazil Pace Car" by Morio
Examples/Levels-Ex-orig.jpg | mountain lake, rocks | "Colchuck Lake" by Mahalie Stackpole
Examples/Redeye-Ex-orig.jpg | three people in a bar | "Three Friends" by Russell Harrison
"""),
    ("mm", ("teeks99/multimedia-intro", "ab1f1dc09f8af80d8d00b424d2a60a86f807f076"),
     "Photos/RasterGraphics", "CC BY-SA 3.0", "LICENSE", """
LargeTortoise.jpg | tortoise on tiles | teeks99
"""),
    ("sti", ("anon8597299/smart-tech-innovations", "b12cbda753f0f1c1c3fc171ea9a8f109c9bece7e"),
     "assets/showcase/photos", "CC BY 2.0", "assets/showcase/photos/CREDITS.md", """
accounting-meeting.jpg | six people, a wall of pictures | photo by Senator Stabenow
clinic-waiting-room.jpg | waiting room, chairs | photo by Harrison Keely | CC BY 4.0
consulting-meeting.jpg | man and woman, books | photo by Senator Stabenow
hospitality-venue.jpg | steel and glass building | photo by Tony Webster
"""),
    ("talk", ("pganssle-talks/pyconf-hyderabad-2020-stable-interface",
              "e1c275b4d151f523c5d4306287be95f93cd1850e"), "external-images", "CC BY 2.0",
     "external-images/attribution.md", """
monkey-01.jpg | face of a monkey | "Monkey" by samuelrodgers752
"""),
    ("food", ("LukeSmithxyz/based.cooking", "2d8642ec41ccc6162ec3123c15024dd3d22cc33b"),
     "static/pix", "public domain", "README.md, LICENSE.md", """
beef-goulash.webp | goulash in a pan | none required
bread.webp | loaf of bread | none required
ceviche.webp | fish and rice on a plate | none required
cheesy-meatballs.webp | meatballs, grain | none required
croque-monsieur.webp | toasted sandwich | none required
csalad.webp | salad in a bowl | none required
danish-pancake.webp | pancakes | none required
guacamole.webp | guacamole, checked cloth | none required
italian-mulled-wine.webp | glasses of wine | none required
lavacake.webp | cake on a plate | none required
limoncello.webp | jug and glasses | none required
mapo-tofu-01.webp | tofu on rice | none required
no-knead-bread-1.webp | bread, cut | none required
pan-pizza.webp | pizza in a pan | none required
pasta-navy-style.webp | pasta, checked cloth, fork | none required
pickled-onions.webp | jar of onions | none required
ragu-napoletano-01.webp | pasta with tomatoes | none required
ravioli-02.webp | ravioli being made | none required
risengroed.webp | rice pudding | none required
roesti.webp | fried eggs, potatoes | none required
shakshouka-02.webp | eggs in tomatoes | none required
sourdough-bread-with-seeds-and-grains.webp | bread with seeds | none required
turkey-smoked-1.webp | roast turkey | none required
tuscan-style-pork-roast.webp | sliced roast, knife | none required
wholemeal-pizza.webp | pizza on a table | none required
"""),
)


def photos(lines):
    for line in lines.strip().splitlines():
        yield ([c.strip() for c in line.split("|")] + ["", ""])[:4]


def unpack(package, folder, work):
    """Downloads a Debian package, unless 'folder' has it, and unpacks it. Returns (folder,
    version)."""
    if not glob.glob(os.path.join(folder, package + "_*.deb")):
        subprocess.run(["apt-get", "download", "-qq", package], cwd=folder, check=True)
    deb = sorted(glob.glob(os.path.join(folder, package + "_*.deb")))[-1]
    to = os.path.join(work, package)
    subprocess.run(["dpkg-deb", "-x", deb, to], check=True)
    version = subprocess.check_output(["dpkg-deb", "-f", deb, "Version"], text=True)
    return to, version.strip()


def clone(repository, folder, work):
    """Returns the bare clone that 'folder' has, or a new one, which fetches files only when they
    are read."""
    name = repository.replace("/", "+")
    for to in (os.path.join(at, name) for at in (folder, work) if at):
        if os.path.isdir(to):
            return to
    subprocess.run(["git", "clone", "-q", "--bare", "--filter=blob:none",
                    "https://github.com/" + repository, to], check=True)
    return to


def label(path):
    """Returns ('Wall_with_door', '"Wall with door" by N. N.') for
    .../Wall_with_door_by_N._N..jpg."""
    name = os.path.splitext(os.path.basename(path))[0]
    if name[0].isdigit() and "x" in name and path.count("/") > 2:
        name = path.split("/")[0]  # plasma's files are called by their size
    title, _, who = name.rpartition("_by_")
    title = title or name
    return title, f'"{title}" by {who}'.replace("_", " ").strip()


def shrunk(data):
    """Returns a JPEG of the largest side whose file is small enough, or else of the smallest
    side."""
    im = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
    best = None
    for side in SIDES:
        scale = min(side / max(im.size), 1 / SHRINK)
        w, h = (round(v * scale) for v in im.size)
        if w < SMALLEST[0] or h < SMALLEST[1]:
            break
        out = io.BytesIO()
        im.resize((w, h), Image.Resampling.LANCZOS).save(out, "JPEG", quality=90, subsampling=0,
                                                         optimize=True)
        best = w, h, out.getvalue()
        if len(best[2]) <= MOST_BYTES:
            break
    return best


def collect(debs, repositories, work):
    """Yields (name, file's bytes, shows, source, licence, attribution) of every photo."""
    for tag, source, folder, usual, where, lines in SOURCES:
        if isinstance(source, str):
            root, version = unpack(source, debs or work, work)
            where += f"/usr/share/doc/{source}/copyright"
        else:
            root = clone(source[0], repositories, work)
        for path, shows, who, licence in photos(lines):
            whole = f"{folder}/{path}"
            if isinstance(source, str):
                whence = f"{source} {version}: {whole}"
                with open(os.path.join(root, whole), "rb") as f:
                    data = f.read()
            else:
                whence = f"{source[0]} {source[1][:8]}: {whole}"
                data = subprocess.check_output(["git", "-C", root, "cat-file", "blob",
                                                f"{source[1]}:{whole}"])
            title, by = label(path)
            plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
            name = f"{tag}_{re.sub('[^A-Za-z0-9]+', '-', plain).strip('-')}.jpg"
            yield name, data, shows, whence, f"{licence or usual}, {where}", who or by


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("out")
    p.add_argument("--debs", help="where the packages are kept")
    p.add_argument("--git", help="where bare clones of the repositories are")
    opt = p.parse_args()
    for folder in filter(None, (opt.out, opt.debs)):
        os.makedirs(folder, exist_ok=True)
    total, rows = 0, []
    with tempfile.TemporaryDirectory() as work:
        os.chmod(work, 0o755)
        for name, data, shows, source, licence, who in collect(opt.debs, opt.git, work):
            w, h, jpeg = shrunk(data)
            with open(os.path.join(opt.out, name), "wb") as f:
                f.write(jpeg)
            total += len(jpeg)
            rows.append(f"| `{name}` | {w}x{h} | {shows} | {source} | {licence} | {who}; shrunk |")
            print(f"{name} {w}x{h} {len(jpeg) // 1024} KiB", flush=True)
    with open(os.path.join(opt.out, "MANIFEST.md"), "w", encoding="utf-8") as f:
        f.write("# Photographs\n\nMade by `train/data/photos.py`.\n\n"
                "| file | size px | shows | source | licence, where stated | attribution |\n"
                "|---|---|---|---|---|---|\n" + "\n".join(rows) + "\n")
    print(f"{len(rows)} photos, {total / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
