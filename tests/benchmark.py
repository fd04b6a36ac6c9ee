"""What a default run of each script costs, and against what.

    python tests/benchmark.py --data imdb.npz                     # every script alone
    python tests/benchmark.py --against imdb.npz --peers peers.py  # in turn with others
    python tests/benchmark.py --growth                            # by length, units, batch

Absolute times drift, so only ratios of runs that alternated are worth quoting. A peer is a program
called as `PYTHON PEERS --peer NAME --model MODEL --npz FILE`; give the one that has PyTorch its own
interpreter with --torch-python.
"""

import argparse
import importlib
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = ("rnn_cell_imdb", "rnn_layer_imdb", "lstm_imdb", "gru_imdb")


def middle(values):
    """Median and range of seconds, as text."""
    return f"{statistics.median(values):8.3f} [{min(values):.3f} .. {max(values):.3f}]"


def inside(name, flags):
    """In this process: run one script's main() and print where its time goes."""
    started = time.perf_counter()
    sys.path.insert(0, str(ROOT))
    script = importlib.import_module(name)
    common, keras = script.common, script.keras
    rows = {"import": time.perf_counter() - started}
    steps, evaluations = [], []

    class Clock(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            self.step = time.perf_counter()

        def on_train_batch_end(self, batch, logs=None):
            steps.append(time.perf_counter() - self.step)
            rows.setdefault("launch to first finished step", time.perf_counter() - started)

        def on_test_begin(self, logs=None):
            self.evaluation = time.perf_counter()

        def on_test_end(self, logs=None):
            evaluations.append(time.perf_counter() - self.evaluation)

    load, fit = common.load_arrays, keras.Model.fit

    def timed_load(args):
        begin = time.perf_counter()
        arrays = load(args)
        rows["load and pad the data"] = time.perf_counter() - begin
        return arrays

    common.load_arrays = timed_load
    keras.Model.fit = lambda self, *a, callbacks, **k: fit(
        self, *a, callbacks=[*callbacks, Clock()], **k
    )
    script.main(flags)
    rows["whole run"] = time.perf_counter() - started
    print(f"\n{name} {' '.join(flags)}")
    for label, seconds in rows.items():
        print(f"  {label:<30} {seconds:8.3f} s")
    print(f"  {'training step':<30} {middle(steps[1:])} s")
    print(f"  {'evaluation':<30} {middle(evaluations[1:] or evaluations)} s")
    try:
        import resource  # not on Windows

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10  # KiB on Linux
        print(f"  {'peak memory':<30} {peak:8.0f} MiB")
    except ImportError:
        pass


def whole(command):
    """Run a command to its end and return the seconds it took."""
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - started


def against(args, names):
    """Run each script and its peers in turn and print the ratios of the medians."""
    for name in names:
        model = name.removesuffix("_imdb")
        commands = {name: [sys.executable, ROOT / f"{name}.py", "--data", args.against]}
        for peer in args.peer:
            python = args.torch_python if peer == "torch" else sys.executable
            commands[peer] = [python, args.peers, "--peer", peer, "--model", model]
            commands[peer] += ["--npz", args.against]
        seconds = {who: [] for who in commands}
        for _ in range(args.rounds):
            for who, command in commands.items():
                seconds[who].append(whole(command))
        own = statistics.median(seconds[name])
        for who, values in seconds.items():
            ratio = "" if who == name else f"   ratio {own / statistics.median(values):.2f}"
            pairs = [a / b for a, b in zip(seconds[name], values)]
            spread = "" if who == name else f" (pairs {min(pairs):.2f} .. {max(pairs):.2f})"
            print(f"{name} {who:<15} {middle(values)} s{ratio}{spread}", flush=True)


def growth(args, names):
    """Print the seconds of a training step by length, units and batch size."""
    for name in names:
        for words, units, batch in (
            (80, 64, 128), (40, 64, 128), (160, 64, 128), (80, 32, 128), (80, 128, 128),
            (80, 64, 64), (80, 64, 256),
        ):  # fmt: skip
            code = (
                "import time, sys, numpy as np, common, importlib; "
                f"script = importlib.import_module({name!r}); "
                "common.tf.config.threading.set_intra_op_parallelism_threads(1); "
                f"model = script.SentimentClassifier({units}); model.build((None, {words})); "
                "model.compile('adam', 'binary_crossentropy', jit_compile=False); "
                "model.optimizer.build(model.trainable_variables); "
                f"x = np.random.RandomState(0).randint(0, 10000, ({batch}, {words})); "
                f"y = np.arange({batch}) % 2; model.train_on_batch(x, y); times = []\n"
                "for _ in range(40):\n"
                "    t = time.perf_counter(); model.train_on_batch(x, y)\n"
                "    times.append(time.perf_counter() - t)\n"
                "print(sorted(times)[20])"
            )
            out = subprocess.run(
                [sys.executable, "-c", code],
                check=True, capture_output=True, encoding="utf-8",
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            ).stdout  # fmt: skip
            ms = 1000 * float(out.split()[-1])
            print(f"{name} words {words} units {units} batch {batch}: {ms:.1f} ms a step")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", default="toy", help="for the runs alone (default: toy)")
    parser.add_argument("--against", metavar="NPZ", help="run peers in turn on this imdb.npz")
    parser.add_argument("--peers", default=ROOT.parent / "shared/bench/peers.py", metavar="FILE")
    parser.add_argument("--peer", nargs="+", choices=("blog", "torch"), default=("blog", "torch"))
    parser.add_argument("--torch-python", default=sys.executable, metavar="PYTHON")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scripts", nargs="+", choices=SCRIPTS, default=SCRIPTS)
    parser.add_argument("--growth", action="store_true", help="cost by length, units and batch")
    parser.add_argument("--inside", choices=SCRIPTS, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.inside:
        inside(args.inside, ["--data", args.data])
    elif args.against:
        against(args, args.scripts)
    elif args.growth:
        growth(args, args.scripts)
    else:
        for name in args.scripts:  # each in a process of its own: imports and memory start anew
            command = [sys.executable, __file__, "--inside", name, "--data", args.data]
            out = subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout
            print(out[out.rindex(f"\n{name} ") :], flush=True)


if __name__ == "__main__":
    main()
