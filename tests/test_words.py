"""Words and ids: splitting, the words in a file, what weights remember, reading a review."""

import functools
import json
import re
import shutil
import sys
import tracemalloc
import unicodedata
import zipfile
from pathlib import Path

import averaged
import common
import gru_imdb
import h5py
import keras
import numpy as np
import pytest
from conftest import (
    IMDB_NPZ,
    TINY,
    call,
    check_failure,
    ends,
    needs_imdb,
    objects,
    parsed,
    write_npz,
)

GOOD = json.dumps({"good": 1, "bad": 2})
KERASS = json.dumps({"good": 1, "bad": 2, "'": 3})  # the real one has some that are no words
OTHER = json.dumps({"good": 2, "bad": 1})
UNITS = ("--units", "4")
INDEX = "imdb_word_index.json"


# ------------------------------------------------------------------------- splitting a text
@pytest.mark.parametrize(
    "text, words",
    [
        ("It's GOOD -- not (so) bad!<br />", "it's good not so bad br"),
        ("don\u2019t don＇t it´s £5 a™", "don't don't it´s £5 a™"),  # symbols stay, but ASCII's
        ("1+1=2 a~b ^c `d` $e |f <g>", "1 1 2 a b c d e f g"),
        ("... '' ! « »", ""),
        ("جيد، جدا؟ अच्छा है।", "جيد جدا अच्छा है"),
        ("a\u200bb \ufeffgood\ufeff", "a b good"),
        ("ＧＯＯＤ！１２\u3000ｏｋ", "good 12 ok"),
        ("这部电影真好看", "这 部 电 影 真 好 看"),
        ("真 好看！《影评》，（不错）。", "真 好 看 影 评 不 错"),
        ("IMAX版3小时～ok～!", "imax 版 3 小 时 ok"),
        ("ひらがな 한글", "ひらがな 한글"),  # as written
        # one letter, written in two ways; J with a caron is one in lower case alone
        ("cafe\u0301 CAFÉ J\u030cA", "café café \u01f0a"),
        ("so good👍!👍🏽👎 ok😀ok", "so good 👍 👍🏽 👎 ok 😀 ok"),
        ("❤️❤☺︎", "❤️ ❤ ☺︎"),
        ("👨\u200d👩\u200d👧👨", "👨\u200d👩\u200d👧 👨"),
        ("🇦🇿🇫🇷x", "🇦🇿 🇫🇷 x"),
        ("5️⃣#️⃣*️⃣©️㊙️㊙5", "5️⃣ #️⃣ *️⃣ ©️ ㊙️ ㊙5"),
        # the ends of the ranges of pictures, and of what belongs to one
        ("\u231a\u2328\u232b\u23ff\u2600\u2767", "\u231a \u2328 \u232b \u23ff \u2600 \u2767"),
        ("\u2776\u27bf\u2b00\u2bff🀀\U0001faff", "\u2776 \u27bf \u2b00 \u2bff 🀀 \U0001faff"),
        ("👍🏻👍🏿🏴\U000e0020\U000e007f", "👍🏻 👍🏿 🏴\U000e0020\U000e007f"),
        ("好看👍。", "好 看 👍"),
        # the ends of the ranges of 字; Python 3.10 knows none from 9ffd to 9fff
        ("a\u3400b\u4dbfc\u4e00d\u9ffce\ufa0ef", "a \u3400 b \u4dbf c \u4e00 d \u9ffc e \ufa0e f"),
    ],
)
def test_a_text_is_split_into_words(text, words):
    assert common.tokenize(text) == words.split()


def test_no_punctuation_is_left_and_no_letter_is_lost():
    """Of every code point: P is a blank, letters and digits stay (½, ﬁ), whatever Unicode it is."""
    for code in range(0x110000):
        sign = chr(code)
        if unicodedata.category(sign).startswith("P") and sign not in "'\u2019＇":
            assert common.tokenize(f"a{sign}b") == ["a", "b"], hex(code)
        elif unicodedata.category(sign)[0] in "LN" and not 0xFF00 < code < 0xFF5F:
            expected = unicodedata.normalize("NFC", f"a{sign}b".lower())
            assert "".join(common.tokenize(f"a{sign}b")) == expected, hex(code)


