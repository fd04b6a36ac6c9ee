"""What a default run of each script costs, and against what.

    python docs/measure/benchmark.py --data imdb.npz --csv docs/measure/costs.csv
    python docs/measure/benchmark.py --against imdb.npz --peers peers.py  # in turn with others
    python docs/measure/benchmark.py --growth                             # by length, units, batch

Leave the machine alone meanwhile. Absolute times drift, so only ratios of runs that alternated are
worth quoting. A peer is a program called as `PYTHON PEERS --peer NAME --model MODEL --npz FILE`
whose last line is JSON with first_step_s, peak_mib and test_accuracy; give the one that has PyTorch
its own interpreter with --torch-python.
"""

import argparse
import csv
import importlib
import json
import os
import statistics
import subprocess
import sys
import time

from tables import COSTS, ROOT, SCRIPTS


def inside(name, flags):
    """Run one script's main() in this process and print as JSON where its seconds go."""
    started = time.perf_counter()
    sys.path.insert(0, str(ROOT))
    script = importlib.import_module(name)
    common, keras = script.common, script.keras
    row = {"import_s": time.perf_counter() - started, "steps_s": [], "evaluations_s": []}

    class Clock(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            self.step = time.perf_counter()

        def on_train_batch_end(self, batch, logs=None):
            row["steps_s"].append(time.perf_counter() - self.step)
            row.setdefault("first_step_s", time.perf_counter() - started)

        def on_test_begin(self, logs=None):
            self.evaluation = time.perf_counter()

        def on_test_end(self, logs=None):
            row["evaluations_s"].append(time.perf_counter() - self.evaluation)

        def on_epoch_end(self, epoch, logs):
            row["test_accuracy"] = logs["val_accuracy"]

    load, fit = common.read_npz, keras.Model.fit

    def timed_load(path):
        begin = time.perf_counter()
        arrays = load(path)
        row["load_s"] = time.perf_counter() - begin
        return arrays

    common.read_npz = timed_load
    keras.Model.fit = lambda self, *a, callbacks, **k: fit(
        self, *a, callbacks=[*callbacks, Clock()], **k
    )
    script.main(flags)
    try:
        import resource  # not on Windows

        row["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10  # KiB on Linux
    except ImportError:
        row["peak_mib"] = float("nan")
    print(json.dumps(row), flush=True)


def whole(command):
    """Run a command and return the JSON of its last line, with the seconds up to it in total_s."""
    started = time.perf_counter()
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        for line in process.stdout:
            last, seconds = line, time.perf_counter() - started
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return {**json.loads(last), "total_s": seconds}


def own(name, data):
    """The command that runs a script with its default settings and measures it."""
    return [sys.executable, __file__, "--inside", name, "--data", str(data)]


def middle(values):
    """Median and range of seconds, as text."""
    return f"{statistics.median(values):8.3f} s [{min(values):.3f} .. {max(values):.3f}]"


def alone(args):
    """Run every script in turn, print where the time goes, and write each run as a row of a CSV."""
    runs = {name: [] for name in args.scripts}
    for _ in range(args.rounds):
        for name in args.scripts:
            row = whole(own(name, args.data))
            row["step_ms"] = 1000 * statistics.median(row["steps_s"][1:])
            row["scoring_s"] = statistics.median(row["evaluations_s"])
            runs[name].append({"script": name, "whole_s": row["total_s"], **row})
    for name, rows in runs.items():
        print(f"\n{name} --data {args.data}: test accuracy {rows[0]['test_accuracy']:.4f}")
        for label, key in (
            ("import", "import_s"),
            ("load and pad the data", "load_s"),
            ("launch to first step's end", "first_step_s"),
            ("scoring the test reviews", "scoring_s"),
            ("whole run", "whole_s"),
        ):
            print(f"  {label:<27} {middle([row.get(key, float('nan')) for row in rows])}")
        steps = [step for row in rows for step in row["steps_s"][1:]]
        print(f"  {'a training step':<27} {middle(steps)}")
        peak = max(row["peak_mib"] for row in rows)
        print(f"  {'peak memory':<27} {peak:8.0f} MiB", flush=True)
    if args.csv:
        with open(args.csv, "w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["script", *COSTS])
            for row in sum(runs.values(), []):
                writer.writerow([row["script"], *(f"{row[column]:.4g}" for column in COSTS)])


def against(args):
    """Run each script and its peers in turn and print the ratios of the medians."""
    for name in args.scripts:
        commands = {name: own(name, args.against)}
        for peer in args.peer:
            python = args.torch_python if peer == "torch" else sys.executable
            commands[peer] = [python, args.peers, "--peer", peer, "--npz", args.against]
            commands[peer] += ["--model", name.removesuffix("_imdb")]
        rows = {who: [] for who in commands}
        for _ in range(args.rounds):
            for who, command in commands.items():
                rows[who].append(whole(command))
        print(f"\n{name}, {args.rounds} rounds", flush=True)
        for who in rows:
            for label, key in (("whole run", "total_s"), ("launch to first step", "first_step_s")):
                mine, theirs = ([row[key] for row in rows[x]] for x in (name, who))
                text = f"  {who:<15} {label:<21} {middle(theirs)}"
                if who != name:
                    ratio = statistics.median(mine) / statistics.median(theirs)
                    pairs = [a / b for a, b in zip(mine, theirs)]
                    text += f"   ratio {ratio:.2f} (pairs {min(pairs):.2f} .. {max(pairs):.2f})"
                print(text)
            accuracy = " ".join(f"{row['test_accuracy']:.4f}" for row in rows[who])
            peak = max(row["peak_mib"] for row in rows[who])
            print(f"  {who:<15} test accuracy {accuracy}; peak {peak:.0f} MiB", flush=True)


def loading(args):
    """Time read_npz against Keras's own loader with pad_sequences, in turn, on the same file."""
    start = f"import sys, time; sys.path.insert(0, {str(ROOT)!r}); path = {args.against!r}; "
    # Keras takes only the file it downloads itself; here it is handed this one.
    keras = (
        "from tensorflow import keras; import inspect; imdb = keras.datasets.imdb.load_data; "
        "inspect.unwrap(imdb).__globals__['get_file'] = lambda *a, **k: path; "
        "t = time.perf_counter(); "
        "[keras.utils.pad_sequences(x, 80) for x, y in imdb(num_words=10_000)]; "
    )
    own = "import common; t = time.perf_counter(); common.read_npz(path); "
    stop = "print(time.perf_counter() - t)"
    seconds = {"common.read_npz": [], "load_data + pad_sequences": []}
    for _ in range(args.rounds):
        for values, code in zip(seconds.values(), (own, keras)):
            out = subprocess.run(
                [sys.executable, "-c", start + code + stop], check=True, capture_output=True
            )
            values.append(float(out.stdout))
    print()
    for who, values in seconds.items():
        print(f"{who:<26} {middle(values)}")
    mine, theirs = map(statistics.median, seconds.values())
    print(f"ratio {mine / theirs:.2f}")


def growth(names):
    """Print the milliseconds of a training step by length, units and batch size."""
    for name in names:
        for words, units, batch in (
            (80, 64, 128), (40, 64, 128), (160, 64, 128), (80, 32, 128), (80, 128, 128),
            (80, 64, 64), (80, 64, 256),
        ):  # fmt: skip
            code = (
                "import time, common, numpy as np; "
                f"import {name} as script; "
                f"args = common.parse_args(script.__file__, ['--data', 'toy']); "
                f"model = script.SentimentClassifier({units}); "
                f"model.build((None, {words})); "
                "adam = common.keras.optimizers.Adam(clipnorm=0.25); "
                "model.compile(adam, 'binary_crossentropy', jit_compile=False); "
                "model.optimizer.build(model.trainable_variables); "
                f"x = np.random.RandomState(0).randint(0, 10000, ({batch}, {words})); "
                f"y = np.arange({batch}) % 2; model.train_on_batch(x, y); times = []\n"
                "for _ in range(60):\n"
                "    t = time.perf_counter(); model.train_on_batch(x, y)\n"
                "    times.append(time.perf_counter() - t)\n"
                "print(sorted(times)[30])"
            )
            out = subprocess.run(
                [sys.executable, "-c", code],
                check=True, capture_output=True, encoding="utf-8",
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            ).stdout  # fmt: skip
            ms = 1000 * float(out.split()[-1])
            print(f"{name} words {words} units {units} batch {batch}: {ms:.1f} ms", flush=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", default="toy", help="for the runs alone (default: toy)")
    parser.add_argument("--csv", metavar="FILE", help="for the runs alone: a row for each")
    parser.add_argument("--against", metavar="NPZ", help="run peers in turn on this imdb.npz")
    parser.add_argument("--peers", metavar="FILE", help="for --against")
    parser.add_argument("--peer", nargs="+", choices=("blog", "torch"), default=("blog", "torch"))
    parser.add_argument("--torch-python", default=sys.executable, metavar="PYTHON")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="runs of each (3)")
    parser.add_argument("--scripts", nargs="+", choices=SCRIPTS, default=SCRIPTS)
    parser.add_argument("--growth", action="store_true", help="cost by length, units and batch")
    parser.add_argument("--inside", choices=SCRIPTS, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.against and not args.peers:
        parser.error("--against needs --peers")
    if args.inside:
        inside(args.inside, ["--data", args.data])
    elif args.against:
        loading(args)
        against(args)
    elif args.growth:
        growth(args.scripts)
    else:
        alone(args)


if __name__ == "__main__":
    main()
