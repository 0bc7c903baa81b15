"""Trains the grids of `regret.py` with `runner sweep --method grid`, and writes their tables: digits_mlp.csv, sweep_capacity.csv.

    python benches/search/record.py --runner target/release/runner
"""

import argparse
import csv
import io
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
GRIDS = {
    "digits_mlp": [
        "--set=data.digits.split={ validation = 0.3, random_state = 0 }",
        "--space=train.optimizer.adam.lr=1e-4,3e-4,1e-3,3e-3,1e-2,3e-2,0.1,0.3,1",
        "--space=train.batch=8,32,128,512",
        "--space=network.layers.0.linear.units=4,8,16,32",
        "--space=network.layers.2.linear.units=4,8,16,32",
        "--epochs=5",
    ],
    "sweep_capacity": [
        "--space=network.layers.0.linear.units=4,8,16,32,64",
        "--space=network.layers.2.dropout.p=0.0,0.1,0.3,0.5",
        "--space=train.optimizer.adam.weight_decay=0.0,1e-3,3e-3,1e-2,3e-2",
        "--space=train.optimizer.adam.lr=1e-3,3e-3,1e-2,3e-2,0.1",
        "--epochs=40",
    ],
}
# Settings whose last word is not enough.
LABELS = {"network.layers.0.linear.units": "units1", "network.layers.2.linear.units": "units2"}


def record(runner, name, arguments):
    with tempfile.TemporaryDirectory() as folder:
        command = [runner, "sweep", name, "--method=grid", "--seeds=0,1", "--workers=2", "--quiet", f"--out={folder}", *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        shown = subprocess.run([runner, "sweep", "table", name, "--csv", f"--out={folder}"], check=True, stdout=subprocess.PIPE, text=True)
    rows = list(csv.reader(io.StringIO(shown.stdout)))
    metric = next(place for place, label in enumerate(rows[0]) if label.endswith("_std")) - 1
    header = [LABELS.get(label, label.rsplit(".", 1)[-1]) for label in rows[0][2:metric]]
    lines = [[*header, "value", "std"]]
    for row in sorted(rows[1:], key=lambda row: row[1]):
        is_done = row[metric + 5] == "done"
        lines.append([*row[2:metric], *(row[metric : metric + 2] if is_done else ["nan", "nan"])])
    with (HERE / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(lines)
    print(f"wrote {name}.csv, {len(lines) - 1} configurations")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runner", default="runner")
    runner = parser.parse_args().runner
    for name, arguments in GRIDS.items():
        record(runner, name, arguments)
