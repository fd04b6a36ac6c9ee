"""What the pages say exists: commands, flags, files, links, figures. Each against its source."""

import collections
import functools
import importlib
import inspect
import math
import re
import shlex
from pathlib import Path

import common
import keras
import pytest
from conftest import LAST_LINE, ROOT, SCRIPTS, call
from docs.measure import lookup, tables
from pages import (
    CHINESE,
    LANGUAGES,
    PAGES,
    PASTED,
    PATHS,
    blocks,
    commands,
    flags_of,
    parse,
    program_of,
)

ROOMS = {  # folder: endings of what may lie in it
    "docs": {".md", ".html"},
    "docs/exercises": {".patch"},
    "docs/measure": {".py", ".csv", ".md"},
    "docs/pictures": {".png", ".svg"},
    "docs/tools": {".py"},
    "docs/zh-CN": {".md"},
}
# The pages that a learner reads through have at most so many numerals in their prose, 3 for 100
# words, 2 for 100 characters in Chinese: a floor against relapse, and not the aim.
FEW_NUMERALS = (
    "README.md docs/by-hand.md docs/data.md docs/exercises.md docs/inside.md docs/zh-CN/by-hand.md "
    "docs/zh-CN/data.md docs/zh-CN/exercises.md docs/zh-CN/guide.md docs/zh-CN/inside.md"
).split()
DIGITS = str.maketrans("一六", "16")
LINES = {"README.md": 150, "docs/inside.md": 160, "docs/zh-CN/guide.md": 300}  # at most
each_page = pytest.mark.parametrize("page", PAGES)
each_language = pytest.mark.parametrize("language", LANGUAGES)


@functools.cache
def help_of(name):
    return call(name, "--help").stdout


def text_of(*patterns):
    paths = [path for pattern in patterns for path in ROOT.glob(pattern)]
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)


# ----------------------------------------------------------------------------- files and links


def test_every_room_has_what_belongs_there_and_nothing_else():
    for room, endings in ROOMS.items():
        paths = [path for path in (ROOT / room).iterdir() if path.name != "__pycache__"]
        assert {path.suffix for path in paths if path.is_file()} <= endings, room
        folders = {path.relative_to(ROOT).as_posix() for path in paths if path.is_dir()}
        assert folders == {other for other in ROOMS if Path(other).parent == Path(room)}, room
    assert {Path(page).parent.as_posix() for page in PAGES} == {
        ".", ".github", "docs", "docs/measure", "docs/zh-CN",
    }  # fmt: skip


@each_page
def test_every_file_named_exists(page):
    rooms = ("", "docs/exercises", "docs/tools", "docs/measure", "tests")
    endings = "py|txt|patch|csv" if "measure" in page else "py|txt|patch"  # else readers' own
    for file in re.findall(rf"[\w./-]+\.(?:{endings})\b", PAGES[page].replace("\\", "/")):
        places = [ROOT / room / file for room in rooms] + [(ROOT / page).parent / file]
        assert any(place.exists() for place in places), file


def test_every_page_that_a_program_names_exists():
    names = set(re.findall(r"[\w./-]*\w\.md\b", text_of("*.py", "docs/*/*.py")))
    assert len(names) >= 3 and [name for name in names if not (ROOT / name).is_file()] == []


