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
import itertools
from pathlib import Path

import common  # first: it sets TensorFlow's environment variables

import keras
import numpy as np
import tensorflow as tf

from docs.measure import networks, records
from docs.measure.names import NETWORKS, ROOT, SEEDS, saved

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
    """-> the slow layer, and [(quantity, value)]."""
    jacobians = networks.jacobians(model, x[:FEW])
    layer = networks.slow_layer(jacobians)
    jacobian = jacobians[layer - 1]
    left, right = networks.slow_direction(jacobian)
    found = [
        ("mean size", networks.eigenvalue_sizes(jacobian)[0]),
        ("mean Jacobian", left @ jacobian.mean(axis=0) @ right),
    ]
    norms = networks.gradient_norms(model, x, y)
    for name, share in (
        ("number", pushed(model, layer, left, right, x)),
        ("gradient", norms[:, 0] / norms[:, STEPS]),
    ):
        found += [(f"{name} p{p}", np.percentile(share, p)) for p in (10, 50, 90)]
    return layer, found


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, metavar="NPZ", required=True)
    parser.add_argument("--runs", type=Path, metavar="FOLDER", required=True)
    args = parser.parse_args()
    _, (x, y) = common.read_npz(args.data)
    filled = networks.filled(x, MANY)
    has = records.finished(CSV, HEAD, 2)
    for seed, script in itertools.product(SEEDS, NETWORKS):
        if (script, str(seed)) in has:
            continue
        weights = f"{saved(args.runs, 'as it is', script, seed)}.weights.h5"
        layer, found = measure(networks.load(script, seed, weights), x[filled], y[filled])
        rows = [(script, seed, layer, name, f"{v:.4g}", records.machine()) for name, v in found]
        records.append(CSV, rows)
        keras.backend.clear_session()
        print(script, seed, layer, *(f"{name} {value:.3g}" for name, value in found), flush=True)


if __name__ == "__main__":
    common.run(main)
