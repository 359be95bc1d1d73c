"""Small ONNX networks and the scores that ONNX Runtime gives, for crates/in9-models/tests/onnx.rs.

    pip install onnx==1.23.2 onnxruntime==1.32.0 numpy
    python tests/oracles/models_onnx.py crates/in9-models/tests/onnx

Writes dynamic.onnx (any batch, any size, nine logits), fixed.onnx (the same weights for batches of four pictures of
32 pixels a side, with that batch in a reshape), imagenet.onnx (a thousand probabilities; says about itself what
SCORER.md lets it say), outside.onnx with its weights in outside.onnx.data, and scores.json: for each file the scores
of pictures that a formula gives. Files that are to be refused go to the folder wrong.
"""

import json
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def picture(number: int, size: int) -> np.ndarray:
    """Bytes [size, size, 3]; the test computes the same."""
    i = np.arange(size * size * 3, dtype=np.int64)
    return ((i * (7 + number) + (i * i >> 5) + 31 * number) % 256).astype(np.uint8).reshape(size, size, 3)


def planes(numbers: range, size: int) -> np.ndarray:
    """[n, 3, size, size], normalised as in9 does it."""
    mean, std = np.float32(MEAN)[:, None, None], np.float32(STD)[:, None, None]
    return np.stack(
        [(picture(k, size).transpose(2, 0, 1).astype(np.float32) / np.float32(255) - mean) / std for k in numbers]
    )


class Weights:
    """Initialisers of a network."""

    def __init__(self, seed: int):
        self.random, self.all = np.random.default_rng(seed), []

    def __call__(self, name: str, *shape: int, scale: float = 0.3, offset: float = 0.0) -> str:
        values = self.random.normal(offset, scale, shape).astype(np.float32)
        self.all.append(numpy_helper.from_array(values, name))
        return name

    def constant(self, name: str, values: list[int]) -> str:
        self.all.append(numpy_helper.from_array(np.array(values, np.int64), name))
        return name


def network(batch: int | str, size: int | str, outputs: int = 9, probabilities: bool = False) -> onnx.ModelProto:
    w, node = Weights(0), helper.make_node
    w("deviation", 8, scale=0.02, offset=1.0)
    nodes = [
        node("Conv", ["pictures", w("stem", 8, 3, 3, 3)], ["a"], strides=[2, 2], pads=[1, 1, 1, 1]),
        node("BatchNormalization", ["a", w("scale", 8), w("shift", 8), w("average", 8), "deviation"], ["b"]),
        node("Relu", ["b"], ["c"]),
        node("MaxPool", ["c"], ["d"], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
        node("Conv", ["d", w("depthwise", 8, 1, 3, 3), w("bias", 8)], ["e"], pads=[1, 1, 1, 1], group=8),
        node("Sigmoid", ["e"], ["f"]),
        node("Mul", ["e", "f"], ["g"]),
        node("Add", ["g", "d"], ["h"]),
        node("GlobalAveragePool", ["h"], ["i"]),
        node("Reshape", ["i", w.constant("shape", [batch if isinstance(batch, int) else 0, 8])], ["j"]),
        node("Gemm", ["j", w("head", outputs, 8, scale=2.0), w("head_bias", outputs)], ["scores"], transB=1),
    ]
    last = "scores"
    if probabilities:
        nodes.append(node("Softmax", ["scores"], ["probabilities"], axis=1))
        last = "probabilities"
    width = size if isinstance(size, int) else "width"
    given = helper.make_tensor_value_info("pictures", TensorProto.FLOAT, [batch, 3, size, width])
    wanted = helper.make_tensor_value_info(last, TensorProto.FLOAT, [batch, outputs])
    graph = helper.make_graph(nodes, "small", [given], [wanted], w.all)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model, full_check=True)
    return model


