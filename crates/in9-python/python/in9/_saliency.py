"""Where a torch module looks, measured against the true masks."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from . import _in9
from ._dataset import Dataset, Split
from ._evaluate import as_split
from ._memory import f32
from ._model import Classes, Network
from ._predictions import Interval
from ._probe_results import ProbeResults, drawn, pictures, toml
from ._progress import Progress, ProgressFunction
from ._transform import Transform
from .errors import ArgumentError, ModelError

Method = Literal["grad-cam", "hires-cam", "input-gradient", "smooth-grad"]
METHODS: tuple[Method, ...] = ("grad-cam", "hires-cam", "input-gradient", "smooth-grad")


class MapRow(NamedTuple):
    """A map against the true object."""

    #: Place of the photograph in the split.
    image: int
    #: Predicted class; ``None`` is none of the dataset's.
    predicted: int | None
    #: How the map was made.
    method: str
    #: Layer of a class activation map.
    layer: str
    #: Share of the map on the object.
    mass: float
    #: The object's share of the picture.
    area: float
    #: Whether the highest place is on the object.
    pointing: float
    #: Intersection over union at the best threshold.
    iou: float


class Saliency(ProbeResults):
    """Maps of some photographs and how well they fall on the objects; prints as a table."""

    kind = "saliency"

    def __init__(
        self,
        summary: dict[str, Any],
        rows: list[MapRow],
        maps: dict[tuple[int, str, str], npt.NDArray[np.float32]],
        split: Split,
        folder: Path | None,
    ) -> None:
        super().__init__(summary, split, folder)
        #: A row a map.
        self.rows = rows
        #: The maps that were kept, ``[size, size]``, by place of the photograph, method and layer.
        self.maps = maps

    def lift(self, method: Method = "grad-cam", layer: str | None = None) -> Interval:
        """Share of the maps on the objects minus the objects' area: what the maps know."""
        return Interval._of(self._of(method, layer)["lift"])

    def mass(self, method: Method = "grad-cam", layer: str | None = None) -> Interval:
        """Share of the maps on the objects."""
        return Interval._of(self._of(method, layer)["mass"])

    def _of(self, method: str, layer: str | None) -> dict[str, Any]:
        for one in self.results["methods"]:
            if one["method"] == method and layer in (None, one["tap"]):
                found: dict[str, Any] = one
                return found
        raise KeyError(f"no maps by {method}" + ("" if layer is None else f" at {layer}"))

    def __str__(self) -> str:
        from ._tables import text

        s = self.results
        header = ["method", "layer", "images", "mass on foreground %", "lift (points)", "pointing %", "IoU %"]
        rows = [
            [m["method"], m["tap"] or "–", str(m["images"])]
            + [str(Interval._of(m[key])) for key in ("mass", "lift", "pointing", "iou")]
            for m in s["methods"]
        ]
        return text((f"{s['model']} on {s['dataset']} {s['split']}, {s['view']}", header, rows))

    def __repr__(self) -> str:
        return f"Saliency({self.results['model']}, {len(self.rows)} maps)"


