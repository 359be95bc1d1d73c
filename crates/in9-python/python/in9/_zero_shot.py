"""CLIP-like models as classifiers without training: by the words of their prompts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch.nn.functional import normalize

from . import _in9
from ._dataset import Dataset, Split
from ._transform import Transform
from .errors import ArgumentError, ModelError

#: The prompt where one a class is asked for.
TEMPLATE = "a photo of a {}."

#: Mean and deviation that CLIP was trained with, for models that do not say theirs.
_CLIP = ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))


class ZeroShot(torch.nn.Module):
    """A CLIP-like model with the words of its classes: what :func:`in9.zero_shot` gives and :func:`in9.evaluate` takes."""

    def __init__(
        self, model: Any, texts: torch.Tensor, transform: Transform, names: list[str] | None, protocol: dict[str, str]
    ) -> None:
        super().__init__()
        #: The model.
        self.model = model
        #: Embedding of each output's prompts, unit length, ``[outputs, width]``.
        self.texts: torch.Tensor
        self.register_buffer("texts", texts)
        #: From pictures to the model's input.
        self.transform = transform
        #: What decided the outputs: kind of prompts, how many, which templates.
        self.protocol = protocol
        #: The dataset's class that each output is; ``None`` for the thousand classes of ImageNet.
        self.in9_classes = names
        #: Name in tables.
        self.name = f"{type(model).__name__} zero-shot ({protocol['prompts']})"

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Logits ``[n, outputs]`` of inputs ``[n, 3, h, w]``."""
        images = normalize(_pictures(self.model, pictures), dim=-1)
        scale = getattr(self.model, "logit_scale", None)
        factor = torch.ones(()) if scale is None else scale.exp()
        logits: torch.Tensor = factor.to(images) * images @ self.texts.to(images).T
        bias = getattr(self.model, "logit_bias", None)
        return logits if bias is None else logits + bias


def zero_shot(
    model: Any,
    tokenizer: Any,
    prompts: str | Sequence[str] | Mapping[str, Sequence[str]] = "classes",
    *,
    data: Dataset | Split | None = None,
    names: Sequence[str] | None = None,
    templates: Sequence[str] | None = None,
    transform: Transform | None = None,
    batch_size: int = 256,
) -> ZeroShot:
    """Makes a classifier of a CLIP-like model (open_clip's or transformers'), to be given to :func:`in9.evaluate`.

    Three protocols are in use, and give different numbers; the result's ``settings`` say which it was.

    Args:
        model: A model with ``encode_image`` and ``encode_text`` (open_clip) or ``get_image_features`` and
            ``get_text_features`` (transformers).
        tokenizer: Its tokenizer.
        prompts: ``classes``: one prompt for each of the dataset's classes (nine, of ImageNet-9). ``imagenet``: one for
            each of ImageNet's thousand, whose answers become the dataset's classes by evaluate's ``mapping``.
            ``ensemble`` and ``imagenet-ensemble``: the same, each class the mean of its embeddings by all
            ``templates``. Or the prompts themselves: one for each class of ``data`` in order, or several a class by
            its name.
        data: The dataset whose classes are meant; not needed for ``imagenet``.
        names: Words for the classes, in order, where the dataset's names are not to be used; for ``imagenet`` those of
            open_clip by default.
        templates: Prompts with ``{}`` in the place of the name: one, ``a photo of a {}.``, or for ensembles the eighty
            of open_clip by default.
        transform: From pictures to inputs; by default what the model says.
        batch_size: Prompts encoded at once.
    """
    labels, groups, protocol = _prompts(prompts, data, names, templates)
    device = next(iter(model.parameters())).device
    texts = []
    training = model.training
    model.eval()
    with torch.inference_mode():
        flat = [text for group in groups for text in group]
        parts = [_texts(model, tokenizer, flat[at : at + batch_size], device) for at in range(0, len(flat), batch_size)]
        embedded = normalize(torch.cat(parts).float(), dim=-1)
        at = 0
        for group in groups:
            texts.append(normalize(embedded[at : at + len(group)].mean(dim=0), dim=0))
            at += len(group)
    model.train(training)
    # Out of inference mode, so that gradients may pass later.
    return ZeroShot(model, torch.stack(texts).clone(), transform or _transform(model), labels, protocol)


