"""What the README and the documents say exists: commands, flags, files, links, figures."""

import functools
import re
import shlex
import statistics
import subprocess
import sys

import pytest
import results
import tables
from conftest import ROOT, SCRIPTS, run_script

DOCUMENTS = {
    name: (ROOT / name).read_text(encoding="utf-8")
    for name in ("README.md", *(str(p.relative_to(ROOT)) for p in (ROOT / "docs").rglob("*.md")))
}
README, GUIDE = DOCUMENTS["README.md"], DOCUMENTS["docs/zh-CN/guide.md"]
each_document = pytest.mark.parametrize("name", DOCUMENTS)


@functools.cache
def help_of(name):
    return run_script(name, "--help").stdout


def flags_of(text):
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text))


@pytest.mark.parametrize("text, title", [(README, "## Flags"), (GUIDE, "## 命令行")])
def test_the_flag_tables_and_help_agree(text, title):
    table = re.findall(r"^\| `--.*$", text.split(title)[1].split("\n## ")[0], re.M)
    of_help = flags_of(help_of("gru_imdb"))
    assert set().union(*(flags_of(row.split("|")[1]) for row in table)) | {"--help"} == of_help


@each_document
def test_every_flag_exists(name):
    known = flags_of(help_of("gru_imdb")) | {"--pre"}
    for tool in ROOT.glob("docs/*/*.py"):
        known |= flags_of(tool.read_text(encoding="utf-8"))
    assert flags_of(DOCUMENTS[name]) <= known


@each_document
def test_every_command_names_a_script_and_flags_it_has(name):
    blocks = re.findall(r"```sh\n(.*?)```", DOCUMENTS[name], re.S)
    for line in (line for block in blocks for line in block.splitlines()):
        program, *arguments = shlex.split(line)
        assert program in ("python", "python3", "git"), line
        if program == "python":
            script = ROOT / arguments[0]
            known = help_of(script.stem) if script.stem in SCRIPTS else script.read_text("utf-8")
            if script.stem == "baseline":
                known += help_of("gru_imdb")
            assert flags_of(line) <= flags_of(known), line


@pytest.mark.parametrize("name", SCRIPTS)
def test_help_is_the_same_but_for_the_name(name):
    text = help_of(name).split("options:")[1]
    assert text == help_of("gru_imdb").split("options:")[1]


@each_document
def test_every_file_named_exists(name):
    text = DOCUMENTS[name].replace("\\", "/")
    for file in re.findall(r"(?<![\w/])[\w/-]+\.(?:py|txt|patch)\b", text):
        assert any(
            (ROOT / folder / file).exists()
            for folder in ("", "docs/exercises", "docs/tools", "docs/measure")
        ), file


@each_document
def test_every_link_anchor_and_picture_exists(name):
    folder = (ROOT / name).parent
    links = re.findall(r"\]\(([^)]+)\)", DOCUMENTS[name])
    for link in links:
        assert "://" not in link and "#" not in link, link  # none so far
        assert (folder / link).is_file(), link


def test_every_picture_is_shown_somewhere():
    shown = " ".join(DOCUMENTS.values())
    for path in (ROOT / "docs/pictures").iterdir():
        if path.suffix in (".png", ".svg"):
            assert path.name in shown


def test_every_table_is_the_one_made_from_the_csvs():
    found = [
        name for text in DOCUMENTS.values() for name in re.findall("<!-- table: (.*) -->", text)
    ]
    assert set(found) == set(tables.TABLES)  # every one is shown, and none is unknown
    out = subprocess.run(
        [sys.executable, ROOT / "docs/measure/tables.py", "--check"], capture_output=True, text=True
    )
    assert (out.returncode, out.stdout.strip()) == (0, "")


def test_the_text_of_the_exercises_has_the_scores_of_the_csv():
    text = " ".join(DOCUMENTS["docs/exercises.md"].split())
    rows = list(tables.exercises())
    assert len(rows) == 11  # all but loop or unroll
    for names, score, before in rows:
        number = names[0].split(".")[0]
        section = text.split(f"## {number}. ")[1].split(" ## ")[0]
        assert f"**Seen.** {score[0]}" in section and before[0] in section, number


def test_the_scores_of_averaging_are_those_of_the_csv():
    for change in "", "--bigrams":
        accuracy = tables.values("exercises", "accuracy", exercise="12", change=change)
        english, chinese = tables.percent([statistics.mean(accuracy)])
        assert english in README and chinese in GUIDE


def test_both_languages_have_the_same_commands():
    def commands(text):
        lines = "\n".join(re.findall(r"```(?:sh|bat|python)\n(.*?)```", text, re.S)).splitlines()
        return {line for line in lines if "pip" in line or "imdb.npz" in line or "main(" in line}

    assert commands(README) <= commands(GUIDE)


def test_the_sample_run_is_a_row_of_the_results():
    (line,) = set(re.findall(r"^rnn_cell_imdb: test accuracy.*$", README + GUIDE, re.M))
    row = results.LAST_LINE.fullmatch(line).groupdict()
    with open(results.CSV, newline="") as file:
        (own,) = [
            r
            for r in results.csv.DictReader(file)
            if (r["script"], r["seed"]) == (row["script"], row["seed"])
        ]
    assert own["right"] == row["right"] and own["loss"] == row["loss"]


def test_nobody_says_any_more_that_the_gates_open():
    for name, text in DOCUMENTS.items():
        for sentence in re.split(r"[.。]\s", text):
            if "opened the" in sentence and "gates" in sentence:
                assert "It would be natural to say" in sentence, name
    for script in SCRIPTS:
        assert "keeps its carry" not in (ROOT / f"{script}.py").read_text(encoding="utf-8")
