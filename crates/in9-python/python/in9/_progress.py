"""How far long work is: tqdm's bar where tqdm is, one line on a terminal otherwise, or a function of your own."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

ProgressFunction = Callable[[str, int, int], Any]


class Progress:
    """Shows how far the work is, called with what is counted, how many are done and of how many."""

    def __init__(self, shown: bool | ProgressFunction) -> None:
        self._function: ProgressFunction | None = shown if callable(shown) else None
        self._shown = bool(shown) and (self._function is not None or sys.stderr.isatty() or _in_notebook())
        self._bar: Any = None
        self._what = ""
        self._last = 0.0

    def __call__(self, what: str, done: int, total: int) -> None:
        if self._function is not None:
            self._function(what, done, total)
        elif self._shown:
            self._draw(what, done, total)

    def _draw(self, what: str, done: int, total: int) -> None:
        tqdm = _tqdm()
        if tqdm is not None:
            if self._bar is None or what != self._what:
                self.close()
                self._bar, self._what = tqdm(total=total, desc=what, leave=False), what
            self._bar.total = total
            self._bar.update(done - self._bar.n)
        elif time.monotonic() - self._last > 0.2 or done >= total:
            self._last = time.monotonic()
            print(f"\r{what} {done}/{total}", end="", file=sys.stderr, flush=True)
            self._what = what

    def close(self) -> None:
        """Takes the bar away."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
        elif self._what and self._function is None:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
        self._what = ""

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _in_notebook() -> bool:
    return "ipykernel" in sys.modules


def _tqdm() -> Any:
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return None
    return tqdm
