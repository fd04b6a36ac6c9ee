"""Why an LSTM learns IMDB although its gradient vanishes at the start: first_epoch.csv.

    python -m docs.measure.first_epoch --data imdb.npz

The mean gradient at every tenth word after each tenth of the first epoch of lstm_imdb.py, and the
score after that epoch, seeds 0 to 4. Does learning begin at the end and work back? The control:
reviews that have hints in their first 20 places or in their last 20 only, because in the other 60
stand the words of another review, drawn at random; seeds 0 to 2. What the CSV has is not run again.
"""

import argparse

import common
import keras
import numpy as np
from docs.measure import networks, records
from docs.measure.names import ROOT, SEEDS

CSV = ROOT / "docs/measure/first_epoch.csv"
HEAD = ("hints", "seed", "quantity", "value", "machine")
HINTS = {"everywhere": slice(0, 80), "first 20": slice(0, 20), "last 20": slice(60, 80)}  # places
EPOCHS, TENTHS = 4, 10
AT = (1, 11, 21, 31, 41, 51, 61, 71, 80)  # words whose gradient is noted


class Gradient(keras.callbacks.Callback):
    """Notes the mean norm of d loss / d x_t of some test reviews while the first epoch runs.

    rows: [(quantity, value)], at the start and after each tenth of the epoch's steps.
    """

    def __init__(self, x, y, steps):
        super().__init__()
        self.x, self.y, self.rows = x, y, []
        self.at = {round(steps * tenth / TENTHS): tenth for tenth in range(TENTHS + 1)}
        self.step = 0

    def measure(self):
        if self.step in self.at:
            norms = networks.gradient_norms(self.model, self.x, self.y).mean(axis=0)
            tenth = self.at[self.step]
            self.rows += [(f"gradient {n} after {tenth} tenths", norms[n - 1]) for n in AT]

    def on_train_begin(self, logs=None):
        self.measure()

    def on_train_batch_end(self, batch, logs=None):
        self.step += 1
        self.measure()


def mix(x, places, rng):
    """Reviews [n, 80] that are themselves in some places, and in the others a random other one."""
    mixed = x[rng.permutation(len(x))]
    mixed[:, places] = x[:, places]
    return mixed


def train(hints, seed, splits):
    """Train for the first of the script's four epochs -> the gradients and the score, as rows."""
    rng = np.random.RandomState(seed)
    splits = [(mix(x, HINTS[hints], rng), y) for x, y in splits]
    model = networks.load("lstm_imdb", seed)
    train, test = common.make_datasets(*splits, 128, seed)
    _, (x, y) = splits
    filled = networks.filled(x, 512)
    gradient = Gradient(x[filled], y[filled], len(train))
    rate = networks.linear_decay(0.001, EPOCHS, train)
    history = networks.fit(model, (train, test), 1, rate, [gradient])
    keras.backend.clear_session()
    rows = gradient.rows + [
        (f"{name} 1", history[f"val_{name}"][0]) for name in ("accuracy", "loss")
    ]
    return [(*row, records.machine()) for row in rows]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", metavar="NPZ", required=True)
    splits = common.read_npz(parser.parse_args().data)
    keys = [("everywhere", seed) for seed in SEEDS]
    keys += [(hints, seed) for seed in SEEDS[:3] for hints in ("last 20", "first 20")]
    records.complete(CSV, HEAD, keys, lambda hints, seed: train(hints, seed, splits))


if __name__ == "__main__":
    common.run(main)
