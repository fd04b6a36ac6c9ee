"""Run the exercises that change a score, seeds 0 to 4, and write docs/measure/exercises.csv.

    python docs/measure/exercises.py --data imdb.npz --runs runs

A change is a patch of docs/exercises that is put onto a copy of the scripts, or flags, or both;
first.npz is the task of the first word (tasks.py). What is in the folder of --runs already is not
run again. An hour on two cores.
"""

import csv
import shutil
import subprocess
import tempfile
from pathlib import Path

import results
import tasks  # and with it common
from tables import ROOT

import common

FIRST = "--data first.npz --epochs 6"
EXERCISES = (
    (1, "rnn_layer_imdb", "--clipnorm 0"),
    (3, "lstm_imdb", "03-one-layer"),
    (4, "lstm_imdb", "04-200-words"),
    (5, "lstm_imdb", "05-both-directions"),
    (6, "lstm_imdb", "06-mask"),
    (7, "lstm_imdb", "07-first-80-words"),
    (8, "gru_imdb", "--units 32"),
    (9, "rnn_layer_imdb", "09-hold-the-rate"),
    (10, "rnn_cell_imdb", "10-lstm-by-hand"),
    (11, "lstm_imdb", "11-pool-over-time"),
    (12, "docs/tools/baseline", ""),
    (12, "docs/tools/baseline", "--bigrams"),
    (13, "lstm_imdb", FIRST),
    (14, "lstm_imdb", "14-open-forget-gate"),
    (15, "rnn_cell_imdb", "15-min-gru"),
    (15, "rnn_cell_imdb", f"15-min-gru {FIRST}"),
)


def run(number, script, change, args, folder):
    """Run one exercise on a copy of the scripts in an empty folder -> its rows of the CSV."""
    for path in (*ROOT.glob("*.py"), *ROOT.glob("docs/tools/*.py")):
        copy = folder / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    flags, first = change.split(), str(folder / "first.npz")
    if flags and not flags[0].startswith("--"):
        patch = ROOT / f"docs/exercises/{flags.pop(0)}.patch"
        subprocess.run(["git", "apply", patch], check=True, cwd=folder)
    if "first.npz" in flags:
        tasks.write_npz("first", common.MAX_REVIEW_LEN, first)
    flags = [first if flag == "first.npz" else flag for flag in flags]
    for seed in range(5):
        of = "-pairs" * ("--bigrams" in flags) + "-first" * (first in flags)
        name = f"exercise-{number}{of}-{seed}"
        results.train(folder / f"{script}.py", args.data, seed, args.runs / name, flags)
        accuracy = results.read_run(args.runs / name)["accuracy"]
        yield number, Path(script).name, change, seed, accuracy


def main():
    args = results.parse_args(__doc__)
    rows = []
    for exercise in EXERCISES:
        with tempfile.TemporaryDirectory() as folder:
            rows += run(*exercise, args, Path(folder))
    with open(ROOT / "docs/measure/exercises.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([("exercise", "script", "change", "seed", "accuracy"), *rows])


if __name__ == "__main__":
    main()
