"""Reference values for the parity tests of the architectures (torchvision and timm).

    python tests/oracles/zoo_parity.py OUT_DIR [ARCH ...]

OUT_DIR is crates/in9-models/tests/parity. Needs torch, torchvision, timm, numpy. Writes one JSON
file an architecture: for two input sizes, in evaluation and in training mode, the logits of two
pictures, sampled gradients with respect to the pictures and their norm; for training at the
second size also the gradient norm of every parameter and the norms of the running statistics.

Weights are a formula of (name, index) that the Rust side computes too (tests/parity/formula.rs),
so no weight file exists. At the second size everything is computed in f64 from f32 weights, so
the references carry no rounding of their own; at the first, the architecture's own, in f32 (f64
would take an hour). `torch_f32` says how far torch's f32 is from the reference: from the f64
values, or from itself with the input scaled by 1.000001. Dropout is off. The gradient is that of
sum(cotangent * logits).
"""

import json
import sys
from pathlib import Path

import numpy as np
import timm
import torch
import torchvision

CLASSES = 10
SAMPLES = 200

# name here: (library, name there, size 1, size 2, gain of the batch norms)
# The gain keeps activations in range: residual sums grow with depth, plain chains do not.
ARCHS = {
    "alexnet": ("torchvision", "alexnet", 224, 95, 1.0),
    "vgg16_bn": ("torchvision", "vgg16_bn", 224, 64, 1.0),
    "resnet18": ("torchvision", "resnet18", 224, 96, 0.6),
    "resnet34": ("torchvision", "resnet34", 224, 96, 0.5),
    "resnet50": ("torchvision", "resnet50", 224, 96, 0.5),
    "resnet101": ("torchvision", "resnet101", 224, 96, 0.4),
    "resnet152": ("torchvision", "resnet152", 224, 96, 0.4),
    "wide_resnet50_2": ("torchvision", "wide_resnet50_2", 224, 96, 0.5),
    "shufflenet_v2_x0_5": ("torchvision", "shufflenet_v2_x0_5", 224, 96, 1.0),
    "shufflenet_v2_x1_0": ("torchvision", "shufflenet_v2_x1_0", 224, 96, 1.0),
    "mobilenet_v2": ("torchvision", "mobilenet_v2", 224, 96, 0.9),
    "mobilenet_v3_small": ("torchvision", "mobilenet_v3_small", 224, 96, 0.9),
    "mobilenet_v3_large": ("torchvision", "mobilenet_v3_large", 224, 96, 0.9),
    "mobilenetv3_small_100": ("timm", "mobilenetv3_small_100", 224, 96, 0.9),
    "mobilenetv3_large_100": ("timm", "mobilenetv3_large_100", 224, 96, 0.9),
    "tf_mobilenetv3_small_100": ("timm", "tf_mobilenetv3_small_100", 224, 97, 0.9),
    "tf_mobilenetv3_large_100": ("timm", "tf_mobilenetv3_large_100", 224, 97, 0.9),
    "efficientnet_b0": ("timm", "efficientnet_b0", 224, 96, 0.9),
    "tf_efficientnet_b0": ("timm", "tf_efficientnet_b0", 224, 97, 0.9),
    "efficientnet_lite0": ("timm", "efficientnet_lite0", 224, 96, 0.9),
    "tf_efficientnet_lite0": ("timm", "tf_efficientnet_lite0", 224, 97, 0.9),
    "tf_efficientnet_lite1": ("timm", "tf_efficientnet_lite1", 240, 97, 0.9),
    "tf_efficientnet_lite2": ("timm", "tf_efficientnet_lite2", 260, 97, 0.9),
    "dpn92": ("timm", "dpn92", 224, 96, 0.7),
}


