"""The learner's machine: environment, streams, devices, Ctrl-C. Some of it needs a process."""

import json
import os
import re
import shlex
import shutil
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
    parsed,
    posix,
    python,
    write_npz,
)

GPUS = tf.config.list_physical_devices("GPU")


# ----------------------------------------------------------------------- while TensorFlow loads


@pytest.fixture
def load(tmp_path):
    """Import common.py where TensorFlow is a stand-in that does something -> CompletedProcess."""
    shutil.copy(ROOT / "common.py", tmp_path)
    for module in "h5py", "keras", "numpy":
        (tmp_path / f"{module}.py").touch()
    plain = {k: v for k, v in os.environ.items() if not re.match("(TF|CUDA|KERAS)_", k)}

    def run(tensorflow, before="", **environment):
        (tmp_path / "tensorflow.py").write_text(f"import json, os\n{tensorflow}")
        return subprocess.run(
            [sys.executable, "-B", "-c", f"import os\n{before}\nimport common"],
            capture_output=True, encoding="utf-8", cwd=tmp_path, env={**plain, **environment},
        )  # fmt: skip

    return run


@pytest.fixture
def variables(load):
    """variables(...): the environment that TensorFlow sees while it loads."""
    show = "print(json.dumps(dict(os.environ)), flush=True)\nos._exit(0)"
    return lambda *args, **environment: json.loads(load(show, *args, **environment).stdout)


@pytest.mark.parametrize(
    "affinity, count, threads",
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
    variables, affinity, count, threads
):
    system = f"os.cpu_count = lambda: {count}\nos.sched_getaffinity = lambda pid: {affinity}"
    if affinity is None:
        system += "\ndel os.sched_getaffinity"
    assert variables(system).get("TF_NUM_INTRAOP_THREADS") == threads
    assert variables(system, TF_NUM_INTRAOP_THREADS="3")["TF_NUM_INTRAOP_THREADS"] == "3"


def test_defaults_of_tensorflow_that_a_learner_may_set_otherwise(variables):
    defaults = {"TF_FORCE_GPU_ALLOW_GROWTH": "true", "TF_DETERMINISTIC_OPS": "1"}
    assert defaults.items() <= variables().items()
    learners = {"TF_FORCE_GPU_ALLOW_GROWTH": "false", "TF_DETERMINISTIC_OPS": "0"}
    assert learners.items() <= variables(**learners).items()


def test_keras_runs_on_tensorflow_and_looks_for_no_keras_json_while_it_loads(variables, tmp_path):
    for environment in {}, {"KERAS_HOME": str(tmp_path), "KERAS_BACKEND": "jax"}:
        loading = variables(**environment)
        assert loading["KERAS_HOME"] == os.devnull and loading["KERAS_BACKEND"] == "tensorflow"


@pytest.mark.parametrize("level, shown", [(None, False), ("0", True), ("1", True)])
def test_what_tensorflow_writes_while_it_loads_is_shown_on_request(load, level, shown):
    environment = {"TF_CPP_MIN_LOG_LEVEL": level} if level else {}
    result = load("os.write(2, b'cuInit')\nraise SystemExit", **environment)
    assert result.stderr == ("cuInit" if shown else "")


@pytest.mark.parametrize(
    "fault, status, words",
    [("ImportError('DLL load failed')", 1, "DLL load failed"), ("KeyboardInterrupt", 130, "")],
)
def test_an_error_while_tensorflow_loads_is_shown_and_ctrl_c_is_not(load, fault, status, words):
    result = load(f"raise {fault}")
    assert result.returncode == status and words in result.stderr
    assert bool(result.stderr) == bool(words)


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


# -------------------------------------------------------------------------- streams and terminals


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
@pytest.mark.parametrize(
    "closed, code, start",
    [
        (">&-", TINY_CODE, ""),
        ("2>&-", IDLE_CODE, "'said to an object\\n'\ndata my.npz: "),
        ("<&- 2>&-", TINY_CODE, "data my.npz: "),
        ("| head -n 1", LONG_CODE, "a word\n"),
    ],
)
def test_closed_streams_are_no_trouble(closed, code, start, tmp_path):
    write_npz(tmp_path / "my.npz")
    command = shlex.join([sys.executable, "-c", PATHS + code])
    result = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{command} {closed}"],
        capture_output=True, encoding="utf-8", timeout=600, cwd=tmp_path,
    )  # fmt: skip
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith(start)
    assert start or not result.stdout


# a suite that a shell runs in the background ignores SIGINT, and so would its children
TERMINAL = """import os, pty, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"""


