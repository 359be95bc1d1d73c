"""Reference values for the probes of features (scikit-learn).

    python tests/oracles/probe.py crates/in9-models/tests/probe.json

Needs scikit-learn and numpy. Features are a formula that the Rust side computes too (tests/parity/formula.rs), of four
classes, one of which stands out in each fourth feature; the last feature does not vary. Writes the probabilities that
multinomial logistic regressions on standardised features, and weighted nearest neighbours by cosine, give other features.
"""

import json
import sys

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

N, ASKED, WIDTH, CLASSES = 90, 30, 13, 4


def unit(name: str, count: int) -> np.ndarray:
    """As in zoo_parity.py: FNV-1a of the name, then splitmix64 of (hash + index): 24 random bits as [0, 1)."""
    seed = 0xCBF29CE484222325
    for byte in name.encode():
        seed = ((seed ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + (np.arange(count, dtype=np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(40)).astype(np.float32) / np.float32(1 << 24)


def pictures(name: str, count: int):
    labels = np.arange(count) % CLASSES
    features = unit(name, count * WIDTH).reshape(count, WIDTH) * np.float32(4) - np.float32(2)
    features += (np.arange(WIDTH) % CLASSES == labels[:, None]) * np.float32(0.75)
    # Features of different sizes.
    features *= np.float32(1) + np.arange(WIDTH, dtype=np.float32)
    features[:, -1] = 3
    return features.astype(np.float64), labels


def rounded(probabilities: np.ndarray) -> list:
    return [[float(f"{p:.9g}") for p in row] for row in probabilities]


def main() -> None:
    (known, labels), (asked, _) = pictures("known", N), pictures("asked", ASKED)
    scaler = StandardScaler().fit(known)
    record = {"n": N, "asked": ASKED, "width": WIDTH, "classes": CLASSES, "linear": [], "knn": []}
    for l2 in (1e-4, 1e-2, 1.0):
        # It adds losses up, and halves the squared weights only.
        model = LogisticRegression(C=1 / (l2 * N), tol=1e-12, max_iter=100000, solver="lbfgs")
        model.fit(scaler.transform(known), labels)
        record["linear"].append({"l2": l2, "scores": rounded(model.predict_proba(scaler.transform(asked)))})
    for k, temperature in ((5, 0.07), (20, 0.07), (90, 0.5)):
        weights = lambda distance, t=temperature: np.exp((1 - distance) / t)
        model = KNeighborsClassifier(k, metric="cosine", algorithm="brute", weights=weights).fit(known, labels)
        record["knn"].append({"k": k, "temperature": temperature, "scores": rounded(model.predict_proba(asked))})
    with open(sys.argv[1], "w") as file:
        file.write(json.dumps(record, indent=0).replace(",\n", ", ") + "\n")


if __name__ == "__main__":
    main()
