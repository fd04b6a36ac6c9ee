"""The programs of docs/measure that measure networks, on networks made by hand.

What they share is in test_networks.py and test_tasks.py.
"""

import os
import platform
from types import SimpleNamespace

import common
import handmade
import numpy as np
import pytest
from docs.measure import (
    backward,
    first_epoch,
    gates,
    lookup,
    made_up,
    marker,
    memory,
    names,
    networks,
    paths,
    records,
    shuffle,
)
from docs.tools import baseline
from handmade import DOWN, LENGTH, NOTHING, UP


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Reviews of 20 words: each step is read by itself here, and that takes its time."""
    monkeypatch.setattr(common, "MAX_REVIEW_LEN", LENGTH)
    monkeypatch.setattr(networks, "TIMES", (5, 10, 15, 19))


def numbers(rows):
    """Rows as {all but the value: value}; none stands twice."""
    rows = [tuple(row) for row in rows]
    values = {row[0] if len(row) == 2 else row[:-1]: float(row[-1]) for row in rows}
    assert len(values) == len(rows)
    return values


def measure_of(module, monkeypatch, reviews=None, flags="--data x --runs x"):
    """What a program's main() measures its rows by: the last one, of one with several CSVs."""
    found = []
    monkeypatch.setattr(records, "complete", lambda *given: found.append(given[-1]))
    monkeypatch.setattr(common, "read_npz", lambda path: reviews)
    monkeypatch.setattr(common, "load_word_index", lambda path: dict(up=1, down=2, nothing=3))
    module.main(flags.split())
    return found[-1] if len(found) == 1 else found


def read_rows(path):
    """The rows of a CSV below its head."""
    return [line.split(",") for line in path.read_text().splitlines()[1:]]


def test_so_many_reviews_are_read_as_the_page_says():
    page = " ".join((names.ROOT / "docs/inside-notes.md").read_text(encoding="utf-8").split())
    for text, *numbers in (
        ("over {} reviews. \"By the carry", paths.REVIEWS["before"]),
        ("21, 41, 61 and 80 over {} reviews", backward.FEW, memory.FEW),
        ("over the {} reviews of section 1", backward.MANY, paths.REVIEWS["after"]),
        ("(seeds 0 to 4, {} reviews)", gates.MANY), ("state too. {:,} test", memory.SCORED),
        ("its mean over all words. {:,} test", marker.SCORED),
    ):  # fmt: skip
        assert [n for n in numbers if text.format(n) not in page] == [], text
    kinds = [row["quantity"] for row in lookup.rows("memory", script="lstm_imdb", seed="0")]
    assert {f"delay {lag}" for lag in memory.LAGS} == {k for k in kinds if k.startswith("delay")}
    assert sum(kind.startswith("moved") for kind in kinds) == 2 * memory.LISTED
    assert memory.STEP_40 == 40 - 1


# ------------------------------------------------------------------------------------ the gradient
def test_curves_falls_and_means_are_over_the_reviews():
    norms = np.random.RandomState(0).uniform(1, 2, (11, 80))
    curves = {name: row for name, *row in backward.curves(norms)}
    np.testing.assert_allclose(curves["mean"], norms.mean(axis=0))
    falls = numbers(backward.percentiles(0, "fall", backward.falls(norms)))
    ratios = sorted(row[0] / row[70] for row in norms)  # of each review its own
    for p, place in (10, 1), (50, 5), (90, 9):  # among eleven
        np.testing.assert_allclose(curves[f"p{p}"], np.sort(norms, axis=0)[place])
        assert falls[0, f"fall p{p}"] == pytest.approx(ratios[place])
    norms = np.array([[0.1, 9], [0.4, 9], [0.8, 9]])
    values = numbers(backward.mean_over_median(norms, np.array([0.1, 0.2, 0.5])))
    assert list(values.values()) == pytest.approx([1.3 / 3 / 0.4, 4.6 / 3 / 1.6])


def test_eigenvalues_are_told_by_layer_and_size():
    turn = np.array([[0.3, -0.8], [0.8, 0.3]])  # .85 in size, not real
    first = np.block([[turn, np.zeros((2, 2))], [np.zeros((2, 2)), np.diag([0.6, -0.9])]])
    found = numbers(backward.eigenvalues([first[None], np.diag([0.5, 0.4, 0.3, 0.2])[None]]))
    size = 0.73**0.5  # of each layer the largest three, the largest real one, and how many
    assert list(found.values()) == pytest.approx([0.9, size, size, 0.6, 2, 0.5, 0.4, 0.3, 0.5, 4])
    assert [layer for layer, _ in found] == [1] * 5 + [2] * 5


def test_what_an_lstm_counts_comes_back_by_way_of_c():
    model, x = handmade.lstm(), handmade.three_reviews()
    jacobians = networks.jacobians(model, x)
    jacobians[0][:2] += np.array([-0.1, 0.1]).reshape(2, 1, 1)  # their mean counts
    found = numbers(backward.parts_of_the_slow_number(jacobians))
    assert found[1, "kept through c"] == pytest.approx(1, abs=1e-4)
    assert found[1, "kept through h"] == pytest.approx(0, abs=1e-4)


def test_what_is_measured_of_an_lstm(monkeypatch):
    x, y = np.full((2, LENGTH), 4), np.array([0, 1])
    monkeypatch.setattr(backward, "STEPS", 10)
    for when in "before", "after":
        measured = backward.measure(networks.load("lstm_imdb", 0, units=2), "lstm_imdb", when, x, y)
        rows = lookup.rows("backward", script="lstm_imdb", seed="0", when=when)
        assert {kind for _, kind, _ in measured} == {row["quantity"] for row in rows}


