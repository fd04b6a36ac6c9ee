"""What the four scripts share and what is not the lesson: no model lives here."""

import argparse
import array
import contextlib
import csv
import gc
import hashlib
import json
import os
import pickle
import random
import re
import shutil
import sys
import time
import unicodedata
import warnings
import zipfile
from collections import Counter
from functools import cache, partial
from multiprocessing.pool import ThreadPool
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import urlopen

KERAS_HOME = os.environ.get("KERAS_HOME") or os.path.join(os.path.expanduser("~"), ".keras")
# Your keras.json could change the networks or end `import keras`: only another home keeps it out.
os.environ.update(KERAS_BACKEND="tensorflow", KERAS_HOME=os.devnull)
cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
if len(cores) <= 2:  # to share the small product of a time step costs two cores more than it saves
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")  # of a GPU take only what is needed
os.environ.setdefault("TF_DETERMINISTIC_OPS", "1")  # one seed, one result, on a GPU too
gc.set_threshold(1_000_000)  # to look for garbage while TensorFlow loads and traces takes 0.8 s
# While it loads, TensorFlow writes to descriptor 2 what looks like errors, some whatever the level.
stderr = os.open(os.devnull, os.O_WRONLY)
with contextlib.suppress(OSError):  # 2 may be closed
    stderr = os.dup(2)
if os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2") in ("2", "3"):  # 0 and 1 show all
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
try:
    import h5py
    import keras
    import numpy as np
    import tensorflow as tf

    tf.config.list_physical_devices("GPU")  # here, for it writes such lines too
    gc.freeze()  # the garbage of a run is looked for without looking through TensorFlow
except KeyboardInterrupt:
    sys.exit(130)
finally:
    os.environ["KERAS_HOME"] = KERAS_HOME
    os.dup2(stderr, 2)

TOTAL_WORDS = 10_000  # ids 0 .. 9999: three special ones, 3 is unused, the frequent words from 4
MAX_REVIEW_LEN = 80  # tokens kept of a review: the last 80, as pad_sequences does
EMBEDDING_LEN = 100  # length of a word vector
PAD, START, OOV, INDEX_FROM = 0, 1, 2, 3  # a word of rank r (1: the most frequent) has id r + 3
TEST_BATCH = 1_000  # larger than in training: no gradients to keep, and fewer calls
IMDB_TRAIN, TOY_TRAIN, TOY_TEST = 25_000, 25_000, 2_000
# verbose of fit(): 1 draws a bar, 2 writes a line for each epoch
BAR = 1 if "ipykernel" in sys.modules or (sys.stdout and sys.stdout.isatty()) else 2
ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
DIGESTS = {"imdb.npz": "69664113be75683a", "imdb_word_index.json": "027313fe9a320280"}  # sha256
# sha256 of the ranks of IMDB's reviews, whatever file they are in, and of the toy's words
VOCABULARIES = {"7759147de39893cd": "imdb", "8f22efd4207605b3": "toy"}
NETWORK_SECONDS = 10  # for the first answer, and again for any one silence after it
MEMBER_BYTES = 64 << 20  # a member of imdb.npz has 14 MB; a zip bomb may claim anything
NVIDIA = "/dev/nvidia0", "/usr/lib/wsl/lib/libcuda.so.1"  # the driver of a GPU: Linux, WSL2
# What --log writes: nothing but numbers, from epoch 1 on (that of Keras's CSVLogger has a 0)
LOG = re.compile(rb"epoch,.*\baccuracy\b.*\n(?:[1-9][-+.,\deinfa \[\]]*\r?\n)+")
NO_GPU = 'TensorFlow sees no GPU (pip install "tensorflow[and-cuda]"; TF_CPP_MIN_LOG_LEVEL=0 tells)'

