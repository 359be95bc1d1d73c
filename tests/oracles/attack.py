"""Reference values for the attack of adversarial training (crates/in9-models/tests/attack.rs).

    python tests/oracles/attack.py crates/in9-models/tests/attack.json

Needs torch, torchvision, timm, numpy. Projected gradient descent without a random start, written as
the `robustness` library does it: a step along the normalised gradient (L2) or its sign (Linf) in
pixel space, projection onto the ball around the clean picture, then onto 0..1. ResNet-18 in
evaluation mode with the weights of zoo_parity.py, in f64, on two pictures of noise at 64 pixels.
Writes every 61st value of the perturbed pictures and the loss before and after.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
import zoo_parity

SIDE, STEP = 64, 61
MEAN = torch.tensor([0.4717, 0.4499, 0.3837], dtype=torch.float64).reshape(1, 3, 1, 1)
STD = torch.tensor([0.2600, 0.2516, 0.2575], dtype=torch.float64).reshape(1, 3, 1, 1)


def attack(model, clean, labels, norm, epsilon, steps, step_size):
    loss = torch.nn.CrossEntropyLoss()
    x = clean.clone()
    before = None
    for _ in range(steps):
        x.requires_grad_(True)
        value = loss(model((x - MEAN) / STD), labels)
        before = value.item() if before is None else before
        (g,) = torch.autograd.grad(value, x)
        with torch.no_grad():
            if norm == "l2":
                x = x + step_size * g / g.flatten(1).norm(dim=1).reshape(-1, 1, 1, 1)
                delta = (x - clean).flatten(1).renorm(2, 0, epsilon).reshape(x.shape)
            else:
                x = x + step_size * g.sign()
                delta = (x - clean).clamp(-epsilon, epsilon)
            x = (clean + delta).clamp(0, 1)
    return x, before, loss(model((x - MEAN) / STD), labels).item()


def main(path):
    model = zoo_parity.make("resnet18", True).double().eval()
    noise = zoo_parity.unit("attack", 2 * 3 * SIDE * SIDE).reshape(2, 3, SIDE, SIDE)
    clean = torch.from_numpy(noise.astype(np.float64))
    labels = torch.tensor([2, 7])
    cases = []
    for norm, epsilon, steps in [("l2", 1.0, 3), ("linf", 4 / 255, 3)]:
        step_size = 2.5 * epsilon / steps
        x, before, after = attack(model, clean, labels, norm, epsilon, steps, step_size)
        values = x.flatten()[::STEP].tolist()
        case = {"norm": norm, "epsilon": epsilon, "steps": steps, "loss_before": before, "loss_after": after}
        cases.append(case | {"pixels": [round(v, 9) for v in values]})
        print(norm, before, after)
    Path(path).write_text(json.dumps({"side": SIDE, "step": STEP, "cases": cases}) + "\n")


main(sys.argv[1])
