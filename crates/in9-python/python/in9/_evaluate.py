"""A model on every view of a dataset, and what its answers say with their uncertainty."""

from __future__ import annotations

import json
import os
from typing import Any


from . import _in9
from ._card import card_of
from ._dataset import Dataset, Split
from ._model import Classes, Network
from ._predictions import Interval, Predictions
from ._progress import Progress, ProgressFunction
from ._tables import html
from ._transform import Transform
from .errors import ArgumentError


def evaluate(
    model: Any,
    dataset: Dataset | Split | str | os.PathLike[str],
    *,
    views: str | list[str] | tuple[str, ...] = "all",
    split: str | None = None,
    mapping: str = "a",
    classes: Classes | None = None,
    transform: Any = None,
    device: Any = None,
    batch_size: int = 128,
    name: str | None = None,
    arch: str | None = None,
    trained_on: str | None = None,
    dataset_name: str | None = None,
    level: float = 0.95,
    replicates: int = 2000,
    seed: int = 0,
    progress: bool | ProgressFunction = True,
) -> Result:
    """Asks a model about the views of a dataset.

    Args:
        model: A torch module, an ONNX Runtime session, a function from float32 ``[n, 3, h, w]`` to ``[n, outputs]``, or
            what :func:`in9.zero_shot` gives. A module is asked in evaluation mode and left as it was.
        dataset: A :class:`Dataset`, one of its splits, or a folder.
        views: ``all``, ``paper`` (its eight), ``controls`` (six that separate what pasting does from what a background
            says), a name, or several.
        split: By default ``test``, else the only one.
        mapping: How a thousand ImageNet outputs become the dataset's classes: ``a`` looks up the winner of all (the
            official rule), ``b`` sums probabilities by class.
        classes: For a model of other classes, the dataset's class of each output: names (any other is none of them), or
            numbers, negative for none.
        transform: From pictures to inputs: an :class:`Transform`, a name such as ``imagenet``, or a function of a PIL
            image. By default what a timm model was trained with; of other models it has to be said.
        device: Where a torch module is asked; it is moved there. By default where it is.
        batch_size: Pictures asked at once.
        name: The model's name in tables.
        arch: Its architecture in tables.
        trained_on: What tables say that it was trained on.
        dataset_name: The dataset's name in tables, by default its folder's.
        level: Of every interval.
        replicates: Bootstrap resamples.
        seed: Of the resamples.
        progress: Whether to show how far it is, or a function called with what is counted, done and total.

    Returns:
        The numbers of ``in9 predict`` and ``in9 score``, made by the same code.

    Raises:
        ArgumentError: an argument that nothing can be done with, such as a model whose normalisation is not known.
        ModelError: a model whose outputs are no logits.
        DataError: a damaged dataset.
    """
    of = as_split(dataset, split)
    network = Network(
        model,
        of.dataset,
        mapping=mapping,
        classes=classes,
        transform=transform,
        device=device,
        name=name,
        arch=arch,
        trained_on=trained_on,
    )
    table = _in9.Predictions(of.dataset._rust)
    wanted = views_of(views)
    with Progress(progress) as bar, network.evaluating():
        total, done = len(wanted) * len(of), 0
        for view in wanted:
            for planes, indices, backgrounds in _inputs(network, of, view, batch_size):
                logits = network.logits_of(planes)
                table.add(
                    of._rust,
                    view,
                    indices,
                    backgrounds,
                    logits.reshape(-1),
                    network.outputs,
                    model=network.name,
                    arch=network.arch,
                    trained_on=network.trained_on,
                    dataset=dataset_name or of.dataset.name,
                )
                done += len(indices)
                bar(f"{network.name} on {view}", done, total)
    card = card_of(network, of, wanted, dataset_name or of.dataset.name)
    if card is not None:
        table.describe(json.dumps(card))
    result = Result([Predictions(table)], level=level, replicates=replicates, seed=seed, settings=network.settings(of))
    result._tested.append((dataset_name or of.dataset.name, of))
    return result


def _inputs(network: Network, split: Split, view: str, batch_size: int) -> Any:
    """The model's inputs on a view, with the samples that they show."""
    transform = network.transform
    plain = isinstance(transform, Transform) and transform.size in (None, split.size)
    normalize = (transform.mean, transform.std) if plain else None
    for batch in split.batches(view, batch_size=batch_size, normalize=normalize).epoch(0):
        planes = batch.pictures if plain else network.input(batch.pictures)
        behind = None if batch.backgrounds is None else batch.backgrounds.tolist()
        yield planes, batch.indices.tolist(), behind


def as_split(dataset: Dataset | Split | str | os.PathLike[str], split: str | None = None) -> Split:
    """A split, however it is named."""
    if isinstance(dataset, Split):
        if split not in (None, dataset.name):
            raise ArgumentError(f"split (expected {dataset.name}, which was given, found {split})")
        return dataset
    return (dataset if isinstance(dataset, Dataset) else Dataset(dataset)).split(split)


