"""What a run writes: whole files or none, after every epoch, whatever goes wrong."""

import csv
import itertools
import os
import threading
import time
from multiprocessing.pool import ThreadPool

import averaged
import common
import h5py
import numpy as np
import pytest
from conftest import (
    LAST_LINE,
    ROOT,
    TINY,
    call,
    check_failure,
    last_line,
    parsed,
    posix,
    python,
    write_npz,
)

FLAGS = {"--save": "w.weights.h5", "--log": "l.csv"}


def outputs(folder):
    return [part for flag, name in FLAGS.items() for part in (flag, folder / name)]


def earlier(path):
    """Write what an earlier run may have left there -> its content."""
    if path.suffix == ".csv":
        path.write_text("epoch,accuracy,loss\n1,0.5,0.7\n")
    else:
        with h5py.File(path, "w") as file:
            file.attrs["parameters"] = 0
    return path.read_bytes()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_save_and_log_write_their_files_and_nothing_else(tmp_path):
    result = call("averaged", *TINY, "--epochs", "2", *outputs(tmp_path))
    line = parsed(result)
    assert names(tmp_path) == ["l.csv", "w.weights.h5"]
    content = (tmp_path / "l.csv").read_bytes()
    assert content.startswith(b"epoch,accuracy,loss,val_accuracy,val_loss\n")
    assert b"\r" not in content
    with open(tmp_path / "l.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2"]  # as the console counts
    for key in "accuracy", "loss":
        assert float(rows[1][f"val_{key}"]) == pytest.approx(float(line[key]), abs=5.1e-5)
    shown = result.stdout.split("Epoch 2/2")[1]
    for key in rows[0]:
        if key != "epoch":
            assert f" {key}: {float(rows[1][key]):.4f}" in shown
    with h5py.File(tmp_path / "w.weights.h5") as file:
        assert (file.attrs["data"], file.attrs["words"]) == ("toy", "toy")


# ----------------------------------------------------------------------------- write_atomically()


def test_what_is_written_first_has_a_name_of_its_own_with_the_same_ending(tmp_path):
    new_names = []

    def write(name):
        new_names.append(name)
        assert os.path.basename(name) == "my.npz" and not os.path.exists(name)
        open(name, "w").close()

    for _ in "12":
        common.write_atomically(str(tmp_path / "my.npz"), write)
    assert new_names[0] != new_names[1] and names(tmp_path) == ["my.npz"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError, ValueError])
def test_nothing_is_left_of_a_file_that_was_not_finished(tmp_path, error):
    path = tmp_path / "l.csv"
    path.write_text("earlier")

    def write(name):
        with open(name, "w") as file:
            file.write("half")
        raise error

    with pytest.raises(error):
        common.write_atomically(str(path), write)
    assert names(tmp_path) == ["l.csv"] and path.read_text() == "earlier"


def test_two_writers_of_one_file_do_not_meet(tmp_path):
    """A fixed name beside the file would end one of two runs in its middle."""
    path, both = str(tmp_path / "l.csv"), threading.Barrier(2, timeout=30)

    def run(letter):
        def write(name):
            with open(name, "w") as file:
                both.wait()
                file.write(letter * 1000)
                both.wait()

        for _ in range(3):
            common.write_atomically(path, write)

    with ThreadPool(2) as pool:
        pool.map(run, "ab")  # raises what either raised
    assert names(tmp_path) == ["l.csv"]
    assert (tmp_path / "l.csv").read_text() in ("a" * 1000, "b" * 1000)


@posix
@pytest.mark.parametrize("target", ["today.weights.h5", "weights of today"])
def test_a_link_keeps_pointing_and_a_mode_is_kept(tmp_path, target):
    (tmp_path / "real").mkdir()
    path, link = tmp_path / "real" / target, tmp_path / "w.weights.h5"
    earlier(path)
    path.chmod(0o640)
    link.symlink_to(path)
    parsed(call("averaged", *TINY, "--save", link))
    assert link.is_symlink() and path.stat().st_mode & 0o777 == 0o640
    assert names(path.parent) == [target]
    with h5py.File(path) as file:
        assert file.attrs["data"] == "toy"


