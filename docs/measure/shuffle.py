"""How much the order of the words decides: shuffle.csv.

    python -m docs.measure.shuffle --data imdb.npz --runs runs

The trained networks read the test reviews of IMDB and of the toy as they are, with each pair of
neighbours exchanged, and with all words of a review shuffled. Which words a review has is the same
each time, so what is lost is what the order gives. What the CSV has is not measured again.
"""

import common
import numpy as np
from docs.measure import flags, networks, records
from docs.measure.names import ROOT, SCRIPTS, SEEDS

CSV = ROOT / "docs/measure/shuffle.csv"
HEAD = ("experiment", "script", "seed", "order", "accuracy", "same_verdict", "machine")


def exchanged(ids, rng):
    """Exchange a review's first word and its second, its third and its fourth, ..."""
    pairs = ids[: len(ids) // 2 * 2].reshape(-1, 2)
    return np.concatenate([pairs[:, ::-1].ravel(), ids[2 * len(pairs) :]])


ORDERS = {
    "as they are": lambda ids, rng: ids,
    "neighbours exchanged": exchanged,
    "shuffled": lambda ids, rng: rng.permutation(ids),
}


def reorder(x, order, rng):
    """Change the order of each review's words: [n, 80] -> [n, 80].

    The zeros in front of a short review and the mark of its start are no words: they stay there.
    """
    rows = []
    for row in x:
        words = row > common.START
        rows.append(np.concatenate([row[~words], order(row[words], rng)]))
    return np.array(rows, x.dtype)


def measure(model, x, y, seed):
    """Read the reviews in every order -> rows of (order, accuracy, share of equal verdicts)."""
    verdicts = None
    for name, order in ORDERS.items():
        changed = reorder(x, order, np.random.RandomState(seed))
        p = model.predict(changed, batch_size=common.TEST_BATCH, verbose=0)[:, 0]
        verdicts = p > 0.5 if verdicts is None else verdicts  # of the words as they are
        yield name, np.mean((p > 0.5) == y), np.mean((p > 0.5) == verdicts)


def main(argv=None):
    args = flags.parse(__doc__, argv, "data", "runs")
    reviews = {"as it is": common.read_npz(args.data)[1], "toy": common.load_toy()[1]}

    def rows(experiment, script, seed):
        model = networks.trained(script, seed, args.runs, experiment)
        return measure(model, *reviews[experiment], seed)

    keys = [(name, script, seed) for seed in SEEDS for name in reviews for script in SCRIPTS]
    records.complete(CSV, HEAD, keys, rows)


if __name__ == "__main__":
    common.run(main)
