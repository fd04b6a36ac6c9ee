"""From a table of reviews, or the authors' archive, to a trained script and a read review."""

import contextlib
import csv
import io
import json
import os
import random
import re
import tarfile
import zipfile
from types import SimpleNamespace

import common
import example_reviews
import numpy as np
import own_data as module
import pytest
from conftest import ROOT, call, last_line

GOOD = "a wonderful film|so good, I'd watch it again|lovely and moving<br /><br />a must"
BAD = "a terrible film|so dull, I left|boring and weak<br />a waste of time"


def table(path, rows, header=("review", "sentiment"), delimiter=",", encoding="utf-8", **how):
    with open(path, "w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter, **how).writerows([header, *rows])
    return path


def lines(path, *rows, header="review,sentiment"):
    """Write a table as it is given, whatever its quotes."""
    path.write_bytes("\n".join([header, *rows, ""]).encode())
    return path


def reviews(n, labels=("negative", "positive")):
    rng = random.Random(0)
    texts = BAD.split("|"), GOOD.split("|")
    return [(f"number {i} {rng.choice(texts[i % 2])}", labels[i % 2]) for i in range(n)]


def own_data(*arguments):
    """Run own_data.py in this process, for TensorFlow takes seconds to load."""
    out, err, status = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            module.main([str(argument) for argument in arguments])
        except SystemExit as end:
            status = end.code
    return SimpleNamespace(returncode=status, stdout=out.getvalue(), stderr=err.getvalue())


def read(path):
    """Return the words of a file, {word: rank}, and its other members, lists."""
    with zipfile.ZipFile(path) as archive:
        words = json.loads(archive.read("words.json"))
    with np.load(path, allow_pickle=True) as file:  # written a moment ago by our own program
        arrays = (name for name in file.files if name != "words.json")
        return words, {name: file[name].tolist() for name in arrays}


def counts(result):
    """Return what the program says it has read: rows, reviews, left out."""
    assert result.returncode == 0, result.stderr
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


def refused(result, *words, status=1):
    """Hold that the run ended in one line that says the words, and without a traceback."""
    assert result.returncode == status, result
    assert "error: " in last_line(result.stderr)
    for word in words:
        assert word in last_line(result.stderr)
    assert "Traceback" not in result.stderr and result.stderr.endswith("\n")


# -------------------------------------------------------------------- as a learner does it
def test_from_a_table_like_kaggles_to_a_trained_script_and_a_read_review(tmp_path):
    out = tmp_path / "my" / "my.npz"
    result = own_data(table(tmp_path / "IMDB Dataset.csv", reviews(200)), "--out", out)
    assert result.returncode == 0, result.stderr
    assert "160 training reviews, " in result.stdout and " 40 test reviews, " in result.stdout
    assert [p.name for p in out.parent.iterdir()] == ["my.npz"]  # the words lie in it
    weights = tmp_path / "w.weights.h5"
    flags = ("--data", out, "--units", "4", "--save", weights, "--epochs", "1")
    result = call("averaged", *flags)
    assert result.returncode == 0 and "/40)" in last_line(result.stdout)
    assert "data my.npz" in last_line(result.stdout)
    flags = ("--data", out, "--units", "4", "--load", weights, "--review", "a wonderful xyzzy")
    result = call("averaged", *flags)
    assert result.returncode == 0 and "  wonderful " in result.stdout
    assert "wonderful (unknown)" not in result.stdout and "xyzzy (unknown)" in result.stdout


@pytest.mark.parametrize("document", ["data.md", "zh-CN/data.md"])
def test_the_two_rows_that_the_documents_show_are_such_a_table(tmp_path, document):
    text = (ROOT / "docs" / document).read_text(encoding="utf-8")
    (example,) = re.findall(r"```text\n(评论,标签\n.*?)```", text, re.S)
    header, *rows = example.splitlines()
    path = lines(tmp_path / "影评.csv", *rows * 2, header=header)
    result = own_data(path, "--out", tmp_path / "my" / "reviews.npz", "--test-share", ".5")
    assert counts(result) == (4, 4, 0)


def test_the_example_is_a_table_that_can_be_learned_from(tmp_path, capsys):
    path = tmp_path / "my" / "影评.csv"
    example_reviews.main([str(path)])
    result = own_data(path, "--out", tmp_path / "my.npz")
    assert counts(result) == (100, 100, 0) and "0 test reviews are training" in result.stdout
    assert "80 training reviews, 50%" in result.stdout and "20 test" in result.stdout
    words, _ = read(tmp_path / "my.npz")
    assert set("这部电影真好看") < set(words)
    assert example_reviews.KEPT not in path.read_text(encoding="utf-8")


def test_the_example_is_whole_or_not_there_and_replaces_nothing(tmp_path, capsys, monkeypatch):
    (tmp_path / "mine.csv").write_text("mine")
    folder = (tmp_path / "mine.csv" / "x.csv", 1)
    wrong = [([], 2), (["--help"], 0), ([tmp_path / "mine.csv"], 2), ([tmp_path / "t"], 2)]
    for arguments, status in [*wrong, ([folder[0]], 1)]:
        with pytest.raises(SystemExit) as end:
            example_reviews.main([str(argument) for argument in arguments])
        assert end.value.code == status or status == 1 and "cannot write" in end.value.code
    monkeypatch.setattr(example_reviews, "reviews", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        example_reviews.main([str(tmp_path / "t.csv")])
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("mine.csv", "mine")]


# -------------------------------------------------------------------- labels and their pairs
@pytest.mark.parametrize(
    "header, labels",
    [
        ("text,label", "0/1"),
        ("Content,Sentiment", "neg/POS"),
        ("review,label", "0.0/1.0"),
        ("review,label", "-0/ +1.00"),
        ("评论,标签", "负/正"),
        ("评论,标签", "负面/正面"),
        ("评论,标签", "差评/好评"),
        ("评论,标签", "消极/积极"),
        ("review,label", "Negative/ positive "),
        ("review,label", "False/True"),
    ],
)
def test_two_tables_are_taken_as_they_are(tmp_path, header, labels):
    negative, positive = labels.split("/")
    rows = [("a good film", positive), ("a bad bad film", negative)]
    train = table(tmp_path / "train.tsv", rows, header.split(","), "\t")
    test = table(tmp_path / "test.tsv", [("a bad unheard film", negative)], header.split(","), "\t")
    result = own_data(train, test, "--out", tmp_path / "my.npz")
    assert result.returncode == 0 and result.stderr == "", result.stderr
    index, content = read(tmp_path / "my.npz")
    assert index == {"a": 1, "film": 2, "bad": 3, "good": 4}  # by frequency, then as they come
    assert content["x_train"] == [[1, 4, 2], [1, 3, 3, 2]] and content["y_train"] == [1, 0]
    assert content["x_test"] == [[1, 3, common.TOTAL_WORDS, 2]] and content["y_test"] == [0]
    (_, (x_test, _)) = common.read_npz(tmp_path / "my.npz")
    assert x_test[0, -5:].tolist() == [1, 4, 6, common.OOV, 5]


@pytest.mark.parametrize(
    "labels, found",
    [
        ("12345", "'4' (40)"),  # with 0/1 alone, one star would be positive and nothing else read
        ("12", "'2' (100)"),
        (("-1", "1"), "'-1' (100)"),
        ("01234", "'3' (40)"),
        (("0", "0.5", "1"), "'0.5'"),
        (("good", "bad"), "'bad' (100)"),
        (("negative", "positive", "0"), "'0'"),  # two pairs: what is 0?
        (("neg", "positive"), "'neg'"),
        (("负", "正面"), "'正面'"),
    ],
)
def test_labels_that_are_no_known_pair_are_never_guessed_at(tmp_path, labels, found):
    path = table(tmp_path / "t.csv", [(f"film {i}", labels[i % len(labels)]) for i in range(200)])
    for flags in (), ("--skip-bad",):
        result = own_data(path, "--out", tmp_path / "my.npz", *flags)
        refused(result, found, "nothing is written", "差评/好评", "1,2 --positive 4,5", "正面")
        assert not (tmp_path / "my.npz").exists()


def test_two_tables_must_use_the_same_pair(tmp_path):
    paths = [table(tmp_path / f"{a}{b}.csv", reviews(20, (a, b))) for a, b in ("01", "负正")]
    refused(own_data(*paths, "--out", tmp_path / "my.npz"), "'负' (10)", "one pair")


@pytest.mark.parametrize("comma", [",", "，"])
def test_the_user_may_say_what_labels_mean(tmp_path, comma):
    stars = ("1.0", "2", "3", "4", "5", "")
    path = table(tmp_path / "t.csv", [(f"film stars{i % 6}", stars[i % 6]) for i in range(120)])
    flags = ("--negative", f"1{comma}2", "--positive", f"4{comma}5")
    result, rows = rows_of(path, *flags)
    assert counts(result) == (240, 160, 80) and result.stderr == ""
    labels = {("film stars0", 0), ("film stars1", 0), ("film stars3", 1), ("film stars4", 1)}
    assert set(rows) == labels and len(rows) == 80
    result, _ = rows_of(path, "--negative", "1", "--positive", f"5{comma}6", "--skip-bad")
    assert "warning: no row has the label '6'" in result.stderr
    assert "t.csv line 4: the label '3'" in result.stderr  # with --skip-bad all are named
    for flags in ("--negative", "1"), ("--negative", "1,2", "--positive", "2.0"):
        result = own_data(path, "--out", tmp_path / "no.npz", *flags)
        refused(result, "--negative and --positive", status=2)


def test_training_needs_both_labels(tmp_path):
    one = table(tmp_path / "one.csv", [(f"film {i}", "1") for i in range(20)])
    both = table(tmp_path / "both.csv", reviews(20, "01"))
    refused(own_data(one, "--out", tmp_path / "my.npz"), "0 negative and 16 positive")
    refused(own_data(one, both, "--out", tmp_path / "my.npz"), "0 negative and 20 positive")
    result = own_data(both, one, "--out", tmp_path / "my.npz")
    assert result.returncode == 0
    for part, share in ("training", "50%"), ("test", "100%"):
        assert f"20 {part} reviews, {share} of them positive" in result.stdout
    refused(own_data(lines(tmp_path / "none.csv"), "--out", tmp_path / "no.npz"), "0 to test on")


def test_rows_that_are_no_reviews_are_named_and_not_lost_in_silence(tmp_path):
    wrong = [("?!", "positive"), ("fine", "neutral"), ("one", "positive", "too many")]
    good, bad = reviews(20), [*wrong, *[("...", "negative")] * 10]
    out, (first, second) = tmp_path / "my.npz", (tmp_path / "1.csv", tmp_path / "2.csv")
    named = [f"line {22 + i}: there is no word" for i in (0, *range(3, 13))]
    named += ["line 23: the label 'neutral'", "line 24: 3 fields, not 2"]
    for paths, name in (([first], "1.csv"), ([second, first], "1.csv")):  # the second's bad rows
        table(first, good + bad)
        table(second, good)
        result = own_data(*paths, "--out", out)
        refused(result, "nothing is written")
        assert "13 of" in result.stderr and result.stderr.count("\n  ") == 10 and not out.exists()
        result = own_data(*paths, "--out", out, "--skip-bad", "--replace")
        assert counts(result) == (20 * len(paths) + 13, 20 * len(paths), 13)
        for words in named:
            assert f"  {name} {words}" in result.stderr
        out.unlink()


# ------------------------------------------------------------------------ what a table may hold
FINE, DULL = "fine,1", "dull,0"
READ = {  # a table, with text,label on top; its rows as they are read
    "blank lines anywhere": ("\n\n" + FINE + "\n\r\n" + DULL + "\n\n", ["fine", "dull"]),
    "a Mac's line ends": (FINE + "\r" + DULL + "\r", ["fine", "dull"]),
    "200,000 letters": ('"' + "a " * 100_000 + '",1\n' + DULL, ["a " * 99_999 + "a", "dull"]),
    "breaks in words": ("so<BR>so<br />so\\nso,1\n" + DULL, ["so so so so", "dull"]),
    "a number of no character": ("so &#" + "9" * 5_000 + ";so &#33;,1\n" + DULL, ["so so", "dull"]),
    "characters that are written": (
        "I don&#39;t &hellip; cafe\u0301&lt;br&gt;e,1\n" + DULL,
        ["i don't café e", "dull"],
    ),
    "two files joined": (
        FINE + "\n\ufeff" + DULL + "\n\ufeff" + '"so, so",1',
        ["fine", "dull", "so so"],
    ),
    "quotes in order": ('"so ""so"", so\nso",1\n' + DULL, ["so so so so", "dull"]),
    "a quote inside a text": ('so "so" so,1\n' + DULL, ["so so so", "dull"]),
    r"\" in the whole table": ('"so \\"so\\", so \\\\",1\n"dull",0', ["so so so", "dull"]),
}


@pytest.mark.parametrize("name", READ)
def test_what_a_table_may_hold(tmp_path, name):
    text, texts = READ[name]
    (tmp_path / "t.csv").write_bytes(b"\xef\xbb\xbftext,label\n" + text.encode())
    result, rows = rows_of(tmp_path / "t.csv")
    assert rows == [(text, 0 if text == "dull" else 1) for text in texts], result.stderr
    assert result.stderr == ""


@pytest.mark.parametrize(
    "encoding, delimiter, flags",
    [
        ("utf-8", ";", ()),
        ("utf-8", "\t", ()),
        ("utf-8-sig", ",", ()),
        ("utf-8", "|", ("--delimiter", "|")),
        ("utf-8", "\t", ("--delimiter", "\\t")),
        ("gb18030", ",", ("--encoding", "gb18030")),
        ("utf-16", "\t", ("--encoding", "utf-16")),
        ("utf-8-sig", ",", ("--encoding", "utf8")),
    ],
)
def test_forms_of_tables(tmp_path, encoding, delimiter, flags):
    path = tmp_path / "t.csv"
    table(path, reviews(20, "负正"), ("评论", "标签"), delimiter=delimiter, encoding=encoding)
    assert counts(own_data(path, "--out", tmp_path / "my.npz", *flags)) == (20, 20, 0)


@pytest.mark.parametrize(
    "names, flags, words",
    [
        ("text,label,label", (), "label and label in the first line"),
        ("text,label,Label", (), "label and Label in the first line"),
        ("text,label,label", ("--label", "label"), "label and label in the first line"),
        ("text,label,LABEL", ("--label", "Label"), "label and LABEL in the first line"),
        ("text,sentiment,label", (), "say --label NAME"),
        ("text,label,review", (), "say --text NAME"),
        ("words,stars,x", (), "no column review or text"),
        ("text,stars,x", (), "no column sentiment or label"),
        ("text,label,x", ("--label", "y"), "no column y in the first line (text, label, x)"),
        ("text,label,label", ("--text", "text", "--label", "x"), "no column x"),
        ("text,label,Label", ("--label", "label"), 1),  # to the letter: the second column
        ("text,label,Label", ("--label", "Label"), 0),
        ("text,sentiment,label", ("--label", "LABEL "), 0),
        ("review,label,text", ("--text", "review"), 1),
        ("words,stars,x", ("--text", "words", "--label", "stars"), 1),
        ("text,label,", (), 1),
    ],
)
def test_a_column_is_named_or_known_and_never_one_of_two(tmp_path, names, flags, words):
    """words: those of the message, or the label of the first row, of 1 and 0 in its columns."""
    result, rows = rows_of(lines(tmp_path / "t.csv", "so,1,0", "so so,0,1", header=names), *flags)
    if isinstance(words, str):
        refused(result, words)
    else:
        assert rows == [("so", words), ("so so", 1 - words)], result.stderr


# --------------------------------------------------------------------------- rows and their quotes
BROKEN = {  # lines below text,label; the line that is named; is it asked, with two flags?
    "one that is never closed": (['"dull 1,0', "fine 2,1", "dull 3,0"], 2, False),
    "in the next row": (['"dull 1,0', 'fine 2",1', "dull 3,0"], 2, True),
    "two rows on": (["fine 1,1", '"dull 1,0', "odd 2,7", 'dull 3",0'], 3, True),
    "a word in quotes first": (["fine 1,1", '"Dull" is the word,0'], 3, False),
    "a neutral row between": (['"dull', "it,neutral", 'fine 3",1', "so so,neutral"], 2, True),
    "a row of other fields": (['"dull 1, so', "fine, so,1", 'fine 3",1'], 2, True),
    "more fields than names": (['"dull', 'fine 2",1,x', DULL], 2, True),
    "a list in a good text": (['"dull:\n1. so,1\n2. so",0', FINE], 2, True),
    "the names are joined": ([DULL, 'fine",1,y'], 1, True),
}


@pytest.mark.parametrize("name", BROKEN)
def test_quotes_that_can_be_read_in_two_ways_are_asked_about_once(tmp_path, name):
    rows, line, asked = BROKEN[name]
    names = 'text,label,"x' if name == "the names are joined" else "text,label"
    path = lines(tmp_path / "t.csv", *rows, FINE, DULL, header=names)
    for flags in (), ("--skip-bad",), ("--negative", "0", "--positive", "1"):
        result, _ = rows_of(path, *flags)
        refused(result, f"t.csv line {line}: ", "--unquoted")
        assert ("--quoted" in result.stderr) == asked and result.stderr.count("\n") == 1
    refused(own_data(path, "--out", tmp_path / "o.npz", "--quoted", "--unquoted"), status=2)


def test_the_answer_is_followed(tmp_path):
    path = lines(
        tmp_path / "t.csv", DULL, '"fine, so', 'dull 2",0', '"x', FINE, header="text,label"
    )
    refused(rows_of(path)[0], "line 5: its quotes")  # the first that cannot be read at all
    path = lines(tmp_path / "t.csv", DULL, '"fine,1', 'dull 2",0', FINE, header="text,label")
    assert rows_of(path, "--quoted")[1] == [("dull", 0), ("fine 1 dull 2", 0), ("fine", 1)]
    rows = [("dull", 0), ("fine", 1), ("dull 2", 0), ("fine", 1)]
    assert rows_of(path, "--unquoted")[1] == rows


COLUMNS = ["text,label", "label,text", "id,text,label", "id,label,text", "label,id,text,x"]


@pytest.mark.parametrize("columns", COLUMNS)
@pytest.mark.parametrize("way", ["doubled", "backslash"])
def test_a_proper_table_is_read_row_by_row_or_asked_about(tmp_path, columns, way):
    """Tables that csv.writer wrote: all rows come back in order; only rows in a text may ask."""
    rng, names, read = random.Random(columns + way), columns.split(","), 0
    bits = [
        "dull",
        ",",
        "\n",
        "\r\n",
        '"',
        '"dull"',
        "\\",
        ";",
        "\t",
        "so",
        "\n\n",
        "'",
        '""',
        "\\n",
    ]
    how = {"quoting": csv.QUOTE_NONNUMERIC}
    if way == "backslash":  # as in Kaggle's labeledTrainData.tsv
        how.update(doublequote=False, escapechar="\\")
    for n in range(10):
        rows = [{"id": f"{i}_0", "x": "", "label": "01"[i % 2]} for i in range(20)]
        for i, row in enumerate(rows):
            text = rng.choice(("", " ")).join(rng.choices(bits, k=8))
            row["text"] = f"film{i} {text} end" + rng.choice(["\n1,so\n,0"] * (n == 5) + [""])
        body = [[row[name] for name in names] for row in rows]
        path = table(tmp_path / "t.csv", body, names, **how)
        expected = [(" ".join(module.split_words(row["text"])), int(row["label"])) for row in rows]
        asked, found = rows_of(path)
        if asked.returncode:
            refused(asked, "say --quoted")
            assert any(re.search(r"(^|[\r\n,])[01]([\r\n,]|$)", row["text"]) for row in rows)
        else:
            read += 1
            assert found == expected
        assert rows_of(path, "--quoted")[1] == expected
    assert read >= 9


@pytest.mark.parametrize("columns", COLUMNS)
def test_no_row_is_ever_joined_with_another_whatever_the_quotes(tmp_path, columns):
    """Tables that quote nothing, with quotes strewn in: each review read is a row of the table."""
    rng, names, joined = random.Random(columns), columns.split(","), 0
    for n in range(60):
        rows = [{"id": str(i), "x": "", "label": str(i % 2)} for i in range(20)]
        for i, row in enumerate(rows):
            row["text"] = text = f"film{i} is dull"
            for _ in range(rng.choice((0, 0, 1, 2)) if n % 2 else 0):
                place = rng.choice((0, len(text), rng.randrange(len(text))))
                row["text"] = row["text"][:place] + '"' + row["text"][place:]
        i = rng.randrange(17)
        rows[i]["text"] = '"' + rows[i]["text"] + rng.choice(("", ", so"))
        rows[i + rng.choice((1, 2))]["text"] += '"'
        body = [",".join(row[name] for name in names) for row in rows]
        path = lines(tmp_path / "t.csv", *body, header=columns)
        joined += len(list(csv.reader(body))) < len(rows)  # what csv alone makes of it
        for flags in (), ("--skip-bad",):
            result, found = rows_of(path, *flags)
            if found is None:
                refused(
                    result, "--unquoted" if "line" in last_line(result.stderr) else "--skip-bad"
                )
            else:
                assert {(t.replace(" ", ""), y) for t, y in found} <= {
                    (f"film{i}isdull" + so, i % 2) for i in range(20) for so in ("", "so")
                }
        result, found = rows_of(path, "--unquoted", "--skip-bad")
        good = [row for row in rows if "," not in row["text"]]
        assert [y for _, y in found] == [int(row["label"]) for row in good]
        assert counts(result) == (40, 2 * len(good), 40 - 2 * len(good))
    assert joined > 40  # or this would test nothing


# ---------------------------------------------------------------- what is no table that can be read
def zipped(name):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr(name, "")
    return data.getvalue()


HEADER = "review,sentiment\n"
REFUSED = {  # the bytes of a file, or None; the words of the message
    "missing.csv": (None, "No such file"),
    "latin.csv": ((HEADER + "café,1").encode("latin-1"), "not in utf-8", "--encoding cp1252"),
    "gb.csv": ((HEADER + "好,正").encode("gb18030"), "not in utf-8", "--encoding gb18030"),
    "utf-16.csv": ((HEADER + "好,正").encode("utf-16"), "not in utf-8", "--encoding utf-16"),
    "ascii-16.csv": ((HEADER + "so,1").encode("utf-16-le"), "not in utf-8", "--encoding utf-16"),
    "no names.csv": (b"so,1\nso,0\n", "no column review", "a line of names"),
    "empty.csv": (b"", "no column review"),
    "a quote in the first line.csv": (b'review,"sentiment\nso,1\n', "line 1: its quotes"),
    "long.csv": ((HEADER + "s" * (1 << 24) + "o,1").encode(), "line 2: ", "too long", "limit"),
    "t.xlsx": (zipped("xl/workbook.xml"), "unpack it, or save the sheet as CSV UTF-8"),
    "t.xls": (b"\xd0\xcf\x11\xe0", "Excel", "CSV UTF-8"),
    "t.parquet": (b"PAR1\x15\x04", "Parquet", "to_csv"),
    "t.jsonl": (b'{"review": "fine", "label": 1}\n', "JSON", "lines=True", "to_csv"),
    "t.json": (b'\xef\xbb\xbf[\n{"review": "fine", "label": 1}]', "JSON", "to_csv"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_used_is_one_line_that_says_what_to_do(tmp_path, name):
    content, *words = REFUSED[name]
    if content is not None:
        (tmp_path / name).write_bytes(content)
    result = own_data(tmp_path / name, "--out", tmp_path / "o.npz")
    refused(result, *words)
    assert result.stderr.count("\n") == 1 and not (tmp_path / "o.npz").exists()


def test_an_unpacked_archive_and_flags_that_make_no_sense(tmp_path):
    (tmp_path / "aclImdb").mkdir()
    refused(own_data(tmp_path / "aclImdb", "--out", tmp_path / "o.npz"), "name the .tar.gz")
    good = table(tmp_path / "t.csv", reviews(20))
    for words, *flags in (
        ("must end in .npz", "--out", tmp_path / "my.csv"),
        ("unknown encoding", "--out", tmp_path / "o.npz", "--encoding", "klingon"),
        ("delimiter", "--out", tmp_path / "o.npz", "--delimiter", ",,"),
        ("from 0 to 1", "--out", tmp_path / "o.npz", "--test-share", "2"),
    ):
        refused(own_data(good, *flags), words, status=2)


@pytest.mark.parametrize("text", ["きのうみたえいがでした", "หนังเรื่องนี้สนุกมาก", "หนังดี มาก"])
def test_a_text_without_blanks_between_words_is_warned_of(tmp_path, text):
    path = table(tmp_path / "t.csv", [("这部电影真好看", "1"), (text, "0"), ("so ดี", "0")])
    result, _ = rows_of(path)
    warned = "warning: 2 texts have no blanks, so that each is one word"  # in both tables
    assert (f"{warned} or a few: t.csv line 3" in result.stderr) == (" " not in text)


# ------------------------------------------------------------------ the split, what is said
def test_one_table_is_split_by_the_seed_and_nothing_is_lost(tmp_path):
    path = table(tmp_path / "t.csv", reviews(50))
    found = []
    for name, seed in ("a", 0), ("b", 0), ("c", 1):
        out = tmp_path / name / "my.npz"
        assert own_data(path, "--out", out, "--seed", seed).returncode == 0
        _, arrays = read(out)
        assert len(arrays["x_train"]) == 40 and len(arrays["x_test"]) == 10
        found.append(out.read_bytes())
    assert found[0] == found[1] != found[2]


def test_words_of_equal_frequency_keep_their_order(tmp_path):
    """In the order of the table, of which some rows are for the test."""
    words = [f"w{i}" for i in random.Random(0).sample(range(400), 400)]
    rows = [(f"{word} {'dull' if i % 2 else 'fine'}", str(i % 2)) for i, word in enumerate(words)]
    assert own_data(table(tmp_path / "t.csv", rows), "--out", tmp_path / "o.npz").returncode == 0
    index = list(read(tmp_path / "o.npz")[0])
    assert set(index[:2]) == {"dull", "fine"} and len(index) == 322
    assert index[2:] == [word for word in words if word in index]


@pytest.mark.parametrize("rare", [2, 10, 37])
@pytest.mark.parametrize("label", [0, 1])
def test_both_parts_have_the_same_share_of_the_labels(tmp_path, rare, label):
    rows = [(f"film {i}", str(label if i < rare else 1 - label)) for i in range(400)]
    path = table(tmp_path / "t.csv", rows)
    for seed in range(5):
        flags = ("--seed", seed, "--replace")
        result = own_data(path, "--out", tmp_path / "my.npz", *flags)
        _, arrays = read(tmp_path / "my.npz")
        assert arrays["y_test"].count(label) == max(1, round(rare / 5))
        assert arrays["y_train"].count(label) == rare - max(1, round(rare / 5))
        share = 1 - arrays["y_test"].count(label) / len(arrays["y_test"])
        assert f"would be right for {share:.0%}" in result.stdout  # of the larger class


def test_reviews_that_are_in_both_parts_are_counted(tmp_path):
    train = table(tmp_path / "a.csv", reviews(20, "01"))
    test = table(tmp_path / "b.csv", [*reviews(7, "01"), ("Number 0: " + "new", "1")])
    result = own_data(train, test, "--out", tmp_path / "my.npz")
    assert "7 test reviews are training reviews too" in result.stdout


def test_more_than_the_scripts_read_is_one_line_and_no_file(tmp_path, monkeypatch):
    path, out = table(tmp_path / "t.csv", reviews(1_000)), tmp_path / "my.npz"
    for bound, words in (400, "t.csv line 801: too many rows"), (700, "too many reviews"):
        monkeypatch.setattr(module, "REVIEWS", bound)
        refused(own_data(path, "--out", out), words, "the scripts read")
        assert not out.exists()
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
    out = tmp_path / "my.npz"
    first = table(tmp_path / "a.csv", reviews(20))
    other = table(tmp_path / "b.csv", [(f"other words {i}", "01"[i % 2]) for i in range(20)])
    assert own_data(first, "--out", out).returncode == 0
    old = out.read_bytes()
    refused(own_data(other, "--out", out), "is there", "--replace", status=2)
    names = sorted(path.name for path in tmp_path.iterdir())

    def stop(error):
        def raise_it(*_, **__):
            raise error

        return raise_it

    for error in OSError("no space left"), KeyboardInterrupt():
        for place in (np, "savez_compressed"), (json, "dumps"), (os, "replace"):
            with monkeypatch.context() as patch:
                patch.setattr(*place, stop(error))
                with contextlib.suppress(KeyboardInterrupt):
                    refused(own_data(other, "--out", out, "--replace"), "no space left")
            assert out.read_bytes() == old
            assert sorted(path.name for path in tmp_path.iterdir()) == names
    assert own_data(other, "--out", out, "--replace").returncode == 0
    assert "other" in read(out)[0] and "wonderful" not in read(out)[0]


def test_paths_home_links_an_input_as_output_and_names_that_cannot_be(tmp_path, monkeypatch):
    for name in "HOME", "USERPROFILE":
        monkeypatch.setenv(name, str(tmp_path))
    source = table(tmp_path / "t.npz", reviews(20))  # a table may be called anything
    assert own_data("~/t.npz", "--out", "~/my.npz").returncode == 0
    assert (tmp_path / "my.npz").is_file()
    text = source.read_bytes()
    for out in source, tmp_path / "." / "t.npz":
        for flags in (), ("--replace",):
            refused(own_data(source, "--out", out, *flags), status=2)
    result = own_data(source, "--out", tmp_path / f"{'n' * 300}.npz")
    refused(result, "cannot write")
    refused(own_data(tmp_path / ("n" * 300), "--out", tmp_path / "o.npz"), "cannot read")
    (tmp_path / "folder.npz").mkdir()
    refused(own_data(source, "--out", tmp_path / "folder.npz", "--replace"), status=2)
    refused(own_data(source, "--out", source / "my.npz"), "cannot write")
    assert source.read_bytes() == text


@pytest.mark.skipif(os.name == "nt", reason="links want rights on Windows")
def test_a_link_is_followed_and_never_hides_an_input(tmp_path):
    source = table(tmp_path / "t.npz", reviews(20))
    text = source.read_bytes()
    (tmp_path / "to-input.npz").symlink_to(source)
    os.link(source, tmp_path / "same.npz")
    for name in "to-input.npz", "same.npz":
        result = own_data(source, "--out", tmp_path / name, "--replace")
        refused(result, "is a table to be read", status=2)
    (tmp_path / "far").mkdir()
    (tmp_path / "near.npz").symlink_to(tmp_path / "far" / "my.npz")
    assert own_data(source, "--out", tmp_path / "near.npz").returncode == 0
    assert (tmp_path / "near.npz").is_symlink() and (tmp_path / "far" / "my.npz").is_file()
    assert source.read_bytes() == text


@pytest.mark.skipif(os.name == "nt", reason="no such names on Windows")
def test_what_is_printed_of_a_table_has_no_control_characters(tmp_path):
    evil = "\x1b[31m\x07\u202e"
    path = tmp_path / f"t{evil}.csv"
    rows = [("fine", "1"), ("dull", "0"), ("x", f"{evil}odd")] * 5
    table(path, rows, ("review", f"label{evil}"))
    label = ("--label", f"label{evil}")
    for i, flags in enumerate([(), label, (*label, "--skip-bad")]):
        result = own_data(path, "--out", tmp_path / f"{i}{evil}.npz", *flags)
        assert result.stderr and result.returncode == (0 if i == 2 else 1)
        assert not {"\x1b", "\x07", "\u202e"} & set(result.stdout + result.stderr)


# ---------------------------------------------------------------------- the authors' archive
def member(name, text="", **changes):
    info = tarfile.TarInfo(name)
    data = text if isinstance(text, bytes) else text.encode()
    info.size = len(data)
    for key, change in changes.items():
        setattr(info, key, change)
    return info, io.BytesIO(data)


def texts(n=3):
    for part in "train", "test":
        for kind, word in ("neg", "dull"), ("pos", "fine"):
            for i in range(n):
                yield f"aclImdb/{part}/{kind}/{i}_{i}.txt", f"a {word} film<br />number {i}"


OTHERS = [  # what else may be in an archive, and must not be read as a review nor written anywhere
    member("aclImdb/README", "aclImdb/train/pos"),
    member("aclImdb/train/unsup/0_0.txt", "unlabelled"),
    member("aclImdb/train/pos/._0_9.txt", b"\0\5\26\7"),
    member("aclImdb/train/urls_pos.txt", "unlabelled"),
    member("aclImdb/train/pos/", type=tarfile.DIRTYPE),
    member("aclImdb/train/pos/8_9.txt", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
    member("aclImdb/train/pos/../../../../evil/1_1.txt", "evil"),
    member("/aclImdb/train/pos/1_1.txt", "evil"),
    member("elsewhere/aclImdb/train/pos/1_1.txt", "evil"),
]


def archive(path, members, mode="w:gz"):
    with tarfile.open(path, mode) as tar:
        for info, data in members:
            data.seek(0)
            tar.addfile(info, data)
    return path


@pytest.mark.parametrize(
    "name, mode, folder",
    [("aclImdb_v1.tar.gz", "w:gz", ""), ("aclImdb_v1.tar", "w", ""), ("packed.tgz", "w:gz", "./")],
)
def test_the_archive_of_the_authors_is_read_as_it_is(tmp_path, name, mode, folder):
    members = [*(member(folder + path, text) for path, text in texts()), *OTHERS]
    random.Random(0).shuffle(members)
    path = archive(tmp_path / name, members, mode)
    result = own_data(path, "--out", tmp_path / "my" / "imdb.npz")
    assert result.returncode == 0, result.stderr
    assert counts(result) == (12, 12, 0) and "6 training reviews, 50%" in result.stdout
    assert "warning" in result.stderr and "3 train/neg" in result.stderr  # not 12,500 of each
    words, arrays = read(tmp_path / "my" / "imdb.npz")
    assert set(words) == set("a dull fine film number 0 1 2".split())
    for part in "train", "test":
        for x, y in zip(arrays[f"x_{part}"], arrays[f"y_{part}"]):
            assert (words["dull"] in x, words["fine"] in x) == (y == 0, y == 1)
    assert sorted(p.name for p in tmp_path.rglob("*")) == sorted(["my", "imdb.npz", name])


def test_the_whole_archive_gives_no_warning(tmp_path, monkeypatch):
    assert module.AUTHORS == 12_500
    monkeypatch.setattr(module, "AUTHORS", 5)
    path = archive(tmp_path / "a.tar.gz", (member(*text) for text in texts(5)))
    result = own_data(path, "--out", tmp_path / "imdb.npz")
    assert result.returncode == 0 and result.stderr == ""
    assert "10 training reviews, 50%" in result.stdout and "10 test reviews" in result.stdout


def test_an_archive_that_is_not_whole_is_one_line(tmp_path):
    whole = archive(tmp_path / "whole.tar.gz", (member(*text) for text in texts(30))).read_bytes()
    path, out = tmp_path / "a.tar.gz", tmp_path / "o.npz"
    for n in (20, *range(len(whole) // 9, len(whole), len(whole) // 9), len(whole) - 1):
        path.write_bytes(whole[:n])
        refused(own_data(path, "--out", out), "a.tar.gz")
        assert not out.exists()
    broken = bytearray(whole)
    broken[len(whole) // 2] ^= 1
    path.write_bytes(broken)
    refused(own_data(path, "--out", out), "a.tar.gz")
    path.write_bytes(b"\x1f\x8b" + bytes(100))
    refused(own_data(path, "--out", out), "a.tar.gz")


def test_an_archive_without_one_kind_or_with_other_content_says_so(tmp_path):
    out = tmp_path / "o.npz"
    for missing, words in (
        ("train/neg", "0 negative and 3 positive"),
        ("train/", "0 negative and 0 positive"),
        ("test/", "0 to test on"),
        ("aclImdb", "0 to test on"),
    ):
        members = (member(*text) for text in texts() if missing not in text[0])
        result = own_data(archive(tmp_path / "a.tar.gz", members), "--out", out)
        refused(result, words)
        assert "warning" in result.stderr and not out.exists()
    bad = [member("aclImdb/test/pos/9_9.txt", b"caf\xe9"), member("aclImdb/test/pos/8_8.txt", "!")]
    path = archive(tmp_path / "a.tar.gz", [*(member(*text) for text in texts()), *bad])
    result = own_data(path, "--out", out)
    assert (
        "9_9.txt: 'utf-8' codec can't" in result.stderr and "8_8.txt: there is no" in result.stderr
    )
    assert result.returncode == 1
    assert counts(own_data(path, "--out", out, "--skip-bad")) == (14, 12, 2)
    refused(own_data(path, path, "--out", tmp_path / "no.npz"), "no other table")
