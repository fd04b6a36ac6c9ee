"""From a table of reviews, or the authors' archive, to a trained script and a read review."""

import csv
import io
import itertools
import json
import os
import random
import re
import tarfile
import zipfile
from functools import partial
from string import ascii_lowercase
from unittest import mock

import common
import example_reviews
import numpy as np
import own_data as module
import pytest
from conftest import ROOT, call, last_line, refused

own_data = partial(call, "own_data")


def table(path, rows, header=("review", "sentiment"), delimiter=",", **how):
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=delimiter, **how).writerows([header, *rows])
    return path


def reviews(n, labels=("negative", "positive")):
    texts = "a terrible film<br />so dull, I left", "a wonderful film, I'd watch it again"
    return [(f"number {i} {texts[i % 2]}", labels[i % len(labels)]) for i in range(n)]


def read(path):
    """Return the words of a file, {word: rank}, and its other members, lists."""
    with zipfile.ZipFile(path) as archive:
        words = json.loads(archive.read("words.json"))
    with np.load(path, allow_pickle=True) as file:  # written a moment ago by our own program
        arrays = (name for name in file.files if name != "words.json")
        return words, {name: file[name].tolist() for name in arrays}


def made(*arguments):
    """Run the program, which must go well -> its result."""
    result = own_data(*arguments)
    assert result.returncode == 0, result.stderr
    return result


def counts(result):
    """Return what the program says it has read: rows, reviews, left out."""
    found = re.search(r"^(\d+) rows: (\d+) reviews, (\d+) left out$", result.stdout, re.M)
    return tuple(map(int, found.groups()))


def rows_of(path, *flags):
    """Read a table -> the result; [(words of a row, label), ...] in order, or None if refused."""
    out = path.with_suffix(".npz")
    result = own_data(path, path, "--out", out, "--replace", *flags)  # all rows are for training
    if result.returncode:
        return result, None
    words, arrays = read(out)
    word = {rank: word for word, rank in words.items()}
    texts = (" ".join(word[rank] for rank in x) for x in arrays["x_train"])
    return result, list(zip(texts, arrays["y_train"]))


# -------------------------------------------------------------------- as a learner does it
def test_from_a_table_like_kaggles_to_a_trained_script_and_a_read_review(tmp_path):
    out = tmp_path / "my" / "new" / "my.npz"
    result = made(table(tmp_path / "IMDB Dataset.csv", reviews(200)), "--out", out)
    assert "160 training reviews, " in result.stdout and " 40 test reviews, " in result.stdout
    assert [p.name for p in out.parent.iterdir()] == ["my.npz"]  # the words lie in it
    flags, weights = ("--data", out, "--units", "4"), tmp_path / "w.weights.h5"
    result = call("averaged", *flags, "--save", weights, "--epochs", "1")
    assert result.returncode == 0 and "/40)" in last_line(result.stdout)
    assert "data my.npz" in last_line(result.stdout)
    result = call("averaged", *flags, "--load", weights, "--review", "a wonderful xyzzy")
    assert result.returncode == 0 and "  wonderful " in result.stdout
    assert "wonderful (unknown)" not in result.stdout and "xyzzy (unknown)" in result.stdout


def test_the_example_is_a_table_that_can_be_learned_from_and_replaces_nothing(
    tmp_path, monkeypatch
):
    path, mine = tmp_path / "my" / "new" / "影评.csv", tmp_path / "mine.csv"
    assert call("example_reviews", path).stdout == f"{path}: 100 reviews\n"
    result = made(path, "--out", tmp_path / "my" / "my.npz")
    assert counts(result) == (100, 100, 0) and "0 test reviews are training" in result.stdout
    assert "80 training reviews, 50%" in result.stdout and "20 test" in result.stdout
    assert set("这部电影真好看") < set(read(tmp_path / "my" / "my.npz")[0])
    rows = path.read_text(encoding="utf-8").splitlines()
    assert not any("这部电影真好看" in row for row in rows)
    for document in "data.md", "zh-CN/data.md":  # shows some of its rows
        text = (ROOT / "docs" / document).read_text(encoding="utf-8")
        head, *pair = re.search(r"```text\n(评论,标签\n.*?)```", text, re.S)[1].splitlines()
        assert head == rows[0] and "\n".join(pair) in "\n".join(rows)
    mine.write_text("mine")
    for arguments, status in ([], 2), (["--help"], 0), ([mine], 2), ([tmp_path / "t"], 2):
        assert call("example_reviews", *arguments).returncode == status
    assert "cannot write" in call("example_reviews", mine / "x.csv").returncode  # as Python exits
    monkeypatch.setattr(example_reviews, "reviews", mock.Mock(side_effect=KeyboardInterrupt))
    assert call("example_reviews", tmp_path / "t.csv").returncode == 130
    assert sorted(os.listdir(tmp_path)) == ["mine.csv", "my"] and mine.read_text() == "mine"


