"""A PyTorch DataLoader that composes mixed-rand (or reads originals) from memory-mapped NumPy arrays, for
`cargo xtask bench data`.

    python tests/oracles/data_loader_peer.py ARRAYS WORK BATCH WORKERS EPOCHS

ARRAYS holds photo.npy, tiled.npy (u8 [n, s, s, 3]), mask.npy (bool [n, s, s]) and label.npy, as the example
bench_loader writes them. WORK is mixed-rand-f32, mixed-rand-u8, original-f32 or original-u8. Prints one JSON line:
pictures a second, the median of EPOCHS epochs after one to warm up.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

MEAN, STD = (torch.tensor(v).view(3, 1, 1) for v in ((0.4717, 0.4499, 0.3837), (0.2600, 0.2516, 0.2575)))


class Views(Dataset):
    def __init__(self, folder, view, floats):
        load = lambda name: np.load(Path(folder) / f"{name}.npy", mmap_mode="r")
        self.photo, self.tiled, self.mask = load("photo"), load("tiled"), load("mask")
        self.label = np.array(load("label"))
        self.members = [np.flatnonzero(self.label == c) for c in range(self.label.max() + 1)]
        self.view, self.floats = view, floats
        self.rng = np.random.default_rng(0)

    def __len__(self):
        return len(self.label)

    def __getitem__(self, index):
        picture = self.photo[index]
        if self.view == "mixed-rand":
            members = self.members[self.rng.integers(len(self.members))]
            background = self.tiled[members[self.rng.integers(len(members))]]
            picture = np.where(self.mask[index][..., None], picture, background)
        else:
            picture = np.array(picture)
        picture = torch.from_numpy(picture)
        if self.floats:
            picture = picture.permute(2, 0, 1).to(torch.float32).div_(255).sub_(MEAN).div_(STD)
        return picture, int(self.label[index])


def main():
    folder, work, batch, workers, epochs = sys.argv[1:6]
    view, kind = work.rsplit("-", 1)
    loader = DataLoader(
        Views(folder, view, kind == "f32"), int(batch), shuffle=True, num_workers=int(workers), persistent_workers=True
    )
    rates = []
    for epoch in range(int(epochs) + 1):
        start, pictures = time.perf_counter(), 0
        for images, labels in loader:
            pictures += len(labels)
        if epoch:
            rates.append(pictures / (time.perf_counter() - start))
    print(json.dumps({"pictures_per_s": sorted(rates)[len(rates) // 2]}))


if __name__ == "__main__":
    main()
