"""Helpers of the tests: the scripts as modules and as a user runs them, and small data files."""

import atexit
import contextlib
import functools
import importlib
import io
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import zipfile
from functools import partial
from types import SimpleNamespace

# A GPU multiplies in TF32, with 10 bits after the point: enough to train, too coarse for 1e-5.
os.environ["NVIDIA_TF32_OVERRIDE"] = "0"
# A learner's cache and keras.json stay out of the tests, and no test gets past this machine: the
# proxy is a port that is taken and closed, and nothing in the environment may go round it.
os.environ["KERAS_HOME"] = tempfile.mkdtemp()
atexit.register(shutil.rmtree, os.environ["KERAS_HOME"], ignore_errors=True)
closed = socket.socket()
closed.bind(("127.0.0.1", 0))
for variable in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
    os.environ[variable] = f"http://127.0.0.1:{closed.getsockname()[1]}"
for variable in ("no_proxy", "NO_PROXY"):
    os.environ.pop(variable, None)

import common  # before TensorFlow, as in the scripts
import keras
import numpy as np
import pytest
import tensorflow as tf
from docs.measure.names import LAST_LINE, ROOT, SCRIPTS

IMDB_NPZ = os.environ.get("IMDB_NPZ")
TINY = ("--data", "toy", "--subset", "64", "--epochs", "1", "--units", "4")

MESSAGES = (ROOT / "tests/messages.txt").read_text(encoding="utf-8").split("\n")
MESSAGES = re.compile("|".join(re.escape(line).replace("…", ".*") for line in MESSAGES if line))

needs_imdb = pytest.mark.skipif(not IMDB_NPZ, reason="IMDB_NPZ names no file")
posix = pytest.mark.skipif(os.name != "posix", reason="modes, links, pipes or signals of POSIX")

# as a user's shell has it: importing common has set this here, and then nothing is held back
os.environ.pop("TF_CPP_MIN_LOG_LEVEL", None)
tf.get_logger().setLevel("ERROR")  # so many runs in one process are "expensive retracing" to it


def pytest_addoption(parser):
    parser.addoption("--at-least", type=int, default=0, help="fail when fewer tests pass")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    """With -n a file's tests run in one process: they share fixtures; the slow ones share none."""
    if getattr(config.option, "dist", None) == "load" and config.option.markexpr != "slow":
        config.option.dist = "loadfile"


def pytest_sessionfinish(session):
    """What CI runs must not shrink to the smoke tests, or to nothing, without anyone noticing."""
    minimum = session.config.getoption("--at-least")
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter and len(reporter.stats.get("passed", ())) < minimum:
        print(f"\nfewer tests passed than {minimum}")
        session.exitstatus = 1


def python(*arguments, **options):
    """Run this Python as a user does -> CompletedProcess. The bound is only for a hang."""
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8", **options.pop("env", {})}
    result = subprocess.run(
        [sys.executable, *map(str, arguments)],
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=600,
        env=environment,
        **options,
    )
    checked(result.stderr)
    return result


def checked(text, messages=r"(\S+: )?(error|warning): "):
    """What a program says, if each of its messages (by how they begin) is in messages.txt."""
    for line in text.splitlines():
        if re.match(messages, line) and len(line) < 600:  # fail() cuts there
            assert MESSAGES.fullmatch(line), f"not in messages.txt: {line}"
    return text


def run_script(name, *flags, cwd=None, **environment):
    """Run a script as a user does and return its CompletedProcess."""
    return python(ROOT / f"{name}.py", *flags, cwd=cwd, env=environment)


def call(name, *flags):
    """What run_script returns, from this process: TensorFlow takes three seconds to load."""
    out, err, status = io.StringIO(), io.StringIO(), 0
    module = importlib.import_module(name)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            common.run(partial(module.main, [str(flag) for flag in flags]))
        except SystemExit as end:
            status = end.code
    if name in ("own_data", "predict") and not {"-h", "--help"} & {*flags}:
        checked(err.getvalue() + out.getvalue(), r"(?!usage: |    )")  # all but argparse's usage
    else:
        checked(err.getvalue())
    return SimpleNamespace(returncode=status, stdout=out.getvalue(), stderr=err.getvalue())