def anchors(text):
    """What GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.*)$", re.sub(r"```.*?```", "", text, flags=re.S), re.M)
    plain = [re.sub(r"\]\([^)]*\)|[^\w\- ]", "", heading.lower()) for heading in headings]
    return {heading.replace(" ", "-") for heading in plain}


def test_every_link_leads_somewhere_and_every_page_and_picture_is_shown():
    followed = set()
    for page, text in PAGES.items():
        for link in re.findall(r"\]\(([^)]+)\)", text):
            assert "://" not in link, link  # none so far
            name, _, anchor = link.partition("#")
            path = ((ROOT / page).parent / name).resolve() if name else ROOT / page
            assert path.exists(), (page, link)
            followed.add(path)
            if anchor:
                assert anchor in anchors(path.read_text(encoding="utf-8")), (page, link)
    pages = {path for path in PATHS if path.parent.name != ".github"} - {ROOT / "README.md"}
    pictures = set((ROOT / "docs/pictures").iterdir())
    assert len(pages) >= 6 and len(pictures) >= 8
    assert {path.resolve() for path in pages | pictures} <= followed


@each_page
def test_blocks_and_tables_are_whole(page):
    """A fence for each fence, and in a table as many cells in a row as in the line of dashes."""
    fences = re.findall(r"(?m)^ *```(\w*)$", PAGES[page])
    assert all(fences[::2]) and not any(fences[1::2]) and len(fences) % 2 == 0
    for table in re.findall(r"(?:^\|.*\|\n)+", PAGES[page], re.M):
        rows = [re.sub(r"`[^`]*`", "", row).count("|") for row in table.splitlines()]
        assert set(rows) == {rows[0]}, table[:80]


def test_the_last_batch_is_as_small_as_the_pages_say():
    text = "\n".join(PAGES.values())
    sizes = re.findall(r"last batch of (\d+)|最后一批只有 (\d+) 条", text)
    assert {int(a or b) for a, b in sizes} == {common.IMDB_TRAIN % 128} and len(sizes) > 2


def test_a_link_that_names_a_number_leads_to_it_and_a_note_is_that_of_the_section():
    form = r"(?i)\[(?:exercise|section|练习|第)? ?([\d一六]+)(?:节| of that page)?\]\([^)#]*#(\d+)"
    links = re.findall(form, "\n".join(PAGES.values()))
    assert len(links) > 15 and all(text.translate(DIGITS) == anchor for text, anchor in links)
    for language in LANGUAGES.values():
        (inside,) = (text for page, text in language.items() if page.endswith("/inside.md"))
        for section in inside.split("\n## ")[1:]:
            notes = set(re.findall(r"\(inside-notes\.md#(\d+)", section))
            assert notes <= {section.split(".")[0]}


@each_page
def test_what_is_folded_ends_and_an_answer_is_in_each_exercise(page):
    for section in PAGES[page].split("\n## "):
        folds = re.findall(r"^<(/?)details>", section, re.M)
        assert folds == ["", "/"] * (len(folds) // 2), section[:40]
        assert not re.match(r"\d+\. ", section) or "exercises.md" not in page or len(folds) == 2


@each_language
def test_the_notes_have_the_sections_of_inside_and_the_licence_is_named(language):
    pages = LANGUAGES[language]
    inside, notes = (
        re.findall(r"^## \d.*", text, re.M)
        for end in ("/inside.md", "/inside-notes.md")
        for page, text in pages.items()
        if page.endswith(end)
    )
    assert inside == notes and len(notes) == 7
    licence = (ROOT / "LICENSE").read_text(encoding="utf-8").split()[0]
    named = {"English": f"licence is {licence}:", "Chinese": f"。{licence} 许可证"}[language]
    assert named in "\n".join(pages.values())


@each_language
def test_a_link_of_one_name_leads_to_one_page(language):
    text = "\n".join(LANGUAGES[language].values())
    links = re.findall(r"\[([^][]+)\]\(([^)#]+\.md)", text)
    pages = {(name, Path(target).name) for name, target in links}
    assert len(pages) == len({name for name, _ in pages}) >= 8
    files = re.findall(r"\[([\w./-]+\.(?:md|html|csv))\]\(([^)#]+)", text)
    assert [link for link in files if Path(link[0]).name != Path(link[1]).name] == []


# ----------------------------------------------------------------------------------- commands


def docstring_commands(path):
    text = path.read_text(encoding="utf-8").split('"""')[1]
    return re.findall(r"^    (python .*?)(?:  +#.*)?$", text, re.M)