def test_before_is_the_network_as_it_starts_and_after_as_it_is_trained(tmp_path, monkeypatch):
    """backward.py as it is started, with one network and one seed: every row where it belongs."""
    model = networks.load("rnn_layer_imdb", 0)
    model.rnn_1.cell.recurrent_kernel.assign(0.5 * np.eye(64))
    model.rnn_2.cell.recurrent_kernel.assign(0.25 * np.eye(64))
    model.save_weights(names.weights(tmp_path, "as it is", "rnn_layer_imdb", 2))
    x = np.random.RandomState(0).randint(4, 99, (9, LENGTH)).astype("i4")
    x[::3, 0] = common.PAD
    monkeypatch.setattr(common, "read_npz", lambda path: (None, (x, np.arange(9) % 2)))
    paths = {name: tmp_path / f"{name}.csv" for name in ("CURVES", "CSV", "DECAY")}
    changes = dict(SEEDS=[2], FEW=4, MANY=5, STEPS=10, NETWORKS=["rnn_layer_imdb"])
    for name, value in {**paths, **changes}.items():
        monkeypatch.setattr(backward, name, value)
    flags = "--data", "x.npz", "--runs", str(tmp_path)
    backward.main(flags)
    found = {tuple(row[2:5]): float(row[5]) for row in read_rows(paths["CSV"])}
    for layer, after in ("1", 0.5), ("2", 0.25):  # tanh' of small sums is near 1
        assert found["before", layer, "eigenvalue 1"] == pytest.approx(1, rel=0.1)
        assert found["after", layer, "eigenvalue 1"] == pytest.approx(after, rel=0.1)
    assert found["after", "1", "slow layer"] == 1
    rows = lookup.rows("backward", script="rnn_layer_imdb", seed="0")
    kinds = sorted((row["when"], row["quantity"]) for row in rows)
    assert sorted((when, quantity) for when, _, quantity in found) == kinds
    curves = {tuple(row[2:4]): np.array(row[4:], float) for row in read_rows(paths["CURVES"])}
    full = np.array([1, 2, 4, 5, 7])  # all that are read
    for when, network in ("before", networks.load("rnn_layer_imdb", 2)), ("after", model):
        norms = networks.gradient_norms(network, x[full], full % 2)
        np.testing.assert_allclose(curves[when, "mean"][:LENGTH], norms.mean(axis=0), rtol=1e-3)
    by_error = norms[:, 0] / np.abs(model(x[full]).numpy()[:, 0] - full % 2)
    ratio = by_error.mean() / np.median(by_error)
    quantity = "gradient 1 mean over median by |p - y|"
    assert found["after", "0", quantity] == pytest.approx(ratio, rel=1e-4)  # five digits
    decay = {tuple(row[2:4]): float(row[4]) for row in read_rows(paths["DECAY"])}
    assert decay["1", "gradient p50"] == pytest.approx(found["after", "0", "gradient 1/71 p50"])
    assert decay["1", "mean size"] == found["after", "1", "eigenvalue 1"]
    assert decay["1", "mean Jacobian"] == found["after", "1", "largest real eigenvalue"]
    written = [path.read_text() for path in paths.values()]
    backward.main(flags)  # what is there is not measured again
    assert [path.read_text() for path in paths.values()] == written


@pytest.mark.parametrize("layer", [1, 2])
def test_where_every_step_is_alike_an_eigenvalue_tells_all(layer):
    """A layer has two units, of which one keeps .97 a step, one .5; Dense reads the first alone.

    Numbers of 1e-5 leave tanh at its slope of 1. Rows: h W, so that unit 0 feeds unit 1 by .2 and
    unit 1 feeds nothing. The other layer remembers nothing.
    """
    U = [np.array([[0.97, 0.2], [0, 0.5]]), np.zeros((2, 2))][:: 3 - 2 * layer]
    first, second = ([[1, 1]], U[0], [0, 0]), ([[1, 0], [0, 0]], U[1], [0, 0])
    model = handmade.network("rnn_layer_imdb", {7: [1e-5]}, *first, *second, [[1], [0]], [0])
    ids = np.full((3, 80), 7)
    mean_size, of_mean, *kept = numbers(backward.decay(model, ids, np.array([0, 1, 1]))).values()
    assert (mean_size, of_mean) == pytest.approx((0.97, 0.97), abs=1e-4)
    assert kept == pytest.approx([0.97**70] * 6, rel=0.01)  # of number and gradient, percentiles


def test_a_push_goes_through_the_jacobian_of_each_word_in_turn(monkeypatch):
    monkeypatch.setattr(backward, "STEPS", 3)
    model, x = networks.load("gru_imdb", 0, units=4), np.array([[7, 8, 9, 10], [11, 12, 13, 14]])
    model.embedding.embeddings.assign(40 * model.embedding.embeddings)  # no word is like another
    left, right = np.random.RandomState(0).randn(2, 4)
    _, states, inputs = networks.read(model, x)
    for layer, cell in enumerate(networks.cells(model)):
        moved = np.tile(right, (2, 1))
        for t in 1, 2, 3:
            jacobian = networks.step_jacobian(cell, inputs[layer][:, t], states[layer][:, t - 1])
            moved = np.einsum("bij,bj->bi", jacobian, moved)
        found = backward.pushed(model, layer + 1, left, right, x)
        np.testing.assert_allclose(found, moved @ left, rtol=1e-4)  # float32


