"""Photographs of kinds that our own encoder cannot write, with Pillow: a bright disc on a dark ground, 60 x 40.

    python tests/oracles/data_photographs.py crates/in9-data/tests/fixtures/photographs
"""

import sys
from pathlib import Path

from PIL import Image, ImageDraw

out = Path(sys.argv[1])
disc = Image.new("RGB", (60, 40), (20, 40, 70))
ImageDraw.Draw(disc).ellipse((18, 8, 41, 31), fill=(230, 200, 60))
disc.convert("CMYK").save(out / "cmyk.jpg", quality=90)
disc.save(out / "progressive.jpg", quality=90, progressive=True)
disc.save(out / "subsampled.jpg", quality=90, subsampling="4:2:0", restart_marker_blocks=2)
disc.convert("P", palette=Image.ADAPTIVE, colors=4).save(out / "palette.png")
disc.convert("L").point(lambda v: 255 * (v > 128)).convert("1").save(out / "one-bit.png")