COMMANDS = {page: commands(text) for page, text in PAGES.items()}
COMMANDS |= {path.name: docstring_commands(path) for path in ROOT.glob("docs/*/*.py")}


@pytest.mark.parametrize("place", COMMANDS)
def test_every_command_is_one_that_its_program_accepts(place, tmp_path, capsys):
    for line in COMMANDS[place]:
        words = shlex.split(re.sub(r"^(?:[A-Z_]+=\S+ )*", "", line))
        path, arguments = program_of(words)
        if path:
            try:
                parser = parse(path, arguments, tmp_path)
            except SystemExit as end:
                pytest.fail(f"{line}: {end} {capsys.readouterr().err}")
            if path.startswith("docs/") and "baseline" not in path:  # which has the scripts' parser
                module = path.removesuffix(".py").replace("/", ".")
                assert parser.description == importlib.import_module(module).__doc__  # by --help
        elif "pytest" in words:
            marks = re.findall(r"\w+", words[words.index("-m", 2) + 1]) if "-m" in words[2:] else []
            assert set(marks) <= {"not", "slow", "smoke"}, line
        elif "-r" in words:
            assert (ROOT / words[words.index("-r") + 1]).is_file(), line
        else:
            programs = "python python3 py pip git diff patch source cd"
            assert Path(words[0]).stem in programs.split(), line


READERS = """imdb.npz path/to/imdb.npz reviews.csv stars.csv train.csv test.csv my/new.csv
my/bad.csv IMDB_Dataset.csv aclImdb_v1.tar.gz one-layer.csv""".split()
OUTPUTS = "--out", "--save", "--log", "--csv"
OF_THE_README = "docs/by-hand.md", "docs/zh-CN/by-hand.md", "docs/measure/README.md"


@each_page
def test_a_command_reads_what_a_reader_has_or_one_before_it_has_written(page):
    """Weights with the script, the data and the units that they were saved with: all of them."""
    made = dict.fromkeys(READERS + ["toy.weights.h5"] * (page in OF_THE_README))
    read = set()
    for line in COMMANDS[page]:
        words = shlex.split(line.replace("IMDB Dataset", "IMDB_Dataset"))
        values = dict(zip(words, words[1:]))
        (folder,) = re.findall(r"^\.venv/\w+", words[0]) or [""]
        if "venv" in words:
            made[".venv/Scripts" if words[0] == "py" else ".venv/bin"] = None
        elif folder:  # it is made first, then pip, then what needs TensorFlow
            assert folder in made and ("install" in words or made[folder]), line
            made[folder] = "installed"
        names = [word for word in words if re.search(r"\.(npz|csv|h5|gz)$", word)]
        written = {values[flag] for flag in OUTPUTS if flag in values}
        if "--write" in words or "example_reviews" in line:
            written.add(words[-1])
        scripts = re.findall(r"(\w+_imdb)\.py", line)
        used = *scripts, values.get("--data"), values.get("--units")
        read |= set(names) - written
        for name in set(names) - written:
            assert name in made and made[name] in (None, used), (line, name, made.get(name))
        made |= {name: used if name.endswith(".h5") else None for name in written}
    assert {name for name in made if name.endswith(".h5")} <= read


@each_page
def test_every_flag_and_every_variable_of_the_environment_is_one_that_something_reads(page):
    known = flags_of(help_of("gru_imdb") + text_of("docs/tools/*.py", "docs/measure/*.py"))
    assert flags_of(PAGES[page]) <= known | {"--pre", "--no-index"}  # of pip, of git diff
    sources = text_of("*.py", "tests/conftest.py", ".ci/run")
    names = set(re.findall(r"\b[A-Z]{2,}(?:_[A-Z]+)+\b", PAGES[page]))
    assert [name for name in names if not re.search(rf"\b{name}\b", sources)] == []