# ------------------------------------------------------------------------- the words of a file


def vocabulary(path):
    return common.read_vocabulary(str(path))[0]


@pytest.fixture
def imdb_like(tmp_path, monkeypatch):
    """A small npz that passes for IMDB's reviews, and KERASS for their words; Keras's folder."""
    path = write_npz(tmp_path / "imdb.npz")
    monkeypatch.setitem(common.VOCABULARIES, vocabulary(path), "imdb")
    monkeypatch.setitem(common.DIGESTS, INDEX, common.digest(KERASS.encode()))
    monkeypatch.setattr(common, "KERAS_HOME", str(tmp_path / "keras"))
    (tmp_path / "keras" / "datasets").mkdir(parents=True)
    return path


def test_a_vocabulary_is_known_by_the_words_of_a_file_or_by_its_ranks(tmp_path, imdb_like):
    """Weights that an earlier version has saved hold these digests."""
    for name in "imdb", "auto":
        assert common.read_vocabulary(name) == ("imdb", None)
    assert vocabulary("toy") == "toy"
    for path in (
        write_npz(tmp_path / "one.npz", words=GOOD),
        write_npz(tmp_path / "other reviews.npz", words=GOOD, x_train=objects(*[[1]] * 30)),
    ):
        assert vocabulary(path) == common.digest(GOOD.encode())
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(tmp_path / "first.npz", "w") as first:
        for name in ("words.json", *archive.namelist()[:-1]):  # a zip has no order
            first.writestr(name, archive.read(name))
    assert vocabulary(tmp_path / "first.npz") == common.digest(GOOD.encode())
    many = [json.dumps({str(n): n for n in range(1, last)}) for last in (2_000, 2_001)]
    paths = [write_npz(tmp_path / f"{len(words)}.npz", words=words) for words in many]
    assert [*map(vocabulary, paths)] == [common.digest(words.encode()) for words in many]
    with np.load(imdb_like, allow_pickle=True) as file:
        members = {name: file[name] for name in file.files}
    reviews = [*members["x_train"], *members["x_test"]]
    ranks = np.concatenate([[len(review), *review] for review in reviews]).astype("<i8")
    assert common.VOCABULARIES[common.digest(ranks.tobytes())] == "imdb"
    np.savez_compressed(tmp_path / "packed.npz", **members)  # whatever file they are in
    assert vocabulary(tmp_path / "packed.npz") == "imdb"


def first_word(x):  # of a long review: nothing of it is left in the arrays
    max(x, key=len)[0] += 1


def border(x):
    n = next(n for n in range(1, len(x)) if x[n])
    x[n - 1].append(x[n].pop(0))


def order(x):
    x[0], x[1] = x[1], x[0]


@pytest.mark.parametrize("split", ["x_train", "x_test"])
@pytest.mark.parametrize("change", [first_word, border, order])
def test_other_reviews_are_not_imdbs(tmp_path, imdb_like, split, change):
    with np.load(imdb_like, allow_pickle=True) as file:
        x = file[split]
    assert max(map(len, x)) == 200
    change(x)
    assert vocabulary(write_npz(tmp_path / "other.npz", **{split: x})) not in ("imdb", "toy")


@needs_imdb
def test_the_real_file_is_imdbs_and_its_words_are_those_that_are_known():
    """Each word that a network of IMDB knows is one word; five had no letter at f9db4da."""
    words = common.read_vocabulary(IMDB_NPZ)
    assert words == ("imdb", None)
    path = Path(IMDB_NPZ).with_name(INDEX)
    if not path.exists():
        pytest.skip("Keras's index is not beside IMDB_NPZ")
    assert common.digest(path.read_bytes()) == common.DIGESTS[INDEX]
    index = common.load_word_index(IMDB_NPZ, words)
    known = [word for word, rank in index.items() if rank <= 9_996]
    others = {word: common.tokenize(word) for word in known if common.tokenize(word) != [word]}
    assert len(known) == 9_996 and others == dict.fromkeys(["\x96", "'", "–", "\x85", "\x97"], [])
    text = "This film was just BRILLIANT, casting location"
    (x,) = common.encode([[index[word] for word in common.tokenize(text)]])
    assert x[-8:].tolist() == [1, 14, 22, 16, 43, 530, 973, 1622] and not x[:-8].any()


