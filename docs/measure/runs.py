"""Run the scripts, as they are or with something changed, seed by seed: docs/measure/runs.csv.

    python -m docs.measure.runs --data imdb.npz --runs runs
    python -m docs.measure.runs --data imdb.npz --runs runs --only "exercise 4"
    python -m docs.measure.runs --data imdb.npz --runs runs --only "exercise 4" --again

EXPERIMENTS is what there is: to add one, add a line; a function of tables.py brings it onto a page.
Each run is that of a script as a user starts it, on a copy that is changed first: by a patch of
docs/exercises, or line by line. A row is written as its run ends, and what the CSV has is not run
again, but for weights that other programs need and that the folder of --runs lacks. --again runs
all that is chosen, and compares.
"""

import csv
import itertools
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from docs.measure import copies, made_up, records
from docs.measure.flags import parser
from docs.measure.names import BASELINE, LAST_LINE, NETWORKS, ROOT, SCRIPTS, SEEDS, saved, weights

CSV = ROOT / "docs/measure/runs.csv"
HEAD = (
    "experiment", "script", "seed", "accuracy", "right", "n", "loss", "best_epoch", "parameters",
    "data", "device", "tensorflow", "keras", "machine",
)  # fmt: skip


class Experiment(NamedTuple):
    """What is run: a script with flags, on a copy with a patch and lines changed, and with seeds.

    lines: (file, how the line begins, what takes its place, or "" for nothing) each.
    data: imdb, toy, or the task of the first word (made_up.py).
    """

    name: str
    script: str
    flags: str = ""
    patch: str = ""
    lines: tuple = ()
    data: str = "imdb"
    seeds: int = 5


def words(n):
    """The line that makes every review n words long."""
    return ("common.py", "MAX_REVIEW_LEN =", f"MAX_REVIEW_LEN = {n}")


# Of the training reviews the last 5,000, in the order of read_npz, are tested on, not trained on.
HELD_OUT = (
    ("common.py", "splits = ", "(x, y), _ = read_npz(path)\n"
     "splits = (x[:-5000], y[:-5000]), (x[-5000:], y[-5000:])"),
    ("common.py", "IMDB_TRAIN, ", "IMDB_TRAIN, TOY_TRAIN, TOY_TEST = 20_000, 25_000, 2_000"),
)  # fmt: skip
FEWER = (("common.py", "splits = ",  # not trained on those 5,000 either, and tested as ever
          "(x, y), test = read_npz(path)\nsplits = (x[:-5000], y[:-5000]), test"),)  # fmt: skip
HOLD = ((f"{BASELINE}.py", "adam = ",
         "adam = keras.optimizers.Adam(args.learning_rate, clipnorm=args.clipnorm)"),)  # fmt: skip
HALF_THE_TIME = "--epochs 2 --learning-rate 0.003"
RUN_OF = {  # script and flags, the quickest first
    "averaging": (BASELINE, ""),
    "averaging, pairs": (BASELINE, "--bigrams"),
    "SimpleRNN": ("rnn_layer_imdb", ""),
    "LSTM": ("lstm_imdb", ""),
    "GRU": ("gru_imdb", ""),
}


def one_layer(script):
    """The lines that leave out the first of a script's two layers."""
    return (f"{script}.py", "self.rnn_1 =", ""), (f"{script}.py", "x = self.rnn_1(", "")


def begin(script, b):
    """The lines of an LSTM (GRU) whose b_f (b_z) begins, in both layers, at b, not at 1 (0)."""
    blocks = f"[[{b}, 0.0, 0.0], [0.0, 0.0, 0.0]]"  # z, r, g, on the side of x and of h
    if script == "lstm_imdb":
        blocks = f"[0.0, {b - 1}, 0.0, 0.0]"  # i, f, g, o
    start = "model.build((None, common.MAX_REVIEW_LEN))"
    add = f"    layer.cell.bias.assign_add(keras.ops.repeat({blocks}, args.units, axis=-1))"
    return ((f"{script}.py", start, f"{start}\nfor layer in (model.rnn_1, model.rnn_2):\n{add}"),)


