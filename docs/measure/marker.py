"""At which words the gates do the marker task, and which gate is needed: marker.csv.

    python -m docs.measure.marker --runs runs

In a review of 80 words nine opinion words stand anywhere, and only the one right after the word
"verdict" decides (made_up.py). An LSTM and a GRU are trained on it as in tasks.py; their weights
stay in the folder of --runs. Then gates of layer 1, or its candidate g, are held at a value that
knows nothing of the marker, and what that costs is counted on 1,000 test reviews:

at the word after the marker: at the mean of the same word where it does not follow the marker;
at the marker: at the mean over the words that say nothing, as if it were one of them;
at both; and at every word: at the gate's mean over all words.
"""

import common
import numpy as np
from docs.measure import flags, made_up, networks, records
from docs.measure.names import GATES, ROOT, SEEDS

CSV = ROOT / "docs/measure/marker.csv"
HEAD = ("script", "seed", "held", "at", "accuracy", "machine")
WORDS, EPOCHS, RATE = 80, 8, 0.001  # as in tasks.py
SCORED, AVERAGED = 1_000, 512  # test reviews that are scored, training reviews of the means


def train(script, seed, splits, path):
    """The network of a seed, trained; from its file, if there is one."""
    if path.exists():
        return networks.load(script, seed, path)
    model = networks.load(script, seed)
    networks.train(model, splits, seed, RATE, EPOCHS, [networks.Enough()])
    model.save_weights(path)
    return model


def ordinary(model, ids, averaged):
    """What each gate, and g, of layer 1 has at a word that no marker stands before or at.

    -> {letter: [n, words, units]} for ids [n, words]; the means are taken over other reviews.
    """
    values = networks.read_gates(model, averaged)[0]
    kinds = made_up.kinds(averaged - common.INDEX_FROM)
    typical = {}
    for letter, of in values.items():
        by_id = np.tile(of[kinds["other"]].mean(axis=0), (ids.max() + 1, 1))  # the marker's, too
        for word in np.unique(ids[made_up.kinds(ids - common.INDEX_FROM)["after"]]):
            by_id[word] = of[(averaged == word) & ~kinds["after"]].mean(axis=0)
        typical[letter] = by_id[ids]
    return typical


def measure(model, script, x, y, averaged):
    """Accuracy with nothing held, and with gates or g held at each place: rows of the CSV."""
    yield "nothing", "", networks.accuracy(model, x, y)
    kinds = made_up.kinds(x - common.INDEX_FROM)
    marker, after = kinds["marker"], kinds["after"]
    typical, together = ordinary(model, x, averaged), GATES[script]
    for letters in (*together, together, "g", together + "g"):
        fixed = {letter: typical[letter] for letter in letters}
        for at, chosen in ("marker", marker), ("after", after), ("both", marker | after):
            steps = networks.in_layer(1, networks.hold_at(chosen, fixed))
            yield letters, at, networks.accuracy(model, x, y, steps)
        steps = networks.hold_at_mean(model, averaged, letters, layers=(1,))
        yield letters, "every word", networks.accuracy(model, x, y, steps)


def main(argv=None):
    runs = flags.parse(__doc__, argv, "runs").runs

    def rows(script, seed):
        splits = (x_train, _), (x, y) = networks.made_up_reviews("marker", WORDS, seed)
        model = train(script, seed, splits, runs / f"marker-{script}-{seed}.weights.h5")
        return measure(model, script, x[:SCORED], y[:SCORED], x_train[:AVERAGED])

    records.complete(CSV, HEAD, [(script, seed) for seed in SEEDS for script in GATES], rows)


if __name__ == "__main__":
    common.run(main)