# ------------------------------------------------------------------------------ its ways back
def one_unit(script, bias, recurrent, number=0.001):
    """A network of one unit in which only the candidate g reads the word, and h through recurrent.

    bias, recurrent: {letter: number} of layer 1. Layer 2 hands on the last word and remembers
    nothing, so that what reaches word t has come through layer 1 alone. number: of a word vector.
    """
    letters = {"lstm_imdb": "ifgo", "gru_imdb": "zrg"}[script]

    def layer(recurrent, biases):
        b = np.array([biases.get(letter, 0) for letter in letters], float)
        kernel = [[letter == "g" for letter in letters]]
        rows = b if script == "lstm_imdb" else np.stack([b, 0 * b])
        return kernel, [[recurrent.get(letter, 0) for letter in letters]], rows

    second = layer({}, {"i": 20, "f": -20, "o": 20, "z": -20})
    return handmade.network(script, {4: [number]}, *layer(recurrent, bias), *second, [[1]], [0])


def norms_by_cut(model, script, monkeypatch):
    """What paths.measure() yields: {what is cut: norms at the words of AT}."""
    monkeypatch.setattr(paths, "AT", (1, 10, 19, 20))
    rows = paths.measure(model, paths.cuts(script), np.full((2, 20), 4), np.array([0, 1]))
    return {cut: np.array(row) for cut, *row in rows}


BY_CARRY = {"h everywhere": 1, "h into the gates": 1, "h into g": 1, "carry": 0}  # what is left
BY_G = {"h everywhere": 0, "h into the gates": 1, "h into g": 0, "carry": 1}


@pytest.mark.parametrize(
    ("script", "bias", "recurrent", "a_step", "left"),
    (
        ("lstm_imdb", {"i": 20, "o": 20, "f": 1}, {}, 0.7311, BY_CARRY),
        ("lstm_imdb", {"i": 20, "o": 20, "f": -20}, {"g": 0.9}, 0.9, BY_G),
        ("gru_imdb", {"z": 3}, {}, 0.9526, BY_CARRY),
        ("gru_imdb", {"z": -20, "r": 20}, {"g": 0.9}, 0.9, BY_G),
    ),
)
def test_what_is_cut_is_gone_and_the_rest_stays(script, bias, recurrent, a_step, left, monkeypatch):
    """Word vectors of .001: tanh keeps to its slope of 1 within one part in a thousand a step."""
    found = norms_by_cut(one_unit(script, bias, recurrent), script, monkeypatch)
    whole = found["nothing"]
    assert (whole[0] / whole[-1]) ** (1 / 19) == pytest.approx(a_step, rel=1e-3)
    for cut, share in left.items():
        np.testing.assert_allclose(found[cut][:-1], share * whole[:-1], rtol=1e-4, atol=1e-8)
        # atol: of 0.25 at most, sigmoid(-20) = 2e-9 a step
        assert found[cut][-1] == pytest.approx(whole[-1])  # word 80 has no step to go back


def test_gates_are_a_way_too(monkeypatch):
    """With h into f alone, what is cut is what comes by way of the gates."""
    model = one_unit("lstm_imdb", {"i": 20, "o": 20}, {"f": 4}, number=0.05)
    found = norms_by_cut(model, "lstm_imdb", monkeypatch)
    assert found["nothing"][0] > 2 * found["h into the gates"][0] > 0
    np.testing.assert_allclose(found["h into the gates"], found["h everywhere"], rtol=1e-4)
    np.testing.assert_allclose(found["h into g"], found["nothing"], rtol=1e-4)


def test_before_training_the_first_words_are_those_that_tasks_tests(monkeypatch):
    ranks, labels = made_up.first_word(80, 12_000, np.random.RandomState(1))

    monkeypatch.setattr(paths, "measure", lambda *given: given)
    monkeypatch.setattr(networks, "trained", lambda *of: of[:2])
    rows = measure_of(paths, monkeypatch, (None, (ranks[:600], labels[:600])))
    model, cuts, x, y = rows("gru_imdb", 3, "first", "before", 1)
    assert set(model.rnn_2.cell.bias.numpy()[0, :64]) == {3} and cuts == paths.cuts("gru_imdb")
    assert np.all(model.dense.kernel.numpy() == networks.load("gru_imdb", 1).dense.kernel)
    np.testing.assert_array_equal(x, ranks[:128] + common.INDEX_FROM)
    np.testing.assert_array_equal(y, labels[:128])
    trained, cuts, x, _ = rows("gru_imdb", 0, "imdb", "after", 1)
    assert trained == ("gru_imdb", 1) and cuts == paths.cuts("gru_imdb") and len(x) == 512
    model, cuts, x, _ = rows("lstm_imdb", 2, "imdb", "one layer", 1)
    h = np.arange(12).reshape(2, 3, 2)
    assert len(x) == 128  # as many as of the whole network before training
    assert cuts == {"nothing": ()} and (model.rnn_2(h, training=False) == h[:, -1]).all()
    assert set(model.rnn_1.cell.bias.numpy()[64:128]) == {2}


# -------------------------------------------------------------------------------------- the memory
def counted():
    """Reviews of ups and downs [n, 20] int32, and their words as 1, -1 and 0; no sum is zero."""
    rng = np.random.RandomState(0)
    x = rng.choice([UP, DOWN, NOTHING], (60, LENGTH), p=[0.45, 0.3, 0.25]).astype("i4")
    word = np.where(x == UP, 1, np.where(x == DOWN, -1, 0))
    decided = word.sum(axis=1) != 0  # float32 decides on a tie
    return x[decided], word[decided]


def scores_kept(*given):
    """What memory.kept() yields: {when: [accuracy at 0.5, at a threshold fitted anew]}."""
    return {when: scores for when, *scores in memory.kept(*given)}


