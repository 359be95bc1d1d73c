"""Models of any framework: pictures in, logits out."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _in9
from ._dataset import Bytes, Dataset, Split
from ._memory import f32, u8
from ._transform import Transform, as_transform, known_transform
from .errors import ArgumentError, ModelError

Floats = npt.NDArray[np.float32]

#: A class of each output, for models that answer in neither the dataset's classes nor ImageNet's.
Classes = list[str] | list[int] | tuple[str, ...] | tuple[int, ...]


class Network:
    """A model with everything that decides its answers.

    Models may be a torch module, an ONNX Runtime session, or any function from float32 ``[n, 3, h, w]`` to
    ``[n, outputs]``. What one returns may be an array or tensor, or hold it as ``logits`` or as its first element.
    """

    def __init__(
        self,
        model: Any,
        dataset: Dataset,
        *,
        mapping: str = "a",
        classes: Classes | None = None,
        transform: Any = None,
        device: Any = None,
        name: str | None = None,
        arch: str | None = None,
        trained_on: str | None = None,
    ) -> None:
        self.model, self.dataset = model, dataset
        if classes is None:
            classes = getattr(model, "in9_classes", None)
        own = getattr(model, "transform", None)
        found = transform if transform is not None else own if isinstance(own, Transform) else known_transform(model)
        if found is None:
            raise ArgumentError(
                f"how inputs of {_name(model)} are normalised is not known "
                f'(expected transform=, such as "imagenet" or in9.Transform(mean, std))'
            )
        self.transform = as_transform(found)
        #: Whether the transform was said, rather than known from the model.
        self.asked_transform = transform is not None
        self.is_torch = is_torch(model)
        self.is_onnx = hasattr(model, "get_inputs") and hasattr(model, "run")
        if not (self.is_torch or self.is_onnx or callable(model)):
            raise ArgumentError(
                f"model (expected a torch module, an ONNX Runtime session or a function, found {type(model).__name__})"
            )
        self.device = self._device(device) if self.is_torch else device
        self.name = name or _name(model)
        self.arch = arch or _arch(model) or ""
        self._trained_on, self._mapping, self._classes = trained_on, mapping, classes
        self._outputs: _in9.Outputs | None = None

    def _device(self, device: Any) -> Any:
        import torch

        if device is not None:
            self.model.to(device)
            return torch.device(device)
        first = next(iter(self.model.parameters()), None)
        return torch.device("cpu") if first is None else first.device

    @property
    def outputs(self) -> _in9.Outputs:
        """How the outputs become classes; known when the model has answered once."""
        if self._outputs is None:
            size = self.dataset.size
            with self.evaluating():
                self.logits(np.zeros((1, size, size, 3), np.uint8))
        assert self._outputs is not None
        return self._outputs

    @property
    def mapping(self) -> str:
        """How the outputs become the dataset's classes, in words."""
        return self.outputs.mapping if self._classes is None else f"given classes, {self._mapping}"

    @property
    def trained_on(self) -> str:
        """What tables say that it was trained on: ``imagenet`` for a model of its thousand classes."""
        if self._trained_on is not None:
            return self._trained_on
        # A zero-shot classifier may answer in ImageNet's classes, but has not learnt them there.
        learnt = self._classes is None and not self.outputs.is_identity and not hasattr(self.model, "protocol")
        return "imagenet" if learnt else ""

    @contextmanager
    def evaluating(self) -> Iterator[None]:
        """The model in evaluation mode, and as it was afterwards."""
        if not self.is_torch:
            yield
            return
        import torch

        training = [module for module in self.model.modules() if module.training]
        self.model.eval()
        try:
            with torch.inference_mode():
                yield
        finally:
            for module in training:
                module.training = True

    def logits(self, rgb: Bytes) -> Floats:
        """Logits ``[n, outputs]`` of pictures ``[n, size, size, 3]``."""
        return self.logits_of(self.input(rgb))

    def input(self, rgb: Bytes) -> Any:
        """Pictures as the model takes them, float32 ``[n, 3, h, w]``."""
        transform = self.transform
        if not isinstance(transform, Transform):
            return _transformed(transform, rgb)
        n, size = rgb.shape[:2]
        rgb = np.ascontiguousarray(rgb)
        if transform.size is not None and transform.size != size:
            resized = _in9.resize(rgb.reshape(-1), size, transform.size, transform.interpolation)
            size = transform.size
            rgb = u8(resized)
        planes = _in9.normalise(rgb.reshape(-1), size, transform.mean, transform.std)
        return f32(planes).reshape(n, 3, size, size)

    def logits_of(self, planes: Any) -> Floats:
        """Logits ``[n, outputs]`` of inputs ``[n, 3, h, w]``."""
        n = len(planes)
        if self.is_torch:
            import torch

            tensor = planes if isinstance(planes, torch.Tensor) else torch.from_numpy(planes)
            found = self.model(tensor.to(self.device))
        elif self.is_onnx:
            found = self.model.run(None, {self.model.get_inputs()[0].name: np.asarray(planes)})
        else:
            found = self.model(planes if "torch" in sys.modules and _is_tensor(planes) else np.asarray(planes))
        logits = _array(found)
        if logits.ndim != 2 or logits.shape[0] != n:
            raise ModelError(f"{self.name}: outputs (expected [{n}, classes], found {list(logits.shape)})")
        if not np.isfinite(logits).all():
            raise ModelError(f"{self.name}: outputs are not finite (expected numbers, found NaN or infinity)")
        if self._outputs is None:
            table = None if self._classes is None else _table(self._classes, self.dataset)
            self._outputs = _in9.Outputs(self.dataset._rust, logits.shape[1], self._mapping, table)
        elif len(self._outputs) != logits.shape[1]:
            raise ModelError(f"{self.name}: outputs (expected {len(self._outputs)}, found {logits.shape[1]})")
        return logits

    def settings(self, split: Split) -> dict[str, str]:
        """Everything that decides the answers, for people."""
        return {
            "model": self.name,
            "arch": self.arch,
            "trained_on": self.trained_on,
            "transform": str(self.transform),
            "mapping": self.mapping,
            "dataset": self.dataset.name,
            "data": self.dataset.digest,
            "split": split.name,
            "device": str(self.device or "cpu"),
            **{f"protocol: {key}": str(value) for key, value in getattr(self.model, "protocol", {}).items()},
        }


