"""The Python package's own rates, for `cargo xtask bench python`.

    python tests/oracles/python_rates.py load DATASET WORK BATCH THREADS EPOCHS
    python tests/oracles/python_rates.py memory DATASET EPOCHS

`load` goes over batches of torch tensors of the split train: pictures a second, the median of EPOCHS epochs after one to
warm up. WORK is mixed-rand-f32, mixed-rand-u8, original-f32 or original-u8. `memory` goes over EPOCHS epochs of the split
test and gives the peak of memory, in MiB, after a tenth of them and at the end. One JSON line.
"""

import json
import resource
import sys
import time

import in9


def load(folder, work, batch, threads, epochs):
    view, kind = work.rsplit("-", 1)
    batches = in9.Dataset(folder).torch(
        view,
        split="train",
        batch_size=int(batch),
        shuffle=True,
        pairing="fresh",
        normalize="imagenet-9" if kind == "f32" else None,
        threads=int(threads),
        prefetch=2 * int(threads),
    )
    rates = []
    for epoch in range(int(epochs) + 1):
        start, pictures = time.perf_counter(), 0
        for images, labels in batches:
            pictures += len(labels)
        if epoch:
            rates.append(pictures / (time.perf_counter() - start))
    return {"pictures_per_s": sorted(rates)[len(rates) // 2]}


def memory(folder, epochs):
    batches = in9.Dataset(folder).torch("mixed-rand", split="test", batch_size=64)
    peaks = []
    for epoch in range(int(epochs)):
        for images, labels in batches:
            pass
        if epoch + 1 in (int(epochs) // 10, int(epochs)):
            peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    return {"early_mib": peaks[0], "late_mib": peaks[-1]}


if __name__ == "__main__":
    print(json.dumps({"load": load, "memory": memory}[sys.argv[1]](*sys.argv[2:])))