@pytest.mark.parametrize("layer", [1, 2])
def test_what_is_kept_and_taken_away_of_a_counter(layer):
    """One layer remembers one number, the other nothing: all scores are known."""
    x, word = counted()
    y = (word.sum(axis=1) > 0).astype(int)
    network = memory.analyse(handmade.counter(layer), x)
    assert network.layer == layer
    parts = memory.parts(network, np.random.RandomState(0))
    found = {when: at_half for when, (at_half, _) in scores_kept(network, parts, x, y).items()}
    rungs = {when: accuracy for when, _, accuracy in memory.ladder(network, x, y)}
    number = word.cumsum(axis=1)  # the layer has this number and the word, in steps of .01
    held = np.stack([number, word], axis=2)
    np.testing.assert_allclose(network.slow_states, 0.01 * held, atol=0.005)  # half a step: tanh
    none = np.mean((number[:, -1].mean() > 0) == y)  # what is taken away is set to its mean
    last = np.mean((number.mean() + word[:, -1] > 0) == y)
    for when, value in {
        "as trained": 1, "only slow": 1, "slow away": none, "slow away at step 40": 1,
        "other real away": 1, "half away, slow kept": 1,
    }.items():  # fmt: skip
        assert found[when] == pytest.approx(value), when
    assert rungs == pytest.approx({
        "last word": last, "+ other layer": last, "+ rest of layer": last,
        "without other layer": 1, "as trained": 1,
    })  # fmt: skip


def test_what_a_program_scores_are_the_first_test_reviews_by_the_trained_network(monkeypatch):
    x, word = counted()
    y = ((word.sum(axis=1) > 0) ^ (np.arange(len(x)) >= 20)).astype(int)  # wrong from 20 on
    x[x[:, 0] == NOTHING, 0] = common.PAD
    monkeypatch.setattr(memory, "SCORED", 20)
    away = dict.fromkeys(("slow away", "random away"), [np.eye(2)])  # nothing, in fact
    monkeypatch.setattr(memory, "parts", lambda network, rng: away)
    monkeypatch.setattr(memory, "delays", lambda network, x: ())  # for longer reviews
    kept, rest = measure_of(memory, monkeypatch, [(x, 1 - y), (x, y)])
    monkeypatch.setattr(memory, "LISTED", 1)
    trained = {(script, 3): handmade.counter() for script in ("rnn_layer_imdb", "lstm_imdb")}
    monkeypatch.setattr(networks, "trained", lambda *of: trained[of[:2]])
    assert {row[1:3] for row in kept("rnn_layer_imdb", 3)} == {(1, 1)}  # layer, accuracy
    found = numbers(rest("rnn_layer_imdb", 3))
    assert found.pop(("without other layer", 1, "accuracy")) == 1
    more = [kind for _, _, kind, _ in rest("lstm_imdb", 3)][len(found) + 1 :]  # of an LSTM alone
    assert more == ["moved by down", "moved by up"]


def test_a_network_of_a_seed_is_measured_on_the_reviews_that_belong_to_it(monkeypatch):
    """What main() hands on in shuffle.py, first_epoch.py and marker.py."""
    monkeypatch.setattr(networks, "trained", lambda script, seed, runs, data: (script, seed, data))
    monkeypatch.setattr(common, "load_toy", lambda: ("to train on", "TY"))
    for module in shuffle, marker:
        monkeypatch.setattr(module, "measure", lambda *given: given)
    rows = measure_of(shuffle, monkeypatch, ("to train on", "IM"))
    assert rows("toy", "gru_imdb", 3) == (("gru_imdb", 3, "toy"), *"TY", 3)
    assert rows("as it is", "gru_imdb", 3) == (("gru_imdb", 3, "as it is"), *"IM", 3)
    monkeypatch.setattr(first_epoch, "train", lambda *given: given)
    rows = measure_of(first_epoch, monkeypatch, "both splits", "--data x")
    assert rows("last 20", 3) == ("last 20", 3, "both splits")
    splits = [(-np.arange(9_000), 0), (np.arange(2_000), np.arange(2_000) + 1)]
    monkeypatch.setattr(networks, "made_up_reviews", lambda *of: splits if of[2] == 3 else None)
    monkeypatch.setattr(marker, "train", lambda *given: given)
    rows = measure_of(marker, monkeypatch, flags="--runs x")
    model, script, x, y, averaged = rows("gru_imdb", 3)
    assert model[:3] == ("gru_imdb", 3, splits) and model[3].name == "marker-gru_imdb-3.weights.h5"
    assert script == "gru_imdb" and len(x) == 1_000 and (x + 1 == y).all()
    assert averaged.tolist() == list(range(0, -512, -1))


def test_what_is_kept_is_scored_at_a_half_and_at_a_threshold_fitted_anew(monkeypatch):
    """A SimpleRNN that counts ups and downs in unit 0; unit 1 is always 0.5, and Dense adds it."""
    monkeypatch.setattr(memory, "STEP_40", 9)  # the words that count come before it
    first = [[1, 0]], np.diag([1.0, 0]), [0, np.arctanh(0.5)]
    second = np.eye(2), np.zeros((2, 2)), [0, 0]
    dense = [[100.0], [10.0]], [0]
    model = handmade.network("rnn_layer_imdb", handmade.UPS_AND_DOWNS, *first, *second, *dense)
    x, y = np.full((8, LENGTH), NOTHING), np.array([0, 0, 1, 1] * 2)
    x[:, [2, 5]] = np.where(y, UP, DOWN)[:, None]
    states = [state.numpy() for state in networks.read(model, x)[1]]
    left = np.array([1.0, 0])
    network = memory.Network(model, 1, left, left, None, states, None)
    number, rest = np.diag([1.0, 0]), np.diag([0.0, 1])
    parts = {"slow away": [rest], "random away": [number], "only slow": [number, 0 * number]}
    assert scores_kept(network, parts, x, y) == {
        "as trained": [0.5, 1],  # P is above .5 for all, by the 10 of unit 1
        "random away": [0.5, 1],  # its mean stays, and it never moves
        "slow away": [0.5, 0.5],
        "only slow": [0.5, 0.75],  # the mean of the two matrices
        "slow away at step 40": [0.5, 0.5],
        "random away at step 40": [0.5, 1],
    }


