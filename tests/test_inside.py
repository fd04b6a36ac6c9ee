"""docs/measure/inside.py against the equations and against finite differences."""

import inside
import numpy as np
import pytest
import reference
import tensorflow as tf

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
    model = inside.load(name, 0)
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
    model = inside.load("lstm_imdb", 0)
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
