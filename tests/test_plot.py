"""docs/tools/plot.py: what --log wrote, drawn."""

import math
import os
import struct
import sys
import warnings
import xml.etree.ElementTree
from pathlib import Path

import plot
import pytest
from conftest import ROOT, TINY, call, posix, python
from matplotlib.figure import Figure

LOG = {
    "loss": [0.5, 0.3],
    "accuracy": [0.7, 0.8],
    "val_loss": [0.6, 0.4],
    "val_accuracy": [0.6, 0.9],
}


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    path = tmp_path_factory.mktemp("log") / "评论.csv"
    call("averaged", *TINY, "--epochs", "2", "--log", path)
    return path


def test_a_log_is_read_as_it_was_written(log):
    header, *rows = [line.split(",") for line in log.read_text().splitlines()]
    columns = {name: [float(row[n]) for row in rows] for n, name in enumerate(header)}
    del columns["epoch"]
    assert plot.read_log(log) == columns and len(columns["loss"]) == 2


def test_a_score_that_an_epoch_has_not_is_left_out_of_its_line(tmp_path):
    (tmp_path / "l.csv").write_text(",".join(LOG) + "\n1,2,,\n3,4,5,6\n")
    log = plot.read_log(tmp_path / "l.csv")
    assert log["accuracy"] == [2, 4] and log["val_accuracy"][1] == 6
    assert math.isnan(log["val_loss"][0])
    (tmp_path / "l.csv").write_text("epoch,accuracy,loss\n1,.5,.7\n")  # without validation_data
    log = plot.read_log(tmp_path / "l.csv")
    assert log["loss"] == [0.7] and math.isnan(log["val_loss"][0])


def test_each_run_has_its_lines_in_both_panels():
    other = {key: [1 - value for value in values] for key, values in LOG.items()}
    figure = plot.draw({"one": LOG, "two": other})
    loss, accuracy = figure.axes
    figure.draw_without_rendering()
    left, right = (axes.get_tightbbox() for axes in figure.axes)  # with their names
    assert 0 < left.x0 < left.x1 < right.x0 < right.x1 < figure.bbox.x1 and left.y0 > 0
    assert loss.get_position().x0 < accuracy.get_position().x0
    for axes, key in (loss, "loss"), (accuracy, "accuracy"):
        assert axes.get_ylabel() == key and axes.get_xlabel() == "epoch"
        figure.canvas.draw()
        assert [text.get_text() for text in axes.get_xticklabels()] == ["1", "2"]
        lines = [(line.get_linestyle(), list(line.get_ydata())) for line in axes.lines]
        assert lines == [
            (style, run[split + key])
            for run in (LOG, other)
            for style, split in (("--", ""), ("-", "val_"))
        ]
        colors = [line.get_color() for line in axes.lines]
        assert colors[0] == colors[1] != colors[2] == colors[3]
    legend = accuracy.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["one", "two"]
    assert [line.get_color() for line in legend.get_lines()] == [colors[0], colors[2]]
    assert [line.get_linestyle() for line in legend.get_lines()] == ["-", "-"]
    assert figure.get_suptitle() == "solid: val_, not trained on; dashed: training, with dropout"


def test_a_picture_of_all_runs_is_written_whatever_letters_the_font_lacks(log, tmp_path):
    second = tmp_path / "second.csv"
    second.write_bytes(log.read_bytes())
    pictures = tmp_path / "c.png", tmp_path / "c.svg"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for picture in pictures:
            plot.main([str(log), str(second), "--out", str(picture)])
    png = pictures[0].read_bytes()
    assert png.startswith(b"\x89PNG") and png[16:24] == struct.pack(">2I", 960, 384)  # wide, high
    text = pictures[1].read_text(encoding="utf-8")  # each label stands in it as a comment
    xml.etree.ElementTree.fromstring(text)
    assert "second.csv" in text and ascii(log.stem)[1:-1] in text


@posix
def test_a_link_is_followed_and_a_name_without_an_ending_is_a_png(log, tmp_path):
    (tmp_path / "near").symlink_to(tmp_path / "far")
    plot.main([str(log), "--out", str(tmp_path / "near")])
    assert (tmp_path / "near").is_symlink()
    assert (tmp_path / "far").read_bytes().startswith(b"\x89PNG")


def refused(log, out, words):
    with pytest.raises(SystemExit) as end:
        plot.main([str(log), "--out", str(out)])
    assert end.value.code.startswith(f"error: {words}")


GOOD = ",".join(LOG) + "\n1,1,1,1\n"


@pytest.mark.parametrize(
    "content", [None, "", "a,b\n1,2\n", "loss,val_loss\n1,x\n", "\0", GOOD + "1,1"]
)
def test_what_is_no_log_is_one_line(tmp_path, content):
    path, out = tmp_path / "log.csv", tmp_path / "c.png"
    if content is not None:
        path.write_text(content)
    refused(path, out, f"{path} is no table that --log wrote")
    assert not out.exists()


@pytest.mark.parametrize("name", ["none/c.png", "c.doc"])
def test_a_picture_that_cannot_be_written_is_one_line(log, tmp_path, name):
    refused(log, tmp_path / name, "")


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
@pytest.mark.parametrize("moment", ["savefig", "replace"])
def test_a_picture_is_whole_or_the_old_one_stays(log, tmp_path, monkeypatch, capfd, moment, error):
    out = tmp_path / "c.png"
    out.write_text("the old one")
    place = {"savefig": Figure, "replace": os}[moment]

    def fails(*args, **kwargs):
        if moment == "savefig":
            Path(args[1]).write_bytes(b"half of it")
        raise error

    monkeypatch.setattr(place, moment, fails)
    with pytest.raises(SystemExit) as end:
        plot.main([str(log), "--out", str(out)])
    message = capfd.readouterr().err or end.value.code
    assert message.strip() in ("error: disk full", "error: interrupted")
    assert end.value.code == 130 or "disk" in message
    assert os.listdir(tmp_path) == ["c.png"] and out.read_text() == "the old one"


def test_without_matplotlib_it_is_one_line(log, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    refused(log, tmp_path / "c.png", "import of matplotlib")


def test_a_plot_of_nothing_or_to_nowhere_is_refused(log, tmp_path):
    before = [*tmp_path.iterdir()]
    for flags in ("--out", tmp_path / "c.png"), (log,):
        assert call("plot", *flags).returncode == 2 and [*tmp_path.iterdir()] == before


def test_a_plot_needs_no_tensorflow():
    code = "import sys, plot; plot.draw({}); sys.exit('tensorflow' in sys.modules)"
    assert python("-W", "ignore", "-c", code, cwd=ROOT / "docs/tools").returncode == 0
