"""Words and ids: splitting, the words in a file, what weights remember, reading a review."""

import json
import re
import shutil
import sys
import tracemalloc
import unicodedata
from pathlib import Path

import averaged
import common
import h5py
import keras
import numpy as np
import pytest
from conftest import (
    IMDB_NPZ,
    TINY,
    call,
    check_failure,
    digest,
    needs_imdb,
    parsed,
    write_npz,
)
from docs.measure import networks

GOOD = json.dumps({"good": 1, "bad": 2})
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
        ("¡Excelente! ¿No? «Superbe» „sehr“ ‚gut‘", "excelente no superbe sehr gut"),
        ("جيد، جدا؟ अच्छा है।", "جيد جدا अच्छा है"),
        ("a\u200bb \ufeffgood\ufeff", "a b good"),
        ("ＧＯＯＤ！１２\u3000ｏｋ", "good 12 ok"),
        ("ﬁne Ⅳ ½", "ﬁne ⅳ ½"),  # no other compatibility form
        ("这部电影真好看", "这 部 电 影 真 好 看"),
        ("真 好看！《影评》，（不错）。", "真 好 看 影 评 不 错"),
        ("IMAX版3小时～ok～!", "imax 版 3 小 时 ok"),
        ("ひらがな 한글", "ひらがな 한글"),  # as written
        ("cafe\u0301 CAFÉ", "café café"),  # one letter, written in two ways
        ("so good👍!👍🏽👎 ok😀ok", "so good 👍 👍🏽 👎 ok 😀 ok"),
        ("❤️❤☺︎", "❤️ ❤ ☺︎"),
        ("👨\u200d👩\u200d👧👨", "👨\u200d👩\u200d👧 👨"),
        ("🇨🇳🇫🇷x", "🇨🇳 🇫🇷 x"),
        ("5️⃣#️⃣5", "5️⃣ #️⃣ 5"),
        ("好看👍。", "好 看 👍"),
    ],
)
def test_a_text_is_split_into_words(text, words):
    assert common.tokenize(text) == words.split()


def test_the_first_and_the_last_character_of_each_range_is_a_word():
    for end in "\u3400\u4dbf\u4e00\u9ffc\uf900":  # Python 3.10 knows none from 9ffd to 9fff
        assert common.tokenize(f"a{end}b") == ["a", unicodedata.normalize("NFC", end), "b"]


def test_no_punctuation_is_left_and_no_letter_is_lost():
    """Of every code point: P is a blank, letters and digits stay, whatever Unicode Python has."""
    for code in range(0x110000):
        sign = chr(code)
        if unicodedata.category(sign).startswith("P") and sign not in "'\u2019＇":
            assert common.tokenize(f"a{sign}b") == ["a", "b"], hex(code)
        elif unicodedata.category(sign)[0] in "LN" and not 0xFF00 < code < 0xFF5F:
            expected = unicodedata.normalize("NFC", f"a{sign}b").lower()
            assert "".join(common.tokenize(f"a{sign}b")) == expected, hex(code)


@needs_imdb
def test_imdb_is_split_as_it_was():
    """Each word that a network of IMDB knows is one word; these five had no letter at f9db4da."""
    path = Path(IMDB_NPZ).with_name("imdb_word_index.json")
    if not path.exists():
        pytest.skip("Keras's index is not beside IMDB_NPZ")
    known = [w for w, rank in json.loads(path.read_bytes()).items() if rank <= 9_996]
    others = {word: common.tokenize(word) for word in known if common.tokenize(word) != [word]}
    assert len(known) == 9_996 and others == dict.fromkeys(["\x96", "'", "–", "\x85", "\x97"], [])


def test_review_of_a_file_says_what_reads_files(tmp_path):
    (tmp_path / "new.csv").write_text("review\ngood\n")
    flags = ("--data", "toy", "--review", "good", "--review", tmp_path / "new.csv")
    check_failure(call("averaged", *flags), "docs/tools/predict.py reads a file", status=2)


# ------------------------------------------------------------------------- the words of a file


def vocabulary(path):
    return common.read_vocabulary(str(path))[0]


def imdb_like(folder, monkeypatch):
    """A small npz without words that passes for IMDB's reviews."""
    path = write_npz(folder / "imdb.npz")
    monkeypatch.setattr(common, "IMDB_RANKS", vocabulary(path))
    return path


