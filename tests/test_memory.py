"""docs/measure/memory.py on networks whose weights are set by hand, so that the answer is known."""

import argparse

import common
import inside
import lstm_imdb
import memory
import numpy as np
import pytest
import rnn_layer_imdb
import tensorflow as tf

UP, DOWN, NOTHING = 4, 5, 6  # ids of words


def word_vectors(model):
    """Word vectors that have only a first number: 0.01 of UP, -0.01 of DOWN."""
    vectors = np.zeros((common.TOTAL_WORDS, common.EMBEDDING_LEN), np.float32)
    vectors[UP, 0], vectors[DOWN, 0] = 0.01, -0.01
    model.embedding.embeddings.assign(vectors)


@pytest.fixture
def counter():
    """A SimpleRNN of two units: layer 1 adds up ups and downs in unit 0, forgets in unit 1.

    Layer 2 hands on unit 0, and the word in unit 1. At sums below 0.1 tanh is the identity.
    """
    model = rnn_layer_imdb.SentimentClassifier(2)
    model.build((None, common.MAX_REVIEW_LEN))
    word_vectors(model)
    kernel = np.zeros((common.EMBEDDING_LEN, 2), np.float32)
    kernel[0] = 1
    model.rnn_1.set_weights([kernel, np.diag([1, 0]), np.zeros(2)])
    model.rnn_2.set_weights([np.eye(2), np.zeros((2, 2)), np.zeros(2)])
    model.dense.set_weights([np.array([[100], [0]]), np.zeros(1)])
    return model


@pytest.fixture
def x(monkeypatch):
    """Three ups and a last down; one up and a last down; two downs and a last up.

    Of 20 words: each step is read by itself here, and that takes its time.
    """
    monkeypatch.setattr(common, "MAX_REVIEW_LEN", 20)
    x = np.full((3, common.MAX_REVIEW_LEN), NOTHING, np.int32)
    x[0, [3, 8, 15]], x[1, 10], x[2, [3, 16]] = UP, UP, DOWN
    x[:, -1] = DOWN, DOWN, UP
    return x


def verdicts(model, x, **changes):
    return inside.read(model, x, **changes)[0] - 0.5


def test_the_number_alone_gives_the_verdict_and_without_it_there_is_none(counter, x):
    np.testing.assert_array_equal(np.sign(verdicts(counter, x).round(3)), (1, 0, -1))
    zero = np.zeros((common.MAX_REVIEW_LEN, 2))
    only = verdicts(counter, x, change=memory.kept(memory.line([1, 0], [1, 0]), zero, 1))
    np.testing.assert_allclose(only, verdicts(counter, x), atol=1e-6)  # nothing else was read
    away = memory.kept(np.eye(2) - memory.line([1, 0], [1, 0]), zero, 1)
    np.testing.assert_allclose(verdicts(counter, x, change=away), 0, atol=1e-6)
    elsewhere = memory.kept(np.zeros((2, 2)), zero, layer=3)
    np.testing.assert_array_equal(verdicts(counter, x, change=elsewhere), verdicts(counter, x))


def test_without_memory_the_last_word_decides(counter, x):
    steps = (memory.carried(np.zeros((2, 2)), np.zeros(2)), inside.step)
    np.testing.assert_array_equal(np.sign(verdicts(counter, x, steps=steps)), (-1, -1, 1))
    steps = (memory.carried(np.eye(2), np.full(2, 0.7)), inside.step)  # all is carried: as it is
    np.testing.assert_allclose(
        verdicts(counter, x, steps=steps), verdicts(counter, x), atol=1e-4
    )  # 20 roundings, x 100


def test_accuracy_counts_the_right_verdicts_of_every_part(counter, x):
    many, y = np.tile(x[[0, 2]], (1_000, 1)), np.tile([1, 1], 1_000)
    parts = []
    assert memory.accuracy(counter, many, y) == 0.5

    def steps(n):
        parts.append(len(n))
        return inside.step, inside.step

    assert memory.accuracy(counter, many, 1 - y, steps) == 0.5
    assert parts == [1_000, 1_000]


