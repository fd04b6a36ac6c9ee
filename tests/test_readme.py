"""What the README and the documents say exists: commands, flags, files, links, figures."""

import functools
import re
import shlex
import statistics
from pathlib import Path

import pytest
import results
import tables
from conftest import ROOT, SCRIPTS, call

ROOMS = {  # folder: endings of what lies in it
    "docs": {".md"},
    "docs/exercises": {".patch"},
    "docs/measure": {".py", ".csv", ".md"},
    "docs/pictures": {".png", ".svg"},
    "docs/tools": {".py"},
    "docs/zh-CN": {".md"},
}
PAGES = [ROOT / "README.md", *ROOT.glob(".github/*.md"), *(ROOT / "docs").rglob("*.md")]
DOCUMENTS = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in PAGES}
README, GUIDE = DOCUMENTS["README.md"], DOCUMENTS["docs/zh-CN/guide.md"]
TOOLS = [*ROOT.glob("docs/tools/*.py"), *ROOT.glob("docs/measure/*.py")]
TOOLS = [path for path in TOOLS if "__main__" in path.read_text("utf-8")]  # the others: libraries
each_document = pytest.mark.parametrize("name", DOCUMENTS)


@functools.cache
def help_of(name):
    return call(name, "--help").stdout


def flags_of(text):
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text))


@pytest.mark.parametrize("text, title", [(README, "## Flags"), (GUIDE, "## 命令行")])
def test_the_flag_tables_and_help_agree(text, title):
    table = re.findall(r"^\| `--.*$", text.split(title)[1].split("\n## ")[0], re.M)
    of_help = flags_of(help_of("gru_imdb"))
    assert set().union(*(flags_of(row.split("|")[1]) for row in table)) | {"--help"} == of_help


def test_every_room_has_what_belongs_there_and_nothing_else():
    for room, endings in ROOMS.items():
        paths = [path for path in (ROOT / room).iterdir() if path.name != "__pycache__"]
        assert {path.suffix for path in paths if path.is_file()} == endings, room
        folders = {path.relative_to(ROOT).as_posix() for path in paths if path.is_dir()}
        assert folders == {other for other in ROOMS if Path(other).parent == Path(room)}, room
    assert {Path(name).parent.as_posix() for name in DOCUMENTS} == {
        ".", ".github", "docs", "docs/measure", "docs/zh-CN",
    }  # fmt: skip


@each_document
def test_every_flag_exists(name):
    known = flags_of(help_of("gru_imdb")) | {"--pre"}
    for tool in TOOLS:
        known |= flags_of(tool.read_text(encoding="utf-8"))
    assert flags_of(DOCUMENTS[name]) <= known


CHECK = re.compile(r'```sh\n(python -c "\n.*?\n")\n```', re.S)  # one command of several lines


def commands(text):
    """The lines of a document's shell blocks, and what begins with `python` in its text."""
    blocks = re.findall(r"```sh\n(.*?)```", CHECK.sub("", text), re.S)
    inline = re.findall(r"`(python \S+\.py[^`]*)`", text)
    lines = [line for block in blocks for line in block.splitlines()]
    return [line for line in lines if line] + [" ".join(line.split()) for line in inline]


@each_document
def test_every_command_names_a_script_and_flags_it_has(name):
    for line in commands(DOCUMENTS[name]):
        program, *arguments = shlex.split(line)
        assert program in ("python", "python3", "git"), line
        if program == "python" and arguments[0] != "-c":
            if arguments[0] == "-m":
                arguments = [arguments[1].replace(".", "/") + ".py"]
            script = ROOT / arguments[0]
            known = help_of(script.stem) if script.stem in SCRIPTS else script.read_text("utf-8")
            if script.stem == "baseline":
                known += help_of("gru_imdb")
            assert flags_of(line) <= flags_of(known), line


