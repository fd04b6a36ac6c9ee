"""The claims of the lesson, each against something that shares no code with Keras's layers."""

import importlib
import re
from pathlib import Path

import common
import keras
import numpy as np
import pytest
import reference
import tensorflow as tf
from conftest import build, write_npz

CELLS = {
    "rnn_cell_imdb": reference.simple_rnn,
    "rnn_layer_imdb": reference.simple_rnn,
    "lstm_imdb": reference.lstm,
    "gru_imdb": reference.gru,
}
# A float32 holds 1.2e-7 of one. 80 steps of two layers add at most some hundred such errors, which
# tanh and the gates do not enlarge with these weights: 1e-5 leaves a factor of about ten, and a
# wrong gate or a missing bias is off by more than 1e-3.
FLOAT32_80_STEPS = 1e-5

rnn_cell_imdb = importlib.import_module("rnn_cell_imdb")
rnn_layer_imdb = importlib.import_module("rnn_layer_imdb")


def probability(model, ids):
    return model(ids, training=False).numpy()


def weights64(model):
    return [w.astype(np.float64) for w in model.get_weights()]


def gradients(model, ids, labels):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(keras.losses.binary_crossentropy(labels, model(ids, training=False)))
    return [
        tf.convert_to_tensor(g).numpy()
        for g in tape.gradient(loss, [v.value for v in model.trainable_variables])
    ]


@pytest.mark.smoke
def test_model_equals_numpy(script, ids):
    model = build(script)
    expected = reference.classifier(CELLS[script.__name__], ids, *weights64(model))
    assert np.ptp(expected) > 0.01  # not five times the same number
    np.testing.assert_allclose(probability(model, ids), expected, atol=FLOAT32_80_STEPS, rtol=0)


def test_unrolled_layers_equal_the_loop(script, ids):
    if script.__name__ == "rnn_cell_imdb":
        pytest.skip("always unrolled")
    looped, unrolled = script.SentimentClassifier(8), script.SentimentClassifier(8, unroll=True)
    for model in (looped, unrolled):
        model.build((None, common.MAX_REVIEW_LEN))
    for layers, expected in (looped.layers, False), (unrolled.layers, True):
        assert [layer.unroll for layer in layers[1:3]] == [expected, expected]
    unrolled.set_weights(looped.get_weights())
    np.testing.assert_allclose(
        probability(looped, ids), probability(unrolled, ids), atol=FLOAT32_80_STEPS, rtol=0
    )


@pytest.mark.smoke
def test_hand_loop_equals_layer(ids):
    by_hand, by_layer = build(rnn_cell_imdb), build(rnn_layer_imdb, seed=1)
    by_layer.set_weights(by_hand.get_weights())
    np.testing.assert_allclose(
        probability(by_hand, ids), probability(by_layer, ids), atol=FLOAT32_80_STEPS, rtol=0
    )
    labels = np.array([[0.0], [1.0], [1.0], [0.0], [1.0]])
    for a, b in zip(gradients(by_hand, ids, labels), gradients(by_layer, ids, labels)):
        assert np.abs(a).max() > 0
        # relative to the largest entry: small ones are differences of large terms
        np.testing.assert_allclose(a, b, atol=1e-4 * np.abs(b).max(), rtol=0)


def test_hand_loop_trains_as_the_layers_do(ids):
    """Same seed, so the same start and the same dropout masks: the same losses, step by step."""
    ids = ids[:, -8:]  # of so many words: a graph of 80 steps takes its time
    losses = []
    layers = [(rnn_layer_imdb, {"unroll": unroll}) for unroll in (False, True)]
    for script, options in [(rnn_cell_imdb, {}), *layers]:
        keras.utils.set_random_seed(7)
        model = script.SentimentClassifier(16, **options)
        model.build((None, common.MAX_REVIEW_LEN))
        model.compile("adam", "binary_crossentropy", jit_compile=False)
        model.optimizer.build(model.trainable_variables)  # else the first step is traced twice
        losses.append([model.train_on_batch(ids, np.arange(5) % 2) for _ in range(6)])
    assert abs(losses[0][0] - losses[0][-1]) > 1e-2  # it did learn something
    for of_layers in losses[1:]:  # float32, and Adam magnifies the rounding
        np.testing.assert_allclose(losses[0], of_layers, atol=1e-4, rtol=0)


