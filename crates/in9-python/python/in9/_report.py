"""One self-contained page about everything."""

from __future__ import annotations

import json
import os
import tempfile
import warnings
from typing import TYPE_CHECKING

from . import _in9
from ._evaluate import Result

if TYPE_CHECKING:
    from ._challenge import Challenge
    from ._saliency import Saliency


def report(
    out: str | os.PathLike[str],
    *parts: Result | Challenge | Saliency,
    title: str | None = None,
) -> str:
    """Makes the page that ``in9 report`` makes; the path of its index.html.

    Args:
        out: Folder to write; an earlier report there is replaced, and nothing else.
        parts: Results, one at least; outputs of :func:`in9.challenge` and :func:`in9.saliency` that were written
            (``out=``).
        title: Title of the page.
    """
    results = [part for part in parts if isinstance(part, Result)]
    lines = [f"title = {_quoted(title or ', '.join(result.model for result in results))}"]
    with tempfile.TemporaryDirectory() as folder:
        names: set[str] = set()
        for name, split in (tested for result in results for tested in result._tested):
            if name not in names:
                names.add(name)
                path = _quoted(os.path.abspath(split.dataset.path))
                lines += ["[[dataset]]", f"name = {_quoted(name)}", f"path = {path}"]
        for part in parts:
            if isinstance(part, Result):
                for table in part.predictions:
                    path = os.path.join(folder, f"{len(lines)}.csv")
                    table.to_csv(path)
                    lines += ["[[predictions]]", f"path = {_quoted(path)}"]
            else:
                lines += ["[[probe]]", f'kind = "{part.kind}"', f"path = {_quoted(os.path.abspath(part.folder))}"]
        spec = os.path.join(folder, "report.toml")
        with open(spec, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        _, skipped = _in9.make_report(spec, os.fspath(out))
    for line in skipped:
        warnings.warn(f"left out of the report: {line}", stacklevel=2)
    return os.path.join(os.fspath(out), "index.html")


def _quoted(text: str) -> str:
    """A text as TOML has it, whose basic strings are those of JSON."""
    return json.dumps(text, ensure_ascii=False)
