"""The official evaluation rules in NumPy, as an oracle for in9-analysis.

Rules: the arg-max over 1000 outputs is looked up in a table whose unmapped entries are -1; -1 is
always wrong; accuracy is correct / N. A foreground is vulnerable if any background, own class and own
image included, makes the answer wrong; backgrounds come class folder by class folder, sorted within,
in batches of 32, and a foreground ends with the first batch that holds a wrong answer.

Run from the workspace root:
    python tests/oracles/analysis_official.py crates/in9-analysis/tests/fixtures/official.json
"""
import json, sys
import numpy as np

rng = np.random.default_rng(9)
CLASSES, N, OUTPUTS, BATCH = 9, 90, 1000, 32
table = np.full(OUTPUTS, -1)
mapped = rng.permutation(OUTPUTS)[:370]
table[mapped] = rng.integers(0, CLASSES, 370)
label = np.arange(N) % CLASSES
own = [np.flatnonzero(table == c) for c in range(CLASSES)]


def answer(logits):
    return table[logits.argmax(-1)]


def draw(truth, strength):
    """Logits that favour one output of the true class by `strength`, and one of any class or none."""
    logits = rng.normal(0, 1, OUTPUTS)
    logits[rng.choice(own[truth])] += strength
    return logits


views = {}
for view, strength in [("original", 5.0), ("mixed-same", 4.2), ("mixed-rand", 3.4), ("only-bg-t", 2.0)]:
    predicted = np.array([answer(draw(t, strength)) for t in label])
    views[view] = {"predicted": predicted.tolist(), "accuracy": float((predicted == label).mean())}

# Some foregrounds are safe, some fall to a few strong backgrounds, some to many.
toughness = rng.uniform(3.0, 12.0, N)
threat = np.where(rng.random(N) < 0.1, 4.0, 0.0)
matrix = np.array([[answer(draw(label[f], toughness[f] - threat[b])) for b in range(N)] for f in range(N)])

order = np.argsort(label, kind="stable")
vulnerable, passes = [], 0
for f in range(N):
    fooled = False
    for start in range(0, N, BATCH):
        batch = matrix[f, order[start:start + BATCH]]
        passes += len(batch)
        if (batch != label[f]).any():
            fooled = True
            break
    vulnerable.append(int(fooled))
json.dump({"label": label.tolist(), "views": views, "matrix": matrix.tolist(), "vulnerable": vulnerable,
           "challenge_accuracy": float(1 - np.mean(vulnerable)), "passes": passes}, open(sys.argv[1], "w"))
print("vulnerable", sum(vulnerable), "of", N, "passes", passes)
