"""Helpers of the tests: the scripts as modules and as a user runs them, and small data files."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import common  # before TensorFlow, as in the scripts
import numpy as np
import pytest
import tensorflow as tf

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = ("rnn_cell_imdb", "rnn_layer_imdb", "lstm_imdb", "gru_imdb")
IMDB_NPZ = os.environ.get("IMDB_NPZ")

needs_imdb = pytest.mark.skipif(not IMDB_NPZ, reason="IMDB_NPZ names no file")


# as a user's shell has it: importing common has set this here, and then nothing is held back
os.environ.pop("TF_CPP_MIN_LOG_LEVEL", None)


def run_script(name, *flags, cwd=None, input=None, **environment):
    """Run a script as a user does and return its CompletedProcess. The bound is only for a hang."""
    return subprocess.run(
        [sys.executable, ROOT / f"{name}.py", *map(str, flags)],
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        cwd=cwd,
        input=input,
        timeout=600,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **environment},
    )


def last_line(text):
    return text.strip().splitlines()[-1]


def write_npz(path, **changes):
    """Write 30 + 20 tiny reviews in the layout of imdb.npz, members replaced by `changes`."""
    rng = np.random.RandomState(0)
    members = {}
    for split, n in (("train", 30), ("test", 20)):
        reviews = np.empty(n, dtype=object)
        for i in range(n):
            reviews[i] = [int(r) for r in rng.randint(1, 20_000, size=rng.choice([0, 5, 79, 200]))]
        members[f"x_{split}"] = reviews
        members[f"y_{split}"] = (np.arange(n) < n // 2).astype(np.int64)
    members.update(changes)
    with open(path, "wb") as file:
        np.savez(file, **{name: a for name, a in members.items() if a is not None})
    return path


@pytest.fixture(params=SCRIPTS)
def script(request):
    """Each of the four scripts in turn, as a module."""
    return importlib.import_module(request.param)


@pytest.fixture
def ids():
    """Review-like input: [5, 80] int32, padded in front by different lengths."""
    rng = np.random.RandomState(1)
    x = rng.randint(4, common.VOCABULARY, size=(5, common.WORDS)).astype(np.int32)
    for row, padding in zip(x, (0, 0, 10, 40, 75)):
        row[:padding] = common.PAD
    return x


def build(script, units=64, seed=0):
    """A built model whose word vectors are as large as trained ones, so that differences show."""
    tf.keras.utils.set_random_seed(seed)
    model = script.SentimentClassifier(units)
    model.build((None, common.WORDS))
    model.embedding.embeddings.assign(model.embedding.embeddings * 10)
    for variable in model.trainable_variables:
        if variable.path.endswith("bias"):  # zeros would hide a bias that is added in a wrong place
            variable.assign(variable + 0.1 * np.random.RandomState(2).randn(*variable.shape))
    return model
