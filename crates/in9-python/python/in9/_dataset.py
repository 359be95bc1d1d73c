"""Datasets: memory-mapped photographs taken apart, any view of any sample, and batches of them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from . import _in9
from ._memory import f32, i64, u8
from .errors import ArgumentError, DataError

if TYPE_CHECKING:
    from ._torch import Pictures, TorchBatches

Bytes = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]
Augmentation = Literal["none", "shift-flip", "random-resized-crop", "paper"]
Pairing = Literal["frozen", "fresh"]
Normalization = str | tuple[tuple[float, float, float], tuple[float, float, float]]

#: Mean and deviation of each channel, on the scale 0 to 1, by the names that the command line takes.
NORMALIZATIONS: dict[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = _in9.NORMALIZATIONS


class Dataset:
    """A dataset folder, as ``in9.build``, ``in9.toy`` or the command ``in9 build`` make it.

    Opening reads its manifest only; photographs are memory-mapped and verified when they are first read. Datasets are
    equal, and hash alike, if they hold the same, wherever they lie. Pickled, they are a path and a digest.

    Raises:
        FileError: there is no such folder, or it cannot be read.
        DataError: it is no dataset, or was changed after it was written.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._rust = _in9.Dataset(os.fspath(path))
        self._splits: dict[str | None, Split] = {}

    @property
    def path(self) -> Path:
        """The folder."""
        return Path(self._rust.path)

    @property
    def name(self) -> str:
        """The dataset's name in tables: that of its folder."""
        return self._rust.name

    @property
    def digest(self) -> str:
        """BLAKE3 of what it holds: datasets of one digest give the same pictures."""
        return self._rust.digest

    @property
    def splits(self) -> list[str]:
        """Names of the splits, sorted."""
        return self._rust.splits

    @property
    def classes(self) -> list[str]:
        """Names of the classes; a label counts them from 0."""
        return self._rust.classes

    @property
    def size(self) -> int:
        """Pixels of a side of every picture."""
        return int(self.settings["size"])

    @property
    def manifest(self) -> dict[str, Any]:
        """What it was built from, how, and what came of it."""
        manifest: dict[str, Any] = json.loads(self._rust.manifest)
        return manifest

    @property
    def settings(self) -> dict[str, Any]:
        """The settings that it was built with."""
        settings: dict[str, Any] = self.manifest["settings"]
        return settings

    def split(self, name: str | None = None) -> Split:
        """A split: the one that is named, else ``test``, else the only one."""
        if name not in self._splits:
            self._splits[name] = Split(self, name)
        return self._splits[name]

    __getitem__ = split

    def torch(self, view: str = "original", *, split: str | None = None, **settings: Any) -> TorchBatches:
        """Whole batches ``(pictures, labels)`` of torch tensors, at the Rust loader's speed.

        ``for pictures, labels in data.torch("mixed-rand", batch_size=64, shuffle=True): ...`` goes over an epoch, and
        every time over the next one. By default the split ``train`` is read, if there is one. Settings are those of
        :meth:`Split.batches`; see :class:`in9._torch.TorchBatches` for worker processes.
        """
        if split is None:
            split = "train" if "train" in self.splits else None
        return self.split(split).torch(view, **settings)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Dataset) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __reduce__(self) -> tuple[Any, ...]:
        return _opened, (os.path.abspath(self.path), self.digest)

    def __repr__(self) -> str:
        counts = ", ".join(f"{split['samples']} in {split['name']}" for split in self.manifest["splits"])
        return f"Dataset({str(self.path)!r}: {len(self.classes)} classes, {self.size} pixels, {counts})"


def _opened(path: str, digest: str) -> Dataset:
    dataset = Dataset(path)
    if dataset.digest != digest:
        raise DataError(f"{path}: another dataset stands there (expected {digest}, found {dataset.digest})")
    return dataset


def _split(dataset: Dataset, name: str) -> Split:
    return dataset.split(name)


