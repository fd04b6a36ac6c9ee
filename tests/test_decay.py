"""docs/measure/decay.py on a SimpleRNN whose Jacobian is the same at every step."""

import common
import handmade
import numpy as np
import pytest
from docs.measure import decay


@pytest.fixture
def model():
    """Layer 1: two units, of which one keeps .97 a step, one .5; layer 2 hands on their sum."""
    first = [[1, 1]], [[0.97, 0.2], [0, 0.5]], [0, 0]
    second = [[1, 0], [0, 0]], np.zeros((2, 2)), [0, 0]
    return handmade.network("rnn_layer_imdb", {7: [1e-5]}, *first, *second, [[1], [1]], [0])


def test_where_every_step_is_alike_all_ways_give_the_same(model):
    """Numbers of 1e-5 leave tanh at its slope of 1."""
    rows = decay.measure(model, np.full((3, common.MAX_REVIEW_LEN), 7), np.array([0, 1, 1]))
    found = {name: value for layer, name, value in rows if layer == 1}
    assert found["mean size"] == pytest.approx(0.97, abs=1e-4)
    assert found["mean Jacobian"] == pytest.approx(0.97, abs=1e-4)
    for name in "number", "gradient":
        for p in (10, 50, 90):
            assert found[f"{name} p{p}"] == pytest.approx(0.97**70, rel=0.01)


def test_the_number_is_that_of_the_slow_direction_only(model):
    left, right = np.array([1.0, 0]), np.array([0.0, 1])  # what unit 1 gives to unit 0: nothing
    ids = np.full((2, common.MAX_REVIEW_LEN), 7)
    # rows: h W, so that unit 0 feeds unit 1 by .2 and unit 1 feeds nothing
    np.testing.assert_allclose(decay.pushed(model, 1, left, right, ids), 0, atol=1e-9)
    back = decay.pushed(model, 1, right, left, ids)  # unit 0 into unit 1: .2 sum of .97^i .5^j
    expected = 0.2 * sum(0.97**i * 0.5 ** (69 - i) for i in range(70))
    np.testing.assert_allclose(back, expected, rtol=0.01)