def views_of(views: str | list[str] | tuple[str, ...]) -> list[str]:
    """Names of views, each once; ``all`` is every one, ``paper`` the eight of the paper, ``controls`` the six that the paper lacks."""
    names = [views] if isinstance(views, str) else list(views)
    several = {"all": _in9.VIEWS, "paper": _in9.PAPER_VIEWS, "controls": _in9.CONTROL_VIEWS}
    known = [view for name in names for view in several.get(name, [name])]
    for view in known:
        if view not in _in9.VIEWS:
            known_names = ", ".join(["all", "paper", "controls", *_in9.VIEWS])
            raise ArgumentError(f"unknown view (expected some of {known_names}, found {view})")
    if not known:
        raise ArgumentError("views (expected one at least, found none)")
    return list(dict.fromkeys(known))


class Result:
    """What predictions say, with intervals: prints as tables, and shows itself in notebooks.

    Numbers are fractions; they become percent and points when they are printed. ``accuracy``, ``gap`` and the like are
    of the first model, which is the only one unless several were put together (``result + other``).
    """

    def __init__(
        self,
        predictions: list[Predictions],
        *,
        level: float = 0.95,
        replicates: int = 2000,
        seed: int = 0,
        settings: dict[str, str] | None = None,
    ) -> None:
        tables = [one._rust for one in predictions]
        self._scores = _in9.Scores(tables, level=level, replicates=replicates, seed=seed)
        self._how: dict[str, Any] = {"level": level, "replicates": replicates, "seed": seed}
        # Names of datasets in the tables, and where they are: the report shows photographs of them.
        self._tested: list[tuple[str, Split]] = []
        #: The prediction tables.
        self.predictions = predictions
        #: What decided the answers: model, transform, mapping, the dataset's digest.
        self.settings = settings or {}
        #: Everything measured, as ``in9 score`` writes it into results.json.
        self.results: dict[str, Any] = json.loads(self._scores.json())

    @classmethod
    def of(cls, *predictions: Predictions, level: float = 0.95, replicates: int = 2000, seed: int = 0) -> Result:
        """The measures of prediction tables of any origin (:func:`in9.read_predictions`)."""
        return cls(list(predictions), level=level, replicates=replicates, seed=seed)

    @property
    def model(self) -> str:
        """Name of the model."""
        return str(self._first["key"]["model"])

    @property
    def classes(self) -> list[str]:
        """Names of the classes."""
        return list(self.results["classes"])

    @property
    def _first(self) -> dict[str, Any]:
        first: dict[str, Any] = self.results["models"][0]
        return first

    @property
    def accuracy(self) -> dict[str, Interval]:
        """Accuracy on each view, with Wilson's interval."""
        return {view: Interval._of(measures["accuracy"]) for view, measures in self._first["views"]}

    @property
    def balanced_accuracy(self) -> dict[str, Interval]:
        """Mean of the classes' recalls on each view."""
        return {view: Interval._of(measures["balanced"]) for view, measures in self._first["views"]}

    @property
    def gap(self) -> Interval | None:
        """BG-gap: accuracy on mixed-same minus accuracy on mixed-rand, paired bootstrap over foregrounds."""
        gap = self._first["gap"]
        return None if gap is None else Interval._of(gap["gap"])

    @property
    def balanced_gap(self) -> Interval | None:
        """The same of balanced accuracies."""
        gap = self._first["gap"]
        return None if gap is None else Interval._of(gap["balanced"])

    @property
    def categories(self) -> dict[str, Interval]:
        """Shares of the paper's categories: what each photograph's answer needed."""
        found = self._first["categories"]
        if found is None:
            return {}
        return {name: Interval._of(share) for name, share in zip(_in9.CATEGORIES, found["shares"])}

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Writes the prediction table, and its card, as ``in9 predict`` does, for ``in9 score``, ``compare``, ``report`` and
        ``leaderboard``."""
        if len(self.predictions) != 1:
            raise ArgumentError(f"a file for each table (expected 1 table, found {len(self.predictions)})")
        self.predictions[0].to_csv(path)

    def to_json(self, path: str | os.PathLike[str]) -> None:
        """Writes what is measured, as ``in9 score`` does."""
        with open(path, "w", encoding="utf-8") as file:
            file.write(self._scores.json())

    def to_pandas(self) -> Any:
        """Accuracies as a pandas ``DataFrame``: a row a model and view. ``predictions[0].to_pandas()`` has the pictures."""
        import pandas as pd

        rows = []
        for model in self.results["models"]:
            for view, measures in model["views"]:
                row = {**model["key"], "view": view, "correct": measures["correct"], "total": measures["total"]}
                for name in ("accuracy", "balanced"):
                    interval = Interval._of(measures[name])
                    row |= {name: interval.value, f"{name}_low": interval.low, f"{name}_high": interval.high}
                rows.append(row)
        return pd.DataFrame(rows)

    def report(self, out: str | os.PathLike[str], *, title: str | None = None) -> str:
        """Makes the self-contained page; the path of its index.html. See :func:`in9.report`."""
        from ._report import report

        return report(out, self, title=title)

    def __add__(self, other: Result) -> Result:
        both = Result(self.predictions + other.predictions, **self._how)
        both._tested = self._tested + other._tested
        return both

    def __str__(self) -> str:
        return self._scores.text().rstrip()

    def __repr__(self) -> str:
        return f"Result({', '.join(str(m['key']['model']) for m in self.results['models'])}, gap {self.gap})"

    def _repr_html_(self) -> str:
        parts = []
        for dataset, split, tables in self._scores.tables():
            parts.append(f"<h4>{dataset} · {split}</h4>")
            parts += map(html, tables)
        return "".join(parts)
