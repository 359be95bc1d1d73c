"""The compiled part of the package in9. Users take the classes of ``in9`` itself."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, final

__all__ = [
    "Batch",
    "Buffer",
    "CATEGORIES",
    "CONTROL_VIEWS",
    "Dataset",
    "Epoch",
    "Loader",
    "NORMALIZATIONS",
    "Outputs",
    "PAPER_VIEWS",
    "Predictions",
    "Sample",
    "Scores",
    "Split",
    "VIEWS",
    "__version__",
    "available_threads",
    "build",
    "challenge",
    "compare",
    "digest",
    "draw_samples",
    "import_release",
    "make_report",
    "normalise",
    "render_toy",
    "resize",
    "run_command",
    "saliency",
]

__version__: Final[str]
VIEWS: Final[list[str]]
PAPER_VIEWS: Final[list[str]]
CONTROL_VIEWS: Final[list[str]]
CATEGORIES: Final[list[str]]
NORMALIZATIONS: Final[dict[str, tuple[tuple[float, float, float], tuple[float, float, float]]]]

_Three = tuple[float, float, float]
_Table = tuple[str, list[str], list[list[str]]]
_Path = str
_Progress = Callable[[str, int, int], Any] | None

@final
class Buffer:
    """Bytes that NumPy, torch and everything else sees without a copy: ``numpy.frombuffer(buffer, dtype)``. The memory, a
    file's map or a batch, stays for as long as anything looks at it."""

    def __len__(self) -> int: ...
    def __buffer__(self, flags: int, /) -> memoryview: ...

@final
class Dataset:
    """An open dataset folder."""

    def __new__(cls, path: _Path) -> Dataset: ...
    @property
    def path(self) -> Any:
        """The folder."""
    @property
    def name(self) -> str:
        """The name of the folder."""
    @property
    def digest(self) -> str:
        """BLAKE3 of what the dataset holds."""
    @property
    def splits(self) -> list[str]:
        """Names of the splits, sorted."""
    @property
    def classes(self) -> list[str]:
        """Names of the classes, in order."""
    @property
    def manifest(self) -> str:
        """What the dataset was built from and how, as JSON."""
    def split(self, name: str | None = None) -> Split:
        """Opens a split: the one that is named, else ``test``, else the only one."""

@final
class Split:
    """The samples of one split, over memory-mapped shards."""

    @property
    def name(self) -> str:
        """Name of the split."""
    @property
    def size(self) -> int:
        """Pixels of a side of every picture."""
    @property
    def has_layers(self) -> bool:
        """Whether masks and backgrounds are there."""
    def __len__(self) -> int: ...
    def ids(self) -> list[str]:
        """Ids of all samples, in order."""
    def labels(self) -> Buffer:
        """Classes of all samples, i64 ``[n]``."""
    def boxes(self) -> Buffer:
        """Boxes of all samples in the stored pictures, i64 ``[n, 4]``."""
    def sample(self, index: int) -> Sample:
        """What is known of a sample."""
    def photo(self, index: int) -> Buffer:
        """The photograph, u8 ``[size, size, 3]``, without a copy."""
    def tiled(self, index: int) -> Buffer:
        """The tiled background, u8 ``[size, size, 3]``, without a copy."""
    def mask_bits(self, index: int) -> Buffer:
        """The packed mask, bit ``y * size + x``, least significant first, without a copy."""
    def compose(self, view_name: str, index: int, background: int | None = None) -> Buffer:
        """A view of a sample, u8 ``[size, size, 3]``; the mixed ones on the background of sample ``background``."""
    def pairing(
        self,
        view_name: str,
        *,
        seed: int | None = None,
        epoch: int = 0,
        own_class: bool = True,
        own_image: bool = False,
    ) -> Buffer:
        """Index of each sample's background, i64 ``[n]``: the pairing stored with the dataset, or a fresh one of ``seed``."""

