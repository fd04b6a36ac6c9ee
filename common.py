"""What the four scripts share and what is not the lesson: data, command line, report.

No model lives here. In reading order: constants, data (Keras's IMDB, a file of yours, or generated
toy reviews, then padding and tf.data), command line, training and its files, reading a review.
At import nothing runs but what must be set before TensorFlow loads.
"""

import argparse
import array
import contextlib
import functools
import gc
import hashlib
import importlib.util
import io
import json
import math
import os
import pickle
import socket
import sys
import threading
import time
import urllib.request
import zipfile
from pathlib import Path

# The environment may ask for another backend or for Keras 2: this is Keras 3 on TensorFlow.
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.pop("TF_USE_LEGACY_KERAS", None)
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # errors only; works only before the import
gc.set_threshold(100_000)  # importing TensorFlow and reading the data make objects that stay

import h5py
import keras
import numpy as np
import tensorflow as tf

# ---------------------------------------------------------------------------------- constants

VOCABULARY = 10_000  # ids 0 .. 9999: three special ones, 3 is unused, the frequent words from 4
WORDS = 80  # tokens kept of a review: the last 80, as pad_sequences does
EMBEDDING = 100  # length of a word vector
# A word of rank r (1 is the most frequent) has id r + 3.
PAD, START, UNKNOWN, INDEX_FROM = 0, 1, 2, 3

TEST_BATCH = 1_000  # larger than in training: no gradients to keep, and fewer calls
TOY_TRAIN, TOY_TEST = 25_000, 2_000

ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
DIGESTS = {  # as keras.datasets.imdb checks them
    "imdb.npz": "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f",
    "imdb_word_index.json": "bfafd718b763782e994055a2d397834f",
}
NETWORK_SECONDS = 10  # for the first answer, and again for any one silence after it
MEMBER_BYTES = 64 << 20  # a member of imdb.npz has 14 MB; a zip bomb may claim anything


def fail(message, status=1):
    """End the run: one line on stderr, no traceback (status 2: the command line, 1: the rest)."""
    message = " ".join(str(message).split())  # what libraries say may have several lines
    print(f"{Path(sys.argv[0]).stem}: error: {message}", file=sys.stderr)
    raise SystemExit(status)


# --------------------------------------------------------------------------------------- data


def from_keras(load, name):
    """Return load(), a function of keras.datasets.imdb that downloads file `name` when needed.

    Keras sets no time limit. A first request in a thread bounds the lookup of the name, a proxy and
    several dead addresses; the socket timeout bounds each silence during the download.
    Raises OSError if the file is neither in Keras's cache nor to be had.
    """
    cached = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / "datasets" / name
    algorithm = "md5" if len(DIGESTS[name]) == 32 else "sha256"
    answer = []

    def ask():
        request = urllib.request.Request(ORIGIN + name, method="HEAD")
        try:
            urllib.request.urlopen(request, timeout=NETWORK_SECONDS).close()
            answer.append("yes")
        except Exception as error:
            answer.append(error)

    if not (
        cached.is_file()
        and hashlib.new(algorithm, cached.read_bytes()).hexdigest() == DIGESTS[name]
    ):
        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        thread.join(NETWORK_SECONDS)
        if answer != ["yes"]:
            reason = answer[0] if answer else f"no answer in {NETWORK_SECONDS} seconds"
            raise OSError(f"cannot download {ORIGIN}{name} ({reason})")
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(NETWORK_SECONDS)
    try:
        return load()
    except Exception as error:  # Keras raises a bare Exception for a failed download
        raise OSError(f"cannot download {ORIGIN}{name} ({error})") from error
    finally:
        socket.setdefaulttimeout(before)


class _Inert:
    """Stands in for everything NumPy has a pickle name: keeps what it is given and does nothing."""

    def __init__(self, *args):
        self.state = None

    def __setstate__(self, state):
        self.state = state


class _ListsOnly(pickle.Unpickler):
    """Unpickles an object array of lists without NumPy and without calling anything it names."""

    def find_class(self, module, name):
        if (module.replace("._core.", ".core."), name) in {
            ("numpy.core.multiarray", "_reconstruct"),
            ("numpy", "ndarray"),
            ("numpy", "dtype"),
        }:
            return _Inert
        raise pickle.UnpicklingError(f"the pickle asks for {module}.{name}, which is not data")


