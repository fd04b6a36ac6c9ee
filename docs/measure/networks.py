"""The networks of the scripts, read step by step: a library.

A state is [b, S]: h of a SimpleRNN or a GRU, h and c side by side of an LSTM. Everything is
computed with the scripts' models and weights as they are; what is changed is changed in a step. A
step is a function of (cell, x [b, in], state [b, S], t) that returns the next state, where t is the
place of the word, from 0 on: step() is Keras's own, and those under "other steps" change something.
A reading takes one for each of the two layers: (step, step) is the network as it is.
"""

import argparse
import importlib
import itertools

import common
import keras
import numpy as np
import tensorflow as tf
from docs.measure import made_up, names

tf.get_logger().setLevel("ERROR")  # batch_jacobian is traced anew for every cell, and warns of it
UNTRAINED = {"i": 0.5, "f": 1 / (1 + np.exp(-1)), "o": 0.5, "z": 0.5, "r": 0.5}  # gates
ENOUGH = 0.99  # of a made-up task: it is learned
TIMES = (20, 40, 60, 79)  # where Jacobians are taken: places of the words 21, 41, 61 and 80


# ---------------------------------------------------------------- models, reviews and training
def load(script, seed, path=None, units=64):
    """The model of a script as it starts with a seed, or with the weights of a file."""
    keras.utils.set_random_seed(seed)
    model = importlib.import_module(script).SentimentClassifier(units)
    model.build((None, common.MAX_REVIEW_LEN))
    if path:
        model.load_weights(path)
    return model


def trained(script, seed, runs, data="as it is"):
    """The model of a script as runs.py has trained it: on IMDB "as it is", or on the "toy"."""
    return load(script, seed, names.weights(runs, data, script, seed))


def filled(reviews, n):
    """The first n of (ids, labels) that have a word in every place: reviews without padding."""
    places = np.flatnonzero(reviews[0][:, 0] != common.PAD)[:n]
    return tuple(array[places] for array in reviews)


def made_up_reviews(task, words, seed, reviews=None):
    """A task of made_up.py -> (ids [n, words] int32, labels [n]) to train on, and to test on."""
    splits = made_up.splits(task, words, reviews or made_up.REVIEWS[task], seed)
    return [((ranks + common.INDEX_FROM).astype(np.int32), y) for ranks, y in splits]


def train(model, splits, seed, rate, epochs, callbacks=(), **conditions):
    """Train on reviews as the scripts do, at another rate -> the scores of each epoch.

    Of the conditions the loss is multiplied by "loss"; "epsilon" is Adam's.
    """
    train, test = common.make_datasets(*splits, 128, seed)
    args = argparse.Namespace(learning_rate=rate, epochs=epochs, batch_size=128)
    epsilon, factor = conditions.get("epsilon", 1e-7), [conditions.get("loss", 1.0)]
    adam = keras.optimizers.Adam(common.linear_decay(args, train), clipnorm=0.25, epsilon=epsilon)
    accuracy = keras.metrics.BinaryAccuracy("accuracy")
    model.compile(
        adam, "binary_crossentropy", loss_weights=factor, metrics=[accuracy], jit_compile=False
    )
    options = dict(epochs=epochs, callbacks=list(callbacks), verbose=0)
    history = model.fit(train, validation_data=test, **options).history
    keras.backend.clear_session()  # some programs train hundreds
    return history


class Enough(keras.callbacks.Callback):
    """Ends a run once an epoch has ENOUGH of the test reviews right."""

    def on_epoch_end(self, epoch, logs):
        self.model.stop_training = logs["val_accuracy"] >= ENOUGH


# -------------------------------------------------------------------------------------- one step
def cells(model):
    """The two cells of a model."""
    return model.rnn_1.cell, model.rnn_2.cell


def zero_state(cell, b):
    """h_0 = 0, and c_0 = 0 where there is one: [b, S]."""
    return tf.concat(tf.nest.flatten(cell.get_initial_state(b)), axis=1)


