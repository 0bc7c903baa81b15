"""Makes the seed corpora: small valid files, one folder for each target. Takes a folder of runs.

    python3 fuzz/seeds.py runs
"""

import gzip
import io
import json
import struct
import sys
import zipfile
import zlib
from pathlib import Path

HERE = Path(__file__).parent
GOLDEN = HERE.parent / "tests/golden"
RUNS = Path(sys.argv[1])


def seed(target, name, data):
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())


def shortened(value, most=3):
    if isinstance(value, dict):
        return {key: shortened(inner, most) for key, inner in value.items()}
    return [shortened(inner, most) for inner in value[:most]] if isinstance(value, list) and len(value) > 8 else value


def history(name, run):
    file = sorted((RUNS / run / "latest").glob("*seed*.json"))
    file = next(path for path in file if not path.name.endswith(".tree.json"))
    record = shortened(json.loads(file.read_text()))
    record.get("asked", {}).pop("command", None)
    seed("history", name, json.dumps(record, separators=(",", ":")))


for run in ["mlp_xor", "creditcard_tree", "kfold_digits", "exploding_gradient", "regression_diabetes", "mnist_dropout"]:
    history(f"{run}.json", run)

header = {
    "0.weight": {"dtype": "F32", "shape": [4, 3], "data_offsets": [0, 48]},
    "0.bias": {"dtype": "F32", "shape": [4], "data_offsets": [48, 64]},
    "1.weight": {"dtype": "F32", "shape": [4], "data_offsets": [64, 80]},
    "1.bias": {"dtype": "F32", "shape": [4], "data_offsets": [80, 96]},
    "3.weight": {"dtype": "F32", "shape": [2, 4], "data_offsets": [96, 128]},
    "3.bias": {"dtype": "F32", "shape": [2], "data_offsets": [128, 136]},
    "1.running_mean": {"dtype": "F32", "shape": [4], "data_offsets": [136, 152]},
    "1.running_var": {"dtype": "F32", "shape": [4], "data_offsets": [152, 168]},
    "1.num_batches_tracked": {"dtype": "I64", "shape": [], "data_offsets": [168, 176]},
    "__metadata__": {"format": "pt"},
}
text = json.dumps(header, separators=(",", ":")).encode()
text += b" " * (-len(text) % 8)
seed("weights", "small.safetensors", struct.pack("<Q", len(text)) + text + bytes(176))
seed("weights", "empty.safetensors", struct.pack("<Q", 2) + b"{}")
seed("weights", "huge_header.safetensors", struct.pack("<Q", 2**63) + b"{}")

for name in ["perceptron_or", "regularize_mnist", "encoding_penguins", "creditcard_resampling", "kfold_digits"]:
    seed("experiment", f"{name}.toml", (HERE.parent / "experiments" / f"{name}.toml").read_bytes())
idea = """[data.digits]
[network]
layers = [{ linear = 16 }, { batch_norm = {} }, "relu", { dropout = 0.5 }, { linear = 10 }]
[train]
epochs = 2
batch = 64
loss = "cross_entropy"
optimizer = { adam = { lr = 1e-3 } }
"""
seed("experiment", "set.toml", idea + "\x01train.optimizer.adam.lr=0.1\x01seeds=[1, 2]\x01network.layers.0.linear.units=3")
seed("experiment", "deep.toml", idea + "\x01train.schedule" + ".a" * 40 + "=1")

seed("table", "numbers", b"\x00\x40x1,x2,y\n1,2.5,0\n3,4e-3,1\n-1,0.5,0\n7,1e10,1\n")
seed("table", "text", b"\x01\x40\xef\xbb\xbf\"a b\";city;y\r\n\"1\";Rome;yes\r\n2;\"Os;lo\";no\r\n;Rome;yes\r\nNA;Rome;no\r\n3;Bern;no\r\n")
seed("table", "pixels", "".join(",".join(str((row * column) % 256) for column in range(5)) + "\n" for row in range(4)).encode())

