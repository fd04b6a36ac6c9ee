"""docs/measure/tasks.py: what decides, what is set before training, and the files for --data."""

import json
import zipfile

import common
import inside
import numpy as np
import pytest
import tasks

RANK = {word: rank for rank, word in enumerate(tasks.WORDS, start=1)}


def side(ranks):
    """1 for a positive word, 0 for a negative one, -1 for any other."""
    words = np.array(["", *tasks.WORDS])[ranks]
    return np.where(np.isin(words, tasks.GOOD), 1, np.where(np.isin(words, tasks.BAD), 0, -1))


def test_the_words_are_what_they_are_called():
    assert len(RANK) == len(tasks.WORDS) == 221  # no word twice
    assert len(tasks.GOOD) == len(tasks.BAD) == 10


def test_nothing_but_the_first_word_decides():
    ranks, y = tasks.first_word(12, 400, np.random.RandomState(0))
    assert ranks.shape == (400, 12) and y.sum() == 200
    np.testing.assert_array_equal(side(ranks[:, 0]), y)
    assert (side(ranks[:, 1:]) == -1).all() and RANK[tasks.MARKER] not in ranks
    assert len(np.unique(ranks[:, 1:])) == 200


@pytest.mark.parametrize("words", (10, 40))
def test_only_the_word_after_the_marker_decides(words):
    ranks, y = tasks.after_marker(words, 400, np.random.RandomState(0))
    rows, places = np.nonzero(ranks == RANK[tasks.MARKER])
    np.testing.assert_array_equal(rows, range(400))  # one in each review
    assert set(places) == set(range(words - 1))  # anywhere but at the end
    np.testing.assert_array_equal(side(ranks[rows, places + 1]), y)
    assert ((side(ranks) >= 0).sum(axis=1) == tasks.OPINIONS).all()
    # the eight others say nothing: counting gives what a coin of eight lets through, 64 %
    votes = np.sign((side(ranks) == 1).sum(axis=1) * 2 - tasks.OPINIONS)
    assert 0.55 < np.mean((votes > 0) == y) < 0.72  # 400 reviews: two standard errors are 5 %


def test_what_is_set_before_training():
    f = 1 / (1 + np.exp(-3))
    for start, letter, value in (
        ("LSTM", "f", 1 / (1 + np.exp(-1))), ("LSTM b_f = 3", "f", f),
        ("GRU", "z", 0.5), ("GRU b_z = 3", "z", f), ("LSTM b_f = 3", "i", 0.5),
        ("GRU b_z = 3", "r", 0.5),
    ):  # fmt: skip
        for cell in inside.cells(tasks.begin(start, 0)):
            zeros = np.zeros((1, cell.kernel.shape[0]), np.float32)
            gates, _ = inside.gates(cell, zeros, inside.zero_state(cell, 1))
            np.testing.assert_allclose(gates[letter], value, atol=1e-6, err_msg=start)
    for start, size in ("SimpleRNN", 1), ("SimpleRNN .9", 0.9), ("SimpleRNN .7", 0.7):
        for cell in inside.cells(tasks.begin(start, 0)):
            values = np.linalg.eigvals(cell.recurrent_kernel.numpy())
            np.testing.assert_allclose(np.abs(values), size, atol=1e-5)


def test_a_run_ends_when_it_has_learned_and_says_what_it_saw(monkeypatch):
    run = tasks.Run("first", "SimpleRNN", 10, 0, reviews=2_000, epochs=9, rate=0.003)
    given, falling, make = [], inside.falling, common.make_datasets
    monkeypatch.setattr(inside, "falling", lambda *how: given.append(falling(*how)) or given[-1])
    monkeypatch.setattr(common, "make_datasets", lambda *how: given.append(how) or make(*how))
    found = dict(tasks.train(run))
    (train, test, *_), rate = given
    assert (rate.initial_learning_rate, rate.decay_steps) == (
        0.003,
        390,
    )  # not 9 epochs of 16 steps: the scripts take two of IMDB's
    epochs = [value for name, value in found.items() if name.startswith("epoch")]
    assert epochs[-1] >= tasks.ENOUGH and len(epochs) < 9
    assert all(value < tasks.ENOUGH for value in epochs[:-1])
    model = tasks.begin(run.start, run.seed)
    ranks, y = tasks.first_word(10, run.reviews + tasks.TEST, np.random.RandomState(0))
    for (x, labels), part in (test, np.s_[: tasks.TEST]), (train, np.s_[tasks.TEST :]):
        np.testing.assert_array_equal(x, ranks[part] + 3)
        np.testing.assert_array_equal(labels, y[part])
    norms = inside.gradient_norms(model, (ranks[:512] + 3).astype("i4"), y[:512])
    assert found["gradient 1"] == pytest.approx(norms[:, 0].mean())
    assert found["gradient last"] == pytest.approx(norms[:, 9].mean())


def test_gates_are_told_apart_by_the_kind_of_word():
    """An input gate that reads the words themselves: open at the marker, shut at good words."""
    model = inside.load("lstm_imdb", 0)
    vectors = np.zeros((common.TOTAL_WORDS, common.EMBEDDING_LEN), np.float32)
    vectors[common.INDEX_FROM + RANK[tasks.MARKER], 0] = 1
    vectors[[common.INDEX_FROM + RANK[word] for word in tasks.GOOD], 0] = -1
    model.embedding.embeddings.assign(vectors)
    cell = model.rnn_1.cell
    kernel = np.zeros(cell.kernel.shape, np.float32)
    kernel[0, : cell.units] = 9
    cell.kernel.assign(kernel)
    cell.recurrent_kernel.assign(np.zeros(cell.recurrent_kernel.shape))
    good, marker, nothing = RANK["good"], RANK[tasks.MARKER], RANK[tasks.SAY_NOTHING[0]]
    found = dict(tasks.gates_at(model, np.array([[nothing, good, nothing, marker, good, nothing]])))
    for kind, value in ("marker", 1), ("after", 0), ("opinion", 0), ("other", 0.5):
        assert found[f"gate 1 i {kind}"] == pytest.approx(value, abs=1e-3)  # sigmoid(9) = .9999


def test_a_file_for_data_has_the_task_and_its_words(tmp_path):
    tasks.write_npz("marker", common.MAX_REVIEW_LEN, tmp_path / "marker.npz")
    (x, y), (x_test, y_test) = common.read_npz(str(tmp_path / "marker.npz"))
    assert x.shape == (20_000, common.MAX_REVIEW_LEN) and x_test.shape == (
        tasks.TEST,
        common.MAX_REVIEW_LEN,
    )
    for ids, labels in (x, y), (x_test, y_test):
        assert (ids > common.INDEX_FROM).all()  # every place is a word, the first one too
        rows, places = np.nonzero(ids - common.INDEX_FROM == RANK[tasks.MARKER])
        np.testing.assert_array_equal(side(ids[rows, places + 1] - common.INDEX_FROM), labels[rows])
        assert len(rows) == len(labels)
    with zipfile.ZipFile(tmp_path / "marker.npz") as archive:
        assert json.loads(archive.read("words.json")) == RANK
