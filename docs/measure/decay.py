"""How much a trained network keeps over 70 steps, and what its eigenvalues would give: decay.csv.

    python -m docs.measure.runs --data imdb.npz --runs runs --only "as it is"   # first: trains
    python -m docs.measure.decay --data imdb.npz --runs runs

All of the layer with the slow number (networks.py), over IMDB's test reviews without padding:

mean size: the largest eigenvalue of each step's Jacobian by size, its mean over steps and reviews;
mean Jacobian: the largest real eigenvalue of the mean Jacobian, that of the slow number;
number: of a push along the slow direction at word 1, what the slow number at word 71 has of it,
  through the product of the 70 Jacobians along the review (median, 10th and 90th percentile);
gradient: the norm of d loss / d x_1 over that of d loss / d x_71 (the same).

The first two to the power 70 are what would be left if every step were like the mean of steps.
"""

import argparse
from pathlib import Path

import common
import keras
import numpy as np
import tensorflow as tf
from docs.measure import networks, records
from docs.measure.names import NETWORKS, ROOT, SEEDS, weights

CSV = ROOT / "docs/measure/decay.csv"
HEAD = ("script", "seed", "layer", "quantity", "value", "machine")
FEW, MANY, STEPS = 48, 512, 70  # reviews for Jacobians, and for all else


def pushed(model, layer, left, right, ids):
    """What left @ state has, STEPS steps later, of a small push along right at word 1: [n]."""
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


def measure(model, x, y):
    """What an eigenvalue would keep, and what is kept: rows of (layer, quantity, value)."""
    jacobians = networks.jacobians(model, x[:FEW])
    layer = networks.slow_layer(jacobians)
    jacobian = jacobians[layer - 1]
    left, right = networks.slow_direction(jacobian)
    yield layer, "mean size", networks.eigenvalue_sizes(jacobian)[0]
    yield layer, "mean Jacobian", left @ jacobian.mean(axis=0) @ right
    norms = networks.gradient_norms(model, x, y)
    for name, shares in (
        ("number", pushed(model, layer, left, right, x)),
        ("gradient", norms[:, 0] / norms[:, STEPS]),
    ):
        for p in (10, 50, 90):
            yield layer, f"{name} p{p}", np.percentile(shares, p)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", metavar="NPZ", required=True)
    parser.add_argument("--runs", type=Path, metavar="FOLDER", required=True)
    args = parser.parse_args()
    _, (x, y) = common.read_npz(args.data)
    filled = networks.filled(x, MANY)

    def rows(script, seed):
        model = networks.load(script, seed, weights(args.runs, "as it is", script, seed))
        for row in measure(model, x[filled], y[filled]):
            yield *row, records.machine()
        keras.backend.clear_session()

    records.complete(CSV, HEAD, [(script, seed) for seed in SEEDS for script in NETWORKS], rows)


if __name__ == "__main__":
    common.run(main)
