"""docs/tools/baseline.py: averaging against NumPy. What it trains stands in test_run.py."""

from unittest import mock

import baseline
import common
import numpy as np
import pytest
from conftest import TINY, call, parsed, untraced


@pytest.mark.parametrize("bigrams", [False, True])
def test_it_is_the_mean_of_the_word_vectors_and_of_those_of_ordered_pairs(bigrams, monkeypatch):
    monkeypatch.setattr(common, "MAX_REVIEW_LEN", 10)
    model, rng = baseline.average(bigrams), np.random.RandomState(0)
    model.set_weights([rng.randn(*weight.shape) for weight in model.get_weights()])
    vectors, *pairs, kernel, bias = model.get_weights()
    x = rng.randint(common.TOTAL_WORDS, size=(6, 10))
    mean = vectors[x].mean(axis=1)
    if bigrams:
        mean += pairs[0][(x[:, :-1] * 7_919 + x[:, 1:]) % 100_000].mean(axis=1)
    expected = 1 / (1 + np.exp(-(mean @ kernel + bias)))
    # float32: a sum of 100 terms of size one
    np.testing.assert_allclose(model(x.astype("i4")), expected, atol=1e-5)
    assert len(pairs) == bigrams


@pytest.mark.parametrize(
    "flags, rate, parameters",
    [((), 0.003, 1_000_101), (("--bigrams", "--learning-rate", "0.01"), 0.01, 11_000_101)],
)
def test_a_run_has_the_rate_that_was_chosen_or_that_of_the_flag(
    flags, rate, parameters, monkeypatch
):
    watched = mock.Mock(wraps=common.linear_decay)
    monkeypatch.setattr(common, "linear_decay", watched)
    with untraced():
        line = parsed(call("baseline", *TINY, *flags))
    assert (line["script"], line["parameters"]) == ("baseline", str(parameters))
    assert watched.call_args.args[0].learning_rate == rate


def test_load_gives_the_score_of_the_run(tmp_path):
    path = tmp_path / "w.weights.h5"
    for flags in ("--bigrams",), ():
        trained = parsed(call("baseline", *TINY, *flags, "--save", path))
        loaded = parsed(call("baseline", *TINY, *flags, "--load", path))
        assert loaded["done"] == "loaded from w.weights.h5"
        for key in "right", "loss":
            assert trained[key] == loaded[key]
    for flags in [], ["--load", str(path)]:  # so that a notebook has it
        assert baseline.main([*TINY, *flags]).count_params() == 1_000_101
