"""What a default run of each script costs, and what a training step costs by its sizes.

    python -m docs.measure.benchmark --data imdb.npz --csv docs/measure/costs.csv
    python -m docs.measure.benchmark --growth                  # a step by length, units and batch

Leave the machine alone meanwhile. Absolute times drift, so only ratios of runs that alternated are
worth quoting.
"""

import importlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from docs.measure import copies, flags, records
from docs.measure.names import ROOT, SCRIPTS

HEAD = ("script", "first_step_s", "step_ms", "scoring_s", "whole_s")
ROUNDS = 3
SIZES = {"words": (80, 40, 160), "units": (64, 32, 128), "batch": (128, 64, 256)}


# ------------------------------------------------------------------------------------- whole runs
def with_clock(script):
    """The lines that put a Clock into a script's fit()."""
    start = "train, validation_data=test, epochs=args.epochs, callbacks=["
    clock = f"{start}record, clock.Clock()], verbose=common.BAR"
    name = f"{script}.py"
    return (name, "import keras", "import clock\nimport keras"), (name, start, clock)


def run(script, data):
    """Run a script with its default settings -> a row of costs.csv, but for the script."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        copies.copy_scripts(folder, lines=with_clock(script))
        shutil.copy(ROOT / "docs/measure/clock.py", folder)
        command = [sys.executable, folder / f"{script}.py", "--data", data]
        environment = {**os.environ, "CLOCK": str(folder / "clock.json")}
        started = time.time()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
        whole = time.time() - started
        times = json.loads((folder / "clock.json").read_text(encoding="utf-8"))
    step, scoring = median(times["steps"][1:]), median(times["scorings"])  # the first one traces
    return times["first_step"] - started, 1000 * step, scoring, whole


def whole_runs(data, path):
    """Run every script in turn, print where the time goes, and write each run as a row of a CSV."""
    runs = {script: [] for script in SCRIPTS}
    for _ in range(ROUNDS):
        for script, costs in runs.items():
            costs.append(run(script, data))
    for script, costs in runs.items():
        for name, numbers in zip(HEAD[1:], zip(*costs)):
            low, high = min(numbers), max(numbers)
            print(f"{script} {name}: {median(numbers):.4g} ({low:.4g} to {high:.4g})")
    if path:
        path.unlink(missing_ok=True)
        rows = [(script, *(f"{n:.4g}" for n in row)) for script in SCRIPTS for row in runs[script]]
        records.append(path, [HEAD, *rows])


# ----------------------------------------------------------------------------------------- a step
def step_ms(script, words, units, batch):
    """The median milliseconds of sixty training steps of a script's network."""
    import common  # here, for it takes threads from the scripts' runs
    import numpy as np

    common.keras.backend.clear_session()
    model = importlib.import_module(script).SentimentClassifier(units)
    model.build((None, words))
    adam = common.keras.optimizers.Adam(clipnorm=0.25)
    model.compile(adam, "binary_crossentropy", jit_compile=False)
    x = np.random.RandomState(0).randint(0, common.TOTAL_WORDS, (batch, words))
    y, seconds = np.arange(batch) % 2, []
    model.train_on_batch(x, y)  # traces
    for _ in range(60):
        started = time.perf_counter()
        model.train_on_batch(x, y)
        seconds.append(time.perf_counter() - started)
    return 1000 * median(seconds)


def sizes():
    """The scripts' own sizes, and each other one of SIZES with the scripts' own of the others."""
    own = {name: values[0] for name, values in SIZES.items()}
    return [own] + [{**own, name: n} for name, values in SIZES.items() for n in values[1:]]


def growth():
    """Print the milliseconds of a training step by length, units and batch size."""
    for script in SCRIPTS:
        for size in sizes():
            text = " ".join(f"{name} {n}" for name, n in size.items())
            print(f"{script} {text}: {step_ms(script, **size):.1f} ms", flush=True)


def main(argv=None):
    parser = flags.parser(__doc__)
    parser.add_argument("--data", default="toy", metavar="NPZ", help="for whole runs (%(default)s)")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="for whole runs: a row for each")
    parser.add_argument("--growth", action="store_true", help="a step by length, units and batch")
    args = parser.parse_args(argv)
    if args.growth:
        growth()
    else:
        whole_runs(args.data, args.csv)


if __name__ == "__main__":
    main()
