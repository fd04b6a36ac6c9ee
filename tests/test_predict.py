"""A file of reviews, judged: every row comes back, and nothing is judged with other words."""

import csv
import itertools
import os
import re
import runpy
import shutil
import sys
from unittest import mock

import averaged
import common
import h5py
import numpy as np
import predict
import pytest
from conftest import ROOT, call, parsed, refused, write_npz

WORDS = '{"好": 1, "坏": 2, "so": 3, "don\'t": 4}'
TABLE = [  # id, 评论, 标签: what a text may hold, and a row without a word
    ("1", "好<br />&hellip;", "正"),
    ("2", "坏, 坏\r\n“so”", "负"),
    ("3", "。。。", "正"),
    ("4", 'unheard "words", so', "负"),
    ("5", "好" * 100, ""),
]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """An npz of one's own, and weights of tests/averaged.py trained on it; a log beside them."""
    folder = tmp_path_factory.mktemp("trained")
    data = write_npz(folder / "my.npz", words=WORDS)
    weights = folder / "w.weights.h5"
    files = ("--data", data, "--save", weights, "--log", folder / "l.csv")
    parsed(call("averaged", *"--units 4 --epochs 1".split(), *files))
    return data, weights


def run(trained, table, out, *flags, script=averaged.__file__):
    """Run predict.py with --units 4 and the data of the weights."""
    named = script, trained[1], table, "--out", out, "--data", trained[0]
    return call("predict", *named, "--units", "4", *flags)


def judged(*arguments, encoding="utf-8"):
    """Run it, which must go well -> what it prints, and the table that it writes."""
    result = run(*arguments)
    assert result.returncode == 0, result.stderr
    return result.stdout, read(arguments[2], encoding)


