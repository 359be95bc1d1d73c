"""Checksums of Pillow's and torchvision's resizing, for the preprocessing tests.

    python tests/oracles/zoo_pillow.py crates/in9-models/tests/pillow.json

Needs numpy, pillow, torchvision. Pictures are noise by a formula that the Rust side repeats
(tests/parity/formula.rs), so none is stored; outputs are compared by CRC-32 of their bytes.
"""

import json
import sys
import zlib
from pathlib import Path

import numpy as np
import PIL
import torchvision
from PIL import Image
from torchvision.transforms import CenterCrop, Compose, InterpolationMode, Resize

from formula import unit

FILTERS = {"bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC}
RESIZES = [
    ((37, 53), (16, 16)),
    ((37, 53), (74, 100)),
    ((53, 37), (52, 37)),
    ((1, 1), (5, 3)),
    ((640, 2), (7, 9)),
    ((256, 341), (224, 224)),
    ((200, 180), (200, 90)),
    # About the border at which Pillow 13 does the height before the width.
    ((60, 120), (30, 60)),
    ((60, 120), (31, 60)),
    ((60, 60), (61, 59)),
    ((60, 60), (90, 65)),
    ((37, 200), (16, 16)),
    ((100, 341), (224, 224)),
]
PIPELINES = [(500, 375, 256, 224), (333, 500, 232, 224), (64, 64, 256, 224), (301, 300, 248, 224), (100, 300, 272, 240), (240, 500, 256, 224)]


def picture(width: int, height: int) -> Image.Image:
    noise = (unit(f"picture{width}x{height}", width * height * 3) * 256).astype(np.uint8)
    return Image.fromarray(noise.reshape(height, width, 3))


def crc(image: Image.Image) -> int:
    return zlib.crc32(image.tobytes())


def main() -> None:
    record = {"pillow": PIL.__version__, "torchvision": torchvision.__version__.split("+")[0], "resizes": [], "pipelines": []}
    for (width, height), to in RESIZES:
        for name, kind in FILTERS.items():
            out = picture(width, height).resize(to, kind)
            record["resizes"].append({"from": [width, height], "to": to, "filter": name, "crc": crc(out)})
    for width, height, resize, crop in PIPELINES:
        for name in FILTERS:
            steps = Compose([Resize(resize, InterpolationMode(name)), CenterCrop(crop)])
            out = steps(picture(width, height))
            row = {"from": [width, height], "resize": resize, "crop": crop, "filter": name, "crc": crc(out)}
            record["pipelines"].append(row)
    lines = json.dumps(record, indent=1)
    Path(sys.argv[1]).write_text(lines + "\n")


main()
