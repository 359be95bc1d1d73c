"""The card of a prediction table: what was measured with what, so that ``in9 leaderboard`` can rank it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from . import _in9
from ._dataset import Split
from ._model import Network
from ._transform import Transform


def card_of(network: Network, split: Split, views: list[str], dataset_name: str) -> dict[str, Any] | None:
    """What the card of the answers on these views says; ``None`` where it could not be true.

    A card says by which mean, deviation and size pictures became inputs. A function of one's own does not tell them, and a
    card knows of one way to resize, Pillow's bicubic filter.
    """
    transform = network.transform
    if not isinstance(transform, Transform):
        return None
    side = transform.size or split.size
    if side != split.size and transform.interpolation != "bicubic":
        return None
    weights, origin = _weights(network)
    protocol = getattr(network.model, "protocol", {})
    told: dict[str, Any] = {
        "model": network.name,
        "arch": network.arch,
        "trained_on": network.trained_on,
        "weights": weights,
        "origin": origin,
        "mean": list(transform.mean),
        "std": list(transform.std),
        "normalization": "request" if network.asked_transform else "the model",
        "mapping": network.mapping,
    }
    if protocol:
        told["prompts"] = {
            "name": protocol["prompts"],
            "digest": protocol["digest"],
            "templates": [protocol["first prompt"]],
        }
    return {
        "device": str(network.device or "cpu"),
        "network": told,
        "test": {
            "dataset": dataset_name,
            "digest": split.dataset.digest,
            "pictures": "recomposed",
            "pairings": 1,
            "split": [{"name": split.name, "stored": split.size, "side": side, "views": views}],
        },
    }


def _weights(network: Network) -> tuple[str, str]:
    """BLAKE3 of the model's weights, empty where they cannot be seen, and where they are from in a few words."""
    model = network.model
    if network.is_torch:
        try:
            return _in9.digest(_state(model)), "state of a torch module"
        except (RuntimeError, TypeError, NotImplementedError):
            return "", "a torch module whose state has no plain bytes"
    path = getattr(model, "_model_path", None) if network.is_onnx else None
    if isinstance(path, (str, os.PathLike)) and os.path.isfile(path):
        with open(path, "rb") as file:
            return _in9.digest([file.read()]), os.path.basename(path)
    return "", "an ONNX Runtime session" if network.is_onnx else "a function"


def _state(model: Any) -> Iterator[bytes]:
    """Names, types, shapes and bytes of a torch module's state, in the order of the names."""
    import torch

    for name, value in sorted(model.state_dict().items()):
        yield f"{name}\0{value.dtype}\0{list(value.shape)}\0".encode()
        yield value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
