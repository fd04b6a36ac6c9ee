"""docs/measure/opening.py: when the gradient is noted."""

import inside
import numpy as np
import opening
import pytest


def test_the_gradient_is_noted_before_and_after_each_tenth_of_the_first_epoch(ids, monkeypatch):
    model, labels, noted, taken = inside.load("lstm_imdb", 0), np.array([0, 1, 1, 0, 1]), [], []
    expected = inside.gradient_norms(model, ids, labels)

    def gradient_norms(*given):
        taken.append(given)
        return expected * len(taken)

    monkeypatch.setattr(inside, "gradient_norms", gradient_norms)
    callback = opening.Gradient(ids, labels, 20, lambda *what: noted.append(what))
    callback.set_model(model)
    callback.on_train_begin()
    for batch in range(45):  # two epochs and a quarter
        callback.on_train_batch_end(batch)
    assert len(noted) == len(opening.AT) * 11
    names = [name for name, _ in noted if name.startswith("gradient 80")]
    assert names == [f"gradient 80 after {tenth} tenths" for tenth in range(11)]
    for of, x, y in taken:
        assert of is model and (x == ids).all() and (y == labels).all()
    for tenth in range(11):
        for word in 1, 80:
            mean = expected[:, word - 1].mean() * (tenth + 1)
            assert dict(noted)[f"gradient {word} after {tenth} tenths"] == pytest.approx(mean)
