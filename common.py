"""What the four scripts share and what is not the lesson: no model lives here.

In reading order: settings before TensorFlow loads, constants, command line, data, record, reviews.
"""

import argparse
import array
import collections
import contextlib
import gc
import importlib.util
import json
import math
import os
import pickle
import random
import re
import socket
import sys
import threading
import time
import unicodedata
import urllib.request
import warnings
import zipfile
from functools import partial

KERAS_HOME = os.environ.get("KERAS_HOME") or os.path.join(os.path.expanduser("~"), ".keras")
# This is Keras 3 on TensorFlow in float32, whatever the environment and a keras.json ask for.
os.environ.update(KERAS_BACKEND="tensorflow", TF_USE_LEGACY_KERAS="0", KERAS_HOME=os.devnull)
# The matrices of one time step are small: to share one among threads costs more than it saves.
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
gc.set_threshold(1_000_000)  # importing, tracing and reading reviews make objects that stay
# Without a GPU TensorFlow's C++ writes lines that look like errors at any log level: while it loads
# nothing is shown, unless TF_CPP_MIN_LOG_LEVEL is set or stderr (2) is closed.
hidden = "TF_CPP_MIN_LOG_LEVEL" not in os.environ and sys.stderr is not None
if hidden:
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
    stderr = os.dup(2)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
try:
    import h5py
    import keras
    import numpy as np
    import tensorflow as tf

    tf.config.list_physical_devices("GPU")
except KeyboardInterrupt:
    sys.exit(130)
finally:
    os.environ["KERAS_HOME"] = KERAS_HOME
    if hidden:
        os.dup2(stderr, 2)

# ---------------------------------------------------------------------------------------- constants
VOCABULARY = 10_000  # ids 0 .. 9999: three special ones, 3 is unused, the frequent words from 4
WORDS = 80  # tokens kept of a review: the last 80, as pad_sequences does
EMBEDDING = 100  # length of a word vector
PAD, START, UNKNOWN, INDEX_FROM = 0, 1, 2, 3  # a word of rank r (1: the most frequent) has id r + 3
TEST_BATCH = 1_000  # larger than in training: no gradients to keep, and fewer calls
IMDB_TRAIN, TOY_TRAIN, TOY_TEST = 25_000, 25_000, 2_000
# What fit() calls verbose: 1, a progress bar, where it can be seen, and else 2, a line an epoch.
BAR = 1 if "ipykernel" in sys.modules or (sys.stdout and sys.stdout.isatty()) else 2
ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
DIGESTS = {  # as keras.datasets.imdb checks them
    "imdb.npz": "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f",
    "imdb_word_index.json": "bfafd718b763782e994055a2d397834f",
}
NETWORK_SECONDS = 10  # for the first answer, and again for any one silence after it
UNFINISHED = "unfinished.weights.h5"  # how a file's name ends until it is whole; Keras wants the h5
MEMBER_BYTES = 64 << 20  # a member of imdb.npz has 14 MB; a zip bomb may claim anything


def fail(message, status=1):
    """End the run: one line on stderr, without control characters and without a traceback."""
    message = "".join(c if c.isprintable() else " " for c in str(message))
    print("error:", " ".join(message.split())[:600], file=sys.stderr)
    raise SystemExit(status)


# ------------------------------------------------------------------------------------- command line
def number(kind, low, high, text):
    """Be an argparse type: kind(text), a number from low to high."""
    with contextlib.suppress(ValueError):
        if low <= kind(text) <= high:
            return kind(text)
    raise argparse.ArgumentTypeError(f"must be {kind.__name__}, from {low} to {high}, not {text!r}")


def output(ending, text):
    """Be an argparse type: the path of a file that can be written; a link is followed."""
    path = os.path.realpath(os.path.expanduser(text))
    if not text.endswith(ending):
        raise argparse.ArgumentTypeError(f"the name {text} does not end in {ending}")
    if os.path.exists(path) and not (os.path.isfile(path) and os.access(path, os.W_OK)):
        raise argparse.ArgumentTypeError(f"{text} is there and cannot be replaced")
    try:
        open(f"{path}.{UNFINISHED}", "wb").close()
        os.remove(f"{path}.{UNFINISHED}")
    except OSError as error:
        raise argparse.ArgumentTypeError(f"cannot write {text}: {error.strerror}") from None
    return path


