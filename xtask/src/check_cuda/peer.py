"""PyTorch beside our GPU layers and networks: peer.py LAYERS OUT.json DEVICE SECONDS

Reads the inputs and outputs that `in9-models check-gpu --dump` wrote, computes the same layers in f32 without TF32,
and times the networks of torchvision channels last, with bf16 autocast and with TF32, eager and (ResNet-50)
compiled. Prints nothing but progress; writes JSON after each step, so that what is known stays if it is ended.
"""

import glob
import json
import os
import re
import sys
import time

try:
    import numpy as np
    import torch
    import torch.nn.functional as F
except ImportError as error:
    sys.exit(f"PyTorch: {error}")
if not torch.cuda.is_available():
    sys.exit(f"PyTorch {torch.__version__}: sees no GPU")

folder, out, number, seconds = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
deadline = time.time() + seconds
device = torch.device("cuda", number)
answers = {"torch": torch.__version__, "cudnn": torch.backends.cudnn.version(), "layers": [], "rates": {}, "errors": []}


def save():
    with open(out + ".part", "w") as file:
        json.dump(answers, file, indent=1)
    os.replace(out + ".part", out)


def failed(what, error):
    answers["errors"].append(f"{what}: {error!r}")
    print(f"PyTorch, {what}: {error!r}", file=sys.stderr)


def tensor(stem, part):
    return torch.from_numpy(np.load(f"{folder}/{stem}.{part}.npy")).to(device)


def layer(stem):
    """The function of a layer by the name of its files; None for one that PyTorch has no equal of."""
    numbers = [int(n) for n in re.findall(r"\d+", stem)]
    if stem.startswith("conv-"):
        x, w, (sy, sx), (top, bottom, left, right), (dy, dx), groups = (
            numbers[:4], numbers[4:8], numbers[8:10], numbers[10:14], numbers[14:16], numbers[16],
        )
        return lambda x, w, b: F.conv2d(
            F.pad(x, (left, right, top, bottom)), w, b, (sy, sx), 0, (dy, dx), groups
        )
    activations = {
        "None": lambda x: x, "Relu": F.relu, "Relu6": F.relu6, "HardSwish": F.hardswish, "Silu": F.silu,
        "HardSigmoid": F.hardsigmoid, "Sigmoid": torch.sigmoid,
    }
    if stem.startswith("batch-norm"):
        act = activations[stem.rsplit("-", 1)[1]]
        return lambda x, g, b: act(F.batch_norm(x, None, None, g, b, True, 0.1, 1e-3))
    if stem.startswith("activation-"):
        return activations[stem.rsplit("-", 1)[1]]
    if stem.startswith("residual-"):
        act = activations[stem.rsplit("-", 1)[1]]
        return lambda a, b: act(a + b)
    return {
        "max-pool-3-2-1": lambda x: F.max_pool2d(x, 3, 2, 1),
        "average-pool-3-2-1": lambda x: F.avg_pool2d(x, 3, 2, 1),
        "average-pool-to-6x6": lambda x: F.adaptive_avg_pool2d(x, 6),
        "mean-of-planes": lambda x: x.mean((2, 3)),
        "channel-gates": lambda x, g: x * g[:, :, None, None],
        "linear": F.linear,
    }.get(stem)


def parity():
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    for path in sorted(glob.glob(f"{folder}/*.dy.npy")):
        stem = path.rsplit("/", 1)[1].removesuffix(".dy.npy")
        f = layer(stem)
        if f is None:
            continue
        try:
            off = difference(stem, f)
        except Exception as error:  # One layer says nothing of the others.
            failed(stem, error)
            continue
        answers["layers"].append({"what": stem, "difference": off, "tolerance": 3e-4})


def difference(stem, f):
    count = len(glob.glob(glob.escape(f"{folder}/{stem}") + ".in*.npy"))
    inputs = [tensor(stem, f"in{i}").requires_grad_() for i in range(count)]
    y = f(*inputs)
    gradients = torch.autograd.grad(y, inputs, tensor(stem, "dy"), allow_unused=True)
    pairs = [(tensor(stem, "out"), y.detach())] + [
        (tensor(stem, f"grad{i}"), g) for i, g in enumerate(gradients) if g is not None
    ]
    return max(float((a - b).abs().max() / b.abs().max().clamp(min=1e-3)) for a, b in pairs)


def timed(work, runs=7):
    for _ in range(4):
        work()
    torch.cuda.synchronize()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return sorted(times)[len(times) // 2]


def rates():
    import torchvision.models as zoo

    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    names = ["resnet50", "mobilenet_v2", "efficientnet_b0", "shufflenet_v2_x1_0", "mobilenet_v3_large", "resnet18", "vgg16_bn"]
    # Compiled, ResNet-50 takes a minute or two; it comes first of the compiled ones, after the quick ones.
    cases = [(name, "bf16", "eager") for name in names]
    cases += [(name, "tf32", "eager") for name in names[:2]]
    cases += [(name, "bf16", "compiled") for name in names[:3]]
    for name, way, mode in cases:
        if time.time() > deadline - (60 if mode == "compiled" else 5):
            answers["errors"].append(f"{name} {way} {mode}: not timed, the time is up")
            continue
        answers["at"] = f"{name} {way} {mode}"
        save()
        try:
            network(getattr(zoo, name), name, 128 if name == "vgg16_bn" else 256, way, mode)
        except Exception as error:
            failed(f"{name} {way} {mode}", error)
        torch.cuda.empty_cache()


def network(build, name, batch, way, mode):
    bf16 = way == "bf16"
    cast = torch.autocast("cuda", torch.bfloat16, enabled=bf16)
    # As ours come out of the composition on the device.
    images = torch.randn(batch, 3, 224, 224, device=device, dtype=torch.bfloat16 if bf16 else torch.float32)
    images = images.to(memory_format=torch.channels_last)
    labels = torch.arange(batch // 2, device=device) % 1000
    net = build().to(device).to(memory_format=torch.channels_last)
    run = torch.compile(net) if mode == "compiled" else net
    step = torch.optim.SGD(net.parameters(), 1e-3, momentum=0.9, weight_decay=1e-4, fused=True)

    def infer():
        with torch.inference_mode(), cast:
            run(images)

    def train():
        step.zero_grad(set_to_none=True)
        with cast:
            loss = F.cross_entropy(run(images[: batch // 2]), labels)
        loss.backward()
        step.step()

    net.eval()
    answers["rates"][f"{name} inference of {batch} {way} {mode}"] = batch / timed(infer)
    save()
    net.train()
    answers["rates"][f"{name} training step of {batch // 2} {way} {mode}"] = batch // 2 / timed(train)
    save()


save()
parity()
save()
try:
    rates()
except Exception as error:  # Layers are worth having without networks: torchvision may be missing.
    failed("networks", error)
answers["at"] = ""
save()
