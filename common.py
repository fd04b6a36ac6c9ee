"""What the four scripts share and what is not the lesson: no model lives here."""

import argparse
import array
import contextlib
import csv
import gc
import hashlib
import importlib.util
import json
import os
import pickle
import random
import re
import shutil
import sys
import tempfile
import time
import unicodedata
import urllib.request
import warnings
import zipfile
from collections import Counter
from functools import partial
from multiprocessing.pool import ThreadPool
from pathlib import Path

KERAS_HOME = os.environ.get("KERAS_HOME") or os.path.join(os.path.expanduser("~"), ".keras")
# A keras.json of yours could change the networks, or end `import keras` in a traceback, and Keras
# cannot be told not to read it: so while it is imported it looks for one where there is none.
os.environ.update(KERAS_BACKEND="tensorflow", KERAS_HOME=os.devnull)
cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
if len(cores) <= 2:  # to share the small product of a time step costs two cores more than it saves
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")  # of a GPU take only what is needed
os.environ.setdefault("TF_DETERMINISTIC_OPS", "1")  # one seed, one result, on a GPU too
gc.set_threshold(1_000_000)  # to look for garbage while TensorFlow loads and traces takes 0.8 s
# At any log level TensorFlow writes lines that look like errors while it loads: they are not shown,
# unless TF_CPP_MIN_LOG_LEVEL is set (by their descriptor, 2: they do not go through sys.stderr).
stderr = os.open(os.devnull, os.O_WRONLY)
with contextlib.suppress(OSError):  # 2 may be closed
    stderr = os.dup(2)
if "TF_CPP_MIN_LOG_LEVEL" not in os.environ:
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
try:
    import h5py
    import keras
    import numpy as np
    import tensorflow as tf

    tf.config.list_physical_devices("GPU")  # here, for it writes such lines too
except KeyboardInterrupt:
    sys.exit(130)
finally:
    os.environ["KERAS_HOME"] = KERAS_HOME
    os.dup2(stderr, 2)

# ---------------------------------------------------------------------------------------- constants
VOCABULARY = 10_000  # ids 0 .. 9999: three special ones, 3 is unused, the frequent words from 4
WORDS = 80  # tokens kept of a review: the last 80, as pad_sequences does
EMBEDDING = 100  # length of a word vector
PAD, START, UNKNOWN, INDEX_FROM = 0, 1, 2, 3  # a word of rank r (1: the most frequent) has id r + 3
TEST_BATCH = 1_000  # larger than in training: no gradients to keep, and fewer calls
IMDB_TRAIN, TOY_TRAIN, TOY_TEST = 25_000, 25_000, 2_000
SHOWN = "ipykernel" in sys.modules or (sys.stdout and sys.stdout.isatty())  # to somebody
BAR = 1 if SHOWN else 2  # what fit() calls verbose: a progress bar, or else a line an epoch
ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
DIGESTS = {  # sha256
    "imdb.npz": "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f",
    "imdb_word_index.json": "027313fe9a320280f3bf0fac5baf58c4a683cf39a7ed9c3d3d3912bde4284cf6",
}
IMDB_RANKS = "7759147de39893cd"  # which_words() of IMDB's reviews, whatever file they are in
NETWORK_SECONDS = 10  # for the first answer, and again for any one silence after it
MEMBER_BYTES = 64 << 20  # a member of imdb.npz has 14 MB; a zip bomb may claim anything
NVIDIA = "/dev/nvidia0", "/usr/lib/wsl/lib/libcuda.so.1"  # the driver of a GPU: Linux, WSL2
NO_GPU = 'TensorFlow sees no GPU (pip install "tensorflow[and-cuda]"; TF_CPP_MIN_LOG_LEVEL=0 tells)'


def fail(message, status=1):
    """End the run: one line on stderr, without control characters and without a traceback."""
    message = "".join(c if c.isprintable() else " " for c in str(message))
    print("error:", " ".join(message.split())[:600], file=sys.stderr)
    raise SystemExit(status)


# ------------------------------------------------------------------------------------- command line
def number(kind, low, high, text):
    """Turn the text of a flag into an int or a float (kind), from low to high."""
    with contextlib.suppress(ValueError):
        if low <= kind(text) <= high:
            return kind(text)
    raise argparse.ArgumentTypeError(f"must be {kind.__name__}, from {low} to {high}, not {text!r}")


