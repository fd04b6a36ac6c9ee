"""docs/tools/plot.py: what --log wrote, drawn."""

import os
import warnings
from pathlib import Path

import plot
import pytest
from conftest import ROOT, TINY, call, python
from matplotlib.figure import Figure


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    path = tmp_path_factory.mktemp("log") / "评论.csv"
    call("averaged", *TINY, "--epochs", "2", "--log", path)
    return path


def test_a_plot_shows_what_was_logged(log):
    header, *rows = [line.split(",") for line in log.read_text().splitlines()]
    columns = {name: [float(row[n]) for row in rows] for n, name in enumerate(header)}
    logs = {"one": plot.read_log(log), "two": plot.read_log(log)}
    figure = plot.draw(logs)
    for axes, key in zip(figure.axes, ("loss", "accuracy")):
        training, test, *others = [list(line.get_ydata()) for line in axes.lines]
        assert (training, test) == (columns[key], columns[f"val_{key}"]) and len(others) == 2
        assert axes.get_ylabel() == key and axes.get_xlabel() == "epoch"
        assert [axes.lines[n].get_linestyle() for n in (0, 1)] == ["--", "-"]
    shown = [text.get_text() for text in figure.axes[1].get_legend().get_texts()]
    assert shown == ["one", "two"]


def test_a_picture_is_written_whatever_letters_the_font_lacks(log, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plot.main([str(log), "--out", str(tmp_path / "c.png")])
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("content", [None, "", "a,b\n1,2\n", "loss,val_loss\n1,x\n", "\0"])
def test_what_is_no_log_is_one_line(tmp_path, content):
    path = tmp_path / "log.csv"
    if content is not None:
        path.write_text(content)
    with pytest.raises(SystemExit) as end:
        plot.main([str(path), "--out", str(tmp_path / "c.png")])
    assert end.value.code.startswith(f"error: {path} is no table that --log wrote")
    assert not (tmp_path / "c.png").exists()


def test_a_picture_that_cannot_be_written_is_one_line(log, tmp_path):
    for out in tmp_path / "none" / "c.png", tmp_path / "c.doc":
        with pytest.raises(SystemExit) as end:
            plot.main([str(log), "--out", str(out)])
        assert end.value.code.startswith("error: ")


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
@pytest.mark.parametrize("moment", ["savefig", "write_bytes", "replace"])
def test_a_picture_is_whole_or_the_old_one_stays(log, tmp_path, monkeypatch, capfd, moment, error):
    out = tmp_path / "c.png"
    out.write_text("the old one")
    place = {"savefig": Figure, "write_bytes": Path, "replace": os}[moment]
    original = getattr(place, moment)

    def fails(*args, **kwargs):
        if moment == "write_bytes":
            original(args[0], b"half of it")
        raise error

    monkeypatch.setattr(place, moment, fails)
    with pytest.raises(SystemExit) as end:
        plot.main([str(log), "--out", str(out)])
    message = capfd.readouterr().err or end.value.code
    assert message.strip() in ("error: disk full", "error: interrupted")
    assert end.value.code == 130 or "disk" in message
    assert os.listdir(tmp_path) == ["c.png"] and out.read_text() == "the old one"


def test_a_plot_needs_no_tensorflow():
    code = "import sys, plot; plot.draw({}); sys.exit('tensorflow' in sys.modules)"
    assert python("-W", "ignore", "-c", code, cwd=ROOT / "docs/tools").returncode == 0
