"""From a table of reviews, or the authors' archive, to a trained script and a read review."""

import collections
import contextlib
import csv
import io
import json
import os
import random
import re
import tarfile
import unicodedata
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


def content(path, *parts):
    """Count what a file has: {(words of a review, label): how often}, unknown words as "?"."""
    words, arrays = read(path)
    word = {rank: word for word, rank in words.items()}
    return collections.Counter(
        (" ".join(word.get(rank, "?") for rank in x), y)
        for part in parts or ("train", "test")
        for x, y in zip(arrays[f"x_{part}"], arrays[f"y_{part}"])
    )


def counts(result):
    """Return what the program says it has read: rows, reviews, left out."""
    found = re.search(r"^(\d+) rows: (\d+) reviews, (\d+) left out$", result.stdout, re.M)
    return tuple(map(int, found.groups()))


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
    assert result.returncode == 0 and counts(result) == (4, 4, 0), result.stderr


def test_the_example_is_a_table_that_can_be_learned_from(tmp_path, capsys):
    path = tmp_path / "my" / "影评.csv"
    example_reviews.main([str(path)])
    result = own_data(path, "--out", tmp_path / "my.npz")
    assert counts(result) == (100, 100, 0) and "0 test reviews are training" in result.stdout
    assert "80 training reviews, 50%" in result.stdout and "20 test" in result.stdout
    words, _ = read(tmp_path / "my.npz")
    assert set("这部电影真好看") < set(words)
    assert example_reviews.KEPT not in path.read_text(encoding="utf-8")
    with pytest.raises(FileExistsError):
        example_reviews.main([str(path)])


# -------------------------------------------------------------------- labels and their pairs
@pytest.mark.parametrize(
    "header, labels",
    [
        (("text", "label"), ("0", "1")),
        (("Content", "Sentiment"), ("neg", "POS")),
        (("review", "label"), ("0.0", "1.0")),
        (("评论", "标签"), ("负", "正")),
        (("评论", "标签"), ("差评", "好评")),
        (("评论", "标签"), ("消极", "积极")),
        (("review", "label"), ("Negative", " positive ")),
        (("review", "label"), ("False", "True")),
    ],
)
def test_two_tables_are_taken_as_they_are(tmp_path, header, labels):
    rows = [("a good film", labels[1]), ("a bad bad film", labels[0])]
    train = table(tmp_path / "train.tsv", rows, header, "\t")
    test = table(tmp_path / "test.tsv", [("a bad unheard film", labels[0])], header, "\t")
    result = own_data(train, test, "--out", tmp_path / "my.npz")
    assert result.returncode == 0, result.stderr
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
    ],
)
def test_labels_that_are_no_known_pair_are_never_guessed_at(tmp_path, labels, found):
    path = table(tmp_path / "t.csv", [(f"film {i}", labels[i % len(labels)]) for i in range(200)])
    for flags in (), ("--skip-bad",):
        result = own_data(path, "--out", tmp_path / "my.npz", *flags)
        refused(result, found, "nothing is written", "差评/好评", "--negative 1,2 --positive 4,5")
        assert not (tmp_path / "my.npz").exists()


def test_two_tables_must_use_the_same_pair(tmp_path):
    paths = [table(tmp_path / f"{a}{b}.csv", reviews(20, (a, b))) for a, b in ("01", "负正")]
    refused(own_data(*paths, "--out", tmp_path / "my.npz"), "'负' (10)", "one pair at a time")


def test_the_user_may_say_what_labels_mean(tmp_path):
    rows = [(f"film stars{i % 6}", ("1.0", "2", "3", "4", "5", "")[i % 6]) for i in range(120)]
    path = table(tmp_path / "t.csv", rows)
    flags = ("--negative", "1,2", "--positive", "4,5")
    result = own_data(path, "--out", tmp_path / "my.npz", *flags)
    assert result.returncode == 0, result.stderr
    assert counts(result) == (120, 80, 40)
    found = content(tmp_path / "my.npz")
    labels = {"film stars0": 0, "film stars1": 0, "film stars3": 1, "film stars4": 1}
    assert set(found) == set(labels.items()) and set(found.values()) == {20}
    for flags in ("--negative", "1"), ("--negative", "1,2", "--positive", "2.0"):
        result = own_data(path, "--out", tmp_path / "no.npz", *flags)
        refused(result, "--negative and --positive", status=2)


