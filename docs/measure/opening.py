"""Why an LSTM learns IMDB although its gradient vanishes at the start: docs/measure/opening.csv.

    python docs/measure/opening.py --data imdb.npz

The mean gradient at every tenth word after each tenth of the first epoch of lstm_imdb.py, and the
score after that epoch, seeds 0 to 4. What the CSV has is not run again.
"""

import argparse
from pathlib import Path

import inside  # first: it finds common

import common
import keras
import numpy as np

CSV = inside.ROOT / "docs/measure/opening.csv"
HEAD = ("seed", "quantity", "value")
EPOCHS, TENTHS = 4, 10
AT = (1, 11, 21, 31, 41, 51, 61, 71, 80)  # words whose gradient is noted


class Gradient(keras.callbacks.Callback):
    """Notes the mean norm of d loss / d x_t of some test reviews while the first epoch runs."""

    def __init__(self, x, y, steps, note):
        super().__init__()
        self.x, self.y, self.note = x, y, note
        self.at = {round(steps * tenth / TENTHS): tenth for tenth in range(TENTHS + 1)}
        self.step = 0

    def measure(self):
        if self.step in self.at:
            norms = inside.gradient_norms(self.model, self.x, self.y).mean(axis=0)
            for word in AT:
                self.note(f"gradient {word} after {self.at[self.step]} tenths", norms[word - 1])

    def on_train_begin(self, logs=None):
        self.measure()

    def on_train_batch_end(self, batch, logs=None):
        self.step += 1
        self.measure()


def train(seed, splits, note):
    """Train for the first of the script's four epochs, and note the gradients and the score."""
    model = inside.load("lstm_imdb", seed)
    train, test = common.make_datasets(*splits, 128, seed)
    _, (x, y) = splits
    chosen = np.flatnonzero(x[:, 0] != common.PAD)[:512]
    gradient = Gradient(x[chosen], y[chosen], len(train), note)
    told = inside.fit(model, (train, test), 1, inside.falling(0.001, EPOCHS, train), [gradient])
    for name in "accuracy", "loss":
        note(f"{name} 1", told[f"val_{name}"][0])


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, metavar="NPZ", required=True)
    splits = common.read_npz(parser.parse_args().data)
    finished = inside.finished(CSV, HEAD, 1)
    for seed in inside.SEEDS:
        if (str(seed),) in finished:
            continue
        rows = []
        train(seed, splits, lambda *what, rows=rows: rows.append(what))
        inside.append(CSV, ((seed, what, f"{value:.5g}") for what, value in rows))
        keras.backend.clear_session()
        print(seed, rows[-2:], flush=True)


if __name__ == "__main__":
    common.run(main)
