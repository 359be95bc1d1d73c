"""Adversarial backgrounds: which foregrounds has some background that turns the model's answer?"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from . import _in9
from ._dataset import Dataset, Split
from ._evaluate import as_split
from ._model import Classes, Network
from ._predictions import Interval
from ._probe_results import ProbeResults, drawn, pictures, toml
from ._progress import Progress, ProgressFunction
from .errors import ArgumentError

Rule = Literal["untargeted", "untargeted-other", "targeted"]
RULES: tuple[Rule, ...] = ("untargeted", "untargeted-other", "targeted")


class Tried(NamedTuple):
    """A composite that the model was asked about."""

    #: Place of the photograph that gave the object.
    foreground: int
    #: Place of the one that gave the background.
    background: int
    #: Predicted class; ``None`` is none of the dataset's.
    predicted: int | None


class Challenge(ProbeResults):
    """What a search for adversarial backgrounds found; prints as a summary."""

    kind = "adversarial"

    def __init__(self, summary: dict[str, Any], tried: list[Tried], split: Split, folder: Path | None) -> None:
        super().__init__(summary, split, folder)
        #: Every composite that was tried, in order.
        self.tried = tried

    @property
    def challenge_accuracy(self) -> Interval | None:
        """Share of foregrounds that no background fools: the challenge's score."""
        found = self.results["challenge_accuracy"]
        return None if found is None else Interval._of(found)

    @property
    def vulnerable(self) -> dict[str, Interval]:
        """Share of foregrounds with an adversarial background, by rule."""
        return {rule["rule"]: Interval._of(rule["share"]) for rule in self.results["rules"]}

    def __str__(self) -> str:
        s = self.results
        lines = [
            f"{s['model']} on {s['dataset']} {s['split']}: {s['foregrounds']} foregrounds, "
            f"{s['backgrounds']} backgrounds, {s['passes']} forward passes"
        ]
        lines += [f"{rule:<16} vulnerable {share} %" for rule, share in self.vulnerable.items()]
        if self.challenge_accuracy is not None:
            lines.append(f"challenge accuracy {self.challenge_accuracy} %")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"Challenge({self.results['model']}, accuracy {self.challenge_accuracy})"


def challenge(
    model: Any,
    dataset: Dataset | Split | str | os.PathLike[str],
    *,
    split: str | None = None,
    rules: tuple[Rule, ...] | list[Rule] = RULES,
    exhaustive: bool = False,
    limit: int | None = None,
    backgrounds: int | None = None,
    wave: int = 64,
    seed: int = 0,
    mapping: str = "a",
    classes: Classes | None = None,
    transform: Any = None,
    device: Any = None,
    batch_size: int = 64,
    name: str | None = None,
    trained_on: str | None = None,
    weights: str | None = None,
    out: str | os.PathLike[str] | None = None,
    progress: bool | ProgressFunction = True,
) -> Challenge:
    """Searches for backgrounds that turn a model's answers: the challenge of the paper, by the code of ``in9 adversarial``.

    The most promising background of each foreground is tried first, and a foreground is left at its first success under
    each rule; the verdicts are those of trying all.

    Args:
        model: As of :func:`in9.evaluate`, with its ``mapping``, ``classes``, ``transform`` and ``device``.
        dataset: A dataset with masks, one of its splits, or a folder.
        split: By default ``test``, else the only one.
        rules: ``untargeted``: some background makes the answer wrong (the challenge's); ``untargeted-other``: one of
            another class does; ``targeted``: one of another class makes the answer its own class (the paper's).
        exhaustive: Tries every pair, which success rates of backgrounds need.
        limit: Uses only this many foregrounds, drawn by ``seed``.
        backgrounds: Tries only this many backgrounds, drawn by ``seed``.
        wave: Pairs between two updates of the order; part of the result.
        seed: Of the two draws.
        batch_size: Pictures asked at once; changes speed and memory only.
        name: The model's name in tables.
        trained_on: What tables say that it was trained on.
        weights: What tells these weights from others, for a search that goes on; by default a digest of a torch module's.
        out: Folder to write, for the report. A search that was interrupted goes on when the same call is made again.
        progress: Whether to show how far it is, or a function called with what is counted, done and total.
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
        trained_on=trained_on,
    )
    if out is not None and weights is None:
        weights = _digest(network)
    foregrounds = drawn(of, limit, seed, "adversarial-foregrounds")
    behind = drawn(of, backgrounds, seed, "adversarial-backgrounds")
    settings = network.settings(of)
    asked = {"rules": sorted(rules), "exhaustive": exhaustive, "wave": wave, "seed": seed}
    identity = json.dumps([settings, asked, foregrounds, behind, weights, network.outputs.table])
    with Progress(progress) as bar, network.evaluating():
        summary, pairs = _in9.challenge(
            of._rust,
            lambda rgb, size: network.logits(pictures(rgb, size)).reshape(-1),
            network.outputs,
            foregrounds=foregrounds,
            backgrounds=behind,
            rules=list(rules),
            exhaustive=exhaustive,
            wave=wave,
            batch_size=batch_size,
            model=network.name,
            trained_on=network.trained_on,
            dataset=of.dataset.name,
            identity=identity,
            settings=toml({**settings, **asked}),
            out=None if out is None else os.fspath(out),
            progress=bar,
        )
    tried = [Tried(*pair) for pair in pairs]
    return Challenge(json.loads(summary), tried, of, None if out is None else Path(out))


def _digest(network: Network) -> str:
    """What tells a torch module's weights from others."""
    if not network.is_torch:
        raise ArgumentError(
            "weights (expected a text that tells these weights from others, found none); a search that is written goes "
            "on only with the same model"
        )
    import hashlib

    digest = hashlib.sha256()
    for name, tensor in network.model.state_dict().items():
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(tensor.detach().cpu().float().numpy()).tobytes())
    return digest.hexdigest()
