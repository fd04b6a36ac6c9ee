"""Measure what training does inside the networks: docs/measure/inside.csv and gradient.csv.

    python docs/measure/results.py --data imdb.npz --runs runs    # first: trains
    python docs/measure/inside.py --data imdb.npz --runs runs

A row of gradient.csv is a curve over the 80 words, a row of inside.csv any other number. A state is
[b, S]: h of a SimpleRNN or a GRU, h and c side by side of an LSTM. Everything is computed with the
scripts' models and weights as they are; what is changed is changed between steps.
"""

import argparse
import csv
import importlib
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "docs/tools")]

import common  # first: it sets TensorFlow's environment variables

import keras
import numpy as np
import tensorflow as tf
from tables import GATES
from tables import NETWORKS as SCRIPTS

tf.get_logger().setLevel("ERROR")  # batch_jacobian is traced anew for every cell, and warns of it
START = {"i": 0.5, "f": 1 / (1 + np.exp(-1)), "o": 0.5, "z": 0.5, "r": 0.5}  # of an untrained gate
SEEDS = range(5)
TIMES = (20, 40, 60, 79)  # where Jacobians are taken: indices of the words 21, 41, 61 and 80


def load(script, seed, weights=None):
    """The model of a script as it starts with a seed, or with the weights of a file."""
    keras.utils.set_random_seed(seed)
    model = importlib.import_module(script).SentimentClassifier(64)
    model.build((None, common.MAX_REVIEW_LEN))
    if weights:
        model.load_weights(weights)
    return model


def falling(start, epochs, train):
    """The scripts' learning rate, by common.linear_decay(), for their batches of 128."""
    args = argparse.Namespace(learning_rate=start, epochs=epochs, batch_size=128)
    return common.linear_decay(args, train)


def fit(model, data, epochs, rate, callbacks=()):
    """Train as the scripts do, but with a rate of its own -> the scores of each epoch."""
    train, test = data
    adam = keras.optimizers.Adam(rate, clipnorm=0.25)
    accuracy = keras.metrics.BinaryAccuracy("accuracy")
    model.compile(adam, loss="binary_crossentropy", metrics=[accuracy], jit_compile=False)
    return model.fit(
        train, validation_data=test, epochs=epochs, callbacks=list(callbacks), verbose=0
    ).history


def finished(path, head, columns):
    """What a CSV has, by its first columns: a set of tuples of text. One that lacks is begun."""
    if not path.exists():
        append(path, [head])
    with open(path, newline="") as file:
        return {tuple(row[:columns]) for row in csv.reader(file)}


