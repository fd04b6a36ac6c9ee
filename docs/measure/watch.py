"""Write the networks that docs/watch.html runs into it: small ones, trained on the toy reviews.

    python -m docs.measure.watch --runs runs
    python -m docs.measure.watch --check

The scripts train them, as a user starts them; what the folder of --runs has is not trained again.
--check trains nothing: it recounts what the page says of the weights that are in it.
"""

import base64
import json
import re
import subprocess
import sys
from pathlib import Path

import common  # first: it sets TensorFlow's environment variables
import numpy as np
from docs.measure import flags, networks
from docs.measure.names import GATES, NETWORKS, ROOT

PAGE = ROOT / "docs/watch.html"
LINE = re.compile(r"^const DATA = (.*);$", re.M)  # the one line of the page that is made here
UNITS = {"SimpleRNN": 8, "LSTM": 4, "GRU": 4}  # with 4 units the SimpleRNN learns too little
FLAGS = "--data toy --epochs 8 --learning-rate 0.005"
LEAST = 0.99  # of the test reviews right, or the page is not written
BLOCKS = {"SimpleRNN": "h", "LSTM": "ifgo", "GRU": "zrg"}  # of a layer's weights, in Keras's order
SCRIPTS = {name: script for script, name in NETWORKS.items()}
WHEN = "before", "after"  # training


# --------------------------------------------- from a Keras model to eight arrays, and back again
# A network is a list of eight arrays. The first is a table of x_t W_x in layer 1 for each word id:
# the embedding times the kernel. Then come U and b of layer 1 (U: the recurrent kernel), W, U and b
# of layer 2, and w and b of Dense. [ids, m], [u, m], [m], [u, m], [u, m], [m], [u, 1], [1]; m is u
# times the number of blocks, and b has two rows in a GRU.
def train(script, units, seed, runs):
    """Run a script as a user does -> the file of its weights; not again if it is there."""
    options = f"{FLAGS} --units {units} --seed {seed}"
    path = runs / f"watch-{script}{re.sub('[ -]+', '-', options)}.weights.h5"
    if not path.exists():
        runs.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, ROOT / f"{script}.py", *options.split(), "--save", path]
        subprocess.run(command, check=True)
    return path


def arrays_of(model, ids):
    """The eight arrays of a model that knows so many ids."""
    embedding, kernel, *rest = (np.array(weight) for weight in model.get_weights())
    return [embedding[:ids] @ kernel, *rest]


def turn(name, arrays, layer, order, sign):
    """The same network with a layer's units in another order, and some with their sign turned.

    tanh is odd. If the weights of a unit's candidate change their sign, its h and c do so too; if
    the weights by which h is read change theirs as well, all gates and P stay as they were.
    order: which unit comes first, second ...; sign: 1 or -1 of each unit, in the old order.
    """
    arrays, sign, first = list(arrays), sign[order], 3 * layer
    blocks = BLOCKS[name]
    columns = np.concatenate([order + k * len(order) for k in range(len(blocks))])
    signs = np.concatenate([sign if block in "hg" else sign**2 for block in blocks])
    for k in (first, first + 1, first + 2):  # what leads to the units: table or W, U, b
        arrays[k] = arrays[k][..., columns] * signs
    for k in (first + 1, first + 3):  # what reads h: the layer's next step, and what stands above
        arrays[k] = arrays[k][order] * sign[:, None]
    return arrays


def model_of(name, arrays):
    """The Keras model that computes what the eight arrays do: its word vectors are their table."""
    table, *rest = arrays
    ids, m = table.shape
    vectors = np.zeros((common.TOTAL_WORDS, common.EMBEDDING_LEN))
    vectors[:ids, :m] = table
    model = networks.load(SCRIPTS[name], 0, units=len(arrays[-2]))
    model.set_weights([vectors, np.eye(common.EMBEDDING_LEN, m), *rest])
    return model


# -------------------------------------------------------------------------------- what the page has
def opinions(texts, labels):
    """The words that go with a label: of their reviews less than 40 or more than 60 % are good."""
    found = {}
    for text, label in zip(texts, labels):
        for word in set(text.split()):
            found.setdefault(word, []).append(label)
    return sorted(word for word, of in found.items() if abs(np.mean(of) - 0.5) > 0.1)


