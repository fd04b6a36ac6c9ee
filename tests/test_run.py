"""A run: what it trains, with what, and that its last line is true."""

import contextlib
import importlib
import inspect
import io
import itertools
import math
import re
import sys
import time
import types
import weakref
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import averaged
import baseline
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
    ROOT,
    SCRIPTS,
    TINY,
    call,
    check_failure,
    last_line,
    needs_imdb,
    parsed,
    run_script,
    untraced,
    write_npz,
)

each_script = pytest.mark.parametrize("name", SCRIPTS)
KERAS_JSON = {  # of a learner
    "rnn_cell_imdb": "\x00",
    "rnn_layer_imdb": '["not", "a", "dictionary"]',
    "lstm_imdb": '{"floatx": "bfloat16", "backend": "torch", "epsilon": 0.1}',
    "gru_imdb": '{"max_epochs": 1, "max_steps_per_epoch": 1}',
}


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory):
    """tiny_run(name): one run of a script as a user starts it -> its output, its folder.

    Of 30 and 20 reviews; the environment and keras.json ask for what must not be. Two at a time,
    for they take most of the time of a smoke run.
    """

    def run(name, folder):
        write_npz(folder / "My.npz")
        (folder / "keras").mkdir()
        (folder / "keras" / "keras.json").write_text(KERAS_JSON[name])
        flags = (
            "--data My.npz --epochs 2 --units 4 --learning-rate .01 --seed 7 --save w.weights.h5"
        )
        asks = dict(KERAS_BACKEND="jax", TF_USE_LEGACY_KERAS="1", KERAS_HOME=str(folder / "keras"))
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
    score = f"{int(line['right']) / 20:.4f} ({line['right']}/20), loss {float(line['loss']):.4f}"
    assert last_line(result.stdout).startswith(f"{name}: test accuracy {score}, 2 epochs in ")
    assert line["seed"] == "7" and line["data"] == "My.npz"
    assert (line["tensorflow"], line["keras"]) == (tf.__version__, keras.__version__)
    assert result.stdout.startswith("data My.npz: 30 training, 20 test reviews\n")
    assert "1,000,000" in result.stdout and f"{int(line['parameters']):,}" in result.stdout
    first = "(None, 4)" if name == "rnn_cell_imdb" else "(None, 80, 4)"
    shapes = ["(None, 80, 100)", first, "(None, 4)", "(None, 1)"]
    assert re.findall(r"\([^()]*\d\)", result.stdout.split("Epoch")[0]) == shapes
    assert result.stderr == ""  # into a file or a pipe: one line an epoch, no bar, no colours
    assert result.stdout.count("val_accuracy") == 2 and not set("\b\r\x1b") & set(result.stdout)
    assert sorted(path.name for path in folder.iterdir()) == ["My.npz", "keras", "w.weights.h5"]
    assert [path.read_text() for path in (folder / "keras").iterdir()] == [KERAS_JSON[name]]


@pytest.mark.smoke
@each_script
def test_the_last_line_is_what_numpy_makes_of_the_weights_and_the_test_set(name, tiny_run):
    result, folder = tiny_run(name)
    line = parsed(result)
    with np.load(folder / "My.npz", allow_pickle=True) as file:  # written by this test
        reviews, labels = file["x_test"], file["y_test"]
    rows = []
    for review in reviews:
        ids = [1, *(rank + 3 if rank + 3 < 10_000 else 2 for rank in review)][-80:]
        rows.append([0] * (80 - len(ids)) + ids)
    model = importlib.import_module(name).SentimentClassifier(4)
    model.build((None, 80))
    model.load_weights(folder / "w.weights.h5")
    weights = [w.astype(np.float64) for w in model.get_weights()]
    p = reference.classifier(reference.CELLS[name], np.array(rows), *weights)[:, 0]
    right = int(np.sum((p > 0.5) == labels))
    loss = -np.mean(np.log(np.where(labels == 1, p, 1 - p)))
    assert np.ptp(p) > 0.01  # they differ, so that one review's number is no other's
    assert (int(line["right"]), int(line["n"])) == (right, 20)
    assert float(line["loss"]) == pytest.approx(loss, abs=6e-5)  # four places are shown
    assert int(line["parameters"]) == sum(w.size for w in weights)
    shown = re.findall(r"val_accuracy: ([\d.]+) - val_loss: ([\d.]+)", result.stdout)[-1]
    assert [float(x) for x in shown] == pytest.approx([right / 20, loss], abs=6e-5)


