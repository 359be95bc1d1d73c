"""Batches and pictures for torch; imported only where torch is used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, IterableDataset, get_worker_info

from . import _in9
from ._dataset import Batches, Split


class TorchBatches(IterableDataset[tuple[torch.Tensor, torch.Tensor]]):
    """Whole batches ``(pictures, labels)``: loop over it, each time the next epoch.

    Composing is faster than the pipe of any worker process, so no workers is the fastest. Where some are wanted all the
    same, ``batches.loader(num_workers=2)`` is a ``DataLoader`` of it, which gives the same batches in the same order. A
    ``DataLoader(batches, batch_size=None, num_workers=2)`` of your own does too; call :meth:`set_epoch` before each of
    its epochs, as one does with a ``DistributedSampler``.
    """

    def __init__(self, batches: Batches, share: tuple[int, int] = (0, 1)) -> None:
        super().__init__()
        #: The same batches as NumPy arrays, with more about each.
        self.batches = batches
        self._share = share
        # Shared with worker processes that live for several epochs.
        epoch = torch.zeros((), dtype=torch.int64)
        self._epoch: torch.Tensor = epoch.share_memory_()  # type: ignore[no-untyped-call]

    def __len__(self) -> int:
        first, every = self._share
        return len(range(first, len(self.batches), every))

    def set_epoch(self, number: int) -> None:
        """Says which epoch the next loop is."""
        self._epoch.fill_(number)

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        number, worker = int(self._epoch), get_worker_info()
        first, every = self._share
        batches = self.batches
        if worker is None:
            self._epoch.fill_(number + 1)
        else:
            first, every = first + every * worker.id, every * worker.num_workers
            batches = _with_threads(batches, max(1, _in9.available_threads() // worker.num_workers))
        for batch in batches.epoch(number, first=first, every=every):
            yield torch.from_numpy(batch.pictures), torch.from_numpy(batch.labels)

    def loader(self, num_workers: int = 0, **settings: Any) -> DataLoader[tuple[torch.Tensor, torch.Tensor]]:
        """A ``DataLoader`` of the batches that counts epochs by itself; settings are the ``DataLoader``'s."""
        return _Loader(self, batch_size=None, num_workers=num_workers, **settings)


class _Loader(DataLoader[tuple[torch.Tensor, torch.Tensor]]):
    _next = 0

    def __iter__(self) -> Any:
        batches: Any = self.dataset
        batches.set_epoch(self._next)
        self._next += 1
        return super().__iter__()


def _with_threads(batches: Batches, threads: int) -> Batches:
    if batches._given["threads"]:
        return batches
    return Batches(batches.split, batches.view, {**batches._given, "threads": threads})


class Pictures(Dataset[tuple[Any, int]]):
    """Single pictures ``(picture, label)``, for those who need a ``Sampler``.

    A picture is a byte tensor ``[3, size, size]``, or what ``transform`` makes of it as a PIL image. The mixed views
    take the frozen pairing, or with ``seed`` a fresh one, drawn anew at each :meth:`set_epoch`.
    """

    def __init__(
        self,
        split: Split,
        view: str = "original",
        *,
        transform: Callable[[Any], Any] | None = None,
        seed: int | None = None,
    ) -> None:
        #: The split.
        self.split = split
        #: The view.
        self.view = view
        self._transform, self._seed = transform, seed
        self.set_epoch(0)

    def set_epoch(self, number: int) -> None:
        """Draws the backgrounds of an epoch, where they are fresh."""
        # As in the Rust loader, epoch 0 of the stream belongs to the frozen pairing.
        fresh: dict[str, Any] = {} if self._seed is None else {"seed": self._seed, "epoch": number + 1}
        self._pairing = self.split.pairing(self.view, **fresh) if self.view.startswith("mixed-") else None

    def __len__(self) -> int:
        return len(self.split)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        place = self.split.index(int(index))
        behind = None if self._pairing is None else int(self._pairing[place])
        rgb = self.split.picture(self.view, place, behind)
        label = int(self.split._rust.sample(place).label)
        if self._transform is None:
            return torch.from_numpy(np.ascontiguousarray(rgb.transpose(2, 0, 1))), label
        from PIL import Image

        return self._transform(Image.fromarray(rgb)), label
