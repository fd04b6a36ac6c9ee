"""The scripts as a user runs them: flags, last line, errors, files, Ctrl-C."""

import csv
import importlib
import itertools
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import warnings
from pathlib import Path

import common
import h5py
import numpy as np
import pytest
from conftest import IMDB_NPZ, ROOT, SCRIPTS, last_line, needs_imdb, run_script, write_npz

LAST_LINE = re.compile(
    r"(?P<script>\w+): test accuracy (?P<accuracy>[01]\.\d{4}) \((?P<right>\d+)/(?P<n>\d+)\), "
    r"loss (?P<loss>\d+\.\d{4}|nan), (?P<done>(\d+ of )?\d+ epochs? in [\d.]+ s|loaded from \S+), "
    r"(?P<parameters>\d+) parameters, seed (?P<seed>\d+), data (?P<data>\S+), "
    r"device (?P<device>CPU|GPU), TensorFlow [\d.]+\S*, Keras [\d.]+\S*"
)
TINY = ("--data", "toy", "--subset", "256", "--epochs", "1")


def parsed(result):
    assert result.returncode == 0, result.stderr
    return LAST_LINE.fullmatch(last_line(result.stdout))


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_tiny_run(name):
    # an environment that asks for something else must not break the run
    result = run_script(name, *TINY, KERAS_BACKEND="jax", TF_USE_LEGACY_KERAS="1")
    line = parsed(result)
    assert line["script"] == name and line["n"] == "256" and line["data"] == "toy"
    assert abs(int(line["right"]) / 256 - float(line["accuracy"])) < 1e-4
    assert line["done"].startswith("1 epoch in ")
    assert "1,000,000" in result.stdout and f"{int(line['parameters']):,}" in result.stdout
    assert "val_accuracy" in result.stdout and "?" not in result.stdout
    assert result.stderr == ""
    # into a file or a pipe: one line an epoch, no bar, no colours
    assert result.stdout.count("val_accuracy") == 1 and not set("\b\r\x1b") & set(result.stdout)


@needs_imdb
@pytest.mark.parametrize("name", SCRIPTS)
def test_a_tiny_run_on_the_real_file(name):
    line = parsed(run_script(name, "--data", IMDB_NPZ, "--subset", "256", "--epochs", "1"))
    assert line["data"] == Path(IMDB_NPZ).name and line["n"] == "256"


def test_unroll_and_other_flags():
    flags = ("--unroll", "--units", "4", "--batch-size", "100", "--seed", "3", "--clipnorm", "0")
    line = parsed(run_script("rnn_layer_imdb", *TINY, *flags, "--device", "cpu"))
    assert line["seed"] == "3" and line["device"] == "CPU"
    assert int(line["parameters"]) == 1_000_000 + (100 + 4 + 1) * 4 + (4 + 4 + 1) * 4 + 5


def after_training(script, flags, monkeypatch):
    """The optimizer with which script.main(flags) ends."""
    ends = []
    monkeypatch.setattr(common.Record, "report", lambda self: ends.append(self.model.optimizer))
    importlib.import_module(script).main(flags.split())
    return ends[0]


def rate_at(adam, step):
    adam.iterations.assign(step)
    return float(adam.learning_rate)


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_learning_rate_falls_to_zero_at_the_last_step(name, monkeypatch):
    monkeypatch.setattr(common, "IMDB_TRAIN", 250)
    flags = "--data toy --subset 250 --batch-size 100 --epochs 2 --units 4 --learning-rate 0.01"
    adam = after_training(name, flags, monkeypatch)
    assert adam.iterations == 2 * 3  # 100 + 100 + 50, twice
    rates = [rate_at(adam, step) for step in (6, 3, 0)]
    assert rates == pytest.approx([0.0, 0.005, 0.01], abs=1e-8)  # float32


def test_the_learning_rate_never_falls_faster_than_in_two_epochs_of_imdb(monkeypatch):
    adam = after_training("lstm_imdb", "--data toy --subset 250 --epochs 1 --units 4", monkeypatch)
    assert adam.iterations == 2
    steps = 2 * 25_000 / 128
    # 390 for 390.6
    assert rate_at(adam, 2) == pytest.approx(0.001 * (1 - 2 / steps), rel=1e-4)


