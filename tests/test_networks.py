"""docs/measure/networks.py against the equations in NumPy, and on networks made by hand."""

import importlib

import common
import handmade
import numpy as np
import pytest
import reference
import tensorflow as tf
from conftest import TINY, build, call, untraced
from docs.measure import names, networks
from docs.measure.names import GATES, NETWORKS

LABELS, STEPS = np.array([0, 1, 1, 0, 1]), (networks.step, networks.step)
each_network, each_gated = (pytest.mark.parametrize("name", of) for of in (NETWORKS, GATES))


def single(array):
    return tf.constant(array, tf.float32)


def in_float64(name, ids):
    """A network of four units with large weights -> model, word vectors of ids, other weights."""
    model = build(importlib.import_module(name), units=4)
    vectors, *weights = (w.astype(np.float64) for w in model.get_weights())
    return model, vectors[ids], weights


# ----------------------------------------------------------------------- steps, gates, Jacobians
@each_network
def test_a_step_is_the_equations_and_its_jacobian_that_of_finite_differences(name):
    """By tests/reference.py, which shares no code with TensorFlow, in float64."""
    cell = networks.load(name, 0, units=16).rnn_1.cell
    rng = np.random.RandomState(1)
    cell.set_weights([w + 0.1 * rng.randn(*w.shape) for w in cell.get_weights()])
    weights = [w.astype(np.float64) for w in cell.get_weights()]
    x, state = rng.randn(3, 100), rng.uniform(-0.5, 0.5, (3, 32 if name == "lstm_imdb" else 16))

    def step(state):
        if name == "rnn_layer_imdb":
            return reference.simple_rnn(x[:, None], *weights, h=state)[:, 0]
        by_name = {"lstm_imdb": reference.lstm_step, "gru_imdb": reference.gru_step}
        return by_name[name](x, state, *weights)

    # float32, sums of 116 terms of size one
    ours = networks.step(cell, single(x), single(state))
    np.testing.assert_allclose(ours, step(state), atol=1e-5)
    jacobian, eps = networks.step_jacobian(cell, single(x), single(state)), 1e-6
    numeric = [(step(state + d) - step(state - d)) / (2 * eps) for d in eps * np.eye(len(state.T))]
    # the differences are exact to 1e-9; ours is float32, entries below one
    np.testing.assert_allclose(jacobian, np.stack(numeric, axis=2), atol=1e-5)


@each_gated
def test_gates_are_those_at_the_state_before_each_word_and_can_be_held(name, ids):
    ids = ids[:, -20:]
    model, x, weights = in_float64(name, ids)
    h = reference.CELLS[name](x, *weights[:3])
    values, own = networks.read_gates(model, ids)
    for t, before in (0, 0 * h[:, 0]), (1, h[:, 0]), (19, h[:, 18]):
        expected = reference.gates(x[:, t], before, *weights[:3])
        assert set(values) == {*expected, "g"}
        for letter in expected:
            np.testing.assert_allclose(values[letter][:, t], expected[letter], atol=1e-5)
    p = model(ids, training=False).numpy()[:, 0]
    for steps in STEPS, (networks.hold({}),) * 2, (networks.cut("ifogzr"),) * 2:
        np.testing.assert_allclose(networks.read(model, ids, steps)[0], p, atol=1e-5)
    letter = GATES[name][-2]  # f or z
    means = own[letter][:, 1:].mean(axis=(0, 1))  # over all words but the first
    steps = networks.hold_at_mean(model, ids, letter, layers=(2,))
    held, states, _ = networks.read(model, ids, steps)
    by_hand = networks.read(model, ids, (networks.step, networks.hold({letter: means})))
    np.testing.assert_allclose(held, by_hand[0], atol=1e-6)
    assert np.abs(held - p).max() > 1e-4
    np.testing.assert_array_equal(states[0], networks.read(model, ids)[1][0])  # layer 1: as it was


def test_a_gru_with_r_held_makes_its_candidate_with_that_r():
    cell = networks.load("gru_imdb", 0, units=4).rnn_1.cell
    rng = np.random.RandomState(0)
    x, h = rng.randn(2, 100), rng.randn(2, 4)
    W_x, W_h, (b_x, b_h) = (w.astype(np.float64) for w in cell.get_weights())
    g = np.tanh((x @ W_x + b_x)[:, 8:] + 0.25 * (h @ W_h + b_h)[:, 8:])
    values = networks.gates(cell, single(x), single(h), {"r": 0.25})
    np.testing.assert_allclose(values["g"], g, atol=1e-5)


@each_gated
def test_the_gates_of_an_untrained_network_are_those_without_any_input(name):
    cell = networks.load(name, 0).rnn_1.cell
    values = networks.gates(cell, tf.zeros((1, 100)), networks.zero_state(cell, 1))
    for letter in GATES[name]:
        np.testing.assert_allclose(values[letter], networks.UNTRAINED[letter], atol=1e-6)


