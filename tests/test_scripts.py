"""The scripts as a user runs them: flags, last line, errors, files, Ctrl-C."""

import csv
import importlib
import io
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import common
import pytest
from conftest import IMDB_NPZ, ROOT, SCRIPTS, last_line, needs_imdb, run_script, write_npz

LAST_LINE = re.compile(
    r"(?P<script>\w+): test accuracy (?P<accuracy>[01]\.\d{4}) \((?P<right>\d+)/(?P<n>\d+)\), "
    r"loss (?P<loss>\d+\.\d{4}), (?P<done>\d+ epochs? in [\d.]+ s|loaded from \S+), "
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
    assert "val_accuracy" in result.stdout and "Traceback" not in result.stderr
    assert "UserWarning" not in result.stderr


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


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_learning_rate_falls_to_zero_at_the_last_step(name, monkeypatch):
    script, ends = importlib.import_module(name), []
    monkeypatch.setattr(common, "report", lambda args, model, *scores: ends.append(model.optimizer))
    flags = "--data toy --subset 250 --batch-size 100 --epochs 2 --units 4 --learning-rate 0.01"
    script.main(flags.split())
    rates = [float(ends[0].learning_rate)]
    assert ends[0].iterations == 2 * 3  # 100 + 100 + 50, twice
    for step in 3, 0:
        ends[0].iterations.assign(step)
        rates.append(float(ends[0].learning_rate))
    assert rates == pytest.approx([0.0, 0.005, 0.01], abs=1e-8)  # float32


def test_a_subset_larger_than_the_data_takes_all_and_says_so(tmp_path):
    path = write_npz(tmp_path / "my.npz")
    result = run_script("gru_imdb", "--data", path, "--subset", "25", "--epochs", "1")
    assert "more than there are" in result.stdout
    assert parsed(result)["n"] == "20" and parsed(result)["data"] == "my.npz"


# --------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    "flags",
    [
        ["--epochs", "0"],
        ["--epochs", "two"],
        ["--epochs", "1.5"],
        ["--batch-size", "-1"],
        ["--units", "0"],
        ["--subset", "0"],
        ["--learning-rate", "0"],
        ["--learning-rate", "nan"],
        ["--learning-rate", "inf"],
        ["--clipnorm", "-1"],
        ["--seed", "-1"],
        ["--seed", str(2**32)],
        ["--device", "tpu"],
        ["--unknown"],
        ["stray"],
        ["--save", "weights.h5"],
        ["--plot", "curves.pdf"],
        ["--log", "log.txt"],
        ["--load", "a.weights.h5", "--save", "b.weights.h5"],
        ["--review", ""],
        ["--review", "?!"],
    ],
    ids=" ".join,
)
def test_a_wrong_command_line_is_one_line_and_status_2(flags, capsys):
    with pytest.raises(SystemExit) as end:
        importlib.import_module("rnn_layer_imdb").main(["--data", "toy", *flags])
    captured = capsys.readouterr()
    assert end.value.code == 2
    assert len(captured.err.splitlines()) == 1 and ": error: " in captured.err
    assert captured.out == ""


def test_no_review_on_standard_input_is_said(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.StringIO(" \n\n"))
    with pytest.raises(SystemExit) as end:
        importlib.import_module("gru_imdb").main(["--data", "toy", "--review", "-"])
    assert end.value.code == 2 and "nothing to read" in capsys.readouterr().err


def test_the_hand_loop_refuses_no_unroll(capsys):
    with pytest.raises(SystemExit) as end:
        importlib.import_module("rnn_cell_imdb").main(["--data", "toy", "--no-unroll"])
    assert end.value.code == 2 and "always unrolled" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["rnn_layer_imdb", "lstm_imdb", "gru_imdb"])
def test_layers_are_a_loop_unless_asked_otherwise(name, monkeypatch):
    class Built(Exception):
        pass

    def note(units, unroll):
        raise Built(unroll)

    script = importlib.import_module(name)
    monkeypatch.setattr(script, "SentimentClassifier", note)
    monkeypatch.setattr(script.common, "load_datasets", lambda args: (None, None))
    for flags, expected in ([], False), (["--unroll"], True), (["--no-unroll"], False):
        with pytest.raises(Built) as built:
            script.main(flags)
        assert built.value.args == (expected,)
        if not common.tf.config.list_physical_devices("GPU"):
            passes = common.tf.config.optimizer.get_experimental_options()
            assert passes["disable_meta_optimizer"] is expected


def check_failure(result, status, words):
    assert result.returncode == status, result.stderr
    assert ": error: " in last_line(result.stderr) and words in last_line(result.stderr)
    assert "Traceback" not in result.stderr and "test accuracy" not in result.stdout


def test_a_wrong_command_line_as_a_user_sees_it():
    check_failure(run_script("lstm_imdb", "--epochs", "many"), 2, "'many' is not a whole number")


@pytest.mark.skipif(
    bool(common.tf.config.list_physical_devices("GPU")), reason="there is a GPU here"
)
def test_gpu_without_a_gpu_is_an_error_that_helps():
    check_failure(run_script("lstm_imdb", *TINY, "--device", "gpu"), 1, "tensorflow[and-cuda]")


