"""What the trained networks remember by: memory.csv, and kept.csv.

    python -m docs.measure.memory --data imdb.npz --runs runs

Nothing is trained here. A network reads IMDB's test reviews step by step, and after each step, or
before it, a part of its state is taken away; what that costs is counted. In kept.csv it is counted
twice: by the verdicts at 0.5, and by those at a threshold that is fitted anew, on the other half of
the reviews. What the CSVs have is not measured again.
"""

import itertools
from typing import NamedTuple

import common
import keras
import numpy as np
from docs.measure import flags, networks, records
from docs.measure.names import NETWORKS, ROOT, SEEDS
from docs.measure.networks import part_along, step

CSV, KEPT_CSV = ROOT / "docs/measure/memory.csv", ROOT / "docs/measure/kept.csv"
KEPT_HEAD = ("script", "seed", "when", "layer", "accuracy", "refitted", "machine")
FEW, MANY, SCORED = 48, 512, 5_000  # reviews: for Jacobians, for means of the state, and to score
STEP_40 = 39
LAGS = range(6)
LISTED, AT_LEAST = 20, 40  # words that move the number most, of those that stand so often


class Network(NamedTuple):
    """A trained network with its slow number, and how its state is spread over reviews."""

    model: keras.Model
    layer: int  # the slow one, 1 or 2
    left: np.ndarray  # [S]; left @ state is the slow number
    right: np.ndarray  # [S]
    jacobian: np.ndarray  # [n, S, S], of steps of the slow layer
    states: list  # of layer 1 and 2, [n, words, S]
    p: np.ndarray  # [n], P(positive) of those reviews

    @property
    def slow_states(self):
        """The states of the slow layer: [n, words, S]."""
        return self.states[self.layer - 1]


def analyse(model, ids):
    """Find the slow number of a model, and read reviews that fill all places."""
    layer, jacobian = networks.slow_jacobians(model, ids[:FEW])
    left, right = networks.slow_direction(jacobian)
    p, states, _ = networks.read(model, ids)
    states = [state.numpy() for state in states]
    return Network(model, layer, left, right, jacobian, states, p)


def other_real(jacobian):
    """The matrix that keeps the parts along all real eigendirections but that of the slow one."""
    values, right = np.linalg.eig(jacobian.mean(axis=0))
    left = np.linalg.inv(right)
    real = np.flatnonzero(np.abs(values.imag) < 1e-6)
    slow = real[np.argmax(values.real[real])]
    return sum(part_along(left[i].real, right[:, i].real) for i in real if i != slow)


def components(states):
    """The principal components of deviations [n, S]: columns, largest first; their variances."""
    variances, vectors = np.linalg.eigh(np.cov(states.T))
    return vectors[:, ::-1], variances[::-1]


def unit_vectors(rng, size):
    """Twenty random directions: [20, size]."""
    units = rng.randn(20, size)
    return units / np.linalg.norm(units, axis=1, keepdims=True)


