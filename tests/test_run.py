"""A run: what it trains, with what, and that its last line is true."""

import importlib
import inspect
import math
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import common
import gru_imdb
import keras
import numpy as np
import pytest
import reference
import tensorflow as tf
from conftest import (
    IMDB_NPZ,
    LAST_LINE,
    SCRIPTS,
    TINY,
    call,
    last_line,
    needs_imdb,
    parsed,
    run_script,
    untraced,
    write_npz,
)

CELLS = {
    "rnn_cell_imdb": reference.simple_rnn,
    "rnn_layer_imdb": reference.simple_rnn,
    "lstm_imdb": reference.lstm,
    "gru_imdb": reference.gru,
}
each_script = pytest.mark.parametrize("name", SCRIPTS)


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory):
    """tiny_run(name): one run of a script as a user starts it -> its output, its folder.

    Of 30 and 20 reviews; the environment asks for what must not break it. Two run at a time, for
    they take most of the time of a smoke run.
    """

    def run(name, folder):
        write_npz(folder / "my.npz")
        flags = "--data my.npz --epochs 2 --units 4 --learning-rate 0.01 --save w.weights.h5"
        asks = dict(KERAS_BACKEND="jax", TF_USE_LEGACY_KERAS="1")
        return run_script(name, *flags.split(), cwd=folder, **asks), folder

    pool = ThreadPoolExecutor(2)
    runs = {name: pool.submit(run, name, tmp_path_factory.mktemp("tiny run")) for name in SCRIPTS}
    yield lambda name: runs[name].result()
    pool.shutdown(cancel_futures=True)


@pytest.mark.smoke
@each_script
def test_a_run_as_a_user_starts_it(name, tiny_run):
    result, folder = tiny_run(name)
    line = parsed(result)
    assert line["script"] == name and line["n"] == "20" and line["data"] == "my.npz"
    assert line["done"].startswith("2 epochs in ") and line["seed"] == "0"
    assert result.stdout.startswith("data my.npz: 30 training, 20 test reviews\n")
    assert "1,000,000" in result.stdout and f"{int(line['parameters']):,}" in result.stdout
    assert "?" not in result.stdout and result.stderr == ""
    # into a file or a pipe: one line an epoch, no bar, no colours
    assert result.stdout.count("val_accuracy") == 2 and not set("\b\r\x1b") & set(result.stdout)
    assert sorted(path.name for path in folder.iterdir()) == ["my.npz", "w.weights.h5"]


@pytest.mark.smoke
@each_script
def test_the_last_line_is_what_numpy_makes_of_the_weights_and_the_test_set(name, tiny_run):
    result, folder = tiny_run(name)
    line = parsed(result)
    with np.load(folder / "my.npz", allow_pickle=True) as file:  # written by this test
        reviews, labels = file["x_test"], file["y_test"]
    rows = []
    for review in reviews:
        ids = [1, *(rank + 3 if rank + 3 < 10_000 else 2 for rank in review)][-80:]
        rows.append([0] * (80 - len(ids)) + ids)
    model = importlib.import_module(name).SentimentClassifier(4)
    model.build((None, 80))
    model.load_weights(folder / "w.weights.h5")
    weights = [w.astype(np.float64) for w in model.get_weights()]
    p = reference.classifier(CELLS[name], np.array(rows), *weights)[:, 0]
    right = int(np.sum((p > 0.5) == labels))
    loss = -np.mean(np.log(np.where(labels == 1, p, 1 - p)))
    assert np.ptp(p) > 0.01  # they differ, so that one review's number is no other's
    assert (int(line["right"]), int(line["n"])) == (right, 20)
    assert float(line["accuracy"]) == right / 20
    assert float(line["loss"]) == pytest.approx(loss, abs=6e-5)  # four places are shown
    assert int(line["parameters"]) == sum(w.size for w in weights)
    shown = re.findall(r"val_accuracy: ([\d.]+) - val_loss: ([\d.]+)", result.stdout)[-1]
    assert [float(x) for x in shown] == pytest.approx([right / 20, loss], abs=6e-5)


@pytest.mark.smoke
@each_script
def test_load_gives_the_score_that_was_saved(name, tiny_run):
    result, folder = tiny_run(name)
    flags = ("--data", folder / "my.npz", "--units", "4", "--load", folder / "w.weights.h5")
    loaded = parsed(call(name, *flags))
    assert loaded["done"] == "loaded from w.weights.h5"
    for key in "right", "n", "loss", "parameters", "data":
        assert loaded[key] == parsed(result)[key]