class Split:
    """The samples of one split: ``split[3]`` and ``split["n02085620_1558"]`` are :class:`Sample`."""

    def __init__(self, dataset: Dataset, name: str | None = None) -> None:
        self._rust = dataset._rust.split(name)
        self._ids: list[str] | None = None
        self._places: dict[str, int] | None = None
        #: The dataset.
        self.dataset = dataset

    @property
    def name(self) -> str:
        """Its name."""
        return self._rust.name

    @property
    def size(self) -> int:
        """Pixels of a side of every picture."""
        return self._rust.size

    @property
    def has_layers(self) -> bool:
        """Whether masks and backgrounds are there; without, the only view is ``original``."""
        return self._rust.has_layers

    @property
    def ids(self) -> list[str]:
        """Ids of the samples, in order."""
        if self._ids is None:
            self._ids = self._rust.ids()
        return self._ids

    @property
    def labels(self) -> Numbers:
        """Class of each sample, ``[n]``."""
        return i64(self._rust.labels())

    @property
    def boxes(self) -> Numbers:
        """Box of each object in the stored picture, ``[n, 4]``: x0, y0, x1, y1, all inclusive."""
        return i64(self._rust.boxes()).reshape(-1, 4)

    def __len__(self) -> int:
        return len(self._rust)

    def index(self, sample: int | str) -> int:
        """Place of a sample in the split, by its place or id."""
        if isinstance(sample, str):
            if self._places is None:
                self._places = {name: at for at, name in enumerate(self.ids)}
            if sample not in self._places:
                raise KeyError(f"no sample {sample!r} in split {self.name}")
            return self._places[sample]
        place = sample + len(self) if sample < 0 else sample
        if not 0 <= place < len(self):
            raise IndexError(f"sample {sample} of {len(self)} in split {self.name}")
        return int(place)

    def __getitem__(self, sample: int | str) -> Sample:
        return Sample(self, self.index(sample))

    def __iter__(self) -> Iterator[Sample]:
        return (Sample(self, at) for at in range(len(self)))

    def picture(self, view: str, sample: int | str, background: int | str | None = None) -> Bytes:
        """A view of a sample, ``[size, size, 3]``, RGB.

        The mixed views take the tiled background of any sample; without ``background``, that of the frozen pairing.
        """
        place = self.index(sample)
        if background is not None:
            behind: int | None = self.index(background)
        else:
            behind = int(self.pairing(view)[place]) if view.startswith("mixed-") else None
        return self._square(self._rust.compose(view, place, behind))

    def pairing(
        self, view: str, *, seed: int | None = None, epoch: int = 0, own_class: bool = True, own_image: bool = False
    ) -> Numbers:
        """Whose background each sample gets in a mixed view, ``[n]``.

        Without ``seed``, the pairing that is stored with the dataset, the same for everybody; with one, a fresh draw of
        ``seed`` and ``epoch``, whose ``mixed-rand`` may draw the sample's ``own_class`` and any the ``own_image``.
        """
        drawn = self._rust.pairing(view, seed=seed, epoch=epoch, own_class=own_class, own_image=own_image)
        return i64(drawn)

    def batches(
        self,
        view: str = "original",
        *,
        batch_size: int = 64,
        shuffle: bool = False,
        seed: int = 0,
        augment: Augmentation = "none",
        shift: int = 4,
        pairing: Pairing = "frozen",
        own_class: bool = True,
        own_image: bool = False,
        normalize: Normalization | None = "imagenet",
        drop_last: bool = False,
        prefetch: int = 4,
        threads: int = 0,
    ) -> Batches:
        """Batches of a view as NumPy arrays, composed ahead by threads.

        Args:
            view: One of ``in9.VIEWS``.
            batch_size: Samples of a batch.
            shuffle: Whether each epoch has its own random order.
            seed: Of order, augmentation and fresh pairings. The same seed gives the same bytes, for any number of
                threads or worker processes.
            augment: ``shift-flip`` for small pictures (moved by up to ``shift`` pixels, mirrored half of the time),
                ``random-resized-crop`` as ImageNet is trained on, ``paper`` with the paper's colours too.
            pairing: ``frozen``, the same backgrounds always, or ``fresh`` ones every epoch (see :meth:`pairing`).
            normalize: ``imagenet``, ``imagenet-9``, ``half``, or means and deviations: pictures are then float32
                ``[n, 3, size, size]``. ``None`` gives bytes, ``[n, size, size, 3]``.
            drop_last: Whether a last batch that is not full is left out.
            prefetch: Batches made ahead.
            threads: Threads that make them; 0 takes as many as cores that this process may use.
        """
        settings = dict(locals())
        settings.pop("self")
        settings.pop("view")
        return Batches(self, view, settings)

    def torch(self, view: str = "original", *, share: tuple[int, int] = (0, 1), **settings: Any) -> TorchBatches:
        """Whole batches of torch tensors; see :meth:`Dataset.torch`. Of several ranks, each takes its ``share``."""
        from ._torch import TorchBatches

        return TorchBatches(self.batches(view, **settings), share)

    def pictures(self, view: str = "original", **settings: Any) -> Pictures:
        """A map-style torch ``Dataset`` of single pictures; see :class:`in9._torch.Pictures`."""
        from ._torch import Pictures

        return Pictures(self, view, **settings)

    def _square(self, buffer: _in9.Buffer) -> Bytes:
        return u8(buffer).reshape(self.size, self.size, 3)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Split) and (self.dataset, self.name) == (other.dataset, other.name)

    def __hash__(self) -> int:
        return hash((self.dataset, self.name))

    def __reduce__(self) -> tuple[Any, ...]:
        return _split, (self.dataset, self.name)

    def __repr__(self) -> str:
        return f"Split({self.name!r} of {str(self.dataset.path)!r}: {len(self)} samples)"


