"""How much does an image classifier lean on the background?

``in9`` takes photographs apart into foreground and background, puts them together again in the ways of
ImageNet-9 ("Noise or Signal", Xiao et al. 2020), asks a model about them, and answers with numbers that carry their
uncertainty::

    import in9, timm

    model = timm.create_model("resnet50", pretrained=True)
    data = in9.Dataset("in9-test")
    result = in9.evaluate(model, data)
    print(result)
    print(result.gap)           # BG-gap in points with its interval, such as 7.3 [6.1, 8.5]

Only NumPy is needed; torch, timm, open_clip, pandas and tqdm are used where they are there.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ._in9 import CONTROL_VIEWS, PAPER_VIEWS, VIEWS, __version__
from .errors import ArgumentError, DataError, FileError, In9Error, ModelError

if TYPE_CHECKING:
    from ._challenge import Challenge, challenge
    from ._compare import Comparison, compare
    from ._dataset import Batch, Batches, Dataset, Sample, Split
    from ._evaluate import Result, evaluate
    from ._making import Built, build, import_release, toy
    from ._predictions import Interval, Predictions, read_predictions
    from ._probe import Probe, probe
    from ._report import report
    from ._saliency import Saliency, saliency
    from ._swap import BackgroundSwap
    from ._transform import Transform, timm_transform
    from ._zero_shot import ZeroShot, zero_shot

__all__ = [
    "CONTROL_VIEWS",
    "PAPER_VIEWS",
    "VIEWS",
    "ArgumentError",
    "BackgroundSwap",
    "Batch",
    "Batches",
    "Built",
    "Challenge",
    "Comparison",
    "DataError",
    "Dataset",
    "FileError",
    "In9Error",
    "Interval",
    "ModelError",
    "Predictions",
    "Probe",
    "Result",
    "Saliency",
    "Sample",
    "Split",
    "Transform",
    "ZeroShot",
    "__version__",
    "build",
    "challenge",
    "compare",
    "evaluate",
    "import_release",
    "probe",
    "read_predictions",
    "report",
    "saliency",
    "timm_transform",
    "toy",
    "zero_shot",
]

# Where each name is. Imported when it is used first, so that `import in9` waits neither for NumPy nor for torch.
_PLACES = {
    "BackgroundSwap": "_swap",
    "Batch": "_dataset",
    "Batches": "_dataset",
    "Built": "_making",
    "Challenge": "_challenge",
    "Comparison": "_compare",
    "Dataset": "_dataset",
    "Interval": "_predictions",
    "Predictions": "_predictions",
    "Probe": "_probe",
    "Result": "_evaluate",
    "Saliency": "_saliency",
    "Sample": "_dataset",
    "Split": "_dataset",
    "Transform": "_transform",
    "ZeroShot": "_zero_shot",
    "build": "_making",
    "challenge": "_challenge",
    "compare": "_compare",
    "evaluate": "_evaluate",
    "import_release": "_making",
    "probe": "_probe",
    "read_predictions": "_predictions",
    "report": "_report",
    "saliency": "_saliency",
    "timm_transform": "_transform",
    "toy": "_making",
    "zero_shot": "_zero_shot",
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'in9' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"in9.{_PLACES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