def unit(name: str, count: int) -> np.ndarray:
    """FNV-1a of the name, then splitmix64 of (hash + index): 24 random bits as [0, 1)."""
    seed = 0xCBF29CE484222325
    for byte in name.encode():
        seed = ((seed ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + (np.arange(count, dtype=np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(40)).astype(np.float32) / np.float32(1 << 24)


def value(name: str, shape, gain: float) -> np.ndarray:
    count = int(np.prod(shape))
    u = unit(name, count)
    one, two, half = np.float32(1), np.float32(2), np.float32(0.5)
    if name.endswith("running_mean"):
        v = (u - half) * np.float32(0.2)
    elif name.endswith("running_var"):
        v = u + half
    elif name.endswith("bias"):
        v = (two * u - one) * np.float32(0.1)
    elif len(shape) == 1:
        v = (u * half + np.float32(0.75)) * np.float32(gain)
    else:
        bound = np.float32(np.sqrt(6.0 / float(np.prod(shape[1:]))))
        v = (two * u - one) * bound
    return v.astype(np.float32).reshape(shape)


def make(arch: str, dtype=torch.float32):
    library, name, *_, gain = ARCHS[arch]
    with torch.device("meta"):
        if library == "torchvision":
            model = getattr(torchvision.models, name)(num_classes=CLASSES)
        else:
            model = timm.create_model(name, num_classes=CLASSES)
    model = model.to_empty(device="cpu")
    state = model.state_dict()
    for key, old in state.items():
        if key.endswith("num_batches_tracked"):
            old.zero_()
        else:
            state[key] = torch.from_numpy(value(key, tuple(old.shape), gain))
    model.load_state_dict(state)
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return model.to(dtype)


def run(arch: str, size: int, train: bool, dtype, shift=0.0):
    model = make(arch, dtype).train(train)
    x = torch.from_numpy((unit(f"input{size}", 2 * 3 * size * size) * 4 - 2).reshape(2, 3, size, size))
    x = (x * (1 + shift)).to(dtype).requires_grad_()
    cotangent = torch.from_numpy(unit("cotangent", 2 * CLASSES) * 2 - 1).reshape(2, CLASSES).to(dtype)
    logits = model(x)
    (logits * cotangent).sum().backward()
    return model, logits.detach().double(), x.grad.double()


def relative(a, b):
    return ((a - b).norm() / b.norm()).item()


def round7(v) -> float:
    return float(f"{float(v):.7g}")


def case(arch: str, size: int, train: bool, exact: bool) -> dict:
    """One reference and the uncertainty of torch's own f32 about it.

    A unit that lies on the kink of its ReLU to within rounding has no well-defined gradient in
    f32; one such unit in a late layer moves the whole gradient by a percent.
    """
    if exact:
        model, logits, grad = run(arch, size, train, torch.float64)
        other = run(arch, size, train, torch.float32)
    else:
        model, logits, grad = run(arch, size, train, torch.float32)
        other = run(arch, size, train, torch.float32, shift=1e-6)
    flat = grad.flatten()
    step = flat.numel() // SAMPLES
    out = {
        "size": size,
        "train": train,
        "dtype": "f64" if exact else "f32",
        "logits": [round7(v) for v in logits.flatten()],
        "grad_norm": round7(grad.norm()),
        "grad_step": step,
        "grad": [round7(v) for v in flat[::step][:SAMPLES]],
        "torch_f32": {"logits": round7(relative(other[1], logits)), "grad": round7(relative(other[2], grad))},
    }
    if train and exact:
        out["parameter_grad_norms"] = {n: round7(p.grad.norm()) for n, p in model.named_parameters()}
        out["running_norms"] = {
            n: round7(b.norm()) for n, b in model.named_buffers() if n.endswith(("mean", "var"))
        }
    return out


def main() -> None:
    torch.set_num_threads(2)
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    for arch in sys.argv[2:] or ARCHS:
        library, name, first, second, gain = ARCHS[arch]
        cases = [
            case(arch, size, train, size == second) for size in (first, second) for train in (False, True)
        ]
        record = {
            "arch": arch,
            "reference": f"{library} {name}, torch {torch.__version__.split('+')[0]}, "
            f"torchvision {torchvision.__version__.split('+')[0]}, timm {timm.__version__}",
            "classes": CLASSES,
            "gain": gain,
            "parameters": sum(p.numel() for p in make(arch).parameters()),
            "cases": cases,
        }
        (out / f"{arch}.json").write_text(json.dumps(record, indent=0).replace(",\n", ", ") + "\n")
        print(arch, [c["torch_f32"] for c in cases], [round(float(np.std(c["logits"])), 4) for c in cases], flush=True)


main()