@contextlib.contextmanager
def untraced(length=4):
    """For a run whose network does not matter: Keras traces nothing, and reviews are short."""
    eager = functools.partialmethod(keras.Model.compile, run_eagerly=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras.Model, "compile", eager)
        patch.setattr(common, "MAX_REVIEW_LEN", length)
        yield


def last_line(text):
    return text.strip().splitlines()[-1]


def parsed(result):
    """The last line of a run that went well, as a match with names."""
    assert result.returncode == 0, result.stderr
    line = LAST_LINE.fullmatch(last_line(result.stdout))
    assert line, result.stdout
    return line


def refused(result, *words, status=1):
    """The run ended in a line that says the words; there may be others before it."""
    assert result.returncode == status, result
    line = last_line(result.stderr)
    assert "error: " in line and [word for word in words if word not in line] == []
    assert "Traceback" not in result.stderr and result.stderr.endswith("\n")


def check_failure(result, words, status=1):
    """As refused(), and there was no other line, but argparse's usage if status is 2."""
    refused(result, words, status=status)
    lines = result.stderr.splitlines()
    assert len(lines[-1]) < 800 and "test accuracy" not in result.stdout
    assert lines[0].startswith("usage: ") if status == 2 else len(lines) == 1


def ends(capsys, words, function, *arguments):
    """function(*arguments) ends the run in one line that says the words -> that line."""
    with pytest.raises(SystemExit, match="^1$"):
        function(*arguments)
    (line,) = checked(capsys.readouterr().err).splitlines()
    assert line.startswith("error: ") and words in line
    return line


def objects(*items):
    """An array of lists, or of whatever the items are."""
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return array


def write_npz(path, words=None, **changes):
    """Write 30 + 20 tiny reviews in the layout of imdb.npz, members replaced by `changes`.

    words: text of the member words.json, which is left out if it is None.
    """
    rng = np.random.RandomState(0)
    members = {}
    for split, n in (("train", 30), ("test", 20)):
        sizes = (rng.choice([0, 5, 79, 200]) for _ in range(n))
        members[f"x_{split}"] = objects(*(rng.randint(1, 20_000, size).tolist() for size in sizes))
        members[f"y_{split}"] = (np.arange(n) < n // 2).astype(np.int64)
    members.update(changes)
    with open(path, "wb") as file:
        np.savez(file, **{name: a for name, a in members.items() if a is not None})
    if words is not None:
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("words.json", words)
    return path


@pytest.fixture(params=SCRIPTS)
def script(request):
    """Each of the four scripts in turn, as a module."""
    return importlib.import_module(request.param)


@pytest.fixture(scope="session", autouse=True)
def one_toy():
    """The toy is encoded once for each length that a test sets (and made once, by common)."""
    load_toy = common.load_toy
    arrays = functools.cache(lambda length: load_toy())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(common, "load_toy", lambda: arrays(common.MAX_REVIEW_LEN))
        yield


@pytest.fixture(autouse=True)
def seed():
    """TensorFlow draws no number without a seed here, and no test may get it from another."""
    keras.utils.set_random_seed(0)


@pytest.fixture
def ids():
    """Review-like input: [5, 80] int32, padded in front by different lengths."""
    rng = np.random.RandomState(1)
    x = rng.randint(4, common.TOTAL_WORDS, size=(5, common.MAX_REVIEW_LEN)).astype(np.int32)
    for row, padding in zip(x, (0, 0, 10, 40, 75)):
        row[:padding] = common.PAD
    return x


def build(script, units=64, seed=0):
    """A built model whose word vectors are as large as trained ones, so that differences show."""
    keras.utils.set_random_seed(seed)
    model = script.SentimentClassifier(units)
    model.build((None, common.MAX_REVIEW_LEN))
    model.embedding.embeddings.assign(model.embedding.embeddings * 10)
    for variable in model.trainable_variables:
        if variable.path.endswith("bias"):  # zeros would hide a bias that is added in a wrong place
            variable.assign(variable + 0.1 * np.random.RandomState(2).randn(*variable.shape))
    return model