def test_every_program_has_a_command_somewhere():
    lines = "\n".join(line for text in DOCUMENTS.values() for line in commands(text))
    programs = [f"{script}.py" for script in SCRIPTS]
    programs += [path.relative_to(ROOT).as_posix() for path in TOOLS]
    modules = {path: path.removesuffix(".py").replace("/", ".") for path in programs}
    lacking = [p for p in programs if not re.search(f"python ({p}|-m {modules[p]})\\b", lines)]
    assert lacking == []


@pytest.mark.parametrize("name", SCRIPTS)
def test_help_is_the_same_but_for_the_name(name):
    text = help_of(name).split("options:")[1]
    assert text == help_of("gru_imdb").split("options:")[1]


def test_every_file_named_exists():
    rooms, named = ("", "docs/exercises", "docs/tools", "docs/measure"), set()
    for name, text in DOCUMENTS.items():
        endings = "py|txt|patch|csv" if "measure" in name else "py|txt|patch"  # else readers' own
        for file in re.findall(rf"[\w./-]+\.(?:{endings})\b", text.replace("\\", "/")):
            named.add(file)
            places = [ROOT / room / file for room in rooms] + [(ROOT / name).parent / file]
            assert any(place.exists() for place in places), (name, file)
    assert {f"{script}.py" for script in SCRIPTS} <= named and len(named) > 25


def test_every_link_and_picture_exists():
    followed = set()
    for name, text in DOCUMENTS.items():
        for link in re.findall(r"\]\(([^)]+)\)", text):
            assert "://" not in link and "#" not in link, link  # none so far
            path = (ROOT / name).parent / link
            assert path.exists(), (name, link)
            followed.add(path.resolve())
    pages = {path for path in PAGES if path.parent.name != ".github"} - {ROOT / "README.md"}
    pictures = set((ROOT / "docs/pictures").iterdir())
    assert len(pages) >= 6 and len(pictures) >= 8
    assert {path.resolve() for path in pages | pictures} <= followed  # each is shown somewhere


def test_the_text_of_the_exercises_has_the_scores_of_the_csv():
    text = " ".join(DOCUMENTS["docs/exercises.md"].split())
    rows = list(tables.exercises())
    assert len(rows) == 13  # all but loop or unroll, and the task that is made up
    for names, score, before in rows:
        number = names[0].split(".")[0]
        section = text.split(f"## {number}. ")[1].split(" ## ")[0]
        seen = section.split("**Seen.** ")[1]
        assert score[0] in seen and before[0] in seen, number
    changes = (row["change"] for row in tables.read_csv("exercises"))
    lstm, min_gru = dict.fromkeys(change for change in changes if "first.npz" in change)
    assert tables.exercise_score(15, min_gru)[0] in text
    learned = sum(a > 0.99 for a in tables.values("exercises", "accuracy", change=lstm))
    assert learned == 4 and "it was four of five" in text


def test_the_scores_of_averaging_are_those_of_the_csv():
    for change in "", "--bigrams":
        accuracy = tables.values("exercises", "accuracy", exercise="12", change=change)
        english, chinese = tables.percent([statistics.mean(accuracy)])
        assert english in README and chinese in GUIDE


def test_both_languages_have_the_same_commands():
    def of(text):
        lines = "\n".join(re.findall(r"```(?:sh|bat|python)\n(.*?)```", text, re.S)).splitlines()
        return {line for line in lines if "pip" in line or "imdb.npz" in line or "main(" in line}

    assert of(README) <= of(GUIDE) and len(of(README)) >= 5


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


def test_the_check_that_a_reader_can_paste_holds(capsys):
    found = CHECK.findall(README)
    if not found:
        pytest.skip("the README has none yet")
    (block,) = found
    assert len(block.splitlines()) <= 8
    exec(block.removeprefix('python -c "\n').removesuffix('\n"'), {})
    out, err = capsys.readouterr()
    assert err == "" and float(out.split()[0]) < 1e-6 and "1e-6" in out