@pytest.mark.parametrize("label", ["0", " 0.0", "-0", "+0.00"])
def test_one_number_is_one_label_however_it_is_written(label):
    assert module.value(label) == "0"


def test_training_needs_both_labels(tmp_path):
    one = table(tmp_path / "one.csv", [(f"film {i}", "1") for i in range(20)])
    both = table(tmp_path / "both.csv", reviews(20, "01"))
    refused(own_data(one, "--out", tmp_path / "my.npz"), "0 negative and 16 positive")
    refused(own_data(one, both, "--out", tmp_path / "my.npz"), "0 negative and 20 positive")
    result = own_data(both, one, "--out", tmp_path / "my.npz")
    assert result.returncode == 0
    for part, share in ("training", "50%"), ("test", "100%"):
        assert f"20 {part} reviews, {share} of them positive" in result.stdout
    refused(own_data(lines(tmp_path / "none.csv"), "--out", tmp_path / "no.npz"), "0 for the test")


# ---------------------------------------------------------------------- rows and their quotes
def test_rows_that_are_no_reviews_are_named_and_not_lost_in_silence(tmp_path):
    rows = [*reviews(20), ("?!", "positive"), ("fine", "neutral"), ("one", "positive", "too many")]
    path = table(tmp_path / "t.csv", rows)
    result = own_data(path, "--out", tmp_path / "my.npz")
    assert result.returncode == 1 and not (tmp_path / "my.npz").exists()
    assert "3 of 23 rows are no reviews" in result.stderr
    assert "nothing is written" in last_line(result.stderr)
    for words in "line 22: there is no word", "line 23: the label 'neutral'", "line 24: 3 fields":
        assert words in result.stderr
    result = own_data(path, "--out", tmp_path / "my.npz", "--skip-bad")
    assert result.returncode == 0 and "3 of 23 rows are no reviews" in result.stderr
    assert counts(result) == (23, 20, 3)
    assert "16 training reviews" in result.stdout and "4 test" in result.stdout


STRAY = {  # tables with quotes that csv reads wrongly or not at all: the lines that are wrong
    "one that is never closed": (['"dull 1,0', "fine 2,1", "dull 3,0", "fine 4,1"], [2]),
    "two, of which the second closes the first": (
        ['"dull 1,0', "fine 2,1", 'dull 3",0', "fine 4,1", "dull 5,0"],
        [2],
    ),
    "two in neighbouring rows": (['"dull 1,0', 'fine 2",1', "dull 3,0", "fine 4,1"], [2]),
    "a word in quotes first": (['"Dull" is the word 1,0', "fine 2,1", "dull 3,0", "fine 4,1"], [2]),
    "every row": (['"dull 1,0', '"fine 2,1', '"dull 3,0', "fine 4,1", "dull 5,0"], [2, 3, 4]),
    "line breaks before it": (['"dull\n1",0', '"fine 2,1', "dull 3,0", "fine 4,1"], [4]),
}


@pytest.mark.parametrize("name", STRAY)
def test_a_stray_quote_is_named_by_the_line_where_it_begins_and_takes_no_other_row(tmp_path, name):
    rows, wrong = STRAY[name]
    rows = [*rows, "fine,1", "dull,0", "fine,1", "dull,0"]
    path = lines(tmp_path / "t.csv", *rows)
    result = own_data(path, "--out", tmp_path / "my.npz")
    named = [int(n) for n in re.findall(r"t\.csv line (\d+): its quotes", result.stderr)]
    assert result.returncode == 1 and named == wrong and "--unquoted" in result.stderr
    result = own_data(path, "--out", tmp_path / "my.npz", "--skip-bad")
    assert counts(result)[::2] == (len(rows), len(wrong))
    if name != "line breaks before it":
        result = own_data(path, "--out", tmp_path / "all.npz", "--unquoted")
        assert counts(result) == (len(rows), len(rows), 0)
        assert sum(content(tmp_path / "all.npz").values()) == len(rows)