@pytest.mark.parametrize("page", ["data.md", "zh-CN/data.md"])
def test_a_page_shows_what_is_printed_of_the_tables_that_it_shows(tmp_path, monkeypatch, page):
    """Of the example, and of each table that stands in front of the error that it leads to."""
    text, checked = (ROOT / "docs" / page).read_text(encoding="utf-8"), []
    blocks = re.findall(r"```text\n(.*?)```", text, re.S)
    monkeypatch.chdir(tmp_path)
    call("example_reviews", "my/影评.csv")
    printed = made("my/影评.csv", "--out", "my/reviews.npz").stdout
    assert printed.replace(f"{tmp_path}{os.sep}", "…/") in blocks
    for shown, message in itertools.pairwise(blocks):
        if "error: " in message:
            name = re.search(r"\w+\.csv", message)[0]
            (tmp_path / "my" / name).write_text(shown, encoding="utf-8")
            result = own_data(f"my/{name}", "--out", "my/new.npz")
            assert message in (result.stderr, result.stdout + result.stderr)
            checked.append(name)
    assert checked == ["bad.csv", "list.csv"]
    given, judged = (b.splitlines() for b in blocks if b.startswith("评论,来源"))  # of predict.py
    assert [row.rsplit(",", 2)[0] for row in judged] == given
    assert len(rows_of(tmp_path / "my/list.csv", "--quoted")[1]) == 4  # the page says so
    assert len(rows_of(tmp_path / "my/list.csv", "--unquoted")[1]) == 6
    assert len(rows_of(tmp_path / "my/bad.csv", "--skip-bad")[1]) == 5


# -------------------------------------------------------------------- labels and their pairs
PAIRS = "0/1 neg/POS 0.0/1.0 负/正 负面/正面 差评/好评 消极/积极".split()


@pytest.mark.parametrize("labels", [*PAIRS, "-0/ +1.00", "Negative/ positive ", "False/True"])
def test_two_tables_are_taken_as_they_are(tmp_path, labels):
    negative, positive = labels.split("/")
    train, test, out = (tmp_path / name for name in ("train.tsv", "test.tsv", "my.npz"))
    table(train, [("a good film", positive), ("a bad bad film", negative)], delimiter="\t")
    table(test, [("a bad unheard film", negative), ("good", positive)], delimiter="\t")
    result = made(train, test, "--out", out)
    assert result.stderr == "" and "\n4 different words in training\n" in result.stdout
    index, content = read(out)
    assert index == {"a": 1, "film": 2, "bad": 3, "good": 4}  # by frequency, then as they come
    assert content["x_train"] == [[1, 4, 2], [1, 3, 3, 2]] and content["y_train"] == [1, 0]
    assert content["x_test"] == [[1, 3, common.TOTAL_WORDS, 2], [4]] and content["y_test"] == [0, 1]
    _, (x, y) = common.read_npz(out)
    assert x[y == 0, -5:].tolist() == [[1, 4, 6, common.OOV, 5]]


TURNED = "--negative", "1", "--positive", "0"


@pytest.mark.parametrize("comma", [",", "，"])
def test_the_user_may_say_what_labels_mean(tmp_path, comma):
    path = table(tmp_path / "t.csv", zip("abcdef", ("1.0", "2", "3", "4", "1230", "")))
    result, rows = rows_of(path, "--negative", f"1{comma}2", "--positive", f"4{comma}1230")
    assert counts(result) == (12, 8, 4) and result.stderr == ""
    assert rows == [("a", 0), ("b", 0), ("d", 1), ("e", 1)]
    left = re.findall("(.*) rows have the label (.*), which no flag names", result.stdout)
    assert left == [("2", "'3'"), ("2", "''")]
    ends = f"1{comma}9{comma} ", f"4{comma}1231{comma}"  # an empty label is not named so
    result, _ = rows_of(path, "--negative", ends[0], "--positive", ends[1], "--skip-bad")
    assert re.findall("warning: no row has the label (.*)", result.stderr) == ["'1231'", "'9'"]
    assert "t.csv line 4: the label '3'" in result.stderr  # with --skip-bad all are named
    result, rows = rows_of(table(tmp_path / "u.csv", zip("ab", "10")), *TURNED)
    assert rows == [("a", 0), ("b", 1)]  # 0 and 1 too mean what the user says
    with zipfile.ZipFile(tmp_path / "u.npz") as archive:  # and no date makes two files differ
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_training_needs_both_labels_and_two_tables_one_pair(tmp_path):
    one, none, both, other = (
        table(tmp_path / f"{n}.csv", reviews(n, labels))
        for n, labels in ((20, "1"), (0, "1"), (22, "01"), (24, "负正"))
    )
    plain = table(tmp_path / "plain.csv", ["so"], ["text"])
    for tables, words in (
        ([one], ["0 negative and 16 positive"]),
        ([one, both], ["0 negative and 20 positive"]),
        ([none], ["0 to test on"]),
        ([both, other], ["'负' (12)", "one pair"]),
        ([both, plain], ["no column sentiment or label"]),
    ):
        refused(own_data(*tables, "--out", tmp_path / "my.npz"), *words)
    result = made(both, one, "--out", tmp_path / "my.npz")
    assert "22 training reviews, 50% of them positive" in result.stdout
    assert "20 test reviews, 100% of them positive" in result.stdout