def read_member(archive, name):
    """Return one array of an open imdb.npz: int64 [n] for y_*, a list of n lists for x_*."""
    if archive.getinfo(name).file_size > MEMBER_BYTES:
        raise ValueError(f"{name} is larger than any imdb.npz")
    data = io.BytesIO(archive.read(name))
    if name.startswith("y"):
        return np.lib.format.read_array(data, allow_pickle=False)
    if np.lib.format.read_magic(data) == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(data)
    else:
        shape, _, dtype = np.lib.format.read_array_header_2_0(data)
    if not dtype.hasobject or len(shape) != 1:
        raise ValueError(f"{name} is not an array of lists")
    content = _ListsOnly(data).load()
    if not isinstance(content, _Inert) or not isinstance(content.state, tuple):
        raise ValueError(f"{name} is not a pickled array")
    reviews = content.state[-1]  # (version, shape, dtype, order, items)
    if type(reviews) is not list or len(reviews) != shape[0]:
        raise ValueError(f"{name} does not hold the {shape[0]} reviews it announces")
    return reviews


def encode_ranks(reviews):
    """Encode reviews as keras.datasets.imdb and pad_sequences do, without touching cut words.

    reviews: n lists of word ranks >= 0 -> [n, 80] int32: start token, ranks + 3, 2 for words out of
    the vocabulary, the last 80 tokens, zeros in front. Raises ValueError or TypeError otherwise.
    """
    ranks = array.array("i")
    for review in reviews:
        ranks.fromlist(review)  # refuses what is not a list of integers
    ranks = np.frombuffer(ranks, dtype=np.int32)
    if len(ranks) and ranks.min() < 0:
        raise ValueError("a word id is negative")
    lengths = np.fromiter(map(len, reviews), dtype=np.int64, count=len(reviews))
    # Column 79 is a review's last word, column 79 - length is where its start token belongs.
    word = lengths[:, None] - WORDS + np.arange(WORDS)  # [n, 80] index of the word in its review
    inside = word >= 0
    x = np.where(word == -1, START, PAD).astype(np.int32)
    first = np.cumsum(lengths) - lengths  # [n] where each review begins in ranks
    tail = ranks[(first[:, None] + word)[inside]]
    x[inside] = np.where(tail < VOCABULARY - INDEX_FROM, tail + INDEX_FROM, UNKNOWN)
    return x


def read_npz(path):
    """Read a file in the layout of imdb.npz and return what Keras gives for it, padded.

    -> (x_train, y_train), (x_test, y_test): [n, 80] int32 and [n] int64, shuffled as
    keras.datasets.imdb does (one RandomState(113) for both). Nothing in the file is executed.
    Raises OSError if it cannot be read and ValueError if it is anything else than such a file.
    """
    rng = np.random.RandomState(113)
    splits = []
    try:
        with open(path, "rb") as file, zipfile.ZipFile(file) as archive:
            for split in ("train", "test"):
                reviews = read_member(archive, f"x_{split}.npy")
                labels = read_member(archive, f"y_{split}.npy")
                if labels.shape != (len(reviews),):
                    raise ValueError(f"x_{split} and y_{split} differ in length")
                if not len(reviews):
                    raise ValueError(f"x_{split} is empty")
                if labels.dtype.kind not in "iu" or not np.isin(labels, (0, 1)).all():
                    raise ValueError(f"a label of y_{split} is not 0 or 1")
                order = np.arange(len(reviews))
                rng.shuffle(order)
                splits.append((encode_ranks(reviews)[order], labels[order].astype(np.int64)))
    except OSError:
        raise
    except Exception as error:  # a broken zip or pickle can raise nearly anything
        text = str(error).strip("'\"") or type(error).__name__
        raise ValueError(f"{path} is not a file like imdb.npz: {text}") from error
    return splits


