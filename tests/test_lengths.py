"""docs/measure/lengths.py, and how the programs beside it train and keep what they found."""

import sys
from pathlib import Path
from types import SimpleNamespace

import common
import inside
import keras
import lengths
import numpy as np
import opening
import pytest


def test_a_score_is_that_of_the_last_epoch_at_so_many_words(monkeypatch):
    told = []

    def main(flags):
        told.append((common.MAX_REVIEW_LEN, flags[:-1]))
        Path(flags[-1]).write_text("epoch,val_accuracy\n1,0.25\n2,0.75\n")

    monkeypatch.setitem(sys.modules, "stand_in", SimpleNamespace(main=main))
    monkeypatch.setitem(lengths.MODELS, "two", ("stand_in", ["--bigrams"]))
    monkeypatch.setattr(common, "MAX_REVIEW_LEN", common.MAX_REVIEW_LEN)  # set back afterwards
    assert lengths.score("two", 40, 3, "d.npz") == 0.75
    assert told == [(40, ["--bigrams", "--data", "d.npz", "--seed", "3", "--log"])]


@pytest.mark.parametrize(
    "rate, at_the_start, in_the_end",
    [("falling from 0.003", 0.003, 0), ("held at 0.001", 0.001, 0.001)],
)
def test_a_rate_is_judged_by_reviews_that_are_not_trained_on(
    monkeypatch, rate, at_the_start, in_the_end
):
    monkeypatch.setattr(common, "MAX_REVIEW_LEN", 10)
    monkeypatch.setattr(lengths, "HELD_OUT", 4)
    n = 12_804  # 100 batches: four epochs are more steps than the least, two epochs of IMDB
    x, y, told = np.arange(10 * n, dtype="i4").reshape(n, 10), np.arange(n) % 2, {}

    def fit(model, data, epochs, rate):
        told.update(model=model, epochs=epochs, rate=rate)
        told["rows"] = [np.concatenate([batch for batch, _ in split]) for split in data]
        told["steps"] = epochs * len(data[0])
        return {"val_accuracy": [0.1, 0.9]}

    monkeypatch.setattr(inside, "fit", fit)
    assert lengths.held_out("averaging, pairs", rate, 0, (x, y)) == 0.9
    train, test = told["rows"]
    np.testing.assert_array_equal(np.sort(train, axis=0), x[:-4])
    np.testing.assert_array_equal(test, x[-4:])
    assert told["epochs"] == 4 and len(told["model"].layers) > 5  # with the pairs' embedding
    chosen = told["rate"] if callable(told["rate"]) else lambda step: told["rate"]
    assert float(chosen(0)) == pytest.approx(at_the_start)
    half = (at_the_start + in_the_end) / 2
    assert float(chosen(told["steps"] / 2)) == pytest.approx(half)
    assert float(chosen(told["steps"])) == pytest.approx(in_the_end)


def test_a_network_is_trained_as_in_the_scripts():
    told = {}

    class Model:
        def compile(self, optimizer, **how):
            told.update(how, optimizer=optimizer)

        def fit(self, data, **how):
            told.update(how, data=data)
            return SimpleNamespace(history="the scores")

    assert inside.fit(Model(), ("train", "test"), 3, 0.25, ["a callback"]) == "the scores"
    adam, (accuracy,) = told.pop("optimizer"), told.pop("metrics")
    assert type(adam) is keras.optimizers.Adam and adam.clipnorm == 0.25
    assert float(adam.learning_rate) == 0.25
    assert type(accuracy) is keras.metrics.BinaryAccuracy and accuracy.name == "accuracy"
    assert told == {
        "loss": "binary_crossentropy", "jit_compile": False, "data": "train",
        "validation_data": "test", "epochs": 3, "callbacks": ["a callback"], "verbose": 0,
    }  # fmt: skip


def test_the_first_epoch_has_the_rate_of_the_first_of_four(monkeypatch):
    told, notes = {}, []

    def fit(model, data, epochs, rate, callbacks):
        told.update(steps=len(data[0]), epochs=epochs, rate=rate, callbacks=callbacks)
        return {"val_accuracy": [0.8], "val_loss": [0.5]}

    monkeypatch.setattr(inside, "load", lambda script, seed: (script, seed))
    monkeypatch.setattr(inside, "fit", fit)
    x = np.tile(np.arange(4, 84, dtype="i4"), (12_800, 1))  # 100 batches, as above
    x[::2, :40] = common.PAD  # only the others fill all 80 places
    y = np.arange(len(x)) % 2
    opening.train(2, ((x, y), (x[:300], y[:300])), lambda *n: notes.append(n))
    assert told["epochs"] == 1 and notes == [("accuracy 1", 0.8), ("loss 1", 0.5)]
    assert [float(told["rate"](n * told["steps"])) for n in (0, 1, 4)] == pytest.approx(
        [0.001, 0.00075, 0]
    )
    (gradient,) = told["callbacks"]
    assert len(gradient.x) == 150 and (gradient.x > common.PAD).all() and (gradient.y == 1).all()


def test_what_a_csv_has_is_known_and_rows_come_after_it(tmp_path):
    path = tmp_path / "found.csv"
    assert inside.finished(path, ("what", "seed", "value"), 2) == {("what", "seed")}
    inside.append(path, [("a", 0, 0.5), ("b, c", 1, 0.25)])
    assert path.read_text() == 'what,seed,value\na,0,0.5\n"b, c",1,0.25\n'
    assert inside.finished(path, (), 2) == {("what", "seed"), ("a", "0"), ("b, c", "1")}
