"""docs/measure/networks.py against the equations in NumPy, and on networks made by hand."""

import importlib

import common
import handmade
import numpy as np
import pytest
import reference
import tensorflow as tf
from conftest import TINY, build, call
from docs.measure import networks
from docs.measure.names import GATES, NETWORKS
from handmade import UP

LABELS, STEPS = np.array([0, 1, 1, 0, 1]), (networks.step, networks.step)


def single(array):
    return tf.constant(array, tf.float32)


@pytest.fixture(params=NETWORKS)
def case(request):
    """A cell with other weights than at its start, and one step: x [3, 100], state [3, S].

    The fourth: the step in float64 by tests/reference.py, which shares no code with TensorFlow.
    """
    cell = networks.load(request.param, 0, units=16).rnn_1.cell
    rng = np.random.RandomState(1)
    cell.set_weights([w + 0.1 * rng.randn(*w.shape) for w in cell.get_weights()])
    weights = [w.astype(np.float64) for w in cell.get_weights()]
    x, size = rng.randn(3, 100), 32 if request.param == "lstm_imdb" else 16

    def step(state):
        if request.param == "rnn_layer_imdb":
            return reference.simple_rnn(x[:, None], *weights, h=state)[:, 0]
        by_name = {"lstm_imdb": reference.lstm_step, "gru_imdb": reference.gru_step}
        return by_name[request.param](x, state, *weights)

    return cell, x, rng.uniform(-0.5, 0.5, (3, size)), step


def test_a_step_is_the_equations_and_its_jacobian_that_of_finite_differences(case):
    cell, x, state, step = case
    # float32, sums of 116 terms of size one
    ours = networks.step(cell, single(x), single(state))
    np.testing.assert_allclose(ours, step(state), atol=1e-5)
    jacobian, eps = networks.step_jacobian(cell, single(x), single(state)), 1e-6
    numeric = [(step(state + d) - step(state - d)) / (2 * eps) for d in eps * np.eye(len(state.T))]
    # the differences are exact to 1e-9; ours is float32, entries below one
    np.testing.assert_allclose(jacobian, np.stack(numeric, axis=2), atol=1e-5)


@pytest.fixture(params=GATES)
def gated(request, ids):
    """A network of four units with large weights, ids [5, 20], and layer 1 by tests/reference.py.

    -> model, ids, (weights in float64, x [5, 20, 100], h [5, 20, 4]).
    """
    model, ids = build(importlib.import_module(request.param), units=4), ids[:, -20:]
    x = model.embedding.get_weights()[0].astype(np.float64)[ids]
    weights = [w.astype(np.float64) for w in model.rnn_1.get_weights()]
    h = getattr(reference, request.param.removesuffix("_imdb"))(x, *weights)
    return model, ids, (weights, x, h)


def test_gates_are_those_at_the_state_before_each_word(gated):
    model, ids, (weights, x, h) = gated
    values, _ = networks.read_gates(model, ids)
    for t, before in (0, 0 * h[:, 0]), (1, h[:, 0]), (19, h[:, 18]):
        expected = reference.gates(x[:, t], before, *weights)
        assert set(values) == {*expected, "g"}
        for letter in expected:
            np.testing.assert_allclose(values[letter][:, t], expected[letter], atol=1e-5)


def test_a_reading_made_of_gates_is_that_of_the_model_and_gates_can_be_held(gated):
    model, ids, _ = gated
    p = model(ids, training=False).numpy()[:, 0]
    for steps in STEPS, (networks.hold({}),) * 2, (networks.cut("ifogzr"),) * 2:
        np.testing.assert_allclose(networks.read(model, ids, steps)[0], p, atol=1e-5)
    own = networks.read_gates(model, ids)[1]
    letter = "f" if "f" in own else "z"
    means = own[letter][:, 1:].mean(axis=(0, 1))
    held = networks.read(model, ids, networks.hold_at_mean(model, ids, letter, layers=(2,)))
    by_hand = networks.read(model, ids, (networks.step, networks.hold({letter: means})))
    np.testing.assert_allclose(held[0], by_hand[0], atol=1e-6)
    assert np.abs(held[0] - p).max() > 1e-4
    np.testing.assert_array_equal(
        held[1][0], networks.read(model, ids)[1][0]
    )  # layer 1 is as it was


