"""From a dataset's pictures to a network's input, and how that is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from ._dataset import NORMALIZATIONS, Normalization, _constants
from .errors import ArgumentError


@dataclass(frozen=True)
class Transform:
    """Normalisation, and a size where the dataset's own is not to be used.

    A dataset's pictures are squares cut out already, so there is nothing to crop: they go into the network as they are,
    as in the paper's evaluator, unless ``size`` says another side.
    """

    #: Mean of each channel, on the scale 0 to 1.
    mean: tuple[float, float, float]
    #: Standard deviation of each channel.
    std: tuple[float, float, float]
    #: Side that pictures are resized to, with Pillow's filter; ``None`` leaves them as they are.
    size: int | None = None
    #: The filter.
    interpolation: Literal["bicubic", "bilinear"] = "bicubic"

    @classmethod
    def named(cls, name: Normalization, size: int | None = None) -> Transform:
        """By name, as on the command line: ``imagenet``, ``imagenet-9``, ``half``."""
        mean, std = _constants(name)
        return cls(mean, std, size)

    def __str__(self) -> str:
        def three(values: tuple[float, float, float]) -> str:
            return " ".join(f"{value:.4g}" for value in values)

        size = "" if self.size is None else f"resize to {self.size} ({self.interpolation}), "
        return f"{size}mean {three(self.mean)}, std {three(self.std)}"


def timm_transform(model: Any, size: int | None = None) -> Transform:
    """What a timm model was trained with, from its configuration.

    Pictures keep the dataset's size, unless ``size`` says another or the model takes its own size only.

    Raises:
        ArgumentError: the model carries no configuration with mean and deviation.
    """
    found = known_transform(model, size)
    if found is None:
        raise ArgumentError(
            f"{type(model).__name__} does not say how its inputs are normalised "
            f"(expected a timm model with pretrained_cfg); give an in9.Transform"
        )
    return found


def known_transform(model: Any, size: int | None = None) -> Transform | None:
    """The same, or ``None`` if the model does not say."""
    config = getattr(model, "pretrained_cfg", None)
    if not isinstance(config, dict) or "mean" not in config or "std" not in config:
        return None
    if size is None and config.get("fixed_input_size"):
        size = int(config["input_size"][-1])
    mean, std = ((float(a), float(b), float(c)) for a, b, c in (config["mean"], config["std"]))
    interpolation: Any = config.get("interpolation", "bicubic")
    return Transform(mean, std, size, interpolation if interpolation in ("bicubic", "bilinear") else "bicubic")


def as_transform(transform: Any) -> Any:
    """A transform as it may be given: a :class:`Transform`, a name, or a function of a PIL image."""
    if isinstance(transform, str) and transform in NORMALIZATIONS:
        return Transform.named(transform)
    if isinstance(transform, Transform) or (callable(transform) and not isinstance(transform, str)):
        return transform
    raise ArgumentError(
        f"transform (expected an in9.Transform, a function of a PIL image, or one of {', '.join(NORMALIZATIONS)}, "
        f"found {transform!r})"
    )
