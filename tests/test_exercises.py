"""Every patch of docs/exercises.md goes onto the scripts, and does what its exercise says."""

import contextlib
import csv
import importlib
import re
import subprocess
import sys

import common
import keras
import numpy as np
import pytest
import reference
import rnn_cell_imdb
from conftest import LAST_LINE, ROOT, TINY, build, call, last_line, parsed, untraced
from docs.measure import copies

PATCHES = sorted(path.stem for path in (ROOT / "docs/exercises").glob("*.patch"))
OF_COMMON = {"04-200-words": 200, "07-first-80-words": 80}
TEXT = (ROOT / "docs" / "exercises.md").read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path):
    """A learner's folder inside another project's repository: a patch goes on there too."""
    subprocess.run(["git", "init", "-q"], check=True, cwd=tmp_path)
    (tmp_path / "rnn").mkdir()
    return tmp_path / "rnn"


@pytest.fixture
def patched(folder, monkeypatch):
    """Put what a patch changes, a script or common.py alone, in the place of the own module."""

    def module(patch):
        copies.copy_scripts(folder, patch)
        paths = [p for p in folder.glob("*.py") if p.read_bytes() != (ROOT / p.name).read_bytes()]
        names = sorted(path.stem for path in paths)  # common comes first
        for name in names:
            importlib.import_module(name)  # the one that is put back afterwards
        for name in names:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.syspath_prepend(folder)
        monkeypatch.chdir(folder)  # exercise 18 writes a file
        return [importlib.import_module(name) for name in names][-1]

    return module


def short(script, monkeypatch):
    """Let a patched script read ten words of a review: 80 steps by hand take their time."""
    monkeypatch.setattr(script.common, "MAX_REVIEW_LEN", 10)
    monkeypatch.setattr(script.common, "toy_reviews", common.toy_reviews)  # made already
    return script


@pytest.mark.parametrize("patch", PATCHES)
def test_a_patch_goes_on_and_comes_off_again(patch, folder):
    try:
        copies.copy_scripts(folder, patch)
    except subprocess.CalledProcessError:
        pytest.fail(
            f"{patch}.patch no longer applies. Make it anew: commit what you have changed; make "
            "the exercise's change by hand (what it does is in docs/exercises.md); "
            f"`git diff -- '*.py' > docs/exercises/{patch}.patch`; `git checkout -- '*.py'`"
        )
    path = ROOT / f"docs/exercises/{patch}.patch"
    subprocess.run(["git", "apply", "-R", path], check=True, cwd=folder)
    for path in ROOT.glob("*.py"):
        assert (folder / path.name).read_bytes() == path.read_bytes()


@pytest.mark.parametrize("patch", sorted({*PATCHES} - {*OF_COMMON}))
def test_a_patched_script_runs_as_a_learner_starts_it(patch, patched, monkeypatch, capsys):
    script, rates = short(patched(patch), monkeypatch), []
    by_hand = script.__name__ == "rnn_cell_imdb"  # a loop of one's own must be traced, too
    with contextlib.nullcontext() if by_hand else untraced():
        adam = script.main(list(TINY)).optimizer
    assert LAST_LINE.fullmatch(last_line(capsys.readouterr().out))["n"] == "64"
    for step in 0, 300:
        adam.iterations.assign(step)
        rates.append(float(adam.learning_rate))
    assert (rates[0], adam.clipnorm) == (pytest.approx(0.001), 0.25)
    assert (rates[1] == rates[0]) == (patch == "09-hold-the-rate")


@pytest.mark.parametrize("patch, words", OF_COMMON.items())
def test_other_words_of_a_review_are_kept(patch, words, patched):
    (row,) = patched(patch).encode([[*range(1, 301)]])  # ids 4 to 303, behind the start
    last, first = [*range(304 - words, 304)], [common.START, *range(4, 3 + words)]
    assert row.tolist() == (first if "first" in patch else last)


def min_gru(x, kernel, bias):
    """minGRU as the paper has it: z and g of the word alone."""
    z, g = np.split(x @ kernel + bias, 2, axis=-1)
    z, h, steps = reference.sigmoid(z), 0 * z[:, 0], []
    for t in range(x.shape[1]):
        h = z[:, t] * h + (1 - z[:, t]) * g[:, t]
        steps.append(h)
    return np.stack(steps, axis=1)


