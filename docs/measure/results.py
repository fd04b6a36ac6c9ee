"""Train everything that the documents show, and table what the last lines of the scripts say.

    python docs/measure/results.py --data imdb.npz --runs runs    # trains, writes docs/measure/results.csv
    python docs/measure/results.py                                # only prints the README's table from it

Runs each script as a user would, with --save and --log into the folder of --runs: seeds 0 to 9 on
IMDB, seeds 0 to 4 on the toy, where docs/tools/baseline.py runs too; some 36 minutes on two cores. What
is there already is not run again. One row of docs/measure/results.csv is one run on IMDB. docs/inside.md
ends with the commands that make the pictures and the other tables from these runs.
"""

import argparse
import csv
import re
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ("rnn_cell_imdb", "rnn_layer_imdb", "lstm_imdb", "gru_imdb")
CSV = ROOT / "docs/measure/results.csv"
LAST_LINE = re.compile(
    r"(?P<script>\w+): test accuracy (?P<accuracy>[\d.]+) \((?P<right>\d+)/(?P<n>\d+)\), "
    r"loss (?P<loss>[\d.]+), 4 epochs in [\d.]+ s, (?P<parameters>\d+) parameters, "
    r"seed (?P<seed>\d+), data (?P<data>[^,]+), device (?P<device>\w+), "
    r"TensorFlow (?P<tensorflow>[\d.]+), Keras (?P<keras>[\d.]+)"
)


def train(script, data, seed, path):
    """Run a script with one seed, unless its output is there."""
    text = path.with_name(path.name + ".txt")
    if text.exists():
        return
    command = [sys.executable, script, "--data", data, "--seed", str(seed)]
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
    args.runs.mkdir(exist_ok=True)
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


def table():
    """Return the README's table of docs/measure/results.csv, in Markdown."""
    with open(CSV, newline="") as file:
        rows = list(csv.DictReader(file))
    lines = [
        "| script | mean | lowest | highest | best epoch | parameters |",
        "|---|---|---|---|---|---|",
    ]
    for script in SCRIPTS:
        own = [row for row in rows if row["script"] == script]
        accuracy = [100 * float(row["accuracy"]) for row in own]
        best = sorted(row["best_epoch"] for row in own)
        epochs = ", ".join(f"{n} ({best.count(n)}/{len(best)})" for n in sorted(set(best)))
        lines.append(
            f"| `{script}.py` | {statistics.mean(accuracy):.1f} % | {min(accuracy):.1f} % "
            f"| {max(accuracy):.1f} % | {epochs} | {int(own[0]['parameters']):,} |"
        )
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", metavar="NPZ", help="the imdb.npz to train on")
    parser.add_argument("--runs", type=Path, metavar="FOLDER", help="where the runs are kept")
    args = parser.parse_args()
    if bool(args.data) != bool(args.runs):
        parser.error("--data and --runs go together")
    if args.runs:
        write_rows(args)
    print(table())


if __name__ == "__main__":
    main()
