"""From a table of reviews to a trained script and a read review."""

import contextlib
import csv
import io
import json
import random
import re
from types import SimpleNamespace

import common
import numpy as np
import own_data as module
import pytest
from conftest import ROOT, last_line, run_script

GOOD = "a wonderful film|so good, I'd watch it again|lovely and moving<br /><br />a must"
BAD = "a terrible film|so dull, I left|boring and weak<br />a waste of time"


def table(path, rows, header=("review", "sentiment"), delimiter=","):
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows([header, *rows])
    return path


def reviews(n, labels=("negative", "positive")):
    rng = random.Random(0)
    texts = BAD.split("|"), GOOD.split("|")
    return [(f"number {i} {rng.choice(texts[i % 2])}", labels[i % 2]) for i in range(n)]


def own_data(*arguments):
    """Run docs/own_data.py in this process, for TensorFlow takes seconds to load."""
    out, err, status = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            module.main([str(argument) for argument in arguments])
        except SystemExit as end:
            status = end.code
    return SimpleNamespace(returncode=status, stdout=out.getvalue(), stderr=err.getvalue())


def test_from_a_table_like_kaggles_to_a_trained_script_and_a_read_review(tmp_path):
    out = tmp_path / "my" / "my.npz"
    result = own_data(table(tmp_path / "IMDB Dataset.csv", reviews(200)), "--out", out)
    assert result.returncode == 0, result.stderr
    assert "160 training reviews, " in result.stdout and " 40 test reviews, " in result.stdout
    assert sorted(p.name for p in out.parent.iterdir()) == ["imdb_word_index.json", "my.npz"]
    weights = tmp_path / "w.weights.h5"
    flags = ("--data", out, "--units", "4", "--save", weights, "--epochs", "1")
    result = run_script("lstm_imdb", *flags)
    assert result.returncode == 0 and "/40)" in last_line(result.stdout)
    assert "data my.npz" in last_line(result.stdout)
    flags = ("--data", out, "--units", "4", "--load", weights, "--review", "a wonderful xyzzy")
    result = run_script("lstm_imdb", *flags)
    assert result.returncode == 0 and "  wonderful " in result.stdout
    assert "wonderful (unknown)" not in result.stdout and "xyzzy (unknown)" in result.stdout


def read(path):
    with open(path.parent / "imdb_word_index.json", encoding="utf-8") as file:
        index = json.load(file)
    with np.load(path, allow_pickle=True) as file:  # written a moment ago by our own program
        return index, {name: file[name].tolist() for name in file.files}


@pytest.mark.parametrize(
    "header, labels",
    [
        (("text", "label"), ("0", "1")),
        (("Content", "Sentiment"), ("neg", "POS")),
        (("评论", "标签"), ("负", "正")),
        (("review", "label"), ("0.0", "1.0")),
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
    assert content["x_test"] == [[1, 3, common.VOCABULARY, 2]] and content["y_test"] == [0]
    (_, (x_test, _)) = common.read_npz(tmp_path / "my.npz")
    assert x_test[0, -5:].tolist() == [1, 4, 6, common.UNKNOWN, 5]


def test_chinese_with_spaces_between_its_words(tmp_path):
    rows = [("这 部 电影 真 好看 ！", "正"), ("太 无聊 了 ， 浪费 时间 。", "负")] * 10
    path = table(tmp_path / "影评.csv", rows, ("评论", "标签"))
    result = own_data(path, "--out", tmp_path / "影评.npz")
    assert result.returncode == 0, result.stderr
    index, _ = read(tmp_path / "影评.npz")
    assert set(index) == set("这 部 电影 真 好看 太 无聊 了 浪费 时间".split())


@pytest.mark.parametrize("document", ["data.md", "zh-CN/guide.md"])
def test_the_two_rows_that_the_documents_show_are_such_a_table(tmp_path, document):
    text = (ROOT / "docs" / document).read_text(encoding="utf-8")
    (example,) = re.findall(r"```text\n(评论,标签\n.*?)```", text, re.S)
    (tmp_path / "影评.csv").write_text(example, encoding="utf-8")
    result = own_data(tmp_path / "影评.csv", "--out", tmp_path / "my" / "reviews.npz")
    assert result.returncode == 0, result.stderr
    assert " 1 training reviews" in result.stdout and " 1 test reviews" in result.stdout


def test_one_table_is_split_by_the_seed_and_nothing_is_lost(tmp_path):
    path = table(tmp_path / "t.csv", reviews(50))
    found = []
    for name, seed in ("a", 0), ("b", 0), ("c", 1):
        out = tmp_path / name / "my.npz"
        assert own_data(path, "--out", out, "--seed", seed).returncode == 0
        index, content = read(out)
        assert len(content["x_train"]) == 40 and len(content["x_test"]) == 10
        found.append(content["x_test"])
    assert found[0] == found[1] != found[2]


def test_rows_that_are_no_reviews_are_named_and_not_lost_in_silence(tmp_path):
    rows = [*reviews(20), ("?!", "positive"), ("fine", "neutral"), ("one", "positive", "too many")]
    path = table(tmp_path / "t.csv", rows)
    result = own_data(path, "--out", tmp_path / "my.npz")
    assert result.returncode == 1 and not (tmp_path / "my.npz").exists()
    assert "3 rows are no reviews" in result.stderr and "nothing is written" in result.stderr
    for words in "line 22: there is no word", "line 23: the label 'neutral'", "line 24: 3 fields":
        assert words in result.stderr
    result = own_data(path, "--out", tmp_path / "my.npz", "--skip-bad")
    assert result.returncode == 0 and "3 rows are no reviews" in result.stderr
    assert "16 training reviews" in result.stdout and "4 test" in result.stdout


def test_what_cannot_be_used_is_one_line_and_nothing_is_replaced_unasked(tmp_path):
    good = table(tmp_path / "t.csv", reviews(20))
    (tmp_path / "latin.csv").write_bytes("review,sentiment\ncaf\xe9,positive\n".encode("latin-1"))
    table(tmp_path / "names.csv", reviews(20), ("words", "stars"))
    (tmp_path / "empty.csv").write_text("")
    for arguments, status, words in (
        ([tmp_path / "none.csv"], 1, "No such file"),
        ([tmp_path / "latin.csv"], 1, "cannot read"),
        ([tmp_path / "names.csv"], 1, "say --text NAME"),
        ([tmp_path / "empty.csv"], 1, "no column"),
        ([good, "--out", tmp_path / "my.csv"], 2, "must end in .npz"),
    ):
        result = own_data(
            *arguments, *([] if "--out" in arguments else ["--out", tmp_path / "o.npz"])
        )
        assert result.returncode == status and words in last_line(result.stderr)
        assert "Traceback" not in result.stderr
    (tmp_path / "imdb_word_index.json").write_text("mine")
    result = own_data(good, "--out", tmp_path / "my.npz")
    assert result.returncode == 2 and "is there" in last_line(result.stderr)
    assert (tmp_path / "imdb_word_index.json").read_text() == "mine"
    assert own_data(good, "--out", tmp_path / "my.npz", "--replace").returncode == 0
    flags = ("--text", "words", "--label", "stars", "--out", tmp_path / "named" / "my.npz")
    assert own_data(tmp_path / "names.csv", *flags).returncode == 0
