"""Reference values for the parity tests of the architectures (torchvision and timm).

    python tests/oracles/zoo_parity.py OUT_DIR [ARCH ...]

OUT_DIR is crates/in9-models/tests/parity. Needs torch, torchvision, timm, numpy. Writes one JSON
file an architecture: for two input sizes, in evaluation and in training mode, the logits of two
pictures, sampled gradients with respect to the pictures and their norm; for training at the
second size also the gradient norm of every parameter and the norms of the running statistics.
Architectures that cannot be trained here have their logits only, and the largest of them the names and shapes of their
tensors.

Weights are a formula of (name, index) that the Rust side computes too (tests/parity/formula.rs),
so no weight file exists. At the second size everything is computed in f64 from f32 weights, so
the references carry no rounding of their own; at the first, the architecture's own, in f32 (f64
would take an hour). Dropout is off. The gradient is that of sum(cotangent * logits).

A unit that lies on the kink of its ReLU to within rounding has no well-defined gradient in f32,
and one such unit in a late layer moves the whole gradient by a percent: torch's own f32 then
differs from its f64 by as much. Two things keep the references clear of that. In training and at
the first size the weights are steady ones: batch norms put every channel well above or well below
zero (the same quarter of channels below in every layer, so that residual sums stay clear too). And
the pictures are noise of the first `salt` with which torch's own f32 keeps its gradient to 2e-4
when the pictures are scaled by 1.000001 and, where there is an f64 reference, against that;
`torch_f32` is the worst of these.
"""

import functools
import json
import sys
from pathlib import Path

import numpy as np
import timm
import torch
import torchvision

from formula import unit

CLASSES = 10
SAMPLES = 200

# name here: (library, name there, size 1, size 2, gain of the batch norms in evaluation)
# The gain keeps activations in range: residual sums grow with depth, plain chains do not.
ARCHS = {
    "alexnet": ("torchvision", "alexnet", 224, 95, 1.0),
    "vgg16_bn": ("torchvision", "vgg16_bn", 224, 64, 1.0),
    "resnet18": ("torchvision", "resnet18", 224, 96, 0.6),
    "resnet34": ("torchvision", "resnet34", 224, 96, 0.5),
    "resnet50": ("torchvision", "resnet50", 224, 64, 0.5),
    "resnet101": ("torchvision", "resnet101", 224, 64, 0.4),
    "resnet152": ("torchvision", "resnet152", 224, 64, 0.4),
    "wide_resnet50_2": ("torchvision", "wide_resnet50_2", 224, 64, 0.5),
    "shufflenet_v2_x0_5": ("torchvision", "shufflenet_v2_x0_5", 224, 64, 1.0),
    "shufflenet_v2_x1_0": ("torchvision", "shufflenet_v2_x1_0", 224, 64, 1.0),
    "mobilenet_v2": ("torchvision", "mobilenet_v2", 224, 96, 0.9),
    "mobilenet_v3_small": ("torchvision", "mobilenet_v3_small", 224, 64, 0.9),
    "mobilenet_v3_large": ("torchvision", "mobilenet_v3_large", 224, 64, 0.9),
    "mobilenetv3_small_100": ("timm", "mobilenetv3_small_100", 224, 64, 0.9),
    "mobilenetv3_large_100": ("timm", "mobilenetv3_large_100", 224, 64, 0.9),
    "tf_mobilenetv3_small_100": ("timm", "tf_mobilenetv3_small_100", 224, 65, 0.9),
    "tf_mobilenetv3_large_100": ("timm", "tf_mobilenetv3_large_100", 224, 65, 0.9),
    "efficientnet_b0": ("timm", "efficientnet_b0", 224, 64, 0.9),
    "tf_efficientnet_b0": ("timm", "tf_efficientnet_b0", 224, 65, 0.9),
    "efficientnet_lite0": ("timm", "efficientnet_lite0", 224, 64, 0.9),
    "tf_efficientnet_lite0": ("timm", "tf_efficientnet_lite0", 224, 65, 0.9),
    "tf_efficientnet_lite1": ("timm", "tf_efficientnet_lite1", 240, 65, 0.9),
    "tf_efficientnet_lite2": ("timm", "tf_efficientnet_lite2", 260, 65, 0.9),
    "dpn92": ("timm", "dpn92", 224, 64, 0.7),
    # For evaluation only, at one size.
    "vit_base_patch16_224": ("timm", "vit_base_patch16_224", 224, None, 1.0),
    "deit_tiny_patch16_224": ("timm", "deit_tiny_patch16_224", 224, None, 1.0),
    "deit_small_patch16_224": ("timm", "deit_small_patch16_224", 224, None, 1.0),
    "deit_base_patch16_224": ("timm", "deit_base_patch16_224", 224, None, 1.0),
    "convnext_tiny": ("timm", "convnext_tiny", 288, None, 1.0),
    "swin_tiny_patch4_window7_224": ("timm", "swin_tiny_patch4_window7_224", 224, None, 1.0),
    "swin_small_patch4_window7_224": ("timm", "swin_small_patch4_window7_224", 224, None, 1.0),
    "swin_base_patch4_window7_224": ("timm", "swin_base_patch4_window7_224", 224, None, 1.0),
    "vit_small_patch14_dinov2": ("timm", "vit_small_patch14_dinov2", 518, None, 1.0),
    "vit_small_patch14_reg4_dinov2": ("timm", "vit_small_patch14_reg4_dinov2", 98, None, 1.0),
    "vit_base_patch14_reg4_dinov2": ("timm", "vit_base_patch14_reg4_dinov2", 70, None, 1.0),
    "vit_small_patch16_dinov3": ("timm", "vit_small_patch16_dinov3", 96, None, 1.0),
    "vit_small_plus_patch16_dinov3": ("timm", "vit_small_plus_patch16_dinov3", 80, None, 1.0),
    "vit_base_patch16_dinov3": ("timm", "vit_base_patch16_dinov3", 64, None, 1.0),
    "vit_small_patch16_dinov3_qkvb": ("timm", "vit_small_patch16_dinov3_qkvb", 112, None, 1.0),
    # By their names and shapes only: they differ from those above in their sizes.
    "vit_base_patch14_dinov2": ("timm", "vit_base_patch14_dinov2", None, None, 1.0),
    "vit_large_patch14_dinov2": ("timm", "vit_large_patch14_dinov2", None, None, 1.0),
    "vit_large_patch14_reg4_dinov2": ("timm", "vit_large_patch14_reg4_dinov2", None, None, 1.0),
    "vit_large_patch16_dinov3": ("timm", "vit_large_patch16_dinov3", None, None, 1.0),
    "vit_small_plus_patch16_dinov3_qkvb": ("timm", "vit_small_plus_patch16_dinov3_qkvb", None, None, 1.0),
    "vit_base_patch16_dinov3_qkvb": ("timm", "vit_base_patch16_dinov3_qkvb", None, None, 1.0),
    "vit_large_patch16_dinov3_qkvb": ("timm", "vit_large_patch16_dinov3_qkvb", None, None, 1.0),
}


