"""docs/measure/paths.py on networks made by hand, in which the gradient has one way back."""

import handmade
import numpy as np
import pytest
from docs.measure import paths

LETTERS = {"lstm_imdb": "ifgo", "gru_imdb": "zrg"}
ALL, NONE = 1, 0


@pytest.fixture(autouse=True)
def twenty_words(monkeypatch):
    """Each step is a step of Python's here: 20 words tell as much as 80."""
    monkeypatch.setattr(paths, "AT", (1, 10, 19, 20))


def one_unit(script, bias, recurrent, number=0.001):
    """A network of one unit in which only the candidate g reads the word, and h through recurrent.

    bias, recurrent: {letter: number} of layer 1. Layer 2 hands on the last word and remembers
    nothing, so that what reaches word t has come through layer 1 alone. number: of a word vector.
    """
    letters = LETTERS[script]

    def layer(recurrent, biases):
        b = np.array([biases.get(letter, 0) for letter in letters], float)
        rows = b if script == "lstm_imdb" else np.stack([b, 0 * b])
        kernel = [[letter == "g" for letter in letters]]
        return kernel, [[recurrent.get(letter, 0) for letter in letters]], rows

    second = layer({}, {"i": 20, "f": -20, "o": 20, "z": -20})
    return handmade.network(script, {4: [number]}, *layer(recurrent, bias), *second, [[1]], [0])


def norms(*given):
    """What measure() yields: {what is cut: norms at the words of AT}."""
    return {cut: np.array(row) for cut, *row in paths.measure(*given)}


@pytest.mark.parametrize(
    ("script", "bias", "recurrent", "a_step", "left"),
    (
        ("lstm_imdb", {"i": 20, "o": 20, "f": 1}, {}, 0.7311,
         {"h everywhere": ALL, "h into the gates": ALL, "h into g": ALL, "carry": NONE}),
        ("lstm_imdb", {"i": 20, "o": 20, "f": -20}, {"g": 0.9}, 0.9,
         {"h everywhere": NONE, "h into the gates": ALL, "h into g": NONE, "carry": ALL}),
        ("gru_imdb", {"z": 3}, {}, 0.9526,
         {"h everywhere": ALL, "h into the gates": ALL, "h into g": ALL, "carry": NONE}),
        ("gru_imdb", {"z": -20, "r": 20}, {"g": 0.9}, 0.9,
         {"h everywhere": NONE, "h into the gates": ALL, "h into g": NONE, "carry": ALL}),
    ),
)  # fmt: skip
def test_what_is_cut_is_gone_and_the_rest_stays(script, bias, recurrent, a_step, left):
    """Word vectors of .001: tanh keeps to its slope of 1 within one part in a thousand a step."""
    model = one_unit(script, bias, recurrent)
    found = norms(model, script, np.full((2, 20), 4), np.array([0, 1]))
    whole = found["nothing"]
    assert (whole[0] / whole[-1]) ** (1 / 19) == pytest.approx(a_step, rel=1e-3)
    for cut, share in left.items():
        np.testing.assert_allclose(found[cut][:-1], share * whole[:-1], rtol=1e-4, atol=1e-8)
        # atol: of 0.25 at most, sigmoid(-20) = 2e-9 a step
        assert found[cut][-1] == pytest.approx(whole[-1])  # word 80 has no step to go back


def test_gates_are_a_way_too():
    """With h into f alone, what is cut is what comes by way of the gates."""
    model = one_unit("lstm_imdb", {"i": 20, "o": 20}, {"f": 4}, number=0.05)
    found = norms(model, "lstm_imdb", np.full((1, 20), 4), np.array([1]))
    assert found["nothing"][0] > 2 * found["h into the gates"][0] > 0
    np.testing.assert_allclose(found["h into the gates"], found["h everywhere"], rtol=1e-4)
    np.testing.assert_allclose(found["h into g"], found["nothing"], rtol=1e-4)


def test_the_first_words_are_those_that_tasks_tests():
    x, y = paths.first_words(1)
    ids, labels = paths.made_up.first_word(80, 12_000, np.random.RandomState(1))
    np.testing.assert_array_equal(x[:512], ids[:512] + 3)
    np.testing.assert_array_equal(y[:512], labels[:512])