class Sample:
    """A photograph with its object cut out, ``size`` pixels a side."""

    def __init__(self, split: Split, index: int) -> None:
        self._known: _in9.Sample | None = None
        #: Its split.
        self.split = split
        #: Its place in the split.
        self.index = index

    @property
    def _sample(self) -> _in9.Sample:
        if self._known is None:
            self._known = self.split._rust.sample(self.index)
        return self._known

    @property
    def id(self) -> str:
        """Its name, unique in the split; ``<synset>_<number>`` for ImageNet."""
        return self._sample.id

    @property
    def label(self) -> int:
        """Its class, counted from 0."""
        return self._sample.label

    @property
    def class_name(self) -> str:
        """Name of its class."""
        return self.split.dataset.classes[self.label]

    @property
    def fine(self) -> str:
        """Its fine label, such as a WordNet id."""
        return self._sample.fine

    @property
    def source(self) -> str:
        """File that the photograph came from, below the root of its source."""
        return self._sample.source

    @property
    def digest(self) -> str:
        """BLAKE3 of that file."""
        return self._sample.digest

    @property
    def box(self) -> tuple[int, int, int, int]:
        """The object's box in the stored picture: x0, y0, x1, y1, all inclusive."""
        return self._sample.crop_box

    @property
    def photo_box(self) -> tuple[int, int, int, int]:
        """The same in the photograph's own pixels."""
        return self._sample.photo_box

    @property
    def photo_size(self) -> tuple[int, int]:
        """Width and height of the photograph, in pixels."""
        return self._sample.width, self._sample.height

    @property
    def photo(self) -> Bytes:
        """The photograph, ``[size, size, 3]``, RGB, read only: a view of the mapped file."""
        return self.split._square(self.split._rust.photo(self.index))

    @property
    def background(self) -> Bytes:
        """The photograph with its box filled by tiled background; as :attr:`photo`."""
        return self.split._square(self.split._rust.tiled(self.index))

    @property
    def mask_bits(self) -> Bytes:
        """The object, one bit a pixel, row by row, least significant first: a view of the mapped file."""
        return u8(self.split._rust.mask_bits(self.index))

    @property
    def mask(self) -> npt.NDArray[np.bool_]:
        """The object, ``[size, size]``, true inside."""
        size = self.split.size
        bits = np.unpackbits(self.mask_bits, count=size * size, bitorder="little")
        return bits.view(np.bool_).reshape(size, size)

    def view(self, name: str, background: int | str | None = None) -> Bytes:
        """A view of it; see :meth:`Split.picture`."""
        return self.split.picture(name, self.index, background)

    def __repr__(self) -> str:
        return f"Sample({self.id!r}, {self.class_name})"

    def _repr_png_(self) -> bytes | None:
        try:
            from PIL import Image
        except ImportError:
            return None
        image: bytes | None = Image.fromarray(self.photo)._repr_png_()
        return image


class Batch(NamedTuple):
    """Pictures of some samples."""

    #: Float32 ``[n, 3, size, size]``, normalised, or bytes ``[n, size, size, 3]``.
    pictures: npt.NDArray[Any]
    #: Class of each, ``[n]``.
    labels: Numbers
    #: Place of each in its split, ``[n]``.
    indices: Numbers
    #: Place of the sample that gave the background, in the mixed views, ``[n]``.
    backgrounds: Numbers | None


class Batches:
    """The batches of a view; every loop over it is the next epoch. Made by :meth:`Split.batches`."""

    def __init__(self, split: Split, view: str, settings: dict[str, Any]) -> None:
        self._given = settings
        known = dict(settings)
        normalize, pairing = known.pop("normalize"), known.pop("pairing")
        if pairing not in ("frozen", "fresh"):
            raise ArgumentError(f"pairing (expected frozen or fresh, found {pairing})")
        mean, std = _constants("imagenet" if normalize is None else normalize)
        self._bytes = normalize is None
        self._loader = _in9.Loader(
            split._rust, view, fresh=pairing == "fresh", mean=mean, std=std, bytes=self._bytes, **known
        )
        self._next = 0
        #: The split.
        self.split = split
        #: The view.
        self.view = view

    def __len__(self) -> int:
        return len(self._loader)

    def epoch(self, number: int, *, first: int = 0, every: int = 1) -> Iterator[Batch]:
        """The batches of an epoch; of several readers, each takes ``every``-th batch from its ``first`` on."""
        size = self.split.size
        shape = (-1, size, size, 3) if self._bytes else (-1, 3, size, size)
        for batch in self._loader.epoch(number, first, every):
            behind = batch.backgrounds
            yield Batch(
                (u8(batch.pictures) if self._bytes else f32(batch.pictures)).reshape(shape),
                i64(batch.labels),
                i64(batch.indices),
                None if behind is None else i64(behind),
            )

    def set_epoch(self, number: int) -> None:
        """Says which epoch the next loop is."""
        self._next = number

    def __iter__(self) -> Iterator[Batch]:
        number, self._next = self._next, self._next + 1
        return self.epoch(number)

    def __reduce__(self) -> tuple[Any, ...]:
        return _batches, (self.split, self.view, self._given, self._next)


def _batches(split: Split, view: str, settings: dict[str, Any], epoch: int) -> Batches:
    batches = Batches(split, view, settings)
    batches.set_epoch(epoch)
    return batches


def _constants(name: Normalization) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """Mean and deviation of each channel by name."""
    if not isinstance(name, str):
        return name
    if name not in NORMALIZATIONS:
        raise ArgumentError(f"unknown normalization (expected one of {', '.join(NORMALIZATIONS)}, found {name})")
    return NORMALIZATIONS[name]
