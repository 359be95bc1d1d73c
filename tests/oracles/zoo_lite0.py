"""PyTorch's answers of EfficientNet-Lite0 on the photographs of the ILSVRC slice.

    python tests/oracles/zoo_lite0.py photographs DATA crates/in9-models/tests/lite0.csv
    python tests/oracles/zoo_lite0.py arrays DATA x.npy y.npy

DATA is the folder with ilsvrc-val-slice/ and weights/. Needs torch, timm, pillow, numpy.

`photographs` decodes, crops and resizes with Pillow, and writes for each photograph: its class of
the nine, PyTorch's arg-max over the thousand classes, the gap between its two highest logits, the
classes by mapping A (-1 outside) and B, and the CRC-32 of the 8-bit square that the network saw.

`arrays` takes inputs that were prepared elsewhere (`cargo run --example preprocess`) and the logits
of `in9-models forward`, and compares those with PyTorch's on the same inputs.
"""

import csv
import sys
import tomllib
import zlib
from pathlib import Path

import numpy as np
import timm
import torch
from PIL import Image

TAXONOMY = Path(__file__).parents[2] / "data-manifests/taxonomies/imagenet-9.toml"


def network(data: Path):
    state = torch.load(data / "weights/efficientnet-lite0-57934424.pth", weights_only=True)
    model = timm.create_model("tf_efficientnet_lite0")
    names = list(model.state_dict())
    assert [tuple(v.shape) for v in state.values()] == [tuple(v.shape) for v in model.state_dict().values()]
    # Both list the same layers in the same order under other names.
    model.load_state_dict(dict(zip(names, state.values())))
    return model.eval()


def square(path: Path) -> Image.Image:
    image = Image.open(path).convert("RGB")
    side = int(min(image.size) * 0.875)
    left, top = (round((length - side) / 2) for length in image.size)
    return image.crop((left, top, left + side, top + side)).resize((224, 224), Image.BICUBIC)


def photographs(data: Path, out: Path) -> None:
    classes = tomllib.loads(TAXONOMY.read_text())["class"]
    of_index = {i: k for k, c in enumerate(classes) for i in c["indices"]}
    of_synset = {s: k for k, c in enumerate(classes) for s in c["synsets"]}
    model = network(data)
    root = data / "ilsvrc-val-slice"
    rows = list(csv.DictReader((root / "LOC_val_solution.csv").open()))
    right = {"a": 0, "b": 0}
    with out.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["photo", "class", "top1", "gap", "class_a", "class_b", "crc"])
        for row in sorted(rows, key=lambda r: r["ImageId"]):
            truth = of_synset[row["PredictionString"].split()[0]]
            image = square(root / f"ILSVRC/Data/CLS-LOC/val/{row['ImageId']}.JPEG")
            x = (torch.from_numpy(np.array(image)).permute(2, 0, 1)[None].float() - 127) / 128
            with torch.no_grad():
                logits = model(x)[0].double()
            best, second = logits.topk(2).values.tolist()
            p = logits.softmax(0)
            a = of_index.get(int(logits.argmax()), -1)
            sums = [sum(p[i].item() for i in c["indices"]) for c in classes]
            b = int(np.argmax(sums))
            right["a"] += a == truth
            right["b"] += b == truth
            crc = zlib.crc32(image.tobytes())
            writer.writerow([row["ImageId"], truth, int(logits.argmax()), f"{best - second:.4f}", a, b, crc])
    print(len(rows), "photographs, right by mapping A and B:", right)


def arrays(data: Path, x: Path, y: Path) -> None:
    model = network(data)
    inputs, ours = torch.from_numpy(np.load(x)), np.load(y)
    with torch.no_grad():
        theirs = torch.cat([model(part) for part in inputs.split(16)]).numpy()
    same = int((ours.argmax(1) == theirs.argmax(1)).sum())
    error = np.linalg.norm(ours - theirs) / np.linalg.norm(theirs)
    print(f"{same} of {len(ours)} arg-max equal; logits differ by {error:.2e} (relative)")


if sys.argv[1] == "photographs":
    photographs(Path(sys.argv[2]), Path(sys.argv[3]))
else:
    arrays(*map(Path, sys.argv[2:5]))
