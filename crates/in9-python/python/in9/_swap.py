"""Other backgrounds as an augmentation, for anybody's training loop."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from . import _in9
from ._dataset import Bytes, Dataset, Split
from ._memory import u8
from ._transform import Transform
from .errors import ArgumentError


class BackgroundSwap:
    """Puts objects on the tiled backgrounds of a dataset's photographs::

        swap = in9.BackgroundSwap(data, p=0.5)
        picture = swap(picture, mask, key=index)             # one picture: array, tensor or PIL image
        pictures = swap.batch(pictures, masks, keys=indices)  # tensors [n, 3, h, w]

    Every choice is drawn from (seed, epoch, key), so that a picture gets the same background whatever batch, thread or
    worker process it comes in; :meth:`set_epoch` draws anew.

    Args:
        backgrounds: A dataset (its split ``train``, if there is one) or split whose backgrounds are taken.
        p: Share of pictures that get another background.
        classes: ``any`` background, of the picture's ``same`` class, or of an ``other`` one; the last two need labels.
        transform: How pictures were normalised, where they are not bytes or numbers from 0 to 1.
        seed: Of every choice.
    """

    def __init__(
        self,
        backgrounds: Dataset | Split,
        *,
        p: float = 0.5,
        classes: Literal["any", "same", "other"] = "any",
        transform: Transform | None = None,
        seed: int = 0,
    ) -> None:
        if isinstance(backgrounds, Dataset):
            backgrounds = backgrounds.split("train" if "train" in backgrounds.splits else None)
        if not backgrounds.has_layers:
            raise ArgumentError(f"split {backgrounds.name} holds photographs only (expected backgrounds)")
        if not 0 <= p <= 1:
            raise ArgumentError(f"p (expected 0 to 1, found {p})")
        if classes not in ("any", "same", "other"):
            raise ArgumentError(f"classes (expected any, same or other, found {classes})")
        #: The photographs whose backgrounds are taken.
        self.split = backgrounds
        self._p, self._classes, self._transform, self._seed, self._epoch = p, classes, transform, seed, 0
        self._labels = backgrounds.labels

    def set_epoch(self, number: int) -> None:
        """Draws other backgrounds from here on, those of epoch ``number``."""
        self._epoch = number

    def choose(self, key: int, label: int | None = None) -> int | None:
        """Place of the sample that gives the background of picture ``key``; ``None`` if it keeps its own."""
        stream = np.random.Generator(np.random.Philox(np.random.SeedSequence([self._seed, self._epoch, int(key)])))
        if stream.random() >= self._p:
            return None
        if self._classes == "any":
            return int(stream.integers(len(self.split)))
        if label is None:
            raise ArgumentError(f"label (expected the picture's class for classes={self._classes}, found none)")
        same = self._labels == label
        among = np.flatnonzero(same if self._classes == "same" else ~same)
        return int(stream.choice(among)) if len(among) else None

    def __call__(self, picture: Any, mask: Any, *, key: int, label: int | None = None) -> Any:
        """The picture, its object (where ``mask`` is true) on another background.

        Args:
            picture: ``[h, w, 3]`` bytes, a PIL image, or a tensor ``[3, h, w]``.
            mask: The object, ``[h, w]``: true, or above half of the largest value, inside.
            key: What tells the picture from others, such as its index.
            label: Its class, for ``classes`` other than ``any``.
        """
        chosen = self.choose(key, label)
        if chosen is None:
            return picture
        if hasattr(picture, "convert"):
            from PIL import Image

            return Image.fromarray(self(np.asarray(picture.convert("RGB")), mask, key=key, label=label))
        inside = _inside(mask)
        if isinstance(picture, np.ndarray):
            if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
                raise ArgumentError(f"picture (expected bytes [h, w, 3], found {picture.dtype} {list(picture.shape)})")
            behind = self._background(chosen, picture.shape[0], picture.shape[1])
            return np.where(_fitting(inside, picture.shape[:2])[..., None], picture, behind)
        import torch

        if not isinstance(picture, torch.Tensor) or picture.ndim != 3 or picture.shape[0] != 3:
            raise ArgumentError("picture (expected an array [h, w, 3], a PIL image or a tensor [3, h, w])")
        height, width = picture.shape[1:]
        tiled = torch.from_numpy(self._background(chosen, height, width).transpose(2, 0, 1).copy())
        object_there = torch.from_numpy(_fitting(inside, (height, width)).copy()).to(picture.device)
        return torch.where(object_there, picture, self._like(tiled, picture))

    def batch(self, pictures: Any, masks: Any, *, keys: Any, labels: Any = None) -> Any:
        """The same for tensors ``[n, 3, h, w]`` with masks ``[n, h, w]``."""
        import torch

        labels = [None] * len(pictures) if labels is None else [int(label) for label in labels]
        rows = zip(pictures, masks, keys, labels)
        return torch.stack([self(picture, mask, key=int(key), label=label) for picture, mask, key, label in rows])

    def _background(self, index: int, height: int, width: int) -> Bytes:
        """A tiled background at a picture's size: its central part of the same shape, resized."""
        tiled, size = self.split[index].background, self.split.size
        if (height, width) == (size, size):
            return tiled
        side = max(height, width)
        resized = u8(_in9.resize(tiled.reshape(-1), size, side)).reshape(side, side, 3)
        top, left = (side - height) // 2, (side - width) // 2
        return resized[top : top + height, left : left + width]

    def _like(self, behind: Any, picture: Any) -> Any:
        """A background with values as the picture has them."""
        import torch

        if picture.dtype == torch.uint8:
            return behind.to(picture.device)
        values = behind.to(picture.device, picture.dtype) / 255
        if self._transform is None:
            return values
        mean, std = (torch.tensor(v).to(values).view(3, 1, 1) for v in (self._transform.mean, self._transform.std))
        return (values - mean) / std


def _inside(mask: Any) -> npt.NDArray[np.bool_]:
    values = mask.detach().cpu().numpy() if hasattr(mask, "detach") else np.asarray(mask)
    if values.ndim == 3:
        values = values[0] if values.shape[0] == 1 else values[..., 0]
    if values.dtype == np.bool_:
        return values
    largest = values.max() if values.size else 0
    inside: npt.NDArray[np.bool_] = values > largest / 2
    return inside


def _fitting(mask: npt.NDArray[np.bool_], shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    if mask.shape != tuple(shape):
        raise ArgumentError(f"mask (expected {list(shape)}, the picture's size, found {list(mask.shape)})")
    return mask
