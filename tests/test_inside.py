"""docs/measure/inside.py against the equations and against finite differences."""

import importlib
from pathlib import Path
from types import SimpleNamespace

import common
import inside
import numpy as np
import pytest
import reference
import tensorflow as tf
from conftest import build

SCRIPTS = list(inside.SCRIPTS)
STEP = {"rnn_layer_imdb": "simple_rnn", "lstm_imdb": "lstm", "gru_imdb": "gru"}


@pytest.fixture(params=SCRIPTS)
def case(request):
    """A cell with other weights than at its start, and one step: x [3, 100], state [3, S]."""
    model = inside.load(request.param, 0)
    cell = model.rnn_1.cell
    rng = np.random.RandomState(1)
    cell.set_weights([w + 0.1 * rng.randn(*w.shape) for w in cell.get_weights()])
    size = cell.units * (2 if request.param == "lstm_imdb" else 1)
    x, state = rng.randn(3, 100), rng.uniform(-0.5, 0.5, (3, size))
    return request.param, cell, x, state


def numpy_step(name, weights, x, state):
    """One step in float64 by tests/reference.py, which shares no code with TensorFlow."""
    if name == "rnn_layer_imdb":
        return reference.simple_rnn(x[:, None], *weights, h=state)[:, 0]
    return getattr(reference, STEP[name] + "_step")(x, state, *weights)


def single(array):
    return tf.constant(array, tf.float32)


def test_a_step_is_the_equations(case):
    name, cell, x, state = case
    weights = [w.astype(np.float64) for w in cell.get_weights()]
    ours = inside.step(cell, single(x), single(state)).numpy()
    # float32, sums of 164 terms of size one
    np.testing.assert_allclose(ours, numpy_step(name, weights, x, state), atol=1e-5)


def test_a_jacobian_is_that_of_finite_differences(case):
    name, cell, x, state = case
    weights = [w.astype(np.float64) for w in cell.get_weights()]
    ours = inside.jacobians(cell, single(x), single(state))
    eps, numeric = 1e-6, np.zeros(ours.shape)
    for k in range(state.shape[1]):
        ends = []
        for sign in (1, -1):
            moved = state.copy()
            moved[:, k] += sign * eps
            ends.append(numpy_step(name, weights, x, moved))
        numeric[:, :, k] = (ends[0] - ends[1]) / (2 * eps)
    # the differences are exact to 1e-9; ours is float32, entries below one
    np.testing.assert_allclose(ours, numeric, atol=1e-5)
    assert np.abs(numeric).max() > 0.1


def test_the_jacobian_of_a_simple_rnn_is_diag_f_prime_times_w():
    cell = inside.load("rnn_layer_imdb", 0).rnn_1.cell
    x, state = np.random.RandomState(2).randn(2, 2, 100)[:, :, :64].transpose(1, 0, 2)
    x = np.pad(x, ((0, 0), (0, 36)))
    (ours,) = inside.jacobians(cell, single(x[:1]), single(state[:1]))
    h = inside.step(cell, single(x[:1]), single(state[:1])).numpy()[0]
    W = cell.recurrent_kernel.numpy()  # of rows: the post's W is its transpose
    np.testing.assert_allclose(ours, np.diag(1 - h**2) @ W.T, atol=1e-5)


def test_gates_are_those_of_the_equations_and_a_step_can_be_made_of_them(case):
    name, cell, x, state = case
    if name not in inside.GATES:
        pytest.skip("has no gates")
    own, _ = inside.gates(cell, single(x), single(state))
    assert "".join(own) == inside.GATES[name]
    weights = [w.astype(np.float64) for w in cell.get_weights()]
    expected = reference.gates(x, state[:, : cell.units], *weights)
    for letter, value in own.items():
        np.testing.assert_allclose(value, expected[letter], atol=1e-5)
    by_gates = inside.gated_step(cell, single(x), single(state), {})
    np.testing.assert_allclose(by_gates, inside.step(cell, single(x), single(state)), atol=1e-5)
    frozen = inside.gated_step(cell, single(x), single(state), dict.fromkeys(own, 0.5))
    assert np.abs(frozen - by_gates).max() > 0.01


@pytest.mark.parametrize("name", SCRIPTS)
def test_reading_step_by_step_is_what_the_model_says(name, ids):
    model, ids = inside.load(name, 0), ids[:, -20:]
    p, states, inputs = inside.read(model, ids)
    np.testing.assert_allclose(p, model(ids, training=False).numpy()[:, 0], atol=1e-5)
    units = model.rnn_1.units
    np.testing.assert_array_equal(inputs[1], states[0][:, :, :units])


