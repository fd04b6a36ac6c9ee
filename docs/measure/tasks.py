"""Two made-up tasks on which it is known what to remember, learned by the scripts' networks.

    python -m docs.measure.tasks --run                        # what docs/measure/tasks.csv lacks
    python -m docs.measure.tasks --write first 80 first.npz   # one task as a file for --data
    python -m docs.measure.tasks --write marker 80 marker.npz

first: only the first of T words decides. marker: only the opinion word right after "verdict" does
(made_up.py). Trained as the scripts train: Adam from 0.001 falling to 0, clipnorm 0.25, batches of
128. A run ends once an epoch has 99 % of the test reviews right. A finished run is appended to the
CSV at once: the program can be stopped, and goes on where it was.
"""

from pathlib import Path
from typing import NamedTuple

import common
from docs.measure import flags, made_up, networks, records
from docs.measure.names import GATES, ROOT, STARTS

CSV = ROOT / "docs/measure/tasks.csv"
BETWEEN = {  # from vanishing to exploding, at T = 80
    **{f"LSTM b_f = {b}": ("lstm_imdb", b) for b in (1.5, 2, 2.5)},
    **{f"GRU b_z = {b}": ("gru_imdb", b) for b in (1, 2)},
}
ALL_STARTS = STARTS | BETWEEN
# The control: the gradient is as much smaller at every word, its loss on the way is the same. The
# factor of the Dense layer's kernel is of the start alone, that of the loss holds all through.
SMALLER = [
    f"{start}, Dense * {factor}"
    for factor in ("1e-3", "1e-6", "1e-9", "1e-12")
    for start in ("SimpleRNN", "LSTM b_f = 3")
]
FAINT = [f"SimpleRNN, loss * {factor}" for factor in ("1e-3", "1e-6", "1e-9")]
# Adam divides by the size of what it has met, plus epsilon, 1e-7: so here by any size.
DIVIDED = [
    f"{start}, epsilon 1e-20" for start in (FAINT[-1], "SimpleRNN .7", "LSTM", "GRU", "SimpleRNN")
]


class Run(NamedTuple):
    """What one run is: the columns of the CSV that name it."""

    task: str
    start: str
    words: int
    seed: int
    reviews: int = 10_000
    epochs: int = 6
    rate: float = 0.001


def all_runs():
    """Every run of the page, the most telling first."""
    kinds = "SimpleRNN", "LSTM", "GRU"

    def first(words, seeds, starts=tuple(STARTS), **changes):
        return [Run("first", s, words, seed, **changes) for seed in seeds for s in starts]

    def marker(words, seeds, starts=kinds, rate=0.001):
        return [Run("marker", s, words, seed, 20_000, 8, rate) for seed in seeds for s in starts]

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
        *first(80, range(2), ("LSTM",), reviews=40_000),
        *first(160, range(3)),
        *first(320, range(3)),
        *first(80, range(5), BETWEEN),
        *first(80, range(5), SMALLER),
        *first(80, range(5), DIVIDED),
        *first(80, range(5), FAINT),
        *marker(160, range(3)),
        *marker(320, range(3)),
        *(run for rate in (0.0003, 0.003) for run in marker(80, range(3), ["SimpleRNN"], rate)),
        *marker(80, range(3), ["SimpleRNN .9"]),
    ]


def read_start(start):
    """The script of a start, what is set in it, and the conditions behind its name.

    Of "SimpleRNN, loss * 1e-9, epsilon 1e-20" those are {"loss": 1e-9, "epsilon": 1e-20}.
    """
    name, *conditions = start.split(", ")
    pairs = (each.replace("*", "").split() for each in conditions)
    return *ALL_STARTS[name], {key: float(value) for key, value in pairs}


def begin(start, seed):
    """A model as it stands before training, with one thing set in both layers.

    If its conditions have a factor of "Dense", the kernel of that layer is multiplied by it.
    """
    script, value, conditions = read_start(start)
    model = networks.load(script, seed)
    if value is not None and script in GATES:
        networks.begin_open(model, value)
    elif value is not None:
        for cell in networks.cells(model):
            cell.recurrent_kernel.assign(value * cell.recurrent_kernel)
    model.dense.kernel.assign(conditions.get("Dense", 1) * model.dense.kernel)
    return model


def train(run):
    """Make the reviews and the model, and train it -> rows of (quantity, value)."""
    splits = networks.made_up_reviews(run.task, run.words, run.seed, run.reviews)
    _, (x, y) = splits
    model = begin(run.start, run.seed)
    gradient = networks.gradient_norms(model, x[:512], y[:512]).mean(axis=0)  # [words]
    script, _, conditions = read_start(run.start)
    enough = [networks.Enough()]
    history = networks.train(model, splits, run.seed, run.rate, run.epochs, enough, **conditions)
    yield "gradient 1", gradient[0]
    yield "gradient last", gradient[-1]
    for n, accuracy in enumerate(history["val_accuracy"], start=1):
        yield f"epoch {n}", accuracy
    if run.task == "marker" and script in GATES:
        ids, letters = x[:512], GATES[script]
        kinds = made_up.kinds(ids - common.INDEX_FROM)
        for layer, letter, kind, mean in networks.gates_by_kind(model, ids, kinds, letters):
            yield f"gate {layer} {letter} {kind}", mean


def main(argv=None):
    parser = flags.parser(__doc__)
    parser.add_argument("--run", action="store_true")
    parser.add_argument("--write", nargs=3, metavar=("TASK", "WORDS", "NPZ"))
    args = parser.parse_args(argv)
    if not (args.run or args.write):
        parser.error("say --run, or --write TASK WORDS NPZ")
    if args.write:
        task, words, path = args.write
        least = made_up.OPINIONS + 1
        if task not in made_up.TASKS or not words.isdecimal() or int(words) < least:
            parser.error(f"--write: {' or '.join(made_up.TASKS)}, then {least} words or more")
        made_up.write_npz(task, int(words), Path(path))
    if args.run:
        head = (*Run._fields, "quantity", "value")
        records.complete(CSV, head, all_runs(), lambda *key: train(Run(*key)))


if __name__ == "__main__":
    common.run(main)