def test_rows_that_are_no_reviews_are_named_and_not_lost_in_silence(tmp_path):
    wrong = [("?!", "positive"), ("fine", "neutral" * 9), ("one",)]
    good, bad = reviews(20), [*wrong, *[("...", "negative")] * 10]
    out, (first, second) = tmp_path / "my.npz", (tmp_path / "1.csv", tmp_path / "2.csv")
    named = [f"line {22 + i}: there is no word" for i in (0, *range(3, 13))]
    named += [f"line 23: the label '{('neutral' * 9)[:20]}'\n", "line 24: 1 fields, not 2"]
    table(first, good + bad)
    table(second, good)
    for paths in [first], [second, first]:  # of two tables the second's rows too
        result = own_data(*paths, "--out", out)
        refused(result, "nothing is written")
        assert "13 of" in result.stderr and result.stderr.count("\n  ") == 10 and not out.exists()
        result = own_data(*paths, "--out", out, "--skip-bad", "--replace")
        assert counts(result) == (20 * len(paths) + 13, 20 * len(paths), 13)
        assert [words for words in named if f"  1.csv {words}" not in result.stderr] == []
        out.unlink()
    for row in wrong:  # each of them alone
        refused(own_data(table(first, [*good, row]), "--out", out), "nothing is written")


# ------------------------------------------------------------------------ what a table may hold
HEAD, FINE, DULL = "text,label\n", "fine,1\n", "dull,0\n"
CHINESE = "评论,标签\n好,正\n坏,负\n"
NINES = "&#" + "9" * 5_000
TWO = "so,1,0\nso so,0,1\n"  # labels in the second column, and in the third
USUAL = "--negative", "0", "--positive", "1"
READ = {  # a table; its rows as they are read, words and label; flags
    "blank lines": (f"\r\n\ufeff\n{HEAD}\n\n{FINE}\n\r\n{DULL}\n\n", "fine 1|dull 0"),
    "a Mac's line ends": (HEAD + "fine,1\rdull,0\r", "fine 1|dull 0"),
    "200,000 letters": (f'{HEAD}"{"a " * 10**5}",1\n{DULL}', "a " * 10**5 + "1|dull 0"),
    "breaks in words": (HEAD + "so<BR>so<br />\\n\\rso\\tso,1\n" + DULL, "so so so so 1|dull 0"),
    "no character": (HEAD + f"so{NINES};so{NINES} &#33;,1\n" + DULL, "so so 1|dull 0"),
    "entities": (
        f"{HEAD}don&#39;t &hellip; cafe\u0301&lt;br&gt;e,1\n{DULL}",
        "don't café e 1|dull 0",
    ),
    "two files joined": (f'{HEAD}{FINE}\n\ufeff{DULL}\ufeff"so, so",1', "fine 1|dull 0|so so 1"),
    "quotes in order": (HEAD + '"so ""so"", so\nso",1\n' + DULL, "so so so so 1|dull 0"),
    "a quote inside a text": (HEAD + 'so "so" so,1\n' + DULL, "so so so 1|dull 0"),
    r"\" in all of it": (HEAD + '"so \\"so\\", so \\\\",1\n"dull",0', "so so so 1|dull 0"),
    "semicolons": (CHINESE.replace(",", ";"), "好 1|坏 0"),
    "tabs, said": (CHINESE.replace(",", "\t"), "好 1|坏 0", "--delimiter", "\\t"),
    "bars": (CHINESE.replace(",", "|"), "好 1|坏 0", "--delimiter", "|"),
    "spaces": ("text id label\nfine  1\ndull  0\n", "fine 1|dull 0", "--delimiter", " "),
    "no line ends": (HEAD + "so\u2028so\x0cso\x85so\x1cso,1\n" + DULL, "so so so so so 1|dull 0"),
    "a BOM and its encoding": ("\ufeff" + CHINESE, "好 1|坏 0", "--encoding", "utf8"),
    "gb18030": (CHINESE.encode("gb18030"), "好 1|坏 0", "--encoding", "gb18030"),
    "utf-16": (CHINESE.encode("utf-16"), "好 1|坏 0", "--encoding", "utf-16"),
    "other names": ("Content,Sentiment\n" + FINE + DULL, "fine 1|dull 0"),
    "to the letter": ("text,label,Label\n" + TWO, "so 1|so so 0", "--label", "label"),
    "to the Letter": ("text,label,Label\n" + TWO, "so 0|so so 1", "--label", "Label"),
    "one of two": ("text,sentiment,label\n" + TWO, "so 0|so so 1", "--label", "LABEL "),
    "one of two texts": ("review,label,text\n" + TWO, "so 1|so so 0", "--text", "review"),
    "own names": ("a,b,x\n" + TWO, "so 1|so so 0", "--text", "a", "--label", "b"),
    "a column without a name": ("text,label,\n" + TWO, "so 1|so so 0"),
    "no zip": ("PK,text,label\n1,fine,1\n2,dull,0\n", "fine 1|dull 0"),  # a primary key
    "no Parquet": ("PARTY,text,label\n1,fine,1\n2,dull,0\n", "fine 1|dull 0"),
    "two BOMs": ("\ufeff\ufeff" + CHINESE, "好 1|坏 0"),
    "blanks around": ('label , text \n1, "so, so"\n0, dull\n', "so so 1|dull 0"),
    "a blank line": ('label,text\n1,"so\n\nso"\n,so\n0,dull\n', "so so 1|dull 0", *USUAL),
    "quoted": (f'{HEAD}"fine,1\ndull 2",0\n{FINE}', "fine 1 dull 2 0|fine 1", "--quoted"),
    "unquoted": (f'{HEAD}"fine,1\ndull 2",0\n{FINE}', "fine 1|dull 2 0|fine 1", "--unquoted"),
}