# What tokenize() makes of signs: Unicode's punctuation (none above U+1FFFF) but ', ASCII's symbols
# and what has no width are blanks; a full-width form is the ASCII sign that it stands for.
SIGNS = [c for c in map(chr, range(0x20000)) if unicodedata.category(c).startswith("P")]
SIGNS = dict.fromkeys(map(ord, [*SIGNS, *"$+<=>^`|~\u200b\ufeff"]), " ") | {0x27: "'", 0x2019: "'"}
SIGNS |= {code: SIGNS.get(code - 0xFEE0, chr(code - 0xFEE0)) for code in range(0xFF01, 0xFF5F)}
# A word of its own wherever it stands: a 字; an emoji with its style, frame, skin or region.
MORE = "[\ufe0e\ufe0f\u20e3\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]"
PICTURE = "[\u231a-\u2328\u232b-\u23ff\u2600-\u2767\u2776-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff]"
PICTURE = f"(?:{PICTURE}|[#*0-9\xa9-\u3299](?={MORE})){MORE}*"
FLAG, CHARACTER = "[\U0001f1e6-\U0001f1ff]{2}", "[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"
ALONE = re.compile(f"({CHARACTER}|{FLAG}|{PICTURE}(?:\u200d{PICTURE})*)")


def fail(message, status=1):
    """End the run: one line on stderr, without control characters and without a traceback."""
    message = "".join(c if c.isprintable() else " " for c in str(message))
    print("error:", " ".join(message.split())[:600], file=sys.stderr)
    raise SystemExit(status)


def reason(error):
    """Return what the system says, and what helps where a network drive has no locks."""
    locks = "unable to lock file" in str(error)
    return f"{error}{'; set HDF5_USE_FILE_LOCKING=FALSE' if locks else ''}"


def number(kind, low, high, text):
    """Turn the text of a flag into an int or a float (kind), from low to high."""
    with contextlib.suppress(ValueError):
        if low <= kind(text) <= high:
            return kind(text)
    raise argparse.ArgumentTypeError(f"must be {kind.__name__}, from {low} to {high}, not {text!r}")


def output(ending, text):
    """Turn the text of a flag into the path of a file that can be written."""
    path = os.path.expanduser(text)
    folder = os.path.dirname(os.path.realpath(path)) + os.sep  # or a file would pass for one
    free = not os.path.exists(path) or os.path.isfile(path) and os.access(path, os.R_OK | os.W_OK)
    if not (free and os.access(folder, os.W_OK) and text.endswith(ending)):
        raise argparse.ArgumentTypeError(f"cannot write {text}, or it does not end in {ending}")
    return path


def saved_weights(text):
    """Turn the text of a flag into the path of weights that are there."""
    path = os.path.expanduser(text)
    if not (os.path.isfile(path) and path.endswith(".weights.h5")):
        raise argparse.ArgumentTypeError(f"{text}: no such file, or it does not end in .weights.h5")
    return path


def own_file(ending, text):
    """Do as output() for a log or weights: a file that is there must be a script's, or empty."""
    path = output(ending, text)
    if os.path.exists(path):
        with open(path, "rb") as file:
            content = file.read(MEMBER_BYTES)
        own = not content or LOG.fullmatch(content)
        with contextlib.suppress(Exception), h5py.File(path) as weights:  # raises whatever is in it
            own = "parameters" in weights.attrs
        if not own:
            raise argparse.ArgumentTypeError(f"{text} is there, and no script has written it")
    with contextlib.suppress(OSError):
        for left in Path(path).resolve().parent.glob(f"unfinished-{os.path.basename(path)}-*"):
            if time.time() - left.stat().st_mtime > 600:  # what a run is writing is younger
                print(f"warning: {left} is left of a run that was killed", file=sys.stderr)
    return path


