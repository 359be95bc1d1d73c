"""Challenge and saliency: those of the programs, on the same weights; zero-shot and probes: those of plain PyTorch."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_evaluate import program

import in9

torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def weights(model: Any, tmp_path_factory: pytest.TempPathFactory) -> list[object]:
    """Flags that name the network to the programs."""
    path = tmp_path_factory.mktemp("weights") / "resnet18.safetensors"
    pytest.importorskip("safetensors.torch").save_file(model.state_dict(), path)
    return ["--arch", "resnet18", "--weights", path, "--normalization", "imagenet", "--name", "resnet18"]


@pytest.mark.parametrize("exhaustive", [False, True])
def test_the_challenge_is_that_of_the_program(
    model: Any, data: in9.Dataset, weights: list[object], tmp_path: Path, exhaustive: bool
) -> None:
    limits: list[object] = ["--limit", 12, "--backgrounds", 20, "--seed", 4]
    more = ["--exhaustive"] if exhaustive else []
    program("adversarial", *weights, "--data", data.path, "--out", tmp_path / "rust", *limits, *more)
    rust = json.loads((tmp_path / "rust" / "summary.json").read_text())
    found = in9.challenge(
        model, data, limit=12, backgrounds=20, seed=4, exhaustive=exhaustive, out=tmp_path / "ours", progress=False
    )

    def told(results: dict[str, Any]) -> dict[str, Any]:
        """Without the digest of the weights, which the program reads from their file and the package never sees."""
        return {key: value for key, value in results.items() if key not in ("trained_data", "training", "training_seed")}

    assert told(found.results) == told(rust)
    for name in ("foregrounds.csv", "fooled.csv"):
        assert (tmp_path / "ours" / name).read_bytes() == (tmp_path / "rust" / name).read_bytes()
    assert not (tmp_path / "ours.journal").exists()
    assert found.challenge_accuracy is not None and "challenge accuracy" in str(found)
    assert set(found.vulnerable) == {"untargeted", "untargeted-other", "targeted"}


def test_an_interrupted_challenge_goes_on(model: Any, data: in9.Dataset, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"limit": 10, "seed": 1, "wave": 16, "exhaustive": True, "out": tmp_path / "out"}
    asked: list[int] = []

    class Counting(torch.nn.Module):
        pretrained_cfg = model.pretrained_cfg

        def __init__(self, most: int) -> None:
            super().__init__()
            self.model, self.most, self.count = model, most, 0

        def forward(self, pictures: Any) -> Any:
            self.count += len(pictures)
            asked.append(len(pictures))
            if self.count > self.most:
                raise InterruptedError("unplugged")
            return self.model(pictures)

    whole = in9.challenge(Counting(10**9), data, **{**settings, "out": tmp_path / "whole"}, progress=False)
    passes = sum(asked)
    with pytest.raises(InterruptedError, match="unplugged"):
        in9.challenge(Counting(passes * 2 // 3), data, **settings, progress=False)
    assert (tmp_path / "out.journal").exists()
    asked.clear()
    resumed = in9.challenge(Counting(10**9), data, **settings, progress=False)
    assert resumed.results == whole.results and resumed.tried == whole.tried
    assert sum(asked) < passes * 3 // 4
    with pytest.raises(in9.ArgumentError, match="weights"):
        in9.challenge(lambda x: np.zeros((len(x), 9)), data, transform="half", out=tmp_path / "x", progress=False)


def test_saliency_is_that_of_the_program(
    model: Any, data: in9.Dataset, weights: list[object], tmp_path: Path
) -> None:
    program("saliency", *weights, "--data", data.path, "--out", tmp_path / "rust", "--limit", 9, "--tap",
            "layer4.1,layer3.1", "--methods", "grad-cam,hires-cam,input-gradient", "--steps", 4)  # fmt: skip
    found = in9.saliency(model, data, layers=["layer4.1", "layer3.1"], limit=9, steps=4, out=tmp_path / "ours",
                         methods=["grad-cam", "hires-cam", "input-gradient"], progress=False)  # fmt: skip
    rust = json.loads((tmp_path / "rust" / "summary.json").read_text())
    assert len(found.results["methods"]) == len(rust["methods"]) == 5
    for ours, theirs in zip(found.results["methods"], rust["methods"]):
        assert (ours["method"], ours["tap"], ours["images"]) == (theirs["method"], theirs["tap"], theirs["images"])
        for key in ("mass", "lift", "iou"):
            assert ours[key]["value"] == pytest.approx(theirs[key]["value"], abs=2e-3)
        assert ours["deletion"]["value"] == pytest.approx(theirs["deletion"]["value"], abs=5e-3)
    assert (tmp_path / "ours" / "overlays").is_dir()
    assert found.lift().low <= found.lift().value <= found.lift().high
    assert len(found.rows) == 9 * 5 and "grad-cam" in str(found)
    # Grad-CAM by hand: mean gradient times activation.
    (image, method, layer), shown = next((key, m) for key, m in found.maps.items() if key[1:] == ("grad-cam", "layer4.1"))
    split = data.split()
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    picture = (torch.from_numpy(split[image].photo.copy()).permute(2, 0, 1)[None] / 255 - mean) / std
    kept: list[Any] = []
    hook = model.layer4[1].register_forward_hook(lambda _m, _i, output: kept.append(output))
    score = model(picture.requires_grad_())[0, split.labels[image]]
    hook.remove()
    (gradient,) = torch.autograd.grad(score, kept[0])
    cam = (gradient.mean(dim=(2, 3), keepdim=True) * kept[0]).sum(dim=1, keepdim=True).relu()
    cam = torch.nn.functional.interpolate(cam, (64, 64), mode="bilinear", align_corners=False)[0, 0].detach().numpy()
    assert np.abs(cam - shown).max() < 1e-4 * max(1.0, float(cam.max()))


def test_saliency_of_a_thousand_classes_has_a_layer_of_its_own(thousand: Any, data: in9.Dataset) -> None:
    table = [at % 12 if at % 12 < 9 else -1 for at in range(1000)]
    found = in9.saliency(thousand, data, classes=table, limit=3, methods=["grad-cam"], steps=0, progress=False)
    assert found.results["tap"].startswith("layer4") and len(found.rows) == 3
    with pytest.raises(in9.ArgumentError, match="unknown layer"):
        in9.saliency(thousand, data, classes=table, layers="layer9", limit=1, progress=False)


def test_probes_appear_in_the_report(model: Any, data: in9.Dataset, tmp_path: Path) -> None:
    result = in9.evaluate(model, data, progress=False)
    challenge = in9.challenge(model, data, limit=6, out=tmp_path / "challenge", progress=False)
    saliency = in9.saliency(model, data, limit=9, out=tmp_path / "saliency", progress=False)
    page = Path(in9.report(tmp_path / "report", result, challenge, saliency, title="All")).read_text()
    assert "Adversarial" in page and "Grad-CAM" in page.replace("grad-cam", "Grad-CAM")
    unwritten = in9.challenge(model, data, limit=2, progress=False)
    with pytest.raises(in9.ArgumentError, match="not written"):
        in9.report(tmp_path / "other", result, unwritten)


@pytest.fixture(scope="module")
def clip() -> tuple[Any, Any]:
    """A small CLIP of open_clip with random weights, and its tokenizer."""
    open_clip = pytest.importorskip("open_clip")
    from open_clip.model import CLIP, CLIPTextCfg, CLIPVisionCfg

    torch.manual_seed(2)
    vision = CLIPVisionCfg(layers=2, width=64, head_width=32, image_size=64, patch_size=16)
    model = CLIP(embed_dim=32, vision_cfg=vision, text_cfg=CLIPTextCfg(width=64, heads=2, layers=2)).eval()
    with torch.no_grad():
        # Random embeddings are nearly parallel; apart, the answers differ.
        model.text_projection.mul_(30)
        model.visual.proj.mul_(30)
    return model, open_clip.get_tokenizer("ViT-B-32")


def _plain(model: Any, tokenizer: Any, split: in9.Split, view: str, groups: list[list[str]]) -> Any:
    """Scores ``[n, outputs]`` of a CLIP, written out."""
    from open_clip import OPENAI_DATASET_MEAN, OPENAI_DATASET_STD

    pictures = torch.stack([torch.from_numpy(split.picture(view, at).copy()) for at in range(len(split))])
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (OPENAI_DATASET_MEAN, OPENAI_DATASET_STD))
    with torch.no_grad():
        images = model.encode_image((pictures.permute(0, 3, 1, 2) / 255 - mean) / std)
        images = images / images.norm(dim=1, keepdim=True)
        rows = []
        for group in groups:
            words = model.encode_text(tokenizer(group))
            words = (words / words.norm(dim=1, keepdim=True)).mean(dim=0)
            rows.append(words / words.norm())
        return model.logit_scale.exp() * images @ torch.stack(rows).T


def test_zero_shot_is_plain_pytorch(clip: tuple[Any, Any], data: in9.Dataset) -> None:
    model, tokenizer = clip
    split = data.split("test")
    from open_clip import OPENAI_IMAGENET_TEMPLATES

    templates = [template for template in OPENAI_IMAGENET_TEMPLATES][:7]
    words = [f"an image of a {name}" for name in data.classes]
    protocols: list[tuple[Any, dict[str, Any], list[list[str]]]] = [
        ("classes", {}, [[f"a photo of a {name}."] for name in data.classes]),
        ("ensemble", {"templates": templates}, [[t(name) for t in templates] for name in data.classes]),
        (words, {}, [[word] for word in words]),
    ]
    for prompts, more, groups in protocols:
        classifier = in9.zero_shot(model, tokenizer, prompts, data=data, **more)
        result = in9.evaluate(classifier, data, views=["original", "mixed-rand"], progress=False)
        for view in ("original", "mixed-rand"):
            expected = _plain(model, tokenizer, split, view, groups)
            rows = [row for row in result.predictions[0].rows() if row["view"] == view]
            assert [row["predicted"] for row in rows] == [data.classes[at] for at in expected.argmax(dim=1)]
            scores = np.array([[row[f"score_{name}"] for name in data.classes] for row in rows])
            assert np.abs(scores - expected.softmax(dim=1).numpy()).max() < 1e-4
        kind = prompts if isinstance(prompts, str) else "given"
        assert result.settings["protocol: prompts"] == kind
    with pytest.raises(in9.ArgumentError, match="data="):
        in9.zero_shot(model, tokenizer, "classes")
    with pytest.raises(in9.ArgumentError, match="expected 9"):
        in9.zero_shot(model, tokenizer, words[:3], data=data)


def test_zero_shot_over_a_thousand_prompts(clip: tuple[Any, Any], data: in9.Dataset) -> None:
    model, tokenizer = clip
    from open_clip import IMAGENET_CLASSNAMES

    classifier = in9.zero_shot(model, tokenizer, "imagenet")
    split = data.split("test")
    table = [at % 12 if at % 12 < 9 else -1 for at in range(1000)]
    result = in9.evaluate(classifier, data, views="original", classes=table, progress=False)
    groups = [[f"a photo of a {name}."] for name in IMAGENET_CLASSNAMES]
    expected = _plain(model, tokenizer, split, "original", groups).argmax(dim=1)
    names = [*data.classes, ""]
    found = [row["predicted"] for row in result.predictions[0].rows()]
    assert found == [names[table[at]] for at in expected]
    assert result.settings["protocol: outputs"] == "1000"


def test_zero_shot_of_transformers(data: in9.Dataset) -> None:
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    small = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = transformers.CLIPConfig(
        text_config={**small, "vocab_size": 100, "eos_token_id": 99},
        vision_config={**small, "image_size": 64, "patch_size": 16},
        projection_dim=16,
    )
    model = transformers.CLIPModel(config).eval()

    def tokenizer(texts: list[str], **_: Any) -> dict[str, Any]:
        rows = [[ord(letter) % 98 for letter in text[:20].ljust(20)] + [99] for text in texts]
        return {"input_ids": torch.tensor(rows), "attention_mask": torch.ones(len(rows), 21, dtype=torch.long)}

    classifier = in9.zero_shot(model, tokenizer, data=data)
    result = in9.evaluate(classifier, data, views="original", progress=False)
    batch = next(iter(data.split().batches(batch_size=999, normalize=(classifier.transform.mean, classifier.transform.std))))
    words = [f"a photo of a {name}." for name in data.classes]
    with torch.no_grad():
        plain = model(pixel_values=torch.from_numpy(batch.pictures), **tokenizer(words)).logits_per_image
    expected = [data.classes[at] for at in plain.argmax(dim=1)]
    assert [row["predicted"] for row in result.predictions[0].rows()] == expected


def test_the_probe_is_plain_pytorch(model: Any, clip: tuple[Any, Any], data: in9.Dataset) -> None:
    for encoder in (model, clip[0]):
        transform = None if encoder is model else in9.Transform.named("imagenet")
        found = in9.probe(encoder, data, k=5, l2=1e-2, transform=transform, progress=False)
        train, test = data.split("train"), data.split("test")

        def features(split: in9.Split, view: str) -> Any:
            pictures = next(iter(split.batches(view, batch_size=len(split)))).pictures
            with torch.no_grad():
                if encoder is model:
                    maps = model.forward_features(torch.from_numpy(pictures))
                    return maps.mean(dim=(2, 3)).double()
                return encoder.encode_image(torch.from_numpy(pictures)).double()

        known, labels = features(train, "original"), torch.from_numpy(train.labels)
        assert (found.features - known).abs().max() < 1e-4
        mean, std = known.mean(dim=0), known.std(dim=0, correction=0)
        std[std == 0] = 1
        # The same problem by another way: plain gradient descent with momentum, long enough.
        weight = torch.zeros(known.shape[1], 9, dtype=torch.float64, requires_grad=True)
        bias = torch.zeros(9, dtype=torch.float64, requires_grad=True)
        optimizer = torch.optim.LBFGS([weight, bias], max_iter=2000, tolerance_grad=1e-10, tolerance_change=0,
                                      line_search_fn="strong_wolfe", history_size=50)  # fmt: skip

        def loss() -> Any:
            optimizer.zero_grad()
            value = torch.nn.functional.cross_entropy((known - mean) / std @ weight + bias, labels)
            value = value + 0.005 * (weight**2).sum()
            value.backward()
            return value

        optimizer.step(loss)
        for view in ("original", "mixed-rand"):
            asked = features(test, view)
            linear = ((asked - mean) / std @ weight + bias).softmax(dim=1).detach().numpy()
            rows = [row for row in found.linear.predictions[0].rows() if row["view"] == view]
            scores = np.array([[row[f"score_{name}"] for name in data.classes] for row in rows])
            assert np.abs(scores - linear).max() < 1e-3
            similar = torch.nn.functional.cosine_similarity(asked[:, None], known[None], dim=2)
            near = similar.topk(5, dim=1)
            votes = torch.zeros(len(asked), 9, dtype=torch.float64)
            votes.scatter_add_(1, labels[near.indices], (near.values / 0.07).exp())
            rows = [row for row in found.knn.predictions[0].rows() if row["view"] == view]
            assert [row["predicted"] for row in rows] == [data.classes[at] for at in votes.argmax(dim=1)]
    assert len(found.result.results["models"]) == 2 and "linear" in str(found)


def test_the_probe_is_that_of_the_program(
    model: Any, data: in9.Dataset, weights: list[object], tmp_path: Path
) -> None:
    found = in9.probe(model, data, views="paper", k=5, l2=1e-2, progress=False)
    table = tmp_path / "probe.csv"
    settings: list[object] = ["--views", "paper", "--k", 5, "--l2", 1e-2, "--dataset-name", data.name]
    program("probe", *weights, "--data", data.path, *settings, "--out", table)
    with table.open(newline="") as file:
        theirs = {(row["model"], row["view"], row["image"]): row for row in csv.DictReader(file)}
    scores = [f"score_{name}" for name in data.classes]
    ours = 0
    for method, result in found.results.items():
        for row in result.predictions[0].rows():
            other = theirs[f"resnet18 {method}", row["view"], row["image"]]
            ours += 1
            assert other["trained_on"] == row["trained_on"] and other["background"] == row["background"]
            assert max(abs(float(other[name]) - row[name]) for name in scores) < 1e-3
    assert ours == len(theirs) == 2 * 8 * len(data.split("test"))


def test_backgrounds_are_swapped(data: in9.Dataset) -> None:
    image = pytest.importorskip("PIL.Image")
    split = data.split("test")
    swap = in9.BackgroundSwap(data, p=1.0, seed=3)
    sample = split[2]
    chosen = swap.choose(2)
    assert chosen is not None and swap.split.name == "train"
    expected = np.where(sample.mask[..., None], sample.photo, swap.split[chosen].background)
    assert np.array_equal(swap(sample.photo, sample.mask, key=2), expected)
    shown = swap(image.fromarray(sample.photo), image.fromarray(sample.mask), key=2)
    assert np.array_equal(np.asarray(shown), expected)
    tensor = torch.from_numpy(sample.photo.transpose(2, 0, 1).copy())
    mask = torch.from_numpy(sample.mask)
    assert np.array_equal(swap(tensor, mask, key=2).permute(1, 2, 0).numpy(), expected)
    values = swap.batch(torch.stack([tensor, tensor]).float() / 255, torch.stack([mask, mask]), keys=[2, 3])
    assert np.abs(values[0].permute(1, 2, 0).numpy() * 255 - expected).max() < 1e-3
    assert not torch.equal(values[0], values[1])
    # Half of the pictures keep their own; another epoch chooses others; classes are kept apart.
    half = in9.BackgroundSwap(data, p=0.5)
    first = [half.choose(key) for key in range(400)]
    assert 140 < sum(one is None for one in first) < 260
    half.set_epoch(1)
    assert [half.choose(key) for key in range(400)] != first
    labels = swap.split.labels
    for classes in ("same", "other"):
        kept = in9.BackgroundSwap(data, p=1.0, classes=classes)
        for key in range(50):
            place = kept.choose(key, label=4)
            assert place is not None and (labels[place] == 4) == (classes == "same")
    large = swap(np.zeros((100, 80, 3), np.uint8), np.zeros((100, 80), bool), key=1)
    assert large.shape == (100, 80, 3) and large.any()
    with pytest.raises(in9.ArgumentError, match="mask"):
        swap(sample.photo, sample.mask[:5], key=1)
