"""Reviews as arrays: the reader of files, the encoding, the toy and the pipelines."""

import hashlib
import io
import pickle
import random
import sys
import warnings
import zipfile

import common
import keras
import numpy as np
import pytest
from conftest import IMDB_NPZ, ends, needs_imdb, objects, write_npz

ONES = np.ones(30, np.int64)


def by_keras(reviews):
    """Encode lists of ranks by the rule of keras.datasets.imdb and with its pad_sequences."""
    ids = [[1] + [r + 3 if r + 3 < 10_000 else 2 for r in review] for review in reviews]
    return keras.utils.pad_sequences(ids, 80)


def npy(shape, payload, descr="|O"):
    """The bytes of a member: a right header, and any payload."""
    file = io.BytesIO()
    header = {"descr": descr, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue() + payload


def npz(path, **members):
    """Do as write_npz(), with members that are arrays, bytes, or None."""
    is_bytes = {name: data for name, data in members.items() if isinstance(data, bytes)}
    write_npz(path, **{**members, **dict.fromkeys(is_bytes)})
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        for name, data in is_bytes.items():
            archive.writestr(f"{name}.npy", data)
    return path


def refused(path, words, capsys):
    """read_npz ends the run on a file in one line that says the words."""
    line = ends(capsys, words, common.read_npz, path)
    assert line.startswith(f"error: cannot read {path}: ")


# ------------------------------------------------------------------------------ files and encoding
@pytest.mark.smoke
def test_npz_gives_the_arrays_keras_gives(tmp_path, monkeypatch):
    path = write_npz(tmp_path / "small.npz")
    module = sys.modules[keras.datasets.imdb.load_data.__module__]
    monkeypatch.setattr(module, "get_file", lambda *args, **kwargs: str(path))
    for (x, y), (ids, labels) in zip(
        common.read_npz(path), keras.datasets.imdb.load_data(num_words=10_000)
    ):
        assert x.dtype == np.int32 and y.dtype == np.int64
        np.testing.assert_array_equal(x, keras.utils.pad_sequences(ids, 80))
        np.testing.assert_array_equal(y, labels)


def some_reviews(rng):
    """Up to five lists or tuples of ranks: short ones, and some as long as what is kept."""
    lengths = [rng.choice((range(6), range(78, 84))[n % 2]) for n in range(rng.randrange(1, 6))]
    usual, special = range(1, 20_000), (9_996, 9_997, 2**70)
    ranks = ([rng.choice(rng.choice((usual, special))) for _ in range(n)] for n in lengths)
    return [rng.choice((list, tuple))(review) for review in ranks]


def test_lists_of_any_length_are_encoded_as_keras_does():
    rng = random.Random(0)
    for _ in range(100):
        reviews = some_reviews(rng)
        expected = by_keras([[min(r, 10_000) for r in row] for row in reviews])
        x = common.encode(iter(reviews))  # one after the other, whatever gives them
        np.testing.assert_array_equal(x, expected)


def test_a_file_as_large_as_imdb_is_read(tmp_path):
    """25,000 reviews of 240 words, a member of some 18 MB: the bounds are not for the real file."""
    x = objects(*(list(range(n, n + 240)) for n in range(1, 25_001)))
    y = np.arange(25_000) % 2
    (ids, labels), _ = common.read_npz(write_npz(tmp_path / "large.npz", x_train=x, y_train=y))
    assert ids.shape == (25_000, 80) and labels.sum() == 12_500


def test_reviews_of_one_length_are_read_from_the_table_that_numpy_makes_of_them(tmp_path):
    x = np.array([[1, 2, 3], [4, 5, 6]], dtype=object)  # [2, 3]
    (ids, _), _ = common.read_npz(write_npz(tmp_path / "x.npz", x_train=x, y_train=[0, 1]))
    assert sorted(ids[:, -4:].tolist()) == [[1, 4, 5, 6], [1, 7, 8, 9]]


@needs_imdb
def test_facts_of_the_real_data():
    (x, y), (x_test, y_test) = common.read_npz(IMDB_NPZ)
    for ids, digest in (
        (x, "854e6ce28761a639f47bcb7e671ea4ede29751551e7f5da23beb5c4cb099e7bb"),
        (x_test, "9c0641e310ad0c4267a8604b3cc5bb4b439f50ca2d9980a65d7baf0b59f2d704"),
    ):
        assert hashlib.sha256(ids.astype("<i4").tobytes()).hexdigest() == digest
        # a review of more than 80 tokens has neither padding nor its start token left
        assert round(100 * (~np.isin(ids[:, 0], (0, 1))).mean()) == 92
    assert y[:10].tolist() == [1, 0, 0, 1, 0, 0, 1, 0, 1, 0]
    assert y_test[:10].tolist() == [0, 1, 1, 0, 1, 1, 1, 0, 0, 1]
    assert y.sum() == y_test.sum() == 12_500


@pytest.mark.parametrize("dtype", [bool, np.uint8, float])
@pytest.mark.parametrize("shape", [(30,), (30, 1)])
def test_labels_of_other_kinds_are_labels(tmp_path, dtype, shape):
    """What pandas and NumPy make of a column of zeros and ones."""
    y = (np.arange(30) < 15).astype(dtype).reshape(shape)
    expected = common.read_npz(write_npz(tmp_path / "plain.npz"))
    for ours, plain in zip(common.read_npz(write_npz(tmp_path / "o.npz", y_train=y)), expected):
        assert ours[1].dtype == np.int64
        np.testing.assert_equal(ours, plain)


# ----------------------------------------------------------------------------- untrusted files
BAD = {  # what is wrong: the members that are so, and what must be said
    "member missing": (dict(y_test=None), "y_test"),
    "unequal length": (dict(y_train=ONES[1:]), "30 reviews in x_train, y_train has (29,)"),
    "one-hot": (dict(y_train=np.eye(2)[ONES]), "30 reviews in x_train, y_train has (30, 2)"),
    "no reviews": (dict(x_train=objects(), y_train=ONES[:0]), "0 reviews of 80 words are none"),
    "too many": (
        dict(x_train=objects(*[[5]] * 10**6), y_train=np.ones(10**6, int)),
        "1000000 reviews of 80 words are none, or too many",
    ),
    "plain test": (dict(x_test=np.ones((20, 80), int)), "x_test is an array (20, 80)"),
    "plain array": (dict(x_train=np.ones((30, 80), int)), "array (30, 80) of int64, not of lists"),
    "two dimensions": (dict(x_train=objects(*range(30)).reshape(15, 2)), ""),
    "objects for labels": (dict(y_train=objects(*[1] * 30)), ""),
    "wrong header": (dict(x_train=b"\x93NUMPY\x01\x00\x10\x00{'descr': open}"), ""),
    "huge labels": (dict(y_train=npy((10**12,), b"\0" * 8, "<i8")), ""),
    "too large": (dict(y_test=bytes(common.MEMBER_BYTES + 1)), "a member of it is too large"),
}
for y in (
    ONES * 2,
    -ONES,
    ONES * 0.5,
    np.arange(30) // 29 * 2,  # one wrong label
    ONES * (1 + 0j),
    np.where(np.arange(30), 1.0, np.nan),
    ONES.astype("M8[s]"),
    np.array(["1"] * 30),
):
    words = f"y_train ({y.dtype}) has labels other than 0 and 1"
    BAD[f"labels {y.dtype} {y[-1]}"] = dict(y_train=y), words
for review in (
    *([1, -2], [1, 0], [1, 2.5], ["a"], [[1]], [np.int64(5)], [0, *range(1, 80)]),
    *(np.arange(1, 9), "a film"),
):
    BAD[f"review {review!r:.20}"] = dict(x_train=objects(*[review] * 30)), "lists of Python's int"


PAYLOADS = {  # behind a right header of 30 lists
    "header only": b"",
    "no pickle": b"hello",
    "a number": pickle.dumps(7),
    "a list": pickle.dumps([[1]] * 30),
    "system": b"cos\nsystem\n(S'true'\ntR.",
    "numpy's load": b"cnumpy\nload\n(S'x'\ntR.",
    "huge array": b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(L1000000\ntS'b'\ntR.",
}
for case, payload in PAYLOADS.items():
    words = {"system": "it holds os.system", "numpy's load": "it holds numpy.load"}.get(case, "")
    BAD[case] = dict(x_train=npy((30,), payload)), words


@pytest.mark.parametrize("case", BAD)
def test_a_bad_member_is_refused(tmp_path, case, capsys):
    members, words = BAD[case]
    refused(npz(tmp_path / "bad.npz", **members), words, capsys)


def test_an_error_without_words_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(common, "encode", lambda reviews: (_ for _ in ()).throw(MemoryError))
    refused(write_npz(tmp_path / "good.npz"), "MemoryError", capsys)


class Payload:
    """A pickle that creates a file when it is loaded without care."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.mark.parametrize("member, n", [("x_train", 30), ("x_test", 20), ("y_train", 30)])
def test_a_pickled_payload_is_refused_and_not_executed(tmp_path, member, n, capsys):
    trace = tmp_path / "executed"
    path = write_npz(tmp_path / "evil.npz", **{member: objects(*[Payload(trace)] * n)})
    refused(path, "", capsys)
    assert not trace.exists()
    np.load(path, allow_pickle=True)[member]
    assert trace.exists()  # so the payload was a real one


@pytest.mark.parametrize("protocol", range(6))
def test_every_pickle_protocol_is_read(tmp_path, protocol):
    """NumPy before 1.17 wrote protocol 2, with _codecs.encode; NumPy before 2 has no _core."""
    good = write_npz(tmp_path / "good.npz")
    x = np.load(good, allow_pickle=True)["x_train"]
    payload = pickle.dumps(x, protocol=protocol)
    if protocol < 4:  # in which a name has no length
        payload = payload.replace(b"numpy._core.", b"numpy.core.")
    path = npz(tmp_path / "old.npz", x_train=npy((30,), payload))
    np.testing.assert_equal(common.read_npz(path), common.read_npz(good))


def test_damaged_files_end_in_an_error_or_in_checked_arrays(tmp_path, capsys):
    """Cut short, or with flipped bits: in the zip, or in the pickle with a right check sum."""
    good, rng, count = write_npz(tmp_path / "good.npz"), random.Random(0), 0
    member = zipfile.ZipFile(good).read("x_train.npy")
    for n in range(60):
        data = bytearray((good.read_bytes(), member)[n % 2])
        for _ in range(1 + n % 3):
            data[rng.randrange(128, len(data))] ^= 1 << rng.randrange(8)
        path = tmp_path / "bad.npz"
        if n % 2:
            npz(path, x_train=bytes(data))
        else:
            path.write_bytes(data[: rng.randrange(len(data))] if n % 4 else data)
        try:
            splits = common.read_npz(path)
        except SystemExit:
            count += 1
            (line,) = capsys.readouterr().err.splitlines()
            assert line.startswith(f"error: cannot read {path}: ")
            continue
        for x, y in splits:
            assert x.shape == (len(y), 80) and x.dtype == np.int32
            assert x.min() >= 0 and x.max() < common.TOTAL_WORDS and set(y) <= {0, 1}
    assert count > 20 and len(list(tmp_path.iterdir())) == 2


# --------------------------------------------------------------------------------------- toy
def test_the_toy_is_the_one_that_all_published_scores_are_of():
    """Each review says what its label says; least squares on word counts get 72 % right."""
    texts, labels, index = common.toy_reviews()
    lines = "\n".join(f"{label} {text}" for text, label in zip(texts, labels))
    assert hashlib.sha256(lines.encode()).hexdigest().startswith("b7220c2eb1c3")
    # test_words.py asks for its words, by their digest
    (x, y), (x_test, y_test) = common.load_toy()
    assert (len(x), len(x_test)) == (25_000, 2_000)
    np.testing.assert_array_equal(np.concatenate([y, y_test]), labels)
    for ids, some in (x[-50:], texts[24_950:25_000]), (x_test, texts[25_000:]):
        ranks = [[index[word] for word in text.split()] for text in some]
        np.testing.assert_array_equal(ids, by_keras(ranks))
    with pytest.raises(TypeError):  # they are made once: no experiment reaches the next run
        labels[0] = 1 - labels[0]


# --------------------------------------------------------------------------------- pipelines
def pipeline(seed, n=300):
    x = np.repeat(np.arange(n, dtype=np.int32)[:, None], 80, axis=1)
    return common.make_datasets((x, np.arange(n) % 2), (x, np.arange(n) % 2), 64, seed)


def epoch(dataset):
    batches = [(x.numpy(), y.numpy()) for x, y in dataset]
    assert all((y == x[:, 0] % 2).all() for x, y in batches)
    return [len(y) for _, y in batches], np.concatenate([x[:, 0] for x, _ in batches]).tolist()


def test_an_epoch_sees_each_review_once_in_a_new_order_the_same_for_a_seed():
    train, _ = pipeline(seed=0)
    (sizes, first), (_, second) = epoch(train), epoch(train)
    assert sizes == [64, 64, 64, 64, 44]  # the last batch is smaller and is kept
    assert sorted(first) == sorted(second) == list(range(300))
    assert first != second and first != list(range(300))
    again, _ = pipeline(seed=0)
    assert (epoch(again)[1], epoch(again)[1]) == (first, second)
    assert epoch(pipeline(seed=1)[0])[1] != first
    assert max(first[:64]) > 250  # over the whole length: what comes last can come first
    x, _ = next(iter(pipeline(seed=0, n=9_000)[0]))
    assert np.max(x) > 8_000


def test_the_test_set_comes_in_order_and_whole_and_no_thread_delays_its_end():
    _, test = pipeline(seed=0, n=2_300)
    assert epoch(test) == ([1_000, 1_000, 300], list(range(2_300)))
    assert all(split.options().autotune.enabled is False for split in pipeline(seed=0))


def test_only_the_warning_about_shuffling_is_held_back():
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        pipeline(seed=0)
        for text in "`shuffle=True` was passed, but ignored", "a learner's own":
            warnings.warn(text, stacklevel=2)
    assert [str(warning.message) for warning in shown] == ["a learner's own"]
