"""Grad-CAM, HiResCAM and input gradients by plain PyTorch hooks, as an oracle for in9-analysis.

Each tap is named as the module is in torchvision. The first tap of an architecture lies right before a global mean,
where the gradient is the same at every place and Grad-CAM and HiResCAM are one map; the others lie further inside,
where they are not. The maps are held against the package pytorch-grad-cam before they are written.

Weights are a formula of name and index that the test computes too, so no weight file exists. Needs torch, torchvision
and grad-cam. Run from the workspace root (seconds on one core):
    python tests/oracles/analysis_gradcam.py crates/in9-analysis/tests/fixtures/gradcam.json
"""
import json
import sys

import numpy as np
import torch
import torch.nn.functional as F
import torchvision
from pytorch_grad_cam import GradCAM, HiResCAM
from pytorch_grad_cam.utils.image import scale_cam_image
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

from formula import unit

torch.set_num_threads(1)
SIZE, STRIDE = 96, 7
# name: (gain of the batch norms, which keeps activations in range; class of each picture, for which no map is all
# negative; taps)
ARCHS = {
    "resnet18": (0.6, [8, 9], ["layer4.1", "layer3.1", "layer2.0"]),
    "mobilenet_v2": (0.9, [3, 7], ["features.18", "features.13"]),
    "shufflenet_v2_x1_0": (1.0, [0, 1], ["conv5", "stage3.7"]),
}


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
    for module in model.modules():
        if hasattr(module, "inplace"):
            module.inplace = False
    return model.double().eval()


def sampled(cam):
    """To the picture's size, divided by each map's largest value, sampled on a grid."""
    big = F.interpolate(cam[:, None], (SIZE, SIZE), mode="bilinear", align_corners=False)[:, 0]
    big = big / big.amax((1, 2), keepdim=True).clamp_min(1e-30)
    return [[float(f"{v:.7g}") for v in m[::STRIDE, ::STRIDE].flatten().tolist()] for m in big]


def check_package(method, model, module, inputs, classes, cam):
    """The package scales each map to 0..1 before and after it enlarges it; so does this."""
    with method(model=model, target_layers=[module]) as package:
        theirs = package(input_tensor=inputs, targets=[ClassifierOutputTarget(c) for c in classes])
    ours = scale_cam_image(scale_cam_image(cam.numpy(), (SIZE, SIZE)))
    worst = np.abs(theirs - ours).max()
    assert worst < 1e-5, f"{method.__name__}: {worst} from the package"


out = {"size": SIZE, "stride": STRIDE, "cases": []}
for arch, (gain, classes, taps) in ARCHS.items():
    model, kept, handles = make(arch, gain), {}, []
    for tap in taps:

        def hook(_, __, activation, tap=tap):
            activation.retain_grad()
            kept[tap] = activation

        handles.append(model.get_submodule(tap).register_forward_hook(hook))
    shape = (len(classes), 3, SIZE, SIZE)
    pixels = torch.from_numpy(unit("pixels", int(np.prod(shape))).astype(np.float64)).reshape(shape)
    pixels.requires_grad_()
    logits = model((pixels - 0.5) / 0.25)
    sum(logits[i, c] for i, c in enumerate(classes)).backward()
    for handle in handles:
        handle.remove()
    plain = sampled(pixels.grad.abs().amax(1))
    case = {"arch": arch, "gain": gain, "classes": classes, "input_gradient": plain, "taps": []}
    for tap in taps:
        a, g = kept[tap].detach(), kept[tap].grad
        grad_cam = F.relu((g.mean((2, 3), keepdim=True) * a).sum(1))
        hires_cam = F.relu((g * a).sum(1))
        assert grad_cam.amax((1, 2)).min() > 0 and hires_cam.amax((1, 2)).min() > 0, (arch, tap)
        inputs, module = ((pixels - 0.5) / 0.25).detach(), model.get_submodule(tap)
        check_package(GradCAM, model, module, inputs, classes, grad_cam)
        check_package(HiResCAM, model, module, inputs, classes, hires_cam)
        maps = {"grad_cam": sampled(grad_cam), "hires_cam": sampled(hires_cam)}
        apart = np.abs(np.subtract(maps["grad_cam"], maps["hires_cam"])).max()
        print(f"{arch} {tap}: {tuple(a.shape)}, Grad-CAM and HiResCAM up to {apart:.3f} apart")
        assert (apart < 1e-6) == (tap == taps[0]), (arch, tap, apart)
        case["taps"].append({"tap": tap, **maps})
    out["cases"].append(case)
json.dump(out, open(sys.argv[1], "w"))