def test_a_files_own_words_are_read_and_no_neighbours(tmp_path):
    (tmp_path / INDEX).write_text('{"the": 1}')
    words = {"好": 1} | {f"w{rank}": rank for rank in range(2, 9_000)}  # more than 64 KiB
    path = write_npz(tmp_path / "my.npz", words=json.dumps(words, ensure_ascii=False))
    assert common.load_word_index(str(path)) == words


@pytest.mark.parametrize("data", ["imdb", "auto", "imdb.npz"])
@pytest.mark.parametrize(
    "index",
    [  # beside the file; in Keras's folder; what is said
        (None, KERASS, ""),
        (OTHER, KERASS, ""),
        (KERASS, None, ""),
        (KERASS, OTHER, ""),
        (OTHER, None, "cannot download"),  # and there is no network
        (OTHER, OTHER, f"{INDEX} is not Keras's: delete it, and it will be downloaded"),
    ],
)
def test_imdbs_words_are_kerass_beside_the_file_or_in_its_folder(
    imdb_like, monkeypatch, data, index, capsys
):
    beside, cached, error = index
    monkeypatch.chdir(imdb_like.parent)
    for path, content in (Path(INDEX), beside), (Path("keras", "datasets", INDEX), cached):
        if content:
            path.write_text(content)
    if error:
        ends(capsys, error, common.load_word_index, data)
    else:
        assert common.load_word_index(data) == json.loads(KERASS)


BAD_WORDS = {  # words.json of a file; what is said
    **dict.fromkeys(("[1]", '{"a": "b"}', '{"a": null}', '{"a": Infinity}', "{", ""), ""),
    **dict.fromkeys(("[" * 10**5, b"\xff"), ""),
    None: "does not hold them: make it again",
    '{"a": 1, "b": 0}': "the rank of a word is below 1",
    '{"a": -3}': "the rank of a word is below 1",
    '{"good": 1, "¡excelente": 9996}': "was split in another way: make it again",
}


@pytest.mark.parametrize("content", BAD_WORDS, ids=lambda content: repr(content)[:20])
def test_bad_words_are_one_line(tmp_path, content, capsys):
    path = str(write_npz(tmp_path / "my.npz", words=content))
    line = ends(capsys, BAD_WORDS[content], common.load_word_index, path)
    assert line.startswith("error: --review does not know the words: ")


def test_words_with_a_wrong_check_sum_are_one_line(tmp_path, capsys):
    path = write_npz(tmp_path / "my.npz", words=GOOD)
    path.write_bytes(path.read_bytes().replace(b'"good"', b'"glad"'))
    ends(capsys, f"cannot read {path}: ", common.load_word_index, str(path))


def test_a_file_whose_words_cannot_be_read_trains_and_reads_no_review(tmp_path):
    path = write_npz(tmp_path / "my.npz", words='{"good": 0}')
    flags = ("--data", path, "--epochs", "1", *UNITS)
    assert parsed(call("averaged", *flags))["data"] == "my.npz"
    result = call("averaged", *flags, "--review", "good")
    check_failure(result, "error: --review does not know the words: ")
    assert "Epoch" not in result.stdout  # not after the training


def test_a_word_of_any_rank_beyond_the_vocabulary_is_unknown(tmp_path, capsys):
    ranks = {"frequent": 9_996, "rarer": 9_997, "rare": 10_000, "huge": 2**62, "most": 2**70}
    words = json.dumps({**ranks, "¡odd": 9_997})  # split otherwise, but not known
    index = common.load_word_index(str(write_npz(tmp_path / "my.npz", words=words)))
    out = reading(capsys, lambda x, training: (x[:, -1:] == 2) / 2, " ".join(ranks), index)
    unknown = [(f"{word} (unknown)", "0.500") for word in list(ranks)[1:]]
    assert [row[:2] for row in ROW.findall(out)] == [("frequent", "0.000"), *unknown]


def test_a_word_is_known_or_not_wherever_the_padding_is(capsys, monkeypatch):
    behind = functools.partial(keras.utils.pad_sequences, padding="post")
    monkeypatch.setattr(keras.utils, "pad_sequences", behind)  # as cuDNN wants it
    out = reading(capsys, lambda x, training: x[:, -1:] * 0.0, "good xyzzy", {"good": 1})
    assert [row[0] for row in ROW.findall(out)] == ["good", "xyzzy (unknown)"]


