"""Evaluation: the numbers of the programs, from models of any framework."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import in9

torch = pytest.importorskip("torch")
timm = pytest.importorskip("timm")

PROGRAM = [sys.executable, "-m", "in9"]


def program(*words: object) -> str:
    """What the command prints."""
    done = subprocess.run([*PROGRAM, *map(str, words)], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def result(model: Any, data: in9.Dataset) -> in9.Result:
    return in9.evaluate(model, data, progress=False)


def test_answers_are_those_of_plain_torch(model: Any, data: in9.Dataset, result: in9.Result) -> None:
    split = data.split("test")
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    rows = {(row["view"], row["image"]): row for row in result.predictions[0].rows()}
    assert len(rows) == 15 * len(split)
    for view in ("original", "only-bg-b", "mixed-rand"):
        pictures = torch.stack([torch.from_numpy(split.picture(view, at).copy()) for at in range(len(split))])
        with torch.inference_mode():
            scores = model((pictures.permute(0, 3, 1, 2) / 255 - mean) / std).softmax(dim=1)
        for at, name in enumerate(split.ids):
            row = rows[view, name]
            assert row["predicted"] == data.classes[scores[at].argmax()]
            own = np.array([row[f"score_{name}"] for name in data.classes])
            assert np.abs(own - scores[at].numpy()).max() < 1e-5
        right = (scores.argmax(dim=1).numpy() == split.labels).mean()
        assert result.accuracy[view].value == pytest.approx(right, abs=1e-12)
        assert result.accuracy[view].low < right < result.accuracy[view].high or right in (0, 1)


def test_numbers_are_those_of_the_program(result: in9.Result, tmp_path: Path) -> None:
    result.to_csv(tmp_path / "predictions.csv")
    result.to_json(tmp_path / "results.json")
    printed = program("score", tmp_path / "predictions.csv", "--out", tmp_path / "scores")
    assert printed.rstrip() == str(result)
    assert (tmp_path / "results.json").read_text() == (tmp_path / "scores" / "results.json").read_text()
    read = in9.Result.of(in9.read_predictions(tmp_path / "predictions.csv"))
    assert read.results == result.results
    assert result.gap is not None
    gap = result.accuracy["mixed-same"].value - result.accuracy["mixed-rand"].value
    assert result.gap.value == pytest.approx(gap) and result.gap.low <= gap <= result.gap.high


def test_the_same_network_in_the_program(model: Any, data: in9.Dataset, result: in9.Result, tmp_path: Path) -> None:
    """The Rust kernels on the same weights: equal predictions, equal table."""
    save = pytest.importorskip("safetensors.torch").save_file
    save(model.state_dict(), tmp_path / "resnet18.safetensors")
    program("predict", "--arch", "resnet18", "--weights", tmp_path / "resnet18.safetensors", "--normalization",
            "imagenet", "--name", "resnet18", "--data", data.path, "--out", tmp_path / "rust.csv")  # fmt: skip
    rust = in9.read_predictions(tmp_path / "rust.csv")
    ours = {(row["view"], row["image"]): row for row in result.predictions[0].rows()}
    for row in rust.rows():
        own = ours[row["view"], row["image"]]
        assert (row["predicted"], row["background"]) == (own["predicted"], own["background"])
        assert all(abs(row[key] - own[key]) < 1e-4 for key in row if key.startswith("score_"))
    assert str(in9.Result.of(rust)) == str(result)


def test_a_thousand_classes_by_both_mappings(thousand: Any, data: in9.Dataset, tmp_path: Path) -> None:
    pytest.importorskip("PIL")
    image = pytest.importorskip("PIL.Image")
    # The toy's photographs under two of ImageNet-9's folders.
    split = data.split("test")
    for at in range(0, len(split), 3):
        sample = split[at]
        folder = ("00_dog", "02_wheeled vehicle")[at % 2]
        for below, picture in (("", sample.photo), ("masks/", sample.mask.astype(np.uint8) * 255)):
            path = tmp_path / "photos" / below / folder
            path.mkdir(parents=True, exist_ok=True)
            image.fromarray(picture).save(path / f"{sample.id}.png")
    built = in9.build(source="folder", root=tmp_path / "photos", out=tmp_path / "in9", masks="exact", size=64,
                      taxonomy="imagenet-9", progress=False)  # fmt: skip
    assert built.dataset is not None
    with torch.no_grad():
        thousand.fc.weight.mul_(20)
    results = {m: in9.evaluate(thousand, built.dataset, mapping=m, views="original", progress=False) for m in "ab"}
    assert results["a"].settings["mapping"] == "a" and results["a"].settings["trained_on"] == "imagenet"
    known = built.dataset.split()
    table = np.array(in9._in9.Outputs(built.dataset._rust, 1000).table)
    batch = next(iter(known.batches(batch_size=len(known))))
    with torch.inference_mode():
        probabilities = thousand(torch.from_numpy(batch.pictures)).softmax(dim=1).double().numpy()
    names = np.array([*built.dataset.classes, ""])
    sums = np.stack([probabilities[:, table == c].sum(axis=1) for c in range(9)], axis=1)
    for mapping, expected in (("a", table[probabilities.argmax(axis=1)]), ("b", sums.argmax(axis=1))):
        found = [row["predicted"] for row in results[mapping].predictions[0].rows()]
        assert found == names[expected].tolist()


def test_any_function_and_onnx_session(model: Any, data: in9.Dataset, result: in9.Result) -> None:
    def function(planes: Any) -> Any:
        assert isinstance(planes, np.ndarray)
        with torch.inference_mode():
            return model(torch.from_numpy(planes)).numpy()

    class Session:
        def get_inputs(self) -> list[Any]:
            return [type("Input", (), {"name": "x"})()]

        def run(self, _: None, feed: dict[str, Any]) -> list[Any]:
            return [function(feed["x"])]

    for other in (function, Session()):
        found = in9.evaluate(other, data, transform="imagenet", name="resnet18", arch="resnet18", progress=False)
        assert str(found) == str(result)
    with pytest.raises(in9.ArgumentError, match="normalised is not known"):
        in9.evaluate(function, data, progress=False)


def test_a_real_onnx_session(model: Any, data: in9.Dataset, result: in9.Result, tmp_path: Path) -> None:
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    example = torch.zeros(2, 3, 64, 64)
    try:
        torch.onnx.export(model, (example,), tmp_path / "m.onnx", input_names=["x"], output_names=["y"], dynamo=False,
                          dynamic_axes={"x": {0: "n"}, "y": {0: "n"}})  # fmt: skip
    except (TypeError, RuntimeError, ImportError) as error:
        pytest.skip(f"this torch exports otherwise ({type(error).__name__})")
    session = runtime.InferenceSession(str(tmp_path / "m.onnx"), providers=["CPUExecutionProvider"])
    found = in9.evaluate(session, data, transform="imagenet", name="resnet18", progress=False)
    assert found.accuracy == result.accuracy


def test_given_classes(model: Any, data: in9.Dataset, result: in9.Result) -> None:
    order = list(reversed(range(len(data.classes))))

    def turned(planes: Any) -> Any:
        with torch.inference_mode():
            return model(torch.from_numpy(planes)).numpy()[:, order]

    names = [data.classes[at] for at in order]
    found = in9.evaluate(turned, data, transform="imagenet", classes=names, progress=False)
    assert found.accuracy == result.accuracy
    with pytest.raises(in9.ArgumentError, match="expected 3"):
        in9.evaluate(turned, data, transform="imagenet", classes=names[:3], progress=False)


def test_transforms(model: Any, data: in9.Dataset) -> None:
    from PIL import Image

    split = data.split("test")
    transform = in9.Transform((0.5, 0.5, 0.5), (0.5, 0.5, 0.5), size=96)
    seen: list[Any] = []

    def spy(planes: Any) -> Any:
        seen.append(planes)
        return np.zeros((len(planes), 9), np.float32)

    in9.evaluate(spy, data, views="mixed-same", transform=transform, batch_size=16, progress=False)
    planes = np.concatenate([batch for batch in seen if len(batch) > 1 or len(split) == 1])[: len(split)]
    for at in (0, 5):
        picture = Image.fromarray(split.picture("mixed-same", at)).resize((96, 96), Image.Resampling.BICUBIC)
        expected = (np.asarray(picture, np.float32) / 255 - 0.5) / 0.5
        assert np.abs(planes[at].transpose(1, 2, 0) - expected).max() < 1e-6
    own = timm.data.create_transform(64, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225), crop_pct=1.0)
    by_function = in9.evaluate(model, data, views=["original"], transform=own, progress=False)
    assert by_function.accuracy == in9.evaluate(model, data, views="original", progress=False).accuracy
    assert "Compose" in by_function.settings["transform"]
    assert in9.timm_transform(model).mean == (0.485, 0.456, 0.406)


def test_a_model_is_left_as_it_was(model: Any, data: in9.Dataset) -> None:
    model.train()
    model.layer1.eval()
    before = [module.training for module in model.modules()]
    in9.evaluate(model, data, views="original", progress=False)
    assert [module.training for module in model.modules()] == before
    assert not next(model.parameters()).is_inference()
    model.eval()


def test_models_that_cannot_be_asked(data: in9.Dataset) -> None:
    for wrong, part in (
        (lambda planes: np.zeros((len(planes), 9, 1), np.float32), "outputs"),
        (lambda planes: np.full((len(planes), 9), np.nan, np.float32), "finite"),
    ):
        with pytest.raises(in9.ModelError, match=part):
            in9.evaluate(wrong, data, transform="imagenet", progress=False)
    with pytest.raises(in9.ArgumentError, match="5 outputs|of 5 classes"):
        in9.evaluate(lambda p: np.zeros((len(p), 5), np.float32), data, transform="imagenet", progress=False)
    with pytest.raises(in9.ArgumentError, match="model"):
        in9.evaluate(3, data, transform="imagenet", progress=False)

    def broken(_: Any) -> Any:
        raise KeyError("own mistake")

    with pytest.raises(KeyError, match="own mistake"):
        in9.evaluate(broken, data, transform="imagenet", progress=False)


def test_comparison_is_that_of_the_program(
    model: Any, data: in9.Dataset, result: in9.Result, tmp_path: Path
) -> None:
    torch.manual_seed(3)
    other = timm.create_model("resnet18", num_classes=9).eval()
    second = in9.evaluate(other, data, name="other", progress=False)
    result.to_csv(tmp_path / "a.csv")
    second.to_csv(tmp_path / "b.csv")
    found = in9.compare(result, second)
    program("compare", tmp_path / "a.csv", tmp_path / "b.csv", "--out", tmp_path / "out")
    assert found.results == json.loads((tmp_path / "out" / "results.json").read_text())
    assert found.gap is not None and set(found.p) == set(result.accuracy)
    assert "minus" in str(found) and "<table>" in found._repr_html_()
    both = result + second
    assert len(both.results["models"]) == 2
    assert in9.compare(result, in9.read_predictions(tmp_path / "b.csv")).results == found.results


def test_a_card_beside_the_table_lets_the_leaderboard_rank_it(
    model: Any, data: in9.Dataset, result: in9.Result, tmp_path: Path
) -> None:
    torch.manual_seed(3)
    other = in9.evaluate(timm.create_model("resnet18", num_classes=9), data, name="other", progress=False)
    again = in9.evaluate(model, data, name="again", views="paper", progress=False)
    for name, one in {"a": result, "b": other, "c": again}.items():
        one.to_csv(tmp_path / f"{name}.csv")
    cards = [(tmp_path / f"{name}.csv.card.toml").read_text() for name in "abc"]
    assert all(data.digest in card and 'mapping = "identity"' in card for card in cards)
    weights = [next(line for line in card.splitlines() if line.startswith("weights")) for card in cards]
    assert weights[0] == weights[2] != weights[1], "a digest is the weights', not the name's"
    program("leaderboard", tmp_path / "a.csv", tmp_path / "b.csv", "--out", tmp_path / "board")
    board = json.loads((tmp_path / "board" / "results.json").read_text())
    assert [len(protocol["networks"]) for protocol in board["protocols"]] == [2], "ranked together"
    read = in9.read_predictions(tmp_path / "a.csv")
    read.to_csv(tmp_path / "read.csv")
    assert (tmp_path / "read.csv.card.toml").read_text() == cards[0], "what was read with a card keeps it"
    own = in9.evaluate(model, data, views="original", transform=lambda p: np.zeros((3, 32, 32), np.float32), progress=False)
    own.to_csv(tmp_path / "own.csv")
    assert not (tmp_path / "own.csv.card.toml").exists()
    (tmp_path / "taken.csv.card.toml").write_text("precious")
    with pytest.raises(in9.In9Error, match="taken.csv.card.toml"):
        result.to_csv(tmp_path / "taken.csv")
    assert not (tmp_path / "taken.csv").exists()


def test_results_go_to_pandas_html_and_the_report(result: in9.Result, tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    frame = result.to_pandas()
    assert isinstance(frame, pandas.DataFrame) and len(frame) == 15
    assert frame.set_index("view").loc["original", "accuracy"] == result.accuracy["original"].value
    assert len(result.predictions[0].to_pandas()) == len(result.predictions[0])
    assert result._repr_html_().count("<table>") >= 3
    page = Path(result.report(tmp_path / "report", title="A résumé of résumés"))
    text = page.read_text()
    assert "A résumé of résumés" in text and "data:image" in text


def test_answers_of_another_program(data: in9.Dataset, tmp_path: Path) -> None:
    split = data.split("test")
    lines = ["image,view,predicted"]
    for view in ("mixed-same", "mixed-rand"):
        lines += [f"{name},{view},{data.classes[split.labels[at]]}" for at, name in enumerate(split.ids)]
    (tmp_path / "answers.csv").write_text("\n".join(lines[:-1]) + "\n")
    with pytest.warns(UserWarning, match="answered"):
        read = in9.read_predictions(tmp_path / "answers.csv", data=data)
    measured = in9.Result.of(read)
    assert measured.accuracy["mixed-same"].value == 1 and measured.gap is not None
    (tmp_path / "answers.csv").write_text("image,view,predicted\nnobody,original,dog\n")
    with pytest.raises(in9.DataError, match="line 2"):
        in9.read_predictions(tmp_path / "answers.csv", data=data)
