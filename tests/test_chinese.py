"""The Chinese pages: commands, flags, formulas and figures of the English ones, in good form."""

import importlib
import re

import pytest
from conftest import ROOT
from docs.measure import tables
from pages import CHINESE, ENGLISH, blocks, flags_of

PAGES = {name.split("/")[-1].removesuffix(".md"): text for name, text in CHINESE.items()}
SAME = {name for name in PAGES if f"docs/{name}.md" in ENGLISH}  # a page in both languages
ENGLISH_ALONE = ("docs/measure", ".github", "docs/experiments.md")
FOUR = "guide", "inside", "exercises", "data"
CHARACTER = "[\u4e00-\u9fff]"
each_page = pytest.mark.parametrize("name", PAGES)
each_same = pytest.mark.parametrize("name", sorted(SAME))


def english(name):
    """The English page of this name with its notes, or all of them."""
    pages = [text for page, text in ENGLISH.items() if page.startswith(f"docs/{name}")]
    return "\n".join(pages or ENGLISH.values())


def commands(text):
    """The lines to type: but for what differs with the reader, not with the language.

    That is a sentence to read, the mirror that pip asks, and the folder of the system's Python.
    """
    text = re.sub(r"\\\n *", "", text)  # a command may go on in the next line
    lines = "\n".join(blocks(text, "sh|bat|powershell|python")).splitlines()
    lines = [re.sub(r"^\.venv(/bin/|\\Scripts\\)(?!pip)", "", line) for line in lines]
    return [re.sub(r' *--review ".*| *-i https://\S+', "", line) for line in lines]


def settings(text):
    """A page's flags with their numbers, in its sentences and in its commands."""
    return set(re.findall(r"--[a-z-]+ [\d.]+", text))


def prose(text):
    """A page without blocks of code, code, links and versions."""
    text = re.sub(r"```.*?```", "", text, flags=re.S)
    text = re.sub(r"`[^`\n]*`|\]\([^)]*\)|<https?:[^>]*>", "", text)
    return re.sub(r"(Python|TensorFlow|TF|Keras) [\d.～]+", r"\1", text)


def all_numbers(text):
    """Decimal fractions, and integers of three digits and more; .95 is 0.95, 25,000 is 25000."""
    form = r"(?<![\d.])(?:\d*\.\d+|\d{3,})(?!\.?\d)"
    return {n.lstrip("0") for n in re.findall(form, text.replace(",", ""))}


def numbers(text):
    """The numbers of a page outside of code and of the tables that a program makes."""
    return all_numbers(prose(tables.MARKED.sub("", text)))


@pytest.mark.parametrize("name", FOUR)
def test_the_four_that_a_learner_needs_name_each_other(name):
    assert [other for other in FOUR if f"]({other}.md" not in PAGES[name]] == [name]


def test_no_command_of_the_english_pages_is_missing_or_other():
    chinese = {line for text in PAGES.values() for line in commands(text)}
    for page, text in ENGLISH.items():
        lines = [c for c in commands(text) if re.search(r"pip|--data|docs/tools|main\(", c)]
        missing = [line for line in lines if line not in chinese]
        assert page.startswith(ENGLISH_ALONE) or missing == [], page
    for name in SAME - {"data", "reference"}:
        assert commands(PAGES[name]) == commands(ENGLISH[f"docs/{name}.md"])
    assert {*commands(PAGES["data"])} > {*commands(ENGLISH["docs/data.md"])}


@each_same
def test_flags_patches_and_pictures_are_those_of_the_english_page(name):
    chinese, other = PAGES[name], ENGLISH[f"docs/{name}.md"]
    assert flags_of(chinese) >= flags_of(other)
    assert name == "data" or settings(chinese) <= settings(other)
    files = re.compile(r"\bmy/[\w.-]+\.\w+")
    assert {*files.findall(chinese)} <= {*files.findall(other)}
    of_chinese, of_other = (
        set(re.findall(r"[\w-]+\.patch|\w+\.(?:png|svg)", text)) for text in (chinese, other)
    )
    more = of_chinese - of_other if name not in ("inside", "exercises") else set()
    assert of_chinese - more == of_other


def test_the_tables_of_figures_are_the_same():
    marks = re.compile("<!-- table: (.*) -->")
    chinese = {mark for text in PAGES.values() for mark in marks.findall(text)}
    for page, text in ENGLISH.items():
        assert page.startswith(ENGLISH_ALONE) or set(marks.findall(text)) <= chinese, page
    inside = marks.findall(PAGES["inside"])
    inside.remove("first_epoch_short")  # of which the English page says one figure in a sentence
    assert inside == marks.findall(ENGLISH["docs/inside.md"])


@each_page
def test_every_figure_is_one_of_the_english_page(name):
    pages = [english(name), ENGLISH["README.md"], ENGLISH["docs/results.md"]]
    assert numbers(PAGES[name]) <= numbers("\n".join(pages))


@pytest.mark.parametrize("name", ["exercises", "inside", "inside-notes", "results"])
def test_every_figure_of_a_section_is_in_the_same_section_in_chinese(name):
    sections = ENGLISH[f"docs/{name}.md"].split("\n## "), PAGES[name].split("\n## ")
    for ours, theirs in zip(*sections, strict=True):
        assert numbers(ours) <= all_numbers(theirs), ours.split("\n")[0]


@pytest.mark.parametrize("script, lines", [("lstm_imdb", 6), ("gru_imdb", 4)])
def test_the_formulas_are_those_of_the_script(script, lines):
    docstring = importlib.import_module(script).__doc__
    form = r"^    ([a-z]\w* += .*?)(?:   .*)?$"
    formulas = re.findall(form, docstring, re.M)
    assert len(formulas) == lines
    assert any("\n".join(formulas) in text for text in PAGES.values())


def test_the_table_line_by_line_is_the_script_in_its_order():
    source = (ROOT / "rnn_cell_imdb.py").read_text(encoding="utf-8")
    source, left_out = re.sub(r'(?s)""".*?"""|#[^\n]*|\s', "", source), ""
    (page,) = (text for text in PAGES.values() if "\n## 逐行读" in text)
    section = page.split("\n## 逐行读")[1].split("\n## ")[0]
    for cell in re.findall(r"^\| (`.*?`) \| ", section, re.M):
        for code in re.split("…", "…".join(re.findall("`(.*?)`", cell))):
            before, found, after = source.partition(re.sub(r"\s", "", code))
            assert found or not code, code
            source, left_out = after, left_out + before
    assert source == "" and len(left_out) < 160, left_out  # a second cell's lines, return model


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
    "something is still to be written": r"〔|@[A-Z]|EX\d",
}


@each_page
def test_form(name):
    text = prose(PAGES[name])
    assert {why: re.findall(form, text) for why, form in BAD.items() if re.search(form, text)} == {}


@each_page
def test_what_is_meant_to_be_bold_is_rendered_so(name):
    """CommonMark leaves `**…。**字` as it stands: between a full stop and a word nothing closes."""
    for line in prose(PAGES[name]).splitlines():
        parts = line.split("**")
        for bold, after in zip(parts[1::2], parts[2::2]):
            assert not (re.search(r"\W$", bold) and re.match(r"\w", after)), line
            assert not bold.startswith(" "), line
