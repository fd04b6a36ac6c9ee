"""The learner's machine: environment, streams, devices, Ctrl-C. Most of it needs a process."""

import json
import os
import re
import runpy
import shlex
import shutil
import signal
import subprocess
import sys
import time
import types

import averaged
import common
import keras
import pytest
import tensorflow as tf
from conftest import (
    LAST_LINE,
    ROOT,
    TINY,
    call,
    check_failure,
    last_line,
    parsed,
    posix,
    python,
    run_script,
    write_npz,
)

GPUS = tf.config.list_physical_devices("GPU")


@pytest.fixture
def variables(monkeypatch):
    """What common has set in the environment when TensorFlow loads (here it does not)."""

    def run(**environment):
        kept = {k: v for k, v in os.environ.items() if not re.match("(TF|CUDA|KERAS)_", k)}
        seen = {}

        class Stop:
            """Finds h5py, which common imports first, and goes no further."""

            def find_spec(name, path=None, target=None):
                if name == "h5py":
                    seen.update(os.environ)
                    raise ImportError("far enough")

        with monkeypatch.context() as patch:
            patch.setattr(os, "environ", {**kept, **environment})
            patch.delitem(sys.modules, "h5py")
            patch.setattr(sys, "meta_path", [Stop, *sys.meta_path])
            with pytest.raises(ImportError, match="far enough"):
                runpy.run_path(str(ROOT / "common.py"))
        return seen

    return run


@pytest.mark.parametrize(
    "affinity, count, expected",
    [
        ({0, 1}, 8, "1"),
        ({7}, 8, "1"),
        ({0, 1, 2}, 2, None),
        (None, 2, "1"),  # a system that does not say which are this process's
        (None, 8, None),
        (None, None, "1"),
    ],
    ids=["two", "one", "three of its own", "two at all", "eight at all", "unknown"],
)
def test_one_thread_an_operation_where_there_are_two_cores_or_fewer(
    variables, monkeypatch, affinity, count, expected
):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: affinity, raising=False)
    if affinity is None:
        monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: count)
    name = "TF_NUM_INTRAOP_THREADS"
    assert variables().get(name) == expected
    assert variables(**{name: "3"})[name] == "3"  # a learner's own stays


@pytest.mark.parametrize(
    "name, default, own",
    [
        ("TF_FORCE_GPU_ALLOW_GROWTH", "true", "false"),
        ("TF_DETERMINISTIC_OPS", "1", "0"),
        ("TF_CPP_MIN_LOG_LEVEL", "2", "0"),
    ],
)
def test_defaults_of_tensorflow_that_a_learner_may_set_otherwise(variables, name, default, own):
    assert variables()[name] == default
    assert variables(**{name: own})[name] == own


def test_keras_looks_for_no_keras_json_while_it_loads(variables, tmp_path):
    assert variables()["KERAS_HOME"] == os.devnull
    assert variables(KERAS_HOME=str(tmp_path))["KERAS_HOME"] == os.devnull


@pytest.mark.parametrize("columns", ["1", "19", "many"])
def test_a_terminal_of_any_width_is_no_error(monkeypatch, columns):
    """Keras's summary raises below 20 columns."""
    monkeypatch.setenv("COLUMNS", columns)
    assert call("averaged", *TINY).returncode == 0
    assert int(os.environ["COLUMNS"]) >= 40


