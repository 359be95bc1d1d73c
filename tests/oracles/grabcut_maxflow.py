"""Maximum flows on small random grids, from SciPy: the fixture of the exactness test.

    python tests/oracles/grabcut_maxflow.py > crates/grabcut/tests/fixtures/maxflow.txt

Each line: width, height, value of the maximum flow, then per node (row by row) the capacities of
its links east, south-west, south and south-east and its excess (capacity from the source if
positive, to the sink if negative).
"""

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import maximum_flow

FORWARD = [(1, 0), (-1, 1), (0, 1), (1, 1)]


def main():
    random = np.random.default_rng(20_040_808)
    for case in range(60):
        width, height = (int(v) for v in random.integers(1, 14, 2))
        strongest = int(random.choice([1, 3, 50, 32_767]))
        links = random.integers(0, strongest + 1, (height, width, 4))
        links[random.random(links.shape) < random.choice([0.0, 0.3, 0.6])] = 0
        scale = strongest * int(random.choice([1, 4, 40]))
        excess = random.integers(-scale, scale + 1, (height, width))
        excess[random.random(excess.shape) < random.choice([0.0, 0.5, 0.9])] = 0
        source, sink = width * height, width * height + 1
        edges = []
        for y in range(height):
            for x in range(width):
                for d, (dx, dy) in enumerate(FORWARD):
                    if not (0 <= x + dx < width and y + dy < height):
                        links[y, x, d] = 0
                    elif links[y, x, d]:
                        a, b = y * width + x, (y + dy) * width + x + dx
                        edges += [(a, b, links[y, x, d]), (b, a, links[y, x, d])]
                if excess[y, x] > 0:
                    edges.append((source, y * width + x, excess[y, x]))
                elif excess[y, x] < 0:
                    edges.append((y * width + x, sink, -excess[y, x]))
        a, b, capacity = np.array(edges or [(source, sink, 0)]).T
        graph = coo_array((capacity.astype(np.int32), (a, b)), (sink + 1, sink + 1)).tocsr()
        value = maximum_flow(graph, source, sink).flow_value
        nodes = np.concatenate([links, excess[..., None]], -1)
        print(width, height, value, *nodes.ravel())


if __name__ == "__main__":
    main()
