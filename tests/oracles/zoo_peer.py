"""The peers of `cargo xtask bench zoo`: the same work as crates/in9-models/examples/bench_zoo.rs.

    python tests/oracles/zoo_peer.py --arch resnet50 --work infer --variant onnxruntime --batch 8 [--threads 2]
    python tests/oracles/zoo_peer.py --list        # the variants that can be imported here
    python tests/oracles/zoo_peer.py --arch resnet50 --export resnet50.onnx --batch 8

Prints one JSON line: {"arch": …, "work": …, "variant": …, "ms": median, "peak_mb": of the process, "peer": "torch 2.x"}.
Works: infer (evaluation), train (cross entropy, backward, SGD with momentum).
Networks are those of torchvision and timm at their own input size, with 1000 classes and random weights.

Variants: nchw, channels_last (PyTorch, eager), compiled (torch.compile, channels last), frozen
(torch.jit.optimize_for_inference), onnxruntime, openvino. The last three are for infer only; the last two read the
file that --export wrote, without PyTorch, so that their memory is their own.
"""

import argparse
import importlib.util
import json
import resource
import statistics
import time
import warnings

warnings.filterwarnings("ignore")

TORCH = ["nchw", "channels_last", "frozen", "compiled"]
OTHERS = ["onnxruntime", "openvino"]


def available() -> list[str]:
    def there(name: str) -> bool:
        return importlib.util.find_spec(name) is not None

    if not (there("torch") and there("torchvision") and there("timm")):
        return []
    return TORCH + [name for name in OTHERS if there(name) and there("onnx")]


def network(arch: str):
    import timm
    import torchvision

    if arch in torchvision.models.list_models():
        return getattr(torchvision.models, arch)()
    return timm.create_model(arch)


def export(options) -> None:
    import torch

    images = torch.randn(options.batch, 3, options.size, options.size)
    torch.onnx.export(network(options.arch).eval(), (images,), options.export, dynamo=False, opset_version=17)


def runtime(options):
    """ONNX Runtime or OpenVINO on the exported network."""
    import numpy

    images = numpy.random.default_rng(0).standard_normal((options.batch, 3, options.size, options.size), numpy.float32)
    if options.variant == "onnxruntime":
        import onnxruntime

        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = options.threads
        settings.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(options.model, settings, providers=["CPUExecutionProvider"])
        feed = {session.get_inputs()[0].name: images}
        return lambda: session.run(None, feed), f"onnxruntime {onnxruntime.__version__}"
    import openvino

    settings = {"INFERENCE_NUM_THREADS": options.threads, "INFERENCE_PRECISION_HINT": "f32", "NUM_STREAMS": 1}
    request = openvino.Core().compile_model(options.model, "CPU", settings).create_infer_request()
    return lambda: request.infer([images]), f"openvino {openvino.__version__.split('-')[0]}"


def prepare(options):
    """A function that does the work once, and the peer's name."""
    if options.variant in OTHERS:
        return runtime(options)
    import torch

    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    model = network(options.arch)
    last = options.variant in ("channels_last", "compiled")
    layout = torch.channels_last if last else torch.contiguous_format
    model = model.to(memory_format=layout)
    images = torch.randn(options.batch, 3, options.size, options.size).to(memory_format=layout)
    name = f"torch {torch.__version__}"
    if options.work == "infer":
        model.eval()
        for parameter in model.parameters():
            parameter.requires_grad_(False)
        if options.variant == "frozen":
            with torch.no_grad():
                model = torch.jit.optimize_for_inference(torch.jit.trace(model, images))
        elif options.variant == "compiled":
            model = torch.compile(model)

        def infer():
            with torch.inference_mode() if options.variant != "frozen" else torch.no_grad():
                model(images)

        return infer, name
    model.train()
    forward = torch.compile(model) if options.variant == "compiled" else model
    labels = torch.arange(options.batch) % 1000
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4)

    def train():
        optimizer.zero_grad(set_to_none=True)
        loss = torch.nn.functional.cross_entropy(forward(images), labels)
        loss.backward()
        optimizer.step()
        loss.item()

    return train, name


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--arch")
    parser.add_argument("--work", choices=["infer", "train"])
    parser.add_argument("--variant", choices=TORCH + OTHERS)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--iterations", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--export", metavar="FILE")
    parser.add_argument("--model", metavar="FILE", help="what --export wrote")
    options = parser.parse_args()
    if options.list:
        print("\n".join(available()))
        return
    if options.export:
        export(options)
        return
    run, peer = prepare(options)
    run()
    times = []
    for _ in range(options.iterations):
        start = time.perf_counter()
        run()
        times.append((time.perf_counter() - start) * 1e3)
    record = {
        "arch": options.arch,
        "work": options.work,
        "variant": options.variant,
        "ms": round(statistics.median(times), 2),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "peer": peer,
    }
    print(json.dumps(record), flush=True)


if __name__ == "__main__":
    main()