def begin_open(model, bias):
    """Set b_f of an LSTM, or b_xz of a GRU, in both layers: how far open it begins."""
    for cell in cells(model):
        values = cell.bias.numpy()
        if len(values.shape) == 1:  # LSTM: b_i, b_f, b_g, b_o
            values[cell.units : 2 * cell.units] = bias
        else:  # the first row is b_xz, b_xr, b_xg
            values[0, : cell.units] = bias
        cell.bias.assign(values)


def step(cell, x, state, t=None):
    """One time step of Keras's cell: x [b, in], state [b, S] -> the next state [b, S]."""
    parts = tf.split(state, state.shape[1] // cell.units, axis=1)
    _, new = cell(x, parts, training=False)
    return tf.concat(tf.nest.flatten(new), axis=1)


def gates(cell, x, state, fixed=None):
    """The gates and the candidate g of one step of an LSTM or a GRU: {letter: [b, units]}.

    From the equations in the scripts. fixed: {letter: values} to be taken instead; the g of a GRU
    is made with the r that is fixed.
    """
    h, fixed = state[:, : cell.units], fixed or {}
    from_x, from_h = x @ cell.kernel, h @ cell.recurrent_kernel
    if len(cell.bias.shape) == 1:  # LSTM
        i, f, g, o = tf.split(from_x + from_h + cell.bias, 4, axis=1)
        return {"i": tf.sigmoid(i), "f": tf.sigmoid(f), "o": tf.sigmoid(o), "g": tf.tanh(g)} | fixed
    x_z, x_r, x_g = tf.split(from_x + cell.bias[0], 3, axis=1)
    h_z, h_r, h_g = tf.split(from_h + cell.bias[1], 3, axis=1)
    values = {"z": tf.sigmoid(x_z + h_z), "r": tf.sigmoid(x_r + h_r)} | fixed
    return {**values, "g": fixed.get("g", tf.tanh(x_g + values["r"] * h_g))}


def combine(values, state):
    """The next state [b, S], from the gates and g of a step and the state before it."""
    if "z" in values:
        return values["z"] * state + (1 - values["z"]) * values["g"]
    _, c = tf.split(state, 2, axis=1)
    c = values["f"] * c + values["i"] * values["g"]
    return tf.concat([values["o"] * tf.tanh(c), c], axis=1)


# ---------------------------------------------------------------------------------- other steps
def in_layer(layer, changed):
    """The two steps of a reading in which only that of layer 1 or 2 is changed."""
    return (changed, step) if layer == 1 else (step, changed)


def hold(fixed):
    """A step in which gates, or g, have the same values at every word: {letter: [units]}."""
    return lambda cell, x, state, t: combine(gates(cell, x, state, fixed), state)


def hold_at(chosen, values):
    """A step in which gates, or g, have given values at chosen words, and their own elsewhere.

    chosen: [n, words] bool; values: {letter: [n, words, units]}, of the reviews that are read.
    """

    def changed(cell, x, state, t):
        own = gates(cell, x, state)
        fixed = {k: tf.where(chosen[:, t, None], v[:, t], own[k]) for k, v in values.items()}
        return combine(gates(cell, x, state, fixed), state)

    return changed


def hold_at_mean(model, ids, letters, layers=(1, 2)):
    """Steps with the gates of these letters, in these layers, at each unit's mean over ids.

    The mean is over all words but the first, whose gates have no state to read.
    """
    steps = []
    for layer, values in enumerate(read_gates(model, ids), start=1):
        means = {k: values[k][:, 1:].mean(axis=(0, 1)) for k in letters if layer in layers}
        steps.append(hold(means) if means else step)
    return steps


def keep(matrix, mean, at=None):
    """A step after which the state's deviation from its mean is multiplied by a matrix.

    matrix: [S, S], for rows; mean: [words, S]; at: the only word where it is done, or None: at all.
    """
    matrix, mean = (np.asarray(a, np.float32) for a in (matrix, mean))

    def changed(cell, x, state, t):
        state = step(cell, x, state)
        return mean[t] + (state - mean[t]) @ matrix if at is None or t == at else state

    return changed


def carry(matrix, mean):
    """A step that sees of the state before it only what a matrix leaves of its deviation.

    matrix: [S, S]; mean: [S]. What the layer above is given of the word itself stays: only memory
    is taken away.
    """
    matrix, mean = (np.asarray(a, np.float32) for a in (matrix, mean))
    return lambda cell, x, state, t: step(cell, x, mean + (state - mean) @ matrix)


def cut(ways):
    """A step of an LSTM or a GRU with the values of step(), but no gradient goes back by `ways`.

    A way is a letter, for h_{t-1} on its way into that gate or into the candidate g, or "carry":
    for the factor c_{t-1} in f * c_{t-1}, the factor h_{t-1} in z * h_{t-1}.
    """

    def changed(cell, x, state, t):
        dead = tf.stop_gradient(state)
        whole, none = gates(cell, x, state), gates(cell, x, dead)
        fixed = {k: none[k] if k in ways else whole[k] for k in whole if k != "g"}
        values = gates(cell, x, dead if "g" in ways else state, fixed)
        return combine(values, dead if "carry" in ways else state)

    return changed


# ------------------------------------------------------------------------------------- readings
def read_vectors(model, x, steps=(step, step)):
    """As read(), from word vectors x [b, words, 100]; P(positive) is a tensor, for a tape."""
    states, inputs = [], []
    for cell, one in zip(cells(model), steps):
        state, by_word = zero_state(cell, len(x)), []
        for t in range(x.shape[1]):
            state = one(cell, x[:, t], state, t)
            by_word.append(state)
        inputs.append(x)
        states.append(tf.stack(by_word, axis=1))
        x = states[-1][:, :, : cell.units]
    return model.dense(x[:, -1])[:, 0], states, inputs


def read(model, ids, steps=(step, step)):
    """Read ids [b, words] -> P(positive) [b], states of layer 1 and 2 [b, words, S], their inputs.

    steps: one for each layer, as the top of this file says.
    """
    p, states, inputs = read_vectors(model, model.embedding(ids), steps)
    return p.numpy(), states, inputs


def positive(model, ids, steps=(step, step)):
    """P(positive) [n] of many reviews; so many at a time that memory is enough."""
    parts = np.array_split(np.arange(len(ids)), max(1, len(ids) // 1_000))
    return np.concatenate([read(model, ids[part], steps)[0] for part in parts])


def accuracy(model, ids, labels, steps=(step, step)):
    """The share of right verdicts."""
    return np.mean((positive(model, ids, steps) > 0.5) == labels)


def refitted_accuracy(p, labels):
    """The share of right verdicts by a threshold that is best on the other half of the reviews.

    p: P(positive) [n]. What changes a state may shift every P and leave their order; the verdicts
    at 0.5 are then all alike, and this is not.
    """
    halves = np.arange(len(p)) % 2 == 0, np.arange(len(p)) % 2 == 1
    right = [
        (p[score] > best_threshold(p[fit], labels[fit])) == labels[score]
        for fit, score in (halves, halves[::-1])
    ]
    return np.mean(np.concatenate(right))


def best_threshold(p, labels):
    """The number for which most of the verdicts p > number are right: halfway between two p."""
    order = np.argsort(p)
    values = np.concatenate([[0], p[order], [1]])
    # with the first k called negative: the negative ones among them, the positive ones after them
    below = np.concatenate([[0], np.cumsum(labels[order] == 0)])
    above = np.sum(labels == 1) - np.concatenate([[0], np.cumsum(labels[order] == 1)])
    right = np.where(np.diff(values) > 0, below + above, -1)  # no threshold parts equal ones
    k = np.argmax(right)
    return (values[k] + values[k + 1]) / 2


def read_gates(model, ids):
    """The gates and g at every word: of layer 1 and 2 {letter: [n, words, units]}."""
    _, states, inputs = read(model, ids)
    layers = []
    for cell, state, x in zip(cells(model), states, inputs):
        before = tf.concat([tf.zeros_like(state[:, :1]), state[:, :-1]], axis=1)
        by_word = [gates(cell, x[:, t], before[:, t]) for t in range(x.shape[1])]
        layers.append({k: np.stack([v[k] for v in by_word], axis=1) for k in by_word[0]})
    return layers


def gates_by_kind(model, ids, kinds, letters):
    """The mean of each gate at each kind of word, from the second word on, whose state is read.

    kinds: {kind: [n, words] bool}. Yields (layer, letter, kind, mean).
    """
    for layer, values in enumerate(read_gates(model, ids), start=1):
        for letter, (kind, chosen) in itertools.product(letters, kinds.items()):
            yield layer, letter, kind, values[letter][:, 1:][chosen[:, 1:]].mean()


# ------------------------------------------------------------------------- gradients, Jacobians
def gradient_norms(model, ids, labels, steps=None):
    """Norm of d loss / d x_t of every review at every word: [b, words].

    steps: as of read(), such as those of cut(); without them the model's own layers, quicker.
    """
    x = model.embedding(ids)
    with tf.GradientTape() as tape:
        tape.watch(x)
        if steps:
            p, _, _ = read_vectors(model, x, steps)
        else:
            p = model.dense(model.rnn_2(model.rnn_1(x, training=False), training=False))[:, 0]
        loss = -tf.reduce_sum(tf.math.log(tf.where(labels == 1, p, 1 - p)))  # reviews do not mix
    gradient = tape.gradient(loss, x).numpy().astype(float)  # float32 has no square of 1e-23
    return np.linalg.norm(gradient, axis=2)


def step_jacobian(cell, x, state):
    """d(next state)/d(state) of one step by TensorFlow: [b, S, S]."""
    with tf.GradientTape() as tape:
        tape.watch(state)
        new = step(cell, x, state)
    return tape.batch_jacobian(new, state).numpy()


def jacobians(model, ids):
    """Of layer 1 and 2, at TIMES, over the reviews: two arrays [len(TIMES) * b, S, S]."""
    _, states, inputs = read(model, ids)
    return [
        np.concatenate([step_jacobian(cell, x[:, t], state[:, t - 1]) for t in TIMES])
        for cell, state, x in zip(cells(model), states, inputs)
    ]


def slow_jacobians(model, ids):
    """The layer whose largest eigenvalue is larger, 1 or 2, and the Jacobians there."""
    of_layers = jacobians(model, ids)
    layer = slow_layer(of_layers)
    return layer, of_layers[layer - 1]


def eigenvalue_sizes(jacobian):
    """Mean size of the largest, second, third ... eigenvalue of [n, S, S]: [S]."""
    sizes = np.sort(np.abs(np.linalg.eigvals(jacobian)), axis=-1)[:, ::-1]
    return sizes.mean(axis=0)


def slow_layer(jacobians):
    """1 or 2: the layer whose largest eigenvalue is the larger one."""
    return 1 + int(np.argmax([eigenvalue_sizes(jacobian)[0] for jacobian in jacobians]))


def slow_direction(jacobian):
    """Left and right eigenvector, l r = 1, of the largest real eigenvalue of the mean Jacobian."""
    values, right = np.linalg.eig(jacobian.mean(axis=0))
    i = np.argmax(np.where(np.abs(values.imag) < 1e-6, values.real, -1))
    left = np.linalg.inv(right)[i].real
    return left / np.linalg.norm(left), right[:, i].real * np.linalg.norm(left)


def part_along(left, right):
    """The matrix [S, S] that keeps of a row its part along `right`, as `left` measures it."""
    return np.outer(left, right)
