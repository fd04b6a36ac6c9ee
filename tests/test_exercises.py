"""Every patch of docs/exercises.md goes onto the scripts as they are, and the result runs."""

import re
import shutil
import subprocess
import sys

import pytest
from conftest import ROOT, last_line

PATCHES = sorted((ROOT / "docs" / "exercises").glob("*.patch"))
TEXT = (ROOT / "docs" / "exercises.md").read_text(encoding="utf-8")


def scripts_of(patch):
    """The scripts to run: the one that is patched, or the LSTM when it is common.py."""
    (name,) = re.findall(r"^\+\+\+ b/(\w+\.py)$", patch.read_text(encoding="utf-8"), re.M)
    return "lstm_imdb.py" if name == "common.py" else name


@pytest.mark.parametrize("patch", PATCHES, ids=lambda path: path.stem)
def test_a_patch_applies_runs_and_comes_off_again(patch, tmp_path):
    for path in ROOT.glob("*.py"):
        shutil.copy(path, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    subprocess.run(["git", "apply", patch], check=True, cwd=tmp_path)
    assert sum(path.read_bytes() != before[path.name] for path in tmp_path.iterdir()) == 1
    flags = ["--data", "toy", "--subset", "64", "--epochs", "1", "--units", "4"]
    result = subprocess.run(
        [sys.executable, scripts_of(patch), *flags],
        cwd=tmp_path, capture_output=True, encoding="utf-8", timeout=600,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert ": test accuracy " in last_line(result.stdout)
    shutil.rmtree(tmp_path / "__pycache__", ignore_errors=True)
    subprocess.run(["git", "apply", "-R", patch], check=True, cwd=tmp_path)
    assert before == {path.name: path.read_bytes() for path in tmp_path.iterdir()}


def test_the_text_names_every_patch_and_no_other():
    named = set(re.findall(r"\b\d\d-[a-z0-9-]+\.patch", TEXT))
    assert named == {path.name for path in PATCHES} and len(named) == 10


def test_there_are_fifteen_exercises_each_with_its_four_parts():
    parts = re.split(r"^## \d+\. ", TEXT, flags=re.M)[1:]
    assert len(parts) == 15
    for part in parts:
        for word in ("**Do.**", "**Ask.**", "**Seen.**", "**Learned.**"):
            assert part.count(word) == 1, part
