"""The Chinese pages: commands, flags, formulas and figures of the English ones, in good form."""

import io
import keyword
import re
import tokenize

import pytest
import tables
from conftest import ROOT

FOLDER = ROOT / "docs/zh-CN"
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}
SOURCES = {name: f"docs/{name}.md" for name in PAGES} | {"guide": "README.md"}
ENGLISH = {name: (ROOT / page).read_text(encoding="utf-8") for name, page in SOURCES.items()}
CHARACTER = "[\u4e00-\u9fff]"
each_page = pytest.mark.parametrize("name", PAGES)


def commands(text):
    return "\n".join(re.findall(r"```(?:sh|bat|python)\n(.*?)```", text, re.S)).splitlines()


def prose(text):
    """A page without blocks of code, code, links and versions."""
    text = re.sub(r"```.*?```", "", text, flags=re.S)
    text = re.sub(r"`[^`\n]*`|\]\([^)]*\)|<https?:[^>]*>", "", text)
    return re.sub(r"(Python|TensorFlow|TF|Keras) [\d.～]+", r"\1", text)


def numbers(text):
    """The decimal fractions of a text: .95 and 0.95 are one, and so are 84.0 % and 84.0%."""
    return {n.lstrip("0") for n in re.findall(r"(?<![\d.])\d*\.\d+(?!\.?\d)", text)}


def test_there_are_four_and_each_names_the_others():
    assert PAGES.keys() == {"guide", "inside", "exercises", "data"}
    for name, text in PAGES.items():
        for other in PAGES.keys() - {name}:
            assert f"]({other}.md)" in text, (name, other)


@each_page
def test_no_command_of_the_english_page_is_missing_or_other(name):
    chinese = commands(PAGES[name])
    wanted = commands(ENGLISH[name])
    if name == "guide":  # the README's own sections on data and development are elsewhere
        wanted = [c for c in wanted if "pip" in c or "--data" in c or "main(" in c]
    if name == "data":  # its examples in Chinese have their own texts
        wanted = [re.sub(r' --review ".*', "", c) for c in wanted]
        chinese = [re.sub(r' --review ".*', "", c) for c in chinese]
    assert set(wanted) <= set(chinese)
    if name in ("inside", "exercises"):
        assert chinese == wanted


@each_page
def test_flags_patches_and_pictures_are_those_of_the_english_page(name):
    for kind in (r"(?<![\w-])--[a-z][a-z-]+", r"[\w-]+\.patch", r"\w+\.(?:png|svg)"):
        wanted, found = (set(re.findall(kind, text)) for text in (ENGLISH[name], PAGES[name]))
        if "a-z" not in kind and name in ("inside", "exercises"):
            assert found == wanted
        elif name != "guide":
            assert found >= wanted


def test_the_tables_of_figures_are_the_same():
    def marks(text):
        return re.findall("<!-- table: (.*) -->", text)

    assert marks(PAGES["inside"]) == marks(ENGLISH["inside"])
    for name in "guide", "exercises", "data":
        assert set(marks(PAGES[name])) >= set(marks(ENGLISH[name])), name


@each_page
def test_every_figure_is_one_of_the_english_page(name):
    def outside_of_tables(text):  # those are made by a program
        return tables.MARKED.sub("", text)

    english = [outside_of_tables(ENGLISH[name])]
    if name == "guide":  # it tells of the other pages too
        english = [*ENGLISH.values(), (ROOT / "docs/experiments.md").read_text(encoding="utf-8")]
    assert numbers(prose(outside_of_tables(PAGES[name]))) <= set().union(*map(numbers, english))


def test_the_scores_of_the_exercises_are_those_of_the_csv():
    for names, score, before in tables.exercises():
        number = names[1].split(".")[0]
        section = PAGES["exercises"].split(f"\n## {number}. ")[1].split("\n## ")[0]
        seen = section.split("实测")[1]
        assert score[1] in seen and before[1] in seen, number


@pytest.mark.parametrize("script", ["lstm_imdb", "gru_imdb"])
def test_the_formulas_are_those_of_the_script(script):
    docstring = (ROOT / f"{script}.py").read_text(encoding="utf-8").split('"""')[1]
    lines = re.findall(r"^    ([a-z]\w* += .*?)(?:   .*)?$", docstring, re.M)
    assert len(lines) == {"lstm_imdb": 6, "gru_imdb": 4}[script]
    assert "\n".join(lines) in PAGES["guide"]


def test_every_name_in_the_script_is_explained_line_by_line():
    source = (ROOT / "rnn_cell_imdb.py").read_text(encoding="utf-8")
    section = PAGES["guide"].split("\n## 逐行读")[1].split("\n## ")[0]
    lines = source.split('"""')[2:]  # below the docstring of the module
    tokens = tokenize.generate_tokens(io.StringIO('"""'.join(lines).lstrip()).readline)
    names = {t.string for t in tokens if t.type == tokenize.NAME} - {*keyword.kwlist, "None"}
    assert not {n for n in names if not re.search(rf"(?<!\w){n}(?!\w)", section)}


def test_the_defaults_are_those_of_the_scripts():
    source = (ROOT / "common.py").read_text(encoding="utf-8")
    flags = "--epochs", "--batch-size", "--units", "--seed"
    defaults = [re.search(rf'"{flag}".*default=(\d+)', source).group(1) for flag in flags]
    row = re.search(r"^\| `--epochs N`.*$", PAGES["guide"], re.M).group()
    assert re.findall(r"\d+", row) == defaults


def test_the_guide_is_short():
    assert len(PAGES["guide"].splitlines()) <= 300


BAD = {
    "a blank before %": r"\d\s+%",
    "构图 is of pictures: 追踪": "构图",
    "词对 without 相邻": "(?<!相邻)词对",
    "拿走慢方向: 去掉": "拿走",
    "评分 and 评测: 评估": "评分|评测",
    "单元 is a cell: 隐藏单元": "(?<!隐藏)单元数",
    "ranges: 53.7～63.1": r"\d ?\.\. ?\d|\d%? ?到 ?\d|\d~\d|\d–\d",
    "a Western mark after a Chinese character": CHARACTER + r"[,;:?!](?!\d)",
    "a line broken in a sentence": rf"(?m)^[^#|\n-].*(?:{CHARACTER}|[，、；：])\n{CHARACTER}",
    "something is still to be written": r"〔|TODO|@[A-Z]|EX\d",
}


@each_page
@pytest.mark.parametrize("why", BAD)
def test_form(name, why):
    assert not re.findall(BAD[why], prose(PAGES[name]))
