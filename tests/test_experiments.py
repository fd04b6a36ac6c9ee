"""docs/measure/runs.py: one tiny real run, what its lines change; the costs; all CSVs' keys."""

import ast
import contextlib
import csv
import importlib
import itertools
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import common
import numpy as np
import pytest
from conftest import ROOT, call, last_line, untraced, write_npz
from docs.measure import (
    benchmark,
    clock,
    copies,
    flags,
    lookup,
    made_up,
    marker,
    names,
    networks,
    records,
    runs,
    tasks,
)
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
    # of two processes: Adam divides by its size what may be noise of float32, once in many runs
    for key, abs_ in ("accuracy", 0.03), ("right", 6), ("loss", 1e-3):
        assert float(line.pop(key)) == pytest.approx(float(row[key]), abs=abs_)
    assert float(row["accuracy"]) == int(row["right"]) / 200 and row["experiment"] == "tiny"
    assert line.items() <= row.items()
    with open(log, encoding="utf-8", newline="") as file:
        losses = [float(epoch["val_loss"]) for epoch in csv.DictReader(file)]
    assert int(row["best_epoch"]) == 1 + int(np.argmin(losses))


LINE = (
    "lstm_imdb: test accuracy 0.8409 (21023/25000), loss nan, {}, 1075329 parameters, seed 0, "
    "data a, b.npz, device GPU, TensorFlow 2.22.0rc0, Keras 3.16.0.dev"
)


def test_a_run_has_its_flags_and_its_data_and_one_that_fails_makes_no_row(folder, monkeypatch):
    """By a script that loads no TensorFlow: its last line says, as its data, how it was started."""
    line = f"{LINE.format('1 epoch in 9 s')!r}.replace('a, b', str([os.getcwd(), *sys.argv[1:]]))"
    says = f"import os, sys\nprint({line})\nopen(sys.argv[-1], 'w').write('val_loss\\n0.1')\n"
    says += "sys.exit(0)"
    tiny = TINY._replace(lines=(("gru_imdb.py", "import common", says),), name="toy")
    made = []
    monkeypatch.chdir(folder)
    monkeypatch.setattr(made_up, "write_npz", lambda *of: made.append(of[:2]))
    for data, given in ("imdb", "my.npz"), ("toy", "toy"), ("first", "first.npz"):
        row = dict(zip(runs.HEAD, runs.run(tiny._replace(data=data), 7, "my.npz", Path())))
        cwd, *words = ast.literal_eval(row["data"].removesuffix(".npz"))
        assert Path(words[1]).name == given and words[::2][:2] == ["--data", "--seed"]
        assert not os.path.exists(cwd)  # what a run leaves where it runs is gone with it
        assert words[3:-4] == ["7", *FLAGS.split()] and (folder / "toy-gru_imdb-7.csv").exists()
    assert made == [("first", 80)]
    fails = tiny._replace(lines=((*tiny.lines[0][:2], says.replace("exit(0)", "exit(1)")),))
    for bad in fails, tiny._replace(patch="20-no-such-patch"):
        with pytest.raises(subprocess.CalledProcessError):
            runs.run(bad, 0, "my.npz", folder)


@pytest.mark.parametrize("done", ["1 epoch in 9.9 s", "2 of 12 epochs in 61 s", "loaded from a, b"])
def test_a_last_line_is_read_of_any_version_and_number_of_epochs(done):
    fields = LAST_LINE.fullmatch(LINE.format(done)).groupdict()
    assert (fields["done"], fields["data"], fields["keras"]) == (done, "a, b.npz", "3.16.0.dev")


def start(monkeypatch, folder, *flags):
    """Start runs.py in this process, where a run is only a name -> the runs that were made."""
    made = []

    def run(experiment, seed, data, runs_folder):
        made.append((experiment.name, seed))
        assert data == os.path.abspath("x")  # each run has a folder of its own
        if experiment.name in runs.KEPT:
            path = names.weights(runs_folder, experiment.name, experiment.script, seed)
            open(path, "w", encoding="utf-8").close()
        name = Path(experiment.script).name
        return [experiment.name, name, str(seed), *runs.HEAD[3:]]

    monkeypatch.setattr(runs, "run", run)
    runs.main(["--data", "x", "--runs", str(folder / "w"), *flags])
    return made


