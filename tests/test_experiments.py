"""docs/measure/runs.py: one tiny real run, what its lines change, and the seeds of all the CSVs."""

import csv
import importlib
import sys
from types import SimpleNamespace

import common
import numpy as np
import pytest
from conftest import call, last_line, write_npz
from docs.measure import copies, lookup, names, networks, runs
from docs.measure.names import LAST_LINE

EXPERIMENTS = runs.EXPERIMENTS
FLAGS = "--subset 200 --epochs 2 --units 4"
TINY = runs.Experiment("tiny", "gru_imdb", FLAGS, lines=(runs.words(12),), data="toy", seeds=2)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder of runs, with a CSV of its own."""
    monkeypatch.setattr(runs, "CSV", tmp_path / "runs.csv")
    monkeypatch.setattr(runs, "EXPERIMENTS", (TINY,))
    return tmp_path


def test_a_row_is_what_the_script_says_when_a_user_changes_the_line(folder, monkeypatch):
    row = dict(zip(runs.HEAD, runs.run(TINY, 1, None, folder)))
    assert list(folder.iterdir()) == []  # no weights of it are kept
    monkeypatch.setattr(common, "MAX_REVIEW_LEN", 12)
    log = folder / "log.csv"
    result = call("gru_imdb", *FLAGS.split(), "--data", "toy", "--seed", "1", "--log", log)
    line = LAST_LINE.fullmatch(last_line(result.stdout)).groupdict()
    del line["done"]
    assert line.items() <= row.items() and row["experiment"] == "tiny"
    with open(log, newline="") as file:
        losses = [float(epoch["val_loss"]) for epoch in csv.DictReader(file)]
    assert int(row["best_epoch"]) == 1 + int(np.argmin(losses))


@pytest.mark.parametrize("done", ["1 epoch in 9.9 s", "2 of 12 epochs in 61 s", "loaded from a, b"])
def test_a_last_line_is_read_of_any_version_and_number_of_epochs(done):
    line = (
        f"lstm_imdb: test accuracy 0.8409 (21023/25000), loss nan, {done}, 1075329 parameters, "
        "seed 0, data a, b.npz, device GPU, TensorFlow 2.22.0rc0, Keras 3.16.0.dev"
    )
    fields = LAST_LINE.fullmatch(line).groupdict()
    assert (fields["done"], fields["data"], fields["keras"]) == (done, "a, b.npz", "3.16.0.dev")


def start(monkeypatch, folder, *flags):
    """Start runs.py in this process, where a run is only a name -> the runs that were made."""
    made = []

    def run(experiment, seed, data, runs_folder):
        made.append((experiment.name, seed))
        if experiment.name in runs.KEPT:
            path = names.weights(runs_folder, experiment.name, experiment.script, seed)
            open(path, "w").close()
        return [experiment.name, experiment.script, str(seed), *("" for _ in runs.HEAD[3:])]

    monkeypatch.setattr(runs, "run", run)
    monkeypatch.setattr(sys, "argv", ["runs", "--data", "x", "--runs", str(folder / "w"), *flags])
    runs.main()
    return made


def test_what_has_a_row_is_not_run_again_but_for_weights_that_others_need(monkeypatch, folder):
    toy = runs.Experiment("toy", "gru_imdb", seeds=6)
    monkeypatch.setattr(runs, "EXPERIMENTS", (TINY, toy))
    assert start(monkeypatch, folder, "--only", "ti") == [("tiny", 0), ("tiny", 1)]
    assert start(monkeypatch, folder) == [("toy", seed) for seed in range(6)]
    assert start(monkeypatch, folder) == []
    rows = (folder / "runs.csv").read_text()
    for path in (folder / "w").iterdir():
        path.unlink()
    assert start(monkeypatch, folder) == [("toy", seed) for seed in range(5)]  # of seed 5 none
    assert len(start(monkeypatch, folder, "--again")) == 8
    assert (folder / "runs.csv").read_text() == rows and rows.count("\n") == 9


# --------------------------------------------------------------------- what the changed lines do
def rows_of(dataset):
    """The reviews of a pipeline, in an order of their own."""
    return np.sort(np.concatenate([batch for batch, _ in dataset]), axis=0)


@pytest.mark.parametrize("lines", [runs.HELD_OUT, runs.FEWER])
def test_held_out_reviews_are_the_last_of_the_training_set(lines, folder, monkeypatch):
    """And the rate falls over those that are trained on; without them nothing else changes."""
    copies.copy_scripts(folder, lines=lines)
    ranks = np.empty(5_030, dtype=object)
    ranks[:] = [[n + 1] for n in range(5_030)]
    path = write_npz(folder / "x.npz", x_train=ranks, y_train=(np.arange(5_030) < 2_515) * 1)
    (x, _), (x_test, _) = common.read_npz(str(path))
    monkeypatch.delitem(sys.modules, "common")
    monkeypatch.syspath_prepend(folder)
    patched = importlib.import_module("common")
    args = SimpleNamespace(
        data=str(path), subset=None, batch_size=128, seed=0, review=[], save=None
    )
    train, test, *_ = patched.load_datasets(args)
    np.testing.assert_array_equal(rows_of(train), np.sort(x[:30], axis=0))
    tested = x[30:] if lines == runs.HELD_OUT else x_test
    np.testing.assert_array_equal(rows_of(test), np.sort(tested, axis=0))
    assert patched.IMDB_TRAIN == (20_000 if lines == runs.HELD_OUT else 25_000)
    assert patched.TOY_TRAIN == common.TOY_TRAIN


@pytest.mark.parametrize(
    "script, blocks", [("lstm_imdb", [0, 2.5, 0, 0]), ("gru_imdb", [[2.5, 0, 0], [0, 0, 0]])]
)
def test_a_gate_begins_at_another_bias(script, blocks, folder, monkeypatch):
    copies.copy_scripts(folder, lines=runs.begin(script, 2.5))
    monkeypatch.setattr(common, "MAX_REVIEW_LEN", 10)
    importlib.import_module(script)  # the one that is put back afterwards
    monkeypatch.delitem(sys.modules, script)
    monkeypatch.syspath_prepend(folder)
    path = folder / "w.weights.h5"
    flags = "--data toy --subset 64 --epochs 1 --units 4 --learning-rate 1e-9 --save"
    assert call(script, *flags.split(), path).returncode == 0
    for cell in networks.cells(networks.load(script, 0, path, units=4)):
        np.testing.assert_allclose(cell.bias, np.repeat(blocks, 4, axis=-1), atol=1e-6)


def test_one_layer_is_left_of_two_and_a_line_that_is_not_there_or_twice_is_an_error(folder):
    copies.copy_scripts(folder, lines=runs.one_layer("gru_imdb"))
    text = (folder / "gru_imdb.py").read_text(encoding="utf-8")
    assert "rnn_1" not in text and text.count("rnn_2") == 2
    for start in "no such line", "import ":
        with pytest.raises(ValueError, match="common.py: [0-9]+ lines begin with"):
            copies.copy_scripts(folder, lines=(("common.py", start, ""),))


def test_every_experiment_can_be_made_of_the_scripts_as_they_are(tmp_path):
    for n, experiment in enumerate({(e.patch, e.lines): e for e in EXPERIMENTS}.values()):
        copies.copy_scripts(tmp_path / str(n), experiment.patch, experiment.lines)


# -------------------------------------------------------------------------------------- the seeds
ALL_FIVE = dict(backward=["script"], gradient=["script", "when"], memory=["script"],
                gates=["script", "data"], first_epoch=[])  # fmt: skip


def seeds(name, *columns):
    """The seeds of each kind of row of a CSV: {key: sorted seeds}."""
    kinds = {}
    for row in lookup.read_csv(name):
        kinds.setdefault(tuple(row[column] for column in columns), set()).add(int(row["seed"]))
    return {key: sorted(numbers) for key, numbers in kinds.items()}


def test_no_seed_is_left_out_of_a_csv():
    for name, columns in ALL_FIVE.items():
        assert set(map(tuple, seeds(name, *columns).values())) == {(0, 1, 2, 3, 4)}, name
    made = seeds("runs", "experiment")
    kinds = seeds("tasks", "task", "start", "words", "reviews", "epochs", "rate")
    for key, numbers in (made | kinds).items():
        assert numbers == list(range(len(numbers))), key
    experiments = {experiment.name: experiment.seeds for experiment in EXPERIMENTS}
    assert [e.script for e in EXPERIMENTS if e.name == "as it is"] == list(names.SCRIPTS)
    assert experiments["as it is"] == 10 and made.keys() <= {(name,) for name in experiments}
    assert [name for (name,), numbers in made.items() if len(numbers) < experiments[name]] == []


def test_what_was_chosen_has_the_best_mean_of_the_held_out_reviews():
    for model, best in runs.BEST.items():
        tried = lookup.settings(model)
        grid = runs.GRID[model]
        in_csv = [(str(layers or ""), rate, str(epochs)) for rate, epochs, layers in grid]
        third = sorted(tried[setting][0] for setting in in_csv)[-3]
        best = [(str(layers or ""), rate, str(epochs)) for rate, epochs, layers in best]
        assert all(len(tried[each]) > 2 and tried[each][0] >= third for each in best)
        chosen = max(best, key=lambda each: np.mean(tried[each][:3]))  # by seeds 0 to 2
        assert best[0] == chosen == next(iter(tried))