def test_every_program_has_a_command_somewhere():
    lines = [line for page in PAGES for line in COMMANDS[page]]
    started = {program_of(shlex.split(line))[0] for line in lines}
    for path in [*ROOT.glob("*_imdb.py"), *ROOT.glob("docs/*/*.py")]:
        if "__main__" in path.read_text(encoding="utf-8"):  # else it is a library
            assert path.relative_to(ROOT).as_posix() in started


def test_the_check_that_a_reader_can_paste_holds(capsys):
    checks = {check for text in PAGES.values() for check in PASTED.findall(text)}
    assert checks  # README has one
    for check in checks:
        assert len(check.splitlines()) <= 8
        exec(check.removeprefix('python -c "\n').removesuffix('\n"'), {})
        out, err = capsys.readouterr()
        assert err == "" and float(out.split()[0]) < 1e-6 and "1e-6" in out


# -------------------------------------------------------------------------------------- flags


@pytest.mark.parametrize("name", SCRIPTS)
def test_help_is_the_same_but_for_the_name_and_names_the_page_of_the_flags(name):
    assert help_of(name).split("options:")[1] == help_of("gru_imdb").split("options:")[1]
    for page in re.findall(r"\S+\.md", help_of(name)):
        assert re.search(r"^\| `--epochs", PAGES[page], re.M), page


@each_language
def test_the_table_of_flags_has_the_flags_defaults_and_ranges_of_the_parser(language, tmp_path):
    options = parse("lstm_imdb.py", [], tmp_path)._option_string_actions
    tables = re.findall(r"(?:^\|.*\n)+", "\n".join(LANGUAGES[language].values()), re.M)
    (table,) = [table for table in tables if "\n| `--epochs" in table]
    rows = [row.strip("|").split("|") for row in re.findall(r"^\| `--.*", table, re.M)]
    named = [re.findall(r"--[a-z-]+", row[0]) for row in rows]
    assert {flag for flags in named for flag in flags} | {"--help", "-h"} == set(options)
    for flags, (_, text, *_) in zip(named, rows):
        for low, high in re.findall(r"(\d[\d.e-]*)(?: to |～)(\d[\d.e-]*)", text):
            assert (float(low), float(high)) in {options[flag].type.args[1:] for flag in flags}
        numbers = re.findall(r"\d+(?:\.\d+)?", text)
        defaults = [options[flag].default for flag in flags]
        if all(isinstance(default, int | float) and default is not False for default in defaults):
            assert [float(number) for number in numbers[: len(flags)]] == defaults, flags


@each_language
def test_the_rate_at_the_end_of_a_short_run_is_the_schedules(language, tmp_path):
    form = r"`(--subset (\d+) --epochs (\d+))` ?(?:ends at|结束时还有) `?(0\.\d+)"
    ((flags, n, epochs, rate),) = re.findall(form, "\n".join(LANGUAGES[language].values()))
    args = common.parse_args("lstm_imdb.py", [*flags.split(), "--data", "toy"])
    steps = math.ceil(int(n) / args.batch_size)
    falling = common.linear_decay(args, range(steps))
    assert f"{float(falling(int(epochs) * steps)):.5f}" == rate


@each_page
def test_a_default_in_a_sentence_is_the_tools(page, tmp_path):
    """As in: `--test-share`, 0.2; those of the scripts stand in the table."""
    tool = parse("docs/tools/own_data.py", ["a.csv", "--out", "a.npz"], tmp_path)
    defaults = {flag: action.default for flag, action in tool._option_string_actions.items()}
    for flag, number in re.findall(r"`(--[a-z-]+)`[,，]\s?([\d.]+)(?=[;；)）])", PAGES[page]):
        assert float(number) == defaults[flag], flag


# ------------------------------------------------------------------------- figures in sentences


