"""Datasets: layers without a copy, views, pairings, identity, errors."""

from __future__ import annotations

import csv
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest

import in9


def test_views_are_composed_of_layers(data: in9.Dataset) -> None:
    split = data.split("test")
    for at in (0, 3, len(split) - 1):
        sample, other = split[at], split[(at + 5) % len(split)]
        mask, photo = sample.mask[..., None], sample.photo
        assert np.array_equal(sample.view("original"), photo)
        assert np.array_equal(sample.view("only-bg-t"), sample.background)
        assert np.array_equal(sample.view("no-fg"), np.where(mask, 0, photo))
        assert np.array_equal(sample.view("only-fg"), np.where(mask, photo, 0))
        for view in ("mixed-same", "mixed-rand", "mixed-next"):
            mixed = sample.view(view, background=other.id)
            assert np.array_equal(mixed, np.where(mask, photo, other.background))
        x0, y0, x1, y1 = sample.box
        boxed = photo.copy()
        boxed[y0 : y1 + 1, x0 : x1 + 1] = 0
        assert np.array_equal(sample.view("only-bg-b"), boxed)
        assert sample.view("bg-blurred").shape == photo.shape
        assert np.array_equal(split.boxes[at], sample.box)


def test_layers_are_views_of_the_file(data: in9.Dataset) -> None:
    sample = data.split("test")[0]
    first, second = sample.photo, sample.photo
    assert first.__array_interface__["data"][0] == second.__array_interface__["data"][0]
    assert not first.flags.writeable and not first.flags.owndata
    with pytest.raises(ValueError):
        first[0, 0, 0] = 1
    # They outlive everything that they came from.
    kept = in9.Dataset(data.path).split("test")[1].photo
    assert np.array_equal(kept, data.split("test")[1].photo)


def test_pairings_are_those_of_the_files(data: in9.Dataset) -> None:
    split = data.split("test")
    for view in ("mixed-same", "mixed-rand", "mixed-next"):
        with open(data.path / "pairings" / f"test-{view}.csv", newline="") as file:
            rows = {row["foreground"]: row["background"] for row in csv.DictReader(file)}
        assert [rows[name] for name in split.ids] == [split.ids[at] for at in split.pairing(view)]
    fresh = [split.pairing("mixed-rand", seed=3, epoch=epoch) for epoch in (0, 0, 1)]
    assert np.array_equal(fresh[0], fresh[1]) and not np.array_equal(fresh[0], fresh[2])
    same = split.pairing("mixed-same", seed=3)
    assert np.array_equal(split.labels[same], split.labels)


def test_a_dataset_is_its_digest(data: in9.Dataset, tmp_path: Path) -> None:
    copy = shutil.copytree(data.path, tmp_path / "copy")
    again = in9.Dataset(copy)
    assert again == data and hash(again) == hash(data) and len({again, data}) == 1
    assert pickle.loads(pickle.dumps(data)) == data
    split = pickle.loads(pickle.dumps(data.split("train")))
    assert split == data.split("train") and split.ids == data.split("train").ids
    pickled = pickle.dumps(again)
    shutil.rmtree(copy)
    in9.toy(copy, train_per_class=2, test_per_class=2, seed=9, progress=False)
    with pytest.raises(in9.DataError, match="another dataset"):
        pickle.loads(pickled)


def test_samples_are_found_by_place_and_id(data: in9.Dataset) -> None:
    split = data.split()
    assert split.name == "test" and data["test"] is data.split("test")
    assert split[split.ids[4]].index == 4 and split[-1].index == len(split) - 1
    assert [sample.label for sample in split] == split.labels.tolist()
    assert split[0].class_name == data.classes[split[0].label]
    with pytest.raises(IndexError):
        split[len(split)]
    with pytest.raises(KeyError):
        split["nobody"]


def test_errors_are_one_line_and_say_who_is_at_fault(data: in9.Dataset, tmp_path: Path) -> None:
    with pytest.raises(in9.FileError) as missing:
        in9.Dataset(tmp_path / "nothing")
    assert isinstance(missing.value, OSError)
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(in9.DataError) as other:
        in9.Dataset(tmp_path)
    with pytest.raises(in9.ArgumentError) as split:
        data.split("validation")
    with pytest.raises(in9.ArgumentError) as view:
        data.split().picture("sideways", 0)
    with pytest.raises(in9.ArgumentError) as build:
        in9.build(source="folder", root=tmp_path, out=tmp_path / "out", size=0, progress=False)
    for error in (missing, other, split, view, build):
        assert isinstance(error.value, in9.In9Error)
        assert len(str(error.value).splitlines()) == 1 and str(error.value)
    assert "expected" in str(view.value) and "sideways" in str(view.value)


def test_damage_is_refused(data: in9.Dataset, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(data.path, tmp_path / "copy"))
    shard = next((copy / "shards").glob("test-*.in9"))
    whole = bytearray(shard.read_bytes())
    whole[len(whole) // 2] ^= 1
    shard.write_bytes(whole)
    split = in9.Dataset(copy).split("test")
    with pytest.raises(in9.DataError, match="CRC|checksum|damaged|expected"):
        for sample in split:
            sample.photo, sample.background, sample.mask


def test_progress_is_told_and_stops_the_work(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    in9.toy(tmp_path / "a", train_per_class=3, test_per_class=1, progress=lambda *step: told.append(step))
    assert told and all(done <= total for _, done, total in told)

    def stop(*_: object) -> None:
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        in9.toy(tmp_path / "b", train_per_class=300, test_per_class=30, progress=stop)


def test_a_folder_of_photographs_with_masks(tmp_path: Path, data: in9.Dataset) -> None:
    image = pytest.importorskip("PIL.Image")
    split = data.split("test")
    for at in range(0, len(split), 2):
        sample = split[at]
        for folder, picture in (("", sample.photo), ("masks/", sample.mask.astype(np.uint8) * 255)):
            path = tmp_path / "photos" / folder / sample.class_name
            path.mkdir(parents=True, exist_ok=True)
            image.fromarray(picture).save(path / f"{sample.id}.png")
    built = in9.build(
        source="folder", root=tmp_path / "photos", out=tmp_path / "mine", masks="exact", size=64, progress=False
    )
    assert built.dataset is not None and sorted(built.dataset.classes) == sorted(data.classes)
    assert sum(built.samples.values()) > 0 and "samples" in str(built)
    assert in9.Dataset(built) == built.dataset
    mine = built.dataset.split()
    first = mine[0]
    assert np.array_equal(first.photo, split[first.id.split("_", 1)[1]].photo)
    again = in9.build(
        source="folder", root=tmp_path / "photos", out=tmp_path / "mine", masks="exact", size=64, progress=False
    )
    assert again.already_complete
