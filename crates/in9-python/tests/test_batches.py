"""Batches: the same bytes for any number of threads and workers, whatever the start method, after a fork too."""

from __future__ import annotations

import gc
import hashlib
import os
import pickle
import resource
import signal
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import in9

#: Seconds; far above what anything here takes.
DEADLINE = 240


def digest(batches: Any) -> str:
    """Of pictures and labels, batch by batch."""
    found = hashlib.sha256()
    for pictures, labels, *_ in batches:
        found.update(np.ascontiguousarray(pictures).tobytes())
        found.update(np.ascontiguousarray(labels).tobytes())
    return found.hexdigest()


def test_batches_are_the_pictures(data: in9.Dataset) -> None:
    split = data.split("test")
    for view in in9.VIEWS:
        places: list[int] = []
        for batch in split.batches(view, batch_size=10, normalize=None):
            for picture, index, label in zip(batch.pictures, batch.indices, batch.labels):
                assert np.array_equal(picture, split.picture(view, int(index)))
                assert label == split.labels[index]
            if batch.backgrounds is not None:
                assert np.array_equal(batch.backgrounds, split.pairing(view)[batch.indices])
            places += batch.indices.tolist()
        assert places == list(range(len(split)))


def test_normalisation_is_what_it_says(data: in9.Dataset) -> None:
    split = data.split("test")
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    plain = next(iter(split.batches(batch_size=8, normalize=None))).pictures
    expected = ((plain / 255 - mean) / std).transpose(0, 3, 1, 2)
    for normalize in ("imagenet", (mean, std)):
        found = next(iter(split.batches(batch_size=8, normalize=normalize))).pictures
        assert found.dtype == np.float32 and np.abs(found - expected).max() < 1e-5


def test_threads_change_nothing(data: in9.Dataset) -> None:
    settings = {"shuffle": True, "augment": "random-resized-crop", "pairing": "fresh", "seed": 7, "batch_size": 16}
    split = data.split("train")
    digests = {
        digest(split.batches("mixed-rand", threads=threads, prefetch=prefetch, **settings).epoch(2))
        for threads, prefetch in ((0, 4), (1, 1), (3, 5), (0, 0))
    }
    assert len(digests) == 1
    assert digest(split.batches("mixed-rand", **settings).epoch(3)) not in digests


def test_every_loop_is_the_next_epoch(data: in9.Dataset) -> None:
    batches = data.split("train").batches(shuffle=True, batch_size=16)
    first, second = digest(batches), digest(batches)
    assert first != second
    batches.set_epoch(0)
    assert digest(batches) == first
    assert digest(pickle.loads(pickle.dumps(batches))) == second


