"""Train the four scripts with seeds 0 to 9 and table what their last lines say.

    python docs/results.py --data imdb.npz --runs runs

Runs each script as a user would, with --save and --log into the folder of --runs; what is there
already is not run again. Writes docs/results.csv, one row a run, and prints the README's table.
"""

import argparse
import csv
import re
import statistics
import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
SCRIPTS = ("rnn_cell_imdb", "rnn_layer_imdb", "lstm_imdb", "gru_imdb")
SEEDS = range(10)
LAST_LINE = re.compile(
    r"(?P<script>\w+): test accuracy (?P<accuracy>[\d.]+) \((?P<right>\d+)/(?P<n>\d+)\), "
    r"loss (?P<loss>[\d.]+), \d epochs in (?P<seconds>[\d.]+) s, (?P<parameters>\d+) parameters, "
    r"seed (?P<seed>\d+), data (?P<data>[^,]+), device (?P<device>\w+), "
    r"TensorFlow (?P<tensorflow>[\d.]+), Keras (?P<keras>[\d.]+)"
)


def train(script, seed, args):
    """Run a script with one seed unless its output is there; returns its path without ending."""
    path = args.runs / f"{script}-{seed}"
    text = path.with_name(path.name + ".txt")
    if not text.exists():
        command = [sys.executable, DOCS.parent / f"{script}.py", "--data", args.data]
        command += ["--seed", str(seed), "--save", f"{path}.weights.h5", "--log", f"{path}.csv"]
        command += ["--overwrite"]
        print(f"{script}, seed {seed} ...", flush=True)
        out = subprocess.run(command, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout
        text.write_text(out, encoding="utf-8")
    return path


def read_run(path):
    """Return the fields of a run's last line, and its best epoch: of the lowest test loss."""
    last = path.with_name(path.name + ".txt").read_text(encoding="utf-8").strip().splitlines()[-1]
    row = LAST_LINE.fullmatch(last).groupdict()
    with open(f"{path}.csv", newline="") as file:
        losses = [float(epoch["val_loss"]) for epoch in csv.DictReader(file)]
    return {**row, "best_epoch": losses.index(min(losses)) + 1}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", required=True, metavar="NPZ")
    parser.add_argument("--runs", required=True, type=Path, metavar="FOLDER")
    args = parser.parse_args()
    args.runs.mkdir(exist_ok=True)
    rows = [read_run(train(script, seed, args)) for seed in SEEDS for script in SCRIPTS]
    rows.sort(key=lambda row: (SCRIPTS.index(row["script"]), int(row["seed"])))
    with open(DOCS / "results.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)

    print("| script | mean | lowest | highest | best epoch | seconds per epoch | parameters |")
    print("|---|---|---|---|---|---|---|")
    for script in SCRIPTS:
        own = [row for row in rows if row["script"] == script]
        accuracy = [float(row["accuracy"]) for row in own]
        best = sorted(row["best_epoch"] for row in own)
        epochs = ", ".join(f"{n} ({best.count(n)} of {len(best)})" for n in sorted(set(best)))
        seconds = statistics.median(float(row["seconds"]) for row in own) / 4
        print(
            f"| `{script}.py` | {100 * statistics.mean(accuracy):.1f} % "
            f"| {100 * min(accuracy):.1f} % | {100 * max(accuracy):.1f} % | {epochs} "
            f"| {seconds:.1f} | {int(own[0]['parameters']):,} |"
        )


if __name__ == "__main__":
    main()
