"""PyTorch's side of `cargo xtask bench kernels`: the same work as crates/in9-kernels/examples/bench_networks.

    python tests/oracles/kernels_peer.py --work train-resnet-small [--variant nchw] [--iterations 5] [--threads 2]

Prints one JSON line for each variant:
{"work": …, "variant": …, "ms": median, "min_ms": …, "cpu_ms": processor time a run, "iterations": …, "peak_mb": …, "peer": "torch 2.x"}
Works: infer-resnet18 infer-resnet50 infer-mobilenet-v2 (batch 32, 224x224, evaluation),
train-resnet18 (batch 64, 64x64, 2x2 max pool in the stem), train-mobilenet-v2 (batch 16, 96x96),
train-resnet-small (batch 64, 64x64, nine classes).
Variants: nchw, channels_last; for inference also folded, channels_last_folded (batch norm folded).
Peak memory is of the whole process, so ask for one variant a process when it matters.
"""

import argparse
import json
import resource
import time

import torch
import torchvision
from torch import nn


def block(inputs, outputs, stride):
    """A basic residual block; returns (main path, shortcut)."""
    main = nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
        nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False),
        nn.BatchNorm2d(outputs),
    )
    shortcut = nn.Identity()
    if stride != 1 or inputs != outputs:
        shortcut = nn.Sequential(
            nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
        )
    return main, shortcut


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.main, self.shortcut = block(inputs, outputs, stride)

    def forward(self, x):
        return torch.relu(self.main(x) + self.shortcut(x))


def resnet_small(classes):
    layers = [nn.Conv2d(3, 32, 3, 2, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU(inplace=True)]
    width = 32
    for w in [32, 32, 64, 64, 128, 128, 256, 256]:
        layers.append(Block(width, w, 2 if w != width else 1))
        width = w
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, classes)]
    return nn.Sequential(*layers)


def build(work):
    """Network, batch, side, classes."""
    kind, _, name = work.partition("-")
    if name == "resnet-small":
        return resnet_small(9), 64, 64, 9
    network = {
        "resnet18": torchvision.models.resnet18,
        "resnet50": torchvision.models.resnet50,
        "mobilenet-v2": torchvision.models.mobilenet_v2,
    }[name]()
    if work == "train-resnet18":
        network.maxpool = nn.MaxPool2d(2)
    batch, side = {
        "infer": (32, 224),
        "train": (64, 64) if name == "resnet18" else (16, 96),
    }[kind]
    return network, batch, side, 1000


def prepare(work, variant):
    """A function that does the work once."""
    torch.manual_seed(0)
    network, batch, side, classes = build(work)
    images = torch.randn(batch, 3, side, side)
    if "channels_last" in variant:
        network = network.to(memory_format=torch.channels_last)
        images = images.to(memory_format=torch.channels_last)
    if work.startswith("infer"):
        network.eval()
        if "folded" in variant:
            from torch.fx.experimental.optimization import fuse

            network = fuse(network)

        def infer():
            with torch.inference_mode():
                network(images)

        return infer
    network.train()
    labels = torch.randint(0, classes, (batch,))
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4)

    def train():
        optimizer.zero_grad(set_to_none=True)
        loss = nn.functional.cross_entropy(network(images), labels)
        loss.backward()
        optimizer.step()
        loss.item()

    return train


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", required=True)
    parser.add_argument("--variant", action="append")
    parser.add_argument("--iterations", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    variants = options.variant or ["nchw", "channels_last"] + (
        ["folded", "channels_last_folded"] if options.work.startswith("infer") else []
    )
    for variant in variants:
        run = prepare(options.work, variant)
        run()
        times = []
        processor = time.process_time()
        for _ in range(options.iterations):
            start = time.perf_counter()
            run()
            times.append((time.perf_counter() - start) * 1e3)
        processor = (time.process_time() - processor) * 1e3 / options.iterations
        times.sort()
        print(
            json.dumps(
                {
                    "work": options.work,
                    "variant": variant,
                    "ms": round(times[len(times) // 2], 2),
                    "min_ms": round(times[0], 2),
                    "cpu_ms": round(processor, 2),
                    "iterations": options.iterations,
                    "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
                    "peer": f"torch {torch.__version__}",
                }
            ),
            flush=True,
        )


if __name__ == "__main__":
    main()