@pytest.mark.parametrize("columns", ["text,label", "label,text", "id,text,label", "id,label,text"])
def test_no_row_is_ever_joined_with_another_whatever_the_quotes(tmp_path, columns):
    """Tables that quote nothing, with quotes strewn in: each review read is a row of the table."""
    rng, joined = random.Random(columns), 0
    for _ in range(60):
        rows = []
        for i in range(30):
            text = f"film{i} is dull"
            for _ in range(rng.choice((0, 0, 0, 1, 1, 2))):
                place = rng.choice((0, 0, len(text), len(text), rng.randrange(len(text))))
                text = text[:place] + '"' + text[place:]
            rows.append({"id": str(i), "text": text, "label": str(i % 2)})
        body = [",".join(row[name] for name in columns.split(",")) for row in rows]
        path = lines(tmp_path / "t.csv", *body, header=columns)
        joined += len(list(csv.reader(body))) < len(rows)  # what csv alone makes of it
        flags = ("--out", tmp_path / "my.npz", "--replace", "--test-share", "0")  # 0: one of each
        result = own_data(path, *flags, "--skip-bad")
        assert result.returncode == 0, result.stderr
        n, kept, left_out = counts(result)
        assert n == 30 == kept + left_out
        found = content(tmp_path / "my.npz", "train")  # a quote in a word divides it
        found = collections.Counter((text.replace(" ", ""), y) for text, y in found.elements())
        assert len(found) == sum(found.values()) == kept - 2
        assert set(found) < {(f"film{i}isdull", i % 2) for i in range(30)}
        result = own_data(path, "--out", tmp_path / "my.npz", "--replace", "--unquoted")
        assert counts(result) == (30, 30, 0)
    assert joined > 20  # or this would test nothing


@pytest.mark.parametrize("columns", ["text,label", "label,text", "id,text,label"])
@pytest.mark.parametrize("way", ["doubled", "backslash"])
def test_proper_quotes_may_hold_anything_but_rows(tmp_path, columns, way):
    rng, names = random.Random(way), columns.split(",")
    bits = ["dull", ",", "\n", "\r\n", '"', '"dull"', "\\", ";", "\t", "so", "\n\n", "'", '""']
    rows = [
        {
            "id": f"{i}_0",
            "text": f"film{i} " + rng.choice(("", " ")).join(rng.choices(bits, k=8)) + " end",
            "label": "01"[i % 2],
        }
        for i in range(200)
    ]
    how = {"quoting": csv.QUOTE_NONNUMERIC}
    if way == "backslash":  # as in Kaggle's labeledTrainData.tsv
        how.update(doublequote=False, escapechar="\\")
    body = [[row[name] for name in names] for row in rows]
    path = table(tmp_path / "t.csv", body, names, **how)
    result = own_data(path, "--out", tmp_path / "my.npz", "--test-share", "0")  # 0: one of each
    assert result.returncode == 0 and counts(result) == (200, 200, 0), result.stderr
    found = content(tmp_path / "my.npz", "train")
    own = {(" ".join(common.tokenize(row["text"])), int(row["label"])) for row in rows}
    assert len(own) == 200 and sum(found.values()) == 198 and set(found) < own


def test_a_quoted_text_that_holds_a_row_is_refused_by_its_line(tmp_path):
    rows = ["fine 1,1", '"dull 2', "dull 3,0", 'end of 2",0', "fine 4,1", "dull 5,0"]
    result = own_data(lines(tmp_path / "t.csv", *rows), "--out", tmp_path / "my.npz")
    assert result.returncode == 1 and "t.csv line 3: its quotes" in result.stderr


# -------------------------------------------------------------------------- forms of tables
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
    result = own_data(path, "--out", tmp_path / "my.npz", *flags)
    assert result.returncode == 0 and counts(result) == (20, 20, 0), result.stderr