@needs_imdb
@each_script
def test_a_tiny_run_on_the_real_file(name, imdb, monkeypatch):
    """Its last ten words, and nothing is traced: an epoch of each as it is, is a slow test."""

    def read_npz(path):
        assert path == IMDB_NPZ
        return [(x[:, -10:], y) for x, y in imdb]

    monkeypatch.setattr(common, "read_npz", read_npz)
    flags = ("--subset", "256", "--epochs", "1", "--units", "8")
    with untraced():
        line = parsed(call(name, "--data", IMDB_NPZ, *flags))
    assert line["data"] == Path(IMDB_NPZ).name and line["n"] == "256"


# ------------------------------------------------------------------ what compile and fit are given


def asked(name, *flags):
    """Run main() up to fit() -> model, what compile() and what fit() were given, by name."""
    given = []

    def note(method):
        signature = inspect.signature(method)

        def instead(self, *args, **kwargs):
            arguments = dict(signature.bind(self, *args, **kwargs).arguments)
            given.append((arguments.pop("self"), arguments))

        return instead

    with pytest.MonkeyPatch.context() as patch:
        for method in "compile", "fit":
            patch.setattr(keras.Model, method, note(getattr(keras.Model, method)))
        importlib.import_module(name).main([str(flag) for flag in flags])
    (model, compiled), (other, fitted) = given
    assert model is other
    return model, compiled, fitted


def rate_at(adam, step):
    adam.iterations.assign(step)
    return float(adam.learning_rate)


def rows_of(dataset):
    """-> the batches' sizes, all rows, all labels."""
    batches = [(x.numpy(), y.numpy()) for x, y in dataset]
    x, y = (np.concatenate(parts) for parts in zip(*batches))
    return [len(y) for _, y in batches], x, y


@each_script
def test_compile_and_fit_are_given_what_the_flags_say(name, tmp_path):
    path = write_npz(tmp_path / "my.npz")
    flags = "--units 6 --learning-rate 0.02 --clipnorm 0.7 --batch-size 7 --epochs 3 --seed 5"
    model, compiled, fitted = asked(name, "--data", path, "--subset", "25", *flags.split())

    assert set(compiled) == {"optimizer", "loss", "metrics", "jit_compile"}
    adam = compiled["optimizer"]
    assert type(adam) is keras.optimizers.Adam
    own, plain = adam.get_config(), keras.optimizers.Adam(clipnorm=0.7).get_config()
    other = {"name": "adam", "learning_rate": None}  # the rate is looked at below
    assert {**own, **other} == {**plain, **other}
    assert rate_at(adam, 0) == pytest.approx(0.02)
    loss = keras.losses.get(compiled["loss"])
    value = np.mean(loss(np.array([[1.0], [0.0]]), np.array([[0.8], [0.3]])))
    assert value == pytest.approx(-(math.log(0.8) + math.log(0.7)) / 2, abs=1e-6)
    (metric,) = compiled["metrics"]
    metric.update_state([[1], [0], [0], [0]], [[0.51], [0.49], [0.31], [0.41]])
    assert metric.name == "accuracy" and float(metric.result()) == 1  # its threshold is a half
    assert compiled["jit_compile"] is False

    assert set(fitted) == {"x", "validation_data", "epochs", "callbacks", "verbose"}
    assert fitted["epochs"] == 3 and [type(c) for c in fitted["callbacks"]] == [common.Record]
    (x, y), (x_test, y_test) = common.read_npz(path)
    sizes, x_seen, y_seen = rows_of(fitted["x"])
    keras.utils.set_random_seed(5)
    order = [int(n) for n in tf.data.Dataset.range(25).shuffle(25, seed=5)]
    assert sizes == [7, 7, 7, 4]
    assert (x_seen == x[order]).all() and (y_seen == y[order]).all()
    sizes, x_seen, y_seen = rows_of(fitted["validation_data"])
    assert sizes == [20] and (x_seen == x_test).all() and (y_seen == y_test).all()

    keras.utils.set_random_seed(5)
    fresh = importlib.import_module(name).SentimentClassifier(6)
    fresh.build((None, common.MAX_REVIEW_LEN))
    for ours, its in zip(model.get_weights(), fresh.get_weights()):
        assert (ours == its).all()


@each_script
def test_without_flags_the_numbers_are_the_readmes(name, tmp_path):
    model, compiled, fitted = asked(name, "--data", write_npz(tmp_path / "my.npz"))
    assert model.layers[1].units == model.layers[2].units == 64 and fitted["epochs"] == 4
    assert compiled["optimizer"].clipnorm == 0.25
    assert rate_at(compiled["optimizer"], 0) == pytest.approx(0.001)
    args = common.parse_args(f"{name}.py", [])
    assert (args.data, args.batch_size, args.seed, args.device) == ("auto", 128, 0, "auto")
    assert (args.subset, args.load, args.save, args.log, args.review) == (*[None] * 4, [])