@pytest.mark.parametrize(
    "page, heading, lines",
    [
        ("docs/reference.md", "The words the toy knows", "(?s)```text(.*)```"),
        ("docs/zh-CN/reference.md", "玩具数据认得的词", r"(?m)^\|.*\| (\w.*) \|$"),
    ],
)
def test_the_words_of_the_toy_are_listed_and_counted(page, heading, lines):
    section = PAGES[page].split(f"\n## {heading}\n")[1].split("\n## ")[0]
    words = " ".join(re.findall(lines, section)).split()
    assert sorted(words) == sorted(common.toy_reviews()[2])
    assert f" {len(words)} " in section


@each_page
def test_a_checksum_is_that_of_the_file(page):
    imdb_module = keras.datasets.imdb
    (imdb,) = re.findall(r'"([0-9a-f]{64})"', inspect.getsource(imdb_module.load_data))
    (index,) = re.findall(r'"([0-9a-f]{32})"', inspect.getsource(imdb_module.get_word_index))
    archive = "7c2ac02c03563afcf9b574c7e56c153a"  # as in the loader of PaddlePaddle
    assert imdb.startswith(common.DIGESTS["imdb.npz"])
    assert set(re.findall(r"\b[0-9a-f]{32,}\b", PAGES[page])) <= {imdb, index, archive}


REVIEWS = common.MEMBER_BYTES // common.MAX_REVIEW_LEN
FACTS = {  # what a page says in this form: the number that it must be
    r"at most (\d+) MiB|(\d+) MiB": common.MEMBER_BYTES >> 20,
    r"at most ([\d,]+) reviews in each|最多 ([\d,]+) 条": REVIEWS,
    r"the ([\d,]+) most frequent words|最常见的 ([\d,]+) 个": common.TOTAL_WORDS - 4,
    r"last (\d+) (?:words|tokens)|最后 (\d+) 个": common.MAX_REVIEW_LEN,
    r"imdb\.npz`（(\d+) MB": 17,  # Keras's file has 17,464,789 bytes
    r"aclImdb_v1\.tar\.gz`（(\d+) MB": 84,  # the authors' 84,125,825
    r"([\d,]+) small English reviews|([\d,]+) 条英文": common.TOY_TRAIN + common.TOY_TEST,
    r"of training reviews ([\d,]+) to": 20_000,  # what HELD_OUT in docs/measure/runs.py keeps
    r"of training reviews [\d,]+ to ([\d,]+)": common.IMDB_TRAIN - 1,
}


@pytest.mark.parametrize("form", FACTS)
def test_a_number_of_the_code_is_the_same_in_every_page(form):
    text = " ".join("\n".join(PAGES.values()).split())
    numbers = ["".join(groups) for groups in re.findall(f"(?:{form})", text)]
    assert numbers and {int(number.replace(",", "")) for number in numbers} == {FACTS[form]}


@each_language
def test_the_scores_of_the_exercises_are_those_of_the_csv(language):
    """And no difference is said to have been seen where the ranges overlap, and only there."""
    page, start, end, none, n = {
        "English": ("docs/exercises.md", "**Seen.** ", "**Learned", "No difference seen", 0),
        "Chinese": ("docs/zh-CN/exercises.md", "实测", "学到什么", "没看出差别", 1),
    }[language]
    text, rows = " ".join(PAGES[page].split()), list(tables.exercises())
    assert len(rows) == 17  # all but loop or unroll, and the task that is made up
    for names, score, before in rows:
        number = names[n].split(".")[0]
        section = text.split(f" ## {number}. ")[1].split(" ## ")[0].split(start)[1].split(end)[0]
        assert score[n] in section and before[n] in section, number
        ours, usual = ([float(x) for x in re.findall(r"[\d.]+", s[n])] for s in (score, before))
        assert (none in section) == (ours[1] <= usual[2] and usual[1] <= ours[2]), number
        for less in re.findall(r"([\d.]+) points less|低了 ([\d.]+) 个百分点", section):
            assert float("".join(less)) == pytest.approx(usual[0] - ours[0], abs=0.051), number