@pytest.mark.parametrize("name", READ)
def test_what_a_table_may_hold(tmp_path, name):
    content, rows, *flags = READ[name]
    path = tmp_path / "t.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    result, found = rows_of(path, *flags)
    assert found and "|".join(f"{text} {label}" for text, label in found) == rows, result.stderr
    assert result.stderr == ""


COLUMNS = ["text,label", "label,text", "id,text,label", "id,label,text", "label,id,text,x"]
BITS = ["dull", ",", "\n", "\r\n", '"', '"dull"', "\\", ";", "\t", "so", "\n\n", "'", '""', "\\n"]
BACKSLASH = dict(quoting=csv.QUOTE_NONNUMERIC, doublequote=False, escapechar="\\")  # Kaggle's
WAYS = {  # how a table is written; the answer with which all of it is read
    "doubled": (dict(quoting=csv.QUOTE_NONNUMERIC), ["--quoted"]),
    "backslash": (BACKSLASH, ["--quoted"]),
    "bare": (None, ["--unquoted", "--skip-bad"]),
}
SAID = [  # flags that say what is so anyway
    *("", "--text text", "--label LABEL", "--delimiter ,", "--encoding utf8"),
    *("--text text --label label", "--negative 0 --positive 1"),
]


def strewn(rng, text, n):
    """A text with n quotes in it, at its ends or anywhere."""
    for _ in range(n):
        place = rng.choice((0, len(text), rng.randrange(len(text))))
        text = text[:place] + '"' + text[place:]
    return text


def twenty_texts(rng, bare, n):
    """Texts with all that is a reason for quotes; or bare ones, with quotes that stand for none."""
    if not bare:
        ends = ["", "\n1,so\n,0"] if n == 5 else [""]  # lines that could be rows
        texts = [rng.choice(("", " ")).join(rng.choices(BITS, k=8)) for _ in range(20)]
        return [f"film{i} {text} end{rng.choice(ends)}" for i, text in enumerate(texts)]
    some = (0, 0, 1, 2) if n % 2 else (0,)
    texts = [strewn(rng, f"film{i} is dull", rng.choice(some)) for i in range(20)]
    i = rng.randrange(17)
    texts[i] = '"' + texts[i] + rng.choice(("", ", so"))
    texts[i + rng.choice((1, 2))] += '"'
    return texts


@pytest.mark.parametrize("columns", COLUMNS)
@pytest.mark.parametrize("way", WAYS)
def test_every_row_is_read_as_it_is_or_the_user_is_asked(tmp_path, columns, way):
    """What csv.writer wrote comes back in order; of rows without quotes none are ever joined."""
    rng, names, asked, joined = random.Random(columns + way), columns.split(","), 0, 0
    how, answer = WAYS[way]
    for n in range(60 if way == "bare" else 10):
        texts = twenty_texts(rng, way == "bare", n)
        rows = [dict(id=f"{i}_0", x="", label="01"[i % 2], text=t) for i, t in enumerate(texts)]
        body, path = [[row[name] for name in names] for row in rows], tmp_path / "t.csv"
        if way == "bare":
            bare = [",".join(row) for row in (names, *body)]
            path.write_text("\n".join(bare) + "\n")
            joined += len(list(csv.reader(bare))) < len(bare)  # what csv alone makes of it
        else:
            table(path, body, names, **how)
        # a quote may have parted a word
        all_rows = [("".join(module.words_of(text)), i % 2) for i, text in enumerate(texts)]
        said = SAID[n % len(SAID)].split()
        for flags in (), ("--skip-bad",):
            result, found = rows_of(path, *said, *flags)
            if found is None:
                asked += 1
                line = last_line(result.stderr)
                refused(result, answer[0] if "line" in line else "--skip-bad")
                likely = r"(^|[\r\n,])[01]([\r\n,]|$)"
                assert way == "bare" or any(re.search(likely, text) for text in texts)
            else:
                found = [(text.replace(" ", ""), label) for text, label in found]
                assert found == all_rows or way == "bare" and set(found) < set(all_rows)
        result, found = rows_of(path, *said, *answer)
        good = [row for row, t in zip(all_rows, texts) if way != "bare" or "," not in t]
        assert [(text.replace(" ", ""), label) for text, label in found] == good
        assert counts(result) == (40, 2 * len(good), 40 - 2 * len(good))
    assert joined > 40 if way == "bare" else asked <= 2  # or this would test nothing


# ---------------------------------------------------------------- what is no table that can be read
def zipped(name):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr(name, "")
    return data.getvalue()


def turns(labels):
    """A table of 200 films with these labels in turn."""
    labels = labels.split()
    return HEAD + "".join(f"film {i},{labels[i % len(labels)]}\n" for i in range(200))


def lines(text, head=HEAD):
    return head + text.replace("|", "\n") + "\n" + FINE + DULL


