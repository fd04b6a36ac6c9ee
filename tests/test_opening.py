"""docs/measure/opening.py: when the gradient is noted."""

import inside
import numpy as np
import opening
import pytest


def test_the_gradient_is_noted_before_and_after_each_tenth_of_the_first_epoch(ids):
    model, noted = inside.load("lstm_imdb", 0), []
    callback = opening.Gradient(
        ids, np.array([0, 1, 1, 0, 1]), 20, lambda *what: noted.append(what)
    )
    callback.set_model(model)
    callback.on_train_begin()
    for batch in range(45):  # two epochs and a quarter
        callback.on_train_batch_end(batch)
    assert len(noted) == len(opening.AT) * 11
    names = [name for name, _ in noted if name.startswith("gradient 80")]
    assert names == [f"gradient 80 after {tenth} tenths" for tenth in range(11)]
    expected = inside.gradient_norms(model, ids, np.array([0, 1, 1, 0, 1])).mean(axis=0)
    assert dict(noted)["gradient 1 after 3 tenths"] == pytest.approx(expected[0], rel=1e-5)
    assert dict(noted)["gradient 80 after 3 tenths"] == pytest.approx(expected[79], rel=1e-5)