@each_script
def test_layers_are_a_loop_unless_asked_otherwise(name, tmp_path):
    path = write_npz(tmp_path / "my.npz")
    if name == "rnn_cell_imdb":
        assert common.parse_args("rnn_cell_imdb.py", [], unroll=True).unroll  # always
        return
    for flags, expected in ([], False), (["--unroll"], True):
        model, _, _ = asked(name, "--data", path, *flags)
        assert [layer.unroll for layer in model.layers[1:3]] == [expected, expected]


def test_graph_passes_are_left_out_of_unrolled_graphs_only(monkeypatch):
    """A loop without them is a tenth slower."""
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind=None: [])
    for flags, unrolled in ([], False), (["--unroll"], True), ([], False):
        common.parse_args("lstm_imdb.py", flags)
        options = tf.config.optimizer.get_experimental_options()
        assert options["disable_meta_optimizer"] is unrolled


def test_an_unrolled_run_with_other_flags(monkeypatch):
    monkeypatch.setattr(common, "MAX_REVIEW_LEN", 10)  # a graph of 80 steps takes its time
    flags = ("--unroll", "--units", "4", "--batch-size", "100", "--seed", "3", "--clipnorm", "0")
    line = parsed(
        call("rnn_layer_imdb", "--data", "toy", "--subset", "64", "--epochs", "1", *flags)
    )
    assert line["seed"] == "3" and line["data"] == "toy" and line["done"].startswith("1 epoch in")
    assert int(line["parameters"]) == 1_000_000 + (100 + 4 + 1) * 4 + (4 + 4 + 1) * 4 + 5


@each_script
def test_the_learning_rate_falls_to_zero_at_the_last_step(name, monkeypatch):
    monkeypatch.setattr(common, "IMDB_TRAIN", 250)
    flags = "--data toy --subset 250 --batch-size 100 --epochs 2 --units 4 --learning-rate 0.01"
    _, compiled, fitted = asked(name, *flags.split())
    assert len(fitted["x"]) * fitted["epochs"] == 2 * 3  # 100 + 100 + 50, twice
    rates = [rate_at(compiled["optimizer"], step) for step in (6, 3, 0)]
    assert rates == pytest.approx([0.0, 0.005, 0.01], abs=1e-8)  # float32


def test_the_learning_rate_never_falls_faster_than_in_two_epochs_of_imdb():
    _, compiled, _ = asked("lstm_imdb", *TINY)
    steps = 2 * 25_000 / 128
    # 390 for 390.6
    assert rate_at(compiled["optimizer"], 2) == pytest.approx(0.001 * (1 - 2 / steps), rel=1e-4)


def test_a_falling_rate_is_a_schedule_of_keras():
    args = common.parse_args("lstm_imdb.py", ["--epochs", "8", "--learning-rate", "0.5"])
    rate = common.linear_decay(args, range(100))  # 100 batches
    assert isinstance(rate, keras.optimizers.schedules.PolynomialDecay)
    assert [float(rate(step)) for step in (0, 200, 800, 900)] == pytest.approx([0.5, 0.375, 0, 0])


def test_a_subset_larger_than_the_data_takes_all(tmp_path):
    path = write_npz(tmp_path / "my.npz")
    result = call("averaged", "--data", path, "--subset", "25", "--epochs", "1", "--units", "4")
    assert "data my.npz: 25 training, 20 test reviews" in result.stdout
    assert parsed(result)["n"] == "20" and parsed(result)["data"] == "my.npz"


def test_the_last_line_counts_what_keras_ran(monkeypatch):
    """Keras has limits of its own (KERAS_MAX_EPOCHS), and a learner may shorten fit()."""
    fit = keras.Model.fit

    def shorter(self, *args, **kwargs):
        return fit(self, *args, **{**kwargs, "epochs": 1, "validation_steps": 1})

    monkeypatch.setattr(keras.Model, "fit", shorter)
    flags = ("--data", "toy", "--units", "4", "--epochs", "3", "--subset", "1500")
    line = parsed(call("averaged", *flags, "--batch-size", "1500"))
    assert line["done"].startswith("1 of 3 epochs in ")
    assert line["n"] == "1000"  # one batch of the test set