def test_what_has_a_row_is_not_run_again_but_for_weights_that_others_need(
    monkeypatch, folder, capsys
):
    toy = runs.Experiment("toy", names.BASELINE, seeds=6)
    monkeypatch.setattr(runs, "EXPERIMENTS", (TINY, toy))
    for more in ["--again"], []:  # the first writes nothing
        assert start(monkeypatch, folder, "--only", "ti", *more) == [("tiny", 0), ("tiny", 1)]
    assert start(monkeypatch, folder) == [("toy", seed) for seed in range(6)]
    assert start(monkeypatch, folder) == []
    rows = (folder / "runs.csv").read_text()
    for path in (folder / "w").iterdir():
        path.unlink()
    assert start(monkeypatch, folder) == [("toy", seed) for seed in range(5)]  # of seed 5 none
    capsys.readouterr()
    assert len(start(monkeypatch, folder, "--again")) == 8
    shown = "accuracy right n loss"
    assert capsys.readouterr().out.count(f" {shown} before: {shown}\n") == 8
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
    args = common.parse_args("x.py", ["--data", str(path)])
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


def test_a_rate_is_held_and_the_gradient_is_clipped_as_ever(folder, monkeypatch):
    def fit(model, *_, **__):
        assert model.optimizer.get_config()["learning_rate"] == pytest.approx(0.003)
        assert model.optimizer.clipnorm == 0.25
        raise KeyboardInterrupt

    copies.copy_scripts(folder, lines=runs.HOLD)
    monkeypatch.setattr(common.keras.Model, "fit", fit)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "argv", ["baseline.py", "--data", "toy"])
    with pytest.raises(SystemExit, match="130"):  # it was in fit()
        runpy.run_path(str(folder / f"{names.BASELINE}.py"), run_name="__main__")


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


def test_an_experiment_is_what_its_name_says_and_no_two_are_the_same_run():
    made = [(e.script, *e.flags.split(), e.patch, e.lines, e.data) for e in EXPERIMENTS]
    assert len(set(made)) == len(made)
    page = (ROOT / "docs/exercises.md").read_text(encoding="utf-8")
    for e in EXPERIMENTS:
        length = re.search(r"(\d+) words", e.name)
        lines = [line for line in e.lines if line[1].startswith("MAX_REVIEW_LEN")]
        assert lines == ([runs.words(length[1])] if length else [])
        assert ("held out" in e.name) == (runs.HELD_OUT[0] in e.lines)
        alike = "alike" in e.name and runs.BEST[e.name.split(": ")[1]][0]  # rate, epochs, layers
        one = "1 layers" in e.name or (alike and alike[2] == 1)
        assert bool(one) == any(line[1] == "self.rnn_1 =" for line in e.lines)
        if setting := alike or re.search(r"rate (\S+), (\d) epochs", e.name):
            rate, epochs = setting[:2] if alike else setting.groups()
            assert e.flags.endswith(f"--learning-rate {rate} --epochs {epochs}")
        number = re.match(r"exercise (\d+)", e.name)
        if number and e.lines != runs.FEWER:
            patches = ROOT.glob(f"docs/exercises/{number[1]:>02}-*.patch")
            assert [e.patch] == ([path.stem for path in patches] or [""])
        if number:  # the exercise tells of it, or that of the first word
            told = 13 if e.data == "first" else number[1]
            text = re.search(rf"(?ms)^## {told}\D.*?(?=^## |\Z)", page)[0] + f"{e.name} "
            for flag in re.findall(r"--\S+(?: [\d.]+)?", e.flags):
                assert re.search(rf"{flag}(?![.\d]*\d)", text), e.name


