"""What the tests share: a small toy dataset, networks, and the data that only some machines have."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

import in9

#: Real photographs and weights, where there are any.
REAL = Path(os.environ.get("IN9_REAL_DATA", Path(__file__).parents[4] / "shared" / "data"))


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> in9.Dataset:
    """A toy dataset of 64 pixels: nine classes, a dozen training and eight test photographs each."""
    folder = tmp_path_factory.mktemp("data")
    return in9.toy(folder / "toy", train_per_class=12, test_per_class=8, seed=1, rho=0.8, progress=False)


@pytest.fixture(scope="session")
def model(data: in9.Dataset) -> Any:
    """A small timm network in the dataset's classes, trained for a moment so that its answers differ."""
    torch, timm = pytest.importorskip("torch"), pytest.importorskip("timm")
    torch.manual_seed(0)
    network = timm.create_model("resnet18", num_classes=len(data.classes))
    optimizer = torch.optim.SGD(network.parameters(), lr=0.02, momentum=0.9)
    network.train()
    batches = data.torch("original", batch_size=27, shuffle=True, normalize="imagenet")
    for _ in range(4):
        for pictures, labels in batches:
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(network(pictures), labels).backward()
            optimizer.step()
    return network.eval()


@pytest.fixture(scope="session")
def thousand() -> Any:
    """A timm network of ImageNet's thousand classes, with random weights."""
    torch, timm = pytest.importorskip("torch"), pytest.importorskip("timm")
    torch.manual_seed(1)
    return timm.create_model("resnet18").eval()


def real(name: str) -> Path:
    """A folder or file of real data; skips the test where there is none."""
    path = REAL / name
    if not path.exists():
        pytest.skip(f"no {name} in the folder of real data")
    return path