def test_gradient_is_the_sum_of_the_post():
    rng = np.random.RandomState(0)
    T, units = 12, 5
    x = rng.randn(T, 3)
    layer = keras.layers.SimpleRNN(units)
    layer.build((None, T, 3))
    layer.set_weights([rng.randn(3, units), rng.randn(units, units) * 0.6, rng.randn(units) * 0.1])
    W_xh, W_hh, b = (w.astype(np.float64) for w in layer.get_weights())
    dE_dh_T = rng.randn(units)  # E = h_T . dE_dh_T

    with tf.GradientTape() as tape:
        E = tf.reduce_sum(layer(x[None].astype(np.float32)) * dE_dh_T.astype(np.float32))
    from_tensorflow = tape.gradient(E, layer.cell.recurrent_kernel.value).numpy()
    terms = reference.simple_rnn_gradient(x, W_xh, W_hh, b, dE_dh_T)
    total = np.sum(terms, axis=0)
    assert len(terms) == T and not terms[0].any()  # h_0 = 0: the first term is nothing
    # float32 over 12 steps: 1e-5 of the largest entry
    np.testing.assert_allclose(from_tensorflow, total, atol=1e-5 * np.abs(total).max(), rtol=0)
    assert np.abs(from_tensorflow - terms[-1]).max() > 0.01  # the last step alone is not enough

    eps, numeric = 1e-6, np.zeros_like(W_hh)
    for p, q in np.ndindex(*W_hh.shape):
        step = np.zeros_like(W_hh)
        step[p, q] = eps
        ends = [
            reference.simple_rnn(x[None], W_xh, W_hh + sign * step, b)[0, -1] @ dE_dh_T
            for sign in (1, -1)
        ]
        numeric[p, q] = (ends[0] - ends[1]) / (2 * eps)
    # central differences: eps**2 of truncation and 1e-16 / eps of rounding, both near 1e-10
    np.testing.assert_allclose(total, numeric, atol=1e-8, rtol=1e-6)


def test_call_is_traced_once_for_fitting_and_once_for_scoring(
    script, tmp_path, monkeypatch, capsys
):
    """A trace of the hand loop takes seconds, and Keras makes two if one makes variables."""
    traces = []
    original = script.SentimentClassifier.call

    def call(self, inputs, training=False):
        traces.append((training, str(inputs.shape)))
        return original(self, inputs, training=training)

    monkeypatch.setattr(script.SentimentClassifier, "call", call)
    monkeypatch.setattr(common, "MAX_REVIEW_LEN", 10)
    path = write_npz(tmp_path / "my.npz")
    script.main(f"--data {path} --batch-size 8 --epochs 2 --units 4".split())
    assert len(traces) == len(set(traces))  # nothing twice
    if (
        "dev" not in keras.__version__
    ):  # 3.16 in development traces the smaller last batch by itself
        assert sorted(training for training, _ in traces) == [False, True]


# ------------------------------------------------------------------------------------ dropout


def add_up(cell, weights):
    """Weights with which a stage shows its input: [None, 100] -> h, and nothing is forgotten.

    The input goes through the identity. Gates stand open (or at a half), by biases alone, so that
    what came in at any step is still in the last state.
    """
    W_x, W_h, b = (np.zeros_like(w) for w in weights)
    one, blocks = np.eye(100), W_x.shape[1] // 100
    place = {"simple_rnn": 0, "lstm": 2, "gru": 2}[cell.__name__]
    W_x[:, place * 100 : (place + 1) * 100] = one
    if cell is reference.simple_rnn:
        W_h[...] = 0.5 * one
    elif cell is reference.lstm:  # i and o open, f nearly
        b[...] = np.repeat([9, 2, 0, 9], 100)
    assert blocks == {"simple_rnn": 1, "lstm": 4, "gru": 3}[cell.__name__]
    return [W_x, W_h, b]


def outputs_of(model, stage, batches, training):
    """Run the model on 64 reviews, some times, and return what a stage gave: [64, steps, 100]."""
    outputs, seen = [], []
    original = keras.layers.Layer.__call__

    def spy(layer, *args, **kwargs):
        result = original(layer, *args, **kwargs)
        if layer is stage:
            seen.append(tf.nest.flatten(result)[0].numpy())
        return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras.layers.Layer, "__call__", spy)
        for _ in range(batches):
            seen.clear()
            model(np.ones((64, 20), np.int32), training=training)
            steps = seen[0] if len(seen) == 1 else np.stack(seen, axis=1)
            outputs.append(steps if steps.ndim == 3 else steps[:, None])
    return outputs