def toy_reviews():
    """Generate small English reviews whose sentiment depends on the order of the words.

    -> (texts, labels), all texts different: each has one opinion among neutral sentences. 70 % of
    those drawn just say it ("the plot was dull"), 15 % negate it ("the plot was not dull") and 15 %
    do both ("the plot was good not bad": "bad not good" has the same words and the other label).
    Repeats are dropped, mostly of the first kind, which leaves a third with a "not".
    """
    neutral = (
        "i saw it last night|we watched it at home|it runs for two hours|my brother chose it|"
        "it is set in a small town|the story begins in winter|there are two sisters in it|"
        "it was shown on a sunday|they made it in france|he plays a doctor|she plays a teacher|"
        "it came out in spring|the camera follows a dog|it is based on a book"
    ).split("|")
    topic = "film movie story plot acting cast ending script".split()
    very = ["", "", "", "really ", "so ", "quite "]
    good = "good great lovely brilliant moving clever".split()
    bad = "bad awful dull boring terrible weak".split()
    rng = np.random.RandomState(0)

    def pick(words):
        return words[rng.randint(len(words))]

    reviews = {}
    while len(reviews) < TOY_TRAIN + TOY_TEST:
        label = rng.randint(2)
        own, other = (good, bad) if label else (bad, good)
        form = rng.randint(100)
        if form < 70:
            opinion = pick(very) + pick(own)
        elif form < 85:
            opinion = "not " + pick(very) + pick(other)
        else:
            opinion = pick(own) + " not " + pick(other)
        sentences = [pick(neutral) for _ in range(1 + rng.randint(2))]
        sentences.insert(rng.randint(len(sentences) + 1), f"the {pick(topic)} was {opinion}")
        reviews[" ".join(sentences)] = label
    return list(reviews), np.array(list(reviews.values()))


def toy_word_index(texts):
    """Number the words of the texts by frequency, as Keras's word index does: {word: rank}."""
    words, counts = np.unique(" ".join(texts).split(), return_counts=True)
    return {str(words[i]): rank for rank, i in enumerate(np.argsort(-counts, kind="stable"), 1)}


def load_toy():
    """Return the toy reviews as read_npz returns a file: (x_train, y_train), (x_test, y_test)."""
    texts, y = toy_reviews()
    index = toy_word_index(texts)
    x = keras.utils.pad_sequences([encode_words(text.split(), index) for text in texts], WORDS)
    return (x[:TOY_TRAIN], y[:TOY_TRAIN]), (x[TOY_TRAIN:], y[TOY_TRAIN:])


def load_imdb():
    """Return Keras's IMDB as read_npz returns a file. Raises OSError when it cannot be had."""
    load = functools.partial(keras.datasets.imdb.load_data, num_words=VOCABULARY)
    return [(keras.utils.pad_sequences(x, WORDS), y) for x, y in from_keras(load, "imdb.npz")]


def load_arrays(args):
    """Return the padded arrays of --data; sets args.data to "toy" when auto has to fall back.

    -> (x_train, y_train), (x_test, y_test): [n, 80] int32 and [n]. Ends the run on an error.
    """
    try:
        if args.data in ("auto", "imdb"):
            try:
                return load_imdb()
            except OSError as error:
                if args.data == "imdb":
                    raise
                print(
                    f"{args.script}: warning: {error}. Training on small generated toy reviews "
                    'instead: their score says nothing about IMDB. See "Data without a network" in '
                    "README.md",
                    file=sys.stderr,
                )
                args.data = "toy"
        return load_toy() if args.data == "toy" else read_npz(Path(args.data).expanduser())
    except (OSError, ValueError) as error:
        fail(error)


def make_datasets(train, test, batch_size, seed):
    """Turn two pairs of arrays ([n, 80], [n]) into batched tf.data pipelines.

    The training set is shuffled over its whole length, anew each epoch; the test set keeps its
    order. The last, smaller batch is kept in both: every review counts.
    """
    options = tf.data.Options()
    # There is nothing to tune here, and its thread can hold up the end of a pass for seconds: it
    # wakes after 10, 20, 40 ... ms and the pass then ends at the next of these.
    options.autotune.enabled = False
    train, test = (tf.data.Dataset.from_tensor_slices(split) for split in (train, test))
    train = train.shuffle(train.cardinality(), seed=seed).batch(batch_size)
    return [split.prefetch(2).with_options(options) for split in (train, test.batch(TEST_BATCH))]


