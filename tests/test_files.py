"""What a run writes: whole files or none, after every epoch, whatever goes wrong."""

import csv
import itertools
import os
import shutil
import threading
import time
from multiprocessing.pool import ThreadPool

import common
import h5py
import keras
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
BOTH = ["l.csv", "w.weights.h5"]
EARLIER = b"epoch,accuracy,loss\n1,0.5,0.7\n"


def run(folder, *flags):
    """A tiny run with --save and --log."""
    files = [part for flag, name in FLAGS.items() for part in (flag, folder / name)]
    return call("averaged", *TINY, *files, *flags)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def contents(folder):
    return {name: (folder / name).read_bytes() for name in names(folder)}


def notes(path):
    with h5py.File(path) as file:
        return dict(file.attrs)


@pytest.fixture
def earlier(tmp_path):
    """The folder of a run, with what an earlier one has left there."""
    (tmp_path / "l.csv").write_bytes(EARLIER)
    with h5py.File(tmp_path / "w.weights.h5", "w") as file:
        file.attrs["parameters"] = 0
    return tmp_path


def test_save_and_log_write_their_files_and_nothing_else(tmp_path):
    """Into empty files, and then into those of the first run."""
    for name in BOTH:
        (tmp_path / name).touch()
    for epochs in 1, 2:
        result = run(tmp_path, "--epochs", epochs)
        line = parsed(result)
        assert names(tmp_path) == BOTH
        assert {"data": "toy", "words": "toy"}.items() <= notes(tmp_path / "w.weights.h5").items()
        content = (tmp_path / "l.csv").read_bytes()
        assert content.startswith(b"epoch,accuracy,loss,val_accuracy,val_loss\n")
        assert b"\r" not in content
        rows = list(csv.DictReader(content.decode().splitlines()))
        assert [int(row["epoch"]) for row in rows] == [1, 2][:epochs]  # as the console counts
    for key in "accuracy", "loss":
        assert float(rows[1][f"val_{key}"]) == pytest.approx(float(line[key]), abs=5.1e-5)
    shown = result.stdout.split("Epoch 2/2")[1]
    for key in "accuracy", "loss", "val_accuracy", "val_loss":
        assert f" {key}: {float(rows[1][key]):.4f}" in shown


# ----------------------------------------------------------------------------- write_atomically()


def test_what_is_written_first_lies_beside_the_file_and_has_the_same_ending(tmp_path):
    def write(name):
        folder, base = os.path.split(name)
        assert os.path.dirname(folder) == str(tmp_path.resolve())  # no rename leaves a disk
        assert os.path.basename(folder).startswith("unfinished-my.npz-")  # own_file() looks for it
        assert base == "my.npz" and not os.path.exists(name)
        open(name, "w", encoding="utf-8").close()

    common.write_atomically(str(tmp_path / "my.npz"), write)


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError, ValueError])
def test_nothing_is_left_of_a_file_that_was_not_finished(tmp_path, error):
    path = tmp_path / "l.csv"
    path.write_text("earlier")

    def write(name):
        with open(name, "w", encoding="utf-8") as file:
            file.write("half")
        raise error

    with pytest.raises(error):
        common.write_atomically(str(path), write)
    assert names(tmp_path) == ["l.csv"] and path.read_text() == "earlier"


def test_two_writers_of_one_file_do_not_meet(tmp_path):
    """A fixed name beside the file would end one of two runs in its middle."""
    path, both = str(tmp_path / "l.csv"), threading.Barrier(2, timeout=30)

    def writer(letter):
        def write(name):
            with open(name, "w", encoding="utf-8") as file:
                both.wait()
                file.write(letter * 1000)
                both.wait()

        for _ in range(3):
            common.write_atomically(path, write)

    with ThreadPool(2) as pool:
        pool.map(writer, "ab")  # raises what either raised
    assert names(tmp_path) == ["l.csv"]
    assert (tmp_path / "l.csv").read_text() in ("a" * 1000, "b" * 1000)


