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
import gru_imdb
import keras
import pytest
import tensorflow as tf
from conftest import LAST_LINE, ROOT, TINY, call, check_failure, checked, parsed, posix, write_npz

GPUS = tf.config.list_physical_devices("GPU")
STAND_INS = {  # of what common.py imports
    "h5py": "",
    "numpy": "",
    "keras": "class callbacks: Callback = type('Callback', (), {})",
    "tensorflow": "import os\nclass config: list_physical_devices = str\n",
}

# ----------------------------------------------------------------------- while TensorFlow loads


@pytest.fixture
def python(tmp_path):
    """python(code): run code where TensorFlow is a stand-in, which may do something while it loads
    -> CompletedProcess."""
    shutil.copy(ROOT / "common.py", tmp_path)
    plain = {k: v for k, v in os.environ.items() if not re.match("(TF|CUDA|KERAS)_", k)}

    def run(code, loading="", redirect="", **environment):
        for name, content in STAND_INS.items():
            (tmp_path / f"{name}.py").write_text(content + loading * (name == "tensorflow"))
        command = [sys.executable, "-B", "-c", f"import os, sys\n{code}"]
        if redirect:
            command = ["bash", "-o", "pipefail", "-c", f"{shlex.join(command)} {redirect}"]
        environment = {**plain, **environment}
        return subprocess.run(
            command, capture_output=True, encoding="utf-8", cwd=tmp_path, env=environment
        )

    return run


@pytest.fixture
def variables(python):
    """variables(...): the environment that TensorFlow sees while it loads, and gc's threshold."""
    state = "{**os.environ, 'gc': gc.get_threshold()[0]}"
    show = f"import gc, json\nprint(json.dumps({state}), flush=True)\nos._exit(0)"
    return lambda system="", **environment: json.loads(
        python(f"{system}\nimport common", show, **environment).stdout
    )


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
)
def test_one_thread_an_operation_where_there_are_two_cores_or_fewer(
    variables, affinity, count, threads
):
    system = f"os.cpu_count = lambda: {count}\nos.sched_getaffinity = lambda pid: {affinity}"
    if affinity is None:
        system += "\ndel os.sched_getaffinity"
    assert variables(system).get("TF_NUM_INTRAOP_THREADS") == threads


NO_JSON = {"KERAS_HOME": os.devnull, "KERAS_BACKEND": "tensorflow"}
DEFAULTS = {"TF_FORCE_GPU_ALLOW_GROWTH": "true", "TF_DETERMINISTIC_OPS": "1"}
DEFAULTS |= {"TF_CPP_MIN_LOG_LEVEL": "2"}  # later errors are shown
LEARNERS = {"TF_FORCE_GPU_ALLOW_GROWTH": "false", "TF_DETERMINISTIC_OPS": "0"}
LEARNERS |= {"TF_NUM_INTRAOP_THREADS": "3", "TF_CPP_MIN_LOG_LEVEL": "1"}


@pytest.mark.parametrize(
    "environment, loading",
    [
        ({}, {**DEFAULTS, **NO_JSON, "gc": 10**6}),
        (LEARNERS, LEARNERS),
        ({"KERAS_HOME": "somewhere", "KERAS_BACKEND": "jax"}, NO_JSON),
    ],
)
def test_a_learner_may_set_what_tensorflow_reads_and_keras_looks_for_no_keras_json(
    variables, environment, loading
):
    assert loading.items() <= variables("os.cpu_count = lambda: 1", **environment).items()


def test_a_learners_keras_home_is_kept_or_it_is_that_of_keras(python):
    """That a keras.json in it changes nothing is seen in the runs of test_run.py."""
    code = "import common; print(common.KERAS_HOME, os.environ['KERAS_HOME'])"
    assert python(code, KERAS_HOME="somewhere").stdout == "somewhere somewhere\n"
    default = os.path.join(os.path.expanduser("~"), ".keras")
    assert python(code).stdout == f"{default} {default}\n"


@pytest.mark.parametrize("level, shown", [(None, ""), ("0", "cuInit"), ("1", "cuInit"), ("3", "")])
def test_what_tensorflow_writes_while_it_loads_is_shown_on_request(python, level, shown):
    environment = {"TF_CPP_MIN_LOG_LEVEL": level} if level else {}
    result = python("import common; os.write(2, b'.')", "os.write(2, b'cuInit')", **environment)
    assert result.stderr == f"{shown}."  # what comes later is always shown


@pytest.mark.parametrize(
    "fault, status, words",
    [("ImportError('DLL load failed')", 1, "DLL load failed"), ("KeyboardInterrupt", 130, "")],
)
def test_an_error_while_tensorflow_loads_is_shown_and_ctrl_c_is_not(python, fault, status, words):
    result = python("import common", f"raise {fault}")
    assert result.returncode == status and words in result.stderr
    assert bool(result.stderr) == bool(words)


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

SHORT = "import common; common.run(lambda: print('a word'))"
LONG = "import common; common.run(lambda: [print('a word') for _ in range(10**6)])"
# As in IDLE: what a learner's program prints into an object must still arrive.
IDLE = """import io
assert sys.stderr is None
sys.stderr = io.StringIO()
import common
print("to an object", file=sys.stderr)
print(repr(sys.stderr.getvalue()))
os.write(2, b"what TensorFlow writes later is no error")"""