def load_datasets(args):
    """Load the reviews the flags ask for and return (train, test) as tf.data pipelines.

    Batches are ([b, 80] int32, [b] int64). Notes in args.data_name and args.test_reviews what was
    loaded, for the report, in args.steps in how many training steps the learning rate falls to 0,
    and in args.index the word index if a --review will need it. With --load and --review that is
    all there is to load, and it returns (None, None).
    """
    args.steps = 1
    splits = None if args.load and args.review else load_arrays(args)
    if args.review:
        args.index = load_word_index(args)
    if splits is None:
        return None, None
    sizes = [len(y) for _, y in splits]
    if args.subset:
        if args.subset > min(sizes):
            print(f"--subset {args.subset} is more than there are in a split: all of it is used")
        splits = [(x[: args.subset], y[: args.subset]) for x, y in splits]
    args.data_name = "imdb" if args.data == "auto" else Path(args.data).name
    args.test_reviews = len(splits[1][1])
    # At least two epochs' worth: a SimpleRNN has not learned enough if its rate falls in the first.
    args.steps = max(args.epochs, 2) * math.ceil(len(splits[0][1]) / args.batch_size)
    print(f"data {args.data_name}: {len(splits[0][1])} training, {args.test_reviews} test reviews")
    return make_datasets(*splits, args.batch_size, args.seed)


def load_word_index(args):
    """Return {word: rank} for --data: the toy's, the one beside PATH, or Keras's own."""
    if args.data == "toy":
        return toy_word_index(toy_reviews()[0])
    try:
        beside = Path(args.data).expanduser().parent / "imdb_word_index.json"
        if args.data in ("auto", "imdb") or not beside.is_file():
            return from_keras(keras.datasets.imdb.get_word_index, "imdb_word_index.json")
        index = json.loads(beside.read_text(encoding="utf-8"))
        if type(index) is not dict or not all(type(rank) is int for rank in index.values()):
            raise ValueError("not an object of word: rank")
        return index
    except OSError as error:
        fail(f"no word index for --review: {error}; --data PATH reads the one beside PATH")
    except (ValueError, RecursionError) as error:
        fail(f"{beside} is not a word index: {error}")


def split_words(text):
    """Split a review as IMDB's were: lower case, punctuation off but apostrophes -> words."""
    punctuation = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n\r\u201c\u201d\u2026\u2013\u2014'
    text = text.lower().replace("\u2019", "'").translate(dict.fromkeys(map(ord, punctuation), " "))
    return [word for word in text.split() if any(map(str.isalnum, word))]


def encode_words(words, index):
    """Return the ids of a review: 1 to start, rank + 3 for a word, 2 for one out of vocabulary."""
    ids = [index.get(word, VOCABULARY) + INDEX_FROM for word in words]
    return [START] + [i if INDEX_FROM < i < VOCABULARY else UNKNOWN for i in ids]


# ------------------------------------------------------------------------------- command line


def number(convert, least, most=math.inf, strict=False):
    """Return an argparse type: convert(text), finite, at least `least` (strict: above it)."""

    def check(text):
        try:
            value = convert(text)
        except ValueError:
            value = math.nan
        if not (least <= value <= most) or math.isinf(value) or (strict and value == least):
            kind = "a whole number" if convert is int else "a number"
            bound = f"above {least}" if strict else f"of at least {least}"
            top = "" if most == math.inf else f" and at most {most}"
            raise argparse.ArgumentTypeError(f"{text!r} is not {kind} {bound}{top}")
        return value

    return check


