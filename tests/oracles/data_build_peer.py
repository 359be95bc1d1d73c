"""The layers of a dataset by OpenCV and NumPy with two processes, for `cargo xtask bench data`: decode, filter,
grabCut (rectangle, 5 iterations), tile, resize, save.

    python tests/oracles/data_build_peer.py LIST.tsv SIDE OUT [PROCESSES]

Each line of LIST.tsv: photograph, xmin, ymin, xmax, ymax (inclusive), tab separated. Writes photo.npy, tiled.npy and
mask.npy below OUT and prints one JSON line: seconds from start to saved arrays without importing, photographs, kept.
"""

import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import cv2
import numpy as np


def tile(image, box):
    height, width = image.shape[:2]
    x0, y0, x1, y1 = box
    left, right, top, bottom = x0, width - 1 - x1, y0, height - 1 - y1
    vertical, horizontal = max(left, right) * height, max(top, bottom) * width
    if vertical == 0 and horizontal == 0:
        return None
    if vertical > horizontal:
        strip = image[:, :left] if left > right else image[:, x1 + 1 :]
    else:
        strip = image[:top] if top > bottom else image[y1 + 1 :]
    canvas = np.tile(strip, (-(-height // strip.shape[0]), -(-width // strip.shape[1]), 1))[:height, :width]
    out = image.copy()
    out[y0 : y1 + 1, x0 : x1 + 1] = canvas[y0 : y1 + 1, x0 : x1 + 1]
    return out


def square(picture, side):
    height, width = picture.shape[:2]
    short = min(height, width)
    y, x = (height - short) // 2, (width - short) // 2
    picture = picture[y : y + short, x : x + short]
    return picture if short == side else cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)


def one(job):
    cv2.setNumThreads(1)
    path, (x0, y0, x1, y1), side = job
    image = cv2.imread(path, cv2.IMREAD_COLOR)
    height, width = image.shape[:2]
    x1, y1 = min(x1, width - 1), min(y1, height - 1)
    if x1 - x0 < 2 or y1 - y0 < 2:
        return None
    short = min(height, width)
    cx, cy = (width - short) / 2, (height - short) / 2
    inside = max(0, min(x1 + 1, cx + short) - max(x0, cx)) * max(0, min(y1 + 1, cy + short) - max(y0, cy))
    area = (x1 - x0 + 1) * (y1 - y0 + 1)
    if inside > 0.9 * short * short or inside < 0.5 * area:
        return None
    labels = np.zeros((height, width), np.uint8)
    try:
        rect = (x0, y0, x1 - x0 + 1, y1 - y0 + 1)
        cv2.grabCut(image, labels, rect, np.zeros((1, 65)), np.zeros((1, 65)), 5, cv2.GC_INIT_WITH_RECT)
    except cv2.error:
        return None
    mask = ((labels == 1) | (labels == 3)).astype(np.uint8)
    if mask.sum() < 0.1 * area:
        return None
    tiled = tile(image, (x0, y0, x1, y1))
    if tiled is None:
        return None
    mask = square(mask * 255, side) > 127
    return (square(image, side), square(tiled, side), mask) if mask.any() else None


def main():
    listing, side, out = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    processes = int(sys.argv[4]) if len(sys.argv) > 4 else 2
    start = time.perf_counter()
    jobs = []
    for line in open(listing, encoding="utf-8"):
        path, *box = line.rstrip("\n").split("\t")
        jobs.append((path, tuple(map(int, box)), side))
    with ProcessPoolExecutor(processes) as pool:
        kept = [made for made in pool.map(one, jobs, chunksize=max(1, min(64, len(jobs) // 32))) if made]
    out.mkdir(parents=True, exist_ok=True)
    for name, layer in zip(("photo", "tiled", "mask"), zip(*kept)):
        np.save(out / f"{name}.npy", np.stack(layer))
    print(json.dumps({"seconds": time.perf_counter() - start, "photographs": len(jobs), "kept": len(kept)}))


if __name__ == "__main__":
    main()
