"""The claims of the lesson, each against something that shares no code with Keras's layers."""

import re
from pathlib import Path

import common
import keras
import numpy as np
import pytest
import reference
import rnn_cell_imdb
import rnn_layer_imdb
import tensorflow as tf
from conftest import ROOT, SCRIPTS, build, write_npz

LAYERS = dict(zip(SCRIPTS, ("SimpleRNN", "SimpleRNN", "LSTM", "GRU")))
# A float32 holds 1.2e-7 of one. 80 steps of two layers add at most some hundred such errors, which
# tanh and the gates do not enlarge with these weights: 1e-5 leaves a factor of about ten, and a
# wrong gate or a missing bias is off by more than 1e-3.
FLOAT32_80_STEPS = dict(atol=1e-5, rtol=0)


def test_the_scripts_of_two_layers_differ_in_the_two_lines_of_the_layers():
    """From the imports down: README and guide let a reader see it with diff."""
    codes = {}
    for name in SCRIPTS[1:]:
        code = (ROOT / f"{name}.py").read_text(encoding="utf-8").split('"""', 2)[2]
        layer = LAYERS[name]
        assert code.count(f"layers.{layer}(") == 2
        codes[name] = code.replace(f"layers.{layer}(", "layers.RNN(")
    assert len(set(codes.values())) == 1


# ------------------------------------------------------------------------------- the equations


@pytest.mark.smoke
@pytest.mark.parametrize("unroll", [False, True])
def test_model_equals_numpy(script, ids, unroll):
    """At any length: the reference starts from a zero state and reads these ids alone."""
    model = build(script)
    weights = [w.astype(np.float64) for w in model.get_weights()]
    if script is not rnn_cell_imdb:  # the hand loop is one anyway
        model = script.SentimentClassifier(64, unroll=unroll)
        model.build((None, common.MAX_REVIEW_LEN))
        model.set_weights(weights)
    for words in (80, 17, 2, 1):
        x = ids[:, -words:]
        expected = reference.classifier(reference.CELLS[script.__name__], x, *weights)
        assert np.ptp(expected) > 1e-3  # not five times the same number
        np.testing.assert_allclose(model(x, training=False), expected, **FLOAT32_80_STEPS)
        np.testing.assert_array_equal(model(x), model(x, training=False))  # unless it is said
    many, expected = (np.repeat(rows, 300, axis=0) for rows in (x, expected))  # of any number
    np.testing.assert_allclose(model(many), expected, **FLOAT32_80_STEPS)


def blocks(docstring):
    """What a docstring says of Keras's arrays: {name: blocks side by side}, of a bias two rows."""
    text = " ".join(docstring.split("it is x W here.")[1].split())
    if "its `bias`" in text:  # "W_xh is the layer's `kernel`"
        return {name: [[w]] for w, name in re.findall(r"(\w+) (?:is the \w+'s|its) `(\w+)`", text)}
    parts = re.findall(r"`(kernel|recurrent_kernel|bias)` ([^`.]*)", text)
    rows = {name: part.split(" and the second ") for name, part in parts}
    return {name: [re.findall(r"[Wb]_\w+", row) for row in of] for name, of in rows.items()}


GATES = {"input": "g", "forget": "c_{t-1}", "output": "c_t"}  # what each shuts out when it is 0
GATES |= {"update": "h_{t-1}", "reset": "h_{t-1} W_hg"}


def test_each_equation_of_a_docstring_is_what_keras_computes(script):
    rng, T, units = np.random.RandomState(0), 5, 4
    layer = getattr(keras.layers, LAYERS[script.__name__])(units, return_sequences=True)
    layer.build((None, T, 3))
    layer.set_weights([rng.randn(*weight.shape) for weight in layer.get_weights()])
    arrays, rows = {}, blocks(script.__doc__)  # arrays: by the names of the docstring
    for name, weight in zip(("kernel", "recurrent_kernel", "bias"), layer.get_weights()):
        for row, names in zip(weight if len(rows[name]) > 1 else [weight], rows[name], strict=True):
            arrays.update(zip(names, np.split(row, len(names), axis=-1), strict=True))
    x, state = rng.randn(2, T, 3).astype(np.float32), np.zeros((2, units))
    terms = {f"{name}_t": state for name in re.findall(r"\b([hc])_0 = 0", script.__doc__)}
    for t in range(T):
        terms = {f"{name[0]}_{{t-1}}": terms[name] for name in terms if name.endswith("_t")}
        vectors = {"W_x": ("x_t ", x[:, t]), "W_h": ("h_{t-1} ", terms["h_{t-1}"])}
        for name, array in arrays.items():
            vector, value = vectors.get(name[:3], ("", None))
            terms[vector + name] = array if value is None else value @ array
        reference.evaluate(script.__doc__, terms)
        # float32: five steps with weights of size one
        np.testing.assert_allclose(terms["h_t"], layer(x)[:, t], atol=1e-5)
    gates = re.findall(r"^    (\w) .* (\w+) gate: how much of (\S+)", script.__doc__, re.M)
    assert len(gates) == {"lstm_imdb": 3, "gru_imdb": 2}.get(script.__name__, 0)
    for letter, gate, what in gates:
        assert GATES[gate].startswith(what)
        for share in 0, 1:  # then h_t depends on it, or not
            held = [{letter: share, GATES[gate]: value} for value in (0.1, 0.2)]
            both = [{**terms, **values} for values in held]
            for changed, values in zip(both, held):
                reference.evaluate(script.__doc__, changed, values)
            assert np.array_equal(both[0]["h_t"], both[1]["h_t"]) == (share == 0)


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