def wrong(folder: pathlib.Path) -> None:
    """Networks that no scores can be had of."""
    node, value, float32 = helper.make_node, helper.make_tensor_value_info, TensorProto.FLOAT
    pictures, scores = value("x", float32, ["n", 3, 8, 8]), value("y", float32, ["n", 3])
    mean = [node("ReduceMean", ["x"], ["y"], axes=[2, 3], keepdims=0)]
    four = [helper.make_tensor(name, float32, [3], [1.0, 1.0, 1.0]) for name in "sbmv"]
    learns = node("BatchNormalization", ["x", "s", "b", "m", "v"], ["z", "p", "q"], training_mode=1)
    after = node("ReduceMean", ["z"], ["y"], axes=[2, 3], keepdims=0)
    networks = {
        "several-outputs": ([*mean, node("Identity", ["y"], ["z"])], [pictures], [scores, value("z", float32, ["n", 3])], []),
        "several-inputs": ([node("Add", ["x", "z"], ["w"]), node("ReduceMean", ["w"], ["y"], axes=[2, 3], keepdims=0)],
                           [pictures, value("z", float32, ["n", 3, 8, 8])], [scores], []),
        "flat": ([node("Identity", ["x"], ["y"])], [value("x", float32, ["n", 3])], [scores], []),
        "channels-last": ([node("ReduceMean", ["x"], ["y"], axes=[1, 2], keepdims=0)],
                          [value("x", float32, ["n", 8, 8, 3])], [scores], []),
        "bytes": ([node("Cast", ["x"], ["z"], to=float32), node("ReduceMean", ["z"], ["y"], axes=[2, 3], keepdims=0)],
                  [value("x", TensorProto.UINT8, ["n", 3, 8, 8])], [scores], []),
        "map": ([node("Relu", ["x"], ["y"])], [pictures], [value("y", float32, ["n", 3, 8, 8])], []),
        "undeclared-map": ([node("Relu", ["x"], ["y"])], [pictures], [value("y", float32, None)], []),
        "not-finite": ([*mean, node("Neg", ["y"], ["a"]), node("Sub", ["y", "y"], ["b"]), node("Div", ["a", "b"], ["c"])],
                       [pictures], [value("c", float32, ["n", 3])], []),
        "training": ([learns, after], [pictures], [scores], four),
        "unknown-operator": ([node("Fancy", ["x"], ["y"], domain="org.example")], [pictures], [scores], []),
        "no-output": (mean, [pictures], [value("z", float32, ["n", 3])], []),
    }
    folder.mkdir(exist_ok=True)
    for name, (nodes, inputs, outputs, weights) in networks.items():
        graph = helper.make_graph(nodes, name, inputs, outputs, weights)
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid("org.example", 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
        (folder / f"{name}.onnx").write_bytes(model.SerializeToString())


def main(folder: pathlib.Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    said = {"name": "small", "outputs": 1000, "scores": "probabilities", "trained_on": "noise", "arch": "small-1000"}
    imagenet = network("batch", 32, 1000, probabilities=True)
    helper.set_model_props(imagenet, {"in9-scorer": json.dumps(said | {"mean": MEAN, "std": STD})})
    models = {"dynamic": network("batch", "height"), "fixed": network(4, 32), "imagenet": imagenet}
    scores = {}
    for name, model in models.items():
        (folder / f"{name}.onnx").write_bytes(model.SerializeToString())
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        sizes = [32, 45] if name == "dynamic" else [32]
        for size in sizes:
            # Each file in batches that it takes.
            batches = [planes(range(k, k + 4), size) for k in (0, 4)]
            rows = np.concatenate([session.run(None, {"pictures": batch})[0] for batch in batches])
            scores[f"{name} {size}"] = [[float(value) for value in row[:12]] for row in rows]
    outside = network("batch", "height")
    onnx.save_model(
        outside, folder / "outside.onnx", save_as_external_data=True, location="outside.onnx.data", size_threshold=64
    )
    wrong(folder / "wrong")
    (folder / "scores.json").write_text(json.dumps(scores, indent=None).replace("]], ", "]],\n") + "\n")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
