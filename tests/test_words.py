"""Words and ids: splitting, the words in a file, what weights remember, reading a review."""

import importlib
import json
import re
import shutil
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
    untraced,
    write_npz,
)

GOOD = json.dumps({"good": 1, "bad": 2})
UNITS = ("--units", "4")


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
        ("IMAX版3小时", "imax 版 3 小 时"),
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
    ends = "\u3400\u4dbf\u4e00\u9ffc\uf900"  # Python 3.10 knows none from 9ffd to 9fff
    assert common.tokenize(ends) == [*ends[:-1], unicodedata.normalize("NFC", "\uf900")]


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


def test_a_file_that_was_split_into_other_words_is_to_be_made_again(tmp_path):
    flags = ("--epochs", "1", *UNITS, "--review", "excelente")
    for words, odd in (('{"¡excelente": 9996}', True), ('{"¡excelente": 9997, "no": 1}', False)):
        path = write_npz(tmp_path / "my.npz", words=words)
        result = call("averaged", "--data", path, *flags)
        if odd:
            check_failure(result, "other words, such as ¡excelente: make it again")
        else:  # a network does not know such a word
            parsed(result)


def test_review_of_a_file_says_what_reads_files(tmp_path):
    (tmp_path / "new.csv").write_text("review\ngood\n")
    flags = ("--data", "toy", "--review", "good", "--review", tmp_path / "new.csv")
    check_failure(call("averaged", *flags), "docs/tools/predict.py reads a file", status=2)


# ------------------------------------------------------------------------- the words of a file


def imdb_like(folder, monkeypatch):
    """A small npz without words that passes for IMDB's reviews."""
    path = write_npz(folder / "imdb.npz")
    monkeypatch.setattr(common, "IMDB_RANKS", common.vocabulary_id(str(path)))
    return path


def test_a_files_own_words_are_read_and_no_neighbours(tmp_path):
    (tmp_path / "imdb_word_index.json").write_text(json.dumps({"the": 1}))
    path = str(write_npz(tmp_path / "my.npz", words='{"好": 1, "bad": 2}'))
    assert common.load_word_index(path) == {"好": 1, "bad": 2}


def test_reviews_are_imdbs_by_their_ranks_whatever_the_file(tmp_path, monkeypatch):
    path = imdb_like(tmp_path, monkeypatch)
    assert common.vocabulary_id(str(path)) == "imdb"
    with np.load(path, allow_pickle=True) as file:
        members = {name: file[name] for name in file.files}
    with open(tmp_path / "packed.npz", "wb") as file:
        np.savez_compressed(file, **members)
    assert common.vocabulary_id(str(tmp_path / "packed.npz")) == "imdb"

    def changed(split, change):
        x = np.empty_like(members[split])
        x[:] = [list(review) for review in members[split]]
        change(x)
        return common.vocabulary_id(str(write_npz(tmp_path / "other.npz", **{split: x})))

    def first_word(x):  # of a long review: nothing of it is left in the arrays
        long = max(x, key=len)
        assert len(long) == 200
        long[0] += 1

    def border(x):
        n = next(n for n in range(len(x)) if x[n])
        x[n + 1 if n == 0 else n - 1].append(x[n].pop())

    def order(x):
        x[0], x[1] = x[1], x[0]

    for split in "x_train", "x_test":
        for change in first_word, order:
            assert changed(split, change) not in ("imdb", "toy")
    assert changed("x_train", border) != "imdb"


def test_files_have_the_same_words_if_their_indices_are(tmp_path):
    one = common.vocabulary_id(str(write_npz(tmp_path / "one.npz", words=GOOD)))
    reviews = np.empty(30, dtype=object)
    reviews[:] = [[1]] * 30
    same = write_npz(tmp_path / "renamed.npz", words=GOOD, x_train=reviews)
    assert common.vocabulary_id(str(same)) == one
    other = write_npz(tmp_path / "one.npz", words=json.dumps({"bad": 1, "good": 2}))
    assert common.vocabulary_id(str(other)) != one
    assert [common.vocabulary_id(name) for name in ("auto", "imdb", "toy")] == [
        "imdb",
        "imdb",
        "toy",
    ]


