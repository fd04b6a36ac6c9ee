"""Reviews as arrays: the reader of files, the encoding, the toy and the pipelines."""

import contextlib
import hashlib
import io
import pickle
import re
import sys
import zipfile
from pathlib import Path

import common
import keras
import numpy as np
import pytest
from conftest import needs_imdb, write_npz

MAX_REVIEW_LEN = common.MAX_REVIEW_LEN


def keras_arrays(path, monkeypatch):
    """What Keras's own loader and pad_sequences make of the members of an npz."""
    with np.load(path, allow_pickle=True) as file:
        members = {name: file[name] for name in file.files}

    class Archive(dict):
        __enter__ = dict.copy

        def __exit__(self, *error):
            pass

    module = sys.modules[keras.datasets.imdb.load_data.__module__]
    monkeypatch.setattr(module, "get_file", lambda *args, **kwargs: str(path), raising=True)
    for loader in (np, np.lib.npyio):
        monkeypatch.setattr(loader, "load", lambda *args, **kwargs: Archive(members), raising=False)
    splits = keras.datasets.imdb.load_data(num_words=common.TOTAL_WORDS)
    monkeypatch.undo()
    return [(keras.utils.pad_sequences(x, MAX_REVIEW_LEN), y) for x, y in splits]


@pytest.mark.smoke
def test_npz_gives_the_arrays_keras_gives(tmp_path, monkeypatch):
    path = write_npz(tmp_path / "small.npz")
    for (x, y), (keras_x, keras_y) in zip(common.read_npz(path), keras_arrays(path, monkeypatch)):
        assert x.dtype == np.int32 and x.shape[1] == MAX_REVIEW_LEN
        np.testing.assert_array_equal(x, keras_x)
        np.testing.assert_array_equal(y, keras_y)


def test_a_file_as_large_as_imdb_is_read(tmp_path):
    """25,000 reviews of 240 words, a member of some 18 MB: the bounds are not for the real file."""
    x, y = np.empty(25_000, dtype=object), np.arange(25_000) % 2
    x[:] = [list(range(n, n + 240)) for n in range(1, 25_001)]
    (ids, labels), _ = common.read_npz(write_npz(tmp_path / "large.npz", x_train=x, y_train=y))
    assert ids.shape == (25_000, 80) and labels.sum() == 12_500


@needs_imdb
def test_facts_of_the_real_data(imdb):
    (x, y), (x_test, y_test) = imdb
    for ids, total, digest in (
        (x, 1_327_445_289, "854e6ce28761a639f47bcb7e671ea4ede29751551e7f5da23beb5c4cb099e7bb"),
        (x_test, 1_298_334_561, "9c0641e310ad0c4267a8604b3cc5bb4b439f50ca2d9980a65d7baf0b59f2d704"),
    ):
        assert ids.shape == (25_000, 80) and ids.sum(dtype=np.int64) == total
        assert hashlib.sha256(ids.astype("<i4").tobytes()).hexdigest() == digest
        # a review of more than 80 tokens has neither padding nor its start token left
        cut = ~np.isin(ids[:, 0], (common.PAD, common.START))
        assert round(100 * cut.mean()) == 92
    assert y[:10].tolist() == [1, 0, 0, 1, 0, 0, 1, 0, 1, 0]
    assert y_test[:10].tolist() == [0, 1, 1, 0, 1, 1, 1, 0, 0, 1]
    assert y.sum() == y_test.sum() == 12_500


def test_short_and_long_reviews_are_padded_and_cut_in_front():
    long = list(range(1, 101))
    x = common.encode([[5, 6], long, [9_996, 9_997], [], list(range(1, 81)), long[:79]])
    assert x[0].tolist() == [0] * 77 + [1, 8, 9]
    assert x[1].tolist() == [rank + 3 for rank in long[-80:]]
    assert x[2, -2:].tolist() == [9_999, 2]
    assert x[3].tolist() == [0] * 79 + [1]
    assert x[4, 0] == 4 and x[5, 0] == 1
    assert common.encode([[2**40]])[0, -1] == 2  # as Keras: larger than the vocabulary, no more