def saliency(
    model: Any,
    dataset: Dataset | Split | str | os.PathLike[str],
    *,
    layers: str | list[str] | tuple[str, ...] | None = None,
    methods: tuple[Method, ...] | list[Method] = METHODS,
    view: str = "original",
    split: str | None = None,
    limit: int | None = None,
    steps: int = 8,
    samples: int = 16,
    keep: int = 9,
    seed: int = 0,
    classes: Classes | None = None,
    transform: Any = None,
    device: Any = None,
    batch_size: int = 64,
    name: str | None = None,
    trained_on: str | None = None,
    out: str | os.PathLike[str] | None = None,
    progress: bool | ProgressFunction = True,
) -> Saliency:
    """Saliency maps of a torch module, about the true class of each photograph, by the measures of ``in9 saliency``.

    Of a model of more outputs than classes (a thousand of ImageNet), a class's score is the logarithm of the summed
    exponentials of its outputs, that is of its summed probability but for a constant.

    Args:
        model: A torch module, as of :func:`in9.evaluate`.
        dataset: A dataset with masks, one of its splits, or a folder.
        layers: Modules whose output the class activation maps are of, by their names in ``model.named_modules()``; by
            default the last one whose output has places.
        methods: ``grad-cam``, ``hires-cam``, ``input-gradient``, ``smooth-grad``.
        view: View that the photographs are shown in; not a mixed one.
        split: By default ``test``, else the only one.
        limit: Uses only this many photographs, drawn by ``seed``.
        steps: Steps of the insertion and deletion curves; 0 leaves them out.
        samples: Noisy copies for ``smooth-grad``.
        keep: Photographs whose maps are kept, at most one a class until each has one.
        seed: Of every random choice.
        batch_size: Pictures asked at once.
        out: Folder to write, for the report.
        progress: Whether to show how far it is, or a function called with what is counted, done and total.
    """
    of = as_split(dataset, split)
    network = Network(
        model,
        of.dataset,
        mapping="b",
        classes=classes,
        transform=transform,
        device=device,
        name=name,
        trained_on=trained_on,
    )
    if not network.is_torch:
        raise ArgumentError(f"model (expected a torch module, found {type(model).__name__})")
    if not isinstance(network.transform, Transform):
        raise ArgumentError("transform (expected an in9.Transform, which gradients can pass, found a function)")
    gradients = Gradients(network)
    taps = [layers] if isinstance(layers, str) else list(layers or [gradients.default()])
    images = drawn(of, limit, seed, "saliency-images")
    asked = {"view": view, "taps": taps, "steps": steps, "samples": samples, "seed": seed}
    with Progress(progress) as bar, network.evaluating():
        summary, rows, kept = _in9.saliency(
            of._rust,
            lambda rgb, size: network.logits(pictures(rgb, size)).reshape(-1),
            gradients,
            network.outputs,
            images=images,
            keep=_first_of_each_class(of, images, keep),
            view_name=view,
            methods=list(methods),
            taps=taps,
            steps=steps,
            samples=samples,
            seed=seed,
            batch_size=batch_size,
            model=network.name,
            trained_on=network.trained_on,
            dataset=of.dataset.name,
            settings=toml({**network.settings(of), **asked}),
            out=None if out is None else os.fspath(out),
            progress=bar,
        )
    told = [MapRow(image, predicted, method, layer, *m) for image, predicted, method, layer, m in rows]
    maps = {(image, method, layer): _map(values, of.size) for image, method, layer, values in kept}
    return Saliency(json.loads(summary), told, maps, of, None if out is None else Path(out))


def _map(values: _in9.Buffer, size: int) -> npt.NDArray[np.float32]:
    return f32(values).reshape(size, size)


def _first_of_each_class(split: Split, images: list[int], count: int) -> list[int]:
    """The first photograph of each class, then further ones."""
    labels, seen = split.labels.tolist(), set[int]()
    first, rest = list[int](), list[int]()
    for image in images:
        (rest if labels[image] in seen else first).append(image)
        seen.add(labels[image])
    return (first + rest)[:count]


