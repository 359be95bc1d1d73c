"""Small weight files as torch writes them, for the readers' tests.

    python tests/oracles/zoo_weights.py OUT_DIR

OUT_DIR is crates/in9-models/tests/weights. Needs torch and numpy. Every file holds tensors whose
values are those of `expected()`; the Rust tests know the same numbers.
"""

import pickle
import sys
from collections import OrderedDict
from pathlib import Path

import torch


def expected() -> OrderedDict:
    base = torch.arange(24, dtype=torch.float32).reshape(4, 6) / 8
    state = OrderedDict()
    state["plain"] = base.clone()
    state["transposed"] = base.clone().t()
    state["shared.a"] = base[1:3]
    state["shared.b"] = base[:, ::2]
    state["half"] = torch.tensor([1.5, -2.0], dtype=torch.float16)
    state["brain"] = torch.tensor([1.5, -2.0], dtype=torch.bfloat16)
    state["double"] = torch.tensor([0.1], dtype=torch.float64)
    state["bn.num_batches_tracked"] = torch.tensor(7)
    state["flag"] = torch.tensor([True, False])
    state["empty"] = torch.zeros(0, 3)
    state["parameter"] = torch.nn.Parameter(torch.tensor([3.0]))
    return state


def main() -> None:
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    state = expected()
    torch.save(state, out / "legacy.pth", _use_new_zipfile_serialization=False)
    torch.save(state, out / "zip.pth")
    torch.save({"state_dict": {f"module.{k}": v for k, v in state.items()}, "epoch": 3, "best": 0.5}, out / "checkpoint.pth")

    # What the robustness library saves: network, attacker and normaliser side by side, an optimiser
    # beside them, pickled in the legacy layout by dill (whose stream for these types is pickle's).
    network = {"conv1.weight": torch.ones(2, 3, 1, 1), "fc.weight": torch.arange(4.0).reshape(2, 2)}
    model = OrderedDict()
    model["module.normalizer.new_mean"] = torch.tensor([0.4717, 0.4499, 0.3837]).reshape(3, 1, 1)
    model["module.normalizer.new_std"] = torch.tensor([0.2600, 0.2516, 0.2575]).reshape(3, 1, 1)
    for key, value in network.items():
        model[f"module.model.{key}"] = value
    model["module.attacker.normalize.new_mean"] = torch.tensor([0.4717, 0.4499, 0.3837]).reshape(3, 1, 1)
    for key, value in network.items():
        model[f"module.attacker.model.{key}"] = value
    optimizer = {
        "state": {0: {"momentum_buffer": torch.zeros(2, 2)}},
        "param_groups": [{"lr": 0.1, "momentum": 0.9, "params": [0]}],
    }
    checkpoint = {"model": model, "optimizer": optimizer, "schedule": None, "epoch": 199, "amp": None}
    torch.save(checkpoint, out / "robustness.pth", _use_new_zipfile_serialization=False)

    # Hostile ones that only a pickler can write.
    class Call:
        def __reduce__(self):
            return print, ("executed",)

    torch.save({"w": Call()}, out / "calls.pth")
    (out / "plain-pickle.pth").write_bytes(pickle.dumps({"w": [1.0]}, protocol=2))
    for path in sorted(out.glob("*.pth")):
        print(path.name, path.stat().st_size)


main()
