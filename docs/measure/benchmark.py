"""What a default run of each script costs, and what a training step costs by its sizes.

    python -m docs.measure.benchmark --data imdb.npz --csv docs/measure/costs.csv
    python -m docs.measure.benchmark --growth                  # a step by length, units and batch
    python -m docs.measure.benchmark --growth --words 80 160 --units 64 --batch 128

Leave the machine alone meanwhile. Absolute times drift, so only ratios of runs that alternated are
worth quoting.
"""

import importlib
import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from docs.measure import copies, flags, records
from docs.measure.names import ROOT, SCRIPTS

HEAD = ("script", "first_step_s", "step_ms", "scoring_s", "whole_s")
WORDS, UNITS, BATCH = (80, 40, 160), (64, 32, 128), (128, 64, 256)  # the scripts' own first


# ------------------------------------------------------------------------------------- whole runs
def with_clock(script):
    """The lines that put a Clock into a script's fit()."""
    start = "train, validation_data=test, epochs=args.epochs, callbacks=["
    clock = f"{start}record, clock.Clock()], verbose=common.BAR"
    name = f"{script}.py"
    return (name, "import keras", "import clock\nimport keras"), (name, start, clock)


def run(script, data):
    """Run a script with its default settings -> where the seconds go."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        copies.copy_scripts(folder, lines=with_clock(script))
        shutil.copy(ROOT / "docs/measure/clock.py", folder)
        command = [sys.executable, folder / f"{script}.py", "--data", data]
        environment = {**os.environ, "CLOCK": str(folder / "clock.json")}
        started = time.time()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
        ended = time.time()
        times = json.loads((folder / "clock.json").read_text(encoding="utf-8"))
    since_launch = {name: times[name] - started for name in ("imported", "training", "first_step")}
    return {**times, **since_launch, "whole": ended - started}


def costs(script, times):
    """A run as a row of costs.csv."""
    step, scoring = statistics.median(times["steps"][1:]), statistics.median(times["scorings"])
    numbers = times["first_step"], 1000 * step, scoring, times["whole"]
    return (script, *(f"{number:.4g}" for number in numbers))


def middle(seconds):
    """Median and range of seconds, as text."""
    return f"{statistics.median(seconds):8.3f} s [{min(seconds):.3f} .. {max(seconds):.3f}]"


def report(script, runs):
    """Print where the time of a script's runs goes."""
    print(f"\n{script}")
    for label, name in (
        ("launch to TensorFlow there", "imported"),
        ("launch to training", "training"),
        ("launch to first step's end", "first_step"),
        ("whole run", "whole"),
    ):
        print(f"  {label:<27} {middle([times[name] for times in runs])}")
    print(f"  {'a training step':<27} {middle([s for times in runs for s in times['steps'][1:]])}")
    scorings = [seconds for times in runs for seconds in times["scorings"]]
    print(f"  {'scoring the test reviews':<27} {middle(scorings)}")
    print(f"  {'peak memory':<27} {max(times['peak_mib'] for times in runs):8.0f} MiB", flush=True)


def whole_runs(args):
    """Run every script in turn, print where the time goes, and write each run as a row of a CSV."""
    runs = {script: [] for script in args.scripts}
    for _ in range(args.rounds):
        for script, times in runs.items():
            times.append(run(script, args.data))
    for script, times in runs.items():
        report(script, times)
    if args.csv:
        args.csv.unlink(missing_ok=True)
        rows = [costs(script, one) for script, times in runs.items() for one in times]
        records.append(args.csv, [HEAD, *rows])


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
    return 1000 * statistics.median(seconds)


def sizes(words, units, batches):
    """The first of each, and each other one of one of them with the first of the others."""
    first = words[0], units[0], batches[0]
    for size in itertools.product(words, units, batches):
        if sum(a != b for a, b in zip(size, first)) <= 1:
            yield size


def growth(args):
    """Print the milliseconds of a training step by length, units and batch size."""
    for script in args.scripts:
        for words, units, batch in sizes(args.words, args.units, args.batch):
            ms = step_ms(script, words, units, batch)
            print(f"{script} words {words} units {units} batch {batch}: {ms:.1f} ms", flush=True)


def main():
    parser = flags.parser(__doc__)
    add = parser.add_argument
    add("--data", default="toy", metavar="NPZ", help="for the whole runs (%(default)s)")
    add("--csv", type=Path, metavar="FILE", help="for the whole runs: a row for each")
    add("--rounds", type=int, default=3, metavar="N", help="runs of each (3)")
    add("--scripts", nargs="+", choices=SCRIPTS, default=SCRIPTS)
    add("--growth", action="store_true", help="cost of a step by length, units and batch")
    add("--words", type=int, nargs="+", default=WORDS, metavar="N")
    add("--units", type=int, nargs="+", default=UNITS, metavar="N")
    add("--batch", type=int, nargs="+", default=BATCH, metavar="N")
    args = parser.parse_args()
    measure = growth if args.growth else whole_runs
    measure(args)


if __name__ == "__main__":
    main()
