"""What the gates of the trained networks do, and what holding them costs: gates.csv.

    python -m docs.measure.runs --data imdb.npz --runs runs --only "as it is"    # first: trains
    python -m docs.measure.runs --data imdb.npz --runs runs --only toy
    python -m docs.measure.gates --data imdb.npz --runs runs

On IMDB and on the toy: how open the gates are, and the scores with gates held at each unit's mean,
at their values before training, or, at some words of the toy, at those that the same word has
elsewhere. The networks without gates are scored beside them. What the CSV has is not measured
again.
"""

import argparse
import itertools
from pathlib import Path

import common
import numpy as np
from docs.measure import made_up, networks, records
from docs.measure.names import GATES, NETWORKS, ROOT, SEEDS, weights
from docs.tools import baseline

CSV = ROOT / "docs/measure/gates.csv"
HEAD = ("script", "seed", "data", *records.NUMBERS[2:])
ADVERBS = ("really", "so", "quite")  # of the toy
MANY, SCORED = 512, 5_000  # reviews: to take means over, and to score


# ------------------------------------------------------------------------------------------- IMDB
def spread(model, ids, letters):
    """How open the gates are: mean and percentiles over reviews, words and units."""
    for layer, values in enumerate(networks.read_gates(model, ids), start=1):
        for letter in letters:
            yield layer, f"gate {letter} mean", values[letter][:, 1:].mean()
            for p in (10, 90):
                yield layer, f"gate {letter} p{p}", np.percentile(values[letter][:, 1:], p)


def at_start(letters):
    """Steps with the gates held at what they are before training."""
    return [networks.hold({letter: networks.UNTRAINED[letter] for letter in letters})] * 2


def imdb(script, seed, args):
    """The gates on IMDB before training and after, and the scores with them held."""
    _, (x, y) = common.read_npz(args.data)
    many, x, y = x[networks.filled(x, MANY)], x[:SCORED], y[:SCORED]
    trained = networks.load(script, seed, weights(args.runs, "as it is", script, seed))
    together = GATES[script]
    for when, model in ("before", networks.load(script, seed)), ("after", trained):
        for row in spread(model, many, together):
            yield when, *row
    yield "as trained", 0, "accuracy", networks.accuracy(trained, x, y)
    for letters in (*together, together):
        steps = networks.hold_at_mean(trained, many, letters)
        accuracy = networks.accuracy(trained, x, y, steps)
        yield f"gates {letters} at mean", 0, "accuracy", accuracy
    accuracy = networks.accuracy(trained, x, y, at_start(together))
    yield f"gates {together} at start", 0, "accuracy", accuracy


# ------------------------------------------------------------------------------------------ the toy
def toy_words(x):
    """What stands where in toy reviews [n, 80]: {kind: [n, 80] bool}.

    turned: an opinion word after "not", an adverb between them or none; plain: any other one.
    """
    index = common.toy_reviews()[2]

    def is_one_of(words):
        return np.isin(x, [index[word] + common.INDEX_FROM for word in words if word in index])

    def before(mask):
        return np.pad(mask, ((0, 0), (1, 0)))[:, :-1]

    no, adverb = is_one_of(["not"]), is_one_of(ADVERBS)
    opinion = is_one_of([*made_up.BAD, *made_up.GOOD])  # the toy has the first six of each
    turned = opinion & (before(no) | (before(adverb) & before(before(no))))
    kinds = {"plain": opinion & ~turned, "turned": turned, "not": no}
    kinds["other"] = (x > common.OOV) & ~(opinion | no)
    return kinds


def by_kind(layers, kinds, letters):
    """The mean of each gate at each kind of word."""
    for layer, values in enumerate(layers, start=1):
        for letter in letters:
            for kind, chosen in kinds.items():
                yield "as trained", layer, f"gate {letter} {kind}", values[letter][chosen].mean()


def elsewhere(values, x, plain):
    """The mean of a gate, for the same word where it stands plain: [n, words, units].

    plain: [n, words] bool; 0 at words that never do.
    """
    means = np.zeros_like(values)
    for word in np.unique(x[plain]):
        means[x == word] = values[plain & (x == word)].mean(axis=0)
    return means


def held(model, x, y, kinds, together):
    """The scores with gates, or g, of one layer held at opinion words, as without a "not".

    At those after a "not", in the reviews that have one, and for comparison at the plain ones of
    the other reviews.
    """
    negated = kinds["turned"].any(axis=1)
    for layer, values in enumerate(networks.read_gates(model, x), start=1):
        means = {letter: elsewhere(v, x, kinds["plain"]) for letter, v in values.items()}
        for letters in (*values, together, together + "g"):
            for kind, n in ("turned", negated), ("plain", ~negated):
                step = networks.hold_at(kinds[kind][n], {k: means[k][n] for k in letters})
                p, _, _ = networks.read(model, x[n], networks.in_layer(layer, step))
                yield f"{letters} held at {kind}", layer, "accuracy", np.mean((p > 0.5) == y[n])


def scores(p, y, negated):
    """The accuracy of verdicts, and that on the reviews with a "not" and on those without."""
    right = (p > 0.5) == y
    yield "accuracy", right.mean()
    yield "accuracy, not", right[negated].mean()
    yield "accuracy, no not", right[~negated].mean()


def fixed(model, x, together):
    """Steps with gates at each unit's mean, by layer and in both (0), or as before training."""
    for letters, layer in itertools.product((*together, together), (1, 2, 0)):
        layers = (layer,) if layer else (1, 2)
        steps = networks.hold_at_mean(model, x[:MANY], letters, layers)
        yield f"gates {letters} at mean", layer, steps
    yield f"gates {together} at start", 0, at_start(together)


def load_toy_model(script, seed, runs):
    """A network, or the baseline, trained on the toy."""
    path = weights(runs, "toy", script, seed)
    if script != "baseline":
        return networks.load(script, seed, path)
    model = baseline.average()
    model.load_weights(path)
    return model


def toy(script, seed, args):
    """The scores on the toy, what the gates do there, and the scores with them held."""
    _, (x, y) = common.load_toy()
    kinds = toy_words(x)
    negated = kinds["not"].any(axis=1)
    model = load_toy_model(script, seed, args.runs)
    for row in scores(model(x, training=False).numpy()[:, 0], y, negated):
        yield "as trained", 0, *row
    if script in GATES:
        together = GATES[script]
        yield from by_kind(networks.read_gates(model, x), kinds, together)
        yield from held(model, x, y, kinds, together)
        for when, layer, steps in fixed(model, x, together):
            for row in scores(networks.read(model, x, steps)[0], y, negated):
                yield when, layer, *row


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", metavar="NPZ", required=True)
    parser.add_argument("--runs", type=Path, metavar="FOLDER", required=True)
    args = parser.parse_args()
    all_scripts = (*NETWORKS, "rnn_cell_imdb", "baseline")
    keys = [(script, seed, "imdb") for seed, script in itertools.product(SEEDS, GATES)]
    keys += [(script, seed, "toy") for seed, script in itertools.product(SEEDS, all_scripts)]

    def measure(script, seed, data):
        return imdb(script, seed, args) if data == "imdb" else toy(script, seed, args)

    records.complete(CSV, HEAD, keys, measure)


if __name__ == "__main__":
    main()
