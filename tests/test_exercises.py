"""Every patch of docs/exercises.md goes onto the scripts as they are, and the result runs."""

import contextlib
import importlib.util
import io
import os
import re
import shutil
import subprocess
import sys

import averaged
import common
import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import ROOT, TINY, build, call, parsed

PATCHES = sorted((ROOT / "docs" / "exercises").glob("*.patch"))
TEXT = (ROOT / "docs" / "exercises.md").read_text(encoding="utf-8")
# a reading of 100 words in which each row shows the last id that the network is given
NAMES = {f"w{n}": n for n in range(1, 101)}
READING = [" ".join(NAMES)], lambda x, training: x[:, -1:] / 1000, NAMES


@pytest.fixture
def folder(tmp_path):
    """A learner's folder inside another project's repository: a patch goes on there too."""
    subprocess.run(["git", "init", "-q"], check=True, cwd=tmp_path)
    (tmp_path / "rnn").mkdir()
    return tmp_path / "rnn"


def apply(patch, folder):
    """Copy the programs into folder and patch them there -> the name of the one that changed."""
    for path in ROOT.glob("*.py"):
        shutil.copy(path, folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    subprocess.run(["git", "apply", patch], check=True, cwd=folder)
    (changed,) = [path for path in folder.iterdir() if path.read_bytes() != before[path.name]]
    return changed.stem


def module(path, monkeypatch):
    """A patched script as a module of this process, with the common.py that is loaded here."""
    name = f"patched_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    monkeypatch.setitem(sys.modules, name, loaded)
    return loaded


def with_common(folder, monkeypatch):
    """A script with a patched common.py; its network is one that is not traced."""
    monkeypatch.setattr(os, "environ", dict(os.environ))  # common.py sets some
    with monkeypatch.context() as patch:
        patch.delitem(sys.modules, "common")
        patch.syspath_prepend(folder)
        patched = importlib.import_module("common")
    monkeypatch.setitem(sys.modules, "common", patched)
    script = module(folder / "gru_imdb.py", monkeypatch)
    script.SentimentClassifier = averaged.SentimentClassifier
    return script


@pytest.mark.parametrize("patch", PATCHES, ids=lambda path: path.stem)
def test_a_patch_applies_runs_and_comes_off_again(patch, folder, monkeypatch):
    name = apply(patch, folder)
    if name == "common":
        result = call(with_common(folder, monkeypatch).__name__, *TINY)
        with contextlib.redirect_stdout(io.StringIO()) as shown:
            sys.modules["common"].read_reviews(*READING)
        rows = [int(id) for id in re.findall(r"^  w\d+ +0\.(\d{3}) \|", shown.getvalue(), re.M)]
        first = 79 if "first" in patch.stem else 100  # what the network never sees changes nothing
        assert rows == [min(n, first) + 3 for n in range(1, 101)]
    else:
        monkeypatch.setattr(
            common, "MAX_REVIEW_LEN", 10
        )  # a loop of 80 steps by hand takes its time
        result = call(module(folder / f"{name}.py", monkeypatch).__name__, *TINY)
    assert parsed(result)["n"] == "64"
    subprocess.run(["git", "apply", "-R", patch], check=True, cwd=folder)
    for path in ROOT.glob("*.py"):
        assert (folder / path.name).read_bytes() == path.read_bytes()


def test_the_mask_of_exercise_6_reaches_both_layers_and_no_cudnn(folder, monkeypatch):
    """Then padding in front changes nothing, and a GPU, which wants it behind, does not matter."""
    (patch,) = (path for path in PATCHES if path.stem.startswith("06"))
    script = module(folder / f"{apply(patch, folder)}.py", monkeypatch)
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind=None: ["a GPU"])
    words = np.random.RandomState(0).randint(4, common.TOTAL_WORDS, (3, 7))
    model = build(script)
    padded = model(keras.utils.pad_sequences(words, 20), training=False)
    # float32: seven steps of each layer
    np.testing.assert_allclose(padded, model(words, training=False), atol=1e-6)


def test_the_text_names_every_patch_and_no_other():
    named = set(re.findall(r"\b\d\d-[a-z0-9-]+\.patch", TEXT))
    assert named == {path.name for path in PATCHES} and len(named) == 10


def test_there_are_fifteen_exercises_each_with_its_four_parts():
    parts = re.split(r"^## \d+\. ", TEXT, flags=re.M)[1:]
    assert len(parts) == 15
    for part in parts:
        for word in ("**Do.**", "**Ask.**", "**Seen.**", "**Learned.**"):
            assert part.count(word) == 1, part
