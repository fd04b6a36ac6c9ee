"""What the README says exists: commands, flags, files."""

import functools
import importlib.util
import re
import shlex

import pytest
from conftest import ROOT, SCRIPTS, run_script

README = (ROOT / "README.md").read_text(encoding="utf-8")
GUIDE = (ROOT / "docs" / "guide.zh-CN.md").read_text(encoding="utf-8")


@functools.cache
def help_of(name):
    return run_script(name, "--help").stdout


def flags_of(text):
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text))


def test_the_flag_table_and_help_agree():
    table = README.split("## Flags")[1].split("## Data without")[0]
    of_help = flags_of(help_of("gru_imdb"))
    assert flags_of(table) | {"--help"} == of_help


def test_every_flag_in_the_readme_and_the_guide_exists():
    known = flags_of(help_of("gru_imdb"))
    for tool in ("tests/benchmark.py", "docs/results.py", "docs/figures.py"):
        known |= flags_of((ROOT / tool).read_text(encoding="utf-8"))
    assert flags_of(README + GUIDE) <= known


@pytest.mark.parametrize("text", [README, GUIDE], ids=["README", "guide"])
def test_every_command_names_a_script_and_flags_it_has(text):
    commands = re.findall(r"^python ((?:docs/|tests/)?(\w+)\.py.*)$", text, re.M)
    assert len(commands) >= 3
    for command, name in commands:
        of_script = help_of(name) if name in SCRIPTS else (ROOT / command.split()[0]).read_text()
        assert flags_of(command) <= flags_of(of_script), command


@pytest.mark.parametrize("name", SCRIPTS)
def test_help_is_the_same_but_for_the_name(name):
    text = help_of(name).split("options:")[1]
    assert text == help_of("gru_imdb").split("options:")[1]


def test_every_script_and_file_named_exists():
    for name in re.findall(r"[\w/]+\.(?:py|txt)\b", (README + GUIDE).replace("\\", "/")):
        assert (ROOT / name).exists(), name


@pytest.mark.parametrize("text", [README, GUIDE], ids=["README", "guide"])
def test_the_commands_are_whole(text):
    blocks = re.findall(r"```sh\n(.*?)```", text, re.S)
    lines = [line for block in blocks for line in block.splitlines()]
    assert len(lines) >= 4
    for line in lines:
        assert shlex.split(line)[0] in ("python", "python3")


@pytest.mark.parametrize("name", ["README.md", "docs/guide.zh-CN.md"])
def test_every_link_and_picture_exists(name):
    path = ROOT / name
    links = re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8"))
    assert len(links) >= 3
    for link in links:
        assert (path.parent / link).is_file(), link


def test_the_results_tables_say_what_the_runs_in_the_csv_gave():
    spec = importlib.util.spec_from_file_location("results", ROOT / "docs" / "results.py")
    results = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(results)
    header, rule, *rows = results.table().splitlines()
    assert f"{header}\n{rule}\n" in README and len(rows) == 4
    for text in (README, GUIDE):
        assert "\n".join(rows) in text