def test_the_slow_direction_is_found_and_taken_away():
    """A state that keeps one number and forgets the rest, in a basis that is not orthogonal."""
    rng = np.random.RandomState(0)
    basis = rng.randn(6, 6)
    jacobian = basis @ np.diag([0.3, 0.2, 0.98, 0.1, 0.0, -0.4]) @ np.linalg.inv(basis)
    left, right = inside.slow_direction(jacobian[None])
    np.testing.assert_allclose(left @ jacobian, 0.98 * left, atol=1e-9)
    np.testing.assert_allclose(jacobian @ right, 0.98 * right, atol=1e-9)
    assert left @ right == pytest.approx(1)
    change = inside.without(1, left, right, np.full(80, 0.7), once=True)
    state = single(rng.randn(4, 6))
    np.testing.assert_allclose(change(1, 39, state) @ left[:, None].astype("f4"), 0.7, atol=1e-5)
    for layer, t in (1, 38), (2, 39):
        assert change(layer, t, state) is state


def test_gradient_norms_are_those_of_the_word_vectors(ids):
    """Against a tape that watches the vectors themselves."""
    model, ids = inside.load("lstm_imdb", 0), ids[:, -20:]
    labels = np.array([0, 1, 1, 0, 1])
    ours = inside.gradient_norms(model, single(ids).numpy().astype("i4"), labels)
    vectors = model.embedding(ids)
    with tf.GradientTape() as tape:
        tape.watch(vectors)
        p = model.dense(model.rnn_2(model.rnn_1(vectors)))[:, 0]
        loss = -tf.reduce_sum(tf.math.log(tf.where(labels == 1, p, 1 - p)))
    expected = np.linalg.norm(tape.gradient(loss, vectors), axis=2)
    np.testing.assert_allclose(ours, expected, rtol=1e-3)
    whole = inside.first_word_gradient(model, ids, labels, cut=False)
    assert whole == pytest.approx(expected[:, 0].mean(), rel=1e-3)
    assert inside.first_word_gradient(model, ids, labels, cut=True) < whole


# ------------------------------------------------------------- from the weights to what is noted


def small(name, ids):
    """A network of four units with large weights, and what its layers read by tests/reference.py.

    -> model, for both layers: (weights in float64, x [b, 80, in], h [b, 80, 4]).
    """
    model = build(importlib.import_module(name), units=4)
    x, layers = model.embedding.get_weights()[0].astype(np.float64)[ids], []
    for layer in (model.rnn_1, model.rnn_2):
        weights = [w.astype(np.float64) for w in layer.get_weights()]
        h = getattr(reference, STEP[name])(x, *weights)
        layers.append((weights, x, h))
        x = h
    return model, layers


def test_jacobians_are_taken_at_four_words_from_the_state_before_them(ids):
    """Of a SimpleRNN: diag(1 - h_t^2) W, with h_t = tanh(x_t W_xh + h_{t-1} W_hh + b)."""
    model, layers = small("rnn_layer_imdb", ids)
    for ours, (weights, _, h) in zip(inside.all_jacobians(model, ids), layers):
        expected = [np.diag(1 - h[n, t] ** 2) @ weights[1].T for t in (20, 40, 60, 79)
                    for n in range(len(ids))]  # fmt: skip
        np.testing.assert_allclose(ours, expected, atol=1e-5)


@pytest.mark.parametrize("name", ["lstm_imdb", "gru_imdb"])
def test_all_gates_are_those_at_the_state_before_each_word(name, ids):
    model, layers = small(name, ids)
    for own, (weights, x, h) in zip(inside.all_gates(model, ids), layers):
        for t in (1, 40, 79):
            expected = reference.gates(x[:, t], h[:, t - 1], *weights)
            assert set(own) == set(expected)
            for letter, values in own.items():
                np.testing.assert_allclose(values[t - 1], expected[letter], atol=1e-5)


@pytest.mark.parametrize("name", ["lstm_imdb", "gru_imdb"])
def test_the_gates_of_an_untrained_network_are_those_without_any_input(name):
    cell = inside.load(name, 0).rnn_1.cell
    state = inside.zero_state(cell, 1)
    for letter, value in inside.gates(cell, tf.zeros((1, 100)), state)[0].items():
        np.testing.assert_allclose(value, inside.START[letter], atol=1e-6)