images = struct.pack(">IIII", 0x803, 4, 2, 3) + bytes(range(24))
labels = struct.pack(">II", 0x801, 4) + bytes([0, 1, 0, 2])
seed("idx", "plain", struct.pack(">H", len(images)) + images + labels)
packed = gzip.compress(images, mtime=0)
seed("idx", "gz", struct.pack(">H", len(packed)) + packed + gzip.compress(labels, mtime=0))
huge = struct.pack(">IIII", 0x803, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
seed("idx", "huge", struct.pack(">H", len(huge)) + huge + labels)


def npy(descr, shape, values, fortran=False):
    header = f"{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape!r}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + values


x, y = npy("|u1", (4, 2, 3), bytes(range(24)), True), npy(">i4", (4,), struct.pack(">4i", 0, 1, 0, 7))
for name, method in [("stored.npz", zipfile.ZIP_STORED), ("deflated.npz", zipfile.ZIP_DEFLATED)]:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", method) as members:
        for array, content in [("x", x), ("y", y), ("x_test", x), ("y_test", y)]:
            members.writestr(zipfile.ZipInfo(f"{array}.npy"), content, method)
    seed("arrays", name, b"\x01" + archive.getvalue())
seed("arrays", "one.npy", b"\x00" + npy("<f8", (3, 1), struct.pack("<3d", 0.5, 2, -1)))
seed("arrays", "huge.npy", b"\x00" + npy("<f8", (2**40, 2**20), bytes(8)))
header = {
    "x": {"dtype": "F16", "shape": [2, 2], "data_offsets": [0, 8]},
    "y": {"dtype": "U8", "shape": [2], "data_offsets": [8, 10]},
}
text = json.dumps(header, separators=(",", ":")).encode()
seed("arrays", "small.safetensors", b"\x10" + struct.pack("<Q", len(text)) + text + bytes(8) + bytes([0, 1]))

for name, text in [
    ("lines.jsonl", '\x10{"text": "a good film", "label": "pos"}\n{"text": "a b\\u00e4d one", "label": "neg", "x": [1, null]}\n{"label": true, "text": 7}\n'),
    ("words.csv", '\x31label,text\npos,"a ""good"", film"\nneg,none\npos,NA\n'),
    ("bytes.csv", "\x25text,label\nhé,1\n日本,0\n"),
    ("letters.jsonl", '\x4a{"text": "AB b", "label": 0}\n{"text": "c", "label": 1}\n'),
]:
    seed("texts", name, text)


def png(width, height, kind, rows):
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    start = struct.pack(">IIBBBBB", width, height, *kind, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", start) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


seed("picture", "grey.png", png(5, 4, (8, 0), b"".join(b"\0" + bytes([0, 255, 9, 100, 7]) for _ in range(4))))
seed("picture", "alpha.png", png(3, 3, (8, 6), b"".join(b"\1" + bytes(range(12)) for _ in range(3))))
seed("picture", "huge.png", png(100_000, 100_000, (8, 0), b""))
# The two JPEG pictures beside them are Pillow's: 8×8 grey, and 8×6 in color, progressive, turned by its Exif.

for name in ["keras.json", "keras_diverged.json"]:
    seed("foreign", name, b"\0" + (GOLDEN / "foreign" / name).read_bytes())
for name in ["keras.csv", "lightning.csv"]:
    seed("foreign", name, b"\1" + (GOLDEN / "foreign" / name).read_bytes())
rows = json.loads((GOLDEN / "foreign/skorch.json").read_text())
seed("foreign", "skorch.json", b"\0" + json.dumps([dict(row, batches=row["batches"][:2]) for row in rows[:3]]).encode())
seed("foreign", "words.json", b'\0{"loss": [NaN, -Infinity, "1.5", null], "epoch": [0, 1, 2, 18446744073709551615]}')
log = [{"loss": 1.0, "epoch": 0.5, "step": 1}, {"eval_loss": 2.0, "eval_accuracy": 0.5, "epoch": 1.0, "step": 2}]
seed("foreign", "trainer_state.json", b"\0" + json.dumps({"epoch": 1.0, "log_history": log}).encode())
frame = {"columns": ["epoch", "loss", "val_auc_1"], "index": [0, 1], "data": [[0.0, 2.0, 0.5], [1.0, "np.float32(1.5)", [0.75]]]}
seed("foreign", "split.json", b"\0" + json.dumps(frame).encode())
seed("foreign", "twice.csv", b"\1sep=;\repoch;step;train_loss;accuracy\r0;9;1,5;0.5\r1;19;1;tensor(0.5)\repoch;step;train_loss;accuracy\r0;9;2;inf\r")

whole = (GOLDEN / "foreign/lightning_tensorboard/events.out.tfevents.1795341537.vm.10799.1").read_bytes()
seed("events", "lightning", b"\0" + whole)
records, place = [], 0
for path in sorted(GOLDEN.glob("foreign/*tensorboard/**/events*")):
    data, place = path.read_bytes(), 0
    records = []
    while place < len(data):
        length = struct.unpack_from("<Q", data, place)[0]
        records.append(data[place + 12 : place + 12 + length])
        place += 16 + length
    framed = b"".join(bytes([len(record)]) + record for record in records[:20] if len(record) < 256)
    seed("events", f"framed_{path.parent.name}", b"\1" + framed)

tree = {"criterion": "gini", "features": 2, "classes": 2, "nodes": [
    {"split": {"feature": 1, "threshold": 0.5, "left": 1, "right": 2}}, {"leaf": [3, 1]},
    {"split": {"feature": 0, "threshold": -1.0, "left": 3, "right": 4}}, {"leaf": [0, 2]}, {"leaf": [5, 0]}]}
seed("tree", "small.json", json.dumps(tree))
seed("tree", "leaf.json", json.dumps(dict(tree, features=1, nodes=[{"leaf": [1, 0]}])))

table = b"x,y\n1,2\n"
seed("archive", "table.csv", table)
seed("archive", "table.csv.gz", gzip.compress(table, mtime=0))
for name, method in [("deflated", zipfile.ZIP_DEFLATED), ("stored", zipfile.ZIP_STORED)]:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", method) as members:
        members.writestr(zipfile.ZipInfo("../table.csv" if method else "table.csv"), table)
        members.writestr(zipfile.ZipInfo("table.csv"), table)
    seed("archive", f"{name}.zip", archive.getvalue())