LONG = turns(" ".join(letter * 99 for letter in ascii_lowercase + "z"))
MEANING = "nothing is written", "差评/好评", "1,2 --positive 4,5", "正面"  # ways to say it
ASKED, LETTER = ("say --quoted if", "or --unquoted"), ("or say --unquoted",)
ROW, TABLE, GB = "text,label\nso,1\n", HEAD + FINE + DULL, "--negative bad --positive good"
REFUSED = {  # a file's content, or None; flags; the words of the message
    "missing": (None, "", "No such file"),
    "gb": (CHINESE.encode("gb18030"), "", "not in utf-8", "--encoding gb18030", "cp1252"),
    "utf-16": (CHINESE.encode("utf-16"), "", "not in utf-8", "utf-16, "),
    "ascii": (CHINESE, "--encoding ascii", "not in ascii", "big5 (Taiwan)", "or utf-8"),
    "ascii-16": (ROW.encode("utf-16-le"), "", "not in utf-8", "utf-16-le"),
    "no names": ("so " * 300 + ",1\nso,0\n", "", "no column review", "a line of names"),
    "empty": ("", "", "no column review"),
    "a field too long": (HEAD + "s" * (1 << 24) + "o,1", "", "line 2: ", "too long", "limit"),
    "xlsx": (zipped("xl/workbook.xml"), "", "unpack it, or save the sheet as CSV UTF-8"),
    "xls": (b"\xd0\xcf\x11\xe0", "", "Excel", "CSV UTF-8"),
    "parquet": ("PAR1\x15\x04", "", "Parquet", "to_csv"),
    "jsonl": ('{"review": "fine", "label": 1}\n', "", "JSON", "lines=True", "to_csv"),
    "json": ('\ufeff\n [\n{"review": "fine", "label": 1}]', "", "JSON", "to_csv"),
    # columns
    "two alike": ("text,label,label\n", "", "label and label in the first line"),
    "two alike, said": ("text,label,label\n", "--label label", "label and label in the first"),
    "two alike, SAID": ("text,label,LABEL\n", "--label Label", "label and LABEL in the first"),
    "two likely": ("text,label,Label\n", "", "label and Label in the first line"),
    "two labels": ("text,sentiment,label\n", "", "say --label NAME"),
    "two texts": ("text,label,review\n", "", "say --text NAME"),
    "bars": ("text|label\n", "", "no column review or text", "or --delimiter"),
    "no label": ("text,stars,x\n", "", "no column sentiment or label"),
    "no such label": (TABLE, "--label y", "no column y in the first line (text, label)"),
    "one for both": (TABLE, "--label Text", "text can not be both --text and --label"),
    # labels that are no known pair are never guessed at
    "1-5": (turns("1 2 3 4 5"), "", "'4' (40)", *MEANING),  # with 0/1 one star would be positive
    "-1/1": (turns("-1 1"), "", "'-1' (100)", *MEANING),
    "0-4": (turns("0 1 2 3 4"), "", "'3' (40)", *MEANING),
    "0-1": (turns("0 0.5 1"), "", "'0.5'", *MEANING),
    "long": (LONG, "", f"'{'z' * 20}' (14)", *MEANING),  # the most frequent first, and shortened
    "good/bad": (turns("good bad"), "", "'bad' (100)", *MEANING),
    "two pairs": (turns("negative positive 0"), "", "'0'", *MEANING),  # what is 0?
    "half a pair": (turns("neg positive"), "", "'neg'", *MEANING),
    "半": (turns("负 正面"), "", "'正面'", *MEANING),
    # quotes that can be read in two ways are asked about once, or not in order
    "open in the first line": ('review,"sentiment\nso,1\n', "", "line 1: its quotes"),
    "never closed": (lines('"dull 1,0|fine 2,1|dull 3,0'), "", "line 2: ", *LETTER),
    "behind blank lines": (f'{HEAD}\n \n{FINE}"dull 1,0', "", "line 5: ", *LETTER),
    "in the next row": (lines('"dull 1,0|fine 2",1|dull 3,0'), "", "line 2: ", *ASKED),
    "a Mac's": (HEAD[:-1] + '\r"dull 1,0\rfine 2",1\rdull 3,0\r', "", "line 2: ", *ASKED),
    "two rows on": (lines('fine 1,1|"dull 1,0|odd 2,7|dull 3",0'), "", "line 3: ", *ASKED),
    "by the flags": (lines('"dull 1,bad|fine 2",good'), GB, "line 2: ", *ASKED),
    "in capitals": (lines('"dull 1,BAD|fine 2",good'), GB, "line 2: ", *ASKED),
    "by the other": (lines('"fine 1,good|dull 2",bad'), GB, "line 2: ", *ASKED),
    "a word first": (lines('fine 1,1|"Dull" is the word,0'), "", "line 3: ", *LETTER),
    "neutral between": (lines('"dull|it,neutral|fine 3",1|so,neutral'), "", "line 2: ", *ASKED),
    "a number between": (lines('"dull|it,7|fine 3",1'), "", "line 2: ", *ASKED),
    "other fields": (lines('"dull 1, so|fine, so,1|fine 3",1'), "", "line 2: ", *ASKED),
    "more fields": (HEAD + '"dull\nfine 2",1,x\ndull,0,x\n', "", "line 2: ", *ASKED),
    "a list in a good text": (lines('"dull:|1. so,1|2. so",0|fine,1'), "", "line 2: ", *ASKED),
    "blanks and a list": (lines('1, "so|1, so|0, so"', "label, text\n"), "", "line 2: ", *ASKED),
    "a note behind": (lines('"dull,0,a, b|fine",1,c', "text,label,x\n"), "", "line 2: ", *ASKED),
    "some unlabelled": (lines('"dull,,1|so",1,2|so,,3', "text,label,x\n"), "", "line 2: ", *ASKED),
    "another pair": (lines('"dull,neg|fine",1'), "", "line 2: ", *ASKED),
    "no label in quotes": (lines('"so|so, ""|so",1|so,'), "", "line 2: ", *ASKED),
    "joined names": (lines('so,neutral,y"', 'text,label,"x\n'), "", "line 1: ", *ASKED),
    "one, then another": (lines('dull,0|"fine, so|dull 2",0|"x|fine,1'), "", "line 5: ", *LETTER),
}
USAGE = {  # flags that make no sense with any table
    "--quoted --unquoted": "not allowed with",
    "--negative 1": "--negative and --positive",
    "--positive 1": "--negative and --positive",
    "--negative 1,2 --positive 2.0": "--negative and --positive",
    "--encoding klingon": "unknown encoding",
    "--delimiter ,,": "delimiter",
    "--test-share 2": "from 0 to 1",
    "--out my.csv": "must end in .npz",
}


