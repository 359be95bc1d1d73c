"""Reference values for the probes of features (scikit-learn).

    python tests/oracles/probe.py crates/in9-models/tests/probe.json

Needs scikit-learn and numpy. Features are a formula that the Rust side computes too (tests/parity/formula.rs), of four
classes, one of which stands out in each fourth feature; the last feature does not vary. Writes the probabilities that
multinomial logistic regressions on standardised features, weighted nearest neighbours by cosine, and the mean of regressions on
balanced sets of groups (DRAWS, which the Rust side draws), give other features.
"""

import json
import sys

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

from formula import unit

N, ASKED, WIDTH, CLASSES = 90, 30, 13, 4
# Places of the photographs of three balanced sets.
DRAWS = [
    [
        24, 32, 64, 8, 0, 40, 20, 80, 21, 17, 41, 57, 85, 25, 5, 65,
        74, 34, 22, 18, 30, 50, 70, 10, 11, 39, 87, 83, 15, 55, 75, 35,
    ],
    [
        8, 56, 32, 88, 0, 80, 20, 40, 13, 17, 29, 37, 85, 25, 5, 65,
        42, 18, 26, 78, 70, 50, 10, 30, 51, 59, 39, 19, 35, 55, 15, 75,
    ],
    [
        8, 48, 76, 12, 80, 40, 60, 20, 69, 41, 17, 49, 25, 5, 85, 45,
        82, 34, 54, 62, 10, 30, 70, 50, 63, 27, 31, 71, 75, 35, 55, 15,
    ],
]


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
    l2, models = 1e-2, []
    for draw in DRAWS:
        model = LogisticRegression(C=1 / (l2 * len(draw)), tol=1e-12, max_iter=100000, solver="lbfgs")
        models.append(model.fit(scaler.transform(known[draw]), labels[draw]))
    if models:
        model.coef_ = np.mean([one.coef_ for one in models], axis=0)
        model.intercept_ = np.mean([one.intercept_ for one in models], axis=0)
        scores = rounded(model.predict_proba(scaler.transform(asked)))
        record["dfr"] = {"l2": l2, "draws": DRAWS, "scores": scores}
    with open(sys.argv[1], "w") as file:
        file.write(json.dumps(record, indent=0).replace(",\n", ", ") + "\n")


if __name__ == "__main__":
    main()
