"""Prediction tables, and numbers with their intervals."""

from __future__ import annotations

import math
import os
import warnings
from typing import Any, Literal, NamedTuple

from . import _in9
from ._dataset import Dataset


class Interval(NamedTuple):
    """An estimate between two confidence limits: fractions, which are printed as percent or points."""

    value: float
    low: float
    high: float

    @classmethod
    def _of(cls, json: dict[str, float | None]) -> Interval:
        # An undefined number is null in JSON.
        value, low, high = (json[key] for key in ("value", "low", "high"))
        return cls(*(math.nan if number is None else number for number in (value, low, high)))

    def __str__(self) -> str:
        value, low, high = (f"{100 * number:.1f}" for number in self)
        return value if math.isnan(self.low) else f"{value} [{low}, {high}]"


class Predictions:
    """A prediction table: one row per model, view and picture."""

    def __init__(self, rust: _in9.Predictions) -> None:
        self._rust = rust

    @property
    def classes(self) -> list[str]:
        """Names of the classes."""
        return self._rust.classes

    @property
    def models(self) -> list[str]:
        """Names of the models, each once."""
        return list(dict.fromkeys(model for model, *_ in self._rust.models()))

    def __len__(self) -> int:
        return len(self._rust)

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Writes the table as ``in9 score``, ``compare`` and ``report`` read it; the file appears whole or not at all.

        Beside a table that :func:`in9.evaluate` made, or that had one when it was read, stands its card,
        ``PATH.card.toml``, by which ``in9 leaderboard`` knows what it may be ranked with.
        """
        self._rust.write(os.fspath(path))

    def rows(self) -> list[dict[str, Any]]:
        """The rows, with the columns of the CSV file."""
        classes = self.classes

        def name(label: int | None) -> str:
            return "" if label is None else classes[label]

        rows = []
        for (model, arch, trained_on, dataset, split), told in self._rust.rows():
            view, image, foreground, background, label, behind, predicted, scores = told
            row: dict[str, Any] = {
                "model": model,
                "arch": arch,
                "trained_on": trained_on,
                "dataset": dataset,
                "split": split,
                "view": view,
                "image": image,
                "foreground": foreground,
                "background": background,
                "class": name(label),
                "background_class": name(behind),
                "predicted": name(predicted),
            }
            row.update((f"score_{name}", score) for name, score in zip(classes, scores))
            rows.append(row)
        return rows

    def to_pandas(self) -> Any:
        """The rows as a pandas ``DataFrame``."""
        import pandas as pd

        return pd.DataFrame(self.rows())

    def __repr__(self) -> str:
        return f"Predictions({len(self)} rows of {', '.join(self.models)})"


def read_predictions(
    path: str | os.PathLike[str],
    *,
    data: Dataset | str | os.PathLike[str] | None = None,
    labels: Literal["auto", "dataset", "imagenet"] = "auto",
) -> Predictions:
    """Reads a prediction table of any origin, and the card beside it.

    Args:
        path: The CSV file: a whole table, or with ``data`` bare answers, ``image,view,predicted``.
        data: The dataset that the pictures came from.
        labels: What numbers in the column ``predicted`` count.

    Raises:
        DataError: the table has mistakes; each is named with its line.
    """
    if data is not None and not isinstance(data, Dataset):
        data = Dataset(data)
    rust, notes = _in9.Predictions.read(os.fspath(path), None if data is None else data._rust, labels)
    for note in notes:
        warnings.warn(f"{os.fspath(path)}: {note}", stacklevel=2)
    return Predictions(rust)
