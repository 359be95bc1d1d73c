"""Making datasets: the toy world, builds from photographs, the official release."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any, Literal

from . import _in9
from ._dataset import Dataset
from ._progress import Progress, ProgressFunction
from .errors import ArgumentError

Path = str | os.PathLike[str]
Source = Literal["ilsvrc", "tiny-imagenet", "folder", "toy"]

#: The paper's sizes, as ``in9 build --selection`` has them.
_SELECTIONS: dict[str, dict[str, Any]] = {
    "in-9": {"per_class": 5045, "test_per_class": 450, "balance": True},
    "in-9l": {"test_per_class": 800, "photos_only": True, "balance": True},
    "in-9lb": {"fine_per_class": 16, "photos_only": True},
}


@dataclass
class Built:
    """What came of a build. Wherever a dataset is expected, it stands for the one that was built."""

    #: Samples of each split.
    samples: dict[str, int]
    #: Photographs that a rule left out: split, rule, how many.
    rejected: list[tuple[str, str, int]]
    #: Damaged inputs that were skipped, a line each.
    faults: list[str]
    #: Whether the same dataset was there already.
    already_complete: bool
    #: Of an official release, how its published variants differ from ours: view, pictures, mean difference, share
    #: beyond 32.
    differences: list[tuple[str, int, float, float]] = field(default_factory=list)
    #: The dataset; none of a piece.
    dataset: Dataset | None = None

    def __str__(self) -> str:
        lines = [f"{split}: {count} samples" for split, count in self.samples.items()]
        lines += [f"{split}: {count} rejected by {rule}" for split, rule, count in self.rejected]
        return "\n".join(lines + self.faults)

    def __fspath__(self) -> str:
        if self.dataset is None:
            raise ArgumentError("a piece of a build (expected a dataset; merge the pieces first)")
        return os.fspath(self.dataset.path)


def toy(
    out: Path,
    *,
    seed: int = 0,
    rho: float = 0.9,
    train_per_class: int = 60,
    test_per_class: int = 30,
    size: int = 64,
    progress: bool | ProgressFunction = True,
) -> Dataset:
    """A dataset of the toy world, which needs no photographs: nine kinds of object in nine kinds of scene.

    Args:
        out: Folder of the dataset; its photographs come beside it, in ``OUT-world``.
        seed: Of everything random.
        rho: How often an object stands in its own kind of scene, 0 to 1.
        train_per_class: Training photographs of each class.
        test_per_class: Test photographs of each class.
        size: Pixels of a side.
        progress: Whether to show how far it is, or a function called with what is counted, done and total.
    """
    out = os.fspath(out)
    world = f"{out}-world"
    with Progress(progress) as bar:
        _in9.render_toy(
            world, seed=seed, rho=rho, train_per_class=train_per_class, test_per_class=test_per_class, progress=bar
        )
    build(source="toy", root=world, out=out, size=size, masks="exact", progress=progress)
    return Dataset(out)


def build(
    *,
    source: Source,
    root: Path,
    out: Path,
    size: int = 224,
    short_side: int | None = None,
    profile: Literal["clean", "paper"] = "clean",
    taxonomy: str | None = None,
    holdout: float = 0.0,
    per_class: int | None = None,
    test_per_class: int | None = None,
    balance: bool = False,
    selection: Literal["in-9", "in-9l", "in-9lb"] | None = None,
    fine_per_class: int | None = None,
    photos_only: bool = False,
    masks: Literal["grabcut", "exact"] = "grabcut",
    exclude: Path | None = None,
    exclude_release: Path | None = None,
    seed: int = 0,
    shard: str | None = None,
    progress: bool | ProgressFunction = True,
) -> Built:
    """Builds a dataset from photographs; arguments are the flags of ``in9 build`` (``in9 build --help`` tells more).

    A build that was stopped goes on when it is asked for again; one that is complete is left as it is. Photographs of
    one's own (``source="folder"``)::

        ROOT/[SPLIT/]CLASS/NAME.jpg          one class a folder; SPLIT is test, train, ...
        ROOT/masks/[SPLIT/]CLASS/NAME.png    the object: white on black, 0 and 1, or a cut-out (masks="exact")
        ROOT/boxes.csv                       image,x0,y0,x1,y1 for GrabCut, where there is no mask
        ROOT/annotations.json                COCO: polygons, run lengths, boxes

    Args:
        source: ``ilsvrc``, ``tiny-imagenet``, ``folder`` or ``toy``.
        root: Folder of the photographs.
        out: Dataset to make (with ``shard``: the piece).
        size: Pixels of a side.
        short_side: Shorter side that photographs are brought to before the central square is taken.
        profile: ``clean``, or ``paper`` (literal).
        taxonomy: ``imagenet-9``, ``toy``, or a TOML file; of a folder by default one class a sub-folder.
        holdout: Share of the training photographs moved to split ``val``.
        per_class: Most training photographs of a class, after the filters.
        test_per_class: Most test photographs of a class, after the filters.
        balance: Whether every split is brought down to its smallest class.
        selection: The paper's sizes: ``in-9``, ``in-9l`` or ``in-9lb``.
        fine_per_class: Fine labels kept of each class.
        photos_only: Whether only photographs are stored: no mask or background, view ``original`` only.
        masks: ``grabcut``, or ``exact``: files beside the photographs.
        exclude: Text file of ids to leave out of split ``test``.
        exclude_release: Folder of the official release, whose photographs are left out of split ``test``.
        seed: Of every random choice.
        shard: Make only piece ``i/n``, for ``in9 merge``.
        progress: Whether to show how far it is, or a function called with what is counted, done and total.

    Raises:
        ArgumentError: settings that are impossible.
        DataError: nothing of the source could be kept, or it is none.
        FileError: something else stands at ``out``, or a file cannot be read or written.
    """
    settings: dict[str, Any] = {
        "per_class": per_class,
        "test_per_class": test_per_class,
        "balance": balance,
        "fine_per_class": fine_per_class,
        "photos_only": photos_only,
    }
    if selection is not None:
        if selection not in _SELECTIONS:
            raise ArgumentError(f"unknown selection (expected one of {', '.join(_SELECTIONS)}, found {selection})")
        settings |= {name: settings[name] or value for name, value in _SELECTIONS[selection].items()}
    with Progress(progress) as bar:
        report = _in9.build(
            source=source,
            root=os.fspath(root),
            out=os.fspath(out),
            size=size,
            short_side=short_side,
            profile=profile,
            taxonomy=taxonomy,
            holdout=holdout,
            masks=masks,
            exclude=None if exclude is None else os.fspath(exclude),
            exclude_release=None if exclude_release is None else os.fspath(exclude_release),
            seed=seed,
            shard=shard,
            progress=bar,
            **settings,
        )
    return _built(report, None if shard else Dataset(out))


def import_release(
    *,
    root: Path,
    out: Path,
    taxonomy: str = "imagenet-9",
    size: int = 224,
    progress: bool | ProgressFunction = True,
) -> Built:
    """Imports the authors' test release: JPEG folders and masks. Arguments are the flags of ``in9 import-release``.

    Args:
        root: Folder ``bg_challenge`` of the release.
        out: Dataset to make.
        taxonomy: ``imagenet-9``, or a TOML file whose class folders are those of the release.
        size: Pixels of a side of the released pictures.
        progress: Whether to show how far it is, or a function called with what is counted, done and total.
    """
    with Progress(progress) as bar:
        report = _in9.import_release(
            root=os.fspath(root), out=os.fspath(out), taxonomy=taxonomy, size=size, progress=bar
        )
    return _built(report, Dataset(out))


def _built(report: dict[str, Any], dataset: Dataset | None) -> Built:
    return Built(**{**report, "samples": dict(report["samples"])}, dataset=dataset)