def test_a_bad_file_as_a_user_sees_it(tmp_path):
    check_failure(run_script("gru_imdb", "--data", tmp_path / "no.npz"), 1, "No such file")


def fails_on(path, capsys, words):
    with pytest.raises(SystemExit) as end:
        importlib.import_module("rnn_layer_imdb").main(["--data", str(path)])
    error = capsys.readouterr().err
    assert end.value.code == 1
    assert len(error.splitlines()) == 1 and words in error and path.name in error


def test_what_is_not_a_readable_npz_is_one_line(tmp_path, capsys):
    fails_on(tmp_path / "missing.npz", capsys, "No such file")
    fails_on(tmp_path, capsys, "")
    path = tmp_path / "bad.npz"
    for content in (b"", b"hello", write_npz(tmp_path / "good.npz").read_bytes()[:900]):
        path.write_bytes(content)
        fails_on(path, capsys, "not a file like imdb.npz")
        assert path.read_bytes() == content  # a user's file is never touched
    fails_on(write_npz(path, x_test=None), capsys, "x_test")
    if os.name == "posix" and os.geteuid() != 0:
        path.chmod(0)
        fails_on(path, capsys, "Permission denied")


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
        _, row = csv.DictReader(file)
    assert float(row["val_accuracy"]) == pytest.approx(float(parsed(result)["accuracy"]), abs=1e-4)


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
        "lstm_imdb", "--units", "8", "--load", folder / "w.weights.h5", "--review", "-",
        "--review", "word " * 100, input="The plot, was GOOD not xyzzy\n\n",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert "reviews" not in result.stdout and "Epoch" not in result.stdout
    rows = re.findall(r"^  (\S.*?) +(0\.\d{3}|1\.000) \|#* *\|$", result.stdout, re.M)
    words = [word for word, _ in rows]
    assert words[:6] == ["the", "plot", "was", "good", "not", "xyzzy (unknown)"]
    assert len(rows) == 6 + 79 and "only the last 79 of its 100 words" in result.stdout
    verdicts = re.findall(r"^  (positive|negative): P\(positive\) = ([\d.]+)$", result.stdout, re.M)
    assert [p for _, p in verdicts] == [rows[5][1], rows[-1][1]]
    assert all((v == "positive") == (float(p) > 0.5) for v, p in verdicts)


@pytest.mark.parametrize(
    "name, flags, words",
    [
        ("gru_imdb", ["--units", "8"], "weights of script lstm_imdb"),
        ("lstm_imdb", ["--units", "9"], "weights of units 8"),
        ("lstm_imdb", ["--units", "8", "--data", "imdb"], "trained on toy"),
    ],
)
def test_weights_of_something_else_are_refused(saved, name, flags, words, capsys):
    flags = [*flags, "--load", str(saved[0] / "w.weights.h5"), "--review", "good"]
    with pytest.raises(SystemExit) as end:
        importlib.import_module(name).main(flags)
    assert end.value.code == 1 and words in last_line(capsys.readouterr().err)


def test_weights_without_a_note_are_still_checked(tmp_path, capsys):
    gru, lstm = (importlib.import_module(name) for name in ("gru_imdb", "lstm_imdb"))
    model = gru.SentimentClassifier(8)
    model.build((None, common.WORDS))
    path = tmp_path / "plain.weights.h5"
    model.save_weights(path)
    flags = ["--data", "toy", "--units", "8", "--load", str(path), "--review", "good"]
    gru.main(flags)
    capsys.readouterr()
    with pytest.raises(SystemExit) as end:
        lstm.main(flags)
    error = capsys.readouterr().err
    assert end.value.code == 1 and "not weights of lstm_imdb" in error
    assert len(error.splitlines()) == 1


def test_files_that_cannot_be_used_are_said_before_anything_is_done(tmp_path, capsys, monkeypatch):
    main = importlib.import_module("lstm_imdb").main
    (tmp_path / "l.csv").write_text("mine")
    (tmp_path / "broken.weights.h5").write_bytes(b"\x89HDF\r\n\x1a\n garbage")
    for flags, words in (
        (["--log", tmp_path / "l.csv"], "--overwrite"),
        (["--save", tmp_path / "no" / "w.weights.h5"], "cannot write there"),
        (["--load", tmp_path / "none.weights.h5"], "No such file"),
        (["--load", tmp_path / "broken.weights.h5"], "not a weights file"),
    ):
        with pytest.raises(SystemExit) as end:
            main(["--data", "toy", *map(str, flags)])
        captured = capsys.readouterr()
        assert end.value.code == 1 and words in last_line(captured.err) and captured.out == ""
    assert (tmp_path / "l.csv").read_text() == "mine"
    monkeypatch.setattr(common.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit) as end:
        main(["--data", "toy", "--plot", str(tmp_path / "c.png")])
    assert end.value.code == 1 and "pip install matplotlib" in capsys.readouterr().err


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
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130 and "Traceback" not in errors
    assert re.search(r"interrupted after \d+ of 1000 epochs, test accuracy", last_line(errors))
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
def test_each_script_passes_75_percent_on_imdb_in_one_epoch(name):
    line = parsed(run_script(name, "--data", IMDB_NPZ, "--epochs", "1"))
    assert line["n"] == "25000" and float(line["accuracy"]) > 0.75
