"""Train the networks that the documents are about, and write docs/measure/results.csv.

    python docs/measure/results.py --data imdb.npz --runs runs

Runs each script as a user would, with --save and --log into the folder of --runs: seeds 0 to 9 on
IMDB, seeds 0 to 4 on the toy, where docs/tools/baseline.py runs too; some 36 minutes on two cores.
What is there already is not run again. A row of results.csv is one run on IMDB.
"""

import argparse
import csv
import os
import re
import subprocess
import sys
from pathlib import Path

from tables import ROOT, SCRIPTS

CSV = ROOT / "docs/measure/results.csv"
LAST_LINE = re.compile(
    r"(?P<script>\w+): test accuracy (?P<accuracy>[\d.]+) \((?P<right>\d+)/(?P<n>\d+)\), "
    r"loss (?P<loss>[\d.]+), \d epochs in [\d.]+ s, (?P<parameters>\d+) parameters, "
    r"seed (?P<seed>\d+), data (?P<data>[^,]+), device (?P<device>\w+), "
    r"TensorFlow (?P<tensorflow>[\d.]+), Keras (?P<keras>[\d.]+)"
)


def train(script, data, seed, path, flags=()):
    """Run a script with one seed, unless its output is there."""
    text = path.with_name(path.name + ".txt")
    if text.exists():
        return
    command = [sys.executable, script, "--data", data, "--seed", str(seed), *flags]
    command += ["--save", f"{path}.weights.h5", "--log", f"{path}.csv"]
    print(f"{path.name} ...", flush=True)
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout
    text.write_text(out, encoding="utf-8")


def read_run(path):
    """Return the fields of a run's last line, and its best epoch: of the lowest test loss."""
    last = path.with_name(path.name + ".txt").read_text(encoding="utf-8").strip().splitlines()[-1]
    row = LAST_LINE.fullmatch(last).groupdict()
    with open(f"{path}.csv", newline="") as file:
        losses = [float(epoch["val_loss"]) for epoch in csv.DictReader(file)]
    return {**row, "best_epoch": losses.index(min(losses)) + 1}


def write_rows(args):
    """Train what is not there yet and write docs/measure/results.csv."""
    rows = []
    for script in SCRIPTS:
        for seed in range(10):
            path = args.runs / f"{script}-{seed}"
            train(ROOT / f"{script}.py", args.data, seed, path)
            rows.append(read_run(path))
    for script in (ROOT / "docs/tools/baseline.py", *(ROOT / f"{name}.py" for name in SCRIPTS)):
        for seed in range(5):
            train(script, "toy", seed, args.runs / f"toy-{script.stem}-{seed}")
    with open(CSV, "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def parse_args(description):
    """The two flags of the programs that train."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", metavar="NPZ", required=True, help="IMDB's reviews")
    parser.add_argument("--runs", type=Path, metavar="FOLDER", required=True, help="is kept")
    args = parser.parse_args()
    args.data = os.path.abspath(args.data)
    args.runs.mkdir(exist_ok=True)
    return args


if __name__ == "__main__":
    write_rows(parse_args(__doc__))