def test_layer_names_begin_anew_in_a_second_run(capsys):
    """In one kernel: with clear_session a run leaves nothing behind that the next would count."""
    names = []
    for _ in "12":
        asked("gru_imdb", *TINY)
        names.append(re.findall(r"\b(?:lstm|gru)(?:_\d+)?\b", capsys.readouterr().out))
    assert names[0] == names[1] and {"gru", "gru_1"} <= set(names[0])
    assert "gru_2" not in names[1]


def test_a_seed_is_set_anew_in_a_second_run(tmp_path):
    flags = ("--data", write_npz(tmp_path / "my.npz"), "--epochs", "1", "--units", "4")
    losses = [parsed(call("averaged", *flags, "--seed", seed))["loss"] for seed in (3, 3, 4)]
    assert losses[0] == losses[1] != losses[2]


def test_training_reads_its_reviews_before_the_last_line():
    result = call("averaged", *TINY, "--review", "the plot was dull")
    assert parsed(result)["n"] == "64"
    assert re.search(r"^  dull +0\.\d+ \|", result.stdout, re.M)


def test_a_fault_of_the_learners_own_keeps_its_traceback(monkeypatch):
    script = importlib.import_module("gru_imdb")
    monkeypatch.setattr(script.SentimentClassifier, "call", lambda *a, **k: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        script.main([*TINY])


def test_nothing_is_compiled_by_xla_when_weights_are_scored(monkeypatch, tiny_run):
    """On a GPU Keras would take it for SimpleRNN, and it takes minutes or fails."""
    _, folder = tiny_run("rnn_layer_imdb")
    given, compile = [], keras.Model.compile

    def note(self, *args, **kwargs):
        given.append(kwargs["jit_compile"])
        return compile(self, *args, **kwargs)

    monkeypatch.setattr(keras.Model, "compile", note)
    flags = ("--data", folder / "my.npz", "--units", "4", "--load", folder / "w.weights.h5")
    parsed(call("rnn_layer_imdb", *flags))
    assert given == [False]


def test_call_is_traced_once_to_train_and_once_to_score(monkeypatch):
    """For the loop by hand a third time would cost seconds. (The coming Keras adds one for a last,
    smaller batch; here there is none.)"""
    calls, call_of = [], gru_imdb.SentimentClassifier.call

    def counted(self, inputs, training=False):
        calls.append(training)
        return call_of(self, inputs, training)

    monkeypatch.setattr(common, "MAX_REVIEW_LEN", 10)
    monkeypatch.setattr(gru_imdb.SentimentClassifier, "call", counted)
    flags = ("--subset", "256", "--epochs", "2", "--units", "4")
    assert parsed(call("gru_imdb", "--data", "toy", *flags))["n"] == "256"
    assert calls == [True, False]


# -------------------------------------------------------------------------------------- slow


@pytest.mark.slow
def test_one_seed_gives_one_last_line_and_another_seed_another():
    def line(seed):
        result = run_script("lstm_imdb", "--data", "toy", "--subset", "1500", "--seed", seed)
        return re.sub(r"in [\d.]+ s", "", parsed(result).group())

    first = line(0)
    assert first == line(0)
    assert first.split("loss")[1][:7] != line(1).split("loss")[1][:7]


@pytest.mark.slow
@each_script
def test_each_script_learns_the_toy(name):
    assert float(parsed(run_script(name, "--data", "toy"))["accuracy"]) > 0.9


@pytest.mark.slow
def test_shuffled_labels_cannot_be_learned(monkeypatch, capsys):
    train, test = common.load_toy()
    shuffled = np.random.RandomState(0).permutation(train[1])
    monkeypatch.setattr(common, "load_toy", lambda: ((train[0], shuffled), test))
    importlib.import_module("rnn_layer_imdb").main(["--data", "toy"])
    accuracy = float(LAST_LINE.fullmatch(last_line(capsys.readouterr().out))["accuracy"])
    assert 0.42 < accuracy < 0.58  # 2000 reviews: 0.5 +- 0.011, and seven of these for the bias


@pytest.mark.slow
@needs_imdb
@each_script
def test_each_script_passes_70_percent_on_imdb_in_one_epoch(name):
    line = parsed(run_script(name, "--data", IMDB_NPZ, "--epochs", "1"))
    assert line["n"] == "25000" and float(line["accuracy"]) > 0.70


@pytest.mark.slow
@needs_imdb
def test_a_quick_try_learns():
    flags = ("--data", IMDB_NPZ, "--subset", "3000", "--epochs", "2")
    assert float(parsed(run_script("lstm_imdb", *flags))["accuracy"]) > 0.65