def parse_args(script, argv=None, **defaults):
    """Read the command line, set device and seed -> the flags, and script: its name without .py.

    defaults: those that this script has of its own, such as unroll=True.
    """
    os.environ["COLUMNS"] = str(max(40, shutil.get_terminal_size().columns))  # for summary()
    more = "More about each flag: docs/reference.md. 中文: docs/zh-CN/reference.md"
    parser = argparse.ArgumentParser(prog=Path(script).name, epilog=more)
    add, shown = parser.add_argument, "default: %(default)s"
    add("--data", type=os.path.expanduser, default="auto", help="imdb, toy, auto or an npz file")
    add("--subset", type=partial(number, int, 1, 10**6), help="only so many reviews of each split")
    add("--epochs", type=partial(number, int, 1, 10_000), default=4, help=shown)
    add("--batch-size", type=partial(number, int, 1, 10_000), default=128, help=shown)
    add("--units", type=partial(number, int, 1, 2_048), default=64, help=shown)
    add("--learning-rate", type=partial(number, float, 1e-9, 10), default=0.001, help=shown)
    add("--clipnorm", type=partial(number, float, 0, 1e6), default=0.25, help=shown)
    add("--unroll", action="store_true", help="a graph of 80 steps, no loop")
    add("--seed", type=partial(number, int, 0, 2**32 - 1), default=0, help=shown)
    add("--device", choices=("auto", "cpu", "gpu"), default="auto", help=shown)
    add("--save", type=partial(own_file, ".weights.h5"), metavar="FILE", help="weights, each epoch")
    add("--log", type=partial(own_file, ".csv"), metavar="FILE", help="scores of each epoch")
    add("--load", type=saved_weights, metavar="FILE", help="use what --save wrote")
    add("--review", action="append", default=[], metavar="TEXT", help="read TEXT word by word")
    parser.set_defaults(**defaults)
    args = parser.parse_args(argv, argparse.Namespace(script=Path(script).stem))
    if args.data not in ("auto", "imdb", "toy") and not args.data.endswith(".npz"):
        parser.error(f"--data {args.data}: not auto, imdb, toy or an .npz (see docs/data.md)")
    if args.load and (args.save or args.log):
        parser.error("--load does not train: there is nothing to --save or --log")
    if any(map(os.path.isfile, args.review)):
        parser.error("--review reads a text: docs/tools/predict.py reads a file of reviews")
    if not all(map(tokenize, args.review)):
        parser.error("--review: there is no word in it")
    try:
        if args.device == "cpu":
            tf.config.set_visible_devices([], "GPU")
    except RuntimeError:
        parser.error("--device cpu: this Python has used the GPU; restart the notebook's kernel")
    on_cpu = not tf.config.get_visible_devices("GPU")
    if args.device == "gpu" and on_cpu:
        parser.error(f"--device gpu: {NO_GPU}")
    hidden = args.device == "cpu" or "CUDA_VISIBLE_DEVICES" in os.environ
    if on_cpu and not hidden and any(map(os.path.exists, NVIDIA)):
        print(f"warning: there is an NVIDIA driver, but {NO_GPU}", file=sys.stderr)
    # To improve an unrolled graph, thousands of operations, takes longer than it saves on a CPU.
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": args.unroll and on_cpu})
    policy = keras.config.dtype_policy()  # that of a notebook's cell; clear_session() undoes it
    keras.utils.clear_session()  # and the memory of what a notebook's earlier run has left
    keras.config.set_dtype_policy(policy)
    keras.utils.set_random_seed(args.seed)
    return args


