"""Two made-up tasks on which it is known what to remember, run by the scripts' networks.

    python docs/measure/tasks.py --run                        # what docs/measure/tasks.csv lacks
    python docs/measure/tasks.py --write first 80 first.npz   # one task as a file for --data
    python docs/measure/tasks.py --write marker 80 marker.npz

first: a review has T words; the first is one of ten positive or ten negative ones and decides,
the others are drawn from 200 that say nothing. marker: nine opinion words stand anywhere among
words that say nothing, and only the one right after the word "verdict" decides.

Trained as the scripts train: Adam from 0.001 falling to 0, clipnorm 0.25, batches of 128. A run
ends once an epoch has 99 % of the test reviews right. A finished run is appended to the CSV at
once: the program can be stopped, and goes on where it was.
"""

import argparse
import dataclasses
import itertools
import json
import zipfile
from pathlib import Path

import inside  # first: it finds common

import common
import keras
import numpy as np

CSV = inside.ROOT / "docs/measure/tasks.csv"
BAD = "bad awful dull boring terrible weak poor silly empty clumsy".split()
GOOD = "good great lovely brilliant moving clever fine funny rich graceful".split()
MARKER = "verdict"
SAY_NOTHING = ["".join(s) for s in itertools.product("bdfgklmnprstvz", "aeiou", "lnr")][:200]
WORDS = [*BAD, *GOOD, MARKER, *SAY_NOTHING]  # the word of rank r is WORDS[r - 1]
OPINIONS, TEST, ENOUGH = 9, 2_000, 0.99
# Of each start: the script, and what is set before training (see begin()).
STARTS = {
    "SimpleRNN": ("rnn_layer_imdb", None),  # W_hh orthogonal, as Keras begins
    "SimpleRNN .9": ("rnn_layer_imdb", 0.9),  # W_hh orthogonal times .9: every eigenvalue that size
    "SimpleRNN .7": ("rnn_layer_imdb", 0.7),
    "LSTM": ("lstm_imdb", None),  # b_f = 1: f begins at .73
    "LSTM b_f = 3": ("lstm_imdb", 3.0),  # .95
    "GRU": ("gru_imdb", None),  # b_z = 0: z begins at .5
    "GRU b_z = 3": ("gru_imdb", 3.0),  # .95
}
BETWEEN = {  # from vanishing to exploding, at T = 80
    **{f"LSTM b_f = {b}": ("lstm_imdb", b) for b in (1.5, 2, 2.5)},
    **{f"GRU b_z = {b}": ("gru_imdb", b) for b in (1, 2)},
}
# The control: the gradient is as much smaller at every word, its loss on the way is the same.
SMALLER = {
    f"{start}, Dense * {factor}": (*STARTS[start], float(factor))
    for factor in ("1e-3", "1e-6", "1e-9", "1e-12")
    for start in ("SimpleRNN", "LSTM b_f = 3")
}
ALL_STARTS = {**STARTS, **BETWEEN, **SMALLER}


def first_word(words, n, rng):
    """The task of the first word -> ranks [n, words] int64, labels [n]: half of each, shuffled."""
    y = rng.permutation(np.arange(n) % 2)
    ranks = rng.choice(len(SAY_NOTHING), (n, words)) + 1 + WORDS.index(SAY_NOTHING[0])
    ranks[:, 0] = opinions(y, rng)
    return ranks, y


def after_marker(words, n, rng):
    """The task of the word after the marker -> ranks [n, words] int64, labels [n].

    Of the nine opinion words one follows the marker; the sides of the others are drawn by a coin.
    """
    ranks, y = first_word(words, n, rng)
    ranks[:, 0] = ranks[:, -1]  # another word that says nothing
    for row, label in zip(ranks, y):
        marker = rng.randint(words - 1)
        free = [place for place in range(words) if place not in (marker, marker + 1)]
        places = rng.choice(free, OPINIONS - 1, replace=False)
        row[places] = opinions(rng.randint(2, size=OPINIONS - 1), rng)
        row[marker] = 1 + WORDS.index(MARKER)
        row[marker + 1] = opinions(label, rng)
    return ranks, y


def opinions(labels, rng):
    """A rank for each label: one of the ten words of that side."""
    return 1 + len(BAD) * labels + rng.randint(len(BAD), size=np.shape(labels))


TASKS = {"first": first_word, "marker": after_marker}


@dataclasses.dataclass(frozen=True)
class Run:
    """What one run is: the columns of the CSV that name it."""

    task: str
    start: str
    words: int
    seed: int
    reviews: int = 10_000
    epochs: int = 6
    rate: float = 0.001

    def key(self):
        return tuple(map(str, dataclasses.astuple(self)))


def all_runs():
    """Every run of the page, the most telling first."""
    kinds = "SimpleRNN", "LSTM", "GRU"

    def first(words, seeds, starts=tuple(STARTS), **changes):
        return [Run("first", s, words, seed, **changes) for seed in seeds for s in starts]

    def marker(words, seeds):
        return [Run("marker", s, words, seed, 20_000, 8) for seed in seeds for s in kinds]

    def seldom(**changes):  # where it stops to hold
        return first(80, range(3), ("LSTM", "GRU"), **changes)

    return [
        *first(80, range(5)),
        *first(20, range(5)),
        *marker(80, range(5)),
        *first(40, range(5)),
        *first(10, range(5)),
        *seldom(rate=0.003),
        *seldom(rate=0.01),
        *marker(40, range(3)),
        *seldom(epochs=24),
        Run("first", "LSTM", 80, 0, reviews=40_000),
        *first(160, range(3)),
        *first(320, range(3)),
        *first(80, range(5), BETWEEN),
        *first(80, range(5), SMALLER),
        *marker(160, range(3)),
        *marker(320, range(3)),
    ]