def write(path, rows, names=("id", "评论", "标签"), encoding="utf-8"):
    with open(path, "w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows([names, *rows])
    return path


def read(path, encoding="utf-8"):
    with open(path, encoding=encoding, newline="") as file:
        return [tuple(row) for row in csv.reader(file)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_every_row_comes_back_with_what_the_network_says(
    trained, tmp_path, encoding, capfd, monkeypatch
):
    path, out = write(tmp_path / "t.csv", TABLE, encoding=encoding), tmp_path / "o.csv"
    said, (names, *rows) = judged(trained, path, out, "--encoding", encoding, encoding=encoding)
    # a line of TensorFlow's that looks like an error
    assert "NodeDef" not in capfd.readouterr().err
    assert names == ("id", "评论", "标签", "P(positive)", "verdict")
    assert [row[:3] for row in rows] == TABLE
    model = averaged.SentimentClassifier(4)
    model.build((None, 80))
    model.load_weights(trained[1])
    ranks = [[1], [2, 2, 3], [], [9_999, 9_999, 3], [1] * 100]
    for (*_, p, verdict), review, expected in zip(rows, ranks, model(common.encode(ranks))[:, 0]):
        if review:
            assert float(p) == pytest.approx(float(expected), abs=2e-6)  # six places are written
            assert verdict == ("positive" if expected > 0.5 else "negative")
        else:
            assert (p, verdict) == ("", "")
    assert "1 rows have no word" in said
    assert "105 of 107 words are known to the network" in said
    for variable in "HOME", "USERPROFILE":
        monkeypatch.setenv(variable, str(trained[0].parent))
    mine = ("~/my.npz", trained[1])
    again = judged(mine, path, out, "--encoding", encoding, encoding=encoding)
    assert again == (said, [names, *rows])  # it knows its own file, and makes the same of it


@pytest.mark.parametrize(
    "labels, p, shares",
    [
        (
            [1, 1, 0, 1, 0, 1, None, 0],  # no label, no verdict: neither counts
            [0.9, 0.8, 0.7, 0.2, 0.1, np.nan, 0.6, 0.5],
            "0.6667 (4/6)|0.6667 (2/3)|0.6667 (2/3)|0.6667 (4/6)",
        ),
        ([1, 0], [0.1, 0.1], "0.5000 (1/2)|none|0.0000 (0/1)|0.0000 (0/1)"),
        ([0, 1, 1], [0.1, 0.9, 0.1], "0.6667 (2/3)|1.0000 (1/1)|0.5000 (1/2)|0.6667 (2/3)"),
        ([0, 1], [0.9, 0.9], "0.5000 (1/2)|0.5000 (1/2)|1.0000 (1/1)|0.6667 (2/3)"),
    ],
)
def test_the_verdicts_are_compared_with_the_labels(capsys, labels, p, shares):
    predict.compare(labels, np.array(p))
    printed = capsys.readouterr().out
    counted, judged, negative, positive, *rows = [line.split() for line in printed.splitlines()]
    names = ("accuracy", "precision", "recall", "F1")
    assert [" ".join(row) for row in rows] == [
        f"{name} {share}" for name, share in zip(names, shares.split("|"), strict=True)
    ]
    if len(labels) == 8:
        assert " ".join(counted) == "6 of 8 rows have a known label and a verdict:"
        assert " ".join(judged) == "judged negative judged positive"
        assert negative == ["labelled", "negative", "2", "1"]
        assert positive == ["labelled", "positive", "1", "2"]
        ranks = [[9_996, 9_997]] * 8  # the last that has an id, and the next
        predict.report("o.csv", ranks, np.array(p))
        said = capsys.readouterr().out
        assert "o.csv: 8 rows, 4 positive, 3 negative\n" in said and "\n8 of 16 words are" in said


@pytest.mark.parametrize(
    "labels, flags, matrix",  # a row for each label; negative and positive as judged
    [
        ("负 正 正 负", (), "1 1|2 0"),
        ("0 1.0 1 0", (), "1 1|2 0"),
        ("1 5 3 1", ("--negative", "1", "--positive", "5"), "1 1|1 0"),
        ("负", (), "0 1|0 0"),
        ("", (), ""),
        ("中 中 中 中", ("--negative", "负", "--positive", "正"), ""),  # none is known
    ],
)
def test_labels_are_those_of_own_data(trained, tmp_path, monkeypatch, labels, flags, matrix):
    rows = [("", "好"), *((label, "好") for label in labels.split())]
    path = write(tmp_path / "t.csv", rows, ("标签", "评论"))
    p = np.array([0.9, 0.9, 0.1, 0.1, 0.1][: len(rows)])
    monkeypatch.setattr(predict, "judge", lambda model, ranks: p)
    said = judged(trained, path, tmp_path / "o.csv", *flags)[0]
    assert ("judged positive" in said) == bool(matrix)
    counts = re.findall(r"^labelled (?:negative|positive) +(\d+) +(\d+)$", said, re.M)
    assert "|".join(map(" ".join, counts)) == matrix


@pytest.mark.parametrize(
    "rows",
    [
        [("review", "x"), ("so, 好", "1"), ("坏", "2")],
        [("text",), ("so, 好",), ("坏",), ("a; b",)],
    ],
)
def test_no_label_is_needed_and_one_column_is_enough(trained, tmp_path, rows):
    path = write(tmp_path / "t.csv", rows[1:], rows[0])
    said, table = judged(trained, path, tmp_path / "o.csv")
    assert "judged" not in said and [row[:-2] for row in table] == rows


@pytest.mark.parametrize(
    "text, asks",
    [
        ("text\nso, good, and so on\nbad\n", False),  # it quotes nothing
        ('text\n"so\nbad"\nso\n', True),  # any line could be a row
        ('id,text\n1,"so, good\n2,bad"\n', True),
        ('id,text\n1,"so\ngood, or\nbad"\n', True),
        ('text,id\n"so, so\nand, bad",2\n', True),
        ('text,label\n"so,\nbad",\nso,\n', True),  # labels are still to be filled in
        ('id,text\n1,"so\ngood"\n', False),  # a row has two fields
        ('text,id\n"so\ngood",2\n', False),
        ('text\n"so\n"\n', False),
    ],
)
def test_without_labels_line_breaks_that_a_row_could_follow_are_asked_about(
    trained, tmp_path, text, asks
):
    path, out, flags = tmp_path / "t.csv", tmp_path / "o.csv", ()
    path.write_text(text)
    if asks:
        refused(run(trained, path, out), "line 2", "--quoted", "--unquoted")
        assert not out.exists()
        flags = ("--quoted",)
    table = judged(trained, path, out, *flags)[1]
    assert [",".join(row[:-2]) for row in table] == [",".join(row) for row in read(path)]


def test_what_cannot_be_judged_is_one_line(trained, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a script that is not here is the one beside common.py
    good, out = write(tmp_path / "t.csv", TABLE), tmp_path / "o.csv"
    plain, (data, weights) = write(tmp_path / "p.csv", [("好",)], ("评论",)), trained
    other = write_npz(tmp_path / "other.npz", words='{"坏": 1, "好": 2}')
    for result, *words in (
        (run((other, weights), good, out), "trained on the words of my.npz", "give the --data"),
        (run(("toy", weights), good, out), "the words of my.npz, and toy has others"),
        (run(trained, good, out, "--units", "2048"), "--units 2048"),
        (run(trained, good, out, script="gru_imdb.py"), "not weights of gru_imdb as it is now"),
        (run(trained, tmp_path / "x.csv", out), "No such file"),
        (run(trained, good, out, script=common.__file__), "common.py has no class"),
        (run(trained, good, out, "--label", "x"), "no column x"),
        (run(trained, plain, out, "--negative", "0", "--positive", "1"), "no column sentiment"),
    ):
        refused(result, *words)
    for names, rows, words in (
        (("id", "评论"), [("1", "好"), ("2", "坏", "3")], "line 3: 3 fields, not 2"),
        (("id", "评论"), [], "no rows"),
        (("评论", "verdict"), [("好", "x")], "has a column"),
        (("评论", "P(positive)"), [("好", "x")], "has a column"),
        (("评论", "标签"), [("好", "5"), ("坏", "3")], "the labels are '5' (1), '3' (1)"),
    ):
        refused(run(trained, write(tmp_path / "b.csv", rows, names), out), words)
    refused(run(trained, good, out, script="my_imdb.py"), "no such file", status=2)
    refused(run(trained, good, out, "--units", "2049"), "from 1 to 2048", status=2)
    refused(run((data, tmp_path / "x.h5"), good, out), "no such file", status=2)
    refused(run(trained, good, tmp_path / "o.txt"), ".csv", status=2)
    assert not out.exists() and not (tmp_path / "o.txt").exists()


def test_a_network_that_gives_no_probability_is_refused():
    def model(x, training):
        return np.where(x[:, :1], 0.5, np.nan)  # where there is padding; others: test_words.py

    with pytest.raises(SystemExit):
        predict.judge(model, [[1] * 80, [1]])


def test_only_a_file_of_its_own_is_replaced_and_whole_or_not_at_all(trained, tmp_path, monkeypatch):
    path, out = write(tmp_path / "t.csv", TABLE), tmp_path / "o.csv"
    judged(trained, path, out)
    first, names = out.read_bytes(), sorted(os.listdir(tmp_path))
    write(path, TABLE[:2])
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", mock.Mock(side_effect=OSError("no space left")))
        refused(run(trained, path, out), f"cannot write {out}: no space left")
    assert out.read_bytes() == first and sorted(os.listdir(tmp_path)) == names
    out.write_bytes(first.decode().encode("gb18030"))  # its own, in another encoding
    assert len(judged(trained, path, out)[1]) == 3
    others = b"", b"a,b\n1,2\n", b"verdict\n", b"a,P(positive),verdict,b\n", b"\xff\0,"
    for content, encoding in itertools.product((*others, path.read_bytes()), ("utf8", "utf-16")):
        out.write_bytes(content)
        result = run(trained, path, out, "--encoding", encoding)
        refused(result, "not from this program", status=2)
        assert out.read_bytes() == content
    refused(run(trained, path, path), status=2)
    assert read(path)[1:] == TABLE[:2]


COMMANDS = {  # of each tool, in a home folder with what `trained` has made
    "baseline": "--data ~/my.npz --units 4 --epochs 1 --log ~/new.csv",
    "example_reviews": "~/new.csv",
    "own_data": "~/t.csv ~/t.csv --out ~/new.npz",
    "plot": "l.csv --out new.png",
    "predict": "~/averaged.py ~/w.weights.h5 ~/t.csv --units 4 --out ~/new.csv",
}
TABLE_FLAGS = """--text NAME column of the text --label NAME column of the label
--negative A,B labels that mean negative --positive C,D labels that mean positive
--delimiter C between columns (found out if , or ; or tab)
--quoted line breaks in quotes belong to the text --unquoted a quote is a letter like others
--encoding ENCODING of the tables, such as gb18030 (utf-8)"""
HELP = {
    "baseline": "--learning-rate LEARNING_RATE default: 0.003",
    "example_reviews": "table a new FILE.csv",
    "own_data": "table of training reviews, or of all; or the authors' archive test_table of test "
    "reviews|--out FILE FILE.npz --test-share X of each label (0.2) --seed SEED of the split (0) "
    "--skip-bad leave out rows that are no review, and name them "
    f"--replace replace the file if it is there {TABLE_FLAGS}",
    "plot": "LOG.csv|--out PICTURE .png, .svg or .pdf",
    "predict": "script that was trained, such as lstm_imdb.py weights that its --save wrote "
    "table of reviews|--out FILE.csv --data DATA imdb, toy or an npz file --units UNITS 64 "
    f"{TABLE_FLAGS}",
}


@pytest.mark.parametrize("tool", sorted((ROOT / "docs/tools").glob("*.py")), ids=lambda p: p.stem)
def test_a_tool_starts_from_any_folder_and_ends_well(tool, trained, tmp_path, monkeypatch, capsys):
    ours = {str(ROOT / folder) for folder in ("", "tests", "docs/tools")}
    paths = [str(tool.parent), *(path for path in sys.path if path not in ours)]
    monkeypatch.setattr(sys, "path", paths)
    home = shutil.copytree(trained[0].parent, tmp_path / "home")
    monkeypatch.chdir(home)
    for variable in "HOME", "USERPROFILE":
        monkeypatch.setenv(variable, str(home))
    shutil.copy(averaged.__file__, "averaged.py")
    with h5py.File("w.weights.h5", "a") as file:
        file.attrs["words"] = "toy"  # and so predict.py needs no --data
    write("t.csv", [(str(i), f"{i} 好", "正负"[i % 2]) for i in range(20)])
    for flags in "--help", COMMANDS[tool.stem]:
        monkeypatch.setattr(sys, "argv", [str(tool), *flags.split()])
        for name in "common", "own_data":  # are found anew
            monkeypatch.delitem(sys.modules, name, raising=False)
        with mock.patch.dict(os.environ), pytest.raises(SystemExit) as end:
            runpy.run_path(str(tool), run_name="__main__")
            sys.exit()  # where Python itself would end
        out, err = capsys.readouterr()
        assert (end.value.code or 0, err) == (0, "") and (flags != "--help" or "usage:" in out)
        if flags == "--help":
            shown = " ".join(HELP[tool.stem].split()).split("|")
            assert [words for words in shown if words not in " ".join(out.split())] == []
            if tool.stem != "baseline":  # whose flags are the scripts'
                commands = re.findall("(?m)^    python .*$", tool.read_text(encoding="utf-8"))
                assert {*commands} <= {*out.splitlines()}  # each a line of its own, to be copied
    assert [path.parent for path in tmp_path.rglob("new.*")] == [home]