def is_torch(model: Any) -> bool:
    """Whether a model is a torch module, without importing torch for one that is not."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(model, torch.nn.Module)


def _is_tensor(value: Any) -> bool:
    return isinstance(value, sys.modules["torch"].Tensor)


def _array(found: Any) -> Floats:
    """The logits in whatever a model returns."""
    if hasattr(found, "logits"):
        found = found.logits
    elif isinstance(found, dict) and "logits" in found:
        found = found["logits"]
    elif isinstance(found, (tuple, list)) and found and hasattr(found[0], "shape"):
        found = found[0]
    if hasattr(found, "detach"):
        found = found.detach().float().cpu().numpy()
    return np.ascontiguousarray(found, dtype=np.float32)


def _transformed(transform: Callable[[Any], Any], rgb: Bytes) -> Any:
    """Pictures through a function of one's own, each as a PIL image."""
    from PIL import Image

    pictures = [transform(Image.fromarray(picture)) for picture in rgb]
    if hasattr(pictures[0], "detach"):
        import torch

        return torch.stack(pictures)
    return np.stack([np.asarray(picture, np.float32) for picture in pictures])


def _table(classes: Classes, dataset: Dataset) -> list[int]:
    """The dataset's class of each output; -1 where it is none."""
    names = {name: at for at, name in enumerate(dataset.classes)}
    table = [names.get(entry, -1) if isinstance(entry, str) else int(entry) for entry in classes]
    if not any(entry >= 0 for entry in table):
        raise ArgumentError(
            f"classes (expected some of {', '.join(dataset.classes)}, found {', '.join(map(str, classes[:10]))})"
        )
    return table


def _name(model: Any) -> str:
    name = getattr(model, "name", None)
    return name if isinstance(name, str) and name else _arch(model) or _plain_name(model)


def _plain_name(model: Any) -> str:
    name = getattr(model, "__name__", None)
    return name if isinstance(name, str) and name != "<lambda>" else type(model).__name__


def _arch(model: Any) -> str | None:
    config = getattr(model, "pretrained_cfg", None)
    found = config.get("architecture") if isinstance(config, dict) else None
    return found if isinstance(found, str) and found else None