def test_a_subset_larger_than_the_data_takes_all(tmp_path):
    path = write_npz(tmp_path / "my.npz")
    result = run_script("gru_imdb", "--data", path, "--subset", "25", "--epochs", "1")
    assert "data my.npz: 25 training, 20 test reviews" in result.stdout
    assert parsed(result)["n"] == "20" and parsed(result)["data"] == "my.npz"


# --------------------------------------------------------------------------------- bad input


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
        ["--save", "weights.h5"],
        ["--save", "no/such/folder/w.weights.h5"],
        ["--save", "x" * 250 + ".weights.h5"],
        ["--plot", "curves.pdf"],
        ["--log", "log.txt"],
        ["--load", "none.weights.h5"],
        ["--load", "README.md"],
        ["--review", ""],
        ["--review", "?!"],
    ],
    ids=lambda flags: " ".join(flags)[:40],
)
def test_a_wrong_command_line_ends_as_argparse_ends_it(flags, capsys):
    with pytest.raises(SystemExit) as end:
        importlib.import_module("rnn_layer_imdb").main(["--data", "toy", *flags])
    captured = capsys.readouterr()
    assert end.value.code == 2 and captured.out == ""
    assert (
        captured.err.startswith("usage: rnn_layer_imdb.py") and len(last_line(captured.err)) < 500
    )
    assert last_line(captured.err).startswith("rnn_layer_imdb.py: error: ")


@pytest.mark.skipif(os.name != "posix", reason="links, pipes and devices")
def test_outputs_that_cannot_be_written_are_refused_before_anything_is_done(tmp_path, capsys):
    main = importlib.import_module("lstm_imdb").main
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "file").write_text("mine")
    (tmp_path / "device.csv").symlink_to("/dev/null")
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "a.weights.h5").write_bytes(b"")
    (tmp_path / "link.csv").symlink_to(tmp_path / "link.png")
    for flags in (
        ["--log", tmp_path / "folder.csv"],
        ["--log", tmp_path / "file" / "l.csv"],
        ["--log", tmp_path / "device.csv"],
        ["--log", tmp_path / "pipe.csv"],
        ["--load", tmp_path / "a.weights.h5", "--save", tmp_path / "b.weights.h5"],
        ["--load", tmp_path / "a.weights.h5", "--log", tmp_path / "l.csv"],
        ["--data", tmp_path / "l.csv", "--log", tmp_path / "l.csv"],
        ["--log", tmp_path / "link.csv", "--plot", tmp_path / "link.png"],
    ):
        before = sorted(tmp_path.rglob("*"))
        with pytest.raises(SystemExit) as end:
            main(["--data", "toy", *map(str, flags)])
        captured = capsys.readouterr()
        assert end.value.code == 2 and ": error: " in last_line(captured.err) and not captured.out
        assert sorted(tmp_path.rglob("*")) == before


def test_a_plot_needs_matplotlib(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(common.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit) as end:
        importlib.import_module("lstm_imdb").main(["--plot", str(tmp_path / "c.png")])
    assert end.value.code == 2 and "pip install matplotlib" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["rnn_layer_imdb", "lstm_imdb", "gru_imdb"])
def test_layers_are_a_loop_unless_asked_otherwise(name, monkeypatch):
    class Built(Exception):
        pass

    def note(units, unroll):
        raise Built(unroll)

    script = importlib.import_module(name)
    monkeypatch.setattr(script, "SentimentClassifier", note)
    for flags, expected in ([], False), (["--unroll"], True):
        with pytest.raises(Built) as built:
            script.main(flags)
        assert built.value.args == (expected,)


def check_failure(result, status, words):
    assert result.returncode == status, result.stderr
    assert "error: " in last_line(result.stderr) and words in last_line(result.stderr)
    assert "Traceback" not in result.stderr and "test accuracy" not in result.stdout