def test_a_gru_with_r_held_makes_its_candidate_with_that_r():
    cell = networks.load("gru_imdb", 0, units=4).rnn_1.cell
    rng = np.random.RandomState(0)
    x, h = rng.randn(2, 100), rng.randn(2, 4)
    W_x, W_h, (b_x, b_h) = (w.astype(np.float64) for w in cell.get_weights())
    g = np.tanh((x @ W_x + b_x)[:, 8:] + 0.25 * (h @ W_h + b_h)[:, 8:])
    values = networks.gates(cell, single(x), single(h), {"r": 0.25})
    np.testing.assert_allclose(values["g"], g, atol=1e-5)


@pytest.mark.parametrize("name", GATES)
def test_the_gates_of_an_untrained_network_are_those_without_any_input(name):
    cell = networks.load(name, 0).rnn_1.cell
    values = networks.gates(cell, tf.zeros((1, 100)), networks.zero_state(cell, 1))
    for letter in GATES[name]:
        np.testing.assert_allclose(values[letter], networks.UNTRAINED[letter], atol=1e-6)


# --------------------------------------------------------------------------- gradient, Jacobians
@pytest.mark.parametrize("name", NETWORKS)
def test_the_gradient_of_a_word_is_that_of_finite_differences(name, ids):
    """Of one review: the loss moves by the norm when the vector of a word moves along it."""
    model, ids = build(importlib.import_module(name), units=4), ids[1:2, -8:]
    ids[:] = range(4, 12)  # each word once, or its vector would stand at two places
    norms = networks.gradient_norms(model, ids, LABELS[1:2])
    by_steps = networks.gradient_norms(model, ids, LABELS[1:2], STEPS)
    np.testing.assert_allclose(by_steps, norms, rtol=1e-3)

    def loss(vectors):
        h = vectors
        for layer in (model.rnn_1, model.rnn_2):
            weights = [w.astype(np.float64) for w in layer.get_weights()]
            kind = {"rnn_layer": "simple_rnn"}.get(name[:-5], name[:-5])
            h = getattr(reference, kind)(h, *weights)
        W, b = model.dense.get_weights()
        return np.log1p(np.exp(-(h[:, -1] @ W + b)))[0, 0]  # of a positive review: -log p

    vectors, eps = model.embedding.get_weights()[0].astype(np.float64)[ids], 1e-5
    for t in 0, 7:
        gradient = []
        for k in range(vectors.shape[2]):
            moved = np.zeros_like(vectors)
            moved[0, t, k] = eps
            gradient.append((loss(vectors + moved) - loss(vectors - moved)) / (2 * eps))
        assert norms[0, t] == pytest.approx(np.linalg.norm(gradient), rel=1e-3)


def test_the_ways_of_the_gradient_are_cut_one_by_one(ids):
    def first(model, ids, ways):
        steps = networks.cut(ways), networks.cut(ways)
        return networks.gradient_norms(model, ids, LABELS[: len(ids)], steps)[:, 0].mean()

    model, x = handmade.lstm(), handmade.three_reviews()[:, -6:]
    assert first(model, x, "ifog") == pytest.approx(first(model, x, ""))  # no gate reads h
    assert first(model, x, ["carry"]) == 0 < first(model, x, "")  # and c is the only way
    model = networks.load("gru_imdb", 0, units=4)
    x = ids[:, -6:]
    for cell in networks.cells(model):  # no way through h but into r: the others change nothing
        kernel = cell.recurrent_kernel.numpy()
        kernel[:, :4] = 0  # z
        cell.recurrent_kernel.assign(kernel)
    whole = first(model, x, "")
    assert first(model, x, "z") == pytest.approx(whole, rel=1e-5)
    numbers = [first(model, x, ways) for ways in (["carry"], "g", "r")]
    assert all(number != pytest.approx(whole, rel=1e-5) for number in numbers)
    assert first(model, x, ["carry", "g", "r", "z"]) == 0