def test_a_learners_keras_home_is_kept_and_their_keras_json_changes_nothing(tmp_path):
    """Whatever is in it. TensorFlow, which takes seconds to load, is loaded once for all."""
    contents = [
        '{"floatx": "bfloat16", "backend": "torch", "max_epochs": 1, "epsilon": 0.1}',
        '["not", "a", "dictionary"]',
        "\x00",
    ]
    code = f"""import json, os, sys
for content in {contents!r}:
    with open(os.path.join(os.environ["KERAS_HOME"], "keras.json"), "w") as file:
        file.write(content)
    for name in [name for name in sys.modules if name.split(".")[0] in ("common", "keras")]:
        del sys.modules[name]
    os.environ.pop("KERAS_BACKEND", None)
    import common, keras
    config = keras.config
    print(json.dumps([
        common.KERAS_HOME, os.environ["KERAS_HOME"], open(file.name).read(),
        config.floatx(), config.backend(), config.epsilon(), keras.version(),
        keras.layers.Dense(1).dtype_policy.name, getattr(config, "max_epochs", lambda: 0)()]))"""
    result = python("-B", "-c", code, cwd=ROOT, env={"KERAS_HOME": str(tmp_path)})
    assert result.stderr == "" and (tmp_path / "keras.json").read_text() == contents[-1]
    epochs = getattr(keras.config, "max_epochs", lambda: 0)()
    home = [str(tmp_path)] * 2
    assert [json.loads(line) for line in result.stdout.splitlines()] == [
        [*home, content, "float32", "tensorflow", 1e-07, keras.version(), "float32", epochs]
        for content in contents
    ]


def test_without_docstrings(monkeypatch):
    """What Python makes of our files with -OO: neither docstrings nor asserts."""
    monkeypatch.setattr(os, "environ", dict(os.environ))  # common sets some
    for name in "common", "gru_imdb":
        path = ROOT / f"{name}.py"
        module = types.ModuleType(name)
        module.__file__ = str(path)
        monkeypatch.setitem(sys.modules, name, module)
        exec(compile(path.read_bytes(), path, "exec", optimize=2), vars(module))
        assert module.__doc__ is None
    sys.modules["gru_imdb"].SentimentClassifier = averaged.SentimentClassifier
    assert parsed(call("gru_imdb", *TINY))["n"] == "64"


@pytest.mark.slow
def test_python_without_docstrings():
    result = python("-OO", ROOT / "gru_imdb.py", *TINY)
    if "_reference_pattern.finditer(doc_module.__doc__)" in result.stderr:
        pytest.skip("this TensorFlow does not load without docstrings (2.16.2 does not)")
    assert parsed(result)["n"] == "64"


# --------------------------------------------------------------------------------------- streams


FLAGS = ("--data", "my.npz", "--epochs", "1", "--units", "4")
PATHS = f"import sys; sys.path[:0] = {[str(ROOT), str(ROOT / 'tests')]}\n"
TINY_CODE = f"import common, averaged; common.run(lambda: averaged.main({FLAGS}))"
LONG_CODE = "import common; common.run(lambda: [print('a word') for _ in range(10**6)])"
# As in IDLE: what a learner's program prints into an object must still arrive.
IDLE_CODE = f"""import io
assert sys.stderr is None
sys.stderr = io.StringIO()
import common
print("said to an object", file=sys.stderr)
print(repr(sys.stderr.getvalue()))
sys.stderr = None
{TINY_CODE}"""


@posix
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- 2>&-", "| head -n 1"])
def test_closed_streams_are_no_trouble(closed, tmp_path):
    write_npz(tmp_path / "my.npz")
    code = {"2>&-": IDLE_CODE, "| head -n 1": LONG_CODE}.get(closed, TINY_CODE)
    command = shlex.join([sys.executable, "-c", PATHS + code])
    result = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{command} {closed}"],
        capture_output=True, encoding="utf-8", timeout=600, cwd=tmp_path,
    )  # fmt: skip
    assert (result.returncode, result.stderr) == (0, "")
    if code is LONG_CODE:
        assert result.stdout == "a word\n"
    else:
        assert bool(result.stdout) == closed.endswith("2>&-")
    if code is IDLE_CODE:
        assert result.stdout.startswith("'said to an object\\n'\ndata my.npz: ")


def test_what_tensorflow_says_at_the_start_is_shown_on_request():
    shown = run_script("gru_imdb", "--help", TF_CPP_MIN_LOG_LEVEL="0")
    assert shown.stdout.startswith("usage: gru_imdb.py")
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


