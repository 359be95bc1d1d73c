"""PyTorch's side of `cargo xtask bench zoo`: the same work as crates/in9-models/examples/bench_zoo.rs.

    python tests/oracles/zoo_peer.py --arch resnet50 --work infer --batch 16 [--iterations 3] [--threads 2]

Prints one JSON line for each memory layout (nchw, channels_last):
{"arch": …, "work": …, "variant": …, "ms": median, "peak_mb": of the process so far, "peer": "torch 2.x"}
Works: infer (evaluation, inference_mode), train (cross entropy, backward, SGD with momentum).
Networks are those of torchvision and timm at their own input size, with 1000 classes.
"""

import argparse
import json
import resource
import time

import timm
import torch
import torchvision


def network(arch: str):
    if arch in torchvision.models.list_models():
        return getattr(torchvision.models, arch)()
    return timm.create_model(arch)


def prepare(options, variant: str):
    """A function that does the work once."""
    torch.manual_seed(0)
    model = network(options.arch)
    layout = torch.channels_last if variant == "channels_last" else torch.contiguous_format
    model = model.to(memory_format=layout)
    images = torch.randn(options.batch, 3, options.size, options.size).to(memory_format=layout)
    if options.work == "infer":
        model.eval()

        def infer():
            with torch.inference_mode():
                model(images)

        return infer
    model.train()
    labels = torch.arange(options.batch) % 1000
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4)

    def train():
        optimizer.zero_grad(set_to_none=True)
        loss = torch.nn.functional.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        loss.item()

    return train


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--arch", required=True)
    parser.add_argument("--work", choices=["infer", "train"], required=True)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--iterations", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    for variant in ("nchw", "channels_last"):
        run = prepare(options, variant)
        run()
        times = []
        for _ in range(options.iterations):
            start = time.perf_counter()
            run()
            times.append((time.perf_counter() - start) * 1e3)
        times.sort()
        record = {
            "arch": options.arch,
            "work": options.work,
            "variant": variant,
            "ms": round(times[len(times) // 2], 2),
            "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
            "peer": f"torch {torch.__version__}",
        }
        print(json.dumps(record), flush=True)


main()