def test_a_wrong_command_line_as_a_user_sees_it():
    check_failure(
        run_script("lstm_imdb", "--epochs", "many"), 2, "must be int, from 1 to 10000, not 'many'"
    )


@pytest.mark.skipif(
    bool(common.tf.config.list_physical_devices("GPU")), reason="there is a GPU here"
)
def test_gpu_without_a_gpu_is_an_error_that_helps():
    check_failure(run_script("lstm_imdb", *TINY, "--device", "gpu"), 2, "TensorFlow sees none")


def test_a_bad_file_as_a_user_sees_it(tmp_path):
    check_failure(run_script("gru_imdb", "--data", tmp_path / "no.npz"), 1, "there is no such file")


def fails_on(path, capsys, words):
    with pytest.raises(SystemExit) as end:
        importlib.import_module("rnn_layer_imdb").main(["--data", str(path)])
    error = capsys.readouterr().err
    assert end.value.code == 1
    assert len(error.splitlines()) == 1 and words in error and path.name in error


def test_what_is_not_a_readable_npz_is_one_line(tmp_path, capsys):
    fails_on(tmp_path / "missing.npz", capsys, "there is no such file")
    fails_on(tmp_path, capsys, "there is no such file")
    if os.name == "posix":  # either would be read for ever
        os.mkfifo(tmp_path / "pipe.npz")
        fails_on(tmp_path / "pipe.npz", capsys, "there is no such file")
        fails_on(Path("/dev/zero"), capsys, "there is no such file")
    path = tmp_path / "bad.npz"
    for content in (b"", b"hello", write_npz(tmp_path / "good.npz").read_bytes()[:900]):
        path.write_bytes(content)
        fails_on(path, capsys, "cannot read")
        assert path.read_bytes() == content  # a user's file is never touched
    fails_on(write_npz(path, x_test=None), capsys, "x_test")
    if os.name == "posix" and os.geteuid() != 0:
        path.chmod(0)
        fails_on(path, capsys, "Permission denied")


def test_text_from_a_file_is_printed_without_control_characters_and_cut(capsys):
    with pytest.raises(SystemExit):
        common.fail("weights of \x1b[31m\r\n\t\u202e" + "x" * 10_000)
    error = capsys.readouterr().err
    assert error.startswith("error: weights of [31m x") and len(error) < 700


# ----------------------------------------------------------------------------------- network