def random_half(rng, size):
    """A matrix that keeps a random half of the dimensions."""
    q = np.linalg.qr(rng.randn(size, size))[0][:, : size // 2]
    return q @ q.T


# ------------------------------------------------------------------------- the share of the state
def shares(network, rng):
    """How much of the state's spread the slow number is, and how it goes with the verdict."""
    units, slow = unit_vectors(rng, len(network.left)), part_along(network.left, network.right)
    spread = network.slow_states - network.slow_states.mean(axis=0)
    flat = spread.reshape(-1, len(network.left))
    vectors, variances = components(flat)
    total, first = variances.sum(), vectors[:, 0]
    for name, variance in (
        ("slow", (flat @ slow).var(axis=0).sum()),
        ("random", np.mean([(flat @ unit).var() for unit in units])),
        ("first component", variances[0]),
        ("other real", (flat @ other_real(network.jacobian)).var(axis=0).sum()),
    ):
        yield "after", f"variance {name}", variance / total
    cosine = abs(first @ network.right) / np.linalg.norm(network.right)
    yield "after", "cosine slow, first component", cosine
    for name, readers in ("slow", [network.left]), ("random", units), ("first component", [first]):
        numbers = [spread[:, -1] @ reader for reader in readers]
        sizes = [abs(np.corrcoef(number, network.p)[0, 1]) for number in numbers]
        yield "after", f"correlation {name}", np.mean(sizes)


# ------------------------------------------------------------------- what is kept, and what costs
def parts(network, rng):
    """What is kept of the slow state: {when: matrices, over which the score is averaged}."""
    size = len(network.left)
    everything, slow = np.eye(size), part_along(network.left, network.right)
    rest, units = everything - slow, unit_vectors(rng, size)
    flat = (network.slow_states - network.slow_states.mean(axis=0)).reshape(-1, size)
    first = components(flat)[0][:, 0]
    others = components(flat @ rest)[0][:, :10]
    halves = [random_half(rng, size) for _ in range(3)]
    return {
        "only slow": [slow],
        "only random": [part_along(unit, unit) for unit in units[:3]],
        "only first component": [part_along(first, first)],
        "slow away": [rest],
        "random away": [everything - part_along(unit, unit) for unit in units[:3]],
        "first component away": [everything - part_along(first, first)],
        "ten others away": [slow + rest @ (everything - others @ others.T) @ rest],
        "other real away": [everything - other_real(network.jacobian)],
        "half away": halves,
        "half away, slow kept": [slow + rest @ half @ rest for half in halves],
        "half away, slow away": [rest @ half @ rest for half in halves],
    }


def kept(network, parts, x, y):
    """The scores with only those parts of the state, after every step or after step 40 alone.

    -> (when, accuracy at 0.5, accuracy at a threshold fitted anew), over the matrices of a part.
    """
    mean = network.slow_states.mean(axis=0)

    def scores(matrices, at=None):
        steps = [networks.keep(matrix, mean, at) for matrix in matrices]
        pairs = [networks.in_layer(network.layer, changed) for changed in steps]
        p = [networks.positive(network.model, x, pair) for pair in pairs]
        yield np.mean([(one > 0.5) == y for one in p])
        yield np.mean([networks.refitted_accuracy(one, y) for one in p])

    yield "as trained", *scores([np.eye(len(network.left))])
    for when, matrices in parts.items():
        yield when, *scores(matrices)
    for when in "slow away", "random away":
        yield f"{when} at step 40", *scores(parts[when], STEP_40)


def ladder(network, x, y):
    """The scores with less and less to remember.

    Only what is carried from step to step is changed, not what layer 2 is given of a word.
    """
    everything = np.eye(len(network.left))
    nothing = np.zeros_like(everything)
    rest = everything - part_along(network.left, network.right)
    slow, other = network.layer - 1, 2 - network.layer
    for when, of_slow, of_other in (
        ("last word", nothing, nothing),
        ("+ other layer", nothing, everything),
        ("+ rest of layer", rest, everything),
        ("without other layer", everything, nothing),
        ("as trained", everything, everything),
    ):
        steps = [step, step]
        for layer, matrix in (slow, of_slow), (other, of_other):
            if matrix is not everything:
                mean = network.states[layer].mean(axis=(0, 1))
                steps[layer] = networks.carry(matrix, mean)
        yield when, "accuracy", networks.accuracy(network.model, x, y, steps)


# -------------------------------------------------------------------- the slow number word by word
def logits(model, states):
    """What Dense says of every step of layer 2, before the sigmoid: [n, words]."""
    kernel, bias = model.dense.get_weights()
    return (states[:, :, : model.rnn_2.units].numpy() @ kernel)[:, :, 0] + bias


def delays(network, x):
    """How a change of the slow number at a word goes with the verdict's change some words later."""
    mean = network.states[1].mean(axis=(0, 1))
    forget = networks.carry(np.zeros((len(mean), len(mean))), mean)
    for when, steps in ("after", (step, step)), ("layer 2 cut", (step, forget)):
        _, states, _ = networks.read(network.model, x, steps)
        number = np.diff(states[network.layer - 1].numpy() @ network.left, axis=1)  # [n, 79]
        verdict = np.diff(logits(network.model, states[1]), axis=1)
        for lag in LAGS:
            a, b = number[:, 20 : 70 - lag], verdict[:, 20 + lag : 70]
            yield when, f"delay {lag}", abs(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def movements(network, x):
    """By how much each word moves the slow number up, to good: ids and movements [n * 79]."""
    moved, last, p = [], [], []
    for part in np.array_split(x, max(1, len(x) // 1_000)):
        verdict, states, _ = networks.read(network.model, part)
        number = states[network.layer - 1].numpy() @ network.left
        moved.append(np.diff(number, axis=1))
        last.append(number[:, -1])
        p.append(verdict)
    sign = np.sign(np.corrcoef(np.concatenate(last), np.concatenate(p))[0, 1])
    return x[:, 1:].ravel(), sign * np.concatenate(moved).ravel()


def movers(ids, moved, names):
    """The words that move the slow number most on the average, down and up."""
    count = np.bincount(ids, minlength=common.TOTAL_WORDS)
    mean = np.bincount(ids, moved, minlength=common.TOTAL_WORDS) / np.maximum(count, 1)
    mean[(count < AT_LEAST) | (np.arange(common.TOTAL_WORDS) <= common.INDEX_FROM)] = 0
    order = np.argsort(mean)
    for number in (*order[:LISTED], *order[: -LISTED - 1 : -1]):
        yield "after", f"moved by {names[number]}", mean[number]


def main(argv=None):
    args = flags.parse(__doc__, argv, "data", "runs")
    _, (x, y) = common.read_npz(args.data)
    full, _ = networks.filled((x, y), MANY)
    index = common.load_word_index(args.data)
    names = {rank + common.INDEX_FROM: word for word, rank in index.items()}

    def kept_rows(script, seed):
        network = analyse(networks.trained(script, seed, args.runs), full)
        chosen = parts(network, np.random.RandomState(seed))
        for when, *shares in kept(network, chosen, x[:SCORED], y[:SCORED]):
            yield when, network.layer, *shares

    def rows(script, seed):
        network = analyse(networks.trained(script, seed, args.runs), full)
        for when, quantity, value in itertools.chain(
            shares(network, np.random.RandomState(seed)),
            ladder(network, x[:SCORED], y[:SCORED]),
            delays(network, full),
            movers(*movements(network, x), names) if script == "lstm_imdb" else (),
        ):
            yield when, network.layer, quantity, value

    keys = [(script, seed) for seed in SEEDS for script in NETWORKS]
    records.complete(KEPT_CSV, KEPT_HEAD, keys, kept_rows)
    records.complete(CSV, records.NUMBERS, keys, rows)


if __name__ == "__main__":
    common.run(main)
