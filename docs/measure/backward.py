"""How much of the gradient comes back through the steps: gradient.csv, backward.csv, decay.csv.

    python -m docs.measure.backward --data imdb.npz --runs runs

Of three networks, on IMDB's test reviews without padding. gradient.csv, before training and after
it: the gradient by word, a row is a curve over the 80 words. backward.csv, the same: how far it
falls, and the eigenvalues of a step's Jacobian (the ways by which it comes: paths.py). decay.csv,
after training, in the layer with the slow number (networks.py): what an eigenvalue would keep over
70 steps, if every step were like the mean of steps, and what is kept:

mean size: the largest eigenvalue of each step's Jacobian by size, its mean over steps and reviews;
mean Jacobian: the largest real eigenvalue of the mean Jacobian, that of the slow number;
number: of a push along the slow direction at word 1, what the slow number at word 71 has of it,
  through the product of the 70 Jacobians along the review (median, 10th and 90th percentile);
gradient: the norm of d loss / d x_1 over that of d loss / d x_71 (the same).
"""

import common
import numpy as np
import tensorflow as tf
from docs.measure import flags, networks, records
from docs.measure.names import NETWORKS, ROOT, SEEDS

CURVES, CSV, DECAY = (ROOT / f"docs/measure/{n}.csv" for n in ("gradient", "backward", "decay"))
CURVES_HEAD = ("script", "seed", "when", "of", *range(1, common.MAX_REVIEW_LEN + 1))
DECAY_HEAD = ("script", "seed", "layer", "quantity", "value", "machine")
PERCENTILES = (10, 50, 90)  # over the reviews
FEW, MANY = 48, 512  # reviews: of 48 where a step's Jacobian is computed
STEPS = 70


def percentiles(layer, name, numbers):
    """Percentiles over the reviews."""
    for p in PERCENTILES:
        yield layer, f"{name} p{p}", np.percentile(numbers, p)


def curves(norms):
    """The gradient by word, from its norms [n, words]: mean and percentiles over the reviews."""
    yield "mean", *norms.mean(axis=0)
    for p in PERCENTILES:
        yield f"p{p}", *np.percentile(norms, p, axis=0)


def falls(norms):
    """How far the gradient of each review falls over 70 words: [n]."""
    return norms[:, 0] / norms[:, STEPS]


def mean_over_median(norms, errors):
    """How many times its median the mean gradient at word 1 is, as it is and divided by |p - y|."""
    for name, values in ("", norms[:, 0]), (" by |p - y|", norms[:, 0] / errors):
        yield 0, f"gradient 1 mean over median{name}", values.mean() / np.median(values)


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


def measure(model, script, when, x, y):
    """The rows of backward.csv of one network: (layer, quantity, value) each."""
    norms = networks.gradient_norms(model, x, y)
    jacobians = networks.jacobians(model, x[:FEW])
    yield from percentiles(0, "gradient 1/71", falls(norms))
    yield from eigenvalues(jacobians)
    if when == "after":
        layer = networks.slow_layer(jacobians)
        yield layer, "slow layer", layer
        errors = np.abs(model(x, training=False).numpy()[:, 0] - y)
        yield from mean_over_median(norms, errors)
    if when == "after" and script == "lstm_imdb":
        yield from parts_of_the_slow_number(jacobians)


def pushed(model, layer, left, right, ids):
    """What left @ state has, 70 steps later, of a small push along right at word 1: [n]."""
    _, states, inputs = networks.read(model, ids)
    cell, x = networks.cells(model)[layer - 1], inputs[layer - 1]
    first = states[layer - 1][:, 0]
    with tf.GradientTape() as tape:
        tape.watch(first)
        state = first
        for t in range(1, STEPS + 1):
            state = networks.step(cell, x[:, t], state)
        number = tf.reduce_sum(state @ left.astype(np.float32)[:, None])  # reviews do not mix
    return tape.gradient(number, first).numpy() @ right


def decay(model, x, y):
    """The rows of decay.csv of one trained network: (layer, quantity, value) each."""
    layer, jacobian = networks.slow_jacobians(model, x[:FEW])
    left, right = networks.slow_direction(jacobian)
    yield layer, "mean size", networks.eigenvalue_sizes(jacobian)[0]
    yield layer, "mean Jacobian", left @ jacobian.mean(axis=0) @ right
    yield from percentiles(layer, "number", pushed(model, layer, left, right, x))
    yield from percentiles(layer, "gradient", falls(networks.gradient_norms(model, x, y)))


def main(argv=None):
    args = flags.parse(__doc__, argv, "data", "runs")
    x, y = networks.filled(common.read_npz(args.data)[1], MANY)

    def before_and_after(script, seed):
        yield "before", networks.load(script, seed)
        yield "after", networks.trained(script, seed, args.runs)

    def curves_of(script, seed):
        for when, model in before_and_after(script, seed):
            for row in curves(networks.gradient_norms(model, x, y)):
                yield when, *row

    def numbers_of(script, seed):
        for when, model in before_and_after(script, seed):
            for row in measure(model, script, when, x, y):
                yield when, *row

    def decay_of(script, seed):
        return decay(networks.trained(script, seed, args.runs), x, y)

    keys = [(script, seed) for seed in SEEDS for script in NETWORKS]
    records.complete(CURVES, CURVES_HEAD, keys, curves_of)
    records.complete(CSV, records.NUMBERS, keys, numbers_of)
    records.complete(DECAY, DECAY_HEAD, keys, decay_of)


if __name__ == "__main__":
    common.run(main)
