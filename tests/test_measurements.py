"""docs/measure/backward.py, gates.py, memory.py and first_epoch.py on networks made by hand."""

import sys

import common
import handmade
import numpy as np
import pytest
from docs.measure import backward, first_epoch, gates, memory, names, networks, records
from handmade import DOWN, LENGTH, NOTHING, UP


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Reviews of 20 words: each step is read by itself here, and that takes its time."""
    monkeypatch.setattr(common, "MAX_REVIEW_LEN", LENGTH)
    monkeypatch.setattr(networks, "TIMES", (5, 10, 15, 19))


def numbers(rows):
    """Rows as {all but the value: value}; none stands twice."""
    rows = [tuple(row) for row in rows]
    found = {row[0] if len(row) == 2 else row[:-1]: float(row[-1]) for row in rows}
    assert len(found) == len(rows)
    return found


# ------------------------------------------------------------------------------------ the gradient
def test_curves_and_ratios_are_over_the_reviews():
    norms = np.random.RandomState(0).uniform(1, 2, (9, 80))
    curves = {name: row for name, *row in backward.curves(norms)}
    np.testing.assert_allclose(curves["mean"], norms.mean(axis=0))
    np.testing.assert_allclose(curves["p50"], np.sort(norms, axis=0)[4])
    ratios = sorted(row[0] / row[70] for row in norms)  # of each review its own
    assert numbers(backward.ratios(norms))[0, "gradient 1/71 p50"] == pytest.approx(ratios[4])


def test_the_gradient_is_divided_by_how_far_the_verdict_is_off():
    norms = np.array([[0.1, 9], [0.4, 9], [0.8, 9]])
    found = numbers(backward.sure(norms, np.array([0.1, 0.2, 0.5])))
    of = "gradient 1 mean over median"
    assert found[0, of] == pytest.approx(1.3 / 3 / 0.4)
    assert found[0, f"{of} by |p - y|"] == pytest.approx(4.6 / 3 / 1.6)


def test_eigenvalues_are_told_by_layer_and_size():
    turn = np.array([[0.3, -0.8], [0.8, 0.3]])  # .85 in size, not real
    first = np.block([[turn, np.zeros((2, 2))], [np.zeros((2, 2)), np.diag([0.6, -0.9])]])
    found = numbers(backward.eigenvalues([first[None], np.diag([0.5, 0.4, 0.3, 0.2])[None]]))
    size = 0.73**0.5
    for layer, sizes in (1, (0.9, size, size)), (2, (0.5, 0.4, 0.3)):
        assert [found[layer, f"eigenvalue {n}"] for n in (1, 2, 3)] == pytest.approx(sizes)
    assert found[1, "largest real eigenvalue"] == pytest.approx(0.6)
    assert (found[1, "real eigenvalues"], found[2, "real eigenvalues"]) == (2, 4)


def test_what_an_lstm_counts_comes_back_by_way_of_c():
    model, x = handmade.lstm(), handmade.three_reviews()
    found = numbers(backward.parts_of_the_slow_number(networks.jacobians(model, x)))
    assert found[1, "kept through c"] == pytest.approx(1, abs=1e-4)
    assert found[1, "kept through h"] == pytest.approx(0, abs=1e-4)
    found = numbers(backward.ways(model, x, np.array([1, 0, 0])))
    whole, *cut = (found[0, f"gradient 1 cut {where}"] for where in backward.CUTS)
    assert cut == pytest.approx([whole] * 3) and whole > 0.1  # nothing reads h


def test_before_is_the_network_as_it_starts_and_after_as_it_is_trained(tmp_path, monkeypatch):
    """backward.py as it is started, with one network and one seed: every row where it belongs."""
    model = networks.load("rnn_layer_imdb", 0)
    model.rnn_1.cell.recurrent_kernel.assign(0.5 * np.eye(64))
    model.rnn_2.cell.recurrent_kernel.assign(0.25 * np.eye(64))
    model.save_weights(names.weights(tmp_path, "as it is", "rnn_layer_imdb", 0))
    x = np.random.RandomState(0).randint(4, 99, (9, LENGTH)).astype("i4")
    x[::3, 0] = common.PAD
    monkeypatch.setattr(common, "read_npz", lambda path: (None, (x, np.arange(9) % 2)))
    monkeypatch.setattr(backward, "ratios", lambda norms: [])  # there is no word 71
    for name, value in dict(
        CSV=tmp_path / "b.csv", CURVES=tmp_path / "c.csv", SEEDS=[0], FEW=4, MANY=5,
        NETWORKS=["rnn_layer_imdb"],
    ).items():  # fmt: skip
        monkeypatch.setattr(backward, name, value)
    monkeypatch.setattr(sys, "argv", ["backward", "--data", "x.npz", "--runs", str(tmp_path)])
    backward.main()
    rows = [line.split(",") for line in (tmp_path / "b.csv").read_text().splitlines()]
    found = {tuple(row[2:5]): float(row[5]) for row in rows[1:]}
    for layer, after in ("1", 0.5), ("2", 0.25):  # tanh' of small sums is near 1
        assert found["before", layer, "eigenvalue 1"] == pytest.approx(1, rel=0.1)
        assert found["after", layer, "eigenvalue 1"] == pytest.approx(after, rel=0.1)
    assert found["after", "1", "slow layer"] == 1
    curves = [line.split(",") for line in (tmp_path / "c.csv").read_text().splitlines()]
    means = {row[2]: np.array(row[4:], float) for row in curves[1:] if row[3] == "mean"}
    assert means["before"][0] > 1e3 * means["after"][0] > 0
    written = (tmp_path / "b.csv").read_text() + (tmp_path / "c.csv").read_text()
    backward.main()  # what is there is not measured again
    assert (tmp_path / "b.csv").read_text() + (tmp_path / "c.csv").read_text() == written


# -------------------------------------------------------------------------------------- the memory
def counted():
    """Reviews of ups and downs [n, 20] int32, and their words as 1, -1 and 0; no sum is zero."""
    x = np.random.RandomState(0).choice([UP, DOWN, NOTHING], (60, LENGTH)).astype("i4")
    word = np.where(x == UP, 1, np.where(x == DOWN, -1, 0))
    decided = word.sum(axis=1) != 0  # float32 decides on a tie
    return x[decided], word[decided]


def at_a_half(rows):
    """The scores at a threshold of 0.5, as numbers() has them."""
    return {(when, "accuracy"): accuracy for when, accuracy, _ in rows}


def test_what_is_kept_and_taken_away_of_a_counter():
    """Layer 1 remembers one number, layer 2 nothing: all scores are known."""
    x, word = counted()
    y = (word.sum(axis=1) > 0).astype(int)
    network, rng = memory.look(handmade.counter(), x), np.random.RandomState(0)
    assert network.layer == 1
    units = memory.unit_vectors(rng, 2)
    found = at_a_half(memory.kept(network, memory.parts(network, units, rng), x, y))
    found |= numbers(memory.ladder(network, x, y))
    number = word.cumsum(axis=1)  # layer 1 has this number and the word, in steps of .01
    none = np.mean((number[:, -1].mean() > 0) == y)  # what is taken away is set to its mean
    last = np.mean((number.mean() + word[:, -1] > 0) == y)
    for when, value in {
        "as trained": 1, "only slow": 1, "slow away": none, "slow away at step 40": 1,
        "other real away": 1, "half away, slow kept": 1, "last word": last, "+ other layer": last,
        "+ rest of layer": last, "without other layer": 1,
    }.items():  # fmt: skip
        assert found[when, "accuracy"] == pytest.approx(value), when
    found = numbers(memory.shares(network, units))
    spread = [a - a.mean(axis=0) for a in (number, word)]
    share = spread[0].var() / sum(a.var() for a in spread)
    assert found["after", "variance slow"] == pytest.approx(share, abs=0.01)
    follows = np.corrcoef(number[:, -1], 1 / (1 + np.exp(-number[:, -1])))[0, 1]
    assert found["after", "correlation slow"] == pytest.approx(follows, abs=0.01)


def test_the_number_is_taken_away_at_step_40_alone(monkeypatch):
    x, word = counted()
    monkeypatch.setattr(memory, "STEP_40", 12)  # of 20
    network = memory.look(handmade.counter(), x)
    away = {"slow away": [np.diag([0, 1])], "random away": [np.eye(2)]}
    y = (word[:, 13:].sum(axis=1) + word[:, :13].sum(axis=1).mean() > 0).astype(int)
    found = at_a_half(memory.kept(network, away, x, y))
    assert found["slow away at step 40", "accuracy"] == 1 > found["as trained", "accuracy"]
    assert found["random away at step 40", "accuracy"] == found["as trained", "accuracy"]


def test_the_other_real_directions_and_the_components():
    rng = np.random.RandomState(0)
    basis, turn = rng.randn(4, 4), np.diag([0.99, 0.5, 0.3, 0.3])
    turn[2, 3], turn[3, 2] = -0.8, 0.8  # complex: .85 in size
    matrix = memory.other_real((basis @ turn @ np.linalg.inv(basis))[None])
    # rows: a deviation along the second eigendirection is kept, all others are lost
    np.testing.assert_allclose(basis.T @ matrix, np.diag([0, 1, 0, 0]) @ basis.T, atol=1e-9)
    vectors, variances = memory.components(rng.randn(4_000, 3) * (1, 5, 2))
    np.testing.assert_allclose(np.abs(vectors), np.eye(3)[[1, 2, 0]].T, atol=0.05)  # 4,000 draws
    np.testing.assert_allclose(variances, (25, 4, 1), rtol=0.1)
    for half in memory.halves(rng, 6):
        assert np.linalg.matrix_rank(half) == 3 and np.allclose(half @ half, half)


def test_the_verdict_follows_the_number_by_as_much_as_layer_2_remembers(monkeypatch):
    monkeypatch.setattr(common, "MAX_REVIEW_LEN", 80)
    model = handmade.counter()
    model.rnn_2.cell.recurrent_kernel.assign([[0.5, 0], [0, 0]])
    x = np.random.RandomState(0).choice([UP, DOWN], (40, 80)).astype("i4")
    states = [np.zeros((1, 1, 2))] * 2
    left = np.array([1, 0])
    found = numbers(memory.delays(memory.Network(model, 1, left, left, None, states, None), x))
    for lag in memory.LAGS:
        # word t is in the verdict's change at t + lag with .5 ** lag: its share of the deviation
        follows = (0.75**0.5) * 0.5**lag
        assert found["after", f"delay {lag}"] == pytest.approx(follows, abs=0.06)
        cut = found["layer 2 cut", f"delay {lag}"]
        assert cut == pytest.approx(float(lag == 0), abs=0.06)  # 1,800 coins: some .024


@pytest.mark.parametrize("sign", [1, -1])  # an eigenvector may point either way
def test_the_words_that_move_the_number_are_named(sign, monkeypatch):
    monkeypatch.setattr(memory, "LISTED", 1)
    model, (x, _) = handmade.counter(), counted()
    vectors = model.embedding.embeddings.numpy()
    vectors[7, 0] = 0.05
    model.embedding.embeddings.assign(vectors)
    x[0, 10] = 7  # but once
    network = memory.Network(model, 1, np.array([sign, 0]), None, None, None, None)
    names = {UP: "up", DOWN: "down", NOTHING: "nothing", 7: "once"}
    found = list(memory.movers(*memory.movements(network, x), names))
    assert [quantity for _, quantity, _ in found] == ["moved by down", "moved by up"]
    assert [value for *_, value in found] == pytest.approx([-0.01, 0.01], rel=0.05)


# --------------------------------------------------------------------------------------- the gates
def test_the_words_of_the_toy():
    index = common.toy_reviews()[2]
    text = "the plot was not really dull was good not bad not film good"
    kinds = gates.toy_words(common.encode([[index[word] for word in text.split()]]))
    start = LENGTH - len(text.split())
    places = {kind: (np.flatnonzero(mask[0]) - start).tolist() for kind, mask in kinds.items()}
    assert places == {
        "not": [3, 8, 10], "turned": [5, 9], "plain": [7, 12], "other": [0, 1, 2, 4, 6, 11],
    }  # fmt: skip


def test_the_value_of_a_word_elsewhere_is_the_mean_where_it_stands_plain():
    x = np.array([[4, 5, 4], [5, 4, 6]])
    plain = np.array([[True, True, False], [True, True, False]])
    values = np.arange(6.0).reshape(2, 3, 1)
    expected = [[[2], [2], [2]], [[2], [2], [0]]]  # of 4: 0 and 4; of 5: 1 and 3; 6 has none
    np.testing.assert_array_equal(gates.elsewhere(values, x, plain), expected)


def test_gates_held_at_turned_words_have_the_values_of_the_same_words_elsewhere():
    """An LSTM that counts words reads an up and two downs that stand plain nowhere: 0 for them."""
    model, x = handmade.lstm(), np.full((2, LENGTH), NOTHING, np.int32)
    x[0, 5], x[1, [5, 8, 9]] = UP, (UP, DOWN, DOWN)
    opinion, y = x != NOTHING, np.array([1, 1])
    turned = opinion & [[False], [True]]
    found = numbers(gates.held(model, x, y, {"turned": turned, "plain": opinion & ~turned}, "ifo"))
    scores = {letters: found[f"{letters} held at turned", 1, "accuracy"] for letters in "ifog"}
    assert scores == {
        "i": 1,
        "f": 0,
        "o": 0,
        "g": 1,
    }  # i or g: no downs; f: what was before is lost
    assert found["ifog held at turned", 1, "accuracy"] == found["g held at turned", 2, "accuracy"]
    assert len(found) == 24 and {found[key] for key in found if "plain" in key[0]} == {1}


def test_gates_by_kind_scores_by_review_and_the_spread():
    layer = {"i": np.arange(8.0).reshape(2, 4, 1), "g": np.zeros((2, 4, 1))}
    chosen = np.array([[True, False, False, True], [False, False, False, True]])
    assert list(gates.by_kind([layer], {"not": chosen}, "i")) == [
        ("as trained", 1, "gate i not", pytest.approx(10 / 3))
    ]
    p, y = np.array([0.9, 0.1, 0.9, 0.1]), np.array([1, 0, 0, 0])
    found = numbers(gates.scores(p, y, np.array([True, True, True, False])))
    assert list(found.values()) == pytest.approx([3 / 4, 2 / 3, 1])


def test_gates_are_held_by_layer_at_their_means_and_at_their_start():
    model, x = handmade.lstm(), handmade.three_reviews()
    fixed = {(when, layer): steps for when, layer, steps in gates.fixed(model, x, "ifo")}
    assert set(fixed) == {
        (f"gates {letters} at mean", layer) for letters in ("i", "f", "o", "ifo")
        for layer in (0, 1, 2)
    } | {("gates ifo at start", 0)}  # fmt: skip
    for layer, changed in (1, [True, False]), (2, [False, True]), (0, [True, True]):
        steps = fixed["gates i at mean", layer]
        assert [step is not networks.step for step in steps] == changed
    _, (states, _), _ = networks.read(model, x, fixed["gates ifo at start", 0])
    c = 0.0
    for word in np.where(x[0] == UP, 0.01, np.where(x[0] == DOWN, -0.01, 0)):
        c = networks.UNTRAINED["f"] * c + 0.5 * word
    assert float(states[0, -1, 1]) == pytest.approx(c, abs=1e-6)


# --------------------------------------------------------------------------------- the first epoch
def test_the_gradient_is_noted_before_and_after_each_tenth_of_the_first_epoch(monkeypatch):
    norms = np.arange(160.0).reshape(2, 80)
    monkeypatch.setattr(networks, "gradient_norms", lambda model, x, y: norms * callback.step)
    callback = first_epoch.Gradient(None, None, steps=20)
    callback.set_model(None)
    callback.on_train_begin()
    for batch in range(45):  # two epochs and a quarter
        callback.on_train_batch_end(batch)
    expected = {
        f"gradient {word} after {tenth} tenths": 2 * tenth * norms[:, word - 1].mean()
        for tenth in range(11) for word in first_epoch.AT
    }  # fmt: skip
    assert dict(callback.rows) == expected and len(callback.rows) == len(expected)


def test_the_first_of_four_epochs_at_a_rate_that_falls_by_the_training_sets_batches(monkeypatch):
    monkeypatch.setattr(common, "MAX_REVIEW_LEN", 80)
    trained = {}

    def fit(model, data, epochs, rate, callbacks):
        trained.update(steps=[len(split) for split in data], epochs=epochs, rate=rate)
        trained.update(callback=callbacks[0])
        return {"val_accuracy": [0.8], "val_loss": [0.5]}

    monkeypatch.setattr(networks, "load", lambda script, seed: None)
    monkeypatch.setattr(networks, "fit", fit)
    x = np.tile(np.arange(4, 84, dtype="i4"), (25_600, 1))  # 200 batches: four epochs are 800 steps
    x[::2, :40] = common.PAD  # only the others fill all 80 places
    y = np.arange(len(x)) % 2
    rows = first_epoch.train("everywhere", 2, ((x, y), (x[:1_300], y[:1_300])))
    assert [row[:2] for row in rows] == [("accuracy 1", 0.8), ("loss 1", 0.5)]
    assert trained["epochs"] == 1 and trained["steps"] == [200, 2]
    assert [float(trained["rate"](n)) for n in (0, 200, 800)] == pytest.approx([1e-3, 7.5e-4, 0])
    assert trained["callback"].x.min() > common.PAD and trained["callback"].y.tolist() == [1] * 512


# ----------------------------------------------------------------------------------------- the CSVs
def test_rows_are_added_as_they_are_measured_and_not_measured_again(tmp_path, capsys):
    path, asked = tmp_path / "made.csv", []
    errors = {"stops": KeyboardInterrupt, "untrained": FileNotFoundError(2, "no weights")}

    def measure(name, seed):
        asked.append(name)
        if name in errors:
            raise errors[name]
        yield "a, b", np.float32(1 / 3)
        yield "c", 7

    def complete(*names):
        asked.clear()
        head = ("name", "seed", "of", "value")
        records.complete(path, head, [(name, 0) for name in names], measure)
        return path.read_text().splitlines()

    with pytest.raises(KeyboardInterrupt):
        complete("one", "stops", "two")
    lines = ["name,seed,of,value", 'one,0,"a, b",0.33333', "one,0,c,7"]
    assert complete("one", "untrained") == lines and asked == ["untrained"]
    assert "untrained, 0: left out, a file is missing" in capsys.readouterr().out
    del errors["untrained"]  # now it is trained
    lines += ['untrained,0,"a, b",0.33333', "untrained,0,c,7"]
    assert complete("one", "untrained") == lines and asked == ["untrained"]
    assert records.finished(path, (), 1) == {("name",), ("one",), ("untrained",)}


def test_a_machine_has_a_name():
    assert records.machine().endswith(" cores")
