"""Fits what in9-kernels' GELU is computed by: (1 - Phi(a)) exp(a^2 / 2) for a >= 0 as a polynomial in 1 / (1 + p a).

    python tests/oracles/gelu_tail.py        # needs numpy and scipy

Prints p, the largest relative error, and the coefficients from the highest power to the first (there is no constant).
"""

import numpy as np
from scipy.special import erfcx

DEGREE, FURTHEST, POINTS = 8, 14.0, 500


def fit(p: float) -> tuple[float, np.ndarray]:
    """Least squares whose weights move towards the largest errors (Lawson's algorithm)."""
    lowest = 1 / (1 + p * FURTHEST)
    nodes = np.cos(np.pi * (np.arange(POINTS) + 0.5) / POINTS)
    t = lowest + (1 - lowest) * (nodes + 1) / 2
    truth = 0.5 * erfcx((1 / t - 1) / p / np.sqrt(2))
    powers = np.vander(t, DEGREE + 1)[:, :-1] / truth[:, None]
    weights = np.ones(POINTS)
    for _ in range(60):
        root = np.sqrt(weights)
        coefficients, *_ = np.linalg.lstsq(powers * root[:, None], root, rcond=None)
        error = np.abs(powers @ coefficients - 1)
        weights = weights * error
        weights /= weights.sum()
    return error.max(), coefficients


best = min(np.linspace(0.27, 0.33, 13), key=lambda p: fit(p)[0])
error, coefficients = fit(best)
print(f"p = {best:.3f}, largest relative error {error:.2g}")
print([float(np.float32(c)) for c in coefficients])
