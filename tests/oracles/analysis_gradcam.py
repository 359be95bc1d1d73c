"""Grad-CAM, HiResCAM and input gradients by plain PyTorch hooks, as an oracle for in9-analysis.

Weights are a formula of name and index that the test computes too, so no weight file exists. Run from the workspace root:
    python tests/oracles/analysis_gradcam.py crates/in9-analysis/tests/fixtures/gradcam.json
"""
import json
import sys

import numpy as np
import torch
import torch.nn.functional as F
import torchvision

torch.set_num_threads(2)
SIZE, COUNT, CLASSES, STRIDE = 96, 2, [3, 7], 7
# name: (tap here, module there, gain of the batch norms, which keeps activations in range)
# All three lie right before a global mean, where Grad-CAM and HiResCAM are the same map.
TAPS = {
    "resnet18": ("layer4.1", lambda m: m.layer4[1], 0.6),
    "mobilenet_v2": ("features.18", lambda m: m.features[18], 0.9),
    "shufflenet_v2_x1_0": ("conv5", lambda m: m.conv5, 1.0),
}


def unit(name, count):
    """FNV-1a of the name, then splitmix64 of (hash + index): 24 random bits in 0..1."""
    seed = 0xCBF29CE484222325
    for byte in name.encode():
        seed = ((seed ^ byte) * 0x100000001B3) % 2**64
    z = np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return (z >> np.uint64(40)).astype(np.float32) / np.float32(1 << 24)


def value(name, shape, gain):
    u, f = unit(name, int(np.prod(shape))), np.float32
    if name.endswith("running_mean"):
        v = (u - f(0.5)) * f(0.2)
    elif name.endswith("running_var"):
        v = u + f(0.5)
    elif name.endswith("bias"):
        v = (f(2) * u - f(1)) * f(0.1)
    elif len(shape) == 1:
        v = (u * f(0.5) + f(0.75)) * f(gain)
    else:
        v = (f(2) * u - f(1)) * f(np.sqrt(6.0 / np.prod(shape[1:])))
    return torch.from_numpy(v.astype(np.float32).reshape(shape))


def make(arch, gain):
    model = getattr(torchvision.models, arch)(num_classes=10)
    state = {k: v if k.endswith("num_batches_tracked") else value(k, tuple(v.shape), gain) for k, v in model.state_dict().items()}
    model.load_state_dict(state)
    return model.double().eval()


def enlarged(cam):
    """To the picture's size, divided by each map's largest value, sampled on a grid."""
    big = F.interpolate(cam[:, None], (SIZE, SIZE), mode="bilinear", align_corners=False)[:, 0]
    big = big / big.amax((1, 2), keepdim=True).clamp_min(1e-30)
    return [[float(f"{v:.7g}") for v in m[::STRIDE, ::STRIDE].flatten().tolist()] for m in big]


out = {"size": SIZE, "stride": STRIDE, "classes": CLASSES, "cases": []}
for arch, (tap, find, gain) in TAPS.items():
    model = make(arch, gain)
    for module in model.modules():
        if hasattr(module, "inplace"):
            module.inplace = False
    kept = {}

    def hook(_, __, activation):
        activation.retain_grad()
        kept["a"] = activation

    handle = find(model).register_forward_hook(hook)
    pixels = torch.from_numpy(unit("pixels", COUNT * 3 * SIZE * SIZE).astype(np.float64)).reshape(COUNT, 3, SIZE, SIZE)
    pixels.requires_grad_()
    logits = model((pixels - 0.5) / 0.25)
    sum(logits[i, c] for i, c in enumerate(CLASSES)).backward()
    a, g = kept["a"].detach(), kept["a"].grad
    grad_cam = F.relu((g.mean((2, 3), keepdim=True) * a).sum(1))
    hires_cam = F.relu((g * a).sum(1))
    plain = pixels.grad.abs().amax(1)
    assert grad_cam.amax((1, 2)).min() > 0 and hires_cam.amax((1, 2)).min() > 0, arch
    out["cases"].append({"arch": arch, "tap": tap, "gain": gain, "grad_cam": enlarged(grad_cam), "hires_cam": enlarged(hires_cam),
                         "input_gradient": enlarged(plain)})
    handle.remove()
json.dump(out, open(sys.argv[1], "w"))
