"""docs/measure/made_up.py and tasks.py: what decides, what is set before training, the files."""

import json
import zipfile

import common
import handmade
import numpy as np
import pytest
from docs.measure import lookup, made_up, networks, tasks

RANK = {word: rank for rank, word in enumerate(made_up.WORDS, start=1)}


def side(ranks):
    """1 for a positive word, 0 for a negative one, -1 for any other."""
    words = np.array(["", *made_up.WORDS])[ranks]
    return np.where(np.isin(words, made_up.GOOD), 1, np.where(np.isin(words, made_up.BAD), 0, -1))


def test_the_words_are_what_they_are_called():
    assert len(RANK) == len(made_up.WORDS) == 221  # no word twice


def test_nothing_but_the_first_word_decides():
    ranks, y = made_up.TASKS["first"](12, 400, np.random.RandomState(0))
    assert ranks.shape == (400, 12) and y.sum() == 200
    np.testing.assert_array_equal(side(ranks[:, 0]), y)
    assert len(np.unique(ranks[:, 0])) == 20
    assert (side(ranks[:, 1:]) == -1).all() and RANK[made_up.MARKER] not in ranks
    assert len(np.unique(ranks[:, 1:])) == 200


@pytest.mark.parametrize("words", (10, 40))
def test_only_the_word_after_the_marker_decides(words):
    ranks, y = made_up.TASKS["marker"](words, 400, np.random.RandomState(0))
    rows, places = np.nonzero(ranks == RANK[made_up.MARKER])
    np.testing.assert_array_equal(rows, range(400))  # one in each review
    assert set(places) == set(range(words - 1))  # anywhere but at the end
    np.testing.assert_array_equal(side(ranks[rows, places + 1]), y)
    assert ((side(ranks) >= 0).sum(axis=1) == made_up.OPINIONS).all()
    # the eight others say nothing: counting gives what a coin of eight lets through, 64 %
    votes = np.sign((side(ranks) == 1).sum(axis=1) * 2 - made_up.OPINIONS)
    assert 0.55 < np.mean((votes > 0) == y) < 0.72  # 400 reviews: two standard errors are 5 %


def test_what_is_set_before_training():
    for start, letter, value in (
        ("LSTM", "f", 1), ("LSTM b_f = 3", "f", 3), ("LSTM b_f = 3", "i", 0), ("GRU", "z", 0),
        ("GRU b_z = 3", "z", 3), ("GRU b_z = 3", "r", 0), ("LSTM b_f = 2", "f", 2),
        ("GRU b_z = 1", "z", 1),
    ):  # fmt: skip
        for cell in networks.cells(tasks.begin(start, 0)):
            zeros = np.zeros((1, cell.kernel.shape[0]), np.float32)
            gates = networks.gates(cell, zeros, networks.zero_state(cell, 1))
            np.testing.assert_allclose(gates[letter], 1 / (1 + np.exp(-value)), atol=1e-6)
    for start, size in ("SimpleRNN", 1), ("SimpleRNN .9", 0.9), ("SimpleRNN .7", 0.7):
        for cell in networks.cells(tasks.begin(start, 0)):
            values = np.linalg.eigvals(cell.recurrent_kernel.numpy())
            np.testing.assert_allclose(np.abs(values), size, atol=1e-5)
    smaller = tasks.begin("SimpleRNN, Dense * 1e-6", 0).dense.kernel.numpy()
    usual = tasks.begin("SimpleRNN", 0).dense.kernel.numpy()
    np.testing.assert_allclose(smaller, 1e-6 * usual, rtol=1e-5)