PARTS = {  # how many matrices, their rank of 14, and whether the slow number stays (None: in part)
    "only slow": (1, 1, 1), "only random": (3, 1, None), "only first component": (1, 1, None),
    "slow away": (1, 13, 0), "random away": (3, 13, None), "first component away": (1, 13, None),
    "ten others away": (1, 4, 1), "other real away": (1, 11, 1), "half away": (3, 7, None),
    "half away, slow kept": (3, 8, 1), "half away, slow away": (3, 7, 0),
}  # fmt: skip


def test_the_parts_have_so_many_dimensions_with_the_slow_number_or_without():
    rng, unit = np.random.RandomState(0), np.eye(14)[5]
    turn = np.kron(np.eye(7), [[0, -0.5], [0.5, 0]])
    turn[:4, :4] = np.diag([0.99, 0.6, 0.3, 0.2])  # the real ones
    basis = rng.randn(14, 14)
    jacobian = (basis @ turn @ np.linalg.inv(basis))[None]
    states, p = [None, rng.randn(99, 9, 14) * (1 + 20 * unit)], rng.rand(99)
    network = memory.Network(None, 2, *networks.slow_direction(jacobian), jacobian, states, p)
    found = memory.parts(network, rng)
    for when, (n, rank, slow) in PARTS.items():
        assert len(found[when]) == n
        for matrix in found[when]:
            assert np.linalg.matrix_rank(matrix, tol=1e-6) == rank, when
            if slow is not None:
                np.testing.assert_allclose(matrix @ network.left, slow * network.left, atol=1e-9)
                np.testing.assert_allclose(network.right @ matrix, slow * network.right, atol=1e-9)
    (away,), first = found["other real away"], np.outer(unit, unit)
    in_its_basis = basis.T @ away @ np.linalg.inv(basis).T  # rows: along each eigendirection
    np.testing.assert_allclose(in_its_basis, np.diag([1, 0, 0, 0, *10 * [1]]), atol=1e-9)
    np.testing.assert_allclose(found["half away"][0] @ found["half away"][0], found["half away"][0])
    np.testing.assert_allclose(found["only first component"][0], first, atol=0.1)
    np.testing.assert_allclose(found["first component away"][0], np.eye(14) - first, atol=0.1)
    shares = numbers(memory.shares(network, np.random.RandomState(7)))
    units = np.random.RandomState(7).randn(20, 14)
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    flat = (states[1] - states[1].mean(axis=0)).reshape(-1, 14)
    _, sizes, (component, *_) = np.linalg.svd(flat, full_matrices=False)
    left, right, squares = network.left, network.right, np.sum(sizes**2)
    for name, value in (
        ("variance slow", np.sum((flat @ left) ** 2) * np.sum(right**2) / squares),
        ("variance first component", sizes[0] ** 2 / squares),
        ("variance other real", np.sum((flat - flat @ away) ** 2) / squares),
        ("variance random", np.sum((flat @ units.T) ** 2) / 20 / squares),
        ("correlation random", np.mean([abs(np.corrcoef(flat[8::9] @ u, p)[0, 1]) for u in units])),
        ("cosine slow, first component", abs(component @ right) / np.linalg.norm(right)),
        ("correlation slow", abs(np.corrcoef(flat[8::9] @ left, p)[0, 1])),  # at the last word
        ("correlation first component", abs(np.corrcoef(flat[8::9] @ component, p)[0, 1])),
    ):
        assert shares["after", name] == pytest.approx(value, rel=2e-3), name  # by n or n - 1


def test_the_verdict_follows_the_number_by_as_much_as_layer_2_remembers(monkeypatch):
    monkeypatch.setattr(common, "MAX_REVIEW_LEN", 80)
    model = handmade.counter()
    model.rnn_2.cell.recurrent_kernel.assign([[0.5, 0], [0, 0]])
    x = np.random.RandomState(0).choice([UP, DOWN], (40, 80)).astype("i4")
    left, states = np.array([1, 0]), [np.zeros((1, 1, 2))] * 2
    found = numbers(memory.delays(memory.Network(model, 1, left, left, None, states, None), x))
    for lag in memory.LAGS:
        # word t is in the verdict's change at t + lag with .5 ** lag: its share of the deviation
        follows = (0.75**0.5) * 0.5**lag
        assert found["after", f"delay {lag}"] == pytest.approx(follows, abs=0.06)
        cut = found["layer 2 cut", f"delay {lag}"]
        assert cut == pytest.approx(float(lag == 0), abs=0.06)  # 1,800 coins: some .024


@pytest.mark.parametrize("layer, sign", [(1, 1), (2, -1)])  # an eigenvector may point either way
def test_the_words_that_move_the_number_are_named(layer, sign, monkeypatch):
    monkeypatch.setattr(memory, "LISTED", 1)
    model, (x, _) = handmade.counter(layer), counted()
    vectors = model.embedding.embeddings.numpy()
    vectors[[7, common.OOV], 0] = 0.03
    model.embedding.embeddings.assign(vectors)
    x[0, 10], x[1:50, 12] = 7, common.OOV  # but once, and no word
    network = memory.Network(model, layer, np.array([sign, 0]), None, None, None, None)
    words = {UP: "up", DOWN: "down", NOTHING: "nothing", 7: "once"}
    assert list(memory.movers(*memory.movements(network, x), words)) == [
        ("after", "moved by down", pytest.approx(-0.01, rel=0.05)),
        ("after", "moved by up", pytest.approx(0.01, rel=0.05)),
    ]


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
    values = np.array([0.0, 1, 9, 3, 4, 5]).reshape(2, 3, 1)
    expected = [[[2], [2], [2]], [[2], [2], [0]]]  # of 4: 0 and 4; of 5: 1 and 3; 6 has none
    np.testing.assert_array_equal(gates.elsewhere(values, x, plain), expected)