opened = []  # while it is a run's
sys.addaudithook(lambda event, args: event == "open" and opened.append(str(args[0])))


@pytest.mark.parametrize("words", [GOOD, None], ids=["own words", "IMDB's"])
def test_a_file_is_opened_twice_at_most(tmp_path, imdb_like, words):
    imdb_like.with_name(INDEX).write_text(KERASS)
    write_npz(imdb_like, words=words)
    flags = ("--data", imdb_like, *UNITS, "--review", "good", "--epochs", "1")
    for files in ("--save", tmp_path / "w.weights.h5"), ("--load", tmp_path / "w.weights.h5"):
        opened.clear()
        assert call("averaged", *flags, *files).returncode == 0
        assert 1 <= opened.count(str(imdb_like)) <= 2


# ------------------------------------------------------------------------- what weights remember


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A table of one's own with its words, weights trained on it, and the last line."""
    folder = tmp_path_factory.mktemp("trained")
    path = write_npz(folder / "reviews.npz", words=GOOD)
    flags = ("--data", path, "--epochs", "1", *UNITS, "--save", folder / "w.weights.h5")
    return path, folder / "w.weights.h5", parsed(call("averaged", *flags))


def load(weights, *flags, name="averaged"):
    return call(name, *UNITS, "--load", weights, *flags)


def test_weights_fit_the_same_words_under_another_name(trained, tmp_path, monkeypatch):
    """toy.npz in the current folder is not the toy."""
    path, weights, line = trained
    monkeypatch.chdir(tmp_path)
    shutil.copy(path, "toy.npz")
    score = parsed(load(weights, "--data", "toy.npz"))
    assert score["done"] == "loaded from w.weights.h5" and score["data"] == "toy.npz"
    for key in "right", "n", "loss":
        assert score[key] == line[key]
    result = load(weights, "--data", "toy.npz", "--review", "good unheard")
    assert result.returncode == 0 and "  good  " in result.stdout
    assert "  unheard (unknown)  " in result.stdout


@pytest.mark.parametrize("review", [(), ("--review", "good")], ids=["score", "review"])
def test_weights_are_refused_with_other_words(trained, tmp_path, review):
    other = write_npz(tmp_path / "reviews.npz", words=OTHER)  # the same name
    for data in other, write_npz(tmp_path / "plain.npz"), "toy", "imdb", "auto":
        result, name = load(trained[1], "--data", data, *review), "imdb" if data == "auto" else data
        check_failure(result, f"the words of reviews.npz, and {name} has others: give the --data")
        assert result.stdout == ""


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """Weights trained on some of the toy."""
    path = tmp_path_factory.mktemp("toy") / "w.weights.h5"
    parsed(call("averaged", *TINY, "--save", path))
    return path


@pytest.fixture
def changed(toy, tmp_path):
    """A copy of the toy's weights, to be changed."""
    return shutil.copy(toy, tmp_path / "changed.weights.h5")


def test_weights_of_the_toy_or_of_imdb_know_their_data(toy, changed, tmp_path, monkeypatch):
    assert parsed(load(toy, "--subset", "64"))["data"] == "toy"
    for data in "imdb", write_npz(tmp_path / "my.npz", words=GOOD):
        check_failure(load(toy, "--data", data), "trained on the words of toy, and ")
    note(data="imdb", words="imdb")(changed)
    ways = "Other ways to the data: docs/data.md (中文: docs/zh-CN/data.md)"
    check_failure(load(changed), ways)  # and not scored on the toy
    texts, y, index = common.toy_reviews()
    other = {"mine": 1} | {word: rank + 1 for word, rank in index.items()}
    monkeypatch.setattr(common, "toy_reviews", lambda: (texts, y, other))  # a learner's own words
    check_failure(load(toy, "--review", "good"), "the words of toy, and toy has others")