# --------------------------------------------------------------------------- untrusted files


class Payload:
    """A pickle that creates a file when it is loaded without care."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def objects(*items):
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return array


def bad_members():
    ones = np.ones(30, np.int64)
    return {
        "member missing": dict(y_test=None),
        "unequal length": dict(y_train=np.ones(29, np.int64)),
        "label 2": dict(y_train=ones * 2),
        "one wrong label": dict(y_train=np.arange(30) // 29 * 2),
        "label nan": dict(y_train=np.where(np.arange(30), 1.0, np.nan)),
        "label object": dict(y_train=objects(*[1] * 30)),
        "label date": dict(y_train=ones.astype("M8[s]")),
        "label complex": dict(y_train=ones * (1 + 0j)),
        "label text": dict(y_train=np.array(["1"] * 30)),
        "label float": dict(y_train=ones * 0.5),
        "label minus": dict(y_train=-ones),
        "label one-hot": dict(y_train=np.eye(2)[ones]),
        "negative id": dict(x_train=objects(*[[1, -2]] * 30)),
        "float id": dict(x_train=objects(*[[1, 2.5]] * 30)),
        "text id": dict(x_train=objects(*[["a"]] * 30)),
        "huge id": dict(x_train=objects(*[[2**70]] * 30)),
        "zero id": dict(x_train=objects(*[[1, 0]] * 30)),
        "numpy id": dict(x_train=objects(*[[np.int64(5)]] * 30)),
        "rows of arrays": dict(x_train=objects(*[np.arange(1, n) for n in range(5, 35)])),
        "texts": dict(x_train=objects(*["a good film"] * 30)),
        "no list": dict(x_train=objects(*[7] * 30)),
        "nested list": dict(x_train=objects(*[[[1]]] * 30)),
        "plain array": dict(x_train=np.ones((30, 80), np.int64)),
        "two dimensions": dict(x_train=objects(*range(30)).reshape(15, 2)),
        "no reviews": dict(x_train=objects(), y_train=ones[:0]),
    }


WHAT_TO_DO = {
    "label text": "y_train (<U1) has labels other than 0 and 1",
    "label complex": "y_train (complex128) has labels other than 0 and 1",
    "one wrong label": "y_train (int64) has labels other than 0 and 1",
    "label one-hot": "30 reviews in x_train, y_train has (30, 2)",
    "numpy id": "save lists of Python's int",
    "rows of arrays": "save lists of Python's int",
    "texts": "save lists of Python's int",
    "plain array": "is an array (30, 80) of int64, not of lists",
    "member missing": "y_test",
}


def refusal(path):
    """The one line in which read_npz ends the run on a file."""
    with contextlib.redirect_stderr(io.StringIO()) as err, pytest.raises(SystemExit) as end:
        common.read_npz(path)
    (line,) = err.getvalue().splitlines()
    assert end.value.code == 1 and line.startswith(f"error: cannot read {path}: ")
    return line


@pytest.mark.parametrize("case", bad_members())
def test_a_bad_member_is_refused(tmp_path, case):
    path = write_npz(tmp_path / "bad.npz", **bad_members()[case])
    assert WHAT_TO_DO.get(case, "") in refusal(path)


@pytest.mark.parametrize(
    "labels",
    [
        lambda y: y.astype(bool),
        lambda y: y.astype(np.uint8),
        lambda y: y * 1.0,
        lambda y: y[:, None],
    ],
    ids=["bool", "uint8", "float", "column"],
)
def test_labels_of_other_kinds_are_labels(tmp_path, labels):
    """What pandas and NumPy make of a column of zeros and ones."""
    y = (np.arange(30) < 15).astype(np.int64)
    expected = common.read_npz(write_npz(tmp_path / "plain.npz"))
    splits = common.read_npz(write_npz(tmp_path / "other.npz", y_train=labels(y)))
    for (x, y), (expected_x, expected_y) in zip(splits, expected):
        assert y.dtype == np.int64 and (y == expected_y).all() and (x == expected_x).all()


@pytest.mark.parametrize("protocol", range(6))
def test_every_pickle_protocol_is_read(tmp_path, protocol):
    """NumPy before 1.17 wrote protocol 2, which names _codecs.encode."""
    good = write_npz(tmp_path / "good.npz")
    with np.load(good, allow_pickle=True) as file:
        content = npy((30,), pickle.dumps(file["x_train"], protocol=protocol))
    path = with_member(good, tmp_path / "old.npz", "x_train.npy", content)
    for split, expected in zip(common.read_npz(path), common.read_npz(good)):
        np.testing.assert_array_equal(split[0], expected[0])


def test_rows_may_be_tuples_and_true_is_one():
    x = common.encode([(5, 1), [5, 1], [5, True]])  # as Keras, which adds 3 to each
    assert (x == x[0]).all()


@pytest.mark.parametrize("member", ["x_train", "x_test", "y_train"])
def test_a_pickled_payload_is_refused_and_not_executed(tmp_path, member):
    trace = tmp_path / "executed"
    n = 20 if member == "x_test" else 30
    path = write_npz(tmp_path / "evil.npz", **{member: objects(*[Payload(trace)] * n)})
    refusal(path)
    assert not trace.exists()
    with np.load(path, allow_pickle=True) as file:
        file[member]
    assert trace.exists()  # so the payload was a real one


def with_member(source, target, name, data):
    """Copy a zip, one member's bytes replaced."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            new.writestr(info.filename, data if info.filename == name else old.read(info))
    return target