def _prompts(
    prompts: str | Sequence[str] | Mapping[str, Sequence[str]],
    data: Dataset | Split | None,
    names: Sequence[str] | None,
    templates: Sequence[str] | None,
) -> tuple[list[str] | None, list[list[str]], dict[str, str]]:
    """The class of each output, its prompts, and the protocol in words."""
    dataset = data.dataset if isinstance(data, Split) else data
    known = dataset.classes if dataset is not None else None
    if isinstance(prompts, Mapping):
        if known is not None and set(prompts) != set(known):
            raise ArgumentError(f"prompts (expected those of {', '.join(known)}, found {', '.join(prompts)})")
        labels, groups, kind = list(prompts), [list(group) for group in prompts.values()], "given"
        if not all(groups):
            raise ArgumentError("prompts (expected one at least of each class, found none of some)")
    elif not isinstance(prompts, str):
        if known is None or len(known) != len(prompts):
            expected = "the dataset as data=" if known is None else f"{len(known)}, one a class"
            raise ArgumentError(f"prompts (expected {expected}, found {len(prompts)} prompts)")
        labels, groups, kind = known, [[text] for text in prompts], "given"
    else:
        if prompts not in ("classes", "ensemble", "imagenet", "imagenet-ensemble"):
            raise ArgumentError(
                f"prompts (expected classes, ensemble, imagenet, imagenet-ensemble or the prompts, found {prompts})"
            )
        imagenet = prompts.startswith("imagenet")
        if not imagenet and known is None:
            raise ArgumentError(f"prompts of {prompts} need the dataset (expected data=, found none)")
        words = list(names) if names is not None else _metadata("IMAGENET_CLASSNAMES") if imagenet else known
        count = 1000 if imagenet else len(known or [])
        if words is None or len(words) != count:
            raise ArgumentError(f"names (expected {count}, found {len(words or [])})")
        if templates is None:
            ensemble = prompts.endswith("ensemble")
            templates = _metadata("OPENAI_IMAGENET_TEMPLATES") if ensemble else [TEMPLATE]
        groups, kind = [[_filled(template, word) for template in templates] for word in words], prompts
        return (None if imagenet else known), groups, _protocol(kind, groups, templates)
    return labels, groups, _protocol(kind, groups, None)


def _protocol(kind: str, groups: list[list[str]], templates: Sequence[Any] | None) -> dict[str, str]:
    texts = (f"{text}\0".encode() for group in groups for text in [*group, ""])
    protocol = {"prompts": kind, "outputs": str(len(groups)), "first prompt": groups[0][0], "digest": _in9.digest(texts)}
    if templates is not None:
        protocol["templates"] = str(len(templates))
    return protocol


def _filled(template: Any, name: str) -> str:
    """A template of open_clip is a function, one of ours a text."""
    return str(template(name)) if callable(template) else template.format(name)


def _metadata(name: str) -> list[Any]:
    try:
        from open_clip import zero_shot_metadata
    except ImportError:
        raise ArgumentError(
            f"{name.lower()} are open_clip's, which is not installed; give names= and templates="
        ) from None
    return list(getattr(zero_shot_metadata, name))


def _texts(model: Any, tokenizer: Any, texts: list[str], device: torch.device) -> torch.Tensor:
    if hasattr(model, "encode_text"):
        found = model.encode_text(tokenizer(texts).to(device))
    elif hasattr(model, "get_text_features"):
        tokens = tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
        found = model.get_text_features(**{key: value.to(device) for key, value in tokens.items()})
    else:
        raise ModelError(f"{type(model).__name__}: no texts (expected encode_text or get_text_features)")
    return _embedding(found)


def _pictures(model: Any, pictures: torch.Tensor) -> torch.Tensor:
    if hasattr(model, "encode_image"):
        return _embedding(model.encode_image(pictures))
    return _embedding(model.get_image_features(pixel_values=pictures))


def _embedding(found: Any) -> torch.Tensor:
    tensor = found if isinstance(found, torch.Tensor) else getattr(found, "pooler_output", None)
    if not isinstance(tensor, torch.Tensor) or tensor.ndim != 2:
        raise ModelError("embeddings (expected [n, width], found something else)")
    return tensor


def _transform(model: Any) -> Transform:
    """Mean, deviation and size that the model says."""
    visual = getattr(model, "visual", None)
    size = getattr(visual, "image_size", None)
    if size is None:
        size = getattr(getattr(getattr(model, "config", None), "vision_config", None), "image_size", None)
    side = int(size[0] if isinstance(size, (tuple, list)) else size) if size is not None else None
    mean, std = getattr(visual, "image_mean", None) or _CLIP[0], getattr(visual, "image_std", None) or _CLIP[1]
    return Transform((mean[0], mean[1], mean[2]), (std[0], std[1], std[2]), side)