def test_the_other_real_directions_and_the_components():
    rng = np.random.RandomState(0)
    basis = rng.randn(4, 4)
    turn = np.zeros((4, 4))
    turn[:2, :2] = [[0.99, 0], [0, 0.5]]
    turn[2:, 2:] = [[0.3, -0.8], [0.8, 0.3]]  # complex: .85 in size
    matrix = memory.other_real((basis @ turn @ np.linalg.inv(basis))[None])
    # rows: a deviation along the second eigendirection is kept, all others are lost
    np.testing.assert_allclose(basis.T @ matrix, np.diag([0, 1, 0, 0]) @ basis.T, atol=1e-9)
    points = rng.randn(4_000, 3) * (1, 5, 2)
    vectors, variances = memory.components(points)
    np.testing.assert_allclose(np.abs(vectors), np.eye(3)[[1, 2, 0]].T, atol=0.05)  # 4,000 draws
    np.testing.assert_allclose(variances, (25, 4, 1), rtol=0.1)


@pytest.fixture
def lstm():
    """An LSTM of one unit: i, f, o are open, g is the word: c counts ups and downs."""
    model = lstm_imdb.SentimentClassifier(1)
    model.build((None, common.MAX_REVIEW_LEN))
    word_vectors(model)
    kernel = np.zeros((common.EMBEDDING_LEN, 4), np.float32)
    kernel[0, 2] = 1  # i, f, g, o
    model.rnn_1.set_weights([kernel, np.zeros((1, 4)), np.array([20, 20, 0, 20])])
    model.rnn_2.set_weights(
        [np.array([[0, 0, 1, 0]]), np.zeros((1, 4)), np.array([20, -20, 0, 20])]
    )
    model.dense.set_weights([np.array([[100]]), np.zeros(1)])
    return model


def test_a_gate_or_the_candidate_held_at_one_word(lstm, x):
    np.testing.assert_array_equal(np.sign(verdicts(lstm, x).round(3)), (1, 0, -1))
    chosen, zero = np.zeros(x.shape, bool), np.zeros((*x.shape, 1), np.float32)
    chosen[:, -1] = True  # the last word is not written: its part is missing
    for letter in "ig":
        steps = (memory.held({letter: zero}, chosen), inside.step)
        np.testing.assert_array_equal(np.sign(verdicts(lstm, x, steps=steps).round(3)), (1, 1, -1))
        three_ups = verdicts(lstm, x, steps=(memory.held({letter: zero}, chosen), inside.step))[0]
        assert three_ups == pytest.approx(1 / (1 + np.exp(-3)) - 0.5, abs=1e-3)  # 3 x .01 x 100
    shut = (memory.held({"i": zero, "o": zero}, chosen), inside.step)  # and nothing is shown
    np.testing.assert_allclose(verdicts(lstm, x, steps=shut), 0, atol=1e-6)
    forget = (memory.held({"f": zero}, chosen), inside.step)  # all but the last word is lost
    np.testing.assert_array_equal(np.sign(verdicts(lstm, x, steps=forget)), (-1, -1, 1))


def test_gates_of_every_word_and_frozen_ones(lstm, x):
    own, _ = memory.whole_gates(lstm, x)
    assert own["i"].shape == (3, common.MAX_REVIEW_LEN, 1)
    np.testing.assert_allclose(own["g"][:, -1, 0], (-0.01, -0.01, 0.01), atol=1e-6)
    lstm.rnn_1.cell.bias.assign([0, 20, 0, 20])
    steps = memory.frozen(lstm, x, "i", layers=(1,))
    np.testing.assert_allclose(
        verdicts(lstm, x, steps=steps), verdicts(lstm, x), atol=1e-6
    )  # i was .5 anyway
    lstm.rnn_1.cell.kernel.assign(
        np.eye(common.EMBEDDING_LEN, 4, dtype="f4") * 1_000
    )  # i reads the word
    away = memory.frozen(lstm, x, "i", layers=(2,))
    np.testing.assert_allclose(verdicts(lstm, x, steps=away), verdicts(lstm, x), atol=1e-6)