def test_jacobians_are_taken_at_four_words_from_the_state_before_them(ids, monkeypatch):
    """Of a SimpleRNN: diag(1 - h_t^2) W, with h_t = tanh(x_t W_xh + h_{t-1} W_hh + b)."""
    assert networks.TIMES == (20, 40, 60, 79)
    monkeypatch.setattr(networks, "TIMES", (3, 19))
    model, ids = build(importlib.import_module("rnn_layer_imdb"), units=4), ids[:, -20:]
    x = model.embedding.get_weights()[0].astype(np.float64)[ids]
    for layer, ours in zip((model.rnn_1, model.rnn_2), networks.jacobians(model, ids)):
        weights = [w.astype(np.float64) for w in layer.get_weights()]
        x = reference.simple_rnn(x, *weights)
        expected = [np.diag(1 - h**2) @ weights[1].T for t in (3, 19) for h in x[:, t]]
        np.testing.assert_allclose(ours, expected, atol=1e-5)


def test_the_slow_direction_is_that_of_the_largest_real_eigenvalue_not_of_the_largest():
    rng = np.random.RandomState(0)
    turning = 1.2 * np.array([[np.cos(1), -np.sin(1)], [np.sin(1), np.cos(1)]])
    blocks = np.diag([0.0, 0.0, 0.9, -1.3, 0.2])
    blocks[:2, :2] = turning
    basis = rng.randn(5, 5)  # not orthogonal
    jacobian = basis @ blocks @ np.linalg.inv(basis)
    left, right = networks.slow_direction(np.stack([jacobian - 0.1, jacobian + 0.1]))  # their mean
    np.testing.assert_allclose(left @ jacobian, 0.9 * left, atol=1e-9)
    np.testing.assert_allclose(jacobian @ right, 0.9 * right, atol=1e-9)
    assert left @ right == pytest.approx(1)
    np.testing.assert_allclose(networks.eigenvalue_sizes(jacobian[None]), (1.3, 1.2, 1.2, 0.9, 0.2))
    assert networks.slow_layer([jacobian[None], 0.5 * jacobian[None]]) == 1
    assert networks.slow_layer([jacobian[None], 1.5 * jacobian[None]]) == 2


# ------------------------------------------------------------------------- networks made by hand
@pytest.fixture
def x():
    return handmade.three_reviews()


def verdicts(model, x, *steps):
    """P(positive) - 0.5, to three digits, for its sign is looked at."""
    return (networks.read(model, x, *steps)[0] - 0.5).round(3)


def test_what_is_kept_of_a_state_and_what_is_carried(x):
    model, zero = handmade.counter(), np.zeros((handmade.LENGTH, 2))
    number = networks.part_along([1, 0], [1, 0])

    def signs(changed):
        return np.sign(verdicts(model, x, networks.in_layer(1, changed))).tolist()

    assert signs(networks.step) == [1, 0, -1]
    assert signs(networks.keep(number, zero)) == [1, 0, -1]  # nothing else was read
    assert signs(networks.keep(np.eye(2) - number, zero)) == [0, 0, 0]
    assert signs(networks.keep(np.eye(2) - number, zero, at=12)) == [0, -1, 0]  # what came later
    assert signs(networks.keep(np.eye(2) - number, zero + 0.05)) == [1, 1, 1]  # at its mean
    assert signs(networks.carry(np.zeros((2, 2)), np.zeros(2))) == [-1, -1, 1]  # the last word
    assert signs(networks.carry(np.eye(2), np.full(2, 0.7))) == [1, 0, -1]  # all is carried
    in_2 = networks.in_layer(2, networks.keep(0 * number, zero))
    assert verdicts(model, x, in_2).tolist() == [0, 0, 0]
    states, of_layer_2_changed = (networks.read(model, x, s)[1] for s in (STEPS, in_2))
    np.testing.assert_array_equal(of_layer_2_changed[0], states[0])


