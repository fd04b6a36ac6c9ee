"""docs/measure/marker.py on an LSTM made by hand that reads nothing but the marker."""

import common
import handmade
import numpy as np
import pytest
from docs.measure import made_up, marker, networks

ID = {word: rank + common.INDEX_FROM for rank, word in enumerate(made_up.WORDS, start=1)}
VERDICT, GOOD, BAD, NOTHING = (ID[w] for w in (made_up.MARKER, "good", "bad", made_up.WORDS[30]))
X = np.array([[NOTHING, GOOD, NOTHING, VERDICT, BAD, NOTHING],
              [BAD, NOTHING, VERDICT, GOOD, BAD, NOTHING]])  # fmt: skip
Y = np.array([1, 1])


@pytest.fixture
def model():
    """One unit: i opens at the marker alone (vector (1, 1)), where g is 1; f keeps c to the end."""
    vectors = {VERDICT: [1, 1], GOOD: [0, 0, 1], BAD: [0, 0, -1]}
    kernel = [40, 0, 0, 0], [0, 0, 40, 0], [0, 0, 0, 5]  # columns: i, f, g, o
    first = kernel, np.zeros((1, 4)), [-20, 20, 0, 0]
    second = [[0, 0, 1, 0]], np.zeros((1, 4)), [20, -20, 0, 20]
    return handmade.network("lstm_imdb", vectors, *first, *second, [[100]], [-1])


def test_what_a_gate_has_at_such_a_word_elsewhere(model):
    values = marker.ordinary(model, X, X)
    assert values["o"].shape == (2, 6, 1)
    at_bad = 1 / (1 + np.exp(5))  # as in the second review, where BAD follows no marker
    assert values["o"][0, 4, 0] == pytest.approx(at_bad, abs=1e-6)
    assert values["o"][1, 3, 0] == pytest.approx(1 - at_bad, abs=1e-6)
    assert values["i"][0, 3, 0] == pytest.approx(0, abs=1e-6)  # the marker as if it said nothing


def test_what_is_held_at_the_marker_is_lost_and_elsewhere_it_is_not_missed(model):
    rows = marker.measure(model, "lstm_imdb", X, Y, X)
    found = {(held, at): share for held, at, share, _ in rows}
    assert found["nothing", ""] == 1
    for held in "i", "g", "ifo", "ifog":
        assert (found[held, "marker"], found[held, "after"], found[held, "both"]) == (0, 1, 0)
    for held in "f", "o":
        assert found[held, "marker"] == found[held, "after"] == found[held, "both"] == 1
    # at every word its mean: of i, over five words of which one has 1; g is then the marker's own
    assert found["i", "every word"] == 1 and found["g", "every word"] == 1


def test_the_marker_the_word_after_it_and_the_words_that_say_nothing():
    kinds = made_up.kinds(X - 3)
    assert np.argwhere(kinds["marker"]).tolist() == [[0, 3], [1, 2]]
    assert np.argwhere(kinds["after"]).tolist() == [[0, 4], [1, 3]]
    assert (X[kinds["other"]] == NOTHING).all() and kinds["other"].sum() == 5


def test_a_network_is_trained_once_and_then_read_from_its_file(tmp_path, monkeypatch):
    monkeypatch.setattr(marker, "EPOCHS", 1)
    splits = (x, y), _ = marker.reviews(0)
    assert x.shape == (20_000, 80) and _[0].shape == (2_000, 80)
    ranks, labels = made_up.after_marker(80, 22_000, np.random.RandomState(0))
    np.testing.assert_array_equal(x, ranks[2_000:] + 3)  # as tasks.py splits them
    np.testing.assert_array_equal(y, labels[2_000:])
    splits = (x[:256], y[:256]), (x[:64], y[:64])
    path = tmp_path / "marker.weights.h5"
    first = marker.train("gru_imdb", 0, splits, path).get_weights()
    monkeypatch.setattr(networks, "fit", None)
    for a, b in zip(first, marker.train("gru_imdb", 0, splits, path).get_weights()):
        np.testing.assert_array_equal(a, b)