def test_what_cannot_be_used_is_one_line_that_says_what_to_do(tmp_path):
    good = table(tmp_path / "t.csv", reviews(20))
    text = good.read_bytes()
    (tmp_path / "latin.csv").write_bytes("review,sentiment\ncaf\xe9,positive\n".encode("latin-1"))
    for encoding in "gb18030", "utf-16", "utf-16-le":
        (tmp_path / f"{encoding}.csv").write_text("评论,标签\n好,正\n", encoding=encoding)
    (tmp_path / "ascii-16.csv").write_bytes(text.decode().encode("utf-16-le"))
    table(tmp_path / "names.csv", reviews(20), ("words", "stars"))
    table(tmp_path / "none.csv", reviews(20)[1:], reviews(20)[0])
    (tmp_path / "empty.csv").write_text("")
    with zipfile.ZipFile(tmp_path / "t.xlsx", "w") as archive:
        archive.writestr("xl/workbook.xml", "")
    (tmp_path / "t.jsonl").write_text('{"review": "fine", "label": 1}\n')
    (tmp_path / "t.json").write_bytes(b'\xef\xbb\xbf[\n{"review": "fine", "label": 1}]')
    (tmp_path / "folder.csv").mkdir()
    for name, *words in (
        ("missing.csv", "No such file"),
        ("folder.csv", "no file"),
        ("latin.csv", "not in utf-8", "--encoding cp1252"),
        ("gb18030.csv", "not in utf-8", "--encoding gb18030"),
        ("utf-16.csv", "not in utf-8", "--encoding utf-16"),
        ("ascii-16.csv", "not in utf-8", "--encoding utf-16"),
        ("names.csv", "no column review", "words, stars", "--text NAME"),
        ("none.csv", "no column review", "a line of names on top"),
        ("empty.csv", "no column review"),
        ("t.xlsx", "unpack it, or save the sheet as CSV UTF-8"),
        ("t.jsonl", "JSON", "to_csv"),
        ("t.json", "JSON", "to_csv"),
    ):
        refused(own_data(tmp_path / name, "--out", tmp_path / "o.npz"), *words)
        assert not (tmp_path / "o.npz").exists()
    for words, *flags in (
        ("must end in .npz", "--out", tmp_path / "my.csv"),
        ("unknown encoding", "--out", tmp_path / "o.npz", "--encoding", "klingon"),
        ("delimiter", "--out", tmp_path / "o.npz", "--delimiter", ",,"),
        ("from 0 to 1", "--out", tmp_path / "o.npz", "--test-share", "2"),
    ):
        refused(own_data(good, *flags), words, status=2)
    flags = ("--text", "words", "--label", "stars", "--out", tmp_path / "named" / "my.npz")
    assert own_data(tmp_path / "names.csv", *flags).returncode == 0
    flags = ("--text", "words", "--label", "Words ", "--out", tmp_path / "o.npz")
    refused(own_data(tmp_path / "names.csv", *flags), "nothing is written: the labels are")


def test_what_stands_for_letters_and_line_breaks_becomes_them(tmp_path):
    text = "I don&#39;t like it&hellip; &quot;Ever&quot;<br/>&lt;br /&gt;never\\nagain\\tcafe\u0301"
    rows = [(text, "0"), ("fine", "1")] * 5
    path = table(tmp_path / "t.csv", rows)
    assert own_data(path, "--out", tmp_path / "my.npz").returncode == 0
    index, _ = read(tmp_path / "my.npz")
    expected = "i don't like it ever never again café fine".split()
    assert set(index) == {unicodedata.normalize("NFC", word) for word in expected}


def test_every_chinese_character_is_a_word(tmp_path):
    rows = [("这部电影真好看！", "正"), ("太无聊了，浪费时间。", "负")] * 10
    path = table(tmp_path / "影评.csv", rows, ("评论", "标签"))
    assert own_data(path, "--out", tmp_path / "影评.npz").returncode == 0
    index, _ = read(tmp_path / "影评.npz")
    assert set(index) == set("这部电影真好看太无聊了浪费时间")