@posix
def test_a_link_keeps_pointing_and_modes_are_kept_or_those_of_a_shell(earlier):
    (earlier / "real").mkdir()
    path = (earlier / "w.weights.h5").rename(earlier / "real" / "weights of today")
    path.chmod(0o640)
    (earlier / "w.weights.h5").symlink_to(path)
    new = []
    common.write_atomically(earlier / "w.weights.h5", lambda n: new.append(shutil.copy(path, n)))
    assert os.path.dirname(os.path.dirname(*new)) == str(path.parent)  # perhaps on another disk
    (earlier / "l.csv").unlink()
    before = os.umask(0o022)
    left = os.path.dirname(*new)
    os.mkdir(left)
    os.utime(left, (0, 0))
    assert f"{left} is left of a run" in run(earlier).stderr
    os.rmdir(left)
    assert (earlier / "l.csv").stat().st_mode & 0o777 == 0o644
    (earlier / "l.csv").chmod(0o604)
    parsed(run(earlier))
    os.umask(before)
    assert (earlier / "w.weights.h5").is_symlink() and notes(path)["data"] == "toy"
    assert names(path.parent) == [path.name] and path.stat().st_mode & 0o777 == 0o640
    assert (earlier / "l.csv").stat().st_mode & 0o777 == 0o604


# ------------------------------------------------------------------- files of somebody else


@pytest.mark.parametrize(
    "flag, content",
    [
        ("--log", b"model,accuracy,remark\nmine,1,good\n"),
        ("--log", b"epoch,mark\n1,2\n"),
        ("--log", b"epoch,accuracy,loss\n0,0.5,0.7\n"),  # of Keras's CSVLogger
        ("--log", b"epoch,model,accuracy,remark\n1,big,0.9,the best\n"),
        ("--log", b"epoch,accuracy,loss\n1,0.5,0.7\nkeep!\n"),
        ("--log", b"\n"),
        ("--save", b"review,label\ngood,1\n"),
        ("--save", "an h5 without a note"),
    ],
)
def test_a_file_that_no_script_has_written_is_not_replaced(flag, content, tmp_path, monkeypatch):
    path = tmp_path / FLAGS[flag]
    if isinstance(content, str):
        with h5py.File(path, "w") as file:
            file.attrs["mine"] = 1
        content = path.read_bytes()
    path.write_bytes(content)
    for read in common.MEMBER_BYTES, 1:  # all of it, or less, as of a very large file
        monkeypatch.setattr(common, "MEMBER_BYTES", read)
        result = call("averaged", *TINY, flag, path)
        check_failure(result, f"{path} is there, and no script has written it", status=2)
        assert path.read_bytes() == content and names(tmp_path) == [path.name]


def test_a_log_with_several_numbers_in_a_cell_is_one_of_ours(tmp_path):
    """As that of an F1Score."""
    (tmp_path / "l.csv").write_text("epoch,accuracy,f1,loss\n1,0.5,[0.6234 1.],0.7\n")
    parsed(call("averaged", *TINY, "--log", tmp_path / "l.csv"))
    assert "f1" not in (tmp_path / "l.csv").read_text()


def test_a_folder_that_a_killed_run_left_is_named_and_no_other(tmp_path):
    left = "unfinished-w.weights.h5-"
    folders = {f"{left}killed": 660, f"{left}in use": 540, "unfinished-essay": 660}
    for name, seconds in folders.items():
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (time.time() - seconds,) * 2)
    result = run(tmp_path)
    (line,) = result.stderr.splitlines()
    assert line.startswith("warning: ") and str(tmp_path / f"{left}killed") in line
    assert parsed(result) and len(names(tmp_path)) == 5  # and nothing is deleted


# -------------------------------------------------- what cannot be written, and interrupts

CTRL_C, LOCKED = KeyboardInterrupt(), OSError(37, "unable to lock file")
ALL = 1, 2, 3, 4  # after each epoch, and in the end
FAULTS = {  # which calls of Record's methods raise in three epochs; status, last line, new files
    "save once": ([("save", LOCKED, 1)], 0, "3 epochs", BOTH),
    "log once": ([("log", LOCKED, 1)], 0, "3 epochs", BOTH),
    "save, but at last": ([("save", LOCKED, 1, 2, 3)], 0, "3 epochs", BOTH),
    "save to the end": ([("save", LOCKED, *ALL)], 1, "3 epochs", ["l.csv"]),
    "log to the end": ([("log", LOCKED, *ALL)], 1, "3 epochs", ["w.weights.h5"]),
    "neither": ([("save", LOCKED, *ALL), ("log", LOCKED, *ALL)], 1, "3 epochs", []),
    "Ctrl-C in save": ([("save", CTRL_C, 2)], 130, "2 of 3 epochs", BOTH),
    "Ctrl-C in log": ([("log", CTRL_C, 2)], 130, "2 of 3 epochs", BOTH),
    "Ctrl-C at first": ([("on_epoch_end", CTRL_C, 1)], 130, None, []),
    "Ctrl-C after a failed try": (
        [("log", LOCKED, 1), ("on_epoch_end", CTRL_C, 2)], 130, "1 of 3 epochs", ["w.weights.h5"],
    ),
}  # fmt: skip