def test_gates_held_at_turned_words_have_the_values_of_the_same_words_elsewhere():
    """An LSTM that counts words reads an up and two downs that stand plain nowhere: 0 for them."""
    model, x = handmade.lstm(), np.full((2, LENGTH), NOTHING, np.int32)
    x[0, 5], x[1, [5, 8, 9]] = UP, (UP, DOWN, DOWN)
    opinion, y = x != NOTHING, np.array([1, 1])
    turned = opinion & [[False], [True]]
    kinds = {"turned": turned, "plain": opinion & ~turned}
    found = numbers(gates.scores_held(model, x, y, kinds, "ifo"))
    # with i or g at 0 no downs are counted; with f or o what was before is lost
    for letters, score in {"i": 1, "f": 0, "o": 0, "g": 1, "ifog": 0}.items():
        assert found[f"{letters} held at turned", 1, "accuracy"] == score
    assert found["ifog held at turned", 1, "accuracy"] == found["g held at turned", 2, "accuracy"]
    assert len(found) == 24 and {found[key] for key in found if "plain" in key[0]} == {1}


def test_how_open_gates_are_is_counted_from_the_second_word_on(monkeypatch):
    layer = {"i": np.arange(8.0).reshape(2, 4, 1)}
    monkeypatch.setattr(networks, "read_gates", lambda model, ids: [layer])
    spread = numbers(gates.percentiles(None, None, "i"))  # 1, 2, 3 and 5, 6, 7
    assert list(spread.values()) == pytest.approx([4, 1.5, 6.5])


def test_gates_are_held_by_layer_at_their_means_and_at_their_start():
    model, x = handmade.lstm(), handmade.three_reviews()
    fixed = {(when, layer): steps for when, layer, steps in gates.fixed(model, x, "ifo", (1, 2, 0))}
    assert fixed.keys() == {
        (f"gates {letters} at mean", layer) for letters in ("i", "f", "o", "ifo")
        for layer in (0, 1, 2)
    } | {("gates ifo at start", 0)}  # fmt: skip
    for layer, changed in (1, [True, False]), (2, [False, True]), (0, [True, True]):
        steps = fixed["gates i at mean", layer]
        assert [step is not networks.step for step in steps] == changed
    _, states, _ = networks.read(model, x, fixed["gates ifo at start", 0])
    c = np.zeros(2)
    for word in np.where(x[0] == UP, 0.01, np.where(x[0] == DOWN, -0.01, 0)):
        for layer in 0, 1:  # a kernel of 1 makes g of what comes from below
            c[layer] = networks.UNTRAINED["f"] * c[layer] + 0.5 * np.tanh(word)
            word = 0.5 * np.tanh(c[layer])
    assert [float(of[0, -1, 1]) for of in states] == pytest.approx(c, rel=1e-3)


def test_the_gates_on_imdb_before_training_and_after(monkeypatch):
    """An LSTM that counts in the place of the trained one. Its f and o stand at 1.

    With i at its mean, or at its start, the words that say nothing count as downs.
    """
    x, y = handmade.three_reviews(), np.array([1, 0, 0])
    model = handmade.lstm({UP: [0.01, 1], DOWN: [-0.01, 1], NOTHING: [-0.01]}, b_i=-20)
    monkeypatch.setattr(common, "read_npz", lambda path: (None, (x, y)))
    monkeypatch.setattr(networks, "trained", lambda *of: {("lstm_imdb", 2, "runs"): model}[of])
    found = numbers(gates.imdb("lstm_imdb", 2, SimpleNamespace(data="", runs="runs")))
    start = networks.read_gates(networks.load("lstm_imdb", 2), x)[1]["i"][:, 1:]
    assert found["before", 2, "gate i mean"] == pytest.approx(start.mean())
    for when, f in ("before", networks.UNTRAINED["f"]), ("after", 1):
        for of in "mean", "p10", "p90":
            assert found[when, 1, f"gate f {of}"] == pytest.approx(f, abs=0.02)
    scores = {when: value for (when, *which), value in found.items() if which == [0, "accuracy"]}
    right = {"as trained": 3, "gates i at mean": 2, "gates f at mean": 3, "gates o at mean": 3,
             "gates ifo at mean": 2, "gates ifo at start": 2}  # fmt: skip
    assert scores == {when: pytest.approx(n / 3) for when, n in right.items()}