def test_weights_without_a_note_fit_their_own_network_alone(tmp_path):
    path, flags = tmp_path / "plain.weights.h5", ("--data", "toy", "--review", "good")
    model = gru_imdb.SentimentClassifier(4)
    model.build((None, 80))
    model.save_weights(path)
    result = load(path, *flags, name="gru_imdb")
    assert result.returncode == 0 and "  good " in result.stdout
    assert result.stderr == f"warning: {path} has no note of its words: they are taken for toy's\n"
    result = load(path, "--review", "good", name="gru_imdb")  # and not for the toy's
    assert "taken for imdb's" in result.stderr and "--review does not know" in result.stderr
    for name, units in ("lstm_imdb", 4), ("rnn_layer_imdb", 4), ("averaged", 4), ("gru_imdb", 9):
        result = load(path, *flags, "--units", units, name=name)
        script = name.replace("averaged", "gru_imdb")
        check_failure(
            result, f"damaged, or not weights of {script} as it is now, with --units {units}"
        )


def note(**notes):
    """Return what changes the notes in a file of weights."""

    def change(path):
        with h5py.File(path, "a") as file:
            file.attrs.update(notes)

    return change


NO_WORDS = 7, np.arange(3), np.bytes_(b"toy"), np.array(["toy"], "S")
CHANGES = {  # of a file of weights; what is said before anything is read
    "garbage": (lambda path: path.write_bytes(b"\x89HDF\r\n\x1a\n garbage"), "damaged, or not"),
    "cut": (lambda path: path.write_bytes(path.read_bytes()[:100_000]), "damaged, or not weights"),
    "empty": (lambda path: h5py.File(path, "w").close(), "damaged, or not weights of"),
    # Keras would pass over a layer that only the file has
    "another network": (note(parameters=1_000_404), "damaged, or not weights of gru_imdb as"),
    "signs": (note(data="\x1b[31m\r\n\t\u202e" + "x" * 9_000, words="y"), "the words of [31m x"),
    **{f"words {words!r}": (note(words=words), "give the --data") for words in NO_WORDS},
}


@pytest.mark.parametrize("kind", CHANGES)
def test_damaged_weights_and_odd_notes_are_one_line_before_anything_is_read(changed, kind):
    change, words = CHANGES[kind]
    change(changed)
    for data in "toy", "auto":
        for flags in ("--subset", "64"), ("--review", "good"):
            result = load(changed, "--data", data, *flags)
            check_failure(result, words)
            assert str(changed) in result.stderr or "train" in words
            assert result.stdout == ""


LOCKED = "Unable to synchronously open file (unable to lock file)"


OF_THE_SYSTEM = PermissionError(13, "Permission denied"), OSError(5, "I/O"), OSError(37, LOCKED)
OF_HDF5 = RuntimeError("bad local heap"), KeyError("message not aligned"), TypeError()


@pytest.mark.parametrize("error", [*OF_THE_SYSTEM, *OF_HDF5])
def test_weights_that_cannot_be_read_end_in_the_systems_reason_or_are_damaged(
    changed, error, monkeypatch
):
    """A stand-in, because nothing keeps a file from root."""

    def refuse(*args, **kwargs):
        raise error

    monkeypatch.setattr(h5py, "File", refuse)
    result = load(changed, "--review", "good")
    damaged = error in OF_HDF5
    check_failure(result, f"{changed}: {'damaged, or not weights of' if damaged else error}")
    assert ("HDF5_USE_FILE_LOCKING=FALSE" in result.stderr) == (error is OF_THE_SYSTEM[2])
    assert ("damaged" in result.stderr) == damaged


def test_weights_that_are_no_numbers_give_no_verdict(changed):
    with h5py.File(changed, "a") as file:
        file["dense/vars/0"][...] = np.nan
    for flags, n in (("--review", "good"), 1), (("--subset", "64"), 64):
        result = load(changed, *flags)
        check_failure(result, f"one P(positive), 0 to 1, not ({n}, 1) from nan to nan")
        assert "negative" not in result.stdout and "accuracy" not in result.stdout


# ------------------------------------------------------------------------------- reading a review


ROW = re.compile(r"^  (\S.*?) +([01]\.\d{3}) \|(#* *)\|$", re.M)  # word, probability, bar


def reading(capsys, model, text, index):
    """-> what is printed."""
    common.read_reviews([text], model, index)
    return capsys.readouterr().out


