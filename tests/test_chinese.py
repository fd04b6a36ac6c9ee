"""The Chinese pages: commands, flags, formulas and figures of the English ones, in good form."""

import importlib
import re
from collections import Counter

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


def commands(text):
    """The lines to type: but for what differs with the reader, not with the language.

    That is a sentence to read, the mirror that pip asks, and the folder of the system's Python.
    """
    text = re.sub(r"\\\n *", "", text)  # a command may go on in the next line
    lines = "\n".join(blocks(text, "sh|bat|powershell|python")).splitlines()
    lines = [line.split("  # ")[0] for line in lines if line]
    lines = [re.sub(r"^\.venv(/bin/|\\Scripts\\)(?!pip)", "", line) for line in lines]
    lines = [re.sub(r' *--review ".*', " --review", line) for line in lines]
    return [re.sub(r" *-i https://\S+", "", line) for line in lines]


def settings(text):
    """A page's flags with their numbers, in its sentences and in its commands."""
    return set(re.findall(r"--[a-z-]+ [\d.]+", text))


def prose(text):
    """A page without blocks of code, code and links."""
    text = re.sub(r"```.*?```", "", text, flags=re.S)
    return re.sub(r"`[^`\n]*`|\]\([^)]*\)|<https?:[^>]*>", "", text)


NUMBER = r"(?:\d*\.\d+|\d+)(?:e-?\d+)?"
UNITS = dict(zip("% ms s MB GB 毫秒 seconds 秒".split(), "% ms s MB GB ms s s".split()))
UNIT = f"(?: ?({'|'.join(UNITS)})(?![a-z]))?"
TO = rf"%?(?: to |～| [升降]到 | 到第 )({NUMBER})"
FIGURE = re.compile(rf"(?<![\w.^{{-])({NUMBER})(?:{TO})?{UNIT}(?![\w]|\.\d)", re.A)
ALONE = {  # what one language says in other words, such as "a coin" for 50 %, or on another page
    "data": "0～4 2026 11 55",
    "exercises": "10 200 80",
    "inside": "0.7 10～90 64 80 128 64% 50% 84.1%",
    "inside-notes": "0.63～0.74 3～5 4～6 10～25 20 71 90 50% 75%",
    "reference": "2.16 64 200 17s 17MB",
    "results": "11 12～13ms",
}


def without_tables(text):
    """A page without the tables that a program makes, and with .95 as 0.95, 25,000 as 25000."""
    text = re.sub(r"(?<=\d),(?=\d{3})|(?<=\d)(?:st|nd|rd|th)\b", "", tables.MARKED.sub("", text))
    return re.sub(r"(?<![\w.])\.(?=\d)", "0.", text)


def figures(text):
    """The figures of a text, those of one digit left out: "84%", "97ms", "0.81～0.83", "25000"."""
    found = FIGURE.findall(" ".join(without_tables(text).split()))
    found = ["～".join(filter(None, m[:2])) + UNITS.get(m[2], "") for m in found]
    return [figure for figure in found if len(figure) > 1]


def in_prose(text):
    """The figures in the prose of a text, but for the numbers of exercises."""
    return figures(re.sub(r"(?i)(?:exercise|练习) \d+", "", prose(text)))


def lost(ours, theirs):
    """The figures in the prose of one that stand nowhere in the other.

    There one may have a unit, or be an end of a range, which it has not here.
    """
    stand = set(figures(re.sub(r"\]\([^)]*\)", "", theirs)))
    stand |= set(re.findall(NUMBER, " ".join(stand)))
    return [figure for figure in in_prose(ours) if figure not in stand]


@pytest.mark.parametrize("name", FOUR)
def test_the_four_that_a_learner_needs_name_each_other(name):
    assert [other for other in FOUR if f"]({other}.md" not in PAGES[name]] == [name]


def test_the_commands_of_the_two_languages_are_the_same():
    chinese = {line for text in PAGES.values() for line in commands(text)}
    for page, text in ENGLISH.items():
        assert page.startswith(ENGLISH_ALONE) or {*commands(text)} <= chinese, page
    more = chinese - {line for text in ENGLISH.values() for line in commands(text)}
    assert [line for line in more if not re.search("pandas|kaggle|m venv", line)] == []
    for name in SAME - {"data", "reference"}:
        assert commands(PAGES[name]) == commands(ENGLISH[f"docs/{name}.md"])
    assert {*commands(PAGES["data"])} > {*commands(ENGLISH["docs/data.md"])}
    ours, theirs = commands(ENGLISH["docs/reference.md"]), commands(PAGES["reference"])
    assert [c for c in ours if c in theirs] == [c for c in theirs if c in ours]
    readme = [line for line in commands(ENGLISH["README.md"]) if "&&" not in line]
    assert {*readme[1:]} <= {*commands(PAGES["guide"])}  # [0]: py -m venv


