"""Flags: their bounds and defaults, and what a wrong command line or file says."""

import io
import os
import re
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

import common
import pytest
from conftest import ROOT, SCRIPTS, TINY, call, check_failure, posix, write_npz


@pytest.mark.smoke
@pytest.mark.parametrize(
    "flags",
    [
        ["--epochs", "0"],
        ["--epochs", "two"],
        ["--epochs", "1.5"],
        ["--epochs", str(10**400)],
        ["--batch-size", "-1"],
        ["--units", "0"],
        ["--units", str(10**19)],
        ["--subset", "0"],
        ["--learning-rate", "0"],
        ["--learning-rate", "nan"],
        ["--learning-rate", "inf"],
        ["--learning-rate", "1e300"],
        ["--clipnorm", "-1"],
        ["--clipnorm", "1e300"],
        ["--seed", "-1"],
        ["--seed", str(2**32)],
        ["--device", "tpu"],
        ["--unknown"],
        ["stray"],
        ["--data", ""],
        ["--data", "reviews.csv"],
        ["--data", "./toy"],
        ["--save", "weights.h5"],
        ["--save", ""],
        ["--save", "no/such/folder/w.weights.h5"],
        ["--log", "log.txt"],
        ["--load", ""],
        ["--load", "none.weights.h5"],
        ["--review", ""],
        ["--review", "?!"],
    ],
    ids=lambda flags: " ".join(flags)[:40],
)
def test_a_wrong_command_line_ends_as_argparse_ends_it(flags):
    result = call("rnn_layer_imdb", "--data", "toy", *flags)
    check_failure(result, "rnn_layer_imdb.py: error: ", status=2)
    assert result.stdout == ""


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_wrong_command_line_of_a_program_ends_it_with_status_2(name, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [f"{name}.py", "--epochs", "many"])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(ROOT / f"{name}.py"), run_name="__main__")
    out, err = capsys.readouterr()
    result = SimpleNamespace(returncode=end.value.code, stdout=out, stderr=err)
    check_failure(result, "must be int, from 1 to 10000, not 'many'", status=2)
    assert result.stderr.splitlines()[-1].startswith(f"{name}.py: error: ")


def test_the_bounds_themselves_are_accepted():
    for flag, *bounds in (
        ("--subset", 1, 10**6),
        ("--epochs", 1, 10_000),
        ("--batch-size", 1, 10_000),
        ("--units", 1, 2_048),
        ("--learning-rate", 1e-9, 10.0),
        ("--clipnorm", 0.0, 1e6),
        ("--seed", 0, 2**32 - 1),
    ):
        for bound in bounds:
            args = common.parse_args("lstm_imdb.py", [flag, str(bound)])
            assert getattr(args, flag[2:].replace("-", "_")) == bound


def test_the_name_of_the_script_is_bare():
    args = common.parse_args(os.path.join("some folder", "lstm_imdb.py"), [])
    assert args.script == "lstm_imdb"


def test_every_default_in_help_is_the_readmes(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    text = call("gru_imdb", "--help").stdout
    defaults = dict(re.findall(r"^ +(--[a-z-]+) [^-]*default: (\S+)$", text, re.M))
    assert {"--epochs", "--batch-size", "--units", "--seed", "--clipnorm"} <= set(defaults)
    rows = {}  # a row may have several flags, and then as many numbers
    for cells in re.findall(
        r"^\| (`--.*?) \| (.*)$", (ROOT / "README.md").read_text("utf-8"), re.M
    ):
        flags = re.findall(r"--[a-z-]+", cells[0])
        if flags[0] in defaults and flags != ["--device"]:
            rows.update(zip(flags, re.findall(r"\d+(?:\.\d+)?", cells[1])))
    assert rows == {flag: value for flag, value in defaults.items() if flag != "--device"}
    assert defaults["--device"] == "auto"


# -------------------------------------------------------------------------------------- outputs


@posix
def test_outputs_that_cannot_be_written_are_refused_before_anything_is_done(tmp_path):
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "file").write_text("mine")
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "device.csv").symlink_to(tmp_path / "pipe.csv")
    (tmp_path / "a.weights.h5").write_bytes(b"")
    for flags in (
        ["--log", tmp_path / "folder.csv"],
        ["--log", tmp_path / "file" / "l.csv"],
        ["--log", tmp_path / "device.csv"],
        ["--log", tmp_path / "pipe.csv"],
        ["--load", tmp_path / "a.weights.h5", "--save", tmp_path / "b.weights.h5"],
        ["--load", tmp_path / "a.weights.h5", "--log", tmp_path / "l.csv"],
    ):
        before = sorted(tmp_path.rglob("*"))
        result = call("lstm_imdb", "--data", "toy", *flags)
        check_failure(result, "lstm_imdb.py: error: ", status=2)
        assert result.stdout == "" and sorted(tmp_path.rglob("*")) == before


