"""Why an LSTM learns IMDB although its gradient vanishes at the start: first_epoch.csv.

    python -m docs.measure.first_epoch --data imdb.npz

The mean gradient at every tenth word after each tenth of the first epoch of lstm_imdb.py, and the
score after that epoch, seeds 0 to 4. Does learning begin at the end and work back? The control:
reviews that have hints in their first 20 places or in their last 20 only, because in the other 60
stand the words of another review, drawn at random; seeds 0 to 2. What the CSV has is not run again.
"""

import common
import keras
import numpy as np
from docs.measure import flags, networks, records
from docs.measure.names import ROOT, SEEDS

CSV = ROOT / "docs/measure/first_epoch.csv"
HEAD = ("hints", "seed", "quantity", "value", "machine")
HINTS = {"everywhere": slice(0, 80), "first 20": slice(0, 20), "last 20": slice(60, 80)}  # places
EPOCHS, TENTHS = 4, 10
AT = (1, 11, 21, 31, 41, 51, 61, 71, 80)  # words whose gradient is noted


class Gradient(keras.callbacks.Callback):
    """Notes the mean norm of d loss / d x_t of some reviews, and ends the run after an epoch.

    rows: [(quantity, value)], at the start and after each tenth of the epoch's steps.
    """

    def __init__(self, x, y):
        super().__init__()
        self.x, self.y, self.rows = x, y, []

    def measure(self, tenth):
        norms = networks.gradient_norms(self.model, self.x, self.y).mean(axis=0)
        self.rows += [(f"gradient {n} after {tenth} tenths", norms[n - 1]) for n in AT]

    def on_train_begin(self, logs=None):
        steps = self.params["steps"]
        self.at = {round(steps * tenth / TENTHS): tenth for tenth in range(1, TENTHS + 1)}
        self.measure(0)

    def on_train_batch_end(self, batch, logs=None):
        if batch + 1 in self.at:
            self.measure(self.at[batch + 1])

    def on_epoch_end(self, epoch, logs=None):
        self.model.stop_training = True


def mix(x, places, rng):
    """Reviews [n, 80] that are themselves in some places, and in the others a random other one."""
    mixed = x[rng.permutation(len(x))]
    mixed[:, places] = x[:, places]
    return mixed


def train(hints, seed, splits):
    """Train for the first of the script's four epochs -> the gradients and the score, as rows."""
    rng = np.random.RandomState(seed)
    splits = [(mix(x, HINTS[hints], rng), y) for x, y in splits]
    gradient = Gradient(*networks.filled(splits[1], 512))
    model = networks.load("lstm_imdb", seed)
    history = networks.train(model, splits, seed, 0.001, EPOCHS, [gradient])
    yield from gradient.rows
    for name in "accuracy", "loss":
        yield f"{name} 1", history[f"val_{name}"][0]


def main(argv=None):
    splits = common.read_npz(flags.parse(__doc__, argv, "data").data)
    keys = [("everywhere", seed) for seed in SEEDS]
    keys += [(hints, seed) for seed in SEEDS[:3] for hints in ("last 20", "first 20")]
    records.complete(CSV, HEAD, keys, lambda hints, seed: train(hints, seed, splits))


if __name__ == "__main__":
    common.run(main)