def refused(capsys, words, function, *args):
    """function(*args) ends the run in one line that says `words`."""
    with pytest.raises(SystemExit, match="^1$"):
        function(*args)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ") and words in line
    return line


def test_a_vocabulary_is_known_by_the_words_of_a_file_or_by_its_ranks(tmp_path, monkeypatch):
    """Weights that an earlier version has saved hold these digests."""
    for name in "toy", "imdb":
        assert common.read_vocabulary(name) == (name, None)
    assert common.read_vocabulary("auto") == ("imdb", None)
    other_reviews = np.empty(30, dtype=object)
    other_reviews[:] = [[1]] * 30
    for path in (
        write_npz(tmp_path / "one.npz", words=GOOD),
        write_npz(tmp_path / "other reviews.npz", words=GOOD, x_train=other_reviews),
    ):
        assert vocabulary(path) == digest(GOOD.encode())
    path = imdb_like(tmp_path, monkeypatch)
    with np.load(path, allow_pickle=True) as file:
        members = {name: file[name] for name in file.files}
    reviews = [*members["x_train"], *members["x_test"]]
    ranks = np.concatenate([[len(review), *review] for review in reviews]).astype("<i8")
    assert common.IMDB_RANKS == digest(ranks.tobytes())
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
def test_other_reviews_are_not_imdbs(tmp_path, monkeypatch, split, change):
    with np.load(imdb_like(tmp_path, monkeypatch), allow_pickle=True) as file:
        x = file[split]
    assert max(map(len, x)) == 200
    change(x)
    assert vocabulary(write_npz(tmp_path / "other.npz", **{split: x})) not in ("imdb", "toy")


@needs_imdb
def test_the_real_file_is_imdbs_and_its_index_is_the_one_that_is_known():
    assert vocabulary(IMDB_NPZ) == "imdb"
    path = Path(IMDB_NPZ).with_name(INDEX)
    if not path.exists():
        pytest.skip("Keras's index is not beside IMDB_NPZ")
    assert digest(path.read_bytes()) == common.DIGESTS[INDEX]
    index = common.load_word_index(IMDB_NPZ)
    text = "This film was just BRILLIANT, casting location"
    (x,) = common.encode([[index[word] for word in common.tokenize(text)]])
    assert x[-8:].tolist() == [1, 14, 22, 16, 43, 530, 973, 1622] and not x[:-8].any()


def test_a_files_own_words_are_read_and_no_neighbours(tmp_path):
    (tmp_path / INDEX).write_text('{"the": 1}')
    path = write_npz(tmp_path / "my.npz", words='{"好": 1, "bad": 2}')
    assert common.load_word_index(str(path)) == {"好": 1, "bad": 2}


