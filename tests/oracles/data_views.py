"""Every view of some photographs for profile `paper`, by Pillow and NumPy: the literal protocol, written from its text
(margins and tiling, the eight variants, compositing) and not from crates/in9-data.

    python tests/oracles/data_views.py LIST.tsv PAIRS.tsv OUT     > crates/in9-data/tests/fixtures/paper_views.csv

LIST.tsv: id, photograph (lossless, as decoded), mask (PNG, 0 or 255), xmin, ymin, xmax, ymax; tab separated.
PAIRS.tsv: view, foreground id, background id. Writes OUT/<side>/<view>/<id>.png for the sides 224 and 256 (as the
release stores pictures, and as the authors' script saves its composites) and prints id, side, view and the first
16 hexadecimal digits of the SHA-256 of its RGB bytes. `cargo test -p in9-data --release --test literal` runs it and
compares; with IN9_BLESS=1 it replaces the fixture by what this script printed.
"""

import csv
import hashlib
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw


def resize_and_crop(picture, side):
    """The shorter side to 256 by nearest neighbour, the longer cut down to a whole number, then the centre."""
    width, height = picture.size
    if width <= height:
        size = 256, int(256 * height / width)
    else:
        size = int(256 * width / height), 256
    picture = picture.resize(size, Image.NEAREST)
    left, top = int(round((size[0] - side) / 2)), int(round((size[1] - side) / 2))
    return picture.crop((left, top, left + side, top + side))


def tiled_background(photo, box):
    """The box filled with the largest strip beside it, tiled over the whole canvas."""
    xmin, ymin, xmax, ymax = box
    pixels = np.asarray(photo)
    height, width = pixels.shape[:2]
    left, right, top, bottom = xmin, width - xmax, ymin, height - ymax
    vertical, horizontal = max(left, right) * height, max(top, bottom) * width
    if vertical == 0 and horizontal == 0:
        raise ValueError("no margin outside the box")
    if vertical > horizontal:
        strip = photo.crop((0, 0, left, height) if left > right else (width - right, 0, width, height))
    else:
        strip = photo.crop((0, 0, width, top) if top > bottom else (0, height - bottom, width, height))
    canvas = Image.new("RGB", (width, height))
    for y in range(0, height, strip.height):
        for x in range(0, width, strip.width):
            canvas.paste(strip, (x, y))
    inside = Image.new("1", (width, height))
    ImageDraw.Draw(inside).rectangle((xmin, ymin, xmax, ymax), fill=1)
    return Image.composite(canvas, photo, inside)


class Sample:
    def __init__(self, row):
        self.id, photo, mask, *box = row
        self.box = tuple(map(int, box))
        self.photo = Image.open(photo).convert("RGB")
        pixels, mask = np.asarray(self.photo), (np.asarray(Image.open(mask)) > 127)[..., None]
        boxed = self.photo.copy()
        ImageDraw.Draw(boxed).rectangle(self.box, fill=(0, 0, 0))
        # At full resolution, as the script makes them.
        self.full = {
            "original": self.photo,
            "only-bg-b": boxed,
            "only-bg-t": tiled_background(self.photo, self.box),
            "no-fg": Image.fromarray(pixels * ~mask),
            "only-fg": Image.fromarray(pixels * mask),
        }


def mixed(foreground, background):
    """256 x 256: background wherever the resized foreground is exactly black."""
    front = np.asarray(resize_and_crop(foreground.full["only-fg"], 256))
    back = np.asarray(resize_and_crop(background.full["only-bg-t"], 256))
    black = (front == 0).all(axis=2, keepdims=True)
    return Image.fromarray(np.where(black, back, front))


def main():
    listing, pairs, out = sys.argv[1:4]
    rows = lambda path: csv.reader(open(path, encoding="utf-8", newline=""), delimiter="\t")
    samples = {row[0]: Sample(row) for row in rows(listing)}
    pairs = {(view, front): back for view, front, back in rows(pairs)}
    print("id,side,view,sha256")
    for sample in samples.values():
        for side in (224, 256):
            pictures = {view: resize_and_crop(picture, side) for view, picture in sample.full.items()}
            for view in ("mixed-same", "mixed-rand", "mixed-next"):
                picture = mixed(sample, samples[pairs[view, sample.id]])
                edge = (256 - side) // 2
                pictures[view] = picture.crop((edge, edge, edge + side, edge + side))
            for view, picture in pictures.items():
                path = Path(out, str(side), view, f"{sample.id}.png")
                path.parent.mkdir(parents=True, exist_ok=True)
                picture.save(path, compress_level=1)
                print(f"{sample.id},{side},{view},{hashlib.sha256(picture.tobytes()).hexdigest()[:16]}")


if __name__ == "__main__":
    main()