def test_a_run_ends_when_it_has_learned_and_notes_what_happened(monkeypatch):
    start = "SimpleRNN, loss * 1, epsilon 1e-7"
    run = tasks.Run("first", start, 10, 1, reviews=2_560, epochs=30, rate=0.003)
    begun, train = tasks.begin(run.start, run.seed), networks.train
    ranks, y = made_up.TASKS["first"](10, run.reviews + made_up.TEST, np.random.RandomState(1))

    def watched(model, splits, *settings, **conditions):
        assert conditions == {"loss": 1, "epsilon": 1e-7} and settings[0] == run.seed
        for ours, expected in zip(model.get_weights(), begun.get_weights()):
            np.testing.assert_array_equal(ours, expected)
        for (x, labels), part in zip(splits, (np.s_[made_up.TEST :], np.s_[: made_up.TEST])):
            np.testing.assert_array_equal(x, ranks[part] + 3)
            np.testing.assert_array_equal(labels, y[part])
        history = train(model, splits, *settings, **conditions)
        falls = model.optimizer.get_config()["learning_rate"]["config"]
        # over the steps of the training set, not of the two batches to test on
        assert (falls["initial_learning_rate"], falls["decay_steps"]) == (0.003, 30 * 20)
        return history

    monkeypatch.setattr(networks, "train", watched)
    found = dict(tasks.train(run))
    scores = [value for name, value in found.items() if name.startswith("epoch")]
    assert scores[-1] >= 0.99 > max(scores[:-1], default=0) and len(scores) < 9
    norms = networks.gradient_norms(begun, (ranks[:512] + 3).astype("i4"), y[:512])
    assert found["gradient 1"] == pytest.approx(norms[:, 0].mean())
    assert found["gradient last"] == pytest.approx(norms[:, 9].mean())


@pytest.mark.parametrize(
    "task, start", [("first", "GRU"), ("marker", "GRU"), ("marker", "SimpleRNN")]
)
def test_a_run_has_the_rows_of_its_kind(task, start, monkeypatch):
    monkeypatch.setattr(networks, "train", lambda *given, **_: {"val_accuracy": [0.5]})
    found = [quantity for quantity, _ in tasks.train(tasks.Run(task, start, 12, 0, reviews=64))]
    rows = lookup.rows("tasks", task=task, start=start, words="80", seed="0")
    kinds = {row["quantity"] for row in rows if not row["quantity"].startswith("epoch")}
    assert set(found) == kinds | {"epoch 1"}


def test_gates_are_told_apart_by_the_kind_of_word():
    """An input gate that reads the words themselves: open at the marker, shut at good words."""
    vectors = {3 + RANK[word]: [-1] for word in made_up.GOOD} | {3 + RANK[made_up.MARKER]: [1]}
    layer = np.zeros((1, 4)), np.zeros((1, 4)), np.zeros(4)
    model = handmade.network("lstm_imdb", vectors, [[9, 0, 0, 0]], *layer[1:], *layer, [[0]], [0])
    text = "good bad good ban verdict good ban".split()  # "ban" says nothing, the first is left out
    ranks = np.array([[RANK[word] for word in text]])
    found = networks.gates_by_kind(model, 3 + ranks, made_up.kinds(ranks), "ifo")
    found = {tuple(where): mean for *where, mean in found}
    for kind, value in ("marker", 1), ("after", 0), ("opinion", 0.25), ("other", 0.5):
        assert found[1, "i", kind] == pytest.approx(value, abs=1e-3)  # sigmoid(9) = .9999


@pytest.mark.parametrize("task", made_up.TASKS)
def test_a_file_for_data_has_its_task_and_its_words(task, tmp_path):
    """As exercise 13 says it."""
    path = tmp_path / "made.npz"
    tasks.main(["--write", task, "80", str(path)])
    with zipfile.ZipFile(path) as archive:
        assert json.loads(archive.read("words.json")) == RANK
    for (ids, labels), n in zip(common.read_npz(str(path)), (made_up.REVIEWS[task], made_up.TEST)):
        assert ids.shape == (n, 80) and (ids > common.INDEX_FROM).all()  # every place is a word
        ranks = ids - common.INDEX_FROM
        rows, places = np.nonzero(ranks == RANK[made_up.MARKER])
        assert len(rows) == (n if task == "marker" else 0)
        decide = ranks[rows, places + 1] if task == "marker" else ranks[:, 0]
        np.testing.assert_array_equal(side(decide), labels)


@pytest.mark.parametrize(
    "flags", ["", *(f"--write {task} x.npz" for task in ("first 9", "last 80", "first ten"))]
)
def test_what_cannot_be_written_is_said(flags, monkeypatch, capsys):
    monkeypatch.setattr(made_up, "write_npz", lambda *of: print(*of))
    tasks.main("--write marker 10 x.npz".split())
    assert capsys.readouterr().out == "marker 10 x.npz\n"  # the shortest
    with pytest.raises(SystemExit, match="2"):
        tasks.main(flags.split())
    assert "--write" in capsys.readouterr().err.splitlines()[-1]