class Gradients:
    """Activations and gradients of a torch module, by hooks."""

    def __init__(self, network: Network) -> None:
        import torch

        assert isinstance(network.transform, Transform)
        self._network, self._torch, self._transform = network, torch, network.transform
        self._layers: dict[str, Any] = dict(network.model.named_modules())

    def taps(self) -> list[str]:
        """Names of the layers."""
        return [name for name in self._layers if name]

    def default(self) -> str:
        """The last layer whose output has places."""
        torch, shapes = self._torch, dict[str, tuple[int, ...]]()

        def note(name: str) -> Any:
            def hook(_module: Any, _inputs: Any, output: Any) -> None:
                if isinstance(output, torch.Tensor):
                    shapes.pop(name, None)
                    shapes[name] = tuple(output.shape)

            return hook

        hooks = [module.register_forward_hook(note(name)) for name, module in self._layers.items() if name]
        try:
            size = self._network.dataset.size
            with self._network.evaluating():
                self._network.logits(np.zeros((1, size, size, 3), np.uint8))
        finally:
            for hook in hooks:
                hook.remove()
        places = [name for name, shape in shapes.items() if len(shape) == 4 and min(shape[2:]) > 1]
        if not places:
            raise ModelError(f"{self._network.name}: no layer's output has places (expected [n, channels, h, w])")
        return places[-1]

    def tap_gradient(self, pixels: _in9.Buffer, size: int, classes: list[int], tap: str) -> Any:
        """Activation at a layer and the gradient of each picture's class with respect to it."""
        torch, found = self._torch, list[Any]()
        if tap not in self._layers:
            raise ArgumentError(f"unknown layer (expected one of {', '.join(self.taps())}, found {tap})")

        def hook(_module: Any, _inputs: Any, output: Any) -> Any:
            # Later layers may change it in place; the copy that goes on is theirs.
            found.append(output)
            return output.clone()

        with torch.inference_mode(False), torch.enable_grad():
            # The map must not depend on whether the weights are to be trained.
            planes = self._planes(pixels, size).requires_grad_()
            handle = self._layers[tap].register_forward_hook(hook)
            try:
                score = self._chosen(planes, classes)
            finally:
                handle.remove()
            if not found or not isinstance(found[0], torch.Tensor) or found[0].ndim != 4:
                shape = list(found[0].shape) if found and isinstance(found[0], torch.Tensor) else "something else"
                raise ModelError(f"layer {tap} has no places (expected [n, channels, height, width], found {shape})")
            activation = found[0]
            (gradient,) = torch.autograd.grad(score, activation)
        return self._values(activation), self._values(gradient), tuple(activation.shape)

    def input_gradient(self, pixels: _in9.Buffer, size: int, classes: list[int]) -> Any:
        """Gradient of each picture's class with respect to its pixels in 0 to 1."""
        torch = self._torch
        with torch.inference_mode(False), torch.enable_grad():
            values = f32(pixels).reshape(-1, 3, size, size)
            planes = torch.from_numpy(values).to(self._network.device).requires_grad_()
            (gradient,) = torch.autograd.grad(self._chosen(self._normalised(planes), classes), planes)
        return self._values(gradient)

    def _planes(self, pixels: _in9.Buffer, size: int) -> Any:
        values = f32(pixels).reshape(-1, 3, size, size)
        return self._normalised(self._torch.from_numpy(values).to(self._network.device).clamp(0, 1)).detach()

    def _normalised(self, planes: Any) -> Any:
        torch, transform = self._torch, self._transform
        if transform.size is not None and transform.size != planes.shape[-1]:
            side = (transform.size, transform.size)
            planes = torch.nn.functional.interpolate(planes, side, mode=transform.interpolation, antialias=True)
        shape = (1, 3, 1, 1)
        mean, std = (torch.tensor(v, device=planes.device).view(shape) for v in (transform.mean, transform.std))
        return (planes - mean) / std

    def _chosen(self, planes: Any, classes: list[int]) -> Any:
        """Sum over pictures of the score of their class: its gradient holds each picture's own."""
        torch = self._torch
        found = self._network.model(planes)
        logits = found if isinstance(found, torch.Tensor) else getattr(found, "logits", None)
        if logits is None:
            logits = found["logits"] if isinstance(found, dict) else found[0]
        table = torch.tensor(self._network.outputs.table, device=logits.device)
        members = table.unsqueeze(0) == torch.tensor(classes, device=logits.device).unsqueeze(1)
        return torch.logsumexp(logits.masked_fill(~members, -torch.inf), dim=1).sum()

    def _values(self, tensor: Any) -> Any:
        values = tensor.detach().float().cpu().contiguous().numpy().reshape(-1)
        if not np.isfinite(values).all():
            raise ModelError(f"{self._network.name}: gradients are not finite")
        return values