def test_the_gates_on_the_toy_are_those_of_its_test_reviews(monkeypatch, tmp_path):
    """An LSTM as above, of which i is open at "good" and "bad" alone, and which knows no "not"."""
    monkeypatch.setattr(common, "MAX_REVIEW_LEN", 6)
    monkeypatch.setattr(gates, "GATES", {"lstm_imdb": "if"})
    index, y = common.toy_reviews()[2], np.array([0, 1, 1, 0, 0])
    texts = "was", "good", "the plot was good", "was not good", "bad"
    x = common.encode([[index[word] for word in text.split()] for text in texts])
    vectors = {index[word] + common.INDEX_FROM: [-0.01] for word in "the plot was not".split()}
    vectors |= {x[1, -1]: [0.01, 1], x[4, -1]: [-0.01, 1]}
    monkeypatch.setattr(common, "load_toy", lambda: (None, (x, y)))
    model, args = handmade.lstm(vectors, b_i=-20), SimpleNamespace(runs=tmp_path)
    of_toy = {("lstm_imdb", 2, tmp_path, "toy"): model}
    monkeypatch.setattr(networks, "trained", lambda *of: of_toy[of])
    found = numbers(gates.toy("lstm_imdb", 2, args))
    places = "plain", "turned", "not", "other"
    i = [found["as trained", 1, f"gate i {kind}"] for kind in places]
    assert i == pytest.approx([1, 1, 0, 0], abs=1e-6)
    as_trained, i_shut_nowhere = [4 / 5, 0, 1], [4 / 5, 1, 3 / 4]  # all, with a "not", without
    for when, layer, scores in (
        ("as trained", 0, as_trained), ("gates i at mean", 1, i_shut_nowhere),
        ("gates i at mean", 2, as_trained), ("gates f at mean", 1, as_trained),
        ("gates if at start", 0, i_shut_nowhere),
    ):  # fmt: skip
        kinds = "accuracy", "accuracy, not", "accuracy, no not"
        assert [found[when, layer, kind] for kind in kinds] == pytest.approx(scores), when
    average = baseline.average()  # without gates it is scored alone
    average.set_weights([np.random.randn(*w.shape) for w in average.get_weights()])
    average.save_weights(names.weights(tmp_path, "toy", "baseline", 2))
    right = ((average(x).numpy()[:, 0] > 0.5) == y).astype(float)
    scores = [right.mean(), right[3], right[[0, 1, 2, 4]].mean()]
    assert [*numbers(gates.toy("baseline", 2, args)).values()] == pytest.approx(scores)


# ------------------------------------------------------------------------------ the word "verdict"
VERDICT, GOOD, BAD, OTHER = (
    made_up.WORDS.index(word) + 1 + common.INDEX_FROM for word in ("verdict", "good", "bad", "bar")
)
MARKED = np.array([[OTHER, GOOD, OTHER, VERDICT, BAD, OTHER],
                   [BAD, OTHER, VERDICT, GOOD, BAD, OTHER]])  # fmt: skip


def test_what_is_held_at_the_marker_is_lost_and_elsewhere_it_is_not_missed(monkeypatch):
    """One unit: i opens at the marker alone (vector (1, 1)), where g is 1; f keeps c to the end."""
    vectors = {VERDICT: [1, 1], GOOD: [0, 0, 1], BAD: [0, 0, -1]}
    kernel = [40, 0, 0, 0], [0, 0, 40, 0], [0, 0, 0, 5]  # columns: i, f, g, o
    first = kernel, np.zeros((1, 4)), [-20, 20, 0, 0]
    second = [[0, 0, 1, 0]], np.zeros((1, 4)), [20, -20, 0, 20]
    marking = handmade.network("lstm_imdb", vectors, *first, *second, [[100]], [-1])
    values = marker.ordinary(marking, MARKED, MARKED)
    at_bad = 1 / (1 + np.exp(5))  # as in the second review, where BAD follows no marker
    assert values["o"][[0, 1], [4, 3], 0] == pytest.approx([at_bad, 1 - at_bad], abs=1e-6)
    assert values["i"][0, 3, 0] == pytest.approx(0, abs=1e-6)  # the marker as if it said nothing
    means, averaged, hold_at_mean = [], MARKED.copy(), networks.hold_at_mean

    def watched(model, ids, letters, layers):
        means.append((ids is averaged, layers))
        return hold_at_mean(model, ids, letters, layers)

    monkeypatch.setattr(networks, "hold_at_mean", watched)
    found = numbers(marker.measure(marking, "lstm_imdb", MARKED, np.array([1, 1]), averaged))
    assert found["nothing", ""] == 1 and means == [(True, (1,))] * 6
    for letters, scores in dict(i=[0, 1, 0], g=[0, 1, 0], f=[1, 1, 1], o=[1, 1, 1],
                                ifo=[0, 1, 0], ifog=[0, 1, 0]).items():  # fmt: skip
        assert [found[letters, at] for at in ("marker", "after", "both")] == scores
    # at every word its mean: of i, over five words of which one has 1; g is then the marker's own
    assert found["i", "every word"] == found["g", "every word"] == 1


def test_the_word_after_a_marker_does_not_count_where_it_is_ordinary(monkeypatch):
    values = np.arange(12.0).reshape(2, 6, 1)  # BAD has 6 and 10, and 4 after the marker
    monkeypatch.setattr(networks, "read_gates", lambda model, ids: [{"i": values}])
    assert marker.ordinary(None, MARKED, MARKED)["i"][0, 4, 0] == 8


def test_a_network_is_trained_once_and_then_read_from_its_file(tmp_path, monkeypatch):
    asked, start = [], networks.load("gru_imdb", 3).dense.kernel

    def train(model, *settings):
        asked.append(settings[:-1])
        assert [type(callback) for callback in settings[-1]] == [networks.Enough]
        np.testing.assert_array_equal(model.dense.kernel, start)
        model.dense.bias.assign([7])

    monkeypatch.setattr(networks, "train", train)
    for _ in range(2):
        model = marker.train("gru_imdb", 3, "splits", tmp_path / "marker.weights.h5")
        assert model.dense.bias.numpy() == 7
    assert asked == [("splits", 3, marker.RATE, marker.EPOCHS)]


# --------------------------------------------------------------------------- the order of the words
SHORT = [0, 0, 0, common.START, 11, 12, common.OOV, 14, 15]  # five words, one of them rare
LONG = list(range(11, 20))


