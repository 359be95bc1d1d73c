"""Memory of Rust as NumPy arrays, without a copy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ._in9 import Buffer


def u8(buffer: Buffer) -> npt.NDArray[np.uint8]:
    """The bytes of a buffer."""
    return np.frombuffer(memoryview(buffer), np.uint8)


def f32(buffer: Buffer) -> npt.NDArray[np.float32]:
    """The numbers of a buffer of float32."""
    return np.frombuffer(memoryview(buffer), np.float32)


def i64(buffer: Buffer) -> npt.NDArray[np.int64]:
    """The numbers of a buffer of int64."""
    return np.frombuffer(memoryview(buffer), np.int64)