# Tried on the held-out reviews: rate, epochs, layers (0: the model has none). tables.grid has a
# column for each rate.
RATES, EPOCHS = ("0.0005", "0.001", "0.002", "0.003"), (2, 3, 4)
GRID = {
    model: list(itertools.product(RATES, EPOCHS, (1, 2) if model in NETWORKS.values() else (0,)))
    for model in RUN_OF
}
LOW = ("0.001", 4, 0)  # the baseline's, beside a falling rate and a held one in the table of rates
BEST = {  # the best three of seed 0, which have more seeds; the first: best mean of seeds 0 to 2
    "averaging": [("0.003", 4, 0), ("0.003", 3, 0), ("0.002", 4, 0)],
    "averaging, pairs": [("0.003", 4, 0), ("0.003", 3, 0), ("0.002", 4, 0)],
    "SimpleRNN": [("0.001", 4, 1), ("0.001", 3, 1), ("0.001", 4, 2)],
    "LSTM": [("0.002", 2, 2), ("0.002", 2, 1), ("0.002", 3, 2)],
    "GRU": [("0.003", 4, 1), ("0.002", 2, 2), ("0.003", 2, 1)],
}


def setting(model, rate, epochs, layers):
    """A setting of GRID as flags and changed lines."""
    script, flags = RUN_OF[model]
    lines = one_layer(script) if layers == 1 else ()
    return f"{flags} --learning-rate {rate} --epochs {epochs}", lines


def held_out(model, rate, epochs, layers=0, lines=(), seeds=1):
    """A setting tried on held-out training reviews."""
    depth = f", {layers} layers" if layers else ""
    name = f"held out: {model}{depth}, rate {rate}, {epochs} epochs"
    flags, changed = setting(model, rate, epochs, layers)
    return Experiment(name, RUN_OF[model][0], flags, "", lines + HELD_OUT + changed, seeds=seeds)


def chosen_alike(model, n, seeds):
    """The setting that was chosen on held-out reviews of 80 words, tested at n words."""
    flags, changed = setting(model, *BEST[model][0])
    name = f"chosen alike: {model}" if n == 80 else f"chosen alike, {n} words: {model}"
    changed += () if n == 80 else (words(n),)
    return Experiment(name, RUN_OF[model][0], flags, lines=changed, seeds=seeds)


EXPERIMENTS = (
    *(Experiment("as it is", script, seeds=10) for script in SCRIPTS),
    *(Experiment("toy", script, data="toy") for script in (BASELINE, *SCRIPTS)),
    Experiment("exercise 1", "rnn_layer_imdb", "--clipnorm 0"),
    Experiment("exercise 3", "lstm_imdb", patch="03-one-layer"),
    Experiment("exercise 4", "lstm_imdb", patch="04-200-words"),
    Experiment("exercise 5", "lstm_imdb", patch="05-both-directions"),
    Experiment("exercise 6", "lstm_imdb", patch="06-mask"),
    Experiment("exercise 7", "lstm_imdb", patch="07-first-80-words"),
    Experiment("exercise 8", "gru_imdb", "--units 32"),
    Experiment("exercise 9", "rnn_layer_imdb", patch="09-hold-the-rate"),
    Experiment("exercise 10", "rnn_cell_imdb", patch="10-lstm-by-hand"),
    Experiment("exercise 11", "lstm_imdb", patch="11-pool-over-time"),
    Experiment("exercise 12", BASELINE),
    Experiment("exercise 12, pairs", BASELINE, "--bigrams"),
    Experiment("exercise 13", "lstm_imdb", "--epochs 6", data="first"),
    Experiment("exercise 14", "lstm_imdb", patch="14-open-forget-gate"),
    Experiment("exercise 15", "rnn_cell_imdb", patch="15-min-gru"),
    Experiment(
        "exercise 15, first word", "rnn_cell_imdb", "--epochs 6", "15-min-gru", data="first"
    ),
    *(Experiment("exercise 16", script, HALF_THE_TIME) for script in SCRIPTS),
    *(
        Experiment(f"exercise 16, {flag}", "rnn_layer_imdb", f"{HALF_THE_TIME} {flag}")
        for flag in ("--clipnorm 0", "--clipnorm 0.05")
    ),
    Experiment("exercise 17", "lstm_imdb", patch="17-two-classes"),
    Experiment("exercise 18", "lstm_imdb", patch="18-best-epoch"),
    Experiment("exercise 18, up to ten epochs", "lstm_imdb", "--epochs 10", "18-best-epoch"),
    Experiment("exercise 18, the last of four", "lstm_imdb", lines=FEWER),
    Experiment("exercise 19", "lstm_imdb", patch="19-attention"),
    Experiment("exercise 19, 200 words", "lstm_imdb", "", "19-attention", (words(200),), seeds=2),
    *(
        Experiment(f"{n} words: {model}", *run, lines=(words(n),), seeds=3)
        for model, run in RUN_OF.items()
        for n in (40, 200, 320)
        if (model, n) != ("LSTM", 200)  # which is exercise 4
    ),
    *(
        held_out(model, *each, seeds=5 if each in BEST[model] else 3 if each == LOW else 1)
        for model in RUN_OF
        for each in GRID[model]
    ),
    # beyond the grid, for the table of rates
    *(held_out(model, "0.01", 4, seeds=3) for model in ("averaging", "averaging, pairs")),
    *(
        held_out(model, "0.001", 4, lines=HOLD, seeds=3)._replace(
            name=f"held out: {model}, 0.001 held"
        )
        for model in ("averaging", "averaging, pairs")
    ),
    # of the baseline it is exercise 12, whose rate was chosen so from the first
    *(
        chosen_alike(model, n, seeds)
        for n, seeds in ((80, 5), (40, 2), (200, 2), (320, 1))
        for model in NETWORKS.values()
    ),
    *(Experiment(f"b_f = {b}", "lstm_imdb", lines=begin("lstm_imdb", b)) for b in (1.5, 2, 2.5)),
    *(Experiment(f"b_z = {b}", "gru_imdb", lines=begin("gru_imdb", b), seeds=3) for b in (1, 2, 3)),
    *(
        Experiment(f"exercise 14, {flag}", "lstm_imdb", flag, "14-open-forget-gate", seeds=3)
        for flag in ("--clipnorm 0.05", "--clipnorm 0.01")
    ),
    Experiment("subset", "lstm_imdb", "--subset 3000 --epochs 2"),
    Experiment("subset of the toy", "lstm_imdb", "--subset 3000", data="toy"),
)
KEPT = "as it is", "toy"  # other programs read the weights of these, seeds 0 to 4


