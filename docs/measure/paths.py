"""By which ways the gradient goes back, and whether it vanishes or explodes: paths.csv.

    python -m docs.measure.paths --data imdb.npz --runs runs

A row is the mean norm of d loss / d x_t at the words of AT, over reviews of the task of the first
word (made_up.py, 80 words), or IMDB's test reviews without padding: 512 after training, as many as
backward.py takes, and 128 before, when they hardly differ. From step to step the
gradient of an LSTM goes back by the carry, f * c_{t-1}, and by way of h_{t-1}, which the gates and
the candidate g read; that of a GRU by z * h_{t-1}, and by way of h_{t-1} into z, r and g. What a
way is worth shows when no gradient flows back by it, in both layers; the network's values stay the
same. Untrained networks begin with several b_f or b_z in both layers; trained ones are those of the
scripts as they are. "one layer" is the untrained LSTM without its second: Dense reads layer 1.
"""

import itertools

import common
import numpy as np
import tensorflow as tf
from docs.measure import flags, networks, records
from docs.measure.names import GATES, ROOT, SEEDS

CSV = ROOT / "docs/measure/paths.csv"
AT = (1, 10, 20, 30, 40, 50, 60, 70, 80)
HEAD = ("script", "bias", "data", "when", "seed", "cut", *AT, "machine")
REVIEWS = {"before": 128, "one layer": 128, "after": 512}
WORDS = 80
BIAS = {"lstm_imdb": (1, 1.5, 2, 2.5, 3), "gru_imdb": (0, 1, 2, 3)}  # b_f, b_z; Keras: the first


def cuts(script):
    """What is cut -> the ways as networks.cut() takes them."""
    into_gates = tuple(GATES[script])
    return {
        "nothing": (),
        "h everywhere": (*into_gates, "g"),  # what is left is the carry alone
        "h into the gates": into_gates,
        "h into g": ("g",),
        "carry": ("carry",),
    }


def measure(model, cut_ways, x, y):
    """The mean norm of the gradient at the words of AT -> rows of (what is cut, *norms)."""
    for name, ways in cut_ways.items():
        steps = (compiled(networks.cut(ways)),) * 2 if ways else None
        norms = networks.gradient_norms(model, x, y, steps).mean(axis=0)
        yield name, *norms[np.array(AT) - 1]


def compiled(step):
    """A step that does not depend on t as a graph: twice as quick."""
    graph = tf.function(lambda cell, x, state: step(cell, x, state, None))
    return lambda cell, x, state, t: graph(cell, x, state)


def all_keys():
    """What there is to measure, that before training first."""
    for seed, script in itertools.product(SEEDS, BIAS):
        for bias, data in itertools.product(BIAS[script], ("first", "imdb")):
            yield script, bias, data, "before", seed
    for seed, script in itertools.product(SEEDS, BIAS):
        yield script, BIAS[script][0], "imdb", "after", seed
    for seed, bias in itertools.product(SEEDS, BIAS["lstm_imdb"]):
        yield "lstm_imdb", bias, "imdb", "one layer", seed


def main(argv=None):
    args = flags.parse(__doc__, argv, "data", "runs")
    imdb = networks.filled(common.read_npz(args.data)[1], REVIEWS["after"])

    def rows(script, bias, data, when, seed):
        if when == "after":
            model = networks.trained(script, seed, args.runs)
        else:
            model = networks.load(script, seed)
            networks.begin_open(model, bias)
        x, y = imdb if data == "imdb" else networks.made_up_reviews("first", WORDS, seed)[1]
        ways = cuts(script)
        if when == "one layer":
            model.rnn_2, ways = (lambda states, training: states[:, -1]), {"nothing": ()}
        return measure(model, ways, x[: REVIEWS[when]], y[: REVIEWS[when]])

    records.complete(CSV, HEAD, all_keys(), rows)


if __name__ == "__main__":
    common.run(main)