def npy(shape, payload, descr="|O"):
    file = io.BytesIO()
    header = {"descr": descr, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue() + payload


def broken_files(folder):
    """Some sixty hostile or damaged files, the same in every run."""
    good = write_npz(folder / "good.npz")
    data = good.read_bytes()
    rng = np.random.RandomState(0)
    for n in range(12):
        path = folder / f"cut{n}.npz"
        path.write_bytes(data[: rng.randint(len(data))])
        yield path
    for n in range(24):
        flipped = bytearray(data)
        for _ in range(1 + n % 3):
            flipped[rng.randint(len(data))] ^= 1 << rng.randint(8)
        path = folder / f"flip{n}.npz"
        path.write_bytes(flipped)
        yield path
    with zipfile.ZipFile(good) as archive:
        member = archive.read("x_train.npy")
    for n in range(20):  # inside the pickle, with a checksum that is right
        flipped = bytearray(member)
        flipped[rng.randint(128, len(member))] ^= 1 << rng.randint(8)
        yield with_member(good, folder / f"pickle{n}.npz", "x_train.npy", bytes(flipped))
    handmade = {
        "empty": b"",
        "header only": npy((30,), b""),
        "no pickle": npy((30,), b"hello"),
        "a number": npy((30,), pickle.dumps(7)),
        "a list": npy((30,), pickle.dumps([[1]] * 30)),
        "system": npy((30,), b"cos\nsystem\n(S'true'\ntR."),
        "numpy's load": npy((30,), b"cnumpy\nload\n(S'x'\ntR."),
        "huge array": npy((30,), b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n"
                                 b"(L10000000000L\ntS'b'\ntR."),
        "bomb": npy((30,), b"\x00" * (80 << 20)),
        "wrong header": b"\x93NUMPY\x01\x00\x10\x00{'descr': open}",
    }  # fmt: skip
    for n, content in enumerate(handmade.values()):
        yield with_member(good, folder / f"hand{n}.npz", "x_train.npy", content)
    yield with_member(good, folder / "labels.npz", "y_train.npy", npy((10**12,), b"\0" * 8, "<i8"))


def test_a_member_that_claims_too_much_is_not_unpacked(tmp_path):
    good = write_npz(tmp_path / "good.npz")
    bomb = with_member(good, tmp_path / "bomb.npz", "y_test.npy", bytes(common.MEMBER_BYTES + 1))
    assert "too large" in refusal(bomb)


def test_a_member_packed_otherwise_is_not_unpacked(tmp_path):
    """A bz2 member may hold more than it says."""
    with zipfile.ZipFile(tmp_path / "bz2.npz", "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("x_train.npy", b"x")
    refusal(tmp_path / "bz2.npz")


def test_one_list_named_a_million_times_is_refused(tmp_path):
    reviews = [[5] * 80] * 1_000_000  # a pickle of some megabytes
    array = np.empty(len(reviews), dtype=object)
    array[:] = [reviews[0]] * 0 or reviews
    path = write_npz(tmp_path / "many.npz", x_train=array, y_train=np.ones(len(reviews), int))
    assert "1000000 reviews in x_train" in refusal(path)


def test_an_error_without_words_is_named(tmp_path, monkeypatch):
    def fails(*args, **kwargs):
        raise MemoryError

    monkeypatch.setattr(common, "encode", fails)
    assert "MemoryError" in refusal(write_npz(tmp_path / "good.npz"))


def test_hostile_files_end_in_an_error_or_in_checked_arrays(tmp_path, capsys):
    count = refused = 0
    peak = Path("/proc/self/clear_refs")
    with contextlib.suppress(OSError):  # not on Linux
        peak.write_text("5")  # forget the peak of what ran before
    for path in broken_files(tmp_path):
        count += 1
        try:
            splits = common.read_npz(path)
        except SystemExit:
            refused += 1
            (line,) = capsys.readouterr().err.splitlines()
            assert line.startswith(f"error: cannot read {path}: ")
            continue
        for x, y in splits:
            assert x.shape == (len(y), MAX_REVIEW_LEN) and x.dtype == np.int32
            assert x.min() >= 0 and x.max() < common.TOTAL_WORDS and set(y) <= {0, 1}
    assert count > 50 and refused > count // 2
    if peak.exists():
        kib = dict(re.findall(r"(VmHWM|VmRSS):\s+(\d+) kB", Path("/proc/self/status").read_text()))
        # what one member may take, as bytes, as a pickle's items and as arrays
        assert int(kib["VmHWM"]) - int(kib["VmRSS"]) < 6 * common.MEMBER_BYTES >> 10
    assert sorted(p.name for p in tmp_path.iterdir() if p.suffix != ".npz") == []


# --------------------------------------------------------------------------------------- toy


def test_toy_reviews_are_all_different_and_the_same_each_time():
    texts, labels, index = common.toy_reviews()
    assert len(set(texts)) == len(texts) == common.TOY_TRAIN + common.TOY_TEST
    again, again_labels, again_index = common.toy_reviews.__wrapped__()
    assert texts == again and (labels == again_labels).all() and index == again_index
    assert sorted(index.values()) == list(range(1, len(index) + 1))
    assert 0.45 < labels.mean() < 0.55
    negated = np.mean([" not " in text for text in texts])
    assert round(negated, 2) == 0.38
    # scores on the toy can be compared only as long as it is the same toy
    digest = hashlib.sha256(
        "\n".join(f"{label} {text}" for text, label in zip(texts, labels)).encode()
    )
    assert digest.hexdigest().startswith("b7220c2eb1c3")


@pytest.mark.parametrize(
    "opinion, label",
    [
        ("was dull", 0),
        ("was really lovely", 1),
        ("was not dull", 1),
        ("was not so good", 0),
        ("was good not bad", 1),
        ("was bad not good", 0),
    ],
)
def test_an_opinion_of_the_toy_has_its_label(opinion, label):
    texts, labels, _ = common.toy_reviews()
    found = {int(y) for text, y in zip(texts, labels) if f"{opinion} " in f"{text} "}
    assert found == {label}


def test_every_toy_review_says_what_its_label_says():
    """A second reader of the opinions, which knows good words from bad ones and "not"."""
    good = set("good great lovely brilliant moving clever".split())
    bad = set("bad awful dull boring terrible weak".split())
    for text, label in zip(*common.toy_reviews()[:2]):
        words = [word for word in text.split() if word in good | bad | {"not"}]
        assert (words[0] in good) == label if words[0] != "not" else (words[1] in bad) == label
        assert len(words) in (1, 2, 3)


def test_the_toy_is_split_in_two_parts_in_its_order():
    texts, labels, index = common.toy_reviews()
    assert (common.TOY_TRAIN, common.TOY_TEST) == (25_000, 2_000)
    (x, y), (x_test, y_test) = common.load_toy()
    assert x.shape == (common.TOY_TRAIN, MAX_REVIEW_LEN) and x_test.shape == (
        common.TOY_TEST,
        MAX_REVIEW_LEN,
    )
    assert (np.concatenate([y, y_test]) == labels).all()
    for ids, text in (x[0], texts[0]), (x[-1], texts[24_999]), (x_test[0], texts[25_000]):
        ranks = [index[word] for word in text.split()]
        assert ids[-len(ranks) - 1 :].tolist() == [1, *(rank + 3 for rank in ranks)]
    assert len({len(text.split()) for text in texts}) > 5
    assert ((x == common.START).sum(axis=1) == 1).all() and not (x == common.OOV).any()


def test_a_bag_of_words_stays_clearly_below_the_bar_of_the_toy():
    """Least squares on word counts, fitted on the test reviews too: an honest one gets less."""
    splits = common.load_toy()
    ids, labels = (np.concatenate(parts) for parts in zip(*splits))
    counts = np.zeros((len(ids), ids.max() + 1))
    np.add.at(counts, (np.arange(len(ids))[:, None], ids), 1)
    weights = np.linalg.lstsq(counts, labels - 0.5, rcond=None)[0]
    accuracy = np.mean((counts @ weights > 0) == labels)
    assert 0.6 < accuracy < 0.8, accuracy


# ------------------------------------------------------------------------- text and pipelines


def test_a_word_out_of_the_vocabulary_is_two():
    index = {"good": 1, "rare": common.TOTAL_WORDS - 3}
    words = ["good", "rare", "xyzzy"]
    (x,) = common.encode([[index.get(word, common.TOTAL_WORDS) for word in words]])
    assert x[-4:].tolist() == [1, 4, 2, 2]


def pipeline(seed, n=300, batch_size=64):
    x = np.repeat(np.arange(n, dtype=np.int32)[:, None], MAX_REVIEW_LEN, axis=1)
    y = np.arange(n) % 2
    return common.make_datasets((x, y), (x, y), batch_size, seed)


def epoch(dataset):
    batches = [(x.numpy(), y.numpy()) for x, y in dataset]
    return [len(y) for _, y in batches], np.concatenate([x[:, 0] for x, _ in batches])


def test_an_epoch_sees_each_review_once_in_a_new_order_the_same_for_a_seed():
    train, _ = pipeline(seed=0)
    (sizes, first), (_, second) = epoch(train), epoch(train)
    assert sizes == [64, 64, 64, 64, 44]  # the last batch is smaller and is kept
    assert sorted(first) == sorted(second) == list(range(300))
    assert (first != second).any() and (first != np.arange(300)).any()
    again, _ = pipeline(seed=0)
    assert (epoch(again)[1] == first).all() and (epoch(again)[1] == second).all()
    other, _ = pipeline(seed=1)
    assert (epoch(other)[1] != first).any()
    # shuffled over the whole length: what comes last can come first
    assert max(first[:64]) > 250


def test_the_test_set_comes_in_order_and_whole():
    _, test = pipeline(seed=0, n=2_300)
    sizes, ids = epoch(test)
    assert sizes == [1_000, 1_000, 300] and (ids == np.arange(2_300)).all()


def test_no_thread_of_tf_data_delays_the_end_of_a_pass():
    assert all(split.options().autotune.enabled is False for split in pipeline(seed=0))