@pytest.mark.smoke
@each_script
def test_load_gives_the_score_that_was_saved(name, tiny_run):
    result, folder = tiny_run(name)
    flags = ("--data", folder / "My.npz", "--units", "4", "--load", folder / "w.weights.h5")
    with untraced(length=80), keras_calls("compile", "evaluate") as calls:
        loaded = parsed(call(name, *flags))
    assert loaded["done"] == "loaded from w.weights.h5"
    for key in "right", "n", "loss", "parameters", "data":
        assert loaded[key] == parsed(result)[key]
    (_, _, compiled), (_, _, evaluated) = calls
    # on a GPU Keras would compile a SimpleRNN, and it takes minutes or fails
    assert compiled["jit_compile"] is False and evaluated["verbose"] == 0


# -------------------------------------------------------------------- what Keras is called with


@contextlib.contextmanager
def keras_calls(*methods, stop=False):
    """Note every call of methods of keras.Model as (method, model, {argument: value}).

    stop: and do nothing else.
    """
    calls = []

    def noting(method, original):
        signature = inspect.signature(original)

        def instead(self, *args, **kwargs):
            arguments = dict(signature.bind(self, *args, **kwargs).arguments)
            calls.append((method, arguments.pop("self"), arguments))
            return None if stop else original(self, *args, **kwargs)

        return instead

    with pytest.MonkeyPatch.context() as patch:
        for method in methods:
            patch.setattr(keras.Model, method, noting(method, getattr(keras.Model, method)))
        yield calls


def compile_and_fit(name, *flags):
    """Run main() up to fit() -> the model, the arguments of compile() and those of fit()."""
    with keras_calls("compile", "fit", stop=True) as calls, pytest.raises(SystemExit, match="1"):
        importlib.import_module(name).main([str(flag) for flag in flags])
    (_, model, compiled), (_, other, fitted) = calls
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


@pytest.fixture(scope="module", params=[*SCRIPTS, "baseline"])
def program(request, tmp_path_factory):
    """A program's run of two epochs of IMDB or more up to fit(), in which IMDB has ten reviews."""
    path = write_npz(tmp_path_factory.mktemp("program") / "My.npz")
    flags = "--subset 25 --batch-size 7 --epochs 3 --units 6 --learning-rate 0.02"
    out = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out):
        patch.setattr(common, "BAR", "this one")
        patch.setattr(common, "IMDB_TRAIN", 10)
        flags += f" --clipnorm 0.7 --seed 5 --data {path}"
        model, compiled, fitted = compile_and_fit(request.param, *flags.split())
    return SimpleNamespace(
        name=request.param, path=path, out=out.getvalue(),
        model=model, compiled=compiled, fitted=fitted,
    )  # fmt: skip


def test_compile_has_what_the_flags_say(program):
    compiled = program.compiled
    assert set(compiled) == {"optimizer", "loss", "metrics", "jit_compile"}
    assert type(compiled["optimizer"]) is keras.optimizers.Adam
    config, plain = (
        {**adam.get_config(), "name": "adam", "learning_rate": None}  # the rate is looked at below
        for adam in (compiled["optimizer"], keras.optimizers.Adam(clipnorm=0.7))
    )
    assert config == plain
    loss = keras.losses.get(compiled["loss"])
    value = np.mean(loss(np.array([[1.0], [0.0]]), np.array([[0.8], [0.3]])))
    assert value == pytest.approx(-(math.log(0.8) + math.log(0.7)) / 2, abs=1e-6)
    (metric,) = compiled["metrics"]
    metric.update_state([[1], [0], [0], [0]], [[0.51], [0.49], [0.31], [0.41]])
    assert metric.name == "accuracy" and float(metric.result()) == 1  # its threshold is a half
    assert compiled["jit_compile"] is False


def test_the_network_begins_as_the_seed_says(program):
    keras.utils.set_random_seed(5)
    if program.name == "baseline":
        fresh = baseline.average()
    else:
        fresh = importlib.import_module(program.name).SentimentClassifier(6)
        fresh.build((None, common.MAX_REVIEW_LEN))
    for weights, expected in zip(program.model.get_weights(), fresh.get_weights(), strict=True):
        np.testing.assert_array_equal(weights, expected)


