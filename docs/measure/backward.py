"""How much of the gradient comes back through the steps: gradient.csv and backward.csv.

    python -m docs.measure.runs --data imdb.npz --runs runs --only "as it is"    # first: trains
    python -m docs.measure.backward --data imdb.npz --runs runs

Of three networks before training and after it, on IMDB's test reviews of 80 words and more: the
gradient by word (gradient.csv: a row is a curve over the 80 words), the ways by which an LSTM's
comes back, and the eigenvalues of a step's Jacobian (backward.csv). What the CSVs have is not
measured again.
"""

import argparse
import itertools
from pathlib import Path

import common
import numpy as np
from docs.measure import networks, records
from docs.measure.names import NETWORKS, ROOT, SEEDS, weights

CURVES, CSV = ROOT / "docs/measure/gradient.csv", ROOT / "docs/measure/backward.csv"
CURVES_HEAD = ("script", "seed", "when", "of", *range(1, common.MAX_REVIEW_LEN + 1))
PERCENTILES = (10, 50, 90)  # over the reviews
FEW, MANY = 48, 512  # reviews: of 48 where a step's Jacobian, or each step by itself, is computed
CUTS = {"nowhere": "", "gates": "ifo", "candidate": "g", "gates, candidate": "ifog"}


def before_and_after(script, seed, runs):
    """The network of a script as it starts, and as it is trained."""
    yield "before", networks.load(script, seed)
    yield "after", networks.load(script, seed, weights(runs, "as it is", script, seed))


def curves(norms):
    """The gradient by word, from its norms [n, words]: mean and percentiles over the reviews."""
    yield "mean", *norms.mean(axis=0)
    for p in PERCENTILES:
        yield f"p{p}", *np.percentile(norms, p, axis=0)


def ratios(norms):
    """How far the gradient of one review falls over 70 words: percentiles over the reviews."""
    for p in PERCENTILES:
        yield 0, f"gradient 1/71 p{p}", np.percentile(norms[:, 0] / norms[:, 70], p)


def sure(norms, errors):
    """How many times its median the mean gradient at word 1 is, as it is and divided by |p - y|."""
    for name, values in ("", norms[:, 0]), (" by |p - y|", norms[:, 0] / errors):
        yield 0, f"gradient 1 mean over median{name}", values.mean() / np.median(values)


def ways(model, ids, labels):
    """The mean gradient at word 1 of an LSTM, with the ways back through h cut."""
    for name, letters in CUTS.items():
        steps = networks.cut(letters), networks.cut(letters)
        norms = networks.gradient_norms(model, ids, labels, steps)
        yield 0, f"gradient 1 cut {name}", norms[:, 0].mean()


def eigenvalues(jacobians):
    """The sizes of the largest three of each Jacobian, and the real ones of the mean, by layer."""
    for layer, jacobian in enumerate(jacobians, start=1):
        for n, size in enumerate(networks.eigenvalue_sizes(jacobian)[:3], start=1):
            yield layer, f"eigenvalue {n}", size
        values = np.linalg.eigvals(jacobian.mean(axis=0))
        real = values.real[np.abs(values.imag) < 1e-6]
        yield layer, "largest real eigenvalue", real.max(initial=0)
        yield layer, "real eigenvalues", len(real)


def parts_of_the_slow_number(jacobians):
    """Through which part of an LSTM's state its slow number comes back from step to step."""
    layer = networks.slow_layer(jacobians)
    left, right = networks.slow_direction(jacobians[layer - 1])
    jacobian, units = jacobians[layer - 1].mean(axis=0), len(left) // 2
    yield layer, "kept through c", left @ jacobian[:, units:] @ right[units:]
    yield layer, "kept through h", left @ jacobian[:, :units] @ right[:units]


def measure(model, script, trained, x, y):
    """The numbers of one network -> (layer, quantity, value) each."""
    norms = networks.gradient_norms(model, x, y)
    jacobians = networks.jacobians(model, x[:FEW])
    yield from ratios(norms)
    yield from eigenvalues(jacobians)
    if script == "lstm_imdb":
        yield from ways(model, x[:FEW], y[:FEW])
    if trained:
        layer = networks.slow_layer(jacobians)
        yield layer, "slow layer", layer
        yield from sure(norms, np.abs(model(x, training=False).numpy()[:, 0] - y))
    if trained and script == "lstm_imdb":
        yield from parts_of_the_slow_number(jacobians)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", metavar="NPZ", required=True)
    parser.add_argument("--runs", type=Path, metavar="FOLDER", required=True)
    args = parser.parse_args()
    _, (x, y) = common.read_npz(args.data)
    filled = networks.filled(x, MANY)
    x, y = x[filled], y[filled]

    def curves_of(script, seed):
        for when, model in before_and_after(script, seed, args.runs):
            for row in curves(networks.gradient_norms(model, x, y)):
                yield when, *row

    def numbers_of(script, seed):
        for when, model in before_and_after(script, seed, args.runs):
            for row in measure(model, script, when == "after", x, y):
                yield when, *row

    keys = [(script, seed) for seed, script in itertools.product(SEEDS, NETWORKS)]
    records.complete(CURVES, CURVES_HEAD, keys, curves_of)
    records.complete(CSV, records.NUMBERS, keys, numbers_of)


if __name__ == "__main__":
    main()
