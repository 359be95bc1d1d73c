"""Energies of masks that two programs made from the same boxes, under the same colour models.

    python tests/oracles/grabcut_energy.py LIST_A.tsv LIST_B.tsv [--limit N]

The lists are those that the `segment` example and grabcut_peer.py took (same photographs, same
order, masks written). Each mask gets the colour models that fit it best: five full-covariance
Gaussians a side, from k-means (the best of three starts), then assigned and fitted in turn until
nothing changes. Prints mean energies in nats, which mask has the lower one, and how large masks
are, for two data terms: the paper's (the best component) and OpenCV's (the sum over components).
"""

import argparse

import cv2
import numpy as np

GAMMA = 50.0
COMPONENTS = 5


def costs(colours, models):
    """Negative log-likelihood [pixels, components] of (weight, mean, covariance) models."""
    out = np.full((len(colours), len(models)), np.inf)
    for k, (weight, mean, covariance) in enumerate(models):
        if weight > 0:
            d = colours - mean
            inverse = np.linalg.inv(covariance)
            out[:, k] = (
                -np.log(weight)
                + 0.5 * np.linalg.slogdet(covariance)[1]
                + 0.5 * np.einsum("ni,ij,nj->n", d, inverse, d)
            )
    return out


def fit(colours, assigned):
    models = []
    for k in range(COMPONENTS):
        own = colours[assigned == k]
        if len(own) == 0:
            models.append((0.0, None, None))
        else:
            covariance = np.cov(own.T, bias=True) if len(own) > 1 else np.zeros((3, 3))
            # The variance of rounding to whole levels keeps flat parts regular.
            models.append((len(own) / len(colours), own.mean(0), covariance + np.eye(3) / 12))
    return models


def cluster(colours, k):
    if k == 1:
        # One row alone would be taken for three samples.
        return np.zeros(len(colours), np.int32)
    stop = (cv2.TERM_CRITERIA_MAX_ITER, 20, 0.0)
    return cv2.kmeans(colours.astype(np.float32), k, None, stop, 3, cv2.KMEANS_PP_CENTERS)[1][:, 0]


def data_terms(colours):
    """Sum of the data term over the pixels of one side: best component, sum over components."""
    if len(colours) == 0:
        return 0.0, 0.0
    k = min(COMPONENTS, len(np.unique(colours, axis=0)))
    assigned = cluster(colours, k)
    for _ in range(100):
        cost = costs(colours, fit(colours, assigned))
        again = cost.argmin(1)
        if (again == assigned).all():
            break
        assigned = again
    least = cost.min(1)
    return least.sum(), (least - np.log(np.exp(least[:, None] - cost).sum(1))).sum()


def links(image):
    """Squared colour distance, length and the two pixels (flat indices) of all adjacent pairs."""
    height, width = image.shape[:2]
    index = np.arange(height * width).reshape(height, width)
    out = []
    for dx, dy in [(1, 0), (-1, 1), (0, 1), (1, 1)]:
        a = (slice(0, height - dy), slice(max(-dx, 0), width - max(dx, 0)))
        b = (slice(dy, height), slice(max(dx, 0), width - max(-dx, 0)))
        d2 = ((image[a] - image[b]) ** 2).sum(-1)
        out.append((d2.ravel(), np.full(d2.size, np.hypot(dx, dy)), index[a].ravel(), index[b].ravel()))
    return [np.concatenate(column) for column in zip(*out)]


def energies(image, mask):
    """Energy of a mask with the paper's and with OpenCV's data term, in nats."""
    d2, length, a, b = links(image)
    beta = 0.5 / d2.mean() if d2.any() else 0.0
    flat = mask.ravel()
    smoothness = (GAMMA * np.exp(-beta * d2) / length)[flat[a] != flat[b]].sum()
    colours = image.reshape(-1, 3)
    sides = [data_terms(colours[flat == side]) for side in (False, True)]
    return np.array([sum(side[term] for side in sides) + smoothness for term in (0, 1)])


def read(path):
    with open(path, encoding="utf-8") as lines:
        return [line.rstrip("\n").split("\t") for line in lines if line.strip()]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lists", nargs=2)
    parser.add_argument("--limit", type=int)
    args = parser.parse_args()
    cv2.setRNGSeed(0)
    rows, areas = [], []
    for a, b in list(zip(*map(read, args.lists)))[: args.limit]:
        image = cv2.imread(a[0], cv2.IMREAD_COLOR)
        masks = [cv2.imread(path, cv2.IMREAD_GRAYSCALE) for path in (a[5], b[5])]
        if image is None or any(mask is None for mask in masks):
            continue
        masks = [mask > 127 for mask in masks]
        x0, y0, x1, y1 = map(int, a[1:5])
        areas.append([mask.sum() / ((x1 - x0) * (y1 - y0)) for mask in masks])
        rows.append([energies(image.astype(float), mask) for mask in masks])
    rows, areas = np.array(rows), np.array(areas)
    print(f"{len(rows)} photographs; masks under 10 % of the box: {(areas < 0.1).sum(0)}")
    print(f"empty masks: {(areas == 0).sum(0)}; mean share of the box: {areas.mean(0).round(3)}")
    for term, name in enumerate(["best component", "sum over components"]):
        first, second = rows[:, 0, term], rows[:, 1, term]
        differ = np.abs(first - second) > 1e-6 * np.abs(first)
        print(
            f"{name}: mean energy {first.mean():.1f} and {second.mean():.1f}; the first is lower on "
            f"{(differ & (first < second)).sum()}, the second on {(differ & (first > second)).sum()}"
        )


if __name__ == "__main__":
    main()