def run(experiment, seed, data, runs):
    """Run an experiment with one seed -> its row of the CSV; if it is of KEPT, its files stay."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        copies.copy_scripts(folder, experiment.patch, experiment.lines)
        path = folder / "run"
        if experiment.name in KEPT:
            path = saved(runs.absolute(), experiment.name, experiment.script, seed)
        if experiment.data != "imdb":
            data = experiment.data
        if data == "first":
            data = folder / "first.npz"
            made_up.write_npz("first", 80, data)
        flags = ["--data", data, "--seed", str(seed), *experiment.flags.split()]
        flags += ["--save", f"{path}.weights.h5", "--log", f"{path}.csv"]
        command = [sys.executable, folder / f"{experiment.script}.py", *flags]
        options = dict(cwd=folder, encoding="utf-8")  # exercise 18 leaves a file where it runs
        out = subprocess.run(command, check=True, stdout=subprocess.PIPE, **options).stdout
        last = LAST_LINE.fullmatch(out.splitlines()[-1])
        with open(f"{path}.csv", newline="", encoding="utf-8") as file:
            losses = [float(epoch["val_loss"]) for epoch in csv.DictReader(file)]
    fields = {"experiment": experiment.name, "best_epoch": losses.index(min(losses)) + 1}
    fields |= {"machine": records.machine(), **last.groupdict()}
    return [str(fields[column]) for column in HEAD]


def chosen(args, rows):
    """The runs (experiment, seed) that are to be made: those that lack a row, or weights."""
    for experiment in EXPERIMENTS:
        for seed in range(experiment.seeds):
            key = experiment.name, Path(experiment.script).name, str(seed)
            lacks = experiment.name in KEPT and not Path(weights(args.runs, *key)).exists()
            missing = key not in rows or (lacks and seed in SEEDS)
            if experiment.name.startswith(args.only) and (missing or args.again):
                yield experiment, seed


def main(argv=None):
    command = parser(__doc__)
    command.add_argument("--data", type=os.path.abspath, metavar="NPZ", required=True)
    command.add_argument("--runs", type=Path, metavar="FOLDER", required=True, help="is kept")
    command.add_argument("--only", default="", metavar="NAME", help="those whose name begins so")
    command.add_argument("--again", action="store_true", help="compare with the CSV, write nothing")
    args = command.parse_args(argv)
    args.runs.mkdir(exist_ok=True)
    rows = records.finished(CSV, HEAD, 3)  # by experiment, script and seed
    for experiment, seed in chosen(args, rows):
        row = run(experiment, seed, args.data, args.runs)
        old = rows.get(tuple(row[:3]))
        if old is None and not args.again:
            records.append(CSV, [row])
        print(*row[:7], "before: " + " ".join(old[3:7]) if old else "", flush=True)


if __name__ == "__main__":
    main()