# -------------------------------------------------------------------------------------- the costs
def test_a_run_costs_what_the_clock_in_it_has_noted(monkeypatch):
    """A real run in this process, of two epochs of three steps; the n-th look at the clock is n n.

    First in benchmark.run(), then before and after each step and scoring: looks 5 to 22.
    """
    looks = itertools.count(5)
    ticking = SimpleNamespace(time=lambda: float(next(looks) ** 2))

    def start(command, env, **options):
        assert options["check"] and Path(command[1]).with_name("clock.py").exists()
        monkeypatch.setattr(sys, "argv", [*map(str, command[1:]), *flags.split()])
        monkeypatch.setitem(os.environ, "CLOCK", env["CLOCK"])
        with untraced():
            runpy.run_path(str(command[1]), run_name="__main__")

    flags = "--subset 300 --batch-size 128 --epochs 2 --units 4"
    monkeypatch.setattr(benchmark.subprocess, "run", start)
    monkeypatch.setitem(sys.modules, "clock", clock)
    for module in benchmark, clock:
        monkeypatch.setattr(module, "time", ticking)
    first_step, *others = benchmark.run("lstm_imdb", "toy")
    assert first_step == 7**2 - 5**2
    # (n + 1)^2 - n^2 = 2 n + 1; the steps after the first one begin at looks 8, 10, 14, 16, 18
    assert others == [1000 * (2 * 14 + 1), (25 + 41) / 2, 22**2 - 5**2]