def test_an_embedding_is_one_hot_times_its_matrix(script, ids):
    embedding = build(script).embedding
    one_hot = np.eye(common.TOTAL_WORDS, dtype=np.float32)[ids[:1]]
    by_product = one_hot @ embedding.get_weights()[0]
    np.testing.assert_array_equal(embedding(ids[:1]).numpy(), by_product)


# ----------------------------------------------------------------------------- the loop by hand


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


def test_a_cell_whose_output_is_not_its_state_stops_the_hand_loop(ids, monkeypatch):
    """The assert in call() shows the post's "out and h1 are the same": it must be able to fail."""
    original = keras.layers.SimpleRNNCell.call

    def call(self, *args, **kwargs):
        out, (h,) = original(self, *args, **kwargs)
        return out, [h + 1]

    model = build(rnn_cell_imdb, 4)
    monkeypatch.setattr(keras.layers.SimpleRNNCell, "call", call)
    with pytest.raises(AssertionError):
        model(ids)
    out, states = keras.layers.LSTMCell(2)(np.ones((1, 3)), [np.zeros((1, 2))] * 2)
    assert out is states[0] and "LSTMCell returns `out, [h_t, c_t]`" in rnn_cell_imdb.__doc__


# ------------------------------------------------------------------------------------ training


def test_call_is_traced_once_for_fitting_and_once_for_scoring(script, tmp_path, monkeypatch):
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
    if "dev" not in keras.__version__:  # 3.16 in development traces the smaller last batch too
        assert sorted(training for training, _ in traces) == [False, True]


def test_dropout_of_each_stage(script):
    """Half of a stage's inputs, the same at all steps, others for each review and in each batch.

    Where an input is zero at all steps of a review, the row of `kernel` that it meets has no
    gradient. An h is never zero itself, so that nothing else can be the reason.
    """
    model = build(script, 100)
    variables = [v.value for n in (1, 2) for v in model.layers[n].trainable_variables[:2]]
    ids = np.random.RandomState(0).randint(4, common.TOTAL_WORDS, (2, 3)).astype(np.int32)

    def rows_without_gradient(x, training=True):  # [stages, inputs]
        with tf.GradientTape() as tape:
            p = model(x, training=training)
        gradients = [(g.numpy() == 0).all(axis=1) for g in tape.gradient(p, variables)]
        assert not np.any(gradients[1::2])  # between the steps nothing is left out
        return gradients[::2]

    assert not np.any(rows_without_gradient(ids, training=False))
    one = np.array([rows_without_gradient(ids[:1]) for _ in range(10)])
    both = np.array([rows_without_gradient(ids) for _ in range(10)])
    for stage in (0, 1):  # of 1000 inputs: three deviations of .0158 and of .0137
        assert abs(one[:, stage].mean() - 0.5) < 0.048 and abs(both[:, stage].mean() - 0.25) < 0.042
        assert len(np.unique(one[:, stage], axis=0)) == 10


def fit_evaluate_predict_fit(ids, eager=False):
    model, ids, labels = rnn_cell_imdb.SentimentClassifier(4), ids[:, -5:], np.arange(5) % 2
    model.compile(optimizer="adam", loss="binary_crossentropy", run_eagerly=eager)
    model.fit(ids, labels, batch_size=2, verbose=0)
    model.evaluate(ids, labels, batch_size=5, verbose=0)
    assert model.predict(ids, batch_size=3, verbose=0).shape == (5, 1)
    model.fit(ids[:4], labels[:4], batch_size=4, verbose=0)
    model(ids[:1], training=False)


@pytest.mark.parametrize("eager", [False, True])
def test_the_hand_loop_is_fitted_evaluated_and_fitted_again(ids, eager):
    """Its masks are tensors, or those of a graph that is gone: each trace needs new ones."""
    fit_evaluate_predict_fit(ids, eager)


def test_without_the_reset_the_second_trace_dies(ids, monkeypatch):
    """As the guide says: its table of errors has these words."""
    monkeypatch.setattr(keras.layers.SimpleRNNCell, "reset_dropout_mask", lambda self: None)
    with pytest.raises(Exception, match="out of scope|cannot be accessed from here"):
        fit_evaluate_predict_fit(ids)


# ---------------------------------------------------------------------------- the start, the shapes


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
    if script.__name__ == "lstm_imdb":
        f = reference.sigmoid(1)
        for words in f"b_f starts at one, so f near sigmoid(1) = {f:.2f}", f"is {f**80:.0e})":
            assert words in script.__doc__


def test_shape_comments_are_true(script, ids, monkeypatch):
    """Each line of call() that says `[...] -> [...]` is watched while it runs."""
    text = Path(script.__file__).read_text(encoding="utf-8").split("def call(")[1]
    comment = re.compile(r"self\.(\w+)\(.*# (?:\d+ times )?(\[b.*?\]) -> (\[b.*?\])$", re.M)
    comments = {name: shapes for name, *shapes in comment.findall(text)}
    model, shapes = build(script), {}
    original = keras.layers.Layer.__call__

    def shape(tensor):
        return str(["b", *tensor.shape[1:]]).replace("'", "")

    def watched(layer, inputs, *args, **kwargs):
        result = original(layer, inputs, *args, **kwargs)
        for name in comments:
            if layer is getattr(model, name):
                shapes[name] = [shape(inputs), shape(tf.nest.flatten(result)[0])]
        return result

    monkeypatch.setattr(keras.layers.Layer, "__call__", watched)
    model(ids, training=False)
    assert shapes == comments and len(comments) == 4


def test_the_summary_has_the_shape_of_each_cell():
    model = rnn_cell_imdb.SentimentClassifier(4)
    model.cell_2 = keras.layers.SimpleRNNCell(3)  # as a learner changes it
    model.build((None, 80))
    assert [cell.output_shape for cell in (model.cell_1, model.cell_2)] == [(None, 4), (None, 3)]