def output(ending, text):
    """Turn the text of a flag into the path of a file that can be written."""
    path = os.path.expanduser(text)
    free = not os.path.exists(path) or os.path.isfile(path) and os.access(path, os.W_OK)
    if not (text.endswith(ending) and free):
        raise argparse.ArgumentTypeError(f"{text} cannot be replaced, or does not end in {ending}")
    try:
        with tempfile.TemporaryDirectory(dir=os.path.dirname(os.path.realpath(path))) as folder:
            open(os.path.join(folder, os.path.basename(path)), "w").close()  # as replace() does
    except OSError as error:
        raise argparse.ArgumentTypeError(f"cannot write {text}: {error.strerror}") from None
    return path


def parse_args(script, argv=None, unroll=False):
    """Read the command line, set TensorFlow's device and seed -> the flags, and script: its name.

    script: its __file__; unroll: always. What is wrong ends the run with status 2 before it begins.
    """
    os.environ["COLUMNS"] = str(
        max(40, shutil.get_terminal_size().columns)
    )  # Keras's summary() needs some
    more = "More about each flag: README.md. 中文: docs/zh-CN/guide.md"
    parser = argparse.ArgumentParser(prog=os.path.basename(script), epilog=more)
    add, shown = parser.add_argument, "default: %(default)s"
    add("--data", type=os.path.expanduser, default="auto", help="imdb, toy, auto or an npz file")
    add("--subset", type=partial(number, int, 1, 10**6), help="only so many reviews of each split")
    add("--epochs", type=partial(number, int, 1, 10_000), default=4, help=shown)
    add("--batch-size", type=partial(number, int, 1, 10_000), default=128, help=shown)
    add("--units", type=partial(number, int, 1, 2_048), default=64, help=shown)
    add("--learning-rate", type=partial(number, float, 1e-9, 10), default=0.001, help=shown)
    add("--clipnorm", type=partial(number, float, 0, 1e6), default=0.25, help=shown)
    add("--unroll", action="store_true", default=unroll, help="a graph of 80 steps, no loop")
    add("--seed", type=partial(number, int, 0, 2**32 - 1), default=0, help=shown)
    add("--device", choices=("auto", "cpu", "gpu"), default="auto", help=shown)
    add("--save", type=partial(output, ".weights.h5"), metavar="FILE", help="weights, each epoch")
    add("--log", type=partial(output, ".csv"), metavar="FILE", help="scores of each epoch")
    add("--plot", type=partial(output, ".png"), metavar="FILE", help="the same, by matplotlib")
    add("--load", type=os.path.expanduser, metavar="FILE", help="use what --save wrote")
    add("--review", action="append", default=[], metavar="TEXT", help="read TEXT word by word")
    args = parser.parse_args(argv, argparse.Namespace(script=Path(script).stem))
    outputs = [path for path in (args.save, args.log, args.plot) if path]
    loads = args.load is not None
    if args.data not in ("auto", "imdb", "toy") and not args.data.endswith(".npz"):
        parser.error(f"--data {args.data}: not auto, imdb, toy or an .npz (see docs/data.md)")
    if loads and outputs:
        parser.error("--load does not train: there is nothing to --save, --log or --plot")
    if loads and not (args.load.endswith(".weights.h5") and os.path.isfile(args.load)):
        parser.error(f"--load {args.load}: no such file, or its name does not end in .weights.h5")
    if len(set(map(os.path.realpath, [args.data, *outputs]))) <= len(outputs):
        parser.error("--save, --log, --plot and --data must name different files")
    if args.plot and not importlib.util.find_spec("matplotlib"):
        parser.error("--plot needs matplotlib: pip install matplotlib")
    if not all(map(split_words, args.review)):
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
    keras.utils.clear_session(free_memory=False)  # what a notebook's earlier run has left
    keras.utils.set_random_seed(args.seed)
    return args


