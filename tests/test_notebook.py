"""The scripts in a real Jupyter kernel, as a learner runs them there."""

import os

import nbclient
import nbformat
import pytest
from conftest import ROOT, write_npz

INTERRUPT = """import os, signal, threading, time
def interrupt():  # as the button does
    while not os.path.exists({path!r}):
        time.sleep(0.1)
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=interrupt, daemon=True).start()"""


def run(cells):
    """Run cells in one kernel and return what each printed, and its error if it ended with one."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    nbclient.NotebookClient(
        notebook, timeout=200, allow_errors=True, resources={"metadata": {"path": str(ROOT)}}
    ).execute()
    results = []
    for cell in notebook.cells:
        text = {"stdout": "", "stderr": "", "error": ""}
        for output in cell.outputs:
            if output.output_type == "stream":
                text[output.name] += output.text
            elif output.output_type == "error":
                text["error"] += output.ename
        results.append(text)
    return results


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    """What a learner does in one kernel -> what each cell printed, where the weights are."""
    folder = tmp_path_factory.mktemp("notebook")
    weights, data = folder / "w.weights.h5", write_npz(folder / "my.npz")
    flags = ["--data", str(data), "--units", "4", "--epochs", "1"]
    quoted = f"--data '{data}' --units 4 --epochs"
    cells = {
        "run": f"%run rnn_layer_imdb.py {quoted} 1",
        "import": "import sys; sys.path.append('tests')\nimport averaged",
        "main": f"averaged.main({flags})",
        "main again": f"averaged.main({flags})",
    }
    if os.name == "posix":
        cells["interrupt"] = INTERRUPT.format(path=str(weights))
        cells["interrupted"] = f"%run tests/averaged.py {quoted} 10000 --save '{weights}'"
        cells["after"] = "print('alive')"
    return dict(zip(cells, run(cells.values()))), weights


def test_percent_run_and_main_twice_in_one_kernel(kernel):
    cells, _ = kernel
    for name, script in ("run", "rnn_layer_imdb"), ("main", "gru_imdb"), ("main again", "gru_imdb"):
        assert cells[name]["error"] == "" and cells[name]["stderr"] == "", cells[name]
        assert cells[name]["stdout"].splitlines()[-1].startswith(f"{script}: test accuracy ")
    assert "\b" in cells["run"]["stdout"] or "\r" in cells["run"]["stdout"]  # a progress bar
    lines = [cells[name]["stdout"].splitlines()[-1] for name in ("main", "main again")]
    accuracy = [line.split(", 1 epoch")[0] for line in lines]
    assert accuracy[0] == accuracy[1]  # the seed is set anew


@pytest.mark.skipif(os.name != "posix", reason="how a kernel is interrupted")
def test_an_interrupt_ends_the_cell_and_leaves_the_weights(kernel):
    cells, weights = kernel
    assert " of 10000 epochs in " in cells["interrupted"]["stdout"].splitlines()[-1]
    assert "interrupted" in cells["interrupted"]["stderr"] and weights.exists()
    assert cells["after"]["stdout"] == "alive\n"
