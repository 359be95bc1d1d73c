"""OpenCV's grabCut on the list that `cargo run --release -p grabcut --example segment` takes.

    python tests/oracles/grabcut_peer.py LIST.tsv [--iterations 5]

Each line of LIST.tsv: photograph, x0, y0, x1, y1, mask to write (PNG, 0 or 255), tab separated.
Prints, for each line, the photograph and the seconds of grabCut alone (one thread, without
decoding), tab separated. The photograph is handed over as RGB, as the paper's scripts do.
"""

import argparse
import sys
import time

import cv2
import numpy as np


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("list")
    parser.add_argument("--iterations", type=int, default=5)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    failures = 0
    with open(args.list, encoding="utf-8") as lines:
        for line in lines:
            if not line.strip():
                continue
            photo, x0, y0, x1, y1, out = line.rstrip("\n").split("\t")
            x0, y0, x1, y1 = map(int, (x0, y0, x1, y1))
            image = cv2.imread(photo, cv2.IMREAD_COLOR)
            if image is None:
                print(f"{photo}: cannot be decoded", file=sys.stderr)
                failures += 1
                continue
            image = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
            labels = np.zeros(image.shape[:2], np.uint8)
            background, foreground = np.zeros((1, 65)), np.zeros((1, 65))
            start = time.perf_counter()
            try:
                cv2.grabCut(
                    image,
                    labels,
                    (x0, y0, x1 - x0, y1 - y0),
                    background,
                    foreground,
                    args.iterations,
                    cv2.GC_INIT_WITH_RECT,
                )
            except cv2.error as error:
                print(f"{photo}: {str(error).strip()}", file=sys.stderr)
                failures += 1
                continue
            seconds = time.perf_counter() - start
            cv2.imwrite(out, np.where((labels == 1) | (labels == 3), 255, 0).astype(np.uint8))
            print(f"{photo}\t{seconds:.6f}", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
