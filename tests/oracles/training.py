"""Numbers that in9-models' optimiser and schedules are tested against, from PyTorch.

usage: python tests/oracles/training.py
Prints the constants of crates/in9-models/src/train/{optimizer,schedule}.rs.
"""
import torch

slopes = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64), torch.tensor([0.25, 4.0], dtype=torch.float64)


def sgd(nesterov, decay_bias):
    w = torch.ones(3, dtype=torch.float64, requires_grad=True)
    b = torch.full((2,), -2.0, dtype=torch.float64, requires_grad=True)
    groups = [{"params": [w], "weight_decay": 0.1}, {"params": [b], "weight_decay": 0.1 if decay_bias else 0.0}]
    optimizer = torch.optim.SGD(groups, lr=0.1, momentum=0.9, nesterov=nesterov)
    for step in range(3):
        for group in optimizer.param_groups:
            group["lr"] = 0.1 / (step + 1)
        optimizer.zero_grad()
        ((w * slopes[0]).sum() + (b * slopes[1]).sum()).backward()
        optimizer.step()
    return w.tolist(), b.tolist()


def one_cycle(total):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=total)
    rates = []
    for step in range(total):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if step + 1 < total:
            schedule.step()
    return rates


print("NESTEROV", sgd(True, True))
print("PLAIN", sgd(False, False))
print("ONE_CYCLE", one_cycle(17))