@posix
def test_a_new_file_has_the_mode_that_a_shell_would_give_it(tmp_path):
    before = os.umask(0o022)
    common.write_atomically(str(tmp_path / "l.csv"), lambda name: open(name, "w").close())
    os.umask(before)
    assert (tmp_path / "l.csv").stat().st_mode & 0o777 == 0o644


# ------------------------------------------------------------------- files of somebody else

FOREIGN = {
    "l.csv": [b"review,label\ngood,1\n", b"epoch,mark\n1,2\n", b"\n"],
    "w.weights.h5": [b"review,label\ngood,1\n", "h5 without a note"],
}


@pytest.mark.parametrize(
    "flag, content", [(flag, c) for flag, name in FLAGS.items() for c in FOREIGN[name]]
)
def test_a_file_that_no_script_has_written_is_not_replaced(flag, content, tmp_path):
    path = tmp_path / FLAGS[flag]
    if content == "h5 without a note":
        with h5py.File(path, "w") as file:
            file.attrs["mine"] = 1
        content = path.read_bytes()
    path.write_bytes(content)
    result = call("averaged", *TINY, flag, path)
    check_failure(result, "gru_imdb.py: error: ", status=2)
    assert f"{path} is there, and no script has written it" in result.stderr
    assert path.read_bytes() == content and names(tmp_path) == [path.name]


def test_own_files_and_empty_ones_are_replaced(tmp_path):
    for name in FLAGS.values():
        (tmp_path / name).touch()
    for epochs in "12":
        parsed(call("averaged", *TINY, "--epochs", epochs, *outputs(tmp_path)))
        assert len((tmp_path / "l.csv").read_text().splitlines()) == 1 + int(epochs)
        with h5py.File(tmp_path / "w.weights.h5") as file:
            assert file.attrs["data"] == "toy"


def test_the_folder_that_is_written_in_is_the_one_that_is_looked_for(tmp_path):
    folders = []
    common.write_atomically(
        str(tmp_path / "w.weights.h5"), lambda name: [folders.append(name), open(name, "w").close()]
    )
    assert os.path.basename(os.path.dirname(folders[0])).startswith("unfinished-w.weights.h5-")


def test_a_folder_that_a_killed_run_left_is_named_and_no_other(tmp_path):
    left = "unfinished-w.weights.h5-"
    for name, seconds in (
        (f"{left}killed", 7_200),
        (f"{left}in use", 60),
        ("unfinished-essay", 7_200),
    ):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (time.time() - seconds,) * 2)
    result = call("averaged", *TINY, *outputs(tmp_path))
    (line,) = result.stderr.splitlines()
    assert line.startswith("warning: ") and str(tmp_path / f"{left}killed") in line
    assert parsed(result) and len(names(tmp_path)) == 5  # and nothing is deleted


# ------------------------------------------------------------------- what cannot be written


def failing(monkeypatch, method, epochs):
    """Let a method of Record raise OSError in some epochs."""
    original = getattr(common.Record, method)

    def write(self, path):
        if len(self.epochs) in epochs:
            raise PermissionError(13, "open in Excel")
        return original(self, path)

    monkeypatch.setattr(common.Record, method, write)


@pytest.mark.parametrize("flag", FLAGS)
@pytest.mark.parametrize("epochs", [{1}, {1, 2}], ids=["once", "to the end"])
def test_an_output_that_cannot_be_written_is_tried_again_after_each_epoch(
    tmp_path, flag, epochs, monkeypatch
):
    path = tmp_path / FLAGS[flag]
    content = earlier(path)
    failing(monkeypatch, flag[2:], epochs)
    result = call("averaged", *TINY, "--epochs", "2", *outputs(tmp_path))
    line = LAST_LINE.fullmatch(last_line(result.stdout))
    assert line["done"].startswith("2 epochs in ")  # it went on training
    message = f"cannot write {path}: [Errno 13] open in Excel"
    lines = [f"warning: {message}"] * len(epochs) + [f"error: {message}"] * (2 in epochs)
    assert result.stderr.splitlines() == lines
    assert result.returncode == (2 in epochs)
    assert (path.read_bytes() == content) == (2 in epochs)
    assert names(tmp_path) == ["l.csv", "w.weights.h5"]  # the other was


