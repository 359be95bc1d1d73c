"""Scores folders of masks against ground truth.

    python tests/oracles/grabcut_score.py --list  KIND DATA OUT_DIR LIST.tsv [--limit N]
    python tests/oracles/grabcut_score.py --score KIND DATA OUT_DIR...  [--each]

KIND is one of
    msr    DATA/segmentation/msr-grabcut: the paper's boxes, exact masks; grey pixels are left out
    sod    DATA/segmentation/sod: the mask's bounding box grown by 2 px
    ilsvrc DATA/ilsvrc-val-slice: the photographs with one box (no ground truth: masks of the
           folders after the first are compared with the first)
    tiny   DATA/tiny-imagenet-200/val (no ground truth, likewise)

`--list` writes the list that the `segment` example and grabcut_peer.py take, with masks going to
OUT_DIR. `--score` prints, for each folder, the mean and median intersection over union.
"""

import argparse
import csv
import pathlib
import statistics

import numpy as np
from PIL import Image


def truth(kind, data, stem):
    """Foreground and counted pixels of a ground-truth mask, as booleans [height, width]."""
    if kind == "msr":
        grey = np.asarray(Image.open(data / f"segmentation/msr-grabcut/masks/{stem}.bmp").convert("L"))
        return grey == 255, (grey == 0) | (grey == 255)
    grey = np.asarray(Image.open(data / f"segmentation/sod/masks/{stem}.png").convert("L"))
    return grey > 127, np.ones(grey.shape, bool)


def items(kind, data):
    """Yields photograph and box (x0, y0, x1, y1), right and bottom exclusive."""
    if kind == "msr":
        folder = data / "segmentation/msr-grabcut"
        for box in sorted((folder / "boxes").glob("*.txt")):
            yield folder / f"images/{box.stem}.jpg", tuple(map(int, box.read_text().split()[:4]))
    elif kind == "sod":
        for photo in sorted((data / "segmentation/sod/images").glob("*.jpg")):
            fg, _ = truth(kind, data, photo.stem)
            rows, columns = np.flatnonzero(fg.any(1)), np.flatnonzero(fg.any(0))
            if rows.size == 0:
                continue
            height, width = fg.shape
            box = (
                max(columns[0] - 2, 0),
                max(rows[0] - 2, 0),
                min(columns[-1] + 3, width),
                min(rows[-1] + 3, height),
            )
            if box != (0, 0, width, height):
                yield photo, box
    elif kind == "ilsvrc":
        folder = data / "ilsvrc-val-slice"
        with open(folder / "LOC_val_solution.csv", newline="") as lines:
            for row in csv.DictReader(lines):
                fields = row["PredictionString"].split()
                photo = folder / f"ILSVRC/Data/CLS-LOC/val/{row['ImageId']}.JPEG"
                if len(fields) == 5 and photo.exists():
                    yield photo, tuple(map(int, fields[1:]))
    else:
        folder = data / "tiny-imagenet-200/val"
        for line in (folder / "val_annotations.txt").read_text().splitlines():
            name, _, x0, y0, x1, y1 = line.split("\t")
            yield folder / f"images/{name}", (int(x0), int(y0), int(x1), int(y1))


def overlap(mask, fg, counted):
    """Intersection over union of two boolean masks; 1 when both are empty."""
    union = ((mask | fg) & counted).sum()
    return (mask & fg & counted).sum() / union if union else 1.0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--score", action="store_true")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--each", action="store_true")
    parser.add_argument("kind", choices=["msr", "sod", "ilsvrc", "tiny"])
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("paths", type=pathlib.Path, nargs="+")
    args = parser.parse_args()
    todo = list(items(args.kind, args.data))[: args.limit]
    if args.list:
        out, target = args.paths
        out.mkdir(parents=True, exist_ok=True)
        lines = [f"{p}\t{b[0]}\t{b[1]}\t{b[2]}\t{b[3]}\t{out / p.stem}.png\n" for p, b in todo]
        target.write_text("".join(lines), encoding="utf-8")
        return
    scores = {folder: [] for folder in args.paths}
    for photo, _ in todo:
        masks = {}
        for folder in args.paths:
            path = folder / f"{photo.stem}.png"
            masks[folder] = np.asarray(Image.open(path)) > 127 if path.exists() else None
        if args.kind in ("msr", "sod"):
            fg, counted = truth(args.kind, args.data, photo.stem)
        else:
            fg = masks[args.paths[0]]
            if fg is None:
                continue
            counted = np.ones(fg.shape, bool)
        row = []
        for folder, mask in masks.items():
            score = 0.0 if mask is None else overlap(mask, fg, counted)
            scores[folder].append(score)
            row.append(f"{score:.4f}")
        if args.each:
            print(photo.stem, *row, sep="\t")
    for folder, values in scores.items():
        print(
            f"{folder}\tphotographs {len(values)}\tmean IoU {statistics.fmean(values):.4f}"
            f"\tmedian {statistics.median(values):.4f}"
        )


if __name__ == "__main__":
    main()