def falling_rate(args, train):
    """Return a rate that falls in a straight line from --learning-rate to 0 after the last step."""
    # no faster than in two epochs of IMDB: in one it learns too little (73 %: docs/experiments.md)
    steps = max(args.epochs * len(train), 2 * IMDB_TRAIN // args.batch_size)
    return keras.optimizers.schedules.PolynomialDecay(args.learning_rate, steps, 0.0)


# --------------------------------------------------------------------------------------------- data
def cached(name):
    """Return the path of one of Keras's data files, downloaded if it is not there, or OSError."""
    path, url = os.path.join(KERAS_HOME, "datasets", name), ORIGIN + name
    if os.path.exists(path):
        return path
    try:
        with ThreadPool(1) as pool:  # urlopen's timeout does not bound the lookup of a name
            ask = pool.apply_async(urllib.request.urlopen, (url,), {"timeout": NETWORK_SECONDS})
            answer = ask.get(NETWORK_SECONDS)
        print(f"downloading {url} ({answer.headers['Content-Length']} bytes)", flush=True)
        content = answer.read(MEMBER_BYTES)  # at most
        if hashlib.sha256(content).hexdigest() != DIGESTS[name]:
            raise OSError("what came is not that file, or not all of it")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        replace(path, lambda new: Path(new).write_bytes(content))
    except Exception as error:  # http.client has some of its own
        if not os.path.exists(path):  # else another run was first
            why = " ".join(str(error).split()) or f"no answer in {NETWORK_SECONDS} seconds"
            ways = "Other ways to the data: docs/data.md (中文: docs/zh-CN/data.md)"
            raise OSError(f"cannot download {url}: {why}. {ways}") from error
    return path


class ListsOnly(pickle.Unpickler):
    """Unpickles an array of lists without NumPy: no name in the pickle is looked up."""

    class Inert:
        """Stands in for whatever is named: keeps its state and does nothing."""

        def __init__(self, *args):
            pass

        def __setstate__(self, state):
            self.state = state

    def find_class(self, module, name):
        return self.Inert


def read_npz(path, digest=None):
    """Read a file in the layout of imdb.npz and return what Keras gives for it, padded.

    -> (x_train, y_train), (x_test, y_test): [n, 80] int32 and [n] int64, shuffled as Keras does
    (one RandomState(113)). Nothing in the file is executed. Raises ValueError if it is not like it.
    digest: a hash that is told the file's words, and then no more is read, or else its ranks.
    """
    rng, splits = np.random.RandomState(113), []
    try:
        if not os.path.isfile(path):  # a pipe or a device could be read for ever
            raise FileNotFoundError("there is no such file")
        with zipfile.ZipFile(path) as archive:
            if any(member.file_size > MEMBER_BYTES for member in archive.infolist()):
                raise ValueError("a member of it is too large")
            if digest and "words.json" in archive.namelist():
                return digest.update(archive.read("words.json"))
            for split in ("train", "test"):
                file = archive.open(f"x_{split}.npy")
                np.lib.format.read_magic(file)
                shape, _, dtype = np.lib.format.read_array_header_1_0(file)
                if not dtype.hasobject:
                    raise ValueError(f"x_{split} is an array {shape} of {dtype}, not of lists")
                reviews = ListsOnly(file).load().state[-1]  # an array's state ends with its items
                y, n = np.load(archive.open(f"y_{split}.npy")), len(reviews)
                if y.shape not in {(n,), (n, 1)} or not 0 < n * WORDS <= MEMBER_BYTES:
                    raise ValueError(f"{n} reviews in x_{split}, y_{split} has {y.shape}")
                if y.dtype.kind not in "biuf" or not np.isin(y, (0, 1)).all():
                    raise ValueError(f"y_{split} ({y.dtype}) has labels other than 0 and 1")
                for review in reviews if digest else ():
                    digest.update(array.array("q", [len(review), *review]))
                order = rng.permutation(n)
                splits.append((encode(reviews)[order], y.reshape(-1)[order].astype(np.int64)))
    except Exception as error:  # a broken zip or pickle can raise nearly anything
        raise ValueError(f"cannot read {path}: {str(error) or repr(error)}") from error
    return splits


def encode(reviews):
    """Encode n lists of word ranks, from 1, as keras.datasets.imdb does -> [n, 80] int32.

    1 to start, rank + 3 or, out of the vocabulary, 2; the last 80, zeros in front. Or ValueError.
    """
    pad, start = PAD - INDEX_FROM, START - INDEX_FROM  # as ranks: 3 is added to all of them below
    rows = array.array("q")  # 64-bit whole numbers
    try:
        for review in reviews:
            kept = [start, *review][-WORDS:]
            if type(review) not in (list, tuple) or min(kept[kept[0] == start :], default=1) < 1:
                raise TypeError
            rows.fromlist([pad] * (WORDS - len(kept)) + kept)
    except (TypeError, OverflowError):
        raise ValueError("a review is no list of ranks > 0: save lists of Python's int") from None
    ids = np.array(rows).reshape(-1, WORDS) + INDEX_FROM
    return np.where(ids < VOCABULARY, ids, UNKNOWN).astype(np.int32)


def toy_reviews():
    """Generate small reviews in which the order of words counts -> texts, labels, {word: rank}.

    Each has an opinion: "the plot was dull", "was not dull", "was good not bad" or "bad not good".
    """
    neutral = "i saw it at home|we watched it twice|it runs for two hours|my brother chose it|"
    neutral += "it is set in a town|they made it in france|he plays a doctor|it came out in spring"
    topics = "film movie story plot acting cast ending script".split()
    words = "bad awful dull boring terrible weak", "good great lovely brilliant moving clever"
    rng, reviews = random.Random(0), {}
    while len(reviews) < TOY_TRAIN + TOY_TEST:
        label = rng.randrange(2)
        own, other = (rng.choice(words[i].split()) for i in (label, 1 - label))
        very = rng.choice(("", "", "", "really ", "so ", "quite "))
        forms = f"{very}{own}", f"not {very}{other}", f"{own} not {other}"
        opinion = f"the {rng.choice(topics)} was {rng.choices(forms, (70, 15, 15))[0]}"
        sentences = [opinion, *rng.sample(neutral.split("|"), rng.choice((1, 2)))]
        reviews[" ".join(rng.sample(sentences, len(sentences)))] = label
    counts = Counter(" ".join(reviews).split()).most_common()
    index = {word: rank for rank, (word, _) in enumerate(counts, start=1)}
    return list(reviews), np.array(list(reviews.values())), index


def load_toy():
    """Return the toy reviews as read_npz returns a file: (x_train, y_train), (x_test, y_test)."""
    texts, y, index = toy_reviews()
    x = encode([index[word] for word in text.split()] for text in texts)
    return (x[:TOY_TRAIN], y[:TOY_TRAIN]), (x[TOY_TRAIN:], y[TOY_TRAIN:])


def make_datasets(train, test, batch_size, seed):
    """Turn two pairs of arrays ([n, 80], [n]) into pipelines: batches of every review."""
    # Keras 3.15 warns that fit() will not shuffle a Dataset. This one shuffles itself.
    warnings.filterwarnings("ignore", message="`shuffle=True` was passed")
    options = tf.data.Options()
    options.autotune.enabled = False  # its thread can hold up the end of a pass for seconds
    train, test = (tf.data.Dataset.from_tensor_slices(split) for split in (train, test))
    train = train.shuffle(len(train), seed=seed).batch(batch_size)  # anew each epoch
    return [split.prefetch(2).with_options(options) for split in (train, test.batch(TEST_BATCH))]


def load_datasets(args):
    """Load --data -> two tf.data pipelines of ([b, 80], [b]); what it was: imdb, toy or a path."""
    data = path = args.data
    try:
        if args.data in ("auto", "imdb"):
            data, path = "imdb", cached("imdb.npz")
        splits = load_toy() if data == "toy" else read_npz(path)
    except ValueError as error:
        fail(f"{error}; delete it, and it will be downloaded" if data == "imdb" else error)
    except OSError as error:
        if args.data == "imdb":
            fail(error)
        toy = "Training on generated toy reviews: a score on them says nothing about IMDB"
        print(f"warning: {error}. {toy}", file=sys.stderr)
        data, splits = "toy", load_toy()
    train, test = ((x[: args.subset], y[: args.subset]) for x, y in splits)
    print(f"data {os.path.basename(data)}: {len(train[1])} training, {len(test[1])} test reviews")
    return *make_datasets(train, test, args.batch_size, args.seed), data


# ------------------------------------------------------------------------------ the record of a run
def replace(path, write):
    """Call write(a name beside path) and rename what it wrote to path: whole, or not at all."""
    real = os.path.realpath(path)  # where a link points to
    folder = os.path.join(os.path.dirname(real), f"unfinished-{os.getpid()}-{time.time_ns()}")
    new = os.path.join(folder, os.path.basename(path))
    os.mkdir(folder)
    try:
        write(new)
        if os.path.exists(real):
            os.chmod(new, os.stat(real).st_mode)
        os.replace(new, real)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Record(keras.callbacks.Callback, contextlib.AbstractContextManager):
    """The record of a run: after every epoch --save, --log and --plot, and in the end a line."""

    def __init__(self, args, data, done=None):  # done: what was done, if it is not training
        super().__init__()
        self.args, self.data, self.done = args, os.path.basename(data), done
        self.words = which_words(data) if args.save or args.review else None
        self.index = load_word_index(data, self.words) if args.review else None
        self.epochs, self.unwritten = [], []  # a row of scores each; files that failed after it

    def on_train_begin(self, logs=None):
        """Start the clock; make Adam's variables, or the first step would be traced twice."""
        self.started = time.perf_counter()
        self.model.optimizer.build(self.model.trainable_variables)

    def on_test_end(self, logs):
        """Keep the score on the test set, and of how many reviews: the losses' mean counts them."""
        self.score = logs["accuracy"], logs["loss"], int(self.model.metrics[0].count)

    def on_epoch_end(self, epoch, logs):
        """Write the files, unless the loss is nan. One that cannot be written is tried again."""
        self.epochs.append({"epoch": epoch + 1, **logs})
        args, of = self.args, "" if epoch + 1 == self.args.epochs else f" of {self.args.epochs}"
        seconds = time.perf_counter() - self.started
        self.done = f"{epoch + 1}{of} epoch{'s' * (args.epochs > 1)} in {seconds:.1f} s"
        self.model.stop_training, self.unwritten = bool(np.isnan(logs["loss"])), []
        for path, write in (args.save, self.save), (args.log, self.log), (args.plot, self.plot):
            try:
                if path and not self.model.stop_training:
                    replace(path, write)
            except OSError as error:
                self.unwritten.append(f"cannot write {path}: {error}")
                print("warning:", self.unwritten[-1], file=sys.stderr)

    def save(self, path):
        """Write the weights, with a note of which words their ids are."""
        # HDF5 crashes on a full disk, at the end of Python: let Python find out first.
        Path(path).write_bytes(bytes(16 * self.model.count_params() + 2**20))
        self.model.save_weights(path)
        with h5py.File(path, "a") as file:
            file.attrs.update(data=self.data, words=self.words)

    def log(self, path):
        """Write a row for each epoch."""
        with open(path, "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, self.epochs[0], lineterminator="\n")
            writer.writeheader()
            writer.writerows(self.epochs)

    def plot(self, path):
        """Draw loss and accuracy by epoch."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(8, 3.2), layout="constrained")
        epochs = [str(row["epoch"]) for row in self.epochs]
        for axes, key in zip(figure.subplots(1, 2), ("loss", "accuracy")):
            train, test = ([row[split + key] for row in self.epochs] for split in ("", "val_"))
            axes.plot(epochs, train, "k--o", epochs, test, "k-s")
            axes.set(xlabel="epoch", ylabel=key)
        axes.legend(("training, with dropout", "test"))
        title = f"{self.args.script}, data {self.data}, seed {self.args.seed}"
        figure.suptitle(ascii(title)[1:-1])  # the font may lack other letters
        figure.savefig(path, format="png", dpi=120)

    def __exit__(self, kind, error, traceback):
        """Read --review, then print what was done and the score on the test set in one line."""
        if not self.done:  # interrupted in the first epoch
            return
        accuracy, loss, reviews = self.score
        device = "GPU" if "GPU" in self.model.weights[0].value.device else "CPU"
        try:
            read_reviews(self.args.review, self.model, self.index)
        finally:
            print(
                f"{self.args.script}: test accuracy {accuracy:.4f} ({accuracy * reviews:.0f}/"
                f"{reviews}), loss {loss:.4f}, {self.done}, {self.model.count_params()} parameters"
                f", seed {self.args.seed}, data {self.data}, device {device}, "
                f"TensorFlow {tf.__version__}, Keras {keras.__version__}"
            )
        if np.isnan(loss):
            fail("training diverged, the loss is nan: try a lower --learning-rate or --clipnorm")
        if self.unwritten and not kind:
            fail("; ".join(self.unwritten))


def use_weights(args, model):
    """Read the weights of --load into a built model; then read --review, or score the test set."""
    names = []
    try:
        with h5py.File(args.load) as file:
            file.visit(names.append)
            notes = dict(file.attrs)
        own = [name for name in names if "/vars/" in name and not name.startswith("optimizer/")]
        if len(own) != len(model.weights):  # Keras passes over layers that only the file has
            raise ValueError
        model.load_weights(args.load)
    except Exception:  # h5py and Keras raise whatever the content of a file leads to
        fail(f"{args.load}: damaged, or not weights of {args.script} with --units {args.units}")
    words = notes.get("words", notes.get("data"))  # earlier versions had no other note
    if args.data == "auto" and words in ("imdb", "toy"):
        args.data = words
    if words and words != which_words(args.data):  # the same ids are other words there
        other = f"not on the words of --data {args.data}, or by an earlier version: train again"
        fail(f"{args.load}: trained on {notes.get('data')}, {other}")
    if args.review:
        return read_reviews(args.review, model, load_word_index(args.data, words))
    _, test, data = load_datasets(args)
    accuracy = keras.metrics.BinaryAccuracy("accuracy")
    model.compile(loss="binary_crossentropy", metrics=[accuracy], jit_compile=False)
    with Record(args, data, done=f"loaded from {os.path.basename(args.load)}") as record:
        model.evaluate(test, verbose=BAR, callbacks=[record])


# --------------------------------------------------------------------------------- reading a review
def which_words(data):
    """Say which words the ids of data are: imdb, toy, or a digest of a file's words or ranks."""
    if data in ("auto", "imdb", "toy"):
        return data.replace("auto", "imdb")
    digest = hashlib.sha256()
    try:
        read_npz(data, digest)
    except ValueError as error:
        fail(error)
    name = digest.hexdigest()[:16]
    return "imdb" if name == IMDB_RANKS else name


def load_word_index(data, name=None):
    """Return {word: rank}: the toy's, that in an npz, or Keras's own for the reviews of IMDB."""
    name = name or which_words(data)
    if name == "toy":
        return toy_reviews()[-1]
    path = Path(data).with_name("imdb_word_index.json")  # one beside an npz counts if it is IMDB's
    try:
        if name != "imdb":
            content = np.load(data)["words.json"]  # of what is no array it returns the bytes
        elif path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == DIGESTS[path.name]:
            content = path.read_bytes()
        else:
            content = Path(cached(path.name)).read_bytes()
        index = {word: int(rank) for word, rank in json.loads(content).items()}
        if not all(0 < rank <= 2**62 for rank in index.values()):
            raise ValueError("a word has no rank from 1 on")
        return index
    except KeyError:
        fail(f"{data} does not hold its words, which --review needs: make it again (docs/data.md)")
    except Exception as error:  # of the network, or of what is no JSON object of numbers
        fail(f"--review does not know the words: {error}")


def split_words(text):
    """Split a review as IMDB's were: lower case, no punctuation but apostrophes -> words."""
    punctuation = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n\r“”…–—，。！？、；：（）《》【】「」'
    text = unicodedata.normalize("NFC", text).lower().replace("\u2019", "'")  # NFC: é in one form
    text = text.translate(dict.fromkeys(map(ord, punctuation), " "))
    text = re.sub("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]", r" \g<0> ", text)  # a 字, a word
    return [word for word in text.split() if any(map(str.isalnum, word))]


def read_reviews(texts, model, index):
    """Print for each text what the network thinks after each word, and the verdict."""
    for text in texts:
        words = split_words(text)
        ranks = [index.get(word, VOCABULARY) for word in words]
        x = encode(ranks[: n + 1] for n in range(len(ranks)))  # [n, 80]: as n reviews of their own
        batches = [x[n : n + TEST_BATCH] for n in range(0, len(x), TEST_BATCH)]
        probabilities = np.concatenate([model(b, training=False)[:, 0] for b in batches])  # [n]
        shown = [f"{w} (unknown)" if i == UNKNOWN else w for w, i in zip(words, x[:, -1])]
        width = max(map(len, shown))
        print(f"\n{' '.join(text.split())}")
        for word, p in zip(shown, probabilities):
            bar = "" if np.isnan(p) else "#" * round(20 * float(p))
            print(f"  {word:<{width}}  {p:.3f} |{bar:<20}|")
        print(f"  {'positive' if p > 0.5 else 'negative'}: P(positive) = {p:.3f}")


def run(main):
    """Call main() as a program: Ctrl-C ends it in one line, and the end of a pipe in none."""
    sys.stdout = sys.stdout or open(os.devnull, "w")  # None when it is closed
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # a pipe on Windows may lack some characters
    try:
        main()
    except KeyboardInterrupt:
        fail("interrupted", status=130)
    except BrokenPipeError:  # as of `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # for what Python still wants to write