@pytest.mark.parametrize("what", [*REFUSED, *USAGE])
def test_what_cannot_be_used_is_one_line_that_says_what_to_do(tmp_path, what):
    content, flags, *words = REFUSED.get(what) or (TABLE, what, USAGE[what])
    path, out = tmp_path / "t.csv", tmp_path / "o.npz"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    for more in (), ("--skip-bad",):
        result = own_data(path, "--out", out, *flags.split(), *more)
        refused(result, *words, status=2 if what in USAGE else 1)
        assert (what in USAGE or result.stderr.count("\n") == 1) and not out.exists()


SOLID = "きのうみたえいがでした オモシロイエイガ หนังเรื่องนี้สนุกมาก ຮູບເງົາມ່ວນຫຼາຍ ရုပ်ရှင်ကောင်းတယ် ភាពយន្តល្អណាស់"


@pytest.mark.parametrize("text", [*SOLID.split(), "หนังดี มาก"])
def test_a_text_without_blanks_between_words_is_warned_of(tmp_path, text):
    rows = [("这部电影真好看", "1"), (text, "0"), ("so ดี", "0"), (text, "1")]
    result, _ = rows_of(table(tmp_path / "t.csv", rows))
    warned = "warning: 4 texts have no blanks, so that each is one word"  # in both tables
    assert (f"{warned} or a few: t.csv line 3" in result.stderr) == (" " not in text)


# ------------------------------------------------------------------ the split, what is said
@pytest.mark.parametrize("rare, share", [(2, 0.2), (10, 0.2), (37, 0.5)])
@pytest.mark.parametrize("label", [0, 1])
def test_one_table_is_split_by_the_seed_with_the_same_share_of_the_labels(
    tmp_path, rare, share, label
):
    """Reviews keep their order, and so do words of equal frequency: here each review is a word."""
    words, contents = [f"w{i}" for i in random.Random(rare).sample(range(400), 400)], []
    rows = [(word, str(label if i < rare else 1 - label)) for i, word in enumerate(words)]
    path, of_test = table(tmp_path / "t.csv", rows), max(1, round(rare * share))
    n = 400 - of_test - round((400 - rare) * share)  # in training
    said = () if share == 0.2 else ("--test-share", share)
    for name, *seed in ("a", "--seed", 0), ("b",), ("c", "--seed", 1):
        result = made(path, "--out", tmp_path / name / "my.npz", *seed, *said)
        index, arrays = read(tmp_path / name / "my.npz")
        assert list(index) == [word for word in words if word in index]
        assert arrays["x_train"] == [[rank] for rank in range(1, n + 1)]
        assert arrays["y_train"] == [int(label) for word, label in rows if word in index]
        assert arrays["y_test"].count(label) == of_test and len(arrays["y_test"]) == 400 - n
        larger = 1 - of_test / (400 - n)
        assert f"would be right for {larger:.0%}" in result.stdout  # of the larger class
        contents.append((tmp_path / name / "my.npz").read_bytes())
    assert contents[0] == contents[1] != contents[2]


def test_reviews_that_are_in_both_parts_are_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(common, "TOTAL_WORDS", 3)  # fewer than there are
    train = table(tmp_path / "a.csv", reviews(20, "01"))
    test = table(tmp_path / "b.csv", [*reviews(7, "01"), *reviews(1, "01"), ("Number 0: new", "1")])
    result = made(train, test, "--out", tmp_path / "my.npz")
    assert "8 test reviews are training reviews too" in result.stdout
    index, arrays = read(tmp_path / "my.npz")
    assert arrays["x_test"][-1] == [index["number"], index["0"], len(index) + 1]  # no word's rank