def test_words_change_places_in_their_review_behind_the_padding():
    def reordered(order, n):
        x = np.array([SHORT] * n + [LONG] * n, np.int32)
        new = shuffle.reorder(x, shuffle.ORDERS[order], np.random.RandomState(0))
        assert new.dtype == np.int32
        np.testing.assert_array_equal(np.sort(new), np.sort(x))  # each review has its own words
        return new.tolist()

    assert reordered("as they are", 1) == [SHORT, LONG]
    assert reordered("neighbours exchanged", 1) == [
        [0, 0, 0, common.START, 12, 11, 14, common.OOV, 15], [12, 11, 14, 13, 16, 15, 18, 17, 19],
    ]  # fmt: skip
    rows = reordered("shuffled", 200)
    assert {tuple(row[:4]) for row in rows[:200]} == {tuple(SHORT[:4])}
    first = np.bincount([row[0] for row in rows[200:]])[11:]  # each word is the first in some
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
    scores = {order: tuple(pair) for order, *pair in shuffle.measure(model, x, y, 0)}
    assert scores["as they are"][1] == 1
    assert expected.items() <= scores.items()


# --------------------------------------------------------------------------------- the first epoch
def test_the_gradient_is_noted_before_and_after_each_tenth_of_the_first_of_four_epochs(monkeypatch):
    """Of reviews whose last 20 words are their own, and the others those of another review."""
    monkeypatch.setattr(common, "MAX_REVIEW_LEN", 80)
    monkeypatch.setattr(networks.load, "__defaults__", (None, 1))  # units
    x = np.repeat(np.arange(4, 2_564, dtype="i4"), 80).reshape(-1, 80)  # 20 batches
    x[::2, :40] = common.PAD
    y, train, noted, history = np.arange(len(x)) % 2, networks.train, [], {}

    def watched(model, splits, *settings):
        assert settings[:3] == (2, 0.001, 4)  # seed, rate, epochs
        for mixed, labels in splits:
            n = len(labels)
            np.testing.assert_array_equal(mixed[:, 60:], x[:n, 60:])
            np.testing.assert_array_equal(np.sort(mixed, axis=0), np.sort(x[:n], axis=0))
            assert (mixed[:, 59] != x[:n, 59]).mean() > 0.98  # one of n meets itself
            np.testing.assert_array_equal(labels, y[:n])
        history.update(train(model, splits, *settings))
        return history

    def norms(model, x, y):
        noted.append((len(x), x.min() > common.PAD, int(model.optimizer.iterations)))
        return (np.arange(80) + [[0], [20], [100]]) * len(noted)  # 40 more on the average

    monkeypatch.setattr(networks, "train", watched)
    monkeypatch.setattr(networks, "gradient_norms", norms)
    rows = numbers(first_epoch.train("last 20", 2, ((x, y), (x[:1_300], y[:1_300]))))
    assert noted == [(512, True, 2 * tenth) for tenth in range(11)]
    for name in "accuracy", "loss":
        assert [rows.pop(f"{name} 1")] == history[f"val_{name}"] != history[name]
    assert rows == {
        f"gradient {word} after {tenth} tenths": (tenth + 1) * (word - 1 + 40)
        for tenth in range(11) for word in (*range(1, 80, 10), 80)
    }  # fmt: skip
    for hints, places in ("first 20", range(20)), ("everywhere", range(80)):
        mixed = first_epoch.mix(x, first_epoch.HINTS[hints], np.random.RandomState(0))
        assert np.flatnonzero((mixed == x).mean(axis=0) > 0.9).tolist() == [*places]


# ----------------------------------------------------------------------------------------- the CSVs
def test_rows_are_added_as_they_are_measured_and_not_measured_again(tmp_path, capsys):
    path, asked = tmp_path / "made.csv", []
    errors = {"stops": KeyboardInterrupt, "untrained": FileNotFoundError(2, "no weights")}

    def measure(name, seed):
        asked.append(name)
        yield "a, b", np.float32(1 / 3)
        if name in errors:
            raise errors[name]
        yield "c", 7

    def complete(*names):
        asked.clear()
        head = ("name", "seed", "of", "value", "machine")
        records.complete(path, head, [(name, 0) for name in names], measure)
        assert b"\r" not in path.read_bytes()
        return path.read_text().replace(records.machine(), "PC").splitlines()

    with pytest.raises(KeyboardInterrupt):
        complete("one", "stops", "two")
    lines = ["name,seed,of,value,machine", 'one,0,"a, b",0.33333,"PC"', 'one,0,c,7,"PC"']
    assert complete("one", "untrained") == lines and asked == ["untrained"]
    first, second, _ = capsys.readouterr().out.split("\n")
    assert first == "made.csv: one, 0: 2 rows"
    assert second.startswith("made.csv: untrained, 0: left out, a file is missing")
    del errors["untrained"]  # now it is trained
    lines += ['untrained,0,"a, b",0.33333,"PC"', 'untrained,0,c,7,"PC"']
    assert complete("one", "untrained") == lines and asked == ["untrained"]
    there = records.finished(path, (), 2).keys()
    assert there == {("name", "seed"), ("one", "0"), ("untrained", "0")}


def test_a_machine_has_a_name(tmp_path, monkeypatch):
    info = tmp_path / "cpuinfo"
    monkeypatch.setattr(records, "Path", lambda path: info)
    assert records.machine() == f"{platform.processor()}, {os.cpu_count()} cores"
    info.write_text("cpu family\t: 25\nmodel name\t: AMD EPYC\nstepping\t: 1\n" * 2)
    assert records.machine() == f"AMD EPYC, {os.cpu_count()} cores"