def linear_decay(args, train):
    """Return a rate that falls in a straight line from --learning-rate to 0 after the last step."""
    # no faster than in two epochs of IMDB: in one it learns too little (73 %: docs/experiments.md)
    steps = max(args.epochs * len(train), 2 * IMDB_TRAIN // args.batch_size)
    return keras.optimizers.schedules.PolynomialDecay(args.learning_rate, steps, 0.0)


# --------------------------------------------------------------------------------------------- data
def digest(content):
    """Return what DIGESTS has of some bytes."""
    return hashlib.sha256(content).hexdigest()[:16]


def download(name):
    """Return the path of one of Keras's data files, downloaded if it is not there, or OSError."""
    path, url = os.path.join(KERAS_HOME, "datasets", name), ORIGIN + name
    if os.path.exists(path):
        return path
    try:
        with ThreadPool(1) as pool:  # urlopen's timeout does not bound the lookup of a name
            answer = pool.apply_async(urlopen, (url, None, NETWORK_SECONDS)).get(NETWORK_SECONDS)
        print(f"downloading {url} ({answer.headers['Content-Length']} bytes)", flush=True)
        content = answer.read(MEMBER_BYTES)  # at most
        if digest(content) != DIGESTS[name]:
            raise OSError("what came is not that file, or not all of it")
        write_atomically(path, lambda new: Path(new).write_bytes(content))
    except Exception as error:  # http.client has some of its own
        if not os.path.exists(path):  # else another run was first
            why = " ".join(str(error).split()) or f"no answer in {NETWORK_SECONDS} seconds"
            ways = "Other ways to the data: docs/data.md (中文: docs/zh-CN/data.md)"
            raise OSError(f"cannot download {url}: {why}. {ways}") from error
    return path


class ArrayOnly(pickle.Unpickler):
    """Unpickles an array of lists. Whatever else a pickle names is not looked up, nor executed."""

    NAMES = {("numpy", "ndarray"), ("numpy", "dtype")}
    NAMES |= {(f"numpy.{core}.multiarray", "_reconstruct") for core in ("core", "_core")}
    NAMES |= {("_codecs", "encode")}  # for bytes, in the oldest protocols

    def find_class(self, module, name):
        if (module, name) not in self.NAMES:
            raise ValueError(f"it holds {module}.{name}: save lists of Python's int")
        return super().find_class(module, name)


@contextlib.contextmanager
def open_npz(path):
    """Open an npz as a ZipFile; what is wrong with it or in it ends the run in one line."""
    try:
        with zipfile.ZipFile(path) as archive:
            if any(member.file_size > MEMBER_BYTES for member in archive.infolist()):
                raise ValueError("a member of it is too large")
            yield archive
    except Exception as error:  # a broken zip or pickle can raise nearly anything
        cached = path == os.path.join(KERAS_HOME, "datasets", "imdb.npz")
        again = "; delete it, and it will be downloaded" if cached else ""
        fail(f"cannot read {path}: {str(error) or repr(error)}{again}")


def read_lists(archive, split):
    """Read the reviews of train or test from an open npz: lists of ranks."""
    file = archive.open(f"x_{split}.npy")
    np.lib.format.read_magic(file)
    shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    if not dtype.hasobject:
        raise ValueError(f"x_{split} is an array {shape} of {dtype}, not of lists")
    return ArrayOnly(file).load().tolist()


def read_npz(path):
    """Read a file in the layout of imdb.npz -> (x_train, y_train), (x_test, y_test).

    x: [n, 80] int32, y: [n] int64, shuffled as Keras does (one RandomState(113)).
    """
    rng, splits = np.random.RandomState(113), []
    with open_npz(path) as archive:
        for split in ("train", "test"):
            reviews, y = read_lists(archive, split), np.load(archive.open(f"y_{split}.npy"))
            n = len(reviews)
            if y.shape not in {(n,), (n, 1)}:
                raise ValueError(f"{n} reviews in x_{split}, y_{split} has {y.shape}")
            if not 0 < n * MAX_REVIEW_LEN <= MEMBER_BYTES:
                raise ValueError(f"{n} reviews of {MAX_REVIEW_LEN} words are none, or too many")
            if y.dtype.kind not in "biuf" or not np.isin(y, (0, 1)).all():
                raise ValueError(f"y_{split} ({y.dtype}) has labels other than 0 and 1")
            order = rng.permutation(n)
            splits.append((encode(reviews)[order], y.reshape(-1)[order].astype(np.int64)))
    return splits


def encode(reviews):
    """Encode n lists of word ranks as keras.datasets.imdb does, the last 80 -> [n, 80] int32."""
    rows, beyond = [], TOTAL_WORDS - INDEX_FROM  # beyond: the first rank that has no id
    for review in reviews:
        ranks = review[-MAX_REVIEW_LEN:]
        if {*map(type, ranks)} - {int} or min(ranks, default=1) < 1:
            raise ValueError("a rank is not above 0, or no int: save lists of Python's int")
        rows.append([START, *(r + INDEX_FROM if r < beyond else OOV for r in ranks)])
    return keras.utils.pad_sequences(rows, MAX_REVIEW_LEN, value=PAD)


@cache
def toy_reviews():
    """Generate small reviews in which the order of words counts -> texts, labels, {word: rank}."""
    neutral = "i saw it at home|we watched it twice|it runs for two hours|my brother chose it|"
    neutral += "it is set in a town|they made it in france|he plays a doctor|it came out in spring"
    topics = "film movie story plot acting cast ending script".split()
    words = "bad awful dull boring terrible weak", "good great lovely brilliant moving clever"
    rng, reviews = random.Random(0), {}
    while len(reviews) < TOY_TRAIN + TOY_TEST:
        label = rng.randrange(2)
        own, other = (rng.choice(words[i].split()) for i in (label, 1 - label))
        very = rng.choice(("", "", "", "really ", "so ", "quite "))
        forms = f"{very}{own}", f"not {very}{other}", f"{own} not {other}"  # bad, not good
        opinion = f"the {rng.choice(topics)} was {rng.choices(forms, (70, 15, 15))[0]}"
        sentences = [opinion, *rng.sample(neutral.split("|"), rng.choice((1, 2)))]
        reviews[" ".join(rng.sample(sentences, len(sentences)))] = label
    counts = Counter(" ".join(reviews).split()).most_common()
    index = {word: rank for rank, (word, _) in enumerate(counts, start=1)}
    return tuple(reviews), tuple(reviews.values()), index


def load_toy():
    """Return the toy reviews as read_npz returns a file: (x_train, y_train), (x_test, y_test)."""
    texts, labels, index = toy_reviews()
    x, y = encode([index[word] for word in text.split()] for text in texts), np.array(labels)
    return (x[:TOY_TRAIN], y[:TOY_TRAIN]), (x[TOY_TRAIN:], y[TOY_TRAIN:])


def make_datasets(train, test, batch_size, seed):
    """Turn two pairs of arrays ([n, 80], [n]) into pipelines: batches of every review."""
    # Keras 3.15 warns that fit() will not shuffle a Dataset. This one shuffles itself.
    warnings.filterwarnings("ignore", message="`shuffle=True` was passed")
    options = tf.data.Options()
    options.autotune.enabled = False  # its thread can hold up the end of a pass for seconds
    train, test = (tf.data.Dataset.from_tensor_slices(split) for split in (train, test))
    # Shuffled anew each epoch: what take() and skip() of it hold out is trained on the next time.
    train = train.shuffle(len(train), seed=seed).batch(batch_size)
    return [split.prefetch(2).with_options(options) for split in (train, test.batch(TEST_BATCH))]


def load_datasets(args):
    """Load --data -> two tf.data pipelines of ([b, 80], [b]); what they are, for the record:
    a name, the id of the vocabulary (for --save) and {word: rank} (for --review), or None."""
    name = path = args.data
    try:
        if name in ("auto", "imdb"):
            name, path = "imdb", download("imdb.npz")
    except OSError as error:
        if name == "imdb":
            fail(error)
        toy = "Training on generated toy reviews: a score on them says nothing about IMDB"
        print(f"warning: {error}. {toy}", file=sys.stderr)
        name = "toy"
    splits = load_toy() if name == "toy" else read_npz(path)
    train, test = ((x[: args.subset], y[: args.subset]) for x, y in splits)
    print(f"data {os.path.basename(name)}: {len(train[1])} training, {len(test[1])} test reviews")
    words = read_vocabulary(name) if args.save or args.review else (None, None)
    index = load_word_index(name, words) if args.review else None
    data = os.path.basename(name), words[0], index
    return *make_datasets(train, test, args.batch_size, args.seed), data


def read_vocabulary(data):
    """Say which words the ids of data are -> imdb, toy or a digest; their JSON, or None."""
    if data in ("auto", "imdb"):
        return "imdb", None
    words = None
    if data == "toy":
        words = json.dumps(toy_reviews()[-1]).encode()
    else:
        with open_npz(data) as archive:
            if "words.json" in archive.namelist():
                words = archive.read("words.json")
            else:
                reviews = read_lists(archive, "train") + read_lists(archive, "test")
                ranks = b"".join(array.array("q", [len(review), *review]) for review in reviews)
    name = digest(ranks if words is None else words)
    return VOCABULARIES.get(name, name), words


def load_word_index(data, vocabulary=None):
    """Return {word: rank}: the toy's, that in an npz, or Keras's own for the reviews of IMDB."""
    name, words = vocabulary or read_vocabulary(data)
    path = Path(data).with_name("imdb_word_index.json")  # used if it is Keras's
    try:
        if name == "imdb":
            words = path.read_bytes() if path.is_file() else b""
            if digest(words) != DIGESTS[path.name]:
                path = Path(download(path.name))
                words = path.read_bytes()
            if digest(words) != DIGESTS[path.name]:
                raise ValueError(f"{path} is not Keras's: delete it, and it will be downloaded")
        elif words is None:
            raise ValueError(f"{data} does not hold them: make it again (docs/data.md)")
        index = {word: int(rank) for word, rank in json.loads(words).items()}
        if min(index.values(), default=1) < 1:
            raise ValueError("the rank of a word is below 1")
        known = [word for word, rank in index.items() if rank + INDEX_FROM < TOTAL_WORDS]
        if name != "imdb" and any(tokenize(word) != [word] for word in known):
            raise ValueError(f"{data} was split in another way: make it again (docs/data.md)")
    except Exception as error:  # of the network, or of what is no JSON object of numbers
        fail(f"--review does not know the words: {error}")
    return index


# ------------------------------------------------------------------------------ the record of a run
def write_atomically(path, write):
    """Call write(a name beside path) and rename what it wrote to path: whole, or not at all."""
    real, name = Path(path).resolve(), os.path.basename(path)  # real: where a link points to
    real.parent.mkdir(parents=True, exist_ok=True)
    prefix = f"unfinished-{name}-"
    with TemporaryDirectory(prefix=prefix, dir=real.parent, ignore_cleanup_errors=True) as beside:
        new = os.path.join(beside, name)
        write(new)
        if real.exists():
            shutil.copymode(real, new)
        os.replace(new, real)


class Record(keras.callbacks.Callback):
    """The record of a run: --save and --log after every epoch, and in the end a line.

    It expects one loss and a metric named "accuracy", whatever the network and its output are. The
    score in the line is that of the test set and of the network as it is when the `with` ends.
    """

    def __init__(self, args, test, data):
        super().__init__()
        self.args, self.test = args, test
        self.data, self.vocabulary, self.index = data
        self.done = self.started = None  # in words; when the `with` began
        self.epochs, self.errors = [], []  # a row of scores each; what could not be written
        self.weights = None  # of the last whole epoch

    def __enter__(self):
        """Start the clock."""
        self.started = time.perf_counter()
        return self

    def on_train_begin(self, logs=None):
        """Make Adam's variables, or the first step would be traced twice."""
        if not self.started:
            fail("fit() is not in a `with common.Record(...) as record:`, which ends in the score")
        if self.model.trainable_variables:  # there are none yet if the network has no build()
            self.model.optimizer.build(self.model.trainable_variables)

    def on_epoch_begin(self, epoch, logs=None):
        """Warn of more epochs in fit() than linear_decay() knows of."""
        if float(self.model.optimizer.learning_rate) == 0:
            print("warning: the rate is 0 as an epoch begins: see linear_decay()", file=sys.stderr)

    def on_epoch_end(self, epoch, logs):
        """Write the files, unless the loss is nan."""
        if not {"loss", "accuracy"} <= set(logs):
            fail(f'the record of a run reads "loss" and "accuracy", not {", ".join(logs)}')
        self.epochs.append({"epoch": len(self.epochs) + 1, **logs})
        self.weights = self.model.get_weights()
        seconds, n = time.perf_counter() - self.started, len(self.epochs)
        total = n + self.params["epochs"] - epoch - 1  # of all calls of fit() so far
        count = f"{n}" if n == total else f"{n} of {total}"
        self.done = f"{count} {'epoch' if total == 1 else 'epochs'} in {seconds:.1f} s"
        if np.isnan(logs["loss"]):
            self.model.stop_training = True
        else:
            self.write()

    def write(self):
        """Write --save and --log. What fails is tried again after each epoch and at the end."""
        self.errors = []
        for path, write in (self.args.save, self.save), (self.args.log, self.log):
            try:
                if path:
                    write_atomically(path, write)
            except OSError as error:
                self.errors.append(f"cannot write {path}: {reason(error)}")
                print("warning:", self.errors[-1], file=sys.stderr)

    def save(self, path):
        """Write the weights, with a note of their number and of which words their ids are."""
        n = self.model.count_params()
        # On a full disk HDF5 crashes when Python ends: first see that there is room, with zeros.
        Path(path).write_bytes(bytes(16 * n + 2**20))
        self.model.save_weights(path)
        with h5py.File(path, "a") as file:
            file.attrs.update(data=self.data, words=self.vocabulary, parameters=n)

    def log(self, path):
        """Write a row for each epoch."""
        with open(path, "w", encoding="utf-8", newline="") as file:
            columns = dict.fromkeys(key for row in self.epochs for key in row)
            writer = csv.DictWriter(file, columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(self.epochs)

    def __exit__(self, kind, error, traceback):
        """Score the test set, read --review, then print what was done in one line."""
        if not self.done:
            if kind:  # interrupted in the first epoch
                return
            fail("no epoch of fit(..., callbacks=[record]): nothing is scored, saved or read")
        args, model = self.args, self.model
        if kind:  # interrupted in a later one
            model.set_weights(self.weights)
        # fit() may have validated on other reviews, and best weights may have been put back since
        score = model.evaluate(self.test, verbose=0, return_dict=True)
        accuracy, loss, n = score["accuracy"], score["loss"], sum(len(y) for _, y, *_ in self.test)
        device = "GPU" if "GPU" in model.weights[0].value.device else "CPU"
        line = (
            f"{args.script}: test accuracy {accuracy:.4f} ({accuracy * n:.0f}/{n}), "
            f"loss {loss:.4f}, {self.done}, {model.count_params()} parameters, "
            f"seed {args.seed}, data {self.data}, device {device}, "
            f"TensorFlow {tf.__version__}, Keras {keras.__version__}"
        )
        if np.isnan(loss):
            print(line)
            fail("training diverged, the loss is nan: try a lower --learning-rate or --clipnorm")
        try:
            if not kind:
                self.write()
            read_reviews(args.review, model, self.index)
        finally:
            print(line)
        if self.errors and not kind:
            fail("; ".join(self.errors))


def load_weights(args, model):
    """Read the weights of --load into a built model -> read_vocabulary() of --data; or end."""
    try:
        with h5py.File(args.load) as file:
            notes = dict(file.attrs)
        if notes.get("parameters", model.count_params()) != model.count_params():
            raise ValueError  # Keras would pass over a layer that only the file has
        model.load_weights(args.load)
    except Exception as error:  # h5py and Keras raise whatever the content of a file leads to
        why = f"damaged, or not weights of {args.script} as it is now, with --units {args.units}"
        if getattr(error, "errno", None):  # of the system, not of the content
            why = reason(error)
        fail(f"{args.load}: {why}")
    words = str(notes.get("words", ""))  # none in weights that a script has not saved
    if args.data == "auto":
        args.data = words if words in ("imdb", "toy") else "imdb"
    vocabulary = read_vocabulary(args.data)
    if not words:
        unknown = f"{args.load} has no note of its words: they are taken for {args.data}'s"
        print(f"warning: {unknown}", file=sys.stderr)
    elif words != vocabulary[0]:  # the same ids are other words there
        others = f"trained on the words of {notes.get('data')}, and {args.data} has others"
        fail(f"{args.load}: {others}: give the --data of the training")
    return vocabulary


def evaluate_saved(args, model):
    """Read --load into a built model; then read --review, or score the test set -> the model."""
    vocabulary = load_weights(args, model)
    if args.review:
        read_reviews(args.review, model, load_word_index(args.data, vocabulary))
    else:
        _, test, data = load_datasets(args)
        positive(model, next(iter(test))[0])  # or end: the score is that of one probability
        accuracy = keras.metrics.BinaryAccuracy("accuracy")
        model.compile(loss="binary_crossentropy", metrics=[accuracy], jit_compile=False)
        with Record(args, test, data) as record:
            record.set_model(model)
            record.done = f"loaded from {os.path.basename(args.load)}"
    return model


# --------------------------------------------------------------------------------- reading a review
def tokenize(text):
    """Split a review as IMDB's were: lower case, no punctuation but apostrophes -> words."""
    text = unicodedata.normalize("NFC", text.lower())  # NFC: é in one form
    words = []
    for n, part in enumerate(ALONE.split(text)):
        if n % 2:  # what ALONE matched
            words.append(part)
        else:
            words += [w for w in part.translate(SIGNS).split() if any(map(str.isalnum, w))]
    return words


def positive(model, x):
    """Return P(positive) of each review: [n, 80] int32 -> [n] float32."""
    batches = [x[n : n + TEST_BATCH] for n in range(0, len(x), TEST_BATCH)]
    p = np.concatenate([model(batch, training=False) for batch in batches])  # [n, 1]
    if p.shape[1:] != (1,) or not 0 <= p.min() <= p.max() <= 1:  # nan, too
        what = f"{p.shape} from {p.min():.2f} to {p.max():.2f}"
        fail(f"--review and --load read one P(positive), 0 to 1, not {what}: see exercise 17")
    return p[:, 0]


def read_reviews(texts, model, index):
    """Print for each text what the network thinks after each word, and the verdict."""
    for text in texts:
        words = tokenize(text)
        ranks = [index.get(word, TOTAL_WORDS) for word in words]
        x = encode(ranks[: n + 1] for n in range(len(ranks)))  # [n, 80]: as n reviews of their own
        probabilities = positive(model, x)  # [n]
        known = [rank + INDEX_FROM < TOTAL_WORDS for rank in ranks]
        shown = [word if k else f"{word} (unknown)" for word, k in zip(words, known)]
        width = max(map(len, shown))
        print(f"\n{' '.join(text.split())}")
        for word, p in zip(shown, probabilities):
            print(f"  {word:<{width}}  {p:.3f} |{'#' * round(20 * float(p)):<20}|")
        print(f"  {'positive' if p > 0.5 else 'negative'}: P(positive) = {p:.3f}")


def run(main):
    """Call main() as a program: Ctrl-C ends it in one line, and the end of a pipe in none.

    (In a notebook call main([...flags]) itself: what it returns is the model.)
    """
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # None when it is closed
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # a pipe on Windows may lack some characters
    try:
        main()
    except KeyboardInterrupt:
        fail("interrupted", status=130)
    except BrokenPipeError:  # as of `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # for what Python still wants to write