def parse_args(script, argv=None, unroll=False):
    """Read the command line and make TensorFlow ready for it: the device and the seed.

    script: the script's __file__; unroll: always. Returns the flags, and the bare name as `script`.
    A wrong command line ends the run with status 2, before anything is loaded or trained.
    """
    name, shown = os.path.basename(script), "default: %(default)s"
    parser = argparse.ArgumentParser(prog=name, epilog="README.md says more about each flag.")
    add = parser.add_argument
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
    args = parser.parse_args(argv, argparse.Namespace(script=name.removesuffix(".py")))
    outputs = [path for path in (args.save, args.log, args.plot) if path]
    if args.load and outputs:
        parser.error("--load does not train: there is nothing to --save, --log or --plot")
    if args.load and not (args.load.endswith(".weights.h5") and os.path.isfile(args.load)):
        parser.error(f"--load {args.load}: no such file, or its name does not end in .weights.h5")
    if len({os.path.realpath(args.data), *outputs}) <= len(outputs):
        parser.error("--save, --log, --plot and --data must name different files")
    if args.plot and not importlib.util.find_spec("matplotlib"):
        parser.error("--plot needs matplotlib: pip install matplotlib")
    if not all(map(split_words, args.review)):
        parser.error("--review: there is no word in it")
    if args.device == "cpu":
        tf.config.set_visible_devices([], "GPU")
    gpus = tf.config.get_visible_devices("GPU")
    if args.device == "gpu" and not gpus:
        parser.error("--device gpu: TensorFlow sees none (README.md, GPU, says what it needs)")
    # To improve an unrolled graph, thousands of operations, takes longer than it saves on a CPU.
    no_passes = {"disable_meta_optimizer": args.unroll and not gpus}
    tf.config.optimizer.set_experimental_options(no_passes)
    keras.utils.set_random_seed(args.seed)
    return args


# --------------------------------------------------------------------------------------------- data
def cached(name):
    """Return the path of one of Keras's data files, downloaded if it is not there, or OSError.

    Keras sets no time limit. The first answer is waited for in a thread, which bounds the lookup of
    the name, a proxy and several dead addresses together; then each silence is bounded by itself.
    """
    path, url, reached = os.path.join(KERAS_HOME, "datasets", name), ORIGIN + name, []
    if os.path.exists(path):
        return path

    def ask():
        with contextlib.suppress(Exception):
            urllib.request.urlopen(url, timeout=NETWORK_SECONDS).close()
            reached.append(True)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(NETWORK_SECONDS)
    try:
        if not reached:
            raise OSError("it cannot be reached")
        socket.setdefaulttimeout(NETWORK_SECONDS)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        new = f"unchecked-{name}"  # Keras lets a file with another hash lie
        new = keras.utils.get_file(new, url, file_hash=DIGESTS[name], cache_dir=KERAS_HOME)
        os.replace(new, path)
        return path
    except Exception as error:  # Keras raises a bare Exception for a failed download
        raise OSError(f"cannot download {url} ({error})") from error
    finally:
        socket.setdefaulttimeout(None)


class Inert:
    """Stands in for everything that a pickle names: keeps its state and does nothing."""

    def __init__(self, *args):
        self.state = ()

    def __setstate__(self, state):
        self.state = state


class ListsOnly(pickle.Unpickler):
    """Unpickles an object array of lists without NumPy: nothing that it names is looked up."""

    def find_class(self, module, name):
        return Inert