@each_network
def test_the_gradient_of_a_word_is_that_of_finite_differences(name, ids):
    """Of each review: its loss moves by the norm when the vector of a word moves along it."""
    ids, eps = ids[:2, -8:], 1e-5
    model, x, weights = in_float64(name, ids)
    norms = networks.gradient_norms(model, ids, LABELS[:2])
    by_steps = networks.gradient_norms(model, ids, LABELS[:2], STEPS)
    np.testing.assert_allclose(by_steps, norms, rtol=1e-3)

    def loss(x, label):
        cell, (W, b) = reference.CELLS[name], weights[6:]
        h = cell(cell(x, *weights[:3]), *weights[3:6])
        p = reference.sigmoid(h[:, -1] @ W + b)[:, 0]
        return -np.log(p if label else 1 - p)

    for n, t in (0, 0), (0, 7), (1, 0), (1, 7):
        moved = np.zeros((100, 8, 100))  # the k-th in number k of the vector of word t
        moved[range(100), t, range(100)] = eps
        gradient = (loss(x[n] + moved, LABELS[n]) - loss(x[n] - moved, LABELS[n])) / (2 * eps)
        assert norms[n, t] == pytest.approx(np.linalg.norm(gradient), rel=1e-3)


def test_the_ways_of_the_gradient_of_a_gru_are_cut_one_by_one(ids):
    """And of an LSTM: tests/test_measurements.py."""
    model, x = networks.load("gru_imdb", 0, units=4), ids[:, -6:]
    for cell in networks.cells(model):  # no way through h but into r and g: z changes nothing
        kernel = cell.recurrent_kernel.numpy()
        kernel[:, :4] = 0
        cell.recurrent_kernel.assign(kernel)
    whole, z, *others, everything = (
        networks.gradient_norms(model, x, LABELS, [networks.cut(ways)] * 2)[:, 0].mean()
        for ways in ("", "z", ["carry"], "g", "r", ["carry", "g", "r", "z"])
    )
    assert z == pytest.approx(whole, rel=1e-5) and everything == 0
    assert all(number != pytest.approx(whole, rel=1e-5) for number in others)


def test_jacobians_are_taken_at_four_words_from_the_state_before_them(ids, monkeypatch):
    """Of a SimpleRNN: diag(1 - h_t^2) W, with h_t = tanh(x_t W_xh + h_{t-1} W_hh + b)."""
    assert networks.TIMES == (20, 40, 60, 79)
    monkeypatch.setattr(networks, "TIMES", (3, 19))
    model, x, weights = in_float64("rnn_layer_imdb", ids[:, -20:])
    for (W_xh, W_hh, b), ours in zip(
        (weights[:3], weights[3:6]), networks.jacobians(model, ids[:, -20:])
    ):
        x = reference.simple_rnn(x, W_xh, W_hh, b)
        expected = [np.diag(1 - h**2) @ W_hh.T for t in (3, 19) for h in x[:, t]]
        np.testing.assert_allclose(ours, expected, atol=1e-5)


def test_the_slow_direction_is_that_of_the_largest_real_eigenvalue_not_of_the_largest():
    turning = 1.2 * np.array([[np.cos(1), -np.sin(1)], [np.sin(1), np.cos(1)]])
    blocks = np.diag([0.0, 0.0, 0.9, -1.3, 0.2])
    blocks[:2, :2] = turning
    basis = np.random.RandomState(0).randn(5, 5)  # not orthogonal
    jacobian = basis @ blocks @ np.linalg.inv(basis)
    left, right = networks.slow_direction(np.stack([jacobian - 0.1, jacobian + 0.1]))  # their mean
    np.testing.assert_allclose(left @ jacobian, 0.9 * left, atol=1e-9)
    np.testing.assert_allclose(jacobian @ right, 0.9 * right, atol=1e-9)
    assert left @ right == pytest.approx(1)
    sizes = networks.eigenvalue_sizes(np.stack([jacobian, 3 * jacobian]))
    np.testing.assert_allclose(sizes, 2 * np.array([1.3, 1.2, 1.2, 0.9, 0.2]))  # their mean
    for factor, layer in (0.5, 1), (1.5, 2):
        assert networks.slow_layer([jacobian[None], factor * jacobian[None]]) == layer


# ------------------------------------------------------------------------- networks made by hand
def verdicts(model, x, steps):
    """P(positive) - 0.5, to three digits, for its sign is looked at."""
    return (networks.read(model, x, steps)[0] - 0.5).round(3)