def test_a_read_only_file_is_not_replaced(tmp_path, monkeypatch):
    path = tmp_path / "l.csv"
    path.write_text("mine")
    path.chmod(0o444)
    monkeypatch.setattr(os, "access", lambda of, mode: Path(of) != path)  # root may all the same
    check_failure(call("lstm_imdb", *TINY, "--log", path), "cannot write", status=2)
    assert path.read_text() == "mine"


def test_a_home_folder_is_expanded(tmp_path, monkeypatch):
    for variable in "HOME", "USERPROFILE":
        monkeypatch.setenv(variable, str(tmp_path))
    (tmp_path / "w.weights.h5").write_bytes(b"")
    args = common.parse_args("lstm_imdb.py", ["--log", "~/l.csv", "--data", "~/my.npz"])
    assert args.log == str((tmp_path / "l.csv").resolve())
    assert args.data == os.path.join(tmp_path, "my.npz").replace("\\my", "/my")
    args = common.parse_args("lstm_imdb.py", ["--load", "~/w.weights.h5"])
    assert Path(args.load) == tmp_path / "w.weights.h5"


# ---------------------------------------------------------------------------------------- files


def test_what_is_not_a_readable_npz_is_one_line(tmp_path):
    def fails(path, words):
        result = call("rnn_layer_imdb", "--data", path)
        check_failure(result, words)
        assert path.name in result.stderr

    fails(tmp_path / "missing.npz", "No such file")
    (tmp_path / "folder.npz").mkdir()
    fails(tmp_path / "folder.npz", "cannot read")
    path = tmp_path / "bad.npz"
    for content in (b"", b"hello", write_npz(tmp_path / "good.npz").read_bytes()[:900]):
        path.write_bytes(content)
        fails(path, "cannot read")
        assert path.read_bytes() == content  # a user's file is never touched
    fails(write_npz(path, x_test=None), "x_test")
    if os.name == "posix" and os.geteuid() != 0:
        path.chmod(0)
        fails(path, "Permission denied")


def test_without_a_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", "")
    monkeypatch.chdir(tmp_path)
    check_failure(call("gru_imdb", "--data", "~nosuchuser/imdb.npz"), "No such file")
    assert list(tmp_path.iterdir()) == []


def test_text_from_a_file_is_printed_without_control_characters_and_cut(capsys):
    with pytest.raises(SystemExit):
        common.fail("weights of \x1b[31m\r\n\t\u202e" + "x" * 10_000)
    error = capsys.readouterr().err
    assert error.startswith("error: weights of [31m x") and len(error) < 700


# ------------------------------------------------------------------------------------------- run()


def test_run_ends_ctrl_c_in_one_line_and_passes_on_what_main_raises(capsys):
    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as end:
        common.run(interrupted)
    assert end.value.code == 130 and capsys.readouterr().err == "error: interrupted\n"
    with pytest.raises(ZeroDivisionError):
        common.run(lambda: 1 / 0)


def test_a_console_that_lacks_characters_shows_others(monkeypatch, capsys):
    """As a pipe on Windows: the name of a file in Chinese ended the run."""
    shown = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(shown, encoding="ascii"))
    common.run(lambda: print("影评 ok", flush=True))
    assert shown.getvalue().split() == [b"??", b"ok"] and capsys.readouterr().err == ""