def test_costs_are_medians_of_all_rounds_and_a_step_has_the_sizes_that_are_printed(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(benchmark, "SCRIPTS", ("lstm_imdb", "gru_imdb"))
    rounds, order, sizes = iter([3.0, 10, 1, 30, 20, 20]), [], []
    monkeypatch.setattr(benchmark, "run", lambda *of: order.append(of) or (next(rounds), 1, 2, 4))
    benchmark.whole_runs("toy", tmp_path / "costs.csv")
    assert order == 3 * [("lstm_imdb", "toy"), ("gru_imdb", "toy")]  # in turn
    printed = capsys.readouterr().out.splitlines()
    for n, text in (0, "lstm_imdb first_step_s: 3 (1 to 20)"), (7, "gru_imdb whole_s: 4 (4 to 4)"):
        assert printed[n] == text
    with open(tmp_path / "costs.csv", encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)
    assert head == list(lookup.read_csv("costs")[0])
    assert [float(row[1]) for row in rows] == [3, 1, 20, 10, 30, 20]

    def step(model, x, y):
        assert model.optimizer.clipnorm == common.parse_args("x", []).clipnorm
        sizes.append((x.shape[1], model.dense.kernel.shape[0], len(x), len(y)))

    looks = itertools.count()
    monkeypatch.setattr(benchmark, "time", SimpleNamespace(perf_counter=lambda: next(looks) ** 2))
    monkeypatch.setattr(common.keras.Model, "train_on_batch", step)
    monkeypatch.setattr(benchmark, "SCRIPTS", ("gru_imdb",))
    benchmark.growth()
    lines = capsys.readouterr().out.splitlines()
    # of each size one step that traces, and sixty that count: 1, 5, ... 237 seconds of the first
    assert lines[0] == "gru_imdb words 80 units 64 batch 128: 119000.0 ms" and len(lines) == 7
    for line, (words, units, batch, labels) in zip(lines, sizes[::61], strict=True):
        assert line.startswith(f"gru_imdb words {words} units {units} batch {batch}: ")
        assert labels == batch
    assert len(set(sizes)) == 7
    rounds = iter([1, 2, 3])
    benchmark.whole_runs("toy", tmp_path / "costs.csv")  # in the place of the old ones
    assert (tmp_path / "costs.csv").read_text().count("\n") == 4
    for name in "growth", "whole_runs":
        monkeypatch.setattr(benchmark, name, lambda *of, name=name: order.append((name, *of)))
    for line in "--growth", "--data x.npz --csv x.csv", "":
        benchmark.main(line.split())
    whole = [("whole_runs", "x.npz", Path("x.csv")), ("whole_runs", "toy", None)]
    assert order[-3:] == [("growth",), *whole]


# -------------------------------------------------------------------------------------- the seeds
def seeds(name, *columns):
    """The seeds of each kind of row of a CSV: {key: sorted seeds}."""
    kinds = {}
    for row in lookup.read_csv(name):
        kinds.setdefault(tuple(row[column] for column in columns), set()).add(int(row["seed"]))
    return {key: sorted(numbers) for key, numbers in kinds.items()}


FLAGS_OF = {"tasks": "--run", "sentences": "", "first_epoch": "--data x", "marker": "--runs x"}


def test_a_program_as_it_is_started_asks_for_the_rows_that_its_csv_has(monkeypatch, capsys):
    """All those that measure what a CSV lacks; of the others it is seen that they start."""
    asked, reviews = [], (np.ones((9, 80), "i4"), np.ones(9))
    monkeypatch.setattr(records, "complete", lambda *what: asked.append(what))
    monkeypatch.setattr(common, "read_npz", lambda path: [reviews, reviews])
    monkeypatch.setattr(common, "load_word_index", lambda data: {})
    texts = {path: path.read_text(encoding="utf-8") for path in ROOT.glob("docs/measure/*.py")}
    for path in [path for path, text in texts.items() if "\ndef main(" in text]:
        measures, before = "records.complete(" in texts[path], len(asked)
        line = FLAGS_OF.get(path.stem, "--data x --runs x") if measures else "--help"
        monkeypatch.setattr(sys, "argv", [path.stem, *line.split()])
        with contextlib.nullcontext() if measures else pytest.raises(SystemExit, match="0"):
            runpy.run_path(str(path), run_name="__main__")
        out, shown = capsys.readouterr().out, re.findall(r"(?m)^    python .*$", texts[path])
        assert (len(asked) > before, out == "") == (measures, measures)
        assert measures or [line for line in shown if line not in out] == []  # as they stand
    with pytest.raises(SystemExit, match="2"):
        flags.parse("", [], "data", "runs")
    assert capsys.readouterr().err.endswith("required: --data, --runs\n")
    assert len({path for path, *_ in asked}) == len(asked) == 12
    for path, head, keys, _ in asked:
        keys = [tuple(map(str, key)) for key in keys]
        with open(path, newline="", encoding="utf-8") as file:
            assert next(csv.reader(file)) == [*map(str, head)]
        there = records.finished(path, head, len(keys[0])).keys()
        assert there == {head[: len(keys[0])], *keys} and len(there) == len(keys) + 1, path.name


def test_no_seed_is_left_out_of_a_csv():
    made = seeds("runs", "experiment", "script")
    kinds = seeds("tasks", "task", "start", "words", "reviews", "epochs", "rate")
    for key, numbers in (made | kinds).items():
        assert numbers == list(range(len(numbers))), key
    by_kind = {(e.name, Path(e.script).name): e for e in EXPERIMENTS}
    experiments = {kind: e.seeds for kind, e in by_kind.items()}
    for row in lookup.read_csv("runs"):
        e = by_kind[row["experiment"], row["script"]]
        of_all = 2_000 if e.data != "imdb" else 5_000 if "held out" in e.name else 25_000
        n = min(of_all, int((re.findall(r"--subset (\d+)", e.flags) or [of_all])[0]))
        if row["n"]:  # the oldest rows have neither
            assert (int(row["n"]), row["data"].removesuffix(".npz")) == (n, e.data), e.name
    of_marker = [run for run in tasks.all_runs() if run[:3:2] == ("marker", marker.WORDS)]
    assert {run.epochs for run in of_marker} == {marker.EPOCHS} and of_marker[0].rate == marker.RATE
    assert all(experiments["as it is", script] == 10 for script in names.SCRIPTS)
    assert {kind: len(numbers) for kind, numbers in made.items()} == experiments


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