def parse_args(doc, argv=None, unroll=None):
    """Read the command line and make TensorFlow ready for it: the seed and the device.

    doc: the script's docstring, whose first paragraph is "name.py: what it does"; unroll: the
    default of --unroll, or None for a script that is always unrolled.
    Returns the flags as a namespace. A wrong command line ends the run with status 2, files that
    cannot be used with status 1, both before anything is loaded or trained.
    """
    script, _, description = doc.strip().split("\n\n")[0].partition(".py: ")
    positive = number(int, 1)
    parser = argparse.ArgumentParser(prog=f"{script}.py", description=description)
    parser.error = lambda message: fail(f"{message} (--help lists the flags)", 2)
    group = parser.add_argument_group("data")
    group.add_argument(
        "--data",
        default="auto",
        metavar="{auto,imdb,toy,PATH}",
        help="imdb: Keras's IMDB, downloaded once; PATH: an imdb.npz you have; toy: small "
        "generated reviews, no network; auto: imdb, or else toy with a warning (default: auto)",
    )
    group.add_argument(
        "--subset", type=positive, metavar="N", help="only the first N reviews of each split"
    )
    group = parser.add_argument_group("training")
    add = group.add_argument
    add("--epochs", type=positive, default=4, metavar="N", help="default: %(default)s")
    add("--batch-size", type=positive, default=128, metavar="N", help="default: %(default)s")
    add(
        "--units",
        type=positive,
        default=64,
        metavar="N",
        help="size of the hidden state (default: %(default)s)",
    )
    add(
        "--learning-rate",
        type=number(float, 0, strict=True),
        default=1e-3,
        metavar="X",
        help="of Adam at the start; it falls to 0 by the end of the run, or to half of it in a "
        "single epoch (default: %(default)s)",
    )
    # Each by itself: scaled all together (global_clipnorm), seeds differed more on training reviews
    # held out for the choice.
    add(
        "--clipnorm",
        type=number(float, 0),
        default=0.25,
        metavar="X",
        help="scale the gradient of each weight down to this norm, 0: never (default: %(default)s)",
    )
    add(
        "--unroll",
        action=argparse.BooleanOptionalAction,
        help="a graph of 80 steps, as in the post, instead of a loop: slow to start and no cuDNN, "
        "for steps a little faster at best (default: no; rnn_cell_imdb.py: always)",
    )
    add(
        "--seed",
        type=number(int, 0, 2**32 - 1),
        default=0,
        metavar="N",
        help="same seed, same machine: same run (default: %(default)s)",
    )
    add("--device", choices=("auto", "cpu", "gpu"), default="auto", help="default: %(default)s")
    group = parser.add_argument_group("after training")
    add = group.add_argument
    add("--save", metavar="FILE", help="write the weights, FILE.weights.h5, after every epoch")
    add("--load", metavar="FILE", help="read weights that --save wrote instead of training")
    add(
        "--review",
        action="append",
        default=[],
        metavar="TEXT",
        help="show what the network thinks after each word of TEXT (repeatable; - reads standard "
        "input, one review a line)",
    )
    add("--plot", metavar="FILE", help="draw the learning curves, FILE.png (needs matplotlib)")
    add("--log", metavar="FILE", help="write loss and accuracy of each epoch, FILE.csv")
    add("--overwrite", action="store_true", help="let --log replace a file that exists")
    args = parser.parse_args(argv)
    args.script = script
    if unroll is None and args.unroll is False:
        parser.error("--no-unroll: the loop of this script is written in Python, always unrolled")
    if args.unroll is None:
        args.unroll = unroll is not False
    for flag, ending in (("save", ".weights.h5"), ("plot", ".png"), ("log", ".csv")):
        name = getattr(args, flag)
        if name and not name.endswith(ending):
            parser.error(f"--{flag} {name}: the name must end in {ending}")
        if name and args.load:
            parser.error(f"--{flag} goes with training and --load does not train")
    if "-" in args.review:
        at = args.review.index("-")
        args.review[at : at + 1] = [line for line in sys.stdin if line.strip()]
        if not args.review:
            parser.error("--review -: nothing to read on standard input")
    for text in args.review:
        if not split_words(text):
            parser.error(f"--review {text.strip()!r}: there is no word in it")
    check_files(args)
    gpus = tf.config.list_physical_devices("GPU")
    if args.device == "gpu" and not gpus:
        fail(
            "--device gpu: TensorFlow sees no GPU. On Linux with an NVIDIA driver: "
            'pip install "tensorflow[and-cuda]"; on native Windows and macOS TensorFlow has none'
        )
    if args.device == "cpu":
        tf.config.set_visible_devices([], "GPU")
    if not gpus or args.device == "cpu":
        # The matrices of one time step are small: sharing one of them among threads costs more than
        # it saves. Whole operations still run side by side, one per core.
        with contextlib.suppress(RuntimeError):  # TensorFlow already runs, as in a notebook
            tf.config.threading.set_intra_op_parallelism_threads(1)
        # An unrolled graph has thousands of operations: improving it takes longer than it saves.
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": args.unroll})
    args.device = "GPU" if gpus and args.device != "cpu" else "CPU"
    keras.utils.set_random_seed(args.seed)
    return args


