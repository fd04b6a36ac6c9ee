"""What must pass before anything lands: .ci/run with stand-ins for its programs, the workflow,
and the versions that requirements, CI and pages name."""

import os
import re
import shutil
import subprocess

import pytest
from conftest import ROOT, posix
from packaging.requirements import Requirement
from pages import CHINESE, ENGLISH

# Every program of .ci/run: writes its command line down, fails at one, and python3 makes a .venv.
STAND_IN = r"""#!/bin/sh
line="$(basename "$0") $*"
case "$0" in */old/bin/*) line="old $line" ;; esac
echo "$line${IMDB_NPZ:+ on $IMDB_NPZ}" >> "$LOG"
case "$line" in $FAIL) exit 3 ;; esac
case "$line" in
  */others.txt) cat "${line##* }" >> "$LOG" ;;
  "python3 -m venv "*)
    mkdir -p "$3/bin"
    for name in python pip ruff; do cp "$0" "$3/bin/$name"; done ;;
esac
"""
RUN = (ROOT / ".ci/run").read_text(encoding="utf-8")
WORKFLOW = (ROOT / ".github/workflows/tests.yml").read_text(encoding="utf-8")
MINIMUM = (ROOT / ".ci/at-least").read_text(encoding="utf-8").strip()
STEPS = [
    "python3 -m venv .venv",
    "pip install -r tests/requirements.txt",
    "python -m pytest",
    "ruff format --check .",
    "ruff check .",
    f"python -m pytest -n 2 -m not slow --at-least {MINIMUM}",
    "python -m pytest -n 2 -m slow --at-least 6",
]


@pytest.fixture
def ci_run(tmp_path):
    """ci_run(fail=""): run .ci/run in a repository -> its status, the lines that it started."""
    repository, programs = tmp_path / "repository", tmp_path / "bin"
    for name in ".ci/run", ".ci/at-least", "README.md", "tests/requirements.txt":
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, repository / name)
    programs.mkdir()
    (programs / "python3").write_text(STAND_IN)
    (programs / "python3").chmod(0o755)
    subprocess.run(["git", "init", "-q"], check=True, cwd=repository)
    subprocess.run(["git", "add", "."], check=True, cwd=repository)

    def run(fail="", **environment):
        log = tmp_path / "log"
        log.write_text("")
        (tmp_path / "work").mkdir(exist_ok=True)
        path = f"{programs}{os.pathsep}{os.environ['PATH']}"
        more = {"PATH": path, "LOG": str(log), "FAIL": fail, "TMPDIR": str(tmp_path / "work")}
        more["VIRTUAL_ENV"] = str(tmp_path)  # an active one is not used
        mine = {name: value for name, value in os.environ.items() if name != "IMDB_NPZ"}
        result = subprocess.run(
            ["bash", repository / ".ci/run"], env=mine | more | environment, capture_output=True
        )
        assert not [*(tmp_path / "work").iterdir(), *repository.glob(".venv")]  # nothing is left
        return result.returncode, log.read_text().splitlines()

    return run


@posix
def test_the_whole_suite_runs_in_a_copy_and_stops_at_the_first_failure(ci_run):
    assert ci_run() == (0, STEPS)
    for n, step in enumerate(STEPS):
        status, started = ci_run(fail=step)
        assert status != 0 and started == STEPS[: n + 1]


@posix
def test_other_versions_run_the_same_suite_and_real_reviews_are_found(ci_run, tmp_path):
    others = (ROOT / "tests/requirements.txt").read_text(encoding="utf-8").splitlines()
    others = [line for line in others if not line.startswith(("-r", "ruff"))]
    expected = [*STEPS]
    for versions in re.search('in "(.*)" "(.*)"; do', RUN).groups():
        expected += ["python3 -m venv old --clear", f"old pip install -q {versions}"]
        expected += ["old pip install -q -r others.txt", *others, f"old {STEPS[5]}"]
    _, started = ci_run(ALL_VERSIONS="1")
    assert [re.sub(r"/\S+/(old|others)", r"\1", line) for line in started] == expected
    (tmp_path / "shared/data").mkdir(parents=True)
    (tmp_path / "shared/data/imdb.npz").touch()
    there = os.path.realpath(tmp_path / "shared/data/imdb.npz")
    assert ci_run() == (0, [f"{step} on {there}" for step in STEPS])
    status, _ = ci_run(fail="old pip install -q --pre*", ALL_VERSIONS="1")
    assert status != 0


def test_the_workflow_runs_the_whole_suite_on_every_system_and_python():
    suite, coming = WORKFLOW.split("\n  coming:\n")
    for line in (
        "fail-fast: false", "os: [ubuntu-latest, macos-latest, windows-latest]", "contents: read",
        "runs-on: ${{ matrix.os }}", "python-version: ${{ matrix.python }}",
        '- cron: "17 4 * * 1" # once a week',
    ):  # fmt: skip
        assert f" {line}\n" in suite
    run = 'python -m pytest -n 2 -m "not slow" --at-least $(cat .ci/at-least)'
    install = "python -m pip install"
    assert re.findall("run: (.*)", suite) == [f"{install} -r tests/requirements.txt", run]
    packages, others, *rest = re.findall("run: (.*)", coming)
    assert packages == f"{install} --pre tensorflow numpy" and f'{others[:-10]}"$work/' in RUN
    assert others.endswith(" others.txt") and rest == [f"{install} -r others.txt", run]
    assert int(MINIMUM) > 300 and "continue-on-error" not in WORKFLOW
    events = set(re.findall("^  ([a-z_]+):", suite.split("\non:\n")[1].split("\njobs:")[0], re.M))
    assert {"push", "pull_request", "schedule"} <= events
    assert re.findall("if: (.*)", WORKFLOW) == ["github.event_name == 'schedule'"]


def requirements():
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    lines = [Requirement(line) for line in lines if not line.startswith("#")]
    return {requirement.name: requirement.specifier for requirement in lines}


def test_the_floors_are_the_versions_that_ci_runs_and_the_pages_name():
    floors = requirements()
    (oldest,) = re.findall(r'"(tensorflow==\S+ keras==\S+ numpy==\S+)"', RUN)
    versions = dict(pair.split("==") for pair in oldest.split())
    assert versions.keys() == floors.keys()
    for name, version in versions.items():
        assert version in floors[name], name
        (floor,) = (bound.version for bound in floors[name] if bound.operator == ">=")
        assert f"{version}.".startswith(f"{floor}."), name  # and nothing older
    (coming,) = re.findall(r"--pre tensorflow==([\w.]+)", RUN)
    assert floors["tensorflow"].contains(coming, prereleases=True)
    for pages in ENGLISH, CHINESE:
        text = "\n".join(pages.values())
        for version in (versions["tensorflow"], versions["keras"], coming):
            assert re.search(rf"(?<![\w.]){re.escape(version)}(?![\w.]*\w)", text), version


def test_the_pages_name_the_pythons_of_the_workflow():
    low, high = re.search(r'python: \["(.*)", "(.*)"\]', WORKFLOW).groups()
    for pages in ENGLISH, CHINESE:
        ranges = re.findall(r"(3\.\d+)(?: to |～)(3\.\d+)", "\n".join(pages.values()))
        assert (low, high) in ranges
        assert set(ranges) <= {(low, high), (low, "3.12")}  # Macs with Intel's chips end there
    ruff = (ROOT / ".ruff.toml").read_text(encoding="utf-8")
    assert f'target-version = "py{low.replace(".", "")}"' in ruff
