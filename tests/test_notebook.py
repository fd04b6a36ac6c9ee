"""The scripts in a real Jupyter kernel, as a learner runs them there."""

import os

import nbclient
import nbformat
import pytest
from conftest import ROOT

TINY = "--data toy --subset 256 --epochs 1 --units 4"


def run(*cells):
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


def test_percent_run_and_main_twice_in_one_kernel():
    first, second, third = run(
        f"%run gru_imdb.py {TINY}",
        f"import lstm_imdb\nlstm_imdb.main({TINY.split()})",
        f"lstm_imdb.main({TINY.split()})",
    )
    for result, script in (first, "gru_imdb"), (second, "lstm_imdb"), (third, "lstm_imdb"):
        assert result["error"] == "" and result["stderr"] == "", result
        assert result["stdout"].splitlines()[-1].startswith(f"{script}: test accuracy ")
    assert "\b" in first["stdout"] or "\r" in first["stdout"]  # a progress bar
    accuracy = [r["stdout"].splitlines()[-1].split(", 1 epoch")[0] for r in (second, third)]
    assert accuracy[0] == accuracy[1]  # the seed is set anew


@pytest.mark.skipif(os.name != "posix", reason="how a kernel is interrupted")
def test_an_interrupt_ends_the_cell_and_leaves_the_weights(tmp_path):
    weights = tmp_path / "w.weights.h5"
    interrupt = f"""
import os, signal, threading, time
def interrupt():  # as the button does
    while not os.path.exists({str(weights)!r}):
        time.sleep(0.1)
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=interrupt, daemon=True).start()
"""
    flags = f"--data toy --subset 256 --epochs 10000 --units 4 --save {weights}"
    _, result, after = run(interrupt, f"%run gru_imdb.py {flags}", "print('alive')")
    assert " of 10000 epochs in " in result["stdout"].splitlines()[-1]
    assert "interrupted" in result["stderr"] and weights.exists()
    assert after["stdout"] == "alive\n"