@needs_imdb
def test_the_real_file_is_imdbs():
    assert common.vocabulary_id(IMDB_NPZ) == "imdb"


@needs_imdb
def test_the_real_index_is_the_one_that_is_known():
    path = Path(IMDB_NPZ).with_name("imdb_word_index.json")
    if path.exists():
        assert digest(path.read_bytes()) == common.DIGESTS[path.name]


@needs_imdb
def test_real_text_is_encoded_as_the_data_are():
    if not Path(IMDB_NPZ).with_name("imdb_word_index.json").exists():
        pytest.skip("Keras's index is not beside IMDB_NPZ")
    index = common.load_word_index(IMDB_NPZ, "imdb")
    text = "This film was just BRILLIANT, casting location"
    (x,) = common.encode([[index[word] for word in common.tokenize(text)]])
    assert x[-8:].tolist() == [1, 14, 22, 16, 43, 530, 973, 1622] and not x[:-8].any()


def test_the_index_beside_imdb_is_used_if_it_is_imdbs_and_else_kerass(tmp_path, monkeypatch):
    path = imdb_like(tmp_path, monkeypatch)
    name = "imdb_word_index.json"
    cache = tmp_path / "keras" / "datasets" / name
    cache.parent.mkdir(parents=True)
    cache.write_text(json.dumps({"cached": 1}))
    monkeypatch.setattr(common, "KERAS_HOME", str(tmp_path / "keras"))
    assert common.load_word_index(str(path)) == {"cached": 1}
    beside = path.with_name(name)
    beside.write_text(GOOD)
    assert common.load_word_index(str(path)) == {"cached": 1}  # of some table of one's own
    monkeypatch.setitem(common.DIGESTS, name, digest(GOOD.encode()))
    assert common.load_word_index(str(path)) == {"good": 1, "bad": 2}
    beside.unlink()
    cache.unlink()  # and there is no network
    with pytest.raises(SystemExit):
        common.load_word_index(str(path))


def test_a_file_without_words_trains_and_is_not_read_with_imdbs(tmp_path):
    flags = ("--data", write_npz(tmp_path / "plain.npz"), "--epochs", "1", *UNITS)
    assert parsed(call("averaged", *flags))["data"] == "plain.npz"
    result = call("averaged", *flags, "--review", "good")
    check_failure(result, "make it again")
    assert "Epoch" not in result.stdout  # not after the training


@pytest.mark.parametrize(
    "content",
    [
        "[1]",
        '{"a": "b"}',
        "{",
        "",
        "[" * 10**5,
    ],
)
def test_bad_words_are_one_line(tmp_path, content, capsys):
    path = write_npz(tmp_path / "my.npz", words=content)
    with pytest.raises(SystemExit) as end:
        common.load_word_index(str(path))
    error = capsys.readouterr().err
    assert end.value.code == 1 and len(error.splitlines()) == 1
    assert error.startswith("error: --review does not know the words: ")


def test_words_that_are_not_utf_8_are_one_line(tmp_path, capsys):
    with pytest.raises(SystemExit):
        common.load_word_index(str(write_npz(tmp_path / "my.npz", words=b"\xff")))
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize("rank", [10_000, 2**62, 2**70])
def test_a_word_of_any_rank_beyond_the_vocabulary_is_unknown(tmp_path, rank):
    words = json.dumps({"rare": rank, "rarest": 9_997, "frequent": 9_996})
    path = write_npz(tmp_path / "my.npz", words=words)
    flags = ("--data", path, "--epochs", "1", *UNITS, "--review", "frequent rarest rare")
    result = call("averaged", *flags)
    parsed(result)
    assert re.search("^  frequent  ", result.stdout, re.M)
    assert "  rarest (unknown)  " in result.stdout and "  rare (unknown)  " in result.stdout


