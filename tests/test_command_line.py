"""Flags and their bounds, what a wrong command line or file says, and how a program ends."""

import errno
import io
import os
import re
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import common
import keras
import pytest
from conftest import ROOT, SCRIPTS, TINY, call, check_failure, posix, write_npz

WRONG = """--epochs two|--epochs 1.5|--epochs 1e400|--learning-rate 0|--learning-rate nan
--device tpu|--unknown|stray|--data |--data reviews.csv|--data ./toy|--save weights.h5
--save |--save no/such/folder/w.weights.h5|--log log.txt|--load |--load none.weights.h5
--review |--review ?!|--review good --review ?!"""  # bounds: below
PROGRAMS = {name: f"{name}.py" for name in SCRIPTS} | {"baseline": "docs/tools/baseline.py"}


@pytest.mark.smoke
@pytest.mark.parametrize("flags", WRONG.replace("\n", "|").split("|"))
def test_a_wrong_command_line_ends_as_argparse_ends_it(flags):
    result = call("rnn_layer_imdb", "--data", "toy", *flags.split(" "))
    check_failure(result, "rnn_layer_imdb.py: error: ", status=2)
    assert result.stdout == ""


BOUNDS = {
    "--subset": (1, 10**6),
    "--epochs": (1, 10_000),
    "--batch-size": (1, 10_000),
    "--units": (1, 2_048),
    "--learning-rate": (1e-9, 10.0),
    "--clipnorm": (0.0, 1e6),
    "--seed": (0, 2**32 - 1),
}


@pytest.mark.parametrize("flag", BOUNDS)
def test_the_bounds_themselves_are_accepted_and_nothing_beyond(flag):
    low, high = BOUNDS[flag]
    for bound, beyond in (low, low - 1), (high, high + 1):
        args = common.parse_args("lstm_imdb.py", [flag, str(bound)])
        assert getattr(args, flag[2:].replace("-", "_")) == bound
        with pytest.raises(SystemExit, match="2"):
            common.parse_args("lstm_imdb.py", [f"{flag}={beyond}"])


HELP = (
    "--data DATA imdb, toy, auto or an npz file --subset SUBSET only so many reviews of each split "
    "--epochs EPOCHS default: 4 --batch-size BATCH_SIZE default: 128 --units UNITS default: 64 "
    "--learning-rate LEARNING_RATE default: 0.001 --clipnorm CLIPNORM default: 0.25 "
    "--unroll a graph of 80 steps, no loop --seed SEED default: 0 "
    "--device {auto,cpu,gpu} default: auto --save FILE weights, each epoch "
    "--log FILE scores of each epoch --load FILE use what --save wrote "
    "--review TEXT read TEXT word by word "
    "More about each flag: docs/reference.md. 中文: docs/zh-CN/reference.md"
)


def test_help_says_what_a_run_without_flags_does():
    text, args = call("lstm_imdb", "--help").stdout, vars(common.parse_args("lstm_imdb.py", []))
    shown = re.findall(r"--([\w-]+) [^-]*default: (\S+)", text)
    assert [value for _, value in shown] == [str(args[f.replace("-", "_")]) for f, _ in shown]
    assert len(shown) == 7 and " ".join(text.split()).endswith(HELP)


# ----------------------------------------------------------------------------- files that are named


FILES = {  # flags that name files which are there; what is said
    "--log FOLDER/folder.csv": "cannot write FOLDER/folder.csv",
    "--log FOLDER/file/l.csv": "cannot write",
    "--log FOLDER/device.csv": "cannot write",
    "--log FOLDER/pipe.csv": "cannot write",
    "--log FOLDER/mine.csv": "cannot write",
    "--log FOLDER/locked/l.csv": "cannot write",
    "--load FOLDER/a.weights.h5 --save FOLDER/b.weights.h5": "there is nothing to --save or --log",
    "--load FOLDER/a.weights.h5 --log FOLDER/l.csv": "there is nothing to --save or --log",
    "--load FOLDER/best.h5": "no such file, or it does not end in .weights.h5",
    "--load FOLDER/best": "no such file, or it does not end in .weights.h5",
    "--review good --review FOLDER/mine.csv": "docs/tools/predict.py reads a file of reviews",
}