def test_what_is_kept_of_a_state_and_what_is_carried():
    model, x, zero = handmade.counter(), handmade.three_reviews(), np.zeros((handmade.LENGTH, 2))
    number, everything = networks.part_along([1, 0], [1, 0]), np.eye(2)
    rest = everything - number
    for changed, signs in (
        (networks.step, [1, 0, -1]),
        (networks.keep(number, zero), [1, 0, -1]),  # nothing else was read
        (networks.keep(rest, zero), [0, 0, 0]),
        (networks.keep(rest, zero, at=12), [0, -1, 0]),  # what came later
        (networks.keep(rest, zero + 0.05), [1, 1, 1]),  # at its mean
        (networks.carry(0 * number, np.zeros(2)), [-1, -1, 1]),  # the last word
        (networks.carry(everything, np.full(2, 0.7)), [1, 0, -1]),  # all is carried
    ):
        steps = networks.in_layer(1, changed)
        assert np.sign(verdicts(model, x, steps)).tolist() == signs
    in_2 = networks.in_layer(2, networks.keep(0 * number, zero))
    assert verdicts(model, x, in_2).tolist() == [0, 0, 0]
    states, of_layer_2_changed = (networks.read(model, x, s)[1] for s in (STEPS, in_2))
    np.testing.assert_array_equal(of_layer_2_changed[0], states[0])


def test_accuracy_counts_the_right_verdicts_of_all_reviews():
    good, _, bad = handmade.three_reviews()
    many, y = np.tile([good, bad], (1_001, 1)), np.tile([1, 1], 1_001)
    assert networks.accuracy(handmade.counter(), many, y) == 0.5
    y[:4] = [1, 0, 1, 0]
    assert networks.accuracy(handmade.counter(), many, y) == pytest.approx(0.5 + 2 / 2_002)


def test_a_threshold_is_halfway_where_most_verdicts_are_right():
    p, labels = np.array([0.9, 0.2, 0.6, 0.3, 0.7]), np.array([1, 0, 1, 0, 0])
    assert networks.best_threshold(p, labels) == pytest.approx(0.45)  # one is wrong; above .7, too
    assert networks.best_threshold(p, np.ones(5)) == pytest.approx(0.1)  # all are positive
    assert networks.best_threshold(p, np.zeros(5)) == pytest.approx(0.95)
    assert networks.best_threshold(np.full(4, 0.3), np.array([1, 1, 1, 0])) < 0.3


def test_a_shift_costs_nothing_and_a_fit_is_scored_on_the_others():
    labels = np.random.RandomState(0).randint(2, size=2_000)
    p = 0.8 + 0.1 * labels + np.arange(2_000) * 1e-5  # at .5 all are positive
    assert networks.refitted_accuracy(p, labels) == 1
    # the even ones are told apart at .5, the odd ones at 2.5: neither threshold serves the others
    p, labels = np.array([0, 2, 1, 3, 0, 2] * 9), np.array([0, 0, 1, 1, 0, 0] * 9)
    assert networks.refitted_accuracy(p, labels) == (2 / 3 + 1 / 3) / 2  # of the even, the odd


# --------------------------------------------------------------------------------------- training
def test_weights_of_another_network_are_refused(tmp_path):
    networks.load("lstm_imdb", 0, units=4).save_weights(tmp_path / "w.weights.h5")
    with pytest.raises(ValueError):
        networks.load("lstm_imdb", 0, tmp_path / "w.weights.h5", units=8)


def test_a_network_is_trained_as_by_its_script_and_read_from_its_file(tmp_path, monkeypatch):
    """The same scores from the same seed as a run of the script."""
    monkeypatch.setattr(common, "MAX_REVIEW_LEN", 10)
    path = names.weights(tmp_path, "toy", "rnn_layer_imdb", 3)
    flags = "--subset 200 --epochs 2 --seed 3 --log".split()
    call("rnn_layer_imdb", *TINY, *flags, tmp_path / "log.csv", "--save", path)
    header, *rows = (line.split(",") for line in (tmp_path / "log.csv").read_text().splitlines())
    model = networks.load("rnn_layer_imdb", 3, units=4)
    history = networks.train(model, [(x[:200], y[:200]) for x, y in common.load_toy()], 3, 0.001, 2)
    assert model.optimizer.clipnorm == 0.25
    for name, *values in zip(header, *rows):
        if name in history:
            assert history[name] == pytest.approx([float(v) for v in values], abs=1e-4)
    for nothing in {"loss": 0.0}, {"epsilon": 1e9}:  # no step is larger than 1e-9
        still = networks.load("rnn_layer_imdb", 3, units=4)
        with untraced():
            networks.train(still, [common.load_toy()[1]] * 2, 3, 0.001, 1, **nothing)
        start = networks.load("rnn_layer_imdb", 3, units=4)
        np.testing.assert_allclose(still.dense.kernel, start.dense.kernel, atol=1e-7)
    monkeypatch.setattr(networks.load, "__defaults__", (None, 4))  # units
    weights = networks.trained("rnn_layer_imdb", 3, tmp_path, "toy").get_weights()
    np.testing.assert_allclose(weights[1], model.get_weights()[1], atol=1e-6)