def test_more_than_the_scripts_read_is_one_line_and_no_file(tmp_path, monkeypatch):
    path, out = table(tmp_path / "t.csv", reviews(1_000)), tmp_path / "my.npz"
    for bound, words in (400, "t.csv line 801: too many rows"), (700, "too many reviews"):
        monkeypatch.setattr(module, "REVIEWS", bound)
        refused(own_data(path, "--out", out), words, "read 838860 reviews, and 64 MiB, of each")
        assert not out.exists()
    few = table(tmp_path / "few.csv", reviews(20))
    refused(own_data(few, path, "--out", out), "too many reviews")
    monkeypatch.undo()
    assert own_data(path, "--out", out).returncode == 0
    # a file that is written can be read: the bound is on every member as it is unpacked
    sizes = [member.file_size for member in zipfile.ZipFile(out).infolist()]
    for bound, status in (max(sizes), 0), (max(sizes) - 1, 1), (max(sizes) // 4, 1):
        monkeypatch.setattr(common, "MEMBER_BYTES", bound)
        result = own_data(path, "--out", tmp_path / "new" / "my.npz", "--replace")
        assert result.returncode == status
    refused(result, "too many reviews", "the scripts read")


# --------------------------------------------------------------------------------- the files
def test_a_file_is_replaced_only_if_asked_and_words_and_reviews_together(tmp_path, monkeypatch):
    out, first = tmp_path / "my.npz", table(tmp_path / "a.csv", reviews(20))
    other = table(tmp_path / "b.csv", [(f"other words {i}", "01"[i % 2]) for i in range(20)])
    made(first, "--out", out)
    old, names = out.read_bytes(), sorted(os.listdir(tmp_path))
    refused(own_data(other, "--out", out), "is there", "--replace", status=2)
    places = (np, "savez_compressed"), (json, "dumps"), (os, "replace")
    ends = (OSError("no space left"), "no space left", 1), (KeyboardInterrupt(), "interrupted", 130)
    for place, (error, words, status) in itertools.product(places, ends):
        with monkeypatch.context() as patch:
            patch.setattr(*place, mock.Mock(side_effect=error))
            refused(own_data(other, "--out", out, "--replace"), words, status=status)
        assert out.read_bytes() == old and sorted(os.listdir(tmp_path)) == names
    made(other, "--out", out, "--replace")
    assert "other" in read(out)[0] and "wonderful" not in read(out)[0]


def test_paths_home_links_an_input_as_output_and_names_that_cannot_be(tmp_path, monkeypatch):
    for name in "HOME", "USERPROFILE":
        monkeypatch.setenv(name, str(tmp_path))
    source = table(tmp_path / "t.npz", reviews(20))  # a table may be called anything
    made("~/t.npz", "~/t.npz", "--out", "~/my.npz")
    assert (tmp_path / "my.npz").is_file()
    text, long, folder = source.read_bytes(), "n" * 300, tmp_path / "folder.npz"
    folder.mkdir()
    for table_, out, words, status in (
        (source, source, "is a table to be read", 2),
        (source, tmp_path / "." / "t.npz", "is a table to be read", 2),
        (source, tmp_path / f"{long}.npz", "cannot write", 1),
        (source, source / "my.npz", "cannot write", 1),
        (source, folder, "is there", 2),
        (tmp_path / long, tmp_path / "o.npz", "cannot read", 1),
        (folder, tmp_path / "o.npz", "name the .tar.gz", 1),
    ):
        refused(own_data(table_, "--out", out, "--replace"), words, status=status)
    assert source.read_bytes() == text


@pytest.mark.skipif(os.name == "nt", reason="links want rights on Windows")
def test_a_link_is_followed_and_never_hides_an_input(tmp_path):
    source = table(tmp_path / "t.npz", reviews(20))
    text = source.read_bytes()
    (tmp_path / "to-input.npz").symlink_to(source)
    os.link(source, tmp_path / "same.npz")
    for name in "to-input.npz", "same.npz":
        result = own_data("none.csv", source, "--out", tmp_path / name, "--replace")
        refused(result, "is a table to be read", status=2)
    (tmp_path / "far").mkdir()
    (tmp_path / "near.npz").symlink_to(tmp_path / "far" / "my.npz")
    made(source, "--out", tmp_path / "near.npz")
    assert (tmp_path / "near.npz").is_symlink() and (tmp_path / "far" / "my.npz").is_file()
    assert source.read_bytes() == text


@pytest.mark.skipif(os.name == "nt", reason="no such names on Windows")
def test_what_is_printed_of_a_table_has_no_control_characters(tmp_path):
    evil = "\x1b[31m\x07\u202e"
    rows = [("fine", "1"), ("dull", "0"), ("x", f"{evil}odd")] * 5
    path = table(tmp_path / f"t{evil}.csv", rows, ("review", f"label{evil}"))
    label = ("--label", f"label{evil}")
    for i, flags in enumerate([(), label, (*label, "--skip-bad")]):
        result = own_data(path, "--out", tmp_path / f"{i}{evil}.npz", *flags)
        assert result.stderr and result.returncode == (0 if i == 2 else 1)
        assert not {"\x1b", "\x07", "\u202e"} & set(result.stdout + result.stderr)


# ---------------------------------------------------------------------- the authors' archive
def texts(n=3, without="nothing"):
    """(name, text) of n reviews of each kind, but for the kinds that are left out."""
    for part in "train", "test":
        for kind, word in ("neg", "dull"), ("pos", "fine"):
            if without not in f"aclImdb/{part}/{kind}":
                for i in range(n):
                    yield f"aclImdb/{part}/{kind}/{i}_{i}.txt", f"a {word} film<br />number {i}"


OTHERS = [  # what else may be in an archive, and must not be read as a review nor written anywhere
    ("aclImdb/README", "aclImdb/train/pos"),
    ("aclImdb/train/unsup/0_0.txt", "unlabelled"),
    ("aclImdb/train/pos/._0_9.txt", "\0\5\26\7"),
    ("aclImdb/train/urls_pos.txt", "unlabelled"),
    ("aclImdb/train/pos/", tarfile.DIRTYPE),
    ("aclImdb/train/pos/8_9.txt", tarfile.SYMTYPE),
    ("aclImdb/train/pos/../../../../evil/1_1.txt", "evil"),
    ("/aclImdb/train/pos/1_1.txt", "evil"),
    ("elsewhere/aclImdb/train/pos/1_1.txt", "evil"),
]


def archive(path, members, mode="w:gz"):
    """Write (name, text) into a tar; for a text in bytes, a type, there is a link or a folder."""
    with tarfile.open(path, mode) as tar:
        for name, text in members:
            info = tarfile.TarInfo(name)
            if isinstance(text, bytes):
                info.type, info.linkname = text, "/etc/passwd"
                tar.addfile(info)
            else:
                data = text.encode(errors="surrogateescape")
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
    return path


@pytest.mark.parametrize(
    "name, mode, folder",
    [("aclImdb_v1.tar.gz", "w:gz", ""), ("aclImdb_v1.tar", "w", ""), ("packed.tgz", "w:gz", "./")],
)
def test_the_archive_of_the_authors_is_read_as_it_is(tmp_path, name, mode, folder):
    members = [*((folder + path, text) for path, text in texts()), *OTHERS]
    random.Random(0).shuffle(members)
    path = archive(tmp_path / name, members, mode)
    result = made(path, "--out", tmp_path / "my" / "imdb.npz")
    assert counts(result) == (12, 12, 0) and "6 training reviews, 50%" in result.stdout
    assert "warning" in result.stderr and "3 train/neg" in result.stderr  # not 12,500 of each
    columns = module.read(path, None)
    assert [columns.names[i] for i in (columns.label, columns.text)] == ["label", "text"]
    words, arrays = read(tmp_path / "my" / "imdb.npz")
    assert set(words) == set("a dull fine film number 0 1 2".split())
    for part in "train", "test":
        for x, y in zip(arrays[f"x_{part}"], arrays[f"y_{part}"]):
            assert (words["dull"] in x, words["fine"] in x) == (y == 0, y == 1)
    assert sorted(p.name for p in tmp_path.rglob("*")) == sorted(["my", "imdb.npz", name])


def test_only_the_whole_archive_gives_no_warning(tmp_path, monkeypatch):
    assert module.AUTHORS == 12_500
    monkeypatch.setattr(module, "AUTHORS", 5)
    path, whole = tmp_path / "a.tar.gz", [*texts(5)]
    result = made(archive(path, whole), "--out", tmp_path / "imdb.npz")
    assert result.stderr == "" and "10 training reviews, 50%" in result.stdout
    assert "10 test reviews" in result.stdout
    archive(path, [*whole[1:], ("aclImdb/test/pos/9_9.txt", "as many, but not of each kind")])
    result = made(path, "--out", tmp_path / "other.npz")
    assert "warning: not the authors'" in result.stderr and "4 train/neg" in result.stderr


def test_an_archive_that_is_not_whole_is_one_line(tmp_path):
    whole = archive(tmp_path / "whole.tar.gz", texts(30)).read_bytes()
    ninth = len(whole) // 9
    broken = [whole[:n] + b"\xff\xff\xff" + whole[n + 3 :] for n in (20, 5 * ninth)]
    path, out = tmp_path / "a.tar.gz", tmp_path / "o.npz"
    lengths = 20, *range(ninth, len(whole), ninth), len(whole) - 1
    for content in (*(whole[:n] for n in lengths), *broken, b"\x1f\x8b" + bytes(100)):
        path.write_bytes(content)
        refused(own_data(path, "--out", out), "a.tar.gz")
        assert not out.exists()


def test_an_archive_without_one_kind_or_with_other_content_says_so(tmp_path):
    path, out = tmp_path / "a.tar.gz", tmp_path / "o.npz"
    for without, words in (
        ("train/neg", "0 negative and 3 positive"),
        ("train/pos", "3 negative and 0 positive"),
        ("train/", "0 negative and 0 positive"),
        ("test/", "0 to test on"),
        ("aclImdb", "0 to test on"),  # none at all
    ):
        result = own_data(archive(path, texts(without=without)), "--out", out)
        refused(result, words)
        assert "warning" in result.stderr and not out.exists()
        assert ("aclImdb/: none" in result.stderr) == (without == "aclImdb")
    bad = ("aclImdb/test/pos/9_9.txt", "caf\udce9"), ("aclImdb/test/pos/8_8.txt", "!")
    result = own_data(archive(path, [*texts(), *bad]), "--out", out)
    assert result.returncode == 1 and "9_9.txt: 'utf-8' codec can't" in result.stderr
    assert "8_8.txt: there is no" in result.stderr
    assert counts(made(path, "--out", out, "--skip-bad")) == (14, 12, 2)
    refused(own_data(path, path, "--out", tmp_path / "no.npz"), "no other table")