def test_read_goes_on_with_the_steps_and_the_changes_it_is_given(ids):
    model, _ = small("rnn_layer_imdb", ids)

    def count(cell, x, state):
        return state + 1

    _, states, _ = inside.read(model, ids, steps=(count, inside.step))
    np.testing.assert_allclose(states[0][0, :, 0], np.arange(1, 81))
    _, states, inputs = inside.read(
        model, ids, steps=(count, count), change=lambda layer, t, s: s * 0 if t == 39 else s
    )
    for of_layer in states:
        np.testing.assert_allclose(of_layer[0, :, 0], [*range(1, 40), *range(41)])
    np.testing.assert_allclose(inputs[1], states[0])


def test_the_slow_direction_is_that_of_the_largest_real_eigenvalue_not_of_the_largest():
    rng = np.random.RandomState(0)
    turning = 1.2 * np.array([[np.cos(1), -np.sin(1)], [np.sin(1), np.cos(1)]])
    blocks = np.diag([0.0, 0.0, 0.9, -1.3, 0.2])
    blocks[:2, :2] = turning
    basis = rng.randn(5, 5)
    left, right = inside.slow_direction((basis @ blocks @ np.linalg.inv(basis))[None])
    np.testing.assert_allclose(left, left @ basis @ blocks @ np.linalg.inv(basis) / 0.9, atol=1e-9)
    assert left @ right == pytest.approx(1)


def test_how_far_a_review_falls_is_its_own_ratio_of_word_1_to_word_71(monkeypatch):
    norms = np.random.RandomState(0).uniform(1, 2, (9, 80))
    monkeypatch.setattr(inside, "gradient_norms", lambda *args: norms)
    noted, curves = {}, {}
    inside.measure_gradient(
        None, None, None,
        lambda when, layer, what, value: noted.update({what: value}),
        lambda when, of, row: curves.update({of: row}), "after",
    )  # fmt: skip
    ratios = sorted(row[0] / row[70] for row in norms)
    assert noted["gradient 1/71 p50"] == pytest.approx(ratios[4])
    np.testing.assert_allclose(curves["mean"], norms.mean(axis=0))
    np.testing.assert_allclose(curves["p50"], np.sort(norms, axis=0)[4])


def test_which_reviews_count(monkeypatch):
    """Gradients and states: of reviews that fill all 80 places; scores: of the first 5,000."""
    x = np.ones((5_100, 80), np.int32) * np.arange(1, 5_101)[:, None]
    x[::3, 0] = common.PAD
    y, seen, noted = np.arange(5_100) % 2, [], {}

    def read(model, ids, **changes):
        seen.append(ids)
        right = y[ids[:, 1] - 1] if not changes else 1 - y[ids[:, 1] - 1]
        return right.astype(float), [tf.zeros((len(ids), 80, 4))] * 2, None

    monkeypatch.setattr(inside, "load", lambda *args: None)
    monkeypatch.setattr(inside, "read", read)
    monkeypatch.setattr(inside, "measure_gradient", lambda model, x, *rest: seen.append(x))
    diagonals = [np.diag([0.5, 0.4, 0.3, 0.2]), np.diag([0.9, 0.8, 0.7, 0.6])]

    def all_jacobians(model, ids):
        seen.append(ids)
        return [d[None] for d in diagonals]

    monkeypatch.setattr(inside, "all_jacobians", all_jacobians)
    args = SimpleNamespace(runs=Path())

    def note(when, layer, what, value):
        noted[when, layer, what] = value

    inside.measure_imdb("rnn_layer_imdb", 0, args, x, y, note, None)
    whole = [n for n in range(5_100) if n % 3]
    sizes = {len(ids): ids for ids in seen}
    assert sizes[48][:, 1].tolist() == [n + 1 for n in whole[:48]]
    assert sizes[512][:, 1].tolist() == [n + 1 for n in whole[:512]]
    scored = np.concatenate([ids for ids in seen if len(ids) == 1_000])[:5_000]
    assert scored[:, 1].tolist() == list(range(1, 5_001))
    assert noted["as trained", 0, "accuracy"] == 1
    assert noted["without slow, step 40", 2, "accuracy"] == 0  # with a change all are wrong here
    assert noted["after", 2, "slow layer"] == 2  # where the largest eigenvalue is
    assert [noted["after", 1, f"eigenvalue {n}"] for n in (1, 2, 3)] == pytest.approx(
        [0.5, 0.4, 0.3]
    )