@posix
def test_a_terminal_shows_a_bar_and_its_ctrl_c_leaves_a_line_and_the_weights(tmp_path):
    flags = ("--data", write_npz(tmp_path / "my.npz"), "--units", "4")
    process = subprocess.Popen(
        [sys.executable, "-c", TERMINAL, sys.executable, ROOT / "gru_imdb.py", *flags,
         "--epochs", "10000", "--save", "w.weights.h5"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=tmp_path,
    )  # fmt: skip
    try:
        while not (tmp_path / "w.weights.h5").exists():
            assert process.poll() is None, process.communicate()
            time.sleep(0.1)
        output = process.communicate(b"\x03", timeout=120)[0].decode("utf-8")
    finally:
        process.kill()  # then the terminal is gone, and the script with it
    *_, line, error = output.splitlines()
    assert process.returncode == 130 and error == "error: interrupted"
    assert re.match(r"\d+ of 10000 epochs in ", LAST_LINE.search(line)["done"])
    assert re.search("[\b\r]+.*━", output), output  # a bar, drawn over itself
    assert sorted(path.name for path in tmp_path.iterdir()) == ["my.npz", "w.weights.h5"]
    parsed(call("gru_imdb", *flags, "--load", tmp_path / "w.weights.h5"))


@pytest.mark.parametrize("columns", ["1", "19", "many"])
def test_a_terminal_of_any_width_is_no_error(monkeypatch, columns):
    """Keras's summary raises below 20 columns."""
    monkeypatch.setenv("COLUMNS", columns)
    assert call("averaged", *TINY).returncode == 0
    assert int(os.environ["COLUMNS"]) >= 40


# --------------------------------------------------------------------------------------- devices

# the driver of a GPU by the papers of NVIDIA (Linux) and Microsoft (WSL2)
DRIVERS = "/dev/nvidia0", "/usr/lib/wsl/lib/libcuda.so.1"


@pytest.fixture
def gpus(monkeypatch):
    """gpus(*visible, driver="..."): what TensorFlow sees, and which path of a driver there is."""

    def machine(*visible, driver=None):
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind=None: list(visible))
        exists = os.path.exists
        monkeypatch.setattr(
            os.path, "exists", lambda path: path == driver if path in DRIVERS else exists(path)
        )

    return machine


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_gpu_that_tensorflow_does_not_see_is_said(gpus, driver):
    gpus(driver=driver)
    result = call("averaged", *TINY)
    assert parsed(result)["device"] == "CPU" or GPUS
    assert len(result.stderr.splitlines()) == 1 and result.stderr.startswith("warning: ")
    assert 'pip install "tensorflow[and-cuda]"' in result.stderr
    assert "TF_CPP_MIN_LOG_LEVEL=0" in result.stderr


@pytest.mark.skipif(bool(GPUS), reason="a Python that has used a GPU cannot hide it")
def test_nothing_is_said_where_there_is_none_or_it_is_not_wanted(gpus, monkeypatch, capsys):
    gpus(driver=DRIVERS[0])
    common.parse_args("gru_imdb.py", ["--device", "cpu"])
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    common.parse_args("gru_imdb.py", [])
    gpus()
    common.parse_args("gru_imdb.py", [])
    assert capsys.readouterr().err == ""


def test_gpu_without_a_gpu_is_an_error_that_helps(gpus):
    gpus(driver=DRIVERS[0])
    result = call("averaged", *TINY, "--device", "gpu")
    check_failure(result, 'pip install "tensorflow[and-cuda]"', status=2)
    assert "TF_CPP_MIN_LOG_LEVEL=0" in result.stderr


def test_cpu_hides_the_gpus(gpus, monkeypatch):
    gpus()
    calls = []
    monkeypatch.setattr(tf.config, "set_visible_devices", lambda *args: calls.append(args))
    common.parse_args("lstm_imdb.py", ["--device", "auto"])
    assert calls == []
    common.parse_args("lstm_imdb.py", ["--device", "cpu"])
    assert calls == [([], "GPU")]


def test_cpu_after_a_run_on_the_gpu_is_one_line(gpus, monkeypatch):
    """TensorFlow hides no GPU that this Python has used."""

    def used(*args):
        raise RuntimeError("Visible devices cannot be modified after being initialized")

    gpus("a GPU")
    monkeypatch.setattr(tf.config, "set_visible_devices", used)
    check_failure(call("averaged", *TINY, "--device", "cpu"), "restart", status=2)


def test_the_last_line_names_the_device_that_was_used(gpus):
    """Not the one that is visible: on this machine the weights lie where TensorFlow put them."""
    device = "GPU" if GPUS else "CPU"
    assert parsed(call("averaged", *TINY))["device"] == device
    gpus(*[] if GPUS else ["a GPU"])
    assert parsed(call("averaged", *TINY))["device"] == device
