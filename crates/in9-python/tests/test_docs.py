"""What the documentation shows runs: the README's ten lines, and the notebook with its pictures."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1]


def test_the_ten_lines(tmp_path: Path) -> None:
    pytest.importorskip("timm")
    text = (PACKAGE / "README.md").read_text()
    example = re.findall(r"```python\n(.*?)```", text, re.DOTALL)[0]
    assert len(example.strip().splitlines()) <= 11
    done = subprocess.run([sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert re.search(r"BG-gap .*\[.*, .*\]", done.stdout) and "minus" in done.stdout
    assert (tmp_path / "report" / "index.html").exists()


def test_the_tour(tmp_path: Path) -> None:
    nbformat = pytest.importorskip("nbformat")
    client = pytest.importorskip("nbclient")
    for needed in ("matplotlib", "timm", "ipykernel"):
        pytest.importorskip(needed)
    notebook = nbformat.read(PACKAGE / "docs" / "tour.ipynb", as_version=4)
    client.NotebookClient(notebook, timeout=600, resources={"metadata": {"path": tmp_path}}).execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    tables = [output for output in outputs if "<table>" in output.get("data", {}).get("text/html", "")]
    assert len(pictures) >= 3 and len(tables) >= 2
    kept = tmp_path / "tour.ipynb"
    nbformat.write(notebook, kept)
    print(kept)