def both_directions(x, *weights):
    """The last h of a pass and of one from the end, added."""
    forward, backward = reference.lstm(x, *weights[:3]), reference.lstm(x[:, ::-1], *weights[3:])
    return (forward + backward)[:, -1]


def attention(h, w):
    """A mean of all h, each with the weight that softmax makes of its score h w."""
    weights = np.exp(h @ w)
    return (weights * h).sum(axis=1) / weights.sum(axis=1)


def classes(x, kernel, bias):
    """What Dense makes of its input: softmax over columns, or sigmoid of a single one."""
    z = x @ kernel + bias
    if z.shape[1] == 1:
        return reference.sigmoid(z)
    return np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)


def last(layer):
    return lambda *args: layer(*args)[:, -1]


TWO_LAYERS = [reference.lstm, last(reference.lstm)]
DOES = {  # the recurrent part of the network: what each layer is in NumPy, what Dense is given
    "03-one-layer": [last(reference.lstm)],
    "05-both-directions": [reference.lstm, both_directions],
    "06-mask": TWO_LAYERS,  # of reviews without padding
    "10-lstm-by-hand": TWO_LAYERS,
    "11-pool-over-time": [reference.lstm, lambda *args: reference.lstm(*args).mean(axis=1)],
    "14-open-forget-gate": TWO_LAYERS,
    "15-min-gru": [min_gru, last(min_gru)],
    "17-two-classes": TWO_LAYERS,
    "18-best-epoch": TWO_LAYERS,
    "19-attention": [reference.lstm, reference.lstm, attention],
}


@pytest.mark.parametrize("patch", DOES)
def test_a_patched_network_is_what_the_exercise_says(patch, patched, ids):
    script = patched(patch)
    model, ids = build(script, units=4), ids[:2, -20:]
    embedding, *recurrent, dense = [layer.get_weights() for layer in model.layers]
    recurrent = [weights for weights in recurrent if weights]  # a mean over time has none
    x = embedding[0].astype(np.float64)[ids]
    for layer, weights in zip(DOES[patch], recurrent, strict=True):
        x = layer(x, *(w.astype(np.float64) for w in weights))
    p = classes(x, *dense)
    # float32, twenty steps of each layer
    np.testing.assert_allclose(model(ids, training=False), p, atol=1e-5)
    if script.__name__ == "lstm_imdb":  # the others step by hand
        model = script.SentimentClassifier(4, unroll=True)
        model.build((None, 20))
    layers = [getattr(layer, "forward_layer", layer) for layer in model.layers]
    assert {getattr(layer, "dropout", 0.5) for layer in layers} == {0.5}
    assert {getattr(layer, "unroll", True) for layer in layers} == {True}
    drawn = [np.array(model(ids, training=True)) for _ in range(2)]
    assert np.abs(drawn[0] - drawn[1]).max() > 1e-4  # dropout is still there


def test_min_gru_has_dropout_in_both_cells_and_the_parameters_that_exercise_15_names(patched):
    plain, model = build(rnn_cell_imdb), build(patched("15-min-gru"))
    for cell, size in (model.cell_1, common.EMBEDDING_LEN), (model.cell_2, 64):
        x, state = np.ones((4, size), np.float32), [np.zeros((4, 64), np.float32)]
        once, dropped, again = (cell(x, state, training=t)[0] for t in (False, True, True))
        assert np.abs(once - dropped).max() > 1e-3
        np.testing.assert_array_equal(dropped, again)  # one mask for all steps
    cells = model.cell_1, model.cell_2, plain.cell_1, plain.cell_2
    (section,) = re.findall(r"(?s)\n## 15\. .*?\*\*Ask", TEXT)
    assert re.findall(r"`([\d,]+)`", section) == [f"{cell.count_params():,}" for cell in cells]


def test_the_forget_gate_and_no_other_begins_open(patched):
    model = patched("14-open-forget-gate").SentimentClassifier(4)
    model.build((None, 80))
    for layer in model.rnn_1, model.rnn_2:  # b_i, b_f, b_g, b_o
        np.testing.assert_array_equal(layer.cell.bias, np.repeat([0, 3, 0, 0], 4))