def test_fit_has_the_training_reviews_the_test_reviews_and_what_the_flags_say(program):
    fitted = program.fitted
    assert set(fitted) == {"x", "validation_data", "epochs", "callbacks", "verbose"}
    assert fitted["epochs"] == 3 and fitted["verbose"] == "this one"
    (record,) = fitted["callbacks"]
    assert type(record) is common.Record and record.test is fitted["validation_data"]
    (x, y), (x_test, y_test) = common.read_npz(program.path)
    sizes, rows, labels = rows_of(fitted["x"])
    keras.utils.set_random_seed(5)
    order = [int(n) for n in tf.data.Dataset.range(25).shuffle(25, seed=5)]
    assert sizes == [7, 7, 7, 4]
    assert (rows == x[order]).all() and (labels == y[order]).all()
    sizes, rows, labels = rows_of(fitted["validation_data"])
    assert sizes == [20] and (rows == x_test).all() and (labels == y_test).all()
    assert "data My.npz: 25 training, 20 test reviews\n" in program.out  # there are no 25


def test_the_learning_rate_falls_to_zero_at_the_last_step(program):
    rates = [rate_at(program.compiled["optimizer"], step) for step in (3 * 4, 6, 0)]
    assert rates == pytest.approx([0.0, 0.01, 0.02], abs=1e-8)  # float32


def test_the_learning_rate_never_falls_faster_than_in_two_epochs_of_imdb():
    _, compiled, _ = compile_and_fit("lstm_imdb", *TINY, "--batch-size", "50")
    half = 25_000 / 50
    assert rate_at(compiled["optimizer"], half) == pytest.approx(0.0005, rel=1e-4)


@each_script
def test_the_graph_is_a_loop_unless_it_is_asked_for_otherwise(name, tmp_path, monkeypatch):
    """And only an unrolled graph is left as it is: a loop that is not improved is slower."""
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind=None: [])
    path, names = write_npz(tmp_path / "My.npz"), set()
    for flags in [], ["--unroll"], []:
        model, _, _ = compile_and_fit(name, "--data", path, *flags)
        unrolled = name == "rnn_cell_imdb" or flags == ["--unroll"]
        options = tf.config.optimizer.get_experimental_options()
        assert options["disable_meta_optimizer"] is unrolled
        if name != "rnn_cell_imdb":  # which has no layer to say it to
            assert [layer.unroll for layer in model.layers[1:3]] == [unrolled, unrolled]
        names.add(tuple(layer.name for layer in model.layers))
    assert len(names) == 1  # in one kernel a run leaves nothing behind that the next would count
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind=None: ["a GPU"])
    compile_and_fit(name, "--data", path, "--unroll")  # there it is worth its time
    assert not tf.config.optimizer.get_experimental_options()["disable_meta_optimizer"]


# ------------------------------------------------------------------------------- what a run says


def test_training_reads_its_reviews_before_the_last_line():
    result = call("averaged", *TINY, "--review", "the plot was dull", "--review", "good")
    assert parsed(result)["n"] == "64"
    assert re.search(r"^  dull +0\.\d+ \|.*^  good +0\.\d+ \|", result.stdout, re.M | re.S)


