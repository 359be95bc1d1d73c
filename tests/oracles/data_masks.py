"""Small ONNX networks that draw masks, and what ONNX Runtime and Pillow make of them, for in9-onnx and in9-data.

    pip install onnx==1.23.2 onnxruntime==1.32.0 numpy pillow
    python tests/oracles/data_masks.py crates/in9-onnx/tests/networks crates/in9-data/tests/networks

Writes to both folders: red.onnx (how much redder a pixel is than green and blue, at half the size and back; any size; a
second output that nobody asks for), apart.onnx (how far a pixel is from the mean colour), classes.onnx (channels last,
64 by 48 pixels, two classes), dark.onnx (blue first, a sigmoid inside, its map a quarter of its input's size) and boxed.onnx
(told a box, which is its first input: what is red in the ellipse inside the box). To the first: short.onnx, which is in half precision; answers.json, for each network some of the values that ONNX Runtime gives
for an input by a formula; and networks that are to be refused in the folder wrong. To the second: for each network a
description, and masks.json, the masks of four pictures by a formula.
"""

import json
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

node, value = helper.make_node, helper.make_tensor_value_info
FLOAT = TensorProto.FLOAT


def constant(name: str, values, kind=np.float32):
    return numpy_helper.from_array(np.array(values, kind), name)


def model(nodes, inputs, outputs, weights) -> onnx.ModelProto:
    graph = helper.make_graph(nodes, "masks", inputs, outputs, weights)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("org.example", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9)


def red() -> onnx.ModelProto:
    nodes = [
        node("Conv", ["pixels", "weights", "bias"], ["redness"]),
        node("AveragePool", ["redness"], ["half"], kernel_shape=[2, 2], strides=[2, 2]),
        node("Resize", ["half", "", "twice"], ["map"], mode="linear", coordinate_transformation_mode="half_pixel"),
    ]
    sizes = ["batch", 3, "height", "width"]
    outputs = [value("half", FLOAT, ["batch", 1, "h", "w"]), value("map", FLOAT, ["batch", 1, "height", "width"])]
    weights = [
        constant("weights", np.reshape([12, -6, -6], [1, 3, 1, 1])), constant("bias", [-3]), constant("twice", [1, 1, 2, 2])
    ]
    return model(nodes, [value("pixels", FLOAT, sizes)], outputs, weights)