def options(arch: str) -> dict:
    """Pictures of other sizes than the published ones; the class token in the place of the patches' mean, as the authors have it."""
    if "reg4" in arch:
        return {"dynamic_img_size": True}
    return {"global_pool": "token"} if "dinov3" in arch else {}


# With the noise before these a unit lies so near a kink that only some roundings cross it.
FIRST_SALT = {"mobilenetv3_large_100": 1, "tf_efficientnet_lite2": 3}

# How far torch's own f32 may be from its reference for a salt to be taken.
SETTLED = 2e-4


def value(name: str, shape, gain: float, steady: bool) -> np.ndarray:
    count = int(np.prod(shape))
    u = unit(name, count)
    one, two, half = np.float32(1), np.float32(2), np.float32(0.5)
    if name.endswith("running_mean"):
        v = (u - half) * np.float32(0.2)
    elif name.endswith("running_var"):
        v = u + half
    elif name.endswith("bias") and steady:
        v = (u * np.float32(0.3) + np.float32(0.7)) * np.where(np.arange(count) % 4 == 3, -one, one)
    elif name.endswith("bias"):
        v = (two * u - one) * np.float32(0.1)
    elif len(shape) == 1:
        v = (u * half + np.float32(0.75)) * np.float32(0.1 if steady else gain)
    else:
        bound = np.float32(np.sqrt(6.0 / float(np.prod(shape[1:]))))
        v = (two * u - one) * bound
    return v.astype(np.float32).reshape(shape)


@functools.lru_cache(1)
def weights(arch: str, steady: bool) -> dict:
    """The state dict by the formula."""
    *_, gain = ARCHS[arch]
    state = bare(arch).state_dict()
    for key, old in state.items():
        if key.endswith("num_batches_tracked"):
            state[key] = torch.zeros_like(old, device="cpu")
        else:
            state[key] = torch.from_numpy(value(key, tuple(old.shape), gain, steady))
    return state


def bare(arch: str):
    library, name, *_ = ARCHS[arch]
    with torch.device("meta"):
        if library == "torchvision":
            return getattr(torchvision.models, name)(num_classes=CLASSES)
        return timm.create_model(name, num_classes=CLASSES, **options(arch))


def make(arch: str, steady: bool, dtype=torch.float32):
    model = bare(arch).to_empty(device="cpu")
    for module in model.modules():
        # What follows from sizes, which no state dict holds.
        if hasattr(module, "init_non_persistent_buffers"):
            module.init_non_persistent_buffers()
    model.load_state_dict(weights(arch, steady))
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return model.to(dtype)


