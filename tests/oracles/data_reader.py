"""An independent reader of .in9 shards, written from crates/in9-data/FORMAT.md: NumPy and the standard library only.

usage: data_reader.py SHARD…      prints one JSON line a sample: the index entry and the sums of its layers
"""
import json, struct, sys, zlib
import numpy as np

MAGIC, PAGE, HEADER, FOOTER = b"\x89IN9\r\n\x1a\n", 4096, 128, 64


def align(offset):
    return -(-offset // PAGE) * PAGE


def read(path):
    data = np.memmap(path, np.uint8, "r")
    head = data[:HEADER].tobytes()
    if head[:8] != MAGIC:
        raise ValueError(f"{path}: not a shard (expected {MAGIC}, found {head[:8]})")
    version, header, samples, size, classes, index_length, *offsets = struct.unpack_from("<IIQIIQ5Q", head, 8)
    layers, index_crc, header_crc = struct.unpack_from("<II4xI", head, 112)
    if version != 1 or header != HEADER or zlib.crc32(head[:124]) != header_crc:
        raise ValueError(f"{path}: header damaged")
    rgb, bits = size * size * 3, -(-size * size // 8)
    lengths = [rgb, rgb, bits] if layers else [rgb]
    at, expected = align(HEADER + index_length), []
    for length in [rgb, rgb if layers else 0, bits if layers else 0]:
        expected.append(at)
        at = align(at + samples * length)
    footer = at + samples * 4 * len(lengths)
    if offsets != expected + [at, footer] or len(data) != footer + FOOTER:
        raise ValueError(f"{path}: offsets or length wrong")
    index = data[HEADER : HEADER + index_length].tobytes()
    if zlib.crc32(index) != index_crc:
        raise ValueError(f"{path}: index damaged")
    crcs = np.frombuffer(data[at:footer].tobytes(), "<u4").reshape(samples, len(lengths))
    tail = data[footer:].tobytes()
    if tail[:8] != b"IN9 end\n" or zlib.crc32(tail[:60]) != struct.unpack_from("<I", tail, 60)[0]:
        raise ValueError(f"{path}: footer damaged")
    position = 0
    for sample in range(samples):
        texts = []
        for _ in range(3):
            (length,) = struct.unpack_from("<Q", index, position)
            texts.append(index[position + 8 : position + 8 + length].decode())
            position += 8 + length
        numbers = struct.unpack_from("<H32s6I4H2I", index, position)
        position += struct.calcsize("<H32s6I4H2I")
        planes = []
        for plane, length in enumerate(lengths):
            start = expected[plane] + sample * length
            planes.append(data[start : start + length])
            if zlib.crc32(planes[-1].tobytes()) != crcs[sample, plane]:
                raise ValueError(f"{path}: layer {plane} of sample {sample} damaged")
        photo, *rest = planes
        yield {
            "id": texts[0], "fine": texts[1], "source": texts[2], "class": numbers[0], "blake3": numbers[1].hex(),
            "width": numbers[2], "height": numbers[3], "photo_box": numbers[4:8], "crop_box": numbers[8:12],
            "mask_area": numbers[12], "box_area": numbers[13], "photo": photo.reshape(size, size, 3),
            "tiled": rest[0].reshape(size, size, 3) if layers else None,
            "mask": np.unpackbits(rest[1], bitorder="little")[: size * size].reshape(size, size) if layers else None,
        }
    if position != index_length:
        raise ValueError(f"{path}: bytes after the index")


if __name__ == "__main__":
    for path in sys.argv[1:]:
        for sample in read(path):
            for layer in ("photo", "tiled", "mask"):
                if sample[layer] is not None:
                    sample[layer] = int(sample[layer].sum(dtype=np.int64))
            print(json.dumps(sample))