@posix
def test_a_full_disk_while_weights_are_saved_is_one_line_and_no_crash(tmp_path):
    import resource

    content = earlier(tmp_path / "w.weights.h5")
    result = python(
        ROOT / "tests" / "averaged.py", "--data", write_npz(tmp_path / "my.npz"), "--units", "4",
        "--epochs", "1", "--device", "cpu", "--save", tmp_path / "w.weights.h5",
        # a little less than a million weights and Adam's two moments of each take
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (12_000_000, 12_000_000)),
    )  # fmt: skip
    assert result.returncode == 1  # and not 139: HDF5 itself crashes when Python ends
    assert LAST_LINE.fullmatch(last_line(result.stdout))
    warned, error = result.stderr.splitlines()
    assert warned.startswith("warning: cannot write ") and error.startswith("error: cannot write ")
    assert names(tmp_path) == ["my.npz", "w.weights.h5"]
    assert (tmp_path / "w.weights.h5").read_bytes() == content


# ------------------------------------------------------------------------------------ interrupts


def interrupted(monkeypatch, method, at):
    """Make a Ctrl-C fall into the call number `at` of a method of Record."""
    calls, original = itertools.count(1), getattr(common.Record, method)

    def call(self, *args, **kwargs):
        if next(calls) == at:
            raise KeyboardInterrupt
        return original(self, *args, **kwargs)

    monkeypatch.setattr(common.Record, method, call)


@pytest.mark.parametrize("method", ["save", "log"])
def test_an_interrupt_while_a_file_is_written(tmp_path, method, monkeypatch):
    """In the second epoch: the files of the first stay whole, and no other is left behind."""
    interrupted(monkeypatch, method, at=2)
    result = call("averaged", *TINY, "--epochs", "3", *outputs(tmp_path))
    assert (result.returncode, result.stderr) == (130, "error: interrupted\n")
    line = LAST_LINE.fullmatch(last_line(result.stdout))
    assert line["done"].startswith("2 of 3 epochs")
    assert names(tmp_path) == ["l.csv", "w.weights.h5"]
    rows = (tmp_path / "l.csv").read_text().splitlines()
    assert len(rows) == 1 + 1
    with h5py.File(tmp_path / "w.weights.h5") as file:
        assert file.attrs["data"] == "toy"


def test_an_interrupt_in_the_first_epoch_leaves_the_old_files_as_they_were(tmp_path, monkeypatch):
    interrupted(monkeypatch, "on_epoch_end", at=1)
    content = earlier(tmp_path / "l.csv")
    result = call("averaged", *TINY, *outputs(tmp_path))
    assert result.returncode == 130 and "test accuracy" not in result.stdout
    assert names(tmp_path) == ["l.csv"]
    assert (tmp_path / "l.csv").read_bytes() == content


def test_an_interrupt_after_a_failed_try_to_write_is_an_interrupt(tmp_path, monkeypatch):
    failing(monkeypatch, "log", {1})
    interrupted(monkeypatch, "on_epoch_end", at=2)
    result = call("averaged", *TINY, "--epochs", "3", *outputs(tmp_path))
    warned, error = result.stderr.splitlines()
    assert warned.startswith("warning: cannot write") and error == "error: interrupted"
    assert result.returncode == 130 and "1 of 3 epochs" in last_line(result.stdout)


def test_an_interrupt_while_a_review_is_read_costs_no_last_line(monkeypatch):
    def ctrl_c(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(common, "read_reviews", ctrl_c)
    result = call("averaged", *TINY, "--review", "good")
    assert result.returncode == 130 and LAST_LINE.fullmatch(last_line(result.stdout))


def test_a_run_that_diverges_says_so_and_saves_nothing(tmp_path, monkeypatch):
    network = averaged.SentimentClassifier
    original = network.build

    def build(self, shape):
        original(self, shape)
        self.dense.kernel.assign(self.dense.kernel * np.nan)

    monkeypatch.setattr(network, "build", build)
    result = call("averaged", *TINY, "--epochs", "3", *outputs(tmp_path))
    assert result.returncode == 1 and names(tmp_path) == []
    line = LAST_LINE.fullmatch(last_line(result.stdout))
    assert line["loss"] == "nan" and line["done"].startswith("1 of 3 epochs in")
    assert "training diverged" in result.stderr and "--learning-rate" in result.stderr
