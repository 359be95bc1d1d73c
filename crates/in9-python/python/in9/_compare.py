"""Two models on the same photographs."""

from __future__ import annotations

import json
from typing import Any

from . import _in9
from ._evaluate import Result
from ._predictions import Interval, Predictions
from ._tables import Table, html, text
from .errors import ArgumentError


class Comparison:
    """Differences of two models, first minus second, with intervals and McNemar's tests; prints as tables."""

    def __init__(self, found: list[tuple[str, str, Table, str]]) -> None:
        self._found = found
        #: Everything compared, as ``in9 compare`` writes it into results.json: one entry a test set and pair of models.
        self.results: list[dict[str, Any]] = [json.loads(one) for *_, one in found]

    @property
    def gap(self) -> Interval | None:
        """Difference of the BG-gaps, paired bootstrap over the photographs that both were tested on."""
        gap = self.results[0]["gap"]
        return None if gap is None else Interval._of(gap["difference"])

    @property
    def accuracy(self) -> dict[str, Interval]:
        """Difference of the accuracies on each view."""
        return {view["view"]: Interval._of(view["difference"]) for view in self.results[0]["views"]}

    @property
    def p(self) -> dict[str, float]:
        """McNemar's exact test on each view: how likely a difference as large is if there is none."""
        return {view["view"]: float(view["mcnemar"]["p_exact"]) for view in self.results[0]["views"]}

    def __str__(self) -> str:
        return "\n\n".join(f"## {dataset} · {split}\n\n{text(table)}" for dataset, split, table, _ in self._found)

    def __repr__(self) -> str:
        return f"Comparison({self.results[0]['first']} minus {self.results[0]['second']}, gap {self.gap})"

    def _repr_html_(self) -> str:
        return "".join(html(table) for *_, table, _ in self._found)


def compare(
    first: Result | Predictions,
    second: Result | Predictions,
    *,
    level: float = 0.95,
    replicates: int = 2000,
    seed: int = 0,
) -> Comparison:
    """Compares two models on the photographs that both were asked about, as ``in9 compare`` does.

    Args:
        first: A result of :func:`in9.evaluate`, or a table of :func:`in9.read_predictions`.
        second: The other.
        level: Of every interval.
        replicates: Bootstrap resamples.
        seed: Of the resamples.

    Raises:
        ArgumentError: they share no dataset and split.
        DataError: they answer in different classes, or share no photograph.
    """
    found = _in9.compare(_table(first), _table(second), level=level, replicates=replicates, seed=seed)
    if not found:
        raise ArgumentError("no test set in common; evaluate both on the same dataset and split")
    return Comparison(found)


def _table(one: Result | Predictions) -> _in9.Predictions:
    if isinstance(one, Predictions):
        return one._rust
    if len(one.predictions) != 1:
        raise ArgumentError(f"compare takes one table of each (expected 1, found {len(one.predictions)})")
    return one.predictions[0]._rust