def test_a_fault_of_the_learners_own_keeps_its_traceback(monkeypatch):
    monkeypatch.setattr(gru_imdb.SentimentClassifier, "call", lambda *a, **k: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        call("gru_imdb", *TINY)


def test_the_count_is_the_nearest_whole_number(monkeypatch):
    """The accuracy is a float32: of 64 reviews it may give 31.999998."""
    score = {"accuracy": float(np.nextafter(np.float32(0.5), np.float32(0))), "loss": 0.7}
    monkeypatch.setattr(keras.Model, "evaluate", lambda *args, **kwargs: score)
    assert parsed(call("averaged", *TINY))["right"] == "32"


def test_the_next_run_in_a_process_frees_what_the_last_one_has_left(capsys):
    """38 MB else, for each seed of a loop."""
    model = weakref.ref(averaged.main([*TINY]))
    assert common.parse_args("averaged.py", []) and model() is None


# ------------------------------------------------------------------- what learners change

RECORD = "with common.Record(args, test, data) as record:"
FIT = "train, validation_data=test, epochs=args.epochs, callbacks=[record], verbose=common.BAR"
FEWER = FIT.replace("args.epochs", "1, validation_steps=1")
WITHOUT = FIT.replace(" validation_data=test,", "")
SOFTMAX = (
    ('BinaryAccuracy("accuracy")', 'SparseCategoricalAccuracy("accuracy")'),
    ('"binary_crossentropy"', '"sparse_categorical_crossentropy"'),
)


def classes(n):
    return (('Dense(1, activation="sigmoid")', f'Dense({n}, activation="softmax")'), *SOFTMAX)


def after_fit(line):
    """The edit that leaves out validation_data, and puts a line after fit(), inside the `with`."""
    return (f"{FIT}\n        )\n", f"{WITHOUT}\n        )\n        {line}\n")


@pytest.fixture
def edited(monkeypatch):
    """edited(edits, flags): a run of gru_imdb.py with text replaced, of reviews of a few words."""

    def run(edits, *flags):
        text = inspect.getsource(gru_imdb)
        for old, new in edits:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        module = types.ModuleType("gru_imdb")
        module.__file__ = gru_imdb.__file__
        exec(text, vars(module))
        monkeypatch.setitem(sys.modules, "edited", module)
        with untraced():
            return call("edited", *TINY, *flags)

    return run


@pytest.mark.parametrize("n", [2, 3])
def test_an_output_that_is_not_one_probability_is_scored_but_not_read(n, edited, tmp_path):
    """Column 0 would be P(negative)."""
    path = tmp_path / "w.weights.h5"
    result = edited(classes(n), "--review", "good", "--save", path)
    assert LAST_LINE.fullmatch(last_line(result.stdout))["n"] == "64"
    assert "P(positive)" not in result.stdout
    say = "error: --review and --load read one P(positive), 0 to 1, not ({}, {}) from 0."
    assert result.returncode == 1 and result.stderr.startswith(say.format(1, n))
    number = re.search(r"see exercise (\d+)$", result.stderr)[1]
    assert f"\n## {number}. Two classes" in (ROOT / "docs/exercises.md").read_text("utf-8")
    for more, rows in ([], 64), (["--review", "good"], 1):
        with untraced():
            loaded = call("edited", *TINY, "--load", path, *more)
        assert loaded.returncode == 1 and loaded.stderr.startswith(say.format(rows, n))
        assert loaded.stderr.count("\n") == 1 and "accuracy" not in loaded.stdout


@pytest.mark.parametrize("callbacks", ["stop, record", "record, stop"])
def test_early_stopping_stops_in_front_of_the_record_and_behind_it(callbacks, edited):
    stop = "stop = keras.callbacks.EarlyStopping('val_loss', patience=1, baseline=0.0)"
    edits = (RECORD, f"{stop}\n    {RECORD}"), ("callbacks=[record]", f"callbacks=[{callbacks}]")
    line = parsed(edited(edits, "--epochs", "4"))
    assert line["done"].startswith("2 of 4 epochs in ")


STOP = "keras.callbacks.EarlyStopping('loss', mode='max', patience=9, restore_best_weights=True)"
WEIGHED = "train, test = (data.map(lambda x, y: (x, y, 1.0)) for data in (train, test))"
ONE = FIT.replace("args.epochs", "1").replace("            ", "")
AS_IT_ENDS = {  # what a learner changes: the text, and what stands in its place
    "no validation": (FIT, WITHOUT),
    "other reviews": ("validation_data=test", "validation_data=train"),
    "seldom": ("validation_data=test", "validation_data=test, validation_freq=2"),
    "as in the post": after_fit("model.evaluate(test)"),
    "other reviews at last": after_fit("model.evaluate(train)"),
    "the best weights": ("callbacks=[record]", f"callbacks=[record, {STOP}]"),
    "the best first": ("callbacks=[record]", f"callbacks=[{STOP}, record]"),
    "a mean of weights": ("clipnorm=", "use_ema=True, clipnorm="),
    "other weights": after_fit("model.dense.kernel.assign_add([[9.0]] * 4)"),
    "weights of reviews": ("model.summary()", WEIGHED),
    "fewer epochs": (FIT, FEWER),  # as Keras makes it, asked by KERAS_MAX_EPOCHS
    "twice": after_fit(f"model.fit({ONE})"),
}


@pytest.mark.parametrize("change", AS_IT_ENDS)
def test_the_last_line_is_of_the_test_set_and_of_the_weights_as_they_end(
    change, edited, tmp_path, monkeypatch
):
    path, log = tmp_path / "w.weights.h5", tmp_path / "l.csv"
    n = {"fewer epochs": 1, "twice": 3}.get(change, 2)
    clock = SimpleNamespace(perf_counter=itertools.count(100, 5).__next__, time=time.time)
    monkeypatch.setattr(common, "time", clock)  # five seconds an epoch
    monkeypatch.setattr(common, "TEST_BATCH", 40)  # the score is of two batches
    line = parsed(edited([AS_IT_ENDS[change]], "--epochs", "2", "--save", path, "--log", log))
    monkeypatch.setattr(common, "TEST_BATCH", 64)  # and then of one
    with untraced():
        loaded = parsed(call("gru_imdb", *TINY, "--load", path))
    for key in "right", "n", "loss":
        assert line[key] == loaded[key], key
    assert line["n"] == "64" and line["done"] == f"{n} epoch{'s' * (n > 1)} in {5 * n}.0 s"
    rows = log.read_text().splitlines()[1:]
    assert [row.split(",")[0] for row in rows] == list("123")[:n]


def test_after_ctrl_c_the_line_is_of_the_last_whole_epoch(edited, tmp_path):
    path = tmp_path / "w.weights.h5"
    interrupt = "(_ for _ in ()).throw(KeyboardInterrupt) if record.epochs and n else None"
    stop = f"keras.callbacks.LambdaCallback(on_train_batch_end=lambda n, logs: {interrupt})"
    edits = [("callbacks=[record]", f"callbacks=[record, {stop}]"), (" validation_data=test,", "")]
    result = edited(edits, "--epochs", "3", "--batch-size", "20", "--save", path)
    assert result.returncode == 130
    line = LAST_LINE.search(result.stdout)
    with untraced():
        loaded = parsed(call("gru_imdb", *TINY, "--load", path))
    assert line["done"].startswith("1 of 3 epochs in ")
    assert [line[key] for key in ("right", "loss")] == [loaded[key] for key in ("right", "loss")]


METRIC = 'keras.metrics.BinaryAccuracy("accuracy")'
NO_WITH = "record = common.Record(args, test, data)\n    if True:"
MISTAKES = {  # text, what a learner puts in its place, and what is said
    "callbacks=[record]": ("callbacks=[]", "no epoch of fit(..., callbacks=[record])"),
    RECORD: (NO_WITH, "fit() is not in a `with common.Record(...) as record:`"),
    METRIC: ('"acc"', 'the record of a run reads "loss" and "accuracy", not acc, loss'),
}


@pytest.mark.parametrize("text", MISTAKES)
def test_what_leaves_the_record_without_a_score_is_one_line(text, edited, tmp_path):
    other, words = MISTAKES[text]
    result = edited([(text, other)], "--save", tmp_path / "w.weights.h5")
    check_failure(result, f"error: {words}")
    assert not [*tmp_path.iterdir()]


def test_more_epochs_than_the_flag_says_are_warned_of(edited, monkeypatch):
    monkeypatch.setattr(common, "IMDB_TRAIN", 64)  # the rate falls over so many reviews, at least
    result = edited([("epochs=args.epochs", "epochs=3")], "--epochs", "2")
    assert result.stderr == "warning: the rate is 0 as an epoch begins: see linear_decay()\n"


def test_a_learners_policy_holds_in_the_run():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        common.parse_args("lstm_imdb.py", [])
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
    finally:
        keras.config.set_dtype_policy("float32")


def test_a_network_without_build_trains(edited):
    build = inspect.getsource(gru_imdb.SentimentClassifier.build)
    edits = [(build, ""), ("    model.build((None, common.MAX_REVIEW_LEN))\n", "")]
    edits += [("    model.summary()\n", "")]
    assert parsed(edited(edits))["n"] == "64"


@each_script
def test_main_returns_the_model_and_has_seventeen_lines(name, tmp_path):
    """So that a notebook has it, trained or loaded."""
    path, script = tmp_path / "w.weights.h5", importlib.import_module(name)
    flags = ["--data", write_npz(tmp_path / "My.npz", words='{"good": 1}'), "--units", "4"]
    with untraced():
        trained = script.main([*map(str, flags), "--epochs", "1", "--save", str(path)])
        for more in [], ["--review", "good"]:
            loaded = script.main([*map(str, flags), "--load", str(path), *more])
            for ours, theirs in zip(loaded.get_weights(), trained.get_weights(), strict=True):
                np.testing.assert_array_equal(ours, theirs)
    assert len(inspect.getsource(script.main).splitlines()) <= 17


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