def test_the_gates_of_a_word_read_the_state_before_it(lstm, x):
    lstm.rnn_1.cell.bias.assign([0, 20, 0, 20])
    lstm.rnn_1.cell.recurrent_kernel.assign([[1_000, 0, 0, 0]])
    x[:, 0] = UP
    own, _ = memory.whole_gates(lstm, x)
    np.testing.assert_allclose(own["i"][:, 0], 0.5)  # h_0 = 0
    assert (own["i"][:, 1] > 0.9).all()  # h_1 = .005


def test_the_words_of_the_toy():
    index = common.toy_reviews()[2]
    text = "the plot was not really dull it was good not bad not film good"
    x = common.encode([[index[word] for word in text.split() if word != "it"]])
    kinds = memory.toy_words(x)
    places = {
        kind: np.flatnonzero(mask[0]) - (common.MAX_REVIEW_LEN - 13) for kind, mask in kinds.items()
    }
    assert {kind: list(found) for kind, found in places.items()} == {
        "not": [3, 8, 10], "turned": [5, 9], "plain": [7, 12], "other": [0, 1, 2, 4, 6, 11],
    }  # fmt: skip


def test_the_ways_back_are_cut_one_by_one(ids):
    model = inside.load("lstm_imdb", 0)
    labels, ids = np.array([0, 1, 1, 0, 1]), ids[:, -20:]  # 80 steps six times take theirs
    found = {
        cut: memory.first_gradient(model, ids, labels, cut) for cut in ("", "gates, candidate")
    }
    for cut, old in ("", False), ("gates, candidate", True):
        expected = inside.first_word_gradient(model, ids, labels, old)
        assert found[cut] == pytest.approx(expected, rel=1e-3)  # float32 over 20 steps
    for cell in inside.cells(model):  # no way through h into g: to cut it changes nothing
        kernel = cell.recurrent_kernel.numpy()
        kernel[:, 2 * cell.units : 3 * cell.units] = 0
        cell.recurrent_kernel.assign(kernel)
    whole = memory.first_gradient(model, ids, labels, "")
    assert memory.first_gradient(model, ids, labels, "candidate") == pytest.approx(
        whole, rel=1e-4, abs=0
    )
    assert memory.first_gradient(model, ids, labels, "gates") != pytest.approx(
        whole, rel=1e-4, abs=0
    )


@pytest.fixture
def told():
    """A note() that keeps {(when, layer, quantity): value} in its attribute found."""

    def note(when, layer, quantity, value):
        note.found[when, layer, quantity] = float(value)

    note.found = {}
    return note


def test_what_is_kept_and_taken_away_of_a_counter(counter, told, monkeypatch, tmp_path):
    """Layer 1 remembers one number, layer 2 nothing: all scores are known."""
    monkeypatch.setattr(common, "MAX_REVIEW_LEN", 20)
    monkeypatch.setattr(inside, "TIMES", (5, 10, 15, 19))
    monkeypatch.setattr(inside, "load", lambda *which: counter)
    for other in "measure_sure", "measure_delay":  # the first is a division, the other see below
        monkeypatch.setattr(memory, other, lambda *given: None)
    x = np.random.RandomState(0).choice([UP, DOWN, NOTHING], (60, 20)).astype("i4")
    word = np.where(x == UP, 1, np.where(x == DOWN, -1, 0))
    x, word = x[word.sum(axis=1) != 0], word[word.sum(axis=1) != 0]  # float32 decides on a tie
    y = (word.sum(axis=1) > 0).astype(int)
    args = argparse.Namespace(runs=tmp_path)
    memory.measure_memory("rnn_layer_imdb", 0, args, x, y, told)
    number = word.cumsum(axis=1)  # layer 1 has this number and the word, in steps of .01
    none = np.mean((number[:, -1].mean() > 0) == y)  # what is taken away is set to its mean
    last = np.mean((number.mean() + word[:, -1] > 0) == y)
    for when, value in {
        "as trained": 1, "only slow": 1, "slow away": none, "other real away": 1,
        "half away, slow kept": 1, "last word": last, "+ other layer": last,
        "+ rest of layer": last, "without other layer": 1,
    }.items():  # fmt: skip
        assert told.found[when, 1, "accuracy"] == pytest.approx(value), when
    for layer, eigenvalue in (1, 1), (2, 0):
        found = told.found["after", layer, "largest real eigenvalue"]
        assert found == pytest.approx(eigenvalue, abs=0.01)  # tanh' of sums up to .1
    deviations = [a - a.mean(axis=0) for a in (number, word)]
    share = deviations[0].var() / sum(a.var() for a in deviations)
    assert told.found["after", 1, "variance slow"] == pytest.approx(share, abs=0.01)
    follows = np.corrcoef(number[:, -1], 1 / (1 + np.exp(-number[:, -1])))[0, 1]
    assert told.found["after", 1, "correlation slow"] == pytest.approx(follows, abs=0.01)