def test_the_mask_of_exercise_6_reaches_both_layers_and_no_cudnn(patched, monkeypatch):
    """Then padding in front changes nothing, and a GPU, which wants it behind, does not matter."""
    script = patched("06-mask")
    monkeypatch.setattr("tensorflow.config.list_logical_devices", lambda kind=None: ["a GPU"])
    words = np.random.RandomState(0).randint(4, common.TOTAL_WORDS, (3, 7))
    model = build(script)
    padded = model(keras.utils.pad_sequences(words, 20), training=False)
    # float32: seven steps of each layer
    np.testing.assert_allclose(padded, model(words, training=False), atol=1e-6)


def test_two_classes_are_scored_and_read_by_the_second(patched, monkeypatch):
    """With --load as after training; P(positive) is column 1, labels are its number."""
    script = short(patched("17-two-classes"), monkeypatch)
    flags = "--data", "toy", "--subset", "64", "--units", "4"
    load = *flags, "--load", "w.weights.h5"
    with untraced():
        more = "--epochs", "1", "--save", "w.weights.h5", "--learning-rate", "0.01"
        trained = parsed(call("lstm_imdb", *flags, *more))
        loaded = parsed(call("lstm_imdb", *load))
        shown = call("lstm_imdb", *load, "--review", "dull").stdout
    assert (loaded["right"], loaded["loss"]) == (trained["right"], trained["loss"])
    model = script.SentimentClassifier(4)
    model.build((None, 10))
    model.load_weights("w.weights.h5")
    _, (x, y) = script.common.load_toy()
    p = np.array(model(x[:64], training=False))
    assert p.shape == (64, 2) and (p.argmax(axis=1) == y[:64]).sum() == int(trained["right"])
    index = script.common.load_word_index("toy")
    expected = model(script.common.encode([[index["dull"]]]), training=False)[0, 1]
    assert f"P(positive) = {expected:.3f}" in shown


def test_the_best_epoch_is_chosen_on_reviews_that_are_neither_trained_on_nor_tested(
    patched, monkeypatch
):
    script = short(patched("18-best-epoch"), monkeypatch)
    flags = "--data toy --subset 100 --units 4".split()
    *datasets, _ = script.common.load_datasets(script.common.parse_args("x", flags))
    (x, _), (x_test, _) = script.common.load_toy()
    for dataset, expected in zip(datasets, (x[:80], x_test[:100], x[80:100]), strict=True):
        rows = np.concatenate([batch for batch, _ in dataset])
        np.testing.assert_array_equal(np.sort(rows, axis=0), np.sort(expected, axis=0))
    more = "--epochs 9 --learning-rate 0.3 --log log.csv".split()
    with untraced():
        line = parsed(call("lstm_imdb", *flags, *more))
        best = parsed(call("lstm_imdb", *flags, "--load", "best.weights.h5"))
        model = script.main([*flags, "--load", "best.weights.h5"])
        args = script.common.parse_args("x", flags)
        ((x, y),) = script.common.load_datasets(args)[2]  # held out
        loss = keras.losses.binary_crossentropy(y[:, None], model(x)).numpy().mean()
    with open("log.csv", encoding="utf-8", newline="") as file:
        losses = [float(row["val_loss"]) for row in csv.DictReader(file)]
    assert line["done"].startswith(f"{len(losses)} of 9 epochs in ")
    assert losses.index(min(losses)) == len(losses) - 2  # the one after it was worse
    assert loss == pytest.approx(min(losses), abs=1e-5)  # float32; the next is worse by far more
    assert losses[-1] - min(losses) > 1e-3
    assert (best["right"], best["loss"], best["n"]) == (line["right"], line["loss"], "100")


def test_the_text_names_every_patch_and_no_other():
    named = set(re.findall(r"\b(\d\d-[a-z0-9-]+)\.patch", TEXT))
    assert named == set(PATCHES) == {*DOES, *OF_COMMON, "09-hold-the-rate"} and len(named) == 13


def test_there_are_nineteen_exercises_each_with_its_parts_and_the_answer_folded():
    assert TEXT.startswith("# Nineteen exercises\n")
    parts = re.split(r"^## (\d+)\. ", TEXT, flags=re.M)[1:]
    assert parts[::2] == [str(number) for number in range(1, 20)]
    for part in parts[1::2]:
        words = "**Do.**", "*You should see*", "**Ask.**", "<details>", "**Seen.**", "**Learned.**"
        assert [part.count(word) for word in words] == [1] * 6, part
        folded = part.split("<details>")[1].split("</details>")[0]
        assert "**Seen.**" in folded and "**Learned.**" in folded, part
