"""Why an LSTM learns IMDB although its gradient vanishes at the start: docs/measure/opening.csv.

    python docs/measure/opening.py --data imdb.npz

Of some starts of tasks.py: the score on the real IMDB, trained as the scripts train, and the mean
gradient at every tenth word after each tenth of the first epoch. What the CSV has is not run again.
"""

import argparse
import csv
from pathlib import Path

import inside  # first: it finds common
import tasks

import common
import keras
import numpy as np

CSV = inside.ROOT / "docs/measure/opening.csv"
HEAD = ("start", "seed", "quantity", "value")
EPOCHS, TENTHS = 4, 10
AT = (1, 11, 21, 31, 41, 51, 61, 71, 80)  # words whose gradient is noted
RUNS = (("LSTM", 1), ("LSTM b_f = 3", 4))  # start, epochs that are run of the four


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


def train(start, seed, epochs, splits, note):
    """Train one network as the scripts do, and note the gradients and the test scores."""
    model = tasks.begin(start, seed)
    train, test = common.make_datasets(*splits, 128, seed)
    rate = keras.optimizers.schedules.PolynomialDecay(0.001, EPOCHS * len(train), 0.0)
    adam = keras.optimizers.Adam(rate, clipnorm=0.25)
    accuracy = keras.metrics.BinaryAccuracy("accuracy")
    model.compile(adam, loss="binary_crossentropy", metrics=[accuracy], jit_compile=False)
    _, (x, y) = splits
    chosen = np.flatnonzero(x[:, 0] != common.PAD)[:512]
    gradient = Gradient(x[chosen], y[chosen], len(train), note)
    told = model.fit(
        train, validation_data=test, epochs=epochs, callbacks=[gradient], verbose=0
    ).history
    for epoch, values in enumerate(zip(told["val_accuracy"], told["val_loss"]), start=1):
        for name, value in zip(("accuracy", "loss"), values):
            note(f"{name} {epoch}", value)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, metavar="NPZ", required=True)
    splits = common.read_npz(parser.parse_args().data)
    if not CSV.exists():
        with open(CSV, "w", newline="") as file:
            csv.writer(file, lineterminator="\n").writerow(HEAD)
    with open(CSV, newline="") as file:
        finished = {tuple(row[:2]) for row in csv.reader(file)}
    for start, epochs in RUNS:
        for seed in inside.SEEDS:
            rows, key = [], (start, seed)
            if (start, str(seed)) in finished:
                continue

            def note(what, value, rows=rows, key=key):
                rows.append((*key, what, f"{value:.5g}"))

            train(*key, epochs, splits, note)
            with open(CSV, "a", newline="") as file:
                csv.writer(file, lineterminator="\n").writerows(rows)
            keras.backend.clear_session()
            print(*key, *(row[-2:] for row in rows[-8:]), flush=True)


if __name__ == "__main__":
    common.run(main)
