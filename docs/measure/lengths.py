"""Score the models at 40, 80, 200 and 320 words, and choose the baseline's rate: lengths.csv.

    python docs/measure/lengths.py --data imdb.npz

Each run is that of a script as it stands, but for common.MAX_REVIEW_LEN. The rates are compared
on training reviews 20,000 to 24,999, by networks trained on the others. What the CSV has is not
run again.
"""

import argparse
import csv
import importlib
import itertools
import tempfile
from pathlib import Path

import inside  # first: it finds common

import common
import keras

CSV = inside.ROOT / "docs/measure/lengths.csv"
HEAD = ("what", "model", "words", "seed", "accuracy")
MODELS = {  # script and flags, the quickest first
    "averaging": ("baseline", []),
    "averaging, pairs": ("baseline", ["--bigrams"]),
    "SimpleRNN": ("rnn_layer_imdb", []),
    "LSTM": ("lstm_imdb", []),
    "GRU": ("gru_imdb", []),
}
SEEDS = 3
RATES = ("falling from 0.001", "falling from 0.003", "falling from 0.01", "held at 0.001")
HELD_OUT, EPOCHS = 5_000, 4


def score(model, words, seed, data):
    """Run a script with so many words of each review: its last test accuracy."""
    script, flags = MODELS[model]
    common.MAX_REVIEW_LEN = words
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log.csv")
        flags = [*flags, "--data", str(data), "--seed", str(seed), "--log", str(log)]
        importlib.import_module(script).main(flags)
        with open(log, newline="") as file:
            return float(list(csv.DictReader(file))[-1]["val_accuracy"])


def held_out(model, rate, seed, split):
    """Train a baseline on all but the last 5,000 training reviews: its accuracy on those."""
    x, y = split
    keras.utils.set_random_seed(seed)
    network = importlib.import_module("baseline").average(bigrams="pairs" in model)
    parts = (x[:-HELD_OUT], y[:-HELD_OUT]), (x[-HELD_OUT:], y[-HELD_OUT:])
    train, test = common.make_datasets(*parts, 128, seed)
    how, start = rate.split()[0], float(rate.split()[-1])
    chosen = inside.falling(start, EPOCHS, train) if how == "falling" else start
    return inside.fit(network, (train, test), EPOCHS, chosen)["val_accuracy"][-1]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, metavar="NPZ", required=True)
    data = parser.parse_args().data
    split, _ = common.read_npz(str(data))
    finished = inside.finished(CSV, HEAD, 4)
    runs = [
        (rate, model, common.MAX_REVIEW_LEN, seed)
        for model, rate, seed in itertools.product(list(MODELS)[:2], RATES, range(SEEDS))
    ]
    runs += [
        ("test", model, words, seed)
        for model, seed, words in itertools.product(MODELS, range(SEEDS), (80, 40, 200, 320))
    ]
    for run in runs:
        if tuple(map(str, run)) in finished:
            continue
        what, model, words, seed = run
        if what == "test":
            found = score(model, words, seed, data)
        else:
            found = held_out(model, what, seed, split)
        inside.append(CSV, [(*run, f"{found:.5f}")])
        keras.backend.clear_session()
        print(*run, found, flush=True)


if __name__ == "__main__":
    common.run(main)
