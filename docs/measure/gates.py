"""What the gates of the trained networks do, and what holding them costs: gates.csv.

    python -m docs.measure.gates --data imdb.npz --runs runs

On IMDB and on the toy: how open the gates are, and the scores with gates held at each unit's mean,
at their values before training, or, at some words of the toy, at those that the same word has
elsewhere. The networks without gates are scored beside them. What the CSV has is not measured
again.
"""

import itertools

import common
import numpy as np
from docs.measure import flags, made_up, networks, records
from docs.measure.names import GATES, NETWORKS, ROOT, SEEDS, weights
from docs.tools import baseline

CSV = ROOT / "docs/measure/gates.csv"
HEAD = ("script", "seed", "data", *records.NUMBERS[2:])
ADVERBS = ("really", "so", "quite")  # of the toy
MANY, SCORED = 512, 5_000  # reviews: to take means over, and to score


def fixed(model, ids, together, layers):
    """Steps with gates at each unit's mean over ids, by layer and in both (0), or as they start."""
    for letters, layer in itertools.product((*together, together), layers):
        steps = networks.hold_at_mean(model, ids, letters, (layer,) if layer else (1, 2))
        yield f"gates {letters} at mean", layer, steps
    start = {letter: networks.UNTRAINED[letter] for letter in together}
    yield f"gates {together} at start", 0, [networks.hold(start)] * 2


# ------------------------------------------------------------------------------------------- IMDB
def percentiles(model, ids, letters):
    """How open the gates are: mean and percentiles over reviews, words and units."""
    for layer, values in enumerate(networks.read_gates(model, ids), start=1):
        for letter in letters:
            numbers = values[letter][:, 1:]
            yield layer, f"gate {letter} mean", numbers.mean()
            for p in (10, 90):
                yield layer, f"gate {letter} p{p}", np.percentile(numbers, p)


def imdb(script, seed, args):
    """The gates on IMDB before training and after, and the scores with them held."""
    _, (x, y) = common.read_npz(args.data)
    many, _ = networks.filled((x, y), MANY)
    trained, together = networks.trained(script, seed, args.runs), GATES[script]
    for when, model in ("before", networks.load(script, seed)), ("after", trained):
        for row in percentiles(model, many, together):
            yield when, *row
    as_trained = "as trained", 0, (networks.step, networks.step)
    for when, layer, steps in (as_trained, *fixed(trained, many, together, layers=(0,))):
        yield when, layer, "accuracy", networks.accuracy(trained, x[:SCORED], y[:SCORED], steps)


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
    other = (x > common.OOV) & ~(opinion | no)
    return {"plain": opinion & ~turned, "turned": turned, "not": no, "other": other}


def elsewhere(values, x, plain):
    """The mean of a gate, for the same word where it stands plain: [n, words, units].

    plain: [n, words] bool; 0 at words that never do.
    """
    means = np.zeros_like(values)
    for word in np.unique(x[plain]):
        means[x == word] = values[plain & (x == word)].mean(axis=0)
    return means


def scores_held(model, x, y, kinds, together):
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


def toy(script, seed, args):
    """The scores on the toy, what the gates do there, and the scores with them held."""
    _, (x, y) = common.load_toy()
    kinds = toy_words(x)
    negated = kinds["not"].any(axis=1)
    if script == "baseline":
        model = baseline.average()
        model.load_weights(weights(args.runs, "toy", script, seed))
    else:
        model = networks.trained(script, seed, args.runs, "toy")
    for row in scores(model(x, training=False).numpy()[:, 0], y, negated):
        yield "as trained", 0, *row
    if script in GATES:
        together = GATES[script]
        for layer, letter, kind, mean in networks.gates_by_kind(model, x, kinds, together):
            yield "as trained", layer, f"gate {letter} {kind}", mean
        yield from scores_held(model, x, y, kinds, together)
        for when, layer, steps in fixed(model, x[:MANY], together, layers=(1, 2, 0)):
            for row in scores(networks.read(model, x, steps)[0], y, negated):
                yield when, layer, *row


def main(argv=None):
    args = flags.parse(__doc__, argv, "data", "runs")
    all_scripts = (*NETWORKS, "rnn_cell_imdb", "baseline")
    keys = [(script, seed, "imdb") for seed, script in itertools.product(SEEDS, GATES)]
    keys += [(script, seed, "toy") for seed, script in itertools.product(SEEDS, all_scripts)]

    def measure(script, seed, data):
        return imdb(script, seed, args) if data == "imdb" else toy(script, seed, args)

    records.complete(CSV, HEAD, keys, measure)


if __name__ == "__main__":
    common.run(main)