def pictures(size: int, salt: int) -> torch.Tensor:
    noise = unit(f"input{size}.{salt}", 2 * 3 * size * size) * 4 - 2
    return torch.from_numpy(noise.reshape(2, 3, size, size))


def run(model, x: torch.Tensor, train: bool):
    """Logits and the gradient of the pictures, from a model whose running statistics move."""
    dtype = next(model.parameters()).dtype
    model.train(train).zero_grad()
    x = x.detach().to(dtype, copy=True).requires_grad_()
    cotangent = torch.from_numpy(unit("cotangent", 2 * CLASSES) * 2 - 1).reshape(2, CLASSES).to(dtype)
    logits = model(x)
    (logits * cotangent).sum().backward()
    return logits.detach().double(), x.grad.double()


def relative(a, b):
    return ((a - b).norm() / b.norm()).item()


def round7(v) -> float:
    return float(f"{float(v):.7g}")


def uncertainty(model, arch: str, size: int, train: bool, steady: bool, exact: bool, salt: int):
    """The model that made the reference, the reference, and torch's worst f32 distances from it."""
    x = pictures(size, salt)
    reference = run(model, x, train)
    others = [run(model, x * (1 + 1e-6), train)]
    if exact and relative(others[0][1], reference[1]) < SETTLED:
        model = make(arch, steady, torch.float64)
        others.append(reference)
        reference = run(model, x, train)
    return model, reference, [max(relative(o[i], reference[i]) for o in others) for i in (0, 1)]


def case(arch: str, size: int, train: bool, exact: bool) -> dict:
    steady = train or not exact
    model = make(arch, steady)
    for salt in range(FIRST_SALT.get(arch, 0), 40):
        used, (logits, grad), worst = uncertainty(model, arch, size, train, steady, exact, salt)
        if worst[1] < SETTLED:
            break
    else:
        raise SystemExit(f"{arch} at {size}, train {train}: no salt settles the gradient")
    flat = grad.flatten()
    step = flat.numel() // SAMPLES
    out = {
        "size": size,
        "train": train,
        "steady": steady,
        "dtype": "f64" if exact else "f32",
        "salt": salt,
        "logits": [round7(v) for v in logits.flatten()],
        "grad_norm": round7(grad.norm()),
        "grad_step": step,
        "grad": [round7(v) for v in flat[::step][:SAMPLES]],
        "torch_f32": {"logits": round7(worst[0]), "grad": round7(worst[1])},
    }
    if train and exact:
        out["parameter_grad_norms"] = {n: round7(p.grad.norm()) for n, p in used.named_parameters()}
        out["running_norms"] = {
            n: round7(b.norm()) for n, b in used.named_buffers() if n.endswith(("mean", "var"))
        }
    return out


def logits_only(arch: str, size: int) -> dict:
    model = make(arch, False).eval()
    with torch.no_grad():
        logits = model(pictures(size, 0))
    return {
        "size": size,
        "train": False,
        "steady": False,
        "dtype": "f32",
        "salt": 0,
        "logits": [round7(v) for v in logits.flatten()],
    }


def shortened(shapes: dict) -> list:
    """Names and shapes, those of equal blocks once, with `*` for the block and how many there are."""
    rows = {}
    for name, shape in shapes.items():
        parts = name.split(".")
        if parts[0] == "blocks":
            parts[1] = "*"
        row = rows.setdefault(".".join(parts), [0, shape])
        row[0] += 1
        assert row[1] == shape
    return [[name, count, shape] for name, (count, shape) in rows.items()]


def main() -> None:
    torch.set_num_threads(1)
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    for arch in sys.argv[2:] or ARCHS:
        library, name, first, second, gain = ARCHS[arch]
        if first is None:
            cases = []
        elif second is None:
            cases = [logits_only(arch, first)]
        else:
            cases = [
                case(arch, size, train, size == second)
                for size, train in ((second, False), (second, True), (first, False), (first, True))
            ]
        record = {
            "arch": arch,
            "reference": f"{library} {name}, torch {torch.__version__.split('+')[0]}, "
            f"torchvision {torchvision.__version__.split('+')[0]}, timm {timm.__version__}",
            "classes": CLASSES,
            "gain": gain,
            "parameters": sum(p.numel() for p in bare(arch).parameters()),
            "cases": cases,
        }
        if first is None:
            record["tensors"] = shortened({k: list(v.shape) for k, v in bare(arch).state_dict().items()})
        (out / f"{arch}.json").write_text(json.dumps(record, indent=0).replace(",\n", ", ") + "\n")
        settled = [(c["salt"], c.get("torch_f32")) for c in cases]
        print(arch, settled, [round(float(np.std(c["logits"])), 4) for c in cases], flush=True)


if __name__ == "__main__":
    main()
