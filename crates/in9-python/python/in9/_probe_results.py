"""What the probes of the report share: which photographs they take, and where their results are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from . import _in9
from ._dataset import Split
from ._memory import u8
from .errors import ArgumentError


class ProbeResults:
    """What a probe found, for people and for the report."""

    #: Which probe of the report it is.
    kind: str

    def __init__(self, summary: dict[str, Any], split: Split, folder: Path | None) -> None:
        self._folder = folder
        #: The summary, as the program writes it into summary.json.
        self.results = summary
        #: The photographs.
        self.split = split

    @property
    def folder(self) -> Path:
        """Where it was written."""
        if self._folder is None:
            call = type(self).__name__.lower()
            raise ArgumentError(f"it was not written (expected in9.{call}(..., out=FOLDER))")
        return self._folder


def drawn(split: Split, limit: int | None, seed: int, purpose: str) -> list[int]:
    """Samples to use, ascending: all, or as many as ``limit`` says, the same that the program draws."""
    if limit is None:
        return list(range(len(split)))
    return _in9.draw_samples(len(split), limit, seed, purpose)


def toml(settings: dict[str, Any]) -> str:
    """Settings as the file beside the results has them."""
    return "".join(f"{json.dumps(key)} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in settings.items())


def pictures(rgb: _in9.Buffer, size: int) -> Any:
    """Bytes as pictures, ``[n, size, size, 3]``."""
    return u8(rgb).reshape(-1, size, size, 3)