@pytest.mark.parametrize("which", [0, 1], ids=["first", "second"])
def test_dropout_of_each_stage(script, which):
    """Half of a stage's inputs, the same at all steps of a batch, others in the next, none without
    training: NumPy's cell on the input that such a mask leaves gives the same."""
    cell = CELLS[script.__name__]
    model = script.SentimentClassifier(100)
    model.build((None, 20))
    model.embedding.set_weights([np.full((common.TOTAL_WORDS, 100), 0.25)])
    first, stage = model.layers[1], model.layers[1 + which]
    if which:  # what the first gives is then a constant, whatever its own dropout does
        weights = add_up(cell, first.get_weights())
        weights[0][:] = 0
        b = weights[2] if weights[2].ndim == 1 else weights[2][0]
        b[200 * (cell is not reference.simple_rnn) :][:100] = 0.25
        first.set_weights(weights)
    weights = add_up(cell, stage.get_weights())
    stage.set_weights(weights)
    inputs = np.full((64, 20, 100), 0.25)
    if which:
        inputs = cell(np.zeros((64, 20, 100)), *first.get_weights())

    (scored,) = outputs_of(model, stage, 1, training=False)
    steps = slice(None) if scored.shape[1] == 20 else slice(-1, None)
    np.testing.assert_allclose(scored, cell(inputs, *weights)[:, steps], atol=1e-5)

    masks = []
    for given in outputs_of(model, stage, 2, training=True):
        masks.append(given[:, -1:] != 0)
        assert abs(masks[-1].mean() - 0.5) < 0.03  # 6400 draws: five deviations of 0.00625
        expected = cell(2 * inputs * masks[-1], *weights)[:, steps]  # scaled by 1 / (1 - 0.5)
        np.testing.assert_allclose(given, expected, atol=1e-5)
    assert (masks[0] != masks[1]).any() and len(np.unique(masks[0], axis=0)) == 64


# -------------------------------------------------------------------------------- the beginning


def test_weights_begin_as_the_docstrings_and_the_pages_say(script):
    keras.utils.set_random_seed(0)
    model = script.SentimentClassifier(64)
    model.build((None, common.MAX_REVIEW_LEN))
    embedding, first, second, dense = model.layers
    assert np.abs(embedding.get_weights()[0]).max() <= 0.05 and not dense.get_weights()[1].any()
    for layer, size in (first, 100), (second, 64):
        W_x, W_h, b = layer.get_weights()
        assert W_x.shape[0] == size
        np.testing.assert_allclose(W_h @ W_h.T, np.eye(64), atol=1e-5)  # orthogonal
        bound = np.sqrt(6 / sum(W_x.shape))  # Glorot & Bengio 2010, of all blocks together
        assert 0.95 * bound < np.abs(W_x).max() <= bound
        ones = np.zeros_like(b)
        if script.__name__ == "lstm_imdb":
            ones[64:128] = 1  # b_f
        assert (b == ones).all()


def fit_evaluate_predict_fit(model, ids, eager):
    labels = np.array([0, 1, 1, 0, 1])
    model.compile(optimizer="adam", loss="binary_crossentropy", run_eagerly=eager)
    if model.built:  # as in the scripts: else the first step is traced twice
        model.optimizer.build(model.trainable_variables)
    model.fit(ids, labels, batch_size=2, verbose=0)
    model.evaluate(ids, labels, batch_size=5, verbose=0)
    assert model.predict(ids, batch_size=3, verbose=0).shape == (5, 1)
    model.fit(ids[:4], labels[:4], batch_size=4, verbose=0)
    model(ids[:1], training=False)


def test_one_model_is_fitted_evaluated_and_fitted_again(script, ids):
    model = script.SentimentClassifier(4)
    if script is not rnn_cell_imdb:  # its masks must live through the second trace too
        model.build((None, 5))
    fit_evaluate_predict_fit(model, ids[:, -5:], eager=False)


def test_the_hand_loop_is_fitted_and_evaluated_eagerly_too(ids):
    """Where its masks are tensors, and not of a graph that is gone."""
    fit_evaluate_predict_fit(rnn_cell_imdb.SentimentClassifier(4), ids[:, -5:], eager=True)


def test_without_the_reset_the_second_trace_dies(ids, monkeypatch):
    monkeypatch.setattr(keras.layers.SimpleRNNCell, "reset_dropout_mask", lambda self: None)
    with pytest.raises(Exception, match="out of scope|cannot be accessed from here"):
        fit_evaluate_predict_fit(rnn_cell_imdb.SentimentClassifier(4), ids[:, -5:], eager=False)


# -------------------------------------------------------------------------------------- state


def test_the_first_word_and_the_last_and_their_order_count(script):
    # 20 words: over 80 an untrained LSTM or GRU forgets the first beyond what a float32 can show
    ids = np.random.RandomState(3).randint(4, common.TOTAL_WORDS, size=(1, 20)).astype(np.int32)
    model = build(script)
    original = probability(model, ids)
    for place in (0, -1):
        changed = ids.copy()
        changed[0, place] = 5
        assert probability(model, changed) != original
    swapped = ids.copy()
    swapped[0, [-1, -2]] = swapped[0, [-2, -1]]
    assert np.abs(probability(model, swapped) - original) > 1e-4


def test_any_length_is_read_from_a_zero_state(script, ids):
    model = build(script)
    for k in (1, 2, 17):  # the reference starts at zero and reads these k ids alone
        expected = reference.classifier(CELLS[script.__name__], ids[:, -k:], *weights64(model))
        np.testing.assert_allclose(
            probability(model, ids[:, -k:]), expected, atol=FLOAT32_80_STEPS, rtol=0
        )