@posix
@pytest.mark.parametrize(
    "redirect, code, out",
    [
        (">&-", SHORT, ""),
        ("2>&-", IDLE, "'to an object\\n'\n"),
        ("<&- 2>&-", IDLE, "'to an object\\n'\n"),
        ("| head -n 1", LONG, "a word\n"),
    ],
)
def test_closed_streams_are_no_trouble(python, redirect, code, out):
    result = python(code, redirect=redirect)
    assert (result.returncode, result.stdout, result.stderr) == (0, out, "")


@posix
def test_a_run_whose_streams_are_closed(tmp_path):
    flags = ("--data", write_npz(tmp_path / "my.npz"), "--epochs", "1", "--units", "4")
    program = [sys.executable, ROOT / "tests" / "averaged.py", *flags, "--log", tmp_path / "l.csv"]
    command = f"{shlex.join(map(str, program))} <&- >&- 2>&-"
    assert subprocess.run(["bash", "-c", command], timeout=600).returncode == 0
    assert len((tmp_path / "l.csv").read_text().splitlines()) == 2


# a suite that a shell runs in the background ignores SIGINT, and so would its children
TERMINAL = """import os, pty, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"""


@posix
def test_a_terminal_shows_a_bar_and_its_ctrl_c_leaves_a_line_and_the_weights(tmp_path):
    flags = ("--data", write_npz(tmp_path / "my.npz"), "--units", "4", "--epochs", "10000")
    program = [sys.executable, ROOT / "gru_imdb.py", *flags, "--save", "w.weights.h5"]
    process = subprocess.Popen(
        [sys.executable, "-c", TERMINAL, *program],
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
    model = gru_imdb.SentimentClassifier(4)
    model.build((None, common.MAX_REVIEW_LEN))
    model.load_weights(tmp_path / "w.weights.h5")


@pytest.mark.parametrize("columns, width", [("1", 40), ("19", 40), ("60", 60), ("many", None)])
def test_a_terminal_of_any_width_is_no_error(monkeypatch, columns, width):
    monkeypatch.setenv("COLUMNS", columns)
    common.parse_args("gru_imdb.py", [])
    keras.Sequential([keras.layers.Dense(1)]).summary()  # Keras raises below 20 columns
    assert int(os.environ["COLUMNS"]) == (width or shutil.get_terminal_size().columns)


# --------------------------------------------------------------------------------------- devices

# the driver of a GPU by the papers of NVIDIA (Linux) and Microsoft (WSL2)
DRIVERS = "/dev/nvidia0", "/usr/lib/wsl/lib/libcuda.so.1"


@pytest.fixture
def machine(monkeypatch):
    """machine(visible, driver): what TensorFlow sees, which path of a driver there is."""

    def make(*visible, driver=None):
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        devices = {None: list(visible), "GPU": list(visible)}
        monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind=None: devices[kind])
        monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind=None: ["hidden ones"])
        exists = os.path.exists
        monkeypatch.setattr(
            os.path, "exists", lambda path: path == driver if path in DRIVERS else exists(path)
        )

    return make


@pytest.fixture
def hidden(monkeypatch):
    """The calls that hide devices: a Python that has used a GPU could not hide it."""
    calls = []
    monkeypatch.setattr(tf.config, "set_visible_devices", lambda *args: calls.append(args))
    return calls


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_gpu_that_tensorflow_does_not_see_is_said_if_it_is_wanted(
    machine, driver, hidden, monkeypatch, capsys
):
    def warnings(*flags):
        common.parse_args("gru_imdb.py", flags)
        return capsys.readouterr().err

    machine()
    assert warnings() == ""
    machine("a GPU", driver=driver)
    assert warnings() == ""
    machine(driver=driver)
    warning = checked(warnings())
    assert warning.startswith("warning: ") and warning.count("\n") == 1
    assert warnings("--device", "cpu") == ""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert warnings() == ""


def test_gpu_without_a_gpu_is_an_error_that_helps(machine):
    machine(driver=DRIVERS[0])
    result = call("averaged", *TINY, "--device", "gpu")
    check_failure(result, f"--device gpu: {common.NO_GPU}", status=2)


def test_cpu_hides_the_gpus_and_nothing_else_does(hidden):
    common.parse_args("lstm_imdb.py", ["--device", "auto"])
    assert hidden == []
    common.parse_args("lstm_imdb.py", ["--device", "cpu"])
    assert hidden == [([], "GPU")]


def test_cpu_after_a_run_on_the_gpu_is_one_line(machine, monkeypatch):
    """TensorFlow hides no GPU that this Python has used."""

    def used(*args):
        raise RuntimeError("Visible devices cannot be modified after being initialized")

    machine("a GPU")
    monkeypatch.setattr(tf.config, "set_visible_devices", used)
    check_failure(call("averaged", *TINY, "--device", "cpu"), "restart", status=2)


def test_the_last_line_names_the_device_that_was_used(machine, monkeypatch):
    """Not the one that is visible: on this machine the weights lie where TensorFlow put them."""
    machine(*[] if GPUS else ["a GPU"])
    assert parsed(call("averaged", *TINY))["device"] == ("GPU" if GPUS else "CPU")
    other = f"/job:localhost/replica:0/task:0/device:{'CPU' if GPUS else 'GPU'}:0"
    monkeypatch.setattr(type(keras.Variable(0.0).value), "device", other)
    assert parsed(call("averaged", *TINY))["device"] == other[-5:-2]