@pytest.fixture
def keras_index(tmp_path, monkeypatch):
    """The place of Keras's word index in Keras's folder; GOOD passes for the real one."""
    monkeypatch.setattr(common, "KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setitem(common.DIGESTS, INDEX, digest(GOOD.encode()))
    (tmp_path / "keras" / "datasets").mkdir(parents=True)
    return tmp_path / "keras" / "datasets" / INDEX


@pytest.mark.parametrize(
    "beside, cached", [(None, GOOD), (OTHER, GOOD), (GOOD, None), (GOOD, OTHER)]
)
def test_imdbs_words_are_beside_the_file_or_in_kerass_folder(
    tmp_path, monkeypatch, keras_index, beside, cached
):
    path = imdb_like(tmp_path, monkeypatch)
    for file, content in (path.with_name(INDEX), beside), (keras_index, cached):
        if content:
            file.write_text(content)
    assert common.load_word_index(str(path)) == {"good": 1, "bad": 2}


@pytest.mark.parametrize("data", ["imdb", "auto", "imdb.npz"])
def test_an_index_that_is_not_kerass_is_not_used_for_imdb(
    tmp_path, monkeypatch, keras_index, data, capsys
):
    monkeypatch.chdir(tmp_path)
    imdb_like(tmp_path, monkeypatch)
    Path(INDEX).write_text(OTHER)
    refused(capsys, "cannot download", common.load_word_index, data)  # and there is no network
    keras_index.write_text(OTHER)
    what_to_do = f"{keras_index} is not Keras's: delete it, and it will be downloaded"
    refused(capsys, what_to_do, common.load_word_index, data)


BAD_WORDS = {  # words.json of a file; what is said
    **dict.fromkeys(("[1]", '{"a": "b"}', '{"a": null}', '{"a": Infinity}', "{", ""), ""),
    **dict.fromkeys(("[" * 10**5, b"\xff"), ""),
    None: "does not hold them: make it again",
    '{"a": 1, "b": 0}': "the rank of a word is below 1",
    '{"a": -3}': "the rank of a word is below 1",
    '{"¡excelente": 9996}': "was split in another way: make it again",
}


@pytest.mark.parametrize("content", BAD_WORDS, ids=lambda content: repr(content)[:20])
def test_bad_words_are_one_line(tmp_path, content, capsys):
    path = str(write_npz(tmp_path / "my.npz", words=content))
    line = refused(capsys, BAD_WORDS[content], common.load_word_index, path)
    assert line.startswith("error: --review does not know the words: ")


def test_words_with_a_wrong_check_sum_are_one_line(tmp_path, capsys):
    path = write_npz(tmp_path / "my.npz", words=GOOD)
    path.write_bytes(path.read_bytes().replace(b'"good"', b'"glad"'))
    refused(capsys, f"cannot read {path}: ", common.load_word_index, str(path))


@pytest.mark.parametrize("words", [None, '{"good": 0}', '{"¡excelente": 9996}'])
def test_a_file_whose_words_cannot_be_read_trains_and_reads_no_review(tmp_path, words):
    flags = ("--data", write_npz(tmp_path / "my.npz", words=words), "--epochs", "1", *UNITS)
    assert parsed(call("averaged", *flags))["data"] == "my.npz"
    result = call("averaged", *flags, "--review", "good")
    check_failure(result, "error: --review does not know the words: ")
    assert "Epoch" not in result.stdout  # not after the training


@pytest.mark.parametrize("rank", [10_000, 2**62, 2**70])
def test_a_word_of_any_rank_beyond_the_vocabulary_is_unknown(tmp_path, rank, capsys):
    words = {"rare": rank, "rarest": 9_997, "frequent": 9_996, "¡odd": 9_998}  # split otherwise
    path = write_npz(tmp_path / "my.npz", words=json.dumps(words))
    index, text = common.load_word_index(str(path)), "frequent rarest rare"
    _, rows = reading(capsys, lambda x, training: (x[:, -1:] == 2) / 2, text, index)
    shown = [("frequent", "0.000"), ("rarest (unknown)", "0.500"), ("rare (unknown)", "0.500")]
    assert [row[:2] for row in rows] == shown


opened = []  # while it is a run's
sys.addaudithook(lambda event, args: event == "open" and opened.append(str(args[0])))


@pytest.mark.parametrize("words", [GOOD, None], ids=["own words", "IMDB's"])
def test_a_file_is_opened_twice_at_most(tmp_path, monkeypatch, keras_index, words):
    path = imdb_like(tmp_path, monkeypatch)
    path.with_name(INDEX).write_text(GOOD)
    write_npz(path, words=words)
    flags = ("--data", path, *UNITS, "--review", "good", "--epochs", "1")
    for files in ("--save", tmp_path / "w.weights.h5"), ("--load", tmp_path / "w.weights.h5"):
        opened.clear()
        assert call("averaged", *flags, *files).returncode == 0
        assert 1 <= opened.count(str(path)) <= 2


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


def test_weights_fit_the_same_words_under_another_name(trained, tmp_path):
    path, weights, line = trained
    moved = shutil.copy(path, tmp_path / "renamed.npz")
    score = parsed(load(weights, "--data", moved))
    assert score["done"] == "loaded from w.weights.h5" and score["data"] == "renamed.npz"
    for key in "right", "n", "loss":
        assert score[key] == line[key]
    result = load(weights, "--data", moved, "--review", "good unheard")
    assert result.returncode == 0 and "  good  " in result.stdout
    assert "  unheard (unknown)  " in result.stdout


@pytest.mark.parametrize("review", [(), ("--review", "good")], ids=["score", "review"])
def test_weights_are_refused_with_other_words(trained, tmp_path, review):
    other = write_npz(tmp_path / "reviews.npz", words=OTHER)  # the same name
    for data in other, write_npz(tmp_path / "plain.npz"), "toy", "imdb", "auto":
        result = load(trained[1], "--data", data, *review)
        check_failure(result, f"trained on reviews.npz, not on {data}'s words: train again")
        assert result.stdout == ""


def test_a_file_called_toy_is_not_the_toy(trained, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in "toy", "imdb":
        shutil.copy(trained[0], name)
        check_failure(call("lstm_imdb", "--data", f"./{name}"), ".npz", status=2)
    shutil.copy(trained[0], "toy.npz")
    assert parsed(load(trained[1], "--data", "toy.npz"))["data"] == "toy.npz"


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


def test_weights_of_the_toy_know_their_data(toy, tmp_path):
    assert parsed(load(toy, "--subset", "64"))["data"] == "toy"
    for data in "imdb", write_npz(tmp_path / "my.npz", words=GOOD):
        check_failure(load(toy, "--data", data), "trained on toy")


def test_weights_without_a_note_fit_their_own_network_alone(tmp_path):
    path = tmp_path / "plain.weights.h5"
    networks.load("gru_imdb", 0, units=4).save_weights(path)
    flags = ("--data", "toy", "--review", "good")
    assert load(path, *flags, name="gru_imdb").returncode == 0
    for name in "lstm_imdb", "rnn_layer_imdb", "averaged":
        words = f"damaged, or not weights of {name.replace('averaged', 'gru_imdb')} with --units 4"
        check_failure(load(path, *flags, name=name), words)
    result = load(path, "--units", "9", *flags, name="gru_imdb")
    check_failure(result, "not weights of gru_imdb with --units 9")


class OneLayer(averaged.SentimentClassifier):
    """The same network without its hidden layer."""

    def __init__(self, units, unroll=False):
        keras.Model.__init__(self)
        self.embedding = keras.layers.Embedding(common.TOTAL_WORDS, common.EMBEDDING_LEN)
        self.pooling = keras.layers.GlobalAveragePooling1D()
        self.dense = keras.layers.Dense(1, activation="sigmoid")

    def call(self, inputs, training=False):
        return self.dense(self.pooling(self.embedding(inputs)))


def test_weights_with_more_or_fewer_layers_are_refused(tmp_path, monkeypatch):
    """Of layers of one width: then no shape tells them apart."""
    flags, words = ("--units", "100", "--review", "good"), "damaged, or not weights of"
    one, two = tmp_path / "one.weights.h5", tmp_path / "two.weights.h5"
    parsed(call("averaged", *TINY, "--units", "100", "--save", two))
    with monkeypatch.context() as patch:
        patch.setattr(averaged, "SentimentClassifier", OneLayer)
        check_failure(load(two, *flags), words)
        parsed(call("averaged", *TINY, "--units", "100", "--save", one))
        assert load(one, *flags).returncode == 0
    check_failure(load(one, *flags), words)


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
    "signs": (note(data="\x1b[31m\n" + "x" * 5_000, words="other"), "trained on [31m x"),
    **{f"words {words!r}": (note(words=words), "train again") for words in NO_WORDS},
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


@pytest.mark.parametrize(
    "error, hint",
    [
        (PermissionError(13, "Permission denied"), False),
        (OSError(5, "Input/output error"), False),
        (BlockingIOError(11, "Unable to synchronously open file (unable to lock file)"), True),
        (OSError(37, "unable to open file (unable to lock file, 'No locks available')"), True),
    ],
)
def test_weights_that_the_system_cannot_read_end_in_its_reason(changed, error, hint, monkeypatch):
    """A stand-in, because nothing keeps a file from root."""

    def refused(*args, **kwargs):
        raise error

    monkeypatch.setattr(h5py, "File", refused)
    result = load(changed, "--review", "good")
    check_failure(result, f"{changed}: {error}")
    assert ("HDF5_USE_FILE_LOCKING=FALSE" in result.stderr) == hint
    assert "damaged" not in result.stderr


def test_good_weights_under_a_name_that_keras_does_not_read_are_told_the_ending(changed):
    for name in "best.h5", "best":
        path = changed.rename(changed.with_name(name))
        words = f"{path}: no such file, or it does not end in .weights.h5"
        check_failure(load(path, "--review", "good"), words, status=2)
        changed = path


def test_weights_that_are_no_numbers_are_read_and_scored(changed):
    """Nothing is hidden: the rows show nan, and a score ends as a training that diverged does."""
    with h5py.File(changed, "a") as file:
        file["dense/vars/0"][...] = np.nan
    result = load(changed, "--review", "good")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines()[2:] == [
        f"  good  nan |{' ' * 20}|",
        "  negative: P(positive) = nan",
    ]
    result = load(changed, "--subset", "64")
    assert result.returncode == 1 and ", loss nan, " in result.stdout
    assert result.stderr.startswith("error: training diverged, the loss is nan")


# ------------------------------------------------------------------------------- reading a review


def reading(capsys, model, text, index):
    """-> what is printed; its rows: word, probability, bar."""
    common.read_reviews([text], model, index)
    out = capsys.readouterr().out
    return out, re.findall(r"^  (\S.*?) +(nan|[01]\.\d{3}) \|(#* *)\|$", out, re.M)


@pytest.mark.smoke
def test_every_row_of_a_reading_is_what_the_model_says_of_that_text(toy):
    text = "the plot was not really dull it is set in a town"
    result = load(toy, "--review", text)
    shown = [float(p) for p in re.findall(r" ([\d.]+) \|", result.stdout)]
    model = averaged.SentimentClassifier(4)
    model.build((None, 80))
    model.load_weights(toy)
    index = common.toy_reviews()[2]
    ids = [1] + [index[word] + 3 for word in text.split()]
    x = [[0] * (80 - n) + ids[:n] for n in range(2, len(ids) + 1)]
    probabilities = model(np.array(x, dtype=np.int32)).numpy()[:, 0]
    np.testing.assert_allclose(shown, probabilities, atol=5.1e-4, rtol=0)  # three places are shown


def test_load_and_review_load_no_reviews(toy):
    texts = "The plot, was GOOD not xyzzy", "word " * 100
    result = load(toy, "--review", texts[0], "--review", texts[1])
    assert result.returncode == 0 and result.stderr == ""
    assert result.stdout.startswith("\nThe plot, was GOOD not xyzzy\n  the ")  # nothing before it
    rows = re.findall(r"^  (\S.*?) +(0\.\d{3}|1\.000) \|#* *\|$", result.stdout, re.M)
    words = [word for word, _ in rows]
    assert words[:6] == ["the", "plot", "was", "good", "not", "xyzzy (unknown)"]
    assert len(rows) == 6 + 100
    assert len({p for _, p in rows[6 + 80 :]}) == 1  # the last 80 of 81 and of 100 are the same
    verdicts = re.findall(r"^  (?:positive|negative): P\(positive\) = (.+)$", result.stdout, re.M)
    assert verdicts == [rows[5][1], rows[-1][1]]


@pytest.mark.parametrize(
    "p, row, verdict",
    [
        (0.48, "0.480 |##########          |", "negative: P(positive) = 0.480"),
        (0.55, "0.550 |###########         |", "positive: P(positive) = 0.550"),
        (1.0, "1.000 |####################|", "positive: P(positive) = 1.000"),
        (0.0, "0.000 |                    |", "negative: P(positive) = 0.000"),
        (np.nan, "nan |                    |", "negative: P(positive) = nan"),
    ],
)
def test_a_row_shows_the_probability_and_the_verdict_its_side_of_a_half(capsys, p, row, verdict):
    out, _ = reading(capsys, lambda x, training: np.full((len(x), 1), p), "Good", {"good": 1})
    assert out == f"\nGood\n  good  {row}\n  {verdict}\n"


def test_each_row_is_its_prefix_and_training_is_off(capsys):
    batches = []

    def model(x, training):
        assert training is False
        batches.append(x)
        return (x > 0).sum(axis=1, keepdims=True) / 100  # the start token and the words so far

    n = common.TEST_BATCH + 5  # in batches no larger than those of the scoring
    _, rows = reading(capsys, model, "a b " * (n // 2) + "a", {"a": 1, "b": 2})
    assert [p for _, p, _ in rows] == [f"{min(k + 1, 80) / 100:.3f}" for k in range(1, n + 1)]
    assert max(map(len, batches)) <= common.TEST_BATCH
    x = np.concatenate(batches)
    assert x[0].tolist() == [0] * 78 + [1, 4] and x[1].tolist() == [0] * 77 + [1, 4, 5]
    assert x[-1].tolist() == [5, 4] * 40


def test_a_long_review_is_not_held_once_for_every_word(capsys):
    """The prefixes of 4,000 words have 8 million ranks: 64 MB as pointers alone."""
    tracemalloc.start()
    reading(capsys, lambda x, training: np.full((len(x), 1), 0.5), "good " * 4_000, {"good": 1})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 24 * 2**20  # the ids twice, 1.3 and 2.6 MB, and the text shown
