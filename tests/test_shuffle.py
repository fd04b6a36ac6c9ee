"""docs/measure/shuffle.py: what is put in another order, what stays, and what is counted."""

from types import SimpleNamespace

import common
import numpy as np
import pytest

from docs.measure import shuffle

RNG = np.random.RandomState(0)
SHORT = [0, 0, 0, common.START, 11, 12, common.OOV, 14, 15]  # five words, one of them rare
LONG = list(range(11, 20))


def test_words_as_they_are():
    x = np.array([SHORT, LONG], np.int32)
    np.testing.assert_array_equal(shuffle.reorder(x, shuffle.ORDERS["as they are"], RNG), x)


def test_neighbours_exchanged_counts_from_the_first_word():
    x = shuffle.reorder(np.array([SHORT, LONG], np.int32), shuffle.exchanged, RNG)
    assert x.tolist() == [
        [0, 0, 0, common.START, 12, 11, 14, common.OOV, 15],
        [12, 11, 14, 13, 16, 15, 18, 17, 19],
    ]
    assert x.dtype == np.int32


def test_shuffled_words_stay_in_their_review_and_padding_in_front():
    x = np.array([SHORT] * 200 + [LONG] * 200, np.int32)
    new = shuffle.reorder(x, shuffle.shuffled, RNG)
    np.testing.assert_array_equal(new[:200, :4], x[:200, :4])
    np.testing.assert_array_equal(np.sort(new), np.sort(x))
    first = np.bincount(new[200:, 0])[11:]  # each of the nine words is the first in some reviews
    assert len(first) == 9 and (first > 5).all()  # 22 of 200 expected, 5 is four deviations below


@pytest.mark.parametrize(
    ("verdict", "expected"),
    (
        (lambda x: x.max(axis=1) > 15, {"neighbours exchanged": (0.5, 1), "shuffled": (0.5, 1)}),
        (lambda x: x[:, -2] > x[:, -1], {"neighbours exchanged": (1, 0)}),
    ),
)
def test_a_bag_of_words_loses_nothing_and_an_order_of_two_words_everything(verdict, expected):
    """By the largest word half is right, always; by the last two, exchanged, all turns right."""
    x, y = np.array([[11, 12, 13, 16], [11, 14, 12, 13]], np.int32), np.array([1, 1])
    model = SimpleNamespace(predict=lambda x, **_: verdict(x)[:, None].astype(float))
    scores = {order: tuple(pair) for order, *pair, _ in shuffle.measure(model, x, y, 0)}
    assert scores["as they are"][1] == 1
    for order, pair in expected.items():
        assert scores[order] == pair