def test_padding_is_not_neutral(script, ids):
    model = build(script)
    words = ids[:, -5:]
    padded = keras.utils.pad_sequences(words, common.MAX_REVIEW_LEN)
    assert np.abs(probability(model, words) - probability(model, padded)).max() > 1e-3


# ------------------------------------------------------------------------ shapes and the post


def test_shapes_are_what_the_comments_say(script, ids, monkeypatch):
    model = build(script)
    shapes = []
    original = keras.layers.Layer.__call__

    def spy(layer, *args, **kwargs):
        result = original(layer, *args, **kwargs)
        if any(layer is own for own in model.layers):
            shapes.append(tuple(tf.nest.flatten(result)[0].shape))
        return result

    monkeypatch.setattr(keras.layers.Layer, "__call__", spy)
    model(ids, training=False)
    steps = [(5, 64)] * 160 if script is rnn_cell_imdb else [(5, 80, 64), (5, 64)]
    assert shapes == [(5, 80, 100), *steps, (5, 1)]


def test_parameter_counts():
    counts = {"SimpleRNN": (10_560, 8_256), "LSTM": (42_240, 33_024), "GRU": (31_872, 24_960)}
    kinds = dict(zip(CELLS, ("SimpleRNN", "SimpleRNN", "LSTM", "GRU")))
    for name, kind in kinds.items():
        model = build(importlib.import_module(name))
        assert [layer.count_params() for layer in model.layers] == [1_000_000, *counts[kind], 65]


def test_weights_are_shared_over_time(script):
    counts = set()
    for words in (1, 80, 200):
        model = script.SentimentClassifier(16)
        model.build((None, words))
        counts.add(model.count_params())
    assert len(counts) == 1


def test_lstm_keeps_four_and_gru_three_blocks_of_weights():
    for name, blocks in (("rnn_layer_imdb", 1), ("lstm_imdb", 4), ("gru_imdb", 3)):
        kernel, recurrent_kernel, bias = build(importlib.import_module(name)).rnn_1.get_weights()
        assert kernel.shape == (100, blocks * 64) and recurrent_kernel.shape == (64, blocks * 64)
        assert bias.shape[-1] == blocks * 64


def test_a_cell_whose_output_is_not_its_state_stops_the_hand_loop(ids, monkeypatch):
    """The assert in call() shows the post's "out and h1 are the same": it must be able to fail."""
    original = keras.layers.SimpleRNNCell.call

    def call(self, *args, **kwargs):
        out, (h,) = original(self, *args, **kwargs)
        return out, [h + 1]

    model = build(rnn_cell_imdb, 4)
    model(ids)
    monkeypatch.setattr(keras.layers.SimpleRNNCell, "call", call)
    with pytest.raises(AssertionError):
        model(ids)


def test_the_summary_shows_each_stage_with_its_shape(script):
    lines = []
    model = script.SentimentClassifier(64)
    model.build((None, common.MAX_REVIEW_LEN))
    model.summary(print_fn=lines.append, line_length=120)
    first = "(None, 64)" if script is rnn_cell_imdb else "(None, 80, 64)"
    shapes = re.findall(r"\(None[^)]*\)", "\n".join(lines))
    assert shapes == ["(None, 80, 100)", first, "(None, 64)", "(None, 1)"]


def test_shape_comments_are_true(script, ids, monkeypatch):
    """Each line of call() that says `[...] -> [...]` is watched while it runs."""
    text = Path(script.__file__).read_text(encoding="utf-8").splitlines()
    said = {}
    for line in text:
        found = re.search(r"self\.(\w+)\(.*# (?:\d+ times )?(\[b.*?\]) -> (\[b.*?\])$", line)
        if found and "def " not in line:
            said[found[1]] = found[2], found[3]
    model = build(script)
    seen = {}
    original = keras.layers.Layer.__call__

    def shape(tensor):
        return str(["b", *tensor.shape[1:]]).replace("'", "")

    def spy(layer, inputs, *args, **kwargs):
        result = original(layer, inputs, *args, **kwargs)
        for name in said:
            if layer is getattr(model, name):
                seen[name] = shape(inputs), shape(tf.nest.flatten(result)[0])
        return result

    monkeypatch.setattr(keras.layers.Layer, "__call__", spy)
    model(ids, training=False)
    assert seen == said and len(said) == 4


def test_an_embedding_is_one_hot_times_its_matrix(script, ids):
    embedding = build(script).embedding
    one_hot = np.eye(common.TOTAL_WORDS, dtype=np.float32)[ids[:1]]
    by_product = one_hot @ embedding.get_weights()[0]
    np.testing.assert_array_equal(embedding(ids[:1]).numpy(), by_product)
