"""The package itself: the command, the time of an import, the stubs, real weights."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import real
from test_evaluate import program

import in9


def test_the_command_is_the_program(tmp_path: Path) -> None:
    command = Path(sys.executable).parent / "in9"
    assert command.exists()

    def run(*words: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run([command, *map(str, words)], capture_output=True, text=True, timeout=600)

    version = run("--version")
    assert version.returncode == 0 and version.stdout.split() == ["in9", in9.__version__]
    helped = run("--help").stdout
    for name in ("build", "train", "predict", "score", "adversarial", "report", "reproduce", "serve"):
        assert name in helped
    assert run("nonsense").returncode == 2
    failed = run("show", tmp_path / "nothing")
    assert failed.returncode == 1 and failed.stderr.startswith("error: ") and len(failed.stderr.splitlines()) == 1
    assert run("toy", "--out", tmp_path / "world", "--train-per-class", 2, "--test-per-class", 1).returncode == 0
    built = run("build", "--source", "toy", "--root", tmp_path / "world", "--out", tmp_path / "set", "--size", 32,
                "--masks", "exact")  # fmt: skip
    assert built.returncode == 0, built.stderr
    # Stages of the pipeline are this command again.
    recipe = Path(__file__).parents[3] / "tests" / "smoke.toml"
    planned = run("reproduce", "--recipe", recipe, "--dry-run", "--out", tmp_path / "out")
    assert planned.returncode == 0, planned.stderr
    assert str(command) in planned.stdout or "in9 " in planned.stdout


def test_an_import_takes_no_time() -> None:
    """Nothing heavy is imported before it is used; the time itself is measured by `cargo xtask bench python`."""
    script = "import sys, in9; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not {"numpy", "torch", "timm", "pandas", "PIL"} & set(done.stdout.split())


def test_every_public_name_is_there_and_documented() -> None:
    for name in in9.__all__:
        value = getattr(in9, name)
        if inspect.isclass(value) or inspect.isfunction(value):
            assert value.__doc__, name
            for member, own in vars(value).items():
                if not member.startswith("_") and (inspect.isfunction(own) or isinstance(own, property)):
                    assert inspect.getdoc(getattr(value, member)), f"{name}.{member}"
    assert set(in9.__all__) <= set(dir(in9))


def test_types(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    package = Path(__file__).parents[1]
    for command in (
        ["mypy", "--cache-dir", tmp_path / "cache", "--config-file", package / "pyproject.toml", package / "python"],
        ["mypy.stubtest", "in9._in9", "--mypy-config-file", package / "pyproject.toml", "--ignore-unused-allowlist",
         "--allowlist", package / "tests" / "stubtest.allow"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", *map(str, command)], capture_output=True, text=True, cwd=tmp_path, timeout=600
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_real_weights_in_the_program_and_in_torch(tmp_path: Path) -> None:
    """EfficientNet-Lite0 on ImageNet's own photographs: equal predictions, equal table."""
    torch, timm = pytest.importorskip("torch"), pytest.importorskip("timm")
    weights, slice_ = real("weights/efficientnet-lite0-57934424.pth"), real("ilsvrc-val-slice")
    in9.build(source="ilsvrc", root=slice_, out=tmp_path / "slice", progress=False)
    data = in9.Dataset(tmp_path / "slice")
    program("predict", "--weights", weights, "--name", "lite0", "--data", data.path, "--out", tmp_path / "rust.csv")
    model = timm.create_model("tf_efficientnet_lite0")
    # The file's names are another library's; its tensors stand in the same order.
    state = torch.load(weights, weights_only=True)
    assert [v.shape for v in state.values()] == [v.shape for v in model.state_dict().values()]
    model.load_state_dict(dict(zip(model.state_dict(), state.values())))
    transform = in9.Transform((127 / 255,) * 3, (128 / 255,) * 3)
    ours = in9.evaluate(model, data, transform=transform, name="lite0", arch="tf_efficientnet_lite0", progress=False)
    rust = in9.read_predictions(tmp_path / "rust.csv")
    key = ("view", "image", "background", "predicted")
    rows: list[list[tuple[Any, ...]]] = [
        sorted(tuple(row[name] for name in key) for row in table.rows()) for table in (ours.predictions[0], rust)
    ]
    assert rows[0] == rows[1] and len(rows[0]) == 15 * len(data.split())
    assert str(in9.Result.of(rust)) == str(ours)
    assert ours.accuracy["original"].value > 0.85
