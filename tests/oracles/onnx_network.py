"""A small classifier as an ONNX file, and what ONNX Runtime answers to three pictures.

    python tests/oracles/onnx_network.py crates/in9-models/tests/onnx

Needs numpy, onnx and onnxruntime. The file has the layers that exported classifiers are made of: convolution, batch
normalisation, ReLU, pooling, a residual sum, a linear layer.
"""

import json
import sys
from pathlib import Path

import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper


def main() -> None:
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    random = numpy.random.default_rng(0)

    def weight(name, *shape, scale=0.4):
        return numpy_helper.from_array((scale * random.standard_normal(shape)).astype("f4"), name)

    def positive(name, n):
        return numpy_helper.from_array(random.uniform(0.5, 1.5, n).astype("f4"), name)

    weights = [
        weight("w1", 8, 3, 3, 3), positive("s1", 8), weight("b1", 8), weight("m1", 8), positive("v1", 8),
        weight("w2", 8, 8, 3, 3, scale=0.2), weight("c2", 8), weight("wf", 4, 8), weight("bf", 4),
    ]
    nodes = [
        helper.make_node("Conv", ["x", "w1"], ["a"], strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node("BatchNormalization", ["a", "s1", "b1", "m1", "v1"], ["n"]),
        helper.make_node("Relu", ["n"], ["r"]),
        helper.make_node("Conv", ["r", "w2", "c2"], ["d"], pads=[1, 1, 1, 1]),
        helper.make_node("Add", ["d", "r"], ["e"]),
        helper.make_node("GlobalAveragePool", ["e"], ["g"]),
        helper.make_node("Flatten", ["g"], ["f"]),
        helper.make_node("Gemm", ["f", "wf", "bf"], ["y"], transB=1),
    ]
    pictures = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, "h", "w"])
    scores = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 4])
    graph = helper.make_graph(nodes, "small", [pictures], [scores], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, out / "small.onnx")
    # Pictures by a formula that the test knows too.
    size, count = 16, 3
    at = numpy.arange(count * size * size * 3)
    rgb = ((at * 37 + at // 11 * 5) % 256).astype("u1").reshape(count, size, size, 3)
    x = (rgb.transpose(0, 3, 1, 2).astype("f4") / 255 - 0.5) / 0.5
    session = onnxruntime.InferenceSession(str(out / "small.onnx"), providers=["CPUExecutionProvider"])
    answer = session.run(None, {"x": x})[0]
    text = json.dumps({"size": size, "count": count, "scores": [[round(float(v), 6) for v in row] for row in answer]})
    (out / "small.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