@final
class Sample:
    """What is known of a sample."""

    @property
    def id(self) -> str: ...
    @property
    def fine(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def label(self) -> int: ...
    @property
    def digest(self) -> str: ...
    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def photo_box(self) -> tuple[int, int, int, int]: ...
    @property
    def crop_box(self) -> tuple[int, int, int, int]: ...
    @property
    def mask_area(self) -> int: ...

@final
class Loader:
    """Makes batches of one view of one split."""

    def __new__(
        cls,
        split: Split,
        view_name: str,
        *,
        batch_size: int,
        seed: int,
        shuffle: bool,
        drop_last: bool,
        augment: str,
        shift: int,
        fresh: bool,
        own_class: bool,
        own_image: bool,
        mean: _Three,
        std: _Three,
        bytes: bool,
        prefetch: int,
        threads: int,
    ) -> Loader: ...
    def __len__(self) -> int: ...
    def epoch(self, epoch: int, first: int = 0, every: int = 1) -> Epoch:
        """The batches of an epoch, or every ``every``-th from number ``first`` on."""

@final
class Epoch:
    """An iterator over batches."""

    def __iter__(self) -> Iterator[Batch]: ...
    def __next__(self) -> Batch: ...

@final
class Batch:
    """A batch: pictures, and whose they are."""

    @property
    def pictures(self) -> Buffer: ...
    @property
    def labels(self) -> Buffer: ...
    @property
    def indices(self) -> Buffer: ...
    @property
    def backgrounds(self) -> Buffer | None: ...

@final
class Outputs:
    """How a network's outputs become the classes of a dataset."""

    def __new__(
        cls, dataset: Dataset, count: int, mapping: str = "a", table: Sequence[int] | None = None
    ) -> Outputs: ...
    def __len__(self) -> int: ...
    @property
    def classes(self) -> int:
        """Number of classes of the dataset."""
    @property
    def table(self) -> list[int]:
        """Class of each output; -1 for none."""
    @property
    def is_identity(self) -> bool:
        """Whether output k is class k."""
    @property
    def mapping(self) -> str:
        """``identity``, or the mapping's letter."""
    def answer(self, logits: Any) -> tuple[Buffer, Buffer]:
        """Predicted classes, i64 ``[n]`` with -1 for none, and scores, f32 ``[n, classes]``, of logits, f32 ``[n, outputs]``."""

@final
class Predictions:
    """A prediction table."""

    def __new__(cls, dataset: Dataset) -> Predictions: ...
    @staticmethod
    def read(path: _Path, dataset: Dataset | None = None, labels: str = "auto") -> tuple[Predictions, list[str]]:
        """Reads a whole table with the card beside it, or completes bare answers from their dataset; also tells what was
        settled by itself."""
    def add(
        self,
        split: Split,
        view_name: str,
        indices: Sequence[int],
        backgrounds: Sequence[int] | None,
        logits: Any,
        outputs: Outputs,
        *,
        model: str,
        arch: str,
        trained_on: str,
        dataset: str,
    ) -> int:
        """Adds the answers on pictures of a view: logits, f32 ``[n, outputs]``, of samples ``indices`` on ``backgrounds``."""
    @property
    def classes(self) -> list[str]:
        """Class names."""
    def __len__(self) -> int: ...
    def models(self) -> list[list[str]]:
        """Which models the rows are of, each once: model, arch, trained_on, dataset, split."""
    def rows(
        self,
    ) -> list[tuple[list[str], tuple[str, str, str, str, int, int | None, int | None, list[float]]]]:
        """The rows: model, arch, trained_on, dataset, split, and what is told of the picture."""
    def describe(self, told: str) -> None:
        """Takes the card whose fields ``device``, ``network`` and ``test`` are ``told`` in JSON."""
    def write(self, path: _Path) -> None:
        """Writes the table as CSV and its card beside it; each file appears whole or not at all."""

def digest(parts: Iterable[bytes]) -> str:
    """BLAKE3 of the bytes of some parts, one after the other."""

@final
class Scores:
    """Everything measured on one or more prediction tables."""

    def __new__(
        cls, predictions: Sequence[Predictions], *, level: float = 0.95, replicates: int = 2000, seed: int = 0
    ) -> Scores: ...
    def text(self) -> str:
        """What ``in9 score`` prints."""
    def json(self) -> str:
        """results.json of ``in9 score``."""
    def tables(self) -> list[tuple[str, str, list[_Table]]]:
        """The tables that are printed, by test set: dataset, split, tables."""

def compare(
    first: Predictions, second: Predictions, *, level: float = 0.95, replicates: int = 2000, seed: int = 0
) -> list[tuple[str, str, _Table, str]]:
    """Compares the models of two tables wherever both were tested on the same photographs: dataset, split, table, JSON."""

def available_threads() -> int:
    """Cores that this process may use: those that the scheduler, the container or the affinity mask leaves it."""

def draw_samples(count: int, limit: int, seed: int, purpose: str) -> list[int]:
    """``limit`` of ``count`` samples drawn by the seed, ascending: those that the programs draw for the purpose."""

def normalise(rgb: Any, size: int, mean: _Three, std: _Three) -> Buffer:
    """Pictures, u8 ``[n, size, size, 3]``, as a network sees them: f32 ``[n, 3, size, size]``, the bits that the loader gives."""

def resize(rgb: Any, size: int, to: int, interpolation: str = "bicubic") -> Buffer:
    """Square pictures, u8 ``[n, size, size, 3]``, at side ``to``, u8 ``[n, to, to, 3]``: Pillow's filters, bit for bit."""

def render_toy(
    out: _Path,
    *,
    seed: int,
    rho: float,
    train_per_class: int,
    test_per_class: int,
    progress: _Progress = None,
) -> tuple[int, int]:
    """Renders the toy world into a folder; (training photographs, test photographs)."""

def build(
    *,
    source: str,
    root: _Path,
    out: _Path,
    size: int = 224,
    short_side: int | None = None,
    profile: str = "clean",
    taxonomy: str | None = None,
    holdout: float = 0.0,
    per_class: int | None = None,
    test_per_class: int | None = None,
    balance: bool = False,
    fine_per_class: int | None = None,
    photos_only: bool = False,
    masks: str = "grabcut",
    exclude: _Path | None = None,
    exclude_release: _Path | None = None,
    seed: int = 0,
    shard: str | None = None,
    progress: _Progress = None,
) -> dict[str, Any]:
    """Builds a dataset from photographs. Arguments are those of ``in9 build``."""

def import_release(
    *, root: _Path, out: _Path, taxonomy: str = "imagenet-9", size: int = 224, progress: _Progress = None
) -> dict[str, Any]:
    """Imports the official test release. Arguments are those of ``in9 import-release``."""

def challenge(
    split: Split,
    logits: Callable[[Buffer, int], Any],
    outputs: Outputs,
    *,
    foregrounds: Sequence[int],
    backgrounds: Sequence[int],
    rules: Sequence[str],
    exhaustive: bool,
    wave: int,
    batch_size: int,
    model: str,
    trained_on: str,
    dataset: str,
    identity: str,
    settings: str,
    out: _Path | None = None,
    progress: _Progress = None,
) -> tuple[str, list[tuple[int, int, int | None]]]:
    """Searches for backgrounds that turn a network's answers; the summary as JSON, and every tried pair."""

def saliency(
    split: Split,
    logits: Callable[[Buffer, int], Any],
    gradients: Any,
    outputs: Outputs,
    *,
    images: Sequence[int],
    keep: Sequence[int],
    view_name: str,
    methods: Sequence[str],
    taps: Sequence[str],
    steps: int,
    samples: int,
    seed: int,
    batch_size: int,
    model: str,
    trained_on: str,
    dataset: str,
    settings: str,
    out: _Path | None = None,
    progress: _Progress = None,
) -> tuple[str, list[tuple[int, int | None, str, str, list[float]]], list[tuple[int, str, str, Buffer]]]:
    """Makes and measures maps of some samples; the summary as JSON, a row a map, and the maps of the samples ``keep``."""

def make_report(spec: _Path, out: _Path) -> tuple[int, list[str]]:
    """Makes the report of a list of inputs into a folder; the number of sections, and what was skipped."""

def run_command(words: Sequence[str], program: _Path | None = None) -> int:
    """Runs the program on ``words``, of which the first is its name, and returns its exit code."""
