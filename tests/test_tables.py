"""docs/measure: how tables are written, that --check sees what differs, how exercises are run."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

import exercises
import pytest
import tables
from conftest import ROOT

PATCHES = {path.stem for path in (ROOT / "docs/exercises").glob("*.patch")}


@pytest.fixture
def page(tmp_path, monkeypatch):
    """A page in each language with one table of two made-up CSV rows."""
    monkeypatch.setattr(tables, "ROOT", tmp_path)
    monkeypatch.setattr(tables, "TABLES", {})
    tables.read_csv.cache_clear()
    (tmp_path / "docs/measure").mkdir(parents=True)
    (tmp_path / "docs/zh-CN").mkdir()
    (tmp_path / "docs/measure/made.csv").write_text("seed,of,value\n0,a,0.5\n1,a,0.75\n2,b,9\n")
    for name in "README.md", "docs/zh-CN/guide.md":
        (tmp_path / name).write_text("one\n<!-- table: made -->\n<!-- end -->\ntwo\n", "utf-8")

    @tables.table("name | score", "名称 | 成绩")
    def made():
        yield ("first", "第一"), tables.percent(tables.values("made", of="a"))
        yield "LSTM", tables.spread(tables.values("made", of="b"), ".1f")

    yield tmp_path
    tables.read_csv.cache_clear()


def call(monkeypatch, capsys, *flags):
    """Run tables.py in this process -> its exit status, what it said."""
    monkeypatch.setattr(sys, "argv", ["tables.py", *flags])
    with pytest.raises(SystemExit) as end:
        tables.main()
    return end.value.code, capsys.readouterr().out.split()


def test_both_languages_are_written_and_check_names_what_differs(page, monkeypatch, capsys):
    names = ["README.md:", "made", "docs/zh-CN/guide.md:", "made"]
    both = ["differs:", *names[:2], "differs:", *names[2:]]
    assert call(monkeypatch, capsys, "--check") == (1, both)
    assert "|" not in (page / "README.md").read_text("utf-8")  # only compared
    assert call(monkeypatch, capsys)[0] == 0
    assert (page / "README.md").read_text("utf-8") == (
        "one\n<!-- table: made -->\n| name | score |\n| --- | --- |\n"
        "| first | 62.5 % (50.0 to 75.0) |\n| LSTM | 9.0 |\n<!-- end -->\ntwo\n"
    )
    assert "| 第一 | 62.5%（50.0～75.0） |\n" in (page / "docs/zh-CN/guide.md").read_text("utf-8")
    assert call(monkeypatch, capsys, "--check") == (0, [])
    (page / "README.md").write_text((page / "README.md").read_text("utf-8").replace("9.0", "9.1"))
    assert call(monkeypatch, capsys, "--check") == (1, ["differs:", *names[:2]])


def test_a_mark_without_its_other_and_a_row_that_is_not_there_are_errors(page, monkeypatch, capsys):
    (page / "README.md").write_text("<!-- table: made -->\n\n<!-- table: made -->\n<!-- end -->\n")
    assert "README.md: a mark without its other" in call(monkeypatch, capsys)[0]
    with pytest.raises(ValueError, match="made.csv has no row with"):
        tables.values("made", of="c")


def test_every_table_is_the_one_made_from_the_csvs():
    out = subprocess.run(
        [sys.executable, ROOT / "docs/measure/tables.py", "--check"], capture_output=True, text=True
    )
    assert (out.returncode, out.stdout, out.stderr) == (0, "", "")


def test_the_benchmark_wants_the_peers_to_run_against():
    out = subprocess.run(
        [sys.executable, ROOT / "docs/measure/benchmark.py", "--against", "imdb.npz"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert out.returncode == 2 and out.stderr.endswith("error: --against needs --peers\n")


def test_the_exercises_are_run_with_their_change_and_are_those_of_the_csv(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(exercises.results, "train", lambda *arguments: calls.append(arguments))
    monkeypatch.setattr(exercises.results, "read_run", lambda path: {"accuracy": "0.5"})
    args = argparse.Namespace(data="imdb.npz", runs=tmp_path / "runs")
    keys, names = [], []
    for n, (number, script, change) in enumerate(exercises.EXERCISES):
        folder = tmp_path / str(n)
        rows = list(exercises.run(number, script, change, args, folder))
        assert [row[3:] for row in rows] == [(seed, "0.5") for seed in range(5)]
        keys += [tuple(map(str, row[:3])) for row in rows[:1]]
        copied = {path.relative_to(folder).as_posix() for path in folder.rglob("*.py")}
        changed = [
            name for name in copied if (folder / name).read_bytes() != (ROOT / name).read_bytes()
        ]
        patches = [word for word in change.split() if word in PATCHES]
        assert len(changed) == len(patches)
        for seed, (path, data, of, run, flags) in enumerate(calls[-5:]):
            assert path.is_file() and path.stem == keys[-1][1] and (data, of) == ("imdb.npz", seed)
            given = [flag.removeprefix(f"{folder}{os.sep}") for flag in flags]
            assert [*patches, *given] == change.split()
            assert all(Path(flag).is_file() for flag in flags if flag.endswith(".npz"))
            names.append(run)
    assert len(set(names)) == len(names) == len(calls)
    rows = [(row["exercise"], row["script"], row["change"]) for row in tables.read_csv("exercises")]
    assert list(dict.fromkeys(rows)) == keys and len(rows) == len(calls)