def read_npz(path):
    """Read a file in the layout of imdb.npz and return what Keras gives for it, padded.

    -> (x_train, y_train), (x_test, y_test): [n, 80] int32 and [n] int64, shuffled as Keras does
    (one RandomState(113)). Nothing in the file is executed. Raises ValueError if it is not like it.
    """
    rng = np.random.RandomState(113)
    splits = []
    try:
        if not os.path.isfile(path):  # a pipe or a device could be read for ever
            raise FileNotFoundError("there is no such file")
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if info.file_size > MEMBER_BYTES or info.compress_type not in (0, 8):
                    raise ValueError(f"{info.filename} is too large, or not packed as NumPy does")
            for split in ("train", "test"):
                with archive.open(f"x_{split}.npy") as file:
                    np.lib.format.read_magic(file)
                    shape, _, dtype = np.lib.format.read_array_header_1_0(file)
                    if not dtype.hasobject:
                        raise ValueError(f"x_{split} is an array {shape} of {dtype}, not of lists")
                    *_, reviews = ListsOnly(file).load().state  # ndarray's; the items come last
                with archive.open(f"y_{split}.npy") as file:
                    y = np.lib.format.read_array(file, allow_pickle=False)
                x = encode(reviews)
                if y.shape not in {(len(x),), (len(x), 1)} or not len(x):
                    raise ValueError(f"{len(x)} reviews in x_{split}, y_{split} has {y.shape}")
                if y.dtype.kind not in "biuf" or not np.isin(y, (0, 1)).all():
                    raise ValueError(f"y_{split} ({y.dtype}) has labels other than 0 and 1")
                order = rng.permutation(len(x))
                splits.append((x[order], y.reshape(-1)[order].astype(np.int64)))
    except Exception as error:  # a broken zip or pickle can raise nearly anything
        raise ValueError(f"cannot read {path}: {str(error) or repr(error)}") from error
    return splits


def encode(reviews):
    """Encode reviews as keras.datasets.imdb and pad_sequences do.

    reviews: n lists of word ranks from 1 -> [n, 80] int32: a start token, rank + 3 for a word and 2
    for one out of the vocabulary; of these the last 80, with zeros in front. Raises ValueError.
    """
    if len(reviews) * WORDS > MEMBER_BYTES:  # one list can be named a million times
        raise ValueError("more reviews than any imdb.npz could hold")
    tails = [review[-WORDS:] if type(review) in (list, tuple) else [None] for review in reviews]
    words = array.array("q")  # 64-bit whole numbers
    try:
        for tail in tails:
            words.fromlist(list(tail))
    except TypeError:
        raise ValueError("a review is no list of numbers: save lists of Python's int") from None
    ranks = np.array(words)
    if ranks.min(initial=1) < 1 or ranks.max(initial=1) >= 2**31:
        raise ValueError("a word has a rank below 1, or one that is too large")
    lengths = np.array([len(tail) for tail in tails], dtype=np.int64)
    place = np.arange(WORDS) - WORDS + lengths[:, None]  # [n, 80]: -1 before a review's first word
    x = np.where(place == -1, START, PAD).astype(np.int32)
    x[place >= 0] = np.where(ranks < VOCABULARY - INDEX_FROM, ranks + INDEX_FROM, UNKNOWN)
    return x


