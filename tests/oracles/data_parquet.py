"""Prediction tables by PyArrow, for crates/in9-data/tests/parquet.rs.

    pip install pyarrow==26.0.1
    python tests/oracles/data_parquet.py crates/in9-data/tests/fixtures/parquet

Writes whole.parquet and whole.csv with the same rows, in several row groups and kinds of columns; short.parquet, answers
by number to the toy world's eighteen photographs of two a class, with what frameworks leave in a table; and tables with
mistakes: wrong.parquet by row, zstd.parquet and lists.parquet as a whole.
"""

import csv
import pathlib
import random
import sys

import pyarrow as pa
import pyarrow.parquet as pq

CLASSES = ["cat", "wheeled vehicle", "dog"]


def whole() -> pa.Table:
    draw = random.Random(0)
    rows = []
    for at in range(40):
        mixed = at % 2 == 1
        scored = at % 5 != 4
        scores = [draw.random() for _ in CLASSES]
        rows.append(
            {
                "model": "net, a" if at < 20 else "net b",
                "arch": None,
                "trained_on": "original",
                "dataset": "pets",
                "split": "test",
                "view": "mixed-rand" if mixed else "original",
                "image": f"i{at // 2}",
                "foreground": f"i{at // 2}",
                "background": f"i{(at // 2 + 1) % 10}" if mixed else None,
                "class": CLASSES[at % 3],
                "background_class": CLASSES[(at + 1) % 3] if mixed else None,
                "predicted": None if at == 7 else CLASSES[draw.randrange(3)],
                "trained_data": "pets",
                "training": "0a1b",
                "training_seed": 2**63 + at if at < 20 else None,
                **{f"score_{name}": score if scored else None for name, score in zip(CLASSES, scores)},
                "other": [at],
            }
        )
    table = pa.Table.from_pylist(rows, schema=pa.schema(
        [(name, pa.string()) for name in list(rows[0])[:14]]
        + [("training_seed", pa.uint64())]
        + [("score_cat", pa.float32()), ("score_wheeled vehicle", pa.float64()), ("score_dog", pa.float32())]
        + [("other", pa.list_(pa.int64()))]
    ))
    # As pandas' categories are written.
    at = table.schema.get_field_index("class")
    return table.set_column(at, "class", table["class"].dictionary_encode())


def text(value: object, kind: pa.DataType) -> str:
    if value is None:
        return ""
    if pa.types.is_float32(kind):
        return repr(pa.scalar(value, pa.float32()).as_py())
    return str(value)


def main(folder: pathlib.Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    table = whole()
    pq.write_table(table, folder / "whole.parquet", row_group_size=16, compression="snappy")
    flat = table.drop_columns(["other"])
    with open(folder / "whole.csv", "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(flat.column_names)
        kinds = [field.type for field in flat.schema]
        for row in zip(*(column.to_pylist() for column in flat.columns)):
            out.writerow([text(value, kind) for value, kind in zip(row, kinds)])

    ids = [f"n900000{at % 9}{at // 9 + 1}_{at + 1:05}" for at in range(18)]
    # A missing integer makes floating-point numbers of a column in pandas.
    predicted = [None if at == 3 else float((at + at // 9) % 9) for at in range(18)]
    short = pa.table({"image": ids, "view": ["original"] * 18, "predicted": predicted, "__index_level_0__": range(18)})
    pq.write_table(short, folder / "short.parquet", compression="gzip", use_dictionary=False)

    wrong = table.slice(0, 4).to_pylist()
    wrong[1]["view"], wrong[2]["score_cat"], wrong[3] = "sideways", float("nan"), wrong[0]
    pq.write_table(pa.Table.from_pylist(wrong, schema=table.schema).drop_columns(["arch"]), folder / "wrong.parquet")
    pq.write_table(short, folder / "zstd.parquet", compression="zstd")
    pq.write_table(pa.table({"image": [["a"], ["b"]]}), folder / "lists.parquet")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