# ------------------------------------------------------------------------- what weights remember


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A table of one's own with its words, and weights trained on it."""
    folder = tmp_path_factory.mktemp("own")
    path = write_npz(folder / "reviews.npz", words=GOOD)
    flags = ("--data", path, "--epochs", "1", *UNITS, "--save", folder / "w.weights.h5")
    return path, folder / "w.weights.h5", parsed(call("averaged", *flags))


def load(own, *flags, weights=None, name="averaged"):
    return call(name, *UNITS, "--load", weights or own[1], *flags)


def test_weights_fit_the_same_words_under_another_name(own, tmp_path):
    moved = shutil.copy(own[0], tmp_path / "renamed.npz")
    line = parsed(load(own, "--data", moved))
    assert line["done"] == "loaded from w.weights.h5" and line["data"] == "renamed.npz"
    assert [line[key] for key in ("right", "n", "loss")] == [
        own[2][key] for key in ("right", "n", "loss")
    ]
    result = load(own, "--data", moved, "--review", "good unheard")
    assert result.returncode == 0 and "  good  " in result.stdout
    assert "  unheard (unknown)  " in result.stdout


@pytest.mark.parametrize("review", [(), ("--review", "good")], ids=["score", "review"])
def test_weights_are_refused_with_other_words(own, tmp_path, review):
    other = write_npz(tmp_path / "reviews.npz", words='{"bad": 1, "good": 2}')  # the same name
    for data in other, write_npz(tmp_path / "plain.npz"), "toy", "imdb", "auto":
        check_failure(load(own, "--data", data, *review), "trained on reviews.npz")
    result = load(own, "--data", other, *review)
    assert str(other) in result.stderr and result.stdout == ""


