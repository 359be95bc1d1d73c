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

from formula import unit

N, ASKED, WIDTH, CLASSES = 90, 30, 13, 4


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