def begin(start, seed):
    """A model as it stands before training, with one thing set in both layers (see STARTS).

    Of SMALLER the kernel of the Dense layer is multiplied by a factor, too.
    """
    script, value, *factor = ALL_STARTS[start]
    model = inside.load(script, seed)
    for cell in inside.cells(model) if value is not None else ():
        if script == "rnn_layer_imdb":
            cell.recurrent_kernel.assign(value * cell.recurrent_kernel)
            continue
        bias = cell.bias.numpy()
        if script == "lstm_imdb":
            bias[cell.units : 2 * cell.units] = value  # b_i, b_f, b_g, b_o
        else:
            bias[0, : cell.units] = value  # the first row is b_xz, b_xr, b_xg
        cell.bias.assign(bias)
    if factor:
        model.dense.kernel.assign(factor[0] * model.dense.kernel)
    return model


class Enough(keras.callbacks.Callback):
    """Ends a run once an epoch has ENOUGH of the test reviews right."""

    def on_epoch_end(self, epoch, logs):
        self.model.stop_training = logs["val_accuracy"] >= ENOUGH


def train(run):
    """Make the reviews, the model and train it -> [(quantity, value)] for the CSV."""
    rng = np.random.RandomState(run.seed)
    ranks, y = TASKS[run.task](run.words, run.reviews + TEST, rng)
    x = (ranks + common.INDEX_FROM).astype(np.int32)
    splits = (x[TEST:], y[TEST:]), (x[:TEST], y[:TEST])
    model = begin(run.start, run.seed)
    gradient = inside.gradient_norms(model, x[:512], y[:512]).mean(axis=0)  # [words]
    data = common.make_datasets(*splits, 128, run.seed)
    rate = inside.falling(run.rate, run.epochs, data[0])
    told = inside.fit(model, data, run.epochs, rate, [Enough()])
    result = [("gradient 1", gradient[0]), ("gradient last", gradient[-1])]
    result += [(f"epoch {n}", value) for n, value in enumerate(told["val_accuracy"], start=1)]
    if run.task == "marker":
        result += gates_at(model, ranks[:512])
    return result


def gates_at(model, ranks):
    """The mean of each gate, by layer, at the kinds of words of the marker task -> [(name, value)].

    Besides the gates g: the mean size of the candidate.
    """
    if not hasattr(model.rnn_1, "recurrent_activation"):
        return []
    marker = ranks == 1 + WORDS.index(MARKER)
    opinion = ranks <= len(BAD) + len(GOOD)
    after = np.roll(marker, 1, axis=1)  # the marker is never the last word
    kinds = {"marker": marker, "after": after, "opinion": opinion & ~after}
    kinds["other"] = ~(marker | opinion)
    ids = (ranks + common.INDEX_FROM).astype(np.int32)
    return [
        (f"gate {layer} {letter} {kind}", values[chosen.T[1:]].mean())
        for layer, own in enumerate(inside.all_gates(model, ids), start=1)
        for letter, values in own.items()  # [words - 1, n, units]: from the second word on
        for kind, chosen in kinds.items()
    ]


def run_all():
    """Train what the CSV does not have, and append each run's rows when it is over."""
    names = [field.name for field in dataclasses.fields(Run)]
    finished = inside.finished(CSV, [*names, "quantity", "value"], len(names))
    for run in all_runs():
        if run.key() in finished:
            continue
        result = train(run)
        inside.append(CSV, ((*run.key(), name, f"{value:.5g}") for name, value in result))
        keras.backend.clear_session()
        told = " ".join(f"{value:.3f}" for name, value in result if name.startswith("epoch"))
        print(run, f"gradient {result[0][1]:.1e}:", told, flush=True)


def write_npz(task, words, path):
    """Write a task in the layout of imdb.npz, with its words: as many reviews as all_runs() has."""
    n = 20_000 if task == "marker" else 10_000
    ranks, y = TASKS[task](words, n + TEST, np.random.RandomState(0))
    reviews = np.empty(len(ranks), dtype=object)
    reviews[:] = ranks.tolist()
    members = dict(x_train=reviews[TEST:], y_train=y[TEST:], x_test=reviews[:TEST], y_test=y[:TEST])
    with open(path, "wb") as file:
        np.savez_compressed(file, **members)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        index = {word: rank for rank, word in enumerate(WORDS, start=1)}
        archive.writestr("words.json", json.dumps(index))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", action="store_true")
    parser.add_argument("--write", nargs=3, metavar=("TASK", "WORDS", "NPZ"))
    args = parser.parse_args()
    if args.write:
        task, words, path = args.write
        if task not in TASKS or not words.isdecimal() or int(words) < OPINIONS + 1:
            parser.error(f"--write: {' or '.join(TASKS)}, then {OPINIONS + 1} words or more")
        write_npz(task, int(words), Path(path))
    if args.run:
        run_all()


if __name__ == "__main__":
    common.run(main)