# ----------------------------------------------------------------------------------- training


class Adam(keras.optimizers.Adam):
    """Keras's Adam with one fused operation a weight, as TensorFlow has it.

    It is algorithm 1 of Kingma and Ba (2015) in its efficient form, without amsgrad. Keras makes a
    dozen passes of it over the embedding's million weights, which is up to a tenth of a training
    step. One difference: a word that a batch has twice enters v with the square of its summed
    gradient, as in the paper, where Keras adds up the squares of the parts.
    """

    def update_step(self, gradient, variable, learning_rate):
        i = self._get_variable_index(variable)
        t = tf.cast(self.iterations + 1, variable.dtype)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[i].value.handle,
            v=self._velocities[i].value.handle,
            beta1_power=self.beta_1**t,
            beta2_power=self.beta_2**t,
            lr=tf.cast(learning_rate, variable.dtype),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=tf.convert_to_tensor(gradient),  # of the embedding: sums the rows of one word
        )


def check_files(args):
    """End the run if a file of --save, --plot, --log or --load cannot be used, before it begins."""
    for flag in ("save", "plot", "log"):
        path = Path(getattr(args, flag) or "").expanduser()
        if getattr(args, flag):
            if not os.access(path.parent, os.W_OK) or path.is_dir():
                fail(f"--{flag} {path}: cannot write there")
            setattr(args, flag, path)
    if args.log and args.log.exists() and not args.overwrite:
        fail(f"--log {args.log} exists; name another file or add --overwrite")
    if args.plot and not importlib.util.find_spec("matplotlib"):
        fail("--plot needs matplotlib: pip install matplotlib")
    if args.load:
        args.load = Path(args.load).expanduser()
        try:
            with h5py.File(args.load) as file:
                note = dict(file.attrs)
        except OSError as error:
            fail(f"--load {args.load}: {error.strerror or 'not a weights file, or a broken one'}")
        for key, value in (("script", args.script), ("units", args.units)):
            if note.get(key, value) != value:
                fail(f"--load {args.load}: weights of {key} {note[key]}, not of {key} {value}")
        if "data" in note:  # IMDB's word ids mean nothing to a network trained on the toy
            toy = note["data"] == "toy"
            if args.data == "auto":
                args.data = "toy" if toy else "imdb"
            elif toy != (args.data == "toy"):
                fail(f"--load {args.load}: trained on {note['data']}, useless for {args.data}")