def classes() -> onnx.ModelProto:
    nodes = [
        node("Transpose", ["pixels"], ["planes"], perm=[0, 3, 1, 2]),
        node("Conv", ["planes", "weights", "bias"], ["scores"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        node("Transpose", ["scores"], ["map"], perm=[0, 2, 3, 1]),
    ]
    kernel = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16
    weights = np.stack([np.zeros([3, 3, 3]), np.stack([4 * kernel, -2 * kernel, -2 * kernel])])
    outputs = [value("map", FLOAT, [1, 48, 64, 2])]
    given = [value("pixels", FLOAT, [1, 48, 64, 3])]
    return model(nodes, given, outputs, [constant("weights", weights), constant("bias", [0, -1])])


def short() -> onnx.ModelProto:
    """As published networks are made smaller: in half precision between a cast and a cast."""
    half = TensorProto.FLOAT16
    nodes = [
        node("Cast", ["pixels"], ["halves"], to=half),
        node("Conv", ["halves", "weights", "bias"], ["edges"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        node("Sigmoid", ["edges"], ["shares"]),
        node("Cast", ["shares"], ["map"], to=FLOAT),
    ]
    kernel = np.array([[1, 2, 1], [2, -12, 2], [1, 2, 1]]) / 4
    weights = [
        constant("weights", np.stack([kernel, kernel, -kernel])[None], np.float16), constant("bias", [0.25], np.float16)
    ]
    return model(nodes, [value("pixels", FLOAT, [1, 3, 24, 32])], [value("map", FLOAT, [1, 1, 24, 32])], weights)


def dark() -> onnx.ModelProto:
    nodes = [
        node("Conv", ["pixels", "weights", "bias"], ["redness"]),
        node("AveragePool", ["redness"], ["quarter"], kernel_shape=[4, 4], strides=[4, 4]),
        node("Sigmoid", ["quarter"], ["map"]),
    ]
    weights = [constant("weights", np.reshape([-0.05, -0.05, 0.1], [1, 3, 1, 1])), constant("bias", [-4])]
    given = [value("pixels", FLOAT, [1, 3, 64, 64])]
    return model(nodes, given, [value("map", FLOAT, [1, 1, 16, 16])], weights)


def apart() -> onnx.ModelProto:
    nodes = [
        node("GlobalAveragePool", ["pixels"], ["mean"]),
        node("Sub", ["pixels", "mean"], ["off"]),
        node("Mul", ["off", "off"], ["squares"]),
        node("Conv", ["squares", "weights", "bias"], ["scores"]),
        node("AveragePool", ["scores"], ["map"], kernel_shape=[5, 5], pads=[2, 2, 2, 2]),
    ]
    sizes = ["batch", 3, "height", "width"]
    weights = [constant("weights", np.reshape([50, 50, 50], [1, 3, 1, 1])), constant("bias", [-2])]
    return model(nodes, [value("pixels", FLOAT, sizes)], [value("map", FLOAT, ["batch", 1, "height", "width"])], weights)


def boxed() -> onnx.ModelProto:
    def at(index):
        return [node("Gather", ["corners", f"i{index}"], [f"c{index}"], axis=2)]

    def off(low, high, grid, name):
        """How far a pixel is from the middle, squared: 1 at the edge."""
        return [
            node("Add", [low, high], [f"{name}-sum"]), node("Mul", [f"{name}-sum", "half"], [f"{name}-middle"]),
            node("Sub", [high, low], [f"{name}-length"]), node("Mul", [f"{name}-length", "half"], [f"{name}-reach"]),
            node("Sub", [grid, f"{name}-middle"], [f"{name}-off"]),
            node("Div", [f"{name}-off", f"{name}-reach"], [f"{name}-share"]),
            node("Mul", [f"{name}-share", f"{name}-share"], [name]),
        ]

    nodes = [
        node("Reshape", ["box", "flat"], ["corners"]), *at(0), *at(1), *at(2), *at(3),
        *off("c0", "c2", "columns", "across"), *off("c1", "c3", "rows", "down"),
        node("Add", ["across", "down"], ["distance"]), node("Sub", ["one", "distance"], ["inside"]),
        node("Conv", ["pixels", "weights", "bias"], ["redness"]), node("Add", ["inside", "redness"], ["map"]),
    ]
    weights = [
        constant("flat", [1, 1, 4, 1], np.int64), *(constant(f"i{i}", [i], np.int64) for i in range(4)),
        constant("half", 0.5), constant("one", 1), constant("columns", np.reshape(np.arange(64) + 0.5, [1, 1, 1, 64])),
        constant("rows", np.reshape(np.arange(48) + 0.5, [1, 1, 48, 1])),
        constant("weights", np.reshape([2, -1, -1], [1, 3, 1, 1])), constant("bias", [-0.5]),
    ]
    given = [value("box", FLOAT, [1, 1, 4]), value("pixels", FLOAT, [1, 3, 48, 64])]
    return model(nodes, given, [value("map", FLOAT, [1, 1, 48, 64])], weights)


DESCRIPTIONS = {
    "boxed": """\
# What is red in the ellipse inside the box, which is told beside the whole photograph.
file = "boxed.onnx"
shown = "photograph"

[input]
name = "pixels"
size = [64, 48]
fit = "pad"

[prompt]
name = "box"
form = "corners"
shape = [1, 1, 4]

[output]
activation = "none"
threshold = 0
""",
    "apart": """\
# How far a pixel's colour is from the mean, shown the box and half of it more on each side.
file = "apart.onnx"
shown = "box"
margin = 0.5

[input]
size = [64, 64]

[output]
activation = "sigmoid"
""",
    "red": """\
# How much redder a pixel is than green and blue, shown the box and a quarter more on each side.
file = "red.onnx"
shown = "box"
margin = 0.25

[input]
name = "pixels"
size = [48, 32]
fit = "pad"

[output]
name = "map"
activation = "sigmoid"
""",
    "classes": """\
# Two classes, shown the whole photograph.
file = "classes.onnx"
shown = "photograph"

[input]
size = [64, 48]
layout = "nhwc"
mean = [0.5, 0.5, 0.5]
std = [0.5, 0.25, 0.25]

[output]
activation = "softmax"
channel = 1
threshold = 0.6
""",
    "dark": """\
# Shares already, at a quarter of the input's size.
file = "dark.onnx"
shown = "photograph"

[input]
size = [64, 64]
order = "bgr"
scale = 1

[output]
activation = "none"
stretch = true
""",
}


def picture(number: int) -> tuple[np.ndarray, list[int]]:
    """A reddish disc on a texture, [64, 64, 3], and a box around it, inclusive; the test draws the same."""
    y, x = np.mgrid[:64, :64]
    cx, cy, r = 26 + 3 * number, 34 - 2 * number, 12 + number
    t = (x * 7 + y * 13 + number * 31) % 32
    inside = ((x - cx) ** 2 + (y - cy) ** 2 < r * r)[..., None]
    disc = np.stack([200 + t, 60 + t, 40 + t], -1)
    ground = np.stack([60 + t, 90 + x * y % 64, 80 + t], -1)
    return np.where(inside, disc, ground).astype(np.uint8), [cx - r - 3, cy - r - 3, cx + r + 2, cy + r + 2]


def session(network: onnx.ModelProto) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(network.SerializeToString(), providers=["CPUExecutionProvider"])


def resized(values: np.ndarray, size: tuple[int, int], box=None) -> np.ndarray:
    return np.asarray(Image.fromarray(values).resize(size, Image.Resampling.BILINEAR, box=box))


def clipped(mask: np.ndarray, box: list[int]) -> np.ndarray:
    x0, y0, x1, y1 = box
    inside = np.zeros_like(mask)
    inside[y0 : y1 + 1, x0 : x1 + 1] = mask[y0 : y1 + 1, x0 : x1 + 1]
    return inside


def mask_red(run: onnxruntime.InferenceSession, rgb: np.ndarray, box: list[int]) -> np.ndarray:
    x0, y0, x1, y1 = box
    grow = [round(0.25 * (x1 - x0 + 1) + 1e-9), round(0.25 * (y1 - y0 + 1) + 1e-9)]
    left, top = max(x0 - grow[0], 0), max(y0 - grow[1], 0)
    right, bottom = min(x1 + 1 + grow[0], 64), min(y1 + 1 + grow[1], 64)
    scale = min(48 / (right - left), 32 / (bottom - top))
    across, down = (min(int((side * scale) + 0.5), most) for side, most in ((right - left, 48), (bottom - top, 32)))
    shown = resized(np.ascontiguousarray(rgb[top:bottom, left:right]), (across, down)).astype(np.float32) / np.float32(255)
    planes = np.zeros([1, 3, 32, 48], np.float32)
    planes[0, :, :down, :across] = shown.transpose(2, 0, 1)
    logits = run.run(["map"], {"pixels": planes})[0][0, 0]
    shares = 1 / (1 + np.exp(-logits))
    large = resized(shares.astype(np.float32), (right - left, bottom - top), box=(0, 0, across, down))
    mask = np.zeros([64, 64], bool)
    mask[top:bottom, left:right] = large > 0.5
    return clipped(mask, box)


def mask_apart(run: onnxruntime.InferenceSession, rgb: np.ndarray, box: list[int]) -> np.ndarray:
    x0, y0, x1, y1 = box
    grow = [round(0.5 * (x1 - x0 + 1) + 1e-9), round(0.5 * (y1 - y0 + 1) + 1e-9)]
    left, top = max(x0 - grow[0], 0), max(y0 - grow[1], 0)
    right, bottom = min(x1 + 1 + grow[0], 64), min(y1 + 1 + grow[1], 64)
    shown = resized(np.ascontiguousarray(rgb[top:bottom, left:right]), (64, 64)).astype(np.float32) / np.float32(255)
    logits = run.run(["map"], {"pixels": shown.transpose(2, 0, 1)[None]})[0][0, 0]
    large = resized((1 / (1 + np.exp(-logits))).astype(np.float32), (right - left, bottom - top))
    mask = np.zeros([64, 64], bool)
    mask[top:bottom, left:right] = large > 0.5
    return clipped(mask, box)


def mask_classes(run: onnxruntime.InferenceSession, rgb: np.ndarray, box: list[int]) -> np.ndarray:
    shown = resized(rgb, (64, 48)).astype(np.float32) / np.float32(255)
    values = (shown - np.float32([0.5, 0.5, 0.5])) / np.float32([0.5, 0.25, 0.25])
    scores = run.run(["map"], {"pixels": values[None].astype(np.float32)})[0][0]
    shares = np.exp(scores[..., 1]) / np.exp(scores).sum(-1)
    return clipped(resized(shares.astype(np.float32), (64, 64)) > 0.6, box)


def mask_dark(run: onnxruntime.InferenceSession, rgb: np.ndarray, box: list[int]) -> np.ndarray:
    planes = rgb[..., ::-1].transpose(2, 0, 1)[None].astype(np.float32)
    shares = run.run(["map"], {"pixels": planes})[0][0, 0]
    shares = (shares - shares.min()) / (shares.max() - shares.min())
    return clipped(resized(shares.astype(np.float32), (64, 64)) > 0.5, box)


def mask_boxed(run: onnxruntime.InferenceSession, rgb: np.ndarray, box: list[int]) -> np.ndarray:
    planes = np.zeros([1, 3, 48, 64], np.float32)
    planes[0, :, :, :48] = resized(rgb, (48, 48)).transpose(2, 0, 1).astype(np.float32) / np.float32(255)
    x0, y0, x1, y1 = box
    corners = np.reshape(np.float32([x0, y0, x1 + 1, y1 + 1]) * np.float32(0.75), [1, 1, 4])
    logits = run.run(["map"], {"box": corners, "pixels": planes})[0][0, 0]
    return clipped(resized(logits, (64, 64), box=(0, 0, 48, 48)) > 0, box)


def values_by_formula(shape: list[int]) -> np.ndarray:
    """The test computes the same."""
    i = np.arange(int(np.prod(shape)), dtype=np.int64)
    return ((i * 37 + (i * i >> 7)) % 256).astype(np.float32).reshape(shape) / np.float32(256)


def wrong(folder: pathlib.Path) -> None:
    """Networks that no mask can be had of."""
    folder.mkdir(exist_ok=True)
    pixels, maps = value("x", FLOAT, [1, 3, 8, 8]), value("y", FLOAT, [1, 3, 8, 8])
    relu = [node("Relu", ["x"], ["y"])]
    zoom = [node("Resize", ["x", "", "large"], ["y"], mode="nearest")]
    cases = {
        "several-inputs": ([node("Add", ["x", "z"], ["y"])], [pixels, value("z", FLOAT, [1, 3, 8, 8])], [maps], []),
        "several-prompts": ([node("Sum", ["x", "z", "w"], ["y"])],
                            [pixels, *(value(name, FLOAT, [1, 3, 8, 8]) for name in "zw")], [maps], []),
        "several-outputs": ([*relu, node("Neg", ["x"], ["z"])], [pixels], [maps, value("z", FLOAT, [1, 3, 8, 8])], []),
        "bytes": ([node("Cast", ["x"], ["y"], to=FLOAT)], [value("x", TensorProto.UINT8, [1, 3, 8, 8])], [maps], []),
        "other-size": (relu, [value("x", FLOAT, [1, 3, 9, 8])], [maps], []),
        "whole-numbers": ([node("Cast", ["x"], ["y"], to=TensorProto.INT64)], [pixels],
                          [value("y", TensorProto.INT64, [1, 3, 8, 8])], []),
        "unknown-operator": ([node("Fancy", ["x"], ["y"], domain="org.example")], [pixels], [maps], []),
        "no-output": (relu, [pixels], [value("z", FLOAT, [1, 3, 8, 8])], []),
        "enormous": (zoom, [pixels], [value("y", FLOAT, None)], [constant("large", [1, 1, 4000, 4000])]),
    }
    for name, parts in cases.items():
        (folder / f"{name}.onnx").write_bytes(model(*parts).SerializeToString())


def main(run: pathlib.Path, data: pathlib.Path) -> None:
    networks = {"apart": apart(), "red": red(), "classes": classes(), "dark": dark(), "boxed": boxed()}
    shapes = {
        "apart": [1, 3, 20, 24], "red": [1, 3, 20, 32], "classes": [1, 48, 64, 3], "dark": [1, 3, 64, 64],
        "boxed": [1, 3, 48, 64],
    }
    prompts = {"boxed": {"box": np.float32([[[8, 4, 40.5, 36]]])}}
    draw = {"apart": mask_apart, "red": mask_red, "classes": mask_classes, "dark": mask_dark, "boxed": mask_boxed}
    answers, masks = {}, {}
    for folder in (run, data):
        folder.mkdir(parents=True, exist_ok=True)
        for name, network in networks.items():
            onnx.checker.check_model(network, full_check=True)
            (folder / f"{name}.onnx").write_bytes(network.SerializeToString())
    for name, network in networks.items():
        ready = session(network)
        answer = ready.run(["map"], {"pixels": values_by_formula(shapes[name]), **prompts.get(name, {})})[0]
        # Every seventh, which reaches each row.
        kept = [float(f"{v:.9g}") for v in answer.ravel()[::7]]
        answers[name] = {"shape": list(answer.shape), "input": shapes[name], "values": kept}
        (data / f"{name}.toml").write_text(DESCRIPTIONS[name])
        rows = [draw[name](ready, *picture(number)) for number in range(4)]
        masks[name] = [np.packbits(mask.ravel(), bitorder="little").tobytes().hex() for mask in rows]
        print(name, [int(mask.sum()) for mask in rows])
    (run / "short.onnx").write_bytes(short().SerializeToString())
    answer = session(short()).run(["map"], {"pixels": values_by_formula([1, 3, 24, 32])})[0]
    kept = [float(f"{v:.9g}") for v in answer.ravel()[::7]]
    answers["short"] = {"shape": list(answer.shape), "input": [1, 3, 24, 32], "values": kept}
    wrong(run / "wrong")
    (run / "answers.json").write_text(json.dumps(answers).replace("}, ", "},\n") + "\n")
    (data / "masks.json").write_text(json.dumps(masks).replace(", ", ",\n") + "\n")


if __name__ == "__main__":
    main(*map(pathlib.Path, sys.argv[1:3]))