def raising(monkeypatch, method, error, *numbers):
    """Let the calls with these numbers of a method of Record raise an error."""
    count, original = itertools.count(1), getattr(common.Record, method)

    def instead(self, *args, **kwargs):
        if next(count) in numbers:
            raise error
        return original(self, *args, **kwargs)

    monkeypatch.setattr(common.Record, method, instead)


@pytest.mark.parametrize("case", FAULTS)
def test_what_fails_is_tried_again_and_files_stay_whole_and_the_last_line_is_true(
    case, earlier, monkeypatch
):
    faults, status, done, new = FAULTS[case]
    before = contents(earlier)
    for fault in faults:
        raising(monkeypatch, *fault)
    result = run(earlier, "--epochs", "3")
    paths = [earlier / FLAGS[f"--{method}"] for method, error, *_ in faults if error is LOCKED]
    messages = [f"cannot write {path}: {LOCKED}; set HDF5_USE_FILE_LOCKING=FALSE" for path in paths]
    lines = [f"warning: {message}" for message in messages] * len(faults[0][2:])
    lines += {0: [], 1: [f"error: {'; '.join(messages)}"], 130: ["error: interrupted"]}[status]
    assert (result.returncode, result.stderr.splitlines()) == (status, lines)
    line = LAST_LINE.search(result.stdout)
    assert line["done"].startswith(f"{done} in ") if done else "gru_imdb:" not in result.stdout
    after = contents(earlier)
    assert list(after) == BOTH and [name for name in BOTH if after[name] != before[name]] == new
    if "l.csv" in new:  # and each row was written whole
        rows = after["l.csv"].decode().splitlines()
        assert len(rows) == 1 + (1 if status == 130 else 3)
    if "w.weights.h5" in new:
        assert notes(earlier / "w.weights.h5")["data"] == "toy"


@posix
def test_a_full_disk_while_weights_are_saved_is_one_line_and_no_crash(earlier):
    import resource

    content = (earlier / "w.weights.h5").read_bytes()
    result = python(
        ROOT / "tests" / "averaged.py", "--data", write_npz(earlier / "my.npz"), "--units", "4",
        "--epochs", "1", "--device", "cpu", "--save", earlier / "w.weights.h5",
        # a little less than a million weights and Adam's two moments of each take
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (12_000_000, 12_000_000)),
    )  # fmt: skip
    assert result.returncode == 1  # and not 139: HDF5 itself crashes when Python ends
    assert LAST_LINE.fullmatch(last_line(result.stdout))
    *warned, error = result.stderr.splitlines()
    assert len(warned) == 2 and len(set(warned)) == 1
    assert warned[0].startswith("warning: cannot write ")
    assert error.startswith("error: cannot write ")
    assert names(earlier) == ["l.csv", "my.npz", "w.weights.h5"]
    assert (earlier / "w.weights.h5").read_bytes() == content


def test_an_interrupt_while_a_review_is_read_costs_no_last_line(monkeypatch):
    def ctrl_c(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(common, "read_reviews", ctrl_c)
    result = call("averaged", *TINY, "--review", "good")
    assert result.returncode == 130 and LAST_LINE.fullmatch(last_line(result.stdout))


def test_an_interrupt_in_the_last_write_costs_no_last_line(monkeypatch):
    raising(monkeypatch, "write", CTRL_C, 2)  # of one epoch
    result = call("averaged", *TINY)
    assert result.returncode == 130 and LAST_LINE.fullmatch(last_line(result.stdout))


@pytest.mark.parametrize("scored", [True, False])
@pytest.mark.parametrize("epoch", [1, 2])
def test_a_run_that_diverges_says_so_and_keeps_what_was_saved_before(
    tmp_path, monkeypatch, epoch, scored
):
    fit = keras.Model.fit

    def diverging(model, *args, validation_data, callbacks, **kwargs):
        def spoil(n, logs):
            if n + 1 == epoch:
                model.dense.kernel.assign(model.dense.kernel * np.nan)

        callbacks = [keras.callbacks.LambdaCallback(on_epoch_begin=spoil), *callbacks]
        test = validation_data if scored else None
        return fit(model, *args, validation_data=test, callbacks=callbacks, **kwargs)

    monkeypatch.setattr(keras.Model, "fit", diverging)
    result = run(tmp_path, "--epochs", "3", "--review", "good")
    assert result.returncode == 1 and names(tmp_path) == (BOTH if epoch == 2 else [])
    line = last_line(result.stdout)
    assert f"{epoch} of 3 epochs in " in line and "loss nan" in line
    assert "training diverged" in result.stderr and "--learning-rate" in result.stderr