@posix
def test_ctrl_c_says_what_was_reached_and_leaves_the_weights(tmp_path):
    # a suite that a shell runs in the background ignores SIGINT, and so would its children
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        [sys.executable, ROOT / "tests" / "averaged.py", "--data", write_npz(tmp_path / "my.npz"),
         "--units", "4", "--epochs", "10000", "--save", "w.weights.h5"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", cwd=tmp_path,
    )  # fmt: skip
    signal.signal(signal.SIGINT, before)
    while not (tmp_path / "w.weights.h5").exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 130 and errors == "error: interrupted\n"
    assert re.match(r"\d+ of 10000 epochs in ", LAST_LINE.fullmatch(last_line(output))["done"])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["my.npz", "w.weights.h5"]
    flags = ("--load", tmp_path / "w.weights.h5", "--units", "4", "--data", tmp_path / "my.npz")
    parsed(call("averaged", *flags))


# --------------------------------------------------------------------------------------- devices


@pytest.fixture
def driver(tmp_path, monkeypatch):
    """A path that stands in for the driver's, on a machine whose GPU TensorFlow does not see."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind=None: [])
    monkeypatch.setattr(common, "NVIDIA", (str(tmp_path / "nvidia0"), str(tmp_path / "libcuda")))
    (tmp_path / "libcuda").touch()
    return tmp_path / "libcuda"


def test_a_gpu_that_tensorflow_does_not_see_is_said(driver):
    result = call("averaged", *TINY)
    assert parsed(result)["device"] == "CPU" or GPUS
    assert len(result.stderr.splitlines()) == 1 and result.stderr.startswith("warning: ")
    assert 'pip install "tensorflow[and-cuda]"' in result.stderr
    assert "TF_CPP_MIN_LOG_LEVEL=0" in result.stderr


@pytest.mark.skipif(bool(GPUS), reason="a Python that has used a GPU cannot hide it")
def test_nothing_is_said_where_there_is_none_or_it_is_not_wanted(driver, monkeypatch, capsys):
    common.parse_args("gru_imdb.py", ["--device", "cpu"])
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    common.parse_args("gru_imdb.py", [])
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    driver.unlink()
    common.parse_args("gru_imdb.py", [])
    assert capsys.readouterr().err == ""


def test_gpu_without_a_gpu_is_an_error_that_helps(driver):
    result = call("averaged", *TINY, "--device", "gpu")
    check_failure(result, 'pip install "tensorflow[and-cuda]"', status=2)
    assert "TF_CPP_MIN_LOG_LEVEL=0" in result.stderr


def test_cpu_hides_the_gpus(monkeypatch):
    hidden = []
    monkeypatch.setattr(
        tf.config, "set_visible_devices", lambda devices, kind=None: hidden.append((devices, kind))
    )
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind=None: [])
    common.parse_args("lstm_imdb.py", ["--device", "auto"])
    assert hidden == []
    common.parse_args("lstm_imdb.py", ["--device", "cpu"])
    assert hidden == [([], "GPU")]


def test_cpu_after_a_run_on_the_gpu_is_one_line(monkeypatch):
    """TensorFlow hides no GPU that this Python has used."""

    def used(*args):
        raise RuntimeError("Visible devices cannot be modified after being initialized")

    monkeypatch.setattr(tf.config, "set_visible_devices", used)
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind=None: ["a GPU"])
    check_failure(call("averaged", *TINY, "--device", "cpu"), "restart", status=2)


def test_the_last_line_names_the_device_that_was_used(monkeypatch):
    """Not the one that is visible: on this machine the weights lie where TensorFlow put them."""
    expected = "GPU" if GPUS else "CPU"
    assert parsed(call("averaged", *TINY))["device"] == expected
    flip = {"GPU": [], "CPU": ["a GPU"]}[expected]
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind=None: flip)
    result = call("averaged", *TINY)
    assert parsed(result)["device"] == expected