# ------------------------------------------------------------------ the split, what is said
def test_one_table_is_split_by_the_seed_and_nothing_is_lost(tmp_path):
    path = table(tmp_path / "t.csv", reviews(50))
    found = []
    for name, seed in ("a", 0), ("b", 0), ("c", 1):
        out = tmp_path / name / "my.npz"
        assert own_data(path, "--out", out, "--seed", seed).returncode == 0
        index, arrays = read(out)
        assert len(arrays["x_train"]) == 40 and len(arrays["x_test"]) == 10
        assert sum(content(out).values()) == 50
        found.append(out.read_bytes())
    assert found[0] == found[1] != found[2]


@pytest.mark.parametrize("rare", [2, 10, 37])
def test_both_parts_have_the_same_share_of_the_labels(tmp_path, rare):
    rows = [(f"film {i}", "0" if i < rare else "1") for i in range(400)]
    path = table(tmp_path / "t.csv", rows)
    for seed in range(5):
        flags = ("--seed", seed, "--replace")
        result = own_data(path, "--out", tmp_path / "my.npz", *flags)
        _, arrays = read(tmp_path / "my.npz")
        assert arrays["y_test"].count(0) == max(1, round(rare / 5))
        assert arrays["y_train"].count(0) == rare - max(1, round(rare / 5))
        share = 1 - arrays["y_test"].count(0) / len(arrays["y_test"])
        assert f"would be right for {share:.0%}" in result.stdout


def test_reviews_that_are_in_both_parts_are_counted(tmp_path):
    train = table(tmp_path / "a.csv", reviews(20, "01"))
    test = table(tmp_path / "b.csv", [*reviews(7, "01"), ("Number 0: " + "new", "1")])
    result = own_data(train, test, "--out", tmp_path / "my.npz")
    assert "7 test reviews are training reviews too" in result.stdout


def test_more_than_the_scripts_read_is_known_before_it_is_written(tmp_path, monkeypatch):
    path, out = table(tmp_path / "t.csv", reviews(1_000)), tmp_path / "my.npz"
    monkeypatch.setattr(module, "write", lambda *_: pytest.fail("it is written"))
    monkeypatch.setattr(module, "REVIEWS", 400)
    refused(own_data(path, "--out", out), "t.csv line 802 already", "the scripts read")
    refused(own_data(path, path, "--out", out), "t.csv line 402 already")
    monkeypatch.setattr(module, "REVIEWS", 700)
    refused(own_data(path, "--out", out), "800 train reviews are too many")
    monkeypatch.undo()
    assert own_data(path, "--out", out).returncode == 0
    # a file that is written can be read: the bound is on every member as it is unpacked
    sizes = [member.file_size for member in zipfile.ZipFile(out).infolist()]
    for bound, status in (max(sizes), 0), (max(sizes) - 1, 1), (max(sizes) // 4, 1):
        monkeypatch.setattr(common, "MEMBER_BYTES", bound)
        result = own_data(path, "--out", tmp_path / "new" / "my.npz", "--replace")
        assert result.returncode == status
    refused(result, "already", "the scripts read")


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
        ("test/", "0 for the test"),
        ("aclImdb", "0 for the test"),
    ):
        members = (member(*text) for text in texts() if missing not in text[0])
        result = own_data(archive(tmp_path / "a.tar.gz", members), "--out", out)
        refused(result, words)
        assert "warning" in result.stderr and not out.exists()
    bad = [member("aclImdb/test/pos/9_9.txt", b"caf\xe9"), member("aclImdb/test/pos/8_8.txt", "!")]
    path = archive(tmp_path / "a.tar.gz", [*(member(*text) for text in texts()), *bad])
    result = own_data(path, "--out", out)
    assert (
        "9_9.txt: it is not in UTF-8" in result.stderr and "8_8.txt: there is no" in result.stderr
    )
    assert result.returncode == 1
    assert counts(own_data(path, "--out", out, "--skip-bad")) == (14, 12, 2)
    refused(own_data(path, path, "--out", tmp_path / "no.npz"), "no other table")