def test_a_file_called_toy_is_not_the_toy(own, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in "toy", "imdb":
        shutil.copy(own[0], name)
        check_failure(call("lstm_imdb", "--data", f"./{name}"), ".npz", status=2)
    shutil.copy(own[0], "toy.npz")
    line = parsed(load(own, "--data", "toy.npz"))
    assert line["data"] == "toy.npz"


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """Weights trained on some of the toy."""
    path = tmp_path_factory.mktemp("toy") / "w.weights.h5"
    parsed(call("averaged", *TINY, "--save", path))
    return path


@pytest.fixture(scope="module")
def lstm(tmp_path_factory):
    """The weights of an LSTM trained on some of the toy."""
    path = tmp_path_factory.mktemp("lstm") / "w.weights.h5"
    with untraced():
        parsed(call("lstm_imdb", *TINY, "--save", path))
    return path


def note(source, path, **notes):
    """Copy weights with other notes; None takes one away."""
    shutil.copy(source, path)
    with h5py.File(path, "a") as file:
        for name, text in notes.items():
            del file.attrs[name]
            if text is not None:
                file.attrs[name] = text
    return path


def test_weights_of_the_toy_know_their_data(toy, tmp_path):
    result = load(None, "--subset", "64", weights=toy)
    assert parsed(result)["data"] == "toy"
    for data in "imdb", write_npz(tmp_path / "my.npz", words=GOOD):
        check_failure(load(None, "--data", data, weights=toy), "trained on toy")


def test_weights_of_an_earlier_version(toy, tmp_path, monkeypatch):
    """They have the name of their data alone."""
    path = tmp_path / "old.weights.h5"
    note(toy, path, words=None)
    assert parsed(load(None, "--subset", "64", weights=path))["data"] == "toy"
    check_failure(load(None, "--data", "imdb", weights=path), "trained on toy")
    note(toy, path, words=None, data="imdb")
    check_failure(load(None, "--data", "toy", weights=path), "trained on imdb")
    like = imdb_like(tmp_path, monkeypatch)
    assert parsed(load(None, "--data", like, weights=path))["n"] == "20"
    note(toy, path, words=None, data="reviews.npz")
    for data in "toy", write_npz(tmp_path / "reviews.npz", words=GOOD):
        check_failure(load(None, "--data", data, weights=path), "train again")


def test_weights_without_a_note_are_still_checked(tmp_path):
    gru = importlib.import_module("gru_imdb")
    model = gru.SentimentClassifier(4)
    model.build((None, common.MAX_REVIEW_LEN))
    path = tmp_path / "plain.weights.h5"
    model.save_weights(path)
    flags = ("--data", "toy", "--review", "good")
    assert load(None, *flags, weights=path, name="gru_imdb").returncode == 0
    check_failure(load(None, *flags, weights=path), "damaged, or not weights of")


@pytest.mark.parametrize(
    "name, flags, words",
    [
        ("gru_imdb", [], "not weights of gru_imdb with --units 4"),
        ("rnn_layer_imdb", [], "not weights of rnn_layer_imdb"),
        ("lstm_imdb", ["--units", "9"], "not weights of lstm_imdb with --units 9"),
    ],
)
def test_weights_of_another_network_are_refused(lstm, name, flags, words):
    check_failure(load(None, *flags, "--review", "good", weights=lstm, name=name), words)


class OneLayer(keras.Model):
    """The network of exercise 3: the LSTM script's without its second layer."""

    def __init__(self, units, unroll=False):
        super().__init__()
        self.embedding = keras.layers.Embedding(common.TOTAL_WORDS, common.EMBEDDING_LEN)
        self.rnn_1 = keras.layers.LSTM(units, dropout=0.5, unroll=unroll)
        self.dense = keras.layers.Dense(1, activation="sigmoid")

    def build(self, shape):
        for layer in self.layers:
            layer.build(shape)
            shape = layer.compute_output_shape(shape)

    def call(self, inputs, training=False):
        return self.dense(self.rnn_1(self.embedding(inputs), training=training))


def test_weights_with_more_or_fewer_layers_are_refused(lstm, tmp_path, monkeypatch):
    script = importlib.import_module("lstm_imdb")
    one = tmp_path / "one.weights.h5"
    with monkeypatch.context() as patch:
        patch.setattr(script, "SentimentClassifier", OneLayer)
        check_failure(
            load(None, "--review", "good", weights=lstm, name="lstm_imdb"),
            "not weights of lstm_imdb",
        )
        with untraced():
            parsed(call("lstm_imdb", *TINY, "--save", one))
        assert load(None, "--review", "good", weights=one, name="lstm_imdb").returncode == 0
    check_failure(
        load(None, "--review", "good", weights=one, name="lstm_imdb"), "not weights of lstm_imdb"
    )


def damage(path, kind):
    if kind == "garbage":
        path.write_bytes(b"\x89HDF\r\n\x1a\n garbage")
    elif kind == "cut":
        path.write_bytes(path.read_bytes()[:100_000])
    elif kind == "note":
        with h5py.File(path, "a") as file:
            file.attrs.update(data="\x1b[31m\n" + "x" * 5_000, words="other")
    elif kind == "empty":
        h5py.File(path, "w").close()


@pytest.mark.parametrize("kind", ["garbage", "cut", "note", "empty"])
def test_damaged_weights_are_one_whole_sentence(toy, tmp_path, kind):
    path = tmp_path / "w.weights.h5"
    shutil.copy(toy, path)
    damage(path, kind)
    words = "trained on [31m x" if kind == "note" else f"{path}: damaged, or not weights of"
    check_failure(load(None, "--review", "good", weights=path), words)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_no_numbers_are_read_and_scored(toy, tmp_path, value):
    """Nothing is hidden: the rows show nan, and a score ends as a training that diverged does."""
    path = tmp_path / "nan.weights.h5"
    shutil.copy(toy, path)
    with h5py.File(path, "a") as file:
        file["dense/vars/0"][...] = value
    result = load(None, "--review", "good", weights=path)
    assert result.returncode == 0 and "good" in result.stdout


# ------------------------------------------------------------------------------- reading a review


def reading(capsys, model, text, index):
    common.read_reviews([text], model, index)
    out = capsys.readouterr().out
    rows = re.findall(r"^  (\S.*?) +(nan|[01]\.\d{3}) \|(#* *)\|$", out, re.M)
    return out, rows


@pytest.mark.smoke
def test_every_row_of_a_reading_is_what_the_model_says_of_that_text(toy):
    text = "the plot was not really dull it is set in a town"
    result = load(None, "--review", text, weights=toy)
    shown = [float(p) for p in re.findall(r" ([\d.]+) \|", result.stdout)]
    model = averaged.SentimentClassifier(4)
    model.build((None, 80))
    model.load_weights(toy)
    index = common.toy_reviews()[2]
    ids = [1] + [index[word] + 3 for word in text.split()]
    x = [[0] * (80 - n) + ids[:n] for n in range(2, len(ids) + 1)]
    said = model(np.array(x, dtype=np.int32)).numpy()[:, 0]
    np.testing.assert_allclose(shown, said, atol=5.1e-4, rtol=0)  # three places are shown


def test_load_and_review_load_no_reviews(lstm):
    result = load(
        None,
        "--review",
        "The plot, was GOOD not xyzzy",
        "--review",
        "word " * 100,
        weights=lstm,
        name="lstm_imdb",
    )
    assert result.returncode == 0 and result.stderr == ""
    assert result.stdout.startswith("\nThe plot, was GOOD not xyzzy\n  the ")  # nothing before it
    rows = re.findall(r"^  (\S.*?) +(0\.\d{3}|1\.000) \|#* *\|$", result.stdout, re.M)
    words = [word for word, _ in rows]
    assert words[:6] == ["the", "plot", "was", "good", "not", "xyzzy (unknown)"]
    assert len(rows) == 6 + 100
    assert len({p for _, p in rows[6 + 80 :]}) == 1  # the last 80 of 81 and of 100 are the same
    verdicts = re.findall(r"^  (positive|negative): P\(positive\) = ([\d.]+)$", result.stdout, re.M)
    assert [p for _, p in verdicts] == [rows[5][1], rows[-1][1]]
    assert all((v == "positive") == (float(p) > 0.5) for v, p in verdicts)


@pytest.mark.parametrize(
    "p, row, verdict",
    [
        (0.45, "0.450 |#########           |", "negative: P(positive) = 0.450"),
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
    seen = []

    def model(x, training):
        seen.append(x)
        return np.arange(len(x))[:, None] / len(x) + 0 * training

    n = common.TEST_BATCH + 5  # in batches no larger than those of the scoring
    _, rows = reading(capsys, model, "a b " * (n // 2) + "a", {"a": 1, "b": 2})
    assert len(rows) == n and max(map(len, seen)) <= common.TEST_BATCH
    x = np.concatenate(seen)
    assert x[0].tolist() == [0] * 78 + [1, 4] and x[1].tolist() == [0] * 77 + [1, 4, 5]
    assert x[-1].tolist() == [5, 4] * 40


def test_a_long_review_is_not_held_once_for_every_word(capsys):
    """The prefixes of 4,000 words have 8 million ranks: 64 MB as pointers alone."""
    tracemalloc.start()
    reading(capsys, lambda x, training: np.full((len(x), 1), 0.5), "good " * 4_000, {"good": 1})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 24 * 2**20  # the ids twice, 1.3 and 2.6 MB, and the text shown


def test_encode_takes_what_comes_one_after_the_other():
    x = common.encode([rank] for rank in (1, 2))
    assert x[:, -1].tolist() == [4, 5]
    assert common.encode(iter([[5], (5,)])).shape == (2, 80)