def test_shares_make_up_the_epoch(data: in9.Dataset) -> None:
    batches = data.split("train").batches(shuffle=True, batch_size=7)
    whole = [batch.indices.tolist() for batch in batches.epoch(1)]
    for every in (1, 2, 3):
        shares = [[b.indices.tolist() for b in batches.epoch(1, first=at, every=every)] for at in range(every)]
        assert [shares[at % every][at // every] for at in range(len(whole))] == whole


def test_a_batch_lives_as_long_as_it_is_looked_at(data: in9.Dataset) -> None:
    kept = [batch.pictures for batch in data.split("train").batches(batch_size=5, normalize=None).epoch(0)]
    gc.collect()
    again = [batch.pictures for batch in data.split("train").batches(batch_size=5, normalize=None).epoch(0)]
    assert all(np.array_equal(a, b) for a, b in zip(kept, again)) and len(kept) == len(again)
    kept[0][:] = 0  # Their own memory, to be written to.


def test_torch_batches_are_the_same(data: in9.Dataset) -> None:
    torch = pytest.importorskip("torch")
    batches = data.torch("mixed-same", batch_size=16, shuffle=True, seed=3)
    numpy = data.split("train").batches("mixed-same", batch_size=16, shuffle=True, seed=3)
    for (pictures, labels), other in zip(batches, numpy.epoch(0), strict=True):
        assert pictures.dtype == torch.float32 and labels.dtype == torch.int64
        assert np.array_equal(pictures.numpy(), other.pictures) and np.array_equal(labels.numpy(), other.labels)
    assert len(batches) == len(numpy)


WORKERS = textwrap.dedent(
    """
    import hashlib, os, sys, threading
    import in9, torch

    def run(path, method, workers, persistent):
        batches = in9.Dataset(path).torch(
            "mixed-rand", batch_size=9, shuffle=True, augment="shift-flip", pairing="fresh", seed=5
        )
        more = {"multiprocessing_context": method, "persistent_workers": persistent} if workers else {}
        loader = batches.loader(num_workers=workers, **more)
        found = []
        for _ in range(2):
            epoch = hashlib.sha256()
            for pictures, labels in loader:
                epoch.update(pictures.numpy().tobytes() + labels.numpy().tobytes())
            found.append(epoch.hexdigest())
        return found

    if __name__ == "__main__":
        path, method, workers, persistent, where = sys.argv[1:]
        if where == "one-core":
            os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        # Rust's threads have been used before anything is forked.
        first = next(iter(in9.Dataset(path).torch(batch_size=4)))
        if where == "thread-pool":
            from concurrent.futures import ThreadPoolExecutor
            with ThreadPoolExecutor(2) as pool:
                both = list(pool.map(lambda _: run(path, method, int(workers), persistent == "1"), range(2)))
            assert both[0] == both[1]
            print(*both[0])
        else:
            print(*run(path, method, int(workers), persistent == "1"))
    """
)


@pytest.fixture(scope="module")
def epochs(data: in9.Dataset) -> list[str]:
    """Digests of two epochs without any worker."""
    pytest.importorskip("torch")
    batches = data.split("train").batches(
        "mixed-rand", batch_size=9, shuffle=True, augment="shift-flip", pairing="fresh", seed=5
    )
    return [digest(batches.epoch(number)) for number in range(2)]


# One worker is tried where nothing hinders it; two at once, which meet, everywhere.
@pytest.mark.parametrize(
    ("method", "workers", "where"),
    [
        ("fork", 0, "free"),
        *((method, 1, "free") for method in ("fork", "spawn", "forkserver")),
        *(
            (method, 2, where)
            for method in ("fork", "spawn", "forkserver")
            for where in ("free", "one-core", "thread-pool")
        ),
    ],
)
def test_workers_change_nothing(
    data: in9.Dataset, epochs: list[str], tmp_path: Any, method: str, workers: int, where: str
) -> None:
    script = tmp_path / "workers.py"
    script.write_text(WORKERS)
    persistent = "1" if where == "free" and workers == 2 else "0"
    command = [sys.executable, script, data.path, method, str(workers), persistent, where]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == epochs


def test_a_quota_of_one_core(data: in9.Dataset, epochs: list[str], tmp_path: Any) -> None:
    """As in a container: the quota of a control group, where this machine lets one be made."""
    group = f"/sys/fs/cgroup/in9-test-{os.getpid()}"
    try:
        os.mkdir(group)
    except OSError:
        pytest.skip("no control group can be made here")
    try:
        try:
            with open(f"{group}/cpu.max", "w") as file:
                file.write("100000 100000")
        except OSError:
            pytest.skip("no quota can be set here")
        script = tmp_path / "workers.py"
        script.write_text(WORKERS)
        for method, workers in (("fork", 2), ("spawn", 1), ("forkserver", 2)):
            command = [sys.executable, str(script), str(data.path), method, str(workers), "0", "free"]
            join = f"echo $$ > {group}/cgroup.procs && exec " + subprocess.list2cmdline(command)
            done = subprocess.run(["sh", "-c", join], capture_output=True, text=True, timeout=DEADLINE)
            assert done.returncode == 0, done.stderr
            assert done.stdout.split() == epochs
    finally:
        try:
            os.rmdir(group)
        except OSError:
            pass


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_an_epoch_goes_on_in_a_forked_process(data: in9.Dataset) -> None:
    batches = data.split("train").batches("mixed-rand", batch_size=4, shuffle=True, pairing="fresh")
    whole = [batch.pictures.tobytes() for batch in batches.epoch(0)]
    epoch = batches.epoch(0)
    kept = [next(epoch), next(epoch)]
    child = os.fork()
    if child == 0:
        # Nothing of pytest's may run here.
        code = 1
        try:
            signal.alarm(60)
            rest = [batch.pictures.tobytes() for batch in epoch]
            del kept
            gc.collect()
            code = 0 if rest == whole[2:] else 2
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert [batch.pictures.tobytes() for batch in epoch] == whole[2:] and len(kept) == 2


def test_threads_of_python_read_side_by_side(data: in9.Dataset) -> None:
    split = data.split("train")
    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(lambda _: digest(split.batches("only-fg", batch_size=8).epoch(0)), range(8)))
    assert len(found) == 1


def test_the_lock_of_the_interpreter_is_free(data: in9.Dataset, tmp_path: Any) -> None:
    """Another thread of Python counts on while Rust works."""
    counted, stop = 0, threading.Event()

    def count() -> None:
        nonlocal counted
        while not stop.is_set():
            counted += 1

    thread = threading.Thread(target=count)
    thread.start()
    in9.toy(tmp_path / "toy", train_per_class=20, test_per_class=5, progress=False)
    stop.set()
    thread.join()
    assert counted > 10_000


def test_memory_is_flat_over_a_thousand_epochs(data: in9.Dataset) -> None:
    batches = data.split("test").batches("mixed-rand", batch_size=32)

    def epochs(count: int) -> int:
        for _ in range(count):
            for batch in batches:
                assert len(batch.labels)
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    first = epochs(100)
    assert epochs(900) - first < 16 << 10  # KiB


def test_ctrl_c_stops_long_work(tmp_path: Any) -> None:
    script = "import in9, sys; print('on', flush=True); in9.toy(sys.argv[1], train_per_class=100000, progress=False)"
    command = [sys.executable, "-c", script, str(tmp_path / "toy")]

    # What a shell has put in the background ignores Ctrl-C, and so would what it starts.
    def heed() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, preexec_fn=heed)
    assert process.stdout is not None and process.stdout.readline()
    try:
        process.wait(0.7)
        raise AssertionError("it ended by itself")
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
    try:
        _, said = process.communicate(timeout=DEADLINE)
    finally:
        process.kill()
    assert "KeyboardInterrupt" in said and "panicked" not in said


def test_map_style_pictures(data: in9.Dataset) -> None:
    torch = pytest.importorskip("torch")
    split = data.split("test")
    pictures = split.pictures("mixed-rand")
    sampler = torch.utils.data.RandomSampler(pictures, generator=torch.Generator().manual_seed(0))
    loader = torch.utils.data.DataLoader(pictures, batch_size=8, sampler=sampler, num_workers=1)
    seen = 0
    for batch, labels in loader:
        assert batch.dtype == torch.uint8 and batch.shape[1:] == (3, 64, 64) and len(labels) == len(batch)
        seen += len(batch)
    assert seen == len(split)
    picture, label = split.pictures("only-fg", transform=np.asarray)[3]
    assert np.array_equal(picture, split.picture("only-fg", 3)) and label == split.labels[3]