@pytest.fixture
def no_network(tmp_path):
    """An environment whose every way out is a closed port."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        proxy = f"http://127.0.0.1:{s.getsockname()[1]}"
    names = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")
    return {"KERAS_HOME": str(tmp_path / "keras"), **dict.fromkeys(names, proxy)}


def test_imdb_without_a_network_fails(no_network):
    check_failure(run_script("lstm_imdb", "--data", "imdb", **no_network), 1, "cannot download")


def test_auto_without_a_network_warns_and_trains_on_the_toy(no_network):
    result = run_script("rnn_layer_imdb", "--subset", "200", "--epochs", "1", **no_network)
    assert parsed(result)["data"] == "toy"
    assert "warning: cannot download" in result.stderr and "toy" in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("data", ["auto", "imdb"])
def test_a_file_in_the_cache_is_read_whatever_its_hash(no_network, data):
    folder = Path(no_network["KERAS_HOME"]) / "datasets"
    folder.mkdir(parents=True)
    write_npz(folder / "imdb.npz")
    folder.chmod(0o555)  # no need to write there; (root may all the same)
    result = run_script("gru_imdb", "--data", data, "--epochs", "1", **no_network)
    assert parsed(result)["data"] == "imdb" and parsed(result)["n"] == "20"
    folder.chmod(0o755)
    assert [path.name for path in folder.iterdir()] == ["imdb.npz"]


def test_an_unreadable_file_in_the_cache_is_an_error_that_says_what_to_do(no_network):
    path = Path(no_network["KERAS_HOME"]) / "datasets" / "imdb.npz"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"login please")
    result = run_script("gru_imdb", **no_network)
    check_failure(result, 1, "delete it")
    assert str(path) in result.stderr and path.read_bytes() == b"login please"


# ------------------------------------------------------------------------- the learner's machine


def test_a_learners_keras_json_changes_nothing(tmp_path):
    lines = set()
    for n, content in enumerate(
        (
            "{}",
            '{"floatx": "float16"}',
            '{"floatx": "bfloat16"}',
            '["not", "a", "dictionary"]',
            '{"backend": "torch", "max_epochs": 1}',
            "\x00",
        )
    ):
        home = tmp_path / str(n)
        home.mkdir()
        (home / "keras.json").write_text(content)
        result = run_script("rnn_layer_imdb", *TINY, "--units", "4", KERAS_HOME=str(home))
        lines.add(parsed(result)["loss"])
        assert (home / "keras.json").read_text() == content
    assert len(lines) == 1


def test_without_a_home_folder(tmp_path):
    flags = ("--data", "~nosuchuser/imdb.npz")
    check_failure(run_script("gru_imdb", *flags, cwd=tmp_path, HOME=""), 1, "there is no such file")
    assert list(tmp_path.iterdir()) == []


def test_the_last_line_counts_what_keras_ran():
    limits = {"KERAS_MAX_EPOCHS": "1", "KERAS_MAX_STEPS_PER_EPOCH": "1"}
    result = run_script("gru_imdb", "--data", "toy", "--units", "4", "--epochs", "3", **limits)
    assert parsed(result)["done"].startswith("1 of 3 epochs in ")
    assert parsed(result)["n"] == "1000"  # one batch of the test set


def python(*arguments, **options):
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        **{"capture_output": True, "encoding": "utf-8", "timeout": 600, **options},
    )


def test_without_docstrings():
    result = python("-OO", ROOT / "gru_imdb.py", *TINY, "--units", "4")
    if "_reference_pattern.finditer(doc_module.__doc__)" in result.stderr:
        pytest.skip("this TensorFlow does not load without docstrings (2.16.2 does not)")
    assert parsed(result)["n"] == "256"


@pytest.mark.skipif(os.name != "posix", reason="a POSIX shell")
@pytest.mark.parametrize("closed", [">&-", "2>&-", "| head -n 1"])
def test_closed_streams_are_no_trouble(closed):
    script = f"{sys.executable} {ROOT / 'gru_imdb.py'} {' '.join(TINY)} --units 4 {closed}"
    result = subprocess.run(
        ["bash", "-o", "pipefail", "-c", script], capture_output=True, encoding="utf-8", timeout=600
    )
    assert result.stderr == ""
    if "head" in closed:
        assert result.stdout == "data toy: 256 training, 256 test reviews\n"
    else:
        assert result.returncode == 0
        assert bool(result.stdout) == (closed == "2>&-")


def test_what_tensorflow_says_at_the_start_is_shown_on_request():
    shown = run_script("gru_imdb", "--help", TF_CPP_MIN_LOG_LEVEL="0")
    hidden = run_script("gru_imdb", "--help")
    assert shown.stdout == hidden.stdout and hidden.stderr == ""
    assert shown.stderr  # something is: "oneDNN custom operations are on", if nothing else


@pytest.mark.parametrize(
    "fault, status, shown",
    [("ImportError('DLL load failed')", 1, "DLL load failed"), ("KeyboardInterrupt", 130, "")],
)
def test_an_error_while_tensorflow_loads_is_shown_and_ctrl_c_is_not(tmp_path, fault, status, shown):
    for module in ("common", "gru_imdb"):
        shutil.copy(ROOT / f"{module}.py", tmp_path)
    (tmp_path / "tensorflow.py").write_text(f"raise {fault}")
    result = python(tmp_path / "gru_imdb.py")
    assert result.returncode == status and shown in result.stderr
    assert bool(result.stderr) == bool(shown)


def test_a_fault_of_the_learners_own_keeps_its_traceback(monkeypatch):
    script = importlib.import_module("gru_imdb")
    monkeypatch.setattr(script.SentimentClassifier, "call", lambda *a, **k: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        script.main([*TINY, "--units", "4"])


# ----------------------------------------------------------------------- files and the reader


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """One run of the LSTM, of two epochs, that saves, plots and logs."""
    folder = tmp_path_factory.mktemp("saved")
    flags = "--epochs 2 --units 8 --save w.weights.h5 --plot c.png --log l.csv".split()
    return folder, run_script("lstm_imdb", *TINY, *flags, cwd=folder)


def test_save_plot_and_log_write_their_files_and_nothing_else(saved):
    folder, result = saved
    parsed(result)
    assert sorted(p.name for p in folder.iterdir()) == ["c.png", "l.csv", "w.weights.h5"]
    assert (folder / "c.png").read_bytes().startswith(b"\x89PNG")
    with open(folder / "l.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2"]  # as the console counts
    assert float(rows[1]["val_accuracy"]) == pytest.approx(
        float(parsed(result)["accuracy"]), abs=1e-4
    )


def test_load_gives_the_accuracy_that_was_saved(saved):
    folder, result = saved
    loaded = parsed(
        run_script("lstm_imdb", *TINY, "--units", "8", "--load", folder / "w.weights.h5")
    )
    assert loaded["done"] == "loaded from w.weights.h5"
    assert (loaded["right"], loaded["loss"]) == (parsed(result)["right"], parsed(result)["loss"])


def test_load_and_review_read_word_by_word_and_load_no_reviews(saved):
    folder, _ = saved
    result = run_script(
        "lstm_imdb", "--units", "8", "--load", folder / "w.weights.h5",
        "--review", "The plot, was GOOD not xyzzy", "--review", "word " * 100,
    )  # fmt: skip
    assert result.returncode == 0 and result.stderr == ""
    assert result.stdout.startswith("\nThe plot, was GOOD not xyzzy\n  the ")  # nothing before it
    rows = re.findall(r"^  (\S.*?) +(0\.\d{3}|1\.000) \|#* *\|$", result.stdout, re.M)
    words = [word for word, _ in rows]
    assert words[:6] == ["the", "plot", "was", "good", "not", "xyzzy (unknown)"]
    assert len(rows) == 6 + 100
    assert len({p for _, p in rows[6 + 80 :]}) == 1  # the last 80 of 81 and of 100 are the same
    verdicts = re.findall(r"^  (positive|negative): P\(positive\) = ([\d.]+)$", result.stdout, re.M)
    assert [p for _, p in verdicts] == [rows[5][1], rows[-1][1]]
    assert all((v == "positive") == (float(p) > 0.5) for v, p in verdicts)


def test_every_row_of_a_reading_is_what_the_model_says_of_that_text(saved, capsys):
    lstm = importlib.import_module("lstm_imdb")
    text = "the plot was not really dull it is set in a town"
    flags = ["--units", "8", "--load", str(saved[0] / "w.weights.h5"), "--review", text]
    lstm.main(flags)
    shown = [float(p) for p in re.findall(r" ([\d.]+) \|", capsys.readouterr().out)]
    model = lstm.SentimentClassifier(8)
    model.build((None, 80))
    model.load_weights(saved[0] / "w.weights.h5")
    index = common.toy_reviews()[2]
    for n, p in enumerate(shown, start=1):
        ids = [1] + [index[word] + 3 for word in text.split()[:n]]
        x = np.array([[0] * (80 - len(ids)) + ids], dtype=np.int32)
        assert model(x).numpy()[0, 0] == pytest.approx(p, abs=5.1e-4)  # three places are shown


def test_training_reads_its_reviews_before_the_last_line():
    result = run_script("gru_imdb", *TINY, "--units", "4", "--review", "the plot was dull")
    assert parsed(result)["n"] == "256"
    assert re.search(r"^  dull +0\.\d+ \|", result.stdout, re.M)


def refused(script, flags, capsys, words):
    with pytest.raises(SystemExit) as end:
        importlib.import_module(script).main([str(flag) for flag in flags])
    error = capsys.readouterr().err
    assert end.value.code == 1 and words in error and len(error.splitlines()) == 1, error


@pytest.mark.parametrize(
    "name, flags, words",
    [
        ("gru_imdb", ["--units", "8"], "not weights of gru_imdb with --units 8"),
        ("rnn_layer_imdb", ["--units", "8"], "not weights of rnn_layer_imdb"),
        ("lstm_imdb", ["--units", "9"], "not weights of lstm_imdb with --units 9"),
        ("lstm_imdb", ["--units", "8", "--data", "imdb"], "trained on toy"),
        ("lstm_imdb", ["--units", "8", "--data", "my.npz"], "trained on toy"),
    ],
)
def test_weights_of_something_else_are_refused(saved, name, flags, words, capsys):
    flags = [*flags, "--load", saved[0] / "w.weights.h5", "--review", "good"]
    refused(name, flags, capsys, words)


def test_weights_of_ones_own_data_ask_for_the_same_data(saved, tmp_path, capsys):
    path = tmp_path / "own.weights.h5"
    shutil.copy(saved[0] / "w.weights.h5", path)
    with h5py.File(path, "a") as file:
        file.attrs["data"] = "my.npz"
    (tmp_path / "imdb_word_index.json").write_text(json.dumps({"good": 1}))
    flags = ["--units", "8", "--load", path, "--review", "good"]
    refused("lstm_imdb", flags, capsys, "trained on my.npz")
    importlib.import_module("lstm_imdb").main(
        [str(flag) for flag in (*flags, "--data", tmp_path / "my.npz")]
    )
    assert "good  0." in capsys.readouterr().out


def test_weights_without_a_note_are_still_checked(tmp_path, capsys):
    gru = importlib.import_module("gru_imdb")
    model = gru.SentimentClassifier(8)
    model.build((None, common.WORDS))
    path = tmp_path / "plain.weights.h5"
    model.save_weights(path)
    flags = ["--data", "toy", "--units", "8", "--load", str(path), "--review", "good"]
    gru.main(flags)
    capsys.readouterr()
    refused("lstm_imdb", flags, capsys, "not weights of lstm_imdb")


def damage(path, kind):
    if kind == "garbage":
        path.write_bytes(b"\x89HDF\r\n\x1a\n garbage")
    elif kind == "cut":
        path.write_bytes(path.read_bytes()[:100_000])
    elif kind == "declares":  # 2 GB of which nothing is stored
        with h5py.File(path, "a") as file:
            del file["dense/vars/0"]
            file.create_dataset("dense/vars/0", (500_000_000, 1), "f4", chunks=(1000, 1))
    elif kind == "note":
        with h5py.File(path, "a") as file:
            file.attrs["data"] = "\x1b[31m\n" + "x" * 5_000
    elif kind == "empty":
        h5py.File(path, "w").close()


@pytest.mark.parametrize("kind", ["garbage", "cut", "declares", "note", "empty"])
def test_damaged_weights_are_one_whole_sentence(saved, tmp_path, kind, capsys):
    path = tmp_path / "w.weights.h5"
    shutil.copy(saved[0] / "w.weights.h5", path)
    damage(path, kind)
    words = "trained on [31m x" if kind == "note" else f"{path}: damaged, or not weights of"
    flags = ["--units", "8", "--load", path, "--review", "good"]
    refused("lstm_imdb", flags, capsys, words)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_no_numbers_are_said_and_read(saved, tmp_path, value, capsys):
    path = tmp_path / "nan.weights.h5"
    shutil.copy(saved[0] / "w.weights.h5", path)
    with h5py.File(path, "a") as file:
        file["dense/vars/0"][...] = value
    flags = ["--units", "8", "--load", str(path), "--review", "good"]
    importlib.import_module("lstm_imdb").main(flags)
    captured = capsys.readouterr()
    assert "nan or infinite" in captured.err and "good" in captured.out


def interrupted(monkeypatch, method, at):
    """Make a Ctrl-C fall into the call number `at` of a method of Record."""
    calls, original = itertools.count(1), getattr(common.Record, method)

    def call(self, *args, **kwargs):
        if next(calls) == at:
            raise KeyboardInterrupt
        return original(self, *args, **kwargs)

    monkeypatch.setattr(common.Record, method, call)


@pytest.mark.parametrize("method", ["save", "log", "plot"])
def test_an_interrupt_while_a_file_is_written(tmp_path, method, monkeypatch, capsys):
    """In the second epoch: the files of the first stay whole, and no other is left behind."""
    interrupted(monkeypatch, method, at=2)
    flags = f"--data toy --subset 256 --units 4 --epochs 3 --save {tmp_path}/w.weights.h5 "
    flags += f"--log {tmp_path}/l.csv --plot {tmp_path}/c.png"
    with pytest.raises(KeyboardInterrupt):
        importlib.import_module("gru_imdb").main(flags.split())
    line = LAST_LINE.fullmatch(last_line(capsys.readouterr().out))
    assert line["done"].startswith("2 of 3 epochs")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["c.png", "l.csv", "w.weights.h5"]
    rows = (tmp_path / "l.csv").read_text().splitlines()
    assert len(rows) == 1 + (1 if method in ("save", "log") else 2)
    with h5py.File(tmp_path / "w.weights.h5") as file:
        assert file.attrs["data"] == "toy"


def test_an_interrupt_in_the_first_epoch_leaves_the_old_files_as_they_were(
    tmp_path, monkeypatch, capsys
):
    interrupted(monkeypatch, "on_epoch_end", at=1)
    (tmp_path / "l.csv").write_text("of an earlier run")
    flags = (
        f"--data toy --subset 256 --units 4 --log {tmp_path}/l.csv --save {tmp_path}/w.weights.h5"
    )
    with pytest.raises(KeyboardInterrupt):
        importlib.import_module("gru_imdb").main(flags.split())
    assert "test accuracy" not in capsys.readouterr().out
    assert [p.name for p in tmp_path.iterdir()] == ["l.csv"]
    assert (tmp_path / "l.csv").read_text() == "of an earlier run"


@pytest.mark.skipif(os.name != "posix", reason="links and modes")
def test_a_link_keeps_pointing_and_a_mode_is_kept(tmp_path):
    (tmp_path / "real").mkdir()
    target = tmp_path / "real" / "weights of today"
    target.write_text("old")
    target.chmod(0o640)
    (tmp_path / "w.weights.h5").symlink_to(target)
    result = run_script("gru_imdb", *TINY, "--units", "4", "--save", tmp_path / "w.weights.h5")
    parsed(result)
    assert (tmp_path / "w.weights.h5").is_symlink() and target.stat().st_mode & 0o777 == 0o640
    assert [p.name for p in target.parent.iterdir()] == [target.name]
    with h5py.File(target) as file:
        assert file.attrs["data"] == "toy"


@pytest.mark.skipif(os.name != "posix", reason="limits the size of a file")
@pytest.mark.parametrize("flag, name", [("--save", "w.weights.h5"), ("--plot", "c.png")])
def test_a_full_disk_is_one_line_and_the_last_line_is_still_printed(tmp_path, flag, name):
    import resource

    (tmp_path / name).write_bytes(b"earlier")
    result = python(
        ROOT / "gru_imdb.py", *TINY, "--units", "4", flag, tmp_path / name,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000)),
    )  # fmt: skip
    # HDF5 1.14 cannot close such a file and adds its own lines, and a crash, when Python ends.
    assert result.returncode == 1 or flag == "--save" and result.returncode
    assert LAST_LINE.fullmatch(last_line(result.stdout))
    assert f"error: cannot write {tmp_path / name}: " in result.stderr
    assert [p.name for p in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_bytes() == b"earlier"


def test_a_run_that_diverges_says_so_and_saves_nothing(tmp_path, monkeypatch, capsys):
    script = importlib.import_module("gru_imdb")
    original = script.SentimentClassifier.build

    def build(self, shape):
        original(self, shape)
        self.dense.kernel.assign(self.dense.kernel * np.nan)

    monkeypatch.setattr(script.SentimentClassifier, "build", build)
    with pytest.raises(SystemExit) as end:
        script.main([*TINY, "--units", "4", "--save", str(tmp_path / "w.weights.h5")])
    captured = capsys.readouterr()
    assert end.value.code == 1 and list(tmp_path.iterdir()) == []
    line = LAST_LINE.fullmatch(last_line(captured.out))
    assert line["loss"] == "nan" and line["done"].startswith("1 epoch in")
    assert "training diverged" in captured.err and "--learning-rate" in captured.err


def test_a_name_that_the_font_lacks_is_no_trouble_in_a_plot(tmp_path, monkeypatch, capsys):
    path = write_npz(tmp_path / "影评.npz")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        flags = ["--data", path, "--epochs", "1", "--units", "4", "--plot", tmp_path / "c.png"]
        importlib.import_module("gru_imdb").main([str(flag) for flag in flags])
    assert (tmp_path / "c.png").exists() and "data 影评.npz" in capsys.readouterr().out


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT to one process")
def test_ctrl_c_says_what_was_reached_and_leaves_the_weights(tmp_path):
    # a suite that a shell runs in the background ignores SIGINT, and so would its children
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        [sys.executable, ROOT / "rnn_layer_imdb.py", "--data", "toy", "--subset", "500",
         "--epochs", "1000", "--units", "4", "--save", "w.weights.h5"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", cwd=tmp_path,
    )  # fmt: skip
    signal.signal(signal.SIGINT, before)
    while not (tmp_path / "w.weights.h5").exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 130 and errors == "error: interrupted\n"
    assert re.match(r"\d+ of 1000 epochs in ", LAST_LINE.fullmatch(last_line(output))["done"])
    assert [p.name for p in tmp_path.iterdir()] == ["w.weights.h5"]
    flags = ("--load", tmp_path / "w.weights.h5", "--units", "4", "--subset", "500")
    parsed(run_script("rnn_layer_imdb", "--data", "toy", *flags))


# -------------------------------------------------------------------------------------- slow


@pytest.mark.slow
def test_one_seed_gives_one_last_line_and_another_seed_another():
    def line(seed):
        result = run_script("lstm_imdb", "--data", "toy", "--subset", "1500", "--seed", seed)
        return re.sub(r"in [\d.]+ s", "", parsed(result).group())

    assert line(0) == line(0)
    assert line(0).split("loss")[1][:7] != line(1).split("loss")[1][:7]


@pytest.mark.slow
@pytest.mark.parametrize("name", SCRIPTS)
def test_each_script_learns_the_toy(name):
    assert float(parsed(run_script(name, "--data", "toy"))["accuracy"]) > 0.9


@pytest.mark.slow
def test_shuffled_labels_cannot_be_learned(monkeypatch, capsys):
    train, test = common.load_toy()
    shuffled = common.np.random.RandomState(0).permutation(train[1])
    monkeypatch.setattr(common, "load_toy", lambda: ((train[0], shuffled), test))
    importlib.import_module("rnn_layer_imdb").main(["--data", "toy"])
    accuracy = float(LAST_LINE.fullmatch(last_line(capsys.readouterr().out))["accuracy"])
    assert 0.42 < accuracy < 0.58  # 2000 reviews: 0.5 +- 0.011, and seven of these for the bias


@pytest.mark.slow
@needs_imdb
@pytest.mark.parametrize("name", SCRIPTS)
def test_each_script_passes_70_percent_on_imdb_in_one_epoch(name):
    line = parsed(run_script(name, "--data", IMDB_NPZ, "--epochs", "1"))
    assert line["n"] == "25000" and float(line["accuracy"]) > 0.70


@pytest.mark.slow
@needs_imdb
def test_a_quick_try_learns():
    flags = ("--data", IMDB_NPZ, "--subset", "3000", "--epochs", "2")
    assert float(parsed(run_script("lstm_imdb", *flags))["accuracy"]) > 0.65