def entry(name, before, after, test):
    """What the page has of a network: weights, the mean of each gate, how many reviews are right.

    In the network after training the units of a layer are put in the order in which their last h
    goes with the label, and turned so that + goes with good; before training it is done alike.
    """
    x, y = test
    for layer in (0, 1):
        h = networks.read(model_of(name, after), x)[1][layer][:, -1, : len(after[-2])].numpy()
        leaning = np.array([np.corrcoef(unit, y)[0, 1] for unit in h.T])
        order, sign = np.argsort(-abs(leaning), kind="stable"), np.where(leaning < 0, -1.0, 1.0)
        before, after = (turn(name, arrays, layer, order, sign) for arrays in (before, after))
    before, after = ([a.astype("<f4") for a in arrays] for arrays in (before, after))
    model, letters = model_of(name, after), GATES.get(SCRIPTS[name], "")
    means, words = [{}, {}], x >= common.START  # not the padding
    if letters:
        means = [{k: gates[k][words].mean(0, dtype=float).round(4) for k in letters}
                 for gates in networks.read_gates(model, x)]  # fmt: skip
    verdicts = {
        "before": networks.positive(model_of(name, before), x),
        "": networks.positive(model, x),
    }
    for held in filter(None, (*letters, letters)):
        steps = [networks.hold({k: of_layer[k] for k in held}) for of_layer in means]
        verdicts[held] = networks.positive(model, x, steps)
    return {
        "units": len(after[-2]),
        "means": [{k: mean.tolist() for k, mean in of_layer.items()} for of_layer in means],
        "right": {key: int(((p > 0.5) == y).sum()) for key, p in verdicts.items()},
        **{when: base64.b64encode(b"".join(a.tobytes() for a in arrays)).decode()
           for when, arrays in zip(WHEN, (before, after))},
    }  # fmt: skip


def unpack(name, net, when, ids):
    """The eight arrays out of what the page has of a network."""
    flat = np.frombuffer(base64.b64decode(net[when]), "<f4")
    u = net["units"]
    m = u * len(BLOCKS[name])
    b = (2, m) if name == "GRU" else (m,)
    shapes = (ids, m), (u, m), b, (u, m), (u, m), b, (u, 1), (1,)
    parts = np.split(flat, np.cumsum([np.prod(shape) for shape in shapes]))
    return [part.reshape(shape) for part, shape in zip(parts, shapes)]


def data_of(nets):
    """All that the page has; nets: {name: (arrays before, arrays after training)}."""
    texts, labels, index = common.toy_reviews()
    _, test = common.load_toy()
    reviews = [text.split() for text in texts]
    lengths = [len(words) for words in reviews]
    pairs = {f"{a} {b}" for words in reviews for a, b in zip(["", *words], words)}
    return {
        "words": sorted(index, key=index.get),
        "pairs": sorted(pairs),  # of neighbours; the first word of a review comes after ""
        "lengths": [min(lengths), max(lengths)],
        "opinions": opinions(texts[: common.TOY_TRAIN], labels),
        "tests": len(test[1]),
        "nets": {name: entry(name, *arrays, test) for name, arrays in nets.items()},
    }


def trained(seed, runs):
    """Train what the folder lacks -> {name: (arrays before, arrays after training)}."""
    index = common.toy_reviews()[2]
    nets = {}
    for script, name in NETWORKS.items():
        path = train(script, UNITS[name], seed, runs)
        models = [networks.load(script, seed, file, UNITS[name]) for file in (None, path)]
        nets[name] = [arrays_of(m, 1 + common.INDEX_FROM + len(index)) for m in models]
    return nets


def write(text, data):
    """The text of the page with other data in its one line."""
    line = f"const DATA = {json.dumps(data, separators=(',', ':'))};"
    text, n = LINE.subn(lambda _: line, text)
    if n != 1:
        raise SystemExit(f"{PAGE.name}: {n} lines begin with const DATA, not one")
    return text


def main(argv=None):
    parser = flags.parser(__doc__)
    parser.add_argument("--runs", type=Path, default=ROOT / "runs", metavar="FOLDER")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--check", action="store_true", help="write nothing, and train nothing")
    args = parser.parse_args(argv)
    text = PAGE.read_text(encoding="utf-8")
    if args.check:
        old = json.loads(LINE.search(text)[1])
        ids = 1 + common.INDEX_FROM + len(old["words"])
        nets = {
            name: [unpack(name, net, when, ids) for when in WHEN]
            for name, net in old["nets"].items()
        }
    else:
        nets = trained(args.seed, args.runs)
    data = data_of(nets)
    for name, net in data["nets"].items():
        print(f"{name}, {net['units']} units, right of {data['tests']}: {net['right']}")
        if net["right"][""] < LEAST * data["tests"]:
            raise SystemExit(f"{name}: less than {LEAST:.0%} right; the page is left as it is")
    if args.check and data != old:
        raise SystemExit(f"{PAGE.name} says something else of its networks: make it again")
    if not args.check:
        PAGE.write_text(write(text, data), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
