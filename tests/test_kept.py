"""docs/measure: what stays of a state, scored at 0.5 and at a threshold that is fitted anew."""

import common
import handmade
import numpy as np
import pytest
from docs.measure import memory, networks
from handmade import DOWN, NOTHING, UP


def test_a_threshold_is_halfway_where_most_verdicts_are_right():
    p, labels = np.array([0.9, 0.2, 0.6, 0.3, 0.7]), np.array([1, 0, 1, 0, 0])
    assert networks.best_threshold(p, labels) == pytest.approx(0.45)  # one is wrong; above .7, too
    assert networks.best_threshold(p, np.ones(5)) == pytest.approx(0.1)  # all are positive
    assert networks.best_threshold(p, np.zeros(5)) == pytest.approx(0.95)
    assert networks.best_threshold(np.full(4, 0.3), np.array([1, 1, 1, 0])) < 0.3


def test_a_shift_costs_nothing_and_a_fit_is_scored_on_the_others():
    rng = np.random.RandomState(0)
    labels = rng.randint(2, size=2_000)
    p = 0.8 + 0.1 * labels + 0.01 * rng.rand(2_000)
    assert np.mean((p > 0.5) == labels) == labels.mean()
    assert networks.refitted_accuracy(p, labels) == 1
    # a threshold found on noise is worth nothing on the other half: .5, and two deviations are .022
    assert networks.refitted_accuracy(rng.rand(2_000), labels) == pytest.approx(0.5, abs=0.03)


def test_what_is_kept_of_a_counter(monkeypatch):
    """A SimpleRNN that counts ups and downs in unit 0; unit 1 is always 0.5, and Dense adds it."""
    monkeypatch.setattr(common, "MAX_REVIEW_LEN", 12)  # each step is read by itself
    monkeypatch.setattr(memory, "STEP_40", 9)
    first = [[1, 0]], np.diag([1.0, 0]), [0, np.arctanh(0.5)]
    second = np.eye(2), np.zeros((2, 2)), [0, 0]
    dense = [[100.0], [10.0]], [0]
    model = handmade.network("rnn_layer_imdb", handmade.UPS_AND_DOWNS, *first, *second, *dense)
    x = np.full((8, 12), NOTHING)
    y = np.array([0, 0, 1, 1] * 2)
    for row, word in zip(x, (DOWN, DOWN, UP, UP) * 2):
        row[[2, 5]] = word
    states = networks.read(model, x)[1]
    left = np.array([1.0, 0])
    network = memory.Network(model, 1, left, left, None, [s.numpy() for s in states], None)
    matrices = {
        "slow away": [np.diag([0.0, 1])],
        "random away": [np.diag([1.0, 0])],
        "only slow": [np.diag([1.0, 0]), np.diag([0.0, 0])],
    }
    scores = {when: shares for when, *shares in memory.kept(network, matrices, x, y)}
    assert scores["as trained"] == [0.5, 1]  # P is above .5 for all, by the 10 of unit 1
    assert scores["random away"] == [0.5, 1]  # its mean stays, and it never moves
    assert scores["slow away"] == scores["slow away at step 40"] == [0.5, 0.5]
    assert scores["only slow"] == [0.5, 0.75]  # the mean of the two matrices
    assert scores["random away at step 40"] == [0.5, 1]