def test_a_gate_or_the_candidate_held_at_one_word(x):
    model, chosen = handmade.lstm(), np.zeros(x.shape, bool)
    chosen[:, -1], zero = True, np.zeros((*x.shape, 1), np.float32)

    def held(letters):
        step = networks.hold_at(chosen, dict.fromkeys(letters, zero))
        return verdicts(model, x, networks.in_layer(1, step))

    assert np.sign(verdicts(model, x)).tolist() == [1, 0, -1]
    for letter in "ig":  # the last word is not written: its part is missing
        assert np.sign(held(letter)).tolist() == [1, 1, -1]
        assert held(letter)[0] == pytest.approx(1 / (1 + np.exp(-3)) - 0.5, abs=1e-3)  # 3 ups
    assert held("io").tolist() == [0, 0, 0]  # and nothing is shown
    assert np.sign(held("f")).tolist() == [-1, -1, 1]  # all but the last word is lost


def test_the_mean_of_a_gate_is_over_all_words_but_the_first(x):
    model = handmade.lstm()
    model.rnn_1.cell.kernel.assign(np.eye(100, 4, dtype="f4") * 1_000)  # i reads the word
    model.rnn_1.cell.bias.assign([0, 20, 20, 20])  # g is 1: c adds up i
    x[:, 0] = UP  # i is near 1 there, which does not count
    values = networks.read_gates(model, x)[0]["i"]
    steps = networks.hold_at_mean(model, x, "i", layers=(1,))
    _, (states, _), _ = networks.read(model, x, steps)
    expected = values[:, 1:].mean() * (1 + np.arange(handmade.LENGTH))
    np.testing.assert_allclose(states[0, :, 1], expected, rtol=1e-4)


def test_accuracy_counts_the_right_verdicts_of_all_reviews(x):
    many, y = np.tile(x[[0, 2]], (1_001, 1)), np.tile([1, 1], 1_001)
    assert networks.accuracy(handmade.counter(), many, y) == 0.5
    y[:4] = [1, 0, 1, 0]
    assert networks.accuracy(handmade.counter(), many, y) == pytest.approx(0.5 + 2 / 2_002)


# -------------------------------------------------------------------------------------- training
def test_a_network_is_trained_as_by_its_script(tmp_path, monkeypatch):
    """The same scores from the same seed as a run of the script."""
    monkeypatch.setattr(common, "MAX_REVIEW_LEN", 10)
    call("rnn_layer_imdb", *TINY, "--seed", "3", "--log", tmp_path / "log.csv")
    header, row = (line.split(",") for line in (tmp_path / "log.csv").read_text().splitlines())
    model = networks.load("rnn_layer_imdb", 3, units=4)
    splits = [(x[:64], y[:64]) for x, y in common.load_toy()]
    data = common.make_datasets(*splits, 128, 3)
    history = networks.fit(model, data, 1, networks.linear_decay(0.001, 1, data[0]))
    for name, value in zip(header, row):
        if name in history:
            assert history[name] == [pytest.approx(float(value), abs=1e-4)]  # the log has so many


def test_the_rate_falls_to_zero_over_the_batches_it_is_given():
    rate = networks.linear_decay(0.003, 4, range(500))
    assert [float(rate(step)) for step in (0, 1_000, 2_000)] == pytest.approx([0.003, 0.0015, 0])


def test_reviews_without_padding_are_found_the_first_of_them(ids):
    assert networks.filled(ids, 9).tolist() == [0, 1] and networks.filled(ids, 1).tolist() == [0]