@pytest.mark.smoke
def test_load_and_review_show_what_the_model_says_of_every_prefix_and_load_no_reviews(toy):
    texts = "The plot,\n was GOOD not xyzzy", "word " * 100
    with h5py.File(toy):  # so that nobody can open it to write
        result = load(toy, "--review", texts[0], "--review", texts[1])
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("\nThe plot, was GOOD not xyzzy\n  the ")  # nothing before it
    rows = ROW.findall(result.stdout)
    words = ["the", "plot", "was", "good", "not", "xyzzy (unknown)", *["word (unknown)"] * 100]
    assert [row[0] for row in rows] == words
    assert len({line.index("|") for line in result.stdout.splitlines()[2:8]}) == 1  # a column
    index, x = common.toy_reviews()[2], []
    for ids in [index[word] + 3 for word in words[:5]] + [2], [2] * 100:
        prefixes = ([1, *ids[:n]][-80:] for n in range(1, len(ids) + 1))
        x += [[0] * (80 - len(prefix)) + prefix for prefix in prefixes]
    model = averaged.SentimentClassifier(4)
    model.build((None, 80))
    model.load_weights(toy)
    probabilities = model(np.array(x, dtype=np.int32)).numpy()[:, 0]
    shown = [float(row[1]) for row in rows]
    np.testing.assert_allclose(shown, probabilities, atol=5.1e-4, rtol=0)  # three places are shown
    verdicts = re.findall(r"^  (?:positive|negative): P\(positive\) = (.+)$", result.stdout, re.M)
    assert verdicts == [rows[5][1], rows[-1][1]]


@pytest.mark.parametrize(
    "p, row, verdict",
    [
        (0.48, "0.480 |##########          |", "negative: P(positive) = 0.480"),
        (0.5, "0.500 |##########          |", "negative: P(positive) = 0.500"),
        (0.55, "0.550 |###########         |", "positive: P(positive) = 0.550"),
        (1.0, "1.000 |####################|", "positive: P(positive) = 1.000"),
        (0.0, "0.000 |                    |", "negative: P(positive) = 0.000"),
    ],
)
def test_a_row_shows_the_probability_and_the_verdict_its_side_of_a_half(capsys, p, row, verdict):
    """It is that of the last row: the first is on the other side, and so is the mean of all."""
    three = np.array([[1 - p], [1 - p], [p]])
    out = reading(capsys, lambda x, training: three, "Good good good", {"good": 1})
    assert out.startswith("\nGood good good\n  good  ")
    assert out.endswith(f"|\n  good  {row}\n  {verdict}\n")


@pytest.mark.parametrize("low", [-0.01, 0.01])
def test_what_is_no_probability_is_not_read(capsys, low):
    """As where sigmoid is left to the loss, as Keras's guides advise: below 0 is negative there."""
    model = lambda x, training: np.array([[low], [low + 1]])  # noqa: E731
    say = f"read one P(positive), 0 to 1, not (2, 1) from {low:.2f} to {low + 1:.2f}"
    ends(capsys, say, common.read_reviews, ["a b"], model, {})


def test_each_row_is_its_prefix_and_training_is_off(capsys):
    batches = []

    def model(x, training):
        assert training is False
        batches.append(x)
        return (x > 0).sum(axis=1, keepdims=True) / 100  # the start token and the words so far

    n = common.TEST_BATCH + 5  # in batches no larger than those of the scoring
    out = reading(capsys, model, "a b " * (n // 2) + "a", {"a": 1, "b": 2})
    assert [row[1] for row in ROW.findall(out)] == [
        f"{min(k + 1, 80) / 100:.3f}" for k in range(1, n + 1)
    ]
    assert max(map(len, batches)) <= common.TEST_BATCH
    x = np.concatenate(batches)
    assert x[0].tolist() == [0] * 78 + [1, 4] and x[1].tolist() == [0] * 77 + [1, 4, 5]
    assert x[-1].tolist() == [5, 4] * 40 and len(x) == n


def test_a_long_review_is_not_held_once_for_every_word(capsys):
    """The prefixes of 4,000 words have 8 million ranks: 64 MB as pointers alone."""
    tracemalloc.start()
    reading(capsys, lambda x, training: np.full((len(x), 1), 0.5), "good " * 4_000, {"good": 1})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 24 * 2**20  # the ids twice, 1.3 and 2.6 MB, and the text shown