def toy_reviews():
    """Generate small English reviews whose sentiment depends on the order of the words.

    -> texts, labels, {word: rank by frequency}. Each text has one opinion: "the plot was dull",
    "was not dull", or "was good not bad", which has the words of "was bad not good".
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
    counts = collections.Counter(" ".join(reviews).split()).most_common()
    index = {word: rank for rank, (word, _) in enumerate(counts, start=1)}
    return list(reviews), np.array(list(reviews.values())), index


def load_toy():
    """Return the toy reviews as read_npz returns a file: (x_train, y_train), (x_test, y_test)."""
    texts, y, index = toy_reviews()
    x = encode([[index[word] for word in text.split()] for text in texts])
    return (x[:TOY_TRAIN], y[:TOY_TRAIN]), (x[TOY_TRAIN:], y[TOY_TRAIN:])


def make_datasets(train, test, batch_size, seed):
    """Turn two pairs of arrays ([n, 80], [n]) into batched tf.data pipelines.

    The training set is shuffled over its whole length, anew each epoch; the test set keeps its
    order. The last, smaller batch is kept in both: every review counts.
    """
    # Keras 3.15 warns that fit() will not shuffle a Dataset. This one shuffles itself.
    warnings.filterwarnings("ignore", message="`shuffle=True` was passed")
    options = tf.data.Options()
    # There is nothing to tune here, and the thread that would can hold up a pass's end for seconds.
    options.autotune.enabled = False
    train, test = (tf.data.Dataset.from_tensor_slices(split) for split in (train, test))
    train = train.shuffle(len(train), seed=seed).batch(batch_size)
    return [split.prefetch(2).with_options(options) for split in (train, test.batch(TEST_BATCH))]


def load_datasets(args):
    """Load the reviews that the flags ask for: the training and the test set, and what they are.

    -> train, test, data: two tf.data pipelines of ([b, 80] int32, [b] int64), and "imdb", "toy" or
    the path of --data. Only --data auto may end up as the toy, and says so. Ends the run on errors.
    """
    data = path = args.data
    if args.data in ("auto", "imdb"):
        try:
            data, path = "imdb", cached("imdb.npz")
        except OSError as error:
            if args.data == "imdb":
                fail(error)
            data = "toy"
            toy = "Training on generated toy reviews: a score on them says nothing about IMDB"
            print(f"warning: {error}. {toy}. See docs/data.md", file=sys.stderr)
    try:
        splits = load_toy() if data == "toy" else read_npz(path)
    except ValueError as error:
        fail(f"{error}; delete it, and it will be downloaded" if data == "imdb" else error)
    splits = [(x[: args.subset], y[: args.subset]) for x, y in splits]
    n, n_test = (len(y) for _, y in splits)
    print(f"data {os.path.basename(data)}: {n} training, {n_test} test reviews")
    return *make_datasets(*splits, args.batch_size, args.seed), data


# ------------------------------------------------------------------------------ the record of a run
def replace(path, write):
    """Call write(a name beside path) and rename what it wrote to path, or end the run."""
    temporary = f"{path}.{UNFINISHED}"
    try:
        write(temporary)
        if os.path.exists(path):
            os.chmod(temporary, os.stat(path).st_mode)
        os.replace(temporary, path)
    except OSError as error:
        fail(f"cannot write {path}: {error}")
    finally:
        with contextlib.suppress(OSError):
            os.remove(temporary)


class Record(keras.callbacks.Callback):
    """The record of a run: after every epoch --save, --log and --plot, and in the end a line."""

    def __init__(self, args, data, done=None):
        super().__init__()
        self.args, self.data, self.done = args, os.path.basename(data), done
        self.index = load_word_index(data) if args.review else None  # before training, if it fails
        self.epochs = []  # of each: epoch, accuracy, loss, val_accuracy, val_loss

    def on_train_begin(self, logs=None):
        self.started = time.perf_counter()
        # Adam's variables now, and not in the first training step: that would be traced twice.
        self.model.optimizer.build(self.model.trainable_variables)

    def on_test_end(self, logs):
        reviews = int(self.model.metrics[0].count)  # the mean of the losses counts them
        self.score = logs["accuracy"], logs["loss"], reviews

    def on_epoch_end(self, epoch, logs):
        self.epochs.append({"epoch": epoch + 1, **logs})
        args, of = self.args, "" if epoch + 1 == self.args.epochs else f" of {self.args.epochs}"
        seconds = time.perf_counter() - self.started
        self.done = f"{epoch + 1}{of} epoch{'s' * (args.epochs > 1)} in {seconds:.1f} s"
        self.model.stop_training = math.isnan(logs["loss"])
        for path, write in (args.save, self.save), (args.log, self.log), (args.plot, self.plot):
            if path and not self.model.stop_training:
                replace(path, write)

    def save(self, path):
        self.model.save_weights(path)
        with h5py.File(path, "a") as file:  # with a note of whose word ids they know
            file.attrs["data"] = self.data

    def log(self, path):
        with open(path, "w", encoding="utf-8") as file:
            for row in self.epochs[0], *(epoch.values() for epoch in self.epochs):
                print(*row, sep=",", file=file)

    def plot(self, path):
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

    def report(self):
        """Print what was done and the score on the test set, in one line for a table."""
        if not self.done:  # interrupted in the first epoch
            return
        read_reviews(self.args.review, self.model, self.index)
        accuracy, loss, reviews = self.score
        print(
            f"{self.args.script}: test accuracy {accuracy:.4f} ({accuracy * reviews:.0f}/{reviews})"
            f", loss {loss:.4f}, {self.done}, {self.model.count_params()} parameters, "
            f"seed {self.args.seed}, data {self.data}, "
            f"device {'GPU' if tf.config.get_visible_devices('GPU') else 'CPU'}, "
            f"TensorFlow {tf.__version__}, Keras {keras.__version__}"
        )
        if math.isnan(loss):
            fail("training diverged, the loss is nan: try a lower --learning-rate or --clipnorm")


def use_weights(args, model):
    """Read the weights of --load into a built model; then read --review, or score the test set."""
    sizes = []
    try:
        with h5py.File(args.load) as file:
            file.visititems(lambda _, item: sizes.append(getattr(item, "nbytes", 0)))
            trained_on = str(file.attrs.get("data", os.path.basename(args.data)))[:99]
        if sum(sizes) > os.path.getsize(args.load):
            raise ValueError("it declares more than it holds")
        model.load_weights(args.load)
    except Exception:  # h5py and Keras raise whatever the content of a file leads to
        fail(f"{args.load}: damaged, or not weights of {args.script} with --units {args.units}")
    if args.data == "auto" and trained_on in ("toy", "imdb"):
        args.data = trained_on
    if trained_on != os.path.basename(args.data):  # where the same ids are other words
        fail(f"{args.load}: trained on {trained_on}, and --data is {args.data}")
    if not all(np.isfinite(weights).all() for weights in model.get_weights()):
        print(f"warning: {args.load} has weights that are nan or infinite", file=sys.stderr)
    if args.review:
        return read_reviews(args.review, model, load_word_index(args.data))
    _, test, data = load_datasets(args)
    record = Record(args, data, done=f"loaded from {os.path.basename(args.load)}")
    model.compile(loss="binary_crossentropy", metrics=[keras.metrics.BinaryAccuracy("accuracy")])
    model.evaluate(test, verbose=BAR, callbacks=[record])
    record.report()


# --------------------------------------------------------------------------------- reading a review
def load_word_index(data):
    """Return {word: rank}: the toy's, the one beside the path of --data, or else Keras's own."""
    if data == "toy":
        return toy_reviews()[-1]
    path = os.path.join(os.path.dirname(data), "imdb_word_index.json")
    try:
        if data in ("auto", "imdb") or not os.path.isfile(path):
            path = cached("imdb_word_index.json")
        with open(path, encoding="utf-8") as file:
            index = json.load(file)
        if type(index) is not dict or not all(type(r) is int and r > 0 for r in index.values()):
            raise ValueError(f"{path} does not give each word a rank")
    except (OSError, ValueError) as error:
        fail(f"no word index for --review: {error} (--data PATH takes the one beside PATH)")
    return index


def split_words(text):
    """Split a review as IMDB's were: lower case, no punctuation but apostrophes -> words.

    A Chinese character is a word of its own. NFC: one form for letters that can be written in two.
    """
    punctuation = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n\r“”…–—，。！？、；：（）《》【】「」'
    text = unicodedata.normalize("NFC", text).lower().replace("\u2019", "'")
    text = text.translate(dict.fromkeys(map(ord, punctuation), " "))
    text = re.sub("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]", r" \g<0> ", text)
    return [word for word in text.split() if any(map(str.isalnum, word))]


def read_reviews(texts, model, index):
    """Print for each text what the network thinks after each word, and the verdict."""
    for text in texts:
        words = split_words(text)
        ranks = [index.get(word, VOCABULARY) for word in words]
        # Every prefix is a review of its own, cut and padded as in training: [n, 80], one batch.
        x = encode([ranks[: n + 1] for n in range(len(ranks))])
        probabilities = model(x, training=False).numpy()[:, 0]  # [n, 80] -> [n]
        shown = [f"{w} (unknown)" if i == UNKNOWN else w for w, i in zip(words, x[:, -1])]
        width = max(map(len, shown))
        print(f"\n{' '.join(text.split())}")
        for word, p in zip(shown, probabilities):
            bar = "" if math.isnan(p) else "#" * round(20 * float(p))
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