def test_what_was_slower_took_longer():
    rows = re.findall(r"^\|.*\| (.*) \| (slower.*?) \|$", PAGES["docs/experiments.md"], re.M)
    pairs = re.findall(r"([\d.]+)(?: m?s)? instead of ([\d.]+)", str(rows))
    assert len(pairs) >= 8 and all(float(this) > float(usual) for this, usual in pairs)


COLUMNS = {  # of tables that no program makes, by their heads: what every cell has
    "flag|选项": "^`--",
    "here|这里": r"`\w",
    "check|校验值": "md5|sha256|rows",
    "Python": r"^(\D*3\.1\d.*|无|)$",
    "system|系统": "Windows|Linux|Mac|任何",
    "figure|lowest, median": r"\d",
    "words|词数": r"^\d+$",
    "seeds|种子": r"^0(～| to )\d$",
    "when|时间": r"\d|[天后]|day|evening",
    "how long|大约": "minute|second|秒|分钟",
}


@pytest.mark.parametrize("heads", COLUMNS)
def test_what_stands_in_a_column_is_what_its_head_says(heads):
    texts = "\n".join(tables.MARKED.sub("", text) for text in PAGES.values())
    columns = []
    for table in re.findall(r"(?:^\|.*\|\n)+", texts, re.M):
        head, _, *rows = [re.split(r" ?\| ?", line)[1:-1] for line in table.splitlines()]
        columns += [column for name, *column in zip(head, *rows) if name in heads.split("|")]
    assert columns
    for cell in sum(columns, []):
        assert re.search(COLUMNS[heads], cell), cell


# ------------------------------------------------------------------------- messages and code


CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
WORD = re.compile("[A-Za-z_][A-Za-z_0-9]{2,}")
ONCE = """LICENSE chromium mjs npm playwright shots feature_len seq_len lstm_1
lstm_cell min_gru_cell quot BlockLSTMV2 ResourceApplyAdam SpatialDropout1D beta_2 global_clipnorm
steps_per_execution Total ReadTimeoutError aka exe release vc_redist while_loop x64 sig waimai_10k
global override"""
ERRORS = r"^\| (?:what you see|屏幕上写着) \|.*\n((?:\|.*\n)+)"  # a table of them
BOTH = """No matching distribution found for tensorflow|ensurepip is not available|cuInit
The token '&&' is not a valid statement separator|Activate.ps1|running scripts is disabled
DLL load failed while importing _pywrap_tensorflow_internal|No such file or directory|cudart_stub
Only input tensors may be passed as positional arguments|name '__file__' is not defined
unexpected keyword argument 'experimental_run_tf_function'|Incompatible shapes: [40,1] vs. [128,1]
is out of scope and cannot be used here|NotADirectoryError|/dev/null/datasets
Could not find cuda drivers|unable to lock file
triggered tf.function retracing|NodeDef mentions attribute""".replace("\n", "|").split("|")
FOREIGN = {"English": BOTH, "Chinese": [*BOTH, "标记", "无法", "动态", "ReadTimeout", "call"]}


def messages(page):
    rows = "\n".join(re.findall(ERRORS, page, re.M))
    return re.findall("`([^`\n]+)`", "\n".join(re.findall(r"^\| (.*?) \|", rows, re.M)))


def test_the_tables_of_errors_have_the_same_messages_in_both_languages():
    ours = []
    for language, pages in LANGUAGES.items():
        texts = [text.strip("… ") for text in sum(map(messages, pages.values()), [])]
        assert [part for part in FOREIGN[language] if part not in "\n".join(texts)] == []
        ours.append({t for t in texts if not any(part in t for part in FOREIGN[language])})
    assert ours[0] == ours[1] and len(ours[0]) > 8