@each_same
def test_flags_patches_and_pictures_are_those_of_the_english_page(name):
    chinese, other = PAGES[name], ENGLISH[f"docs/{name}.md"]
    assert flags_of(chinese) >= flags_of(other)
    numbers = [set(re.findall(r"(?i)(?:exercise|练习) (\d+)", text)) for text in (chinese, other)]
    assert numbers[0] ^ numbers[1] <= {"data": {"17"}, "exercises": {"13", "14"}}.get(name, set())
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


@each_same
def test_every_figure_of_a_section_stands_in_the_same_section_in_the_other_language(name):
    english, chinese = ENGLISH[f"docs/{name}.md"], PAGES[name]
    sections, guide, readme = [(english, chinese)], PAGES["guide"], ENGLISH["README.md"]
    if name not in ("data", "reference"):  # of which the other language says some in its guide
        sections = zip(english.split("\n## "), chinese.split("\n## "), strict=True)
        guide = readme = ""
    for ours, theirs in sections:
        figures = {*lost(ours, theirs + guide), *lost(theirs, ours + readme)}
        assert figures <= set(ALONE.get(name, "").split()), theirs.split("\n")[0]


# sections in which the languages say things in another order
OTHER_ORDER = {"exercises": ["14."], "inside": ["4."], "inside-notes": ["4.", "6."]}


@each_same
def test_the_figures_of_a_section_stand_in_the_same_order(name):
    """So that two that change places are noticed: percentages, decimals and ranges."""
    pages = ENGLISH[f"docs/{name}.md"], PAGES[name]
    sections = [page.split("\n## ") for page in pages]
    for texts in zip(*sections, strict=True) if name != "reference" else [pages]:
        found = [[f for f in in_prose(text) if re.search("[%.～]", f)] for text in texts]
        both = Counter(found[0]) & Counter(found[1])
        kept = [[f for n, f in enumerate(some) if some[:n].count(f) < both[f]] for some in found]
        assert kept[0] == kept[1] or texts[1].split()[0] in OTHER_ORDER.get(name, ()), texts[1]


@each_same
def test_the_machines_are_the_same(name):
    pages = ENGLISH[f"docs/{name}.md"], PAGES[name]
    assert len({frozenset(re.findall(r"\b[A-Z]+\d+\b", prose(page))) for page in pages}) == 1


TWINS = {  # tables that no program makes, by their first heads
    "when": "时间",
    "question": "问题",
    "what you have": "你手里的是",
    "what is changed": "改了什么",
    "words later": "晚几个词",
    "words": "词数",
}


@pytest.mark.parametrize("head", TWINS)
def test_a_table_typed_in_both_languages_has_the_same_rows_and_in_no_cell_other_numbers(head):
    grids = []
    for pages, first in (ENGLISH, head), (PAGES, TWINS[head]):
        text = without_tables("\n".join(pages.values()))
        (table,) = re.findall(rf"^\| {first} \|.*\n((?:\|.*\n)+)", text, re.M)
        grids.append([line.split("|") for line in table.splitlines()[1:]])
    for row, other in zip(*grids, strict=True):
        for cells in zip(row, other, strict=True):
            ours, theirs = (set(re.findall(r"\d+(?:\.\d+)?", cell)) for cell in cells)
            assert ours <= theirs or theirs <= ours, cells  # one may say it in words


def test_every_figure_of_a_page_in_one_language_stands_in_another_page():
    assert lost(PAGES["guide"], "\n".join(ENGLISH.values())) == []
    assert lost(ENGLISH["README.md"], PAGES["guide"]) == []
    others = [text for page, text in ENGLISH.items() if "beside-the-post" not in page]
    assert lost(ENGLISH["docs/beside-the-post.md"], "\n".join(others)) == []


@pytest.mark.parametrize("script, lines", [("lstm_imdb", 6), ("gru_imdb", 4)])
def test_the_formulas_are_those_of_the_script(script, lines):
    docstring = importlib.import_module(script).__doc__
    form = r"^    ([a-z]\w* += .*?)(?:   .*)?$"
    formulas = re.findall(form, docstring, re.M)
    assert len(formulas) == lines
    assert any("\n".join(formulas) in text for text in PAGES.values())


def test_a_formula_in_a_chinese_sentence_stands_in_an_english_page_or_a_script():
    texts = *ENGLISH.values(), *(path.read_text(encoding="utf-8") for path in ROOT.glob("*.py"))
    known = re.sub(r"\s+", " ", " ".join(texts))
    formulas = re.findall(r"`([a-z](?:_t)? = .*?)`", "\n".join(PAGES.values()))
    assert len(formulas) > 4 and [formula for formula in formulas if formula not in known] == []


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
    second_cell = "=layers.SimpleRNNCell(units,dropout=0.5)(None,self.cell_2.units)"
    second_cell += "=self.cell_2.get_initial_state(b)self..reset_dropout_mask()"
    assert (source, left_out) == ("", second_cell + "returnmodel")


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