@posix
@pytest.mark.parametrize("flags", FILES)
def test_files_of_another_kind_are_refused_before_anything_is_done(flags, tmp_path, monkeypatch):
    for name in "folder.csv", "locked":
        (tmp_path / name).mkdir()
    for name in "file", "mine.csv", "a.weights.h5", "best.h5", "best":
        (tmp_path / name).write_text("mine")
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "device.csv").symlink_to(tmp_path / "pipe.csv")
    access, others = os.access, ("mine.csv", f"locked{os.sep}")  # which root may write all the same
    closed = lambda path, mode: mode & os.W_OK and str(path).endswith(others)  # noqa: E731
    monkeypatch.setattr(os, "access", lambda *args: not closed(*args) and access(*args))
    before = sorted(tmp_path.rglob("*"))
    result = call("averaged", *TINY, *flags.replace("FOLDER", str(tmp_path)).split())
    check_failure(result, FILES[flags].replace("FOLDER", str(tmp_path)), status=2)
    assert result.stdout == "" and sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "mine.csv").read_text() == "mine"


def test_a_home_folder_is_expanded(tmp_path, monkeypatch):
    for variable in "HOME", "USERPROFILE":
        monkeypatch.setenv(variable, str(tmp_path))
    (tmp_path / "w.weights.h5").write_bytes(b"")
    args = common.parse_args("lstm_imdb.py", ["--log", "~/l.csv", "--data", "~/my.npz"])
    assert args.log == str((tmp_path / "l.csv").resolve())
    assert args.data == os.path.join(tmp_path, "my.npz").replace("\\my", "/my")
    args = common.parse_args("lstm_imdb.py", ["--load", "~/w.weights.h5"])
    assert Path(args.load) == tmp_path / "w.weights.h5"


@pytest.mark.parametrize("data", ["folder.npz", "none.npz", "~nosuchuser/imdb.npz"])
def test_data_that_are_no_file_are_one_line(data, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", "")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.npz").mkdir()
    words = "" if data == "folder.npz" else "[Errno 2] No such file"
    check_failure(call("gru_imdb", "--data", data), f"cannot read {data}: {words}")
    assert [path.name for path in tmp_path.iterdir()] == ["folder.npz"]


# ------------------------------------------------------------------------------- how a program ends


@pytest.fixture
def as_program(monkeypatch, capsys):
    """Run a program's file as `python FILE FLAGS` does, in this process -> what it ended with."""

    def run(name, *flags):
        monkeypatch.setattr(sys, "argv", [PROGRAMS[name], *map(str, flags)])
        with pytest.raises((SystemExit, KeyboardInterrupt)) as end:
            runpy.run_path(str(ROOT / PROGRAMS[name]), run_name="__main__")
        out, err = capsys.readouterr()
        status = getattr(end.value, "code", "a traceback")
        return SimpleNamespace(returncode=status, stdout=out, stderr=err)

    return run


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_reads_its_command_line_and_ctrl_c_while_it_trains_is_one_line(
    name, as_program, tmp_path, monkeypatch
):
    result = as_program(name, "--epochs", "many")
    check_failure(result, "must be int, from 1 to 10000, not 'many'", status=2)
    assert result.stderr.splitlines()[-1].startswith(f"{name}.py: error: ")

    def fit(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(keras.Model, "fit", fit)
    result = as_program(name, "--data", write_npz(tmp_path / "my.npz"), "--units", "4")
    assert (result.returncode, result.stderr) == (130, "error: interrupted\n")
    assert "test accuracy" not in result.stdout  # no epoch is over


def test_a_console_that_lacks_characters_shows_others(monkeypatch, capsys):
    """As a pipe on Windows: the name of a file in Chinese ended the run."""
    shown = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(shown, encoding="ascii"))
    common.run(lambda: print("影评 ok", flush=True))
    with pytest.raises(OSError, match="No space"):  # of the system's faults a closed pipe alone
        common.run(mock.Mock(side_effect=OSError(errno.ENOSPC, "No space left on device")))
    assert shown.getvalue().split() == [b"??", b"ok"] and capsys.readouterr().err == ""