def append(path, rows):
    """Write rows to the end of a CSV: a program that is stopped goes on after them."""
    with open(path, "a", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def cells(model):
    """The two cells of a model."""
    return model.rnn_1.cell, model.rnn_2.cell


def step(cell, x, state):
    """One time step of Keras's cell: x [b, in], state [b, S] -> the next state [b, S]."""
    parts = tf.split(state, state.shape[1] // cell.units, axis=1)
    _, new = cell(x, parts, training=False)
    return tf.concat(tf.nest.flatten(new), axis=1)


def zero_state(cell, b):
    """h_0 = 0, and c_0 = 0 where there is one: [b, S]."""
    return tf.concat(tf.nest.flatten(cell.get_initial_state(b)), axis=1)


def gates(cell, x, state):
    """The gates of one step, from the equations in the scripts: {letter: [b, units]}, and g's part.

    For an LSTM g is the candidate; a GRU's depends on r: it is a function of r.
    """
    h = state[:, : cell.units]
    a, b = x @ cell.kernel, h @ cell.recurrent_kernel
    if len(cell.bias.shape) == 1:  # LSTM
        i, f, g, o = tf.split(a + b + cell.bias, 4, axis=1)
        sigmoids = {"i": tf.sigmoid(i), "f": tf.sigmoid(f), "o": tf.sigmoid(o)}
        return sigmoids, lambda r: tf.tanh(g)
    x_z, x_r, x_g = tf.split(a + cell.bias[0], 3, axis=1)
    h_z, h_r, h_g = tf.split(b + cell.bias[1], 3, axis=1)
    return {"z": tf.sigmoid(x_z + h_z), "r": tf.sigmoid(x_r + h_r)}, lambda r: tf.tanh(
        x_g + r * h_g
    )


def gated_step(cell, x, state, fixed):
    """A step in which the gates named in `fixed`, or the candidate g, have given values."""
    own, candidate = gates(cell, x, state)
    own = {**own, **fixed}
    h, g = state[:, : cell.units], own.get("g", candidate(own.get("r")))
    if "z" in own:
        return own["z"] * h + (1 - own["z"]) * g
    c = own["f"] * state[:, cell.units :] + own["i"] * g
    return tf.concat([own["o"] * tf.tanh(c), c], axis=1)


def read(model, ids, steps=(step, step), change=lambda layer, t, state: state):
    """Read ids [b, 80] step by step -> P(positive) [b], states of layer 1 and 2 [b, 80, S], inputs.

    change(layer, t, state) may return another state, with which the reading goes on.
    """
    x = model.embedding(ids)
    all_states, inputs = [], []
    for layer, (cell, one) in enumerate(zip(cells(model), steps), start=1):
        state, states = zero_state(cell, len(ids)), []
        for t in range(x.shape[1]):
            state = change(layer, t, one(cell, x[:, t], state))
            states.append(state)
        inputs.append(x)
        all_states.append(tf.stack(states, axis=1))
        x = all_states[-1][:, :, : cell.units]
    return model.dense(x[:, -1]).numpy()[:, 0], all_states, inputs


def jacobians(cell, x, state):
    """d(next state)/d(state) of one step by TensorFlow: [b, S, S]."""
    with tf.GradientTape() as tape:
        tape.watch(state)
        new = step(cell, x, state)
    return tape.batch_jacobian(new, state).numpy()


def all_jacobians(model, ids):
    """Of layer 1 and 2, at TIMES, over the reviews: two arrays [len(TIMES) * b, S, S]."""
    _, states, inputs = read(model, ids)
    return [
        np.concatenate([jacobians(cell, x[:, t], s[:, t - 1]) for t in TIMES])
        for cell, s, x in zip(cells(model), states, inputs)
    ]


def eigenvalue_sizes(jacobian):
    """Mean size of the largest, second, third ... eigenvalue: [S]."""
    sizes = np.sort(np.abs(np.linalg.eigvals(jacobian)), axis=-1)[:, ::-1]
    return sizes.mean(axis=0)


def slow_direction(jacobian):
    """Left and right eigenvector, l r = 1, of the largest real eigenvalue of the mean Jacobian."""
    mean = jacobian.mean(axis=0)
    values, right = np.linalg.eig(mean)
    i = np.argmax(np.where(np.abs(values.imag) < 1e-6, values.real, -1))
    left = np.linalg.inv(right)[i].real
    return left / np.linalg.norm(left), right[:, i].real * np.linalg.norm(left)


def without(layer, left, right, mean, once):
    """A change() that sets a state's part along `right`, as `left` measures it, to its mean [80].

    once: only at step 40, else at every step.
    """

    def change(here, t, state):
        if here != layer or (once and t != 39):
            return state
        part = tf.linalg.matvec(state, left.astype(np.float32)) - mean[t]
        return state - part[:, None] * right.astype(np.float32)

    return change


def gradient_norms(model, ids, labels):
    """Norm of d loss / d x_t of every review, for every time step t: [b, 80]."""
    with tf.GradientTape() as tape:
        p = model(ids, training=False)[:, 0]
        loss = -tf.reduce_sum(tf.math.log(tf.where(labels == 1, p, 1 - p)))  # reviews do not mix
    rows = tape.gradient(loss, model.embedding.embeddings.value).values  # [b * 80, 100]
    return tf.norm(tf.reshape(rows, (*ids.shape, -1)), axis=-1).numpy()


def first_word_gradient(model, ids, labels, cut):
    """Mean norm of d loss / d x_1 of an LSTM; cut: no gradient flows back by way of h."""

    def one(cell, x, state):
        h, c = tf.split(state, 2, axis=1)
        return step(cell, x, tf.concat([tf.stop_gradient(h) if cut else h, c], axis=1))

    first = model.embedding(ids)[:, 0]
    rest = model.embedding(ids)[:, 1:]
    with tf.GradientTape() as tape:
        tape.watch(first)
        x = tf.concat([first[:, None], rest], axis=1)
        for cell in cells(model):
            state, out = zero_state(cell, len(ids)), []
            for t in range(x.shape[1]):
                state = one(cell, x[:, t], state)
                out.append(state[:, : cell.units])
            x = tf.stack(out, axis=1)
        p = model.dense(x[:, -1])[:, 0]
        loss = -tf.reduce_sum(tf.math.log(tf.where(labels == 1, p, 1 - p)))
    return tf.norm(tape.gradient(loss, first), axis=1).numpy().mean()


def all_gates(model, ids):
    """Of layer 1 and 2: {letter: values at every step but the first, [79, b, units]}."""
    _, states, inputs = read(model, ids)
    layers = []
    for cell, s, x in zip(cells(model), states, inputs):
        values = [gates(cell, x[:, t], s[:, t - 1])[0] for t in range(1, x.shape[1])]
        layers.append({name: np.stack([v[name] for v in values]) for name in values[0]})
    return layers


def frozen_steps(model, ids, how):
    """Steps for read() with every gate held at its unit's mean, or at an untrained gate's value."""
    steps = []
    for own in all_gates(model, ids):
        fixed = {k: START[k] if how == "start" else v.mean(axis=(0, 1)) for k, v in own.items()}
        steps.append(lambda cell, x, state, fixed=fixed: gated_step(cell, x, state, fixed))
    return steps


# ------------------------------------------------------------------------------------ measurements
def measure_gradient(model, x, y, note, curve, when):
    """The gradient by word: mean and percentiles over the reviews, and how far one review falls."""
    norms = gradient_norms(model, x, y)
    curve(when, "mean", norms.mean(axis=0))
    for p in (10, 50, 90):
        curve(when, f"p{p}", np.percentile(norms, p, axis=0))
    for p in (10, 50, 90):
        note(when, 0, f"gradient 1/71 p{p}", np.percentile(norms[:, 0] / norms[:, 70], p))


def measure_imdb(script, seed, args, x, y, note, curve):
    """Gradient, eigenvalues, gates, frozen gates and the slow direction of one network on IMDB."""
    whole = np.flatnonzero(x[:, 0] != common.PAD)  # the reviews that fill all 80 places
    few, many, scored = whole[:48], whole[:512], np.split(np.arange(5_000), 5)
    trained = load(script, seed, args.runs / f"{script}-{seed}.weights.h5")
    for when, model in ("before", load(script, seed)), ("after", trained):
        measure_gradient(model, x[many], y[many], note, curve, when)
        jacobians = all_jacobians(model, x[few])
        tops = [eigenvalue_sizes(jacobian) for jacobian in jacobians]
        for layer, top in enumerate(tops, start=1):
            for n in range(3):
                note(when, layer, f"eigenvalue {n + 1}", top[n])
        if script == "lstm_imdb":
            for name, cut in ("whole", False), ("carry only", True):
                value = first_word_gradient(model, x[few], y[few], cut)
                note(when, 0, f"gradient 1 {name}", value)
        if script in GATES:
            for layer, own in enumerate(all_gates(model, x[many]), start=1):
                for name, values in own.items():
                    note(when, layer, f"gate {name} mean", values.mean())
                    for p in (10, 90):
                        note(when, layer, f"gate {name} p{p}", np.percentile(values, p))

    def accuracy(**changes):
        return np.mean([(read(model, x[n], **changes)[0] > 0.5) == y[n] for n in scored])

    note("as trained", 0, "accuracy", accuracy())
    for how in ("mean", "start") if script in GATES else ():
        steps = frozen_steps(model, x[many], how)
        note(f"gates at {how}", 0, "accuracy", accuracy(steps=steps))
    layer = 1 + int(np.argmax([top[0] for top in tops]))
    note("after", layer, "slow layer", layer)
    left, right = slow_direction(jacobians[layer - 1])
    states = read(model, x[many])[1][layer - 1].numpy()
    units = [u / np.linalg.norm(u) for u in np.random.RandomState(seed).randn(3, len(left))]
    for name, pairs in ("slow", [(left, right)]), ("random", [(u, u) for u in units]):
        for moments in ("step 40", "every step"):
            scores = [
                accuracy(
                    change=without(layer, a, b, (states @ a).mean(axis=0), moments == "step 40")
                )
                for a, b in pairs
            ]
            note(f"without {name}, {moments}", layer, "accuracy", np.mean(scores))


def measure_toy(script, seed, args, note):
    """Accuracy on the toy's test reviews with and without a "not", and that with frozen gates."""
    texts, _, _ = common.toy_reviews()
    _, (x, y) = common.load_toy()
    negated = np.array([" not " in text for text in texts[common.TOY_TRAIN :]])
    path = args.runs / f"toy-{script}-{seed}.weights.h5"
    if script == "baseline":
        model = importlib.import_module("baseline").average()
        model.load_weights(path)
    else:
        model = load(script, seed, path)
    answers = {"as trained": model(x, training=False).numpy()[:, 0]}
    for how in ("mean", "start") if script in GATES else ():
        steps = frozen_steps(model, x[:512], how)
        answers[f"gates at {how}"] = read(model, x, steps=steps)[0]
    for when, p in answers.items():
        for kind, chosen in ("all", negated | True), ("not", negated), ("no not", ~negated):
            note(when, 0, f"toy {kind}", np.mean((p > 0.5)[chosen] == y[chosen]))


def write_csv(name, head, rows):
    """Write docs/measure/NAME.csv."""
    with open(ROOT / f"docs/measure/{name}.csv", "w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([head, *rows])


def measure(args):
    """Measure everything and write docs/measure/inside.csv and gradient.csv."""
    _, (x, y) = common.read_npz(args.data)
    rows, curves = [], []
    for seed in SEEDS:
        for script in (*SCRIPTS, "rnn_cell_imdb", "baseline"):

            def note(when, layer, quantity, value, script=script, seed=seed):
                rows.append((script, seed, when, layer, quantity, f"{value:.5g}"))

            def curve(when, of, by_word, script=script, seed=seed):
                curves.append((script, seed, when, of, *(f"{value:.5g}" for value in by_word)))

            if script in SCRIPTS:
                measure_imdb(script, seed, args, x, y, note, curve)
            measure_toy(script, seed, args, note)
            print(script, seed, flush=True)
    write_csv("inside", ("script", "seed", "when", "layer", "quantity", "value"), rows)
    words = range(1, common.MAX_REVIEW_LEN + 1)
    write_csv("gradient", ("script", "seed", "when", "of", *words), curves)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, metavar="NPZ", required=True)
    parser.add_argument("--runs", type=Path, metavar="FOLDER", required=True)
    measure(parser.parse_args())


if __name__ == "__main__":
    main()
