"""From runs to the table of results: docs/measure/results.py with the training stubbed."""

import csv
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import results
from conftest import ROOT, SCRIPTS

LOSSES = [0.5, 0.4, 0.3, 0.2]


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """A folder, and the commands that were run for it; a run ends as a script does."""
    commands = []

    def run(command, check, **options):
        assert check  # a run that fails is an error, not a row
        commands.append([str(part) for part in command])
        flags = dict(zip(commands[-1][2::2], commands[-1][3::2]))
        script, seed = Path(command[1]).stem, int(flags["--seed"])
        losses = LOSSES[-(seed % 4) - 1 :] + LOSSES[: 3 - seed % 4]  # the lowest in epoch seed % 4
        with open(flags["--log"], "w") as file:
            file.write("epoch,val_loss\n")
            file.writelines(f"{n},{loss}\n" for n, loss in enumerate(losses, start=1))
        line = f"{script}: test accuracy 0.8{seed}00 ({20_000 + seed}/25000), loss {losses[-1]:.4f}"
        line += f", 4 epochs in 9.9 s, 17 parameters, seed {seed}, data imdb.npz, device CPU"
        return SimpleNamespace(stdout=f"Epoch 4/4\n{line}, TensorFlow 2.21.0, Keras 3.15.1\n")

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(results, "CSV", tmp_path / "results.csv")
    return SimpleNamespace(folder=tmp_path, commands=commands)


def test_ten_seeds_of_each_script_each_once_and_in_order(runs):
    args = SimpleNamespace(data="imdb.npz", runs=runs.folder)
    results.write_rows(args)
    imdb = [command for command in runs.commands if "imdb.npz" in command]
    assert [command[:6] for command in imdb] == [
        [sys.executable, str(ROOT / f"{name}.py"), "--data", "imdb.npz", "--seed", str(seed)]
        for name in SCRIPTS
        for seed in range(10)
    ]
    for command in runs.commands:  # with the default settings
        assert set(command[2::2]) == {"--data", "--seed", "--save", "--log"}
    with open(results.CSV, newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["script"], row["seed"]) for row in rows] == [
        (name, str(seed)) for name in SCRIPTS for seed in range(10)
    ]
    for row in rows:
        seed = int(row["seed"])
        assert int(row["right"]) == 20_000 + seed and row["accuracy"] == f"0.8{seed}00"
        assert int(row["best_epoch"]) == seed % 4 + 1
    count = len(runs.commands)
    results.write_rows(args)
    assert len(runs.commands) == count  # what is there is not run again


def test_a_run_that_fails_or_was_cut_short_is_an_error_and_no_row(runs, monkeypatch):
    def fails(command, **options):
        raise subprocess.CalledProcessError(1, command)

    with monkeypatch.context() as patch:
        patch.setattr(subprocess, "run", fails)
        with pytest.raises(subprocess.CalledProcessError):
            results.write_rows(SimpleNamespace(data="imdb.npz", runs=runs.folder))
    assert list(runs.folder.iterdir()) == []
    path = runs.folder / "lstm_imdb-0"
    results.train(ROOT / "lstm_imdb.py", "imdb.npz", 0, path)
    text = path.with_name("lstm_imdb-0.txt")
    text.write_text(text.read_text().replace("4 epochs", "2 of 4 epochs"))
    with pytest.raises(Exception, match="NoneType|last line"):
        results.read_run(path)