@each_page
def test_a_message_in_a_table_of_errors_is_one_that_something_prints(page):
    """Ours stand in the sources; FOREIGN are of pip, Windows, Keras and CUDA."""
    found = messages(PAGES[page]) + re.findall("`((?:warning|error): [^`\n]+)`", PAGES[page])
    sources = re.sub(r"\{[^{}]*\}", "…", text_of("*.py", "docs/tools/*.py"))
    for message in found:
        parts = re.split(r"…|lstm_imdb|64|https://\S+|^warning: |^error: ", message)
        lost = [part for part in parts if part not in sources]
        foreign = any(part in message for part in FOREIGN["Chinese"])
        assert foreign or lost == [], message


def test_a_name_in_code_is_one_of_the_sources_or_stands_in_another_page_too():
    """So that a letter that is lost is noticed; those of other programs that stand once: ONCE."""
    pages = [{*WORD.findall(" ".join(CODE.findall(text)))} for text in PAGES.values()]
    counts = collections.Counter(word for page in pages for word in page)
    sources = text_of("*.py", "tests/*.py", "docs/*/*.py", "docs/*/*.csv", "docs/*/*.patch")
    names = " ".join(path.name for path in ROOT.glob("tests/*"))
    alone = {word for word, n in counts.items() if n == 1} - {*WORD.findall(sources + names)}
    assert alone - {*ONCE.split()} == set()


def test_code_in_a_sentence_of_the_exercises_is_code_that_a_patch_adds_or_of_the_scripts():
    added = "\n".join(re.findall(r"(?m)^\+(.*)", text_of("docs/exercises/*.patch")))
    sources = re.sub(r"\s", "", text_of("*.py") + added)
    for page in "docs/exercises.md", "docs/zh-CN/exercises.md":
        text = re.sub(r"```.*?```", "", PAGES[page], flags=re.S)
        codes = re.findall(r'`(\w+(?:\.\w+)*\([^`\n]*"[^`\n]*\))`', text)
        assert len(codes) >= 2
        for code in codes:
            parts = [part.strip() for part in re.split("[(),]", code)]  # a patch may name one
            assert re.sub(r"\s", "", code) in sources or all(part in added for part in parts), code


def test_a_path_of_the_environment_and_an_extra_of_pip_have_one_form():
    text = "\n".join(PAGES.values())
    forms = {".venv/bin/pip", ".venv/bin/python", r".venv\Scripts\python"}
    assert set(re.findall(r"\.venv[/\\]\w+[/\\]\w+", text)) == forms
    extras, own = (set(re.findall(r"tensorflow\[.*?\]", t)) for t in (text, common.NO_GPU))
    assert extras == own


# ------------------------------------------------------------------------------- sample outputs


SAMPLES = [block for text in PAGES.values() for block in blocks(text, "text")]


def test_a_score_in_a_last_line_is_a_row_of_the_results():
    form = r"(\w+): test accuracy ([\d.]+) \((\d+)/(\d+)\), loss ([\d.]+), (?:.*?seed (\d+))?"
    lines = {line for text in PAGES.values() for line in re.findall(form, text)}
    assert lines
    for script, accuracy, right, n, loss, seed in lines:
        assert float(accuracy) == round(int(right) / int(n), 4)
        if n == "25000":
            (row,) = lookup.rows("runs", experiment="as it is", script=script, seed=seed or "0")
            assert (row["right"], row["loss"], row["accuracy"]) == (right, loss, accuracy)


def test_the_sample_of_a_run_is_what_a_run_prints(capsys):
    runs = [block for block in SAMPLES if "Model: " in block]
    assert len(runs) >= 2
    for block in runs:
        line = LAST_LINE.fullmatch(block.splitlines()[-1])
        keras.utils.clear_session()  # which counts the names of layers
        model = importlib.import_module(line["script"]).SentimentClassifier(64)
        model.build((None, common.MAX_REVIEW_LEN))
        model.summary(line_length=76)
        assert capsys.readouterr().out.strip() in block
        assert int(line["parameters"]) == model.count_params()
        epochs = re.findall(r"val_accuracy: ([\d.]+) - val_loss: ([\d.]+)", block)
        assert len(epochs) == 4 and epochs[-1] == (line["accuracy"], line["loss"])