def test_the_verdict_follows_the_number_by_as_much_as_layer_2_remembers(counter, told):
    counter.rnn_2.cell.recurrent_kernel.assign([[0.5, 0], [0, 0]])
    x = np.random.RandomState(0).choice([UP, DOWN], (40, 80)).astype("i4")
    memory.measure_delay(counter, 1, np.array([1, 0]), [np.zeros(2)] * 2, x, told)
    for lag in memory.LAGS:
        # word t is in the verdict's change at t + lag with .5 ** lag: its share of the deviation
        follows = (0.75**0.5) * 0.5**lag
        assert told.found["after", 1, f"delay {lag}"] == pytest.approx(follows, abs=0.06)
        cut = told.found["layer 2 cut", 1, f"delay {lag}"]
        assert cut == pytest.approx(float(lag == 0), abs=0.06)  # 1,800 coins: some .024


def test_what_an_lstm_counts_comes_back_by_way_of_c(lstm, x, told):
    jacobian = inside.jacobians(lstm.rnn_1.cell, np.zeros((1, 100), "f4"), tf.zeros((1, 2)))
    left, right = inside.slow_direction(jacobian)
    memory.measure_way_back(lstm, 1, left, right, [jacobian], x, np.array([1, 0, 0]), told)
    assert told.found["after", 1, "kept through c"] == pytest.approx(1, abs=1e-4)
    assert told.found["after", 1, "kept through h"] == pytest.approx(0, abs=1e-4)
    nowhere, cut = (
        told.found["after", 0, f"gradient 1 cut {where}"] for where in ("nowhere", "gates")
    )
    assert nowhere == pytest.approx(cut) and nowhere > 0.1  # no gate reads h


@pytest.mark.parametrize("sign", [1, -1])  # an eigenvector may point either way
def test_the_words_that_move_the_number_are_named(counter, told, sign, monkeypatch):
    index = {"up": 1, "down": 2, "nothing": 3, "once": 4}
    monkeypatch.setattr(common, "MAX_REVIEW_LEN", 20)
    monkeypatch.setattr(common, "load_word_index", lambda data: index)
    monkeypatch.setattr(memory, "LISTED", 1)
    vectors = counter.embedding.embeddings.numpy()
    vectors[7, 0] = 0.05
    counter.embedding.embeddings.assign(vectors)
    x = np.random.RandomState(0).choice([UP, DOWN, NOTHING], (50, 20)).astype("i4")
    x[0, 10] = 7
    args = argparse.Namespace(data="imdb.npz")
    memory.measure_words(counter, 1, np.array([sign, 0]), x, args, told)
    names = {quantity: value for (_, _, quantity), value in told.found.items()}
    assert names.keys() == {"moved by up", "moved by down"}
    assert names["moved by up"] == pytest.approx(0.01, rel=0.05)
    assert names["moved by down"] == pytest.approx(-0.01, rel=0.05)


def test_the_gradient_is_divided_by_how_far_the_verdict_is_off(told, monkeypatch):
    norms = np.array([[0.1], [0.4], [0.8]])  # of word 1, and p - y of .1, .2, .5
    monkeypatch.setattr(inside, "gradient_norms", lambda *given: norms)
    memory.measure_sure(
        lambda x, training: tf.constant([[0.9], [0.2], [0.5]]), None, np.array([1, 0, 1]), told
    )
    of = "gradient 1 mean over median"
    assert told.found["after", 0, of] == pytest.approx(1.3 / 3 / 0.4)
    assert told.found["after", 0, f"{of} by |p - y|"] == pytest.approx(4.6 / 3 / 1.6)
