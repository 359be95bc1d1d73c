"""How far in9-data's JPEG decoder (zune-jpeg) is from Pillow's (libjpeg-turbo), and which step makes the difference.

    python tests/oracles/data_decoders.py DECODED JPEGS

DECODED holds NAME.png as in9-data decodes them (`cargo run --release -p in9-data --example decode -- JPEGS DECODED`),
JPEGS holds NAME.JPEG. For each chroma sampling prints, over all photographs: pixels, share of pixels that differ in
any channel, share of channel values that differ by 1, 2, 3 or more, the largest difference, and the same for luma as
each decoder's RGB implies it. Photographs without subsampled chroma show rounding of the inverse transform and of
the colour conversion alone; the rest adds how chroma is brought to full size.
"""

import collections
import sys
from pathlib import Path

import numpy as np
from PIL import Image, JpegImagePlugin

NAMES = {0: "4:4:4", 1: "4:2:2", 2: "4:2:0", -1: "grey or other"}


def main():
    decoded, jpegs = map(Path, sys.argv[1:3])
    counts = collections.defaultdict(lambda: np.zeros(256, np.int64))
    luma = collections.defaultdict(lambda: np.zeros(256, np.int64))
    pixels, differing, photos = collections.Counter(), collections.Counter(), collections.Counter()
    for path in sorted(decoded.glob("*.png")):
        with Image.open(jpegs / f"{path.stem}.JPEG") as file:
            kind = NAMES[JpegImagePlugin.get_sampling(file)]
            theirs = np.asarray(file.convert("RGB")).astype(np.int16)
        ours = np.asarray(Image.open(path).convert("RGB")).astype(np.int16)
        difference = np.abs(ours - theirs)
        weights = np.array([0.299, 0.587, 0.114])
        for name in (kind, "all"):
            counts[name] += np.bincount(difference.ravel(), minlength=256)
            luma[name] += np.bincount(np.rint(np.abs((ours - theirs) @ weights)).astype(int).ravel(), minlength=256)
            pixels[name] += difference.shape[0] * difference.shape[1]
            differing[name] += int((difference.max(axis=2) > 0).sum())
            photos[name] += 1
    print("sampling      photos  megapixels  pixels differing  values off by 1      2     3+  largest  luma off by 1     2+  largest")
    for name, values in sorted(counts.items()):
        share = 100 * values / values.sum()
        bright = 100 * luma[name] / luma[name].sum()
        print(
            f"{name:13} {photos[name]:6} {pixels[name] / 1e6:11.2f} {100 * differing[name] / pixels[name]:15.3f} % "
            f"{share[1]:14.3f} % {share[2]:6.3f} {share[3:].sum():6.3f} {np.flatnonzero(values).max():8} "
            f"{bright[1]:12.3f} % {bright[2:].sum():6.3f} {np.flatnonzero(luma[name]).max():8}"
        )


if __name__ == "__main__":
    main()