def test_the_sample_of_a_reading_is_the_same_everywhere_and_its_bars_and_verdict_are_right():
    readings, form = {}, r"(.+)\n((?:  \S+ .*\|\n)+)  (positive|negative): P\(positive\) = ([\d.]+)"
    for text, rows, verdict, p in re.findall(form, "\n".join(SAMPLES)):
        assert readings.setdefault(text, rows) == rows, text
        lines = re.findall(r"^  (\S+) +([\d.]+) \|(#*) *\|$", rows, re.M)
        assert [word for word, *_ in lines] == common.tokenize(text)
        assert all(len(bar) == round(20 * float(number)) for _, number, bar in lines)
        assert lines[-1][1] == p and verdict == ("positive" if float(p) > 0.5 else "negative")
    assert len(readings) >= 2


def test_the_sample_of_judged_rows_adds_up():
    """What predict.py prints, without labels and with them."""
    form = r"(\d+) rows, (\d+) positive, (\d+) negative\n(\d+) rows have no word"
    samples = [(*re.findall(form, text), text) for text in SAMPLES if re.search(form, text)]
    assert len(samples) >= 4
    for counts, text in samples:
        rows, positive, negative, none = map(int, counts)
        assert rows == positive + negative + none
        if matrix := re.findall(r"^labelled \w+ +(\d+) +(\d+)$", text, re.M):
            (tn, fp), (fn, tp) = [[int(n) for n in row] for row in matrix]
            assert (tn + fn, fp + tp) == (negative, positive)
            right = (tn + tp, rows - none), (tp, positive), (tp, tp + fn)
            right = *right, (2 * tp, positive + tp + fn)
            shown = re.findall(r"^\w+ +([\d.]+) \((\d+)/(\d+)\)$", text, re.M)
            assert shown == [(f"{n / of:.4f}", str(n), str(of)) for n, of in right]


# ---------------------------------------------------------------------------- learner's pages


def numerals(text):
    """Numerals in the prose of a page for 100 words, or for 100 characters if it is in Chinese.

    Prose is what is left without code, tables, headings, comments, targets of links, folded text.
    """
    text = re.sub(r"(?s)```.*?```|<!--.*?-->|<details>.*?</details>", "", text)
    text = re.sub(r"(?m)^[|#].*$", "", text)
    text = re.sub(r"!?\[([^]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"`[^`\n]*`", "code", text)
    characters = len(re.findall("[\u4e00-\u9fff]", text))
    if characters > len(text) / 5:
        return 100 * len(re.findall(r"\.?\d[\d.,e-]*", text)) / characters
    words = re.findall(r"[^\W\d]\w*|\d*\.?\d[\d,.e-]*", text)
    return 100 * sum(word[0] in ".0123456789" for word in words) / max(1, len(words))


def test_numerals_are_counted_in_prose_alone():
    assert numerals("# 1\n\nOf ten words two are 3 and `4` is code.\n| 5 |\n```\n6\n```\n") == 10
    chinese = numerals("# 1\n\n这里有十个汉字和一个数 12。\n<details>3</details>")
    assert chinese == pytest.approx(100 / 11)


@pytest.mark.parametrize("page", FEW_NUMERALS)
def test_a_learners_page_has_few_numerals(page):
    assert numerals(PAGES[page]) <= (2 if page in CHINESE else 3)


@pytest.mark.parametrize("page", LINES)
def test_a_page_that_is_read_in_one_go_is_short(page):
    assert len(PAGES[page].splitlines()) <= LINES[page]


@each_page
def test_nothing_is_still_to_be_written(page):
    assert re.findall(r"TODO.*|〔.*|@[A-Z].*|EX\d", PAGES[page]) == []
