"""Writes the Parquet files beside this one with pyarrow, in the layout of Hugging Face datasets. Run: python3 make.py"""
import json, struct, zlib
import pyarrow as pa
import pyarrow.parquet as pq

COUNT, SIZE = 12, 6
NAMES = ["circle", "square", "triangle"]


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(image):
    """An RGB PNG whose byte i has the value (37 * image + 5 * i) mod 256."""
    row = 3 * SIZE
    values = bytes((37 * image + 5 * i) % 256 for i in range(SIZE * row))
    lines = b"".join(b"\0" + values[y * row : (y + 1) * row] for y in range(SIZE))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", SIZE, SIZE, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


features = {"image": {"_type": "Image"}, "label": {"names": NAMES, "_type": "ClassLabel"}}
note = {"huggingface": json.dumps({"info": {"features": features}})}
image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
table = pa.table(
    {
        "image": pa.array([{"bytes": png(i), "path": f"{i}.png"} for i in range(COUNT)], image),
        "label": pa.array([i % 3 for i in range(COUNT)], pa.int64()),
    }
).replace_schema_metadata(note)

for codec in ["none", "snappy", "gzip", "brotli", "zstd", "lz4"]:
    for version in ["1.0", "2.0"]:
        name = f"{codec}-v{version[0]}.parquet"
        pq.write_table(table, name, compression=codec, row_group_size=5, data_page_version=version)