@contextlib.contextmanager
def replacing(path):
    """Give `with` a temporary name beside `path`, renamed to it if all goes well, else removed."""
    temporary = path.with_name(f"unfinished-{os.getpid()}-{path.name}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def save_weights(args, model):
    """Write the weights to --save, with a note of what they belong to."""
    with replacing(args.save) as temporary:
        model.save_weights(temporary)
        with h5py.File(temporary, "a") as file:
            file.attrs.update(script=args.script, units=args.units, data=args.data_name)


def load_weights(args, model):
    """Read the weights of --load into a built model, or end the run."""
    try:
        model.load_weights(args.load)
    except Exception as error:  # Keras and h5py raise whatever the file's content leads to
        expected = f"weights of {args.script} with {args.units} units"
        fail(f"--load {args.load}: not {expected} ({str(error).splitlines()[0]})")
    args.done = f"loaded from {args.load.name}"


def plot_curves(args, history):
    """Draw loss and accuracy by epoch for training and test set, the lowest test loss marked."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(8, 3.2), layout="constrained")
    epochs = range(1, len(history["loss"]) + 1)
    best = min(epochs, key=lambda epoch: history["val_loss"][epoch - 1])
    for axes, name in zip(figure.subplots(1, 2), ("loss", "accuracy")):
        axes.plot(epochs, history[name], "k--o", label="training (with dropout)", mfc="white")
        axes.plot(epochs, history[f"val_{name}"], "k-o", label="test")
        axes.axvline(best, color="0.6", ls=":", label=f"lowest test loss: epoch {best}")
        axes.set(xlabel="epoch", ylabel=name)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(fontsize="small")
    figure.suptitle(
        f"{args.script}, data {args.data_name}, seed {args.seed} "
        "(the marked epoch is seen on the test set)",
        fontsize="medium",
    )
    with replacing(args.plot) as temporary:
        figure.savefig(temporary, dpi=120)


@contextlib.contextmanager
def training(args, model):
    """Give `with` the callbacks of --save and --log; at its end, --plot and "4 epochs in 63.2 s".

    The weights are saved after every epoch, so that Ctrl-C leaves those of the last finished one.
    Ctrl-C says in one line what was reached and ends the run with status 130.
    """
    started = time.perf_counter()
    history = {"loss": [], "accuracy": [], "val_loss": [], "val_accuracy": []}

    def after_epoch(epoch, logs):
        for name, values in history.items():
            values.append(logs[name])
        if args.save:
            save_weights(args, model)

    callbacks = [keras.callbacks.LambdaCallback(on_epoch_end=after_epoch)]
    if args.log:
        callbacks.append(keras.callbacks.CSVLogger(args.log))
    status = 0
    try:
        yield callbacks
    except KeyboardInterrupt:
        status = 130
    except OSError as error:
        fail(error)  # a full disk, a folder that has gone
    if args.plot and history["loss"]:
        plot_curves(args, history)
    if status:
        reached = f"interrupted after {len(history['loss'])} of {args.epochs} epochs"
        if history["val_loss"]:
            accuracy, loss = history["val_accuracy"][-1], history["val_loss"][-1]
            reached += f", test accuracy {accuracy:.4f}, loss {loss:.4f} after the last of them"
            reached += f", its weights in {args.save}" if args.save else ""
        print(f"\n{args.script}: {reached}", file=sys.stderr)
        raise SystemExit(status)
    epochs = "1 epoch" if args.epochs == 1 else f"{args.epochs} epochs"
    args.done = f"{epochs} in {time.perf_counter() - started:.1f} s"


def read_reviews(args, model):
    """Print for each --review what the network thinks after each word, and the verdict."""
    for text in args.review:
        words = split_words(text)
        ids = encode_words(words, args.index)[1:]
        print(f"\n{' '.join(text.split())}")
        if len(words) > WORDS - 1:
            print(f"(only the last {WORDS - 1} of its {len(words)} words fit and are read)")
            words, ids = words[1 - WORDS :], ids[1 - WORDS :]
        # Every prefix is a review of its own, padded in front as in training: [n, 80] in one batch.
        prefixes = [[START, *ids[: n + 1]] for n in range(len(ids))]
        x = keras.utils.pad_sequences(prefixes, WORDS)
        probabilities = model(x, training=False).numpy()[:, 0]  # [n, 80] -> [n]
        shown = [word if i != UNKNOWN else f"{word} (unknown)" for word, i in zip(words, ids)]
        width = max(map(len, shown))
        for word, p in zip(shown, probabilities):
            print(f"  {word:<{width}}  {p:.3f} |{'#' * round(20 * float(p)):<20}|")
        print(f"  {'positive' if p > 0.5 else 'negative'}: P(positive) = {p:.3f}")


def report(args, model, loss, accuracy):
    """Print the run in one line that can be pasted into a table, with the denominator."""
    n = args.test_reviews
    print(
        f"{args.script}: test accuracy {accuracy:.4f} ({round(accuracy * n)}/{n}), "
        f"loss {loss:.4f}, {args.done}, {model.count_params()} parameters, seed {args.seed}, "
        f"data {args.data_name}, device {args.device}, TensorFlow {tf.__version__}, "
        f"Keras {keras.__version__}"
    )


def run(main):
    """Call main(); Ctrl-C outside the training ends it in one line as well, with status 130."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(
            errors="replace"
        )  # a Windows pipe may lack the progress bar's characters
    try:
        main()
    except KeyboardInterrupt:
        print(f"\n{Path(sys.argv[0]).stem}: interrupted", file=sys.stderr)
        raise SystemExit(130) from None
