"""Probes of frozen features: a linear classifier and nearest neighbours, trained on photographs, tested on every view."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch.nn.functional import cross_entropy, normalize, one_hot

from . import _in9
from ._dataset import Dataset
from ._evaluate import Result, _inputs, views_of
from ._model import Network
from ._predictions import Predictions
from ._progress import Progress, ProgressFunction
from .errors import ArgumentError, ModelError

Method = Literal["linear", "knn"]


@dataclass
class Probe:
    """What the probes answer; prints as the tables of both."""

    #: The result of each method.
    results: dict[str, Result]
    #: Training pictures' features, float64 ``[n, width]``, and their classes, ``[n]``.
    features: torch.Tensor
    labels: torch.Tensor

    @property
    def linear(self) -> Result:
        """Result of the linear probe."""
        return self.results["linear"]

    @property
    def knn(self) -> Result:
        """Result of the nearest neighbours."""
        return self.results["knn"]

    @property
    def result(self) -> Result:
        """Both in one."""
        first, *rest = self.results.values()
        return sum(rest, first)

    def __str__(self) -> str:
        return str(self.result)

    def _repr_html_(self) -> str:
        return self.result._repr_html_()


def probe(
    encoder: Any,
    dataset: Dataset | str | os.PathLike[str],
    *,
    train: str = "train",
    test: str | None = None,
    view: str = "original",
    views: str | list[str] | tuple[str, ...] = "all",
    methods: tuple[Method, ...] | list[Method] = ("linear", "knn"),
    l2: float = 1e-3,
    k: int = 20,
    temperature: float = 0.07,
    transform: Any = None,
    device: Any = None,
    batch_size: int = 128,
    name: str | None = None,
    progress: bool | ProgressFunction = True,
) -> Probe:
    """Trains classifiers on a frozen encoder's features of one view and asks them about every view.

    *Linear*: multinomial logistic regression on features brought to mean 0 and deviation 1, the mean cross-entropy plus
    ``l2`` / 2 times the squared weights, minimised by L-BFGS in double precision from zero: nothing is random. *knn*:
    the ``k`` nearest by cosine, each voting for its class with the weight exp(cosine / ``temperature``).

    Args:
        encoder: A torch module from ``[n, 3, h, w]`` to ``[n, width]``; of a timm classifier, what goes into its head.
        dataset: A dataset, or a folder.
        train: Split whose pictures the probes are trained on.
        test: Split that they are tested on: by default ``test``, else the only one.
        view: View that they are trained on.
        views: Views that they are tested on; ``all``, ``paper`` (its eight), a name, or several.
        methods: ``linear``, ``knn``.
        l2: Strength of the linear probe's penalty.
        k: Neighbours.
        temperature: Of their votes.
        transform: As of :func:`in9.evaluate`.
        device: Where the encoder is asked.
        batch_size: Pictures asked at once.
        name: The encoder's name in tables.
        progress: Whether to show how far it is, or a function called with what is counted, done and total.
    """
    data = dataset if isinstance(dataset, Dataset) else Dataset(dataset)
    unknown = [method for method in methods if method not in ("linear", "knn")]
    if unknown or not methods:
        raise ArgumentError(f"methods (expected some of linear, knn, found {', '.join(unknown) or 'none'})")
    network = Network(encoder, data, transform=transform, device=device, name=name)
    if not network.is_torch:
        raise ArgumentError(f"encoder (expected a torch module, found {type(encoder).__name__})")
    wanted, tested = views_of(views), data.split(test)
    training = data.split(train)
    tables = {method: _in9.Predictions(data._rust) for method in methods}
    outputs = _in9.Outputs(data._rust, len(data.classes))
    with Progress(progress) as bar:
        total, done = len(training) + len(wanted) * len(tested), 0
        parts, places = [], []
        for planes, indices, _ in _inputs(network, training, view, batch_size):
            parts.append(_features(network, planes))
            places += indices
            done += len(indices)
            bar(f"{network.name}: features of {train}", done, total)
        features, labels = torch.cat(parts), torch.from_numpy(training.labels[places])
        heads = {method: _HEADS[method](features, labels, len(data.classes), l2, k, temperature) for method in methods}
        for one in wanted:
            for planes, indices, backgrounds in _inputs(network, tested, one, batch_size):
                found = _features(network, planes)
                for method, head in heads.items():
                    tables[method].add(
                        tested._rust,
                        one,
                        indices,
                        backgrounds,
                        head(found).float().contiguous().numpy().reshape(-1),
                        outputs,
                        model=f"{network.name} {method}",
                        arch=network.arch,
                        trained_on=f"{method} probe on {view}",
                        dataset=data.name,
                    )
                done += len(indices)
                bar(f"{network.name}: {one}", done, total)
    results: dict[str, Result] = {}
    for method, table in tables.items():
        settings = {
            "model": network.name,
            "transform": str(network.transform),
            "protocol": f"linear, l2 {l2}" if method == "linear" else f"knn, k {k}, temperature {temperature}",
            "trained": f"{train} {view}",
            "data": data.digest,
        }
        results[method] = Result([Predictions(table)], settings=settings)
        results[method]._tested.append((data.name, tested))
    return Probe(results, features, labels)


def _features(network: Network, planes: Any) -> torch.Tensor:
    """Features ``[n, width]`` of inputs, float64 on the CPU."""
    tensor = planes if isinstance(planes, torch.Tensor) else torch.from_numpy(planes)
    model = network.model
    with network.evaluating():
        tensor = tensor.to(network.device)
        if hasattr(model, "forward_features") and hasattr(model, "forward_head"):
            found = model.forward_head(model.forward_features(tensor), pre_logits=True)
        elif hasattr(model, "encode_image"):
            found = model.encode_image(tensor)
        else:
            found = model(tensor)
    if not isinstance(found, torch.Tensor) or found.ndim != 2:
        raise ModelError(f"{network.name}: features (expected [n, width], found something else)")
    # A tensor of inference mode could not be trained on.
    return found.detach().cpu().double().clone()


def _linear(features: torch.Tensor, labels: torch.Tensor, classes: int, l2: float, *_: Any) -> Any:
    mean, std = features.mean(dim=0), features.std(dim=0, correction=0)
    std = torch.where(std > 0, std, torch.ones_like(std))
    scaled = (features - mean) / std
    weight = torch.zeros(features.shape[1], classes, dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(classes, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [weight, bias], max_iter=500, tolerance_grad=1e-9, tolerance_change=1e-12, line_search_fn="strong_wolfe"
    )

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        value = cross_entropy(scaled @ weight + bias, labels) + 0.5 * l2 * weight.square().sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    trained, offset = weight.detach(), bias.detach()
    return lambda found: ((found - mean) / std) @ trained + offset


def _nearest(
    features: torch.Tensor, labels: torch.Tensor, classes: int, _l2: float, k: int, temperature: float
) -> Any:
    known, votes = normalize(features, dim=1), one_hot(labels, classes).double()

    def head(found: torch.Tensor) -> torch.Tensor:
        cosine, nearest = (normalize(found, dim=1) @ known.T).topk(min(k, len(known)), dim=1)
        weight = torch.exp(cosine / temperature).unsqueeze(2)
        # Logits, so that softmax gives the shares of the votes.
        return torch.log((weight * votes[nearest]).sum(dim=1).clamp_min(1e-300)).clamp_min(-100.0)

    return head


_HEADS: dict[str, Any] = {"linear": _linear, "knn": _nearest}
